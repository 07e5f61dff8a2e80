/* SPDX-License-Identifier: Apache-2.0 */
/* Real TPM quotes: each with the verdict that the vectors' README gives. */

#include "attest/appraise.h"
#include "attest/policy.h"
#include "codec/hex64.h"
#include "tee/azure.h"
#include "test.h"
#include "tpm_maker.h"

#define ALLOWED "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"tpm\"]}"
#define BINCODE "cpu-tee/azure/tpmquote.bincode"
#define TRUSTEE "trustee/tpm/tpm_evidence.json"

static void run(struct verdict *v, const char *evidence, size_t flip, const char *anchor, struct slice nonce, const char *policy)
{
	AUTO_BUF raw = { 0 }, pem = { 0 };
	AUTO_COLLATERAL anchors = { 0 };
	AUTO_POLICY *p = NULL;
	struct pubkey *key = calloc(1, sizeof *key);

	load_vec(&raw, evidence);
	if (flip)
		raw.p[flip] ^= 1;
	WORKS(policy_parse(&p, slice_str(policy), "test.json", &e));
	if (anchor) {
		load_vec(&pem, anchor);
		WORKS(pubkey_parse(key, buf_view(&pem), &e));
		anchors.keys = (struct pubkey_list){ key, 1 };
	} else {
		free(key);
	}
	WORKS(appraise(v, &(const struct appraise_in){ .evidence = buf_view(&raw), .now = TPM_MAKER_NOW, .policy = p, .anchors = &anchors,
						       .has_nonce = true, .nonce = nonce }, &e));
}

static void refused(const char *evidence, size_t flip, const char *anchor, struct slice nonce, const char *policy, const char *id)
{
	AUTO_VERDICT v = { 0 };

	run(&v, evidence, flip, anchor, nonce, policy);
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), id);
}

TEST(vectors_tpm_quote_of_kinvolk)
{
	AUTO_VERDICT v = { 0 };

	NEED_VECTORS;
	run(&v, BINCODE, 0, "cpu-tee/azure/tpmquote.akpub.pem", SLICE("challenge"), ALLOWED);
	if (!v.accepted)
		test_fail(__FILE__, __LINE__, "refused: %s", buf_cstr(&v.reason));
	STR(v.tee, "tpm");
	refused(BINCODE, 0, "cpu-tee/azure/tpmquote.akpub.pem", SLICE("challenged"), ALLOWED, "tpm.nonce");
	refused(BINCODE, 0, NULL, SLICE("challenge"), ALLOWED, "tpm.ak");
	refused(BINCODE, 0, "cpu-tee/azure/tpmquote.akpub.pem", SLICE("challenge"), "{\"schema\":\"cvmbox.policy/1\"}", "evidence.kind");
	refused(BINCODE, 20, "cpu-tee/azure/tpmquote.akpub.pem", SLICE("challenge"), ALLOWED, "tpm.signature");
	refused(BINCODE, 390, "cpu-tee/azure/tpmquote.akpub.pem", SLICE("challenge"), ALLOWED, "tpm.signature");
	refused(BINCODE, 1169, "cpu-tee/azure/tpmquote.akpub.pem", SLICE("challenge"), ALLOWED, "tpm.pcrs");
}

TEST(vectors_tpm_quote_of_trustee)
{
	AUTO_BUF raw = { 0 }, der = { 0 }, hex = { 0 }, policy = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_VERDICT v = { 0 };
	struct slice nonce;
	struct tpm_attest a;
	AUTO_BUF attest = { 0 };
	uint8_t sha[32];

	NEED_VECTORS;
	load_vec(&raw, TRUSTEE);
	WORKS(json_parse(&j, buf_view(&raw), EVIDENCE_MAX, &e));
	WORKS(json_need_b64(&attest, json_get(j, "tpm_quote"), "message", "vector", &e));
	WORKS(json_need_b64(&der, j, "ak_public", "vector", &e));
	WORKS(tpm_attest_parse(&a, buf_view(&attest), &e));
	nonce = a.extra;
	EQ(nonce.n, 64);
	refused(TRUSTEE, 0, NULL, nonce, ALLOWED, "tpm.ak");
	refused(TRUSTEE, 0, "cpu-tee/azure/tpmquote.akpub.pem", nonce, ALLOWED, "tpm.ak");	/* another trusted key */
	WORKS(hash_of(sha, HASH_SHA256, buf_view(&der), &e));
	hex_encode(&hex, slice_of(sha, sizeof sha));
	buf_printf(&policy, "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"tpm\"],\"ak_keys\":[\"%s\"]}", buf_cstr(&hex));
	run(&v, TRUSTEE, 0, NULL, nonce, buf_cstr(&policy));
	if (!v.accepted)
		test_fail(__FILE__, __LINE__, "refused: %s", buf_cstr(&v.reason));
	/* 48 bytes, as padded by the one who asked */
	verdict_free(&v);
	run(&v, TRUSTEE, 0, NULL, slice_of(nonce.p, 48), buf_cstr(&policy));
	OK(v.accepted);
}

/* The attestation key that a report of Azure's paravisor names. */
static void hcl_key(struct pubkey *ret, const char *name)
{
	AUTO_BUF raw = { 0 };
	struct hcl_claims c = { 0 };
	struct hcl_report r;

	load_vec(&raw, name);
	WORKS(hcl_parse(&r, buf_view(&raw), &e));
	WORKS(hcl_claims_parse(&c, r.claims, &e));
	*ret = c.ak;
	c.ak = (struct pubkey){ 0 };
	hcl_claims_free(&c);
}

static void signed_by_none(struct slice attest, struct slice signature)
{
	static const char *const reports[] = { "cpu-tee/azure/hcl-snp-2048.bin", "cpu-tee/azure/hcl-tdx-2600.bin" };
	struct tpm_subject s = { .attest = attest, .signature = signature, .bare = true };

	WORKS(tpm_subject_ready(&s, &e));
	EQ(s.a.type, TPM_ST_QUOTE);
	for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
		AUTO_PUBKEY key = { 0 };

		hcl_key(&key, reports[i]);
		EQ(key.type, KEY_RSA);
		FAILS(tpm_signature_verify(&s.sig, &key, attest, &e), EC_REFUSED);
	}
	tpm_subject_free(&s);
}

/* Quotes of other machines, with the keys that the shared reports name. */
TEST(vectors_tpm_quotes_fail_with_keys_of_other_machines)
{
	AUTO_BUF msg = { 0 }, sig = { 0 }, whole = { 0 }, pem = { 0 };
	struct slice signature, attest;
	struct tpm_pcrs pcrs;
	AUTO_PUBKEY key = { 0 };
	struct tpm_signature s;

	NEED_VECTORS;
	load_vec(&msg, "cpu-tee/azure/orphan-quote.msg");
	load_vec(&sig, "cpu-tee/azure/orphan-quote.sig");
	signed_by_none(buf_view(&msg), buf_view(&sig));
	load_vec(&whole, BINCODE);
	WORKS(tpm_bincode_parse(&signature, &attest, &pcrs, buf_view(&whole), &e));
	signed_by_none(attest, signature);
	load_vec(&pem, "cpu-tee/azure/tpmquote.akpub.pem");
	WORKS(pubkey_parse(&key, buf_view(&pem), &e));
	s = (struct tpm_signature){ .alg = TPM_RSASSA, .hash = TPM_SHA256, .r = buf_view(&sig) };
	FAILS(tpm_signature_verify(&s, &key, buf_view(&msg), &e), EC_REFUSED);
	s.r = signature;
	WORKS(tpm_signature_verify(&s, &key, attest, &e));
}
