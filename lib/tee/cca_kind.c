/* SPDX-License-Identifier: Apache-2.0 */
/* CCA as a kind of evidence: collected, judged and shown. */

#include "codec/hex64.h"
#include "tee/cca.h"
#include "tee/tsm.h"

#define REPORT_DATA 64
#define TOKEN_MAX ((size_t)64 << 10)	/* real ones have 1 to 4 KiB */
#define TRUSTEE_MAX (6 * TOKEN_MAX)	/* an array of numbers */

struct subject {
	struct buf raw;
	struct cca_token t;
	struct pubkey realm_key;
};

static void drop(void *p)
{
	struct subject *s = p;

	if (!s)
		return;
	buf_free(&s->raw);
	pubkey_free(&s->realm_key);
	free(s);
}

static void put_text(struct buf *to, struct slice s)
{
	buf_put(to, s.p, s.n);
}

/* --- checks: who signed ----------------------------------------------------------------------------------------- */

static enum outcome held_by(struct finding *f, const struct pubkey *k, const char *source)
{
	AUTO_BUF der = { 0 };
	uint8_t d[32];
	struct err no = { 0 };

	buf_printf(&f->actual, "%s, by a trusted key", key_type_name(k->type));
	if (!pubkey_der(&der, k, &no) && !hash_of(d, HASH_SHA256, buf_view(&der), &no)) {
		buf_puts(&f->actual, ", SHA-256 of its SubjectPublicKeyInfo ");
		buf_hex(&f->actual, slice_of(d, sizeof d));
	}
	f->source = source;
	return PASSED;
}

static bool signs(const struct subject *s, const struct pubkey *k)
{
	struct err no = { 0 };

	return !cose_sign1_verify(&s->t.platform, k, &no);
}

/* A certificate for the platform's key: one that the caller trusts, or one that leads to it.  why: what was wrong with
 * one whose key fits. */
static bool endorsed(struct pubkey *key, const struct subject *s, const struct expect *x, const struct cert_list *l, struct err *why)
{
	for (size_t i = 0; l && i < l->n; i++) {
		AUTO_PUBKEY k = { 0 };
		struct err no = { 0 };

		if (cert_public(&k, &l->v[i], &no) || !signs(s, &k))
			continue;
		/* A CA has other customers, and its TPM keys sign what their owners like.  No usage is known that says "CCA platform", so a
		 * certificate that says what its key is for says that it is for something else. */
		if (l != &x->anchors->certs && !cert_allows(&l->v[i], NULL)) {
			err_set(why, EC_REFUSED, "it is for other uses than to sign for a CCA platform");
			continue;
		}
		if (cert_chain(&l->v[i], x->given ? &x->given->certs : &(struct cert_list){ 0 }, &x->anchors->certs, x->now, why))
			continue;
		*key = k;
		k = (struct pubkey){ 0 };
		return true;
	}
	return false;
}

static enum outcome check_platform_signature(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	AUTO_PUBKEY k = { 0 };
	struct err why = { 0 };

	buf_puts(&f->expected, "the signature of a platform key that you trust");
	if (!x->anchors || x->anchors->keys.n + x->anchors->certs.n == 0) {
		buf_puts(&f->actual, "no trusted key was given: anybody can have made this token");
		buf_puts(&f->hint, "nothing inside a CCA token vouches for its platform: give the key (CPAK) that its maker published, for "
				   "the platform with instance id ");
		buf_hex(&f->hint, s->t.instance);
		buf_puts(&f->hint, ", with --trust-anchor");
		return FAILED;
	}
	for (size_t i = 0; i < x->anchors->keys.n; i++)
		if (signs(s, &x->anchors->keys.v[i]))
			return held_by(f, &x->anchors->keys.v[i], "trust anchor");
	if (endorsed(&k, s, x, &x->anchors->certs, &why) || endorsed(&k, s, x, x->given ? &x->given->certs : NULL, &why) ||
	    endorsed(&k, s, x, x->carried ? &x->carried->certs : NULL, &why))
		return held_by(f, &k, "endorsement");
	if (why.msg[0])
		buf_printf(&f->actual, "signed by a key whose certificate does not hold: %s", why.msg);
	else
		buf_printf(&f->actual, "none of %zu trusted keys signed it", x->anchors->keys.n + x->anchors->certs.n);
	buf_puts(&f->hint, "the token was changed, or it is from another platform: instance ");
	buf_hex(&f->hint, s->t.instance);
	return FAILED;
}

/* What this version knows the meaning of. */
static enum outcome check_profile(void *p, const struct expect *x, struct finding *f)
{
	static const char *const platform[] = { "http://arm.com/CCA-SSD/1.0.0", "tag:arm.com,2023:cca_platform#1.0.0" };
	static const char *const realm[] = { "", "tag:arm.com,2023:realm#1.0.0", "tag:arm.com,2024:realm#2.0.0" };
	const struct subject *s = p;
	bool known[2] = { false, false };

	(void)x;
	for (size_t i = 0; i < sizeof platform / sizeof platform[0]; i++)
		known[0] |= slice_eqs(s->t.profile, platform[i]);
	for (size_t i = 0; i < sizeof realm / sizeof realm[0]; i++)
		known[1] |= slice_eqs(s->t.realm_profile, realm[i]);
	put_text(&f->actual, s->t.profile);
	if (s->t.realm_profile.n) {
		buf_puts(&f->actual, ", ");
		put_text(&f->actual, s->t.realm_profile);
	}
	if (known[0] && known[1])
		return PASSED;
	buf_puts(&f->expected, "profiles that this version knows");
	buf_puts(&f->hint, "claims of another profile may mean something else");
	return FAILED;
}

static enum hash hash_of_claim(struct slice name)
{
	static const enum hash ok[] = { HASH_SHA256, HASH_SHA384, HASH_SHA512 };
	char text[16] = { 0 };

	if (name.n >= sizeof text)
		return HASH_NONE;
	memcpy(text, name.p, name.n);
	for (size_t i = 0; i < sizeof ok / sizeof ok[0]; i++)
		if (hash_by_name(text) == ok[i])
			return ok[i];
	return HASH_NONE;
}

/* The platform vouches for the realm's key by its hash. */
static enum outcome check_binding(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const enum hash h = hash_of_claim(s->t.realm_key_hash_name);
	uint8_t d[HASH_MAX];
	struct err no = { 0 };

	(void)x;
	if (h == HASH_NONE) {
		buf_puts(&f->expected, "the realm key's hash by sha-256, sha-384 or sha-512");
		put_text(&f->actual, s->t.realm_key_hash_name);
		return FAILED;
	}
	if (hash_of(d, h, s->t.realm_key, &no))
		return found(f, false, NULL, no.msg);
	buf_printf(&f->expected, "%s of the realm's key: ", hash_name(h));
	buf_hex(&f->expected, slice_of(d, hash_size(h)));
	buf_hex(&f->actual, s->t.nonce);
	if (slice_eq(s->t.nonce, slice_of(d, hash_size(h))))
		return PASSED;
	buf_puts(&f->hint, "the platform token vouches for another realm's key");
	return FAILED;
}

static enum outcome check_realm_signature(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	struct err why = { 0 };

	(void)x;
	if (!cose_sign1_verify(&s->t.realm, &s->realm_key, &why))
		return found(f, true, NULL, cose_alg_name(s->t.realm.key));
	return found(f, false, "signed by the key that the realm token carries", why.msg);
}

static enum outcome check_challenge(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	uint8_t want[REPORT_DATA] = { 0 };

	buf_hex(&f->actual, s->t.challenge);
	if (x->report_data.n == 0 || x->report_data.n > sizeof want) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "a CCA token carries no dates, so without a nonce it may be of any age: give --nonce, or --insecure-no-nonce");
		return x->no_freshness && x->report_data.n == 0 ? WARNED : FAILED;
	}
	memcpy(want, x->report_data.p, x->report_data.n);
	buf_hex(&f->expected, slice_of(want, sizeof want));
	if (!slice_eq(s->t.challenge, slice_of(want, sizeof want))) {
		buf_puts(&f->hint, "the token was made for another nonce: is it an old one?");
		return FAILED;
	}
	return x->no_freshness ? WARNED : PASSED;
}

/* --- checks: what is wanted of it --------------------------------------------------------------------------------- */

static enum outcome check_lifecycle(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const enum cca_state state = cca_state_of(s->t.lifecycle);
	const bool debug = state == CCA_DEBUG || state == CCA_RECOVERABLE_DEBUG;

	f->source = x->limits->source;
	buf_puts(&f->expected, "secured (0x30..)");
	buf_printf(&f->actual, "%s (0x%04x)", cca_state_name(state), s->t.lifecycle);
	if (state == CCA_SECURED)
		return PASSED;
	if (!debug) {
		buf_puts(&f->hint, "this platform is not, or no longer, one that protects anything");
		return FAILED;
	}
	buf_puts(&f->hint, "debugging is open on this platform: its owner can read the realm's memory");
	if (x->limits->allow_debug)
		buf_puts(&f->hint, "; the policy allows it");
	return x->limits->allow_debug ? WARNED : FAILED;
}

static enum outcome check_measurement(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const enum outcome o = found_listed(f, &x->limits->measurements, s->t.initial, x->limits->source);

	if (o == FAILED) {
		buf_puts(&f->hint, "the realm's initial measurement, by ");
		put_text(&f->hint, s->t.realm_hash_name);
	}
	return o;
}

static enum outcome extensible(void *p, const struct expect *x, struct finding *f, size_t i)
{
	const struct subject *s = p;

	return found_listed(f, &x->limits->rem[i], s->t.extensible[i], x->limits->source);
}

static enum outcome check_rem0(void *p, const struct expect *x, struct finding *f)
{
	return extensible(p, x, f, 0);
}

static enum outcome check_rem1(void *p, const struct expect *x, struct finding *f)
{
	return extensible(p, x, f, 1);
}

static enum outcome check_rem2(void *p, const struct expect *x, struct finding *f)
{
	return extensible(p, x, f, 2);
}

static enum outcome check_rem3(void *p, const struct expect *x, struct finding *f)
{
	return extensible(p, x, f, 3);
}

/* Values shorter than the 64 bytes of the claim were padded with zeros when the realm was made; less than 32 bytes are
 * no digest. */
static bool padded_equal(const char *listed, const char *hex)
{
	const size_t n = strlen(listed);

	return n >= 64 && n <= strlen(hex) && !strncmp(listed, hex, n) && strspn(hex + n, "0") == strlen(hex + n);
}

static enum outcome personalization(void *p, const struct texts *list, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	AUTO_BUF hex = { 0 };
	const enum outcome o = found_listed(f, list, s->t.personalization, x->limits->source);

	buf_hex(&hex, s->t.personalization);
	for (size_t i = 0; o == FAILED && !hex.bad && i < list->n; i++)
		if (padded_equal(list->v[i], buf_cstr(&hex)))
			return PASSED;
	return o;
}

static enum outcome check_realm_pv(void *p, const struct expect *x, struct finding *f)
{
	return personalization(p, &x->limits->realm_pvs, x, f);
}

/* Where initdata is used, its digest is the personalization value (key-broker.md). */
static enum outcome check_init_data(void *p, const struct expect *x, struct finding *f)
{
	return personalization(p, &x->limits->init_data, x, f);
}

static enum outcome check_implementation(void *p, const struct expect *x, struct finding *f)
{
	return found_listed(f, &x->limits->implementation_ids, ((const struct subject *)p)->t.implementation, x->limits->source);
}

static enum outcome check_instance(void *p, const struct expect *x, struct finding *f)
{
	return found_listed(f, &x->limits->instance_ids, ((const struct subject *)p)->t.instance, x->limits->source);
}

enum { C_PLATFORM, C_BINDING, C_REALM };
#define GENUINE (NEEDS(C_PLATFORM) | NEEDS(C_BINDING) | NEEDS(C_REALM))
static const struct check checks[] = {
	[C_PLATFORM] = { "cca.platform.signature", 0, CHECK_BASE, check_platform_signature },
	[C_BINDING] = { "cca.binding", 0, CHECK_BASE, check_binding },
	[C_REALM] = { "cca.realm.signature", 0, CHECK_BASE, check_realm_signature },
	{ "cca.profile", 0, CHECK_PLAIN, check_profile },
	{ "cca.challenge", NEEDS(C_REALM), CHECK_BASE, check_challenge },
	{ "cca.lifecycle", NEEDS(C_PLATFORM), CHECK_PLAIN, check_lifecycle },
	{ "cca.implementation_id", NEEDS(C_PLATFORM), CHECK_WHERE_ASKED, check_implementation },
	{ "cca.instance_id", NEEDS(C_PLATFORM), CHECK_WHERE_ASKED, check_instance },
	{ "cca.measurement", GENUINE, CHECK_WHERE_ASKED, check_measurement },
	{ "cca.rem0", GENUINE, CHECK_WHERE_ASKED, check_rem0 },
	{ "cca.rem1", GENUINE, CHECK_WHERE_ASKED, check_rem1 },
	{ "cca.rem2", GENUINE, CHECK_WHERE_ASKED, check_rem2 },
	{ "cca.rem3", GENUINE, CHECK_WHERE_ASKED, check_rem3 },
	{ "cca.realm_pv", GENUINE, CHECK_WHERE_ASKED, check_realm_pv },
	{ "cca.init_data", GENUINE, CHECK_WHERE_ASKED, check_init_data },
};

/* --- forms in which it comes ---------------------------------------------------------------------------------------- */

/* Trustee's {"token":[217,1,143,..]} */
static int take_trustee(struct buf *ret, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	const struct json *arr;

	if (json_parse(&j, text, TRUSTEE_MAX, e) || json_need_arr(&arr, j, "token", "CCA evidence", e))
		return -1;
	for (const struct json *b = json_first(arr); b; b = json_next(b)) {
		uint64_t v;

		if (!json_u64(b, &v) || v > UINT8_MAX)
			return err_set(e, EC_FORMAT, "member 'token' of CCA evidence is not an array of bytes");
		buf_byte(ret, (uint8_t)v);
	}
	return buf_check(ret, e);
}

static int take_raw(struct buf *ret, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);

	if (text.n && text.p[0] == '{')
		return take_trustee(ret, text, e);
	buf_slice(ret, raw);
	return buf_check(ret, e);
}

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	struct subject *s = calloc(1, sizeof *s);

	(void)certs;
	if (!s)
		return err_oom(e);
	s->raw.max = TOKEN_MAX;
	if (take_raw(&s->raw, raw, e) || cca_token_parse(&s->t, buf_view(&s->raw), e) || cca_realm_key(&s->realm_key, &s->t, e)) {
		drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static void add_text(struct json *to, const char *name, struct slice s)
{
	AUTO_BUF b = { 0 };

	if (!s.p)
		return;
	buf_slice(&b, s);
	json_add_str(to, name, buf_cstr(&b));
}

static void add_components(struct json *to, const struct cca_token *t)
{
	for (size_t i = 0; i < t->n_components; i++) {
		const struct cca_component *c = &t->components[i];
		struct json *o = json_add_object(to, NULL);

		add_text(o, "measurement-type", c->type);
		json_add_b64(o, "measurement-value", c->measurement);
		add_text(o, "version", c->version);
		json_add_b64(o, "signer-id", c->signer);
		add_text(o, "hash-algo-id", c->hash_name);
	}
}

/* The names, and base64, of Veraison and so of Trustee. */
static int claims(struct json *to, const void *p, struct err *e)
{
	const struct cca_token *t = &((const struct subject *)p)->t;
	struct json *o = json_add_object(to, "platform"), *rem;

	(void)e;
	add_text(o, "cca-platform-profile", t->profile);
	json_add_b64(o, "cca-platform-challenge", t->nonce);
	json_add_b64(o, "cca-platform-implementation-id", t->implementation);
	json_add_b64(o, "cca-platform-instance-id", t->instance);
	json_add_b64(o, "cca-platform-config", t->config);
	json_add_u64(o, "cca-platform-lifecycle", t->lifecycle);
	add_text(o, "cca-platform-hash-algo-id", t->hash_name);
	add_text(o, "cca-platform-service-indicator", t->service);
	add_components(json_add_array(o, "cca-platform-sw-components"), t);
	o = json_add_object(to, "realm");
	add_text(o, "cca-realm-profile", t->realm_profile);
	json_add_b64(o, "cca-realm-challenge", t->challenge);
	json_add_b64(o, "cca-realm-personalization-value", t->personalization);
	json_add_b64(o, "cca-realm-initial-measurement", t->initial);
	rem = json_add_array(o, "cca-realm-extensible-measurements");
	for (size_t i = 0; i < 4; i++)
		json_add_b64(rem, NULL, t->extensible[i]);
	add_text(o, "cca-realm-hash-algo-id", t->realm_hash_name);
	json_add_b64(o, "cca-realm-public-key", t->realm_key);
	add_text(o, "cca-realm-public-key-hash-algo-id", t->realm_key_hash_name);
	return 0;
}

static void add_signature(struct json *to, const char *name, const struct cose_sign1 *s)
{
	struct json *o = json_add_object(to, name);

	json_add_str(o, "algorithm", cose_alg_name(s->key));
	json_add_hex(o, "signature", s->signature);
}

/* In hex, as policies are written. */
static int details(struct json *to, const void *p, struct err *e)
{
	const struct cca_token *t = &((const struct subject *)p)->t;
	struct json *list;

	(void)e;
	json_add_str(to, "form", t->wrapped ? "CBOR tag 907 (conceptual message wrapper)" : "CBOR tag 399 (collection)");
	add_text(to, "platform_profile", t->profile);
	json_add_hex(to, "implementation_id", t->implementation);
	json_add_hex(to, "instance_id", t->instance);
	json_add_fmt(to, "lifecycle", "0x%04x, %s", t->lifecycle, cca_state_name(cca_state_of(t->lifecycle)));
	json_add_hex(to, "platform_nonce", t->nonce);
	json_add_hex(to, "platform_config", t->config);
	add_text(to, "platform_hash", t->hash_name);
	add_text(to, "verification_service", t->service);
	list = json_add_array(to, "software_components");
	for (size_t i = 0; i < t->n_components; i++) {
		struct json *o = json_add_object(list, NULL);

		add_text(o, "type", t->components[i].type);
		add_text(o, "version", t->components[i].version);
		json_add_hex(o, "measurement", t->components[i].measurement);
		json_add_hex(o, "signer_id", t->components[i].signer);
	}
	add_text(to, "realm_profile", t->realm_profile);
	json_add_hex(to, "challenge", t->challenge);
	json_add_hex(to, "personalization_value", t->personalization);
	json_add_hex(to, "initial_measurement", t->initial);
	list = json_add_array(to, "extensible_measurements");
	for (size_t i = 0; i < 4; i++)
		json_add_hex(list, NULL, t->extensible[i]);
	add_text(to, "realm_hash", t->realm_hash_name);
	json_add_hex(to, "realm_key", t->realm_key);
	add_text(to, "realm_key_hash", t->realm_key_hash_name);
	add_signature(to, "platform_signature", &t->platform);
	add_signature(to, "realm_signature", &t->realm);
	json_add_str(to, "dates", "none: a CCA token does not say when it was made");
	return 0;
}

static int collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_TSM r = { 0 };
	struct cca_token t;
	uint8_t in[TSM_INBLOB] = { 0 };

	if (rd.n > sizeof in)
		return err_set(e, EC_USAGE, "report data is %zu bytes, a CCA token takes 64", rd.n);
	if (rd.n)
		memcpy(in, rd.p, rd.n);
	if (tsm_ask(&r, h, "arm_cca_guest", in, ret->how, e))
		return -1;
	if (cca_token_parse(&t, buf_view(&r.out), e))
		return err_ctx(e, "the kernel's token");
	if (!slice_eq(t.challenge, slice_of(in, sizeof in)))
		return err_set(e, EC_IO, "the token holds another challenge than was asked for");
	buf_move(&ret->raw, &r.out);
	return 0;
}

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	struct json *j = json_object();

	if (!j)
		return err_oom(e);
	json_add_bytes(j, "token", buf_view(&ev->raw));
	*ret = j;
	return 0;
}

static bool recognise_json(const struct json *j)
{
	return json_is_array(json_get(j, "token"));
}

const struct evidence_kind evidence_cca = {
	.name = "cca",
	.title = "Arm CCA",
	.collect = collect, .to_trustee = to_trustee,
	.recognise = cca_token_looks_like, .recognise_json = recognise_json, .parse = parse, .drop = drop, .claims = claims, .details = details,
	.values = OF_CCA, .checks = checks, .n_checks = sizeof checks / sizeof checks[0],
};
