/* SPDX-License-Identifier: Apache-2.0 */
/* SNP evidence in every form: nobody here has AMD's keys, so nothing may be accepted; and what is written as JSON reads back
 * as the same bytes.  Then the report again, signed by a test VCEK that was made for it under test roots, so that what stands
 * behind the signature is reached too; that one may be accepted, and only if a flipped byte makes it refused. */

#include "attest/appraise.h"
#include "snp_maker.c"	/* a fuzz target is one object */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What snp_maker.c reports to is the unit tests'. */
void test_fail(const char *file, int line, const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)fmt;
	abort();
}

static void round_trip(struct slice raw)
{
	struct snp_report r, again;
	struct snp_certs certs = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_JSON *j = NULL;
	struct err e = { 0 };

	if (raw.n < SNP_REPORT_SIZE || snp_report_parse(&r, slice_of(raw.p, SNP_REPORT_SIZE), &e) || snp_reserved_set(&text, &r) ||
	    snp_json_write(&j, &r, (struct slice){ 0 }, &e) || snp_json_read(&again, &certs, j, &e))
		return;
	/* what stands before the parts that the JSON form leaves out */
	if (memcmp(r.raw, again.raw, SNP_TCB_CURRENT) || memcmp(r.raw + 0x50, again.raw + 0x50, 0x130) || again.version != r.version)
		abort();
	snp_certs_free(&certs);
}

static bool accepted(struct slice evidence, struct slice vek)
{
	AUTO_COLLATERAL given = { 0 };
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	if (vek.n && collateral_add(&given, vek, "fuzz", "", &e))
		return false;
	return !appraise(&v, &(const struct appraise_in){ .evidence = evidence, .kind = "snp", .given = &given, .now = MAKER_NOW,
							  .insecure_no_nonce = true, .snp_roots = maker_roots() }, &e) && v.accepted;
}

/* The table that follows stays as it came. */
static void signed_anew(struct slice in)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF vek = { 0 }, all = { 0 };
	struct snp_report r;
	struct err e = { 0 };

	if (in.n < SNP_REPORT_SIZE)
		return;
	memcpy(raw, in.p, sizeof raw);
	raw[0] = (uint8_t)(raw[0] % 8);
	if (snp_report_parse(&r, slice_of(raw, sizeof raw), &e))
		return;
	report_sign(raw);
	vek_make(&vek, raw, &(const struct vek_make){ .vlek = snp_signing_key(&r) == SNP_KEY_VLEK });
	buf_put(&all, raw, sizeof raw);
	buf_put(&all, in.p + sizeof raw, in.n - sizeof raw);
	if (!accepted(buf_view(&all), buf_view(&vek)) || in.p[0x51] % 8)	/* each verification costs milliseconds */
		return;
	all.p[0x90 + in.p[0x50] % 48] ^= 1;
	if (accepted(buf_view(&all), buf_view(&vek)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_VERDICT v = { 0 };
	AUTO_JSON *details = json_object();
	struct err e = { 0 };
	void *parsed = NULL;

	if (!evidence_snp.parse(&parsed, slice_of(p, n), (struct slice){ 0 }, &e)) {
		evidence_snp.details(details, parsed, &e);
		evidence_snp.drop(parsed);
	}
	if (!appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .kind = "snp", .now = MAKER_NOW,
						       .insecure_no_nonce = true, .has_nonce = true, .nonce = SLICE("fuzz") }, &e) &&
	    v.accepted)
		abort();
	round_trip(slice_of(p, n));
	signed_anew(slice_of(p, n));
	return 0;
}
