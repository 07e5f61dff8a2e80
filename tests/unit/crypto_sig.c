/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex64.h"
#include "codec/json.h"
#include "crypto/sig.h"
#include "crypto/sig_memo.h"
#include "test.h"

static struct slice hex(struct buf *b, const char *text)
{
	buf_reset(b);
	WORKS(hex_decode(b, slice_str(text), &e));
	return buf_view(b);
}

static void ec_key(struct pubkey *k, enum key_type t, const char *x, const char *y)
{
	AUTO_BUF xb = { 0 }, yb = { 0 };

	WORKS(pubkey_from_ec(k, t, hex(&xb, x), hex(&yb, y), &e));
}

/* RFC 6979 appendix A.2.5 and A.2.6: message "sample", the hash that goes with the curve. */
static const struct {
	enum key_type t;
	enum hash h;
	const char *x, *y, *r, *s;
} rfc6979[] = {
	{ KEY_EC_P256, HASH_SHA256, "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
	  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
	  "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
	  "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" },
	{ KEY_EC_P384, HASH_SHA384,
	  "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13",
	  "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
	  "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
	  "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8" },
};

TEST(ecdsa_verifies_the_signatures_of_rfc6979)
{
	for (size_t i = 0; i < 2; i++) {
		const size_t n = key_type_coord(rfc6979[i].t);
		AUTO_BUF r = { 0 }, s = { 0 }, sig = { 0 };
		AUTO_PUBKEY k = { 0 };

		ec_key(&k, rfc6979[i].t, rfc6979[i].x, rfc6979[i].y);
		buf_slice(&sig, hex(&r, rfc6979[i].r));
		buf_slice(&sig, hex(&s, rfc6979[i].s));
		WORKS(sig_verify_msg(&k, SIG_ECDSA_RAW, rfc6979[i].h, SLICE("sample"), buf_view(&sig), &e));
		FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, rfc6979[i].h, SLICE("sampl3"), buf_view(&sig), &e), EC_REFUSED);
		FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA512, SLICE("sample"), buf_view(&sig), &e), EC_REFUSED);
		FAILS(sig_verify_msg(&k, SIG_ECDSA_DER, rfc6979[i].h, SLICE("sample"), buf_view(&sig), &e), EC_REFUSED);
		for (size_t at = 0; at < sig.n; at += 5) {
			sig.p[at] ^= 4;
			FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, rfc6979[i].h, SLICE("sample"), buf_view(&sig), &e), EC_REFUSED);
			sig.p[at] ^= 4;
		}
		FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, rfc6979[i].h, SLICE("sample"), slice_of(sig.p, sig.n - 1), &e),
		      EC_REFUSED);
		buf_byte(&sig, 0);
		FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, rfc6979[i].h, SLICE("sample"), buf_view(&sig), &e), EC_REFUSED);
		memset(sig.p, 0, sig.n);	/* r = s = 0 */
		FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, rfc6979[i].h, SLICE("sample"), slice_of(sig.p, 2 * n), &e), EC_REFUSED);
		memset(sig.p, 0, n);		/* r = 0, s = 1 */
		sig.p[2 * n - 1] = 1;
		FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, rfc6979[i].h, SLICE("sample"), slice_of(sig.p, 2 * n), &e), EC_REFUSED);
	}
}

TEST(ecdsa_signs_as_rfc6979_says)
{
	/* The same P-256 key as SEC1: version 1, x, curve. */
	static const char sec1[] =
		"30310201010420c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a00a06082a8648ce3d030107";
	AUTO_BUF der = { 0 }, r = { 0 }, s = { 0 }, sig = { 0 };
	AUTO_PRIVKEY k = { 0 };

	WORKS(privkey_parse(&k, hex(&der, sec1), &e));
	EQ(k.type, KEY_EC_P256);
	EQ(k.bits, 256);
	WORKS(sig_sign(&sig, &k, SIG_ECDSA_RAW, HASH_SHA256, SLICE("sample"), &e));
	EQ(sig.n, 64);
	OK(slice_eq(slice_of(sig.p, 32), hex(&r, rfc6979[0].r)));
	OK(slice_eq(slice_of(sig.p + 32, 32), hex(&s, rfc6979[0].s)));
}

TEST(ecdsa_der_is_strict)
{
	AUTO_BUF r = { 0 }, s = { 0 }, der = { 0 };
	AUTO_PUBKEY k = { 0 };

	ec_key(&k, KEY_EC_P256, rfc6979[0].x, rfc6979[0].y);
	buf_put(&der, "\x30\x46\x02\x21\x00", 5);
	buf_slice(&der, hex(&r, rfc6979[0].r));
	buf_put(&der, "\x02\x21\x00", 3);
	buf_slice(&der, hex(&s, rfc6979[0].s));
	WORKS(sig_verify_msg(&k, SIG_ECDSA_DER, HASH_SHA256, SLICE("sample"), buf_view(&der), &e));
	FAILS(sig_verify_msg(&k, SIG_ECDSA_DER, HASH_SHA256, SLICE("Sample"), buf_view(&der), &e), EC_REFUSED);
	FAILS(sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA256, SLICE("sample"), buf_view(&der), &e), EC_REFUSED);
	buf_byte(&der, 0);	/* something behind it */
	FAILS(sig_verify_msg(&k, SIG_ECDSA_DER, HASH_SHA256, SLICE("sample"), buf_view(&der), &e), EC_REFUSED);
	der.n--;
	FAILS(sig_verify_msg(&k, SIG_ECDSA_DER, HASH_SHA256, SLICE("sample"), slice_of(der.p, der.n - 1), &e), EC_REFUSED);
	FAILS(sig_verify_msg(&k, SIG_ECDSA_DER, HASH_SHA256, SLICE("sample"), (struct slice){ 0 }, &e), EC_REFUSED);
	/* a third number inside */
	buf_put(&der, "\x02\x01\x01", 3);
	der.p[1] += 3;
	FAILS(sig_verify_msg(&k, SIG_ECDSA_DER, HASH_SHA256, SLICE("sample"), buf_view(&der), &e), EC_REFUSED);
}

TEST(ec_points_off_the_curve_are_refused)
{
	AUTO_BUF x = { 0 }, y = { 0 };
	AUTO_PUBKEY k = { 0 };
	uint8_t zero[66] = { 0 };

	hex(&x, rfc6979[0].x);
	hex(&y, rfc6979[0].y);
	y.p[31] ^= 1;
	FAILS(pubkey_from_ec(&k, KEY_EC_P256, buf_view(&x), buf_view(&y), &e), EC_FORMAT);
	y.p[31] ^= 1;
	FAILS(pubkey_from_ec(&k, KEY_EC_P384, buf_view(&x), buf_view(&y), &e), EC_FORMAT);
	FAILS(pubkey_from_ec(&k, KEY_EC_P256, slice_of(x.p, 31), buf_view(&y), &e), EC_FORMAT);
	FAILS(pubkey_from_ec(&k, KEY_EC_P256, slice_of(zero, 32), slice_of(zero, 32), &e), EC_FORMAT);
	FAILS(pubkey_from_ec(&k, KEY_RSA, buf_view(&x), buf_view(&y), &e), EC_BUG);
	EQ(k.type, KEY_NONE);
	WORKS(pubkey_from_ec(&k, KEY_EC_P256, buf_view(&x), buf_view(&y), &e));
	EQ(k.type, KEY_EC_P256);
}

static void sign_and_verify(enum key_type t, enum sig_form form, enum hash h, enum sig_form wrong)
{
	AUTO_PRIVKEY k = { 0 }, other = { 0 };
	AUTO_PUBKEY p = { 0 }, q = { 0 };
	AUTO_BUF sig = { 0 };

	WORKS(privkey_generate(&k, t, 2048, &e));
	WORKS(privkey_generate(&other, t, 2048, &e));
	WORKS(privkey_public(&p, &k, &e));
	WORKS(privkey_public(&q, &other, &e));
	WORKS(sig_sign(&sig, &k, form, h, SLICE("message"), &e));
	WORKS(sig_verify_msg(&p, form, h, SLICE("message"), buf_view(&sig), &e));
	FAILS(sig_verify_msg(&q, form, h, SLICE("message"), buf_view(&sig), &e), EC_REFUSED);
	FAILS(sig_verify_msg(&p, form, h, SLICE("massage"), buf_view(&sig), &e), EC_REFUSED);
	FAILS(sig_verify_msg(&p, wrong, h, SLICE("message"), buf_view(&sig), &e), EC_REFUSED);
	FAILS(sig_verify_msg(&p, form, HASH_SHA1, SLICE("message"), buf_view(&sig), &e), EC_REFUSED);
	FAILS(sig_verify_msg(&p, form, HASH_MD5, SLICE("message"), buf_view(&sig), &e), EC_REFUSED);
	FAILS(sig_sign(&sig, &k, form, HASH_SHA1, SLICE("message"), &e), EC_REFUSED);
	sig.p[sig.n / 2] ^= 1;
	FAILS(sig_verify_msg(&p, form, h, SLICE("message"), buf_view(&sig), &e), EC_REFUSED);
	sig.p[sig.n / 2] ^= 1;
	FAILS(sig_verify_msg(&p, form, h, SLICE("message"), slice_of(sig.p, sig.n - 1), &e), EC_REFUSED);
	FAILS(sig_verify(&p, form, h, slice_of("x", 1), buf_view(&sig), &e), EC_BUG);
}

TEST(every_key_and_form_signs_and_verifies)
{
	sign_and_verify(KEY_EC_P256, SIG_ECDSA_RAW, HASH_SHA256, SIG_RSA_PSS);
	sign_and_verify(KEY_EC_P256, SIG_ECDSA_DER, HASH_SHA512, SIG_ECDSA_RAW);
	sign_and_verify(KEY_EC_P384, SIG_ECDSA_RAW, HASH_SHA384, SIG_RSA_PKCS1);
	sign_and_verify(KEY_EC_P384, SIG_ECDSA_DER, HASH_SHA256, SIG_ECDSA_RAW);
	sign_and_verify(KEY_EC_P521, SIG_ECDSA_RAW, HASH_SHA512, SIG_ECDSA_DER);
	sign_and_verify(KEY_RSA, SIG_RSA_PKCS1, HASH_SHA256, SIG_RSA_PSS);
	sign_and_verify(KEY_RSA, SIG_RSA_PSS, HASH_SHA384, SIG_RSA_PKCS1);
}

TEST(keys_turn_round_through_pem_and_der)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_RSA };

	for (size_t i = 0; i < 4; i++) {
		AUTO_PRIVKEY k = { 0 }, again = { 0 };
		AUTO_PUBKEY p = { 0 }, q = { 0 };
		AUTO_BUF der = { 0 }, der2 = { 0 }, pem = { 0 };
		AUTO_SECRET s = { 0 };

		WORKS(privkey_generate(&k, types[i], 2048, &e));
		EQ(k.type, types[i]);
		WORKS(privkey_pem(&s, &k, &e));
		WORKS(privkey_parse(&again, secret_view(&s), &e));
		WORKS(privkey_public(&p, &again, &e));
		EQ(p.bits, k.bits);
		WORKS(pubkey_der(&der, &p, &e));
		WORKS(pubkey_parse(&q, buf_view(&der), &e));
		WORKS(pubkey_pem(&pem, &q, &e));
		WORKS(pubkey_parse(&q, buf_view(&pem), &e));
		WORKS(pubkey_der(&der2, &q, &e));
		OK(slice_eq(buf_view(&der), buf_view(&der2)));
		buf_byte(&der, 0);
		FAILS(pubkey_parse(&q, buf_view(&der), &e), EC_FORMAT);
		FAILS(pubkey_parse(&q, slice_of(der.p, der.n - 2), &e), EC_FORMAT);
		FAILS(privkey_parse(&again, buf_view(&pem), &e), EC_FORMAT);
		FAILS(pubkey_parse(&q, secret_view(&s), &e), EC_FORMAT);
		EQ(q.type, types[i]);	/* failures leave it alone */
	}
}

TEST(rsa_numbers_turn_round_and_weak_keys_are_refused)
{
	AUTO_PRIVKEY k = { 0 };
	AUTO_PUBKEY p = { 0 }, q = { 0 };
	AUTO_BUF n = { 0 }, ex = { 0 };

	WORKS(privkey_generate(&k, KEY_RSA, 2048, &e));
	WORKS(privkey_public(&p, &k, &e));
	WORKS(pubkey_rsa_ne(&n, &ex, &p, &e));
	EQ(n.n, 256);
	EQ(ex.n, 3);
	WORKS(pubkey_from_rsa(&q, buf_view(&n), buf_view(&ex), &e));
	EQ(q.bits, 2048);
	FAILS(pubkey_from_rsa(&q, slice_of(n.p, 255), buf_view(&ex), &e), EC_FORMAT);	/* 2040 bits */
	FAILS(pubkey_from_rsa(&q, buf_view(&n), SLICE("\x02"), &e), EC_FORMAT);
	FAILS(pubkey_from_rsa(&q, buf_view(&n), SLICE("\x01"), &e), EC_FORMAT);
	FAILS(pubkey_from_rsa(&q, buf_view(&n), slice_of(n.p, 64), &e), EC_FORMAT);
	FAILS(pubkey_from_rsa(&q, buf_view(&n), (struct slice){ 0 }, &e), EC_FORMAT);
	n.p[255] &= 0xfe;
	FAILS(pubkey_from_rsa(&q, buf_view(&n), buf_view(&ex), &e), EC_FORMAT);
	FAILS(privkey_generate(&k, KEY_RSA, 1024, &e), EC_USAGE);
	FAILS(privkey_generate(&k, KEY_NONE, 0, &e), EC_BUG);
	FAILS(pubkey_ec_xy(n.p, n.p + 100, &p, &e), EC_FORMAT);
}

TEST(private_key_that_does_not_fit_its_public_part_is_refused)
{
	/* RFC 6979's P-256 scalar with another key's point. */
	AUTO_BUF sec1 = { 0 }, x = { 0 }, y = { 0 };
	AUTO_PRIVKEY k = { 0 }, other = { 0 };
	AUTO_PUBKEY p = { 0 };
	uint8_t xy[64];

	WORKS(privkey_generate(&other, KEY_EC_P256, 0, &e));
	WORKS(privkey_public(&p, &other, &e));
	WORKS(pubkey_ec_xy(xy, xy + 32, &p, &e));
	hex(&sec1, "30770201010420c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a00a06082a8648ce3d030107"
		   "a14403420004");
	buf_put(&sec1, xy, 64);
	FAILS(privkey_parse(&k, buf_view(&sec1), &e), EC_FORMAT);
	sec1.n -= 64;
	buf_slice(&sec1, hex(&x, rfc6979[0].x));
	buf_slice(&sec1, hex(&y, rfc6979[0].y));
	WORKS(privkey_parse(&k, buf_view(&sec1), &e));
}

TEST(private_keys_with_a_passphrase_and_rubbish_are_refused)
{
	AUTO_PRIVKEY k = { 0 };
	struct err seen = { 0 };

	EQ(privkey_parse(&k, SLICE("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END ENCRYPTED PRIVATE KEY-----\n"), &seen),
	   -1);
	HAS(seen.msg, "passphrase");
	HAS(seen.hint, "openssl pkey");
	FAILS(privkey_parse(&k, SLICE("-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n"), &e), EC_FORMAT);
	FAILS(privkey_parse(&k, SLICE("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"), &e), EC_FORMAT);
	FAILS(privkey_parse(&k, SLICE("-----BEGIN PRIVATE KEY-----\nAQID\n"), &e), EC_FORMAT);
	FAILS(privkey_parse(&k, SLICE(""), &e), EC_FORMAT);
	FAILS(privkey_parse(&k, SLICE("\x30\x00"), &e), EC_FORMAT);
}

TEST(ecdh_agrees_on_the_same_secret)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };
	uint8_t z1[66], z2[66];

	for (size_t i = 0; i < 3; i++) {
		AUTO_PRIVKEY a = { 0 }, b = { 0 }, c = { 0 };
		AUTO_PUBKEY pa = { 0 }, pb = { 0 }, pc = { 0 };

		WORKS(privkey_generate(&a, types[i], 0, &e));
		WORKS(privkey_generate(&b, types[i], 0, &e));
		WORKS(privkey_generate(&c, types[(i + 1) % 3], 0, &e));
		WORKS(privkey_public(&pa, &a, &e));
		WORKS(privkey_public(&pb, &b, &e));
		WORKS(privkey_public(&pc, &c, &e));
		WORKS(ecdh(z1, &a, &pb, &e));
		WORKS(ecdh(z2, &b, &pa, &e));
		MEM(z1, z2, key_type_coord(types[i]));
		FAILS(ecdh(z1, &a, &pc, &e), EC_REFUSED);
	}
}

TEST(ecdh_gives_the_secret_of_rfc7518_appendix_c)
{
	/* Z as listed in appendix C; Bob's private key d. */
	static const char sec1_head[] = "30310201010420", sec1_tail[] = "a00a06082a8648ce3d030107";
	AUTO_BUF d = { 0 }, sec1 = { 0 }, t = { 0 }, x = { 0 }, y = { 0 };
	AUTO_PRIVKEY bob = { 0 };
	AUTO_PUBKEY alice = { 0 };
	uint8_t z[32];

	WORKS(b64url_decode(&d, SLICE("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"), &e));
	buf_slice(&sec1, hex(&t, sec1_head));
	buf_slice(&sec1, buf_view(&d));
	buf_slice(&sec1, hex(&t, sec1_tail));
	WORKS(privkey_parse(&bob, buf_view(&sec1), &e));
	WORKS(b64url_decode(&x, SLICE("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"), &e));
	WORKS(b64url_decode(&y, SLICE("SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"), &e));
	WORKS(pubkey_from_ec(&alice, KEY_EC_P256, buf_view(&x), buf_view(&y), &e));
	WORKS(ecdh(z, &bob, &alice, &e));
	static const uint8_t want[32] = { 158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156,
					  251, 49, 110, 163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196 };

	MEM(z, want, 32);
}

TEST(rsa_oaep_turns_round_and_refuses_changes)
{
	AUTO_PRIVKEY k = { 0 }, ec = { 0 };
	AUTO_PUBKEY p = { 0 }, ecp = { 0 };
	AUTO_BUF c = { 0 };
	AUTO_SECRET s = { 0 };
	static const uint8_t big[256];

	WORKS(privkey_generate(&k, KEY_RSA, 2048, &e));
	WORKS(privkey_public(&p, &k, &e));
	WORKS(rsa_oaep_encrypt(&c, &p, HASH_SHA256, SLICE("cek"), &e));
	EQ(c.n, 256);
	WORKS(rsa_oaep_decrypt(&s, &k, HASH_SHA256, buf_view(&c), &e));
	OK(secret_eq(&s, SLICE("cek")));
	FAILS(rsa_oaep_decrypt(&s, &k, HASH_SHA1, buf_view(&c), &e), EC_REFUSED);
	c.p[100] ^= 1;
	FAILS(rsa_oaep_decrypt(&s, &k, HASH_SHA256, buf_view(&c), &e), EC_REFUSED);
	FAILS(rsa_oaep_decrypt(&s, &k, HASH_SHA256, slice_of(c.p, 255), &e), EC_REFUSED);
	FAILS(rsa_oaep_encrypt(&c, &p, HASH_SHA256, slice_of(big, 191), &e), EC_BUG);
	WORKS(privkey_generate(&ec, KEY_EC_P256, 0, &e));
	WORKS(privkey_public(&ecp, &ec, &e));
	FAILS(rsa_oaep_decrypt(&s, &ec, HASH_SHA256, buf_view(&c), &e), EC_REFUSED);
	FAILS(rsa_oaep_encrypt(&c, &ecp, HASH_SHA256, SLICE("cek"), &e), EC_REFUSED);
}

TEST(keys_of_the_trustee_vectors_load)
{
	NEED_VECTORS;
	static const struct {
		const char *name;
		enum key_type t;
	} keys[] = { { "P-256", KEY_EC_P256 }, { "P-521", KEY_EC_P521 }, { "RSA", KEY_RSA } };
	AUTO_BUF file = { 0 };
	AUTO_JSON *j = NULL;

	load_vec(&file, "trustee/constructed/runtime-data.json");
	WORKS(json_parse(&j, buf_view(&file), 1 << 20, &e));
	for (size_t i = 0; i < 3; i++) {
		const char *pem = json_string(json_get(json_get(j, "tee_private_keys_pem"), keys[i].name));
		AUTO_PRIVKEY k = { 0 };

		OK(pem);
		WORKS(privkey_parse(&k, slice_str(pem), &e));	/* PKCS#8 */
		EQ(k.type, keys[i].t);
	}
}

TEST(sig_memo_tells_every_input_apart)
{
	AUTO_PRIVKEY a = { 0 }, b = { 0 };
	AUTO_PUBKEY p = { 0 }, q = { 0 };
	uint8_t first[SIG_MEMO_ID], id[SIG_MEMO_ID];
	static const uint8_t x[97], y[97] = { 1 };
	const struct { const struct pubkey *k; enum sig_form form; enum hash h; struct slice digest, sig; } other[] = {
		{ &q, SIG_ECDSA_RAW, HASH_SHA384, { x, 48 }, { x, 96 } }, { &p, SIG_ECDSA_DER, HASH_SHA384, { x, 48 }, { x, 96 } },
		{ &p, SIG_ECDSA_RAW, HASH_SHA256, { x, 48 }, { x, 96 } }, { &p, SIG_ECDSA_RAW, HASH_SHA384, { y, 48 }, { x, 96 } },
		{ &p, SIG_ECDSA_RAW, HASH_SHA384, { x, 48 }, { y, 96 } }, { &p, SIG_ECDSA_RAW, HASH_SHA384, { x, 47 }, { x, 96 } },
		{ &p, SIG_ECDSA_RAW, HASH_SHA384, { x, 48 }, { x, 95 } }, { &p, SIG_ECDSA_RAW, HASH_SHA384, { x, 47 }, { x, 97 } },
	};

	WORKS(privkey_generate(&a, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&b, KEY_EC_P384, 0, &e));
	WORKS(privkey_public(&p, &a, &e));
	WORKS(privkey_public(&q, &b, &e));
	WORKS(sig_memo_id(first, &p, SIG_ECDSA_RAW, HASH_SHA384, slice_of(x, 48), slice_of(x, 96), &e));
	OK(!sig_memo_has(first));
	sig_memo_add(first);
	OK(sig_memo_has(first));
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		WORKS(sig_memo_id(id, other[i].k, other[i].form, other[i].h, other[i].digest, other[i].sig, &e));
		OK(!sig_memo_has(id));
	}
	for (unsigned i = 0; i < 256; i++) {	/* as many as fit: the first one goes */
		memset(id, 0, sizeof id);
		id[0] = (uint8_t)i;
		id[31] = 1;
		sig_memo_add(id);
	}
	OK(!sig_memo_has(first));
}
