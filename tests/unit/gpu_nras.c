/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of NVIDIA's service, made by our own key: what is accepted, and for which reason each other one is not.  And the real one. */

#include <stdlib.h>

#include "attest/policy_int.h"
#include "codec/hex64.h"
#include "crypto/jose.h"
#include "crypto/x509.h"
#include "gpu/nras.h"
#include "nras_maker.h"
#include "test.h"

static const struct privkey *own_key(void)
{
	static struct privkey k;

	if (!k.ctx)
		WORKS(privkey_generate(&k, KEY_EC_P384, 0, &e));
	return &k;
}

struct judge {		/* zero: our key, our nonce, now, the strict policy */
	const struct json *keys;
	const char *issuer;
	struct slice nonce;
	bool no_nonce, waived;
	int64_t now;
	const char *policy;
};

struct result {
	bool accepted, warned;
	char failed[64];	/* the first check that failed */
	char actual[800];
	struct json *list;
};

static void result_free(struct result *r)
{
	json_free(r->list);
}
#define AUTO_RESULT __attribute__((cleanup(result_free))) struct result

static const char *result_of(const struct result *r, const char *id)
{
	for (const struct json *c = json_first(r->list); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return json_string(json_get(c, "result"));
	return "";
}

static void judge(struct result *ret, struct slice text, struct judge how)
{
	struct err seen = { 0 };
	AUTO_JSON *keys = nras_make_keys(own_key(), NULL);
	AUTO_POLICY *policy = NULL;
	AUTO_NRAS t = { 0 };
	struct tally tally = { .list = json_array() };
	struct expect x = { .now = how.now ? how.now : NRAS_NOW, .no_freshness = how.waived };

	*ret = (struct result){ .list = tally.list };
	if (how.policy)
		WORKS(policy_parse(&policy, slice_str(how.policy), "p.json", &e));
	x.limits = policy_limits(policy);
	if (nras_parse(&t, text, &seen)) {
		EQ(seen.code, EC_FORMAT);
		snprintf(ret->failed, sizeof ret->failed, "form");
		snprintf(ret->actual, sizeof ret->actual, "%s", seen.msg);
		return;
	}
	t.keys = how.keys ? how.keys : keys;
	t.issuer = how.issuer;
	t.nonce = how.no_nonce ? SLICE("") : how.nonce.n ? how.nonce : SLICE(NRAS_NONCE);
	ret->accepted = checks_run(&tally, nras_checks, n_nras_checks, &t, &x, policy_rule, policy);
	ret->warned = tally.warned;
	for (const struct json *c = json_first(ret->list); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "result")), "fail")) {
			const char *actual = json_string(json_get(c, "actual"));

			snprintf(ret->failed, sizeof ret->failed, "%s", json_string(json_get(c, "id")));
			snprintf(ret->actual, sizeof ret->actual, "%s", actual ? actual : "");
			break;
		}
	OK(ret->accepted == !ret->failed[0]);
	buf_free(&tally.reason);
}

static void wants(struct slice text, struct judge how, const char *check, const char *part, int line)
{
	AUTO_RESULT r = { 0 };

	judge(&r, text, how);
	if (strcmp(r.failed, check) || !strstr(r.actual, part))
		test_fail(__FILE__, line, "failed '%s' with '%s', wanted '%s' with '%s'", r.failed, r.actual, check, part);
}
#define ACCEPTED(text, ...) wants(text, (struct judge){ __VA_ARGS__ }, "", "", __LINE__)
#define REFUSED(text, check, part, ...) wants(text, (struct judge){ __VA_ARGS__ }, check, part, __LINE__)

static void made(struct buf *ret, struct nras_make m)
{
	buf_free(ret);
	m.key = m.key ? m.key : own_key();
	nras_make(ret, &m);
}

static struct json *json_of(const char *text)
{
	struct json *j = NULL;

	WORKS(json_parse(&j, slice_str(text), 10000, &e));
	return j;
}

/* --- accepted ------------------------------------------------------------------------------------------------ */

TEST(nras_takes_what_the_service_makes)
{
	static const char *const switches[] = { "SWITCH-0", "SWITCH-1", "SWITCH-2", "SWITCH-3", NULL };
	AUTO_BUF b = { 0 };
	AUTO_RESULT r = { 0 };

	made(&b, (struct nras_make){ 0 });
	judge(&r, buf_view(&b), (struct judge){ 0 });
	OK(r.accepted && !r.warned);
	EQ(json_count(r.list), 10);
	for (size_t i = 0; i < n_nras_checks; i++)
		STR(result_of(&r, nras_checks[i].id), strcmp(nras_checks[i].id, "nras.claims") ? "pass" : "skip");
	made(&b, (struct nras_make){ .names = switches, .hash = "SHA256" });
	ACCEPTED(buf_view(&b));
}

TEST(nras_claims_and_details_name_each_token)
{
	AUTO_BUF b = { 0 };
	AUTO_NRAS t = { 0 };
	AUTO_JSON *claims = json_object(), *details = json_object();

	made(&b, (struct nras_make){ 0 });
	WORKS(nras_parse(&t, buf_view(&b), &e));
	EQ(t.n, 2);
	WORKS(nras_claims(claims, &t, &e));
	OK(json_true(json_path(claims, "/overall/x-nvidia-overall-att-result")));
	STR(json_string(json_path(claims, "/GPU-1/ueid")), "GPU-1");
	WORKS(nras_details(details, &t, &e));
	STR(json_string(json_path(details, "/GPU-0/header/kid")), NRAS_KID);
	STR(json_string(json_path(details, "/overall/header/alg")), "ES384");
	STR(json_string(json_path(details, "/GPU-0/claims/measres")), "success");
}

/* --- who signed it ------------------------------------------------------------------------------------------- */

TEST(nras_wants_the_keys_it_was_given)
{
	AUTO_BUF b = { 0 };
	AUTO_PRIVKEY other = { 0 };
	AUTO_JSON *others = NULL, *renamed = nras_make_keys(own_key(), "another"), *none = json_object(), *twice = nras_make_keys(own_key(), NULL);
	AUTO_JSON *empty = json_of("{\"keys\":[]}"), *bare = json_of("{\"kty\":\"EC\"}");

	WORKS(privkey_generate(&other, KEY_EC_P384, 0, &e));
	others = nras_make_keys(&other, NULL);
	json_add_copy((struct json *)(uintptr_t)json_get(twice, "keys"), NULL, json_path(others, "/keys/0"));
	made(&b, (struct nras_make){ 0 });
	REFUSED(buf_view(&b), "nras.signature", "overall: token (ES384): ", .keys = others);
	REFUSED(buf_view(&b), "nras.key", "overall: the set has no key 'nv-eat-kid-test'", .keys = renamed);
	REFUSED(buf_view(&b), "nras.key", "overall: the set has no key", .keys = empty);
	REFUSED(buf_view(&b), "nras.key", "no JWK set", .keys = none);
	REFUSED(buf_view(&b), "nras.key", "no JWK set", .keys = bare);
	REFUSED(buf_view(&b), "nras.key", "overall: the set has two keys", .keys = twice);
	made(&b, (struct nras_make){ .kid = "" });
	REFUSED(buf_view(&b), "nras.key", "overall: names no key (kid)");
}

TEST(nras_wants_es384_whatever_the_key)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_RSA };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_PRIVKEY k = { 0 };
		AUTO_JSON *keys = NULL;

		WORKS(privkey_generate(&k, types[i], 2048, &e));
		keys = nras_make_keys(&k, NULL);
		made(&b, (struct nras_make){ .key = &k });
		REFUSED(buf_view(&b), "nras.alg", types[i] == KEY_RSA ? "overall: PS256" : "overall: ES256", .keys = keys);
		made(&b, (struct nras_make){ 0 });
		REFUSED(buf_view(&b), "nras.key", types[i] == KEY_RSA ? "overall: the key is RSA" : "overall: the key is EC P-256", .keys = keys);
	}
}

/* One token under another header: {"alg":..} as given, signed with HMAC and the word that the peer's python signs with, or not at all. */
static void forge(struct buf *ret, const struct buf *jwt, const char *header, const char *secret)
{
	const char *dot = strchr(buf_cstr(jwt), '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
	uint8_t mac[32];

	OK(end != NULL);
	b64url_encode(ret, slice_str(header));
	buf_slice(ret, slice_of(dot, (size_t)(end - dot)));
	if (secret)
		WORKS(hmac(mac, HASH_SHA256, slice_str(secret), buf_view(ret), &e));
	buf_byte(ret, '.');
	if (secret)
		b64url_encode(ret, slice_of(mac, sizeof mac));
}

TEST(nras_never_takes_unsigned_or_shared_secret_tokens)
{
	static const char *const names[] = { "GPU-0", NULL };
	static const struct { const char *header, *secret, *alg; } t[] = {
		{ "{\"alg\":\"none\",\"kid\":\"" NRAS_KID "\"}", NULL, "none" }, { "{\"alg\":\"HS256\",\"kid\":\"" NRAS_KID "\"}", "secret", "HS256" },
		{ "{\"alg\":\"None\"}", NULL, "None" }, { "{\"alg\":\"es384\",\"kid\":\"" NRAS_KID "\"}", NULL, "es384" },
	};
	const struct nras_make m = { .key = own_key() };

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct buf device = { 0 };
		AUTO_BUF forged = { 0 }, overall = { 0 }, forged_overall = { 0 }, b = { 0 };

		nras_make_device(&device, &m, names[0]);
		nras_make_overall(&overall, &m, names, &device, 1);
		forge(&forged_overall, &overall, t[i].header, t[i].secret);
		nras_make_bundle(&b, &forged_overall, names, &device, 1);
		REFUSED(buf_view(&b), "nras.alg", t[i].alg);
		forge(&forged, &device, t[i].header, t[i].secret);
		buf_free(&overall);
		buf_free(&b);
		nras_make_overall(&overall, &m, names, &forged, 1);	/* even where a genuine one names it */
		nras_make_bundle(&b, &overall, names, &forged, 1);
		REFUSED(buf_view(&b), "nras.alg", t[i].alg);
		buf_free(&device);
	}
}

TEST(nras_takes_keys_from_certificates)
{
	AUTO_BUF b = { 0 }, der = { 0 }, other_der = { 0 }, x5c = { 0 }, other_x5c = { 0 };
	AUTO_PRIVKEY other = { 0 };
	AUTO_JSON *certified = json_object(), *both = nras_make_keys(own_key(), NULL), *two = nras_make_keys(own_key(), NULL), *garbage = NULL;
	AUTO_JSON *no_cert = NULL;
	struct json *entry;

	WORKS(privkey_generate(&other, KEY_EC_P384, 0, &e));
	WORKS(cert_make(&der, &(const struct cert_make){ .subject = "CN=k", .key = own_key(), .not_after = 9999 }, &e));
	WORKS(cert_make(&other_der, &(const struct cert_make){ .subject = "CN=k", .key = &other, .not_after = 9999 }, &e));
	b64_encode(&x5c, buf_view(&der));
	b64_encode(&other_x5c, buf_view(&other_der));
	entry = json_add_object(json_add_array(certified, "keys"), NULL);
	json_add_str(entry, "kid", NRAS_KID);
	json_add_str(json_add_array(entry, "x5c"), NULL, buf_cstr(&x5c));
	json_add_str((struct json *)(uintptr_t)json_get(entry, "x5c"), NULL, buf_cstr(&other_x5c));	/* the first one counts */
	json_add_str(json_add_array((struct json *)(uintptr_t)json_path(both, "/keys/0"), "x5c"), NULL, buf_cstr(&x5c));
	json_add_str(json_add_array((struct json *)(uintptr_t)json_path(two, "/keys/0"), "x5c"), NULL, buf_cstr(&other_x5c));
	garbage = json_of("{\"keys\":[{\"kid\":\"" NRAS_KID "\",\"x5c\":[\"AAAA\"]}]}");
	no_cert = json_of("{\"keys\":[{\"kid\":\"" NRAS_KID "\",\"x5c\":[]}]}");
	made(&b, (struct nras_make){ 0 });
	ACCEPTED(buf_view(&b), .keys = certified);
	ACCEPTED(buf_view(&b), .keys = both);
	REFUSED(buf_view(&b), "nras.key", "are two keys", .keys = two);
	REFUSED(buf_view(&b), "nras.key", "cannot be used: x5c: ", .keys = garbage);
	REFUSED(buf_view(&b), "nras.key", "x5c holds no certificate", .keys = no_cert);
}

/* --- what they say ---------------------------------------------------------------------------------------------- */

TEST(nras_wants_its_issuer)
{
	AUTO_BUF b = { 0 };

	made(&b, (struct nras_make){ .issuer = "https://nras.example" });
	REFUSED(buf_view(&b), "nras.issuer", "overall: https://nras.example");
	ACCEPTED(buf_view(&b), .issuer = "https://nras.example");
	made(&b, (struct nras_make){ 0 });
	REFUSED(buf_view(&b), "nras.issuer", NRAS_ISSUER, .issuer = "https://nras.example");
	REFUSED(buf_view(&b), "nras.issuer", NRAS_ISSUER, .issuer = NRAS_ISSUER "/");
}

TEST(nras_window_to_the_second)
{
	AUTO_BUF b = { 0 };

	made(&b, (struct nras_make){ 0 });
	ACCEPTED(buf_view(&b), .now = NRAS_NOW - 60);
	REFUSED(buf_view(&b), "nras.time", "overall: not yet valid: from 2026-02-02T02:40:00Z to 2026-02-02T03:40:00Z, the time used is 2026-02-02T02:38:59Z",
		.now = NRAS_NOW - 61);
	ACCEPTED(buf_view(&b), .now = NRAS_NOW + 3600 + 59);
	REFUSED(buf_view(&b), "nras.time", "overall: expired: valid from 2026-02-02T02:40:00Z to 2026-02-02T03:40:00Z, the time used is 2026-02-02T03:41:00Z",
		.now = NRAS_NOW + 3600 + 60);
}

TEST(nras_needs_each_claim_in_each_token)
{
	static const struct { const char *change, *check, *part; } t[] = {
		{ "{\"exp\":null}", "nras.time", "claim 'exp' is missing" }, { "{\"nbf\":null}", "nras.time", "claim 'nbf' is missing" },
		{ "{\"exp\":\"9999999999\"}", "nras.time", "claim 'exp' is no time" }, { "{\"exp\":1e300}", "nras.time", "claim 'exp' is no time" },
		{ "{\"exp\":-1}", "nras.time", "claim 'exp' is no time" }, { "{\"exp\":9223372036854775807}", "nras.time", "claim 'exp' is no time" },
		{ "{\"iat\":1770000061}", "nras.time", "not yet valid" }, { "{\"iat\":\"x\"}", "nras.time", "claim 'iat' is no time" },
		{ "{\"iat\":null}", "", "" },
		{ "{\"exp\":1769999940}", "nras.time", "expired" },
		{ "{\"iss\":null}", "nras.issuer", "(none)" }, { "{\"iss\":7}", "nras.issuer", "(none)" },
		{ "{\"eat_nonce\":null}", "nras.nonce", "(none)" }, { "{\"eat_nonce\":\"00\"}", "nras.nonce", "00" },
		{ "{\"eat_nonce\":\"\"}", "nras.nonce", "" }, { "{\"eat_nonce\":[\"00\"]}", "nras.nonce", "(none)" },
		{ "{\"eat_nonce\":\"931D8DD0ADD203AC3D8B4FBDE75E115278EEFCDCEAC5B87671A748F32364DFCB\"}", "", "" },
		{ "{\"eat_nonce\":\"931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb00\"}", "nras.nonce", "" },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_JSON *change = json_of(t[i].change);

		made(&b, (struct nras_make){ .overall = change });
		wants(buf_view(&b), (struct judge){ 0 }, t[i].check, t[i].part, (int)i);
		made(&b, (struct nras_make){ .detached = change });
		wants(buf_view(&b), (struct judge){ 0 }, t[i].check, t[i].part, 100 + (int)i);
	}
}

TEST(nras_wants_the_nonce)
{
	AUTO_BUF b = { 0 };
	AUTO_RESULT r = { 0 };

	made(&b, (struct nras_make){ .nonce = SLICE("another nonce of thirty-two byte") });
	REFUSED(buf_view(&b), "nras.nonce", "overall: 616e6f74686572");
	ACCEPTED(buf_view(&b), .nonce = SLICE("another nonce of thirty-two byte"));
	REFUSED(buf_view(&b), "nras.nonce", "overall: ", .waived = true);		/* a nonce that was given is compared */
	REFUSED(buf_view(&b), "nras.nonce", "not compared: no nonce was given", .no_nonce = true);
	judge(&r, buf_view(&b), (struct judge){ .no_nonce = true, .waived = true });
	OK(r.accepted && r.warned);
	STR(result_of(&r, "nras.nonce"), "warn");
}

TEST(nras_wants_the_overall_result_as_a_true_boolean)
{
	static const struct { const char *change, *part; } t[] = {
		{ "{\"x-nvidia-overall-att-result\":false}", "false" }, { "{\"x-nvidia-overall-att-result\":\"true\"}", "no boolean" },
		{ "{\"x-nvidia-overall-att-result\":1}", "no boolean" }, { "{\"x-nvidia-overall-att-result\":null}", "missing" },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_JSON *change = json_of(t[i].change);

		made(&b, (struct nras_make){ .overall = change });
		REFUSED(buf_view(&b), "nras.overall", t[i].part);
	}
}

/* --- how they hang together --------------------------------------------------------------------------------------- */

static const char *const gpus[] = { "GPU-0", "GPU-1", "GPU-2", NULL };

TEST(nras_wants_the_device_tokens_that_the_overall_one_names)
{
	static const char *const swapped[] = { "GPU-1", "GPU-0" }, *const renamed[] = { "GPU-0", "SWITCH-0" };
	struct nras_make m = { .key = own_key() };
	struct buf jwt[3] = { { 0 } }, other[2] = { { 0 } };
	AUTO_BUF overall = { 0 }, b = { 0 };

	for (size_t i = 0; i < 3; i++)
		nras_make_device(&jwt[i], &m, gpus[i]);
	nras_make_overall(&overall, &m, gpus, jwt, 2);
	nras_make_bundle(&b, &overall, gpus, jwt, 2);
	ACCEPTED(buf_view(&b));
	buf_free(&b);
	nras_make_bundle(&b, &overall, swapped, jwt, 2);
	REFUSED(buf_view(&b), "nras.digests", "GPU-1: ");
	buf_free(&b);
	nras_make_bundle(&b, &overall, gpus, jwt, 1);
	REFUSED(buf_view(&b), "nras.names", "GPU-1 is missing");
	buf_free(&b);
	nras_make_bundle(&b, &overall, gpus, jwt, 3);
	REFUSED(buf_view(&b), "nras.names", "GPU-2 is one too many");
	buf_free(&b);
	nras_make_bundle(&b, &overall, renamed, jwt, 2);
	REFUSED(buf_view(&b), "nras.names", "GPU-1 is missing");
	buf_free(&b);
	{	/* the first twice */
		const struct buf twice[2] = { jwt[0], jwt[0] };

		nras_make_bundle(&b, &overall, gpus, twice, 2);
		REFUSED(buf_view(&b), "nras.digests", "GPU-1: ");
		buf_free(&b);
	}
	{	/* one of another bundle: same nonce, same time, same signer */
		AUTO_JSON *change = json_of("{\"measres\":\"success\",\"hwmodel\":\"another\"}");
		struct nras_make n = m;

		n.detached = change;
		nras_make_device(&other[0], &n, gpus[0]);
		nras_make_bundle(&b, &overall, gpus, (const struct buf[]){ other[0], jwt[1] }, 2);
		REFUSED(buf_view(&b), "nras.digests", "GPU-0: ");
		buf_free(&b);
	}
	{	/* one of another challenge, which a genuine overall token names */
		AUTO_BUF mixed = { 0 };
		struct nras_make n = m;

		n.nonce = SLICE("another nonce of thirty-two byte");
		nras_make_device(&other[1], &n, gpus[1]);
		nras_make_overall(&mixed, &m, gpus, (const struct buf[]){ jwt[0], other[1] }, 2);
		nras_make_bundle(&b, &mixed, gpus, (const struct buf[]){ jwt[0], other[1] }, 2);
		REFUSED(buf_view(&b), "nras.nonce", "GPU-1: ");
	}
	for (size_t i = 0; i < 3; i++)
		buf_free(&jwt[i]);
	buf_free(&other[0]);
	buf_free(&other[1]);
}

TEST(nras_wants_digests_in_their_form)
{
	static const char *const changes[][2] = {
		{ "{\"submods\":null}", "none of them is stated" }, { "{\"submods\":[]}", "none of them is stated" }, { "{\"submods\":{}}", "none of them is stated" },
		{ "{\"submods\":{\"GPU-0\":\"x\",\"GPU-1\":\"x\"}}", "in another form" },
		{ "{\"submods\":{\"GPU-0\":[\"DIGEST\",[\"SHA-512\",\"00\"]],\"GPU-1\":1}}", "by SHA-512" },
		{ "{\"submods\":{\"GPU-0\":[\"JWT\",[\"SHA-256\",\"00\"]],\"GPU-1\":1}}", "in another form" },
		{ "{\"submods\":{\"GPU-0\":[\"DIGEST\",[\"SHA-256\",\"00\"]],\"GPU-1\":1}}", "GPU-0: " },
		{ "{\"submods\":{\"GPU-0\":[\"DIGEST\",[\"SHA-256\",7]],\"GPU-1\":1}}", "in another form" },
	};

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_JSON *change = json_of(changes[i][0]);

		made(&b, (struct nras_make){ .overall = change });
		REFUSED(buf_view(&b), "nras.digests", changes[i][1]);
	}
}

/* --- form ------------------------------------------------------------------------------------------------------------- */

TEST(nras_refuses_other_forms)
{
	static const char *const bad[] = {
		"", "[]", "{}", "[[\"JWT\",\"a.b.c\"],{}]", "[[\"JWT\"],{\"GPU-0\":\"x\"}]", "[[\"EAT\",\"x\"],{\"GPU-0\":\"x\"}]", "[[\"JWT\",7],{}]",
		"[[\"JWT\",\"x\"],[]]", "[[\"JWT\",\"x\"],{\"GPU-0\":\"x\"},1]",
	};
	AUTO_BUF b = { 0 }, one = { 0 }, overall = { 0 };
	const struct nras_make m = { .key = own_key() };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		REFUSED(slice_str(bad[i]), "form", "");
	made(&b, (struct nras_make){ 0 });
	for (size_t n = 0; n < b.n; n++)
		REFUSED(slice_of(b.p, n), "form", "");
	buf_free(&b);
	nras_make_device(&one, &m, "x");
	nras_make_overall(&overall, &m, gpus, &one, 1);
	buf_printf(&b, "[[\"JWT\",\"%s\"],{\"GPU-0\":\"%s\",\"GPU-0\":\"%s\"}]", buf_cstr(&overall), buf_cstr(&one), buf_cstr(&one));
	REFUSED(buf_view(&b), "form", "member 'GPU-0' twice");
	buf_free(&b);
	buf_printf(&b, "[[\"JWT\",\"%s\"],{\"GPU 0\":\"%s\"}]", buf_cstr(&overall), buf_cstr(&one));
	REFUSED(buf_view(&b), "form", "has the name 'GPU 0'");
	buf_free(&b);
	buf_printf(&b, "[[\"JWT\",\"%s\"],{\"overall\":\"%s\"}]", buf_cstr(&overall), buf_cstr(&one));
	REFUSED(buf_view(&b), "form", "has the name 'overall'");
	buf_free(&b);
	buf_printf(&b, "[[\"JWT\",\"%s\"],{", buf_cstr(&overall));
	for (int i = 0; i <= NRAS_SUBMODS_MAX; i++)
		buf_printf(&b, "%s\"G%d\":\"%s\"", i ? "," : "", i, buf_cstr(&one));
	buf_puts(&b, "}]");
	REFUSED(buf_view(&b), "form", "more than 64 device tokens");
}

/* Every character of every token, so every byte of its header, claims and signature. */
TEST(nras_with_any_character_changed_is_refused)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t by_form = 0, by_check = 0;
	AUTO_BUF b = { 0 };

	made(&b, (struct nras_make){ 0 });
	for (size_t i = 0; i < b.n && !test_failed(); i++) {
		const uint8_t was = b.p[i];
		const char *at = strchr(alphabet, was);
		AUTO_RESULT r = { 0 };

		if (!was || !at)
			continue;
		b.p[i] = (uint8_t)alphabet[(size_t)(at - alphabet) ^ 0x20];
		judge(&r, buf_view(&b), (struct judge){ 0 });
		if (!r.failed[0])
			test_fail(__FILE__, __LINE__, "accepted with character %zu of %zu changed", i, b.n);
		if (strcmp(r.failed, "form"))
			by_check++;
		else
			by_form++;
		b.p[i] = was;
	}
	OK(by_form > 50 && by_check > 500);
	ACCEPTED(buf_view(&b));
}

/* --- policies ------------------------------------------------------------------------------------------------------------ */

TEST(nras_claims_of_a_policy)
{
	static const struct { const char *policy, *check, *part; } t[] = {
		{ "{\"overall\":{\"x-nvidia-ver\":\"3.0\"}}", "", "" },
		{ "{\"overall\":{\"x-nvidia-ver\":\"4.0\"}}", "nras.claims", "overall: claim 'x-nvidia-ver' is another" },
		{ "{\"overall\":{\"absent\":1}}", "nras.claims", "overall: claim 'absent' is missing" },
		{ "{\"detached\":{\"measres\":\"success\",\"x-nvidia-gpu-arch-check\":true}}", "", "" },
		{ "{\"detached\":{\"measres\":\"fail\"}}", "nras.claims", "GPU-0: claim 'measres' is another" },
		{ "{\"detached\":{\"ueid\":\"GPU-0\"}}", "nras.claims", "GPU-1: claim 'ueid' is another" },
		{ "{\"detached\":7}", "nras.claims", "GPU-0: the policy's claims are no object" },
		{ "{\"submods\":{}}", "nras.claims", "unknown member 'submods' in nras_claims" },
	};
	AUTO_BUF b = { 0 };

	made(&b, (struct nras_make){ 0 });
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_BUF text = { 0 };

		buf_printf(&text, "{\"schema\":\"cvmbox.policy/1\",\"nras_claims\":%s}", t[i].policy);
		if (i >= 6) {	/* the policy's reader may see it first; the check does not rely on that */
			struct limits l = limits_strict;
			struct finding f = { 0 };
			AUTO_JSON *wanted = json_of(t[i].policy);
			AUTO_NRAS n = { 0 };

			l.nras_claims = wanted;
			WORKS(nras_parse(&n, buf_view(&b), &e));
			EQ(nras_checks[n_nras_checks - 1].run(&n, &(const struct expect){ .limits = &l }, &f), FAILED);
			STR(buf_cstr(&f.actual), t[i].part);
			buf_free(&f.expected);
			buf_free(&f.actual);
			continue;
		}
		wants(buf_view(&b), (struct judge){ .policy = buf_cstr(&text) }, t[i].check, t[i].part, (int)i);
	}
}

TEST(nras_no_policy_turns_the_signature_off)
{
	for (size_t i = 0; i + 1 < n_nras_checks; i++) {
		AUTO_POLICY *p = NULL;
		AUTO_BUF text = { 0 };

		EQ(nras_checks[i].weight, CHECK_BASE);
		buf_printf(&text, "{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"%s\":\"ignore\"}}", nras_checks[i].id);
		FAILS(policy_parse(&p, buf_view(&text), "p", &e), EC_FORMAT);
	}
}

/* --- real ones -------------------------------------------------------------------------------------------------------------- */

static enum outcome one(const struct nras *t, const char *id, int64_t now, char *actual, size_t n)
{
	const struct expect x = { .now = now, .limits = &limits_strict };
	enum outcome o = NOT_RUN;

	for (size_t i = 0; i < n_nras_checks; i++) {
		struct finding f = { 0 };

		if (strcmp(nras_checks[i].id, id))
			continue;
		o = nras_checks[i].run((void *)(uintptr_t)t, &x, &f);
		snprintf(actual, n, "%s", buf_cstr(&f.actual));
		buf_free(&f.expected);
		buf_free(&f.actual);
		buf_free(&f.hint);
	}
	return o;
}

/* Its key is not published any more, so each check is asked alone. */
TEST(nras_real_token_of_2025)
{
	AUTO_BUF text = { 0 };
	AUTO_NRAS t = { 0 };
	AUTO_JSON *keys = nras_make_keys(own_key(), NULL);
	char a[256];
	const int64_t iat = 1749601858, exp_ = 1749605458;

	NEED_VECTORS;
	load_vec(&text, "nvidia/nras/hopper_v3_detached_eat.json");
	WORKS(nras_parse(&t, buf_view(&text), &e));
	EQ(t.n, 1);
	STR(t.v[0].name, "GPU-0");
	t.nonce = SLICE(NRAS_NONCE);
	t.keys = keys;
	EQ(one(&t, "nras.alg", iat, a, sizeof a), PASSED);
	EQ(one(&t, "nras.key", iat, a, sizeof a), FAILED);
	HAS(a, "the set has no key 'nv-eat-kid-prod-20250609211310110-");
	EQ(one(&t, "nras.signature", iat, a, sizeof a), FAILED);
	EQ(one(&t, "nras.issuer", iat, a, sizeof a), PASSED);
	EQ(one(&t, "nras.digests", iat, a, sizeof a), PASSED);
	EQ(one(&t, "nras.names", iat, a, sizeof a), PASSED);
	EQ(one(&t, "nras.overall", iat, a, sizeof a), PASSED);
	EQ(one(&t, "nras.nonce", iat, a, sizeof a), PASSED);
	EQ(one(&t, "nras.time", iat, a, sizeof a), PASSED);
	EQ(one(&t, "nras.time", exp_, a, sizeof a), PASSED);
	EQ(one(&t, "nras.time", exp_ + 60, a, sizeof a), FAILED);
	HAS(a, "expired");
	EQ(one(&t, "nras.time", iat - 61, a, sizeof a), FAILED);
	HAS(a, "not yet valid");
	t.nonce = SLICE("x");
	EQ(one(&t, "nras.nonce", iat, a, sizeof a), FAILED);
}

/* Real claims against the real policies of NVIDIA's SDK, as tokens of ours.  With the device token's digest in place of theirs. */
static void real_claims(const char *policy, const char *overall, const char *detached, const char *issuer, const char *check, const char *part,
			int line)
{
	AUTO_BUF rules = { 0 }, o = { 0 }, d = { 0 }, b = { 0 };
	AUTO_JSON *oj = NULL, *dj = NULL;
	static const char *const common[] = { "iss", "eat_nonce", "iat", "nbf", "exp", "submods" };

	load_vec(&rules, policy);
	load_vec(&d, detached);
	WORKS(json_parse(&dj, buf_view(&d), 100000, &e));
	if (overall) {
		load_vec(&o, overall);
		WORKS(json_parse(&oj, buf_view(&o), 100000, &e));
	}
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
		json_remove(oj, common[i]);
		json_remove(dj, common[i]);
	}
	made(&b, (struct nras_make){ .overall = oj, .detached = dj, .issuer = issuer });
	wants(buf_view(&b), (struct judge){ .policy = buf_cstr(&rules), .issuer = issuer }, check, part, line);
}

TEST(nras_policies_of_nvidias_sdk)
{
	NEED_VECTORS;
	real_claims("nvidia/policies/gpu-remote-v4.json", "nvidia/policies/claims-gpu-overall-remote.json",
		    "nvidia/policies/claims-gpu-detached-remote.json", NULL, "", "", __LINE__);
	real_claims("nvidia/policies/gpu-remote-v3.json", "nvidia/policies/claims-gpu-overall-remote.json",
		    "nvidia/policies/claims-gpu-detached-remote.json", NULL, "nras.claims", "overall: claim 'x-nvidia-ver' is another", __LINE__);
	real_claims("nvidia/policies/gpu-local-v4.json", NULL, "nvidia/policies/claims-gpu-detached-local-v2.json", "LOCAL_GPU_VERIFIER", "nras.claims",
		    "GPU-0: claim 'x-nvidia-gpu-attestation-report-cert-chain' is missing", __LINE__);
	real_claims("nvidia/policies/switch-local-v4.json", NULL, "nvidia/policies/claims-switch-detached-local.json", "LOCAL_SWITCH_VERIFIER", "", "",
		    __LINE__);
}
