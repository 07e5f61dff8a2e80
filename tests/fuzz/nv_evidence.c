/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of NVIDIA devices in every form: nobody here has NVIDIA's keys, so nothing may pass its signature checks.  Then the report again, signed by a
 * device of the tests' CA, so that the checks behind the signature see it; with one bit flipped after that the signature has to fail. */

#include <stdlib.h>

#include "nv_maker.c"	/* a fuzz target is one object */
#include "gpu/nvgpu_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

void test_fail(const char *file, int line, const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)fmt;
	abort();
}

static enum rule default_rule(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

/* All checks and the claims; was it accepted, as far as without manifests it can be? */
static bool appraised(const struct evidence_kind *k, struct slice raw, const struct expect *x, bool *signature)
{
	AUTO_JSON *list = json_array(), *claims = json_object();
	struct stages st = { 0 };
	struct tally t = { .list = list };
	void *parsed = NULL;
	bool good = true;

	*signature = false;
	if (k->parse(&parsed, raw, (struct slice){ 0 }, NULL))
		return false;
	if (k->stages(&st, parsed, x, NULL))
		abort();
	for (size_t i = 0; i < st.n; i++)
		good &= checks_run(&t, st.v[i].checks, st.v[i].n_checks, st.v[i].subject, &st.v[i].x, default_rule, NULL);
	*signature = ((const struct nv_parsed *)parsed)->v[0].outcome[NV_C_SIGNATURE] == PASSED;
	if (k->claims(claims, parsed, NULL) || k->details(claims, parsed, NULL))
		abort();
	buf_free(&t.reason);
	k->drop(parsed);
	return good;
}

static struct expect strict(const uint8_t *root)
{
	return (struct expect){ .limits = &limits_strict, .now = NV_MAKER_NOW, .no_collateral = true, .no_freshness = true, .nv_device_root = root };
}

static void round_trip(struct slice raw)
{
	AUTO_BUF joined = { 0 }, again = { 0 };
	AUTO_JSON *j = NULL;
	struct slice both[2] = { raw, raw };

	if (nv_join(&joined, both, 1, NULL))
		return;
	both[0] = buf_view(&joined);
	if (nv_join(&again, both, 1, NULL) || !slice_eq(buf_view(&joined), buf_view(&again)) || nv_to_trustee(&j, raw, NULL))
		abort();
}

static void signed_anew(struct slice raw)
{
	struct nv_make m = { .arch = NV_HOPPER };
	const struct expect x = strict(nv_make_root());
	AUTO_BUF report = { 0 };
	struct spdm_report r;
	bool signature;

	if (spdm_parse(&r, raw, NULL))
		return;
	m.arch = r.n_blocks == NV_SWITCH_BLOCKS ? NV_LS10 : raw.p[4] & 1 ? NV_BLACKWELL : NV_HOPPER;
	buf_put(&report, raw.p, r.signed_part.n + r.signature.n);
	nv_make_sign(&report, &m);
	nv_make_chain(&report, &m);
	appraised(m.arch == NV_LS10 ? &evidence_nvswitch : &evidence_nvgpu, buf_view(&report), &x, &signature);
	if (raw.p[5] % 8)	/* each verification costs milliseconds */
		return;
	report.p[4 + raw.p[6] % 32] ^= 1;
	appraised(m.arch == NV_LS10 ? &evidence_nvswitch : &evidence_nvgpu, buf_view(&report), &x, &signature);
	if (signature)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice raw = slice_of(p, n);
	const struct slice text = slice_trim(raw);
	const struct expect x = strict(nv_make_root());
	AUTO_BUF bytes = { 0 };
	bool signature;

	evidence_nvgpu.recognise(raw);
	evidence_nvswitch.recognise(raw);
	if (appraised(&evidence_nvgpu, raw, &x, &signature) || signature || appraised(&evidence_nvswitch, raw, &x, &signature) || signature)
		abort();
	round_trip(raw);
	if (hex_is(text) && !hex_decode(&bytes, text, NULL))
		signed_anew(buf_view(&bytes));
	else
		signed_anew(raw);
	return 0;
}
