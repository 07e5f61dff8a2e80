/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/tokenizer.h"

#include <math.h>

#include "base/cursor.h"
#include "base/host.h"
#include "infer/pretoken.h"
#include "infer/unicode.h"

#define NONE UINT32_MAX
#define SPACE_MARK "\xe2\x96\x81"	/* U+2581 stands for a space in "llama" vocabularies */

enum token_type { TOK_NORMAL = 1, TOK_UNKNOWN = 2, TOK_CONTROL = 3, TOK_USER = 4, TOK_UNUSED = 5, TOK_BYTE = 6, TOK_IS_END = 0x80 };

/* Text to index, open addressing; slots hold index + 1.  The hash is keyed with random bytes, so that a file cannot be made to collide. */
struct map {
	uint32_t *slot;
	size_t mask;
};

struct tokenizer {
	bool bpe;
	const struct pretoken *pre;	/* bpe only */
	struct slice *text;		/* per token */
	float *score;			/* not bpe */
	uint8_t *type;			/* enum token_type */
	size_t n;
	struct slice *merge;		/* bpe only: "left right", rank is the index */
	size_t n_merges, longest_merge;
	struct map tokens, merges;	/* tokens: only those that plain text may turn into */
	uint64_t hash_key[2];
	uint32_t byte_id[256];		/* not bpe */
	uint32_t *special;		/* unknown, control and user-defined tokens, longest text first */
	size_t n_special;
	uint32_t bos, unknown;
	bool add_bos, add_space;
};

/* --- SipHash-1-3 (Aumasson, Bernstein) ---------------------------------------------------------------- */

#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))

static void sip_round(uint64_t v[4])
{
	v[0] += v[1]; v[1] = ROTL(v[1], 13); v[1] ^= v[0]; v[0] = ROTL(v[0], 32);
	v[2] += v[3]; v[3] = ROTL(v[3], 16); v[3] ^= v[2];
	v[0] += v[3]; v[3] = ROTL(v[3], 21); v[3] ^= v[0];
	v[2] += v[1]; v[1] = ROTL(v[1], 17); v[1] ^= v[2]; v[2] = ROTL(v[2], 32);
}

static uint64_t hash_text(const uint64_t key[2], struct slice s)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
			  key[1] ^ 0x7465646279746573 };
	uint64_t last = (uint64_t)s.n << 56;
	size_t i;

	for (i = 0; i + 8 <= s.n; i += 8) {
		const uint64_t w = get_le64(s.p + i);

		v[3] ^= w;
		sip_round(v);
		v[0] ^= w;
	}
	for (size_t k = 0; i + k < s.n; k++)
		last |= (uint64_t)s.p[i + k] << (8 * k);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int k = 0; k < 3; k++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static int map_alloc(struct map *m, size_t n, struct err *e)
{
	size_t size = 16;

	while (size < 2 * n)
		size *= 2;
	m->slot = calloc(size, sizeof *m->slot);
	m->mask = size - 1;
	return m->slot ? 0 : err_oom(e);
}

static void map_add(struct map *m, const uint64_t key[2], const struct slice *texts, uint32_t i, bool replace)
{
	size_t h = (size_t)hash_text(key, texts[i]) & m->mask;

	for (; m->slot[h]; h = (h + 1) & m->mask) {
		if (!slice_eq(texts[m->slot[h] - 1], texts[i]))
			continue;
		if (!replace)
			return;
		break;
	}
	m->slot[h] = i + 1;
}

static uint32_t map_find(const struct map *m, const uint64_t key[2], const struct slice *texts, struct slice s)
{
	for (size_t h = (size_t)hash_text(key, s) & m->mask; m->slot[h]; h = (h + 1) & m->mask)
		if (slice_eq(texts[m->slot[h] - 1], s))
			return m->slot[h] - 1;
	return NONE;
}

/* --- opening -------------------------------------------------------------------------------------------- */

void tokens_free(struct tokens *t)
{
	if (t->v)
		mem_wipe(t->v, t->cap * sizeof *t->v);
	free(t->v);
	*t = (struct tokens){ 0 };
}

int tokens_add(struct tokens *t, uint32_t id, struct err *e)
{
	if (t->n == t->cap) {
		const size_t cap = t->cap ? 2 * t->cap : 64;
		uint32_t *v = malloc(cap * sizeof *v);	/* not realloc: the old ones are wiped */

		if (!v)
			return err_oom(e);
		if (t->n)
			memcpy(v, t->v, t->n * sizeof *v);
		if (t->v)
			mem_wipe(t->v, t->cap * sizeof *t->v);
		free(t->v);
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n++] = id;
	return 0;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Value of "<0xNN>", or -1. */
static int byte_text(struct slice s)
{
	if (s.n != 6 || memcmp(s.p, "<0x", 3) || s.p[5] != '>' || hex_digit(s.p[3]) < 0 || hex_digit(s.p[4]) < 0)
		return -1;
	return hex_digit(s.p[3]) << 4 | hex_digit(s.p[4]);
}

static bool ends_by_text(struct slice s)
{
	static const char *const ends[] = { "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>",
					    "<EOT>", "</s>" };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (slice_eqs(s, ends[i]))
			return true;
	return false;
}

static int load_types(struct tokenizer *t, const struct gguf *g, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, "tokenizer.ggml.token_type");

	t->type = calloc(t->n, 1);
	if (!t->type)
		return err_oom(e);
	if (kv && (kv->type != GGUF_ARRAY || (kv->elem != GGUF_I32 && kv->elem != GGUF_U32) || kv->count != t->n))
		return err_set(e, EC_FORMAT, "tokenizer.ggml.token_type is not an array of %zu integers", t->n);
	for (size_t i = 0; i < t->n; i++) {
		const uint32_t v = kv ? get_le32(kv->bytes.p + 4 * i) : !t->bpe && byte_text(t->text[i]) >= 0 ? TOK_BYTE : TOK_NORMAL;

		if (v > TOK_BYTE)
			return err_set(e, EC_FORMAT, "token %zu has unknown type %u", i, v);
		t->type[i] = (uint8_t)v;
		if (ends_by_text(t->text[i]))	/* some files call them normal */
			t->type[i] = TOK_CONTROL | TOK_IS_END;
	}
	return 0;
}

static int load_scores(struct tokenizer *t, const struct gguf *g, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, "tokenizer.ggml.scores");

	if (!kv || kv->type != GGUF_ARRAY || kv->elem != GGUF_F32 || kv->count != t->n)
		return err_set(e, EC_FORMAT, "tokenizer.ggml.scores is not an array of %zu floats", t->n);
	t->score = malloc(t->n * sizeof *t->score);
	if (!t->score)
		return err_oom(e);
	memcpy(t->score, kv->bytes.p, t->n * sizeof *t->score);
	for (size_t i = 0; i < t->n; i++)
		if (isnan(t->score[i]))
			return err_set(e, EC_FORMAT, "token %zu has no number as its score", i);
	return 0;
}

static int load_merges(struct tokenizer *t, const struct gguf *g, struct err *e)
{
	if (gguf_strings(&t->merge, &t->n_merges, g, "tokenizer.ggml.merges", e) || map_alloc(&t->merges, t->n_merges, e))
		return -1;
	for (size_t i = 0; i < t->n_merges; i++) {
		map_add(&t->merges, t->hash_key, t->merge, (uint32_t)i, false);
		if (t->merge[i].n > t->longest_merge)
			t->longest_merge = t->merge[i].n;
	}
	return 0;
}

static int load_id(uint32_t *ret, bool *found, const struct tokenizer *t, const struct gguf *g, const char *key, struct err *e)
{
	uint64_t v = 0;

	if (gguf_uint(&v, found, g, key, e))
		return -1;
	if (!*found)
		return 0;
	if (v >= t->n)
		return err_set(e, EC_FORMAT, "'%s' is %llu, the vocabulary has %zu tokens", key, (unsigned long long)v, t->n);
	*ret = (uint32_t)v;
	return 0;
}

static int load_ids(struct tokenizer *t, const struct gguf *g, struct err *e)
{
	static const char *const ends[] = { "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id" };
	const bool defaults = !t->bpe && t->n > 2;	/* <unk> <s> </s> lead every such vocabulary */
	uint32_t id = 0;
	bool found = false;

	t->bos = defaults ? 1 : NONE;
	t->unknown = defaults ? 0 : NONE;
	if (load_id(&t->bos, &found, t, g, "tokenizer.ggml.bos_token_id", e) ||
	    load_id(&t->unknown, &found, t, g, "tokenizer.ggml.unknown_token_id", e))
		return -1;
	for (size_t i = 0; i < 3; i++) {
		if (load_id(&id, &found, t, g, ends[i], e))
			return -1;
		if (found)
			t->type[id] |= TOK_IS_END;
		else if (i == 0 && defaults)
			t->type[2] |= TOK_IS_END;
	}
	t->add_bos = t->bpe ? t->pre->add_bos : true;
	t->add_space = !t->bpe;
	return gguf_bool(&t->add_bos, g, "tokenizer.ggml.add_bos_token", e) || gguf_bool(&t->add_space, g, "tokenizer.ggml.add_space_prefix", e)
		? -1 : 0;
}

static unsigned type_of(const struct tokenizer *t, uint32_t id)
{
	return t->type[id] & ~(unsigned)TOK_IS_END;
}

static bool is_special(const struct tokenizer *t, uint32_t id)
{
	const unsigned type = type_of(t, id);

	return (type == TOK_CONTROL || type == TOK_UNKNOWN || type == TOK_USER) && t->text[id].n;
}

static int cmp_special(const void *a, const void *b, void *arg)
{
	const struct tokenizer *t = arg;
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (t->text[x].n != t->text[y].n)
		return t->text[x].n > t->text[y].n ? -1 : 1;
	return (x > y) - (x < y);
}

static int index_tokens(struct tokenizer *t, struct err *e)
{
	if (map_alloc(&t->tokens, t->n, e))
		return -1;
	memset(t->byte_id, 0xff, sizeof t->byte_id);
	for (size_t i = 0; i < t->n; i++) {
		const uint32_t id = (uint32_t)i;
		const unsigned type = type_of(t, id);
		const int byte = type == TOK_BYTE ? byte_text(t->text[i]) : -1;

		if (byte >= 0)
			t->byte_id[byte] = id;
		if (is_special(t, id))
			t->n_special++;
		if (type != TOK_CONTROL && type != TOK_UNKNOWN && type != TOK_BYTE && t->text[i].n)
			map_add(&t->tokens, t->hash_key, t->text, id, true);
	}
	t->special = malloc((t->n_special + 1) * sizeof *t->special);
	if (!t->special)
		return err_oom(e);
	t->n_special = 0;
	for (size_t i = 0; i < t->n; i++)
		if (is_special(t, (uint32_t)i))
			t->special[t->n_special++] = (uint32_t)i;
	qsort_r(t->special, t->n_special, sizeof *t->special, cmp_special, t);
	return 0;
}

static int find_kind(struct tokenizer *t, const struct gguf *g, struct err *e)
{
	struct slice model = { 0 }, pre = { 0 };

	if (gguf_str(&model, g, "tokenizer.ggml.model", e) || gguf_str(&pre, g, "tokenizer.ggml.pre", e))
		return -1;
	if (!model.n)
		return err_set(e, EC_FORMAT, "the file holds no tokenizer ('tokenizer.ggml.model' is missing)");
	if (slice_eqs(model, "llama"))
		return 0;
	if (!slice_eqs(model, "gpt2"))
		return err_set(e, EC_ABSENT, "tokenizer '%.*s' is not supported (supported: llama, gpt2)", (int)model.n, model.p);
	t->bpe = true;
	t->pre = pretoken_find(pre);
	if (t->pre)
		return 0;
	/* A near miss would give tokens that are slightly wrong, and nobody would notice. */
	return err_set(e, EC_ABSENT, "pre-tokenizer '%.*s' is not supported", (int)pre.n, pre.p);
}

static int load(struct tokenizer *t, const struct gguf *g, struct err *e)
{
	if (find_kind(t, g, e) || host_random(t->hash_key, sizeof t->hash_key, e) ||
	    gguf_strings(&t->text, &t->n, g, "tokenizer.ggml.tokens", e))
		return -1;
	if (t->n == 0 || t->n > (1u << 24))
		return err_set(e, EC_FORMAT, "vocabulary of %zu tokens", t->n);
	if (load_types(t, g, e) || (t->bpe ? load_merges(t, g, e) : load_scores(t, g, e)) || load_ids(t, g, e))
		return -1;
	return index_tokens(t, e);
}

int tokenizer_open(struct tokenizer **ret, const struct gguf *g, struct err *e)
{
	struct tokenizer *t = calloc(1, sizeof *t);

	if (!t)
		return err_oom(e);
	if (load(t, g, e)) {
		tokenizer_free(t);
		return -1;
	}
	*ret = t;
	return 0;
}

void tokenizer_free(struct tokenizer *t)
{
	if (!t)
		return;
	free(t->text);
	free(t->score);
	free(t->type);
	free(t->merge);
	free(t->tokens.slot);
	free(t->merges.slot);
	free(t->special);
	free(t);
}

/* --- merging: symbols in a list, candidate pairs in a heap ------------------------------------------------- */

struct symbol {
	uint32_t at, n;		/* bytes in the work text; n 0: merged into its left neighbour */
	uint32_t prev, next;	/* NONE at the ends */
};
struct pair {
	double order;		/* smallest first: rank, or minus the score; ties: smaller left index */
	uint32_t left, right, n;
};
struct work {
	const struct tokenizer *t;
	struct tokens *ret;
	struct buf text, key;
	struct symbol *sym;
	size_t n_sym, cap_sym;
	struct pair *heap;
	size_t n_heap, cap_heap;
};

static bool before(const struct pair *a, const struct pair *b)
{
	return a->order < b->order || (a->order == b->order && a->left < b->left);
}

static int heap_push(struct work *w, struct pair p, struct err *e)
{
	size_t i = w->n_heap;

	if (w->n_heap == w->cap_heap) {
		const size_t cap = w->cap_heap ? 2 * w->cap_heap : 256;
		struct pair *v = realloc(w->heap, cap * sizeof *v);

		if (!v)
			return err_oom(e);
		w->heap = v;
		w->cap_heap = cap;
	}
	for (w->n_heap++; i && before(&p, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = p;
	return 0;
}

static struct pair heap_pop(struct work *w)
{
	const struct pair top = w->heap[0], last = w->heap[--w->n_heap];
	size_t i = 0;

	for (size_t c; (c = 2 * i + 1) < w->n_heap; i = c) {
		if (c + 1 < w->n_heap && before(&w->heap[c + 1], &w->heap[c]))
			c++;
		if (!before(&w->heap[c], &last))
			break;
		w->heap[i] = w->heap[c];
	}
	w->heap[i] = last;
	return top;
}

static struct slice sym_text(const struct work *w, const struct symbol *s)
{
	return slice_of(w->text.p + s->at, s->n);
}

/* Puts the pair of symbols l and r on the heap if the vocabulary knows it.  Neighbours are adjacent in the work text. */
static int try_pair(struct work *w, uint32_t l, uint32_t r, struct err *e)
{
	const struct tokenizer *t = w->t;
	struct pair p = { .left = l, .right = r };
	uint32_t found;

	if (l == NONE || r == NONE)
		return 0;
	p.n = w->sym[l].n + w->sym[r].n;
	if (t->bpe) {
		if (p.n + 1 > t->longest_merge)
			return 0;
		buf_reset(&w->key);
		buf_slice(&w->key, sym_text(w, &w->sym[l]));
		buf_byte(&w->key, ' ');
		buf_slice(&w->key, sym_text(w, &w->sym[r]));
		if (buf_check(&w->key, e))
			return -1;
		found = map_find(&t->merges, t->hash_key, t->merge, buf_view(&w->key));
		p.order = found;
	} else {
		found = map_find(&t->tokens, t->hash_key, t->text, slice_of(w->text.p + w->sym[l].at, p.n));
		p.order = found == NONE ? 0 : -(double)t->score[found];
	}
	return found == NONE ? 0 : heap_push(w, p, e);
}

static int add_symbol(struct work *w, size_t at, size_t n, struct err *e)
{
	const uint32_t i = (uint32_t)w->n_sym;

	if (w->n_sym == w->cap_sym) {
		const size_t cap = w->cap_sym ? 2 * w->cap_sym : 256;
		struct symbol *v = realloc(w->sym, cap * sizeof *v);

		if (!v)
			return err_oom(e);
		w->sym = v;
		w->cap_sym = cap;
	}
	w->sym[i] = (struct symbol){ (uint32_t)at, (uint32_t)n, i ? i - 1 : NONE, NONE };
	if (i)
		w->sym[i - 1].next = i;
	w->n_sym++;
	return 0;
}

static int merge_all(struct work *w, struct err *e)
{
	for (uint32_t i = 1; i < w->n_sym; i++)
		if (try_pair(w, i - 1, i, e))
			return -1;
	while (w->n_heap) {
		const struct pair p = heap_pop(w);
		struct symbol *l = &w->sym[p.left], *r = &w->sym[p.right];

		if (!l->n || !r->n || l->n + r->n != p.n)
			continue;	/* one of them was merged since */
		l->n = p.n;
		r->n = 0;
		l->next = r->next;
		if (r->next != NONE)
			w->sym[r->next].prev = p.left;
		if (try_pair(w, l->prev, p.left, e) || try_pair(w, p.left, l->next, e))
			return -1;
	}
	return 0;
}

/* What is not a token is given byte by byte.  (A merged symbol of a "llama" vocabulary is always a token: only tokens are merged.) */
static int emit_symbol(struct work *w, const struct symbol *s, struct err *e)
{
	const struct tokenizer *t = w->t;
	const struct slice text = sym_text(w, s);
	uint32_t id = map_find(&t->tokens, t->hash_key, t->text, text);

	if (id != NONE)
		return tokens_add(w->ret, id, e);
	for (size_t i = 0; i < text.n; i++) {
		id = t->bpe ? map_find(&t->tokens, t->hash_key, t->text, slice_of(text.p + i, 1)) : t->byte_id[text.p[i]];
		if (id == NONE && !t->bpe)
			id = t->unknown;
		if (id != NONE && tokens_add(w->ret, id, e))
			return -1;
	}
	return 0;
}

static int merge_and_emit(struct work *w, struct err *e)
{
	if (merge_all(w, e))
		return -1;
	for (uint32_t i = w->n_sym ? 0 : NONE; i != NONE; i = w->sym[i].next)
		if (emit_symbol(w, &w->sym[i], e))
			return -1;
	return 0;
}

/* --- the two kinds ------------------------------------------------------------------------------------------ */

static int encode_spm(struct work *w, struct slice s, struct err *e)
{
	static const uint8_t length[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4 };	/* by the lead byte alone */

	buf_reset(&w->text);
	w->n_sym = 0;
	if (w->t->add_space)
		buf_puts(&w->text, SPACE_MARK);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ')
			buf_puts(&w->text, SPACE_MARK);
		else
			buf_byte(&w->text, s.p[i]);
	}
	if (buf_check(&w->text, e))
		return -1;
	for (size_t at = 0; at < w->text.n;) {
		const size_t left = w->text.n - at, n = length[w->text.p[at] >> 4];

		if (add_symbol(w, at, n < left ? n : left, e))
			return -1;
		at += n < left ? n : left;
	}
	return merge_and_emit(w, e);
}

/* Printable bytes stand for themselves, the other 68, in rising order, for U+0100, U+0101, ... */
static uint32_t byte_to_cp(uint8_t b)
{
	if ((b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae)
		return b;
	if (b <= 0x20)
		return 0x100u + b;
	return b == 0xad ? 0x143 : 0x121u + (b - 0x7fu);
}

static int cp_to_byte(uint32_t cp)
{
	if ((cp >= 0x21 && cp <= 0x7e) || (cp >= 0xa1 && cp <= 0xac) || (cp >= 0xae && cp <= 0xff))
		return (int)cp;
	if (cp >= 0x100 && cp <= 0x120)
		return (int)cp - 0x100;
	if (cp >= 0x121 && cp <= 0x142)
		return (int)cp - 0x121 + 0x7f;
	return cp == 0x143 ? 0xad : -1;
}

static int encode_word(struct work *w, struct slice word, struct err *e)
{
	const struct tokenizer *t = w->t;

	buf_reset(&w->text);
	w->n_sym = 0;
	for (size_t i = 0; i < word.n; i++) {
		const size_t at = w->text.n;

		utf8_put(&w->text, byte_to_cp(word.p[i]));
		if (add_symbol(w, at, w->text.n - at, e))
			return -1;
	}
	if (buf_check(&w->text, e))
		return -1;
	if (t->pre->ignore_merges) {
		const uint32_t id = map_find(&t->tokens, t->hash_key, t->text, buf_view(&w->text));

		if (id != NONE)
			return tokens_add(w->ret, id, e);
	}
	return merge_and_emit(w, e);
}

static int encode_bpe(struct work *w, struct slice s, struct err *e)
{
	struct codepoint *c = malloc((s.n + 1) * sizeof *c);
	size_t n = 0, k;
	int rc = 0;

	if (!c)
		return err_oom(e);
	for (size_t at = 0; at < s.n; n++) {
		const size_t used = utf8_next(&c[n].cp, slice_of(s.p + at, s.n - at));

		c[n].at = (uint32_t)at;
		c[n].cls = unicode_class(c[n].cp);
		at += used;
	}
	c[n].at = (uint32_t)s.n;
	for (size_t i = 0; i < n && !rc; i += k) {
		k = w->t->pre->word(c, i, n);
		rc = encode_word(w, slice_of(s.p + c[i].at, c[i + k].at - c[i].at), e);
	}
	mem_wipe(c, (s.n + 1) * sizeof *c);
	free(c);
	return rc;
}

/* --- special tokens ------------------------------------------------------------------------------------------- */

struct fragment {
	size_t at, n;
	uint32_t token;		/* NONE: text */
};
struct fragments {
	struct fragment *v;
	size_t n, cap;
};

static int add_fragment(struct fragments *f, struct fragment x, struct err *e)
{
	if (x.token == NONE && x.n == 0)
		return 0;
	if (f->n == f->cap) {
		const size_t cap = f->cap ? 2 * f->cap : 16;
		struct fragment *v = realloc(f->v, cap * sizeof *v);

		if (!v)
			return err_oom(e);
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = x;
	return 0;
}

/* Whether text [at, at + n) lies inside one part in which control tokens count. */
static bool inside_special_part(const struct text_part *parts, size_t n_parts, size_t at, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i < n_parts; start += parts[i++].text.n)
		if (at >= start && at + n <= start + parts[i].text.n)
			return parts[i].special;
	return false;
}

struct split {
	const struct tokenizer *t;
	struct slice all;
	const struct text_part *parts;
	size_t n_parts;
};

/* Splits one text fragment at each occurrence of a token that counts. */
static int split_at(struct fragments *to, const struct split *s, struct fragment f, uint32_t id, struct err *e)
{
	const struct slice tok = s->t->text[id];
	size_t pos = f.at;

	while (f.at + f.n - pos >= tok.n) {
		const uint8_t *hit = memmem(s->all.p + pos, f.at + f.n - pos, tok.p, tok.n);
		size_t at;

		if (!hit)
			break;
		at = (size_t)(hit - s->all.p);
		pos = at + 1;
		if (type_of(s->t, id) != TOK_USER && !inside_special_part(s->parts, s->n_parts, at, tok.n))
			continue;
		if (add_fragment(to, (struct fragment){ f.at, at - f.at, NONE }, e) ||
		    add_fragment(to, (struct fragment){ at, tok.n, id }, e))
			return -1;
		f.n -= at + tok.n - f.at;
		f.at = pos = at + tok.n;
	}
	return add_fragment(to, f, e);
}

static int split_specials(struct fragments *f, const struct split *s, struct err *e)
{
	struct fragments next = { 0 };

	if (add_fragment(f, (struct fragment){ 0, s->all.n, NONE }, e))
		return -1;
	for (size_t i = 0; i < s->t->n_special && f->n; i++) {
		const uint32_t id = s->t->special[i];
		const struct slice tok = s->t->text[id];
		struct fragments old = *f;

		if (tok.n > s->all.n || !memmem(s->all.p, s->all.n, tok.p, tok.n))
			continue;
		next.n = 0;
		for (size_t k = 0; k < f->n; k++) {
			const int rc = f->v[k].token == NONE ? split_at(&next, s, f->v[k], id, e) : add_fragment(&next, f->v[k], e);

			if (rc) {
				free(next.v);
				return -1;
			}
		}
		*f = next;
		next = old;
	}
	free(next.v);
	return 0;
}

static void wipe_free(struct buf *b)
{
	if (b->p)
		mem_wipe(b->p, b->cap);
	buf_free(b);
}

int tokenizer_encode(struct tokens *ret, const struct tokenizer *t, const struct text_part *parts, size_t n, bool bos, struct err *e)
{
	struct work w = { .t = t, .ret = ret };
	struct fragments f = { 0 };
	struct buf all = { .max = TOKENIZER_TEXT_MAX };
	struct split s = { .t = t, .parts = parts, .n_parts = n };
	int rc;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].text.n > TOKENIZER_TEXT_MAX - all.n) {
			wipe_free(&all);
			return err_set(e, EC_USAGE, "the text is longer than %zu bytes", TOKENIZER_TEXT_MAX);
		}
		buf_slice(&all, parts[i].text);
	}
	rc = buf_check(&all, e);
	s.all = buf_view(&all);
	if (!rc && bos && t->add_bos && t->bos != NONE)
		rc = tokens_add(ret, t->bos, e);
	if (!rc)
		rc = split_specials(&f, &s, e);
	for (size_t i = 0; i < f.n && !rc; i++) {
		const struct slice text = slice_of(all.p + f.v[i].at, f.v[i].n);

		rc = f.v[i].token != NONE ? tokens_add(ret, f.v[i].token, e) : t->bpe ? encode_bpe(&w, text, e) : encode_spm(&w, text, e);
	}
	wipe_free(&all);
	wipe_free(&w.text);
	wipe_free(&w.key);
	free(w.sym);
	free(w.heap);
	free(f.v);
	return rc;
}

void tokenizer_piece(struct buf *ret, const struct tokenizer *t, uint32_t id)
{
	struct slice s;

	if (id >= t->n)
		return;
	s = t->text[id];
	switch (type_of(t, id)) {
	case TOK_CONTROL:
		return;
	case TOK_UNKNOWN:
		utf8_put(ret, 0xfffd);
		return;
	case TOK_USER:
		buf_slice(ret, s);
		return;
	case TOK_BYTE:
		if (byte_text(s) >= 0)
			buf_byte(ret, (uint8_t)byte_text(s));
		return;
	}
	while (s.n) {
		uint32_t cp;
		const size_t used = utf8_next(&cp, s);

		if (!t->bpe && cp == 0x2581)
			buf_byte(ret, ' ');
		else if (t->bpe && cp_to_byte(cp) >= 0)
			buf_byte(ret, (uint8_t)cp_to_byte(cp));
		else
			buf_put(ret, s.p, used);
		s.p += used;
		s.n -= used;
	}
}

bool tokenizer_is_end(const struct tokenizer *t, uint32_t id)
{
	return id < t->n && (t->type[id] & TOK_IS_END);
}

size_t tokenizer_size(const struct tokenizer *t)
{
	return t->n;
}
