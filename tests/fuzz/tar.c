/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a tar archive: whole listing, data read, paths cleaned. */
#include "codec/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct mem {
	struct slice s;
	size_t at;
};

static int mem_read(void *arg, uint8_t *p, size_t n, size_t *got, struct err *e)
{
	struct mem *m = arg;

	(void)e;
	*got = n < m->s.n - m->at ? n : m->s.n - m->at;
	if (*got)
		memcpy(p, m->s.p + m->at, *got);
	m->at += *got;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mem m = { { p, n }, 0 };
	struct tar t;
	bool end = false;

	tar_init(&t, &(struct tar_src){ mem_read, NULL, &m });
	while (!end) {
		AUTO_TAR_ENTRY x = { 0 };
		AUTO_BUF clean = { 0 };
		uint8_t piece[100];
		size_t got;

		if (tar_next(&x, &t, &end, NULL))
			return 0;
		if (end)
			break;
		if (!x.name.n || (x.type != TAR_FILE && x.size))
			__builtin_trap();
		if (!tar_path_clean(&clean, buf_view(&x.name), NULL) && clean.n &&
		    (clean.p[0] == '/' || memmem(clean.p, clean.n, "//", 2) || memchr(clean.p, 0, clean.n)))
			__builtin_trap();
		if (tar_read(&t, piece, sizeof piece, &got, NULL))
			return 0;
	}
	return 0;
}
