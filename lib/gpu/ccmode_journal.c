/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a mode switch: one file that appears whole or not at all, is on disk before the change that it is about, and is read back as
 * something that anybody may have written. */
#include "gpu/ccmode_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/json.h"

#define SCHEMA "cvmbox.gpu-ccmode.journal/1"
#define FILE_NAME "switch.json"
#define NEW_NAME "switch.json.new"
#define LOCK_NAME "lock"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static const char *const step_words[N_CCSTEPS] = {
	[CCSTEP_UNBIND] = "unbind", [CCSTEP_STAGE] = "stage", [CCSTEP_RESET] = "reset", [CCSTEP_REBIND] = "rebind",
};
static const char *const mode_words[] = { [HW_OFF] = "off", [HW_ON] = "on", [HW_INVALID] = "invalid", [HW_DEVTOOLS] = "devtools" };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- reading -------------------------------------------------------------------------------------------------- */

static int need_word(size_t *ret, const struct json *o, const char *name, const char *const *words, size_t n, const char *what, struct err *e)
{
	const char *s;

	if (json_need_str(&s, o, name, what, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, words[i])) {
			*ret = i;
			return 0;
		}
	return err_set(e, EC_FORMAT, "member '%s' of %s: '%.40s' is no such word", name, what, s);
}

static int need_bool(bool *ret, const struct json *o, const char *name, const char *what, struct err *e)
{
	const struct json *v = json_get(o, name);

	if (!json_is_bool(v))
		return err_set(e, EC_FORMAT, "member '%s' of %s: wanted true or false", name, what);
	*ret = json_true(v);
	return 0;
}

/* Only the form that we write: sysfs paths are made from it. */
static int need_bdf(char ret[static 20], const struct json *o, const char *what, struct err *e)
{
	struct pci_addr a;
	const char *s;

	if (json_need_str(&s, o, "bdf", what, e))
		return -1;
	if (pci_addr_parse(&a, s, NULL))
		return err_set(e, EC_FORMAT, "member 'bdf' of %s: '%.40s' is not a PCI address", what, s);
	pci_addr_format(ret, &a);
	if (strcmp(ret, s))
		return err_set(e, EC_FORMAT, "member 'bdf' of %s: '%.40s', wanted '%s'", what, s, ret);
	return 0;
}

static int read_driver(char *ret, size_t size, const struct json *o, const char *what, struct err *e)
{
	const struct json *v = json_get(o, "driver");
	const char *s = json_string(v);
	const size_t n = s ? strnlen(s, size) : 0;

	if (json_is_null(v))
		return 0;
	if (!s || !n || n == size || n != strspn(s, NAME_CHARS))
		return err_set(e, EC_FORMAT, "member 'driver' of %s: not the name of a driver", what);
	memcpy(ret, s, n + 1);
	return 0;
}

static bool knob_is_ours(uint64_t id)
{
	static const enum knob ours[] = { KNOB_2, KNOB_4, KNOB_CCD, KNOB_CCM, KNOB_BAR0, KNOB_34, KNOB_PPCIE };

	for (size_t i = 0; i < COUNT(ours); i++)
		if (id == ours[i])
			return true;
	return false;
}

static int read_knobs(struct ccjournal_device *d, const struct json *o, const char *what, struct err *e)
{
	static const char *const members[] = { "id", "old", NULL };
	const struct json *list;

	if (json_need_arr(&list, o, "knobs", what, e))
		return -1;
	for (const struct json *k = json_first(list); k; k = json_next(k)) {
		uint64_t id, old;

		if (d->n_knobs == CCMODE_WRITES_MAX)
			return err_set(e, EC_FORMAT, "%s holds more than %d knobs", what, CCMODE_WRITES_MAX);
		if (!json_is_object(k))
			return err_set(e, EC_FORMAT, "a knob of %s is not an object", what);
		if (json_only(k, members, "a knob", e) || json_need_u64(&id, k, "id", 0xffff, "a knob", e) ||
		    json_need_u64(&old, k, "old", 0xffff, "a knob", e))
			return err_ctx(e, "%s", what);
		if (!knob_is_ours(id))
			return err_set(e, EC_FORMAT, "%s holds knob %llu, which no switch changes", what, (unsigned long long)id);
		for (size_t i = 0; i < d->n_knobs; i++)
			if (d->knob[i].id == id)
				return err_set(e, EC_FORMAT, "%s holds knob %llu twice", what, (unsigned long long)id);
		d->knob[d->n_knobs].id = (uint16_t)id;
		d->knob[d->n_knobs++].old = (uint16_t)old;
	}
	return 0;
}

static int read_was(struct ccjournal_device *d, const struct json *o, const char *what, struct err *e)
{
	static const char *const members[] = { "mode", "ppcie", NULL };
	const struct json *w = json_get(o, "was");
	size_t mode;

	if (json_is_null(w))
		return 0;
	if (json_need_obj(&w, o, "was", what, e) || json_only(w, members, what, e) ||
	    need_word(&mode, w, "mode", mode_words, COUNT(mode_words), what, e) || need_bool(&d->was.ppcie, w, "ppcie", what, e))
		return -1;
	d->was.mode = (enum hw_mode)mode;
	d->has_was = true;
	return 0;
}

static int read_device(struct ccjournal_device *ret, const struct json *o, size_t i, struct err *e)
{
	static const char *const members[] = { "bdf", "vendor", "device", "driver", "was", "reset", "knobs", NULL };
	struct ccjournal_device d = { 0 };
	uint64_t vendor, device;
	char what[40];

	snprintf(what, sizeof what, "devices[%zu]", i);
	if (!json_is_object(o))
		return err_set(e, EC_FORMAT, "%s is not an object", what);
	if (json_only(o, members, what, e) || need_bdf(d.bdf, o, what, e) || json_need_u64(&vendor, o, "vendor", 0xffff, what, e) ||
	    json_need_u64(&device, o, "device", 0xffff, what, e) || read_driver(d.driver, sizeof d.driver, o, what, e) ||
	    read_was(&d, o, what, e) || need_bool(&d.reset, o, "reset", what, e) || read_knobs(&d, o, what, e))
		return -1;
	d.vendor = (uint16_t)vendor;
	d.device = (uint16_t)device;
	*ret = d;
	return 0;
}

static int read_devices(struct ccjournal *j, const struct json *root, struct err *e)
{
	const struct json *list;

	if (json_need_arr(&list, root, "devices", "the journal", e))
		return -1;
	for (const struct json *d = json_first(list); d; d = json_next(d)) {
		if (j->n == CCMODE_DEVICES_MAX)
			return err_set(e, EC_FORMAT, "more than %d devices", CCMODE_DEVICES_MAX);
		if (read_device(&j->v[j->n], d, j->n, e))
			return -1;
		for (size_t i = 0; i < j->n; i++)
			if (!strcmp(j->v[i].bdf, j->v[j->n].bdf))
				return err_set(e, EC_FORMAT, "device %s stands there twice", j->v[i].bdf);
		j->n++;
	}
	return j->n ? 0 : err_set(e, EC_FORMAT, "no devices");
}

int ccjournal_parse(struct ccjournal *ret, struct slice text, struct err *e)
{
	static const char *const members[] = { "schema", "time", "target", "step", "rollback", "resets", "no_reset", "partial", "devices", NULL };
	const char *modes[N_CCMODES], *schema;
	struct ccjournal j = { 0 };
	AUTO_JSON *root = NULL;
	size_t to, step;

	for (enum ccmode m = 0; m < N_CCMODES; m++)
		modes[m] = ccmode_word(m);
	if (json_parse(&root, text, CCJOURNAL_MAX, e))
		return -1;
	if (!json_is_object(root))
		return err_set(e, EC_FORMAT, "not a JSON object");
	if (json_need_str(&schema, root, "schema", "the journal", e))
		return -1;
	if (strcmp(schema, SCHEMA))
		return err_set(e, EC_FORMAT, "its schema is '%.60s', wanted '" SCHEMA "'", schema);
	if (json_only(root, members, "the journal", e) || need_word(&to, root, "target", modes, N_CCMODES, "the journal", e) ||
	    need_word(&step, root, "step", step_words, N_CCSTEPS, "the journal", e) || need_bool(&j.rollback, root, "rollback", "the journal", e) ||
	    need_bool(&j.resets, root, "resets", "the journal", e) || need_bool(&j.no_reset, root, "no_reset", "the journal", e) ||
	    need_bool(&j.partial, root, "partial", "the journal", e) ||
	    read_devices(&j, root, e))
		return -1;
	j.to = (enum ccmode)to;
	j.step = (enum ccstep)step;
	*ret = j;
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static void add_device(struct json *list, const struct ccjournal_device *d)
{
	struct json *o = json_add_object(list, NULL), *knobs;

	json_add_str(o, "bdf", d->bdf);
	json_add_u64(o, "vendor", d->vendor);
	json_add_u64(o, "device", d->device);
	json_add_str(o, "driver", d->driver[0] ? d->driver : NULL);
	if (d->has_was) {
		struct json *w = json_add_object(o, "was");

		json_add_str(w, "mode", mode_words[d->was.mode & 3]);
		json_add_bool(w, "ppcie", d->was.ppcie);
	} else {
		json_add_null(o, "was");
	}
	json_add_bool(o, "reset", d->reset);
	knobs = json_add_array(o, "knobs");
	for (size_t i = 0; i < d->n_knobs; i++) {
		struct json *k = json_add_object(knobs, NULL);

		json_add_u64(k, "id", d->knob[i].id);
		json_add_u64(k, "old", d->knob[i].old);
	}
}

int ccjournal_write(struct buf *ret, const struct ccjournal *j, int64_t now, struct err *e)
{
	AUTO_JSON *root = json_object();
	struct json *list;

	json_add_str(root, "schema", SCHEMA);
	json_add_time(root, "time", now);
	json_add_str(root, "target", ccmode_word(j->to));
	json_add_str(root, "step", step_words[j->step]);
	json_add_bool(root, "rollback", j->rollback);
	json_add_bool(root, "resets", j->resets);
	json_add_bool(root, "no_reset", j->no_reset);
	json_add_bool(root, "partial", j->partial);
	list = json_add_array(root, "devices");
	for (size_t i = 0; i < j->n; i++)
		add_device(list, &j->v[i]);
	if (json_write(ret, root, true, e))
		return -1;
	buf_byte(ret, '\n');
	return buf_check(ret, e);
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

static int check_owner(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(e, EC_IO, "cannot look at '%s'", path);
	if (st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	err_set(e, EC_REFUSED, "cannot use '%s': its owner is user %u and its mode %04o, so others could write it", path, (unsigned)st.st_uid,
		(unsigned)(st.st_mode & 07777));
	return err_hint(e, "it has to belong to user %u and to be writable by nobody else", (unsigned)geteuid());
}

/* All folders of an absolute path below the root, the last one private. */
static int make_folders(const struct host *h, const char *path, struct err *e)
{
	AUTO_STR *part = str_dup(path, e);

	if (!part)
		return -1;
	for (char *at = part + 1;; at++) {
		const char c = *at;

		if (c && c != '/')
			continue;
		*at = '\0';
		if (!host_exists(h, part) && host_mkdir(h, part, c ? 0755 : 0700, e) && !host_exists(h, part))
			return err_hint(e, "--journal names another folder; it has to outlast a reboot");
		*at = c;
		if (!c)
			return 0;
	}
}

static int open_folder(const struct host *h, const char *folder, bool make, struct err *e)
{
	int fd;

	if (!folder) {
		if (make && make_folders(h, CCMODE_JOURNAL_DIR, e))
			return -1;
		return host_open(h, CCMODE_JOURNAL_DIR, O_RDONLY | O_DIRECTORY, e);
	}
	if (make && mkdir(folder, 0700) && errno != EEXIST)
		return err_sys(e, EC_IO, "cannot make the journal's folder '%s'", folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno == ENOENT ? EC_ABSENT : EC_IO, "cannot open the journal's folder '%s'", folder);
	return fd;
}

static int take_lock(struct ccjournal_dir *d, const char *folder, struct err *e)
{
	d->lock = openat(d->dir, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (d->lock < 0)
		return err_sys(e, EC_IO, "cannot open '%s/" LOCK_NAME "'", folder);
	if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_sys(e, EC_IO, "cannot lock '%s/" LOCK_NAME "'", folder);
	err_set(e, EC_IO, "another mode switch is running: it holds '%s/" LOCK_NAME "'", folder);
	return err_hint(e, "wait until it has ended");
}

int ccjournal_open(struct ccjournal_dir *ret, const struct host *h, const char *folder, bool make, struct err *e)
{
	const char *name = folder ? folder : CCMODE_JOURNAL_DIR;
	AUTO_CCJOURNAL_DIR d = CCJOURNAL_DIR_INIT;

	d.dir = open_folder(h, folder, make, e);
	if (d.dir < 0 || check_owner(d.dir, name, e) || (make && take_lock(&d, name, e)))
		return -1;
	if ((size_t)snprintf(d.path, sizeof d.path, "%s/" FILE_NAME, name) >= sizeof d.path)
		return err_set(e, EC_USAGE, "the name of the journal's folder is too long");
	*ret = d;
	d = (struct ccjournal_dir)CCJOURNAL_DIR_INIT;
	return 0;
}

void ccjournal_close(struct ccjournal_dir *d)
{
	fd_close(&d->lock);
	fd_close(&d->dir);
}

bool ccjournal_there(const struct ccjournal_dir *d)
{
	struct stat st;

	return fstatat(d->dir, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int load(struct ccjournal *ret, const struct ccjournal_dir *d, struct err *e)
{
	AUTO_FD fd = openat(d->dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_BUF text = { .max = CCJOURNAL_MAX + 1 };
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, EC_ABSENT, "no mode switch is pending: there is no '%s'", d->path);
	if (fd < 0)
		return err_sys(e, EC_IO, "cannot open '%s'", d->path);
	if (check_owner(fd, d->path, e))
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return err_set(e, EC_FORMAT, "'%s' is not a file", d->path);
	if (fd_read_all(&text, fd, CCJOURNAL_MAX, e) || ccjournal_parse(ret, buf_view(&text), e))
		return err_ctx(e, "cannot read the journal '%s'", d->path);
	return 0;
}

int ccjournal_load(struct ccjournal *ret, const struct ccjournal_dir *d, struct err *e)
{
	if (load(ret, d, e) == 0)
		return 0;
	if (e && e->code == EC_FORMAT)
		err_hint(e, "no journal of ours looks so: find out who wrote it, look at 'gpu-ccmode query --settings', then delete it");
	return -1;
}

/* A reader sees the journal before or after, never half: and the folder is synced, or a power cut could bring the older one back. */
int ccjournal_save(const struct ccjournal_dir *d, const struct ccjournal *j, const struct host *h, struct err *e)
{
	AUTO_BUF text = { .max = CCJOURNAL_MAX };
	AUTO_FD fd = -1;

	if (ccjournal_write(&text, j, host_now(h), e))
		return -1;
	unlinkat(d->dir, NEW_NAME, 0);	/* what an interrupted one left */
	fd = openat(d->dir, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_sys(e, EC_IO, "cannot write the journal '%s'", d->path);
		return err_hint(e, "nothing is changed without a journal; --journal names another folder");
	}
	if (fd_write_all(fd, text.p, text.n, e))
		return err_ctx(e, "cannot write the journal '%s'", d->path);
	if (fsync(fd) || renameat(d->dir, NEW_NAME, d->dir, FILE_NAME) || fsync(d->dir))
		return err_sys(e, EC_IO, "cannot write the journal '%s'", d->path);
	return 0;
}

int ccjournal_remove(const struct ccjournal_dir *d, struct err *e)
{
	if ((unlinkat(d->dir, FILE_NAME, 0) && errno != ENOENT) || fsync(d->dir))
		return err_sys(e, EC_IO, "cannot remove the journal '%s'", d->path);
	return 0;
}
