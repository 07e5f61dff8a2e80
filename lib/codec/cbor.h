/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_CBOR_H
#define CVMBOX_CODEC_CBOR_H

/* CBOR (RFC 8949), strict, for hostile input; nothing is allocated, items point into the input.
 *
 * Refused: heads that are longer than needed (so equal keys are equal bytes), strings in chunks, text that is not UTF-8,
 * a key that a map holds twice, maps of more than CBOR_PAIRS pairs, nesting over CBOR_DEPTH, reserved values.  Arrays and
 * maps of indefinite length are read.  An item is checked with all that is inside before it is given out.
 *
 * Reading goes by cursor (base/cursor.h): once 'bad', always bad. */

#include "base/cursor.h"

#define CBOR_DEPTH 16
#define CBOR_PAIRS 64

enum cbor_type { CBOR_UINT, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_SIMPLE, CBOR_FLOAT };

struct cbor {
	enum cbor_type type;
	uint64_t n;		/* UINT: the value; NEGATIVE: -1 - value; BYTES, TEXT: length; ARRAY: elements; MAP: pairs;
				 * TAG: its number; SIMPLE: 20 false, 21 true, 22 null, 23 undefined; FLOAT: its bits */
	struct slice all;	/* the whole item, as received */
	struct slice body;	/* BYTES, TEXT: contents; ARRAY, MAP, TAG: the items inside */
};

bool cbor_next(struct rd *r, struct cbor *ret);		/* false at the end, and when malformed (then r->bad) */
/* Exactly one item, nothing behind it.  EC_FORMAT with the offset and what is wrong there. */
int cbor_parse(struct cbor *ret, struct slice in, struct err *e);

struct rd cbor_open(const struct cbor *c);		/* over the items inside an array, a map (key, value, ..) or a tag; else empty */
bool cbor_int(const struct cbor *c, int64_t *ret);	/* an integer that fits */
bool cbor_find(const struct cbor *map, int64_t key, struct cbor *ret);	/* value of this integer key; false: none, or no map */
bool cbor_untag(struct cbor *c, uint64_t tag);		/* c has this tag, and becomes what is tagged */

/* Writing, in the shortest form.  A map or array is its head, then its items. */
void cbor_put_head(struct buf *b, enum cbor_type t, uint64_t n);	/* UINT .. TAG */
void cbor_put_int(struct buf *b, int64_t v);
void cbor_put_bytes(struct buf *b, struct slice s);
void cbor_put_text(struct buf *b, const char *s);

#endif
