/* SPDX-License-Identifier: Apache-2.0 */
/* Names and formulas: inference.md 2 and 3.  Keys and values are kept as floats, [layer][kv head][position][head size]. */
#include "infer/graph.h"

#include <math.h>
#include <sys/mman.h>

#define DEFAULT_CTX 4096

struct layer {
	float *attn_norm, *ffn_norm;
	float *bq, *bk, *bv;		/* NULL: no bias */
	float *q_norm, *k_norm;		/* NULL: none; head size each */
	struct matrix q, k, v, o, gate, up, down;
};

struct graph {
	struct graph_info info;
	size_t d, f, heads, kv_heads, hd, rot;
	float eps;
	double freq_base, freq_factor;	/* linear scaling: angles are divided by freq_factor */
	float *rope_div;		/* rot/2 divisors, NULL: none */
	bool half_split;		/* RoPE pairs (i, i + rot/2) instead of (2i, 2i+1) */
	struct matrix embd, out;
	float *out_norm;
	struct layer *layer;

	struct pool *pool;
	const struct kernels *kern;
	float *keys, *values;
	size_t cache_bytes;		/* each */

	/* work space for GRAPH_BATCH columns */
	float *x, *q, *k, *v, *att, *h, *up, *logits, *scores, *scratch, *cos, *sin;
	struct act a_norm, a_att, a_h, a_out;
	size_t scratch_n;

	/* the run in progress */
	const struct layer *l;
	size_t il, cols, pos;
	bool bad[GRAPH_BATCH];
};

/* --- loading ------------------------------------------------------------------------------------------------ */

struct loader {
	struct graph *m;
	const struct gguf *g;
	const char *arch;
	bool *used;			/* per tensor */
};

static int key_uint(uint64_t *ret, const struct loader *ld, const char *name, bool need, uint64_t min, uint64_t max, struct err *e)
{
	char key[160];
	bool found;

	snprintf(key, sizeof key, "%s.%s", ld->arch, name);
	if (gguf_uint(ret, &found, ld->g, key, e))
		return -1;
	if (need && !found)
		return err_set(e, EC_FORMAT, "metadata key '%s' is missing", key);
	if (found && (*ret < min || *ret > max))
		return err_set(e, EC_FORMAT, "'%s' is %llu, wanted %llu to %llu", key, (unsigned long long)*ret, (unsigned long long)min,
			       (unsigned long long)max);
	return 0;
}

static int key_real(double *ret, const struct loader *ld, const char *name, bool need, struct err *e)
{
	char key[160];
	bool found;

	snprintf(key, sizeof key, "%s.%s", ld->arch, name);
	if (gguf_real(ret, &found, ld->g, key, e))
		return -1;
	if (need && !found)
		return err_set(e, EC_FORMAT, "metadata key '%s' is missing", key);
	if (found && !(*ret > 0))
		return err_set(e, EC_FORMAT, "'%s' is %g, wanted more than 0", key, *ret);
	return 0;
}

static const struct gguf_tensor *take(struct loader *ld, const char *name)
{
	const struct gguf_tensor *t = gguf_tensor(ld->g, name);

	if (t)
		ld->used[t - ld->g->tensors] = true;
	return t;
}

static int dims_are(const struct gguf_tensor *t, uint64_t k, uint64_t n, struct err *e)
{
	if (t->dim[0] == k && t->dim[1] == n && t->dim[2] == 1 && t->dim[3] == 1)
		return 0;
	return err_set(e, EC_FORMAT, "tensor '%.*s' is %llu x %llu, wanted %llu x %llu", (int)t->name.n, t->name.p,
		       (unsigned long long)t->dim[0], (unsigned long long)t->dim[1], (unsigned long long)k, (unsigned long long)n);
}

static int load_matrix(struct matrix *ret, struct loader *ld, const char *name, size_t k, size_t n, struct err *e)
{
	const struct gguf_tensor *t = take(ld, name);

	if (!t)
		return err_set(e, EC_FORMAT, "tensor '%s' is missing", name);
	if (dims_are(t, k, n, e))
		return -1;
	*ret = (struct matrix){ t->data.p, t->kind, k, n };
	if (k > ld->m->scratch_n)
		ld->m->scratch_n = k;
	return 0;
}

/* A vector, copied so that it is aligned.  Absent: *ret stays NULL, an error only if need. */
static int load_vector(float **ret, struct loader *ld, const char *name, size_t n, bool need, struct err *e)
{
	const struct gguf_tensor *t = take(ld, name);

	if (!t)
		return need ? err_set(e, EC_FORMAT, "tensor '%s' is missing", name) : 0;
	if (dims_are(t, n, 1, e))
		return -1;
	if (t->kind->block != 1)
		return err_set(e, EC_ABSENT, "tensor '%s' is of type %s, wanted F32", name, t->kind->name);
	*ret = malloc(n * sizeof **ret);
	if (!*ret)
		return err_oom(e);
	t->kind->unpack(*ret, t->data.p, n);
	return 0;
}

static int load_layer(struct loader *ld, size_t i, struct err *e)
{
	struct graph *m = ld->m;
	struct layer *l = &m->layer[i];
	const size_t nq = m->heads * m->hd, nk = m->kv_heads * m->hd;
	const struct { struct matrix *to; const char *name; size_t k, n; } mats[] = {
		{ &l->q, "attn_q", m->d, nq },	      { &l->k, "attn_k", m->d, nk },	  { &l->v, "attn_v", m->d, nk },
		{ &l->o, "attn_output", nq, m->d },   { &l->gate, "ffn_gate", m->d, m->f }, { &l->up, "ffn_up", m->d, m->f },
		{ &l->down, "ffn_down", m->f, m->d },
	};
	const struct { float **to; const char *name; size_t n; bool need; } vecs[] = {
		{ &l->attn_norm, "attn_norm.weight", m->d, true }, { &l->ffn_norm, "ffn_norm.weight", m->d, true },
		{ &l->bq, "attn_q.bias", nq, strcmp(ld->arch, "qwen2") == 0 },
		{ &l->bk, "attn_k.bias", nk, strcmp(ld->arch, "qwen2") == 0 },
		{ &l->bv, "attn_v.bias", nk, strcmp(ld->arch, "qwen2") == 0 },
		{ strcmp(ld->arch, "qwen3") == 0 ? &l->q_norm : NULL, "attn_q_norm.weight", m->hd, true },
		{ strcmp(ld->arch, "qwen3") == 0 ? &l->k_norm : NULL, "attn_k_norm.weight", m->hd, true },
	};
	char name[96];

	for (size_t k = 0; k < sizeof mats / sizeof mats[0]; k++) {
		snprintf(name, sizeof name, "blk.%zu.%s.weight", i, mats[k].name);
		if (load_matrix(mats[k].to, ld, name, mats[k].k, mats[k].n, e))
			return -1;
	}
	for (size_t k = 0; k < sizeof vecs / sizeof vecs[0]; k++) {
		snprintf(name, sizeof name, "blk.%zu.%s", i, vecs[k].name);
		if (vecs[k].to && load_vector(vecs[k].to, ld, name, vecs[k].n, vecs[k].need, e))
			return -1;
	}
	return 0;
}

/* Rotary embedding: what is not plain, linear or by a table of divisors is refused. */
static int load_rope(struct loader *ld, struct err *e)
{
	struct graph *m = ld->m;
	uint64_t rot = m->hd;
	struct slice type = { 0 };
	char key[160];

	m->freq_base = 10000;
	m->freq_factor = 1;
	snprintf(key, sizeof key, "%s.rope.scaling.type", ld->arch);
	if (key_uint(&rot, ld, "rope.dimension_count", false, 2, m->hd, e) || key_real(&m->freq_base, ld, "rope.freq_base", false, e) ||
	    gguf_str(&type, ld->g, key, e) || key_real(&m->freq_factor, ld, "rope.scale_linear", false, e))
		return -1;
	if (slice_eqs(type, "linear")) {
		if (key_real(&m->freq_factor, ld, "rope.scaling.factor", false, e))
			return -1;
	} else if (type.n && !slice_eqs(type, "none")) {
		return err_set(e, EC_ABSENT, "RoPE scaling '%.*s' is not supported", (int)type.n, type.p);
	}
	if (rot % 2)
		return err_set(e, EC_FORMAT, "'%s.rope.dimension_count' is odd", ld->arch);
	m->rot = (size_t)rot;
	return load_vector(&m->rope_div, ld, "rope_freqs.weight", m->rot / 2, false, e);
}

static int load_sizes(struct loader *ld, uint64_t ctx, struct err *e)
{
	struct graph *m = ld->m;
	uint64_t d = 0, f = 0, n_layers = 0, h = 0, g = 0, hd, vd, experts = 0, window = 0;
	double eps = 0;

	if (key_uint(&d, ld, "embedding_length", true, 1, 1 << 17, e) || key_uint(&f, ld, "feed_forward_length", true, 1, 1 << 20, e) ||
	    key_uint(&n_layers, ld, "block_count", true, 1, 1024, e) || key_uint(&h, ld, "attention.head_count", true, 1, 4096, e) ||
	    key_uint(&m->info.context_length, ld, "context_length", true, 1, 1 << 28, e) ||
	    key_real(&eps, ld, "attention.layer_norm_rms_epsilon", true, e) ||
	    key_uint(&experts, ld, "expert_count", false, 0, UINT64_MAX, e) ||
	    key_uint(&window, ld, "attention.sliding_window", false, 0, UINT64_MAX, e))
		return -1;
	if (experts)
		return err_set(e, EC_ABSENT, "mixture of experts (%llu of them) is not supported", (unsigned long long)experts);
	g = h;
	if (key_uint(&g, ld, "attention.head_count_kv", false, 1, h, e))
		return -1;
	hd = d / h;
	if (key_uint(&hd, ld, "attention.key_length", false, 2, 1024, e))
		return -1;
	vd = hd;
	if (key_uint(&vd, ld, "attention.value_length", false, 2, 1024, e))
		return -1;
	if (h % g || hd < 2 || hd > 1024 || hd % 2)
		return err_set(e, EC_FORMAT, "%llu heads, %llu key heads of %llu values do not fit together", (unsigned long long)h,
			       (unsigned long long)g, (unsigned long long)hd);
	if (vd != hd)
		return err_set(e, EC_ABSENT, "values of another size (%llu) than keys (%llu) are not supported", (unsigned long long)vd,
			       (unsigned long long)hd);
	m->d = (size_t)d;
	m->f = (size_t)f;
	m->heads = (size_t)h;
	m->kv_heads = (size_t)g;
	m->hd = (size_t)hd;
	m->eps = (float)eps;
	m->info.layers = (size_t)n_layers;
	m->info.width = m->d;
	if (!ctx)
		ctx = m->info.context_length < DEFAULT_CTX ? m->info.context_length : DEFAULT_CTX;
	if (window && ctx > window)	/* inside its window such a model is like any other */
		ctx = window;
	if (ctx > m->info.context_length)
		return err_set(e, EC_USAGE, "context of %llu tokens: the model was made for %llu", (unsigned long long)ctx,
			       (unsigned long long)m->info.context_length);
	m->info.ctx = (size_t)ctx;
	return 0;
}

static int check_unused(const struct loader *ld, struct err *e)
{
	for (size_t i = 0; i < ld->g->n_tensors; i++) {
		const struct gguf_tensor *t = &ld->g->tensors[i];

		if (!ld->used[i])
			return err_set(e, EC_ABSENT, "tensor '%.*s' has no place in the graph of '%s': the result would be wrong",
				       (int)t->name.n, t->name.p, ld->arch);
		ld->m->info.parameters += t->dim[0] * t->dim[1] * t->dim[2] * t->dim[3];
		ld->m->info.weight_bytes += t->data.n;
	}
	return 0;
}

static int load_weights(struct loader *ld, struct err *e)
{
	struct graph *m = ld->m;
	const struct gguf_tensor *t = gguf_tensor(ld->g, "token_embd.weight");

	if (!t)
		return err_set(e, EC_FORMAT, "tensor 'token_embd.weight' is missing");
	if (t->dim[1] > UINT32_MAX)
		return err_set(e, EC_FORMAT, "vocabulary of %llu tokens", (unsigned long long)t->dim[1]);
	m->info.vocab = (size_t)t->dim[1];
	m->layer = calloc(m->info.layers, sizeof *m->layer);
	if (!m->layer)
		return err_oom(e);
	if (load_matrix(&m->embd, ld, "token_embd.weight", m->d, m->info.vocab, e) ||
	    load_vector(&m->out_norm, ld, "output_norm.weight", m->d, true, e))
		return -1;
	m->out = m->embd;		/* tied, unless the file has both */
	if (gguf_tensor(ld->g, "output.weight") && load_matrix(&m->out, ld, "output.weight", m->d, m->info.vocab, e))
		return -1;
	for (size_t i = 0; i < m->info.layers; i++)
		if (load_layer(ld, i, e))
			return -1;
	return check_unused(ld, e);
}

/* Pages of our own: zero, out of core dumps, touched only when used. */
static float *map_floats(size_t bytes, struct err *e)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		err_sys(e, EC_IO, "cannot reserve %zu bytes for keys and values", bytes);
		err_hint(e, "a smaller --ctx needs less memory");
		return NULL;
	}
	madvise(p, bytes, MADV_DONTDUMP);
	return p;
}

static int alloc_act(struct act *a, size_t n, size_t cols, float *x, struct err *e)
{
	a->n = n;
	a->x = x ? x : calloc(n * cols, sizeof(float));
	a->q = calloc(n * cols + 64, 1);
	a->r = calloc(n * cols + 64, 1);
	a->d = calloc((n / 32 + 2) * cols, sizeof(float));
	a->s = calloc((n / 32 + 2) * cols, sizeof(float));
	return a->x && a->q && a->r && a->d && a->s ? 0 : err_oom(e);
}

static int alloc_work(struct graph *m, struct err *e)
{
	const size_t nq = m->heads * m->hd, nk = m->kv_heads * m->hd, b = GRAPH_BATCH, workers = pool_size(m->pool);
	const struct { float **to; size_t n; } all[] = {
		{ &m->x, m->d * b }, { &m->q, nq * b }, { &m->k, nk * b }, { &m->v, nk * b }, { &m->att, nq * b },
		{ &m->h, m->f * b }, { &m->up, m->f * b },
		{ &m->logits, m->info.vocab }, { &m->scores, m->info.ctx * workers }, { &m->scratch, m->scratch_n * workers },
		{ &m->cos, m->rot / 2 * b }, { &m->sin, m->rot / 2 * b },
	};
	size_t bytes;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		*all[i].to = calloc(all[i].n ? all[i].n : 1, sizeof(float));
		if (!*all[i].to)
			return err_oom(e);
	}
	if (alloc_act(&m->a_norm, m->d, b, NULL, e) || alloc_act(&m->a_att, nq, b, m->att, e) || alloc_act(&m->a_h, m->f, b, m->h, e) ||
	    alloc_act(&m->a_out, m->d, 1, NULL, e))
		return -1;
	if (__builtin_mul_overflow(m->info.layers * nk, m->info.ctx, &bytes) || __builtin_mul_overflow(bytes, sizeof(float), &bytes))
		return err_set(e, EC_USAGE, "context of %zu tokens is too large", m->info.ctx);
	m->cache_bytes = bytes;
	m->keys = map_floats(bytes, e);
	if (m->keys)
		m->values = map_floats(bytes, e);
	return m->values ? 0 : -1;
}

static int load(struct graph *m, const struct gguf *g, uint64_t ctx, struct err *e)
{
	static const struct { const char *name; bool half_split; } archs[] = {
		{ "llama", false }, { "qwen2", true }, { "qwen3", true },
	};
	struct loader ld = { .m = m, .g = g };
	int rc;

	if (gguf_str(&m->info.arch, g, "general.architecture", e))
		return -1;
	for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++)
		if (slice_eqs(m->info.arch, archs[i].name)) {
			ld.arch = archs[i].name;
			m->half_split = archs[i].half_split;
		}
	if (!ld.arch)
		return err_set(e, EC_ABSENT, "architecture '%.*s' is not supported (supported: llama, qwen2, qwen3)",
			       (int)m->info.arch.n, m->info.arch.p);
	ld.used = calloc(g->n_tensors ? g->n_tensors : 1, sizeof *ld.used);
	if (!ld.used)
		return err_oom(e);
	rc = load_sizes(&ld, ctx, e) || load_rope(&ld, e) || load_weights(&ld, e) || alloc_work(m, e) ? -1 : 0;
	free(ld.used);
	return rc;
}

int graph_open(struct graph **ret, const struct gguf *g, uint64_t ctx, struct pool *pool, const struct kernels *k, struct err *e)
{
	struct graph *m = calloc(1, sizeof *m);

	if (!m)
		return err_oom(e);
	m->pool = pool;
	m->kern = k;
	if (load(m, g, ctx, e)) {
		graph_free(m);
		return -1;
	}
	*ret = m;
	return 0;
}

static void free_act(struct act *a)
{
	free(a->q);
	free(a->r);
	free(a->d);
	free(a->s);
}

void graph_free(struct graph *m)
{
	if (!m)
		return;
	if (m->keys)
		munmap(m->keys, m->cache_bytes);	/* the kernel clears pages before anybody gets them */
	if (m->values)
		munmap(m->values, m->cache_bytes);
	for (size_t i = 0; m->layer && i < m->info.layers; i++) {
		float *const v[] = { m->layer[i].attn_norm, m->layer[i].ffn_norm, m->layer[i].bq, m->layer[i].bk, m->layer[i].bv,
				     m->layer[i].q_norm, m->layer[i].k_norm };

		for (size_t k = 0; k < sizeof v / sizeof v[0]; k++)
			free(v[k]);
	}
	free_act(&m->a_norm);
	free_act(&m->a_att);
	free_act(&m->a_h);
	free_act(&m->a_out);
	float *const v[] = { m->a_norm.x, m->a_out.x, m->x, m->q, m->k, m->v, m->att, m->h, m->up, m->logits, m->scores, m->scratch,
			     m->cos, m->sin, m->rope_div, m->out_norm };
	for (size_t k = 0; k < sizeof v / sizeof v[0]; k++)
		free(v[k]);
	free(m->layer);
	free(m);
}

const struct graph_info *graph_info(const struct graph *m)
{
	return &m->info;
}

/* --- computing ------------------------------------------------------------------------------------------------ */

static bool rms_norm(float *ret, const float *x, const float *w, size_t n, float eps)
{
	double sum = 0;
	float scale;

	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * x[i];
	scale = (float)(1 / sqrt(sum / (double)n + eps));
	for (size_t i = 0; i < n; i++)
		ret[i] = x[i] * scale * w[i];
	return isfinite(sum);
}

/* Rows of one or more matrices over the same activations, in stripes. */
struct job {
	struct graph *m;
	const struct matrix *mat[3];
	float *y[3];
	const float *bias[3];
	size_t n_mat;
	const struct act *x;
	bool add;		/* y += instead of y = */
	bool gate;		/* mat[0], mat[1] are gate and up: y[0] = silu(gate) * up */
	size_t stripe;		/* rows */
};

static float silu(float z)
{
	return z / (1 + expf(-z));
}

static int job_stripe(void *arg, size_t i, unsigned worker, struct err *e)
{
	const struct job *j = arg;
	const struct graph *m = j->m;
	float *scratch = m->scratch + worker * m->scratch_n;

	(void)e;
	for (size_t k = 0; k < j->n_mat; k++) {
		const struct matrix *w = j->mat[k];
		const size_t stripes = (w->n + j->stripe - 1) / j->stripe;
		const size_t r0 = i * j->stripe, r1 = r0 + j->stripe < w->n ? r0 + j->stripe : w->n;

		if (!j->gate && i >= stripes) {		/* stripes of all matrices are numbered through */
			i -= stripes;
			continue;
		}
		matrix_rows(m->kern, j->y[k], w->n, j->add, w, r0, r1, j->x, scratch);
		for (size_t c = 0; j->bias[k] && c < j->x->cols; c++)
			for (size_t r = r0; r < r1; r++)
				j->y[k][c * w->n + r] += j->bias[k][r];
		for (size_t c = 0; j->gate && k == 1 && c < j->x->cols; c++)
			for (size_t r = r0; r < r1; r++)
				j->y[0][c * w->n + r] = silu(j->y[0][c * w->n + r]) * j->y[1][c * w->n + r];
		if (!j->gate)
			break;
	}
	return 0;
}

static int job_run(struct job *j, struct err *e)
{
	const unsigned workers = pool_size(j->m->pool);
	size_t rows = 0, count = 0;

	for (size_t k = 0; k < (j->gate ? 1 : j->n_mat); k++)
		rows += j->mat[k]->n;
	/* A few stripes a worker, so that one who is interrupted does not hold up the rest. */
	j->stripe = workers == 1 ? rows : (rows / (workers * 4) + 16) / 16 * 16;
	for (size_t k = 0; k < (j->gate ? 1 : j->n_mat); k++)
		count += (j->mat[k]->n + j->stripe - 1) / j->stripe;
	return pool_run(j->m->pool, count, job_stripe, j, e);
}

/* f for each column: in parallel if there are several. */
static int each_column(struct graph *m, int (*f)(void *, size_t, unsigned, struct err *), struct err *e)
{
	for (size_t c = 0; m->cols < 4 && c < m->cols; c++)
		if (f(m, c, 0, e))
			return -1;
	return m->cols < 4 ? 0 : pool_run(m->pool, m->cols, f, m, e);
}

static void quantise_for(struct graph *m, struct act *a, size_t c, const struct matrix *const *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (kernels_quantised(w[i]->kind)) {
			kernels_quantise(m->kern, a, c);
			return;
		}
}

static int col_attn_norm(void *arg, size_t c, unsigned worker, struct err *e)
{
	struct graph *m = arg;

	(void)worker, (void)e;
	if (!rms_norm(m->a_norm.x + c * m->d, m->x + c * m->d, m->l->attn_norm, m->d, m->eps))
		m->bad[c] = true;
	quantise_for(m, &m->a_norm, c, (const struct matrix *const[]){ &m->l->q, &m->l->k, &m->l->v }, 3);
	return 0;
}

static int col_ffn_norm(void *arg, size_t c, unsigned worker, struct err *e)
{
	struct graph *m = arg;

	(void)worker, (void)e;
	if (!rms_norm(m->a_norm.x + c * m->d, m->x + c * m->d, m->l->ffn_norm, m->d, m->eps))
		m->bad[c] = true;
	quantise_for(m, &m->a_norm, c, (const struct matrix *const[]){ &m->l->gate, &m->l->up }, 2);
	return 0;
}

static int col_att_quant(void *arg, size_t c, unsigned worker, struct err *e)
{
	struct graph *m = arg;

	(void)worker, (void)e;
	quantise_for(m, &m->a_att, c, (const struct matrix *const[]){ &m->l->o }, 1);
	return 0;
}

static int col_h_quant(void *arg, size_t c, unsigned worker, struct err *e)
{
	struct graph *m = arg;

	(void)worker, (void)e;
	quantise_for(m, &m->a_h, c, (const struct matrix *const[]){ &m->l->down }, 1);
	return 0;
}

static void rope(const struct graph *m, float *v, size_t c)
{
	const size_t half = m->rot / 2, step = m->half_split ? 1 : 2, far = m->half_split ? half : 1;
	const float *cs = m->cos + c * half, *sn = m->sin + c * half;

	for (size_t i = 0; i < half; i++) {
		float *a = v + i * step, *b = a + far;
		const float x = *a, y = *b;

		*a = x * cs[i] - y * sn[i];
		*b = x * sn[i] + y * cs[i];
	}
}

static float *cache_at(const struct graph *m, float *cache, size_t kv_head, size_t pos)
{
	return cache + ((m->il * m->kv_heads + kv_head) * m->info.ctx + pos) * m->hd;
}

/* Rotates queries and keys of a column and stores its keys and values. */
static int col_rope_store(void *arg, size_t c, unsigned worker, struct err *e)
{
	struct graph *m = arg;
	float *q = m->q + c * m->heads * m->hd, *k = m->k + c * m->kv_heads * m->hd, *v = m->v + c * m->kv_heads * m->hd;

	(void)worker, (void)e;
	for (size_t h = 0; h < m->heads; h++) {
		if (m->l->q_norm && !rms_norm(q + h * m->hd, q + h * m->hd, m->l->q_norm, m->hd, m->eps))
			m->bad[c] = true;
		rope(m, q + h * m->hd, c);
	}
	for (size_t h = 0; h < m->kv_heads; h++) {
		if (m->l->k_norm && !rms_norm(k + h * m->hd, k + h * m->hd, m->l->k_norm, m->hd, m->eps))
			m->bad[c] = true;
		rope(m, k + h * m->hd, c);
		memcpy(cache_at(m, m->keys, h, m->pos + c), k + h * m->hd, m->hd * sizeof *k);
		memcpy(cache_at(m, m->values, h, m->pos + c), v + h * m->hd, m->hd * sizeof *v);
	}
	return 0;
}

/* One head of one column: i = column * heads + head. */
static int attend(void *arg, size_t i, unsigned worker, struct err *e)
{
	const struct graph *m = arg;
	const size_t c = i / m->heads, h = i % m->heads, kvh = h / (m->heads / m->kv_heads), n = m->pos + c + 1;
	const float *q = m->q + i * m->hd, *k = cache_at(m, m->keys, kvh, 0), *v = cache_at(m, m->values, kvh, 0);
	const float scale = 1 / sqrtf((float)m->hd);
	float *s = m->scores + worker * m->info.ctx, *o = m->att + i * m->hd, max = -INFINITY;
	double sum = 0;

	(void)e;
	for (size_t j = 0; j < n; j++) {
		s[j] = m->kern->dot(q, k + j * m->hd, m->hd) * scale;
		max = s[j] > max ? s[j] : max;
	}
	for (size_t j = 0; j < n; j++) {
		s[j] = expf(s[j] - max);
		sum += s[j];
	}
	memset(o, 0, m->hd * sizeof *o);
	for (size_t j = 0; j < n; j++)
		m->kern->axpy(o, (float)(s[j] / sum), v + j * m->hd, m->hd);
	return 0;
}

static int attention(struct graph *m, struct err *e)
{
	const size_t count = m->cols * m->heads;

	if (count * (m->pos + m->cols) * m->hd > 32768)		/* else waking others costs more than the work */
		return pool_run(m->pool, count, attend, m, e);
	for (size_t i = 0; i < count; i++)
		if (attend(m, i, 0, e))
			return -1;
	return 0;
}

static int run_layer(struct graph *m, struct err *e)
{
	const struct layer *l = m->l;
	struct job qkv = { .m = m, .mat = { &l->q, &l->k, &l->v }, .y = { m->q, m->k, m->v }, .bias = { l->bq, l->bk, l->bv },
			   .n_mat = 3, .x = &m->a_norm };
	struct job out = { .m = m, .mat = { &l->o }, .y = { m->x }, .n_mat = 1, .x = &m->a_att, .add = true };
	struct job ffn = { .m = m, .mat = { &l->gate, &l->up }, .y = { m->h, m->up }, .n_mat = 2, .x = &m->a_norm, .gate = true };
	struct job down = { .m = m, .mat = { &l->down }, .y = { m->x }, .n_mat = 1, .x = &m->a_h, .add = true };

	if (each_column(m, col_attn_norm, e) || job_run(&qkv, e) || each_column(m, col_rope_store, e) || attention(m, e) ||
	    each_column(m, col_att_quant, e) || job_run(&out, e))
		return -1;
	return each_column(m, col_ffn_norm, e) || job_run(&ffn, e) || each_column(m, col_h_quant, e) || job_run(&down, e) ? -1 : 0;
}

static void rope_angles(struct graph *m)
{
	const size_t half = m->rot / 2;

	for (size_t i = 0; i < half; i++) {
		const double f = pow(m->freq_base, -2.0 * (double)i / (double)m->rot) / m->freq_factor /
				 (m->rope_div ? (double)m->rope_div[i] : 1);

		for (size_t c = 0; c < m->cols; c++) {
			m->cos[c * half + i] = (float)cos((double)(m->pos + c) * f);
			m->sin[c * half + i] = (float)sin((double)(m->pos + c) * f);
		}
	}
}

static int run_batch(struct graph *m, const uint32_t *tokens, size_t n, struct err *e)
{
	m->cols = m->a_norm.cols = m->a_att.cols = m->a_h.cols = n;
	memset(m->bad, 0, sizeof m->bad);
	rope_angles(m);
	for (size_t c = 0; c < n; c++) {
		if (tokens[c] >= m->info.vocab)
			return err_set(e, EC_BUG, "token %u is outside the vocabulary", tokens[c]);
		m->embd.kind->unpack(m->x + c * m->d, m->embd.p + tokens[c] * matrix_row_bytes(&m->embd), m->d / m->embd.kind->block);
	}
	for (m->il = 0; m->il < m->info.layers; m->il++) {
		m->l = &m->layer[m->il];
		if (run_layer(m, e))
			return -1;
	}
	for (size_t c = 0; c < n; c++)
		if (m->bad[c])
			return err_set(e, EC_FORMAT, "the model computes numbers that are not finite: its file is damaged");
	return 0;
}

/* Logits after column c of the batch that was just run. */
static int run_output(struct graph *m, size_t c, struct err *e)
{
	struct job out = { .m = m, .mat = { &m->out }, .y = { m->logits }, .n_mat = 1, .x = &m->a_out };

	m->a_out.cols = 1;
	if (!rms_norm(m->a_out.x, m->x + c * m->d, m->out_norm, m->d, m->eps))
		return err_set(e, EC_FORMAT, "the model computes numbers that are not finite: its file is damaged");
	quantise_for(m, &m->a_out, 0, (const struct matrix *const[]){ &m->out }, 1);
	return job_run(&out, e);
}

int graph_run(const float **logits, struct graph *m, size_t *pos, const uint32_t *tokens, size_t n, struct err *e)
{
	if (n == 0 || *pos > m->info.ctx || n > m->info.ctx - *pos)
		return err_set(e, EC_USAGE, "%zu tokens do not fit into the context of %zu", *pos + n, m->info.ctx);
	m->pos = *pos;
	for (size_t i = 0, cols; i < n; i += cols, m->pos += cols) {
		cols = n - i < GRAPH_BATCH ? n - i : GRAPH_BATCH;
		if (run_batch(m, tokens + i, cols, e))
			return -1;
	}
	if (run_output(m, m->cols - 1, e))
		return -1;
	*pos = m->pos;
	*logits = m->logits;
	return 0;
}
