/* SPDX-License-Identifier: Apache-2.0 */
/* CCA tokens for tests: see cca_maker.h. */

#include "cca_maker.h"
#include "test.h"

const struct privkey *cca_key(enum key_type t, int which)
{
	static struct privkey keys[KEY_RSA][3];
	struct privkey *k = &keys[t][which];

	if (!k->ctx)
		WORKS(privkey_generate(k, t, 0, &e));
	return k;
}

void cca_public(struct pubkey *ret, enum key_type t, int which)
{
	WORKS(privkey_public(ret, cca_key(t, which), &e));
}

static void put_filled(struct buf *b, int64_t label, uint8_t v, size_t n)
{
	cbor_put_int(b, label);
	cbor_put_head(b, CBOR_BYTES, n);
	buf_fill(b, v, n);
}

static void put_word(struct buf *b, int64_t label, const char *s)
{
	cbor_put_int(b, label);
	cbor_put_text(b, s);
}

static void put_blob(struct buf *b, int64_t label, struct slice s)
{
	cbor_put_int(b, label);
	cbor_put_bytes(b, s);
}

/* Pairs are written one by one, so that one can be left out. */
struct pairs {
	struct buf b;
	size_t n;
	int seen, skip;
	size_t start;
};

static struct buf *pair(struct pairs *p)
{
	p->start = p->b.n;
	p->seen++;
	return &p->b;
}

static void pair_end(struct pairs *p)
{
	if (p->seen == p->skip)
		p->b.n = p->start;
	else
		p->n++;
}
#define PAIR(p, call) do { struct buf *b = pair(p); call; pair_end(p); } while (0)

static void seal(struct buf *ret, struct pairs *p, const struct privkey *k)
{
	AUTO_BUF payload = { 0 };

	cbor_put_head(&payload, CBOR_MAP, p->n);
	buf_slice(&payload, buf_view(&p->b));
	WORKS(cose_sign1_make(ret, k, buf_view(&payload), &e));
	buf_free(&p->b);
}

static void realm_key(struct buf *ret, const struct cca_make *m, enum key_type t)
{
	AUTO_PUBKEY k = { 0 };
	uint8_t x[66], y[66];

	cca_public(&k, t, 1);
	if (m->wrapped) {
		WORKS(cose_key_write(ret, &k, &e));
		return;
	}
	WORKS(pubkey_ec_xy(x, y, &k, &e));
	buf_byte(ret, 4);
	buf_put(ret, x, key_type_coord(t));
	buf_put(ret, y, key_type_coord(t));
}

static void components(struct buf *b, size_t n)
{
	cbor_put_int(b, 2399);
	cbor_put_head(b, CBOR_ARRAY, n);
	for (size_t i = 0; i < n; i++) {
		cbor_put_head(b, CBOR_MAP, 5);
		put_word(b, 1, "BL");
		put_filled(b, 2, (uint8_t)i, 32);
		put_word(b, 4, "1.2");
		put_filled(b, 5, 0x55, 32);
		put_word(b, 6, "sha-256");
	}
}

static void platform(struct buf *ret, const struct cca_make *m, enum key_type t, struct slice key)
{
	struct pairs p = { .skip = m->skip };
	uint8_t nonce[32], instance[33] = { 1, m->instance };

	WORKS(hash_of(nonce, HASH_SHA256, key, &e));
	if (m->other_binding)
		nonce[31] ^= 1;
	PAIR(&p, put_word(b, 265, m->profile ? m->profile : m->wrapped ? "tag:arm.com,2023:cca_platform#1.0.0" : "http://arm.com/CCA-SSD/1.0.0"));
	PAIR(&p, put_blob(b, 10, slice_of(nonce, 32)));
	PAIR(&p, put_filled(b, 2396, 0x7f, 32));
	PAIR(&p, put_blob(b, 256, slice_of(instance, 33)));
	PAIR(&p, put_filled(b, 2401, 0xcf, 4));
	PAIR(&p, (cbor_put_int(b, 2395), cbor_put_int(b, m->lifecycle ? m->lifecycle : 0x3003)));
	PAIR(&p, put_word(b, 2402, "sha-256"));
	PAIR(&p, components(b, m->components ? m->components : 2));
	PAIR(&p, put_word(b, 2400, "https://verifier.example"));
	seal(ret, &p, cca_key(t, m->platform_by_other ? 2 : 0));
}

static void realm(struct buf *ret, const struct cca_make *m, enum key_type t, struct slice key)
{
	struct pairs p = { .skip = -m->skip };
	uint8_t challenge[64] = { 0 };

	if (m->challenge_n)
		memcpy(challenge, m->challenge, m->challenge_n);
	PAIR(&p, put_blob(b, 10, slice_of(challenge, 64)));
	PAIR(&p, put_filled(b, 44235, 0x11, 64));
	PAIR(&p, put_word(b, 44236, "sha-256"));
	PAIR(&p, put_blob(b, 44237, key));
	PAIR(&p, put_filled(b, 44238, 0x22, 32));
	PAIR(&p, (cbor_put_int(b, 44239), cbor_put_head(b, CBOR_ARRAY, 4), cbor_put_bytes(b, slice_of(challenge, 32)),
		  cbor_put_bytes(b, slice_of(challenge, 32)), cbor_put_bytes(b, slice_of(challenge, 32)), cbor_put_bytes(b, slice_of(challenge, 32))));
	PAIR(&p, put_word(b, 44240, m->key_hash ? m->key_hash : "sha-256"));
	if (m->wrapped)
		PAIR(&p, put_word(b, 265, "tag:arm.com,2023:realm#1.0.0"));
	seal(ret, &p, cca_key(t, m->realm_by_other ? 2 : 1));
}

static void join_part(struct buf *ret, bool wrapped, int64_t label, struct slice part)
{
	cbor_put_int(ret, label);
	if (wrapped) {
		cbor_put_head(ret, CBOR_ARRAY, 2);
		cbor_put_int(ret, 263);
	}
	cbor_put_bytes(ret, part);
}

void cca_join(struct buf *ret, bool wrapped, struct slice p, struct slice r)
{
	cbor_put_head(ret, CBOR_TAG, wrapped ? 907 : 399);
	cbor_put_head(ret, CBOR_MAP, 2);
	join_part(ret, wrapped, 44234, p);
	join_part(ret, wrapped, 44241, r);
}

void cca_make(struct buf *ret, const struct cca_make *m)
{
	const enum key_type t = m->key ? m->key : KEY_EC_P384;
	AUTO_BUF key = { 0 }, p = { 0 }, r = { 0 };

	realm_key(&key, m, t);
	platform(&p, m, t, buf_view(&key));
	realm(&r, m, t, buf_view(&key));
	cca_join(ret, m->wrapped, buf_view(&p), buf_view(&r));
}
