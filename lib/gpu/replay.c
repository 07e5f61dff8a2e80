/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded exchange with the driver, played back.  It answers what was asked then and nothing else:
 * a call that the recording does not hold fails with ENOSYS rather than with an invented answer. */
#include "gpu/port.h"

#include <errno.h>

#include "base/cursor.h"
#include "codec/recording.h"

#define PARAMS_MAX 16384
#define STATUS_INVALID_ARGUMENT 0x1f

struct entry {
	bool is_open, used;
	unsigned nr, minor;
	uint32_t key;		/* command or class; 0 for the other calls */
	bool has_object;
	uint32_t object;	/* object of a control, parent of an allocation */
	bool has_size;
	uint32_t size;
	struct buf in, out;
	uint32_t error, status, handle;
};

struct replay {
	const struct host *h;
	struct entry *v;
	size_t n;
};

static void replay_free(void *arg)
{
	struct replay *r = arg;

	for (size_t i = 0; i < r->n; i++) {
		buf_free(&r->v[i].in);
		buf_free(&r->v[i].out);
	}
	free(r->v);
	free(r);
}

static int read_entry(struct entry *x, const struct json *call, struct err *e)
{
	uint32_t nr = 0, open_minor = 0;
	bool has_nr, has_key, given;

	if (recording_number(&open_minor, &x->is_open, call, "open", e) || recording_number(&x->error, &given, call, "errno", e))
		return -1;
	if (x->is_open) {
		x->minor = open_minor;
		return 0;
	}
	if (recording_number(&nr, &has_nr, call, "nr", e))
		return -1;
	if (!has_nr || nr > 0xff)
		return err_set(e, EC_FORMAT, "no 'nr' from 0 to 255");
	x->nr = nr;

	const bool control = nr == RM_NR_CONTROL, alloc = nr == RM_NR_ALLOC;

	has_key = true;
	if ((control || alloc) && recording_number(&x->key, &has_key, call, control ? "cmd" : "cls", e))
		return -1;
	if (!has_key)
		return err_set(e, EC_FORMAT, "no '%s'", control ? "cmd" : "cls");
	if (recording_number(&x->object, &x->has_object, call, control ? "object" : "parent", e) ||
	    recording_number(&x->size, &x->has_size, call, "size", e) || recording_number(&x->status, &given, call, "status", e) ||
	    recording_number(&x->handle, &given, call, "handle", e))
		return -1;
	if (x->has_size && x->size > PARAMS_MAX)
		return err_set(e, EC_FORMAT, "size %u is over %d", (unsigned)x->size, PARAMS_MAX);
	if (recording_bytes(&x->in, call, alloc ? "params" : "in", PARAMS_MAX, e) ||
	    recording_bytes(&x->out, call, "out", PARAMS_MAX, e))
		return -1;
	if (x->has_size && x->out.n > x->size)
		return err_set(e, EC_FORMAT, "'out' has %zu bytes, more than its size %u", x->out.n, (unsigned)x->size);
	return 0;
}

static int read_calls(struct replay *r, const struct json *calls, struct err *e)
{
	const size_t n = json_count(calls);
	size_t i = 0;

	r->v = calloc(n + 1, sizeof *r->v);
	if (!r->v)
		return err_oom(e);
	r->n = n;
	for (const struct json *c = json_first(calls); c && i < n; c = json_next(c), i++)
		if (read_entry(&r->v[i], c, e))
			return err_ctx(e, "call %zu", i);
	return 0;
}

/* What a request is found by. */
struct wanted {
	unsigned nr;
	uint32_t key, object;
	const uint8_t *p;	/* parameter bytes, or the struct itself */
	size_t n;
};

static bool fits_but_for_size(const struct entry *x, const struct wanted *w)
{
	return !x->is_open && x->nr == w->nr && x->key == w->key && (!x->has_object || x->object == w->object);
}

static struct entry *find(struct replay *r, const struct wanted *w)
{
	struct entry *last = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct entry *x = &r->v[i];

		if (!fits_but_for_size(x, w) || (x->has_size && x->size != w->n))
			continue;
		if (w->nr != RM_NR_FREE && !recording_same(&x->in, w->p, w->n))
			continue;
		last = x;
		if (!x->used)
			break;
	}
	if (last)
		last->used = true;
	return last;
}

static bool known_in_another_size(const struct replay *r, const struct wanted *w)
{
	for (size_t i = 0; i < r->n; i++)
		if (fits_but_for_size(&r->v[i], w) && r->v[i].has_size && r->v[i].size != w->n)
			return true;
	return false;
}

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static int replay_control(struct replay *r, struct rm_msg *m)
{
	struct wanted w = { m->nr, get_le32(m->s + 8), get_le32(m->s + 4), m->params, m->params_size };
	const struct entry *x = find(r, &w);

	if (!x && known_in_another_size(r, &w)) {
		put_le32(m->s + 28, STATUS_INVALID_ARGUMENT);
		return 0;
	}
	if (!x)
		return ENOSYS;
	if (x->error)
		return (int)x->error;
	recording_fill(m->params, m->params_size, &x->out);
	put_le32(m->s + 28, x->status);
	return 0;
}

static int replay_alloc(struct replay *r, struct rm_msg *m)
{
	struct wanted w = { m->nr, get_le32(m->s + 12), get_le32(m->s + 4), m->params, m->params_size };
	const struct entry *x = find(r, &w);

	if (!x)
		return ENOSYS;
	if (x->error)
		return (int)x->error;
	put_le32(m->s + 8, x->handle);
	if (w.key == 0x41)	/* a root client is its own root */
		put_le32(m->s, x->handle);
	put_le32(m->s + 40, x->status);
	return 0;
}

static int replay_call(void *arg, int node, struct rm_msg *m)
{
	struct replay *r = arg;
	struct wanted w = { m->nr, 0, 0, m->s, m->n };
	const struct entry *x;

	(void)node;
	if (m->nr == RM_NR_CONTROL)
		return m->n == 32 ? replay_control(r, m) : EINVAL;
	if (m->nr == RM_NR_ALLOC)
		return m->n == 48 ? replay_alloc(r, m) : EINVAL;
	x = find(r, &w);
	if (!x)
		return ENOSYS;
	recording_fill(m->s, m->n, &x->out);
	return (int)x->error;
}

static int replay_node(void *arg, unsigned minor, struct err *e)
{
	const struct replay *r = arg;
	char path[32];

	rm_node_path(path, minor);
	if (r->h && !host_exists(r->h, path))
		return err_set(e, EC_ABSENT, "'%s' does not exist", path);
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].is_open && r->v[i].minor == minor && r->v[i].error)
			return err_set(e, EC_IO, "'%s': %s", path, strerror((int)r->v[i].error));
	return (int)minor;
}

static void replay_close(void *arg, int node)
{
	(void)arg;
	(void)node;
}

int rm_replay_open(struct rm_port *ret, const struct host *h, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	const struct json *calls;
	struct replay *r;

	if (recording_parse(&j, &calls, text, e))
		return -1;
	r = calloc(1, sizeof *r);
	if (!r)
		return err_oom(e);
	r->h = h;
	if (read_calls(r, calls, e)) {
		replay_free(r);
		return -1;
	}
	*ret = (struct rm_port){ replay_node, replay_call, replay_close, replay_free, r };
	return 0;
}
