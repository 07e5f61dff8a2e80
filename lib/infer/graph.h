/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_GRAPH_H
#define CVMBOX_INFER_GRAPH_H

/* The transformer: weights of a GGUF file, keys and values of the tokens so far, next-token logits.  Architectures: llama (also mistral,
 * smollm, tinyllama), qwen2, qwen3. */

#include "base/pool.h"
#include "infer/gguf.h"
#include "infer/kernels.h"

#define GRAPH_BATCH 32		/* tokens computed together, so that a weight is read once for all of them */

struct graph_info {
	struct slice arch;
	size_t vocab, layers, width, ctx;	/* ctx: positions there is room for */
	uint64_t context_length;		/* what the model was trained for */
	uint64_t parameters;
	uint64_t weight_bytes;
};

struct graph;
/* g has to outlive the graph; pool and k too.  ctx 0: the model's own length, at most 4096.  EC_ABSENT names what is not supported. */
int graph_open(struct graph **ret, const struct gguf *g, uint64_t ctx, struct pool *pool, const struct kernels *k, struct err *e);
void graph_free(struct graph *m);	/* NULL allowed; wipes keys and values */
const struct graph_info *graph_info(const struct graph *m);
/* Appends n tokens (any n >= 1) to the sequence of *pos tokens and moves *pos; logits (vocab floats) are those after the last one,
 * valid until the next call.  EC_FORMAT: numbers overflowed, the model is broken. */
int graph_run(const float **logits, struct graph *m, size_t *pos, const uint32_t *tokens, size_t n, struct err *e);

#endif
