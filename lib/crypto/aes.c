/* SPDX-License-Identifier: Apache-2.0 */
/* AES without authentication, for reading old formats, and AES key wrap. */

#include <mbedtls/aes.h>
#include <mbedtls/nist_kw.h>

#include "crypto/aead.h"
#include "crypto/mbed.h"

struct state {
	mbedtls_aes_context m;
	enum aes_mode mode;
	unsigned char iv[16], stream[16];
	size_t used;		/* bytes of the current key stream block already spent (CTR, CFB128, OFB) */
};

void aes_free(struct aes *a)
{
	struct state *s = a->ctx;

	if (s) {
		mbedtls_aes_free(&s->m);
		mem_wipe(s, sizeof *s);
		free(s);
	}
	a->ctx = NULL;
}

int aes_init(struct aes *a, enum aes_mode mode, struct slice key, const uint8_t iv[static 16], struct err *e)
{
	struct aes t = { calloc(1, sizeof(struct state)) };
	struct state *s = t.ctx;
	int rc;

	if (!s)
		return err_oom(e);
	mbedtls_aes_init(&s->m);
	if (key.n != 16 && key.n != 24 && key.n != 32) {
		aes_free(&t);
		return err_set(e, EC_FORMAT, "AES key is %zu bytes, wanted 16, 24 or 32", key.n);
	}
	s->mode = mode;
	memcpy(s->iv, iv, 16);
	if (mode == AES_CBC)
		rc = mbedtls_aes_setkey_dec(&s->m, key.p, (unsigned)key.n * 8);
	else			/* the stream modes only ever encrypt blocks */
		rc = mbedtls_aes_setkey_enc(&s->m, key.p, (unsigned)key.n * 8);
	if (rc) {
		aes_free(&t);
		return mbed_fail(e, EC_BUG, rc, "cannot set an AES key");
	}
	aes_free(a);
	*a = t;
	return 0;
}

static int ofb(struct state *s, struct slice in, uint8_t *out)
{
	for (size_t i = 0; i < in.n; i++) {
		if (s->used == 0) {
			const int rc = mbedtls_aes_crypt_ecb(&s->m, MBEDTLS_AES_ENCRYPT, s->iv, s->iv);

			if (rc)
				return rc;
		}
		out[i] = in.p[i] ^ s->iv[s->used];
		s->used = (s->used + 1) % 16;
	}
	return 0;
}

static int some(struct state *s, struct slice in, uint8_t *out)
{
	switch (s->mode) {
	case AES_CBC:
		return mbedtls_aes_crypt_cbc(&s->m, MBEDTLS_AES_DECRYPT, in.n, s->iv, in.p, out);
	case AES_CTR:
		return mbedtls_aes_crypt_ctr(&s->m, in.n, &s->used, s->iv, s->stream, in.p, out);
	case AES_CFB128:
		return mbedtls_aes_crypt_cfb128(&s->m, MBEDTLS_AES_DECRYPT, in.n, &s->used, s->iv, in.p, out);
	case AES_OFB:
		return ofb(s, in, out);
	}
	return MBEDTLS_ERR_AES_BAD_INPUT_DATA;
}

int aes_some(struct aes *a, struct slice in, uint8_t *out, struct err *e)
{
	struct state *s = a->ctx;
	int rc;

	if (!s)
		return err_set(e, EC_BUG, "AES without a key");
	if (s->mode == AES_CBC && in.n % 16)
		return err_set(e, EC_FORMAT, "AES-CBC data of %zu bytes is not a multiple of 16", in.n);
	rc = in.n ? some(s, in, out) : 0;
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot decrypt (AES)") : 0;
}

/* --- key wrap (RFC 3394), default initial value ------------------------------------------------------------ */

static int keyed(mbedtls_nist_kw_context *kw, struct slice kek, bool wrap, struct err *e)
{
	int rc;

	if (kek.n != 16 && kek.n != 24 && kek.n != 32)
		return err_set(e, EC_FORMAT, "key-wrap key is %zu bytes, wanted 16, 24 or 32", kek.n);
	rc = mbedtls_nist_kw_setkey(kw, MBEDTLS_CIPHER_ID_AES, kek.p, (unsigned)kek.n * 8, wrap);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot set a key-wrap key") : 0;
}

static int wrap_into(struct buf *ret, mbedtls_nist_kw_context *kw, struct slice key, struct err *e)
{
	const size_t room = key.n + 8;
	uint8_t *out = buf_grow(ret, room);
	size_t n = 0;
	int rc;

	if (!out)
		return buf_check(ret, e);
	rc = mbedtls_nist_kw_wrap(kw, MBEDTLS_KW_MODE_KW, key.p, key.n, out, &n, room);
	if (rc == 0 && n == room)
		return 0;
	ret->n -= room;
	return mbed_fail(e, EC_BUG, rc, "cannot wrap a key");
}

int aes_wrap(struct buf *ret, struct slice kek, struct slice key, struct err *e)
{
	mbedtls_nist_kw_context kw;
	int rc;

	if (key.n < 16 || key.n % 8 || key.n > 1 << 20)
		return err_set(e, EC_FORMAT, "key of %zu bytes cannot be wrapped: wanted a multiple of 8, at least 16", key.n);
	mbedtls_nist_kw_init(&kw);
	rc = keyed(&kw, kek, true, e);
	if (rc == 0)
		rc = wrap_into(ret, &kw, key, e);
	mbedtls_nist_kw_free(&kw);
	return rc;
}

static int unwrap_into(struct buf *ret, mbedtls_nist_kw_context *kw, struct slice wrapped, struct err *e)
{
	const size_t room = wrapped.n - 8;
	uint8_t *out = buf_grow(ret, room);
	size_t n = 0;
	int rc;

	if (!out)
		return buf_check(ret, e);
	rc = mbedtls_nist_kw_unwrap(kw, MBEDTLS_KW_MODE_KW, wrapped.p, wrapped.n, out, &n, room);
	if (rc == 0 && n == room)
		return 0;
	mem_wipe(out, room);
	ret->n -= room;
	if (rc == MBEDTLS_ERR_CIPHER_AUTH_FAILED)
		return err_set(e, EC_REFUSED, "wrapped key does not open: wrong key, or changed data");
	return mbed_fail(e, EC_BUG, rc, "cannot unwrap a key");
}

int aes_unwrap(struct buf *ret, struct slice kek, struct slice wrapped, struct err *e)
{
	mbedtls_nist_kw_context kw;
	int rc;

	if (wrapped.n < 24 || wrapped.n % 8 || wrapped.n > 1 << 20)
		return err_set(e, EC_FORMAT, "wrapped key is %zu bytes, wanted a multiple of 8, at least 24", wrapped.n);
	mbedtls_nist_kw_init(&kw);
	rc = keyed(&kw, kek, false, e);
	if (rc == 0)
		rc = unwrap_into(ret, &kw, wrapped, e);
	mbedtls_nist_kw_free(&kw);
	return rc;
}
