/* SPDX-License-Identifier: Apache-2.0 */
/* What openssl enc may have written, binary or base64, and the key files it comes with. */
#include "model/openssl_enc.h"
#include "model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const ciphers[] = { "aes-256-cbc", "aes-128-ctr", "aes-192-cfb", "aes-256-ofb" };
	AUTO_SECRET key = { 0 };
	AUTO_BUF back = { 0 };
	struct model_opts o = { .format = "openssl-enc", .iter = 1, .insecure_unauthenticated = true, .threads = 1 };
	struct slice pass = { 0 };
	size_t key_n;

	if (n < 3)
		return 0;
	o.cipher = ciphers[p[0] & 3];
	o.pass_file_rules = p[0] & 4;
	o.task_bytes = 1 + p[1];
	key_n = p[2] < n - 3 ? p[2] : n - 3;
	if (!openssl_pass_kfile(&pass, slice_of(p + 3, key_n), NULL) && (pass.n < 2 || pass.n > 127 || memchr(pass.p, 0, pass.n)))
		__builtin_trap();
	if (!openssl_pass_file(&pass, slice_of(p + 3, key_n), NULL) && (pass.n > 1023 || (pass.n && memchr(pass.p, '\n', pass.n))))
		__builtin_trap();
	if (secret_from(&key, p[0] & 16 ? SLICE("pass phrase") : slice_of(p + 3, key_n), NULL))
		return 0;
	in_memory(&back, false, p[0] & 8, slice_of(p + 3 + key_n, n - 3 - key_n), &key, &o);
	return 0;
}
