/* SPDX-License-Identifier: Apache-2.0 */
/* Tink streaming AEAD: AES-GCM-HKDF (read and written) and AES-CTR-HMAC (read).  Model-formats.md 2.
 *
 * File: header length (1) || salt (dk) || nonce prefix (7) || segments.  Segment i lies at i*S, segment 0 behind
 * the header. Each has its own tag; its nonce holds its number and whether it is the last one, so that segments can
 * be opened in any order and none can be exchanged, dropped or cut off. */

#include "base/cursor.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "model/container.h"
#include "model/tink_keyset.h"

#define HMAC_KEY 32
#define DK_MAX 32

struct tink {
	struct secret key;	/* derived for this stream: AES key, then (CTR-HMAC) HMAC key */
	uint32_t dk, tag;
	enum hash mac;
	uint8_t prefix[TINK_PREFIX];
	bool seal;
};

static void tink_free(void *state)
{
	struct tink *t = state;

	secret_wipe(&t->key);
	free(t);
}

static void describe(struct container *c, const struct tink_key *k)
{
	if (k->ctr_hmac)
		snprintf(c->cipher, sizeof c->cipher, "aes%u-ctr-hmac-%s, %u-byte segments", k->dk * 8,
			 hash_name(k->mac), k->seg);
	else
		snprintf(c->cipher, sizeof c->cipher, "aes%u-gcm-hkdf-%s, %u-byte segments", k->dk * 8,
			 hash_name(k->hkdf), k->seg);
	c->has_key_id = true;
	c->key_id = k->id;
}

/* --- one segment ------------------------------------------------------------------------------------------ */

static int worker_new(void **ret, const struct container *c, struct err *e)
{
	const struct tink *t = c->state;
	struct gcm *g = calloc(1, sizeof *g);

	if (!g)
		return err_oom(e);
	if (gcm_init(g, slice_of(t->key.p, t->dk), e)) {
		free(g);
		return -1;
	}
	*ret = g;
	return 0;
}

static void worker_free(void *worker)
{
	gcm_free(worker);
	free(worker);
}

static void nonce_of(uint8_t ret[static 12], const struct tink *t, const struct piece *p)
{
	memcpy(ret, t->prefix, TINK_PREFIX);
	put_be32(ret + TINK_PREFIX, (uint32_t)p->i);
	ret[11] = p->last;
}

static int check_place(const struct tink *t, const struct piece *p, struct err *e)
{
	if (p->i >= UINT32_MAX)
		return err_set(e, EC_FORMAT, "stream has more than %u segments", UINT32_MAX);
	if (!t->seal && p->in_n < t->tag)
		return err_set(e, EC_REFUSED, "segment %llu is cut: %zu bytes, less than its tag",
			       (unsigned long long)p->i, p->in_n);
	return 0;
}

static int refused(const struct piece *p, struct err *e)
{
	if (!p->i) {
		err_set(e, EC_REFUSED, "segment 0 is not authentic");
		return err_hint(e, "another key, other associated data (a file out of a folder has its path as "
				   "--aad-file), or it was changed or cut");
	}
	err_set(e, EC_REFUSED, "segment %llu%s is not authentic", (unsigned long long)p->i,
		p->last ? " (the last one)" : "");
	return err_hint(e, p->last ? "the file was cut, or changed, after it was encrypted" :
			"the file was changed after it was encrypted");
}

static int gcm_work(const struct container *c, void *worker, struct piece *p, struct err *e)
{
	const struct tink *t = c->state;
	uint8_t iv[12];
	size_t n;

	if (check_place(t, p, e))
		return -1;
	nonce_of(iv, t, p);
	if (t->seal) {
		p->out_n = p->in_n + GCM_TAG;
		return gcm_seal(worker, slice_of(iv, sizeof iv), slice_of(NULL, 0), slice_of(p->in, p->in_n), p->out,
				p->out + p->in_n, e);
	}
	n = p->in_n - GCM_TAG;
	if (gcm_open(worker, slice_of(iv, sizeof iv), slice_of(NULL, 0), slice_of(p->in, n), p->out, p->in + n, e))
		return e && e->code != EC_REFUSED ? -1 : refused(p, e);
	p->out_n = n;
	return 0;
}

/* tag = HMAC(nonce block || ciphertext): the block is put in front of the segment, where the pipeline leaves room. */
static int ctr_work(const struct container *c, void *worker, struct piece *p, struct err *e)
{
	const struct tink *t = c->state;
	uint8_t iv[16] = { 0 }, tag[HASH_MAX];
	AUTO_AES aes = { 0 };
	size_t n;

	(void)worker;
	if (check_place(t, p, e))
		return -1;
	n = p->in_n - t->tag;
	nonce_of(iv, t, p);
	memcpy(p->in - sizeof iv, iv, sizeof iv);
	if (hmac(tag, t->mac, slice_of(t->key.p + t->dk, HMAC_KEY), slice_of(p->in - sizeof iv, sizeof iv + n), e))
		return -1;
	if (!mem_eq_ct(tag, p->in + n, t->tag))
		return refused(p, e);
	if (aes_init(&aes, AES_CTR, slice_of(t->key.p, t->dk), iv, e) ||
	    aes_some(&aes, slice_of(p->in, n), p->out, e))
		return -1;
	p->out_n = n;
	return 0;
}

/* --- opening and creating ----------------------------------------------------------------------------------- */

/* Fills the container for one key and one header. */
static int set_up(struct container *c, const struct tink_key *k, const uint8_t *header, bool seal, struct slice aad,
		  struct err *e)
{
	const uint32_t h = tink_header_size(k);
	const struct layout cipher = { .head = h, .first = k->seg - h, .seg = k->seg };
	const struct layout plain = { .head = 0, .first = k->seg - h - k->tag, .seg = k->seg - k->tag };
	struct tink *t = calloc(1, sizeof *t);

	if (!t)
		return err_oom(e);
	c->state = t;
	c->state_free = tink_free;
	t->dk = k->dk;
	t->tag = k->tag;
	t->mac = k->mac;
	t->seal = seal;
	memcpy(t->prefix, header + 1 + k->dk, TINK_PREFIX);
	if (secret_alloc(&t->key, k->dk + (k->ctr_hmac ? HMAC_KEY : 0), e) ||
	    hkdf(t->key.p, t->key.n, k->hkdf, secret_view(&k->ikm), slice_of(header + 1, k->dk), aad, e))
		return -1;
	describe(c, k);
	c->in = seal ? plain : cipher;
	c->out = seal ? cipher : plain;
	c->work = k->ctr_hmac ? ctr_work : gcm_work;
	if (!k->ctr_hmac) {
		c->worker_new = worker_new;
		c->worker_free = worker_free;
	}
	return 0;
}

/* Does this key open segment 0?  Needs the whole segment, and one byte more to see whether it is the last. */
static int try_key(bool *fits, const struct container *c, const struct tink_key *k, struct input *in, struct err *e)
{
	const uint32_t h = tink_header_size(k);
	struct piece p = { 0 };
	struct err why = { 0 };
	void *worker = NULL;
	struct slice s;
	uint8_t *copy;
	int rc;

	if (input_peek(&s, in, (size_t)k->seg + 1, e))
		return -1;
	copy = malloc(PIECE_LEAD + k->seg);
	if (!copy)
		return err_oom(e);
	p.last = s.n <= k->seg;
	p.in = p.out = copy + PIECE_LEAD;
	p.in_n = (p.last ? s.n : k->seg) - h;
	memcpy(p.in, s.p + h, p.in_n);
	rc = c->worker_new ? c->worker_new(&worker, c, e) : 0;
	if (!rc) {
		*fits = !c->work(c, worker, &p, &why);
		if (!*fits && why.code != EC_REFUSED) {
			rc = -1;
			if (e)
				*e = why;
		}
	}
	if (worker)
		c->worker_free(worker);
	mem_wipe(copy, PIECE_LEAD + k->seg);
	free(copy);
	return rc;
}

static int header_error(const struct input *in, struct slice head, const struct tink_keyset *set, struct err *e)
{
	const uint32_t want = tink_header_size(&set->key[0]);

	if (!head.n)
		return err_set(e, EC_FORMAT, "'%s' is empty, a Tink stream has at least %u bytes", in->name,
			       want + set->key[0].tag);
	if (head.p[0] == want)
		return err_set(e, EC_FORMAT, "'%s' is %zu bytes, a Tink stream of this key has at least %u",
			       in->name, head.n, want + set->key[0].tag);
	err_set(e, EC_FORMAT, "'%s' begins with header length %u, a Tink stream of this key with %u", in->name,
		head.p[0], want);
	return err_hint(e, "is it a Tink stream, and made with this key?");
}

static int tink_open(struct container *ret, struct input *in, const struct secret *key, const struct model_opts *o,
		     struct err *e)
{
	AUTO_KEYSET set = { .n = 0 };
	const struct tink_key *fit[TINK_MAX_KEYS];
	struct slice head;
	size_t n = 0;

	if (tink_keyset_parse(&set, secret_view(key), e))
		return err_ctx(e, "cannot use the key");
	if (input_peek(&head, in, 1 + DK_MAX + TINK_PREFIX + HASH_MAX, e))
		return -1;
	for (size_t i = 0; i < set.n; i++)
		if (head.n >= tink_header_size(&set.key[i]) + set.key[i].tag &&
		    head.p[0] == tink_header_size(&set.key[i]))
			fit[n++] = &set.key[i];
	if (!n)
		return header_error(in, head, &set, e);
	for (size_t i = 0; i < n; i++) {
		AUTO_CONTAINER c = { .format = ret->format };
		bool fits = n == 1;	/* nothing to choose: the first segment will tell */

		if (input_peek(&head, in, tink_header_size(fit[i]), e) ||
		    set_up(&c, fit[i], head.p, false, o->aad, e) || (n > 1 && try_key(&fits, &c, fit[i], in, e)))
			return -1;
		if (fits) {
			*ret = c;
			c = (struct container){ 0 };
			return 0;
		}
	}
	err_set(e, EC_REFUSED, "none of the %zu keys in the keyset opens segment 0 of '%s'", n, in->name);
	return err_hint(e, "another key, other associated data, or the file was changed or cut");
}

/* First byte 0x18 or 0x28 is only a hint: the key has to be a keyset, too. */
static bool tink_detect(struct slice head, const struct secret *key)
{
	return head.n && (head.p[0] == 1 + 16 + TINK_PREFIX || head.p[0] == 1 + 32 + TINK_PREFIX) &&
	       tink_keyset_like(secret_view(key));
}

int tink_create(struct container *ret, const struct secret *keyset, const struct model_opts *o, struct err *e)
{
	AUTO_KEYSET set = { .n = 0 };
	AUTO_CONTAINER c = { .format = &format_tink };

	if (tink_keyset_parse(&set, secret_view(keyset), e))
		return err_ctx(e, "cannot use the key");
	if (set.key[0].ctr_hmac)
		return err_set(e, EC_ABSENT, "key %u is AES-CTR-HMAC: such files can be read, not written",
			       set.key[0].id);
	c.header_n = tink_header_size(&set.key[0]);
	c.header[0] = (uint8_t)c.header_n;
	if (host_random(c.header + 1, c.header_n - 1, e) || set_up(&c, &set.key[0], c.header, true, o->aad, e))
		return -1;
	*ret = c;
	c = (struct container){ 0 };
	return 0;
}

const struct container_format format_tink = {
	.name = "tink", .authenticated = true, .detect = tink_detect, .open = tink_open,
};
