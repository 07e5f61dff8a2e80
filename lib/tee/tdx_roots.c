/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's root of trust: see tdx_roots.h. */

#include "tee/tdx_roots.h"

const uint8_t intel_root_key[32] = {
	0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91, 0x86, 0x06, 0x8a, 0x7f, 0xc1,
	0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35, 0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e
};

bool intel_root_is(const struct cert *c, const uint8_t *key)
{
	uint8_t own[32];
	AUTO_PUBKEY k = { 0 };
	struct err e = { 0 };

	/* its own signature too: else anyone could wrap Intel's key into a certificate with other dates */
	return c->is_ca && slice_eq(c->subject, c->issuer) && !cert_key_sha256(own, c, &e) &&
	       !memcmp(own, key ? key : intel_root_key, sizeof own) && !cert_public(&k, c, &e) && !cert_signed_by(c, &k, &e);
}
