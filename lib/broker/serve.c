/* SPDX-License-Identifier: Apache-2.0 */
/* The key broker behind a socket: joins server.c, net/httpd and crypto/tls */

#include "broker/server.h"
#include "crypto/tls.h"

struct doors {			/* httpd hands one arg to all its calls */
	struct kbs *k;
	const struct kbs_listen *l;
};

static void handle(void *arg, const struct httpd_request *q, struct httpd_reply *r)
{
	kbs_handle(((const struct doors *)arg)->k, q, r);
}

static void ready(void *arg, const char *url)
{
	const struct kbs_listen *l = ((const struct doors *)arg)->l;

	if (l->ready)
		l->ready(l->arg, url);
}

static void *accept_tls(void *arg, int fd, int timeout_ms, struct err *e)
{
	struct tls_conn *c = NULL;

	return tls_accept(&c, arg, fd, timeout_ms, e) ? NULL : c;
}

static long read_tls(void *conn, void *p, size_t n, int timeout_ms, struct err *e)
{
	return tls_read(conn, p, n, timeout_ms, e);
}

static long write_tls(void *conn, const void *p, size_t n, int timeout_ms, struct err *e)
{
	return tls_write(conn, p, n, timeout_ms, e);
}

static void close_tls(void *conn)
{
	tls_close(conn);
}

int kbs_serve(struct kbs *k, const struct kbs_listen *l, const struct host *h, struct err *e)
{
	struct doors doors = { k, l };
	struct httpd_tls table = { .accept = accept_tls, .read = read_tls, .write = write_tls, .close = close_tls };
	struct tls_server *tls = NULL;
	struct httpd d = { .listen = l->address, .max_body = KBS_BODY_MAX, .handle = handle, .ready = ready, .arg = &doors,
			   .stop_fd = l->stop_fd };
	int rc;

	if (!l->tls_cert.n != !l->tls_key.n)
		return err_set(e, EC_USAGE, "TLS needs both a certificate and its key");
	if (l->tls_cert.n) {
		if (tls_server_new(&tls, l->tls_cert, l->tls_key, e))
			return -1;
		table.arg = tls;
		d.tls = &table;
	}
	rc = httpd_run(&d, h, e);
	tls_server_free(tls);
	return rc;
}
