/* SPDX-License-Identifier: Apache-2.0 */
/* Real evidence of Azure's machines: every file of the vectors, at its date, with the verdict that its README gives. */

#include "attest/appraise.h"
#include "attest/kinds.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/sig.h"
#include "evidence/collateral.h"
#include "tee/azure.h"
#include "tee/tpm_quote.h"
#include "test.h"

#define A "cpu-tee/azure/"
#define S "trustee/az-snp-vtpm/"
#define T "trustee/az-tdx-vtpm/"
#define X "cpu-tee/tdx/coll2026-"

static const char *const coll2026[] = { X "tcb_info_90c06f000000.json", X "tcb_info_50806f000000.json", X "td_qe_identity.json",
					X "pck_crl_platform.der", X "root_ca_crl.der", X "tcb_signing_chain.pem",
					X "qe_identity_signing_chain.pem", NULL };

static const struct row {
	const char *file, *nonce;	/* "hex:.." or text; NULL: none is given */
	const char *when;
	bool coll;			/* with Intel's collateral of 2026 */
	bool waived;			/* --insecure-no-collateral, --insecure-no-nonce where there is none */
	bool accepted;
	const char *why;		/* the check that refuses first */
} rows[] = {
#define V2 "hex:982f5c6e45df0ed3f10b6f60b02f0c8390e281300f3805e2279c16168cd6ae9aa398f647caa2338748cd0fd9f5f819ef"
#define LIVE "attestation-test-fixture"
	{ A "az-snp-live.json", LIVE, "2025-01-23T19:38:01Z", false, false, true, NULL },
	{ A "az-snp-live.json", LIVE, "2032-01-23T19:38:01Z", false, false, true, NULL },
	{ A "az-snp-live.json", LIVE, "2025-01-23T19:38:00Z", false, false, false, "snp.chain" },
	{ A "az-snp-live.json", LIVE, "2032-01-23T19:38:02Z", false, false, false, "snp.chain" },
	{ A "az-snp-live.json", "attestation-test-fixturf", "2026-01-01T00:00:00Z", false, false, false, "tpm.nonce" },
	{ A "az-snp-live.json", NULL, "2026-01-01T00:00:00Z", false, false, false, "tpm.nonce" },
	{ A "az-snp-live.json", NULL, "2026-01-01T00:00:00Z", false, true, true, NULL },
	{ S "evidence-v0.json", "challenge", "2025-01-28T16:26:55Z", false, false, true, NULL },
	{ S "evidence-v0.json", "challengf", "2025-01-28T16:26:55Z", false, false, false, "tpm.nonce" },
	{ S "evidence-v0.json", "challenge", "2025-01-28T16:26:54Z", false, false, false, "snp.chain" },
	{ S "evidence-v1.json", "challenge", "2025-01-28T16:26:55Z", false, false, true, NULL },
	{ S "evidence-v1.json", "challenge", "2032-01-28T16:26:55Z", false, false, true, NULL },
	{ S "evidence-v1.json", "challenge", "2032-01-28T16:26:56Z", false, false, false, "snp.chain" },
	{ S "evidence-v1.json", "Challenge", "2026-01-01T00:00:00Z", false, false, false, "tpm.nonce" },
	{ S "evidence-v2.json", V2, "2025-01-28T16:33:43Z", false, false, true, NULL },
	{ S "evidence-v2.json", V2, "2032-01-28T16:33:43Z", false, false, true, NULL },
	{ S "evidence-v2.json", V2, "2025-01-28T16:33:42Z", false, false, false, "snp.chain" },
	{ S "evidence-v2.json", "challenge", "2026-01-01T00:00:00Z", false, false, false, "azure.user_data" },

	/* signatures hold at any date in the PCK's window; the TCB is known in the collateral's window only */
	{ A "az-tdx-live.json", LIVE, "2026-03-16T22:34:05Z", true, false, true, NULL },
	{ A "az-tdx-live.json", LIVE, "2026-04-15T22:06:09Z", true, false, true, NULL },
	{ A "az-tdx-live.json", LIVE, "2026-03-16T22:34:04Z", true, false, false, "tdx." },
	{ A "az-tdx-live.json", LIVE, "2026-04-15T22:06:10Z", true, false, false, "tdx." },
	{ A "az-tdx-live.json", LIVE, "2026-04-01T00:00:00Z", false, false, false, "tdx." },
	{ A "az-tdx-live.json", "attestation-test-fixtur", "2026-04-01T00:00:00Z", true, false, false, "azure.user_data" },
	{ A "az-tdx-live.json", LIVE, "2025-12-16T05:00:16Z", false, true, true, NULL },
	{ A "az-tdx-live.json", LIVE, "2032-12-16T05:00:16Z", false, true, true, NULL },
	{ A "az-tdx-live.json", LIVE, "2025-12-16T05:00:15Z", false, true, false, "tdx." },
	{ A "az-tdx-live.json", LIVE, "2032-12-16T05:00:17Z", false, true, false, "tdx." },
	{ T "evidence-v1.json", "challenge", NULL, false, true, true, NULL },
	{ T "evidence-v1.json", "challenge", NULL, false, false, false, "tdx." },
	{ T "evidence-v1.json", "challengE", NULL, false, true, false, "tpm.nonce" },

	/* an HCL report alone proves neither freshness nor what was booted */
	{ A "hcl-snp-2048.bin", "challenge", NULL, false, true, false, "azure.parts" },
	{ A "hcl-tdx-2600.bin", "challenge", NULL, false, true, false, "azure.parts" },
	{ S "hcl-report.bin", NULL, NULL, false, true, false, "azure.parts" },
	{ T "hcl-report.bin", NULL, NULL, false, true, false, "azure.parts" },
};

static void add_all(struct collateral *c, const char *const *names)
{
	for (; *names; names++) {
		AUTO_BUF b = { 0 };

		load_vec(&b, *names);
		WORKS(collateral_add(c, buf_view(&b), *names, "", &e));
	}
}

static void nonce_of(struct buf *ret, const char *text)
{
	if (!text)
		return;
	if (strncmp(text, "hex:", 4))
		buf_puts(ret, text);
	else
		WORKS(hex_decode(ret, slice_str(text + 4), &e));
}

static int64_t time_of(const char *when)
{
	int64_t t = 0;

	WORKS(time_parse(&t, when ? when : "2026-04-01T00:00:00Z", &e));
	return t;
}

/* 0, or -1: it could not be parsed (e). */
static int run_row(struct verdict *v, const struct row *r, struct slice evidence, const struct collateral *given, struct err *e)
{
	AUTO_BUF nonce = { 0 };

	nonce_of(&nonce, r->nonce);
	return appraise(v, &(const struct appraise_in){ .evidence = evidence, .kind = "auto", .now = time_of(r->when), .given = given,
							.has_nonce = r->nonce != NULL, .nonce = buf_view(&nonce),
							.insecure_no_nonce = r->waived && !r->nonce, .insecure_no_collateral = r->waived }, e);
}

static bool refused_by(const struct verdict *v, const char *id)
{
	for (const struct json *c = json_first(v->checks); c; c = json_next(c)) {
		const char *name = json_string(json_get(c, "id")), *result = json_string(json_get(c, "result"));

		if (name && !strcmp(name, id))
			return result && !strcmp(result, "fail");
	}
	return false;
}

TEST(vectors_azure_evidence_gets_its_verdict)
{
	AUTO_COLLATERAL coll = { 0 };

	NEED_VECTORS;
	add_all(&coll, coll2026);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		AUTO_VERDICT v = { 0 };
		AUTO_BUF b = { 0 };
		struct err e = { 0 };

		load_vec(&b, r->file);
		if (run_row(&v, r, buf_view(&b), r->coll ? &coll : NULL, &e)) {
			test_fail(__FILE__, __LINE__, "%s: %s", r->file, e.msg);
			continue;
		}
		STR(v.tee, strstr(r->file, "tdx") ? "az-tdx-vtpm" : "az-snp-vtpm");
		if (v.accepted != r->accepted || (r->why && strncmp(buf_cstr(&v.reason), r->why, strlen(r->why))))
			test_fail(__FILE__, __LINE__, "%s at %s with '%s': %s, wanted %s", r->file, r->when ? r->when : "2026", r->nonce ? r->nonce : "",
				  v.accepted ? "accepted" : buf_cstr(&v.reason), r->accepted ? "accepted" : r->why);
	}
}

TEST(vectors_azure_claims_have_trustees_names)
{
	static const struct { const char *file, *nonce, *path, *value; } want[] = {
		{ S "evidence-v1.json", "challenge", "/az-snp-vtpm/report_data", "6368616c6c656e6765" },
		{ S "evidence-v1.json", "challenge", "/az-snp-vtpm/tpm/pcr00",
		  "e15c44796beabf46abcec7c57e590942041e4749" },
		{ S "evidence-v2.json", V2, "/az-snp-vtpm/tpm/pcr00", "84275b2f" },
		{ S "evidence-v2.json", V2, "/az-snp-vtpm/policy_debug_allowed", "false" },
		{ S "evidence-v2.json", V2, "/az-snp-vtpm/policy_abi_minor", "31" },
		{ S "evidence-v2.json", V2, "/az-snp-vtpm/azure/vm_configuration/vmUniqueId", "7DF7B373-B947-4AAA-96E5-C358F2A03D20" },
		{ T "evidence-v1.json", "challenge", "/az-tdx-vtpm/tpm/pcr00", "782b20b1" },
		{ T "evidence-v1.json", "challenge", "/az-tdx-vtpm/report_data", "6368616c6c656e6765" },
		{ T "evidence-v1.json", "challenge", "/az-tdx-vtpm/quote/header/tee_type", "81000000" },
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		AUTO_VERDICT v = { 0 };
		AUTO_BUF b = { 0 };
		const char *is;

		load_vec(&b, want[i].file);
		WORKS(run_row(&v, &(const struct row){ .nonce = want[i].nonce, .waived = true }, buf_view(&b), NULL, &e));
		OK(v.accepted);
		is = json_string(json_path(v.claims, want[i].path));
		if (!is || strncmp(is, want[i].value, strlen(want[i].value)))
			test_fail(__FILE__, __LINE__, "%s %s is '%s', wanted '%s'", want[i].file, want[i].path, is ? is : "absent", want[i].value);
		OK(!json_path(v.claims, "/az-snp-vtpm/chip_id"));
	}
}

/* --- bad twins ---------------------------------------------------------------------------------------------------- */

static void write_parts(struct buf *ret, const struct azure_parts *p)
{
	AUTO_JSON *j = NULL;

	WORKS(azure_parts_write(&j, p, &e));
	WORKS(json_write(ret, j, false, &e));
}

static void parts_of(struct azure_parts *ret, const char *file)
{
	AUTO_BUF b = { 0 };

	load_vec(&b, file);
	WORKS(azure_parts_read(ret, buf_view(&b), &e));
}

static void verdict_of(struct verdict *v, const struct azure_parts *p, const char *nonce)
{
	AUTO_BUF b = { 0 };

	write_parts(&b, p);
	WORKS(run_row(v, &(const struct row){ .nonce = nonce, .waived = true }, buf_view(&b), NULL, &e));
}

/* A VCEK of another chip: its chain holds, the report is not its own. */
TEST(vectors_azure_report_with_another_chips_key_is_refused)
{
	AUTO_AZURE_PARTS p = { 0 };
	AUTO_VERDICT v = { 0 };

	NEED_VECTORS;
	parts_of(&p, S "evidence-v1.json");
	buf_free(&p.hcl);
	buf_free(&p.vcek);
	load_vec(&p.hcl, A "hcl-snp-2048.bin");
	load_vec(&p.vcek, A "other-chip.certs.pem");
	verdict_of(&v, &p, "challenge");
	OK(!v.accepted);
	OK(refused_by(&v, "snp.signature"));
	OK(refused_by(&v, "tpm.signature"));
	OK(!refused_by(&v, "azure.binding"));
	OK(!refused_by(&v, "snp.chain"));
}

/* Byte 0x1a6 of the HCL report, in the SNP report, is replaced by 0. */
TEST(vectors_azure_report_with_a_byte_replaced_is_refused)
{
	AUTO_AZURE_PARTS p = { 0 };
	AUTO_VERDICT v = { 0 }, was = { 0 };

	NEED_VECTORS;
	p.version = 1;
	load_vec(&p.hcl, S "hcl-report.bin");
	load_vec(&p.vcek, S "vcek.pem");
	verdict_of(&was, &p, NULL);
	OK(!refused_by(&was, "snp.signature"));
	OK(!refused_by(&was, "snp.chain"));
	OK(!refused_by(&was, "azure.binding"));
	OK(p.hcl.n == 2600 && p.hcl.p[0x1a6] != 0);
	p.hcl.p[0x1a6] = 0;
	verdict_of(&v, &p, NULL);
	OK(!v.accepted);
	OK(refused_by(&v, "snp.signature"));
}

/* Parts of real machines do not go together. */
TEST(vectors_azure_parts_of_two_machines_are_refused)
{
	static const struct { const char *one, *other, *nonce; } pairs[] = {
		{ S "evidence-v1.json", S "evidence-v2.json", "challenge" }, { S "evidence-v1.json", A "az-snp-live.json", "challenge" },
		{ A "az-tdx-live.json", T "evidence-v1.json", LIVE },
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		for (int what = 0; what < 4; what++) {
			AUTO_AZURE_PARTS p = { 0 }, q = { 0 };
			AUTO_VERDICT v = { 0 };

			parts_of(&p, pairs[i].one);
			parts_of(&q, pairs[i].other);
			switch (what) {
			case 0:
				buf_move(&p.hcl, &q.hcl);
				break;
			case 1:
				buf_move(&p.message, &q.message);
				buf_move(&p.signature, &q.signature);
				break;
			case 2:
				memcpy(p.pcrs, q.pcrs, sizeof p.pcrs);
				break;
			case 3:
				buf_move(p.vcek.n ? &p.vcek : &p.td_quote, q.vcek.n ? &q.vcek : &q.td_quote);
				break;
			}
			verdict_of(&v, &p, pairs[i].nonce);
			OK(!v.accepted);
			if (v.accepted)
				test_fail(__FILE__, __LINE__, "pair %zu, part %d", i, what);
		}
}

TEST(vectors_azure_orphan_quotes_fit_no_key)
{
	static const char *const files[] = { A "hcl-snp-2048.bin", A "hcl-tdx-2600.bin", S "hcl-report.bin", T "hcl-report.bin" };
	static const char *const evidence[] = { S "evidence-v0.json", S "evidence-v1.json", S "evidence-v2.json", T "evidence-v1.json",
						A "az-snp-live.json", A "az-tdx-live.json" };
	AUTO_BUF msg = { 0 }, sig = { 0 }, bundle = { 0 }, pem = { 0 };
	AUTO_PUBKEY k = { 0 };
	struct slice bsig, bmsg;
	struct tpm_pcrs pcrs;

	NEED_VECTORS;
	load_vec(&msg, A "orphan-quote.msg");
	load_vec(&sig, A "orphan-quote.sig");
	load_vec(&bundle, A "tpmquote.bincode");
	load_vec(&pem, A "tpmquote.akpub.pem");
	WORKS(tpm_bincode_parse(&bsig, &bmsg, &pcrs, buf_view(&bundle), &e));
	WORKS(pubkey_parse(&k, buf_view(&pem), &e));
	WORKS(sig_verify_msg(&k, SIG_RSA_PKCS1, HASH_SHA256, bmsg, bsig, &e));
	for (size_t i = 0; i < 10; i++) {
		AUTO_AZURE_PARTS p = { 0 };
		struct hcl_report h;
		struct hcl_claims c = { 0 };

		parts_of(&p, i < 4 ? files[i] : evidence[i - 4]);
		WORKS(hcl_parse(&h, buf_view(&p.hcl), &e));
		WORKS(hcl_claims_parse(&c, h.claims, &e));
		EQ(c.n_ak, 1);
		EQ(c.ak.bits, 2048);
		EQ(c.ak_exponent, 65537);
		FAILS(sig_verify_msg(&c.ak, SIG_RSA_PKCS1, HASH_SHA256, buf_view(&msg), buf_view(&sig), &e), EC_REFUSED);
		FAILS(sig_verify_msg(&c.ak, SIG_RSA_PKCS1, HASH_SHA256, bmsg, bsig, &e), EC_REFUSED);
		hcl_claims_free(&c);
	}
}

TEST(vectors_azure_claims_of_another_machine_parse)
{
	AUTO_BUF b = { 0 };
	struct hcl_claims c = { 0 };

	NEED_VECTORS;
	load_vec(&b, A "var-data.json");
	WORKS(hcl_claims_parse(&c, slice_trim(buf_view(&b)), &e));
	EQ(c.n_ak, 1);
	EQ(c.ak.type, KEY_RSA);
	OK(c.has_user_data && !hcl_user_data_set(&c));
	hcl_claims_free(&c);
}

/* The SNP report out of an HCL report is a real one, but its report data is the claims' hash: no nonce of a verifier. */
TEST(vectors_azure_inner_report_is_no_evidence_by_itself)
{
	AUTO_AZURE_PARTS p = { 0 };
	AUTO_COLLATERAL given = { 0 };
	struct hcl_report h;
	static const char *const nonces[] = { "challenge", "00" };

	NEED_VECTORS;
	parts_of(&p, S "evidence-v1.json");
	WORKS(hcl_parse(&h, buf_view(&p.hcl), &e));
	WORKS(collateral_add(&given, buf_view(&p.vcek), "vcek", "", &e));
	for (size_t i = 0; i < 2; i++) {
		AUTO_VERDICT v = { 0 };

		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = h.hardware, .kind = "snp", .now = time_of(NULL), .given = &given,
								.has_nonce = true, .nonce = slice_str(nonces[i]) }, &e));
		OK(!v.accepted);
		HAS(buf_cstr(&v.reason), "snp.report_data");
	}
}

TEST(vectors_azure_old_forms_read_like_new_ones)
{
	AUTO_AZURE_PARTS p = { 0 }, q = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_VERDICT v = { 0 };

	NEED_VECTORS;
	parts_of(&p, S "evidence-v0.json");
	EQ(p.version, 0);
	EQ(p.n_pcrs, 24);
	p.version = 1;
	write_parts(&b, &p);
	WORKS(azure_parts_read(&q, buf_view(&b), &e));
	OK(slice_eq(buf_view(&p.hcl), buf_view(&q.hcl)) && slice_eq(buf_view(&p.message), buf_view(&q.message)));
	OK(slice_eq(buf_view(&p.vcek), buf_view(&q.vcek)) && slice_eq(buf_view(&p.signature), buf_view(&q.signature)));
	MEM(p.pcrs, q.pcrs, sizeof p.pcrs);
	verdict_of(&v, &p, "challenge");
	OK(v.accepted);
}

/* What Trustee writes and what is written here are the same text. */
TEST(vectors_azure_trustee_form_is_written_as_trustee_writes_it)
{
	static const char *const files[] = { S "evidence-v1.json", S "evidence-v2.json", T "evidence-v1.json" };

	NEED_VECTORS;
	for (size_t i = 0; i < 3; i++) {
		AUTO_AZURE_PARTS p = { 0 };
		AUTO_BUF raw = { 0 }, a = { 0 }, b = { 0 };
		AUTO_JSON *theirs = NULL, *ours = NULL;

		load_vec(&raw, files[i]);
		parts_of(&p, files[i]);
		WORKS(json_parse(&theirs, buf_view(&raw), EVIDENCE_MAX, &e));
		WORKS(azure_parts_write(&ours, &p, &e));
		WORKS(json_canonical(&a, theirs, &e));
		WORKS(json_canonical(&b, ours, &e));
		OK(slice_eq(buf_view(&a), buf_view(&b)));
	}
}
