/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the head of an HTTP/1.1 request (RFC 9112), strictly: what is doubtful is refused, so that no proxy in
 * front of us can see another request than we do. */

#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/cursor.h"
#include "net/httpd.h"

#define HEADERS_MAX 100

void httpd_head_free(struct httpd_head *h)
{
	if (h->text)
		mem_wipe(h->text, h->text_n);	/* it may hold a token */
	free(h->text);
	*h = (struct httpd_head){ 0 };
}

/* tchar of RFC 9110 5.6.2 */
static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return s.n > 0;
}

/* field-value: visible ASCII, obs-text, blanks and tabs */
static bool is_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_target(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == '#')
			return false;
	return s.n > 0 && s.p[0] == '/';
}

/* Ends the piece inside our own copy of the head with a NUL: what stands there is a delimiter. */
static const char *ended(struct httpd_head *h, struct slice s)
{
	h->text[(size_t)((const char *)s.p - h->text) + s.n] = 0;
	return (const char *)s.p;
}

static struct slice up_to(struct slice *rest, uint8_t c)
{
	struct slice s = { rest->p, 0 };

	while (s.n < rest->n && rest->p[s.n] != c)
		s.n++;
	if (s.n == rest->n) {
		*rest = (struct slice){ rest->p + rest->n, 0 };
	} else {
		rest->p += s.n + 1;
		rest->n -= s.n + 1;
	}
	return s;
}

static int request_line(struct httpd_head *h, struct slice line, const char **why)
{
	static const char *const known[] = { "GET", "POST", "PUT", "DELETE" };
	struct slice version = line, path;
	const struct slice method = up_to(&version, ' '), target = up_to(&version, ' ');
	bool ok = false;

	*why = "malformed request line";
	if (!is_token(method) || !is_target(target))
		return 400;
	if (!slice_eqs(version, "HTTP/1.1") && !slice_eqs(version, "HTTP/1.0"))
		return version.n >= 5 && !memcmp(version.p, "HTTP/", 5) ? 505 : 400;
	h->keep_alive = version.p[7] == '1';
	*why = "unknown method";
	for (size_t i = 0; i < sizeof known / sizeof *known && !ok; i++)
		ok = slice_eqs(method, known[i]);
	if (!ok)
		return 405;
	memcpy(h->method, method.p, method.n);
	h->query = ended(h, target);
	path = target;
	path = up_to(&path, '?');
	h->query += path.n + (path.n < target.n);
	h->path = ended(h, path);
	return 0;
}

static int content_length(struct httpd_head *h, struct slice v, const char **why)
{
	uint64_t n = 0;

	*why = "malformed Content-Length";
	if (!v.n || v.n > 15)
		return 400;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return 400;
		n = n * 10 + (v.p[i] - '0');
	}
	h->content_length = n;
	return 0;
}

static bool same(struct slice s, const char *word)
{
	return s.n == strlen(word) && !strncasecmp((const char *)s.p, word, s.n);
}

/* Is the word in this comma-separated list (RFC 9110 5.6.1)? */
static bool listed(struct slice list, const char *word)
{
	bool found = false;

	while (list.n)
		found |= same(slice_trim(up_to(&list, ',')), word);
	return found;
}

enum seen { SEEN_HOST = 1, SEEN_LENGTH = 2 };

static int header(struct httpd_head *h, unsigned *seen, struct slice line, const char **why)
{
	struct slice value = line;
	const struct slice name = up_to(&value, ':');
	const char **text = same(name, "cookie") ? &h->cookie : same(name, "authorization") ? &h->authorization :
			    same(name, "content-type") ? &h->content_type : NULL;
	const unsigned bit = same(name, "host") ? SEEN_HOST : same(name, "content-length") ? SEEN_LENGTH : 0;

	*why = "malformed header";
	if (name.n == line.n || !is_token(name) || !is_value(value))	/* also folded lines, which begin with a blank */
		return 400;
	value = slice_trim(value);
	*why = "a header that may stand once stands twice";
	if ((*seen & bit) || (text && *text))
		return 400;
	*seen |= bit;
	if (text)
		*text = ended(h, value);
	if (bit == SEEN_LENGTH)
		return content_length(h, value, why);
	*why = "transfer encodings are not taken: send a Content-Length";
	if (same(name, "transfer-encoding"))
		return 501;
	*why = "unknown expectation";
	if (same(name, "expect")) {
		if (!same(value, "100-continue"))
			return 417;
		h->expect_continue = true;
	}
	if (same(name, "connection"))
		h->keep_alive = h->keep_alive && !listed(value, "close");
	return 0;
}

static int parse(struct httpd_head *h, const char **why)
{
	struct slice rest = { (const uint8_t *)h->text, h->text_n };
	unsigned seen = 0;
	bool http11 = false;

	for (unsigned n = 0;; n++) {
		struct slice line = up_to(&rest, '\n');
		int status;

		*why = "line not ended by CR LF";
		if (!line.n || line.p[line.n - 1] != '\r')
			return 400;
		line.n--;
		*why = "too many headers";
		if (n > HEADERS_MAX)
			return 431;
		if (!line.n && n)
			break;
		status = n ? header(h, &seen, line, why) : request_line(h, line, why);
		if (status)
			return status;
		if (!n)
			http11 = h->keep_alive;
	}
	*why = "bytes behind the head";
	if (rest.n)
		return 400;
	*why = "no Host header";
	return http11 && !(seen & SEEN_HOST) ? 400 : 0;
}

int httpd_head_parse(struct httpd_head *ret, struct slice head, const char **why)
{
	struct httpd_head h = { .query = "" };
	int status;

	*why = "head too large";
	if (head.n > HTTPD_HEAD_MAX)
		return 431;
	*why = "empty request";
	if (!head.n)
		return 400;
	h.text = malloc(head.n + 1);
	h.text_n = head.n;
	*why = "out of memory";
	if (!h.text)
		return 503;
	memcpy(h.text, head.p, head.n);
	h.text[head.n] = 0;
	status = parse(&h, why);
	if (status) {
		httpd_head_free(&h);
		return status;
	}
	*ret = h;
	return 0;
}

void http_date(char ret[static 32], int64_t t)
{
	static const char day[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char month[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t at = (time_t)t;
	struct tm tm = { 0 };

	if (!gmtime_r(&at, &tm) || tm.tm_year > 8099)
		tm = (struct tm){ .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };
	snprintf(ret, 32, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", day[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
		 month[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}
