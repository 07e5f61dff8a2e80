/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded exchange with a guest driver that somebody hands in with --sysroot. */
#include "codec/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct recording *r = NULL;
	struct err e = { 0 };
	uint8_t mem[1088] = { 0 };

	if (recording_open(&r, slice_of(p, n), &e))
		return 0;
	for (uint32_t request = 0; request < 8; request++)
		recording_call(r, request, mem, sizeof mem);
	recording_close(r);
	return 0;
}
