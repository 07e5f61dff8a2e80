/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_DETECT_H
#define CVMBOX_TEE_DETECT_H

/* What this machine's CPU side is: every signal and its value, so that "not supported" never stands alone
 * (cpu-tee.md 1). */

#include "base/host.h"
#include "codec/json.h"

struct detected {
	struct json *machine;	/* {"tee","tees":[..],"vtpm_by","kernel","vtpm","signals":[..],"event_logs":[..],"missing":[..]} */
	const char *tee;	/* "snp", "tdx", "az-snp-vtpm", "az-tdx-vtpm", "cca"; NULL: none */
};
#define AUTO_DETECTED __attribute__((cleanup(detected_free))) struct detected
void detected_free(struct detected *d);
int detect(struct detected *ret, const struct host *h, struct err *e);

#endif
