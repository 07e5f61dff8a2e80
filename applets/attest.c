/* SPDX-License-Identifier: Apache-2.0 */
/* attest - evidence of a confidential machine: collect it, judge it, trade it for a token */

#include <dirent.h>
#include <sys/stat.h>

#include "attest/appraise.h"
#include "attest/collect.h"
#include "attest/ear.h"
#include "attest/machine.h"
#include "attest/policy.h"
#include "attest/show.h"
#include "base/applet.h"
#include "base/outfile.h"
#include "broker/key.h"
#include "broker/rcar.h"
#include "codec/hex64.h"
#include "codec/out.h"
#include "crypto/jose.h"
#include "evidence/bundle.h"
#include "gpu/pci.h"

#define NONCE_BYTES 32		/* of a fresh one */
#define INPUT_MAX BUNDLE_MAX
#define KEY_MAX ((size_t)64 << 10)

/* FILE or "-" */
static int read_input(struct buf *ret, const char *name, size_t max, struct err *e)
{
	if (strcmp(name, "-"))
		return file_read(ret, name, max, e);
	return fd_read_all(ret, 0, max, e) ? err_ctx(e, "standard input") : 0;
}

/* --- nonces ------------------------------------------------------------------------------------------------- */

static int nonce_hex(struct buf *ret, const char *text, struct err *e)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	return hex_decode(ret, slice_str(text), e) ? err_ctx(e, "the nonce") : 0;
}

/* A nonce file holds hex text, or else the bytes themselves. */
static int nonce_file(struct buf *ret, const char *name, struct err *e)
{
	AUTO_BUF raw = { 0 };
	struct slice text;
	struct err no = { 0 };

	if (read_input(&raw, name, 4096, e))
		return err_ctx(e, "cannot read the nonce");
	text = slice_trim(buf_view(&raw));
	if (text.n && !hex_decode(ret, text, &no))
		return 0;
	buf_slice(ret, buf_view(&raw));
	return buf_check(ret, e);
}

static int nonce_get(struct buf *ret, const char *hex, const char *file, struct err *e)
{
	if (hex && file)
		return err_set(e, EC_USAGE, "--nonce and --nonce-file are two nonces: give one");
	if (hex ? nonce_hex(ret, hex, e) : file ? nonce_file(ret, file, e) : 0) {
		if (e->code == EC_FORMAT)
			e->code = EC_USAGE;
		return -1;
	}
	if ((hex || file) && (ret->n == 0 || ret->n > BUNDLE_NONCE_MAX))
		return err_set(e, EC_USAGE, "the nonce has %zu bytes, wanted 1 to %d", ret->n, BUNDLE_NONCE_MAX);
	return 0;
}

/* --- detect --------------------------------------------------------------------------------------------------- */

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

/* --- collect --------------------------------------------------------------------------------------------------- */

struct collect_args {
	const char *tee, *nonce, *nonce_file, *runtime_data, *output;
	int gpus, format;
	bool force;
};
static const char *const gpus_words[] = { "auto", "none", NULL };
static const char *const format_words[] = { "bundle", "trustee", NULL };
#define args collect_args
static const struct opt collect_opts[] = {
	OPT_STR(0, "tee", tee, "KIND", "TEE to ask: auto, snp, tdx or sample (default: auto, which never picks sample)"),
	OPT_ENUM(0, "gpus", gpus, gpus_words, "none leaves GPUs out; auto (default) is an error where there are any: their evidence is not collected yet"),
	OPT_STR('n', "nonce", nonce, "HEX", "the verifier's nonce, 8 to 64 bytes (default: a fresh random one)"),
	OPT_STR(0, "nonce-file", nonce_file, "FILE", "file with the nonce, hex text or bytes"),
	OPT_STR(0, "runtime-data", runtime_data, "FILE", "bind these bytes too, e.g. a public key"),
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
	uint8_t fresh[NONCE_BYTES];

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
				.tee = a->tee, .nonce = buf_view(&nonce), .runtime_data = buf_view(&runtime) }, e))
		return -1;
	if (to_stdout) {
		buf_move(&cx->out->data, &bundle);
		return 0;
	}
	json_add_hex(cx->out->claims, "nonce", buf_view(&nonce));
	json_add_str(cx->out->claims, "bundle", a->output);
	return fd_write_all(file.fd, bundle.p, bundle.n, e) ? -1 : outfile_commit(&file, e);
}

/* --- verify ------------------------------------------------------------------------------------------------------ */

struct verify_args {
	const char *kind, *nonce, *nonce_file, *policy, *ear, *ear_key;
	struct opt_list certs;
	bool print_policy, no_nonce, allow_sample, force;
};
#define args verify_args
static const struct opt verify_opts[] = {
	OPT_STR(0, "kind", kind, "KIND", "what the file has to be: snp, tdx or sample (default: auto, by content)"),
	OPT_STR('n', "nonce", nonce, "HEX", "the nonce that the evidence has to answer (raw report: its report data)"),
	OPT_STR(0, "nonce-file", nonce_file, "FILE", "file with the nonce, hex text or bytes"),
	OPT_LIST(0, "certs", certs, "FILE", "certificates (PEM or DER), or a folder of them: VCEK, VLEK, ASK"),
	OPT_STR('p', "policy", policy, "FILE", "what is wanted of the evidence (default: the strict built-in policy)"),
	OPT_FLAG(0, "print-policy", print_policy, "print the built-in policy, to start from"),
	OPT_STR(0, "ear", ear, "FILE", "when accepted, write an attestation token here"),
	OPT_STR(0, "ear-key", ear_key, "SRC", "EC key (P-256 or P-384, PEM) that signs the token"),
	OPT_FLAG('f', "force", force, "overwrite an existing token"),
	OPT_INSECURE("allow-sample", allow_sample, "take evidence of the sample TEE, which proves nothing"),
	OPT_INSECURE("insecure-no-nonce", no_nonce, "go without a nonce: the evidence may be an old one"),
	OPT_END
};
#undef args

static int add_certs(struct cert_list *ret, const char *name, struct err *e)
{
	AUTO_BUF b = { 0 };

	if (file_read(&b, name, (size_t)1 << 20, e) || certs_parse(ret, buf_view(&b), e))
		return err_ctx(e, "cannot read certificates '%s'", name);
	return 0;
}

/* Of a folder, whatever holds certificates counts; the rest (lists, collateral) is for other checks. */
static int add_cert_folder(struct cert_list *ret, const char *dir, struct err *e)
{
	struct dirent **names = NULL;
	const int n = scandir(dir, &names, NULL, alphasort);
	const size_t before = ret->n;
	int rc = n < 0 ? err_sys(e, EC_IO, "cannot list '%s'", dir) : 0;

	for (int i = 0; i < n; i++) {
		AUTO_STR *path = str_printf(e, "%s/%s", dir, names[i]->d_name);
		struct stat st;
		struct err no = { 0 };

		if (!path)
			rc = -1;
		else if (rc == 0 && !stat(path, &st) && S_ISREG(st.st_mode))
			add_certs(ret, path, &no);
		free(names[i]);
	}
	free(names);
	if (rc == 0 && ret->n == before)
		return err_set(e, EC_FORMAT, "no certificate found in folder '%s'", dir);
	return rc;
}

static int load_certs(struct cert_list *ret, const struct opt_list *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		struct stat st;

		if (!stat(l->v[i], &st) && S_ISDIR(st.st_mode) ? add_cert_folder(ret, l->v[i], e) : add_certs(ret, l->v[i], e))
			return -1;
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

static enum check_result result_of(const char *word)
{
	for (enum check_result r = CHECK_SKIP; word && r <= CHECK_PASS; r++)
		if (!strcmp(word, check_word(r)))
			return r;
	return CHECK_FAIL;
}

static void report(struct out *o, const struct verdict *v)
{
	json_add_str(o->claims, "tee", v->tee);
	for (const struct json *m = json_first(v->claims); m; m = json_next(m))
		json_add_copy(o->claims, json_name(m), m);
	for (const struct json *c = json_first(v->checks); c; c = json_next(c))
		out_check(o, json_string(json_get(c, "id")), result_of(json_string(json_get(c, "result"))),
			  json_string(json_get(c, "expected")), json_string(json_get(c, "actual")),
			  json_string(json_get(c, "source")), json_string(json_get(c, "hint")));
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
	AUTO_CERTS certs = { 0 };
	AUTO_POLICY *policy = NULL;
	AUTO_VERDICT v = { 0 };
	struct appraise_in in;

	if (a->print_policy)
		return print_policy(cx, e);
	if (usage_settled(cx, e) || nonce_get(&nonce, a->nonce, a->nonce_file, e) || load_certs(&certs, &a->certs, e) ||
	    (a->policy && policy_read(&policy, a->policy, e)) || read_input(&evidence, cx->argv[0], INPUT_MAX, e))
		return -1;
	in = (struct appraise_in){
		.evidence = buf_view(&evidence), .kind = a->kind, .certs = &certs, .now = host_now(cx->host), .policy = policy,
		.has_nonce = nonce.n != 0, .nonce = buf_view(&nonce), .insecure_no_nonce = a->no_nonce,
		.allow_sample = a->allow_sample,
	};
	if (appraise(&v, &in, e))
		return err_ctx(e, "cannot verify '%s'", cx->argv[0]);
	if (v.accepted && a->ear && write_ear(cx, &v, buf_view(&nonce), e))
		return -1;	/* before the verdict is told: "accepted" is the last word of a call that worked */
	report(cx->out, &v);
	return v.accepted ? 0 : err_set(e, EC_REFUSED, "'%s' is refused: %s", cx->argv[0], buf_cstr(&v.reason));
}

/* --- show ---------------------------------------------------------------------------------------------------------- */

static int run_show(const struct ctx *cx, struct err *e)
{
	AUTO_BUF b = { .max = SHOW_MAX };

	if (read_input(&b, cx->argv[0], SHOW_MAX, e) || show(cx->out->claims, buf_view(&b), e))
		return err_ctx(e, "cannot show '%s'", cx->argv[0]);
	return 0;
}

/* --- token ---------------------------------------------------------------------------------------------------------- */

struct token_args {
	struct key_env kbs;
	const char *output, *keys;
	bool force, allow_warning;
};
#define args token_args
static const struct opt token_opts[] = {
	KEY_OPTS(kbs),
	OPT_STR('o', "output", output, "DST", "token file for --token of other commands: the token and its key pair, mode 0600"),
	OPT_FLAG('f', "force", force, "overwrite an existing token file"),
	OPT_STR(0, "keys", keys, "FILE", "token verify: keys that may have signed it, a JWK set or PEM"),
	OPT_INSECURE("allow-warning", allow_warning, "token verify: take submods with status 'warning' too (sample evidence has it)"),
	OPT_END
};
#undef args

static int get_token(const struct ctx *cx, struct err *e)
{
	const struct token_args *a = cx->args;
	struct rcar *r = NULL;
	AUTO_SECRET file = { 0 };
	int rc;

	if (cx->json && !a->output)
		return err_set(e, EC_USAGE, "with --json the token needs a file: -o DST");
	if (rcar_attest(&r, cx->host, &a->kbs, e))
		return -1;
	if (a->output)
		rc = rcar_token_file(&file, r, e) || key_put(&file, cx->host, a->output, a->force, e) ? -1 : 0;
	else
		rc = rcar_token(&cx->out->data, r, e);
	rcar_free(r);
	if (rc || !a->output) {
		buf_byte(&cx->out->data, '\n');
		return rc;
	}
	json_add_str(cx->out->claims, "output", a->output);
	out_verdict(cx->out, "attested");
	return 0;
}

/* One key after another: a JWK set names several.  A kid in the token picks among those that have one. */
static int verify_by_set(const struct jws *j, const struct json *set, struct err *e)
{
	const struct json *keys = json_get(set, "keys") ? json_get(set, "keys") : NULL;
	const char *kid = json_string(json_get(j->header, "kid"));
	const struct json *k = keys ? json_first(keys) : set;

	err_set(e, EC_REFUSED, "no key of the set fits the token");
	for (; k; k = keys ? json_next(k) : NULL) {
		AUTO_PUBKEY pk = { 0 };
		const char *id = json_string(json_get(k, "kid"));

		if (kid && id && strcmp(kid, id))
			continue;
		if (!jwk_parse(&pk, k, e) && !jws_verify(j, &pk, e))
			return 0;
	}
	e->code = EC_REFUSED;
	return -1;
}

static int verify_by_pem(const struct jws *j, struct slice pem, struct err *e)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_CERTS certs = { 0 };
	struct err no = { 0 };

	if (!certs_parse(&certs, pem, &no)) {
		if (cert_public(&k, &certs.v[0], e))
			return -1;
	} else if (pubkey_parse(&k, pem, e)) {
		return -1;
	}
	return jws_verify(j, &k, e);
}

static int load_keys(struct buf *ret, const char *file, struct err *e)
{
	if (!file) {
		err_set(e, EC_USAGE, "--keys FILE is missing: a token's own header is no reason to trust it");
		return err_hint(e, "'cvmbox kbs token-key' prints the keys of a broker");
	}
	return file_read(ret, file, (size_t)1 << 20, e) ? err_ctx(e, "cannot read the keys") : 0;
}

static int verify_signature(const struct jws *j, const struct buf *keys, struct err *e)
{
	const struct slice text = slice_trim(buf_view(keys));
	AUTO_JSON *set = NULL;

	if (text.n == 0 || text.p[0] != '{')
		return verify_by_pem(j, buf_view(keys), e);
	return json_parse(&set, text, (size_t)1 << 20, e) ? err_ctx(e, "the keys") : verify_by_set(j, set, e);
}

/* A bare JWT, or a file {"token",..} as `attest token -o` and the broker write it. */
static int token_text(struct buf *ret, const char *file, struct err *e)
{
	AUTO_BUF b = { 0 };
	AUTO_JSON *j = NULL;
	struct slice text;

	if (read_input(&b, file, (size_t)1 << 20, e))
		return -1;
	text = slice_trim(buf_view(&b));
	if (text.n && text.p[0] == '{') {
		const char *t;

		if (json_parse(&j, text, (size_t)1 << 20, e) || json_need_str(&t, j, "token", "the token file", e))
			return -1;
		text = slice_str(t);
	}
	buf_slice(ret, text);
	mem_wipe(b.p, b.n);	/* a token file has a private key beside the token */
	return buf_check(ret, e);
}

static int verify_token(const struct ctx *cx, const char *file, struct err *e)
{
	const struct token_args *a = cx->args;
	AUTO_BUF text = { 0 }, keys = { 0 };
	AUTO_JWS j = { 0 };

	if (load_keys(&keys, a->keys, e))
		return -1;
	if (token_text(&text, file, e) || jws_parse(&j, buf_view(&text), e))
		return err_ctx(e, "cannot read token '%s'", file);
	if (verify_signature(&j, &keys, e)) {
		out_check(cx->out, "token.signature", CHECK_FAIL, "made by one of the given keys", e->msg, a->keys, NULL);
		out_verdict(cx->out, "refused");
		return err_ctx(e, "token '%s'", file);
	}
	out_check(cx->out, "token.signature", CHECK_PASS, "made by one of the given keys", j.alg, a->keys, NULL);
	if (j.payload)
		json_add_copy(cx->out->claims, "payload", j.payload);
	if (ear_check(j.payload, host_now(cx->host), a->allow_warning, e)) {
		out_check(cx->out, "token.claims", CHECK_FAIL, "in time, every submod affirming", e->msg, NULL, NULL);
		out_verdict(cx->out, "refused");
		return err_ctx(e, "token '%s'", file);
	}
	out_check(cx->out, "token.claims", CHECK_PASS, "in time, every submod affirming", "holds", NULL, NULL);
	out_verdict(cx->out, "accepted");
	return 0;
}

static int run_token(const struct ctx *cx, struct err *e)
{
	if (cx->argc == 0)
		return get_token(cx, e);
	if (cx->argc != 2 || strcmp(cx->argv[0], "verify")) {
		err_set(e, EC_USAGE, "wanted: token [verify FILE]");
		return err_hint(e, "see cvmbox attest token --help");
	}
	return verify_token(cx, cx->argv[1], e);
}

static const struct verb verbs[] = {
	{ .name = "detect", .summary = "tell what this machine is: TEE, vTPM, event logs, GPUs, and what is missing", .operands = "",
	  .run = run_detect },
	{ .name = "collect", .summary = "collect evidence of this machine into one bundle", .operands = "[-o BUNDLE]",
	  .opts = collect_opts, .args_size = sizeof(struct collect_args), .run = run_collect },
	{ .name = "verify", .summary = "appraise evidence against a nonce and a policy", .operands = "FILE", .opts = verify_opts,
	  .args_size = sizeof(struct verify_args), .max_operands = 1, .run = run_verify },
	{ .name = "show", .summary = "decode evidence, certificates, tokens and bundles, judging nothing", .operands = "FILE",
	  .min_operands = 1, .max_operands = 1, .run = run_show },
	{ .name = "token", .summary = "attest to a key broker and keep its token; check a token",
	  .operands = "[--kbs URL] [-o DST] | verify FILE --keys KEYS", .opts = token_opts,
	  .args_size = sizeof(struct token_args), .max_operands = 2, .releases_secrets = true, .run = run_token },
};

const struct applet applet_attest = {
	.name = "attest",
	.summary = "collect and judge evidence of a confidential machine",
	.notes = "An accepted SNP report proves that AMD's firmware on a genuine chip made it for this nonce, for a guest with this "
		 "measurement.  It does not prove that the guest does what you want: name accepted measurements in a policy.  "
		 "Sample evidence proves nothing.  TDX quotes are read, and never accepted, by this version.",
	VERBS(verbs),
};
