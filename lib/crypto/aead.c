/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM. */

#include "crypto/aead.h"

#include <mbedtls/gcm.h>

#include "crypto/mbed.h"

struct state {
	mbedtls_gcm_context m;
	bool open;		/* between gcm_open_start and gcm_open_end */
};

void gcm_free(struct gcm *g)
{
	struct state *s = g->ctx;

	if (s) {
		mbedtls_gcm_free(&s->m);	/* wipes the key schedule */
		free(s);
	}
	g->ctx = NULL;
}

int gcm_init(struct gcm *g, struct slice key, struct err *e)
{
	struct gcm t = { calloc(1, sizeof(struct state)) };
	struct state *s = t.ctx;
	int rc;

	if (!s)
		return err_oom(e);
	mbedtls_gcm_init(&s->m);
	if (key.n != 16 && key.n != 24 && key.n != 32) {
		gcm_free(&t);
		return err_set(e, EC_FORMAT, "AES key is %zu bytes, wanted 16, 24 or 32", key.n);
	}
	rc = mbedtls_gcm_setkey(&s->m, MBEDTLS_CIPHER_ID_AES, key.p, (unsigned)key.n * 8);
	if (rc) {
		gcm_free(&t);
		return mbed_fail(e, EC_BUG, rc, "cannot set an AES-GCM key");
	}
	gcm_free(g);
	*g = t;
	return 0;
}

/* The context, if it has a key and the IV is of the one length that every format here uses. */
static struct state *ready(struct gcm *g, struct slice iv, struct err *e)
{
	struct state *s = g->ctx;

	if (!s) {
		err_set(e, EC_BUG, "AES-GCM without a key");
		return NULL;
	}
	if (iv.n != 12) {
		err_set(e, EC_FORMAT, "AES-GCM IV is %zu bytes, wanted 12", iv.n);
		return NULL;
	}
	s->open = false;
	return s;
}

int gcm_seal(struct gcm *g, struct slice iv12, struct slice aad, struct slice in, uint8_t *out, uint8_t tag[static GCM_TAG],
	     struct err *e)
{
	struct state *s = ready(g, iv12, e);
	int rc;

	if (!s)
		return -1;
	rc = mbedtls_gcm_crypt_and_tag(&s->m, MBEDTLS_GCM_ENCRYPT, in.n, iv12.p, iv12.n, aad.p, aad.n, in.p, out, GCM_TAG,
				       tag);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot encrypt (AES-GCM)") : 0;
}

static int wrong_tag(struct err *e)
{
	return err_set(e, EC_REFUSED, "authentication tag does not match: wrong key, or changed data");
}

int gcm_open(struct gcm *g, struct slice iv12, struct slice aad, struct slice in, uint8_t *out,
	     const uint8_t tag[static GCM_TAG], struct err *e)
{
	struct state *s = ready(g, iv12, e);
	int rc;

	if (!s)
		return -1;
	rc = mbedtls_gcm_auth_decrypt(&s->m, in.n, iv12.p, iv12.n, aad.p, aad.n, tag, GCM_TAG, in.p, out);
	if (rc == 0)
		return 0;
	mem_wipe(out, in.n);
	if (rc == MBEDTLS_ERR_GCM_AUTH_FAILED)
		return wrong_tag(e);
	return mbed_fail(e, EC_BUG, rc, "cannot decrypt (AES-GCM)");
}

int gcm_open_start(struct gcm *g, struct slice iv12, struct slice aad, struct err *e)
{
	struct state *s = ready(g, iv12, e);
	int rc;

	if (!s)
		return -1;
	rc = mbedtls_gcm_starts(&s->m, MBEDTLS_GCM_DECRYPT, iv12.p, iv12.n);
	if (rc == 0)
		rc = mbedtls_gcm_update_ad(&s->m, aad.p, aad.n);
	if (rc)
		return mbed_fail(e, EC_BUG, rc, "cannot start decryption (AES-GCM)");
	s->open = true;
	return 0;
}

int gcm_open_some(struct gcm *g, struct slice in, uint8_t *out, struct err *e)
{
	struct state *s = g->ctx;
	size_t n;
	int rc;

	if (!s || !s->open)
		return err_set(e, EC_BUG, "AES-GCM decryption was not started");
	rc = mbedtls_gcm_update(&s->m, in.p, in.n, out, in.n, &n);
	if (rc == 0 && n == in.n)
		return 0;
	s->open = false;
	return mbed_fail(e, EC_BUG, rc, "cannot decrypt (AES-GCM)");
}

int gcm_open_end(struct gcm *g, const uint8_t tag[static GCM_TAG], struct err *e)
{
	struct state *s = g->ctx;
	uint8_t want[GCM_TAG], rest[16];
	size_t n;
	int rc;

	if (!s || !s->open)
		return err_set(e, EC_BUG, "AES-GCM decryption was not started");
	s->open = false;
	rc = mbedtls_gcm_finish(&s->m, rest, sizeof rest, &n, want, sizeof want);
	if (rc || n)
		return mbed_fail(e, EC_BUG, rc, "cannot finish decryption (AES-GCM)");
	if (!mem_eq_ct(want, tag, GCM_TAG))
		return wrong_tag(e);
	return 0;
}
