/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_GGUF_H
#define CVMBOX_INFER_GGUF_H

/* GGUF version 2 and 3 (little-endian), read from hostile bytes.  Everything points into the file, which has to outlive it; the
 * bytes may even change underneath (a mapped file): lengths were read once, offsets were checked against the mapping. */

#include <stdbool.h>

#include "base/buf.h"
#include "infer/types.h"

enum gguf_type {
	GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY, GGUF_U64, GGUF_I64,
	GGUF_F64
};

struct gguf_kv {
	struct slice key;
	uint32_t type;			/* enum gguf_type */
	uint32_t elem;			/* arrays: type of the elements */
	uint64_t count;			/* arrays */
	struct slice bytes;		/* the value as in the file; string: without its length; array: all elements */
};
struct gguf_tensor {
	struct slice name;
	uint32_t n_dims;
	uint64_t dim[4];		/* dim[0] is the fastest; unused ones are 1 */
	const struct tensor_kind *kind;
	struct slice data;
};
struct gguf {
	uint32_t version;
	struct gguf_kv *kv;		/* in order of the file */
	size_t n_kv;
	struct gguf_tensor *tensors;
	size_t n_tensors;
	uint32_t *by_key, *by_name;	/* private: sorted */
};
#define AUTO_GGUF __attribute__((cleanup(gguf_free))) struct gguf
void gguf_free(struct gguf *g);
/* EC_FORMAT: not a GGUF file that holds together.  EC_ABSENT: a sound one that this engine does not take (split, big-endian, a tensor
 * type it cannot compute with): the text names it. */
int gguf_parse(struct gguf *ret, struct slice file, struct err *e);

const struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name);	/* NULL: absent */
const struct gguf_kv *gguf_get(const struct gguf *g, const char *key);		/* NULL: absent */
/* Typed reading.  found (may be NULL) says whether the key is there; absent keys leave ret alone.  Wrong types are EC_FORMAT.
 * Integers: any width and signedness that fits; an array stands for its element if all are equal (one per layer). */
int gguf_uint(uint64_t *ret, bool *found, const struct gguf *g, const char *key, struct err *e);
int gguf_real(double *ret, bool *found, const struct gguf *g, const char *key, struct err *e);	/* finite */
int gguf_bool(bool *ret, const struct gguf *g, const char *key, struct err *e);
int gguf_str(struct slice *ret, const struct gguf *g, const char *key, struct err *e);
/* Array of strings, as one slice each (malloc; the caller frees).  An absent key is an error. */
int gguf_strings(struct slice **ret, size_t *n, const struct gguf *g, const char *key, struct err *e);

#endif
