/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as gzip, in pieces of a size that the first byte gives; the limits hold whatever comes. */
#include "codec/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int count(void *arg, struct slice out, struct err *e)
{
	uint64_t *total = arg;

	(void)e;
	*total += out.n;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct inflate_limits lim = { 1 << 20, 50, 4096 };
	AUTO_INFLATE f = { 0 };
	uint64_t total = 0;
	struct slice in = { p, n };
	const size_t piece = n ? 1u + *p : 1;

	if (inflate_init(&f, &lim, count, &total, NULL))
		return 0;
	while (in.n) {
		const size_t k = piece < in.n ? piece : in.n;

		if (inflate_add(&f, slice_of(in.p, k), NULL))
			break;
		in = slice_of(in.p + k, in.n - k);
	}
	inflate_end(&f, NULL);
	if (total > lim.max_out || total > lim.free_out + lim.max_ratio * (n + 1))
		__builtin_trap();
	return 0;
}
