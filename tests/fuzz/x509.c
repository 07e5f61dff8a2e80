/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, PEM and DER: every accepted one is asked everything.  The parts with a parser of their own (OID, time)
 * also get the bytes directly. */

#include "codec/der.h"
#include "crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void ask(const struct cert *c, const struct cert *other)
{
	AUTO_BUF text = { 0 };
	AUTO_PUBKEY k = { 0 };
	struct err e = { 0 };
	uint8_t h[32];

	cert_name(&text, c->subject, &e);
	cert_name(&text, c->issuer, &e);
	cert_describe_alg(&text, c, &e);
	cert_ext(c, "1.3.6.1.4.1.3704.1.2");
	cert_key_sha256(h, c, &e);
	if (cert_public(&k, c, &e) == 0)
		cert_signed_by(other, &k, &e);
	cert_issued(c, other, INT64_C(1770000000), &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_CERTS l = { 0 };
	struct err e = { 0 };
	struct rd r = rd_of(slice_of(p, n));
	AUTO_BUF oid = { 0 };

	der_oid_text(&oid, slice_of(p, n));
	der_time(&r);
	if (certs_parse(&l, slice_of(p, n), &e)) {
		if (l.n || e.code == EC_OK)
			__builtin_trap();
		return 0;
	}
	for (size_t i = 0; i < l.n && i < 4; i++)
		ask(&l.v[i], &l.v[(i + 1) % l.n]);
	cert_chain(&l.v[0], &l, &l, INT64_C(1770000000), &e);
	return 0;
}
