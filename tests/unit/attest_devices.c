/* SPDX-License-Identifier: Apache-2.0 */
/* Devices in a verdict: how each one came through by itself, and where devices alone will do. */

#include "attest/appraise.h"
#include "attest/policy.h"
#include "evidence/bundle.h"
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

TEST(devices_alone_in_a_bundle_are_warned_of)
{
	const uint8_t wanted[16] = { 9 };
	AUTO_BUNDLE b = { .nonce.max = BUNDLE_NONCE_MAX };
	AUTO_BUF raw = { 0 }, text = { .max = BUNDLE_MAX };
	AUTO_VERDICT v = { 0 };
	uint8_t derived[32];
	bool warned = false;

	buf_put(&b.nonce, wanted, sizeof wanted);
	WORKS(bundle_nonce_for(derived, "nvgpu", slice_of(wanted, sizeof wanted), (struct slice){ 0 }, &e));
	nv_make_evidence(&raw, &(const struct nv_make){ .nonce = derived }, 1);
	WORKS(bundle_add(&b.evidence, "nvgpu", "", "", buf_view(&raw), &e));
	WORKS(bundle_write(&text, &b, &e));
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&text), .now = NV_MAKER_NOW, .has_nonce = true,
							 .nonce = slice_of(wanted, sizeof wanted), .insecure_no_collateral = true,
							 .allow_devices = true, .nv_device_root = nv_make_root() }, &e));
	OK(v.accepted && v.warned);
	for (const struct json *c = json_first(v.checks); c; c = json_next(c))
		warned |= !strcmp(json_string(json_get(c, "id")), "evidence.kind") && !strcmp(json_string(json_get(c, "result")), "warn");
	OK(warned);
}

TEST(bundle_nonce_that_is_too_long_is_malformed)
{
	AUTO_BUF text = { .max = BUNDLE_MAX };
	AUTO_BUNDLE b = { 0 };

	buf_puts(&text, "{\"schema\":\"" BUNDLE_SCHEMA "\",\"nonce\":\"");
	for (size_t i = 0; i < 6000; i++)
		buf_puts(&text, "00");
	buf_puts(&text, "\",\"runtime_data\":\"\"}");
	FAILS(bundle_parse(&b, buf_view(&text), &e), EC_FORMAT);
}

TEST(devices_listed_beside_a_tee_do_not_take_its_place)
{
	static const struct { const char *kinds; bool accepted; } t[] = {
		{ "[\"nvgpu\"]", true }, { "[\"nvgpu\",\"nvswitch\"]", true }, { "[\"snp\",\"nvgpu\"]", false }, { "[\"snp\"]", false },
	};
	AUTO_BUF raw = { 0 };

	nv_make_evidence(&raw, &(const struct nv_make){ .nonce = nonce }, 1);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_BUF text = { 0 };
		AUTO_POLICY *p = NULL;

		buf_printf(&text, "{\"schema\":\"cvmbox.policy/1\",\"kinds\":%s}", t[i].kinds);
		WORKS(policy_parse(&p, buf_view(&text), "p.json", &e));
		for (int will_do = 0; will_do < 2; will_do++) {
			AUTO_VERDICT v = { 0 };

			WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&raw), .now = NV_MAKER_NOW, .has_nonce = true,
									  .nonce = slice_of(nonce, sizeof nonce), .insecure_no_collateral = true,
									  .policy = p, .allow_devices = will_do, .nv_device_root = nv_make_root() }, &e));
			EQ(v.accepted, t[i].accepted);
			if (!v.accepted)
				HAS(buf_cstr(&v.reason), "evidence.kind");
		}
	}
}
