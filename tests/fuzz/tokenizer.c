/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile text against sound vocabularies: the first byte picks one, and whether control tokens count.  Plain text has to come back, and
 * never holds a control token. */
#include "infer/tokenizer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define N_BPE 4
static const char *const pre[N_BPE] = { "gpt-2", "smollm", "llama-bpe", "qwen2" };

static void put_str(struct buf *b, const void *s, size_t n)
{
	buf_le64(b, n);
	buf_put(b, s, n);
}

static void put_key(struct buf *b, const char *key, uint32_t type)
{
	put_str(b, key, strlen(key));
	buf_le32(b, type);
}

static void put_array(struct buf *b, const char *key, uint32_t type, uint64_t n)
{
	put_key(b, key, GGUF_ARRAY);
	buf_le32(b, type);
	buf_le64(b, n);
}

/* 256 bytes in the alphabet of byte-level BPE (or as byte tokens), two control tokens, one user-defined, some merges. */
static void make(struct buf *f, int which)
{
	static const char *const extra[] = { "<|im_end|>", "<s>", "<tool>", "ab", "abc", "\xe2\x96\x81" "a", "</", "\xc4\xa0" "a" };
	static const uint32_t type[] = { 3, 3, 4, 1, 1, 1, 1, 1 };
	static const char *const merges[] = { "a b", "ab c", "\xc4\xa0 a" };
	const bool bpe = which < N_BPE;
	uint32_t next = 0x100;

	buf_puts(f, "GGUF");
	buf_le32(f, 3);
	buf_le64(f, 0);
	buf_le64(f, bpe ? 5 : 4);
	put_key(f, "tokenizer.ggml.model", GGUF_STRING);
	put_str(f, bpe ? "gpt2" : "llama", bpe ? 4 : 5);
	put_array(f, "tokenizer.ggml.tokens", GGUF_STRING, 264);
	for (uint32_t i = 0; i < 256; i++) {
		const bool self = (i >= 0x21 && i <= 0x7e) || (i >= 0xa1 && i <= 0xac) || i >= 0xae;
		const uint32_t cp = self ? i : next++;
		const uint8_t two[2] = { (uint8_t)(0xc0 | cp >> 6), (uint8_t)(0x80 | (cp & 63)) };
		char byte[8];

		snprintf(byte, sizeof byte, "<0x%02X>", i);
		if (!bpe)
			put_str(f, byte, 6);
		else if (cp < 0x80)
			put_str(f, (const uint8_t[]){ (uint8_t)cp }, 1);
		else
			put_str(f, two, 2);
	}
	for (int i = 0; i < 8; i++)
		put_str(f, extra[i], strlen(extra[i]));
	put_array(f, "tokenizer.ggml.token_type", GGUF_I32, 264);
	for (uint32_t i = 0; i < 264; i++)
		buf_le32(f, i < 256 ? bpe ? 1 : 6 : type[i - 256]);
	if (bpe) {
		put_key(f, "tokenizer.ggml.pre", GGUF_STRING);
		put_str(f, pre[which], strlen(pre[which]));
		put_array(f, "tokenizer.ggml.merges", GGUF_STRING, 3);
		for (int i = 0; i < 3; i++)
			put_str(f, merges[i], strlen(merges[i]));
	} else {
		put_array(f, "tokenizer.ggml.scores", GGUF_F32, 264);
		buf_fill(f, 0, 4 * 264);
	}
}

static const struct tokenizer *vocabulary(int which)
{
	static struct buf file[N_BPE + 1];
	static struct gguf g[N_BPE + 1];
	static struct tokenizer *t[N_BPE + 1];

	if (!t[which]) {
		make(&file[which], which);
		if (gguf_parse(&g[which], buf_view(&file[which]), NULL) || tokenizer_open(&t[which], &g[which], NULL))
			abort();
	}
	return t[which];
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const int which = n ? p[0] % (N_BPE + 1) : 0;
	const bool special = n && (p[0] & 0x80);
	const struct tokenizer *t = vocabulary(which);
	const struct slice text = n ? slice_of(p + 1, n - 1) : slice_of(NULL, 0);
	AUTO_TOKENS ids = { 0 };
	AUTO_BUF back = { 0 };

	if (tokenizer_encode(&ids, t, &(const struct text_part){ text, special }, 1, false, NULL))
		abort();
	for (size_t i = 0; i < ids.n; i++) {
		if (!special && (ids.v[i] == 256 || ids.v[i] == 257))
			abort();
		tokenizer_piece(&back, t, ids.v[i]);
	}
	if (!special && which < N_BPE && (back.n != text.n || (text.n && memcmp(back.p, text.p, text.n))))
		abort();
	return 0;
}
