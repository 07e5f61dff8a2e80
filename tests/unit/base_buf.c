/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "base/cursor.h"
#include "base/secret.h"
#include "test.h"

TEST(rd_stays_bad_after_short_read)
{
	struct rd r = rd_of(SLICE("\x01\x02"));

	EQ(rd_le32(&r), 0);
	EQ(rd_take(&r, 1).n, 0);
	OK(r.bad);
	EQ(rd_left(&r), 0);
}

TEST(rd_reads_both_orders)
{
	struct rd r = rd_of(SLICE("\x01\x02\x03\x04\x05\x06\x07\x08\xff\xfe"));

	EQ(rd_le64(&r), 0x0807060504030201);
	EQ(rd_be16(&r), 0xfffe);
	OK(!r.bad);
	rd_skip(&r, SIZE_MAX);
	OK(r.bad);
}

TEST(rd_of_nothing_with_a_length_is_bad)
{
	struct rd r = rd_of((struct slice){ NULL, 3 });

	OK(r.bad);
	r = rd_of((struct slice){ NULL, 0 });
	OK(!r.bad);
	EQ(rd_rest(&r).n, 0);
}

TEST(rd_line_takes_lf_and_crlf)
{
	struct rd r = rd_of(SLICE("a\r\n\nlast"));
	struct slice l;

	OK(rd_line(&r, &l) && slice_eqs(l, "a"));
	OK(rd_line(&r, &l) && l.n == 0);
	OK(rd_line(&r, &l) && slice_eqs(l, "last"));
	OK(!rd_line(&r, &l));
}

TEST(buf_stops_at_its_max_and_says_so)
{
	AUTO_BUF b = { .max = 10 };
	struct err e = { 0 };

	buf_puts(&b, "0123456789");
	EQ(buf_check(&b, &e), 0);
	buf_byte(&b, 'x');
	EQ(buf_check(&b, &e), -1);
	EQ(e.code, EC_IO);
	STR(buf_cstr(&b), "0123456789");
	buf_puts(&b, "");
	OK(b.bad);
}

TEST(buf_printf_long_and_short)
{
	AUTO_BUF b = { 0 };
	char big[1000];

	memset(big, 'y', sizeof big - 1);
	big[sizeof big - 1] = 0;
	buf_printf(&b, "%d-%s", 7, big);
	EQ(b.n, 2 + 999);
	EQ(b.p[1000], 'y');
	EQ(b.p[1001], 0);
}

TEST(buf_numbers_in_both_orders)
{
	AUTO_BUF b = { 0 };

	buf_le16(&b, 0x0102);
	buf_be32(&b, 0x03040506);
	buf_le64(&b, 1);
	MEM(b.p, "\x02\x01\x03\x04\x05\x06\x01\0\0\0\0\0\0\0", 14);
}

TEST(parse_u64_is_strict)
{
	uint64_t v = 9;

	WORKS(parse_u64(&v, "18446744073709551615", UINT64_MAX, &e));
	EQ(v == UINT64_MAX, 1);
	FAILS(parse_u64(&v, "18446744073709551616", UINT64_MAX, &e), EC_USAGE);
	FAILS(parse_u64(&v, "", 9, &e), EC_USAGE);
	FAILS(parse_u64(&v, "-1", 9, &e), EC_USAGE);
	FAILS(parse_u64(&v, "0x1", 9, &e), EC_USAGE);
	FAILS(parse_u64(&v, "10", 9, &e), EC_USAGE);
}

TEST(parse_size_takes_suffixes)
{
	uint64_t v = 0;

	WORKS(parse_size(&v, "3G", UINT64_MAX, &e));
	EQ(v, 3LL << 30);
	FAILS(parse_size(&v, "16777216T", UINT64_MAX, &e), EC_USAGE);
	FAILS(parse_size(&v, "K", UINT64_MAX, &e), EC_USAGE);
	FAILS(parse_size(&v, "1kb", UINT64_MAX, &e), EC_USAGE);
}

TEST(err_text_is_safe_on_a_terminal)
{
	struct err e = { 0 };

	err_set(&e, EC_IO, "bad '%s'", "a\x1b[31m\n\xff\xc3\xa9");
	STR(e.msg, "bad 'a\\x1b[31m\\x0a\\xff\xc3\xa9'");
	err_ctx(&e, "cannot read '%s'", "x");
	STR(e.msg, "cannot read 'x': bad 'a\\x1b[31m\\x0a\\xff\xc3\xa9'");
	err_hint(&e, "first");
	err_hint(&e, "second");
	STR(e.hint, "first");
	EQ(e.code, EC_IO);
}

TEST(err_ctx_without_code_is_a_bug)
{
	struct err e = { 0 };

	err_ctx(&e, "doing it");
	EQ(e.code, EC_BUG);
}

TEST(err_ctx_of_very_long_texts_keeps_the_head)
{
	struct err e = { 0 };
	char big[1500];

	memset(big, 'z', sizeof big - 1);
	big[sizeof big - 1] = 0;
	err_set(&e, EC_IO, "%s", big);
	for (int i = 0; i < 10; i++)
		err_ctx(&e, "step %d", i);
	HAS(e.msg, "step 9: step 8");
	OK(strlen(e.msg) < sizeof e.msg);
}

TEST(secret_moves_and_wipes)
{
	AUTO_SECRET a = { 0 };
	AUTO_SECRET b = { 0 };

	WORKS(secret_from(&a, SLICE("key material"), &e));
	OK(secret_eq(&a, SLICE("key material")));
	OK(!secret_eq(&a, SLICE("key materiaL")));
	OK(!secret_eq(&a, SLICE("key")));
	secret_give(&b, &a);
	EQ(a.n, 0);
	OK(a.p == NULL);
	EQ(b.n, 12);
	secret_shrink(&b, 3);
	OK(secret_eq(&b, SLICE("key")));
	MEM(b.p + 3, "\0\0\0\0\0\0\0\0\0", 9);
	secret_wipe(&b);
	secret_wipe(&b);
	FAILS(secret_alloc(&b, SECRET_MAX + 1, &e), EC_FORMAT);
}

TEST(mem_eq_ct_compares_all)
{
	OK(mem_eq_ct("abc", "abc", 3));
	OK(!mem_eq_ct("abc", "abd", 3));
	OK(!mem_eq_ct("xbc", "abc", 3));
	OK(mem_eq_ct("x", "y", 0));
}
