/* SPDX-License-Identifier: Apache-2.0 */
/* The strict gate in front of cJSON, which by itself lets pass: a byte order mark, control bytes in strings, broken
 * UTF-8, lone surrogates, \u0000, leading zeros, text behind the value. */

#include "codec/json_int.h"

struct scan {
	const uint8_t *start, *p, *end;
	const char *why;		/* NULL: good so far */
	unsigned depth;
	size_t values, most;
	struct buf *numbers;
};

static bool value(struct scan *s);

static bool fail(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static int peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : -1;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static void space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

size_t utf8_length(const uint8_t *p, size_t n)
{
	size_t len;
	uint8_t low = 0x80, high = 0xbf;	/* bounds of the second byte */

	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (n < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* Four hex digits behind \u; -1 if they are not. */
static int32_t hex4(struct scan *s)
{
	int32_t v = 0;

	if (s->end - s->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const int c = *s->p++;
		int d;

		if (is_digit(c))
			d = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			d = (c | 0x20) - 'a' + 10;
		else
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static bool unicode_escape(struct scan *s)
{
	const int32_t u = hex4(s);
	int32_t low;

	if (u < 0)
		return fail(s, "\\u needs four hex digits");
	if (u == 0)
		return fail(s, "\\u0000 in a string is not allowed");
	if (u >= 0xdc00 && u <= 0xdfff)
		return fail(s, "second half of a surrogate pair without the first");
	if (u < 0xd800 || u > 0xdbff)
		return true;
	if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
		return fail(s, "first half of a surrogate pair without the second");
	s->p += 2;
	low = hex4(s);
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, "first half of a surrogate pair without the second");
	return true;
}

static bool escape(struct scan *s)
{
	const int c = peek(s);

	if (c < 0)
		return fail(s, "text ends inside a string");
	s->p++;
	switch (c) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		return true;
	case 'u':
		return unicode_escape(s);
	default:
		return fail(s, "unknown escape in a string");
	}
}

static bool string(struct scan *s)
{
	if (peek(s) != '"')
		return fail(s, "wanted a string in double quotes");
	s->p++;
	for (;;) {
		const int c = peek(s);
		size_t n;

		if (c < 0)
			return fail(s, "text ends inside a string");
		if (c == '"') {
			s->p++;
			return true;
		}
		if (c < 0x20)
			return fail(s, "control byte in a string");
		if (c == '\\') {
			s->p++;
			if (!escape(s))
				return false;
			continue;
		}
		n = utf8_length(s->p, (size_t)(s->end - s->p));
		if (n == 0)
			return fail(s, "string is not valid UTF-8");
		s->p += n;
	}
}

static bool digits(struct scan *s)
{
	if (!is_digit(peek(s)))
		return fail(s, "wanted a digit");
	while (is_digit(peek(s)))
		s->p++;
	return true;
}

static bool number(struct scan *s)
{
	const uint8_t *from = s->p;
	struct json_span span;

	if (peek(s) == '-')
		s->p++;
	if (peek(s) == '0') {
		s->p++;
		if (is_digit(peek(s)))
			return fail(s, "number with a leading zero");
	} else if (!digits(s)) {
		return false;
	}
	if (peek(s) == '.') {
		s->p++;
		if (!digits(s))
			return false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->p++;
		if (peek(s) == '+' || peek(s) == '-')
			s->p++;
		if (!digits(s))
			return false;
	}
	span = (struct json_span){ (size_t)(from - s->start), (size_t)(s->p - from) };
	if (span.n > JSON_MAX_NUMBER)
		return fail(s, "number is longer than 63 characters");
	buf_put(s->numbers, &span, sizeof span);
	return true;
}

static bool word(struct scan *s, struct slice w)
{
	if ((size_t)(s->end - s->p) < w.n || memcmp(s->p, w.p, w.n))
		return fail(s, "wanted a value");
	s->p += w.n;
	return true;
}

/* Behind the opening bracket. */
static bool members(struct scan *s, char close, bool named)
{
	space(s);
	if (peek(s) == close) {
		s->p++;
		return true;
	}
	for (;;) {
		space(s);
		if (named) {
			if (!string(s))
				return false;
			space(s);
			if (peek(s) != ':')
				return fail(s, "wanted ':' behind the member name");
			s->p++;
		}
		if (!value(s))
			return false;
		space(s);
		if (peek(s) == close) {
			s->p++;
			return true;
		}
		if (peek(s) != ',')
			return fail(s, named ? "wanted ',' or '}'" : "wanted ',' or ']'");
		s->p++;
	}
}

static bool container(struct scan *s, char close, bool named)
{
	bool good;

	if (s->depth >= JSON_MAX_DEPTH)
		return fail(s, "nested deeper than 64");
	s->depth++;
	s->p++;
	good = members(s, close, named);
	s->depth--;
	return good;
}

static bool value(struct scan *s)
{
	space(s);
	if (s->values++ == s->most)
		return fail(s, "more values than any document here has");
	switch (peek(s)) {
	case -1:
		return fail(s, "text ends where a value should be");
	case '{':
		return container(s, '}', true);
	case '[':
		return container(s, ']', false);
	case '"':
		return string(s);
	case 't':
		return word(s, SLICE("true"));
	case 'f':
		return word(s, SLICE("false"));
	case 'n':
		return word(s, SLICE("null"));
	default:
		if (is_digit(peek(s)) || peek(s) == '-')
			return number(s);
		return fail(s, "wanted a value");
	}
}

int json_scan(struct buf *numbers, struct slice text, size_t most, struct err *e)
{
	struct scan s = { .start = text.p, .p = text.p, .most = most, .numbers = numbers };
	size_t line = 1, column = 1;

	if (text.n == 0)
		return err_set(e, EC_FORMAT, "JSON text is empty");
	s.end = text.p + text.n;
	if (value(&s)) {
		space(&s);
		if (s.p == s.end)
			return buf_check(numbers, e);
		fail(&s, "text goes on behind the value");
	}
	for (const uint8_t *q = s.start; q < s.p; q++) {
		column = *q == '\n' ? 1 : column + 1;
		line += *q == '\n';
	}
	return err_set(e, EC_FORMAT, "JSON line %zu, column %zu: %s", line, column, s.why);
}
