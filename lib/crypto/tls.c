/* SPDX-License-Identifier: Apache-2.0 */
/* See tls.h.  Only forward-secret, authenticated suites; no session tickets, no renegotiation, no client certificates.
 * The socket is used without blocking, so that one clock rules each call however the peer cuts its bytes. */

#include "crypto/tls.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include "base/host.h"
#include "crypto/mbed.h"
#include "crypto/x509.h"

#define CLOSE_MS 1000

struct tls_server {
	mbedtls_ssl_config conf;
	mbedtls_x509_crt chain;
	struct privkey key;
};

struct tls_conn {
	mbedtls_ssl_context ssl;
	int fd;
	int64_t deadline;	/* monotonic milliseconds, set by each call */
};

/* --- the server's part --------------------------------------------------------------------------------- */

void tls_server_free(struct tls_server *s)
{
	if (!s)
		return;
	mbedtls_ssl_config_free(&s->conf);
	mbedtls_x509_crt_free(&s->chain);
	privkey_free(&s->key);
	free(s);
}

static void server_drop(struct tls_server **s)
{
	tls_server_free(*s);
}

static int load_chain(struct tls_server *s, struct slice cert_pem, struct err *e)
{
	AUTO_CERTS certs = { 0 };

	if (certs_parse(&certs, cert_pem, e))
		return err_ctx(e, "TLS certificate");
	for (size_t i = 0; i < certs.n; i++) {
		const int rc = mbedtls_x509_crt_parse_der(&s->chain, certs.v[i].der.p, certs.v[i].der.n);

		if (rc)
			return mbed_fail(e, EC_FORMAT, rc, "TLS certificate %zu cannot be used", i + 1);
	}
	return 0;
}

static int configure(struct tls_server *s, struct err *e)
{
	static const int suites[] = {
		MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
		MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
		MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
		MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		0
	};
	static const char *alpn[] = { "http/1.1", NULL };
	int rc;

	rc = mbedtls_ssl_config_defaults(&s->conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
					 MBEDTLS_SSL_PRESET_DEFAULT);
	if (rc)
		return mbed_fail(e, EC_BUG, rc, "cannot set up TLS");
	mbedtls_ssl_conf_rng(&s->conf, mbed_rng, NULL);
	mbedtls_ssl_conf_min_tls_version(&s->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ciphersuites(&s->conf, suites);
	mbedtls_ssl_conf_authmode(&s->conf, MBEDTLS_SSL_VERIFY_NONE);
	mbedtls_ssl_conf_new_session_tickets(&s->conf, 0);
	rc = mbedtls_ssl_conf_alpn_protocols(&s->conf, alpn);
	if (rc == 0)
		rc = mbedtls_ssl_conf_own_cert(&s->conf, &s->chain, s->key.ctx);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot set up TLS") : 0;
}

int tls_server_new(struct tls_server **ret, struct slice cert_pem, struct slice key_pem, struct err *e)
{
	__attribute__((cleanup(server_drop))) struct tls_server *s = calloc(1, sizeof *s);

	if (!s)
		return err_oom(e);
	mbedtls_ssl_config_init(&s->conf);
	mbedtls_x509_crt_init(&s->chain);
	/* TLS 1.3 is written on PSA; started here, before there are threads. */
	if (psa_crypto_init() != PSA_SUCCESS)
		return err_set(e, EC_BUG, "cannot start the cryptographic library");
	if (load_chain(s, cert_pem, e))
		return -1;
	if (privkey_parse(&s->key, key_pem, e))
		return err_ctx(e, "TLS key");
	if (mbedtls_pk_check_pair(&s->chain.pk, s->key.ctx, mbed_rng, NULL)) {
		err_set(e, EC_FORMAT, "TLS key does not belong to the first certificate");
		return err_hint(e, "the server's own certificate comes first in the file, those of its CAs behind it");
	}
	if (configure(s, e))
		return -1;
	*ret = s;
	s = NULL;
	return 0;
}

/* --- bytes on the socket ------------------------------------------------------------------------------- */

static int await(const struct tls_conn *c, short events)	/* 0, or what mbedtls is to return */
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int64_t left;
	int n;

	do {
		left = c->deadline - host_mono_ms();
		if (left <= 0)
			return MBEDTLS_ERR_SSL_TIMEOUT;
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : 0;
}

static int net_recv(void *arg, unsigned char *p, size_t n)
{
	struct tls_conn *c = arg;
	ssize_t got;
	int rc;

	while ((got = recv(c->fd, p, n > INT_MAX ? INT_MAX : n, MSG_DONTWAIT)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return MBEDTLS_ERR_SSL_CONN_EOF;
		rc = await(c, POLLIN);
		if (rc)
			return rc;
	}
	return (int)got;
}

static int net_send(void *arg, const unsigned char *p, size_t n)
{
	struct tls_conn *c = arg;
	ssize_t put;
	int rc;

	while ((put = send(c->fd, p, n > INT_MAX ? INT_MAX : n, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return MBEDTLS_ERR_SSL_CONN_EOF;
		rc = await(c, POLLOUT);
		if (rc)
			return rc;
	}
	return (int)put;
}

/* --- connections --------------------------------------------------------------------------------------- */

static void start_clock(struct tls_conn *c, int timeout_ms)
{
	c->deadline = host_mono_ms() + (timeout_ms > 0 ? timeout_ms : 0);
}

static bool again(int rc)
{
	return rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int failed(struct err *e, int rc, const char *act)
{
	if (rc == MBEDTLS_ERR_SSL_TIMEOUT)
		return err_set(e, EC_IO, "%s: time limit reached", act);
	if (rc == MBEDTLS_ERR_SSL_CONN_EOF)
		return err_set(e, EC_IO, "%s: the peer broke the connection off", act);
	return mbed_fail(e, EC_IO, rc, "%s", act);
}

static void conn_free(struct tls_conn *c)
{
	mbedtls_ssl_free(&c->ssl);
	free(c);
}

int tls_accept(struct tls_conn **ret, const struct tls_server *s, int fd, int timeout_ms, struct err *e)
{
	struct tls_conn *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return err_oom(e);
	mbedtls_ssl_init(&c->ssl);
	c->fd = fd;
	start_clock(c, timeout_ms);
	rc = mbedtls_ssl_setup(&c->ssl, &s->conf);
	if (rc == 0) {
		mbedtls_ssl_set_bio(&c->ssl, c, net_send, net_recv, NULL);
		do
			rc = mbedtls_ssl_handshake(&c->ssl);
		while (again(rc));
	}
	if (rc) {
		conn_free(c);
		return failed(e, rc, "TLS handshake");
	}
	*ret = c;
	return 0;
}

void tls_close(struct tls_conn *c)
{
	if (!c)
		return;
	start_clock(c, CLOSE_MS);
	while (again(mbedtls_ssl_close_notify(&c->ssl)))
		;
	conn_free(c);
}

long tls_read(struct tls_conn *c, void *p, size_t n, int timeout_ms, struct err *e)
{
	int rc;

	if (n == 0)
		return 0;
	start_clock(c, timeout_ms);
	do
		rc = mbedtls_ssl_read(&c->ssl, p, n > INT_MAX ? INT_MAX : n);
	while (again(rc));
	if (rc > 0)
		return rc;
	if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return 0;
	return failed(e, rc ? rc : MBEDTLS_ERR_SSL_CONN_EOF, "TLS read");
}

long tls_write(struct tls_conn *c, const void *p, size_t n, int timeout_ms, struct err *e)
{
	int rc;

	if (n == 0)
		return 0;
	start_clock(c, timeout_ms);
	do
		rc = mbedtls_ssl_write(&c->ssl, p, n > INT_MAX ? INT_MAX : n);
	while (again(rc));
	return rc > 0 ? rc : failed(e, rc, "TLS write");
}
