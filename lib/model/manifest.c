/* SPDX-License-Identifier: Apache-2.0 */
/* See manifest.h. */

#include "model/manifest.h"

#include "codec/hex64.h"
#include "codec/json.h"

#define SCHEMA "cvmbox.model-manifest/1"
#define PART_MAX 255		/* NAME_MAX of Linux */
#define NAME_MAX_BYTES 3000

void manifest_free(struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->file[i].name);
	free(m->file);
	*m = (struct manifest){ 0 };
}

static bool part_ok(const char *p, size_t n)
{
	return n > 0 && n <= PART_MAX && !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.');
}

int manifest_check_name(const char *name, struct err *e)
{
	size_t start = 0, depth = 1, i;

	for (i = 0; name[i] && i <= NAME_MAX_BYTES; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return err_set(e, EC_REFUSED, "file name '%.200s' holds control characters", name);
		if (name[i] != '/')
			continue;
		if (!part_ok(name + start, i - start))
			return err_set(e, EC_REFUSED, "file name '%.200s' is not a plain relative path", name);
		start = i + 1;
		depth++;
	}
	if (name[i] || depth > MANIFEST_DEPTH)
		return err_set(e, EC_REFUSED, "file name '%.200s...' is too long or too deep", name);
	if (!part_ok(name + start, i - start))
		return err_set(e, EC_REFUSED, "file name '%.200s' is not a plain relative path", name);
	return 0;
}

int manifest_add(struct manifest *m, const char *name, struct err *e)
{
	char *copy;

	if (manifest_check_name(name, e))
		return -1;
	if (m->n >= MANIFEST_FILES)
		return err_set(e, EC_FORMAT, "more than %d files", MANIFEST_FILES);
	if (m->n == m->cap) {
		const size_t cap = m->cap ? m->cap * 2 : 32;
		struct manifest_file *more = realloc(m->file, cap * sizeof *more);

		if (!more)
			return err_oom(e);
		m->file = more;
		m->cap = cap;
	}
	copy = str_dup(name, e);
	if (!copy)
		return -1;
	m->file[m->n++] = (struct manifest_file){ .name = copy };
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct manifest_file *)a)->name, ((const struct manifest_file *)b)->name);
}

void manifest_sort(struct manifest *m)
{
	if (m->n)
		qsort(m->file, m->n, sizeof *m->file, by_name);
}

static int to_name(const void *key, const void *f)
{
	return strcmp(key, ((const struct manifest_file *)f)->name);
}

const struct manifest_file *manifest_find(const struct manifest *m, const char *name)
{
	return m->n ? bsearch(name, m->file, m->n, sizeof *m->file, to_name) : NULL;
}

/* --- JSON ------------------------------------------------------------------------------------------------- */

static int write_json(struct buf *ret, const struct manifest *m, struct err *e)
{
	AUTO_JSON *j = json_object();
	struct json *files;

	json_add_str(j, "schema", SCHEMA);
	files = json_add_array(j, "files");
	for (size_t i = 0; i < m->n; i++) {
		struct json *f = json_add_object(files, NULL);

		json_add_str(f, "name", m->file[i].name);
		json_add_int(f, "size", m->file[i].size);
		json_add_hex(f, "header", slice_of(m->file[i].header, m->file[i].header_n));
	}
	return json_write(ret, j, false, e);
}

int manifest_write(struct buf *ret, const struct manifest *m, struct err *e)
{
	AUTO_BUF text = { .max = MANIFEST_MAX };
	AUTO_MANIFEST again = { 0 };

	if (write_json(&text, m, e) || manifest_parse(&again, buf_view(&text), e))
		return -1;
	for (size_t i = 0; i < m->n; i++)	/* what is read back has to be what was meant */
		if (again.n != m->n || strcmp(again.file[i].name, m->file[i].name))
			return err_set(e, EC_FORMAT, "file name '%.200s' is not UTF-8", m->file[i].name);
	buf_slice(ret, buf_view(&text));
	return buf_check(ret, e);
}

static int parse_file(struct manifest *m, const struct json *j, struct err *e)
{
	static const char *const names[] = { "name", "size", "header", NULL };
	AUTO_BUF header = { 0 };
	const char *name, *hex;
	struct manifest_file *f;
	uint64_t size;

	if (json_only(j, names, "a file of the manifest", e) || json_need_str(&name, j, "name", "a file", e) ||
	    json_need_u64(&size, j, "size", INT64_MAX, "a file", e) ||
	    json_need_str(&hex, j, "header", "a file", e) || hex_decode(&header, slice_str(hex), e))
		return -1;
	if (!header.n || header.n > sizeof f->header)
		return err_set(e, EC_FORMAT, "header of '%.200s' is %zu bytes", name, header.n);
	if (m->n && strcmp(m->file[m->n - 1].name, name) >= 0)
		return err_set(e, EC_FORMAT, "files are not in rising order: '%.200s' stands behind '%.200s'", name,
			       m->file[m->n - 1].name);
	if (manifest_add(m, name, e))
		return -1;
	f = &m->file[m->n - 1];
	f->size = size;
	f->header_n = header.n;
	memcpy(f->header, header.p, header.n);
	return 0;
}

int manifest_parse(struct manifest *ret, struct slice text, struct err *e)
{
	static const char *const names[] = { "schema", "files", NULL };
	AUTO_MANIFEST m = { 0 };
	AUTO_JSON *j = NULL;
	const struct json *files;
	const char *schema;

	if (json_parse(&j, text, MANIFEST_MAX, e) || json_only(j, names, "the manifest", e) ||
	    json_need_str(&schema, j, "schema", "the manifest", e))
		return -1;
	if (strcmp(schema, SCHEMA))
		return err_set(e, EC_FORMAT, "manifest has schema '%.64s', wanted '%s'", schema, SCHEMA);
	if (json_need_arr(&files, j, "files", "the manifest", e))
		return -1;
	for (const struct json *f = json_first(files); f; f = json_next(f))
		if (parse_file(&m, f, e))
			return -1;
	*ret = m;
	m = (struct manifest){ 0 };
	return 0;
}
