/* SPDX-License-Identifier: Apache-2.0 */
/* What parses must write, read back, and write the same; the canonical form must be its own canonical form. */

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct json *again(const struct buf *text)
{
	struct json *j = NULL;
	struct err e = { 0 };

	if (json_parse(&j, buf_view(text), SIZE_MAX, &e))
		__builtin_trap();
	return j;
}

static void same(const struct buf *a, const struct buf *b)
{
	if (!slice_eq(buf_view(a), buf_view(b)))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_BUF a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, pretty = { 0 };
	AUTO_JSON *j = NULL, *k = NULL, *l = NULL, *m = NULL;
	struct err e = { 0 };

	if (json_parse(&j, slice_of(p, n), 1 << 16, &e))
		return 0;
	if (json_write(&a, j, false, &e) || json_canonical(&c, j, &e) || json_write(&pretty, j, true, &e))
		__builtin_trap();
	k = again(&a);
	if (json_write(&b, k, false, &e))
		__builtin_trap();
	same(&a, &b);
	l = again(&c);
	if (json_canonical(&d, l, &e))
		__builtin_trap();
	same(&c, &d);
	m = again(&pretty);
	buf_reset(&b);
	if (json_write(&b, m, false, &e))
		__builtin_trap();
	same(&a, &b);
	return 0;
}
