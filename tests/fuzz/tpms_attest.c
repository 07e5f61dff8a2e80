/* SPDX-License-Identifier: Apache-2.0 */
/* TPMS_ATTEST of any shape, signed by a key that the verifier trusts: only a quote of the right values and nonce may hold. */
#include "tee/tpm_quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct privkey key;
static struct pubkey pub;

static enum rule by_default(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

static void sign(struct buf *ret, struct slice attest)
{
	AUTO_BUF sig = { 0 };
	struct err e = { 0 };

	if (key.type == KEY_NONE && (privkey_generate(&key, KEY_EC_P256, 0, &e) || privkey_public(&pub, &key, &e)))
		abort();
	if (sig_sign(&sig, &key, SIG_ECDSA_RAW, HASH_SHA256, attest, &e))
		abort();
	buf_be16(ret, TPM_ECDSA);
	buf_be16(ret, TPM_SHA256);
	buf_be16(ret, 32);
	buf_put(ret, sig.p, 32);
	buf_be16(ret, 32);
	buf_put(ret, sig.p + 32, 32);
}

/* The digest in the place where this quote has it, so that what is behind it is reached as well. */
static void set_digest(struct buf *attest, const struct tpm_pcrs *pcrs)
{
	uint8_t digest[HASH_MAX];
	struct tpm_attest a;
	struct err e = { 0 };

	if (!tpm_attest_parse(&a, buf_view(attest), &e) && a.digest.n == 32 && !tpm_pcr_digest(digest, HASH_SHA256, pcrs, &e))
		memcpy(attest->p + (a.digest.p - attest->p), digest, 32);
}

/* Signing takes most of the time: so only some inputs go all the way, the others straight to the checks behind the signature. */
static void judge(struct tpm_subject *s, const struct expect *x, bool all_the_way)
{
	AUTO_JSON *list = json_array();
	struct tally t = { .list = list };

	if (all_the_way && checks_run(&t, tpm_checks, TPM_CHECKS, s, x, by_default, NULL) &&
	    (s->a.magic != TPM_MAGIC || s->a.type != TPM_ST_QUOTE || s->a.extra.n < 9 || memcmp(s->a.extra.p, "challenge", 9) || !s->pcrs_hold))
		abort();
	for (size_t i = 4; i < TPM_CHECKS && !all_the_way; i++) {
		struct finding f = { 0 };

		tpm_checks[i].run(s, x, &f);
		buf_free(&f.expected);
		buf_free(&f.actual);
		buf_free(&f.hint);
	}
	buf_free(&t.reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_BUF attest = { 0 }, signature = { 0 };
	AUTO_JSON *claims = json_object();
	struct collateral anchors = { .keys = { &pub, 1 } };
	struct expect x = { .limits = &limits_strict, .now = 1750000000, .anchors = &anchors, .report_data = SLICE("challenge") };
	struct tpm_subject s = { .has_pcrs = true, .pcrs = { .bank = TPM_SHA256 }, .bare = true };
	struct tpm_attest a;
	struct registers regs;
	struct err e = { 0 };

	if (n < 4)
		return 0;
	s.pcrs.mask = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
	buf_put(&attest, p + 4, n - 4);
	if (p[3] & 1)
		set_digest(&attest, &s.pcrs);
	if (tpm_attest_parse(&a, buf_view(&attest), &e))
		return 0;
	if (p[3] & 2) {
		sign(&signature, buf_view(&attest));
		s.bare = false;
	}
	s.attest = buf_view(&attest);
	s.signature = buf_view(&signature);
	if (!tpm_subject_ready(&s, &e)) {
		judge(&s, &x, !s.bare);
		tpm_registers(&regs, &s);
		for (unsigned i = 0; i < 24; i++)
			if (regs.v[i].known && !(s.pcrs.mask >> i & 1))
				abort();
		tpm_pcr_claims(claims, &s);
		tpm_quote_details(claims, &s, &e);
	}
	tpm_subject_free(&s);
	return 0;
}
