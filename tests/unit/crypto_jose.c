/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex64.h"
#include "crypto/aead.h"
#include "crypto/jose.h"
#include "test.h"

static struct json *parse(const char *text)
{
	struct json *j = NULL;

	WORKS(json_parse(&j, slice_str(text), 1 << 20, &e));
	return j;
}

static void key(struct pubkey *k, const char *jwk)
{
	AUTO_JSON *j = parse(jwk);

	WORKS(jwk_parse(k, j, &e));
}

/* RFC 7515 appendix A.2 and A.3: the same payload, signed with RS256 and with ES256. */
static const char rsa_jwk[] =
	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL"
	"-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
	"R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FR"
	"WyuXpoQ\",\"e\":\"AQAB\"}";
static const char rs256[] =
	"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjb"
	"KBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZES"
	"c6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
static const char ec_jwk[] =
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
#define ES256_SIGNED \
	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static const char es256[] =
	ES256_SIGNED ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static int check(const char *token, const struct pubkey *k, struct err *e)
{
	AUTO_JWS j = { 0 };

	return jws_parse(&j, slice_str(token), e) || jws_verify(&j, k, e) ? -1 : 0;
}

TEST(jws_verifies_the_examples_of_rfc7515)
{
	AUTO_PUBKEY r = { 0 }, c = { 0 };
	AUTO_JWS j = { 0 };

	key(&r, rsa_jwk);
	key(&c, ec_jwk);
	WORKS(check(rs256, &r, &e));
	WORKS(check(es256, &c, &e));
	FAILS(check(rs256, &c, &e), EC_REFUSED);	/* the algorithm of another key type */
	FAILS(check(es256, &r, &e), EC_REFUSED);
	WORKS(jws_parse(&j, slice_str(es256), &e));
	STR(j.alg, "ES256");
	STR(json_string(json_get(j.payload, "iss")), "joe");
	EQ(j.sig.n, 64);
}

TEST(jws_refuses_changed_tokens_and_other_algorithms)
{
	static const char *const bad[] = {
		/* {"alg":"none"}, {"alg":"HS256"}, {"alg":"ES512"}, {"alg":"es256"} */
		"eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.", "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.AAAA",
		"eyJhbGciOiJFUzUxMiJ9.eyJpc3MiOiJqb2UifQ.AAAA", "eyJhbGciOiJlczI1NiJ9.eyJpc3MiOiJqb2UifQ.AAAA",
		/* one letter of payload, of signature; empty signature; one byte more */
		"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODEsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
		".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
		ES256_SIGNED ".EtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
		ES256_SIGNED ".",
		ES256_SIGNED ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1QA",
		ES256_SIGNED ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	AUTO_PUBKEY c = { 0 };

	key(&c, ec_jwk);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err seen = { 0 };

		EQ(check(bad[i], &c, &seen), -1);
		OK(seen.code == EC_REFUSED || (i == 7 && seen.code == EC_FORMAT));
	}
}

TEST(jws_parse_wants_three_strict_parts)
{
	static const char *const bad[] = {
		"", ".", "..", "a.b", "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UifQ", "eyJhbGciOiJFUzI1NiJ9.e30.AA.AA",
		"eyJhbGciOiJFUzI1NiJ9=.e30.AA", "eyJhbGciOiJFUzI1NiJ9 .e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.AA\n",
		"eyJhbGciOiJFUzI1NiJ9.e30.AB",	/* unused bits */
		"e30.e30.AA",			/* no alg */
		"eyJhbGciOjV9.e30.AA",		/* alg is a number */
		"W10.e30.AA",			/* header is an array */
		"eyJhbGciOiJFUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AA",	/* alg twice */
		"eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiYjY0Il19.e30.AA",	/* crit */
	};
	AUTO_JWS j = { 0 };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(jws_parse(&j, slice_str(bad[i]), &e), EC_FORMAT);
	WORKS(jws_parse(&j, SLICE("eyJhbGciOiJFUzI1NiJ9.W10.AA"), &e));
	OK(!j.payload);		/* valid, but no object */
	EQ(j.payload_raw.n, 2);
	OK(slice_eqs(j.signed_part, "eyJhbGciOiJFUzI1NiJ9.W10"));
}

TEST(jws_sign_and_verify_with_each_key)
{
	static const struct {
		enum key_type t;
		const char *alg;
	} keys[] = { { KEY_EC_P256, "ES256" }, { KEY_EC_P384, "ES384" }, { KEY_RSA, "PS256" } };

	for (size_t i = 0; i < 3; i++) {
		AUTO_JSON *extra = parse("{\"typ\":\"JWT\",\"kid\":\"x\"}");
		AUTO_PRIVKEY k = { 0 };
		AUTO_PUBKEY p = { 0 }, other = { 0 };
		AUTO_BUF t = { 0 };
		AUTO_JWS j = { 0 };

		WORKS(privkey_generate(&k, keys[i].t, 2048, &e));
		WORKS(privkey_public(&p, &k, &e));
		WORKS(jws_sign(&t, &k, extra, SLICE("{\"a\":1}"), &e));
		WORKS(jws_parse(&j, buf_view(&t), &e));
		STR(j.alg, keys[i].alg);
		STR(json_name(json_first(j.header)), "alg");
		STR(json_string(json_get(j.header, "kid")), "x");
		WORKS(jws_verify(&j, &p, &e));
		key(&other, ec_jwk);
		FAILS(jws_verify(&j, &other, &e), EC_REFUSED);
		key(&other, rsa_jwk);
		FAILS(jws_verify(&j, &other, &e), EC_REFUSED);
	}
	AUTO_JSON *twice = parse("{\"alg\":\"none\"}");
	AUTO_PRIVKEY k = { 0 };
	AUTO_BUF t = { 0 };

	WORKS(privkey_generate(&k, KEY_EC_P521, 0, &e));
	FAILS(jws_sign(&t, &k, NULL, SLICE("{}"), &e), EC_USAGE);
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	FAILS(jws_sign(&t, &k, twice, SLICE("{}"), &e), EC_BUG);
	EQ(t.n, 0);
}

TEST(jwk_thumbprint_is_that_of_rfc7638)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_BUF t = { 0 };

	key(&k, "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
		"ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
		"c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur"
		"-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}");
	WORKS(jwk_thumbprint(&t, &k, &e));
	STR(buf_cstr(&t), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(jwk_is_written_as_it_was_read)
{
	static const char *const texts[] = { rsa_jwk, ec_jwk };

	for (size_t i = 0; i < 2; i++) {
		AUTO_JSON *j = parse(texts[i]), *out = json_object();
		AUTO_BUF a = { 0 }, b = { 0 };
		AUTO_PUBKEY k = { 0 };

		WORKS(jwk_parse(&k, j, &e));
		WORKS(jwk_write(out, &k, NULL, &e));
		WORKS(json_canonical(&a, j, &e));
		WORKS(json_canonical(&b, out, &e));
		STR(buf_cstr(&b), buf_cstr(&a));
		WORKS(jwk_write(out, &k, "X", &e));
		STR(json_string(json_get(out, "alg")), "X");
	}
}

TEST(jwk_refuses_what_is_no_public_key)
{
	static const char *const bad[] = {
		"{}", "[]", "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-257\",\"x\":\"AAAA\",\"y\":\"AAAA\"}", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\"}",
		/* a coordinate of 31 bytes; standard base64; one bit off the curve; private part */
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA\","
		"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=\","
		"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"d\":\"AA\"}",
		"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}",
	};
	AUTO_PUBKEY k = { 0 };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_JSON *j = parse(bad[i]);

		FAILS(jwk_parse(&k, j, &e), EC_FORMAT);
	}
	FAILS(jwk_parse(&k, NULL, &e), EC_FORMAT);
	OK(!k.ctx);
}

TEST(concat_kdf_gives_the_key_of_rfc7518_appendix_c)
{
	static const uint8_t z[32] = { 158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156,
				       251, 49, 110, 163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196 };
	uint8_t k[16];
	AUTO_BUF t = { 0 };

	WORKS(concat_kdf(k, 16, slice_of(z, 32), "A128GCM", SLICE("Alice"), SLICE("Bob"), &e));
	b64url_encode(&t, slice_of(k, 16));
	STR(buf_cstr(&t), "VqqN6vgjbSBcIijNcacQGg");
	FAILS(concat_kdf(k, 33, slice_of(z, 32), "x", SLICE(""), SLICE(""), &e), EC_BUG);
}

static void seal_and_open(enum key_type t, const char *alg, struct slice plain)
{
	AUTO_JSON *jwk = json_object(), *reply = NULL;
	AUTO_PRIVKEY k = { 0 }, other = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_SECRET s = { 0 };
	AUTO_PUBKEY p = { 0 };

	WORKS(privkey_generate(&k, t, 2048, &e));
	WORKS(privkey_generate(&other, t, 2048, &e));
	WORKS(privkey_public(&p, &k, &e));
	WORKS(jwk_write(jwk, &p, alg, &e));
	WORKS(jwe_seal(&text, jwk, plain, &e));
	WORKS(jwe_open(&s, &k, buf_view(&text), &e));
	OK(secret_eq(&s, plain));
	FAILS(jwe_open(&s, &other, buf_view(&text), &e), EC_REFUSED);
	OK(secret_eq(&s, plain));	/* failures leave it alone */

	/* key-broker.md 1.8: five members in this order, header members in theirs, no blanks */
	WORKS(json_parse(&reply, buf_view(&text), 1 << 20, &e));
	static const char *const members[] = { "protected", "encrypted_key", "iv", "ciphertext", "tag" };
	const struct json *m = json_first(reply);

	for (size_t i = 0; i < 5; i++, m = json_next(m))
		STR(json_name(m), members[i]);
	OK(!m);
	AUTO_BUF head = { 0 };

	WORKS(json_need_b64url(&head, reply, "protected", "reply", &e));
	if (t == KEY_RSA) {
		STR(buf_cstr(&head), "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\"}");
	} else {
		OK(!strncmp(buf_cstr(&head), "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"P-", 60 - 5));
		HAS(buf_cstr(&head), "\",\"kty\":\"EC\",\"x\":\"");
	}
}

TEST(jwe_turns_round_with_each_client_key)
{
	seal_and_open(KEY_EC_P256, "ECDH-ES+A256KW", SLICE("the key"));
	seal_and_open(KEY_EC_P521, "ECDH-ES+A256KW", SLICE("\0\1\2"));
	seal_and_open(KEY_RSA, "RSA-OAEP-256", SLICE("the key"));
	seal_and_open(KEY_EC_P256, "ECDH-ES+A256KW", SLICE(""));
}

TEST(jwe_seal_refuses_keys_that_ask_for_something_else)
{
	static const struct {
		enum key_type t;
		const char *alg;
	} bad[] = { { KEY_EC_P256, "RSA-OAEP-256" }, { KEY_EC_P256, NULL }, { KEY_EC_P384, "ECDH-ES+A256KW" },
		    { KEY_RSA, "RSA1_5" }, { KEY_RSA, "ECDH-ES+A256KW" } };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_JSON *jwk = json_object();
		AUTO_PRIVKEY k = { 0 };
		AUTO_PUBKEY p = { 0 };
		AUTO_BUF text = { 0 };

		WORKS(privkey_generate(&k, bad[i].t, 2048, &e));
		WORKS(privkey_public(&p, &k, &e));
		WORKS(jwk_write(jwk, &p, bad[i].alg, &e));
		FAILS(jwe_seal(&text, jwk, SLICE("x"), &e), EC_FORMAT);
		EQ(text.n, 0);
	}
}

/* A reply for our key with one member replaced, or added, or (value NULL) taken out. */
static int open_with(const struct privkey *k, const char *reply, const char *name, const char *value, struct err *e)
{
	AUTO_JSON *j = parse(reply), *out = json_object();
	AUTO_BUF text = { 0 };
	AUTO_SECRET s = { 0 };

	for (const struct json *m = json_first(j); m; m = json_next(m))
		if (strcmp(json_name(m), name))
			json_add_copy(out, json_name(m), m);
	if (value)
		json_add_str(out, name, value);
	return json_write(&text, out, false, e) || jwe_open(&s, k, buf_view(&text), e) ? -1 : 0;
}

static const char *b64url_of(struct buf *b, const char *text)
{
	buf_reset(b);
	b64url_encode(b, slice_str(text));
	return buf_cstr(b);
}

TEST(jwe_open_refuses_every_other_shape)
{
	AUTO_BUF text = { 0 }, t = { 0 };
	AUTO_PRIVKEY k = { 0 };
	AUTO_PUBKEY p = { 0 };
	AUTO_JSON *jwk = json_object();
	const char *r;

	WORKS(privkey_generate(&k, KEY_RSA, 2048, &e));
	WORKS(privkey_public(&p, &k, &e));
	WORKS(jwk_write(jwk, &p, "RSA-OAEP-256", &e));
	WORKS(jwe_seal(&text, jwk, SLICE("x"), &e));
	r = buf_cstr(&text);
	FAILS(open_with(&k, r, "tag", NULL, &e), EC_FORMAT);
	FAILS(open_with(&k, r, "tag", "AAAA", &e), EC_FORMAT);
	FAILS(open_with(&k, r, "tag", "AAAAAAAAAAAAAAAAAAAAAA", &e), EC_REFUSED);
	FAILS(open_with(&k, r, "iv", "AAAA", &e), EC_FORMAT);
	FAILS(open_with(&k, r, "iv", "AAAAAAAAAAAAAAAA", &e), EC_REFUSED);
	FAILS(open_with(&k, r, "ciphertext", "AA", &e), EC_REFUSED);
	FAILS(open_with(&k, r, "ciphertext", "", &e), EC_REFUSED);
	FAILS(open_with(&k, r, "ciphertext", "AA==", &e), EC_FORMAT);
	FAILS(open_with(&k, r, "encrypted_key", "AAAA", &e), EC_REFUSED);
	FAILS(open_with(&k, r, "aad", "AAAA", &e), EC_FORMAT);
	FAILS(open_with(&k, r, "header", "AAAA", &e), EC_FORMAT);
	FAILS(open_with(&k, r, "recipients", "AAAA", &e), EC_FORMAT);
	FAILS(open_with(&k, r, "protected", "", &e), EC_FORMAT);
	FAILS(open_with(&k, r, "protected", b64url_of(&t, "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}"), &e),
	      EC_FORMAT);
	FAILS(open_with(&k, r, "protected", b64url_of(&t, "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"crit\":[]}"), &e),
	      EC_FORMAT);
	FAILS(open_with(&k, r, "protected", b64url_of(&t, "{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"}"), &e), EC_REFUSED);
	FAILS(open_with(&k, r, "protected", b64url_of(&t, "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}"), &e), EC_REFUSED);
	FAILS(open_with(&k, r, "protected", b64url_of(&t, "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A128GCM\"}"), &e), EC_REFUSED);
	/* another spelling of the same header is other additional data */
	FAILS(open_with(&k, r, "protected", b64url_of(&t, "{\"enc\":\"A256GCM\",\"alg\":\"RSA-OAEP-256\"}"), &e), EC_REFUSED);
	WORKS(open_with(&k, r, "protected", b64url_of(&t, "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\"}"), &e));
}

TEST(jwe_replies_of_the_vectors_open_or_are_refused)
{
	NEED_VECTORS;
	AUTO_BUF file = { 0 };
	AUTO_JSON *all = NULL;
	unsigned good = 0, bad = 0;

	load_vec(&file, "trustee/constructed/jwe-responses.json");
	WORKS(json_parse(&all, buf_view(&file), 1 << 20, &e));
	for (const struct json *c = json_first(json_get(all, "cases")); c; c = json_next(c)) {
		const char *name = json_string(json_get(c, "name")), *verdict = json_string(json_get(c, "verdict"));
		/* RSA1_5, deprecated, and the dialects before 0.2.0 are not spoken */
		const bool want = !strcmp(verdict, "ok") && strcmp(name, "rsa1_5-0.2.0");
		AUTO_BUF reply = { 0 }, plain = { 0 };
		AUTO_PRIVKEY k = { 0 };
		AUTO_SECRET s = { 0 };
		struct err seen = { 0 };

		WORKS(privkey_parse(&k, slice_str(json_string(json_get(c, "private_key_pem"))), &e));
		WORKS(json_write(&reply, json_get(c, "response"), false, &e));
		WORKS(hex_decode(&plain, slice_str(json_string(json_get(c, "plaintext_hex"))), &e));
		if (jwe_open(&s, &k, buf_view(&reply), &seen)) {
			OK(seen.code == EC_REFUSED || seen.code == EC_FORMAT);
			if (want)
				test_fail(__FILE__, __LINE__, "%s: %s", name, seen.msg);
			bad++;
			continue;
		}
		if (!want)
			test_fail(__FILE__, __LINE__, "%s opened: %s", name, verdict);
		OK(secret_eq(&s, buf_view(&plain)));
		good++;
	}
	EQ(good, 3);
	EQ(bad, 9);
}

TEST(concat_kdf_gives_the_key_encryption_keys_of_the_vectors)
{
	NEED_VECTORS;
	AUTO_BUF file = { 0 };
	AUTO_JSON *all = NULL;
	unsigned n = 0;

	load_vec(&file, "trustee/constructed/jwe-responses.json");
	WORKS(json_parse(&all, buf_view(&file), 1 << 20, &e));
	for (const struct json *c = json_first(json_get(all, "cases")); c; c = json_next(c)) {
		AUTO_BUF z = { 0 }, want = { 0 };
		uint8_t kek[32];

		if (!json_get(c, "z_hex"))
			continue;
		WORKS(hex_decode(&z, slice_str(json_string(json_get(c, "z_hex"))), &e));
		WORKS(hex_decode(&want, slice_str(json_string(json_get(c, "kek_hex"))), &e));
		WORKS(concat_kdf(kek, 32, buf_view(&z), "ECDH-ES+A256KW", SLICE(""), SLICE(""), &e));
		MEM(kek, want.p, 32);
		n++;
	}
	OK(n >= 2);
}

TEST(ear_tokens_of_the_vectors_verify_or_are_refused)
{
	NEED_VECTORS;
	static const char *const refused[] = { "other-key", "payload-changed", "alg-none", "der-signature" };
	AUTO_BUF file = { 0 };
	AUTO_JSON *all = NULL;
	AUTO_PUBKEY k = { 0 };
	unsigned good = 0, bad = 0;

	load_vec(&file, "trustee/constructed/ear-tokens.json");
	WORKS(json_parse(&all, buf_view(&file), 1 << 20, &e));
	WORKS(jwk_parse(&k, json_get(all, "signer_public_jwk"), &e));
	for (const struct json *c = json_first(json_get(all, "cases")); c; c = json_next(c)) {
		const char *name = json_string(json_get(c, "name"));
		bool want = true;

		for (size_t i = 0; i < 4; i++)
			want &= strcmp(name, refused[i]) != 0;
		if (want)
			WORKS(check(json_string(json_get(c, "token")), &k, &e));
		else
			FAILS(check(json_string(json_get(c, "token")), &k, &e), EC_REFUSED);
		*(want ? &good : &bad) += 1;
	}
	EQ(good, 6);
	EQ(bad, 4);
}

TEST(sealed_secrets_of_the_vectors_verify_or_are_refused)
{
	NEED_VECTORS;
	AUTO_BUF file = { 0 }, key_file = { 0 };
	AUTO_JSON *all = NULL, *jwk = NULL;
	AUTO_PUBKEY k = { 0 };
	unsigned good = 0, bad = 0;

	load_vec(&file, "trustee/constructed/sealed-secrets.json");
	load_vec(&key_file, "trustee/cdh/test-key.json");
	WORKS(json_parse(&all, buf_view(&file), 1 << 20, &e));
	WORKS(json_parse(&jwk, buf_view(&key_file), 1 << 20, &e));
	FAILS(jwk_parse(&k, jwk, &e), EC_FORMAT);	/* it holds the private part */
	json_remove(jwk, "d");
	WORKS(jwk_parse(&k, jwk, &e));
	for (const struct json *c = json_first(json_get(all, "cases")); c; c = json_next(c)) {
		const char *text = json_string(json_get(c, "sealed")), *verdict = json_string(json_get(c, "verdict"));
		struct err seen = { 0 };
		const int rc = check(text + strlen("sealed."), &k, &seen);

		if (!strncmp(verdict, "reject", 6)) {
			EQ(rc, -1);
			bad++;
		} else {
			EQ(rc, 0);
			good++;
		}
	}
	EQ(good, 2);
	EQ(bad, 3);
}

TEST(jose_cookbook_example_opens_with_key_agreement)
{
	/* RFC 7520 5.4: ECDH-ES+A128KW on P-384, A128GCM, by the parts. */
	NEED_VECTORS;
	AUTO_BUF file = { 0 }, sec1 = { 0 }, d = { 0 }, wrapped = { 0 }, cek = { 0 }, iv = { 0 }, text = { 0 }, tag = { 0 },
		 head = { 0 };
	AUTO_JSON *j = NULL, *h = NULL;
	AUTO_PRIVKEY k = { 0 };
	AUTO_PUBKEY epk = { 0 };
	AUTO_GCM g = { 0 };
	uint8_t z[48], kek[16];

	load_vec(&file, "crypto-formats/jwe-cookbook/"
			"5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm.json");
	WORKS(json_parse(&j, buf_view(&file), 1 << 20, &e));
	const struct json *flat = json_path(j, "/output/json_flat");

	WORKS(json_need_b64url(&d, json_path(j, "/input/key"), "d", "key", &e));
	WORKS(hex_decode(&sec1, SLICE("303e0201010430"), &e));
	buf_slice(&sec1, buf_view(&d));
	WORKS(hex_decode(&sec1, SLICE("a00706052b81040022"), &e));
	WORKS(privkey_parse(&k, buf_view(&sec1), &e));
	WORKS(json_need_b64url(&head, flat, "protected", "output", &e));
	WORKS(json_parse(&h, buf_view(&head), 1 << 16, &e));
	WORKS(jwk_parse(&epk, json_get(h, "epk"), &e));
	WORKS(json_need_b64url(&wrapped, flat, "encrypted_key", "output", &e));
	WORKS(json_need_b64url(&iv, flat, "iv", "output", &e));
	WORKS(json_need_b64url(&text, flat, "ciphertext", "output", &e));
	WORKS(json_need_b64url(&tag, flat, "tag", "output", &e));
	WORKS(ecdh(z, &k, &epk, &e));
	WORKS(concat_kdf(kek, 16, slice_of(z, 48), "ECDH-ES+A128KW", SLICE(""), SLICE(""), &e));
	WORKS(aes_unwrap(&cek, slice_of(kek, 16), buf_view(&wrapped), &e));
	WORKS(gcm_init(&g, buf_view(&cek), &e));
	WORKS(gcm_open(&g, buf_view(&iv), slice_str(json_string(json_get(flat, "protected"))), buf_view(&text), text.p, tag.p, &e));
	OK(slice_eqs(buf_view(&text), json_string(json_path(j, "/input/plaintext"))));
	/* the whole reader speaks only the broker's algorithms, so it says so */
	AUTO_BUF whole = { 0 };
	AUTO_SECRET s = { 0 };

	WORKS(json_write(&whole, flat, false, &e));
	OK(jwe_open(&s, &k, buf_view(&whole), NULL) == -1);
}
