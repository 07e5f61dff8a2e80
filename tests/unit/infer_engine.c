/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/engine.h"

#include <fcntl.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/host.h"
#include "codec/json.h"
#include "infer/kernels.h"
#include "infer_make.h"

static const char *const kernel_names[] = { "portable", "avx2", "avx512" };

static struct engine *open_engine(int fd, const char *kernels, unsigned threads)
{
	struct engine *m = NULL;

	WORKS(engine_open(&m, fd, "model.gguf", &(const struct engine_opts){ .threads = threads, .kernels = kernels }, &e));
	return m;
}

/* NULL if the machine lacks these kernels. */
static struct engine *open_tiny(const struct tiny *o, const char *kernels, unsigned threads)
{
	AUTO_MAKING m = { 0 };
	AUTO_FD fd = -1;

	if (kernels && !kernels_get(kernels))
		return NULL;
	mk_seed(7);
	mk_tiny(&m, o);
	fd = mk_file(&m);
	return open_engine(fd, kernels, threads);
}

static int collect(void *arg, struct slice piece, struct err *e)
{
	buf_slice(arg, piece);
	return buf_check(arg, e);
}

/* --- against the reference engine ----------------------------------------------------------------------------------- */

static void check_greedy(const struct json *ref, const char *file, const char *kernels, unsigned threads)
{
	const struct json *ids = json_get(json_get(ref, file), "greedy_ids");
	const char *text = json_string(json_get(json_get(ref, file), "greedy_text"));
	AUTO_BUF got = { 0 }, name = { 0 };
	AUTO_FD fd = -1;
	struct generated g = { 0 };
	struct engine *m;
	size_t i = 0;

	if (!kernels_get(kernels))
		return;
	buf_printf(&name, "models/stories260K/%s", file);
	fd = open(vec(buf_cstr(&name)), O_RDONLY | O_CLOEXEC);
	m = open_engine(fd, kernels, threads);
	if (!m)
		return;
	WORKS(engine_generate(&g, m, &(const struct generate){ .raw = true, .max_tokens = json_count(ids) - 1, .text = collect, .arg = &got,
								.sample = { .top_p = 1, .repeat_penalty = 1 } }, &e));
	EQ(g.tokens, json_count(ids) - 1);
	for (const struct json *j = json_at(ids, 1); j && i < g.ids.n; j = json_next(j), i++) {
		uint64_t want = 0;

		if (!json_u64(j, &want) || want != g.ids.v[i]) {
			test_fail(__FILE__, __LINE__, "%s, %s: token %zu is %u, wanted %llu", file, kernels, i, g.ids.v[i],
				  (unsigned long long)want);
			break;
		}
	}
	STR(buf_cstr(&got), text);
	EQ(g.stop, STOP_LENGTH);
	EQ(g.prompt_tokens, 1);
	tokens_free(&g.ids);
	engine_free(m);
}

TEST(engine_greedy_text_equals_the_reference)
{
	static const char *const files[] = { "stories260K-f32.gguf", "stories260K-q8_0.gguf", "stories260K-q4_0.gguf" };
	AUTO_BUF text = { 0 };
	AUTO_JSON *ref = NULL;

	NEED_VECTORS;
	load_vec(&text, "models/stories260K/reference.json");
	WORKS(json_parse(&ref, buf_view(&text), text.n, &e));
	for (size_t f = 0; f < 3; f++)
		for (size_t k = 0; k < 3; k++)
			check_greedy(ref, files[f], kernel_names[k], k == 0 ? 1 : 2);
}

static void check_logits(const struct json *want, struct engine *m, const uint32_t *tokens, size_t n_tokens, double tolerance)
{
	const float *got;
	size_t n, i = 0;

	WORKS(engine_logits(&got, &n, m, tokens, n_tokens, &e));
	EQ(json_count(want), n);
	for (const struct json *j = json_first(want); j && i < n; j = json_next(j), i++) {
		double v = NAN;

		if (!json_real(j, &v) || !(fabs(v - got[i]) <= tolerance)) {
			test_fail(__FILE__, __LINE__, "%zu tokens: logit %zu is %g, wanted %g", n_tokens, i, got[i], v);
			return;
		}
	}
}

static void check_file_logits(const struct json *ref, const char *file, const char *kernels)
{
	const struct json *want = json_get(ref, file);
	AUTO_BUF name = { 0 };
	AUTO_FD fd = -1;
	uint32_t ids[40] = { 0 };
	struct engine *m;
	size_t n = 0;

	if (!kernels_get(kernels))
		return;
	for (const struct json *j = json_first(json_get(want, "greedy_ids")); j && n < 40; j = json_next(j)) {
		uint64_t v = 0;

		OK(json_u64(j, &v));
		ids[n++] = (uint32_t)v;
	}
	buf_printf(&name, "models/stories260K/%s", file);
	fd = open(vec(buf_cstr(&name)), O_RDONLY | O_CLOEXEC);
	m = open_engine(fd, kernels, 2);
	OK(json_count(json_get(want, "logits")) >= 4);
	for (const struct json *j = json_first(json_get(want, "logits")); m && j; j = json_next(j)) {
		uint64_t pos = 99;

		OK(json_u64(json_get(j, "position"), &pos) && pos < 40);
		if (pos < 40)
			check_logits(json_get(j, "logits"), m, ids, (size_t)pos + 1, 2e-3);
	}
	engine_free(m);
}

TEST(engine_logits_equal_the_double_reference)
{
	AUTO_BUF text = { 0 };
	AUTO_JSON *ref = NULL;

	NEED_VECTORS;
	load_vec(&text, "models/stories260K/reference.json");
	WORKS(json_parse(&ref, buf_view(&text), text.n, &e));
	for (size_t k = 0; k < 3; k++) {
		check_file_logits(ref, "stories260K-f32.gguf", kernel_names[k]);
		check_file_logits(ref, "stories260K-q8_0.gguf", kernel_names[k]);
		check_file_logits(ref, "stories260K-q4_0.gguf", kernel_names[k]);
	}
}

TEST(engine_k_types_equal_the_double_reference)
{
	AUTO_BUF text = { 0 };
	AUTO_JSON *ref = NULL;

	NEED_VECTORS;
	load_vec(&text, "models/kquants/logits.json");
	WORKS(json_parse(&ref, buf_view(&text), text.n, &e));
	OK(json_count(ref) >= 3);
	for (const struct json *f = json_first(ref); f; f = json_next(f)) {
		AUTO_BUF name = { 0 };
		AUTO_FD fd = -1;
		uint32_t ids[16] = { 0 };
		struct engine *m;
		size_t n = 0;

		for (const struct json *j = json_first(json_get(f, "tokens")); j && n < 16; j = json_next(j)) {
			uint64_t v = 0;

			OK(json_u64(j, &v));
			ids[n++] = (uint32_t)v;
		}
		buf_printf(&name, "models/kquants/%s", json_name(f));
		fd = open(vec(buf_cstr(&name)), O_RDONLY | O_CLOEXEC);
		m = open_engine(fd, NULL, 1);
		if (m)
			check_logits(json_get(f, "logits"), m, ids, n, 2e-3);
		engine_free(m);
	}
}

/* --- models of our own ---------------------------------------------------------------------------------------------- */

static const enum tensor_type small_types[] = { TT_F32, TT_F16, TT_BF16, TT_Q8_0, TT_Q4_0, TT_Q4_1, TT_Q5_0, TT_Q5_1 };

TEST(engine_batch_and_threads_do_not_change_a_bit)
{
	uint32_t ids[70];

	for (uint32_t i = 0; i < 70; i++)
		ids[i] = 3 + i * 31 % 256;
	for (size_t t = 0; t < sizeof small_types / sizeof small_types[0]; t++) {
		const struct tiny o = { .t = small_types[t] };
		struct engine *a = open_tiny(&o, NULL, 1), *b = open_tiny(&o, NULL, 3);
		const float *all, *one = NULL;
		float first[259];
		size_t n = 0;
		struct generated g = { 0 };

		WORKS(engine_logits(&all, &n, a, ids, 70, &e));
		EQ(n, 259);
		memcpy(first, all, sizeof first);
		WORKS(engine_logits(&one, &n, b, ids, 70, &e));
		MEM(first, one, sizeof first);
		/* 69 together and the last alone */
		WORKS(engine_generate(&g, a, &(const struct generate){ .prompt = SLICE("x"), .raw = true, .max_tokens = 0,
									.sample = SAMPLE_DEFAULTS }, &e));
		EQ(g.tokens, 0);
		tokens_free(&g.ids);
		engine_free(a);
		engine_free(b);
	}
}

TEST(engine_kernels_agree)
{
	for (size_t t = 0; t < sizeof small_types / sizeof small_types[0]; t++) {
		const uint32_t ids[] = { 1, 70, 80, 90, 100, 110 };
		const struct tiny o = { .t = small_types[t] };
		float want[259] = { 0 };

		for (size_t k = 0; k < 3; k++) {
			struct engine *m = open_tiny(&o, kernel_names[k], 1);
			const float *got;
			size_t n;

			if (!m)
				continue;
			WORKS(engine_logits(&got, &n, m, ids, 6, &e));
			for (size_t i = 0; i < 259; i++) {
				if (k == 0)
					want[i] = got[i];
				else if (!(fabsf(got[i] - want[i]) < 2e-3f))
					test_fail(__FILE__, __LINE__, "%s: logit %zu is %g, wanted %g", kernel_names[k], i, got[i], want[i]);
			}
			engine_free(m);
		}
	}
}

TEST(engine_prompt_order_matters_and_positions_count)
{
	const struct tiny o = { .t = TT_F32 };
	struct engine *m = open_tiny(&o, NULL, 1);
	const uint32_t ab[] = { 1, 70, 80, 90 }, ba[] = { 1, 80, 70, 90 };
	const float *l;
	float first[259];
	size_t n;

	WORKS(engine_logits(&l, &n, m, ab, 4, &e));
	memcpy(first, l, sizeof first);
	WORKS(engine_logits(&l, &n, m, ba, 4, &e));
	OK(memcmp(first, l, sizeof first) != 0);
	engine_free(m);
}

TEST(engine_seed_repeats_and_context_ends)
{
	const struct tiny o = { .t = TT_Q8_0 };
	AUTO_BUF a = { 0 }, b = { 0 };
	struct engine *m = open_tiny(&o, NULL, 2);
	struct generate g = { .prompt = SLICE("hello"), .raw = true, .max_tokens = 1000, .sample = SAMPLE_DEFAULTS, .text = collect, .arg = &a };
	struct generated x = { 0 }, y = { 0 };

	g.sample.seed = 5;
	g.sample.top_k = 0;
	g.sample.temperature = 3;
	WORKS(engine_generate(&x, m, &g, &e));
	g.arg = &b;
	WORKS(engine_generate(&y, m, &g, &e));
	OK(x.stop != STOP_LENGTH && x.tokens > 1 && x.tokens <= 128);
	if (x.stop == STOP_CONTEXT)
		EQ(x.prompt_tokens + x.tokens, 129);	/* the last one needs no room of its own */
	EQ(x.tokens, y.tokens);
	EQ(a.n, b.n);
	MEM(a.p, b.p, a.n);
	tokens_free(&x.ids);
	tokens_free(&y.ids);
	engine_free(m);
}

TEST(engine_prompt_has_to_fit)
{
	const struct tiny o = { .t = TT_F32 };
	struct engine *m = open_tiny(&o, NULL, 1);
	struct generated g = { 0 };
	char text[200];

	memset(text, 'x', sizeof text);
	FAILS(engine_generate(&g, m, &(const struct generate){ .prompt = slice_of(text, 130), .raw = true, .max_tokens = 1,
								.sample = SAMPLE_DEFAULTS }, &e), EC_USAGE);
	WORKS(engine_generate(&g, m, &(const struct generate){ .prompt = slice_of(text, 100), .raw = true, .max_tokens = 1,
								.sample = SAMPLE_DEFAULTS }, &e));
	tokens_free(&g.ids);
	engine_free(m);
}

TEST(engine_without_template_wants_raw)
{
	const struct tiny plain = { .t = TT_F32 }, chat = { .t = TT_F32, .chat = "{{ '<|im_start|>' }}" };
	const struct generate g = { .prompt = SLICE("x"), .max_tokens = 1, .sample = SAMPLE_DEFAULTS };
	struct engine *m = open_tiny(&plain, NULL, 1);
	struct generate named = g;
	struct generated r = { 0 };

	FAILS(engine_generate(&r, m, &g, &e), EC_ABSENT);
	named.chat = "zephyr";
	WORKS(engine_generate(&r, m, &named, &e));
	tokens_free(&r.ids);
	engine_free(m);
	m = open_tiny(&chat, NULL, 1);
	WORKS(engine_generate(&r, m, &g, &e));
	tokens_free(&r.ids);
	engine_free(m);
}

static int stop_at_once(void *arg, struct slice piece, struct err *e)
{
	(void)piece;
	++*(int *)arg;
	return err_set(e, EC_IO, "nobody listens");
}

TEST(engine_stops_when_nobody_listens)
{
	const struct tiny o = { .t = TT_F32 };
	struct engine *m = open_tiny(&o, NULL, 1);
	struct generated g = { 0 };
	int calls = 0;

	FAILS(engine_generate(&g, m, &(const struct generate){ .prompt = SLICE("x"), .raw = true, .max_tokens = 100, .text = stop_at_once,
								.arg = &calls, .sample = { .temperature = 3, .top_p = 1, .repeat_penalty = 1 } },
			      &e), EC_IO);
	EQ(calls, 1);
	engine_free(m);
}

TEST(engine_other_architectures)
{
	const struct tiny qwen2 = { .arch = "qwen2", .t = TT_F32, .bias = true }, qwen3 = { .arch = "qwen3", .t = TT_F32, .head_norms = true };
	const uint32_t ids[] = { 5, 6, 7 };
	const struct tiny *all[] = { &qwen2, &qwen3 };

	for (size_t i = 0; i < 2; i++) {
		struct engine *m = open_tiny(all[i], NULL, 1);
		struct engine_info info;
		const float *l;
		size_t n;

		WORKS(engine_logits(&l, &n, m, ids, 3, &e));
		engine_info(&info, m);
		OK(slice_eqs(info.arch, all[i]->arch));
		engine_free(m);
	}
}

/* --- refusals ---------------------------------------------------------------------------------------------------------- */

static int open_made(const struct making *m, struct err *e)
{
	struct engine *x = NULL;
	AUTO_FD fd = mk_file(m);
	const int rc = engine_open(&x, fd, "made.gguf", &(const struct engine_opts){ .threads = 1 }, e);

	engine_free(x);
	return rc;
}

TEST(engine_refuses_models_that_lack_or_add_something)
{
	static const char *const needed[] = { "blk.1.attn_v.weight", "blk.0.ffn_down.weight", "output_norm.weight", "blk.0.attn_norm.weight" };
	AUTO_MAKING good = { 0 }, more = { 0 }, arch = { 0 };
	struct err e = { 0 };

	mk_tiny(&good, &(const struct tiny){ .t = TT_F32 });
	EQ(open_made(&good, &e), 0);
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		AUTO_MAKING m = { 0 };

		mk_tiny(&m, &(const struct tiny){ .t = TT_F32, .skip = needed[i] });
		EQ(open_made(&m, &e), -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, needed[i]);
		HAS(e.msg, "made.gguf");
	}
	mk_tiny(&more, &(const struct tiny){ .t = TT_F32, .extra = "blk.0.attn_sinks" });
	EQ(open_made(&more, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "attn_sinks");
	mk_tiny(&arch, &(const struct tiny){ .arch = "mamba", .t = TT_F32 });
	EQ(open_made(&arch, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "mamba");
}

TEST(engine_refuses_what_it_would_compute_wrongly)
{
	static const struct { const char *key; uint32_t v; enum ec code; } c[] = {
		{ "llama.expert_count", 8, EC_ABSENT }, { "llama.rope.dimension_count", 15, EC_FORMAT },
		{ "llama.attention.key_length", 32, EC_FORMAT }, { "llama.rope.dimension_count", 64, EC_FORMAT },
		{ "llama.attention.value_length", 8, EC_ABSENT },
	};
	AUTO_MAKING yarn = { 0 };

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		AUTO_MAKING m = { 0 };

		mk_u32(&m, c[i].key, c[i].v);
		mk_tiny(&m, &(const struct tiny){ .t = TT_F32 });
		FAILS(open_made(&m, &e), c[i].code);
	}
	mk_str(&yarn, "llama.rope.scaling.type", "yarn");
	mk_tiny(&yarn, &(const struct tiny){ .t = TT_F32 });
	FAILS(open_made(&yarn, &e), EC_ABSENT);
}

TEST(engine_notices_numbers_that_are_none)
{
	AUTO_MAKING m = { 0 };
	AUTO_FD fd = -1;
	const uint32_t nan = 0x7fc00000, ids[] = { 1, 2 };
	struct engine *x;
	const float *l;
	size_t n;

	mk_tiny(&m, &(const struct tiny){ .t = TT_F32 });
	memcpy(m.data.p + 4 * 64 * 2 + 12, &nan, 4);	/* in the embedding of token 2 */
	fd = mk_file(&m);
	x = open_engine(fd, NULL, 1);
	WORKS(engine_logits(&l, &n, x, (const uint32_t[]){ 1, 3 }, 2, &e));
	FAILS(engine_logits(&l, &n, x, ids, 2, &e), EC_FORMAT);
	engine_free(x);
}

TEST(engine_takes_files_memory_files_and_pipes)
{
	AUTO_MAKING m = { 0 };
	AUTO_BUF b = { 0 };
	struct engine *x = NULL;
	AUTO_FD fd = -1;
	int p[2];

	mk_tiny(&m, &(const struct tiny){ .t = TT_Q8_0 });
	mk_finish(&b, &m);
	fd = memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	OK(write(fd, b.p, b.n) == (ssize_t)b.n);
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	WORKS(engine_open(&x, fd, "memory", &(const struct engine_opts){ .threads = 2 }, &e));
	engine_free(x);
	x = NULL;
	OK(pipe(p) == 0);
	if (fork() == 0) {
		close(p[0]);
		_exit(write(p[1], b.p, b.n) == (ssize_t)b.n ? 0 : 1);
	}
	close(p[1]);
	WORKS(engine_open(&x, p[0], "pipe", &(const struct engine_opts){ .threads = 1 }, &e));
	close(p[0]);
	engine_free(x);
	x = NULL;
	{
		AUTO_FD dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		FAILS(engine_open(&x, dir, "/", &(const struct engine_opts){ .threads = 1 }, &e), EC_USAGE);
		FAILS(engine_open(&x, null, "null", &(const struct engine_opts){ .threads = 1 }, &e), EC_FORMAT);
	}
	OK(x == NULL);
}

TEST(engine_context_is_at_most_what_the_model_was_made_for)
{
	AUTO_MAKING m = { 0 };
	AUTO_FD fd = -1;
	struct engine_info info;
	struct engine *x = NULL;

	mk_tiny(&m, &(const struct tiny){ .t = TT_F32 });
	fd = mk_file(&m);
	FAILS(engine_open(&x, fd, "m", &(const struct engine_opts){ .threads = 1, .ctx = 129 }, &e), EC_USAGE);
	WORKS(engine_open(&x, fd, "m", &(const struct engine_opts){ .threads = 1, .ctx = 64 }, &e));
	engine_info(&info, x);
	EQ(info.ctx, 64);
	engine_free(x);
}
