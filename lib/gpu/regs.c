/* SPDX-License-Identifier: Apache-2.0 */
/* See mmio.h: which chip this is, and what its mode and boot registers say (nvidia-gpu.md 5.1, 5.2). */
#include "gpu/mmio.h"

#define PMC_BOOT_0 0
#define FSP_SCRATCH 0x8f0320		/* four words that its firmware leaves for debugging */
#define HOPPER_FAULT_AT 0x2b4		/* configuration space */
#define BOOT_DONE 0xff
#define POLL_MS 10
#define FIREWALL_MS 5000
#define NO_DVSEC_MS 3000
#define RECOVERY_BIT (UINT32_C(1) << 30)

#define EXT_CAP_FIRST 0x100
#define EXT_CAP_END 0x1000
#define EXT_CAP_DVSEC 0x23
#define DVSEC_FLAGS 8			/* offset; its low half is the DVSEC's id */
#define DVSEC_FAULT 0x14
#define DVSEC_FIREWALL (UINT32_C(1) << 20)

static const struct gpu_regs maps[] = {
	{ .chip = CHIP_HOPPER, .mode = 0x1182cc, .ppcie = 0x1182cc, .ppcie_bit = 5, .boot = 0x200bc, .boot_ms = 5000, .recovery = 0x20120,
	  .has_ppcie = true, .has_bar0_knob = true },
	{ .chip = CHIP_BLACKWELL_GB10X, .mode = 0x590, .boot = 0x200bc, .boot_ms = 10000, .recovery = 0x8aa128, .mnoc = true, .bar_firewall = true,
	  .has_nvle = true },
	{ .chip = CHIP_BLACKWELL_GB20X, .mode = 0x590, .boot = 0xad00bc, .boot_ms = 10000, .recovery = 0x8aa128, .mnoc = true,
	  .bar_firewall = true, .has_nvle = true },
	{ .chip = CHIP_LS10, .ppcie = 0x28c50, .ppcie_bit = 0, .boot = 0x660bc, .boot_ms = 5000, .recovery = 0x66120, .has_ppcie = true },
};

const char *gpu_chip_word(enum gpu_chip c)
{
	static const char *const words[] = { "unknown", "Hopper", "Blackwell GB10x", "Blackwell GB20x", "LS10" };

	return (size_t)c < sizeof words / sizeof words[0] ? words[c] : words[0];
}

static const struct gpu_regs *map_of(enum gpu_chip c)
{
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
		if (maps[i].chip == c)
			return &maps[i];
	return NULL;
}

/* --- which chip -------------------------------------------------------------------------------------------- */

/* Only to know what to make of a device that does not answer. */
static enum gpu_chip chip_of_id(const struct gpu_pci *g)
{
	static const struct {
		uint16_t first, last;
		enum gpu_chip chip;
	} ids[] = {
		{ 0x22f0, 0x237f, CHIP_HOPPER }, { 0x2900, 0x29ff, CHIP_BLACKWELL_GB10X }, { 0x3180, 0x31ff, CHIP_BLACKWELL_GB10X },
		{ 0x3200, 0x327f, CHIP_BLACKWELL_GB10X }, { 0x2b80, 0x2c7f, CHIP_BLACKWELL_GB20X }, { 0x2d00, 0x2dff, CHIP_BLACKWELL_GB20X },
		{ 0x2f00, 0x2f7f, CHIP_BLACKWELL_GB20X },
	};

	if (g->is_switch)
		return CHIP_UNKNOWN;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		if (g->device >= ids[i].first && g->device <= ids[i].last)
			return ids[i].chip;
	return CHIP_UNKNOWN;
}

/* PMC_BOOT_0: architecture in bits 28:24 (and 8), implementation in 23:20, revision below.  Integrated GPUs of these architectures are not listed:
 * they have no BAR0 of this kind. */
static enum gpu_chip chip_of_boot0(uint32_t v, bool is_switch)
{
	static const struct {
		uint16_t id;
		enum gpu_chip chip;
	} chips[] = {
		{ 0x180, CHIP_HOPPER }, { 0x1a0, CHIP_BLACKWELL_GB10X }, { 0x1a2, CHIP_BLACKWELL_GB10X }, { 0x1a3, CHIP_BLACKWELL_GB10X },
		{ 0x1a4, CHIP_BLACKWELL_GB10X }, { 0x1b2, CHIP_BLACKWELL_GB20X }, { 0x1b3, CHIP_BLACKWELL_GB20X }, { 0x1b5, CHIP_BLACKWELL_GB20X },
		{ 0x1b6, CHIP_BLACKWELL_GB20X }, { 0x1b7, CHIP_BLACKWELL_GB20X },
	};

	if (v >> 29 || v & 0x100)
		return CHIP_UNKNOWN;
	if (is_switch)
		return v >> 20 == 7 ? CHIP_LS10 : CHIP_UNKNOWN;
	for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++)
		if (v >> 20 == chips[i].id)
			return chips[i].chip;
	return CHIP_UNKNOWN;
}

/* --- Blackwell's capability (DVSEC, vendor 0x10de, id 0) --------------------------------------------------- */

/* ret: its offset, 0: there is none. */
static int dvsec_find(uint32_t *ret, const struct mmio *m, struct err *e)
{
	uint32_t at = EXT_CAP_FIRST, head, vendor, flags;

	/* a chain that goes in circles ends after as many steps as there is room for capabilities */
	for (int i = 0; at >= EXT_CAP_FIRST && at + DVSEC_FAULT < EXT_CAP_END && i < 480; i++) {
		struct err ce = { 0 };

		if (m->config32(m->arg, at, &head, &ce)) {
			if (ce.code != EC_ABSENT)
				return err_set(e, ce.code, "%s", ce.msg);
			break;		/* 256 bytes only */
		}
		if (head == 0 || head == UINT32_MAX)
			break;
		if ((head & 0xffff) == EXT_CAP_DVSEC) {
			if (m->config32(m->arg, at + 4, &vendor, e) || m->config32(m->arg, at + DVSEC_FLAGS, &flags, e))
				return -1;
			if ((vendor & 0xffff) == GPU_VENDOR_NVIDIA && (flags & 0xffff) == 0) {
				*ret = at;
				return 0;
			}
		}
		at = head >> 20 & 0xffc;
	}
	*ret = 0;
	return 0;
}

static int firewall_wait(const struct mmio *m, const struct host *h, struct err *e)
{
	uint32_t at, word;
	int64_t until;

	if (dvsec_find(&at, m, e))
		return -1;
	if (at) {
		until = mmio_until(m, h, FIREWALL_MS);
		do {
			if (m->config32(m->arg, at + DVSEC_FLAGS, &word, e))
				return -1;
			if (word == UINT32_MAX)
				return err_set(e, EC_IO, "its configuration space reads all ones: the device is lost");
			if (!(word & DVSEC_FIREWALL))
				return 0;
		} while (mmio_wait(m, h, until, POLL_MS));
		return err_set(e, EC_IO, "its BAR firewall is still up after %d s", FIREWALL_MS / 1000);
	}
	if (m->read32(m->arg, PMC_BOOT_0, &word, e))
		return -1;
	for (until = mmio_until(m, h, NO_DVSEC_MS); word == UINT32_MAX && mmio_wait(m, h, until, POLL_MS);)
		if (m->read32(m->arg, PMC_BOOT_0, &word, e))
			return -1;
	return 0;			/* who reads next says what is wrong */
}

/* --- a device that does not answer ------------------------------------------------------------------------- */

static int lost(const struct gpu_pci *g, struct err *e)
{
	err_set(e, EC_IO, "PMC_BOOT_0 reads all ones: the device is lost, or its link is down");
	return err_hint(e, "remove and rescan it ('echo 1 >/sys/bus/pci/devices/%s/remove; echo 1 >/sys/bus/pci/rescan'), or power-cycle the "
			   "machine", g->bdf);
}

static int security_fault(const struct mmio *m, enum gpu_chip by_id, uint32_t boot0, struct err *e)
{
	const struct gpu_regs *r = map_of(by_id);
	uint32_t at = HOPPER_FAULT_AT, word;

	if (by_id != CHIP_HOPPER && (!r || !r->bar_firewall || dvsec_find(&at, m, NULL) || !at))
		return 0;
	if (by_id != CHIP_HOPPER)
		at += DVSEC_FAULT;
	if (m->config32(m->arg, at, &word, NULL) || word == 0 || word == UINT32_MAX)
		return 0;
	err_set(e, EC_IO, "security fault 0x%x: its registers are locked (PMC_BOOT_0 reads 0x%08x)", (unsigned)word, (unsigned)boot0);
	return err_hint(e, "reset the GPU; if the fault comes back, keep the word for NVIDIA's support");
}

static int blocked(const struct mmio *m, enum gpu_chip by_id, uint32_t boot0, struct err *e)
{
	if ((boot0 == 0xbadf0200 || boot0 == 0xbad00200) && security_fault(m, by_id, boot0, e))
		return -1;
	return err_set(e, EC_IO, "its registers are blocked (PMC_BOOT_0 reads 0x%08x)", (unsigned)boot0);
}

static int in_recovery(struct err *e)
{
	err_set(e, EC_IO, "the device is in recovery: its firmware did not start");
	return err_hint(e, "power-cycle it; if that does not help, its firmware has to be repaired with the vendor's tools");
}

static int recovery_check(const struct mmio *m, const struct gpu_regs *r, struct err *e)
{
	uint32_t v;

	if (m->read32(m->arg, r->recovery, &v, e))
		return -1;
	if (mmio_no_value(v))
		return 0;		/* not booted yet: waiting for boot says what is wrong */
	if (r->mnoc ? (v & 0xff) > 1 : v & RECOVERY_BIT)
		return in_recovery(e);
	return 0;
}

static int boot0_check(const struct mmio *m, const struct gpu_pci *g, uint32_t boot0, struct err *e)
{
	const enum gpu_chip by_id = chip_of_id(g);

	if (boot0 == UINT32_MAX)
		return lost(g, e);
	if (mmio_no_value(boot0))
		return blocked(m, by_id, boot0, e);
	return boot0 == 0 && by_id == CHIP_HOPPER ? in_recovery(e) : 0;
}

static int regs_of(const struct gpu_regs **ret, const struct mmio *m, const struct gpu_pci *g, struct err *e)
{
	const struct gpu_regs *r = map_of(chip_of_id(g));
	uint32_t boot0;

	if (r && r->bar_firewall && firewall_wait(m, NULL, e))
		return -1;
	if (m->read32(m->arg, PMC_BOOT_0, &boot0, e) || boot0_check(m, g, boot0, e))
		return -1;
	r = map_of(chip_of_boot0(boot0, g->is_switch));
	if (!r)
		return err_set(e, EC_ABSENT, "%s [%04x:%04x] (PMC_BOOT_0 0x%08x) has no confidential mode that is known here", gpu_family(g),
			       g->vendor, g->device, (unsigned)boot0);
	if (recovery_check(m, r, e))
		return -1;
	*ret = r;
	return 0;
}

int gpu_regs_of(const struct gpu_regs **ret, const struct mmio *m, const struct gpu_pci *g, struct err *e)
{
	return regs_of(ret, m, g, e) ? err_ctx(e, "'%s'", g->bdf) : 0;
}

/* --- mode and boot ----------------------------------------------------------------------------------------- */

static int value_of(uint32_t *ret, const struct mmio *m, uint32_t offset, const char *what, struct err *e)
{
	uint32_t v;

	if (m->read32(m->arg, offset, &v, e))
		return -1;
	if (mmio_no_value(v))
		return err_set(e, EC_IO, "cannot read the %s register 0x%x: 0x%08x, %s", what, (unsigned)offset, (unsigned)v, mmio_no_value(v));
	*ret = v;
	return 0;
}

int gpu_hw_state(struct hw_state *ret, const struct mmio *m, const struct gpu_regs *r, struct err *e)
{
	struct hw_state s = { 0 };
	uint32_t mode = 0, ppcie = 0, boot;

	if (m->read32(m->arg, r->boot, &boot, e))
		return -1;
	if (r->mode && value_of(&mode, m, r->mode, "mode", e))
		return -1;
	ppcie = mode;
	if (r->ppcie && r->ppcie != r->mode && value_of(&ppcie, m, r->ppcie, "protected PCIe", e))
		return -1;
	s.mode = (enum hw_mode)(mode & 3);
	s.ppcie = r->has_ppcie && ppcie >> r->ppcie_bit & 1;
	s.nvle = r->has_nvle && mode >> 6 & 1;
	s.bar0_firewall = r->bar_firewall && mode >> 2 & 1;
	s.booted = boot == BOOT_DONE;
	*ret = s;
	return 0;
}

/* What its firmware left for debugging, as a hint. */
static void scratch_hint(const struct mmio *m, struct err *e)
{
	uint32_t v[4] = { 0 };

	for (uint32_t i = 0; i < 4; i++)
		if (m->read32(m->arg, FSP_SCRATCH + 4 * i, &v[i], NULL))
			return;
	err_hint(e, "firmware's scratch words, for NVIDIA's support: %08x %08x %08x %08x", (unsigned)v[0], (unsigned)v[1], (unsigned)v[2],
		 (unsigned)v[3]);
}

static int boot_late(const struct mmio *m, const struct gpu_regs *r, uint32_t v, int64_t ms, struct err *e)
{
	const char *no_value = mmio_no_value(v);

	err_set(e, EC_IO, "boot not complete after %jd.%jd s: register 0x%x reads 0x%x%s%s, wanted 0xff", (intmax_t)(ms / 1000),
		(intmax_t)(ms % 1000 / 100), (unsigned)r->boot, (unsigned)v, no_value ? ", " : "", no_value ? no_value : "");
	scratch_hint(m, e);
	return -1;
}

int gpu_wait_boot(const struct mmio *m, const struct gpu_regs *r, const struct host *h, struct err *e)
{
	const int64_t start = mmio_now_ms(m);
	int64_t until;
	uint32_t v;

	if (r->bar_firewall && firewall_wait(m, h, e))
		return -1;
	until = mmio_until(m, h, r->boot_ms);
	do {
		if (m->read32(m->arg, r->boot, &v, e))
			return -1;
		if (v == BOOT_DONE)
			return 0;
		/* only Blackwell blocks its registers while it boots */
		if (!r->mnoc && v != UINT32_MAX && mmio_no_value(v))
			break;
	} while (mmio_wait(m, h, until, POLL_MS));
	return boot_late(m, r, v, mmio_now_ms(m) - start, e);
}
