/* SPDX-License-Identifier: Apache-2.0 */
/* The server against mbedtls' client on a socket pair, each on its own thread. */

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/ssl.h>

#include "base/host.h"
#include "codec/pem.h"
#include "crypto/tls.h"
#include "crypto/x509.h"
#include "test.h"

/* --- a server with a certificate of its own -------------------------------------------------------------- */

struct site {
	struct privkey ca_key, key;
	struct cert_list ca;
	struct buf chain;
	struct secret key_pem;
	struct tls_server *server;
};

static void site_init(struct site *s, enum key_type t)
{
	const int64_t now = host_now(&(struct host){ 0 });
	AUTO_BUF ca = { 0 }, leaf = { 0 };

	WORKS(privkey_generate(&s->ca_key, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&s->key, t, 2048, &e));
	WORKS(cert_make(&ca, &(struct cert_make){ .subject = "CN=test CA", .key = &s->ca_key, .not_before = now - 3600,
						  .not_after = now + 3600, .ca = true }, &e));
	WORKS(certs_parse(&s->ca, buf_view(&ca), &e));
	WORKS(cert_make(&leaf, &(struct cert_make){ .subject = "CN=site", .key = &s->key, .issuer = &s->ca.v[0],
						    .issuer_key = &s->ca_key, .not_before = now - 3600,
						    .not_after = now + 3600, .dns = "localhost", .ip = "::1" }, &e));
	pem_put(&s->chain, "CERTIFICATE", buf_view(&leaf));
	pem_put(&s->chain, "CERTIFICATE", buf_view(&ca));
	WORKS(privkey_pem(&s->key_pem, &s->key, &e));
	WORKS(tls_server_new(&s->server, buf_view(&s->chain), secret_view(&s->key_pem), &e));
}

static void site_free(struct site *s)
{
	privkey_free(&s->ca_key), privkey_free(&s->key);
	certs_free(&s->ca);
	buf_free(&s->chain);
	secret_wipe(&s->key_pem);
	tls_server_free(s->server);
}
#define AUTO_SITE __attribute__((cleanup(site_free))) struct site

struct echo {		/* one connection: sends back what comes, until the end */
	const struct site *site;
	int fd;
	int accepted, ended;	/* results of tls_accept and of the last tls_read */
	struct err e;
};

static void *echo_run(void *arg)
{
	struct echo *c = arg;
	struct tls_conn *conn;
	char buf[3000];
	long n, put = 0;

	c->ended = -1;
	c->accepted = tls_accept(&conn, c->site->server, c->fd, 5000, &c->e);
	if (c->accepted == 0) {
		while ((n = tls_read(conn, buf, sizeof buf, 5000, &c->e)) > 0)
			for (long at = 0; at < n && put >= 0; at += put)
				put = tls_write(conn, buf + at, (size_t)(n - at), 5000, &c->e);
		c->ended = (int)n;
		tls_close(conn);
	}
	close(c->fd);
	return NULL;
}

/* --- the client ------------------------------------------------------------------------------------------ */

struct client {
	mbedtls_ssl_context ssl;
	mbedtls_ssl_config conf;
	mbedtls_x509_crt ca;
	int fd;
};

static int rng(void *arg, unsigned char *p, size_t n)
{
	(void)arg;
	return host_random(p, n, NULL);
}

static int c_send(void *arg, const unsigned char *p, size_t n)
{
	const ssize_t r = send(*(int *)arg, p, n, MSG_NOSIGNAL);

	return r < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)r;
}

static int c_recv(void *arg, unsigned char *p, size_t n)
{
	const ssize_t r = recv(*(int *)arg, p, n, 0);

	return r < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)r;
}

static int connect_to(struct client *c, int fd, struct slice ca, mbedtls_ssl_protocol_version v, const char *name,
		      const char **alpn)
{
	mbedtls_ssl_init(&c->ssl);
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_x509_crt_init(&c->ca);
	c->fd = fd;
	EQ(mbedtls_x509_crt_parse_der(&c->ca, ca.p, ca.n), 0);
	EQ(mbedtls_ssl_config_defaults(&c->conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
	   0);
	mbedtls_ssl_conf_min_tls_version(&c->conf, v);
	mbedtls_ssl_conf_max_tls_version(&c->conf, v);
	mbedtls_ssl_conf_rng(&c->conf, rng, NULL);
	mbedtls_ssl_conf_ca_chain(&c->conf, &c->ca, NULL);
	mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	if (alpn)
		EQ(mbedtls_ssl_conf_alpn_protocols(&c->conf, alpn), 0);
	EQ(mbedtls_ssl_setup(&c->ssl, &c->conf), 0);
	EQ(mbedtls_ssl_set_hostname(&c->ssl, name), 0);
	mbedtls_ssl_set_bio(&c->ssl, &c->fd, c_send, c_recv, NULL);
	return mbedtls_ssl_handshake(&c->ssl);
}

static void client_free(struct client *c)
{
	mbedtls_ssl_free(&c->ssl);
	mbedtls_ssl_config_free(&c->conf);
	mbedtls_x509_crt_free(&c->ca);
	close(c->fd);
}

static void talk(struct client *c, size_t total)
{
	size_t sent = 0, got = 0;
	char out[5000], in[5000];
	bool same = true;
	int n;

	while (got < total) {
		const size_t want = total - sent < sizeof out ? total - sent : sizeof out;

		for (size_t i = 0; i < want; i++)
			out[i] = (char)((sent + i) * 7);
		for (size_t at = 0; at < want; at += (size_t)n) {
			n = mbedtls_ssl_write(&c->ssl, (unsigned char *)out + at, want - at);
			if (n <= 0) {
				test_fail(__FILE__, __LINE__, "client write: -0x%x", -n);
				return;
			}
		}
		sent += want;
		while (got < sent) {
			n = mbedtls_ssl_read(&c->ssl, (unsigned char *)in, sizeof in);
			if (n <= 0) {
				test_fail(__FILE__, __LINE__, "client read: -0x%x", -n);
				return;
			}
			for (int i = 0; i < n; i++)
				same &= in[i] == (char)((got + (size_t)i) * 7);
			got += (size_t)n;
		}
	}
	OK(same);
}

struct run {
	mbedtls_ssl_protocol_version version;
	const char *name;
	const char **alpn;
	bool just_break_off;
};

static int run(const struct site *s, struct slice ca, struct run r, struct echo *c)
{
	struct client cl;
	pthread_t t;
	int fd[2], rc;

	EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	*c = (struct echo){ .site = s, .fd = fd[1] };
	EQ(pthread_create(&t, NULL, echo_run, c), 0);
	rc = connect_to(&cl, fd[0], ca, r.version, r.name, r.alpn);
	if (rc == 0) {
		talk(&cl, 20000);
		if (!r.just_break_off)
			mbedtls_ssl_close_notify(&cl.ssl);
	}
	shutdown(fd[0], SHUT_WR);
	if (rc)
		shutdown(fd[0], SHUT_RDWR);
	pthread_join(t, NULL);
	client_free(&cl);
	return rc;
}

TEST(tls_serves_both_versions_with_ec_and_rsa_keys)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_RSA };

	for (size_t i = 0; i < 3; i++) {
		AUTO_SITE s = { 0 };
		struct echo c;

		site_init(&s, types[i]);
		EQ(run(&s, s.ca.v[0].der, (struct run){ MBEDTLS_SSL_VERSION_TLS1_3, "localhost", NULL, false }, &c), 0);
		EQ(c.accepted, 0);
		EQ(c.ended, 0);
		EQ(run(&s, s.ca.v[0].der, (struct run){ MBEDTLS_SSL_VERSION_TLS1_2, "localhost", NULL, false }, &c), 0);
		EQ(c.accepted, 0);
		EQ(c.ended, 0);
	}
}

TEST(tls_client_with_another_root_or_name_turns_away)
{
	AUTO_SITE s = { 0 }, other = { 0 };
	struct echo c;

	site_init(&s, KEY_EC_P256);
	site_init(&other, KEY_EC_P256);
	OK(run(&s, other.ca.v[0].der, (struct run){ MBEDTLS_SSL_VERSION_TLS1_3, "localhost", NULL, false }, &c) != 0);
	EQ(c.accepted, -1);
	EQ(c.e.code, EC_IO);
	OK(run(&s, s.ca.v[0].der, (struct run){ MBEDTLS_SSL_VERSION_TLS1_2, "elsewhere", NULL, false }, &c) != 0);
	EQ(c.accepted, -1);
}

TEST(tls_speaks_http1_only)
{
	static const char *both[] = { "h2", "http/1.1", NULL }, *h2[] = { "h2", NULL };
	AUTO_SITE s = { 0 };
	struct echo c;

	site_init(&s, KEY_EC_P256);
	EQ(run(&s, s.ca.v[0].der, (struct run){ MBEDTLS_SSL_VERSION_TLS1_3, "localhost", both, false }, &c), 0);
	EQ(c.ended, 0);
	OK(run(&s, s.ca.v[0].der, (struct run){ MBEDTLS_SSL_VERSION_TLS1_3, "localhost", h2, false }, &c) != 0);
	EQ(c.accepted, -1);
}

TEST(tls_connection_that_breaks_off_is_no_end)
{
	AUTO_SITE s = { 0 };
	struct echo c;

	site_init(&s, KEY_EC_P256);
	EQ(run(&s, s.ca.v[0].der, (struct run){ MBEDTLS_SSL_VERSION_TLS1_3, "localhost", NULL, true }, &c), 0);
	EQ(c.ended, -1);
	HAS(c.e.msg, "broke the connection off");
}

TEST(tls_gives_up_on_silent_and_on_plain_clients)
{
	AUTO_SITE s = { 0 };
	struct tls_conn *conn = NULL;
	struct err seen = { 0 };
	int64_t from;
	int fd[2];

	site_init(&s, KEY_EC_P256);
	EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	from = host_mono_ms();
	EQ(tls_accept(&conn, s.server, fd[1], 50, &seen), -1);
	EQ(seen.code, EC_IO);
	HAS(seen.msg, "time limit");
	OK(host_mono_ms() - from < 3000);
	EQ(write(fd[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	EQ(tls_accept(&conn, s.server, fd[1], 2000, &seen), -1);
	EQ(seen.code, EC_IO);
	close(fd[0]);
	EQ(tls_accept(&conn, s.server, fd[1], 2000, &seen), -1);
	close(fd[1]);
	OK(!conn);
}

TEST(tls_key_and_certificate_must_fit)
{
	AUTO_SITE s = { 0 }, other = { 0 };
	struct tls_server *t = NULL;
	struct err seen = { 0 };

	site_init(&s, KEY_EC_P256);
	site_init(&other, KEY_EC_P256);
	EQ(tls_server_new(&t, buf_view(&s.chain), secret_view(&other.key_pem), &seen), -1);
	EQ(seen.code, EC_FORMAT);
	HAS(seen.msg, "does not belong");
	FAILS(tls_server_new(&t, secret_view(&s.key_pem), secret_view(&s.key_pem), &e), EC_FORMAT);
	FAILS(tls_server_new(&t, buf_view(&s.chain), buf_view(&s.chain), &e), EC_FORMAT);
	FAILS(tls_server_new(&t, SLICE(""), SLICE(""), &e), EC_FORMAT);
	OK(!t);
	tls_server_free(NULL);
	tls_close(NULL);
}
