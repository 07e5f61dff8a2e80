/* SPDX-License-Identifier: Apache-2.0 */
/* See tink_keyset.h.  Messages and enums are those of Tink's
 * proto/{tink,aes_gcm_hkdf_streaming,aes_ctr_hmac_streaming, common}.proto. */

#include "model/tink_keyset.h"

#include "base/cursor.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "codec/json.h"
#include "crypto/aead.h"

#define KEYSET_MAX ((size_t)64 << 10)
#define TYPE_PREFIX "type.googleapis.com/google.crypto.tink."
#define TYPE_GCM TYPE_PREFIX "AesGcmHkdfStreamingKey"
#define TYPE_CTR TYPE_PREFIX "AesCtrHmacStreamingKey"
#define SEG_MAX (UINT32_C(256) << 20)	/* a segment has to fit into memory, twice */

enum { STATUS_ENABLED = 1, STATUS_DISABLED = 2, STATUS_DESTROYED = 3 };

void tink_keyset_free(struct tink_keyset *k)
{
	for (size_t i = 0; i < k->n; i++)
		secret_wipe(&k->key[i].ikm);
	k->n = 0;
}

/* --- protobuf: only what keysets need ------------------------------------------------------------------ */

struct field {
	uint32_t number;
	bool is_bytes;
	uint64_t value;
	struct slice bytes;
};

static uint64_t varint(struct rd *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint8_t b = rd_u8(r);

		if (shift == 63 && b > 1)
			break;		/* more than 64 bits */
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

/* Next field of wire type 0 or 2; types 1 and 5 are skipped, groups (3, 4) make the reader bad.  False at the end. */
static bool next_field(struct rd *r, struct field *f)
{
	while (!r->bad && rd_left(r)) {
		const uint64_t tag = varint(r);

		if (r->bad || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
			break;
		*f = (struct field){ .number = (uint32_t)(tag >> 3) };
		switch (tag & 7) {
		case 0:
			f->value = varint(r);
			return !r->bad;
		case 2:
			f->is_bytes = true;
			f->value = varint(r);
			f->bytes = rd_take(r, f->value > SIZE_MAX ? SIZE_MAX : (size_t)f->value);
			return !r->bad;
		case 1:
			rd_skip(r, 8);
			continue;
		case 5:
			rd_skip(r, 4);
			continue;
		}
		break;
	}
	if (rd_left(r))
		r->bad = true;
	return false;
}

/* --- one key -------------------------------------------------------------------------------------------- */

static enum hash hash_of_enum(uint64_t v)	/* common.proto HashType */
{
	static const enum hash map[] = { HASH_NONE, HASH_SHA1, HASH_SHA384, HASH_SHA256, HASH_SHA512, HASH_SHA224 };

	return v < sizeof map / sizeof map[0] ? map[v] : HASH_NONE;
}

struct params {		/* as written, not judged */
	uint64_t seg, dk, hkdf, mac, tag;
};

static void read_hmac_params(struct params *p, struct slice s, struct rd *outer)
{
	struct rd r = rd_of(s);
	struct field f;

	while (next_field(&r, &f)) {
		if (f.number == 1 && !f.is_bytes)
			p->mac = f.value;
		else if (f.number == 2 && !f.is_bytes)
			p->tag = f.value;
	}
	outer->bad |= r.bad;
}

static void read_params(struct params *p, struct slice s, struct rd *outer)
{
	struct rd r = rd_of(s);
	struct field f;

	while (next_field(&r, &f)) {
		if (f.number == 1 && !f.is_bytes)
			p->seg = f.value;
		else if (f.number == 2 && !f.is_bytes)
			p->dk = f.value;
		else if (f.number == 3 && !f.is_bytes)
			p->hkdf = f.value;
		else if (f.number == 4 && f.is_bytes)
			read_hmac_params(p, f.bytes, &r);
	}
	outer->bad |= r.bad;
}

/* Limits: Tink's AesGcmHkdfStreamingKeyManager and AesCtrHmacStreamingKeyManager, validateParams. */
static int judge(struct tink_key *k, const struct params *p, size_t ikm_n, struct err *e)
{
	k->hkdf = hash_of_enum(p->hkdf);
	if (k->hkdf != HASH_SHA1 && k->hkdf != HASH_SHA256 && k->hkdf != HASH_SHA512)
		return err_set(e, EC_FORMAT, "key %u: HKDF hash %llu is not SHA1, SHA256 or SHA512", k->id,
			       (unsigned long long)p->hkdf);
	if (p->dk != 16 && p->dk != 32)
		return err_set(e, EC_FORMAT, "key %u: derived key size is %llu, not 16 or 32", k->id,
			       (unsigned long long)p->dk);
	k->dk = (uint32_t)p->dk;
	k->tag = GCM_TAG;
	if (k->ctr_hmac) {
		k->mac = hash_of_enum(p->mac);
		if (k->mac != HASH_SHA1 && k->mac != HASH_SHA256 && k->mac != HASH_SHA512)
			return err_set(e, EC_FORMAT, "key %u: HMAC hash %llu is not SHA1, SHA256 or SHA512", k->id,
				       (unsigned long long)p->mac);
		if (p->tag < 10 || p->tag > hash_size(k->mac))
			return err_set(e, EC_FORMAT, "key %u: tag size is %llu, not 10 to %zu", k->id,
				       (unsigned long long)p->tag, hash_size(k->mac));
		k->tag = (uint32_t)p->tag;
	}
	if (ikm_n < 16 || ikm_n < k->dk)
		return err_set(e, EC_FORMAT, "key %u: main key is %zu bytes, need at least %u", k->id, ikm_n,
			       k->dk > 16 ? k->dk : 16);
	if (p->seg <= tink_header_size(k) + k->tag)
		return err_set(e, EC_FORMAT, "key %u: segment size %llu has no room for header and tag", k->id,
			       (unsigned long long)p->seg);
	if (p->seg > SEG_MAX)
		return err_set(e, EC_ABSENT, "key %u: segment size %llu is over %u, the largest handled here", k->id,
			       (unsigned long long)p->seg, SEG_MAX);
	k->seg = (uint32_t)p->seg;
	return 0;
}

/* value: AesGcmHkdfStreamingKey or AesCtrHmacStreamingKey. */
static int read_key(struct tink_key *ret, uint32_t id, bool ctr_hmac, struct slice value, struct err *e)
{
	struct tink_key k = { .id = id, .ctr_hmac = ctr_hmac };
	struct params p = { 0 };
	struct slice ikm = { 0 };
	struct rd r = rd_of(value);
	uint64_t version = 0;
	struct field f;

	while (next_field(&r, &f)) {
		if (f.number == 1 && !f.is_bytes)
			version = f.value;
		else if (f.number == 2 && f.is_bytes)
			read_params(&p, f.bytes, &r);
		else if (f.number == 3 && f.is_bytes)
			ikm = f.bytes;
	}
	if (r.bad)
		return err_set(e, EC_FORMAT, "key %u: its value is not a protobuf message", id);
	if (version)
		return err_set(e, EC_FORMAT, "key %u: version is %llu, only 0 is known", id,
			       (unsigned long long)version);
	if (judge(&k, &p, ikm.n, e) || secret_from(&k.ikm, ikm, e))
		return -1;
	*ret = k;
	return 0;
}

/* --- the set, whatever it was written in ------------------------------------------------------------------ */

struct entry {		/* one key of the set, still as written */
	uint32_t id;
	uint64_t status;
	struct slice type_url, value;
};

struct builder {
	struct tink_keyset set;
	uint32_t primary;
	bool has_primary;	/* an enabled key has the primary id */
	size_t n_seen, n_enabled, n_foreign;
	char foreign[64];	/* type of a key that is not for streams */
};

static int add_key(struct builder *b, const struct entry *x, struct err *e)
{
	const bool gcm = slice_eqs(x->type_url, TYPE_GCM), ctr = slice_eqs(x->type_url, TYPE_CTR);
	struct tink_key k;

	if (++b->n_seen > TINK_MAX_KEYS)
		return err_set(e, EC_FORMAT, "keyset holds more than %d keys", TINK_MAX_KEYS);
	if (x->status < STATUS_ENABLED || x->status > STATUS_DESTROYED)
		return err_set(e, EC_FORMAT, "key %u: status %llu is not known", x->id,
			       (unsigned long long)x->status);
	if (x->status != STATUS_ENABLED)
		return 0;
	b->n_enabled++;
	if (x->id == b->primary && b->has_primary)
		return err_set(e, EC_FORMAT, "keyset has the primary key %u twice", x->id);
	if (!gcm && !ctr) {
		const size_t skip = sizeof TYPE_PREFIX - 1;
		const bool ours = x->type_url.n > skip && !memcmp(x->type_url.p, TYPE_PREFIX, skip);
		const size_t n = x->type_url.n - (ours ? skip : 0);

		b->n_foreign++;
		snprintf(b->foreign, sizeof b->foreign, "%.*s", n > 48 ? 48 : (int)n,
			 n ? (const char *)x->type_url.p + (ours ? skip : 0) : "");
		if (x->id == b->primary)
			b->has_primary = true;
		return 0;
	}
	if (read_key(&k, x->id, ctr, x->value, e))
		return -1;
	b->set.key[b->set.n++] = k;
	if (x->id != b->primary)
		return 0;
	b->has_primary = true;
	for (size_t i = b->set.n - 1; i > 0; i--)	/* to the front, the others keep their order */
		b->set.key[i] = b->set.key[i - 1];
	b->set.key[0] = k;
	return 0;
}

static int finish(struct tink_keyset *ret, struct builder *b, struct err *e)
{
	if (!b->n_seen)
		return err_set(e, EC_FORMAT, "keyset holds no key");
	if (!b->has_primary)
		return err_set(e, EC_FORMAT, "keyset names %u as primary key, but holds no enabled key of this id",
			       b->primary);
	if (!b->set.n)
		return err_set(e, EC_ABSENT, "keyset holds a key of type '%s', wanted a streaming AEAD key",
			       b->foreign);
	*ret = b->set;
	b->set.n = 0;
	return 0;
}

/* --- binary ----------------------------------------------------------------------------------------------- */

static int binary_key(struct builder *b, struct slice s, struct err *e)
{
	struct entry x = { 0 };
	struct rd r = rd_of(s);
	struct field f, g;

	while (next_field(&r, &f)) {
		if (f.number == 2 && !f.is_bytes)
			x.status = f.value;
		else if (f.number == 3 && !f.is_bytes)
			x.id = (uint32_t)f.value;
		else if (f.number == 1 && f.is_bytes) {
			struct rd d = rd_of(f.bytes);

			while (next_field(&d, &g)) {
				if (g.number == 1 && g.is_bytes)
					x.type_url = g.bytes;
				else if (g.number == 2 && g.is_bytes)
					x.value = g.bytes;
			}
			r.bad |= d.bad;
		}
	}
	if (r.bad)
		return err_set(e, EC_FORMAT, "key %zu of the keyset is not a protobuf message", b->n_seen + 1);
	return add_key(b, &x, e);
}

static int parse_binary(struct tink_keyset *ret, struct slice text, struct err *e)
{
	struct builder b = { 0 };
	struct rd r = rd_of(text);
	struct field f;
	int rc = 0;

	while (next_field(&r, &f))	/* the primary id may stand anywhere: first */
		if (f.number == 1 && !f.is_bytes)
			b.primary = (uint32_t)f.value;
	if (r.bad)
		return err_set(e, EC_FORMAT, "not a Tink keyset: neither JSON nor a protobuf message");
	r = rd_of(text);
	while (!rc && next_field(&r, &f))
		if (f.number == 2 && f.is_bytes)
			rc = binary_key(&b, f.bytes, e);
	rc = rc ? rc : finish(ret, &b, e);
	tink_keyset_free(&b.set);
	return rc;
}

/* --- JSON ------------------------------------------------------------------------------------------------- */

/* Unsigned 32-bit: number, or string of digits (both are proto3 JSON). */
static int json_u32(uint32_t *ret, const struct json *obj, const char *name, struct err *e)
{
	const struct json *j = json_get(obj, name);
	uint64_t v;

	if (json_u64(j, &v) && v <= UINT32_MAX) {
		*ret = (uint32_t)v;
		return 0;
	}
	if (!json_is_string(j) || parse_u64(&v, json_string(j), UINT32_MAX, NULL))
		return err_set(e, EC_FORMAT, "member '%s' of the keyset is not a 32-bit number", name);
	*ret = (uint32_t)v;
	return 0;
}

static uint64_t status_of(const struct json *j)
{
	static const char *const names[] = { "UNKNOWN_STATUS", "ENABLED", "DISABLED", "DESTROYED" };
	const char *s = json_string(j);
	uint64_t v;

	if (json_u64(j, &v))
		return v;
	for (unsigned i = 0; s && i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(s, names[i]))
			return i;
	return 0;
}

static int json_one_key(struct builder *b, const struct json *j, struct err *e)
{
	AUTO_SECRET value = { 0 };
	struct entry x = { .status = status_of(json_get(j, "status")) };
	const struct json *data;
	const char *type, *text;

	if (json_u32(&x.id, j, "keyId", e) || json_need_obj(&data, j, "keyData", "a key of the keyset", e) ||
	    json_need_str(&type, data, "typeUrl", "keyData", e))
		return -1;
	x.type_url = slice_str(type);
	if (x.status == STATUS_DESTROYED)
		return add_key(b, &x, e);
	if (json_need_str(&text, data, "value", "keyData", e))
		return -1;
	if (b64_decode_secret(&value, slice_str(text), e))
		return err_ctx(e, "key %u: value", x.id);
	x.value = secret_view(&value);
	return add_key(b, &x, e);
}

/* The tree holds key material as base64 text: overwritten before the memory is given back. */
static void wipe_values(const struct json *keys)
{
	for (const struct json *j = json_first(keys); j; j = json_next(j)) {
		const char *s = json_string(json_get(json_get(j, "keyData"), "value"));

		if (s)
			mem_wipe((void *)(uintptr_t)s, strlen(s));
	}
}

static int read_json(struct tink_keyset *ret, const struct json *j, struct err *e)
{
	struct builder b = { 0 };
	const struct json *keys;
	int rc = 0;

	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "Tink keyset is not a JSON object");
	if (json_get(j, "encryptedKeyset")) {
		err_set(e, EC_ABSENT, "the Tink keyset is encrypted, and cannot be opened here");
		return err_hint(
			e,
			"give it in clear, from a source that is protected itself (kbs:///, cred:, keyring:, fd:)");
	}
	if (json_u32(&b.primary, j, "primaryKeyId", e) || json_need_arr(&keys, j, "key", "the keyset", e))
		return -1;
	for (const struct json *k = json_first(keys); k && !rc; k = json_next(k))
		rc = json_one_key(&b, k, e);
	rc = rc ? rc : finish(ret, &b, e);
	tink_keyset_free(&b.set);
	return rc;
}

static int parse_json(struct tink_keyset *ret, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	int rc;

	if (json_parse(&j, text, KEYSET_MAX, e))
		return err_ctx(e, "Tink keyset");
	rc = read_json(ret, j, e);
	wipe_values(json_get(j, "key"));
	return rc;
}

bool tink_keyset_like(struct slice text)
{
	const struct slice t = slice_trim(text);
	struct rd r = rd_of(text);
	struct field f;

	if (!text.n || text.n > KEYSET_MAX)
		return false;
	if (t.n && t.p[0] == '{')
		return true;
	while (next_field(&r, &f))
		if (f.number > 2)
			return false;
	return !r.bad;
}

int tink_keyset_parse(struct tink_keyset *ret, struct slice text, struct err *e)
{
	const struct slice t = slice_trim(text);

	if (!text.n)
		return err_set(e, EC_FORMAT, "Tink keyset is empty");
	if (text.n > KEYSET_MAX)
		return err_set(e, EC_FORMAT, "Tink keyset is %zu bytes, at most %zu are read", text.n, KEYSET_MAX);
	return t.n && t.p[0] == '{' ? parse_json(ret, t, e) : parse_binary(ret, text, e);
}

/* --- making one ------------------------------------------------------------------------------------------- */

static const uint8_t value_head[] = {
	0x12, 8,				/* params: */
	0x08, 0x80, 0x80, 0x40,			/* ciphertext_segment_size 1048576 */
	0x10, 32, 0x18, 3,			/* derived_key_size 32, hkdf_hash_type SHA256 */
	0x1a, 32				/* key_value: */
};

int tink_keyset_new(struct secret *ret, struct err *e)
{
	uint8_t value[sizeof value_head + 32];
	struct buf b = { 0 };
	uint32_t id;
	int rc = -1;

	memcpy(value, value_head, sizeof value_head);
	if (host_random(value + sizeof value_head, 32, e) || host_random(&id, sizeof id, e))
		return -1;
	id &= 0x7fffffff;	/* some readers keep ids in a signed int */
	id |= !id;
	buf_fill(&b, 0, 1024);	/* all the room now: growing would leave copies of the key behind */
	buf_reset(&b);
	buf_printf(&b, "{\"primaryKeyId\":%u,\"key\":[{\"keyData\":{\"typeUrl\":\"%s\",\"value\":\"", id, TYPE_GCM);
	b64_encode(&b, slice_of(value, sizeof value));
	buf_printf(&b, "\",\"keyMaterialType\":\"SYMMETRIC\"},\"status\":\"ENABLED\",\"keyId\":%u,"
		   "\"outputPrefixType\":\"RAW\"}]}\n", id);
	if (!buf_check(&b, e))
		rc = secret_from(ret, buf_view(&b), e);
	mem_wipe(value, sizeof value);
	if (b.p)
		mem_wipe(b.p, b.cap);
	buf_free(&b);
	return rc;
}
