/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_EARLY_H
#define CVMBOX_BASE_EARLY_H

/* What early boot lacks, and the host of a guest controls: a clock that can be believed, and entropy. */

#include "base/host.h"

/* No honest clock is before this: the later of this source's date and, as in systemd, the time of /usr/lib/clock-epoch. */
int64_t host_time_floor(const struct host *h);
/* host_now for judging dates: a clock before the floor is warned about and counts as the floor, so that what is valid since then is
 * not called "not yet valid", and nothing expired is taken for valid.  --now wins, as it stands. */
int64_t host_now_bounded(const struct host *h);

/* Called, from another thread, when random bytes have been waited for longer than two seconds.  NULL: nobody is told. */
extern void (*host_entropy_notice)(void);
/* getrandom(2) for at most 256 bytes, blocking until the kernel's pool is ready; as getrandom(2) returns. */
long early_getrandom(void *p, size_t n);

#endif
