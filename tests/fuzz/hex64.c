/* SPDX-License-Identifier: Apache-2.0 */
/* What a strict decoder takes, its encoder must write back exactly; bytes must survive the way out and in. */

#include "codec/hex64.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check(struct slice text, int (*decode)(struct buf *, struct slice, struct err *),
		  void (*encode)(struct buf *, struct slice), bool exact)
{
	AUTO_BUF bytes = { 0 }, out = { 0 }, back = { 0 };

	if (decode(&bytes, text, NULL) == 0) {
		encode(&out, buf_view(&bytes));
		if (exact && !slice_eq(buf_view(&out), text))
			__builtin_trap();
	} else if (bytes.n) {
		__builtin_trap();
	}
	buf_reset(&out);
	encode(&out, text);
	if (decode(&back, buf_view(&out), NULL) || !slice_eq(buf_view(&back), text))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice text = slice_of(p, n);
	AUTO_SECRET s = { 0 };
	AUTO_BUF strict = { 0 };

	check(text, b64_decode, b64_encode, true);
	check(text, b64url_decode, b64url_encode, true);
	check(text, b64_decode_lax, b64_encode, false);
	check(text, hex_decode, hex_encode, false);	/* upper case is read, not written */
	if ((b64_decode_secret(&s, text, NULL) == 0) != (b64_decode(&strict, text, NULL) == 0))
		__builtin_trap();
	return 0;
}
