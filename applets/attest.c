/* SPDX-License-Identifier: Apache-2.0 */
/* attest - evidence of a confidential machine: collect it, judge it, trade it for a token */

#include "attest/machine.h"
#include "attest/show.h"
#include "attest/verbs.h"
#include "codec/out.h"

static int run_detect(const struct ctx *cx, struct err *e)
{
	AUTO_JSON *m = json_object();
	const char *tee;

	if (machine_describe(m, "machine", &tee, cx->host, e))
		return -1;
	for (const struct json *x = json_first(json_get(m, "machine")); x; x = json_next(x))
		json_add_copy(cx->out->claims, json_name(x), x);
	out_verdict(cx->out, tee ? "TEE: %s" : "no TEE", tee);
	if (tee)
		return 0;
	err_set(e, EC_ABSENT, "no TEE found on this machine");
	return err_hint(e, "see 'missing' above");
}

static int run_show(const struct ctx *cx, struct err *e)
{
	AUTO_BUF b = { .max = SHOW_MAX };

	if (read_input(&b, cx->argv[0], SHOW_MAX, e) || show(cx->out->claims, buf_view(&b), e))
		return err_ctx(e, "cannot show '%s'", cx->argv[0]);
	return 0;
}

static const struct verb *const verbs[] = {
	&(const struct verb){ .name = "detect", .summary = "tell what this machine is: TEE, vTPM, event logs, GPUs, and what is missing", .operands = "",
	  .run = run_detect },
	&verb_collect,
	&verb_verify,
	&verb_collateral,
	&(const struct verb){ .name = "show", .summary = "decode evidence, certificates, tokens and bundles, judging nothing", .operands = "FILE",
	  .min_operands = 1, .max_operands = 1, .run = run_show },
	&verb_token,
	&verb_measure,
};

const struct applet applet_attest = {
	.name = "attest",
	.summary = "collect and judge evidence of a confidential machine",
	.notes = "An accepted verdict proves that genuine hardware, down to a key that is pinned, answered your nonce for a guest with these "
		 "measurements.  It does not prove that the guest does what you want: name measurements, PCRs or command lines in a policy "
		 "(cvmbox-policy(5)).  A TPM alone does not show a confidential machine, and sample evidence shows nothing.  "
		 "Evidence of GPUs alone shows nothing about the machine that they are in.",
	VERBS(verbs),
};
