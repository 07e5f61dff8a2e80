/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_OCSP_H
#define CVMBOX_CRYPTO_OCSP_H

/* Online certificate status (RFC 6960), requests and basic responses. */

#include "crypto/x509.h"

#define OCSP_MAX ((size_t)64 << 10)
#define OCSP_SKEW 300			/* seconds that clocks may differ */
#define OCSP_NO_NEXT_UPDATE 3600	/* seconds that an answer without nextUpdate counts */
#define OCSP_NONCE_MAX 32		/* RFC 8954 */

/* A request about one certificate: CertID by h, nonce (1..32 bytes) where n > 0.  DER, appended.  EC_USAGE: issuer is not the one that
 * the certificate names. */
int ocsp_request(struct buf *ret, const struct cert *c, const struct cert *issuer, enum hash h, struct slice nonce, struct err *e);

enum ocsp_status { OCSP_UNKNOWN, OCSP_GOOD, OCSP_REVOKED };	/* zero is never good */
const char *ocsp_status_word(enum ocsp_status s);		/* "unknown", "good", "revoked" */
const char *ocsp_reason_word(unsigned reason);			/* RFC 5280 5.3.1: "certificateHold"; "unnamed" */
#define OCSP_REASON_HOLD 6

struct ocsp {			/* one answer, owns its DER; may speak of several certificates */
	void *ctx;
	struct slice der;
	unsigned response_status;	/* 0: successful; else nothing but der is filled in (RFC 6960 4.2.1) */
	int64_t produced_at;
	struct slice nonce;		/* contents, without the inner OCTET STRING; n 0: none */
	struct cert_list certs;		/* that came along */
	size_t entries;
};
#define AUTO_OCSP __attribute__((cleanup(ocsp_free))) struct ocsp
void ocsp_free(struct ocsp *o);		/* may run twice */
/* EC_FORMAT: malformed, trailing bytes, a response type that is not basic, an extension twice, a critical one that is not understood. */
int ocsp_parse(struct ocsp *ret, struct slice der, struct err *e);
const char *ocsp_response_status_word(unsigned s);		/* "tryLater" */

struct ocsp_entry {
	enum ocsp_status status;
	bool has_reason;
	unsigned reason;		/* of a revocation */
	int64_t revoked_at, this_update, next_update;	/* next_update 0: none */
};
/* For people: the i-th entry and the serial number that it is about; false: no more. */
bool ocsp_entry_at(struct ocsp_entry *ret, struct slice *serial, const struct ocsp *o, size_t i);
/* What it says of this certificate: the CertID (SHA-1, SHA-256, SHA-384) has to name its issuer's name, key and its serial.  Of several
 * entries the worst (revoked before on hold before unknown before good).  False: nothing. */
bool ocsp_about(struct ocsp_entry *ret, const struct ocsp *o, const struct cert *c, const struct cert *issuer);
/* Signed by the issuer, or by a responder whose certificate came along, is valid now, says that it may sign OCSP (EKU OCSPSigning by name:
 * "any" or none is not enough) and was issued by the issuer, or by a CA above it (above: from the issuer's own issuer to the root; may be
 * empty or NULL).  Never by a CA below.  Never with SHA-1.  Whether issuer and above are trusted is the caller's question, as is the
 * status of the responder itself.  EC_REFUSED. */
int ocsp_signed(const struct ocsp *o, const struct cert *issuer, const struct cert_list *above, int64_t now, struct err *e);
/* thisUpdate - skew <= now <= nextUpdate + skew, or thisUpdate + OCSP_NO_NEXT_UPDATE (no skew) where there is none; and producedAt - skew <= now.
 * EC_REFUSED; too old and too new have distinct texts with the window and the time used. */
int ocsp_current(const struct ocsp *o, const struct ocsp_entry *s, int64_t now, struct err *e);
/* For people: from the latest thisUpdate to the earliest end, of all its entries, without skew.  Both 0 where there is none. */
void ocsp_window(int64_t *from, int64_t *until, const struct ocsp *o);

/* For tests: an answer.  issuer/subject as asked; responder NULL: signed by the issuer itself. */
struct ocsp_make_entry {
	const struct cert *cert, *issuer;
	enum ocsp_status status;
	int reason;			/* -1: none */
	int64_t revoked_at, this_update, next_update;
};
struct ocsp_make {
	const struct ocsp_make_entry *v;
	size_t n;
	const struct cert *signer;	/* by whose name and key */
	const struct privkey *signer_key;
	bool with_cert;			/* the signer's certificate comes along */
	int64_t produced_at;
	struct slice nonce;
	enum hash id_hash;		/* of CertIDs; HASH_NONE: SHA-1 */
	bool by_key, bare_nonce;	/* the signer is named by its key's hash; the nonce stands without the inner OCTET STRING */
	const struct cert_make_ext *exts, *entry_exts;	/* further extensions of the answer, and of each entry */
	size_t n_exts, n_entry_exts;
};
int ocsp_make(struct buf *ret_der, const struct ocsp_make *m, struct err *e);

#endif
