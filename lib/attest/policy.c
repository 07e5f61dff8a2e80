/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file: see policy.h.  Everything it may say is in one table, so that a misspelt member is an error and
 * not a hole. */

#include <ctype.h>

#include "attest/kinds.h"
#include "attest/policy_int.h"
#include "codec/hex64.h"

#define POLICY_SCHEMA "cvmbox.policy/1"
#define POLICY_MAX ((size_t)1 << 20)
#define LIST_MAX 4096
#define RULES_MAX 64
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

/* --- lists ------------------------------------------------------------------------------------------------ */

static bool is_hex(const char *s)
{
	size_t i = 0;

	for (; s[i]; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return i > 0 && i % 2 == 0;
}

static int add_text(struct texts *t, const char *s, struct err *e)
{
	char **v = realloc(t->v, (t->n + 1) * sizeof *v);
	char *copy;

	if (!v)
		return err_oom(e);
	t->v = v;
	copy = str_dup(s, e);
	if (!copy)
		return -1;
	if (is_hex(copy))	/* hex in either case is the same value */
		for (char *c = copy; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	t->v[t->n++] = copy;
	return 0;
}

/* An empty list would accept nothing or anything, depending on the reader: it is neither. */
static int read_texts(struct texts *t, const struct json *o, const char *name, struct err *e)
{
	const struct json *arr = json_get(o, name);

	if (!arr)
		return 0;
	if (!json_is_array(arr) || json_count(arr) == 0 || json_count(arr) > LIST_MAX) {
		err_set(e, EC_FORMAT, "member '%s': wanted a list of 1 to %d strings", name, LIST_MAX);
		return err_hint(e, "to accept any value, leave the member out");
	}
	for (const struct json *v = json_first(arr); v; v = json_next(v)) {
		const char *s = json_string(v);

		if (!s || !s[0] || strnlen(s, 257) > 256)
			return err_set(e, EC_FORMAT, "member '%s': wanted strings of 1 to 256 characters", name);
		if (add_text(t, s, e))
			return -1;
	}
	return 0;
}

static int all_hex(const struct texts *t, const char *name, size_t n1, size_t n2, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const size_t n = strnlen(t->v[i], 1024);

		if (!is_hex(t->v[i]) || (n != 2 * n1 && n != 2 * n2))
			return err_set(e, EC_FORMAT, "member '%s': '%s' is not %zu bytes in hex", name, t->v[i], n1);
	}
	return 0;
}

/* A measurement in base64 or of another length would never match: say so now.  Other words are kept for kinds whose
 * digest is a word (sample). */
static int measurements_make_sense(const struct texts *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const size_t n = strnlen(t->v[i], 1024);
		AUTO_BUF raw = { 0 };
		struct err no = { 0 };

		if (n == 64 && !is_hex(t->v[i]) && !b64_decode(&raw, slice_str(t->v[i]), &no) && raw.n == 48) {
			AUTO_BUF hex = { 0 };

			buf_hex(&hex, buf_view(&raw));
			err_set(e, EC_FORMAT, "member 'measurements': '%s' is base64, wanted hex", t->v[i]);
			return err_hint(e, "that is %s", buf_cstr(&hex));
		}
	}
	return 0;
}

/* --- members ------------------------------------------------------------------------------------------------ */

static int read_bool(bool *ret, const struct json *o, const char *name, struct err *e)
{
	const struct json *m = json_get(o, name);

	if (m && !json_is_bool(m))
		return err_set(e, EC_FORMAT, "member '%s': wanted true or false", name);
	*ret = json_true(m);
	return 0;
}

static int read_u32(uint32_t *ret, const struct json *o, const char *name, uint32_t min, uint32_t max, struct err *e)
{
	uint64_t v;

	if (!json_get(o, name))
		return 0;
	if (!json_u64(json_get(o, name), &v) || v < min || v > max)
		return err_set(e, EC_FORMAT, "member '%s': wanted a number from %u to %u", name, min, max);
	*ret = (uint32_t)v;
	return 0;
}

static int read_min_tcb(struct limits *l, const struct json *o, struct err *e)
{
	static const char *const names[] = { "fmc", "bootloader", "tee", "snp", "microcode", NULL };
	const struct json *t = json_get(o, "min_tcb");

	if (!t)
		return 0;
	if (!json_is_object(t) || json_only(t, names, "min_tcb", e))
		return json_is_object(t) ? -1 : err_set(e, EC_FORMAT, "member 'min_tcb': wanted an object");
	for (size_t i = 0; i < TCB_PARTS; i++) {
		uint32_t v = 0;

		if (!json_get(t, tcb_part_names[i]))
			continue;
		if (read_u32(&v, t, tcb_part_names[i], 0, 255, e))
			return err_ctx(e, "min_tcb");
		l->min_tcb[TCB_REPORTED][TCB_ANY][i] = (int)v;
	}
	return 0;
}

static int read_rule(struct policy *p, const struct json *m, struct err *e)
{
	static const char *const words[] = { "require", "warn", "ignore" };
	const char *id = json_name(m), *word = json_string(m);
	const struct check *c = check_by_id(id);
	size_t r = 0;

	if (!c) {
		err_set(e, EC_FORMAT, "checks: there is no check '%s'", id);
		return err_hint(e, "'attest verify --print-policy' lists them");
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

static int kinds_known(const struct texts *t, struct err *e)
{
	AUTO_BUF names = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (!kind_by_name(t->v[i])) {
			kind_names(&names);
			return err_set(e, EC_FORMAT, "member 'kinds': '%s' is not one of %s", t->v[i], buf_cstr(&names));
		}
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
	if (!r->path || read_texts(&r->kinds, o, "kinds", e) || kinds_known(&r->kinds, e) ||
	    read_texts(&r->measurements, o, "measurements", e))
		return -1;
	return measurements_make_sense(&r->measurements, e);
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

static int read_members(struct policy *p, const struct json *o, struct err *e)
{
	static const char *const names[] = { "schema", "kinds", "measurements", "host_data", "chip_ids", "min_tcb",
					     "min_report_version", "vmpl_max", "allow_debug", "allow_migrate", "checks",
					     "resources", NULL };
	struct limits *l = &p->limits;
	const char *schema;

	if (!json_is_object(o))
		return err_set(e, EC_FORMAT, "wanted a JSON object");
	if (json_need_str(&schema, o, "schema", "the policy", e))
		return -1;
	if (strcmp(schema, POLICY_SCHEMA))
		return err_set(e, EC_FORMAT, "schema is '%s', wanted '%s'", schema, POLICY_SCHEMA);
	if (json_only(o, names, "the policy", e) || read_texts(&l->kinds, o, "kinds", e) || kinds_known(&l->kinds, e) ||
	    read_texts(&l->measurements, o, "measurements", e) || measurements_make_sense(&l->measurements, e) ||
	    read_texts(&l->host_data, o, "host_data", e) || all_hex(&l->host_data, "host_data", 32, 32, e) ||
	    read_texts(&l->chip_ids, o, "chip_ids", e) || all_hex(&l->chip_ids, "chip_ids", 64, 8, e) ||
	    read_min_tcb(l, o, e) || read_u32(&l->min_report_version, o, "min_report_version", 2, 5, e) ||
	    read_u32(&l->vmpl_max, o, "vmpl_max", 0, 3, e) || read_bool(&l->allow_debug, o, "allow_debug", e) ||
	    read_bool(&l->allow_migrate, o, "allow_migrate", e))
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

/* Those that always apply; the others are asked for by their lists. */
static void add_rules(struct json *to)
{
	for (size_t i = 0; i < n_kinds; i++)
		for (size_t k = 0; k < kinds[i]->n_checks; k++)
			if (kinds[i]->checks[k].weight != CHECK_WHERE_ASKED)
				json_add_str(to, kinds[i]->checks[k].id, "require");
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
	const char *m = json_string(json_get(claims, "measurement"));

	if (!m)
		m = json_string(json_get(claims, "launch_digest"));
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
