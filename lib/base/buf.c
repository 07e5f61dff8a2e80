/* SPDX-License-Identifier: Apache-2.0 */
/* See buf.h. */

#include "base/buf.h"

#include <stdarg.h>

struct slice slice_str(const char *s)
{
	return s ? (struct slice){ (const uint8_t *)s, strlen(s) } : (struct slice){ NULL, 0 };
}

struct slice slice_of(const void *p, size_t n)
{
	return (struct slice){ p, n };
}

bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

bool slice_eqs(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice s)
{
	while (s.n && is_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool mem_eq_ct(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}

void mem_wipe(void *p, size_t n)
{
	if (!n)
		return;
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");	/* the compiler must assume that someone reads it */
}

void buf_free(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
	b->bad = false;
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->bad = false;
	if (b->p)
		b->p[0] = 0;
}

/* Room for n more bytes and the NUL. */
static bool reserve(struct buf *b, size_t n)
{
	const size_t max = b->max ? b->max : BUF_DEFAULT_MAX;
	size_t cap;
	uint8_t *p;

	if (b->bad || n > max || b->n > max - n) {
		b->bad = true;
		return false;
	}
	if (b->p && b->n + n < b->cap)
		return true;
	cap = b->cap ? b->cap : 64;
	while (cap <= b->n + n)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p) {
		b->bad = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

uint8_t *buf_grow(struct buf *b, size_t n)
{
	uint8_t *ret;

	if (!reserve(b, n))
		return NULL;
	ret = b->p + b->n;
	memset(ret, 0, n + 1);
	b->n += n;
	return ret;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_slice(struct buf *b, struct slice s)
{
	buf_put(b, s.p, s.n);
}

void buf_byte(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void buf_fill(struct buf *b, uint8_t v, size_t n)
{
	uint8_t *p = buf_grow(b, n);

	if (p)
		memset(p, v, n);
}

static void put_int(struct buf *b, uint64_t v, unsigned n, bool big)
{
	uint8_t t[8];

	for (unsigned i = 0; i < n; i++)
		t[big ? n - 1 - i : i] = (uint8_t)(v >> (8 * i));
	buf_put(b, t, n);
}

void buf_le16(struct buf *b, uint16_t v) { put_int(b, v, 2, false); }
void buf_le32(struct buf *b, uint32_t v) { put_int(b, v, 4, false); }
void buf_le64(struct buf *b, uint64_t v) { put_int(b, v, 8, false); }
void buf_be16(struct buf *b, uint16_t v) { put_int(b, v, 2, true); }
void buf_be32(struct buf *b, uint32_t v) { put_int(b, v, 4, true); }
void buf_be64(struct buf *b, uint64_t v) { put_int(b, v, 8, true); }

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->bad = true;
	} else if ((size_t)n < sizeof small) {
		buf_put(b, small, (size_t)n);
	} else if (reserve(b, (size_t)n)) {
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_hex(struct buf *b, struct slice s)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		buf_byte(b, (uint8_t)digits[s.p[i] >> 4]);
		buf_byte(b, (uint8_t)digits[s.p[i] & 15]);
	}
}

int buf_check(const struct buf *b, struct err *e)
{
	const size_t max = b->max ? b->max : BUF_DEFAULT_MAX;

	if (!b->bad)
		return 0;
	return err_set(e, EC_IO, "out of memory, or more than the limit of %zu bytes", max);
}

struct slice buf_view(const struct buf *b)
{
	return (struct slice){ b->p, b->n };
}

const char *buf_cstr(const struct buf *b)
{
	return b->p ? (const char *)b->p : "";
}

void buf_move(struct buf *to, struct buf *from)
{
	buf_free(to);
	*to = *from;
	*from = (struct buf){ 0 };
}

void str_free(char **s)
{
	free(*s);
	*s = NULL;
}

char *str_ndup(const void *p, size_t n, struct err *e)
{
	char *ret;

	if (n && memchr(p, 0, n)) {
		err_set(e, EC_FORMAT, "text has a NUL byte inside");
		return NULL;
	}
	ret = malloc(n + 1);
	if (!ret) {
		err_oom(e);
		return NULL;
	}
	if (n)
		memcpy(ret, p, n);
	ret[n] = 0;
	return ret;
}

char *str_dup(const char *s, struct err *e)
{
	return str_ndup(s, strlen(s), e);
}

char *str_printf(struct err *e, const char *fmt, ...)
{
	char *ret = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&ret, fmt, ap);
	va_end(ap);
	if (n < 0) {
		err_oom(e);
		return NULL;
	}
	return ret;
}
