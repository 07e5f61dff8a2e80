/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_KEY_INT_H
#define CVMBOX_CRYPTO_KEY_INT_H

/* Inside lib/crypto only: the mbedtls keys behind struct pubkey and struct privkey.  Reading a
 * public key changes nothing that another thread could see (curve tables are constant, RSA's
 * cached value is behind mbedtls' mutex). */

#define MBEDTLS_ALLOW_PRIVATE_ACCESS	/* group and scalar of a key pair, to call ECDSA and ECDH without DER */
#include <mbedtls/pk.h>

#include "crypto/mbed.h"
#include "crypto/sig.h"

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 8192, COORD_MAX = 66 };

static inline mbedtls_ecp_keypair *pub_ec(const struct pubkey *k)
{
	return mbedtls_pk_ec(*(mbedtls_pk_context *)k->ctx);
}

static inline mbedtls_rsa_context *pub_rsa(const struct pubkey *k)
{
	return mbedtls_pk_rsa(*(mbedtls_pk_context *)k->ctx);
}

static inline mbedtls_ecp_keypair *priv_ec(const struct privkey *k)
{
	return mbedtls_pk_ec(*(mbedtls_pk_context *)k->ctx);
}

static inline mbedtls_rsa_context *priv_rsa(const struct privkey *k)
{
	return mbedtls_pk_rsa(*(mbedtls_pk_context *)k->ctx);
}

static inline bool key_is_ec(enum key_type t)
{
	return t == KEY_EC_P256 || t == KEY_EC_P384 || t == KEY_EC_P521;
}

/* A private copy of an RSA key with its padding set: mbedtls keeps the padding in the key, and
 * ours are shared. */
int rsa_for(mbedtls_rsa_context *ret, const mbedtls_rsa_context *key, int padding, enum hash h, struct err *e);

/* What sig_verify does for RSA-PSS, with the salt length that a certificate states. */
int pss_verify(const struct pubkey *k, enum hash h, size_t salt, struct slice digest, struct slice sig, struct err *e);

#endif
