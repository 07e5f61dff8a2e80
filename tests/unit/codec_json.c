/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "codec/json.h"
#include "crypto/hash.h"
#include "test.h"

#define MAX 100000

static struct json *parse(const char *text)
{
	struct json *j = NULL;
	struct err e = { 0 };

	if (json_parse(&j, slice_str(text), MAX, &e))
		test_fail(__FILE__, __LINE__, "'%s': %s", text, e.msg);
	return j;
}

static void same(const char *text, const char *wanted)
{
	AUTO_JSON *j = parse(text);
	AUTO_BUF out = { 0 };

	WORKS(json_write(&out, j, false, &e));
	STR(buf_cstr(&out), wanted);
}

static void canon(const char *text, const char *wanted)
{
	AUTO_JSON *j = parse(text);
	AUTO_BUF out = { 0 };

	WORKS(json_canonical(&out, j, &e));
	STR(buf_cstr(&out), wanted);
}

static void refused(struct slice text, const char *why)
{
	struct json *j = NULL;
	struct err e = { 0 };

	if (json_parse(&j, text, MAX, &e) != -1 || e.code != EC_FORMAT || !strstr(e.msg, why))
		test_fail(__FILE__, __LINE__, "'%.*s': code %d '%s', wanted a refusal with '%s'", (int)text.n,
			  (const char *)text.p, e.code, e.msg, why);
	OK(!j);
	json_free(j);
}

TEST(json_writes_what_it_read_in_the_same_order)
{
	same("{}", "{}");
	same(" [ ] ", "[]");
	same("null", "null");
	same("\"x\"", "\"x\"");
	same("{\"b\" : 1 ,\n\"a\":[true,false,null,\"x\"],\"c\":{\"d\":{}}}",
	     "{\"b\":1,\"a\":[true,false,null,\"x\"],\"c\":{\"d\":{}}}");
	same("\"\\u0041\\/\\b\\f\\n\\r\\t\\\"\\\\ \\u001f \\u007f \\u00e9 \\ud83d\\ude00\"",
	     "\"A/\\b\\f\\n\\r\\t\\\"\\\\ \\u001f \\u007f \xc3\xa9 \xf0\x9f\x98\x80\"");
	same("[1.50, 1E5, -0, 18446744073709551615, 123456789012345678901234567890]",
	     "[1.50,1E5,-0,18446744073709551615,123456789012345678901234567890]");
	same("{\"\":{\"\":1}}", "{\"\":{\"\":1}}");
}

TEST(json_refuses_what_rfc8259_does_not_allow)
{
	static const char *const bad[][2] = {
		{ "", "empty" }, { " ", "where a value" }, { "{", "double quotes" }, { "[1,]", "wanted a value" },
		{ "{\"a\":1,}", "string in double quotes" }, { "[1 2]", "']'" }, { "{\"a\" 1}", "':'" },
		{ "{a:1}", "double quotes" }, { "'a'", "wanted a value" }, { "01", "leading zero" }, { "-", "digit" },
		{ "+1", "wanted a value" }, { ".5", "wanted a value" }, { "1.", "digit" }, { "1e", "digit" },
		{ "-01", "leading zero" }, { "0x10", "behind the value" }, { "NaN", "wanted a value" },
		{ "Infinity", "wanted a value" }, { "nul", "wanted a value" }, { "True", "wanted a value" },
		{ "\"a", "ends inside" }, { "\"\\", "ends inside" }, { "\"\\x\"", "unknown escape" },
		{ "\"\\u12g4\"", "four hex" }, { "\"\\u12", "four hex" }, { "\"\n\"", "control byte" },
		{ "1 1", "behind the value" }, { "{}x", "behind the value" }, { "[1]/**/", "behind the value" },
		{ "\xef\xbb\xbf{}", "wanted a value" }, { "\f1", "wanted a value" }, { "[1}", "']'" },
		{ "1e999", "out of range" }, { "[-1e400]", "out of range" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refused(slice_str(bad[i][0]), bad[i][1]);
	refused(SLICE("\"a\0b\""), "control byte");
	refused(SLICE("{}\0"), "behind the value");
}

TEST(json_error_names_line_and_column)
{
	refused(SLICE("{\n  \"a\": 1,\n  \"b\": x\n}"), "line 3, column 8");
}

TEST(json_refuses_text_that_readers_see_differently)
{
	refused(SLICE("{\"a\":1,\"a\":2}"), "'a' twice");
	refused(SLICE("{\"a\":1,\"b\":2,\"\\u0061\":2}"), "'a' twice");
	refused(SLICE("[{\"x\":{\"\":1,\"\":1}}]"), "'' twice");
	refused(SLICE("\"\\u0000\""), "\\u0000");
	refused(SLICE("{\"alg\\u0000x\":1}"), "\\u0000");
	refused(SLICE("\"\\ud800\""), "surrogate");
	refused(SLICE("\"\\ud800x\""), "surrogate");
	refused(SLICE("\"\\ud800\\u0041\""), "surrogate");
	refused(SLICE("\"\\udc00\\ud800\""), "surrogate");
	same("{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}");
}

TEST(json_written_for_people_has_no_raw_controls)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF plain = { 0 }, canonical = { 0 };

	json_add_str(j, "a", "\x7f\xc2\x9b\xe2\x80\x8f\xe2\x80\xae\xe2\x81\xa9\xe2\x82\xac");
	WORKS(json_write(&plain, j, false, &e));
	STR(buf_cstr(&plain), "{\"a\":\"\\u007f\\u009b\\u200f\\u202e\\u2069\xe2\x82\xac\"}");
	WORKS(json_canonical(&canonical, j, &e));	/* RFC 8785: raw */
	HAS(buf_cstr(&canonical), "\x7f\xc2\x9b\xe2\x80\x8f");
}

TEST(json_wants_valid_utf8)
{
	static const char *const bad[] = {
		"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x28\xa1",
		"\xf0\x9f\x98"
	};
	static const char *const good[] = {
		"\x7e", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"
	};
	char text[16];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, "\"%s\"", bad[i]);
		refused(slice_str(text), "UTF-8");
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		snprintf(text, sizeof text, "\"%s\"", good[i]);
		same(text, text);
	}
}

TEST(json_limits_size_depth_and_number_length)
{
	AUTO_BUF t = { 0 };
	struct json *j = NULL;

	buf_fill(&t, '[', 64);
	buf_fill(&t, ']', 64);
	WORKS(json_parse(&j, buf_view(&t), MAX, &e));
	json_free(j);
	j = NULL;
	buf_reset(&t);
	buf_fill(&t, '[', 65);
	buf_fill(&t, ']', 65);
	refused(buf_view(&t), "deeper than 64");
	buf_reset(&t);
	buf_fill(&t, '[', 50000);
	refused(buf_view(&t), "deeper than 64");
	buf_reset(&t);
	buf_fill(&t, '1', 63);
	WORKS(json_parse(&j, buf_view(&t), MAX, &e));
	json_free(j);
	j = NULL;
	buf_fill(&t, '1', 1);
	refused(buf_view(&t), "63 characters");
	FAILS(json_parse(&j, SLICE("[1,2]"), 4, &e), EC_FORMAT);
	OK(!j);
}

/* Two bytes of text become some 150 of memory: 16 MiB of it would be a gigabyte. */
TEST(json_limits_the_number_of_values)
{
	for (size_t more = 0; more < 2; more++) {
		AUTO_BUF t = { 0 };
		AUTO_JSON *j = NULL;
		struct err e = { 0 };

		buf_puts(&t, "[0");
		for (size_t i = 2; i < ((size_t)1 << 18) + more; i++)
			buf_puts(&t, ",0");
		buf_byte(&t, ']');
		EQ(json_parse(&j, buf_view(&t), (size_t)16 << 20, &e) == 0, more == 0);
		if (more)
			HAS(e.msg, "more values");
	}
}

TEST(json_finds_a_duplicate_among_many_names)
{
	AUTO_BUF t = { 0 };
	struct json *j = NULL;

	buf_byte(&t, '{');
	for (int i = 0; i < 50000; i++)
		buf_printf(&t, "\"k%d\":%d,", i, i);
	buf_puts(&t, "\"last\":[]}");
	WORKS(json_parse(&j, buf_view(&t), t.n, &e));
	EQ(json_count(j), 50001);
	json_free(j);
	j = NULL;
	t.n -= strlen("\"last\":[]}");
	buf_puts(&t, "\"k31\":[]}");
	FAILS(json_parse(&j, buf_view(&t), t.n, &e), EC_FORMAT);
}

TEST(json_integers_are_exact)
{
	AUTO_JSON *j = parse("[18446744073709551615, 18446744073709551616, -1, 9007199254740993, 1.0, 1e3, \"5\", -0,"
			    " -9223372036854775808, -9223372036854775809, 9223372036854775808, 0]");
	uint64_t u = 7;
	int64_t i = 7;
	double d;

	OK(json_u64(json_at(j, 0), &u));
	OK(u == UINT64_MAX);
	u = 7;
	OK(!json_u64(json_at(j, 1), &u));
	OK(!json_u64(json_at(j, 2), &u));
	OK(!json_u64(json_at(j, 4), &u));
	OK(!json_u64(json_at(j, 5), &u));
	OK(!json_u64(json_at(j, 6), &u));
	OK(!json_u64(json_at(j, 7), &u));
	OK(!json_u64(NULL, &u));
	EQ(u, 7);
	OK(json_u64(json_at(j, 3), &u));
	OK(u == UINT64_C(9007199254740993));
	OK(json_i64(json_at(j, 2), &i));
	EQ(i, -1);
	OK(json_i64(json_at(j, 7), &i));
	EQ(i, 0);
	OK(json_i64(json_at(j, 8), &i));
	OK(i == INT64_MIN);
	OK(!json_i64(json_at(j, 9), &i));
	OK(!json_i64(json_at(j, 10), &i));
	OK(json_real(json_at(j, 5), &d) && d == 1000.0);
	OK(!json_real(json_at(j, 6), &d));
}

TEST(json_reads_by_name_pointer_and_position)
{
	AUTO_JSON *j = parse("{\"a\":{\"b\":[10,{\"c/d\":{\"~\":\"x\"}}]},\"n\":null,\"t\":true,\"f\":false,\"\":3}");

	STR(json_string(json_path(j, "/a/b/1/c~1d/~0")), "x");
	OK(json_path(j, "") == j);
	OK(json_is_number(json_path(j, "/")));
	OK(!json_path(j, "a"));
	OK(!json_path(j, "/a/b/2"));
	OK(!json_path(j, "/a/b/01"));
	OK(!json_path(j, "/a/b/-"));
	OK(!json_path(j, "/a/b/"));
	OK(!json_path(j, "/a/b/9999999999"));
	OK(!json_path(j, "/a/~2"));
	OK(!json_path(j, "/t/x"));
	OK(!json_path(NULL, "/x"));
	OK(!json_get(j, "A"));
	OK(!json_get(json_path(j, "/a/b"), "0"));
	OK(!json_at(j, 0));
	OK(json_is_null(json_get(j, "n")) && !json_is_null(json_get(j, "absent")));
	OK(json_true(json_get(j, "t")) && !json_true(json_get(j, "f")) && !json_true(NULL));
	OK(json_is_bool(json_get(j, "f")) && !json_is_bool(NULL));
	OK(!json_string(json_get(j, "n")) && !json_string(NULL));
	STR(json_name(json_next(json_first(j))), "n");
	EQ(json_count(j), 5);
	EQ(json_count(NULL), 0);
	EQ(json_count(json_get(j, "t")), 0);
}

TEST(json_need_says_what_was_wanted_and_seen)
{
	AUTO_JSON *j = parse("{\"s\":\"AQI=\",\"u\":\"AQI\",\"n\":256,\"r\":1.5,\"a\":[1],\"o\":{}}");
	AUTO_BUF b = { 0 };
	const struct json *o = NULL;
	const char *s = NULL;
	struct err seen = { 0 };
	uint64_t n = 0;

	WORKS(json_need_str(&s, j, "s", "the thing", &e));
	STR(s, "AQI=");
	FAILS(json_need_str(&s, j, "n", "the thing", &e), EC_FORMAT);
	EQ(json_need_str(&s, j, "a", "the thing", &seen), -1);
	STR(seen.msg, "member 'a' of the thing: wanted a string, is an array");
	EQ(json_need_str(&s, j, "zz", "the thing", &seen), -1);
	STR(seen.msg, "the thing has no member 'zz'");
	FAILS(json_need_str(&s, NULL, "zz", "the thing", &e), EC_FORMAT);
	FAILS(json_need_str(&s, json_get(j, "a"), "zz", "the thing", &e), EC_FORMAT);
	WORKS(json_need_u64(&n, j, "n", 256, "the thing", &e));
	EQ(n, 256);
	EQ(json_need_u64(&n, j, "n", 255, "the thing", &seen), -1);
	STR(seen.msg, "member 'n' of the thing: wanted an integer from 0 to 255, is 256");
	FAILS(json_need_u64(&n, j, "r", 255, "the thing", &e), EC_FORMAT);
	FAILS(json_need_u64(&n, j, "s", 255, "the thing", &e), EC_FORMAT);
	WORKS(json_need_obj(&o, j, "o", "the thing", &e));
	FAILS(json_need_obj(&o, j, "a", "the thing", &e), EC_FORMAT);
	WORKS(json_need_arr(&o, j, "a", "the thing", &e));
	FAILS(json_need_arr(&o, j, "o", "the thing", &e), EC_FORMAT);
	WORKS(json_need_b64(&b, j, "s", "the thing", &e));
	WORKS(json_need_b64url(&b, j, "u", "the thing", &e));
	MEM(buf_cstr(&b), "\1\2\1\2", 5);
	FAILS(json_need_b64(&b, j, "u", "the thing", &e), EC_FORMAT);
	FAILS(json_need_b64url(&b, j, "s", "the thing", &e), EC_FORMAT);
	WORKS(json_only(j, (const char *const[]){ "s", "u", "n", "r", "a", "o", NULL }, "the thing", &e));
	EQ(json_only(j, (const char *const[]){ "s", "u", "n", "r", "a", NULL }, "the thing", &seen), -1);
	STR(seen.msg, "unknown member 'o' in the thing");
	FAILS(json_only(json_get(j, "a"), (const char *const[]){ NULL }, "the thing", &e), EC_FORMAT);
}

TEST(json_builds_in_order_and_pretty)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF out = { 0 };
	struct json *a, *o;

	json_add_str(j, "z", "a\"b/\\\x01\xff");
	json_add_str(j, "null", NULL);
	json_add_fmt(j, "fmt", "%d-%s", 5, "x");
	a = json_add_array(j, "a");
	json_add_u64(a, NULL, UINT64_C(1) << 53);
	json_add_u64(a, NULL, (UINT64_C(1) << 53) + 1);
	json_add_i64(a, NULL, -5);
	json_add_i64(a, NULL, INT64_MIN);
	json_add_int(a, NULL, UINT64_MAX);
	json_add_real(a, NULL, 0.1);
	json_add_real(a, NULL, 1.0 / 0.0);
	o = json_add_object(j, "o");
	json_add_bool(o, "t", true);
	json_add_hex(o, "h", SLICE("\xab\x01"));
	json_add_b64(o, "b", SLICE("\xfb\xff"));
	json_add_b64url(o, "u", SLICE("\xfb\xff"));
	json_add_bytes(o, "bytes", SLICE("\x00\xff"));
	json_add_copy(j, "copy", json_get(o, "bytes"));
	json_add_object(j, "gone");
	json_remove(j, "gone");
	WORKS(json_write(&out, j, false, &e));
	STR(buf_cstr(&out),
	    "{\"z\":\"a\\\"b/\\\\\\u0001\xef\xbf\xbd\",\"null\":null,\"fmt\":\"5-x\",\"a\":[9007199254740992,"
	    "\"9007199254740993\",-5,\"-9223372036854775808\",18446744073709551615,0.1,null],\"o\":{\"t\":true,"
	    "\"h\":\"ab01\",\"b\":\"+/8=\",\"u\":\"-_8\",\"bytes\":[0,255]},\"copy\":[0,255]}");
	AUTO_JSON *p = parse("{\"a\":[1,{}],\"b\":[]}");

	buf_reset(&out);
	WORKS(json_write(&out, p, true, &e));
	STR(buf_cstr(&out), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

TEST(json_takes_a_child_over)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF out = { 0 };
	struct json *child = json_array();

	json_add_int(child, NULL, 1);
	json_add_take(j, "c", child);
	WORKS(json_write(&out, j, false, &e));
	STR(buf_cstr(&out), "{\"c\":[1]}");
	json_add_take(NULL, "c", json_array());		/* freed, not leaked */
	OK(!json_add_object(NULL, "x"));
}

TEST(json_with_a_hole_is_not_written)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF out = { 0 };

	json_add_take(json_add_object(j, "o"), "lost", NULL);
	FAILS(json_write(&out, j, false, &e), EC_IO);
	FAILS(json_canonical(&out, j, &e), EC_IO);
	FAILS(json_write(&out, NULL, false, &e), EC_IO);
	EQ(out.n, 0);
	AUTO_JSON *k = json_object();

	json_add_int(k, NULL, 1);	/* no name in an object */
	FAILS(json_write(&out, k, false, &e), EC_IO);
}

TEST(json_canonical_sorts_by_utf16_and_writes_numbers_as_ecmascript)
{
	/* RFC 8785 sections 3.2.2 and 3.2.3 */
	canon("{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"
	      "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\"literals\":[null,true,false]}",
	      "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
	      "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
	canon("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
	      "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
	/* RFC 8785 appendix B */
	canon("[-0,5e-324,1.7976931348623157e308,9007199254740992,-9007199254740992,295147905179352830000,1e21,"
	      "999999999999999900000,1e23,9.5367431640625e-7,0.000001,1e-7,123456.789,-1,10,333333333.33333325]",
	      "[0,5e-324,1.7976931348623157e+308,9007199254740992,-9007199254740992,295147905179352830000,1e+21,"
	      "999999999999999900000,1e+23,9.5367431640625e-7,0.000001,1e-7,123456.789,-1,10,333333333.33333325]");
	canon("{\"ab\":1,\"a\":2,\"\":3,\"b\":{\"z\":1,\"y\":2}}", "{\"\":3,\"a\":2,\"ab\":1,\"b\":{\"y\":2,\"z\":1}}");
}

TEST(json_canonical_bytes_hash_like_the_broker)
{
	/* key-broker.md 1.7 */
	static const char want[] =
		"e71ce8e70d814ba6639c3612ebee0ff1f76f650f8dbb5e47157e0f3f525cd22c4597480a186427c813ca941da78870c3";
	AUTO_JSON *j = parse("{\"b\":1,\"a\":\"test\",\"c\":{\"d\":\"e\"}}");
	AUTO_BUF out = { 0 }, hex = { 0 };
	uint8_t d[48];

	WORKS(json_canonical(&out, j, &e));
	WORKS(hash_of(d, HASH_SHA384, buf_view(&out), &e));
	buf_hex(&hex, slice_of(d, 48));
	STR(buf_cstr(&hex), want);
}

/* The same data, written by somebody else: members in the opposite order, on all levels. */
static void put_reversed(struct json *to, const struct json *from)
{
	for (size_t n = json_count(from); n-- > 0;) {
		const struct json *m = json_first(from);

		for (size_t i = 0; i < n; i++)
			m = json_next(m);
		if (json_is_object(m))
			put_reversed(json_add_object(to, json_name(m)), m);
		else
			json_add_copy(to, json_name(m), m);
	}
}

TEST(json_canonical_matches_the_brokers_runtime_data)
{
	NEED_VECTORS;
	static const enum hash hashes[] = { HASH_SHA256, HASH_SHA384, HASH_SHA512 };
	AUTO_BUF file = { 0 };
	AUTO_JSON *all = NULL;
	unsigned n = 0;

	load_vec(&file, "trustee/constructed/runtime-data.json");
	WORKS(json_parse(&all, buf_view(&file), MAX, &e));
	for (const struct json *c = json_first(json_get(all, "cases")); c; c = json_next(c)) {
		const char *canonical = json_string(json_get(c, "canonical"));
		AUTO_JSON *again = parse(canonical), *other = json_object();
		AUTO_BUF out = { 0 }, plain = { 0 };

		put_reversed(other, again);
		WORKS(json_write(&plain, other, false, &e));
		OK(strcmp(buf_cstr(&plain), canonical));
		WORKS(json_canonical(&out, other, &e));
		STR(buf_cstr(&out), canonical);
		for (size_t i = 0; i < 3; i++) {
			uint8_t d[HASH_MAX];
			AUTO_BUF hex = { 0 };

			WORKS(hash_of(d, hashes[i], buf_view(&out), &e));
			buf_hex(&hex, slice_of(d, hash_size(hashes[i])));
			STR(buf_cstr(&hex), json_string(json_get(c, hash_name(hashes[i]))));
		}
		n++;
	}
	EQ(n, 7);
}

TEST(json_holds_what_is_wanted_and_no_less)
{
	static const struct { const char *wanted, *seen; bool holds; } t[] = {
		{ "{}", "{\"a\":1}", true },
		{ "{\"a\":1}", "{\"b\":2,\"a\":1}", true },
		{ "{\"a\":1}", "{}", false },
		{ "{\"a\":1}", "{\"A\":1}", false },
		{ "{\"a\":null}", "{}", false },		/* absent is not null */
		{ "{\"a\":null}", "{\"a\":null}", true },
		{ "{\"a\":null}", "{\"a\":false}", false },
		{ "{\"a\":{\"b\":true}}", "{\"a\":{\"b\":true,\"c\":0}}", true },
		{ "{\"a\":{\"b\":true}}", "{\"a\":{\"b\":false,\"c\":0}}", false },
		{ "{\"a\":{}}", "{\"a\":[]}", false },
		{ "{\"a\":[]}", "{\"a\":{}}", false },
		{ "{\"a\":true}", "{\"a\":1}", false },
		{ "{\"a\":true}", "{\"a\":\"true\"}", false },
		{ "{\"a\":\"1\"}", "{\"a\":1}", false },
		{ "{\"a\":1}", "{\"a\":\"1\"}", false },
		{ "\"x\"", "\"x\"", true },
		{ "\"x\"", "\"X\"", false },
		{ "[1,2]", "[1,2]", true },
		{ "[1,2]", "[2,1]", false },
		{ "[1,2]", "[1,2,3]", false },
		{ "[1,2,3]", "[1,2]", false },
		{ "[]", "[0]", false },
		{ "[{\"a\":1}]", "[{\"a\":1}]", true },
		{ "[{\"a\":1}]", "[{\"a\":1,\"b\":2}]", false },	/* in an array nothing may be added */
		{ "1", "1.0", true },
		{ "10", "1e1", true },
		{ "1", "1.5", false },
		{ "1.5", "1", false },
		{ "9007199254740993", "9007199254740993", true },
		{ "9007199254740993", "9007199254740992", false },	/* the same as doubles */
		{ "-1", "1", false },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_JSON *wanted = NULL, *seen = NULL;

		WORKS(json_parse(&wanted, slice_str(t[i].wanted), 1000, &e));
		WORKS(json_parse(&seen, slice_str(t[i].seen), 1000, &e));
		if (json_holds(wanted, seen) != t[i].holds)
			test_fail(__FILE__, __LINE__, "%s of %s: wanted %d", t[i].wanted, t[i].seen, t[i].holds);
		OK(!json_holds(wanted, NULL));
		OK(json_holds(NULL, seen));
	}
	OK(json_holds(NULL, NULL));
}

TEST(json_holds_for_what_was_built)
{
	AUTO_JSON *wanted = NULL, *seen = json_object();

	json_add_u64(seen, "n", 7);
	json_add_str(seen, "s", "x");
	WORKS(json_parse(&wanted, SLICE("{\"s\":\"x\",\"n\":7}"), 100, &e));
	OK(json_holds(wanted, seen));
	OK(json_holds(seen, wanted));
}
