/* SPDX-License-Identifier: Apache-2.0 */
/* A keyset, JSON or protobuf, as a key source may give it. */
#include "model/tink_keyset.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_KEYSET k = { .n = 0 };
	struct err e = { 0 };

	tink_keyset_like(slice_of(p, n));
	if (tink_keyset_parse(&k, slice_of(p, n), &e))
		return 0;
	if (!k.n)
		__builtin_trap();
	for (size_t i = 0; i < k.n; i++)	/* what was accepted has room for at least a byte in a segment */
		if (k.key[i].seg <= tink_header_size(&k.key[i]) + k.key[i].tag || k.key[i].ikm.n < 16)
			__builtin_trap();
	return 0;
}
