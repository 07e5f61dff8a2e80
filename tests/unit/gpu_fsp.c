/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/fsp.h"

#include "gpu_model.h"
#include "test.h"

struct bench {
	struct model m;
	struct mmio io;
	struct host h;
	struct fsp f;
};
#define AUTO_BENCH __attribute__((cleanup(take_down))) struct bench

static void set_up(struct bench *b, enum gpu_chip chip, uint32_t faults)
{
	const struct gpu_regs *r = NULL;

	model_init(&b->m, chip, "0000:41:00.0");
	b->io = model_mmio(&b->m, true);
	host_init(&b->h);
	WORKS(gpu_regs_of(&r, &b->io, &b->m.pci, &e));
	b->m.faults = faults;
	b->m.log_registers = true;
	b->f = (struct fsp){ .m = &b->io, .r = r, .h = &b->h };
}

static void take_down(struct bench *b)
{
	mmio_close(&b->io);
	model_free(&b->m);
}

static const enum gpu_chip chips[] = { CHIP_HOPPER, CHIP_BLACKWELL_GB10X, CHIP_BLACKWELL_GB20X, CHIP_LS10 };
#define EACH_CHIP(c) (size_t c = 0; c < sizeof chips / sizeof chips[0]; c++)

TEST(fsp_reads_and_writes_knobs_on_every_chip)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		uint16_t v = 7;
		bool known = false;

		set_up(&b, chips[c], 0);
		b.m.pending[KNOB_CCM] = 3;
		WORKS(fsp_read_knob(&v, &known, &b.f, KNOB_CCM, &e));
		EQ(v, 3);		/* although the upper half of the word is garbage */
		OK(known);
		WORKS(fsp_write_knob(&b.f, KNOB_CCM, 1, &e));
		EQ(b.m.pending[KNOB_CCM], 1);
		EQ(b.m.active[KNOB_CCM], 0);
		WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e));
		EQ(v, 1);
		for (int k = 1; k < 48; k++) {
			WORKS(fsp_read_knob(&v, &known, &b.f, (enum knob)k, &e));
			EQ(v, b.m.pending[k]);
		}
		EQ(b.m.requests, 50);
	}
}
