/* SPDX-License-Identifier: Apache-2.0 */
/* Building trees.  A failed adder marks the node it was to fill; json_write refuses a tree with such a mark anywhere,
 * so that a result with a hole is never printed. */

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

#include "base/host.h"
#include "codec/hex64.h"
#include "codec/json_int.h"

#define EXACT_MAX (UINT64_C(1) << 53)	/* interface.md 3: integers above go out as strings */

static struct json *attach(struct json *to, const char *name, cJSON *item)
{
	cJSON *t = cj_mut(to);
	bool good = false;

	if (!t) {
		cJSON_Delete(item);
		return NULL;
	}
	if (item && name && cJSON_IsObject(t))
		good = cJSON_AddItemToObject(t, name, item);
	else if (item && !name && cJSON_IsArray(t))
		good = cJSON_AddItemToArray(t, item);
	if (good)
		return (struct json *)(void *)item;
	cJSON_Delete(item);
	t->type |= JSON_BROKEN;
	return NULL;
}

struct json *json_object(void)
{
	return (struct json *)(void *)cJSON_CreateObject();
}

struct json *json_array(void)
{
	return (struct json *)(void *)cJSON_CreateArray();
}

struct json *json_add_object(struct json *to, const char *name)
{
	return attach(to, name, cJSON_CreateObject());
}

struct json *json_add_array(struct json *to, const char *name)
{
	return attach(to, name, cJSON_CreateArray());
}

/* Bytes that are no UTF-8 become U+FFFD: they may come from a device or a peer, and the output stays JSON. */
static void add_text(struct json *to, const char *name, struct slice s)
{
	AUTO_BUF clean = { .max = SIZE_MAX / 2 };

	while (s.n) {
		const size_t n = utf8_length(s.p, s.n);

		if (n)
			buf_put(&clean, s.p, n);
		else
			buf_puts(&clean, "\xef\xbf\xbd");
		s.p += n ? n : 1;
		s.n -= n ? n : 1;
	}
	attach(to, name, clean.bad ? NULL : cJSON_CreateString(buf_cstr(&clean)));
}

void json_add_str(struct json *to, const char *name, const char *value)
{
	if (value)
		add_text(to, name, slice_str(value));
	else
		json_add_null(to, name);
}

void json_add_fmt(struct json *to, const char *name, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		attach(to, name, NULL);
		return;
	}
	add_text(to, name, slice_of(text, (size_t)n));
	free(text);
}

static void add_number(struct json *to, const char *name, const char *text)
{
	const size_t n = strlen(text) + 1;
	cJSON *item = cJSON_CreateNumber(0);

	if (item) {
		item->valuestring = cJSON_malloc(n);
		if (item->valuestring) {
			memcpy(item->valuestring, text, n);
		} else {
			cJSON_Delete(item);
			item = NULL;
		}
	}
	attach(to, name, item);
}

void json_add_int(struct json *to, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, v);
	add_number(to, name, text);
}

void json_add_u64(struct json *to, const char *name, uint64_t v)
{
	if (v > EXACT_MAX)
		json_add_fmt(to, name, "%" PRIu64, v);
	else
		json_add_int(to, name, v);
}

void json_add_i64(struct json *to, const char *name, int64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, v);
	if (v > (int64_t)EXACT_MAX || v < -(int64_t)EXACT_MAX)
		json_add_str(to, name, text);
	else
		add_number(to, name, text);
}

void json_add_real(struct json *to, const char *name, double v)
{
	char text[48];

	if (!isfinite(v)) {	/* JSON has no word for it */
		json_add_null(to, name);
		return;
	}
	json_real_text(text, v);
	add_number(to, name, text);
}

void json_add_bool(struct json *to, const char *name, bool v)
{
	attach(to, name, cJSON_CreateBool(v));
}

void json_add_null(struct json *to, const char *name)
{
	attach(to, name, cJSON_CreateNull());
}

static void add_encoded(struct json *to, const char *name, struct slice bytes,
			void (*encode)(struct buf *, struct slice))
{
	AUTO_BUF text = { .max = SIZE_MAX / 2 };

	encode(&text, bytes);
	attach(to, name, text.bad ? NULL : cJSON_CreateString(buf_cstr(&text)));
}

void json_add_time(struct json *to, const char *name, int64_t t)
{
	char text[32];

	time_format(text, t);
	json_add_str(to, name, text);
}

void json_add_hex(struct json *to, const char *name, struct slice bytes)
{
	add_encoded(to, name, bytes, hex_encode);
}

void json_add_b64(struct json *to, const char *name, struct slice bytes)
{
	add_encoded(to, name, bytes, b64_encode);
}

void json_add_b64url(struct json *to, const char *name, struct slice bytes)
{
	add_encoded(to, name, bytes, b64url_encode);
}

void json_add_bytes(struct json *to, const char *name, struct slice bytes)
{
	struct json *arr = json_add_array(to, name);

	for (size_t i = 0; i < bytes.n; i++)
		json_add_int(arr, NULL, bytes.p[i]);
}

void json_add_copy(struct json *to, const char *name, const struct json *value)
{
	attach(to, name, value ? cJSON_Duplicate(cj(value), true) : NULL);
}

void json_add_take(struct json *to, const char *name, struct json *value)
{
	attach(to, name, cj_mut(value));
}

struct json *json_copy(const struct json *value, struct err *e)
{
	cJSON *c = value ? cJSON_Duplicate(cj(value), true) : NULL;

	if (!c) {
		err_oom(e);
		return NULL;
	}
	return (struct json *)c;
}

void json_remove(struct json *obj, const char *name)
{
	if (json_is_object(obj))
		cJSON_DeleteItemFromObjectCaseSensitive(cj_mut(obj), name);
}
