/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_AEAD_H
#define CVMBOX_CRYPTO_AEAD_H

/* AES-GCM (NIST SP 800-38D), AES-CTR, AES-CBC (SP 800-38A), AES key wrap (RFC 3394).  A context
 * holds one key; it may be used by one thread at a time and is wiped by its free function.  in and
 * out may be the same buffer, not otherwise overlap. */

#include "base/buf.h"

#define GCM_TAG 16

struct gcm { void *ctx; };
#define AUTO_GCM __attribute__((cleanup(gcm_free))) struct gcm
int gcm_init(struct gcm *g, struct slice key, struct err *e);		/* 16, 24 or 32 bytes */
void gcm_free(struct gcm *g);
int gcm_seal(struct gcm *g, struct slice iv12, struct slice aad, struct slice in, uint8_t *out, uint8_t tag[static GCM_TAG],
	     struct err *e);
/* EC_REFUSED if the tag is wrong; then out is wiped. */
int gcm_open(struct gcm *g, struct slice iv12, struct slice aad, struct slice in, uint8_t *out, const uint8_t tag[static GCM_TAG],
	     struct err *e);
/* One long message in pieces (each a multiple of 16 but the last).  The caller must not release
 * plaintext before gcm_open_end said yes. */
int gcm_open_start(struct gcm *g, struct slice iv12, struct slice aad, struct err *e);
int gcm_open_some(struct gcm *g, struct slice in, uint8_t *out, struct err *e);
int gcm_open_end(struct gcm *g, const uint8_t tag[static GCM_TAG], struct err *e);

enum aes_mode { AES_CBC, AES_CTR, AES_CFB128, AES_OFB };
struct aes { void *ctx; };
#define AUTO_AES __attribute__((cleanup(aes_free))) struct aes
/* Decryption (and CTR/OFB encryption).  iv 16 bytes: for CTR the whole block is a 128-bit
 * big-endian counter.  State goes on from call to call; CBC takes multiples of 16 and does not
 * remove padding. */
int aes_init(struct aes *a, enum aes_mode mode, struct slice key, const uint8_t iv[static 16], struct err *e);
int aes_some(struct aes *a, struct slice in, uint8_t *out, struct err *e);
void aes_free(struct aes *a);

int aes_wrap(struct buf *ret, struct slice kek, struct slice key, struct err *e);	/* appends key.n + 8 bytes */
int aes_unwrap(struct buf *ret, struct slice kek, struct slice wrapped, struct err *e);	/* EC_REFUSED if it does not fit; caller wipes ret */

#endif
