/* SPDX-License-Identifier: Apache-2.0 */
/* One loop per instruction set and family of types, inlined with the type and the number of columns as constants.  The unsigned-by-signed
 * byte products of x86 want weights without sign: Q4_0 and Q8_0 are read as q + 8 and q + 128, and the surplus times the sum of the
 * activations (kept in act.s) is taken off again; Q4_1 adds its minimum on the same way. */
#include "infer/kernels_x86.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define AVX512 __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

/* Runs body(cols) for constant cols of 8 (if wide), 4, 2, 1 until all columns are done. */
#define BY_COLUMNS(wide, body) \
	do { \
		size_t done_ = 0; \
		if (wide) \
			for (; cols - done_ >= 8; done_ += 8) \
				body(8); \
		for (; cols - done_ >= 4; done_ += 4) \
			body(4); \
		if (cols - done_ >= 2) { \
			body(2); \
			done_ += 2; \
		} \
		if (cols - done_) \
			body(1); \
	} while (0)

INLINE size_t block_bytes(enum tensor_type t)
{
	return t == TT_Q8_0 ? 34 : t == TT_Q4_1 ? 20 : 18;
}

AVX2 INLINE float half_at(const uint8_t *p)
{
	return _cvtsh_ss(weight_le16(p));
}

/* --- AVX2 ------------------------------------------------------------------------------------------------- */

AVX2 INLINE float sum8(__m256 v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

AVX2 INLINE __m256i nibbles_256(const uint8_t *p)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(v), _mm_srli_epi16(v, 4), 1);

	return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/* Sums of four products of bytes.  Weights without sign are at most 15 here; those of Q8_0 lend their sign to the other side, so that
 * 2 * 128 * 127 still fits 16 bits. */
AVX2 INLINE __m256i bytes_avx2(__m256i w, const int8_t *x, const enum tensor_type t)
{
	const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)x), ones = _mm256_set1_epi16(1);

	if (t == TT_Q8_0)
		return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_sign_epi8(w, w), _mm256_sign_epi8(v, w)), ones);
	return _mm256_madd_epi16(_mm256_maddubs_epi16(w, v), ones);
}

AVX2 INLINE void blocks_avx2(float *y, const uint8_t *w, const struct act *x, size_t c0, const size_t cols, const enum tensor_type t)
{
	const size_t nb = x->n / 32;
	__m256 acc[4];
	float corr[4];

	for (size_t c = 0; c < cols; c++) {
		acc[c] = _mm256_setzero_ps();
		corr[c] = 0;
	}
	for (size_t b = 0; b < nb; b++, w += block_bytes(t)) {
		const float d = half_at(w), m = t == TT_Q4_1 ? half_at(w + 2) : t == TT_Q4_0 ? -8 * d : 0;
		const __m256i v = t == TT_Q8_0 ? _mm256_loadu_si256((const __m256i *)(const void *)(w + 2))
					       : nibbles_256(w + (t == TT_Q4_1 ? 4 : 2));
		const __m256 dw = _mm256_set1_ps(d);

		for (size_t c = 0; c < cols; c++) {
			const size_t at = (c0 + c) * nb + b;
			const __m256i high = bytes_avx2(v, x->q + 32 * at, t), low = bytes_avx2(v, x->r + 32 * at, t);
			const __m256 p = _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_slli_epi32(high, 8), low));

			acc[c] = _mm256_fmadd_ps(p, _mm256_mul_ps(dw, _mm256_broadcast_ss(x->d + at)), acc[c]);
			if (t != TT_Q8_0)
				corr[c] += m * x->s[at];
		}
	}
	for (size_t c = 0; c < cols; c++)
		y[c] = sum8(acc[c]) + corr[c];
}

AVX2 INLINE __m256 load8(const uint8_t *w, size_t i, const enum tensor_type t)
{
	if (t == TT_F32)
		return _mm256_loadu_ps((const float *)(const void *)(w + 4 * i));
	if (t == TT_F16)
		return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(w + 2 * i)));
	return _mm256_castsi256_ps(
		_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(w + 2 * i))), 16));
}

AVX2 INLINE void floats_avx2(float *y, const uint8_t *w, const struct act *x, size_t c0, const size_t cols, const enum tensor_type t)
{
	const size_t n = x->n, size = t == TT_F32 ? 4 : 2;
	__m256 acc[4], acc2[4];
	uint8_t tail[32] = { 0 };
	float xt[8];
	size_t i = 0;

	for (size_t c = 0; c < cols; c++)
		acc[c] = acc2[c] = _mm256_setzero_ps();
	for (; i + 16 <= n; i += 16) {
		const __m256 a = load8(w, i, t), b = load8(w, i + 8, t);

		for (size_t c = 0; c < cols; c++) {
			const float *xc = x->x + (c0 + c) * n + i;

			acc[c] = _mm256_fmadd_ps(a, _mm256_loadu_ps(xc), acc[c]);
			acc2[c] = _mm256_fmadd_ps(b, _mm256_loadu_ps(xc + 8), acc2[c]);
		}
	}
	for (; i < n; i += 8) {
		const size_t m = n - i < 8 ? n - i : 8;

		memcpy(tail, w + i * size, m * size);
		memset(tail + m * size, 0, sizeof tail - m * size);
		for (size_t c = 0; c < cols; c++) {
			memset(xt, 0, sizeof xt);
			memcpy(xt, x->x + (c0 + c) * n + i, m * sizeof *xt);
			acc[c] = _mm256_fmadd_ps(load8(tail, 0, t), _mm256_loadu_ps(xt), acc[c]);
		}
	}
	for (size_t c = 0; c < cols; c++)
		y[c] = sum8(_mm256_add_ps(acc[c], acc2[c]));
}

#define ROW_AVX2(fn, type) \
	AVX2 static void fn(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols) \
	{ \
		(void)k; \
		BY_COLUMNS(0, ROW_BODY_##type); \
	}
#define ROW_BODY_Q8_0(nc) blocks_avx2(y + done_, w, x, c0 + done_, nc, TT_Q8_0)
#define ROW_BODY_Q4_0(nc) blocks_avx2(y + done_, w, x, c0 + done_, nc, TT_Q4_0)
#define ROW_BODY_Q4_1(nc) blocks_avx2(y + done_, w, x, c0 + done_, nc, TT_Q4_1)
#define ROW_BODY_F32(nc) floats_avx2(y + done_, w, x, c0 + done_, nc, TT_F32)
#define ROW_BODY_F16(nc) floats_avx2(y + done_, w, x, c0 + done_, nc, TT_F16)
#define ROW_BODY_BF16(nc) floats_avx2(y + done_, w, x, c0 + done_, nc, TT_BF16)
ROW_AVX2(q8_0_avx2, Q8_0)
ROW_AVX2(q4_0_avx2, Q4_0)
ROW_AVX2(q4_1_avx2, Q4_1)
ROW_AVX2(f32_avx2, F32)
ROW_AVX2(f16_avx2, F16)
ROW_AVX2(bf16_avx2, BF16)

AVX2 static float dot_avx2(const float *a, const float *b, size_t n)
{
	__m256 s = _mm256_setzero_ps(), s2 = s;
	float sum, tail = 0;
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		s = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s);
		s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s2);
	}
	sum = sum8(_mm256_add_ps(s, s2));
	for (; i < n; i++)
		tail += a[i] * b[i];
	return sum + tail;
}

AVX2 static void axpy_avx2(float *y, float a, const float *x, size_t n)
{
	const __m256 va = _mm256_set1_ps(a);
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(y + i, _mm256_fmadd_ps(va, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
	for (; i < n; i++)
		y[i] += a * x[i];
}

AVX2 INLINE void store_bytes(int8_t *to, const __m256i i[4])
{
	const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(i[0], i[1]), _mm256_packs_epi32(i[2], i[3]));

	_mm256_storeu_si256((__m256i *)(void *)to,
			    _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}

/* Same integers as the portable one: nearest, ties to even. */
AVX2 static void quantise_avx2(int8_t *q, int8_t *r, float *d, float *s, const float *x, size_t n)
{
	const __m256 no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));

	for (size_t b = 0; b < n / 32; b++, x += 32, q += 32, r += 32) {
		const __m256 v[4] = { _mm256_loadu_ps(x), _mm256_loadu_ps(x + 8), _mm256_loadu_ps(x + 16), _mm256_loadu_ps(x + 24) };
		__m256 m = _mm256_max_ps(_mm256_max_ps(_mm256_and_ps(v[0], no_sign), _mm256_and_ps(v[1], no_sign)),
					 _mm256_max_ps(_mm256_and_ps(v[2], no_sign), _mm256_and_ps(v[3], no_sign)));
		__m128 h = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
		__m256i high[4], low[4], sum = _mm256_setzero_si256();
		__m128i sum4;
		float amax, inv;

		h = _mm_max_ps(h, _mm_movehl_ps(h, h));
		amax = _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
		d[b] = amax / (127 * 256);
		inv = d[b] > 0 ? 127 / amax : 0;
		for (int k = 0; k < 4; k++) {
			const __m256 t = _mm256_mul_ps(v[k], _mm256_set1_ps(inv));

			high[k] = _mm256_cvtps_epi32(t);
			low[k] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_sub_ps(t, _mm256_cvtepi32_ps(high[k])), _mm256_set1_ps(256)));
			low[k] = _mm256_max_epi32(_mm256_min_epi32(low[k], _mm256_set1_epi32(127)), _mm256_set1_epi32(-127));
			sum = _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_slli_epi32(high[k], 8), low[k]));
		}
		sum4 = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
		sum4 = _mm_add_epi32(sum4, _mm_shuffle_epi32(sum4, 0x4e));
		sum4 = _mm_add_epi32(sum4, _mm_shuffle_epi32(sum4, 0xb1));
		s[b] = d[b] * (float)_mm_cvtsi128_si32(sum4);
		store_bytes(q, high);
		store_bytes(r, low);
	}
}

/* --- AVX-512 with VNNI --------------------------------------------------------------------------------------- */

/* Two blocks (the second only if pair) as 64 unsigned bytes in the order of the activations. */
AVX512 INLINE __m512i bytes_512(const uint8_t *w, bool pair, const enum tensor_type t)
{
	const uint8_t *p = w + (t == TT_Q4_1 ? 4 : 2), *p2 = p + (pair ? block_bytes(t) : 0);
	__m512i v;

	if (t == TT_Q8_0) {
		v = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)p)),
				       _mm256_loadu_si256((const __m256i *)(const void *)p2), 1);
		return _mm512_xor_si512(v, _mm512_set1_epi8((char)0x80));
	}
	v = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p))),
			       _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p2)), 1);
	v = _mm512_mask_srli_epi16(v, 0xff00ff00, v, 4);
	return _mm512_and_si512(v, _mm512_set1_epi8(15));
}

/* x[0] and, if pair, x[1]; the rest zero. */
AVX512 INLINE __m128 two(const float *x, bool pair)
{
	return pair ? _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)x)) : _mm_load_ss(x);
}

AVX512 INLINE __m512i activations_512(const int8_t *p, bool pair)
{
	return pair ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(0xffffffffu, p);
}

AVX512 INLINE void block_pair_512(__m512 *acc, __m128 *corr, const uint8_t *w, const struct act *x, size_t c0, const size_t cols,
				  size_t b, bool pair, const enum tensor_type t)
{
	const __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
	const size_t nb = x->n / 32, next = pair ? block_bytes(t) : 0;
	const float d0 = half_at(w), d1 = pair ? half_at(w + next) : 0;
	const __m512i v = bytes_512(w, pair, t);
	const __m512 dw = _mm512_insertf32x8(_mm512_set1_ps(d0), _mm256_set1_ps(d1), 1);
	const float k = t == TT_Q8_0 ? -128 : -8;
	const __m128 m = t == TT_Q4_1 ? _mm_setr_ps(half_at(w + 2), pair ? half_at(w + next + 2) : 0, 0, 0)
				      : _mm_setr_ps(k * d0, k * d1, 0, 0);

	for (size_t c = 0; c < cols; c++) {
		const size_t at = (c0 + c) * nb + b;
		const __m512i q = activations_512(x->q + 32 * at, pair), r = activations_512(x->r + 32 * at, pair);
		const __m512i high = _mm512_slli_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(), v, q), 8);
		const __m512 dx = _mm512_permutexvar_ps(spread, _mm512_castps128_ps512(two(x->d + at, pair)));
		const __m512 p = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(high, v, r));

		acc[c] = _mm512_fmadd_ps(p, _mm512_mul_ps(dw, dx), acc[c]);
		corr[c] = _mm_fmadd_ps(m, two(x->s + at, pair), corr[c]);
	}
}

AVX512 INLINE void blocks_avx512(float *y, const uint8_t *w, const struct act *x, size_t c0, const size_t cols, const enum tensor_type t)
{
	const size_t nb = x->n / 32;
	__m512 acc[8];
	__m128 corr[8];
	size_t b = 0;

	for (size_t c = 0; c < cols; c++) {
		acc[c] = _mm512_setzero_ps();
		corr[c] = _mm_setzero_ps();
	}
	for (; b + 2 <= nb; b += 2, w += 2 * block_bytes(t))
		block_pair_512(acc, corr, w, x, c0, cols, b, true, t);
	if (b < nb)
		block_pair_512(acc, corr, w, x, c0, cols, b, false, t);
	for (size_t c = 0; c < cols; c++)
		y[c] = _mm512_reduce_add_ps(acc[c]) + (_mm_cvtss_f32(corr[c]) + _mm_cvtss_f32(_mm_movehdup_ps(corr[c])));
}

AVX512 INLINE __m512 load16(const uint8_t *w, size_t i, __mmask16 k, const enum tensor_type t)
{
	if (t == TT_F32)
		return _mm512_maskz_loadu_ps(k, w + 4 * i);
	if (t == TT_F16)
		return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(k, w + 2 * i));
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(k, w + 2 * i)), 16));
}

AVX512 INLINE void floats_avx512(float *y, const uint8_t *w, const struct act *x, size_t c0, const size_t cols, const enum tensor_type t)
{
	const size_t n = x->n;
	__m512 acc[8], acc2[8];
	size_t i = 0;

	for (size_t c = 0; c < cols; c++)
		acc[c] = acc2[c] = _mm512_setzero_ps();
	for (; i + 32 <= n; i += 32) {
		const __m512 a = load16(w, i, 0xffff, t), b = load16(w, i + 16, 0xffff, t);

		for (size_t c = 0; c < cols; c++) {
			const float *xc = x->x + (c0 + c) * n + i;

			acc[c] = _mm512_fmadd_ps(a, _mm512_loadu_ps(xc), acc[c]);
			acc2[c] = _mm512_fmadd_ps(b, _mm512_loadu_ps(xc + 16), acc2[c]);
		}
	}
	for (; i < n; i += 16) {
		const __mmask16 k = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : 0xffff;
		const __m512 a = load16(w, i, k, t);

		for (size_t c = 0; c < cols; c++)
			acc[c] = _mm512_fmadd_ps(a, _mm512_maskz_loadu_ps(k, x->x + (c0 + c) * n + i), acc[c]);
	}
	for (size_t c = 0; c < cols; c++)
		y[c] = _mm512_reduce_add_ps(_mm512_add_ps(acc[c], acc2[c]));
}

#define ROW_AVX512(fn, type) \
	AVX512 static void fn(const struct kernels *k, float *y, const uint8_t *w, const struct act *x, size_t c0, size_t cols) \
	{ \
		(void)k; \
		BY_COLUMNS(1, ROW_BODY512_##type); \
	}
#define ROW_BODY512_Q8_0(nc) blocks_avx512(y + done_, w, x, c0 + done_, nc, TT_Q8_0)
#define ROW_BODY512_Q4_0(nc) blocks_avx512(y + done_, w, x, c0 + done_, nc, TT_Q4_0)
#define ROW_BODY512_Q4_1(nc) blocks_avx512(y + done_, w, x, c0 + done_, nc, TT_Q4_1)
#define ROW_BODY512_F32(nc) floats_avx512(y + done_, w, x, c0 + done_, nc, TT_F32)
#define ROW_BODY512_F16(nc) floats_avx512(y + done_, w, x, c0 + done_, nc, TT_F16)
#define ROW_BODY512_BF16(nc) floats_avx512(y + done_, w, x, c0 + done_, nc, TT_BF16)
ROW_AVX512(q8_0_avx512, Q8_0)
ROW_AVX512(q4_0_avx512, Q4_0)
ROW_AVX512(q4_1_avx512, Q4_1)
ROW_AVX512(f32_avx512, F32)
ROW_AVX512(f16_avx512, F16)
ROW_AVX512(bf16_avx512, BF16)

static const struct kernels avx2 = {
	.name = "avx2", .quantise = quantise_avx2, .dot = dot_avx2, .axpy = axpy_avx2, .f32 = f32_avx2, .f16 = f16_avx2,
	.bf16 = bf16_avx2, .q8_0 = q8_0_avx2, .q4_0 = q4_0_avx2, .q4_1 = q4_1_avx2,
};
static const struct kernels avx512 = {
	.name = "avx512", .quantise = quantise_avx2, .dot = dot_avx2, .axpy = axpy_avx2, .f32 = f32_avx512, .f16 = f16_avx512,
	.bf16 = bf16_avx512, .q8_0 = q8_0_avx512, .q4_0 = q4_0_avx512, .q4_1 = q4_1_avx512,
};

const struct kernels *kernels_x86(const char *name)
{
	unsigned a, b, c = 0, d;

	__builtin_cpu_init();	/* "supports" includes what the kernel saves across switches */
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_F16C))
		return NULL;
	if ((!name || strcmp(name, avx512.name) == 0) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
		return &avx512;
	return !name || strcmp(name, avx2.name) == 0 ? &avx2 : NULL;
}

#else

const struct kernels *kernels_x86(const char *name)
{
	(void)name;
	return NULL;
}

#endif
