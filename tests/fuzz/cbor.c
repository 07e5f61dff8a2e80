/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR: what is read stays inside the input, adds up, and reads the same again. */
#include "codec/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void inside(struct slice all, struct slice part)
{
	if (part.n && (part.p < all.p || part.p + part.n > all.p + all.n))
		abort();
}

static void visit(const struct cbor *c, unsigned depth)
{
	struct rd r = cbor_open(c);
	struct cbor in, again;
	uint64_t k = 0;
	int64_t v;

	if (depth > CBOR_DEPTH)
		abort();
	inside(c->all, c->body);
	while (cbor_next(&r, &in)) {
		inside(c->body, in.all);
		if (cbor_parse(&again, in.all, NULL) || again.n != in.n || again.type != in.type)
			abort();
		if (c->type == CBOR_MAP && !(k & 1) && cbor_int(&in, &v) && !cbor_find(c, v, &again))
			abort();
		visit(&in, depth + 1);
		k++;
	}
	if (r.bad || rd_left(&r) || (c->type == CBOR_ARRAY && k != c->n) || (c->type == CBOR_MAP && k != 2 * c->n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_BUF b = { 0 };
	struct cbor c;
	struct err e = { 0 };

	if (n > 4096 || cbor_parse(&c, slice_of(p, n), &e))
		return 0;
	if (c.all.n != n)
		abort();
	visit(&c, 0);
	if (c.type == CBOR_UINT || c.type == CBOR_NEGATIVE) {	/* one way to write a number */
		cbor_put_head(&b, c.type, c.n);
		if (!slice_eq(buf_view(&b), c.all))
			abort();
	}
	return 0;
}
