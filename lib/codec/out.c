/* SPDX-License-Identifier: Apache-2.0 */
/* See out.h. */

#include "codec/out.h"

#include <stdarg.h>

#include "base/host.h"

const char *check_word(enum check_result r)
{
	switch (r) {
	case CHECK_PASS:
		return "pass";
	case CHECK_WARN:
		return "warn";
	case CHECK_FAIL:
		return "fail";
	case CHECK_SKIP:
		break;
	}
	return "skip";
}

int out_init(struct out *o, struct err *e)
{
	*o = (struct out){ .claims = json_object(), .checks = json_array(), .insecure = json_array() };
	return o->claims && o->checks && o->insecure ? 0 : err_oom(e);
}

void out_free(struct out *o)
{
	json_free(o->claims);
	json_free(o->brief);
	json_free(o->checks);
	json_free(o->insecure);
	buf_free(&o->text);
	buf_free(&o->verdict);
	if (o->data.p)
		mem_wipe(o->data.p, o->data.n);
	buf_free(&o->data);
	o->claims = o->brief = o->checks = o->insecure = NULL;
}

static void add_given(struct json *to, const char *name, const char *v)
{
	if (v)
		json_add_str(to, name, v);
}

static const char *member(const struct json *c, const char *name)
{
	const char *s = json_string(json_get(c, name));

	return s ? s : "";
}

void out_check(struct out *o, const char *id, enum check_result r, const char *expected, const char *actual,
	       const char *source, const char *hint)
{
	struct json *c = json_add_object(o->checks, NULL);

	json_add_str(c, "id", id);
	json_add_str(c, "result", check_word(r));
	add_given(c, "expected", expected);
	add_given(c, "actual", actual);
	add_given(c, "source", source);
	add_given(c, "hint", hint);
	if (r == CHECK_WARN)
		o->warned = true;
}

void out_checks(struct out *o, const struct json *list)
{
	for (const struct json *c = json_first(list); c; c = json_next(c)) {
		json_add_copy(o->checks, NULL, c);
		o->warned |= !strcmp(member(c, "result"), check_word(CHECK_WARN));
	}
}

static void vprint(struct buf *b, const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0) {
		b->bad = true;
		return;
	}
	buf_puts(b, s);
	free(s);
}

void out_insecure(struct out *o, const char *what)
{
	json_add_str(o->insecure, NULL, what);
	o->warned = true;
}

void out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(&o->text, fmt, ap);
	va_end(ap);
	buf_byte(&o->text, '\n');
}

void out_verdict(struct out *o, const char *fmt, ...)
{
	va_list ap;

	buf_reset(&o->verdict);
	va_start(ap, fmt);
	vprint(&o->verdict, fmt, ap);
	va_end(ap);
}

/* --- JSON --------------------------------------------------------------------------------------------- */

static bool any_warning(const struct out *o, const struct out_head *head)
{
	const struct json *c;

	if (o->warned || (head->insecure && head->insecure->n))
		return true;
	for (c = json_first(o->checks); c; c = json_next(c)) {
		const char *r = json_string(json_get(c, "result"));

		if (r && !strcmp(r, "warn"))
			return true;
	}
	return false;
}

static const char *result_word(const struct out *o, const struct out_head *head)
{
	if (head->exit_code == EC_OK)
		return any_warning(o, head) ? "warn" : "pass";
	return head->exit_code == EC_REFUSED ? "fail" : "error";
}

static void add_insecure(struct json *j, const struct out *o, const struct out_head *head)
{
	struct json *a = json_add_array(j, "insecure");

	for (size_t i = 0; head->insecure && i < head->insecure->n; i++)
		json_add_fmt(a, NULL, "--%s", head->insecure->v[i]);
	for (const struct json *x = json_first(o->insecure); x; x = json_next(x))
		json_add_copy(a, NULL, x);
}

int out_json(struct buf *ret, const struct out *o, const struct out_head *head, const struct err *failure, struct err *e)
{
	AUTO_JSON *j = json_object();
	char t[32];

	time_format(t, head->now);
	json_add_str(j, "schema", head->schema);
	json_add_str(j, "tool_version", head->tool_version);
	json_add_str(j, "time", t);
	if (head->now_given)
		json_add_bool(j, "time_given", true);
	if (head->simulated)
		json_add_bool(j, "simulated", true);
	json_add_str(j, "result", result_word(o, head));
	json_add_u64(j, "exit_code", (uint64_t)head->exit_code);
	json_add_copy(j, "checks", o->checks);
	json_add_copy(j, "claims", o->claims);
	add_insecure(j, o, head);
	if (failure && failure->code != EC_OK) {
		struct json *f = json_add_object(j, "error");

		json_add_str(f, "message", failure->msg);
		if (failure->hint[0])
			json_add_str(f, "hint", failure->hint);
	}
	if (json_write(ret, j, false, e))
		return -1;
	buf_byte(ret, '\n');
	return buf_check(ret, e);
}

/* --- text --------------------------------------------------------------------------------------------- */

static void put_safe(struct buf *b, const char *s)
{
	struct err shown;	/* for its escaping of control bytes: claims come from outside */

	while (*s) {
		char part[400];
		size_t n = strlen(s);

		if (n >= sizeof part) {
			n = sizeof part - 1;
			while (n > 1 && ((unsigned char)s[n] & 0xc0) == 0x80)
				n--;
		}
		memcpy(part, s, n);
		part[n] = 0;
		err_set(&shown, EC_OK, "%s", part);
		buf_puts(b, shown.msg);
		s += n;
	}
}

/* A value that fits on one line. */
static bool is_plain(const struct json *v)
{
	return !json_is_object(v) && !json_is_array(v);
}

static void put_plain(struct buf *b, const struct json *v)
{
	const char *s = json_string(v);

	if (s)
		put_safe(b, s);
	else if (json_is_null(v))
		buf_puts(b, "-");
	else if (json_is_bool(v))
		buf_puts(b, json_true(v) ? "yes" : "no");
	else
		json_write(b, v, false, NULL);
}

static size_t width(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool is_table(const struct json *arr)
{
	const struct json *row, *cell;

	for (row = json_first(arr); row; row = json_next(row)) {
		if (!json_is_object(row))
			return false;
		for (cell = json_first(row); cell; cell = json_next(cell))
			if (!is_plain(cell))
				return false;
	}
	return json_is_array(arr) && json_count(arr) > 0;
}

#define COLUMNS_MAX 32

/* Array of flat objects: the members of the first row name the columns. */
static void put_table(struct buf *b, const struct json *arr, int depth)
{
	const struct json *first = json_first(arr), *row, *cell;
	const char *name[COLUMNS_MAX];
	size_t w[COLUMNS_MAX], n = 0;

	for (row = first; row; row = json_next(row))
		for (cell = json_first(row); cell; cell = json_next(cell)) {
			AUTO_BUF text = { 0 };
			size_t i = 0;

			while (i < n && strcmp(name[i], json_name(cell)))
				i++;
			if (i == COLUMNS_MAX)
				continue;
			if (i == n) {
				name[n] = json_name(cell);
				w[n++] = strlen(json_name(cell));
			}
			put_plain(&text, cell);
			if (width(buf_view(&text)) > w[i])
				w[i] = width(buf_view(&text));
		}
	for (row = NULL;; row = row ? json_next(row) : first) {
		if (row == NULL && b->bad)
			return;
		buf_printf(b, "%*s", 2 * depth, "");
		for (size_t i = 0; i < n; i++) {
			AUTO_BUF text = { 0 };

			if (!row)
				put_safe(&text, name[i]);
			else if (json_get(row, name[i]))
				put_plain(&text, json_get(row, name[i]));
			buf_slice(b, buf_view(&text));
			if (i + 1 < n)
				buf_fill(b, ' ', w[i] + 2 - (width(buf_view(&text)) < w[i] ? width(buf_view(&text)) : w[i]));
		}
		while (b->n && b->p[b->n - 1] == ' ')
			b->n--;
		buf_byte(b, '\n');
		if (row && !json_next(row))
			return;
	}
}

static void put_value(struct buf *b, const struct json *v, int depth);

static void put_members(struct buf *b, const struct json *obj, int depth)
{
	const struct json *m;
	size_t w = 0;

	for (m = json_first(obj); m; m = json_next(m))
		if (is_plain(m) && json_name(m) && strlen(json_name(m)) > w)
			w = strlen(json_name(m));
	for (m = json_first(obj); m; m = json_next(m)) {
		buf_printf(b, "%*s", 2 * depth, "");
		if (json_name(m)) {
			put_safe(b, json_name(m));
			buf_puts(b, ":");
		} else {
			buf_puts(b, "-");
		}
		if (is_plain(m)) {
			buf_printf(b, "%*s", json_name(m) ? (int)(w - strlen(json_name(m)) + 1) : 1, "");
			put_plain(b, m);
			buf_byte(b, '\n');
		} else if (json_count(m)) {
			buf_byte(b, '\n');
			put_value(b, m, depth + 1);
		} else {
			buf_puts(b, " -\n");
		}
	}
}

static void put_value(struct buf *b, const struct json *v, int depth)
{
	if (depth > 32)
		return;
	if (is_table(v))
		put_table(b, v, depth);
	else
		put_members(b, v, depth);
}

static bool same(const struct json *a, const struct json *b, const char *name)
{
	return !strcmp(member(a, name), member(b, name));
}

/* The same check of another object, which passed as well, was left out for the same reason, or found the very same. */
static bool went_alike(const struct json *a, const struct json *b)
{
	if (!member(a, "object")[0] || !member(b, "object")[0] || !same(a, b, "id") || !same(a, b, "result"))
		return false;
	if (!strcmp(member(a, "result"), "pass"))
		return true;
	return same(a, b, "hint") && (!strcmp(member(a, "result"), "skip") || (same(a, b, "actual") && same(a, b, "expected")));
}

/* Whose check it is; ret: of how many. */
static size_t put_objects(struct buf *b, const struct json *c)
{
	size_t n = 0;

	for (const struct json *o = c; o; o = json_next(o)) {
		if (o != c && !went_alike(c, o))
			continue;
		buf_puts(b, n++ ? ", " : " of ");
		put_safe(b, member(o, "object"));
	}
	return n;
}

static bool shown_before(const struct json *all, const struct json *c)
{
	for (const struct json *o = json_first(all); o != c; o = json_next(o))
		if (went_alike(o, c))
			return true;
	return false;
}

static void put_check(struct buf *b, const struct json *c)
{
	const char *res = json_string(json_get(c, "result")), *s;
	size_t objects = 0;
	bool common;		/* what was seen and wanted: of all that are named */

	buf_printf(b, "%-5s ", res ? res : "?");
	put_safe(b, json_string(json_get(c, "id")) ? json_string(json_get(c, "id")) : "?");
	if (member(c, "object")[0])
		objects = put_objects(b, c);
	common = objects <= 1 || !strcmp(member(c, "result"), "fail") || !strcmp(member(c, "result"), "warn");
	s = json_string(json_get(c, "actual"));
	if (s && common) {
		buf_puts(b, "  ");
		put_safe(b, s);
	}
	s = json_string(json_get(c, "expected"));
	if (s && res && strcmp(res, "pass") && common) {
		buf_puts(b, "  (wanted ");
		put_safe(b, s);
		buf_puts(b, ")");
	}
	buf_byte(b, '\n');
	s = json_string(json_get(c, "hint"));
	if (s && res && strcmp(res, "pass")) {
		buf_puts(b, "        ");
		put_safe(b, s);
		buf_byte(b, '\n');
	}
}

static bool skipped(const struct json *c)	/* and nothing was seen, either */
{
	return !strcmp(member(c, "result"), "skip") && !member(c, "actual")[0];
}

static bool named_before(const struct json *first, const struct json *c)	/* of another object */
{
	for (const struct json *o = first; member(c, "object")[0] && o != c; o = json_next(o))
		if (skipped(o) && !strcmp(member(o, "id"), member(c, "id")) && !strcmp(member(o, "hint"), member(c, "hint")))
			return true;
	return false;
}

/* Many checks have nothing to compare with: those of one reason share a paragraph; those without one do not apply here. */
static void put_skipped(struct buf *b, const struct json *first)
{
	const char *why = member(first, "hint");
	size_t column;

	buf_puts(b, "skip  ");
	put_safe(b, why);
	buf_puts(b, ":\n     ");
	column = 5;
	for (const struct json *c = first; c; c = json_next(c)) {
		const char *id = member(c, "id");

		if (!skipped(c) || strcmp(member(c, "hint"), why) || named_before(first, c))
			continue;
		if (column > 5 && column + strlen(id) > 100) {
			buf_puts(b, "\n     ");
			column = 5;
		}
		buf_byte(b, ' ');
		put_safe(b, id);
		column += strlen(id) + 1;
	}
	buf_byte(b, '\n');
}

static void put_checks(struct buf *b, const struct json *all)
{
	for (const struct json *c = json_first(all); c; c = json_next(c))
		if (!skipped(c) && !shown_before(all, c))
			put_check(b, c);
	for (const struct json *c = json_first(all); c; c = json_next(c)) {
		const struct json *before = json_first(all);

		if (!skipped(c) || !member(c, "hint")[0])
			continue;
		while (before != c && !(skipped(before) && !strcmp(member(before, "hint"), member(c, "hint"))))
			before = json_next(before);
		if (before == c)	/* the first one of its reason */
			put_skipped(b, c);
	}
}

int out_human(struct buf *ret, const struct out *o, const struct out_head *head, struct err *e)
{
	bool shown;

	if (o->data.n) {
		buf_slice(ret, buf_view(&o->data));
		return buf_check(ret, e);
	}
	if (o->text.n)
		buf_slice(ret, buf_view(&o->text));
	else
		put_value(ret, o->brief ? o->brief : o->claims, 0);
	put_checks(ret, o->checks);
	shown = ret->n || head->exit_code == EC_OK;	/* else there is no result that could have been weakened */
	for (size_t i = 0; shown && head->insecure && i < head->insecure->n; i++)
		buf_printf(ret, "insecure: --%s was given\n", head->insecure->v[i]);
	for (const struct json *x = json_first(o->insecure); x; x = json_next(x)) {
		buf_puts(ret, "insecure: ");
		put_plain(ret, x);
		buf_byte(ret, '\n');
	}
	if (shown && head->now_given) {
		char t[32];

		time_format(t, head->now);
		buf_printf(ret, "time: as of %s (given)\n", t);
	}
	if (o->verdict.n) {
		buf_slice(ret, buf_view(&o->verdict));
		buf_byte(ret, '\n');
	}
	return buf_check(ret, e);
}
