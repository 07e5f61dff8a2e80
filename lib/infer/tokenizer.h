/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_TOKENIZER_H
#define CVMBOX_INFER_TOKENIZER_H

/* Text to token ids and back: SentencePiece-like ("llama") and byte-level BPE ("gpt2") vocabularies of GGUF files. */

#include "infer/gguf.h"

struct tokens {
	uint32_t *v;
	size_t n, cap;
};
#define AUTO_TOKENS __attribute__((cleanup(tokens_free))) struct tokens
void tokens_free(struct tokens *t);			/* wipes: tokens are text */
int tokens_add(struct tokens *t, uint32_t id, struct err *e);

struct tokenizer;
/* g (and the file behind it) has to outlive the tokenizer.  A kind or pre-tokenizer that is not known exactly is refused by name
 * (EC_ABSENT). */
int tokenizer_open(struct tokenizer **ret, const struct gguf *g, struct err *e);
void tokenizer_free(struct tokenizer *t);		/* NULL allowed */

/* Text comes in parts.  Control tokens ("<|im_end|>") are recognised only inside parts that say so: the markers of a template do, what
 * a user wrote does not, and no merge can build one from plain text either.  Otherwise the border between parts is not seen. */
struct text_part {
	struct slice text;
	bool special;
};
#define TOKENIZER_TEXT_MAX ((size_t)4 << 20)
/* Appends.  bos: put the model's begin-of-sequence token in front if the model wants one. */
int tokenizer_encode(struct tokens *ret, const struct tokenizer *t, const struct text_part *parts, size_t n, bool bos, struct err *e);
/* Appends the bytes of one token; control tokens have none.  A token may hold a part of a character (see utf8_whole). */
void tokenizer_piece(struct buf *ret, const struct tokenizer *t, uint32_t id);
bool tokenizer_is_end(const struct tokenizer *t, uint32_t id);	/* end of sequence, of turn, of message */
size_t tokenizer_size(const struct tokenizer *t);

#endif
