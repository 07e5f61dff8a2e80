/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a RIM service: see rim_answer.h. */

#include <strings.h>

#include "codec/hex64.h"
#include "crypto/hash.h"
#include "evidence/rim_answer.h"

#define WHAT "the RIM service's answer"

bool rim_answer_recognise(const struct json *j)
{
	return json_get(j, "rim") && json_get(j, "sha256");
}

static int check_id(const struct json *j, const char *id, struct err *e)
{
	const char *said;

	if (!id)
		return 0;
	if (json_need_str(&said, j, "id", WHAT, e))
		return -1;
	return strcmp(said, id) ? err_set(e, EC_FORMAT, WHAT " is about '%s', asked was '%s'", said, id) : 0;
}

static int check_format(const struct json *j, struct err *e)
{
	const struct json *m = json_get(j, "rim_format");
	const char *format = json_string(m);

	if (!m)
		return 0;
	if (!format)
		return err_set(e, EC_FORMAT, "member 'rim_format' of " WHAT " is not a string");
	return strcasecmp(format, "TCG") ? err_set(e, EC_ABSENT, "the reference integrity manifest comes as '%s', this version reads TCG", format) : 0;
}

static int check_digest(const struct json *j, struct slice document, struct err *e)
{
	uint8_t want[32], seen[32];
	AUTO_BUF hex = { 0 };
	const char *said;

	if (json_need_str(&said, j, "sha256", WHAT, e) || hash_of(seen, HASH_SHA256, document, e))
		return -1;
	if (hex_decode_n(want, sizeof want, said, e))
		return err_ctx(e, "member 'sha256' of " WHAT);
	if (!memcmp(want, seen, sizeof want))
		return 0;
	buf_hex(&hex, slice_of(seen, sizeof seen));
	return err_set(e, EC_FORMAT, "the document in " WHAT " has SHA-256 %s, stated is %s", buf_cstr(&hex), said);
}

int rim_answer_open(struct buf *ret, const struct json *j, const char *id, struct err *e)
{
	AUTO_BUF document = { .max = RIM_DOCUMENT_MAX };
	const char *text;

	if (check_id(j, id, e) || check_format(j, e) || json_need_str(&text, j, "rim", WHAT, e))
		return -1;
	if (strlen(text) > RIM_DOCUMENT_MAX / 3 * 4)
		return err_set(e, EC_FORMAT, "the document in " WHAT " is larger than %zu bytes", RIM_DOCUMENT_MAX);
	if (b64_decode_lax(&document, slice_str(text), e))
		return err_ctx(e, "member 'rim' of " WHAT);
	if (document.n == 0)
		return err_set(e, EC_FORMAT, WHAT " holds an empty document");
	if (check_digest(j, buf_view(&document), e))
		return -1;
	buf_slice(ret, buf_view(&document));
	return buf_check(ret, e);
}

int rim_unpack(struct buf *ret, struct slice json, const char *id, struct err *e)
{
	AUTO_JSON *j = NULL;

	if (json_parse(&j, json, RIM_ANSWER_MAX, e))
		return err_ctx(e, WHAT);
	return rim_answer_open(ret, j, id, e);
}
