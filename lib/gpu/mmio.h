/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_MMIO_H
#define CVMBOX_GPU_MMIO_H

/* The one way to a device's registers (BAR0) and its reset: a table of calls.  Behind it are sysfs (resource0, reset, config, power/control), or,
 * below a --sysroot, a simulated device: where a unix socket stands in place of resource0, its other end answers.
 *
 * Offsets are bytes into BAR0, 4-byte aligned; words are little-endian.  Reading tells what the bus says: 0xffffffff and 0xbadfxxxx are no values
 * but signs that nobody answers (nvidia-gpu.md 5.1). */

#include "gpu/pci.h"

struct mmio {
	int (*read32)(void *arg, uint32_t offset, uint32_t *ret, struct err *e);
	int (*write32)(void *arg, uint32_t offset, uint32_t value, struct err *e);
	int (*config32)(void *arg, uint32_t offset, uint32_t *ret, struct err *e);	/* PCI configuration space, read only */
	int (*reset)(void *arg, struct err *e);		/* EC_ABSENT: the kernel knows no way to reset it */
	void (*close)(void *arg);
	void *arg;
	size_t size;			/* of BAR0 */
};
#define AUTO_MMIO __attribute__((cleanup(mmio_close))) struct mmio
void mmio_close(struct mmio *m);	/* may run twice; restores power/control */

/* Enables memory decoding and keeps the device awake (power/control "on", put back by mmio_close).  writable false: write32 and reset are
 * refused (EC_BUG): queries cannot change anything.  EC_ABSENT: no such device, no BAR0. */
int mmio_open(struct mmio *ret, const struct host *h, const struct gpu_pci *g, bool writable, struct err *e);

enum gpu_chip { CHIP_UNKNOWN, CHIP_HOPPER, CHIP_BLACKWELL_GB10X, CHIP_BLACKWELL_GB20X, CHIP_LS10 };
const char *gpu_chip_word(enum gpu_chip c);		/* "Hopper", .. */
struct gpu_regs {		/* register map, nvidia-gpu.md 5.2; 0: the chip has none */
	enum gpu_chip chip;
	uint32_t mode;			/* bits 1:0 */
	uint32_t ppcie;			/* register, and the bit that says so */
	unsigned ppcie_bit;
	uint32_t boot;			/* 0xff: boot complete */
	unsigned boot_ms;
	bool mnoc;			/* FSP by MNOC mailbox, else by EMEM channel 2 */
	bool has_ppcie, has_bar0_knob, has_nvle;
};
/* The map for this device, by its PCI id and, where it can be read, PMC_BOOT_0.  EC_ABSENT: not a chip with a confidential mode that is known here;
 * EC_IO: it does not answer (gone, blocked, in recovery), said in words. */
int gpu_regs_of(const struct gpu_regs **ret, const struct mmio *m, const struct gpu_pci *g, struct err *e);

enum hw_mode { HW_OFF, HW_ON, HW_INVALID, HW_DEVTOOLS };	/* bits 1:0 of the mode register: 2 is invalid */
struct hw_state {
	enum hw_mode mode;		/* active mode */
	bool ppcie, nvle, bar0_firewall;
	bool booted;
};
int gpu_hw_state(struct hw_state *ret, const struct mmio *m, const struct gpu_regs *r, struct err *e);
/* Until boot is complete; h's deadline counts.  EC_IO: not in time. */
int gpu_wait_boot(const struct mmio *m, const struct gpu_regs *r, const struct host *h, struct err *e);

#endif
