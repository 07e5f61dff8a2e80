/* SPDX-License-Identifier: Apache-2.0 */
/* Client side of request, challenge, attestation, response: see rcar.h */

#include <stdlib.h>

#include "attest/collect.h"
#include "broker/protocol.h"
#include "broker/rcar.h"
#include "crypto/jose.h"
#include "net/http.h"

#define ANSWER_MAX ((size_t)1 << 20)	/* challenge, token, errors */
#define RSA_BITS 2048

struct rcar {
	const struct host *h;
	struct key_env env;
	rcar_http *http;
	struct buf url;
	const char *tee;	/* what was attested with; NULL in passport mode */
	struct privkey key;	/* resources come encrypted to it */
	struct buf cookie;	/* "kbs-session-id=...", empty in passport mode */
	struct buf token;
	bool attested_again;
};

void rcar_free(struct rcar *r)
{
	if (!r)
		return;
	privkey_free(&r->key);
	buf_free(&r->url);
	buf_free(&r->cookie);
	if (r->token.p)
		mem_wipe(r->token.p, r->token.n);
	buf_free(&r->token);
	free(r);
}

static void rcar_cleanup(struct rcar **r)
{
	rcar_free(*r);
}
#define AUTO_RCAR __attribute__((cleanup(rcar_cleanup))) struct rcar

static struct rcar *rcar_new(const struct host *h, const struct key_env *env, struct err *e)
{
	struct rcar *r = calloc(1, sizeof *r);

	if (!r) {
		err_oom(e);
		return NULL;
	}
	r->h = h;
	r->env = *env;
	r->http = http_do;
	if (key_env_url(&r->url, h, env, e)) {
		rcar_free(r);
		return NULL;
	}
	return r;
}

/* --- what the broker says when it says no --------------------------------------------------------------- */

/* Texts of 1.9, in the order of how much they tell. */
struct complaint {
	const char *type;	/* last part of the URL in "type", "" if there is none */
	const char *detail;
};

static struct complaint complaint_of(const struct json *body)
{
	const char *type = json_string(json_get(body, "type")), *slash = type ? strrchr(type, '/') : NULL;
	const char *detail = json_string(json_get(body, "detail"));

	return (struct complaint){ slash ? slash + 1 : type ? type : "", detail ? detail : "" };
}

static bool is_type(const struct json *body, const char *type)
{
	return !strcmp(complaint_of(body).type, type);
}

static bool session_is_over(const struct json *body)
{
	return is_type(body, "TokenNotFound") || is_type(body, "TokenVerifierError");
}

/* "cpu0 affirming, gpu0 warning": what the token says of us, read without trusting it. */
static void token_status(struct buf *ret, const struct rcar *r)
{
	AUTO_JWS t = { 0 };
	const struct json *sub;

	if (jws_parse(&t, buf_view(&r->token), NULL))
		return;
	for (sub = json_first(json_get(t.payload, "submods")); sub; sub = json_next(sub)) {
		const char *status = json_string(json_get(sub, "ear.status"));

		buf_printf(ret, "%s%s %s", ret->n ? ", " : "", json_name(sub), status ? status : "without status");
	}
}

static void hint(struct err *e, const struct rcar *r, const struct complaint c, long status, const char *step)
{
	const char *wanted = strstr(c.detail, "expect =");
	AUTO_BUF said = { 0 };

	if (wanted) {
		err_hint(e, "the broker wants protocol %.*s, this cvmbox speaks " KBS_VERSION
			 ": take a broker and a cvmbox of the same age", (int)strcspn(wanted + 8, " ,;"), wanted + 8);
	} else if (!strcmp(c.type, "AttestationError")) {
		err_hint(e, !strcmp(step, "auth") ? "does the broker take evidence of TEE '%s'?" :
			    "the broker did not accept the evidence (TEE '%s'); its log and its policy say more",
			 r->tee ? r->tee : "?");
	} else if (!strcmp(c.type, "PolicyDeny")) {
		token_status(&said, r);
		err_hint(e, "the broker's resource policy refused; the token says: %s", said.n ? buf_cstr(&said) : "nothing");
	} else if (!strcmp(c.type, "TokenNotFound") || !strcmp(c.type, "TokenVerifierError")) {
		err_hint(e, r->cookie.n ? "the broker forgot the session at once: are there several brokers behind one address?" :
			 "the token has expired, or is another broker's: get a new one with 'cvmbox attest token'");
	} else if (!strcmp(c.type, "PluginInternalError") || (status == 404 && *c.type)) {
		err_hint(e, "there is no such resource, or the broker's storage failed: check REPOSITORY/TYPE/TAG");
	} else if (status == 413) {
		err_hint(e, "the broker's limit for requests is too small for this evidence (payload_request_size)");
	} else if (!*c.type) {
		err_hint(e, "is '%s' really a key broker (Trustee KBS)?", buf_cstr(&r->url));
	}
}

/* A status other than 200, as an error that quotes the broker. */
static int refused(const struct rcar *r, const struct http_response *res, const struct json *body, const char *step,
		   const char *what, struct err *e)
{
	const struct complaint c = complaint_of(body);
	const bool again = res->status >= 500 || res->status == 429 || res->status == 408;

	if (*c.type || *c.detail)
		err_set(e, again ? EC_IO : EC_DENIED, "cannot %s: broker '%s' answered %ld %.60s: '%.400s'", what,
			buf_cstr(&r->url), res->status, c.type, c.detail);
	else
		err_set(e, again ? EC_IO : EC_DENIED, "cannot %s: '%s' answered %ld without saying why", what,
			buf_cstr(&r->url), res->status);
	if (again && res->retry_after >= 0)
		return err_hint(e, "it asks to try again in %ld seconds", res->retry_after);
	hint(e, r, c, res->status, step);
	return -1;
}

/* --- requests --------------------------------------------------------------------------------------------- */

static int exchange(struct http_response *ret, const struct rcar *r, const char *method, const char *path, struct slice body,
		    size_t max, struct err *e)
{
	AUTO_STR *url = str_printf(e, "%s/kbs/v0/%s", buf_cstr(&r->url), path);
	AUTO_STR *cookie = str_printf(e, "Cookie: %s", buf_cstr(&r->cookie));
	AUTO_BUF bearer = { 0 };
	const char *headers[4] = { 0 };
	size_t n = 0;
	int rc;

	if (!url || !cookie)
		return -1;
	if (body.n)
		headers[n++] = "Content-Type: application/json";
	if (r->cookie.n)
		headers[n++] = cookie;
	else if (r->token.n) {
		buf_printf(&bearer, "Authorization: Bearer %s", buf_cstr(&r->token));
		headers[n++] = buf_cstr(&bearer);
	}
	rc = buf_check(&bearer, e) ? -1 :
	     r->http(ret, r->h, &(const struct http_request){ .method = method, .url = url, .headers = headers, .body = body,
							       .ca_pem_file = r->env.ca, .max_body = max,
							       .allow_plain = r->env.plain, .cookie_name = KBS_COOKIE }, e);
	if (bearer.p)
		mem_wipe(bearer.p, bearer.n);
	mem_wipe(cookie, strlen(cookie));
	if (!rc)
		host_log(r->h, LOG_DEBUG, "%s %s: %zu bytes out, status %ld, %zu bytes in", method, path, body.n, ret->status,
			 ret->body.n);
	return rc;
}

/* A JSON object from an answer; absent (NULL) for a refusal whose body is something else. */
static int answer(struct json **ret, const struct rcar *r, const struct http_response *res, const char *step,
		  const char *what, struct err *e)
{
	AUTO_JSON *body = NULL;
	struct err parse = { 0 };
	const int rc = json_parse(&body, buf_view(&res->body), ANSWER_MAX, &parse);

	if (res->status != 200)
		return refused(r, res, body, step, what, e);
	if (rc) {
		err_set(e, EC_FORMAT, "cannot %s: the answer of '%s' is not JSON: %s", what, buf_cstr(&r->url), parse.msg);
		return err_hint(e, "is it really a key broker (Trustee KBS)?");
	}
	*ret = body;
	body = NULL;
	return 0;
}

/* "kbs-session-id=VALUE"; it goes into our next request's head, so only plain characters may stand in it. */
static int take_cookie(struct rcar *r, const struct buf *set_cookie, struct err *e)
{
	const struct slice s = buf_view(set_cookie);
	const size_t name = sizeof KBS_COOKIE;	/* with '=' in the place of the NUL */

	if (s.n <= name || s.n > 512 || memcmp(s.p, KBS_COOKIE "=", name))
		return err_set(e, EC_FORMAT, "cannot attest: broker '%s' gave no session cookie '" KBS_COOKIE "'",
			       buf_cstr(&r->url));
	for (size_t i = name; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || strchr("\",;\\", s.p[i]))
			return err_set(e, EC_FORMAT, "cannot attest: broker '%s' gave a malformed session cookie",
				       buf_cstr(&r->url));
	buf_reset(&r->cookie);
	buf_slice(&r->cookie, s);
	return buf_check(&r->cookie, e);
}

/* --- the handshake -------------------------------------------------------------------------------------------- */

struct challenge {
	struct json *body;	/* owns nonce */
	const char *nonce;
	enum hash hash;
};

static int auth(struct challenge *ret, struct rcar *r, struct err *e)
{
	static const char *const hashes[] = { "sha256", "sha384", "sha512" };
	AUTO_HTTP res = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_JSON *q = json_object(), *body = NULL;
	struct json *list;
	struct challenge c = { .hash = HASH_SHA384 };
	const char *chosen;

	json_add_str(q, "version", KBS_VERSION);
	json_add_str(q, "tee", r->tee);
	list = json_add_array(json_add_object(q, "extra-params"), "supported-hash-algorithms");
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
		json_add_str(list, NULL, hashes[i]);
	if (json_write(&text, q, false, e) || exchange(&res, r, "POST", "auth", buf_view(&text), ANSWER_MAX, e) ||
	    answer(&body, r, &res, "auth", "get a challenge", e) ||
	    json_need_str(&c.nonce, body, "nonce", "the broker's challenge", e))
		return -1;
	if (!*c.nonce || strlen(c.nonce) > KBS_NONCE_MAX)
		return err_set(e, EC_FORMAT, "cannot attest: the broker's nonce has %zu bytes, wanted 1 to %d", strlen(c.nonce),
			       KBS_NONCE_MAX);
	chosen = json_string(json_get(json_get(body, "extra-params"), "selected-hash-algorithm"));
	if (chosen)
		c.hash = hash_by_name(chosen);
	if (c.hash != HASH_SHA256 && c.hash != HASH_SHA384 && c.hash != HASH_SHA512)
		return err_set(e, EC_FORMAT, "cannot attest: the broker chose hash '%s', offered were sha256, sha384, sha512",
			       chosen);
	if (take_cookie(r, &res.set_cookie, e))
		return -1;
	c.body = body;
	body = NULL;
	*ret = c;
	return 0;
}

static int new_key(struct rcar *r, struct json *jwk, struct err *e)
{
	const bool rsa = r->env.key_type == 1;
	AUTO_PRIVKEY k = { 0 };
	AUTO_PUBKEY pub = { 0 };

	if (privkey_generate(&k, rsa ? KEY_RSA : KEY_EC_P256, rsa ? RSA_BITS : 0, e) || privkey_public(&pub, &k, e) ||
	    jwk_write(jwk, &pub, rsa ? "RSA-OAEP-256" : "ECDH-ES+A256KW", e))
		return err_ctx(e, "cannot make the key for this attestation");
	privkey_free(&r->key);
	r->key = k;
	k = (struct privkey){ 0 };
	return 0;
}

/* Evidence of this machine's GPUs, for a digest without it (key-broker.md 1.7).  Left out unless asked for, and said, where they are in no state
 * to give any: no driver, no confidential mode.  Whether that is enough is for the broker's policy. */
static int additional_evidence(struct buf *ret, const struct rcar *r, const struct challenge *c, const struct json *jwk, struct err *e)
{
	const bool must = r->env.gpus && strcmp(r->env.gpus, "auto");
	uint8_t digest[HASH_MAX];
	struct err why = { 0 };

	if (kbs_runtime_digest(digest, c->hash, c->nonce, jwk, NULL, e))
		return -1;
	if (!collect_additional(ret, r->h, r->env.gpus, NULL, slice_of(digest, hash_size(c->hash)), NULL, &why))
		return 0;
	if (why.code == EC_ABSENT && !must) {
		host_log(r->h, LOG_WARN, "attesting without GPUs: %s", why.msg);
		return 0;
	}
	if (e)
		*e = why;
	return -1;
}

static int attestation(struct buf *ret, struct rcar *r, const struct challenge *c, struct err *e)
{
	AUTO_JSON *jwk = json_object(), *evidence = NULL, *q = json_object();
	AUTO_BUF additional = { 0 };
	uint8_t digest[HASH_MAX];
	struct json *part;

	if (new_key(r, jwk, e) || additional_evidence(&additional, r, c, jwk, e) ||
	    kbs_runtime_digest(digest, c->hash, c->nonce, jwk, buf_cstr(&additional), e) ||
	    collect_evidence(&evidence, r->h, r->tee, (struct slice){ digest, hash_size(c->hash) }, e))
		return -1;
	json_add_null(q, "init-data");
	part = json_add_object(q, "runtime-data");
	json_add_str(part, "nonce", c->nonce);
	json_add_copy(part, "tee-pubkey", jwk);
	part = json_add_object(q, "tee-evidence");
	json_add_copy(part, "primary_evidence", evidence);
	json_add_str(part, "additional_evidence", buf_cstr(&additional));
	return json_write(ret, q, false, e);
}

static int attest(struct rcar *r, const struct challenge *c, struct err *e)
{
	AUTO_HTTP res = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_JSON *body = NULL;
	AUTO_JWS jwt = { 0 };
	const char *token;

	if (attestation(&text, r, c, e) || exchange(&res, r, "POST", "attest", buf_view(&text), ANSWER_MAX, e) ||
	    answer(&body, r, &res, "attest", "attest", e) || json_need_str(&token, body, "token", "the broker's answer", e))
		return -1;
	if (jws_parse(&jwt, slice_str(token), e))
		return err_ctx(e, "cannot use the token of broker '%s'", buf_cstr(&r->url));
	buf_reset(&r->token);
	buf_puts(&r->token, token);
	return buf_check(&r->token, e);
}

static int handshake(struct rcar *r, struct err *e)
{
	struct challenge c = { 0 };
	int rc;

	host_log(r->h, LOG_INFO, "attesting to '%s' with TEE '%s'", buf_cstr(&r->url), r->tee);
	buf_reset(&r->cookie);
	buf_reset(&r->token);
	if (auth(&c, r, e))
		return -1;
	rc = attest(r, &c, e);
	json_free(c.body);
	return rc;
}

int rcar_attest_via(struct rcar **ret, const struct host *h, const struct key_env *env, rcar_http *http, struct err *e)
{
	AUTO_RCAR *r = rcar_new(h, env, e);

	if (!r)
		return -1;
	r->http = http;
	if (collect_pick(&r->tee, h, env->tee, e) || handshake(r, e))
		return -1;
	*ret = r;
	r = NULL;
	return 0;
}

int rcar_attest(struct rcar **ret, const struct host *h, const struct key_env *env, struct err *e)
{
	return rcar_attest_via(ret, h, env, http_do, e);
}

/* --- passport -------------------------------------------------------------------------------------------------- */

/* The tree's memory is not a secret's: the private key in it is wiped before it is given back. */
static void wipe_string(const struct json *j)
{
	const char *s = json_string(j);

	if (s)
		mem_wipe((void *)(uintptr_t)s, strlen(s));
}

static int read_token(struct rcar *r, const struct json *file, struct err *e)
{
	const char *token, *pem;
	AUTO_JWS jwt = { 0 };

	if (json_need_str(&token, file, "token", "the token file", e) ||
	    json_need_str(&pem, file, "tee_keypair", "the token file", e) || jws_parse(&jwt, slice_str(token), e) ||
	    privkey_parse(&r->key, slice_str(pem), e))
		return -1;
	buf_puts(&r->token, token);
	return buf_check(&r->token, e);
}

int rcar_from_token(struct rcar **ret, const struct host *h, const struct key_env *env, struct slice text, struct err *e)
{
	AUTO_RCAR *r = rcar_new(h, env, e);
	AUTO_JSON *file = NULL;
	int rc;

	if (!r)
		return -1;
	rc = json_parse(&file, text, ANSWER_MAX, e) ? -1 : read_token(r, file, e);
	wipe_string(json_get(file, "tee_keypair"));
	if (rc) {
		err_ctx(e, "cannot use the token file");
		return err_hint(e, "wanted {\"token\":...,\"tee_keypair\":...} as 'cvmbox attest token' writes it");
	}
	*ret = r;
	r = NULL;
	return 0;
}

int rcar_token(struct buf *ret, const struct rcar *r, struct err *e)
{
	buf_slice(ret, buf_view(&r->token));
	return buf_check(ret, e);
}

static size_t put(uint8_t *at, const char *s)
{
	const size_t n = strlen(s);

	if (at)
		memcpy(at, s, n);
	return n;
}

/* Builds the text inside secret memory; at == NULL only counts.  PEM needs no escapes but for its line ends. */
static size_t token_file_text(uint8_t *at, struct slice token, struct slice pem)
{
	size_t n = put(at, "{\"token\":\"");

	if (at)
		memcpy(at + n, token.p, token.n);
	n += token.n;
	n += put(at ? at + n : NULL, "\",\"tee_keypair\":\"");
	for (size_t i = 0; i < pem.n; i++) {
		const char one[2] = { (char)pem.p[i], 0 };

		n += put(at ? at + n : NULL, pem.p[i] == '\n' ? "\\n" : one);
	}
	return n + put(at ? at + n : NULL, "\"}\n");
}

int rcar_token_file(struct secret *ret, const struct rcar *r, struct err *e)
{
	const struct slice token = buf_view(&r->token);
	AUTO_SECRET pem = { 0 };
	struct slice body;

	if (privkey_pem(&pem, &r->key, e))
		return -1;
	body = secret_view(&pem);
	while (body.n && !body.p[body.n - 1])	/* a NUL behind the text is not part of it */
		body.n--;
	if (secret_alloc(ret, token_file_text(NULL, token, body), e))
		return -1;
	token_file_text(ret->p, token, body);
	return 0;
}

/* --- resources -------------------------------------------------------------------------------------------------- */

static int get_once(struct secret *ret, struct rcar *r, const char *path, const char *uri, size_t max, bool *over,
		    struct err *e)
{
	AUTO_HTTP res = { 0 };
	AUTO_JSON *body = NULL;
	AUTO_STR *what = str_printf(e, "fetch '%s'", uri);
	AUTO_SECRET s = { 0 };

	if (!what || exchange(&res, r, "GET", path, (struct slice){ 0 }, max / 3 * 4 + 8192, e))
		return -1;
	if (res.status != 200) {
		json_parse(&body, buf_view(&res.body), ANSWER_MAX, NULL);
		*over = session_is_over(body);
		return refused(r, &res, body, "resource", what, e);
	}
	if (jwe_open(&s, &r->key, buf_view(&res.body), e))
		return err_ctx(e, "cannot decrypt '%s' as broker '%s' sent it", uri, buf_cstr(&r->url));
	if (s.n > max)
		return err_set(e, EC_FORMAT, "resource '%s' has %zu bytes, at most %zu are taken", uri, s.n, max);
	secret_give(ret, &s);
	return 0;
}

int rcar_get(struct secret *ret, struct rcar *r, const char *uri, size_t max, struct err *e)
{
	struct resource_name n;
	AUTO_STR *path = NULL;
	bool over = false;

	if (resource_uri_parse(&n, uri, e))
		return -1;
	path = str_printf(e, "resource/%s/%s/%s", n.part[0], n.part[1], n.part[2]);
	if (!path)
		return -1;
	if (max > SECRET_MAX)
		max = SECRET_MAX;
	if (!get_once(ret, r, path, uri, max, &over, e))
		return 0;
	if (!over || !r->tee || r->attested_again)	/* 1.9: attest again, at most once */
		return -1;
	host_log(r->h, LOG_INFO, "the broker does not know our session any more: attesting again");
	r->attested_again = true;
	if (handshake(r, e))
		return -1;
	return get_once(ret, r, path, uri, max, &over, e);
}
