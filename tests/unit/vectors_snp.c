/* SPDX-License-Identifier: Apache-2.0 */
/* Real SNP reports: every file of the vectors, at its date, with the verdict that its README gives. */

#include "attest/appraise.h"
#include "attest/policy.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/x509.h"
#include "test.h"
#include "tee/snp.h"
#include "tee/snp_roots.h"
#include "tee/snp_vek.h"

#define DEBUG_OK "{\"schema\":\"cvmbox.policy/1\",\"allow_debug\":true}"
#define VMPL1_OK "{\"schema\":\"cvmbox.policy/1\",\"vmpl_max\":1}"

static const struct row {
	const char *report, *cert, *cert2, *when, *policy;
	bool accepted;
	const char *why;	/* the check that refuses first */
} rows[] = {
#define S "cpu-tee/snp/"
	{ S "milan-v2.report.hex", S "milan-v2.vcek.der", NULL, "2023-04-03T19:23:43Z", NULL, true, NULL },
	{ S "milan-v2.report.hex", S "milan-v2.vcek.der", S "milan.cert_chain.pem", "2030-04-03T19:23:43Z", NULL, true, NULL },
	{ S "milan-v2.report.hex", S "milan-v2.vcek.der", NULL, "2023-04-03T19:23:42Z", NULL, false, "snp.chain" },
	{ S "milan-v2.report.hex", S "milan-v2.vcek.der", NULL, "2030-04-03T19:23:44Z", NULL, false, "snp.chain" },
	{ S "milan-v2.report.hex", S "milan.cert_chain.pem", NULL, "2024-01-01T00:00:00Z", NULL, false, "snp.vek" },
	{ S "milan-v2.report.hex", S "milan-v3.vcek-a.pem", NULL, "2026-03-01T00:00:00Z", NULL, false, "snp.signature" },
	{ S "milan-v2-debug.report.bin", S "milan-v2-debug.vcek.der", NULL, "2022-09-24T00:55:28Z", NULL, false, "snp.policy.debug" },
	{ S "milan-v2-debug.report.bin", S "milan-v2-debug.vcek.der", NULL, "2022-09-24T00:55:28Z", DEBUG_OK, true, NULL },
	{ S "ars-test.report.bin", S "ars-test.vcek.der", NULL, "2023-01-24T17:58:26Z", NULL, true, NULL },
	{ S "milan-v3.report.bin", S "milan-v3.vcek-a.pem", NULL, "2025-12-29T11:25:58Z", NULL, true, NULL },
	{ S "milan-v3.report.bin", S "milan-v3.vcek-b.pem", NULL, "2026-02-05T01:04:33Z", NULL, true, NULL },
	{ S "milan-v3.report.bin", S "milan-v3.vcek-b.pem", NULL, "2025-12-29T11:25:58Z", NULL, false, "snp.chain" },
	/* the one that is valid is taken, in either order */
	{ S "milan-v3.report.bin", S "milan-v3.vcek-b.pem", S "milan-v3.vcek-a.pem", "2025-12-29T11:25:58Z", NULL, true, NULL },
	{ S "milan-v3.report.bin", S "milan-v3.vcek-a.pem", S "milan-v3.vcek-b.pem", "2033-01-15T00:00:00Z", NULL, true, NULL },
	{ S "milan-v3-vlek.report.bin", S "milan-v3-vlek.vlek.der", NULL, "2024-12-10T22:14:21Z", VMPL1_OK, true, NULL },
	{ S "milan-v3-vlek.report.bin", S "milan-v3-vlek.vlek.der", NULL, "2024-12-10T22:14:21Z", NULL, false, "snp.vmpl" },
	{ S "milan-v3-vlek.report.bin", S "milan-v3-vlek.vlek.der", NULL, "2025-12-11T00:00:00Z", VMPL1_OK, false, "snp.chain" },
	{ S "turin-v5.report.bin", S "turin-v5.vcek.pem", S "turin.cert_chain.pem", "2026-02-05T01:04:33Z", NULL, true, NULL },
	{ S "turin-v5.report.bin", S "turin-other.vcek.der", NULL, "2026-02-05T01:04:33Z", NULL, false, "snp.signature" },
	{ S "milan-v2.report.hex", S "bad-vcek-new.der", NULL, "2024-01-01T00:00:00Z", NULL, false, "snp.chain" },
	{ S "milan-v2.report.hex", S "bad-vcek-legacy.der", NULL, "2024-01-01T00:00:00Z", NULL, false, "snp.chain" },
#undef S
#define T "trustee/snp/"
	{ T "test-report.bin", T "test-vcek.der", NULL, NULL, NULL, true, NULL },
	{ T "test-vlek-report.bin", T "test-vlek.der", NULL, NULL, VMPL1_OK, true, NULL },
	{ T "e2e-evidence.json", NULL, NULL, NULL, NULL, true, NULL },
#undef T
};

static void add_certs(struct cert_list *l, const char *name)
{
	AUTO_BUF b = { 0 };

	if (!name)
		return;
	load_vec(&b, name);
	WORKS(certs_parse(l, buf_view(&b), &e));
}

/* A row without a date: some time at which its certificate is valid. */
static int64_t time_of(const struct row *r, const struct cert_list *certs)
{
	int64_t t = 0;

	if (r->when)
		WORKS(time_parse(&t, r->when, &e));
	else if (certs->n)
		t = certs->v[0].not_before;
	else
		WORKS(time_parse(&t, "2025-12-01T00:00:00Z", &e));
	return t;
}

static void run_row(const struct row *r, const struct cert_list *certs, struct slice evidence, bool accepted)
{
	AUTO_POLICY *p = NULL;
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	if (r->policy)
		WORKS(policy_parse(&p, slice_str(r->policy), "row", &e));
	if (appraise(&v, &(const struct appraise_in){ .evidence = evidence, .given = certs ? &(const struct collateral){ .certs = *certs } : NULL, .now = time_of(r, certs), .policy = p,
						      .insecure_no_nonce = true }, &e)) {
		if (accepted)
			test_fail(__FILE__, __LINE__, "%s: %s", r->report, e.msg);
		return;
	}
	if (v.accepted != accepted)
		test_fail(__FILE__, __LINE__, "%s with %s at %s: %s", r->report, r->cert ? r->cert : "its own", r->when ? r->when : "?",
			  v.accepted ? "accepted" : buf_cstr(&v.reason));
	if (!accepted && r->why && (v.reason.n < strlen(r->why) || strncmp(buf_cstr(&v.reason), r->why, strlen(r->why))))
		test_fail(__FILE__, __LINE__, "%s with %s: '%s', wanted %s", r->report, r->cert, buf_cstr(&v.reason), r->why);
}

TEST(vectors_snp_reports_get_their_verdicts)
{
	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_CERTS certs = { 0 };
		AUTO_BUF b = { 0 };

		load_vec(&b, rows[i].report);
		add_certs(&certs, rows[i].cert);
		add_certs(&certs, rows[i].cert2);
		run_row(&rows[i], &certs, buf_view(&b), rows[i].accepted);
	}
}

/* One flipped bit in a covered or a signature byte of each good binary report. */
TEST(vectors_snp_flipped_reports_are_refused)
{
	static const size_t at[] = { 0x08, 42, 0x50, 0x90, 0x180, 384, 0x1a0, 0x1e0, 0x29f, 0x2a0, 0x2a0 + 60, 0x2e8, 0x2e8 + 71 };

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_CERTS certs = { 0 };
		AUTO_BUF b = { 0 };
		struct row r = rows[i];

		if (!r.accepted || !r.cert || !strstr(r.report, ".bin"))
			continue;
		r.why = NULL;
		load_vec(&b, r.report);
		add_certs(&certs, r.cert);
		add_certs(&certs, r.cert2);
		for (size_t k = 0; k < sizeof at / sizeof at[0]; k++) {
			b.p[at[k]] ^= 1;
			run_row(&r, &certs, buf_view(&b), false);
			b.p[at[k]] ^= 1;
		}
		run_row(&r, &certs, slice_of(b.p, b.n - 1), false);
		run_row(&r, &certs, buf_view(&b), true);
	}
}

TEST(vectors_snp_numbers_swapped_are_refused)
{
	AUTO_CERTS certs = { 0 };
	AUTO_BUF b = { 0 };
	uint8_t r[72];
	struct row row = { "cpu-tee/snp/milan-v3.report.bin", "cpu-tee/snp/milan-v3.vcek-a.pem", NULL, "2026-01-01T00:00:00Z", NULL, false, "snp.signature" };

	NEED_VECTORS;
	load_vec(&b, row.report);
	add_certs(&certs, row.cert);
	memcpy(r, b.p + 0x2a0, sizeof r);
	memcpy(b.p + 0x2a0, b.p + 0x2e8, sizeof r);
	memcpy(b.p + 0x2e8, r, sizeof r);
	run_row(&row, &certs, buf_view(&b), false);
}

/* With an ASK in the ASVK's place the VLEK chain must break. */
TEST(vectors_snp_vlek_under_an_ask_is_refused)
{
	struct snp_root root = snp_roots_amd.v[0];
	const struct snp_roots roots = { &root, 1 };
	AUTO_CERTS certs = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_VERDICT v = { 0 };

	NEED_VECTORS;
	root.asvk = root.ask;
	load_vec(&b, "cpu-tee/snp/milan-v3-vlek.report.bin");
	add_certs(&certs, "cpu-tee/snp/milan-v3-vlek.vlek.der");
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .given = &(const struct collateral){ .certs = certs }, .insecure_no_nonce = true,
							.now = certs.v[0].not_before, .snp_roots = &roots }, &e));
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "snp.chain");
}

/* The certificates in the source are the published ones, and an ASVK given from outside serves as well as the built-in. */
TEST(vectors_snp_built_in_roots_are_amds)
{
	static const char *const names[][3] = {
		{ "milan-ark", "milan-ask", "milan-asvk" }, { "genoa-ark", "genoa-ask", "genoa-asvk" },
		{ "turin-ark", "turin-ask", "turin-asvk" }
	};

	NEED_VECTORS;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++) {
			const struct snp_root *r = &snp_roots_amd.v[i];
			AUTO_CERTS c = { 0 };
			AUTO_BUF b = { 0 };
			char name[64];
			uint8_t key[32];

			snprintf(name, sizeof name, "cpu-tee/roots/amd-%s.der", names[i][k]);
			load_vec(&b, name);
			WORKS(certs_parse(&c, slice_str(k == 0 ? r->ark : k == 1 ? r->ask : r->asvk), &e));
			EQ(c.n, 1);
			OK(c.n && slice_eq(c.v[0].der, buf_view(&b)));
			if (k == 0 && c.n) {
				WORKS(cert_key_sha256(key, &c.v[0], &e));
				MEM(key, r->ark_key, 32);
			}
		}
}

TEST(vectors_snp_hardware_ids_in_both_encodings)
{
	static const char *const names[] = { "cpu-tee/snp/bad-vcek-new.der", "cpu-tee/snp/bad-vcek-legacy.der" };

	NEED_VECTORS;
	for (size_t i = 0; i < 2; i++) {
		AUTO_CERTS c = { 0 };
		struct snp_vek v;

		add_certs(&c, names[i]);
		WORKS(snp_vek_parse(&v, &c.v[0], &e));
		EQ(v.hwid.n, 64);
		for (size_t k = 0; k < v.hwid.n; k++)
			EQ(v.hwid.p[k], k);
	}
}

TEST(vectors_snp_trustee_evidence_is_the_signed_bytes)
{
	AUTO_BUF b = { 0 };
	AUTO_JSON *j = NULL;
	struct snp_report r;
	struct snp_certs c = { 0 };

	NEED_VECTORS;
	load_vec(&b, "trustee/snp/e2e-evidence.json");
	WORKS(json_parse(&j, buf_view(&b), 1 << 20, &e));
	WORKS(snp_json_read(&r, &c, j, &e));
	MEM(snp_report_data(&r).p, "\x7e\x73\x20\x88\x96\x00\xc7\xac", 8);
	EQ(r.policy, 0x30000);
	EQ(r.platform, 0x25);
	EQ(r.product, SNP_GENOA);
	snp_certs_free(&c);
}
