/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_X509_INT_H
#define CVMBOX_CRYPTO_X509_INT_H

/* Between the x509*.c files only. */

#include "codec/der.h"
#include "crypto/x509.h"

struct cert_parts {		/* behind cert.ctx; the slices point into der[] */
	struct slice tbs, spki, sig_alg, sig, exts;	/* sig_alg: AlgorithmIdentifier with its tag; exts: body of Extensions */
	bool has_key_usage, cert_sign;
	int path_len;		/* -1: no limit */
	size_t n;
	uint8_t der[];
};

static inline const struct cert_parts *parts(const struct cert *c)
{
	return c->ctx;
}

struct cert_alg {
	enum sig_form form;
	enum hash hash;
	size_t salt;		/* RSA-PSS */
};
int cert_alg(struct cert_alg *ret, const struct cert *c, struct err *e);	/* EC_FORMAT if unknown */

struct cert_extension {
	struct slice oid, value;
	bool critical;
};
bool cert_extension_next(struct rd *r, struct cert_extension *ret);	/* r over parts.exts; false at the end or r->bad */

#define OID_KEY_USAGE "2.5.29.15"
#define OID_SUBJECT_ALT_NAME "2.5.29.17"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_EXT_KEY_USAGE "2.5.29.37"
#define OID_SUBJECT_KEY_ID "2.5.29.14"
#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define OID_RSA_PSS "1.2.840.113549.1.1.10"
#define OID_MGF1 "1.2.840.113549.1.1.8"

#endif
