/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded exchanges: see recording.h.  They answer what was asked then and nothing else. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex64.h"
#include "codec/recording.h"

#define CALL_MAX ((size_t)64 << 10)

int recording_parse(struct json **ret, const struct json **calls, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	size_t n;

	if (json_parse(&j, text, RECORDING_TEXT_MAX, e) || json_need_arr(calls, j, "calls", "the recording", e))
		return -1;
	n = json_count(*calls);
	if (n > RECORDING_CALLS_MAX)
		return err_set(e, EC_FORMAT, "%zu calls, at most %d are read", n, RECORDING_CALLS_MAX);
	*ret = j;
	j = NULL;
	return 0;
}

int recording_number(uint32_t *ret, bool *given, const struct json *call, const char *name, struct err *e)
{
	const struct json *j = json_get(call, name);
	const char *s = json_string(j);
	uint64_t v = 0;

	*given = j != NULL;
	if (!j)
		return 0;
	if (s && s[0] == '0' && s[1] == 'x' && s[2] && strlen(s) <= 10) {	/* our own parser's string: NUL ended */
		for (s += 2; *s; s++) {
			static const char digits[] = "0123456789abcdef";
			const char *d = strchr(digits, *s);

			if (!d)
				return err_set(e, EC_FORMAT, "'%s' is no hexadecimal number", name);
			v = v << 4 | (uint64_t)(d - digits);
		}
	} else if (!json_u64(j, &v) || v > UINT32_MAX) {
		return err_set(e, EC_FORMAT, "'%s' is no 32-bit number", name);
	}
	*ret = (uint32_t)v;
	return 0;
}

int recording_bytes(struct buf *ret, const struct json *call, const char *name, size_t max, struct err *e)
{
	const struct json *j = json_get(call, name);

	if (!j)
		return 0;
	if (!json_is_string(j))
		return err_set(e, EC_FORMAT, "'%s' is no text", name);
	ret->max = max;
	if (hex_decode(ret, slice_str(json_string(j)), e))
		return err_ctx(e, "'%s'", name);
	while (ret->n && ret->p[ret->n - 1] == 0)
		ret->n--;
	return 0;
}

bool recording_same(const struct buf *recorded, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n && b[n - 1] == 0)
		n--;
	return recorded->n == n && (n == 0 || memcmp(recorded->p, b, n) == 0);
}

void recording_fill(void *ret, size_t n, const struct buf *recorded)
{
	const size_t k = recorded->n < n ? recorded->n : n;

	memset(ret, 0, n);
	if (k)
		memcpy(ret, recorded->p, k);
}

struct entry {
	uint32_t request, error;
	struct buf in, out;
	bool used;
};

struct recording {
	struct entry *v;
	size_t n;
};

void recording_close(struct recording *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		buf_free(&r->v[i].in);
		buf_free(&r->v[i].out);
	}
	free(r->v);
	free(r);
}

static int read_entry(struct entry *x, const struct json *call, struct err *e)
{
	bool given;

	if (recording_number(&x->error, &given, call, "errno", e) || recording_number(&x->request, &given, call, "request", e))
		return -1;
	if (!given)
		return err_set(e, EC_FORMAT, "no 'request'");
	return recording_bytes(&x->in, call, "in", CALL_MAX, e) || recording_bytes(&x->out, call, "out", CALL_MAX, e) ? -1 : 0;
}

int recording_open(struct recording **ret, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	const struct json *calls;
	struct recording *r;
	size_t i = 0;

	if (recording_parse(&j, &calls, text, e))
		return -1;
	r = calloc(1, sizeof *r);
	if (!r || !(r->v = calloc(json_count(calls) + 1, sizeof *r->v))) {
		recording_close(r);
		return err_oom(e);
	}
	r->n = json_count(calls);
	for (const struct json *c = json_first(calls); c && i < r->n; c = json_next(c), i++)
		if (read_entry(&r->v[i], c, e)) {
			recording_close(r);
			return err_ctx(e, "call %zu", i);
		}
	*ret = r;
	return 0;
}

int recording_call(struct recording *r, uint32_t request, void *p, size_t n)
{
	struct entry *found = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct entry *x = &r->v[i];

		if (x->request != request || !recording_same(&x->in, p, n))
			continue;
		found = x;
		if (!x->used)
			break;
	}
	if (!found)
		return ENOSYS;
	found->used = true;
	recording_fill(p, n, &found->out);
	return (int)found->error;
}
