/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/gguf.h"

#include "infer_make.h"

static int parse_bytes(struct slice s, struct err *e)
{
	AUTO_GGUF g = { 0 };

	return gguf_parse(&g, s, e);
}

static int parse(const struct making *m, struct err *e)
{
	AUTO_BUF b = { 0 };

	mk_finish(&b, m);
	return parse_bytes(buf_view(&b), e);
}

/* Two keys and two tensors that hold together; each test below breaks one thing. */
static void good(struct making *m)
{
	mk_str(m, "general.architecture", "llama");
	mk_u32(m, "a.b", 7);
	mk_tensor(m, "t1", 32, 2, TT_Q8_0);
	mk_tensor(m, "t2", 3, 1, TT_F32);
}

TEST(gguf_reads_what_is_there)
{
	AUTO_MAKING m = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_GGUF g = { 0 };
	uint64_t v = 0;
	bool found = true, flag = false;
	struct slice s = { 0 };
	double d = 0;

	good(&m);
	mk_bool(&m, "flag", 1);
	mk_f32(&m, "f", 0.5f);
	mk_finish(&b, &m);
	WORKS(gguf_parse(&g, buf_view(&b), &e));
	EQ(g.n_kv, 4);
	EQ(g.n_tensors, 2);
	WORKS(gguf_uint(&v, &found, &g, "a.b", &e));
	OK(found && v == 7);
	WORKS(gguf_uint(&v, &found, &g, "a.c", &e));
	OK(!found && v == 7);
	WORKS(gguf_bool(&flag, &g, "flag", &e));
	OK(flag);
	WORKS(gguf_real(&d, NULL, &g, "f", &e));
	OK(d == 0.5);
	WORKS(gguf_str(&s, &g, "general.architecture", &e));
	OK(slice_eqs(s, "llama"));
	FAILS(gguf_uint(&v, NULL, &g, "general.architecture", &e), EC_FORMAT);
	FAILS(gguf_str(&s, &g, "a.b", &e), EC_FORMAT);
	OK(gguf_tensor(&g, "t2") && gguf_tensor(&g, "t2")->data.n == 12);
	OK(gguf_tensor(&g, "t3") == NULL);
	EQ(gguf_tensor(&g, "t1")->data.n, 68);
	OK((size_t)(gguf_tensor(&g, "t2")->data.p - gguf_tensor(&g, "t1")->data.p) == 96);
}

TEST(gguf_version_2_is_read_and_1_is_not)
{
	AUTO_MAKING m = { .version = 2 };

	good(&m);
	WORKS(parse(&m, &e));
	m.version = 1;
	FAILS(parse(&m, &e), EC_FORMAT);
	m.version = 4;
	FAILS(parse(&m, &e), EC_FORMAT);
	m.version = 0x03000000;
	FAILS(parse(&m, &e), EC_ABSENT);
}

TEST(gguf_cut_anywhere_is_refused)
{
	AUTO_MAKING m = { 0 };
	AUTO_BUF b = { 0 };

	good(&m);
	mk_finish(&b, &m);
	WORKS(parse_bytes(buf_view(&b), &e));
	for (size_t n = 0; n + 20 < b.n; n++) {		/* the last 20 bytes are padding */
		/* a copy of exactly n bytes, so that the sanitizer sees a read behind it */
		uint8_t *p = malloc(n ? n : 1);

		memcpy(p, b.p, n);
		FAILS(parse_bytes(slice_of(p, n), &e), EC_FORMAT);
		free(p);
	}
}

TEST(gguf_counts_that_nothing_pays_for_are_refused)
{
	AUTO_MAKING m = { 0 };
	AUTO_BUF b = { 0 };
	static const uint64_t huge[] = { 1000, 1u << 20, UINT64_C(1) << 40, INT64_MAX, UINT64_MAX };

	good(&m);
	mk_finish(&b, &m);
	for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
		for (size_t at = 8; at <= 16; at += 8) {
			uint8_t old[8];

			memcpy(old, b.p + at, 8);
			memcpy(b.p + at, &huge[i], 8);
			FAILS(parse_bytes(buf_view(&b), &e), EC_FORMAT);
			memcpy(b.p + at, old, 8);
		}
	}
	WORKS(parse_bytes(buf_view(&b), &e));
}

TEST(gguf_lengths_that_nothing_pays_for_are_refused)
{
	for (int i = 0; i < 3; i++) {
		AUTO_MAKING m = { 0 };

		mk_key(&m, "x", i == 0 ? GGUF_STRING : GGUF_ARRAY);
		if (i)
			buf_le32(&m.kv, i == 1 ? GGUF_STRING : GGUF_U64);
		buf_le64(&m.kv, UINT64_C(0x2000000000000001));
		buf_fill(&m.kv, 0, 64);
		FAILS(parse(&m, &e), EC_FORMAT);
	}
}

TEST(gguf_doubles_are_refused)
{
	AUTO_MAKING m = { 0 }, m2 = { 0 };

	good(&m);
	mk_u32(&m, "a.b", 8);
	FAILS(parse(&m, &e), EC_FORMAT);
	good(&m2);
	mk_tensor(&m2, "t1", 3, 1, TT_F32);
	FAILS(parse(&m2, &e), EC_FORMAT);
}

TEST(gguf_values_out_of_form_are_refused)
{
	AUTO_MAKING two = { 0 }, nested = { 0 }, type = { 0 }, empty = { 0 };

	mk_bool(&two, "flag", 2);
	FAILS(parse(&two, &e), EC_FORMAT);
	mk_key(&nested, "x", GGUF_ARRAY);
	buf_le32(&nested.kv, GGUF_ARRAY);
	buf_le64(&nested.kv, 0);
	FAILS(parse(&nested, &e), EC_FORMAT);
	mk_key(&type, "x", 13);
	buf_le64(&type.kv, 0);
	FAILS(parse(&type, &e), EC_FORMAT);
	mk_u32(&empty, "", 1);
	FAILS(parse(&empty, &e), EC_FORMAT);
}

TEST(gguf_alignment_has_to_be_a_power_of_two)
{
	static const struct { uint32_t v; bool good; } c[] = { { 32, true }, { 16, true }, { 0, false }, { 3, false }, { 48, false } };

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		AUTO_MAKING m = { 0 };
		struct err e = { 0 };

		mk_u32(&m, "general.alignment", c[i].v);
		mk_tensor(&m, "t", 8, 1, TT_F32);
		EQ(parse(&m, &e), c[i].good ? 0 : -1);
	}
}

TEST(gguf_tensor_offsets_have_no_choice)
{
	static const struct { uint64_t first, second; bool good; } c[] = {
		{ 0, 32, true }, { 0, 0, false }, { 0, 16, false }, { 0, 64, false }, { 32, 64, false }, { 32, 0, false },
		{ 0, UINT64_MAX - 31, false },
	};

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		AUTO_MAKING m = { 0 };
		struct err e = { 0 };

		mk_info(&m, "a", 8, 1, TT_F32, c[i].first);
		mk_info(&m, "b", 8, 1, TT_F32, c[i].second);
		buf_fill(&m.data, 0, 128);
		EQ(parse(&m, &e), c[i].good ? 0 : -1);
	}
}

TEST(gguf_dimensions_that_overflow_are_refused)
{
	static const struct { uint64_t k, n; uint32_t type; } c[] = {
		{ UINT64_C(1) << 62, 8, TT_F32 }, { UINT64_C(1) << 32, UINT64_C(1) << 31, TT_F32 }, { 0, 4, TT_F32 }, { 4, 0, TT_F32 },
		{ UINT64_MAX, 1, TT_F32 }, { 33, 1, TT_Q8_0 }, { 128, 1, TT_Q4_K }, { UINT64_C(1) << 61, 1, TT_F32 },
		{ 1024, 1, TT_F32 },	/* more than the file has */
	};

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		AUTO_MAKING m = { 0 };

		mk_info(&m, "a", c[i].k, c[i].n, c[i].type, 0);
		buf_fill(&m.data, 0, 64);
		FAILS(parse(&m, &e), EC_FORMAT);
	}
}

TEST(gguf_names_what_it_cannot_compute_with)
{
	AUTO_MAKING iq = { 0 }, unknown = { 0 }, split = { 0 }, one = { 0 };
	struct err e = { 0 };

	mk_info(&iq, "blk.0.x", 256, 1, 17, 0);
	EQ(parse(&iq, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "IQ2_XS");
	HAS(e.msg, "blk.0.x");
	mk_info(&unknown, "a", 256, 1, 99, 0);
	EQ(parse(&unknown, &e), -1);
	EQ(e.code, EC_FORMAT);
	mk_key(&split, "split.count", GGUF_U16);
	buf_le16(&split.kv, 3);
	EQ(parse(&split, &e), -1);
	EQ(e.code, EC_ABSENT);
	mk_key(&one, "split.count", GGUF_U16);
	buf_le16(&one.kv, 1);
	EQ(parse(&one, &e), 0);
}

TEST(gguf_tensor_names_have_63_bytes_at_most)
{
	for (int n = 62; n < 66; n++) {
		AUTO_MAKING m = { 0 };
		char name[80] = { 0 };
		struct err e = { 0 };

		memset(name, 'x', (size_t)n);
		mk_tensor(&m, name, 8, 1, TT_F32);
		EQ(parse(&m, &e), n <= 63 ? 0 : -1);
	}
}

TEST(gguf_per_layer_arrays_stand_for_one_number_if_equal)
{
	AUTO_MAKING m = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_GGUF g = { 0 };
	uint64_t v = 0;

	for (uint32_t k = 0; k < 2; k++) {
		mk_key(&m, k ? "other" : "same", GGUF_ARRAY);
		buf_le32(&m.kv, GGUF_I32);
		buf_le64(&m.kv, 2);
		buf_le32(&m.kv, 4);
		buf_le32(&m.kv, 4 + k);
	}
	mk_key(&m, "minus", GGUF_I32);
	buf_le32(&m.kv, UINT32_MAX);
	mk_finish(&b, &m);
	WORKS(gguf_parse(&g, buf_view(&b), &e));
	WORKS(gguf_uint(&v, NULL, &g, "same", &e));
	EQ(v, 4);
	FAILS(gguf_uint(&v, NULL, &g, "other", &e), EC_ABSENT);
	FAILS(gguf_uint(&v, NULL, &g, "minus", &e), EC_FORMAT);
}
