/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex64.h"
#include "crypto/hash.h"
#include "test.h"

static void is_hex(const uint8_t *p, size_t n, const char *want)
{
	AUTO_BUF b = { 0 };

	buf_hex(&b, slice_of(p, n));
	STR(buf_cstr(&b), want);
}

/* FIPS 180-4 examples ("abc"), RFC 1321 appendix A.5. */
static const struct {
	enum hash h;
	const char *abc, *empty;
} known[] = {
	{ HASH_MD5, "900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e" },
	{ HASH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ HASH_SHA224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	  "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f" },
	{ HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ HASH_SHA384,
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
	  "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b" },
	{ HASH_SHA512,
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
	  "454d4423643ce80e2a9ac94fa54ca49f",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f"
	  "63b931bd47417a81a538327af927da3e" },
};

TEST(digests_are_those_of_the_standards)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const size_t n = hash_size(known[i].h);
		AUTO_HASHER s = { 0 };
		uint8_t d[HASH_MAX];

		WORKS(hash_of(d, known[i].h, SLICE("abc"), &e));
		is_hex(d, n, known[i].abc);
		WORKS(hash_of(d, known[i].h, (struct slice){ 0 }, &e));
		is_hex(d, n, known[i].empty);
		WORKS(hasher_init(&s, known[i].h, &e));
		WORKS(hasher_add(&s, SLICE("a"), &e));
		WORKS(hasher_add(&s, (struct slice){ 0 }, &e));
		WORKS(hasher_add(&s, SLICE("bc"), &e));
		WORKS(hasher_end(&s, d, &e));
		is_hex(d, n, known[i].abc);
		OK(!s.ctx);
		OK(hash_by_name(hash_name(known[i].h)) == known[i].h);
	}
}

TEST(hash_names_are_found_in_both_spellings)
{
	EQ(hash_by_name("SHA-256"), HASH_SHA256);
	EQ(hash_by_name("Sha384"), HASH_SHA384);
	EQ(hash_by_name("md5"), HASH_MD5);
	EQ(hash_by_name("sha25"), HASH_NONE);
	EQ(hash_by_name("sha2566"), HASH_NONE);
	EQ(hash_by_name("none"), HASH_NONE);
	EQ(hash_by_name(""), HASH_NONE);
	EQ(hash_by_name(NULL), HASH_NONE);
	EQ(hash_size(HASH_NONE), 0);
	EQ(hash_size((enum hash)99), 0);
}

TEST(unknown_hash_fails_and_leaves_zeros)
{
	uint8_t d[4] = { 1, 2, 3, 4 };
	struct hasher s = { 0 };

	FAILS(hash_of(d, HASH_NONE, SLICE("abc"), &e), EC_BUG);
	FAILS(hkdf(d, 4, (enum hash)99, SLICE("k"), SLICE("s"), SLICE("i"), &e), EC_BUG);
	MEM(d, "\0\0\0\0", 4);
	FAILS(hasher_init(&s, HASH_NONE, &e), EC_BUG);
	FAILS(hasher_add(&s, SLICE("x"), &e), EC_BUG);
	FAILS(hasher_end(&s, d, &e), EC_BUG);
}

TEST(hmac_gives_the_values_of_rfc4231)
{
	uint8_t key[131], d[HASH_MAX];

	memset(key, 0x0b, 20);
	WORKS(hmac(d, HASH_SHA256, slice_of(key, 20), SLICE("Hi There"), &e));
	is_hex(d, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	WORKS(hmac(d, HASH_SHA256, SLICE("Jefe"), SLICE("what do ya want for nothing?"), &e));
	is_hex(d, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	WORKS(hmac(d, HASH_SHA384, SLICE("Jefe"), SLICE("what do ya want for nothing?"), &e));
	is_hex(d, 48, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
	memset(key, 0xaa, 131);
	WORKS(hmac(d, HASH_SHA256, slice_of(key, 131), SLICE("Test Using Larger Than Block-Size Key - Hash Key First"), &e));
	is_hex(d, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	WORKS(hmac(d, HASH_SHA256, (struct slice){ 0 }, (struct slice){ 0 }, &e));
	is_hex(d, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(hkdf_gives_the_values_of_rfc5869)
{
	uint8_t ikm[22], salt[13], info[10], okm[42];

	memset(ikm, 0x0b, sizeof ikm);
	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof info; i++)
		info[i] = (uint8_t)(0xf0 + i);
	/* A.1 and A.3 */
	WORKS(hkdf(okm, 42, HASH_SHA256, slice_of(ikm, 22), slice_of(salt, 13), slice_of(info, 10), &e));
	is_hex(okm, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	WORKS(hkdf(okm, 42, HASH_SHA256, slice_of(ikm, 22), (struct slice){ 0 }, (struct slice){ 0 }, &e));
	is_hex(okm, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
	/* A.5: SHA-1, no salt given */
	memset(ikm, 0x0b, 11);
	WORKS(hkdf(okm, 42, HASH_SHA1, slice_of(ikm, 11), slice_of(salt, 13), slice_of(info, 10), &e));
	is_hex(okm, 42, "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896");
}

TEST(hkdf_refuses_more_than_255_blocks)
{
	static uint8_t okm[255 * 32 + 1];

	WORKS(hkdf(okm, 255 * 32, HASH_SHA256, SLICE("k"), SLICE("s"), SLICE("i"), &e));
	okm[0] = 1;
	FAILS(hkdf(okm, 255 * 32 + 1, HASH_SHA256, SLICE("k"), SLICE("s"), SLICE("i"), &e), EC_BUG);
	EQ(okm[0], 0);
}

TEST(pbkdf2_gives_the_values_of_rfc6070_and_rfc7914)
{
	uint8_t d[64];

	WORKS(pbkdf2(d, 20, HASH_SHA1, SLICE("password"), SLICE("salt"), 1, &e));
	is_hex(d, 20, "0c60c80f961f0e71f3a9b524af6012062fe037a6");
	WORKS(pbkdf2(d, 20, HASH_SHA1, SLICE("password"), SLICE("salt"), 4096, &e));
	is_hex(d, 20, "4b007901b765489abead49d926f721d065a429c1");
	WORKS(pbkdf2(d, 25, HASH_SHA1, SLICE("passwordPASSWORDpassword"), SLICE("saltSALTsaltSALTsaltSALTsaltSALTsalt"),
		     4096, &e));
	is_hex(d, 25, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038");
	WORKS(pbkdf2(d, 16, HASH_SHA1, SLICE("pass\0word"), SLICE("sa\0lt"), 4096, &e));
	is_hex(d, 16, "56fa6aa75548099dcc37d7f03425e0c3");
	/* RFC 7914 section 11 */
	WORKS(pbkdf2(d, 64, HASH_SHA256, SLICE("passwd"), SLICE("salt"), 1, &e));
	is_hex(d, 64, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
		      "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
	FAILS(pbkdf2(d, 64, HASH_SHA256, SLICE("passwd"), SLICE("salt"), 0, &e), EC_BUG);
}
