/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, keys and encrypted replies.  Behind the signature and the key wrap, the fuzzer's bytes go in as payload or
 * plaintext made with our own key, and as a protected header that was changed. */

#include "crypto/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct privkey key;
static struct pubkey pub;
static struct json *jwk;

static void set_up(void)
{
	struct err e = { 0 };

	if (key.ctx)
		return;
	jwk = json_object();
	if (privkey_generate(&key, KEY_EC_P256, 0, &e) || privkey_public(&pub, &key, &e) ||
	    jwk_write(jwk, &pub, "ECDH-ES+A256KW", &e))
		__builtin_trap();
}

static void token(struct slice in)
{
	AUTO_JWS j = { 0 };
	struct err e = { 0 };

	if (jws_parse(&j, in, &e) == 0 && jws_verify(&j, &pub, &e) == 0)
		__builtin_trap();	/* nobody can forge that */
}

static void signed_payload(struct slice in)
{
	AUTO_BUF t = { 0 };
	AUTO_JWS j = { 0 };
	struct err e = { 0 };

	if (jws_sign(&t, &key, NULL, in, &e))
		return;
	if (jws_parse(&j, buf_view(&t), &e) || jws_verify(&j, &pub, &e) || !slice_eq(buf_view(&j.payload_raw), in))
		__builtin_trap();
}

static void public_key(struct slice in)
{
	AUTO_JSON *j = NULL;
	AUTO_PUBKEY k = { 0 };
	AUTO_BUF t = { 0 };
	struct err e = { 0 };

	if (json_parse(&j, in, 1 << 16, &e) == 0 && jwk_parse(&k, j, &e) == 0 && jwk_thumbprint(&t, &k, &e))
		__builtin_trap();
}

static void reply(struct slice in)
{
	AUTO_SECRET s = { 0 };
	struct err e = { 0 };

	if (jwe_open(&s, &key, in, &e) == 0)
		__builtin_trap();
}

static void changed_header(struct slice in)
{
	AUTO_JSON *r = json_object();
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	json_add_b64url(r, "protected", in);
	json_add_b64url(r, "encrypted_key", SLICE("0123456789012345678901234567890123456789"));
	json_add_b64url(r, "iv", SLICE("012345678901"));
	json_add_b64url(r, "ciphertext", in);
	json_add_b64url(r, "tag", SLICE("0123456789012345"));
	if (json_write(&text, r, false, &e))
		__builtin_trap();
	reply(buf_view(&text));
}

static void sealed(struct slice in)
{
	AUTO_BUF t = { 0 };
	AUTO_SECRET s = { 0 };
	struct err e = { 0 };

	if (jwe_seal(&t, jwk, in, &e) || jwe_open(&s, &key, buf_view(&t), &e) || !secret_eq(&s, in))
		__builtin_trap();
}

static void key_file(struct slice in)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_PRIVKEY q = { 0 };
	struct err e = { 0 };

	pubkey_parse(&k, in, &e);
	privkey_parse(&q, in, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const behind[])(struct slice) = { signed_payload, changed_header, sealed };
	const struct slice in = slice_of(p, n);

	set_up();
	token(in);
	public_key(in);
	reply(in);
	key_file(in);
	if (n)		/* these cost a signature or a key agreement each */
		behind[p[0] % 3](slice_of(p + 1, n - 1));
	return 0;
}
