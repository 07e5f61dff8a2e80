/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded exchange that somebody hands in with --sysroot. */
#include "gpu/rm.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rm_port port;
	struct rm_gpu gpu;
	struct rm_gpu_info info;
	struct rm_cc cc;
	struct rm *rm = NULL;
	struct err e = { 0 };
	struct host h;

	host_init(&h);
	h.deadline_ms = host_mono_ms() + 20;	/* a recording may say "busy" for ever */
	if (rm_replay_open(&port, NULL, slice_of(p, n), &e) || rm_open_port(&rm, &port, &h, &e))
		return 0;
	for (size_t i = 0; i < rm_card_count(rm); i++)
		if (rm_attach(&gpu, rm, rm_card_at(rm, i), &e) == 0)
			rm_gpu_info(&info, rm, &gpu, &e);
	rm_cc(&cc, rm, &e);
	rm_close(rm);
	return 0;
}
