/* SPDX-License-Identifier: Apache-2.0 */
/* See nv_maker.h. */

#include "codec/der.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "nv_maker.h"
#include "test.h"

#define DAY INT64_C(86400)
#define FOREVER INT64_C(253402300799)

static const struct arch_facts {
	const char *leaf, *device, *provisioner, *identity;
	uint32_t word;
	size_t blocks;
} facts[] = {
	[NV_HOPPER] = { "GH100 A01 GSP FMC LF", "GH100 A01 GSP BROM", "NVIDIA GH100 Provisioner ICA 1", "NVIDIA GH100 Identity", 0x180, 64 },
	[NV_BLACKWELL] = { "GB100 A01 GSP FMC LF", "GB100 A01 GSP BROM", "NVIDIA GB100 Provisioner ICA 00000", "NVIDIA GB100 Identity", 0x1a0, 64 },
	[NV_LS10] = { "LS_10 A01 FSP FMC LF", "LS_10 A01 FSP BROM", "NVIDIA LS_10 Provisioner ICA 1", "NVIDIA GH100 Identity", 0, 31 },
};

static struct nv_ca {
	bool ready;
	struct privkey root, identity, provisioner, other;
	struct buf root_der, other_der, identity_der[4], provisioner_der[4];	/* by enum nv_arch */
	uint8_t root_sha256[32];
	struct nv_keys {
		bool ready;
		struct privkey device, leaf;
		struct buf chain;	/* PEM, without faults */
	} keys[4][NV_MAKER_DEVICES];
} ca;

static enum nv_arch arch_of(const struct nv_make *m)
{
	return m->arch ? m->arch : NV_HOPPER;
}

/* --- the CA ------------------------------------------------------------------------------------------------ */

struct nv_step {
	const char *subject;
	const struct privkey *key, *issuer_key;
	struct slice issuer;		/* DER; n 0: itself */
	int64_t from, until;
	bool no_ca;
	struct slice serial;
	const struct cert_make_ext *exts;
	size_t n_exts;
};

static void make_cert(struct buf *ret, const struct nv_step *s)
{
	AUTO_CERTS up = { 0 };

	if (s->issuer.n)
		WORKS(certs_parse(&up, s->issuer, &e));
	WORKS(cert_make(ret, &(const struct cert_make){ .subject = s->subject, .key = s->key, .issuer = up.n ? up.v : NULL,
							.issuer_key = s->issuer_key,
							.not_before = s->from ? s->from : NV_MAKER_NOW - 1000 * DAY,
							.not_after = s->until ? s->until : FOREVER, .ca = !s->no_ca,
							.serial = s->serial.p, .serial_n = s->serial.n, .exts = s->exts, .n_exts = s->n_exts }, &e));
}

static void make_ca(void)
{
	static const char root[] = "CN=NVIDIA Device Identity CA,O=NVIDIA";

	if (ca.ready)
		return;
	ca.ready = true;
	WORKS(privkey_generate(&ca.root, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&ca.identity, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&ca.provisioner, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&ca.other, KEY_EC_P384, 0, &e));
	make_cert(&ca.root_der, &(const struct nv_step){ .subject = root, .key = &ca.root });
	make_cert(&ca.other_der, &(const struct nv_step){ .subject = root, .key = &ca.other });
	WORKS(hash_of(ca.root_sha256, HASH_SHA256, buf_view(&ca.root_der), &e));
	for (size_t a = NV_HOPPER; a <= NV_LS10; a++) {
		char name[128];

		snprintf(name, sizeof name, "CN=%s,O=NVIDIA Corporation", facts[a].identity);
		make_cert(&ca.identity_der[a], &(const struct nv_step){ .subject = name, .key = &ca.identity, .issuer = buf_view(&ca.root_der),
									.issuer_key = &ca.root });
		snprintf(name, sizeof name, "CN=%s,O=NVIDIA Corporation,C=US", facts[a].provisioner);
		make_cert(&ca.provisioner_der[a], &(const struct nv_step){ .subject = name, .key = &ca.provisioner,
									   .issuer = buf_view(&ca.identity_der[a]), .issuer_key = &ca.identity });
	}
}

const uint8_t *nv_make_root(void)
{
	make_ca();
	return ca.root_sha256;
}

static struct nv_keys *keys_of(const struct nv_make *m)
{
	struct nv_keys *k = &ca.keys[arch_of(m)][m->device % NV_MAKER_DEVICES];

	make_ca();
	if (k->ready)
		return k;
	k->ready = true;
	WORKS(privkey_generate(&k->device, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&k->leaf, KEY_EC_P384, 0, &e));
	return k;
}

const struct privkey *nv_make_key(const struct nv_make *m, size_t i)
{
	const struct nv_keys *k = keys_of(m);
	const struct privkey *const all[] = { &k->leaf, &k->device, &ca.provisioner, &ca.identity, &ca.root };

	return i < 5 ? all[i] : NULL;
}

/* --- certificates of one device -------------------------------------------------------------------------------- */

void nv_make_pdi(uint8_t ret[static 8], const struct nv_make *m)
{
	const uint8_t pdi[8] = { 0xe2, 0x3d, 0x71, 0x1e, 0x1c, 0x4f, (uint8_t)arch_of(m), (uint8_t)(0x10 + m->device) };

	memcpy(ret, pdi, sizeof pdi);
}

static void fwid_of(uint8_t ret[static 48], const struct nv_make *m)
{
	char text[32];

	snprintf(text, sizeof text, "fwid of %d", (int)arch_of(m));
	WORKS(hash_of(ret, HASH_SHA384, slice_str(text), &e));
}

static void put_wrapped(struct buf *ret, unsigned tag, struct buf *body)
{
	der_put(ret, tag, buf_view(body));
}

static void put_fwid(struct buf *ret, const uint8_t fwid[static 48])
{
	AUTO_BUF seq = { 0 };

	der_put_oid(&seq, "2.16.840.1.101.3.4.2.2");
	der_put(&seq, DER_OCTET_STRING, slice_of(fwid, 48));
	put_wrapped(ret, DER_SEQUENCE, &seq);
}

static void put_composite(struct buf *ret, const uint8_t fwid[static 48], const struct privkey *device)
{
	AUTO_BUF seq = { 0 };
	AUTO_PUBKEY k = { 0 };

	der_put_uint(&seq, SLICE("\x01"));
	WORKS(privkey_public(&k, device, &e));
	WORKS(pubkey_der(&seq, &k, &e));
	put_fwid(&seq, fwid);
	put_wrapped(ret, DER_SEQUENCE, &seq);
}

static void put_tcb_info(struct buf *ret, const uint8_t fwid[static 48], bool last)
{
	static const uint8_t none[48], another[48] = { 1, 2, 3 };
	AUTO_BUF seq = { 0 }, list = { 0 };

	der_put(&seq, DER_CONTEXT + 0, SLICE("NVIDIA"));
	der_put(&seq, DER_CONTEXT + 1, SLICE("GB100 A01 GSP"));
	der_put(&seq, DER_CONTEXT + 2, SLICE("01"));
	der_put(&seq, DER_CONTEXT + 3, SLICE("\x01"));
	put_fwid(&list, last ? another : fwid);
	put_fwid(&list, last ? fwid : none);
	put_wrapped(&seq, DER_EXPLICIT + 6, &list);
	der_put(&seq, DER_CONTEXT + 7, slice_of("\0\x80\0\0\x01", 5));
	put_wrapped(ret, DER_SEQUENCE, &seq);
}

static void make_leaf(struct buf *ret, const struct nv_make *m, const struct nv_keys *k, struct slice device_der)
{
	const enum nv_arch a = arch_of(m);
	uint8_t fwid[48] = { 0 }, serial[20] = { 0x59, 0x2c, 0xa9 };
	AUTO_BUF ext = { 0 }, id = { 0 };
	char name[160];

	serial[18] = (uint8_t)a;
	serial[19] = (uint8_t)m->device;
	if (!m->zero_fwid)
		fwid_of(fwid, m);
	if (a == NV_BLACKWELL)
		put_tcb_info(&ext, fwid, m->fwid_last);
	else
		put_composite(&ext, fwid, &k->device);
	buf_hex(&id, slice_of(serial, sizeof serial));
	snprintf(name, sizeof name, "serialNumber=%s,C=US,O=NVIDIA Corporation,CN=%s", buf_cstr(&id), facts[a].leaf);
	make_cert(ret, &(const struct nv_step){
		.subject = name, .key = &k->leaf, .issuer = device_der, .issuer_key = &k->device, .no_ca = true,
		.serial = slice_of(serial, sizeof serial), .n_exts = 1,
		.exts = &(const struct cert_make_ext){ a == NV_BLACKWELL ? "2.23.133.5.4.1.1" : "2.23.133.5.4.1", false, buf_view(&ext) } });
}

static void make_device(struct buf *ret, const struct nv_make *m, const struct nv_keys *k)
{
	const enum nv_arch a = arch_of(m);
	uint8_t serial[9] = { a == NV_LS10 ? 0x50 : 0x41 };
	AUTO_BUF id = { 0 };
	char name[160];

	nv_make_pdi(serial + 1, m);
	for (size_t i = 0; i < sizeof serial; i++)
		buf_printf(&id, "%02X", serial[i]);
	snprintf(name, sizeof name, "serialNumber=%s,C=US,O=NVIDIA Corporation,CN=%s", buf_cstr(&id), m->hwmodel ? m->hwmodel : facts[a].device);
	make_cert(ret, &(const struct nv_step){ .subject = name, .key = &k->device, .issuer = buf_view(&ca.provisioner_der[a]),
						.issuer_key = &ca.provisioner, .no_ca = m->device_no_ca,
						.from = m->early ? NV_MAKER_NOW + DAY : 0, .until = m->expired ? NV_MAKER_NOW - DAY : 0,
						.serial = slice_of(serial, sizeof serial) });
}

/* The same CA names below another root. */
static void other_cas(struct buf *identity, struct buf *provisioner, enum nv_arch a)
{
	char name[128];

	snprintf(name, sizeof name, "CN=%s,O=NVIDIA Corporation", facts[a].identity);
	make_cert(identity, &(const struct nv_step){ .subject = name, .key = &ca.identity, .issuer = buf_view(&ca.other_der), .issuer_key = &ca.other });
	buf_slice(provisioner, buf_view(&ca.provisioner_der[a]));
}

static void build_chain(struct buf *ret, const struct nv_make *m, const struct nv_keys *k)
{
	const enum nv_arch a = arch_of(m);
	AUTO_BUF leaf = { 0 }, device = { 0 }, identity = { 0 }, provisioner = { 0 };

	make_device(&device, m, k);
	make_leaf(&leaf, m, k, buf_view(&device));
	if (m->other_root)
		other_cas(&identity, &provisioner, a);
	pem_put(ret, "CERTIFICATE", buf_view(&leaf));
	pem_put(ret, "CERTIFICATE", buf_view(&device));
	pem_put(ret, "CERTIFICATE", buf_view(m->other_root ? &provisioner : &ca.provisioner_der[a]));
	pem_put(ret, "CERTIFICATE", buf_view(m->other_root ? &identity : &ca.identity_der[a]));
	pem_put(ret, "CERTIFICATE", buf_view(m->other_root ? &ca.other_der : &ca.root_der));
}

void nv_make_chain(struct buf *ret_pem, const struct nv_make *m)
{
	struct nv_keys *k = keys_of(m);

	if (m->other_root || m->expired || m->early || m->device_no_ca || m->zero_fwid || m->fwid_last || m->hwmodel) {
		build_chain(ret_pem, m, k);
		return;
	}
	if (!k->chain.n)
		build_chain(&k->chain, m, k);
	buf_slice(ret_pem, buf_view(&k->chain));
}

/* --- opaque data ------------------------------------------------------------------------------------------------- */

const char *nv_make_driver(const struct nv_make *m)
{
	return m->driver ? m->driver : m->versioned ? "620.12" : "580.95.05";
}

const char *nv_make_vbios(const struct nv_make *m)
{
	static const char *const usual[] = { [NV_HOPPER] = "96.00.9F.00.01", [NV_BLACKWELL] = "97.00.88.00.0F", [NV_LS10] = "96.10.55.00.01" };

	return m->vbios ? m->vbios : usual[arch_of(m)];
}

struct nv_opaque {
	struct buf *to;
	bool versioned;
};

static void entry(const struct nv_opaque *o, uint16_t type, uint16_t value_type, struct slice data)
{
	buf_le16(o->to, type);
	if (o->versioned)
		buf_le16(o->to, value_type);
	buf_le16(o->to, (uint16_t)data.n);
	buf_slice(o->to, data);
}

/* "96.00.9F.00.01" is 00 9f 00 96 01 00 00 00 */
static void put_vbios(const struct nv_opaque *o, const char *text)
{
	unsigned v[5] = { 0 };
	uint8_t raw[8];

	EQ(sscanf(text, "%2x.%2x.%2x.%2x.%2x", &v[0], &v[1], &v[2], &v[3], &v[4]), 5);
	memcpy(raw, (const uint8_t[]){ (uint8_t)v[3], (uint8_t)v[2], (uint8_t)v[1], (uint8_t)v[0], (uint8_t)v[4], 0, 0, 0 }, sizeof raw);
	entry(o, OPAQUE_VBIOS, 0x86, slice_of(raw, sizeof raw));
}

static void put_word(const struct nv_opaque *o, uint16_t type, uint16_t value_type, uint32_t v, size_t n)
{
	const uint8_t raw[8] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	entry(o, type, value_type, slice_of(raw, n));
}

static void put_counters(const struct nv_opaque *o, size_t n)
{
	AUTO_BUF counters = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_le32(&counters, (uint32_t)(i % 3));
	entry(o, OPAQUE_COUNTERS, 0x84, buf_view(&counters));
}

static void peer_pdi(uint8_t ret[static 8], const struct nv_make *m, size_t i, enum nv_arch of)
{
	nv_make_pdi(ret, &(const struct nv_make){ .arch = of, .device = m->peers ? m->peers[i] : (unsigned)i });
}

/* Each of 18 links leads to a switch; little-endian there. */
static void put_switch_pdis(const struct nv_opaque *o, const struct nv_make *m)
{
	const size_t n = m->peers ? m->n_peers : 4;
	AUTO_BUF list = { 0 };

	for (size_t i = 0; i < 18; i++) {
		uint8_t pdi[8] = { 0 };

		if (n && i < 16)
			peer_pdi(pdi, m, i % n, NV_LS10);
		for (size_t b = 0; b < 8; b++)
			buf_byte(&list, pdi[7 - b]);
	}
	entry(o, OPAQUE_PDIS, 0x82, buf_view(&list));
}

static void put_protection(const struct nv_opaque *o, const struct nv_make *m)
{
	const bool flag = m->has_feature || m->mode != NV_SPT;
	const uint8_t status = m->ppcie ? m->ppcie : m->mode == NV_PPCIE ? 0xaa : 0x55;

	entry(o, OPAQUE_PPCIE, 0x85, slice_of(&status, 1));
	if (m->mode == NV_PPCIE)
		put_switch_pdis(o, m);
	if (flag)
		put_word(o, OPAQUE_VERSION, 0x86, o->versioned ? 0x200 : 1, 2);
	if (flag)
		put_word(o, OPAQUE_FEATURE, 0x85, m->feature ? (uint32_t)m->feature : (uint32_t)m->mode, 2);
}

static void put_gpu_opaque(const struct nv_opaque *o, const struct nv_make *m)
{
	const enum nv_arch a = arch_of(m);
	const uint8_t nvdec0 = m->nvdec0 ? m->nvdec0 : 0x55;
	uint8_t fwid[48];

	fwid_of(fwid, m);
	fwid[0] ^= m->other_fwid;
	put_vbios(o, nv_make_vbios(m));
	put_word(o, OPAQUE_BOARD_ID, 0x82, 0x3b1, 4);
	entry(o, OPAQUE_CHIP_SKU, 0x82, SLICE("882\0\0\0\0\0\0"));
	entry(o, OPAQUE_CHIP_SKU_MOD, 0x82, SLICE("0\0\0\0\0"));
	entry(o, OPAQUE_PROJECT, 0x82, SLICE("G520\0"));
	entry(o, OPAQUE_PROJECT_SKU, 0x82, SLICE("0200\0"));
	entry(o, OPAQUE_PROJECT_SKU_MOD, 0x82, SLICE("\0\0"));
	entry(o, OPAQUE_DRIVER, 0x86, slice_of(nv_make_driver(m), strlen(nv_make_driver(m)) + 1));
	put_word(o, OPAQUE_GPU_INFO, 0x82, m->arch_word ? m->arch_word : facts[a].word, 8);
	put_counters(o, 64);
	put_word(o, OPAQUE_CPR, 0x83, 0x1c000, 4);
	entry(o, OPAQUE_NVDEC0, 0x82, slice_of(&nvdec0, 1));
	if (m->has_svn)
		put_word(o, OPAQUE_FSP_SVN, 0x87, m->svn, 2);
	if (!m->no_fwid)
		entry(o, OPAQUE_FWID, 0x01, slice_of(fwid, 48));
	put_protection(o, m);
	if (m->chip_info)
		entry(o, OPAQUE_CHIP_INFO, 0x82, slice_of(m->chip_info, strlen(m->chip_info) + 1));
}

/* Eight PDIs of GPUs, then for each of 64 ports which of them. */
static void put_switch_opaque(const struct nv_opaque *o, const struct nv_make *m)
{
	const size_t n = m->peers ? m->n_peers : 8;
	AUTO_BUF list = { 0 };
	uint8_t pdi[8];

	entry(o, OPAQUE_VBIOS, 0x86, slice_str(nv_make_vbios(m)));
	nv_make_pdi(pdi, m);
	entry(o, OPAQUE_PDIS, 0x82, slice_of(pdi, 8));
	for (size_t i = 0; i < 8; i++) {
		memset(pdi, 0xff, sizeof pdi);
		if (i < n)
			peer_pdi(pdi, m, i, NV_HOPPER);
		buf_put(&list, pdi, 8);
	}
	for (size_t i = 0; i < 64; i++)
		buf_byte(&list, i < 16 ? (uint8_t)(i / 2) : 0xff);
	entry(o, OPAQUE_SWITCH_GPU_PDIS, 0x82, buf_view(&list));
	put_counters(o, 31);
	entry(o, 24, 0x82, slice_of((const uint8_t[]){ 2, 0 }, 2));
}

static void put_opaque(struct buf *ret, const struct nv_make *m)
{
	const struct nv_opaque o = { ret, m->versioned };

	if (m->versioned)
		buf_put(ret, "NVDAOD\0\0\x02\0\0\0", 12);
	if (arch_of(m) == NV_LS10)
		put_switch_opaque(&o, m);
	else
		put_gpu_opaque(&o, m);
	buf_slice(ret, m->extra);
}

/* --- the report --------------------------------------------------------------------------------------------------- */

void nv_make_measurement(uint8_t ret[static 48], enum nv_arch a, size_t index)
{
	char text[48];

	snprintf(text, sizeof text, "measurement %zu of %d", index, (int)(a ? a : NV_HOPPER));
	WORKS(hash_of(ret, HASH_SHA384, slice_str(text), &e));
}

static void put_blocks(struct buf *ret, const struct nv_make *m)
{
	const size_t n = m->blocks ? m->blocks : facts[arch_of(m)].blocks;

	buf_byte(ret, (uint8_t)n);
	buf_le16(ret, (uint16_t)(n * 55));
	buf_byte(ret, 0);
	for (size_t i = 0; i < n; i++) {
		uint8_t value[48];

		nv_make_measurement(value, arch_of(m), i);
		value[0] ^= (size_t)m->changed == i + 1;
		buf_byte(ret, (uint8_t)(i + 1));
		buf_byte(ret, 1);
		buf_le16(ret, 51);
		buf_byte(ret, 1);
		buf_le16(ret, 48);
		buf_put(ret, value, sizeof value);
	}
}

static const struct privkey *signer(const struct nv_make *m)
{
	struct nv_make another = *m;

	another.device += m->other_key;
	return nv_make_key(&another, 0);
}

void nv_make_sign(struct buf *report, const struct nv_make *m)
{
	AUTO_BUF sig = { 0 };

	if (report->n < 96)
		return;
	WORKS(sig_sign(&sig, signer(m), SIG_ECDSA_RAW, HASH_SHA384, slice_of(report->p, report->n - 96), &e));
	if (sig.n == 96)
		memcpy(report->p + report->n - 96, sig.p, 96);
}

void nv_make_report(struct buf *ret, const struct nv_make *m)
{
	AUTO_BUF r = { 0 }, opaque = { 0 };

	buf_put(&r, "\x11\xe0\x01\xff", 4);
	if (m->nonce)
		buf_put(&r, m->nonce, 32);
	else
		buf_fill(&r, 0, 32);
	buf_byte(&r, 0);
	buf_put(&r, "\x11\x60\0\0", 4);
	put_blocks(&r, m);
	buf_fill(&r, 0x5c, 32);
	put_opaque(&opaque, m);
	buf_le16(&r, (uint16_t)opaque.n);
	buf_slice(&r, buf_view(&opaque));
	buf_fill(&r, 0, 96);
	nv_make_sign(&r, m);
	buf_fill(&r, 0, m->trailing);
	buf_slice(ret, buf_view(&r));
}

void nv_make_evidence(struct buf *ret, const struct nv_make *v, size_t n)
{
	static const uint8_t zeros[32];
	struct nv_piece pieces[NV_DEVICES_MAX + 1] = { 0 };
	struct buf reports[NV_DEVICES_MAX + 1] = { 0 }, chains[NV_DEVICES_MAX + 1] = { 0 };

	for (size_t i = 0; i < n && i <= NV_DEVICES_MAX; i++) {
		nv_make_report(&reports[i], &v[i]);
		nv_make_chain(&chains[i], &v[i]);
		pieces[i] = (struct nv_piece){ .arch = arch_of(&v[i]), .nonce = slice_of(v[i].nonce ? v[i].nonce : zeros, 32),
					       .report = buf_view(&reports[i]), .chain_pem = buf_view(&chains[i]) };
	}
	WORKS(nv_write(ret, pieces, n, &e));
	for (size_t i = 0; i <= NV_DEVICES_MAX; i++) {
		buf_free(&reports[i]);
		buf_free(&chains[i]);
	}
}
