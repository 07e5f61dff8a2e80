/* SPDX-License-Identifier: Apache-2.0 */
/* TDX as a kind of evidence: collected, read and shown.  There are no checks: a quote without its PCK chain and TCB
 * appraisal proves nothing, so nothing here can end in "accepted". */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "tee/tdx.h"
#include "tee/tsm.h"

struct subject {
	struct buf raw;
	struct tdx_quote q;
};

static void drop(void *p)
{
	struct subject *s = p;

	if (!s)
		return;
	buf_free(&s->raw);
	free(s);
}

static int take_raw(struct buf *ret, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);
	AUTO_JSON *j = NULL;

	if (text.n == 0 || text.p[0] != '{') {
		buf_slice(ret, raw);
		return buf_check(ret, e);
	}
	if (json_parse(&j, text, EVIDENCE_MAX, e))
		return -1;
	return json_need_b64(ret, j, "quote", "TDX evidence", e);
}

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	struct subject *s = calloc(1, sizeof *s);

	(void)certs;
	if (!s)
		return err_oom(e);
	s->raw.max = EVIDENCE_MAX;
	if (take_raw(&s->raw, raw, e) || tdx_quote_parse(&s->q, buf_view(&s->raw), e)) {
		drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static int claims(struct json *to, const void *p, struct err *e)
{
	return tdx_claims(to, &((const struct subject *)p)->q, e);
}

static int details(struct json *to, const void *p, struct err *e)
{
	return tdx_details(to, &((const struct subject *)p)->q, e);
}

/* A missing event log is no failure: some firmware writes none. */
static void take_event_log(struct buf *ret, const struct host *h)
{
	AUTO_BUF area = { 0 };
	struct err e = { 0 };
	struct slice used;

	if (host_read(&area, h, "/sys/firmware/acpi/tables/data/CCEL", EVIDENCE_MAX, &e) ||
	    ccel_trim(&used, buf_view(&area), &e)) {
		host_log(h, LOG_INFO, "no event log: %s", e.msg);
		return;
	}
	buf_slice(ret, used);
}

static int collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_TSM t = { 0 };
	struct tdx_quote q;
	uint8_t in[TSM_INBLOB] = { 0 };

	if (rd.n > sizeof in)
		return err_set(e, EC_USAGE, "report data is %zu bytes, a TDX quote takes 64", rd.n);
	if (rd.n)
		memcpy(in, rd.p, rd.n);
	if (tsm_get(&t, h, "tdx_guest", in, e))
		return -1;
	if (tdx_quote_parse(&q, buf_view(&t.out), e))
		return err_ctx(e, "the kernel's quote");
	if (!slice_eq(tdx_report_data(&q), slice_of(in, sizeof in)))
		return err_set(e, EC_IO, "the quote holds other report data than was asked for");
	buf_move(&ret->raw, &t.out);
	take_event_log(&ret->logs[LOG_CCEL], h);
	return buf_check(&ret->logs[LOG_CCEL], e);
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
	.collect = collect, .to_trustee = to_trustee,
	.recognise = tdx_quote_looks_like, .parse = parse, .drop = drop, .claims = claims, .details = details,
	.not_yet = "the quote's signature, its PCK certificate chain, and the TCB collateral",
};
