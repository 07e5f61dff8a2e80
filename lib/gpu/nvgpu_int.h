/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_NVGPU_INT_H
#define CVMBOX_GPU_NVGPU_INT_H

/* Between the nvgpu*.c files only. */

#include "base/cursor.h"
#include "gpu/nvgpu.h"

#define NV_GPU_BLOCKS 64
#define NV_SWITCH_BLOCKS 31
#define NV_WORD_HOPPER 0x180
#define NV_WORD_BLACKWELL 0x1a0		/* GB1xx */
#define NV_WORD_BLACKWELL_2 0x1b0	/* GB2xx */

bool nv_is_switch(const struct nv_device *d);
uint32_t nv_arch_number(const struct nv_device *d);	/* of opaque type 4; 0: none */
const struct json *nv_device_list(const struct json *j);	/* the array of devices in any JSON form; NULL: none */

#endif
