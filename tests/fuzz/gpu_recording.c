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
	if (rm_cc(&cc, rm, &e) == 0 && rm_card_count(rm) && rm_attach(&gpu, rm, rm_card_at(rm, 0), &e) == 0) {
		const uint8_t nonce[32] = { 1, 2, 3 };
		struct rm_evidence ev = { 0 };

		if (rm_evidence(&ev, rm, &gpu, &cc, nonce, &e) == 0 && !cc.feature && !cc.multi_gpu)
			abort();
		rm_evidence_free(&ev);
	}
	rm_close(rm);
	return 0;
}
