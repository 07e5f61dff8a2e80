/* SPDX-License-Identifier: Apache-2.0 */
/* SNP evidence in the forms it comes in, and where this machine gets its own. */


#include "base/cursor.h"
#include "codec/hex64.h"
#include "tee/snp_int.h"
#include "tee/report.h"

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
	certs_free(&s->root);
	for (size_t i = 0; i < s->n_lists; i++)
		crl_free(&s->lists[i]);
	buf_free(&s->cert_trouble);
	free(s);
}

const struct snp_report *snp_subject_report(const struct snp_subject *s)
{
	return &s->r;
}

const struct cert_list *snp_subject_certs(const struct snp_subject *s)
{
	return &s->certs;
}

void snp_subject_take(struct snp_subject *s, const char *what, struct slice pem_or_der)
{
	struct err e = { 0 }, no = { 0 };

	if (s->n_lists < SNP_LISTS_MAX && !crl_parse(&s->lists[s->n_lists], pem_or_der, &no)) {
		s->n_lists++;
		return;
	}
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
		snp_subject_take(s, "certificate", certs);
	*ret = s;
	return 0;
}

static void describe_list(struct json *to, const struct crl *c)
{
	AUTO_BUF name = { 0 };
	char from[32], until[32];

	time_format(from, c->this_update);
	time_format(until, c->next_update);
	cert_name(&name, c->issuer, NULL);
	json_add_str(to, "issuer", buf_cstr(&name));
	json_add_str(to, "from", from);
	if (c->next_update)
		json_add_str(to, "until", until);
	json_add_u64(to, "entries", c->entries);
}

/* CPUID leaf 1 EAX, as the host wrote it: base and extended family add up, the model's nibbles stand apart. */
static void describe_extra(struct json *to, uint32_t eax)
{
	const unsigned family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff), model = (eax >> 12 & 0xf0) | (eax >> 4 & 0xf);
	const char *cpu = family > 0xff ? NULL : snp_cpu_name((uint8_t)family, (uint8_t)model);

	json_add_fmt(to, "host_says_cpu", "%s, family %02xh model %02xh stepping %u (not signed)", cpu ? cpu : "not known", family, model, eax & 0xf);
}

int snp_subject_details(struct json *to, const struct snp_subject *s, struct err *e)
{
	struct json *arr;

	if (snp_details(to, &s->r, e))
		return -1;
	if (s->has_extra)
		describe_extra(to, s->extra_cpuid);
	arr = s->n_lists ? json_add_array(to, "revocation_lists") : NULL;
	for (size_t i = 0; i < s->n_lists; i++)
		describe_list(json_add_object(arr, NULL), &s->lists[i]);
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

/* Entries by what the host calls them; what they really are is seen later.  u32 size, u32 CPUID value: Google's. */
static void take_entries(struct snp_subject *s, const struct snp_certs *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct rd r = rd_of(t->v[i].data);
		uint32_t size, cpuid;

		switch (t->v[i].type) {
		case SNP_CERT_VCEK:
		case SNP_CERT_VLEK:
		case SNP_CERT_ASK:
		case SNP_CERT_CRL:
			snp_subject_take(s, snp_cert_type_name(t->v[i].type), t->v[i].data);
			break;
		case SNP_CERT_EXTRA:
			size = rd_le32(&r);
			cpuid = rd_le32(&r);
			if (!r.bad && size == 8) {
				s->has_extra = true;
				s->extra_cpuid = cpuid;
			}
			break;
		case SNP_CERT_ARK:
		case SNP_CERT_OTHER:
			break;
		}
	}
}

static int parse_json(struct snp_subject *s, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	struct snp_certs t = { 0 };

	if (json_parse(&j, text, EVIDENCE_MAX, e) || snp_json_read(&s->r, &t, j, e))
		return err_ctx(e, "cannot read SNP evidence");
	take_entries(s, &t);
	snp_certs_free(&t);
	return 0;
}

static int parse_table(struct snp_subject *s, struct slice table, struct err *e)
{
	struct snp_certs t = { 0 };

	if (snp_table_parse(&t, table, e))
		return -1;
	take_entries(s, &t);
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

static int parse_any(struct snp_subject *s, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);
	AUTO_BUF bytes = { .max = EVIDENCE_MAX };

	if (text.n && text.p[0] == '{')
		return parse_json(s, text, e);
	if (!hex_is(text))
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
	return text.n >= 112 && hex_is(slice_of(text.p, 112)) && !hex_decode(&head, slice_of(text.p, 112), &e) &&
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

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	struct snp_report r;

	if (snp_report_parse(&r, buf_view(&ev->raw), e))
		return -1;
	return snp_json_write(ret, &r, buf_view(&ev->certs), e);
}

static bool recognise_json(const struct json *j)
{
	const struct json *r = json_get(j, "attestation_report");

	return r && !json_get(r, "magic");	/* Hygon's CSV has a member of that name, too */
}

const struct evidence_kind evidence_snp = {
	.name = "snp",
	.title = "AMD SEV-SNP",
	.collect = snp_collect, .to_trustee = to_trustee,
	.recognise = recognise, .recognise_json = recognise_json, .parse = parse, .drop = drop, .claims = claims, .details = details,
	.values = OF_SNP, .measured = "/measurement", .checks = snp_checks, .n_checks = N_SNP_CHECKS,
};
