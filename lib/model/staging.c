/* SPDX-License-Identifier: Apache-2.0 */
/* See staging.h. */

#include "model/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/host.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1	/* linux/fs.h */
#endif

/* "a/b/c/" gives the open folder "a/b" and the name "c". */
static int split(struct staging *s, const char *path, struct err *e)
{
	size_t n = strlen(path), at;
	AUTO_STR *dir = NULL;

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (at = n; at && path[at - 1] != '/';)
		at--;
	s->name = str_ndup(path + at, n - at, e);
	dir = at ? str_ndup(path, at, e) : str_dup(".", e);
	if (!s->name || !dir)
		return -1;
	if (!*s->name || !strcmp(s->name, ".") || !strcmp(s->name, "..") || !strcmp(s->name, "/"))
		return err_set(e, EC_USAGE, "'%s' does not name a folder that could be made", path);
	s->parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->parent >= 0 ? 0 : err_sys(e, EC_IO, "cannot open folder '%s'", dir);
}

static int taken(const struct staging *s, struct err *e)
{
	err_set(e, EC_USAGE, "'%s' exists already", s->name);
	return err_hint(e, "remove it first: -f replaces an empty folder only, so that a wrong name cannot delete "
			   "others' files");
}

int staging_open(struct staging *s, const char *path, unsigned mode, bool overwrite, struct err *e)
{
	struct stat st;
	uint8_t r[8];

	s->mode = mode;
	s->overwrite = overwrite;
	if (split(s, path, e) || host_random(r, sizeof r, e))
		return -1;
	if (!fstatat(s->parent, s->name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (!overwrite || !S_ISDIR(st.st_mode))
			return taken(s, e);
	} else if (errno != ENOENT) {
		return err_sys(e, EC_IO, "cannot look at '%s'", path);
	}
	s->tmp = str_printf(e, ".%.200s.%02x%02x%02x%02x%02x%02x%02x%02x.tmp", s->name, r[0], r[1], r[2], r[3],
			    r[4], r[5], r[6], r[7]);
	if (!s->tmp)
		return -1;
	if (mkdirat(s->parent, s->tmp, 0700)) {
		str_free(&s->tmp);
		return err_sys(e, EC_IO, "cannot create a folder beside '%s'", path);
	}
	s->dir = openat(s->parent, s->tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dir < 0)
		return err_sys(e, EC_IO, "cannot open the new folder beside '%s'", path);
	return 0;
}

/* Goes down to the folder that holds rel; make: creates what is missing (mode then).  *last is the name in it. */
static int descend(const char **last, int dir, const char *rel, bool make, unsigned mode, struct err *e)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 3);

	for (const char *slash; at >= 0 && (slash = strchr(rel, '/')); rel = slash + 1) {
		AUTO_STR *part = str_ndup(rel, (size_t)(slash - rel), e);
		int next = -1;

		if (part && (!make || !mkdirat(at, part, mode) || errno == EEXIST))
			next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && part)
			err_sys(e, errno == ELOOP || errno == ENOTDIR ? EC_REFUSED : EC_IO,
				"cannot open folder '%s'", part);
		fd_close(&at);
		if (next < 0)
			return -1;
		at = next;
	}
	if (at < 0)
		return err_sys(e, EC_IO, "cannot open a folder");
	*last = rel;
	return at;
}

#define UNNAMED_MAX 4096

/* Each unnamed file keeps a descriptor until the end: as many as the process may have, but for some. */
static size_t descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		return 0;
	if (l.rlim_cur < l.rlim_max && l.rlim_cur < UNNAMED_MAX) {
		const rlim_t old = l.rlim_cur;

		l.rlim_cur = l.rlim_max < UNNAMED_MAX ? l.rlim_max : UNNAMED_MAX;
		if (setrlimit(RLIMIT_NOFILE, &l))
			l.rlim_cur = old;
	}
	return l.rlim_cur < 128 ? 0 : l.rlim_cur > UNNAMED_MAX ? UNNAMED_MAX - 64 : (size_t)l.rlim_cur - 64;
}

/* The file waits in the list; *ret is a second descriptor for the caller.  1: not here, or not this many. */
static int unnamed(int *ret, struct staging *s, int dir, const char *rel, unsigned mode, struct err *e)
{
	struct staged f = { .fd = -1 };

	if (!s->file) {
		s->max_files = descriptors();
		s->file = calloc(s->max_files ? s->max_files : 1, sizeof *s->file);
		if (!s->file)
			return err_oom(e);
	}
	if (s->n_files >= s->max_files)
		return 1;
	f.fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	if (f.fd < 0)
		return 1;
	*ret = fcntl(f.fd, F_DUPFD_CLOEXEC, 3);
	f.rel = str_dup(rel, e);
	if (*ret < 0 || !f.rel) {
		fd_close(ret);
		fd_close(&f.fd);
		str_free(&f.rel);
		return 1;
	}
	s->file[s->n_files++] = f;
	return 0;
}

int staging_file(struct staging *s, const char *rel, unsigned mode, struct err *e)
{
	const char *last;
	AUTO_FD dir = descend(&last, s->dir, rel, true, s->mode, e);
	int fd = -1, rc;

	if (dir < 0)
		return -1;
	rc = unnamed(&fd, s, dir, rel, mode, e);
	if (rc < 0)
		return -1;
	if (rc)
		fd = openat(dir, last, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, errno == EEXIST ? EC_REFUSED : EC_IO, "cannot create '%s'", rel);
	if (fchmod(fd, mode)) {
		close(fd);
		return err_sys(e, EC_IO, "cannot set the mode of '%s'", rel);
	}
	return fd;
}

int open_beneath(int dir, const char *rel, struct err *e)
{
	const char *last;
	AUTO_FD at = descend(&last, dir, rel, false, 0, e);
	struct stat st;
	int fd;

	if (at < 0)
		return -1;
	fd = openat(at, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno == ELOOP ? EC_REFUSED : EC_IO, "cannot open '%s'", rel);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(e, EC_REFUSED, "'%s' is not a regular file", rel);
	}
	return fd;
}

/* --- the end ------------------------------------------------------------------------------------------------ */

/* Calls f for the folder itself and each one below, deepest first. */
static int each_folder(int dir, int depth, int (*f)(int dir))
{
	const int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *x;
	int rc = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (depth > 0 && (x = readdir(d))) {
		AUTO_FD sub = -1;

		if (!strcmp(x->d_name, ".") || !strcmp(x->d_name, ".."))
			continue;
		sub = openat(dir, x->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			rc |= each_folder(sub, depth - 1, f);
	}
	closedir(d);
	return rc | f(dir);
}

static int flush(int dir)
{
	fsync(dir);		/* some file systems cannot; the files themselves were flushed */
	return 0;
}

static int empty(int dir)	/* of files, and of folders that are empty already */
{
	const int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *x;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((x = readdir(d))) {
		if (!strcmp(x->d_name, ".") || !strcmp(x->d_name, ".."))
			continue;
		if (unlinkat(dir, x->d_name, 0))
			unlinkat(dir, x->d_name, AT_REMOVEDIR);
	}
	closedir(d);
	return 0;
}

#define DEPTH 64	/* over what manifest_check_name allows */

/* rename(2) replaces an empty folder at most. */
static int take_name(const struct staging *s)
{
	if (!s->overwrite) {
		if (!syscall(SYS_renameat2, s->parent, s->tmp, s->parent, s->name, RENAME_NOREPLACE))
			return 0;
		if (errno != EINVAL && errno != ENOSYS)		/* file systems without the flag */
			return -1;
	}
	return renameat(s->parent, s->tmp, s->parent, s->name);
}

static int name_file(const struct staging *s, const struct staged *f, struct err *e)
{
	const char *last;
	AUTO_FD dir = descend(&last, s->dir, f->rel, false, 0, e);
	char self[40];

	if (dir < 0)
		return -1;
	snprintf(self, sizeof self, "/proc/self/fd/%d", f->fd);
	if (!linkat(AT_FDCWD, self, dir, last, AT_SYMLINK_FOLLOW))
		return 0;
	if (errno == ENOENT && !linkat(f->fd, "", dir, last, AT_EMPTY_PATH))	/* no /proc: needs a capability */
		return 0;
	return err_sys(e, errno == EEXIST ? EC_REFUSED : EC_IO, "cannot name '%s'", f->rel);
}

int staging_commit(struct staging *s, struct err *e)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (name_file(s, &s->file[i], e))
			return -1;
	each_folder(s->dir, DEPTH, flush);
	if (fchmod(s->dir, s->mode))
		return err_sys(e, EC_IO, "cannot set the mode of '%s'", s->name);
	if (take_name(s))
		return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR ? taken(s, e) :
		       err_sys(e, EC_IO, "cannot name '%s'", s->name);
	str_free(&s->tmp);
	fsync(s->parent);
	return 0;
}

void staging_drop(struct staging *s)
{
	for (size_t i = 0; i < s->n_files; i++) {
		fd_close(&s->file[i].fd);
		str_free(&s->file[i].rel);
	}
	free(s->file);
	s->file = NULL;
	s->n_files = 0;
	if (s->tmp && s->dir >= 0)
		each_folder(s->dir, DEPTH, empty);
	if (s->tmp)
		unlinkat(s->parent, s->tmp, AT_REMOVEDIR);
	fd_close(&s->dir);
	fd_close(&s->parent);
	str_free(&s->name);
	str_free(&s->tmp);
}
