/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files: whatever they say, evidence with a wrong signature stays refused. */
#include "attest/appraise.h"
#include "attest/policy_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t report[1184] = { [0] = 3, [0x0a] = 3, [0x34] = 1, [0x188] = 0x19 };
	AUTO_POLICY *policy = NULL;
	AUTO_VERDICT snp = { 0 }, sample = { 0 };
	struct err e = { 0 };

	if (policy_parse(&policy, slice_of(p, n), "fuzz", &e))
		return 0;
	if (policy_rule(policy, "snp.signature") == RULE_IGNORE || policy_rule(policy, "snp.chain") == RULE_WARN)
		abort();
	if (appraise(&snp, &(const struct appraise_in){ .evidence = slice_of(report, sizeof report), .policy = policy, .now = 1750000000,
							.insecure_no_nonce = true }, &e) || snp.accepted)
		abort();
	if (appraise(&sample, &(const struct appraise_in){ .evidence = SLICE("{\"svn\":\"1\",\"report_data\":\"bg==\"}"), .policy = policy,
							   .has_nonce = true, .nonce = SLICE("n") }, &e) || sample.accepted)
		abort();
	policy_resource(policy, "default/key/1", "snp", snp.claims, &e);
	return 0;
}
