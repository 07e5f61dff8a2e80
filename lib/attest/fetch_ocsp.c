/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a responder for the status of certificates (RFC 6960; nvidia-gpu.md 2.5), several at a time. */

#include "attest/cache.h"
#include "attest/fetch_int.h"
#include "base/pool.h"
#include "crypto/hash.h"

#define FIRST_PAUSE_MS 500
#define CHAIN_MAX 8			/* certificates of one chain that are looked at */
#define ASKED_MAX 512			/* certificates of one call */
#define AT_ONCE 4			/* requests to the responder */

struct chain {				/* leaf first, each issued by the next; borrowed */
	struct cert v[CHAIN_MAX];
	size_t n;
};

struct query {				/* the status of one certificate */
	struct chain chain;
	size_t at;				/* it is chain.v[at], issued by the next one */
	char name[192];				/* for people */
	char hash[65];				/* SHA-256 of its DER */
	struct buf answer;			/* DER */
	int64_t when;
	bool cached;
};

/* --- one answer ------------------------------------------------------------------------------------------------------ */

static bool is_answer(const struct query *q, const struct ocsp *o, int64_t now, struct err *e)
{
	struct chain c = q->chain;		/* a list is not const */
	const struct cert *issuer = &c.v[q->at + 1];
	const struct cert_list above = { &c.v[q->at + 2], c.n - (q->at + 2) };
	struct ocsp_entry said;

	if (!ocsp_about(&said, o, &c.v[q->at], issuer))
		return err_set(e, EC_FORMAT, "the answer is about another certificate"), false;
	return !ocsp_current(o, &said, now, e) && !ocsp_signed(o, issuer, &above, now, e);
}

/* One that was asked for with our nonce; without a network, any that holds now. */
static bool status_at_hand(const struct status *w, const struct query *q)
{
	const struct collateral *have = w->f->have;
	struct err no = { 0 };

	for (size_t i = 0; have && !w->f->from->refresh && i < have->n; i++)
		if (have->v[i].type == COLLATERAL_OCSP && (w->f->h->offline || slice_eq(have->v[i].ocsp.nonce, w->nonce)) &&
		    is_answer(q, &have->v[i].ocsp, host_now(w->f->h), &no))
			return true;
	return false;
}

/* "try later" and "internal error" are what status 503 and 500 are elsewhere. */
static const char *busy_word(struct slice body)
{
	AUTO_OCSP o = { 0 };
	struct err no = { 0 };

	if (ocsp_parse(&o, body, &no) || (o.response_status != 2 && o.response_status != 3))
		return NULL;
	return ocsp_response_status_word(o.response_status);
}

enum verdict { KEEP, REFUSE, ASK_PLAINLY };	/* the last: once more without a nonce */

static enum verdict judge(const struct status *w, const struct query *q, struct slice body, struct slice nonce, struct err *e)
{
	AUTO_OCSP o = { 0 };

	if (ocsp_parse(&o, body, e))
		return REFUSE;
	if (o.response_status) {
		err_set(e, o.response_status == 5 || o.response_status == 6 ? EC_DENIED : EC_IO, "the responder says '%s'",
			ocsp_response_status_word(o.response_status));
		return nonce.n ? ASK_PLAINLY : REFUSE;
	}
	if (nonce.n && o.nonce.n && !slice_eq(o.nonce, nonce)) {
		err_set(e, EC_REFUSED, "the answer carries another nonce than the one asked for");
		return ASK_PLAINLY;
	}
	if (!is_answer(q, &o, host_now(w->f->h), e))
		return REFUSE;
	if (!slice_eq(o.nonce, w->nonce))
		host_log(w->f->h, LOG_WARN, "the status of '%s' comes without our nonce: it counts as cached, not as live", q->name);
	return KEEP;
}

static enum verdict ask_responder(struct buf *ret, const struct status *w, struct ask *a, const struct query *q, struct slice nonce, struct err *e)
{
	struct fetch own = { .h = w->f->h, .from = w->f->from };	/* several are under way */
	AUTO_BUF request = { .max = 4096 };
	AUTO_HTTP r = { 0 };
	enum verdict v;

	if (ocsp_request(&request, &q->chain.v[q->at], &q->chain.v[q->at + 1], HASH_SHA1, nonce, e))
		return REFUSE;
	a->body = buf_view(&request);
	if (fetch_talk(&r, &own, a, e))
		return nonce.n && own.status == 400 ? ASK_PLAINLY : REFUSE;
	v = judge(w, q, buf_view(&r.body), nonce, e);
	if (v == KEEP)
		buf_move(ret, &r.body);
	return v;
}

static int from_responder(struct buf *ret, const struct status *w, struct ask *a, const struct query *q, struct err *e)
{
	struct err why = { 0 };
	enum verdict v = ask_responder(ret, w, a, q, w->nonce, &why);

	if (v == KEEP)
		return 0;
	if (v == ASK_PLAINLY) {
		host_log(w->f->h, LOG_INFO, "status of '%s': asked again without a nonce (%s)", q->name, why.msg);
		return ask_responder(ret, w, a, q, (struct slice){ 0 }, e) == KEEP ? 0 : -1;
	}
	if (e)
		*e = why;
	return -1;
}

/* Only for want of a better one: an answer of the past says less than one that was made for this call. */
static bool status_from_cache(struct buf *ret, int64_t *written, const struct status *w, const struct query *q, const char *key)
{
	const char *dir = w->f->from->cache_dir;
	AUTO_BUF b = { .max = OCSP_MAX };
	AUTO_OCSP o = { 0 };
	struct err no = { 0 };

	if (!dir || w->f->from->refresh || !cache_get(&b, written, dir, key, OCSP_MAX) || ocsp_parse(&o, buf_view(&b), &no) ||
	    o.response_status || !is_answer(q, &o, host_now(w->f->h), &no))
		return false;
	buf_move(ret, &b);
	return true;
}

/* "GH100_A01_GSP_BROM-1f2e3d4c5b6a7988.ocsp": names come from evidence. */
static void file_name(char ret[static 160], const struct query *q)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const char *cn = strstr(q->name, "CN=");
	size_t n = 0;

	for (cn = cn ? cn + 3 : q->name; *cn && *cn != ',' && n < 64; cn++)
		ret[n++] = strchr(ok, *cn) ? *cn : '_';
	snprintf(ret + n, 160 - n, "%s%.16s.ocsp", n ? "-" : "", q->hash);
}

static int keep_status(struct status *w, const struct query *q, struct err *e)
{
	const char *base = w->f->from->ocsp ? w->f->from->ocsp : FETCH_OCSP;
	const size_t before = w->f->out.n;
	struct fetched_piece *p;
	char file[160], about[256];

	file_name(file, q);
	snprintf(about, sizeof about, "%.*s#%.*s", 255 - (int)strlen(file), base, (int)strlen(file) - 5, file);	/* whose status it is */
	if (fetch_keep(w->f, COLLATERAL_OCSP, file, about, q->when, q->cached, buf_view(&q->answer), e))
		return -1;
	if (w->f->out.n == before)
		return 0;
	p = &w->f->out.v[before];
	buf_slice(&p->cert, q->chain.v[q->at].der);
	buf_slice(&p->issuer, q->chain.v[q->at + 1].der);
	return buf_check(&p->cert, e) || buf_check(&p->issuer, e) ? -1 : 0;
}

static void status_to_cache(const struct status *w, const char *key, struct slice der)
{
	struct err e = { 0 };

	if (w->f->from->cache_dir && cache_put(w->f->from->cache_dir, key, der, &e))
		host_log(w->f->h, LOG_WARN, "not kept in the cache: %s", e.msg);
}

static int get_status(void *arg, size_t i, unsigned worker, struct err *e)
{
	static const char *const send[] = { "Content-Type: application/ocsp-request", "Accept: application/ocsp-response", NULL };
	struct status *w = arg;
	struct query *q = &w->query[i];
	const char *base = w->f->from->ocsp ? w->f->from->ocsp : FETCH_OCSP;
	struct ask a = { .type = COLLATERAL_OCSP, .what = "certificate status", .send = send, .plain = fetch_plain(base),
			 .retry_ms = FIRST_PAUSE_MS, .max = OCSP_MAX, .busy = busy_word };
	struct err why = { 0 };

	(void)worker;
	snprintf(a.key, sizeof a.key, "nv-ocsp-%s.der", q->hash);
	if (fetch_url(a.url, sizeof a.url, e, base, "%s", ""))
		return -1;
	q->cached = w->down && status_from_cache(&q->answer, &q->when, w, q, a.key);
	if (q->cached)
		return 0;
	if (!from_responder(&q->answer, w, &a, q, &why)) {
		status_to_cache(w, a.key, buf_view(&q->answer));
		q->when = host_now(w->f->h);
		return 0;
	}
	q->cached = status_from_cache(&q->answer, &q->when, w, q, a.key);
	if (!q->cached) {
		AUTO_BUF shown = { 0 };

		http_url_public(&shown, a.url);
		if (e)
			*e = why;
		return err_ctx(e, "cannot get the status of certificate '%s' from '%s'", q->name, buf_cstr(&shown));
	}
	if (why.code == EC_IO || w->f->h->offline)
		w->down = true;
	if (!w->f->h->offline)
		host_log(w->f->h, LOG_WARN, "the status of '%s'%s is cached: %s", q->name, w->down ? " and others" : "", why.msg);
	return 0;
}

static int get_rest(void *arg, size_t i, unsigned worker, struct err *e)
{
	return get_status(arg, i + 1, worker, e);
}

/* The first one alone: where nobody answers, one learns it. */
int status_get(struct status *w, struct err *e)
{
	struct pool *pool = NULL;
	int rc = w->n ? get_status(w, 0, 0, e) : 0;

	if (!rc && w->n > 1)
		rc = pool_new(&pool, w->n - 1 < AT_ONCE ? (unsigned)(w->n - 1) : AT_ONCE, e) || pool_run(pool, w->n - 1, get_rest, w, e) ? -1 : 0;
	pool_free(pool);
	for (size_t i = 0; !rc && i < w->n; i++)
		rc = keep_status(w, &w->query[i], e);
	return rc;
}

/* --- whom to ask about -------------------------------------------------------------------------------------------------- */

/* In order of issue, beginning with the first one. */
static void chain_of(struct chain *ret, const struct cert_list *l)
{
	*ret = (struct chain){ 0 };
	if (l->n)
		ret->v[ret->n++] = l->v[0];
	while (ret->n && ret->n < CHAIN_MAX) {
		const struct cert *last = &ret->v[ret->n - 1], *next = NULL;

		if (slice_eq(last->subject, last->issuer))
			return;
		for (size_t i = 0; i < l->n && !next; i++)
			if (slice_eq(l->v[i].subject, last->issuer))
				next = &l->v[i];
		if (!next)
			return;
		ret->v[ret->n++] = *next;
	}
}

static bool asked_already(const struct status *w, const char *hash)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->query[i].hash, hash))
			return true;
	return false;
}

static int name_query(struct query *q, struct err *e)
{
	AUTO_BUF name = { .max = 4096 }, hex = { 0 };
	uint8_t hash[32];

	if (hash_of(hash, HASH_SHA256, q->chain.v[q->at].der, e))
		return -1;
	if (cert_name(&name, q->chain.v[q->at].subject, e))
		return err_ctx(e, "certificate whose status is wanted");
	buf_hex(&hex, slice_of(hash, sizeof hash));
	snprintf(q->name, sizeof q->name, "%s", buf_cstr(&name));
	snprintf(q->hash, sizeof q->hash, "%s", buf_cstr(&hex));
	return 0;
}

static int add_query(struct status *w, const struct chain *c, size_t at, struct err *e)
{
	struct query q = { .chain = *c, .at = at, .answer.max = OCSP_MAX }, *v;

	if (name_query(&q, e))
		return -1;
	if (asked_already(w, q.hash) || status_at_hand(w, &q))
		return 0;
	if (w->n == ASKED_MAX)
		return err_set(e, EC_FORMAT, "the evidence speaks of more than %d certificates", ASKED_MAX);
	v = realloc(w->query, (w->n + 1) * sizeof *v);
	if (!v)
		return err_oom(e);
	w->query = v;
	v[w->n++] = q;
	return 0;
}

static bool whole(const struct chain *c)
{
	return c->n && slice_eq(c->v[c->n - 1].subject, c->v[c->n - 1].issuer);
}

int status_add(struct status *w, const struct cert_list *l, size_t first, size_t end, const char *whose, struct err *e)
{
	struct chain c;

	if (w->f->from->no_ocsp)
		return 0;
	chain_of(&c, l);
	for (size_t i = first; i < end && i + 1 < c.n; i++)
		if (add_query(w, &c, i, e))
			return -1;
	if (c.n <= end && !whole(&c)) {
		AUTO_BUF text = { 0 };

		buf_printf(&text, "%s: its chain ends after %zu certificates, without a root: the status of the last ones cannot be asked for",
			   whose, c.n);
		fetch_note(w->f, buf_cstr(&text));
	}
	return 0;
}

void status_free(struct status *w)
{
	for (size_t i = 0; i < w->n; i++)
		buf_free(&w->query[i].answer);
	free(w->query);
	w->query = NULL;
	w->n = 0;
}
