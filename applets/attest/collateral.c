/* SPDX-License-Identifier: Apache-2.0 */
/* attest collateral - get what verification needs, so that it can go on without a network */

#include <errno.h>
#include <sys/stat.h>

#include "attest/fetch.h"
#include "attest/kinds.h"
#include "base/cursor.h"
#include "base/outfile.h"
#include "broker/key.h"
#include "codec/out.h"
#include "net/http.h"
#include "verbs.h"

struct collateral_args {
	const char *output, *kind, *product, *kds, *pcs, *pccs, *root_crl, *rim, *ocsp, *service_key, *cache_dir;
	bool force, refresh, no_ocsp;
};
#define args collateral_args
static const struct opt collateral_opts[] = {
	OPT_STR('o', "output", output, "BUNDLE", "the bundle with the collateral in it (default: standard output); for raw evidence a folder for verify --collateral"),
	OPT_FLAG('f', "force", force, "overwrite existing files"),
	OPT_STR(0, "kind", kind, "KIND", "what raw evidence is (default: auto, by content)"),
	OPT_STR(0, "product", product, "NAME", "Milan or Genoa, for SNP reports of version 2, which do not say (default: both are tried)"),
	OPT_STR(0, "kds", kds, "URL", "AMD's key distribution service (default: " FETCH_KDS ")"),
	OPT_STR(0, "pcs", pcs, "URL", "Intel's provisioning certification service (default: " FETCH_PCS ")"),
	OPT_STR(0, "pccs", pccs, "URL", "a caching service of your own instead of Intel's two hosts"),
	OPT_STR(0, "root-crl", root_crl, "URL", "the revocation list of Intel's root (default: " FETCH_ROOT_CRL ")"),
	OPT_STR(0, "rim-url", rim, "URL", "NVIDIA's service of reference integrity manifests, or a mirror (default: " FETCH_RIM ")"),
	OPT_STR(0, "ocsp-url", ocsp, "URL", "NVIDIA's service of certificate status, or a proxy to it (default: " FETCH_OCSP ")"),
	OPT_FLAG(0, "no-ocsp", no_ocsp, "leave NVIDIA's certificate status out: for policies that do without it (gpu_ocsp none)"),
	OPT_STR(0, "service-key", service_key, "SRC", "key for the RIM service: file, fd:N, cred:NAME, keyring:NAME (default: none, or $NV_ATTESTATION_SERVICE_KEY)"),
	OPT_STR(0, "cache-dir", cache_dir, "DIR", "keep what was fetched here, by what it is about, and look here first (default: no cache)"),
	OPT_FLAG(0, "refresh", refresh, "ask the services for everything, also for what is at hand and valid"),
	OPT_END
};
#undef args

static const char *const origins[] = { "evidence", "service", "cache" };

static int describe(struct json *to, const struct ctx *cx, struct slice data, const char *source, const char *fetched, const char *origin,
		    struct err *e)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_JSON *list = json_array();

	if (collateral_add(&c, data, source, fetched, e) || collateral_describe(list, &c, host_now(cx->host), e))
		return -1;
	for (const struct json *o = json_first(list); o; o = json_next(o)) {
		struct json *copy = json_add_object(to, NULL);

		for (const struct json *m = json_first(o); m; m = json_next(m))
			json_add_copy(copy, json_name(m), m);
		json_add_str(copy, "from", origin);
	}
	return 0;
}

static const char *origin_of(const struct fetched *f, const char *kind, const struct buf *data)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(collateral_name(f->v[i].type), kind) && slice_eq(buf_view(&f->v[i].data), buf_view(data)))
			return origins[f->v[i].cached ? 2 : 1];
	return origins[0];
}

static void report(const struct ctx *cx, const struct fetched *f)
{
	size_t cached = 0;
	struct rd r = rd_of(buf_view(&f->missing));
	struct slice line;
	struct json *missing = f->missing.n ? json_add_array(cx->out->claims, "missing") : NULL;

	while (rd_line(&r, &line)) {
		AUTO_BUF text = { 0 };

		buf_slice(&text, line);
		json_add_str(missing, NULL, buf_cstr(&text));
	}
	for (size_t i = 0; i < f->n; i++)
		cached += f->v[i].cached;
	if (f->missing.n)
		out_verdict(cx->out, "%zu pieces added, %zu of them from the cache; %zu missing", f->n, cached, json_count(missing));
	else if (f->n)
		out_verdict(cx->out, "%zu pieces added, %zu of them from the cache", f->n, cached);
	else
		out_verdict(cx->out, "nothing to fetch");
}

/* --- services --------------------------------------------------------------------------------------------------- */

#define SERVICE_KEY_MAX 8192

/* The option, or the first of these variables of NVIDIA's own tools that says something. */
static const char *named_by(const char *option, const char *const *variables)
{
	for (size_t i = 0; !option && variables[i]; i++) {
		const char *v = getenv(variables[i]);

		option = v && *v ? v : NULL;
	}
	return option;
}

static const char *rim_url(const struct collateral_args *a)
{
	return named_by(a->rim, (const char *const[]){ "NVAT_RIM_SERVICE_BASE_URL", "NV_RIM_URL", NULL });
}

static const char *ocsp_url(const struct collateral_args *a)
{
	return named_by(a->ocsp, (const char *const[]){ "NVAT_OCSP_BASE_URL", "NV_OCSP_URL", NULL });
}

static int service_key(struct secret *ret, const struct ctx *cx, struct err *e)
{
	const struct collateral_args *a = cx->args;
	const char *v = getenv("NV_ATTESTATION_SERVICE_KEY");

	if (a->service_key)
		return key_get(ret, cx->host, &(const struct key_env){ 0 }, a->service_key, SERVICE_KEY_MAX, e) ? err_ctx(e, "--service-key") : 0;
	return v && *v ? secret_from(ret, slice_str(v), e) : 0;
}

static struct fetch_from from_of(const struct ctx *cx, const struct secret *key)
{
	const struct collateral_args *a = cx->args;

	return (struct fetch_from){ .kds = a->kds, .pcs = a->pcs, .pccs = a->pccs, .root_crl = a->root_crl, .product = a->product,
				    .rim = rim_url(a), .ocsp = ocsp_url(a), .service_key = key->n ? key : NULL, .no_ocsp = a->no_ocsp, .cache_dir = a->cache_dir,
				    .refresh = a->refresh };
}

/* --- bundles ------------------------------------------------------------------------------------------------- */

static int have_of(struct collateral *ret, const struct bundle *b, struct err *e)
{
	for (size_t i = 0; i < b->collateral.n; i++) {
		const struct bundle_item *it = &b->collateral.v[i];

		if (collateral_known(it->kind) && collateral_add(ret, buf_view(&it->data), it->source, it->fetched, e))
			return err_ctx(e, "collateral '%s' of the bundle", it->kind);
	}
	return 0;
}

static int describe_bundle(const struct ctx *cx, const struct bundle *b, const struct fetched *f, struct err *e)
{
	struct json *list = json_add_array(cx->out->claims, "collateral");

	for (size_t i = 0; i < b->collateral.n; i++) {
		const struct bundle_item *it = &b->collateral.v[i];

		if (collateral_known(it->kind) &&
		    describe(list, cx, buf_view(&it->data), it->source, it->fetched, origin_of(f, it->kind, &it->data), e))
			return -1;
	}
	return 0;
}

static int run_bundle(const struct ctx *cx, struct slice text, const struct fetch_from *from, struct err *e)
{
	const struct collateral_args *a = cx->args;
	const bool to_stdout = !a->output || !strcmp(a->output, "-");
	AUTO_OUTFILE file = OUTFILE_INIT;
	AUTO_BUNDLE b = { 0 };
	AUTO_BUF out = { .max = BUNDLE_MAX };
	AUTO_COLLATERAL have = { 0 };
	AUTO_FETCHED f = { 0 };

	if (to_stdout && cx->json)
		return err_set(e, EC_USAGE, "--json and the bundle cannot both go to standard output: give -o BUNDLE");
	if (bundle_parse(&b, text, e) || have_of(&have, &b, e) || (!to_stdout && outfile_open(&file, a->output, 0644, a->force, e)))
		return -1;
	if (fetch_bundle(&f, cx->host, from, &b, &have, e) || fetch_into_bundle(&b, &f, e) || bundle_write(&out, &b, e))
		return -1;
	if (to_stdout) {
		buf_move(&cx->out->data, &out);
		return 0;
	}
	json_add_str(cx->out->claims, "tee", b.evidence.v[0].kind);
	json_add_str(cx->out->claims, "bundle", a->output);
	if (describe_bundle(cx, &b, &f, e) || fd_write_all(file.fd, out.p, out.n, e) || outfile_commit(&file, e))
		return -1;
	report(cx, &f);
	return 0;
}

/* --- raw evidence -------------------------------------------------------------------------------------------- */

static const char *kind_of(const struct collateral_args *a, struct slice raw, struct err *e)
{
	const struct evidence_kind *k = a->kind && strcmp(a->kind, "auto") ? kind_by_name(a->kind) : kind_recognise(raw);
	AUTO_BUF names = { 0 };

	if (k)
		return k->name;
	kind_names(&names);
	if (a->kind)
		err_set(e, EC_USAGE, "option --kind: '%s' is unknown", a->kind);
	else
		err_set(e, EC_FORMAT, "%zu bytes are no evidence that this version knows", raw.n);
	err_hint(e, "it knows bundles, and %s", buf_cstr(&names));
	return NULL;
}

static int write_folder(const char *dir, const struct fetched *f, bool force, struct err *e)
{
	if (f->n && mkdir(dir, 0755) && errno != EEXIST)
		return err_sys(e, EC_IO, "cannot make folder '%s'", dir);
	for (size_t i = 0; i < f->n; i++) {
		AUTO_STR *path = str_printf(e, "%s/%s", dir, f->v[i].file);

		if (!path || outfile_write(path, buf_view(&f->v[i].data), 0644, force, e))
			return -1;
	}
	return 0;
}

static int run_raw(const struct ctx *cx, struct slice raw, const struct fetch_from *from, struct err *e)
{
	const struct collateral_args *a = cx->args;
	const char *kind = kind_of(a, raw, e);
	AUTO_FETCHED f = { 0 };
	struct json *list;

	if (!kind)
		return -1;
	if (!a->output || !strcmp(a->output, "-")) {
		err_set(e, EC_USAGE, "raw evidence has no place for collateral: -o FOLDER, for verify --collateral FOLDER");
		return err_hint(e, "bundles (attest collect) do");
	}
	if (fetch_collateral(&f, cx->host, from, kind, raw, (struct slice){ 0 }, NULL, e) || write_folder(a->output, &f, a->force, e))
		return -1;
	json_add_str(cx->out->claims, "tee", kind);
	json_add_str(cx->out->claims, "folder", a->output);
	list = json_add_array(cx->out->claims, "collateral");
	for (size_t i = 0; i < f.n; i++)
		if (describe(list, cx, buf_view(&f.v[i].data), f.v[i].source, f.v[i].fetched, origins[f.v[i].cached ? 2 : 1], e))
			return -1;
	report(cx, &f);
	return 0;
}

static bool is_bundle(struct slice text)
{
	AUTO_JSON *j = NULL;
	struct err no = { 0 };

	return text.n && text.p[0] == '{' && !json_parse(&j, text, BUNDLE_MAX, &no) && bundle_recognise(j);
}

static int settled(const struct collateral_args *a, struct err *e)
{
	const char *const urls[] = { a->kds, a->pcs, a->pccs, a->root_crl, rim_url(a), ocsp_url(a) };

	if (a->pccs && (a->pcs || a->root_crl))
		return err_set(e, EC_USAGE, "--pccs takes the place of --pcs and --root-crl: give one or the others");
	if (a->product && !(!strcmp(a->product, "Milan") || !strcmp(a->product, "Genoa") || !strcmp(a->product, "Turin")))
		return err_set(e, EC_USAGE, "option --product: '%s' is not Milan, Genoa or Turin", a->product);
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
		if (urls[i] && http_url_check(urls[i], e))
			return -1;
	return 0;
}

static int run_collateral(const struct ctx *cx, struct err *e)
{
	AUTO_BUF in = { .max = INPUT_MAX };
	AUTO_SECRET key = { 0 };
	struct fetch_from from;
	struct slice text;
	int rc;

	if (settled(cx->args, e) || service_key(&key, cx, e) || read_input(&in, cx->argv[0], INPUT_MAX, e))
		return -1;
	from = from_of(cx, &key);
	text = slice_trim(buf_view(&in));
	rc = is_bundle(text) ? run_bundle(cx, text, &from, e) : run_raw(cx, buf_view(&in), &from, e);
	return rc ? err_ctx(e, "cannot get collateral for '%s'", cx->argv[0]) : 0;
}

const struct verb verb_collateral = {
	.name = "collateral", .summary = "fetch what verification needs, so that it can be done without a network", .operands = "FILE [-o OUT]",
	.opts = collateral_opts, .args_size = sizeof(struct collateral_args), .min_operands = 1, .max_operands = 1, .run = run_collateral,
};
