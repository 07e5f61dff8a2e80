/* SPDX-License-Identifier: Apache-2.0 */
/* See secret.h. */

#include "base/secret.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/host.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18	/* include/uapi/asm-generic/mman-common.h */
#endif

/* Layout of a mapping: guard page, data pages with the secret at their end (an overrun faults), guard page. */
int secret_alloc(struct secret *ret, size_t n, struct err *e)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct secret s = { .n = n };
	size_t data;
	uint8_t *map;

	if (n > SECRET_MAX)
		return err_set(e, EC_FORMAT, "secret of %zu bytes, at most %zu are taken", n, SECRET_MAX);
	data = (n + page - 1) / page * page;
	if (!data)
		data = page;
	s.map_n = data + 2 * page;
	map = mmap(NULL, s.map_n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return err_oom(e);
	if (mprotect(map + page, data, PROT_READ | PROT_WRITE)) {
		munmap(map, s.map_n);
		return err_oom(e);
	}
	mlock(map + page, data);	/* best effort: a small RLIMIT_MEMLOCK must not stop a boot */
	madvise(map + page, data, MADV_DONTDUMP);
	madvise(map + page, data, MADV_WIPEONFORK);
	s.map = map;
	s.p = map + page + data - (n + 15) / 16 * 16;
	secret_wipe(ret);
	*ret = s;
	return 0;
}

void secret_wipe(struct secret *s)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (s->map) {
		mem_wipe((uint8_t *)s->map + page, s->map_n - 2 * page);
		munmap(s->map, s->map_n);
	}
	*s = (struct secret){ 0 };
}

int secret_from(struct secret *ret, struct slice s, struct err *e)
{
	AUTO_SECRET t = { 0 };

	if (secret_alloc(&t, s.n, e))
		return -1;
	if (s.n)
		memcpy(t.p, s.p, s.n);
	secret_give(ret, &t);
	return 0;
}

void secret_shrink(struct secret *s, size_t n)
{
	if (n < s->n) {
		mem_wipe(s->p + n, s->n - n);
		s->n = n;
	}
}

void secret_give(struct secret *to, struct secret *from)
{
	if (to == from)
		return;
	secret_wipe(to);
	*to = *from;
	*from = (struct secret){ 0 };
}

bool secret_eq(const struct secret *a, struct slice b)
{
	return a->n == b.n && mem_eq_ct(a->p, b.p, b.n);
}

struct slice secret_view(const struct secret *s)
{
	return (struct slice){ s->p, s->n };
}

int secret_read_fd(struct secret *ret, int fd, size_t max, struct err *e)
{
	AUTO_SECRET t = { 0 };
	size_t n = 0;

	if (max > SECRET_MAX - 1)
		max = SECRET_MAX - 1;
	if (secret_alloc(&t, max < 4096 ? max + 1 : 4096, e))
		return -1;
	for (;;) {
		ssize_t got;

		if (n == t.n) {		/* grow by moving, so that the old pages are wiped */
			AUTO_SECRET more = { 0 };

			if (n > max)
				return err_set(e, EC_FORMAT, "more than %zu bytes", max);
			if (secret_alloc(&more, 2 * n > max ? max + 1 : 2 * n, e))
				return -1;
			memcpy(more.p, t.p, n);
			secret_give(&t, &more);
		}
		got = read(fd, t.p + n, t.n - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, EC_IO, "read");
		if (!got)
			break;
		n += (size_t)got;
	}
	if (n > max)
		return err_set(e, EC_FORMAT, "more than %zu bytes", max);
	secret_shrink(&t, n);
	secret_give(ret, &t);
	return 0;
}

int secret_write_fd(const struct secret *s, int fd, struct err *e)
{
	return fd_write_all(fd, s->p, s->n, e);
}

void secret_harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__		/* the leak checker reads its own memory through ptrace */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
