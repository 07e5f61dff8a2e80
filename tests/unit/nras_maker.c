/* SPDX-License-Identifier: Apache-2.0 */
/* See nras_maker.h. */

#include "crypto/jose.h"
#include "gpu/nras.h"
#include "nras_maker.h"
#include "test.h"

static void add_common(struct json *j, const struct nras_make *m)
{
	const int64_t from = m->from ? m->from : NRAS_NOW;

	json_add_str(j, "iss", m->issuer ? m->issuer : NRAS_ISSUER);
	json_add_hex(j, "eat_nonce", m->nonce.n ? m->nonce : SLICE(NRAS_NONCE));
	json_add_i64(j, "iat", from);
	json_add_i64(j, "nbf", from);
	json_add_i64(j, "exp", m->to ? m->to : from + 3600);
	json_add_str(j, "jti", "b872dc4f-ec09-4819-a1c2-577ff6b2404c");
}

static void replace(struct json *j, const struct json *with)
{
	for (const struct json *k = json_first(with); k; k = json_next(k)) {
		json_remove(j, json_name(k));
		if (!json_is_null(k))
			json_add_copy(j, json_name(k), k);
	}
}

static void sign(struct buf *ret, const struct nras_make *m, const struct json *claims)
{
	AUTO_JSON *header = json_object();
	AUTO_BUF text = { 0 };

	json_add_str(header, "kid", m->kid ? m->kid : NRAS_KID);
	WORKS(json_write(&text, claims, false, &e));
	WORKS(jws_sign(ret, m->key, header, buf_view(&text), &e));
}

void nras_make_device(struct buf *ret, const struct nras_make *m, const char *name)
{
	AUTO_JSON *j = json_object();

	add_common(j, m);
	json_add_str(j, "measres", "success");
	json_add_str(j, "ueid", name);
	json_add_str(j, "x-nvidia-device-type", "gpu");
	json_add_bool(j, "x-nvidia-gpu-arch-check", true);
	replace(j, m->detached);
	sign(ret, m, j);
}

void nras_make_overall(struct buf *ret, const struct nras_make *m, const char *const *names, const struct buf *jwts, size_t n)
{
	AUTO_JSON *j = json_object();
	struct json *submods;

	add_common(j, m);
	json_add_str(j, "sub", "NVIDIA-PLATFORM-ATTESTATION");
	json_add_str(j, "x-nvidia-ver", "3.0");
	json_add_bool(j, "x-nvidia-overall-att-result", true);
	submods = json_add_object(j, "submods");
	for (size_t i = 0; i < n; i++) {
		struct json *pair = json_add_array(submods, names[i]), *digest;
		uint8_t d[32];

		WORKS(hash_of(d, HASH_SHA256, buf_view(&jwts[i]), &e));
		json_add_str(pair, NULL, "DIGEST");
		digest = json_add_array(pair, NULL);
		json_add_str(digest, NULL, m->hash ? m->hash : "SHA-256");
		json_add_hex(digest, NULL, slice_of(d, sizeof d));
	}
	replace(j, m->overall);
	sign(ret, m, j);
}

void nras_make_bundle(struct buf *ret, const struct buf *overall, const char *const *names, const struct buf *jwts, size_t n)
{
	AUTO_JSON *j = json_array();
	struct json *pair = json_add_array(j, NULL), *set;

	json_add_str(pair, NULL, "JWT");
	json_add_str(pair, NULL, buf_cstr(overall));
	set = json_add_object(j, NULL);
	for (size_t i = 0; i < n; i++)
		json_add_str(set, names[i], buf_cstr(&jwts[i]));
	WORKS(json_write(ret, j, false, &e));
}

void nras_make(struct buf *ret, const struct nras_make *m)
{
	static const char *const gpus[] = { "GPU-0", "GPU-1", NULL };
	const char *const *names = m->names ? m->names : gpus;
	struct buf jwts[8] = { { 0 } };
	AUTO_BUF overall = { 0 };
	size_t n = 0;

	for (; n < 8 && names[n]; n++)
		nras_make_device(&jwts[n], m, names[n]);
	nras_make_overall(&overall, m, names, jwts, n);
	nras_make_bundle(ret, &overall, names, jwts, n);
	for (size_t i = 0; i < n; i++)
		buf_free(&jwts[i]);
}

struct json *nras_make_keys(const struct privkey *key, const char *kid)
{
	struct json *set = json_object(), *entry = json_add_object(json_add_array(set, "keys"), NULL);
	AUTO_PUBKEY pub = { 0 };

	json_add_str(entry, "kid", kid ? kid : NRAS_KID);
	WORKS(privkey_public(&pub, key, &e));
	WORKS(jwk_write(entry, &pub, "ES384", &e));
	return set;
}
