/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex64.h"
#include "codec/json.h"
#include "crypto/aead.h"
#include "test.h"

static struct slice hex(struct buf *b, const char *text)
{
	buf_reset(b);
	WORKS(hex_decode(b, slice_str(text), &e));
	return buf_view(b);
}

static void is_hex(const uint8_t *p, size_t n, const char *want)
{
	AUTO_BUF b = { 0 };

	buf_hex(&b, slice_of(p, n));
	STR(buf_cstr(&b), want);
}

/* McGrew, Viega: "The Galois/Counter Mode of Operation", test cases 4, 10 and 16 (the AES key sizes). */
static const char plain[] =
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
	"ba637b39";
static const struct {
	const char *key, *cipher, *tag;
} gcm_known[] = {
	{ "feffe9928665731c6d6a8f9467308308",
	  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac97"
	  "3d58e091", "5bc94fbc3221a5db94fae95ae7121a47" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c",
	  "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9"
	  "ccda2710", "2519498e80f1478f37ba55bd6d27618c" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
	  "bcc9f662", "76fc6ece0f4e1768cddf8853bb2d551b" },
};

struct gcm_case {
	struct buf key, iv, aad, plain, cipher, tag;
};

static void gcm_case(struct gcm_case *c, size_t i)
{
	hex(&c->key, gcm_known[i].key);
	hex(&c->iv, "cafebabefacedbaddecaf888");
	hex(&c->aad, "feedfacedeadbeeffeedfacedeadbeefabaddad2");
	hex(&c->plain, plain);
	hex(&c->cipher, gcm_known[i].cipher);
	hex(&c->tag, gcm_known[i].tag);
}

static void gcm_case_free(struct gcm_case *c)
{
	buf_free(&c->key), buf_free(&c->iv), buf_free(&c->aad);
	buf_free(&c->plain), buf_free(&c->cipher), buf_free(&c->tag);
}
#define AUTO_CASE __attribute__((cleanup(gcm_case_free))) struct gcm_case

TEST(gcm_gives_the_values_of_its_paper)
{
	for (size_t i = 0; i < 3; i++) {
		AUTO_CASE c = { 0 };
		AUTO_GCM g = { 0 };
		uint8_t out[60], tag[16];

		gcm_case(&c, i);
		WORKS(gcm_init(&g, buf_view(&c.key), &e));
		WORKS(gcm_seal(&g, buf_view(&c.iv), buf_view(&c.aad), buf_view(&c.plain), out, tag, &e));
		is_hex(out, 60, gcm_known[i].cipher);
		is_hex(tag, 16, gcm_known[i].tag);
		WORKS(gcm_open(&g, buf_view(&c.iv), buf_view(&c.aad), slice_of(out, 60), out, tag, &e));	/* in place */
		is_hex(out, 60, plain);
	}
}

TEST(gcm_refuses_any_change_and_wipes_the_output)
{
	AUTO_CASE c = { 0 };
	AUTO_GCM g = { 0 };
	uint8_t out[60], zero[60] = { 0 };

	gcm_case(&c, 2);
	WORKS(gcm_init(&g, buf_view(&c.key), &e));
	struct buf *const parts[] = { &c.iv, &c.aad, &c.cipher, &c.tag };

	for (size_t i = 0; i < 4; i++) {
		for (size_t at = 0; at < parts[i]->n; at += 7) {
			parts[i]->p[at] ^= 1;
			memset(out, 0xee, sizeof out);
			FAILS(gcm_open(&g, buf_view(&c.iv), buf_view(&c.aad), buf_view(&c.cipher), out, c.tag.p, &e), EC_REFUSED);
			MEM(out, zero, sizeof out);
			parts[i]->p[at] ^= 1;
		}
	}
	WORKS(gcm_open(&g, buf_view(&c.iv), buf_view(&c.aad), buf_view(&c.cipher), out, c.tag.p, &e));
	c.aad.n--;
	FAILS(gcm_open(&g, buf_view(&c.iv), buf_view(&c.aad), buf_view(&c.cipher), out, c.tag.p, &e), EC_REFUSED);
}

TEST(gcm_in_pieces_is_the_same)
{
	AUTO_CASE c = { 0 };
	AUTO_GCM g = { 0 };
	uint8_t out[60];

	gcm_case(&c, 2);
	WORKS(gcm_init(&g, buf_view(&c.key), &e));
	WORKS(gcm_open_start(&g, buf_view(&c.iv), buf_view(&c.aad), &e));
	WORKS(gcm_open_some(&g, slice_of(c.cipher.p, 16), out, &e));
	WORKS(gcm_open_some(&g, slice_of(c.cipher.p + 16, 32), out + 16, &e));
	WORKS(gcm_open_some(&g, slice_of(c.cipher.p + 48, 12), out + 48, &e));
	WORKS(gcm_open_end(&g, c.tag.p, &e));
	is_hex(out, 60, plain);
	FAILS(gcm_open_end(&g, c.tag.p, &e), EC_BUG);	/* once */
	WORKS(gcm_open_start(&g, buf_view(&c.iv), buf_view(&c.aad), &e));
	WORKS(gcm_open_some(&g, slice_of(c.cipher.p, 48), out, &e));
	FAILS(gcm_open_end(&g, c.tag.p, &e), EC_REFUSED);	/* the end is missing */
	FAILS(gcm_open_some(&g, slice_of(c.cipher.p, 16), out, &e), EC_BUG);
}

TEST(gcm_wants_the_lengths_of_the_formats)
{
	static const uint8_t zeros[64];
	AUTO_GCM g = { 0 };
	uint8_t tag[16];

	FAILS(gcm_seal(&g, slice_of(zeros, 12), (struct slice){ 0 }, (struct slice){ 0 }, NULL, tag, &e), EC_BUG);
	FAILS(gcm_init(&g, slice_of(zeros, 31), &e), EC_FORMAT);
	FAILS(gcm_init(&g, slice_of(zeros, 0), &e), EC_FORMAT);
	OK(!g.ctx);
	WORKS(gcm_init(&g, slice_of(zeros, 16), &e));
	FAILS(gcm_seal(&g, slice_of(zeros, 16), (struct slice){ 0 }, (struct slice){ 0 }, NULL, tag, &e), EC_FORMAT);
	WORKS(gcm_seal(&g, slice_of(zeros, 12), (struct slice){ 0 }, (struct slice){ 0 }, NULL, tag, &e));
	is_hex(tag, 16, "58e2fccefa7e3061367f1d57a4e7455a");	/* test case 1 of the paper */
	WORKS(gcm_open(&g, slice_of(zeros, 12), (struct slice){ 0 }, (struct slice){ 0 }, NULL, tag, &e));
}

/* SP 800-38A appendix F: four blocks, key of F.2.5, F.5.5, F.3.17, F.4.5. */
static const char aes_plain[] =
	"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b"
	"417be66c3710";
static const struct {
	enum aes_mode mode;
	const char *iv, *cipher;
} aes_known[] = {
	{ AES_CBC, "000102030405060708090a0b0c0d0e0f",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c"
	  "19078c6a9d1b" },
	{ AES_CTR, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	  "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2"
	  "dd08457941a6" },
	{ AES_CFB128, "000102030405060708090a0b0c0d0e0f",
	  "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407bdf10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031"
	  "623d55b1e471" },
	{ AES_OFB, "000102030405060708090a0b0c0d0e0f",
	  "dc7e84bfda79164b7ecd8486985d38604febdc6740d20b3ac88f6ad82a4fb08d71ab47a086e86eedf39d1c5bba97c4080126141d67f37be8538f"
	  "5a8be740e484" },
};

TEST(aes_modes_give_the_values_of_sp800_38a_in_any_pieces)
{
	AUTO_BUF key = { 0 }, iv = { 0 }, in = { 0 };

	hex(&key, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
	for (size_t i = 0; i < 4; i++) {
		const size_t step = aes_known[i].mode == AES_CBC ? 16 : 1;

		hex(&iv, aes_known[i].iv);
		hex(&in, aes_known[i].cipher);
		for (size_t cut = 0; cut <= 64; cut += step) {
			AUTO_AES a = { 0 };
			uint8_t out[64];

			WORKS(aes_init(&a, aes_known[i].mode, buf_view(&key), iv.p, &e));
			WORKS(aes_some(&a, slice_of(in.p, cut), out, &e));
			WORKS(aes_some(&a, slice_of(in.p + cut, 64 - cut), out + cut, &e));
			is_hex(out, 64, aes_plain);
		}
	}
}

TEST(aes_ctr_counts_over_the_whole_block)
{
	/* The counter ff..ff is followed by 0, not by a change of the lower 32 or 64 bits alone. */
	static const uint8_t key[16], zeros[32];
	uint8_t iv[16], out[32], second[16];
	AUTO_AES a = { 0 }, b = { 0 };

	memset(iv, 0xff, 16);
	WORKS(aes_init(&a, AES_CTR, slice_of(key, 16), iv, &e));
	WORKS(aes_some(&a, slice_of(zeros, 32), out, &e));
	memset(iv, 0, 16);
	WORKS(aes_init(&b, AES_CTR, slice_of(key, 16), iv, &e));
	WORKS(aes_some(&b, slice_of(zeros, 16), second, &e));
	MEM(out + 16, second, 16);
}

TEST(aes_refuses_half_blocks_and_odd_keys)
{
	static const uint8_t zeros[32];
	AUTO_AES a = { 0 };
	uint8_t out[32];

	FAILS(aes_some(&a, slice_of(zeros, 16), out, &e), EC_BUG);
	FAILS(aes_init(&a, AES_CBC, slice_of(zeros, 20), zeros, &e), EC_FORMAT);
	WORKS(aes_init(&a, AES_CBC, slice_of(zeros, 32), zeros, &e));
	FAILS(aes_some(&a, slice_of(zeros, 17), out, &e), EC_FORMAT);
	WORKS(aes_some(&a, slice_of(zeros, 0), out, &e));
}

TEST(key_wrap_gives_the_values_of_rfc3394)
{
	static const char *const known[][3] = {	/* sections 4.1, 4.3, 4.6 */
		{ "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
		  "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "00112233445566778899aabbccddeeff",
		  "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		  "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
		  "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21" },
	};

	for (size_t i = 0; i < 3; i++) {
		AUTO_BUF kek = { 0 }, key = { 0 }, wrapped = { 0 }, out = { 0 };

		hex(&kek, known[i][0]);
		hex(&key, known[i][1]);
		WORKS(aes_wrap(&wrapped, buf_view(&kek), buf_view(&key), &e));
		is_hex(wrapped.p, wrapped.n, known[i][2]);
		WORKS(aes_unwrap(&out, buf_view(&kek), buf_view(&wrapped), &e));
		is_hex(out.p, out.n, known[i][1]);
		for (size_t at = 0; at < wrapped.n; at++) {
			wrapped.p[at] ^= 0x10;
			FAILS(aes_unwrap(&out, buf_view(&kek), buf_view(&wrapped), &e), EC_REFUSED);
			wrapped.p[at] ^= 0x10;
		}
		kek.p[0] ^= 1;
		FAILS(aes_unwrap(&out, buf_view(&kek), buf_view(&wrapped), &e), EC_REFUSED);
		EQ(out.n, key.n);
	}
}

TEST(key_wrap_refuses_impossible_lengths)
{
	static const uint8_t zeros[64];
	AUTO_BUF out = { 0 };

	FAILS(aes_wrap(&out, slice_of(zeros, 32), slice_of(zeros, 20), &e), EC_FORMAT);
	FAILS(aes_wrap(&out, slice_of(zeros, 32), slice_of(zeros, 8), &e), EC_FORMAT);
	FAILS(aes_wrap(&out, slice_of(zeros, 33), slice_of(zeros, 16), &e), EC_FORMAT);
	FAILS(aes_unwrap(&out, slice_of(zeros, 32), slice_of(zeros, 16), &e), EC_FORMAT);
	FAILS(aes_unwrap(&out, slice_of(zeros, 32), slice_of(zeros, 25), &e), EC_FORMAT);
	FAILS(aes_unwrap(&out, slice_of(zeros, 32), slice_of(zeros, 0), &e), EC_FORMAT);
	EQ(out.n, 0);
}

static void member(struct buf *ret, const struct json *j, const char *pointer)
{
	const char *text = json_string(json_path(j, pointer));

	buf_reset(ret);
	WORKS(b64url_decode(ret, slice_str(text), &e));
	OK(ret->n > 0);
}

static void cookbook_open(const char *name, bool wrapped_key)
{
	AUTO_BUF file = { 0 }, key = { 0 }, cek = { 0 }, wrapped = { 0 }, iv = { 0 }, text = { 0 }, tag = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_GCM g = { 0 };

	load_vec(&file, name);
	WORKS(json_parse(&j, buf_view(&file), 1 << 20, &e));
	if (!j)
		return;
	const char *want = json_string(json_path(j, "/input/plaintext"));
	const char *aad = json_string(json_path(j, "/output/json/protected"));

	member(&key, j, "/input/key/k");
	if (wrapped_key) {
		member(&wrapped, j, "/output/json/recipients/0/encrypted_key");
		WORKS(aes_unwrap(&cek, buf_view(&key), buf_view(&wrapped), &e));
		wrapped.p[3] ^= 1;
		FAILS(aes_unwrap(&cek, buf_view(&key), buf_view(&wrapped), &e), EC_REFUSED);
	} else {
		buf_slice(&cek, buf_view(&key));
	}
	member(&iv, j, "/output/json/iv");
	member(&text, j, "/output/json/ciphertext");
	member(&tag, j, "/output/json/tag");
	EQ(tag.n, 16);
	WORKS(gcm_init(&g, buf_view(&cek), &e));
	WORKS(gcm_open(&g, buf_view(&iv), slice_str(aad), buf_view(&text), text.p, tag.p, &e));
	OK(slice_eqs(buf_view(&text), want));
}

TEST(jose_cookbook_examples_open_with_gcm_and_key_wrap)
{
	NEED_VECTORS;
	cookbook_open("crypto-formats/jwe-cookbook/5_6.direct_encryption_using_aes-gcm.json", false);
	cookbook_open("crypto-formats/jwe-cookbook/5_8.key_wrap_using_aes-keywrap_with_aes-gcm.json", true);
}
