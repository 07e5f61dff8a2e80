/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP answers.  As they come: nobody here has the key of the CA, so none may count.  Then the bytes as ResponseData, signed by a test CA:
 * what stands behind the signature is reached, whatever is said about the test certificate is said in those bytes, and a flipped bit of
 * them is refused. */

#include "codec/der.h"
#include "crypto/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define NOW INT64_C(1770000000)

static struct {
	struct privkey key;
	struct cert_list ca, leaf;
} own;

static void set_up(void)
{
	struct buf der = { 0 }, leaf = { 0 };
	struct err e = { 0 };

	if (own.ca.n)
		return;
	if (privkey_generate(&own.key, KEY_EC_P256, 0, &e) ||
	    cert_make(&der, &(const struct cert_make){ .subject = "CN=x", .key = &own.key, .not_after = INT64_C(4000000000), .ca = true }, &e) ||
	    certs_parse(&own.ca, buf_view(&der), &e) ||
	    cert_make(&leaf, &(const struct cert_make){ .subject = "CN=y", .key = &own.key, .issuer = own.ca.v, .issuer_key = &own.key,
							.not_after = INT64_C(4000000000), .serial = (const uint8_t *)"\x05", .serial_n = 1 }, &e) ||
	    certs_parse(&own.leaf, buf_view(&leaf), &e))
		abort();
	buf_free(&der);
	buf_free(&leaf);
}

static void as_it_comes(struct slice in)
{
	AUTO_OCSP o = { 0 }, again = { 0 };
	struct ocsp_entry s;
	struct err e = { 0 };

	if (ocsp_parse(&o, in, &e)) {
		if (o.ctx || e.code == EC_OK)
			abort();
		return;
	}
	if (ocsp_parse(&again, o.der, &e) || again.entries != o.entries || again.certs.n != o.certs.n || !slice_eq(again.nonce, o.nonce))
		abort();
	if (ocsp_signed(&o, own.ca.v, &own.leaf, NOW, &e) == 0)
		abort();
	if (ocsp_about(&s, &o, own.leaf.v, own.ca.v))
		ocsp_current(&o, &s, NOW, &e);
}

static void wrap(struct buf *ret, unsigned tag, struct slice body)
{
	AUTO_BUF whole = { 0 };

	der_put(&whole, tag, body);
	buf_free(ret);
	buf_move(ret, &whole);
}

/* An answer around these bytes, with their signature.  data: a whole ResponseData. */
static void put_signed(struct buf *ret, struct slice data)
{
	AUTO_BUF basic = { 0 }, sig = { 0 };
	struct err e = { 0 };

	if (sig_sign(&sig, &own.key, SIG_ECDSA_DER, HASH_SHA256, data, &e))
		abort();
	buf_slice(&basic, data);
	buf_put(&basic, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12);	/* ecdsa-with-SHA256 */
	der_put_bits(&basic, buf_view(&sig));
	wrap(&basic, DER_SEQUENCE, buf_view(&basic));
	der_put_oid(ret, "1.3.6.1.5.5.7.48.1.1");
	der_put(ret, DER_OCTET_STRING, buf_view(&basic));
	wrap(ret, DER_SEQUENCE, buf_view(ret));
	wrap(ret, DER_EXPLICIT + 0, buf_view(ret));
	buf_free(&basic);
	buf_put(&basic, "\x0a\x01\x00", 3);
	buf_slice(&basic, buf_view(ret));
	buf_free(ret);
	der_put(ret, DER_SEQUENCE, buf_view(&basic));
}

static void signed_anew(struct slice in)
{
	const size_t at = in.n ? in.p[in.n - 1] : 0;
	AUTO_BUF der = { 0 };
	AUTO_OCSP o = { 0 }, flipped = { 0 };
	struct ocsp_entry s;
	struct err e = { 0 };
	uint8_t *where;

	put_signed(&der, in);
	if (ocsp_parse(&o, buf_view(&der), &e) || ocsp_signed(&o, own.ca.v, NULL, NOW, &e))
		return;
	if (ocsp_about(&s, &o, own.leaf.v, own.ca.v) && s.status == OCSP_GOOD && !o.entries)
		abort();
	where = memmem(der.p, der.n, in.p, in.n);
	where[at % in.n] ^= 0x10;
	if (ocsp_parse(&flipped, buf_view(&der), &e) == 0 && ocsp_signed(&flipped, own.ca.v, NULL, NOW, &e) == 0)
		abort();
}

/* The part of an answer that a signature covers. */
static struct slice data_of(struct slice answer)
{
	struct rd r = rd_of(answer), in = der_open(&r, DER_SEQUENCE);

	der_take(&in, 0x0a);
	in = der_open(&in, DER_EXPLICIT + 0);
	in = der_open(&in, DER_SEQUENCE);
	der_take(&in, DER_OID);
	in = rd_of(der_take(&in, DER_OCTET_STRING).body);
	in = der_open(&in, DER_SEQUENCE);
	return der_take(&in, DER_SEQUENCE).all;
}

/* A good answer of the test CA, that mutations start from: its ResponseData, changed as the input says. */
static void changed(struct slice in)
{
	static struct buf data;
	AUTO_BUF d = { 0 };

	if (!data.n) {
		AUTO_BUF der = { 0 };
		struct err e = { 0 };
		const struct ocsp_make_entry s = { own.leaf.v, own.ca.v, OCSP_REVOKED, 6, NOW - 99, NOW - 9, NOW + 9 };

		if (ocsp_make(&der, &(const struct ocsp_make){ .v = &s, .n = 1, .signer = own.ca.v, .signer_key = &own.key, .produced_at = NOW,
							       .nonce = SLICE("0123456789abcdef") }, &e))
			abort();
		buf_slice(&data, data_of(buf_view(&der)));
		if (!data.n)
			abort();
	}
	buf_slice(&d, buf_view(&data));
	for (size_t i = 0; i + 1 < in.n && i < 16; i += 2)
		d.p[in.p[i] % d.n] = in.p[i + 1];
	signed_anew(buf_view(&d));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice in = slice_of(p, n);

	set_up();
	as_it_comes(in);
	if (n && n < 4096) {
		signed_anew(in);
		signed_anew(data_of(in).n ? data_of(in) : in);
		changed(in);
	}
	return 0;
}
