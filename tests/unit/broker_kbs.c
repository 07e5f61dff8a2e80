/* SPDX-License-Identifier: Apache-2.0 */
/* The key broker, request by request: what it gives, and everything it must not give. */

#include <pthread.h>

#include "broker/protocol.h"
#include "broker/server.h"
#include "broker/sessions.h"
#include "codec/hex64.h"
#include "crypto/jose.h"
#include "nv_maker.h"
#include "rim_maker.h"
#include "snp_maker.h"
#include "test.h"

#define POLICY "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"sample\"],\"measurements\":[\"%s\"]%s}"

static int64_t clock_ms;

static int64_t mono(void)
{
	return clock_ms;
}

struct rig {
	struct host h;
	struct kbs_store *store;
	struct policy *policy;
	struct kbs *k;
};

static void rig_more(struct rig *g, struct kbs_store *store, const char *measurement, const char *more, bool sample)
{
	AUTO_BUF text = { 0 };

	host_init(&g->h);
	g->h.has_now = true;
	g->h.now_fixed = 1800000000;
	g->store = store;
	buf_printf(&text, POLICY, measurement, more);
	WORKS(policy_parse(&g->policy, buf_view(&text), "test", &e));
	WORKS(kbs_new(&g->k, &(const struct kbs_opts){ .host = &g->h, .store = store, .policy = g->policy,
							.allow_sample = sample, .max_sessions = 8, .mono_ms = mono }, &e));
}

static void put(struct rig *g, const char *as, const char *text)
{
	struct resource_name n;
	AUTO_SECRET s = { 0 };

	WORKS(resource_name_parse(&n, slice_str(as), &e));
	WORKS(secret_from(&s, slice_str(text), &e));
	WORKS(kbs_store_put(g->store, &n, &s, true, &e));
}

static void rig_up(struct rig *g)
{
	struct kbs_store *store = NULL;
	char dir[256];

	snprintf(dir, sizeof dir, "%s/store", tmpdir());
	WORKS(kbs_store_open(&store, dir, true, &e));
	rig_more(g, store, "abcde", "", true);
	put(g, "default/key/1", "the secret");
}

static void rig_down(struct rig *g, bool store_too)
{
	kbs_free(g->k);
	policy_free(g->policy);
	if (store_too)
		kbs_store_close(g->store);
	host_close(&g->h);
}

/* --- a client by hand -------------------------------------------------------------------------------------- */

struct answer {
	int status;
	struct buf text, headers;
	struct json *body;
};
#define AUTO_ANSWER __attribute__((cleanup(answer_free))) struct answer

static void answer_free(struct answer *a)
{
	buf_free(&a->text);
	buf_free(&a->headers);
	json_free(a->body);
	*a = (struct answer){ 0 };
}

static void call(struct answer *ret, struct rig *g, const char *method, const char *path, const char *body, const char *cookie,
		 const char *auth)
{
	struct httpd_request q = { .path = path, .query = "", .body = slice_str(body), .cookie = cookie, .authorization = auth,
				   .peer = "test" };
	struct httpd_reply r = { .status = 500 };

	answer_free(ret);
	snprintf(q.method, sizeof q.method, "%s", method);
	kbs_handle(g->k, &q, &r);
	ret->status = r.status;
	buf_move(&ret->text, &r.body);
	buf_move(&ret->headers, &r.headers);
	json_parse(&ret->body, buf_view(&ret->text), (size_t)1 << 20, NULL);
	httpd_reply_free(&r);
}

static const char *type_of(const struct answer *a)
{
	const char *t = json_string(json_get(a->body, "type"));

	return t && !strncmp(t, KBS_ERRORS, strlen(KBS_ERRORS)) ? t + strlen(KBS_ERRORS) : "(none)";
}

static const char *detail_of(const struct answer *a)
{
	return json_string(json_get(a->body, "detail"));
}

#define REFUSED(a, code, type, part) do { EQ((a).status, code); STR(type_of(&(a)), type); HAS(detail_of(&(a)), part); } while (0)

struct client {
	char cookie[80], nonce[64];
	struct privkey key;
	struct json *jwk;
};

static void client_free(struct client *c)
{
	privkey_free(&c->key);
	json_free(c->jwk);
	*c = (struct client){ 0 };
}
#define AUTO_CLIENT __attribute__((cleanup(client_free))) struct client

static void new_key(struct client *c, enum key_type t)
{
	AUTO_PUBKEY pub = { 0 };

	privkey_free(&c->key);
	json_free(c->jwk);
	c->jwk = json_object();
	WORKS(privkey_generate(&c->key, t, t == KEY_RSA ? 2048 : 0, &e));
	WORKS(privkey_public(&pub, &c->key, &e));
	WORKS(jwk_write(c->jwk, &pub, t == KEY_RSA ? "RSA-OAEP-256" : "ECDH-ES+A256KW", &e));
}

static void do_auth(struct client *c, struct rig *g)
{
	AUTO_ANSWER a = { 0 };
	const char *at, *nonce;

	call(&a, g, "POST", "/kbs/v0/auth", "{\"version\":\"0.4.0\",\"tee\":\"sample\",\"extra-params\":\"\"}", NULL, NULL);
	EQ(a.status, 200);
	at = strstr(buf_cstr(&a.headers), "kbs-session-id=");
	nonce = json_string(json_get(a.body, "nonce"));
	OK(at && nonce);
	snprintf(c->cookie, sizeof c->cookie, "%.*s", (int)strcspn(at ? at : "", ";"), at ? at : "");
	snprintf(c->nonce, sizeof c->nonce, "%s", nonce ? nonce : "");
}

/* A good attestation of the client's key for its nonce, to be spoilt by the test. */
static struct json *good_attestation(const struct client *c)
{
	struct json *q = json_object(), *part;
	uint8_t digest[48];

	WORKS(kbs_runtime_digest(digest, HASH_SHA384, c->nonce, c->jwk, "", &e));
	json_add_null(q, "init-data");
	part = json_add_object(q, "runtime-data");
	json_add_str(part, "nonce", c->nonce);
	json_add_copy(part, "tee-pubkey", c->jwk);
	part = json_add_object(q, "tee-evidence");
	json_add_str(part, "additional_evidence", "");
	part = json_add_object(part, "primary_evidence");
	json_add_str(part, "svn", "1");
	json_add_b64(part, "report_data", (struct slice){ digest, sizeof digest });
	return q;
}

static void post(struct answer *ret, struct rig *g, const struct client *c, struct json *q)
{
	AUTO_BUF text = { 0 };

	WORKS(json_write(&text, q, false, &e));
	call(ret, g, "POST", "/kbs/v0/attest", buf_cstr(&text), c->cookie, NULL);
	json_free(q);
}

static void attested(struct client *c, struct answer *a, struct rig *g, enum key_type t)
{
	new_key(c, t);
	do_auth(c, g);
	post(a, g, c, good_attestation(c));
	EQ(a->status, 200);
	OK(json_string(json_get(a->body, "token")));
}

static void bearer_of(char ret[static 16384], const struct answer *a)
{
	snprintf(ret, 16384, "Bearer %s", json_string(json_get(a->body, "token")));
}

static struct json *member(struct json *obj, const char *name)
{
	return (struct json *)(uintptr_t)json_get(obj, name);
}

/* --- auth ------------------------------------------------------------------------------------------------------ */

TEST(kbs_auth_gives_challenge_and_cookie)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 }, d = { 0 };

	rig_up(&g);
	do_auth(&c, &g);
	do_auth(&d, &g);
	EQ(strlen(c.nonce), 44);
	EQ(strlen(c.cookie), strlen("kbs-session-id=") + 32);
	EQ(strspn(c.cookie + strlen("kbs-session-id="), "0123456789abcdef"), 32);
	OK(strcmp(c.nonce, d.nonce) && strcmp(c.cookie, d.cookie));
	call(&a, &g, "POST", "/kbs/v0/auth", "{\"version\":\"0.4.0\",\"tee\":\"snp\"}", NULL, NULL);
	EQ(a.status, 200);
	STR(json_string(json_get(a.body, "extra-params")), "");
	HAS(buf_cstr(&a.headers), "; Expires=Fri, 15 Jan 2027 08:05:00 GMT\r\n");	/* five minutes on */
	rig_down(&g, true);
}

TEST(kbs_auth_refuses_other_versions_with_the_peers_words)
{
	static const char *const versions[] = { "0.1.0", "0.2.0", "0.4.1", "0.5.0", "1.0.0", "", "garbage" };
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };

	rig_up(&g);
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		char body[200], wanted[200];

		snprintf(body, sizeof body, "{\"version\":\"%s\",\"tee\":\"sample\",\"extra-params\":\"\"}", versions[i]);
		snprintf(wanted, sizeof wanted, "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version "
			 "Mismatch: expect =0.4.0 while the request is %s", versions[i]);
		call(&a, &g, "POST", "/kbs/v0/auth", body, NULL, NULL);
		REFUSED(a, 401, "AttestationError", wanted);
		OK(!a.headers.n);
	}
	rig_down(&g, true);
}

TEST(kbs_auth_refuses_garbage)
{
	static const char *const bodies[] = {
		"", "{", "[]", "null", "{}", "{\"version\":\"0.4.0\"}", "{\"version\":4,\"tee\":\"sample\"}",
		"{\"version\":\"0.4.0\",\"tee\":\"\"}", "{\"version\":\"0.4.0\",\"tee\":\"../x\"}",
		"{\"version\":\"0.4.0\",\"tee\":\"SNP\"}", "{\"version\":\"0.4.0\",\"tee\":[\"sample\"]}",
		"{\"version\":\"0.4.0\",\"version\":\"0.4.0\",\"tee\":\"sample\"}",
		"{\"version\":\"0.4.0\",\"tee\":\"sample\"}x",
		"{\"version\":\"0.4.0\",\"tee\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
	};
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };

	rig_up(&g);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		call(&a, &g, "POST", "/kbs/v0/auth", bodies[i], NULL, NULL);
		REFUSED(a, 401, "AttestationError", "RCAR handshake Auth failed: ");
	}
	call(&a, &g, "GET", "/kbs/v0/auth", "", NULL, NULL);
	EQ(a.status, 405);
	rig_down(&g, true);
}

TEST(kbs_refuses_the_sample_tee_unless_allowed)
{
	struct rig g = { 0 }, strict = { 0 };
	AUTO_ANSWER a = { 0 }, b = { 0 };
	AUTO_CLIENT c = { 0 };
	char bearer[16384];

	rig_up(&g);
	rig_more(&strict, g.store, "abcde", "", false);
	call(&a, &strict, "POST", "/kbs/v0/auth", "{\"version\":\"0.4.0\",\"tee\":\"sample\"}", NULL, NULL);
	REFUSED(a, 401, "AttestationError", "sample TEE proves nothing");
	/* A token that the lax broker gave is worth nothing to the strict one, although one key signs for both. */
	attested(&c, &a, &g, KEY_EC_P256);
	bearer_of(bearer, &a);
	call(&b, &g, "GET", "/kbs/v0/resource/default/key/1", "", NULL, bearer);
	EQ(b.status, 200);
	call(&b, &strict, "GET", "/kbs/v0/resource/default/key/1", "", NULL, bearer);
	REFUSED(b, 401, "TokenVerifierError", "sample");
	rig_down(&strict, false);
	rig_down(&g, true);
}

/* --- attest ------------------------------------------------------------------------------------------------------ */

static void gives_resource(enum key_type t)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 }, b = { 0 };
	AUTO_CLIENT c = { 0 };
	AUTO_SECRET s = { 0 };
	AUTO_JWS token = { 0 };
	AUTO_PRIVKEY signer = { 0 };
	AUTO_PUBKEY pub = { 0 };

	rig_up(&g);
	attested(&c, &a, &g, t);
	call(&b, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	EQ(b.status, 200);
	WORKS(jwe_open(&s, &c.key, buf_view(&b.text), &e));
	OK(secret_eq(&s, SLICE("the secret")));
	WORKS(jws_parse(&token, slice_str(json_string(json_get(a.body, "token"))), &e));
	WORKS(kbs_store_token_key(&signer, g.store, &e));
	WORKS(privkey_public(&pub, &signer, &e));
	WORKS(jws_verify(&token, &pub, &e));
	STR(json_string(json_path(token.payload, "/submods/cpu0/ear.veraison.annotated-evidence/runtime_data_claims/nonce")),
	    c.nonce);
	rig_down(&g, true);
}

TEST(kbs_gives_a_resource_to_an_ec_key)
{
	gives_resource(KEY_EC_P256);
}

TEST(kbs_gives_a_resource_to_an_rsa_key)
{
	gives_resource(KEY_RSA);
}

TEST(kbs_nonce_serves_once)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };

	rig_up(&g);
	attested(&c, &a, &g, KEY_EC_P256);
	post(&a, &g, &c, good_attestation(&c));
	REFUSED(a, 401, "AttestationError", "RCAR handshake Attest failed: the nonce of this session was used already");
	/* also after an attempt that failed */
	do_auth(&c, &g);
	call(&a, &g, "POST", "/kbs/v0/attest", "{}", c.cookie, NULL);
	REFUSED(a, 401, "AttestationError", "runtime-data");
	post(&a, &g, &c, good_attestation(&c));
	REFUSED(a, 401, "AttestationError", "used already");
	rig_down(&g, true);
}

TEST(kbs_refuses_a_replayed_or_foreign_nonce)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 }, d = { 0 };
	char old[64];

	rig_up(&g);
	attested(&c, &a, &g, KEY_EC_P256);
	snprintf(old, sizeof old, "%s", c.nonce);
	do_auth(&c, &g);			/* new session, evidence made for the old nonce */
	snprintf(c.nonce, sizeof c.nonce, "%s", old);
	post(&a, &g, &c, good_attestation(&c));
	REFUSED(a, 401, "AttestationError", "the nonce is not the one of this session");
	do_auth(&c, &g);			/* the right nonce in the message, the evidence for the old one */
	{
		struct json *q;
		char fresh[64];

		snprintf(fresh, sizeof fresh, "%s", c.nonce);
		snprintf(c.nonce, sizeof c.nonce, "%s", old);
		q = good_attestation(&c);
		json_remove(member(q, "runtime-data"), "nonce");
		json_add_str(member(q, "runtime-data"), "nonce", fresh);
		post(&a, &g, &c, q);
		REFUSED(a, 401, "AttestationError", "sample.report_data");
	}
	new_key(&d, KEY_EC_P256);		/* two sessions, crossed */
	do_auth(&c, &g);
	do_auth(&d, &g);
	snprintf(d.cookie, sizeof d.cookie, "%s", c.cookie);
	post(&a, &g, &d, good_attestation(&d));
	REFUSED(a, 401, "AttestationError", "the nonce is not the one of this session");
	rig_down(&g, true);
}

TEST(kbs_refuses_unknown_and_expired_sessions)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };

	rig_up(&g);
	new_key(&c, KEY_EC_P256);
	do_auth(&c, &g);
	clock_ms += KBS_SESSION_SECONDS * 1000;
	post(&a, &g, &c, good_attestation(&c));
	REFUSED(a, 401, "AttestationError", "no such session");
	attested(&c, &a, &g, KEY_EC_P256);
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	EQ(a.status, 200);
	clock_ms += KBS_SESSION_SECONDS * 1000 - 1;
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	EQ(a.status, 200);
	clock_ms += 1;			/* not prolonged by use */
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	REFUSED(a, 401, "TokenNotFound", "Attestation Token not found");
	snprintf(c.cookie, sizeof c.cookie, "kbs-session-id=%032d", 0);
	post(&a, &g, &c, good_attestation(&c));
	REFUSED(a, 401, "AttestationError", "no such session");
	snprintf(c.cookie, sizeof c.cookie, "kbs-session-id=");
	post(&a, &g, &c, good_attestation(&c));
	REFUSED(a, 401, "AttestationError", "no such session");
	rig_down(&g, true);
}

/* One thing is changed in a good attestation; what the broker says has to name it. */
static void spoilt(void (*spoil)(struct json *q, struct client *c), const char *part)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };
	struct json *q;

	rig_up(&g);
	new_key(&c, KEY_EC_P256);
	do_auth(&c, &g);
	q = good_attestation(&c);
	spoil(q, &c);
	post(&a, &g, &c, q);
	REFUSED(a, 401, "AttestationError", part);
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	REFUSED(a, 401, "TokenNotFound", "");
	rig_down(&g, true);
}

static void other_key(struct json *q, struct client *c)
{
	new_key(c, KEY_EC_P256);		/* an attacker's key beside a victim's evidence */
	json_remove(member(q, "runtime-data"), "tee-pubkey");
	json_add_copy(member(q, "runtime-data"), "tee-pubkey", c->jwk);
}

static void with_init_data(struct json *q, struct client *c)
{
	(void)c;
	json_remove(q, "init-data");
	json_add_str(json_add_object(q, "init-data"), "format", "toml");
}

static void with_devices(struct json *q, struct client *c)
{
	(void)c;
	json_remove(member(q, "tee-evidence"), "additional_evidence");
	json_add_str(member(q, "tee-evidence"), "additional_evidence", "{\"nvidia-dpu\":{}}");
}

static void without_evidence(struct json *q, struct client *c)
{
	(void)c;
	json_remove(member(q, "tee-evidence"), "primary_evidence");
}

static void garbage_evidence(struct json *q, struct client *c)
{
	without_evidence(q, c);
	json_add_str(member(q, "tee-evidence"), "primary_evidence", "garbage");
}

static void unhashed_member(struct json *q, struct client *c)
{
	(void)c;
	json_add_str(member(q, "runtime-data"), "more", "x");
}

static struct json *key_of(struct json *q)
{
	return member(member(q, "runtime-data"), "tee-pubkey");
}

static void private_member(struct json *q, struct client *c)
{
	(void)c;
	json_add_str(key_of(q), "d", "AAAA");
}

static void old_alg(struct json *q, struct client *c)
{
	(void)c;
	json_remove(key_of(q), "alg");
	json_add_str(key_of(q), "alg", "RSA1_5");
}

static void off_curve(struct json *q, struct client *c)
{
	(void)c;
	json_remove(key_of(q), "y");
	json_add_str(key_of(q), "y", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

TEST(kbs_refuses_a_spoilt_attestation)
{
	spoilt(other_key, "sample.report_data");
	spoilt(with_init_data, "init-data is not appraised");
	spoilt(with_devices, "unknown member");
	spoilt(without_evidence, "primary_evidence");
	spoilt(garbage_evidence, "sample");
	spoilt(unhashed_member, "unknown member 'more'");
	spoilt(private_member, "'d'");
	spoilt(old_alg, "RSA1_5");
	spoilt(off_curve, "");
}

TEST(kbs_refuses_what_the_policy_does_not_accept)
{
	struct rig g = { 0 }, other = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };

	rig_up(&g);
	rig_more(&other, g.store, "fffff", "", true);
	new_key(&c, KEY_EC_P256);
	do_auth(&c, &other);
	post(&a, &other, &c, good_attestation(&c));
	REFUSED(a, 401, "AttestationError", "sample.measurement");
	rig_down(&other, false);
	rig_down(&g, true);
}

TEST(kbs_binds_real_snp_evidence_to_the_session)
{
	struct rig g = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_JSON *evidence = NULL;
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };
	struct json *q;

	NEED_VECTORS;
	load_vec(&text, "trustee/snp/e2e-evidence.json");
	WORKS(json_parse(&evidence, buf_view(&text), (size_t)1 << 20, &e));
	rig_up(&g);
	policy_free(g.policy);
	kbs_free(g.k);
	g.policy = NULL;
	g.k = NULL;
	WORKS(policy_parse(&g.policy, SLICE("{\"schema\":\"cvmbox.policy/1\"}"), "test", &e));
	g.h.now_fixed = 1767225600;		/* 2026-01-01 */
	WORKS(kbs_new(&g.k, &(const struct kbs_opts){ .host = &g.h, .store = g.store, .policy = g.policy, .mono_ms = mono }, &e));
	new_key(&c, KEY_EC_P256);
	call(&a, &g, "POST", "/kbs/v0/auth", "{\"version\":\"0.4.0\",\"tee\":\"snp\"}", NULL, NULL);
	EQ(a.status, 200);
	snprintf(c.nonce, sizeof c.nonce, "%s", json_string(json_get(a.body, "nonce")));
	snprintf(c.cookie, sizeof c.cookie, "%.47s", strstr(buf_cstr(&a.headers), "kbs-session-id="));
	q = good_attestation(&c);
	json_remove(member(q, "tee-evidence"), "primary_evidence");
	json_add_copy(member(q, "tee-evidence"), "primary_evidence", evidence);
	post(&a, &g, &c, q);			/* genuine, and somebody else's */
	REFUSED(a, 401, "AttestationError", "snp.report_data");
	rig_down(&g, true);
}

/* A whole run with a report as SNP hardware would sign it, by a CA of our own. */
struct snp_run {
	struct report_make report;
	struct vek_make vek;
	const char *policy;
	bool other_key;		/* the report is bound to another key than the one that is sent */
};

static void snp_rig(struct rig *g, const char *policy)
{
	rig_up(g);
	policy_free(g->policy);
	kbs_free(g->k);
	g->policy = NULL;
	g->k = NULL;
	WORKS(policy_parse(&g->policy, slice_str(policy), "test", &e));
	g->h.now_fixed = MAKER_NOW;
	WORKS(kbs_new(&g->k, &(const struct kbs_opts){ .host = &g->h, .store = g->store, .policy = g->policy, .mono_ms = mono,
							.snp_roots = maker_roots() }, &e));
}

static struct json *snp_evidence(const struct snp_run *t, const struct client *c)
{
	uint8_t raw[SNP_REPORT_SIZE], digest[48];
	struct report_make mk = t->report;
	struct snp_report r;
	struct json *ret = NULL;
	AUTO_BUF der = { 0 }, table = { 0 };

	WORKS(kbs_runtime_digest(digest, HASH_SHA384, c->nonce, c->jwk, "", &e));
	mk.report_data = digest;
	mk.n = sizeof digest;
	report_make(raw, &mk);
	vek_make(&der, raw, &t->vek);
	table_make(&table, buf_view(&der));
	WORKS(snp_report_parse(&r, (struct slice){ raw, sizeof raw }, &e));
	WORKS(snp_json_write(&ret, &r, buf_view(&table), &e));
	return ret;
}

static void snp_try(struct answer *a, const struct snp_run *t, struct rig *g, struct client *c)
{
	AUTO_JSON *evidence = NULL;
	struct json *q;

	snp_rig(g, t->policy ? t->policy : "{\"schema\":\"cvmbox.policy/1\"}");
	new_key(c, KEY_EC_P256);
	call(a, g, "POST", "/kbs/v0/auth", "{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":{}}", NULL, NULL);
	EQ(a->status, 200);
	snprintf(c->nonce, sizeof c->nonce, "%s", json_string(json_get(a->body, "nonce")));
	snprintf(c->cookie, sizeof c->cookie, "%.47s", strstr(buf_cstr(&a->headers), "kbs-session-id="));
	evidence = snp_evidence(t, c);
	if (t->other_key)
		new_key(c, KEY_EC_P256);
	q = good_attestation(c);
	json_remove(member(q, "tee-evidence"), "primary_evidence");
	json_add_copy(member(q, "tee-evidence"), "primary_evidence", evidence);
	post(a, g, c, q);
}

static void snp_refused(const struct snp_run *t, const char *part)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };

	snp_try(&a, t, &g, &c);
	REFUSED(a, 401, "AttestationError", part);
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	REFUSED(a, 401, "TokenNotFound", "");
	rig_down(&g, true);
}

TEST(kbs_gives_a_resource_to_an_snp_guest)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };
	AUTO_SECRET s = { 0 };
	AUTO_JWS token = { 0 };

	snp_try(&a, &(const struct snp_run){ 0 }, &g, &c);
	EQ(a.status, 200);
	WORKS(jws_parse(&token, slice_str(json_string(json_get(a.body, "token"))), &e));
	STR(json_string(json_path(token.payload, "/submods/cpu0/ear.status")), "warning");	/* Milan */
	OK(json_path(token.payload, "/submods/cpu0/ear.veraison.annotated-evidence/snp"));
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	EQ(a.status, 200);
	WORKS(jwe_open(&s, &c.key, buf_view(&a.text), &e));
	OK(secret_eq(&s, SLICE("the secret")));
	rig_down(&g, true);
}

TEST(kbs_refuses_snp_guests_that_are_not_acceptable)
{
	snp_refused(&(const struct snp_run){ .other_key = true }, "snp.report_data");
	snp_refused(&(const struct snp_run){ .vek.by_other_ca = true }, "snp.");
	snp_refused(&(const struct snp_run){ .report.debug = true }, "snp.");
	snp_refused(&(const struct snp_run){ .report.vmpl = 3 }, "snp.");
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"measurements\":[\"000000000000000000000000"
			"000000000000000000000000000000000000000000000000000000000000000000000000\"]}" }, "snp.measurement");
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"sample\"]}" }, "snp");
}

/* --- resources ------------------------------------------------------------------------------------------------------ */

TEST(kbs_refuses_resources_without_a_token)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };

	rig_up(&g);
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", NULL, NULL);
	REFUSED(a, 401, "TokenNotFound", "Attestation Token not found");
	new_key(&c, KEY_EC_P256);
	do_auth(&c, &g);		/* a session is no token */
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	REFUSED(a, 401, "TokenNotFound", "");
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", NULL, "Basic dTpw");
	REFUSED(a, 401, "TokenNotFound", "");
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", NULL, "Bearer ");
	REFUSED(a, 401, "TokenVerifierError", "");
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", NULL, "Bearer a.b.c");
	REFUSED(a, 401, "TokenVerifierError", "");
	rig_down(&g, true);
}

TEST(kbs_answers_paths_as_the_protocol_says)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };

	rig_up(&g);
	attested(&c, &a, &g, KEY_EC_P256);
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/none", "", c.cookie, NULL);
	REFUSED(a, 404, "PluginInternalError", "resource 'default/key/none' is not in the store");
	call(&a, &g, "GET", "/kbs/v0/resource/default/key", "", c.cookie, NULL);
	REFUSED(a, 404, "InvalidRequestPath", "");
	call(&a, &g, "GET", "/kbs/v0/resource", "", c.cookie, NULL);
	REFUSED(a, 404, "InvalidRequestPath", "");
	call(&a, &g, "GET", "/kbs/v0/resource/default/../token-key.pem", "", c.cookie, NULL);
	REFUSED(a, 404, "InvalidRequestPath", "");
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/%31", "", c.cookie, NULL);
	REFUSED(a, 404, "InvalidRequestPath", "");
	call(&a, &g, "GET", "/kbs/v0/pkcs11/a/b", "", c.cookie, NULL);
	REFUSED(a, 404, "PluginNotFound", "");
	call(&a, &g, "GET", "/", "", NULL, NULL);
	REFUSED(a, 404, "InvalidRequestPath", "");
	call(&a, &g, "POST", "/kbs/v0/resource/default/key/1", "new", c.cookie, NULL);
	REFUSED(a, 401, "AdminAuthAccess", "kbs put");
	call(&a, &g, "DELETE", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	REFUSED(a, 401, "AdminAuthAccess", "");
	call(&a, &g, "POST", "/kbs/v0/resource-policy", "{}", c.cookie, NULL);
	REFUSED(a, 401, "AdminAuthAccess", "");
	call(&a, &g, "GET", "/healthz", "", NULL, NULL);
	EQ(a.status, 200);
	EQ(a.text.n, 0);
	rig_down(&g, true);
}

static void forged(char ret[static 16384], struct rig *g, const char *token, bool own_header)
{
	AUTO_PRIVKEY k = { 0 };
	AUTO_PUBKEY pub = { 0 };
	AUTO_JWS t = { 0 };
	AUTO_JSON *extra = json_object();
	AUTO_BUF b = { 0 };

	(void)g;
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	WORKS(privkey_public(&pub, &k, &e));
	WORKS(jws_parse(&t, slice_str(token), &e));
	if (own_header)
		WORKS(jwk_write(json_add_object(extra, "jwk"), &pub, "ES256", &e));
	WORKS(jws_sign(&b, &k, extra, buf_view(&t.payload_raw), &e));
	snprintf(ret, 16384, "Bearer %s", buf_cstr(&b));
}

TEST(kbs_takes_its_own_bearer_token_and_no_other)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 }, b = { 0 };
	AUTO_CLIENT c = { 0 };
	AUTO_SECRET s = { 0 };
	char bearer[16384], *dot;
	const char *token, *const path = "/kbs/v0/resource/default/key/1";

	rig_up(&g);
	attested(&c, &a, &g, KEY_EC_P256);
	token = json_string(json_get(a.body, "token"));
	bearer_of(bearer, &a);
	call(&b, &g, "GET", path, "", NULL, bearer);
	EQ(b.status, 200);
	WORKS(jwe_open(&s, &c.key, buf_view(&b.text), &e));
	OK(secret_eq(&s, SLICE("the secret")));
	call(&b, &g, "GET", path, "", "other=1; kbs-session-id=00000000000000000000000000000000", bearer);
	EQ(b.status, 200);			/* an unknown session does not hide a good token */
	forged(bearer, &g, token, true);	/* the header's own key proves nothing */
	call(&b, &g, "GET", path, "", NULL, bearer);
	REFUSED(b, 401, "TokenVerifierError", "");
	forged(bearer, &g, token, false);
	call(&b, &g, "GET", path, "", NULL, bearer);
	REFUSED(b, 401, "TokenVerifierError", "");
	bearer_of(bearer, &a);			/* one character of the payload */
	dot = strchr(bearer, '.');
	dot[10] = dot[10] == 'A' ? 'B' : 'A';
	call(&b, &g, "GET", path, "", NULL, bearer);
	REFUSED(b, 401, "TokenVerifierError", "");
	bearer_of(bearer, &a);			/* no signature, alg none */
	dot = strrchr(bearer, '.');
	snprintf(bearer, sizeof bearer, "Bearer eyJhbGciOiJub25lIn0.%.*s.", (int)(strcspn(strchr(token, '.') + 1, ".")),
		 strchr(token, '.') + 1);
	call(&b, &g, "GET", path, "", NULL, bearer);
	REFUSED(b, 401, "TokenVerifierError", "");
	bearer_of(bearer, &a);
	g.h.now_fixed += KBS_SESSION_SECONDS + 61;
	call(&b, &g, "GET", path, "", NULL, bearer);
	REFUSED(b, 401, "TokenVerifierError", "expired");
	rig_down(&g, true);
}

TEST(kbs_refuses_foreign_tokens_of_the_vectors)
{
	struct rig g = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_JSON *v = NULL;
	AUTO_ANSWER a = { 0 };
	size_t n = 0;

	NEED_VECTORS;
	load_vec(&text, "trustee/constructed/ear-tokens.json");
	WORKS(json_parse(&v, buf_view(&text), (size_t)1 << 20, &e));
	rig_up(&g);
	for (const struct json *c = json_first(json_get(v, "cases")); c; c = json_next(c), n++) {
		char bearer[16384];

		snprintf(bearer, sizeof bearer, "Bearer %s", json_string(json_get(c, "token")));
		call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", NULL, bearer);
		REFUSED(a, 401, "TokenVerifierError", "");
	}
	OK(n >= 5);
	rig_down(&g, true);
}

TEST(kbs_asks_the_policy_for_each_resource)
{
	struct rig g = { 0 }, ruled = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };

	rig_up(&g);
	rig_more(&ruled, g.store, "abcde", ",\"resources\":[{\"path\":\"default/key/1\",\"kinds\":[\"sample\"]},"
					   "{\"path\":\"default/snp/*\",\"kinds\":[\"snp\"]}]", true);
	put(&ruled, "default/key/2", "two");
	put(&ruled, "default/snp/1", "three");
	attested(&c, &a, &ruled, KEY_EC_P256);
	call(&a, &ruled, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	EQ(a.status, 200);
	call(&a, &ruled, "GET", "/kbs/v0/resource/default/key/2", "", c.cookie, NULL);
	REFUSED(a, 401, "PolicyDeny", "Access denied by policy");
	call(&a, &ruled, "GET", "/kbs/v0/resource/default/snp/1", "", c.cookie, NULL);
	REFUSED(a, 401, "PolicyDeny", "Access denied by policy");
	rig_down(&ruled, false);
	rig_down(&g, true);
}

TEST(kbs_bounds_its_sessions_and_keeps_attested_ones)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 }, flood = { 0 };

	rig_up(&g);
	attested(&c, &a, &g, KEY_EC_P256);
	for (int i = 0; i < 100; i++)		/* the table has 8 places */
		do_auth(&flood, &g);
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	EQ(a.status, 200);
	for (int i = 0; i < 7; i++) {
		AUTO_CLIENT more = { 0 };

		attested(&more, &a, &g, KEY_EC_P256);
	}
	call(&a, &g, "POST", "/kbs/v0/auth", "{\"version\":\"0.4.0\",\"tee\":\"sample\"}", NULL, NULL);
	REFUSED(a, 503, "AttestationError", "sessions are in use");
	clock_ms += KBS_SESSION_SECONDS * 1000;
	do_auth(&flood, &g);
	rig_down(&g, true);
}

TEST(kbs_prints_the_keys_that_verify_its_tokens)
{
	struct rig g = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_PUBKEY k = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };
	AUTO_JWS t = { 0 };

	rig_up(&g);
	WORKS(kbs_token_keys(&b, g.store, &e));
	WORKS(json_parse(&j, buf_view(&b), 65536, &e));
	WORKS(jwk_parse(&k, json_path(j, "/keys/0"), &e));
	OK(!json_path(j, "/keys/0/d"));
	attested(&c, &a, &g, KEY_EC_P256);
	WORKS(jws_parse(&t, slice_str(json_string(json_get(a.body, "token"))), &e));
	WORKS(jws_verify(&t, &k, &e));
	rig_down(&g, true);
}

static void log_line(void *arg, enum log_level lvl, const char *line)
{
	(void)lvl;
	buf_printf(arg, "%s\n", line);
}

TEST(kbs_log_has_a_line_per_request_and_no_secret)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };
	AUTO_BUF log = { 0 };
	const char *token;

	rig_up(&g);
	g.h.log = log_line;
	g.h.log_arg = &log;
	g.h.verbosity = 2;
	attested(&c, &a, &g, KEY_EC_P256);
	token = json_string(json_get(a.body, "token"));
	HAS(buf_cstr(&log), "test POST /kbs/v0/auth 200 challenge, tee=sample\n");
	HAS(buf_cstr(&log), "test POST /kbs/v0/attest 200 accepted, tee=sample\n");
	OK(!strstr(buf_cstr(&log), token));
	OK(!strstr(buf_cstr(&log), c.nonce) && !strstr(buf_cstr(&log), c.cookie + 15));
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	HAS(buf_cstr(&log), "test GET /kbs/v0/resource/default/key/1 200 released, 10 bytes\n");
	OK(!strstr(buf_cstr(&log), "the secret"));
	rig_down(&g, true);
}

/* --- bytes that both sides hash ----------------------------------------------------------------------------------- */

TEST(runtime_data_is_canonical)
{
	AUTO_JSON *jwk = json_object();
	AUTO_BUF b = { 0 };

	json_add_str(jwk, "y", "Y");
	json_add_str(jwk, "kty", "EC");
	json_add_str(jwk, "x", "a/b");
	json_add_str(jwk, "crv", "P-256");
	json_add_str(jwk, "alg", "ECDH-ES+A256KW");
	WORKS(kbs_runtime_data(&b, "no\"n/ce=", jwk, "{\"a\":\"b\"}", &e));
	STR(buf_cstr(&b), "{\"additional-evidence\":\"{\\\"a\\\":\\\"b\\\"}\",\"nonce\":\"no\\\"n/ce=\",\"tee-pubkey\":"
			  "{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"a/b\",\"y\":\"Y\"}}");
}

TEST(runtime_data_digest_agrees_with_vectors)
{
	AUTO_BUF text = { 0 };
	AUTO_JSON *v = NULL;
	size_t n = 0;

	NEED_VECTORS;
	load_vec(&text, "trustee/constructed/runtime-data.json");
	WORKS(json_parse(&v, buf_view(&text), (size_t)1 << 20, &e));
	for (const struct json *c = json_first(json_get(v, "cases")); c; c = json_next(c)) {
		const char *canonical = json_string(json_get(c, "canonical"));
		AUTO_JSON *data = NULL;
		AUTO_BUF hex = { 0 };
		uint8_t digest[48];

		WORKS(json_parse(&data, slice_str(canonical), (size_t)1 << 20, &e));
		if (!json_get(data, "tee-pubkey"))	/* a test of the canonical form alone */
			continue;
		WORKS(kbs_runtime_digest(digest, HASH_SHA384, json_string(json_get(data, "nonce")), json_get(data, "tee-pubkey"),
					 json_string(json_get(data, "additional-evidence")), &e));
		hex_encode(&hex, (struct slice){ digest, sizeof digest });
		STR(buf_cstr(&hex), json_string(json_get(c, "sha384")));
		n++;
	}
	OK(n >= 3);
}

/* --- GPUs beside the machine ------------------------------------------------------------------------------------ */

/* No manifests and no certificate status here: those have tests of their own. */
#define GPU_POLICY ",\"gpu_count\":1,\"checks\":{\"nvgpu.ocsp\":\"warn\",\"nvgpu.rim.driver\":\"warn\",\"nvgpu.rim.vbios\":\"warn\",\"nvgpu.measurements\":\"warn\"}"

struct gpu_run {
	size_t gpus;
	bool other_nonce, unbound, wrong_name, other_root;
};

static void gpu_rig(struct rig *g)
{
	AUTO_BUF text = { 0 };

	rig_up(g);
	policy_free(g->policy);
	kbs_free(g->k);
	g->policy = NULL;
	g->k = NULL;
	buf_printf(&text, POLICY, "abcde", GPU_POLICY);
	WORKS(policy_parse(&g->policy, buf_view(&text), "test", &e));
	g->h.now_fixed = NV_MAKER_NOW;
	WORKS(kbs_new(&g->k, &(const struct kbs_opts){ .host = &g->h, .store = g->store, .policy = g->policy, .mono_ms = mono, .allow_sample = true,
							.nv_device_root = nv_make_root(), .nv_rim_root = rim_maker_root() }, &e));
}

/* The text of additional_evidence for this client's key. */
static void gpu_evidence(struct buf *ret, const struct gpu_run *t, const struct client *c)
{
	struct nv_make m[2] = { { .other_root = t->other_root }, { .device = 1 } };
	AUTO_JSON *all = json_object();
	struct json *trustee = NULL;
	uint8_t digest[48], nonce[32];
	AUTO_BUF raw = { 0 };

	WORKS(kbs_runtime_digest(digest, HASH_SHA384, c->nonce, c->jwk, NULL, &e));
	nv_nonce_of(nonce, slice_of(digest, sizeof digest));
	nonce[0] ^= t->other_nonce;
	m[0].nonce = m[1].nonce = nonce;
	nv_make_evidence(&raw, m, t->gpus);
	WORKS(nv_to_trustee(&trustee, buf_view(&raw), &e));
	json_add_take(all, t->wrong_name ? "nvidia-dpu" : "nvidia", trustee);
	WORKS(json_write(ret, all, false, &e));
}

static void gpu_try(struct answer *a, struct rig *g, struct client *c, const struct gpu_run *t)
{
	AUTO_BUF text = { 0 };
	uint8_t digest[48];
	struct json *q, *tee;

	gpu_rig(g);
	new_key(c, KEY_EC_P256);
	do_auth(c, g);
	if (t->gpus)
		gpu_evidence(&text, t, c);
	q = good_attestation(c);
	tee = member(q, "tee-evidence");
	json_remove(tee, "additional_evidence");
	json_add_str(tee, "additional_evidence", buf_cstr(&text));
	if (!t->unbound) {
		WORKS(kbs_runtime_digest(digest, HASH_SHA384, c->nonce, c->jwk, buf_cstr(&text), &e));
		json_remove(member(tee, "primary_evidence"), "report_data");
		json_add_b64(member(tee, "primary_evidence"), "report_data", slice_of(digest, sizeof digest));
	}
	post(a, g, c, q);
}

TEST(kbs_appraises_gpus_beside_the_machine)
{
	struct rig g = { 0 };
	AUTO_ANSWER a = { 0 };
	AUTO_CLIENT c = { 0 };
	AUTO_JWS t = { 0 };
	const char *token;

	gpu_try(&a, &g, &c, &(const struct gpu_run){ .gpus = 1 });
	EQ(a.status, 200);
	token = json_string(json_get(a.body, "token"));
	WORKS(jws_parse(&t, slice_str(token ? token : ""), &e));
	STR(json_string(json_path(t.payload, "/submods/gpu0/ear.status")), "warning");
	OK(json_string(json_path(t.payload, "/submods/gpu0/ear.veraison.annotated-evidence/nvidia/ueid")));
	OK(json_path(t.payload, "/submods/cpu0") && strlen(token) < 8192);
	call(&a, &g, "GET", "/kbs/v0/resource/default/key/1", "", c.cookie, NULL);
	EQ(a.status, 200);
	rig_down(&g, true);
}

TEST(kbs_refuses_gpus_that_are_not_what_the_policy_wants)
{
	static const struct { struct gpu_run run; const char *part; } bad[] = {
		{ { .gpus = 0 }, "evidence.devices" },
		{ { .gpus = 2 }, "nvset.count" },
		{ { .gpus = 1, .other_nonce = true }, "nvgpu.nonce" },
		{ { .gpus = 1, .unbound = true }, "sample.report_data" },
		{ { .gpus = 1, .wrong_name = true }, "unknown member" },
		{ { .gpus = 1, .other_root = true }, "nvgpu.chain" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct rig g = { 0 };
		AUTO_ANSWER a = { 0 };
		AUTO_CLIENT c = { 0 };

		gpu_try(&a, &g, &c, &bad[i].run);
		REFUSED(a, 401, "AttestationError", bad[i].part);
		rig_down(&g, true);
	}
}
