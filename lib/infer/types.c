/* SPDX-License-Identifier: Apache-2.0 */
/* Every product below is exact in float except the last operation of a formula, so each conversion has one right answer, bit for
 * bit, whatever the compiler contracts (the formulas with two inexact steps do not exist here). */
#include "infer/types.h"

#include <string.h>

float f16_to_f32(uint16_t h)
{
	const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, man = h & 0x3ff;
	uint32_t bits;
	float f;

	if (exp == 0) {		/* zero and subnormal: man * 2^-24 */
		f = (float)man * 0x1p-24f;
		return sign ? -f : f;
	}
	bits = sign | (exp == 31 ? 0x7f800000u : (exp + 112) << 23) | man << 13;
	memcpy(&f, &bits, sizeof f);
	return f;
}

uint16_t f32_to_f16(float f)
{
	uint32_t bits, man;
	uint16_t sign;
	int exp;

	memcpy(&bits, &f, sizeof bits);
	sign = (uint16_t)(bits >> 16 & 0x8000);
	exp = (int)(bits >> 23 & 255) - 112;
	man = bits & 0x7fffff;
	if (exp >= 31)		/* too large, infinite, NaN */
		return (uint16_t)(sign | 0x7c00 | ((bits & 0x7fffffff) > 0x7f800000 ? 0x200 : 0));
	if (exp <= 0) {
		const int shift = 14 - exp;

		if (shift > 24)
			return sign;
		man |= 0x800000;
		return (uint16_t)(sign + (man >> shift) +
				  ((man & ((1u << shift) - 1)) + (man >> shift & 1) > 1u << (shift - 1)));
	}
	/* A carry out of the mantissa moves into the exponent, as it should. */
	return (uint16_t)(sign + ((uint32_t)exp << 10) + (man >> 13) + ((man & 0x1fff) + (man >> 13 & 1) > 0x1000));
}

static void unpack_f32(float *ret, const uint8_t *p, size_t n)
{
	memcpy(ret, p, 4 * n);
}

static void unpack_f16(float *ret, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = f16_to_f32(weight_le16(p + 2 * i));
}

static void unpack_bf16(float *ret, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint32_t bits = (uint32_t)weight_le16(p + 2 * i) << 16;

		memcpy(ret + i, &bits, 4);
	}
}

static void unpack_q8_0(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 34, ret += 32) {
		const float d = f16_to_f32(weight_le16(p));

		for (int j = 0; j < 32; j++)
			ret[j] = d * (float)(int8_t)p[2 + j];
	}
}

static void unpack_q4_0(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 18, ret += 32) {
		const float d = f16_to_f32(weight_le16(p));

		for (int j = 0; j < 16; j++) {
			ret[j] = d * (float)((p[2 + j] & 15) - 8);
			ret[16 + j] = d * (float)((p[2 + j] >> 4) - 8);
		}
	}
}

static void unpack_q4_1(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 20, ret += 32) {
		const float d = f16_to_f32(weight_le16(p)), m = f16_to_f32(weight_le16(p + 2));

		for (int j = 0; j < 16; j++) {
			ret[j] = d * (float)(p[4 + j] & 15) + m;
			ret[16 + j] = d * (float)(p[4 + j] >> 4) + m;
		}
	}
}

/* Bit j of qh is bit 4 of value j. */
static void unpack_q5(float *ret, const uint8_t *q, uint32_t qh, float d, float m, int minus)
{
	for (int j = 0; j < 16; j++) {
		ret[j] = d * (float)((int)((q[j] & 15) | (qh >> j & 1) << 4) - minus) + m;
		ret[16 + j] = d * (float)((int)((q[j] >> 4) | (qh >> (j + 16) & 1) << 4) - minus) + m;
	}
}

static void unpack_q5_0(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 22, ret += 32)
		unpack_q5(ret, p + 6, weight_le32(p + 2), f16_to_f32(weight_le16(p)), -0.0f, 16);	/* x + -0.0 is x, also for -0.0 */
}

static void unpack_q5_1(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 24, ret += 32)
		unpack_q5(ret, p + 8, weight_le32(p + 4), f16_to_f32(weight_le16(p)), f16_to_f32(weight_le16(p + 2)), 0);
}

/* Scale and minimum of sub-block j, 6 bits each, packed in 12 bytes. */
static void k_scale(uint8_t *sc, uint8_t *mn, const uint8_t *s, int j)
{
	if (j < 4) {
		*sc = s[j] & 63;
		*mn = s[j + 4] & 63;
	} else {
		*sc = (uint8_t)((s[j + 4] & 15) | (s[j - 4] >> 6) << 4);
		*mn = (uint8_t)((s[j + 4] >> 4) | (s[j] >> 6) << 4);
	}
}

/* Q4_K and Q5_K: eight sub-blocks of 32; qh NULL: four bits. */
static void unpack_k45(float *ret, const uint8_t *p, const uint8_t *qh, const uint8_t *q)
{
	const float d = f16_to_f32(weight_le16(p)), dmin = f16_to_f32(weight_le16(p + 2));

	for (int j = 0; j < 8; j++) {
		uint8_t sc, mn;
		float ds, dm;

		k_scale(&sc, &mn, p + 4, j);
		ds = d * (float)sc;
		dm = dmin * (float)mn;
		for (int l = 0; l < 32; l++) {
			const uint8_t b = q[32 * (j / 2) + l];
			const int v = (j & 1 ? b >> 4 : b & 15) + (qh && (qh[l] >> j & 1) ? 16 : 0);

			ret[32 * j + l] = ds * (float)v - dm;
		}
	}
}

static void unpack_q4_k(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 144, ret += 256)
		unpack_k45(ret, p, NULL, p + 16);
}

static void unpack_q5_k(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 176, ret += 256)
		unpack_k45(ret, p, p + 16, p + 48);
}

static void unpack_q6_k(float *ret, const uint8_t *p, size_t n)
{
	for (; n; n--, p += 210, ret += 256) {
		const float d = f16_to_f32(weight_le16(p + 208));

		for (int h = 0; h < 2; h++) {
			for (int l = 0; l < 32; l++) {
				const uint8_t a = p[64 * h + l], b = p[64 * h + 32 + l], c = p[128 + 32 * h + l];
				const int v[4] = { (a & 15) | (c & 3) << 4, (b & 15) | (c >> 2 & 3) << 4,
						   (a >> 4) | (c >> 4 & 3) << 4, (b >> 4) | (c >> 6) << 4 };

				for (int k = 0; k < 4; k++)
					ret[128 * h + 32 * k + l] =
						d * (float)(int8_t)p[192 + 8 * h + l / 16 + 2 * k] * (float)(v[k] - 32);
			}
		}
	}
}

static const struct tensor_kind kinds[] = {
	{ TT_F32, "F32", 1, 4, unpack_f32 },	{ TT_F16, "F16", 1, 2, unpack_f16 },
	{ TT_BF16, "BF16", 1, 2, unpack_bf16 }, { TT_Q8_0, "Q8_0", 32, 34, unpack_q8_0 },
	{ TT_Q4_0, "Q4_0", 32, 18, unpack_q4_0 }, { TT_Q4_1, "Q4_1", 32, 20, unpack_q4_1 },
	{ TT_Q5_0, "Q5_0", 32, 22, unpack_q5_0 }, { TT_Q5_1, "Q5_1", 32, 24, unpack_q5_1 },
	{ TT_Q4_K, "Q4_K", 256, 144, unpack_q4_k }, { TT_Q5_K, "Q5_K", 256, 176, unpack_q5_k },
	{ TT_Q6_K, "Q6_K", 256, 210, unpack_q6_k },
};

const struct tensor_kind *tensor_kind(uint32_t id)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

const char *tensor_type_name(uint32_t id)
{
	static const char *const names[] = {
		[0] = "F32", [1] = "F16", [2] = "Q4_0", [3] = "Q4_1", [6] = "Q5_0", [7] = "Q5_1", [8] = "Q8_0", [9] = "Q8_1",
		[10] = "Q2_K", [11] = "Q3_K", [12] = "Q4_K", [13] = "Q5_K", [14] = "Q6_K", [15] = "Q8_K", [16] = "IQ2_XXS",
		[17] = "IQ2_XS", [18] = "IQ3_XXS", [19] = "IQ1_S", [20] = "IQ4_NL", [21] = "IQ3_S", [22] = "IQ2_S",
		[23] = "IQ4_XS", [24] = "I8", [25] = "I16", [26] = "I32", [27] = "I64", [28] = "F64", [29] = "IQ1_M",
		[30] = "BF16", [34] = "TQ1_0", [35] = "TQ2_0", [39] = "MXFP4", [40] = "NVFP4", [41] = "Q1_0", [42] = "Q2_0",
	};

	return id < sizeof names / sizeof names[0] ? names[id] : NULL;
}
