/* SPDX-License-Identifier: Apache-2.0 */
/* Real TDX quotes and Intel's real documents: every file of the vectors, at its dates, with the verdict and the reason that its README
 * gives; and what "expired" and "not yet valid" sound like on both sides of each window. */

#include "attest/appraise.h"
#include "attest/policy.h"
#include "attest/show.h"
#include "base/host.h"
#include "codec/inflate.h"
#include "crypto/crl.h"
#include "test.h"
#include "tee/tdx_int.h"
#include "tee/tdx_roots.h"
#include "tee/tdx_verify.h"

#define P "cpu-tee/tdx/"
#define T "trustee/"
#define DEBUG_OK "{\"schema\":\"cvmbox.policy/1\",\"allow_debug\":true}"

static const char *const coll2026[] = { P "coll2026-pck_crl_platform.der", P "coll2026-qe_identity_signing_chain.pem", P "coll2026-root_ca_crl.der",
					P "coll2026-tcb_info_50806f000000.json", P "coll2026-tcb_info_90c06f000000.json",
					P "coll2026-tcb_signing_chain.pem", P "coll2026-td_qe_identity.json", NULL };
static const char *const gotdx[] = { P "coll2026-pck_crl_platform.der", P "coll2026-qe_identity_signing_chain.pem", P "coll2026-root_ca_crl.der",
				     P "gotdx-v5.tcbinfo.json", P "coll2026-tcb_signing_chain.pem", P "coll2026-td_qe_identity.json", NULL };
static const char *const dcap[] = { P "dcap-v4.collateral.json", NULL };
static const char *const spr[] = { P "spr-e4.tcbinfo.json", P "spr-e4.qeidentity.json", P "spr-e4.pckcrl.der", P "spr-e4.rootcrl.der",
				   P "spr-e4.tcb-signing-2018.pem", NULL };
static const char *const spr_2025[] = { P "spr-e4.tcbinfo.json", P "spr-e4.qeidentity.json", P "spr-e4.pckcrl.der", P "spr-e4.rootcrl.der",
					P "coll2026-tcb_signing_chain.pem", NULL };

static const struct row {
	const char *quote;
	const char *const *collateral;	/* NULL: none, and waived */
	const char *when, *policy;
	bool accepted;
	const char *why;		/* the check that refuses first */
	const char *word;		/* part of its text */
} rows[] = {
	/* complete collateral in one JSON; the window is where all of it holds */
	{ P "dcap-v4.quote.bin", dcap, "2025-06-19T10:32:27Z", NULL, true, NULL, NULL },
	{ P "dcap-v4.quote.bin", dcap, "2025-07-19T10:00:35Z", NULL, true, NULL, NULL },
	{ P "dcap-v4.quote.bin", dcap, "2025-06-19T10:32:26Z", NULL, false, "tdx.qeidentity", "not yet valid" },
	{ P "dcap-v4.quote.bin", dcap, "2025-07-19T10:00:36Z", NULL, false, "tdx.crl.pck", "expired" },
	{ P "dcap-v4.quote.bin", dcap, "2025-07-19T10:16:04Z", NULL, false, "tdx.tcbinfo", "expired" },
	{ P "dcap-v4.quote.bin", dcap, "2025-02-01T00:00:00Z", NULL, false, "tdx.chain", "not yet valid" },
	{ P "dcap-v4.quote.bin", dcap, "2032-02-10T00:00:00Z", NULL, false, "tdx.chain", "expired" },
	{ P "dcap-v4.quote.bin", coll2026, "2026-03-20T00:00:00Z", NULL, false, "tdx.tcbinfo", "FMSPC" },

	{ P "gotdx-v5.quote.bin", coll2026, "2026-03-16T22:34:05Z", NULL, true, NULL, NULL },
	{ P "gotdx-v5.quote.bin", coll2026, "2026-04-15T22:06:09Z", NULL, true, NULL, NULL },
	{ P "gotdx-v5.quote.bin", coll2026, "2026-03-16T22:06:08Z", NULL, false, "tdx.tcbinfo", "not yet valid" },
	{ P "gotdx-v5.quote.bin", coll2026, "2026-03-16T22:34:04Z", NULL, false, "tdx.crl.pck", "not yet valid" },
	{ P "gotdx-v5.quote.bin", coll2026, "2026-04-15T22:06:10Z", NULL, false, "tdx.tcbinfo", "expired" },
	{ P "gotdx-v5.quote.bin", coll2026, "2026-01-27T14:36:26Z", NULL, false, "tdx.chain", "not yet valid" },
	{ P "gotdx-v5.quote.bin", gotdx, "2026-02-15T00:00:00Z", NULL, false, "tdx.qeidentity", "not yet valid" },
	{ P "gotdx-v5.quote.bin", gotdx, "2026-03-20T00:00:00Z", NULL, false, "tdx.tcbinfo", "expired" },
	{ P "gotdx-v5.quote.bin", NULL, "2026-01-27T14:36:27Z", NULL, true, NULL, NULL },

	/* below the lowest level: not "out of date", not "revoked", and no trouble of the collateral */
	{ P "spr-e4-v4.quote.bin", spr, "2023-06-18T08:42:58Z", NULL, false, "tdx.tcb.status", "NotSupported (not supported" },
	{ P "spr-e4-v4.quote.bin", spr, "2023-07-08T07:24:59Z", NULL, false, "tdx.tcb.status", "component 1 is 3, the lowest level has 5" },
	{ P "spr-e4-v4.quote.bin", spr, "2023-06-18T08:42:57Z", NULL, false, "tdx.tcbinfo", "not yet valid" },
	{ P "spr-e4-v4.quote.bin", spr, "2023-07-08T07:25:00Z", NULL, false, "tdx.qeidentity", "expired" },
	{ P "spr-e4-v4.quote.bin", spr_2025, "2023-07-01T00:00:00Z", NULL, false, "tdx.tcbinfo", "not yet valid" },
	{ P "spr-e4-v4.quote.bin", spr, "2025-06-01T00:00:00Z", NULL, false, "tdx.tcbinfo", "expired" },
	{ P "spr-e4-v4.quote.bin", coll2026, "2026-03-20T00:00:00Z", NULL, false, "tdx.tcb.status", "NotSupported" },
	{ P "spr-e4-v4.quote.bin", NULL, "2022-09-21T00:00:00Z", NULL, true, NULL, NULL },
	{ P "spr-e4-v4.quote.bin", NULL, "2022-09-19T00:00:00Z", NULL, false, "tdx.chain", "not yet valid" },
	{ P "spr-e4-v4.quote.bin", NULL, "2029-09-21T00:00:00Z", NULL, false, "tdx.chain", "expired" },

	{ P "cos113-padded.quote.bin", NULL, "2024-07-02T12:07:37Z", NULL, true, NULL, NULL },
	{ P "cos113-padded.quote.bin", NULL, "2024-07-02T12:07:36Z", NULL, false, "tdx.chain", "not yet valid" },
	{ P "cos113-padded.quote.bin", NULL, "2031-07-02T12:07:38Z", NULL, false, "tdx.chain", "expired" },
	{ P "ars-live.quote.bin", NULL, "2026-03-30T19:08:31Z", NULL, true, NULL, NULL },
	{ P "ars-live.quote.bin", NULL, "2026-03-30T19:08:30Z", NULL, false, "tdx.chain", "not yet valid" },
	{ P "ars-live.quote.bin", NULL, "2033-03-30T19:08:32Z", NULL, false, "tdx.chain", "expired" },

	/* consistent in itself, under a root of the same name with another key */
	{ P "nonprod-root.quote.bin", NULL, "2024-01-01T00:00:00Z", NULL, false, "tdx.chain", "a root of that name with another key" },

	{ T "tdx/tdx_quote_4.dat", NULL, "2023-06-01T00:00:00Z", NULL, false, "tdx.td.debug", "on" },
	{ T "tdx/tdx_quote_4.dat", NULL, "2023-06-01T00:00:00Z", DEBUG_OK, true, NULL, NULL },
	{ T "az-tdx-vtpm/td-quote.bin", NULL, "2025-01-01T00:00:00Z", NULL, true, NULL, NULL },
};

static void collect_all(struct collateral *to, const char *const *names)
{
	for (size_t i = 0; names && names[i]; i++) {
		AUTO_BUF b = { 0 };

		load_vec(&b, names[i]);
		WORKS(collateral_add(to, buf_view(&b), names[i], "", &e));
	}
}

static void run_row(struct verdict *v, const struct row *r, const struct collateral *given, struct slice quote)
{
	AUTO_POLICY *p = NULL;
	int64_t now = 0;

	WORKS(time_parse(&now, r->when, &e));
	if (r->policy)
		WORKS(policy_parse(&p, slice_str(r->policy), "row", &e));
	WORKS(appraise(v, &(const struct appraise_in){ .evidence = quote, .given = given, .now = now, .policy = p, .insecure_no_nonce = true,
						       .insecure_no_collateral = r->collateral == NULL }, &e));
}

static void check_row(const struct row *r, const struct verdict *v)
{
	if (v->accepted != r->accepted)
		test_fail(__FILE__, __LINE__, "%s at %s: %s", r->quote, r->when, v->accepted ? "accepted" : buf_cstr(&v->reason));
	if (!r->accepted && (strncmp(buf_cstr(&v->reason), r->why, strlen(r->why)) || buf_cstr(&v->reason)[strlen(r->why)] != ':'))
		test_fail(__FILE__, __LINE__, "%s at %s: '%s', wanted %s", r->quote, r->when, buf_cstr(&v->reason), r->why);
	if (!r->accepted)
		HAS(buf_cstr(&v->reason), r->word);
}

TEST(vectors_tdx_quotes_get_their_verdicts)
{
	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_COLLATERAL c = { 0 };
		AUTO_BUF b = { 0 };
		AUTO_VERDICT v = { 0 };

		load_vec(&b, rows[i].quote);
		collect_all(&c, rows[i].collateral);
		run_row(&v, &rows[i], &c, buf_view(&b));
		check_row(&rows[i], &v);
	}
}

/* --- event logs ---------------------------------------------------------------------------------------------- */

static int into(void *arg, struct slice out, struct err *e)
{
	buf_slice(arg, out);
	return buf_check(arg, e);
}

static void load_gz(struct buf *ret, const char *name)
{
	static const struct inflate_limits limits = { 1 << 20, 0, 1 << 20 };
	AUTO_INFLATE f = { 0 };
	AUTO_BUF gz = { 0 };

	load_vec(&gz, name);
	WORKS(inflate_init(&f, &limits, into, ret, &e));
	WORKS(inflate_add(&f, buf_view(&gz), &e));
	WORKS(inflate_end(&f, &e));
}

static const char *result_of(const struct verdict *v, const char *id)
{
	for (const struct json *c = json_first(v->checks); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return json_string(json_get(c, "result"));
	return "absent";
}

/* The logs of two machines replay to the registers of their own quote, and not to the other's. */
TEST(vectors_tdx_event_logs_belong_to_their_quotes)
{
	static const struct { const char *quote, *log, *when; } pairs[] = {
		{ P "cos113-padded.quote.bin", "cpu-tee/eventlog/cos113.ccel-data.bin.gz", "2025-01-01T00:00:00Z" },
		{ P "ars-live.quote.bin", "cpu-tee/eventlog/ars-live.ccel.bin.gz", "2026-04-01T00:00:00Z" },
	};

	NEED_VECTORS;
	for (size_t q = 0; q < 2; q++)
		for (size_t l = 0; l < 2; l++) {
			AUTO_BUF quote = { 0 }, log = { 0 };
			AUTO_VERDICT v = { 0 };
			int64_t now;

			load_vec(&quote, pairs[q].quote);
			load_gz(&log, pairs[l].log);
			WORKS(time_parse(&now, pairs[q].when, &e));
			WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&quote), .now = now, .insecure_no_nonce = true,
									.insecure_no_collateral = true, .logs[LOG_CCEL] = buf_view(&log) }, &e));
			STR(result_of(&v, "eventlog.replay"), q == l ? "pass" : "fail");
			EQ(v.accepted, q == l);
		}
}

/* --- what else the README says --------------------------------------------------------------------------------- */

/* The nonce that was asked for is in the quote; another is not. */
TEST(vectors_tdx_nonce_is_compared)
{
	AUTO_BUF quote = { 0 }, nonce = { 0 };
	AUTO_VERDICT good = { 0 }, bad = { 0 };
	struct appraise_in in = { .now = 1735689600, .insecure_no_collateral = true, .has_nonce = true };

	NEED_VECTORS;
	load_vec(&quote, P "cos113-padded.quote.bin");
	load_vec(&nonce, P "cos113.nonce.bin");
	in.evidence = buf_view(&quote);
	in.nonce = buf_view(&nonce);
	WORKS(appraise(&good, &in, &e));
	OK(good.accepted);
	nonce.p[3] ^= 1;
	WORKS(appraise(&bad, &in, &e));
	HAS(buf_cstr(&bad.reason), "tdx.report_data:");
}

/* Claims that depend on the quote alone are those of the peer. */
TEST(vectors_tdx_claims_are_trustees)
{
	static const char *const same[] = { "quote", "td_attributes", "report_data", "init_data", "platform_instance_id" };
	AUTO_BUF quote = { 0 }, text = { 0 };
	AUTO_JSON *want = NULL;
	AUTO_JSON *have = json_object();
	void *p = NULL;

	NEED_VECTORS;
	load_vec(&quote, "trustee/tdx/tdx_quote_4.dat");
	load_vec(&text, "trustee/tdx/parse_tdx_claims_expected.json");
	WORKS(json_parse(&want, buf_view(&text), 1 << 20, &e));
	WORKS(tdx_subject_parse(&p, buf_view(&quote), &e));
	WORKS(tdx_subject_claims(have, p, &e));
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		AUTO_BUF a = { 0 }, b = { 0 };

		WORKS(json_canonical(&a, json_get(want, same[i]), &e));
		if (!json_get(have, same[i])) {
			test_fail(__FILE__, __LINE__, "no claim '%s'", same[i]);
			continue;
		}
		WORKS(json_canonical(&b, json_get(have, same[i]), &e));
		STR(buf_cstr(&b), buf_cstr(&a));
	}
	tdx_subject_drop(p);
}

/* Bits of real quotes flipped in every part that something covers. */
TEST(vectors_tdx_flipped_quotes_are_refused)
{
	static const char *const names[] = { P "dcap-v4.quote.bin", P "gotdx-v5.quote.bin", P "cos113-padded.quote.bin" };
	const struct row r = { .when = "2026-03-20T00:00:00Z" };

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		AUTO_BUF b = { 0 };
		struct tdx_quote q;
		size_t end;

		load_vec(&b, names[i]);
		WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
		end = (size_t)(q.cert_data.p - b.p);
		for (size_t at = 0; at < end; at += 41) {
			AUTO_VERDICT v = { 0 };
			struct err e = { 0 };
			int64_t now;

			time_parse(&now, r.when, &e);
			b.p[at] ^= 4;
			if (!appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .kind = "tdx", .now = now, .insecure_no_nonce = true,
								       .insecure_no_collateral = true }, &e) && v.accepted)
				test_fail(__FILE__, __LINE__, "%s: byte %zu", names[i], at);
			b.p[at] ^= 4;
		}
	}
}

/* Each real document: read, signed by Intel, and refused when a byte of its body changes. */
TEST(vectors_tdx_documents_are_signed_byte_by_byte)
{
	static const struct { const char *doc, *certs; bool tcb; size_t levels, modules; } docs[] = {
		{ P "coll2026-tcb_info_50806f000000.json", P "coll2026-tcb_signing_chain.pem", true, 5, 2 },
		{ P "coll2026-tcb_info_90c06f000000.json", P "coll2026-tcb_signing_chain.pem", true, 3, 2 },
		{ P "coll2026-td_qe_identity.json", P "coll2026-qe_identity_signing_chain.pem", false, 1, 0 },
		{ P "gotdx-v5.tcbinfo.json", P "coll2026-tcb_signing_chain.pem", true, 3, 2 },
		{ P "spr-e4.tcbinfo.json", P "spr-e4.tcb-signing-2018.pem", true, 2, 0 },
		{ P "spr-e4.tcbinfo.json", P "coll2026-tcb_signing_chain.pem", true, 2, 0 },	/* the same key */
		{ P "spr-e4.qeidentity.json", P "spr-e4.tcb-signing-2018.pem", false, 1, 0 },
		{ "trustee/tdx/tcbInfo.json", NULL, true, 2, 2 }, { "trustee/tdx/enclaveIdentity.json", NULL, false, 1, 0 },
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
		AUTO_BUF b = { 0 }, pem = { 0 };
		AUTO_CERTS c = { 0 };
		struct tdx_tcb_info t = { 0 };
		struct tdx_qe_identity q = { 0 };
		struct tcb_signed *d = docs[i].tcb ? &t.doc : &q.doc;

		load_vec(&b, docs[i].doc);
		if (docs[i].tcb)
			WORKS(tdx_tcb_info_parse(&t, buf_view(&b), &e));
		else
			WORKS(tdx_qe_identity_parse(&q, buf_view(&b), &e));
		EQ(docs[i].tcb ? t.n_levels : q.levels.n, docs[i].levels);
		EQ(t.n_modules, docs[i].modules);
		if (docs[i].certs) {
			load_vec(&pem, docs[i].certs);
			WORKS(certs_parse(&c, buf_view(&pem), &e));
			WORKS(tcb_signed_by(d, &c.v[0], &e));
			for (size_t at = 0; at < d->body.n; at += 23) {
				uint8_t *byte = d->text.p + (d->body.p - d->text.p) + at;

				*byte ^= 1;
				FAILS(tcb_signed_by(d, &c.v[0], &e), EC_REFUSED);
				*byte ^= 1;
			}
		}
		tdx_tcb_info_free(&t);
		tdx_qe_identity_free(&q);
	}
}

TEST(vectors_tdx_pinned_root_is_intels)
{
	static const char *const with_root[] = { "cpu-tee/roots/intel-sgx-root-ca.pem", P "coll2026-tcb_signing_chain.pem" };

	NEED_VECTORS;
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF b = { 0 };
		AUTO_CERTS c = { 0 };
		size_t n = 0;

		load_vec(&b, with_root[i]);
		WORKS(certs_parse(&c, buf_view(&b), &e));
		for (size_t k = 0; k < c.n; k++)
			n += intel_root_is(&c.v[k], NULL);
		EQ(n, 1);
	}
}

TEST(vectors_tdx_sgx_quote_is_refused_by_name)
{
	AUTO_BUF b = { 0 };
	AUTO_VERDICT v = { 0 };
	AUTO_JSON *j = json_object();
	struct err why = { 0 };

	NEED_VECTORS;
	load_vec(&b, "trustee/sgx/occlum_quote.dat");
	EQ(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .now = 1770000000, .insecure_no_nonce = true }, &why), -1);
	EQ(why.code, EC_ABSENT);
	HAS(why.msg, "this is an SGX quote (version 3)");
	FAILS(show(j, buf_view(&b), &e), EC_ABSENT);
}

/* A list that Intel issued, used for the wrong issuer or on the wrong side of its dates, gives no verdict but a refusal; see the rows
 * above.  Here: what it holds. */
TEST(vectors_tdx_lists_are_read)
{
	AUTO_COLLATERAL c = { 0 };

	NEED_VECTORS;
	collect_all(&c, coll2026);
	for (size_t i = 0; i < c.n; i++)
		if (c.v[i].type == COLLATERAL_CRL)
			EQ(c.v[i].crl.entries, strstr(c.v[i].source, "root") ? 0 : 57);
}
