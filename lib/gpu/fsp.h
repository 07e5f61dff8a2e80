/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_FSP_H
#define CVMBOX_GPU_FSP_H

/* Talking to a GPU's firmware security processor about its knobs (PRC): packets over EMEM channel 2 (Hopper, LS10) or the MNOC mailbox (Blackwell),
 * nvidia-gpu.md 5.3.  A knob holds what is pending: it becomes active at the next reset. */

#include "gpu/mmio.h"

enum knob {			/* ids; "allow" says whether software in the running system may change the one after it */
	KNOB_2 = 2, KNOB_4 = 4, KNOB_CCD_ALLOW = 5, KNOB_CCD = 6, KNOB_CCM_ALLOW = 7, KNOB_CCM = 8, KNOB_BAR0_ALLOW = 9, KNOB_BAR0 = 10,
	KNOB_34 = 34, KNOB_RESET_ALLOW = 35, KNOB_RESET = 36, KNOB_PPCIE_ALLOW = 44, KNOB_PPCIE = 45
};
#define FSP_INVALID_KNOB 0x1e3		/* the firmware is too old to know it */

/* Answers come within 5 s, or h's deadline, or not at all.  A request is one packet; an answer may come in several.  Messages that an earlier user
 * left behind (one that was killed) are dropped at first use, and after each failure. */
struct fsp {
	const struct mmio *m;
	const struct gpu_regs *r;
	const struct host *h;
	bool ready;			/* queues were put in order: false at first */
};
/* Value (low 16 bits).  known (may be NULL) false, and no error: FSP_INVALID_KNOB.  EC_IO: no answer, wrong answer; EC_DENIED: the firmware refuses,
 * with its error code in the text and a hint. */
int fsp_read_knob(uint16_t *ret, bool *known, struct fsp *f, enum knob k, struct err *e);
int fsp_write_knob(struct fsp *f, enum knob k, uint16_t value, struct err *e);
/* "enable", as nvidia_gpu_tools prints it; those of protected PCIe, which it also calls "enable", begin with "ppcie-"; "knob-2" for those without a
 * name, "knob" for ids not listed above */
const char *knob_name(enum knob k);

#endif
