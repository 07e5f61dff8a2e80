/* SPDX-License-Identifier: Apache-2.0 */
/* See snp_maker.h. */

#include "snp_maker.h"
#include "codec/hex64.h"
#include "tee/tdx.h"
#include "test.h"

#define DAY INT64_C(86400)

static struct maker {
	bool ready;
	struct privkey ca, vek, other;		/* one key for all CAs keeps this fast */
	struct buf ark[3], ask[3], asvk[3];	/* PEM */
	struct buf ark_der[3], ask_der[3], asvk_der[3];
	struct snp_root root[3];
	struct snp_roots roots;
} m;

static const char *const products[] = { "Milan", "Genoa", "Turin" };

void to_pem(struct buf *ret, struct slice der)
{
	AUTO_BUF b = { 0 };

	b64_encode(&b, der);
	buf_puts(ret, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < b.n; i += 64) {
		buf_put(ret, b.p + i, b.n - i < 64 ? b.n - i : 64);
		buf_byte(ret, '\n');
	}
	buf_puts(ret, "-----END CERTIFICATE-----\n");
}

static void make_ca(struct buf *der, const char *name, const struct cert *issuer)
{
	WORKS(cert_make(der, &(const struct cert_make){ .subject = name, .key = &m.ca, .issuer = issuer, .issuer_key = &m.ca,
							.not_before = MAKER_NOW - 1000 * DAY,
							.not_after = MAKER_NOW + 1000 * DAY, .ca = true }, &e));
}

static void make_product(size_t i)
{
	struct buf *const ark = &m.ark_der[i];
	AUTO_CERTS c = { 0 };
	char name[64];

	snprintf(name, sizeof name, "CN=ARK-%s", products[i]);
	make_ca(ark, name, NULL);
	WORKS(certs_parse(&c, buf_view(ark), &e));
	if (c.n != 1)
		return;
	snprintf(name, sizeof name, "CN=SEV-%s", products[i]);
	make_ca(&m.ask_der[i], name, &c.v[0]);
	snprintf(name, sizeof name, "CN=SEV-VLEK-%s", products[i]);
	make_ca(&m.asvk_der[i], name, &c.v[0]);
	to_pem(&m.ark[i], buf_view(ark));
	to_pem(&m.ask[i], buf_view(&m.ask_der[i]));
	to_pem(&m.asvk[i], buf_view(&m.asvk_der[i]));
	m.root[i] = (struct snp_root){ .product = (enum snp_product)(SNP_MILAN + i), .ark = buf_cstr(&m.ark[i]),
				       .ask = buf_cstr(&m.ask[i]), .asvk = buf_cstr(&m.asvk[i]) };
	WORKS(cert_key_sha256(m.root[i].ark_key, &c.v[0], &e));
}

const struct snp_roots *maker_roots(void)
{
	if (m.ready)
		return &m.roots;
	m.ready = true;
	WORKS(privkey_generate(&m.ca, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&m.vek, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&m.other, KEY_EC_P384, 0, &e));
	for (size_t i = 0; i < 3; i++)
		make_product(i);
	m.roots = (struct snp_roots){ m.root, 3 };
	return &m.roots;
}

/* --- DER ------------------------------------------------------------------------------------------------- */

static void tlv(struct buf *ret, uint8_t tag, struct slice v)
{
	buf_byte(ret, tag);
	if (v.n < 0x80) {
		buf_byte(ret, (uint8_t)v.n);
	} else if (v.n < 0x100) {
		buf_byte(ret, 0x81);
		buf_byte(ret, (uint8_t)v.n);
	} else {
		buf_byte(ret, 0x82);
		buf_be16(ret, (uint16_t)v.n);
	}
	buf_slice(ret, v);
}

static void wrap(struct buf *b, uint8_t tag)
{
	struct buf out = { 0 };

	tlv(&out, tag, buf_view(b));
	buf_move(b, &out);
}

/* 1.3.6.1.4.1.3704.1.a[.b] */
static void extension(struct buf *ret, uint8_t a, uint8_t b, struct slice value)
{
	AUTO_BUF x = { 0 };
	uint8_t oid[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01, a, b };

	tlv(&x, 0x06, slice_of(oid, b ? sizeof oid : sizeof oid - 1));
	tlv(&x, 0x04, value);
	wrap(&x, 0x30);
	buf_slice(ret, buf_view(&x));
}

static void spl(struct buf *ret, uint8_t b, int v)
{
	AUTO_BUF x = { 0 };
	const uint8_t be[2] = { 0, (uint8_t)v };

	tlv(&x, 0x02, v >= 0x80 ? slice_of(be, 2) : slice_of(be + 1, 1));
	extension(ret, 3, b, buf_view(&x));
}

static void extensions(struct buf *ret, const struct snp_report *r, const struct vek_make *mk)
{
	const struct snp_tcb t = snp_tcb_at(r, SNP_TCB_REPORTED);
	AUTO_BUF name = { 0 }, id = { 0 };
	const char *product = mk->product_name ? mk->product_name : r->product == SNP_MILAN ? "Milan-B0" : snp_product_name(r->product);

	tlv(&name, 0x16, slice_str(product));
	extension(ret, 2, 0, buf_view(&name));
	if (mk->without != 1)
		spl(ret, 1, t.v[TCB_BOOTLOADER]);
	if (mk->without != 2)
		spl(ret, 2, t.v[TCB_TEE]);
	if (!mk->no_snp_spl)
		spl(ret, 3, t.v[TCB_SNP] + mk->tcb_delta);
	for (uint8_t i = t.v[TCB_FMC] >= 0 ? 5 : 4; i < 8; i++)
		if (i != mk->without)
			spl(ret, i, i == 7 ? mk->spare : 0);
	if (mk->without != 8)
		spl(ret, 8, t.v[TCB_MICROCODE]);
	if (t.v[TCB_FMC] >= 0 && mk->without != 9)
		spl(ret, 9, t.v[TCB_FMC]);
	if (mk->no_hwid || mk->vlek)
		return;
	buf_slice(&id, snp_chip_id(r));
	if (mk->other_hwid)
		id.p[0] ^= 1;
	if (mk->wrapped_hwid)
		wrap(&id, 0x04);
	extension(ret, 4, 0, buf_view(&id));
}

static void name_cn(struct buf *ret, const char *cn)
{
	static const uint8_t oid[] = { 0x55, 0x04, 0x03 };
	AUTO_BUF x = { 0 };

	tlv(&x, 0x06, slice_of(oid, sizeof oid));
	tlv(&x, 0x0c, slice_str(cn));
	wrap(&x, 0x30);
	wrap(&x, 0x31);
	wrap(&x, 0x30);
	buf_slice(ret, buf_view(&x));
}

static void utc(struct buf *ret, int64_t t)
{
	char s[32], z[16];

	time_format(s, t);	/* 2026-11-23T17:00:00Z */
	snprintf(z, sizeof z, "%.2s%.2s%.2s%.2s%.2s%.2sZ", s + 2, s + 5, s + 8, s + 11, s + 14, s + 17);
	tlv(ret, 0x17, slice_str(z));
}

static void alg(struct buf *ret)
{
	static const uint8_t ecdsa_sha384[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };

	buf_put(ret, ecdsa_sha384, sizeof ecdsa_sha384);
}

static void tbs_certificate(struct buf *t, const struct snp_report *r, const struct cert *issuer, const struct vek_make *mk)
{
	static const uint8_t v3[] = { 0xa0, 3, 2, 1, 2, 2, 1, 0 };	/* version, serial 0 as AMD's */
	static const uint8_t is_ca[] = { 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03,
					 0x01, 0x01, 0xff };
	AUTO_BUF dates = { 0 }, x = { 0 };
	AUTO_PUBKEY k = { 0 };

	buf_put(t, v3, sizeof v3);
	alg(t);
	buf_slice(t, issuer->subject);
	utc(&dates, MAKER_NOW + (mk->from_afar ? 1 : -100) * DAY);
	utc(&dates, MAKER_NOW + (mk->expired ? -1 : 100) * DAY);
	wrap(&dates, 0x30);
	buf_slice(t, buf_view(&dates));
	name_cn(t, mk->vlek ? "SEV-VLEK" : "SEV-VCEK");
	WORKS(privkey_public(&k, &m.vek, &e));
	WORKS(pubkey_der(t, &k, &e));
	extensions(&x, r, mk);
	if (mk->ca)
		buf_put(&x, is_ca, sizeof is_ca);
	wrap(&x, 0x30);
	wrap(&x, 0xa3);
	buf_slice(t, buf_view(&x));
	wrap(t, 0x30);
}

void vek_make(struct buf *ret_der, const uint8_t raw[static SNP_REPORT_SIZE], const struct vek_make *mk)
{
	struct snp_report r;
	AUTO_CERTS c = { 0 };
	AUTO_BUF tbs = { 0 }, sig = { 0 };
	size_t at;

	maker_roots();
	WORKS(snp_report_parse(&r, slice_of(raw, SNP_REPORT_SIZE), &e));
	if (r.product == SNP_UNKNOWN)
		r.product = mk->issuer ? mk->issuer : SNP_MILAN;
	at = (size_t)((mk->issuer ? mk->issuer : r.product) - SNP_MILAN);
	WORKS(certs_parse(&c, buf_view(mk->vlek != mk->wrong_issuer_kind ? &m.asvk_der[at] : &m.ask_der[at]), &e));
	if (c.n != 1)
		return;
	tbs_certificate(&tbs, &r, &c.v[0], mk);
	WORKS(sig_sign(&sig, mk->by_other_ca ? &m.other : &m.ca, SIG_ECDSA_DER, HASH_SHA384, buf_view(&tbs), &e));
	alg(&tbs);
	buf_byte(&tbs, 0x03);
	buf_byte(&tbs, (uint8_t)(sig.n + 1));
	buf_byte(&tbs, 0);
	buf_slice(&tbs, buf_view(&sig));
	wrap(&tbs, 0x30);
	buf_slice(ret_der, buf_view(&tbs));
}

/* --- reports ------------------------------------------------------------------------------------------------- */

static void put_le(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

void report_sign(uint8_t raw[static SNP_REPORT_SIZE])
{
	AUTO_BUF sig = { 0 };

	maker_roots();
	WORKS(sig_sign(&sig, &m.vek, SIG_ECDSA_RAW, HASH_SHA384, slice_of(raw, SNP_SIGNED_SIZE), &e));
	memset(raw + 0x2a0, 0, 144);
	for (size_t i = 0; i < 48 && sig.n == 96; i++) {
		raw[0x2a0 + i] = sig.p[47 - i];
		raw[0x2e8 + i] = sig.p[95 - i];
	}
}

void report_make(uint8_t raw[static SNP_REPORT_SIZE], const struct report_make *mk)
{
	static const uint8_t milan[8] = { 3, 0, 0, 0, 0, 0, 8, 0x73 }, turin[8] = { 1, 1, 1, 4, 0, 0, 0, 0x51 };
	const uint32_t version = mk->version ? mk->version : 3;
	const bool is_turin = mk->product == SNP_TURIN;
	static const uint16_t tcbs[] = { SNP_TCB_CURRENT, SNP_TCB_REPORTED, SNP_TCB_COMMITTED, SNP_TCB_LAUNCH };

	memset(raw, 0, SNP_REPORT_SIZE);
	put_le(raw, 4, version);
	put_le(raw + 8, 8, 0x30000 | (mk->debug ? SNP_POLICY_DEBUG : 0) | (mk->migrate ? SNP_POLICY_MIGRATE : 0));
	put_le(raw + 0x30, 4, mk->vmpl);
	put_le(raw + 0x34, 4, 1);
	put_le(raw + 0x40, 8, 0x25);
	put_le(raw + 0x48, 4, mk->vlek ? 4 : 0);
	if (mk->n)
		memcpy(raw + 0x50, mk->report_data, mk->n);
	memset(raw + 0x90, 0xab, 48);
	memset(raw + 0xc0, 0xcd, 32);
	for (size_t i = 0; i < sizeof tcbs / sizeof tcbs[0]; i++)
		memcpy(raw + tcbs[i], is_turin ? turin : milan, 8);
	if (version >= 3) {
		raw[0x188] = is_turin ? 0x1a : 0x19;
		raw[0x189] = is_turin ? 2 : mk->product == SNP_GENOA ? 0x11 : 1;
	}
	if (!mk->masked)
		for (size_t i = 0; i < (is_turin ? 8 : 64); i++)
			raw[0x1a0 + i] = (uint8_t)(i + 2);	/* begins with 02: looks like a DER INTEGER */
	report_sign(raw);
}

void entries_make(struct buf *ret, const struct table_entry *v, size_t n)
{
	size_t at = 24 * (n + 1);

	for (size_t i = 0; i < n; i++) {
		WORKS(hex_decode(ret, slice_str(v[i].guid), &e));
		buf_le32(ret, (uint32_t)at);
		buf_le32(ret, (uint32_t)v[i].data.n);
		at += v[i].data.n;
	}
	buf_fill(ret, 0, 24);
	for (size_t i = 0; i < n; i++)
		buf_slice(ret, v[i].data);
}

void table_make(struct buf *ret, struct slice vcek_der)
{
	entries_make(ret, &(const struct table_entry){ GUID_VCEK, vcek_der }, 1);
}

/* --- revocation -------------------------------------------------------------------------------------------------- */

struct slice maker_ca_der(enum snp_product p, enum maker_ca which)
{
	const size_t i = p ? (size_t)(p - SNP_MILAN) : 0;

	maker_roots();
	return buf_view(which == MAKER_ARK ? &m.ark_der[i] : which == MAKER_ASK ? &m.ask_der[i] : &m.asvk_der[i]);
}

void maker_other_ask(struct buf *ret, enum snp_product p)
{
	AUTO_CERTS ark = { 0 };
	AUTO_BUF der = { 0 };
	char name[64];

	WORKS(certs_parse(&ark, maker_ca_der(p, MAKER_ARK), &e));
	snprintf(name, sizeof name, "CN=SEV-%s", snp_product_name(p));
	WORKS(cert_make(&der, &(const struct cert_make){ .subject = name, .key = &m.other, .issuer = &ark.v[0], .issuer_key = &m.ca,
							 .not_before = MAKER_NOW - DAY, .not_after = MAKER_NOW + DAY, .ca = true }, &e));
	to_pem(ret, buf_view(&der));
}

const struct privkey *maker_vek_key(void)
{
	maker_roots();
	return &m.vek;
}

void list_make(struct buf *ret, const struct list_make *l)
{
	AUTO_CERTS c = { 0 };
	struct slice serials[2];
	size_t n = 0;

	for (enum maker_ca i = MAKER_ARK; i <= MAKER_ASVK; i++)
		WORKS(certs_parse(&c, maker_ca_der(l->product, i), &e));
	if (c.n != 3)
		return;
	if (l->names_ask)
		serials[n++] = c.v[1].serial;
	if (l->names_asvk)
		serials[n++] = c.v[2].serial;
	WORKS(crl_make(ret, &(const struct crl_make){ .issuer = &c.v[0], .issuer_key = l->by_other_key ? &m.other : &m.ca,
						      .this_update = MAKER_NOW + (l->from || l->until ? l->from : -DAY),
						      .next_update = MAKER_NOW + (l->from || l->until ? l->until : DAY),
						      .serials = serials, .n_serials = n }, &e));
}

/* --- TDX ------------------------------------------------------------------------------------------------------------- */

void quote_make(struct buf *b, uint16_t version, uint16_t body_type, size_t body, const uint8_t *report_data)
{
	buf_le16(b, version);
	buf_le16(b, 2);
	buf_le32(b, TDX_TEE_TYPE);
	buf_fill(b, 0, 40);
	if (version == 5) {
		buf_le16(b, body_type);
		buf_le32(b, (uint32_t)body);
	}
	buf_fill(b, 0x5a, body);
	if (report_data && !b->bad)
		memcpy(b->p + b->n - body + 520, report_data, 64);
	buf_le32(b, 64 + 64 + 6 + 384 + 64 + 2 + 32 + 6 + 10);
	buf_fill(b, 1, 128);
	buf_le16(b, 6);
	buf_le32(b, 384 + 64 + 2 + 32 + 6 + 10);
	buf_fill(b, 2, 384 + 64);
	buf_le16(b, 32);
	buf_fill(b, 3, 32);
	buf_le16(b, 5);
	buf_le32(b, 10);
	buf_puts(b, "-----BEGIN");
}
