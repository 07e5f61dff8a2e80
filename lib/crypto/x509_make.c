/* SPDX-License-Identifier: Apache-2.0 */
/* Making certificates, for a broker's own TLS and for tests. */

#include <arpa/inet.h>

#include "base/host.h"
#include "codec/der.h"
#include "crypto/x509_int.h"

/* --- name ---------------------------------------------------------------------------------------------- */

static void put_rdn(struct buf *ret, const char *oid, unsigned tag, const struct buf *value)
{
	AUTO_BUF attribute = { 0 }, seq = { 0 };

	der_put_oid(&attribute, oid);
	x509_wrap(&attribute, tag, value);
	x509_wrap(&seq, DER_SEQUENCE, &attribute);
	x509_wrap(ret, DER_SET, &seq);
}

/* One "KEY=value" up to the next bare comma; advances *p behind it. */
static int put_pair(struct buf *ret, const char **p, struct err *e)
{
	static const char *const table[][2] = { { "CN", "2.5.4.3" }, { "O", "2.5.4.10" }, { "OU", "2.5.4.11" },
						{ "C", "2.5.4.6" }, { "L", "2.5.4.7" }, { "ST", "2.5.4.8" },
						{ "serialNumber", "2.5.4.5" } };
	const char *oid = NULL, *eq;
	AUTO_BUF value = { 0 };

	while (**p == ' ')
		(*p)++;
	eq = strchr(*p, '=');
	for (size_t i = 0; eq && i < sizeof table / sizeof table[0]; i++)
		if (slice_eqs(slice_of(*p, (size_t)(eq - *p)), table[i][0]))
			oid = table[i][1];
	if (!oid)
		return err_set(e, EC_USAGE, "certificate subject: wanted CN=, O=, OU=, C=, L=, ST= or serialNumber= at '%.32s'", *p);
	for (*p = eq + 1; **p && **p != ','; (*p)++) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		buf_byte(&value, (uint8_t)**p);
	}
	if (**p == ',')
		(*p)++;
	if (!value.n)
		return err_set(e, EC_USAGE, "certificate subject has an empty value");
	put_rdn(ret, oid, strcmp(oid, "2.5.4.6") && strcmp(oid, "2.5.4.5") ? DER_UTF8 : DER_PRINTABLE, &value);
	return 0;
}

static int put_name(struct buf *ret, const char *text, struct err *e)
{
	AUTO_BUF rdns = { 0 };

	while (*text)
		if (put_pair(&rdns, &text, e))
			return -1;
	x509_wrap(ret, DER_SEQUENCE, &rdns);
	return 0;
}

/* --- extensions ---------------------------------------------------------------------------------------- */

void x509_ext_put(struct buf *ret, const char *oid, bool critical, struct slice value)
{
	AUTO_BUF x = { 0 };

	der_put_oid(&x, oid);
	if (critical)
		der_put(&x, DER_BOOLEAN, SLICE("\xff"));
	der_put(&x, DER_OCTET_STRING, value);
	x509_wrap(ret, DER_SEQUENCE, &x);
}

static void put_constraints(struct buf *ret, bool ca, bool leaves_only)
{
	AUTO_BUF inner = { 0 }, value = { 0 }, usage = { 0 };

	if (ca)
		der_put(&inner, DER_BOOLEAN, SLICE("\xff"));
	if (ca && leaves_only)
		der_put_uint(&inner, SLICE("\0"));	/* path length */
	x509_wrap(&value, DER_SEQUENCE, &inner);
	x509_ext_put(ret, OID_BASIC_CONSTRAINTS, true, buf_view(&value));
	/* keyCertSign and cRLSign, or digitalSignature; the first byte counts the unused bits */
	der_put(&usage, DER_BIT_STRING, ca ? SLICE("\x01\x06") : SLICE("\x07\x80"));
	x509_ext_put(ret, OID_KEY_USAGE, true, buf_view(&usage));
}

/* RFC 7093 section 2, method 4: the leftmost 160 bits of SHA-256 over the key information. */
static int put_key_ids(struct buf *ret, struct slice spki, struct slice issuer_spki, struct err *e)
{
	AUTO_BUF own = { 0 }, id = { 0 }, authority = { 0 };
	uint8_t digest[32];

	if (hash_of(digest, HASH_SHA256, spki, e))
		return -1;
	der_put(&own, DER_OCTET_STRING, slice_of(digest, 20));
	x509_ext_put(ret, OID_SUBJECT_KEY_ID, false, buf_view(&own));
	if (hash_of(digest, HASH_SHA256, issuer_spki, e))
		return -1;
	der_put(&id, DER_CONTEXT + 0, slice_of(digest, 20));
	x509_wrap(&authority, DER_SEQUENCE, &id);
	x509_ext_put(ret, OID_AUTHORITY_KEY_ID, false, buf_view(&authority));
	return 0;
}

static int put_alt_names(struct buf *ret, const char *dns, const char *ip, struct err *e)
{
	AUTO_BUF names = { 0 }, value = { 0 }, uses = { 0 }, eku = { 0 };
	uint8_t a[16];

	if (dns)
		der_put(&names, DER_CONTEXT + 2, slice_str(dns));
	if (ip && inet_pton(AF_INET, ip, a) == 1)
		der_put(&names, DER_CONTEXT + 7, slice_of(a, 4));
	else if (ip && inet_pton(AF_INET6, ip, a) == 1)
		der_put(&names, DER_CONTEXT + 7, slice_of(a, 16));
	else if (ip)
		return err_set(e, EC_USAGE, "'%s' is no IP address", ip);
	x509_wrap(&value, DER_SEQUENCE, &names);
	x509_ext_put(ret, OID_SUBJECT_ALT_NAME, false, buf_view(&value));
	der_put_oid(&uses, "1.3.6.1.5.5.7.3.1");	/* serverAuth */
	x509_wrap(&eku, DER_SEQUENCE, &uses);
	x509_ext_put(ret, OID_EXT_KEY_USAGE, false, buf_view(&eku));
	return 0;
}

/* --- the certificate ----------------------------------------------------------------------------------- */

static int public_of(struct buf *ret, const struct privkey *k, struct err *e)
{
	AUTO_PUBKEY p = { 0 };

	return privkey_public(&p, k, e) || pubkey_der(ret, &p, e) ? -1 : 0;
}

static int put_serial(struct buf *ret, const struct cert_make *m, struct err *e)
{
	uint8_t serial[16];

	if (m->serial) {
		der_put_uint(ret, slice_of(m->serial, m->serial_n));
		return 0;
	}
	if (host_random(serial, sizeof serial, e))
		return -1;
	serial[0] = (serial[0] & 0x7f) | 0x40;	/* positive, and always of this length */
	der_put_uint(ret, slice_of(serial, sizeof serial));
	return 0;
}

static int put_exts(struct buf *ret, const struct cert_make *m, struct slice spki, struct slice issuer_spki, struct err *e)
{
	AUTO_BUF exts = { 0 }, seq = { 0 };

	put_constraints(&exts, m->ca, m->leaves_only);
	if (put_key_ids(&exts, spki, issuer_spki, e))
		return -1;
	if ((m->dns || m->ip) && put_alt_names(&exts, m->dns, m->ip, e))
		return -1;
	for (size_t i = 0; i < m->n_exts; i++)
		x509_ext_put(&exts, m->exts[i].oid, m->exts[i].critical, m->exts[i].value);
	x509_wrap(&seq, DER_SEQUENCE, &exts);
	x509_wrap(ret, DER_EXPLICIT + 3, &seq);
	return 0;
}

static int put_tbs(struct buf *ret, const struct cert_make *m, const struct x509_maker *how, struct slice spki,
		   struct slice issuer_spki, struct err *e)
{
	AUTO_BUF body = { 0 }, subject = { 0 }, dates = { 0 };

	buf_put(&body, "\xa0\x03\x02\x01\x02", 5);	/* version 3 */
	if (put_serial(&body, m, e) || put_name(&subject, m->subject, e))
		return -1;
	x509_alg_put(&body, how);
	buf_slice(&body, m->issuer ? m->issuer->subject : buf_view(&subject));
	der_put_time(&dates, m->not_before);
	der_put_time(&dates, m->not_after);
	x509_wrap(&body, DER_SEQUENCE, &dates);
	buf_slice(&body, buf_view(&subject));
	buf_slice(&body, spki);
	if (put_exts(&body, m, spki, issuer_spki, e))
		return -1;
	x509_wrap(ret, DER_SEQUENCE, &body);
	return buf_check(ret, e);
}

int cert_make(struct buf *ret_der, const struct cert_make *m, struct err *e)
{
	const struct privkey *signer = m->issuer ? m->issuer_key : m->key;
	const struct x509_maker how = x509_maker_for(signer, m->pss);
	AUTO_BUF spki = { 0 }, signer_spki = { 0 }, all = { 0 }, sig = { 0 };

	if (public_of(&spki, m->key, e) || public_of(&signer_spki, signer, e))
		return -1;
	if (m->issuer && !slice_eq(buf_view(&signer_spki), parts(m->issuer)->spki))
		return err_set(e, EC_USAGE, "issuer's key does not belong to the issuer's certificate");
	if (put_tbs(&all, m, &how, buf_view(&spki), buf_view(&signer_spki), e) ||
	    sig_sign(&sig, signer, how.form, how.hash, buf_view(&all), e))
		return -1;
	x509_alg_put(&all, &how);
	der_put_bits(&all, buf_view(&sig));
	x509_wrap(ret_der, DER_SEQUENCE, &all);
	return buf_check(ret_der, e);
}
