/* SPDX-License-Identifier: Apache-2.0 */
/* See pipeline.h. */

#include "model/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/pool.h"

#define TASK_BYTES ((size_t)1 << 20)
#define MEMORY ((uint64_t)512 << 20)	/* for all buffers; one task at least fits whatever it needs */
#define TMPFS_MAGIC 0x01021994		/* linux/magic.h */
#define ROOM 64				/* before a segment: PIECE_LEAD, and the buffers stay aligned */

struct slot {		/* buffers of one task */
	uint8_t *mem, *in, *out;
	size_t cap;
	size_t in_n, out_n;
	uint64_t first;		/* number of its first segment */
	bool last;		/* it holds the last one */
	bool ok;
};

struct pipeline {
	struct pool *pool;
	struct slot *slots;
	size_t n_slots;
	unsigned threads;	/* wanted; 0: one per CPU */
	size_t task_bytes;
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
	pthread_mutex_t progress_lock;
	int64_t deadline_ms;
	uint64_t before, total;		/* of the whole job */
	atomic_uint_fast64_t done;
};

struct run {
	struct pipeline *p;
	const struct container *c;
	struct input *in;
	struct sink *out;
	uint64_t per_task;	/* segments in one task */
	uint64_t tasks;		/* sized inputs: number of them */
	size_t in_cap, out_cap;
	void **workers;
	size_t n_workers, n_slots;
	uint8_t tail[PIECE_LEAD];	/* streams: the last bytes before the next segment */
	_Atomic uint64_t end;		/* in place: size of the result */
};

int pipeline_new(struct pipeline **ret, const struct model_opts *o, struct err *e)
{
	struct pipeline *p = calloc(1, sizeof *p);

	if (!p)
		return err_oom(e);
	p->threads = o->threads;
	p->task_bytes = o->task_bytes ? o->task_bytes : TASK_BYTES;
	p->deadline_ms = o->deadline_ms;
	p->progress = o->progress;
	p->progress_arg = o->progress_arg;
	pthread_mutex_init(&p->progress_lock, NULL);
	*ret = p;
	return 0;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	pool_free(p->pool);
	for (size_t i = 0; i < p->n_slots; i++) {
		if (p->slots[i].mem)
			mem_wipe(p->slots[i].mem, p->slots[i].cap);
		free(p->slots[i].mem);
	}
	free(p->slots);
	pthread_mutex_destroy(&p->progress_lock);
	free(p);
}

void pipeline_cleanup(struct pipeline **p)
{
	pipeline_free(*p);
	*p = NULL;
}

void pipeline_progress(struct pipeline *p, uint64_t done, uint64_t total)
{
	p->before = done;
	p->total = total;
}

/* Counts n bytes as done.  One caller of progress at a time; a thread that finds it busy goes on, its bytes are in
 * the next call. */
static int tell(struct run *r, uint64_t n, struct err *e)
{
	struct pipeline *p = r->p;
	const uint64_t done = atomic_fetch_add(&p->done, n) + n;

	if (p->deadline_ms && host_mono_ms() > p->deadline_ms)
		return err_set(e, EC_IO, "the time limit is over");
	if (!p->progress || pthread_mutex_trylock(&p->progress_lock))
		return 0;
	p->progress(p->progress_arg, p->before + done, p->total ? p->total : r->in->sized ? r->in->size : 0);
	pthread_mutex_unlock(&p->progress_lock);
	return 0;
}

/* Serial formats, and files of one task, do without threads. */
static int for_each(struct run *r, size_t n, int (*f)(void *arg, size_t i, unsigned w, struct err *e), void *arg,
		    struct err *e)
{
	if (r->p->pool && !r->c->serial)
		return pool_run(r->p->pool, n, f, arg, e);
	for (size_t i = 0; i < n; i++)
		if (f(arg, i, 0, e))
			return -1;
	return 0;
}

/* --- sizes ---------------------------------------------------------------------------------------------------- */

static bool in_place_work(const struct run *r)
{
	return r->per_task == 1;
}

static int plan(struct run *r, struct err *e)
{
	const struct layout *in = &r->c->in, *out = &r->c->out;
	const uint64_t seg = in->seg > in->first ? in->seg : in->first;
	const uint64_t out_seg = out->seg > out->first ? out->seg : out->first;
	uint64_t slot, want;

	if (!in->seg || !out->seg)
		return err_set(e, EC_BUG, "segments of no size");
	r->per_task = r->p->task_bytes / in->seg ? r->p->task_bytes / in->seg : 1;
	r->in_cap = (size_t)(seg * r->per_task + in->trail);
	r->out_cap = (size_t)(out_seg * r->per_task);
	slot = ROOM + (in_place_work(r) ? (r->in_cap > r->out_cap ? r->in_cap : r->out_cap)
					: r->in_cap + ROOM + r->out_cap);
	if (r->in->sized)
		r->tasks = (layout_count(in, r->in->size) + r->per_task - 1) / r->per_task;
	r->n_workers = r->c->serial ? 1 : r->p->threads ? r->p->threads : cpu_count();
	if (r->in->sized && r->n_workers > r->tasks)
		r->n_workers = (size_t)r->tasks;
	want = MEMORY / slot ? MEMORY / slot : 1;
	if (r->n_workers > want)
		r->n_workers = (size_t)want;
	r->n_slots = r->n_workers * 4;		/* batches: enough that an uneven end costs little */
	if (r->n_slots > want)
		r->n_slots = (size_t)want;
	if (r->in->sized && r->n_slots > r->tasks)
		r->n_slots = (size_t)r->tasks;
	if (r->n_slots < r->n_workers)
		r->n_slots = r->n_workers;
	return 0;
}

static int ready_pool(struct run *r, struct err *e)
{
	struct pipeline *p = r->p;

	if (p->pool && pool_size(p->pool) < r->n_workers) {
		pool_free(p->pool);
		p->pool = NULL;
	}
	if (!p->pool && r->n_workers > 1 && pool_new(&p->pool, (unsigned)r->n_workers, e))
		return -1;
	/* A larger pool from an earlier run: each of its threads may get a task. */
	if (p->pool)
		r->n_workers = pool_size(p->pool);
	if (r->n_slots < r->n_workers)
		r->n_slots = r->n_workers;
	r->workers = calloc(r->n_workers, sizeof *r->workers);
	return r->workers ? 0 : err_oom(e);
}

static int ready_slots(struct run *r, struct err *e)
{
	struct pipeline *p = r->p;

	if (p->n_slots < r->n_slots) {
		struct slot *more = realloc(p->slots, r->n_slots * sizeof *more);

		if (!more)
			return err_oom(e);
		memset(more + p->n_slots, 0, (r->n_slots - p->n_slots) * sizeof *more);
		p->slots = more;
		p->n_slots = r->n_slots;
	}
	return 0;
}

/* Memory of a slot comes when it is first used: short files touch one. */
static int ready_slot(struct slot *s, const struct run *r, struct err *e)
{
	const size_t longest = r->in_cap > r->out_cap ? r->in_cap : r->out_cap;
	const size_t in_room = (r->in_cap + 63) / 64 * 64 + ROOM;
	const size_t need = ROOM + (in_place_work(r) ? longest : in_room + r->out_cap);

	if (s->cap < need) {
		if (s->mem)
			mem_wipe(s->mem, s->cap);
		free(s->mem);
		s->mem = NULL;
		s->cap = 0;
		if (posix_memalign((void **)&s->mem, 4096, need))
			return err_oom(e);
		s->cap = need;
	}
	s->in = s->mem + ROOM;
	s->out = in_place_work(r) ? s->in : s->in + in_room;
	return 0;
}

/* --- one task --------------------------------------------------------------------------------------------------- */

static int read_at(struct slot *s, struct run *r, uint64_t task, struct err *e)
{
	const struct layout *l = &r->c->in;
	uint64_t from, to;

	s->first = task * r->per_task;
	s->last = task + 1 == r->tasks;
	from = layout_start(l, s->first);
	to = s->last ? r->in->size : layout_start(l, s->first + r->per_task);
	if (from > r->in->size || to < from || to - from > r->in_cap)
		return err_set(e, EC_FORMAT, "'%s' is cut: it ends inside its header", r->in->name);
	s->in_n = (size_t)(to - from);
	if (r->c->wants_lead && s->first)
		return input_at(s->in - PIECE_LEAD, s->in_n + PIECE_LEAD, from - PIECE_LEAD, r->in, e);
	return input_at(s->in, s->in_n, from, r->in, e);
}

/* Next task of a stream.  It is the last one when no more than a trailer follows, which then belongs to it. */
static int read_next(struct slot *s, struct run *r, uint64_t first, struct err *e)
{
	const struct layout *l = &r->c->in;
	const size_t want = (size_t)(layout_start(l, first + r->per_task) - layout_start(l, first));
	struct slice rest;
	size_t more;

	s->first = first;
	if (input_read(s->in, want, &s->in_n, r->in, e) || input_peek(&rest, r->in, (size_t)l->trail + 1, e))
		return -1;
	s->last = rest.n <= l->trail;
	if (s->last) {
		if (input_read(s->in + s->in_n, rest.n, &more, r->in, e))
			return -1;
		s->in_n += more;
	}
	if (r->c->wants_lead) {
		memcpy(s->in - PIECE_LEAD, r->tail, PIECE_LEAD);
		if (s->in_n >= PIECE_LEAD)
			memcpy(r->tail, s->in + s->in_n - PIECE_LEAD, PIECE_LEAD);
	}
	return 0;
}

static int work_on(struct slot *s, const struct run *r, void *worker, struct err *e)
{
	const struct layout *in = &r->c->in, *out = &r->c->out;
	uint64_t i = s->first;
	size_t at = 0;

	s->out_n = 0;
	for (;; i++) {
		const size_t n = i ? in->seg : in->first, left = s->in_n - at;
		struct piece p = { .i = i, .in = s->in + at, .out = s->out + s->out_n };

		p.last = s->last && left <= n + in->trail;
		p.in_n = p.last ? left : n;
		if (p.in_n > left)
			return err_set(e, EC_BUG, "segment %llu is short", (unsigned long long)i);
		if (r->c->work(r->c, worker, &p, e))
			return -1;
		if (p.out_n > (i ? out->seg : out->first) || (!p.last && p.out_n != (i ? out->seg : out->first)))
			return err_set(e, EC_BUG, "segment %llu gave %zu bytes", (unsigned long long)i, p.out_n);
		at += p.in_n;
		s->out_n += p.out_n;
		if (p.last || (!s->last && at == s->in_n))
			return 0;
	}
}

static int worker_of(void **ret, struct run *r, unsigned w, struct err *e)
{
	if (!r->workers[w] && r->c->worker_new && r->c->worker_new(&r->workers[w], r->c, e))
		return -1;
	*ret = r->workers[w];
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static int write_error(struct err *e)
{
	const int why = errno;

	err_sys(e, EC_IO, "cannot write the output");
	if (why == ENOSPC || why == EDQUOT)
		err_hint(e, "there is no room left on the file system of the output");
	return -1;
}

static int write_at(const struct sink *out, const uint8_t *p, size_t n, uint64_t at, struct err *e)
{
	while (n) {
		const ssize_t k = pwrite(out->fd, p, n, (off_t)at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return write_error(e);
		p += k, n -= (size_t)k, at += (uint64_t)k;
	}
	return 0;
}

static int write_next(struct sink *out, const uint8_t *p, size_t n, struct err *e)
{
	while (n) {
		const ssize_t k = write(out->fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return write_error(e);
		p += k, n -= (size_t)k;
		out->written += (uint64_t)k;
	}
	return 0;
}

static void remember_first(struct sink *out, const uint8_t *p, size_t n)
{
	const size_t room = sizeof out->first - out->first_n, k = n < room ? n : room;

	memcpy(out->first + out->first_n, p, k);
	out->first_n += k;
}

static int put_in_order(struct sink *out, const uint8_t *p, size_t n, struct err *e)
{
	if (out->hash && hasher_add(out->hash, slice_of(p, n), e))
		return -1;
	remember_first(out, p, n);
	if (!out->in_place)
		return write_next(out, p, n, e);
	if (write_at(out, p, n, out->written, e))
		return -1;
	out->written += n;
	return 0;
}

/* --- any place to any place --------------------------------------------------------------------------------------- */

static int free_task(void *arg, size_t i, unsigned w, struct err *e)
{
	struct run *r = arg;
	struct slot *s = &r->p->slots[w];
	const uint64_t at = layout_start(&r->c->out, i * r->per_task);
	void *worker;

	if (ready_slot(s, r, e) || worker_of(&worker, r, w, e) || read_at(s, r, i, e) || work_on(s, r, worker, e) ||
	    write_at(r->out, s->out, s->out_n, at, e))
		return -1;
	if (!i)
		remember_first(r->out, s->out, s->out_n);
	if (s->last)
		r->end = at + s->out_n;
	return tell(r, s->in_n, e);
}

/* A full disk is better known now than in an hour.  tmpfs would touch every page, one thread alone: there the free
 * space is compared.  A file system that cannot tell will fail while writing. */
static int ask_for_room(const struct run *r, struct err *e)
{
	const uint64_t n = r->in->size;
	struct statfs fs;

	if (n <= TASK_BYTES || fstatfs(r->out->fd, &fs))
		return 0;
	if (fs.f_type == TMPFS_MAGIC) {
		if (!fs.f_blocks || n / (uint64_t)fs.f_bsize <= fs.f_bavail)
			return 0;
		errno = ENOSPC;
		return write_error(e);
	}
	if (fallocate(r->out->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)n) &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return write_error(e);
	return 0;
}

static int run_free(struct run *r, struct err *e)
{
	if (r->tasks > SIZE_MAX)
		return err_set(e, EC_FORMAT, "'%s' is too long", r->in->name);
	if (ask_for_room(r, e))
		return -1;
	if (write_at(r->out, r->c->header, r->c->header_n, 0, e) ||
	    for_each(r, (size_t)r->tasks, free_task, r, e))
		return -1;
	r->out->written = r->end;
	if (ftruncate(r->out->fd, (off_t)r->end))	/* gives back room that was asked for and not used */
		return write_error(e);
	return 0;
}

/* --- in order ------------------------------------------------------------------------------------------------------- */

struct batch {
	struct run *r;
	uint64_t task;		/* of the first slot */
	bool filled;		/* from a stream, before */
};

static int batch_task(void *arg, size_t i, unsigned w, struct err *e)
{
	const struct batch *b = arg;
	struct run *r = b->r;
	struct slot *s = &r->p->slots[i];
	void *worker;

	if (worker_of(&worker, r, w, e))
		return -1;
	if (!b->filled && (ready_slot(s, r, e) || read_at(s, r, b->task + i, e)))
		return -1;
	if (work_on(s, r, worker, e))
		return -1;
	s->ok = true;
	return 0;
}

static int fill_batch(size_t *n, bool *end, const struct batch *b, struct err *e)
{
	struct run *r = b->r;

	for (*n = 0; *n < r->n_slots && !*end; ++*n) {
		struct slot *s = &r->p->slots[*n];

		if (ready_slot(s, r, e) || read_next(s, r, (b->task + *n) * r->per_task, e))
			return -1;
		*end = s->last;
	}
	return 0;
}

/* Takes the header off a stream; formats have looked at it while opening. */
static int skip_head(struct run *r, struct err *e)
{
	uint8_t head[256];
	const size_t n = (size_t)r->c->in.head;
	size_t got;

	if (r->in->sized)
		return 0;	/* tasks are read at their place */
	if (n > sizeof head || input_read(head, n, &got, r->in, e) || got != n)
		return err_set(e, EC_FORMAT, "'%s' is cut: it ends inside its header", r->in->name);
	return 0;
}

static int run_ordered(struct run *r, struct err *e)
{
	struct batch b = { .r = r, .filled = !r->in->sized };
	bool end = false;

	if (skip_head(r, e) || put_in_order(r->out, r->c->header, r->c->header_n, e))
		return -1;
	while (!end) {
		struct err why = { 0 };
		size_t n = 0;
		int rc;

		if (b.filled) {
			if (fill_batch(&n, &end, &b, e))
				return -1;
		} else {
			n = r->tasks - b.task < r->n_slots ? (size_t)(r->tasks - b.task) : r->n_slots;
			end = b.task + n == r->tasks;
		}
		for (size_t i = 0; i < n; i++)
			r->p->slots[i].ok = false;
		rc = for_each(r, n, batch_task, &b, &why);
		for (size_t i = 0; i < n && r->p->slots[i].ok; i++) {
			const struct slot *s = &r->p->slots[i];

			if (put_in_order(r->out, s->out, s->out_n, e) || tell(r, s->in_n, e))
				return -1;
		}
		if (rc) {
			if (e)
				*e = why;
			return -1;
		}
		b.task += n;
	}
	return 0;
}

int pipeline_run(struct pipeline *p, const struct container *c, struct input *in, struct sink *out, struct err *e)
{
	struct run r = { .p = p, .c = c, .in = in, .out = out };
	int rc = -1;

	p->done = 0;
	if (!plan(&r, e) && !ready_pool(&r, e) && !ready_slots(&r, e))
		rc = in->sized && out->in_place && !out->hash && !c->serial ? run_free(&r, e) : run_ordered(&r, e);
	for (size_t i = 0; r.workers && i < r.n_workers; i++)
		if (r.workers[i])
			c->worker_free(r.workers[i]);
	free(r.workers);
	return rc;
}
