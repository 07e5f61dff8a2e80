/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_TYPES_H
#define CVMBOX_INFER_TYPES_H

/* Number formats of GGUF tensors: block layouts and exact conversion to float (a row in the table of types.c each). */

#include <stddef.h>
#include <stdint.h>

enum tensor_type {		/* numbers as in files */
	TT_F32 = 0, TT_F16 = 1, TT_Q4_0 = 2, TT_Q4_1 = 3, TT_Q5_0 = 6, TT_Q5_1 = 7, TT_Q8_0 = 8, TT_Q4_K = 12, TT_Q5_K = 13,
	TT_Q6_K = 14, TT_BF16 = 30
};

struct tensor_kind {
	uint32_t id;
	const char *name;
	uint32_t block, bytes;		/* values and bytes of a block */
	void (*unpack)(float *ret, const uint8_t *p, size_t blocks);	/* whole blocks to float */
};
const struct tensor_kind *tensor_kind(uint32_t id);	/* NULL: this engine cannot compute with it */
const char *tensor_type_name(uint32_t id);		/* also of types that are refused; NULL: no such type */

/* Inline: they stand in the innermost loops. */
static inline uint16_t weight_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t weight_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

float f16_to_f32(uint16_t h);		/* exact */
uint16_t f32_to_f16(float f);		/* nearest, ties to even */

#endif
