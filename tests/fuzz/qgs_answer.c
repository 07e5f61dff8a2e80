/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's quote service answers. */
#include "base/cursor.h"
#include "tee/qgs.h"
#include "tee/tdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice quote;
	struct tdx_quote q;
	struct err e = { 0 };
	uint8_t msg[8192];

	if (!qgs_answer(&quote, slice_of(p, n), &e))
		tdx_quote_parse(&q, quote, &e);
	/* again with a header that holds, so that what is behind it is reached */
	if (n < 8 || n > sizeof msg - 16)
		return 0;
	memset(msg, 0, 16);
	msg[0] = msg[2] = msg[4] = 1;
	msg[8] = (uint8_t)(n + 16);
	msg[9] = (uint8_t)((n + 16) >> 8);
	memcpy(msg + 16, p, n);
	if (!qgs_answer(&quote, slice_of(msg, n + 16), &e))
		tdx_quote_parse(&q, quote, &e);
	return 0;
}
