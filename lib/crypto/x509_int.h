/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_X509_INT_H
#define CVMBOX_CRYPTO_X509_INT_H

/* Between the x509*.c files, crl.c and ocsp*.c only. */

#include "codec/der.h"
#include "crypto/x509.h"

struct cert_parts {		/* behind cert.ctx; the slices point into der[] */
	struct slice tbs, spki, sig_alg, sig, exts;	/* sig_alg: AlgorithmIdentifier with its tag; exts: body of Extensions */
	bool has_key_usage, sign, cert_sign, crl_sign;	/* sign: digitalSignature or nonRepudiation */
	int path_len;		/* -1: no limit */
	size_t n;
	uint8_t der[];
};

static inline const struct cert_parts *parts(const struct cert *c)
{
	return c->ctx;
}

/* Signature algorithms (x509_alg.c); what: "certificate" or "revocation list", for error texts. */
struct x509_alg {
	enum sig_form form;
	enum hash hash;
	size_t salt;		/* RSA-PSS */
};
int x509_alg_read(struct x509_alg *ret, struct slice id, const char *what, struct err *e);	/* EC_FORMAT if unknown */
int x509_signed(struct slice tbs, struct slice alg, struct slice sig, const struct pubkey *issuer, const char *what, struct err *e);
struct x509_maker {
	const char *oid;
	enum sig_form form;
	enum hash hash;
};
struct x509_maker x509_maker_for(const struct privkey *k, bool pss);
void x509_alg_put(struct buf *ret, const struct x509_maker *m);
void x509_wrap(struct buf *ret, unsigned tag, const struct buf *body);
enum hash x509_hash_read(struct rd *r);			/* AlgorithmIdentifier of a hash; HASH_NONE if unknown */
void x509_hash_put(struct buf *ret, enum hash h);	/* the same, written; SHA-1 and SHA-2 */
void x509_ext_put(struct buf *ret, const char *oid, bool critical, struct slice value);	/* one Extension */

struct x509_label {
	char text[128];
};
struct x509_label x509_label(struct slice name);	/* a Name, for people */

struct cert_extension {
	struct slice oid, value;
	bool critical;
};
bool cert_extension_next(struct rd *r, struct cert_extension *ret);	/* r over the body of Extensions; false at the end or r->bad */
bool cert_extension_twice(struct slice exts, struct slice oid);	/* RFC 5280 4.2: at most one of a kind */
struct slice x509_extension(struct slice exts, const char *oid);	/* value; p NULL: absent.  exts: body of Extensions */
/* A list of 1 to 32, none twice.  The first critical one that is not among known (NULL ended) goes to *strange, unless one is there. */
bool x509_extensions(struct slice exts, const char *const *known, struct slice *strange);
bool cert_lists_purpose(const struct cert *c, const char *purpose);	/* its extended key usage names this one */
struct slice cert_key_bits(const struct cert *c);	/* contents of subjectPublicKey: what a key hash is made of (RFC 6960 4.1.1) */

#define OID_KEY_USAGE "2.5.29.15"
#define OID_SUBJECT_ALT_NAME "2.5.29.17"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_EXT_KEY_USAGE "2.5.29.37"
#define OID_SUBJECT_KEY_ID "2.5.29.14"
#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define OID_RSA_PSS "1.2.840.113549.1.1.10"
#define OID_MGF1 "1.2.840.113549.1.1.8"

#endif
