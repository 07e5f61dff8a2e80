/* SPDX-License-Identifier: Apache-2.0 */
/* See outfile.h. */

#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"

static int split(struct outfile *o, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO_STR *dir = slash == path ? str_dup("/", e) :
			slash ? str_ndup(path, (size_t)(slash - path), e) : str_dup(".", e);

	o->name = str_dup(slash ? slash + 1 : path, e);
	if (!dir || !o->name)
		return -1;
	if (!*o->name || !strcmp(o->name, ".") || !strcmp(o->name, ".."))
		return err_set(e, EC_USAGE, "'%s' does not name a file", path);
	o->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dir < 0)
		return err_sys(e, EC_IO, "cannot open folder '%s'", dir);
	return 0;
}

static int check_target(const struct outfile *o, const char *path, struct err *e)
{
	struct stat st;

	if (fstatat(o->dir, o->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : err_sys(e, EC_IO, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EC_USAGE, "'%s' exists and is not a regular file", path);
	if (!o->overwrite) {
		err_set(e, EC_USAGE, "'%s' exists already", path);
		return err_hint(e, "remove it, choose another name, or give -f if it may be replaced");
	}
	return 0;
}

static char *temp_name(const char *name, struct err *e)
{
	uint8_t r[8];

	if (host_random(r, sizeof r, e))
		return NULL;
	return str_printf(e, ".%.200s.%02x%02x%02x%02x%02x%02x%02x%02x.tmp", name, r[0], r[1], r[2], r[3], r[4], r[5], r[6],
			  r[7]);
}

int outfile_open(struct outfile *o, const char *path, unsigned mode, bool overwrite, struct err *e)
{
	o->overwrite = overwrite;
	if (split(o, path, e) || check_target(o, path, e))
		return -1;
	o->tmp = temp_name(o->name, e);
	if (!o->tmp)
		return -1;
	o->fd = openat(o->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	o->unnamed = o->fd >= 0;
	if (o->fd < 0)		/* file systems without O_TMPFILE: overlayfs of old kernels, NFS, 9p */
		o->fd = openat(o->dir, o->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (o->fd < 0)
		return err_sys(e, EC_IO, "cannot create '%s'", path);
	if (fchmod(o->fd, mode & 0777))
		return err_sys(e, EC_IO, "cannot set the mode of '%s'", path);
	return 0;
}

/* Gives the unnamed file a name.  linkat cannot replace, so an overwrite takes the temporary name first. */
static int name_it(struct outfile *o, const char *name)
{
	char self[40];

	snprintf(self, sizeof self, "/proc/self/fd/%d", o->fd);
	if (!linkat(AT_FDCWD, self, o->dir, name, AT_SYMLINK_FOLLOW))
		return 0;
	if (errno != ENOENT && errno != EACCES)
		return -1;
	return linkat(o->fd, "", o->dir, name, AT_EMPTY_PATH);	/* no /proc: needs CAP_DAC_READ_SEARCH */
}

static int publish(struct outfile *o)
{
	if (o->unnamed) {
		if (!o->overwrite)
			return name_it(o, o->name);
		if (name_it(o, o->tmp))
			return -1;
		o->unnamed = false;
	}
	if (o->overwrite)
		return renameat(o->dir, o->tmp, o->dir, o->name);
	if (linkat(o->dir, o->tmp, o->dir, o->name, 0))	/* fails if the name appeared meanwhile; rename would not */
		return -1;
	unlinkat(o->dir, o->tmp, 0);
	return 0;
}

int outfile_commit(struct outfile *o, struct err *e)
{
	if (o->fd < 0)
		return err_set(e, EC_BUG, "commit of a file that is not open");
	if (fsync(o->fd))
		return err_sys(e, EC_IO, "cannot write '%s'", o->name);
	if (publish(o)) {
		if (errno == EEXIST)
			return err_set(e, EC_USAGE, "'%s' appeared meanwhile", o->name);
		return err_sys(e, EC_IO, "cannot name '%s'", o->name);
	}
	fsync(o->dir);		/* some file systems cannot; the data itself is safe */
	free(o->tmp);
	o->tmp = NULL;
	fd_close(&o->fd);
	outfile_drop(o);
	return 0;
}

void outfile_drop(struct outfile *o)
{
	if (o->fd >= 0 && !o->unnamed)
		unlinkat(o->dir, o->tmp, 0);
	fd_close(&o->fd);
	fd_close(&o->dir);
	str_free(&o->name);
	str_free(&o->tmp);
	o->unnamed = false;
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool outfile_same(const char *a, const char *b)
{
	struct outfile x = OUTFILE_INIT, y = OUTFILE_INIT;
	struct stat s, t;
	bool same;

	if (!stat(a, &s) && !stat(b, &t) && same_inode(&s, &t))
		return true;
	same = !split(&x, a, NULL) && !split(&y, b, NULL) && !strcmp(x.name, y.name) && !fstat(x.dir, &s) &&
	       !fstat(y.dir, &t) && same_inode(&s, &t);
	outfile_drop(&x);
	outfile_drop(&y);
	return same;
}

int outfile_write(const char *path, struct slice data, unsigned mode, bool overwrite, struct err *e)
{
	AUTO_OUTFILE o = OUTFILE_INIT;

	if (outfile_open(&o, path, mode, overwrite, e))
		return -1;
	if (fd_write_all(o.fd, data.p, data.n, e))
		return err_ctx(e, "cannot write '%s'", path);
	return outfile_commit(&o, e);
}
