/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEST_MODEL_H
#define CVMBOX_TEST_MODEL_H

/* What the tests of lib/model share: keysets with segments small enough to try everything, and containers opened and made
 * in memory. */

#include <sys/mman.h>
#include <unistd.h>

#include "base/host.h"
#include "codec/hex64.h"
#include "model/file.h"
#include "model/tink_keyset.h"
#include "test.h"

enum { IN_STREAM = 1, OUT_STREAM = 2 };

/* Value message of a streaming key; hmac 0: AES-GCM-HKDF. */
static inline void key_value(struct buf *ret, uint32_t seg, uint8_t dk, uint8_t hkdf_enum, uint8_t hmac_enum, uint8_t tag,
			     struct slice ikm)
{
	AUTO_BUF params = { 0 };

	buf_byte(&params, 0x08);
	for (uint32_t v = seg; ; v >>= 7) {
		buf_byte(&params, (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0)));
		if (v <= 0x7f)
			break;
	}
	buf_put(&params, (uint8_t[]){ 0x10, dk, 0x18, hkdf_enum }, 4);
	if (hmac_enum)
		buf_put(&params, (uint8_t[]){ 0x22, 4, 0x08, hmac_enum, 0x10, tag }, 6);
	buf_byte(ret, 0x12);
	buf_byte(ret, (uint8_t)params.n);
	buf_slice(ret, buf_view(&params));
	buf_byte(ret, 0x1a);
	buf_byte(ret, (uint8_t)ikm.n);
	buf_slice(ret, ikm);
}

static inline void key_entry(struct buf *ret, uint32_t id, const char *status, bool ctr, struct slice value)
{
	buf_printf(ret, "{\"keyData\":{\"typeUrl\":\"type.googleapis.com/google.crypto.tink.%s\",\"value\":\"",
		   ctr ? "AesCtrHmacStreamingKey" : "AesGcmHkdfStreamingKey");
	b64_encode(ret, value);
	buf_printf(ret, "\",\"keyMaterialType\":\"SYMMETRIC\"},\"status\":\"%s\",\"keyId\":%u,\"outputPrefixType\":\"RAW\"}",
		   status, id);
}

/* Keyset of one key whose main key is 32 bytes of 'fill'. */
static inline void one_key(struct secret *ret, uint32_t seg, uint8_t fill, uint8_t hmac_enum)
{
	AUTO_BUF value = { 0 }, text = { 0 };
	uint8_t ikm[32];

	memset(ikm, fill, sizeof ikm);
	key_value(&value, seg, 32, 3, hmac_enum, 32, slice_of(ikm, sizeof ikm));
	buf_printf(&text, "{\"primaryKeyId\":7,\"key\":[");
	key_entry(&text, 7, "ENABLED", hmac_enum, buf_view(&value));
	buf_puts(&text, "]}");
	WORKS(secret_from(ret, buf_view(&text), &e));
}

static inline void fill_pattern(struct buf *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_byte(ret, (uint8_t)(i * 131 + i / 251));
}

/* ret takes what arrived at the output, also on failure. */
static inline int crypt_mem(struct buf *ret, bool seal, unsigned how, struct slice data, const struct secret *key,
			    const struct model_opts *o, struct err *e)
{
	AUTO_PIPELINE *p = NULL;
	AUTO_INPUT in = { 0 };
	AUTO_FD out = memfd_create("test", MFD_CLOEXEC);
	uint64_t size;
	int rc;

	input_mem(&in, data, !(how & IN_STREAM), "in");
	if (out < 0 || pipeline_new(&p, o, e))
		return -1;
	rc = seal ? model_encrypt_input(&size, NULL, p, out, how & OUT_STREAM, &in, key, o, e) :
		    model_decrypt_input(&size, p, out, how & OUT_STREAM, &in, key, o, e);
	buf_reset(ret);
	lseek(out, 0, SEEK_SET);
	if (fd_read_all(ret, out, (size_t)1 << 30, NULL))
		test_fail(__FILE__, __LINE__, "cannot read back");
	if (!rc && size != ret->n)
		test_fail(__FILE__, __LINE__, "size is %llu, %zu bytes arrived", (unsigned long long)size, ret->n);
	return rc;
}

#endif
