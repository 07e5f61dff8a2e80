/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_MACHINE_H
#define CVMBOX_ATTEST_MACHINE_H

/* What this machine is, CPU and GPUs together: the result of `attest detect`, and a bundle's `machine`. */

#include "base/host.h"
#include "codec/json.h"

/* Adds an object: what tee/detect says, and "gpus": [{"device","name","driver","cc_mode",..}], NVSwitches among them ("switch": true).
 * *tee (may be NULL): static name, NULL for none. */
int machine_describe(struct json *to, const char *name, const char **tee, const struct host *h, struct err *e);

#endif
