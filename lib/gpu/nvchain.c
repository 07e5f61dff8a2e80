/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate chains of NVIDIA devices: see nvchain.h. */

#include "codec/der.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "gpu/nvchain.h"

const uint8_t nv_device_root[32] = {
	0x10, 0x2b, 0xf6, 0x59, 0xd5, 0x41, 0x96, 0x14, 0xc9, 0xd8, 0xe6, 0xae, 0xce, 0xbc, 0x80, 0x45,
	0x4e, 0xb2, 0x6b, 0x1d, 0xf6, 0xa7, 0x69, 0xac, 0x72, 0x0b, 0x9a, 0x69, 0x0b, 0x16, 0x7b, 0x48
};

#define OID_DICE_COMPOSITE "2.23.133.5.4.1"	/* Hopper, LS10 */
#define OID_DICE_TCB_INFO "2.23.133.5.4.1.1"	/* Blackwell */
#define OID_SHA384 "2.16.840.1.101.3.4.2.2"
#define FWID 48

/* --- reading -------------------------------------------------------------------------------------------- */

static int parse_ders(struct cert_list *l, struct slice ders, struct err *e)
{
	struct rd r = rd_of(ders);
	struct der one;

	while (der_next(&r, &one))
		if (certs_parse(l, one.all, e))
			return -1;
	return r.bad || !l->n ? err_set(e, EC_FORMAT, "certificate chain is neither PEM nor DER") : 0;
}

int nvchain_parse(struct cert_list *ret, struct slice text, struct err *e)
{
	AUTO_CERTS l = { 0 };

	if (pem_looks_like(text) ? certs_parse(&l, text, e) : parse_ders(&l, text, e))
		return err_ctx(e, "certificate chain");
	if (l.n != NVCHAIN_CERTS)
		return err_set(e, EC_FORMAT, "certificate chain holds %zu certificates, wanted %d from the device's to NVIDIA's root", l.n,
			       NVCHAIN_CERTS);
	*ret = l;
	l = (struct cert_list){ 0 };
	return 0;
}

/* --- trust ---------------------------------------------------------------------------------------------- */

static int check_root(const struct cert *c, const uint8_t *root, struct err *e)
{
	uint8_t digest[32];
	AUTO_BUF seen = { 0 };

	if (hash_of(digest, HASH_SHA256, c->der, e))
		return -1;
	if (mem_eq_ct(digest, root ? root : nv_device_root, sizeof digest))
		return 0;
	buf_hex(&seen, slice_of(digest, sizeof digest));
	return err_set(e, EC_REFUSED, "certificate chain ends in a certificate with SHA-256 %s, not in NVIDIA's device root", buf_cstr(&seen));
}

static int check_key(const struct cert *c, size_t i, struct err *e)
{
	AUTO_PUBKEY k = { 0 };

	if (cert_public(&k, c, e))
		return err_ctx(e, "certificate %zu of the chain", i);
	if (k.type != KEY_EC_P384)
		return err_set(e, EC_REFUSED, "certificate %zu of the chain has a key of type %s, wanted EC P-384", i, key_type_name(k.type));
	return 0;
}

/* KeyUsage: digitalSignature is the highest bit. */
static int check_leaf(const struct cert *c, struct err *e)
{
	const struct slice x = cert_ext(c, "2.5.29.15");
	struct rd r = rd_of(x);
	const struct slice bits = x.n ? der_take(&r, DER_BIT_STRING).body : (struct slice){ 0 };

	if (c->is_ca)
		return err_set(e, EC_REFUSED, "the first certificate of the chain is a CA's, wanted the device's");
	if (x.n && (bits.n < 2 || !(bits.p[1] & 0x80)))
		return err_set(e, EC_REFUSED, "the device's certificate may not sign (key usage)");
	return 0;
}

int nvchain_issued(const struct cert_list *l, const uint8_t *root, struct err *e)
{
	if (l->n != NVCHAIN_CERTS)
		return err_set(e, EC_REFUSED, "certificate chain holds %zu certificates, wanted %d", l->n, NVCHAIN_CERTS);
	if (check_root(&l->v[NVCHAIN_CERTS - 1], root, e) || check_leaf(&l->v[0], e))
		return -1;
	for (size_t i = 0; i < NVCHAIN_CERTS; i++)
		if (check_key(&l->v[i], i, e))
			return -1;
	return cert_line(l, e);
}

int nvchain_dates(const struct cert_list *l, int64_t now, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (cert_dates(&l->v[i], now, e))
			return -1;
	return 0;
}

int nvchain_verify(const struct cert_list *l, const uint8_t *root, int64_t now, struct err *e)
{
	return nvchain_issued(l, root, e) || nvchain_dates(l, now, e) ? -1 : 0;
}

/* --- what it says ----------------------------------------------------------------------------------------- */

/* FWID ::= SEQUENCE { hashAlg OID, digest OCTET STRING } */
static struct slice read_fwid(struct rd *r)
{
	struct rd seq = der_open(r, DER_SEQUENCE);
	const struct slice alg = der_take(&seq, DER_OID).body, digest = der_take(&seq, DER_OCTET_STRING).body;

	return der_done(&seq) && der_oid_is(alg, OID_SHA384) && digest.n == FWID ? digest : (struct slice){ 0 };
}

/* SEQUENCE { version INTEGER, key SubjectPublicKeyInfo, fwid FWID } */
static struct slice composite_fwid(struct slice ext)
{
	struct rd r = rd_of(ext), seq = der_open(&r, DER_SEQUENCE);
	struct slice fwid;

	der_take(&seq, DER_INTEGER);
	der_take(&seq, DER_SEQUENCE);
	fwid = read_fwid(&seq);
	return der_done(&seq) && der_done(&r) ? fwid : (struct slice){ 0 };
}

/* DiceTcbInfo ::= SEQUENCE { [0] vendor, .., [6] fwids SEQUENCE OF FWID, .. }: the first one; the second is all zero. */
static struct slice tcb_info_fwid(struct slice ext)
{
	struct rd r = rd_of(ext), seq = der_open(&r, DER_SEQUENCE);
	struct slice fwid = { 0 };
	struct der x;

	while (der_next(&seq, &x))
		if (x.tag == DER_EXPLICIT + 6 && !fwid.n) {
			struct rd list = rd_of(x.body);

			fwid = read_fwid(&list);
		}
	return der_done(&seq) && der_done(&r) ? fwid : (struct slice){ 0 };
}

static bool all_zero(struct slice s)
{
	uint8_t any = 0;

	for (size_t i = 0; i < s.n; i++)
		any |= s.p[i];
	return !any;
}

int nvchain_fwid(uint8_t ret[static 48], const struct cert *leaf, struct err *e)
{
	const struct slice composite = cert_ext(leaf, OID_DICE_COMPOSITE), info = cert_ext(leaf, OID_DICE_TCB_INFO);
	struct slice fwid;

	if (!composite.n == !info.n)
		return err_set(e, EC_FORMAT, composite.n ? "certificate has two DICE extensions" : "certificate has no DICE extension with a FWID");
	fwid = composite.n ? composite_fwid(composite) : tcb_info_fwid(info);
	if (!fwid.n)
		return err_set(e, EC_FORMAT, "DICE extension of the certificate holds no SHA-384 FWID where it should");
	if (all_zero(fwid))
		return err_set(e, EC_FORMAT, "FWID in the certificate is all zero");
	memcpy(ret, fwid.p, FWID);
	return 0;
}

/* Long division by ten, in place; the digits come out backwards. */
int nvchain_ueid(struct buf *ret, const struct cert *leaf, struct err *e)
{
	uint8_t n[32];
	char digits[80];
	size_t at = sizeof digits;

	if (leaf->serial.n == 0 || leaf->serial.n > sizeof n)
		return err_set(e, EC_FORMAT, "serial number of the certificate is %zu bytes, wanted 1 to %zu", leaf->serial.n, sizeof n);
	memcpy(n, leaf->serial.p, leaf->serial.n);
	do {
		unsigned rest = 0;

		for (size_t i = 0; i < leaf->serial.n; i++) {
			rest = rest << 8 | n[i];
			n[i] = (uint8_t)(rest / 10);
			rest %= 10;
		}
		digits[--at] = (char)('0' + rest);
	} while (!all_zero(slice_of(n, leaf->serial.n)));
	buf_put(ret, digits + at, sizeof digits - at);
	return buf_check(ret, e);
}

/* Name ::= SEQUENCE OF SET OF SEQUENCE { type OID, value } */
static struct slice name_attribute(struct slice name, const char *oid)
{
	struct rd outer = rd_of(name), r = der_open(&outer, DER_SEQUENCE);

	while (rd_left(&r)) {
		struct rd set = der_open(&r, DER_SET), pair = der_open(&set, DER_SEQUENCE);
		const struct slice type = der_take(&pair, DER_OID).body;
		struct der value;

		if (!der_next(&pair, &value))
			break;
		if (der_oid_is(type, oid))
			return value.body;
	}
	return (struct slice){ 0 };
}

int nvchain_pdi(uint8_t ret[static 8], const struct cert *device, struct err *e)
{
	const struct slice text = name_attribute(device->subject, "2.5.4.5");
	AUTO_BUF bytes = { 0 };

	if (text.n != 18 || hex_decode(&bytes, text, e))
		return err_set(e, EC_FORMAT, "serialNumber of the device's certificate is not 18 hex digits");
	memcpy(ret, bytes.p + 1, 8);
	return 0;
}

int nvchain_hwmodel(struct buf *ret, const struct cert *device, struct err *e)
{
	const struct slice cn = name_attribute(device->subject, "2.5.4.3");

	if (cn.n == 0 || cn.n > 64)
		return err_set(e, EC_FORMAT, "device's certificate has no common name");
	for (size_t i = 0; i < cn.n; i++)
		if (cn.p[i] < 0x20 || cn.p[i] > 0x7e)
			return err_set(e, EC_FORMAT, "common name of the device's certificate is no plain text");
	buf_slice(ret, cn);
	return buf_check(ret, e);
}
