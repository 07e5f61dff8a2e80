/* SPDX-License-Identifier: Apache-2.0 */
/* For scripts/interop-xml: the canonical form of each file named, beside it as FILE.c14n; the reason where there is none as FILE.error. */

#include <stdio.h>
#include <string.h>

#include "codec/xml.h"

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

static int write_file(const char *path, const char *suffix, const void *p, size_t n)
{
	AUTO_STR *name = str_printf(NULL, "%s%s", path, suffix);
	FILE *f = name ? fopen(name, "wb") : NULL;
	const bool ok = f && fwrite(p, 1, n, f) == n;

	return f && fclose(f) == 0 && ok ? 0 : -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		AUTO_BUF in = { 0 }, out = { 0 };
		AUTO_XML *x = NULL;
		struct err e = { 0 };
		int rc;

		if (read_file(&in, argv[i]))
			return 1;
		if (xml_parse(&x, buf_view(&in), (size_t)16 << 20, &e) || xml_c14n(&out, xml_root(x), NULL, &e))
			rc = write_file(argv[i], ".error", e.msg, strlen(e.msg));
		else
			rc = write_file(argv[i], ".c14n", out.p, out.n);
		if (rc)
			return 1;
	}
	return 0;
}
