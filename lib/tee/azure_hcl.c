/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of the HCL report: see azure.h.  Its header is signed by nobody, so nothing but the two parts that the hardware vouches for
 * (the hardware report, and the claims by their hash) is used. */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "crypto/hash.h"
#include "tee/azure.h"

enum { HCL_HEADER = 32, HCL_DATA_AT = HCL_HEADER + HCL_HARDWARE_SIZE, HCL_DATA_HEADER = 20 };

const char *hcl_type_name(uint32_t type)
{
	static const char *const names[] = { "invalid", "VBS", "SNP", "TVM", "TDX", "CCA" };

	return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

bool hcl_looks_like(struct slice raw)
{
	return raw.n >= 4 && !memcmp(raw.p, "HCLA", 4);
}

/* Version 1 has the claims right behind its five fields; later ones may put more between (openvmm), and end in the claims too. */
static int runtime_data(struct hcl_report *h, struct rd *r, struct err *e)
{
	uint32_t claims_size, between;

	h->data_size = rd_le32(r);
	h->data_version = rd_le32(r);
	h->type = rd_le32(r);
	h->hash_type = rd_le32(r);
	claims_size = rd_le32(r);
	if (r->bad)
		return err_set(e, EC_FORMAT, "HCL report ends before its runtime data: %zu bytes", h->raw.n);
	if (h->data_version == 0)
		return err_set(e, EC_FORMAT, "runtime data of the HCL report has version 0, wanted 1 or later");
	if (h->data_size < HCL_DATA_HEADER || claims_size > h->data_size - HCL_DATA_HEADER)
		return err_set(e, EC_FORMAT, "claims of %u bytes do not fit runtime data of %u bytes", claims_size, h->data_size);
	between = h->data_size - HCL_DATA_HEADER - claims_size;
	if (between && h->data_version == 1)
		return err_set(e, EC_FORMAT, "runtime data of %u bytes, wanted %u: %d and the claims", h->data_size,
			       HCL_DATA_HEADER + claims_size, HCL_DATA_HEADER);
	if (h->data_size - HCL_DATA_HEADER > rd_left(r))
		return err_set(e, EC_FORMAT, "HCL report ends inside its claims: %zu bytes, wanted %zu", h->raw.n,
			       HCL_DATA_AT + (size_t)h->data_size);
	if (claims_size == 0)
		return err_set(e, EC_FORMAT, "HCL report has no claims");
	rd_skip(r, between);
	h->claims = rd_take(r, claims_size);
	h->fill = rd_rest(r);
	return 0;
}

int hcl_parse(struct hcl_report *ret, struct slice raw, struct err *e)
{
	struct hcl_report h = { .raw = raw };
	struct rd r = rd_of(raw);

	if (!hcl_looks_like(raw))
		return err_set(e, EC_FORMAT, "no HCL report: it does not begin with 'HCLA'");
	if (raw.n > HCL_MAX)
		return err_set(e, EC_FORMAT, "HCL report of %zu bytes, at most %zu are possible", raw.n, HCL_MAX);
	rd_skip(&r, 4);
	h.version = rd_le32(&r);
	h.report_size = rd_le32(&r);
	h.request = rd_le32(&r);
	h.status = rd_le32(&r);
	rd_skip(&r, 12);
	h.hardware = rd_take(&r, HCL_HARDWARE_SIZE);
	if (runtime_data(&h, &r, e))
		return -1;
	if (h.version == 0)
		return err_set(e, EC_FORMAT, "HCL report has version 0, wanted 1 or later");
	if (h.type != HCL_SNP && h.type != HCL_TDX) {
		err_set(e, EC_ABSENT, "HCL report holds a report of type %u (%s), wanted 2 (SNP) or 4 (TDX)", h.type,
			hcl_type_name(h.type));
		return err_hint(e, "without a hardware report it is this machine's word only");
	}
	if (h.type == HCL_TDX)
		h.hardware.n = TDREPORT_SIZE;
	*ret = h;
	return 0;
}

int hcl_binding(uint8_t ret[static 64], const struct hcl_report *r, struct err *e)
{
	static const enum hash hashes[] = { HASH_NONE, HASH_SHA256, HASH_SHA384, HASH_SHA512 };
	uint8_t digest[HASH_MAX] = { 0 };

	if (r->hash_type == 0 || r->hash_type >= sizeof hashes / sizeof hashes[0])
		return err_set(e, EC_FORMAT, "hash type of the HCL report is %u, wanted 1 (SHA-256), 2 (SHA-384) or 3 (SHA-512)",
			       r->hash_type);
	if (hash_of(digest, hashes[r->hash_type], r->claims, e))
		return -1;
	memcpy(ret, digest, 64);
	return 0;
}

struct slice hcl_report_data(const struct hcl_report *r)
{
	return slice_of(r->hardware.p + (r->type == HCL_TDX ? 128 : 0x50), 64);
}

/* --- claims -------------------------------------------------------------------------------------------------- */

static int ak_of(struct hcl_claims *c, const struct json *jwk, struct err *e)
{
	AUTO_BUF n = { .max = HCL_MAX }, ex = { .max = HCL_MAX };
	const char *kty = json_string(json_get(jwk, "kty"));

	if (!kty || strcmp(kty, "RSA"))
		return err_set(e, EC_FORMAT, "it is no RSA key");
	if (json_need_b64url(&n, jwk, "n", "the key", e) || json_need_b64url(&ex, jwk, "e", "the key", e))
		return -1;
	for (size_t i = 0; i < ex.n; i++)
		c->ak_exponent = c->ak_exponent >> 56 ? 0 : c->ak_exponent << 8 | ex.p[i];
	return pubkey_from_rsa(&c->ak, buf_view(&n), buf_view(&ex), e);
}

/* By kid, never by position. */
static int find_ak(struct hcl_claims *c, struct err *e)
{
	const struct json *keys = json_get(c->json, "keys"), *found = NULL;

	if (!json_is_array(keys))
		return err_set(e, EC_FORMAT, "claims of the HCL report have no array 'keys'");
	for (const struct json *k = json_first(keys); k; k = json_next(k)) {
		const char *kid = json_string(json_get(k, "kid"));

		if (kid && !strcmp(kid, "HCLAkPub")) {
			found = k;
			c->n_ak++;
		}
	}
	if (c->n_ak != 1)
		err_set(&c->ak_trouble, EC_REFUSED, "%zu keys are called HCLAkPub", c->n_ak);
	else if (ak_of(c, found, &c->ak_trouble) && c->ak_trouble.code == EC_OK)
		err_set(&c->ak_trouble, EC_REFUSED, "the key cannot be read");
	return 0;
}

static int take_user_data(struct hcl_claims *c, struct err *e)
{
	const struct json *j = json_get(c->json, "user-data");
	const char *text = json_string(j);

	if (!j || json_is_null(j))
		return 0;
	if (!text)
		return err_set(e, EC_FORMAT, "'user-data' of the HCL report is no text");
	if (hex_decode_n(c->user_data, sizeof c->user_data, text, e))
		return err_ctx(e, "'user-data' of the HCL report");
	c->has_user_data = true;
	return 0;
}

static int read_claims(struct hcl_claims *c, struct slice text, struct err *e)
{
	if (json_parse(&c->json, text, HCL_MAX, e))
		return err_ctx(e, "claims of the HCL report");
	if (!json_is_object(c->json))
		return err_set(e, EC_FORMAT, "claims of the HCL report are no JSON object");
	c->vm = json_get(c->json, "vm-configuration");
	if (c->vm && !json_is_object(c->vm))
		return err_set(e, EC_FORMAT, "'vm-configuration' of the HCL report is no object");
	return find_ak(c, e) || take_user_data(c, e) ? -1 : 0;
}

int hcl_claims_parse(struct hcl_claims *ret, struct slice claims, struct err *e)
{
	struct hcl_claims c = { 0 };

	if (read_claims(&c, claims, e)) {
		hcl_claims_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

void hcl_claims_free(struct hcl_claims *c)
{
	json_free(c->json);
	pubkey_free(&c->ak);
	*c = (struct hcl_claims){ 0 };
}

bool hcl_user_data_set(const struct hcl_claims *c)
{
	uint8_t any = 0;

	for (size_t i = 0; i < sizeof c->user_data; i++)
		any |= c->user_data[i];
	return c->has_user_data && any;
}

int hcl_details(struct json *to, const struct hcl_report *r, const struct hcl_claims *c, struct err *e)
{
	AUTO_BUF der = { 0 };
	uint8_t id[32];

	json_add_u64(to, "version", r->version);
	json_add_u64(to, "bytes", r->raw.n);
	json_add_u64(to, "report_size", r->report_size);
	json_add_u64(to, "request_type", r->request);
	json_add_u64(to, "status", r->status);
	json_add_str(to, "report_type", hcl_type_name(r->type));
	json_add_u64(to, "runtime_data_version", r->data_version);
	json_add_u64(to, "hash_type", r->hash_type);
	json_add_u64(to, "claims_size", r->claims.n);
	if (c->ak.type != KEY_NONE) {
		if (pubkey_der(&der, &c->ak, e) || hash_of(id, HASH_SHA256, buf_view(&der), e))
			return -1;
		json_add_fmt(to, "ak", "RSA-%u", c->ak.bits);
		json_add_hex(to, "ak_sha256", slice_of(id, sizeof id));
	} else {
		json_add_str(to, "ak", c->ak_trouble.msg);
	}
	json_add_copy(to, "claims", c->json);
	return 0;
}

/* --- TDREPORT ------------------------------------------------------------------------------------------------- */

static bool zeros(struct slice s)
{
	uint8_t any = 0;

	for (size_t i = 0; i < s.n; i++)
		any |= s.p[i];
	return any == 0;
}

static int hash_holds(struct slice tdreport, size_t at, size_t from, size_t n, const char *what, struct err *e)
{
	uint8_t d[48];

	if (hash_of(d, HASH_SHA384, slice_of(tdreport.p + from, n), e))
		return -1;
	if (memcmp(d, tdreport.p + at, sizeof d))
		return err_set(e, EC_REFUSED, "%s of the TDREPORT is not the hash of what stands there", what);
	return 0;
}

int tdreport_matches(struct slice r, struct slice body, struct err *e)
{
	static const struct { const char *name; uint16_t at, n, body, least; } fields[] = {	/* least: length of a body that has it */
		{ "tee_tcb_svn", 264, 16, 0, 584 }, { "mr_seam", 280, 48, 16, 584 }, { "mrsigner_seam", 328, 48, 64, 584 },
		{ "seam_attributes", 376, 8, 112, 584 }, { "td_attributes", 512, 8, 120, 584 }, { "xfam", 520, 8, 128, 584 },
		{ "mr_td", 528, 48, 136, 584 }, { "mr_config_id", 576, 48, 184, 584 }, { "mr_owner", 624, 48, 232, 584 },
		{ "mr_owner_config", 672, 48, 280, 584 }, { "rtmr_0", 720, 48, 328, 584 }, { "rtmr_1", 768, 48, 376, 584 },
		{ "rtmr_2", 816, 48, 424, 584 }, { "rtmr_3", 864, 48, 472, 584 }, { "report_data", 128, 64, 520, 584 },
		{ "tee_tcb_svn2", 384, 16, 584, 648 }, { "mr_servicetd", 912, 48, 600, 648 },
	};

	if (r.n != TDREPORT_SIZE || body.n < 584)
		return err_set(e, EC_FORMAT, "TDREPORT of %zu bytes and a TD body of %zu, wanted %d and 584 or more", r.n, body.n,
			       TDREPORT_SIZE);
	if (r.p[0] != 0x81)
		return err_set(e, EC_FORMAT, "type of the TDREPORT is 0x%02x, wanted 0x81", r.p[0]);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (body.n >= fields[i].least && memcmp(r.p + fields[i].at, body.p + fields[i].body, fields[i].n))
			return err_set(e, EC_REFUSED, "%s differs between the TDREPORT and the quote", fields[i].name);
	if (r.p[1] || r.p[3] || !zeros(slice_of(r.p + 4, 12)) || !zeros(slice_of(r.p + 192, 32)) || !zeros(slice_of(r.p + 495, 17)) ||
	    !zeros(slice_of(r.p + 960, 64)))
		return err_set(e, EC_REFUSED, "a reserved byte of the TDREPORT is not zero");
	return hash_holds(r, 32, 256, 239, "TEE_TCB_INFO_HASH", e) || hash_holds(r, 80, 512, 512, "TEE_INFO_HASH", e) ? -1 : 0;
}
