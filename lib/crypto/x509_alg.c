/* SPDX-License-Identifier: Apache-2.0 */
/* How certificates and revocation lists are signed: the AlgorithmIdentifier (RFC 5280 4.1.1.2, RFC 8017 A.2), read and
 * written. */

#include "crypto/key_int.h"
#include "crypto/x509_int.h"

/* --- reading ------------------------------------------------------------------------------------------- */

static const struct {
	const char *oid;
	enum hash h;
} hashes[] = { { "1.3.14.3.2.26", HASH_SHA1 }, { "2.16.840.1.101.3.4.2.1", HASH_SHA256 },
	       { "2.16.840.1.101.3.4.2.2", HASH_SHA384 }, { "2.16.840.1.101.3.4.2.3", HASH_SHA512 } };

enum hash x509_hash_read(struct rd *r)	/* parameters NULL or absent */
{
	struct rd in = der_open(r, DER_SEQUENCE);
	const struct slice oid = der_take(&in, DER_OID).body;

	if (der_peek(&in, DER_NULL) && der_take(&in, DER_NULL).body.n)
		in.bad = true;
	if (!der_done(&in))
		r->bad = true;
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
		if (der_oid_is(oid, hashes[i].oid))
			return hashes[i].h;
	return HASH_NONE;
}

/* RSASSA-PSS-params (RFC 8017 A.2.3).  Defaults are SHA-1 and 20 bytes of salt; a mask of another hash, or another
 * trailer, is not supported (nobody makes it). */
static bool pss_params(struct x509_alg *ret, struct rd *r)
{
	struct rd seq = der_open(r, DER_SEQUENCE), in;
	enum hash mask = HASH_SHA1;
	uint32_t n;

	*ret = (struct x509_alg){ SIG_RSA_PSS, HASH_SHA1, 20 };
	if (der_peek(&seq, DER_EXPLICIT + 0)) {
		in = der_open(&seq, DER_EXPLICIT + 0);
		ret->hash = x509_hash_read(&in);
		seq.bad |= !der_done(&in);
	}
	if (der_peek(&seq, DER_EXPLICIT + 1)) {
		struct rd mgf;

		in = der_open(&seq, DER_EXPLICIT + 1);
		mgf = der_open(&in, DER_SEQUENCE);
		seq.bad |= !der_oid_is(der_take(&mgf, DER_OID).body, OID_MGF1);
		mask = x509_hash_read(&mgf);
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

int x509_alg_read(struct x509_alg *ret, struct slice id, const char *what, struct err *e)
{
	static const struct {
		const char *oid;
		struct x509_alg alg;
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
	struct rd outer = rd_of(id), r = der_open(&outer, DER_SEQUENCE);
	const struct slice oid = der_take(&r, DER_OID).body;
	AUTO_BUF text = { 0 };

	if (der_oid_is(oid, OID_RSA_PSS)) {
		struct x509_alg a;

		if (!pss_params(&a, &r) || !der_done(&r))
			return err_set(e, EC_FORMAT, "RSA-PSS parameters of the %s are malformed or not supported", what);
		*ret = a;
		return 0;
	}
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (der_oid_is(oid, table[i].oid)) {
			*ret = table[i].alg;
			return 0;
		}
	der_oid_text(&text, oid);
	return err_set(e, EC_FORMAT, "%s is signed with an unknown algorithm (%s)", what, buf_cstr(&text));
}

int x509_signed(struct slice tbs, struct slice alg, struct slice sig, const struct pubkey *issuer, const char *what, struct err *e)
{
	uint8_t digest[HASH_MAX];
	struct x509_alg a;
	struct slice d;

	if (x509_alg_read(&a, alg, what, e) || hash_of(digest, a.hash, tbs, e))
		return -1;
	d = slice_of(digest, hash_size(a.hash));
	return a.form == SIG_RSA_PSS ? pss_verify(issuer, a.hash, a.salt, d, sig, e) :
				       sig_verify(issuer, a.form, a.hash, d, sig, e);
}

/* --- writing ------------------------------------------------------------------------------------------- */

void x509_wrap(struct buf *ret, unsigned tag, const struct buf *body)
{
	ret->bad |= body->bad;
	der_put(ret, tag, buf_view(body));
}

struct x509_maker x509_maker_for(const struct privkey *k, bool pss)
{
	switch (k->type) {
	case KEY_EC_P256:
		return (struct x509_maker){ "1.2.840.10045.4.3.2", SIG_ECDSA_DER, HASH_SHA256 };
	case KEY_EC_P384:
		return (struct x509_maker){ "1.2.840.10045.4.3.3", SIG_ECDSA_DER, HASH_SHA384 };
	case KEY_EC_P521:
		return (struct x509_maker){ "1.2.840.10045.4.3.4", SIG_ECDSA_DER, HASH_SHA512 };
	default:
		return pss ? (struct x509_maker){ OID_RSA_PSS, SIG_RSA_PSS, HASH_SHA384 } :
			     (struct x509_maker){ "1.2.840.113549.1.1.11", SIG_RSA_PKCS1, HASH_SHA256 };
	}
}

/* SHA-384, MGF1 with SHA-384, salt of 48 bytes. */
static void put_pss_params(struct buf *ret)
{
	AUTO_BUF oid = { 0 }, hash = { 0 }, mgf = { 0 }, mgf_seq = { 0 }, salt = { 0 }, all = { 0 };

	der_put_oid(&oid, "2.16.840.1.101.3.4.2.2");
	der_put(&oid, DER_NULL, SLICE(""));
	x509_wrap(&hash, DER_SEQUENCE, &oid);
	der_put_oid(&mgf, OID_MGF1);
	buf_slice(&mgf, buf_view(&hash));
	x509_wrap(&mgf_seq, DER_SEQUENCE, &mgf);
	der_put_uint(&salt, SLICE("\x30"));
	x509_wrap(&all, DER_EXPLICIT + 0, &hash);
	x509_wrap(&all, DER_EXPLICIT + 1, &mgf_seq);
	x509_wrap(&all, DER_EXPLICIT + 2, &salt);
	x509_wrap(ret, DER_SEQUENCE, &all);
}

void x509_hash_put(struct buf *ret, enum hash h)
{
	AUTO_BUF alg = { 0 };

	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
		if (hashes[i].h == h)
			der_put_oid(&alg, hashes[i].oid);
	ret->bad |= alg.n == 0;
	der_put(&alg, DER_NULL, SLICE(""));
	x509_wrap(ret, DER_SEQUENCE, &alg);
}

void x509_alg_put(struct buf *ret, const struct x509_maker *m)
{
	AUTO_BUF alg = { 0 };

	der_put_oid(&alg, m->oid);
	if (m->form == SIG_RSA_PKCS1)
		der_put(&alg, DER_NULL, SLICE(""));
	else if (m->form == SIG_RSA_PSS)
		put_pss_params(&alg);
	x509_wrap(ret, DER_SEQUENCE, &alg);
}
