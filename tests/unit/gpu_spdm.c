/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of NVIDIA devices and their opaque data, on reports made here. */

#include "base/cursor.h"
#include "nv_maker.h"
#include "test.h"

#define OPAQUE_AT (37 + 8 + 64 * 55 + 32)	/* of a GPU's report: where the length of its opaque data stands */

static void report_of(struct buf *ret, const struct nv_make *m)
{
	nv_make_report(ret, m);
}

TEST(spdm_report_is_read)
{
	const uint8_t nonce[32] = { 1, 2, 3 };
	AUTO_BUF raw = { 0 };
	struct spdm_report r;
	uint8_t value[48];

	report_of(&raw, &(const struct nv_make){ .nonce = nonce });
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	EQ(r.n_blocks, 64);
	MEM(r.nonce.p, nonce, 32);
	EQ(r.signed_part.n, raw.n - 96);
	OK(r.signature.p == raw.p + raw.n - 96 && r.signature.n == 96);
	nv_make_measurement(value, NV_HOPPER, 9);
	OK(r.block[9].present && r.block[9].value.n == 48);
	MEM(r.block[9].value.p, value, 48);
	EQ(r.responder_nonce.p[0], 0x5c);
}

TEST(spdm_report_of_a_switch)
{
	AUTO_BUF raw = { 0 };
	struct spdm_report r;

	report_of(&raw, &(const struct nv_make){ .arch = NV_LS10 });
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	EQ(r.n_blocks, 31);
	OK(r.block[30].present && !r.block[31].present);
}

TEST(spdm_every_truncation_is_malformed)
{
	AUTO_BUF raw = { 0 };
	struct spdm_report r;

	report_of(&raw, &(const struct nv_make){ 0 });
	for (size_t n = 0; n < raw.n; n++) {
		struct err e = { 0 };

		if (spdm_parse(&r, slice_of(raw.p, n), &e) != -1 || e.code != EC_FORMAT)
			test_fail(__FILE__, __LINE__, "cut at %zu: code %d", n, e.code);
	}
}

TEST(spdm_padding_behind_the_signature)
{
	AUTO_BUF raw = { 0 };
	struct spdm_report r;
	struct err e = { 0 };
	size_t n;

	report_of(&raw, &(const struct nv_make){ .trailing = 5 });
	n = raw.n;
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	EQ(r.signature.p + 96 + 5 - raw.p, n);
	raw.p[n - 2] = 1;
	EQ(spdm_parse(&r, buf_view(&raw), &e), -1);
	HAS(e.msg, "not all zero");
}

/* Changes one byte and tells what is said about it. */
static void changed(size_t at, uint8_t value, const char *says)
{
	AUTO_BUF raw = { 0 };
	struct spdm_report r;
	struct err e = { 0 };

	report_of(&raw, &(const struct nv_make){ 0 });
	raw.p[at] = value;
	EQ(spdm_parse(&r, buf_view(&raw), &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, says);
}

TEST(spdm_structure_is_checked)
{
	changed(0, 0x12, "SPDM 1.2");
	changed(1, 0xe1, "code 0xe1");
	changed(2, 0x00, "did not ask for a signature");
	changed(3, 0x01, "operation 1");
	changed(36, 0x01, "slot 0, slot 1");
	changed(37, 0x12, "SPDM 1.2");
	changed(38, 0x7f, "code 0x7f");
	changed(41, 0, "0 measurement blocks");
	changed(41, 65, "65 measurement blocks");
	changed(41, 63, "behind its 63 blocks");
	changed(42, 0xc1, "");				/* record a byte longer */
	changed(44, 0x01, "ends inside its response");	/* 64 KiB longer */
	changed(45, 2, "block 2 is there twice");
	changed(45, 0, "block 0 is out of range");
	changed(45, 65, "block 65 is out of range");
	changed(46, 2, "specification 0x02");
	changed(47, 52, "");				/* block a byte longer than its value */
	changed(50, 47, "its value says 47");
	changed(50, 49, "its value says 49");
	changed(OPAQUE_AT + 1, 0xff, "ends inside its response");
}

TEST(spdm_version_exchange_is_named)
{
	struct spdm_report r;
	struct err e = { 0 };

	EQ(spdm_parse(&r, slice_of("\x10\x84\0\0\x10\x04\0\0", 8), &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "SPDM 1.2 or newer");
}

TEST(spdm_is_recognised)
{
	AUTO_BUF raw = { 0 };

	report_of(&raw, &(const struct nv_make){ 0 });
	OK(spdm_recognise(buf_view(&raw)));
	OK(spdm_recognise(slice_of(raw.p, 40)));
	OK(spdm_recognise(slice_of("\x10\x84\0\0", 4)));
	OK(!spdm_recognise(slice_of(raw.p, 3)));
	OK(!spdm_recognise(SLICE("{\"a\":1}")));
	OK(!spdm_recognise((struct slice){ 0 }));
}

/* --- opaque data ------------------------------------------------------------------------------------------------ */

static const struct opaque_entry *find(const struct opaque *o, enum opaque_type t, size_t n)
{
	const struct opaque_entry *x = opaque_find(o, t);

	OK(x && x->data.n == n);
	return x;
}

static void both_layouts(bool versioned)
{
	AUTO_BUF raw = { 0 };
	struct spdm_report r;
	struct opaque o;

	report_of(&raw, &(const struct nv_make){ .versioned = versioned, .has_feature = true });
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	WORKS(opaque_parse(&o, r.opaque, &e));
	EQ(o.versioned, versioned);
	EQ(o.major, versioned ? 2 : 0);
	OK(slice_eq(find(&o, OPAQUE_DRIVER, versioned ? 7 : 10)->data, versioned ? SLICE("620.12\0") : SLICE("580.95.05\0")));
	EQ(find(&o, OPAQUE_FWID, 48)->value_type, versioned ? 1 : 0);
	EQ(get_le32(find(&o, OPAQUE_GPU_INFO, 8)->data.p), 0x180);
	OK(!opaque_find(&o, OPAQUE_CHIP_INFO));
}

TEST(opaque_both_layouts)
{
	both_layouts(false);
	both_layouts(true);
}

TEST(opaque_truncations)
{
	for (int versioned = 0; versioned < 2; versioned++) {
		AUTO_BUF raw = { 0 };
		struct spdm_report r = { 0 };
		struct opaque o;
		size_t whole = 0;

		report_of(&raw, &(const struct nv_make){ .versioned = versioned });
		WORKS(spdm_parse(&r, buf_view(&raw), &e));
		for (size_t n = 0; n < r.opaque.n; n++) {
			struct err e = { 0 };

			if (!opaque_parse(&o, slice_of(r.opaque.p, n), &e))
				whole++;		/* between two entries; the report's own length guards that */
			else
				EQ(e.code, EC_FORMAT);
		}
		OK(whole > 10 && whole < 25);
	}
}

TEST(opaque_rules)
{
	struct opaque o;
	struct err e = { 0 };

	WORKS(opaque_parse(&o, (struct slice){ 0 }, &e));
	EQ(o.n, 0);
	WORKS(opaque_parse(&o, SLICE("\x21\x03\x01\0x\x21\x03\x01\0y"), &e));		/* unknown ones are kept, and may be there twice */
	EQ(o.n, 2);
	OK(!opaque_name(0x321));
	WORKS(opaque_parse(&o, SLICE("\xff\0\0\0\xff\0\0\0"), &e));
	EQ(opaque_parse(&o, SLICE("\x03\0\x01\0x\x03\0\x01\0y"), &e), -1);
	HAS(e.msg, "driver version) twice");
	EQ(opaque_parse(&o, SLICE("\x03\0\x02\0x"), &e), -1);
	HAS(e.msg, "ends inside entry 0");
	EQ(opaque_parse(&o, SLICE("NVDAOD\0\0\x03\0\0\0"), &e), -1);
	HAS(e.msg, "newer than this version");
	EQ(opaque_parse(&o, SLICE("NVDAOD\x01\0\x02\0\0\0"), &e), -1);
	HAS(e.msg, "newer than this version");
	EQ(opaque_parse(&o, SLICE("NVDAOD\0\0\x02\0\0"), &e), -1);
	HAS(e.msg, "12-byte head");
	WORKS(opaque_parse(&o, SLICE("NVDAOD\0\0\x02\0\0\0"), &e));
	EQ(opaque_parse(&o, SLICE("NVDAOD\0\0\x02\0\0\0\x03\0\x86\0\x01\0x\x03\0\x86\0\x01\0x"), &e), -1);
	HAS(e.msg, "twice");
}

TEST(opaque_too_many_entries)
{
	AUTO_BUF b = { 0 };
	struct opaque o;
	struct err e = { 0 };

	for (size_t i = 0; i <= OPAQUE_ENTRIES_MAX; i++) {
		if (i == OPAQUE_ENTRIES_MAX)
			WORKS(opaque_parse(&o, buf_view(&b), &e));
		buf_put(&b, "\x34\x12\0\0", 4);
	}
	EQ(opaque_parse(&o, buf_view(&b), &e), -1);
	HAS(e.msg, "more than 128");
}
