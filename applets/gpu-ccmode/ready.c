/* SPDX-License-Identifier: Apache-2.0 */
/* gpu-ccmode ready - whether the NVIDIA driver of a confidential guest accepts work: shown, and set once, after verification */

#include <strings.h>

#include "base/cursor.h"
#include "codec/out.h"
#include "gpu/rm_ready.h"
#include "verbs.h"

#define RESULT_MAX ((size_t)16 << 20)
#define VERIFY_SCHEMA "cvmbox.attest.verify/1"
#define SKEW 5			/* seconds that a result may seem to come from the future */

struct ready_args {
	const char *after;
	uint64_t max_age;
	bool unattested, until_reload;
};
#define args ready_args
static const struct opt opts[] = {
	OPT_STR(0, "after", after, "FILE", "'on': the result of 'attest verify --json' about the evidence of these GPUs"),
	OPT_UINT(0, "max-age", max_age, "SEC", "'on': how old that result may be (default 300)"),
	OPT_FLAG(0, "until-module-reload", until_reload, "'off': yes, although no work is accepted before the nvidia module is loaded afresh"),
	OPT_INSECURE("insecure-without-attestation", unattested, "'on': without a verification result"),
	OPT_END
};
#undef args

/* --- the result of a verification ------------------------------------------------------------------------------------- */

static bool in_list(const char *word, const struct json *o, const char *name)
{
	const char *s = json_string(json_get(o, name));

	return s && !strcmp(s, word);
}

static int accepted(const struct json *r, struct err *e)
{
	uint64_t code;

	if (!in_list(VERIFY_SCHEMA, r, "schema")) {
		err_set(e, EC_FORMAT, "it is not the result of a verification (schema " VERIFY_SCHEMA ")");
		return err_hint(e, "cvmbox attest verify BUNDLE --nonce HEX --json >FILE");
	}
	if (!json_u64(json_get(r, "exit_code"), &code) || code != 0 || !(in_list("pass", r, "result") || in_list("warn", r, "result")))
		return err_set(e, EC_REFUSED, "the evidence was not accepted: its result is '%s'",
			       json_string(json_get(r, "result")) ? json_string(json_get(r, "result")) : "?");
	return 0;
}

static int fresh(const struct json *r, const struct ctx *cx, struct err *e)
{
	const struct ready_args *a = cx->args;
	const char *text = json_string(json_get(r, "time"));
	int64_t t, age;

	if (!text || time_parse(&t, text, NULL))
		return err_set(e, EC_FORMAT, "it does not say when it was made");
	if (json_true(json_get(r, "time_given")) && !cx->host->has_now)
		return err_set(e, EC_REFUSED, "it was verified as of a time that was given (--now), not now");
	if (json_true(json_get(r, "simulated")) && !cx->host->simulated)
		return err_set(e, EC_REFUSED, "it was made on a simulated machine (--sysroot)");
	age = host_now(cx->host) - t;
	if (age < -SKEW)
		return err_set(e, EC_REFUSED, "it is from the future: %s", text);
	if (age > 0 && (uint64_t)age > a->max_age) {
		err_set(e, EC_REFUSED, "it is %lld s old, wanted at most %llu s", (long long)age, (unsigned long long)a->max_age);
		return err_hint(e, "collect and verify again, or say --max-age");
	}
	return 0;
}

static bool is_gpu(const struct json *d)
{
	return in_list("gpu", d, "x-nvidia-device-type");
}

static bool same_uuid(const struct json *d, const char *uuid)
{
	const char *s = json_string(json_get(d, "uuid"));

	return s && uuid[0] && !strcmp(s, uuid);
}

static bool same_vbios(const struct json *d, const char *vbios)
{
	const char *s = json_string(json_get(d, "x-nvidia-gpu-vbios-version"));

	return !s || !vbios[0] || !strcasecmp(s, vbios);
}

static bool same_bdf(const struct json *d, const struct pci_addr *addr)
{
	const char *s = json_string(json_get(d, "bdf"));
	struct pci_addr a;

	return s && !pci_addr_parse(&a, s, NULL) && pci_addr_eq(&a, addr);
}

struct seen {
	size_t gpus;
	bool named;		/* every one of them says its UUID or address */
	bool other_driver;
	const char *driver;	/* as the driver itself says */
};

/* GPUs of the result, wherever its claims hold them: objects that say they are one. */
static void count(struct seen *s, const struct json *j, int depth)
{
	const char *driver = json_string(json_get(j, "x-nvidia-gpu-driver-version"));

	if (depth > 8)
		return;
	if (is_gpu(j)) {
		s->gpus++;
		s->named &= json_string(json_get(j, "uuid")) || json_string(json_get(j, "bdf"));
		s->other_driver |= driver && s->driver[0] && strcmp(driver, s->driver);
		return;
	}
	if (json_is_object(j) || json_is_array(j))
		for (const struct json *c = json_first(j); c; c = json_next(c))
			count(s, c, depth + 1);
}

static bool holds(const struct json *j, const struct gpu_state *g, int depth)
{
	if (depth > 8)
		return false;
	if (is_gpu(j) && json_string(json_get(j, "uuid")))
		return same_uuid(j, g->info.uuid);
	if (is_gpu(j))
		return json_string(json_get(j, "bdf")) ? same_bdf(j, &g->pci.addr) : same_vbios(j, g->info.vbios);
	if (json_is_object(j) || json_is_array(j))
		for (const struct json *c = json_first(j); c; c = json_next(c))
			if (holds(c, g, depth + 1))
				return true;
	return false;
}

/* Every GPU that takes work has to be in the result, by its name where there are names, else by number, driver and VBIOS: this catches a mixed-up
 * file, not a forger. */
static int covers(const struct ctx *cx, const struct json *r, const struct gpu_states *s, struct err *e)
{
	const struct json *claims = json_get(json_get(r, "claims"), "nvgpu");
	struct seen seen = { .named = true, .driver = s->driver_version };
	size_t mine = 0;

	count(&seen, claims, 0);
	for (size_t i = 0; i < s->n; i++)
		mine += s->v[i].answer == GPU_ANSWERED;
	if (!seen.gpus) {
		err_set(e, EC_REFUSED, "it is not about GPUs");
		return err_hint(e, "collect evidence with --gpus all, and verify that bundle");
	}
	if (seen.gpus != mine)
		return err_set(e, EC_REFUSED, "it is about %zu GPU%s, the driver has %zu", seen.gpus, seen.gpus == 1 ? "" : "s", mine);
	if (seen.other_driver)
		return err_set(e, EC_REFUSED, "it is about GPUs with another driver than %s", s->driver_version);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].answer == GPU_ANSWERED && !holds(claims, &s->v[i], 0))
			return err_set(e, EC_REFUSED, "GPU %s%s%s is not in it", s->v[i].pci.bdf, s->v[i].info.uuid[0] ? " " : "", s->v[i].info.uuid);
	out_check(cx->out, "ready.match", CHECK_PASS, NULL, seen.named ? "the result names every GPU of the driver" :
		  "as many GPUs as the driver has; driver and VBIOS do not differ, names are not in the result", NULL, NULL);
	return 0;
}

static int check_result(const struct ctx *cx, const struct gpu_states *s, struct err *e)
{
	const struct ready_args *a = cx->args;
	AUTO_BUF text = { .max = RESULT_MAX + 1 };
	AUTO_JSON *r = NULL;

	if (file_read(&text, a->after, RESULT_MAX, e))
		return -1;
	if (json_parse(&r, buf_view(&text), RESULT_MAX, e) || accepted(r, e) || fresh(r, cx, e) || covers(cx, r, s, e))
		return err_ctx(e, "cannot go by '%s'", a->after);
	for (const struct json *i = json_first(json_get(r, "insecure")); i; i = json_next(i))
		if (json_string(i))
			out_insecure(cx->out, json_string(i));	/* what was waived there is waived here */
	if (in_list("warn", r, "result"))
		out_check(cx->out, "ready.result", CHECK_WARN, NULL, "the evidence was accepted with warnings", a->after, NULL);
	else
		out_check(cx->out, "ready.result", CHECK_PASS, NULL, "the evidence was accepted", a->after, NULL);
	return 0;
}

/* --- the driver ------------------------------------------------------------------------------------------------------------ */

static int ask(struct gpu_states *ret, struct rm **rm, const struct ctx *cx, struct err *e)
{
	AUTO_GPU_LIST list = { 0 };
	bool bound = false;

	if (gpu_list(&list, cx->host, e))
		return -1;
	for (size_t i = 0; i < list.n; i++)
		bound |= gpu_is_bound(&list.v[i]);
	if (!bound) {
		err_set(e, EC_ABSENT, "no GPU is bound to the nvidia driver, which keeps the ready state");
		return err_hint(e, "the ready state is the guest's: ask in the machine that runs the work");
	}
	if (rm_open(rm, cx->host, e) || gpu_states_ask(ret, &list, NULL, *rm, NULL, e))
		return -1;
	for (size_t i = 0; i < ret->n; i++)
		if (ret->v[i].answer == GPU_FAILED || (ret->v[i].answer != GPU_ANSWERED && gpu_is_bound(&ret->v[i].pci))) {
			err_set(e, EC_IO, "GPU %s does not answer: %s", ret->v[i].pci.bdf, ret->v[i].why.msg);
			return ret->v[i].why.hint[0] ? err_hint(e, "%s", ret->v[i].why.hint) : -1;
		}
	return 0;
}

static void report(const struct ctx *cx, const struct gpu_states *s, bool ready, bool changed)
{
	struct json *claims = cx->out->claims, *gpus;
	enum gpu_mode mode = GPU_MODE_UNKNOWN;

	for (size_t i = 0; i < s->n; i++)
		mode = s->v[i].answer == GPU_ANSWERED ? s->v[i].mode : mode;
	json_add_str(claims, "mode", gpu_mode_word(mode));
	json_add_bool(claims, "ready", ready);
	json_add_bool(claims, "changed", changed);
	gpus = json_add_array(claims, "gpus");
	for (size_t i = 0; i < s->n; i++) {
		struct json *o;

		if (s->v[i].answer != GPU_ANSWERED)
			continue;
		o = json_add_object(gpus, NULL);
		json_add_str(o, "bdf", s->v[i].pci.bdf);
		json_add_str(o, "uuid", s->v[i].info.uuid[0] ? s->v[i].info.uuid : NULL);
	}
	out_text(cx->out, "mode: %s", gpu_mode_word(mode));
	out_verdict(cx->out, "%s%s", ready ? "ready: work is accepted" : mode == GPU_MODE_OFF ? "no ready state: confidential mode is off, work is accepted" :
		    "not ready: no work is accepted", changed ? "" : cx->argc ? ", as before" : "");
}

static int set(const struct ctx *cx, bool on, struct err *e)
{
	const struct ready_args *a = cx->args;
	AUTO_GPU_STATES s = { 0 };
	AUTO_RM *rm = NULL;
	bool changed;

	if (ask(&s, &rm, cx, e))
		return -1;
	if (on && a->after && check_result(cx, &s, e))	/* also where nothing is left to do: a script goes by the exit status */
		return -1;
	if (s.has_cc && s.cc.ready == on) {
		report(cx, &s, on, false);
		return 0;
	}
	if (rm_set_ready(&changed, rm, on, e))
		return -1;
	if (!on)
		out_check(cx->out, "ready.off", CHECK_WARN, NULL, "the driver accepts no work until its module is loaded afresh", NULL, NULL);
	report(cx, &s, on, changed);
	return 0;
}

static int show(const struct ctx *cx, struct err *e)
{
	AUTO_GPU_STATES s = { 0 };
	AUTO_RM *rm = NULL;

	if (ask(&s, &rm, cx, e))
		return -1;
	report(cx, &s, s.cc.ready, false);
	return 0;
}

static int run_ready(const struct ctx *cx, struct err *e)
{
	const struct ready_args *a = cx->args;
	const bool on = cx->argc && !strcmp(cx->argv[0], "on"), off = cx->argc && !strcmp(cx->argv[0], "off");

	if (cx->argc && !on && !off)
		return err_set(e, EC_USAGE, "'%.40s' is no ready state, wanted on or off", cx->argv[0]);
	if (!on && (a->after || a->unattested))
		return err_set(e, EC_USAGE, "--after and --insecure-without-attestation go with 'ready on'");
	if (!off && a->until_reload)
		return err_set(e, EC_USAGE, "--until-module-reload goes with 'ready off'");
	if (!cx->argc)
		return show(cx, e);
	if (on && !a->after == !a->unattested) {
		err_set(e, EC_USAGE, a->after ? "--after and --insecure-without-attestation contradict each other" : "'ready on' comes after a verification: --after FILE");
		return err_hint(e, "cvmbox attest verify BUNDLE --nonce HEX --json >FILE, then --after FILE");
	}
	if (off && !a->until_reload) {
		err_set(e, EC_USAGE, "'ready off' cannot be taken back: the driver stays not ready until its module is loaded afresh");
		return err_hint(e, "--until-module-reload says that this is wanted");
	}
	return set(cx, on, e);
}

const struct verb verb_ccmode_ready = {
	.name = "ready", .summary = "tell or set whether the driver of a confidential guest accepts work", .operands = "[on|off]", .opts = opts,
	.defaults = &(const struct ready_args){ .max_age = 300 }, .args_size = sizeof(struct ready_args), .max_operands = 1, .run = run_ready,
};
