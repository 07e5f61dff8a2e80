/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes by the host's service: see qgs.h.  Frames are a big-endian length and a message; messages are little-endian. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "tee/qgs.h"
#include "tee/uapi.h"

#define CONF "/etc/tdx-attest.conf"
#define CONF_MAX 65536
#define HEADER 16
#define ANSWER_TIME_MS 30000	/* a quote takes about a second */
enum { GET_QUOTE_REQUEST = 0, GET_QUOTE_ANSWER = 1 };

/* "port = 4050", "#" begins a comment; the last one wins, as in Intel's library. */
static bool port_of_line(uint64_t *ret, struct slice line)
{
	const uint8_t *hash = line.n ? memchr(line.p, '#', line.n) : NULL;
	struct err e = { 0 };
	char text[16];

	if (hash)
		line.n = (size_t)(hash - line.p);
	line = slice_trim(line);
	if (line.n < 5 || memcmp(line.p, "port", 4))
		return false;
	line = slice_trim(slice_of(line.p + 4, line.n - 4));
	if (line.n == 0 || line.p[0] != '=')
		return false;
	line = slice_trim(slice_of(line.p + 1, line.n - 1));
	if (line.n == 0 || line.n >= sizeof text)
		return false;
	memcpy(text, line.p, line.n);
	text[line.n] = 0;
	return parse_u64(ret, text, UINT32_MAX - 1, &e) == 0;
}

int qgs_port(uint32_t *ret, const struct host *h, struct err *e)
{
	AUTO_BUF b = { 0 };
	struct slice line;
	uint64_t port = 0;
	struct rd r;

	if (host_read(&b, h, CONF, CONF_MAX, e))
		return -1;
	r = rd_of(buf_view(&b));
	while (rd_line(&r, &line))
		port_of_line(&port, line);
	if (port == 0)
		return err_set(e, EC_ABSENT, "'" CONF "' names no port");
	*ret = (uint32_t)port;
	return 0;
}

static int wait_for(int fd, short what, int64_t end, struct err *e)
{
	for (;;) {
		const int64_t left = end - host_mono_ms();
		struct pollfd p = { fd, what, 0 };
		int n;

		if (left <= 0)
			return err_set(e, EC_IO, "the quote service does not answer");
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, EC_IO, "cannot wait for the quote service");
	}
}

static int connected(int fd, int rc, uint32_t port, int64_t end, struct err *e)
{
	socklen_t n = sizeof rc;

	if (rc && errno == EINPROGRESS) {
		if (wait_for(fd, POLLOUT, end, e) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &rc, &n))
			return -1;
		errno = rc;
	}
	return rc ? err_sys(e, EC_IO, "cannot reach the quote service at vsock port %u", port) : 0;
}

/* Below a --sysroot: connect(2) follows the descriptor's name in /proc. */
static int connect_simulated(const struct host *h, uint32_t port, int64_t end, struct err *e)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/run/qgs/%u", port);
	AUTO_FD there = host_open(h, path, O_PATH, e);

	if (there < 0)
		return err_ctx(e, "cannot reach the quote service");
	snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d", there);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, EC_IO, "cannot open a socket");
	if (connected(fd, connect(fd, (const struct sockaddr *)&un, sizeof un), port, end, e)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_host(const struct host *h, uint32_t port, int64_t end, struct err *e)
{
	const struct sockaddr_vsock to = { .family = AF_VSOCK_, .port = port, .cid = VSOCK_CID_HOST };
	int fd;

	if (h->offline)
		return err_set(e, EC_USAGE, "the quote service is asked through a socket, which --offline forbids");
	if (h->simulated)
		return connect_simulated(h, port, end, e);
	fd = socket(AF_VSOCK_, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		err_sys(e, EC_ABSENT, "cannot open a vsock socket");
		return err_hint(e, "load the module vmw_vsock_virtio_transport; the host has to give the guest a vsock device");
	}
	if (connected(fd, connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), port, end, e)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int send_all(int fd, struct slice s, int64_t end, struct err *e)
{
	while (s.n) {
		const ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(e, EC_IO, "cannot ask the quote service");
		if (n < 0) {
			if (wait_for(fd, POLLOUT, end, e))
				return -1;
			continue;
		}
		s.p += n;
		s.n -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, uint8_t *p, size_t n, int64_t end, struct err *e)
{
	while (n) {
		const ssize_t got = recv(fd, p, n, 0);

		if (got == 0)
			return err_set(e, EC_IO, "the quote service hung up %zu bytes before the end of its answer", n);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(e, EC_IO, "cannot read the quote service's answer");
		if (got < 0) {
			if (wait_for(fd, POLLIN, end, e))
				return -1;
			continue;
		}
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int qgs_answer(struct slice *quote, struct slice msg, struct err *e)
{
	struct rd r = rd_of(msg);
	const uint16_t major = rd_le16(&r), minor = rd_le16(&r);
	const uint32_t type = rd_le32(&r), size = rd_le32(&r), error = rd_le32(&r);
	uint32_t id_n, quote_n;
	struct slice q;

	if (r.bad)
		return err_set(e, EC_FORMAT, "the quote service's answer has %zu bytes, its header %d", msg.n, HEADER);
	if (major != 1 || minor > 1 || type != GET_QUOTE_ANSWER || size != msg.n)
		return err_set(e, EC_FORMAT, "the quote service's answer has version %u.%u, type %u, size %u of %zu; wanted 1.0 or 1.1, type %d",
			       major, minor, type, size, msg.n, GET_QUOTE_ANSWER);
	if (error) {
		err_set(e, EC_IO, "the quote service answers error 0x%x", error);
		return err_hint(e, "this is the host's side: its log says why (journalctl -u qgsd); often the platform is not registered, or "
				   "its PCCS is not reachable");
	}
	id_n = rd_le32(&r);
	quote_n = rd_le32(&r);
	rd_skip(&r, id_n);
	q = rd_take(&r, quote_n);
	if (r.bad || rd_left(&r))
		return err_set(e, EC_FORMAT, "the quote service's answer of %zu bytes announces an id of %u and a quote of %u", msg.n, id_n,
			       quote_n);
	if (q.n == 0)
		return err_set(e, EC_IO, "the quote service gave an empty quote");
	*quote = q;
	return 0;
}

static void make_request(struct buf *b, const uint8_t tdreport[static TDREPORT_SIZE])
{
	const uint32_t n = HEADER + 8 + TDREPORT_SIZE;

	buf_be32(b, n);
	buf_le16(b, 1);
	buf_le16(b, 1);
	buf_le32(b, GET_QUOTE_REQUEST);
	buf_le32(b, n);
	buf_le32(b, 0);
	buf_le32(b, TDREPORT_SIZE);
	buf_le32(b, 0);		/* no list of ids: the service's own key */
	buf_put(b, tdreport, TDREPORT_SIZE);
}

static int exchange(struct buf *answer, int fd, const uint8_t tdreport[static TDREPORT_SIZE], int64_t end, struct err *e)
{
	AUTO_BUF request = { 0 };
	uint8_t head[4], *p;
	uint32_t n;

	make_request(&request, tdreport);
	if (buf_check(&request, e) || send_all(fd, buf_view(&request), end, e) || read_all(fd, head, sizeof head, end, e))
		return -1;
	n = get_be32(head);
	if (n < HEADER || n > QGS_MESSAGE_MAX)
		return err_set(e, EC_FORMAT, "the quote service announces %u bytes, wanted %d to %zu", n, HEADER, QGS_MESSAGE_MAX);
	p = buf_grow(answer, n);
	return p ? read_all(fd, p, n, end, e) : buf_check(answer, e);
}

int qgs_quote(struct buf *ret, const struct host *h, const uint8_t tdreport[static TDREPORT_SIZE], struct err *e)
{
	const int64_t end = host_mono_ms() + host_left_ms(h, ANSWER_TIME_MS);
	AUTO_BUF answer = { .max = QGS_MESSAGE_MAX };
	struct slice quote;
	uint32_t port;

	if (qgs_port(&port, h, e))
		return -1;
	AUTO_FD fd = connect_host(h, port, end, e);

	if (fd < 0 || exchange(&answer, fd, tdreport, end, e)) {
		err_hint(e, "the quote service (QGS) on the host is not reachable or stuck: this is the host's configuration, not the guest's");
		return -1;
	}
	if (qgs_answer(&quote, buf_view(&answer), e))
		return -1;
	buf_slice(ret, quote);
	return buf_check(ret, e);
}
