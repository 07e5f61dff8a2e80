/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_RM_READY_H
#define CVMBOX_GPU_RM_READY_H

/* The one command of this program that changes something in the NVIDIA driver: whether it accepts work (nvidia-gpu.md 1.5). */

#include "gpu/rm.h"

/* Sets the ready state of the whole system, and reads it back.  *changed false, without a call: it was so already.  The command is sent once and
 * never again.  A GPU has to be attached in this session.  EC_ABSENT: no confidential mode is on; EC_REFUSED: the driver will not become
 * ready again before it is loaded afresh, or says something else than it was told. */
int rm_set_ready(bool *changed, struct rm *rm, bool ready, struct err *e);

#endif
