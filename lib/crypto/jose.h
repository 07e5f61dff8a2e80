/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_JOSE_H
#define CVMBOX_CRYPTO_JOSE_H

/* JWK (RFC 7517), JWS compact (RFC 7515) with ES256, ES384, RS256, PS256, JWE flattened JSON (RFC
 * 7516) as the Trustee key broker uses it (ECDH-ES+A256KW on P-256/P-521, RSA-OAEP-256; enc
 * A256GCM).  RSA1_5 is not spoken. */

#include "base/secret.h"
#include "codec/json.h"
#include "crypto/sig.h"

int jwk_parse(struct pubkey *ret, const struct json *jwk, struct err *e);	/* kty EC or RSA; a private member ("d") is refused */
/* Adds kty, crv, x, y or n, e (and alg when not NULL) to obj. */
int jwk_write(struct json *obj, const struct pubkey *k, const char *alg, struct err *e);
int jwk_thumbprint(struct buf *ret, const struct pubkey *k, struct err *e);	/* RFC 7638, SHA-256, base64url */

struct jws {		/* slices point into the input text */
	struct json *header, *payload;	/* payload NULL if it is not a JSON object */
	struct slice signed_part;
	struct buf payload_raw, sig;
	const char *alg;		/* into header */
};
#define AUTO_JWS __attribute__((cleanup(jws_free))) struct jws
void jws_free(struct jws *j);
int jws_parse(struct jws *ret, struct slice text, struct err *e);	/* three parts; header must have alg; `crit` is refused */
/* The algorithm must be one the key can do and one of ES256, ES384, RS256, PS256; `none` never. */
int jws_verify(const struct jws *j, const struct pubkey *k, struct err *e);
/* header gets alg first, then the members of extra (may be NULL).  EC P-256: ES256, P-384: ES384,
 * RSA: PS256. */
int jws_sign(struct buf *ret, const struct privkey *k, const struct json *extra, struct slice payload, struct err *e);

/* Encrypts for a client key as key-broker.md 1.8: `jwk` is the client's tee-pubkey with its "alg".
 * Appends compact JSON with members in the broker's order. */
int jwe_seal(struct buf *ret, const struct json *jwk, struct slice plaintext, struct err *e);
/* Opens a flattened JWE (JSON text) with the private key; alg must be the one that fits the key
 * (key-broker.md 1.8.4). EC_FORMAT if malformed, EC_REFUSED if it does not decrypt. */
int jwe_open(struct secret *ret, const struct privkey *k, struct slice text, struct err *e);

/* RFC 7518 4.6.2: the Concat KDF with SHA-256, one round, so n <= 32 bytes.  alg is the
 * AlgorithmID, apu and apv may be empty. */
int concat_kdf(uint8_t *ret, size_t n, struct slice z, const char *alg, struct slice apu, struct slice apv, struct err *e);

#endif
