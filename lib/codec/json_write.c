/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: in the order of insertion, or canonical (RFC 8785). */

#include "codec/json_int.h"

struct writer {
	struct buf *out;
	bool pretty, canonical;
	struct err *e;
};

static int node(const struct writer *w, const cJSON *j, unsigned depth);

/* ECMAScript Number::toString: k digits, the point behind n of them. */
static void layout(char ret[static 48], bool minus, const char *digits, int k, int n)
{
	const char *sign = minus ? "-" : "";

	if (k <= n && n <= 21)
		snprintf(ret, 48, "%s%s%.*s", sign, digits, n - k, "000000000000000000000");
	else if (n > 0 && n <= 21)
		snprintf(ret, 48, "%s%.*s.%s", sign, n, digits, digits + n);
	else if (n > -6 && n <= 0)
		snprintf(ret, 48, "%s0.%.*s%s", sign, -n, "00000", digits);
	else
		snprintf(ret, 48, "%s%c%s%se%+d", sign, digits[0], k > 1 ? "." : "", digits + 1, n - 1);
}

void json_real_text(char ret[static 48], double v)
{
	char sci[40], digits[20];
	int k = 0, exponent;
	const char *p = sci;

	if (v == 0) {		/* also -0 */
		snprintf(ret, 48, "0");
		return;
	}
	for (int precision = 0; precision < 17; precision++) {
		snprintf(sci, sizeof sci, "%.*e", precision, v);
		if (strtod(sci, NULL) == v)
			break;
	}
	for (p += *p == '-'; *p && *p != 'e'; p++)
		if (*p != '.' && k < 18)
			digits[k++] = *p;
	digits[k] = 0;
	exponent = (int)strtol(p + (*p == 'e'), NULL, 10);
	layout(ret, v < 0, digits, k, exponent + 1);
}

/* Bytes of the UTF-8 sequence at s if it is a control character or turns the reading direction of a terminal; 0 otherwise. */
static size_t control(const uint8_t *s)
{
	if (s[0] == 0x7f)
		return 1;
	if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
		return 2;
	if (s[0] == 0xe2 && ((s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
			     (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)))
		return 3;
	return 0;
}

static unsigned code_point(const uint8_t *s, size_t n)
{
	return n == 1 ? s[0] : n == 2 ? (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu) :
	       (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
}

/* RFC 8785 knows only the escapes it must have; what people see on a terminal has no raw control characters. */
static void string(const struct writer *w, const char *s)
{
	static const char short_form[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };

	buf_byte(w->out, '"');
	for (; *s; s++) {
		const uint8_t c = (uint8_t)*s;
		const size_t n = w->canonical ? 0 : control((const uint8_t *)s);

		if (n) {
			buf_printf(w->out, "\\u%04x", code_point((const uint8_t *)s, n));
			s += n - 1;
		} else if (c == '"' || c == '\\') {
			buf_printf(w->out, "\\%c", c);
		} else if (c < sizeof short_form && short_form[c]) {
			buf_printf(w->out, "\\%c", short_form[c]);
		} else if (c < 0x20) {
			buf_printf(w->out, "\\u%04x", c);
		} else {
			buf_byte(w->out, c);
		}
	}
	buf_byte(w->out, '"');
}

static int number(const struct writer *w, const cJSON *j)
{
	char text[48];

	if (!j->valuestring)
		return err_set(w->e, EC_BUG, "JSON number without its text");
	if (!w->canonical) {
		buf_puts(w->out, j->valuestring);
		return 0;
	}
	json_real_text(text, strtod(j->valuestring, NULL));
	buf_puts(w->out, text);
	return 0;
}

static void line(const struct writer *w, unsigned depth)
{
	if (!w->pretty)
		return;
	buf_byte(w->out, '\n');
	buf_fill(w->out, ' ', (size_t)2 * depth);
}

static int member(const struct writer *w, const cJSON *c, bool named, bool first, unsigned depth)
{
	if (!first)
		buf_byte(w->out, ',');
	line(w, depth);
	if (named) {
		string(w, c->string);
		buf_puts(w->out, w->pretty ? ": " : ":");
	}
	return node(w, c, depth);
}

/* Order of UTF-16 code units (RFC 8785 section 3.2.3).  It is the order of UTF-8 bytes, but for U+E000..U+FFFF (first
 * byte 0xee, 0xef), which stand behind the surrogates that make up all higher characters (first byte 0xf0..0xf4). */
static int cmp_utf16(const void *pa, const void *pb)
{
	const cJSON *const *a = pa, *const *b = pb;
	const uint8_t *x = (const uint8_t *)(*a)->string, *y = (const uint8_t *)(*b)->string;

	while (*x && *x == *y)
		x++, y++;
	if (*x >= 0xee && *y >= 0xee && (*x >= 0xf0) != (*y >= 0xf0))
		return *x >= 0xf0 ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

static int sorted_members(const struct writer *w, const cJSON *obj, unsigned depth)
{
	const cJSON **v;
	size_t n = 0, i = 0;
	int rc = 0;

	for (const cJSON *c = obj->child; c; c = c->next)
		n++;
	v = calloc(n + 1, sizeof *v);
	if (!v)
		return err_oom(w->e);
	for (const cJSON *c = obj->child; c; c = c->next)
		v[i++] = c;
	qsort(v, n, sizeof *v, cmp_utf16);
	for (i = 0; i < n && rc == 0; i++)
		rc = member(w, v[i], true, i == 0, depth);
	free(v);
	return rc;
}

static int container(const struct writer *w, const cJSON *j, unsigned depth)
{
	const bool named = cJSON_IsObject(j);

	buf_byte(w->out, named ? '{' : '[');
	if (named && w->canonical) {
		if (sorted_members(w, j, depth + 1))
			return -1;
	} else {
		for (const cJSON *c = j->child; c; c = c->next)
			if (member(w, c, named, c == j->child, depth + 1))
				return -1;
	}
	if (j->child)
		line(w, depth);
	buf_byte(w->out, named ? '}' : ']');
	return 0;
}

static int node(const struct writer *w, const cJSON *j, unsigned depth)
{
	if (j->type & JSON_BROKEN)
		return err_oom(w->e);
	if (depth > 2 * JSON_MAX_DEPTH)
		return err_set(w->e, EC_BUG, "JSON to be written is nested deeper than %d", 2 * JSON_MAX_DEPTH);
	if (cJSON_IsObject(j) || cJSON_IsArray(j))
		return container(w, j, depth);
	if (cJSON_IsNumber(j))
		return number(w, j);
	if (cJSON_IsString(j))
		string(w, j->valuestring);
	else if (cJSON_IsBool(j))
		buf_puts(w->out, cJSON_IsTrue(j) ? "true" : "false");
	else
		buf_puts(w->out, "null");
	return 0;
}

static int write_with(struct buf *ret, const struct json *j, bool pretty, bool canonical, struct err *e)
{
	AUTO_BUF text = { .max = ret->max };
	const struct writer w = { &text, pretty, canonical, e };

	if (!j)
		return err_oom(e);	/* json_object() had no memory */
	if (node(&w, cj(j), 0) || buf_check(&text, e))
		return -1;
	buf_slice(ret, buf_view(&text));
	return buf_check(ret, e);
}

int json_write(struct buf *ret, const struct json *j, bool pretty, struct err *e)
{
	return write_with(ret, j, pretty, false, e);
}

int json_canonical(struct buf *ret, const struct json *j, struct err *e)
{
	return write_with(ret, j, false, true, e);
}
