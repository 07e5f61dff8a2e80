/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_POOL_H
#define CVMBOX_BASE_POOL_H

/* Threads for parallel loops.  A pool of n threads, the caller being one of them; pool_run calls f(arg, i, worker)
 * for i in [0, count), indices handed out in rising order, each to one worker in [0, n).  f returns 0 or -1 after
 * setting its own error; the first error (smallest i that failed) is returned in e, and no new index is started after it.
 * Threads spin briefly, then sleep, between runs. */

#include <stddef.h>

#include "base/err.h"

struct pool;

int pool_new(struct pool **ret, unsigned n, struct err *e);	/* n 0: one per usable CPU (affinity mask) */
void pool_free(struct pool *p);					/* NULL allowed */
unsigned pool_size(const struct pool *p);
int pool_run(struct pool *p, size_t count, int (*f)(void *arg, size_t i, unsigned worker, struct err *e), void *arg,
	     struct err *e);
unsigned cpu_count(void);

#endif
