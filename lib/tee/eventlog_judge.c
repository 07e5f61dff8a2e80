/* SPDX-License-Identifier: Apache-2.0 */
/* The checks on event logs: that they replay, that data and digests agree, and what a policy asks of what was started. */

#include <stdlib.h>
#include <string.h>

#include "codec/hex64.h"
#include "tee/eventlog_int.h"

#define CMDLINES_MAX 64u	/* in one log; each is held against all that are listed */
#define LISTED 6	/* so many events are named one by one in a finding */

struct names {			/* "event 3 (..), event 9 (..) and 4 more" */
	struct buf *to;
	size_t n;
};

static bool name_next(struct names *l)
{
	l->n++;
	if (l->n > LISTED)
		return false;
	if (l->n > 1)
		buf_puts(l->to, ", ");
	return true;
}

static void names_end(struct names *l)
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

static enum outcome check_parse(void *parsed, const struct expect *x, struct finding *f)
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
		buf_puts(&f->hint, s->l.algs[s->regs.alg] ? "the log is of another boot or another machine, or was changed; or a measurement is missing in it"
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

static enum outcome check_replay(void *parsed, const struct expect *x, struct finding *f)
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

static enum outcome check_digests(void *parsed, const struct expect *x, struct finding *f)
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
		return !cc && (ev->reg == 4 || ev->reg == 5);	/* legacy BIOS boot */
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

static enum outcome check_order(void *parsed, const struct expect *x, struct finding *f)
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
	if (bad.n == 0)
		return PASSED;
	if (s->regs.cc)
		buf_puts(&f->hint, "firmware (OVMF) before the end of 2023 writes both separators to RTMR0; a policy can set this check to warn for it");
	return FAILED;
}

static enum outcome no_source(struct finding *f, const struct expect *x, const char *what)
{
	f->source = x->limits->source;
	buf_puts(&f->actual, what);
	return FAILED;
}

/* GRUB quotes what it passes on, and logs its own commands without the quotes. */
static void unquoted(struct buf *to, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '"' && s.p[i] != '\'' && s.p[i] != '\\')
			buf_byte(to, s.p[i]);
}

static bool same_unquoted(struct slice a, const char *b)
{
	AUTO_BUF x = { 0 }, y = { 0 };

	unquoted(&x, slice_trim(a));
	unquoted(&y, slice_trim(slice_str(b)));
	return !x.bad && !y.bad && slice_eq(buf_view(&x), buf_view(&y));
}

/* A GRUB command that starts a kernel carries the command line as well.  Labels are not hashed: one that does not fit the list
 * would be a command line that somebody has relabelled. */
static bool starts_kernel(struct slice text, struct slice *args)
{
	static const char *const words[] = { "linux ", "linux16 ", "linuxefi " };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (text.n > strlen(words[i]) && !memcmp(text.p, words[i], strlen(words[i]))) {
			*args = slice_of(text.p + strlen(words[i]), text.n - strlen(words[i]));
			return true;
		}
	return false;
}

static bool digest_is(const struct log_event *ev, enum hash alg, struct slice data)
{
	uint8_t d[HASH_MAX];

	return ev->digest[alg] && !hash_of(d, alg, data, NULL) && !memcmp(d, ev->digest[alg], hash_size(alg));
}

/* Forms of a command line whose digest alone is logged: Linux's EFI stub (load options in UTF-16, with a NUL or without; GRUB
 * puts BOOT_IMAGE= before it, OVMF's direct boot an initrd behind it), and the section of a unified kernel image. */
static bool digest_of_cmdline(const struct log_event *ev, enum hash alg, const char *line)
{
	static const struct { const char *before, *behind; } forms[] = { { "", "" }, { "BOOT_IMAGE=", "" }, { "", " initrd=initrd" } };
	bool yes = false;

	for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !yes; i++) {
		AUTO_BUF text = { 0 }, wide = { 0 };

		buf_printf(&text, "%s%s%s", forms[i].before, line, forms[i].behind);
		utf8_to_utf16(&wide, buf_view(&text));
		yes = !wide.bad && digest_is(ev, alg, buf_view(&wide));
		buf_le16(&wide, 0);
		yes = yes || (!wide.bad && digest_is(ev, alg, buf_view(&wide)));
	}
	for (size_t i = 0; i < 4 && !yes; i++) {
		AUTO_BUF text = { 0 };

		buf_puts(&text, line);
		buf_put(&text, "\n", i & 1);
		buf_put(&text, "", i >> 1);
		yes = !text.bad && digest_is(ev, alg, buf_view(&text));
	}
	return yes;
}

/* 1: an allowed command line, 0: none at all, -1: another one. */
static int cmdline_listed(const struct log_event *ev, enum hash alg, const struct texts *list, struct buf *shown)
{
	AUTO_BUF text = { 0 };
	struct slice args;

	switch (ev->meaning) {
	case MEANS_CMDLINE:
		if (ev->utf16)
			utf16_to_utf8(&text, ev->text);
		else
			buf_slice(&text, ev->text);
		buf_printf(shown, "'%s'", buf_cstr(&text));
		return ev->proof == PROVED && ev->vouched && strlen(buf_cstr(&text)) == text.n && !text.bad && texts_have(list, buf_cstr(&text)) ? 1 : -1;
	case MEANS_CMDLINE_DIGEST:
		buf_puts(shown, "one that the log does not spell out");
		for (size_t i = 0; i < list->n; i++)
			if (ev->vouched && digest_of_cmdline(ev, alg, list->v[i]))
				return 1;
		return -1;
	case MEANS_GRUB_COMMAND:
		if (!starts_kernel(ev->text, &args))
			return 0;
		buf_slice(&text, args);
		buf_printf(shown, "'%s'", buf_cstr(&text));
		for (size_t i = 0; i < list->n; i++)
			if (ev->vouched && ev->proof == PROVED && same_unquoted(args, list->v[i]))
				return 1;
		return -1;
	case MEANS_NOTHING:
	case MEANS_SECTION_NAME:
	case MEANS_SECTION:
	case MEANS_IMAGE:
	case MEANS_VARIABLE:
	case MEANS_AAEL:
	case MEANS_FILE:
		break;
	}
	return 0;
}

static enum outcome check_cmdline(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	const struct texts *list = &x->limits->kernel_cmdlines;
	struct names bad = { &f->actual, 0 };
	size_t good = 0, seen = 0;

	if (list->n == 0)
		return NOT_ASKED;
	f->source = x->limits->source;
	if (list->n == 1)
		buf_printf(&f->expected, "'%s'", list->v[0]);
	else
		buf_printf(&f->expected, "one of %zu command lines", list->n);
	for (size_t i = 0; i < s->l.n; i++) {
		const struct log_event *ev = &s->l.v[i];
		AUTO_BUF shown = { 0 };
		const int is = cmdline_listed(ev, s->regs.alg, list, &shown);

		seen += is != 0;
		if (seen > CMDLINES_MAX) {
			bad.n = 1;
			buf_printf(&f->actual, "over %u kernel command lines", CMDLINES_MAX);
			break;
		}
		/* a GRUB command is no proof that a kernel was started with it */
		good += is > 0 && ev->meaning != MEANS_GRUB_COMMAND;
		if (is < 0 && name_next(&bad)) {
			buf_printf(bad.to, "%s in ", buf_cstr(&shown));
			event_name(bad.to, ev, s->regs.cc);
			if (!ev->vouched)
				buf_puts(bad.to, ", a register that nothing vouches for");
		}
	}
	names_end(&bad);
	if (bad.n)
		return FAILED;
	if (good == 0)
		return no_source(f, x, "the log shows no kernel command line");
	buf_printf(&f->actual, "%zu command lines, all listed", good);
	return PASSED;
}

/* Events that can only be the start of an image: labelled so, or where images are measured and not explained by their data. */
static bool stands_for_image(const struct log_event *ev, bool cc)
{
	if (event_is_image(ev))
		return true;
	return event_extends(ev) && ev->from != LOG_IMA && ev->proof != PROVED && (cc ? ev->reg == 2 : ev->reg == 2 || ev->reg == 4);
}

static enum outcome check_boot_images(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	const struct texts *list = &x->limits->boot_images;
	struct names bad = { &f->actual, 0 };
	size_t good = 0;

	if (list->n == 0)
		return NOT_ASKED;
	f->source = x->limits->source;
	buf_printf(&f->expected, "only images of the %zu digests listed", list->n);
	for (size_t i = 0; i < s->l.n; i++) {
		const struct log_event *ev = &s->l.v[i];
		AUTO_BUF hex = { 0 };

		if (!stands_for_image(ev, s->regs.cc))
			continue;
		if (ev->digest[s->regs.alg])
			buf_hex(&hex, slice_of(ev->digest[s->regs.alg], hash_size(s->regs.alg)));
		if (ev->vouched && hex.n && texts_have(list, buf_cstr(&hex))) {
			good++;
		} else if (name_next(&bad)) {
			event_name(bad.to, ev, s->regs.cc);
			buf_printf(bad.to, " %s%s", buf_cstr(&hex), ev->vouched ? "" : ", in a register that nothing vouches for");
		}
	}
	names_end(&bad);
	if (bad.n)
		return FAILED;
	if (good == 0)
		return no_source(f, x, "the log shows no image that was started");
	buf_printf(&f->actual, "%zu images, all listed", good);
	return PASSED;
}

static const uint8_t global_guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };

/* The event that firmware writes when secure boot is off.  Its digest must not be there under any label. */
static bool is_off(const struct log_event *ev, enum hash alg)
{
	bool yes = false;

	for (size_t n = 0; n < 2 && !yes; n++) {
		AUTO_BUF b = { 0 };

		buf_put(&b, global_guid, sizeof global_guid);
		buf_le64(&b, 10);
		buf_le64(&b, n);
		utf8_to_utf16(&b, SLICE("SecureBoot"));
		buf_fill(&b, 0, n);
		yes = b.bad || digest_is(ev, alg, buf_view(&b));
	}
	return yes;
}

/* -1: off, or not to be trusted; 1: on; 0: nothing about it. */
static int secure_boot_of(const struct eventlog_subject *s, const struct log_event *ev)
{
	struct variable v;

	if (is_off(ev, s->regs.alg) || (ev->type == EV_EFI_ACTION && slice_eqs(ev->data, "UEFI Debug Mode")))
		return -1;
	if (ev->type != EV_EFI_VARIABLE_DRIVER_CONFIG || !variable_read(&v, ev->data) || !utf16_eq(v.name, "SecureBoot") ||
	    !slice_eq(v.guid, slice_of(global_guid, sizeof global_guid)))
		return 0;
	return ev->vouched && ev->proof == PROVED && v.value.n == 1 && v.value.p[0] == 1 ? 1 : -1;
}

int eventlog_secure_boot(const struct eventlog_subject *s, const struct log_event **where)
{
	bool separated = false;
	int on = 0;

	*where = NULL;
	for (size_t i = 0; i < s->l.n; i++) {
		const struct log_event *ev = &s->l.v[i];
		int is;

		if (ev->from == LOG_IMA || !event_extends(ev) || ev->reg != (s->regs.cc ? 1 : 7))
			continue;
		is = secure_boot_of(s, ev);
		if (is < 0 || (is > 0 && (separated || on))) {
			*where = ev;
			return -1;
		}
		on |= is;
		separated |= ev->type == EV_SEPARATOR;
	}
	return on;
}

static enum outcome check_secure_boot(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	const struct log_event *where;
	int on;

	if (!x->limits->want_secure_boot)
		return NOT_ASKED;
	f->source = x->limits->source;
	buf_puts(&f->expected, "secure boot was on");
	on = eventlog_secure_boot(s, &where);
	if (on > 0)
		return found(f, true, NULL, "on");
	if (on == 0)
		return found(f, false, NULL, "the log does not say");
	buf_puts(&f->actual, "off, or not certain: ");
	event_name(&f->actual, where, s->regs.cc);
	return FAILED;
}

static enum outcome check_init_data(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	const struct texts *list = &x->limits->init_data;
	uint8_t v[HASH_MAX] = { 0 };
	const size_t n = hash_size(s->regs.alg);

	if (list->n == 0 || s->regs.cc) {
		if (list->n)
			buf_puts(&f->hint, "a field of the report binds the init data of this TEE");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_puts(&f->expected, "PCR 8 holds an init data digest of the list, extended last");
	if (!s->regs.v[8].known)
		return found(f, false, NULL, "the evidence does not vouch for PCR 8");
	if (s->any && !s->parse.code && s->st[8].events) {
		if (s->st[8].how == REPLAY_INITDATA)
			return found(f, true, NULL, s->initdata);
		return found(f, false, NULL, "PCR 8 is not the log and one of these digests");
	}
	for (size_t i = 0; i < list->n; i++) {
		memset(v, 0, sizeof v);
		if (extend_hex(v, s->regs.alg, list->v[i]) && s->regs.v[8].n == n && !memcmp(v, s->regs.v[8].v, n))
			return found(f, true, NULL, list->v[i]);
	}
	buf_hex(&f->actual, slice_of(s->regs.v[8].v, s->regs.v[8].n));
	return FAILED;
}

enum { C_PARSE, C_REPLAY };

const struct check eventlog_checks[] = {
	{ "eventlog.parse", 0, CHECK_BASE, check_parse },
	{ "eventlog.replay", NEEDS(C_PARSE), CHECK_BASE, check_replay },
	{ "eventlog.digests", NEEDS(C_REPLAY), CHECK_PLAIN, check_digests },
	{ "eventlog.order", NEEDS(C_REPLAY), CHECK_PLAIN, check_order },
	{ "eventlog.cmdline", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, check_cmdline },
	{ "eventlog.boot_images", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, check_boot_images },
	{ "eventlog.secure_boot", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, check_secure_boot },
	{ "eventlog.init_data", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, check_init_data }
};
const size_t n_eventlog_checks = sizeof eventlog_checks / sizeof eventlog_checks[0];

/* No log came: the same ids, and what only a log can show fails where a policy asks for it. */
static enum outcome none(void *parsed, const struct expect *x, struct finding *f)
{
	(void)parsed;
	(void)x;
	buf_puts(&f->hint, "no event log came with the evidence");
	return NOT_ASKED;
}

static enum outcome wanted(struct finding *f, const struct expect *x, bool asked, const char *what)
{
	if (!asked)
		return none(NULL, x, f);
	buf_printf(&f->expected, "an event log, because the policy asks for %s", what);
	return no_source(f, x, "no event log came with the evidence");
}

static enum outcome none_cmdline(void *parsed, const struct expect *x, struct finding *f)
{
	(void)parsed;
	return wanted(f, x, x->limits->kernel_cmdlines.n != 0, "the kernel command line");
}

static enum outcome none_boot_images(void *parsed, const struct expect *x, struct finding *f)
{
	(void)parsed;
	return wanted(f, x, x->limits->boot_images.n != 0, "the images that were started");
}

static enum outcome none_secure_boot(void *parsed, const struct expect *x, struct finding *f)
{
	(void)parsed;
	return wanted(f, x, x->limits->want_secure_boot, "secure boot");
}

static const struct check no_log_checks[] = {
	{ "eventlog.parse", 0, CHECK_WHERE_ASKED, none },
	{ "eventlog.replay", 0, CHECK_WHERE_ASKED, none },
	{ "eventlog.digests", 0, CHECK_WHERE_ASKED, none },
	{ "eventlog.order", 0, CHECK_WHERE_ASKED, none },
	{ "eventlog.cmdline", 0, CHECK_WHERE_ASKED, none_cmdline },
	{ "eventlog.boot_images", 0, CHECK_WHERE_ASKED, none_boot_images },
	{ "eventlog.secure_boot", 0, CHECK_WHERE_ASKED, none_secure_boot },
	{ "eventlog.init_data", 0, CHECK_WHERE_ASKED, check_init_data }
};

void eventlog_free(struct eventlog_subject *s)
{
	if (!s)
		return;
	events_free(&s->l);
	free(s);
}

/* Trustee's form of a CCEL already ends in the entries of the AAEL; the same bytes again would be counted twice. */
static bool is_tail(struct slice whole, struct slice tail)
{
	struct slice used;

	if (ccel_trim(&used, whole, NULL))
		return false;
	while (tail.n >= 8 && get_le64(tail.p + tail.n - 8) == UINT64_MAX)
		tail.n -= 8;
	if (log_is_crypto_agile(tail) && tail.n > 69)
		tail = slice_of(tail.p + 69, tail.n - 69);
	return tail.n && tail.n <= used.n && !memcmp(used.p + used.n - tail.n, tail.p, tail.n);
}

static int read_logs(struct eventlog_subject *s, const struct expect *x)
{
	const enum log_form first = s->regs.cc ? LOG_CCEL : LOG_TCG, order[] = { first, LOG_AAEL, LOG_IMA };

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		const struct slice log = x->logs[order[i]];

		if (log.n == 0 || (order[i] == LOG_AAEL && is_tail(x->logs[first], log)))
			continue;
		s->any = true;
		if (events_parse(&s->l, log, order[i], NULL, &s->parse)) {
			err_ctx(&s->parse, "%s log", log_form_names[order[i]]);
			return s->parse.code == EC_FORMAT ? 0 : -1;
		}
	}
	return 0;
}

static int fill(struct eventlog_subject *s, const struct expect *x, struct err *e)
{
	if (read_logs(s, x)) {
		if (e)
			*e = s->parse;
		return -1;
	}
	if (!s->any || s->parse.code)
		return 0;
	return events_judge(&s->l, s->regs.alg, s->regs.cc, e) ||
	       events_replay(s->st, &s->l, &s->regs, s->regs.alg, s->regs.cc, &x->limits->init_data, s->initdata, e) ? -1 : 0;
}

int eventlog_stage(struct stage *ret, struct eventlog_subject **own, const struct registers *regs, const struct expect *x, struct err *e)
{
	struct eventlog_subject *s = calloc(1, sizeof *s);

	if (!s)
		return err_oom(e);
	s->regs = *regs;
	if (hash_size(regs->alg) == 0 || fill(s, x, e)) {
		eventlog_free(s);
		return hash_size(regs->alg) ? -1 : err_set(e, EC_BUG, "event log: registers of no known hash");
	}
	eventlog_free(*own);
	*own = s;
	*ret = (struct stage){ s->any ? eventlog_checks : no_log_checks, n_eventlog_checks, s, *x };
	return 0;
}
