/* SPDX-License-Identifier: Apache-2.0 */
#include "infer_make.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "infer/gguf.h"

static uint64_t state = 1;

void mk_seed(uint64_t seed)
{
	state = seed;
}

float mk_random(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (float)(int32_t)(state >> 32) / 2147483648.0f;
}

void making_free(struct making *m)
{
	buf_free(&m->kv);
	buf_free(&m->infos);
	buf_free(&m->data);
}

static void put_str(struct buf *b, const char *s)
{
	buf_le64(b, strlen(s));
	buf_puts(b, s);
}

static void put_f32(struct buf *b, float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof bits);
	buf_le32(b, bits);
}

void mk_key(struct making *m, const char *key, uint32_t type)
{
	put_str(&m->kv, key);
	buf_le32(&m->kv, type);
	m->n_kv++;
}

void mk_u32(struct making *m, const char *key, uint32_t v)
{
	mk_key(m, key, GGUF_U32);
	buf_le32(&m->kv, v);
}

void mk_f32(struct making *m, const char *key, float v)
{
	mk_key(m, key, GGUF_F32);
	put_f32(&m->kv, v);
}

void mk_bool(struct making *m, const char *key, uint8_t v)
{
	mk_key(m, key, GGUF_BOOL);
	buf_byte(&m->kv, v);
}

void mk_str(struct making *m, const char *key, const char *v)
{
	mk_key(m, key, GGUF_STRING);
	put_str(&m->kv, v);
}

void mk_strs(struct making *m, const char *key, const char *const *v, size_t n)
{
	mk_key(m, key, GGUF_ARRAY);
	buf_le32(&m->kv, GGUF_STRING);
	buf_le64(&m->kv, n);
	for (size_t i = 0; i < n; i++)
		put_str(&m->kv, v[i]);
}

void mk_info(struct making *m, const char *name, uint64_t k, uint64_t n, uint32_t type, uint64_t offset)
{
	put_str(&m->infos, name);
	buf_le32(&m->infos, n == 1 ? 1 : 2);
	buf_le64(&m->infos, k);
	if (n != 1)
		buf_le64(&m->infos, n);
	buf_le32(&m->infos, type);
	buf_le64(&m->infos, offset);
	m->n_tensors++;
}

static void put_block(struct buf *b, enum tensor_type t)
{
	const struct tensor_kind *k = tensor_kind(t);

	if (t == TT_F32) {
		put_f32(b, mk_random() * 0.3f);
	} else if (t == TT_F16) {
		buf_le16(b, f32_to_f16(mk_random() * 0.3f));
	} else if (t == TT_BF16) {
		const float f = mk_random() * 0.3f;
		uint32_t bits;

		memcpy(&bits, &f, sizeof bits);
		buf_le16(b, (uint16_t)(bits >> 16));
	} else {	/* scales small, the rest anything */
		uint8_t *p = buf_grow(b, k->bytes);
		const uint16_t d = f32_to_f16(mk_random() * 0.003f);

		for (uint32_t i = 0; p && i < k->bytes; i++)
			p[i] = (uint8_t)(int)(mk_random() * 128);
		if (p && t == TT_Q6_K)
			memcpy(p + 208, &d, 2);
		else if (p)
			memcpy(p, &d, 2);
		if (p && (t == TT_Q4_1 || t == TT_Q5_1 || t == TT_Q4_K || t == TT_Q5_K))
			memcpy(p + 2, &d, 2);
	}
}

void mk_tensor(struct making *m, const char *name, uint64_t k, uint64_t n, enum tensor_type t)
{
	const struct tensor_kind *kind = tensor_kind(t);

	mk_info(m, name, k, n, t, m->data.n);
	for (uint64_t i = 0; i < k * n / kind->block; i++)
		put_block(&m->data, t);
	while (m->data.n % 32)
		buf_byte(&m->data, 0);
}

void mk_finish(struct buf *ret, const struct making *m)
{
	buf_puts(ret, "GGUF");
	buf_le32(ret, m->version ? m->version : 3);
	buf_le64(ret, m->n_tensors);
	buf_le64(ret, m->n_kv);
	buf_slice(ret, buf_view(&m->kv));
	buf_slice(ret, buf_view(&m->infos));
	while (m->n_tensors && ret->n % 32)
		buf_byte(ret, 0);
	buf_slice(ret, buf_view(&m->data));
}

static void tiny_vocab(struct making *m)
{
	static char text[256][8];
	const char *tok[259] = { "<unk>", "<s>", "</s>" };

	for (int i = 0; i < 256; i++) {
		snprintf(text[i], sizeof text[i], "<0x%02X>", i);
		tok[3 + i] = text[i];
	}
	mk_str(m, "tokenizer.ggml.model", "llama");
	mk_strs(m, "tokenizer.ggml.tokens", tok, 259);
	mk_key(m, "tokenizer.ggml.scores", GGUF_ARRAY);
	buf_le32(&m->kv, GGUF_F32);
	buf_le64(&m->kv, 259);
	buf_fill(&m->kv, 0, 4 * 259);
	mk_key(m, "tokenizer.ggml.token_type", GGUF_ARRAY);
	buf_le32(&m->kv, GGUF_I32);
	buf_le64(&m->kv, 259);
	for (uint32_t i = 0; i < 259; i++)
		buf_le32(&m->kv, i == 0 ? 2 : i < 3 ? 3 : 6);
	mk_u32(m, "tokenizer.ggml.eos_token_id", 2);
}

static void tiny_key(struct making *m, const char *arch, const char *name, uint32_t v)
{
	char key[96];

	snprintf(key, sizeof key, "%s.%s", arch, name);
	mk_u32(m, key, v);
}

static void tiny_layer(struct making *m, const struct tiny *o, int layer)
{
	static const struct { const char *name; uint64_t k, n; } t[] = {
		{ "attn_norm.weight", 64, 1 }, { "attn_q.weight", 64, 64 }, { "attn_k.weight", 64, 32 }, { "attn_v.weight", 64, 32 },
		{ "attn_output.weight", 64, 64 }, { "ffn_norm.weight", 64, 1 }, { "ffn_gate.weight", 64, 96 },
		{ "ffn_up.weight", 64, 96 }, { "ffn_down.weight", 96, 64 }, { "attn_q.bias", 64, 1 }, { "attn_k.bias", 32, 1 },
		{ "attn_v.bias", 32, 1 }, { "attn_q_norm.weight", 16, 1 }, { "attn_k_norm.weight", 16, 1 },
	};
	char name[64];

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		if ((i >= 9 && i < 12 && !o->bias) || (i >= 12 && !o->head_norms))
			continue;
		snprintf(name, sizeof name, "blk.%d.%s", layer, t[i].name);
		if (!o->skip || strcmp(name, o->skip) != 0)
			mk_tensor(m, name, t[i].k, t[i].n, t[i].n == 1 ? TT_F32 : o->t);
	}
}

void mk_tiny(struct making *m, const struct tiny *o)
{
	const char *arch = o->arch ? o->arch : "llama";
	char eps[64];

	mk_str(m, "general.architecture", arch);
	tiny_key(m, arch, "embedding_length", 64);
	tiny_key(m, arch, "feed_forward_length", 96);
	tiny_key(m, arch, "block_count", 2);
	tiny_key(m, arch, "context_length", 128);
	tiny_key(m, arch, "attention.head_count", 4);
	tiny_key(m, arch, "attention.head_count_kv", 2);
	snprintf(eps, sizeof eps, "%s.attention.layer_norm_rms_epsilon", arch);
	mk_f32(m, eps, 1e-5f);
	tiny_vocab(m);
	if (o->chat)
		mk_str(m, "tokenizer.chat_template", o->chat);
	mk_tensor(m, "token_embd.weight", 64, 259, o->t);
	if (!o->skip || strcmp("output_norm.weight", o->skip) != 0)
		mk_tensor(m, "output_norm.weight", 64, 1, TT_F32);
	tiny_layer(m, o, 0);
	tiny_layer(m, o, 1);
	if (o->extra)
		mk_tensor(m, o->extra, 64, 1, TT_F32);
}

int mk_file(const struct making *m)
{
	AUTO_BUF b = { 0 };
	const int fd = memfd_create("tiny.gguf", MFD_CLOEXEC);

	mk_finish(&b, m);
	OK(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}
