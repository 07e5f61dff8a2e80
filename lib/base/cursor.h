/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_CURSOR_H
#define CVMBOX_BASE_CURSOR_H

/* Reading outside bytes.  Once 'bad', always bad: later reads give zeros and do not move, so a parser
 * reads everything and asks once. */

#include <stdbool.h>

#include "base/buf.h"

struct rd {
	const uint8_t *p, *end;
	bool bad;
};

struct rd rd_of(struct slice s);
size_t rd_left(const struct rd *r);
struct slice rd_take(struct rd *r, size_t n);		/* n bytes, pointing into the input */
struct slice rd_rest(struct rd *r);			/* all that is left */
void rd_copy(struct rd *r, void *ret, size_t n);	/* zeros when short */
void rd_skip(struct rd *r, size_t n);
uint8_t rd_u8(struct rd *r);
uint16_t rd_le16(struct rd *r);
uint32_t rd_le32(struct rd *r);
uint64_t rd_le64(struct rd *r);
uint16_t rd_be16(struct rd *r);
uint32_t rd_be32(struct rd *r);
uint64_t rd_be64(struct rd *r);

/* Plain loads and stores, for offsets that were already checked. */
uint16_t get_le16(const void *p);
uint32_t get_le32(const void *p);
uint64_t get_le64(const void *p);
uint32_t get_be32(const void *p);
uint64_t get_be64(const void *p);
void put_be32(void *p, uint32_t v);
void put_be64(void *p, uint64_t v);

/* Text: one line without its "\n" (or "\r\n"); false at the end of the input. */
bool rd_line(struct rd *r, struct slice *line);

/* Whole-string unsigned decimal; no sign, no blanks, no overflow over max. */
int parse_u64(uint64_t *ret, const char *s, uint64_t max, struct err *e);
/* Size with optional K, M, G or T (1024-based) suffix. */
int parse_size(uint64_t *ret, const char *s, uint64_t max, struct err *e);

#endif
