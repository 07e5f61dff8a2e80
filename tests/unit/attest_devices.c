/* SPDX-License-Identifier: Apache-2.0 */
/* Devices in a verdict: how each one came through by itself, and where devices alone will do. */

#include "attest/appraise.h"
#include "attest/policy.h"
#include "nv_maker.h"
#include "test.h"

static const uint8_t nonce[32] = { 7 };

static void judged(struct verdict *ret, bool second_is_bad, bool alone_will_do)
{
	const struct nv_make m[2] = { { .nonce = nonce }, { .nonce = nonce, .device = 1, .other_key = second_is_bad } };
	AUTO_BUF raw = { 0 };

	nv_make_evidence(&raw, m, 2);
	WORKS(appraise(ret, &(const struct appraise_in){ .evidence = buf_view(&raw), .now = NV_MAKER_NOW, .has_nonce = true,
							  .nonce = slice_of(nonce, sizeof nonce), .insecure_no_collateral = true,
							  .allow_devices = alone_will_do, .nv_device_root = nv_make_root() }, &e));
}

TEST(devices_have_a_result_each)
{
	AUTO_VERDICT v = { 0 }, w = { 0 };

	judged(&v, false, true);
	OK(v.accepted && v.warned);
	STR(json_string(json_path(v.claims, "/nvgpu/results/GPU-0")), "warn");
	STR(json_string(json_path(v.claims, "/nvgpu/results/GPU-1")), "warn");
	STR(json_string(json_path(v.claims, "/nvgpu/colocation")), "not-proven");
	judged(&w, true, true);
	OK(!w.accepted);
	STR(json_string(json_path(w.claims, "/nvgpu/results/GPU-0")), "warn");
	STR(json_string(json_path(w.claims, "/nvgpu/results/GPU-1")), "fail");
	HAS(buf_cstr(&w.reason), "nvgpu.signature of GPU-1");
}

TEST(devices_alone_are_refused_unless_the_caller_says_that_they_will_do)
{
	AUTO_VERDICT v = { 0 };

	judged(&v, false, false);
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "evidence.kind");
}
