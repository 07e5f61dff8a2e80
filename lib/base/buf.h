/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_BUF_H
#define CVMBOX_BASE_BUF_H

/* Bytes: a borrowed view (slice) and an owned, growing buffer with a maximum (buf). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct slice {
	const uint8_t *p;
	size_t n;
};
#define SLICE(lit) ((struct slice){ (const uint8_t *)(lit), sizeof(lit) - 1 })	/* string literal, without NUL */

struct slice slice_str(const char *s);			/* NULL gives an empty slice */
struct slice slice_of(const void *p, size_t n);
bool slice_eq(struct slice a, struct slice b);		/* not constant time: public data only */
bool slice_eqs(struct slice a, const char *s);
struct slice slice_trim(struct slice s);		/* without leading and trailing ASCII white space */
bool mem_eq_ct(const void *a, const void *b, size_t n);	/* constant time in the contents */
void mem_wipe(void *p, size_t n);			/* not optimised away */

#define BUF_DEFAULT_MAX ((size_t)64 << 20)

/* Sticky like a cursor: once 'bad' (out of memory, or over max) later writes are dropped and the
 * caller asks once, with buf_check.  The bytes are always followed by a NUL that is not counted, so
 * (char *)b.p is a C string when the content has none inside (b.p is NULL while empty: use buf_cstr). */
struct buf {
	uint8_t *p;
	size_t n, cap, max;	/* max 0 means BUF_DEFAULT_MAX */
	bool bad;
};
#define AUTO_BUF __attribute__((cleanup(buf_free))) struct buf

void buf_free(struct buf *b);				/* may run twice; does not wipe (see secret.h) */
void buf_reset(struct buf *b);				/* empty, memory kept, 'bad' cleared */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_slice(struct buf *b, struct slice s);
void buf_byte(struct buf *b, uint8_t v);
void buf_fill(struct buf *b, uint8_t v, size_t n);
void buf_le16(struct buf *b, uint16_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_hex(struct buf *b, struct slice s);		/* lower case */
uint8_t *buf_grow(struct buf *b, size_t n);		/* n more bytes, zeroed, already counted; NULL when bad */
int buf_check(const struct buf *b, struct err *e);	/* 0, or -1 with the reason */
struct slice buf_view(const struct buf *b);		/* valid until the next write */
const char *buf_cstr(const struct buf *b);		/* "" when empty */
void buf_move(struct buf *to, struct buf *from);	/* frees 'to', leaves 'from' empty */

#define AUTO_STR __attribute__((cleanup(str_free))) char
void str_free(char **s);
char *str_dup(const char *s, struct err *e);		/* NULL on failure; free() by the caller */
char *str_ndup(const void *p, size_t n, struct err *e);	/* fails on a NUL byte inside (EC_FORMAT) */
char *str_printf(struct err *e, const char *fmt, ...) PRINTF(2, 3);

#endif
