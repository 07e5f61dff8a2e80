/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file: see policy.h.  Its members are in policy_members.c; here are its rules, and who may have what. */

#include "attest/kinds.h"
#include "attest/policy_int.h"

#define POLICY_SCHEMA "cvmbox.policy/1"
#define POLICY_MAX ((size_t)1 << 20)
#define RULES_MAX 512
#define RESOURCES_MAX 1024

struct resource {
	char *path;
	struct texts kinds, measurements;
};
struct policy {
	struct limits limits;
	char *name;
	struct { char *id; enum rule rule; } rules[RULES_MAX];
	size_t n_rules;
	struct resource *resources;
	size_t n_resources;
	bool has_resources;
};

int policy_read(struct policy **ret, const char *file, struct err *e)
{
	AUTO_BUF text = { 0 };

	return file_read(&text, file, POLICY_MAX, e) ? err_ctx(e, "the policy") : policy_parse(ret, buf_view(&text), file, e);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	limits_free(&p->limits);
	for (size_t i = 0; i < p->n_rules; i++)
		free(p->rules[i].id);
	for (size_t i = 0; i < p->n_resources; i++) {
		free(p->resources[i].path);
		texts_free(&p->resources[i].kinds);
		texts_free(&p->resources[i].measurements);
	}
	free(p->resources);
	free(p->name);
	free(p);
}

void policy_cleanup(struct policy **p)
{
	policy_free(*p);
	*p = NULL;
}

static int read_rule(struct policy *p, const struct json *m, struct err *e)
{
	static const char *const words[] = { "require", "warn", "ignore" };
	const char *id = json_name(m), *word = json_string(m);
	const struct check *c = check_by_id(id);
	size_t r = 0;

	if (!c) {
		err_set(e, EC_FORMAT, "checks: there is no check '%s'", id);
		return err_hint(e, "cvmbox-attest(1) lists them under OUTPUT, and 'attest verify' prints those that it ran or left out");
	}
	while (r < 3 && (!word || strcmp(word, words[r])))
		r++;
	if (r == 3)
		return err_set(e, EC_FORMAT, "checks: '%s' is neither require, warn nor ignore", id);
	if (c->weight == CHECK_BASE && r != 0) {
		err_set(e, EC_FORMAT, "checks: '%s' cannot be '%s': without it evidence proves nothing", id, word);
		return err_hint(e, "freshness alone can be waived, for one call, by --insecure-no-nonce");
	}
	if (p->n_rules == RULES_MAX)
		return err_set(e, EC_FORMAT, "checks: more than %d", RULES_MAX);
	p->rules[p->n_rules].id = str_dup(id, e);
	if (!p->rules[p->n_rules].id)
		return -1;
	p->rules[p->n_rules++].rule = (enum rule)(RULE_REQUIRE + r);
	return 0;
}

static int read_rules(struct policy *p, const struct json *o, struct err *e)
{
	const struct json *c = json_get(o, "checks");

	if (c && !json_is_object(c))
		return err_set(e, EC_FORMAT, "member 'checks': wanted an object");
	for (const struct json *m = c ? json_first(c) : NULL; m; m = json_next(m))
		if (read_rule(p, m, e))
			return -1;
	return 0;
}
static int read_resource(struct resource *r, const struct json *o, struct err *e)
{
	static const char *const names[] = { "path", "kinds", "measurements", NULL };
	const char *path, *star;

	if (!json_is_object(o))
		return err_set(e, EC_FORMAT, "wanted objects");
	if (json_only(o, names, "a rule", e) || json_need_str(&path, o, "path", "a rule", e))
		return -1;
	star = strchr(path, '*');
	if (!path[0] || path[0] == '/' || (star && star[1]))
		return err_set(e, EC_FORMAT, "path '%s': wanted repository/type/tag, '*' only at its end", path);
	r->path = str_dup(path, e);
	if (!r->path || policy_texts(&r->kinds, o, "kinds", e) || policy_kinds_known(&r->kinds, e) ||
	    policy_texts(&r->measurements, o, "measurements", e))
		return -1;
	return policy_measurements_make_sense(&r->measurements, e);
}

static int read_resources(struct policy *p, const struct json *o, struct err *e)
{
	const struct json *arr = json_get(o, "resources");

	if (!arr)
		return 0;
	if (!json_is_array(arr) || json_count(arr) > RESOURCES_MAX)
		return err_set(e, EC_FORMAT, "member 'resources': wanted a list of at most %d rules", RESOURCES_MAX);
	p->has_resources = true;
	p->resources = calloc(json_count(arr) + 1, sizeof *p->resources);
	if (!p->resources)
		return err_oom(e);
	for (const struct json *it = json_first(arr); it; it = json_next(it))
		if (read_resource(&p->resources[p->n_resources++], it, e))
			return err_ctx(e, "resources[%zu]", p->n_resources - 1);
	return 0;
}
/* --- NVIDIA's form ------------------------------------------------------------------------------------------- */

/* Whom these claims are about, by their names: GPUs, switches, or, where no name tells, both. */
static bool about(const struct json *claims, const char *prefix, const char *other)
{
	bool mine = false, theirs = false;

	for (const struct json *m = json_first(claims); m; m = json_next(m)) {
		mine |= !strncmp(json_name(m), prefix, strlen(prefix));
		theirs |= !strncmp(json_name(m), other, strlen(other));
	}
	return mine || !theirs;
}

/* The relying-party policies of NVIDIA's attestation SDK (nvidia-gpu.md 4.5): claims that have to be equal, on top of the strict policy. */
static int read_nvidia(struct policy *p, const struct json *o, struct err *e)
{
	static const char *const names[] = { "version", "authorization-rules", NULL };
	static const char *const rules[] = { "type", "overall-claims", "detached-claims", NULL };
	const struct json *r, *overall, *detached;
	struct limits *l = &p->limits;
	const char *type;

	if (json_only(o, names, "the policy", e) || json_need_obj(&r, o, "authorization-rules", "the policy", e) ||
	    json_only(r, rules, "authorization-rules", e) || json_need_str(&type, r, "type", "authorization-rules", e))
		return -1;
	overall = json_get(r, "overall-claims");
	detached = json_get(r, "detached-claims");
	if (strcmp(type, "JWT") || (overall && !json_is_object(overall)) || !json_is_object(detached) || json_count(detached) == 0)
		return err_set(e, EC_FORMAT, "authorization-rules: wanted type \"JWT\" and claims, at least detached ones");
	l->nras_claims = json_object();
	if (overall)
		json_add_copy(l->nras_claims, "overall", overall);
	json_add_copy(l->nras_claims, "detached", detached);
	if (about(detached, "x-nvidia-gpu-", "x-nvidia-switch-") && !(l->gpu_claims = json_copy(detached, e)))
		return -1;
	if (about(detached, "x-nvidia-switch-", "x-nvidia-gpu-") && !(l->switch_claims = json_copy(detached, e)))
		return -1;
	return 0;
}

/* --- the file ------------------------------------------------------------------------------------------------ */

static int read_members(struct policy *p, const struct json *o, struct err *e)
{
	static const char *const others[] = { "schema", "checks", "resources", NULL };
	const char *schema;

	if (!json_is_object(o))
		return err_set(e, EC_FORMAT, "wanted a JSON object");
	if (json_get(o, "authorization-rules"))
		return read_nvidia(p, o, e);
	if (json_need_str(&schema, o, "schema", "the policy", e))
		return -1;
	if (strcmp(schema, POLICY_SCHEMA))
		return err_set(e, EC_FORMAT, "schema is '%s', wanted '%s'", schema, POLICY_SCHEMA);
	if (policy_limits_read(&p->limits, o, others, e))
		return -1;
	return read_rules(p, o, e) || read_resources(p, o, e) ? -1 : 0;
}

int policy_parse(struct policy **ret, struct slice text, const char *name, struct err *e)
{
	AUTO_JSON *j = NULL;
	AUTO_POLICY *p = calloc(1, sizeof *p);

	if (!p)
		return err_oom(e);
	limits_init(&p->limits);
	p->name = str_dup(name ? name : "policy", e);
	if (!p->name)
		return -1;
	p->limits.source = p->name;
	if (json_parse(&j, text, POLICY_MAX, e) || read_members(p, j, e))
		return err_ctx(e, "cannot read the policy '%s'", p->name);
	*ret = p;
	p = NULL;
	return 0;
}

/* --- what is asked of it --------------------------------------------------------------------------------------- */

const struct limits *policy_limits(const struct policy *p)
{
	return p ? &p->limits : &limits_strict;
}

enum rule policy_rule(const void *policy, const char *id)
{
	const struct policy *p = policy;

	for (size_t i = 0; p && i < p->n_rules; i++)
		if (!strcmp(p->rules[i].id, id))
			return p->rules[i].rule;
	return RULE_DEFAULT;
}

/* Those that always apply: required by name, the others would refuse good evidence that lacks what they look at. */
static void add_rules(struct json *to)
{
	const struct check *c;
	bool sometimes;

	for (size_t i = 0; (c = check_at(i, &sometimes)); i++)
		if (!sometimes && (c->weight == CHECK_PLAIN || c->weight == CHECK_BASE) && !json_get(to, c->id))
			json_add_str(to, c->id, "require");
}

int policy_default_text(struct buf *ret, struct err *e)
{
	const struct limits *l = policy_limits(NULL);
	AUTO_JSON *j = json_object();

	json_add_str(j, "schema", POLICY_SCHEMA);
	json_add_u64(j, "min_report_version", l->min_report_version);
	json_add_u64(j, "vmpl_max", l->vmpl_max);
	json_add_bool(j, "allow_debug", l->allow_debug);
	json_add_bool(j, "allow_migrate", l->allow_migrate);
	json_add_bool(j, "allow_service_td", l->allow_service_td);
	json_add_str(json_add_array(j, "tcb_status"), NULL, "UpToDate");
	json_add_str(j, "gpu_ocsp", ocsp_class_names[l->gpu_ocsp]);
	add_rules(json_add_object(j, "checks"));
	if (json_write(ret, j, true, e))
		return -1;
	buf_byte(ret, '\n');
	return buf_check(ret, e);
}

static bool path_fits(const char *pattern, const char *path)
{
	const char *star = strchr(pattern, '*');

	return star ? !strncmp(pattern, path, (size_t)(star - pattern)) : !strcmp(pattern, path);
}

static bool rule_allows(const struct resource *r, const char *kind, const struct json *claims)
{
	const struct evidence_kind *k = kind_by_name(kind);
	const char *m = k && k->measured ? json_string(json_path(claims, k->measured)) : NULL;

	if (r->kinds.n && !(kind && texts_have(&r->kinds, kind)))
		return false;
	return r->measurements.n == 0 || (m && texts_have(&r->measurements, m));
}

int policy_resource(const struct policy *p, const char *path, const char *kind, const struct json *claims, struct err *e)
{
	bool named = false;

	if (!p || !p->has_resources)
		return 0;
	for (size_t i = 0; i < p->n_resources; i++) {
		if (!path_fits(p->resources[i].path, path))
			continue;
		if (rule_allows(&p->resources[i], kind, claims))
			return 0;
		named = true;
	}
	return err_set(e, EC_DENIED, named ? "the policy gives '%s' to other measurements or kinds of TEE only" : "no rule of the policy names '%s'", path);
}
