/* SPDX-License-Identifier: Apache-2.0 */
/* See verified.h. */

#include "image/verified.h"

#include "codec/hex64.h"
#include "image/content.h"
#include "image/policy.h"
#include "image/signature.h"

enum { KEY_MAX = 64 << 10 };

struct verified_image {
	struct store *store;
	struct chain chain;
	struct signer *signers;		/* key_source and name are owned copies in 'text' */
	char **text;
	size_t n_signers, n_text;
	char platform[96];
};

void verified_image_free(struct verified_image *v)
{
	if (!v)
		return;
	chain_free(&v->chain);
	store_free(v->store);
	for (size_t i = 0; i < v->n_text; i++)
		free(v->text[i]);
	free(v->text);
	free(v->signers);
	free(v);
}

void verified_image_cleanup(struct verified_image **v)
{
	verified_image_free(*v);
}

const struct digest *verified_image_named(const struct verified_image *v)
{
	return &v->chain.v[0].digest;
}

const struct digest *verified_image_manifest(const struct verified_image *v)
{
	return &chain_manifest(&v->chain)->digest;
}

struct slice verified_image_manifest_bytes(const struct verified_image *v)
{
	return buf_view(&chain_manifest(&v->chain)->raw);
}

const struct store *verified_image_store(const struct verified_image *v)
{
	return v->store;
}

const char *verified_image_platform(const struct verified_image *v)
{
	return v->platform;
}

size_t verified_image_signers(const struct signer **ret, const struct verified_image *v)
{
	*ret = v->signers;
	return v->n_signers;
}

bool verified_image_unsigned(const struct verified_image *v)
{
	return v->n_signers == 0;
}

/* ---- one call's state ------------------------------------------------------------------------------------------ */

struct trial {
	const struct image_verify_in *in;
	struct verified_image *v;
	struct out *out;
	struct signatures sigs;
	bool looked;
};

static void trial_free(struct trial *t)
{
	signatures_free(&t->sigs);
}
#define AUTO_TRIAL __attribute__((cleanup(trial_free))) struct trial

/* A copy that lives as long as the image. */
static const char *own_text(struct verified_image *v, const char *s, struct err *e)
{
	char **grown = realloc(v->text, (v->n_text + 1) * sizeof *grown);

	if (!grown) {
		err_oom(e);
		return NULL;
	}
	v->text = grown;
	if (!(grown[v->n_text] = str_dup(s, e)))
		return NULL;
	return grown[v->n_text++];
}

static int add_signer(struct trial *t, const struct signature *s, const struct trust_key *k, const struct claim *c, struct err *e)
{
	struct verified_image *v = t->v;
	struct signer *grown, *w;

	for (size_t i = 0; i < v->n_signers; i++)
		if (!strcmp(v->signers[i].key_sha256, k->sha256) && digest_eq(&v->signers[i].signed_digest, &c->image))
			return 0;	/* --key and the policy name the same key */
	grown = realloc(v->signers, (v->n_signers + 1) * sizeof *grown);
	if (!grown)
		return err_oom(e);
	v->signers = grown;
	w = &grown[v->n_signers];
	*w = (struct signer){ .kind = s->kind->name, .signed_digest = c->image };
	memcpy(w->key_sha256, k->sha256, sizeof w->key_sha256);
	if (!(w->key_source = own_text(v, k->source, e)) || (c->name && !(w->name = own_text(v, c->name, e))))
		return -1;
	v->n_signers++;
	return 0;
}

/* ---- signatures --------------------------------------------------------------------------------------------------- */

static int look(struct trial *t, struct err *e)
{
	if (t->looked)
		return 0;
	if (signatures_find(&t->sigs, &t->v->chain, t->v->store, e))
		return err_ctx(e, "cannot look for signatures");
	t->looked = true;
	return 0;
}

/* Is s a signature by k that counts here?  identity NULL: any name in it will do. */
static int try_one(struct claim *ret, const struct trial *t, const struct signature *s, const struct trust_key *k,
		   const struct identity *identity, struct err *e)
{
	if (s->kind->check(ret, s, &k->key, &t->v->chain, e))
		return -1;
	if (s->kind->names_image)
		return identity ? identity_check(identity, NULL, ret->name, e) : 0;
	if (identity) {
		err_set(e, EC_REFUSED, "a %s carries no image name, so the policy's signedIdentity cannot be checked", s->kind->describe);
		return err_hint(e, "signatures of cosign 2 carry a name; a bundle counts for --key alone");
	}
	if (!t->in->ignore_tlog) {
		err_set(e, EC_REFUSED, "a %s is made to be checked against a transparency log, which was not done", s->kind->describe);
		return err_hint(e, "--insecure-ignore-tlog accepts the key's signature alone");
	}
	return 0;
}

/* The first key that signed; *why says what was wrong, that of a good signature winning over "another key". */
static bool try_keys(struct trial *t, const struct signature *s, const struct trust_keys *keys, const struct identity *identity,
		     struct err *why, struct err *e)
{
	for (size_t i = 0; i < keys->n; i++) {
		AUTO_CLAIM c = { .name = NULL };
		struct err reason = { 0 };
		char by[320];

		if (!try_one(&c, t, s, &keys->v[i], identity, &reason)) {
			if (add_signer(t, s, &keys->v[i], &c, e))
				return false;
			snprintf(by, sizeof by, "%s by key %.16s... for '%.200s'", s->kind->describe, keys->v[i].sha256,
				 c.name ? c.name : "any name");
			out_check(t->out, "image.signature", CHECK_PASS, c.image.text, by, s->blob.text, NULL);
			*why = (struct err){ 0 };
			return true;
		}
		if (!i || c.image.h != HASH_NONE)
			*why = reason;
	}
	return false;
}

static int none_found(struct trial *t, struct err *e)
{
	const struct digest *d = verified_image_named(t->v);

	out_check(t->out, "image.signature", CHECK_FAIL, "a signature", "none in the layout", d->text, NULL);
	if (t->sigs.problems.n)
		return err_set(e, EC_REFUSED, "the image '%s' has no readable signature: %s", d->text, buf_cstr(&t->sigs.problems));
	err_set(e, EC_REFUSED, "the image '%s' is not signed: the layout has no signature of it", d->text);
	return err_hint(e, "looked for the tag '%s-%s.sig', for what cosign save writes, and for referrers", digest_alg(d), d->hex);
}

/* What was wrong with each signature: fatal only if none is good. */
static int refuse_all(struct trial *t, const struct trust_keys *keys, const struct err *why, struct err *e)
{
	const size_t n = t->sigs.n;
	const struct err *first = &why[0];

	for (size_t i = 0; i < n && !first->hint[0]; i++)
		if (why[i].hint[0])
			first = &why[i];
	err_set(e, EC_REFUSED, "none of %zu signature%s of the image was accepted: %s", n, n == 1 ? "" : "s", first->msg);
	return first->hint[0] ? err_hint(e, "%s", first->hint)
			      : err_hint(e, "wanted a signature by key %.16s... (%s)", keys->v[0].sha256, keys->v[0].source);
}

/* One good signature by one of the keys is enough. */
static int need_signature(struct trial *t, const struct trust_keys *keys, const struct identity *identity, struct err *e)
{
	struct err *why, broken = { 0 };
	bool good = false;
	int rc = 0;

	if (look(t, e))
		return -1;
	if (!t->sigs.n)
		return none_found(t, e);
	if (!(why = calloc(t->sigs.n, sizeof *why)))
		return err_oom(e);
	for (size_t i = 0; i < t->sigs.n && broken.code == EC_OK; i++)
		good |= try_keys(t, &t->sigs.v[i], keys, identity, &why[i], &broken);
	for (size_t i = 0; i < t->sigs.n; i++)
		if (why[i].code != EC_OK)
			out_check(t->out, "image.signature", good ? CHECK_SKIP : CHECK_FAIL, NULL, why[i].msg, t->sigs.v[i].blob.text,
				  why[i].hint[0] ? why[i].hint : NULL);
	if (broken.code != EC_OK)
		rc = err_set(e, broken.code, "%s", broken.msg);
	else if (!good)
		rc = refuse_all(t, keys, why, e);
	free(why);
	return rc;
}

/* ---- keys ----------------------------------------------------------------------------------------------------------- */

static int get_key(struct trust_keys *keys, const struct key_getter *g, const char *src, struct err *e)
{
	AUTO_BUF text = { .max = KEY_MAX + 1 };

	if (g->get(g->arg, &text, src, KEY_MAX, e))
		return err_ctx(e, "cannot read public key '%s'", src);
	return trust_keys_add(keys, buf_view(&text), src, e);
}

/* A policy names files by their whole path; "-" or a relative path would mean something else to each caller. */
static int policy_path(struct trust_keys *keys, const struct key_getter *g, const char *path, struct err *e)
{
	if (!strncmp(path, "file:///", 8))
		path += 7;
	if (path[0] != '/' && strncmp(path, "kbs:///", 7))
		return err_set(e, EC_FORMAT, "keyPath '%s' is neither an absolute path nor kbs:///...", path);
	return get_key(keys, g, path, e);
}

/* base64 of a PEM file; image-rs took the PEM itself, and such policies are about. */
static int policy_data(struct trust_keys *keys, const char *data, struct out *out, struct err *e)
{
	AUTO_BUF pem = { .max = KEY_MAX };

	if (b64_decode(&pem, slice_str(data), e)) {
		if (strncmp(data, "-----BEGIN", 10))
			return err_ctx(e, "keyData");
		out_check(out, "image.policy", CHECK_WARN, "keyData in base64", "a PEM text", NULL,
			  "other readers of this policy will refuse it");
		return trust_keys_add(keys, slice_str(data), "keyData", e);
	}
	return trust_keys_add(keys, buf_view(&pem), "keyData", e);
}

static int policy_keys(struct trust_keys *keys, const struct requirement *r, const struct key_getter *g, struct out *out,
		       struct err *e)
{
	const struct json *list = r->key_paths ? r->key_paths : r->key_datas;

	for (const struct json *j = json_is_array(list) ? json_first(list) : list; j; j = json_is_array(list) ? json_next(j) : NULL)
		if (r->key_paths ? policy_path(keys, g, json_string(j), e) : policy_data(keys, json_string(j), out, e))
			return -1;
	return keys->n ? 0 : err_set(e, EC_BUG, "sigstoreSigned without keys");
}

/* ---- policy ----------------------------------------------------------------------------------------------------------- */

static int hold(struct trial *t, const struct requirement *r, const char *where, struct err *e)
{
	AUTO_TRUST_KEYS keys = { 0 };

	if (r->beyond) {
		out_check(t->out, "image.policy", CHECK_FAIL, r->beyond, "not checked by this version", where, NULL);
		return err_set(e, EC_ABSENT, "the policy (%s) wants '%s', which this version does not check", where, r->beyond);
	}
	switch (r->kind) {
	case REQ_ACCEPT_ANYTHING:
		out_insecure(t->out, "insecureAcceptAnything");
		out_check(t->out, "image.policy", CHECK_WARN, NULL, "insecureAcceptAnything", where, "nobody's signature was asked for");
		return 0;
	case REQ_SIGSTORE:
		if (policy_keys(&keys, r, &t->in->getter, t->out, e) || need_signature(t, &keys, &r->identity, e))
			return err_ctx(e, "policy (%s)", where);
		out_check(t->out, "image.policy", CHECK_PASS, NULL, "sigstoreSigned", where, NULL);
		return 0;
	case REQ_REJECT: case REQ_SIGNED_BY: case REQ_SIGNED_BASE_LAYER:
		break;
	}
	out_check(t->out, "image.policy", CHECK_FAIL, NULL, r->word, where, NULL);
	return err_set(e, EC_REFUSED, "the policy (%s) rejects this image", where);
}

static int hold_policy(struct trial *t, const struct image_policy *p, struct err *e)
{
	const char *transport = transport_word(t->in->ref.transport);
	const struct requirements *r = image_policy_select(p, transport, store_path(t->v->store));
	char where[160];

	if (r->transport)
		snprintf(where, sizeof where, "%.16s scope '%.120s'", r->transport, r->scope);
	else
		snprintf(where, sizeof where, "default");
	if (!r->n) {
		out_check(t->out, "image.policy", CHECK_FAIL, "a requirement", "an empty list", where, NULL);
		return err_set(e, EC_REFUSED, "the policy (%s) has an empty list of requirements, which accepts nothing", where);
	}
	for (size_t i = 0; i < r->n; i++)
		if (hold(t, &r->v[i], where, e))
			return -1;
	return 0;
}

static int hold_keys(struct trial *t, const struct trust_keys *keys, struct err *e)
{
	return keys->n ? need_signature(t, keys, NULL, e) : 0;
}

/* ---- the image ---------------------------------------------------------------------------------------------------------- */

static int open_image(struct trial *t, struct err *e)
{
	const struct image_verify_in *in = t->in;
	struct verified_image *v = t->v;
	const int rc = in->ref.transport == TRANSPORT_OCI ? store_open_dir(&v->store, in->ref.path, e)
							  : store_open_archive(&v->store, in->ref.path, e);

	if (rc)
		return -1;
	if (chain_resolve(&v->chain, v->store, &in->ref, &in->platform, e)) {
		out_check(t->out, "image.manifest", CHECK_FAIL, NULL, e ? e->msg : NULL, in->ref.path, NULL);
		return -1;
	}
	if (in->ref.pin.h != HASH_NONE)
		out_check(t->out, "image.pin", CHECK_PASS, in->ref.pin.text, verified_image_named(v)->text, NULL, NULL);
	for (size_t i = 0; i < v->chain.n; i++)
		out_check(t->out, v->chain.v[i].is_index ? "image.index" : "image.manifest", CHECK_PASS, v->chain.v[i].digest.text,
			  v->chain.v[i].digest.text, v->chain.v[i].media_type, NULL);
	if (v->chain.chosen)
		platform_text(v->platform, &v->chain.platform);
	return 0;
}

static int load_keys(struct trust_keys *keys, const struct image_verify_in *in, struct err *e)
{
	for (size_t i = 0; i < in->n_keys; i++)
		if (get_key(keys, &in->getter, in->keys[i], e))
			return -1;
	return 0;
}

static int nobody_to_ask(const struct image_verify_in *in, struct err *e)
{
	if (in->ref.pin.h != HASH_NONE)
		err_set(e, EC_USAGE, "a digest pins the bytes but does not say that anybody vouches for them: give --key or --policy");
	else
		err_set(e, EC_USAGE, "nothing says whose images to accept: give --key or --policy");
	return err_hint(e, "to accept by digest alone, say so in a policy: {\"default\":[{\"type\":\"insecureAcceptAnything\"}]}");
}

int image_verify(struct verified_image **ret, const struct image_verify_in *in, struct out *out, struct err *e)
{
	AUTO_VERIFIED_IMAGE *v = calloc(1, sizeof *v);
	AUTO_IMAGE_POLICY *policy = NULL;
	AUTO_TRUST_KEYS keys = { 0 };
	AUTO_TRIAL t = { .in = in, .v = v, .out = out };
	const struct content_opts content = { in->host, in->max_size, in->max_ratio, in->platform, in->platform_asked };

	if (!v)
		return err_oom(e);
	if (!in->has_policy && !in->n_keys)
		return nobody_to_ask(in, e);
	if (in->has_policy && image_policy_parse(&policy, in->policy, e))
		return err_ctx(e, "policy is not valid, so it accepts nothing");
	if (load_keys(&keys, in, e) || open_image(&t, e))
		return -1;
	if (policy && hold_policy(&t, policy, e))
		return -1;
	if (hold_keys(&t, &keys, e) || content_check(&v->chain, v->store, &content, out, e))
		return -1;
	*ret = v;	/* accepted: the only line that makes a verified image */
	v = NULL;
	return 0;
}
