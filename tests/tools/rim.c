/* SPDX-License-Identifier: Apache-2.0 */
/* rim ROOT TIME FILE..: for scripts/interop-rim: one line for each manifest, "good INDEXES" or the first thing that does not hold.  ROOT: SHA-256 of
 * the root in hex, or "nvidia". */

#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "codec/hex64.h"
#include "gpu/rim.h"

static int read_file(struct buf *ret, const char *path)
{
	uint8_t part[65536];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return -1;
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(ret, part, n);
	fclose(f);
	return buf_check(ret, NULL);
}

int main(int argc, char **argv)
{
	uint8_t sha[32];
	const uint8_t *root = NULL;
	int64_t now = 0;

	if (argc < 4 || time_parse(&now, argv[2], NULL))
		return 2;
	if (strcmp(argv[1], "nvidia")) {
		if (hex_decode_n(sha, sizeof sha, argv[1], NULL))
			return 2;
		root = sha;
	}
	for (int i = 3; i < argc; i++) {
		AUTO_BUF in = { 0 };
		AUTO_RIM r = { 0 };
		struct err e = { 0 };

		if (read_file(&in, argv[i]))
			return 1;
		if (rim_parse(&r, buf_view(&in), &e) || rim_chain(&r, root, &e) || rim_dates(&r, now, &e) || rim_signed(&r, &e))
			printf("%d %s\n", e.code, e.msg);
		else
			printf("good %zu\n", r.n_active);
	}
	return 0;
}
