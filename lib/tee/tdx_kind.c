/* SPDX-License-Identifier: Apache-2.0 */
/* TDX as a kind of evidence: how it is collected, and judged: the checks of tdx_verify.h, then the event log
 * against the registers of the quote. */

#include "codec/hex64.h"
#include "tee/eventlog.h"
#include "tee/report.h"
#include "tee/tdx_verify.h"

struct subject {
	void *quote;			/* of tdx_verify.h */
	struct eventlog_subject *log;
};

static void drop(void *p)
{
	struct subject *s = p;

	if (!s)
		return;
	tdx_subject_drop(s->quote);
	eventlog_free(s->log);
	free(s);
}

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	struct subject *s = calloc(1, sizeof *s);

	(void)certs;
	if (!s)
		return err_oom(e);
	if (tdx_subject_parse(&s->quote, raw, e)) {
		drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

/* What the quote vouches for, as the event log counts it: MRTD, then RTMR0 to 3. */
static void registers_of(struct registers *ret, const struct tdx_quote *q)
{
	*ret = (struct registers){ .cc = true, .alg = HASH_SHA384 };
	for (size_t i = 0; i < 5; i++) {
		const struct slice v = tdx_part(q, (enum tdx_at)(i == 0 ? TDX_MR_TD : TDX_RTMR0 + 48 * (i - 1)), 48);

		ret->v[i].known = true;
		ret->v[i].n = v.n;
		memcpy(ret->v[i].v, v.p, v.n);
	}
}

static int stages(struct stages *ret, void *p, const struct expect *x, struct err *e)
{
	struct subject *s = p;
	struct expect with = *x;
	struct registers regs;

	registers_of(&regs, tdx_subject_quote(s->quote));
	if (with.logs[LOG_CCEL].n == 0)
		with.logs[LOG_CCEL] = tdx_subject_log(s->quote);
	ret->v[0] = (struct stage){ .checks = tdx_checks, .n_checks = N_TDX_CHECKS, .subject = s->quote, .x = *x };
	if (eventlog_stage(&ret->v[1], &s->log, &regs, &with, e))
		return -1;
	ret->n = 2;
	return 0;
}

static int claims(struct json *to, const void *p, struct err *e)
{
	const struct subject *s = p;

	return tdx_subject_claims(to, s->quote, e) || eventlog_claims(to, s->log, e) ? -1 : 0;
}

static int details(struct json *to, const void *p, struct err *e)
{
	return tdx_subject_details(to, ((const struct subject *)p)->quote, e);
}

static bool recognise(struct slice raw)
{
	const struct slice text = slice_trim(raw);
	AUTO_BUF head = { 0 };
	struct err e = { 0 };

	if (tdx_quote_looks_like(raw))
		return true;
	return text.n >= 96 && !hex_decode(&head, slice_of(text.p, 96), &e) && tdx_quote_looks_like(buf_view(&head));
}

/* cc_eventlog ends in eight FF bytes, the CCEL's own end mark (key-broker.md 2.4). */
static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	struct json *j = json_object();

	if (!j)
		return err_oom(e);
	if (ev->logs[LOG_CCEL].n) {
		AUTO_BUF log = { .max = EVIDENCE_MAX + 8 };

		buf_slice(&log, buf_view(&ev->logs[LOG_CCEL]));
		buf_fill(&log, 0xff, 8);
		json_add_b64(j, "cc_eventlog", buf_view(&log));
		if (buf_check(&log, e)) {
			json_free(j);
			return -1;
		}
	} else {
		json_add_null(j, "cc_eventlog");
	}
	json_add_b64(j, "quote", buf_view(&ev->raw));
	*ret = j;
	return 0;
}

static bool recognise_json(const struct json *j)
{
	return json_is_string(json_get(j, "quote")) && !json_get(j, "hcl_report");
}

const struct evidence_kind evidence_tdx = {
	.name = "tdx",
	.title = "Intel TDX",
	.collect = tdx_collect, .to_trustee = to_trustee,
	.recognise = recognise, .recognise_json = recognise_json, .parse = parse, .drop = drop, .claims = claims, .details = details,
	.values = OF_TDX, .has_log = true, .measured = "/quote/body/mr_td",
	.checks = tdx_checks, .n_checks = N_TDX_CHECKS, .stages = stages,
};
