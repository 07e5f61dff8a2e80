/* SPDX-License-Identifier: Apache-2.0 */
/* Reading CCA tokens: see cca.h. */

#include "tee/cca.h"

enum { TAG_COLLECTION = 399, TAG_WRAPPED = 907, EAT_CWT = 263 /* CoAP content format */ };
enum { PLATFORM = 44234, REALM = 44241 };
enum {
	C_NONCE = 10, C_INSTANCE = 256, C_PROFILE = 265, C_LIFECYCLE = 2395, C_IMPLEMENTATION = 2396, C_COMPONENTS = 2399,
	C_SERVICE = 2400, C_CONFIG = 2401, C_HASH = 2402
};
enum {
	R_CHALLENGE = 10, R_PROFILE = 265, R_PERSONALIZATION = 44235, R_HASH = 44236, R_KEY = 44237, R_INITIAL = 44238,
	R_EXTENSIBLE = 44239, R_KEY_HASH = 44240
};
enum { S_TYPE = 1, S_MEASUREMENT = 2, S_VERSION = 4, S_SIGNER = 5, S_HASH = 6 };

static const char *const state_names[] = {
	[CCA_UNKNOWN] = "unknown", [CCA_ASSEMBLY] = "assembly and test", [CCA_PROVISIONING] = "provisioning", [CCA_SECURED] = "secured",
	[CCA_DEBUG] = "non-CCA debug", [CCA_RECOVERABLE_DEBUG] = "recoverable debug", [CCA_DECOMMISSIONED] = "decommissioned"
};

const char *cca_state_name(enum cca_state s)
{
	return state_names[s];
}

/* The upper byte is the state, the lower one is the implementation's own. */
enum cca_state cca_state_of(uint16_t lifecycle)
{
	switch (lifecycle >> 8) {
	case 0x10:
		return CCA_ASSEMBLY;
	case 0x20:
		return CCA_PROVISIONING;
	case 0x30:
		return CCA_SECURED;
	case 0x40:
		return CCA_DEBUG;
	case 0x50:
		return CCA_RECOVERABLE_DEBUG;
	case 0x60:
		return CCA_DECOMMISSIONED;
	default:
		return CCA_UNKNOWN;
	}
}

bool cca_token_looks_like(struct slice raw)
{
	struct rd r = rd_of(raw);
	const uint8_t head = rd_u8(&r);		/* a tag, its number in two bytes */
	const uint16_t tag = rd_be16(&r);

	return head == 0xd9 && (tag == TAG_COLLECTION || tag == TAG_WRAPPED);
}

/* --- claims, each of one type and one of a few lengths --------------------------------------------------------- */

#define HASHES { 32, 48, 64 }

struct claim {
	int64_t label;
	enum cbor_type type;
	const char *name;
	bool optional;
	uint8_t sizes[3];	/* of bytes; all 0: any */
	size_t offset;		/* of the struct slice */
};

static bool size_ok(const struct claim *c, size_t n)
{
	return !c->sizes[0] || n == c->sizes[0] || (c->sizes[1] && n == c->sizes[1]) || (c->sizes[2] && n == c->sizes[2]);
}

static int take_claims(void *to, const struct cbor *map, const struct claim *c, size_t n, const char *what, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct slice *s = (struct slice *)(void *)((uint8_t *)to + c[i].offset);
		struct cbor v;

		if (!cbor_find(map, c[i].label, &v)) {
			if (c[i].optional)
				continue;
			return err_set(e, EC_FORMAT, "%s has no claim %lld (%s)", what, (long long)c[i].label, c[i].name);
		}
		if (v.type != c[i].type)
			return err_set(e, EC_FORMAT, "claim %lld (%s) of %s is not %s", (long long)c[i].label, c[i].name, what,
				       c[i].type == CBOR_TEXT ? "text" : "bytes");
		if (!size_ok(&c[i], v.body.n))
			return err_set(e, EC_FORMAT, "claim %lld (%s) of %s has %zu bytes", (long long)c[i].label, c[i].name, what, v.body.n);
		*s = v.body;
	}
	return 0;
}

static int open_claims(struct cbor *ret, const struct cose_sign1 *s, const char *what, struct err *e)
{
	if (cbor_parse(ret, s->payload, e))
		return err_ctx(e, "%s", what);
	return ret->type == CBOR_MAP ? 0 : err_set(e, EC_FORMAT, "%s is no map of claims", what);
}

static int take_component(struct cca_component *to, const struct cbor *c, struct err *e)
{
	static const struct claim claims[] = {
		{ S_TYPE, CBOR_TEXT, "type", true, { 0 }, offsetof(struct cca_component, type) },
		{ S_MEASUREMENT, CBOR_BYTES, "measurement", false, HASHES, offsetof(struct cca_component, measurement) },
		{ S_VERSION, CBOR_TEXT, "version", true, { 0 }, offsetof(struct cca_component, version) },
		{ S_SIGNER, CBOR_BYTES, "signer id", false, HASHES, offsetof(struct cca_component, signer) },
		{ S_HASH, CBOR_TEXT, "hash", true, { 0 }, offsetof(struct cca_component, hash_name) },
	};

	return take_claims(to, c, claims, sizeof claims / sizeof claims[0], "a software component", e);
}

static int take_components(struct cca_token *t, const struct cbor *map, struct err *e)
{
	struct cbor list, c;
	struct rd r;

	if (!cbor_find(map, C_COMPONENTS, &list) || list.type != CBOR_ARRAY)
		return err_set(e, EC_FORMAT, "the platform token has no list of software components (claim %d)", C_COMPONENTS);
	if (list.n > CCA_COMPONENTS)
		return err_set(e, EC_FORMAT, "the platform token lists %llu software components, at most %d are read",
			       (unsigned long long)list.n, CCA_COMPONENTS);
	r = cbor_open(&list);
	while (cbor_next(&r, &c))
		if (take_component(&t->components[t->n_components++], &c, e))
			return -1;
	return 0;
}

static int take_platform(struct cca_token *t, struct err *e)
{
	static const struct claim claims[] = {
		{ C_PROFILE, CBOR_TEXT, "profile", false, { 0 }, offsetof(struct cca_token, profile) },
		{ C_NONCE, CBOR_BYTES, "nonce", false, HASHES, offsetof(struct cca_token, nonce) },
		{ C_IMPLEMENTATION, CBOR_BYTES, "implementation id", false, { 32 }, offsetof(struct cca_token, implementation) },
		{ C_INSTANCE, CBOR_BYTES, "instance id", false, { 33 }, offsetof(struct cca_token, instance) },
		{ C_CONFIG, CBOR_BYTES, "configuration", false, { 0 }, offsetof(struct cca_token, config) },
		{ C_SERVICE, CBOR_TEXT, "verification service", true, { 0 }, offsetof(struct cca_token, service) },
		{ C_HASH, CBOR_TEXT, "hash", false, { 0 }, offsetof(struct cca_token, hash_name) },
	};
	struct cbor map, v;

	if (open_claims(&map, &t->platform, "the platform token", e) ||
	    take_claims(t, &map, claims, sizeof claims / sizeof claims[0], "the platform token", e))
		return -1;
	if (!cbor_find(&map, C_LIFECYCLE, &v) || v.type != CBOR_UINT || v.n > UINT16_MAX)
		return err_set(e, EC_FORMAT, "the platform token has no life cycle of 16 bits (claim %d)", C_LIFECYCLE);
	t->lifecycle = (uint16_t)v.n;
	if (t->instance.p[0] != 1)
		return err_set(e, EC_FORMAT, "the instance id begins with 0x%02x, wanted 0x01", t->instance.p[0]);
	return take_components(t, &map, e);
}

static int take_extensible(struct cca_token *t, const struct cbor *map, struct err *e)
{
	struct cbor list, v;
	struct rd r;

	if (!cbor_find(map, R_EXTENSIBLE, &list) || list.type != CBOR_ARRAY || list.n != 4)
		return err_set(e, EC_FORMAT, "the realm token has no four extensible measurements (claim %d)", R_EXTENSIBLE);
	r = cbor_open(&list);
	for (size_t i = 0; i < 4; i++) {
		if (!cbor_next(&r, &v) || v.type != CBOR_BYTES || v.body.n != t->initial.n)
			return err_set(e, EC_FORMAT, "extensible measurement %zu of the realm token is not %zu bytes, as the initial one is",
				       i, t->initial.n);
		t->extensible[i] = v.body;
	}
	return 0;
}

static int take_realm(struct cca_token *t, struct err *e)
{
	static const struct claim claims[] = {
		{ R_PROFILE, CBOR_TEXT, "profile", true, { 0 }, offsetof(struct cca_token, realm_profile) },
		{ R_CHALLENGE, CBOR_BYTES, "challenge", false, { 64 }, offsetof(struct cca_token, challenge) },
		{ R_PERSONALIZATION, CBOR_BYTES, "personalization value", false, { 64 }, offsetof(struct cca_token, personalization) },
		{ R_HASH, CBOR_TEXT, "hash", false, { 0 }, offsetof(struct cca_token, realm_hash_name) },
		{ R_KEY, CBOR_BYTES, "public key", false, { 0 }, offsetof(struct cca_token, realm_key) },
		{ R_KEY_HASH, CBOR_TEXT, "hash of the public key", false, { 0 }, offsetof(struct cca_token, realm_key_hash_name) },
		{ R_INITIAL, CBOR_BYTES, "initial measurement", false, HASHES, offsetof(struct cca_token, initial) },
	};
	struct cbor map;

	return open_claims(&map, &t->realm, "the realm token", e) ||
	       take_claims(t, &map, claims, sizeof claims / sizeof claims[0], "the realm token", e) ||
	       take_extensible(t, &map, e) ? -1 : 0;
}

/* --- the outer form ------------------------------------------------------------------------------------------------ */

/* Wrapped: [type, bytes], the type by number or by name. */
static bool unwrap(struct cbor *v)
{
	static const char media[] = "application/eat+cwt";
	struct rd r = cbor_open(v);
	struct cbor type, body;

	if (v->type != CBOR_ARRAY || v->n != 2 || !cbor_next(&r, &type) || !cbor_next(&r, &body))
		return false;
	if (!(type.type == CBOR_UINT && type.n == EAT_CWT) &&
	    !(type.type == CBOR_TEXT && type.body.n >= sizeof media - 1 && !memcmp(type.body.p, media, sizeof media - 1)))
		return false;
	*v = body;
	return true;
}

static int take_part(struct cose_sign1 *ret, struct cbor v, bool wrapped, const char *what, struct err *e)
{
	if (wrapped && !unwrap(&v))
		return err_set(e, EC_FORMAT, "%s is not wrapped as [263, bytes]", what);
	if (v.type != CBOR_BYTES)
		return err_set(e, EC_FORMAT, "%s is not bytes", what);
	return cose_sign1_parse(ret, v.body, e) ? err_ctx(e, "%s", what) : 0;
}

static int take_parts(struct cca_token *t, const struct cbor *outer, struct err *e)
{
	struct rd r = cbor_open(outer);
	struct cbor k, v;
	int64_t label;
	bool platform = false, realm = false;

	while (cbor_next(&r, &k) && cbor_next(&r, &v)) {
		if (!cbor_int(&k, &label) || (label != PLATFORM && label != REALM)) {
			err_set(e, EC_FORMAT, "CCA token holds a part that this version does not know");
			return err_hint(e, "known are the platform token (%d) and the realm token (%d)", PLATFORM, REALM);
		}
		if (label == PLATFORM ? take_part(&t->platform, v, t->wrapped, "the platform token", e)
				      : take_part(&t->realm, v, t->wrapped, "the realm token", e))
			return -1;
		platform |= label == PLATFORM;
		realm |= label == REALM;
	}
	return platform && realm ? 0 : err_set(e, EC_FORMAT, "CCA token has no %s token", platform ? "realm" : "platform");
}

int cca_token_parse(struct cca_token *ret, struct slice raw, struct err *e)
{
	struct cca_token t = { 0 };
	struct cbor c;

	if (cbor_parse(&c, raw, e))
		return err_ctx(e, "CCA token");
	t.wrapped = c.type == CBOR_TAG && c.n == TAG_WRAPPED;
	if (!cbor_untag(&c, TAG_COLLECTION) && !cbor_untag(&c, TAG_WRAPPED))
		return err_set(e, EC_FORMAT, "not a CCA token: CBOR tag is not %d or %d", TAG_COLLECTION, TAG_WRAPPED);
	if (c.type != CBOR_MAP)
		return err_set(e, EC_FORMAT, "CCA token is no map of two tokens");
	if (take_parts(&t, &c, e) || take_platform(&t, e) || take_realm(&t, e))
		return -1;
	*ret = t;
	return 0;
}

int cca_realm_key(struct pubkey *ret, const struct cca_token *t, struct err *e)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };
	const struct slice k = t->realm_key;

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const size_t n = key_type_coord(types[i]);

		if (k.n == 1 + 2 * n && k.p[0] == 4)
			return pubkey_from_ec(ret, types[i], slice_of(k.p + 1, n), slice_of(k.p + 1 + n, n), e);
	}
	return cose_key_parse(ret, k, e);
}
