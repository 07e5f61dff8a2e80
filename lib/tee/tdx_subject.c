/* SPDX-License-Identifier: Apache-2.0 */
/* The subject of the TDX checks: the forms in which a quote comes, and the claims that are made of it. */


#include "base/cursor.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "tee/tdx_int.h"

void tdx_subject_drop(void *p)
{
	struct tdx_subject *s = p;

	if (!s)
		return;
	buf_free(&s->raw);
	buf_free(&s->log);
	buf_free(&s->cert_trouble);
	certs_free(&s->certs);
	tdx_tcb_info_free(&s->tcb);
	tdx_qe_identity_free(&s->id);
	free(s);
}

const struct tdx_quote *tdx_subject_quote(const void *p)
{
	return &((const struct tdx_subject *)p)->q;
}

struct slice tdx_subject_log(const void *p)
{
	return buf_view(&((const struct tdx_subject *)p)->log);
}

/* --- forms ------------------------------------------------------------------------------------------------ */

static int take_json(struct tdx_subject *s, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	const struct json *log;

	if (json_parse(&j, text, EVIDENCE_MAX, e) || json_need_b64(&s->raw, j, "quote", "TDX evidence", e))
		return -1;
	log = json_get(j, "cc_eventlog");
	return log && !json_is_null(log) ? json_need_b64(&s->log, j, "cc_eventlog", "TDX evidence", e) : 0;
}

static int take(struct tdx_subject *s, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);

	if (text.n && text.p[0] == '{')
		return take_json(s, text, e);
	if (hex_is(text))
		return hex_decode(&s->raw, text, e) ? err_ctx(e, "quote in hex") : 0;
	buf_slice(&s->raw, raw);
	return buf_check(&s->raw, e);
}

/* A chain that cannot be read is said where it is missed. */
static void take_certs(struct tdx_subject *s)
{
	struct err e = { 0 };

	if (s->q.cert_type != 5 && s->q.cert_type != 4)
		return;
	if (certs_parse(&s->certs, s->q.cert_data, &e))
		buf_puts(&s->cert_trouble, e.msg);
	for (size_t i = 0; i < s->certs.n && !s->has_pck; i++)
		s->has_pck = tdx_pck_recognise(&s->certs.v[i]) && !tdx_pck_parse(&s->pck, &s->certs.v[i], &e);
}

int tdx_subject_parse(void **ret, struct slice raw, struct err *e)
{
	struct tdx_subject *s = calloc(1, sizeof *s);

	if (!s)
		return err_oom(e);
	s->raw.max = s->log.max = EVIDENCE_MAX;
	if (take(s, raw, e) || tdx_quote_parse(&s->q, buf_view(&s->raw), e)) {
		tdx_subject_drop(s);
		return -1;
	}
	take_certs(s);
	*ret = s;
	return 0;
}

/* --- claims -------------------------------------------------------------------------------------------------- */

static void add_number(struct json *to, const char *name, const struct tdx_list_use *u)
{
	uint64_t v = 0;

	if (!u->used || u->number_n == 0 || u->number_n > 8)
		return;
	for (size_t i = 0; i < u->number_n; i++)
		v = v << 8 | u->number[i];
	json_add_u64(to, name, v);
}

static void add_platform(struct json *to, const struct tdx_pck *p)
{
	static const char *const types[] = { "Standard", "Scalable", "Scalable with Integrity" };

	json_add_hex(to, "platform_provider_id", slice_of(p->ppid, sizeof p->ppid));
	json_add_hex(to, "fmspc", slice_of(p->fmspc, sizeof p->fmspc));
	json_add_hex(to, "pce_id", slice_of(p->pceid, sizeof p->pceid));
	if (p->sgx_type < sizeof types / sizeof types[0])
		json_add_str(to, "sgx_type", types[p->sgx_type]);
	else
		json_add_fmt(to, "sgx_type", "Unknown (%u)", p->sgx_type);
	if (p->has_instance) {	/* Trustee writes this one backwards */
		uint8_t id[sizeof p->instance];

		for (size_t i = 0; i < sizeof id; i++)
			id[i] = p->instance[sizeof id - 1 - i];
		json_add_hex(to, "platform_instance_id", slice_of(id, sizeof id));
	}
	if (p->has_configuration) {
		json_add_bool(to, "is_dynamic_platform", p->dynamic_platform);
		json_add_bool(to, "is_cached_keys", p->cached_keys);
		json_add_bool(to, "is_smt_enabled", p->smt_enabled);
	}
}

struct span {			/* over everything that the verdict rests on */
	int64_t first_issue, last_issue, first_expiry;
	bool any;
};

static void widen(struct span *w, bool used, int64_t issued, int64_t expires)
{
	if (!used)
		return;
	if (!w->any || issued < w->first_issue)
		w->first_issue = issued;
	if (!w->any || issued > w->last_issue)
		w->last_issue = issued;
	if (!w->any || expires < w->first_expiry)
		w->first_expiry = expires;
	w->any = true;
}

static void widen_cert(struct span *w, const struct cert *c)
{
	if (c)
		widen(w, true, c->not_before, c->not_after);
}

static void add_dates(struct json *to, const struct tdx_subject *s)
{
	struct span w = { 0 };

	widen_cert(&w, s->leaf);
	widen_cert(&w, s->mid);
	widen_cert(&w, s->tcb_signer);
	widen_cert(&w, s->qe_signer);
	widen(&w, s->has_tcb, s->tcb.doc.issued, s->tcb.doc.next_update);
	widen(&w, s->has_id, s->id.doc.issued, s->id.doc.next_update);
	widen(&w, s->root_crl.used, s->root_crl.issued, s->root_crl.next_update);
	widen(&w, s->pck_crl.used, s->pck_crl.issued, s->pck_crl.next_update);
	json_add_time(to, "earliest_issue_date", w.first_issue);
	json_add_time(to, "latest_issue_date", w.last_issue);
	json_add_time(to, "earliest_expiration_date", w.first_expiry);
	json_add_str(to, "collateral_expiration_status", s->now > w.first_expiry ? "1" : "0");
}

static void add_level(struct json *to, const char *name, const struct tcb_state *st)
{
	struct json *o = json_add_object(to, name);

	json_add_str(o, "status", tcb_status_name(st->status));
	json_add_time(o, "date", st->date);
}

/* Only what genuine documents say: a TCB info that is missing or forged leaves no status. */
static void add_tcb(struct json *to, const struct tdx_subject *s)
{
	const struct tcb_verdict *v = &s->v;
	struct json *arr, *parts;

	json_add_str(to, "tcb_status", tcb_status_name(v->status));
	if (v->status != TCB_NOT_SUPPORTED)	/* then the platform has no level, and other parts' dates would mislead */
		json_add_time(to, "tcb_date", v->date);
	json_add_u64(to, "tcb_eval_num", s->has_id && s->id.doc.evaluation < s->tcb.doc.evaluation ? s->id.doc.evaluation : s->tcb.doc.evaluation);
	arr = json_add_array(to, "advisory_ids");
	for (size_t i = 0; i < v->n_advisories; i++)
		json_add_str(arr, NULL, v->advisories[i]);
	parts = json_add_object(to, "tcb_levels");
	if (v->platform)
		add_level(parts, "platform", &v->platform->state);
	if (v->platform_now)
		add_level(parts, "platform_now", &v->platform_now->state);
	if (v->module)
		add_level(parts, "module", &v->module->state);
	if (v->module_now)
		add_level(parts, "module_now", &v->module_now->state);
	if (v->qe)
		add_level(parts, "qe", &v->qe->state);
	add_dates(to, s);
	add_number(to, "pck_crl_num", &s->pck_crl);
	add_number(to, "root_ca_crl_num", &s->root_crl);
}

int tdx_subject_claims(struct json *to, const void *p, struct err *e)
{
	const struct tdx_subject *s = p;

	if (tdx_claims(to, &s->q, e))
		return -1;
	if (s->has_pck)
		add_platform(to, &s->pck);
	if (s->has_verdict)
		add_tcb(to, s);
	return 0;
}

int tdx_subject_details(struct json *to, const void *p, struct err *e)
{
	const struct tdx_subject *s = p;

	if (tdx_details(to, &s->q, e))
		return -1;
	if (s->has_pck)
		add_platform(json_add_object(to, "pck"), &s->pck);
	return 0;
}
