/* SPDX-License-Identifier: Apache-2.0 */
/* A Tink stream.  The first byte picks: the rest is a file as it comes from a store, or a plaintext that is encrypted,
 * opened again (has to be the same), and opened after one change (has to be refused). */
#include "model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* AES256-GCM-HKDF with segments of 64 bytes, and AES128-CTR-HMAC with segments of 80. */
static const char gcm[] = "{\"primaryKeyId\":1,\"key\":[{\"keyData\":{\"typeUrl\":\"type.googleapis.com/google.crypto.tink."
	"AesGcmHkdfStreamingKey\",\"value\":\"EgYIQBAgGAMaIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\",\"keyMaterialType\":"
	"\"SYMMETRIC\"},\"status\":\"ENABLED\",\"keyId\":1,\"outputPrefixType\":\"RAW\"}]}";
static const char ctr[] = "{\"primaryKeyId\":1,\"key\":[{\"keyData\":{\"typeUrl\":\"type.googleapis.com/google.crypto.tink."
	"AesCtrHmacStreamingKey\",\"value\":\"EgwIUBAQGAMiBAgDEBAaEAEBAQEBAQEBAQEBAQEBAQE=\",\"keyMaterialType\":"
	"\"SYMMETRIC\"},\"status\":\"ENABLED\",\"keyId\":1,\"outputPrefixType\":\"RAW\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 }, back = { 0 };
	struct model_opts o = { .format = "tink", .threads = 1 };
	size_t at;

	if (n < 4)
		return 0;
	o.task_bytes = 1 + p[1] * 4u;
	if (secret_from(&key, slice_str(p[0] & 1 ? ctr : gcm), NULL))
		return 0;
	if (p[0] & 3) {
		in_memory(&back, false, p[0] & 4, slice_of(p + 4, n - 4), &key, &o);
		return 0;
	}
	if (in_memory(&file, true, p[0] & 8, slice_of(p + 4, n - 4), &key, &o) ||
	    in_memory(&back, false, p[0] & 4, buf_view(&file), &key, &o) || !slice_eq(buf_view(&back), slice_of(p + 4, n - 4)))
		__builtin_trap();
	at = (p[2] | (size_t)p[3] << 8) % file.n;
	if (p[0] & 16)
		file.n = at;
	else
		file.p[at] ^= (uint8_t)(1 << (p[0] >> 5));
	if (!in_memory(&back, false, p[0] & 4, buf_view(&file), &key, &o))
		__builtin_trap();
	return 0;
}
