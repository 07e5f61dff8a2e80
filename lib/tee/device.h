/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_DEVICE_H
#define CVMBOX_TEE_DEVICE_H

/* A device node and its ioctls.  Below a --sysroot a regular file in its place is a recorded exchange (codec/recording.h),
 * whose "in" and "out" are the parts of the call one after the other, with zeros where their addresses stand. */

#include "base/host.h"

struct recording;
struct device {
	int fd;			/* -1: recorded */
	struct recording *recorded;
};
#define DEVICE_NONE ((struct device){ .fd = -1 })
#define AUTO_DEVICE __attribute__((cleanup(device_close))) struct device
void device_close(struct device *d);

/* The node has to be a character device.  EC_ABSENT: there is none. */
int device_open(struct device *ret, const struct host *h, const char *path, struct err *e);

struct device_part {
	void *p;
	size_t n;
	size_t in, at;		/* behind the first part: its address is written into part `in` at byte `at` */
};
/* v[0] is the struct of the ioctl.  0, or an errno value. */
int device_call(struct device *d, uint32_t request, const struct device_part *v, size_t n);

#endif
