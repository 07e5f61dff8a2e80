/* SPDX-License-Identifier: Apache-2.0 */
/* See snapshot.h. */

#include "model/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/file.h"
#include "model/manifest.h"
#include "model/staging.h"

/* --- what a folder holds -------------------------------------------------------------------------------------- */

struct walk {
	struct manifest *found;		/* names and sizes */
	bool follow;			/* symbolic links: followed, or refused */
	struct {
		dev_t dev;
		ino_t ino;
	} above[MANIFEST_DEPTH];	/* folders on the way down: a link to one of them would never end */
};

static int walk_dir(struct walk *w, int dir, const char *prefix, unsigned depth, struct err *e);

static int walk_entry(struct walk *w, int dir, const char *prefix, const char *name, unsigned depth, struct err *e)
{
	AUTO_STR *path = str_printf(e, "%s%s%s", prefix, *prefix ? "/" : "", name);
	AUTO_FD sub = -1;
	struct stat st;

	if (!path)
		return -1;
	if (fstatat(dir, name, &st, w->follow ? 0 : AT_SYMLINK_NOFOLLOW))
		return err_sys(e, EC_IO, "cannot look at '%s'", path);
	if (S_ISREG(st.st_mode)) {
		if (manifest_add(w->found, path, e))
			return -1;
		w->found->file[w->found->n - 1].size = (uint64_t)st.st_size;
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(e, EC_REFUSED, "'%s' is neither a file nor a folder", path);
	if (depth + 1 >= MANIFEST_DEPTH)
		return err_set(e, EC_REFUSED, "'%s' is more than %d folders deep", path, MANIFEST_DEPTH);
	sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (w->follow ? 0 : O_NOFOLLOW));
	if (sub < 0)
		return err_sys(e, EC_IO, "cannot open folder '%s'", path);
	return walk_dir(w, sub, path, depth + 1, e);
}

static int enter(struct walk *w, int dir, const char *prefix, unsigned depth, struct err *e)
{
	struct stat st;

	if (fstat(dir, &st))
		return err_sys(e, EC_IO, "cannot look at folder '%s'", prefix);
	for (unsigned i = 0; i < depth; i++)
		if (w->above[i].dev == st.st_dev && w->above[i].ino == st.st_ino)
			return err_set(e, EC_REFUSED, "folder '%s' is a link to one that holds it", prefix);
	w->above[depth].dev = st.st_dev;
	w->above[depth].ino = st.st_ino;
	return 0;
}

static int walk_dir(struct walk *w, int dir, const char *prefix, unsigned depth, struct err *e)
{
	const int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *x;
	int rc = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return err_sys(e, EC_IO, "cannot read folder '%s'", prefix);
	}
	rc = enter(w, dir, prefix, depth, e);
	while (!rc && (errno = 0, x = readdir(d)))
		if (strcmp(x->d_name, ".") && strcmp(x->d_name, ".."))
			rc = walk_entry(w, dir, prefix, x->d_name, depth, e);
	if (!rc && errno)
		rc = err_sys(e, EC_IO, "cannot read folder '%s'", prefix);
	closedir(d);
	return rc;
}

static int list_folder(struct manifest *ret, int dir, bool follow, struct err *e)
{
	struct walk w = { .found = ret, .follow = follow };

	if (walk_dir(&w, dir, "", 0, e))
		return -1;
	manifest_sort(ret);
	return 0;
}

static uint64_t total_size(const struct manifest *m)
{
	uint64_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->file[i].size;
	return n;
}

static int open_folder(const char *path, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, EC_IO, "cannot open folder '%s'", path);
}

static char *cipher_name(const char *name, struct err *e)
{
	return str_printf(e, "%s" MANIFEST_SUFFIX, name);
}

static int flush(int fd, struct err *e)
{
	return fsync(fd) ? err_sys(e, EC_IO, "cannot write the output") : 0;
}

/* --- encryption --------------------------------------------------------------------------------------------------- */

struct job {
	struct pipeline *p;
	const struct secret *key;
	struct model_opts o;	/* format and associated data: of the file in work */
	int in;			/* folder */
	struct staging *out;
	uint64_t done;		/* bytes of finished files */
	uint64_t total;
};

static int seal_file(struct job *j, struct manifest_file *f, struct err *e)
{
	AUTO_FD in = openat(j->in, f->name, O_RDONLY | O_CLOEXEC), out = -1;
	AUTO_STR *name = cipher_name(f->name, e);
	AUTO_INPUT from = { 0 };
	uint64_t size;

	if (in < 0)
		return err_sys(e, EC_IO, "cannot open it");
	if (!name || input_fd(&from, in, f->name, e))
		return -1;
	if (!from.sized)
		return err_set(e, EC_REFUSED, "it is not a regular file");
	out = staging_file(j->out, name, 0644, e);
	j->o.aad = slice_str(f->name);
	pipeline_progress(j->p, j->done, j->total);
	if (out < 0 || model_encrypt_input(&size, f->header, j->p, out, false, &from, j->key, &j->o, e) ||
	    flush(out, e))
		return -1;
	f->size = from.size;
	f->header_n = (size_t)f->header[0];	/* a Tink header begins with its length */
	j->done += from.size;
	return 0;
}

static int seal_manifest(struct job *j, const struct manifest *m, struct err *e)
{
	AUTO_BUF text = { .max = MANIFEST_MAX };
	AUTO_INPUT in = { 0 };
	AUTO_FD out = -1;
	struct model_opts o = j->o;
	uint64_t size;

	if (manifest_write(&text, m, e))
		return -1;
	o.aad = SLICE(MANIFEST_AAD);
	o.info = NULL;
	input_mem(&in, buf_view(&text), true, "the manifest");
	out = staging_file(j->out, MANIFEST_NAME, 0644, e);
	if (out < 0 || model_encrypt_input(&size, NULL, j->p, out, false, &in, j->key, &o, e))
		return -1;
	return flush(out, e);
}

static int check_source(const struct manifest *m, const char *in, struct err *e)
{
	if (!m->n)
		return err_set(e, EC_USAGE, "folder '%s' holds no file", in);
	if (manifest_find(m, MANIFEST_NAME)) {
		err_set(e, EC_USAGE, "folder '%s' holds a file '%s'", in, MANIFEST_NAME);
		return err_hint(e, "is it encrypted already?");
	}
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->file[i].name, "cvmbox-manifest"))
			return err_set(e, EC_USAGE,
				       "folder '%s' holds a file '%s': the name is taken by the manifest", in,
				       m->file[i].name);
	return 0;
}

int snapshot_encrypt(const char *out, const char *in, bool overwrite, const struct secret *keyset,
		     const struct model_opts *o, int (*ready)(void *arg, struct err *e), void *arg, struct err *e)
{
	AUTO_PIPELINE *p = NULL;
	AUTO_MANIFEST m = { 0 };
	AUTO_STAGING s = STAGING_INIT;
	AUTO_FD dir = open_folder(in, e);
	struct job j = { .key = keyset, .o = *o, .in = dir, .out = &s };

	if (dir < 0 || list_folder(&m, dir, true, e) || check_source(&m, in, e) || pipeline_new(&p, o, e) ||
	    staging_open(&s, out, 0755, overwrite, e))
		return -1;
	j.p = p;
	j.total = total_size(&m);
	for (size_t i = 0; i < m.n; i++)
		if (seal_file(&j, &m.file[i], e))
			return err_ctx(e, "file '%s'", m.file[i].name);
	if (seal_manifest(&j, &m, e) || (ready && ready(arg, e)))
		return -1;
	if (o->info)
		o->info->files = m.n;
	return staging_commit(&s, e);
}

/* --- decryption ----------------------------------------------------------------------------------------------------- */

static int read_plain(struct buf *ret, int fd, uint64_t size, struct err *e)
{
	if (lseek(fd, 0, SEEK_SET))
		return err_sys(e, EC_IO, "cannot read back from memory");
	return fd_read_all(ret, fd, (size_t)size, e);
}

static int open_manifest(struct manifest *ret, const struct job *j, struct err *e)
{
	AUTO_FD fd = openat(j->in, MANIFEST_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), plain = -1;
	AUTO_BUF text = { .max = MANIFEST_MAX };
	AUTO_INPUT in = { 0 };
	struct model_opts o = j->o;
	uint64_t size;

	if (fd < 0 && errno == ENOENT) {
		err_set(e, EC_FORMAT, "the folder holds no '%s'", MANIFEST_NAME);
		return err_hint(e, "is it a folder made by encrypt-model?  Single files in it open one by one");
	}
	if (fd < 0)
		return err_sys(e, errno == ELOOP ? EC_REFUSED : EC_IO, "cannot open '%s'", MANIFEST_NAME);
	if (input_fd(&in, fd, MANIFEST_NAME, e))
		return -1;
	if (!in.sized || in.size > MANIFEST_MAX)
		return err_set(e, EC_FORMAT, "'%s' is not a file of at most %zu bytes", MANIFEST_NAME, MANIFEST_MAX);
	plain = memfd_create("manifest", MFD_CLOEXEC);
	if (plain < 0)
		return err_sys(e, EC_IO, "cannot create a file in memory");
	o.aad = SLICE(MANIFEST_AAD);
	o.info = NULL;
	if (model_decrypt_input(&size, j->p, plain, false, &in, j->key, &o, e) || read_plain(&text, plain, size, e) ||
	    manifest_parse(ret, buf_view(&text), e))
		return err_ctx(e, "'%s'", MANIFEST_NAME);
	return 0;
}

/* The folder has to hold exactly what the manifest lists. */
static int compare(const struct manifest *want, const struct manifest *found, struct err *e)
{
	for (size_t i = 0; i < want->n; i++) {
		AUTO_STR *name = cipher_name(want->file[i].name, e);

		if (!name)
			return -1;
		if (!manifest_find(found, name))
			return err_set(e, EC_REFUSED, "file '%s' is missing", name);
	}
	for (size_t i = 0; i < found->n; i++) {
		const char *name = found->file[i].name;
		const size_t n = strlen(name), cut = sizeof MANIFEST_SUFFIX - 1;
		AUTO_STR *plain = NULL;

		if (!strcmp(name, MANIFEST_NAME))
			continue;
		plain = n > cut && !strcmp(name + n - cut, MANIFEST_SUFFIX) ? str_ndup(name, n - cut, e)
									    : str_dup("", e);
		if (!plain)
			return -1;
		if (!manifest_find(want, plain))
			return err_set(e, EC_REFUSED, "file '%s' is not listed in the manifest", name);
	}
	return 0;
}

static int check_header(struct input *in, const struct manifest_file *f, struct err *e)
{
	struct slice head;

	if (input_peek(&head, in, f->header_n, e))
		return -1;
	if (!slice_eq(head, slice_of(f->header, f->header_n)))
		return err_set(e, EC_REFUSED,
			       "it is not the file that the manifest lists under this name, or was changed");
	return 0;
}

static int open_file(struct job *j, const struct manifest_file *f, struct err *e)
{
	AUTO_STR *name = cipher_name(f->name, e);
	AUTO_FD in = name ? open_beneath(j->in, name, e) : -1, out = -1;
	AUTO_INPUT from = { 0 };
	uint64_t size;

	if (in < 0 || input_fd(&from, in, name, e) || check_header(&from, f, e))
		return -1;
	out = staging_file(j->out, f->name, 0600, e);
	j->o.aad = slice_str(f->name);
	pipeline_progress(j->p, j->done, j->total);
	if (out < 0 || model_decrypt_input(&size, j->p, out, false, &from, j->key, &j->o, e) || flush(out, e))
		return -1;
	if (size != f->size)
		return err_set(e, EC_REFUSED, "it has %llu bytes of plaintext, the manifest says %llu",
			       (unsigned long long)size, (unsigned long long)f->size);
	j->done += from.size;
	return 0;
}

int snapshot_decrypt(const char *out, const char *in, bool overwrite, const struct secret *keyset,
		     const struct model_opts *o, struct err *e)
{
	AUTO_PIPELINE *p = NULL;
	AUTO_MANIFEST want = { 0 }, found = { 0 };
	AUTO_STAGING s = STAGING_INIT;
	AUTO_FD dir = open_folder(in, e);
	struct job j = { .key = keyset, .o = *o, .in = dir, .out = &s };

	j.o.format = "tink";
	j.o.sha256 = NULL;
	if (dir < 0 || pipeline_new(&p, o, e))
		return -1;
	j.p = p;
	if (open_manifest(&want, &j, e) || list_folder(&found, dir, false, e) || compare(&want, &found, e) ||
	    staging_open(&s, out, 0700, overwrite, e))
		return -1;
	j.total = total_size(&found);
	for (size_t i = 0; i < want.n; i++)
		if (open_file(&j, &want.file[i], e))
			return err_ctx(e, "file '%s'", want.file[i].name);
	if (o->info)
		o->info->files = want.n;
	return staging_commit(&s, e);
}
