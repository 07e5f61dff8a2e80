/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_UAPI_H
#define CVMBOX_IMAGE_UAPI_H

/* openat2(2), of which musl has no declaration (include/uapi/linux/openat2.h). */

#include <stdint.h>
#include <sys/syscall.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define UAPI_RESOLVE_NO_MAGICLINKS 0x02
#define UAPI_RESOLVE_NO_SYMLINKS 0x04
#define UAPI_RESOLVE_BENEATH 0x08
struct uapi_open_how {
	uint64_t flags, mode, resolve;
};
_Static_assert(sizeof(struct uapi_open_how) == 24, "struct open_how of openat2(2)");

#endif
