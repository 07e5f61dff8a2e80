/* SPDX-License-Identifier: Apache-2.0 */
/* Judging a TPM quote (cpu-tee.md 2.9): see tpm_quote.h. */

#include "tee/tpm_quote.h"

#include "base/cursor.h"
#include "codec/hex64.h"

#define OID_AK_USAGE "2.23.133.8.3"	/* tcg-kp-AIKCertificate */
#define REPORT_DATA_SIZE 64
#define EVERY_TPM_TAKES 34		/* bytes of nonce; longer ones go in as they are, or as their SHA-256 */
#define CHAIN_MAX 8

/* --- subject ----------------------------------------------------------------------------------------------- */

void tpm_subject_free(struct tpm_subject *s)
{
	pubkey_free(&s->ak);
	s->ak = (struct pubkey){ 0 };
	certs_free(&s->certs);
}

static int key_sha256(uint8_t ret[static 32], const struct pubkey *k, struct err *e)
{
	AUTO_BUF der = { 0 };

	return pubkey_der(&der, k, e) || hash_of(ret, HASH_SHA256, buf_view(&der), e) ? -1 : 0;
}

/* The first source of the key sets it, the others have to agree. */
static int take_key(struct tpm_subject *s, struct pubkey *k, struct err *e)
{
	uint8_t sha[32];

	if (key_sha256(sha, k, e))
		return -1;
	if (s->ak.type != KEY_NONE) {
		s->differs |= memcmp(sha, s->ak_sha256, sizeof sha) != 0;
		return 0;
	}
	s->ak = *k;
	*k = (struct pubkey){ 0 };
	memcpy(s->ak_sha256, sha, sizeof sha);
	return 0;
}

static int ready_keys(struct tpm_subject *s, struct err *e)
{
	AUTO_PUBKEY spki = { 0 }, area = { 0 }, cert = { 0 };

	if (s->ak_key.n && (pubkey_parse(&spki, s->ak_key, e) || take_key(s, &spki, e)))
		return err_ctx(e, "attestation key");
	if (s->ak_area.n && (tpm_public_parse(&s->area, s->ak_area, e) || tpm_public_key(&area, &s->area, e) || take_key(s, &area, e)))
		return err_ctx(e, "public area of the attestation key");
	if (s->ak_cert.n && (certs_parse(&s->certs, s->ak_cert, e) || cert_public(&cert, &s->certs.v[0], e) || take_key(s, &cert, e)))
		return err_ctx(e, "certificate of the attestation key");
	return 0;
}

int tpm_subject_ready(struct tpm_subject *s, struct err *e)
{
	if (s->bare)
		s->sig = (struct tpm_signature){ .alg = TPM_RSASSA, .hash = TPM_SHA256, .r = s->signature };
	else if (tpm_signature_parse(&s->sig, s->signature, e))
		return err_ctx(e, "TPM quote");
	if (tpm_attest_parse(&s->a, s->attest, e))
		return err_ctx(e, "TPM quote");
	return ready_keys(s, e);
}

/* --- the key ------------------------------------------------------------------------------------------------ */

static bool same_key(const struct tpm_subject *s, const struct pubkey *k)
{
	uint8_t sha[32];
	struct err e = { 0 };

	return k->type == s->ak.type && !key_sha256(sha, k, &e) && !memcmp(sha, s->ak_sha256, sizeof sha);
}

static bool cert_has_key(const struct tpm_subject *s, const struct cert *c)
{
	AUTO_PUBKEY k = { 0 };
	struct err e = { 0 };

	return !cert_public(&k, c, &e) && same_key(s, &k);
}

static bool signs(const struct tpm_subject *s, const struct pubkey *k)
{
	struct err e = { 0 };

	return !tpm_signature_verify(&s->sig, k, s->attest, &e);
}

static bool copy_key(struct tpm_subject *s, const struct pubkey *k)
{
	AUTO_PUBKEY mine = { 0 };
	AUTO_BUF der = { 0 };
	struct err e = { 0 };

	return !pubkey_der(&der, k, &e) && !pubkey_parse(&mine, buf_view(&der), &e) && !take_key(s, &mine, &e);
}

static bool take_signer(struct tpm_subject *s, const struct cert_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		AUTO_PUBKEY k = { 0 };
		struct err e = { 0 };

		if (!cert_public(&k, &l->v[i], &e) && signs(s, &k))
			return copy_key(s, &k);
	}
	return false;
}

/* Evidence that does not name its key: one of the caller's has to have signed it. */
static bool take_trusted(struct tpm_subject *s, const struct expect *x)
{
	const struct pubkey_list *keys = x->anchors ? &x->anchors->keys : NULL;

	for (size_t i = 0; keys && i < keys->n; i++)
		if (signs(s, &keys->v[i]))
			return copy_key(s, &keys->v[i]);
	if ((x->anchors && take_signer(s, &x->anchors->certs)) || (x->given && take_signer(s, &x->given->certs)))
		return true;
	return keys && keys->n && copy_key(s, &keys->v[0]);	/* the signature check then says that it does not hold */
}

static bool is_anchor(const struct cert *c, const struct cert_list *anchors)
{
	for (size_t i = 0; i < anchors->n; i++)
		if (slice_eq(c->der, anchors->v[i].der))
			return true;
	return false;
}

/* All certificates that may stand between, as one list that owns nothing. */
static int gather(struct cert_list *ret, const struct tpm_subject *s, const struct expect *x)
{
	const struct cert_list *const from[] = { &s->certs, x->given ? &x->given->certs : NULL, x->carried ? &x->carried->certs : NULL };
	size_t n = 0;

	for (size_t i = 0; i < 3; i++)
		n += from[i] ? from[i]->n : 0;
	ret->v = n ? malloc(n * sizeof *ret->v) : NULL;
	if (n && !ret->v)
		return -1;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; from[i] && k < from[i]->n; k++)
			ret->v[ret->n++] = from[i]->v[k];
	return 0;
}

/* 0: a certificate of this key chains to an anchor.  why stays empty where there is no certificate at all. */
static int certified(struct tpm_subject *s, const struct expect *x, struct err *why)
{
	const struct cert_list *anchors = &x->anchors->certs;
	struct cert_list all = { 0 };
	int rc = -1;

	if (gather(&all, s, x))
		return err_oom(why);
	for (size_t i = 0; rc && i < all.n + anchors->n; i++) {
		const struct cert *c = i < all.n ? &all.v[i] : &anchors->v[i - all.n];

		if (!cert_has_key(s, c))
			continue;
		/* a CA that the caller trusts may have other customers */
		if (!cert_allows(c, OID_AK_USAGE) && !is_anchor(c, anchors)) {
			err_set(why, EC_REFUSED, "its certificate is for other uses than attestation (no %s)", OID_AK_USAGE);
			continue;
		}
		rc = cert_chain(c, &all, anchors, x->now, why);
		if (!rc)
			s->leaf = *c;	/* c itself goes with the list */
	}
	free(all.v);
	return rc;
}

static enum outcome judge_anchor(struct tpm_subject *s, const struct expect *x, struct finding *f)
{
	struct err why = { 0 };

	for (size_t i = 0; x->anchors && i < x->anchors->keys.n; i++)
		if (same_key(s, &x->anchors->keys.v[i])) {
			buf_puts(&f->actual, ", a trusted key");
			return PASSED;
		}
	if (x->anchors && x->anchors->certs.n && !certified(s, x, &why)) {
		buf_puts(&f->actual, ", certified as ");
		cert_name(&f->actual, s->leaf.subject, &why);
		return PASSED;
	}
	if (why.msg[0])
		buf_printf(&f->actual, ": %s", why.msg);
	buf_puts(&f->hint, "anyone's key signs quotes: give this one, or the CA that certified it, with --trust-anchor, or pin its SHA-256 "
			   "by the policy's ak_keys");
	return FAILED;
}

static enum outcome check_ak(void *p, const struct expect *x, struct finding *f)
{
	struct tpm_subject *s = p;
	const struct texts *pinned = &x->limits->ak_keys;
	AUTO_BUF hex = { 0 };

	if (s->differs)
		return found(f, false, "one key", "public area, key and certificate of the evidence hold different ones");
	if (s->ak.type == KEY_NONE && !take_trusted(s, x)) {
		buf_puts(&f->hint, "give its public key with --trust-anchor");
		return found(f, false, "a key that the caller trusts", "the evidence does not name its key");
	}
	buf_hex(&hex, slice_of(s->ak_sha256, sizeof s->ak_sha256));
	buf_printf(&f->actual, "%s %s", key_type_name(s->ak.type), buf_cstr(&hex));
	if (pinned->n) {	/* whatever else vouches for it */
		f->source = x->limits->source;
		if (pinned->n == 1)
			buf_puts(&f->expected, pinned->v[0]);
		else
			buf_printf(&f->expected, "one of %zu keys", pinned->n);
		return !hex.bad && texts_have(pinned, buf_cstr(&hex)) ? PASSED : FAILED;
	}
	if (s->vouched) {
		buf_printf(&f->actual, ", named by %s", s->vouched);
		return found(f, true, "a key that something vouches for", NULL);
	}
	buf_puts(&f->expected, "a key that the caller trusts");
	return judge_anchor(s, x, f);
}

/* H(parent || name), the parent of a primary key being its hierarchy: what binds the public area to the quote. */
static const char *hierarchy_of(const struct tpm_subject *s)
{
	static const struct {
		uint32_t handle;
		const char *name;
	} hierarchies[] = { { 0x40000001, "owner" }, { 0x4000000b, "endorsement" }, { 0x4000000c, "platform" }, { 0x40000007, "null" } };
	const enum hash h = tpm_hash(s->area.name_alg);
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof hierarchies / sizeof hierarchies[0]; i++) {
		AUTO_BUF in = { 0 };
		uint8_t qualified[2 + HASH_MAX] = { (uint8_t)(s->area.name_alg >> 8), (uint8_t)s->area.name_alg };

		buf_be32(&in, hierarchies[i].handle);
		if (tpm_public_name(&in, &s->area, &e) || hash_of(qualified + 2, h, buf_view(&in), &e))
			return NULL;
		if (slice_eq(s->a.signer, slice_of(qualified, 2 + hash_size(h))))
			return hierarchies[i].name;
	}
	return NULL;
}

static enum outcome check_attributes(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;
	const char *hierarchy;
	struct err e = { 0 };

	(void)x;
	if (!s->area.raw.n) {
		buf_puts(&f->hint, "the evidence holds the key alone, without its public area");
		return NOT_ASKED;
	}
	buf_puts(&f->expected, "a restricted signing key that was made in this TPM and never leaves it");
	if (tpm_public_attests(&s->area, &e)) {
		buf_puts(&f->actual, e.msg);
		return FAILED;
	}
	hierarchy = hierarchy_of(s);
	if (hierarchy)
		buf_printf(&f->actual, "such a key, primary key of the %s hierarchy", hierarchy);
	else
		buf_puts(&f->actual, "such a key, by its own word: it has a parent, so the quote does not show its name");
	return PASSED;
}

/* The certificate that made this one: by name and signature.  The chain itself was established before. */
static bool issuer_of(struct cert *ret, const struct cert *c, const struct cert_list *all, const struct cert_list *anchors)
{
	for (size_t i = 0; i < all->n + anchors->n; i++) {
		const struct cert *by = i < all->n ? &all->v[i] : &anchors->v[i - all->n];
		AUTO_PUBKEY key = { 0 };
		struct err e = { 0 };

		if (!slice_eq(by->der, c->der) && slice_eq(by->subject, c->issuer) && !cert_public(&key, by, &e) && !cert_signed_by(c, &key, &e)) {
			*ret = *by;
			return true;
		}
	}
	return false;
}

/* One certificate against every list of its issuer.  A list that came with the evidence and is not good counts as none. */
static bool revoked(bool *looked, struct finding *f, const struct cert *c, const struct cert *by, const struct expect *x)
{
	const struct collateral_item *it;

	for (size_t i = 0; (it = expect_collateral(x, COLLATERAL_CRL, i)); i++) {
		const bool ours = x->given && it >= x->given->v && it < x->given->v + x->given->n;
		struct err e = { 0 };

		if (!slice_eq(it->crl.issuer, by->subject))
			continue;
		if (crl_check(&it->crl, by, x->now, &e)) {
			if (!ours)
				continue;
			buf_puts(&f->actual, e.msg);
			return true;
		}
		*looked = true;
		if (!crl_lists(&it->crl, c->serial))
			continue;
		buf_puts(&f->actual, "revoked: ");
		cert_name(&f->actual, c->subject, &e);
		return true;
	}
	return false;
}

static enum outcome check_crl(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;
	struct cert_list all = { 0 };
	struct cert c = s->leaf, by;
	bool looked = false, bad = false;

	if (!c.der.n) {
		buf_puts(&f->hint, "no certificate vouches for the key");
		return NOT_ASKED;
	}
	if (gather(&all, s, x))
		return found(f, false, NULL, "out of memory");
	buf_puts(&f->expected, "not revoked");
	for (int depth = 0; depth < CHAIN_MAX && !bad && issuer_of(&by, &c, &all, &x->anchors->certs); depth++) {
		bad = revoked(&looked, f, &c, &by, x);
		c = by;
	}
	free(all.v);
	if (bad)
		return FAILED;
	if (!looked) {
		buf_puts(&f->hint, "no revocation list of its issuers was given: --collateral");
		return NOT_ASKED;
	}
	return found(f, true, NULL, "on no list of its issuers");
}

/* --- the quote ---------------------------------------------------------------------------------------------- */

static enum outcome check_signature(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;
	struct err e = { 0 };

	(void)x;
	buf_puts(&f->expected, "signed by the attestation key");
	if (s->ak.type == KEY_NONE)
		return found(f, false, NULL, "there is no key to check it with");
	if (tpm_signature_verify(&s->sig, &s->ak, s->attest, &e)) {
		buf_puts(&f->actual, e.msg);
		buf_puts(&f->hint, "changed, cut, or signed by another key");
		return FAILED;
	}
	buf_printf(&f->actual, "%s %s", tpm_alg_name(s->sig.alg), tpm_alg_name(s->sig.hash));
	return PASSED;
}

static enum outcome check_magic(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;

	(void)x;
	buf_printf(&f->actual, "%08x", s->a.magic);
	if (s->a.magic != TPM_MAGIC)
		buf_puts(&f->hint, "the key has signed data that did not come from inside a TPM");
	return found(f, s->a.magic == TPM_MAGIC, "ff544347 (made by a TPM)", NULL);
}

static enum outcome check_type(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;

	(void)x;
	buf_printf(&f->actual, "%04x", s->a.type);
	return found(f, s->a.type == TPM_ST_QUOTE, "8018 (a quote)", NULL);
}

/* Both padded with zeros on the right.  An empty one is equal to nothing. */
static bool same_padded(struct slice extra, struct slice wanted)
{
	uint8_t a[REPORT_DATA_SIZE + 2 + HASH_MAX] = { 0 }, b[sizeof a] = { 0 };

	if (!extra.n || extra.n > sizeof a || !wanted.n || wanted.n > sizeof b)
		return false;
	memcpy(a, extra.p, extra.n);
	memcpy(b, wanted.p, wanted.n);
	return mem_eq_ct(a, b, sizeof a);
}

static bool same_hashed(struct slice extra, struct slice wanted)
{
	uint8_t padded[REPORT_DATA_SIZE] = { 0 }, as_is[32], whole[32];
	struct err e = { 0 };

	if (extra.n != sizeof as_is || wanted.n > sizeof padded)
		return false;
	memcpy(padded, wanted.p, wanted.n);
	if (hash_of(as_is, HASH_SHA256, wanted, &e) || hash_of(whole, HASH_SHA256, slice_of(padded, sizeof padded), &e))
		return false;
	return (wanted.n > EVERY_TPM_TAKES && mem_eq_ct(extra.p, as_is, sizeof as_is)) || mem_eq_ct(extra.p, whole, sizeof whole);
}

static enum outcome check_nonce(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;

	buf_hex(&f->actual, s->a.extra);
	if (s->a.extra.n == 0)
		buf_puts(&f->actual, "empty");
	if (x->report_data.n == 0 || x->report_data.n > REPORT_DATA_SIZE) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "without one the quote may be an old one: give --nonce, or --insecure-no-nonce");
		return x->no_freshness && x->report_data.n == 0 ? WARNED : FAILED;
	}
	buf_hex(&f->expected, x->report_data);
	if (!same_padded(s->a.extra, x->report_data) && !same_hashed(s->a.extra, x->report_data)) {
		buf_puts(&f->hint, "the quote was made for another nonce: is it an old one?");
		return FAILED;
	}
	return x->no_freshness ? WARNED : PASSED;
}

/* --- PCRs --------------------------------------------------------------------------------------------------- */

/* The one bank that the quote selects PCRs of; NULL: none, or several. */
static const char *selected(uint16_t *bank, uint32_t *mask, const struct tpm_attest *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_selections; i++)
		if (a->selection[i].mask) {
			*bank = a->selection[i].bank;
			*mask = a->selection[i].mask;
			n++;
		}
	return n == 1 ? NULL : n ? "the quote covers several banks, values of one were offered" : "the quote covers no PCR";
}

static enum outcome check_pcrs(void *p, const struct expect *x, struct finding *f)
{
	struct tpm_subject *s = p;
	const enum hash h = tpm_hash(s->sig.hash);
	uint8_t digest[HASH_MAX];
	const char *wrong;
	uint32_t mask = 0;
	uint16_t bank = 0;
	struct err e = { 0 };

	(void)x;
	buf_puts(&f->expected, "exactly the PCR values that the TPM signed");
	if (!s->has_pcrs || !s->pcrs.mask)
		return found(f, false, NULL, "no values were offered");
	wrong = selected(&bank, &mask, &s->a);
	if (wrong)
		return found(f, false, NULL, wrong);
	if (bank != s->pcrs.bank) {
		buf_printf(&f->actual, "the quote covers the %s bank (0x%04x), the values are of %s", tpm_alg_name(bank), bank,
			   tpm_alg_name(s->pcrs.bank));
		return FAILED;
	}
	if (bank == TPM_SHA1)
		return found(f, false, NULL, "values of the SHA-1 bank, which can be forged");
	if (s->pcrs.mask & ~mask) {
		buf_puts(&f->actual, "values that the quote does not cover, of PCRs ");
		tpm_pcr_list(&f->actual, s->pcrs.mask & ~mask);
		return FAILED;
	}
	if (mask & ~s->pcrs.mask) {
		buf_puts(&f->actual, "no values of PCRs ");
		tpm_pcr_list(&f->actual, mask & ~s->pcrs.mask);
		return FAILED;
	}
	if (h == HASH_NONE || tpm_pcr_digest(digest, h, &s->pcrs, &e) || !slice_eq(s->a.digest, slice_of(digest, hash_size(h)))) {
		buf_puts(&f->actual, "other values: their digest is not the one that was signed");
		return FAILED;
	}
	buf_printf(&f->actual, "%s:", tpm_alg_name(bank));
	tpm_pcr_list(&f->actual, mask);
	s->pcrs_hold = true;
	return PASSED;
}

static enum outcome check_clock(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;

	(void)x;
	buf_printf(&f->actual, "%s, %u resets, %u restarts", s->a.safe == 1 ? "safe" : "not safe", s->a.resets, s->a.restarts);
	if (s->a.safe != 1)
		buf_puts(&f->hint, "the TPM lost power without notice, so its clock may repeat; nothing here rests on that clock");
	return found(f, s->a.safe == 1, "safe", NULL) == PASSED ? PASSED : WARNED;
}

static enum outcome check_values(void *p, const struct expect *x, struct finding *f)
{
	const struct tpm_subject *s = p;
	uint32_t asked = 0;

	for (unsigned n = 0; n < LIMIT_PCRS; n++) {
		const struct texts *list = &x->limits->pcr[n];
		const struct slice v = tpm_pcr(&s->pcrs, n);
		AUTO_BUF hex = { 0 };

		if (!list->n)
			continue;
		f->source = x->limits->source;
		asked |= UINT32_C(1) << n;
		buf_hex(&hex, v);
		if (v.n && !hex.bad && texts_have(list, buf_cstr(&hex)))
			continue;
		if (list->n == 1)
			buf_printf(&f->expected, "PCR %u %s", n, list->v[0]);
		else
			buf_printf(&f->expected, "PCR %u, one of %zu values", n, list->n);
		buf_puts(&f->actual, v.n ? buf_cstr(&hex) : "not in the quote");
		if (v.n && strlen(list->v[0]) != 2 * v.n)
			buf_printf(&f->hint, "the quote is of the %s bank", tpm_alg_name(s->pcrs.bank));
		return FAILED;
	}
	if (!asked) {
		buf_puts(&f->hint, "the policy names none");
		return NOT_ASKED;
	}
	buf_puts(&f->actual, "as listed: PCRs ");
	tpm_pcr_list(&f->actual, asked);
	return PASSED;
}

enum { C_AK, C_ATTRIBUTES, C_CRL, C_SIGNATURE, C_MAGIC, C_TYPE, C_NONCE, C_PCRS };
/* Whose key it is stands alone: the rest is looked at, and shown, for any key. */
#define GENUINE (NEEDS(C_SIGNATURE) | NEEDS(C_MAGIC) | NEEDS(C_TYPE))
const struct check tpm_checks[TPM_CHECKS] = {
	[C_AK] = { "tpm.ak", 0, CHECK_BASE, check_ak },
	[C_ATTRIBUTES] = { "tpm.ak.attributes", 0, CHECK_WHERE_ASKED, check_attributes },
	[C_CRL] = { "tpm.ak.crl", NEEDS(C_AK), CHECK_WHERE_ASKED, check_crl },
	[C_SIGNATURE] = { "tpm.signature", 0, CHECK_BASE, check_signature },
	[C_MAGIC] = { "tpm.magic", NEEDS(C_SIGNATURE), CHECK_BASE, check_magic },
	[C_TYPE] = { "tpm.type", NEEDS(C_SIGNATURE), CHECK_BASE, check_type },
	[C_NONCE] = { "tpm.nonce", GENUINE, CHECK_BASE, check_nonce },
	[C_PCRS] = { "tpm.pcrs", GENUINE, CHECK_BASE, check_pcrs },
	{ "tpm.clock", GENUINE, CHECK_ADVISORY, check_clock },
	{ "tpm.pcr_values", NEEDS(C_PCRS), CHECK_WHERE_ASKED, check_values },
};
const size_t n_tpm_checks = TPM_CHECKS;
_Static_assert(TPM_CHECKS <= CHECKS_MAX, "a bit for each check");

/* --- what others take out of it ----------------------------------------------------------------------------- */

static uint32_t covered(const struct tpm_subject *s)
{
	uint32_t mask = 0;
	uint16_t bank = 0;

	return !s->has_pcrs || selected(&bank, &mask, &s->a) || bank != s->pcrs.bank ? 0 : mask & s->pcrs.mask;
}

void tpm_registers(struct registers *ret, const struct tpm_subject *s)
{
	const uint32_t mask = covered(s);

	*ret = (struct registers){ .cc = false, .alg = tpm_hash(s->pcrs.bank) };
	for (unsigned n = 0; n < TPM_PCRS; n++) {
		const struct slice v = tpm_pcr(&s->pcrs, n);

		if (!(mask >> n & 1) || !v.n)
			continue;
		ret->v[n].known = true;
		ret->v[n].n = v.n;
		memcpy(ret->v[n].v, v.p, v.n);
	}
}

void tpm_pcr_claims(struct json *to, const struct tpm_subject *s)
{
	const uint32_t mask = covered(s);

	for (unsigned n = 0; n < TPM_PCRS; n++) {
		char name[8];

		snprintf(name, sizeof name, "pcr%02u", n);
		if (mask >> n & 1)
			json_add_hex(to, name, tpm_pcr(&s->pcrs, n));
	}
}

static void key_details(struct json *to, const struct tpm_subject *s, struct err *e)
{
	AUTO_BUF name = { 0 };

	json_add_str(to, "type", key_type_name(s->ak.type));
	json_add_hex(to, "sha256", slice_of(s->ak_sha256, sizeof s->ak_sha256));
	if (s->area.raw.n) {
		const char *hierarchy = hierarchy_of(s);

		if (!tpm_public_name(&name, &s->area, e))
			json_add_hex(to, "name", buf_view(&name));
		json_add_fmt(to, "attributes", "0x%08x", s->area.attributes);
		if (hierarchy)
			json_add_str(to, "hierarchy", hierarchy);
	}
	if (s->certs.n) {
		AUTO_BUF subject = { 0 }, issuer = { 0 };

		cert_name(&subject, s->certs.v[0].subject, e);
		cert_name(&issuer, s->certs.v[0].issuer, e);
		json_add_str(to, "certificate_subject", buf_cstr(&subject));
		json_add_str(to, "certificate_issuer", buf_cstr(&issuer));
	}
}

int tpm_quote_details(struct json *to, const struct tpm_subject *s, struct err *e)
{
	const struct tpm_attest *a = &s->a;
	struct err ignored = { 0 };
	struct json *j, *selection;

	(void)e;
	j = json_add_object(to, "attest");
	json_add_fmt(j, "magic", "%08x", a->magic);
	json_add_fmt(j, "type", "%04x", a->type);
	json_add_hex(j, "qualified_signer", a->signer);
	json_add_hex(j, "extra_data", a->extra);
	json_add_u64(j, "clock", a->clock);
	json_add_u64(j, "resets", a->resets);
	json_add_u64(j, "restarts", a->restarts);
	json_add_u64(j, "safe", a->safe);
	json_add_fmt(j, "firmware_version", "%016llx", (unsigned long long)a->firmware);
	selection = json_add_object(j, "selection");
	for (size_t i = 0; i < a->n_selections; i++) {
		AUTO_BUF text = { 0 };

		tpm_pcr_list(&text, a->selection[i].mask);
		json_add_str(selection, tpm_alg_name(a->selection[i].bank), buf_cstr(&text));
	}
	json_add_hex(j, "pcr_digest", a->digest);
	j = json_add_object(to, "signature");
	json_add_str(j, "scheme", tpm_alg_name(s->sig.alg));
	json_add_str(j, "hash", tpm_alg_name(s->sig.hash));
	if (s->ak.type != KEY_NONE)
		key_details(json_add_object(to, "ak"), s, &ignored);
	tpm_pcr_claims(json_add_object(to, "pcrs"), s);
	return 0;
}

int tpm_bincode_parse(struct slice *signature, struct slice *attest, struct tpm_pcrs *pcrs, struct slice raw, struct err *e)
{
	struct rd r = rd_of(raw);
	struct tpm_pcrs p = { .bank = TPM_SHA256 };
	struct slice part[2];
	uint64_t n;

	for (int i = 0; i < 2; i++) {
		n = rd_le64(&r);
		part[i] = rd_take(&r, n > raw.n ? SIZE_MAX : (size_t)n);
	}
	n = rd_le64(&r);
	if (!r.bad && n > TPM_PCRS)
		return err_set(e, EC_FORMAT, "quote bundle holds %llu PCR values, at most %d are possible", (unsigned long long)n, TPM_PCRS);
	for (uint64_t i = 0; !r.bad && i < n; i++) {
		rd_copy(&r, p.v[i], 32);
		p.mask |= UINT32_C(1) << i;
	}
	if (r.bad)
		return err_set(e, EC_FORMAT, "quote bundle of %zu bytes ends in the middle", raw.n);
	if (rd_left(&r))
		return err_set(e, EC_FORMAT, "%zu bytes behind a quote bundle", rd_left(&r));
	*signature = part[0];
	*attest = part[1];
	*pcrs = p;
	return 0;
}
