/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to a verdict: see appraise.h. */

#include "attest/appraise.h"
#include "attest/common.h"
#include "attest/kinds.h"
#include "attest/policy_int.h"
#include "evidence/bundle.h"
#include "gpu/nvgpu.h"
#include "tee/eventlog.h"

enum { TEE, DEVICES, N_PIECES };	/* of one capture; GPUs without a machine are a piece of their own, in the first place */
struct piece {
	const struct evidence_kind *kind;	/* NULL: there is none */
	struct slice raw, certs;	/* the evidence, and the certificate table that came with it */
	struct buf joined;
	uint8_t bound[64];		/* what a bundle's nonce derives to for it */
	void *parsed;
	struct expect x;
	struct stages stages;
};
struct work {			/* one appraisal */
	const struct appraise_in *in;
	struct piece piece[N_PIECES];
	bool bundled;
	struct bundle bundle;
	struct collateral carried;
	uint8_t ocsp_nonce[32];
};

static void work_free(struct work *w)
{
	for (size_t i = 0; i < N_PIECES; i++) {
		if (w->piece[i].parsed)
			w->piece[i].kind->drop(w->piece[i].parsed);
		buf_free(&w->piece[i].joined);
	}
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

static int pick_named(struct piece *p, const char *name, struct err *e)
{
	AUTO_BUF names = { 0 };

	p->kind = kind_by_name(name);
	if (p->kind)
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

/* Evidence of devices from this place on: all of it is one piece, because some of what has to hold is about all of them. */
static int open_devices(struct piece *p, const struct bundle_items *l, size_t from, struct err *e)
{
	struct slice raw[BUNDLE_ITEMS];

	if (pick_named(p, l->v[from].kind, e))
		return -1;
	for (size_t i = from; i < l->n; i++) {
		const struct evidence_kind *k = kind_by_name(l->v[i].kind);

		if (!k || !k->join || k->join != p->kind->join)
			return err_set(e, EC_ABSENT, "bundle holds '%s' evidence behind the first: wanted that of devices, and none is left out",
				       l->v[i].kind);
		raw[i - from] = buf_view(&l->v[i].data);
	}
	p->joined.max = BUNDLE_MAX;
	if (p->kind->join(&p->joined, raw, l->n - from, e))
		return -1;
	p->raw = buf_view(&p->joined);
	return 0;
}

static int open_bundle(struct work *w, struct err *e)
{
	const struct bundle_items *l = &w->bundle.evidence;
	const struct bundle_item *table;
	struct piece *p = &w->piece[TEE];

	if (bundle_parse(&w->bundle, slice_trim(w->in->evidence), e))
		return -1;
	w->bundled = true;
	if (pick_named(p, l->v[0].kind, e))
		return -1;
	if (!kind_is_open(w->in) && strcmp(w->in->kind, p->kind->name))
		return err_set(e, EC_REFUSED, "bundle holds '%s' evidence, wanted '%s'", p->kind->name, w->in->kind);
	if (w->in->devices.n)
		return err_set(e, EC_USAGE, "a bundle brings the evidence of its devices itself");
	p->raw = buf_view(&l->v[0].data);
	table = bundle_find(&w->bundle.collateral, "snp.certtable");
	if (table)
		p->certs = buf_view(&table->data);
	if (p->kind->join ? open_devices(p, l, 0, e) : l->n > 1 && open_devices(&w->piece[DEVICES], l, 1, e))
		return -1;
	return open_collateral(w, e);
}

static int open_raw(struct work *w, struct err *e)
{
	struct piece *p = &w->piece[TEE];
	AUTO_BUF names = { 0 };
	AUTO_JSON *j = NULL;
	struct slice text;

	p->raw = w->in->evidence;
	if (w->in->devices.n) {
		w->piece[DEVICES].raw = w->in->devices;
		if (pick_named(&w->piece[DEVICES], "nvgpu", e))
			return -1;
	}
	if (!kind_is_open(w->in))
		return pick_named(p, w->in->kind, e);
	p->kind = kind_recognise(p->raw);
	if (p->kind)
		return 0;
	text = slice_trim(p->raw);
	if (text.n && (text.p[0] == '{' || text.p[0] == '[')) {
		if (json_parse(&j, text, BUNDLE_MAX, e))	/* say where it breaks */
			return -1;
		if (kind_foreign(j))
			return pick_named(p, kind_foreign(j), e);
	}
	kind_names(&names);
	err_set(e, EC_FORMAT, "%zu bytes are no evidence that this version knows", p->raw.n);
	return err_hint(e, "it knows bundles, and raw evidence of %s; name it with --kind to see what is wrong with it", buf_cstr(&names));
}

static int open_evidence(struct work *w, struct err *e)
{
	struct piece none = { 0 };

	if (!kind_is_open(w->in) && pick_named(&none, w->in->kind, e))	/* a word that names no kind is not "refused" */
		return -1;
	if (w->in->evidence.n > BUNDLE_MAX || w->in->devices.n > BUNDLE_MAX)
		return err_set(e, EC_FORMAT, "evidence is %zu bytes, at most %zu are read", w->in->evidence.n, BUNDLE_MAX);
	if (is_bundle(w->in->evidence) ? open_bundle(w, e) : open_raw(w, e))
		return -1;
	if (w->piece[TEE].kind->join && w->piece[DEVICES].kind)
		return err_set(e, EC_USAGE, "evidence of devices twice, and of no machine");
	for (struct piece *p = w->piece; p < w->piece + N_PIECES; p++)
		if (p->kind && p->kind->parse(&p->parsed, p->raw, p->certs, e))
			return -1;
	return 0;
}

/* --- what is expected of it ------------------------------------------------------------------------------- */

/* What report data the pieces of a bundle have to hold: derived from the nonce that the caller expects, or, where freshness was waived, from
 * the bundle's own, which still ties its pieces together. */
static int derive(struct work *w, struct err *e)
{
	const struct slice nonce = w->in->has_nonce ? w->in->nonce : buf_view(&w->bundle.nonce), runtime = buf_view(&w->bundle.runtime_data);

	for (struct piece *p = w->piece; p < w->piece + N_PIECES; p++) {
		if (!p->kind)
			continue;
		if (p->kind->join ? bundle_nonce_for(p->bound, "nvgpu", nonce, runtime, e) : bundle_report_data(p->bound, &w->bundle, nonce, e))
			return -1;
		p->x.report_data = slice_of(p->bound, p->kind->join ? 32 : 64);
	}
	return 0;
}

/* Status of certificates that was asked for after the nonce was chosen is as fresh as the evidence itself.  Who asks for raw evidence of a GPU
 * knows the 32 bytes that its report holds, not the nonce that the verifier gave. */
static int ocsp_expectation(struct work *w, struct err *e)
{
	const struct slice runtime = w->bundled ? buf_view(&w->bundle.runtime_data) : (struct slice){ 0 };
	struct slice nonce = w->in->nonce;
	uint8_t shown[32];

	if (!w->in->has_nonce)
		return 0;
	if (!w->bundled && w->piece[TEE].kind->join) {
		nv_nonce_of(shown, nonce);
		nonce = slice_of(shown, sizeof shown);
	}
	if (bundle_nonce_for(w->ocsp_nonce, "ocsp", nonce, runtime, e))
		return -1;
	for (size_t i = 0; i < N_PIECES; i++)
		w->piece[i].x.ocsp_nonce = slice_of(w->ocsp_nonce, sizeof w->ocsp_nonce);
	return 0;
}

static int expectations(struct work *w, struct err *e)
{
	const struct appraise_in *in = w->in;
	struct expect x = {
		.limits = policy_limits(in->policy), .now = in->now, .given = in->given, .carried = &w->carried, .anchors = in->anchors,
		.snp_roots = in->snp_roots, .intel_root = in->intel_root, .nv_device_root = in->nv_device_root, .nv_rim_root = in->nv_rim_root,
		.allow_sample = in->allow_sample, .allow_tpm = in->allow_tpm, .no_collateral = in->insecure_no_collateral,
		.no_freshness = in->insecure_no_nonce && !in->has_nonce && in->report_data.n == 0,
	};

	for (size_t i = 0; i < N_LOGS; i++) {
		const struct bundle_item *log = w->bundled ? bundle_find(&w->bundle.event_logs, log_form_names[i]) : NULL;

		x.logs[i] = in->logs[i].n ? in->logs[i] : log ? buf_view(&log->data) : (struct slice){ 0 };
	}
	for (size_t i = 0; i < N_PIECES; i++)
		w->piece[i].x = x;
	if (in->has_nonce && (in->nonce.n == 0 || in->nonce.n > REPORT_DATA_MAX))
		return err_set(e, EC_USAGE, "nonce is %zu bytes, wanted 1 to %d", in->nonce.n, REPORT_DATA_MAX);
	if (in->has_nonce && in->nonce.n > SPDM_NONCE && !w->bundled && w->piece[TEE].kind->join)	/* the rest would be compared with nothing */
		return err_set(e, EC_USAGE, "nonce is %zu bytes, wanted at most the %d that evidence of devices holds", in->nonce.n, SPDM_NONCE);
	if (in->report_data.n > REPORT_DATA_MAX || (in->report_data.n && in->has_nonce))
		return err_set(e, EC_USAGE, "wanted a nonce, or report data of at most %d bytes", REPORT_DATA_MAX);
	if (ocsp_expectation(w, e))
		return -1;
	if (!w->bundled) {
		w->piece[TEE].x.report_data = in->report_data.n ? in->report_data : in->has_nonce ? in->nonce : (struct slice){ 0 };
		w->piece[DEVICES].x.report_data = in->devices_data;
		return 0;
	}
	if (in->report_data.n)
		return err_set(e, EC_USAGE, "a bundle derives its report data from a nonce: give that");
	if (!in->has_nonce && !x.no_freshness)
		return 0;	/* nothing to compare with: the checks fail and say so */
	return derive(w, e);
}

/* --- verdict --------------------------------------------------------------------------------------------------- */

static bool piece_holds(struct tally *t, struct piece *p, const struct policy *policy)
{
	struct stages *st = &p->stages;
	bool all = st->n > 0;

	for (size_t i = 0; i < st->n; i++) {
		const bool warned = t->warned;

		t->object = st->v[i].object;
		t->warned = false;
		st->v[i].held = checks_run(t, st->v[i].checks, st->v[i].n_checks, st->v[i].subject, &st->v[i].x, policy_rule, policy);
		st->v[i].warned = t->warned;
		t->warned |= warned;
		all &= st->v[i].held;
	}
	t->object = NULL;
	return all;
}

static const char *required_log_check(const struct policy *p)
{
	for (size_t i = 0; i < n_eventlog_checks; i++)
		if (policy_rule(p, eventlog_checks[i].id) == RULE_REQUIRE)
			return eventlog_checks[i].id;
	return NULL;
}

/* What `attest detect` listed where the bundle was made. */
static size_t gpus_listed(const struct work *w)
{
	size_t n = 0;

	if (!w->bundled)
		return 0;
	for (const struct json *g = json_first(json_path(w->bundle.machine, "/machine/gpus")); g; g = json_next(g))
		n += !json_true(json_get(g, "switch"));
	return n;
}

static size_t shown(const struct piece *p, const char *label)
{
	size_t n = 0;

	for (size_t i = 0; i < p->stages.n; i++)
		n += p->stages.v[i].object && !strncmp(p->stages.v[i].object, label, strlen(label));
	return n;
}

static bool checks_hold(struct verdict *v, struct work *w)
{
	const struct evidence_kind *k = w->piece[TEE].kind;
	const struct piece *devices = k->join ? &w->piece[TEE] : &w->piece[DEVICES];
	struct common_subject c = {
		.kind = k->name, .values = k->values, .has_log = k->has_log, .log_check = required_log_check(w->in->policy),
		.alone = k->join && !w->in->allow_devices, .devices = devices->kind, .listed = gpus_listed(w), .shown = shown(devices, "GPU-"),
		.switches = shown(devices, "SWITCH-"),
		.bundled = w->bundled, .bundle_nonce = buf_view(&w->bundle.nonce),
		.wanted_nonce = w->in->has_nonce ? w->in->nonce : (struct slice){ 0 }, .simulated = w->bundle.simulated
	};
	struct tally t = { .list = v->checks };
	bool all = checks_run(&t, common_checks, w->bundled ? n_common_checks : n_common_raw_checks, &c, &w->piece[TEE].x, policy_rule, w->in->policy);

	for (struct piece *p = w->piece; p < w->piece + N_PIECES; p++)
		if (p->kind)
			all &= piece_holds(&t, p, w->in->policy);
	v->warned = t.warned;
	v->reason = t.reason;
	return all;
}

static int stages_of(struct piece *p, struct err *e)
{
	if (p->kind->stages)
		return p->kind->stages(&p->stages, p->parsed, &p->x, e);
	p->stages.v[0] = (struct stage){ .checks = p->kind->checks, .n_checks = p->kind->n_checks, .subject = p->parsed, .x = p->x };
	p->stages.n = 1;
	return 0;
}

static int describe(struct verdict *v, const struct work *w, struct err *e)
{
	if (w->in->given && collateral_describe(v->collateral, w->in->given, w->in->now, e))
		return -1;
	return collateral_describe(v->collateral, &w->carried, w->in->now, e);
}

/* How each device came through by itself. */
static void add_results(struct json *claims, const struct stages *st)
{
	struct json *results = NULL;

	for (size_t i = 0; i < st->n; i++) {
		if (!st->v[i].object)
			continue;
		if (!results)
			results = json_add_object(claims, "results");
		json_add_str(results, st->v[i].object, !st->v[i].held ? "fail" : st->v[i].warned ? "warn" : "pass");
	}
}

static int claims_of(struct verdict *v, const struct work *w, struct err *e)
{
	for (const struct piece *p = w->piece; p < w->piece + N_PIECES; p++) {
		struct json *claims = p->kind ? json_add_object(v->claims, p->kind->name) : NULL;

		if (!p->kind)
			continue;
		add_results(claims, &p->stages);
		if (p->kind->claims(claims, p->parsed, e))
			return -1;
	}
	return describe(v, w, e);
}

static int judge(struct verdict *v, struct work *w, struct err *e)
{
	if (open_evidence(w, e) || expectations(w, e))
		return -1;
	for (struct piece *p = w->piece; p < w->piece + N_PIECES; p++)
		if (p->kind && stages_of(p, e))
			return -1;
	snprintf(v->tee, sizeof v->tee, "%s", w->piece[TEE].kind->name);
	v->claims = json_object();
	v->collateral = json_array();
	v->checks = json_array();
	if (!v->claims || !v->collateral || !v->checks)
		return err_oom(e);
	if (checks_hold(v, w))
		v->accepted = true;
	if (claims_of(v, w, e))
		return -1;
	return v->reason.bad ? err_oom(e) : 0;
}

int appraise(struct verdict *ret, const struct appraise_in *in, struct err *e)
{
	struct work *w = calloc(1, sizeof *w);		/* too large for a small stack */
	struct verdict v = { 0 };
	int rc;

	if (!w)
		return err_oom(e);
	w->in = in;
	rc = judge(&v, w, e);
	work_free(w);
	free(w);
	if (rc) {
		verdict_free(&v);
		return -1;
	}
	*ret = v;
	return 0;
}
