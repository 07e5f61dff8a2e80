/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_NV_ROOTS_H
#define CVMBOX_GPU_NV_ROOTS_H

/* NVIDIA's root of reference manifests as a certificate, for manifests that come without it.  It is a fact, and counts by nv_rim_root
 * (gpu/nvchain.h). */

extern const char nv_rim_root_pem[];

#endif
