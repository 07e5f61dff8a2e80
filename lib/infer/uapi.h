/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_UAPI_H
#define CVMBOX_INFER_UAPI_H

/* Kernel interfaces that libc headers do not carry (linux/capability.h, linux/securebits.h). */

#include <stdint.h>

struct cap_header {
	uint32_t version;
	int32_t pid;
};
struct cap_data {
	uint32_t effective, permitted, inheritable;
};
_Static_assert(sizeof(struct cap_header) == 8 && sizeof(struct cap_data) == 12, "layout of capset(2)");
#define CAP_VERSION_3 0x20080522u	/* two cap_data */

#define SECUREBITS_NO_ROOT_LOCKED 0x2fu	/* NOROOT, NO_SETUID_FIXUP with their locks, and KEEP_CAPS_LOCKED */

#endif
