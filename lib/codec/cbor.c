/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR: see cbor.h.  One recursive walk decides whether an item is well formed; all readers go through it. */

#include "codec/cbor.h"

struct walk {
	struct rd r;
	const char *why;		/* the first thing that is wrong, and where */
	const uint8_t *at;
};

static bool wrong(struct walk *w, const uint8_t *at, const char *why)
{
	if (!w->why) {
		w->why = why;
		w->at = at;
	}
	w->r.bad = true;
	return false;
}

static bool utf8_ok(struct slice s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	for (size_t i = 0; i < s.n;) {
		const uint8_t c = s.p[i];
		const size_t n = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : (c & 0xf8) == 0xf0 ? 4 : 0;
		uint32_t v = n == 1 ? c : n ? (uint32_t)(c & (0x7f >> n)) : 0;

		if (n == 0 || n > s.n - i)
			return false;
		for (size_t k = 1; k < n; k++) {
			if ((s.p[i + k] & 0xc0) != 0x80)
				return false;
			v = v << 6 | (s.p[i + k] & 0x3f);
		}
		if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
			return false;
		i += n;
	}
	return true;
}

/* Head: major type, and its number.  more: 31, "indefinite" or "break". */
static bool head(struct walk *w, unsigned *major, unsigned *info, uint64_t *n, bool *more)
{
	const uint8_t *at = w->r.p;
	const uint8_t b = rd_u8(&w->r);
	static const uint64_t least[] = { 24, 0x100, 0x10000, UINT64_C(0x100000000) };

	*major = b >> 5;
	*info = b & 31;
	*more = *info == 31;
	*n = *info;
	if (*info >= 24 && *info <= 27) {
		*n = *info == 24 ? rd_u8(&w->r) : *info == 25 ? rd_be16(&w->r) : *info == 26 ? rd_be32(&w->r) : rd_be64(&w->r);
		if (w->r.bad)
			return wrong(w, at, "ends inside an item");
		if (*major != 7 && *n < least[*info - 24])
			return wrong(w, at, "a number is written longer than needed");
	}
	if (w->r.bad)
		return wrong(w, at, "ends where an item was announced");
	if (*info > 27 && *info < 31)
		return wrong(w, at, "reserved length code");
	return true;
}

static bool item(struct walk *w, struct cbor *ret, unsigned depth, bool *is_break);

static bool one(struct walk *w, struct cbor *ret, unsigned depth)
{
	return item(w, ret, depth, NULL);
}

static bool string(struct walk *w, const uint8_t *at, struct cbor *c, bool more)
{
	if (more)
		return wrong(w, at, "a string in chunks");
	if (c->n > rd_left(&w->r))
		return wrong(w, at, "a string is longer than what is left");
	c->body = rd_take(&w->r, (size_t)c->n);
	if (c->type == CBOR_TEXT && !utf8_ok(c->body))
		return wrong(w, at, "text is not UTF-8");
	return true;
}

/* Items of an array until n, or until the break. */
static bool array(struct walk *w, struct cbor *c, bool more, unsigned depth)
{
	struct cbor in;
	uint64_t i = 0;

	if (!more && c->n > rd_left(&w->r))
		return wrong(w, w->r.p, "an array has more elements than there are bytes left");
	for (bool end = false; more || i < c->n; i++) {
		if (!item(w, &in, depth + 1, more ? &end : NULL))
			return false;
		if (end)
			break;
	}
	c->n = i;
	return true;
}

static bool map(struct walk *w, struct cbor *c, bool more, unsigned depth)
{
	struct slice keys[CBOR_PAIRS];
	struct cbor in;
	size_t i = 0;

	if (!more && c->n > CBOR_PAIRS)
		return wrong(w, w->r.p, "a map has too many pairs");
	for (bool end = false; more || i < c->n; i++) {
		if (!item(w, &in, depth + 1, more ? &end : NULL))
			return false;
		if (end)
			break;
		if (i == CBOR_PAIRS)
			return wrong(w, in.all.p, "a map has too many pairs");
		for (size_t k = 0; k < i; k++)
			if (slice_eq(keys[k], in.all))
				return wrong(w, in.all.p, "a map holds a key twice");
		keys[i] = in.all;
		if (!one(w, &in, depth + 1))
			return false;
	}
	c->n = i;
	return true;
}

static bool simple(struct walk *w, const uint8_t *at, struct cbor *c, unsigned info)
{
	c->type = info >= 25 ? CBOR_FLOAT : CBOR_SIMPLE;
	if (info == 24 && c->n < 32)
		return wrong(w, at, "a simple value is written longer than needed");
	return true;
}

static bool inside(struct walk *w, struct cbor *ret, bool more, unsigned depth)
{
	const uint8_t *from = w->r.p;
	struct cbor in;
	bool ok;

	if (depth == CBOR_DEPTH)
		return wrong(w, from, "nested too deep");
	if (ret->type == CBOR_TAG && more)
		return wrong(w, from, "a tag without a number");
	ok = ret->type == CBOR_TAG ? one(w, &in, depth + 1) : ret->type == CBOR_ARRAY ? array(w, ret, more, depth) : map(w, ret, more, depth);
	ret->body = slice_of(from, (size_t)(w->r.p - from) - (ok && more ? 1 : 0));	/* without the break */
	return ok;
}

/* is_break: a break may stand here instead of an item; then it says so, and true is returned. */
static bool item(struct walk *w, struct cbor *ret, unsigned depth, bool *is_break)
{
	const uint8_t *at = w->r.p;
	unsigned major, info;
	struct cbor c = { 0 };
	bool more, ok = true;

	if (!head(w, &major, &info, &c.n, &more))
		return false;
	c.type = (enum cbor_type)major;
	if (major == 7 && more) {
		if (!is_break)
			return wrong(w, at, "a break where an item has to be");
		*is_break = true;
		return true;
	}
	if (major <= 1 && more)
		return wrong(w, at, "an integer without a value");
	if (major == 2 || major == 3)
		ok = string(w, at, &c, more);
	else if (major >= 4 && major <= 6)
		ok = inside(w, &c, more, depth);
	else if (major == 7)
		ok = simple(w, at, &c, info);
	c.all = slice_of(at, (size_t)(w->r.p - at));
	if (ok)
		*ret = c;
	return ok;
}

bool cbor_next(struct rd *r, struct cbor *ret)
{
	struct walk w = { .r = *r };

	if (r->bad || rd_left(r) == 0)
		return false;
	if (!one(&w, ret, 0)) {
		r->bad = true;
		return false;
	}
	*r = w.r;
	return true;
}

int cbor_parse(struct cbor *ret, struct slice in, struct err *e)
{
	struct walk w = { .r = rd_of(in) };
	struct cbor c;

	if (in.n == 0)
		return err_set(e, EC_FORMAT, "CBOR is empty");
	if (!one(&w, &c, 0))
		return err_set(e, EC_FORMAT, "not CBOR as wanted here: at byte %zu of %zu: %s", (size_t)(w.at - in.p), in.n, w.why);
	if (rd_left(&w.r))
		return err_set(e, EC_FORMAT, "%zu bytes behind the CBOR item", rd_left(&w.r));
	*ret = c;
	return 0;
}

struct rd cbor_open(const struct cbor *c)
{
	if (c->type == CBOR_ARRAY || c->type == CBOR_MAP || c->type == CBOR_TAG)
		return rd_of(c->body);
	return rd_of((struct slice){ 0 });
}

bool cbor_int(const struct cbor *c, int64_t *ret)
{
	if ((c->type != CBOR_UINT && c->type != CBOR_NEGATIVE) || c->n > INT64_MAX)
		return false;
	*ret = c->type == CBOR_UINT ? (int64_t)c->n : -1 - (int64_t)c->n;
	return true;
}

bool cbor_find(const struct cbor *m, int64_t key, struct cbor *ret)
{
	struct rd r = cbor_open(m);
	struct cbor k, v;
	int64_t n;

	if (m->type != CBOR_MAP)
		return false;
	while (cbor_next(&r, &k) && cbor_next(&r, &v))
		if (cbor_int(&k, &n) && n == key) {
			*ret = v;
			return true;
		}
	return false;
}

bool cbor_untag(struct cbor *c, uint64_t tag)
{
	struct rd r = cbor_open(c);
	struct cbor in;

	if (c->type != CBOR_TAG || c->n != tag || !cbor_next(&r, &in))
		return false;
	*c = in;
	return true;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

void cbor_put_head(struct buf *b, enum cbor_type t, uint64_t n)
{
	const uint8_t major = (uint8_t)((unsigned)t << 5);

	if (n < 24) {
		buf_byte(b, (uint8_t)(major | n));
	} else if (n <= UINT8_MAX) {
		buf_byte(b, major | 24);
		buf_byte(b, (uint8_t)n);
	} else if (n <= UINT16_MAX) {
		buf_byte(b, major | 25);
		buf_be16(b, (uint16_t)n);
	} else if (n <= UINT32_MAX) {
		buf_byte(b, major | 26);
		buf_be32(b, (uint32_t)n);
	} else {
		buf_byte(b, major | 27);
		buf_be64(b, n);
	}
}

void cbor_put_int(struct buf *b, int64_t v)
{
	cbor_put_head(b, v < 0 ? CBOR_NEGATIVE : CBOR_UINT, v < 0 ? (uint64_t)(-1 - v) : (uint64_t)v);
}

void cbor_put_bytes(struct buf *b, struct slice s)
{
	cbor_put_head(b, CBOR_BYTES, s.n);
	buf_slice(b, s);
}

void cbor_put_text(struct buf *b, const char *s)
{
	cbor_put_head(b, CBOR_TEXT, strlen(s));
	buf_puts(b, s);
}
