/* SPDX-License-Identifier: Apache-2.0 */
/* The SNP attestation report: fields and their names (cpu-tee.md 3.1 to 3.4). */

#include "base/cursor.h"
#include "tee/snp.h"

/* Offsets of the report. */
enum {
	AT_FAMILY_ID = 0x10, AT_IMAGE_ID = 0x20, AT_REPORT_DATA = 0x50, AT_MEASUREMENT = 0x90, AT_HOST_DATA = 0xc0,
	AT_ID_KEY_DIGEST = 0xe0, AT_AUTHOR_KEY_DIGEST = 0x110, AT_REPORT_ID = 0x140, AT_REPORT_ID_MA = 0x160,
	AT_CPUID = 0x188, AT_CHIP_ID = 0x1a0, AT_CURRENT = 0x1e8, AT_COMMITTED = 0x1ec, AT_LAUNCH_MIT = 0x1f8,
	AT_CURRENT_MIT = 0x200, AT_R = 0x2a0, AT_S = 0x2e8
};

const char *snp_product_name(enum snp_product p)
{
	static const char *const names[] = { NULL, "Milan", "Genoa", "Turin" };

	return names[p];
}

enum snp_product snp_product_by_name(struct slice name)
{
	size_t n = 0;

	while (n < name.n && name.p[n] != '-')
		n++;
	for (enum snp_product p = SNP_MILAN; p <= SNP_TURIN; p++)
		if (slice_eqs(slice_of(name.p, n), snp_product_name(p)))
			return p;
	return SNP_UNKNOWN;
}

/* Combined family and model (cpu-tee.md 3.4). */
static const struct cpu {
	uint8_t family, first, last;
	enum snp_product product;	/* whose roots sign for it */
	const char *name;
} cpus[] = {
	{ 0x19, 0x00, 0x0f, SNP_MILAN, "Milan" },
	{ 0x19, 0x10, 0x1f, SNP_GENOA, "Genoa" },
	{ 0x19, 0xa0, 0xaf, SNP_GENOA, "Bergamo or Siena" },
	{ 0x1a, 0x00, 0x11, SNP_TURIN, "Turin" },
	{ 0x1a, 0x50, 0x57, SNP_UNKNOWN, "Venice" },
	{ 0x1a, 0x90, 0x9f, SNP_UNKNOWN, "Venice" },
	{ 0x1a, 0xa0, 0xaf, SNP_UNKNOWN, "Venice" },
	{ 0x1a, 0xc0, 0xc7, SNP_UNKNOWN, "Venice" },
};

static const struct cpu *cpu_of(uint8_t family, uint8_t model)
{
	for (size_t i = 0; i < sizeof cpus / sizeof cpus[0]; i++)
		if (family == cpus[i].family && model >= cpus[i].first && model <= cpus[i].last)
			return &cpus[i];
	return NULL;
}

const char *snp_cpu_name(uint8_t family, uint8_t model)
{
	const struct cpu *c = cpu_of(family, model);

	return c ? c->name : NULL;
}

static enum snp_product product_of_cpu(uint8_t family, uint8_t model)
{
	const struct cpu *c = cpu_of(family, model);

	return c ? c->product : SNP_UNKNOWN;
}

bool snp_report_looks_like(struct slice raw)
{
	struct rd r = rd_of(raw);
	const uint32_t version = rd_le32(&r);
	uint32_t algo;

	rd_skip(&r, 0x30);
	algo = rd_le32(&r);
	return !r.bad && version >= 2 && version <= 16 && algo == 1;
}

int snp_report_parse(struct snp_report *ret, struct slice raw, struct err *e)
{
	struct snp_report p = { 0 };
	struct rd r = rd_of(raw);

	if (raw.n != SNP_REPORT_SIZE) {
		err_set(e, EC_FORMAT, "report is %zu bytes, need %d", raw.n, SNP_REPORT_SIZE);
		return err_hint(e, "was the file cut off, or saved as text?");
	}
	p.version = rd_le32(&r);
	p.guest_svn = rd_le32(&r);
	p.policy = rd_le64(&r);
	rd_skip(&r, 32);	/* family_id, image_id */
	p.vmpl = rd_le32(&r);
	p.sig_algo = rd_le32(&r);
	rd_skip(&r, 8);		/* current TCB */
	p.platform = rd_le64(&r);
	p.flags = rd_le32(&r);
	memcpy(p.raw, raw.p, sizeof p.raw);
	if (r.bad)
		return err_set(e, EC_BUG, "report fields end behind the report");
	if (p.version < 2)
		return err_set(e, EC_FORMAT, "report version is %u, wanted 2 or later", p.version);
	if (p.version >= 3) {
		p.family = p.raw[AT_CPUID];
		p.model = p.raw[AT_CPUID + 1];
		p.stepping = p.raw[AT_CPUID + 2];
		p.product = product_of_cpu(p.family, p.model);
	}
	*ret = p;
	return 0;
}

static struct slice field(const struct snp_report *r, size_t at, size_t n)
{
	return slice_of(r->raw + at, n);
}

bool snp_all_zero(struct slice s)
{
	uint8_t any = 0;

	for (size_t i = 0; i < s.n; i++)
		any |= s.p[i];
	return any == 0;
}

struct slice snp_report_data(const struct snp_report *r) { return field(r, AT_REPORT_DATA, 64); }
struct slice snp_measurement(const struct snp_report *r) { return field(r, AT_MEASUREMENT, 48); }
struct slice snp_host_data(const struct snp_report *r) { return field(r, AT_HOST_DATA, 32); }
struct slice snp_family_id(const struct snp_report *r) { return field(r, AT_FAMILY_ID, 16); }
struct slice snp_image_id(const struct snp_report *r) { return field(r, AT_IMAGE_ID, 16); }
struct slice snp_id_key_digest(const struct snp_report *r) { return field(r, AT_ID_KEY_DIGEST, 48); }
struct slice snp_author_key_digest(const struct snp_report *r) { return field(r, AT_AUTHOR_KEY_DIGEST, 48); }
struct slice snp_chip_id_field(const struct snp_report *r) { return field(r, AT_CHIP_ID, 64); }
uint64_t snp_launch_mitigations(const struct snp_report *r) { return r->version < 5 ? 0 : get_le64(r->raw + AT_LAUNCH_MIT); }
uint64_t snp_current_mitigations(const struct snp_report *r) { return r->version < 5 ? 0 : get_le64(r->raw + AT_CURRENT_MIT); }

bool snp_chip_id_masked(const struct snp_report *r)
{
	return snp_all_zero(field(r, AT_CHIP_ID, 64));
}

/* A version 2 report names no CPU: a chip id of 8 bytes gives Turin away. */
bool snp_is_turin(const struct snp_report *r)
{
	if (r->product != SNP_UNKNOWN)
		return r->product == SNP_TURIN;
	if (r->version >= 3)
		return r->family == 0x1a;
	return !snp_chip_id_masked(r) && snp_all_zero(field(r, AT_CHIP_ID + 8, 56));
}

struct slice snp_chip_id(const struct snp_report *r)
{
	return field(r, AT_CHIP_ID, snp_is_turin(r) ? 8 : 64);
}

enum snp_key snp_signing_key(const struct snp_report *r)
{
	return (enum snp_key)(r->flags >> 2 & 7);
}

struct snp_tcb snp_tcb_at(const struct snp_report *r, unsigned offset)
{
	const uint8_t *b = r->raw + offset;

	if (snp_is_turin(r))
		return (struct snp_tcb){ { [TCB_FMC] = b[0], [TCB_BOOTLOADER] = b[1], [TCB_TEE] = b[2], [TCB_SNP] = b[3],
					   [TCB_MICROCODE] = b[7] } };
	return (struct snp_tcb){ { [TCB_FMC] = -1, [TCB_BOOTLOADER] = b[0], [TCB_TEE] = b[1], [TCB_SNP] = b[6],
				   [TCB_MICROCODE] = b[7] } };
}

void snp_tcb_text(struct buf *ret, const struct snp_tcb *t)
{
	for (size_t i = 0, shown = 0; i < TCB_PARTS; i++)
		if (t->v[i] >= 0)
			buf_printf(ret, "%s%s %d", shown++ ? ", " : "", tcb_part_names[i], t->v[i]);
}

static void reversed(uint8_t *ret, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = p[n - 1 - i];
}

bool snp_signature(uint8_t ret[static 96], const struct snp_report *r)
{
	reversed(ret, r->raw + AT_R, 48);
	reversed(ret + 48, r->raw + AT_S, 48);
	return snp_all_zero(field(r, AT_R + 48, 24)) && snp_all_zero(field(r, AT_S + 48, 24));
}

/* The range that is not zero, from its first set byte to its last. */
static bool reserved_range(struct buf *ret, const struct snp_report *r, size_t at, size_t n, const char *note)
{
	size_t first = 0, last = n;

	while (first < n && !r->raw[at + first])
		first++;
	if (first == n)
		return false;
	while (!r->raw[at + last - 1])
		last--;
	buf_puts(ret, ret->n ? ", " : "");
	if (last - first == 1)
		buf_printf(ret, "byte 0x%zx is 0x%02x%s", at + first, r->raw[at + first], note);
	else
		buf_printf(ret, "bytes 0x%zx to 0x%zx are set%s", at + first, at + last - 1, note);
	return true;
}

bool snp_reserved_set(struct buf *ret, const struct snp_report *r)
{
	static const struct { uint16_t at, n, below; } zero[] = {	/* below: reserved only in versions under this */
		{ 0x4c, 4, 0xffff }, { 0x188, 3, 3 }, { 0x18b, 21, 0xffff }, { 0x1eb, 1, 0xffff }, { 0x1ef, 1, 0xffff },
		{ 0x1f8, 16, 5 }, { 0x208, 152, 6 },
	};
	bool any = false;

	for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++)
		if (r->version < zero[i].below)
			any |= reserved_range(ret, r, zero[i].at, zero[i].n, "");
	if (r->flags >> 5) {
		buf_printf(ret, "%sflags are 0x%x", ret->n ? ", " : "", r->flags);
		any = true;
	}
	if (r->policy >> 26) {
		buf_printf(ret, "%sguest policy is 0x%llx", ret->n ? ", " : "", (unsigned long long)r->policy);
		any = true;
	}
	return reserved_range(ret, r, 0x330, 368, " (behind the signature, which does not cover them)") || any;
}

int snp_claims(struct json *to, const struct snp_report *r, struct err *e)
{
	const struct snp_tcb t = snp_tcb_at(r, SNP_TCB_REPORTED);

	(void)e;
	json_add_u64(to, "policy_abi_major", r->policy >> 8 & 0xff);
	json_add_u64(to, "policy_abi_minor", r->policy & 0xff);
	json_add_bool(to, "policy_smt_allowed", r->policy & SNP_POLICY_SMT);
	json_add_bool(to, "policy_migrate_ma", r->policy & SNP_POLICY_MIGRATE);
	json_add_bool(to, "policy_debug_allowed", r->policy & SNP_POLICY_DEBUG);
	json_add_bool(to, "policy_single_socket", r->policy & SNP_POLICY_SINGLE_SOCKET);
	json_add_u64(to, "reported_tcb_bootloader", (uint64_t)t.v[TCB_BOOTLOADER]);
	json_add_u64(to, "reported_tcb_tee", (uint64_t)t.v[TCB_TEE]);
	json_add_u64(to, "reported_tcb_snp", (uint64_t)t.v[TCB_SNP]);
	json_add_u64(to, "reported_tcb_microcode", (uint64_t)t.v[TCB_MICROCODE]);
	if (t.v[TCB_FMC] >= 0)
		json_add_u64(to, "reported_tcb_fmc", (uint64_t)t.v[TCB_FMC]);
	json_add_bool(to, "platform_tsme_enabled", r->platform & SNP_PLATFORM_TSME);
	json_add_bool(to, "platform_smt_enabled", r->platform & SNP_PLATFORM_SMT);
	json_add_hex(to, "measurement", snp_measurement(r));
	json_add_hex(to, "report_data", snp_report_data(r));
	json_add_hex(to, "init_data", snp_host_data(r));
	json_add_hex(to, "chip_id", field(r, AT_CHIP_ID, 64));
	return 0;
}

static const char *const policy_bits[64] = {
	[16] = "smt", [17] = "reserved_one", [18] = "migrate_ma", [19] = "debug", [20] = "single_socket", [21] = "cxl_allow",
	[22] = "mem_aes_256_xts", [23] = "rapl_dis", [24] = "ciphertext_hiding", [25] = "page_swap_disable"
};
static const char *const platform_bits[64] = {
	"smt", "tsme", "ecc", "rapl_dis", "ciphertext_hiding", "alias_check", NULL, "sev_tio"
};

static void bits_text(struct buf *ret, uint64_t v, const char *const names[static 64])
{
	for (unsigned i = 0, shown = 0; i < 64; i++) {
		if (!(v >> i & 1))
			continue;
		buf_puts(ret, shown++ ? ", " : "");
		if (names[i])
			buf_puts(ret, names[i]);
		else
			buf_printf(ret, "bit %u", i);
	}
}

void snp_policy_text(struct buf *ret, uint64_t bits)
{
	bits_text(ret, bits, policy_bits);
}

void snp_platform_text(struct buf *ret, uint64_t bits)
{
	bits_text(ret, bits, platform_bits);
}

/* The value, and a list of the names of its bits from the given one on. */
static void add_bits(struct json *to, const char *name, const char *list, uint64_t v, const char *const names[static 64], unsigned from)
{
	struct json *arr;

	json_add_fmt(to, name, "0x%llx", (unsigned long long)v);
	arr = json_add_array(to, list);
	for (unsigned i = from; i < 64; i++) {
		if (!(v >> i & 1))
			continue;
		if (names[i])
			json_add_str(arr, NULL, names[i]);
		else
			json_add_fmt(arr, NULL, "bit %u", i);
	}
}

static void add_policy(struct json *to, const struct snp_report *r)
{
	add_bits(to, "guest_policy", "guest_policy_bits", r->policy & ~SNP_POLICY_RESERVED_ONE, policy_bits, 16);
	json_add_fmt(to, "abi_min", "%u.%u", (unsigned)(r->policy >> 8 & 0xff), (unsigned)(r->policy & 0xff));
}

static void add_platform(struct json *to, const struct snp_report *r)
{
	static const char *const keys[8] = { "VCEK", "VLEK", "2", "3", "4", "5", "6", "none" };

	add_bits(to, "platform_info", "platform_bits", r->platform, platform_bits, 0);
	json_add_str(to, "signing_key", keys[snp_signing_key(r)]);
	json_add_bool(to, "author_key", r->flags & SNP_FLAG_AUTHOR_KEY);
	json_add_bool(to, "chip_key_masked", r->flags & SNP_FLAG_MASK_CHIP_KEY);
}

static void add_tcb(struct json *to, const char *name, const struct snp_report *r, unsigned offset)
{
	const struct snp_tcb t = snp_tcb_at(r, offset);
	struct json *o = json_add_object(to, name);

	for (size_t i = 0; i < TCB_PARTS; i++)
		if (t.v[i] >= 0)
			json_add_u64(o, tcb_part_names[i], (uint64_t)t.v[i]);
}

static void add_version(struct json *to, const char *name, const struct snp_report *r, size_t at)
{
	json_add_fmt(to, name, "%u.%u.%u", r->raw[at + 2], r->raw[at + 1], r->raw[at]);
}

int snp_details(struct json *to, const struct snp_report *r, struct err *e)
{
	const char *product = snp_product_name(r->product), *cpu = snp_cpu_name(r->family, r->model);

	(void)e;
	json_add_u64(to, "version", r->version);
	json_add_str(to, "product", product ? product : r->version < 3 ? "not said by the report" : "not known");
	if (r->version >= 3)
		json_add_fmt(to, "cpu", "%s, family %02xh model %02xh stepping %u", cpu ? cpu : "not known", r->family, r->model, r->stepping);
	json_add_u64(to, "guest_svn", r->guest_svn);
	add_policy(to, r);
	json_add_hex(to, "family_id", field(r, AT_FAMILY_ID, 16));
	json_add_hex(to, "image_id", field(r, AT_IMAGE_ID, 16));
	if (r->vmpl == SNP_VMPL_HOST)
		json_add_str(to, "vmpl", "requested by the host");
	else
		json_add_u64(to, "vmpl", r->vmpl);
	json_add_u64(to, "signature_algorithm", r->sig_algo);
	add_platform(to, r);
	json_add_hex(to, "report_data", snp_report_data(r));
	json_add_hex(to, "measurement", snp_measurement(r));
	json_add_hex(to, "host_data", snp_host_data(r));
	json_add_hex(to, "id_key_digest", field(r, AT_ID_KEY_DIGEST, 48));
	json_add_hex(to, "author_key_digest", field(r, AT_AUTHOR_KEY_DIGEST, 48));
	json_add_hex(to, "report_id", field(r, AT_REPORT_ID, 32));
	json_add_hex(to, "report_id_ma", field(r, AT_REPORT_ID_MA, 32));
	add_tcb(to, "current_tcb", r, SNP_TCB_CURRENT);
	add_tcb(to, "reported_tcb", r, SNP_TCB_REPORTED);
	add_tcb(to, "committed_tcb", r, SNP_TCB_COMMITTED);
	add_tcb(to, "launch_tcb", r, SNP_TCB_LAUNCH);
	json_add_hex(to, "chip_id", snp_chip_id(r));
	add_version(to, "firmware_current", r, AT_CURRENT);
	add_version(to, "firmware_committed", r, AT_COMMITTED);
	if (r->version >= 5) {
		json_add_fmt(to, "launch_mitigations", "0x%llx", (unsigned long long)get_le64(r->raw + AT_LAUNCH_MIT));
		json_add_fmt(to, "current_mitigations", "0x%llx", (unsigned long long)get_le64(r->raw + AT_CURRENT_MIT));
	}
	return 0;
}
