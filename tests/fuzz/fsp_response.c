/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a device may answer: registers, queue pointers, sizes and words come from the input, on every chip and under every fault of the model.  Its
 * clock is virtual, so a wait takes no time and one without end shows. */
#include <stdlib.h>

#include "base/cursor.h"
#include "gpu_model.c"	/* a fuzz target is one object */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define STEP_US 60000000	/* what one call may wait, of the device's time */

/* Longer steps than were asked for: a poll of 5 s in steps of 1 ms would be all that the fuzzer does. */
static void sleep_long(void *arg, unsigned ms)
{
	((struct use *)arg)->m->now_us += (int64_t)(ms + 400) * 1000;
}

static void in_time(const struct model *m, int64_t start)
{
	if (m->now_us - start > STEP_US)
		abort();
}

static void knobs(struct model *m, struct fsp *f, struct rd *r)
{
	for (int i = 0; i < 6; i++) {
		const int64_t start = m->now_us;
		const enum knob k = (enum knob)rd_u8(r);
		struct err e = { 0 };
		uint16_t v = 0xabcd;
		bool known = true;
		const int rc = k & 1 ? fsp_write_knob(f, KNOB_CCM, (uint16_t)k, &e) : fsp_read_knob(&v, &known, f, k, &e);

		if (rc && (v != 0xabcd || !e.msg[0] || e.code == EC_OK || e.code == EC_BUG))
			abort();
		in_time(m, start);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const enum gpu_chip chips[] = { CHIP_HOPPER, CHIP_BLACKWELL_GB10X, CHIP_BLACKWELL_GB20X, CHIP_LS10 };
	struct rd in = rd_of(slice_of(p, n));
	const struct gpu_regs *r = NULL;
	struct hw_state s;
	struct model m;
	struct mmio io;
	struct host h;

	host_init(&h);
	model_init(&m, chips[rd_u8(&in) % 4], "0000:41:00.0");
	io = model_mmio(&m, true);
	io.sleep_ms = sleep_long;
	const bool from_start = rd_u8(&in) & 1;
	const uint32_t faults = rd_le32(&in);
	struct rd ops = rd_of(rd_take(&in, 6));

	for (int quiet = !from_start; quiet >= 0 && !r; quiet--) {	/* a chip that is known, so that what is behind it is reached */
		const int64_t start = m.now_us;

		m.noise = quiet ? NULL : in.p;
		m.noise_left = quiet ? 0 : rd_left(&in);
		gpu_regs_of(&r, &io, &m.pci, NULL);
		in_time(&m, start);
	}
	if (r) {
		struct fsp f = { .m = &io, .r = r, .h = &h };
		const int64_t start = m.now_us;

		m.noise = in.p;
		m.noise_left = rd_left(&in);
		m.faults = faults & ~(uint32_t)(MODEL_GONE | MODEL_BLOCKED | MODEL_SEC_FAULT);
		knobs(&m, &f, &ops);
		if (io.reset(io.arg, NULL) == 0)
			gpu_wait_boot(&io, r, &h, NULL);
		gpu_hw_state(&s, &io, r, NULL);
		in_time(&m, start + 6 * (int64_t)STEP_US);
	}
	mmio_close(&io);
	model_free(&m);
	return 0;
}
