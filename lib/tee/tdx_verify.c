/* SPDX-License-Identifier: Apache-2.0 */
/* Is a TDX quote genuine?  From the pinned root down to the signature over the quote (cpu-tee.md 4.6, 1 to 6); the table of all
 * checks stands at the end. */

#include "base/cursor.h"
#include "base/host.h"
#include "crypto/sig.h"
#include "tee/snp_vek.h"
#include "tee/tdx_int.h"
#include "tee/tdx_roots.h"

#define CERT_DATA_CHAIN 5

void tdx_time(struct buf *to, int64_t t)
{
	char text[32];

	time_format(text, t);
	buf_puts(to, text);
}

/* --- the quote's own form ---------------------------------------------------------------------------------- */

enum outcome tdx_check_header(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const struct slice vendor = slice_of(s->q.header.p + 12, 16);

	(void)x;
	buf_puts(&f->expected, "version 4 or 5, an ECDSA P-256 key, Intel's quoting enclave");
	buf_printf(&f->actual, "version %u, %s, ", s->q.version, s->q.key_type == 2 ? "ECDSA P-256" : "ECDSA P-384");
	if (slice_eq(vendor, tdx_vendor_intel())) {
		buf_puts(&f->actual, "Intel's");
		return s->q.key_type == 2 ? PASSED : FAILED;
	}
	buf_puts(&f->actual, "vendor ");
	buf_hex(&f->actual, vendor);
	return FAILED;
}

enum outcome tdx_check_reserved(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const uint32_t v = get_le32(s->q.header.p + 8);

	(void)x;
	buf_puts(&f->expected, "zero");
	if (v) {
		buf_printf(&f->actual, "bytes 8 to 11 of the header are 0x%08x", v);
		buf_puts(&f->hint, "newer than this program: what versions 4 and 5 define was read, nothing else");
		return WARNED;
	}
	return found(f, true, NULL, "zero");
}

/* Clouds pad quotes with zeros.  The signature covers none of it, and nothing is read from there. */
enum outcome tdx_check_trailing(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const uint8_t *t = s->raw.p + s->raw.n - s->q.trailing;
	bool zero = true;

	(void)x;
	for (size_t i = 0; i < s->q.trailing; i++)
		zero &= t[i] == 0;
	buf_printf(&f->actual, "%zu bytes%s behind the quote", s->q.trailing, s->q.trailing && zero ? " of zero" : "");
	if (!zero)
		buf_puts(&f->hint, "nothing signs them, and they were not read");
	return zero ? PASSED : WARNED;
}

/* --- certificates -------------------------------------------------------------------------------------------- */

static void pool_add(struct pool *p, const struct cert_list *l)
{
	for (size_t i = 0; l && i < l->n && p->n < POOL_MAX; i++) {
		bool have = false;

		for (size_t k = 0; k < p->n && !have; k++)
			have = slice_eq(p->v[k]->der, l->v[i].der);
		if (!have)
			p->v[p->n++] = &l->v[i];
	}
}

/* Those of the caller first: what comes with evidence cannot crowd them out. */
static void pool_make(struct pool *ret, const struct tdx_subject *s, const struct expect *x)
{
	*ret = (struct pool){ 0 };
	pool_add(ret, x->given ? &x->given->certs : NULL);
	pool_add(ret, &s->certs);
	pool_add(ret, x->carried ? &x->carried->certs : NULL);
	for (size_t i = 0; i < ret->n && ret->roots.n < sizeof ret->root / sizeof ret->root[0]; i++)
		if (intel_root_is(ret->v[i], x->intel_root))
			ret->root[ret->roots.n++] = *ret->v[i];
	ret->roots.v = ret->root;
}

static bool signs_qe(const struct cert *c, const struct tdx_quote *q)
{
	AUTO_PUBKEY k = { 0 };
	struct err e = { 0 };

	return !cert_public(&k, c, &e) && k.type == KEY_EC_P256 &&
	       !sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA256, q->qe_report, q->qe_signature, &e);
}

static const char *cert_data_text(uint16_t type)
{
	static const char *const texts[] = {
		[1] = "the plain PPID", [2] = "the PPID encrypted with RSA-2048", [3] = "the PPID encrypted with RSA-3072",
		[4] = "the PCK certificate alone", [5] = "the PCK certificate chain", [6] = "another QE report", [7] = "the platform manifest"
	};

	return type < sizeof texts / sizeof texts[0] && texts[type] ? texts[type] : "unknown to this program";
}

/* A re-issued certificate has the same key and other dates, so several can fit: the one that is valid now wins. */
static void choose_leaf(struct tdx_subject *s, const struct pool *pool, int64_t now)
{
	int best = 0;

	for (size_t i = 0; i < pool->n; i++) {
		struct err e = { 0 };
		bool signs;
		int score;

		if (!tdx_pck_recognise(pool->v[i]))
			continue;
		signs = signs_qe(pool->v[i], &s->q);
		score = 1 + (signs ? 2 : 0) + (cert_dates(pool->v[i], now, &e) == 0);
		if (score > best) {
			best = score;
			s->leaf = pool->v[i];
			s->leaf_signs = signs;
		}
	}
}

enum outcome tdx_check_pck(void *p, const struct expect *x, struct finding *f)
{
	struct tdx_subject *s = p;
	const bool in_quote = s->q.cert_type == CERT_DATA_CHAIN || s->q.cert_type == 4;
	struct err e = { 0 };

	s->now = x->now;
	s->leaf = NULL;
	pool_make(&s->pool, s, x);
	choose_leaf(s, &s->pool, x->now);
	buf_puts(&f->expected, "the platform's PCK certificate");
	if (s->leaf && !in_quote && !s->leaf_signs)
		s->leaf = NULL;
	if (!s->leaf) {
		buf_printf(&f->actual, "certification data of type %u: %s", s->q.cert_type, cert_data_text(s->q.cert_type));
		if (s->cert_trouble.n)
			buf_printf(&f->actual, ", which cannot be read: %s", buf_cstr(&s->cert_trouble));
		if (!in_quote)
			buf_puts(&f->hint, "the PCK certificate and its chain have to be given with --certs: ask the operator of the machine, or Intel's "
					   "service by PPID, CPUSVN, PCESVN and PCE-ID");
		return FAILED;
	}
	if (tdx_pck_parse(&s->pck, s->leaf, &e))
		return found(f, false, NULL, e.msg);
	s->has_pck = true;
	buf_puts(&f->actual, "FMSPC ");
	buf_hex(&f->actual, slice_of(s->pck.fmspc, 6));
	buf_puts(&f->actual, ", PPID ");
	buf_hex(&f->actual, slice_of(s->pck.ppid, 16));
	return PASSED;
}

static bool is_pck_ca(const struct cert *c)
{
	const struct slice cn = x509_common_name(c->subject);

	return c->is_ca && (slice_eqs(cn, "Intel SGX PCK Platform CA") || slice_eqs(cn, "Intel SGX PCK Processor CA"));
}

/* No pinned root is there: is it that one of the same name stands in its place? */
static void name_other_root(struct finding *f, const struct pool *pool)
{
	for (size_t i = 0; i < pool->n; i++) {
		const struct cert *c = pool->v[i];
		uint8_t key[32];

		if (!slice_eq(c->subject, c->issuer) || !slice_eqs(x509_common_name(c->subject), "Intel SGX Root CA") ||
		    cert_key_sha256(key, c, NULL))
			continue;
		buf_puts(&f->actual, "a root of that name with another key, ");
		buf_hex(&f->actual, slice_of(key, sizeof key));
		buf_puts(&f->hint, "such chains come from pre-production machines, or from a forger: they prove nothing");
		return;
	}
	buf_puts(&f->actual, "no certificate of the root");
	buf_puts(&f->hint, "the quote's chain is not whole: give Intel's root certificate and the PCK CA with --certs");
}

enum outcome tdx_check_chain(void *p, const struct expect *x, struct finding *f)
{
	struct tdx_subject *s = p;
	struct err e = { 0 };

	s->mid = NULL;
	buf_puts(&f->expected, "PCK certificate signed by a PCK CA under the pinned Intel SGX Root CA, all valid at the time of verification");
	if (s->pool.roots.n == 0) {
		name_other_root(f, &s->pool);
		return FAILED;
	}
	for (size_t i = 0; i < s->pool.n && !s->mid; i++) {
		struct cert mid = *s->pool.v[i];
		struct err why = { 0 };

		if (!is_pck_ca(&mid) || !slice_eq(mid.subject, s->leaf->issuer))
			continue;
		if (!cert_chain(s->leaf, &(const struct cert_list){ &mid, 1 }, &s->pool.roots, x->now, &why))
			s->mid = s->pool.v[i];
		else if (!e.code)
			e = why;
	}
	if (s->mid)
		return found(f, true, NULL, "holds");
	return found(f, false, NULL, e.code ? e.msg : "no certificate of the PCK CA (Platform or Processor) that issued it");
}

/* --- signatures ---------------------------------------------------------------------------------------------- */

enum outcome tdx_check_qe_signature(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;

	(void)x;
	if (!s->leaf_signs)
		buf_puts(&f->hint, "the certificate is another machine's, or of another patch level, or the report was changed");
	return found(f, s->leaf_signs, "QE report signed by the PCK key", s->leaf_signs ? "holds" : "does not hold");
}

/* The attestation key is the one that this quoting enclave reported. */
enum outcome tdx_check_qe_binding(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	AUTO_BUF both = { 0 };
	uint8_t want[64] = { 0 };
	struct err e = { 0 };
	bool holds;

	(void)x;
	buf_slice(&both, s->q.key);
	buf_slice(&both, s->q.qe_auth);
	if (buf_check(&both, &e) || hash_of(want, HASH_SHA256, buf_view(&both), &e))
		return found(f, false, NULL, e.msg);
	holds = slice_eq(slice_of(want, sizeof want), slice_of(s->q.qe_report.p + QE_REPORT_DATA, 64));
	return found(f, holds, "QE report holds the digest of the attestation key", holds ? "holds" : "does not hold");
}

enum outcome tdx_check_signature(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	AUTO_PUBKEY k = { 0 };
	struct err e = { 0 };

	(void)x;
	buf_puts(&f->expected, "quote signed by the attestation key");
	if (s->q.key_type != 2)
		return found(f, false, NULL, "not an ECDSA P-256 key");
	if (pubkey_from_ec(&k, KEY_EC_P256, slice_of(s->q.key.p, 32), slice_of(s->q.key.p + 32, 32), &e))
		return found(f, false, NULL, e.msg);
	if (sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA256, s->q.signed_part, s->q.signature, &e))
		return found(f, false, NULL, "does not hold");
	return found(f, true, NULL, "holds");
}

/* --- all checks ------------------------------------------------------------------------------------------------ */

enum {
	C_HEADER, C_RESERVED, C_TRAILING, C_PCK, C_CHAIN, C_QE_SIGNATURE, C_QE_BINDING, C_SIGNATURE, C_TCBINFO, C_QEIDENTITY, C_CRL_ROOT,
	C_CRL_PCK, C_QE_IDENTITY, C_SEAM, C_MODULE, C_STATUS, C_ADVISORIES, C_EVALUATION, C_AGE, C_FIRST_VALUE
};
#define GENUINE (NEEDS(C_CHAIN) | NEEDS(C_QE_SIGNATURE))

const struct check tdx_checks[N_TDX_CHECKS] = {
	[C_HEADER] = { "tdx.header", 0, CHECK_BASE, tdx_check_header },
	[C_RESERVED] = { "tdx.reserved", 0, CHECK_PLAIN, tdx_check_reserved },
	[C_TRAILING] = { "tdx.trailing", 0, CHECK_PLAIN, tdx_check_trailing },
	[C_PCK] = { "tdx.pck", NEEDS(C_HEADER), CHECK_BASE, tdx_check_pck },
	[C_CHAIN] = { "tdx.chain", NEEDS(C_PCK), CHECK_BASE, tdx_check_chain },
	[C_QE_SIGNATURE] = { "tdx.qe.signature", NEEDS(C_PCK), CHECK_BASE, tdx_check_qe_signature },
	[C_QE_BINDING] = { "tdx.qe.binding", NEEDS(C_HEADER), CHECK_BASE, tdx_check_qe_binding },
	[C_SIGNATURE] = { "tdx.signature", NEEDS(C_HEADER), CHECK_BASE, tdx_check_signature },
	[C_TCBINFO] = { "tdx.tcbinfo", GENUINE, CHECK_PLAIN, tdx_check_tcbinfo },
	[C_QEIDENTITY] = { "tdx.qeidentity", GENUINE, CHECK_PLAIN, tdx_check_qeidentity },
	[C_CRL_ROOT] = { "tdx.crl.root", GENUINE, CHECK_PLAIN, tdx_check_crl_root },
	[C_CRL_PCK] = { "tdx.crl.pck", GENUINE, CHECK_PLAIN, tdx_check_crl_pck },
	[C_QE_IDENTITY] = { "tdx.qe.identity", GENUINE, CHECK_BASE, tdx_check_qe_identity },
	[C_SEAM] = { "tdx.seam", 0, CHECK_PLAIN, tdx_check_seam },
	[C_MODULE] = { "tdx.module", NEEDS(C_TCBINFO), CHECK_PLAIN, tdx_check_module },
	[C_STATUS] = { "tdx.tcb.status", NEEDS(C_TCBINFO) | NEEDS(C_QEIDENTITY), CHECK_PLAIN, tdx_check_status },
	[C_ADVISORIES] = { "tdx.tcb.advisories", NEEDS(C_TCBINFO) | NEEDS(C_QEIDENTITY), CHECK_WHERE_ASKED, tdx_check_advisories },
	[C_EVALUATION] = { "tdx.tcb.evaluation", NEEDS(C_TCBINFO) | NEEDS(C_QEIDENTITY), CHECK_WHERE_ASKED, tdx_check_evaluation },
	[C_AGE] = { "tdx.collateral.age", NEEDS(C_TCBINFO) | NEEDS(C_QEIDENTITY), CHECK_WHERE_ASKED, tdx_check_age },
	[C_FIRST_VALUE] = { "tdx.td.debug", 0, CHECK_PLAIN, tdx_check_debug },
	{ "tdx.td.migratable", 0, CHECK_PLAIN, tdx_check_migratable },
	{ "tdx.td.attributes", 0, CHECK_WHERE_ASKED, tdx_check_attributes },
	{ "tdx.xfam", 0, CHECK_PLAIN, tdx_check_xfam },
	{ "tdx.service_td", 0, CHECK_PLAIN, tdx_check_service_td },
	{ "tdx.report_data", 0, CHECK_BASE, tdx_check_report_data },
	{ "tdx.measurement", 0, CHECK_WHERE_ASKED, tdx_check_measurement },
	{ "tdx.init_data", 0, CHECK_WHERE_ASKED, tdx_check_init_data },
	{ "tdx.mr_config_id", 0, CHECK_WHERE_ASKED, tdx_check_config_id },
	{ "tdx.mr_owner", 0, CHECK_WHERE_ASKED, tdx_check_owner },
	{ "tdx.mr_owner_config", 0, CHECK_WHERE_ASKED, tdx_check_owner_config },
	{ "tdx.mr_seam", 0, CHECK_WHERE_ASKED, tdx_check_mr_seam },
	{ "tdx.rtmr0", 0, CHECK_WHERE_ASKED, tdx_check_rtmr0 },
	{ "tdx.rtmr1", 0, CHECK_WHERE_ASKED, tdx_check_rtmr1 },
	{ "tdx.rtmr2", 0, CHECK_WHERE_ASKED, tdx_check_rtmr2 },
	{ "tdx.rtmr3", 0, CHECK_WHERE_ASKED, tdx_check_rtmr3 },
	{ "tdx.fmspc", NEEDS(C_PCK), CHECK_WHERE_ASKED, tdx_check_fmspc },
	{ "tdx.ppid", NEEDS(C_PCK), CHECK_WHERE_ASKED, tdx_check_ppid },
};
_Static_assert(N_TDX_CHECKS == C_FIRST_VALUE + 18 && N_TDX_CHECKS <= CHECKS_MAX, "all of them, and a bit for each");
