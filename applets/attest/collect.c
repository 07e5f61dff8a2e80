/* SPDX-License-Identifier: Apache-2.0 */
/* attest collect - evidence of this machine into one file */

#include "attest/collect.h"
#include "base/cursor.h"
#include "base/outfile.h"
#include "codec/out.h"
#include "gpu/pci.h"
#include "tee/tpm_wire.h"
#include "verbs.h"

#define NONCE_BYTES 32		/* of a fresh one */

struct collect_args {
	const char *tee, *nonce, *nonce_file, *runtime_data, *output, *pcrs, *vmpl, *svsm_service;
	int gpus, format;
	bool svsm, force;
};
static const char *const gpus_words[] = { "auto", "none", NULL };
static const char *const format_words[] = { "bundle", "trustee", NULL };
#define args collect_args
static const struct opt collect_opts[] = {
	OPT_STR(0, "tee", tee, "KIND", "TEE to ask: auto, snp, tdx, az-snp-vtpm, az-tdx-vtpm, cca, tpm or sample (default: auto, which never picks tpm or sample)"),
	OPT_ENUM(0, "gpus", gpus, gpus_words, "none leaves GPUs out; auto (default) is an error where there are any: their evidence is not collected yet"),
	OPT_STR('n', "nonce", nonce, "HEX", "the verifier's nonce, 8 to 64 bytes (default: a fresh random one)"),
	OPT_STR(0, "nonce-file", nonce_file, "FILE", "file with the nonce, hex text or bytes"),
	OPT_STR(0, "runtime-data", runtime_data, "FILE", "bind these bytes too, e.g. a public key"),
	OPT_STR(0, "pcrs", pcrs, "BANK:LIST", "PCRs that --tee tpm quotes, e.g. sha256:0-7,11 (default: all, of sha256 where there is that bank)"),
	OPT_STR(0, "vmpl", vmpl, "N", "privilege level that an SNP report is for, 0 to 3 (default: the one the kernel runs at)"),
	OPT_FLAG(0, "svsm", svsm, "with the manifest of the services of an SVSM, bound by the SNP report"),
	OPT_STR(0, "svsm-service", svsm_service, "GUID", "of this service alone (implies --svsm)"),
	OPT_ENUM(0, "format", format, format_words, "bundle (default), or the evidence JSON of Trustee, whose report data is the nonce itself"),
	OPT_STR('o', "output", output, "BUNDLE", "where the bundle goes (default: standard output)"),
	OPT_FLAG('f', "force", force, "overwrite an existing bundle"),
	OPT_END
};
#undef args

/* Evidence of a machine with GPUs, without the GPUs', would look like that of a machine that has none. */
static int gpus_settled(const struct ctx *cx, struct err *e)
{
	const struct collect_args *a = cx->args;
	AUTO_GPU_LIST l = { 0 };

	if (a->gpus == 1)
		return 0;
	if (gpu_list(&l, cx->host, e))
		return -1;
	if (l.n == 0)
		return 0;
	err_set(e, EC_ABSENT, "this machine has GPUs, and this version does not collect their evidence");
	return err_hint(e, "--gpus none collects the CPU's alone");
}

static int choose(struct collect_how *how, const struct collect_args *a, struct err *e)
{
	uint16_t bank;
	uint64_t level = 0;

	if ((a->vmpl || a->svsm || a->svsm_service) && a->format == 1)
		return err_set(e, EC_USAGE, "--vmpl and --svsm are for bundles: leave --format trustee out");
	if (a->vmpl && parse_u64(&level, a->vmpl, 3, e))
		return err_set(e, EC_USAGE, "--vmpl is '%s', wanted 0 to 3", a->vmpl);
	how->has_vmpl = a->vmpl != NULL;
	how->vmpl = (unsigned)level;
	how->svsm = a->svsm || a->svsm_service;
	how->svsm_service = a->svsm_service;
	if (!a->pcrs)
		return 0;
	if (!a->tee || strcmp(a->tee, "tpm"))
		return err_set(e, EC_USAGE, "--pcrs is for --tee tpm");
	if (a->format == 1)
		return err_set(e, EC_USAGE, "--format trustee holds all PCRs: leave --pcrs out");
	if (tpm_pcr_selection(&bank, &how->pcrs, a->pcrs, e))
		return -1;
	how->pcr_bank = tpm_alg_name(bank);
	return 0;
}

/* Trustee's form has no place for runtime data: what is bound is the nonce, which may be a digest. */
static int collect_trustee(struct buf *ret, const struct ctx *cx, struct slice nonce, struct err *e)
{
	const struct collect_args *a = cx->args;
	AUTO_JSON *j = NULL;

	if (a->runtime_data)
		return err_set(e, EC_USAGE, "--format trustee binds the nonce alone: leave --runtime-data out");
	return collect_evidence(&j, cx->host, a->tee, nonce, e) || json_write(ret, j, false, e) ? -1 : 0;
}

static int run_collect(const struct ctx *cx, struct err *e)
{
	const struct collect_args *a = cx->args;
	const bool to_stdout = !a->output || !strcmp(a->output, "-");
	AUTO_BUF nonce = { 0 }, runtime = { 0 }, bundle = { .max = BUNDLE_MAX };
	AUTO_OUTFILE file = OUTFILE_INIT;
	struct collect_how how = { 0 };
	uint8_t fresh[NONCE_BYTES];

	if (choose(&how, a, e))
		return -1;
	if (to_stdout && cx->json)
		return err_set(e, EC_USAGE, "--json and the bundle cannot both go to standard output: give -o BUNDLE");
	if (nonce_get(&nonce, a->nonce, a->nonce_file, e) || (!to_stdout && outfile_open(&file, a->output, 0644, a->force, e)))
		return -1;
	if (nonce.n == 0) {
		if (host_random(fresh, sizeof fresh, e))
			return -1;
		buf_put(&nonce, fresh, sizeof fresh);
	}
	if (a->runtime_data && read_input(&runtime, a->runtime_data, BUNDLE_RUNTIME_MAX, e))
		return err_ctx(e, "cannot read the runtime data");
	if (gpus_settled(cx, e))
		return -1;
	if (a->format == 1 ? collect_trustee(&bundle, cx, buf_view(&nonce), e)
			   : collect_bundle(&bundle, cx->host, &(const struct collect_opts){
				.tee = a->tee, .nonce = buf_view(&nonce), .runtime_data = buf_view(&runtime), .how = how }, e))
		return -1;
	if (to_stdout) {
		buf_move(&cx->out->data, &bundle);
		return 0;
	}
	json_add_hex(cx->out->claims, "nonce", buf_view(&nonce));
	json_add_str(cx->out->claims, "bundle", a->output);
	return fd_write_all(file.fd, bundle.p, bundle.n, e) ? -1 : outfile_commit(&file, e);
}

const struct verb verb_collect = {
	.name = "collect", .summary = "collect evidence of this machine into one bundle", .operands = "[-o BUNDLE]",
	.opts = collect_opts, .args_size = sizeof(struct collect_args), .run = run_collect,
};
