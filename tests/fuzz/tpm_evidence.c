/* SPDX-License-Identifier: Apache-2.0 */
/* TPM evidence in every form: without a key that the verifier trusts nothing may be accepted. */
#include "attest/appraise.h"
#include "attest/kinds.h"
#include "tee/tpm_quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_VERDICT v = { 0 };
	AUTO_JSON *details = json_object();
	struct err e = { 0 };
	void *parsed = NULL;

	evidence_tpm.recognise(slice_of(p, n));
	if (!evidence_tpm.parse(&parsed, slice_of(p, n), (struct slice){ 0 }, &e)) {
		evidence_tpm.details(details, parsed, &e);
		evidence_tpm.drop(parsed);
	}
	if (!appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .kind = "tpm", .now = 1750000000, .allow_tpm = true,
						       .insecure_no_nonce = true }, &e) && v.accepted)
		abort();
	return 0;
}
