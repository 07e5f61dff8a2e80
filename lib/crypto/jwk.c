/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Keys. */

#include "codec/hex64.h"
#include "crypto/jose.h"
#include "crypto/key_int.h"

static const struct {
	const char *crv;
	enum key_type type;
} curves[] = { { "P-256", KEY_EC_P256 }, { "P-384", KEY_EC_P384 }, { "P-521", KEY_EC_P521 } };
#define N_CURVES (sizeof curves / sizeof curves[0])

static const char *curve_name(enum key_type t)
{
	for (size_t i = 0; i < N_CURVES; i++)
		if (curves[i].type == t)
			return curves[i].crv;
	return NULL;
}

static int parse_ec(struct pubkey *ret, const struct json *jwk, struct err *e)
{
	AUTO_BUF x = { .max = 256 }, y = { .max = 256 };
	const char *crv;

	if (json_need_str(&crv, jwk, "crv", "JWK", e) || json_need_b64url(&x, jwk, "x", "JWK", e) ||
	    json_need_b64url(&y, jwk, "y", "JWK", e))
		return -1;
	for (size_t i = 0; i < N_CURVES; i++)
		if (!strcmp(crv, curves[i].crv))
			return pubkey_from_ec(ret, curves[i].type, buf_view(&x), buf_view(&y), e);
	return err_set(e, EC_FORMAT, "JWK is on curve '%.32s', wanted P-256, P-384 or P-521", crv);
}

static int parse_rsa(struct pubkey *ret, const struct json *jwk, struct err *e)
{
	AUTO_BUF n = { .max = 4096 }, ex = { .max = 4096 };

	if (json_need_b64url(&n, jwk, "n", "JWK", e) || json_need_b64url(&ex, jwk, "e", "JWK", e))
		return -1;
	/* RFC 7518 6.3.1.1: as many bytes as it takes.  Two spellings of one key would have two thumbprints. */
	if (n.n == 0 || n.p[0] == 0 || ex.n == 0 || ex.p[0] == 0)
		return err_set(e, EC_FORMAT, "numbers of the RSA JWK are empty or begin with a zero byte");
	return pubkey_from_rsa(ret, buf_view(&n), buf_view(&ex), e);
}

int jwk_parse(struct pubkey *ret, const struct json *jwk, struct err *e)
{
	const char *kty;

	if (json_need_str(&kty, jwk, "kty", "JWK", e))
		return -1;
	if (json_get(jwk, "d") || json_get(jwk, "k"))
		return err_set(e, EC_FORMAT, "JWK holds a private or symmetric key where a public one is wanted");
	if (!strcmp(kty, "EC"))
		return parse_ec(ret, jwk, e);
	if (!strcmp(kty, "RSA"))
		return parse_rsa(ret, jwk, e);
	return err_set(e, EC_FORMAT, "JWK has key type '%.32s', wanted EC or RSA", kty);
}

/* The members that make the key, in the order that both RFC 7638 and the broker's epk want: sorted. */
static int write_sorted(struct json *obj, const struct pubkey *k, struct err *e)
{
	const size_t c = key_type_coord(k->type);
	AUTO_BUF n = { 0 }, ex = { 0 };
	uint8_t x[COORD_MAX], y[COORD_MAX];

	if (k->type == KEY_RSA) {
		if (pubkey_rsa_ne(&n, &ex, k, e))
			return -1;
		json_add_b64url(obj, "e", buf_view(&ex));
		json_add_str(obj, "kty", "RSA");
		json_add_b64url(obj, "n", buf_view(&n));
		return 0;
	}
	if (pubkey_ec_xy(x, y, k, e))
		return -1;
	json_add_str(obj, "crv", curve_name(k->type));
	json_add_str(obj, "kty", "EC");
	json_add_b64url(obj, "x", slice_of(x, c));
	json_add_b64url(obj, "y", slice_of(y, c));
	return 0;
}

int jwk_write(struct json *obj, const struct pubkey *k, const char *alg, struct err *e)
{
	if (write_sorted(obj, k, e))
		return -1;
	if (alg)
		json_add_str(obj, "alg", alg);
	return 0;
}

int jwk_thumbprint(struct buf *ret, const struct pubkey *k, struct err *e)
{
	AUTO_JSON *obj = json_object();
	AUTO_BUF text = { 0 };
	uint8_t digest[32];

	if (write_sorted(obj, k, e) || json_canonical(&text, obj, e) || hash_of(digest, HASH_SHA256, buf_view(&text), e))
		return -1;
	b64url_encode(ret, slice_of(digest, sizeof digest));
	return buf_check(ret, e);
}
