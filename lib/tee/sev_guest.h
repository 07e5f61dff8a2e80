/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SEV_GUEST_H
#define CVMBOX_TEE_SEV_GUEST_H

/* SNP reports by the ioctls of /dev/sev-guest, for kernels without configfs-tsm (cpu-tee.md 2.2). */

#include "base/host.h"

#define SEV_GUEST_NODE "/dev/sev-guest"

/* A report of privilege level vmpl, and the host's certificate table (left empty where the host has none).  A request that fails in
 * transport is never followed by another one: the kernel wipes its message key then.  Only a host that says it is busy, or a
 * table that needs more room, is asked again, two seconds later, within the deadline of host.  EC_ABSENT: no such device. */
int sev_guest_report(struct buf *report, struct buf *certs, const struct host *h, const uint8_t data[static 64], unsigned vmpl,
		     struct err *e);

#endif
