/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_GUEST_H
#define CVMBOX_TEE_TDX_GUEST_H

/* What a TDX guest can ask of its own module: a TDREPORT by /dev/tdx_guest, and measurement registers in sysfs
 * (cpu-tee.md 2.3 to 2.5). */

#include "tee/qgs.h"

#define TDX_GUEST_NODE "/dev/tdx_guest"

/* A TDREPORT for this report data.  It is MAC-protected: only this host can verify it.  EC_ABSENT: no such device. */
int tdx_guest_report(uint8_t ret[static TDREPORT_SIZE], const struct host *h, const uint8_t data[static 64], struct err *e);
/* Registers as the running kernel shows them; n 0: not shown (older than Linux 6.16). */
struct tdx_registers {
	struct { size_t n; uint8_t v[48]; } mrtd, rtmr[4];
};
void tdx_registers_read(struct tdx_registers *ret, const struct host *h);
/* The quote's registers are those seen before or after it was made; EC_IO names the one that is not. */
int tdx_registers_agree(const struct tdx_registers *before, const struct tdx_registers *after, struct slice body, struct err *e);

#endif
