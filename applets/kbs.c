/* SPDX-License-Identifier: Apache-2.0 */
/* kbs - a small key broker: keep secrets, give them to machines that attest */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/applet.h"
#include "base/cursor.h"
#include "broker/key.h"
#include "broker/server.h"
#include "codec/out.h"
#include "evidence/collateral.h"

#define PEM_MAX ((size_t)1 << 20)

#define OPT_STORE OPT_STR(0, "store", store, "DIR", "folder of the store (owned by you, mode 0700)")

static int open_store(struct kbs_store **ret, const char *dir, bool create, struct err *e)
{
	if (!dir)
		return err_set(e, EC_USAGE, "--store DIR is missing");
	return kbs_store_open(ret, dir, create, e);
}

/* "repo/type/tag", or the same as kbs:/// URI */
static int name_of(struct resource_name *ret, const char *s, struct err *e)
{
	return is_resource_uri(s) ? resource_uri_parse(ret, s, e) : resource_name_parse(ret, slice_str(s), e);
}

static void show_name(struct out *o, const struct resource_name *n)
{
	json_add_fmt(o->claims, "resource", "%s/%s/%s", n->part[0], n->part[1], n->part[2]);
}

/* --- serve ------------------------------------------------------------------------------------------------ */

struct serve_args {
	const char *store, *policy, *listen, *tls_cert, *tls_key, *certs, *ready_fd;
	bool allow_sample;
};
#define args serve_args
static const struct opt serve_opts[] = {
	OPT_STORE,
	OPT_STR(0, "policy", policy, "FILE", "what evidence has to fulfil: the policy file of 'attest verify'; has to be given"),
	OPT_STR('l', "listen", listen, "ADDRESS", "ADDR:PORT, [ADDR6]:PORT or unix:/PATH; port 0 takes a free one (default: 127.0.0.1:8080)"),
	OPT_STR(0, "tls-cert", tls_cert, "FILE", "certificate chain (PEM) for HTTPS; without it only loopback is served"),
	OPT_STR(0, "tls-key", tls_key, "SRC", "its private key (PEM)"),
	OPT_STR(0, "certs", certs, "PATH", "endorsements for evidence that brings none, a file or a folder: VCEK, chains, CRLs, TCB info, GPU manifests, OCSP answers"),
	OPT_STR(0, "ready-fd", ready_fd, "N", "write the URL and a line end to this descriptor when listening, and close it"),
	OPT_INSECURE("allow-sample", allow_sample, "take evidence of the sample TEE, which proves nothing (for demos and tests)"),
	OPT_END
};
#undef args

struct serving {
	struct host host;	/* the caller's, with our log */
	bool sample, quiet;
	int ready_fd;
};

/* The log of a server is its result for people: shown without -v, each line with its time. */
static void log_line(void *arg, enum log_level lvl, const char *line)
{
	const struct serving *s = arg;
	char when[32];

	(void)lvl;
	time_format(when, host_now(&s->host));
	dprintf(STDERR_FILENO, "cvmbox kbs: %s %s%s\n", when, s->sample ? "[--allow-sample] " : "", line);
}

static void ready(void *arg, const char *url)
{
	struct serving *s = arg;

	if (!s->quiet)
		dprintf(STDERR_FILENO, "cvmbox kbs: %slistening on %s\n", s->sample ? "[--allow-sample] " : "", url);
	if (s->ready_fd >= 0) {
		dprintf(s->ready_fd, "%s\n", url);
		fd_close(&s->ready_fd);
	}
}

static int stop_signals(int *ret, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) || (*ret = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		return err_sys(e, EC_IO, "cannot wait for signals");
	return 0;
}

static int load_policy(struct policy **ret, const char *file, struct err *e)
{
	if (!file) {
		err_set(e, EC_USAGE, "--policy FILE is missing: it says which measurements get secrets");
		return err_hint(e, "'cvmbox attest verify --print-policy' prints one to start from");
	}
	return policy_read(ret, file, e);
}

static int load_tls(struct buf *cert, struct secret *key, const struct serve_args *a, const struct host *h, struct err *e)
{
	if (!a->tls_cert != !a->tls_key)
		return err_set(e, EC_USAGE, "--tls-cert and --tls-key go together");
	if (!a->tls_cert)
		return 0;
	return file_read(cert, a->tls_cert, PEM_MAX, e) || key_get(key, h, NULL, a->tls_key, PEM_MAX, e) ? -1 : 0;
}

static int parse_ready_fd(int *ret, const char *s, struct err *e)
{
	uint64_t n;

	*ret = -1;
	if (!s)
		return 0;
	if (parse_u64(&n, s, 1 << 20, e))
		return err_ctx(e, "option --ready-fd");
	if (fcntl((int)n, F_GETFD) < 0)
		return err_set(e, EC_USAGE, "option --ready-fd: %d is not an open descriptor", (int)n);
	*ret = (int)n;
	return 0;
}

static int run_serve(const struct ctx *cx, struct err *e)
{
	const struct serve_args *a = cx->args;
	struct serving s = { .host = *cx->host, .sample = a->allow_sample, .quiet = cx->host->verbosity < 0 };
	AUTO_KBS_STORE *store = NULL;
	AUTO_POLICY *policy = NULL;
	AUTO_COLLATERAL given = { 0 };
	AUTO_BUF cert = { 0 };
	AUTO_SECRET key = { 0 };
	AUTO_FD stop = -1;
	struct kbs *k = NULL;
	int rc;

	s.host.log = log_line;
	s.host.log_arg = &s;
	s.host.verbosity = s.quiet ? -1 : cx->host->verbosity + 1;
	cx->out->on_stderr = true;	/* a server's words are its log */
	if (open_store(&store, a->store, false, e) || load_policy(&policy, a->policy, e) || (a->certs && collateral_load(&given, a->certs, e)) ||
	    load_tls(&cert, &key, a, cx->host, e) || parse_ready_fd(&s.ready_fd, a->ready_fd, e) || stop_signals(&stop, e) ||
	    kbs_new(&k, &(const struct kbs_opts){ .host = &s.host, .store = store, .policy = policy, .given = &given,
						   .allow_sample = a->allow_sample }, e))
		return -1;
	rc = kbs_serve(k, &(const struct kbs_listen){ .address = a->listen, .tls_cert = buf_view(&cert),
						       .tls_key = secret_view(&key), .stop_fd = stop, .ready = ready,
						       .arg = &s }, &s.host, e);
	kbs_free(k);
	fd_close(&s.ready_fd);
	return rc;
}

/* --- put, get, list, rm, token-key -------------------------------------------------------------------------- */

struct put_args {
	const char *store;
	bool force;
	struct key_env kbs;
};
#define args put_args
static const struct opt put_opts[] = {
	OPT_STORE,
	OPT_FLAG('f', "force", force, "replace a resource that exists"),
	OPT_END
};
#undef args

static int run_put(const struct ctx *cx, struct err *e)
{
	const struct put_args *a = cx->args;
	AUTO_KBS_STORE *store = NULL;
	AUTO_SECRET v = { 0 };
	struct resource_name n;

	if (name_of(&n, cx->argv[0], e) || open_store(&store, a->store, true, e) ||
	    key_get(&v, cx->host, &a->kbs, cx->argv[1], STORE_RESOURCE_MAX, e) || kbs_store_put(store, &n, &v, a->force, e))
		return -1;
	show_name(cx->out, &n);
	json_add_u64(cx->out->claims, "size", v.n);
	out_verdict(cx->out, "stored");
	return 0;
}

struct get_args {
	const char *store, *output;
	bool force;
};
#define args get_args
static const struct opt get_opts[] = {
	OPT_STORE,
	OPT_STR('o', "output", output, "DST", "where the secret goes (default: standard output, not a terminal)"),
	OPT_FLAG('f', "force", force, "overwrite an existing output"),
	OPT_END
};
#undef args

static int run_get(const struct ctx *cx, struct err *e)
{
	const struct get_args *a = cx->args;
	AUTO_KBS_STORE *store = NULL;
	AUTO_SECRET v = { 0 };
	struct resource_name n;

	if (cx->json && !strcmp(a->output, "-"))
		return err_set(e, EC_USAGE, "--json and the secret cannot both go to standard output: give -o DST");
	if (name_of(&n, cx->argv[0], e) || open_store(&store, a->store, false, e) || kbs_store_get(&v, store, &n, e) ||
	    key_put(&v, cx->host, a->output, a->force, e))
		return -1;
	if (!strcmp(a->output, "-"))
		return 0;
	show_name(cx->out, &n);
	json_add_u64(cx->out->claims, "size", v.n);
	json_add_str(cx->out->claims, "output", a->output);
	return 0;
}

struct store_args {
	const char *store;
};
#define args store_args
static const struct opt store_opts[] = { OPT_STORE, OPT_END };
#undef args

struct listing {
	struct out *out;
	struct json *list;
};

static int list_one(void *arg, const char *name, uint64_t size)
{
	const struct listing *l = arg;
	struct json *o = json_add_object(l->list, NULL);

	json_add_str(o, "resource", name);
	json_add_u64(o, "size", size);
	out_text(l->out, "%-40s %8llu", name, (unsigned long long)size);
	return 0;
}

static int run_list(const struct ctx *cx, struct err *e)
{
	const struct store_args *a = cx->args;
	AUTO_KBS_STORE *store = NULL;
	struct listing l = { .out = cx->out };

	if (open_store(&store, a->store, false, e))
		return -1;
	l.list = json_add_array(cx->out->claims, "resources");
	if (kbs_store_list(store, list_one, &l, e))
		return -1;
	if (!json_count(l.list))
		out_text(cx->out, "no resources");
	return 0;
}

static int run_rm(const struct ctx *cx, struct err *e)
{
	const struct store_args *a = cx->args;
	AUTO_KBS_STORE *store = NULL;
	struct json *removed = NULL;
	struct resource_name n;

	for (int i = 0; i < cx->argc; i++)
		if (name_of(&n, cx->argv[i], e))
			return -1;
	if (open_store(&store, a->store, false, e))
		return -1;
	for (int i = 0; i < cx->argc; i++) {
		if (name_of(&n, cx->argv[i], e) || kbs_store_remove(store, &n, e))
			return -1;
		if (!removed)
			removed = json_add_array(cx->out->claims, "removed");
		json_add_fmt(removed, NULL, "%s/%s/%s", n.part[0], n.part[1], n.part[2]);
		out_text(cx->out, "removed %s/%s/%s", n.part[0], n.part[1], n.part[2]);
	}
	return 0;
}

static int run_token_key(const struct ctx *cx, struct err *e)
{
	const struct store_args *a = cx->args;
	AUTO_KBS_STORE *store = NULL;
	AUTO_JSON *set = NULL;

	if (open_store(&store, a->store, true, e) || kbs_token_keys(&cx->out->data, store, e) ||
	    json_parse(&set, buf_view(&cx->out->data), PEM_MAX, e))
		return -1;
	buf_byte(&cx->out->data, '\n');
	json_add_copy(cx->out->claims, "jwks", set);
	return 0;
}

static const struct verb *const verbs[] = {
	&(const struct verb){ .name = "serve", .summary = "answer machines that attest, until SIGTERM", .operands = "--store DIR --policy FILE",
	  .opts = serve_opts, .args_size = sizeof(struct serve_args), .releases_secrets = true, .run = run_serve,
	  .defaults = &(const struct serve_args){ .listen = "127.0.0.1:8080" } },
	&(const struct verb){ .name = "put", .summary = "add a resource to the store (also while it is served)",
	  .operands = "--store DIR REPO/TYPE/TAG SRC", .opts = put_opts, .args_size = sizeof(struct put_args),
	  .min_operands = 2, .max_operands = 2, .releases_secrets = true, .run = run_put },
	&(const struct verb){ .name = "get", .summary = "read a resource from the store", .operands = "--store DIR REPO/TYPE/TAG [-o DST]",
	  .opts = get_opts, .args_size = sizeof(struct get_args), .min_operands = 1, .max_operands = 1,
	  .releases_secrets = true, .run = run_get, .defaults = &(const struct get_args){ .output = "-" } },
	&(const struct verb){ .name = "list", .summary = "list the names and sizes of the resources", .operands = "--store DIR",
	  .opts = store_opts, .args_size = sizeof(struct store_args), .run = run_list },
	&(const struct verb){ .name = "rm", .summary = "remove resources from the store", .operands = "--store DIR REPO/TYPE/TAG...",
	  .opts = store_opts, .args_size = sizeof(struct store_args), .min_operands = 1, .max_operands = -1, .run = run_rm },
	&(const struct verb){ .name = "token-key", .summary = "print the public keys that verify the broker's tokens (JWK set)",
	  .operands = "--store DIR", .opts = store_opts, .args_size = sizeof(struct store_args), .run = run_token_key },
};

const struct applet applet_kbs = {
	.name = "kbs",
	.summary = "keep secrets and give them to machines that attest",
	.notes = "A resource is given only to a machine whose evidence the policy accepts, encrypted to the key that this evidence "
		 "is bound to.  The store itself is not encrypted: it is as safe as the folder and the machine it lies on.",
	VERBS(verbs),
};
