/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists, whole ones: who made them, are they current, what do they list. */


#include "base/host.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "crypto/crl.h"
#include "crypto/x509_int.h"

#define OID_CRL_NUMBER "2.5.29.20"
#define OID_DELTA_CRL "2.5.29.27"

struct crl_parts {		/* behind crl.ctx; the slices point into der[] */
	struct slice tbs, sig_alg, sig, revoked, exts;	/* revoked, exts: bodies */
	struct slice strange;	/* OID of a critical extension that is not understood */
	size_t n;
	uint8_t der[];
};

static const struct crl_parts *inside(const struct crl *c)
{
	return c->ctx;
}

void crl_free(struct crl *c)
{
	free(c->ctx);
	*c = (struct crl){ 0 };
}

/* --- the structure (RFC 5280 5.1) ------------------------------------------------------------------------ */

/* What only describes.  The issuing distribution point is not among them: it makes a list partial or indirect. */
static const char *const known_of_list[] = { OID_AUTHORITY_KEY_ID, OID_CRL_NUMBER, "2.5.29.18" /* issuer's other names */,
					     "2.5.29.46" /* freshest list */, "1.3.6.1.5.5.7.1.1" /* AIA */, NULL };
static const char *const known_of_entry[] = { "2.5.29.21" /* reason */, "2.5.29.23" /* hold */, "2.5.29.24" /* invalid since */,
					      NULL };

static const char *take_entries(struct crl *c, struct crl_parts *p, bool version2)
{
	struct rd r = rd_of(p->revoked);

	while (rd_left(&r)) {
		struct rd one = der_open(&r, DER_SEQUENCE);

		if (der_take(&one, DER_INTEGER).body.n == 0)
			return "serial number of an entry";
		der_time(&one);
		if (version2 && der_peek(&one, DER_SEQUENCE) &&
		    !x509_extensions(der_take(&one, DER_SEQUENCE).body, known_of_entry, &p->strange))
			return "extensions of an entry";
		if (!der_done(&one))
			return "entry";
		c->entries++;
	}
	return r.bad ? "entries" : NULL;
}

static const char *take_list_extensions(struct crl *c, struct crl_parts *p, struct rd *r)
{
	struct rd in = der_open(r, DER_EXPLICIT + 0), number;
	struct slice value;

	p->exts = der_take(&in, DER_SEQUENCE).body;
	if (!der_done(&in) || !x509_extensions(p->exts, known_of_list, &p->strange))
		return "extensions";
	if (x509_extension(p->exts, OID_DELTA_CRL).p)
		return "a delta list: the whole one is wanted";
	value = x509_extension(p->exts, OID_CRL_NUMBER);
	if (value.p) {
		number = rd_of(value);
		c->number = der_take(&number, DER_INTEGER).body;
		if (!der_done(&number) || c->number.n == 0)
			return "number";
	}
	return NULL;
}

static bool is_time(const struct rd *r)
{
	return der_peek(r, DER_UTC_TIME) || der_peek(r, DER_GENERAL_TIME);
}

static const char *walk_tbs(struct crl *c, struct crl_parts *p)
{
	struct rd outer = rd_of(p->tbs), r = der_open(&outer, DER_SEQUENCE);
	const bool version2 = der_peek(&r, DER_INTEGER);
	const char *bad = NULL;
	uint32_t version = 0;

	if (version2 && (!der_small(&r, &version) || version != 1))
		return "version";
	if (!slice_eq(der_take(&r, DER_SEQUENCE).all, p->sig_alg))
		return "signature algorithm, inside and outside";
	c->issuer = der_take(&r, DER_SEQUENCE).all;
	c->this_update = der_time(&r);
	if (is_time(&r))
		c->next_update = der_time(&r);
	if (der_peek(&r, DER_SEQUENCE)) {
		p->revoked = der_take(&r, DER_SEQUENCE).body;
		bad = take_entries(c, p, version2);
	}
	if (!bad && version2 && der_peek(&r, DER_EXPLICIT + 0))
		bad = take_list_extensions(c, p, &r);
	return bad ? bad : der_done(&r) && der_done(&outer) ? NULL : "body";
}

static const char *walk(struct crl *c, struct crl_parts *p)
{
	struct rd outer = rd_of(slice_of(p->der, p->n)), r = der_open(&outer, DER_SEQUENCE);

	p->tbs = der_take(&r, DER_SEQUENCE).all;
	p->sig_alg = der_take(&r, DER_SEQUENCE).all;
	p->sig = der_bits(&r);
	if (!der_done(&r) || !der_done(&outer))
		return "outer structure";
	return walk_tbs(c, p);
}

/* --- forms ------------------------------------------------------------------------------------------------- */

static int parse_der(struct crl *ret, struct slice der, struct err *e)
{
	struct crl_parts *p;
	struct crl c = { 0 };
	const char *bad;

	if (der.n == 0 || der.n > CRL_MAX)
		return err_set(e, EC_FORMAT, "revocation list is %zu bytes, wanted 1 to %zu", der.n, CRL_MAX);
	p = calloc(1, sizeof *p + der.n);
	if (!p)
		return err_oom(e);
	p->n = der.n;
	memcpy(p->der, der.p, der.n);
	c.ctx = p;
	c.der = slice_of(p->der, p->n);
	bad = walk(&c, p);
	if (bad) {
		crl_free(&c);
		return err_set(e, EC_FORMAT, "revocation list is malformed (%s)", bad);
	}
	*ret = c;
	return 0;
}

/* One block, alone: of two lists, or of a list among certificates, something would be left out in silence. */
static int parse_pem(struct crl *ret, struct slice text, struct err *e)
{
	struct rd r = rd_of(text);
	struct slice label, body, more;
	AUTO_BUF der = { .max = CRL_MAX };

	if (!pem_next(&r, &label, &body) || !slice_eqs(label, "X509 CRL"))
		return err_set(e, EC_FORMAT, "no revocation list in PEM text (wanted 'BEGIN X509 CRL')");
	if (pem_decode(&der, body, e))
		return err_ctx(e, "revocation list");
	if (pem_next(&r, &label, &more) || r.bad)
		return err_set(e, EC_FORMAT, "PEM text holds more than one revocation list");
	return parse_der(ret, buf_view(&der), e);
}

static int parse_bytes(struct crl *ret, struct slice in, struct err *e)
{
	return pem_looks_like(in) ? parse_pem(ret, in, e) : parse_der(ret, in, e);
}

int crl_parse(struct crl *ret, struct slice in, struct err *e)
{
	const struct slice text = slice_trim(in);
	AUTO_BUF bytes = { .max = CRL_MAX };

	if (!hex_is(text))
		return parse_bytes(ret, in, e);
	if (hex_decode(&bytes, text, e))
		return err_ctx(e, "revocation list in hex");
	return parse_bytes(ret, buf_view(&bytes), e);
}

/* --- judging ----------------------------------------------------------------------------------------------- */

static int check_maker(const struct crl *c, const struct cert *issuer, struct err *e)
{
	const struct crl_parts *p = inside(c);
	const struct x509_label who = x509_label(c->issuer), wanted = x509_label(issuer->subject);
	AUTO_PUBKEY key = { 0 };

	if (!slice_eq(c->issuer, issuer->subject))
		return err_set(e, EC_REFUSED, "revocation list is of '%s', not of '%s'", who.text, wanted.text);
	if (parts(issuer)->has_key_usage && !parts(issuer)->crl_sign)
		return err_set(e, EC_REFUSED, "certificate '%s' may not sign revocation lists (key usage)", wanted.text);
	if (p->strange.n) {
		AUTO_BUF oid = { 0 };

		der_oid_text(&oid, p->strange);
		return err_set(e, EC_REFUSED, "revocation list of '%s' has an unknown critical extension (%s)", who.text, buf_cstr(&oid));
	}
	if (cert_public(&key, issuer, e))
		return err_ctx(e, "key of certificate '%s'", wanted.text);
	if (x509_signed(p->tbs, p->sig_alg, p->sig, &key, "revocation list", e))
		return err_ctx(e, "revocation list of '%s'", who.text);
	return 0;
}

static int check_dates(const struct crl *c, int64_t now, struct err *e)
{
	const struct x509_label who = x509_label(c->issuer);
	char from[32], to[32], at[32];

	time_format(from, c->this_update);
	time_format(to, c->next_update);
	time_format(at, now);
	if (!c->next_update)
		return err_set(e, EC_REFUSED, "revocation list of '%s' from %s does not say until when it counts", who.text, from);
	if (now < c->this_update)
		return err_set(e, EC_REFUSED, "revocation list of '%s' is not yet valid: from %s to %s, the time used is %s", who.text,
			       from, to, at);
	if (now > c->next_update)
		return err_set(e, EC_REFUSED, "revocation list of '%s' has expired: valid from %s to %s, the time used is %s", who.text,
			       from, to, at);
	return 0;
}

int crl_check(const struct crl *c, const struct cert *issuer, int64_t now, struct err *e)
{
	return check_maker(c, issuer, e) || check_dates(c, now, e) ? -1 : 0;
}

/* Without leading zeros, so that a number written with too few or too many of them is still the same. */
static struct slice magnitude(struct slice n)
{
	while (n.n > 1 && n.p[0] == 0)
		n = slice_of(n.p + 1, n.n - 1);
	return n;
}

bool crl_lists(const struct crl *c, struct slice serial)
{
	struct rd r = rd_of(inside(c)->revoked);
	const struct slice wanted = magnitude(serial);

	while (rd_left(&r) && !r.bad) {
		struct rd one = der_open(&r, DER_SEQUENCE);

		if (slice_eq(magnitude(der_take(&one, DER_INTEGER).body), wanted))
			return true;
	}
	return false;
}

/* --- making ------------------------------------------------------------------------------------------------ */

static void put_entries(struct buf *ret, const struct crl_make *m)
{
	AUTO_BUF all = { 0 };

	for (size_t i = 0; i < m->n_serials; i++) {
		AUTO_BUF one = { 0 };

		der_put_uint(&one, m->serials[i]);
		der_put_time(&one, m->this_update);
		x509_wrap(&all, DER_SEQUENCE, &one);
	}
	if (m->n_serials)		/* an empty list is left out (5.1.2.6) */
		x509_wrap(ret, DER_SEQUENCE, &all);
}

static void put_number(struct buf *ret)
{
	AUTO_BUF number = { 0 }, one = { 0 }, seq = { 0 };

	der_put_uint(&number, SLICE("\x01"));
	x509_ext_put(&one, OID_CRL_NUMBER, false, buf_view(&number));
	x509_wrap(&seq, DER_SEQUENCE, &one);
	x509_wrap(ret, DER_EXPLICIT + 0, &seq);
}

int crl_make(struct buf *ret_der, const struct crl_make *m, struct err *e)
{
	const struct x509_maker how = x509_maker_for(m->issuer_key, m->pss);
	AUTO_BUF body = { 0 }, all = { 0 }, sig = { 0 };

	der_put_uint(&body, SLICE("\x01"));	/* version 2 */
	x509_alg_put(&body, &how);
	buf_slice(&body, m->issuer->subject);
	der_put_time(&body, m->this_update);
	if (m->next_update)
		der_put_time(&body, m->next_update);
	put_entries(&body, m);
	put_number(&body);
	x509_wrap(&all, DER_SEQUENCE, &body);
	if (buf_check(&all, e) || sig_sign(&sig, m->issuer_key, how.form, how.hash, buf_view(&all), e))
		return -1;
	x509_alg_put(&all, &how);
	der_put_bits(&all, buf_view(&sig));
	x509_wrap(ret_der, DER_SEQUENCE, &all);
	return buf_check(ret_der, e);
}
