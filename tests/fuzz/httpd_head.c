/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP request: whatever is accepted has to be what the handlers rely on. */

#include <stdlib.h>

#include "net/httpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void inside(const struct httpd_head *h, const char *s)
{
	if (s && *s && (s < h->text || s + strlen(s) > h->text + h->text_n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct httpd_head h = { 0 };
	const char *why = NULL;
	const int status = httpd_head_parse(&h, (struct slice){ p, n }, &why);

	if (status && (status < 400 || status > 599 || !why || !*why || h.text))
		abort();
	if (status)
		return 0;
	if (h.path[0] != '/' || strpbrk(h.path, " ?#\r\n") || (h.cookie && strpbrk(h.cookie, "\r\n")))
		abort();
	inside(&h, h.path);
	inside(&h, h.query);
	inside(&h, h.cookie);
	inside(&h, h.authorization);
	inside(&h, h.content_type);
	httpd_head_free(&h);
	return 0;
}
