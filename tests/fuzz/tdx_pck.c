/* SPDX-License-Identifier: Apache-2.0 */
/* The extension of PCK certificates: alone, and in certificates. */

#include <stdlib.h>

#include "codec/der.h"
#include "tee/tdx_pck.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void read_it(struct slice x)
{
	struct tdx_pck a = { 0 }, b = { 0 };
	struct err e = { 0 };
	AUTO_BUF more = { 0 };

	if (tdx_pck_read(&a, x, &e)) {
		if (e.code != EC_FORMAT)
			abort();
		return;
	}
	if (tdx_pck_read(&b, x, &e) || memcmp(&a, &b, sizeof a))
		abort();
	buf_slice(&more, x);
	buf_byte(&more, 0);
	if (!tdx_pck_read(&b, buf_view(&more), &e))	/* nothing may follow */
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_CERTS l = { 0 };
	AUTO_BUF seq = { 0 };
	struct err e = { 0 };

	read_it(slice_of(p, n));
	der_put(&seq, DER_SEQUENCE, slice_of(p, n));
	read_it(buf_view(&seq));
	if (!certs_parse(&l, slice_of(p, n), &e))
		for (size_t i = 0; i < l.n; i++) {
			struct tdx_pck k;

			tdx_pck_recognise(&l.v[i]);
			tdx_pck_parse(&k, &l.v[i], &e);
			read_it(cert_ext(&l.v[i], OID_SGX_EXTENSION));
		}
	return 0;
}
