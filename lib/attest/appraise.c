/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to a verdict: see appraise.h. */

#include "attest/appraise.h"
#include "attest/common.h"
#include "attest/kinds.h"
#include "attest/policy_int.h"
#include "evidence/bundle.h"
#include "tee/eventlog.h"

struct work {			/* one appraisal */
	const struct appraise_in *in;
	const struct evidence_kind *kind;
	struct slice raw, certs;	/* the evidence, and the certificate table that came with it */
	bool bundled;
	struct bundle bundle;
	struct collateral carried;
	uint8_t derived[64];
	void *parsed;
	struct expect x;
};

static void work_free(struct work *w)
{
	if (w->parsed)
		w->kind->drop(w->parsed);
	collateral_free(&w->carried);
	if (w->bundled)
		bundle_free(&w->bundle);
}

void verdict_free(struct verdict *v)
{
	json_free(v->claims);
	json_free(v->collateral);
	json_free(v->checks);
	buf_free(&v->reason);
	*v = (struct verdict){ 0 };
}

static bool kind_is_open(const struct appraise_in *in)
{
	return !in->kind || !strcmp(in->kind, "auto");
}

static bool is_bundle(struct slice text)
{
	AUTO_JSON *j = NULL;
	struct err e = { 0 };

	text = slice_trim(text);
	return text.n && text.p[0] == '{' && !json_parse(&j, text, BUNDLE_MAX, &e) && bundle_recognise(j);
}

/* --- what it is ------------------------------------------------------------------------------------------ */

static int pick_named(struct work *w, const char *name, struct err *e)
{
	AUTO_BUF names = { 0 };

	w->kind = kind_by_name(name);
	if (w->kind)
		return 0;
	kind_names(&names);
	err_set(e, EC_ABSENT, "evidence of kind '%s' cannot be appraised", name);
	return err_hint(e, "this version knows %s", buf_cstr(&names));
}

/* What a later version put there and this one does not know is left out: nothing rests on it. */
static int open_collateral(struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->bundle.collateral.n; i++) {
		const struct bundle_item *it = &w->bundle.collateral.v[i];

		if (collateral_known(it->kind) &&
		    collateral_add(&w->carried, buf_view(&it->data), it->source, it->fetched, e))
			return err_ctx(e, "collateral '%s' of the bundle", it->kind);
	}
	return 0;
}

static int open_bundle(struct work *w, struct err *e)
{
	const struct bundle_item *table;

	if (bundle_parse(&w->bundle, slice_trim(w->in->evidence), e))
		return -1;
	w->bundled = true;
	if (w->bundle.evidence.n != 1)
		return err_set(e, EC_ABSENT, "bundle holds %zu pieces of evidence; this version appraises the CPU's only, and leaves none out",
			       w->bundle.evidence.n);
	if (pick_named(w, w->bundle.evidence.v[0].kind, e))
		return -1;
	if (!kind_is_open(w->in) && strcmp(w->in->kind, w->kind->name))
		return err_set(e, EC_REFUSED, "bundle holds '%s' evidence, wanted '%s'", w->kind->name, w->in->kind);
	w->raw = buf_view(&w->bundle.evidence.v[0].data);
	table = bundle_find(&w->bundle.collateral, "snp.certtable");
	if (table)
		w->certs = buf_view(&table->data);
	return open_collateral(w, e);
}

static int open_raw(struct work *w, struct err *e)
{
	AUTO_BUF names = { 0 };
	AUTO_JSON *j = NULL;
	struct slice text;

	w->raw = w->in->evidence;
	if (!kind_is_open(w->in))
		return pick_named(w, w->in->kind, e);
	w->kind = kind_recognise(w->raw);
	if (w->kind)
		return 0;
	text = slice_trim(w->raw);
	if (text.n && (text.p[0] == '{' || text.p[0] == '[')) {
		if (json_parse(&j, text, BUNDLE_MAX, e))	/* say where it breaks */
			return -1;
		if (kind_foreign(j))
			return pick_named(w, kind_foreign(j), e);
	}
	kind_names(&names);
	err_set(e, EC_FORMAT, "%zu bytes are no evidence that this version knows", w->raw.n);
	return err_hint(e, "it knows bundles, and raw evidence of %s; name it with --kind to see what is wrong with it", buf_cstr(&names));
}

static int open_evidence(struct work *w, struct err *e)
{
	if (!kind_is_open(w->in) && pick_named(w, w->in->kind, e))	/* a word that names no kind is not "refused" */
		return -1;
	if (w->in->evidence.n > BUNDLE_MAX)
		return err_set(e, EC_FORMAT, "evidence is %zu bytes, at most %zu are read", w->in->evidence.n, BUNDLE_MAX);
	if (is_bundle(w->in->evidence) ? open_bundle(w, e) : open_raw(w, e))
		return -1;
	return w->kind->parse(&w->parsed, w->raw, w->certs, e);
}

/* --- what is expected of it ------------------------------------------------------------------------------- */

static int expectations(struct work *w, struct err *e)
{
	const struct appraise_in *in = w->in;

	w->x = (struct expect){
		.limits = policy_limits(in->policy), .now = in->now, .given = in->given, .carried = &w->carried, .anchors = in->anchors,
		.snp_roots = in->snp_roots, .intel_root = in->intel_root, .allow_sample = in->allow_sample, .allow_tpm = in->allow_tpm,
		.no_collateral = in->insecure_no_collateral,
		.no_freshness = in->insecure_no_nonce && !in->has_nonce && in->report_data.n == 0,
	};
	for (size_t i = 0; i < N_LOGS; i++) {
		const struct bundle_item *log = w->bundled ? bundle_find(&w->bundle.event_logs, log_form_names[i]) : NULL;

		w->x.logs[i] = in->logs[i].n ? in->logs[i] : log ? buf_view(&log->data) : (struct slice){ 0 };
	}
	if (in->has_nonce && (in->nonce.n == 0 || in->nonce.n > REPORT_DATA_MAX))
		return err_set(e, EC_USAGE, "nonce is %zu bytes, wanted 1 to %d", in->nonce.n, REPORT_DATA_MAX);
	if (in->report_data.n > REPORT_DATA_MAX || (in->report_data.n && in->has_nonce))
		return err_set(e, EC_USAGE, "wanted a nonce, or report data of at most %d bytes", REPORT_DATA_MAX);
	if (!w->bundled) {
		w->x.report_data = in->report_data.n ? in->report_data : in->has_nonce ? in->nonce : (struct slice){ 0 };
		return 0;
	}
	if (in->report_data.n)
		return err_set(e, EC_USAGE, "a bundle derives its report data from a nonce: give that");
	if (!in->has_nonce && !w->x.no_freshness)
		return 0;	/* nothing to compare with: the checks fail and say so */
	if (bundle_report_data(w->derived, &w->bundle, in->has_nonce ? in->nonce : buf_view(&w->bundle.nonce), e))
		return -1;
	w->x.report_data = slice_of(w->derived, sizeof w->derived);
	return 0;
}

/* --- verdict --------------------------------------------------------------------------------------------------- */

static bool stages_hold(struct tally *t, struct work *w, const struct stages *st)
{
	bool all = st->n > 0;

	for (size_t i = 0; i < st->n; i++)
		all &= checks_run(t, st->v[i].checks, st->v[i].n_checks, st->v[i].subject, &st->v[i].x, policy_rule, w->in->policy);
	return all;
}

static const char *required_log_check(const struct policy *p)
{
	for (size_t i = 0; i < n_eventlog_checks; i++)
		if (policy_rule(p, eventlog_checks[i].id) == RULE_REQUIRE)
			return eventlog_checks[i].id;
	return NULL;
}

static bool checks_hold(struct verdict *v, struct work *w, const struct stages *st)
{
	struct common_subject c = {
		.kind = w->kind->name, .values = w->kind->values, .has_log = w->kind->has_log, .log_check = required_log_check(w->in->policy),
		.bundled = w->bundled, .bundle_nonce = buf_view(&w->bundle.nonce),
		.wanted_nonce = w->in->has_nonce ? w->in->nonce : (struct slice){ 0 }, .simulated = w->bundle.simulated
	};
	struct tally t = { .list = v->checks };
	const bool common = checks_run(&t, common_checks, w->bundled ? n_common_checks : 2, &c, &w->x, policy_rule,
				       w->in->policy);
	const bool own = stages_hold(&t, w, st);

	v->warned = t.warned;
	v->reason = t.reason;
	return common && own;
}

static int stages_of(struct stages *ret, struct work *w, struct err *e)
{
	if (w->kind->stages)
		return w->kind->stages(ret, w->parsed, &w->x, e);
	ret->v[0] = (struct stage){ .checks = w->kind->checks, .n_checks = w->kind->n_checks, .subject = w->parsed, .x = w->x };
	ret->n = 1;
	return 0;
}

static int describe(struct verdict *v, const struct work *w, struct err *e)
{
	if (w->in->given && collateral_describe(v->collateral, w->in->given, w->in->now, e))
		return -1;
	return collateral_describe(v->collateral, &w->carried, w->in->now, e);
}

static int judge(struct verdict *v, struct work *w, struct err *e)
{
	struct stages st = { 0 };

	if (open_evidence(w, e) || expectations(w, e) || stages_of(&st, w, e))
		return -1;
	snprintf(v->tee, sizeof v->tee, "%s", w->kind->name);
	v->claims = json_object();
	v->collateral = json_array();
	v->checks = json_array();
	if (!v->claims || !v->collateral || !v->checks)
		return err_oom(e);
	if (checks_hold(v, w, &st))
		v->accepted = true;
	if (w->kind->claims(json_add_object(v->claims, w->kind->name), w->parsed, e) || describe(v, w, e))
		return -1;
	return v->reason.bad ? err_oom(e) : 0;
}

int appraise(struct verdict *ret, const struct appraise_in *in, struct err *e)
{
	struct work w = { .in = in };
	struct verdict v = { 0 };
	const int rc = judge(&v, &w, e);

	work_free(&w);
	if (rc) {
		verdict_free(&v);
		return -1;
	}
	*ret = v;
	return 0;
}
