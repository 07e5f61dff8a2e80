/* SPDX-License-Identifier: Apache-2.0 */
/* Intel TDX quotes: see tdx.h. */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "crypto/x509.h"
#include "tee/tdx.h"

#define CERT_DATA_QE_REPORT 6
#define SGX_TEE_TYPE 0

/* Members of the TD report body in order (cpu-tee.md 4.2), named as Trustee names them. */
static const struct { const char *name; uint16_t at, n; } parts[] = {
	{ "tcb_svn", 0, 16 }, { "mr_seam", 16, 48 }, { "mrsigner_seam", 64, 48 }, { "seam_attributes", 112, 8 },
	{ "td_attributes", 120, 8 }, { "xfam", 128, 8 }, { "mr_td", 136, 48 }, { "mr_config_id", 184, 48 },
	{ "mr_owner", 232, 48 }, { "mr_owner_config", 280, 48 }, { "rtmr_0", 328, 48 }, { "rtmr_1", 376, 48 },
	{ "rtmr_2", 424, 48 }, { "rtmr_3", 472, 48 }, { "report_data", 520, 64 },
	{ "tee_tcb_svn2", 584, 16 }, { "mr_servicetd", 600, 48 },	/* TDX 1.5 */
	{ "vm_id", 648, 1 }, { "td_id", 649, 32 }, { "device_info", 681, 48 }, { "servtd_hash_initial", 729, 48 },	/* extended */
	{ "servtd_attributes_initial", 777, 8 }, { "cpusvn_initial", 785, 16 }, { "tee_tcb_svn_initial", 801, 16 },
	{ "fmspc_initial", 817, 12 }, { "servtd_hash_current", 829, 48 }, { "servtd_attributes_current", 877, 8 },
};

struct slice tdx_part(const struct tdx_quote *q, enum tdx_at at, size_t n)
{
	return (size_t)at + n <= q->body.n ? slice_of(q->body.p + at, n) : (struct slice){ NULL, 0 };
}

uint64_t tdx_td_attributes(const struct tdx_quote *q)
{
	return get_le64(q->body.p + TDX_TD_ATTRIBUTES);
}

static const uint8_t intel_qe_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

struct slice tdx_vendor_intel(void)
{
	return slice_of(intel_qe_vendor, sizeof intel_qe_vendor);
}

bool tdx_quote_looks_like(struct slice raw)
{
	struct rd r = rd_of(raw);
	const uint16_t version = rd_le16(&r);
	uint32_t tee;

	rd_skip(&r, 2);
	tee = rd_le32(&r);
	if (r.bad || version < 3 || version > 8)
		return false;
	if (tee == TDX_TEE_TYPE)
		return true;
	rd_skip(&r, 4);		/* SGX has no number of its own here: the vendor tells */
	return tee == SGX_TEE_TYPE && slice_eq(rd_take(&r, 16), tdx_vendor_intel());
}

static int parse_header(struct tdx_quote *q, struct rd *r, struct err *e)
{
	struct rd h;

	q->header = rd_take(r, 48);
	h = rd_of(q->header);
	q->version = rd_le16(&h);
	q->key_type = rd_le16(&h);
	q->tee_type = rd_le32(&h);
	if (r->bad)
		return err_set(e, EC_FORMAT, "quote ends inside its 48-byte header");
	if (q->tee_type == SGX_TEE_TYPE && q->version >= 3 && q->version <= 5 && slice_eq(slice_of(q->header.p + 12, 16), tdx_vendor_intel())) {
		err_set(e, EC_ABSENT, "this is an SGX quote (version %u), the evidence of an enclave and not of a virtual machine", q->version);
		return err_hint(e, "of Intel's quotes TDX ones are read, versions 4 and 5");
	}
	if (q->version != 4 && q->version != 5)
		return err_set(e, EC_FORMAT, "quote version is %u, wanted 4 or 5", q->version);
	if (q->tee_type != TDX_TEE_TYPE)
		return err_set(e, EC_FORMAT, "TEE type is 0x%x, not TDX (0x81)", q->tee_type);
	if (q->key_type != 2 && q->key_type != 3)
		return err_set(e, EC_FORMAT, "attestation key type is %u, wanted 2 (P-256) or 3 (P-384)", q->key_type);
	return 0;
}

static int parse_body(struct tdx_quote *q, struct rd *r, struct err *e)
{
	static const uint16_t sizes[] = { [2] = 584, [3] = 648, [4] = 885 };
	uint32_t size = 584;

	q->body_type = 2;
	if (q->version == 5) {
		q->body_type = rd_le16(r);
		size = rd_le32(r);
		if (!r->bad && (q->body_type < 2 || q->body_type > 4 || sizes[q->body_type] != size))
			return err_set(e, EC_FORMAT, "quote body type %u with %u bytes is not one of TDX", q->body_type, size);
	}
	q->body = rd_take(r, size);
	return r->bad ? err_set(e, EC_FORMAT, "quote ends inside its body") : 0;
}

static int parse_qe(struct tdx_quote *q, struct slice data, struct err *e)
{
	struct rd r = rd_of(data);

	q->qe_report = rd_take(&r, 384);
	q->qe_signature = rd_take(&r, 64);
	q->qe_auth = rd_take(&r, rd_le16(&r));
	q->cert_type = rd_le16(&r);
	q->cert_data = rd_take(&r, rd_le32(&r));
	if (r.bad || rd_left(&r))
		return err_set(e, EC_FORMAT, "certification data of the quote (%zu bytes) does not hold what it announces", data.n);
	return 0;
}

static int parse_signature(struct tdx_quote *q, struct rd *r, struct err *e)
{
	const uint32_t n = rd_le32(r);
	const size_t coords = q->key_type == 2 ? 64 : 96;
	struct rd s = rd_of(rd_take(r, n));
	uint16_t type;
	struct slice data;

	if (r->bad)
		return err_set(e, EC_FORMAT, "quote ends inside its signature section of %u bytes", n);
	q->signature = rd_take(&s, coords);
	q->key = rd_take(&s, coords);
	type = rd_le16(&s);
	data = rd_take(&s, rd_le32(&s));
	if (s.bad || rd_left(&s))
		return err_set(e, EC_FORMAT, "signature section of the quote (%u bytes) does not hold what it announces", n);
	if (type != CERT_DATA_QE_REPORT)
		return err_set(e, EC_FORMAT, "certification data of the quote is of type %u, wanted %d", type, CERT_DATA_QE_REPORT);
	return parse_qe(q, data, e);
}

int tdx_quote_parse(struct tdx_quote *ret, struct slice raw, struct err *e)
{
	struct rd r = rd_of(raw);
	struct tdx_quote q = { 0 };

	if (raw.n > TDX_QUOTE_MAX)
		return err_set(e, EC_FORMAT, "quote is %zu bytes, at most %zu are read", raw.n, TDX_QUOTE_MAX);
	if (parse_header(&q, &r, e) || parse_body(&q, &r, e))
		return -1;
	q.signed_part = slice_of(raw.p, raw.n - rd_left(&r));
	if (parse_signature(&q, &r, e))
		return -1;
	q.trailing = rd_left(&r);
	*ret = q;
	return 0;
}

struct slice tdx_report_data(const struct tdx_quote *q)
{
	return slice_of(q->body.p + TDX_REPORT_DATA, 64);
}

static void add_attributes(struct json *to, const struct tdx_quote *q)
{
	const uint64_t a = tdx_td_attributes(q);
	struct json *o = json_add_object(to, "td_attributes");

	json_add_bool(o, "debug", a & TDX_TD_DEBUG);
	json_add_bool(o, "septve_disable", a >> 28 & 1);
	json_add_bool(o, "protection_keys", a >> 30 & 1);
	json_add_bool(o, "key_locker", a >> 31 & 1);
	json_add_bool(o, "perfmon", a >> 63 & 1);
}

static void add_header(struct json *to, const struct tdx_quote *q)
{
	struct rd r = rd_of(q->header);
	struct json *o = json_add_object(to, "header");

	json_add_hex(o, "version", rd_take(&r, 2));
	json_add_hex(o, "att_key_type", rd_take(&r, 2));
	json_add_hex(o, "tee_type", rd_take(&r, 4));
	json_add_hex(o, "reserved", rd_take(&r, 4));
	json_add_hex(o, "vendor_id", rd_take(&r, 16));
	json_add_hex(o, "user_data", rd_take(&r, 20));
}

int tdx_claims(struct json *to, const struct tdx_quote *q, struct err *e)
{
	struct json *quote = json_add_object(to, "quote"), *body;

	(void)e;
	add_header(quote, q);
	if (q->version == 5) {
		json_add_hex(quote, "type", slice_of(q->header.p + 48, 2));
		json_add_hex(quote, "size", slice_of(q->header.p + 50, 4));
	}
	body = json_add_object(quote, "body");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if ((size_t)parts[i].at + parts[i].n <= q->body.n)
			json_add_hex(body, parts[i].name, slice_of(q->body.p + parts[i].at, parts[i].n));
	add_attributes(to, q);
	json_add_hex(to, "report_data", tdx_report_data(q));
	json_add_hex(to, "init_data", slice_of(q->body.p + TDX_MR_CONFIG_ID, 48));
	return 0;
}

/* The PCK chain, as far as it can be read: only to be looked at. */
static void add_chain(struct json *to, const struct tdx_quote *q)
{
	AUTO_CERTS c = { 0 };
	struct err e = { 0 };
	struct json *arr;

	if ((q->cert_type != 5 && q->cert_type != 4) || certs_parse(&c, q->cert_data, &e))
		return;
	arr = json_add_array(to, "certificates");
	for (size_t i = 0; i < c.n; i++) {
		AUTO_BUF name = { 0 };

		if (!cert_name(&name, c.v[i].subject, &e))
			json_add_str(arr, NULL, buf_cstr(&name));
	}
}

int tdx_details(struct json *to, const struct tdx_quote *q, struct err *e)
{
	json_add_u64(to, "version", q->version);
	json_add_str(to, "attestation_key", q->key_type == 2 ? "ECDSA P-256" : "ECDSA P-384");
	json_add_u64(to, "body_type", q->body_type);
	json_add_u64(to, "certification_data_type", q->cert_type);
	json_add_u64(to, "trailing_bytes", q->trailing);
	if (tdx_claims(to, q, e))
		return -1;
	add_chain(to, q);
	return 0;
}
