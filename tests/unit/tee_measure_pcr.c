/* SPDX-License-Identifier: Apache-2.0 */
/* Predicted PCR events: against values of systemd-measure 252 for the same sections, and on images that lie. */

#include <stdio.h>

#include "base/cursor.h"
#include "codec/hex64.h"
#include "tee/eventlog_int.h"
#include "tee/measure_pcr.h"
#include "test.h"

struct part {
	const char *name, *content;
	uint32_t in_memory;		/* 0: as long as the content */
};

/* A PE32+ image with these sections, each padded to 512 bytes in the file. */
static void pe_make(struct buf *b, const struct part *parts, size_t n)
{
	const uint32_t head = 0x400;
	uint32_t at = head;

	buf_put(b, "MZ", 2);
	buf_fill(b, 0, 58);
	buf_le32(b, 64);
	buf_put(b, "PE\0", 4);
	buf_le16(b, 0x8664);
	buf_le16(b, (uint16_t)n);
	buf_fill(b, 0, 12);
	buf_le16(b, 240);
	buf_le16(b, 0x22);
	buf_le16(b, 0x20b);
	buf_fill(b, 0, 58);
	buf_le32(b, head);		/* SizeOfHeaders */
	buf_fill(b, 0, 44);
	buf_le32(b, 16);
	buf_fill(b, 0, 128);
	for (size_t i = 0; i < n; i++) {
		char name[8] = { 0 };
		const uint32_t size = (uint32_t)strlen(parts[i].content), padded = (size + 511) & ~511u;

		memcpy(name, parts[i].name, strlen(parts[i].name));
		buf_put(b, name, 8);
		buf_le32(b, parts[i].in_memory ? parts[i].in_memory : size);
		buf_le32(b, 0x10000 + at);
		buf_le32(b, padded);
		buf_le32(b, at);
		buf_fill(b, 0, 16);
		at += padded;
	}
	buf_fill(b, 0, head - b->n);
	for (size_t i = 0; i < n; i++) {
		buf_puts(b, parts[i].content);
		buf_fill(b, 0, (512 - b->n % 512) % 512);
	}
}

/* In another order than they are measured in. */
static const struct part uki[] = {
	{ ".osrel", "ID=test\n", 0 }, { ".pcrpkey", "-----KEY", 0 }, { ".text", "code", 0 }, { ".cmdline", "root=/dev/vda1 ro quiet\n", 0 },
	{ ".splash", "BM", 0 }, { ".dtb", "dtb!", 0 }, { ".initrd", "INITRD DATA", 0 }, { ".linux", "LINUXKERNEL", 0 }
};
#define N_UKI (sizeof uki / sizeof uki[0])

TEST(measure_pcr_uki_gives_what_systemd_measure_gives)
{
	static const struct { enum hash h; const char *phases, *want; } rows[] = {
		{ HASH_SHA1, "enter-initrd", "5ef18733ab029424529e1a49848ec8d63b77570a" },
		{ HASH_SHA256, "enter-initrd", "a7be51ad8fe4d47ee31a332ec5a2d2c937f6296fbcfcb5e7e8ccc041305b4c22" },
		{ HASH_SHA384, "enter-initrd", "985f8d65c1c3b7d5f72f9b038fde92b1e22136e983c16aa3002ba9da2ae6b229c4f8c029cabac7bf5b1c77822d632f0c" },
		{ HASH_SHA256, "enter-initrd:leave-initrd", "a2266fbf5259ae556bb5c58bf8bc104d936daf890d6e19ad5cd156306f824187" },
		{ HASH_SHA256, "enter-initrd:leave-initrd:sysinit:ready", "bdac24c17681b05f712e8752fddcd74759869ff49a4e03f5451dc5e6e1f5ab4b" }
	};
	AUTO_BUF b = { 0 };

	pe_make(&b, uki, N_UKI);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct slice image = buf_view(&b);
		const struct source s = source_of(&image);
		AUTO_PCR_PLAN p = { .alg = rows[i].h };
		AUTO_BUF hex = { 0 };
		uint8_t v[HASH_MAX];

		OK(is_uki(&s));
		WORKS(measure_uki(&p, &s, &e));
		WORKS(pcr11_value(v, &p, rows[i].phases, &e));
		buf_hex(&hex, slice_of(v, hash_size(rows[i].h)));
		STR(buf_cstr(&hex), rows[i].want);
		STR(buf_cstr(&p.cmdline), "root=/dev/vda1 ro quiet");
		EQ(p.n, 1 + 2 * (N_UKI - 1));
	}
}

/* The plan's policy accepts a log of that very boot: what is predicted is what the log check looks for. */
TEST(measure_pcr_policy_names_images_command_line_and_pcr_11)
{
	AUTO_BUF b = { 0 };
	AUTO_JSON *policy = json_object();
	AUTO_JSON *shown = json_object();
	AUTO_PCR_PLAN p = { .alg = HASH_SHA256 };
	struct slice image;
	struct source s;

	pe_make(&b, uki, N_UKI);
	image = buf_view(&b);
	s = source_of(&image);
	WORKS(measure_uki(&p, &s, &e));
	WORKS(measure_cmdline(&p, SLICE("root=/dev/vda1"), &e));
	WORKS(measure_initrd(&p, &s, &e));
	WORKS(pcr_plan_policy(policy, &p, &e));
	WORKS(pcr_plan_json(shown, &p, &e));
	EQ(json_count(json_get(policy, "boot_images")), 1);
	STR(json_string(json_path(policy, "/kernel_cmdlines/0")), "root=/dev/vda1 ro quiet");
	STR(json_string(json_path(policy, "/pcrs/11/0")), "a7be51ad8fe4d47ee31a332ec5a2d2c937f6296fbcfcb5e7e8ccc041305b4c22");
	EQ(json_count(json_path(policy, "/pcrs/11")), 4);
	STR(json_string(json_path(shown, "/pcr11/enter-initrd")), "a7be51ad8fe4d47ee31a332ec5a2d2c937f6296fbcfcb5e7e8ccc041305b4c22");
	EQ(json_count(json_get(shown, "events")), p.n);
}

/* A kernel that is a PE image itself is started by the stub, so the firmware measures it too. */
TEST(measure_pcr_inner_kernel_is_an_image_of_its_own)
{
	AUTO_BUF inner = { 0 }, outer = { 0 };
	static const struct part text = { ".text", "kernel code", 0 };
	uint8_t want[32];
	AUTO_PCR_PLAN p = { .alg = HASH_SHA256 };
	struct slice image, k;
	struct source s, ks;
	struct part parts[1] = { { ".linux", "", 0 } };
	size_t at;

	pe_make(&inner, &text, 1);
	pe_make(&outer, parts, 1);
	at = outer.n;
	buf_slice(&outer, buf_view(&inner));
	outer.p[64 + 24 + 240 + 8] = (uint8_t)inner.n;		/* sizes and place of the section's content */
	outer.p[64 + 24 + 240 + 9] = (uint8_t)(inner.n >> 8);
	outer.p[64 + 24 + 240 + 16] = (uint8_t)inner.n;
	outer.p[64 + 24 + 240 + 17] = (uint8_t)(inner.n >> 8);
	outer.p[64 + 24 + 240 + 20] = (uint8_t)at;
	outer.p[64 + 24 + 240 + 21] = (uint8_t)(at >> 8);
	image = buf_view(&outer);
	k = buf_view(&inner);
	s = source_of(&image);
	ks = source_of(&k);
	WORKS(measure_uki(&p, &s, &e));
	WORKS(authenticode(want, HASH_SHA256, &ks, (struct slice){ 0 }, &e));
	EQ(p.v[0].pcr, 4);
	EQ(p.v[1].pcr, 4);
	MEM(p.v[1].digest, want, 32);
	OK(memcmp(p.v[0].digest, want, 32) != 0);
}

TEST(measure_pcr_sections_longer_in_memory_end_in_zeros)
{
	static const struct part parts[] = { { ".linux", "x", 1500 } };
	uint8_t content[1500] = { 'x' }, want[32];
	AUTO_BUF b = { 0 };
	AUTO_PCR_PLAN p = { .alg = HASH_SHA256 };
	struct slice image;
	struct source s;

	pe_make(&b, parts, 1);
	image = buf_view(&b);
	s = source_of(&image);
	WORKS(measure_uki(&p, &s, &e));
	WORKS(hash_of(want, HASH_SHA256, slice_of(content, sizeof content), &e));
	MEM(p.v[2].digest, want, 32);
}

TEST(measure_pcr_images_that_lie_are_refused)
{
	static const struct { struct part parts[2]; size_t n; enum ec code; const char *why; } rows[] = {
		{ { { ".text", "code", 0 } }, 1, EC_FORMAT, "no unified kernel image" },
		{ { { ".linux", "a", 0 }, { ".linux", "b", 0 } }, 2, EC_FORMAT, "two sections" },
		{ { { ".linux", "a", 0 }, { ".profile", "ID=1", 0 } }, 2, EC_ABSENT, "depends on the machine" },
		{ { { ".linux", "a", 0xf0000000 } }, 1, EC_FORMAT, "beyond the end" }
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_PCR_PLAN p = { .alg = HASH_SHA256 };
		struct err e = { 0 };
		struct slice image;
		struct source s;

		pe_make(&b, rows[i].parts, rows[i].n);
		image = buf_view(&b);
		s = source_of(&image);
		OK(measure_uki(&p, &s, &e) == -1);
		EQ(e.code, rows[i].code);
		HAS(e.msg, rows[i].why);
	}
}

TEST(measure_pcr_cut_images_are_refused)
{
	AUTO_BUF b = { 0 };

	pe_make(&b, uki, N_UKI);
	for (size_t n = 0; n < b.n; n++) {	/* each section is padded: all of the file is claimed */
		AUTO_PCR_PLAN p = { .alg = HASH_SHA256 };
		const struct slice image = slice_of(b.p, n);
		const struct source s = source_of(&image);

		FAILS(measure_uki(&p, &s, &e), EC_FORMAT);
	}
}

TEST(measure_pcr_command_lines_have_a_digest_for_each_producer)
{
	AUTO_PCR_PLAN p = { .alg = HASH_SHA256 };
	uint8_t d[32];

	WORKS(measure_cmdline(&p, SLICE("a b"), &e));
	EQ(p.n, 5);
	WORKS(hash_of(d, HASH_SHA256, SLICE("a b"), &e));
	MEM(p.v[0].digest, d, 32);
	WORKS(hash_of(d, HASH_SHA256, slice_of("a\0 \0b\0\0\0", 8), &e));
	MEM(p.v[1].digest, d, 32);
	EQ(p.v[4].pcr, 12);
	MEM(p.v[4].digest, d, 32);
}

/* The unified kernel image of dstack: its log's first event of each pair is over the name that we predict. */
TEST(vectors_measure_pcr_section_names_are_those_of_a_real_log)
{
	AUTO_BUF log = { 0 }, b = { 0 };
	struct log_events l = { 0 };
	AUTO_PCR_PLAN p = { .alg = HASH_SHA256 };
	static const struct part parts[] = { { ".sbat", "s", 0 }, { ".uname", "6", 0 }, { ".initrd", "i", 0 }, { ".cmdline", "c", 0 }, { ".osrel", "o", 0 }, { ".linux", "l", 0 } };
	struct slice image;
	struct source s;
	size_t k = 1;

	NEED_VECTORS;
	load_vec(&log, "cpu-tee/eventlog/dstack-tpm-uki.bin");
	pe_make(&b, parts, 6);
	image = buf_view(&b);
	s = source_of(&image);
	WORKS(measure_uki(&p, &s, &e));
	WORKS(events_parse(&l, buf_view(&log), LOG_TCG, NULL, &e));
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].reg != 11)
			continue;
		if (k < p.n && k % 2)
			MEM(l.v[i].digest[HASH_SHA256], p.v[k].digest, 32);
		k++;
	}
	EQ(k, p.n);
	events_free(&l);
}
