/* SPDX-License-Identifier: Apache-2.0 */
/* Server side of request, challenge, attestation, response: see server.h */

#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "attest/appraise.h"
#include "attest/ear.h"
#include "broker/protocol.h"
#include "broker/server.h"
#include "broker/sessions.h"
#include "crypto/jose.h"

#define DEFAULT_SESSIONS 4096
#define AUTH_MAX ((size_t)64 << 10)
#define VERSION_SHOWN 40
#define EVIDENCE_PATH "/submods/cpu0/ear.veraison.annotated-evidence"
#define TEE_KEY_PATH EVIDENCE_PATH "/runtime_data_claims/tee-pubkey"

struct kbs {
	struct kbs_opts o;
	struct sessions *sessions;
	pthread_mutex_t key_lock;	/* the contexts of the two keys serve one thread at a time */
	struct privkey signer;
	struct pubkey verifier;
};

/* One request on its way. */
struct exchange {
	struct kbs *k;
	const struct httpd_request *q;
	struct httpd_reply *r;
	char note[600];			/* for the log: never a token, a nonce or a byte of a resource */
};

int kbs_new(struct kbs **ret, const struct kbs_opts *o, struct err *e)
{
	struct kbs *k = calloc(1, sizeof *k);

	if (!k)
		return err_oom(e);
	k->o = *o;
	pthread_mutex_init(&k->key_lock, NULL);
	if (kbs_store_token_key(&k->signer, o->store, e) || privkey_public(&k->verifier, &k->signer, e) ||
	    sessions_new(&k->sessions, o->max_sessions ? o->max_sessions : DEFAULT_SESSIONS, KBS_SESSION_SECONDS * 1000,
			 o->mono_ms ? o->mono_ms : host_mono_ms, e)) {
		kbs_free(k);
		return -1;
	}
	*ret = k;
	return 0;
}

void kbs_free(struct kbs *k)
{
	if (!k)
		return;
	sessions_free(k->sessions);
	privkey_free(&k->signer);
	pubkey_free(&k->verifier);
	pthread_mutex_destroy(&k->key_lock);
	free(k);
}

/* --- replies -------------------------------------------------------------------------------------------- */

static void send_json(struct exchange *x, int status, const struct json *body)
{
	struct err e = { 0 };

	x->r->status = status;
	x->r->content_type = "application/json";
	buf_reset(&x->r->body);
	if (json_write(&x->r->body, body, false, &e)) {
		buf_reset(&x->r->body);
		x->r->status = 500;
	}
}

/* The form of 1.9, always with the cause in "detail": clients print it. */
static void refuse(struct exchange *x, int status, const char *type, const char *prefix, const char *cause)
{
	AUTO_JSON *body = json_object();

	json_add_fmt(body, "type", KBS_ERRORS "%s", type);
	json_add_fmt(body, "detail", "%s%s", prefix, cause);
	send_json(x, status, body);
	snprintf(x->note, sizeof x->note, "%s: %s", type, cause);
}

static void refuse_auth(struct exchange *x, const struct err *why)
{
	refuse(x, 401, "AttestationError", "Attestation error: RCAR handshake Auth failed: ", why->msg);
}

static void refuse_attest(struct exchange *x, const struct err *why)
{
	refuse(x, 401, "AttestationError", "Attestation error: RCAR handshake Attest failed: ", why->msg);
}

/* As the peer writes it: no Path, no other attribute (1.4). */
static void set_cookie(struct exchange *x, const struct session *s)
{
	char date[32];

	http_date(date, host_now(x->k->o.host) + KBS_SESSION_SECONDS);
	buf_printf(&x->r->headers, "Set-Cookie: " KBS_COOKIE "=%s; Expires=%s\r\n", s->id, date);
}

/* Our cookie's value among "a=b; c=d"; n 0 if it is not there. */
static struct slice session_id(const struct httpd_request *q)
{
	struct slice rest = slice_str(q->cookie);

	while (rest.n) {
		struct slice one = { rest.p, 0 };

		while (one.n < rest.n && rest.p[one.n] != ';')
			one.n++;
		rest.p += one.n + (one.n < rest.n);
		rest.n -= one.n + (one.n < rest.n);
		one = slice_trim(one);
		if (one.n > sizeof KBS_COOKIE && !memcmp(one.p, KBS_COOKIE "=", sizeof KBS_COOKIE))
			return (struct slice){ one.p + sizeof KBS_COOKIE, one.n - sizeof KBS_COOKIE };
	}
	return rest;
}

/* --- POST auth -------------------------------------------------------------------------------------------- */

static bool tee_name_ok(const char *s)
{
	const size_t n = strlen(s);

	return n && n <= SESSION_TEE && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static int check_auth(const char **tee, const struct kbs *k, const struct json *q, struct err *e)
{
	const char *version;

	if (json_need_str(&version, q, "version", "the request", e) || json_need_str(tee, q, "tee", "the request", e))
		return -1;
	if (strcmp(version, KBS_VERSION))
		return err_set(e, EC_FORMAT,
			       "KBS Client Protocol Version Mismatch: expect =" KBS_VERSION " while the request is %.*s",
			       VERSION_SHOWN, version);
	if (!tee_name_ok(*tee))
		return err_set(e, EC_FORMAT, "malformed name of a TEE");
	if (!strcmp(*tee, "sample") && !k->o.allow_sample)
		return err_set(e, EC_REFUSED, "evidence of the sample TEE proves nothing and is not allowed by this broker");
	return 0;
}

static void auth(struct exchange *x)
{
	AUTO_JSON *q = NULL, *body = NULL;
	struct session s = { 0 };
	const char *tee;
	struct err e = { 0 };

	if (json_parse(&q, x->q->body, AUTH_MAX, &e) || check_auth(&tee, x->k, q, &e)) {
		refuse_auth(x, &e);
		return;
	}
	snprintf(x->note, sizeof x->note, "challenge, tee=%s", tee);
	if (sessions_start(&s, x->k->sessions, tee, &e)) {
		refuse(x, 503, "AttestationError", "Attestation error: RCAR handshake Auth failed: ", e.msg);
		return;
	}
	body = json_object();
	json_add_str(body, "nonce", s.nonce);
	json_add_str(body, "extra-params", "");
	send_json(x, 200, body);
	set_cookie(x, &s);
}

/* --- POST attest -------------------------------------------------------------------------------------------- */

static const char *const jwk_members[] = { "kty", "crv", "alg", "x", "y", "n", "e", NULL };

/* The key that resources will be encrypted to: one that jwe_seal can use (1.6), and nothing unhashed beside it. */
static int check_tee_key(const struct json *jwk, struct err *e)
{
	AUTO_PUBKEY k = { 0 };
	const char *alg;

	if (json_only(jwk, jwk_members, "tee-pubkey", e) || json_need_str(&alg, jwk, "alg", "tee-pubkey", e) ||
	    jwk_parse(&k, jwk, e))
		return -1;
	if (strcmp(alg, k.type == KEY_RSA ? "RSA-OAEP-256" : "ECDH-ES+A256KW"))
		return err_set(e, EC_REFUSED, "tee-pubkey has alg '%.40s', wanted ECDH-ES+A256KW (EC) or RSA-OAEP-256 (RSA)", alg);
	if (k.type != KEY_RSA && k.type != KEY_EC_P256 && k.type != KEY_EC_P521)
		return err_set(e, EC_REFUSED, "tee-pubkey is an %s key, wanted P-256, P-521 or RSA", key_type_name(k.type));
	return 0;
}

struct attestation {		/* points into the parsed body */
	const struct json *tee_key, *evidence;
	const char *additional;
};

static int check_attestation(struct attestation *ret, const struct session *s, const struct json *q, struct err *e)
{
	static const char *const runtime_members[] = { "nonce", "tee-pubkey", NULL };
	const struct json *runtime, *tee, *init = json_get(q, "init-data");
	struct attestation a = { 0 };
	const char *nonce;

	if (json_need_obj(&runtime, q, "runtime-data", "the attestation", e) ||
	    json_only(runtime, runtime_members, "runtime-data", e) ||
	    json_need_str(&nonce, runtime, "nonce", "runtime-data", e) ||
	    json_need_obj(&a.tee_key, runtime, "tee-pubkey", "runtime-data", e) ||
	    json_need_obj(&tee, q, "tee-evidence", "the attestation", e) ||
	    json_need_str(&a.additional, tee, "additional_evidence", "tee-evidence", e))
		return -1;
	if (strlen(nonce) != SESSION_NONCE || !mem_eq_ct(nonce, s->nonce, SESSION_NONCE))
		return err_set(e, EC_REFUSED, "the nonce is not the one of this session");
	/* What would not be appraised must not look as if it had been. */
	if (init && !json_is_null(init))
		return err_set(e, EC_REFUSED, "init-data is not appraised by this broker");
	a.evidence = json_get(tee, "primary_evidence");
	if (!a.evidence)
		return err_set(e, EC_FORMAT, "member 'primary_evidence' of tee-evidence is missing");
	*ret = a;
	return check_tee_key(a.tee_key, e);
}

static int make_token(struct buf *ret, struct kbs *k, const struct verdict *v, const struct session *s,
		      const struct attestation *a, struct slice digest, struct err *e)
{
	AUTO_JSON *claims = json_object();
	int rc;

	json_add_str(claims, "nonce", s->nonce);
	json_add_copy(claims, "tee-pubkey", a->tee_key);
	if (!*a->additional)	/* evidence of GPUs would make tokens too long for a header; its claims are in their submods */
		json_add_str(claims, "additional-evidence", a->additional);
	pthread_mutex_lock(&k->key_lock);
	rc = ear_token(ret, v, &(const struct ear_opts){ .signer = &k->signer, .now = host_now(k->o.host),
							  .duration = KBS_SESSION_SECONDS, .runtime_data_claims = claims,
							  .report_data = digest }, e);
	pthread_mutex_unlock(&k->key_lock);
	return rc;
}

/* Evidence of additional devices: {"nvidia": {..}}.  What would not be appraised must not look as if it had been. */
static int open_devices(struct buf *ret, const char *additional, struct err *e)
{
	static const char *const names[] = { "nvidia", NULL };
	AUTO_JSON *j = NULL;

	if (!*additional)
		return 0;
	if (json_parse(&j, slice_str(additional), KBS_BODY_MAX, e))
		return err_ctx(e, "evidence of additional devices");
	if (json_is_object(j) && json_only(j, names, "additional_evidence", e))
		return -1;
	if (!json_is_object(json_get(j, "nvidia")))
		return err_set(e, EC_FORMAT, "additional_evidence holds no evidence of kind 'nvidia'");
	return json_write(ret, json_get(j, "nvidia"), false, e);
}

static int judge(struct buf *token, struct exchange *x, const struct session *s, struct err *e)
{
	struct kbs *k = x->k;
	AUTO_JSON *q = NULL;
	AUTO_BUF evidence = { 0 }, devices = { 0 };
	AUTO_VERDICT v = { 0 };
	struct attestation a = { 0 };
	uint8_t devices_digest[48], digest[48];	/* the built-in appraiser hashes with SHA-384 for every TEE but one that we do not know (1.4) */

	if (json_parse(&q, x->q->body, KBS_BODY_MAX, e) || check_attestation(&a, s, q, e) ||
	    kbs_runtime_digest(digest, HASH_SHA384, s->nonce, a.tee_key, a.additional, e) ||
	    kbs_runtime_digest(devices_digest, HASH_SHA384, s->nonce, a.tee_key, NULL, e) ||
	    json_write(&evidence, a.evidence, false, e) || open_devices(&devices, a.additional, e))
		return -1;
	if (appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&evidence), .kind = s->tee, .given = k->o.given,
						       .now = host_now(k->o.host), .policy = k->o.policy,
						       .report_data = { digest, sizeof digest }, .devices = buf_view(&devices),
						       .devices_data = { devices_digest, sizeof devices_digest }, .snp_roots = k->o.snp_roots,
						       .nv_device_root = k->o.nv_device_root, .nv_rim_root = k->o.nv_rim_root,
						       .allow_sample = k->o.allow_sample }, e))
		return -1;
	if (!v.accepted)
		return err_set(e, EC_REFUSED, "the evidence is not acceptable: %s", buf_cstr(&v.reason));
	return make_token(token, k, &v, s, &a, (struct slice){ digest, sizeof digest }, e);
}

static void attest(struct exchange *x)
{
	AUTO_JSON *body = NULL;
	AUTO_BUF token = { 0 };
	struct session s = { 0 };
	struct err e = { 0 };

	if (sessions_take(&s, x->k->sessions, session_id(x->q), &e) || judge(&token, x, &s, &e) ||
	    sessions_attested(x->k->sessions, &s, buf_view(&token), &e)) {
		refuse_attest(x, &e);
		return;
	}
	snprintf(x->note, sizeof x->note, "accepted, tee=%s", s.tee);
	body = json_object();
	json_add_str(body, "token", buf_cstr(&token));
	send_json(x, 200, body);
	set_cookie(x, &s);
}

/* --- GET resource -------------------------------------------------------------------------------------------- */

static bool has_sample(const struct json *payload)
{
	const struct json *sub;

	for (sub = json_first(json_get(payload, "submods")); sub; sub = json_next(sub))
		if (json_get(json_get(sub, "ear.veraison.annotated-evidence"), "sample"))
			return true;
	return false;
}

/* Our own signature, whatever key the header names; then the claims. */
static int check_token(struct jws *t, struct kbs *k, struct slice text, struct err *e)
{
	int rc;

	if (jws_parse(t, text, e))
		return -1;
	pthread_mutex_lock(&k->key_lock);
	rc = jws_verify(t, &k->verifier, e);
	pthread_mutex_unlock(&k->key_lock);
	if (rc || ear_check(t->payload, host_now(k->o.host), true, e))
		return -1;
	/* A token may be older than this process, which may have been started with less trust. */
	if (has_sample(t->payload) && !k->o.allow_sample)
		return err_set(e, EC_REFUSED, "the token stands on evidence of the sample TEE, which is not allowed");
	if (!json_is_object(json_path(t->payload, TEE_KEY_PATH)))
		return err_set(e, EC_REFUSED, "the token names no key to encrypt to");
	return check_tee_key(json_path(t->payload, TEE_KEY_PATH), e);
}

/* The claims of the CPU TEE are the one member of the annotated evidence that is named like a TEE (3.1). */
static const struct json *tee_claims(const struct json *payload)
{
	static const char *const others[] = { "init_data", "init_data_claims", "report_data", "runtime_data_claims" };
	const struct json *m;

	for (m = json_first(json_path(payload, EVIDENCE_PATH)); m; m = json_next(m)) {
		bool other = !json_is_object(m);

		for (size_t i = 0; i < sizeof others / sizeof *others && !other; i++)
			other = !strcmp(json_name(m), others[i]);
		if (!other)
			return m;
	}
	return NULL;
}

/* The policy's rules for single resources, asked anew for each request. */
static int check_rules(const struct kbs *k, const struct json *payload, const char *path, struct err *e)
{
	const struct json *claims = tee_claims(payload);

	return policy_resource(k->o.policy, path, claims ? json_name(claims) : NULL, claims, e);
}

static bool find_token(struct buf *ret, struct exchange *x)
{
	const char *bearer = x->q->authorization;

	if (sessions_token(ret, x->k->sessions, session_id(x->q)))
		return true;
	if (!bearer || strncasecmp(bearer, "Bearer ", 7))
		return false;
	buf_slice(ret, slice_trim(slice_str(bearer + 7)));
	return true;
}

static void give(struct exchange *x, const struct resource_name *n, const struct json *tee_key)
{
	AUTO_SECRET s = { 0 };
	struct err e = { 0 };

	if (kbs_store_get(&s, x->k->o.store, n, &e)) {
		/* 404 where the peer says 401: its clients then stop at once and say so (1.14) */
		if (e.code == EC_ABSENT)
			refuse(x, 404, "PluginInternalError", "Plugin internal error: ", e.msg);
		else
			refuse(x, 500, "PluginInternalError", "Plugin internal error: ", "the store cannot be read");
		return;
	}
	if (jwe_seal(&x->r->body, tee_key, secret_view(&s), &e)) {
		buf_reset(&x->r->body);
		refuse(x, 500, "JweError", "", e.msg);
		return;
	}
	x->r->status = 200;
	x->r->content_type = "application/json";
	snprintf(x->note, sizeof x->note, "released, %zu bytes", s.n);
}

static void resource(struct exchange *x, const char *path)
{
	AUTO_JWS token = { 0 };
	AUTO_BUF text = { 0 };
	struct resource_name n;
	struct err e = { 0 };

	if (resource_name_parse(&n, slice_str(path), &e))
		refuse(x, 404, "InvalidRequestPath", "", e.msg);
	else if (strcmp(x->q->method, "GET"))
		refuse(x, 401, "AdminAuthAccess", "", "this broker has no admin calls: its store is changed with 'cvmbox kbs put'");
	else if (!find_token(&text, x))
		refuse(x, 401, "TokenNotFound", "", "Attestation Token not found");
	else if (check_token(&token, x->k, buf_view(&text), &e))
		refuse(x, 401, "TokenVerifierError", "Token Verifier error: ", e.msg);
	else if (check_rules(x->k, token.payload, path, &e))
		refuse(x, 401, "PolicyDeny", "Access denied by policy: ", e.msg);
	else
		give(x, &n, json_path(token.payload, TEE_KEY_PATH));
	if (text.p)
		mem_wipe(text.p, text.n);
}

/* --- routing ---------------------------------------------------------------------------------------------------- */

static bool only(struct exchange *x, const char *method)
{
	if (!strcmp(x->q->method, method))
		return true;
	refuse(x, 405, "InvalidRequestPath", "", "Method Not Allowed");
	buf_printf(&x->r->headers, "Allow: %s\r\n", method);
	return false;
}

static void route(struct exchange *x)
{
	static const char *const admin[] = { "attestation-policy", "resource-policy", "reference-value" };
	const char *path = x->q->path;

	if (!strcmp(path, "/healthz")) {
		if (only(x, "GET"))
			x->r->status = 200;
		return;
	}
	if (strncmp(path, "/kbs/v0/", 8)) {
		refuse(x, 404, "InvalidRequestPath", "", "invalid request path: wanted /kbs/v0/...");
		return;
	}
	path += 8;
	for (size_t i = 0; i < sizeof admin / sizeof *admin; i++) {
		const size_t n = strlen(admin[i]);

		if (!strncmp(path, admin[i], n) && (!path[n] || path[n] == '/')) {
			refuse(x, 401, "AdminAuthAccess", "", "this broker has no admin calls");
			return;
		}
	}
	if (!strcmp(path, "auth")) {
		if (only(x, "POST"))
			auth(x);
	} else if (!strcmp(path, "attest")) {
		if (only(x, "POST"))
			attest(x);
	} else if (!strncmp(path, "resource/", 9)) {
		resource(x, path + 9);
	} else if (!strcmp(path, "resource")) {
		refuse(x, 404, "InvalidRequestPath", "", "wanted /kbs/v0/resource/REPOSITORY/TYPE/TAG");
	} else {
		refuse(x, 404, "PluginNotFound", "", "there is no such plugin here: only 'resource'");
	}
}

void kbs_handle(void *arg, const struct httpd_request *q, struct httpd_reply *r)
{
	struct exchange x = { .k = arg, .q = q, .r = r };

	route(&x);
	host_log(x.k->o.host, LOG_INFO, "%s %s %.300s %d%s%s", q->peer, q->method, q->path, r->status, *x.note ? " " : "", x.note);
}

int kbs_token_keys(struct buf *ret, struct kbs_store *store, struct err *e)
{
	AUTO_JSON *set = json_object();
	AUTO_PRIVKEY k = { 0 };
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF id = { 0 };
	struct json *jwk = json_add_object(json_add_array(set, "keys"), NULL);

	if (kbs_store_token_key(&k, store, e) || privkey_public(&pub, &k, e) || jwk_thumbprint(&id, &pub, e) ||
	    jwk_write(jwk, &pub, pub.type == KEY_EC_P384 ? "ES384" : "ES256", e))
		return -1;
	json_add_str(jwk, "use", "sig");
	json_add_str(jwk, "kid", buf_cstr(&id));
	return json_write(ret, set, true, e);
}
