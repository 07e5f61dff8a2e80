/* SPDX-License-Identifier: Apache-2.0 */
/* The launch digest of SEV-SNP guests: see measure_snp.h. */

#include <strings.h>

#include "base/cursor.h"
#include "crypto/hash.h"
#include "tee/measure_snp.h"

/* --- vCPU models --------------------------------------------------------------------------------------------------- */

uint32_t snp_vcpu_signature_of(unsigned family, unsigned model, unsigned stepping)
{
	const unsigned base = family > 15 ? 15 : family, extended = family > 15 ? (family - 15) & 0xff : 0;

	return extended << 20 | (model >> 4 & 15) << 16 | base << 8 | (model & 15) << 4 | (stepping & 15);
}

/* A model's versions ("-v2") differ in features that are not measured. */
static const struct model {
	const char *name;
	unsigned family, model, stepping;
} models[] = {
	{ "EPYC", 23, 1, 2 }, { "EPYC-IBPB", 23, 1, 2 }, { "EPYC-Rome", 23, 49, 0 }, { "EPYC-Milan", 25, 1, 1 },
	{ "EPYC-Genoa", 25, 17, 0 }, { "EPYC-Turin", 26, 0, 0 },
};

int snp_vcpu_signature(uint32_t *ret, const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n > 3 && name[n - 3] == '-' && (name[n - 2] | 0x20) == 'v' && name[n - 1] >= '1' && name[n - 1] <= '9')
		n -= 3;
	for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
		if (strlen(models[i].name) == n && !strncasecmp(models[i].name, name, n)) {
			*ret = snp_vcpu_signature_of(models[i].family, models[i].model, models[i].stepping);
			return 0;
		}
	err_set(e, EC_USAGE, "unknown vCPU type '%s'", name);
	return err_hint(e, "EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa, EPYC-Turin (also with -v1, ..), or give --vcpu-sig or --vcpu-family");
}

/* --- one vCPU's first state (APM volume 2, table B-4; what the VMMs and KVM put there) ------------------------------- */

static void put16(uint8_t *page, size_t at, uint16_t v)
{
	page[at] = (uint8_t)v;
	page[at + 1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *page, size_t at, uint32_t v)
{
	put16(page, at, (uint16_t)v);
	put16(page, at + 2, (uint16_t)(v >> 16));
}

static void put64(uint8_t *page, size_t at, uint64_t v)
{
	put32(page, at, (uint32_t)v);
	put32(page, at + 4, (uint32_t)(v >> 32));
}

static void put_segment(uint8_t *page, size_t at, uint16_t selector, uint16_t attributes, uint32_t limit, uint64_t base)
{
	put16(page, at, selector);
	put16(page, at + 2, attributes);
	put32(page, at + 4, limit);
	put64(page, at + 8, base);
}

enum {
	ES = 0, CS = 0x10, SS = 0x20, DS = 0x30, FS = 0x40, GS = 0x50, GDTR = 0x60, LDTR = 0x70, IDTR = 0x80, TR = 0x90,
	EFER = 0xd0, CR4 = 0x148, CR0 = 0x158, DR7 = 0x160, DR6 = 0x168, RFLAGS = 0x170, RIP = 0x178, G_PAT = 0x268, RDX = 0x310,
	SEV_FEATURES = 0x3b0, XCR0 = 0x3e8, MXCSR = 0x408, FCW = 0x410,
};
#define FIRST_EIP 0xfffffff0u		/* the reset vector, where the boot CPU starts */

/* What every VMM and both modes have. */
static void vmsa_common(uint8_t *p, uint32_t signature, uint64_t features)
{
	memset(p, 0, OVMF_PAGE);
	put_segment(p, GS, 0, 0x93, 0xffff, 0);
	put_segment(p, GDTR, 0, 0, 0xffff, 0);
	put_segment(p, LDTR, 0, 0x82, 0xffff, 0);
	put_segment(p, IDTR, 0, 0, 0xffff, 0);
	put_segment(p, TR, 0, 0x8b, 0xffff, 0);
	put64(p, EFER, 0x1000);		/* KVM sets EFER.SVME .. */
	put64(p, CR4, 0x40);		/* .. and CR4.MCE */
	put64(p, CR0, 0x10);
	put64(p, DR7, 0x400);
	put64(p, DR6, 0xffff0ff0);
	put64(p, RFLAGS, 2);
	put64(p, G_PAT, 0x7040600070406);
	put64(p, RDX, signature);
	put64(p, SEV_FEATURES, features);
	put64(p, XCR0, 1);
}

void snp_vmsa(uint8_t p[static OVMF_PAGE], enum snp_vmm vmm, uint32_t eip, uint32_t signature, uint64_t features)
{
	static const size_t data[] = { ES, SS, DS, FS };

	vmsa_common(p, vmm == SNP_VMM_QEMU ? signature : 0x600, features);
	for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
		put_segment(p, data[i], 0, 0x93, 0xffff, 0);
	put_segment(p, CS, 0xf000, 0x9b, 0xffff, eip & 0xffff0000);
	put64(p, RIP, eip & 0xffff);
	switch (vmm) {
	case SNP_VMM_QEMU:
		put32(p, MXCSR, 0x1f80);
		put16(p, FCW, 0x37f);
		break;
	case SNP_VMM_EC2:
		put16(p, CS + 2, eip == FIRST_EIP ? 0x9a : 0x9b);
		put16(p, SS + 2, 0x92);
		put16(p, TR + 2, 0x83);
		break;
	case SNP_VMM_GCE:
		put64(p, G_PAT, 0x70106);
		break;
	}
}

/* Every vCPU starts in the SVSM, in protected mode with flat segments. */
static void vmsa_svsm(uint8_t *p, uint64_t entry, uint32_t signature)
{
	static const size_t data[] = { ES, SS, DS, FS };

	vmsa_common(p, signature, 1);
	for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
		put_segment(p, data[i], 0x10, 0xc93, 0xffffffff, 0);
	put_segment(p, CS, 8, 0xc9b, 0xffffffff, 0);
	put64(p, CR0, 0x11);
	put64(p, RIP, entry);
	put32(p, MXCSR, 0x1f80);	/* and no FCW: digests that were published for SVSM guests have it at 0 */
}

/* --- the digest ------------------------------------------------------------------------------------------------------ */

enum page { PAGE_NORMAL = 1, PAGE_VMSA, PAGE_ZERO, PAGE_UNMEASURED, PAGE_SECRETS, PAGE_CPUID };
#define PAGE_INFO 0x70
#define VMSA_GPA 0xfffffffff000u

/* ld = SHA-384(PAGE_INFO): the digest so far, that of the content, size, page type, permissions (none), address. */
static int extend(uint8_t *ld, enum page type, const uint8_t *content, uint64_t gpa, struct err *e)
{
	uint8_t info[PAGE_INFO] = { 0 };

	memcpy(info, ld, SNP_DIGEST);
	if (content)
		memcpy(info + 0x30, content, SNP_DIGEST);
	put16(info, 0x60, PAGE_INFO);
	info[0x62] = (uint8_t)type;
	put64(info, 0x68, gpa);
	return hash_of(ld, HASH_SHA384, slice_of(info, sizeof info), e);
}

static int extend_pages(uint8_t *ld, uint64_t gpa, struct slice data, struct err *e)
{
	uint8_t digest[SNP_DIGEST];

	for (size_t at = 0; at < data.n; at += OVMF_PAGE)
		if (hash_of(digest, HASH_SHA384, slice_of(data.p + at, OVMF_PAGE), e) || extend(ld, PAGE_NORMAL, digest, gpa + at, e))
			return -1;
	return 0;
}

static int extend_empty(uint8_t *ld, enum page type, uint64_t gpa, uint64_t size, struct err *e)
{
	for (uint64_t at = 0; at < size; at += OVMF_PAGE)
		if (extend(ld, type, NULL, gpa + at, e))
			return -1;
	return 0;
}

int snp_firmware_digest(uint8_t ret[static SNP_DIGEST], struct slice firmware, struct err *e)
{
	uint8_t ld[SNP_DIGEST] = { 0 };
	struct ovmf o;

	if (ovmf_parse(&o, firmware, e) || extend_pages(ld, ovmf_base(&o), firmware, e))
		return -1;
	memcpy(ret, ld, sizeof ld);
	return 0;
}

/* --- the hash table of a kernel that the VMM loads --------------------------------------------------------------------- */

#define TABLE_SIZE 168			/* GUID, length, three entries; a multiple of 16 is reserved for it */
#define TABLE_PADDED 176
#define TABLE_ENTRY 50			/* GUID, length, SHA-256 */

static void table_entry(uint8_t *p, const char *guid, const uint8_t *sha256)
{
	guid_efi(p, guid);
	put16(p, 16, TABLE_ENTRY);
	memcpy(p + 18, sha256, 32);
}

static int extend_hashes(uint8_t *ld, const struct ovmf *o, const struct ovmf_sev_item *i, const struct snp_kernel *k, struct err *e)
{
	uint8_t page[OVMF_PAGE] = { 0 }, *table = page + o->hash_table_gpa % OVMF_PAGE;

	if (!o->has_hash_table || o->hash_table_gpa == 0 || i->size != OVMF_PAGE || o->hash_table_gpa / OVMF_PAGE != i->gpa / OVMF_PAGE ||
	    o->hash_table_gpa % OVMF_PAGE > OVMF_PAGE - TABLE_PADDED)
		return err_set(e, EC_FORMAT, "the firmware's kernel hashes (0x%x) do not fit its section (0x%x bytes at 0x%x)",
			       o->hash_table_gpa, i->size, i->gpa);
	guid_efi(table, "9438d606-4f22-4cc9-b479-a793d411fd21");
	put16(table, 16, TABLE_SIZE);
	table_entry(table + 18, "97d02dd8-bd20-4c94-aa78-e7714d36ab2a", k->cmdline);
	table_entry(table + 18 + TABLE_ENTRY, "44baf731-3a2f-4bd7-9af1-41e29169781d", k->initrd);
	table_entry(table + 18 + 2 * TABLE_ENTRY, "4de79437-abd2-427f-b835-d5b172d2045b", k->kernel);
	return extend_pages(ld, i->gpa, slice_of(page, sizeof page), e);
}

/* --- the metadata's sections ------------------------------------------------------------------------------------------- */

static int extend_section(uint8_t *ld, const struct snp_launch *l, const struct ovmf *o, const struct ovmf_sev_item *i, struct err *e)
{
	switch (i->type) {
	case OVMF_SEV_MEM:
		return extend_empty(ld, l->vmm == SNP_VMM_GCE ? PAGE_UNMEASURED : PAGE_ZERO, i->gpa, i->size, e);
	case OVMF_SEV_SECRETS:
		return extend(ld, PAGE_SECRETS, NULL, i->gpa, e);
	case OVMF_SEV_CPUID:
		return l->vmm == SNP_VMM_EC2 ? 0 : extend(ld, PAGE_CPUID, NULL, i->gpa, e);
	case OVMF_SEV_KERNEL_HASHES:
		if (l->kernel)
			return extend_hashes(ld, o, i, l->kernel, e);
		return extend_empty(ld, PAGE_ZERO, i->gpa, i->size, e);
	default:	/* the SVSM's calling area; ovmf_sev lets no other type through */
		return extend_empty(ld, PAGE_ZERO, i->gpa, i->size, e);
	}
}

static int extend_metadata(uint8_t *ld, const struct snp_launch *l, const struct ovmf *o, struct err *e)
{
	struct ovmf_sev s;
	bool hashes = false;

	if (ovmf_sev(&s, o, e))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		hashes |= s.v[i].type == OVMF_SEV_KERNEL_HASHES;
		if (extend_section(ld, l, o, &s.v[i], e))
			return -1;
	}
	for (size_t i = 0; l->vmm == SNP_VMM_EC2 && i < s.n; i++)	/* EC2 adds the CPUID page behind all others */
		if (s.v[i].type == OVMF_SEV_CPUID && extend(ld, PAGE_CPUID, NULL, s.v[i].gpa, e))
			return -1;
	if (!l->kernel || hashes)
		return 0;
	err_set(e, EC_USAGE, "the firmware has no place for kernel hashes, so a kernel is not part of its launch digest");
	return err_hint(e, "take a firmware built for it (OvmfPkg/AmdSev), or leave --kernel out where the firmware starts a boot loader");
}

static int extend_vmsa(uint8_t *ld, const uint8_t *page, unsigned times, struct err *e)
{
	uint8_t digest[SNP_DIGEST];

	if (hash_of(digest, HASH_SHA384, slice_of(page, OVMF_PAGE), e))
		return -1;
	while (times--)
		if (extend(ld, PAGE_VMSA, digest, VMSA_GPA, e))
			return -1;
	return 0;
}

static int digest_plain(uint8_t *ld, const struct snp_launch *l, struct err *e)
{
	uint8_t page[OVMF_PAGE];
	struct ovmf o;

	if (ovmf_parse(&o, l->firmware, e))
		return -1;
	if (!o.has_reset || (l->vcpus > 1 && o.reset_eip == 0)) {
		err_set(e, EC_FORMAT, "the firmware image does not say where secondary vCPUs start");
		return err_hint(e, "is it an OVMF image built with SEV support?");
	}
	if (l->firmware_digest)
		memcpy(ld, l->firmware_digest, SNP_DIGEST);
	else if (extend_pages(ld, ovmf_base(&o), l->firmware, e))
		return -1;
	if (extend_metadata(ld, l, &o, e))
		return -1;
	snp_vmsa(page, l->vmm, FIRST_EIP, l->vcpu_signature, l->features);
	if (extend_vmsa(ld, page, 1, e))
		return -1;
	snp_vmsa(page, l->vmm, o.reset_eip, l->vcpu_signature, l->features);
	return extend_vmsa(ld, page, l->vcpus - 1, e);
}

/* The SVSM lies below the firmware and its variables, brings the metadata, and is where all vCPUs start. */
static int digest_svsm(uint8_t *ld, const struct snp_launch *l, struct err *e)
{
	uint8_t page[OVMF_PAGE];
	struct ovmf o, s;
	uint64_t base;

	if (l->vmm != SNP_VMM_QEMU)
		return err_set(e, EC_USAGE, "an SVSM is known to be launched by QEMU only");
	if (l->kernel || l->firmware_digest || l->features != 1)
		return err_set(e, EC_USAGE, "with an SVSM there is no kernel, no firmware digest and no guest features but 0x1");
	if (ovmf_parse(&o, l->firmware, e))
		return -1;
	if (ovmf_parse(&s, l->svsm, e))
		return err_ctx(e, "the SVSM");
	if (!s.has_svsm)
		return err_set(e, EC_FORMAT, "the SVSM image does not say where it starts");
	if (l->vars_size % OVMF_PAGE || l->vars_size > ovmf_base(&o) - s.image.n)
		return err_set(e, EC_USAGE, "a variable store of %llu bytes is no multiple of %d below 4 GiB", (unsigned long long)l->vars_size,
			       OVMF_PAGE);
	base = ovmf_base(&o) - l->vars_size - s.image.n;
	if (extend_pages(ld, ovmf_base(&o), l->firmware, e) || extend_pages(ld, base, l->svsm, e) || extend_metadata(ld, l, &s, e))
		return -1;
	vmsa_svsm(page, base + s.svsm_entry, l->vcpu_signature);
	return extend_vmsa(ld, page, l->vcpus, e);
}

int snp_launch_digest(uint8_t ret[static SNP_DIGEST], const struct snp_launch *l, struct err *e)
{
	uint8_t ld[SNP_DIGEST] = { 0 };

	if (l->vcpus == 0 || l->vcpus > SNP_VCPUS_MAX)
		return err_set(e, EC_USAGE, "%u vCPUs, wanted 1 to %d", l->vcpus, SNP_VCPUS_MAX);
	if (l->svsm.n ? digest_svsm(ld, l, e) : digest_plain(ld, l, e))
		return -1;
	memcpy(ret, ld, sizeof ld);
	return 0;
}
