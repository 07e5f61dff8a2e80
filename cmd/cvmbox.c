/* SPDX-License-Identifier: Apache-2.0 */
/* main, dispatch, and the one place that prints an error and chooses the exit status */

#include "cvmbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/early.h"
#include "base/secret.h"
#include "codec/out.h"
#include "model/progress.h"

#define APPLET(sym) extern const struct applet applet_##sym;
#include "applets.gen.h"
#undef APPLET
#define APPLET(sym) &applet_##sym,
const struct applet *const applets[] = {
#include "applets.gen.h"
	NULL
};

#define COMMON(kind, letter, name, field, arg, help, flags) \
	{ kind, letter, name, offsetof(struct common, field), arg, help, NULL, flags }
const struct opt common_opts[] = {
	COMMON(OPT_KIND_FLAG, 'h', "help", help, NULL, "print this help", OPT_F_NOENV),
	COMMON(OPT_KIND_FLAG, 0, "json", json, NULL, "print the result as one JSON object, also on failure", 0),
	COMMON(OPT_KIND_FLAG, 'q', "quiet", quiet, NULL, "on standard error only errors: no warnings, no progress", 0),
	COMMON(OPT_KIND_COUNT, 'v', "verbose", verbose, NULL, "tell the steps (twice: sizes and digests on the wire too)", OPT_F_NOENV),
	COMMON(OPT_KIND_UINT, 0, "timeout", timeout, "SEC", "give up after this time, for the whole call", 0),
	COMMON(OPT_KIND_FLAG, 0, "offline", offline, NULL, "open no socket at all", 0),
	COMMON(OPT_KIND_STR, 0, "now", now, "TIME", "verify as of this time (RFC 3339); shown in the result", OPT_F_NOENV),
	COMMON(OPT_KIND_STR, 0, "ca-file", ca_file, "FILE", "trust these CA certificates (PEM) for https", 0),
	COMMON(OPT_KIND_STR, 0, "proxy", proxy, "URL", "use this HTTP proxy", 0),
	COMMON(OPT_KIND_LIST, 0, "resolve", resolve, "HOST:PORT:ADDR", "use this address for a host, without DNS", 0),
	COMMON(OPT_KIND_STR, 0, "sysroot", sysroot, "DIR", "look at a captured machine instead of this one (shown as simulated)", OPT_F_NOENV),
	OPT_END
};

/* One call, from the command line to the exit status. */
struct call {
	const struct applet *applet;
	const struct verb *verb;
	struct common common;
	struct host host;
	struct out out;
	struct opt_list insecure;
	struct progress progress;
	char schema[80];
};

const struct applet *applet_find(const char *name, size_t n)
{
	for (const struct applet *const *a = applets; *a; a++)
		if (strlen((*a)->name) == n && !memcmp((*a)->name, name, n))
			return *a;
	return NULL;
}

static void print_line(const struct call *c, const char *kind, const char *text)
{
	fprintf(stderr, "cvmbox%s%s: %s%s\n", c->applet ? " " : "", c->applet ? c->applet->name : "", kind, text);
}

static void log_line(void *arg, enum log_level lvl, const char *line)
{
	print_line(arg, lvl == LOG_WARN ? "warning: " : "", line);
}

static void on_entropy(void)
{
	static const char line[] = "cvmbox: waiting for the kernel to gather random bytes\n";

	if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
		return;
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
	struct call *c = arg;
	char line[160];

	if (!progress_due(&c->progress, line, sizeof line, done, total, host_mono_ms()))
		return;
	if (c->progress.terminal)
		fprintf(stderr, "\r%s", line);
	else
		print_line(c, "", line);
}

static void clear_progress(struct call *c)
{
	if (c->progress.terminal && c->progress.width)
		fprintf(stderr, "\r%*s\r", (int)c->progress.width, "");
}

/* --- printing the end ------------------------------------------------------------------------------------ */

static int write_result(int fd, struct slice s, struct err *e)
{
	if (s.n && fd_write_all(fd, s.p, s.n, e))
		return err_ctx(e, "cannot write the result");
	return 0;
}

/* The status a failure ends with: one that set no code is our bug, never a success. */
static int status_of(int rc, const struct err *e)
{
	if (!rc)
		return EC_OK;
	return e->code == EC_OK ? EC_BUG : (int)e->code;
}

static struct out_head head_of(const struct call *c, int exit_code)
{
	return (struct out_head){ .schema = c->schema, .tool_version = CVMBOX_VERSION, .now = host_now(&c->host),
				  .now_given = c->host.has_now, .simulated = c->host.simulated, .insecure = &c->insecure,
				  .exit_code = exit_code };
}

static int finish(struct call *c, int rc, struct err *failure)
{
	AUTO_BUF text = { 0 };
	struct err e = { 0 };
	struct out_head head = head_of(c, status_of(rc, failure));

	if (rc && !failure->msg[0])
		err_set(failure, EC_BUG, "failed without saying why");
	if ((c->common.json ? out_json(&text, &c->out, &head, rc ? failure : NULL, &e) : out_human(&text, &c->out, &head, &e)) ||
	    write_result(c->out.on_stderr && !c->common.json ? STDERR_FILENO : STDOUT_FILENO, buf_view(&text), &e)) {
		print_line(c, "", e.msg);
		return rc ? head.exit_code : status_of(-1, &e);
	}
	if (rc) {
		print_line(c, "", failure->msg);
		if (failure->hint[0])
			print_line(c, "hint: ", failure->hint);
	}
	return head.exit_code;
}

/* --- the time limit ---------------------------------------------------------------------------------------- */

/* Whoever waits looks at the deadline itself.  What cannot (an open of a pipe that nobody writes to, a stuck file system) is ended from here, a second
 * later, with the same words: made before, because a signal handler may only write and exit. */
static struct {
	struct buf result, line;
} late;

static void on_late(int sig)
{
	(void)sig;
	if (late.result.n && write(STDOUT_FILENO, late.result.p, late.result.n) < 0)
		_exit(EC_IO);
	if (write(STDERR_FILENO, late.line.p, late.line.n) < 0)
		_exit(EC_IO);
	_exit(EC_IO);
}

static int arm_limit(struct call *c, struct err *e)
{
	const struct sigaction act = { .sa_handler = on_late };
	const struct itimerval t = { .it_value = { .tv_sec = (time_t)c->common.timeout + 1 } };
	struct out_head head = head_of(c, EC_IO);
	struct err failure;

	if (!c->common.timeout)
		return 0;
	err_set(&failure, EC_IO, "the time limit of %llu s has passed", (unsigned long long)c->common.timeout);
	buf_printf(&late.line, "cvmbox %s: %s\n", c->applet->name, failure.msg);
	if ((c->common.json && out_json(&late.result, &c->out, &head, &failure, e)) || buf_check(&late.line, e))
		return -1;
	if (sigaction(SIGALRM, &act, NULL) || setitimer(ITIMER_REAL, &t, NULL))
		return err_sys(e, EC_IO, "cannot set the time limit");
	return 0;
}

static void disarm_limit(void)
{
	const struct itimerval off = { 0 };

	setitimer(ITIMER_REAL, &off, NULL);
	buf_free(&late.result);
	buf_free(&late.line);
}

/* --- running one verb -------------------------------------------------------------------------------------- */

static int host_setup(struct call *c, const char **resolve, struct err *e)
{
	struct host *h = &c->host;
	const struct common *o = &c->common;

	h->verbosity = o->quiet ? -1 : o->verbose;
	h->log = log_line;
	h->log_arg = c;
	h->offline = o->offline;
	h->ca_file = o->ca_file;
	h->proxy = o->proxy;
	for (size_t i = 0; i < o->resolve.n; i++)
		resolve[i] = o->resolve.v[i];
	h->resolve = resolve;
	if (o->timeout > 86400 * 30)
		return err_set(e, EC_USAGE, "option --timeout: at most 30 days");
	if (o->timeout)
		h->deadline_ms = host_mono_ms() + (int64_t)o->timeout * 1000;
	if (o->now) {
		if (time_parse(&h->now_fixed, o->now, e))
			return err_ctx(e, "option --now");
		h->has_now = true;
	}
	if (o->sysroot && strcmp(o->sysroot, "/"))
		return host_set_sysroot(h, o->sysroot, e);
	return 0;
}

static int check_call(const struct call *c, int n, struct err *e)
{
	const struct verb *v = c->verb;

#ifndef CVMBOX_TESTING
	if (v->releases_secrets && c->host.simulated)
		return err_set(e, EC_USAGE, "--sysroot is refused where a secret would be released");
#endif
	if (n < v->min_operands || (v->max_operands >= 0 && n > v->max_operands)) {
		err_set(e, EC_USAGE, "%d operand%s given, wanted: %s", n, n == 1 ? "" : "s", v->operands && *v->operands ? v->operands : "none");
		return err_hint(e, "see cvmbox %s%s%s --help", c->applet->name, v->name ? " " : "", v->name ? v->name : "");
	}
	return 0;
}

/* Options that weaken a check also come as --allow-...: both are declared with OPT_F_INSECURE. */
static int run_verb(struct call *c, int argc, char **argv, int *exit_status, struct err *e)
{
	const struct verb *v = c->verb;
	const char *resolve[sizeof c->common.resolve.v / sizeof *c->common.resolve.v + 1] = { 0 };
	void *args = calloc(1, v->args_size ? v->args_size : 1);
	const struct opt_set sets[] = { { v->opts, args }, { common_opts, &c->common }, { NULL, NULL } };
	struct ctx cx = { .host = &c->host, .out = &c->out, .args = args, .argv = argv, .insecure = &c->insecure,
			  .exit_status = exit_status };
	int rc = -1;

	if (!args)
		return err_oom(e);
	if (v->defaults)
		memcpy(args, v->defaults, v->args_size);
	if (opt_parse(v->opts ? sets : sets + 1, argc, argv, &cx.argc, &cx.rest, &c->insecure, e))
		goto out;
	if (c->common.help) {
		help_applet(&c->out.text, c->applet, v);
		rc = 0;
		goto out;
	}
	cx.json = c->common.json;
	if (!c->common.json && !c->common.quiet) {
		c->progress.terminal = isatty(STDERR_FILENO);
		cx.progress = show_progress;
		cx.progress_arg = c;
	}
	if (host_setup(c, resolve, e) || check_call(c, cx.argc, e) || arm_limit(c, e))
		goto out;
	rc = v->run(&cx, e);
	disarm_limit();
	clear_progress(c);
	host_close(&c->host);
out:
	free(args);
	return rc;
}

static bool wants_json(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

/* The option of a table that this argument names, alone or as --name=value; NULL if none. */
static const struct opt *named_option(const struct opt *o, const char *arg)
{
	for (; o && o->kind != OPT_KIND_END; o++) {
		const size_t n = strlen(o->name);

		if (arg[1] == '-' ? !strncmp(arg + 2, o->name, n) && (!arg[2 + n] || arg[2 + n] == '=') :
				    o->letter && arg[1] == o->letter && !arg[2])
			return o;
	}
	return NULL;
}

static bool wants_next(const struct opt *o, const char *arg)
{
	return o && o->kind != OPT_KIND_FLAG && o->kind != OPT_KIND_COUNT && !strchr(arg, '=');
}

/* Is the word behind this option its value?  Asked before the verb is known, so of every verb's table. */
static bool takes_value(const struct applet *a, const char *arg)
{
	if (wants_next(named_option(common_opts, arg), arg))
		return true;
	for (size_t i = 0; i < a->n_verbs; i++)
		if (wants_next(named_option(a->verbs[i]->opts, arg), arg))
			return true;
	return false;
}

/* Finds the verb: the first operand, or the only or default one.  Removes its name from argv. */
static int pick_verb(struct call *c, int *argc, char **argv, struct err *e)
{
	const struct applet *a = c->applet;
	int at = 0;

	while (at < *argc && argv[at][0] == '-' && argv[at][1] && strcmp(argv[at], "--"))	/* --json and friends may stand before the verb */
		at += takes_value(a, argv[at]) && at + 1 < *argc ? 2 : 1;
	for (size_t i = 0; i < a->n_verbs; i++) {
		const struct verb *v = a->verbs[i];

		if (!v->name || (at < *argc && !strcmp(argv[at], v->name))) {
			c->verb = v;
			if (v->name) {
				memmove(argv + at, argv + at + 1, (size_t)(*argc - at - 1) * sizeof *argv);
				--*argc;
			}
			return 0;
		}
	}
	for (int i = 0; i < *argc && !c->common.help; i++)
		c->common.help = !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
	if (c->common.help)
		return 0;
	for (size_t i = 0; at == *argc && i < a->n_verbs; i++)
		if (a->verbs[i]->is_default) {
			c->verb = a->verbs[i];
			return 0;
		}
	if (at < *argc) {
		err_set(e, EC_USAGE, "unknown verb '%.60s'", argv[at]);
		return err_hint(e, "cvmbox %s --help lists the verbs", a->name);
	}
	help_applet(&c->out.text, a, NULL);	/* but not exit 0: a script that lost the verb must not read "accepted" */
	return err_set(e, EC_USAGE, "no verb given");
}

static int run_applet(struct call *c, int argc, char **argv)
{
	struct err e = { 0 };
	int exit_status = -1, rc = -1, ret;

	host_entropy_notice = on_entropy;
	host_init(&c->host);
	c->common.json |= wants_json(argc, argv);
	snprintf(c->schema, sizeof c->schema, "cvmbox.%s/1", c->applet->name);
	if (out_init(&c->out, &e) || pick_verb(c, &argc, argv, &e))
		goto out;
	if (!c->verb) {
		help_applet(&c->out.text, c->applet, NULL);
		rc = 0;
		goto out;
	}
	if (c->verb->name)
		snprintf(c->schema, sizeof c->schema, "cvmbox.%s.%s/1", c->applet->name, c->verb->name);
	rc = run_verb(c, argc, argv, &exit_status, &e);
out:
	ret = finish(c, rc, &e);
	out_free(&c->out);
	return exit_status >= 0 && !rc && ret == EC_OK ? exit_status : ret;
}

/* --- what is not an applet ----------------------------------------------------------------------------------- */

static int install(const char *dir, struct err *e)
{
	char self[4096];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	AUTO_FD d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (n < 0)
		return err_sys(e, EC_IO, "cannot find the own file");
	self[n] = 0;
	if (d < 0)
		return err_sys(e, EC_IO, "cannot open folder '%s'", dir);
	for (const struct applet *const *a = applets; *a; a++)
		if (symlinkat(self, d, (*a)->name) && errno != EEXIST)
			return err_sys(e, EC_IO, "cannot link '%s/%s'", dir, (*a)->name);
	return 0;
}

static const struct verb *verb_find(const struct applet *a, const char *name)
{
	for (size_t i = 0; i < a->n_verbs; i++)
		if (a->verbs[i]->name && !strcmp(a->verbs[i]->name, name))
			return a->verbs[i];
	return NULL;
}

static int run_help(struct call *c, int argc, char **argv, struct err *e)
{
	static const char *const shells[] = { "bash", "zsh", "fish", NULL };
	struct args {
		bool json, mdoc, help;
		int completion;
	} args = { .completion = -1, .json = c->common.json };
	static const struct opt opts[] = {
		OPT_FLAG(0, "json", json, "describe everything for machines"),
		OPT_FLAG(0, "mdoc", mdoc, "print the OPTIONS section of the manual page"),
		OPT_ENUM(0, "completion", completion, shells, "print completions for a shell"),
		OPT_FLAG('h', "help", help, "print this help"),
		OPT_END
	};
	const struct opt_set sets[] = { { opts, &args }, { NULL, NULL } };
	struct buf *ret = &c->out.data;
	const struct applet *a = NULL;
	const struct verb *v = NULL;
	int n, rest;

	if (opt_parse(sets, argc, argv, &n, &rest, NULL, e))
		return -1;
	if (n && !(a = applet_find(argv[0], strlen(argv[0]))))
		return err_set(e, EC_USAGE, "unknown applet '%.60s'", argv[0]);
	if (n > 2 || (n == 2 && !(v = verb_find(a, argv[1]))))
		return err_set(e, EC_USAGE, "help takes an applet and one of its verbs");
	c->common.json = false;		/* what follows is a document of its own */
	if (args.json || args.mdoc || args.completion >= 0)
		return help_machine(ret, args.json ? HELP_JSON : args.mdoc ? HELP_MDOC :
				    (enum help_form)(HELP_BASH + args.completion), a, e);
	if (a)
		help_applet(ret, a, v);
	else
		help_usage(ret);
	return 0;
}

static int run_other(struct call *c, const char *word, int argc, char **argv, struct err *e)
{
	struct out *o = &c->out;
	struct json *list;

	if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h"))
		return run_help(c, argc, argv, e);
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		out_text(o, "cvmbox " CVMBOX_VERSION);
		json_add_str(o->claims, "version", CVMBOX_VERSION);
		return 0;
	}
	if (!strcmp(word, "--list")) {
		list = json_add_array(o->claims, "applets");
		for (const struct applet *const *a = applets; *a; a++) {
			out_text(o, "%s", (*a)->name);
			json_add_str(list, NULL, (*a)->name);
		}
		return 0;
	}
	if (!strcmp(word, "--install")) {
		if (argc != 1)
			return err_set(e, EC_USAGE, "--install needs one folder");
		return install(argv[0], e);
	}
	err_set(e, EC_USAGE, "unknown applet '%.60s'", word);
	return err_hint(e, "cvmbox --list names them");
}

/* Global options may stand before the applet: they are moved behind its name. */
static int skip_globals(int argc, char **argv)
{
	int at = 0;

	while (at < argc && argv[at][0] == '-' && argv[at][1]) {
		const struct opt *o = named_option(common_opts, argv[at]);

		if (!o || (o->letter == 'h' && at == 0))
			break;
		at += wants_next(o, argv[at]) ? 2 : 1;
	}
	return at < argc ? at : argc;
}

static int run_top(struct call *c, int at, int argc, char **argv)
{
	struct err e = { 0 };
	int rc = -1, ret;

	host_entropy_notice = on_entropy;
	host_init(&c->host);
	c->common.json |= wants_json(argc, argv);
	snprintf(c->schema, sizeof c->schema, "cvmbox/1");
	if (!out_init(&c->out, &e)) {
		if (at < argc) {
			rc = run_other(c, argv[at], argc - at - 1, argv + at + 1, &e);
		} else {
			help_usage(&c->out.text);
			rc = argc ? err_set(&e, EC_USAGE, "no applet given") : 0;
		}
	}
	ret = finish(c, rc, &e);
	out_free(&c->out);
	return ret;
}

/* A closed 0, 1 or 2 would go to the next file that is opened, and messages would land in it.  What stands there instead fails like a closed
 * one: reading from it, or writing to it, is not possible. */
static void hold_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(EC_IO);
}

int main(int argc, char **argv)
{
	static struct call c;
	const char *self = argc && argv[0] ? strrchr(argv[0], '/') : NULL;
	const char *name = self ? self + 1 : argc && argv[0] ? argv[0] : "cvmbox";
	const struct opt_set env[] = { { common_opts, &c.common }, { NULL, NULL } };
	struct err e = { 0 };
	int at;

	hold_standard_fds();
	secret_harden_process();
	signal(SIGPIPE, SIG_IGN);	/* a closed pipe and a file size limit are errors of write(2), told like any other */
	signal(SIGXFSZ, SIG_IGN);
	argc -= argc > 0;
	argv++;
	if (opt_environ(env, &e)) {
		print_line(&c, "", e.msg);
		return EC_USAGE;
	}
	c.applet = applet_find(name, strlen(name));
	if (c.applet)
		return run_applet(&c, argc, argv);
	at = skip_globals(argc, argv);
	if (at < argc && (c.applet = applet_find(argv[at], strlen(argv[at])))) {
		memmove(argv + 1, argv, (size_t)at * sizeof *argv);
		return run_applet(&c, argc - 1, argv + 1);
	}
	return run_top(&c, at, argc, argv);
}
