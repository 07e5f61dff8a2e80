/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/sample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct cand {
	float logit;
	uint32_t id;
};
struct sampler {
	struct sample_opts o;
	size_t vocab;
	uint64_t state[4];
	struct cand *c;
};

int sampler_new(struct sampler **ret, const struct sample_opts *o, size_t vocab, struct err *e)
{
	struct sampler *s;
	uint64_t x = o->seed;

	if (!(o->temperature >= 0 && o->temperature <= 100))
		return err_set(e, EC_USAGE, "temperature is %g, wanted 0 to 100", o->temperature);
	if (!(o->top_p > 0 && o->top_p <= 1))
		return err_set(e, EC_USAGE, "top-p is %g, wanted more than 0, at most 1", o->top_p);
	if (!(o->min_p >= 0 && o->min_p <= 1))
		return err_set(e, EC_USAGE, "min-p is %g, wanted 0 to 1", o->min_p);
	if (!(o->repeat_penalty >= 0.1 && o->repeat_penalty <= 10))
		return err_set(e, EC_USAGE, "repeat penalty is %g, wanted 0.1 to 10", o->repeat_penalty);
	s = calloc(1, sizeof *s);
	if (!s)
		return err_oom(e);
	s->o = *o;
	s->vocab = vocab;
	s->c = calloc(vocab ? vocab : 1, sizeof *s->c);
	if (!s->c) {
		free(s);
		return err_oom(e);
	}
	for (int i = 0; i < 4; i++) {		/* splitmix64 */
		uint64_t z = x += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		s->state[i] = z ^ z >> 31;
	}
	*ret = s;
	return 0;
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	free(s->c);
	free(s);
}

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t sampler_draw(struct sampler *s)	/* xoshiro256** 1.0 */
{
	uint64_t *v = s->state;
	const uint64_t ret = rotl(v[1] * 5, 7) * 9, t = v[1] << 17;

	v[2] ^= v[0];
	v[3] ^= v[1];
	v[1] ^= v[2];
	v[0] ^= v[3];
	v[2] ^= t;
	v[3] = rotl(v[3], 45);
	return ret;
}

static bool likelier(const struct cand *a, const struct cand *b)
{
	return a->logit > b->logit || (a->logit == b->logit && a->id < b->id);
}

static int cmp_cand(const void *a, const void *b)
{
	return likelier(a, b) ? -1 : 1;
}

static void sift_down(struct cand *h, size_t n, size_t i)
{
	for (size_t c; (c = 2 * i + 1) < n; i = c) {
		const struct cand t = h[i];

		if (c + 1 < n && likelier(&h[c], &h[c + 1]))
			c++;		/* the less likely child */
		if (!likelier(&h[i], &h[c]))
			break;
		h[i] = h[c];
		h[c] = t;
	}
}

/* The k likeliest of n to the front, sorted: a heap of k with the least likely on top. */
static size_t keep_top(struct cand *c, size_t n, size_t k)
{
	if (k == 0 || k > n)
		k = n;
	if (k < n) {
		for (size_t i = k / 2; i-- > 0;)
			sift_down(c, k, i);
		for (size_t i = k; i < n; i++)
			if (likelier(&c[i], &c[0])) {
				c[0] = c[i];
				sift_down(c, k, 0);
			}
	}
	qsort(c, k, sizeof *c, cmp_cand);
	return k;
}

static void penalise(struct sampler *s, const uint32_t *history, size_t n)
{
	const size_t from = n > SAMPLE_WINDOW ? n - SAMPLE_WINDOW : 0;
	const float r = (float)s->o.repeat_penalty;

	for (size_t i = from; i < n; i++) {
		bool before = history[i] >= s->vocab;

		for (size_t j = from; j < i && !before; j++)
			before = history[j] == history[i];
		if (!before)
			s->c[history[i]].logit *= s->c[history[i]].logit > 0 ? 1 / r : r;
	}
}

/* Sorted candidates: how many make up probability p. */
static size_t keep_probable(const struct cand *c, size_t n, double p)
{
	double sum = 0, part = 0;

	if (p >= 1)
		return n;
	for (size_t i = 0; i < n; i++)
		sum += exp((double)c[i].logit - c[0].logit);
	for (size_t i = 0; i < n; i++) {
		part += exp((double)c[i].logit - c[0].logit);
		if (part >= p * sum)
			return i + 1;
	}
	return n;
}

static uint32_t draw(struct sampler *s, size_t n)
{
	const double u = (double)(sampler_draw(s) >> 11) * 0x1p-53, t = s->o.temperature;
	double sum = 0, part = 0;

	for (size_t i = 0; i < n; i++)
		sum += exp(((double)s->c[i].logit - s->c[0].logit) / t);
	for (size_t i = 0; i < n; i++) {
		part += exp(((double)s->c[i].logit - s->c[0].logit) / t);
		if (part > u * sum)
			return s->c[i].id;
	}
	return s->c[n - 1].id;
}

int sampler_next(uint32_t *ret, struct sampler *s, const float *logits, const uint32_t *history, size_t n_history, struct err *e)
{
	size_t n = s->vocab;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(logits[i]))
			return err_set(e, EC_FORMAT, "the model computes numbers that are not finite: its file is damaged");
		s->c[i] = (struct cand){ logits[i], (uint32_t)i };
	}
	if (s->o.repeat_penalty != 1)
		penalise(s, history, n_history);
	if (s->o.temperature == 0) {
		struct cand best = s->c[0];

		for (size_t i = 1; i < n; i++)
			if (s->c[i].logit > best.logit)
				best = s->c[i];
		*ret = best.id;
		return 0;
	}
	n = keep_top(s->c, n, s->o.top_k);
	n = keep_probable(s->c, n, s->o.top_p);
	while (n > 1 && s->o.min_p > 0 && s->c[n - 1].logit < s->c[0].logit + log(s->o.min_p))
		n--;
	*ret = draw(s, n);
	return 0;
}
