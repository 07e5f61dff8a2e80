/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEST_INFER_MAKE_H
#define CVMBOX_TEST_INFER_MAKE_H

/* GGUF files made by tests, piece by piece. */

#include "infer/types.h"
#include "test.h"

struct making {
	struct buf kv, infos, data;
	uint64_t n_kv, n_tensors;
	uint32_t version;
};
#define AUTO_MAKING __attribute__((cleanup(making_free))) struct making
void making_free(struct making *m);
void mk_key(struct making *m, const char *key, uint32_t type);		/* the caller appends the value to m->kv */
void mk_u32(struct making *m, const char *key, uint32_t v);
void mk_f32(struct making *m, const char *key, float v);
void mk_bool(struct making *m, const char *key, uint8_t v);
void mk_str(struct making *m, const char *key, const char *v);
void mk_strs(struct making *m, const char *key, const char *const *v, size_t n);
void mk_info(struct making *m, const char *name, uint64_t k, uint64_t n, uint32_t type, uint64_t offset);
/* k x n random weights of the type, offset and padding included. */
void mk_tensor(struct making *m, const char *name, uint64_t k, uint64_t n, enum tensor_type t);
void mk_finish(struct buf *ret, const struct making *m);

/* Random small float in [-1, 1), the same in every run. */
float mk_random(void);
void mk_seed(uint64_t seed);

/* A whole small model: <unk> <s> </s> and 256 byte tokens, 2 layers, width 64, 4 heads of 16, 2 key heads, weights of type t.
 * skip: name of a tensor left out (NULL: none). */
struct tiny {
	const char *arch;
	enum tensor_type t;
	const char *skip, *extra;	/* a tensor left out; one too many */
	const char *chat;
	bool bias, head_norms;
};
void mk_tiny(struct making *m, const struct tiny *o);
int mk_file(const struct making *m);		/* an unlinked file with it, position 0 */

#endif
