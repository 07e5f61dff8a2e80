/* SPDX-License-Identifier: Apache-2.0 */
/* A device tree from a hostile host. */
#include "tee/fdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	if (!fdt_describe(j, slice_of(p, n), &e) && json_write(&text, j, false, &e))
		abort();
	return 0;
}
