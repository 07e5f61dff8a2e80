/* SPDX-License-Identifier: Apache-2.0 */
/* Reading certificates: a walk of our own over the DER, because a general library refuses what is real (serial number
 * 0, a key it has no curve for, extension values that are no DER) and hides what we need (raw names, raw values). */

#include "codec/der.h"
#include "codec/pem.h"
#include "crypto/x509_int.h"

#define MAX_CERT_SIZE ((size_t)64 << 10)

static void cert_free(struct cert *c)
{
	free(c->ctx);
	*c = (struct cert){ 0 };
}

void certs_free(struct cert_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		cert_free(&l->v[i]);
	free(l->v);
	*l = (struct cert_list){ 0 };
}

/* --- extensions ---------------------------------------------------------------------------------------- */

bool cert_extension_next(struct rd *r, struct cert_extension *ret)
{
	struct rd one;

	if (r->bad || rd_left(r) == 0)
		return false;
	one = der_open(r, DER_SEQUENCE);
	ret->oid = der_take(&one, DER_OID).body;
	ret->critical = der_peek(&one, DER_BOOLEAN) && der_bool(&one);
	ret->value = der_take(&one, DER_OCTET_STRING).body;
	if (!der_done(&one))
		r->bad = true;
	return !r->bad;
}

struct slice x509_extension(struct slice exts, const char *oid)
{
	struct rd r = rd_of(exts);
	struct cert_extension x;

	while (cert_extension_next(&r, &x))
		if (der_oid_is(x.oid, oid))
			return x.value;
	return (struct slice){ NULL, 0 };
}

struct slice cert_ext(const struct cert *c, const char *oid)
{
	return x509_extension(parts(c)->exts, oid);
}

bool cert_lists_purpose(const struct cert *c, const char *purpose)
{
	struct rd r = rd_of(cert_ext(c, OID_EXT_KEY_USAGE)), seq = der_open(&r, DER_SEQUENCE);

	while (rd_left(&seq) && !seq.bad)
		if (der_oid_is(der_take(&seq, DER_OID).body, purpose))
			return true;
	return false;
}

bool cert_allows(const struct cert *c, const char *purpose)
{
	return !cert_ext(c, OID_EXT_KEY_USAGE).p || cert_lists_purpose(c, "2.5.29.37.0") || (purpose && cert_lists_purpose(c, purpose));
}

bool cert_extension_twice(struct slice exts, struct slice oid)
{
	struct rd r = rd_of(exts);
	struct cert_extension x;
	int seen = 0;

	while (cert_extension_next(&r, &x))
		seen += slice_eq(x.oid, oid);
	return seen > 1;
}

static bool is_one_of(struct slice oid, const char *const *list)
{
	for (; *list; list++)
		if (der_oid_is(oid, *list))
			return true;
	return false;
}

bool x509_extensions(struct slice exts, const char *const *known, struct slice *strange)
{
	struct rd r = rd_of(exts);
	struct cert_extension x;
	unsigned n = 0;

	while (cert_extension_next(&r, &x)) {
		if (++n > 32 || cert_extension_twice(exts, x.oid))
			return false;
		if (x.critical && !strange->n && !is_one_of(x.oid, known))
			*strange = x.oid;
	}
	return n > 0 && !r.bad;
}

static bool basic_constraints(struct cert *c, struct cert_parts *p, struct slice value)
{
	struct rd r = rd_of(value), seq = der_open(&r, DER_SEQUENCE);
	uint32_t limit;

	c->has_basic_constraints = true;
	c->is_ca = der_peek(&seq, DER_BOOLEAN) && der_bool(&seq);
	if (der_peek(&seq, DER_INTEGER)) {
		if (!der_small(&seq, &limit) || limit > 1000)
			return false;
		p->path_len = (int)limit;
	}
	return der_done(&seq) && der_done(&r);
}

static bool key_usage(struct cert_parts *p, struct slice value)
{
	struct rd r = rd_of(value);
	const struct slice bits = der_take(&r, DER_BIT_STRING).body;

	if (!der_done(&r) || bits.n < 2 || bits.p[0] > 7)
		return false;
	p->has_key_usage = true;
	p->sign = bits.p[1] & 0xc0;
	p->cert_sign = bits.p[1] & 0x04;	/* keyCertSign is bit 5, counted from the highest; cRLSign is bit 6 */
	p->crl_sign = bits.p[1] & 0x02;
	return true;
}

static bool read_extensions(struct cert *c, struct cert_parts *p)
{
	struct rd r = rd_of(p->exts);
	struct cert_extension x;
	unsigned n = 0;

	while (cert_extension_next(&r, &x)) {
		if (++n > 64 || cert_extension_twice(p->exts, x.oid))
			return false;
		if (der_oid_is(x.oid, OID_BASIC_CONSTRAINTS) && !basic_constraints(c, p, x.value))
			return false;
		if (der_oid_is(x.oid, OID_KEY_USAGE) && !key_usage(p, x.value))
			return false;
	}
	return !r.bad;
}

/* --- the certificate (RFC 5280 4.1) ---------------------------------------------------------------------- */

static const char *walk_tbs(struct cert *c, struct cert_parts *p)
{
	struct rd outer = rd_of(p->tbs), r = der_open(&outer, DER_SEQUENCE), in;
	uint32_t version = 0;

	if (der_peek(&r, DER_EXPLICIT + 0)) {
		in = der_open(&r, DER_EXPLICIT + 0);
		if (!der_small(&in, &version) || !der_done(&in) || version > 2)
			return "version";
	}
	c->serial = der_take(&r, DER_INTEGER).body;	/* AMD issues 0 */
	if (!slice_eq(der_take(&r, DER_SEQUENCE).all, p->sig_alg))
		return "signature algorithm, inside and outside";
	c->issuer = der_take(&r, DER_SEQUENCE).all;
	in = der_open(&r, DER_SEQUENCE);
	c->not_before = der_time(&in);
	c->not_after = der_time(&in);
	if (!der_done(&in))
		return "validity";
	c->subject = der_take(&r, DER_SEQUENCE).all;
	p->spki = der_take(&r, DER_SEQUENCE).all;
	if (der_peek(&r, DER_CONTEXT + 1))
		der_take(&r, DER_CONTEXT + 1);
	if (der_peek(&r, DER_CONTEXT + 2))
		der_take(&r, DER_CONTEXT + 2);
	if (der_peek(&r, DER_EXPLICIT + 3)) {
		in = der_open(&r, DER_EXPLICIT + 3);
		p->exts = der_take(&in, DER_SEQUENCE).body;
		if (!der_done(&in) || version != 2)
			return "extensions";
	}
	if (!der_done(&r) || !der_done(&outer))
		return "body";
	return read_extensions(c, p) ? NULL : "extensions";
}

static const char *walk(struct cert *c, struct cert_parts *p)
{
	struct rd outer = rd_of(slice_of(p->der, p->n)), r = der_open(&outer, DER_SEQUENCE);

	p->tbs = der_take(&r, DER_SEQUENCE).all;
	p->sig_alg = der_take(&r, DER_SEQUENCE).all;
	p->sig = der_bits(&r);
	if (!der_done(&r) || !der_done(&outer))
		return "outer structure";
	return walk_tbs(c, p);
}

static int cert_parse(struct cert *ret, struct slice der, struct err *e)
{
	struct cert_parts *p;
	struct cert c = { 0 };
	const char *bad;

	if (der.n > MAX_CERT_SIZE)
		return err_set(e, EC_FORMAT, "certificate is %zu bytes, more than %zu", der.n, MAX_CERT_SIZE);
	p = calloc(1, sizeof *p + der.n + 1);
	if (!p)
		return err_oom(e);
	p->n = der.n;
	p->path_len = -1;
	if (der.n)
		memcpy(p->der, der.p, der.n);
	c.ctx = p;
	c.der = slice_of(p->der, p->n);
	bad = walk(&c, p);
	if (bad) {
		cert_free(&c);
		return err_set(e, EC_FORMAT, "certificate is malformed (%s)", bad);
	}
	*ret = c;
	return 0;
}

static int append(struct cert_list *l, struct slice der, struct err *e)
{
	struct cert *v;

	if (l->n == CERTS_MAX)
		return err_set(e, EC_FORMAT, "more than %d certificates", CERTS_MAX);
	v = realloc(l->v, (l->n + 1) * sizeof *v);
	if (!v)
		return err_oom(e);
	l->v = v;
	if (cert_parse(&v[l->n], der, e))
		return -1;
	l->n++;
	return 0;
}

static int append_pem(struct cert_list *l, struct slice pem, struct err *e)
{
	struct rd r = rd_of(pem);
	struct slice label, body;
	unsigned at = 0;

	while (pem_next(&r, &label, &body)) {
		AUTO_BUF der = { .max = MAX_CERT_SIZE };

		if (!slice_eqs(label, "CERTIFICATE"))
			continue;
		at++;
		if (pem_decode(&der, body, e) || append(l, buf_view(&der), e))
			return err_ctx(e, "certificate %u", at);
	}
	if (r.bad)
		return err_set(e, EC_FORMAT, "PEM block has a BEGIN line and no END line");
	return at ? 0 : err_set(e, EC_FORMAT, "no certificate in PEM text (wanted 'BEGIN CERTIFICATE')");
}

int certs_parse(struct cert_list *l, struct slice pem_or_der, struct err *e)
{
	const size_t before = l->n;
	int rc;

	if (pem_looks_like(pem_or_der))
		rc = append_pem(l, pem_or_der, e);
	else if (!der_is_one(pem_or_der))
		rc = err_set(e, EC_FORMAT, "no certificate: neither PEM nor one whole DER element");
	else
		rc = append(l, pem_or_der, e);
	while (rc && l->n > before)
		cert_free(&l->v[--l->n]);
	return rc;
}

/* --- the key and the algorithm ------------------------------------------------------------------------ */

int cert_describe_alg(struct buf *ret, const struct cert *c, struct err *e)
{
	static const char *const forms[] = { [SIG_ECDSA_DER] = "ECDSA", [SIG_ECDSA_RAW] = "ECDSA", [SIG_RSA_PKCS1] = "RSA",
					     [SIG_RSA_PSS] = "RSA-PSS" };
	struct x509_alg a;

	if (x509_alg_read(&a, parts(c)->sig_alg, "certificate", e))
		return -1;
	buf_printf(ret, "%s SHA-%s", forms[a.form], hash_name(a.hash) + 3);
	return buf_check(ret, e);
}

int cert_public(struct pubkey *ret, const struct cert *c, struct err *e)
{
	return pubkey_parse(ret, parts(c)->spki, e);
}

int cert_key_sha256(uint8_t ret[static 32], const struct cert *c, struct err *e)
{
	return hash_of(ret, HASH_SHA256, parts(c)->spki, e);
}

struct slice cert_key_bits(const struct cert *c)
{
	struct rd outer = rd_of(parts(c)->spki), r = der_open(&outer, DER_SEQUENCE);

	der_take(&r, DER_SEQUENCE);
	return der_bits(&r);
}
