/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_NET_HTTPD_H
#define CVMBOX_NET_HTTPD_H

/* A small HTTP/1.1 server for hostile clients: head at most 128 KiB, body at most max_body, a time limit per request
 * (a shorter one for the head), a bounded number of connections (a thread each; one remote address gets at most half of
 * them), no chunked uploads, strict syntax.  What it refuses by itself is answered with a JSON body that has "type" and
 * "detail", as the clients of the key broker expect (key-broker.md 1.14). */

#include <stdbool.h>

#include "base/host.h"

#define HTTPD_HEAD_MAX ((size_t)128 << 10)

/* TLS comes from a higher floor, as a table.  The calls work like those of crypto/tls.h. */
struct httpd_tls {
	void *arg;
	void *(*accept)(void *arg, int fd, int timeout_ms, struct err *e);	/* a connection, or NULL */
	long (*read)(void *conn, void *p, size_t n, int timeout_ms, struct err *e);	/* > 0, 0 at the end, -1 */
	long (*write)(void *conn, const void *p, size_t n, int timeout_ms, struct err *e);
	void (*close)(void *conn);
};

struct httpd_request {
	char method[8];
	const char *path;		/* as received (not decoded), without the query; starts with '/'; printable ASCII */
	const char *query;		/* "" if none */
	struct slice body;
	const char *cookie, *authorization, *content_type;	/* header values or NULL */
	char peer[64];			/* numeric address and port, or "unix" */
};
struct httpd_reply {			/* starts as 500 with an empty body */
	int status;
	const char *content_type;	/* NULL: none */
	struct buf body;		/* wiped after sending */
	struct buf headers;		/* extra "Name: value\r\n" lines */
};
void httpd_reply_free(struct httpd_reply *r);

struct httpd {
	const char *listen;		/* "127.0.0.1:8080", "[::1]:0", "unix:/path" */
	const struct httpd_tls *tls;	/* NULL: plain HTTP; then anything but loopback and unix is refused (EC_USAGE) */
	size_t max_body;
	unsigned max_conns;		/* 0: 64 */
	int timeout_ms;			/* per request; 0: 30 s */
	void (*handle)(void *arg, const struct httpd_request *q, struct httpd_reply *r);	/* called from several threads */
	void (*ready)(void *arg, const char *url);	/* once, when listening: "http://127.0.0.1:34567" */
	void *arg;
	int stop_fd;			/* readable: finish and return (a signalfd or pipe); -1: none */
};
/* Serves until stop_fd is readable; requests that are being answered are finished first. */
int httpd_run(const struct httpd *d, const struct host *h, struct err *e);

/* The head of one request: request line and headers, the empty line included.  Public for tests and fuzzing. */
struct httpd_head {
	char *text;			/* private: what the strings below point into */
	size_t text_n;
	char method[8];
	const char *path, *query;
	const char *cookie, *authorization, *content_type;
	uint64_t content_length;
	bool expect_continue, keep_alive;
};
void httpd_head_free(struct httpd_head *h);
/* 0, or the HTTP status that tells the client what is wrong; *why is then a constant text.  ret is untouched on failure. */
int httpd_head_parse(struct httpd_head *ret, struct slice head, const char **why);

void http_date(char ret[static 32], int64_t t);		/* "Mon, 23 Nov 2026 17:00:00 GMT" */

#endif
