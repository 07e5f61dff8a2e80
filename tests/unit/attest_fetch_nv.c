/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and certificate status from services that play along, and from services that do not. */

#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "attest/appraise.h"
#include "attest/fetch.h"
#include "crypto/ocsp_int.h"
#include "crypto/xmldsig.h"
#include "nv_maker.h"
#include "rim_maker.h"
#include "stand_in.h"
#include "test.h"

#define NOW NV_MAKER_NOW
#define HOUR 3600
#define KNOWN 32

enum fault {
	GOOD, REVOKED, NONCE_DROPPED, NONCE_OTHER, NONCE_MALFORMED, NONCE_HTTP_400, LATER_TWICE, LATER, INTERNAL, UNAUTHORIZED, MALFORMED,
	OTHER_CERT, STALE, EARLY, WRONG_SIGNER, CUT, BIG, PAGE, GARBAGE, HTTP_500, HTTP_404, N_FAULTS
};

struct known {			/* whose status the responder tells */
	struct cert_list certs;	/* it, its issuer */
	const struct privkey *key;
};

struct nvidia {			/* both services, and what they know */
	struct service rim, ocsp;
	struct fetch_from from;
	struct known v[KNOWN];
	size_t n;
	struct buf evidence;
	struct nv_set set;
	struct ocsp_make_entry entry;
	enum fault fault;
	int left;			/* LATER_TWICE */
	int with_nonce, without, authorized;
	char log[4096];			/* what the client logged */
	char bearer[256];		/* what the RIM service saw last */
	struct privkey stranger;
};

static void remember(void *arg, enum log_level lvl, const char *line)
{
	struct nvidia *w = arg;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	size_t n;

	(void)lvl;
	pthread_mutex_lock(&lock);
	n = strlen(w->log);
	snprintf(w->log + n, sizeof w->log - n, "%s\n", line);
	pthread_mutex_unlock(&lock);
}

/* --- the responder ---------------------------------------------------------------------------------------------------- */

static void know(struct nvidia *w, const struct cert *c, const struct cert *issuer, const struct privkey *key)
{
	struct known *k = &w->v[w->n];

	for (size_t i = 0; i < w->n; i++)
		if (slice_eq(w->v[i].certs.v[0].der, c->der))
			return;
	if (w->n == KNOWN) {
		test_fail(__FILE__, __LINE__, "more than %d certificates", KNOWN);
		return;
	}
	*k = (struct known){ .key = key };
	WORKS(certs_parse(&k->certs, c->der, &e));
	WORKS(certs_parse(&k->certs, issuer->der, &e));
	w->n++;
}

static struct slice nonce_in(struct slice request)
{
	static const uint8_t oid[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02 };
	const uint8_t *p = memmem(request.p, request.n, oid, sizeof oid);

	if (!p || (size_t)(request.p + request.n - p) < sizeof oid + 4 + 32)
		return (struct slice){ 0 };
	return slice_of(p + sizeof oid + 4, 32);
}

static const struct known *asked_about(const struct nvidia *w, struct slice request)
{
	for (size_t i = 0; i < w->n; i++) {
		AUTO_BUF id = { 0 };

		WORKS(ocsp_put_id(&id, &w->v[i].certs.v[0], &w->v[i].certs.v[1], HASH_SHA1, &e));
		if (memmem(request.p, request.n, id.p, id.n))
			return &w->v[i];
	}
	return NULL;
}

static void say_status(struct buf *ret, unsigned status)
{
	const uint8_t der[] = { 0x30, 0x03, 0x0a, 0x01, (uint8_t)status };

	buf_put(ret, der, sizeof der);
}

static void say(struct nvidia *w, struct buf *ret, const struct known *k, struct slice nonce)
{
	struct ocsp_make_entry one = { .cert = &k->certs.v[0], .issuer = &k->certs.v[1], .status = OCSP_GOOD, .reason = -1,
				       .this_update = NOW - HOUR, .next_update = NOW + HOUR };
	struct ocsp_make m = { .v = &one, .n = 1, .signer = &k->certs.v[1], .signer_key = k->key, .produced_at = NOW - HOUR, .nonce = nonce };

	switch (w->fault) {
	case REVOKED:
		one.status = OCSP_REVOKED;
		one.revoked_at = NOW - 2 * HOUR;
		break;
	case NONCE_DROPPED:
		m.nonce = (struct slice){ 0 };
		break;
	case NONCE_OTHER:
		m.nonce = SLICE("fedcba9876543210");
		break;
	case OTHER_CERT:
		one.cert = &w->v[k == &w->v[0]].certs.v[0];
		one.issuer = &w->v[k == &w->v[0]].certs.v[1];
		break;
	case STALE:
		one.this_update = NOW - 3 * HOUR;
		one.next_update = NOW - 2 * HOUR;
		break;
	case EARLY:
		one.this_update = NOW + 2 * HOUR;
		one.next_update = NOW + 3 * HOUR;
		break;
	case WRONG_SIGNER:
		m.signer_key = &w->stranger;
		break;
	default:
		break;
	}
	WORKS(ocsp_make(ret, &m, &e));
}

static bool respond(void *arg, const struct httpd_request *q, struct httpd_reply *r)
{
	struct nvidia *w = arg;
	const struct slice nonce = nonce_in(q->body);
	const struct known *k = asked_about(w, q->body);

	*(nonce.n ? &w->with_nonce : &w->without) += 1;
	w->authorized += q->authorization != NULL;
	if (strcmp(q->method, "POST") || !q->content_type || strcmp(q->content_type, "application/ocsp-request") || !k)
		return false;
	r->status = w->fault == HTTP_500 ? 500 : w->fault == HTTP_404 ? 404 : w->fault == NONCE_HTTP_400 && nonce.n ? 400 : 200;
	r->content_type = w->fault == PAGE ? "text/html" : "application/ocsp-response";
	buf_reset(&r->body);
	if (w->fault == NONCE_MALFORMED && nonce.n)
		say_status(&r->body, 1);
	else if (w->fault == MALFORMED || w->fault == UNAUTHORIZED || w->fault == INTERNAL)
		say_status(&r->body, w->fault == MALFORMED ? 1 : w->fault == INTERNAL ? 2 : 6);
	else if (w->fault == LATER || (w->fault == LATER_TWICE && w->left-- > 0))
		say_status(&r->body, 3);
	else if (w->fault == GARBAGE)
		buf_puts(&r->body, "0\x82garbage");
	else
		say(w, &r->body, k, nonce);
	if (w->fault == CUT)
		r->body.n /= 2;
	if (w->fault == BIG)
		buf_fill(&r->body, 0, OCSP_MAX + 1);
	return true;
}

static bool see_bearer(void *arg, const struct httpd_request *q, struct httpd_reply *r)
{
	struct nvidia *w = arg;

	(void)r;
	snprintf(w->bearer, sizeof w->bearer, "%s", q->authorization ? q->authorization : "");
	return false;
}

/* --- both ------------------------------------------------------------------------------------------------------------------ */

static void know_chain(struct nvidia *w, const struct nv_make *m)
{
	AUTO_BUF pem = { 0 };
	AUTO_CERTS l = { 0 };

	nv_make_chain(&pem, m);
	WORKS(nvchain_parse(&l, buf_view(&pem), &e));
	for (size_t i = 1; i < 4 && l.n == 5; i++)
		know(w, &l.v[i], &l.v[i + 1], nv_make_key(m, i + 1));
}

/* The manifest of a device's driver or VBIOS, with the measurements that it has. */
static void rim_of(struct buf *ret, enum nv_arch arch, bool driver, const char *version)
{
	static uint8_t hash[64][48];
	struct rim_make_golden golden[64];
	struct rim_make r = { .golden = golden, .version = version };
	const bool gpu = arch != NV_LS10;

	for (size_t i = 0; i < (gpu ? 42 : 31); i++) {
		if ((gpu && ((i == 7 || i >= 21) != driver || (i > 12 && i < 21))) || i == 35)
			continue;
		nv_make_measurement(hash[i], arch, i);
		golden[r.n_golden++] = (struct rim_make_golden){ .index = (unsigned)i, .hash = (const uint8_t (*)[48])&hash[i], .n = 1 };
	}
	if (!gpu) {
		r.name = r.product = "LS10";
		r.edition = "SWITCH";
	}
	rim_make(ret, &r);
}

static void publish(struct nvidia *w, const struct nv_device *d, bool driver)
{
	const char *id = driver ? d->driver_rim : d->vbios_rim;
	AUTO_BUF rim = { 0 };
	AUTO_XML *x = NULL;
	struct xmldsig sig = { 0 };
	struct route *r;
	char path[256];

	if (!id[0])
		return;
	snprintf(path, sizeof path, "/v1/rim/%s", id);
	for (size_t i = 0; i < w->rim.n; i++)
		if (!strcmp(w->rim.v[i].path, path))
			return;
	rim_of(&rim, d->arch, driver, driver ? d->driver : d->vbios);
	r = service_route(&w->rim, path);
	r->type = "application/json";
	rim_service_make(&r->body, id, buf_view(&rim));
	WORKS(xml_parse(&x, buf_view(&rim), RIM_MAX, &e));
	WORKS(xmldsig_open(&sig, x, &e));
	for (size_t i = 0; i + 1 < sig.certs.n; i++)
		know(w, &sig.certs.v[i], &sig.certs.v[i + 1], rim_maker_ca_key());
	xmldsig_free(&sig);
}

static void nvidia_start(struct nvidia *w, const struct nv_make *v, size_t n)
{
	*w = (struct nvidia){ 0 };
	service_start(&w->rim, NOW);
	service_start(&w->ocsp, NOW);
	w->ocsp.answers = respond;
	w->rim.answers = see_bearer;
	w->rim.arg = w->ocsp.arg = w;
	w->rim.h.log = remember;
	w->rim.h.log_arg = w;
	w->rim.h.verbosity = 2;
	w->from = (struct fetch_from){ .rim = w->rim.url, .ocsp = w->ocsp.url, .retry_ms = 1 };
	WORKS(privkey_generate(&w->stranger, KEY_EC_P384, 0, &e));
	nv_make_evidence(&w->evidence, v, n);
	WORKS(nv_set_parse(&w->set, buf_view(&w->evidence), &e));
	for (size_t i = 0; i < n; i++)
		know_chain(w, &v[i]);
	for (size_t i = 0; i < w->set.n; i++) {
		publish(w, &w->set.v[i], true);
		publish(w, &w->set.v[i], false);
	}
}

static void nvidia_stop(struct nvidia *w)
{
	service_stop(&w->rim);
	service_stop(&w->ocsp);
	for (size_t i = 0; i < w->n; i++)
		certs_free(&w->v[i].certs);
	buf_free(&w->evidence);
	nv_set_free(&w->set);
	privkey_free(&w->stranger);
}

static int get(struct fetched *f, struct nvidia *w, struct err *e)
{
	return fetch_collateral(f, &w->rim.h, &w->from, "nvgpu", buf_view(&w->evidence), (struct slice){ 0 }, NULL, e);
}

static size_t count(const struct fetched *f, enum collateral_type t, bool cached)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].type == t && f->v[i].cached == cached;
	return n;
}

/* A GPU: its manifests are two; of its own chain three certificates, of the manifests' chains four (two signers, two CAs). */
#define GPU_RIMS 2
#define GPU_STATUS 7

static const struct nv_make gpu = { .arch = NV_HOPPER };

TEST(fetch_nv_gets_what_verification_needs)
{
	static struct nvidia w;
	AUTO_FETCHED f = { 0 };
	uint8_t nonce[32];

	nvidia_start(&w, &gpu, 1);
	WORKS(get(&f, &w, &e));
	EQ(count(&f, COLLATERAL_RIM, false), GPU_RIMS);
	EQ(count(&f, COLLATERAL_OCSP, false), GPU_STATUS);
	EQ(f.n, GPU_RIMS + GPU_STATUS);
	EQ(f.missing.n, 0);
	EQ(w.rim.requests, GPU_RIMS);
	EQ(w.ocsp.requests, GPU_STATUS);
	WORKS(bundle_nonce_for(nonce, "ocsp", w.set.v[0].report.nonce, (struct slice){ 0 }, &e));
	for (size_t i = 0; i < f.n; i++) {
		AUTO_COLLATERAL c = { 0 };

		WORKS(collateral_add(&c, buf_view(&f.v[i].data), f.v[i].source, f.v[i].fetched, &e));
		EQ(c.v[0].type, f.v[i].type);
		EQ(f.v[i].file[strspn(f.v[i].file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")], 0);
		if (c.v[0].type == COLLATERAL_OCSP)
			OK(slice_eq(c.v[0].ocsp.nonce, slice_of(nonce, sizeof nonce)));
		else
			HAS(f.v[i].file, ".xml");
		for (size_t k = 0; k < i; k++)
			OK(strcmp(f.v[i].file, f.v[k].file));
		if (c.v[0].type == COLLATERAL_OCSP)
			HAS(f.v[i].source, "#");
		HAS(f.v[i].source, c.v[0].type == COLLATERAL_OCSP ? w.ocsp.url : w.rim.url);
	}
	nvidia_stop(&w);
}

/* What eight GPUs have in common is asked for once. */
TEST(fetch_nv_asks_once_for_what_devices_share)
{
	static struct nvidia w;
	const struct nv_make two[] = { { .arch = NV_HOPPER }, { .arch = NV_HOPPER, .device = 1 } };
	AUTO_FETCHED f = { 0 };

	nvidia_start(&w, two, 2);
	WORKS(get(&f, &w, &e));
	EQ(w.rim.requests, GPU_RIMS);
	EQ(w.ocsp.requests, GPU_STATUS + 1);
	EQ(f.n, GPU_RIMS + GPU_STATUS + 1);
	nvidia_stop(&w);
}

TEST(fetch_nv_revoked_is_kept_for_the_verifier)
{
	static struct nvidia w;
	AUTO_FETCHED f = { 0 };

	nvidia_start(&w, &gpu, 1);
	w.fault = REVOKED;
	WORKS(get(&f, &w, &e));
	EQ(count(&f, COLLATERAL_OCSP, false), GPU_STATUS);
	nvidia_stop(&w);
}

/* --- manifests ----------------------------------------------------------------------------------------------------------- */

TEST(fetch_nv_manifest_that_is_not_published_is_named)
{
	static struct nvidia w;
	AUTO_FETCHED f = { 0 };

	nvidia_start(&w, &gpu, 1);
	w.rim.v[1].status = 404;
	WORKS(get(&f, &w, &e));
	EQ(strncmp(buf_cstr(&f.missing), "no RIM is published for this VBIOS ", 35), 0);
	HAS(buf_cstr(&f.missing), w.set.v[0].vbios_rim);
	EQ(count(&f, COLLATERAL_RIM, false), 1);
	EQ(count(&f, COLLATERAL_OCSP, false), GPU_STATUS - 1);
	nvidia_stop(&w);
}

static void other_bytes(struct buf *body, const char *text)
{
	buf_reset(body);
	buf_puts(body, text);
}

static void flip_digest(struct buf *answer)
{
	char *p = memmem(answer->p, answer->n, "\"sha256\"", 8);

	OK(p != NULL);
	if (!p)
		return;
	p += 8;
	p += strcspn(p, "\"") + 1;
	*p = *p == '0' ? '1' : '0';
}

TEST(fetch_nv_takes_nothing_for_a_manifest_that_is_none)
{
	enum { DIGEST, OTHER_ID, HTML, TRUNCATED, OVERSIZED, NOT_JSON, NO_RIM_IN_IT, CORIM, UNSIGNED, DENIED, FORBIDDEN, BUSY, REDIRECT, TEAPOT, N };
	static const struct { enum ec code; const char *why; } want[N] = {
		[DIGEST] = { EC_FORMAT, "SHA-256" }, [OTHER_ID] = { EC_FORMAT, "asked was" }, [HTML] = { EC_FORMAT, "web page" },
		[TRUNCATED] = { EC_FORMAT, "answer" }, [OVERSIZED] = { EC_FORMAT, "more than" }, [NOT_JSON] = { EC_FORMAT, "answer" },
		[NO_RIM_IN_IT] = { EC_FORMAT, "'rim'" }, [CORIM] = { EC_ABSENT, "CORIM" }, [UNSIGNED] = { EC_FORMAT, "signature" },
		[DENIED] = { EC_DENIED, "401" }, [FORBIDDEN] = { EC_DENIED, "403" }, [BUSY] = { EC_IO, "answered 500 5 times" },
		[REDIRECT] = { EC_IO, "redirects are not followed" }, [TEAPOT] = { EC_IO, "418" },
	};

	for (int i = 0; i < N; i++) {
		static struct nvidia w;
		AUTO_FETCHED f = { 0 };
		AUTO_BUF rim = { 0 };
		struct err e = { 0 };
		struct route *r;
		char dir[256];

		nvidia_start(&w, &gpu, 1);
		snprintf(dir, sizeof dir, "%s/c%d", tmpdir(), i);
		w.from.cache_dir = dir;
		r = &w.rim.v[0];
		switch (i) {
		case DIGEST:
			flip_digest(&r->body);
			break;
		case OTHER_ID:
			rim_make(&rim, &(const struct rim_make){ 0 });
			buf_reset(&r->body);
			rim_service_make(&r->body, "NV_GPU_DRIVER_GH100_1", buf_view(&rim));
			break;
		case HTML:
			r->type = "text/html";
			break;
		case TRUNCATED:
			r->body.n -= 10;
			break;
		case OVERSIZED:
			buf_fill(&r->body, ' ', (size_t)2 << 20);
			break;
		case NOT_JSON:
			other_bytes(&r->body, "oops");
			break;
		case NO_RIM_IN_IT:
			buf_reset(&r->body);
			buf_printf(&r->body, "{\"id\":\"%s\",\"sha256\":\"\"}", w.set.v[0].driver_rim);
			break;
		case CORIM:
			buf_reset(&r->body);
			buf_printf(&r->body, "{\"id\":\"%s\",\"rim\":\"aa==\",\"sha256\":\"\",\"rim_format\":\"CORIM\"}", w.set.v[0].driver_rim);
			break;
		case UNSIGNED:
			rim_make_text(&rim, &(const struct rim_make){ 0 });
			buf_reset(&r->body);
			rim_service_make(&r->body, w.set.v[0].driver_rim, buf_view(&rim));
			break;
		case DENIED:
		case FORBIDDEN:
			r->status = i == DENIED ? 401 : 403;
			break;
		case BUSY:
			r->status = 500;
			break;
		case REDIRECT:
			r->status = 302;
			break;
		case TEAPOT:
			r->status = 418;
			break;
		}
		EQ(get(&f, &w, &e), -1);
		EQ(e.code, want[i].code);
		HAS(e.msg, want[i].why);
		HAS(e.msg, w.set.v[0].driver_rim);
		if (i == DENIED)
			HAS(e.hint, "--service-key");
		OK(access(dir, F_OK));		/* nothing of it is kept */
		EQ(f.n, 0);
		nvidia_stop(&w);
	}
}

TEST(fetch_nv_waits_when_it_is_asked_to)
{
	static struct nvidia w;
	AUTO_FETCHED f = { 0 };
	int64_t from;

	nvidia_start(&w, &gpu, 1);
	w.rim.v[0].busy = 1;
	w.rim.v[0].headers = "Retry-After: 1\r\n";
	w.rim.v[1].busy = 2;
	w.rim.v[1].busy_status = 503;
	from = host_mono_ms();
	WORKS(get(&f, &w, &e));
	OK(host_mono_ms() - from >= 1000);
	EQ(w.rim.v[0].asked, 2);
	EQ(w.rim.v[1].asked, 3);
	EQ(f.n, GPU_RIMS + GPU_STATUS);
	nvidia_stop(&w);
}

/* --- certificate status ------------------------------------------------------------------------------------------------------ */

TEST(fetch_nv_judges_what_responders_say)
{
	static const struct { enum fault fault; enum ec code; const char *why; int with, without; } rows[] = {
		{ NONCE_DROPPED, EC_OK, "", GPU_STATUS, 0 },	/* as good as one that was not asked for a nonce */
		{ NONCE_OTHER, EC_OK, "", GPU_STATUS, GPU_STATUS }, { NONCE_MALFORMED, EC_OK, "", GPU_STATUS, GPU_STATUS },
		{ NONCE_HTTP_400, EC_OK, "", GPU_STATUS, GPU_STATUS }, { LATER_TWICE, EC_OK, "", GPU_STATUS + 2, 0 },
		{ LATER, EC_IO, "answered tryLater 5 times", 5, 0 }, { INTERNAL, EC_IO, "answered internalError 5 times", 5, 0 },
		{ UNAUTHORIZED, EC_DENIED, "unauthorized", 1, 1 }, { MALFORMED, EC_IO, "malformedRequest", 1, 1 },
		{ OTHER_CERT, EC_FORMAT, "about another certificate", 1, 0 }, { STALE, EC_REFUSED, "expired", 1, 0 },
		{ EARLY, EC_REFUSED, "not yet valid", 1, 0 }, { WRONG_SIGNER, EC_REFUSED, "", 1, 0 }, { CUT, EC_FORMAT, "", 1, 0 },
		{ BIG, EC_FORMAT, "more than 65536 bytes", 1, 0 }, { PAGE, EC_FORMAT, "web page", 1, 0 }, { GARBAGE, EC_FORMAT, "", 1, 0 },
		{ HTTP_500, EC_IO, "answered 500 5 times", 5, 0 }, { HTTP_404, EC_ABSENT, "404", 1, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct nvidia w;
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };

		nvidia_start(&w, &gpu, 1);
		w.fault = rows[i].fault;
		w.left = 2;
		EQ(get(&f, &w, &e), rows[i].code ? -1 : 0);
		EQ(e.code, rows[i].code);
		HAS(e.msg, rows[i].why);
		EQ(w.with_nonce, rows[i].with);
		EQ(w.without, rows[i].without);
		if (rows[i].code)
			HAS(e.msg, "status of certificate '");	/* which one */
		else
			EQ(count(&f, COLLATERAL_OCSP, false), GPU_STATUS);
		if (!rows[i].code && rows[i].fault != LATER_TWICE)
			HAS(w.log, "counts as cached, not as live");
		nvidia_stop(&w);
	}
}

TEST(fetch_nv_can_do_without_status)
{
	static struct nvidia w;
	AUTO_FETCHED f = { 0 };

	nvidia_start(&w, &gpu, 1);
	w.from.no_ocsp = true;
	WORKS(get(&f, &w, &e));
	EQ(f.n, GPU_RIMS);
	EQ(w.ocsp.requests, 0);
	HAS(buf_cstr(&f.missing), "certificate status");	/* the result says so */
	nvidia_stop(&w);
}

/* --- the cache ------------------------------------------------------------------------------------------------------------------ */

TEST(fetch_nv_cache_serves_when_nobody_is_there)
{
	static struct nvidia w;
	AUTO_FETCHED f = { 0 }, online = { 0 }, down = { 0 }, off = { 0 }, late = { 0 };
	struct err e = { 0 };
	char dir[256];

	snprintf(dir, sizeof dir, "%s/cache", tmpdir());
	nvidia_start(&w, &gpu, 1);
	w.from.cache_dir = dir;
	WORKS(get(&f, &w, &e));
	/* status is asked for again as long as there is somebody to ask */
	w.rim.requests = w.ocsp.requests = 0;
	WORKS(get(&online, &w, &e));
	EQ(w.ocsp.requests, GPU_STATUS);
	EQ(count(&online, COLLATERAL_OCSP, false), GPU_STATUS);
	/* nobody; and it is not waited for once for each certificate */
	w.fault = HTTP_500;
	w.ocsp.requests = 0;
	WORKS(get(&down, &w, &e));
	EQ(w.ocsp.requests, 5);
	EQ(count(&down, COLLATERAL_OCSP, true), GPU_STATUS);
	HAS(w.log, "is cached");
	w.rim.requests = w.ocsp.requests = 0;
	w.rim.h.offline = true;
	WORKS(get(&off, &w, &e));
	EQ(off.n, GPU_RIMS + GPU_STATUS);
	EQ(count(&off, COLLATERAL_OCSP, true), GPU_STATUS);
	EQ(count(&off, COLLATERAL_RIM, true), GPU_RIMS);
	EQ(w.rim.requests + w.ocsp.requests, 0);
	/* it does not make answers younger */
	w.rim.h.now_fixed = NOW + 3 * HOUR;
	EQ(get(&late, &w, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "--offline");
	nvidia_stop(&w);
}

TEST(fetch_nv_offline_opens_no_socket)
{
	static struct nvidia w;
	AUTO_FETCHED f = { 0 };
	struct err e = { 0 };

	nvidia_start(&w, &gpu, 1);
	w.rim.h.offline = true;
	EQ(get(&f, &w, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "--offline was given");
	EQ(w.rim.requests + w.ocsp.requests, 0);
	nvidia_stop(&w);
}

/* --- the service key ---------------------------------------------------------------------------------------------------------- */

#define KEY "nvapi-Top.Secret_0123456789"

TEST(fetch_nv_service_key_goes_to_one_service_and_into_no_text)
{
	static struct nvidia w;
	static const int statuses[] = { 200, 401, 403, 404, 418, 500 };
	AUTO_SECRET key = { 0 };

	WORKS(secret_from(&key, SLICE(KEY "\n"), &e));
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };

		nvidia_start(&w, &gpu, 1);
		w.from.service_key = &key;
		w.rim.v[0].status = statuses[i];
		get(&f, &w, &e);
		STR(w.bearer, "Bearer " KEY);
		EQ(w.authorized, 0);
		OK(!strstr(e.msg, "nvapi") && !strstr(e.hint, "nvapi") && !strstr(w.log, "nvapi") && !strstr(buf_cstr(&f.missing), "nvapi"));
		if (statuses[i] == 200)
			OK(w.ocsp.requests > 0);
		nvidia_stop(&w);
	}
}

TEST(fetch_nv_service_key_that_cannot_be_sent)
{
	static struct nvidia w;
	static const struct { const char *key, *url, *why; } rows[] = {
		{ "nvapi-a\r\nHost: x", NULL, "holds bytes" }, { "nvapi-a b", NULL, "holds bytes" }, { "\n", NULL, "0 characters" },
		{ "nvapi-a", "http://192.0.2.1:9", "loopback" },
	};

	nvidia_start(&w, &gpu, 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_SECRET key = { 0 };
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };

		WORKS(secret_from(&key, slice_str(rows[i].key), &e));
		w.from.service_key = &key;
		w.from.rim = rows[i].url ? rows[i].url : w.rim.url;
		EQ(get(&f, &w, &e), -1);
		EQ(e.code, EC_USAGE);
		HAS(e.msg, rows[i].why);
		OK(!strstr(e.msg, "nvapi") && !strstr(e.hint, "nvapi"));
	}
	EQ(w.rim.requests + w.ocsp.requests, 0);
	nvidia_stop(&w);
}

/* --- evidence that is not as it should be ---------------------------------------------------------------------------------------- */

TEST(fetch_nv_ids_of_hostile_evidence_stay_names)
{
	static struct nvidia w;
	const struct nv_make odd = { .arch = NV_HOPPER, .driver = "../../etc" };
	AUTO_FETCHED f = { 0 };
	struct err e = { 0 };
	char dir[256];

	snprintf(dir, sizeof dir, "%s/cache", tmpdir());
	nvidia_start(&w, &gpu, 1);
	w.from.cache_dir = dir;
	buf_reset(&w.evidence);
	nv_make_evidence(&w.evidence, &odd, 1);
	if (!get(&f, &w, &e)) {
		HAS(buf_cstr(&f.missing), "no id");
		EQ(count(&f, COLLATERAL_RIM, false), 1);
	} else {
		EQ(e.code, EC_FORMAT);		/* where the parser is the one to refuse */
	}
	nvidia_stop(&w);
}

TEST(fetch_nv_device_without_a_chain_is_named)
{
	static struct nvidia w;
	struct nv_piece one = { .arch = NV_HOPPER };
	AUTO_BUF report = { 0 };
	AUTO_FETCHED f = { 0 };

	nvidia_start(&w, &gpu, 1);
	nv_make_report(&report, &gpu);
	one.report = buf_view(&report);
	one.nonce = w.set.v[0].report.nonce;
	buf_reset(&w.evidence);
	WORKS(nv_write(&w.evidence, &one, 1, &e));
	WORKS(get(&f, &w, &e));
	EQ(count(&f, COLLATERAL_RIM, false), GPU_RIMS);
	EQ(count(&f, COLLATERAL_OCSP, false), GPU_STATUS - 3);
	HAS(buf_cstr(&f.missing), "GPU-0");
	nvidia_stop(&w);
}

/* --- bundles --------------------------------------------------------------------------------------------------------------------- */

static int reload(struct collateral *have, const struct bundle *b, struct err *e)
{
	for (size_t i = 0; i < b->collateral.n; i++)
		if (collateral_add(have, buf_view(&b->collateral.v[i].data), b->collateral.v[i].source, b->collateral.v[i].fetched, e))
			return -1;
	return 0;
}

TEST(fetch_bundle_looks_at_all_of_its_evidence)
{
	static struct nvidia w;
	const struct nv_make all[] = { { .arch = NV_HOPPER }, { .arch = NV_HOPPER, .device = 1 }, { .arch = NV_LS10 } };
	AUTO_BUNDLE b = { 0 };
	AUTO_FETCHED f = { 0 }, other = { 0 };
	AUTO_COLLATERAL have = { 0 };
	uint8_t nonce[32];
	size_t n;

	nvidia_start(&w, all, 3);
	buf_puts(&b.nonce, "0123456789abcdef");
	WORKS(bundle_add(&b.evidence, "sample", "", "", SLICE("{}"), &e));
	for (size_t i = 0; i < 3; i++) {
		AUTO_BUF raw = { 0 };

		nv_make_evidence(&raw, &all[i], 1);
		WORKS(bundle_add(&b.evidence, all[i].arch == NV_LS10 ? "nvswitch" : "nvgpu", "", "", buf_view(&raw), &e));
	}
	WORKS(fetch_bundle(&f, &w.rim.h, &w.from, &b, NULL, &e));
	EQ(count(&f, COLLATERAL_RIM, false), GPU_RIMS + 1);
	EQ(w.ocsp.requests, (int)count(&f, COLLATERAL_OCSP, false));
	OK(count(&f, COLLATERAL_OCSP, false) >= GPU_STATUS + 3);	/* the second GPU's own, the switch's, its manifest's signer */
	EQ(f.missing.n, 0);
	WORKS(bundle_nonce_for(nonce, "ocsp", buf_view(&b.nonce), buf_view(&b.runtime_data), &e));
	WORKS(fetch_into_bundle(&b, &f, &e));
	EQ(b.collateral.n, f.n);
	n = f.n;
	WORKS(reload(&have, &b, &e));
	for (size_t i = 0; i < have.n; i++)
		if (have.v[i].type == COLLATERAL_OCSP)
			OK(slice_eq(have.v[i].ocsp.nonce, slice_of(nonce, sizeof nonce)));
	/* what is at hand and holds is not fetched again, with and without a network */
	w.rim.requests = w.ocsp.requests = 0;
	for (int i = 0; i < 2; i++) {
		AUTO_FETCHED again = { 0 };

		w.rim.h.offline = i;
		WORKS(fetch_bundle(&again, &w.rim.h, &w.from, &b, &have, &e));
		EQ(again.n, 0);
	}
	EQ(w.rim.requests + w.ocsp.requests, 0);
	/* status with another nonce is not younger than this challenge: it is replaced */
	w.rim.h.offline = false;
	buf_puts(&b.nonce, "!");
	WORKS(fetch_bundle(&other, &w.rim.h, &w.from, &b, &have, &e));
	EQ(count(&other, COLLATERAL_RIM, false), 0);
	EQ(count(&other, COLLATERAL_OCSP, false), n - GPU_RIMS - 1);
	WORKS(fetch_into_bundle(&b, &other, &e));
	EQ(b.collateral.n, n);
	nvidia_stop(&w);
}

/* One machine collects, a second one has the network, a third one verifies without: by what was fetched, nothing else. */
TEST(fetch_nv_bundle_goes_round)
{
	static const struct { enum fault fault; bool no_vbios, no_ocsp; const char *why; } rows[] = {
		{ GOOD, false, false, NULL }, { NONCE_DROPPED, false, false, NULL }, { REVOKED, false, false, "nvgpu.ocsp" },
		{ GOOD, true, false, "nvgpu.rim.vbios" }, { GOOD, false, true, "nvgpu.ocsp" },
	};
	uint8_t nonce[32];
	AUTO_BUNDLE first = { 0 };

	buf_puts(&first.nonce, "0123456789abcdef");
	WORKS(bundle_nonce_for(nonce, "nvgpu", buf_view(&first.nonce), (struct slice){ 0 }, &e));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct nvidia w;
		const struct nv_make two[] = { { .arch = NV_HOPPER, .nonce = nonce }, { .arch = NV_HOPPER, .device = 1, .nonce = nonce } };
		AUTO_BUNDLE b = { 0 };
		AUTO_FETCHED f = { 0 };
		AUTO_BUF text = { 0 };
		AUTO_VERDICT v = { 0 };

		nvidia_start(&w, two, 2);
		w.fault = rows[i].fault;
		w.from.no_ocsp = rows[i].no_ocsp;
		w.rim.v[1].status = rows[i].no_vbios ? 404 : 200;
		buf_slice(&b.nonce, buf_view(&first.nonce));
		WORKS(bundle_add(&b.evidence, "nvgpu", "", "", buf_view(&w.evidence), &e));
		WORKS(fetch_bundle(&f, &w.rim.h, &w.from, &b, NULL, &e));
		nvidia_stop(&w);
		WORKS(fetch_into_bundle(&b, &f, &e));
		WORKS(bundle_write(&text, &b, &e));
		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&text), .kind = "auto", .now = NOW, .has_nonce = true,
								.nonce = buf_view(&first.nonce), .allow_devices = true,
								.nv_device_root = nv_make_root(), .nv_rim_root = rim_maker_root() }, &e));
		if (v.accepted != !rows[i].why)
			test_fail(__FILE__, __LINE__, "row %zu: %s", i, v.accepted ? "accepted" : buf_cstr(&v.reason));
		if (rows[i].why) {
			HAS(buf_cstr(&v.reason), rows[i].why);
		} else {
			AUTO_BUF claims = { 0 };

			WORKS(json_write(&claims, v.claims, false, &e));
			HAS(buf_cstr(&claims), rows[i].fault == NONCE_DROPPED ? "\"class\":\"cached\"" : "\"class\":\"live\"");
		}
	}
}

/* --- NVIDIA's own evidence --------------------------------------------------------------------------------------------------------- */

TEST(fetch_nv_real_devices_and_manifests)
{
	static struct nvidia w;
	AUTO_BUF sw = { 0 }, gpus = { 0 }, rim = { 0 };
	AUTO_FETCHED f = { 0 }, none = { 0 };
	struct err e = { 0 };
	struct route *r;

	NEED_VECTORS;
	load_vec(&sw, "nvidia/evidence/switch_evidence_ls10.json");
	load_vec(&gpus, "nvidia/evidence/multi_gpu_hopper.json");
	load_vec(&rim, "nvidia/rims/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml");
	nvidia_start(&w, &gpu, 1);
	r = service_route(&w.rim, "/v1/rim/NV_SWITCH_BIOS_5612_0002_890_9610550001");
	rim_service_make(&r->body, "NV_SWITCH_BIOS_5612_0002_890_9610550001", buf_view(&rim));
	w.from.no_ocsp = true;
	WORKS(fetch_collateral(&f, &w.rim.h, &w.from, "nvswitch", buf_view(&sw), (struct slice){ 0 }, NULL, &e));
	EQ(f.n, 1);
	if (f.n)
		STR(f.v[0].file, "NV_SWITCH_BIOS_5612_0002_890_9610550001.xml");
	/* four GPUs, one driver, one VBIOS, none of them known here */
	w.rim.requests = 0;
	WORKS(fetch_collateral(&none, &w.rim.h, &w.from, "nvgpu", buf_view(&gpus), (struct slice){ 0 }, NULL, &e));
	EQ(w.rim.requests, 2);
	HAS(buf_cstr(&none.missing), "no RIM is published for this driver 590.12: NV_GPU_DRIVER_GH100_590.12");
	HAS(buf_cstr(&none.missing), "no RIM is published for this VBIOS");
	/* the manifest's own chain is asked about from its signer on */
	w.from.no_ocsp = false;
	EQ(fetch_collateral(&none, &w.rim.h, &w.from, "nvswitch", buf_view(&sw), (struct slice){ 0 }, NULL, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "status of certificate '");
	HAS(e.msg, "L4");
	nvidia_stop(&w);
}
