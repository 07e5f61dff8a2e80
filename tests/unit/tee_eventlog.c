/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs of our own: forms, ends, limits, replay, order, and that what a digest covers cannot be changed. */

#include <stdio.h>

#include "codec/hex64.h"
#include "eventlog_maker.h"
#include "test.h"

static const uint16_t three[] = { 4, 0xb, 0xc }, sha384[] = { 0xc }, sha256[] = { 0xb };
#define CMDLINE "root=/dev/vda1 ro quiet"
static const uint8_t shim_guid[16] = { 0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0, 0x43, 0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23 };

static void text(struct buf *b, uint32_t reg, uint32_t type, const uint16_t *algs, size_t n, const char *s)
{
	log_event(b, reg, type, algs, n, slice_str(s), slice_str(s));
}

static void variable(struct buf *b, uint32_t reg, uint32_t type, const uint16_t *algs, size_t n, const uint8_t *guid, const char *name, struct slice value)
{
	AUTO_BUF v = { 0 };

	log_variable(&v, guid, name, value);
	log_event(b, reg, type, algs, n, buf_view(&v), type == EV_EFI_VARIABLE_BOOT ? value : buf_view(&v));
}

static void grub(struct buf *b, uint32_t reg, const uint16_t *algs, size_t n, const char *prefix, const char *s)
{
	AUTO_BUF d = { 0 };

	buf_puts(&d, prefix);
	buf_puts(&d, s);
	buf_byte(&d, 0);
	log_event(b, reg, EV_IPL, algs, n, buf_view(&d), slice_str(s));
}

static void image(struct buf *b, uint32_t reg, const uint16_t *algs, size_t n, const char *content)
{
	AUTO_BUF d = { 0 };

	buf_fill(&d, 0x11, 24);
	buf_le64(&d, 4);
	buf_put(&d, "\x7f\xff\x04\x00", 4);
	log_event(b, reg, EV_EFI_BOOT_SERVICES_APPLICATION, algs, n, buf_view(&d), slice_str(content));
}

#define ZEROS SLICE("\0\0\0\0")

/* Firmware, GRUB and Linux on a TPM. */
static void tpm_log(struct buf *b)
{
	log_head(b, "Spec ID Event03", three, 3);
	text(b, 0, EV_S_CRTM_VERSION, three, 3, "firmware 1");
	variable(b, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, three, 3, log_global_guid, "SecureBoot", SLICE("\1"));
	log_event(b, 7, EV_SEPARATOR, three, 3, ZEROS, ZEROS);
	variable(b, 1, EV_EFI_VARIABLE_BOOT, three, 3, log_global_guid, "BootOrder", SLICE("\0\0"));
	text(b, 4, EV_EFI_ACTION, three, 3, "Calling EFI Application from Boot Option");
	for (uint32_t r = 0; r < 7; r++)
		log_event(b, r, EV_SEPARATOR, three, 3, ZEROS, ZEROS);
	variable(b, 7, EV_EFI_VARIABLE_AUTHORITY, three, 3, shim_guid, "SbatLevel", SLICE("sbat,1\n"));
	image(b, 4, three, 3, "GRUB");
	grub(b, 8, three, 3, "grub_cmd: ", "linux " CMDLINE);
	grub(b, 8, three, 3, "kernel_cmdline: ", CMDLINE);
	text(b, 5, EV_EFI_ACTION, three, 3, "Exit Boot Services Invocation");
	text(b, 5, EV_EFI_ACTION, three, 3, "Exit Boot Services Returned with Success");
}

/* The same as a confidential VM counts registers, with an entry of the guest's agent. */
static void cc_log(struct buf *b, bool aael)
{
	log_head(b, "Spec ID Event03", sha384, 1);
	variable(b, 1, EV_EFI_VARIABLE_DRIVER_CONFIG, sha384, 1, log_global_guid, "SecureBoot", SLICE("\1"));
	log_event(b, 1, EV_SEPARATOR, sha384, 1, ZEROS, ZEROS);
	image(b, 2, sha384, 1, "kernel");
	log_event(b, 2, EV_SEPARATOR, sha384, 1, ZEROS, ZEROS);
	grub(b, 3, sha384, 1, "kernel_cmdline: ", CMDLINE);
	text(b, 2, EV_EFI_ACTION, sha384, 1, "Exit Boot Services Invocation");
	if (aael)
		log_event(b, 4, EV_EVENT_TAG, sha384, 1, SLICE("LEAA\x0a\0\0\0a.b op {1}"), SLICE("LEAA\x0a\0\0\0a.b op {1}"));
}

static void judge(struct log_verdict *v, const struct registers *regs, struct slice log, enum log_form form, const struct limits *limits)
{
	struct slice logs[N_LOGS] = { 0 };

	logs[form] = log;
	log_judge(v, regs, logs, limits);
}

#define ACCEPTED(v) do { if (!(v).holds) test_fail(__FILE__, __LINE__, "refused: %s", (v).reason); } while (0)
#define REFUSED(v, id) do { if ((v).holds) test_fail(__FILE__, __LINE__, "accepted, wanted " id); else HAS((v).reason, id); } while (0)

TEST(eventlog_good_logs_are_accepted)
{
	static const enum hash banks[] = { HASH_SHA1, HASH_SHA256, HASH_SHA384 };
	AUTO_BUF t = { 0 }, c = { 0 };
	struct registers regs;

	tpm_log(&t);
	for (size_t i = 0; i < 3; i++) {
		AUTO_LOG_VERDICT v = { 0 };

		registers_of(&regs, buf_view(&t), LOG_TCG, banks[i], false);
		judge(&v, &regs, buf_view(&t), LOG_TCG, NULL);
		ACCEPTED(v);
		OK(!v.warned);
	}
	{
		AUTO_LOG_VERDICT v = { 0 };

		cc_log(&c, true);
		registers_of(&regs, buf_view(&c), LOG_CCEL, HASH_SHA384, true);
		judge(&v, &regs, buf_view(&c), LOG_CCEL, NULL);
		ACCEPTED(v);
	}
}

/* Every byte: the log is refused, or nothing that is shown or believed has changed.  Which bytes no digest covers is counted. */
static size_t flip_all(const struct buf *good, enum log_form form, const struct registers *regs)
{
	AUTO_BUF b = { 0 };
	size_t passed = 0;

	buf_slice(&b, buf_view(good));
	for (size_t i = 0; i < b.n; i++) {
		AUTO_LOG_VERDICT v = { 0 };

		b.p[i] ^= 0x20;
		judge(&v, regs, buf_view(&b), form, NULL);
		passed += v.holds;
		b.p[i] ^= 0x20;
	}
	return passed;
}

/* Bytes that nothing covers: of the header (versions, old digest), types of events whose label can change (caught where a policy
 * asks), other banks' digests, the data of an image event, GRUB's prefixes. */
TEST(eventlog_flipped_bytes_are_refused)
{
	AUTO_BUF c = { 0 };
	struct registers regs;
	struct log_events l = { 0 };
	size_t covered = 0;

	cc_log(&c, true);
	registers_of(&regs, buf_view(&c), LOG_CCEL, HASH_SHA384, true);
	WORKS(events_parse(&l, buf_view(&c), LOG_CCEL, NULL, &e));
	for (size_t i = 0; i < l.n; i++) {
		const struct log_event *ev = &l.v[i];
		const size_t data = (size_t)(ev->data.p - c.p), digest = (size_t)(ev->digest[HASH_SHA384] - c.p);
		const size_t from = ev->type == EV_IPL ? strlen("kernel_cmdline: ") : 0;

		for (size_t k = digest - 14; k < digest + 48 + 4; k++) {	/* register to size; the type is a label */
			AUTO_LOG_VERDICT v = { 0 };

			if (k >= digest - 10 && k < digest - 6)
				continue;
			c.p[k] ^= 1;
			judge(&v, &regs, buf_view(&c), LOG_CCEL, NULL);
			if (v.holds)
				test_fail(__FILE__, __LINE__, "event %zu: flipped byte %zu is accepted", i, k);
			c.p[k] ^= 1;
			covered++;
		}
		for (size_t k = from; k < ev->data.n && !event_is_image(ev); k++, covered++) {
			AUTO_LOG_VERDICT v = { 0 };

			c.p[data + k] ^= 1;
			judge(&v, &regs, buf_view(&c), LOG_CCEL, NULL);
			if (v.holds)
				test_fail(__FILE__, __LINE__, "event %zu: flipped data byte %zu is accepted", i, k);
			c.p[data + k] ^= 1;
		}
	}
	OK(covered > 500);
	/* in all: the header, 7 types of 4 bytes, 36 bytes of image data, 16 of a prefix */
	OK(flip_all(&c, LOG_CCEL, &regs) < 32 + 33 + 7 * 4 + 36 + 16);
	events_free(&l);
}

TEST(eventlog_cut_logs_are_refused)
{
	AUTO_BUF t = { 0 };
	struct registers regs;

	tpm_log(&t);
	registers_of(&regs, buf_view(&t), LOG_TCG, HASH_SHA256, false);
	for (size_t n = 1; n < t.n; n++) {
		AUTO_LOG_VERDICT v = { 0 };

		judge(&v, &regs, slice_of(t.p, n), LOG_TCG, NULL);
		if (v.holds && v.s->st[5].how != REPLAY_NO_EBS)	/* the two last events: a log that was read early lacks them */
			test_fail(__FILE__, __LINE__, "cut at %zu of %zu is accepted", n, t.n);
	}
}

TEST(eventlog_lengths_at_their_extremes_are_malformed)
{
	static const uint32_t values[] = { 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, 0x10000 };
	AUTO_BUF c = { 0 };
	struct registers regs;
	struct log_events l = { 0 };
	size_t at[2];

	cc_log(&c, false);
	registers_of(&regs, buf_view(&c), LOG_CCEL, HASH_SHA384, true);
	WORKS(events_parse(&l, buf_view(&c), LOG_CCEL, NULL, &e));
	at[0] = (size_t)(l.v[1].digest[HASH_SHA384] - c.p) - 6;		/* digest count */
	at[1] = (size_t)(l.v[1].data.p - c.p) - 4;			/* data size */
	events_free(&l);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
			AUTO_LOG_VERDICT v = { 0 };
			uint8_t was[4];

			memcpy(was, c.p + at[i], 4);
			c.p[at[i]] = (uint8_t)values[k];
			c.p[at[i] + 1] = (uint8_t)(values[k] >> 8);
			c.p[at[i] + 2] = (uint8_t)(values[k] >> 16);
			c.p[at[i] + 3] = (uint8_t)(values[k] >> 24);
			judge(&v, &regs, buf_view(&c), LOG_CCEL, NULL);
			REFUSED(v, "eventlog.parse");
			memcpy(c.p + at[i], was, 4);
		}
}

TEST(eventlog_heads_that_lie_are_malformed)
{
	static const struct { const char *why; uint16_t algs[3]; size_t n; } heads[] = {
		{ "twice", { 0xb, 0xc, 0xb }, 3 }, { "lists 0", { 0 }, 0 }
	};
	struct slice used;

	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF b = { 0 };
		struct err e = { 0 };

		log_head(&b, "Spec ID Event03", heads[i].algs, heads[i].n);
		OK(ccel_trim(&used, buf_view(&b), &e) == -1 && e.code == EC_FORMAT);
		HAS(e.msg, heads[i].why);
	}
	{
		AUTO_BUF b = { 0 };
		struct err e = { 0 };

		log_head(&b, "Spec ID Event03", sha384, 1);
		b.p[32 + 30] = 49;	/* bytes of a SHA-384 digest */
		OK(ccel_trim(&used, buf_view(&b), &e) == -1);
		HAS(e.msg, "they have 48");
	}
}

TEST(eventlog_two_digests_of_one_algorithm_are_malformed)
{
	static const uint16_t both[] = { 0xb, 0xc };
	AUTO_BUF b = { 0 };
	struct log_events l = { 0 };
	const uint16_t twice[] = { 0xc, 0xc };

	log_head(&b, "Spec ID Event03", both, 2);
	log_event(&b, 1, EV_SEPARATOR, twice, 2, ZEROS, ZEROS);
	FAILS(events_parse(&l, buf_view(&b), LOG_CCEL, NULL, &e), EC_FORMAT);
	events_free(&l);
}

TEST(eventlog_ends_are_known)
{
	static const struct { uint8_t fill; size_t n; } ends[] = { { 0, 0 }, { 0xff, 8 }, { 0xff, 4096 }, { 0, 4096 }, { 0xff, 4 }, { 0, 3 } };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		AUTO_BUF b = { 0 };
		struct slice used;
		size_t whole;

		cc_log(&b, false);
		whole = b.n;
		buf_fill(&b, ends[i].fill, ends[i].n);
		WORKS(ccel_trim(&used, buf_view(&b), &e));
		EQ(used.n, whole);
	}
	{	/* zeros, and something behind them, are an event of register 0 that is cut */
		AUTO_BUF b = { 0 };
		struct slice used;

		cc_log(&b, false);
		buf_fill(&b, 0, 12);
		buf_byte(&b, 1);
		FAILS(ccel_trim(&used, buf_view(&b), &e), EC_FORMAT);
	}
}

TEST(eventlog_too_many_events_are_malformed)
{
	AUTO_BUF b = { 0 };
	struct log_events l = { 0 };

	log_head(&b, "Spec ID Event03", sha384, 1);
	for (uint32_t i = 0; i <= LOG_EVENTS_MAX; i++)
		log_event(&b, 1, EV_POST_CODE, sha384, 0, SLICE(""), SLICE(""));
	FAILS(events_parse(&l, buf_view(&b), LOG_CCEL, NULL, &e), EC_FORMAT);
	events_free(&l);
}

TEST(eventlog_old_logs_have_sha1_alone)
{
	AUTO_BUF b = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	AUTO_LOG_VERDICT w = { 0 };
	struct registers regs;

	for (uint32_t r = 0; r < 8; r++) {
		uint8_t d[20];

		WORKS(hash_of(d, HASH_SHA1, ZEROS, &e));
		buf_le32(&b, r);
		buf_le32(&b, EV_SEPARATOR);
		buf_put(&b, d, 20);
		buf_le32(&b, 4);
		buf_slice(&b, ZEROS);
	}
	OK(eventlog_looks_like(buf_view(&b)));
	registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA1, false);
	judge(&v, &regs, buf_view(&b), LOG_TCG, NULL);
	ACCEPTED(v);
	EQ(v.s->l.n, 8);
	registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
	judge(&w, &regs, buf_view(&b), LOG_TCG, NULL);
	REFUSED(w, "eventlog.replay");
}

/* TPM2_Startup from locality 3 or 4 leaves that number in PCR 0. */
TEST(eventlog_startup_locality_counts)
{
	AUTO_BUF b = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	struct registers regs;
	uint8_t want[64] = { 0 }, d[32];

	log_head(&b, "Spec ID Event03", sha256, 1);
	log_event(&b, 0, EV_NO_ACTION, sha256, 1, slice_of("StartupLocality\0\3", 17), SLICE(""));
	for (uint32_t r = 0; r < 8; r++)
		log_event(&b, r, EV_SEPARATOR, sha256, 1, ZEROS, ZEROS);
	registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
	want[31] = 3;
	WORKS(hash_of(d, HASH_SHA256, ZEROS, &e));
	memcpy(want + 32, d, 32);
	WORKS(hash_of(d, HASH_SHA256, slice_of(want, 64), &e));
	MEM(regs.v[0].v, d, 32);
	judge(&v, &regs, buf_view(&b), LOG_TCG, NULL);
	ACCEPTED(v);
}

TEST(eventlog_missing_exit_boot_services_are_found)
{
	AUTO_BUF whole = { 0 }, cut = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	struct registers regs;

	log_head(&cut, "Spec ID Event03", sha256, 1);
	for (uint32_t r = 0; r < 8; r++)
		log_event(&cut, r, EV_SEPARATOR, sha256, 1, ZEROS, ZEROS);
	buf_slice(&whole, buf_view(&cut));
	text(&whole, 5, EV_EFI_ACTION, sha256, 1, "Exit Boot Services Invocation");
	text(&whole, 5, EV_EFI_ACTION, sha256, 1, "Exit Boot Services Returned with Success");
	registers_of(&regs, buf_view(&whole), LOG_TCG, HASH_SHA256, false);
	judge(&v, &regs, buf_view(&cut), LOG_TCG, NULL);
	ACCEPTED(v);
	EQ(v.s->st[5].how, REPLAY_NO_EBS);
}

TEST(eventlog_systemd_phases_are_found_behind_pcr_11)
{
	AUTO_BUF log = { 0 }, later = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	struct registers regs;

	tpm_log(&log);
	text(&log, 11, EV_IPL, three, 3, "something");
	buf_slice(&later, buf_view(&log));
	text(&later, 11, EV_IPL, three, 3, "enter-initrd");
	text(&later, 11, EV_IPL, three, 3, "leave-initrd");
	registers_of(&regs, buf_view(&later), LOG_TCG, HASH_SHA256, false);
	judge(&v, &regs, buf_view(&log), LOG_TCG, NULL);
	ACCEPTED(v);
	EQ(v.s->st[11].how, REPLAY_PHASES);
}

/* Nothing vouches for a register that was not quoted, and that is said; the same when it is all the log has. */
TEST(eventlog_registers_that_were_not_quoted_prove_nothing)
{
	AUTO_BUF t = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	AUTO_LOG_VERDICT w = { 0 };
	AUTO_LOG_VERDICT u = { 0 };
	struct registers regs;
	char line[] = CMDLINE, *lines[] = { line };
	const struct limits limits = { .kernel_cmdlines = { lines, 1 } };

	tpm_log(&t);
	registers_of(&regs, buf_view(&t), LOG_TCG, HASH_SHA256, false);
	judge(&w, &regs, buf_view(&t), LOG_TCG, &limits);
	ACCEPTED(w);
	regs.v[8].known = false;
	judge(&v, &regs, buf_view(&t), LOG_TCG, &limits);
	REFUSED(v, "eventlog.cmdline");
	STR(log_result(&v, "eventlog.replay"), "warn");
	for (size_t i = 0; i < 24; i++)
		regs.v[i].known = false;
	judge(&u, &regs, buf_view(&t), LOG_TCG, NULL);
	REFUSED(u, "eventlog.replay");
}

TEST(eventlog_registers_that_the_log_does_not_mention_must_be_zero)
{
	static const struct { size_t reg; bool cc; const char *want; } rows[] = {
		{ 3, true, "fail" }, { 4, true, "warn" }, { 8, false, "fail" }, { 9, false, "fail" }, { 11, false, "fail" }, { 10, false, "warn" }, { 15, false, "warn" }, { 17, false, "pass" }
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;
		const uint16_t *algs = rows[i].cc ? sha384 : sha256;
		const enum hash h = rows[i].cc ? HASH_SHA384 : HASH_SHA256;

		log_head(&b, "Spec ID Event03", algs, 1);
		for (uint32_t r = rows[i].cc; r < (rows[i].cc ? 3 : 8); r++)
			log_event(&b, r, EV_SEPARATOR, algs, 1, ZEROS, ZEROS);
		registers_of(&regs, buf_view(&b), LOG_TCG, h, rows[i].cc);
		regs.v[rows[i].reg].v[5] = 1;
		judge(&v, &regs, buf_view(&b), rows[i].cc ? LOG_CCEL : LOG_TCG, NULL);
		STR(log_result(&v, "eventlog.replay"), rows[i].want);
		EQ(v.holds, strcmp(rows[i].want, "fail") != 0);
	}
}

TEST(eventlog_order_is_looked_at)
{
	static const struct { const char *what; uint32_t reg, type; bool secure_boot; const char *want; } rows[] = {
		{ "second separator", 1, EV_SEPARATOR, false, "fail" }, { "loader in a firmware register", 0, EV_IPL, false, "fail" },
		{ "tag in a firmware register", 7, EV_EVENT_TAG, false, "fail" }, { "loader in its own", 9, EV_IPL, false, "pass" },
		{ "db after the separator", 7, EV_EFI_VARIABLE_DRIVER_CONFIG, true, "fail" }, { "another variable there", 1, EV_EFI_VARIABLE_BOOT2, false, "pass" }
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		tpm_log(&b);
		if (rows[i].type == EV_SEPARATOR)
			log_event(&b, rows[i].reg, EV_SEPARATOR, three, 3, ZEROS, ZEROS);
		else if (rows[i].secure_boot)
			variable(&b, rows[i].reg, rows[i].type, three, 3, log_global_guid, "db", SLICE("x"));
		else
			text(&b, rows[i].reg, rows[i].type, three, 3, "0123456789");
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, NULL);
		if (strcmp(log_result(&v, "eventlog.order"), rows[i].want))
			test_fail(__FILE__, __LINE__, "%s: %s %s", rows[i].what, log_result(&v, "eventlog.order"), v.reason);
	}
	{
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		log_head(&b, "Spec ID Event03", sha256, 1);
		text(&b, 0, EV_S_CRTM_VERSION, sha256, 1, "no separator at all");
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, NULL);
		REFUSED(v, "eventlog.order");
	}
}

/* Labels are not hashed: the same digests, with other types and prefixes, must not pass for something else. */
TEST(eventlog_relabelled_events_do_not_pass)
{
	char line[] = CMDLINE, *lines[] = { line }, hex[2 * 32 + 1], *images[] = { hex };
	const struct limits cmdline = { .kernel_cmdlines = { lines, 1 } }, secure = { .want_secure_boot = true };
	struct limits boot = { .boot_images = { images, 1 } };
	uint8_t d[32];
	AUTO_BUF ok = { 0 };

	WORKS(hash_of(d, HASH_SHA256, SLICE("GRUB"), &e));
	buf_hex(&ok, slice_of(d, 32));
	memcpy(hex, buf_cstr(&ok), sizeof hex);

	/* a bad command line hidden as a GRUB command, and a GRUB command of the good text shown as the command line */
	{
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		tpm_log(&b);
		grub(&b, 8, three, 3, "grub_cmd: ", "linux root=/dev/evil");
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, &cmdline);
		REFUSED(v, "eventlog.cmdline");
	}
	/* an unlisted image shown as a table of devices */
	{
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_LOG_VERDICT w = { 0 };
		struct registers regs;

		tpm_log(&b);
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, &boot);
		ACCEPTED(v);
		log_event(&b, 4, 0xb, three, 3, SLICE("a table"), SLICE("evil image"));
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&w, &regs, buf_view(&b), LOG_TCG, &boot);
		REFUSED(w, "eventlog.boot_images");
	}
	/* secure boot off, shown as a post code, and the value of a boot variable shown as SecureBoot */
	{
		AUTO_BUF b = { 0 }, off = { 0 }, on = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		log_variable(&off, log_global_guid, "SecureBoot", SLICE("\0"));
		log_variable(&on, log_global_guid, "SecureBoot", SLICE("\1"));
		log_head(&b, "Spec ID Event03", sha384, 1);
		log_event(&b, 1, EV_POST_CODE, sha384, 1, SLICE("ACPI DATA"), buf_view(&off));
		log_event(&b, 1, EV_EFI_VARIABLE_DRIVER_CONFIG, sha384, 1, buf_view(&on), buf_view(&on));
		log_event(&b, 1, EV_SEPARATOR, sha384, 1, ZEROS, ZEROS);
		log_event(&b, 2, EV_SEPARATOR, sha384, 1, ZEROS, ZEROS);
		registers_of(&regs, buf_view(&b), LOG_CCEL, HASH_SHA384, true);
		judge(&v, &regs, buf_view(&b), LOG_CCEL, &secure);
		REFUSED(v, "eventlog.secure_boot");
	}
}

/* A guest started with another command line extends the listed one later, and hides the real one under some label. */
TEST(eventlog_command_lines_hidden_under_other_labels)
{
	static const char bad[] = "root=/dev/evil";
	static const struct { uint32_t reg, type; const char *data, *want; } rows[] = {
		{ 8, 0x80000009, "tables", "fail" }, { 8, EV_EVENT_TAG, "hello", "fail" }, { 8, EV_ACTION, bad, "fail" }, { 8, EV_IPL, bad, "fail" },
		{ 12, EV_ACTION, bad, "fail" }, { 12, 0x80000009, "tables", "fail" }, { 9, 0x80000009, "tables", "warn" }, { 9, EV_ACTION, bad, "warn" },
		{ 8, EV_IPL, "grub_cmd: root=/dev/evil", "pass" },	/* behind its prefix, what GRUB does all the time */
	};
	char line[] = CMDLINE, *lines[] = { line };
	const struct limits limits = { .kernel_cmdlines = { lines, 1 } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		log_head(&b, "Spec ID Event03", sha256, 1);
		for (uint32_t r = 0; r < 8; r++)
			log_event(&b, r, EV_SEPARATOR, sha256, 1, ZEROS, ZEROS);
		log_event(&b, rows[i].reg, rows[i].type, sha256, 1, slice_of(rows[i].data, strlen(rows[i].data) + !strcmp(rows[i].want, "pass")), slice_str(bad));
		grub(&b, 8, sha256, 1, "kernel_cmdline: ", CMDLINE);
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, &limits);
		if (strcmp(log_result(&v, "eventlog.cmdline"), rows[i].want))
			test_fail(__FILE__, __LINE__, "row %zu: %s %s", i, log_result(&v, "eventlog.cmdline"), v.reason);
		EQ(v.holds, strcmp(rows[i].want, "fail") != 0);
	}
	for (size_t i = 0; i < 2; i++) {	/* RTMR2: files are there as well, so it can only be said */
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		log_head(&b, "Spec ID Event03", sha384, 1);
		for (uint32_t r = 1; r < 3; r++)
			log_event(&b, r, EV_SEPARATOR, sha384, 1, ZEROS, ZEROS);
		if (i)
			log_event(&b, 3, EV_EVENT_TAG, sha384, 1, SLICE("Linux initrd"), slice_str(bad));
		grub(&b, 3, sha384, 1, "kernel_cmdline: ", CMDLINE);
		registers_of(&regs, buf_view(&b), LOG_CCEL, HASH_SHA384, true);
		judge(&v, &regs, buf_view(&b), LOG_CCEL, &limits);
		STR(log_result(&v, "eventlog.cmdline"), i ? "warn" : "pass");
	}
}

/* The bytes that an image's digest is over explain that digest as well, under any label. */
TEST(eventlog_images_hidden_under_other_labels)
{
	static const struct { const char *begin; const char *want; } rows[] = {
		{ "Calling EFI Application from Boot Option", "pass" }, { "MZ evil image", "fail" }, { "VZ evil image", "fail" }, { "PE\0\0 evil image", "fail" }
	};
	char hex[2 * 32 + 1], *images[] = { hex };
	const struct limits limits = { .boot_images = { images, 1 } };
	uint8_t d[32];
	AUTO_BUF ok = { 0 };

	WORKS(hash_of(d, HASH_SHA256, SLICE("GRUB"), &e));
	buf_hex(&ok, slice_of(d, 32));
	memcpy(hex, buf_cstr(&ok), sizeof hex);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct slice data = slice_of(rows[i].begin, i == 3 ? 15 : strlen(rows[i].begin));
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		tpm_log(&b);
		log_event(&b, 4, EV_ACTION, three, 3, data, data);
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, &limits);
		STR(log_result(&v, "eventlog.boot_images"), rows[i].want);
		STR(log_result(&v, "eventlog.digests"), "pass");
	}
}

TEST(eventlog_without_a_log_only_what_was_asked_fails)
{
	static const struct slice none[N_LOGS];
	char line[] = "x", *lines[] = { line };
	const struct limits cases[] = { { .kernel_cmdlines = { lines, 1 } }, { .boot_images = { lines, 1 } }, { .want_secure_boot = true } };
	static const char *const ids[] = { "eventlog.cmdline", "eventlog.boot_images", "eventlog.secure_boot" };
	struct registers regs = { .cc = true, .alg = HASH_SHA384 };
	AUTO_LOG_VERDICT v = { 0 };

	log_judge(&v, &regs, none, NULL);
	ACCEPTED(v);
	STR(log_result(&v, "eventlog.replay"), "skip");
	for (size_t i = 0; i < 3; i++) {
		AUTO_LOG_VERDICT w = { 0 };

		log_judge(&w, &regs, none, &cases[i]);
		OK(!w.holds);
		STR(log_result(&w, ids[i]), "fail");
		HAS(w.reason, "none came with the evidence");
	}
}

TEST(eventlog_init_data_stands_in_pcr_8)
{
	static const struct slice none[N_LOGS];
	uint8_t digest[32];
	AUTO_BUF hex = { 0 }, log = { 0 };
	char *list[1];
	struct limits limits = { 0 };
	struct registers regs = { .alg = HASH_SHA256 };
	AUTO_LOG_VERDICT v = { 0 };
	AUTO_LOG_VERDICT w = { 0 };
	AUTO_LOG_VERDICT u = { 0 };

	WORKS(hash_of(digest, HASH_SHA256, SLICE("init data"), &e));
	buf_hex(&hex, slice_of(digest, 32));
	list[0] = (char *)hex.p;
	limits.init_data = (struct texts){ list, 1 };
	regs.v[8].known = true;
	regs.v[8].n = 32;
	log_judge(&u, &regs, none, &limits);		/* PCR 8 is zero */
	OK(!u.holds);
	OK(extend_hex(regs.v[8].v, HASH_SHA256, buf_cstr(&hex)));
	log_judge(&v, &regs, none, &limits);
	ACCEPTED(v);
	STR(log_result(&v, "eventlog.init_data"), "pass");
	tpm_log(&log);					/* behind GRUB's events */
	registers_of(&regs, buf_view(&log), LOG_TCG, HASH_SHA256, false);
	OK(extend_hex(regs.v[8].v, HASH_SHA256, buf_cstr(&hex)));
	judge(&w, &regs, buf_view(&log), LOG_TCG, &limits);
	ACCEPTED(w);
	STR(log_result(&w, "eventlog.init_data"), "pass");
}

/* CoCo's entries: behind a pseudo header with a zero signature, bare, or already at the end of the CCEL. */
TEST(eventlog_aael_is_read_in_every_form)
{
	static const uint16_t pseudo[] = { 0xc, 0x12 };
	const struct slice entry = SLICE("LEAA\x0a\0\0\0a.b op {1}");
	AUTO_BUF ccel = { 0 }, both = { 0 }, bare = { 0 }, headed = { 0 };
	const struct buf *const forms[] = { &bare, &headed, NULL };
	struct registers regs;

	cc_log(&ccel, false);
	cc_log(&both, true);
	buf_fill(&both, 0xff, 8);
	log_event(&bare, 4, EV_EVENT_TAG, sha384, 1, entry, entry);
	log_head(&headed, "", pseudo, 2);
	EQ(headed.n, 69);
	buf_slice(&headed, buf_view(&bare));
	buf_fill(&headed, 0xff, 8);
	OK(eventlog_looks_like(buf_view(&bare)) && eventlog_looks_like(buf_view(&headed)));
	registers_of(&regs, buf_view(&both), LOG_CCEL, HASH_SHA384, true);
	for (size_t i = 0; i < 3; i++) {
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_JSON *claims = json_object();
		struct slice logs[N_LOGS] = { 0 };

		logs[LOG_CCEL] = forms[i] ? buf_view(&ccel) : buf_view(&both);
		if (forms[i])
			logs[LOG_AAEL] = buf_view(forms[i]);
		log_judge(&v, &regs, logs, NULL);
		ACCEPTED(v);
		WORKS(eventlog_claims(claims, v.s, &e));
		STR(json_string(json_path(claims, "/aael/0/domain")), "a.b");
		STR(json_string(json_path(claims, "/aael/0/content")), "{1}");
	}
	{	/* in both places: counted once */
		AUTO_LOG_VERDICT v = { 0 };
		const struct slice logs[N_LOGS] = { [LOG_CCEL] = buf_view(&both), [LOG_AAEL] = buf_view(&headed) };

		log_judge(&v, &regs, logs, NULL);
		ACCEPTED(v);
	}
	{	/* another entry than the one that was measured */
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_BUF other = { 0 };

		log_event(&other, 4, EV_EVENT_TAG, sha384, 1, SLICE("LEAA\x0a\0\0\0a.b op {2}"), entry);
		{
			const struct slice logs[N_LOGS] = { [LOG_CCEL] = buf_view(&ccel), [LOG_AAEL] = buf_view(&other) };

			log_judge(&v, &regs, logs, NULL);
			REFUSED(v, "eventlog.digests");
		}
	}
}

static void ima_entry(struct buf *b, const char *name, struct slice data, bool violation)
{
	AUTO_BUF hashed = { 0 };
	uint8_t d[20] = { 0 };

	buf_slice(&hashed, data);
	if (!strcmp(name, "ima")) {
		buf_reset(&hashed);
		buf_put(&hashed, data.p, 20);
		buf_put(&hashed, data.p + 24, data.n - 24);
		buf_fill(&hashed, 0, 256 - (data.n - 24));
	}
	if (!violation)
		WORKS(hash_of(d, HASH_SHA1, buf_view(&hashed), &e));
	buf_le32(b, 10);
	buf_put(b, d, 20);
	buf_le32(b, (uint32_t)strlen(name));
	buf_puts(b, name);
	if (strcmp(name, "ima"))
		buf_le32(b, (uint32_t)data.n);
	buf_slice(b, data);
}

static void ima_log(struct buf *b)
{
	AUTO_BUF ng = { 0 }, old = { 0 };

	buf_le32(&ng, 40);
	buf_put(&ng, "sha256:", 8);
	buf_fill(&ng, 0x77, 32);
	buf_le32(&ng, 9);
	buf_put(&ng, "/bin/cat", 9);
	buf_fill(&old, 0x55, 20);
	buf_le32(&old, 7);
	buf_puts(&old, "/bin/ls");
	ima_entry(b, "ima-ng", buf_view(&ng), false);
	ima_entry(b, "ima", buf_view(&old), false);
	ima_entry(b, "ima-ng", buf_view(&ng), true);
	ima_entry(b, "ima-ng", buf_view(&ng), false);
}

TEST(eventlog_ima_replays_to_pcr_10)
{
	AUTO_BUF tcg = { 0 }, ima = { 0 };
	struct registers regs, r10;

	tpm_log(&tcg);
	ima_log(&ima);
	OK(eventlog_looks_like(buf_view(&ima)));
	for (enum hash h = HASH_SHA1; h <= HASH_SHA256; h = h == HASH_SHA1 ? HASH_SHA256 : HASH_MAX) {
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_LOG_VERDICT w = { 0 };
		const struct slice logs[N_LOGS] = { [LOG_TCG] = buf_view(&tcg), [LOG_IMA] = buf_view(&ima) };

		registers_of(&regs, buf_view(&tcg), LOG_TCG, h, false);
		registers_of(&r10, buf_view(&ima), LOG_IMA, h, false);
		regs.v[10] = r10.v[10];
		log_judge(&v, &regs, logs, NULL);
		ACCEPTED(v);
		OK(!v.warned);
		ima.p[ima.n - 1] ^= 1;		/* the template data of the last entry */
		log_judge(&w, &regs, logs, NULL);
		OK(!w.holds);
		ima.p[ima.n - 1] ^= 1;
	}
}

/* A kernel older than 5.8 pads its SHA-1 digests; entries behind the quote are not vouched for. */
TEST(eventlog_ima_of_old_kernels_and_newer_entries)
{
	AUTO_BUF tcg = { 0 }, ima = { 0 };
	struct registers regs;
	AUTO_LOG_VERDICT v = { 0 };
	struct log_events l = { 0 };
	uint8_t pcr[64] = { 0 };

	tpm_log(&tcg);
	ima_log(&ima);
	registers_of(&regs, buf_view(&tcg), LOG_TCG, HASH_SHA256, false);
	WORKS(events_parse(&l, buf_view(&ima), LOG_IMA, NULL, &e));
	EQ(l.n, 4);
	for (size_t i = 0; i < 3; i++) {	/* the last entry came after the quote */
		memset(pcr + 32, l.v[i].violation ? 0xff : 0, 32);
		if (!l.v[i].violation)
			memcpy(pcr + 32, l.v[i].digest[HASH_SHA1], 20);
		WORKS(hash_of(pcr, HASH_SHA256, slice_of(pcr, 64), &e));
	}
	events_free(&l);
	memcpy(regs.v[10].v, pcr, 32);
	{
		const struct slice logs[N_LOGS] = { [LOG_TCG] = buf_view(&tcg), [LOG_IMA] = buf_view(&ima) };

		log_judge(&v, &regs, logs, NULL);
	}
	ACCEPTED(v);
	OK(v.warned);
	EQ(v.s->st[10].how, REPLAY_PREFIX);
	OK(!v.s->l.v[v.s->l.n - 1].vouched && v.s->l.v[v.s->l.n - 2].vouched);
}

TEST(eventlog_an_event_that_extends_mrtd_is_refused)
{
	AUTO_BUF b = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	struct registers regs;

	cc_log(&b, false);
	text(&b, 0, EV_EFI_ACTION, sha384, 1, "x");
	registers_of(&regs, buf_view(&b), LOG_CCEL, HASH_SHA384, true);
	judge(&v, &regs, buf_view(&b), LOG_CCEL, NULL);
	REFUSED(v, "eventlog.replay");
}

/* An event without a digest of the quoted bank was not extended there, so nothing proves it. */
TEST(eventlog_events_without_the_quoted_digest_are_refused)
{
	AUTO_BUF b = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	struct registers regs;

	tpm_log(&b);
	registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
	text(&b, 9, EV_IPL, three, 1, "/vmlinuz");	/* SHA-1 only */
	judge(&v, &regs, buf_view(&b), LOG_TCG, NULL);
	REFUSED(v, "eventlog.replay");
}

TEST(eventlog_utf16_command_lines_may_lack_a_byte)
{
	for (size_t missing = 0; missing <= 2; missing++) {
		AUTO_BUF b = { 0 }, wide = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;
		char line[] = CMDLINE, *lines[] = { line };
		const struct limits limits = { .kernel_cmdlines = { lines, 1 } };

		utf8_to_utf16(&wide, SLICE(CMDLINE));
		buf_le16(&wide, 0);
		log_head(&b, "Spec ID Event03", sha256, 1);
		for (uint32_t r = 0; r < 8; r++)
			log_event(&b, r, EV_SEPARATOR, sha256, 1, ZEROS, ZEROS);
		log_event(&b, 8, EV_IPL, sha256, 1, slice_of(wide.p, wide.n - missing), buf_view(&wide));
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, &limits);
		ACCEPTED(v);
		STR(log_result(&v, "eventlog.cmdline"), "pass");
	}
}

/* Linux's EFI stub and unified kernel images log a digest alone: it is compared with what the policy allows. */
TEST(eventlog_command_lines_that_are_digests_are_compared)
{
	static const struct { const char *before, *behind; bool nul; } forms[] = { { "", "", true }, { "BOOT_IMAGE=", "", false }, { "", " initrd=initrd", true } };
	static const char tag[] = "\xed\x22\x3b\x8f\x1a\0\0\0LOADED_IMAGE::LoadOptions";
	char line[] = CMDLINE, *lines[] = { line };
	const struct limits limits = { .kernel_cmdlines = { lines, 1 } };

	for (size_t i = 0; i < 4; i++) {
		AUTO_BUF b = { 0 }, s = { 0 }, wide = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		cc_log(&b, false);
		buf_printf(&s, "%s%s%s", i < 3 ? forms[i].before : "evil", CMDLINE, i < 3 ? forms[i].behind : "");
		utf8_to_utf16(&wide, buf_view(&s));
		if (i < 3 && forms[i].nul)
			buf_le16(&wide, 0);
		log_event(&b, 3, EV_EVENT_TAG, sha384, 1, slice_of(tag, sizeof tag), buf_view(&wide));
		registers_of(&regs, buf_view(&b), LOG_CCEL, HASH_SHA384, true);
		judge(&v, &regs, buf_view(&b), LOG_CCEL, &limits);
		STR(log_result(&v, "eventlog.cmdline"), i < 3 ? "pass" : "fail");
	}
}

/* A unified kernel image: its section's digest against the listed line; a content without its name before it is no section. */
TEST(eventlog_uki_sections_come_in_pairs)
{
	static const struct { const char *content; bool named; const char *digests, *cmdline; } rows[] = {
		{ CMDLINE, true, "pass", "pass" }, { CMDLINE "\n", true, "pass", "pass" }, { "evil", true, "pass", "fail" }, { CMDLINE, false, "fail", "pass" }
	};
	char line[] = CMDLINE, *lines[] = { line };
	const struct limits limits = { .kernel_cmdlines = { lines, 1 } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { 0 }, name = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_JSON *claims = json_object();
		struct registers regs;

		utf8_to_utf16(&name, SLICE(".cmdline"));
		buf_le16(&name, 0);
		log_head(&b, "Spec ID Event03", sha256, 1);
		for (uint32_t r = 0; r < 8; r++)
			log_event(&b, r, EV_SEPARATOR, sha256, 1, ZEROS, ZEROS);
		if (rows[i].named)
			log_event(&b, 11, EV_IPL, sha256, 1, buf_view(&name), slice_of(".cmdline", 9));
		log_event(&b, 11, EV_IPL, sha256, 1, buf_view(&name), slice_str(rows[i].content));
		registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
		judge(&v, &regs, buf_view(&b), LOG_TCG, &limits);
		STR(log_result(&v, "eventlog.digests"), rows[i].digests);
		STR(log_result(&v, "eventlog.cmdline"), rows[i].cmdline);
		WORKS(eventlog_claims(claims, v.s, &e));
		STR(json_string(json_path(claims, "/uki_sections/0/name")), ".cmdline");
	}
}

TEST(eventlog_more_command_lines_than_any_boot_has_are_refused)
{
	char line[] = CMDLINE, *lines[] = { line };
	const struct limits limits = { .kernel_cmdlines = { lines, 1 } };
	AUTO_BUF b = { 0 };
	AUTO_LOG_VERDICT v = { 0 };
	struct registers regs;

	tpm_log(&b);
	for (size_t i = 0; i < 70; i++)
		grub(&b, 8, three, 3, "kernel_cmdline: ", CMDLINE);
	registers_of(&regs, buf_view(&b), LOG_TCG, HASH_SHA256, false);
	judge(&v, &regs, buf_view(&b), LOG_TCG, &limits);
	REFUSED(v, "eventlog.cmdline");
}
