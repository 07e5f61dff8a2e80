/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_ENGINE_H
#define CVMBOX_INFER_ENGINE_H

/* The built-in engine: a GGUF model on the CPU, one prompt at a time. */

#include "infer/sample.h"
#include "infer/tokenizer.h"

struct engine_opts {
	unsigned threads;		/* 0: one per usable CPU */
	uint64_t ctx;			/* tokens; 0: what the model was made for, at most 4096 */
	const char *kernels;		/* NULL: the best for this CPU; "portable", "avx2", "avx512" */
};
struct engine_info {
	struct slice arch, name;	/* from the file: escape before printing */
	const char *chat;		/* name of the recognised chat template, NULL: none */
	const char *kernels;
	unsigned threads;
	size_t ctx, vocab, layers;
	uint64_t parameters, weight_bytes;
};

struct engine;
/* Reads the model behind fd (position 0; the descriptor stays the caller's).  A memory file sealed against writing is mapped; anything else
 * is read whole into memory that core dumps leave out, so that nobody changes it after it was checked.  what names it in error texts. */
int engine_open(struct engine **ret, int fd, const char *what, const struct engine_opts *o, struct err *e);
void engine_free(struct engine *m);	/* NULL allowed */
void engine_info(struct engine_info *ret, const struct engine *m);

enum stop_reason { STOP_END, STOP_LENGTH, STOP_CONTEXT };	/* the model ended its turn; max_tokens; no room is left */
const char *stop_name(enum stop_reason r);			/* "stop", "length", "context" */

struct generate {
	struct slice prompt;		/* never parsed for control tokens */
	bool raw;			/* continue the prompt as it stands: no chat template */
	const char *chat;		/* template by name; NULL: the model's own */
	const char *sys;		/* system text; NULL: the template's own, "": none */
	uint64_t max_tokens;
	struct sample_opts sample;
	/* Gets the text as it comes, whole characters at a time; non-zero stops and is returned.  May be NULL. */
	int (*text)(void *arg, struct slice piece, struct err *e);
	void *arg;
};
struct generated {
	enum stop_reason stop;
	size_t prompt_tokens, tokens;	/* tokens: without the one that ended the turn */
	double prompt_s, gen_s;		/* time in the model: for the prompt, and for tokens after the first */
	struct tokens ids;		/* the caller frees: tokens_free */
};
int engine_generate(struct generated *ret, struct engine *m, const struct generate *g, struct err *e);
double generated_prompt_rate(const struct generated *g);	/* tokens a second; 0: too short to tell */
double generated_rate(const struct generated *g);

/* Tokens a second for a prompt of pp tokens, and for tg tokens one by one after it (best of runs: others on the machine can only
 * slow it down). */
int engine_bench(double *pp_rate, double *tg_rate, struct engine *m, size_t pp, size_t tg, unsigned runs, struct err *e);

/* For tests and comparisons. */
const struct tokenizer *engine_tokenizer(const struct engine *m);
int engine_logits(const float **ret, size_t *n, struct engine *m, const uint32_t *tokens, size_t n_tokens, struct err *e);

#endif
