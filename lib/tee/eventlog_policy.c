/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy asks of the things that were started: command lines, images, secure boot, init data. */

#include <string.h>

#include "tee/eventlog_int.h"

#define CMDLINES_MAX 64u	/* in one log; each is held against all that are listed */
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

enum explained { EXPLAINED, MAY_HIDE, HIDES };

/* Neither type nor text of an event is hashed, and a guest that was started with another command line can extend a listed one
 * afterwards.  So what the log says of the real one has to be told from everything else that goes to the same register: PCR 8 holds
 * GRUB's commands, whose text is what was hashed, and PCR 12 holds command lines alone.  PCR 9 and RTMR2 hold files as well, of
 * which the log has no more than a digest. */
static enum explained explained(const struct log_event *ev, bool cc)
{
	if (!event_extends(ev) || ev->from == LOG_IMA || ev->meaning == MEANS_SECTION || ev->meaning == MEANS_SECTION_NAME)
		return EXPLAINED;
	if (ev->meaning == MEANS_GRUB_COMMAND && ev->proof == PROVED)
		return EXPLAINED;
	if (!cc && (ev->reg == 8 || ev->reg == 12))
		return HIDES;
	return ev->reg == (cc ? 3 : 9) ? MAY_HIDE : EXPLAINED;
}

enum outcome eventlog_check_cmdline(void *parsed, const struct expect *x, struct finding *f)
{
	const struct eventlog_subject *s = parsed;
	const struct texts *list = &x->limits->kernel_cmdlines;
	struct names bad = { &f->actual, 0 };
	size_t good = 0, seen = 0, doubtful = 0;

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
		const enum explained how = is ? EXPLAINED : explained(ev, s->regs.cc);

		seen += is != 0;
		doubtful += how == MAY_HIDE;
		if (how == HIDES && name_next(&bad)) {
			event_name(bad.to, ev, s->regs.cc);
			buf_puts(bad.to, " may be another command line under a wrong label");
		}
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
	if (!doubtful)
		return PASSED;
	buf_printf(&f->actual, "; %zu events of %s that the log does not explain", doubtful, s->regs.cc ? "RTMR2" : "PCR 9");
	buf_printf(&f->hint, "labels are not signed, so one of these may be another command line: values of %s in the policy's %s rule that out",
		   s->regs.cc ? "RTMR2" : "PCR 9", s->regs.cc ? "rtmrs" : "pcrs");
	return WARNED;
}

/* The bytes that an Authenticode digest is over can stand in a log under any label: they begin like the image. */
static bool begins_like_image(struct slice s)
{
	return s.n >= 4 && (!memcmp(s.p, "MZ", 2) || !memcmp(s.p, "VZ", 2) || !memcmp(s.p, "PE\0", 4));
}

/* Events that can only be the start of an image: labelled so, or where images are measured and not explained by their data. */
static bool stands_for_image(const struct log_event *ev, bool cc)
{
	if (event_is_image(ev))
		return true;
	if (!event_extends(ev) || ev->from == LOG_IMA || (ev->proof == PROVED && !begins_like_image(ev->data)))
		return false;
	return cc ? ev->reg == 2 : ev->reg == 2 || ev->reg == 4;
}

enum outcome eventlog_check_boot_images(void *parsed, const struct expect *x, struct finding *f)
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

enum outcome eventlog_check_secure_boot(void *parsed, const struct expect *x, struct finding *f)
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

enum outcome eventlog_check_init_data(void *parsed, const struct expect *x, struct finding *f)
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

