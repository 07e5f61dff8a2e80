/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_REPORT_H
#define CVMBOX_TEE_REPORT_H

/* A hardware report from whichever interface this kernel has (cpu-tee.md 1.2): configfs-tsm, and where there is none the
 * device node of old kernels. */

#include "tee/tsm.h"

/* provider: "sev_guest": configfs, else /dev/sev-guest.  "tdx_guest": configfs, else a TDREPORT of /dev/tdx_guest that the
 * host's quote service signs (qgs.h).  "arm_cca_guest": configfs.  At most one report is asked for: an interface that is
 * there and fails is a failure.  EC_ABSENT: none is there. */
int report_get(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	       const struct collect_how *how, struct err *e);

/* `collect` of the kinds "snp" and "tdx" (evidence/kind.h). */
int snp_collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e);
int tdx_collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e);

#endif
