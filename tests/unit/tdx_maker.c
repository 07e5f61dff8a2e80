/* SPDX-License-Identifier: Apache-2.0 */
/* See tdx_maker.h. */

#include "tdx_maker.h"
#include "base/cursor.h"
#include "base/host.h"
#include "codec/der.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "crypto/crl.h"
#include "test.h"
#include "tee/tdx_pck.h"

static struct maker {
	bool ready;
	struct privkey root, other, mid, leaf, leaf2, signer, attestation;
	uint8_t root_key[32];
	struct buf root_der, other_root_der, mid_der[2], signer_der;
} m;

static const uint8_t mid_serial[] = { 0x11, 0x22 }, leaf_serial[] = { 0x7f, 1, 2, 3 }, signer_serial[] = { 0x33, 0x44 };

static void make_cert(struct buf *ret, const struct cert_make *how, const struct buf *issuer)
{
	AUTO_CERTS c = { 0 };
	struct cert_make with = *how;

	if (issuer) {
		WORKS(certs_parse(&c, buf_view(issuer), &e));
		with.issuer = c.n ? &c.v[0] : NULL;
	}
	if (!with.not_before)
		with.not_before = TDX_NOW - 1000 * TDX_DAY;
	if (!with.not_after)
		with.not_after = TDX_NOW + 1000 * TDX_DAY;
	WORKS(cert_make(ret, &with, &e));
}

static void setup(void)
{
	struct privkey *const keys[] = { &m.root, &m.other, &m.mid, &m.leaf, &m.leaf2, &m.signer, &m.attestation };
	AUTO_CERTS c = { 0 };

	if (m.ready)
		return;
	m.ready = true;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		WORKS(privkey_generate(keys[i], KEY_EC_P256, 0, &e));
	make_cert(&m.root_der, &(const struct cert_make){ .subject = "CN=Intel SGX Root CA,O=Intel Corporation", .key = &m.root, .ca = true }, NULL);
	make_cert(&m.other_root_der, &(const struct cert_make){ .subject = "CN=Intel SGX Root CA,O=Intel Corporation", .key = &m.other, .ca = true }, NULL);
	make_cert(&m.mid_der[0], &(const struct cert_make){ .subject = "CN=Intel SGX PCK Platform CA", .key = &m.mid, .issuer_key = &m.root, .ca = true,
							    .serial = mid_serial, .serial_n = 2 }, &m.root_der);
	make_cert(&m.mid_der[1], &(const struct cert_make){ .subject = "CN=Intel SGX PCK Processor CA", .key = &m.mid, .issuer_key = &m.root,
							    .ca = true, .serial = mid_serial, .serial_n = 2 }, &m.root_der);
	WORKS(certs_parse(&c, buf_view(&m.root_der), &e));
	WORKS(cert_key_sha256(m.root_key, &c.v[0], &e));
}

const uint8_t *tdx_maker_root(void)
{
	setup();
	return m.root_key;
}

/* --- PCK certificates ------------------------------------------------------------------------------------------ */

static void wrap(struct buf *b, unsigned tag)
{
	struct buf out = { 0 };

	der_put(&out, tag, buf_view(b));
	buf_move(b, &out);
}

static void pair(struct buf *ret, const char *oid, unsigned tag, struct slice value)
{
	AUTO_BUF x = { 0 };

	der_put_oid(&x, oid);
	der_put(&x, tag, value);
	wrap(&x, DER_SEQUENCE);
	buf_slice(ret, buf_view(&x));
}

static void number(struct buf *ret, const char *oid, uint32_t v)
{
	AUTO_BUF x = { 0 };
	uint8_t be[4];

	put_be32(be, v);
	der_put_oid(&x, oid);
	der_put_uint(&x, slice_of(be, 4));
	wrap(&x, DER_SEQUENCE);
	buf_slice(ret, buf_view(&x));
}

static const uint8_t newest[16] = { 5, 5, 2, 2, 3, 1, 0, 5 }, older[16] = { 4, 4, 2, 2, 3, 1, 0, 5 };

static void tcb_extension(struct buf *ret, const struct tdx_make *mk)
{
	AUTO_BUF t = { 0 }, x = { 0 };
	uint8_t cpusvn[16] = { 0 };
	char oid[64];

	for (unsigned i = 0; i < 16; i++) {
		snprintf(oid, sizeof oid, OID_SGX_EXTENSION ".2.%u", i + 1);
		cpusvn[i] = (uint8_t)(newest[i] - (i == 0 ? mk->lag : 0));
		number(&t, oid, cpusvn[i]);
	}
	number(&t, OID_SGX_EXTENSION ".2.17", mk->pcesvn ? mk->pcesvn : 13);
	pair(&t, OID_SGX_EXTENSION ".2.18", DER_OCTET_STRING, slice_of(cpusvn, 16));
	wrap(&t, DER_SEQUENCE);
	der_put_oid(&x, OID_SGX_EXTENSION ".2");
	buf_slice(&x, buf_view(&t));
	wrap(&x, DER_SEQUENCE);
	buf_slice(ret, buf_view(&x));
}

void tdx_pck_ext_make(struct buf *ret, const struct tdx_make *mk)
{
	AUTO_BUF x = { 0 }, fmspc = { 0 }, conf = { 0 };
	const uint8_t ppid[16] = { 0xaa, mk->other_machine };

	WORKS(hex_decode(&fmspc, slice_str(mk->fmspc ? mk->fmspc : "00806f050000"), &e));
	pair(&x, OID_SGX_EXTENSION ".1", DER_OCTET_STRING, slice_of(ppid, 16));
	tcb_extension(&x, mk);
	pair(&x, OID_SGX_EXTENSION ".3", DER_OCTET_STRING, SLICE("\0\0"));
	pair(&x, OID_SGX_EXTENSION ".4", DER_OCTET_STRING, buf_view(&fmspc));
	pair(&x, OID_SGX_EXTENSION ".5", 0x0a, SLICE("\1"));
	pair(&x, OID_SGX_EXTENSION ".6", DER_OCTET_STRING, SLICE("0123456789abcdef"));
	pair(&conf, OID_SGX_EXTENSION ".7.1", DER_BOOLEAN, SLICE("\xff"));
	pair(&conf, OID_SGX_EXTENSION ".7.3", DER_BOOLEAN, SLICE("\0"));
	{
		AUTO_BUF c = { 0 };

		wrap(&conf, DER_SEQUENCE);
		der_put_oid(&c, OID_SGX_EXTENSION ".7");
		buf_slice(&c, buf_view(&conf));
		wrap(&c, DER_SEQUENCE);
		buf_slice(&x, buf_view(&c));
	}
	wrap(&x, DER_SEQUENCE);
	buf_slice(ret, buf_view(&x));
}

static void make_mid(struct buf *ret, const struct tdx_make *mk)
{
	const bool special = mk->mid_no_ca || mk->mid_cn || mk->other_root;
	AUTO_BUF name = { 0 };

	if (!special) {
		buf_slice(ret, buf_view(&m.mid_der[mk->processor_ca]));
		return;
	}
	buf_printf(&name, "CN=%s", mk->mid_cn ? mk->mid_cn : "Intel SGX PCK Platform CA");
	make_cert(ret, &(const struct cert_make){ .subject = buf_cstr(&name), .key = &m.mid, .issuer_key = mk->other_root ? &m.other : &m.root,
						  .ca = !mk->mid_no_ca, .serial = mid_serial, .serial_n = 2 },
		  mk->other_root ? &m.other_root_der : &m.root_der);
}

static void make_leaf(struct buf *ret, const struct tdx_make *mk, const struct buf *mid)
{
	AUTO_BUF ext = { 0 }, name = { 0 };
	struct cert_make_ext x = { .oid = OID_SGX_EXTENSION };
	struct cert_make how = { .key = mk->other_machine ? &m.leaf2 : &m.leaf, .issuer_key = &m.mid, .ca = mk->leaf_ca, .serial = leaf_serial,
				 .serial_n = sizeof leaf_serial, .exts = &x, .n_exts = mk->no_extension ? 0 : 1,
				 .not_before = TDX_NOW - 100 * TDX_DAY, .not_after = TDX_NOW + 100 * TDX_DAY };

	tdx_pck_ext_make(&ext, mk);
	x.value = mk->extension.n ? mk->extension : buf_view(&ext);
	buf_printf(&name, "CN=%s", mk->leaf_cn ? mk->leaf_cn : "Intel SGX PCK Certificate");
	how.subject = buf_cstr(&name);
	if (mk->leaf_expired)
		how.not_after = TDX_NOW - 1;
	if (mk->leaf_future)
		how.not_before = TDX_NOW + 1;
	if (mk->by_other_ca) {	/* the CA's name, another's key */
		AUTO_BUF fake = { 0 };

		make_cert(&fake, &(const struct cert_make){ .subject = "CN=Intel SGX PCK Platform CA", .key = &m.other, .ca = true }, NULL);
		how.issuer_key = &m.other;
		make_cert(ret, &how, &fake);
		return;
	}
	make_cert(ret, &how, mid);
}

void tdx_chain_make(struct buf *ret, const struct tdx_make *mk)
{
	AUTO_BUF mid = { 0 }, leaf = { 0 };

	setup();
	make_mid(&mid, mk);
	make_leaf(&leaf, mk, &mid);
	if (!mk->no_leaf)
		pem_put(ret, "CERTIFICATE", buf_view(&leaf));
	if (!mk->no_mid)
		pem_put(ret, "CERTIFICATE", buf_view(&mid));
	if (!mk->no_root)
		pem_put(ret, "CERTIFICATE", buf_view(mk->other_root ? &m.other_root_der : &m.root_der));
}

/* --- quotes ------------------------------------------------------------------------------------------------------ */

static void make_header(struct buf *b, const struct tdx_make *mk)
{
	static const uint8_t vendor[] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

	buf_le16(b, mk->version ? mk->version : 4);
	buf_le16(b, mk->key_type ? mk->key_type : 2);
	buf_le32(b, TDX_TEE_TYPE);
	buf_le32(b, mk->reserved);
	if (mk->other_vendor)
		buf_fill(b, 7, 16);
	else
		buf_put(b, vendor, 16);
	buf_fill(b, 0x51, 20);
}

static void make_svn(uint8_t *p, const struct tdx_make *mk, uint8_t svn)
{
	p[0] = svn ? svn : 6;
	p[1] = mk->module_major ? mk->module_major : !mk->plain_module;
	p[2] = (uint8_t)(5 - mk->microcode_lag);
}

static void make_body(struct buf *b, const struct tdx_make *mk)
{
	static const uint16_t sizes[] = { [2] = 584, [3] = 648, [4] = 885 };
	const uint16_t type = mk->body_type ? mk->body_type : 2;
	const uint64_t attributes = mk->attributes | UINT64_C(0x10000000);
	uint8_t *p;

	if (mk->version == 5) {
		buf_le16(b, type);
		buf_le32(b, sizes[type]);
	}
	p = buf_grow(b, sizes[type]);
	if (!p)
		return;
	make_svn(p, mk, mk->module_svn);
	memset(p + TDX_MR_SEAM, 0x31, 48);
	if (mk->seam_signer)
		memset(p + TDX_MRSIGNER_SEAM, 0x32, 48);
	p[TDX_SEAM_ATTRIBUTES] = mk->seam_attributes;
	for (size_t i = 0; i < 8; i++)
		p[TDX_TD_ATTRIBUTES + i] = (uint8_t)(attributes >> 8 * i);
	p[TDX_XFAM] = mk->bad_xfam ? 0xe6 : 0xe7;
	memset(p + TDX_MR_TD, 0x33, 48);
	memset(p + TDX_MR_CONFIG_ID, 0x34, 48);
	memset(p + TDX_MR_OWNER, 0x35, 48);
	memset(p + TDX_MR_OWNER_CONFIG, 0x36, 48);
	for (size_t i = 0; i < 4; i++)
		memset(p + TDX_RTMR0 + 48 * i, (int)(0x40 + i), 48);
	if (mk->n)
		memcpy(p + TDX_REPORT_DATA, mk->report_data, mk->n);
	if (type >= 3) {
		make_svn(p + TDX_TEE_TCB_SVN2, mk, mk->module_now);
		memset(p + TDX_MR_SERVICETD, mk->service_td && type == 3 ? 0x37 : 0, 48);
	}
	if (type == 4 && mk->service_td)
		p[TDX_SERVTD_CURRENT + 47] = 1;
}

static void bind(uint8_t r[static 384], const uint8_t *key, struct slice auth)
{
	AUTO_BUF both = { 0 };

	memset(r + QE_REPORT_DATA, 0, 64);
	buf_put(&both, key, 64);
	buf_slice(&both, auth);
	WORKS(hash_of(r + QE_REPORT_DATA, HASH_SHA256, buf_view(&both), &e));
}

static void make_qe_report(uint8_t r[static 384], const struct tdx_make *mk, const uint8_t *key, struct slice auth)
{
	static const uint8_t signer[] = { 0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
					  0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5 };

	memset(r, 0, 384);
	r[QE_MISCSELECT] = mk->qe_misc;
	r[QE_ATTRIBUTES] = (uint8_t)(0x15 | (mk->qe_debug ? 2 : 0));	/* bit 2 is outside the mask */
	memcpy(r + QE_MRSIGNER, signer, 32);
	r[QE_MRSIGNER] ^= mk->qe_other_signer;
	r[QE_ISVPRODID] = (uint8_t)(mk->qe_prodid ? mk->qe_prodid : 2);
	r[QE_ISVSVN] = (uint8_t)(mk->qe_isvsvn ? mk->qe_isvsvn : 4);
	bind(r, key, auth);
	r[QE_REPORT_DATA] ^= mk->binding_of_other_key;
	r[QE_REPORT_DATA + 63] = mk->odd_binding;
}

static void sign(struct buf *ret, const struct privkey *k, struct slice what)
{
	WORKS(sig_sign(ret, k, SIG_ECDSA_RAW, HASH_SHA256, what, &e));
}

/* Everything behind the body. */
static void put_signature(struct buf *b, const struct privkey *quote_key, const uint8_t key[static 64], const uint8_t report[static 384],
			  const struct privkey *pck, struct slice auth, uint16_t type, struct slice certs)
{
	AUTO_BUF sig = { 0 }, qe = { 0 };

	sign(&sig, quote_key, buf_view(b));
	buf_put(&qe, report, 384);
	sign(&qe, pck, slice_of(report, 384));
	buf_le16(&qe, (uint16_t)auth.n);
	buf_slice(&qe, auth);
	buf_le16(&qe, type);
	buf_le32(&qe, (uint32_t)certs.n);
	buf_slice(&qe, certs);
	buf_put(&sig, key, 64);
	buf_le16(&sig, 6);
	buf_le32(&sig, (uint32_t)qe.n);
	buf_slice(&sig, buf_view(&qe));
	buf_le32(b, (uint32_t)sig.n);
	buf_slice(b, buf_view(&sig));
}

static void attestation_key(uint8_t key[static 64])
{
	AUTO_PUBKEY pub = { 0 };

	WORKS(privkey_public(&pub, &m.attestation, &e));
	WORKS(pubkey_ec_xy(key, key + 32, &pub, &e));
}

void tdx_quote_make(struct buf *ret, const struct tdx_make *mk)
{
	AUTO_BUF b = { 0 }, pem = { 0 };
	const uint8_t auth[32] = { 1, 2, 3 };
	const struct slice a = slice_of(auth, mk->no_auth ? 0 : sizeof auth);
	const struct privkey *pck;
	uint8_t key[64], report[384];

	setup();
	pck = mk->other_key_signs_qe ? &m.other : mk->other_machine ? &m.leaf2 : &m.leaf;
	make_header(&b, mk);
	make_body(&b, mk);
	attestation_key(key);
	make_qe_report(report, mk, key, a);
	if (mk->cert_type && mk->cert_type < 4)
		buf_fill(&pem, 9, 36 + 256);
	else
		tdx_chain_make(&pem, mk);
	if (mk->pem_nul)
		buf_byte(&pem, 0);
	put_signature(&b, mk->other_key_signs_quote ? &m.other : &m.attestation, key, report, pck, a, mk->cert_type ? mk->cert_type : 5, buf_view(&pem));
	buf_fill(&b, mk->trailing_byte, mk->trailing);
	buf_slice(ret, buf_view(&b));
}

void tdx_quote_resign(struct buf *ret, const struct tdx_quote *q)
{
	static struct buf chain;
	AUTO_BUF b = { 0 };
	uint8_t key[64], report[384];

	setup();
	if (chain.n == 0)
		tdx_chain_make(&chain, &(const struct tdx_make){ 0 });
	attestation_key(key);
	buf_slice(&b, q->signed_part);
	memcpy(report, q->qe_report.p, sizeof report);
	bind(report, key, q->qe_auth);
	put_signature(&b, &m.attestation, key, report, &m.leaf, q->qe_auth, 5, buf_view(&chain));
	buf_slice(ret, buf_view(&b));
}

/* --- documents ------------------------------------------------------------------------------------------------------ */

static void put_date(struct buf *b, const char *name, int64_t t)
{
	char text[32];

	time_format(text, t);
	buf_printf(b, "\"%s\":\"%s\",", name, text);
}

static void put_components(struct buf *b, const char *name, const uint8_t v[static 16])
{
	buf_printf(b, "\"%s\":[", name);
	for (size_t i = 0; i < 16; i++)
		buf_printf(b, "%s{\"svn\":%u%s}", i ? "," : "", v[i], i == 1 ? ",\"category\":\"a \\\"}]\\\\\"" : "");
	buf_puts(b, "]");
}

static void put_level(struct buf *b, const uint8_t sgx[static 16], unsigned pcesvn, uint8_t microcode, const char *date, const char *status,
		      const char *advisories)
{
	const uint8_t tdx[16] = { 3, 0, microcode };

	buf_puts(b, "{\"tcb\":{");
	put_components(b, "sgxtcbcomponents", sgx);
	buf_printf(b, ",\"pcesvn\":%u,", pcesvn);
	put_components(b, "tdxtcbcomponents", tdx);
	buf_printf(b, "},\"tcbDate\":\"%s\",\"tcbStatus\":\"%s\"%s}", date, status, advisories);
}

static void put_levels(struct buf *b, const struct tdx_docs *d)
{
	const char *const top = d->level ? d->level : "UpToDate", *const old = d->old_level ? d->old_level : "OutOfDate";

	buf_puts(b, "\"tcbLevels\":[");
	for (int i = 0; i < 2; i++) {
		if ((i == 0) != d->reversed)
			put_level(b, newest, 13, 5, "2024-11-13T00:00:00Z", top, strcmp(top, "UpToDate") ? ",\"advisoryIDs\":[\"INTEL-SA-00001\"]" : "");
		else
			put_level(b, older, 11, 4, "2023-08-09T00:00:00Z", old, ",\"advisoryIDs\":[\"INTEL-SA-00002\",\"INTEL-SA-00003\"]");
		buf_puts(b, i ? "]" : ",");
	}
}

static void put_modules(struct buf *b, const struct tdx_docs *d)
{
	static const char zeros[] = "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
	const char *const signer = d->module_signer ? d->module_signer : zeros;

	buf_printf(b, "\"tdxModule\":{\"mrsigner\":\"%s\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},", signer);
	if (d->no_modules)
		return;
	buf_printf(b, "\"tdxModuleIdentities\":[{\"id\":\"tdx_01\",\"mrsigner\":\"%s\",\"attributes\":\"0000000000000000\","
		      "\"attributesMask\":\"ffffffffffffffff\",\"tcbLevels\":[", signer);
	buf_printf(b, "{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"%s\",\"advisoryIDs\":[\"INTEL-SA-00003\",\"INTEL-SA-00004\"]},",
		   d->old_module ? d->old_module : "OutOfDate");
	buf_printf(b, "{\"tcb\":{\"isvsvn\":6},\"tcbDate\":\"2024-11-13T00:00:00Z\",\"tcbStatus\":\"%s\"}]},", d->module ? d->module : "UpToDate");
	buf_printf(b, "{\"id\":\"TDX_03\",\"mrsigner\":\"%s\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\","
		      "\"tcbLevels\":[{\"tcb\":{\"isvsvn\":3},\"tcbDate\":\"2024-11-13T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}]}],", signer);
}

static int64_t or_default(int64_t t, int64_t otherwise)
{
	return t ? t : otherwise;
}

/* The signed text as the value of this member, with its signature. */
static void sign_document(struct buf *ret, const char *member, const struct buf *body, const struct privkey *k, const char *outer)
{
	AUTO_BUF sig = { 0 };

	sign(&sig, k, buf_view(body));
	buf_printf(ret, "{ %s\"%s\" : ", outer ? outer : "", member);
	buf_slice(ret, buf_view(body));
	buf_puts(ret, ",\n\"signature\":\"");
	buf_hex(ret, buf_view(&sig));
	buf_puts(ret, "\"}");
}

void tdx_tcb_info_make(struct buf *ret, const struct tdx_docs *d)
{
	AUTO_BUF b = { 0 };

	setup();
	buf_printf(&b, "{\"id\":\"%s\",\"version\":%u,", d->tcb_id ? d->tcb_id : "TDX", d->tcb_version ? d->tcb_version : 3);
	put_date(&b, "issueDate", or_default(d->tcb_issued, TDX_NOW - 7 * TDX_DAY));
	put_date(&b, "nextUpdate", or_default(d->tcb_next, TDX_NOW + 21 * TDX_DAY));
	buf_printf(&b, "\"fmspc\":\"%s\",\"pceId\":\"%s\",\"tcbType\":0,\"tcbEvaluationDataNumber\":%llu,", d->fmspc ? d->fmspc : "00806F050000",
		   d->pceid ? d->pceid : "0000", (unsigned long long)(d->evaluation ? d->evaluation : 17));
	if (d->extra)
		buf_puts(&b, d->extra);
	put_modules(&b, d);
	put_levels(&b, d);
	buf_puts(&b, "}");
	sign_document(ret, "tcbInfo", &b, d->tcb_signed_by_other ? &m.other : &m.signer, d->outer);
}

void tdx_qe_identity_make(struct buf *ret, const struct tdx_docs *d)
{
	AUTO_BUF b = { 0 };

	setup();
	buf_printf(&b, "{\"id\":\"%s\",\"version\":%u,", d->qe_id ? d->qe_id : "TD_QE", d->qe_version ? d->qe_version : 2);
	put_date(&b, "issueDate", or_default(d->id_issued, TDX_NOW - 7 * TDX_DAY));
	put_date(&b, "nextUpdate", or_default(d->id_next, TDX_NOW + 21 * TDX_DAY));
	buf_printf(&b, "\"tcbEvaluationDataNumber\":%llu,", (unsigned long long)(d->evaluation ? d->evaluation : 17));
	buf_puts(&b, "\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",\"attributes\":\"11000000000000000000000000000000\","
		     "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
		     "\"mrsigner\":\"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5\",\"isvprodid\":2,\"tcbLevels\":[");
	buf_puts(&b, "{\"tcb\":{\"isvsvn\":2},\"tcbDate\":\"2022-03-13T00:00:00Z\",\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-00009\"]},");
	buf_printf(&b, "{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-11-13T00:00:00Z\",\"tcbStatus\":\"%s\"}]}", d->qe ? d->qe : "UpToDate");
	sign_document(ret, "enclaveIdentity", &b, d->id_signed_by_other ? &m.other : &m.signer, d->outer);
}

static void add(struct collateral *to, const struct buf *b)
{
	WORKS(collateral_add(to, buf_view(b), "made for the test", "", &e));
}

static void add_crl(struct collateral *to, const struct buf *issuer_der, const struct privkey *k, const struct tdx_docs *d, const struct slice *serials,
		    size_t n)
{
	AUTO_BUF der = { 0 };
	AUTO_CERTS issuer = { 0 };

	WORKS(certs_parse(&issuer, buf_view(issuer_der), &e));
	if (d->crl_by_other) {	/* the issuer's name, another's key */
		AUTO_BUF fake = { 0 };

		certs_free(&issuer);
		make_cert(&fake, &(const struct cert_make){ .subject = issuer_der == &m.root_der ? "CN=Intel SGX Root CA,O=Intel Corporation" :
								       "CN=Intel SGX PCK Platform CA", .key = &m.other, .ca = true }, NULL);
		WORKS(certs_parse(&issuer, buf_view(&fake), &e));
		k = &m.other;
	}
	WORKS(crl_make(&der, &(const struct crl_make){ .issuer = &issuer.v[0], .issuer_key = k, .serials = serials, .n_serials = n,
						       .this_update = or_default(d->crl_issued, TDX_NOW - 7 * TDX_DAY),
						       .next_update = or_default(d->crl_next, TDX_NOW + 21 * TDX_DAY) }, &e));
	add(to, &der);
}

static void add_signer(struct collateral *to, const struct tdx_docs *d)
{
	AUTO_BUF der = { 0 };
	struct cert_make how = { .subject = d->signer_other_cn ? "CN=Intel SGX PCK Certificate" : "CN=Intel SGX TCB Signing", .key = &m.signer,
				 .issuer_key = d->signer_by_other_root ? &m.other : &m.root, .serial = signer_serial, .serial_n = 2, .ca = d->signer_ca };

	if (d->signer_expired)
		how.not_after = TDX_NOW - 1;
	if (d->signer_future)
		how.not_before = TDX_NOW + 1;
	make_cert(&der, &how, d->signer_by_other_root ? &m.other_root_der : &m.root_der);
	add(to, &der);
}

void tdx_docs_make(struct collateral *to, const struct tdx_docs *d)
{
	const struct slice root_serials[] = { SLICE("\x01"), d->root_lists_mid ? slice_of(mid_serial, 2) : slice_of(signer_serial, 2) };
	const struct slice pck_serials[] = { SLICE("\x02"), slice_of(leaf_serial, sizeof leaf_serial) };
	AUTO_BUF tcb = { 0 }, id = { 0 };

	setup();
	if (!d->no_signer)
		add_signer(to, d);
	if (!d->no_tcb) {
		tdx_tcb_info_make(&tcb, d);
		add(to, &tcb);
	}
	if (!d->no_id) {
		tdx_qe_identity_make(&id, d);
		add(to, &id);
	}
	if (!d->no_root_crl)
		add_crl(to, &m.root_der, &m.root, d, root_serials, d->root_lists_mid || d->root_lists_signer ? 2 : 1);
	if (!d->no_pck_crl)
		add_crl(to, &m.mid_der[d->processor_ca], &m.mid, d, pck_serials, d->pck_lists_leaf ? 2 : 1);
}
