/* SPDX-License-Identifier: Apache-2.0 */
/* See snp_run.h. */

#include "attest/policy.h"
#include "snp_run.h"
#include "test.h"

const uint8_t run_nonce[RUN_NONCE] = "0123456789abcdef0123456789abcde";

static void give_list(struct collateral *to, const struct list_make *l)
{
	AUTO_BUF der = { 0 };

	if (!l)
		return;
	list_make(&der, l);
	WORKS(collateral_add(to, buf_view(&der), "test list", "", &e));
}

/* The report, and the host's table behind it if there is anything to put there. */
static void put_evidence(struct buf *ret, const uint8_t raw[static SNP_REPORT_SIZE], const struct snp_run *r)
{
	struct table_entry v[2];
	AUTO_BUF list = { 0 };
	size_t n = 0;

	buf_put(ret, raw, SNP_REPORT_SIZE);
	if (r->sent) {
		list_make(&list, r->sent);
		v[n++] = (struct table_entry){ GUID_CRL, buf_view(&list) };
	}
	if (r->mid_sent)
		v[n++] = (struct table_entry){ GUID_ASK, maker_ca_der(r->report.product, r->vek.vlek ? MAKER_ASVK : MAKER_ASK) };
	if (n)
		entries_make(ret, v, n);
}

void snp_run(struct verdict *v, const struct snp_run *r)
{
	uint8_t raw[SNP_REPORT_SIZE];
	struct report_make mk = r->report;
	AUTO_BUF der = { 0 }, evidence = { 0 };
	AUTO_COLLATERAL given = { 0 };
	AUTO_POLICY *p = NULL;
	struct err e = { 0 };

	mk.report_data = run_nonce;
	mk.n = RUN_NONCE;
	mk.vlek = r->vek.vlek;
	report_make(raw, &mk);
	if (r->change) {
		r->change(raw);
		report_sign(raw);
	}
	vek_make(&der, raw, &r->vek);
	if (r->spoil)
		r->spoil(raw);
	put_evidence(&evidence, raw, r);
	if (!r->no_vek)
		WORKS(collateral_add(&given, buf_view(&der), "test VEK", "", &e));
	if (r->mid_given)
		WORKS(collateral_add(&given, maker_ca_der(mk.product, r->vek.vlek ? MAKER_ASVK : MAKER_ASK), "test CA", "", &e));
	give_list(&given, r->list);
	give_list(&given, r->list2);
	if (r->policy)
		WORKS(policy_parse(&p, slice_str(r->policy), "test.json", &e));
	if (appraise(v, &(const struct appraise_in){
			.evidence = buf_view(&evidence), .kind = "snp", .given = &given, .policy = p,
			.now = r->now ? r->now : MAKER_NOW, .has_nonce = !r->no_nonce, .insecure_no_nonce = r->waive,
			.nonce = slice_of(r->other_nonce ? (const uint8_t *)"other" : run_nonce, r->short_nonce ? 31 : r->other_nonce ? 5 : 32),
			.snp_roots = maker_roots() }, &e))
		test_fail(__FILE__, __LINE__, "appraise: %s", e.msg);
}

static const struct json *check_of(const struct verdict *v, const char *id)
{
	for (const struct json *c = json_first(v->checks); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return c;
	return NULL;
}

const char *snp_result(const struct verdict *v, const char *id)
{
	const struct json *c = check_of(v, id);

	return c ? json_string(json_get(c, "result")) : "absent";
}

const char *snp_member(const struct verdict *v, const char *id, const char *member)
{
	const char *s = json_string(json_get(check_of(v, id), member));

	return s ? s : "";
}

static bool warned_besides_advisories(const struct verdict *v)
{
	for (const struct json *c = json_first(v->checks); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "result")), "warn") && strncmp(json_string(json_get(c, "id")), "advisory.", 9))
			return true;
	return false;
}

void snp_accepted(const struct snp_run *r, bool warned)
{
	AUTO_VERDICT v = { 0 };

	snp_run(&v, r);
	if (!v.accepted)
		test_fail(__FILE__, __LINE__, "refused: %s", buf_cstr(&v.reason));
	EQ(warned_besides_advisories(&v), warned);
}

void snp_refused(const struct snp_run *r, const char *id)
{
	AUTO_VERDICT v = { 0 };

	snp_run(&v, r);
	OK(!v.accepted);
	STR(snp_result(&v, id), "fail");
	if (strncmp(buf_cstr(&v.reason), id, strlen(id)) || buf_cstr(&v.reason)[strlen(id)] != ':')
		test_fail(__FILE__, __LINE__, "refused by '%s', wanted %s", buf_cstr(&v.reason), id);
}

void snp_came_to(const struct snp_run *r, const char *id, const char *result, const char *member, const char *why)
{
	AUTO_VERDICT v = { 0 };

	snp_run(&v, r);
	if (strcmp(snp_result(&v, id), result))
		test_fail(__FILE__, __LINE__, "%s: %s, wanted %s (%s)", id, snp_result(&v, id), result, snp_member(&v, id, "actual"));
	if (why && !strstr(snp_member(&v, id, member), why))
		test_fail(__FILE__, __LINE__, "%s: %s is '%s', wanted '%s' in it", id, member, snp_member(&v, id, member), why);
	EQ(v.accepted, strcmp(result, "fail") != 0);
}
