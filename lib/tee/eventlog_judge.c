/* SPDX-License-Identifier: Apache-2.0 */
/* The checks that hold for every log: it replays, its data and its digests agree, its events stand where they may. */

#include <string.h>

#include "tee/eventlog_int.h"

#define LISTED 6	/* so many events are named one by one in a finding */

bool name_next(struct names *l)
{
	l->n++;
	if (l->n > LISTED)
		return false;
	if (l->n > 1)
		buf_puts(l->to, ", ");
	return true;
}

void names_end(struct names *l)
{
	if (l->n > LISTED)
		buf_printf(l->to, " and %zu more", l->n - LISTED);
}

static void name_event(struct names *l, const struct log_event *ev, bool cc)
{
	if (name_next(l))
		event_name(l->to, ev, cc);
}

static void name_reg(struct names *l, uint32_t reg, bool cc)
{
	if (name_next(l))
		reg_name(l->to, reg, cc);
}

enum outcome eventlog_check_parse(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;

	(void)x;
	if (s->parse.code) {
		buf_puts(&f->expected, "a well-formed event log");
		buf_puts(&f->actual, s->parse.msg);
		return FAILED;
	}
	buf_printf(&f->actual, "%zu events", s->l.n);
	return PASSED;
}

/* Registers that are extended after boot whose logs need not have come along: RTMR3 by agents, PCR 10 by IMA, PCR 15 by systemd
 * (machine id, volume keys).  All others have to be zero when no log speaks of them. */
static bool of_run_time(uint32_t reg, bool cc)
{
	return cc ? reg == 4 : reg == 10 || reg == 15;
}

static bool resettable(uint32_t reg, bool cc)
{
	return !cc && reg >= 16;
}

struct replay_found {
	struct buf bad, blind, later, unlogged;
	struct names nbad, nblind, nlater, nunlogged;
	size_t good;
};

static void replay_free(struct replay_found *r)
{
	buf_free(&r->bad);
	buf_free(&r->blind);
	buf_free(&r->later);
	buf_free(&r->unlogged);
}

static void replay_one(struct replay_found *r, const struct eventlog_subject *s, uint32_t reg)
{
	const struct reg_state *st = &s->st[reg];
	const bool cc = s->regs.cc;

	if (cc && reg == 0) {		/* MRTD: nothing extends it, and no log replays to it */
		if (st->events)
			name_reg(&r->nbad, reg, cc);
		return;
	}
	if (!s->regs.v[reg].known) {
		if (st->events)
			name_reg(&r->nblind, reg, cc);
		return;
	}
	switch (st->how) {
	case REPLAY_NONE:
		if (st->events == 0 && (of_run_time(reg, cc) || resettable(reg, cc))) {
			if (!resettable(reg, cc))
				name_reg(&r->nlater, reg, cc);
		} else {
			name_reg(&r->nbad, reg, cc);
		}
		return;
	case REPLAY_EXACT:
		break;
	case REPLAY_NO_EBS:
	case REPLAY_PHASES:
	case REPLAY_INITDATA:
	case REPLAY_PREFIX:
		if (name_next(&r->nunlogged)) {
			reg_name(r->nunlogged.to, reg, cc);
			if (st->how == REPLAY_PREFIX)
				buf_printf(r->nunlogged.to, " without the last %zu entries of the log", st->beyond);
			else
				buf_puts(r->nunlogged.to, st->how == REPLAY_NO_EBS ? " with the ExitBootServices events that the log lacks" :
					 st->how == REPLAY_PHASES ? " with systemd's boot phases behind it" : " with an initdata digest of the policy behind it");
		}
	}
	r->good += st->events != 0;
}

static void say(struct buf *to, const char *text, const struct buf *list)
{
	if (list->n)
		buf_printf(to, "%s%s%s", to->n ? "; " : "", text, buf_cstr(list));
}

/* CC registers end at 4: a log that speaks of more counts in PCRs. */
static bool log_of_a_tpm(const struct eventlog_subject *s)
{
	for (uint32_t i = 5; s->regs.cc && i < LOG_REGS; i++)
		if (s->st[i].events)
			return true;
	return false;
}

static enum outcome replay_verdict(struct replay_found *r, const struct eventlog_subject *s, struct finding *f)
{
	bool prefix = false;

	for (uint32_t i = 0; i < LOG_REGS; i++)
		prefix |= s->st[i].how == REPLAY_PREFIX;
	names_end(&r->nbad);
	names_end(&r->nblind);
	names_end(&r->nlater);
	names_end(&r->nunlogged);
	buf_printf(&f->expected, "a log that replays to the %s registers of the evidence", hash_name(s->regs.alg));
	say(&f->actual, "one that gives other values of ", &r->bad);
	if (r->bad.n && !s->regs.cc && s->st[8].how == REPLAY_NONE && s->regs.v[8].known && s->st[8].events == 0)
		buf_puts(&f->hint, "PCR 8 may hold init data: a policy names its digest in init_data; ");
	if (r->bad.n) {
		buf_puts(&f->hint, log_of_a_tpm(s) ? "the log speaks of PCRs, so it is that of a TPM: the one of the TEE is in ACPI table CCEL"
				   : s->l.algs[s->regs.alg] ? "the log is of another boot or another machine, or was changed; or a measurement is missing in it"
							  : "no event of the log has a digest of the algorithm that the evidence uses");
		return FAILED;
	}
	if (r->good == 0) {
		buf_puts(&f->actual, "the evidence vouches for no register that the log extends");
		return FAILED;
	}
	buf_printf(&f->actual, "%zu registers match", r->good);
	say(&f->actual, "not vouched for by the evidence, so that the log proves nothing about them: ", &r->blind);
	say(&f->actual, "extended after boot by something that no log tells: ", &r->later);
	say(&f->hint, "matches: ", &r->unlogged);
	return r->blind.n || r->later.n || prefix ? WARNED : PASSED;
}

enum outcome eventlog_check_replay(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	struct replay_found r = { 0 };
	enum outcome o;

	(void)x;
	r.nbad.to = &r.bad;
	r.nblind.to = &r.blind;
	r.nlater.to = &r.later;
	r.nunlogged.to = &r.unlogged;
	for (uint32_t i = 0; i < LOG_REGS; i++)
		if (!s->regs.cc || i < 5)
			replay_one(&r, s, i);
		else if (s->st[i].events)
			name_reg(&r.nbad, i, true);
	o = replay_verdict(&r, s, f);
	replay_free(&r);
	return o;
}

enum outcome eventlog_check_digests(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	struct names bad = { &f->actual, 0 };
	size_t proved = 0, open = 0;

	(void)x;
	for (size_t i = 0; i < s->l.n; i++) {
		const struct log_event *ev = &s->l.v[i];

		if (!event_extends(ev))
			continue;
		proved += ev->proof == PROVED;
		open += ev->proof == UNCHECKED;
		if (ev->proof == CONTRADICTED)
			name_event(&bad, ev, s->regs.cc);
	}
	names_end(&bad);
	buf_printf(&f->expected, "data that gives the %s digest, in every event whose digest is over its data", hash_name(s->regs.alg));
	if (bad.n) {
		buf_puts(&f->hint, "the text of these events is not what was measured");
		return FAILED;
	}
	buf_printf(&f->actual, "%zu proved, %zu with a digest over something that is not in the log", proved, open);
	return PASSED;
}

static bool secure_boot_variable(const struct log_event *ev)
{
	static const char *const names[] = { "SecureBoot", "PK", "KEK", "db", "dbx" };
	struct variable v;

	if (ev->type != EV_EFI_VARIABLE_DRIVER_CONFIG || !variable_read(&v, ev->data))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (utf16_eq(v.name, names[i]))
			return true;
	return false;
}

/* What the firmware itself writes, also behind its separator: boot variables, images, actions, tables (RTMR0 and RTMR1 hold
 * several PCRs, so one PCR's separator stands before another's events). */
static bool of_firmware(const struct log_event *ev, bool cc)
{
	if (ev->type == EV_IPL || ev->type == EV_IPL_PARTITION_DATA || ev->type == EV_COMPACT_HASH)
		return !cc && ev->reg >= 4 && ev->reg <= 6;	/* legacy BIOS boot, and what the platform notes */
	return ev->type != EV_EVENT_TAG;
}

static const char *order_of(const struct log_event *ev, const bool *seen, bool cc)
{
	const uint32_t authority = cc ? 1 : 7;

	if (ev->type == EV_SEPARATOR) {
		if (seen[ev->reg])
			return "a second separator in its register";
		if (ev->data.n == 4 && get_le32(ev->data.p) == 1)
			return "a separator that reports an error of the firmware";
		return NULL;
	}
	if (!seen[ev->reg])
		return NULL;
	if (ev->reg == authority && secure_boot_variable(ev))
		return "a secure boot variable measured after the separator";
	if (!of_firmware(ev, cc))
		return "not of the firmware, and behind the separator of a firmware register";
	return NULL;
}

enum outcome eventlog_check_order(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	const uint32_t first = s->regs.cc ? 1 : 0, end = s->regs.cc ? 3 : 8;
	bool seen[LOG_REGS] = { 0 };
	struct names bad = { &f->actual, 0 };

	(void)x;
	buf_puts(&f->expected, "one separator in each firmware register, and only the firmware's own events around it");
	for (size_t i = 0; i < s->l.n; i++) {
		const struct log_event *ev = &s->l.v[i];
		const char *why;

		if (!event_extends(ev) || ev->from == LOG_IMA || ev->reg < first || ev->reg >= end)
			continue;
		why = order_of(ev, seen, s->regs.cc);
		if (why && name_next(&bad)) {
			event_name(bad.to, ev, s->regs.cc);
			buf_printf(bad.to, ": %s", why);
		}
		seen[ev->reg] |= ev->type == EV_SEPARATOR;
	}
	for (uint32_t r = first; r < end; r++)
		if (s->st[r].events && !seen[r] && name_next(&bad)) {
			reg_name(bad.to, r, s->regs.cc);
			buf_puts(bad.to, " has no separator");
		}
	names_end(&bad);
	if (bad.n == 0) {
		buf_puts(&f->actual, "in order");
		return PASSED;
	}
	if (s->regs.cc)
		buf_puts(&f->hint, "firmware (OVMF) before the end of 2023 writes both separators to RTMR0; a policy can set this check to warn for it");
	return FAILED;
}

