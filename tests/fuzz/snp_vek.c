/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions of VCEK and VLEK certificates, inside a certificate that is whole and signed: the input is their list, or a
 * certificate as it is. */

#include "snp_maker.c"		/* a fuzz target is one object */
#include "tee/snp_vek.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

void test_fail(const char *file, int line, const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)fmt;
	abort();
}

static void look(const struct cert *c)
{
	struct snp_vek v;
	struct err e = { 0 };

	memset(&v, 0xa5, sizeof v);
	if (snp_vek_parse(&v, c, &e)) {
		if (e.code != EC_FORMAT)
			abort();
		return;
	}
	for (size_t i = 0; i < TCB_PARTS; i++)
		if (v.spl[i] < -1 || v.spl[i] > 255)
			abort();
	if (v.hwid.n != 0 && v.hwid.n != 8 && v.hwid.n != 64)
		abort();
	if ((v.hwid.n && (v.hwid.p < c->der.p || v.hwid.p + v.hwid.n > c->der.p + c->der.n)) ||
	    (v.csp.n && (v.csp.p < c->der.p || v.csp.p + v.csp.n > c->der.p + c->der.n)))
		abort();
	if (!memchr(v.missing, 0, sizeof v.missing))
		abort();
}

static void parse(struct slice der)
{
	AUTO_CERTS l = { 0 };
	struct err e = { 0 };

	if (certs_parse(&l, der, &e))
		return;
	for (size_t i = 0; i < l.n; i++)
		look(&l.v[i]);
}

/* version 3, serial 0, the issuer and the subject of a Milan VCEK, and the extensions of the input */
static void certificate_around(struct slice exts)
{
	static const uint8_t head[] = { 0xa0, 3, 2, 1, 2, 2, 1, 0 };
	AUTO_BUF t = { 0 }, x = { 0 }, dates = { 0 };
	AUTO_PUBKEY k = { 0 };

	maker_roots();
	buf_put(&t, head, sizeof head);
	alg(&t);
	name_cn(&t, exts.n % 2 ? "SEV-Milan" : "SEV-VLEK-Turin");
	utc(&dates, MAKER_NOW - DAY);
	utc(&dates, MAKER_NOW + DAY);
	wrap(&dates, 0x30);
	buf_slice(&t, buf_view(&dates));
	name_cn(&t, exts.n % 2 ? "SEV-VCEK" : "SEV-VLEK");
	WORKS(privkey_public(&k, &m.vek, &e));
	WORKS(pubkey_der(&t, &k, &e));
	buf_slice(&x, exts);
	wrap(&x, 0x30);
	wrap(&x, 0xa3);
	buf_slice(&t, buf_view(&x));
	wrap(&t, 0x30);
	alg(&t);
	buf_put(&t, "\x03\x02\x00\x00", 4);	/* who signed it is not asked here */
	wrap(&t, 0x30);
	parse(buf_view(&t));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n > 16384)
		return 0;
	parse(slice_of(p, n));
	certificate_around(slice_of(p, n));
	return 0;
}
