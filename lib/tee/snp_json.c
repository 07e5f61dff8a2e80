/* SPDX-License-Identifier: Apache-2.0 */
/* SNP evidence as Trustee's guests send it (key-broker.md 2.3): the report as a tree of numbers and byte lists,
 * which has to become
 * the very bytes again that the chip signed. */

#include "codec/hex64.h"
#include "base/cursor.h"
#include "tee/snp.h"

#define WHAT "the SNP report"

enum shape { U32, U64, BYTES };
static const struct member {
	const char *name;
	uint16_t at, n;
	enum shape shape;
	bool optional;		/* null or absent reads as zero */
} before_tcb[] = {
	{ "version", 0x000, 4, U32, false }, { "guest_svn", 0x004, 4, U32, false }, { "policy", 0x008, 8, U64, false },
	{ "family_id", 0x010, 16, BYTES, false }, { "image_id", 0x020, 16, BYTES, false },
	{ "vmpl", 0x030, 4, U32, false }, { "sig_algo", 0x034, 4, U32, false },
}, after_current[] = {
	{ "plat_info", 0x040, 8, U64, false }, { "key_info", 0x048, 4, U32, false },
	{ "report_data", 0x050, 64, BYTES, false }, { "measurement", 0x090, 48, BYTES, false },
	{ "host_data", 0x0c0, 32, BYTES, false }, { "id_key_digest", 0x0e0, 48, BYTES, false },
	{ "author_key_digest", 0x110, 48, BYTES, false }, { "report_id", 0x140, 32, BYTES, false },
	{ "report_id_ma", 0x160, 32, BYTES, false },
}, chip[] = {
	{ "chip_id", 0x1a0, 64, BYTES, false },
};
static const struct { const char *name; uint16_t at; } cpuid[] = {
	{ "cpuid_fam_id", 0x188 }, { "cpuid_mod_id", 0x189 }, { "cpuid_step", 0x18a }
}, mitigations[] = {
	{ "launch_mit_vector", 0x1f8 }, { "current_mit_vector", 0x200 }
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- writing ------------------------------------------------------------------------------------------- */

static void write_members(struct json *to, const struct snp_report *r, const struct member *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = r->raw + m[i].at;

		if (m[i].shape == BYTES)
			json_add_bytes(to, m[i].name, slice_of(p, m[i].n));
		else
			json_add_int(to, m[i].name, m[i].shape == U32 ? get_le32(p) : get_le64(p));
	}
}

static void write_tcb(struct json *to, const char *name, const struct snp_report *r, unsigned at)
{
	const struct snp_tcb t = snp_tcb_at(r, at);
	struct json *o = json_add_object(to, name);

	for (size_t i = 0; i < TCB_PARTS; i++)
		if (t.v[i] < 0)
			json_add_null(o, tcb_part_names[i]);
		else
			json_add_int(o, tcb_part_names[i], (uint64_t)t.v[i]);
}

static void write_version(struct json *to, const char *name, const struct snp_report *r, unsigned at)
{
	struct json *o = json_add_object(to, name);

	json_add_int(o, "major", r->raw[at + 2]);
	json_add_int(o, "minor", r->raw[at + 1]);
	json_add_int(o, "build", r->raw[at]);
}

static void write_report(struct json *o, const struct snp_report *r)
{
	struct json *sig;

	write_members(o, r, before_tcb, COUNT(before_tcb));
	write_tcb(o, "current_tcb", r, SNP_TCB_CURRENT);
	write_members(o, r, after_current, COUNT(after_current));
	write_tcb(o, "reported_tcb", r, SNP_TCB_REPORTED);
	for (size_t i = 0; i < COUNT(cpuid); i++)
		if (r->version < 3)
			json_add_null(o, cpuid[i].name);
		else
			json_add_int(o, cpuid[i].name, r->raw[cpuid[i].at]);
	write_members(o, r, chip, COUNT(chip));
	write_tcb(o, "committed_tcb", r, SNP_TCB_COMMITTED);
	write_version(o, "current", r, 0x1e8);
	write_version(o, "committed", r, 0x1ec);
	write_tcb(o, "launch_tcb", r, SNP_TCB_LAUNCH);
	for (size_t i = 0; i < COUNT(mitigations); i++)
		if (r->version < 5)
			json_add_null(o, mitigations[i].name);
		else
			json_add_int(o, mitigations[i].name, get_le64(r->raw + mitigations[i].at));
	sig = json_add_object(o, "signature");
	json_add_bytes(sig, "r", slice_of(r->raw + 0x2a0, 72));
	json_add_bytes(sig, "s", slice_of(r->raw + 0x2e8, 72));
}

static void write_uuid(struct json *to, const uint8_t g[static 16])
{
	json_add_fmt(to, "OTHER", "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[0], g[1], g[2],
		     g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}

static void write_certs(struct json *to, const struct snp_certs *c)
{
	struct json *arr;

	if (c->n == 0) {
		json_add_null(to, "cert_chain");
		return;
	}
	arr = json_add_array(to, "cert_chain");
	for (size_t i = 0; i < c->n; i++) {
		struct json *o = json_add_object(arr, NULL);

		if (c->v[i].type == SNP_CERT_OTHER || c->v[i].type == SNP_CERT_EXTRA)
			write_uuid(json_add_object(o, "cert_type"), c->v[i].guid);
		else
			json_add_str(o, "cert_type", snp_cert_type_name(c->v[i].type));
		json_add_bytes(o, "data", c->v[i].data);
	}
}

int snp_json_write(struct json **ret, const struct snp_report *r, struct slice table, struct err *e)
{
	struct snp_certs c = { 0 };
	struct json *j;

	if (snp_table_parse(&c, table, e))
		return -1;
	j = json_object();
	write_report(json_add_object(j, "attestation_report"), r);
	write_certs(j, &c);
	snp_certs_free(&c);
	if (!j)
		return err_oom(e);
	*ret = j;
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static int read_bytes(uint8_t *ret, size_t n, const struct json *arr, const char *name, struct err *e)
{
	size_t i = 0;

	if (!json_is_array(arr))
		return err_set(e, EC_FORMAT, "member '%s' of " WHAT ": wanted a list of %zu bytes", name, n);
	for (const struct json *v = json_first(arr); v; v = json_next(v), i++) {
		uint64_t b;

		if (i == n || !json_u64(v, &b) || b > 255)
			return err_set(e, EC_FORMAT, "member '%s' of " WHAT ": wanted a list of %zu bytes", name, n);
		ret[i] = (uint8_t)b;
	}
	return i == n ? 0 : err_set(e, EC_FORMAT, "member '%s' of " WHAT " has %zu bytes, wanted %zu", name, i, n);
}

static void put_le(uint8_t *ret, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		ret[i] = (uint8_t)v;
}

/* An unsigned member of n bytes; null and absent give zero if it may be missing. */
static int read_number(uint8_t *ret, size_t n, const struct json *o, const char *name, bool optional, struct err *e)
{
	const uint64_t max = n == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1;
	const struct json *m = json_get(o, name);
	uint64_t v;

	if (optional && (!m || json_is_null(m)))
		return 0;
	if (json_need_u64(&v, o, name, max, WHAT, e))
		return -1;
	put_le(ret, n, v);
	return 0;
}

static int read_members(uint8_t *raw, const struct json *o, const struct member *m, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].shape == BYTES ? read_bytes(raw + m[i].at, m[i].n, json_get(o, m[i].name), m[i].name, e)
					: read_number(raw + m[i].at, m[i].n, o, m[i].name, m[i].optional, e))
			return -1;
	return 0;
}

/* The form is Turin's when the object says fmc: that decides where each part stands. */
static int read_tcb(uint8_t *at, const struct json *o, const char *name, struct err *e)
{
	static const uint8_t milan[TCB_PARTS] = { [TCB_BOOTLOADER] = 0, [TCB_TEE] = 1, [TCB_SNP] = 6, [TCB_MICROCODE] = 7 };
	static const uint8_t turin[TCB_PARTS] = { [TCB_FMC] = 0, [TCB_BOOTLOADER] = 1, [TCB_TEE] = 2, [TCB_SNP] = 3,
						  [TCB_MICROCODE] = 7 };
	const struct json *t, *fmc;
	bool is_turin;

	if (json_need_obj(&t, o, name, WHAT, e))
		return -1;
	fmc = json_get(t, "fmc");
	is_turin = fmc && !json_is_null(fmc);
	for (size_t i = 0; i < TCB_PARTS; i++)
		if ((i != TCB_FMC || is_turin) &&
		    read_number(at + (is_turin ? turin : milan)[i], 1, t, tcb_part_names[i], false, e))
			return err_ctx(e, "'%s'", name);
	return 0;
}

static int read_version(uint8_t *at, const struct json *o, const char *name, struct err *e)
{
	const struct json *v;

	if (json_need_obj(&v, o, name, WHAT, e))
		return -1;
	return read_number(at, 1, v, "build", false, e) || read_number(at + 1, 1, v, "minor", false, e) ||
	       read_number(at + 2, 1, v, "major", false, e) ? -1 : 0;
}

static int read_report(uint8_t *raw, const struct json *o, struct err *e)
{
	const struct json *sig;

	if (read_members(raw, o, before_tcb, COUNT(before_tcb), e) || read_tcb(raw + SNP_TCB_CURRENT, o, "current_tcb", e) ||
	    read_members(raw, o, after_current, COUNT(after_current), e) ||
	    read_tcb(raw + SNP_TCB_REPORTED, o, "reported_tcb", e))
		return -1;
	for (size_t i = 0; i < COUNT(cpuid); i++)
		if (read_number(raw + cpuid[i].at, 1, o, cpuid[i].name, true, e))
			return -1;
	if (read_members(raw, o, chip, COUNT(chip), e) || read_tcb(raw + SNP_TCB_COMMITTED, o, "committed_tcb", e) ||
	    read_version(raw + 0x1e8, o, "current", e) || read_version(raw + 0x1ec, o, "committed", e) ||
	    read_tcb(raw + SNP_TCB_LAUNCH, o, "launch_tcb", e))
		return -1;
	for (size_t i = 0; i < COUNT(mitigations); i++)
		if (read_number(raw + mitigations[i].at, 8, o, mitigations[i].name, true, e))
			return -1;
	if (json_need_obj(&sig, o, "signature", WHAT, e))
		return -1;
	return read_bytes(raw + 0x2a0, 72, json_get(sig, "r"), "r", e) ||
	       read_bytes(raw + 0x2e8, 72, json_get(sig, "s"), "s", e) ? -1 : 0;
}

/* A name, or {"OTHER": uuid}. */
static void read_type(struct snp_cert_entry *ret, const struct json *j)
{
	const char *name = json_string(j), *uuid = json_string(json_get(j, "OTHER"));
	AUTO_BUF hex = { .max = 64 }, raw = { .max = 16 };
	struct err no = { 0 };

	for (enum snp_cert_type t = SNP_CERT_VCEK; name && t <= SNP_CERT_CRL; t++)
		if (!strcmp(name, snp_cert_type_name(t)))
			ret->type = t;
	for (const char *c = uuid; c && *c; c++)
		if (*c != '-')
			buf_byte(&hex, (uint8_t)*c);
	if (!hex.bad && hex.n == 32 && !hex_decode(&raw, buf_view(&hex), &no))
		ret->type = snp_cert_type_of(ret->guid, raw.p);
}

#define CERT_MAX 8192
static int read_cert(struct snp_certs *c, const struct json *it, struct err *e)
{
	const struct json *data = json_get(it, "data");
	const size_t n = json_count(data);
	struct buf *own = &c->own[c->n_own];
	uint8_t *p;

	if (c->n == SNP_CERTS_MAX || c->n_own == SNP_CERTS_MAX)
		return err_set(e, EC_FORMAT, "cert_chain has more than %d entries", SNP_CERTS_MAX);
	if (!json_is_array(data) || n > CERT_MAX)
		return err_set(e, EC_FORMAT, "cert_chain: wanted a list of at most %d bytes", CERT_MAX);
	*own = (struct buf){ 0 };
	c->n_own++;
	p = buf_grow(own, n);
	if (buf_check(own, e) || (n && read_bytes(p, n, data, "data", e)))
		return -1;
	c->v[c->n] = (struct snp_cert_entry){ .data = buf_view(own) };
	read_type(&c->v[c->n++], json_get(it, "cert_type"));
	return 0;
}

int snp_json_read(struct snp_report *ret, struct snp_certs *certs, const struct json *j, struct err *e)
{
	uint8_t raw[SNP_REPORT_SIZE] = { 0 };
	const struct json *o, *chain = json_get(j, "cert_chain");
	struct snp_report r;
	struct snp_certs c = { 0 };

	if (json_need_obj(&o, j, "attestation_report", "SNP evidence", e) || read_report(raw, o, e) ||
	    snp_report_parse(&r, slice_of(raw, sizeof raw), e))
		return -1;
	if (chain && !json_is_null(chain) && !json_is_array(chain))
		return err_set(e, EC_FORMAT, "cert_chain of SNP evidence is neither null nor a list");
	for (const struct json *it = json_is_array(chain) ? json_first(chain) : NULL; it; it = json_next(it))
		if (read_cert(&c, it, e)) {
			snp_certs_free(&c);
			return -1;
		}
	*certs = c;
	*ret = r;
	return 0;
}
