/* SPDX-License-Identifier: Apache-2.0 */
/* See host.h. */

#include "base/early.h"
#include "base/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define RESOLVE_IN_ROOT_ 0x10	/* include/uapi/linux/openat2.h */
struct open_how_ {
	uint64_t flags, mode, resolve;
};

void host_init(struct host *h)
{
	*h = (struct host){ .root = -1 };
}

int host_set_sysroot(struct host *h, const char *dir, struct err *e)
{
	const int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, EC_USAGE, "cannot open the sysroot '%s'", dir);
	h->root = fd;
	h->sysroot = dir;
	h->simulated = true;
	return 0;
}

void host_close(struct host *h)
{
	fd_close(&h->root);
}

static enum ec code_of_errno(void)
{
	return errno == ENOENT || errno == ENODEV || errno == ENXIO || errno == ENOTDIR ? EC_ABSENT : EC_IO;
}

int host_openm(const struct host *h, const char *path, int flags, unsigned mode, struct err *e)
{
	struct stat st;
	int fd;

	if (path[0] != '/')
		return err_set(e, EC_BUG, "'%s' is not an absolute path", path);
	if (h->root < 0) {
		fd = open(path, flags | O_CLOEXEC, mode);
	} else {
		struct open_how_ how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK)),
					 .mode = flags & O_CREAT ? mode : 0, .resolve = RESOLVE_IN_ROOT_ };

		/* EAGAIN: something was renamed somewhere while a ".." was followed, and the kernel could not be sure of it */
		for (int tries = 0; (fd = (int)syscall(SYS_openat2, h->root, path, &how, sizeof how)) < 0 && errno == EAGAIN && tries < 1000;)
			tries++;
	}
	if (fd < 0)
		return err_sys(e, code_of_errno(), "'%s%s'", h->sysroot ? h->sysroot : "", path);
	/* A captured machine consists of files: a pipe or device in it would block, or be the real one. */
	if (h->root >= 0 && !(flags & O_PATH) && (fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))) {
		close(fd);
		return err_set(e, EC_FORMAT, "'%s%s' is neither a file nor a folder", h->sysroot, path);
	}
	return fd;
}

int host_open(const struct host *h, const char *path, int flags, struct err *e)
{
	return host_openm(h, path, flags, 0, e);
}

bool host_exists(const struct host *h, const char *path)
{
	AUTO_FD fd = host_open(h, path, O_PATH, NULL);

	return fd >= 0;
}

/* The folder above path is opened below the root, so that mkdir and rmdir cannot leave it. */
static int open_parent(const struct host *h, const char *path, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO_STR *dir = NULL;

	if (!slash || !slash[1])
		return err_set(e, EC_BUG, "'%s' does not name an entry", path);
	dir = slash == path ? str_dup("/", e) : str_ndup(path, (size_t)(slash - path), e);
	*name = slash + 1;
	return dir ? host_open(h, dir, O_RDONLY | O_DIRECTORY, e) : -1;
}

int host_mkdir(const struct host *h, const char *path, unsigned mode, struct err *e)
{
	const char *name;
	AUTO_FD dir = open_parent(h, path, &name, e);

	if (dir < 0)
		return -1;
	if (mkdirat(dir, name, mode))
		return err_sys(e, code_of_errno(), "cannot make '%s'", path);
	return 0;
}

int host_rmdir(const struct host *h, const char *path, struct err *e)
{
	const char *name;
	AUTO_FD dir = open_parent(h, path, &name, e);

	if (dir < 0)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR))
		return err_sys(e, code_of_errno(), "cannot remove '%s'", path);
	return 0;
}

int host_read(struct buf *ret, const struct host *h, const char *path, size_t max, struct err *e)
{
	AUTO_FD fd = host_open(h, path, O_RDONLY | O_NOCTTY, e);

	if (fd < 0)
		return -1;
	if (fd_read_all(ret, fd, max, e))
		return err_ctx(e, "'%s'", path);
	return 0;
}

int host_read_line(struct buf *ret, const struct host *h, const char *path, struct err *e)
{
	AUTO_BUF all = { .max = 1 << 16 };
	struct slice line = { NULL, 0 };

	if (host_read(&all, h, path, (1 << 16) - 1, e))
		return -1;
	line = buf_view(&all);
	if (line.n) {
		const uint8_t *nl = memchr(line.p, '\n', line.n);

		if (nl)
			line.n = (size_t)(nl - line.p);
	}
	while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t' || line.p[line.n - 1] == '\r'))
		line.n--;
	buf_slice(ret, line);
	return buf_check(ret, e);
}

int host_write(const struct host *h, const char *path, struct slice data, struct err *e)
{
	AUTO_FD fd = host_open(h, path, O_WRONLY | O_NOCTTY, e);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = write(fd, data.p, data.n);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, EC_IO, "cannot write '%s'", path);
	if ((size_t)n != data.n)
		return err_set(e, EC_IO, "cannot write '%s': %zd of %zu bytes taken", path, n, data.n);
	return 0;
}

int host_readlink(struct buf *ret, const struct host *h, const char *path, struct err *e)
{
	const char *name;
	AUTO_FD dir = open_parent(h, path, &name, e);
	char text[4096];
	ssize_t n;

	if (dir < 0)
		return -1;
	n = readlinkat(dir, name, text, sizeof text);
	if (n < 0)
		return err_sys(e, errno == EINVAL ? EC_ABSENT : code_of_errno(), "cannot read the link '%s'", path);
	if ((size_t)n == sizeof text)
		return err_set(e, EC_FORMAT, "link '%s' is too long", path);
	buf_put(ret, text, (size_t)n);
	return buf_check(ret, e);
}

#define LIST_MAX 65536

struct names {
	char **v;
	size_t n;
};

static void names_free(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

static int names_read(struct names *l, DIR *d, const char *path, struct err *e)
{
	const struct dirent *de;

	while (errno = 0, (de = readdir(d))) {
		char **more;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (l->n == LIST_MAX)
			return err_set(e, EC_FORMAT, "more than %d entries in '%s'", LIST_MAX, path);
		more = realloc(l->v, (l->n + 1) * sizeof *more);
		if (!more)
			return err_oom(e);
		l->v = more;
		l->v[l->n] = str_dup(de->d_name, e);
		if (!l->v[l->n])
			return -1;
		l->n++;
	}
	return errno ? err_sys(e, EC_IO, "cannot list '%s'", path) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int host_list(const struct host *h, const char *path, int (*f)(void *arg, const char *name), void *arg, struct err *e)
{
	__attribute__((cleanup(names_free))) struct names l = { 0 };
	const int fd = host_open(h, path, O_RDONLY | O_DIRECTORY, e);
	DIR *d;
	int rc;

	if (fd < 0)
		return -1;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_oom(e);
	}
	rc = names_read(&l, d, path, e);
	closedir(d);
	if (rc)
		return -1;
	if (l.n)
		qsort(l.v, l.n, sizeof *l.v, by_name);
	for (size_t i = 0; i < l.n && !rc; i++)
		rc = f(arg, l.v[i]);
	return rc;
}

int64_t host_now(const struct host *h)
{
	struct timespec t;

	if (h->has_now)
		return h->now_fixed;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec;
}

int64_t host_mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t host_left_ms(const struct host *h, int64_t step_ms)
{
	int64_t left;

	if (!h->deadline_ms)
		return step_ms;
	left = h->deadline_ms - host_mono_ms();
	return left < 0 ? 0 : left < step_ms ? left : step_ms;
}

int host_random(void *ret, size_t n, struct err *e)
{
	uint8_t *p = ret;

	while (n) {
		const long got = early_getrandom(p, n > 256 ? 256 : n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_sys(e, EC_IO, "cannot get random bytes");
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

void host_log(const struct host *h, enum log_level lvl, const char *fmt, ...)
{
	struct err line;
	char text[1024];
	va_list ap;

	if (!h->log || (int)lvl > h->verbosity)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(&line, EC_OK, "%s", text);	/* for its escaping */
	h->log(h->log_arg, lvl, line.msg);
}

int file_read(struct buf *ret, const char *path, size_t max, struct err *e)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, EC_IO, "cannot open '%s'", path);
	if (fd_read_all(ret, fd, max, e))
		return err_ctx(e, "cannot read '%s'", path);
	return 0;
}

int fd_read_all(struct buf *ret, int fd, size_t max, struct err *e)
{
	size_t total = 0;
	uint8_t chunk[16384];

	for (;;) {
		const ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, EC_IO, "read");
		if (!n)
			break;
		total += (size_t)n;
		if (total > max)
			return err_set(e, EC_FORMAT, "more than %zu bytes", max);
		buf_put(ret, chunk, (size_t)n);
	}
	return buf_check(ret, e);
}

int fd_write_all(int fd, const void *p, size_t n, struct err *e)
{
	const uint8_t *at = p;

	while (n) {
		const ssize_t done = write(fd, at, n > (1u << 30) ? 1u << 30 : n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_sys(e, EC_IO, "write");
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
