/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_TLS_H
#define CVMBOX_CRYPTO_TLS_H

/* The server side of TLS 1.2/1.3 over a connected socket, for net/httpd.  (The client side is
 * curl's.) */

#include "base/buf.h"
#include "crypto/sig.h"

struct tls_server;	/* certificate chain and key; shared by connections, read-only */
int tls_server_new(struct tls_server **ret, struct slice cert_pem, struct slice key_pem, struct err *e);
void tls_server_free(struct tls_server *s);		/* NULL allowed */

struct tls_conn;
int tls_accept(struct tls_conn **ret, const struct tls_server *s, int fd, int timeout_ms, struct err *e);	/* handshake; fd stays the caller's */
void tls_close(struct tls_conn *c);			/* sends close_notify (waits at most a second), frees; NULL allowed */
/* Like read(2)/write(2) with a time limit: > 0 bytes, 0 at end, -1 with e (EC_IO).  The end is the
 * peer's close_notify; a connection that just breaks off is an error.  A write may take less than
 * n. */
long tls_read(struct tls_conn *c, void *p, size_t n, int timeout_ms, struct err *e);
long tls_write(struct tls_conn *c, const void *p, size_t n, int timeout_ms, struct err *e);

#endif
