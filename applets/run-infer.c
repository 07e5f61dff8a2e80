/* SPDX-License-Identifier: Apache-2.0 */
/* run-infer - attest, get the key, decrypt a model into memory, run it */

#include <unistd.h>

#include "attest/appraise.h"
#include "attest/collect.h"
#include "attest/policy.h"
#include "base/applet.h"
#include "base/early.h"
#include "broker/key.h"
#include "codec/out.h"
#include "infer/chat.h"
#include "infer/engine.h"
#include "infer/launch.h"
#include "model/ends.h"
#include "model/model.h"

#define KEY_MAX ((size_t)1 << 20)
#define BENCH_PROMPT 128
#define BENCH_GENERATE 64
#define BENCH_RUNS 3

struct args {
	const char *model, *key, *policy, *require, *prompt, *prompt_file, *sys, *chat, *user;
	bool allow_sample, raw, bench;
	uint64_t n, threads, ctx, grace;
	struct sample_opts sample;
	struct opt_list env, collateral;
	struct key_env kbs;
};

static const struct opt opts[] = {
	OPT_STR('m', "model", model, "SRC", "the model: an encrypted file (with --key), or a plain GGUF file"),
	OPT_STR('k', "key", key, "SRC", "its key: PATH, '-', fd:N, keyring:NAME, cred:NAME or kbs:///REPO/TYPE/TAG"),
	OPT_STR(0, "require", require, "WHAT", "attest and appraise first, go on only if accepted: cpu, gpu or cpu,gpu"),
	OPT_STR(0, "policy", policy, "FILE", "policy of that appraisal (default: see attest verify --print-policy)"),
	OPT_LIST(0, "collateral", collateral, "PATH", "endorsements for that appraisal, files or folders: VCEK, TCB info, revocation lists, manifests and certificate status of GPUs"),
	OPT_INSECURE("allow-sample", allow_sample, "accept sample evidence, which proves nothing (for tests and demos)"),
	OPT_STR('p', "prompt", prompt, "TEXT", "what to ask (other users may see it in the list of processes)"),
	OPT_STR(0, "prompt-file", prompt_file, "FILE", "read it from a file; '-', or no prompt at all: from standard input"),
	OPT_STR(0, "system", sys, "TEXT", "instructions that stand before the prompt (default: those of the model)"),
	OPT_FLAG(0, "raw", raw, "continue the prompt as it stands, without a chat template"),
	OPT_STR(0, "chat-template", chat, "NAME", "chatml, llama3, llama2, mistral, gemma, phi3, phi4 or zephyr (default: the model's)"),
	OPT_UINT('n', "max-tokens", n, "N", "stop after so many tokens (default: 256)"),
	OPT_REAL(0, "temp", sample.temperature, "X", "temperature; 0 takes the most likely token each time (default: 0.8)"),
	OPT_UINT(0, "top-k", sample.top_k, "N", "choose among the N most likely tokens; 0: all (default: 40)"),
	OPT_REAL(0, "top-p", sample.top_p, "X", "choose among those that reach this probability together (default: 0.95)"),
	OPT_REAL(0, "min-p", sample.min_p, "X", "leave out those less likely than X times the best (default: 0.05)"),
	OPT_REAL(0, "repeat-penalty", sample.repeat_penalty, "X", "make tokens of the last 64 less likely; 1: off (default: 1)"),
	OPT_UINT(0, "seed", sample.seed, "N", "same seed, same text; 0 picks one at random (default: 0)"),
	OPT_UINT(0, "threads", threads, "N", "number of threads (default: one for each usable CPU)"),
	OPT_UINT(0, "ctx", ctx, "N", "tokens of prompt and answer together (default: the model's, at most 4096)"),
	OPT_FLAG(0, "bench", bench, "measure: a prompt of 128 tokens, then 64 tokens one by one; best of 3"),
	OPT_STR(0, "user", user, "USER", "external engine: run it as NAME, UID or UID:GID"),
	OPT_LIST(0, "env", env, "NAME[=VALUE]", "external engine: pass on this variable, too"),
	OPT_UINT(0, "grace", grace, "SEC", "external engine: time to end after a signal before it is killed (default: 30)"),
	KEY_OPTS(kbs),
	OPT_END
};

/* --- what is asked for ----------------------------------------------------------------------------------------- */

struct need {		/* what has to be accepted before anything else happens */
	bool cpu, gpu;
};

static int check_require(struct need *ret, const char *list, struct err *e)
{
	struct slice left = slice_str(list);

	*ret = (struct need){ 0 };
	while (left.n) {
		const uint8_t *comma = memchr(left.p, ',', left.n);
		const struct slice word = slice_of(left.p, comma ? (size_t)(comma - left.p) : left.n);

		left = comma ? slice_of(comma + 1, left.n - word.n - 1) : slice_of(NULL, 0);
		if (slice_eqs(word, "cpu"))
			ret->cpu = true;
		else if (slice_eqs(word, "gpu"))
			ret->gpu = true;
		else
			return err_set(e, EC_USAGE, "option --require: unknown word '%.*s', wanted cpu or gpu", (int)word.n, word.p);
	}
	if (list && !ret->cpu && !ret->gpu)
		return err_set(e, EC_USAGE, "option --require is empty, wanted cpu or gpu");
	return 0;
}

static int check_args(const struct ctx *cx, const struct args *a, struct err *e)
{
	const bool external = cx->argc > cx->rest;

	if (cx->rest > 0)
		return err_set(e, EC_USAGE, "unexpected operand '%s': an external engine stands behind '--'", cx->argv[0]);
	if (!a->model)
		return err_set(e, EC_USAGE, "no model given: --model is needed");
	if (a->policy && !a->require)
		return err_set(e, EC_USAGE, "--policy without --require would not be looked at");
	if (a->prompt && a->prompt_file)
		return err_set(e, EC_USAGE, "--prompt and --prompt-file exclude each other");
	if (external && (a->prompt || a->prompt_file || a->bench || a->raw || a->sys || a->chat))
		return err_set(e, EC_USAGE, "prompts and --bench are for the built-in engine, not for '%s'", cx->argv[cx->rest]);
	if (external && !a->key && (!strcmp(a->model, "-") || !strncmp(a->model, "fd:", 3)))
		return err_set(e, EC_USAGE, "a plain model for '%s' has to be a path, not '%s'", cx->argv[cx->rest], a->model);
	if (external && cx->json)
		return err_set(e, EC_USAGE, "--json: standard output belongs to '%s', there is no room for an object", cx->argv[cx->rest]);
	if (!external && (a->user || a->env.n))
		return err_set(e, EC_USAGE, "--user and --env are for an external engine, and none is given behind '--'");
	if (a->chat && !chat_by_name(a->chat))
		return err_set(e, EC_USAGE, "option --chat-template: unknown name '%s'", a->chat);
	if (a->threads > 1024)
		return err_set(e, EC_USAGE, "option --threads: at most 1024");
	if (a->grace > 86400)
		return err_set(e, EC_USAGE, "option --grace: at most a day");
	return 0;
}

/* --- the gate ---------------------------------------------------------------------------------------------------- */

/* Evidence of this machine with a nonce that was drawn for it, appraised by the one judge.  It starts as refused. */
static int gate(const struct ctx *cx, const struct args *a, const struct need *need, struct err *e)
{
	struct collect_opts o = { .tee = need->cpu ? a->kbs.tee : "none", .gpus = need->gpu ? "all" : "none" };
	AUTO_BUF bundle = { 0 };
	AUTO_POLICY *policy = NULL;
	AUTO_VERDICT v = { 0 };
	AUTO_COLLATERAL given = { 0 };
	uint8_t nonce[32];
	struct json *j;

	if (a->policy && policy_read(&policy, a->policy, e))
		return -1;
	for (size_t i = 0; i < a->collateral.n; i++)
		if (collateral_load(&given, a->collateral.v[i], e))
			return -1;
	o.nonce = slice_of(nonce, sizeof nonce);
	if (host_random(nonce, sizeof nonce, e) || collect_bundle(&bundle, cx->host, &o, e) ||
	    appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&bundle), .kind = "auto", .now = host_now_bounded(cx->host),
						      .policy = policy, .given = &given, .has_nonce = true, .nonce = slice_of(nonce, sizeof nonce),
						      .allow_sample = a->allow_sample, .allow_devices = !need->cpu }, e))
		return err_ctx(e, "cannot attest this machine");
	if (cx->json || !v.accepted)
		out_checks(cx->out, v.checks);
	if (!v.accepted) {
		err_set(e, EC_REFUSED, "this machine is refused: %s", buf_cstr(&v.reason));
		return err_hint(e, "no key was asked for; 'cvmbox attest collect' and 'verify' show the same step by step");
	}
	host_log(cx->host, LOG_INFO, "attested as %s: accepted", v.tee);
	if (!cx->json)		/* the text of the model stands alone on standard output */
		return 0;
	j = json_add_object(cx->out->claims, "attestation");
	json_add_str(j, "tee", v.tee);
	json_add_bool(j, "accepted", true);
	return 0;
}

/* --- the model ----------------------------------------------------------------------------------------------------- */

/* A sealed memory file without a name if there is a key, else the file itself.  The key is gone when this returns. */
static int open_model(int *ret, const struct ctx *cx, const struct args *a, struct err *e)
{
	const struct model_opts o = { .threads = (unsigned)a->threads };
	AUTO_SECRET key = { 0 };
	uint64_t size;

	if (!a->key) {
		*ret = model_in_open(a->model, e);
		return *ret < 0 ? -1 : 0;
	}
	if (key_get(&key, cx->host, &a->kbs, a->key, KEY_MAX, e))
		return err_ctx(e, "cannot get the key of '%s'", a->model);
	host_log(cx->host, LOG_INFO, "key received, decrypting '%s' into memory", a->model);
	return model_decrypt_memfd(ret, &size, a->model, &key, &o, e);
}

/* --- an external engine --------------------------------------------------------------------------------------------- */

static int run_external(const struct ctx *cx, const struct args *a, int fd, struct err *e)
{
	const size_t n = (size_t)(cx->argc - cx->rest);
	char **argv = calloc(n + 1, sizeof *argv);
	struct launch l = { .argv = argv, .model_path = a->key ? NULL : a->model, .model_fd = a->key ? fd : -1, .user = a->user,
			    .env = &a->env, .grace_ms = (int64_t)a->grace * 1000 };
	bool named = false;
	int rc, status;

	if (!argv)
		return err_oom(e);
	for (size_t i = 0; i < n; i++) {
		argv[i] = cx->argv[cx->rest + (int)i];
		named = named || strstr(argv[i], "{model}");
	}
	if (!named)
		rc = err_set(e, EC_USAGE, "the command does not mention {model}, so it would not find the model");
	else
		rc = launch_run(&status, cx->host, &l, e);
	free(argv);
	if (!rc)
		*cx->exit_status = status;
	return rc;
}

/* --- the built-in engine ---------------------------------------------------------------------------------------------- */

static void describe(struct json *to, const struct engine *m, const struct args *a)
{
	AUTO_BUF name = { 0 }, arch = { 0 };
	struct engine_info i;
	struct json *j;

	engine_info(&i, m);
	buf_slice(&name, i.name);
	buf_slice(&arch, i.arch);
	j = json_add_object(to, "model");
	json_add_str(j, "name", buf_cstr(&name));
	json_add_str(j, "architecture", buf_cstr(&arch));
	json_add_u64(j, "parameters", i.parameters);
	json_add_u64(j, "weight_bytes", i.weight_bytes);
	json_add_bool(j, "encrypted", a->key != NULL);
	json_add_str(to, "engine", "builtin");
	json_add_str(to, "kernels", i.kernels);
	json_add_u64(to, "threads", i.threads);
	json_add_u64(to, "context", i.ctx);
}

static double rounded(double x)
{
	return (double)(uint64_t)(x * 10 + 0.5) / 10;
}

static int bench(const struct ctx *cx, struct engine *m, struct err *e)
{
	double pp, tg;

	if (engine_bench(&pp, &tg, m, BENCH_PROMPT, BENCH_GENERATE, BENCH_RUNS, e))
		return -1;
	json_add_u64(cx->out->claims, "prompt_tokens", BENCH_PROMPT);
	json_add_u64(cx->out->claims, "generated_tokens", BENCH_GENERATE);
	json_add_real(cx->out->claims, "prompt_tokens_per_second", rounded(pp));
	json_add_real(cx->out->claims, "generate_tokens_per_second", rounded(tg));
	return 0;
}

struct sink {
	const struct ctx *cx;
	struct buf all;		/* --json */
	bool terminal;		/* a model may say escape sequences; a terminal shall not obey them */
	uint8_t last;
};

static int put_terminal(struct slice s, struct err *e)
{
	AUTO_BUF b = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];
		const bool c1 = c == 0xc2 && i + 1 < s.n && s.p[i + 1] < 0xa0;	/* U+0080 to U+009F */

		if (c1 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			buf_byte(&b, '?');
		else
			buf_byte(&b, c);
		i += c1;
	}
	return buf_check(&b, e) || fd_write_all(STDOUT_FILENO, b.p, b.n, e) ? -1 : 0;
}

static int put_text(void *arg, struct slice s, struct err *e)
{
	struct sink *k = arg;

	if (k->cx->host->deadline_ms && host_left_ms(k->cx->host, 1) == 0)
		return err_set(e, EC_IO, "the time limit was reached while generating");
	k->last = s.p[s.n - 1];
	if (k->cx->json) {
		buf_slice(&k->all, s);
		return buf_check(&k->all, e);
	}
	if (k->terminal ? put_terminal(s, e) : fd_write_all(STDOUT_FILENO, s.p, s.n, e))
		return err_ctx(e, "cannot write the text");
	return 0;
}

static int read_prompt(struct buf *ret, const struct args *a, struct err *e)
{
	if (a->prompt) {
		buf_puts(ret, a->prompt);
		return buf_check(ret, e);
	}
	if (a->prompt_file && strcmp(a->prompt_file, "-") != 0)
		return file_read(ret, a->prompt_file, TOKENIZER_TEXT_MAX, e);
	if (!a->prompt_file && isatty(STDIN_FILENO)) {
		err_set(e, EC_USAGE, "no prompt given");
		return err_hint(e, "--prompt TEXT, --prompt-file FILE, or text on standard input");
	}
	return fd_read_all(ret, STDIN_FILENO, TOKENIZER_TEXT_MAX, e);
}

static void report(const struct ctx *cx, const struct sink *k, const struct generated *g, uint64_t seed)
{
	struct json *j = cx->out->claims;

	host_log(cx->host, LOG_INFO, "prompt: %zu tokens, %.1f a second; answer: %zu tokens, %.1f a second; ended by %s", g->prompt_tokens,
		 generated_prompt_rate(g), g->tokens, generated_rate(g), stop_name(g->stop));
	if (!cx->json)
		return;
	json_add_str(j, "text", buf_cstr(&k->all));
	json_add_str(j, "stop", stop_name(g->stop));
	json_add_u64(j, "prompt_tokens", g->prompt_tokens);
	json_add_u64(j, "generated_tokens", g->tokens);
	json_add_real(j, "prompt_tokens_per_second", rounded(generated_prompt_rate(g)));
	json_add_real(j, "generate_tokens_per_second", rounded(generated_rate(g)));
	json_add_u64(j, "seed", seed);
}

static int generate(const struct ctx *cx, const struct args *a, struct engine *m, struct err *e)
{
	struct sink k = { .cx = cx, .terminal = !cx->json && isatty(STDOUT_FILENO) };
	struct buf prompt = { .max = TOKENIZER_TEXT_MAX };
	struct generate g = { .raw = a->raw, .chat = a->chat, .sys = a->sys, .max_tokens = a->n, .sample = a->sample,
			      .text = put_text, .arg = &k };
	struct generated done = { 0 };
	int rc = read_prompt(&prompt, a, e);

	g.prompt = buf_view(&prompt);
	if (!rc && !g.sample.seed)
		rc = host_random(&g.sample.seed, sizeof g.sample.seed, e);
	if (!rc)
		rc = engine_generate(&done, m, &g, e);
	if (!cx->json && k.last && k.last != '\n' && fd_write_all(STDOUT_FILENO, "\n", 1, rc ? NULL : e) && !rc)
		rc = -1;
	if (!rc)
		report(cx, &k, &done, g.sample.seed);
	tokens_free(&done.ids);
	if (prompt.p)
		mem_wipe(prompt.p, prompt.cap);
	buf_free(&prompt);
	if (k.all.p)
		mem_wipe(k.all.p, k.all.cap);
	buf_free(&k.all);
	return rc;
}

static int run_builtin(const struct ctx *cx, const struct args *a, int fd, struct err *e)
{
	struct engine *m;
	int rc;

	if (engine_open(&m, fd, a->model, &(const struct engine_opts){ .threads = (unsigned)a->threads, .ctx = a->ctx }, e)) {
		if (!a->key && strstr(e->msg, "not a GGUF file"))
			err_hint(e, "an encrypted model needs --key");
		return -1;
	}
	if (cx->json || a->bench)
		describe(cx->out->claims, m, a);
	rc = a->bench ? bench(cx, m, e) : generate(cx, a, m, e);
	engine_free(m);
	return rc;
}

static int run(const struct ctx *cx, struct err *e)
{
	const struct args *a = cx->args;
	AUTO_FD fd = -1;
	struct need need;

	cx->out->on_stderr = !a->bench;		/* standard output is the model's, or the engine's */
	if (check_args(cx, a, e) || check_require(&need, a->require, e))
		return -1;
	if ((need.cpu || need.gpu) && gate(cx, a, &need, e))
		return -1;
	if (cx->argc > cx->rest && !a->key)
		return run_external(cx, a, -1, e);
	if (open_model(&fd, cx, a, e))
		return -1;
	return cx->argc > cx->rest ? run_external(cx, a, fd, e) : run_builtin(cx, a, fd, e);
}

static const struct verb *const verbs[] = {
	&(const struct verb){ .summary = "attest, get the key, decrypt a model into memory and run it",
	  .operands = "[-- COMMAND {model} ...]", .opts = opts, .args_size = sizeof(struct args),
	  .defaults = &(const struct args){ .n = 256, .sample = SAMPLE_DEFAULTS }, .max_operands = -1, .releases_secrets = true,
	  .run = run },
};

const struct applet applet_run_infer = {
	.name = "run-infer", .summary = "run a model that was encrypted, on an attested machine", VERBS(verbs),
	.notes = "With --require the machine is attested and appraised first, and nothing else happens unless it is accepted. An encrypted "
		 "model is decrypted into memory that has no name on any disk. This proves the state of this machine to itself; whoever "
		 "owns the key learns it from the key broker, which appraises on its own.",
};
