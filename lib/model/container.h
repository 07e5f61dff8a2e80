/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_CONTAINER_H
#define CVMBOX_MODEL_CONTAINER_H

/* Encrypted file formats: one const struct each, listed in container.c.  A format says how a file divides into
 * segments, and turns one segment into its other form.  It knows nothing of threads, descriptors or files; the
 * pipeline calls it. */

#include "base/secret.h"
#include "model/input.h"
#include "model/model.h"

/* Where segments lie.  Segment 0 follows 'head' bytes and is 'first' long, each later one 'seg', the last one
 * whatever is left.  'trail' more bytes (a tag of the whole) belong to the last one. */
struct layout {
	uint64_t head;
	uint32_t first, seg, trail;
};
uint64_t layout_start(const struct layout *l, uint64_t i);		/* of segment i */
uint64_t layout_count(const struct layout *l, uint64_t size); /* segments of a file of this size, at least 1 */

#define PIECE_LEAD 16

struct piece {
	uint64_t i;		/* number of the segment */
	bool last;
	/* The segment.  The PIECE_LEAD bytes before it are those before it in the file where the container asked
	 * for them (wants_lead, i > 0), and may be overwritten. */
	uint8_t *in;
	size_t in_n;
	uint8_t *out;		/* room for the longest result; may be the same as in, else does not overlap */
	size_t out_n;		/* set by the format */
};

struct container;
struct container_format {
	const char *name;	/* as typed by users */
	bool authenticated;
	bool base64;		/* the file is this format as base64 text */
	/* Could a file that begins so be one?  A format without magic looks at the key too. */
	bool (*detect)(struct slice head, const struct secret *key);
	/* Fills the container for reading.  May look ahead in the input; takes nothing. */
	int (*open)(struct container *ret, struct input *in, const struct secret *key, const struct model_opts *o,
		    struct err *e);
};

struct container {
	const struct container_format *format;
	char cipher[64];
	bool has_key_id, key_cut;
	uint32_t key_id;
	size_t key_used, key_given;

	struct layout in, out;
	bool wants_lead;
	bool serial;		/* segments only in order, one at a time */
	bool whole;		/* nothing is authentic until the last segment was right */
	uint8_t header[64];	/* writing: what stands before segment 0 */
	size_t header_n;

	void *state;		/* the format's own; read-only while segments are worked on, unless serial */
	void (*state_free)(void *state);
	/* What one thread needs for itself; both may be NULL. */
	int (*worker_new)(void **ret, const struct container *c, struct err *e);
	void (*worker_free)(void *worker);
	/* EC_REFUSED: not authentic.  Then nothing of p->out may be used. */
	int (*work)(const struct container *c, void *worker, struct piece *p, struct err *e);
};
#define AUTO_CONTAINER __attribute__((cleanup(container_free))) struct container

extern const struct container_format format_tink, format_openssl, format_openssl_base64, format_gcm;

/* Finds the format (by o->format, or by the first bytes) and opens the container. */
int container_open(struct container *ret, struct input *in, const struct secret *key, const struct model_opts *o,
		   struct err *e);
void container_free(struct container *c);
/* Writing: Tink streaming AEAD with the keyset's primary key (tink.c). */
int tink_create(struct container *ret, const struct secret *keyset, const struct model_opts *o, struct err *e);

#endif
