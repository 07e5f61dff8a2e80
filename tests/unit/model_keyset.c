/* SPDX-License-Identifier: Apache-2.0 */
/* Tink keysets: JSON and binary, several keys, and what is not one. */

#include "model.h"

static void value_of(struct buf *ret, uint8_t fill)
{
	uint8_t ikm[32];

	memset(ikm, fill, sizeof ikm);
	key_value(ret, 64, 32, 3, 0, 0, slice_of(ikm, sizeof ikm));
}

static void three_keys(struct buf *ret, const char *s1, const char *s2, const char *s3, uint32_t primary)
{
	AUTO_BUF v = { 0 };
	const char *const status[] = { s1, s2, s3 };

	buf_reset(ret);
	buf_printf(ret, " \n{\"primaryKeyId\":%u,\"key\":[", primary);
	for (uint8_t i = 0; i < 3; i++) {
		buf_reset(&v);
		value_of(&v, (uint8_t)(i + 1));
		if (i)
			buf_byte(ret, ',');
		key_entry(ret, i + 1u, status[i], false, buf_view(&v));
	}
	buf_puts(ret, "]}\n");
}

static int parse(struct slice text, struct err *e)
{
	AUTO_KEYSET k = { .n = 0 };

	return tink_keyset_parse(&k, text, e);
}

TEST(keyset_json_gives_enabled_keys_primary_first)
{
	AUTO_KEYSET k = { .n = 0 };
	AUTO_BUF text = { 0 };

	three_keys(&text, "ENABLED", "DISABLED", "ENABLED", 3);
	WORKS(tink_keyset_parse(&k, buf_view(&text), &e));
	EQ(k.n, 2);
	EQ(k.key[0].id, 3);
	EQ(k.key[1].id, 1);
	EQ(k.key[0].ikm.p[0], 3);
	EQ(k.key[1].ikm.p[31], 1);
	EQ(k.key[0].seg, 64);
	EQ(k.key[0].hkdf, HASH_SHA256);
}

TEST(keyset_without_an_enabled_primary_is_refused)
{
	AUTO_BUF text = { 0 };

	three_keys(&text, "ENABLED", "ENABLED", "DISABLED", 3);
	FAILS(parse(buf_view(&text), &e), EC_FORMAT);
	three_keys(&text, "ENABLED", "ENABLED", "ENABLED", 4);
	FAILS(parse(buf_view(&text), &e), EC_FORMAT);
	three_keys(&text, "ENABLED", "ENABLED", "ENABLEDX", 1);
	FAILS(parse(buf_view(&text), &e), EC_FORMAT);
	three_keys(&text, "ENABLED", "ENABLED", "DESTROYED", 1);
	WORKS(parse(buf_view(&text), &e));
}

TEST(keyset_ids_may_be_strings_and_status_a_number)
{
	AUTO_BUF text = { 0 }, v = { 0 };

	value_of(&v, 1);
	buf_puts(&text, "{\"primaryKeyId\":\"4294967295\",\"key\":[{\"keyData\":{\"typeUrl\":"
		 "\"type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey\",\"value\":\"");
	b64_encode(&text, buf_view(&v));
	buf_puts(&text, "\",\"keyMaterialType\":\"SYMMETRIC\"},\"status\":1,\"keyId\":4294967295,\"outputPrefixType\":\"TINK\"}]}");
	WORKS(parse(buf_view(&text), &e));
	text.p[17] = 'x';
	FAILS(parse(buf_view(&text), &e), EC_FORMAT);
}

static void binary(struct buf *ret, uint8_t status, const char *type, struct slice value)
{
	AUTO_BUF data = { 0 }, key = { 0 };

	buf_reset(ret);
	buf_put(&data, (uint8_t[]){ 0x0a, (uint8_t)strlen(type) }, 2);
	buf_puts(&data, type);
	buf_put(&data, (uint8_t[]){ 0x12, (uint8_t)value.n }, 2);
	buf_slice(&data, value);
	buf_put(&data, (uint8_t[]){ 0x18, 1 }, 2);
	buf_put(&key, (uint8_t[]){ 0x0a, (uint8_t)data.n }, 2);
	buf_slice(&key, buf_view(&data));
	buf_put(&key, (uint8_t[]){ 0x10, status, 0x18, 5, 0x20, 3, 0x7d, 1, 2, 3, 4 }, 11);	/* an unknown fixed32 behind */
	buf_put(ret, (uint8_t[]){ 0x08, 5, 0x12, (uint8_t)key.n, 0x01 }, 4);
	if (key.n > 127) {
		ret->n--;
		buf_put(ret, (uint8_t[]){ (uint8_t)(key.n & 0x7f) | 0x80, (uint8_t)(key.n >> 7) }, 2);
	}
	buf_slice(ret, buf_view(&key));
}

#define GCM_TYPE "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"

TEST(keyset_binary_is_read_and_every_cut_is_refused)
{
	AUTO_KEYSET k = { .n = 0 };
	AUTO_BUF text = { 0 }, v = { 0 };

	value_of(&v, 9);
	binary(&text, 1, GCM_TYPE, buf_view(&v));
	WORKS(tink_keyset_parse(&k, buf_view(&text), &e));
	EQ(k.n, 1);
	EQ(k.key[0].id, 5);
	EQ(k.key[0].ikm.n, 32);
	for (size_t n = 0; n < text.n; n++)
		FAILS(parse(slice_of(text.p, n), &e), EC_FORMAT);
	binary(&text, 2, GCM_TYPE, buf_view(&v));
	FAILS(parse(buf_view(&text), &e), EC_FORMAT);
}

TEST(keyset_of_another_kind_is_named)
{
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	binary(&text, 1, "type.googleapis.com/google.crypto.tink.AesGcmKey", SLICE("x"));
	EQ(parse(buf_view(&text), &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "AesGcmKey");
	EQ(parse(SLICE("{\"encryptedKeyset\":\"AAAA\"}"), &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "encrypted");
}

static int with_params(uint32_t seg, uint8_t dk, uint8_t hkdf_enum, uint8_t mac, uint8_t tag, size_t ikm_n, struct err *e)
{
	AUTO_BUF text = { 0 }, v = { 0 };
	uint8_t ikm[64] = { 1 };

	key_value(&v, seg, dk, hkdf_enum, mac, tag, slice_of(ikm, ikm_n));
	buf_puts(&text, "{\"primaryKeyId\":1,\"key\":[");
	key_entry(&text, 1, "ENABLED", mac, buf_view(&v));
	buf_puts(&text, "]}");
	return parse(buf_view(&text), e);
}

TEST(keyset_parameters_outside_tinks_limits_are_refused)
{
	WORKS(with_params(57, 32, 3, 0, 0, 32, &e));
	FAILS(with_params(56, 32, 3, 0, 0, 32, &e), EC_FORMAT);		/* no room for one byte of plaintext */
	FAILS(with_params(0, 32, 3, 0, 0, 32, &e), EC_FORMAT);
	FAILS(with_params(4096, 24, 3, 0, 0, 32, &e), EC_FORMAT);
	FAILS(with_params(4096, 32, 2, 0, 0, 32, &e), EC_FORMAT);	/* SHA384 */
	FAILS(with_params(4096, 32, 9, 0, 0, 32, &e), EC_FORMAT);
	FAILS(with_params(4096, 32, 3, 0, 0, 31, &e), EC_FORMAT);	/* main key shorter than the derived one */
	FAILS(with_params(4096, 16, 3, 0, 0, 15, &e), EC_FORMAT);
	WORKS(with_params(4096, 16, 1, 0, 0, 16, &e));
	FAILS(with_params(UINT32_MAX, 32, 3, 0, 0, 32, &e), EC_ABSENT);
	WORKS(with_params(4096, 32, 3, 1, 20, 32, &e));
	FAILS(with_params(4096, 32, 3, 1, 21, 32, &e), EC_FORMAT);	/* longer than SHA-1 */
	FAILS(with_params(4096, 32, 3, 3, 9, 32, &e), EC_FORMAT);
}

TEST(keyset_garbage_is_refused)
{
	FAILS(parse(SLICE(""), &e), EC_FORMAT);
	FAILS(parse(SLICE("\x08\x05"), &e), EC_FORMAT);
	FAILS(parse(SLICE("\x08"), &e), EC_FORMAT);
	FAILS(parse(SLICE("{}"), &e), EC_FORMAT);
	FAILS(parse(SLICE("{\"primaryKeyId\":1,\"key\":[]}"), &e), EC_FORMAT);
	FAILS(parse(SLICE("{\"primaryKeyId\":1,\"key\":[1]}"), &e), EC_FORMAT);
	FAILS(parse(SLICE("{\"primaryKeyId\":1,\"key\":{}}"), &e), EC_FORMAT);
	FAILS(parse(SLICE("{\"primaryKeyId\":-1,\"key\":[]}"), &e), EC_FORMAT);
	FAILS(parse(SLICE("0123456789abcdef0123456789abcdef"), &e), EC_FORMAT);	/* a raw key */
	FAILS(parse(SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &e), EC_FORMAT);
}

TEST(keyset_new_is_fresh_and_reads_back)
{
	AUTO_SECRET a = { 0 }, b = { 0 };
	AUTO_KEYSET k = { .n = 0 }, l = { .n = 0 };

	WORKS(model_new_key(&a, &e));
	WORKS(model_new_key(&b, &e));
	WORKS(tink_keyset_parse(&k, secret_view(&a), &e));
	WORKS(tink_keyset_parse(&l, secret_view(&b), &e));
	EQ(k.key[0].seg, 1 << 20);
	EQ(k.key[0].dk, 32);
	EQ(k.key[0].ikm.n, 32);
	OK(!secret_eq(&k.key[0].ikm, secret_view(&l.key[0].ikm)));
}

TEST(keyset_with_several_keys_finds_the_one_that_opens_the_file)
{
	AUTO_SECRET set = { 0 }, second = { 0 };
	AUTO_BUF text = { 0 }, file = { 0 }, got = { 0 };
	const struct model_opts o = { .task_bytes = 1 };
	struct model_info info = { 0 };
	const struct model_opts oi = { .task_bytes = 1, .info = &info };

	three_keys(&text, "ENABLED", "ENABLED", "ENABLED", 2);
	WORKS(secret_from(&second, buf_view(&text), &e));
	three_keys(&text, "ENABLED", "ENABLED", "ENABLED", 3);
	WORKS(secret_from(&set, buf_view(&text), &e));
	WORKS(crypt_mem(&file, true, 0, SLICE("made with key 2, and longer than one segment of 64 bytes"), &second, &o, &e));
	for (unsigned how = 0; how < 4; how++)
		WORKS(crypt_mem(&got, false, how, buf_view(&file), &set, &oi, &e));
	EQ(info.key_id, 2);
	three_keys(&text, "ENABLED", "DISABLED", "ENABLED", 3);
	WORKS(secret_from(&set, buf_view(&text), &e));
	FAILS(crypt_mem(&got, false, 0, buf_view(&file), &set, &o, &e), EC_REFUSED);
}
