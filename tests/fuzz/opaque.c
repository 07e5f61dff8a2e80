/* SPDX-License-Identifier: Apache-2.0 */
/* Opaque data of reports, both layouts: entries and their heads fill the input exactly, in order. */

#include "gpu/spdm.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *at = p;
	struct opaque o;

	if (opaque_parse(&o, slice_of(p, n), NULL))
		return 0;
	at += o.versioned ? 12 : 0;
	for (size_t i = 0; i < o.n; i++) {
		at += o.versioned ? 6 : 4;
		if (o.v[i].data.n && o.v[i].data.p != at)
			__builtin_trap();
		at += o.v[i].data.n;
		opaque_name(o.v[i].type);
		if (!opaque_find(&o, (enum opaque_type)o.v[i].type))
			__builtin_trap();
	}
	if (at != p + n)
		__builtin_trap();
	return 0;
}
