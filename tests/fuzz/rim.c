/* SPDX-License-Identifier: Apache-2.0 */
/* Reference manifests: as they come, and again with a signature of our own, so that the code behind digest and signature is reached with any
 * content.  What is accepted is what was signed: a changed byte that still passes has to leave the canonical form as it was. */

#include <stdlib.h>

#include "../unit/rim_maker.c"	/* a fuzz target is one object */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

void test_fail(const char *file, int line, const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)fmt;
	abort();
}

/* Touches all it points to. */
static void sound(const struct rim *r)
{
	size_t active = 0;
	unsigned sum = 0;

	for (size_t i = 0; i < RIM_INDEXES; i++) {
		const struct rim_golden *g = &r->golden[i];

		if (g->n > RIM_ALTERNATIVES || (g->active && (!g->n || !g->there)))
			abort();
		for (size_t k = 0; k < g->n * 48; k++)
			sum += g->hash[k / 48][k % 48];
		active += g->active;
	}
	if (active != r->n_active || r->n_svn > RIM_SVNS || !r->name[0] || !r->version[0] || !r->sig.certs.n || sum == UINT32_MAX)
		abort();
}

static bool accepted(struct slice text)
{
	AUTO_RIM r = { 0 };
	struct err e = { 0 };
	int64_t from, until;

	if (rim_parse(&r, text, &e)) {
		if (e.code != EC_FORMAT || r.ctx)
			abort();
		return false;
	}
	sound(&r);
	rim_window(&from, &until, &r);
	if ((from <= RIM_MAKER_NOW && RIM_MAKER_NOW <= until) != !rim_dates(&r, RIM_MAKER_NOW, &e))
		abort();
	return !rim_chain(&r, rim_maker_root(), &e) && !rim_signed(&r, &e);
}

static void canonical(struct buf *ret, struct slice text)
{
	AUTO_XML *doc = NULL;

	if (xml_parse(&doc, text, RIM_MAX, NULL) || xml_c14n(ret, xml_root(doc), xml_child(xml_root(doc), DS, "Signature"), NULL))
		abort();
}

static void changed(const struct buf *whole, size_t at)
{
	AUTO_BUF was = { 0 }, is = { 0 };

	canonical(&was, buf_view(whole));
	whole->p[at] ^= 1;
	if (!accepted(buf_view(whole)))
		return;
	canonical(&is, buf_view(whole));
	if (!slice_eq(buf_view(&was), buf_view(&is)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_BUF again = { 0 };

	rim_recognise(slice_of(p, n));
	if (accepted(slice_of(p, n)))	/* nobody has this process's root */
		abort();
	if (!rim_sign(&again, slice_of(p, n), &(const struct rim_make){ 0 }) || !accepted(buf_view(&again)))
		return 0;
	changed(&again, (p[n / 2] * 256u + p[n / 3]) % again.n);
	return 0;
}
