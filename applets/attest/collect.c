/* SPDX-License-Identifier: Apache-2.0 */
/* attest collect - evidence of this machine into one file */

#include "attest/collect.h"
#include "base/cursor.h"
#include "base/outfile.h"
#include "codec/out.h"
#include "tee/tpm_wire.h"
#include "verbs.h"

#define NONCE_BYTES 32		/* of a fresh one */

enum { BUNDLE, TRUSTEE, NVATTEST };

struct collect_args {
	const char *tee, *gpus, *nvswitch, *nonce, *nonce_file, *runtime_data, *output, *pcrs, *vmpl, *svsm_service;
	int format;
	bool svsm, force;
};
static const char *const format_words[] = { "bundle", "trustee", "nvattest", NULL };
#define args collect_args
static const struct opt collect_opts[] = {
	OPT_STR(0, "tee", tee, "KIND", "TEE to ask: auto, snp, tdx, az-snp-vtpm, az-tdx-vtpm, cca, tpm, sample, or none for GPUs alone (default: auto, which never picks tpm, sample or none)"),
	OPT_STR(0, "gpus", gpus, "WHICH", "GPUs to ask: auto (all there are), all (and there has to be one), none, or PCI addresses with commas (default: auto)"),
	OPT_STR(0, "nvswitch-evidence", nvswitch, "FILE", "evidence of the NVSwitches, in nvattest's form, that was made for this capture's GPU nonce"),
	OPT_STR('n', "nonce", nonce, "HEX", "the verifier's nonce, 8 to 64 bytes (default: a fresh random one)"),
	OPT_STR(0, "nonce-file", nonce_file, "FILE", "file with the nonce, hex text or bytes"),
	OPT_STR(0, "runtime-data", runtime_data, "FILE", "bind these bytes too, e.g. a public key"),
	OPT_STR(0, "pcrs", pcrs, "BANK:LIST", "PCRs that --tee tpm quotes, e.g. sha256:0-7,11 (default: all, of sha256 where there is that bank)"),
	OPT_STR(0, "vmpl", vmpl, "N", "privilege level that an SNP report is for, 0 to 3 (default: the one the kernel runs at)"),
	OPT_FLAG(0, "svsm", svsm, "with the manifest of the services of an SVSM, bound by the SNP report"),
	OPT_STR(0, "svsm-service", svsm_service, "GUID", "of this service alone (implies --svsm)"),
	OPT_ENUM(0, "format", format, format_words, "bundle (default), Trustee's evidence JSON, bound to the nonce alone, or nvattest's file of GPU evidence, whose nonce it is"),
	OPT_STR('o', "output", output, "BUNDLE", "where the bundle goes (default: standard output)"),
	OPT_FLAG('f', "force", force, "overwrite an existing bundle"),
	OPT_END
};
#undef args

static int choose(struct collect_how *how, const struct collect_args *a, struct err *e)
{
	uint16_t bank;
	uint64_t level = 0;

	if ((a->vmpl || a->svsm || a->svsm_service) && a->format != BUNDLE)
		return err_set(e, EC_USAGE, "--vmpl and --svsm are for bundles: leave --format %s out", format_words[a->format]);
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
	if (a->format != BUNDLE)
		return err_set(e, EC_USAGE, "--format %s holds all PCRs: leave --pcrs out", format_words[a->format]);
	if (tpm_pcr_selection(&bank, &how->pcrs, a->pcrs, e))
		return -1;
	how->pcr_bank = tpm_alg_name(bank);
	return 0;
}

/* The forms of others have no place for runtime data: what is bound is the nonce, which may be a digest. */
static int collect(struct buf *ret, const struct ctx *cx, const struct collect_opts *o, struct err *e)
{
	const struct collect_args *a = cx->args;

	if (a->format != BUNDLE && a->runtime_data)
		return err_set(e, EC_USAGE, "--format %s binds the nonce alone: leave --runtime-data out", format_words[a->format]);
	return a->format == TRUSTEE ? collect_trustee(ret, cx->host, o, e) : a->format == NVATTEST ? collect_nvattest(ret, cx->host, o, e)
		: collect_bundle(ret, cx->host, o, e);
}

/* A fresh nonce is nothing that another tool could have known. */
static int switch_evidence(struct buf *ret, const struct collect_args *a, struct err *e)
{
	if (!a->nvswitch)
		return 0;
	if (!a->nonce && !a->nonce_file)
		return err_set(e, EC_USAGE, "--nvswitch-evidence was made for a nonce: give --nonce too");
	if (read_input(ret, a->nvswitch, EVIDENCE_MAX, e))
		return err_ctx(e, "cannot read the evidence of NVSwitches");
	return ret->n ? 0 : err_set(e, EC_FORMAT, "'%s' is empty", a->nvswitch);
}

static int run_collect(const struct ctx *cx, struct err *e)
{
	const struct collect_args *a = cx->args;
	const bool to_stdout = !a->output || !strcmp(a->output, "-");
	AUTO_BUF nonce = { 0 }, runtime = { 0 }, switches = { .max = EVIDENCE_MAX }, bundle = { .max = BUNDLE_MAX };
	AUTO_OUTFILE file = OUTFILE_INIT;
	struct collect_opts o = { .tee = a->tee, .gpus = a->gpus, .facts = cx->out->claims };
	const int64_t start = host_mono_ms();
	uint8_t fresh[NONCE_BYTES];

	if (choose(&o.how, a, e))
		return -1;
	if (to_stdout && cx->json)
		return err_set(e, EC_USAGE, "--json and the bundle cannot both go to standard output: give -o BUNDLE");
	if (nonce_get(&nonce, a->nonce, a->nonce_file, e) || switch_evidence(&switches, a, e) ||
	    (!to_stdout && outfile_open(&file, a->output, 0644, a->force, e)))
		return -1;
	if (nonce.n == 0) {
		if (host_random(fresh, sizeof fresh, e))
			return -1;
		buf_put(&nonce, fresh, sizeof fresh);
	}
	if (a->runtime_data && read_input(&runtime, a->runtime_data, BUNDLE_RUNTIME_MAX, e))
		return err_ctx(e, "cannot read the runtime data");
	o.nonce = buf_view(&nonce);
	o.runtime_data = buf_view(&runtime);
	o.nvswitch = buf_view(&switches);
	if (collect(&bundle, cx, &o, e))
		return -1;
	if (to_stdout) {
		buf_move(&cx->out->data, &bundle);
		return 0;
	}
	json_add_hex(cx->out->claims, "nonce", buf_view(&nonce));
	json_add_str(cx->out->claims, "bundle", a->output);
	if (cx->json) {
		json_add_u64(cx->out->claims, "bytes", bundle.n);
		json_add_real(cx->out->claims, "seconds", (double)(host_mono_ms() - start) / 1000);
	}
	return fd_write_all(file.fd, bundle.p, bundle.n, e) ? -1 : outfile_commit(&file, e);
}

const struct verb verb_collect = {
	.name = "collect", .summary = "collect evidence of this machine into one bundle", .operands = "[-o BUNDLE]",
	.opts = collect_opts, .args_size = sizeof(struct collect_args), .run = run_collect,
};
