/* SPDX-License-Identifier: Apache-2.0 */
/* Reading certificates: a walk of our own over the DER, because a general library refuses what is real (serial number
 * 0, a key it has no curve for, extension values that are no DER) and hides what we need (raw names, raw values). */

#include "codec/der.h"
#include "codec/pem.h"
#include "crypto/x509_int.h"

#define MAX_CERTS 64
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

struct slice cert_ext(const struct cert *c, const char *oid)
{
	struct rd r = rd_of(parts(c)->exts);
	struct cert_extension x;

	while (cert_extension_next(&r, &x))
		if (der_oid_is(x.oid, oid))
			return x.value;
	return (struct slice){ NULL, 0 };
}

static bool twice(struct slice exts, struct slice oid)	/* RFC 5280 4.2: at most one of a kind */
{
	struct rd r = rd_of(exts);
	struct cert_extension x;
	int seen = 0;

	while (cert_extension_next(&r, &x))
		seen += slice_eq(x.oid, oid);
	return seen > 1;
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
	p->cert_sign = bits.p[1] & 0x04;	/* keyCertSign is bit 5, counted from the highest */
	return true;
}

static bool read_extensions(struct cert *c, struct cert_parts *p)
{
	struct rd r = rd_of(p->exts);
	struct cert_extension x;
	unsigned n = 0;

	while (cert_extension_next(&r, &x)) {
		if (++n > 64 || twice(p->exts, x.oid))
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

	if (l->n == MAX_CERTS)
		return err_set(e, EC_FORMAT, "more than %d certificates", MAX_CERTS);
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

/* --- algorithms ---------------------------------------------------------------------------------------- */

static enum hash hash_of_alg(struct rd *r)	/* AlgorithmIdentifier of a hash, parameters NULL or absent */
{
	static const struct {
		const char *oid;
		enum hash h;
	} table[] = { { "1.3.14.3.2.26", HASH_SHA1 }, { "2.16.840.1.101.3.4.2.1", HASH_SHA256 },
		      { "2.16.840.1.101.3.4.2.2", HASH_SHA384 }, { "2.16.840.1.101.3.4.2.3", HASH_SHA512 } };
	struct rd in = der_open(r, DER_SEQUENCE);
	const struct slice oid = der_take(&in, DER_OID).body;

	if (der_peek(&in, DER_NULL) && der_take(&in, DER_NULL).body.n)
		in.bad = true;
	if (!der_done(&in))
		r->bad = true;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (der_oid_is(oid, table[i].oid))
			return table[i].h;
	return HASH_NONE;
}

/* RSASSA-PSS-params (RFC 8017 A.2.3).  Defaults are SHA-1 and 20 bytes of salt; a mask of another hash, or another
 * trailer, is not supported (nobody makes it). */
static bool pss_params(struct cert_alg *ret, struct rd *r)
{
	struct rd seq = der_open(r, DER_SEQUENCE), in;
	enum hash mask = HASH_SHA1;
	uint32_t n;

	*ret = (struct cert_alg){ SIG_RSA_PSS, HASH_SHA1, 20 };
	if (der_peek(&seq, DER_EXPLICIT + 0)) {
		in = der_open(&seq, DER_EXPLICIT + 0);
		ret->hash = hash_of_alg(&in);
		seq.bad |= !der_done(&in);
	}
	if (der_peek(&seq, DER_EXPLICIT + 1)) {
		struct rd mgf;

		in = der_open(&seq, DER_EXPLICIT + 1);
		mgf = der_open(&in, DER_SEQUENCE);
		seq.bad |= !der_oid_is(der_take(&mgf, DER_OID).body, OID_MGF1);
		mask = hash_of_alg(&mgf);
		seq.bad |= !der_done(&mgf) || !der_done(&in);
	}
	if (der_peek(&seq, DER_EXPLICIT + 2)) {
		in = der_open(&seq, DER_EXPLICIT + 2);
		seq.bad |= !der_small(&in, &n) || !der_done(&in);
		ret->salt = n;
	}
	if (der_peek(&seq, DER_EXPLICIT + 3)) {
		in = der_open(&seq, DER_EXPLICIT + 3);
		seq.bad |= !der_small(&in, &n) || !der_done(&in) || n != 1;
	}
	return der_done(&seq) && ret->hash != HASH_NONE && mask == ret->hash;
}

int cert_alg(struct cert_alg *ret, const struct cert *c, struct err *e)
{
	static const struct {
		const char *oid;
		struct cert_alg alg;
	} table[] = {
		{ "1.2.840.113549.1.1.5", { SIG_RSA_PKCS1, HASH_SHA1, 0 } },
		{ "1.2.840.113549.1.1.11", { SIG_RSA_PKCS1, HASH_SHA256, 0 } },
		{ "1.2.840.113549.1.1.12", { SIG_RSA_PKCS1, HASH_SHA384, 0 } },
		{ "1.2.840.113549.1.1.13", { SIG_RSA_PKCS1, HASH_SHA512, 0 } },
		{ "1.2.840.10045.4.1", { SIG_ECDSA_DER, HASH_SHA1, 0 } },
		{ "1.2.840.10045.4.3.2", { SIG_ECDSA_DER, HASH_SHA256, 0 } },
		{ "1.2.840.10045.4.3.3", { SIG_ECDSA_DER, HASH_SHA384, 0 } },
		{ "1.2.840.10045.4.3.4", { SIG_ECDSA_DER, HASH_SHA512, 0 } },
	};
	struct rd outer = rd_of(parts(c)->sig_alg), r = der_open(&outer, DER_SEQUENCE);
	const struct slice oid = der_take(&r, DER_OID).body;
	AUTO_BUF text = { 0 };

	if (der_oid_is(oid, OID_RSA_PSS)) {
		struct cert_alg a;

		if (!pss_params(&a, &r) || !der_done(&r))
			return err_set(e, EC_FORMAT, "RSA-PSS parameters of the certificate are malformed or not supported");
		*ret = a;
		return 0;
	}
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (der_oid_is(oid, table[i].oid)) {
			*ret = table[i].alg;
			return 0;
		}
	der_oid_text(&text, oid);
	return err_set(e, EC_FORMAT, "certificate is signed with an unknown algorithm (%s)", buf_cstr(&text));
}

int cert_describe_alg(struct buf *ret, const struct cert *c, struct err *e)
{
	static const char *const forms[] = { [SIG_ECDSA_DER] = "ECDSA", [SIG_ECDSA_RAW] = "ECDSA", [SIG_RSA_PKCS1] = "RSA",
					     [SIG_RSA_PSS] = "RSA-PSS" };
	struct cert_alg a;

	if (cert_alg(&a, c, e))
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
