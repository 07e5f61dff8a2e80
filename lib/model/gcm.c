/* SPDX-License-Identifier: Apache-2.0 */
/* Nonce-prefixed AES-GCM (`fenc`): nonce (12) || ciphertext || tag (16), one message, no associated data.
 * Model-formats.md 3. Nothing is authentic before the last byte was read, and nothing in the file tells that it is
 * one: it has to be named. */

#include "crypto/aead.h"
#include "model/container.h"

#define NONCE 12
#define SEGMENT ((size_t)1 << 20)
#define MESSAGE_MAX ((UINT64_C(1) << 36) - 32)	/* SP 800-38D 5.2.1.1 */

struct state {
	struct gcm gcm;
	uint64_t done;
};

static void state_free(void *state)
{
	struct state *s = state;

	gcm_free(&s->gcm);
	free(s);
}

static int work(const struct container *c, void *worker, struct piece *p, struct err *e)
{
	struct state *s = c->state;
	size_t n = p->in_n;

	(void)worker;
	if (p->last) {
		if (n < GCM_TAG)
			return err_set(e, EC_FORMAT, "the file is cut: it ends before its %d-byte tag", GCM_TAG);
		n -= GCM_TAG;
	}
	if (n > MESSAGE_MAX - s->done)
		return err_set(e, EC_FORMAT, "the message is longer than AES-GCM allows (64 GiB)");
	s->done += n;
	if (n && gcm_open_some(&s->gcm, slice_of(p->in, n), p->out, e))
		return -1;
	p->out_n = n;
	if (p->last && gcm_open_end(&s->gcm, p->in + n, e)) {
		if (!e || e->code != EC_REFUSED)
			return -1;
		err_set(e, EC_REFUSED, "the message is not authentic");
		return err_hint(e, "another key, or the file was changed or cut");
	}
	return 0;
}

static int gcm_open_container(struct container *c, struct input *in, const struct secret *key,
			      const struct model_opts *o, struct err *e)
{
	const size_t task = o->task_bytes ? (o->task_bytes + 15) / 16 * 16 : SEGMENT;
	struct state *s = calloc(1, sizeof *s);
	struct slice head;

	if (!s)
		return err_oom(e);
	c->state = s;
	c->state_free = state_free;
	if (key->n != 16 && key->n != 24 && key->n != 32) {
		err_set(e, EC_FORMAT, "the key is %zu bytes, AES-GCM takes 16, 24 or 32", key->n);
		return err_hint(e, "the key file has to hold the raw bytes, without base64, hex or a line end");
	}
	if (input_peek(&head, in, NONCE, e))
		return -1;
	if (head.n < NONCE)
		return err_set(e, EC_FORMAT, "'%s' is %zu bytes, a nonce alone is %d", in->name, head.n, NONCE);
	if (gcm_init(&s->gcm, secret_view(key), e) || gcm_open_start(&s->gcm, head, slice_of(NULL, 0), e))
		return -1;
	c->in = (struct layout){ .head = NONCE, .first = (uint32_t)task, .seg = (uint32_t)task, .trail = GCM_TAG };
	c->out = (struct layout){ .head = 0, .first = (uint32_t)task, .seg = (uint32_t)task };
	c->serial = c->whole = true;
	c->work = work;
	snprintf(c->cipher, sizeof c->cipher, "aes-%zu-gcm", key->n * 8);
	return 0;
}

static bool gcm_detect(struct slice head, const struct secret *key)
{
	(void)head, (void)key;
	return false;
}

const struct container_format format_gcm = {
	.name = "gcm", .authenticated = true, .detect = gcm_detect, .open = gcm_open_container,
};
