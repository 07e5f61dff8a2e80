/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP client over libcurl, see http.h */

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "net/http.h"

#define DEFAULT_TIMEOUT_MS 60000
#define HEADER_VALUE_MAX 8192

/* --- memory: answers may be secrets, so what curl frees is wiped first -------------------------------- */

union block {
	size_t n;
	max_align_t align;
};

static void *mem_get(size_t n)
{
	union block *b = n > SIZE_MAX - sizeof *b ? NULL : malloc(sizeof *b + n);

	if (!b)
		return NULL;
	b->n = n;
	return b + 1;
}

static void mem_put(void *p)
{
	union block *b = p;

	if (!p)
		return;
	b--;
	mem_wipe(p, b->n);
	free(b);
}

static void *mem_more(void *p, size_t n)
{
	void *q = mem_get(n);
	size_t old;

	if (!p || !q)
		return q;
	old = ((union block *)p)[-1].n;
	memcpy(q, p, old < n ? old : n);
	mem_put(p);
	return q;
}

static char *mem_str(const char *s)
{
	const size_t n = strlen(s) + 1;
	char *q = mem_get(n);

	return q ? memcpy(q, s, n) : NULL;
}

static void *mem_zero(size_t n, size_t size)
{
	void *q;

	if (size && n > SIZE_MAX / size)
		return NULL;
	q = mem_get(n * size);
	return q ? memset(q, 0, n * size) : NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode init_result = CURLE_FAILED_INIT;

static void init(void)
{
	init_result = curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_get, mem_put, mem_more, mem_str, mem_zero);
}

/* --- URLs -------------------------------------------------------------------------------------------- */

void http_url_public(struct buf *ret, const char *url)
{
	const char *host = strstr(url, "://"), *end, *at = NULL;

	host = host ? host + 3 : url;
	end = host + strcspn(host, "?#");
	for (const char *p = host; p < end && *p != '/'; p++)
		if (*p == '@')
			at = p;
	buf_put(ret, url, (size_t)(host - url));
	if (at)
		host = at + 1;
	buf_put(ret, host, (size_t)(end - host));
}

static bool starts(const char *s, const char *with)
{
	return !strncasecmp(s, with, strlen(with));
}

int http_url_check(const char *url, struct err *e)
{
	AUTO_BUF shown = { 0 };
	CURLU *u = NULL;
	char *part = NULL;
	int rc = -1;

	http_url_public(&shown, url);
	if (!starts(url, "http://") && !starts(url, "https://"))
		return err_set(e, EC_USAGE, "cannot use URL '%s': wanted https://HOST... (or http:// on loopback)",
			       buf_cstr(&shown));
	u = curl_url();
	if (!u)
		return err_oom(e);
	if (curl_url_set(u, CURLUPART_URL, url, 0) || curl_url_get(u, CURLUPART_HOST, &part, 0))
		err_set(e, EC_USAGE, "cannot use URL '%s': it is not well-formed", buf_cstr(&shown));
	else if (curl_free(part), part = NULL, !curl_url_get(u, CURLUPART_USER, &part, 0) ||
		 !curl_url_get(u, CURLUPART_PASSWORD, &part, 0)) {
		err_set(e, EC_USAGE, "cannot use URL '%s': it carries a user name or password", buf_cstr(&shown));
		err_hint(e, "secrets on a command line are visible to every process");
	} else {
		rc = 0;
	}
	curl_free(part);
	curl_url_cleanup(u);
	return rc;
}

/* --- trust -------------------------------------------------------------------------------------------- */

/* A static libcurl has no built-in CA path (users-want.md 4). */
static int ca_bundle(const char **ret, const struct host *h, const struct http_request *q, struct err *e)
{
	static const char *const usual[] = {
		"/etc/ssl/certs/ca-certificates.crt",			/* Debian, Ubuntu, Alpine, Arch */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",	/* Fedora, RHEL */
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",				/* SUSE */
		"/etc/ssl/cert.pem",
	};
	const char *named = q->ca_pem_file ? q->ca_pem_file : h->ca_file ? h->ca_file : getenv("SSL_CERT_FILE");

	if (named && *named) {
		if (access(named, R_OK))
			return err_sys(e, EC_IO, "cannot read CA certificates '%s'", named);
		*ret = named;
		return 0;
	}
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (!access(usual[i], R_OK)) {
			*ret = usual[i];
			return 0;
		}
	err_set(e, EC_ABSENT, "no CA certificates on this machine: looked for %s and %zu other usual files", usual[0],
		sizeof usual / sizeof *usual - 1);
	return err_hint(e, "give --ca-file FILE, or install ca-certificates");
}

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)sa;

		return IN6_IS_ADDR_LOOPBACK(&in->sin6_addr) ||
		       (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) && in->sin6_addr.s6_addr[12] == 127);
	}
	return false;
}

/* --- one request ---------------------------------------------------------------------------------------- */

struct call {
	struct http_response r;
	size_t max;
	const char *cookie_name, *const *want;
	bool too_large, encoded, plain_refused, loopback_only, https;
};

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct call *c = arg;

	(void)purpose;
	if (c->loopback_only && !is_loopback(&a->addr)) {
		c->plain_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* buf's own growth may leave copies behind on the heap; this one wipes them. */
static bool body_reserve(struct buf *b, size_t more, size_t max)
{
	size_t cap = b->cap ? b->cap : 4096;
	uint8_t *p;

	if (more > max - b->n)
		return false;
	while (cap < b->n + more + 1)
		cap *= 2;
	if (cap == b->cap)
		return true;
	p = malloc(cap);
	if (!p)
		return false;
	if (b->p) {
		memcpy(p, b->p, b->n);
		mem_wipe(b->p, b->n);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return true;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	struct buf *b = &c->r.body;

	n *= size;
	if (c->encoded || n > c->max - b->n || !body_reserve(b, n, c->max)) {
		c->too_large = !c->encoded && n > c->max - b->n;
		return n ? 0 : 1;
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
	return n;
}

static bool header_is(struct slice *value, struct slice line, const char *name)
{
	const size_t n = strlen(name);

	if (line.n < n + 1 || strncasecmp((const char *)line.p, name, n) || line.p[n] != ':')
		return false;
	*value = slice_trim((struct slice){ line.p + n + 1, line.n - n - 1 });
	return value->n <= HEADER_VALUE_MAX;
}

static void keep(struct buf *ret, struct slice v, const char *stop)
{
	size_t n = 0;

	while (n < v.n && v.p[n] != (uint8_t)*stop)
		n++;
	buf_reset(ret);
	buf_slice(ret, slice_trim((struct slice){ v.p, n }));
}

static bool is_cookie(struct slice v, const char *name)
{
	const size_t n = name ? strlen(name) : 0;

	return !name || (v.n > n && !memcmp(v.p, name, n) && v.p[n] == '=');
}

static void keep_wanted(struct call *c, struct slice line)
{
	struct slice v;

	for (size_t i = 0; i < HTTP_WANT; i++)
		if (c->want[i] && header_is(&v, line, c->want[i]))
			keep(&c->r.wanted[i], v, "");
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	const struct slice line = { (const uint8_t *)p, size * n };
	struct slice v;

	keep_wanted(c, line);
	if (line.n >= 5 && !memcmp(p, "HTTP/", 5)) {	/* 100 Continue, or a proxy's answer, stood before */
		for (size_t i = 0; i < HTTP_WANT; i++)
			buf_reset(&c->r.wanted[i]);
		buf_reset(&c->r.content_type);
		buf_reset(&c->r.set_cookie);
		c->r.retry_after = -1;
		c->encoded = false;
	} else if (header_is(&v, line, "content-type")) {
		keep(&c->r.content_type, v, "");
	} else if (header_is(&v, line, "set-cookie")) {
		if (is_cookie(v, c->cookie_name))
			keep(&c->r.set_cookie, v, ";");
	} else if (header_is(&v, line, "content-encoding")) {
		c->encoded = v.n && !(v.n == 8 && !strncasecmp((const char *)v.p, "identity", 8));
	} else if (header_is(&v, line, "retry-after")) {
		long s = 0;

		for (size_t i = 0; i < v.n && v.p[i] >= '0' && v.p[i] <= '9' && s < 100000; i++)
			s = s * 10 + (v.p[i] - '0');
		c->r.retry_after = v.n && v.p[0] >= '0' && v.p[0] <= '9' ? s : -1;
	}
	return size * n;
}

static const char *step_of(CURL *curl, CURLcode rc, const struct call *c)
{
	double dns = 0, connected = 0, tls = 0;

	switch (rc) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
		return "DNS";
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
		return "connect";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
		return "TLS";
	case CURLE_SEND_ERROR:
		return "send";
	default:
		break;
	}
	curl_easy_getinfo(curl, CURLINFO_NAMELOOKUP_TIME, &dns);
	curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME, &connected);
	curl_easy_getinfo(curl, CURLINFO_APPCONNECT_TIME, &tls);
	if (connected > 0)
		return c->https && !(tls > 0) ? "TLS" : "receive";
	return dns > 0 ? "connect" : "DNS";
}

static void add_hint(struct err *e, CURLcode rc, const struct host *h)
{
	if (rc == CURLE_COULDNT_RESOLVE_HOST && access("/etc/resolv.conf", R_OK))
		err_hint(e, "there is no /etc/resolv.conf: is the network up?  --resolve HOST:PORT:ADDR goes without DNS");
	else if (rc == CURLE_COULDNT_RESOLVE_HOST)
		err_hint(e, "check the name; --resolve HOST:PORT:ADDR goes without DNS");
	else if (rc == CURLE_PEER_FAILED_VERIFICATION)
		err_hint(e, "for a certificate of your own give its CA: --kbs-ca FILE (key broker) or --ca-file FILE");
	else if (rc == CURLE_COULDNT_CONNECT && h->proxy)
		err_hint(e, "the proxy was '%s'", h->proxy);
	else if (rc == CURLE_COULDNT_CONNECT)
		err_hint(e, "is the server running, and does a firewall or a proxy stand between?");
}

static int failed(CURL *curl, CURLcode rc, char text[static CURL_ERROR_SIZE], const char *shown, const struct call *c,
		  const struct http_request *q, const struct host *h, struct err *e)
{
	size_t n = strnlen(text, CURL_ERROR_SIZE);

	if (c->too_large || rc == CURLE_FILESIZE_EXCEEDED)
		return err_set(e, EC_FORMAT, "cannot take the answer of '%s': it has more than %zu bytes", shown, c->max);
	if (c->encoded)
		return err_set(e, EC_FORMAT, "cannot take the answer of '%s': it is compressed, which was not asked for",
			       shown);
	if (c->plain_refused) {
		err_set(e, EC_USAGE, "cannot use '%s': plain http:// is for loopback addresses only", shown);
		return err_hint(e, "use https://");
	}
	if (rc == CURLE_OUT_OF_MEMORY)
		return err_oom(e);
	while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))	/* mbedtls ends its texts so */
		text[--n] = 0;
	err_set(e, rc == CURLE_PEER_FAILED_VERIFICATION ? EC_REFUSED : EC_IO, "cannot %s '%s': %s: %s",
		!strcmp(q->method, "GET") ? "read" : "send to", shown, step_of(curl, rc, c),
		*text ? text : curl_easy_strerror(rc));
	add_hint(e, rc, h);
	return -1;
}

static struct curl_slist *slist(const char *const *v, const char *first, bool *bad)
{
	struct curl_slist *l = NULL, *more;

	if (first)
		*bad |= !(l = curl_slist_append(NULL, first));
	for (; v && *v && !*bad; v++) {
		more = curl_slist_append(l, *v);
		if (more)
			l = more;
		else
			*bad = true;
	}
	return l;
}

#define SET(opt, v) bad |= curl_easy_setopt(curl, opt, v) != CURLE_OK

static bool set_request(CURL *curl, struct call *c, const struct host *h, const struct http_request *q, const char *ca)
{
	const bool get = !strcmp(q->method, "GET");
	const int64_t limit = host_left_ms(h, q->timeout_ms ? q->timeout_ms : DEFAULT_TIMEOUT_MS);
	bool bad = limit <= 0;

	SET(CURLOPT_URL, q->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "cvmbox/" CVMBOX_VERSION);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_TIMEOUT_MS, (long)limit);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(limit < 15000 ? limit : 15000));
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->max);	/* an announced size over it ends at once; on_body sees the others */
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, c);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, c);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, c);
	if (c->loopback_only)
		SET(CURLOPT_PROXY, "");		/* also past $http_proxy */
	else if (h->proxy)
		SET(CURLOPT_PROXY, h->proxy);
	if (c->https) {
		SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
		SET(CURLOPT_SSL_VERIFYPEER, 1L);
		SET(CURLOPT_SSL_VERIFYHOST, 2L);
		SET(CURLOPT_CAINFO, ca);
	}
	if (!get || q->body.n) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		SET(CURLOPT_POSTFIELDS, q->body.n ? (const char *)q->body.p : "");
	}
	SET(CURLOPT_CUSTOMREQUEST, q->method);
	return !bad;
}

static int perform(CURL *curl, struct call *c, const struct host *h, const struct http_request *q, const char *ca,
		   const char *shown, struct err *e)
{
	char text[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers, *resolve;
	CURLcode rc = CURLE_OK;
	bool bad = false, ready;

	headers = slist(q->headers, "Expect:", &bad);	/* no pause before small bodies */
	resolve = slist(h->resolve, NULL, &bad);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_RESOLVE, resolve);
	SET(CURLOPT_ERRORBUFFER, text);
	ready = set_request(curl, c, h, q, ca) && !bad;
	if (ready)
		rc = curl_easy_perform(curl);
	if (!ready && host_left_ms(h, 1) <= 0)
		bad = err_set(e, EC_IO, "cannot reach '%s': the time limit has passed", shown);
	else if (!ready)
		bad = err_set(e, EC_BUG, "cannot prepare a request to '%s'", shown);
	else if (rc != CURLE_OK || c->encoded)
		bad = failed(curl, rc, text, shown, c, q, h, e);
	else
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &c->r.status);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	curl_slist_free_all(resolve);
	return bad ? -1 : 0;
}

void http_free(struct http_response *r)
{
	if (r->body.p)
		mem_wipe(r->body.p, r->body.n);
	buf_free(&r->body);
	buf_free(&r->content_type);
	buf_free(&r->set_cookie);
	for (size_t i = 0; i < HTTP_WANT; i++)
		buf_free(&r->wanted[i]);
}

int http_do(struct http_response *ret, const struct host *h, const struct http_request *q, struct err *e)
{
	struct call c = { .max = q->max_body, .cookie_name = q->cookie_name, .want = q->want, .https = starts(q->url, "https://") };
	AUTO_BUF shown = { 0 };
	const char *ca = NULL;
	CURL *curl;
	int rc;

	http_url_public(&shown, q->url);
	if (buf_check(&shown, e))
		return -1;
	if (h->offline) {
		err_set(e, EC_ABSENT, "cannot reach '%s': --offline was given", buf_cstr(&shown));
		return -1;
	}
	pthread_once(&once, init);
	if (init_result)
		return err_set(e, EC_BUG, "cannot start the HTTP client: %s", curl_easy_strerror(init_result));
	if (http_url_check(q->url, e) || (c.https && ca_bundle(&ca, h, q, e)))
		return -1;
	c.loopback_only = !c.https && !q->allow_plain;
	c.r.retry_after = -1;
	curl = curl_easy_init();
	if (!curl)
		return err_oom(e);
	rc = perform(curl, &c, h, q, ca, buf_cstr(&shown), e);
	curl_easy_cleanup(curl);
	if (!rc && (buf_check(&c.r.content_type, e) || buf_check(&c.r.set_cookie, e)))
		rc = -1;
	for (size_t i = 0; !rc && i < HTTP_WANT; i++)
		rc = buf_check(&c.r.wanted[i], e);
	if (rc) {
		http_free(&c.r);
		return -1;
	}
	*ret = c.r;
	return 0;
}
