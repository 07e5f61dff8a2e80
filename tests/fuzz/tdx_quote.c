/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes: as they come (nobody here has Intel's keys, so none may be accepted), and again under a CA of our own, so that the code behind the
 * signatures is reached with any header, body and QE report. */

#include <stdarg.h>
#include <stdlib.h>

#include "../unit/tdx_maker.c"
#include "attest/appraise.h"
#include "base/cursor.h"
#include "tee/tdx_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

void test_fail(const char *file, int line, const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)fmt;
	abort();
}

static const struct collateral *docs(void)
{
	static struct collateral c;

	if (c.n == 0)
		tdx_docs_make(&c, &(const struct tdx_docs){ 0 });
	return &c;
}

static void again_under_our_ca(const struct tdx_quote *q)
{
	AUTO_BUF b = { 0 };
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	tdx_quote_resign(&b, q);
	if (appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .kind = "tdx", .now = TDX_NOW, .insecure_no_nonce = true, .given = docs(),
						      .intel_root = tdx_maker_root() }, &e))
		abort();	/* it parses */
	if (v.accepted && (tdx_td_attributes(q) & TDX_TD_DEBUG || q->key_type != 2 || q->body.p[TDX_MRSIGNER_SEAM] || (q->body.p[TDX_XFAM] & 3) != 3 ||
			   q->qe_report.p[QE_ATTRIBUTES] & 2 || q->qe_report.p[QE_ISVSVN + 1] + q->qe_report.p[QE_ISVSVN] < 1))
		abort();
}

/* The checks on what is said, as if all signatures held: many times faster than making them. */
static void judge_values(struct slice raw)
{
	static tdx_check *const checks[] = {
		tdx_check_header, tdx_check_reserved, tdx_check_trailing, tdx_check_qe_identity, tdx_check_seam, tdx_check_module, tdx_check_status,
		tdx_check_advisories, tdx_check_evaluation, tdx_check_age, tdx_check_debug, tdx_check_migratable, tdx_check_attributes, tdx_check_xfam,
		tdx_check_service_td, tdx_check_report_data, tdx_check_measurement, tdx_check_init_data, tdx_check_rtmr3
	};
	struct limits l = limits_strict;
	const struct expect x = { .limits = &l, .now = TDX_NOW, .report_data = SLICE("fuzz") };
	AUTO_JSON *j = json_object();
	struct tdx_subject *s;
	struct err e = { 0 };
	void *p;

	if (tdx_subject_parse(&p, raw, &e))
		return;
	s = p;
	l.has_advisories = true;
	l.min_evaluation = 1;
	l.max_collateral_age = 1;
	for (size_t i = 0; i < docs()->n; i++) {
		const struct collateral_item *it = &docs()->v[i];

		if (it->type == COLLATERAL_TCB_INFO)
			s->has_tcb = !tdx_tcb_info_parse(&s->tcb, buf_view(&it->data), &e);
		if (it->type == COLLATERAL_QE_IDENTITY)
			s->has_id = !tdx_qe_identity_parse(&s->id, buf_view(&it->data), &e);
	}
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		struct finding f = { 0 };

		if (checks[i](s, &x, &f) == NOT_RUN)
			abort();
		buf_free(&f.expected);
		buf_free(&f.actual);
		buf_free(&f.hint);
	}
	tdx_subject_claims(j, s, &e);
	tdx_subject_details(j, s, &e);
	tdx_subject_drop(s);
}

static bool one_in_16(const uint8_t *p, size_t n)		/* the same ones in each run */
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + p[i];
	return (sum >> 16 & 15) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_JSON *j = json_object();
	const bool slow = one_in_16(p, n);
	AUTO_VERDICT v = { 0 };
	struct tdx_quote q;
	struct err e = { 0 };

	if (!tdx_quote_parse(&q, slice_of(p, n), &e)) {
		tdx_details(j, &q, &e);
		if (q.signed_part.n + q.trailing > n)
			abort();
		judge_values(slice_of(p, n));
		if (q.key_type == 2 && slow)
			again_under_our_ca(&q);
	}
	if (slow && !appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .kind = "tdx", .insecure_no_nonce = true }, &e) && v.accepted)
		abort();	/* without collateral, and in 1970 */
	tdx_report_looks_like(slice_of(p, n));
	tdx_report_describe(j, slice_of(p, n), &e);
	return 0;
}
