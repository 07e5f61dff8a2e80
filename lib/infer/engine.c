/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"
#include "infer/chat.h"
#include "infer/graph.h"
#include "infer/unicode.h"

#define READ_CHUNK ((size_t)4 << 20)
#define HUGE_PAGE ((size_t)2 << 20)

struct engine {
	uint8_t *map;
	size_t map_n, file_n;
	struct gguf g;
	struct tokenizer *tok;
	struct graph *graph;
	struct pool *pool;
	const struct kernels *kern;
	struct slice name, jinja;
	const struct chat_template *chat;
};

/* --- reading the file ----------------------------------------------------------------------------------------- */

struct reading {
	int fd;
	uint8_t *to;
	size_t n;
};

static int read_chunk(void *arg, size_t i, unsigned worker, struct err *e)
{
	const struct reading *r = arg;
	size_t at = i * READ_CHUNK;
	const size_t end = r->n - at < READ_CHUNK ? r->n : at + READ_CHUNK;

	(void)worker;
	while (at < end) {
		const ssize_t got = pread(r->fd, r->to + at, end - at, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, EC_IO, "cannot read at byte %zu", at);
		if (got == 0)
			return err_set(e, EC_FORMAT, "the file shrank to %zu bytes while it was read", at);
		at += (size_t)got;
	}
	return 0;
}

/* Anonymous memory in large pages where the system has them (a weight is read once a token: page walks would show). */
static uint8_t *map_anonymous(size_t n, struct err *e)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		err_sys(e, EC_IO, "cannot reserve %zu bytes for the model", n);
		return NULL;
	}
	madvise(p, n, MADV_DONTDUMP);
	madvise(p, n, MADV_HUGEPAGE);
	return p;
}

static bool sealed(int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) == (F_SEAL_WRITE | F_SEAL_SHRINK);
}

static int read_regular(struct engine *m, int fd, size_t size, struct err *e)
{
	struct reading r = { .fd = fd, .n = size };

	m->map_n = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	m->map = r.to = map_anonymous(m->map_n, e);
	m->file_n = size;
	return m->map ? pool_run(m->pool, (size + READ_CHUNK - 1) / READ_CHUNK, read_chunk, &r, e) : -1;
}

/* Pipes: nobody knows the size, so the memory grows by half each time. */
static int read_stream(struct engine *m, int fd, struct err *e)
{
	m->map_n = 16 * HUGE_PAGE;
	m->map = map_anonymous(m->map_n, e);
	while (m->map) {
		const ssize_t got = read(fd, m->map + m->file_n, m->map_n - m->file_n);
		void *p;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, EC_IO, "cannot read");
		if (got == 0)
			return 0;
		m->file_n += (size_t)got;
		if (m->file_n < m->map_n)
			continue;
		p = mremap(m->map, m->map_n, m->map_n + (m->map_n / 2 & ~(HUGE_PAGE - 1)), MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			return err_sys(e, EC_IO, "cannot reserve %zu bytes for the model", m->map_n / 2 * 3);
		m->map = p;
		m->map_n += m->map_n / 2 & ~(HUGE_PAGE - 1);
	}
	return -1;
}

static int read_model(struct engine *m, int fd, struct err *e)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st))
		return err_sys(e, EC_IO, "cannot examine");
	if (S_ISDIR(st.st_mode))
		return err_set(e, EC_USAGE, "it is a directory: the built-in engine takes one GGUF file");
	if (!S_ISREG(st.st_mode))
		return read_stream(m, fd, e);
	if (st.st_size < 24)
		return err_set(e, EC_FORMAT, "it has %lld bytes: not a GGUF file", (long long)st.st_size);
	if (!sealed(fd))
		return read_regular(m, fd, (size_t)st.st_size, e);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, EC_IO, "cannot map");
	m->map = p;
	m->map_n = m->file_n = (size_t)st.st_size;
	madvise(p, m->map_n, MADV_DONTDUMP);
	return 0;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static int open_parts(struct engine *m, int fd, const struct engine_opts *o, struct err *e)
{
	m->kern = kernels_get(o->kernels);
	if (!m->kern)
		return err_set(e, EC_ABSENT, "this CPU or build has no kernels '%s'", o->kernels);
	if (pool_new(&m->pool, o->threads, e) || read_model(m, fd, e) || gguf_parse(&m->g, slice_of(m->map, m->file_n), e) ||
	    graph_open(&m->graph, &m->g, o->ctx, m->pool, m->kern, e) || tokenizer_open(&m->tok, &m->g, e) ||
	    gguf_str(&m->name, &m->g, "general.name", e) || gguf_str(&m->jinja, &m->g, "tokenizer.chat_template", e))
		return -1;
	if (tokenizer_size(m->tok) != graph_info(m->graph)->vocab)
		return err_set(e, EC_FORMAT, "the vocabulary has %zu tokens, the weights have %zu", tokenizer_size(m->tok),
			       graph_info(m->graph)->vocab);
	m->chat = chat_recognise(m->jinja);
	return 0;
}

int engine_open(struct engine **ret, int fd, const char *what, const struct engine_opts *o, struct err *e)
{
	struct engine *m = calloc(1, sizeof *m);

	if (!m)
		return err_oom(e);
	if (open_parts(m, fd, o, e)) {
		engine_free(m);
		return err_ctx(e, "cannot load model '%s'", what);
	}
	*ret = m;
	return 0;
}

void engine_free(struct engine *m)
{
	if (!m)
		return;
	graph_free(m->graph);
	tokenizer_free(m->tok);
	gguf_free(&m->g);
	pool_free(m->pool);
	if (m->map)
		munmap(m->map, m->map_n);
	free(m);
}

void engine_info(struct engine_info *ret, const struct engine *m)
{
	const struct graph_info *g = graph_info(m->graph);

	*ret = (struct engine_info){
		.arch = g->arch, .name = m->name, .chat = m->chat ? chat_name(m->chat) : NULL, .kernels = m->kern->name,
		.threads = pool_size(m->pool), .ctx = g->ctx, .vocab = g->vocab, .layers = g->layers,
		.parameters = g->parameters, .weight_bytes = g->weight_bytes,
	};
}

const struct tokenizer *engine_tokenizer(const struct engine *m)
{
	return m->tok;
}

int engine_logits(const float **ret, size_t *n, struct engine *m, const uint32_t *tokens, size_t n_tokens, struct err *e)
{
	size_t pos = 0;

	*n = graph_info(m->graph)->vocab;
	return graph_run(ret, m->graph, &pos, tokens, n_tokens, e);
}

/* --- generating --------------------------------------------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

const char *stop_name(enum stop_reason r)
{
	return r == STOP_END ? "stop" : r == STOP_LENGTH ? "length" : "context";
}

static double rate(double n, double s)
{
	return n > 0 && s > 0 ? n / s : 0;
}

double generated_prompt_rate(const struct generated *g)
{
	return rate((double)g->prompt_tokens, g->prompt_s);
}

double generated_rate(const struct generated *g)
{
	return rate((double)g->tokens - 1, g->gen_s);
}

static int prompt_tokens(struct tokens *ret, const struct engine *m, const struct generate *g, struct err *e)
{
	struct text_part parts[CHAT_PARTS_MAX] = { { g->prompt, false } };
	const struct chat_template *chat = g->chat ? chat_by_name(g->chat) : m->chat;
	size_t n = 1;

	if (!g->raw && g->chat && !chat)
		return err_set(e, EC_USAGE, "unknown chat template '%s'", g->chat);
	if (!g->raw && !chat) {
		err_set(e, EC_ABSENT, m->jinja.n ? "the model's chat template is not one that is known" : "the model has no chat template");
		return err_hint(e, "--chat-template NAME picks one, --raw continues the prompt as it stands");
	}
	if (!g->raw)
		n = chat_render(parts, chat, g->sys ? slice_str(g->sys) : chat_default_system(chat, m->jinja), g->prompt);
	if (tokenizer_encode(ret, m->tok, parts, n, true, e))
		return -1;
	if (ret->n == 0)
		return err_set(e, EC_USAGE, "the prompt is empty");
	return 0;
}

/* Hands out whole characters; what may still grow stays in the buffer (unless it is the end). */
static int give_text(struct buf *pending, const struct generate *g, bool last, struct err *e)
{
	const struct slice all = buf_view(pending);
	const size_t n = last ? all.n : utf8_whole(all);
	int rc = 0;

	if (buf_check(pending, e))
		return -1;
	if (n && g->text)
		rc = g->text(g->arg, slice_of(all.p, n), e);
	if (n) {
		memmove(pending->p, pending->p + n, all.n - n);
		pending->n = all.n - n;
	}
	return rc;
}

struct run {
	struct engine *m;
	const struct generate *g;
	struct generated *out;
	struct sampler *sampler;
	struct tokens history;
	struct buf pending;
	size_t pos;
};

static int generate_loop(struct run *r, const float *logits, struct err *e)
{
	const size_t ctx = graph_info(r->m->graph)->ctx;
	uint32_t id;

	for (;;) {
		double start;
		int rc;

		if (r->out->tokens >= r->g->max_tokens) {
			r->out->stop = STOP_LENGTH;
			return 0;
		}
		if (sampler_next(&id, r->sampler, logits, r->history.v, r->history.n, e))
			return -1;
		if (tokenizer_is_end(r->m->tok, id)) {
			r->out->stop = STOP_END;
			return 0;
		}
		r->out->tokens++;
		tokenizer_piece(&r->pending, r->m->tok, id);
		if (tokens_add(&r->history, id, e) || tokens_add(&r->out->ids, id, e))
			return -1;
		rc = give_text(&r->pending, r->g, false, e);
		if (rc)
			return rc;
		if (r->pos == ctx) {
			r->out->stop = STOP_CONTEXT;
			return 0;
		}
		if (r->out->tokens >= r->g->max_tokens)
			continue;	/* its successor is not wanted */
		start = seconds();
		if (graph_run(&logits, r->m->graph, &r->pos, &id, 1, e))
			return -1;
		r->out->gen_s += seconds() - start;
	}
}

static int run_prompt(struct run *r, struct err *e)
{
	const size_t ctx = graph_info(r->m->graph)->ctx;
	const float *logits;
	double start;
	int rc;

	if (r->history.n > ctx) {
		err_set(e, EC_USAGE, "the prompt has %zu tokens, the context holds %zu", r->history.n, ctx);
		return err_hint(e, "--ctx sets the size of the context, up to what the model was made for");
	}
	start = seconds();
	if (graph_run(&logits, r->m->graph, &r->pos, r->history.v, r->history.n, e))
		return -1;
	r->out->prompt_s = seconds() - start;
	r->out->prompt_tokens = r->history.n;
	rc = generate_loop(r, logits, e);
	return rc ? rc : give_text(&r->pending, r->g, true, e);
}

int engine_generate(struct generated *ret, struct engine *m, const struct generate *g, struct err *e)
{
	struct generated out = { .stop = STOP_LENGTH };
	struct run r = { .m = m, .g = g, .out = &out };
	int rc = prompt_tokens(&r.history, m, g, e);

	if (!rc)
		rc = sampler_new(&r.sampler, &g->sample, graph_info(m->graph)->vocab, e);
	if (!rc)
		rc = run_prompt(&r, e);
	sampler_free(r.sampler);
	tokens_free(&r.history);
	if (r.pending.p)
		mem_wipe(r.pending.p, r.pending.cap);
	buf_free(&r.pending);
	if (rc) {
		tokens_free(&out.ids);
		return rc;
	}
	*ret = out;
	return 0;
}

static int bench_once(double *pp_s, double *tg_s, struct engine *m, size_t pp, size_t tg, struct err *e)
{
	const size_t vocab = graph_info(m->graph)->vocab;
	AUTO_TOKENS t = { 0 };
	const float *logits;
	size_t pos = 0;
	double start;

	for (size_t i = 0; i < pp; i++)
		if (tokens_add(&t, (uint32_t)(i * 7919 % vocab), e))
			return -1;
	start = seconds();
	if (graph_run(&logits, m->graph, &pos, t.v, t.n, e))
		return -1;
	*pp_s = seconds() - start;
	start = seconds();
	for (size_t i = 0; i < tg; i++) {
		const uint32_t id = (uint32_t)(i * 6007 % vocab);

		if (graph_run(&logits, m->graph, &pos, &id, 1, e))
			return -1;
	}
	*tg_s = seconds() - start;
	return 0;
}

int engine_bench(double *pp_rate, double *tg_rate, struct engine *m, size_t pp, size_t tg, unsigned runs, struct err *e)
{
	double pp_s, tg_s, best_pp = 0, best_tg = 0;

	if (pp == 0 || tg == 0 || runs == 0)
		return err_set(e, EC_USAGE, "a measurement needs at least one token and one run");
	if (bench_once(&pp_s, &tg_s, m, pp < 32 ? pp : 32, tg < 4 ? tg : 4, e))	/* warms caches, not counted */
		return -1;
	for (unsigned i = 0; i < runs; i++) {
		if (bench_once(&pp_s, &tg_s, m, pp, tg, e))
			return -1;
		best_pp = fmax(best_pp, rate((double)pp, pp_s));
		best_tg = fmax(best_tg, rate((double)tg, tg_s));
	}
	*pp_rate = best_pp;
	*tg_rate = best_tg;
	return 0;
}
