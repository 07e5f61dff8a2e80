/* SPDX-License-Identifier: Apache-2.0 */
/* See pool.h. */

#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define POOL_MAX 1024
#define SPINS 4000		/* some tens of microseconds: shorter than a futex round trip under load, longer than one matrix row */

static void relax(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#else
	__asm__ volatile("" ::: "memory");
#endif
}

struct run {
	size_t count;
	int (*f)(void *arg, size_t i, unsigned worker, struct err *e);
	void *arg;
	atomic_size_t next;
	atomic_bool stop;
	pthread_mutex_t lock;	/* guards the two below */
	size_t failed_at;
	struct err *e;
};

struct pool {
	unsigned n, started;
	int spins;		/* before sleeping; none where there are more threads than processors: a spinner would hold up the worker it waits for */
	pthread_t *threads;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	atomic_uint turn;	/* rises by one for each run; workers wait for it to change */
	atomic_uint busy;	/* workers that have not finished the current run */
	bool quit;
	struct run *run;
};
struct seat {
	struct pool *p;
	unsigned worker;
};

static void work(struct run *r, unsigned worker)
{
	while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
		const size_t i = atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed);
		struct err e = { .code = EC_BUG };

		if (i >= r->count)
			return;
		if (!r->f(r->arg, i, worker, &e))
			continue;
		pthread_mutex_lock(&r->lock);
		if (i < r->failed_at) {
			r->failed_at = i;
			if (r->e)
				*r->e = e;
		}
		pthread_mutex_unlock(&r->lock);
		atomic_store(&r->stop, true);
	}
}

static void *worker_main(void *arg)
{
	struct seat seat = *(struct seat *)arg;
	struct pool *p = seat.p;
	unsigned seen = 0;

	free(arg);
	for (;;) {
		for (int i = 0; i < p->spins && atomic_load(&p->turn) == seen; i++)
			relax();
		if (atomic_load(&p->turn) == seen) {
			pthread_mutex_lock(&p->lock);
			while (atomic_load(&p->turn) == seen)
				pthread_cond_wait(&p->wake, &p->lock);
			pthread_mutex_unlock(&p->lock);
		}
		seen = atomic_load(&p->turn);	/* a new turn starts only after this worker has done the last one */
		if (p->quit)
			return NULL;
		work(p->run, seat.worker);
		if (atomic_fetch_sub(&p->busy, 1) == 1) {
			pthread_mutex_lock(&p->lock);
			pthread_cond_signal(&p->done);
			pthread_mutex_unlock(&p->lock);
		}
	}
}

unsigned cpu_count(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof set, &set))
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > POOL_MAX ? POOL_MAX : (unsigned)n;
}

static int start_one(struct pool *p, unsigned worker)
{
	struct seat *seat = malloc(sizeof *seat);
	pthread_attr_t attr;
	int rc;

	if (!seat)
		return -1;
	*seat = (struct seat){ p, worker };
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 20);	/* musl's default of 128 KiB is too small for bignum code */
	rc = pthread_create(&p->threads[p->started], &attr, worker_main, seat);
	pthread_attr_destroy(&attr);
	if (rc) {
		free(seat);
		return -1;
	}
	p->started++;
	return 0;
}

int pool_new(struct pool **ret, unsigned n, struct err *e)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!n)
		n = cpu_count();
	if (n > POOL_MAX)
		n = POOL_MAX;
	if (!p)
		return err_oom(e);
	p->n = n;
	p->spins = n > cpu_count() ? 0 : SPINS;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_cond_init(&p->done, NULL);
	p->threads = calloc(n, sizeof *p->threads);
	if (!p->threads) {
		pool_free(p);
		return err_oom(e);
	}
	for (unsigned i = 1; i < n; i++)
		if (start_one(p, i)) {
			p->n = i;	/* fewer threads is slower, not wrong */
			break;
		}
	*ret = p;
	return 0;
}

static void wake_all(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	atomic_fetch_add(&p->turn, 1);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	p->quit = true;
	wake_all(p);
	for (unsigned i = 0; i < p->started; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_cond_destroy(&p->done);
	pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p);
}

unsigned pool_size(const struct pool *p)
{
	return p->n;
}

int pool_run(struct pool *p, size_t count, int (*f)(void *arg, size_t i, unsigned worker, struct err *e), void *arg,
	     struct err *e)
{
	struct run r = { .count = count, .f = f, .arg = arg, .failed_at = (size_t)-1, .e = e };

	pthread_mutex_init(&r.lock, NULL);
	if (p->n > 1 && count > 1) {
		p->run = &r;
		atomic_store(&p->busy, p->n - 1);
		wake_all(p);
		work(&r, 0);
		for (int i = 0; i < p->spins && atomic_load(&p->busy); i++)
			relax();
		pthread_mutex_lock(&p->lock);
		while (atomic_load(&p->busy))
			pthread_cond_wait(&p->done, &p->lock);
		pthread_mutex_unlock(&p->lock);
		p->run = NULL;
	} else {
		work(&r, 0);
	}
	pthread_mutex_destroy(&r.lock);
	return r.failed_at == (size_t)-1 ? 0 : -1;
}
