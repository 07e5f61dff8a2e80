/* SPDX-License-Identifier: Apache-2.0 */
/* openssl enc: key file rules, all modes at all sizes round block and segment borders, and what has to be refused.  What
 * the real openssl makes of the same is in model_vectors.c and scripts/interop-model. */

#include "crypto/aead.h"
#include "model.h"
#include "model/openssl_enc.h"

/* --- key files -------------------------------------------------------------------------------------------------- */

#define KFILE(file, want) do { struct slice s_ = { 0 }; WORKS(openssl_pass_kfile(&s_, SLICE(file), &e)); \
	OK(slice_eq(s_, SLICE(want))); } while (0)
#define KFILE_NOT(file) do { struct slice s_; FAILS(openssl_pass_kfile(&s_, SLICE(file), &e), EC_REFUSED); } while (0)
#define PASS(file, want) do { struct slice s_ = { 0 }; WORKS(openssl_pass_file(&s_, SLICE(file), &e)); \
	OK(slice_eq(s_, SLICE(want))); } while (0)
#define PASS_NOT(file) do { struct slice s_; FAILS(openssl_pass_file(&s_, SLICE(file), &e), EC_REFUSED); } while (0)

TEST(openssl_kfile_is_the_first_line_as_a_c_string)
{
	KFILE("secret", "secret");
	KFILE("secret\n", "secret");
	KFILE("secret\r\n", "secret");
	KFILE("secret\r\r\nmore\n", "secret");
	KFILE("secret\r", "secret");
	KFILE("sec\0ret\n", "sec");
	KFILE("sec\r\0ret\n", "sec");
	KFILE("ab", "ab");
	KFILE("\ra", "\ra");
	KFILE(" ab ", " ab ");
}

TEST(openssl_kfile_with_less_than_two_bytes_is_refused)
{
	KFILE_NOT("");
	KFILE_NOT("a");
	KFILE_NOT("a\n");
	KFILE_NOT("a\r\n");
	KFILE_NOT("\n");
	KFILE_NOT("\r\n");
	KFILE_NOT("\r\r\r\n");
	KFILE_NOT("\nsecret");
	KFILE_NOT("\0secret");
	KFILE_NOT("a\0secret");
}

TEST(openssl_kfile_stops_after_127_bytes)
{
	uint8_t key[200];
	struct slice s = { 0 };

	memset(key, 'k', sizeof key);
	WORKS(openssl_pass_kfile(&s, slice_of(key, 200), &e));
	EQ(s.n, 127);
	WORKS(openssl_pass_kfile(&s, slice_of(key, 127), &e));
	EQ(s.n, 127);
	WORKS(openssl_pass_kfile(&s, slice_of(key, 126), &e));
	EQ(s.n, 126);
	key[126] = '\r';	/* the last byte that is read */
	WORKS(openssl_pass_kfile(&s, slice_of(key, 200), &e));
	EQ(s.n, 126);
	key[127] = '\n';
	WORKS(openssl_pass_kfile(&s, slice_of(key, 200), &e));
	EQ(s.n, 126);
}

TEST(openssl_pass_file_keeps_the_carriage_return)
{
	uint8_t key[1100];
	struct slice s = { 0 };

	PASS("secret\r\n", "secret\r");
	PASS("secret\nmore", "secret");
	PASS("\n", "");
	PASS("a", "a");
	PASS("\r\n", "\r");
	PASS("a\0b", "a");
	PASS_NOT("");
	PASS_NOT("\0abc");
	memset(key, 'k', sizeof key);
	WORKS(openssl_pass_file(&s, slice_of(key, sizeof key), &e));
	EQ(s.n, 1023);
}

/* --- files of our own ---------------------------------------------------------------------------------------------- */

static const char *const mode_names[] = { "aes-256-cbc", "aes-128-ctr", "aes-192-cfb", "aes-256-ofb" };
static const size_t key_sizes[] = { 32, 16, 24, 32 };
enum { CBC, CTR, CFB, OFB };

/* One block through AES: the key stream of CTR at that counter. */
static void encrypt_block(uint8_t out[16], const uint8_t in[16], struct slice key)
{
	static const uint8_t zero[16];
	AUTO_AES a = { 0 };

	WORKS(aes_init(&a, AES_CTR, key, in, &e));
	WORKS(aes_some(&a, slice_of(zero, 16), out, &e));
}

static void encrypt_all(uint8_t *out, struct slice in, int mode, struct slice key, const uint8_t iv[16])
{
	uint8_t chain[16], stream[16];

	memcpy(chain, iv, 16);
	for (size_t at = 0; at < in.n; at += 16) {
		const size_t n = in.n - at < 16 ? in.n - at : 16;

		if (mode == CBC) {
			for (size_t i = 0; i < 16; i++)
				chain[i] ^= in.p[at + i];
			encrypt_block(chain, chain, key);
			memcpy(out + at, chain, 16);
			continue;
		}
		encrypt_block(stream, chain, key);
		for (size_t i = 0; i < n; i++)
			out[at + i] = in.p[at + i] ^ stream[i];
		if (mode == CFB)
			memcpy(chain, out + at, n);
		else if (mode == OFB)
			memcpy(chain, stream, 16);
		else
			for (int i = 15; i >= 0 && !++chain[i]; i--)
				;
	}
}

/* What `openssl enc -pbkdf2 -iter 1 -k "pass phrase"` would write, for a salt that makes the counter wrap soon. */
static void make(struct buf *ret, size_t n, int mode)
{
	AUTO_BUF plain = { 0 };
	uint8_t kiv[48];
	const size_t k = key_sizes[mode];

	buf_reset(ret);
	fill_pattern(&plain, n);
	if (mode == CBC)
		buf_fill(&plain, (uint8_t)(16 - n % 16), 16 - n % 16);
	buf_puts(ret, "Salted__saltsalt");
	WORKS(pbkdf2(kiv, k + 16, HASH_SHA256, SLICE("pass phrase"), SLICE("saltsalt"), 1, &e));
	buf_fill(ret, 0, plain.n);
	encrypt_all(ret->p + 16, buf_view(&plain), mode, slice_of(kiv, k), kiv + k);
}

static struct model_opts options(int mode, size_t task)
{
	return (struct model_opts){ .cipher = mode_names[mode], .iter = 1, .insecure_unauthenticated = true, .threads = 2,
				    .task_bytes = task };
}

static void opens_to(struct slice file, size_t n, unsigned how, const struct model_opts *o)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF plain = { 0 }, want = { 0 };

	WORKS(secret_from(&key, SLICE("pass phrase\n"), &e));
	fill_pattern(&want, n);
	WORKS(crypt_mem(&plain, false, how, file, &key, o, &e));
	EQ(plain.n, n);
	OK(slice_eq(buf_view(&plain), buf_view(&want)));
}

TEST(openssl_every_mode_at_every_size_round_the_borders)
{
	for (int mode = 0; mode < 4; mode++)
		for (size_t n = 0; n < 150 && !test_failed(); n++) {
			AUTO_BUF file = { 0 };

			make(&file, n, mode);
			for (size_t task = 16; task <= 64; task *= 2)
				for (unsigned how = 0; how < 4; how++) {
					const struct model_opts o = options(mode, task);

					opens_to(buf_view(&file), n, how, &o);
				}
		}
}

static int open_with(struct buf *got, struct slice file, const char *pass, const struct model_opts *o, struct err *e)
{
	AUTO_SECRET key = { 0 };

	if (secret_from(&key, slice_str(pass), e))
		return -1;
	return crypt_mem(got, false, OUT_STREAM, file, &key, o, e);
}

TEST(openssl_cut_cbc_is_refused)
{
	AUTO_BUF file = { 0 }, got = { 0 };
	const struct model_opts o = options(CBC, 32);

	make(&file, 100, CBC);
	for (size_t n = 0; n < file.n && !test_failed(); n++) {
		struct err e = { 0 };

		OK(open_with(&got, slice_of(file.p, n), "pass phrase", &o, &e) == -1);
		EQ(e.code, n > 16 && n % 16 == 0 ? EC_REFUSED : EC_FORMAT);	/* whole blocks: only the padding can tell */
	}
}

TEST(openssl_unauthenticated_needs_to_be_allowed)
{
	AUTO_BUF file = { 0 }, got = { 0 };
	struct model_info info = { 0 };
	struct model_opts o = options(CTR, 32);
	struct err e = { 0 };

	make(&file, 3, CTR);
	file.p[16] ^= 0;
	o.info = &info;
	o.insecure_unauthenticated = false;
	EQ(open_with(&got, buf_view(&file), "pass phrase", &o, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.hint, "--sha256");
	EQ(got.n, 0);
	OK(!info.authenticated);
	/* of the pattern's first 3 bytes: 00 83 06 */
	o.sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
	FAILS(open_with(&got, buf_view(&file), "pass phrase", &o, &e), EC_REFUSED);
	EQ(got.n, 0);
	{
		uint8_t d[32];
		AUTO_BUF hex = { 0 };

		WORKS(hash_of(d, HASH_SHA256, SLICE("\x00\x83\x06"), &e));
		buf_hex(&hex, slice_of(d, 32));
		o.sha256 = buf_cstr(&hex);
		WORKS(open_with(&got, buf_view(&file), "pass phrase", &o, &e));
		EQ(got.n, 3);
		file.p[18] ^= 1;
		FAILS(open_with(&got, buf_view(&file), "pass phrase", &o, &e), EC_REFUSED);
		EQ(got.n, 0);
	}
}

TEST(openssl_wrong_padding_is_refused)
{
	AUTO_BUF file = { 0 }, got = { 0 };
	const struct model_opts o = options(CBC, 1 << 20);
	unsigned refused = 0;

	make(&file, 5, CBC);	/* the padding stands in the block that the IV is mixed into: change the derived IV by the salt */
	for (unsigned i = 0; i < 256; i++) {
		struct err e = { 0 };

		file.p[16] = (uint8_t)i;
		refused += open_with(&got, buf_view(&file), "pass phrase", &o, &e) && e.code == EC_REFUSED;
	}
	OK(refused >= 250);	/* 1 is right, others fit by chance, once in 256 */
}

TEST(openssl_key_that_was_cut_is_reported)
{
	AUTO_BUF file = { 0 }, got = { 0 };
	AUTO_SECRET key = { 0 };
	struct model_info info = { 0 };
	struct model_opts o = options(CTR, 32);

	o.info = &info;
	make(&file, 10, CTR);
	WORKS(secret_from(&key, SLICE("pass phrase\0and more of it"), &e));
	WORKS(crypt_mem(&got, false, 0, buf_view(&file), &key, &o, &e));
	OK(info.key_cut);
	EQ(info.key_used, 11);
	EQ(info.key_given, 26);
	WORKS(secret_from(&key, SLICE("pass phrase\r\n"), &e));
	WORKS(crypt_mem(&got, false, 0, buf_view(&file), &key, &o, &e));
	OK(!info.key_cut);
}

TEST(openssl_content_is_looked_at)
{
	AUTO_BUF file = { 0 }, got = { 0 };
	struct model_info info = { 0 };
	struct model_opts o = options(CTR, 32);

	o.info = &info;
	make(&file, 200, CTR);
	WORKS(open_with(&got, buf_view(&file), "pass phrase", &o, &e));
	OK(info.odd_content);
	for (unsigned i = 0; i < 4; i++)
		file.p[16 + i] ^= (uint8_t)(i * 131) ^ (uint8_t)"GGUF"[i];
	WORKS(open_with(&got, buf_view(&file), "pass phrase", &o, &e));
	MEM(got.p, "GGUF", 4);
	OK(!info.odd_content);
}

TEST(openssl_base64_is_read_with_any_white_space)
{
	AUTO_BUF file = { 0 }, text = { 0 }, wrapped = { 0 }, got = { 0 };
	const struct model_opts o = options(CBC, 32);

	make(&file, 301, CBC);
	b64_encode(&text, buf_view(&file));
	opens_to(buf_view(&text), 301, 0, &o);
	opens_to(buf_view(&text), 301, IN_STREAM | OUT_STREAM, &o);
	for (size_t i = 0; i < text.n; i++) {
		buf_byte(&wrapped, text.p[i]);
		if (i % 64 == 63)
			buf_puts(&wrapped, i % 3 ? "\r\n" : "\n \t\n");
	}
	buf_byte(&wrapped, '\n');
	opens_to(buf_view(&wrapped), 301, 0, &o);
	opens_to(buf_view(&wrapped), 301, IN_STREAM, &o);
	buf_puts(&wrapped, "AAAA");	/* behind the padding */
	FAILS(open_with(&got, buf_view(&wrapped), "pass phrase", &o, &e), EC_FORMAT);
	FAILS(open_with(&got, slice_of(text.p, text.n - 1), "pass phrase", &o, &e), EC_FORMAT);
	text.p[100] = '!';
	FAILS(open_with(&got, buf_view(&text), "pass phrase", &o, &e), EC_FORMAT);
	text.p[100] = '=';
	FAILS(open_with(&got, buf_view(&text), "pass phrase", &o, &e), EC_FORMAT);
}

TEST(openssl_names_that_are_not_supported_are_said)
{
	AUTO_BUF file = { 0 }, got = { 0 };
	struct model_opts o = options(CBC, 32);
	static const char *const ciphers[] = { "aes-256-cfb8", "aes-256-cfb1", "chacha20", "camellia-256-cbc", "aria-256-ctr",
					       "aes-256-", "aes-256", "aes-256-gcm", "aes-256-cbcx", "aes256x", "" };

	make(&file, 10, CBC);
	for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
		o.cipher = ciphers[i];
		FAILS(open_with(&got, buf_view(&file), "pass phrase", &o, &e), EC_ABSENT);
	}
	o.cipher = "aes256";
	WORKS(open_with(&got, buf_view(&file), "pass phrase", &o, &e));
	o.md = "sha3-256";
	FAILS(open_with(&got, buf_view(&file), "pass phrase", &o, &e), EC_ABSENT);
	o.md = NULL;
	o.iter = UINT64_C(1) << 32;
	FAILS(open_with(&got, buf_view(&file), "pass phrase", &o, &e), EC_USAGE);
	o.iter = 5;
	o.no_pbkdf2 = true;
	FAILS(open_with(&got, buf_view(&file), "pass phrase", &o, &e), EC_USAGE);
}

/* --- nonce-prefixed GCM ------------------------------------------------------------------------------------------------ */

static void make_gcm(struct buf *ret, size_t n, const struct secret *key)
{
	AUTO_BUF plain = { 0 };
	AUTO_GCM g = { 0 };

	buf_reset(ret);
	fill_pattern(&plain, n);
	buf_puts(ret, "nonce nonce!");
	buf_fill(ret, 0, n + 16);
	WORKS(gcm_init(&g, secret_view(key), &e));
	WORKS(gcm_seal(&g, SLICE("nonce nonce!"), slice_of(NULL, 0), buf_view(&plain), ret->p + 12, ret->p + 12 + n, &e));
}

TEST(gcm_every_size_comes_back_and_nothing_before_the_tag)
{
	AUTO_SECRET key = { 0 };
	const struct model_opts o = { .format = "gcm", .task_bytes = 32 };

	WORKS(secret_from(&key, SLICE("0123456789abcdef0123456789abcdef"), &e));
	for (size_t n = 0; n < 140 && !test_failed(); n++) {
		AUTO_BUF file = { 0 }, got = { 0 }, want = { 0 };

		make_gcm(&file, n, &key);
		fill_pattern(&want, n);
		for (unsigned how = 0; how < 4; how++) {
			WORKS(crypt_mem(&got, false, how, buf_view(&file), &key, &o, &e));
			OK(slice_eq(buf_view(&got), buf_view(&want)));
		}
		for (size_t i = 0; i < file.n; i += n < 40 ? 1 : 11) {
			file.p[i] ^= 1;
			FAILS(crypt_mem(&got, false, IN_STREAM | OUT_STREAM, buf_view(&file), &key, &o, &e), EC_REFUSED);
			EQ(got.n, 0);
			file.p[i] ^= 1;
		}
	}
}

TEST(gcm_every_cut_is_refused)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 }, got = { 0 };
	const struct model_opts o = { .format = "gcm", .task_bytes = 32 };

	WORKS(secret_from(&key, SLICE("0123456789abcdef"), &e));
	make_gcm(&file, 100, &key);
	for (size_t n = 0; n < file.n && !test_failed(); n++)
		for (unsigned how = OUT_STREAM; how < 4; how++) {
			struct err e = { 0 };

			OK(crypt_mem(&got, false, how, slice_of(file.p, n), &key, &o, &e) == -1);
			OK(e.code == EC_REFUSED || e.code == EC_FORMAT);
			EQ(got.n, 0);
		}
	WORKS(secret_from(&key, SLICE("0123456789abcdef\n"), &e));
	FAILS(crypt_mem(&got, false, 0, buf_view(&file), &key, &o, &e), EC_FORMAT);
}
