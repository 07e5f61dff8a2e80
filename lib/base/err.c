/* SPDX-License-Identifier: Apache-2.0 */
/* See err.h. */

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* Length of the valid UTF-8 sequence at p (n bytes left) that is not a control character, 0 if there is none. */
static size_t printable(const uint8_t *p, size_t n)
{
	const uint8_t c = p[0];
	size_t len;
	uint32_t cp;

	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
	if (!len || len > n || c > 0xf4)
		return 0;
	cp = c & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && cp < 0x800) || (len == 4 && (cp < 0x10000 || cp > 0x10ffff)) || (cp >= 0xd800 && cp < 0xe000) ||
	    cp < 0xa0 || (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069))
		return 0;	/* C1 controls, and what would turn the reading direction of a terminal */
	return len;
}

/* Copies text so that it is safe on a terminal and in JSON: other bytes become \xNN. */
static void escape(char *ret, size_t size, const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text), at = 0;

	while (left) {
		const size_t n = printable(p, left);

		if (at + (n ? n : 4) >= size)
			break;
		if (n) {
			memcpy(ret + at, p, n);
			at += n;
		} else {
			at += (size_t)snprintf(ret + at, size - at, "\\x%02x", *p);
		}
		p += n ? n : 1;
		left -= n ? n : 1;
	}
	ret[at] = 0;
}

static void format(char *ret, size_t size, const char *fmt, va_list ap)
{
	char raw[1024];

	vsnprintf(raw, sizeof raw, fmt, ap);
	escape(ret, size, raw);
}

int err_set(struct err *e, enum ec code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->code = code;
	e->hint[0] = 0;
	va_start(ap, fmt);
	format(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, enum ec code, const char *fmt, ...)
{
	const int no = errno;
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(e, code, "%s: %s", text, strerror(no));
	errno = no;
	return -1;
}

int err_ctx(struct err *e, const char *fmt, ...)
{
	char head[400], all[sizeof e->msg];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	format(head, sizeof head, fmt, ap);
	va_end(ap);
	snprintf(all, sizeof all, "%s: %.*s", head, (int)(sizeof all - strlen(head) - 3), e->msg);
	memcpy(e->msg, all, sizeof all);
	if (e->code == EC_OK)
		e->code = EC_BUG;
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->hint[0])
		return -1;
	va_start(ap, fmt);
	format(e->hint, sizeof e->hint, fmt, ap);
	va_end(ap);
	return -1;
}

int err_oom(struct err *e)
{
	return err_set(e, EC_IO, "out of memory");
}
