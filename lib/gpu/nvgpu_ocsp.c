/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate status of device and manifest chains (nvidia-gpu.md 2.5). */

#include "gpu/nvgpu_int.h"

#define UNSIGNED_MAX 64			/* answers whose signature did not hold */

const char *const nv_chain_words[NV_CHAINS] = { "device", "driver-rim", "vbios-rim" };

bool nv_tolerated(const struct expect *x, const char *chain, const char *what)
{
	char name[48];

	snprintf(name, sizeof name, "%s.%s", chain, what);
	return texts_have(&x->limits->gpu_tolerate, name);
}

/* --- is an answer signed ---------------------------------------------------------------------------------------- */

static int digest_line(uint8_t ret[static 32], const struct cert *first, const struct cert_list *above)
{
	AUTO_HASHER h = { 0 };
	struct err e = { 0 };
	int rc = hasher_init(&h, HASH_SHA256, &e) || hasher_add(&h, first->der, &e);

	for (size_t i = 0; !rc && i < above->n; i++)
		rc = hasher_add(&h, above->v[i].der, &e);
	return rc || hasher_end(&h, ret, &e) ? -1 : 0;
}

/* Devices share CAs, so the same answer is asked about again and again: its signature is verified once.  Whoever brings answers that nobody
 * signed costs time only so often; what the caller gave is looked at first. */
static const struct nv_answer *verify_once(struct nv_parsed *p, const struct ocsp *o, const struct cert *issuer, const struct cert_list *above,
					   int64_t now)
{
	static const struct nv_answer unseen = { .trouble = "not looked at: too many others were not signed as they should be" };
	struct nv_answer a = { .answer = o }, *v;
	struct err e = { 0 };

	if (digest_line(a.above, issuer, above))
		return NULL;
	for (size_t i = 0; i < p->n_answers; i++)
		if (p->answers[i].answer == o && !memcmp(p->answers[i].above, a.above, sizeof a.above))
			return &p->answers[i];
	if (p->n_unsigned == UNSIGNED_MAX)
		return &unseen;
	v = realloc(p->answers, (p->n_answers + 1) * sizeof *v);
	if (!v)
		return NULL;
	p->answers = v;
	a.holds = !ocsp_signed(o, issuer, above, now, &e);
	p->n_unsigned += !a.holds;
	snprintf(a.trouble, sizeof a.trouble, "%.255s", e.msg);
	v[p->n_answers] = a;
	return &v[p->n_answers++];
}

/* --- one certificate ---------------------------------------------------------------------------------------------- */

enum grade { NO_ANSWER, NOT_SUCCESSFUL, NOT_CURRENT, WRONG_SIGNER, ANSWERED };	/* how far the best one came */
struct one {
	enum grade grade;
	struct ocsp_entry entry;	/* ANSWERED */
	bool live;
	char trouble[256];		/* of the best one that does not count */
};

static void keep_trouble(struct one *best, enum grade g, const char *text)
{
	if (g <= best->grade)
		return;
	best->grade = g;
	snprintf(best->trouble, sizeof best->trouble, "%.255s", text);
}

static unsigned badness(const struct ocsp_entry *s)
{
	return s->status == OCSP_REVOKED ? 2 + !(s->has_reason && s->reason == OCSP_REASON_HOLD) : s->status == OCSP_UNKNOWN;
}

/* The worst that an answer says; of equal ones the one that was asked for after the challenge, then the newest. */
static void keep_entry(struct one *best, const struct ocsp_entry *s, bool live)
{
	const bool first = best->grade < ANSWERED;
	const unsigned new = badness(s), old = badness(&best->entry);

	if (!first && (new < old || (new == old && (live < best->live || (live == best->live && s->this_update <= best->entry.this_update)))))
		return;
	best->grade = ANSWERED;
	best->entry = *s;
	best->live = live;
}

static int too_old(const struct ocsp_entry *s, const struct expect *x, struct err *e)
{
	const int64_t max = x->limits->max_collateral_age;

	if (max <= 0 || x->now - s->this_update <= max)
		return 0;
	return err_set(e, EC_REFUSED, "answer is too old: %lld s, the policy allows %lld s", (long long)(x->now - s->this_update), (long long)max);
}

/* A hold may end; any other revocation stays, however old the answer is that tells of it. */
static bool for_good(const struct ocsp_entry *s, int64_t now)
{
	return s->status == OCSP_REVOKED && !(s->has_reason && s->reason == OCSP_REASON_HOLD) && s->revoked_at <= now;
}

static void consider(struct one *best, struct nv_parsed *p, const struct ocsp *o, const struct cert *c, const struct cert_list *up,
		     const struct expect *x)
{
	const struct cert_list above = { up->v + 1, up->n - 1 };
	const struct nv_answer *a;
	struct ocsp_entry s;
	struct err e = { 0 };

	if (o->response_status)	/* names no certificate: the responder could not answer */
		return keep_trouble(best, NOT_SUCCESSFUL, ocsp_response_status_word(o->response_status));
	if (!ocsp_about(&s, o, c, &up->v[0]))
		return;
	if (!for_good(&s, x->now) && (ocsp_current(o, &s, x->now, &e) || too_old(&s, x, &e)))
		return keep_trouble(best, NOT_CURRENT, e.msg);
	a = verify_once(p, o, &up->v[0], &above, x->now);
	if (!a || !a->holds)
		return keep_trouble(best, WRONG_SIGNER, a ? a->trouble : "out of memory");
	keep_entry(best, &s, x->ocsp_nonce.n && slice_eq(o->nonce, x->ocsp_nonce));
}

struct nv_asked {		/* one certificate was asked about already */
	uint8_t line[32];	/* digest of it and of all above */
	struct one one;
};

static void remember(struct nv_parsed *p, const uint8_t line[static 32], const struct one *a)
{
	struct nv_asked *v = realloc(p->asked, (p->n_asked + 1) * sizeof *v);

	if (!v)
		return;
	p->asked = v;
	memcpy(v[p->n_asked].line, line, 32);
	v[p->n_asked++].one = *a;
}

/* up: the issuer and what is above it.  Answers may be many and long, so they are read once for each certificate. */
static void ask(struct one *ret, struct nv_parsed *p, const struct cert *c, const struct cert_list *up, const struct expect *x)
{
	const struct collateral_item *it;
	uint8_t line[32];
	const bool known = !digest_line(line, c, up);

	for (size_t i = 0; known && i < p->n_asked; i++)
		if (!memcmp(p->asked[i].line, line, sizeof line)) {
			*ret = p->asked[i].one;
			return;
		}
	*ret = (struct one){ 0 };
	for (size_t i = 0; (it = expect_collateral(x, COLLATERAL_OCSP, i)); i++)
		consider(ret, p, &it->ocsp, c, up, x);
	if (known)
		remember(p, line, ret);
}

/* --- a chain ------------------------------------------------------------------------------------------------------- */

static void name_of(struct buf *ret, const struct cert *c)
{
	cert_name(ret, c->subject, NULL);
}

/* What is known of all certificates together; the one that has no answer is said in f. */
static void add_one(struct nv_status *st, const struct one *a)
{
	const struct ocsp_entry so_far = { .status = st->worst, .has_reason = st->has_reason, .reason = st->reason };

	if (a->entry.status != OCSP_GOOD)
		st->seen[badness(&a->entry)] = true;
	if (badness(&a->entry) > badness(&so_far)) {
		st->worst = a->entry.status;
		st->has_reason = a->entry.has_reason;
		st->reason = a->entry.reason;
	}
	if (!a->live)
		st->freshness = OCSP_CACHED;
	if (!st->any || a->entry.this_update < st->oldest)
		st->oldest = a->entry.this_update;
	if (a->entry.next_update && (!st->until || a->entry.next_update < st->until))
		st->until = a->entry.next_update;
	st->any = true;
}

static void say_missing(struct finding *f, const struct cert *c, const struct one *a)
{
	static const char *const words[] = { [NOT_SUCCESSFUL] = "the responder only said", [WRONG_SIGNER] = "the answer is not signed as it should be",
					     [NOT_CURRENT] = "the answer does not count now" };

	if (a->grade == NO_ANSWER)
		return;
	if (f->actual.n)
		buf_puts(&f->actual, "; ");
	buf_puts(&f->actual, "about '");
	name_of(&f->actual, c);
	buf_printf(&f->actual, "' %s: %s", words[a->grade], a->trouble);
}

static void say_silent(struct finding *f, size_t silent, size_t all)
{
	if (f->actual.n)
		buf_puts(&f->actual, "; ");
	buf_printf(&f->actual, "no answer at hand about %zu of %zu certificates", silent, all);
}

static void read_status(struct nv_status *ret, struct nv_parsed *p, const struct nv_line *line, const struct expect *x, struct finding *f)
{
	struct nv_status st = { .ran = true, .known = true, .freshness = OCSP_LIVE, .worst = OCSP_GOOD };
	size_t silent = 0;

	for (size_t i = line->first; i < line->last; i++) {
		const struct cert_list up = { line->l->v + i + 1, line->l->n - i - 1 };
		struct one a;

		ask(&a, p, &line->l->v[i], &up, x);
		if (a.grade == ANSWERED) {
			add_one(&st, &a);
			continue;
		}
		st.known = false;
		silent += a.grade == NO_ANSWER;
		if (f)
			say_missing(f, &line->l->v[i], &a);
	}
	if (f && silent)
		say_silent(f, silent, line->last - line->first);
	st.known &= st.any;
	if (!st.known)
		st.freshness = OCSP_NONE;
	*ret = st;
}

bool nv_line_revoked(struct nv_parsed *p, const struct nv_line *line, const struct expect *x)
{
	struct nv_status st;

	read_status(&st, p, line, x, NULL);
	return st.any && st.worst == OCSP_REVOKED;
}

/* What speaks against certificates of a chain, by badness: policies tolerate each by name. */
static const char *const evils[NV_EVILS] = { [1] = "unknown", [2] = "hold", [3] = "revoked" };

/* The worst that was seen, of those that the policy tolerates, or of the others; 0: none. */
static unsigned worst_evil(const struct nv_status *st, const char *chain, const struct expect *x, bool tolerated)
{
	for (unsigned i = NV_EVILS - 1; i > 0; i--)
		if (st->seen[i] && nv_tolerated(x, chain, evils[i]) == tolerated)
			return i;
	return 0;
}

static void put_evil(struct buf *to, const struct nv_status *st, unsigned evil)
{
	if (evil == 1) {
		buf_puts(to, "the responder does not know a certificate of the chain");
		return;
	}
	buf_puts(to, "a certificate of the chain is revoked");
	if (evil == 2 || st->has_reason)
		buf_printf(to, " (%s)", ocsp_reason_word(evil == 2 ? OCSP_REASON_HOLD : st->reason));
}

static enum outcome say_evil(const struct nv_status *st, unsigned evil, struct finding *f)
{
	if (evil > 1)
		buf_reset(&f->actual);
	put_evil(&f->actual, st, evil);
	if (evil > 1) {
		f->final = true;
		buf_puts(&f->hint, evil == 2 ? "a hold is taken back or made final by NVIDIA: wait, or use other versions" :
				   "do not use it; for a manifest: use versions whose manifest is signed by another certificate");
	}
	return FAILED;
}

/* Tolerated, if anything is: the reader has to know. */
static enum outcome say_tolerated(const struct nv_status *st, const char *chain, enum outcome otherwise, const struct expect *x, struct finding *f)
{
	const unsigned evil = worst_evil(st, chain, x, true);

	if (!evil || otherwise == FAILED)
		return otherwise;
	buf_printf(&f->hint, "%sthe policy tolerates %s.%s", f->hint.n ? "; " : "", chain, evils[evil]);
	f->source = x->limits->source;
	return WARNED;
}

/* Nothing speaks against it, but not all is known. */
static enum outcome say_open(const struct expect *x, struct finding *f)
{
	if (x->limits->gpu_ocsp == OCSP_NONE) {
		buf_puts(&f->hint, "the policy asks for no certificate status");
		f->source = x->limits->source;
		return NOT_ASKED;
	}
	buf_puts(&f->hint, "'cvmbox attest collateral' asks for it where there is a network; a folder with *.ocsp answers does as well");
	return x->no_collateral ? WARNED : FAILED;
}

static enum outcome say_known(const struct nv_status *st, const char *chain, const struct expect *x, struct finding *f)
{
	const long long age = (long long)(x->now - st->oldest);
	const unsigned evil = worst_evil(st, chain, x, true);

	if (evil)
		put_evil(&f->actual, st, evil);
	else
		buf_puts(&f->actual, "good");
	if (st->freshness == OCSP_LIVE)
		buf_puts(&f->actual, ", live: asked for after the challenge");
	else
		buf_printf(&f->actual, ", cached: %lld s old", age < 0 ? 0 : age);
	if (st->freshness >= x->limits->gpu_ocsp)
		return PASSED;
	f->source = x->limits->source;
	buf_puts(&f->hint, "the policy wants status that was asked for after the challenge: collect evidence and collateral for the same nonce");
	return x->no_collateral ? WARNED : FAILED;
}

enum outcome nv_judge_status(struct nv_subject *s, enum nv_chain_of which, const struct nv_line *line, const struct expect *x, struct finding *f)
{
	static const char *const wanted[] = { "not revoked", "good, as far as an answer at hand tells", "good, asked for after the challenge" };
	const char *chain = nv_chain_words[which];
	struct nv_status *st = &s->status[which];
	enum outcome o;
	unsigned evil;

	buf_puts(&f->expected, wanted[x->limits->gpu_ocsp <= OCSP_LIVE ? x->limits->gpu_ocsp : OCSP_LIVE]);
	read_status(st, s->all, line, x, f);
	evil = worst_evil(st, chain, x, false);
	if (evil > 1 || (evil && st->known))
		return say_evil(st, evil, f);
	if (st->known)
		return say_tolerated(st, chain, say_known(st, chain, x, f), x, f);
	if (worst_evil(st, chain, x, true)) {
		AUTO_BUF more = { 0 };

		put_evil(&more, st, worst_evil(st, chain, x, true));
		buf_printf(&f->actual, "; %s", buf_cstr(&more));
	}
	o = say_tolerated(st, chain, say_open(x, f), x, f);
	s->waived |= o == WARNED;
	return o;
}

/* The leaf is not asked about, nor is the root. */
NV_RUN(check_ocsp)
{
	return nv_judge_status(s, NV_CHAIN_DEVICE, &(const struct nv_line){ &s->chain, 1, NVCHAIN_CERTS - 1 }, x, f);
}
