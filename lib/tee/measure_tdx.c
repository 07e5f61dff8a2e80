/* SPDX-License-Identifier: Apache-2.0 */
/* MRTD and RTMRs: see measure_tdx.h. */

#include "base/cursor.h"
#include "tee/measure_tdx.h"

#define GIB ((uint64_t)1 << 30)

static void store(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

/* --- MRTD (TDX module: TDH.MEM.PAGE.ADD and TDH.MR.EXTEND) ----------------------------------------------------------- */

#define RECORD 128
#define CHUNK 256

static int record(struct hasher *h, const char *what, uint64_t gpa, struct err *e)
{
	uint8_t r[RECORD] = { 0 };

	memcpy(r, what, strlen(what));
	store(r + 16, gpa, 8);
	return hasher_add(h, slice_of(r, sizeof r), e);
}

static int page_add(struct hasher *h, const struct ovmf_tdx_section *s, uint64_t at, struct err *e)
{
	return record(h, "MEM.PAGE.ADD", s->gpa + at, e);
}

static int page_extend(struct hasher *h, const struct ovmf_tdx_section *s, uint64_t at, struct err *e)
{
	for (const uint64_t end = at + OVMF_PAGE; at < end; at += CHUNK) {
		uint8_t chunk[CHUNK] = { 0 };

		if (at < s->data.n)
			memcpy(chunk, s->data.p + at, s->data.n - at < CHUNK ? s->data.n - (size_t)at : CHUNK);
		if (record(h, "MR.EXTEND", s->gpa + at, e) || hasher_add(h, slice_of(chunk, sizeof chunk), e))
			return -1;
	}
	return 0;
}

static int add_section(struct hasher *h, const struct ovmf_tdx_section *s, enum tdx_order order, struct err *e)
{
	const bool extend = s->attributes & OVMF_TDX_EXTEND;

	for (uint64_t at = 0; at < s->size; at += OVMF_PAGE)
		if (page_add(h, s, at, e) || (extend && order == TDX_BY_PAGE && page_extend(h, s, at, e)))
			return -1;
	for (uint64_t at = 0; extend && order == TDX_BY_SECTION && at < s->size; at += OVMF_PAGE)
		if (page_extend(h, s, at, e))
			return -1;
	return 0;
}

int tdx_mrtd(uint8_t ret[static TDX_DIGEST], const struct ovmf_tdx *t, enum tdx_order order, struct err *e)
{
	AUTO_HASHER h = { 0 };

	if (hasher_init(&h, HASH_SHA384, e))
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (!(t->v[i].attributes & OVMF_TDX_AUG) && add_section(&h, &t->v[i], order, e))
			return -1;
	return hasher_end(&h, ret, e);
}

/* --- RTMR0: the TD HOB (PI specification, volume 3) -------------------------------------------------------------------- */

#define LOW_LIMIT 0xb0000000u		/* q35: from this much on .. */
#define LOW_MEMORY 0x80000000u		/* .. this much stays below 4 GiB */

static void hob_memory(struct buf *b, bool added, uint64_t gpa, uint64_t n)
{
	if (n == 0)
		return;
	buf_le16(b, 3);		/* resource descriptor */
	buf_le16(b, 48);
	buf_fill(b, 0, 4 + 16);	/* reserved, owner */
	buf_le32(b, added ? 0 : 7);	/* system memory; unaccepted memory */
	buf_le32(b, 7);		/* present, initialised, tested */
	buf_le64(b, gpa);
	buf_le64(b, n);
}

/* The ranges that are in the guest's memory before it starts, besides the firmware itself. */
static size_t hob_ranges(const struct ovmf_tdx_section *ret[static OVMF_SECTIONS], const struct ovmf_tdx *t)
{
	size_t n = 0, k;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].type != OVMF_TDX_HOB && t->v[i].type != OVMF_TDX_TEMP_MEM)
			continue;
		for (k = n++; k && ret[k - 1]->gpa > t->v[i].gpa; k--)
			ret[k] = ret[k - 1];
		ret[k] = &t->v[i];
	}
	return n;
}

int tdx_hob_digest(uint8_t ret[static TDX_DIGEST], const struct ovmf_tdx *t, uint64_t memory, struct err *e)
{
	const uint64_t low = memory >= LOW_LIMIT ? LOW_MEMORY : memory;
	const struct ovmf_tdx_section *r[OVMF_SECTIONS], *hob = NULL;
	const size_t n = hob_ranges(r, t);
	AUTO_BUF b = { .max = 16384 };
	uint64_t at = 0;

	if (memory == 0 || memory % OVMF_PAGE || memory > (uint64_t)1 << 52)
		return err_set(e, EC_USAGE, "a guest memory of %llu bytes is no multiple of %d", (unsigned long long)memory, OVMF_PAGE);
	buf_le16(&b, 1);	/* hand-off information table */
	buf_le16(&b, 56);
	buf_le32(&b, 0);
	buf_le32(&b, 9);	/* version */
	buf_fill(&b, 0, 4 + 5 * 8);	/* boot mode, memory top and bottom, free memory, end of the list (below) */
	for (size_t i = 0; i < n; i++) {
		if (r[i]->type == OVMF_TDX_HOB) {
			if (hob)
				return err_set(e, EC_FORMAT, "TDX metadata names two places for the TD HOB");
			hob = r[i];
		}
		if (r[i]->gpa < at)
			return err_set(e, EC_FORMAT, "TDX metadata sections overlap at 0x%llx", (unsigned long long)r[i]->gpa);
		hob_memory(&b, false, at, r[i]->gpa - at);
		hob_memory(&b, true, r[i]->gpa, r[i]->size);
		at = r[i]->gpa + r[i]->size;
	}
	if (!hob)
		return err_set(e, EC_FORMAT, "TDX metadata names no place for a TD HOB");
	if (at > low)
		return err_set(e, EC_USAGE, "%llu bytes of guest memory are too few for the firmware", (unsigned long long)memory);
	hob_memory(&b, false, at, low - at);
	hob_memory(&b, false, 4 * GIB, memory - low);
	if (buf_check(&b, e))
		return -1;
	store(b.p + 48, hob->gpa + b.n + 8, 8);
	return hash_of(ret, HASH_SHA384, buf_view(&b), e);
}

/* --- RTMR0: the configuration volume ------------------------------------------------------------------------------------ */

/* Is this a firmware volume with an empty variable store?  (PI volume 3, 3.2.1; EDK2 VariableFormat.h) */
static bool store_is_empty(struct slice volume)
{
	uint8_t plain[16], authenticated[16], nvram[16];
	struct rd r = rd_of(volume);
	struct slice guid, magic;
	uint16_t head;

	guid_efi(nvram, "fff12b8d-7696-4c8b-a985-2747075b4f50");
	guid_efi(plain, "ddcf3616-3275-4164-98b6-fe85707ffe7d");
	guid_efi(authenticated, "aaf32c78-947b-439a-a180-2e144ec37792");
	rd_skip(&r, 16);
	guid = rd_take(&r, 16);
	rd_skip(&r, 8);
	magic = rd_take(&r, 4);
	rd_skip(&r, 4);
	head = rd_le16(&r);
	if (r.bad || memcmp(guid.p, nvram, 16) || memcmp(magic.p, "_FVH", 4) || head < 50)
		return false;
	rd_skip(&r, head - 50u);
	guid = rd_take(&r, 16);
	rd_skip(&r, 12);	/* size, format, state, reserved */
	return rd_le16(&r) == 0xffff && !r.bad && (!memcmp(guid.p, plain, 16) || !memcmp(guid.p, authenticated, 16));
}

int tdx_cfv_digest(uint8_t ret[static TDX_DIGEST], const struct ovmf_tdx *t, struct err *e)
{
	const struct ovmf_tdx_section *cfv = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].type == OVMF_TDX_CFV) {
			if (cfv)
				return err_set(e, EC_FORMAT, "TDX metadata names two configuration volumes");
			cfv = &t->v[i];
		}
	if (!cfv)
		return err_set(e, EC_USAGE, "the firmware has no configuration volume, and its events are not known");
	if (!store_is_empty(cfv->data))
		return err_set(e, EC_USAGE, "variables are enrolled in the firmware's configuration volume, and their events are not computed");
	return hash_of(ret, HASH_SHA384, cfv->data, e);
}

/* --- registers as lists of events ----------------------------------------------------------------------------------------- */

static int extend_data(uint8_t *reg, struct slice data, struct err *e)
{
	uint8_t d[TDX_DIGEST];

	return hash_of(d, HASH_SHA384, data, e) || register_extend(reg, HASH_SHA384, d, e) ? -1 : 0;
}

static int extend_separator(uint8_t *reg, struct err *e)
{
	return extend_data(reg, SLICE("\0\0\0\0"), e);
}

/* A variable of secure boot that is not set: UEFI_VARIABLE_DATA with name and without content. */
static int extend_variable(uint8_t *reg, const char *guid, const char *name, struct err *e)
{
	AUTO_BUF b = { .max = 128 };
	uint8_t g[16];

	guid_efi(g, guid);
	buf_put(&b, g, sizeof g);
	buf_le64(&b, strlen(name));
	buf_le64(&b, 0);
	for (; *name; name++)
		buf_le16(&b, (uint8_t)*name);
	return buf_check(&b, e) || extend_data(reg, buf_view(&b), e) ? -1 : 0;
}

/* The boot menu, which is an application inside the firmware: EFI_LOAD_OPTION (active, hidden, an application), "UiApp", the paths
 * of its volume and file, end. */
static int extend_boot0000(uint8_t *reg, struct err *e)
{
	AUTO_BUF b = { .max = 128 };
	uint8_t g[16];

	buf_le32(&b, 0x109);
	buf_le16(&b, 20 + 20 + 4);
	for (const char *s = "UiApp"; *s; s++)
		buf_le16(&b, (uint8_t)*s);
	buf_le16(&b, 0);
	buf_byte(&b, 4);
	buf_byte(&b, 7);
	buf_le16(&b, 20);
	guid_efi(g, "7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1");
	buf_put(&b, g, sizeof g);
	buf_byte(&b, 4);
	buf_byte(&b, 6);
	buf_le16(&b, 20);
	guid_efi(g, "462caa21-7614-4503-836e-8ab6f4662331");
	buf_put(&b, g, sizeof g);
	buf_put(&b, "\x7f\xff\x04\x00", 4);
	return buf_check(&b, e) || extend_data(reg, buf_view(&b), e) ? -1 : 0;
}

int tdx_rtmr0(uint8_t ret[static TDX_DIGEST], const struct tdx_boot *b, enum tdx_separator s, struct err *e)
{
	static const char global[] = "8be4df61-93ca-11d2-aa0d-00e098032b8c", security[] = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";
	uint8_t reg[TDX_DIGEST] = { 0 };

	if (register_extend(reg, HASH_SHA384, b->hob, e) || register_extend(reg, HASH_SHA384, b->cfv, e) ||
	    extend_variable(reg, global, "SecureBoot", e) || extend_variable(reg, global, "PK", e) ||
	    extend_variable(reg, global, "KEK", e) || extend_variable(reg, security, "db", e) ||
	    extend_variable(reg, security, "dbx", e) || extend_separator(reg, e) ||
	    register_extend(reg, HASH_SHA384, b->acpi_loader, e) || register_extend(reg, HASH_SHA384, b->acpi_rsdp, e) ||
	    register_extend(reg, HASH_SHA384, b->acpi_tables, e) ||
	    extend_data(reg, SLICE("\0\0"), e) || extend_boot0000(reg, e) ||	/* BootOrder: 0000 alone */
	    (s == TDX_SEPARATOR_RTMR0 && extend_separator(reg, e)))
		return -1;
	memcpy(ret, reg, sizeof reg);
	return 0;
}

int tdx_rtmr1(uint8_t ret[static TDX_DIGEST], const uint8_t kernel[static TDX_DIGEST], enum tdx_separator s, struct err *e)
{
	uint8_t reg[TDX_DIGEST] = { 0 };

	if (register_extend(reg, HASH_SHA384, kernel, e) || extend_data(reg, SLICE("Calling EFI Application from Boot Option"), e) ||
	    (s == TDX_SEPARATOR_RTMR1 && extend_separator(reg, e)) || extend_data(reg, SLICE("Exit Boot Services Invocation"), e) ||
	    extend_data(reg, SLICE("Exit Boot Services Returned with Success"), e))
		return -1;
	memcpy(ret, reg, sizeof reg);
	return 0;
}

int tdx_rtmr2(uint8_t ret[static TDX_DIGEST], const char *options, const uint8_t *initrd, struct err *e)
{
	uint8_t reg[TDX_DIGEST] = { 0 };
	AUTO_BUF b = { .max = (size_t)1 << 20 };

	if (!*options)
		return err_set(e, EC_USAGE, "whether a kernel without command line measures one is not known");
	for (const char *s = options; *s; s++) {
		if ((uint8_t)*s < 0x20 || (uint8_t)*s > 0x7e)
			return err_set(e, EC_USAGE, "how firmware hands over a command line that is not plain ASCII is not known");
		buf_le16(&b, (uint8_t)*s);
	}
	buf_le16(&b, 0);
	if (buf_check(&b, e) || extend_data(reg, buf_view(&b), e) || (initrd && register_extend(reg, HASH_SHA384, initrd, e)))
		return -1;
	memcpy(ret, reg, sizeof reg);
	return 0;
}

/* --- the kernel's setup header, as QEMU before 10.1 fills it in (Documentation/arch/x86/boot.rst) ------------------------- */

enum {
	SETUP_MAGIC = 0x202, SETUP_VERSION = 0x206, SETUP_LOADER = 0x210, SETUP_FLAGS = 0x211, SETUP_INITRD = 0x218, SETUP_INITRD_SIZE = 0x21c,
	SETUP_HEAP = 0x224, SETUP_CMDLINE = 0x228, SETUP_INITRD_MAX = 0x22c, SETUP_XFLAGS = 0x236, SETUP_END = 0x268,
};
#define ACPI_RESERVE 0x28000u		/* q35 keeps this much free at the end of low memory */

static int patch_initrd(uint8_t *p, uint64_t memory, uint64_t initrd, struct err *e)
{
	const bool anywhere = get_le16(p + SETUP_VERSION) >= 0x20c && get_le16(p + SETUP_XFLAGS) & 2;	/* may be loaded above 4 GiB */
	uint64_t max = anywhere ? UINT32_MAX : get_le32(p + SETUP_INITRD_MAX), low;

	if (memory == 0)
		return err_set(e, EC_USAGE, "QEMU before 10.1 puts the initrd's address into the kernel's header, which depends on the memory");
	low = memory >= LOW_LIMIT ? LOW_MEMORY : memory;
	if (low <= ACPI_RESERVE || initrd >= low - ACPI_RESERVE)
		return err_set(e, EC_USAGE, "%llu bytes of guest memory are too few for the initrd", (unsigned long long)memory);
	if (max >= low - ACPI_RESERVE)
		max = low - ACPI_RESERVE - 1;
	if (initrd >= max)
		return err_set(e, EC_USAGE, "the initrd has %llu bytes, and the kernel takes less than %llu", (unsigned long long)initrd,
			       (unsigned long long)max);
	store(p + SETUP_INITRD, (max - initrd) & ~(uint64_t)4095, 4);
	store(p + SETUP_INITRD_SIZE, initrd, 4);
	return 0;
}

int tdx_patched_header(struct buf *ret, const struct source *kernel, uint64_t memory, uint64_t initrd, const char *cmdline, struct err *e)
{
	uint8_t p[SETUP_END];

	if (kernel->size < sizeof p || kernel->read(kernel->arg, 0, p, sizeof p, e))
		return kernel->size < sizeof p ? err_set(e, EC_FORMAT, "a kernel of %llu bytes is none", (unsigned long long)kernel->size) : -1;
	if (memcmp(p + SETUP_MAGIC, "HdrS", 4) || get_le16(p + SETUP_VERSION) < 0x206 || !(p[SETUP_FLAGS] & 1))
		return err_set(e, EC_FORMAT, "not a Linux kernel for x86 (bzImage) of boot protocol 2.06 or later");
	if (strstr(cmdline, "vga="))
		return err_set(e, EC_USAGE, "QEMU before 10.1 puts the video mode of 'vga=' into the kernel's header, which is not computed");
	p[SETUP_LOADER] = 0xb0;			/* QEMU, revision 0 */
	p[SETUP_FLAGS] |= 0x80;			/* there is a heap .. */
	store(p + SETUP_HEAP, 0xfe00, 2);	/* .. between setup code and command line, less 512 bytes */
	store(p + SETUP_CMDLINE, 0x20000, 4);
	if (initrd && patch_initrd(p, memory, initrd, e))
		return -1;
	buf_put(ret, p, sizeof p);
	return buf_check(ret, e);
}
