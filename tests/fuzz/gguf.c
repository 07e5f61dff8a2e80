/* SPDX-License-Identifier: Apache-2.0 */
/* A model file: its structure, its vocabulary, its graph (not more than it paid for), and a few tokens through it. */
#include "infer/gguf.h"
#include "infer/graph.h"
#include "infer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void run_graph(const struct gguf *g)
{
	struct pool *pool = NULL;
	struct graph *m = NULL;
	const float *logits;
	size_t pos = 0;

	if (pool_new(&pool, 1, NULL))
		return;
	if (!graph_open(&m, g, 4, pool, kernels_get(NULL), NULL) && graph_info(m)->vocab > 1)
		graph_run(&logits, m, &pos, (const uint32_t[]){ 0, 1, 0 }, 3, NULL);
	graph_free(m);
	pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_GGUF g = { 0 };
	struct tokenizer *t = NULL;

	if (gguf_parse(&g, slice_of(p, n), NULL))
		return 0;
	if (!tokenizer_open(&t, &g, NULL)) {
		AUTO_TOKENS ids = { 0 };
		AUTO_BUF text = { 0 };

		tokenizer_encode(&ids, t, &(const struct text_part){ SLICE("a b <|im_end|> 12\n"), true }, 1, true, NULL);
		for (uint32_t i = 0; i < tokenizer_size(t) && i < 100; i++)
			tokenizer_piece(&text, t, i);
		tokenizer_free(t);
	}
	run_graph(&g);
	return 0;
}
