/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles and whatever else `attest verify` and `attest show` are given.  Without --allow-sample nothing made by a fuzzer is ever accepted, and a bundle
 * that was read is written and read again as the same. */
#include "attest/appraise.h"
#include "attest/show.h"
#include "evidence/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void round_trip(struct slice text)
{
	AUTO_BUNDLE b = { 0 }, again = { 0 };
	AUTO_BUF out = { 0 };
	uint8_t x[64], y[64];
	struct err e = { 0 };

	if (bundle_parse(&b, text, &e))
		return;
	if (bundle_write(&out, &b, &e))
		return;
	if (bundle_parse(&again, buf_view(&out), &e) || bundle_report_data(x, &b, buf_view(&b.nonce), &e) ||
	    bundle_report_data(y, &again, buf_view(&again.nonce), &e) || memcmp(x, y, 64))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_VERDICT v = { 0 };
	AUTO_JSON *j = json_object();
	struct err e = { 0 };

	if (!appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .now = 1750000000, .has_nonce = true,
						       .nonce = SLICE("fuzz-nonce") }, &e) && v.accepted)
		abort();
	show(j, slice_of(p, n), &e);
	round_trip(slice_of(p, n));
	return 0;
}
