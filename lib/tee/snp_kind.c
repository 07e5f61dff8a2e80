/* SPDX-License-Identifier: Apache-2.0 */
/* SNP evidence in the forms it comes in, and where this machine gets its own. */

#include <ctype.h>

#include "codec/hex64.h"
#include "tee/snp_int.h"
#include "tee/tsm.h"

/* --- the subject ------------------------------------------------------------------------------------------- */

int snp_subject_new(struct snp_subject **ret, struct err *e)
{
	struct snp_subject *s = calloc(1, sizeof *s);

	if (!s)
		return err_oom(e);
	*ret = s;
	return 0;
}

void snp_subject_drop(struct snp_subject *s)
{
	if (!s)
		return;
	certs_free(&s->certs);
	buf_free(&s->cert_trouble);
	free(s);
}

const struct snp_report *snp_subject_report(const struct snp_subject *s)
{
	return &s->r;
}

void snp_subject_cert(struct snp_subject *s, const char *what, struct slice pem_or_der)
{
	struct err e = { 0 };

	if (certs_parse(&s->certs, pem_or_der, &e) && s->cert_trouble.n == 0)
		buf_printf(&s->cert_trouble, "%s cannot be read: %s", what, e.msg);
}

int snp_subject_parse(struct snp_subject **ret, struct slice raw, struct slice certs, struct err *e)
{
	struct snp_subject *s = NULL;

	if (snp_subject_new(&s, e))
		return -1;
	if (snp_report_parse(&s->r, raw, e)) {
		snp_subject_drop(s);
		return -1;
	}
	if (certs.n)
		snp_subject_cert(s, "certificate", certs);
	*ret = s;
	return 0;
}

int snp_subject_details(struct json *to, const struct snp_subject *s, struct err *e)
{
	struct json *arr;

	if (snp_details(to, &s->r, e))
		return -1;
	if (s->certs.n == 0)
		return 0;
	arr = json_add_array(to, "certificates");
	for (size_t i = 0; i < s->certs.n; i++) {
		AUTO_BUF name = { 0 };

		if (cert_name(&name, s->certs.v[i].subject, e))
			return -1;
		json_add_str(arr, NULL, buf_cstr(&name));
	}
	return 0;
}

/* --- forms ------------------------------------------------------------------------------------------------- */

static void take_certs(struct snp_subject *s, const struct snp_certs *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].type == SNP_CERT_VCEK || t->v[i].type == SNP_CERT_VLEK || t->v[i].type == SNP_CERT_ASK)
			snp_subject_cert(s, snp_cert_type_name(t->v[i].type), t->v[i].data);
}

static int parse_json(struct snp_subject *s, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	struct snp_certs t = { 0 };

	if (json_parse(&j, text, EVIDENCE_MAX, e) || snp_json_read(&s->r, &t, j, e))
		return err_ctx(e, "cannot read SNP evidence");
	take_certs(s, &t);
	snp_certs_free(&t);
	return 0;
}

static int parse_table(struct snp_subject *s, struct slice table, struct err *e)
{
	struct snp_certs t = { 0 };

	if (snp_table_parse(&t, table, e))
		return -1;
	take_certs(s, &t);
	snp_certs_free(&t);
	return 0;
}

static int parse_raw(struct snp_subject *s, struct slice raw, struct err *e)
{
	struct slice table = { 0 };

	if (raw.n > SNP_REPORT_SIZE && snp_report_looks_like(raw)) {	/* an extended report: the table follows */
		table = slice_of(raw.p + SNP_REPORT_SIZE, raw.n - SNP_REPORT_SIZE);
		raw.n = SNP_REPORT_SIZE;
	}
	if (snp_report_parse(&s->r, raw, e))
		return -1;
	return table.n && parse_table(s, table, e) ? err_ctx(e, "bytes behind the report") : 0;
}

static bool is_hex_text(struct slice t)
{
	if (t.n < 8)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (!isxdigit(t.p[i]))
			return false;
	return true;
}

static int parse_any(struct snp_subject *s, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);
	AUTO_BUF bytes = { .max = EVIDENCE_MAX };

	if (text.n && text.p[0] == '{')
		return parse_json(s, text, e);
	if (!is_hex_text(text))
		return parse_raw(s, raw, e);
	if (hex_decode(&bytes, text, e))
		return err_ctx(e, "report in hex");
	return parse_raw(s, buf_view(&bytes), e);
}

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	struct snp_subject *s = NULL;

	if (snp_subject_new(&s, e))
		return -1;
	if (parse_any(s, raw, e) || (certs.n && parse_table(s, certs, e))) {
		snp_subject_drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static bool recognise(struct slice raw)
{
	const struct slice text = slice_trim(raw);
	AUTO_BUF head = { 0 };
	struct err e = { 0 };

	if (snp_report_looks_like(raw))
		return true;
	return text.n >= 112 && is_hex_text(slice_of(text.p, 112)) && !hex_decode(&head, slice_of(text.p, 112), &e) &&
	       snp_report_looks_like(buf_view(&head));
}

static void drop(void *p)
{
	snp_subject_drop(p);
}

static int claims(struct json *to, const void *p, struct err *e)
{
	return snp_claims(to, &((const struct snp_subject *)p)->r, e);
}

static int details(struct json *to, const void *p, struct err *e)
{
	return snp_subject_details(to, p, e);
}

/* --- collecting -------------------------------------------------------------------------------------------- */

static int collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_TSM t = { 0 };
	struct snp_report r;
	uint8_t in[TSM_INBLOB] = { 0 };

	if (rd.n > sizeof in)
		return err_set(e, EC_USAGE, "report data is %zu bytes, an SNP report takes 64", rd.n);
	if (rd.n)
		memcpy(in, rd.p, rd.n);
	if (tsm_get(&t, h, "sev_guest", in, e))
		return -1;
	if (snp_report_parse(&r, buf_view(&t.out), e))
		return err_ctx(e, "the kernel's report");
	if (!slice_eq(snp_report_data(&r), slice_of(in, sizeof in)))
		return err_set(e, EC_IO, "the report holds other report data than was asked for");
	buf_move(&ret->raw, &t.out);
	buf_move(&ret->certs, &t.aux);
	return 0;
}

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	struct snp_report r;

	if (snp_report_parse(&r, buf_view(&ev->raw), e))
		return -1;
	return snp_json_write(ret, &r, buf_view(&ev->certs), e);
}

const struct evidence_kind evidence_snp = {
	.name = "snp",
	.title = "AMD SEV-SNP",
	.collect = collect, .to_trustee = to_trustee,
	.recognise = recognise, .parse = parse, .drop = drop, .claims = claims, .details = details,
	.measured = "/measurement", .checks = snp_checks, .n_checks = N_SNP_CHECKS,
};
