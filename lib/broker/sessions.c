/* SPDX-License-Identifier: Apache-2.0 */
/* See sessions.h */

#include <pthread.h>
#include <stdlib.h>

#include "base/host.h"
#include "broker/sessions.h"
#include "codec/hex64.h"

enum state { FREE, FRESH, TAKEN, ATTESTED };

struct entry {
	enum state state;
	struct session s;
	int64_t ends;
	struct buf token;
};

struct sessions {
	pthread_mutex_t lock;
	int64_t lifetime_ms;
	int64_t (*mono_ms)(void);
	unsigned n;
	struct entry v[];
};

static void clear(struct entry *en)
{
	if (en->token.p)
		mem_wipe(en->token.p, en->token.n);
	buf_free(&en->token);
	*en = (struct entry){ 0 };
}

int sessions_new(struct sessions **ret, unsigned max, int64_t lifetime_ms, int64_t (*mono_ms)(void), struct err *e)
{
	struct sessions *t = calloc(1, sizeof *t + max * sizeof *t->v);

	if (!t)
		return err_oom(e);
	pthread_mutex_init(&t->lock, NULL);
	t->n = max;
	t->lifetime_ms = lifetime_ms;
	t->mono_ms = mono_ms;
	*ret = t;
	return 0;
}

void sessions_free(struct sessions *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->n; i++)
		clear(&t->v[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* A free or expired place, else that of the oldest session that has not attested.  Lock held. */
static struct entry *place(struct sessions *t)
{
	const int64_t now = t->mono_ms();
	struct entry *oldest = NULL;

	for (unsigned i = 0; i < t->n; i++) {
		struct entry *en = &t->v[i];

		if (en->state == FREE || en->ends <= now)
			return en;
		if (en->state != ATTESTED && (!oldest || en->ends < oldest->ends))
			oldest = en;
	}
	return oldest;
}

static int text_of(char *ret, size_t n, void (*encode)(struct buf *, struct slice), struct slice bytes, struct err *e)
{
	AUTO_BUF b = { 0 };

	encode(&b, bytes);
	if (buf_check(&b, e))
		return -1;
	if (b.n != n)
		return err_set(e, EC_BUG, "encoded %zu bytes, wanted %zu", b.n, n);
	memcpy(ret, b.p, n + 1);
	return 0;
}

int sessions_start(struct session *ret, struct sessions *t, const char *tee, struct err *e)
{
	uint8_t id[SESSION_ID / 2], nonce[32];
	struct session s = { 0 };
	struct entry *en;

	if (host_random(id, sizeof id, e) || host_random(nonce, sizeof nonce, e) ||
	    text_of(s.id, SESSION_ID, hex_encode, (struct slice){ id, sizeof id }, e) ||
	    text_of(s.nonce, SESSION_NONCE, b64_encode, (struct slice){ nonce, sizeof nonce }, e))
		return -1;
	snprintf(s.tee, sizeof s.tee, "%s", tee);
	pthread_mutex_lock(&t->lock);
	en = place(t);
	if (en) {
		clear(en);
		*en = (struct entry){ .state = FRESH, .s = s, .ends = t->mono_ms() + t->lifetime_ms };
	}
	pthread_mutex_unlock(&t->lock);
	if (!en)
		return err_set(e, EC_IO, "all %u sessions are in use", t->n);
	*ret = s;
	return 0;
}

/* Walks the whole table in any case and compares in constant time: an id is as good as a password.  Lock held. */
static struct entry *find(struct sessions *t, struct slice id)
{
	struct entry *found = NULL;

	if (id.n != SESSION_ID)
		return NULL;
	for (unsigned i = 0; i < t->n; i++)
		if (t->v[i].state != FREE && mem_eq_ct(t->v[i].s.id, id.p, SESSION_ID))
			found = &t->v[i];
	if (found && found->ends <= t->mono_ms()) {
		clear(found);
		found = NULL;
	}
	return found;
}

int sessions_take(struct session *ret, struct sessions *t, struct slice id, struct err *e)
{
	struct entry *en;
	bool used = false;

	pthread_mutex_lock(&t->lock);
	en = find(t, id);
	if (en && en->state == FRESH) {
		en->state = TAKEN;
		*ret = en->s;
	} else {
		used = en;
		en = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	if (en)
		return 0;
	return used ? err_set(e, EC_REFUSED, "the nonce of this session was used already") :
		      err_set(e, EC_REFUSED, "no such session, or it is older than %d seconds", (int)(t->lifetime_ms / 1000));
}

int sessions_attested(struct sessions *t, const struct session *s, struct slice token, struct err *e)
{
	struct entry *en;
	int rc = -1;

	pthread_mutex_lock(&t->lock);
	en = find(t, slice_str(s->id));
	if (en && en->state == TAKEN) {
		buf_slice(&en->token, token);
		rc = buf_check(&en->token, e);
		if (!rc)
			en->state = ATTESTED;
	} else {
		err_set(e, EC_REFUSED, "the session ended meanwhile");
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

bool sessions_token(struct buf *ret, struct sessions *t, struct slice id)
{
	const struct entry *en;

	pthread_mutex_lock(&t->lock);
	en = find(t, id);
	if (en && en->state == ATTESTED)
		buf_slice(ret, buf_view(&en->token));
	else
		en = NULL;
	pthread_mutex_unlock(&t->lock);
	return en;
}
