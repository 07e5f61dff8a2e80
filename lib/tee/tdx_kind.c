/* SPDX-License-Identifier: Apache-2.0 */
/* TDX as a kind of evidence: how it is collected, and that its checks are those of tdx_verify.h. */

#include "codec/hex64.h"
#include "tee/report.h"
#include "tee/tdx_verify.h"

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	(void)certs;
	return tdx_subject_parse(ret, raw, e);
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

const struct evidence_kind evidence_tdx = {
	.name = "tdx",
	.title = "Intel TDX",
	.collect = tdx_collect, .to_trustee = to_trustee,
	.recognise = recognise, .parse = parse, .drop = tdx_subject_drop, .claims = tdx_subject_claims, .details = tdx_subject_details,
	.has_log = true, .measured = "/quote/body/mr_td",
	.checks = tdx_checks, .n_checks = N_TDX_CHECKS,
};
