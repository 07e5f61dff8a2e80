/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's documents and revocation lists for a TDX platform: are they there, genuine and current (cpu-tee.md 4.6, 3 and 7)?  Of several
 * that fit, one that is valid now wins, the caller's before what came with the evidence. */

#include "base/host.h"
#include "tee/snp_vek.h"
#include "tee/tdx_int.h"

static const char *const how_to_get = "'cvmbox attest collateral' fetches it; give it with --collateral, or waive it with --insecure-no-collateral";

enum outcome tdx_missing(const struct expect *x, struct finding *f, const char *expected, const char *actual)
{
	found(f, false, expected, actual);
	buf_puts(&f->hint, x->no_collateral ? "waived: what it would show is not known" : how_to_get);
	return x->no_collateral ? WARNED : FAILED;
}

/* --- signed documents -------------------------------------------------------------------------------------------- */

/* How far a candidate came; the best one is reported. */
enum rank { NOTHING, UNREADABLE, OTHER_PLATFORM, NO_SIGNER, BAD_SIGNER, DATED, GOOD };

struct candidate {
	enum rank rank;
	bool given;
	const struct cert *signer;
	const char *source;
	struct err why;
	struct tdx_tcb_info tcb;
	struct tdx_qe_identity id;
};

static const struct tcb_signed *doc_of(const struct candidate *c, enum collateral_type t)
{
	return t == COLLATERAL_TCB_INFO ? &c->tcb.doc : &c->id.doc;
}

static void candidate_free(struct candidate *c)
{
	tdx_tcb_info_free(&c->tcb);
	tdx_qe_identity_free(&c->id);
}

static bool is_tcb_signer(const struct cert *c)
{
	return !c->is_ca && slice_eqs(x509_common_name(c->subject), "Intel SGX TCB Signing");
}

#define SIGNERS_MAX 16		/* candidates that are tried for one document */

/* The signing certificate was issued again with the same key: one whose dates hold counts. */
static void find_signer(struct candidate *c, const struct tcb_signed *d, const struct pool *pool, int64_t now)
{
	size_t tried = 0;

	c->rank = NO_SIGNER;
	for (size_t i = 0; i < pool->n && tried < SIGNERS_MAX; i++) {
		struct err e = { 0 };

		if (!is_tcb_signer(pool->v[i]))
			continue;
		tried++;
		if (tcb_signed_by(d, pool->v[i], &e)) {
			if (c->rank == NO_SIGNER)
				err_set(&c->why, EC_REFUSED, "its signature does not hold");
			continue;
		}
		if (!cert_chain(pool->v[i], NULL, &pool->roots, now, &e)) {
			c->signer = pool->v[i];
			c->rank = DATED;
			return;
		}
		c->rank = BAD_SIGNER;
		c->why = e;
	}
	if (!tried)
		err_set(&c->why, EC_REFUSED, "no certificate 'Intel SGX TCB Signing' came with it");
}

static bool other_platform(struct candidate *c, const struct tdx_pck *pck)
{
	AUTO_BUF text = { 0 };
	const bool fmspc = memcmp(c->tcb.fmspc, pck->fmspc, sizeof pck->fmspc), pceid = memcmp(c->tcb.pceid, pck->pceid, sizeof pck->pceid);

	if (!fmspc && !pceid)
		return false;
	buf_puts(&text, fmspc ? "it is for FMSPC " : "it is for PCE-ID ");
	buf_hex(&text, fmspc ? slice_of(c->tcb.fmspc, 6) : slice_of(c->tcb.pceid, 2));
	buf_puts(&text, ", the platform's is ");
	buf_hex(&text, fmspc ? slice_of(pck->fmspc, 6) : slice_of(pck->pceid, 2));
	err_set(&c->why, EC_REFUSED, "%s", buf_cstr(&text));
	return true;
}

static void examine(struct candidate *c, const struct collateral_item *it, const struct tdx_subject *s, const struct pool *pool, int64_t now)
{
	const bool tcb = it->type == COLLATERAL_TCB_INFO;

	c->source = it->source[0] ? it->source : NULL;
	c->rank = UNREADABLE;
	if (tcb ? tdx_tcb_info_parse(&c->tcb, buf_view(&it->data), &c->why) : tdx_qe_identity_parse(&c->id, buf_view(&it->data), &c->why))
		return;
	c->rank = OTHER_PLATFORM;
	if (tcb && other_platform(c, &s->pck))
		return;
	find_signer(c, doc_of(c, it->type), pool, now);
	if (c->rank == DATED && !tcb_signed_dates(doc_of(c, it->type), tcb ? "TCB info" : "QE identity", now, &c->why))
		c->rank = GOOD;
}

static bool better(const struct candidate *a, const struct candidate *b, enum collateral_type t)
{
	const struct tcb_signed *da = doc_of(a, t), *db = doc_of(b, t);

	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (a->given != b->given)
		return a->given;
	if (a->rank < DATED)
		return false;
	return da->evaluation != db->evaluation ? da->evaluation > db->evaluation : da->issued > db->issued;
}

static void consider(struct candidate *best, const struct collateral *from, bool given, enum collateral_type t, const struct tdx_subject *s,
		     const struct pool *pool, int64_t now)
{
	for (size_t i = 0; from && i < from->n; i++) {
		struct candidate c = { .given = given };

		if (from->v[i].type != t)
			continue;
		examine(&c, &from->v[i], s, pool, now);
		if (better(&c, best, t)) {
			candidate_free(best);
			*best = c;
		} else {
			candidate_free(&c);
		}
	}
}

/* Fills s with the document if it is genuine, whatever its dates. */
static enum outcome judge(struct tdx_subject *s, const struct expect *x, struct finding *f, enum collateral_type t)
{
	const bool tcb = t == COLLATERAL_TCB_INFO;
	struct candidate best = { 0 };
	const struct tcb_signed *d;

	consider(&best, x->given, true, t, s, &s->pool, x->now);
	consider(&best, x->carried, false, t, s, &s->pool, x->now);
	f->source = best.source;
	buf_puts(&f->expected, tcb ? "Intel's TCB info for FMSPC " : "Intel's identity of the TD quoting enclave");
	if (tcb)
		buf_hex(&f->expected, slice_of(s->pck.fmspc, 6));
	buf_puts(&f->expected, ", signed and current");
	if (best.rank < NO_SIGNER) {
		enum outcome o = tdx_missing(x, f, NULL, best.rank ? best.why.msg : "none");

		candidate_free(&best);
		return o;
	}
	if (best.rank < DATED) {
		found(f, false, NULL, best.why.msg);
		candidate_free(&best);
		return FAILED;
	}
	if (tcb) {
		tdx_tcb_info_free(&s->tcb);
		s->tcb = best.tcb;
		s->has_tcb = true;
		s->tcb_signer = best.signer;
	} else {
		tdx_qe_identity_free(&s->id);
		s->id = best.id;
		s->has_id = true;
		s->qe_signer = best.signer;
	}
	d = tcb ? &s->tcb.doc : &s->id.doc;
	if (best.rank == DATED) {
		buf_puts(&f->hint, "'cvmbox attest collateral' fetches the current one");
		return found(f, false, NULL, best.why.msg);
	}
	buf_puts(&f->actual, "issued ");
	tdx_time(&f->actual, d->issued);
	buf_puts(&f->actual, ", next update ");
	tdx_time(&f->actual, d->next_update);
	buf_printf(&f->actual, ", evaluation %llu", (unsigned long long)d->evaluation);
	return PASSED;
}

enum outcome tdx_check_tcbinfo(void *p, const struct expect *x, struct finding *f)
{
	return judge(p, x, f, COLLATERAL_TCB_INFO);
}

enum outcome tdx_check_qeidentity(void *p, const struct expect *x, struct finding *f)
{
	return judge(p, x, f, COLLATERAL_QE_IDENTITY);
}

/* --- revocation ------------------------------------------------------------------------------------------------------ */

static void use_list(struct tdx_list_use *u, const struct crl *c)
{
	if (u->used && u->issued >= c->this_update)
		return;
	*u = (struct tdx_list_use){ .used = true, .issued = c->this_update, .next_update = c->next_update };
	if (c->number.n <= sizeof u->number) {
		memcpy(u->number, c->number.p ? (const void *)c->number.p : "", c->number.n);
		u->number_n = c->number.n;
	}
}

/* None of the certificates may be on any current list of this issuer. */
static enum outcome look_up(const struct cert *issuer, const struct cert *const *certs, size_t n, const struct expect *x,
			    struct tdx_list_use *use, struct finding *f)
{
	const struct collateral_item *it;
	AUTO_BUF name = { 0 };
	struct err first = { 0 };
	bool any = false;

	*use = (struct tdx_list_use){ 0 };
	cert_name(&name, issuer->subject, NULL);
	buf_printf(&f->expected, "not revoked on a current list of '%s'", buf_cstr(&name));
	for (size_t i = 0; (it = expect_collateral(x, COLLATERAL_CRL, i)); i++) {
		struct err e = { 0 };

		if (!slice_eq(it->crl.issuer, issuer->subject))
			continue;
		any = true;
		if (crl_check(&it->crl, issuer, x->now, &e)) {
			if (!first.code)
				first = e;
			continue;
		}
		use_list(use, &it->crl);
		f->source = it->source[0] ? it->source : NULL;
		for (size_t k = 0; k < n; k++) {
			if (!certs[k] || !crl_lists(&it->crl, certs[k]->serial))
				continue;
			f->final = true;
			buf_puts(&f->actual, "revoked: ");
			cert_name(&f->actual, certs[k]->subject, NULL);
			return FAILED;
		}
	}
	if (!any)
		return tdx_missing(x, f, NULL, "no list");
	if (!use->used)
		return found(f, false, NULL, first.msg);
	buf_puts(&f->actual, "not on the list of ");
	tdx_time(&f->actual, use->issued);
	return PASSED;
}

/* What the root issued: the PCK CA, and whoever signed the documents. */
enum outcome tdx_check_crl_root(void *p, const struct expect *x, struct finding *f)
{
	struct tdx_subject *s = p;
	const struct cert *const certs[] = { s->mid, s->tcb_signer, s->qe_signer };

	if (s->pool.roots.n == 0)
		return found(f, false, NULL, "no root");
	return look_up(&s->pool.roots.v[0], certs, 3, x, &s->root_crl, f);
}

enum outcome tdx_check_crl_pck(void *p, const struct expect *x, struct finding *f)
{
	struct tdx_subject *s = p;

	return look_up(s->mid, (const struct cert *const[]){ s->leaf }, 1, x, &s->pck_crl, f);
}

/* --- age ---------------------------------------------------------------------------------------------------------------- */

enum outcome tdx_check_age(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const struct { bool used; int64_t issued; const char *name; } pieces[] = {
		{ s->has_tcb, s->tcb.doc.issued, "TCB info" }, { s->has_id, s->id.doc.issued, "QE identity" },
		{ s->root_crl.used, s->root_crl.issued, "the root's revocation list" },
		{ s->pck_crl.used, s->pck_crl.issued, "the PCK CA's revocation list" }
	};
	const char *oldest = NULL;
	int64_t age = 0;

	if (x->limits->max_collateral_age <= 0) {
		buf_puts(&f->hint, "the policy names no age");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_printf(&f->expected, "issued at most %lld s ago", (long long)x->limits->max_collateral_age);
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
		if (pieces[i].used && (!oldest || x->now - pieces[i].issued > age)) {
			age = x->now - pieces[i].issued;
			oldest = pieces[i].name;
		}
	if (!oldest)
		return tdx_missing(x, f, NULL, "no collateral");
	buf_printf(&f->actual, "%s is %lld s old", oldest, (long long)age);
	return age <= x->limits->max_collateral_age ? PASSED : FAILED;
}
