/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR: what is read, and everything that is refused and why. */

#include "codec/cbor.h"
#include "codec/hex64.h"
#include "test.h"

static void unhex(struct buf *b, const char *hex)
{
	WORKS(hex_decode(b, slice_str(hex), &e));
}

TEST(cbor_items_are_read)
{
	/* RFC 8949 appendix A, among others */
	static const struct { const char *hex; enum cbor_type type; uint64_t n; size_t body; } good[] = {
		{ "00", CBOR_UINT, 0, 0 }, { "17", CBOR_UINT, 23, 0 }, { "1818", CBOR_UINT, 24, 0 }, { "1903e8", CBOR_UINT, 1000, 0 },
		{ "1a000f4240", CBOR_UINT, 1000000, 0 }, { "1bffffffffffffffff", CBOR_UINT, UINT64_MAX, 0 },
		{ "20", CBOR_NEGATIVE, 0, 0 }, { "3863", CBOR_NEGATIVE, 99, 0 }, { "40", CBOR_BYTES, 0, 0 },
		{ "4401020304", CBOR_BYTES, 4, 4 }, { "60", CBOR_TEXT, 0, 0 }, { "62c3bc", CBOR_TEXT, 2, 2 },
		{ "64f0908591", CBOR_TEXT, 4, 4 }, { "80", CBOR_ARRAY, 0, 0 }, { "83010203", CBOR_ARRAY, 3, 3 },
		{ "a201020304", CBOR_MAP, 2, 4 }, { "9fff", CBOR_ARRAY, 0, 0 }, { "9f0102ff", CBOR_ARRAY, 2, 2 },
		{ "bf0102ff", CBOR_MAP, 1, 2 }, { "bfff", CBOR_MAP, 0, 0 }, { "c11a514b67b0", CBOR_TAG, 1, 5 },
		{ "f4", CBOR_SIMPLE, 20, 0 }, { "f6", CBOR_SIMPLE, 22, 0 }, { "f8ff", CBOR_SIMPLE, 255, 0 },
		{ "f93c00", CBOR_FLOAT, 0x3c00, 0 }, { "fb3ff199999999999a", CBOR_FLOAT, UINT64_C(0x3ff199999999999a), 0 },
		{ "826161a161626163", CBOR_ARRAY, 2, 7 },
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_BUF b = { 0 };
		struct cbor c = { 0 };

		unhex(&b, good[i].hex);
		WORKS(cbor_parse(&c, buf_view(&b), &e));
		EQ(c.type, good[i].type);
		OK(c.n == good[i].n);
		EQ(c.body.n, good[i].body);
		EQ(c.all.n, b.n);
		for (size_t n = 0; n < b.n; n++)
			FAILS(cbor_parse(&c, slice_of(b.p, n), &e), EC_FORMAT);
		buf_byte(&b, 0);
		FAILS(cbor_parse(&c, buf_view(&b), &e), EC_FORMAT);
	}
}

TEST(cbor_hostile_items_are_refused_and_said_why)
{
	static const struct { const char *hex, *why; } bad[] = {
		{ "1817", "longer than needed" }, { "1900ff", "longer than needed" }, { "1a0000ffff", "longer than needed" },
		{ "1b00000000ffffffff", "longer than needed" }, { "3800", "longer than needed" }, { "580100", "longer than needed" },
		{ "1c", "reserved" }, { "5d", "reserved" }, { "fe", "reserved" }, { "f800", "longer than needed" }, { "f81f", "longer than needed" },
		{ "1f", "without a value" }, { "3f", "without a value" }, { "df00", "without a number" }, { "ff", "a break where" },
		{ "81ff", "a break where" }, { "bf00ff", "a break where" }, { "c1ff", "a break where" },
		{ "5f4100ff", "in chunks" }, { "7f6161ff", "in chunks" },
		{ "5bffffffffffffffff", "longer than what is left" }, { "9bffffffffffffffff", "more elements" },
		{ "bbffffffffffffffff", "too many pairs" }, { "b841", "too many pairs" }, { "4200", "longer than what is left" },
		{ "a201020103", "twice" }, { "a2616101616102", "twice" }, { "bf01020103ff", "twice" }, { "a2810100810101", "twice" },
		{ "61ff", "UTF-8" }, { "62c080", "UTF-8" }, { "63eda080", "UTF-8" }, { "64f4908080", "UTF-8" }, { "61c3", "UTF-8" },
		{ "9f01", "ends where" }, { "a101", "ends where" }, { "19ff", "ends inside" }, { "c1", "ends where" },
		{ "8181818181818181818181818181818181", "nested" }, { "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1", "nested" },
		{ "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", "nested" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_BUF b = { 0 };
		struct cbor c = { 0 };
		struct err e = { 0 };

		unhex(&b, bad[i].hex);
		EQ(cbor_parse(&c, buf_view(&b), &e), -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, bad[i].why);
	}
}

TEST(cbor_of_many_levels_or_pairs_ends_in_time)
{
	AUTO_BUF b = { 0 };
	struct cbor c;

	buf_fill(&b, 0x9f, 1 << 20);
	FAILS(cbor_parse(&c, buf_view(&b), &e), EC_FORMAT);
	buf_reset(&b);
	buf_byte(&b, 0xbf);
	for (int64_t i = 0; i < 65; i++) {
		cbor_put_int(&b, i);
		cbor_put_int(&b, 0);
	}
	buf_byte(&b, 0xff);
	FAILS(cbor_parse(&c, buf_view(&b), &e), EC_FORMAT);
}

TEST(cbor_maps_are_searched)
{
	AUTO_BUF b = { 0 };
	struct cbor m, v;
	int64_t n = 0;

	cbor_put_head(&b, CBOR_MAP, 4);
	cbor_put_text(&b, "10");
	cbor_put_int(&b, 1);
	cbor_put_int(&b, -36);
	cbor_put_int(&b, -7);
	cbor_put_int(&b, 44241);
	cbor_put_bytes(&b, SLICE("abc"));
	cbor_put_int(&b, INT64_MIN);
	cbor_put_int(&b, INT64_MAX);
	WORKS(cbor_parse(&m, buf_view(&b), &e));
	OK(!cbor_find(&m, 10, &v));
	OK(cbor_find(&m, -36, &v) && cbor_int(&v, &n) && n == -7);
	OK(cbor_find(&m, 44241, &v) && slice_eqs(v.body, "abc") && !cbor_int(&v, &n));
	OK(cbor_find(&m, INT64_MIN, &v) && cbor_int(&v, &n) && n == INT64_MAX);
	OK(!cbor_find(&v, 0, &v));
	v = m;
	OK(!cbor_untag(&v, 1));
}
