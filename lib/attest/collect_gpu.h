/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_COLLECT_GPU_H
#define CVMBOX_ATTEST_COLLECT_GPU_H

/* Evidence of the devices in this machine: GPUs by the kernel driver, NVSwitches from a file that another tool wrote. */

#include "base/host.h"
#include "codec/json.h"
#include "gpu/nvcollect.h"

/* Which GPUs.  NULL and "auto": all there are, and there need not be any; "all": the same, and there has to be one; "none"; else their
 * PCI addresses with commas. */
bool gpus_none(const char *gpus);

/* nvattest's form, appended, whose nonce is nv_nonce_of(rd); nothing where none is wanted or there.  A GPU that is wanted and gives no evidence is an
 * error that names it.  has_switches: see struct collect_how.  facts (may be NULL) gets "gpus", what was collected, and "gpu_seconds".  The GPUs stay
 * attached until *keep is freed; NULL where there are none. */
int gpus_collect(struct buf *ret, struct nv_party **keep, const struct host *h, const char *gpus, bool has_switches, struct slice rd,
		 struct json *facts, struct err *e);

/* Is this evidence of NVSwitches, and of nothing else, for this nonce?  EC_FORMAT, EC_REFUSED. */
int switches_check(struct slice raw, const uint8_t nonce[static 32], struct err *e);

#endif
