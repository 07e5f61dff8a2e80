/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists in every form.  One that is read keeps its bytes, and its entries are all found; nobody here has the key of
 * the CA, so none may be accepted. */

#include "codec/der.h"
#include "crypto/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct cert *issuer(void)
{
	static struct cert_list l;
	struct privkey k = { 0 };
	struct buf der = { 0 };
	struct err e = { 0 };

	if (l.n == 0 && (privkey_generate(&k, KEY_EC_P256, 0, &e) ||
			 cert_make(&der, &(const struct cert_make){ .subject = "CN=x", .key = &k, .not_after = INT64_C(4000000000), .ca = true }, &e) ||
			 certs_parse(&l, buf_view(&der), &e)))
		abort();
	privkey_free(&k);
	buf_free(&der);
	return &l.v[0];
}

/* Each serial number of the list, taken from its bytes, is listed. */
static void all_listed(const struct crl *c)
{
	struct rd outer = rd_of(c->der), r = der_open(&outer, DER_SEQUENCE), tbs = der_open(&r, DER_SEQUENCE), list;
	struct der d;
	size_t seen = 0;

	for (int sequences = 0; sequences < 3 && der_next(&tbs, &d);)	/* the third SEQUENCE, if it is one: algorithm, issuer, entries */
		sequences += d.tag == DER_SEQUENCE;
	if (tbs.bad || d.tag != DER_SEQUENCE || c->entries == 0)
		return;
	list = rd_of(d.body);
	while (rd_left(&list) && seen < 64) {
		struct rd one = der_open(&list, DER_SEQUENCE);
		const struct slice serial = der_take(&one, DER_INTEGER).body;

		if (one.bad)
			abort();
		if (!crl_lists(c, serial))
			abort();
		seen++;
	}
	if (seen < 64 && seen != c->entries)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct crl c = { 0 }, again = { 0 };
	struct err e = { 0 };

	if (crl_parse(&c, slice_of(p, n), &e)) {
		if (c.ctx || e.code == EC_OK)
			abort();
		return 0;
	}
	if (crl_parse(&again, c.der, &e) || again.entries != c.entries || !slice_eq(again.der, c.der))
		abort();
	all_listed(&c);
	if (crl_check(&c, issuer(), c.this_update, &e) == 0)
		abort();
	crl_lists(&c, slice_of(p, n));
	crl_free(&again);
	crl_free(&c);
	return 0;
}
