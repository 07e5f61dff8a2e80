/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_NET_HTTP_H
#define CVMBOX_NET_HTTP_H

/* HTTP client (the only room that includes curl).  host->offline refuses before any socket is opened
 * (EC_ABSENT).  CA bundle, the first of: ca_pem_file of the request, host->ca_file, $SSL_CERT_FILE, the usual bundle
 * paths of the distributions.  No redirects, no cookies but those given, no content encodings, a size cap per request,
 * time limits from the request and from the host.  A URL with a user name or password is refused (EC_USAGE).
 *
 * http:// goes to loopback only, past every proxy, unless allow_plain; the address that is really connected to is what is
 * checked, so neither a name nor --resolve can lead it elsewhere. */

#include "base/host.h"

#define HTTP_WANT 2

struct http_request {
	const char *method;		/* "GET", "POST", "PUT", "DELETE" */
	const char *url;		/* http:// or https:// */
	const char *const *headers;	/* "Name: value", NULL ended; may be NULL */
	struct slice body;
	const char *ca_pem_file;	/* trust only this file; NULL: the defaults */
	size_t max_body;		/* larger answers are EC_FORMAT */
	int64_t timeout_ms;		/* for this request; 0: 60 s; always bounded by the host's deadline */
	bool allow_plain;		/* http:// to a host that is not loopback */
	const char *cookie_name;	/* the cookie to look for among several; NULL: the last one is kept */
	const char *want[HTTP_WANT];	/* names of headers whose values are wanted, in any case; NULL: none */
};
struct http_response {
	long status;
	struct buf body;		/* wiped on free: answers may carry secrets */
	struct buf content_type;
	struct buf set_cookie;		/* "name=value" of the Set-Cookie looked for, attributes cut */
	struct buf wanted[HTTP_WANT];	/* what `want` asked for; empty: absent, or over 8 KiB */
	long retry_after;		/* seconds, -1: none */
};
#define AUTO_HTTP __attribute__((cleanup(http_free))) struct http_response
void http_free(struct http_response *r);
/* 0 for any HTTP status; -1 if there was no answer (EC_IO; EC_REFUSED when the peer's certificate does not hold; EC_FORMAT
 * when the answer is too large): the text names the URL without query and userinfo, the step (DNS, connect, TLS, send,
 * receive) and the cause. */
int http_do(struct http_response *ret, const struct host *h, const struct http_request *q, struct err *e);
/* URL for error texts: without userinfo, query and fragment.  Appends. */
void http_url_public(struct buf *ret, const char *url);
/* Scheme http or https, a host, no userinfo; EC_USAGE with a text that does not repeat what must not be repeated. */
int http_url_check(const char *url, struct err *e);

#endif
