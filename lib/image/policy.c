/* SPDX-License-Identifier: Apache-2.0 */
/* See policy.h.  Clauses: images.md 1.1 to 1.5, containers-policy.json(5). */

#include "image/policy.h"

enum { POLICY_MAX = 4 << 20, SCOPES_MAX = 10000 };

struct image_policy {
	struct json *json;
	struct requirements fallback, *scopes;
	size_t n;
};

static void requirements_free(struct requirements *r)
{
	for (size_t i = 0; i < r->n; i++)
		identity_free(&r->v[i].identity);
	free(r->v);
	free(r->transport);
	free(r->scope);
}

void image_policy_free(struct image_policy *p)
{
	if (!p)
		return;
	requirements_free(&p->fallback);
	for (size_t i = 0; i < p->n; i++)
		requirements_free(&p->scopes[i]);
	free(p->scopes);
	json_free(p->json);
	free(p);
}

void image_policy_cleanup(struct image_policy **p)
{
	image_policy_free(*p);
}

/* ---- signedIdentity ---------------------------------------------------------------------------------------- */

/* A domain, or a whole repository with one; no tag, no digest. */
static int check_prefix(const char *text, const char *member, struct err *e)
{
	AUTO_NAME n = { 0 };

	if (name_is_domain(text))
		return 0;
	if (name_parse(&n, text, false, NULL) || n.tag || n.digest || strcmp(n.repo, text))
		return err_set(e, EC_FORMAT, "%s '%s' is neither a host nor a full repository", member, text);
	return 0;
}

static int identity_strings(struct identity *i, const struct json *j, const char *a, const char *b, struct err *e)
{
	const char *const names[] = { "type", a ? a : "type", b ? b : "type", NULL };
	const char *v, *w;

	if (json_only(j, names, "signedIdentity", e))
		return -1;
	if (a && (json_need_str(&v, j, a, "signedIdentity", e) || !(i->a = str_dup(v, e))))
		return -1;
	return b && (json_need_str(&w, j, b, "signedIdentity", e) || !(i->b = str_dup(w, e))) ? -1 : 0;
}

static int parse_identity_body(struct identity *i, const struct json *j, struct err *e)
{
	AUTO_NAME n = { 0 };

	switch (i->kind) {
	case MATCH_REPO_DIGEST_OR_EXACT: case MATCH_EXACT: case MATCH_REPOSITORY:
		return identity_strings(i, j, NULL, NULL, e);
	case EXACT_REFERENCE:
		if (identity_strings(i, j, "dockerReference", NULL, e) || name_parse(&n, i->a, true, e))
			return -1;
		return n.tag || n.digest ? 0 : err_set(e, EC_FORMAT, "dockerReference '%s' has neither tag nor digest", i->a);
	case EXACT_REPOSITORY:
		if (identity_strings(i, j, "dockerRepository", NULL, e) || name_parse(&n, i->a, true, e))
			return -1;
		return n.tag || n.digest ? err_set(e, EC_FORMAT, "dockerRepository '%s' has a tag or digest", i->a) : 0;
	case REMAP_IDENTITY:
		if (identity_strings(i, j, "prefix", "signedPrefix", e) || check_prefix(i->a, "prefix", e))
			return -1;
		return check_prefix(i->b, "signedPrefix", e);
	}
	return err_set(e, EC_BUG, "signedIdentity %d", (int)i->kind);
}

static int parse_identity(struct identity *ret, const struct json *j, struct err *e)
{
	const char *type;

	if (!j)
		return 0;	/* zero is the default, matchRepoDigestOrExact */
	if (json_need_str(&type, j, "type", "signedIdentity", e) || identity_by_word(&ret->kind, type, e))
		return -1;
	return parse_identity_body(ret, j, e);
}

/* ---- requirements -------------------------------------------------------------------------------------------- */

static size_t count_present(const struct json *j, const char *const *names, const char **which)
{
	size_t n = 0;

	for (; *names; names++)
		if (json_get(j, *names)) {
			*which = *names;
			n++;
		}
	return n;
}

static int strings(const struct json *j, const char *member, struct err *e)
{
	const struct json *v = json_get(j, member);

	if (json_is_string(v))
		return 0;
	if (!json_is_array(v) || !json_count(v))
		return err_set(e, EC_FORMAT, "'%s' is not a text, or a list of texts with at least one", member);
	for (const struct json *i = json_first(v); i; i = json_next(i))
		if (!json_is_string(i))
			return err_set(e, EC_FORMAT, "'%s' has an element that is not a text", member);
	return 0;
}

/* "keyPath" wants a text, "keyPaths" a list. */
static int typed_strings(const struct json *j, const char *member, struct err *e)
{
	const bool many = member[strlen(member) - 1] == 's';

	if (many != json_is_array(json_get(j, member)))
		return err_set(e, EC_FORMAT, "'%s' has to be a %s", member, many ? "list of texts" : "text");
	return strings(j, member, e);
}

static int only_strings(const struct json *j, const char *const *names, const char *what, struct err *e)
{
	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "%s is not an object", what);
	if (json_only(j, names, what, e))
		return -1;
	for (const struct json *m = json_first(j); m; m = json_next(m))
		if (!json_is_string(m))
			return err_set(e, EC_FORMAT, "member '%s' of %s is not a text", json_name(m), what);
	return 0;
}

static int parse_fulcio(const struct json *j, struct err *e)
{
	static const char *const names[] = { "caPath", "caData", "oidcIssuer", "subjectEmail", NULL };

	if (only_strings(j, names, "fulcio", e))
		return -1;
	if (!json_get(j, "caPath") == !json_get(j, "caData") || !json_get(j, "oidcIssuer") || !json_get(j, "subjectEmail"))
		return err_set(e, EC_FORMAT, "fulcio needs one of caPath and caData, oidcIssuer and subjectEmail");
	return 0;
}

static int parse_pki(const struct json *j, struct err *e)
{
	static const char *const names[] = { "caRootsPath", "caRootsData", "caIntermediatesPath", "caIntermediatesData",
					     "subjectEmail", "subjectHostname", NULL };

	if (only_strings(j, names, "pki", e))
		return -1;
	if (!json_get(j, "caRootsPath") == !json_get(j, "caRootsData") ||
	    (json_get(j, "caIntermediatesPath") && json_get(j, "caIntermediatesData")) ||
	    (!json_get(j, "subjectEmail") && !json_get(j, "subjectHostname")))
		return err_set(e, EC_FORMAT, "pki needs one of caRootsPath and caRootsData, and subjectEmail or subjectHostname");
	return 0;
}

static int parse_sigstore(struct requirement *r, const struct json *j, struct err *e)
{
	static const char *const members[] = { "type", "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki",
					       "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
					       "rekorPublicKeyDatas", "signedIdentity", NULL };
	static const char *const sources[] = { "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki", NULL };
	static const char *const logs[] = { "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
					    "rekorPublicKeyDatas", NULL };
	const char *source = NULL, *log = NULL;

	if (json_only(j, members, "a sigstoreSigned requirement", e))
		return -1;
	if (count_present(j, sources, &source) != 1)
		return err_set(e, EC_FORMAT, "sigstoreSigned needs exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki");
	if (count_present(j, logs, &log) > 1)
		return err_set(e, EC_FORMAT, "sigstoreSigned has several rekorPublicKey members");
	if (log && typed_strings(j, log, e))
		return -1;
	if (!strcmp(source, "fulcio") || !strcmp(source, "pki")) {
		const bool fulcio = !strcmp(source, "fulcio");

		if (fulcio ? parse_fulcio(json_get(j, source), e) : parse_pki(json_get(j, source), e))
			return -1;
		if (fulcio != (log != NULL))
			return err_set(e, EC_FORMAT, fulcio ? "fulcio needs a rekorPublicKey" : "pki does not go with a rekorPublicKey");
	} else if (typed_strings(j, source, e)) {
		return -1;
	}
	r->beyond = log ? log : !strcmp(source, "fulcio") || !strcmp(source, "pki") ? source : NULL;
	r->key_paths = json_get(j, "keyPath") ? json_get(j, "keyPath") : json_get(j, "keyPaths");
	r->key_datas = json_get(j, "keyData") ? json_get(j, "keyData") : json_get(j, "keyDatas");
	return parse_identity(&r->identity, json_get(j, "signedIdentity"), e);
}

static int parse_signed_by(struct requirement *r, const struct json *j, struct err *e)
{
	static const char *const members[] = { "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity", NULL };
	static const char *const sources[] = { "keyPath", "keyPaths", "keyData", NULL };
	static const char *const types[] = { "GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs" };
	const char *source = NULL, *type;
	bool known = false;

	if (json_only(j, members, "a signedBy requirement", e) || json_need_str(&type, j, "keyType", "a signedBy requirement", e))
		return -1;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		known |= !strcmp(type, types[i]);
	if (!known)
		return err_set(e, EC_FORMAT, "keyType '%s' is not known", type);
	if (count_present(j, sources, &source) != 1)
		return err_set(e, EC_FORMAT, "signedBy needs exactly one of keyPath, keyPaths and keyData");
	if (typed_strings(j, source, e))
		return -1;
	r->beyond = "signedBy";
	return parse_identity(&r->identity, json_get(j, "signedIdentity"), e);
}

static int parse_base_layer(struct requirement *r, const struct json *j, struct err *e)
{
	static const char *const members[] = { "type", "baseLayerIdentity", NULL };
	const struct json *id;

	if (json_only(j, members, "a signedBaseLayer requirement", e) ||
	    json_need_obj(&id, j, "baseLayerIdentity", "a signedBaseLayer requirement", e))
		return -1;
	r->beyond = "signedBaseLayer";
	return parse_identity(&r->identity, id, e);
}

static int parse_requirement(struct requirement *r, const struct json *j, struct err *e)
{
	static const char *const only_type[] = { "type", NULL };

	r->kind = REQ_REJECT;
	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "a requirement is not an object");
	if (json_need_str(&r->word, j, "type", "a requirement", e))
		return -1;
	if (!strcmp(r->word, "reject"))
		return json_only(j, only_type, "a reject requirement", e);
	if (!strcmp(r->word, "insecureAcceptAnything")) {
		r->kind = REQ_ACCEPT_ANYTHING;
		return json_only(j, only_type, "an insecureAcceptAnything requirement", e);
	}
	if (!strcmp(r->word, "sigstoreSigned")) {
		r->kind = REQ_SIGSTORE;
		return parse_sigstore(r, j, e);
	}
	if (!strcmp(r->word, "signedBy")) {
		r->kind = REQ_SIGNED_BY;
		return parse_signed_by(r, j, e);
	}
	if (!strcmp(r->word, "signedBaseLayer")) {
		r->kind = REQ_SIGNED_BASE_LAYER;
		return parse_base_layer(r, j, e);
	}
	return err_set(e, EC_FORMAT, "requirement type '%s' is not known", r->word);
}

static int parse_requirements(struct requirements *ret, const struct json *arr, const char *what, struct err *e)
{
	if (!json_is_array(arr))
		return err_set(e, EC_FORMAT, "%s is not a list of requirements", what);
	ret->v = calloc(json_count(arr) + 1, sizeof *ret->v);
	if (!ret->v)
		return err_oom(e);
	for (const struct json *j = json_first(arr); j; j = json_next(j))
		if (parse_requirement(&ret->v[ret->n++], j, e))
			return err_ctx(e, "%s", what);
	return 0;
}

/* ---- scopes ---------------------------------------------------------------------------------------------------- */

static bool is_path_transport(const char *t)
{
	return !strcmp(t, "dir") || !strcmp(t, "oci") || !strcmp(t, "oci-archive") || !strcmp(t, "sif");
}

/* Absolute, not the root, and in its cleaned form: else it would look as if it covered something, and never match. */
static bool is_clean_path(const char *p)
{
	if (p[0] != '/' || !p[1])
		return false;
	for (; *p; p++)
		if (*p == '/' && (!p[1] || p[1] == '/' || (p[1] == '.' && (!p[2] || p[2] == '/' ||
		    (p[2] == '.' && (!p[3] || p[3] == '/'))))))
			return false;
	return true;
}

static int check_scope(const char *transport, const char *scope, struct err *e)
{
	if (!*scope)
		return 0;
	if (is_path_transport(transport) && !is_clean_path(scope))
		return err_set(e, EC_FORMAT, "scope '%s' of transport '%s' is not an absolute path in its shortest form", scope, transport);
	if (!strncmp(scope, "*.", 2) && !strcmp(transport, "docker") && !name_is_domain(scope + 2))
		return err_set(e, EC_FORMAT, "scope '%s': only '*.' and a host name make a wildcard", scope);
	return 0;
}

static bool is_known_transport(const char *t)
{
	return is_path_transport(t) || !strcmp(t, "docker") || !strcmp(t, "atomic") || !strcmp(t, "docker-archive") ||
	       !strcmp(t, "docker-daemon") || !strcmp(t, "containers-storage") || !strcmp(t, "tarball") || !strcmp(t, "ostree");
}

static int add_scope(struct image_policy *p, const char *transport, const struct json *j, struct err *e)
{
	struct requirements *v, *r;
	char what[160];

	if (p->n >= SCOPES_MAX)
		return err_set(e, EC_FORMAT, "more than %d scopes", SCOPES_MAX);
	v = realloc(p->scopes, (p->n + 1) * sizeof *v);
	if (!v)
		return err_oom(e);
	p->scopes = v;
	r = &v[p->n];
	*r = (struct requirements){ .transport = str_dup(transport, e) };
	p->n++;
	if (!r->transport || !(r->scope = str_dup(json_name(j), e)))
		return -1;
	snprintf(what, sizeof what, "scope '%.64s' of transport '%.32s'", r->scope, transport);
	if (is_known_transport(transport) && check_scope(transport, r->scope, e))
		return -1;
	return parse_requirements(r, j, what, e);
}

static int parse_transports(struct image_policy *p, const struct json *j, struct err *e)
{
	if (!j)
		return 0;
	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "'transports' is not an object");
	for (const struct json *t = json_first(j); t; t = json_next(t)) {
		if (!json_is_object(t))
			return err_set(e, EC_FORMAT, "transport '%s' is not an object", json_name(t));
		for (const struct json *s = json_first(t); s; s = json_next(s))
			if (add_scope(p, json_name(t), s, e))
				return -1;
	}
	return 0;
}

int image_policy_parse(struct image_policy **ret, struct slice text, struct err *e)
{
	static const char *const members[] = { "default", "transports", NULL };
	AUTO_IMAGE_POLICY *p = calloc(1, sizeof *p);

	if (!p)
		return err_oom(e);
	if (json_parse(&p->json, text, POLICY_MAX, e))
		return -1;
	if (!json_is_object(p->json))
		return err_set(e, EC_FORMAT, "it is not a JSON object");
	if (json_only(p->json, members, "the policy", e) ||
	    parse_requirements(&p->fallback, json_get(p->json, "default"), "'default'", e) ||
	    parse_transports(p, json_get(p->json, "transports"), e))
		return -1;
	*ret = p;
	p = NULL;
	return 0;
}

/* ---- selection --------------------------------------------------------------------------------------------------- */

static const struct requirements *find(const struct image_policy *p, const char *transport, const char *scope, size_t n)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->scopes[i].transport, transport) && strlen(p->scopes[i].scope) == n &&
		    !memcmp(p->scopes[i].scope, scope, n))
			return &p->scopes[i];
	return NULL;
}

/* host[:port]/a/b:tag -> host/a/b, host/a, host, then *.rest for each rest of the host without its port. */
static const struct requirements *find_docker(const struct image_policy *p, const char *transport, const char *identity)
{
	const struct requirements *r = find(p, transport, identity, strlen(identity));
	const char *slash = strchr(identity, '/');
	size_t n = strlen(identity), host = slash ? (size_t)(slash - identity) : n;
	const char *at = memchr(identity, '@', n);

	if (at)
		n = (size_t)(at - identity);
	for (size_t i = n; i > host; i--)	/* the tag: a ':' behind the last '/' */
		if (identity[i - 1] == ':') {
			n = i - 1;
			break;
		} else if (identity[i - 1] == '/') {
			break;
		}
	while (!r) {
		r = find(p, transport, identity, n);
		if (n <= host)
			break;
		while (n > host && identity[--n] != '/')
			;
	}
	for (size_t i = 0; !r && i < host && identity[i] != ':'; i++) {
		AUTO_BUF wild = { .max = 1024 };
		size_t end = i;

		if (identity[i] != '.')
			continue;
		while (end < host && identity[end] != ':')
			end++;
		buf_byte(&wild, '*');
		buf_slice(&wild, slice_of(identity + i, end - i));
		r = wild.bad ? NULL : find(p, transport, buf_cstr(&wild), wild.n);
	}
	return r;
}

static const struct requirements *find_path(const struct image_policy *p, const char *transport, const char *path)
{
	const struct requirements *r = NULL;

	for (size_t n = strlen(path); !r && n > 1;) {
		r = find(p, transport, path, n);
		while (n > 0 && path[--n] != '/')
			;
	}
	return r;
}

const struct requirements *image_policy_select(const struct image_policy *p, const char *transport, const char *identity)
{
	const bool named = !strcmp(transport, "docker") || !strcmp(transport, "atomic");
	const struct requirements *r = named ? find_docker(p, transport, identity) : find_path(p, transport, identity);

	if (!r)
		r = find(p, transport, "", 0);
	return r ? r : &p->fallback;
}
