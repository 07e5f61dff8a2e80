/* SPDX-License-Identifier: Apache-2.0 */
/* Reports by configfs: see tsm.h.
 *
 * Below a --sysroot there is no kernel behind the files.  If `recorded` exists in the report folder it takes the place of the
 * new directory (a captured machine: plain files, nothing is made or removed); else a test plays the kernel, and gets a moment
 * to do so.  A file NAME.errno beside an attribute holds the number that reading or writing NAME failed with. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cursor.h"
#include "tee/tsm.h"

#define TSM_CONFIGFS "/sys/kernel/config"
#define TSM_RECORDED TSM_DIR "/recorded"
#define TSM_TRIES 3			/* somebody else wrote into our directory */
#define TSM_BUSY_TRIES 6		/* an earlier TDX quote is still in flight */
#define TSM_BUSY_WAIT_MS 2000		/* the least gap between SNP requests that hosts do not throttle */
#define TSM_OUT_FIRST 32768		/* the most that older kernels give */
#define TSM_OUT_MAX ((size_t)1 << 20)
#define TSM_SIMULATED_WAIT_MS 3000
#define CONFIGFS_MAGIC_ 0x62656570	/* include/uapi/linux/magic.h */

struct session {
	const struct host *h;
	char dir[128];
	bool made;
	uint64_t writes;		/* successful ones: what `generation` has to show */
	bool has_vmpl;
	unsigned long long vmpl;	/* asked for */
};

void tsm_free(struct tsm_report *r)
{
	buf_free(&r->provider);
	buf_free(&r->out);
	buf_free(&r->aux);
	buf_free(&r->manifest);
}

void tsm_facts_free(struct tsm_facts *f)
{
	buf_free(&f->provider);
}

/* --- signals ---------------------------------------------------------------------------------------------------- */

/* A signal that ends the program has to wait until the directory is gone: the kernel would keep it for ever.  It is caught, so
 * that the kernel's wait for a quote ends early, and raised again at the end. */
static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM };
#define N_ENDING (sizeof ending / sizeof ending[0])
static struct sigaction before[N_ENDING];
static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

static void signals_catch(void)
{
	const struct sigaction mine = { .sa_handler = on_signal };

	caught = 0;
	for (size_t i = 0; i < N_ENDING; i++) {
		sigaction(ending[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(ending[i], &mine, NULL);
	}
}

static void signals_restore(void)
{
	for (size_t i = 0; i < N_ENDING; i++)
		sigaction(ending[i], &before[i], NULL);
	if (caught)
		raise(caught);
}

static void nap(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (!caught && nanosleep(&t, &t) && errno == EINTR)
		;
}

/* --- attributes ------------------------------------------------------------------------------------------------- */

static int attr_path(char *ret, size_t size, const struct session *s, const char *name, const char *suffix, struct err *e)
{
	const int n = snprintf(ret, size, "%s/%s%s", s->dir, name, suffix);

	return n < 0 || (size_t)n >= size ? err_set(e, EC_BUG, "report path is too long") : 0;
}

/* What a simulated attribute fails with; 0: it does not. */
static int simulated_errno(const struct session *s, const char *name)
{
	AUTO_BUF t = { 0 };
	struct err e = { 0 };
	char path[192];
	uint64_t v = 0;

	if (!s->h->simulated || attr_path(path, sizeof path, s, name, ".errno", &e) || !host_exists(s->h, path) ||
	    host_read_line(&t, s->h, path, &e) || parse_u64(&v, buf_cstr(&t), 4095, &e))
		return 0;
	return (int)v;
}

static bool attr_exists(const struct session *s, const char *name)
{
	struct err e = { 0 };
	char path[192];

	return !attr_path(path, sizeof path, s, name, "", &e) && host_exists(s->h, path);
}

/* The descriptor, or -1 with *why as open(2) left errno. */
static int attr_open(int *why, const struct session *s, const char *name, int flags, struct err *e)
{
	const int64_t end = host_mono_ms() + TSM_SIMULATED_WAIT_MS;
	char path[192];
	int fd;

	*why = 0;
	if (attr_path(path, sizeof path, s, name, "", e))
		return -1;
	do {
		if ((*why = simulated_errno(s, name)) != 0) {
			errno = *why;
			return err_sys(e, EC_IO, "cannot open '%s'", path);
		}
		fd = host_open(s->h, path, flags, e);
		*why = fd < 0 ? errno : 0;
		if (fd >= 0 || !s->h->simulated || !s->made || e->code != EC_ABSENT || caught)
			break;
		nap(5);
	} while (host_mono_ms() < end && host_left_ms(s->h, 1) > 0);
	return fd;
}

/* Attributes are read whole by the kernel at the first read; their errors come from there.  why: errno. */
static int attr_read(struct buf *ret, int *why, const struct session *s, const char *name, struct err *e)
{
	AUTO_FD fd = attr_open(why, s, name, O_RDONLY, e);
	AUTO_BUF b = { .max = TSM_OUT_MAX + TSM_OUT_FIRST };
	ssize_t n;

	if (fd < 0)
		return -1;
	do {
		uint8_t *p = buf_grow(&b, TSM_OUT_FIRST);

		if (!p)
			return buf_check(&b, e);
		do
			n = read(fd, p, TSM_OUT_FIRST);
		while (n < 0 && errno == EINTR && !caught);
		if (n < 0) {
			*why = errno;
			return err_sys(e, EC_IO, "cannot read '%s/%s'", s->dir, name);
		}
		b.n -= (size_t)(TSM_OUT_FIRST - n);
	} while (n > 0);
	if (b.n > TSM_OUT_MAX)
		return err_set(e, EC_FORMAT, "'%s/%s' has more than %zu bytes", s->dir, name, TSM_OUT_MAX);
	buf_reset(ret);
	buf_slice(ret, buf_view(&b));
	return buf_check(ret, e);
}

static int attr_text(struct buf *ret, const struct session *s, const char *name, struct err *e)
{
	AUTO_BUF raw = { 0 };
	int why;

	if (attr_read(&raw, &why, s, name, e))
		return -1;
	buf_reset(ret);
	buf_slice(ret, slice_trim(buf_view(&raw)));
	return buf_check(ret, e);
}

static int attr_u64(uint64_t *ret, const struct session *s, const char *name, struct err *e)
{
	AUTO_BUF t = { 0 };

	if (attr_text(&t, s, name, e))
		return -1;
	return parse_u64(ret, buf_cstr(&t), UINT64_MAX, e) ? err_ctx(e, "cannot read '%s/%s'", s->dir, name) : 0;
}

/* One write, committed by the time this returns: inblob is a binary attribute, which the kernel hands to the provider when the
 * file is closed. */
static int attr_write(int *why, struct session *s, const char *name, struct slice data, struct err *e)
{
	int fd = attr_open(why, s, name, O_WRONLY, e);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = write(fd, data.p, data.n);
	while (n < 0 && errno == EINTR && !caught);
	if (n < 0)
		*why = errno;
	fd_close(&fd);
	errno = *why;
	if (n < 0)
		return err_sys(e, EC_IO, "cannot write '%s/%s'", s->dir, name);
	if ((size_t)n != data.n)
		return err_set(e, EC_IO, "cannot write '%s/%s': %zd of %zu bytes taken", s->dir, name, n, data.n);
	s->writes++;
	return 0;
}

/* --- what failed, in words ---------------------------------------------------------------------------------------- */

static void hint_failure(int why, const struct session *s, const char *provider, struct err *e)
{
	const bool tdx = !strcmp(provider, "tdx_guest");

	switch (why) {
	case ENOTTY:
		err_hint(e, "the kernel has wiped this guest's message key (VMPCK) after a failed request: only a reboot brings "
			    "reports back");
		break;
	case EINVAL:
		if (s->has_vmpl)
			err_hint(e, "is VMPL %llu under the guest's own level?", s->vmpl);
		else
			err_hint(e, "the provider '%s' refused the request: does another program write privlevel or inblob there?",
				 provider);
		break;
	case ETIMEDOUT:
	case EIO:
		if (tdx)
			err_hint(e, "the quote service on the host is not reachable (QEMU quote-generation-socket, or vsock port 4050): "
				    "this is the host's configuration, not the guest's");
		else if (why == ETIMEDOUT)
			err_hint(e, "the host throttles report requests, and the kernel has given up after a minute: try again later");
		else
			err_hint(e, "the host did not answer the report request; the kernel may have wiped its message key now, and "
				    "then every request fails until a reboot: see dmesg, ask the host's operator");
		break;
	case EBUSY:
		err_hint(e, "an earlier quote of this guest is still in flight: is another program asking for one?");
		break;
	case EWOULDBLOCK:
		err_hint(e, "the request was changed while its report was made: does another program write there?");
		break;
	case EFBIG:
	case E2BIG:
		err_hint(e, "this kernel takes reports up to 32 KiB: a newer one takes larger ones");
		break;
	}
}

/* Reads the report; -1 with *why == EBUSY or EWOULDBLOCK asks to come again later. */
static int read_out(struct tsm_report *r, int *why, struct session *s, struct err *e)
{
	if (attr_read(&r->out, why, s, "outblob", e)) {
		hint_failure(*why, s, buf_cstr(&r->provider), e);
		return -1;
	}
	if (r->out.n)
		return 0;
	err_set(e, EC_IO, "'%s/outblob' is empty", s->dir);
	return err_hint(e, !strcmp(buf_cstr(&r->provider), "tdx_guest")
			? "the host gave no quote and no error: its quote service (QGS, quote-generation-socket) is misconfigured"
			: "the host gave no report and no error: this is the host's side");
}

/* Without the host's certificates the report is still whole; they can come from elsewhere. */
static void read_aux(struct tsm_report *r, const struct session *s)
{
	struct err e = { 0 };
	int why;

	if (attr_exists(s, "auxblob") && attr_read(&r->aux, &why, s, "auxblob", &e))
		host_log(s->h, LOG_WARN, "no certificate table: %s", e.msg);
}

static int wait_if_busy(const struct session *s, int why, unsigned *busy, struct err *e)
{
	const int64_t wait = s->h->simulated ? 50 : TSM_BUSY_WAIT_MS;

	if (caught)
		return err_set(e, EC_IO, "interrupted by a signal");
	if (why != EBUSY && why != EWOULDBLOCK)
		return -1;
	if (++*busy >= TSM_BUSY_TRIES)
		return err_ctx(e, "busy %u times", *busy);
	if (host_left_ms(s->h, wait) < wait)
		return err_ctx(e, "no time left to wait for the device");
	host_log(s->h, LOG_INFO, "the report device is busy, waiting");
	nap(wait);
	return caught ? err_set(e, EC_IO, "interrupted by a signal") : 0;
}

/* --- options ---------------------------------------------------------------------------------------------------- */

/* The level goes in as ASCII text; the floor is what the error needs to say. */
static int write_level(struct session *s, const char *provider, unsigned level, struct err *e)
{
	struct err ignored = { 0 };
	char text[16];
	uint64_t floor = 0;
	bool known;
	int why;

	if (!attr_exists(s, "privlevel")) {
		err_set(e, EC_ABSENT, "the provider '%s' has no privilege levels", provider);
		return err_hint(e, "--vmpl is for SEV-SNP alone");
	}
	known = attr_exists(s, "privlevel_floor") && !attr_u64(&floor, s, "privlevel_floor", &ignored);
	if (known && level < floor) {
		err_set(e, EC_ABSENT, "VMPL %u is under this guest's floor of %llu", level, (unsigned long long)floor);
		return err_hint(e, "a guest can ask for reports of its own level and those below: %llu to 3", (unsigned long long)floor);
	}
	snprintf(text, sizeof text, "%u", level);
	s->has_vmpl = true;
	s->vmpl = level;
	if (!attr_write(&why, s, "privlevel", slice_str(text), e))
		return 0;
	if (why == EINVAL)
		err_hint(e, known ? "the kernel takes levels from %llu to 3" : "the kernel takes levels from its own floor to 3",
			 (unsigned long long)floor);
	return -1;
}

static int write_service(struct session *s, const struct collect_how *how, struct err *e)
{
	char text[32];
	int why;

	if (!attr_exists(s, "service_provider")) {
		err_set(e, EC_ABSENT, "the kernel offers no service of an SVSM");
		return err_hint(e, "this needs Linux 6.10, and a guest that runs under an SVSM, at VMPL 1 or higher");
	}
	if (attr_write(&why, s, "service_provider", SLICE("svsm"), e))
		return -1;
	if (how->svsm_service && attr_write(&why, s, "service_guid", slice_str(how->svsm_service), e))
		return why == EINVAL ? err_hint(e, "wanted a GUID, as 01234567-89ab-cdef-0123-456789abcdef") : -1;
	if (!how->has_manifest_version)
		return 0;
	snprintf(text, sizeof text, "%llu", (unsigned long long)how->manifest_version);
	return attr_write(&why, s, "service_manifest_version", slice_str(text), e);
}

static int write_options(struct session *s, const char *provider, const struct collect_how *how, struct err *e)
{
	if (!how || !s->made)
		return 0;
	if (how->has_vmpl && write_level(s, provider, how->vmpl, e))
		return -1;
	return how->svsm ? write_service(s, how, e) : 0;
}

static int read_manifest(struct tsm_report *r, const struct session *s, const struct collect_how *how, struct err *e)
{
	int why;

	if (!how || !how->svsm)
		return 0;
	if (attr_read(&r->manifest, &why, s, "manifestblob", e))
		return err_ctx(e, "no manifest of the SVSM's services");
	return r->manifest.n ? 0 : err_set(e, EC_IO, "'%s/manifestblob' is empty", s->dir);
}

/* --- the exchange ----------------------------------------------------------------------------------------------- */

static int write_inblob(struct session *s, const uint8_t in[static TSM_INBLOB], struct err *e)
{
	int why;

	return attr_write(&why, s, "inblob", slice_of(in, TSM_INBLOB), e);
}

/* *again: the directory was written by somebody else. */
static int judge_generation(bool *again, uint64_t first, uint64_t last, const struct session *s, struct err *e)
{
	if (first == 0 && last == s->writes)
		return 0;
	if (first == 0 && last + 1 == s->writes)	/* the one whose result is not reported: inblob's */
		return err_set(e, EC_IO, "the provider did not take the request ('%s/generation' is %llu, wanted %llu)", s->dir,
			       (unsigned long long)last, (unsigned long long)s->writes);
	*again = true;
	return err_set(e, EC_IO, "'%s' was written by another program (generation %llu, wanted %llu)", s->dir,
		       (unsigned long long)last, (unsigned long long)s->writes);
}

/* Steps 1 to 5 of the race protocol. */
static int exchange(struct tsm_report *r, bool *again, struct session *s, const char *provider,
		    const uint8_t in[static TSM_INBLOB], const struct collect_how *how, struct err *e)
{
	uint64_t first = 0, last = 0;
	unsigned busy = 0;
	int why;

	if (attr_text(&r->provider, s, "provider", e))
		return -1;
	if (strcmp(buf_cstr(&r->provider), provider)) {
		err_set(e, EC_ABSENT, "the report provider is '%s', wanted '%s'", buf_cstr(&r->provider), provider);
		return err_hint(e, "see 'attest detect'");
	}
	if ((s->made && attr_u64(&first, s, "generation", e)) || write_options(s, provider, how, e) || write_inblob(s, in, e))
		return -1;
	while (read_out(r, &why, s, e))
		if (wait_if_busy(s, why, &busy, e))
			return -1;
	read_aux(r, s);
	if (read_manifest(r, s, how, e) || (s->made && attr_u64(&last, s, "generation", e)))
		return -1;
	return s->made ? judge_generation(again, first, last, s, e) : 0;
}

/* --- the directory ---------------------------------------------------------------------------------------------- */

/* Our process numbers count in this namespace only: "cvmbox-PID-NAMESPACE-RANDOM". */
static unsigned long long pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : (unsigned long long)st.st_ino;
}

static int remove_if_dead(void *arg, const char *name)
{
	const struct host *h = arg;
	struct err e = { 0 };
	unsigned long long ns;
	char path[300];
	long pid;
	int end = 0;

	if (sscanf(name, "cvmbox-%ld-%llu-%*16[0-9a-f]%n", &pid, &ns, &end) != 2 || !end || name[end] || pid <= 0 ||
	    ns != pid_namespace() || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
		return 0;
	snprintf(path, sizeof path, TSM_DIR "/%.200s", name);
	if (!host_rmdir(h, path, &e))
		host_log(h, LOG_INFO, "removed '%s', which process %ld left behind", path, pid);
	return 0;
}

static int session_open(struct session *s, const struct host *h, struct err *e)
{
	struct err ignored = { 0 };
	uint8_t r[8];

	*s = (struct session){ .h = h };
	if (h->simulated && host_exists(h, TSM_RECORDED)) {
		snprintf(s->dir, sizeof s->dir, "%s", TSM_RECORDED);
		return 0;
	}
	host_list(h, TSM_DIR, remove_if_dead, (void *)(uintptr_t)h, &ignored);
	if (host_random(r, sizeof r, e))
		return -1;
	snprintf(s->dir, sizeof s->dir, TSM_DIR "/cvmbox-%ld-%llu-%02x%02x%02x%02x%02x%02x%02x%02x", (long)getpid(),
		 pid_namespace(), r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]);
	if (host_mkdir(h, s->dir, 0700, e))
		return -1;
	s->made = true;
	return 0;
}

/* The kernel's attributes go with their directory; the files of a test's kernel do not. */
static int remove_file(void *arg, const char *name)
{
	return unlinkat(*(const int *)arg, name, 0) && errno != ENOENT;
}

static void clear_simulated(const struct session *s)
{
	struct err e = { 0 };
	AUTO_FD dir = host_open(s->h, s->dir, O_RDONLY | O_DIRECTORY, &e);

	if (dir >= 0)
		host_list(s->h, s->dir, remove_file, &dir, &e);
}

static void session_close(struct session *s)
{
	struct err e = { 0 };

	if (s->made && s->h->simulated)
		clear_simulated(s);
	if (s->made && host_rmdir(s->h, s->dir, &e))
		host_log(s->h, LOG_WARN, "%s", e.msg);
	s->made = false;
}

static bool configfs_mounted(const struct host *h)
{
	struct err e = { 0 };
	AUTO_FD fd = host_open(h, TSM_CONFIGFS, O_RDONLY | O_DIRECTORY, &e);
	struct statfs f;

	return fd >= 0 && (h->simulated || (!fstatfs(fd, &f) && f.f_type == CONFIGFS_MAGIC_));
}

/* mkdir's answer says why there are no reports here. */
static int hint_mkdir(const struct host *h, struct err *e)
{
	if (!host_exists(h, TSM_CONFIGFS))
		return err_hint(e, host_exists(h, "/sys/kernel") ? "the kernel has no configfs (or its module is not loaded: configfs)"
								 : "sysfs is not mounted: mount -t sysfs sysfs /sys");
	if (!configfs_mounted(h))
		return err_hint(e, "configfs is not mounted: mount -t configfs configfs " TSM_CONFIGFS);
	if (!host_exists(h, TSM_DIR))
		return err_hint(e, "no report interface: load the module sev-guest, tdx-guest or arm-cca-guest (the interface needs "
				   "Linux 6.7 with CONFIG_TSM_REPORTS)");
	if (e->code == EC_ABSENT)
		return err_hint(e, "no report provider is registered: load sev-guest, tdx-guest or arm-cca-guest");
	return err_hint(e, "making a report needs root");
}

static int try_once(struct tsm_report *ret, bool *again, const struct host *h, const char *provider,
		    const uint8_t in[static TSM_INBLOB], const struct collect_how *how, struct err *e)
{
	struct session s;
	AUTO_TSM r = { 0 };
	int rc = session_open(&s, h, e);

	*again = false;
	if (rc)
		hint_mkdir(h, e);
	else
		rc = exchange(&r, again, &s, provider, in, how, e);
	session_close(&s);
	if (rc)
		return -1;
	*ret = r;
	r = (struct tsm_report){ 0 };
	return 0;
}

int tsm_ask(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	    const struct collect_how *how, struct err *e)
{
	bool again = false;
	unsigned tries = 0;
	int rc;

	signals_catch();
	do
		rc = try_once(ret, &again, h, provider, in, how, e);
	while (rc && again && ++tries < TSM_TRIES && !caught && host_left_ms(h, 1) > 0);
	signals_restore();
	if (!rc)
		return 0;
	return again ? err_ctx(e, "cannot get a hardware report, tried %u times", tries) : err_ctx(e, "cannot get a hardware report");
}

int tsm_get(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	    struct err *e)
{
	return tsm_ask(ret, h, provider, in, NULL, e);
}

static int look(struct tsm_facts *f, const struct session *s, struct err *e)
{
	struct err ignored = { 0 };

	if (attr_text(&f->provider, s, "provider", e))
		return -1;
	f->has_floor = attr_exists(s, "privlevel_floor") && !attr_u64(&f->floor, s, "privlevel_floor", &ignored);
	f->svsm = attr_exists(s, "service_provider");
	return 0;
}

int tsm_look(struct tsm_facts *ret, const struct host *h, struct err *e)
{
	AUTO_TSM_FACTS f = { 0 };
	struct session s;
	int rc;

	if (h->simulated && host_exists(h, TSM_DIR) && !host_exists(h, TSM_RECORDED))
		return err_set(e, EC_ABSENT, "'%s' is not there, and a captured machine is not written to", TSM_RECORDED);
	signals_catch();
	rc = session_open(&s, h, e);
	rc = rc ? hint_mkdir(h, e) : look(&f, &s, e);
	session_close(&s);
	signals_restore();
	if (rc)
		return -1;
	*ret = f;
	f = (struct tsm_facts){ 0 };
	return 0;
}

int tsm_provider(struct buf *ret, const struct host *h, struct err *e)
{
	AUTO_TSM_FACTS f = { 0 };

	if (tsm_look(&f, h, e))
		return -1;
	buf_slice(ret, buf_view(&f.provider));
	return buf_check(ret, e);
}
