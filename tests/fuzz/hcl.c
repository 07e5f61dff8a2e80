/* SPDX-License-Identifier: Apache-2.0 */
/* HCL reports and Azure's evidence in every form: as they are nothing may be accepted, since nobody here has the keys.  Then the same
 * again with the TPM's key in the claims exchanged for ours, the SNP report bound to those claims and signed by a test VCEK, and the quote
 * signed by that key, so that what stands behind binding and signatures is reached too; that one may be accepted, and only if another
 * nonce, another byte of the claims and another PCR make it refused. */

#include "attest/appraise.h"
#include "attest/show.h"
#include "base/cursor.h"
#include "crypto/hash.h"
#include "tee/azure.h"
#include "tee/tpm_wire.h"
#include "snp_maker.c"	/* a fuzz target is one object */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What snp_maker.c reports to is the unit tests'. */
void test_fail(const char *file, int line, const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)fmt;
	abort();
}

static struct privkey ak;
static struct buf modulus;		/* base64url */

static void once(void)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_BUF n = { 0 }, ex = { 0 };

	if (ak.ctx)
		return;
	if (privkey_generate(&ak, KEY_RSA, 2048, NULL) || privkey_public(&k, &ak, NULL) || pubkey_rsa_ne(&n, &ex, &k, NULL))
		abort();
	b64url_encode(&modulus, buf_view(&n));
}

static bool accepted(struct slice evidence, const char *kind, struct slice nonce)
{
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	return !appraise(&v, &(const struct appraise_in){ .evidence = evidence, .kind = kind, .now = MAKER_NOW, .has_nonce = nonce.n > 0,
							  .nonce = nonce, .insecure_no_nonce = !nonce.n, .snp_roots = maker_roots() }, &e) &&
	       v.accepted;
}

static bool parts_accepted(const struct azure_parts *p, struct slice nonce)
{
	AUTO_JSON *j = NULL;
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	if (azure_parts_write(&j, p, &e) || json_write(&text, j, false, &e))
		abort();
	return accepted(buf_view(&text), "az-snp-vtpm", nonce);
}

/* Where a modulus stands behind the key's name: ours. */
static void our_key(uint8_t *claims, size_t n)
{
	static const char name[] = "HCLAkPub", member[] = "\"n\":\"";
	uint8_t *at = memmem(claims, n, name, sizeof name - 1);

	if (at)
		at = memmem(at, n - (size_t)(at - claims), member, sizeof member - 1);
	if (at && n - (size_t)(at - claims) > sizeof member + modulus.n)
		memcpy(at + sizeof member - 1, modulus.p, modulus.n);
}

/* A quote over the PCRs as they came; what stood in the message before its digest stays. */
static void our_quote(struct azure_parts *p)
{
	struct tpm_attest a;
	struct tpm_pcrs pcrs = { .bank = TPM_SHA256 };
	struct err e = { 0 };
	size_t k = 0;

	if (!tpm_attest_parse(&a, buf_view(&p->message), &e) && a.n_selections == 1 && a.digest.n == 32) {
		pcrs.mask = a.selection[0].mask;
		for (unsigned i = 0; i < TPM_PCRS && k < p->n_pcrs; i++)
			if (pcrs.mask >> i & 1)
				memcpy(pcrs.v[i], p->pcrs[k++], 32);
		if (tpm_pcr_digest(p->message.p + (a.digest.p - p->message.p), HASH_SHA256, &pcrs, &e))
			abort();
	}
	buf_reset(&p->signature);
	if (sig_sign(&p->signature, &ak, SIG_RSA_PKCS1, HASH_SHA256, buf_view(&p->message), &e))
		abort();
}

static void must_refuse(const struct azure_parts *p, struct slice nonce)
{
	if (parts_accepted(p, nonce))
		abort();
}

static void made_again(struct slice in)
{
	AUTO_AZURE_PARTS p = { 0 };
	struct hcl_report h;
	struct tpm_attest a;
	struct snp_report r;
	struct err e = { 0 };
	uint8_t raw[SNP_REPORT_SIZE], nonce[64];
	struct slice extra;

	if (azure_parts_read(&p, in, &e) || hcl_parse(&h, buf_view(&p.hcl), &e) || h.type != HCL_SNP)
		return;
	our_key(p.hcl.p + (h.claims.p - h.raw.p), h.claims.n);
	memcpy(raw, h.hardware.p, sizeof raw);
	if (hcl_binding(raw + 0x50, &h, &e))
		return;
	raw[0] = (uint8_t)(raw[0] % 8);
	raw[1] = raw[2] = raw[3] = 0;
	if (snp_report_parse(&r, slice_of(raw, sizeof raw), &e))
		return;
	report_sign(raw);
	memcpy(p.hcl.p + 32, raw, sizeof raw);
	buf_reset(&p.vcek);
	vek_make(&p.vcek, raw, &(const struct vek_make){ 0 });
	our_quote(&p);
	if (tpm_attest_parse(&a, buf_view(&p.message), &e) || a.extra.n == 0 || a.extra.n > sizeof nonce)
		return;
	memcpy(nonce, a.extra.p, a.extra.n);
	extra = slice_of(nonce, a.extra.n);
	if (!parts_accepted(&p, extra))
		return;
	if (get_le32(raw + 0x30) != 0 || h.report_size != 1216 + h.data_size)
		abort();
	nonce[0] ^= 1;
	must_refuse(&p, extra);
	nonce[0] ^= 1;
	p.hcl.p[h.claims.p - h.raw.p] ^= 1;
	must_refuse(&p, extra);
	p.hcl.p[h.claims.p - h.raw.p] ^= 1;
	p.pcrs[0][0] ^= 1;
	must_refuse(&p, extra);
}

static void shown(struct slice in, const struct evidence_kind *k)
{
	AUTO_JSON *details = json_object(), *claims = json_object();
	struct err e = { 0 };
	void *parsed = NULL;

	if (k->parse(&parsed, in, (struct slice){ 0 }, &e))
		return;
	k->details(details, parsed, &e);
	k->claims(claims, parsed, &e);
	k->drop(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice in = slice_of(p, n);

	once();
	shown(in, &evidence_az_snp);
	shown(in, &evidence_az_tdx);
	if (accepted(in, "az-snp-vtpm", (struct slice){ 0 }) || accepted(in, "az-tdx-vtpm", (struct slice){ 0 }))
		abort();
	made_again(in);
	return 0;
}
