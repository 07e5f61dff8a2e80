/* SPDX-License-Identifier: Apache-2.0 */
/* TPMT_PUBLIC and TPMT_SIGNATURE: read, turned into keys and names, and never a signature that holds. */
#include "tee/tpm_wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const size_t half = n > 2 ? (size_t)(p[0] | p[1] << 8) % (n - 1) : 0;
	AUTO_PUBKEY key = { 0 };
	AUTO_BUF name = { 0 };
	struct tpm_public pub;
	struct tpm_signature s;
	struct err e = { 0 };

	if (n <= 2)
		return 0;
	p += 2;
	n -= 2;
	if (!tpm_public_parse(&pub, slice_of(p, half < n ? half : n), &e)) {
		tpm_public_attests(&pub, &e);
		tpm_public_name(&name, &pub, &e);
		if (tpm_public_key(&key, &pub, &e))
			key.type = KEY_NONE;
	}
	if (half < n && !tpm_signature_parse(&s, slice_of(p + half, n - half), &e) && key.type != KEY_NONE &&
	    !tpm_signature_verify(&s, &key, SLICE("nobody signed this"), &e) && key.type != KEY_RSA)
		abort();	/* RSA keys of the input's own making can be weak */
	return 0;
}
