/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes: layout, bounds, and the vectors' fields. */

#include "attest/appraise.h"
#include "attest/show.h"
#include "base/cursor.h"
#include "codec/inflate.h"
#include "snp_maker.h"
#include "test.h"
#include "tee/eventlog.h"
#include "tee/tdx.h"

TEST(tdx_quotes_of_every_body_are_read)
{
	static const struct { uint16_t version, type, size; } cases[] = { { 4, 2, 584 }, { 5, 2, 584 }, { 5, 3, 648 }, { 5, 4, 885 } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_BUF b = { 0 };
		struct tdx_quote q;

		quote_make(&b, cases[i].version, cases[i].type, cases[i].size, NULL);
		WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
		EQ(q.body.n, cases[i].size);
		EQ(q.body_type, cases[i].type);
		EQ(q.signed_part.n, 48u + (cases[i].version == 5 ? 6 : 0) + cases[i].size);
		EQ(q.qe_auth.n, 32);
		EQ(q.cert_data.n, 10);
		EQ(q.trailing, 0);
		buf_fill(&b, 0, 70);
		WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
		EQ(q.trailing, 70);
	}
}

TEST(tdx_cut_quotes_are_malformed)
{
	AUTO_BUF b = { 0 };
	struct tdx_quote q;

	quote_make(&b, 5, 3, 648, NULL);
	for (size_t n = 0; n < b.n; n++)
		FAILS(tdx_quote_parse(&q, slice_of(b.p, n), &e), EC_FORMAT);
	WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
}

TEST(tdx_other_headers_are_malformed)
{
	static const struct { size_t at; uint8_t v; } changes[] = {
		{ 0, 3 }, { 0, 6 }, { 2, 1 }, { 2, 3 }, { 4, 0 }, { 48, 1 }, { 48, 5 }, { 48, 2 }, { 50, 0x87 }
	};

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		AUTO_BUF b = { 0 };
		struct tdx_quote q;

		quote_make(&b, 5, 3, 648, NULL);
		b.p[changes[i].at] = changes[i].v;
		FAILS(tdx_quote_parse(&q, buf_view(&b), &e), EC_FORMAT);
	}
}

static const char *const vectors[] = {
	"cpu-tee/tdx/dcap-v4.quote.bin", "cpu-tee/tdx/gotdx-v5.quote.bin", "cpu-tee/tdx/spr-e4-v4.quote.bin",
	"cpu-tee/tdx/cos113-padded.quote.bin", "cpu-tee/tdx/ars-live.quote.bin", "cpu-tee/tdx/nonprod-root.quote.bin",
	"trustee/tdx/tdx_quote_4.dat", "trustee/az-tdx-vtpm/td-quote.bin"
};

TEST(vectors_tdx_quotes_are_read_and_not_accepted_without_collateral)
{
	NEED_VECTORS;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_JSON *j = json_object();
		AUTO_VERDICT v = { 0 };
		struct tdx_quote q;

		load_vec(&b, vectors[i]);
		WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
		WORKS(show(j, buf_view(&b), &e));
		STR(json_string(json_get(j, "format")), "Intel TDX evidence");
		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .insecure_no_nonce = true, .allow_sample = true,
								.now = 1770000000 }, &e));
		OK(!v.accepted);
		HAS(buf_cstr(&v.reason), "tdx.");
	}
}

TEST(vectors_tdx_padding_is_counted)
{
	static const struct { const char *name; size_t trailing; } cases[] = {
		{ "cpu-tee/tdx/dcap-v4.quote.bin", 70 }, { "cpu-tee/tdx/spr-e4-v4.quote.bin", 39 }, { "cpu-tee/tdx/ars-live.quote.bin", 307 }
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_BUF b = { 0 };
		struct tdx_quote q;

		load_vec(&b, cases[i].name);
		WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
		EQ(q.trailing, cases[i].trailing);
	}
}

TEST(vectors_tdx_report_data_is_the_nonce_that_was_asked)
{
	AUTO_BUF b = { 0 }, nonce = { 0 };
	struct tdx_quote q;

	NEED_VECTORS;
	load_vec(&b, "cpu-tee/tdx/cos113-padded.quote.bin");
	load_vec(&nonce, "cpu-tee/tdx/cos113.nonce.bin");
	WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
	OK(nonce.n <= 64 && nonce.n > 0);
	MEM(tdx_report_data(&q).p, nonce.p, nonce.n);
}

static bool same_text(const struct json *a, const struct json *b)
{
	return json_string(a) && json_string(b) && !strcmp(json_string(a), json_string(b));
}

TEST(vectors_tdx_claims_are_those_of_trustee)
{
	AUTO_BUF quote = { 0 }, text = { 0 };
	AUTO_JSON *want = NULL;
	AUTO_JSON *got = json_object();
	struct tdx_quote q;
	const char *const parts[] = { "/quote/header", "/quote/body" };
	size_t compared = 0;

	NEED_VECTORS;
	load_vec(&quote, "trustee/tdx/tdx_quote_4.dat");
	load_vec(&text, "trustee/tdx/parse_tdx_claims_expected.json");
	WORKS(json_parse(&want, buf_view(&text), 1 << 20, &e));
	WORKS(tdx_quote_parse(&q, buf_view(&quote), &e));
	WORKS(tdx_claims(got, &q, &e));
	for (size_t i = 0; i < 2; i++)
		for (const struct json *m = json_first(json_path(want, parts[i])); m; m = json_next(m), compared++)
			if (!same_text(m, json_get(json_path(got, parts[i]), json_name(m))))
				test_fail(__FILE__, __LINE__, "%s differs", json_name(m));
	for (const struct json *m = json_first(json_get(want, "td_attributes")); m; m = json_next(m), compared++)
		if (json_true(m) != json_true(json_get(json_get(got, "td_attributes"), json_name(m))))
			test_fail(__FILE__, __LINE__, "td_attributes.%s differs", json_name(m));
	OK(same_text(json_get(want, "report_data"), json_get(got, "report_data")));
	OK(same_text(json_get(want, "init_data"), json_get(got, "init_data")));
	OK(compared > 20);
}

TEST(ccel_ends_where_its_events_end)
{
	static const uint8_t head[] = {
		1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 0, 0, 0,
		'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0', '3', 0, 0, 0, 0, 0, 0, 2, 0, 2,
		1, 0, 0, 0, 0x0c, 0, 48, 0, 0
	};
	AUTO_BUF b = { 0 };
	struct slice used;
	size_t whole;

	buf_put(&b, head, sizeof head);
	buf_le32(&b, 1);
	buf_le32(&b, 4);
	buf_le32(&b, 1);
	buf_le16(&b, 0x0c);
	buf_fill(&b, 7, 48);
	buf_le32(&b, 4);
	buf_fill(&b, 0, 4);
	whole = b.n;
	WORKS(ccel_trim(&used, buf_view(&b), &e));
	EQ(used.n, whole);
	buf_fill(&b, 0xff, 100);
	WORKS(ccel_trim(&used, buf_view(&b), &e));
	EQ(used.n, whole);
	FAILS(ccel_trim(&used, slice_of(b.p, whole - 1), &e), EC_FORMAT);
	FAILS(ccel_trim(&used, slice_of(b.p, sizeof head + 20), &e), EC_FORMAT);
	b.p[sizeof head + 12] = 0x0b;	/* an algorithm that was not announced */
	FAILS(ccel_trim(&used, buf_view(&b), &e), EC_FORMAT);
	b.p[0x20] = 'X';
	FAILS(ccel_trim(&used, buf_view(&b), &e), EC_FORMAT);
}

static int into_buf(void *arg, struct slice out, struct err *e)
{
	buf_slice(arg, out);
	return buf_check(arg, e);
}

static void gunzip(struct buf *ret, struct slice z)
{
	AUTO_INFLATE f = { 0 };
	const struct inflate_limits limits = { .max_out = 1 << 20, .max_ratio = 2000, .free_out = 1 << 20 };

	WORKS(inflate_init(&f, &limits, into_buf, ret, &e));
	WORKS(inflate_add(&f, z, &e));
	WORKS(inflate_end(&f, &e));
}

TEST(vectors_ccel_ends)
{
	static const struct { const char *name; size_t used; } cases[] = {
		{ "cpu-tee/eventlog/cos113.ccel-data.bin.gz", 18101 }, { "cpu-tee/eventlog/ars-live.ccel.bin.gz", 2120 }
	};

	NEED_VECTORS;
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF z = { 0 }, b = { 0 };
		struct slice used;

		load_vec(&z, cases[i].name);
		gunzip(&b, buf_view(&z));
		WORKS(ccel_trim(&used, buf_view(&b), &e));
		EQ(used.n, cases[i].used);
	}
}
