/* SPDX-License-Identifier: Apache-2.0 */
/* Files that peers made, with the verdict each one must get: openssl enc, Tink streaming, nonce-prefixed GCM. */

#include "codec/json.h"
#include "model.h"

#define DIR_ENC "crypto-formats/openssl-enc/"
#define DIR_TINK "crypto-formats/tink-streaming/"
#define DIR_GCM "crypto-formats/gcm-nonce-prefix/"

static void load_in(struct buf *ret, const char *dir, const char *name)
{
	AUTO_STR *path = str_printf(NULL, "%s%s", dir, name);

	load_vec(ret, path);
}

static void hex_of_sha256(char ret[65], struct slice s)
{
	AUTO_BUF hex = { 0 };
	uint8_t d[32];

	WORKS(hash_of(d, HASH_SHA256, s, &e));
	buf_hex(&hex, slice_of(d, 32));
	snprintf(ret, 65, "%s", buf_cstr(&hex));
}

static struct json *cases(const char *dir, const char *name)
{
	AUTO_BUF text = { 0 };
	struct json *j = NULL;

	load_in(&text, dir, name);
	WORKS(json_parse(&j, buf_view(&text), (size_t)1 << 20, &e));
	return j;
}

/* --- openssl enc ---------------------------------------------------------------------------------------------------- */

/* Word behind an option of the command that made the file; NULL: it was not given. */
static char *word_behind(const char *command, const char *option)
{
	const char *at = strstr(command, option);
	size_t n = 0;

	if (!at)
		return NULL;
	at += strlen(option);
	while (at[n] && at[n] != ' ')
		n++;
	return str_ndup(at, n, NULL);
}

/* Ciphers, digests and forms that are documented as not supported. */
static bool unsupported(const char *command)
{
	static const char *const words[] = { "-cfb8", "-cfb1", "-chacha20", "-camellia", "-aria", "sha3-", "sha512-256" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strstr(command, words[i]))
			return true;
	return false;
}

static int open_enc(struct buf *got, const char *file, const char *command, const char *sha256, unsigned how, struct err *e)
{
	AUTO_BUF data = { 0 }, pass = { 0 };
	AUTO_SECRET key = { 0 };
	AUTO_STR *cipher = word_behind(command, "enc -"), *md = word_behind(command, "-md "), *iter = word_behind(command, "-iter ");
	AUTO_STR *kfile = word_behind(command, "-kfile "), *pfile = word_behind(command, "-pass file:");
	struct model_opts o = { .cipher = cipher, .md = md, .sha256 = sha256, .insecure_unauthenticated = !sha256,
				.iter = iter ? strtoull(iter, NULL, 10) : 0, .pass_file_rules = pfile, .task_bytes = 1000,
				.no_pbkdf2 = !iter && !strstr(command, "-pbkdf2") };

	load_in(&data, DIR_ENC, file);
	load_in(&pass, DIR_ENC, kfile ? kfile : pfile);
	if (secret_from(&key, buf_view(&pass), e))
		return -1;
	return crypt_mem(got, false, how, buf_view(&data), &key, &o, e);
}

TEST(vectors_openssl_enc)
{
	NEED_VECTORS;
	AUTO_JSON *root = cases(DIR_ENC, "cases.json");
	unsigned opened = 0, named = 0;

	for (const struct json *c = json_first(json_get(root, "cases")); c; c = json_next(c)) {
		const char *file = json_string(json_get(c, "file")), *command = json_string(json_get(c, "command"));
		const char *sha256 = json_string(json_get(c, "sha256"));
		AUTO_BUF got = { 0 };
		char hex[65];

		if (!command || strstr(command, " -K "))	/* a raw key has no header: not a form that is read */
			continue;
		if (unsupported(command)) {
			FAILS(open_enc(&got, file, command, sha256, 0, &e), EC_ABSENT);
			named++;
			continue;
		}
		for (unsigned how = 0; how < 4; how++) {
			WORKS(open_enc(&got, file, command, how & 1 ? NULL : sha256, how, &e));
			hex_of_sha256(hex, buf_view(&got));
			STR(hex, sha256);
		}
		FAILS(open_enc(&got, file, command, "00000000000000000000000000000000000000000000000000000000000000ff", 0, &e),
		      EC_REFUSED);
		opened++;
	}
	OK(opened >= 30);
	OK(named >= 7);
}

TEST(vectors_openssl_enc_bad_ones)
{
	static const struct {
		const char *file;
		enum ec want;
	} bad[] = {
		{ "bad-truncated-block.enc", EC_FORMAT }, { "bad-last-block.enc", EC_REFUSED }, { "bad-magic.enc", EC_FORMAT },
		{ "bad-short-header.enc", EC_FORMAT },
	};
	const char *command = "enc -aes-256-cbc -pbkdf2 -pass file:pass.txt";
	AUTO_BUF got = { 0 };
	AUTO_JSON *root = NULL;

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		for (unsigned how = 0; how < 4; how++)
			FAILS(open_enc(&got, bad[i].file, command, NULL, how, &e), bad[i].want);
	/* openssl takes it; so does the insecure switch; a digest does not */
	WORKS(open_enc(&got, "silent-bitflip.enc", command, NULL, 0, &e));
	root = cases(DIR_ENC, "cases.json");
	for (const struct json *c = json_first(json_get(root, "cases")); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "file")), "pbkdf2-aes-256-cbc.enc"))
			FAILS(open_enc(&got, "silent-bitflip.enc", command, json_string(json_get(c, "sha256")), 0, &e), EC_REFUSED);
}

/* --- Tink ------------------------------------------------------------------------------------------------------------- */

static void tink_case(const struct json *c, const struct secret *key)
{
	AUTO_BUF data = { 0 }, got = { 0 };
	const struct model_opts o = { .aad = slice_str(json_string(json_get(c, "aad"))), .task_bytes = 5000 };
	const char *verdict = json_string(json_get(c, "verdict"));
	char hex[65];

	load_in(&data, DIR_TINK, json_string(json_get(c, "file")));
	for (unsigned how = 0; how < 4; how++) {
		struct err e = { 0 };
		const int rc = crypt_mem(&got, false, how, buf_view(&data), key, &o, &e);

		if (strcmp(verdict, "valid")) {
			OK(rc == -1 && (e.code == EC_REFUSED || e.code == EC_FORMAT));
			continue;
		}
		EQ(rc, 0);
		hex_of_sha256(hex, buf_view(&got));
		STR(hex, json_string(json_get(c, "plain_sha256")));
	}
}

TEST(vectors_tink_files_with_both_forms_of_the_keyset)
{
	static const char *const keysets[] = { "keyset-aes256-gcm-hkdf-4kb.json", "keyset-aes256-gcm-hkdf-4kb.bin" };
	unsigned n = 0;

	NEED_VECTORS;
	for (size_t k = 0; k < 2; k++) {
		AUTO_BUF text = { 0 };
		AUTO_SECRET key = { 0 };
		AUTO_JSON *root = cases(DIR_TINK, "cases.json");

		load_in(&text, DIR_TINK, keysets[k]);
		WORKS(secret_from(&key, buf_view(&text), &e));
		for (const struct json *c = json_first(json_get(root, "cases")); c; c = json_next(c), n++)
			tink_case(c, &key);
	}
	EQ(n, 28);
}

static uint8_t hash_enum(const char *name)
{
	return !name ? 0 : !strcmp(name, "SHA1") ? 1 : !strcmp(name, "SHA256") ? 3 : !strcmp(name, "SHA512") ? 4 : 99;
}

static void bytes_of(struct buf *ret, const struct json *c, const char *name)
{
	WORKS(hex_decode(ret, slice_str(json_string(json_get(c, name))), &e));
}

static uint8_t number(const struct json *c, const char *name)
{
	uint64_t v = 0;

	json_u64(json_get(c, name), &v);
	return (uint8_t)v;
}

static void java_case(const struct json *c)
{
	AUTO_BUF ikm = { 0 }, aad = { 0 }, plain = { 0 }, file = { 0 }, value = { 0 }, text = { 0 }, got = { 0 };
	AUTO_SECRET key = { 0 };
	const bool ctr = strstr(json_string(json_get(c, "type")), "CtrHmac");
	const char *mac = json_string(json_get(c, "hmac_hash"));
	struct model_opts o = { .task_bytes = 1 };
	uint64_t seg = 0;

	bytes_of(&ikm, c, "key");
	bytes_of(&aad, c, "associated_data");
	bytes_of(&plain, c, "plaintext");
	bytes_of(&file, c, "ciphertext");
	json_u64(json_get(c, "ciphertext_segment_size"), &seg);
	key_value(&value, (uint32_t)seg, number(c, "derived_key_size"), hash_enum(json_string(json_get(c, "hkdf_hash"))),
		  ctr ? hash_enum(mac) : 0, number(c, "tag_size"), buf_view(&ikm));
	buf_puts(&text, "{\"primaryKeyId\":1,\"key\":[");
	key_entry(&text, 1, "ENABLED", ctr, buf_view(&value));
	buf_puts(&text, "]}");
	WORKS(secret_from(&key, buf_view(&text), &e));
	o.aad = buf_view(&aad);
	for (o.task_bytes = 1; o.task_bytes < 200; o.task_bytes += 150)
		for (unsigned how = 0; how < 4; how++) {
			WORKS(crypt_mem(&got, false, how, buf_view(&file), &key, &o, &e));
			OK(slice_eq(buf_view(&got), buf_view(&plain)));
			for (size_t i = 0; i < file.n; i += 7) {
				struct err e = { 0 };

				file.p[i] ^= 0x10;
				OK(crypt_mem(&got, false, how, buf_view(&file), &key, &o, &e) == -1);
				OK(e.code == EC_REFUSED || e.code == EC_FORMAT);
				file.p[i] ^= 0x10;
			}
			FAILS(crypt_mem(&got, false, how, slice_of(file.p, file.n - 1), &key, &o, &e),
			      plain.n ? EC_REFUSED : EC_FORMAT);	/* shorter than the shortest stream */
		}
}

TEST(vectors_tink_java)
{
	unsigned gcm = 0, ctr = 0;

	NEED_VECTORS;
	AUTO_JSON *root = cases(DIR_TINK, "tink-java-vectors.json");

	for (const struct json *c = json_first(root); c; c = json_next(c)) {
		java_case(c);
		*(strstr(json_string(json_get(c, "type")), "CtrHmac") ? &ctr : &gcm) += 1;
	}
	OK(gcm >= 5);
	OK(ctr >= 4);
}

TEST(vectors_tink_java_example_keyset_is_read)
{
	AUTO_BUF text = { 0 };
	AUTO_KEYSET k = { .n = 0 };

	NEED_VECTORS;
	load_in(&text, DIR_TINK, "tink-java-example-keyset.json");
	WORKS(tink_keyset_parse(&k, buf_view(&text), &e));
	EQ(k.key[0].id, 506873687);
	EQ(k.key[0].dk, 16);
	EQ(k.key[0].seg, 4096);
}

/* --- nonce-prefixed GCM ----------------------------------------------------------------------------------------------- */

TEST(vectors_gcm_nonce_prefix)
{
	AUTO_BUF text = { 0 }, data = { 0 }, want = { 0 }, got = { 0 };
	AUTO_SECRET key = { 0 };
	const struct model_opts o = { .format = "gcm", .task_bytes = 512 };
	char hex[65];

	NEED_VECTORS;
	load_in(&text, DIR_GCM, "key.bin");
	load_in(&data, DIR_GCM, "model.bin.enc");
	load_in(&want, DIR_GCM, "model.bin.sha256");
	WORKS(secret_from(&key, buf_view(&text), &e));
	for (unsigned how = 0; how < 4; how++) {
		WORKS(crypt_mem(&got, false, how, buf_view(&data), &key, &o, &e));
		hex_of_sha256(hex, buf_view(&got));
		MEM(hex, want.p, 64);
	}
	FAILS(crypt_mem(&got, false, 0, buf_view(&data), &key, &(const struct model_opts){ 0 }, &e), EC_FORMAT);
	buf_reset(&data);
	load_in(&data, DIR_GCM, "bad-tag.enc");
	for (unsigned how = OUT_STREAM; how < 4; how++) {
		FAILS(crypt_mem(&got, false, how, buf_view(&data), &key, &o, &e), EC_REFUSED);
		EQ(got.n, 0);
	}
}
