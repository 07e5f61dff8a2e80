/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind a signature (payloads, statements), and bundles, which are read to find the signature.  No input is ever accepted
 * for a key that signed nothing. */
#include "codec/hex64.h"
#include "image/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The generator of P-256: a public key nobody signs with here. */
static int any_key(struct pubkey *ret)
{
	uint8_t x[32], y[32];

	if (hex_decode_n(x, 32, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296", NULL) ||
	    hex_decode_n(y, 32, "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5", NULL))
		return -1;
	return pubkey_from_ec(ret, KEY_EC_P256, slice_of(x, 32), slice_of(y, 32), NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct pubkey key;
	AUTO_CLAIM a = { .name = NULL }, b = { .name = NULL }, c = { .name = NULL };
	struct signature s = { .kind = &sig_kind_bundle };
	struct chain chain = { .n = 1 };

	if (!key.ctx && any_key(&key))
		__builtin_trap();
	if (!cosign_payload_parse(&a, slice_of(p, n), NULL)) {
		if (a.image.h == HASH_NONE || !a.name)
			__builtin_trap();
		chain.v[0].digest = a.image;
	}
	bundle_statement_parse(&b, slice_of(p, n), &chain, NULL);
	buf_slice(&s.body, slice_of(p, n));
	if (!s.kind->check(&c, &s, &key, &chain, NULL))
		__builtin_trap();
	buf_free(&s.body);
	return 0;
}
