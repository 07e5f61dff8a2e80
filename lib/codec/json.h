/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_JSON_H
#define CVMBOX_CODEC_JSON_H

/* JSON (RFC 8259), strict, for hostile input, and the tree that results are made of.  The only
 * room that knows cJSON.
 *
 * Parsing refuses (EC_FORMAT): text over max bytes, nesting over 64, over 2^18 values (where max is
 * over 16 MiB: one for 16 bytes of it), duplicate member names,
 * \u0000 in strings, invalid UTF-8, anything behind the value, numbers that are not finite or
 * longer than 63 characters.  Numbers keep their text, so integers of 64 bits are exact (json_u64,
 * json_i64: a literal with '.' or an exponent is no integer). */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json;
#define AUTO_JSON __attribute__((cleanup(json_cleanup))) struct json

int json_parse(struct json **ret, struct slice text, size_t max, struct err *e);
void json_free(struct json *j);		/* NULL allowed; only for roots */
void json_cleanup(struct json **j);

/* Reading.  Names are compared byte for byte.  All accept j == NULL (absent). */
const struct json *json_get(const struct json *obj, const char *name);		/* NULL: absent or not an object */
const struct json *json_path(const struct json *obj, const char *pointer);	/* RFC 6901 "/a/b/0"; NULL: absent */
const struct json *json_at(const struct json *arr, size_t i);
const struct json *json_first(const struct json *j);	/* first element or member */
const struct json *json_next(const struct json *j);	/* its sibling */
const char *json_name(const struct json *member);	/* member name */
size_t json_count(const struct json *j);
bool json_is_object(const struct json *j);
bool json_is_array(const struct json *j);
bool json_is_string(const struct json *j);
bool json_is_number(const struct json *j);
bool json_is_bool(const struct json *j);
bool json_is_null(const struct json *j);	/* JSON null; false when absent */
const char *json_string(const struct json *j);		/* NULL if not a string */
bool json_true(const struct json *j);			/* is a bool and true */
bool json_u64(const struct json *j, uint64_t *ret);		/* exact integer number (not a string) in range */
bool json_i64(const struct json *j, int64_t *ret);
bool json_real(const struct json *j, double *ret);
/* Is all that is wanted there?  Objects: every wanted member is in seen and holds, others may be there too; all else is equal: arrays
 * element by element (objects in them member by member), numbers by value (integers exactly).  NULL wants nothing, and holds nothing. */
bool json_holds(const struct json *wanted, const struct json *seen);

/* The same with an error text "member 'x' of WHAT: wanted a string, is a number".  what names the
 * object for people. */
int json_need_str(const char **ret, const struct json *obj, const char *name, const char *what, struct err *e);
int json_need_u64(uint64_t *ret, const struct json *obj, const char *name, uint64_t max, const char *what, struct err *e);
int json_need_obj(const struct json **ret, const struct json *obj, const char *name, const char *what, struct err *e);
int json_need_arr(const struct json **ret, const struct json *obj, const char *name, const char *what, struct err *e);
/* Members other than those in names (NULL ended) are an error: "unknown member 'x' in WHAT". */
int json_only(const struct json *obj, const char *const *names, const char *what, struct err *e);
/* String member in base64 (standard, padded) or base64url (no padding), decoded; appended to ret. */
int json_need_b64(struct buf *ret, const struct json *obj, const char *name, const char *what, struct err *e);
int json_need_b64url(struct buf *ret, const struct json *obj, const char *name, const char *what, struct err *e);

/* Building.  Adders copy their input, keep the order of insertion, take the child over, and are
 * sticky: out of memory marks the root as broken and json_write fails.  A NULL obj is ignored, so
 * chains need no checks.  name NULL: append to an array. */
struct json *json_object(void);
struct json *json_array(void);
struct json *json_add_object(struct json *to, const char *name);	/* returns the new child */
struct json *json_add_array(struct json *to, const char *name);
void json_add_str(struct json *to, const char *name, const char *value);	/* NULL value: null; invalid UTF-8 is replaced */
void json_add_fmt(struct json *to, const char *name, const char *fmt, ...) PRINTF(3, 4);
void json_add_u64(struct json *to, const char *name, uint64_t v);	/* above 2^53: as a string (interface.md 3) */
void json_add_i64(struct json *to, const char *name, int64_t v);
void json_add_int(struct json *to, const char *name, uint64_t v);	/* always a number, exact digits */
void json_add_real(struct json *to, const char *name, double v);	/* shortest exact form; NaN and infinity: null */
void json_add_bool(struct json *to, const char *name, bool v);
void json_add_null(struct json *to, const char *name);
void json_add_time(struct json *to, const char *name, int64_t t);	/* RFC 3339, UTC */
void json_add_hex(struct json *to, const char *name, struct slice bytes);
void json_add_b64(struct json *to, const char *name, struct slice bytes);
void json_add_b64url(struct json *to, const char *name, struct slice bytes);
void json_add_bytes(struct json *to, const char *name, struct slice bytes);	/* array of numbers 0..255 */
void json_add_copy(struct json *to, const char *name, const struct json *value);	/* deep copy */
void json_add_take(struct json *to, const char *name, struct json *value);		/* value moves in */
struct json *json_copy(const struct json *value, struct err *e);	/* deep; a root of its own */
void json_remove(struct json *obj, const char *name);

/* Writing.  Compact unless pretty (two spaces).  json_write keeps member order and does not escape
 * '/'.  json_canonical is RFC 8785 (JCS); its numbers are IEEE doubles by definition, so integers
 * above 2^53 are rounded there.  Both append. */
int json_write(struct buf *ret, const struct json *j, bool pretty, struct err *e);
int json_canonical(struct buf *ret, const struct json *j, struct err *e);

#endif
