/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/kernels.h"

#include <math.h>
#include <string.h>

#include "infer/kernels_x86.h"

#define ROW_TILE 16	/* rows that share one look at a group of columns, so that both stay in the first cache */

static int8_t nearest(float v)
{
	return (int8_t)(v >= 127 ? 127 : v <= -127 ? -127 : v == v ? lrintf(v) : 0);
}

static void quantise(int8_t *q, int8_t *r, float *d, float *s, const float *x, size_t n)
{
	for (size_t b = 0; b < n / 32; b++, x += 32, q += 32, r += 32) {
		float amax = 0, inv;
		int sum = 0;

		for (int j = 0; j < 32; j++)
			amax = fabsf(x[j]) > amax ? fabsf(x[j]) : amax;
		d[b] = amax / (127 * 256);
		inv = d[b] > 0 ? 127 / amax : 0;
		for (int j = 0; j < 32; j++) {
			const float v = x[j] * inv;

			q[j] = nearest(v);
			r[j] = nearest((v - (float)q[j]) * 256);
			sum += 256 * q[j] + r[j];
		}
		s[b] = d[b] * (float)sum;
	}
}

static float dot(const float *a, const float *b, size_t n)
{
	float sum[8] = { 0 };
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (int j = 0; j < 8; j++)
			sum[j] += a[i + j] * b[i + j];
	for (int j = 0; i < n; i++, j++)
		sum[j] += a[i] * b[i];
	return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

static void axpy(float *y, float a, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += a * x[i];
}

/* Float rows by way of a small unpacked piece. */
static void row_float(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols,
		      const struct tensor_kind *kind)
{
	float piece[256], sum[KERNEL_COLS] = { 0 };

	for (size_t i = 0, m; i < x->n; i += m) {
		m = x->n - i < 256 ? x->n - i : 256;
		kind->unpack(piece, w + i * kind->bytes, m);
		for (size_t c = 0; c < cols; c++)
			sum[c] += k->dot(piece, x->x + (c0 + c) * x->n + i, m);
	}
	for (size_t c = 0; c < cols; c++)
		y[c] = sum[c];
}

static void row_f32(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols)
{
	row_float(k, y, w, x, c0, cols, tensor_kind(TT_F32));
}

static void row_f16(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols)
{
	row_float(k, y, w, x, c0, cols, tensor_kind(TT_F16));
}

static void row_bf16(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols)
{
	row_float(k, y, w, x, c0, cols, tensor_kind(TT_BF16));
}

/* Block b of column c. */
static int block_dot(const int8_t *w, const struct act *x, size_t c, size_t b)
{
	const int8_t *q = x->q + c * x->n + 32 * b, *r = x->r + c * x->n + 32 * b;
	int high = 0, low = 0;

	for (int j = 0; j < 32; j++) {
		high += w[j] * q[j];
		low += w[j] * r[j];
	}
	return 256 * high + low;
}

static void nibbles(int8_t ret[static 32], const uint8_t *p)
{
	for (int j = 0; j < 16; j++) {
		ret[j] = p[j] & 15;
		ret[16 + j] = p[j] >> 4;
	}
}

static void row_q8_0(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols)
{
	float sum[KERNEL_COLS] = { 0 };
	const size_t nb = x->n / 32;

	(void)k;
	for (size_t b = 0; b < nb; b++, w += 34) {
		const float d = f16_to_f32(weight_le16(w));
		int8_t v[32];

		memcpy(v, w + 2, 32);
		for (size_t c = 0; c < cols; c++)
			sum[c] += d * x->d[(c0 + c) * nb + b] * (float)block_dot(v, x, c0 + c, b);
	}
	for (size_t c = 0; c < cols; c++)
		y[c] = sum[c];
}

/* sum d_w (q - 8) d_x q_x = d_w (d_x sum q q_x - 8 s_x) */
static void row_q4_0(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols)
{
	float sum[KERNEL_COLS] = { 0 };
	const size_t nb = x->n / 32;

	(void)k;
	for (size_t b = 0; b < nb; b++, w += 18) {
		const float d = f16_to_f32(weight_le16(w));
		int8_t v[32];

		nibbles(v, w + 2);
		for (size_t c = 0; c < cols; c++) {
			const size_t at = (c0 + c) * nb + b;

			sum[c] += d * (x->d[at] * (float)block_dot(v, x, c0 + c, b) - 8 * x->s[at]);
		}
	}
	for (size_t c = 0; c < cols; c++)
		y[c] = sum[c];
}

/* sum (d_w q + m_w) d_x q_x = d_w d_x sum q q_x + m_w s_x */
static void row_q4_1(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols)
{
	float sum[KERNEL_COLS] = { 0 };
	const size_t nb = x->n / 32;

	(void)k;
	for (size_t b = 0; b < nb; b++, w += 20) {
		const float d = f16_to_f32(weight_le16(w)), m = f16_to_f32(weight_le16(w + 2));
		int8_t v[32];

		nibbles(v, w + 4);
		for (size_t c = 0; c < cols; c++) {
			const size_t at = (c0 + c) * nb + b;

			sum[c] += d * x->d[at] * (float)block_dot(v, x, c0 + c, b) + m * x->s[at];
		}
	}
	for (size_t c = 0; c < cols; c++)
		y[c] = sum[c];
}

static const struct kernels portable = {
	.name = "portable", .quantise = quantise, .dot = dot, .axpy = axpy, .f32 = row_f32, .f16 = row_f16, .bf16 = row_bf16,
	.q8_0 = row_q8_0, .q4_0 = row_q4_0, .q4_1 = row_q4_1,
};

const struct kernels *kernels_get(const char *name)
{
	const struct kernels *best = kernels_x86(name);

	if (best)
		return best;
	return !name || strcmp(name, portable.name) == 0 ? &portable : NULL;
}

bool kernels_quantised(const struct tensor_kind *t)
{
	return t->id == TT_Q8_0 || t->id == TT_Q4_0 || t->id == TT_Q4_1;
}

void kernels_quantise(const struct kernels *k, struct act *x, size_t col)
{
	const size_t nb = x->n / 32;

	k->quantise(x->q + col * x->n, x->r + col * x->n, x->d + col * nb, x->s + col * nb, x->x + col * x->n, x->n);
}

static row_kernel *row_kernel_of(const struct kernels *k, const struct tensor_kind *t)
{
	switch (t->id) {
	case TT_F32: return k->f32;
	case TT_F16: return k->f16;
	case TT_BF16: return k->bf16;
	case TT_Q8_0: return k->q8_0;
	case TT_Q4_0: return k->q4_0;
	case TT_Q4_1: return k->q4_1;
	}
	return NULL;
}

size_t matrix_row_bytes(const struct matrix *m)
{
	return m->k / m->kind->block * m->kind->bytes;
}

void matrix_rows(const struct kernels *k, float *y, size_t stride, bool add, const struct matrix *m, size_t r0, size_t r1,
		 const struct act *x, float *scratch)
{
	row_kernel *row = row_kernel_of(k, m->kind);
	const size_t bytes = matrix_row_bytes(m);
	float out[KERNEL_COLS];

	for (size_t tile = r0; tile < r1; tile += ROW_TILE) {
		const size_t end = tile + ROW_TILE < r1 ? tile + ROW_TILE : r1;

		for (size_t c0 = 0, cols; c0 < x->cols; c0 += cols) {
			cols = x->cols - c0 < KERNEL_COLS ? x->cols - c0 : KERNEL_COLS;
			for (size_t r = tile; r < end; r++) {
				const uint8_t *w = m->p + r * bytes;

				if (row) {
					row(k, out, w, x, c0, cols);
				} else {	/* the other types: unpacked, in float */
					m->kind->unpack(scratch, w, m->k / m->kind->block);
					k->f32(k, out, (const uint8_t *)scratch, x, c0, cols);
				}
				for (size_t c = 0; c < cols; c++) {
					float *to = y + (c0 + c) * stride + r;

					*to = add ? *to + out[c] : out[c];
				}
			}
		}
	}
}
