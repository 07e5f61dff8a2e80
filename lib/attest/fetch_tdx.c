/* SPDX-License-Identifier: Apache-2.0 */
/* What a TDX quote needs of Intel, or of a PCCS: TCB info, QE identity, and two revocation lists, with their signers. */

#include "attest/fetch_int.h"
#include "tee/snp_vek.h"
#include "tee/tdx_pck.h"

#define ROOT_NAME "Intel SGX Root CA"
#define DOCUMENT_MAX ((size_t)1 << 20)

struct want {
	char fmspc[13];			/* lower-case hex */
	const char *ca;			/* "platform", "processor" */
	char ca_name[64];		/* "Intel SGX PCK Platform CA" */
};

static int read_quote(struct want *w, const struct tdx_quote *q, struct err *e)
{
	AUTO_CERTS l = { 0 };
	struct tdx_pck pck;
	struct slice issuer;

	if (q->cert_type != 5) {
		err_set(e, EC_ABSENT, "the quote carries no PCK certificate chain (certification data of type %u)", q->cert_type);
		return err_hint(e, "such quotes need a PCCS that knows the platform, when they are made");
	}
	if (certs_parse(&l, q->cert_data, e))
		return err_ctx(e, "PCK certificate chain of the quote");
	issuer = x509_common_name(l.v[0].issuer);
	w->ca = slice_eqs(issuer, "Intel SGX PCK Platform CA") ? "platform" : slice_eqs(issuer, "Intel SGX PCK Processor CA") ? "processor" : NULL;
	if (!w->ca)
		return err_set(e, EC_FORMAT, "the quote's PCK certificate is not issued by Intel's platform or processor CA");
	snprintf(w->ca_name, sizeof w->ca_name, "%.*s", (int)issuer.n, (const char *)issuer.p);
	if (tdx_pck_parse(&pck, &l.v[0], e))
		return err_ctx(e, "PCK certificate of the quote");
	for (size_t i = 0; i < sizeof pck.fmspc; i++)
		snprintf(w->fmspc + 2 * i, 3, "%02x", pck.fmspc[i]);
	return 0;
}

/* --- is it what was asked for? ------------------------------------------------------------------------------------- */

static bool document_says(const struct collateral_item *it, const char *pointer, const char *value)
{
	AUTO_JSON *j = NULL;
	struct err no = { 0 };
	const char *s;

	if (json_parse(&j, buf_view(&it->data), DOCUMENT_MAX, &no))
		return false;
	s = json_string(json_path(j, pointer));
	return s && !strcasecmp(s, value);
}

static bool is_tcb(const void *arg, const struct collateral_item *it)
{
	return document_says(it, "/tcbInfo/fmspc", ((const struct want *)arg)->fmspc) && document_says(it, "/tcbInfo/id", "TDX");
}

static bool is_qe(const void *arg, const struct collateral_item *it)
{
	(void)arg;
	return document_says(it, "/enclaveIdentity/id", "TD_QE");
}

static bool is_pck_list(const void *arg, const struct collateral_item *it)
{
	return slice_eqs(x509_common_name(it->crl.issuer), ((const struct want *)arg)->ca_name);
}

static bool is_root_list(const void *arg, const struct collateral_item *it)
{
	(void)arg;
	return slice_eqs(x509_common_name(it->crl.issuer), ROOT_NAME);
}

static int fits_tcb(const void *arg, const struct collateral *c, struct err *e)
{
	return is_tcb(arg, &c->v[0]) ? 0 : err_set(e, EC_FORMAT, "the answer is TCB info of something else than TDX on FMSPC %s",
						       ((const struct want *)arg)->fmspc);
}

static int fits_qe(const void *arg, const struct collateral *c, struct err *e)
{
	return is_qe(arg, &c->v[0]) ? 0 : err_set(e, EC_FORMAT, "the answer is the identity of something else than the TD quoting enclave");
}

static int fits_pck_list(const void *arg, const struct collateral *c, struct err *e)
{
	return is_pck_list(arg, &c->v[0]) ? 0 : err_set(e, EC_FORMAT, "the answer is a revocation list, and not that of '%s'",
							    ((const struct want *)arg)->ca_name);
}

static int fits_root_list(const void *arg, const struct collateral *c, struct err *e)
{
	return is_root_list(arg, &c->v[0]) ? 0 : err_set(e, EC_FORMAT, "the answer is a revocation list, and not that of '" ROOT_NAME "'");
}

static int no_tcb(const void *arg, long status, struct err *e)
{
	const struct want *w = arg;

	if (status == 410)
		return err_set(e, EC_ABSENT, "the TCB evaluation data that was asked for is retired (status 410)");
	err_set(e, EC_ABSENT, "nobody there knows TDX TCB info for FMSPC %s (status %ld)", w->fmspc, status);
	return err_hint(e, "typical of hardware before its release, and of a PCCS that was not filled");
}

/* --- asking ------------------------------------------------------------------------------------------------------------ */

static const char *base(const struct fetch *f)
{
	return f->from->pccs ? f->from->pccs : f->from->pcs ? f->from->pcs : FETCH_PCS;
}

static int ask_tcb(struct fetch *f, const struct want *w, struct err *e)
{
	struct ask a = { .type = COLLATERAL_TCB_INFO, .what = "TCB info", .file = "tcb_info.json", .chain_file = "tcb_info_issuer_chain.pem",
			 .headers = { "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain" }, .chain_needed = true, .max = DOCUMENT_MAX,
			 .fits = fits_tcb, .none = no_tcb, .arg = w };

	if (fetch_at_hand(f, COLLATERAL_TCB_INFO, is_tcb, w))
		return 0;
	snprintf(a.key, sizeof a.key, "tdx-tcbinfo-%s.json", w->fmspc);
	return fetch_url(a.url, sizeof a.url, e, base(f), "/tdx/certification/v4/tcb?fmspc=%s", w->fmspc) || fetch_get(f, &a, e) ? -1 : 0;
}

static int ask_qe(struct fetch *f, const struct want *w, struct err *e)
{
	struct ask a = { .type = COLLATERAL_QE_IDENTITY, .what = "the identity of the TD quoting enclave", .file = "qe_identity.json",
			 .chain_file = "qe_identity_issuer_chain.pem", .headers = { "SGX-Enclave-Identity-Issuer-Chain" },
			 .chain_needed = true, .max = DOCUMENT_MAX, .fits = fits_qe, .arg = w, .key = "tdx-qeidentity.json" };

	if (fetch_at_hand(f, COLLATERAL_QE_IDENTITY, is_qe, w))
		return 0;
	return fetch_url(a.url, sizeof a.url, e, base(f), "/tdx/certification/v4/qe/identity") || fetch_get(f, &a, e) ? -1 : 0;
}

static int ask_pck_list(struct fetch *f, const struct want *w, struct err *e)
{
	struct ask a = { .type = COLLATERAL_CRL, .what = "the PCK revocation list", .file = "pck.crl", .chain_file = "pck_crl_issuer_chain.pem",
			 .headers = { "SGX-PCK-CRL-Issuer-Chain" }, .max = DOCUMENT_MAX, .fits = fits_pck_list, .arg = w };

	if (fetch_at_hand(f, COLLATERAL_CRL, is_pck_list, w))
		return 0;
	snprintf(a.key, sizeof a.key, "tdx-pck-%s.crl", w->ca);
	return fetch_url(a.url, sizeof a.url, e, base(f), "/sgx/certification/v4/pckcrl?ca=%s&encoding=der", w->ca) || fetch_get(f, &a, e)
		       ? -1 : 0;
}

static int ask_root_list(struct fetch *f, const struct want *w, struct err *e)
{
	struct ask a = { .type = COLLATERAL_CRL, .what = "the root's revocation list", .file = "root_ca.crl", .max = DOCUMENT_MAX,
			 .fits = fits_root_list, .arg = w, .key = "tdx-root.crl" };

	if (fetch_at_hand(f, COLLATERAL_CRL, is_root_list, w))
		return 0;
	if (f->from->pccs ? fetch_url(a.url, sizeof a.url, e, f->from->pccs, "/sgx/certification/v4/rootcacrl")
			  : fetch_url(a.url, sizeof a.url, e, f->from->root_crl ? f->from->root_crl : FETCH_ROOT_CRL, "%s", ""))
		return -1;
	return fetch_get(f, &a, e);
}

int fetch_tdx(struct fetch *f, const struct tdx_quote *q, struct err *e)
{
	struct want w = { 0 };

	return read_quote(&w, q, e) || ask_tcb(f, &w, e) || ask_qe(f, &w, e) || ask_pck_list(f, &w, e) || ask_root_list(f, &w, e) ? -1 : 0;
}
