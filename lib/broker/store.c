/* SPDX-License-Identifier: Apache-2.0 */
/* Resources as files, see store.h */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"
#include "broker/store.h"

#define TOKEN_KEY "token-key.pem"
#define ENTRIES_MAX 100000

struct kbs_store {
	int dir;
	char *path;		/* for error texts */
};

/* --- folders ------------------------------------------------------------------------------------------ */

static int private_folder(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(e, EC_IO, "cannot look at '%s'", path);
	if (st.st_uid == geteuid() && !(st.st_mode & 077))
		return 0;
	err_set(e, EC_REFUSED, "cannot use store '%s': its owner is user %u and its mode %04o, wanted user %u and 0700", path,
		(unsigned)st.st_uid, (unsigned)(st.st_mode & 07777), (unsigned)geteuid());
	return err_hint(e, "chmod 700 '%s'", path);
}

int kbs_store_open(struct kbs_store **ret, const char *dir, bool create, struct err *e)
{
	AUTO_FD fd = -1;
	struct kbs_store *s;

	if (create && mkdir(dir, 0700) && errno != EEXIST)
		return err_sys(e, EC_IO, "cannot create store '%s'", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		err_set(e, EC_ABSENT, "there is no store '%s'", dir);
		return err_hint(e, "'cvmbox kbs put' makes it");
	}
	if (fd < 0)
		return err_sys(e, EC_IO, "cannot open store '%s'", dir);
	if (private_folder(fd, dir, e))
		return -1;
	s = calloc(1, sizeof *s);
	if (!s)
		return err_oom(e);
	s->path = str_dup(dir, e);
	if (!s->path) {
		free(s);
		return -1;
	}
	s->dir = fd;
	fd = -1;
	*ret = s;
	return 0;
}

void kbs_store_close(struct kbs_store *s)
{
	if (!s)
		return;
	fd_close(&s->dir);
	free(s->path);
	free(s);
}

void kbs_store_cleanup(struct kbs_store **s)
{
	kbs_store_close(*s);
	*s = NULL;
}

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int enter(int *fd, const char *name, bool create)
{
	int next;

	if (create && mkdirat(*fd, name, 0700) && errno != EEXIST)
		return -1;
	next = openat(*fd, name, DIR_FLAGS);
	if (next < 0)
		return -1;
	fd_close(fd);
	*fd = next;
	return 0;
}

/* Opens DIR/resource/REPO/TYPE.  -1 with errno. */
static int enter_type(int *ret, const struct kbs_store *s, const struct resource_name *n, bool create)
{
	AUTO_FD fd = openat(s->dir, ".", DIR_FLAGS);

	if (fd < 0 || enter(&fd, "resource", create) || enter(&fd, n->part[0], create) || enter(&fd, n->part[1], create))
		return -1;
	*ret = fd;
	fd = -1;
	return 0;
}

#define NAME_FMT "'%s/%s/%s'"
#define NAME_ARG(n) (n)->part[0], (n)->part[1], (n)->part[2]

static int absent(const struct resource_name *n, const char *act, struct err *e)
{
	if (errno == ENOENT)
		return err_set(e, EC_ABSENT, "resource " NAME_FMT " is not in the store", NAME_ARG(n));
	return err_sys(e, EC_IO, "cannot %s resource " NAME_FMT, act, NAME_ARG(n));
}

/* --- resources ------------------------------------------------------------------------------------------ */

/* outfile takes a path; this one leads to the very folder that was opened, whatever happens to its name. */
static void path_in(char *ret, size_t n, int dir, const char *name)
{
	snprintf(ret, n, "/proc/self/fd/%d/%s", dir, name);
}

static int write_whole(int dir, const char *name, const struct secret *v, bool replace, struct err *e)
{
	AUTO_OUTFILE out = OUTFILE_INIT;
	char path[64 + RESOURCE_SEGMENT_MAX];

	path_in(path, sizeof path, dir, name);
	if (outfile_open(&out, path, 0600, replace, e) || secret_write_fd(v, out.fd, e))
		return -1;
	return outfile_commit(&out, e);
}

int kbs_store_put(struct kbs_store *s, const struct resource_name *n, const struct secret *v, bool replace, struct err *e)
{
	AUTO_FD dir = -1;
	struct stat st;

	if (v->n > STORE_RESOURCE_MAX)
		return err_set(e, EC_USAGE, "resource " NAME_FMT " has %zu bytes, at most %zu are taken", NAME_ARG(n), v->n,
			       STORE_RESOURCE_MAX);
	if (enter_type(&dir, s, n, true))
		return err_sys(e, EC_IO, "cannot make the folder of resource " NAME_FMT, NAME_ARG(n));
	if (!replace && !fstatat(dir, n->part[2], &st, AT_SYMLINK_NOFOLLOW)) {
		err_set(e, EC_USAGE, "resource " NAME_FMT " exists already", NAME_ARG(n));
		return err_hint(e, "-f replaces it; what it unlocks stays locked for ever if no other copy exists");
	}
	if (write_whole(dir, n->part[2], v, replace, e))
		return err_ctx(e, "cannot store resource " NAME_FMT, NAME_ARG(n));
	return 0;
}

static int open_regular(int *ret, int dir, const char *name)
{
	AUTO_FD fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	*ret = fd;
	fd = -1;
	return 0;
}

int kbs_store_get(struct secret *ret, const struct kbs_store *s, const struct resource_name *n, struct err *e)
{
	AUTO_FD dir = -1;
	AUTO_FD fd = -1;

	if (enter_type(&dir, s, n, false) || open_regular(&fd, dir, n->part[2]))
		return absent(n, "read", e);
	if (secret_read_fd(ret, fd, STORE_RESOURCE_MAX, e))
		return err_ctx(e, "cannot read resource " NAME_FMT, NAME_ARG(n));
	return 0;
}

int kbs_store_remove(struct kbs_store *s, const struct resource_name *n, struct err *e)
{
	AUTO_FD dir = -1;

	if (enter_type(&dir, s, n, false) || unlinkat(dir, n->part[2], 0))
		return absent(n, "remove", e);
	fsync(dir);
	return 0;
}

/* --- listing ----------------------------------------------------------------------------------------------- */

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

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names that the grammar allows, sorted; others (temporary files, foreign ones) are not resources. */
static int read_folder(struct names *ret, int fd, struct err *e)
{
	const int own = openat(fd, ".", DIR_FLAGS);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	const struct dirent *de;
	int rc = 0;

	if (!d) {
		if (own >= 0)
			close(own);
		return err_sys(e, EC_IO, "cannot read a folder of the store");
	}
	while (!rc && (de = readdir(d))) {
		char **more;

		if (!resource_segment_ok(slice_str(de->d_name)))
			continue;
		more = ret->n < ENTRIES_MAX ? realloc(ret->v, (ret->n + 1) * sizeof *more) : NULL;
		if (!more) {
			rc = err_oom(e);
			break;
		}
		ret->v = more;
		ret->v[ret->n] = str_dup(de->d_name, e);
		if (!ret->v[ret->n])
			rc = -1;
		else
			ret->n++;
	}
	closedir(d);
	if (!rc && ret->n)
		qsort(ret->v, ret->n, sizeof *ret->v, by_name);
	return rc;
}

struct walk {
	int (*f)(void *arg, const char *name, uint64_t size);
	void *arg;
	struct err *e;
};

static int walk(const struct walk *w, int fd, const char *prefix, int depth)
{
	struct names l = { 0 };
	int rc = read_folder(&l, fd, w->e);

	for (size_t i = 0; i < l.n && !rc; i++) {
		AUTO_STR *name = str_printf(w->e, "%s%s%s", prefix, *prefix ? "/" : "", l.v[i]);
		AUTO_FD next = -1;
		struct stat st;

		if (!name) {
			rc = -1;
		} else if (depth == 2) {
			if (!fstatat(fd, l.v[i], &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
				rc = w->f(w->arg, name, (uint64_t)st.st_size);
		} else if ((next = openat(fd, l.v[i], DIR_FLAGS)) >= 0) {
			rc = walk(w, next, name, depth + 1);
		}
	}
	names_free(&l);
	return rc;
}

int kbs_store_list(const struct kbs_store *s, int (*f)(void *arg, const char *name, uint64_t size), void *arg, struct err *e)
{
	const struct walk w = { f, arg, e };
	AUTO_FD fd = openat(s->dir, "resource", DIR_FLAGS);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, EC_IO, "cannot read store '%s'", s->path);
	return walk(&w, fd, "", 0);
}

/* --- the signer key ------------------------------------------------------------------------------------------- */

static int read_token_key(struct privkey *ret, struct kbs_store *s, bool *missing, struct err *e)
{
	AUTO_SECRET pem = { 0 };
	AUTO_FD fd = -1;

	*missing = false;
	if (open_regular(&fd, s->dir, TOKEN_KEY)) {
		*missing = errno == ENOENT;
		return err_sys(e, EC_IO, "cannot read '%s/" TOKEN_KEY "'", s->path);
	}
	if (secret_read_fd(&pem, fd, 16384, e) || privkey_parse(ret, secret_view(&pem), e))
		return err_ctx(e, "cannot read '%s/" TOKEN_KEY "'", s->path);
	return 0;
}

int kbs_store_token_key(struct privkey *ret, struct kbs_store *s, struct err *e)
{
	AUTO_PRIVKEY k = { 0 };
	AUTO_SECRET pem = { 0 };
	struct err why = { 0 };
	bool missing;

	if (!read_token_key(ret, s, &missing, e))
		return 0;
	if (!missing)
		return -1;
	if (privkey_generate(&k, KEY_EC_P256, 0, e) || privkey_pem(&pem, &k, e))
		return err_ctx(e, "cannot make the key that signs tokens");
	if (!write_whole(s->dir, TOKEN_KEY, &pem, false, &why) || why.code == EC_USAGE)
		return read_token_key(ret, s, &missing, e);	/* ours, or that of whoever was first */
	*e = why;
	return err_ctx(e, "cannot keep the key that signs tokens");
}
