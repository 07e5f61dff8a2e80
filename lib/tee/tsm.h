/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TSM_H
#define CVMBOX_TEE_TSM_H

/* Linux's one interface to hardware reports, /sys/kernel/config/tsm/report (cpu-tee.md 2.1). */

#include "base/host.h"

#define TSM_DIR "/sys/kernel/config/tsm/report"
#define TSM_INBLOB 64

struct tsm_report {
	struct buf provider;	/* "sev_guest", "tdx_guest", "arm_cca_guest" */
	struct buf out, aux;	/* report; certificate table (empty where the provider has none) */
};
#define AUTO_TSM __attribute__((cleanup(tsm_free))) struct tsm_report
void tsm_free(struct tsm_report *r);

/* One report for these 64 bytes.  The provider must be the one wanted.  The directory it makes is gone again when
 * this returns, or when
 * a signal ends the program.  Busy devices and interference by others are retried within bounds and the deadline of
 * host. */
int tsm_get(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	    struct err *e);

/* Name of the registered provider.  EC_ABSENT says what is not there. */
int tsm_provider(struct buf *ret, const struct host *h, struct err *e);

#endif
