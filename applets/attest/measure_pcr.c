/* SPDX-License-Identifier: Apache-2.0 */
/* attest measure pcr, attest measure initdata - what a TPM is told, and the digest of init data */

#include "measure.h"
#include "tee/measure_initdata.h"
#include "tee/measure_pcr.h"
#include "verbs.h"

static int plan_files(struct pcr_plan *p, const struct measure_args *a, struct err *e)
{
	AUTO_INPUT uki = INPUT_NONE, kernel = INPUT_NONE, initrd = INPUT_NONE;

	if (input_open(&uki, a->uki, e) || input_open(&kernel, a->kernel, e) || input_open(&initrd, a->initrd, e))
		return -1;
	if (a->uki && measure_uki(p, &uki.src, e))
		return err_ctx(e, "'%s'", a->uki);
	if (a->kernel && measure_kernel(p, &kernel.src, e))
		return err_ctx(e, "'%s'", a->kernel);
	if (a->append && measure_cmdline(p, slice_str(a->append), e))
		return -1;
	return a->initrd ? measure_initrd(p, &initrd.src, e) : 0;
}

static int plan_values(struct values *ret, const struct pcr_plan *p, const struct json *claims)
{
	for (size_t i = 0; i < p->n; i++)
		values_event(ret, p->v[i].pcr, p->v[i].digest, hash_size(p->alg), p->v[i].what);
	for (const struct json *j = json_first(json_get(claims, "pcr11")); j; j = json_next(j))
		values_line(ret, "pcr11", json_string(j), json_name(j));
	return 0;
}

int measure_pcr(struct values *ret, struct json *inputs, const struct measure_args *a, struct err *e)
{
	AUTO_PCR_PLAN p = { .alg = a->hash == 1 ? HASH_SHA384 : HASH_SHA256 };

	if (!a->uki && !a->kernel && !a->append && !a->initrd)
		return err_set(e, EC_USAGE, "what is booted? give --uki FILE, or --kernel, --initrd and --append");
	if (a->uki && a->kernel)
		return err_set(e, EC_USAGE, "--uki has a kernel inside: leave --kernel out");
	if (plan_files(&p, a, e) || pcr_plan_json(inputs, &p, e))
		return -1;
	ret->policy = json_object();
	json_add_str(ret->policy, "schema", "cvmbox.policy/1");
	if (pcr_plan_policy(ret->policy, &p, e))
		return -1;
	if (a->append && *a->append && !json_get(ret->policy, "kernel_cmdlines"))
		json_add_str(json_add_array(ret->policy, "kernel_cmdlines"), NULL, a->append);
	if (!p.uki)
		values_note(ret, "other PCRs depend on firmware and boot loader: a policy names images and command lines, which the event log has to show");
	return plan_values(ret, &p, inputs);
}

int measure_initdata(struct values *ret, struct json *inputs, const struct measure_args *a, struct err *e)
{
	static const struct {
		size_t n;
		const char *where;
	} fields[] = { { 32, "SNP host_data, TPM (PCR 8)" }, { 48, "TDX mr_config_id" }, { 64, "CCA realm personalization value" } };
	AUTO_BUF file = { .max = INITDATA_MAX * 2 };
	AUTO_INITDATA d = { .version = "" };
	uint8_t v[64];

	if (!a->initdata)
		return err_set(e, EC_USAGE, "which init data? give --initdata FILE");
	if (read_input(&file, a->initdata, INITDATA_MAX * 2, e) || initdata_read(&d, buf_view(&file), e))
		return err_ctx(e, "'%s'", a->initdata);
	if (initdata_json(inputs, &d, e))
		return -1;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		initdata_field(v, fields[i].n, &d);
		if (values_add(ret, "init_data", v, fields[i].n, e, "%s", fields[i].where))
			return -1;
	}
	return 0;
}
