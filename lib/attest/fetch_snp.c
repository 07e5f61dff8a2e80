/* SPDX-License-Identifier: Apache-2.0 */
/* What an SNP report needs of AMD: the certificate of the key that signed it, the one above it, and the revocation list. */

#include "attest/fetch_int.h"
#include "codec/hex64.h"
#include "tee/snp_vek.h"

#define CERT_MAX_BYTES ((size_t)16 << 10)
#define CHAIN_MAX_BYTES ((size_t)64 << 10)
#define LIST_MAX_BYTES ((size_t)1 << 20)

struct want {			/* of one report */
	const struct snp_report *r;
	const char *product, *kind;	/* "Milan"; "vcek" or "vlek" */
	bool guessed;			/* the product */
	char ca[32], root[32];		/* common names: "SEV-Milan", "ARK-Milan" */
};

static bool signs(const struct cert *c, const struct snp_report *r)
{
	uint8_t sig[96];
	struct err no = { 0 };
	AUTO_PUBKEY k = { 0 };

	return snp_signature(sig, r) && !cert_public(&k, c, &no) && k.type == KEY_EC_P384 &&
	       !sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA384, slice_of(r->raw, SNP_SIGNED_SIZE), slice_of(sig, sizeof sig), &no);
}

/* The certificate of the report's key that holds now, if it is at hand. */
static const struct cert *find_vek(const struct cert_list *l, const struct snp_report *r, int64_t now)
{
	struct err no = { 0 };
	bool vlek;

	for (size_t i = 0; l && i < l->n; i++)
		if (snp_vek_recognise(&l->v[i], &vlek) && vlek == (snp_signing_key(r) == SNP_KEY_VLEK) && !cert_dates(&l->v[i], now, &no) &&
		    signs(&l->v[i], r))
			return &l->v[i];
	return NULL;
}

static bool named(const struct cert_list *l, const char *cn)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (slice_eqs(x509_common_name(l->v[i].subject), cn))
			return true;
	return false;
}

/* --- is it what was asked for? ------------------------------------------------------------------------------------ */

static int fits_vek(const void *arg, const struct collateral *c, struct err *e)
{
	const struct want *w = arg;
	bool vlek;

	if (c->certs.n != 1 || !snp_vek_recognise(&c->certs.v[0], &vlek) || vlek)
		return err_set(e, EC_FORMAT, "the answer is no VCEK");
	if (!signs(&c->certs.v[0], w->r)) {
		err_set(e, EC_REFUSED, "the VCEK that was given is not of the key that signed the report");
		return err_hint(e, "the report was changed, or its chip id or TCB is not the one that signed");
	}
	return 0;
}

static int fits_chain(const void *arg, const struct collateral *c, struct err *e)
{
	const struct want *w = arg;

	return named(&c->certs, w->ca) && named(&c->certs, w->root)
		       ? 0 : err_set(e, EC_FORMAT, "the answer does not hold the certificates of '%s' and '%s'", w->ca, w->root);
}

static bool is_list(const void *arg, const struct collateral_item *it)
{
	return slice_eqs(x509_common_name(it->crl.issuer), ((const struct want *)arg)->root);
}

static int fits_list(const void *arg, const struct collateral *c, struct err *e)
{
	return is_list(arg, &c->v[0]) ? 0 : err_set(e, EC_FORMAT, "the answer is a revocation list, and not that of '%s'", ((const struct want *)arg)->root);
}

static int no_vek(const void *arg, long status, struct err *e)
{
	const struct want *w = arg;
	const struct snp_tcb t = snp_tcb_at(w->r, SNP_TCB_REPORTED);
	AUTO_BUF id = { 0 }, tcb = { 0 };

	buf_hex(&id, snp_chip_id(w->r));
	snp_tcb_text(&tcb, &t);
	err_set(e, EC_ABSENT, "AMD knows no VCEK for this chip and TCB (status %ld): product %s, chip id %.16s.., %s", status, w->product,
		buf_cstr(&id), buf_cstr(&tcb));
	if (w->guessed)
		return err_hint(e, "the report does not name its product: try --product");
	return err_hint(e, "firmware that AMD has not released, or a chip id the host did not tell: ask the host for its certificate table");
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

static const char *base(const struct fetch *w)
{
	return w->from->kds ? w->from->kds : FETCH_KDS;
}

static int ask_vek(struct fetch *f, const struct want *w, struct err *e)
{
	const struct snp_tcb t = snp_tcb_at(w->r, SNP_TCB_REPORTED);
	struct ask a = { .type = COLLATERAL_CERTS, .what = "the VCEK", .file = "vcek.der", .max = CERT_MAX_BYTES, .fits = fits_vek,
			 .none = no_vek, .arg = w };
	AUTO_BUF id = { 0 };
	char fmc[24] = "";

	buf_hex(&id, snp_chip_id(w->r));
	if (t.v[TCB_FMC] >= 0)
		snprintf(fmc, sizeof fmc, "fmcSPL=%02d&", t.v[TCB_FMC]);
	snprintf(a.key, sizeof a.key, "snp-vcek-%s-%s-%d.%d.%d.%d.%d.der", w->product, buf_cstr(&id), t.v[TCB_FMC] < 0 ? 0 : t.v[TCB_FMC],
		 t.v[TCB_BOOTLOADER], t.v[TCB_TEE], t.v[TCB_SNP], t.v[TCB_MICROCODE]);
	return buf_check(&id, e) ||
	       fetch_url(a.url, sizeof a.url, e, base(f), "/vcek/v1/%s/%s?%sblSPL=%02d&teeSPL=%02d&snpSPL=%02d&ucodeSPL=%02d", w->product,
			 buf_cstr(&id), fmc, t.v[TCB_BOOTLOADER], t.v[TCB_TEE], t.v[TCB_SNP], t.v[TCB_MICROCODE]) ||
	       fetch_get(f, &a, e) ? -1 : 0;
}

static int ask_list(struct fetch *f, const struct want *w, struct err *e)
{
	struct ask a = { .type = COLLATERAL_CRL, .what = "AMD's revocation list", .file = "vek.crl", .max = LIST_MAX_BYTES, .fits = fits_list,
			 .arg = w };

	if (fetch_at_hand(f, COLLATERAL_CRL, is_list, w))
		return 0;
	snprintf(a.key, sizeof a.key, "snp-%s-%s.crl", w->kind, w->product);
	return fetch_url(a.url, sizeof a.url, e, base(f), "/%s/v1/%s/crl", w->kind, w->product) || fetch_get(f, &a, e) ? -1 : 0;
}

/* The built-in roots hold these too, so to do without them is no failure. */
static void ask_chain(struct fetch *f, const struct want *w, const struct cert_list *certs)
{
	struct ask a = { .type = COLLATERAL_CERTS, .what = "AMD's certificate chain", .file = "cert_chain.pem", .max = CHAIN_MAX_BYTES,
			 .fits = fits_chain, .arg = w };
	struct err e = { 0 };

	if (!f->from->refresh && (named(certs, w->ca) || (f->have && named(&f->have->certs, w->ca))))
		return;
	snprintf(a.key, sizeof a.key, "snp-%s-%s-chain.pem", w->kind, w->product);
	if (fetch_url(a.url, sizeof a.url, &e, base(f), "/%s/v1/%s/cert_chain", w->kind, w->product) || fetch_get(f, &a, &e))
		buf_printf(&f->out.missing, "%s\n", e.msg);
}

static void name_all(struct want *w, const char *product, bool guessed)
{
	const bool vlek = snp_signing_key(w->r) == SNP_KEY_VLEK;

	w->product = product;
	w->guessed = guessed;
	w->kind = vlek ? "vlek" : "vcek";
	snprintf(w->ca, sizeof w->ca, vlek ? "SEV-VLEK-%s" : "SEV-%s", product);
	snprintf(w->root, sizeof w->root, "ARK-%s", product);
}

/* Which reports have a VCEK that can be asked for at all? */
static int askable(const struct snp_report *r, struct err *e)
{
	switch (snp_signing_key(r)) {
	case SNP_KEY_VCEK:
		break;
	case SNP_KEY_VLEK:
		err_set(e, EC_ABSENT, "the report is signed by a VLEK, and AMD gives VLEK certificates to providers only");
		return err_hint(e, "it comes in the host's certificate table: collect again with one, or give it to verify with --certs");
	default:
		return err_set(e, EC_REFUSED, "the report is not signed: there is nothing to get for it");
	}
	if (!snp_chip_id_masked(r))
		return 0;
	err_set(e, EC_ABSENT, "the host masks the chip id: without it nobody can ask AMD for the VCEK");
	return err_hint(e, "it may come in the host's certificate table, or from the provider: give it to verify with --certs");
}

static int get_vek(struct fetch *f, struct want *w, struct err *e)
{
	static const char *const tried[] = { "Milan", "Genoa" };	/* what reports of version 2 come from */
	const char *product = snp_product_name(w->r->product);

	if (askable(w->r, e))
		return -1;
	if (product || f->from->product) {
		name_all(w, product ? product : f->from->product, !product);
		return ask_vek(f, w, e);
	}
	for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
		name_all(w, tried[i], true);
		if (!ask_vek(f, w, e))
			return 0;
		if (e && e->code != EC_ABSENT)
			return -1;
		if (f->h->offline)
			return -1;
	}
	return -1;
}

/* At hand: the issuer's name tells the product of a report that does not. */
static int named_by(struct want *w, const struct cert *c, struct err *e)
{
	struct snp_vek v;

	if (snp_vek_parse(&v, c, e))
		return -1;
	if (!snp_product_name(v.issuer))
		return err_set(e, EC_FORMAT, "the report key's certificate is not issued for Milan, Genoa or Turin");
	name_all(w, snp_product_name(v.issuer), false);
	return 0;
}

int fetch_snp(struct fetch *f, const struct snp_report *r, const struct cert_list *certs, struct err *e)
{
	struct want w = { .r = r };
	const struct cert *vek = NULL;

	if (!f->from->refresh || snp_signing_key(r) == SNP_KEY_VLEK) {
		vek = find_vek(certs, r, host_now(f->h));
		vek = vek ? vek : find_vek(f->have ? &f->have->certs : NULL, r, host_now(f->h));
	}
	if (vek ? named_by(&w, vek, e) : get_vek(f, &w, e))
		return -1;
	if (ask_list(f, &w, e))
		return -1;
	ask_chain(f, &w, certs);
	return 0;
}
