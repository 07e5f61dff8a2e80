/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation tokens: see ear.h. */

#include "attest/ear.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/jose.h"

#define EAR_PROFILE "tag:github.com,2024:confidential-containers/Trustee"
#define LEEWAY 60	/* seconds, as the resource side of Trustee allows (key-broker.md 3.3) */

/* Worst last. */
enum tier { TIER_NONE, TIER_AFFIRMING, TIER_WARNING, TIER_CONTRAINDICATED, N_TIERS };
static const char *const tier_names[N_TIERS] = { "none", "affirming", "warning", "contraindicated" };

static enum tier tier_of(int64_t v)
{
	if (v >= -1 && v <= 1)
		return TIER_NONE;
	if ((v >= -32 && v <= -2) || (v >= 2 && v <= 31))
		return TIER_AFFIRMING;
	if ((v >= -96 && v <= -33) || (v >= 32 && v <= 95))
		return TIER_WARNING;
	return TIER_CONTRAINDICATED;
}

/* --- writing ------------------------------------------------------------------------------------------------ */

/* Values of draft-ietf-rats-ar4si, chosen as Trustee's own policies do (key-broker.md 5.2), so that their rules work
 * on our tokens.  0 makes
 * no claim. */
struct vector {
	int configuration, executables, hardware;
};
enum {
	CONFIG_APPROVED = 2, CONFIG_UNKNOWN = 36, EXEC_APPROVED = 3, EXEC_UNRECOGNISED = 33, HW_GENUINE = 2, HW_UNSAFE = 32,
	HW_UNRECOGNISED = 97
};

static const char *result_of(const struct json *checks, const char *suffix)
{
	for (const struct json *c = json_first(checks); c; c = json_next(c)) {
		const char *id = json_string(json_get(c, "id")), *dot = id ? strchr(id, '.') : NULL;

		if (dot && !strcmp(dot + 1, suffix))
			return json_string(json_get(c, "result"));
	}
	return NULL;
}

static struct vector vector_of(const struct verdict *v)
{
	const char *measured = result_of(v->checks, "measurement");

	if (!v->accepted)
		return (struct vector){ CONFIG_UNKNOWN, EXEC_UNRECOGNISED, HW_UNRECOGNISED };
	return (struct vector){
		.configuration = v->warned && strcmp(v->tee, "sample") ? CONFIG_UNKNOWN : CONFIG_APPROVED,
		/* Without a list in the policy nobody looked at what runs: no claim. */
		.executables = measured && !strcmp(measured, "pass") ? EXEC_APPROVED
			       : measured && !strcmp(measured, "skip") ? 0 : EXEC_UNRECOGNISED,
		.hardware = strcmp(v->tee, "sample") ? HW_GENUINE : HW_UNSAFE,
	};
}

static void write_vector(struct json *to, const struct vector *v)
{
	struct json *o = json_add_object(to, "ear.trustworthiness-vector");

	json_add_i64(o, "instance-identity", 0);
	json_add_i64(o, "configuration", v->configuration);
	json_add_i64(o, "executables", v->executables);
	json_add_i64(o, "file-system", 0);
	json_add_i64(o, "hardware", v->hardware);
	json_add_i64(o, "runtime-opaque", 0);
	json_add_i64(o, "storage-opaque", 0);
	json_add_i64(o, "sourced-data", 0);
}

static enum tier worst_of(const struct vector *v)
{
	enum tier t = tier_of(v->configuration);

	if (tier_of(v->executables) > t)
		t = tier_of(v->executables);
	return tier_of(v->hardware) > t ? tier_of(v->hardware) : t;
}

static void add_digest(struct json *to, const char *name, struct slice s)
{
	AUTO_BUF hex = { 0 };

	buf_hex(&hex, s);
	json_add_str(to, name, buf_cstr(&hex));
}

static void write_evidence(struct json *to, const struct verdict *v, const struct ear_opts *o)
{
	struct json *a = json_add_object(to, "ear.veraison.annotated-evidence");

	add_digest(a, "init_data", o->init_data);
	if (o->init_data_claims)
		json_add_copy(a, "init_data_claims", o->init_data_claims);
	else
		json_add_null(a, "init_data_claims");
	add_digest(a, "report_data", o->report_data);
	if (o->runtime_data_claims)
		json_add_copy(a, "runtime_data_claims", o->runtime_data_claims);
	else
		json_add_object(a, "runtime_data_claims");
	if (json_get(v->claims, v->tee))
		json_add_copy(a, v->tee, json_get(v->claims, v->tee));
}

static struct json *payload_of(const struct verdict *v, const struct ear_opts *o)
{
	const struct vector vec = vector_of(v);
	struct json *p = json_object(), *id, *cpu;

	json_add_str(p, "eat_profile", EAR_PROFILE);
	json_add_int(p, "iat", (uint64_t)o->now);
	id = json_add_object(p, "ear.verifier-id");
	json_add_str(id, "developer", "cvmbox");
	json_add_str(id, "build", "cvmbox " CVMBOX_VERSION);
	cpu = json_add_object(json_add_object(p, "submods"), "cpu0");
	json_add_str(cpu, "ear.status", tier_names[worst_of(&vec)]);
	write_vector(cpu, &vec);
	json_add_str(cpu, "ear.appraisal-policy-id", "default");
	write_evidence(cpu, v, o);
	json_add_int(p, "exp", (uint64_t)(o->now + (o->duration ? o->duration : EAR_DURATION)));
	json_add_str(p, "iss", o->issuer ? o->issuer : EAR_ISSUER);
	return p;
}

int ear_token(struct buf *ret, const struct verdict *v, const struct ear_opts *o, struct err *e)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_JSON *head = json_object();
	AUTO_JSON *payload = NULL;
	AUTO_BUF text = { 0 };
	const char *alg = o->signer->type == KEY_EC_P256 ? "ES256" : o->signer->type == KEY_EC_P384 ? "ES384" : NULL;

	if (!alg)
		return err_set(e, EC_USAGE, "a token is signed by an EC P-256 or P-384 key, this one is %s", key_type_name(o->signer->type));
	if (o->now < 0 || o->duration < 0 || v->tee[0] == '\0')
		return err_set(e, EC_BUG, "token without time or verdict");
	payload = payload_of(v, o);
	json_add_str(head, "typ", "JWT");
	if (privkey_public(&k, o->signer, e) || jwk_write(json_add_object(head, "jwk"), &k, alg, e) ||
	    json_write(&text, payload, false, e))
		return -1;
	return jws_sign(ret, o->signer, head, buf_view(&text), e);
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static int check_dates(const struct json *p, int64_t now, struct err *e)
{
	int64_t exp, at;
	char t[32], n[32];

	time_format(n, now);
	if (!json_i64(json_get(p, "exp"), &exp))
		return err_set(e, EC_REFUSED, "token has no expiry ('exp')");
	if (exp < INT64_MAX - LEEWAY && exp + LEEWAY < now) {
		time_format(t, exp);
		return err_set(e, EC_REFUSED, "token expired at %s, it is %s", t, n);
	}
	for (int i = 0; i < 2; i++)
		if (json_get(p, i ? "iat" : "nbf") && (!json_i64(json_get(p, i ? "iat" : "nbf"), &at) || at > now + LEEWAY)) {
			err_set(e, EC_REFUSED, "token is not valid yet at %s", n);
			return err_hint(e, "is the clock right, here and at the issuer?");
		}
	return 0;
}

/* A status may not claim better than its vector. */
static int check_submod(const struct json *m, bool allow_warning, struct err *e)
{
	const char *status = json_string(json_get(m, "ear.status"));
	const struct json *vec = json_get(m, "ear.trustworthiness-vector");
	enum tier said = TIER_NONE, worst = TIER_NONE;

	while (said < N_TIERS && (!status || strcmp(status, tier_names[said])))
		said++;
	if (said == N_TIERS || !json_is_object(vec))
		return err_set(e, EC_FORMAT, "submod '%s' has no status, or no trustworthiness vector", json_name(m));
	for (const struct json *x = json_first(vec); x; x = json_next(x)) {
		int64_t n;

		if (!json_i64(x, &n) || n < -128 || n > 127)
			return err_set(e, EC_FORMAT, "submod '%s': '%s' is not a number from -128 to 127", json_name(m), json_name(x));
		if (tier_of(n) > worst)
			worst = tier_of(n);
	}
	if (said < worst)
		return err_set(e, EC_REFUSED, "submod '%s' claims '%s', its vector says '%s'", json_name(m), tier_names[said], tier_names[worst]);
	if (said == TIER_AFFIRMING || (said == TIER_WARNING && allow_warning))
		return 0;
	return err_set(e, EC_REFUSED, "submod '%s' is '%s', wanted 'affirming'", json_name(m), tier_names[said]);
}

int ear_check(const struct json *payload, int64_t now, bool allow_warning, struct err *e)
{
	const struct json *subs = json_get(payload, "submods");

	if (!json_is_object(payload))
		return err_set(e, EC_FORMAT, "token holds no JSON object");
	if (check_dates(payload, now, e))
		return -1;
	if (!json_is_object(subs) || json_count(subs) == 0)
		return err_set(e, EC_REFUSED, "token has no submods: nothing was attested");
	for (const struct json *m = json_first(subs); m; m = json_next(m))
		if (check_submod(m, allow_warning, e))
			return -1;
	return 0;
}
