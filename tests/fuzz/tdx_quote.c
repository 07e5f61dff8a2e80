/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes and event logs. */
#include "attest/appraise.h"
#include "attest/show.h"
#include "tee/tdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_JSON *j = json_object();
	AUTO_VERDICT v = { 0 };
	struct tdx_quote q;
	struct slice used;
	struct err e = { 0 };

	if (!tdx_quote_parse(&q, slice_of(p, n), &e)) {
		tdx_details(j, &q, &e);
		if (q.signed_part.n + q.trailing > n)
			abort();
	}
	if (!appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .kind = "tdx", .insecure_no_nonce = true }, &e) && v.accepted)
		abort();	/* without collateral, and in 1970 */
	if (!ccel_trim(&used, slice_of(p, n), &e) && used.n > n)
		abort();
	return 0;
}
