/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that somebody left for us: what is read can be written, and reads the same again. */
#include <stdlib.h>

#include "gpu/ccmode_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_BUF text = { 0 }, again = { 0 };
	struct ccjournal j, k;
	struct err e = { 0 };

	if (ccjournal_parse(&j, slice_of(p, n), &e))
		return 0;
	for (size_t i = 0; i < j.n; i++)
		if (strchr(j.v[i].bdf, '/') || strchr(j.v[i].driver, '/') || strchr(j.v[i].driver, '.'))
			abort();	/* they become paths */
	if (ccjournal_write(&text, &j, 0, &e) || ccjournal_parse(&k, buf_view(&text), &e) || ccjournal_write(&again, &k, 0, &e) ||
	    !slice_eq(buf_view(&text), buf_view(&again)))
		abort();
	return 0;
}
