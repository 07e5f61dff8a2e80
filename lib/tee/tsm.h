/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TSM_H
#define CVMBOX_TEE_TSM_H

/* Linux's one interface to hardware reports, /sys/kernel/config/tsm/report (cpu-tee.md 2.1). */

#include "base/host.h"
#include "evidence/kind.h"

#define TSM_DIR "/sys/kernel/config/tsm/report"
#define TSM_INBLOB 64

struct tsm_report {
	struct buf provider;	/* "sev_guest", "tdx_guest", "arm_cca_guest" */
	struct buf out, aux;	/* report; certificate table (empty where the provider has none) */
	struct buf manifest;	/* of SVSM services; empty unless asked for */
};
#define AUTO_TSM __attribute__((cleanup(tsm_free))) struct tsm_report
void tsm_free(struct tsm_report *r);

/* One report for these 64 bytes.  The provider must be the one wanted.  how: NULL for the defaults.  The directory it makes
 * is gone again when this returns, or when a signal ends the program; what a killed program left behind is removed by the
 * next one.  Busy devices and interference by others are retried within bounds and the deadline of host.  One at a time in
 * a process: signals are caught meanwhile. */
int tsm_ask(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	    const struct collect_how *how, struct err *e);
int tsm_get(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	    struct err *e);		/* with the defaults */

/* What the registered provider says of itself.  EC_ABSENT tells what is not there, and how to get it. */
struct tsm_facts {
	struct buf provider;
	bool has_floor, svsm;	/* privilege levels from floor on may be asked for; services of an SVSM can be */
	uint64_t floor;
};
#define AUTO_TSM_FACTS __attribute__((cleanup(tsm_facts_free))) struct tsm_facts
void tsm_facts_free(struct tsm_facts *f);
int tsm_look(struct tsm_facts *ret, const struct host *h, struct err *e);
int tsm_provider(struct buf *ret, const struct host *h, struct err *e);

#endif
