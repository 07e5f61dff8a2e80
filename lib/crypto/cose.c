/* SPDX-License-Identifier: Apache-2.0 */
/* COSE: see cose.h. */

#include "crypto/cose.h"

#define TAG_SIGN1 18
enum { HDR_ALG = 1, HDR_CRIT = 2 };
enum { COSE_KTY = 1, COSE_KEY_ALG = 3, COSE_CRV = -1, COSE_X = -2, COSE_Y = -3, KTY_EC2 = 2 };

static const struct alg {
	int64_t id;
	enum key_type key;
	enum hash hash;
	int64_t curve;
	const char *name;
} algs[] = {
	{ -7, KEY_EC_P256, HASH_SHA256, 1, "ES256" },
	{ -35, KEY_EC_P384, HASH_SHA384, 2, "ES384" },
	{ -36, KEY_EC_P521, HASH_SHA512, 3, "ES512" },
};

static const struct alg *alg_by_id(int64_t id)
{
	for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
		if (algs[i].id == id)
			return &algs[i];
	return NULL;
}

static const struct alg *alg_by_key(enum key_type t)
{
	for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
		if (algs[i].key == t)
			return &algs[i];
	return NULL;
}

const char *cose_alg_name(enum key_type t)
{
	const struct alg *a = alg_by_key(t);

	return a ? a->name : "unknown";
}

static int read_headers(const struct alg **ret, struct slice protected_header, const struct cbor *open, struct err *e)
{
	struct cbor h, v;
	int64_t id;

	if (cbor_parse(&h, protected_header, e))
		return err_ctx(e, "protected header of COSE_Sign1");
	if (h.type != CBOR_MAP)
		return err_set(e, EC_FORMAT, "protected header of COSE_Sign1 is no map");
	if (cbor_find(&h, HDR_CRIT, &v) || cbor_find(open, HDR_CRIT, &v))
		return err_set(e, EC_FORMAT, "COSE_Sign1 has critical headers, none is understood");
	if (cbor_find(open, HDR_ALG, &v))
		return err_set(e, EC_FORMAT, "COSE_Sign1 names an algorithm outside its protected header");
	if (!cbor_find(&h, HDR_ALG, &v) || !cbor_int(&v, &id))
		return err_set(e, EC_FORMAT, "COSE_Sign1 names no algorithm in its protected header");
	*ret = alg_by_id(id);
	return *ret ? 0 : err_set(e, EC_FORMAT, "COSE algorithm is %lld, wanted -7 (ES256), -35 (ES384) or -36 (ES512)", (long long)id);
}

int cose_sign1_parse(struct cose_sign1 *ret, struct slice in, struct err *e)
{
	struct cbor all, v[4];
	const struct alg *a;
	struct rd r;

	if (cbor_parse(&all, in, e))
		return -1;
	if (all.type == CBOR_TAG && !cbor_untag(&all, TAG_SIGN1))
		return err_set(e, EC_FORMAT, "CBOR tag is %llu, wanted 18 (COSE_Sign1)", (unsigned long long)all.n);
	if (all.type != CBOR_ARRAY || all.n != 4)
		return err_set(e, EC_FORMAT, "COSE_Sign1 is no array of four");
	r = cbor_open(&all);
	for (size_t i = 0; i < 4; i++)
		if (!cbor_next(&r, &v[i]))
			return err_set(e, EC_FORMAT, "COSE_Sign1 is no array of four");
	if (v[0].type != CBOR_BYTES || v[1].type != CBOR_MAP || v[2].type != CBOR_BYTES || v[3].type != CBOR_BYTES)
		return err_set(e, EC_FORMAT, "COSE_Sign1 is not made of bytes, map, bytes, bytes");
	if (read_headers(&a, v[0].body, &v[1], e))
		return -1;
	*ret = (struct cose_sign1){ .key = a->key, .hash = a->hash, .protected_header = v[0].body, .payload = v[2].body,
				    .signature = v[3].body };
	return 0;
}

/* Sig_structure of RFC 9052 4.4, digested. */
static int to_be_signed(uint8_t *ret, enum hash h, struct slice protected_header, struct slice payload, struct err *e)
{
	AUTO_HASHER s = { 0 };
	AUTO_BUF b = { 0 };

	cbor_put_head(&b, CBOR_ARRAY, 4);
	cbor_put_text(&b, "Signature1");
	cbor_put_bytes(&b, protected_header);
	cbor_put_bytes(&b, (struct slice){ 0 });
	cbor_put_head(&b, CBOR_BYTES, payload.n);
	return buf_check(&b, e) || hasher_init(&s, h, e) || hasher_add(&s, buf_view(&b), e) || hasher_add(&s, payload, e) ||
	       hasher_end(&s, ret, e) ? -1 : 0;
}

int cose_sign1_verify(const struct cose_sign1 *s, const struct pubkey *k, struct err *e)
{
	uint8_t digest[HASH_MAX];

	if (k->type != s->key)
		return err_set(e, EC_REFUSED, "%s is signed by an %s key, this is an %s key", cose_alg_name(s->key),
			       key_type_name(s->key), key_type_name(k->type));
	if (to_be_signed(digest, s->hash, s->protected_header, s->payload, e))
		return -1;
	return sig_verify(k, SIG_ECDSA_RAW, s->hash, slice_of(digest, hash_size(s->hash)), s->signature, e);
}

int cose_sign1_make(struct buf *ret, const struct privkey *k, struct slice payload, struct err *e)
{
	const struct alg *a = alg_by_key(k->type);
	AUTO_BUF head = { 0 }, msg = { 0 }, sig = { 0 };

	if (!a)
		return err_set(e, EC_USAGE, "COSE_Sign1 is made with EC keys, not %s", key_type_name(k->type));
	cbor_put_head(&head, CBOR_MAP, 1);
	cbor_put_int(&head, HDR_ALG);
	cbor_put_int(&head, a->id);
	cbor_put_head(&msg, CBOR_ARRAY, 4);
	cbor_put_text(&msg, "Signature1");
	cbor_put_bytes(&msg, buf_view(&head));
	cbor_put_bytes(&msg, (struct slice){ 0 });
	cbor_put_bytes(&msg, payload);
	if (buf_check(&head, e) || buf_check(&msg, e) || sig_sign(&sig, k, SIG_ECDSA_RAW, a->hash, buf_view(&msg), e))
		return -1;
	cbor_put_head(ret, CBOR_TAG, TAG_SIGN1);
	cbor_put_head(ret, CBOR_ARRAY, 4);
	cbor_put_bytes(ret, buf_view(&head));
	cbor_put_head(ret, CBOR_MAP, 0);
	cbor_put_bytes(ret, payload);
	cbor_put_bytes(ret, buf_view(&sig));
	return buf_check(ret, e);
}

static const struct alg *curve_of(const struct cbor *key)
{
	struct cbor v;
	int64_t n;

	if (!cbor_find(key, COSE_CRV, &v) || !cbor_int(&v, &n))
		return NULL;
	for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
		if (algs[i].curve == n)
			return &algs[i];
	return NULL;
}

int cose_key_parse(struct pubkey *ret, struct slice in, struct err *e)
{
	struct cbor key, v, x, y;
	const struct alg *a;
	int64_t n;

	if (cbor_parse(&key, in, e))
		return err_ctx(e, "COSE_Key");
	if (!cbor_find(&key, COSE_KTY, &v) || !cbor_int(&v, &n) || n != KTY_EC2)
		return err_set(e, EC_FORMAT, "COSE_Key is not of type EC2 (2)");
	a = curve_of(&key);
	if (!a)
		return err_set(e, EC_FORMAT, "COSE_Key is on a curve other than P-256, P-384 and P-521");
	if (cbor_find(&key, COSE_KEY_ALG, &v) && (!cbor_int(&v, &n) || n != a->id))
		return err_set(e, EC_FORMAT, "COSE_Key is for another algorithm than %s, which its curve asks for", a->name);
	if (!cbor_find(&key, COSE_X, &x) || !cbor_find(&key, COSE_Y, &y) || x.type != CBOR_BYTES || y.type != CBOR_BYTES)
		return err_set(e, EC_FORMAT, "COSE_Key does not have both coordinates in full");
	if (x.body.n != key_type_coord(a->key) || y.body.n != key_type_coord(a->key))
		return err_set(e, EC_FORMAT, "coordinates of COSE_Key are %zu and %zu bytes, wanted %zu", x.body.n, y.body.n,
			       key_type_coord(a->key));
	return pubkey_from_ec(ret, a->key, x.body, y.body, e);
}

int cose_key_write(struct buf *ret, const struct pubkey *k, struct err *e)
{
	const struct alg *a = alg_by_key(k->type);
	uint8_t x[66], y[66];

	if (!a)
		return err_set(e, EC_USAGE, "COSE_Key is written for EC keys, not %s", key_type_name(k->type));
	if (pubkey_ec_xy(x, y, k, e))
		return -1;
	cbor_put_head(ret, CBOR_MAP, 4);
	cbor_put_int(ret, COSE_KTY);
	cbor_put_int(ret, KTY_EC2);
	cbor_put_int(ret, COSE_CRV);
	cbor_put_int(ret, a->curve);
	cbor_put_int(ret, COSE_X);
	cbor_put_bytes(ret, slice_of(x, key_type_coord(a->key)));
	cbor_put_int(ret, COSE_Y);
	cbor_put_bytes(ret, slice_of(y, key_type_coord(a->key)));
	return buf_check(ret, e);
}
