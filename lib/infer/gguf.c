/* SPDX-License-Identifier: Apache-2.0 */
/* The checks are those of the peer (inference.md 1.2), plus: names not empty, an upper bound on the number of entries. */
#include "infer/gguf.h"

#include <math.h>

#include "base/cursor.h"

#define MAX_ENTRIES ((uint64_t)1 << 20)	/* keys, and tensors: real models have a few thousand */
#define MAX_STRING ((uint64_t)1 << 30)
#define MAX_ELEMENTS ((uint64_t)1 << 30)
#define MAX_TENSOR_NAME 63
#define LEAST_KV 14			/* bytes: key of one byte, type, value of one byte */
#define LEAST_TENSOR 33			/* bytes: name of one byte, one dimension */

void gguf_free(struct gguf *g)
{
	free(g->kv);
	free(g->tensors);
	free(g->by_key);
	free(g->by_name);
	*g = (struct gguf){ 0 };
}

static size_t scalar_size(uint32_t type)
{
	static const uint8_t size[] = {
		[GGUF_U8] = 1, [GGUF_I8] = 1, [GGUF_U16] = 2, [GGUF_I16] = 2, [GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_F32] = 4,
		[GGUF_BOOL] = 1, [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
	};

	return type < sizeof size ? size[type] : 0;
}

static struct slice rd_string(struct rd *r)
{
	const uint64_t n = rd_le64(r);

	if (n > MAX_STRING || n > rd_left(r))
		r->bad = true;
	return rd_take(r, r->bad ? 0 : (size_t)n);
}

/* Reads an array's elements; only their extent is kept. */
static int read_array(struct gguf_kv *kv, struct rd *r, struct err *e)
{
	const uint8_t *start;
	size_t size;

	kv->elem = rd_le32(r);
	kv->count = rd_le64(r);
	if (r->bad)
		return 0;
	if (kv->elem == GGUF_ARRAY)
		return err_set(e, EC_FORMAT, "key '%.*s' is an array of arrays", (int)kv->key.n, kv->key.p);
	size = scalar_size(kv->elem);
	if (!size && kv->elem != GGUF_STRING)
		return err_set(e, EC_FORMAT, "key '%.*s' is an array of unknown type %u", (int)kv->key.n, kv->key.p, kv->elem);
	if (kv->count > MAX_ELEMENTS || kv->count > rd_left(r) / (size ? size : 8))
		return err_set(e, EC_FORMAT, "array '%.*s' has %llu elements, more than the file holds", (int)kv->key.n, kv->key.p,
			       (unsigned long long)kv->count);
	start = r->p;
	if (size)
		rd_skip(r, (size_t)kv->count * size);
	else
		for (uint64_t i = 0; i < kv->count && !r->bad; i++)
			rd_string(r);
	if (!r->bad)
		kv->bytes = slice_of(start, (size_t)(r->p - start));
	return 0;
}

static int read_kv(struct gguf_kv *kv, struct rd *r, struct err *e)
{
	*kv = (struct gguf_kv){ .key = rd_string(r) };
	kv->type = rd_le32(r);
	if (r->bad)
		return err_set(e, EC_FORMAT, "file ends inside its metadata");
	if (kv->key.n == 0 || kv->key.n > 65535)
		return err_set(e, EC_FORMAT, "metadata key of %zu bytes, wanted 1 to 65535", kv->key.n);
	if (kv->type == GGUF_ARRAY) {
		if (read_array(kv, r, e))
			return -1;
	} else if (kv->type == GGUF_STRING) {
		kv->bytes = rd_string(r);
	} else if (scalar_size(kv->type)) {
		kv->bytes = rd_take(r, scalar_size(kv->type));
	} else {
		return err_set(e, EC_FORMAT, "key '%.*s' has unknown type %u", (int)kv->key.n, kv->key.p, kv->type);
	}
	if (r->bad)
		return err_set(e, EC_FORMAT, "file ends inside the value of '%.*s'", (int)kv->key.n, kv->key.p);
	if (kv->type == GGUF_BOOL && kv->bytes.p[0] > 1)
		return err_set(e, EC_FORMAT, "bool '%.*s' is %u", (int)kv->key.n, kv->key.p, kv->bytes.p[0]);
	return 0;
}

static int cmp_slice(struct slice a, struct slice b)
{
	const size_t n = a.n < b.n ? a.n : b.n;
	const int d = n ? memcmp(a.p, b.p, n) : 0;

	return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int cmp_kv(const void *a, const void *b, void *arg)
{
	const struct gguf *g = arg;

	return cmp_slice(g->kv[*(const uint32_t *)a].key, g->kv[*(const uint32_t *)b].key);
}

static int cmp_tensor(const void *a, const void *b, void *arg)
{
	const struct gguf *g = arg;

	return cmp_slice(g->tensors[*(const uint32_t *)a].name, g->tensors[*(const uint32_t *)b].name);
}

static uint32_t *make_index(size_t n, int (*cmp)(const void *, const void *, void *), struct gguf *g, struct err *e)
{
	uint32_t *v = malloc((n ? n : 1) * sizeof *v);

	if (!v) {
		err_oom(e);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (uint32_t)i;
	qsort_r(v, n, sizeof *v, cmp, g);	/* n log n in musl and glibc, whoever chose the input */
	return v;
}

static int read_metadata(struct gguf *g, struct rd *r, uint64_t n, struct err *e)
{
	if (n > MAX_ENTRIES || n > rd_left(r) / LEAST_KV)
		return err_set(e, EC_FORMAT, "file claims %llu metadata keys, more than it can hold", (unsigned long long)n);
	g->kv = calloc(n ? (size_t)n : 1, sizeof *g->kv);
	if (!g->kv)
		return err_oom(e);
	for (g->n_kv = 0; g->n_kv < n; g->n_kv++)
		if (read_kv(&g->kv[g->n_kv], r, e))
			return -1;
	g->by_key = make_index(g->n_kv, cmp_kv, g, e);
	if (!g->by_key)
		return -1;
	for (size_t i = 1; i < g->n_kv; i++) {
		const struct slice k = g->kv[g->by_key[i]].key;

		if (slice_eq(g->kv[g->by_key[i - 1]].key, k))
			return err_set(e, EC_FORMAT, "metadata key '%.*s' is there twice", (int)k.n, k.p);
	}
	return 0;
}

const struct gguf_kv *gguf_get(const struct gguf *g, const char *key)
{
	const struct slice want = slice_str(key);

	for (size_t lo = 0, hi = g->n_kv; lo < hi;) {
		const size_t mid = lo + (hi - lo) / 2;
		const int d = cmp_slice(want, g->kv[g->by_key[mid]].key);

		if (d == 0)
			return &g->kv[g->by_key[mid]];
		if (d > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct gguf_tensor *gguf_tensor(const struct gguf *g, const char *name)
{
	const struct slice want = slice_str(name);

	for (size_t lo = 0, hi = g->n_tensors; lo < hi;) {
		const size_t mid = lo + (hi - lo) / 2;
		const int d = cmp_slice(want, g->tensors[g->by_name[mid]].name);

		if (d == 0)
			return &g->tensors[g->by_name[mid]];
		if (d > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Size of a tensor in bytes, from dimensions that nobody checked yet. */
static int tensor_bytes(uint64_t *ret, const struct gguf_tensor *t, struct err *e)
{
	uint64_t values = 1;

	for (uint32_t i = 0; i < t->n_dims; i++) {
		if (t->dim[i] == 0 || t->dim[i] > INT64_MAX || values > (uint64_t)INT64_MAX / t->dim[i])
			return err_set(e, EC_FORMAT, "tensor '%.*s' has impossible dimensions", (int)t->name.n, t->name.p);
		values *= t->dim[i];
	}
	if (t->dim[0] % t->kind->block)
		return err_set(e, EC_FORMAT, "tensor '%.*s': rows of %llu values do not divide into %s blocks of %u",
			       (int)t->name.n, t->name.p, (unsigned long long)t->dim[0], t->kind->name, t->kind->block);
	values /= t->kind->block;
	if (values > (uint64_t)INT64_MAX / t->kind->bytes)
		return err_set(e, EC_FORMAT, "tensor '%.*s' has impossible dimensions", (int)t->name.n, t->name.p);
	*ret = values * t->kind->bytes;
	return 0;
}

/* Data slices are kept as (offset, size) in .data until the start of the data is known. */
static int read_tensor(struct gguf_tensor *t, uint64_t *offset, struct rd *r, struct err *e)
{
	uint32_t type;

	*t = (struct gguf_tensor){ .name = rd_string(r), .dim = { 1, 1, 1, 1 } };
	t->n_dims = rd_le32(r);
	if (r->bad)
		return err_set(e, EC_FORMAT, "file ends inside its list of tensors");
	if (t->name.n == 0 || t->name.n > MAX_TENSOR_NAME)
		return err_set(e, EC_FORMAT, "tensor name of %zu bytes, wanted 1 to %d", t->name.n, MAX_TENSOR_NAME);
	if (t->n_dims == 0 || t->n_dims > 4)
		return err_set(e, EC_FORMAT, "tensor '%.*s' has %u dimensions, wanted 1 to 4", (int)t->name.n, t->name.p, t->n_dims);
	for (uint32_t i = 0; i < t->n_dims; i++)
		t->dim[i] = rd_le64(r);
	type = rd_le32(r);
	*offset = rd_le64(r);
	if (r->bad)
		return err_set(e, EC_FORMAT, "file ends inside its list of tensors");
	t->kind = tensor_kind(type);
	if (t->kind)
		return 0;
	if (!tensor_type_name(type))
		return err_set(e, EC_FORMAT, "tensor '%.*s' has unknown type %u", (int)t->name.n, t->name.p, type);
	err_set(e, EC_ABSENT, "tensor '%.*s' is of type %s, which this engine does not compute with", (int)t->name.n, t->name.p,
		tensor_type_name(type));
	return err_hint(e, "use a file of type F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K");
}

static int check_names(struct gguf *g, struct err *e)
{
	g->by_name = make_index(g->n_tensors, cmp_tensor, g, e);
	if (!g->by_name)
		return -1;
	for (size_t i = 1; i < g->n_tensors; i++) {
		const struct slice n = g->tensors[g->by_name[i]].name;

		if (slice_eq(g->tensors[g->by_name[i - 1]].name, n))
			return err_set(e, EC_FORMAT, "tensor '%.*s' is there twice", (int)n.n, n.p);
	}
	return 0;
}

static int read_alignment(uint64_t *ret, const struct gguf *g, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, "general.alignment");

	*ret = 32;
	if (!kv)
		return 0;
	*ret = kv->type == GGUF_U32 ? get_le32(kv->bytes.p) : 0;
	if (*ret == 0 || (*ret & (*ret - 1)))
		return err_set(e, EC_FORMAT, "general.alignment is not a power of two of type u32");
	return 0;
}

/* Offsets must be the running sum of padded sizes: no gap, no overlap, no other order. */
static int read_tensors(struct gguf *g, struct rd *r, uint64_t n, struct slice file, struct err *e)
{
	uint64_t align, pos = 0, start, offset = 0, size = 0;

	if (read_alignment(&align, g, e))
		return -1;
	if (n > MAX_ENTRIES || n > rd_left(r) / LEAST_TENSOR)
		return err_set(e, EC_FORMAT, "file claims %llu tensors, more than it can hold", (unsigned long long)n);
	g->tensors = calloc(n ? (size_t)n : 1, sizeof *g->tensors);
	if (!g->tensors)
		return err_oom(e);
	for (g->n_tensors = 0; g->n_tensors < n; g->n_tensors++) {
		struct gguf_tensor *t = &g->tensors[g->n_tensors];

		if (read_tensor(t, &offset, r, e) || tensor_bytes(&size, t, e))
			return -1;
		if (offset != pos)
			return err_set(e, EC_FORMAT, "tensor '%.*s' is at offset %llu, wanted %llu", (int)t->name.n, t->name.p,
				       (unsigned long long)offset, (unsigned long long)pos);
		if (size > file.n || pos > file.n)	/* so the sums below cannot overflow */
			return err_set(e, EC_FORMAT, "tensor '%.*s' lies outside the file", (int)t->name.n, t->name.p);
		t->data = (struct slice){ NULL, (size_t)size };
		pos += (size + align - 1) & ~(align - 1);
	}
	start = ((uint64_t)(r->p - file.p) + align - 1) & ~(align - 1);
	pos = start;
	for (size_t i = 0; i < g->n_tensors; i++) {
		struct gguf_tensor *t = &g->tensors[i];

		if (pos > file.n || t->data.n > file.n - pos)
			return err_set(e, EC_FORMAT, "data of tensor '%.*s' ends behind the end of the file", (int)t->name.n,
				       t->name.p);
		t->data.p = file.p + pos;
		pos += (t->data.n + align - 1) & ~(align - 1);
	}
	return check_names(g, e);
}

static int parse(struct gguf *g, struct slice file, struct err *e)
{
	struct rd r = rd_of(file);
	const struct slice magic = rd_take(&r, 4);
	uint64_t n_tensors, n_kv, split = 0;

	g->version = rd_le32(&r);
	n_tensors = rd_le64(&r);
	n_kv = rd_le64(&r);
	if (!slice_eqs(magic, "GGUF"))
		return err_set(e, EC_FORMAT, "not a GGUF file: it does not start with 'GGUF'");
	if (r.bad)
		return err_set(e, EC_FORMAT, "file ends inside its header: %zu bytes, wanted at least 24", file.n);
	if (g->version && (g->version & 0xffff) == 0)
		return err_set(e, EC_ABSENT, "big-endian GGUF files are not supported");
	if (g->version != 2 && g->version != 3)
		return err_set(e, EC_FORMAT, "GGUF version is %u, wanted 2 or 3", g->version);
	if (read_metadata(g, &r, n_kv, e))
		return -1;
	if (gguf_uint(&split, NULL, g, "split.count", e))
		return -1;
	if (split > 1)
		return err_set(e, EC_ABSENT, "the model is split into %llu files, which is not supported: merge them first",
			       (unsigned long long)split);
	return read_tensors(g, &r, n_tensors, file, e);
}

int gguf_parse(struct gguf *ret, struct slice file, struct err *e)
{
	AUTO_GGUF g = { 0 };

	if (parse(&g, file, e))
		return -1;
	*ret = g;
	g = (struct gguf){ 0 };
	return 0;
}

static bool int_at(uint64_t *ret, uint32_t type, const uint8_t *p)
{
	int64_t v;

	switch (type) {
	case GGUF_U8: *ret = p[0]; return true;
	case GGUF_U16: *ret = get_le16(p); return true;
	case GGUF_U32: *ret = get_le32(p); return true;
	case GGUF_U64: *ret = get_le64(p); return true;
	case GGUF_I8: v = (int8_t)p[0]; break;
	case GGUF_I16: v = (int16_t)get_le16(p); break;
	case GGUF_I32: v = (int32_t)get_le32(p); break;
	case GGUF_I64: v = (int64_t)get_le64(p); break;
	default: return false;
	}
	*ret = (uint64_t)v;
	return v >= 0;
}

int gguf_uint(uint64_t *ret, bool *found, const struct gguf *g, const char *key, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, key);
	uint64_t v = 0, w;

	if (found)
		*found = kv != NULL;
	if (!kv)
		return 0;
	if (kv->type == GGUF_ARRAY && kv->count && scalar_size(kv->elem)) {
		const size_t size = scalar_size(kv->elem);

		if (!int_at(&v, kv->elem, kv->bytes.p))
			return err_set(e, EC_FORMAT, "metadata key '%s' is not a natural number", key);
		for (uint64_t i = 1; i < kv->count; i++)
			if (!int_at(&w, kv->elem, kv->bytes.p + i * size) || w != v)
				return err_set(e, EC_ABSENT, "'%s' differs from layer to layer, which is not supported", key);
	} else if (!int_at(&v, kv->type, kv->bytes.p)) {
		return err_set(e, EC_FORMAT, "metadata key '%s' is not a natural number", key);
	}
	*ret = v;
	return 0;
}

int gguf_real(double *ret, bool *found, const struct gguf *g, const char *key, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, key);
	double d = NAN;

	if (found)
		*found = kv != NULL;
	if (!kv)
		return 0;
	if (kv->type == GGUF_F32) {
		const uint32_t bits = get_le32(kv->bytes.p);
		float f;

		memcpy(&f, &bits, sizeof f);
		d = f;
	} else if (kv->type == GGUF_F64) {
		const uint64_t bits = get_le64(kv->bytes.p);

		memcpy(&d, &bits, sizeof d);
	}
	if (!isfinite(d))
		return err_set(e, EC_FORMAT, "metadata key '%s' is not a finite number", key);
	*ret = d;
	return 0;
}

int gguf_bool(bool *ret, const struct gguf *g, const char *key, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, key);

	if (!kv)
		return 0;
	if (kv->type != GGUF_BOOL)
		return err_set(e, EC_FORMAT, "metadata key '%s' is not a bool", key);
	*ret = kv->bytes.p[0] == 1;
	return 0;
}

int gguf_str(struct slice *ret, const struct gguf *g, const char *key, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, key);

	if (!kv)
		return 0;
	if (kv->type != GGUF_STRING)
		return err_set(e, EC_FORMAT, "metadata key '%s' is not a string", key);
	*ret = kv->bytes;
	return 0;
}

int gguf_strings(struct slice **ret, size_t *n, const struct gguf *g, const char *key, struct err *e)
{
	const struct gguf_kv *kv = gguf_get(g, key);
	struct slice *v;
	struct rd r;

	if (!kv)
		return err_set(e, EC_FORMAT, "metadata key '%s' is missing", key);
	if (kv->type != GGUF_ARRAY || kv->elem != GGUF_STRING)
		return err_set(e, EC_FORMAT, "metadata key '%s' is not an array of strings", key);
	v = calloc(kv->count ? (size_t)kv->count : 1, sizeof *v);	/* paid for: 8 bytes each in the file */
	if (!v)
		return err_oom(e);
	r = rd_of(kv->bytes);
	for (uint64_t i = 0; i < kv->count; i++)
		v[i] = rd_string(&r);
	if (r.bad) {
		free(v);
		return err_set(e, EC_FORMAT, "metadata key '%s' changed while it was read", key);
	}
	*ret = v;
	*n = (size_t)kv->count;
	return 0;
}
