/* SPDX-License-Identifier: Apache-2.0 */
/* See hash.h. */

#include "crypto/hash.h"

#include <mbedtls/hkdf.h>
#include <mbedtls/pkcs5.h>

#include "crypto/mbed.h"

static const struct {
	const char *name, *dashed;
	size_t size;
} table[] = {
	[HASH_NONE] = { "none", "none", 0 },
	[HASH_MD5] = { "md5", "md-5", 16 },
	[HASH_SHA1] = { "sha1", "sha-1", 20 },
	[HASH_SHA224] = { "sha224", "sha-224", 28 },
	[HASH_SHA256] = { "sha256", "sha-256", 32 },
	[HASH_SHA384] = { "sha384", "sha-384", 48 },
	[HASH_SHA512] = { "sha512", "sha-512", 64 },
};
#define N_HASHES (sizeof table / sizeof table[0])

size_t hash_size(enum hash h)
{
	return (unsigned)h < N_HASHES ? table[h].size : 0;
}

const char *hash_name(enum hash h)
{
	return table[(unsigned)h < N_HASHES ? h : HASH_NONE].name;
}

static bool same_word(const char *a, const char *b)	/* ASCII, case ignored, whatever the locale */
{
	for (; *a && *b; a++, b++) {
		const int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a;

		if (x != *b)
			return false;
	}
	return *a == *b;
}

enum hash hash_by_name(const char *name)
{
	for (size_t i = HASH_NONE + 1; name && i < N_HASHES; i++)
		if (same_word(name, table[i].name) || same_word(name, table[i].dashed))
			return (enum hash)i;
	return HASH_NONE;
}

static int unknown(uint8_t *ret, size_t n, enum hash h, struct err *e)
{
	memset(ret, 0, n);
	return err_set(e, EC_BUG, "hash number %d is unknown", (int)h);
}

/* A failure leaves zeros, so that a caller who overlooks it compares with nothing an attacker chose. */
static int done(int rc, uint8_t *ret, size_t n, const char *act, struct err *e)
{
	if (rc == 0)
		return 0;
	memset(ret, 0, n);
	return mbed_fail(e, EC_BUG, rc, "%s", act);
}

int hash_of(uint8_t *ret, enum hash h, struct slice data, struct err *e)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(mbed_md(h));

	if (!md)
		return unknown(ret, hash_size(h), h, e);
	return done(mbedtls_md(md, data.p, data.n, ret), ret, hash_size(h), "cannot hash", e);
}

/* --- in pieces ----------------------------------------------------------------------------------------- */

void hasher_free(struct hasher *s)
{
	if (s->ctx) {
		mbedtls_md_free(s->ctx);
		free(s->ctx);
	}
	*s = (struct hasher){ 0 };
}

int hasher_init(struct hasher *s, enum hash h, struct err *e)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(mbed_md(h));
	AUTO_HASHER t = { 0 };
	int rc;

	if (!md)
		return err_set(e, EC_BUG, "hash number %d is unknown", (int)h);
	t.ctx = calloc(1, sizeof(mbedtls_md_context_t));
	if (!t.ctx)
		return err_oom(e);
	t.h = h;
	mbedtls_md_init(t.ctx);
	rc = mbedtls_md_setup(t.ctx, md, 0);
	if (rc == 0)
		rc = mbedtls_md_starts(t.ctx);
	if (rc)
		return mbed_fail(e, EC_BUG, rc, "cannot start a hash");
	hasher_free(s);
	*s = t;
	t.ctx = NULL;
	return 0;
}

int hasher_add(struct hasher *s, struct slice data, struct err *e)
{
	int rc;

	if (!s->ctx)
		return err_set(e, EC_BUG, "hash was not started");
	rc = mbedtls_md_update(s->ctx, data.p, data.n);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot hash") : 0;
}

int hasher_end(struct hasher *s, uint8_t *ret, struct err *e)
{
	const size_t n = hash_size(s->h);
	int rc;

	if (!s->ctx)
		return err_set(e, EC_BUG, "hash was not started");
	rc = mbedtls_md_finish(s->ctx, ret);
	hasher_free(s);
	return done(rc, ret, n, "cannot finish a hash", e);
}

/* --- keyed --------------------------------------------------------------------------------------------- */

int hmac(uint8_t *ret, enum hash h, struct slice key, struct slice data, struct err *e)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(mbed_md(h));

	if (!md)
		return unknown(ret, hash_size(h), h, e);
	return done(mbedtls_md_hmac(md, key.p, key.n, data.p, data.n, ret), ret, hash_size(h), "cannot make an HMAC", e);
}

int hkdf(uint8_t *ret, size_t n, enum hash h, struct slice ikm, struct slice salt, struct slice info, struct err *e)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(mbed_md(h));

	if (!md)
		return unknown(ret, n, h, e);
	return done(mbedtls_hkdf(md, salt.p, salt.n, ikm.p, ikm.n, info.p, info.n, ret, n), ret, n,
		    "cannot derive a key (HKDF)", e);
}

int pbkdf2(uint8_t *ret, size_t n, enum hash h, struct slice pass, struct slice salt, uint32_t rounds, struct err *e)
{
	if (mbed_md(h) == MBEDTLS_MD_NONE)
		return unknown(ret, n, h, e);
	if (rounds == 0 || n > UINT32_MAX) {
		memset(ret, 0, n);
		return err_set(e, EC_BUG, "PBKDF2 with %u rounds for %zu bytes", rounds, n);
	}
	return done(mbedtls_pkcs5_pbkdf2_hmac_ext(mbed_md(h), pass.p, pass.n, salt.p, salt.n, rounds, (uint32_t)n, ret),
		    ret, n, "cannot derive a key (PBKDF2)", e);
}
