/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_COSE_H
#define CVMBOX_CRYPTO_COSE_H

/* COSE_Sign1 and COSE_Key (RFC 9052, RFC 9053) with ECDSA: ES256 on P-256, ES384 on P-384, ES512 on P-521. */

#include "codec/cbor.h"
#include "crypto/sig.h"

struct cose_sign1 {		/* points into the input */
	enum key_type key;	/* what the protected header's algorithm asks for */
	enum hash hash;
	struct slice protected_header, payload, signature;
};
const char *cose_alg_name(enum key_type t);	/* "ES384" */

/* One COSE_Sign1, with or without its tag (18), payload inside.  The algorithm has to stand in the protected header and
 * nowhere else; critical headers are refused (none is understood).  EC_FORMAT. */
int cose_sign1_parse(struct cose_sign1 *ret, struct slice in, struct err *e);
/* Over the bytes as received; no external data.  EC_REFUSED: another kind of key, or the signature does not hold. */
int cose_sign1_verify(const struct cose_sign1 *s, const struct pubkey *k, struct err *e);
/* For tests: appends a tagged COSE_Sign1. */
int cose_sign1_make(struct buf *ret, const struct privkey *k, struct slice payload, struct err *e);

/* A COSE_Key of type EC2, both coordinates given.  EC_FORMAT. */
int cose_key_parse(struct pubkey *ret, struct slice in, struct err *e);
int cose_key_write(struct buf *ret, const struct pubkey *k, struct err *e);	/* EC keys only; appends */

#endif
