/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_JSON_INT_H
#define CVMBOX_CODEC_JSON_INT_H

/* Between the json_*.c files only.  A struct json is a cJSON node under another name.  Every number node, parsed or
 * built, holds its decimal text in valuestring: cJSON's own double would lose integers above 2^53. */

#include <cjson/cJSON.h>

#include "codec/json.h"

enum {
	JSON_MAX_DEPTH = 64,
	JSON_MAX_VALUES = 1 << 18,	/* in up to 16 MiB: each takes some 150 bytes of memory, and may be two bytes of text */
	JSON_MAX_NUMBER = 63,		/* characters; cJSON's number buffer ends there */
	JSON_BROKEN = 1 << 16		/* in cJSON.type, above cJSON's own bits: an adder failed below this node */
};

struct json_span {			/* where a number stands in the text */
	size_t at, n;
};

/* The whole grammar of RFC 8259 over text, without building anything; at most that many values.  Appends one json_span per
 * number, in order. */
int json_scan(struct buf *numbers, struct slice text, size_t most, struct err *e);

/* Length 1..4 of the valid UTF-8 sequence at p (n bytes left), 0 if there is none (RFC 3629: no surrogates,
 * no overlong forms, at most U+10FFFF). */
size_t utf8_length(const uint8_t *p, size_t n);

/* The shortest decimal that reads back as v, in the form of ECMAScript, which RFC 8785 prescribes.  v is finite. */
void json_real_text(char ret[static 48], double v);

static inline const cJSON *cj(const struct json *j)
{
	return (const cJSON *)(const void *)j;
}

static inline cJSON *cj_mut(struct json *j)
{
	return (cJSON *)(void *)j;
}

#endif
