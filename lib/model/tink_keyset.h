/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_TINK_KEYSET_H
#define CVMBOX_MODEL_TINK_KEYSET_H

/* Tink keysets of streaming keys, cleartext, as JSON or as binary protobuf (model-formats.md 2.4). */

#include "base/secret.h"
#include "crypto/hash.h"

#define TINK_MAX_KEYS 64
#define TINK_PREFIX 7		/* nonce prefix in the header */

struct tink_key {
	uint32_t id;
	bool ctr_hmac;		/* else AES-GCM-HKDF */
	uint32_t seg;		/* ciphertext segment size, bytes */
	uint32_t dk;		/* derived key size: 16 or 32 */
	uint32_t tag;		/* bytes a segment ends with */
	enum hash hkdf, mac;	/* mac: ctr_hmac only */
	struct secret ikm;
};
struct tink_keyset {
	struct tink_key key[TINK_MAX_KEYS];	/* the enabled ones, the primary first */
	size_t n;
};
#define AUTO_KEYSET __attribute__((cleanup(tink_keyset_free))) struct tink_keyset

void tink_keyset_free(struct tink_keyset *k);
/* EC_FORMAT: not a keyset; EC_ABSENT: an encrypted keyset, or a kind of key that cannot be used here. */
int tink_keyset_parse(struct tink_keyset *ret, struct slice text, struct err *e);
/* Cheap look: could this be a keyset?  (JSON object, or a protobuf that begins as one.) */
bool tink_keyset_like(struct slice text);
/* JSON keyset of one fresh AES256_GCM_HKDF_1MB key. */
int tink_keyset_new(struct secret *ret, struct err *e);

static inline uint32_t tink_header_size(const struct tink_key *k)
{
	return 1 + k->dk + TINK_PREFIX;
}

#endif
