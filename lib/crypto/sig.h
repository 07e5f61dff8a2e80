/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_SIG_H
#define CVMBOX_CRYPTO_SIG_H

/* Keys and signatures: ECDSA (FIPS 186-5) on P-256, P-384, P-521; RSA PKCS#1 v1.5 and PSS (RFC
 * 8017); ECDH and RSA-OAEP for key transport. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/secret.h"
#include "crypto/hash.h"

enum key_type { KEY_NONE, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_RSA };
const char *key_type_name(enum key_type t);	/* "EC P-256", "RSA" */
size_t key_type_coord(enum key_type t);		/* bytes of a coordinate: 32, 48, 66; 0 for RSA */

struct pubkey { void *ctx; enum key_type type; unsigned bits; };
#define AUTO_PUBKEY __attribute__((cleanup(pubkey_free))) struct pubkey
void pubkey_free(struct pubkey *k);
int pubkey_parse(struct pubkey *ret, struct slice pem_or_der, struct err *e);	/* SubjectPublicKeyInfo (RFC 5280), also "RSA PUBLIC KEY" PEM */
int pubkey_from_ec(struct pubkey *ret, enum key_type t, struct slice x, struct slice y, struct err *e);	/* big endian, exact length; on-curve checked */
int pubkey_from_rsa(struct pubkey *ret, struct slice n, struct slice ex, struct err *e);	/* big endian; 2048..8192 bits */
int pubkey_ec_xy(uint8_t *x, uint8_t *y, const struct pubkey *k, struct err *e);	/* key_type_coord bytes each */
int pubkey_rsa_ne(struct buf *n, struct buf *ex, const struct pubkey *k, struct err *e);	/* big endian, minimal */
int pubkey_der(struct buf *ret, const struct pubkey *k, struct err *e);		/* appends SubjectPublicKeyInfo */
int pubkey_pem(struct buf *ret, const struct pubkey *k, struct err *e);

/* Signature forms.  digest is the hash of the message by h.  A signature that does not hold is
 * EC_REFUSED; one that cannot be one (length, DER) is EC_REFUSED too: never EC_OK. */
enum sig_form { SIG_ECDSA_DER, SIG_ECDSA_RAW /* r||s big endian, coord bytes each */, SIG_RSA_PKCS1, SIG_RSA_PSS /* salt length = hash, MGF1 same hash */ };
int sig_verify(const struct pubkey *k, enum sig_form form, enum hash h, struct slice digest, struct slice sig, struct err *e);
int sig_verify_msg(const struct pubkey *k, enum sig_form form, enum hash h, struct slice message, struct slice sig, struct err *e);

struct privkey { void *ctx; enum key_type type; unsigned bits; };
#define AUTO_PRIVKEY __attribute__((cleanup(privkey_free))) struct privkey
void privkey_free(struct privkey *k);			/* wipes */
int privkey_generate(struct privkey *ret, enum key_type t, unsigned rsa_bits, struct err *e);
int privkey_parse(struct privkey *ret, struct slice pem_or_der, struct err *e);	/* SEC1, PKCS#1, PKCS#8, unencrypted */
int privkey_pem(struct secret *ret, const struct privkey *k, struct err *e);	/* EC: SEC1; RSA: PKCS#1 */
int privkey_public(struct pubkey *ret, const struct privkey *k, struct err *e);
int sig_sign(struct buf *ret, const struct privkey *k, enum sig_form form, enum hash h, struct slice message, struct err *e);	/* appends */
/* x coordinate of the shared point, key_type_coord bytes, left padded (RFC 7518 4.6). */
int ecdh(uint8_t *z, const struct privkey *mine, const struct pubkey *theirs, struct err *e);
int rsa_oaep_decrypt(struct secret *ret, const struct privkey *k, enum hash h, struct slice in, struct err *e);	/* EC_REFUSED if it does not fit */
int rsa_oaep_encrypt(struct buf *ret, const struct pubkey *k, enum hash h, struct slice in, struct err *e);

#endif
