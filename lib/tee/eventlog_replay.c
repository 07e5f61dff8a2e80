/* SPDX-License-Identifier: Apache-2.0 */
/* Replay: what the registers must be if the log is true (cpu-tee.md 5.3). */

#include <string.h>

#include "codec/hex64.h"
#include "tee/eventlog_int.h"

#define PCR_EBS 5u
#define CC_EBS 2u
#define PCR_INITDATA 8u
#define PCR_PHASES 11u

static int extend(uint8_t v[static HASH_MAX], enum hash alg, const uint8_t *digest, struct err *e)
{
	uint8_t both[2 * HASH_MAX];
	const size_t n = hash_size(alg);

	memcpy(both, v, n);
	memcpy(both + n, digest, n);
	return hash_of(v, alg, slice_of(both, 2 * n), e);
}

static int extend_text(uint8_t v[static HASH_MAX], enum hash alg, const char *text, struct err *e)
{
	uint8_t d[HASH_MAX];

	return hash_of(d, alg, slice_str(text), e) ? -1 : extend(v, alg, d, e);
}

bool extend_hex(uint8_t v[static HASH_MAX], enum hash alg, const char *hex)
{
	uint8_t d[HASH_MAX];

	return strlen(hex) == 2 * hash_size(alg) && !hex_decode_n(d, hash_size(alg), hex, NULL) && !extend(v, alg, d, NULL);
}

/* The kernel hashes the old template as 20 bytes of file digest and the name padded to 256; others as they stand. */
static int ima_digest(uint8_t ret[static HASH_MAX], enum hash alg, const struct log_event *ev, struct err *e)
{
	uint8_t old[20 + 256] = { 0 };

	if (!ev->old_ima)
		return hash_of(ret, alg, ev->data, e);
	memcpy(old, ev->data.p, 20);
	memcpy(old + 20, ev->data.p + 24, ev->data.n - 24);	/* at most 255: events_parse */
	return hash_of(ret, alg, slice_of(old, sizeof old), e);
}

/* Other banks than SHA-1 hold the digest of the template data (Linux 5.8 and newer) or the SHA-1 one padded with zeros; a
 * violation is logged as zeros and extended as ones. */
static int ima_extend(uint8_t v[static HASH_MAX], enum hash alg, const struct log_event *ev, bool padded, struct err *e)
{
	uint8_t d[HASH_MAX] = { 0 };

	if (ev->violation)
		memset(d, 0xff, sizeof d);
	else if (alg == HASH_SHA1 || padded)
		memcpy(d, ev->digest[HASH_SHA1], 20);
	else if (ima_digest(d, alg, ev, e))
		return -1;
	return extend(v, alg, d, e);
}

static uint32_t reg_of(const struct log_event *ev, bool cc)
{
	return cc && ev->from == LOG_IMA ? 3 : ev->reg;	/* Linux maps PCR 10 to RTMR2 */
}

struct walk {
	const struct log_events *l;
	uint32_t reg;
	enum hash alg;
	bool cc, padded;
	const uint8_t *want;		/* NULL: nothing to compare with */
};

/* One register.  *upto: number of events (of all) up to which the log gives the wanted value; 0: nowhere. */
static int walk(struct reg_state *st, const struct walk *w, size_t *upto, struct err *e)
{
	const size_t n = hash_size(w->alg);
	bool started = false;

	*upto = 0;
	*st = (struct reg_state){ 0 };
	for (size_t i = 0; i < w->l->n; i++) {
		const struct log_event *ev = &w->l->v[i];

		if (reg_of(ev, w->cc) != w->reg)
			continue;
		if (!started && w->reg == 0 && !w->cc && ev->type == EV_NO_ACTION && ev->data.n == 17 && !memcmp(ev->data.p, "StartupLocality", 16))
			st->v[n - 1] = ev->data.p[16];
		if (!event_extends(ev))
			continue;
		started = true;
		st->events++;
		if (ev->from == LOG_IMA) {
			if (ima_extend(st->v, w->alg, ev, w->padded, e))
				return -1;
		} else if (!ev->digest[w->alg]) {
			st->missing++;
		} else if (extend(st->v, w->alg, ev->digest[w->alg], e)) {
			return -1;
		}
		/* IMA goes on while the machine runs: a quote may be older than its last entries */
		if (w->want && !memcmp(st->v, w->want, n))
			*upto = i + 1;
		else if (ev->from != LOG_IMA)
			*upto = 0;
	}
	return 0;
}

static bool has_text(const struct log_events *l, uint32_t reg, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].reg == reg && l->v[i].type == EV_EFI_ACTION && slice_eqs(l->v[i].data, text))
			return true;
	return false;
}

#define EBS1 "Exit Boot Services Invocation"
#define EBS2 "Exit Boot Services Returned with Success"

/* What is known to be extended without an event in the log that was read. */
static int unlogged(struct reg_state *st, const struct walk *w, const struct texts *init_data, char *initdata, struct err *e)
{
	static const char *const phases[] = { "enter-initrd", "leave-initrd", "sysinit", "ready" };
	const size_t n = hash_size(w->alg);
	uint8_t v[HASH_MAX];

	memcpy(v, st->v, sizeof v);
	if (w->reg == (w->cc ? CC_EBS : PCR_EBS) && st->events && !has_text(w->l, w->reg, EBS1) && !has_text(w->l, w->reg, EBS2)) {
		if (extend_text(v, w->alg, EBS1, e) || extend_text(v, w->alg, EBS2, e))
			return -1;
		if (!memcmp(v, w->want, n))
			st->how = REPLAY_NO_EBS;
	}
	for (size_t first = 0; !w->cc && w->reg == PCR_PHASES && st->events && first <= 2; first += 2) {
		memcpy(v, st->v, sizeof v);	/* with an initrd, and without one */
		for (size_t i = first; i < 4 && st->how == REPLAY_NONE; i++) {
			if (extend_text(v, w->alg, phases[i], e))
				return -1;
			if (!memcmp(v, w->want, n))
				st->how = REPLAY_PHASES;
		}
	}
	for (size_t i = 0; !w->cc && w->reg == PCR_INITDATA && init_data && i < init_data->n && st->how == REPLAY_NONE; i++) {
		memcpy(v, st->v, sizeof v);
		if (extend_hex(v, w->alg, init_data->v[i]) && !memcmp(v, w->want, n)) {
			st->how = REPLAY_INITDATA;
			memcpy(initdata, init_data->v[i], 2 * n + 1);
		}
	}
	return 0;
}

static void vouch(struct log_events *l, struct reg_state *st, const struct walk *w, size_t upto)
{
	for (size_t i = 0; i < l->n; i++)
		if (reg_of(&l->v[i], w->cc) == w->reg && event_extends(&l->v[i])) {
			l->v[i].vouched = i < upto;
			st->beyond += i >= upto;
		}
	if (st->beyond)
		st->how = REPLAY_PREFIX;
}

static int one(struct reg_state *st, struct log_events *l, struct walk *w, const struct texts *init_data, char *initdata, struct err *e)
{
	size_t upto;

	if (walk(st, w, &upto, e))
		return -1;
	if (w->want && upto == 0 && w->alg != HASH_SHA1) {
		struct reg_state padded;

		w->padded = true;
		if (walk(&padded, w, &upto, e))
			return -1;
		if (upto)
			*st = padded;
	}
	if (!w->want || st->missing)
		return 0;
	if (upto || (st->events == 0 && !memcmp(st->v, w->want, hash_size(w->alg)))) {
		st->how = REPLAY_EXACT;
		vouch(l, st, w, upto);
		return 0;
	}
	if (unlogged(st, w, init_data, initdata, e))
		return -1;
	if (st->how != REPLAY_NONE && st->events)
		vouch(l, st, w, l->n);
	return 0;
}

int events_replay(struct reg_state st[static LOG_REGS], struct log_events *l, const struct registers *regs, enum hash alg, bool cc,
		  const struct texts *init_data, char initdata[static 2 * HASH_MAX + 1], struct err *e)
{
	for (uint32_t r = 0; r < LOG_REGS; r++) {
		struct walk w = { l, r, alg, cc, false, NULL };

		if (regs && regs->v[r].known && regs->v[r].n == hash_size(alg))
			w.want = regs->v[r].v;
		if (one(&st[r], l, &w, init_data, initdata, e))
			return -1;
	}
	return 0;
}
