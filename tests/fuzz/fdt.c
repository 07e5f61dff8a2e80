/* SPDX-License-Identifier: Apache-2.0 */
/* A device tree from a hostile host: as it comes, and behind a header that is in order so that the nodes are reached. */
#include "base/cursor.h"
#include "tee/fdt.h"

#define STRUCT_AT 56

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void describe(struct slice blob)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	if (!fdt_describe(j, blob, &e) && json_write(&text, j, false, &e))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char strings[] = "compatible\0model";
	AUTO_BUF b = { 0 };
	const uint32_t nodes = (uint32_t)(n & ~(size_t)3);

	describe(slice_of(p, n));
	buf_be32(&b, 0xd00dfeed);
	buf_be32(&b, (uint32_t)(STRUCT_AT + nodes + sizeof strings));
	buf_be32(&b, STRUCT_AT);
	buf_be32(&b, STRUCT_AT + nodes);
	buf_be32(&b, 40);
	buf_be32(&b, 17);
	buf_be32(&b, 16);
	buf_be32(&b, 0);
	buf_be32(&b, sizeof strings);
	buf_be32(&b, nodes);
	buf_fill(&b, 0, 16);
	buf_put(&b, p, nodes);
	buf_put(&b, strings, sizeof strings);
	describe(buf_view(&b));
	return 0;
}
