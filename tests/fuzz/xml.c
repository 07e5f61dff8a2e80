/* SPDX-License-Identifier: Apache-2.0 */
/* XML: a canonical form is XML again, and its own canonical form; that of each element, too. */

#include <stdlib.h>

#include "codec/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void stable(const struct xml_node *apex)
{
	AUTO_BUF once = { 0 }, twice = { 0 };
	AUTO_XML *again = NULL;
	struct err e = { 0 };

	if (xml_c14n(&once, apex, NULL, &e)) {
		if (e.code != EC_FORMAT || once.n)
			abort();
		return;
	}
	if (xml_parse(&again, buf_view(&once), once.n, NULL) || xml_c14n(&twice, xml_root(again), NULL, NULL) ||
	    !slice_eq(buf_view(&once), buf_view(&twice)))
		abort();
}

static void walk(const struct xml_node *n, unsigned *left)
{
	AUTO_BUF text = { 0 };
	const char *uri, *local;
	struct slice v, same;
	struct err e = { 0 };

	if (!*left)
		return;
	--*left;
	stable(n);
	for (size_t i = 0; xml_attr_at(&uri, &local, &v, n, i); i++)
		if (!xml_attr(&same, n, uri, local) || same.p != v.p)
			abort();
	if (!xml_text(&text, n, &e) != !xml_first(n))
		abort();
	for (n = xml_first(n); n; n = xml_next(n))
		walk(n, left);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_XML *x = NULL;
	unsigned left = 12;	/* each element costs its whole subtree */
	struct err e = { 0 };

	if (!xml_parse(&x, slice_of(p, n), 1 << 20, &e))
		walk(xml_root(x), &left);
	else if (e.code != EC_FORMAT || x)
		abort();
	return 0;
}
