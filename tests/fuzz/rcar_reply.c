/* SPDX-License-Identifier: Apache-2.0 */
/* What a key broker, or somebody in its place, may answer: the input is cut at each zero byte into the answers to auth, attest and resource requests.  An
 * answer is a status digit, a line with a cookie, and a body. */

#include <stdlib.h>

#include "broker/rcar.h"
#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct slice rest;

static struct slice next(uint8_t end)
{
	struct slice s = { rest.p, 0 };

	while (s.n < rest.n && rest.p[s.n] != end)
		s.n++;
	rest.p += s.n + (s.n < rest.n);
	rest.n -= s.n + (s.n < rest.n);
	return s;
}

static int answer(struct http_response *ret, const struct host *h, const struct http_request *q, struct err *e)
{
	static const long statuses[] = { 200, 200, 200, 200, 401, 404, 500, 429, 307, 413 };
	const struct slice all = next(0), keep = rest;
	struct http_response r = { .retry_after = -1 };

	(void)h;
	for (const char *const *line = q->headers; line && *line; line++)
		if (strpbrk(*line, "\r\n"))
			abort();	/* somebody else's bytes would become headers of ours */
	if (!all.n)
		return err_set(e, EC_IO, "no more answers");
	rest = all;
	r.status = statuses[rest.p[0] % 10];
	rest.p++;
	rest.n--;
	buf_slice(&r.set_cookie, next('\n'));
	buf_slice(&r.body, rest);
	rest = keep;
	*ret = r;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct key_env env = { .url = "http://127.0.0.1:1", .tee = "sample" };
	struct secret s = { 0 };
	struct rcar *r = NULL;
	struct err e = { 0 };
	struct host h;

	host_init(&h);
	rest = (struct slice){ p, n };
	if (!rcar_attest_via(&r, &h, &env, answer, &e)) {
		if (!rcar_get(&s, r, "kbs:///a/b/c", 1000, &e) && s.n > 1000)
			abort();
		secret_wipe(&s);
		rcar_free(r);
	} else if (!e.msg[0] || e.code == EC_OK || e.code == EC_BUG) {
		abort();
	}
	return 0;
}
