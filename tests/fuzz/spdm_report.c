/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation reports of NVIDIA devices: what is read lies inside the input and adds up; what is cut or has a rest is refused. */

#include "codec/hex64.h"
#include "gpu/spdm.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void inside(struct slice s, const uint8_t *p, size_t n)
{
	if (s.n && (s.p < p || s.p + s.n > p + n))
		__builtin_trap();
}

static void one(const uint8_t *p, size_t n)
{
	struct spdm_report r, again;
	struct opaque o;
	size_t blocks = 0, size;

	spdm_recognise(slice_of(p, n));
	if (spdm_parse(&r, slice_of(p, n), NULL))
		return;
	inside(r.opaque, p, n);
	inside(r.nonce, p, n);
	inside(r.signed_part, p, n);
	for (size_t i = 0; i < SPDM_BLOCKS_MAX; i++) {
		inside(r.block[i].value, p, n);
		blocks += r.block[i].present;
	}
	size = r.signed_part.n + r.signature.n;
	if (blocks != r.n_blocks || r.signed_part.p != p || r.signature.p != p + r.signed_part.n || size > n)
		__builtin_trap();
	if (spdm_parse(&again, slice_of(p, size), NULL) || !spdm_parse(&again, slice_of(p, size - 1), NULL))
		__builtin_trap();
	opaque_parse(&o, r.opaque, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice text = slice_trim(slice_of(p, n));
	AUTO_BUF raw = { 0 };

	one(p, n);
	if (hex_is(text) && !hex_decode(&raw, text, NULL))	/* as the vectors are */
		one(raw.p, raw.n);
	return 0;
}
