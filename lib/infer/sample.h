/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_SAMPLE_H
#define CVMBOX_INFER_SAMPLE_H

/* Choosing the next token.  Order: repeat penalty, top-k, top-p, min-p, temperature, draw.  The generator is xoshiro256** (Blackman,
 * Vigna), seeded through splitmix64, one 53-bit draw a token: the same logits and seed give the same tokens everywhere. */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sample_opts {
	double temperature;	/* 0: always the most likely token (the lowest id among equals) */
	uint64_t top_k;		/* keep the k most likely; 0: all */
	double top_p;		/* keep the most likely whose probabilities reach p (the crossing one included); 1: all */
	double min_p;		/* keep those at least p times as likely as the most likely; 0: all */
	double repeat_penalty;	/* of tokens among the last SAMPLE_WINDOW: positive logits divided, others multiplied; 1: none */
	uint64_t seed;
};
#define SAMPLE_DEFAULTS { .temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05, .repeat_penalty = 1 }
#define SAMPLE_WINDOW 64

struct sampler;
int sampler_new(struct sampler **ret, const struct sample_opts *o, size_t vocab, struct err *e);	/* EC_USAGE: options out of range */
void sampler_free(struct sampler *s);		/* NULL allowed */
/* history: all tokens so far.  EC_FORMAT: a logit is not a number or infinite. */
int sampler_next(uint32_t *ret, struct sampler *s, const float *logits, const uint32_t *history, size_t n_history, struct err *e);
uint64_t sampler_draw(struct sampler *s);	/* next 64 bits of the generator (tests) */

#endif
