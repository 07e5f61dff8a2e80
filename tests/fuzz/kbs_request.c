/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the key broker.  The first byte picks what the rest is: an auth body, an attestation, a path, a bearer token, a cookie, or a tee-pubkey that
 * gets good evidence, so that what lies behind the appraisal is reached.  In an attestation the word NONCE stands for the nonce of a fresh session.
 * Nothing but the last form may ever get a resource. */

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/protocol.h"
#include "broker/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct kbs *broker;
static struct host host;
static char dir[] = "/tmp/cvmbox-fuzz.XXXXXX";
static int64_t clock_ms;

static int64_t mono(void)
{
	return clock_ms;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static void tidy(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void need(int rc, const struct err *e)
{
	if (rc) {
		fprintf(stderr, "%s\n", e->msg);
		abort();
	}
}

static void set_up(void)
{
	struct kbs_store *store = NULL;
	struct policy *policy = NULL;
	struct resource_name name;
	struct secret s = { 0 };
	struct err e = { 0 };

	if (!mkdtemp(dir))
		abort();
	atexit(tidy);
	host_init(&host);
	host.has_now = true;
	host.now_fixed = 1800000000;
	need(kbs_store_open(&store, dir, true, &e), &e);
	need(resource_name_parse(&name, SLICE("a/b/c"), &e), &e);
	need(secret_from(&s, SLICE("the secret"), &e), &e);
	need(kbs_store_put(store, &name, &s, true, &e), &e);
	secret_wipe(&s);
	need(policy_parse(&policy, SLICE("{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"sample\",\"snp\"]}"), "fuzz", &e), &e);
	need(kbs_new(&broker, &(const struct kbs_opts){ .host = &host, .store = store, .policy = policy, .allow_sample = true,
							 .max_sessions = 4, .mono_ms = mono }, &e), &e);
}

static bool may_get;

static void request(const char *method, const char *path, const char *cookie, const char *auth, struct slice body,
		    struct buf *text, struct buf *headers)
{
	struct httpd_request q = { .path = path, .query = "", .body = body.n ? body : SLICE(""), .cookie = cookie, .authorization = auth, .peer = "f" };
	struct httpd_reply r = { .status = 500 };

	snprintf(q.method, sizeof q.method, "%s", method);
	kbs_handle(broker, &q, &r);
	if (r.status != 200 && r.status != 401 && r.status != 404 && r.status != 405)
		abort();
	if (r.status == 200 && !may_get && !strncmp(path, "/kbs/v0/resource", 16))
		abort();
	if (text)
		buf_move(text, &r.body);
	if (headers)
		buf_move(headers, &r.headers);
	httpd_reply_free(&r);
}

struct session_text {
	char cookie[64], nonce[48];
};

static struct session_text begin(void)
{
	struct buf text = { 0 }, headers = { 0 };
	struct session_text s;
	const char *nonce, *cookie;

	request("POST", "/kbs/v0/auth", NULL, NULL, SLICE("{\"version\":\"0.4.0\",\"tee\":\"sample\"}"), &text, &headers);
	nonce = strstr(buf_cstr(&text), "\"nonce\":\"");
	cookie = strstr(buf_cstr(&headers), "kbs-session-id=");
	if (!nonce || !cookie)
		abort();
	snprintf(s.cookie, sizeof s.cookie, "%.47s", cookie);
	snprintf(s.nonce, sizeof s.nonce, "%.44s", nonce + 9);
	buf_free(&text);
	buf_free(&headers);
	return s;
}

static void attest(struct slice s)
{
	const struct session_text t = begin();
	struct buf body = { 0 };

	for (size_t i = 0; i < s.n; i++)
		if (s.n - i >= 5 && !memcmp(s.p + i, "NONCE", 5)) {
			buf_puts(&body, t.nonce);
			i += 4;
		} else {
			buf_byte(&body, s.p[i]);
		}
	request("POST", "/kbs/v0/attest", t.cookie, NULL, buf_view(&body), NULL, NULL);
	buf_free(&body);
}

static void attest_with_key(struct slice s)
{
	const struct session_text t = begin();
	AUTO_JSON *jwk = NULL, *q = json_object();
	AUTO_BUF body = { 0 };
	uint8_t digest[48];
	struct json *part;

	if (json_parse(&jwk, s, 65536, NULL) || kbs_runtime_digest(digest, HASH_SHA384, t.nonce, jwk, "", NULL))
		return;
	part = json_add_object(q, "runtime-data");
	json_add_str(part, "nonce", t.nonce);
	json_add_copy(part, "tee-pubkey", jwk);
	part = json_add_object(q, "tee-evidence");
	json_add_str(part, "additional_evidence", "");
	part = json_add_object(part, "primary_evidence");
	json_add_str(part, "svn", "1");
	json_add_b64(part, "report_data", (struct slice){ digest, sizeof digest });
	if (json_write(&body, q, false, NULL))
		return;
	request("POST", "/kbs/v0/attest", t.cookie, NULL, buf_view(&body), NULL, NULL);
	may_get = true;
	request("GET", "/kbs/v0/resource/a/b/c", t.cookie, NULL, (struct slice){ 0 }, NULL, NULL);
	may_get = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[4096];
	struct slice s;

	if (!broker)
		set_up();
	if (!n || n > 65536)
		return 0;
	clock_ms += 1000 * KBS_SESSION_SECONDS;	/* sessions live for one input */
	s = (struct slice){ p + 1, n - 1 };
	snprintf(text, sizeof text, "%.*s", (int)(s.n < sizeof text - 32 ? s.n : sizeof text - 32), (const char *)s.p);
	switch (p[0] % 6) {
	case 0:
		request("POST", "/kbs/v0/auth", NULL, NULL, s, NULL, NULL);
		break;
	case 1:
		attest(s);
		break;
	case 2:
		memmove(text + 1, text, strlen(text) + 1);
		text[0] = '/';
		request("GET", text, NULL, NULL, (struct slice){ 0 }, NULL, NULL);
		break;
	case 3:
		memmove(text + 7, text, strlen(text) + 1);
		memcpy(text, "Bearer ", 7);
		request("GET", "/kbs/v0/resource/a/b/c", NULL, text, (struct slice){ 0 }, NULL, NULL);
		break;
	case 4:
		attest_with_key(s);
		break;
	default:
		request("GET", "/kbs/v0/resource/a/b/c", text, NULL, (struct slice){ 0 }, NULL, NULL);
	}
	return 0;
}
