/* SPDX-License-Identifier: Apache-2.0 */
/* See pem.h. */

#include "codec/pem.h"

#include "codec/hex64.h"

static const uint8_t *find(struct slice in, struct slice what)
{
	return in.n ? memmem(in.p, in.n, what.p, what.n) : NULL;
}

bool pem_looks_like(struct slice text)
{
	return find(text, SLICE("-----BEGIN ")) != NULL;
}

/* "-----BEGIN LABEL-----"; leaves the cursor behind it. */
static bool begin(struct rd *r, struct slice *label)
{
	const struct slice head = SLICE("-----BEGIN "), dashes = SLICE("-----");
	const uint8_t *p = find(slice_of(r->p, rd_left(r)), head), *q;

	if (r->bad || !p)
		return false;
	p += head.n;
	q = find(slice_of(p, (size_t)(r->end - p)), dashes);
	if (!q || q - p > 64 || memchr(p, '\n', (size_t)(q - p))) {
		r->bad = true;
		return false;
	}
	*label = slice_of(p, (size_t)(q - p));
	r->p = q + dashes.n;
	return true;
}

bool pem_next(struct rd *r, struct slice *label, struct slice *body)
{
	AUTO_BUF end = { 0 };
	struct slice l;
	const uint8_t *q;

	if (!begin(r, &l))
		return false;
	buf_puts(&end, "-----END ");
	buf_slice(&end, l);
	buf_puts(&end, "-----");
	q = end.bad ? NULL : find(slice_of(r->p, rd_left(r)), buf_view(&end));
	if (!q) {
		r->bad = true;
		return false;
	}
	*label = l;
	*body = slice_of(r->p, (size_t)(q - r->p));
	r->p = q + end.n;
	return true;
}

int pem_decode(struct buf *ret, struct slice body, struct err *e)
{
	if (memchr(body.p, ':', body.n))
		return err_set(e, EC_FORMAT, "PEM block has header lines: encrypted keys are not read here");
	if (b64_decode_lax(ret, body, e))
		return err_ctx(e, "cannot read PEM block");
	return 0;
}

void pem_put(struct buf *ret, const char *label, struct slice der)
{
	AUTO_BUF text = { .max = SIZE_MAX / 2 };

	b64_encode(&text, der);
	buf_printf(ret, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < text.n; at += 64) {
		buf_put(ret, text.p + at, text.n - at < 64 ? text.n - at : 64);
		buf_byte(ret, '\n');
	}
	buf_printf(ret, "-----END %s-----\n", label);
	ret->bad |= text.bad;
	mem_wipe(text.p, text.n);
}
