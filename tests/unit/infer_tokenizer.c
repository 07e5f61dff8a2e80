/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/tokenizer.h"

#include "codec/inflate.h"
#include "codec/json.h"
#include "infer/chat.h"
#include "infer/unicode.h"
#include "infer_make.h"

struct vocab {
	struct buf file;
	struct gguf g;
	struct tokenizer *t;
};

static void vocab_free(struct vocab *v)
{
	tokenizer_free(v->t);
	gguf_free(&v->g);
	buf_free(&v->file);
}
#define AUTO_VOCAB __attribute__((cleanup(vocab_free))) struct vocab

static int put(void *arg, struct slice out, struct err *e)
{
	buf_slice(arg, out);
	return buf_check(arg, e);
}

static int gunzip(struct buf *ret, struct slice in, struct err *e)
{
	AUTO_INFLATE f = { 0 };

	return inflate_init(&f, &(const struct inflate_limits){ .max_out = ret->max, .max_ratio = 1000 }, put, ret, e) ||
	       inflate_add(&f, in, e) || inflate_end(&f, e) ? -1 : 0;
}

static void vocab_open(struct vocab *v, const char *name)
{
	const size_t n = strlen(name);
	AUTO_BUF raw = { 0 };

	load_vec(&raw, name);
	if (n > 3 && !strcmp(name + n - 3, ".gz")) {
		v->file.max = (size_t)64 << 20;
		WORKS(gunzip(&v->file, buf_view(&raw), &e));
	} else {
		buf_move(&v->file, &raw);
	}
	WORKS(gguf_parse(&v->g, buf_view(&v->file), &e));
	WORKS(tokenizer_open(&v->t, &v->g, &e));
}

static void check_ids(const struct tokenizer *t, struct slice text, bool special, bool bos, const uint64_t *want, size_t n)
{
	AUTO_TOKENS got = { 0 };
	bool same;

	WORKS(tokenizer_encode(&got, t, &(const struct text_part){ text, special }, 1, bos, &e));
	same = got.n == n;
	for (size_t i = 0; i < n && same; i++)
		same = got.v[i] == want[i];
	if (!same)
		test_fail(__FILE__, __LINE__, "'%.*s': other ids than the peer (%zu, wanted %zu)", (int)text.n, text.p, got.n, n);
}

/* Plain text comes back as it was. */
static void check_back(const struct tokenizer *t, struct slice text)
{
	AUTO_TOKENS ids = { 0 };
	AUTO_BUF back = { 0 };

	WORKS(tokenizer_encode(&ids, t, &(const struct text_part){ text, false }, 1, false, &e));
	for (size_t i = 0; i < ids.n; i++)
		tokenizer_piece(&back, t, ids.v[i]);
	EQ(back.n, text.n);
	if (back.n == text.n && text.n)
		MEM(back.p, text.p, text.n);
}

static struct slice next_text(struct slice *left)
{
	static const char mark[] = "\n__ggml_vocab_test__\n";
	const uint8_t *p = memmem(left->p, left->n, mark, sizeof mark - 1);
	const struct slice text = { left->p, p ? (size_t)(p - left->p) : left->n };

	*left = p ? slice_of(p + sizeof mark - 1, left->n - text.n - (sizeof mark - 1)) : slice_of(NULL, 0);
	return text;
}

static size_t numbers(uint64_t *ret, size_t max, struct slice line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n;) {
		uint64_t v = 0;

		while (i < line.n && line.p[i] == ' ')
			i++;
		if (i == line.n)
			break;
		for (; i < line.n && line.p[i] >= '0' && line.p[i] <= '9'; i++)
			v = v * 10 + (uint64_t)(line.p[i] - '0');
		if (n < max)
			ret[n++] = v;
	}
	return n;
}

static void check_lists(const char *vocab, const char *inp, const char *out)
{
	AUTO_VOCAB v = { 0 };
	AUTO_BUF texts = { 0 }, lines = { 0 };
	struct slice left, rest;
	size_t count = 0;

	vocab_open(&v, vocab);
	load_vec(&texts, inp);
	load_vec(&lines, out);
	left = buf_view(&texts);
	rest = buf_view(&lines);
	while (left.n && !test_failed()) {
		const struct slice text = next_text(&left);
		const uint8_t *nl = memchr(rest.p, '\n', rest.n);
		const struct slice line = { rest.p, nl ? (size_t)(nl - rest.p) : rest.n };
		uint64_t want[512];

		check_ids(v.t, text, false, false, want, numbers(want, 512, line));
		check_back(v.t, text);
		rest = nl ? slice_of(nl + 1, rest.n - line.n - 1) : slice_of(NULL, 0);
		count++;
	}
	OK(count >= 40);
}

TEST(tokenizer_gpt2_equals_the_peer)
{
	NEED_VECTORS;
	check_lists("models/vocab/ggml-vocab-gpt-2.gguf.gz", "models/vocab/ggml-vocab-gpt-2.gguf.inp", "models/vocab/ggml-vocab-gpt-2.gguf.out");
}

TEST(tokenizer_qwen_equals_the_peer)
{
	NEED_VECTORS;
	check_lists("models/vocab/vocab-qwen3.gguf.gz", "models/vocab/ggml-vocab-qwen2.gguf.inp", "models/vocab/ggml-vocab-qwen2.gguf.out");
}

static size_t check_cases(const struct tokenizer *t, const struct json *cases)
{
	size_t count = 0;

	for (const struct json *c = json_first(cases); c; c = json_next(c), count++) {
		uint64_t want[512];
		size_t n = 0;

		for (const struct json *i = json_first(json_get(c, "ids")); i && n < 512; i = json_next(i))
			OK(json_u64(i, &want[n++]));
		check_ids(t, slice_str(json_string(json_get(c, "text"))), json_true(json_get(c, "parse_special")),
			  json_true(json_get(c, "add_bos")), want, n);
	}
	return count;
}

static void check_extra(const char *vocab, const char *name)
{
	AUTO_VOCAB v = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_JSON *all = NULL;

	vocab_open(&v, vocab);
	load_vec(&text, "models/vocab/extra-tokens.json");
	WORKS(json_parse(&all, buf_view(&text), text.n, &e));
	OK(check_cases(v.t, json_get(all, name)) >= 8);
}

TEST(tokenizer_extra_texts_equal_the_peer)
{
	NEED_VECTORS;
	check_extra("models/vocab/ggml-vocab-gpt-2.gguf.gz", "ggml-vocab-gpt-2.gguf");
	check_extra("models/vocab/vocab-qwen3.gguf.gz", "vocab-qwen3.gguf");
}

TEST(tokenizer_spm_equals_the_peer)
{
	AUTO_VOCAB v = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_JSON *all = NULL;

	NEED_VECTORS;
	vocab_open(&v, "models/stories260K/stories260K-f32.gguf");
	load_vec(&text, "models/stories260K/tokens.json");
	WORKS(json_parse(&all, buf_view(&text), text.n, &e));
	OK(check_cases(v.t, all) >= 7);
}

/* --- vocabularies of our own ------------------------------------------------------------------------------------ */

static void own(struct vocab *v, const struct making *m)
{
	mk_finish(&v->file, m);
	WORKS(gguf_parse(&v->g, buf_view(&v->file), &e));
	WORKS(tokenizer_open(&v->t, &v->g, &e));
}

static void types(struct making *m, const uint32_t *t, size_t n)
{
	mk_key(m, "tokenizer.ggml.token_type", GGUF_ARRAY);
	buf_le32(&m->kv, GGUF_I32);
	buf_le64(&m->kv, n);
	for (size_t i = 0; i < n; i++)
		buf_le32(&m->kv, t[i]);
}

static void bpe(struct making *m, const char *pre)
{
	static const char *const tok[] = { "a", "b", "c", "\xc4\xa0", "ab", "abc", ("\xc4\xa0" "a"), "<|x|>", "bc", "<|im_end|>", "<", "|", "x", ">", "1" };
	static const char *const merge[] = { "b c", "a b", "a bc", "\xc4\xa0 a" };
	static const uint32_t type[] = { 1, 1, 1, 1, 1, 1, 1, 3, 1, 3, 1, 1, 1, 1, 1 };

	mk_str(m, "tokenizer.ggml.model", "gpt2");
	if (pre)
		mk_str(m, "tokenizer.ggml.pre", pre);
	mk_strs(m, "tokenizer.ggml.tokens", tok, 15);
	mk_strs(m, "tokenizer.ggml.merges", merge, 4);
	types(m, type, 15);
}

TEST(tokenizer_merges_by_rank)
{
	AUTO_MAKING m = { 0 };
	AUTO_VOCAB v = { 0 };

	bpe(&m, "gpt-2");
	own(&v, &m);
	check_ids(v.t, SLICE("abc"), false, false, (const uint64_t[]){ 5 }, 1);
	check_ids(v.t, SLICE("ab"), false, false, (const uint64_t[]){ 4 }, 1);
	check_ids(v.t, SLICE("bab"), false, false, (const uint64_t[]){ 1, 4 }, 2);
	check_ids(v.t, SLICE("c ab"), false, false, (const uint64_t[]){ 2, 3, 4 }, 3);
	check_ids(v.t, SLICE(""), false, false, NULL, 0);
}

TEST(tokenizer_user_text_never_becomes_a_control_token)
{
	AUTO_MAKING m = { 0 };
	AUTO_VOCAB v = { 0 };
	AUTO_TOKENS got = { 0 };
	const struct text_part parts[] = { { SLICE("a<|x|>"), true }, { SLICE("<|x|>b"), false }, { SLICE("|>"), true } };
	const struct text_part joined[] = { { SLICE("<|x"), false }, { SLICE("|>a"), true } };

	bpe(&m, "llama-bpe");	/* takes whole words that are tokens */
	own(&v, &m);
	check_ids(v.t, SLICE("<|x|>"), true, false, (const uint64_t[]){ 7 }, 1);
	check_ids(v.t, SLICE("<|x|>"), false, false, (const uint64_t[]){ 10, 11, 12, 11, 13 }, 5);
	WORKS(tokenizer_encode(&got, v.t, parts, 3, false, &e));
	EQ(got.n, 2 + 5 + 1 + 2);
	OK(got.v[1] == 7);
	for (size_t i = 2; i < got.n; i++)
		OK(got.v[i] != 7);
	got.n = 0;
	WORKS(tokenizer_encode(&got, v.t, joined, 2, false, &e));	/* half of it came from the user */
	for (size_t i = 0; i < got.n; i++)
		OK(got.v[i] != 7);
}

static void spm(struct making *m)
{
	static const char *const tok[] = { "<unk>", "<s>", "</s>", "<0x41>", "\xe2\x96\x81", "</", "s>", "<", "/", "s", ">", "a", ("\xe2\x96\x81" "a") };
	static const uint32_t type[] = { 2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 1, 4 };

	mk_str(m, "tokenizer.ggml.model", "llama");
	mk_strs(m, "tokenizer.ggml.tokens", tok, 13);
	mk_key(m, "tokenizer.ggml.scores", GGUF_ARRAY);
	buf_le32(&m->kv, GGUF_F32);
	buf_le64(&m->kv, 13);
	buf_fill(&m->kv, 0, 52);
	types(m, type, 13);
}

TEST(tokenizer_merging_does_not_build_control_tokens_from_text)
{
	AUTO_MAKING m = { 0 };
	AUTO_VOCAB v = { 0 };

	spm(&m);
	own(&v, &m);
	check_ids(v.t, SLICE("</s>"), false, true, (const uint64_t[]){ 1, 4, 5, 6 }, 4);
	check_ids(v.t, SLICE("</s>"), true, true, (const uint64_t[]){ 1, 2 }, 2);
}

TEST(tokenizer_bytes_and_unknown)
{
	AUTO_MAKING m = { 0 };
	AUTO_VOCAB v = { 0 };
	AUTO_BUF b = { 0 };

	spm(&m);
	own(&v, &m);
	check_ids(v.t, SLICE("A"), false, false, (const uint64_t[]){ 4, 3 }, 2);
	check_ids(v.t, SLICE("B"), false, false, (const uint64_t[]){ 4, 0 }, 2);
	check_ids(v.t, SLICE("\xff"), false, false, (const uint64_t[]){ 4, 0 }, 2);
	tokenizer_piece(&b, v.t, 3);
	tokenizer_piece(&b, v.t, 4);
	tokenizer_piece(&b, v.t, 2);
	tokenizer_piece(&b, v.t, 999);
	STR(buf_cstr(&b), "A ");
	OK(tokenizer_is_end(v.t, 2) && !tokenizer_is_end(v.t, 1) && !tokenizer_is_end(v.t, 999));
}

static int open_own(const struct making *m, struct err *e)
{
	AUTO_VOCAB v = { 0 };

	mk_finish(&v.file, m);
	return gguf_parse(&v.g, buf_view(&v.file), e) || tokenizer_open(&v.t, &v.g, e) ? -1 : 0;
}

TEST(tokenizer_refuses_by_name_what_it_does_not_know)
{
	AUTO_MAKING unknown = { 0 }, none = { 0 }, known = { 0 }, wpm = { 0 }, nothing = { 0 };
	struct err e = { 0 };

	bpe(&unknown, "tekken");
	EQ(open_own(&unknown, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "tekken");
	bpe(&none, NULL);
	EQ(open_own(&none, &e), -1);
	bpe(&known, "smollm");
	EQ(open_own(&known, &e), 0);
	mk_str(&wpm, "tokenizer.ggml.model", "bert");
	EQ(open_own(&wpm, &e), -1);
	HAS(e.msg, "bert");
	EQ(open_own(&nothing, &e), -1);
	EQ(e.code, EC_FORMAT);
}

TEST(tokenizer_refuses_vocabularies_that_do_not_fit_together)
{
	static const uint32_t seven[15] = { 7 }, plain[15] = { 1, 1, 1, 1, 1, 1, 1, 3, 1, 3, 1, 1, 1, 1, 1 };

	for (int i = 0; i < 4; i++) {
		AUTO_MAKING m = { 0 };
		struct err e = { 0 };
		static const char *const tok[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o" };

		mk_str(&m, "tokenizer.ggml.model", "gpt2");
		mk_str(&m, "tokenizer.ggml.pre", "gpt-2");
		mk_strs(&m, "tokenizer.ggml.tokens", tok, 15);
		if (i != 3)
			mk_strs(&m, "tokenizer.ggml.merges", tok, 0);
		types(&m, i == 1 ? seven : plain, i == 2 ? 14 : 15);
		mk_u32(&m, "tokenizer.ggml.eos_token_id", 14);
		EQ(open_own(&m, &e), i ? -1 : 0);
		if (i == 0) {
			mk_u32(&m, "tokenizer.ggml.bos_token_id", 15);
			FAILS(open_own(&m, &e), EC_FORMAT);
		}
	}
}

TEST(tokenizer_text_has_a_maximum)
{
	AUTO_MAKING m = { 0 };
	AUTO_VOCAB v = { 0 };
	AUTO_TOKENS t = { 0 };
	uint8_t *p = calloc(1, TOKENIZER_TEXT_MAX + 1);

	spm(&m);
	own(&v, &m);
	FAILS(tokenizer_encode(&t, v.t, &(const struct text_part){ slice_of(p, TOKENIZER_TEXT_MAX + 1), false }, 1, false, &e), EC_USAGE);
	EQ(t.n, 0);
	free(p);
}

/* --- UTF-8, classes ---------------------------------------------------------------------------------------------- */

TEST(utf8_is_strict)
{
	static const struct { const char *s; size_t n, used; uint32_t cp; } c[] = {
		{ "A", 1, 1, 'A' }, { "\xc3\xa9", 2, 2, 0xe9 }, { "\xe2\x82\xac", 3, 3, 0x20ac }, { "\xf0\x9f\x98\x80", 4, 4, 0x1f600 },
		{ "\xc0\x80", 2, 1, 0xfffd }, { "\xe0\x80\x80", 3, 1, 0xfffd }, { "\xed\xa0\x80", 3, 1, 0xfffd },
		{ "\xf4\x90\x80\x80", 4, 1, 0xfffd }, { "\xe2\x82", 2, 1, 0xfffd }, { "\x80", 1, 1, 0xfffd }, { "\xff", 1, 1, 0xfffd },
	};

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		uint32_t cp = 0;

		EQ(utf8_next(&cp, slice_of(c[i].s, c[i].n)), c[i].used);
		EQ(cp, c[i].cp);
	}
}

TEST(utf8_streaming_keeps_back_the_unfinished)
{
	EQ(utf8_whole(SLICE("ab")), 2);
	EQ(utf8_whole(SLICE("a\xe2")), 1);
	EQ(utf8_whole(SLICE("a\xe2\x82")), 1);
	EQ(utf8_whole(SLICE("a\xe2\x82\xac")), 4);
	EQ(utf8_whole(SLICE("\xf0\x9f\x98")), 0);
	EQ(utf8_whole(SLICE("\x80\x80\x80\x80")), 4);	/* will never be anything */
	EQ(utf8_whole(SLICE("a\xff")), 2);
	EQ(utf8_whole(SLICE("")), 0);
}

TEST(unicode_classes)
{
	EQ(unicode_class('a'), UNI_LETTER);
	EQ(unicode_class('7'), UNI_NUMBER);
	EQ(unicode_class('\n'), UNI_SPACE);
	EQ(unicode_class('_'), 0);
	EQ(unicode_class(0xe9), UNI_LETTER);
	EQ(unicode_class(0xb2), UNI_NUMBER);
	EQ(unicode_class(0xa0), UNI_SPACE);
	EQ(unicode_class(0x3000), UNI_SPACE);
	EQ(unicode_class(0x200b), 0);
	EQ(unicode_class(0x4e00), UNI_LETTER);
	EQ(unicode_class(0x10ffff), 0);
}

/* --- chat templates ----------------------------------------------------------------------------------------------- */

TEST(chat_templates_are_recognised)
{
	static const struct { const char *jinja, *name; } c[] = {
		{ "{{ '<|im_start|>' + role }}", "chatml" }, { "<|im_start|> <|im_sep|>", "phi4" }, { "[INST] <<SYS>>", "llama2" },
		{ "[INST]", "mistral" }, { "<|assistant|> <|end|>", "phi3" }, { "<|user|> <|endoftext|>", "zephyr" },
		{ "<start_of_turn>", "gemma" }, { "<|start_header_id|> <|end_header_id|>", "llama3" },
	};

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		const struct chat_template *t = chat_recognise(slice_str(c[i].jinja));

		OK(t && chat_by_name(c[i].name) == t);
		if (t)
			STR(chat_name(t), c[i].name);
	}
	OK(chat_recognise(SLICE("### User:")) == NULL && chat_recognise(SLICE("")) == NULL && chat_by_name("x") == NULL);
	for (size_t i = 0; chat_names[i]; i++)
		OK(chat_by_name(chat_names[i]) != NULL);
}

static void rendered(struct buf *ret, const char *name, const char *sys, const char *user)
{
	struct text_part p[CHAT_PARTS_MAX];
	const size_t n = chat_render(p, chat_by_name(name), slice_str(sys), slice_str(user));

	buf_reset(ret);
	for (size_t i = 0; i < n; i++) {
		OK(p[i].special != (p[i].text.p == (const uint8_t *)user || p[i].text.p == (const uint8_t *)sys));
		buf_slice(ret, p[i].text);
	}
}

TEST(chat_renders_system_and_user)
{
	AUTO_BUF b = { 0 };

	rendered(&b, "chatml", "S", "U");
	STR(buf_cstr(&b), "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n");
	rendered(&b, "chatml", "", "U");
	STR(buf_cstr(&b), "<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n");
	rendered(&b, "gemma", "S", "U");
	STR(buf_cstr(&b), "<start_of_turn>user\nS\n\nU<end_of_turn>\n<start_of_turn>model\n");
	rendered(&b, "llama2", "S", "U");
	STR(buf_cstr(&b), "[INST] <<SYS>>\nS\n<</SYS>>\n\nU [/INST]");
	rendered(&b, "llama3", "", "U");
	STR(buf_cstr(&b), "<|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(chat_default_system_only_if_written_out)
{
	const struct chat_template *t = chat_by_name("chatml");

	OK(slice_eqs(chat_default_system(t, SLICE("{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}")), "Be kind."));
	OK(slice_eqs(chat_default_system(t, SLICE("'<|im_start|>system\\nBe kind.<|im_end|>\\n'")), "Be kind."));
	EQ(chat_default_system(t, SLICE("'<|im_start|>system\n' + x + '<|im_end|>'")).n, 0);
	EQ(chat_default_system(t, SLICE("'<|im_start|>' + role")).n, 0);
	EQ(chat_default_system(t, SLICE("<|im_start|>system\nnever ends")).n, 0);
}
