/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation tokens: see ear.h. */

#include "attest/ear.h"
#include "attest/kinds.h"
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

/* The claims of a vector and their values (draft-ietf-rats-ar4si 2.3), as far as they have names; those that we give are
 * chosen as Trustee's own policies do (key-broker.md 5.2), so that their rules work on our tokens.  0 makes no claim. */
enum claim { INSTANCE, CONFIG, EXEC, FILES, HARDWARE, RUNTIME, STORAGE, SOURCED, N_CLAIMS };
enum {
	INSTANCE_KNOWN = 2, CONFIG_APPROVED = 2, CONFIG_UNKNOWN = 36, EXEC_APPROVED = 3, EXEC_UNRECOGNISED = 33, HW_GENUINE = 2,
	HW_UNSAFE = 32, HW_UNRECOGNISED = 97, RUNTIME_ENCRYPTED = 2
};
struct meaning {
	int value;
	const char *text;
};
static const struct {
	const char *name;
	struct meaning says[8];
} vector_claims[N_CLAIMS] = {
	[INSTANCE] = { "instance-identity", { { 2, "a known instance" }, { 96, "an instance known to be bad" }, { 97, "an unknown instance" } } },
	[CONFIG] = { "configuration", { { 2, "a known and approved configuration" }, { 3, "no known weakness" }, { 32, "known weaknesses" },
					{ 36, "parts that could not be judged" }, { 96, "an unacceptable configuration" } } },
	[EXEC] = { "executables", { { 2, "approved at run time" }, { 3, "approved at boot" }, { 4, "recognised, not checked for approval" },
				    { 32, "recognised and unsafe" }, { 33, "not recognised" }, { 96, "known to be bad" } } },
	[FILES] = { "file-system", { { 2, "approved files" }, { 32, "files that are not recognised" }, { 96, "files known to be bad" } } },
	[HARDWARE] = { "hardware", { { 2, "genuine, without known weakness" }, { 32, "genuine, with known weaknesses" },
				     { 96, "known to be broken" }, { 97, "not recognised" } } },
	[RUNTIME] = { "runtime-opaque", { { 2, "memory is encrypted, closed to the host" }, { 32, "memory is isolated" }, { 96, "memory is open" } } },
	[STORAGE] = { "storage-opaque", { { 2, "secrets are sealed by hardware" }, { 32, "secrets are encrypted by software" }, { 96, "secrets are open" } } },
	[SOURCED] = { "sourced-data", { { 2, "data from trusted sources" }, { 32, "data from untrusted sources" }, { 96, "data known to be bad" } } },
};
struct vector {
	int v[N_CLAIMS];
};

/* Over all checks whose name ends so: "fail" if one failed, "pass" if one passed and none failed, else "skip". */
static const char *result_of(const struct json *checks, const char *suffix)
{
	const char *ret = "skip";

	for (const struct json *c = json_first(checks); c; c = json_next(c)) {
		const char *id = json_string(json_get(c, "id")), *dot = id ? strchr(id, '.') : NULL, *r = json_string(json_get(c, "result"));

		if (!dot || !r || strcmp(dot + 1, suffix) || !strcmp(r, "skip"))
			continue;
		if (strcmp(r, "pass"))
			return "fail";
		ret = "pass";
	}
	return ret;
}

static bool warns(const struct json *c)
{
	const char *r = json_string(json_get(c, "result"));

	return r && !strcmp(r, "warn");
}

/* Checks of a device name it; those of the machine name nothing. */
static bool is_of(const struct json *c, const char *object)
{
	const char *o = json_string(json_get(c, "object"));

	return object ? o && !strcmp(o, object) : !o;
}

/* Advisories tell what is known of a platform; they say nothing of this machine's configuration. */
static bool warned_of_configuration(const struct json *checks)
{
	for (const struct json *c = json_first(checks); c; c = json_next(c)) {
		const char *id = json_string(json_get(c, "id"));
		const struct check *k = id ? check_by_id(id) : NULL;

		if (warns(c) && is_of(c, NULL) && !(k && k->weight == CHECK_ADVISORY))
			return true;
	}
	return false;
}

/* Weaknesses of this hardware: genuine, and not above doubt. */
static bool warned_of_hardware(const struct json *checks)
{
	for (const struct json *c = json_first(checks); c; c = json_next(c)) {
		const char *id = json_string(json_get(c, "id"));

		if (warns(c) && id && !strncmp(id, "advisory.", 9))
			return true;
	}
	return !strcmp(result_of(checks, "tcb.status"), "fail");
}

/* Without a list in the policy nobody looked at what runs: no claim. */
static int executables_of(const struct json *checks)
{
	static const char *const about[] = { "measurement", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "rem0", "rem1", "rem2", "rem3", "pcr_values",
					    "boot_images", "cmdline" };
	int ret = 0;

	for (size_t i = 0; i < sizeof about / sizeof about[0]; i++) {
		const char *r = result_of(checks, about[i]);

		if (!strcmp(r, "fail"))
			return EXEC_UNRECOGNISED;
		if (!strcmp(r, "pass"))
			ret = EXEC_APPROVED;
	}
	return ret;
}

static struct vector vector_of(const struct verdict *v)
{
	const bool sample = !strcmp(v->tee, "sample"), tpm = !strcmp(v->tee, "tpm");
	struct vector ret = { { [CONFIG] = CONFIG_UNKNOWN, [EXEC] = EXEC_UNRECOGNISED, [HARDWARE] = HW_UNRECOGNISED } };

	if (!v->accepted)
		return ret;
	ret.v[CONFIG] = !sample && warned_of_configuration(v->checks) ? CONFIG_UNKNOWN : CONFIG_APPROVED;
	ret.v[EXEC] = executables_of(v->checks);
	ret.v[HARDWARE] = tpm ? 0 : sample || warned_of_hardware(v->checks) ? HW_UNSAFE : HW_GENUINE;
	ret.v[INSTANCE] = tpm || !strcmp(result_of(v->checks, "chip_id.allowed"), "pass") ? INSTANCE_KNOWN : 0;
	if (!sample && !tpm && ret.v[CONFIG] == CONFIG_APPROVED)
		ret.v[RUNTIME] = RUNTIME_ENCRYPTED;
	return ret;
}

/* What is true of all devices together is true of each. */
static bool is_of_set(const struct json *c)
{
	const char *id = json_string(json_get(c, "id"));

	return id && !strncmp(id, "nvset.", 6);
}

/* Of one device.  Trustee's policies want the same three of GPUs. */
static struct vector vector_of_device(const struct verdict *v, const char *object)
{
	struct vector ret = { { [CONFIG] = CONFIG_UNKNOWN, [EXEC] = EXEC_UNRECOGNISED, [HARDWARE] = HW_UNRECOGNISED } };
	bool warned = false, measured = false;

	if (!v->accepted)
		return ret;
	for (const struct json *c = json_first(v->checks); c; c = json_next(c)) {
		const char *id = json_string(json_get(c, "id")), *r = json_string(json_get(c, "result"));

		if (!id || !r || !(is_of(c, object) || is_of_set(c)))
			continue;
		warned |= warns(c);
		measured |= !strcmp(r, "pass") && (!strcmp(id, "nvgpu.measurements") || !strcmp(id, "nvswitch.measurements"));
	}
	ret.v[CONFIG] = warned ? CONFIG_UNKNOWN : CONFIG_APPROVED;
	ret.v[EXEC] = measured ? EXEC_APPROVED : EXEC_UNRECOGNISED;
	ret.v[HARDWARE] = warned ? HW_UNSAFE : HW_GENUINE;
	return ret;
}

static void write_vector(struct json *to, const struct vector *v)
{
	struct json *o = json_add_object(to, "ear.trustworthiness-vector");

	for (size_t i = 0; i < N_CLAIMS; i++)
		json_add_i64(o, vector_claims[i].name, v->v[i]);
}

static enum tier worst_of(const struct vector *v)
{
	enum tier t = TIER_NONE;

	for (size_t i = 0; i < N_CLAIMS; i++)
		if (tier_of(v->v[i]) > t)
			t = tier_of(v->v[i]);
	return t;
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

static struct json *write_submod(struct json *subs, const char *name, const struct vector *vec)
{
	struct json *m = json_add_object(subs, name);

	json_add_str(m, "ear.status", tier_names[worst_of(vec)]);
	write_vector(m, vec);
	json_add_str(m, "ear.appraisal-policy-id", "default");
	return m;
}

/* "GPU-0" becomes submod "gpu0", as Trustee names it. */
static void submod_name(char ret[static 32], const char *object)
{
	size_t n = 0;

	for (; *object && n < 31; object++)
		if (*object != '-')
			ret[n++] = *object >= 'A' && *object <= 'Z' ? (char)(*object - 'A' + 'a') : *object;
	ret[n] = '\0';
}

static void write_devices(struct json *subs, const struct verdict *v)
{
	for (const struct json *kind = json_first(v->claims); kind; kind = json_next(kind)) {
		if (strcmp(json_name(kind), "nvgpu") && strcmp(json_name(kind), "nvswitch"))
			continue;
		for (const struct json *d = json_first(kind); d; d = json_next(d)) {
			char name[32];

			if (!json_is_object(d) || !json_get(d, "ueid"))
				continue;
			const struct vector vec = vector_of_device(v, json_name(d));

			submod_name(name, json_name(d));
			json_add_copy(json_add_object(write_submod(subs, name, &vec), "ear.veraison.annotated-evidence"), "nvidia", d);
		}
	}
}

static struct json *payload_of(const struct verdict *v, const struct ear_opts *o)
{
	const struct vector vec = vector_of(v);
	struct json *p = json_object(), *id, *subs;

	json_add_str(p, "eat_profile", EAR_PROFILE);
	json_add_int(p, "iat", (uint64_t)o->now);
	id = json_add_object(p, "ear.verifier-id");
	json_add_str(id, "developer", "cvmbox");
	json_add_str(id, "build", "cvmbox " CVMBOX_VERSION);
	subs = json_add_object(p, "submods");
	if (strcmp(v->tee, "nvgpu") && strcmp(v->tee, "nvswitch"))	/* else there is no machine, only devices */
		write_evidence(write_submod(subs, "cpu0", &vec), v, o);
	write_devices(subs, v);
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

/* --- explaining ---------------------------------------------------------------------------------------------- */

static const char *meaning_of(const char *claim, int64_t n)
{
	if (n == 0)
		return "no claim is made";
	if (n == -1)
		return "the verifier failed";
	if (n == 1)
		return "evidence that the verifier did not expect";
	if (n == 99)
		return "a signature or digest that does not hold";
	for (size_t i = 0; i < N_CLAIMS; i++)
		for (const struct meaning *m = vector_claims[i].says; !strcmp(claim, vector_claims[i].name) && m->text; m++)
			if (m->value == n)
				return m->text;
	return "a value of the verifier's own";
}

void ear_explain(struct json *to, const struct json *payload)
{
	for (const struct json *s = json_first(json_get(payload, "submods")); s; s = json_next(s)) {
		struct json *o = json_add_object(to, json_name(s));

		for (const struct json *x = json_first(json_get(s, "ear.trustworthiness-vector")); x; x = json_next(x)) {
			int64_t n;

			if (json_i64(x, &n))
				json_add_fmt(o, json_name(x), "%lld, %s: %s", (long long)n, tier_names[tier_of(n)], meaning_of(json_name(x), n));
		}
	}
}
