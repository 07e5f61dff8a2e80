/* SPDX-License-Identifier: Apache-2.0 */
/* The peers describe these rules by regular expressions; here each alternative is a few lines, tried in the order of the expression. */
#include "infer/pretoken.h"

#include "infer/unicode.h"

static unsigned cls(const struct codepoint *c, size_t i, size_t n)
{
	return i < n ? c[i].cls : 0;
}

static bool newline(const struct codepoint *c, size_t i, size_t n)
{
	return i < n && (c[i].cp == '\r' || c[i].cp == '\n');
}

static size_t run_of(const struct codepoint *c, size_t i, size_t n, unsigned want)
{
	size_t k = i;

	while (k < n && (c[k].cls & want))
		k++;
	return k - i;
}

/* Neither letter, number nor white space. */
static size_t run_of_other(const struct codepoint *c, size_t i, size_t n)
{
	size_t k = i;

	while (k < n && !c[k].cls)
		k++;
	return k - i;
}

/* 's 't 'm 'd 're 've 'll */
static size_t contraction(const struct codepoint *c, size_t i, size_t n, bool any_case)
{
	const uint32_t fold = any_case ? 0x20 : 0;
	uint32_t a, b;

	if (c[i].cp != '\'' || i + 1 >= n)
		return 0;
	a = c[i + 1].cp | fold;
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return 2;
	if (i + 2 >= n)
		return 0;
	b = c[i + 2].cp | fold;
	return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* A run before other text leaves its last one to the word that follows; at the end of the text it is taken whole. */
static size_t spaces(const struct codepoint *c, size_t i, size_t n, bool cut_numbers)
{
	const size_t k = run_of(c, i, n, UNI_SPACE);
	const bool at_end = i + k >= n || (cut_numbers && (c[i + k].cls & UNI_NUMBER));

	return k > 1 && !at_end ? k - 1 : k;
}

/* cut_numbers: every single number was cut out first and these rules run on each of the rest alone, so that white space before a number
 * is white space at an end. */
static size_t word_bytes(const struct codepoint *c, size_t i, size_t n, bool cut_numbers)
{
	const size_t lead = c[i].cp == ' ' ? 1 : 0;
	size_t k = contraction(c, i, n, false);

	if (k)
		return k;
	if ((k = run_of(c, i + lead, n, UNI_LETTER)) || (!cut_numbers && (k = run_of(c, i + lead, n, UNI_NUMBER))) ||
	    (k = run_of_other(c, i + lead, n)))
		return lead + k;
	k = spaces(c, i, n, cut_numbers);
	return k ? k : 1;
}

static size_t word_gpt2(const struct codepoint *c, size_t i, size_t n)
{
	return word_bytes(c, i, n, false);
}

static size_t word_smollm(const struct codepoint *c, size_t i, size_t n)
{
	return word_bytes(c, i, n, true);	/* a number matches nothing and is a word of one */
}

static size_t word_llama3(const struct codepoint *c, size_t i, size_t n, size_t max_digits)
{
	const size_t lead = c[i].cp == ' ' ? 1 : 0;
	size_t k = contraction(c, i, n, true), last = 0;

	if (k)
		return k;
	if (!newline(c, i, n) && !(c[i].cls & UNI_NUMBER)) {
		const size_t skip = c[i].cls & UNI_LETTER ? 0 : 1;

		k = run_of(c, i + skip, n, UNI_LETTER);
		if (k)
			return skip + k;
	}
	k = run_of(c, i, n, UNI_NUMBER);
	if (k)
		return k < max_digits ? k : max_digits;
	k = run_of_other(c, i + lead, n);
	if (k) {
		for (k += lead; newline(c, i + k, n); k++)
			;
		return k;
	}
	for (k = 0; cls(c, i + k, n) & UNI_SPACE; k++)
		if (newline(c, i + k, n))
			last = k + 1;
	if (last)
		return last;
	k = spaces(c, i, n, false);
	return k ? k : 1;
}

static size_t word_llama_bpe(const struct codepoint *c, size_t i, size_t n)
{
	return word_llama3(c, i, n, 3);
}

static size_t word_qwen2(const struct codepoint *c, size_t i, size_t n)
{
	return word_llama3(c, i, n, 1);
}

static const struct pretoken rules[] = {
	{ "llama-bpe", true, true, word_llama_bpe }, { "llama3", true, true, word_llama_bpe },
	{ "llama-v3", true, true, word_llama_bpe },  { "falcon3", true, true, word_llama_bpe },
	{ "smaug-bpe", false, false, word_llama_bpe }, { "dbrx", false, false, word_llama_bpe },
	{ "qwen2", false, false, word_qwen2 },	     { "deepseek-r1-qwen", false, false, word_qwen2 },
	{ "megrez", false, false, word_qwen2 },	     { "stablelm2", false, false, word_qwen2 },
	{ "gpt-2", false, false, word_gpt2 },	     { "mpt", false, false, word_gpt2 },
	{ "olmo", false, false, word_gpt2 },	     { "phi-2", false, false, word_gpt2 },
	{ "smollm", false, false, word_smollm },     { "starcoder", false, false, word_smollm },
	{ "refact", false, false, word_smollm },     { "command-r", false, false, word_smollm },
};

const struct pretoken *pretoken_find(struct slice name)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (slice_eqs(name, rules[i].name))
			return &rules[i];
	return NULL;
}
