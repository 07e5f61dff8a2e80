/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing and reading.  The text passes json_scan first, so that what cJSON sees is well-formed and small enough for
 * its recursion; what a grammar cannot say (duplicate names, range of numbers) is checked on the tree. */

#include <inttypes.h>
#include <math.h>

#include "codec/hex64.h"
#include "codec/json_int.h"

struct walk {
	struct slice text;
	const struct json_span *next, *end;	/* the numbers not yet met */
};

static int cmp_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* RFC 8259 section 4 leaves duplicates open; two readers that pick differently are an attack (RFC 7515 section 4). */
static int check_names(const cJSON *obj, struct err *e)
{
	const char **names;
	size_t n = 0, i = 0;
	int rc = 0;

	for (const cJSON *c = obj->child; c; c = c->next)
		n++;
	if (n < 2)
		return 0;
	names = calloc(n, sizeof *names);
	if (!names)
		return err_oom(e);
	for (const cJSON *c = obj->child; c; c = c->next)
		names[i++] = c->string;
	qsort(names, n, sizeof *names, cmp_name);
	for (i = 1; i < n && rc == 0; i++)
		if (!strcmp(names[i - 1], names[i]))
			rc = err_set(e, EC_FORMAT, "JSON object has member '%.64s' twice", names[i]);
	free(names);
	return rc;
}

/* The numbers of the tree come in the order of the text: each takes its literal. */
static int take_literal(struct walk *w, cJSON *c, struct err *e)
{
	char *text;

	if (w->next == w->end)
		return err_set(e, EC_BUG, "JSON tree has a number that the text has not");
	if (!isfinite(c->valuedouble))
		return err_set(e, EC_FORMAT, "JSON number '%.*s' is out of range", (int)w->next->n,
			       (const char *)w->text.p + w->next->at);
	text = cJSON_malloc(w->next->n + 1);
	if (!text)
		return err_oom(e);
	memcpy(text, w->text.p + w->next->at, w->next->n);
	text[w->next->n] = 0;
	c->valuestring = text;
	w->next++;
	return 0;
}

static int finish(struct walk *w, cJSON *c, struct err *e)	/* depth is bounded by json_scan */
{
	if (cJSON_IsNumber(c))
		return take_literal(w, c, e);
	if (cJSON_IsObject(c) && check_names(c, e))
		return -1;
	for (cJSON *k = c->child; k; k = k->next)
		if (finish(w, k, e))
			return -1;
	return 0;
}

/* Only our own authenticated manifests may be larger than 16 MiB. */
static size_t most_values(size_t max)
{
	return max > (size_t)16 << 20 ? max / 16 : JSON_MAX_VALUES;
}

int json_parse(struct json **ret, struct slice text, size_t max, struct err *e)
{
	AUTO_BUF numbers = { .max = SIZE_MAX / 2 };
	struct walk w = { .text = text };
	cJSON *tree;

	if (text.n > max)
		return err_set(e, EC_FORMAT, "JSON text is %zu bytes, more than %zu", text.n, max);
	if (json_scan(&numbers, text, most_values(max), e))
		return -1;
	tree = cJSON_ParseWithLengthOpts((const char *)text.p, text.n, NULL, false);
	if (!tree)	/* the grammar is right, so this is memory */
		return err_oom(e);
	w.next = (const struct json_span *)(const void *)numbers.p;
	w.end = w.next ? w.next + numbers.n / sizeof *w.next : NULL;
	if (finish(&w, tree, e)) {
		cJSON_Delete(tree);
		return -1;
	}
	if (w.next != w.end) {
		cJSON_Delete(tree);
		return err_set(e, EC_BUG, "JSON text has a number that the tree has not");
	}
	*ret = (struct json *)(void *)tree;
	return 0;
}

void json_free(struct json *j)
{
	cJSON_Delete(cj_mut(j));
}

void json_cleanup(struct json **j)
{
	json_free(*j);
	*j = NULL;
}

static const struct json *as_json(const cJSON *c)
{
	return (const struct json *)(const void *)c;
}

/* --- reading ----------------------------------------------------------------------------------------- */

bool json_is_object(const struct json *j)
{
	return j && cJSON_IsObject(cj(j));
}

bool json_is_array(const struct json *j)
{
	return j && cJSON_IsArray(cj(j));
}

bool json_is_string(const struct json *j)
{
	return j && cJSON_IsString(cj(j));
}

bool json_is_number(const struct json *j)
{
	return j && cJSON_IsNumber(cj(j));
}

bool json_is_bool(const struct json *j)
{
	return j && cJSON_IsBool(cj(j));
}

bool json_is_null(const struct json *j)
{
	return j && cJSON_IsNull(cj(j));
}

const struct json *json_first(const struct json *j)
{
	return json_is_object(j) || json_is_array(j) ? as_json(cj(j)->child) : NULL;
}

const struct json *json_next(const struct json *j)
{
	return j ? as_json(cj(j)->next) : NULL;
}

const char *json_name(const struct json *member)
{
	return member ? cj(member)->string : NULL;
}

size_t json_count(const struct json *j)
{
	size_t n = 0;

	for (const struct json *c = json_first(j); c; c = json_next(c))
		n++;
	return n;
}

static const struct json *get_n(const struct json *obj, struct slice name)
{
	if (!json_is_object(obj))
		return NULL;
	for (const struct json *c = json_first(obj); c; c = json_next(c))
		if (slice_eqs(name, json_name(c)))
			return c;
	return NULL;
}

const struct json *json_get(const struct json *obj, const char *name)
{
	return get_n(obj, slice_str(name));
}

const struct json *json_at(const struct json *arr, size_t i)
{
	const struct json *c = json_is_array(arr) ? json_first(arr) : NULL;

	while (c && i--)
		c = json_next(c);
	return c;
}

/* RFC 6901 section 4: digits without a leading zero; "-" and all else name no existing element. */
static const struct json *at_text(const struct json *arr, struct slice index)
{
	size_t i = 0;

	if (index.n == 0 || index.n > 9 || (index.n > 1 && index.p[0] == '0'))
		return NULL;
	for (size_t k = 0; k < index.n; k++) {
		if (index.p[k] < '0' || index.p[k] > '9')
			return NULL;
		i = i * 10 + (size_t)(index.p[k] - '0');
	}
	return json_at(arr, i);
}

/* One reference token, "~1" being '/' and "~0" being '~'; advances *p behind it. */
static bool pointer_token(struct buf *ret, const char **p)
{
	for (; **p && **p != '/'; (*p)++) {
		if (**p != '~') {
			buf_byte(ret, (uint8_t)**p);
			continue;
		}
		(*p)++;
		if (**p != '0' && **p != '1')
			return false;
		buf_byte(ret, **p == '0' ? '~' : '/');
	}
	return !ret->bad;
}

const struct json *json_path(const struct json *obj, const char *pointer)
{
	AUTO_BUF token = { 0 };

	while (obj && *pointer) {
		if (*pointer++ != '/')
			return NULL;
		buf_reset(&token);
		if (!pointer_token(&token, &pointer))
			return NULL;
		obj = json_is_array(obj) ? at_text(obj, buf_view(&token)) : get_n(obj, buf_view(&token));
	}
	return obj;
}

const char *json_string(const struct json *j)
{
	return json_is_string(j) ? cj(j)->valuestring : NULL;
}

bool json_true(const struct json *j)
{
	return j && cJSON_IsTrue(cj(j));
}

static bool magnitude(uint64_t *ret, const char *digits)
{
	uint64_t v = 0;

	if (!*digits)
		return false;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*digits - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

bool json_u64(const struct json *j, uint64_t *ret)
{
	return json_is_number(j) && magnitude(ret, cj(j)->valuestring);
}

bool json_i64(const struct json *j, int64_t *ret)
{
	const uint64_t lowest = (uint64_t)INT64_MAX + 1;
	const char *text;
	uint64_t v;
	bool minus;

	if (!json_is_number(j))
		return false;
	text = cj(j)->valuestring;
	minus = *text == '-';
	if (!magnitude(&v, text + minus) || v > lowest - !minus)
		return false;
	*ret = !minus ? (int64_t)v : v == lowest ? INT64_MIN : -(int64_t)v;
	return true;
}

bool json_real(const struct json *j, double *ret)
{
	if (!json_is_number(j))
		return false;
	*ret = strtod(cj(j)->valuestring, NULL);
	return true;
}

/* --- comparing --------------------------------------------------------------------------------------- */

/* Integers have one way to be written, so they are compared as text; 1 and 1.0 are the same number. */
static bool same_number(const cJSON *a, const cJSON *b)
{
	const bool integers = !strpbrk(a->valuestring, ".eE") && !strpbrk(b->valuestring, ".eE");

	if (!strcmp(a->valuestring, b->valuestring))
		return true;
	return !integers && !(strtod(a->valuestring, NULL) < strtod(b->valuestring, NULL)) &&
	       !(strtod(a->valuestring, NULL) > strtod(b->valuestring, NULL));
}

static bool compare(const struct json *wanted, const struct json *seen, bool whole);

static bool members_hold(const struct json *wanted, const struct json *seen, bool whole)
{
	if (whole && json_count(wanted) != json_count(seen))
		return false;
	for (const struct json *m = json_first(wanted); m; m = json_next(m))
		if (!compare(m, json_get(seen, json_name(m)), whole))
			return false;
	return true;
}

static bool elements_equal(const struct json *a, const struct json *b)
{
	const struct json *x = json_first(a), *y = json_first(b);

	for (; x && y; x = json_next(x), y = json_next(y))
		if (!compare(x, y, true))
			return false;
	return !x && !y;
}

static bool compare(const struct json *wanted, const struct json *seen, bool whole)
{
	if (json_is_object(wanted))
		return json_is_object(seen) && members_hold(wanted, seen, whole);
	if (json_is_array(wanted))
		return json_is_array(seen) && elements_equal(wanted, seen);
	if (json_is_string(wanted))
		return json_is_string(seen) && !strcmp(json_string(wanted), json_string(seen));
	if (json_is_number(wanted))
		return json_is_number(seen) && same_number(cj(wanted), cj(seen));
	if (json_is_bool(wanted))
		return json_is_bool(seen) && json_true(wanted) == json_true(seen);
	return json_is_null(wanted) && json_is_null(seen);
}

bool json_holds(const struct json *wanted, const struct json *seen)
{
	return !wanted || compare(wanted, seen, false);
}

/* --- reading with an error text ---------------------------------------------------------------------- */

static const char *kind_of(const struct json *j)
{
	return json_is_object(j) ? "an object" : json_is_array(j) ? "an array" : json_is_string(j) ? "a string" :
	       json_is_number(j) ? "a number" : json_is_bool(j) ? "a boolean" : "null";
}

static const struct json *need(const struct json *obj, const char *name, const char *what, struct err *e)
{
	const struct json *j = json_get(obj, name);

	if (!j && obj && !json_is_object(obj))
		err_set(e, EC_FORMAT, "%s: wanted an object, is %s", what, kind_of(obj));
	else if (!j)
		err_set(e, EC_FORMAT, "%s has no member '%s'", what, name);
	return j;
}

static int wrong_kind(const struct json *j, const char *name, const char *what, const char *wanted, struct err *e)
{
	return err_set(e, EC_FORMAT, "member '%s' of %s: wanted %s, is %s", name, what, wanted, kind_of(j));
}

int json_need_str(const char **ret, const struct json *obj, const char *name, const char *what, struct err *e)
{
	const struct json *j = need(obj, name, what, e);

	if (!j)
		return -1;
	if (!json_is_string(j))
		return wrong_kind(j, name, what, "a string", e);
	*ret = json_string(j);
	return 0;
}

int json_need_u64(uint64_t *ret, const struct json *obj, const char *name, uint64_t max, const char *what,
		  struct err *e)
{
	const struct json *j = need(obj, name, what, e);
	uint64_t v;

	if (!j)
		return -1;
	if (!json_is_number(j))
		return wrong_kind(j, name, what, "an integer", e);
	if (!json_u64(j, &v) || v > max)
		return err_set(e, EC_FORMAT, "member '%s' of %s: wanted an integer from 0 to %" PRIu64 ", is %s", name,
			       what, max, cj(j)->valuestring);
	*ret = v;
	return 0;
}

int json_need_obj(const struct json **ret, const struct json *obj, const char *name, const char *what, struct err *e)
{
	const struct json *j = need(obj, name, what, e);

	if (!j)
		return -1;
	if (!json_is_object(j))
		return wrong_kind(j, name, what, "an object", e);
	*ret = j;
	return 0;
}

int json_need_arr(const struct json **ret, const struct json *obj, const char *name, const char *what, struct err *e)
{
	const struct json *j = need(obj, name, what, e);

	if (!j)
		return -1;
	if (!json_is_array(j))
		return wrong_kind(j, name, what, "an array", e);
	*ret = j;
	return 0;
}

int json_only(const struct json *obj, const char *const *names, const char *what, struct err *e)
{
	if (!json_is_object(obj))
		return err_set(e, EC_FORMAT, "%s: wanted an object, is %s", what, obj ? kind_of(obj) : "absent");
	for (const struct json *c = json_first(obj); c; c = json_next(c)) {
		size_t i = 0;

		while (names[i] && strcmp(names[i], json_name(c)))
			i++;
		if (!names[i])
			return err_set(e, EC_FORMAT, "unknown member '%.64s' in %s", json_name(c), what);
	}
	return 0;
}

static int need_decoded(struct buf *ret, const struct json *obj, const char *name, const char *what,
			int (*decode)(struct buf *, struct slice, struct err *), struct err *e)
{
	const char *text;

	if (json_need_str(&text, obj, name, what, e))
		return -1;
	if (decode(ret, slice_str(text), e))
		return err_ctx(e, "member '%s' of %s", name, what);
	return 0;
}

int json_need_b64(struct buf *ret, const struct json *obj, const char *name, const char *what, struct err *e)
{
	return need_decoded(ret, obj, name, what, b64_decode, e);
}

int json_need_b64url(struct buf *ret, const struct json *obj, const char *name, const char *what, struct err *e)
{
	return need_decoded(ret, obj, name, what, b64url_decode, e);
}
