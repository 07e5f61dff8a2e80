/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_XMLDSIG_H
#define CVMBOX_CRYPTO_XMLDSIG_H

/* XML signatures (W3C XML-DSig core), the one form that reference integrity manifests use (nvidia-gpu.md 3.3): one enveloped
 * Signature, last-level child of the root, one Reference with URI="" and the transforms enveloped-signature and c14n11, SHA-384, ECDSA
 * P-384 with r||s.  Whatever else stands there is refused: KeyValue, further references, other algorithms. */

#include "codec/xml.h"
#include "crypto/x509.h"

struct xmldsig {
	struct cert_list certs;		/* of X509Data, signer first, as they stand there */
	bool digest_holds;		/* DigestValue is that of the document without its Signature */
	uint8_t digest[48];		/* of that canonical form, computed */
	struct buf signed_info;		/* canonical SignedInfo, with the declarations in scope */
	struct buf signature;		/* 96 bytes */
};
void xmldsig_free(struct xmldsig *s);

/* Takes the signature apart and computes the digest.  EC_FORMAT: not exactly the form above.  A wrong digest is no failure
 * here: see digest_holds. */
int xmldsig_open(struct xmldsig *ret, const struct xml *doc, struct err *e);
/* The signature over SignedInfo by this key, which has to come from a verified chain.  EC_REFUSED.  Does not look at the digest. */
int xmldsig_verify(const struct xmldsig *s, const struct pubkey *key, struct err *e);

#endif
