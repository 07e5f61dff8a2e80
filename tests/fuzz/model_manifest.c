/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a model folder: authenticated, but by whoever has the key.  What is accepted can be written, and reads the
 * same; no name leaves the folder. */
#include "model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_MANIFEST m = { 0 }, again = { 0 };
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	if (manifest_parse(&m, slice_of(p, n), &e))
		return 0;
	for (size_t i = 0; i < m.n; i++) {
		const char *name = m.file[i].name;

		if (*name == '/' || !*name || !strncmp(name, "../", 3) || strstr(name, "/../") || strstr(name, "//"))
			__builtin_trap();
		if (manifest_find(&m, name) != &m.file[i])
			__builtin_trap();
	}
	if (manifest_write(&text, &m, &e) || manifest_parse(&again, buf_view(&text), &e) || again.n != m.n)
		__builtin_trap();
	return 0;
}
