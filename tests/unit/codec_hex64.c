/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex64.h"
#include "test.h"

/* RFC 4648 section 10. */
static const char *const known[][3] = {	/* bytes, base64, hex */
	{ "", "", "" },
	{ "f", "Zg==", "66" },
	{ "fo", "Zm8=", "666f" },
	{ "foo", "Zm9v", "666f6f" },
	{ "foob", "Zm9vYg==", "666f6f62" },
	{ "fooba", "Zm9vYmE=", "666f6f6261" },
	{ "foobar", "Zm9vYmFy", "666f6f626172" },
};
#define N_KNOWN (sizeof known / sizeof known[0])

TEST(base64_and_hex_give_the_values_of_rfc4648)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		AUTO_BUF b = { 0 }, h = { 0 };

		b64_encode(&b, slice_str(known[i][0]));
		STR(buf_cstr(&b), known[i][1]);
		hex_encode(&h, slice_str(known[i][0]));
		STR(buf_cstr(&h), known[i][2]);
		buf_reset(&b);
		WORKS(b64_decode(&b, slice_str(known[i][1]), &e));
		STR(buf_cstr(&b), known[i][0]);
		buf_reset(&h);
		WORKS(hex_decode(&h, slice_str(known[i][2]), &e));
		STR(buf_cstr(&h), known[i][0]);
	}
}

TEST(base64url_has_its_own_alphabet_and_no_padding)
{
	AUTO_BUF b = { 0 }, d = { 0 };

	b64url_encode(&b, SLICE("\xfb\xff\xbf\xfe"));
	STR(buf_cstr(&b), "-_-__g");
	WORKS(b64url_decode(&d, buf_view(&b), &e));
	EQ(d.n, 4);
	MEM(d.p, "\xfb\xff\xbf\xfe", 4);
	buf_reset(&b);
	b64_encode(&b, SLICE("\xfb\xff\xbf\xfe"));
	STR(buf_cstr(&b), "+/+//g==");
	FAILS(b64url_decode(&d, buf_view(&b), &e), EC_FORMAT);
	FAILS(b64url_decode(&d, SLICE("+_-__g"), &e), EC_FORMAT);
	FAILS(b64_decode(&d, SLICE("-_-__g=="), &e), EC_FORMAT);
	EQ(d.n, 4);	/* failures leave it alone */
}

TEST(strict_base64_refuses_what_is_not_canonical)
{
	static const char *const bad[] = {
		"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==", "Zm9=", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm9v====", "Z=g=",
		"Zm9*", "\xc3\xa9Zg", "Zg==Zg=="
	};
	AUTO_BUF b = { 0 };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(b64_decode(&b, slice_str(bad[i]), &e), EC_FORMAT);
	FAILS(b64_decode(&b, SLICE("Zm9\0"), &e), EC_FORMAT);
	FAILS(b64url_decode(&b, SLICE("Zg=="), &e), EC_FORMAT);
	FAILS(b64url_decode(&b, SLICE("Z"), &e), EC_FORMAT);
	FAILS(b64url_decode(&b, SLICE("Zh"), &e), EC_FORMAT);
	EQ(b.n, 0);
	WORKS(b64url_decode(&b, SLICE("Zg"), &e));
	EQ(b.n, 1);
}

TEST(lax_base64_skips_blanks_and_takes_both_alphabets)
{
	static const char *const good[] = { "+/+//g==", "-_-__g", " + / -\n\t_/g \r\n= =", "+/+//g" };

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_BUF b = { 0 };

		WORKS(b64_decode_lax(&b, slice_str(good[i]), &e));
		EQ(b.n, 4);
		MEM(buf_cstr(&b), "\xfb\xff\xbf\xfe", 4);
	}
	AUTO_BUF b = { 0 };

	FAILS(b64_decode_lax(&b, SLICE("+/+//g="), &e), EC_FORMAT);
	FAILS(b64_decode_lax(&b, SLICE("+/+//h=="), &e), EC_FORMAT);
	FAILS(b64_decode_lax(&b, SLICE("+/=+//g="), &e), EC_FORMAT);
	WORKS(b64_decode_lax(&b, SLICE(" "), &e));
	EQ(b.n, 0);
}

TEST(every_byte_is_in_or_out_of_the_alphabets)
{
	static const char std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char hex[] = "0123456789abcdefABCDEF";

	for (unsigned c = 0; c < 256; c++) {
		const uint8_t quad[4] = { (uint8_t)c, 'A', 'A', 'A' }, pair[2] = { (uint8_t)c, '0' };
		AUTO_BUF b = { 0 };

		EQ(b64_decode(&b, slice_of(quad, 4), NULL) == 0, memchr(std, (int)c, 64) != NULL);
		if (b.n)
			EQ(b.p[0] >> 2, (const char *)memchr(std, (int)c, 64) - std);
		EQ(b64url_decode(&b, slice_of(quad, 4), NULL) == 0, memchr(url, (int)c, 64) != NULL);
		EQ(hex_decode(&b, slice_of(pair, 2), NULL) == 0, memchr(hex, (int)c, 22) != NULL);
	}
}

TEST(encodings_turn_round_for_all_lengths)
{
	uint8_t raw[100];

	for (size_t i = 0; i < sizeof raw; i++)
		raw[i] = (uint8_t)(i * 37 + 11);
	for (size_t n = 0; n <= sizeof raw; n++) {
		AUTO_BUF t = { 0 }, b = { 0 };
		AUTO_SECRET s = { 0 };

		b64_encode(&t, slice_of(raw, n));
		EQ(t.n, (n + 2) / 3 * 4);
		WORKS(b64_decode(&b, buf_view(&t), &e));
		OK(slice_eq(buf_view(&b), slice_of(raw, n)));
		WORKS(b64_decode_secret(&s, buf_view(&t), &e));
		OK(secret_eq(&s, slice_of(raw, n)));
		buf_reset(&t);
		buf_reset(&b);
		b64url_encode(&t, slice_of(raw, n));
		EQ(t.n, (n * 8 + 5) / 6);
		WORKS(b64url_decode(&b, buf_view(&t), &e));
		OK(slice_eq(buf_view(&b), slice_of(raw, n)));
	}
}

TEST(secret_base64_is_as_strict)
{
	AUTO_SECRET s = { 0 };

	FAILS(b64_decode_secret(&s, SLICE("Zg"), &e), EC_FORMAT);
	FAILS(b64_decode_secret(&s, SLICE("Zh=="), &e), EC_FORMAT);
	FAILS(b64_decode_secret(&s, SLICE("Z-=="), &e), EC_FORMAT);
	EQ(s.n, 0);
	WORKS(b64_decode_secret(&s, SLICE("Zg=="), &e));
	EQ(s.n, 1);
}

TEST(hex_wants_pairs_and_the_exact_length)
{
	uint8_t out[3] = { 9, 9, 9 };
	AUTO_BUF b = { 0 };

	FAILS(hex_decode(&b, SLICE("abc"), &e), EC_FORMAT);
	FAILS(hex_decode(&b, SLICE("ag"), &e), EC_FORMAT);
	FAILS(hex_decode(&b, SLICE("0x"), &e), EC_FORMAT);
	EQ(b.n, 0);
	WORKS(hex_decode_n(out, 3, "00fFAb", &e));
	MEM(out, "\x00\xff\xab", 3);
	FAILS(hex_decode_n(out, 3, "00ffab00", &e), EC_FORMAT);
	FAILS(hex_decode_n(out, 3, "00ff", &e), EC_FORMAT);
	FAILS(hex_decode_n(out, 3, "00ffaz", &e), EC_FORMAT);
	FAILS(hex_decode_n(out, 3, NULL, &e), EC_FORMAT);
	MEM(out, "\x00\xff\xab", 3);
	WORKS(hex_decode_n(out, 0, "", &e));
}
