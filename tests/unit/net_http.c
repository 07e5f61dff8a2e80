/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server and the HTTP client, over loopback sockets and on bytes alone. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/http.h"
#include "net/httpd.h"
#include "test.h"

/* --- heads ------------------------------------------------------------------------------------------- */

static int head_status(const char *text)
{
	struct httpd_head h = { 0 };
	const char *why = NULL;
	const int status = httpd_head_parse(&h, slice_str(text), &why);

	if (!status)
		httpd_head_free(&h);
	else
		OK(why && *why && !h.text);
	return status;
}

TEST(httpd_head_reads_a_request)
{
	struct httpd_head h = { 0 };
	const char *why;

	EQ(httpd_head_parse(&h, SLICE("POST /kbs/v0/attest?x=1 HTTP/1.1\r\nHost: a\r\ncookie:  kbs-session-id=0 \r\n"
				      "AUTHORIZATION: Bearer abc\r\nContent-Type: application/json\r\n"
				      "Content-Length: 17\r\nExpect: 100-continue\r\nX-Other: \xc3\xa4\r\n\r\n"), &why), 0);
	STR(h.method, "POST");
	STR(h.path, "/kbs/v0/attest");
	STR(h.query, "x=1");
	STR(h.cookie, "kbs-session-id=0");
	STR(h.authorization, "Bearer abc");
	STR(h.content_type, "application/json");
	EQ(h.content_length, 17);
	OK(h.expect_continue && h.keep_alive);
	httpd_head_free(&h);
	EQ(httpd_head_parse(&h, SLICE("GET /? HTTP/1.0\r\n\r\n"), &why), 0);
	STR(h.path, "/");
	STR(h.query, "");
	OK(!h.keep_alive && !h.cookie && !h.content_length);
	httpd_head_free(&h);
}

static bool keeps_alive(const char *text)
{
	struct httpd_head h = { 0 };
	const char *why;
	bool keep;

	EQ(httpd_head_parse(&h, slice_str(text), &why), 0);
	keep = h.keep_alive;
	httpd_head_free(&h);
	return keep;
}

TEST(httpd_head_knows_who_closes)
{
	OK(keeps_alive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	OK(keeps_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, closely\r\n\r\n"));
	OK(!keeps_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"));
	OK(!keeps_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE , close\r\n\r\n"));
	OK(!keeps_alive("GET / HTTP/1.0\r\n\r\n"));
}

TEST(httpd_head_refuses_what_is_doubtful)
{
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	EQ(head_status("GET / HTTP/1.1\r\n\r\n"), 400);				/* no Host */
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\nHost: a\n\n"), 400);			/* bare LF */
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\n"), 400);			/* no end */
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\n\r\nX"), 400);		/* bytes behind it */
	EQ(head_status("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	EQ(head_status("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	EQ(head_status("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	EQ(head_status("GET /# HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
	EQ(head_status("GET / SIP/1.1\r\nHost: a\r\n\r\n"), 400);
	EQ(head_status("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n"), 405);
	EQ(head_status("OPTIONSOPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n"), 405);
	EQ(head_status("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"), 400);	/* blank before the colon */
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"), 400);	/* folded */
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nNoColon\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nCookie: a\r\nCookie: b\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"), 400);
	EQ(head_status("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999\r\n\r\n"), 400);
	EQ(head_status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 501);
	EQ(head_status("POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n"), 417);
	EQ(head_status(""), 400);
	EQ(head_status("\r\n\r\n"), 400);
}

TEST(httpd_head_refuses_a_nul_and_too_many_headers)
{
	struct httpd_head h = { 0 };
	AUTO_BUF b = { 0 };
	const char *why;

	EQ(httpd_head_parse(&h, SLICE("GET / HTTP/1.1\r\nHost: a\r\nCookie: a\0b\r\n\r\n"), &why), 400);
	EQ(httpd_head_parse(&h, SLICE("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), &why), 400);
	buf_puts(&b, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 200; i++)
		buf_printf(&b, "X-%d: y\r\n", i);
	buf_puts(&b, "\r\n");
	EQ(httpd_head_parse(&h, buf_view(&b), &why), 431);
}

TEST(http_date_is_imf_fixdate)
{
	char d[32];

	http_date(d, 784111777);
	STR(d, "Sun, 06 Nov 1994 08:49:37 GMT");	/* the example of RFC 9110 5.6.7 */
	http_date(d, INT64_MAX);
	STR(d, "Thu, 01 Jan 1970 00:00:00 GMT");
}

/* --- a running server ---------------------------------------------------------------------------------- */

struct fixture {
	struct host h;
	struct httpd d;
	pthread_t thread;
	int stop[2], up[2];
	char url[128];
	uint16_t port;
	int rc;
	struct err e;
};

static void echo(void *arg, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)arg;
	if (!strcmp(q->path, "/nothing"))
		return;			/* a handler that does nothing is a 500 */
	r->status = !strcmp(q->path, "/denied") ? 401 : 200;
	r->content_type = "text/plain";
	if (strstr(q->query, "secret"))
		buf_puts(&r->headers, "Set-Cookie: kbs-session-ids=no\r\n");
	buf_puts(&r->headers, "Set-Cookie: kbs-session-id=0123; Expires=never\r\n");
	if (strstr(q->query, "secret"))
		buf_puts(&r->headers, "Set-Cookie: affinity=x; Path=/\r\n");
	if (!strcmp(q->path, "/busy"))
		buf_puts(&r->headers, "Retry-After: 7\r\n");
	if (!strcmp(q->path, "/packed"))
		buf_puts(&r->headers, "Content-Encoding: gzip\r\n");
	buf_printf(&r->body, "%s %s?%s %zu cookie=%s auth=%s type=%s", q->method, q->path, q->query, q->body.n,
		   q->cookie ? q->cookie : "-", q->authorization ? q->authorization : "-", q->content_type ? q->content_type : "-");
}

static void is_up(void *arg, const char *url)
{
	struct fixture *f = arg;

	snprintf(f->url, sizeof f->url, "%s", url);
	if (write(f->up[1], "", 1) != 1)
		abort();
}

static void *run_server(void *arg)
{
	struct fixture *f = arg;

	f->rc = httpd_run(&f->d, &f->h, &f->e);
	if (f->rc && write(f->up[1], "", 1) != 1)
		abort();
	return NULL;
}

static void start(struct fixture *f, const char *listen, int timeout_ms)
{
	const char *colon;
	char c;

	host_init(&f->h);
	OK(!pipe(f->stop) && !pipe(f->up));
	f->d = (struct httpd){ .listen = listen, .max_body = 4096, .handle = echo, .ready = is_up, .arg = f,
			       .stop_fd = f->stop[0], .timeout_ms = timeout_ms, .max_conns = 4 };
	OK(!pthread_create(&f->thread, NULL, run_server, f));
	OK(read(f->up[0], &c, 1) == 1);
	colon = strrchr(f->url, ':');
	f->port = colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

static void stop(struct fixture *f)
{
	OK(write(f->stop[1], "", 1) == 1);
	pthread_join(f->thread, NULL);
	EQ(f->rc, 0);
	for (int i = 0; i < 2; i++) {
		close(f->stop[i]);
		close(f->up[i]);
	}
	host_close(&f->h);
}

static int dial(const struct fixture *f)
{
	const struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(f->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	OK(!connect(fd, (const struct sockaddr *)&a, sizeof a));
	return fd;
}

/* Sends text and reads until the server closes, at most ms. */
static void talk(struct buf *ret, int fd, const char *text, int ms)
{
	const int64_t until = host_mono_ms() + ms;
	char piece[1024];
	ssize_t n = 1;

	buf_reset(ret);
	if (*text)
		OK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	while (n > 0 && host_mono_ms() < until) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, (int)(until - host_mono_ms())) <= 0)
			break;
		n = recv(fd, piece, sizeof piece, 0);
		if (n > 0)
			buf_put(ret, piece, (size_t)n);
	}
}

static void ask(struct fixture *f, struct buf *ret, const char *text)
{
	const int fd = dial(f);

	talk(ret, fd, text, 5000);
	close(fd);
}

TEST(httpd_answers_and_refuses)
{
	struct fixture f = { 0 };
	AUTO_BUF b = { 0 };

	start(&f, "127.0.0.1:0", 5000);
	HAS(f.url, "http://127.0.0.1:");
	ask(&f, &b, "GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	HAS(buf_cstr(&b), "HTTP/1.1 200 OK\r\n");
	HAS(buf_cstr(&b), "\r\nDate: ");
	HAS(buf_cstr(&b), "GET /a?b 0 cookie=- auth=- type=-");
	ask(&f, &b, "GET /nothing HTTP/1.0\r\n\r\n");
	HAS(buf_cstr(&b), "HTTP/1.1 500 ");
	ask(&f, &b, "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n");
	HAS(buf_cstr(&b), "HTTP/1.1 405 ");
	HAS(buf_cstr(&b), "\r\nAllow: GET, POST, PUT, DELETE\r\n");
	ask(&f, &b, "garbage\r\n\r\n");
	HAS(buf_cstr(&b), "HTTP/1.1 400 ");
	HAS(buf_cstr(&b), "{\"type\":\"about:blank\",\"detail\":\"malformed request line\"}");
	ask(&f, &b, "\x16\x03\x01\x02\x01\x01\xfc\r\n\r\n");	/* somebody talks TLS */
	HAS(buf_cstr(&b), "HTTP/1.1 400 ");
	ask(&f, &b, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n");
	HAS(buf_cstr(&b), "HTTP/1.1 413 ");
	HAS(buf_cstr(&b), "\"detail\":\"payload reached size limit\"");
	stop(&f);
}

TEST(httpd_takes_pipelined_and_kept_alive_requests)
{
	struct fixture f = { 0 };
	AUTO_BUF b = { 0 };

	start(&f, "127.0.0.1:0", 5000);
	ask(&f, &b, "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
		    "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"
		    "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	HAS(buf_cstr(&b), "POST /1? 3 ");
	HAS(buf_cstr(&b), "POST /2? 5 ");
	HAS(buf_cstr(&b), "GET /3? 0 ");
	stop(&f);
}

TEST(httpd_says_continue_and_not_to_a_body_that_is_too_large)
{
	struct fixture f = { 0 };
	AUTO_BUF b = { 0 };
	int fd;

	start(&f, "127.0.0.1:0", 5000);
	fd = dial(&f);
	talk(&b, fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", 300);
	STR(buf_cstr(&b), "HTTP/1.1 100 Continue\r\n\r\n");
	talk(&b, fd, "ab", 5000);
	HAS(buf_cstr(&b), "HTTP/1.1 200 ");
	close(fd);
	ask(&f, &b, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
	OK(!strstr(buf_cstr(&b), "100 Continue"));
	HAS(buf_cstr(&b), "HTTP/1.1 413 ");
	stop(&f);
}

TEST(httpd_refuses_a_head_over_128_kib)
{
	struct fixture f = { 0 };
	AUTO_BUF b = { 0 }, q = { 0 };

	start(&f, "127.0.0.1:0", 5000);
	buf_puts(&q, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ");
	buf_fill(&q, 'a', 140 << 10);
	buf_puts(&q, "\r\n\r\n");
	ask(&f, &b, buf_cstr(&q));
	HAS(buf_cstr(&b), "HTTP/1.1 431 ");
	stop(&f);
}

TEST(httpd_survives_slowloris)
{
	struct fixture f = { 0 };
	AUTO_BUF b = { 0 };
	int64_t began;
	int fd[4];

	start(&f, "127.0.0.1:0", 400);
	for (int i = 0; i < 4; i++) {		/* all places taken by clients that never finish */
		fd[i] = dial(&f);
		OK(send(fd[i], "GET / HT", 8, MSG_NOSIGNAL) == 8);
	}
	began = host_mono_ms();
	ask(&f, &b, "GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	HAS(buf_cstr(&b), "GET /late? 0");
	OK(host_mono_ms() - began < 4000);
	talk(&b, fd[0], "", 2000);
	HAS(buf_cstr(&b), "HTTP/1.1 408 ");
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	stop(&f);
}

TEST(httpd_stops_while_clients_hang)
{
	struct fixture f = { 0 };
	int64_t began;
	int fd;

	start(&f, "127.0.0.1:0", 30000);
	fd = dial(&f);
	OK(send(fd, "GET", 3, MSG_NOSIGNAL) == 3);
	usleep(50000);
	began = host_mono_ms();
	stop(&f);
	OK(host_mono_ms() - began < 3000);
	close(fd);
}

TEST(httpd_serves_a_unix_socket_of_its_owner)
{
	struct fixture f = { 0 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char listen_at[128];
	AUTO_BUF b = { 0 };
	struct stat st;
	int fd;

	snprintf(a.sun_path, sizeof a.sun_path, "%s/sock", tmpdir());
	snprintf(listen_at, sizeof listen_at, "unix:%s", a.sun_path);
	for (int round = 0; round < 2; round++) {
		start(&f, listen_at, 5000);
		OK(!stat(a.sun_path, &st));
		EQ(st.st_mode & 0777, 0600);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		OK(!connect(fd, (const struct sockaddr *)&a, sizeof a));
		talk(&b, fd, "GET /u HTTP/1.0\r\n\r\n", 3000);
		HAS(buf_cstr(&b), "GET /u? 0");
		close(fd);
		stop(&f);
		OK(stat(a.sun_path, &st));
		/* what a killed server leaves behind is no obstacle */
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		OK(!bind(fd, (const struct sockaddr *)&a, sizeof a));
		close(fd);
	}
}

TEST(httpd_refuses_to_listen_in_the_clear_beyond_loopback)
{
	struct host h;
	struct httpd d = { .handle = echo, .stop_fd = -1 };

	host_init(&h);
	d.listen = "0.0.0.0:0";
	FAILS(httpd_run(&d, &h, &e), EC_USAGE);
	d.listen = "[::]:0";
	FAILS(httpd_run(&d, &h, &e), EC_USAGE);
	d.listen = "192.0.2.1:80";
	FAILS(httpd_run(&d, &h, &e), EC_USAGE);
	d.listen = "example.org:80";
	FAILS(httpd_run(&d, &h, &e), EC_USAGE);
	d.listen = "127.0.0.1:70000";
	FAILS(httpd_run(&d, &h, &e), EC_USAGE);
	d.listen = ":8080";
	FAILS(httpd_run(&d, &h, &e), EC_USAGE);
	d.listen = "127.0.0.1:0";
	h.offline = true;
	FAILS(httpd_run(&d, &h, &e), EC_USAGE);
	host_close(&h);
}

/* --- the client ------------------------------------------------------------------------------------------- */

static int get(struct http_response *ret, const struct fixture *f, const char *path, size_t max, struct err *e)
{
	char url[256];

	snprintf(url, sizeof url, "%s%s", f->url, path);
	return http_do(ret, &f->h, &(const struct http_request){ .method = "GET", .url = url, .max_body = max }, e);
}

TEST(http_client_reads_an_answer)
{
	struct fixture f = { 0 };
	struct http_response r = { 0 };
	char url[256];
	static const char *const headers[] = { "Cookie: kbs-session-id=77", "Content-Type: application/json", NULL };

	start(&f, "127.0.0.1:0", 5000);
	snprintf(url, sizeof url, "%s/post?secret=1", f.url);
	WORKS(http_do(&r, &f.h, &(const struct http_request){ .method = "POST", .url = url, .headers = headers,
							       .body = SLICE("{\"a\":1}"), .max_body = 1000 }, &e));
	EQ(r.status, 200);
	STR(buf_cstr(&r.body), "POST /post?secret=1 7 cookie=kbs-session-id=77 auth=- type=application/json");
	STR(buf_cstr(&r.content_type), "text/plain");
	STR(buf_cstr(&r.set_cookie), "affinity=x");
	EQ(r.retry_after, -1);
	http_free(&r);
	WORKS(http_do(&r, &f.h, &(const struct http_request){ .method = "GET", .url = url, .max_body = 1000,
							       .cookie_name = "kbs-session-id" }, &e));
	STR(buf_cstr(&r.set_cookie), "kbs-session-id=0123");
	http_free(&r);
	WORKS(http_do(&r, &f.h, &(const struct http_request){ .method = "GET", .url = url, .max_body = 1000,
							       .cookie_name = "kbs-session" }, &e));
	EQ(r.set_cookie.n, 0);
	http_free(&r);
	WORKS(get(&r, &f, "/busy", 1000, &e));
	EQ(r.retry_after, 7);
	http_free(&r);
	WORKS(get(&r, &f, "/denied", 1000, &e));
	EQ(r.status, 401);
	http_free(&r);
	FAILS(get(&r, &f, "/too-large", 10, &e), EC_FORMAT);
	FAILS(get(&r, &f, "/packed", 1000, &e), EC_FORMAT);
	stop(&f);
}

static int open_sockets(void)
{
	struct stat st;
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += !fstat(fd, &st) && S_ISSOCK(st.st_mode);
	return n;
}

TEST(http_client_offline_opens_no_socket)
{
	struct http_response r = { 0 };
	const int before = open_sockets();
	struct host h;

	host_init(&h);
	h.offline = true;
	FAILS(http_do(&r, &h, &(const struct http_request){ .method = "GET", .url = "https://192.0.2.1/", .max_body = 9 }, &e),
	      EC_ABSENT);
	EQ(open_sockets(), before);
	host_close(&h);
}

TEST(http_client_sends_plain_text_to_loopback_only)
{
	struct http_response r = { 0 };
	struct host h;
	static const char *const resolve[] = { "localhost:9:192.0.2.1", NULL };
	struct http_request q = { .method = "GET", .max_body = 9, .timeout_ms = 2000 };

	host_init(&h);
	q.url = "http://192.0.2.1/";
	FAILS(http_do(&r, &h, &q, &e), EC_USAGE);
	h.resolve = resolve;		/* a name is no proof either */
	q.url = "http://localhost:9/";
	FAILS(http_do(&r, &h, &q, &e), EC_USAGE);
	h.resolve = NULL;
	h.proxy = "http://192.0.2.1:3128";	/* and no proxy may carry it away */
	q.url = "http://127.0.0.1:9/";
	FAILS(http_do(&r, &h, &q, &e), EC_IO);
	host_close(&h);
}

TEST(http_client_refuses_bad_urls)
{
	FAILS(http_url_check("ftp://a/", &e), EC_USAGE);
	FAILS(http_url_check("file:///etc/passwd", &e), EC_USAGE);
	FAILS(http_url_check("https://user:pass@a/", &e), EC_USAGE);
	FAILS(http_url_check("https://user@a/", &e), EC_USAGE);
	FAILS(http_url_check("https://", &e), EC_USAGE);
	FAILS(http_url_check("https://a b/", &e), EC_USAGE);
	WORKS(http_url_check("https://a.example:8443/x?y", &e));
	WORKS(http_url_check("HTTP://[::1]:80", &e));
}

TEST(http_client_error_names_step_and_hides_query)
{
	struct http_response r = { 0 };
	struct err e = { 0 };
	struct host h;

	host_init(&h);
	EQ(http_do(&r, &h, &(const struct http_request){ .method = "GET", .url = "http://127.0.0.1:1/a?token=hush",
							  .max_body = 9 }, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "cannot read 'http://127.0.0.1:1/a': connect: ");
	OK(!strstr(e.msg, "hush"));
	EQ(http_do(&r, &h, &(const struct http_request){ .method = "POST", .url = "https://no-such-host.invalid/", .max_body = 9,
							  .timeout_ms = 5000 }, &e), -1);
	OK(strstr(e.msg, ": DNS: ") || e.code == EC_ABSENT);	/* absent: no CA bundle on this machine */
	h.deadline_ms = host_mono_ms() - 1;
	EQ(http_do(&r, &h, &(const struct http_request){ .method = "GET", .url = "http://127.0.0.1:1/", .max_body = 9 }, &e), -1);
	HAS(e.msg, "the time limit has passed");
	host_close(&h);
}

TEST(http_url_public_drops_what_may_be_secret)
{
	AUTO_BUF b = { 0 };

	http_url_public(&b, "https://me:pw@host:1/a/b?c=d#e");
	STR(buf_cstr(&b), "https://host:1/a/b");
	buf_reset(&b);
	http_url_public(&b, "https://host/a@b");
	STR(buf_cstr(&b), "https://host/a@b");
}
