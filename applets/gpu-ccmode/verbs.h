/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_APPLETS_GPU_CCMODE_VERBS_H
#define CVMBOX_APPLETS_GPU_CCMODE_VERBS_H

/* Verbs of `gpu-ccmode`, one file each. */

#include "base/applet.h"
#include "gpu/state.h"

extern const struct verb verb_ccmode_query, verb_ccmode_set, verb_ccmode_ready;

#endif
