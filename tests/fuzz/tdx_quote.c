/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes: as they come (nobody here has Intel's keys, so none may be accepted), and again under a CA of our own, so that the code behind the
 * signatures is reached with any header, body and QE report. */

#include <stdarg.h>
#include <stdlib.h>

#include "../unit/tdx_maker.c"
#include "attest/appraise.h"
#include "base/cursor.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_JSON *j = json_object();
	AUTO_VERDICT v = { 0 };
	struct tdx_quote q;
	struct err e = { 0 };

	if (!tdx_quote_parse(&q, slice_of(p, n), &e)) {
		tdx_details(j, &q, &e);
		if (q.signed_part.n + q.trailing > n)
			abort();
		if (q.key_type == 2)
			again_under_our_ca(&q);
	}
	if (!appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .kind = "tdx", .insecure_no_nonce = true }, &e) && v.accepted)
		abort();	/* without collateral, and in 1970 */
	tdx_report_looks_like(slice_of(p, n));
	tdx_report_describe(j, slice_of(p, n), &e);
	return 0;
}
