/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of collateral of every kind, recognised by content: what is taken can be described, and is taken again as the same.  Then the
 * bytes as a document in a RIM service's answer, whose SHA-256 is right: it comes out as it went in, and not where a byte was changed. */

#include "codec/hex64.h"
#include "crypto/hash.h"
#include "evidence/collateral.h"
#include "evidence/rim_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void as_it_comes(struct slice in)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_JSON *list = json_array();
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	if (collateral_add(&c, in, "fuzz", "", &e)) {
		if (e.code == EC_OK || e.code == EC_BUG)
			abort();
		return;
	}
	if (c.n + c.keys.n == 0 || collateral_describe(list, &c, INT64_C(1770000000), &e) || json_write(&text, list, false, &e))
		abort();
	for (size_t i = 0; i < c.n; i++) {
		AUTO_COLLATERAL again = { 0 };

		if (c.v[i].type == COLLATERAL_CERTS)	/* PEM may hold lists, which are pieces of their own */
			continue;
		if (collateral_add(&again, buf_view(&c.v[i].data), "fuzz", "", &e) || again.n != 1 || again.v[0].type != c.v[i].type ||
		    !slice_eq(buf_view(&again.v[0].data), buf_view(&c.v[i].data)))
			abort();
	}
}

static void in_an_answer(struct slice in)
{
	AUTO_BUF text = { 0 }, out = { 0 };
	uint8_t hash[32];
	struct err e = { 0 };

	if (hash_of(hash, HASH_SHA256, in, &e))
		abort();
	buf_puts(&text, "{\"id\":\"x\",\"sha256\":\"");
	buf_hex(&text, slice_of(hash, sizeof hash));
	buf_puts(&text, "\",\"rim\":\"");
	b64_encode(&text, in);
	buf_puts(&text, "\"}");
	if (rim_unpack(&out, buf_view(&text), "x", &e) || !slice_eq(buf_view(&out), in))
		abort();
	as_it_comes(buf_view(&text));
	buf_reset(&out);
	text.p[20 + in.p[0] % 64] ^= 1;		/* one digit of the SHA-256 */
	if (!rim_unpack(&out, buf_view(&text), "x", &e) || out.n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_BUF out = { 0 };
	struct err e = { 0 };

	as_it_comes(slice_of(p, n));
	if (rim_unpack(&out, slice_of(p, n), NULL, &e) && out.n)
		abort();
	if (n && n <= RIM_DOCUMENT_MAX)
		in_an_answer(slice_of(p, n));
	return 0;
}
