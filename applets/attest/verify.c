/* SPDX-License-Identifier: Apache-2.0 */
/* attest verify - judge evidence */

#include "attest/appraise.h"
#include "attest/ear.h"
#include "attest/policy.h"
#include "base/early.h"
#include "base/outfile.h"
#include "broker/key.h"
#include "codec/hex64.h"
#include "codec/out.h"
#include "tee/eventlog.h"
#include "verbs.h"

#define KEY_MAX ((size_t)64 << 10)

struct verify_args {
	const char *kind, *nonce, *nonce_file, *policy, *ear, *ear_key;
	struct opt_list certs, collateral, anchors, logs;
	bool print_policy, no_nonce, no_collateral, allow_tpm, allow_sample, force;
#ifdef CVMBOX_TESTING
	const char *nvidia_roots;	/* evidence that tests and benchmarks make themselves */
#endif
};
#define args verify_args
static const struct opt verify_opts[] = {
	OPT_STR(0, "kind", kind, "KIND", "what the file has to be: snp, tdx, az-snp-vtpm, az-tdx-vtpm, cca, tpm, nvgpu, nvswitch or sample (default: auto, by content)"),
	OPT_STR('n', "nonce", nonce, "HEX", "the nonce that the evidence has to answer (raw report: its report data)"),
	OPT_STR(0, "nonce-file", nonce_file, "FILE", "file with the nonce, hex text or bytes"),
	OPT_LIST(0, "certs", certs, "PATH", "certificates and revocation lists (PEM or DER), a file or a folder: VCEK, VLEK, ASK, PCK and GPU chains"),
	OPT_LIST(0, "collateral", collateral, "PATH", "the same for TCB info and QE identity (JSON as Intel's service or a DCAP library gives it), NVIDIA's manifests (XML) and answers about certificate status (OCSP)"),
	OPT_LIST(0, "event-log", logs, "FILE", "event log that goes with the evidence: CCEL, TCG, AAEL or IMA, told by its content"),
	OPT_LIST(0, "trust-anchor", anchors, "PATH", "what you trust for TPM attestation keys and CCA platforms: a public key, or a CA certificate"),
	OPT_STR('p', "policy", policy, "FILE", "what is wanted of the evidence (default: the strict built-in policy)"),
	OPT_FLAG(0, "print-policy", print_policy, "print the built-in policy, to start from"),
	OPT_STR(0, "ear", ear, "FILE", "when accepted, write an attestation token here"),
	OPT_STR(0, "ear-key", ear_key, "SRC", "EC key (P-256 or P-384, PEM) that signs the token"),
	OPT_FLAG('f', "force", force, "overwrite an existing token"),
	OPT_INSECURE("allow-sample", allow_sample, "take evidence of the sample TEE, which proves nothing"),
	OPT_INSECURE("allow-tpm", allow_tpm, "take a plain TPM's evidence, which does not show a confidential machine"),
	OPT_INSECURE("insecure-no-collateral", no_collateral, "go without TCB info, revocation lists, manifests and certificate status: known holes go unseen"),
	OPT_INSECURE("insecure-no-nonce", no_nonce, "go without a nonce: the evidence may be an old one"),
#ifdef CVMBOX_TESTING
	OPT_STR(0, "test-nvidia-roots", nvidia_roots, "HEX", "SHA-256 of the roots of devices and of manifests, one behind the other"),
#endif
	OPT_END
};
#undef args

/* --certs and --collateral are one thing for two habits: each piece is recognised by its content. */
static int load_all(struct collateral *ret, const struct opt_list *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (collateral_load(ret, l->v[i], e))
			return -1;
	return 0;
}

struct logs {			/* what --event-log named; the slices point into the buffers */
	struct buf raw[N_LOGS];
	size_t n;
	struct slice by_form[N_LOGS];
};

static void logs_free(struct logs *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->raw[i]);
}

static int load_logs(struct logs *ret, const struct opt_list *names, struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		if (ret->n == N_LOGS)
			return err_set(e, EC_USAGE, "--event-log was given more than %d times", N_LOGS);
		ret->raw[ret->n] = (struct buf){ .max = EVENTLOG_MAX };
		if (file_read(&ret->raw[ret->n++], names->v[i], EVENTLOG_MAX, e) ||
		    eventlog_place(ret->by_form, buf_view(&ret->raw[ret->n - 1]), e))
			return err_ctx(e, "cannot use the event log '%s'", names->v[i]);
	}
	return 0;
}

static int load_signer(struct privkey *ret, const struct ctx *cx, const char *src, struct err *e)
{
	AUTO_SECRET pem = { 0 };
	const struct key_env env = { 0 };

	if (key_get(&pem, cx->host, &env, src, KEY_MAX, e) || privkey_parse(ret, secret_view(&pem), e))
		return err_ctx(e, "cannot use the token's key");
	return 0;
}

static int write_ear(const struct ctx *cx, const struct verdict *v, struct slice nonce, struct err *e)
{
	const struct verify_args *a = cx->args;
	AUTO_PRIVKEY k = { 0 };
	AUTO_JSON *runtime = json_object();
	AUTO_BUF token = { 0 };

	if (nonce.n)
		json_add_hex(runtime, "nonce", nonce);
	if (load_signer(&k, cx, a->ear_key, e) ||
	    ear_token(&token, v, &(const struct ear_opts){ .signer = &k, .issuer = "cvmbox", .now = host_now(cx->host),
							    .runtime_data_claims = runtime }, e))
		return err_ctx(e, "cannot make a token");
	return outfile_write(a->ear, buf_view(&token), 0644, a->force, e);
}

/* --- for people: a line for each device, and collateral by the dozen counted ---------------------------------------- */

#define ROWS_MAX 8

static const char *claim(const struct json *device, const char *gpu, const char *nvswitch)
{
	const char *s = json_string(json_get(device, gpu));

	return s ? s : json_string(json_get(device, nvswitch));
}

static void brief_devices(struct json *to, const struct json *kind)
{
	const struct json *results = json_get(kind, "results");
	struct json *o = json_add_object(to, json_name(kind)), *rows;

	json_add_copy(o, "ocsp", json_get(kind, "ocsp"));
	rows = json_add_array(o, "devices");
	for (const struct json *r = json_first(results); r; r = json_next(r)) {
		const struct json *d = json_get(kind, json_name(r));
		struct json *row = json_add_object(rows, NULL);

		json_add_str(row, "device", json_name(r));
		json_add_copy(row, "result", r);
		json_add_str(row, "model", claim(d, "hwmodel", "hwmodel"));
		json_add_str(row, "driver", claim(d, "x-nvidia-gpu-driver-version", ""));
		json_add_str(row, "vbios", claim(d, "x-nvidia-gpu-vbios-version", "x-nvidia-switch-bios-version"));
		json_add_str(row, "ueid", claim(d, "ueid", "ueid"));
	}
}

static uint64_t count_alike(const struct json *list, const struct json *c, bool *seen_before)
{
	const char *const names[] = { "type", "state" };
	bool behind = false;
	uint64_t n = 0;

	*seen_before = false;
	for (const struct json *o = json_first(list); o; o = json_next(o)) {
		bool same = true;

		behind |= o == c;
		for (size_t i = 0; i < 2; i++) {
			const char *a = json_string(json_get(o, names[i])), *b = json_string(json_get(c, names[i]));

			same &= a && b ? !strcmp(a, b) : a == b;
		}
		n += same;
		*seen_before |= same && !behind;
	}
	return n;
}

static void brief_collateral(struct json *to, const struct json *list)
{
	struct json *rows = json_add_array(to, "collateral");

	for (const struct json *c = json_first(list); c; c = json_next(c)) {
		bool before;
		const uint64_t n = count_alike(list, c, &before);
		struct json *row;

		if (before)
			continue;
		row = json_add_object(rows, NULL);
		json_add_copy(row, "type", json_get(c, "type"));
		json_add_copy(row, "state", json_get(c, "state"));
		json_add_u64(row, "pieces", n);
	}
}

static void report_briefly(struct out *o, const struct verdict *v)
{
	o->brief = json_object();
	json_add_str(o->brief, "tee", v->tee);
	for (const struct json *m = json_first(v->claims); m; m = json_next(m))
		if (json_get(m, "results"))
			brief_devices(o->brief, m);
		else
			json_add_copy(o->brief, json_name(m), m);
	if (json_count(v->collateral) > ROWS_MAX)
		brief_collateral(o->brief, v->collateral);
	else if (json_count(v->collateral))
		json_add_copy(o->brief, "collateral", v->collateral);
}

static void report(struct out *o, const struct verdict *v, bool verbose)
{
	if (!verbose)
		report_briefly(o, v);
	json_add_str(o->claims, "tee", v->tee);
	for (const struct json *m = json_first(v->claims); m; m = json_next(m))
		json_add_copy(o->claims, json_name(m), m);
	if (json_count(v->collateral))
		json_add_copy(o->claims, "collateral", v->collateral);
	out_checks(o, v->checks);
	out_verdict(o, v->accepted ? v->warned ? "accepted, with warnings" : "accepted" : "refused");
}

static int usage_settled(const struct ctx *cx, struct err *e)
{
	const struct verify_args *a = cx->args;

	if (cx->argc == 0) {
		err_set(e, EC_USAGE, "which evidence? name a FILE, or '-'");
		return err_hint(e, "see cvmbox attest verify --help");
	}
	if (!a->ear != !a->ear_key)
		return err_set(e, EC_USAGE, "--ear FILE and --ear-key SRC go together");
	return 0;
}

static int print_policy(const struct ctx *cx, struct err *e)
{
	AUTO_JSON *j = NULL;

	if (policy_default_text(&cx->out->data, e) || json_parse(&j, buf_view(&cx->out->data), INPUT_MAX, e))
		return -1;
	json_add_copy(cx->out->claims, "policy", j);
	return 0;
}

static int run_verify(const struct ctx *cx, struct err *e)
{
	const struct verify_args *a = cx->args;
	AUTO_BUF evidence = { .max = INPUT_MAX }, nonce = { 0 };
	AUTO_COLLATERAL given = { 0 }, anchors = { 0 };
	__attribute__((cleanup(logs_free))) struct logs logs = { 0 };
	AUTO_POLICY *policy = NULL;
	AUTO_VERDICT v = { 0 };
	struct appraise_in in;

	if (a->print_policy)
		return print_policy(cx, e);
	if (usage_settled(cx, e) || nonce_get(&nonce, a->nonce, a->nonce_file, e) || load_all(&given, &a->certs, e) ||
	    load_all(&given, &a->collateral, e) || load_all(&anchors, &a->anchors, e) || load_logs(&logs, &a->logs, e) ||
	    (a->policy && policy_read(&policy, a->policy, e)) || read_input(&evidence, cx->argv[0], INPUT_MAX, e))
		return -1;
	in = (struct appraise_in){
		.evidence = buf_view(&evidence), .kind = a->kind, .given = &given, .anchors = &anchors,
		.insecure_no_collateral = a->no_collateral, .allow_tpm = a->allow_tpm, .now = host_now_bounded(cx->host), .policy = policy,
		.has_nonce = nonce.n != 0, .nonce = buf_view(&nonce), .insecure_no_nonce = a->no_nonce,
		.allow_sample = a->allow_sample, .allow_devices = true,	/* who hands over evidence of GPUs alone knows what it is */
	};
	memcpy(in.logs, logs.by_form, sizeof in.logs);
#ifdef CVMBOX_TESTING
	uint8_t roots[64];

	if (a->nvidia_roots) {
		if (hex_decode_n(roots, sizeof roots, a->nvidia_roots, e))
			return -1;
		in.nv_device_root = roots;
		in.nv_rim_root = roots + 32;
	}
#endif
	if (appraise(&v, &in, e))
		return err_ctx(e, "cannot verify '%s'", cx->argv[0]);
	if (v.accepted && a->ear && write_ear(cx, &v, buf_view(&nonce), e))
		return -1;	/* before the verdict is told: "accepted" is the last word of a call that worked */
	report(cx->out, &v, cx->host->verbosity > 0);
	return v.accepted ? 0 : err_set(e, EC_REFUSED, "'%s' is refused: %s", cx->argv[0], buf_cstr(&v.reason));
}

const struct verb verb_verify = {
	.name = "verify", .summary = "appraise evidence against a nonce and a policy", .operands = "FILE", .opts = verify_opts,
	.args_size = sizeof(struct verify_args), .max_operands = 1, .run = run_verify,
};
