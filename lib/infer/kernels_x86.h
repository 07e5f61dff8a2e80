/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_KERNELS_X86_H
#define CVMBOX_INFER_KERNELS_X86_H

#include "infer/kernels.h"

/* "avx512" (F, BW, DQ, VL, VNNI), "avx2" (with FMA, F16C), or with NULL the best of them; NULL if this CPU or build has none. */
const struct kernels *kernels_x86(const char *name);

#endif
