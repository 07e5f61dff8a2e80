/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/types.h"

#include <math.h>

#include "codec/hex64.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "infer/gguf.h"
#include "test.h"

TEST(f16_known_values)
{
	static const struct { uint16_t h; float f; } c[] = {
		{ 0x0000, 0 }, { 0x3c00, 1 }, { 0xc000, -2 }, { 0x7bff, 65504 }, { 0x0400, 0x1p-14f }, { 0x0001, 0x1p-24f },
		{ 0x83ff, -0x1.ff8p-15f }, { 0x3555, 0x1.554p-2f },
	};

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		OK(f16_to_f32(c[i].h) == c[i].f);
		EQ(f32_to_f16(c[i].f), c[i].h);
	}
	OK(isinf(f16_to_f32(0x7c00)) && isnan(f16_to_f32(0x7e00)));
	EQ(f32_to_f16(65520), 0x7c00);
	EQ(f32_to_f16(65519), 0x7bff);
	EQ(f32_to_f16(1 + 0x1p-11f), 0x3c00);		/* half way: to even */
	EQ(f32_to_f16(1 + 3 * 0x1p-11f), 0x3c02);
	EQ(f32_to_f16(0x1p-25f), 0);
	EQ(f32_to_f16(0x1.8p-25f), 1);
}

TEST(f16_goes_there_and_back)
{
	for (uint32_t h = 0; h < 65536; h++)
		if ((h & 0x7c00) != 0x7c00 || !(h & 0x3ff))
			EQ(f32_to_f16(f16_to_f32((uint16_t)h)), h);
}

/* Expected values worked out by hand from the formulas of the specification. */
TEST(blocks_of_32_known_values)
{
	uint8_t q8[34] = { 0x00, 0x38, 0x80, 0x7f, 0x01 };		/* d = 0.5 */
	uint8_t q40[18] = { 0x00, 0x40, 0x0f, 0x80 };			/* d = 2 */
	uint8_t q41[20] = { 0x00, 0x3c, 0x00, 0xc0, 0x0f, 0x80 };	/* d = 1, m = -2 */
	uint8_t q50[22] = { 0x00, 0x3c, 0x01, 0x00, 0x02, 0x00, 0x0f, 0x80 };	/* bits 0 and 17 */
	uint8_t q51[24] = { 0x00, 0x3c, 0x00, 0x3c, 0x01, 0x00, 0x02, 0x00, 0x0f, 0x80 };
	float y[32];

	tensor_kind(TT_Q8_0)->unpack(y, q8, 1);
	OK(y[0] == -64 && y[1] == 63.5f && y[2] == 0.5f && y[3] == 0);
	tensor_kind(TT_Q4_0)->unpack(y, q40, 1);
	OK(y[0] == 14 && y[1] == -16 && y[16] == -16 && y[17] == 0);
	tensor_kind(TT_Q4_1)->unpack(y, q41, 1);
	OK(y[0] == 13 && y[1] == -2 && y[16] == -2 && y[17] == 6);
	tensor_kind(TT_Q5_0)->unpack(y, q50, 1);
	OK(y[0] == 15 && y[1] == -16 && y[16] == -16 && y[17] == 8);
	tensor_kind(TT_Q5_1)->unpack(y, q51, 1);
	OK(y[0] == 32 && y[1] == 1 && y[16] == 1 && y[17] == 25);
}

TEST(bf16_is_the_upper_half)
{
	const uint8_t p[] = { 0x80, 0x3f, 0x20, 0xc0 };
	float y[2];

	tensor_kind(TT_BF16)->unpack(y, p, 2);
	OK(y[0] == 1 && y[1] == -2.5f);
}

TEST(types_are_refused_by_name)
{
	OK(tensor_kind(10) == NULL);
	STR(tensor_type_name(10), "Q2_K");
	STR(tensor_type_name(39), "MXFP4");
	OK(tensor_type_name(4) == NULL && tensor_type_name(43) == NULL && tensor_type_name(UINT32_MAX) == NULL);
}

static void check_tensor(const struct gguf *g, const struct json *want)
{
	const struct gguf_tensor *t = gguf_tensor(g, json_name(want));
	const char *hex = json_string(json_get(want, "sha256_f32le"));
	AUTO_BUF digest = { 0 };
	uint8_t got[64];
	float *y;
	size_t n;

	OK(t != NULL);
	if (!t)
		return;
	n = (size_t)(t->dim[0] * t->dim[1]);
	y = malloc(n * sizeof *y);
	t->kind->unpack(y, t->data.p, n / t->kind->block);
	WORKS(hash_of(got, HASH_SHA256, slice_of(y, n * 4), &e));
	WORKS(hex_decode(&digest, slice_str(hex), &e));
	EQ(digest.n, 32);
	MEM(digest.p, got, 32);
	free(y);
}

TEST(k_types_equal_the_peer_bit_for_bit)
{
	AUTO_BUF text = { 0 };
	AUTO_JSON *all = NULL;
	size_t tensors = 0;

	NEED_VECTORS;
	load_vec(&text, "models/kquants/dequant.json");
	WORKS(json_parse(&all, buf_view(&text), text.n, &e));
	for (const struct json *file = json_first(all); file; file = json_next(file)) {
		AUTO_BUF b = { 0 };
		AUTO_GGUF g = { 0 };
		char path[128];

		snprintf(path, sizeof path, "models/kquants/%s", json_name(file));
		load_vec(&b, path);
		WORKS(gguf_parse(&g, buf_view(&b), &e));
		for (const struct json *t = json_first(file); t; t = json_next(t), tensors++)
			check_tensor(&g, t);
	}
	OK(tensors > 20);
}
