/* SPDX-License-Identifier: Apache-2.0 */
/* See der.h. */

#include "codec/der.h"

#include "base/host.h"

/* Length octets (X.690 8.1.3, 10.1): short form below 128, else the fewest bytes; no indefinite form. */
static size_t length(struct rd *r)
{
	const uint8_t first = rd_u8(r);
	size_t n = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x84) {
		r->bad = true;
		return 0;
	}
	for (int i = 0; i < (first & 0x7f); i++) {
		n = n << 8 | rd_u8(r);
		if (n == 0)
			r->bad = true;		/* leading zero */
	}
	if (n < 0x80)
		r->bad = true;
	return n;
}

bool der_next(struct rd *r, struct der *ret)
{
	struct rd w = *r;
	struct der d;

	if (r->bad || rd_left(r) == 0)
		return false;
	d.tag = rd_u8(&w);
	if ((d.tag & 0x1f) == 0x1f)
		w.bad = true;			/* tags of more bytes do not occur in what we read */
	d.body = rd_take(&w, length(&w));
	if (w.bad) {
		r->bad = true;
		return false;
	}
	d.all = slice_of(r->p, (size_t)(w.p - r->p));
	*r = w;
	*ret = d;
	return true;
}

bool der_peek(const struct rd *r, unsigned tag)
{
	return !r->bad && rd_left(r) && *r->p == tag;
}

struct der der_take(struct rd *r, unsigned tag)
{
	struct der d = { 0 };

	if (!der_peek(r, tag) || !der_next(r, &d)) {
		r->bad = true;
		return (struct der){ 0 };
	}
	return d;
}

struct rd der_open(struct rd *r, unsigned tag)
{
	struct rd ret = rd_of(der_take(r, tag).body);

	ret.bad = r->bad;
	return ret;
}

bool der_done(const struct rd *r)
{
	return !r->bad && rd_left(r) == 0;
}

bool der_is_one(struct slice s)
{
	struct rd r = rd_of(s);
	struct der d;

	return der_next(&r, &d) && der_done(&r);
}

static struct slice integer(struct rd *r)	/* body of a well-formed INTEGER (X.690 8.3) */
{
	const struct slice b = der_take(r, DER_INTEGER).body;

	if (!r->bad && (b.n == 0 || (b.n > 1 && ((b.p[0] == 0 && b.p[1] < 0x80) || (b.p[0] == 0xff && b.p[1] >= 0x80)))))
		r->bad = true;
	return r->bad ? (struct slice){ NULL, 0 } : b;
}

struct slice der_uint(struct rd *r)
{
	struct slice b = integer(r);

	if (!r->bad && b.p[0] >= 0x80)
		r->bad = true;
	if (r->bad)
		return (struct slice){ NULL, 0 };
	if (b.n > 1 && b.p[0] == 0)
		b.p++, b.n--;
	return b;
}

bool der_small(struct rd *r, uint32_t *ret)
{
	const struct slice b = der_uint(r);
	uint32_t v = 0;

	if (r->bad || b.n > 4 || (b.n == 4 && b.p[0] >= 0x80)) {
		r->bad = true;
		return false;
	}
	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	*ret = v;
	return true;
}

struct slice der_bits(struct rd *r)
{
	struct slice b = der_take(r, DER_BIT_STRING).body;

	if (r->bad || b.n == 0 || b.p[0] != 0) {
		r->bad = true;
		return (struct slice){ NULL, 0 };
	}
	return slice_of(b.p + 1, b.n - 1);
}

bool der_bool(struct rd *r)
{
	const struct slice b = der_take(r, DER_BOOLEAN).body;

	if (r->bad || b.n != 1 || (b.p[0] != 0 && b.p[0] != 0xff)) {
		r->bad = true;
		return false;
	}
	return b.p[0] != 0;
}

/* --- time ---------------------------------------------------------------------------------------------- */

static int two(struct rd *r, int low, int high)
{
	const int a = rd_u8(r) - '0', b = rd_u8(r) - '0', v = a * 10 + b;

	if (a < 0 || a > 9 || b < 0 || b > 9 || v < low || v > high) {
		r->bad = true;
		return low;
	}
	return v;
}

static int days_in(int year, int month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

int64_t der_time(struct rd *r)
{
	const bool general = der_peek(r, DER_GENERAL_TIME);
	struct rd t = der_open(r, general ? DER_GENERAL_TIME : DER_UTC_TIME);
	int year, month, day, hour, min, sec;

	year = two(&t, 0, 99);
	if (general)
		year = year * 100 + two(&t, 0, 99);
	else
		year += year < 50 ? 2000 : 1900;
	month = two(&t, 1, 12);
	day = two(&t, 1, days_in(year, month));
	hour = two(&t, 0, 23);
	min = two(&t, 0, 59);
	sec = two(&t, 0, 59);
	if (rd_u8(&t) != 'Z' || !der_done(&t) || year < 1) {
		r->bad = true;
		return 0;
	}
	return time_from_civil(year, month, day, hour, min, sec);
}

/* --- object identifiers -------------------------------------------------------------------------------- */

static void put_arc(struct buf *ret, uint64_t v)
{
	int shift = 63;

	while (shift && !(v >> shift))
		shift -= 7;
	for (; shift; shift -= 7)
		buf_byte(ret, (uint8_t)(0x80 | (v >> shift & 0x7f)));
	buf_byte(ret, (uint8_t)(v & 0x7f));
}

static bool arc(const char **p, uint64_t *ret)
{
	uint64_t v = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(**p - '0'), &v))
			return false;
	*ret = v;
	return true;
}

/* X.690 8.19: the first two numbers share an arc. */
static bool oid_body(struct buf *ret, const char *dotted)
{
	uint64_t a, b;

	if (!arc(&dotted, &a) || *dotted++ != '.' || !arc(&dotted, &b) || a > 2 || b > (a < 2 ? 39 : UINT32_MAX))
		return false;
	put_arc(ret, a * 40 + b);
	while (*dotted) {
		if (*dotted++ != '.' || !arc(&dotted, &a))
			return false;
		put_arc(ret, a);
	}
	return !ret->bad;
}

bool der_oid_is(struct slice oid, const char *dotted)
{
	AUTO_BUF body = { 0 };

	return oid_body(&body, dotted) && slice_eq(oid, buf_view(&body));
}

void der_oid_text(struct buf *ret, struct slice oid)
{
	const size_t before = ret->n;
	uint64_t v = 0;
	bool first = true, inside = false;

	for (size_t i = 0; i < oid.n; i++) {
		if (v >> 57 || (!inside && oid.p[i] == 0x80))	/* too large, or not the shortest form */
			goto malformed;
		v = v << 7 | (oid.p[i] & 0x7f);
		inside = oid.p[i] & 0x80;
		if (inside)
			continue;
		if (first)
			buf_printf(ret, "%d.%llu", v < 80 ? (int)(v / 40) : 2,
				   (unsigned long long)(v < 80 ? v % 40 : v - 80));
		else
			buf_printf(ret, ".%llu", (unsigned long long)v);
		first = false;
		v = 0;
	}
	if (!first && !inside)
		return;
malformed:
	if (ret->n > before)
		ret->n = before;
	buf_puts(ret, "(malformed OID)");
}

/* --- writing ------------------------------------------------------------------------------------------- */

void der_put(struct buf *ret, unsigned tag, struct slice body)
{
	int bytes = 0;

	buf_byte(ret, (uint8_t)tag);
	if (body.n < 0x80) {
		buf_byte(ret, (uint8_t)body.n);
	} else {
		while (body.n >> 8 * bytes)
			bytes++;
		buf_byte(ret, (uint8_t)(0x80 | bytes));
		while (bytes--)
			buf_byte(ret, (uint8_t)(body.n >> 8 * bytes & 0xff));
	}
	buf_slice(ret, body);
}

void der_put_uint(struct buf *ret, struct slice v)
{
	AUTO_BUF body = { 0 };

	while (v.n && v.p[0] == 0)
		v.p++, v.n--;
	if (v.n == 0 || v.p[0] >= 0x80)
		buf_byte(&body, 0);
	buf_slice(&body, v);
	ret->bad |= body.bad;
	der_put(ret, DER_INTEGER, buf_view(&body));
}

void der_put_oid(struct buf *ret, const char *dotted)
{
	AUTO_BUF body = { 0 };

	if (!oid_body(&body, dotted))
		ret->bad = true;
	der_put(ret, DER_OID, buf_view(&body));
}

void der_put_bits(struct buf *ret, struct slice bytes)
{
	AUTO_BUF body = { 0 };

	buf_byte(&body, 0);
	buf_slice(&body, bytes);
	ret->bad |= body.bad;
	der_put(ret, DER_BIT_STRING, buf_view(&body));
}

void der_put_time(struct buf *ret, int64_t t)
{
	static const int64_t year_2050 = INT64_C(2524608000), year_10000 = INT64_C(253402300800);
	const bool general = t >= year_2050;
	AUTO_BUF body = { 0 };
	char text[32];

	if (t < -INT64_C(631152000) || t >= year_10000)	/* before 1950 UTCTime has no way to say it */
		ret->bad = true;
	time_format(text, t);	/* 2026-11-23T17:00:00Z */
	for (const char *p = text + (general ? 0 : 2); *p; p++)
		if (*p != '-' && *p != ':' && *p != 'T')
			buf_byte(&body, (uint8_t)*p);
	ret->bad |= body.bad;
	der_put(ret, general ? DER_GENERAL_TIME : DER_UTC_TIME, buf_view(&body));
}
