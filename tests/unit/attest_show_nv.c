/* SPDX-License-Identifier: Apache-2.0 */
/* What goes with evidence of GPUs, decoded for people. */

#include "attest/show.h"
#include "codec/hex64.h"
#include "crypto/ocsp.h"
#include "nv_maker.h"
#include "rim_maker.h"
#include "test.h"

static struct json *shown(struct slice data)
{
	struct json *j = json_object();

	WORKS(show(j, data, &e));
	return j;
}

TEST(show_tells_of_a_manifest_whether_it_holds)
{
	AUTO_BUF good = { .max = RIM_MAX }, bad = { .max = RIM_MAX }, answer = { .max = 2 * RIM_MAX };

	rim_make(&good, &(const struct rim_make){ .version = "550.54.14" });
	rim_make(&bad, &(const struct rim_make){ .fault = RIM_WRONG_DIGEST });
	rim_service_make(&answer, "NV_GPU_DRIVER_GH100_550.54.14", buf_view(&good));

	AUTO_JSON *a = shown(buf_view(&good)), *b = shown(buf_view(&bad)), *c = shown(buf_view(&answer));

	STR(json_string(json_get(a, "version")), "550.54.14");
	OK(json_true(json_get(a, "digest_holds")) && json_true(json_get(a, "signature_holds")));
	HAS(json_string(json_get(a, "chain")), "does not lead to the pinned root");	/* that of the tests is not NVIDIA's */
	EQ(json_count(json_get(a, "measurements")), 1);
	OK(!json_true(json_get(b, "digest_holds")) && json_is_bool(json_get(b, "digest_holds")));
	STR(json_string(json_get(c, "version")), "550.54.14");
}

TEST(show_tells_of_certificate_status)
{
	AUTO_BUF der = { .max = OCSP_MAX }, pem = { 0 };
	AUTO_CERTS chain = { 0 };
	const struct nv_make m = { .device = 0 };

	nv_make_chain(&pem, &m);
	WORKS(certs_parse(&chain, buf_view(&pem), &e));

	const struct ocsp_make_entry v[] = {
		{ .cert = &chain.v[1], .issuer = &chain.v[2], .status = OCSP_GOOD, .reason = -1, .this_update = NV_MAKER_NOW, .next_update = NV_MAKER_NOW + 60 },
		{ .cert = &chain.v[2], .issuer = &chain.v[3], .status = OCSP_REVOKED, .reason = OCSP_REASON_HOLD, .revoked_at = NV_MAKER_NOW - 5,
		  .this_update = NV_MAKER_NOW },
	};

	WORKS(ocsp_make(&der, &(const struct ocsp_make){ .v = v, .n = 2, .signer = &chain.v[2], .signer_key = nv_make_key(&m, 2),
							 .produced_at = NV_MAKER_NOW, .nonce = SLICE("12345678") }, &e));

	AUTO_JSON *j = shown(buf_view(&der));

	STR(json_string(json_path(j, "/response_status")), "successful");
	STR(json_string(json_get(j, "nonce")), "3132333435363738");
	EQ(json_count(json_get(j, "certificates")), 2);
	STR(json_string(json_path(j, "/certificates/0/status")), "good");
	STR(json_string(json_path(j, "/certificates/1/reason")), "certificateHold");
	OK(!json_path(j, "/certificates/1/next_update"));
}
