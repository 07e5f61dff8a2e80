/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_HASH_H
#define CVMBOX_CRYPTO_HASH_H

/* Digests (FIPS 180-4; MD5 and SHA-1 only for reading old formats), HMAC (RFC 2104), HKDF (RFC
 * 5869), PBKDF2 (RFC 8018). */

#include "base/buf.h"

enum hash { HASH_NONE, HASH_MD5, HASH_SHA1, HASH_SHA224, HASH_SHA256, HASH_SHA384, HASH_SHA512 };
#define HASH_MAX 64

size_t hash_size(enum hash h);
const char *hash_name(enum hash h);			/* "sha256" */
enum hash hash_by_name(const char *name);		/* case ignored, "sha256" and "sha-256"; HASH_NONE if unknown */

/* ret: hash_size(h) bytes.  These fail only for lack of memory or an unknown hash, so a failure is
 * EC_BUG and ret is zeroed. */
int hash_of(uint8_t *ret, enum hash h, struct slice data, struct err *e);

struct hasher {
	void *ctx;
	enum hash h;
};
#define AUTO_HASHER __attribute__((cleanup(hasher_free))) struct hasher
int hasher_init(struct hasher *s, enum hash h, struct err *e);
int hasher_add(struct hasher *s, struct slice data, struct err *e);
int hasher_end(struct hasher *s, uint8_t *ret, struct err *e);	/* afterwards the hasher is free */
void hasher_free(struct hasher *s);

int hmac(uint8_t *ret, enum hash h, struct slice key, struct slice data, struct err *e);
int hkdf(uint8_t *ret, size_t n, enum hash h, struct slice ikm, struct slice salt, struct slice info, struct err *e);
int pbkdf2(uint8_t *ret, size_t n, enum hash h, struct slice pass, struct slice salt, uint32_t rounds, struct err *e);

#endif
