/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate table of a hostile host, and the certificates that it holds. */
#include "crypto/x509.h"
#include "tee/snp.h"
#include "tee/snp_vek.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void look(struct slice data)
{
	AUTO_CERTS c = { 0 };
	struct snp_vek v;
	struct err e = { 0 };

	if (certs_parse(&c, data, &e))
		return;
	for (size_t i = 0; i < c.n; i++) {
		x509_common_name(c.v[i].issuer);
		snp_vek_parse(&v, &c.v[i], &e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct snp_certs c = { 0 };
	struct err e = { 0 };

	if (!snp_table_parse(&c, slice_of(p, n), &e)) {
		for (size_t i = 0; i < c.n; i++) {
			if (c.v[i].data.n && (c.v[i].data.p < p || c.v[i].data.p + c.v[i].data.n > p + n))
				abort();
			look(c.v[i].data);
		}
		snp_certs_free(&c);
	}
	look(slice_of(p, n));
	x509_common_name(slice_of(p, n));
	return 0;
}
