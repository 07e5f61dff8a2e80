/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_KERNELS_H
#define CVMBOX_INFER_KERNELS_H

/* Dot products of weight rows with activation columns: in plain C, and for what the CPU at hand can do.
 *
 * Weights of 32-value blocks (Q4_0, Q4_1, Q8_0) meet activations quantised per block of 32 to 16 bits, as two planes of bytes:
 * x = d (256 q + r), d = amax / 127 / 256.  Products inside a block are integers, sums over blocks are float.  One plane alone, as other
 * engines do it, moves the logits of small models by 1 and more where activations have outliers, and lets texts depend on the CPU.  All
 * other types are computed in float.  Every variant computes the same sums up to the order of float additions; a column gives the same
 * bits whatever other columns are in the batch and however many threads run. */

#include <stdbool.h>

#include "infer/types.h"

#define KERNEL_COLS 8		/* columns a row kernel takes at once */

/* A batch of activation columns of n values each. */
struct act {
	float *x;		/* column c starts at x + c * n */
	int8_t *q, *r;		/* quantised, high and low plane: column c at q + c * n */
	float *d;		/* scale per block: column c at d + c * (n / 32) */
	float *s;		/* d times the sum of the block's 256 q + r */
	size_t n;
	size_t cols;
};

/* y[c] = row . column (c0 + c), c < cols <= KERNEL_COLS */
struct kernels;
typedef void row_kernel(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols);

struct kernels {
	const char *name;	/* "portable", "avx2", "avx512" */
	void (*quantise)(int8_t *q, int8_t *r, float *d, float *s, const float *x, size_t n);	/* n: multiple of 32 */
	float (*dot)(const float *a, const float *b, size_t n);
	void (*axpy)(float *y, float a, const float *x, size_t n);			/* y += a * x */
	row_kernel *f32, *f16, *bf16, *q8_0, *q4_0, *q4_1;
};
/* The best one for this CPU, or the one of that name (NULL: this CPU or build has no such). */
const struct kernels *kernels_get(const char *name);

bool kernels_quantised(const struct tensor_kind *t);	/* this type wants act.q, r, d, s */
void kernels_quantise(const struct kernels *k, struct act *x, size_t col);

struct matrix {			/* n rows of k values */
	const uint8_t *p;
	const struct tensor_kind *kind;
	size_t k, n;
};
size_t matrix_row_bytes(const struct matrix *m);
/* y[c * stride + r] (+)= row r . column c for r in [r0, r1) and all columns of x; scratch holds m->k floats (types without a kernel). */
void matrix_rows(const struct kernels *k, float *y, size_t stride, bool add, const struct matrix *m, size_t r0, size_t r1,
		 const struct act *x, float *scratch);

#endif
