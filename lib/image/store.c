/* SPDX-License-Identifier: Apache-2.0 */
/* See store.h. */

#include "image/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"
#include "codec/tar.h"
#include "image/uapi.h"

enum { ARCHIVE_ENTRIES_MAX = 100000, ARCHIVE_NAMES_MAX = 64 << 20, FOLDER_ENTRIES_MAX = 100000 };

struct member {			/* one entry of an archive */
	char *name;
	uint64_t at, size;
	int type;
};

struct store {
	int fd;			/* the folder, or the archive */
	char *path;
	bool archive;
	struct member *members;	/* sorted by name */
	size_t n, cap;
	uint64_t file_size, pos;	/* of the archive */
};

void store_free(struct store *s)
{
	if (!s)
		return;
	fd_close(&s->fd);
	for (size_t i = 0; i < s->n; i++)
		free(s->members[i].name);
	free(s->members);
	free(s->path);
	free(s);
}

void store_cleanup(struct store **s)
{
	store_free(*s);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

/* name is a relative path that this file made from checked parts.  Without openat2 (before Linux 5.6, or forbidden by a
 * sandbox) no symlink is followed at all. */
static int open_beneath(int dir, const char *name, int flags, uint64_t resolve)
{
	struct uapi_open_how how = { .flags = (unsigned)(flags | O_CLOEXEC), .resolve = resolve };
	int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
	AUTO_FD at = -1;
	const char *slash;

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	while ((slash = strchr(name, '/'))) {
		char part[TAR_NAME_MAX + 1];
		int next;

		if (slash == name || (size_t)(slash - name) >= sizeof part) {
			errno = EINVAL;
			return -1;
		}
		memcpy(part, name, (size_t)(slash - name));
		part[slash - name] = 0;
		next = openat(at >= 0 ? at : dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		fd_close(&at);
		at = next;
		name = slash + 1;
	}
	return openat(at >= 0 ? at : dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* The path is made symlink-free first and then opened without following any, so that the place that is read is the one
 * whose name the policy is asked about. */
static int open_place(struct store **ret, const char *path, int flags, struct err *e)
{
	AUTO_STORE *s = calloc(1, sizeof *s);

	if (!s)
		return err_oom(e);
	s->fd = -1;
	s->path = realpath(path, NULL);
	if (!s->path)
		return err_sys(e, EC_IO, "cannot open '%s'", path);
	s->fd = s->path[1] ? open_beneath(AT_FDCWD, s->path, flags, UAPI_RESOLVE_NO_SYMLINKS) : open("/", flags | O_CLOEXEC);
	if (s->fd < 0 && errno == EINVAL)	/* no openat2, absolute path: the last component is still not followed */
		s->fd = open(s->path, flags | O_NOFOLLOW | O_CLOEXEC);
	if (s->fd < 0)
		return err_sys(e, EC_IO, "cannot open '%s'", s->path);
	*ret = s;
	s = NULL;
	return 0;
}

int store_open_dir(struct store **ret, const char *path, struct err *e)
{
	return open_place(ret, path, O_RDONLY | O_DIRECTORY, e);
}

/* ---- archives -------------------------------------------------------------------------------------------- */

static int archive_read(void *arg, uint8_t *p, size_t n, size_t *got, struct err *e)
{
	struct store *s = arg;

	*got = 0;
	while (*got < n) {
		const ssize_t k = pread(s->fd, p + *got, n - *got, (off_t)s->pos);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, EC_IO, "read");
		if (!k)
			break;
		*got += (size_t)k;
		s->pos += (uint64_t)k;
	}
	return 0;
}

static int archive_skip(void *arg, uint64_t n, struct err *e)
{
	struct store *s = arg;

	if (n > s->file_size || s->pos > s->file_size - n)
		return err_set(e, EC_FORMAT, "tar archive ends inside the data of an entry");
	s->pos += n;
	return 0;
}

static int add_member(struct store *s, const struct tar_entry *t, size_t *names, struct err *e)
{
	AUTO_BUF clean = { 0 };
	struct member *m;

	if (tar_path_clean(&clean, buf_view(&t->name), e))
		return err_ctx(e, "entry '%s'", buf_cstr(&t->name));
	if (!clean.n)
		return t->type == TAR_DIR ? 0 : err_set(e, EC_REFUSED, "entry '%s' replaces the root folder", buf_cstr(&t->name));
	if (s->n == s->cap) {
		const size_t cap = s->cap ? s->cap * 2 : 64;
		struct member *v = realloc(s->members, cap * sizeof *v);

		if (!v)
			return err_oom(e);
		s->members = v;
		s->cap = cap;
	}
	*names += clean.n;
	if (s->n >= ARCHIVE_ENTRIES_MAX || *names > ARCHIVE_NAMES_MAX)
		return err_set(e, EC_FORMAT, "archive has more than %d entries, or their names fill %d bytes", ARCHIVE_ENTRIES_MAX,
			       ARCHIVE_NAMES_MAX);
	m = &s->members[s->n];
	*m = (struct member){ .name = str_ndup(clean.p, clean.n, e), .at = t->at, .size = t->size, .type = t->type };
	if (!m->name)
		return -1;
	s->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Which of two entries counts differs between readers, so there must not be two (folders may be repeated). */
static int refuse_twins(const struct store *s, struct err *e)
{
	for (size_t i = 1; i < s->n; i++) {
		const struct member *a = &s->members[i - 1], *b = &s->members[i];

		if (!strcmp(a->name, b->name) && (a->type != TAR_DIR || b->type != TAR_DIR))
			return err_set(e, EC_REFUSED, "archive has two entries '%s'", a->name);
	}
	return 0;
}

static int index_archive(struct store *s, struct err *e)
{
	struct tar t;
	size_t names = 0;

	tar_init(&t, &(struct tar_src){ archive_read, archive_skip, s });
	for (;;) {
		AUTO_TAR_ENTRY entry = { 0 };
		bool end = false;

		if (tar_next(&entry, &t, &end, e))
			return -1;
		if (end)
			break;
		if (add_member(s, &entry, &names, e))
			return -1;
	}
	if (s->n)
		qsort(s->members, s->n, sizeof *s->members, by_name);
	return refuse_twins(s, e);
}

int store_open_archive(struct store **ret, const char *path, struct err *e)
{
	AUTO_STORE *s = NULL;
	struct stat st;
	uint8_t magic[4] = { 0 };
	size_t got;

	if (open_place(&s, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, e))
		return -1;
	s->archive = true;
	if (fstat(s->fd, &st))
		return err_sys(e, EC_IO, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EC_USAGE, "'%s' is not a regular file", path);
	s->file_size = (uint64_t)st.st_size;
	if (archive_read(s, magic, sizeof magic, &got, e))
		return err_ctx(e, "cannot read '%s'", path);
	s->pos = 0;
	if ((magic[0] == 0x1f && magic[1] == 0x8b) || !memcmp(magic, "\x28\xb5\x2f\xfd", 4)) {
		err_set(e, EC_FORMAT, "archive '%s' is compressed as a whole", path);
		return err_hint(e, "decompress it first (gunzip, unzstd): its layers stay compressed, so it grows little");
	}
	if (index_archive(s, e))
		return err_ctx(e, "cannot read archive '%s'", path);
	*ret = s;
	s = NULL;
	return 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static int open_member(struct blob *ret, const struct store *s, const char *name, struct err *e)
{
	const struct member *m;
	char *key = str_dup(name, e);

	if (!key)
		return -1;
	m = s->n ? bsearch(&(struct member){ .name = key }, s->members, s->n, sizeof *m, by_name) : NULL;
	free(key);
	if (!m)
		return err_set(e, EC_FORMAT, "archive has no '%s'", name);
	if (m->type != TAR_FILE)
		return err_set(e, EC_REFUSED, "'%s' in the archive is not a regular file", name);
	*ret = (struct blob){ .fd = s->fd, .at = m->at, .size = m->size };
	return 0;
}

static int open_file(struct blob *ret, const struct store *s, const char *name, struct err *e)
{
	AUTO_FD fd = open_beneath(s->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY,
				  UAPI_RESOLVE_BENEATH | UAPI_RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0 && (errno == EXDEV || errno == ELOOP))
		return err_set(e, EC_REFUSED, "'%s' is a symlink that leads out of the layout", name);
	if (fd < 0)
		return err_sys(e, errno == ENOENT || errno == ENOTDIR ? EC_FORMAT : EC_IO, "cannot open '%s'", name);
	if (fstat(fd, &st))
		return err_sys(e, EC_IO, "'%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EC_REFUSED, "'%s' is not a regular file", name);
	*ret = (struct blob){ .fd = fd, .owned = true, .size = (uint64_t)st.st_size };
	fd = -1;
	return 0;
}

static int open_name(struct blob *ret, const struct store *s, const char *name, struct err *e)
{
	return s->archive ? open_member(ret, s, name, e) : open_file(ret, s, name, e);
}

int blob_open(struct blob *ret, const struct store *s, const struct digest *d, struct err *e)
{
	char name[sizeof d->text + 16];

	snprintf(name, sizeof name, "blobs/%s/%s", digest_alg(d), d->hex);
	return open_name(ret, s, name, e);
}

void blob_close(struct blob *b)
{
	if (b->owned)
		fd_close(&b->fd);
	b->fd = -1;
}

int blob_read(struct blob *b, uint8_t *p, size_t n, size_t *got, struct err *e)
{
	const uint64_t left = b->size - b->done;

	*got = 0;
	if (n > left)
		n = (size_t)left;
	while (*got < n) {
		const ssize_t k = pread(b->fd, p + *got, n - *got, (off_t)(b->at + b->done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, EC_IO, "read");
		if (!k)
			return err_set(e, EC_REFUSED, "became shorter while it was read");
		*got += (size_t)k;
		b->done += (uint64_t)k;
	}
	return 0;
}

int store_read(struct buf *ret, const struct store *s, const char *name, size_t max, struct err *e)
{
	AUTO_BLOB b = BLOB_INIT;
	AUTO_BUF data = { .max = max + 1 };
	uint8_t *p;
	size_t got;

	if (open_name(&b, s, name, e))
		return -1;
	if (b.size > max)
		return err_set(e, EC_FORMAT, "'%s' has %llu bytes, at most %zu are read", name, (unsigned long long)b.size, max);
	p = b.size ? buf_grow(&data, (size_t)b.size) : NULL;
	if (buf_check(&data, e))
		return -1;
	if (p && blob_read(&b, p, data.n, &got, e))
		return err_ctx(e, "'%s'", name);
	buf_slice(ret, buf_view(&data));
	return buf_check(ret, e);
}

/* ---- listing ---------------------------------------------------------------------------------------------- */

static const char *const algs[] = { "sha256", "sha384", "sha512" };

static int each_member(const struct store *s, int (*f)(void *, const struct digest *, uint64_t, struct err *), void *arg,
		       struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct member *m = &s->members[i];
		char text[sizeof ((struct digest *)0)->text];
		struct digest d;
		int rc;

		if (m->type != TAR_FILE || strncmp(m->name, "blobs/", 6) || strlen(m->name + 6) >= sizeof text)
			continue;
		memcpy(text, m->name + 6, strlen(m->name + 6) + 1);
		if (!strchr(text, '/'))
			continue;
		*strchr(text, '/') = ':';
		if (!digest_parse(&d, text, NULL) && (rc = f(arg, &d, m->size, e)))
			return rc;
	}
	return 0;
}

static int each_file(int dir, const char *alg, size_t *count, int (*f)(void *, const struct digest *, uint64_t, struct err *),
		     void *arg, struct err *e)
{
	DIR *list = fdopendir(dir);
	struct dirent *entry;
	int rc = 0;

	if (!list) {
		fd_close(&dir);
		return err_sys(e, EC_IO, "cannot list 'blobs/%s'", alg);
	}
	while (!rc && (entry = readdir(list))) {
		char text[sizeof ((struct digest *)0)->text + NAME_MAX];
		struct digest d;
		struct stat st;

		snprintf(text, sizeof text, "%s:%s", alg, entry->d_name);
		if (digest_parse(&d, text, NULL) || fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		if (++*count > FOLDER_ENTRIES_MAX)
			rc = err_set(e, EC_FORMAT, "layout has more than %d blobs", FOLDER_ENTRIES_MAX);
		else
			rc = f(arg, &d, (uint64_t)st.st_size, e);
	}
	closedir(list);
	return rc;
}

int store_each_blob(const struct store *s, int (*f)(void *arg, const struct digest *d, uint64_t size, struct err *e), void *arg,
		    struct err *e)
{
	size_t count = 0;

	if (s->archive)
		return each_member(s, f, arg, e);
	for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
		char name[32];
		int fd, rc;

		snprintf(name, sizeof name, "blobs/%s", algs[i]);
		fd = open_beneath(s->fd, name, O_RDONLY | O_DIRECTORY, UAPI_RESOLVE_BENEATH | UAPI_RESOLVE_NO_MAGICLINKS);
		if (fd < 0)
			continue;	/* no blob of this algorithm */
		rc = each_file(fd, algs[i], &count, f, arg, e);
		if (rc)
			return rc;
	}
	return 0;
}
