/* SPDX-License-Identifier: Apache-2.0 */
/* Real event logs: every register of every algorithm, what each event proves, the quotes they belong to, and Trustee's form. */

#include <stdio.h>
#include <stdlib.h>

#include "codec/hex64.h"
#include "codec/inflate.h"
#include "eventlog_maker.h"
#include "tee/tdx.h"
#include "test.h"

#define E "cpu-tee/eventlog/"
#define T "trustee/eventlog/"

static int sink(void *arg, struct slice out, struct err *e)
{
	buf_slice(arg, out);
	return buf_check(arg, e);
}

static void load_log(struct buf *ret, const char *name)
{
	const struct inflate_limits limits = { 1 << 20, 0, 1 << 20 };
	AUTO_INFLATE z = { 0 };
	AUTO_BUF raw = { 0 };

	if (!strstr(name, ".gz")) {
		load_vec(ret, name);
		return;
	}
	load_vec(&raw, name);
	WORKS(inflate_init(&z, &limits, sink, ret, &e));
	WORKS(inflate_add(&z, buf_view(&raw), &e));
	WORKS(inflate_end(&z, &e));
}

struct row {
	char name[128];
	unsigned long events, used, whole;
};

static void check_head(const struct row *r, struct log_events *l)
{
	char path[200];
	AUTO_BUF b = { 0 };
	size_t used = 0;

	snprintf(path, sizeof path, E "%s", r->name);
	load_log(&b, path);
	EQ(b.n, r->whole);
	WORKS(events_parse(l, buf_view(&b), LOG_TCG, &used, &e));
	EQ(used, r->used);
	EQ(l->n, r->events);
}

static size_t check_value(const struct row *r, const char *alg, unsigned reg, const char *hex, bool cc)
{
	char path[200], unused[2 * HASH_MAX + 1];
	struct log_events l = { 0 };
	struct reg_state st[LOG_REGS];
	AUTO_BUF b = { 0 }, got = { 0 };

	snprintf(path, sizeof path, E "%s", r->name);
	load_log(&b, path);
	WORKS(events_parse(&l, buf_view(&b), LOG_TCG, NULL, &e));
	WORKS(events_replay(st, &l, NULL, hash_by_name(alg), cc, NULL, unused, &e));
	buf_hex(&got, slice_of(st[reg].v, hash_size(hash_by_name(alg))));
	if (strcmp(buf_cstr(&got), hex))
		test_fail(__FILE__, __LINE__, "%s %s register %u: %s, wanted %s", r->name, alg, reg, buf_cstr(&got), hex);
	events_free(&l);
	return 1;
}

TEST(vectors_eventlog_every_register_replays)
{
	AUTO_BUF text = { 0 };
	struct rd r;
	struct slice line;
	struct row row = { 0 };
	size_t rows = 0, values = 0;

	NEED_VECTORS;
	load_vec(&text, E "expected-replay.txt");
	r = rd_of(buf_view(&text));
	while (rd_line(&r, &line)) {
		char s[400], alg[16], hex[200];
		unsigned reg;

		snprintf(s, sizeof s, "%.*s", (int)line.n, (const char *)line.p);
		if (sscanf(s, "[%127[^]]] events=%lu bytes_consumed=%lu file=%lu", row.name, &row.events, &row.used, &row.whole) == 4) {
			struct log_events l = { 0 };

			check_head(&row, &l);
			events_free(&l);
			rows++;
		} else if (sscanf(s, "%15s mr%u %199s", alg, &reg, hex) == 3) {
			values += check_value(&row, alg, reg, hex, strstr(row.name, "CCEL") || strstr(row.name, "ccel") || strstr(row.name, "cos113"));
		}
	}
	EQ(rows, 8);
	OK(values > 60);
}

static const struct {
	const char *name;
	bool cc;
	enum hash alg;
	const char *fails;		/* the first check that fails with registers of its own; NULL: none */
} judged[] = {
	{ E "cos113.ccel-data.bin.gz", true, HASH_SHA384, NULL },
	{ E "ars-live.ccel.bin.gz", true, HASH_SHA384, NULL },
	{ E "CCEL_unpadded.bin", true, HASH_SHA384, "eventlog.order" },		/* both separators in RTMR0 */
	{ E "cos113-dupe-separator.bin", true, HASH_SHA384, "eventlog.order" },
	{ E "arch-linux-workstation.bin", false, HASH_SHA256, NULL },
	{ E "arch-linux-workstation.bin", false, HASH_SHA1, NULL },
	{ E "rhel8-uefi.bin", false, HASH_SHA1, NULL },
	{ E "rhel8-uefi.bin", false, HASH_SHA256, NULL },
	{ E "rhel8-uefi.bin", false, HASH_SHA384, NULL },
	{ E "ubuntu-2404-amd-sevsnp.bin", false, HASH_SHA1, NULL },
	{ E "ubuntu-2404-amd-sevsnp.bin", false, HASH_SHA256, NULL },
	{ E "ubuntu-2404-amd-sevsnp.bin", false, HASH_SHA384, NULL },
	{ E "dstack-tpm-uki.bin", false, HASH_SHA256, NULL },
	{ E "dstack-tpm-uki.bin", false, HASH_SHA384, NULL },
	{ T "CCEL_AAEL_alibabacloud", true, HASH_SHA384, NULL },
	{ T "CCEL_data_grub", true, HASH_SHA384, "eventlog.order" },
	{ T "CCEL_data_ovmf", true, HASH_SHA384, "eventlog.order" }
};
#define N_JUDGED (sizeof judged / sizeof judged[0])

static void judge_log(struct log_verdict *v, const struct registers *regs, struct slice log, bool cc, const struct limits *limits)
{
	struct slice logs[N_LOGS] = { 0 };

	logs[cc ? LOG_CCEL : LOG_TCG] = log;
	log_judge(v, regs, logs, limits);
}

TEST(vectors_eventlog_data_and_digests_agree)
{
	NEED_VECTORS;
	for (size_t i = 0; i < N_JUDGED; i++) {
		AUTO_BUF b = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		load_log(&b, judged[i].name);
		registers_of(&regs, buf_view(&b), LOG_TCG, judged[i].alg, judged[i].cc);
		judge_log(&v, &regs, buf_view(&b), judged[i].cc, NULL);
		if (v.holds == (judged[i].fails != NULL) || (judged[i].fails && strncmp(v.reason, judged[i].fails, strlen(judged[i].fails))))
			test_fail(__FILE__, __LINE__, "%s %s: %s", judged[i].name, hash_name(judged[i].alg), v.reason);
	}
}

/* Registers of one machine, log of another. */
TEST(vectors_eventlog_swapped_logs_are_refused)
{
	NEED_VECTORS;
	for (size_t i = 0; i < N_JUDGED; i++)
		for (size_t k = 0; k < N_JUDGED; k++) {
			AUTO_BUF a = { 0 }, b = { 0 };
			AUTO_LOG_VERDICT v = { 0 };
			struct registers regs;

			if (!strcmp(judged[i].name, judged[k].name) || judged[i].alg != judged[k].alg || judged[i].cc != judged[k].cc)
				continue;
			load_log(&a, judged[i].name);
			load_log(&b, judged[k].name);
			registers_of(&regs, buf_view(&a), LOG_TCG, judged[i].alg, judged[i].cc);
			judge_log(&v, &regs, buf_view(&b), judged[k].cc, NULL);
			OK(!v.holds);
			HAS(v.reason, "eventlog.replay");
		}
}

static void quote_registers(struct registers *regs, const char *name, struct buf *b)
{
	struct tdx_quote q;

	load_vec(b, name);
	WORKS(tdx_quote_parse(&q, buf_view(b), &e));
	*regs = (struct registers){ .cc = true, .alg = HASH_SHA384 };
	for (size_t i = 0; i < 5; i++) {	/* cpu-tee.md 4.2: MRTD at 136, RTMR0 at 328 */
		regs->v[i].known = true;
		regs->v[i].n = 48;
		memcpy(regs->v[i].v, q.body.p + (i ? 328 + 48 * (i - 1) : 136), 48);
	}
}

TEST(vectors_eventlog_match_their_quotes)
{
	static const struct { const char *quote, *log, *other; } rows[] = {
		{ "cpu-tee/tdx/cos113-padded.quote.bin", E "cos113.ccel-data.bin.gz", E "ars-live.ccel.bin.gz" },
		{ "cpu-tee/tdx/ars-live.quote.bin", E "ars-live.ccel.bin.gz", E "cos113-dupe-separator.bin" }
	};

	NEED_VECTORS;
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF q = { 0 }, log = { 0 }, other = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_LOG_VERDICT w = { 0 };
		struct registers regs;

		quote_registers(&regs, rows[i].quote, &q);
		load_log(&log, rows[i].log);
		load_log(&other, rows[i].other);
		judge_log(&v, &regs, buf_view(&log), true, NULL);
		if (!v.holds)
			test_fail(__FILE__, __LINE__, "%s: %s", rows[i].log, v.reason);
		STR(log_result(&v, "eventlog.replay"), "pass");
		judge_log(&w, &regs, buf_view(&other), true, NULL);
		OK(!w.holds);
		STR(log_result(&w, "eventlog.replay"), "fail");
	}
}

static bool same(const struct json *a, const struct json *b)
{
	AUTO_BUF x = { 0 }, y = { 0 };

	return !json_canonical(&x, a, NULL) && !json_canonical(&y, b, NULL) && slice_eq(buf_view(&x), buf_view(&y));
}

TEST(vectors_eventlog_claims_are_those_of_trustee)
{
	static const char *const names[] = { "CCEL_data_ovmf", "CCEL_data_grub", "CCEL_AAEL_alibabacloud" };

	NEED_VECTORS;
	for (size_t i = 0; i < 3; i++) {
		AUTO_JSON *want = NULL;
		AUTO_JSON *got = json_object();
		AUTO_BUF log = { 0 }, text = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;
		const struct json *a, *b;
		char path[100];
		size_t n = 0;

		snprintf(path, sizeof path, T "%s", names[i]);
		load_log(&log, path);
		snprintf(path, sizeof path, T "%s_out.json", names[i]);
		load_vec(&text, path);
		WORKS(json_parse(&want, buf_view(&text), 1 << 20, &e));
		registers_of(&regs, buf_view(&log), LOG_CCEL, HASH_SHA384, true);
		judge_log(&v, &regs, buf_view(&log), true, NULL);
		WORKS(eventlog_claims(got, v.s, &e));
		a = json_get(got, "uefi_event_logs");
		b = json_get(want, "uefi_event_logs");
		EQ(json_count(a), json_count(b));
		for (a = json_first(a), b = json_first(b); a && b; a = json_next(a), b = json_next(b), n++)
			if (!same(a, b)) {
				AUTO_BUF x = { 0 }, y = { 0 };

				json_write(&x, a, false, NULL);
				json_write(&y, b, false, NULL);
				test_fail(__FILE__, __LINE__, "%s entry %zu: %.900s\n wanted %.900s", names[i], n, buf_cstr(&x), buf_cstr(&y));
			}
		OK(n > 15);
	}
}

/* What the logs show, and what a policy of these values says. */
TEST(vectors_eventlog_command_lines_are_held_against_the_policy)
{
	static const struct { const char *name; bool cc; enum hash alg; size_t lines; const char *want; } rows[] = {	/* warn: files beside it */
		{ E "cos113.ccel-data.bin.gz", true, HASH_SHA384, 1, "warn" }, { E "arch-linux-workstation.bin", false, HASH_SHA256, 1, "pass" },
		{ E "rhel8-uefi.bin", false, HASH_SHA256, 1, "warn" }, { E "ubuntu-2404-amd-sevsnp.bin", false, HASH_SHA256, 1, "warn" },
		{ T "CCEL_AAEL_alibabacloud", true, HASH_SHA384, 1, "warn" }
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF log = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_LOG_VERDICT w = { 0 };
		AUTO_LOG_VERDICT u = { 0 };
		AUTO_JSON *claims = json_object();
		struct registers regs;
		char *line, other[] = "root=/dev/other";
		struct limits limits = { 0 };

		load_log(&log, rows[i].name);
		registers_of(&regs, buf_view(&log), LOG_TCG, rows[i].alg, rows[i].cc);
		judge_log(&v, &regs, buf_view(&log), rows[i].cc, NULL);
		STR(log_result(&v, "eventlog.cmdline"), "skip");
		WORKS(eventlog_claims(claims, v.s, &e));
		EQ(json_count(json_get(claims, "kernel_cmdline")), rows[i].lines);
		line = str_dup(json_string(json_at(json_get(claims, "kernel_cmdline"), 0)), NULL);
		limits.kernel_cmdlines = (struct texts){ &line, 1 };
		judge_log(&w, &regs, buf_view(&log), rows[i].cc, &limits);
		if (!log_result(&w, "eventlog.cmdline") || strcmp(log_result(&w, "eventlog.cmdline"), rows[i].want))
			test_fail(__FILE__, __LINE__, "%s: %s", rows[i].name, w.reason);
		limits.kernel_cmdlines.v = (char *[]){ other };
		judge_log(&u, &regs, buf_view(&log), rows[i].cc, &limits);
		OK(!u.holds);
		STR(log_result(&u, "eventlog.cmdline"), "fail");
		free(line);
	}
}

TEST(vectors_eventlog_secure_boot_is_what_the_variable_says)
{
	static const struct { const char *name; bool cc; const char *want; } rows[] = {
		{ E "cos113.ccel-data.bin.gz", true, "fail" }, { E "ars-live.ccel.bin.gz", true, "fail" }, { T "CCEL_data_grub", true, "pass" },
		{ E "arch-linux-workstation.bin", false, "fail" }, { E "dstack-tpm-uki.bin", false, "fail" }
	};
	struct limits limits = { .want_secure_boot = true };

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF log = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		struct registers regs;

		load_log(&log, rows[i].name);
		registers_of(&regs, buf_view(&log), LOG_TCG, rows[i].cc ? HASH_SHA384 : HASH_SHA256, rows[i].cc);
		judge_log(&v, &regs, buf_view(&log), rows[i].cc, &limits);
		if (!log_result(&v, "eventlog.secure_boot") || strcmp(log_result(&v, "eventlog.secure_boot"), rows[i].want))
			test_fail(__FILE__, __LINE__, "%s: %s", rows[i].name, v.reason);
	}
}

TEST(vectors_eventlog_images_have_to_be_listed)
{
	NEED_VECTORS;
	for (size_t i = 0; i < N_JUDGED; i++) {
		AUTO_BUF log = { 0 };
		AUTO_LOG_VERDICT v = { 0 };
		AUTO_LOG_VERDICT w = { 0 };
		AUTO_LOG_VERDICT u = { 0 };
		AUTO_JSON *claims = json_object();
		struct registers regs;
		struct limits limits = { 0 };
		char *list[16];
		size_t n = 0;

		load_log(&log, judged[i].name);
		registers_of(&regs, buf_view(&log), LOG_TCG, judged[i].alg, judged[i].cc);
		judge_log(&v, &regs, buf_view(&log), judged[i].cc, NULL);
		WORKS(eventlog_claims(claims, v.s, &e));
		for (const struct json *j = json_first(json_get(claims, "boot_images")); j && n < 16; j = json_next(j))
			list[n++] = str_dup(json_string(json_get(j, "digest")), NULL);
		OK(n > 0);
		limits.boot_images = (struct texts){ list, n };
		judge_log(&w, &regs, buf_view(&log), judged[i].cc, &limits);
		if (strcmp(log_result(&w, "eventlog.boot_images"), "pass"))
			test_fail(__FILE__, __LINE__, "%s: %s", judged[i].name, w.reason);
		limits.boot_images.n = n - 1;
		if (n > 1) {
			judge_log(&u, &regs, buf_view(&log), judged[i].cc, &limits);
			STR(log_result(&u, "eventlog.boot_images"), strcmp(list[n - 1], list[n - 2]) ? "fail" : "pass");
		}
		while (n)
			free(list[--n]);
	}
}

TEST(vectors_eventlog_files_are_recognised_and_shown)
{
	NEED_VECTORS;
	for (size_t i = 0; i < N_JUDGED; i++) {
		AUTO_BUF log = { 0 };
		AUTO_JSON *j = json_object();

		load_log(&log, judged[i].name);
		OK(eventlog_looks_like(buf_view(&log)));
		WORKS(eventlog_describe(j, buf_view(&log), &e));
		HAS(json_string(json_get(j, "format")), judged[i].cc ? "CCEL" : "crypto agile");
	}
	{
		AUTO_BUF table = { 0 };
		AUTO_JSON *j = json_object();

		load_vec(&table, E "cos113.ccel-table.bin");
		OK(eventlog_looks_like(buf_view(&table)));
		WORKS(eventlog_describe(j, buf_view(&table), &e));
		STR(json_string(json_get(j, "tee")), "TDX");
	}
}

/* Real logs: every byte of each digest, and of the data that a digest was found to cover.  What follows a prefix is covered, the prefix is
 * a label; the text of a GRUB event ends at its NUL. */
static size_t flips(struct buf *log, const struct registers *regs, bool cc, size_t step)
{
	struct log_events l = { 0 };
	size_t n = 0;

	WORKS(events_parse(&l, buf_view(log), cc ? LOG_CCEL : LOG_TCG, NULL, &e));
	WORKS(events_judge(&l, regs->alg, cc, &e));
	for (size_t i = 0; i < l.n; i++) {
		const struct log_event *ev = &l.v[i];
		const bool name = ev->meaning == MEANS_SECTION_NAME, whole = ev->proof == PROVED && !ev->text.n && ev->type != EV_EFI_VARIABLE_BOOT && ev->type != EV_S_CRTM_VERSION;
		const struct slice parts[] = { slice_of(ev->digest[regs->alg], event_extends(ev) ? hash_size(regs->alg) : 0),
					       whole || name || ev->meaning == MEANS_AAEL ? ev->data : ev->proof == PROVED ? ev->text : (struct slice){ 0 } };

		for (size_t p = 0; p < 2; p++)
			for (size_t k = 0; k < parts[p].n; k += step, n++) {
				AUTO_LOG_VERDICT v = { 0 };
				uint8_t *at = log->p + (parts[p].p - log->p) + k;

				*at ^= 4;
				judge_log(&v, regs, buf_view(log), cc, NULL);
				if (v.holds)
					test_fail(__FILE__, __LINE__, "event %zu: flipped %s byte %zu is accepted", i, p ? "data" : "digest", k);
				*at ^= 4;
			}
	}
	events_free(&l);
	return n;
}

TEST(vectors_eventlog_flipped_bytes_are_refused)
{
	static const struct { const char *name; bool cc; enum hash alg; size_t step; } rows[] = {
		{ E "ars-live.ccel.bin.gz", true, HASH_SHA384, 1 }, { T "CCEL_AAEL_alibabacloud", true, HASH_SHA384, 11 },
		{ E "cos113.ccel-data.bin.gz", true, HASH_SHA384, 23 }, { E "rhel8-uefi.bin", false, HASH_SHA256, 37 },
		{ E "dstack-tpm-uki.bin", false, HASH_SHA256, 41 }, { E "arch-linux-workstation.bin", false, HASH_SHA256, 7 }, { E "ubuntu-2404-amd-sevsnp.bin", false, HASH_SHA384, 53 }
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF log = { 0 };
		struct registers regs;
		struct slice used;

		load_log(&log, rows[i].name);
		if (rows[i].cc) {
			WORKS(ccel_trim(&used, buf_view(&log), &e));
			log.n = used.n;
		}
		registers_of(&regs, buf_view(&log), LOG_TCG, rows[i].alg, rows[i].cc);
		OK(flips(&log, &regs, rows[i].cc, rows[i].step) > 200);
	}
}
