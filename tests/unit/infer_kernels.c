/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/kernels.h"

#include <math.h>

#include "infer_make.h"

#define COLS 11
#define ROWS 19

static const enum tensor_type types[] = { TT_F32, TT_F16, TT_BF16, TT_Q8_0, TT_Q4_0, TT_Q4_1, TT_Q5_0, TT_Q5_1, TT_Q4_K, TT_Q5_K, TT_Q6_K };
#define N_TYPES (sizeof types / sizeof types[0])

struct bench {
	struct making m;
	struct matrix w;
	struct act x;
};

static void setup(struct bench *b, enum tensor_type t, size_t k)
{
	const struct tensor_kind *kind = tensor_kind(t);

	*b = (struct bench){ 0 };
	mk_tensor(&b->m, "w", k, ROWS, t);
	b->w = (struct matrix){ b->m.data.p, kind, k, ROWS };
	b->x = (struct act){ .n = k, .cols = COLS, .x = calloc(k * COLS, 4), .q = calloc(k * COLS + 64, 1), .r = calloc(k * COLS + 64, 1),
			     .d = calloc((k / 32 + 1) * COLS, 4), .s = calloc((k / 32 + 1) * COLS, 4) };
	for (size_t i = 0; i < k * COLS; i++)
		b->x.x[i] = mk_random();
}

static void teardown(struct bench *b)
{
	free(b->x.x);
	free(b->x.q);
	free(b->x.r);
	free(b->x.d);
	free(b->x.s);
	making_free(&b->m);
}

static void rows(float *y, const struct kernels *k, struct bench *b)
{
	float *scratch = malloc(b->w.k * sizeof *scratch);

	for (size_t c = 0; c < COLS && kernels_quantised(b->w.kind); c++)
		kernels_quantise(k, &b->x, c);
	matrix_rows(k, y, ROWS, false, &b->w, 0, ROWS, &b->x, scratch);
	free(scratch);
}

/* Exact up to the rounding of double: unpacked weights times activations, quantised or not as the type wants it. */
static double exact(double *size, const struct bench *b, size_t r, size_t c)
{
	const size_t k = b->w.k;
	float *w = malloc(k * sizeof *w);
	double sum = 0;

	*size = 0;
	b->w.kind->unpack(w, b->w.p + r * matrix_row_bytes(&b->w), k / b->w.kind->block);
	for (size_t i = 0; i < k; i++) {
		const double x = kernels_quantised(b->w.kind) ? (double)b->x.d[c * (k / 32) + i / 32] * (256 * b->x.q[c * k + i] + b->x.r[c * k + i]) :
								b->x.x[c * k + i];

		sum += w[i] * x;
		*size += fabs(w[i] * x);
	}
	free(w);
	return sum;
}

static void check_variant(const char *name, size_t k, enum tensor_type t)
{
	const struct kernels *kern = kernels_get(name);
	float y[ROWS * COLS] = { 0 };
	struct bench b;

	setup(&b, t, k);
	rows(y, kern, &b);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t c = 0; c < COLS; c++) {
			double size, want = exact(&size, &b, r, c);

			/* Q8_0 is read with a surplus of 128 that is taken off again */
			if (!(fabs(y[c * ROWS + r] - want) <= size * (t == TT_Q8_0 ? 4e-5 : 4e-6) + 1e-6))
				test_fail(__FILE__, __LINE__, "%s, %s, %zu values: row %zu column %zu is %g, wanted %g", name,
					  b.w.kind->name, k, r, c, y[c * ROWS + r], want);
		}
	teardown(&b);
}

static void check_all(const char *name)
{
	static const size_t sizes[] = { 32, 64, 96, 256, 576, 1536 }, odd[] = { 1, 7, 8, 15, 16, 17, 31, 33, 172 };

	if (!kernels_get(name))
		SKIP("this CPU has no such instructions");
	STR(kernels_get(name)->name, name);
	for (size_t i = 0; i < N_TYPES && !test_failed(); i++) {
		for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++)
			if (sizes[j] % tensor_kind(types[i])->block == 0)
				check_variant(name, sizes[j], types[i]);
		for (size_t j = 0; tensor_kind(types[i])->block == 1 && j < sizeof odd / sizeof odd[0]; j++)
			check_variant(name, odd[j], types[i]);
	}
}

TEST(kernels_portable_compute_what_was_meant) { check_all("portable"); }
TEST(kernels_avx2_compute_what_was_meant) { check_all("avx2"); }
TEST(kernels_avx512_compute_what_was_meant) { check_all("avx512"); }

TEST(kernels_unknown_name_is_none)
{
	OK(kernels_get("sse9") == NULL);
	OK(kernels_get(NULL) != NULL);
}

static void check_columns_alone(const char *name)
{
	const struct kernels *k = kernels_get(name);

	for (size_t i = 0; k && i < N_TYPES; i++) {
		float all[ROWS * COLS], one[ROWS];
		struct bench b;
		struct act x;

		setup(&b, types[i], 256);
		rows(all, k, &b);
		for (size_t c = 0; c < COLS; c++) {
			float *scratch = malloc(b.w.k * sizeof *scratch);

			x = b.x;
			x.x += c * x.n;
			x.q += c * x.n;
			x.r += c * x.n;
			x.d += c * (x.n / 32);
			x.s += c * (x.n / 32);
			x.cols = 1;
			matrix_rows(k, one, ROWS, false, &b.w, 0, ROWS, &x, scratch);
			MEM(one, all + c * ROWS, sizeof one);
			free(scratch);
		}
		teardown(&b);
	}
}

TEST(kernels_give_a_column_the_same_bits_in_any_company)
{
	check_columns_alone("portable");
	check_columns_alone("avx2");
	check_columns_alone("avx512");
}

static void check_quantise(const char *name)
{
	const struct kernels *k = kernels_get(name), *p = kernels_get("portable");
	float x[128], d[4], s[4], d2[4], s2[4];
	int8_t q[128], q2[128], r[128], r2[128];

	if (!k)
		return;
	for (int i = 0; i < 128; i++)
		x[i] = i < 32 ? 0 : mk_random() * (i < 64 ? 1e-3f : 100);
	x[70] = 0.5f;
	k->quantise(q, r, d, s, x, 128);
	p->quantise(q2, r2, d2, s2, x, 128);
	MEM(q, q2, sizeof q);
	MEM(r, r2, sizeof r);
	MEM(d, d2, sizeof d);
	MEM(s, s2, sizeof s);
	for (int i = 0; i < 128; i++)
		OK(fabsf(d[i / 32] * (float)(256 * q[i] + r[i]) - x[i]) <= d[i / 32] * 1.51f);	/* r is capped: a step and a half */
}

TEST(kernels_quantise_alike)
{
	check_quantise("avx2");
	check_quantise("avx512");
	check_quantise("portable");
}

TEST(kernels_extreme_integers_do_not_saturate)
{
	static const char *const names[] = { "portable", "avx2", "avx512" };

	for (size_t n = 0; n < 3; n++) {
		const struct kernels *k = kernels_get(names[n]);
		uint8_t w[2 * 34] = { 0 };
		float x[64], y = 0;
		int8_t q[64], r[64];
		float d[2], s[2];
		struct act a = { .x = x, .q = q, .r = r, .d = d, .s = s, .n = 64, .cols = 1 };

		if (!k)
			continue;
		for (int b = 0; b < 2; b++) {
			w[34 * b + 1] = 0x3c;			/* d = 1 */
			memset(w + 34 * b + 2, 0x80, 32);	/* -128 */
		}
		for (int i = 0; i < 64; i++)
			x[i] = i < 32 ? 127 : -127;
		k->quantise(q, r, d, s, x, 64);
		k->q8_0(k, &y, w, &a, 0, 1);
		OK(fabsf(y) < 0.5f);
		for (int i = 0; i < 64; i++)
			x[i] = 127;
		k->quantise(q, r, d, s, x, 64);
		k->q8_0(k, &y, w, &a, 0, 1);
		OK(fabsf(y + 128.0f * 127 * 64) < 1);
	}
}
