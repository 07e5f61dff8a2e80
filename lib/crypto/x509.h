/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_X509_H
#define CVMBOX_CRYPTO_X509_H

/* X.509 certificates (RFC 5280), with what hardware makers really issue: RSA-PSS, serial number 0,
 * private extensions. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/sig.h"

struct cert {		/* one certificate; owns its DER */
	void *ctx;
	struct slice der;		/* points into ctx; as all slices below */
	struct slice issuer, subject;	/* raw Name, DER */
	struct slice serial;		/* contents of the INTEGER, as it stands there */
	int64_t not_before, not_after;	/* seconds UTC */
	bool is_ca;
	bool has_basic_constraints;
};
#define CERTS_MAX 64
struct cert_list {
	struct cert *v;
	size_t n;
};
#define AUTO_CERTS __attribute__((cleanup(certs_free))) struct cert_list
void certs_free(struct cert_list *l);
/* Appends every certificate found: PEM (any text around) or one DER certificate.  None found is
 * EC_FORMAT.  At most CERTS_MAX in a list. */
int certs_parse(struct cert_list *l, struct slice pem_or_der, struct err *e);

int cert_name(struct buf *ret, struct slice name, struct err *e);		/* RFC 4514-like text, in the order of the Name */
int cert_public(struct pubkey *ret, const struct cert *c, struct err *e);
int cert_describe_alg(struct buf *ret, const struct cert *c, struct err *e);	/* "RSA-PSS SHA-384", "ECDSA SHA-384" */
/* Value of the extension with this dotted OID (contents of the extnValue OCTET STRING); n == 0 if
 * absent. */
struct slice cert_ext(const struct cert *c, const char *oid);
/* May its key be used for this (RFC 5280 4.2.1.12)?  True without an extended key usage, with this one, or with "any"; purpose NULL:
 * only "any".  A malformed extension allows nothing. */
bool cert_allows(const struct cert *c, const char *purpose);
/* c's signature by issuer's key only (no dates, no names); RSA PKCS#1, RSA-PSS, ECDSA.  EC_REFUSED. */
int cert_signed_by(const struct cert *c, const struct pubkey *issuer, struct err *e);
/* Names match, issuer is a CA with keyCertSign where it says, signature holds, both valid at time
 * now.  EC_REFUSED with the reason.  Expired and not-yet-valid have distinct texts with the window
 * and the time used.  A critical extension that is not understood here is refused (RFC 5280 4.2). */
int cert_issued(const struct cert *c, const struct cert *issuer, int64_t now, struct err *e);
int cert_dates(const struct cert *c, int64_t now, struct err *e);
/* A chain from leaf over any of the certificates in between (any order; may be empty) to one of
 * roots, each step as cert_issued, with path length constraints.  A leaf that is itself among the
 * roots is accepted when its dates hold.  EC_REFUSED. */
int cert_chain(const struct cert *leaf, const struct cert_list *between, const struct cert_list *roots, int64_t now,
	       struct err *e);
/* A chain that has to stand in order, leaf first: each is issued by the next, as in cert_issued but for dates, with path length
 * constraints.  The last one is not looked at: who it is, is for the caller.  EC_REFUSED. */
int cert_line(const struct cert_list *l, struct err *e);
/* Key equality: SHA-256 of SubjectPublicKeyInfo. */
int cert_key_sha256(uint8_t ret[static 32], const struct cert *c, struct err *e);

/* Making certificates: for `kbs` demo TLS and for tests (own CA). */
struct cert_make {
	const char *subject;		/* "CN=...,O=...": CN, O, OU, C, L, ST, serialNumber; a comma inside a value is written "\," */
	const struct privkey *key;	/* subject's key */
	const struct cert *issuer;	/* NULL: self-signed */
	const struct privkey *issuer_key;
	int64_t not_before, not_after;
	bool ca, leaves_only;		/* leaves_only: path length 0 */
	const char *dns, *ip;		/* subjectAltName, NULL: none */
	const uint8_t *serial; size_t serial_n;	/* NULL: random */
	bool pss;			/* RSA signs with RSA-PSS SHA-384, as AMD does; else PKCS#1 SHA-256 */
	const struct cert_make_ext {	/* further extensions, behind our own */
		const char *oid;	/* dotted */
		bool critical;
		struct slice value;	/* contents of the extnValue OCTET STRING, as they are */
	} *exts;
	size_t n_exts;
};
int cert_make(struct buf *ret_der, const struct cert_make *m, struct err *e);

#endif
