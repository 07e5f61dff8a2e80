/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_DER_H
#define CVMBOX_CODEC_DER_H

/* DER (X.690 chapter 10), strict: definite lengths in the shortest form, one-byte tags.  Reading
 * goes by cursor (base/cursor.h): once 'bad', always bad, and a cursor from der_open of a bad one
 * is bad too; ask at the end with der_done. */

#include "base/cursor.h"

enum der_tag {
	DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_NULL = 0x05,
	DER_OID = 0x06, DER_UTF8 = 0x0c, DER_PRINTABLE = 0x13, DER_IA5 = 0x16, DER_UTC_TIME = 0x17,
	DER_GENERAL_TIME = 0x18, DER_SEQUENCE = 0x30, DER_SET = 0x31,
	DER_CONTEXT = 0x80,		/* + n: [n] IMPLICIT, primitive */
	DER_EXPLICIT = 0xa0		/* + n: [n] constructed */
};

struct der {
	unsigned tag;
	struct slice all;		/* with tag and length */
	struct slice body;
};

bool der_next(struct rd *r, struct der *ret);		/* false at the end, and when malformed (then r->bad) */
bool der_peek(const struct rd *r, unsigned tag);	/* the next element has this tag */
struct der der_take(struct rd *r, unsigned tag);	/* the next element, which must have this tag */
struct rd der_open(struct rd *r, unsigned tag);		/* the same, as a cursor over its body */
bool der_done(const struct rd *r);			/* not bad, and nothing left */
bool der_is_one(struct slice s);			/* exactly one element, nothing behind it */

struct slice der_uint(struct rd *r);			/* INTEGER >= 0, big endian without leading zeros (0: one zero byte) */
bool der_small(struct rd *r, uint32_t *ret);		/* INTEGER 0 .. 2^31-1; else r->bad */
struct slice der_bits(struct rd *r);			/* BIT STRING of whole bytes */
bool der_bool(struct rd *r);				/* BOOLEAN, 0x00 or 0xff */
int64_t der_time(struct rd *r);				/* UTCTime or GeneralizedTime of RFC 5280 4.1.2.5, seconds UTC */

bool der_oid_is(struct slice oid, const char *dotted);	/* oid: body of the element */
void der_oid_text(struct buf *ret, struct slice oid);	/* "1.3.6.1", or "(malformed OID)" */

void der_put(struct buf *ret, unsigned tag, struct slice body);
void der_put_uint(struct buf *ret, struct slice big_endian);	/* leading zeros are dropped, a sign byte added */
void der_put_oid(struct buf *ret, const char *dotted);
void der_put_bits(struct buf *ret, struct slice bytes);
void der_put_time(struct buf *ret, int64_t t);		/* UTCTime up to 2049, GeneralizedTime from 2050 */

#endif
