/* SPDX-License-Identifier: Apache-2.0 */
/* Reports by configfs: see tsm.h.
 *
 * Below a --sysroot there is no kernel behind the files.  If `recorded` exists in the report folder it takes the
 * place of the new
 * directory (a captured machine: plain files, nothing is made or removed); else a test plays the kernel, and gets a
 * moment to do so. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/cursor.h"
#include "tee/tsm.h"

#define TSM_RECORDED TSM_DIR "/recorded"
#define TSM_TRIES 3			/* somebody else wrote into our directory */
#define TSM_BUSY_TRIES 6		/* an earlier TDX quote is still in flight */
#define TSM_BUSY_WAIT_MS 2000		/* the least gap between SNP requests that hosts do not throttle */
#define TSM_OUT_MAX ((size_t)1 << 20)
#define TSM_SIMULATED_WAIT_MS 3000

struct session {
	const struct host *h;
	char dir[128];
	bool made;
	uint64_t writes;		/* successful ones: what `generation` has to show */
	sigset_t saved;
};

void tsm_free(struct tsm_report *r)
{
	buf_free(&r->provider);
	buf_free(&r->out);
	buf_free(&r->aux);
}

static void nap(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static int attr_path(char *ret, size_t size, const struct session *s, const char *name, struct err *e)
{
	const int n = snprintf(ret, size, "%s/%s", s->dir, name);

	return n < 0 || (size_t)n >= size ? err_set(e, EC_BUG, "report path is too long") : 0;
}

/* The descriptor, or -1 with errno as open(2) left it. */
static int attr_open(const struct session *s, const char *name, int flags, struct err *e)
{
	char path[192];
	const int64_t end = host_mono_ms() + TSM_SIMULATED_WAIT_MS;
	int fd;

	if (attr_path(path, sizeof path, s, name, e))
		return -1;
	do {
		fd = host_open(s->h, path, flags, e);
		if (fd >= 0 || !s->h->simulated || !s->made || e->code != EC_ABSENT)
			break;
		nap(5);
	} while (host_mono_ms() < end);
	return fd;
}

/* Attributes are read whole by the kernel at the first read; their errors come from there.  why: errno. */
static int attr_read(struct buf *ret, int *why, const struct session *s, const char *name, struct err *e)
{
	AUTO_FD fd = attr_open(s, name, O_RDONLY, e);
	AUTO_BUF b = { .max = TSM_OUT_MAX };
	uint8_t part[4096];
	ssize_t n;

	*why = 0;
	if (fd < 0)
		return -1;
	while ((n = read(fd, part, sizeof part)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*why = errno;
			return err_sys(e, EC_IO, "cannot read '%s/%s'", s->dir, name);
		}
		buf_put(&b, part, (size_t)n);
		if (b.bad)
			break;
	}
	if (buf_check(&b, e))
		return -1;
	buf_move(ret, &b);
	return 0;
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

static int generation(uint64_t *ret, const struct session *s, struct err *e)
{
	AUTO_BUF t = { 0 };

	if (attr_text(&t, s, "generation", e))
		return -1;
	return parse_u64(ret, buf_cstr(&t), UINT64_MAX, e) ? err_ctx(e, "cannot read '%s/generation'", s->dir) : 0;
}

/* inblob is a binary attribute: the kernel hands it to the provider when the file is closed. */
static int write_inblob(struct session *s, const uint8_t in[static TSM_INBLOB], struct err *e)
{
	int fd = attr_open(s, "inblob", O_WRONLY, e);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = write(fd, in, TSM_INBLOB);
	while (n < 0 && errno == EINTR);
	if (n != TSM_INBLOB) {
		fd_close(&fd);
		return err_sys(e, EC_IO, "cannot write '%s/inblob'", s->dir);
	}
	fd_close(&fd);
	s->writes++;
	return 0;
}

static void hint_dead_channel(int why, const char *provider, struct err *e)
{
	if (why == ENOTTY)
		err_hint(e, "the kernel has wiped this guest's message key after a failed request: only a reboot brings reports back");
	else if (why == EINVAL)
		err_hint(e, "the provider '%s' refused the request: does another program write privlevel or inblob there?", provider);
	else if (why == ETIMEDOUT || why == EIO)
		err_hint(e, strcmp(provider, "tdx_guest") ? "the host did not answer the report request: try again, then ask the host's operator"
			 : "the quote service on the host is not reachable (QEMU quote-generation-socket, or vsock port 4050): "
			   "this is the host's configuration, not the guest's");
}

/* Reads the report; -1 with *why == EBUSY asks to come again later. */
static int read_out(struct tsm_report *r, int *why, struct session *s, struct err *e)
{
	if (attr_read(&r->out, why, s, "outblob", e)) {
		hint_dead_channel(*why, buf_cstr(&r->provider), e);
		return -1;
	}
	if (r->out.n == 0) {
		err_set(e, EC_IO, "'%s/outblob' is empty", s->dir);
		return err_hint(e, "the host gave no quote and no error: its quote service (QGS, quote-generation-socket) is misconfigured");
	}
	return 0;
}

static int read_aux(struct tsm_report *r, const struct session *s, struct err *e)
{
	struct err ignored = { 0 };
	char path[192];
	int why;

	if (attr_path(path, sizeof path, s, "auxblob", e))
		return -1;
	if (!host_exists(s->h, path))
		return 0;
	/* Without the host's certificates the report is still whole; they can come from elsewhere. */
	if (attr_read(&r->aux, &why, s, "auxblob", &ignored))
		host_log(s->h, LOG_WARN, "no certificate table: %s", ignored.msg);
	return 0;
}

/* Blocked signals that want to end the program: it has to stop waiting, then. */
static bool interrupted(void)
{
	sigset_t set;

	return !sigpending(&set) && (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1 ||
				     sigismember(&set, SIGHUP) == 1);
}

static int wait_if_busy(const struct session *s, int why, unsigned *busy, struct err *e)
{
	if ((why != EBUSY && why != EWOULDBLOCK) || ++*busy >= TSM_BUSY_TRIES)
		return -1;
	if (host_left_ms(s->h, TSM_BUSY_WAIT_MS) < TSM_BUSY_WAIT_MS)
		return err_ctx(e, "no time left to wait for the device");
	host_log(s->h, LOG_INFO, "the report device is busy, waiting");
	for (int64_t ms = 0; ms < TSM_BUSY_WAIT_MS && !interrupted(); ms += 100)
		nap(100);
	return interrupted() ? err_ctx(e, "interrupted") : 0;
}

/* Steps 1 to 5 of the race protocol.  *again: the directory was written by somebody else. */
static int exchange(struct tsm_report *r, bool *again, struct session *s, const char *provider,
		    const uint8_t in[static TSM_INBLOB], struct err *e)
{
	uint64_t before = 0, after = 0;
	unsigned busy = 0;
	int why;

	*again = false;
	if (attr_text(&r->provider, s, "provider", e))
		return -1;
	if (strcmp(buf_cstr(&r->provider), provider)) {
		err_set(e, EC_ABSENT, "the report provider is '%s', wanted '%s'", buf_cstr(&r->provider), provider);
		return err_hint(e, "see 'attest detect'");
	}
	if ((s->made && generation(&before, s, e)) || write_inblob(s, in, e))
		return -1;
	while (read_out(r, &why, s, e))
		if (wait_if_busy(s, why, &busy, e))
			return -1;
	if (read_aux(r, s, e) || (s->made && generation(&after, s, e)))
		return -1;
	if (s->made && (before != 0 || after != s->writes)) {
		*again = true;
		return err_set(e, EC_IO, "'%s' was written by another program (generation %llu, wanted %llu)", s->dir,
			       (unsigned long long)after, (unsigned long long)s->writes);
	}
	return 0;
}

static int session_open(struct session *s, const struct host *h, struct err *e)
{
	uint8_t r[8];
	sigset_t all;

	*s = (struct session){ .h = h };
	/* A signal has to wait until the directory is gone again: the kernel keeps it for ever otherwise. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &s->saved);
	if (h->simulated && host_exists(h, TSM_RECORDED)) {
		snprintf(s->dir, sizeof s->dir, "%s", TSM_RECORDED);
		return 0;
	}
	if (host_random(r, sizeof r, e))
		return -1;
	snprintf(s->dir, sizeof s->dir, TSM_DIR "/cvmbox-%ld-%02x%02x%02x%02x%02x%02x%02x%02x", (long)getpid(), r[0], r[1],
		 r[2], r[3], r[4], r[5], r[6], r[7]);
	if (host_mkdir(h, s->dir, 0700, e))
		return -1;
	s->made = true;
	return 0;
}

static void session_close(struct session *s)
{
	struct err e = { 0 };

	if (s->made && host_rmdir(s->h, s->dir, &e))
		host_log(s->h, LOG_INFO, "%s", e.msg);
	s->made = false;
	pthread_sigmask(SIG_SETMASK, &s->saved, NULL);
}

/* mkdir's answer says why there are no reports here. */
static int hint_mkdir(const struct host *h, struct err *e)
{
	if (!host_exists(h, "/sys/kernel/config"))
		return err_hint(e, "the kernel has no configfs");
	if (!host_exists(h, TSM_DIR))
		return err_hint(e, "is configfs mounted on /sys/kernel/config, and the module sev-guest, tdx-guest or arm-cca-guest "
				"loaded? (the interface needs Linux 6.7)");
	if (e->code == EC_ABSENT)
		return err_hint(e, "no report provider is registered: load sev-guest, tdx-guest or arm-cca-guest");
	return err_hint(e, "making a report needs root");
}

int tsm_get(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	    struct err *e)
{
	for (unsigned i = 0; i < TSM_TRIES; i++) {
		struct session s;
		AUTO_TSM r = { 0 };
		bool again = false;
		int rc = session_open(&s, h, e);

		if (rc)
			hint_mkdir(h, e);
		else
			rc = exchange(&r, &again, &s, provider, in, e);
		session_close(&s);
		if (rc == 0) {
			*ret = r;
			r = (struct tsm_report){ 0 };
			return 0;
		}
		if (!again)
			return err_ctx(e, "cannot get a hardware report");
	}
	return err_ctx(e, "cannot get a hardware report, tried %d times", TSM_TRIES);
}

int tsm_provider(struct buf *ret, const struct host *h, struct err *e)
{
	struct session s;
	int rc;

	if (h->simulated && !host_exists(h, TSM_RECORDED))
		return err_set(e, EC_ABSENT, "'%s' is not there, and a captured machine is not written to", TSM_RECORDED);
	rc = session_open(&s, h, e);
	rc = rc ? hint_mkdir(h, e) : attr_text(ret, &s, "provider", e);
	session_close(&s);
	return rc;
}
