/* SPDX-License-Identifier: Apache-2.0 */
/* The stage of the event logs that came with a piece of evidence: see eventlog.h. */

#include <stdlib.h>
#include <string.h>

#include "tee/eventlog_int.h"

enum { C_PARSE, C_REPLAY };

const struct check eventlog_checks[] = {
	{ "eventlog.parse", 0, CHECK_BASE, eventlog_check_parse },
	{ "eventlog.replay", NEEDS(C_PARSE), CHECK_BASE, eventlog_check_replay },
	{ "eventlog.digests", NEEDS(C_REPLAY), CHECK_PLAIN, eventlog_check_digests },
	{ "eventlog.order", NEEDS(C_REPLAY), CHECK_PLAIN, eventlog_check_order },
	{ "eventlog.cmdline", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, eventlog_check_cmdline },
	{ "eventlog.boot_images", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, eventlog_check_boot_images },
	{ "eventlog.secure_boot", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, eventlog_check_secure_boot },
	{ "eventlog.init_data", NEEDS(C_REPLAY), CHECK_WHERE_ASKED, eventlog_check_init_data }
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
	f->source = x->limits->source;
	return found(f, false, NULL, "none came with the evidence");
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
	{ "eventlog.init_data", 0, CHECK_WHERE_ASKED, eventlog_check_init_data }
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
