/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_MMIO_H
#define CVMBOX_GPU_MMIO_H

/* The one way to a device's registers (BAR0) and its reset: a table of calls.  Behind it are sysfs (resource0, reset, config, power/control), or,
 * below a --sysroot, a simulated device: where a unix socket stands in place of resource0, its other end answers (mmio_wire.h).
 *
 * Offsets are bytes into BAR0, 4-byte aligned; words are little-endian.  Reading tells what the bus says: 0xffffffff and 0xbadfxxxx are no values
 * but signs that nobody answers (nvidia-gpu.md 5.1).  An offset outside of BAR0, or not aligned, is EC_BUG. */

#include "gpu/pci.h"

struct mmio {
	int (*read32)(void *arg, uint32_t offset, uint32_t *ret, struct err *e);
	int (*write32)(void *arg, uint32_t offset, uint32_t value, struct err *e);
	int (*config32)(void *arg, uint32_t offset, uint32_t *ret, struct err *e);	/* PCI configuration space, read only; EC_ABSENT: beyond its end */
	int (*reset)(void *arg, struct err *e);		/* EC_ABSENT: the kernel knows no way to reset it */
	void (*close)(void *arg);
	int64_t (*now_ms)(void *arg);			/* clock of waits on this device; NULL: the machine's, monotonic */
	void (*sleep_ms)(void *arg, unsigned ms);
	void *arg;
	size_t size;			/* of BAR0 */
};
#define AUTO_MMIO __attribute__((cleanup(mmio_close))) struct mmio
void mmio_close(struct mmio *m);	/* may run twice; restores power/control */

/* h has to outlive ret; its deadline bounds each request to a simulated device.
 *
 * writable: enables memory decoding (it stays on: a driver may be bound by the time of the close, and it relies on it) and keeps the device awake
 * (power/control "on", put back by mmio_close and on every error path; not by a process that is killed).
 * Not writable, a query: nothing is changed.  BAR0 is mapped read-only, write32 and reset are refused (EC_BUG); a device that is asleep
 * (power/runtime_status), or whose memory decoding is off, is EC_ABSENT with the reason, instead of being woken.
 * EC_ABSENT: also no such device, no BAR0.  EC_IO: the kernel does not let us (lockdown, no root).  EC_USAGE: simulated, and h is offline. */
int mmio_open(struct mmio *ret, const struct host *h, const struct gpu_pci *g, bool writable, struct err *e);

/* Waiting on a device: until a point in its time that is ms from now, or h's deadline (h may be NULL), in steps.  mmio_wait sleeps one step;
 * false, at once: the time is up. */
int64_t mmio_now_ms(const struct mmio *m);
int64_t mmio_until(const struct mmio *m, const struct host *h, int64_t ms);
bool mmio_wait(const struct mmio *m, const struct host *h, int64_t until, unsigned step_ms);

/* What a word says when it is no value: "all ones: the device is lost or switched off", "0xbadf0200: .."; NULL: it may be a value. */
const char *mmio_no_value(uint32_t word);

enum gpu_chip { CHIP_UNKNOWN, CHIP_HOPPER, CHIP_BLACKWELL_GB10X, CHIP_BLACKWELL_GB20X, CHIP_LS10 };
const char *gpu_chip_word(enum gpu_chip c);		/* "Hopper", .. */
struct gpu_regs {		/* register map, nvidia-gpu.md 5.2; 0: the chip has none */
	enum gpu_chip chip;
	uint32_t mode;			/* bits 1:0 */
	uint32_t ppcie;			/* register, and the bit that says so */
	unsigned ppcie_bit;
	uint32_t boot;			/* 0xff: boot complete */
	unsigned boot_ms;
	uint32_t recovery;
	bool mnoc;			/* FSP by MNOC mailbox, else by EMEM channel 2 */
	bool bar_firewall;		/* a DVSEC tells when BAR0 may be read after a reset */
	bool has_ppcie, has_bar0_knob, has_nvle;
};
/* The map for this device, by PMC_BOOT_0; its PCI id only says what to make of a device that does not answer.  On Blackwell waits (5 s) for the BAR
 * firewall.  EC_ABSENT: not a chip with a confidential mode that is known here; EC_IO: it does not answer (gone, blocked, in recovery), said in
 * words. */
int gpu_regs_of(const struct gpu_regs **ret, const struct mmio *m, const struct gpu_pci *g, struct err *e);

enum hw_mode { HW_OFF, HW_ON, HW_INVALID, HW_DEVTOOLS };	/* bits 1:0 of the mode register: 2 is invalid */
struct hw_state {
	enum hw_mode mode;		/* active mode; HW_OFF for a switch, which has only ppcie */
	bool ppcie, nvle, bar0_firewall;
	bool booted;			/* false: the registers above may not be settled yet */
};
int gpu_hw_state(struct hw_state *ret, const struct mmio *m, const struct gpu_regs *r, struct err *e);
/* Until boot is complete; h's deadline counts.  EC_IO: not in time, with what the register said last and the processor's scratch words as hint. */
int gpu_wait_boot(const struct mmio *m, const struct gpu_regs *r, const struct host *h, struct err *e);

#endif
