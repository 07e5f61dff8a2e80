/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/mmio.h"

#include "gpu_model.h"
#include "test.h"

struct bench {
	struct model m;
	struct mmio io;
	struct host h;
};
#define AUTO_BENCH __attribute__((cleanup(take_down))) struct bench

static void set_up(struct bench *b, enum gpu_chip chip, uint32_t faults)
{
	model_init(&b->m, chip, "0000:41:00.0");
	b->m.faults = faults;
	b->m.log_registers = true;
	b->io = model_mmio(&b->m, true);
	host_init(&b->h);
}

static void take_down(struct bench *b)
{
	mmio_close(&b->io);
	model_free(&b->m);
}

static const enum gpu_chip chips[] = { CHIP_HOPPER, CHIP_BLACKWELL_GB10X, CHIP_BLACKWELL_GB20X, CHIP_LS10 };
#define EACH_CHIP(c) (size_t c = 0; c < sizeof chips / sizeof chips[0]; c++)

static bool blackwell(enum gpu_chip c)
{
	return c == CHIP_BLACKWELL_GB10X || c == CHIP_BLACKWELL_GB20X;
}

TEST(regs_knows_each_chip_by_its_first_register)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		const struct gpu_regs *r = NULL;
		struct hw_state s;

		set_up(&b, chips[c], 0);
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		EQ(r->chip, chips[c]);
		EQ(r->mnoc, blackwell(chips[c]));
		WORKS(gpu_hw_state(&s, &b.io, r, &e));
		EQ(s.mode, HW_OFF);
		OK(s.booted && !s.ppcie && !s.nvle && !s.bar0_firewall);
		EQ(model_find(&b.m, 'w', 0, 0), -1);
		/* the PCI id says something else: the register wins */
		b.m.pci.device = chips[c] == CHIP_HOPPER ? 0x2901 : 0x2330;
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		EQ(r->chip, chips[c]);
		b.m.pci.device = 0xffff;
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		EQ(r->chip, chips[c]);
	}
	STR(gpu_chip_word(CHIP_BLACKWELL_GB20X), "Blackwell GB20x");
	STR(gpu_chip_word((enum gpu_chip)99), "unknown");
}

TEST(regs_knows_every_die_and_no_other)
{
	static const struct {
		uint32_t boot0;
		enum gpu_chip want;
	} words[] = {
		{ 0x180000a1, CHIP_HOPPER }, { 0x180000a2, CHIP_HOPPER }, { 0x1a0000a1, CHIP_BLACKWELL_GB10X }, { 0x1a2000a1, CHIP_BLACKWELL_GB10X },
		{ 0x1a3000a1, CHIP_BLACKWELL_GB10X }, { 0x1a4000a1, CHIP_BLACKWELL_GB10X }, { 0x1b2000a1, CHIP_BLACKWELL_GB20X },
		{ 0x1b3000a1, CHIP_BLACKWELL_GB20X }, { 0x1b5000a1, CHIP_BLACKWELL_GB20X }, { 0x1b6000a1, CHIP_BLACKWELL_GB20X },
		{ 0x1b7000a1, CHIP_BLACKWELL_GB20X },
		{ 0x170000a1, CHIP_UNKNOWN },	/* Ampere */
		{ 0x192000a1, CHIP_UNKNOWN },	/* Ada */
		{ 0x181000a1, CHIP_UNKNOWN }, { 0x1ab000a1, CHIP_UNKNOWN }, { 0x1c0000a1, CHIP_UNKNOWN }, { 0x180001a1, CHIP_UNKNOWN },
		{ 0x380000a1, CHIP_UNKNOWN }, { 0x007000a1, CHIP_UNKNOWN }, { 1, CHIP_UNKNOWN },
	};
	const struct gpu_regs *r = NULL;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		AUTO_BENCH b;
		struct err e = { 0 };

		set_up(&b, words[i].want ? words[i].want : CHIP_HOPPER, 0);
		b.m.boot0 = words[i].boot0;
		if (words[i].want) {
			WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
			EQ(r->chip, words[i].want);
			b.m.pci.is_switch = true;	/* a GPU's register in a switch */
		}
		EQ(gpu_regs_of(&r, &b.io, &b.m.pci, &e), -1);
		EQ(e.code, EC_ABSENT);
		HAS(e.msg, "has no confidential mode that is known here");
		HAS(e.msg, "'0000:41:00.0': ");
	}
}

static void refuses(enum gpu_chip chip, uint32_t faults, enum ec code, const char *words)
{
	AUTO_BENCH b;
	const struct gpu_regs *r = NULL;
	struct err e = { 0 };

	set_up(&b, chip, faults);
	EQ(gpu_regs_of(&r, &b.io, &b.m.pci, &e), -1);
	EQ(e.code, code);
	HAS(e.msg, words);
	if (strstr(words, "lost"))
		HAS(e.hint, "/sys/bus/pci/devices/0000:41:00.0/remove");
	OK(!r);
	OK(b.m.now_us < 10 * 1000000);
}

TEST(regs_says_why_a_device_does_not_answer)
{
	for EACH_CHIP(c) {
		refuses(chips[c], MODEL_GONE, EC_IO, blackwell(chips[c]) ? "all ones" : "PMC_BOOT_0 reads all ones: the device is lost");
		refuses(chips[c], MODEL_BLOCKED, EC_IO, "its registers are blocked (PMC_BOOT_0 reads 0xbadf1100)");
		refuses(chips[c], MODEL_RECOVERY, EC_IO, "the device is in recovery: its firmware did not start");
		refuses(chips[c], MODEL_SEC_FAULT, EC_IO, chips[c] == CHIP_LS10 ? "its registers are blocked (PMC_BOOT_0 reads 0xbadf0200)" :
			"security fault 0x2a: its registers are locked (PMC_BOOT_0 reads 0xbadf0200)");
	}
}

TEST(regs_waits_for_the_firewall_of_blackwell)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		const struct gpu_regs *r = NULL;

		set_up(&b, chips[c], 0);
		WORKS(b.io.reset(b.io.arg, &e));
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		if (blackwell(chips[c])) {	/* asked in configuration space first: BAR0 would read ones */
			OK(model_find(&b.m, 'c', 0x208, 0) >= 0);
			OK(model_find(&b.m, 'r', 0, 0) > model_find(&b.m, 'c', 0x208, 2));
		}
	}
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		const struct gpu_regs *r = NULL;
		struct err e = { 0 };

		if (!blackwell(chips[c]))
			continue;
		set_up(&b, chips[c], MODEL_FIREWALL);
		WORKS(b.io.reset(b.io.arg, &e));
		EQ(gpu_regs_of(&r, &b.io, &b.m.pci, &e), -1);
		EQ(e.code, EC_IO);
		HAS(e.msg, "its BAR firewall is still up after 5 s");
		b.m.faults = MODEL_NO_DVSEC;	/* all ones for a while, then it answers; or it does not */
		b.m.firewall_left = 5;
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		b.m.firewall_left = 100000;
		b.m.now_us = 0;
		EQ(gpu_regs_of(&r, &b.io, &b.m.pci, &e), -1);
		HAS(e.msg, "PMC_BOOT_0 reads all ones: the device is lost");
		OK(b.m.now_us > 2900000 && b.m.now_us < 3200000);
	}
}

TEST(hw_state_is_what_is_active_not_what_is_pending)
{
	for EACH_CHIP(c) {
		static const enum hw_mode modes[] = { HW_OFF, HW_ON, HW_INVALID, HW_DEVTOOLS };

		for (unsigned i = 0; i < 4; i++) {
			AUTO_BENCH b;
			const struct gpu_regs *r = NULL;
			struct hw_state s;

			set_up(&b, chips[c], 0);
			WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
			b.m.pending[KNOB_CCM] = i & 1;
			b.m.pending[KNOB_CCD] = i >> 1;
			b.m.pending[KNOB_PPCIE] = i & 1;
			b.m.pending[KNOB_BAR0] = 2;
			WORKS(gpu_hw_state(&s, &b.io, r, &e));
			EQ(s.mode, HW_OFF);
			OK(!s.ppcie && !s.bar0_firewall);
			WORKS(b.io.reset(b.io.arg, &e));
			WORKS(gpu_wait_boot(&b.io, r, &b.h, &e));
			WORKS(gpu_hw_state(&s, &b.io, r, &e));
			EQ(s.mode, chips[c] == CHIP_LS10 ? HW_OFF : modes[i]);
			EQ(s.ppcie, r->has_ppcie && i & 1);
			EQ(s.bar0_firewall, blackwell(chips[c]));
			OK(s.booted);
		}
	}
}

TEST(hw_state_reads_no_mode_out_of_an_error)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		const struct gpu_regs *r = NULL;
		struct hw_state s = { .mode = HW_DEVTOOLS };
		struct err e = { 0 };

		set_up(&b, chips[c], 0);
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		b.m.faults = MODEL_BLOCKED;
		EQ(gpu_hw_state(&s, &b.io, r, &e), -1);
		EQ(e.code, EC_IO);
		HAS(e.msg, chips[c] == CHIP_LS10 ? "cannot read the protected PCIe register 0x28c50: 0xbadf1100" : "cannot read the mode register 0x");
		b.m.faults = MODEL_GONE;
		EQ(gpu_hw_state(&s, &b.io, r, &e), -1);
		HAS(e.msg, "all ones: the device is lost");
		EQ(s.mode, HW_DEVTOOLS);
		b.m.faults = MODEL_BOOT_NEVER;
		WORKS(gpu_hw_state(&s, &b.io, r, &e));
		OK(!s.booted);
	}
}

TEST(wait_boot_waits_and_gives_up_in_words)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		const struct gpu_regs *r = NULL;
		struct err e = { 0 };
		char text[64];

		set_up(&b, chips[c], 0);
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		WORKS(gpu_wait_boot(&b.io, r, &b.h, &e));
		WORKS(b.io.reset(b.io.arg, &e));
		WORKS(gpu_wait_boot(&b.io, r, &b.h, &e));
		EQ(b.m.boot_left, 0);
		b.m.faults = MODEL_BOOT_NEVER;
		WORKS(b.io.reset(b.io.arg, &e));
		b.m.now_us = 0;
		EQ(gpu_wait_boot(&b.io, r, &b.h, &e), -1);
		EQ(e.code, EC_IO);
		snprintf(text, sizeof text, "boot not complete after %u.0 s: register 0x%x", r->boot_ms / 1000, (unsigned)r->boot);
		HAS(e.msg, text);
		HAS(e.msg, " reads 0x0, wanted 0xff");
		HAS(e.hint, "5c000000 5c000004 5c000008 5c00000c");
		OK(b.m.now_us < 12 * 1000000);
		b.h.deadline_ms = 1;		/* the caller's limit counts too */
		b.m.now_us = 0;
		FAILS(gpu_wait_boot(&b.io, r, &b.h, &e), EC_IO);
		OK(b.m.now_us < 100000);
	}
}

TEST(wait_boot_takes_blocked_registers_only_from_blackwell)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		const struct gpu_regs *r = NULL;
		struct err e = { 0 };

		set_up(&b, chips[c], 0);
		WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
		b.m.faults = MODEL_BOOT_BADF;
		WORKS(b.io.reset(b.io.arg, &e));
		if (blackwell(chips[c])) {
			WORKS(gpu_wait_boot(&b.io, r, &b.h, &e));
			continue;
		}
		EQ(gpu_wait_boot(&b.io, r, &b.h, &e), -1);
		HAS(e.msg, "reads 0xbadf5040, an error pattern: access is blocked, wanted 0xff");
	}
}

TEST(wait_boot_names_a_device_that_is_lost)
{
	for EACH_CHIP(c)
		for (int how = 0; how < 2; how++) {
			AUTO_BENCH b;
			const struct gpu_regs *r = NULL;
			struct err e = { 0 };

			set_up(&b, chips[c], 0);
			WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
			b.m.faults = how ? MODEL_RESET_LOST : MODEL_BOOT_ONES;
			WORKS(b.io.reset(b.io.arg, &e));
			EQ(gpu_wait_boot(&b.io, r, &b.h, &e), -1);
			EQ(e.code, EC_IO);
			HAS(e.msg, "all ones");
			HAS(e.msg, "the device is lost");
		}
}

/* Capabilities that lead in a circle. */
static int circle(void *arg, uint32_t offset, uint32_t *ret, struct err *e)
{
	(void)arg, (void)e;
	*ret = offset == 0x100 ? 0x18010001 : 0x10010001;
	return 0;
}

TEST(regs_leaves_a_circle_of_capabilities)
{
	AUTO_BENCH b;
	const struct gpu_regs *r = NULL;

	set_up(&b, CHIP_BLACKWELL_GB10X, 0);
	b.io.config32 = circle;
	WORKS(gpu_regs_of(&r, &b.io, &b.m.pci, &e));
	EQ(r->chip, CHIP_BLACKWELL_GB10X);
}
