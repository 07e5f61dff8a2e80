/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed a certificate, and may it be used now. */

#include "base/host.h"
#include "codec/der.h"
#include "crypto/x509_int.h"

#define MAX_DEPTH 8

struct x509_label x509_label(struct slice dn)
{
	AUTO_BUF name = { 0 };
	struct x509_label ret;

	if (cert_name(&name, dn, NULL))
		buf_puts(&name, "(malformed name)");
	snprintf(ret.text, sizeof ret.text, "%s", name.n ? buf_cstr(&name) : "(empty name)");
	return ret;
}

static struct x509_label label(const struct cert *c)
{
	return x509_label(c->subject);
}

int cert_dates(const struct cert *c, int64_t now, struct err *e)
{
	char from[32], to[32], at[32];

	if (now >= c->not_before && now <= c->not_after)
		return 0;
	time_format(from, c->not_before);
	time_format(to, c->not_after);
	time_format(at, now);
	if (now < c->not_before)
		return err_set(e, EC_REFUSED, "certificate '%s' is not yet valid: from %s to %s, the time used is %s",
			       label(c).text, from, to, at);
	return err_set(e, EC_REFUSED, "certificate '%s' has expired: valid from %s to %s, the time used is %s", label(c).text,
		       from, to, at);
}

int cert_signed_by(const struct cert *c, const struct pubkey *issuer, struct err *e)
{
	const struct cert_parts *p = parts(c);

	if (x509_signed(p->tbs, p->sig_alg, p->sig, issuer, "certificate", e))
		return err_ctx(e, "certificate '%s'", label(c).text);
	return 0;
}

/* RFC 5280 4.2: refuse a critical extension whose meaning is not known.  Known is what is enforced here, what restricts
 * only uses we do not make, and what only describes. */
static int check_critical(const struct cert *c, struct err *e)
{
	static const char *const known[] = {
		OID_BASIC_CONSTRAINTS, OID_KEY_USAGE, OID_EXT_KEY_USAGE, OID_SUBJECT_ALT_NAME, OID_SUBJECT_KEY_ID,
		OID_AUTHORITY_KEY_ID, "2.5.29.32" /* policies */, "2.5.29.31" /* CRL points */, "1.3.6.1.5.5.7.1.1" /* AIA */
	};
	struct rd r = rd_of(parts(c)->exts);
	struct cert_extension x;

	while (cert_extension_next(&r, &x)) {
		AUTO_BUF oid = { 0 };
		bool ok = !x.critical;

		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			ok |= der_oid_is(x.oid, known[i]);
		if (ok)
			continue;
		der_oid_text(&oid, x.oid);
		return err_set(e, EC_REFUSED, "certificate '%s' has an unknown critical extension (%s)", label(c).text,
			       buf_cstr(&oid));
	}
	return 0;
}

static int check_is_ca(const struct cert *c, struct err *e)
{
	if (!c->has_basic_constraints || !c->is_ca)
		return err_set(e, EC_REFUSED, "certificate '%s' is not a CA (basic constraints)", label(c).text);
	if (parts(c)->has_key_usage && !parts(c)->cert_sign)
		return err_set(e, EC_REFUSED, "certificate '%s' may not sign certificates (key usage)", label(c).text);
	return 0;
}

static int issued_ever(const struct cert *c, const struct cert *issuer, struct err *e)
{
	AUTO_PUBKEY key = { 0 };

	if (!slice_eq(c->issuer, issuer->subject)) {
		AUTO_BUF wanted = { 0 };

		cert_name(&wanted, c->issuer, NULL);
		return err_set(e, EC_REFUSED, "certificate '%s' names the issuer '%.128s', not '%s'", label(c).text,
			       buf_cstr(&wanted), label(issuer).text);
	}
	if (check_is_ca(issuer, e) || check_critical(issuer, e) || check_critical(c, e))
		return -1;
	if (cert_public(&key, issuer, e))
		return err_ctx(e, "key of certificate '%s'", label(issuer).text);
	return cert_signed_by(c, &key, e);
}

int cert_issued(const struct cert *c, const struct cert *issuer, int64_t now, struct err *e)
{
	return issued_ever(c, issuer, e) || cert_dates(c, now, e) || cert_dates(issuer, now, e) ? -1 : 0;
}

/* --- chains -------------------------------------------------------------------------------------------- */

struct search {
	const struct cert_list *between, *roots;
	int64_t now;
	struct err *e;		/* why the attempt that came furthest failed */
	unsigned steps;		/* signatures tried, over all paths */
};

static int check_path_len(const struct cert *issuer, int cas_below, struct err *e)
{
	if (parts(issuer)->path_len >= 0 && cas_below > parts(issuer)->path_len)
		return err_set(e, EC_REFUSED, "certificate '%s' allows %d CAs below it, there are %d", label(issuer).text,
			       parts(issuer)->path_len, cas_below);
	return 0;
}

static int step(struct search *s, const struct cert *c, const struct cert *issuer, int cas_below)
{
	if (s->steps++ > 4 * MAX_DEPTH * MAX_DEPTH)
		return err_set(s->e, EC_REFUSED, "certificates form too many chains");
	return cert_issued(c, issuer, s->now, s->e) || check_path_len(issuer, cas_below, s->e) ? -1 : 0;
}

/* cas_below: CA certificates between c's issuer and the leaf. */
static bool reaches_root(struct search *s, const struct cert *c, int cas_below)
{
	for (size_t i = 0; i < s->roots->n; i++) {
		const struct cert *r = &s->roots->v[i];

		if (slice_eq(r->subject, c->issuer) && step(s, c, r, cas_below) == 0)
			return true;
	}
	for (size_t i = 0; cas_below < MAX_DEPTH && i < s->between->n; i++) {
		const struct cert *b = &s->between->v[i];

		if (!slice_eq(b->subject, c->issuer) || slice_eq(b->subject, b->issuer))
			continue;	/* a self-issued one that is no root leads nowhere */
		if (step(s, c, b, cas_below) == 0 && reaches_root(s, b, cas_below + 1))
			return true;
	}
	return false;
}

int cert_chain(const struct cert *leaf, const struct cert_list *between, const struct cert_list *roots, int64_t now,
	       struct err *e)
{
	static const struct cert_list nothing;
	struct err why = { 0 };
	struct search s = { between ? between : &nothing, roots, now, &why, 0 };

	for (size_t i = 0; i < roots->n; i++)
		if (slice_eq(roots->v[i].der, leaf->der))
			return cert_dates(leaf, now, e);
	if (reaches_root(&s, leaf, 0))
		return 0;
	if (!why.code) {
		AUTO_BUF issuer = { 0 };

		cert_name(&issuer, leaf->issuer, NULL);
		return err_set(e, EC_REFUSED, "certificate '%s' does not lead to a trusted root (issuer '%.128s')",
			       label(leaf).text, buf_cstr(&issuer));
	}
	err_set(e, why.code, "%s", why.msg);
	return err_ctx(e, "no chain from '%s' to a trusted root", label(leaf).text);
}

int cert_line(const struct cert_list *l, struct err *e)
{
	if (l->n == 0)
		return err_set(e, EC_REFUSED, "chain has no certificate");
	for (size_t i = 0; i + 1 < l->n; i++)
		if (issued_ever(&l->v[i], &l->v[i + 1], e) || check_path_len(&l->v[i + 1], (int)i, e))
			return -1;
	return 0;
}
