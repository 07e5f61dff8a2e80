/* SPDX-License-Identifier: Apache-2.0 */
/* Real SNP reports: every file of the vectors, at its date, with the verdict that its README gives. */

#include "attest/appraise.h"
#include "attest/policy.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/x509.h"
#include "snp_run.h"
#include "test.h"
#include "tee/snp.h"
#include "tee/snp_roots.h"
#include "tee/snp_vek.h"

#define DEBUG_OK "{\"schema\":\"cvmbox.policy/1\",\"allow_debug\":true}"
#define VMPL1_OK "{\"schema\":\"cvmbox.policy/1\",\"vmpl_max\":1}"

static const struct row {
	const char *report, *cert, *cert2;
	const char *from, *until;	/* accepted: the window, tried at both ends and a second outside; else from is the time used */
	const char *policy;
	bool accepted;
	const char *why, *text;		/* the check that refuses first, and a part of what it says */
} rows[] = {
#define S "cpu-tee/snp/"
	{ S "milan-v2.report.hex", S "milan-v2.vcek.der", NULL, "2023-04-03T19:23:43Z", "2030-04-03T19:23:43Z", NULL, true, NULL, NULL },
	{ S "milan-v2.report.hex", S "milan-v2.vcek.der", S "milan.cert_chain.pem", "2023-04-03T19:23:43Z", "2030-04-03T19:23:43Z", NULL, true, NULL, NULL },
	{ S "milan-v2-debug.report.bin", S "milan-v2-debug.vcek.der", NULL, "2022-09-24T00:55:28Z", "2029-09-24T00:55:28Z", DEBUG_OK, true, NULL, NULL },
	{ S "ars-test.report.bin", S "ars-test.vcek.der", NULL, "2023-01-24T17:58:26Z", "2030-01-24T17:58:26Z", NULL, true, NULL, NULL },
	{ S "milan-v3.report.bin", S "milan-v3.vcek-a.pem", NULL, "2025-12-29T11:25:58Z", "2032-12-29T11:25:58Z", NULL, true, NULL, NULL },
	{ S "milan-v3.report.bin", S "milan-v3.vcek-b.pem", NULL, "2026-02-05T01:04:33Z", "2033-02-05T01:04:33Z", NULL, true, NULL, NULL },
	/* the one that is valid is taken, in either order */
	{ S "milan-v3.report.bin", S "milan-v3.vcek-b.pem", S "milan-v3.vcek-a.pem", "2025-12-29T11:25:58Z", "2033-02-05T01:04:33Z", NULL, true, NULL, NULL },
	{ S "milan-v3.report.bin", S "milan-v3.vcek-a.pem", S "milan-v3.vcek-b.pem", "2025-12-29T11:25:58Z", "2033-02-05T01:04:33Z", NULL, true, NULL, NULL },
	{ S "milan-v3-vlek.report.bin", S "milan-v3-vlek.vlek.der", NULL, "2024-12-10T22:14:21Z", "2025-12-10T22:14:21Z", VMPL1_OK, true, NULL, NULL },
	{ S "turin-v5.report.bin", S "turin-v5.vcek.pem", NULL, "2026-02-05T01:04:33Z", "2033-02-05T01:04:33Z", NULL, true, NULL, NULL },
	{ S "turin-v5.report.bin", S "turin-v5.vcek.pem", S "turin.cert_chain.pem", "2026-02-05T01:04:33Z", "2033-02-05T01:04:33Z", NULL, true, NULL, NULL },

	{ S "milan-v2.report.hex", S "milan.cert_chain.pem", NULL, "2024-01-01T00:00:00Z", NULL, NULL, false, "snp.vek", "none" },
	{ S "milan-v2.report.hex", S "milan-v3.vcek-a.pem", NULL, "2026-03-01T00:00:00Z", NULL, NULL, false, "snp.signature", "does not hold" },
	{ S "milan-v2-debug.report.bin", S "milan-v2-debug.vcek.der", NULL, "2022-09-24T00:55:28Z", NULL, NULL, false, "snp.policy.debug", "is on" },
	{ S "milan-v3.report.bin", S "milan-v2.vcek.der", NULL, "2026-03-01T00:00:00Z", NULL, NULL, false, "snp.signature", "does not hold" },
	{ S "milan-v3-vlek.report.bin", S "milan-v3-vlek.vlek.der", NULL, "2024-12-10T22:14:21Z", NULL, NULL, false, "snp.vmpl", "is 1" },
	{ S "milan-v3-vlek.report.bin", S "milan-v3.vcek-a.pem", NULL, "2026-03-01T00:00:00Z", NULL, VMPL1_OK, false, "snp.vek", "only one of the other kind" },
	{ S "milan-v3.report.bin", S "milan-v3-vlek.vlek.der", NULL, "2025-03-01T00:00:00Z", NULL, NULL, false, "snp.vek", "only one of the other kind" },
	{ S "milan-v3.report.bin", S "turin-v5.vcek.pem", NULL, "2026-03-01T00:00:00Z", NULL, NULL, false, "snp.product", "certificate Turin" },
	{ S "turin-v5.report.bin", S "milan-v3.vcek-a.pem", NULL, "2026-03-01T00:00:00Z", NULL, NULL, false, "snp.product", "certificate Milan" },
	{ S "turin-v5.report.bin", S "turin-other.vcek.der", NULL, "2026-02-05T01:04:33Z", NULL, NULL, false, "snp.signature", "does not hold" },
	{ S "milan-v2.report.hex", S "bad-vcek-new.der", NULL, "2026-03-01T00:00:00Z", NULL, NULL, false, "snp.chain", "signature" },
	{ S "milan-v2.report.hex", S "bad-vcek-legacy.der", NULL, "2026-03-01T00:00:00Z", NULL, NULL, false, "snp.chain", "signature" },
#undef S
#define T "trustee/snp/"
	{ T "test-report.bin", T "test-vcek.der", NULL, "2023-01-24T17:58:26Z", "2030-01-24T17:58:26Z", NULL, true, NULL, NULL },
	{ T "test-vlek-report.bin", T "test-vlek.der", NULL, "2024-12-10T22:14:21Z", "2025-12-10T22:14:21Z", VMPL1_OK, true, NULL, NULL },
	{ T "e2e-evidence.json", NULL, NULL, "2025-05-27T17:57:03Z", "2032-05-27T17:57:03Z", NULL, true, NULL, NULL },
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

static int64_t time_of(const char *when)
{
	int64_t t = 0;

	WORKS(time_parse(&t, when, &e));
	return t;
}

/* why NULL: refused, or not even evidence, for any reason */
static void run_at(const struct row *r, const struct cert_list *certs, struct slice evidence, int64_t now, bool accepted, const char *why,
		   const char *text)
{
	AUTO_POLICY *p = NULL;
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	if (r->policy)
		WORKS(policy_parse(&p, slice_str(r->policy), "row", &e));
	if (appraise(&v, &(const struct appraise_in){ .evidence = evidence, .given = &(const struct collateral){ .certs = *certs }, .now = now,
						      .policy = p, .insecure_no_nonce = true }, &e)) {
		if (accepted || why)
			test_fail(__FILE__, __LINE__, "%s: %s", r->report, e.msg);
		return;
	}
	if (v.accepted != accepted)
		test_fail(__FILE__, __LINE__, "%s with %s at %lld: %s", r->report, r->cert ? r->cert : "its own", (long long)now,
			  v.accepted ? "accepted" : buf_cstr(&v.reason));
	if (!accepted && why && (strncmp(buf_cstr(&v.reason), why, strlen(why)) || !strstr(buf_cstr(&v.reason), text)))
		test_fail(__FILE__, __LINE__, "%s with %s: '%s', wanted %s: %s", r->report, r->cert, buf_cstr(&v.reason), why, text);
}

TEST(vectors_snp_reports_get_their_verdicts)
{
	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		AUTO_CERTS certs = { 0 };
		AUTO_BUF b = { 0 };

		load_vec(&b, r->report);
		add_certs(&certs, r->cert);
		add_certs(&certs, r->cert2);
		if (!r->accepted) {
			run_at(r, &certs, buf_view(&b), time_of(r->from), false, r->why, r->text);
			continue;
		}
		run_at(r, &certs, buf_view(&b), time_of(r->from), true, NULL, NULL);
		run_at(r, &certs, buf_view(&b), time_of(r->until), true, NULL, NULL);
		run_at(r, &certs, buf_view(&b), time_of(r->from) - 1, false, "snp.chain", "is not yet valid: from ");
		run_at(r, &certs, buf_view(&b), time_of(r->until) + 1, false, "snp.chain", "has expired: valid from ");
	}
}

/* Flipped bytes that the signature covers, or is made of, in each good binary report; and cuts. */
TEST(vectors_snp_changed_reports_are_refused)
{
	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		const int64_t now = time_of(r->from);
		AUTO_CERTS certs = { 0 };
		AUTO_BUF b = { 0 };

		if (!r->accepted || !r->cert || r->cert2 || !strstr(r->report, ".bin"))
			continue;
		load_vec(&b, r->report);
		add_certs(&certs, r->cert);
		for (size_t at = 0; at < 0x330; at += 11) {
			b.p[at] ^= 1;
			run_at(r, &certs, buf_view(&b), now, false, NULL, NULL);
			b.p[at] ^= 1;
		}
		b.p[0x2a0 + 60] ^= 1;
		run_at(r, &certs, buf_view(&b), now, false, "snp.signature", "not zero");
		b.p[0x2a0 + 60] ^= 1;
		b.p[0x90] ^= 1;
		run_at(r, &certs, buf_view(&b), now, false, "snp.signature", "does not hold");
		b.p[0x90] ^= 1;
		run_at(r, &certs, slice_of(b.p, b.n - 1), now, false, NULL, NULL);
		buf_byte(&b, 0);
		run_at(r, &certs, buf_view(&b), now, false, NULL, NULL);
		run_at(r, &certs, slice_of(b.p, b.n - 1), now, true, NULL, NULL);
	}
}

TEST(vectors_snp_numbers_swapped_are_refused)
{
	static const struct row row = { "cpu-tee/snp/milan-v3.report.bin", "cpu-tee/snp/milan-v3.vcek-a.pem", NULL, "2026-01-01T00:00:00Z" };
	AUTO_CERTS certs = { 0 };
	AUTO_BUF b = { 0 };
	uint8_t r[72];

	NEED_VECTORS;
	load_vec(&b, row.report);
	add_certs(&certs, row.cert);
	memcpy(r, b.p + 0x2a0, sizeof r);
	memcpy(b.p + 0x2a0, b.p + 0x2e8, sizeof r);
	memcpy(b.p + 0x2e8, r, sizeof r);
	run_at(&row, &certs, buf_view(&b), time_of(row.from), false, "snp.signature", "does not hold");
}

/* The chain of another Turin chip's VCEK holds: what refuses it is the signature. */
TEST(vectors_snp_certificate_of_another_chip_has_a_good_chain)
{
	AUTO_CERTS certs = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_VERDICT v = { 0 };

	NEED_VECTORS;
	load_vec(&b, "cpu-tee/snp/turin-v5.report.bin");
	add_certs(&certs, "cpu-tee/snp/turin-other.vcek.der");
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .given = &(const struct collateral){ .certs = certs }, .insecure_no_nonce = true,
							.now = time_of("2026-03-01T00:00:00Z") }, &e));
	OK(!v.accepted);
	STR(snp_result(&v, "snp.chain"), "pass");
	STR(snp_result(&v, "snp.signature"), "fail");
	STR(snp_result(&v, "snp.tcb.certificate"), "skip");
}

/* What the evidence of these machines proves, and no more. */
TEST(vectors_snp_advisories)
{
	static const struct { const char *report, *cert, *when, *milan, *sb, *alias, *hiding, *smt; } says[] = {
		{ "milan-v2.report.hex", "milan-v2.vcek.der", "2024-01-01T00:00:00Z", "warn", "warn", "skip", "skip", "skip" },
		{ "milan-v3.report.bin", "milan-v3.vcek-a.pem", "2026-01-01T00:00:00Z", "warn", "pass", "pass", "skip", "skip" },
		{ "milan-v3-vlek.report.bin", "milan-v3-vlek.vlek.der", "2025-01-01T00:00:00Z", "warn", "pass", "pass", "skip", "skip" },
		{ "turin-v5.report.bin", "turin-v5.vcek.pem", "2026-03-01T00:00:00Z", "pass", "skip", "pass", "skip", "skip" },
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
		AUTO_STR *report = str_printf(NULL, "cpu-tee/snp/%s", says[i].report), *cert = str_printf(NULL, "cpu-tee/snp/%s", says[i].cert);
		AUTO_CERTS certs = { 0 };
		AUTO_BUF b = { 0 };
		AUTO_VERDICT v = { 0 };

		load_vec(&b, report);
		add_certs(&certs, cert);
		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .given = &(const struct collateral){ .certs = certs },
								.insecure_no_nonce = true, .now = time_of(says[i].when) }, &e));
		STR(snp_result(&v, "advisory.milan-vcek-seed"), says[i].milan);
		STR(snp_result(&v, "advisory.sb-3019"), says[i].sb);
		STR(snp_result(&v, "advisory.alias-check-missing"), says[i].alias);
		STR(snp_result(&v, "advisory.ciphertext-hiding-off"), says[i].hiding);
		STR(snp_result(&v, "advisory.smt-on"), says[i].smt);
		STR(snp_result(&v, "snp.reserved"), "pass");
	}
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

/* Each intermediate holds under its own product's ARK in their common window, and nowhere else. */
TEST(vectors_snp_roots_vouch_for_their_own)
{
	static const char *const products[] = { "milan", "genoa", "turin" }, *const kinds[] = { "ark", "ask", "asvk" };
	struct cert_list c[3][3] = { { { 0 } } };

	NEED_VECTORS;
	for (size_t i = 0; i < 9; i++) {
		AUTO_STR *name = str_printf(NULL, "cpu-tee/roots/amd-%s-%s.der", products[i / 3], kinds[i % 3]);

		add_certs(&c[i / 3][i % 3], name);
	}
	for (size_t i = 0; i < 9; i++) {
		const struct cert *ark = &c[i / 3][0].v[0], *mid = &c[i / 3][i % 3].v[0], *other = &c[(i / 3 + 1) % 3][0].v[0];
		const int64_t from = mid->not_before > ark->not_before ? mid->not_before : ark->not_before;
		const int64_t until = mid->not_after < ark->not_after ? mid->not_after : ark->not_after;
		struct err seen = { 0 };

		WORKS(cert_issued(mid, ark, from, &e));
		WORKS(cert_issued(mid, ark, until, &e));
		EQ(cert_issued(mid, ark, from - 1, &seen), -1);
		HAS(seen.msg, "is not yet valid");
		EQ(cert_issued(mid, ark, until + 1, &seen), -1);
		HAS(seen.msg, "has expired");
		EQ(cert_issued(mid, other, from, &seen), -1);
		HAS(seen.msg, "names the issuer");
	}
	for (size_t i = 0; i < 9; i++)
		certs_free(&c[i / 3][i % 3]);
}

/* One changed digit in a member of Trustee's form. */
TEST(vectors_snp_trustee_evidence_changed_is_refused)
{
	static const char *const members[] = { "\"measurement\":[", "\"report_data\":[", "\"host_data\":[", "\"chip_id\":[", "\"guest_svn\":",
					       "\"plat_info\":", "\"r\":[", "\"s\":[" };
	static const struct row row = { "trustee/snp/e2e-evidence.json" };
	const struct cert_list none = { 0 };
	AUTO_BUF b = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL;

	NEED_VECTORS;
	load_vec(&b, row.report);
	WORKS(json_parse(&j, buf_view(&b), 1 << 20, &e));
	WORKS(json_write(&text, j, false, &e));
	run_at(&row, &none, buf_view(&text), time_of("2025-12-01T00:00:00Z"), true, NULL, NULL);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		char *at = text.n ? strstr((char *)text.p, members[i]) : NULL;

		OK(at);
		if (!at)
			continue;
		at += strlen(members[i]);
		while (at[1] >= '0' && at[1] <= '9')
			at++;
		*at = (char)(*at ^ 1);		/* the last digit: 0 and 1, 2 and 3, ... */
		run_at(&row, &none, buf_view(&text), time_of("2025-12-01T00:00:00Z"), false, "snp.signature", "does not hold");
		*at = (char)(*at ^ 1);
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
