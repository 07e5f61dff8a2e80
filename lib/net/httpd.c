/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP server, see httpd.h: sockets, threads and time limits */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "net/httpd.h"

#define DEFAULT_CONNS 64
#define MAX_CONNS 1024
#define DEFAULT_TIMEOUT_MS 30000
#define HEAD_TIMEOUT_MS 10000	/* a head is small: who needs longer is holding the line (slowloris) */
#define IDLE_TIMEOUT_MS 5000	/* between two requests of one connection */
#define REQUESTS_PER_CONN 100
#define STACK_SIZE ((size_t)1 << 20)

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_ENDED };

struct slot {			/* one connection; state and fd are guarded by the lock */
	struct server *server;
	enum slot_state state;
	pthread_t thread;
	int fd;
	union address peer;
};

struct server {
	const struct httpd *d;
	const struct host *h;
	pthread_mutex_t lock;
	struct slot *slots;
	unsigned n_slots;
	int ended;		/* eventfd: a connection has ended */
	atomic_bool stopping;
	int timeout_ms;
};

struct conn {
	struct server *s;
	int fd;
	void *tls;
	struct buf in;		/* received, not used yet */
	int64_t until;		/* monotonic ms */
	char peer[64];
};

void httpd_reply_free(struct httpd_reply *r)
{
	if (r->body.p)
		mem_wipe(r->body.p, r->body.n);
	buf_free(&r->body);
	buf_free(&r->headers);
}

/* --- bytes, with a deadline -------------------------------------------------------------------------- */

static int left_ms(const struct conn *c)
{
	const int64_t left = c->until - host_mono_ms();

	return left < 0 ? 0 : left > 600000 ? 600000 : (int)left;
}

static bool wait_for(const struct conn *c, short events)
{
	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = events };
		const int ms = left_ms(c), n = ms ? poll(&p, 1, ms) : 0;

		if (n > 0)
			return true;
		if (!n || errno != EINTR)
			return false;
	}
}

/* > 0 bytes, 0 at the end, on errors and when the time is over: all the same to us. */
static size_t receive(struct conn *c, void *p, size_t n)
{
	struct err e = { 0 };
	long got;

	if (c->tls) {
		const int ms = left_ms(c);

		got = ms ? c->s->d->tls->read(c->tls, p, n, ms, &e) : 0;
		return got > 0 ? (size_t)got : 0;
	}
	for (;;) {
		if (!wait_for(c, POLLIN))
			return 0;
		got = recv(c->fd, p, n, 0);
		if (got >= 0)
			return (size_t)got;
		if (errno != EINTR && errno != EAGAIN)
			return 0;
	}
}

static bool transmit(struct conn *c, struct slice s)
{
	struct err e = { 0 };

	while (s.n) {
		long sent;

		if (c->tls) {
			const int ms = left_ms(c);

			sent = ms ? c->s->d->tls->write(c->tls, s.p, s.n, ms, &e) : 0;
			if (sent <= 0)
				return false;
		} else {
			if (!wait_for(c, POLLOUT))
				return false;
			sent = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
			if (sent < 0 && (errno == EINTR || errno == EAGAIN))
				continue;
			if (sent <= 0)
				return false;
		}
		s.p += sent;
		s.n -= (size_t)sent;
	}
	return true;
}

/* --- replies ------------------------------------------------------------------------------------------- */

static const char *reason(int status)
{
	static const struct { int status; const char *text; } t[] = {
		{ 200, "OK" }, { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" }, { 413, "Content Too Large" },
		{ 417, "Expectation Failed" }, { 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		if (t[i].status == status)
			return t[i].text;
	return "Unknown";
}

static bool send_reply(struct conn *c, const struct httpd_reply *r, bool keep_alive)
{
	AUTO_BUF head = { 0 };
	struct err e = { 0 };
	char date[32];

	http_date(date, host_now(c->s->h));
	buf_printf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", r->status, reason(r->status), date);
	if (r->content_type)
		buf_printf(&head, "Content-Type: %s\r\n", r->content_type);
	buf_printf(&head, "Content-Length: %zu\r\nCache-Control: no-store\r\nConnection: %s\r\n", r->body.n,
		   keep_alive ? "keep-alive" : "close");
	buf_slice(&head, buf_view(&r->headers));
	buf_puts(&head, "\r\n");
	if (buf_check(&head, &e) || buf_check(&r->body, &e) || buf_check(&r->headers, &e))
		return false;
	return transmit(c, buf_view(&head)) && transmit(c, buf_view(&r->body));
}

/* detail is one of our own constant texts: nothing in it needs escaping */
static void refuse(struct conn *c, int status, const char *detail)
{
	struct httpd_reply r = { .status = status, .content_type = "application/json" };

	host_log(c->s->h, LOG_WARN, "%s refused %d: %s", c->peer, status, detail);
	buf_printf(&r.body, "{\"type\":\"about:blank\",\"detail\":\"%s\"}", detail);
	if (status == 405)
		buf_puts(&r.headers, "Allow: GET, POST, PUT, DELETE\r\n");
	c->until = host_mono_ms() + 2000;
	send_reply(c, &r, false);
	httpd_reply_free(&r);
}

/* A close with unread input makes TCP reset the connection, and the client loses the answer that tells it why.  So
 * drain a bounded amount first. */
static void linger(struct conn *c)
{
	uint8_t sink[8192];
	size_t total = 0, n;

	c->until = host_mono_ms() + 2000;
	if (c->tls || shutdown(c->fd, SHUT_WR))
		return;
	while (total < (size_t)8 << 20 && (n = receive(c, sink, sizeof sink)) > 0)
		total += n;
}

/* --- one connection -------------------------------------------------------------------------------------- */

/* Index behind the empty line that ends the head, 0 if it has not come yet. */
static size_t head_end(struct slice s, size_t from)
{
	for (size_t i = from > 3 ? from - 3 : 0; i + 4 <= s.n; i++)
		if (!memcmp(s.p + i, "\r\n\r\n", 4))
			return i + 4;
	return 0;
}

static void consume(struct buf *b, size_t n)
{
	memmove(b->p, b->p + n, b->n - n);
	mem_wipe(b->p + b->n - n, n);
	b->n -= n;
}

/* 0, an HTTP status to refuse with, or -1: the client is gone. */
static int read_head(struct conn *c, size_t *end, const char **why)
{
	uint8_t piece[4096];
	size_t seen = 0, n;

	while (!(*end = head_end(buf_view(&c->in), seen))) {
		*why = "head too large";
		if (c->in.n > HTTPD_HEAD_MAX)
			return 431;
		seen = c->in.n;
		n = receive(c, piece, sizeof piece);
		*why = "the request did not come in time";
		if (!n)
			return c->in.n && !left_ms(c) ? 408 : -1;
		buf_put(&c->in, piece, n);
		mem_wipe(piece, n);
		*why = "out of memory";
		if (c->in.bad)
			return 503;
	}
	*why = "head too large";
	return *end > HTTPD_HEAD_MAX ? 431 : 0;
}

static int read_body(struct conn *c, const struct httpd_head *head, const char **why)
{
	uint8_t piece[16384];

	*why = "payload reached size limit";
	if (head->content_length > c->s->d->max_body)
		return 413;
	if (head->expect_continue && head->content_length > c->in.n &&
	    !transmit(c, SLICE("HTTP/1.1 100 Continue\r\n\r\n")))
		return -1;
	while (c->in.n < head->content_length) {
		const size_t want = head->content_length - c->in.n;
		const size_t n = receive(c, piece, want < sizeof piece ? want : sizeof piece);

		*why = "the request did not come in time";
		if (!n)
			return left_ms(c) ? -1 : 408;
		buf_put(&c->in, piece, n);
		*why = "out of memory";
		if (c->in.bad)
			return 503;
	}
	return 0;
}

static bool answer(struct conn *c, struct httpd_head *head, bool last)
{
	struct httpd_request q = {
		.path = head->path, .query = head->query, .cookie = head->cookie, .authorization = head->authorization,
		.content_type = head->content_type, .body = { c->in.p, head->content_length },
	};
	struct httpd_reply r = { .status = 500 };
	bool sent, keep;

	memcpy(q.method, head->method, sizeof q.method);
	memcpy(q.peer, c->peer, sizeof q.peer);
	c->s->d->handle(c->s->d->arg, &q, &r);
	keep = head->keep_alive && !last && !atomic_load(&c->s->stopping);
	c->until = host_mono_ms() + c->s->timeout_ms;
	sent = send_reply(c, &r, keep);
	httpd_reply_free(&r);
	if (sent && keep)
		consume(&c->in, head->content_length);
	return sent && keep;
}

/* True: another request may follow. */
static bool one_request(struct conn *c, bool last)
{
	const int head_ms = c->s->timeout_ms < HEAD_TIMEOUT_MS ? c->s->timeout_ms : HEAD_TIMEOUT_MS;
	struct httpd_head head = { 0 };
	const char *why = "";
	bool more = false;
	size_t end = 0;
	int status;

	c->until = host_mono_ms() + head_ms;
	status = read_head(c, &end, &why);
	if (!status)
		status = httpd_head_parse(&head, (struct slice){ c->in.p, end }, &why);
	if (!status) {
		consume(&c->in, end);
		c->until = host_mono_ms() + c->s->timeout_ms;
		status = read_body(c, &head, &why);
	}
	if (!status)
		more = answer(c, &head, last);
	else if (status > 0)
		refuse(c, status, why);
	if (status > 0)
		linger(c);
	httpd_head_free(&head);
	return more;
}

static bool next_comes(struct conn *c)
{
	if (c->in.n || c->tls)		/* TLS may hold bytes that poll cannot see: its read has the head's time limit */
		return true;
	c->until = host_mono_ms() + IDLE_TIMEOUT_MS;
	return wait_for(c, POLLIN);
}

static void converse(struct conn *c)
{
	struct err e = { 0 };

	c->in.max = HTTPD_HEAD_MAX + c->s->d->max_body + 65536;
	c->until = host_mono_ms() + c->s->timeout_ms;
	if (c->s->d->tls) {
		c->tls = c->s->d->tls->accept(c->s->d->tls->arg, c->fd, HEAD_TIMEOUT_MS, &e);
		if (!c->tls) {
			host_log(c->s->h, LOG_INFO, "%s %s", c->peer, e.msg);
			return;
		}
	}
	for (unsigned n = 1; one_request(c, n == REQUESTS_PER_CONN); n++)
		if (atomic_load(&c->s->stopping) || !next_comes(c))
			break;
	if (c->tls)
		c->s->d->tls->close(c->tls);
	if (c->in.p)
		mem_wipe(c->in.p, c->in.n);
	buf_free(&c->in);
}

static void peer_name(char ret[64], const union address *a)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (a->sa.sa_family == AF_INET && inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof text))
		snprintf(ret, 64, "%s:%u", text, ntohs(a->in.sin_port));
	else if (a->sa.sa_family == AF_INET6 && inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof text))
		snprintf(ret, 64, "[%s]:%u", text, ntohs(a->in6.sin6_port));
	else
		snprintf(ret, 64, "unix");
}

static void *serve_slot(void *arg)
{
	struct slot *slot = arg;
	struct server *s = slot->server;
	struct conn c = { .s = s, .fd = slot->fd };
	const uint64_t one = 1;
	int fd;

	peer_name(c.peer, &slot->peer);
	converse(&c);
	pthread_mutex_lock(&s->lock);
	fd = slot->fd;
	slot->fd = -1;			/* from here on nobody else touches the descriptor */
	slot->state = SLOT_ENDED;
	pthread_mutex_unlock(&s->lock);
	close(fd);
	if (write(s->ended, &one, sizeof one) < 0)
		return NULL;		/* the counter is full: the main loop is awake anyway */
	return NULL;
}

/* --- listening ------------------------------------------------------------------------------------------- */

static bool is_loopback(const union address *a)
{
	return a->sa.sa_family == AF_UNIX ||
	       (a->sa.sa_family == AF_INET && ntohl(a->in.sin_addr.s_addr) >> 24 == 127) ||
	       (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr));
}

static int parse_inet(union address *ret, socklen_t *n, const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	uint64_t port;
	size_t len;

	if (!colon || (size_t)(colon - text) >= sizeof host)
		goto bad;
	len = (size_t)(colon - text);
	memcpy(host, text, len);
	host[len] = 0;
	if (parse_u64(&port, colon + 1, 65535, NULL))
		goto bad;
	if (!strcmp(host, "localhost"))
		snprintf(host, sizeof host, "127.0.0.1");
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = 0;
		ret->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
		*n = sizeof ret->in6;
		if (inet_pton(AF_INET6, host + 1, &ret->in6.sin6_addr) == 1)
			return 0;
	} else {
		ret->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
		*n = sizeof ret->in;
		if (inet_pton(AF_INET, host, &ret->in.sin_addr) == 1)
			return 0;
	}
bad:
	return err_set(e, EC_USAGE, "cannot listen on '%s': wanted ADDRESS:PORT, [ADDRESS6]:PORT or unix:/PATH, numeric", text);
}

static int parse_listen(union address *ret, socklen_t *n, const char *text, struct err *e)
{
	size_t len;

	if (strncmp(text, "unix:", 5))
		return parse_inet(ret, n, text, e);
	len = strlen(text + 5);
	if (!len || len >= sizeof ret->un.sun_path)
		return err_set(e, EC_USAGE, "cannot listen on '%s': the path has %zu bytes, wanted 1 to %zu", text, len,
			       sizeof ret->un.sun_path - 1);
	ret->un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->un.sun_path, text + 5, len + 1);
	*n = sizeof ret->un;
	return 0;
}

/* A socket file that nobody answers behind is left over from a server that was killed. */
static void remove_stale(const union address *a, socklen_t n)
{
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd >= 0 && !lstat(a->un.sun_path, &st) && S_ISSOCK(st.st_mode) && connect(fd, &a->sa, n) &&
	    errno == ECONNREFUSED)
		unlink(a->un.sun_path);
}

static int open_listener(int *ret, union address *a, socklen_t n, const char *text, struct err *e)
{
	AUTO_FD fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1;

	if (fd < 0)
		return err_sys(e, EC_IO, "cannot listen on '%s'", text);
	if (a->sa.sa_family == AF_UNIX) {
		remove_stale(a, n);
		fchmod(fd, 0600);	/* Linux gives this mode to the socket file */
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	}
	if (bind(fd, &a->sa, n) || listen(fd, 128) || getsockname(fd, &a->sa, &n)) {
		const bool taken = errno == EADDRINUSE;

		err_sys(e, EC_IO, "cannot listen on '%s'", text);
		if (taken)
			err_hint(e, "another program listens there: stop it, or take another port");
		return -1;
	}
	*ret = fd;
	fd = -1;
	return 0;
}

static void announce(const struct httpd *d, const union address *a)
{
	char name[64], url[sizeof a->un.sun_path + 80];

	peer_name(name, a);
	if (a->sa.sa_family == AF_UNIX)
		snprintf(url, sizeof url, "%s", d->listen);
	else
		snprintf(url, sizeof url, "%s://%s", d->tls ? "https" : "http", name);
	if (d->ready)
		d->ready(d->arg, url);
}

/* --- the main loop ----------------------------------------------------------------------------------------- */

static bool same_peer(const union address *a, const union address *b)
{
	if (a->sa.sa_family != b->sa.sa_family || is_loopback(a))
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 8);	/* a /64 is one customer */
}

static struct slot *free_slot(struct server *s, const union address *peer)
{
	struct slot *found = NULL;
	unsigned from_peer = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->n_slots; i++) {
		struct slot *t = &s->slots[i];

		if (t->state == SLOT_FREE)
			found = t;
		else if (peer && same_peer(&t->peer, peer))
			from_peer++;
	}
	pthread_mutex_unlock(&s->lock);
	return from_peer >= (s->n_slots + 1) / 2 ? NULL : found;
}

static void reap(struct server *s)
{
	uint64_t n;

	if (read(s->ended, &n, sizeof n) < 0)
		return;
	for (unsigned i = 0; i < s->n_slots; i++) {
		struct slot *t = &s->slots[i];
		bool over;

		pthread_mutex_lock(&s->lock);
		over = t->state == SLOT_ENDED;
		pthread_mutex_unlock(&s->lock);
		if (!over)
			continue;
		pthread_join(t->thread, NULL);
		t->state = SLOT_FREE;
	}
}

static bool start_thread(struct slot *slot)
{
	pthread_attr_t attr;
	sigset_t all, old;
	bool ok;

	if (pthread_attr_init(&attr))
		return false;
	sigfillset(&all);		/* signals, SIGPIPE too, are the main thread's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = !pthread_attr_setstacksize(&attr, STACK_SIZE) && !pthread_create(&slot->thread, &attr, serve_slot, slot);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ok;
}

static void take_connection(struct server *s, int listener)
{
	union address peer = { 0 };
	socklen_t n = sizeof peer;
	const int one = 1, fd = accept4(listener, &peer.sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct slot *slot;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			host_log(s->h, LOG_WARN, "cannot accept a connection: %s", strerror(errno));
			poll(NULL, 0, 100);
		}
		return;
	}
	slot = free_slot(s, &peer);
	if (!slot) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	slot->peer = peer;
	slot->fd = fd;
	slot->state = SLOT_BUSY;
	if (!start_thread(slot)) {
		host_log(s->h, LOG_WARN, "cannot start a thread for a connection");
		slot->state = SLOT_FREE;
		close(fd);
	}
}

static int main_loop(struct server *s, int listener, struct err *e)
{
	for (;;) {
		struct pollfd p[3] = {
			{ .fd = s->ended, .events = POLLIN },
			{ .fd = s->d->stop_fd, .events = POLLIN },
			{ .fd = free_slot(s, NULL) ? listener : -1, .events = POLLIN },	/* full: wait in the backlog */
		};

		const int64_t left = s->h->deadline_ms ? host_left_ms(s->h, INT32_MAX) : -1;

		if (poll(p, 3, (int)left) < 0 && errno != EINTR)
			return err_sys(e, EC_IO, "cannot wait for connections");
		if (p[1].revents || left == 0)
			return 0;
		if (p[0].revents)
			reap(s);
		if (p[2].revents)
			take_connection(s, listener);
	}
}

/* Wakes every reader; requests that are being answered go on to their end. */
static void finish(struct server *s)
{
	atomic_store(&s->stopping, true);
	for (unsigned i = 0; i < s->n_slots; i++) {
		pthread_mutex_lock(&s->lock);
		if (s->slots[i].state == SLOT_BUSY)
			shutdown(s->slots[i].fd, SHUT_RD);
		pthread_mutex_unlock(&s->lock);
	}
	for (unsigned i = 0; i < s->n_slots; i++) {
		bool used;

		pthread_mutex_lock(&s->lock);
		used = s->slots[i].state != SLOT_FREE;	/* only this thread makes a slot free or busy */
		pthread_mutex_unlock(&s->lock);
		if (used)
			pthread_join(s->slots[i].thread, NULL);
	}
}

static int serve(struct server *s, int listener, const union address *a, struct err *e)
{
	int rc;

	for (unsigned i = 0; i < s->n_slots; i++)
		s->slots[i] = (struct slot){ .server = s, .fd = -1 };
	announce(s->d, a);
	rc = main_loop(s, listener, e);
	finish(s);
	if (a->sa.sa_family == AF_UNIX)
		unlink(a->un.sun_path);
	return rc;
}

int httpd_run(const struct httpd *d, const struct host *h, struct err *e)
{
	struct server s = { .d = d, .h = h, .lock = PTHREAD_MUTEX_INITIALIZER };
	AUTO_FD listener = -1;
	AUTO_FD ended = -1;
	union address a = { 0 };
	socklen_t n = 0;
	int rc;

	if (parse_listen(&a, &n, d->listen, e))
		return -1;
	if (!d->tls && !is_loopback(&a)) {
		err_set(e, EC_USAGE, "cannot listen on '%s': without TLS only loopback addresses are allowed", d->listen);
		return err_hint(e, "give --tls-cert and --tls-key, or listen on 127.0.0.1");
	}
	if (h->offline)
		return err_set(e, EC_USAGE, "cannot listen on '%s': --offline was given", d->listen);
	s.n_slots = d->max_conns ? d->max_conns < MAX_CONNS ? d->max_conns : MAX_CONNS : DEFAULT_CONNS;
	s.timeout_ms = d->timeout_ms > 0 ? d->timeout_ms : DEFAULT_TIMEOUT_MS;
	if (open_listener(&listener, &a, n, d->listen, e))
		return -1;
	s.ended = ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s.slots = calloc(s.n_slots, sizeof *s.slots);
	rc = ended < 0 ? err_sys(e, EC_IO, "eventfd") : !s.slots ? err_oom(e) : serve(&s, listener, &a, e);
	free(s.slots);
	return rc;
}
