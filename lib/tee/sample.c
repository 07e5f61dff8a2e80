/* SPDX-License-Identifier: Apache-2.0 */
/* Sample evidence: see sample.h. */

#include "codec/hex64.h"
#include "tee/sample.h"

#define REPORT_DATA_MAX 64

struct subject {
	char svn[64];
	struct buf report_data;
	char report_data_text[128];
};

static void drop(void *p)
{
	struct subject *s = p;

	if (!s)
		return;
	buf_free(&s->report_data);
	free(s);
}

static int read_members(struct subject *s, const struct json *j, struct err *e)
{
	static const char *const names[] = { "svn", "report_data", NULL };
	const char *svn, *rd;

	if (json_only(j, names, "sample evidence", e) || json_need_str(&svn, j, "svn", "sample evidence", e) ||
	    json_need_str(&rd, j, "report_data", "sample evidence", e) ||
	    json_need_b64(&s->report_data, j, "report_data", "sample evidence", e))
		return -1;
	if (s->report_data.n > REPORT_DATA_MAX)
		return err_set(e, EC_FORMAT, "report data of sample evidence has %zu bytes, at most %d are possible",
			       s->report_data.n, REPORT_DATA_MAX);
	if (strnlen(svn, sizeof s->svn) == sizeof s->svn)
		return err_set(e, EC_FORMAT, "svn of sample evidence is longer than %zu characters", sizeof s->svn - 1);
	snprintf(s->svn, sizeof s->svn, "%s", svn);
	snprintf(s->report_data_text, sizeof s->report_data_text, "%s", rd);
	return 0;
}

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	AUTO_JSON *j = NULL;
	struct subject *s;

	(void)certs;
	if (json_parse(&j, slice_trim(raw), 64 << 10, e))
		return err_ctx(e, "cannot read sample evidence");
	s = calloc(1, sizeof *s);
	if (!s)
		return err_oom(e);
	if (read_members(s, j, e)) {
		drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static int claims(struct json *to, const void *p, struct err *e)
{
	const struct subject *s = p;
	struct json *v;

	(void)e;
	json_add_str(to, "svn", s->svn);
	json_add_str(to, "report_data", s->report_data_text);
	json_add_str(to, "launch_digest", SAMPLE_LAUNCH_DIGEST);
	v = json_add_object(to, "platform_version");
	json_add_u64(v, "major", 1);
	json_add_u64(v, "minor", 4);
	json_add_bool(to, "debug", false);
	return 0;
}

static enum outcome check_allowed(void *p, const struct expect *x, struct finding *f)
{
	(void)p;
	buf_puts(&f->expected, "a real TEE");
	buf_puts(&f->actual, "sample: anybody can write this evidence");
	if (x->allow_sample)
		return WARNED;
	buf_puts(&f->hint, "for trying things out only: --allow-sample");
	return FAILED;
}

static enum outcome check_report_data(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;

	buf_hex(&f->actual, buf_view(&s->report_data));
	if (x->report_data.n == 0) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "without one the evidence may be an old one: give --nonce, or --insecure-no-nonce");
		return x->no_freshness ? WARNED : FAILED;
	}
	buf_hex(&f->expected, x->report_data);
	if (!slice_eq(buf_view(&s->report_data), x->report_data)) {	/* as given, no padding */
		buf_puts(&f->hint, "the evidence was made for another nonce: is it an old one?");
		return FAILED;
	}
	return x->no_freshness ? WARNED : PASSED;
}

static enum outcome check_measurement(void *p, const struct expect *x, struct finding *f)
{
	const struct texts *list = &x->limits->measurements;

	(void)p;
	if (list->n == 0) {
		buf_puts(&f->hint, "the policy names none");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	if (list->n == 1)
		buf_puts(&f->expected, list->v[0]);
	else
		buf_printf(&f->expected, "one of %zu values", list->n);
	return found(f, texts_have(list, SAMPLE_LAUNCH_DIGEST), NULL, SAMPLE_LAUNCH_DIGEST);
}

static const struct check checks[] = {
	{ "sample.allowed", 0, CHECK_BASE, check_allowed },
	{ "sample.report_data", 0, CHECK_BASE, check_report_data },
	{ "sample.measurement", 0, CHECK_WHERE_ASKED, check_measurement },
};

static int to_json(struct json **ret, struct slice rd, struct err *e)
{
	struct json *j = json_object();

	if (!j)
		return err_oom(e);
	json_add_str(j, "svn", "1");
	json_add_b64(j, "report_data", rd);
	*ret = j;
	return 0;
}

static int collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_JSON *j = NULL;

	(void)h;
	if (rd.n > REPORT_DATA_MAX)
		return err_set(e, EC_USAGE, "report data is %zu bytes, at most %d are possible", rd.n, REPORT_DATA_MAX);
	return to_json(&j, rd, e) || json_write(&ret->raw, j, false, e) ? -1 : 0;
}

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	return json_parse(ret, buf_view(&ev->raw), 64 << 10, e);
}

static bool recognise_json(const struct json *j)
{
	return json_get(j, "svn") && json_get(j, "report_data");
}

const struct evidence_kind evidence_sample = {
	.name = "sample",
	.title = "sample (no TEE)",
	.collect = collect, .to_trustee = to_trustee,
	.recognise_json = recognise_json, .parse = parse, .drop = drop, .claims = claims, .details = claims,
	.measured = "/launch_digest", .checks = checks, .n_checks = sizeof checks / sizeof checks[0],
};
