/* SPDX-License-Identifier: Apache-2.0 */
/* See cursor.h. */

#include "base/cursor.h"

struct rd rd_of(struct slice s)
{
	static const uint8_t nothing;

	return s.p ? (struct rd){ s.p, s.p + s.n, false } : (struct rd){ &nothing, &nothing, s.n != 0 };
}

size_t rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

struct slice rd_take(struct rd *r, size_t n)
{
	if (r->bad || n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return (struct slice){ NULL, 0 };
	}
	r->p += n;
	return (struct slice){ r->p - n, n };
}

struct slice rd_rest(struct rd *r)
{
	return rd_take(r, rd_left(r));
}

void rd_copy(struct rd *r, void *ret, size_t n)
{
	const struct slice s = rd_take(r, n);

	if (s.n)
		memcpy(ret, s.p, n);
	else if (n)
		memset(ret, 0, n);
}

void rd_skip(struct rd *r, size_t n)
{
	rd_take(r, n);
}

static uint64_t number(struct rd *r, unsigned n, bool big)
{
	const struct slice s = rd_take(r, n);
	uint64_t v = 0;

	for (unsigned i = 0; i < s.n; i++)
		v |= (uint64_t)s.p[i] << (8 * (big ? n - 1 - i : i));
	return v;
}

uint8_t rd_u8(struct rd *r) { return (uint8_t)number(r, 1, false); }
uint16_t rd_le16(struct rd *r) { return (uint16_t)number(r, 2, false); }
uint32_t rd_le32(struct rd *r) { return (uint32_t)number(r, 4, false); }
uint64_t rd_le64(struct rd *r) { return number(r, 8, false); }
uint16_t rd_be16(struct rd *r) { return (uint16_t)number(r, 2, true); }
uint32_t rd_be32(struct rd *r) { return (uint32_t)number(r, 4, true); }
uint64_t rd_be64(struct rd *r) { return number(r, 8, true); }

static uint64_t load(const void *p, unsigned n, bool big)
{
	struct rd r = rd_of(slice_of(p, n));

	return number(&r, n, big);
}

uint16_t get_le16(const void *p) { return (uint16_t)load(p, 2, false); }
uint32_t get_le32(const void *p) { return (uint32_t)load(p, 4, false); }
uint64_t get_le64(const void *p) { return load(p, 8, false); }
uint32_t get_be32(const void *p) { return (uint32_t)load(p, 4, true); }
uint64_t get_be64(const void *p) { return load(p, 8, true); }

void put_be32(void *p, uint32_t v)
{
	uint8_t *b = p;

	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> (24 - 8 * i));
}

void put_be64(void *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32((uint8_t *)p + 4, (uint32_t)v);
}

bool rd_line(struct rd *r, struct slice *line)
{
	const uint8_t *nl;
	size_t n = rd_left(r);

	if (!n)
		return false;
	nl = memchr(r->p, '\n', n);
	*line = (struct slice){ r->p, nl ? (size_t)(nl - r->p) : n };
	r->p += line->n + (nl != NULL);
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

int parse_u64(uint64_t *ret, const char *s, uint64_t max, struct err *e)
{
	uint64_t v = 0;

	if (!*s)
		return err_set(e, EC_USAGE, "'' is not a number");
	for (const char *p = s; *p; p++) {
		if (*p < '0' || *p > '9')
			return err_set(e, EC_USAGE, "'%.40s' is not a decimal number", s);
		if (v > (UINT64_MAX - (uint64_t)(*p - '0')) / 10)
			return err_set(e, EC_USAGE, "'%.40s' is too large", s);
		v = v * 10 + (uint64_t)(*p - '0');
	}
	if (v > max)
		return err_set(e, EC_USAGE, "'%.40s' is too large, at most %llu", s, (unsigned long long)max);
	*ret = v;
	return 0;
}

int parse_size(uint64_t *ret, const char *s, uint64_t max, struct err *e)
{
	static const char units[] = "KMGT";
	char digits[24];
	const size_t n = strlen(s);
	const char *unit = n ? strchr(units, s[n - 1]) : NULL;
	const unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	const size_t n_digits = n - (unit != NULL);
	uint64_t v;

	if (n_digits >= sizeof digits)
		return err_set(e, EC_USAGE, "'%.40s' is too large", s);
	memcpy(digits, s, n_digits);
	digits[n_digits] = 0;
	if (parse_u64(&v, digits, UINT64_MAX, e))
		return err_set(e, EC_USAGE, "'%.40s' is not a size, wanted digits and K, M, G or T", s);
	if (v > max >> shift)
		return err_set(e, EC_USAGE, "'%.40s' is too large, at most %llu", s, (unsigned long long)max);
	*ret = v << shift;
	return 0;
}
