/* SPDX-License-Identifier: Apache-2.0 */
/* One command to the TPM and its response back: over a device, over a socket, or out of a recording (see tpm.h). */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "codec/hex64.h"
#include "tee/tpm_int.h"

#define RECORDING_MAX ((size_t)4 << 20)
#define HEADER 10
#define RETRIES 16
#define RETRY_MS 20			/* doubled up to .. */
#define RETRY_MAX_MS 500

static const char *const nodes[] = { "/dev/tpmrm0", "/dev/tpm0" };
#define N_NODES (sizeof nodes / sizeof nodes[0])

void tpm_close(struct tpm *t)
{
	fd_close(&t->fd);
	buf_free(&t->recording);
}

bool tpm_there(const struct host *h)
{
	for (size_t i = 0; i < N_NODES; i++)
		if (host_exists(h, nodes[i]))
			return true;
	return false;
}

/* --- device and socket ------------------------------------------------------------------------------------- */

static int wait_for(const struct tpm *t, short what, int64_t until, struct err *e)
{
	struct pollfd p = { .fd = t->fd, .events = what };

	for (;;) {
		const int64_t left = until - host_mono_ms();
		const int n = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (n > 0)
			return 0;	/* an error shows in the read or write */
		if (n == 0)
			return err_set(e, EC_IO, "'%s': no answer within the time limit", t->where);
		if (errno != EINTR)
			return err_sys(e, EC_IO, "'%s'", t->where);
	}
}

static bool again(void)
{
	return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

/* A device takes a command in one write; only a socket may take part of it. */
static int send_all(const struct tpm *t, struct slice command, int64_t until, struct err *e)
{
	while (command.n) {
		ssize_t n;

		if (wait_for(t, POLLOUT, until, e))
			return -1;
		n = write(t->fd, command.p, command.n);
		if (n < 0 && again())
			continue;
		if (n < 0 && errno == EBUSY) {
			err_sys(e, EC_IO, "cannot write to '%s'", t->where);
			return err_hint(e, "another program is talking to the TPM");
		}
		if (n < 0)
			return err_sys(e, EC_IO, "cannot write to '%s'", t->where);
		command = slice_of(command.p + n, command.n - (size_t)n);
	}
	return 0;
}

static int receive_all(struct buf *ret, const struct tpm *t, int64_t until, struct err *e)
{
	uint8_t part[TPM_BUFFER];
	size_t want = HEADER;

	while (ret->n < want) {
		ssize_t n;

		if (wait_for(t, POLLIN, until, e))
			return -1;
		n = read(t->fd, part, sizeof part);
		if (n < 0 && again())
			continue;
		if (n < 0)
			return err_sys(e, EC_IO, "cannot read from '%s'", t->where);
		if (n == 0)
			return err_set(e, EC_IO, "'%s' closed after %zu bytes of a response", t->where, ret->n);
		buf_put(ret, part, (size_t)n);
		if (buf_check(ret, e))
			return -1;
		if (ret->n >= HEADER)
			want = get_be32(ret->p + 2);
		if (want > TPM_BUFFER)
			return err_set(e, EC_FORMAT, "'%s' announces a response of %zu bytes, at most %d are possible", t->where, want,
				       TPM_BUFFER);
	}
	return 0;
}

static int transmit_fd(struct tpm *t, struct buf *ret, struct slice command, struct err *e)
{
	const int64_t until = host_mono_ms() + host_left_ms(t->h, TPM_COMMAND_MS);

	return send_all(t, command, until, e) || receive_all(ret, t, until, e) ? -1 : 0;
}

static int connect_at(struct tpm *t, int node, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	/* by its descriptor, so that no link leads out of the sysroot */
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d", node);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || connect(t->fd, (const struct sockaddr *)&a, sizeof a)) {
		err_sys(e, EC_IO, "cannot connect to the TPM at '%s'", t->where);
		return err_hint(e, "is a software TPM listening there?");
	}
	if (fcntl(t->fd, F_SETFL, O_NONBLOCK))
		return err_sys(e, EC_IO, "'%s'", t->where);
	t->transmit = transmit_fd;
	return 0;
}

/* --- recording --------------------------------------------------------------------------------------------- */

static bool next_line(struct slice *ret, struct rd *r, char mark)
{
	struct slice line;

	while (rd_line(r, &line))
		if (line.n && line.p[0] == mark) {
			*ret = slice_trim(slice_of(line.p + 1, line.n - 1));
			return true;
		}
	return false;
}

/* The next exchange of that command, from where the last one was found, and once more from the top. */
static int transmit_recorded(struct tpm *t, struct buf *ret, struct slice command, struct err *e)
{
	AUTO_BUF hex = { 0 };

	hex_encode(&hex, command);
	if (buf_check(&hex, e))
		return -1;
	for (int round = 0; round < 2; round++) {
		struct rd r = rd_of(slice_of(t->recording.p + t->at, t->recording.n - t->at));
		struct slice line;

		while (next_line(&line, &r, '>')) {
			const bool ours = slice_eq(line, buf_view(&hex));

			if (!next_line(&line, &r, '<') || !ours)
				continue;
			t->at = (size_t)(r.p - t->recording.p);
			if (line.n > 2 * TPM_BUFFER || hex_decode(ret, line, e))
				return err_set(e, EC_FORMAT, "recording '%s': the answer is no response in hex", t->where);
			return 0;
		}
		t->at = 0;
	}
	return err_set(e, EC_ABSENT, "recording '%s' does not hold the command %.64s%s", t->where, buf_cstr(&hex), hex.n > 64 ? ".." : "");
}

/* --- opening ----------------------------------------------------------------------------------------------- */

static int open_simulated(struct tpm *t, const char *node, struct err *e)
{
	AUTO_FD fd = host_open(t->h, node, O_PATH, e);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st))
		return err_sys(e, EC_IO, "'%s'", node);
	if (S_ISSOCK(st.st_mode))
		return connect_at(t, fd, e);
	t->recording.max = RECORDING_MAX + 1;
	if (host_read(&t->recording, t->h, node, RECORDING_MAX, e))
		return -1;
	t->transmit = transmit_recorded;
	return 0;
}

static int open_device(struct tpm *t, const char *node, struct err *e)
{
	t->fd = host_open(t->h, node, O_RDWR | O_NONBLOCK, e);
	if (t->fd < 0) {
		const int why = errno;

		if (why == EBUSY)
			return err_hint(e, "another program has it open, and this kernel has no resource manager (/dev/tpmrm0)");
		if (why == EACCES || why == EPERM)
			return err_hint(e, "it takes root, or membership in the group tss");
		return -1;
	}
	t->transmit = transmit_fd;
	return 0;
}

int tpm_open(struct tpm *ret, const struct host *h, struct err *e)
{
	for (size_t i = 0; i < N_NODES; i++) {
		AUTO_TPM t = TPM_INIT;
		struct err why = { 0 };

		t.h = h;
		snprintf(t.where, sizeof t.where, "%s", nodes[i]);
		if (!(h->simulated ? open_simulated(&t, nodes[i], &why) : open_device(&t, nodes[i], &why))) {
			*ret = t;
			t = (struct tpm)TPM_INIT;
			return 0;
		}
		if (why.code != EC_ABSENT) {
			if (e)
				*e = why;
			return err_ctx(e, "cannot open the TPM");
		}
	}
	err_set(e, EC_ABSENT, "no TPM here: neither %s nor %s", nodes[0], nodes[1]);
	return err_hint(e, "is one configured for this machine, and its driver loaded (tpm_crb, tpm_tis)?");
}

/* --- calls ------------------------------------------------------------------------------------------------- */

void tpm_call_free(struct tpm_call *c)
{
	buf_free(&c->out);
	buf_free(&c->in);
}

void tpm_call_begin(struct tpm_call *c, const char *name, uint32_t code, bool sessions)
{
	c->name = name;
	c->sessions = sessions;
	c->out.max = TPM_BUFFER;
	buf_be16(&c->out, sessions ? 0x8002 : 0x8001);
	buf_be32(&c->out, 0);		/* size, when it is known */
	buf_be32(&c->out, code);
}

void tpm_call_password(struct tpm_call *c)
{
	buf_put(&c->out, "\0\0\0\x09\x40\0\0\x09\0\0\0\0\0", 13);
}

void tpm_call_sized(struct tpm_call *c, struct slice bytes)
{
	if (bytes.n > UINT16_MAX)
		c->out.bad = true;
	buf_be16(&c->out, (uint16_t)bytes.n);
	buf_slice(&c->out, bytes);
}

static void nap(int64_t ms)
{
	if (ms > 0)
		poll(NULL, 0, (int)ms);
}

static int exchange(struct tpm_call *c, struct tpm *t, struct err *e)
{
	uint16_t tag;
	uint32_t size;

	buf_free(&c->in);
	c->in.max = 2 * TPM_BUFFER;
	if (t->transmit(t, &c->in, buf_view(&c->out), e))
		return err_ctx(e, "%s", c->name);
	c->r = rd_of(buf_view(&c->in));
	tag = rd_be16(&c->r);
	size = rd_be32(&c->r);
	t->rc = rd_be32(&c->r);
	if (c->r.bad || size != c->in.n)
		return err_set(e, EC_FORMAT, "%s: '%s' answers %zu bytes that say they are %u", c->name, t->where, c->in.n, size);
	if (t->rc == 0 && tag != (c->sessions ? 0x8002 : 0x8001))
		return err_set(e, EC_FORMAT, "%s: '%s' answers with tag 0x%04x", c->name, t->where, tag);
	return 0;
}

int tpm_call_run(struct tpm_call *c, struct tpm *t, struct err *e)
{
	int64_t wait = RETRY_MS;

	t->rc = 0;
	if (c->out.bad)
		return err_set(e, EC_USAGE, "%s: more than the %d bytes that a TPM takes", c->name, TPM_BUFFER);
	put_be32(c->out.p + 2, (uint32_t)c->out.n);
	for (int i = 0; i < RETRIES; i++) {
		if (exchange(c, t, e))
			return -1;
		host_log(t->h, LOG_DEBUG, "%s: %zu bytes, answer %zu bytes, code 0x%x", c->name, c->out.n, c->in.n, t->rc);
		if (!tpm_rc_retry(t->rc))
			break;
		nap(host_left_ms(t->h, wait));
		if (t->h->deadline_ms && host_left_ms(t->h, 1) == 0)
			break;
		wait = wait * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : wait * 2;
	}
	return t->rc ? tpm_rc_set(e, c->name, t->rc) : 0;
}

struct rd tpm_call_params(struct tpm_call *c)
{
	const struct slice s = rd_take(&c->r, rd_be32(&c->r));
	struct rd r = rd_of(s);

	r.bad = c->r.bad;
	return r;
}

int tpm_call_short(const struct tpm_call *c, struct err *e)
{
	return err_set(e, EC_FORMAT, "%s: the TPM's answer of %zu bytes is not as it should be", c->name, c->in.n);
}
