/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of NVIDIA's remote attestation service.  As they come: nobody here has their key, so none is accepted.  Then the input as claims
 * that a test key signed: accepted only where it says all of what the checks want, and never under another key, nonce or issuer. */

#include "codec/hex64.h"
#include "crypto/jose.h"
#include "gpu/nras.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define NOW INT64_C(1770000000)
#define NONCE "0123456789abcdef0123456789abcdef"

static struct {
	struct privkey key;
	struct json *keys;
} own;

static void set_up(void)
{
	struct pubkey pub = { 0 };
	struct json *entry;
	struct err e = { 0 };

	if (own.keys)
		return;
	own.keys = json_object();
	entry = json_add_object(json_add_array(own.keys, "keys"), NULL);
	json_add_str(entry, "kid", "k");
	if (privkey_generate(&own.key, KEY_EC_P384, 0, &e) || privkey_public(&pub, &own.key, &e) || jwk_write(entry, &pub, "ES384", &e))
		abort();
	pubkey_free(&pub);
}

static enum rule no_rule(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

/* Also: whatever was read can be told. */
static bool accepted(struct slice text, struct slice nonce, const char *issuer)
{
	AUTO_NRAS t = { 0 };
	AUTO_JSON *list = json_array(), *claims = json_object(), *details = json_object();
	AUTO_BUF out = { 0 };
	struct tally tally = { .list = list };
	struct err e = { 0 };
	bool holds;

	if (nras_parse(&t, text, &e)) {
		if (e.code == EC_OK || t.doc)
			abort();
		return false;
	}
	if (t.n == 0 || t.n > NRAS_SUBMODS_MAX || nras_claims(claims, &t, &e) || nras_details(details, &t, &e) || json_count(claims) != t.n + 1)
		abort();
	t.keys = own.keys;
	t.nonce = nonce;
	t.issuer = issuer;
	holds = checks_run(&tally, nras_checks, n_nras_checks, &t, &(const struct expect){ .limits = &limits_strict, .now = NOW }, no_rule, NULL);
	if (json_write(&out, list, false, &e) || (!holds && tally.reason.n == 0))
		abort();
	buf_free(&tally.reason);
	return holds;
}

static void put_jwt(struct buf *ret, struct slice claims)
{
	AUTO_JSON *header = json_object();
	struct err e = { 0 };

	json_add_str(header, "kid", "k");
	if (jws_sign(ret, &own.key, header, claims, &e))
		abort();
}

static const char common[] = "\"iss\":\"" NRAS_ISSUER "\",\"eat_nonce\":\"3031323334353637383961626364656630313233343536373839616263646566\","
			     "\"nbf\":1770000000,\"exp\":1770003600";

/* device, overall: claims; overall gets the digest in place of each '@'. */
static void put_bundle(struct buf *ret, struct slice device, struct slice overall)
{
	AUTO_BUF jwt = { 0 }, claims = { 0 }, top = { 0 };
	uint8_t digest[32];

	put_jwt(&jwt, device);
	if (hash_of(digest, HASH_SHA256, buf_view(&jwt), NULL))
		abort();
	for (size_t i = 0; i < overall.n; i++)
		if (overall.p[i] == '@')
			buf_hex(&claims, slice_of(digest, sizeof digest));
		else
			buf_byte(&claims, overall.p[i]);
	put_jwt(&top, buf_view(&claims));
	buf_printf(ret, "[[\"JWT\",\"%s\"],{\"GPU-0\":\"%s\"}]", buf_cstr(&top), buf_cstr(&jwt));
}

static void signed_anew(struct slice in, bool is_overall)
{
	AUTO_BUF fixed = { 0 }, bundle = { 0 };

	if (is_overall) {
		buf_printf(&fixed, "{%s}", common);
		put_bundle(&bundle, buf_view(&fixed), in);
	} else {
		buf_printf(&fixed, "{%s,\"x-nvidia-overall-att-result\":true,\"submods\":{\"GPU-0\":[\"DIGEST\",[\"SHA-256\",\"@\"]]}}", common);
		put_bundle(&bundle, in, buf_view(&fixed));
	}
	if (!accepted(buf_view(&bundle), SLICE(NONCE), NULL))
		return;
	if (!memmem(in.p, in.n, NRAS_ISSUER, strlen(NRAS_ISSUER)) && !memmem(in.p, in.n, "\\", 1))
		abort();
	if (accepted(buf_view(&bundle), SLICE("another"), NULL) || accepted(buf_view(&bundle), SLICE(""), NULL) ||
	    accepted(buf_view(&bundle), SLICE(NONCE), "https://nras.example"))
		abort();
}

/* A good pair of claims, with bytes changed as the input says: pairs of place and value. */
static void changed(struct slice in)
{
	AUTO_BUF claims = { 0 };
	const bool overall = in.p[0] & 1;

	buf_printf(&claims, overall ? "{%s,\"x-nvidia-overall-att-result\":true,\"submods\":{\"GPU-0\":[\"DIGEST\",[\"SHA-256\",\"@\"]]}}" : "{%s}", common);
	for (size_t i = 1; i + 1 < in.n && i < 16; i += 2)
		claims.p[in.p[i] % claims.n] = in.p[i + 1];
	signed_anew(buf_view(&claims), overall);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice in = slice_of(p, n);

	set_up();
	if (accepted(in, SLICE(NONCE), NULL))
		abort();
	if (n == 0 || n > 4096)
		return 0;
	if (p[0] & 2)
		signed_anew(in, p[0] & 1);
	else
		changed(in);
	return 0;
}
