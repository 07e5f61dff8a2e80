/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Encryption, flattened, as the key broker answers (key-broker.md 1.8).  The additional data is the text of
 * "protected" as it stands in the message.  The broker's own client makes that text again from what it decoded, so the
 * sealing side writes exactly the member order which that gives: alg, enc, epk{crv,kty,x,y}, no blanks. */

#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/aead.h"
#include "crypto/jose.h"
#include "crypto/key_int.h"

#define CEK 32
#define IV 12
#define WRAPPED (CEK + 8)
#define JWE_MAX (SECRET_MAX / 3 * 4 + ((size_t)64 << 10))	/* a full secret in base64, and the rest */

static const char ecdh_alg[] = "ECDH-ES+A256KW", oaep_alg[] = "RSA-OAEP-256", gcm_enc[] = "A256GCM";

static const char *alg_for(enum key_type t)	/* key-broker.md 1.6 */
{
	return t == KEY_RSA ? oaep_alg : t == KEY_EC_P256 || t == KEY_EC_P521 ? ecdh_alg : NULL;
}

/* --- key agreement ------------------------------------------------------------------------------------- */

static int add_be32(struct hasher *s, size_t v, struct err *e)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	return hasher_add(s, slice_of(b, 4), e);
}

static int add_counted(struct hasher *s, struct slice v, struct err *e)
{
	return add_be32(s, v.n, e) || hasher_add(s, v, e) ? -1 : 0;
}

int concat_kdf(uint8_t *ret, size_t n, struct slice z, const char *alg, struct slice apu, struct slice apv, struct err *e)
{
	AUTO_HASHER s = { 0 };
	uint8_t out[32];
	int rc;

	if (n > sizeof out)
		return err_set(e, EC_BUG, "Concat KDF for %zu bytes, one round gives 32", n);
	rc = hasher_init(&s, HASH_SHA256, e) || add_be32(&s, 1, e) || hasher_add(&s, z, e) ||
	     add_counted(&s, slice_str(alg), e) || add_counted(&s, apu, e) || add_counted(&s, apv, e) ||
	     add_be32(&s, 8 * n, e) || hasher_end(&s, out, e);
	if (rc == 0)
		memcpy(ret, out, n);
	mem_wipe(out, sizeof out);
	return rc ? -1 : 0;
}

static int agree(uint8_t kek[static 32], const struct privkey *mine, const struct pubkey *theirs, struct slice apu,
		 struct slice apv, struct err *e)
{
	uint8_t z[COORD_MAX];
	int rc = ecdh(z, mine, theirs, e);

	if (rc == 0)
		rc = concat_kdf(kek, 32, slice_of(z, key_type_coord(mine->type)), ecdh_alg, apu, apv, e);
	mem_wipe(z, sizeof z);
	return rc;
}

/* --- sealing ------------------------------------------------------------------------------------------- */

static int wrap_for_ec(struct buf *wrapped, struct json *header, const struct pubkey *client, struct slice cek, struct err *e)
{
	const struct slice none = { 0 };
	AUTO_PRIVKEY once = { 0 };
	AUTO_PUBKEY epk = { 0 };
	uint8_t kek[32];
	int rc;

	if (privkey_generate(&once, client->type, 0, e) || privkey_public(&epk, &once, e))
		return -1;
	if (jwk_write(json_add_object(header, "epk"), &epk, NULL, e) || agree(kek, &once, client, none, none, e))
		return -1;
	rc = aes_wrap(wrapped, slice_of(kek, sizeof kek), cek, e);
	mem_wipe(kek, sizeof kek);
	return rc;
}

struct sealed {		/* the five members, decoded but for the first */
	struct buf protected, key, iv, text, tag;
};

static void sealed_free(struct sealed *s)
{
	buf_free(&s->protected), buf_free(&s->key), buf_free(&s->iv), buf_free(&s->text), buf_free(&s->tag);
}
#define AUTO_SEALED __attribute__((cleanup(sealed_free))) struct sealed

static int seal_key(struct sealed *s, const struct pubkey *client, struct slice cek, struct err *e)
{
	AUTO_JSON *header = json_object();
	AUTO_BUF text = { 0 };
	int rc;

	json_add_str(header, "alg", alg_for(client->type));
	json_add_str(header, "enc", gcm_enc);
	if (client->type == KEY_RSA)
		rc = rsa_oaep_encrypt(&s->key, client, HASH_SHA256, cek, e);
	else
		rc = wrap_for_ec(&s->key, header, client, cek, e);
	if (rc || json_write(&text, header, false, e))
		return -1;
	b64url_encode(&s->protected, buf_view(&text));
	return buf_check(&s->protected, e);
}

static int seal_text(struct sealed *s, struct slice cek, struct slice plaintext, struct err *e)
{
	uint8_t *iv = buf_grow(&s->iv, IV), *tag = buf_grow(&s->tag, GCM_TAG), *out = buf_grow(&s->text, plaintext.n);
	AUTO_GCM g = { 0 };

	if (!iv || !tag || !out)
		return err_oom(e);
	if (host_random(iv, IV, e) || gcm_init(&g, cek, e))
		return -1;
	return gcm_seal(&g, buf_view(&s->iv), buf_view(&s->protected), plaintext, out, tag, e);
}

static int check_client(struct pubkey *ret, const struct json *jwk, struct err *e)
{
	AUTO_PUBKEY k = { 0 };
	const char *alg;

	if (jwk_parse(&k, jwk, e) || json_need_str(&alg, jwk, "alg", "JWK", e))
		return -1;
	if (!alg_for(k.type))
		return err_set(e, EC_FORMAT, "client key is %s, wanted EC P-256, EC P-521 or RSA", key_type_name(k.type));
	if (strcmp(alg, alg_for(k.type)))
		return err_set(e, EC_FORMAT, "client key is %s and asks for '%.32s', wanted '%s'", key_type_name(k.type), alg,
			       alg_for(k.type));
	*ret = k;
	k = (struct pubkey){ 0 };
	return 0;
}

int jwe_seal(struct buf *ret, const struct json *jwk, struct slice plaintext, struct err *e)
{
	AUTO_JSON *reply = json_object();
	AUTO_PUBKEY client = { 0 };
	AUTO_SEALED s = { 0 };
	AUTO_SECRET cek = { 0 };

	if (check_client(&client, jwk, e))
		return err_ctx(e, "cannot encrypt for this client");
	if (secret_alloc(&cek, CEK, e) || host_random(cek.p, CEK, e) || seal_key(&s, &client, secret_view(&cek), e) ||
	    seal_text(&s, secret_view(&cek), plaintext, e))
		return -1;
	json_add_str(reply, "protected", buf_cstr(&s.protected));
	json_add_b64url(reply, "encrypted_key", buf_view(&s.key));
	json_add_b64url(reply, "iv", buf_view(&s.iv));
	json_add_b64url(reply, "ciphertext", buf_view(&s.text));
	json_add_b64url(reply, "tag", buf_view(&s.tag));
	return json_write(ret, reply, false, e);
}

/* --- opening ------------------------------------------------------------------------------------------- */

static int read_sealed(struct sealed *s, struct slice text, struct err *e)
{
	static const char *const members[] = { "protected", "encrypted_key", "iv", "ciphertext", "tag", NULL };
	AUTO_JSON *j = NULL;
	const char *protected;

	if (json_parse(&j, text, JWE_MAX, e) || json_only(j, members, "JWE", e) ||
	    json_need_str(&protected, j, "protected", "JWE", e) || json_need_b64url(&s->key, j, "encrypted_key", "JWE", e) ||
	    json_need_b64url(&s->iv, j, "iv", "JWE", e) || json_need_b64url(&s->text, j, "ciphertext", "JWE", e) ||
	    json_need_b64url(&s->tag, j, "tag", "JWE", e))
		return -1;
	buf_puts(&s->protected, protected);
	if (s->iv.n != IV || s->tag.n != GCM_TAG)
		return err_set(e, EC_FORMAT, "JWE has an IV of %zu and a tag of %zu bytes, wanted %d and %d", s->iv.n, s->tag.n,
			       IV, GCM_TAG);
	return buf_check(&s->protected, e);
}

/* key-broker.md 1.8.4: what was asked for, and nothing that would change its meaning (RFC 7516 4.1.3, 4.1.13). */
static int check_header(const struct json *h, const struct privkey *k, struct err *e)
{
	const char *alg, *enc, *wanted = alg_for(k->type);

	if (!wanted)
		return err_set(e, EC_BUG, "a key of type %s cannot open a JWE", key_type_name(k->type));
	if (json_need_str(&alg, h, "alg", "JWE header", e) || json_need_str(&enc, h, "enc", "JWE header", e))
		return -1;
	if (json_get(h, "crit") || json_get(h, "zip"))
		return err_set(e, EC_FORMAT, "JWE header has 'crit' or 'zip', and neither is supported");
	if (strcmp(alg, wanted))
		return err_set(e, EC_REFUSED, "JWE key is wrapped with '%.32s', wanted '%s' for our %s key", alg, wanted,
			       key_type_name(k->type));
	if (strcmp(enc, gcm_enc))
		return err_set(e, EC_REFUSED, "JWE content is encrypted with '%.32s', wanted '%s'", enc, gcm_enc);
	return 0;
}

static int optional_b64url(struct buf *ret, const struct json *h, const char *name, struct err *e)
{
	return json_get(h, name) ? json_need_b64url(ret, h, name, "JWE header", e) : 0;
}

static int unwrap(struct secret *cek, const uint8_t kek[static 32], struct slice wrapped, struct err *e)
{
	AUTO_BUF plain = { 0 };
	int rc = aes_unwrap(&plain, slice_of(kek, 32), wrapped, e);

	if (rc == 0)
		rc = secret_from(cek, buf_view(&plain), e);
	mem_wipe(plain.p, plain.n);
	return rc;
}

static int open_ec_key(struct secret *cek, const struct json *h, const struct privkey *k, struct slice wrapped, struct err *e)
{
	AUTO_BUF apu = { 0 }, apv = { 0 };
	const struct json *jwk;
	AUTO_PUBKEY epk = { 0 };
	uint8_t kek[32];
	int rc;

	if (wrapped.n != WRAPPED)
		return err_set(e, EC_FORMAT, "encrypted key of the JWE is %zu bytes, wanted %d", wrapped.n, WRAPPED);
	if (json_need_obj(&jwk, h, "epk", "JWE header", e) || jwk_parse(&epk, jwk, e) || optional_b64url(&apu, h, "apu", e) ||
	    optional_b64url(&apv, h, "apv", e))
		return -1;
	rc = agree(kek, k, &epk, buf_view(&apu), buf_view(&apv), e);
	if (rc == 0)
		rc = unwrap(cek, kek, wrapped, e);
	mem_wipe(kek, sizeof kek);
	return rc;
}

static int open_key(struct secret *cek, const struct sealed *s, const struct privkey *k, struct err *e)
{
	AUTO_BUF text = { 0 };
	AUTO_JSON *h = NULL;

	if (b64url_decode(&text, buf_view(&s->protected), e) || json_parse(&h, buf_view(&text), 1 << 16, e))
		return err_ctx(e, "cannot read JWE header");
	if (check_header(h, k, e))
		return -1;
	if (k->type != KEY_RSA)
		return open_ec_key(cek, h, k, buf_view(&s->key), e);
	if (rsa_oaep_decrypt(cek, k, HASH_SHA256, buf_view(&s->key), e))
		return -1;
	if (cek->n != CEK)
		return err_set(e, EC_REFUSED, "content key of the JWE is %zu bytes, wanted %d", cek->n, CEK);
	return 0;
}

int jwe_open(struct secret *ret, const struct privkey *k, struct slice text, struct err *e)
{
	AUTO_SECRET cek = { 0 }, plain = { 0 };
	AUTO_SEALED s = { 0 };
	AUTO_GCM g = { 0 };

	if (read_sealed(&s, text, e) || open_key(&cek, &s, k, e) || secret_alloc(&plain, s.text.n, e) ||
	    gcm_init(&g, secret_view(&cek), e))
		return -1;
	if (gcm_open(&g, buf_view(&s.iv), buf_view(&s.protected), buf_view(&s.text), plain.p, s.tag.p, e))
		return err_ctx(e, "cannot decrypt JWE");
	secret_give(ret, &plain);
	return 0;
}
