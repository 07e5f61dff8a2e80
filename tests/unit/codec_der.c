/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host.h"
#include "codec/der.h"
#include "codec/pem.h"
#include "test.h"

static bool one(struct slice s)
{
	return der_is_one(s);
}

TEST(der_takes_only_the_shortest_definite_length)
{
	OK(one(SLICE("\x04\x00")));
	OK(one(SLICE("\x04\x03" "abc")));
	OK(!one(SLICE("\x04\x03" "ab")));
	OK(!one(SLICE("\x04\x03" "abcd")));
	OK(!one(SLICE("")));
	OK(!one(SLICE("\x04")));
	OK(!one(SLICE("\x30\x80\x00\x00")));		/* indefinite */
	OK(!one(SLICE("\x04\x81\x03" "abc")));	/* long form for a short length */
	OK(!one(SLICE("\x04\x82\x00\x03" "abc")));
	OK(!one(SLICE("\x04\x85\x00\x00\x00\x00\x01" "a")));
	OK(!one(SLICE("\x04\x84\xff\xff\xff\xff" "a")));
	OK(!one(SLICE("\x1f\x81\x01\x00")));		/* tag of several bytes */
	uint8_t long_form[131] = { 0x04, 0x81, 0x80 };

	OK(one(slice_of(long_form, 131)));
	OK(!one(slice_of(long_form, 130)));
}

static bool uint_ok(struct slice s, struct slice want)
{
	struct rd r = rd_of(s);
	const struct slice v = der_uint(&r);

	return der_done(&r) && slice_eq(v, want);
}

TEST(der_integers_are_positive_and_minimal)
{
	OK(uint_ok(SLICE("\x02\x01\x00"), SLICE("\0")));
	OK(uint_ok(SLICE("\x02\x01\x7f"), SLICE("\x7f")));
	OK(uint_ok(SLICE("\x02\x02\x00\x80"), SLICE("\x80")));
	OK(!uint_ok(SLICE("\x02\x01\x80"), SLICE("\x80")));	/* -128 */
	OK(!uint_ok(SLICE("\x02\x02\x00\x7f"), SLICE("\x7f")));	/* padded */
	OK(!uint_ok(SLICE("\x02\x02\xff\x80"), SLICE("\x80")));
	OK(!uint_ok(SLICE("\x02\x00"), SLICE("")));
	OK(!uint_ok(SLICE("\x03\x01\x01"), SLICE("\x01")));
	struct rd r = rd_of(SLICE("\x02\x04\x7f\xff\xff\xff\x02\x05\x00\x80\x00\x00\x00"));
	uint32_t v = 0;

	OK(der_small(&r, &v));
	EQ(v, 0x7fffffff);
	OK(!der_small(&r, &v));
	OK(r.bad);
}

TEST(der_cursor_stays_bad)
{
	struct rd r = rd_of(SLICE("\x30\x03\x02\x01\x05\x04\x00")), in = der_open(&r, DER_SEQUENCE);
	uint32_t v = 0;

	OK(der_small(&in, &v) && v == 5 && der_done(&in));
	OK(!der_done(&r));
	OK(der_open(&r, DER_SET).bad);
	OK(r.bad && !der_done(&r));
	OK(der_open(&r, DER_OCTET_STRING).bad);
	struct der d;

	OK(!der_next(&r, &d));
}

static int64_t when(struct slice s)
{
	struct rd r = rd_of(s);
	const int64_t t = der_time(&r);

	return r.bad || !der_done(&r) ? -1 : t;
}

TEST(der_times_follow_rfc5280)
{
	EQ(when(SLICE("\x17\x0d" "700101000001Z")), 1);
	EQ(when(SLICE("\x17\x0d" "491231235959Z")), 2524607999);
	EQ(when(SLICE("\x17\x0d" "500101000000Z")), time_from_civil(1950, 1, 1, 0, 0, 0));
	EQ(when(SLICE("\x18\x0f" "20500101000000Z")), 2524608000);
	EQ(when(SLICE("\x18\x0f" "99991231235959Z")), 253402300799);
	EQ(when(SLICE("\x17\x0d" "240229000000Z")), time_from_civil(2024, 2, 29, 0, 0, 0));
	EQ(when(SLICE("\x17\x0d" "230229000000Z")), -1);
	EQ(when(SLICE("\x17\x0d" "230431000000Z")), -1);
	EQ(when(SLICE("\x17\x0d" "231301000000Z")), -1);
	EQ(when(SLICE("\x17\x0d" "230101240000Z")), -1);
	EQ(when(SLICE("\x17\x0d" "2301010000-0Z")), -1);
	EQ(when(SLICE("\x17\x0b" "2301010000Z")), -1);
	EQ(when(SLICE("\x17\x11" "230101000000+0100")), -1);
	EQ(when(SLICE("\x18\x0d" "700101000001Z")), -1);
	EQ(when(SLICE("\x18\x11" "20500101000000.5Z")), -1);
}

TEST(der_object_identifiers_turn_round)
{
	static const char *const oids[] = { "1.3.6.1.4.1.3704.1.3.8", "2.5.29.15", "0.9.2342", "2.999.3", "1.2.840.113549.1.1.10",
					    "2.23.133.5.4.1" };

	for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++) {
		AUTO_BUF der = { 0 }, text = { 0 };

		der_put_oid(&der, oids[i]);
		struct rd r = rd_of(buf_view(&der));
		const struct slice body = der_take(&r, DER_OID).body;

		OK(der_oid_is(body, oids[i]));
		OK(!der_oid_is(body, "1.2.3"));
		der_oid_text(&text, body);
		STR(buf_cstr(&text), oids[i]);
	}
	AUTO_BUF text = { 0 };

	der_oid_text(&text, SLICE("\x2a\x80\x01"));
	der_oid_text(&text, SLICE("\x2a\x86"));
	der_oid_text(&text, SLICE(""));
	STR(buf_cstr(&text), "(malformed OID)(malformed OID)(malformed OID)");
	OK(!der_oid_is(SLICE("\x2a"), "1"));
	OK(!der_oid_is(SLICE("\x2a"), "1.2."));
	OK(!der_oid_is(SLICE("\x2a"), "1.2x"));
	OK(!der_oid_is(SLICE("\x2a"), "3.2"));
	OK(!der_oid_is(SLICE(""), ""));
}

TEST(der_writes_what_it_reads)
{
	AUTO_BUF b = { 0 }, big = { 0 };

	der_put_uint(&b, SLICE("\0\0\x80"));
	der_put_uint(&b, SLICE("\0\0"));
	der_put_bits(&b, SLICE("\xaa"));
	der_put_time(&b, 1);
	der_put_time(&b, 2524608000);
	struct rd r = rd_of(buf_view(&b));

	OK(slice_eq(der_uint(&r), SLICE("\x80")));
	OK(slice_eq(der_uint(&r), SLICE("\0")));
	OK(slice_eq(der_bits(&r), SLICE("\xaa")));
	EQ(der_time(&r), 1);
	EQ(der_time(&r), 2524608000);
	OK(der_done(&r));
	buf_fill(&big, 7, 70000);
	buf_reset(&b);
	der_put(&b, DER_OCTET_STRING, buf_view(&big));
	EQ(b.n, 70005);		/* tag, 0x83, three bytes of length */
	OK(der_is_one(buf_view(&b)));
	der_put_time(&b, -INT64_C(700000000));
	OK(b.bad);
}

TEST(pem_blocks_are_found_between_any_text)
{
	struct rd r = rd_of(SLICE("hello\n-----BEGIN A B-----\nAQID\r\nBA==\n-----END A B-----\nx\n-----BEGIN C-----\n-----END C-----"));
	struct slice label, body;
	AUTO_BUF b = { 0 };

	OK(pem_next(&r, &label, &body));
	OK(slice_eqs(label, "A B"));
	WORKS(pem_decode(&b, body, &e));
	EQ(b.n, 4);
	MEM(buf_cstr(&b), "\1\2\3\4", 4);
	OK(pem_next(&r, &label, &body));
	OK(slice_eqs(label, "C"));
	OK(!pem_next(&r, &label, &body) && !r.bad);
	r = rd_of(SLICE("-----BEGIN A-----\nAQID\n-----END B-----\n"));
	OK(!pem_next(&r, &label, &body) && r.bad);
	r = rd_of(SLICE("-----BEGIN A\n-----\nAQID\n"));
	OK(!pem_next(&r, &label, &body) && r.bad);
	FAILS(pem_decode(&b, SLICE("Proc-Type: 4,ENCRYPTED\n\nAQID"), &e), EC_FORMAT);
	FAILS(pem_decode(&b, SLICE("AQ*D"), &e), EC_FORMAT);
}

TEST(pem_turns_round)
{
	AUTO_BUF der = { 0 }, text = { 0 }, back = { 0 };
	struct slice label, body;

	for (int i = 0; i < 200; i++)
		buf_byte(&der, (uint8_t)i);
	pem_put(&text, "TEST THING", buf_view(&der));
	struct rd r = rd_of(buf_view(&text));

	OK(pem_next(&r, &label, &body));
	OK(slice_eqs(label, "TEST THING"));
	WORKS(pem_decode(&back, body, &e));
	OK(slice_eq(buf_view(&back), buf_view(&der)));
}
