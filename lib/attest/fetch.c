/* SPDX-License-Identifier: Apache-2.0 */
/* Asking services for collateral, with patience and a cache: see fetch.h. */

#include <errno.h>

#include "attest/cache.h"
#include "attest/fetch_int.h"
#include "attest/kinds.h"
#include "codec/hex64.h"
#include "net/http.h"
#include "tee/azure.h"
#include "tee/snp_verify.h"
#include "tee/tdx_verify.h"

#define TRIES 5
#define RETRY_MS 4000			/* AMD wants about ten seconds between requests */
#define RETRY_MAX_MS 30000
#define WAIT_MAX_S 300			/* a longer Retry-After is a refusal */
#define CACHE_FRESH_S 86400		/* lists and TCB documents are asked for again after a day, valid or not */
#define CLOCK_LEAST INT64_C(1704067200)	/* 2024: a clock behind it was never set */

void fetched_free(struct fetched *f)
{
	for (size_t i = 0; i < f->n; i++) {
		buf_free(&f->v[i].data);
		buf_free(&f->v[i].cert);
		buf_free(&f->v[i].issuer);
	}
	free(f->v);
	f->v = NULL;
	f->n = 0;
	buf_free(&f->missing);
}

/* --- the service --------------------------------------------------------------------------------------------- */

static void nap(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static bool busy(long status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* What the service says, or "full jitter": a random part of a time that doubles. */
static int pause_ms(int64_t *ret, const struct fetch *w, const struct ask *a, unsigned nth, long retry_after, struct err *e)
{
	const int64_t first = w->from->retry_ms ? w->from->retry_ms : a->retry_ms ? a->retry_ms : RETRY_MS;
	int64_t most = first << nth;
	uint32_t dice;

	if (host_random(&dice, sizeof dice, e))
		return -1;
	most = most > RETRY_MAX_MS ? RETRY_MAX_MS : most;
	*ret = retry_after >= 0 ? retry_after * 1000 + (int64_t)(dice % (uint32_t)(first / 4 + 1)) : 1 + (int64_t)(dice % (uint32_t)most);
	return 0;
}

static int wait_for(const struct fetch *w, const struct ask *a, const char *shown, const char *said, long retry_after, unsigned nth,
		    struct err *e)
{
	int64_t ms;

	if (nth + 1 == TRIES)
		return err_set(e, EC_IO, "'%s' answered %s %d times", shown, said, TRIES);
	if (retry_after > WAIT_MAX_S)
		return err_set(e, EC_IO, "'%s' answered %s, and wants to be left alone for %ld s", shown, said, retry_after);
	if (pause_ms(&ms, w, a, nth, retry_after, e))
		return -1;
	if (host_left_ms(w->h, ms + 1) <= ms)
		return err_set(e, EC_IO, "'%s' answered %s, and the time limit ends before the next try in %lld s", shown, said,
			       (long long)(ms / 1000));
	host_log(w->h, LOG_INFO, "'%s' answered %s: next try in %lld ms", shown, said, (long long)ms);
	nap(ms);
	return 0;
}

/* A machine whose clock was never set sees every certificate as "not yet valid". */
static int unreached(struct err *e)
{
	char now[32];

	if (e && time(NULL) < CLOCK_LEAST) {	/* TLS goes by the real clock, whatever --now says */
		time_format(now, time(NULL));
		e->hint[0] = '\0';
		err_hint(e, "this machine's clock says %s: set it first", now);
	}
	return -1;
}

static int status_error(const struct ask *a, const char *shown, long status, struct err *e)
{
	if (status >= 300 && status < 400)
		return err_set(e, EC_IO, "'%s' answered %ld: redirects are not followed", shown, status);
	if (status == 401 || status == 403)
		return err_set(e, EC_DENIED, "'%s' answered %ld: it does not give %s to everybody", shown, status, a->what);
	if (status >= 400 && status < 500 && a->none)
		return a->none(a->arg, status, e);
	return err_set(e, status == 404 ? EC_ABSENT : EC_IO, "'%s' answered %ld: it does not have %s", shown, status, a->what);
}

static bool is_page(const struct http_response *r)	/* of a proxy or a login, not of a service */
{
	return r->content_type.n >= 9 && !strncasecmp(buf_cstr(&r->content_type), "text/html", 9);
}

/* Why this answer is worth another try, or NULL. */
static const char *again(char number[static 24], const struct ask *a, const struct http_response *r)
{
	if (busy(r->status)) {
		snprintf(number, 24, "%ld", r->status);
		return number;
	}
	return r->status == 200 && a->busy ? a->busy(buf_view(&r->body)) : NULL;
}

int fetch_talk(struct http_response *ret, struct fetch *w, const struct ask *a, struct err *e)
{
	const struct http_request q = { .method = a->body.n ? "POST" : "GET", .url = a->url, .headers = a->send, .body = a->body,
					.max_body = a->max, .allow_plain = a->plain, .want = { a->headers[0], a->headers[1] } };
	AUTO_BUF shown = { 0 };
	char number[24];

	http_url_public(&shown, a->url);
	w->status = 0;
	for (unsigned i = 0;; i++) {
		const char *said;

		http_free(ret);
		*ret = (struct http_response){ 0 };
		if (http_do(ret, w->h, &q, e))
			return unreached(e);
		w->status = ret->status;
		said = again(number, a, ret);
		if (!said)
			break;
		if (wait_for(w, a, buf_cstr(&shown), said, ret->retry_after, i, e))
			return -1;
	}
	if (ret->status != 200)
		return status_error(a, buf_cstr(&shown), ret->status, e);
	if (is_page(ret)) {
		err_set(e, EC_FORMAT, "'%s' answered with a web page instead of %s", buf_cstr(&shown), a->what);
		return err_hint(e, "does a proxy or a login page stand between?");
	}
	return 0;
}

/* --- what came ------------------------------------------------------------------------------------------------------ */

/* "%0A" and so on; '+' stands for itself, as in base64. */
static int url_decode(struct buf *ret, struct slice s, struct err *e)
{
	for (size_t i = 0; i < s.n; i++) {
		char hex[3] = { 0 };
		uint8_t v;

		if (s.p[i] != '%') {
			buf_byte(ret, s.p[i]);
			continue;
		}
		if (s.n - i < 3)
			return err_set(e, EC_FORMAT, "URL-encoded text ends inside '%%'");
		memcpy(hex, s.p + i + 1, 2);
		if (hex_decode_n(&v, 1, hex, e))
			return -1;
		buf_byte(ret, v);
		i += 2;
	}
	return buf_check(ret, e);
}

static bool taken(const struct fetched *f, const char *file)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].file, file))
			return true;
	return false;
}

/* Two pieces of one name get numbers: "vcek.der", "2-vcek.der". */
static void name_piece(struct fetched_piece *p, const struct fetched *f, const char *file)
{
	snprintf(p->file, sizeof p->file, "%s", file);
	for (unsigned i = 2; i <= COLLATERAL_ITEMS + 1 && taken(f, p->file); i++)
		snprintf(p->file, sizeof p->file, "%u-%.140s", i, file);
}

static struct fetched_piece *add_piece(struct fetched *f, struct err *e)
{
	struct fetched_piece *v;

	if (f->n == COLLATERAL_ITEMS) {
		err_set(e, EC_FORMAT, "more than %d pieces of collateral", COLLATERAL_ITEMS);
		return NULL;
	}
	v = realloc(f->v, (f->n + 1) * sizeof *v);
	if (!v) {
		err_oom(e);
		return NULL;
	}
	f->v = v;
	v[f->n] = (struct fetched_piece){ 0 };
	return &v[f->n];
}

int fetch_keep(struct fetch *w, enum collateral_type t, const char *file, const char *source, int64_t fetched, bool cached, struct slice data,
	       struct err *e)
{
	struct fetched_piece *p;

	for (size_t i = 0; i < w->out.n; i++)
		if (slice_eq(buf_view(&w->out.v[i].data), data))	/* one chain signs several documents */
			return 0;
	p = add_piece(&w->out, e);
	if (!p)
		return -1;
	p->type = t;
	p->cached = cached;
	name_piece(p, &w->out, file);
	snprintf(p->source, sizeof p->source, "%s", source);
	time_format(p->fetched, fetched);
	buf_slice(&p->data, data);
	w->out.n++;
	return buf_check(&p->data, e);
}

/* One piece of the wanted type, nothing else with it. */
static int check(struct collateral *c, const struct ask *a, struct slice data, struct slice chain, struct err *e)
{
	if (collateral_add(c, data, a->url, NULL, e))
		return err_ctx(e, "the answer is not %s", a->what);
	if (c->n != 1 || c->v[0].type != a->type)
		return err_set(e, EC_FORMAT, "the answer is not %s", a->what);
	if (a->fits && a->fits(a->arg, c, e))
		return -1;
	if (chain.n == 0)
		return a->chain_needed ? err_set(e, EC_FORMAT, "the answer comes without the certificates of its issuer (header %s)", a->headers[0])
				       : 0;
	return certs_parse(&c->certs, chain, e) ? err_ctx(e, "certificates of the issuer") : 0;
}

static bool all_current(const struct collateral *c, int64_t now)
{
	AUTO_JSON *list = json_array();
	struct err no = { 0 };

	if (!list || collateral_describe(list, c, now, &no))
		return false;
	for (const struct json *o = json_first(list); o; o = json_next(o))
		if (!json_string(json_get(o, "state")) || strcmp(json_string(json_get(o, "state")), "current"))
			return false;
	return true;
}

static void chain_key(char ret[static 280], const struct ask *a)
{
	snprintf(ret, 280, "%s.chain.pem", a->key);
}

static bool from_cache(struct fetch *w, const struct ask *a, struct err *e)
{
	AUTO_BUF data = { .max = a->max }, chain = { .max = a->max };
	AUTO_COLLATERAL c = { 0 };
	int64_t written = 0, chain_written;
	char key[280];
	struct err no = { 0 };

	chain_key(key, a);
	if (!w->from->cache_dir || w->from->refresh || !cache_get(&data, &written, w->from->cache_dir, a->key, a->max))
		return false;
	if (a->chain_file && !cache_get(&chain, &chain_written, w->from->cache_dir, key, a->max))
		buf_reset(&chain);
	if (check(&c, a, buf_view(&data), buf_view(&chain), &no))
		return false;
	/* many manifests outlive their signer's certificate: no answer, but the one that there is */
	if (!all_current(&c, host_now(w->h)) && !(a->type == COLLATERAL_RIM && w->h->offline))
		return false;
	if (a->type != COLLATERAL_CERTS && !w->h->offline && host_now(w->h) - written > CACHE_FRESH_S)
		return false;
	return !fetch_keep(w, a->type, a->file, a->url, written, true, buf_view(&c.v[0].data), e) &&
	       (chain.n == 0 || !fetch_keep(w, COLLATERAL_CERTS, a->chain_file, a->url, written, true, buf_view(&chain), e));
}

static void to_cache(const struct fetch *w, const struct ask *a, struct slice data, struct slice chain)
{
	char key[280];
	struct err e = { 0 };

	if (!w->from->cache_dir)
		return;
	chain_key(key, a);
	if ((chain.n && cache_put(w->from->cache_dir, key, chain, &e)) || cache_put(w->from->cache_dir, a->key, data, &e))
		host_log(w->h, LOG_WARN, "not kept in the cache: %s", e.msg);
}

/* The document in the answer. */
static int unwrap(struct buf *ret, const struct ask *a, struct buf *body, struct err *e)
{
	if (a->open)
		return a->open(a->arg, ret, buf_view(body), e);
	buf_move(ret, body);
	return 0;
}

int fetch_get(struct fetch *w, const struct ask *a, struct err *e)
{
	AUTO_HTTP r = { 0 };
	AUTO_BUF chain = { .max = a->max }, data = { .max = a->max };
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF shown = { 0 };
	const struct buf *header;

	if (from_cache(w, a, e))
		return 0;
	if (fetch_talk(&r, w, a, e))
		return err_ctx(e, "cannot get %s", a->what);
	http_url_public(&shown, a->url);
	header = r.wanted[0].n ? &r.wanted[0] : &r.wanted[1];
	if (url_decode(&chain, buf_view(header), e) || unwrap(&data, a, &r.body, e) || check(&c, a, buf_view(&data), buf_view(&chain), e))
		return err_ctx(e, "cannot use what '%s' answered", buf_cstr(&shown));
	if (!all_current(&c, host_now(w->h)))
		host_log(w->h, LOG_WARN, "%s does not hold at this time: is the clock right?", a->what);
	to_cache(w, a, buf_view(&data), buf_view(&chain));
	return fetch_keep(w, a->type, a->file, a->url, host_now(w->h), false, buf_view(&c.v[0].data), e) ||	/* lists as DER */
	       (chain.n && a->chain_file && fetch_keep(w, COLLATERAL_CERTS, a->chain_file, a->url, host_now(w->h), false, buf_view(&chain), e))
		       ? -1 : 0;
}

void fetch_note(struct fetch *w, const char *text)
{
	buf_printf(&w->out.missing, "%s\n", text);
}

bool fetch_plain(const char *url)
{
	static const char *const loopback[] = { "127.", "localhost", "[::1]" };

	if (strncasecmp(url, "http://", 7))
		return false;
	for (size_t i = 0; i < sizeof loopback / sizeof loopback[0]; i++)
		if (!strncasecmp(url + 7, loopback[i], strlen(loopback[i])))
			return false;
	return true;
}

/* A base with or without '/' at its end; Intel's own tools name a PCCS with part of the path, NVIDIA's the RIM service. */
int fetch_url(char *ret, size_t n, struct err *e, const char *base, const char *fmt, ...)
{
	static const char *const tails[] = { "/sgx/certification/v4", "/v1/rim" };
	size_t len = strlen(base);
	va_list ap;
	int m;

	while (len && base[len - 1] == '/')
		len--;
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		const size_t t = strlen(tails[i]);

		if (len > t && !memcmp(base + len - t, tails[i], t)) {
			len -= t;
			break;
		}
	}
	if (len >= n)
		return err_set(e, EC_USAGE, "a base URL of %zu characters is too long", len);
	memcpy(ret, base, len);
	va_start(ap, fmt);
	m = vsnprintf(ret + len, n - len, fmt, ap);
	va_end(ap);
	return m < 0 || (size_t)m >= n - len ? err_set(e, EC_USAGE, "a base URL of %zu characters is too long", len) : 0;
}

/* --- what is at hand -------------------------------------------------------------------------------------------------- */

static int look_at_hand(struct fetch *w, struct err *e)
{
	AUTO_JSON *list = json_array();
	size_t i = 0;

	if (!w->have)
		return 0;
	if (!list || collateral_describe(list, w->have, host_now(w->h), e))
		return list ? -1 : err_oom(e);
	for (const struct json *o = json_first(list); o && i < COLLATERAL_ITEMS; o = json_next(o), i++)
		w->current[i] = json_string(json_get(o, "state")) && !strcmp(json_string(json_get(o, "state")), "current");
	return 0;
}

/* A manifest outlives its signer's certificate; without a network there is no better one. */
bool fetch_at_hand(const struct fetch *w, enum collateral_type t, bool (*is)(const void *arg, const struct collateral_item *it),
		   const void *arg)
{
	for (size_t i = 0; w->have && !w->from->refresh && i < w->have->n; i++)
		if (w->have->v[i].type == t && (w->current[i] || (t == COLLATERAL_RIM && w->h->offline)) && is(arg, &w->have->v[i]))
			return true;
	return false;
}

/* --- evidence ----------------------------------------------------------------------------------------------------------- */

static int of_snp(struct fetch *w, struct slice raw, struct slice certs, struct err *e)
{
	void *s = NULL;
	int rc;

	if (evidence_snp.parse(&s, raw, certs, e))
		return -1;
	rc = fetch_snp(w, snp_subject_report(s), snp_subject_certs(s), e);
	evidence_snp.drop(s);
	return rc;
}

static int of_tdx(struct fetch *w, struct slice raw, struct err *e)
{
	void *s = NULL;
	int rc;

	if (tdx_subject_parse(&s, raw, e))
		return -1;
	rc = fetch_tdx(w, tdx_subject_quote(s), e);
	tdx_subject_drop(s);
	return rc;
}

/* Bytes as Azure's JSON has them: base64 of either alphabet, in version 0 an array of numbers. */
static int azure_bytes(struct buf *ret, const struct json *j, const char *name, struct err *e)
{
	const struct json *m = json_get(j, name);

	if (json_string(m))
		return b64_decode_lax(ret, slice_str(json_string(m)), e) ? err_ctx(e, "member '%s'", name) : 0;
	if (!json_is_array(m))
		return err_set(e, EC_FORMAT, "Azure evidence has no member '%s'", name);
	for (const struct json *b = json_first(m); b; b = json_next(b)) {
		uint64_t v;

		if (!json_u64(b, &v) || v > UINT8_MAX)
			return err_set(e, EC_FORMAT, "member '%s' is not an array of bytes", name);
		buf_byte(ret, (uint8_t)v);
	}
	return buf_check(ret, e);
}

static void azure_cert(struct cert_list *to, const struct json *j)
{
	const char *s = json_string(json_get(j, "vcek"));
	AUTO_BUF der = { 0 };
	struct err no = { 0 };

	if (s && certs_parse(to, slice_str(s), &no) && !b64_decode_lax(&der, slice_str(s), &no))
		certs_parse(to, buf_view(&der), &no);
}

static int of_azure(struct fetch *w, struct slice raw, bool tdx, struct err *e)
{
	AUTO_BUF b = { .max = EVIDENCE_MAX };
	AUTO_JSON *root = NULL;
	AUTO_CERTS certs = { 0 };
	const struct json *j;
	struct snp_report r;
	struct hcl_report hcl;

	if (json_parse(&root, slice_trim(raw), EVIDENCE_MAX, e))
		return -1;
	j = json_get(root, "evidence") ? json_get(root, "evidence") : root;
	if (tdx)
		return azure_bytes(&b, j, "td_quote", e) || of_tdx(w, buf_view(&b), e) ? -1 : 0;
	if (azure_bytes(&b, j, json_get(j, "hcl_report") ? "hcl_report" : "report", e) || hcl_parse(&hcl, buf_view(&b), e) ||
	    snp_report_parse(&r, hcl.hardware, e))
		return err_ctx(e, "hardware report of Azure");
	azure_cert(&certs, j);
	return fetch_snp(w, &r, &certs, e);
}

static int of_kind(struct fetch *w, const char *kind, struct slice raw, struct slice certs, struct err *e)
{
	if (!strcmp(kind, "snp"))
		return of_snp(w, raw, certs, e);
	if (!strcmp(kind, "tdx"))
		return of_tdx(w, raw, e);
	if (!strcmp(kind, "az-snp-vtpm") || !strcmp(kind, "az-tdx-vtpm"))
		return of_azure(w, raw, !strcmp(kind, "az-tdx-vtpm"), e);
	if (!strcmp(kind, "nvgpu") || !strcmp(kind, "nvswitch"))
		return fetch_nv(w, raw, e);
	return 0;	/* a key of the caller's, or nobody, vouches for the others */
}

int fetch_collateral(struct fetched *ret, const struct host *h, const struct fetch_from *from, const char *kind, struct slice raw,
		     struct slice certs, const struct collateral *have, struct err *e)
{
	struct fetch w = { .h = h, .from = from, .have = have };

	if (look_at_hand(&w, e) || of_kind(&w, kind, raw, certs, e)) {
		fetched_free(&w.out);
		return -1;
	}
	*ret = w.out;
	return 0;
}
