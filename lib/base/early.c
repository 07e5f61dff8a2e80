/* SPDX-License-Identifier: Apache-2.0 */
/* Clock and entropy of early boot: see early.h. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/early.h"

#define SOURCE_DATE INT64_C(1795392000)		/* 2026-11-23; every release moves it */
#define NOTICE_AFTER_S 2

void (*host_entropy_notice)(void);

int64_t host_time_floor(const struct host *h)
{
	struct err e = { 0 };
	AUTO_FD fd = host_open(h, "/usr/lib/clock-epoch", O_PATH, &e);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && st.st_mtim.tv_sec > SOURCE_DATE ? (int64_t)st.st_mtim.tv_sec : SOURCE_DATE;
}

int64_t host_now_bounded(const struct host *h)
{
	const int64_t now = host_now(h), least = host_time_floor(h);
	char seen[32], bound[32];

	if (h->has_now || now >= least)
		return now;
	time_format(seen, now);
	time_format(bound, least);
	host_log(h, LOG_WARN, "the clock says %s, which is before %s: dates are judged as of then (set the clock, or give --now)", seen,
		 bound);
	return least;
}

/* --- entropy ------------------------------------------------------------------------------------------------------ */

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t done_changed;
	bool done;
};

static void *notice(void *arg)
{
	struct waiting *w = arg;
	struct timespec end;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += NOTICE_AFTER_S;
	pthread_mutex_lock(&w->lock);
	while (!w->done && !rc)
		rc = pthread_cond_timedwait(&w->done_changed, &w->lock, &end);
	if (!w->done && host_entropy_notice)
		host_entropy_notice();
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* The blocking call is the one that makes the kernel gather entropy by itself, so it is not put off by polling. */
long early_getrandom(void *p, size_t n)
{
	struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	long got = getrandom(p, n, GRND_NONBLOCK);
	pthread_t t;
	bool told;

	if (got >= 0 || errno != EAGAIN)
		return got;
	told = pthread_create(&t, NULL, notice, &w) == 0;
	got = getrandom(p, n, 0);
	n = (size_t)errno;
	if (told) {
		pthread_mutex_lock(&w.lock);
		w.done = true;
		pthread_cond_signal(&w.done_changed);
		pthread_mutex_unlock(&w.lock);
		pthread_join(t, NULL);
	}
	errno = (int)n;
	return got;
}
