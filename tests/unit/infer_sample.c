/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/sample.h"

#include <math.h>

#include "test.h"

static uint32_t pick(const struct sample_opts *o, const float *logits, size_t n)
{
	struct sampler *s = NULL;
	uint32_t id = UINT32_MAX;

	WORKS(sampler_new(&s, o, n, &e));
	WORKS(sampler_next(&id, s, logits, NULL, 0, &e));
	sampler_free(s);
	return id;
}

/* How often each of n tokens comes up in 4000 draws. */
static void count(unsigned *ret, const struct sample_opts *o, const float *logits, size_t n)
{
	struct sampler *s = NULL;

	memset(ret, 0, n * sizeof *ret);
	WORKS(sampler_new(&s, o, n, &e));
	for (int i = 0; i < 4000; i++) {
		uint32_t id = 0;

		WORKS(sampler_next(&id, s, logits, NULL, 0, &e));
		ret[id]++;
	}
	sampler_free(s);
}

#define PLAIN { .temperature = 1, .top_p = 1, .repeat_penalty = 1, .seed = 7 }

TEST(sample_zero_temperature_takes_the_best_and_the_lowest_among_equals)
{
	const struct sample_opts o = { .top_p = 1, .repeat_penalty = 1 };

	EQ(pick(&o, (const float[]){ 1, 3, 2, 3 }, 4), 1);
	EQ(pick(&o, (const float[]){ -5, -9 }, 2), 0);
}

/* Computed apart from this code, from the published definitions. */
TEST(sample_generator_is_xoshiro_seeded_by_splitmix)
{
	static const struct { uint64_t seed, draw[3]; } c[] = {
		{ 0, { 0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0 } },
		{ 42, { 0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1 } },
	};

	for (size_t i = 0; i < 2; i++) {
		struct sample_opts o = PLAIN;
		struct sampler *s = NULL;

		o.seed = c[i].seed;
		WORKS(sampler_new(&s, &o, 2, &e));
		for (int k = 0; k < 3; k++)
			OK(sampler_draw(s) == c[i].draw[k]);
		sampler_free(s);
	}
}

TEST(sample_same_seed_same_tokens)
{
	struct sample_opts o = PLAIN;
	const float l[8] = { 0, 1, 0.5f, 0.2f, 0.9f, 1.1f, 0.3f, 0 };
	unsigned a[8], b[8], c[8];

	count(a, &o, l, 8);
	count(b, &o, l, 8);
	MEM(a, b, sizeof a);
	o.seed = 8;
	count(c, &o, l, 8);
	OK(memcmp(a, c, sizeof a) != 0);
}

TEST(sample_draws_by_probability)
{
	struct sample_opts o = PLAIN;
	const float l[3] = { logf(0.7f), logf(0.2f), logf(0.1f) };
	unsigned n[3];

	count(n, &o, l, 3);
	OK(n[0] > 2650 && n[0] < 2950);
	OK(n[1] > 680 && n[1] < 920);
	OK(n[2] > 300 && n[2] < 500);
	o.temperature = 0.5;	/* squares the odds: 0.49 : 0.04 : 0.01 */
	count(n, &o, l, 3);
	OK(n[0] > 3500 && n[1] > 200 && n[1] < 420 && n[2] > 30 && n[2] < 130);
}

TEST(sample_top_k_keeps_k)
{
	struct sample_opts o = PLAIN;
	const float l[5] = { 0, 0.1f, 0.2f, 0.3f, 0.1f };
	unsigned n[5];

	o.top_k = 3;	/* 3, 2, and of the equals the lower one */
	count(n, &o, l, 5);
	OK(n[3] && n[2] && n[1] && !n[0] && !n[4]);
	o.top_k = 1;
	count(n, &o, l, 5);
	EQ(n[3], 4000);
	o.top_k = 99;
	count(n, &o, l, 5);
	OK(n[0] && n[4]);
}

TEST(sample_top_p_keeps_the_crossing_one)
{
	struct sample_opts o = PLAIN;
	const float l[3] = { logf(0.5f), logf(0.3f), logf(0.2f) };
	unsigned n[3];

	o.top_p = 0.6;
	count(n, &o, l, 3);
	OK(n[0] && n[1] && !n[2]);
	o.top_p = 0.4;
	count(n, &o, l, 3);
	EQ(n[0], 4000);
}

TEST(sample_min_p_is_relative_to_the_best)
{
	struct sample_opts o = PLAIN;
	const float l[3] = { logf(0.6f), logf(0.3f), logf(0.1f) };
	unsigned n[3];

	o.min_p = 0.4;
	count(n, &o, l, 3);
	OK(n[0] && n[1] && !n[2]);
	o.min_p = 1;
	count(n, &o, l, 3);
	EQ(n[0], 4000);
}

TEST(sample_repeat_penalty_looks_at_the_last_64)
{
	const struct sample_opts o = { .top_p = 1, .repeat_penalty = 2 };
	const float l[3] = { 3, 2, -1 };
	uint32_t id = 9, old[65] = { 0 };
	struct sampler *s = NULL;

	WORKS(sampler_new(&s, &o, 3, &e));
	WORKS(sampler_next(&id, s, l, (const uint32_t[]){ 0, 0, 2 }, 3, &e));
	EQ(id, 1);		/* 3 / 2 < 2, divided once however often it came */
	for (int i = 1; i < 65; i++)
		old[i] = 2;
	WORKS(sampler_next(&id, s, l, old, 65, &e));
	EQ(id, 0);		/* its turn was 65 tokens ago */
	sampler_free(s);
}

TEST(sample_refuses_what_is_not_a_number)
{
	const struct sample_opts o = { .top_p = 1, .repeat_penalty = 1 };
	struct sampler *s = NULL;
	uint32_t id = 77;

	WORKS(sampler_new(&s, &o, 2, &e));
	FAILS(sampler_next(&id, s, (const float[]){ 1, NAN }, NULL, 0, &e), EC_FORMAT);
	FAILS(sampler_next(&id, s, (const float[]){ INFINITY, 1 }, NULL, 0, &e), EC_FORMAT);
	EQ(id, 77);
	WORKS(sampler_next(&id, s, (const float[]){ 1, 2 }, NULL, 0, &e));
	EQ(id, 1);
	sampler_free(s);
}

TEST(sample_refuses_options_out_of_range)
{
	static const struct sample_opts bad[] = {
		{ .temperature = -1, .top_p = 1, .repeat_penalty = 1 }, { .temperature = NAN, .top_p = 1, .repeat_penalty = 1 },
		{ .top_p = 0, .repeat_penalty = 1 }, { .top_p = 1.5, .repeat_penalty = 1 }, { .top_p = 1, .min_p = 2, .repeat_penalty = 1 },
		{ .top_p = 1, .repeat_penalty = 0 },
	};
	struct sampler *s = NULL;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(sampler_new(&s, &bad[i], 2, &e), EC_USAGE);
	OK(s == NULL);
}
