/* SPDX-License-Identifier: Apache-2.0 */
/* SNP evidence in every form: nobody here has AMD's keys, so nothing may be accepted; and what is written as JSON reads back as the same bytes. */
#include "attest/appraise.h"
#include "tee/snp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

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
	if (!appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .kind = "snp", .now = 1750000000,
						       .insecure_no_nonce = true, .has_nonce = true, .nonce = SLICE("fuzz") }, &e) &&
	    v.accepted)
		abort();
	round_trip(slice_of(p, n));
	return 0;
}
