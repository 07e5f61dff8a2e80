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
#define LAX "{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"tdx.tcb.status\":\"warn\"}}"

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
