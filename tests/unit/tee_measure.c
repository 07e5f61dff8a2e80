/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements computed from images: published values, real guests' logs, images made here, and every way an image can be broken. */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "codec/inflate.h"
#include "tee/measure_snp.h"
#include "tee/measure_tdx.h"
#include "test.h"

/* --- images ---------------------------------------------------------------------------------------------------------- */

#define PAGES 4
#define IMAGE (PAGES * OVMF_PAGE)
#define SEV_AT (IMAGE - 600)		/* 7 items: 100 bytes */
#define TDX_AT (IMAGE - 400)		/* 6 sections: 208 bytes, and the GUID in front */
#define TABLE_END (IMAGE - 32)

struct image {
	uint8_t b[IMAGE];
	size_t table;		/* where it begins; grows downwards */
};

static void le(uint8_t *p, uint64_t v, size_t n)
{
	for (; n--; v >>= 8)
		*p++ = (uint8_t)v;
}

/* One entry in front of the others; the footer's size grows with it. */
static void entry(struct image *m, const char *guid, uint64_t v, size_t n)
{
	m->table -= n + 18;
	le(m->b + m->table, v, n);
	le(m->b + m->table + n, n + 18, 2);
	guid_efi(m->b + m->table + n + 2, guid);
	le(m->b + TABLE_END - 18, TABLE_END - m->table, 2);
}

static void table(struct image *m)
{
	m->table = TABLE_END - 18;
	le(m->b + m->table, 18, 2);
	guid_efi(m->b + TABLE_END - 16, "96b582de-1fb2-45f7-baea-a366c55a082d");
}

static void sev_item(struct image *m, size_t i, uint32_t gpa, uint32_t size, uint32_t type)
{
	uint8_t *p = m->b + SEV_AT + 16 + 12 * i;

	le(p, gpa, 4);
	le(p + 4, size, 4);
	le(p + 8, type, 4);
}

static void tdx_item(struct image *m, size_t i, uint32_t at, uint32_t raw, uint64_t gpa, uint64_t size, uint32_t type, uint32_t attributes)
{
	uint8_t *p = m->b + TDX_AT + 16 + 32 * i;

	le(p, at, 4);
	le(p + 4, raw, 4);
	le(p + 8, gpa, 8);
	le(p + 16, size, 8);
	le(p + 24, type, 4);
	le(p + 28, attributes, 4);
}

/* An empty variable store, as the first page. */
static void variables(uint8_t *p)
{
	memset(p, 0xff, OVMF_PAGE);
	memset(p, 0, 72 + 28);
	guid_efi(p + 16, "fff12b8d-7696-4c8b-a985-2747075b4f50");
	memcpy(p + 40, "_FVH", 4);
	p[48] = 72;
	guid_efi(p + 72, "aaf32c78-947b-439a-a180-2e144ec37792");
}

static void make(struct image *m)
{
	for (size_t i = 0; i < IMAGE; i++)
		m->b[i] = (uint8_t)(i * 7 + (i >> 8) * 13);
	variables(m->b);
	memcpy(m->b + SEV_AT, "ASEV", 4);
	le(m->b + SEV_AT + 4, 100, 4);
	le(m->b + SEV_AT + 8, 1, 4);
	le(m->b + SEV_AT + 12, 7, 4);
	sev_item(m, 0, 0x800000, 0x9000, 1);
	sev_item(m, 1, 0x80a000, 0x3000, 1);
	sev_item(m, 2, 0x80d000, 0x1000, 2);
	sev_item(m, 3, 0x80e000, 0x1000, 3);
	sev_item(m, 4, 0x80f000, 0x1000, 4);
	sev_item(m, 5, 0x810000, 0x1000, 0x10);
	sev_item(m, 6, 0x811000, 0xf000, 1);
	guid_efi(m->b + TDX_AT - 16, "e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae");
	memcpy(m->b + TDX_AT, "TDVF", 4);
	le(m->b + TDX_AT + 4, 208, 4);
	le(m->b + TDX_AT + 8, 1, 4);
	le(m->b + TDX_AT + 12, 6, 4);
	tdx_item(m, 0, 0x1000, 0x3000, 0xffffd000, 0x3000, 0, 1);
	tdx_item(m, 1, 0, 0x1000, 0xffffc000, 0x1000, 1, 0);
	tdx_item(m, 2, 0, 0, 0x811000, 0xf000, 3, 0);
	tdx_item(m, 3, 0, 0, 0x80b000, 0x2000, 3, 0);
	tdx_item(m, 4, 0, 0, 0x809000, 0x2000, 2, 0);
	tdx_item(m, 5, 0, 0, 0x800000, 0x6000, 3, 0);
	table(m);
	entry(m, "00f771de-1a7e-4fcb-890e-68c77e2fb44e", 0x80b004, 4);
	entry(m, "7255371f-3a3b-4b04-927b-1da6efa8d454", 0x810c00, 4);
	entry(m, "dc886566-984a-4798-a75e-5585a7bf67cc", IMAGE - SEV_AT, 4);
	entry(m, "e47a6535-984a-4798-865e-4685a7bf8ec2", IMAGE - TDX_AT, 4);
}

static struct slice all(const struct image *m)
{
	return slice_of(m->b, IMAGE);
}

static struct snp_launch launch_of(struct slice firmware)
{
	return (struct snp_launch){ .firmware = firmware, .vcpus = 2, .vcpu_signature = 0x00a00f11, .features = 1 };
}

static void is_hex(const uint8_t *v, size_t n, const char *want, const char *what)
{
	AUTO_BUF b = { 0 };

	hex_encode(&b, slice_of(v, n));
	if (strcmp(buf_cstr(&b), want))
		test_fail(__FILE__, __LINE__, "%s is %s, wanted %s", what, buf_cstr(&b), want);
}

static const struct snp_kernel *some_kernel(const char *cmdline)
{
	static struct snp_kernel k;

	WORKS(hash_of(k.kernel, HASH_SHA256, SLICE("kernel"), &e));
	WORKS(hash_of(k.initrd, HASH_SHA256, SLICE("initrd"), &e));
	WORKS(hash_of(k.cmdline, HASH_SHA256, slice_of(cmdline, strlen(cmdline) + 1), &e));
	return &k;
}

/* --- SEV-SNP ------------------------------------------------------------------------------------------------------------ */

/* Each line of the vectors' expected.txt. */
TEST(measure_snp_gives_the_published_digests)
{
	AUTO_BUF text = { 0 }, amd = { 0 }, x64 = { 0 };
	uint8_t d[SNP_DIGEST], page[OVMF_PAGE];
	struct slice line;
	size_t seen = 0;
	struct rd r;

	NEED_VECTORS;
	load_vec(&text, "cpu-tee/measure/expected.txt");
	load_vec(&amd, "cpu-tee/measure/ovmf_AmdSev_suffix.bin");
	load_vec(&x64, "cpu-tee/measure/ovmf_OvmfX64_suffix.bin");
	r = rd_of(buf_view(&text));
	while (rd_line(&r, &line)) {
		char s[512], want[97], *hash;
		struct snp_launch l;
		struct snp_kernel k;
		uint8_t seed[SNP_DIGEST];

		snprintf(s, sizeof s, "%.*s", (int)line.n, (const char *)line.p);
		if (line.n < 97 || s[0] == '#')
			continue;
		seen++;
		snprintf(want, sizeof want, "%s", s + line.n - 96);
		l = launch_of(buf_view(!strncmp(s, "AmdSev", 6) ? &amd : &x64));
		if (strstr(s, "ovmf-hash")) {
			WORKS(snp_firmware_digest(d, l.firmware, &e));
		} else if (!strncmp(s, "VMSA", 4)) {
			snp_vmsa(page, SNP_VMM_QEMU, strstr(s, "BSP") ? 0xfffffff0 : 0x0080b004, 0x00800f12, 1);
			WORKS(hash_of(d, HASH_SHA384, slice_of(page, sizeof page), &e));
		} else {
			l.vmm = strstr(s, "| ec2") ? SNP_VMM_EC2 : strstr(s, "| gce") ? SNP_VMM_GCE : SNP_VMM_QEMU;
			l.vcpus = strstr(s, "| 4 |") ? 4 : 1;
			l.vcpu_signature = strstr(s, "Milan") ? 0x00a00f11 : 0x00800f12;
			l.features = strstr(s, "| 0x21 |") ? 0x21 : 1;
			if (!strstr(s, "| none |")) {
				const char *cmdline = strstr(s, "cmdline \"\"") ? "" : "console=ttyS0 loglevel=7";

				WORKS(hash_of(k.kernel, HASH_SHA256, (struct slice){ 0 }, &e));
				memcpy(k.initrd, k.kernel, sizeof k.initrd);
				WORKS(hash_of(k.cmdline, HASH_SHA256, slice_of(cmdline, strlen(cmdline) + 1), &e));
				l.kernel = &k;
			}
			hash = strstr(s, "instead: ");
			if (hash) {
				hash[9 + 96] = 0;
				WORKS(hex_decode_n(seed, sizeof seed, hash + 9, &e));
				l.firmware_digest = seed;
			}
			WORKS(snp_launch_digest(d, &l, &e));
		}
		is_hex(d, sizeof d, want, s);
	}
	EQ(seen, 12);
}

/* What sev-snp-measure gives for the image made above. */
TEST(measure_snp_of_an_image_made_here)
{
	static const struct {
		enum snp_vmm vmm;
		bool kernel;
		uint64_t features;
		const char *want;
	} rows[] = {
		{ SNP_VMM_QEMU, false, 1, "6bce0046ab15e8fa6bddfcacf9a78abaf39ef41e1e390be8ee9ab1eed1d5d00497870bbe06b1b056c439353453ee3401" }, { SNP_VMM_QEMU, true, 0x21, "d07ddc93cc2ec2c6c0d7eab707828f329874d40daf7cac4affc00d68ee520c44bd95386eace1d44129e7523cfb2a64cb" }, { SNP_VMM_EC2, true, 1, "cabf658e613237f76dcd0237835bf3ca6872a2893417c8f316929ebe7be9adad5a090622c00b814664d7f943b0e6206a" }, { SNP_VMM_GCE, false, 1, "6436a34ff9828b57fe0d58582538328ccb5948aaf5296f6ea4e0a720d0c7a4533ca538429e9c1ab0787df0bdc63e02a9" },
	};
	struct image m;
	uint8_t d[SNP_DIGEST], seed[SNP_DIGEST], again[SNP_DIGEST];

	make(&m);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct snp_launch l = launch_of(all(&m));

		l.vmm = rows[i].vmm;
		l.features = rows[i].features;
		l.kernel = rows[i].kernel ? some_kernel("quiet") : NULL;
		WORKS(snp_launch_digest(d, &l, &e));
		is_hex(d, sizeof d, rows[i].want, "digest");
		WORKS(snp_firmware_digest(seed, l.firmware, &e));
		l.firmware_digest = seed;
		WORKS(snp_launch_digest(again, &l, &e));
		MEM(d, again, sizeof d);
	}
}

TEST(measure_snp_of_an_svsm_made_here)
{
	struct snp_launch l;
	struct image m, s;
	uint8_t d[SNP_DIGEST];

	make(&m);
	make(&s);
	table(&s);
	entry(&s, "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd", 0x1234, 4);
	entry(&s, "dc886566-984a-4798-a75e-5585a7bf67cc", IMAGE - SEV_AT, 4);
	l = launch_of(all(&m));
	l.svsm = all(&s);
	l.vars_size = 0x20000;
	WORKS(snp_launch_digest(d, &l, &e));
	is_hex(d, sizeof d, "069ddaf2aecd0b88c2c7d221bc53547eca613ec79fd2bc570f93f6933186046c7c484be7250cca03e002f771aa886e9b", "digest");
	l.vmm = SNP_VMM_GCE;
	FAILS(snp_launch_digest(d, &l, &e), EC_USAGE);
	l.vmm = SNP_VMM_QEMU;
	l.features = 0x21;
	FAILS(snp_launch_digest(d, &l, &e), EC_USAGE);
	l.features = 1;
	l.kernel = some_kernel("");
	FAILS(snp_launch_digest(d, &l, &e), EC_USAGE);
	l.kernel = NULL;
	l.vars_size = 100;
	FAILS(snp_launch_digest(d, &l, &e), EC_USAGE);
	l.vars_size = (uint64_t)4 << 30;
	FAILS(snp_launch_digest(d, &l, &e), EC_USAGE);
	l.vars_size = 0x20000;
	l.svsm = all(&m);	/* says not where it starts */
	FAILS(snp_launch_digest(d, &l, &e), EC_FORMAT);
}

/* Whatever goes into the launch changes the digest, and what does not, does not. */
TEST(measure_snp_depends_on_each_input)
{
	uint8_t first[SNP_DIGEST], d[SNP_DIGEST];
	struct snp_launch l;
	struct image m;

	make(&m);
	l = launch_of(all(&m));
	l.kernel = some_kernel("a");
	WORKS(snp_launch_digest(first, &l, &e));
#define DIFFERS(change, back) do { change; WORKS(snp_launch_digest(d, &l, &e)); OK(memcmp(first, d, sizeof d)); back; } while (0)
	DIFFERS(l.vcpus = 3, l.vcpus = 2);
	DIFFERS(l.vcpu_signature = 0x00a10f10, l.vcpu_signature = 0x00a00f11);
	DIFFERS(l.features = 0x21, l.features = 1);
	DIFFERS(l.features |= (uint64_t)1 << 63, l.features = 1);
	DIFFERS(l.kernel = some_kernel("b"), l.kernel = some_kernel("a"));
	DIFFERS(l.kernel = NULL, l.kernel = some_kernel("a"));
	DIFFERS(l.vmm = SNP_VMM_EC2, l.vmm = SNP_VMM_QEMU);
	DIFFERS(l.vmm = SNP_VMM_GCE, l.vmm = SNP_VMM_QEMU);
	DIFFERS(m.b[0] ^= 1, m.b[0] ^= 1);
	DIFFERS(m.b[IMAGE - 1] ^= 1, m.b[IMAGE - 1] ^= 1);
#undef DIFFERS
	WORKS(snp_launch_digest(d, &l, &e));
	MEM(first, d, sizeof d);
	l.vmm = SNP_VMM_EC2;	/* which has a constant in the signature's place */
	WORKS(snp_launch_digest(first, &l, &e));
	l.vcpu_signature = 0;
	WORKS(snp_launch_digest(d, &l, &e));
	MEM(first, d, sizeof d);
}

TEST(measure_snp_refuses_what_cannot_be)
{
	uint8_t d[SNP_DIGEST];
	struct snp_launch l;
	struct image m;
	struct err why = { 0 };

	make(&m);
	l = launch_of(all(&m));
	l.vcpus = 0;
	FAILS(snp_launch_digest(d, &l, &e), EC_USAGE);
	l.vcpus = SNP_VCPUS_MAX + 1;
	FAILS(snp_launch_digest(d, &l, &e), EC_USAGE);
	l.vcpus = 1;
	l.kernel = some_kernel("");
	le(m.b + SEV_AT + 12, 5, 4);	/* no place for kernel hashes */
	OK(snp_launch_digest(d, &l, &why));
	EQ(why.code, EC_USAGE);
	HAS(why.msg, "no place for kernel hashes");
	make(&m);
	sev_item(&m, 5, 0x810000, 0x2000, 0x10);
	FAILS(snp_launch_digest(d, &l, &e), EC_FORMAT);
	sev_item(&m, 5, 0x820000, 0x1000, 0x10);	/* not where the table goes */
	FAILS(snp_launch_digest(d, &l, &e), EC_FORMAT);
	table(&m);
	entry(&m, "00f771de-1a7e-4fcb-890e-68c77e2fb44e", 0x80b004, 4);
	entry(&m, "dc886566-984a-4798-a75e-5585a7bf67cc", IMAGE - SEV_AT, 4);
	FAILS(snp_launch_digest(d, &l, &e), EC_FORMAT);		/* no hash table */
	l.kernel = NULL;
	WORKS(snp_launch_digest(d, &l, &e));
	table(&m);
	FAILS(snp_launch_digest(d, &l, &e), EC_FORMAT);		/* no reset block */
	make(&m);
	sev_item(&m, 5, 0x810000, 0x1000, 0x10);
	table(&m);
	entry(&m, "00f771de-1a7e-4fcb-890e-68c77e2fb44e", 0, 4);
	WORKS(snp_launch_digest(d, &l, &e));
	l.vcpus = 2;			/* which would start nowhere */
	FAILS(snp_launch_digest(d, &l, &e), EC_FORMAT);
}

TEST(measure_vcpu_models)
{
	static const struct {
		const char *name;
		uint32_t signature;
	} rows[] = {
		{ "EPYC", 0x00800f12 }, { "EPYC-v4", 0x00800f12 }, { "EPYC-IBPB", 0x00800f12 }, { "epyc-rome", 0x00830f10 }, { "EPYC-Rome-v3", 0x00830f10 },
		{ "EPYC-Milan", 0x00a00f11 }, { "EPYC-Milan-v2", 0x00a00f11 }, { "EPYC-Genoa", 0x00a10f10 }, { "EPYC-Turin", 0x00b00f00 },
	};
	static const char *const unknown[] = { "", "EPYC-", "EPYC-v", "EPYC-v0", "-v1", "EPYC-Milano", "Milan", "EPYC-v1-v1", "EPYC-Milan-v10" };
	uint32_t v;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		WORKS(snp_vcpu_signature(&v, rows[i].name, &e));
		EQ(v, rows[i].signature);
	}
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		FAILS(snp_vcpu_signature(&v, unknown[i], &e), EC_USAGE);
	EQ(snp_vcpu_signature_of(25, 1, 1), 0x00a00f11);
	EQ(snp_vcpu_signature_of(6, 42, 7), 0x000206a7);
}

/* --- broken images ------------------------------------------------------------------------------------------------------ */

TEST(ovmf_broken_tables_are_refused)
{
	static const char reset[] = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";
	struct ovmf o;
	struct image m;

	make(&m);
	WORKS(ovmf_parse(&o, all(&m), &e));
	EQ(o.reset_eip, 0x80b004);
	EQ(o.hash_table_gpa, 0x810c00);
	EQ(ovmf_base(&o), 0x100000000 - IMAGE);
	FAILS(ovmf_parse(&o, slice_of(m.b, 0), &e), EC_FORMAT);
	FAILS(ovmf_parse(&o, slice_of(m.b, IMAGE - 1), &e), EC_FORMAT);
	entry(&m, reset, 1, 4);
	FAILS(ovmf_parse(&o, all(&m), &e), EC_FORMAT);		/* twice */
	table(&m);
	entry(&m, reset, 1, 3);
	FAILS(ovmf_parse(&o, all(&m), &e), EC_FORMAT);		/* too short for an address */
	for (unsigned size = 0; size < 0x10000; size += size < 200 ? 1 : 997) {
		struct err why = { 0 };

		make(&m);
		le(m.b + TABLE_END - 18, size, 2);		/* the table's own size: any value is read or refused */
		if (ovmf_parse(&o, all(&m), &why))
			EQ(why.code, EC_FORMAT);
		make(&m);
		le(m.b + TABLE_END - 36, size, 2);		/* the first entry's */
		if (size < 18 || size > 106 - 18)
			FAILS(ovmf_parse(&o, all(&m), &e), EC_FORMAT);
	}
	make(&m);
	le(m.b + TABLE_END - 18, 0xffff, 2);
	FAILS(ovmf_parse(&o, all(&m), &e), EC_FORMAT);
	m.b[TABLE_END - 1] ^= 1;				/* another GUID: no table, and nothing is there */
	WORKS(ovmf_parse(&o, all(&m), &e));
	OK(!o.has_reset && !o.has_sev && !o.has_tdx);
}

static void sev_fails(size_t at, uint64_t v, size_t n)
{
	struct ovmf_sev s;
	struct ovmf o;
	struct image m;

	make(&m);
	le(m.b + at, v, n);
	WORKS(ovmf_parse(&o, all(&m), &e));
	FAILS(ovmf_sev(&s, &o, &e), EC_FORMAT);
}

TEST(ovmf_broken_sev_metadata_is_refused)
{
	struct ovmf_sev s;
	struct ovmf o;
	struct image m;

	make(&m);
	WORKS(ovmf_parse(&o, all(&m), &e));
	WORKS(ovmf_sev(&s, &o, &e));
	EQ(s.n, 7);
	EQ(s.v[6].gpa, 0x811000);
	sev_fails(SEV_AT, 0, 1);			/* magic */
	sev_fails(SEV_AT + 4, 99, 4);			/* length */
	sev_fails(SEV_AT + 4, 15, 4);
	sev_fails(SEV_AT + 8, 2, 4);			/* version */
	sev_fails(SEV_AT + 12, 8, 4);			/* count */
	sev_fails(SEV_AT + 12, 0xffffffff, 4);
	sev_fails(SEV_AT + 16, 0x800001, 4);		/* address */
	sev_fails(SEV_AT + 20, 0x9001, 4);		/* size */
	sev_fails(SEV_AT + 20, 0x50000000, 4);
	sev_fails(SEV_AT + 24, 0, 4);			/* type */
	sev_fails(SEV_AT + 24, 5, 4);
	for (size_t k = 0; k < 2; k++) {
		table(&m);
		entry(&m, "dc886566-984a-4798-a75e-5585a7bf67cc", k ? IMAGE + 1 : 0, 4);
		WORKS(ovmf_parse(&o, all(&m), &e));
		FAILS(ovmf_sev(&s, &o, &e), EC_FORMAT);
	}
	table(&m);
	entry(&m, "dc886566-984a-4798-a75e-5585a7bf67cc", 40, 4);	/* inside the table, where it ends */
	WORKS(ovmf_parse(&o, all(&m), &e));
	FAILS(ovmf_sev(&s, &o, &e), EC_FORMAT);
}

static void tdx_fails(size_t at, uint64_t v, size_t n)
{
	struct ovmf_tdx t;
	struct ovmf o;
	struct image m;

	make(&m);
	le(m.b + at, v, n);
	WORKS(ovmf_parse(&o, all(&m), &e));
	FAILS(ovmf_tdx(&t, &o, &e), EC_FORMAT);
}

TEST(ovmf_broken_tdx_metadata_is_refused)
{
	const size_t first = TDX_AT + 16;
	struct ovmf_tdx t;
	struct ovmf o;
	struct image m;

	make(&m);
	WORKS(ovmf_parse(&o, all(&m), &e));
	WORKS(ovmf_tdx(&t, &o, &e));
	EQ(t.n, 6);
	EQ(t.v[0].data.n, 0x3000);
	OK(t.v[0].data.p == m.b + 0x1000);
	tdx_fails(TDX_AT - 16, 0, 1);			/* GUID in front */
	tdx_fails(TDX_AT, 0, 1);
	tdx_fails(TDX_AT + 4, 207, 4);
	tdx_fails(TDX_AT + 8, 0, 4);
	tdx_fails(TDX_AT + 12, 7, 4);
	tdx_fails(first, 0x1001, 4);			/* content beyond the end */
	tdx_fails(first, 0xffffffff, 4);
	tdx_fails(first + 4, 0x3001, 4);		/* more content than memory */
	tdx_fails(first + 8, 0xffffd001, 8);
	tdx_fails(first + 8, 0xfffffffffffff000, 8);
	tdx_fails(first + 16, 0x3001, 8);
	tdx_fails(first + 16, 0x200000000, 8);		/* 8 GiB to hash */
	tdx_fails(first + 24, 7, 4);
	tdx_fails(first + 28, 3, 4);
	tdx_fails(first + 28, 4, 4);
	table(&m);
	WORKS(ovmf_parse(&o, all(&m), &e));
	FAILS(ovmf_tdx(&t, &o, &e), EC_FORMAT);		/* none */
	entry(&m, "e47a6535-984a-4798-865e-4685a7bf8ec2", IMAGE, 4);	/* no room for the GUID */
	WORKS(ovmf_parse(&o, all(&m), &e));
	FAILS(ovmf_tdx(&t, &o, &e), EC_FORMAT);
}

/* --- TDX ---------------------------------------------------------------------------------------------------------------- */

static void tdx_of(struct ovmf_tdx *t, const struct image *m)
{
	struct ovmf o;

	WORKS(ovmf_parse(&o, all(m), &e));
	WORKS(ovmf_tdx(t, &o, &e));
}

TEST(measure_mrtd_of_an_image_made_here)
{
	uint8_t d[TDX_DIGEST], other[TDX_DIGEST];
	struct ovmf_tdx t;
	struct image m;

	make(&m);
	tdx_of(&t, &m);
	WORKS(tdx_mrtd(d, &t, TDX_BY_PAGE, &e));
	is_hex(d, sizeof d, "3fb09de75e52206c73ab0adce321862b69666e85020308c541c57dfc7f7e62fd218a4fe30bdcdc3baa2f4a43bd891ecc", "MRTD by page");
	WORKS(tdx_mrtd(other, &t, TDX_BY_SECTION, &e));
	is_hex(other, sizeof other, "fb62873b6839176a1c00b44f312aaf218a08add6fe6c3b82c282bef02917da68c2ecbda1bcf7c303828bb3f1cc449316", "MRTD by section");
	m.b[0] ^= 1;			/* variables are added, not measured */
	WORKS(tdx_mrtd(other, &t, TDX_BY_PAGE, &e));
	MEM(d, other, sizeof d);
	m.b[IMAGE - 1] ^= 1;
	WORKS(tdx_mrtd(other, &t, TDX_BY_PAGE, &e));
	OK(memcmp(d, other, sizeof d));
	make(&m);
	tdx_item(&m, 5, 0, 0, 0x800000, 0x6000, 3, OVMF_TDX_AUG);	/* not part of the launch */
	tdx_of(&t, &m);
	WORKS(tdx_mrtd(d, &t, TDX_BY_PAGE, &e));
	t.n = 5;
	WORKS(tdx_mrtd(other, &t, TDX_BY_PAGE, &e));
	MEM(d, other, sizeof d);
	/* content that ends inside a page has zeros behind it */
	make(&m);
	memset(m.b + 0x2f01, 0, 0xff);
	tdx_item(&m, 0, 0x1000, 0x1f01, 0xffffd000, 0x2000, 0, 1);
	tdx_of(&t, &m);
	WORKS(tdx_mrtd(d, &t, TDX_BY_PAGE, &e));
	t.v[0].data.n = 0x2000;
	WORKS(tdx_mrtd(other, &t, TDX_BY_PAGE, &e));
	MEM(d, other, sizeof d);
}

TEST(measure_hob_and_variables_need_known_facts)
{
	uint8_t d[TDX_DIGEST];
	struct ovmf_tdx t;
	struct image m;

	make(&m);
	tdx_of(&t, &m);
	WORKS(tdx_hob_digest(d, &t, (uint64_t)2 << 30, &e));
	WORKS(tdx_cfv_digest(d, &t, &e));
	FAILS(tdx_hob_digest(d, &t, 0, &e), EC_USAGE);
	FAILS(tdx_hob_digest(d, &t, 4097, &e), EC_USAGE);
	FAILS(tdx_hob_digest(d, &t, 0x810000, &e), EC_USAGE);	/* the firmware's own ranges lie above */
	FAILS(tdx_hob_digest(d, &t, UINT64_MAX & ~(uint64_t)4095, &e), EC_USAGE);
	m.b[72 + 28] = 0xaa;					/* a variable */
	m.b[72 + 29] = 0x55;
	FAILS(tdx_cfv_digest(d, &t, &e), EC_USAGE);
	make(&m);
	m.b[40] = 'x';
	FAILS(tdx_cfv_digest(d, &t, &e), EC_USAGE);
	make(&m);
	tdx_item(&m, 1, 0, 0x1000, 0xffffc000, 0x1000, 0, 0);	/* none */
	tdx_of(&t, &m);
	FAILS(tdx_cfv_digest(d, &t, &e), EC_USAGE);
	make(&m);
	tdx_item(&m, 2, 0, 0, 0x80a000, 0xf000, 3, 0);		/* overlaps the HOB */
	tdx_of(&t, &m);
	FAILS(tdx_hob_digest(d, &t, (uint64_t)2 << 30, &e), EC_FORMAT);
	make(&m);
	tdx_item(&m, 3, 0, 0, 0x80b000, 0x2000, 2, 0);		/* two HOBs */
	tdx_of(&t, &m);
	FAILS(tdx_hob_digest(d, &t, (uint64_t)2 << 30, &e), EC_FORMAT);
	tdx_item(&m, 3, 0, 0, 0x80b000, 0x2000, 3, 0);
	tdx_item(&m, 4, 0, 0, 0x809000, 0x2000, 3, 0);		/* none */
	tdx_of(&t, &m);
	FAILS(tdx_hob_digest(d, &t, (uint64_t)2 << 30, &e), EC_FORMAT);
}

TEST(measure_rtmr2_refuses_command_lines_it_does_not_know)
{
	uint8_t d[TDX_DIGEST], other[TDX_DIGEST];

	WORKS(tdx_rtmr2(d, "quiet", NULL, &e));
	WORKS(tdx_rtmr2(other, "quiet", d, &e));
	OK(memcmp(d, other, sizeof d));
	FAILS(tdx_rtmr2(d, "", NULL, &e), EC_USAGE);
	FAILS(tdx_rtmr2(d, "\xc3\xbc", NULL, &e), EC_USAGE);
	FAILS(tdx_rtmr2(d, "a\nb", NULL, &e), EC_USAGE);
}

/* --- logs of real guests -------------------------------------------------------------------------------------------------- */

struct events {
	struct {
		uint32_t reg, type;
		uint8_t digest[TDX_DIGEST];
	} v[64];
	size_t n;
};

static void read_events(struct events *ev, struct slice log)
{
	struct rd r = rd_of(log);

	ev->n = 0;
	rd_skip(&r, 28);
	rd_skip(&r, rd_le32(&r));
	while (rd_left(&r) >= 12 && ev->n < 64) {
		const uint32_t reg = rd_le32(&r), type = rd_le32(&r), count = rd_le32(&r);

		if (reg > 4 || count != 1 || rd_le16(&r) != 0xc)
			break;
		ev->v[ev->n].reg = reg;
		ev->v[ev->n].type = type;
		rd_copy(&r, ev->v[ev->n++].digest, TDX_DIGEST);
		rd_skip(&r, rd_le32(&r));
	}
}

static const uint8_t *event(const struct events *ev, uint32_t reg, uint32_t type, size_t nth)
{
	for (size_t i = 0; i < ev->n; i++)
		if (ev->v[i].reg == reg && ev->v[i].type == type && nth-- == 0)
			return ev->v[i].digest;
	test_fail(__FILE__, __LINE__, "the log has no such event");
	return ev->v[0].digest;
}

static void replay(uint8_t *ret, const struct events *ev, uint32_t reg)
{
	memset(ret, 0, TDX_DIGEST);
	for (size_t i = 0; i < ev->n; i++)
		if (ev->v[i].reg == reg)
			WORKS(register_extend(ret, HASH_SHA384, ev->v[i].digest, &e));
}

static int into(void *arg, struct slice out, struct err *e)
{
	buf_slice(arg, out);
	return buf_check(arg, e);
}

static void load_gzip(struct buf *ret, const char *name)
{
	const struct inflate_limits limits = { .max_out = 1 << 20, .max_ratio = 1000 };
	AUTO_INFLATE f = { 0 };
	AUTO_BUF gz = { 0 };

	load_vec(&gz, name);
	WORKS(inflate_init(&f, &limits, into, ret, &e));
	WORKS(inflate_add(&f, buf_view(&gz), &e));
	WORKS(inflate_end(&f, &e));
}

/* The registers that a real TDX guest booted by QEMU was quoted with. */
TEST(measure_rtmrs_are_those_of_a_real_guest)
{
	AUTO_BUF log = { 0 }, quote = { 0 };
	uint8_t d[TDX_DIGEST], r[TDX_DIGEST];
	struct tdx_boot b;
	struct ovmf_tdx t;
	struct events ev;
	struct image m;

	NEED_VECTORS;
	load_gzip(&log, "cpu-tee/eventlog/ars-live.ccel.bin.gz");
	load_vec(&quote, "cpu-tee/tdx/ars-live.quote.bin");
	read_events(&ev, buf_view(&log));
	EQ(ev.n, 20);
	make(&m);		/* has the ranges of the OVMF of that guest, which has 2 GiB */
	tdx_of(&t, &m);
	WORKS(tdx_hob_digest(b.hob, &t, (uint64_t)2 << 30, &e));
	MEM(b.hob, event(&ev, 1, 0x8000000b, 0), TDX_DIGEST);
	memcpy(b.cfv, event(&ev, 1, 0x8000000a, 0), TDX_DIGEST);
	memcpy(b.acpi_loader, event(&ev, 1, 0xa, 0), TDX_DIGEST);
	memcpy(b.acpi_rsdp, event(&ev, 1, 0xa, 1), TDX_DIGEST);
	memcpy(b.acpi_tables, event(&ev, 1, 0xa, 2), TDX_DIGEST);
	WORKS(tdx_rtmr0(d, &b, TDX_SEPARATOR_RTMR1, &e));
	OK(quote.n > 48 + 520);
	MEM(d, quote.p + 48 + 328, TDX_DIGEST);
	WORKS(tdx_rtmr1(d, event(&ev, 2, 0x80000003, 0), TDX_SEPARATOR_RTMR1, &e));
	MEM(d, quote.p + 48 + 376, TDX_DIGEST);
	replay(r, &ev, 3);
	MEM(r, quote.p + 48 + 424, TDX_DIGEST);
}

/* An older firmware and 8 GiB: memory on both sides of the hole, and the separator in the other register. */
TEST(measure_rtmrs_are_those_of_an_older_guest)
{
	AUTO_BUF log = { 0 };
	uint8_t d[TDX_DIGEST], r[TDX_DIGEST];
	struct ovmf_tdx t;
	struct events ev;
	struct image m;

	NEED_VECTORS;
	load_vec(&log, "cpu-tee/eventlog/CCEL_unpadded.bin");
	read_events(&ev, buf_view(&log));
	EQ(ev.n, 19);
	make(&m);
	tdx_item(&m, 2, 0, 0, 0x810000, 0x10000, 3, 0);
	tdx_of(&t, &m);
	WORKS(tdx_hob_digest(d, &t, (uint64_t)8 << 30, &e));
	MEM(d, event(&ev, 1, 0x8000000b, 0), TDX_DIGEST);
	replay(r, &ev, 2);
	WORKS(tdx_rtmr1(d, event(&ev, 2, 0x80000003, 0), TDX_SEPARATOR_RTMR0, &e));
	MEM(d, r, sizeof d);
	WORKS(tdx_rtmr1(d, event(&ev, 2, 0x80000003, 0), TDX_SEPARATOR_RTMR1, &e));
	OK(memcmp(d, r, sizeof d));
}

/* --- PE images --------------------------------------------------------------------------------------------------------- */

#define PE_SIZE 0x1800
#define PE_DIRECTORY (0x58 + 112 + 32)

/* Two sections, in the table in the other order, 64 bytes behind them, 48 of certificates. */
static void make_pe(uint8_t *p)
{
	for (size_t i = 0; i < PE_SIZE; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 8));
	memset(p, 0, 0x400);
	memcpy(p, "MZ", 2);
	le(p + 60, 0x40, 4);
	memcpy(p + 0x40, "PE\0", 4);
	le(p + 0x46, 2, 2);
	le(p + 0x54, 240, 2);
	le(p + 0x58, 0x20b, 2);
	le(p + 0x58 + 60, 0x400, 4);
	le(p + 0x58 + 108, 16, 4);
	le(p + PE_DIRECTORY, PE_SIZE - 48, 4);
	le(p + PE_DIRECTORY + 4, 48, 4);
	le(p + 0x148 + 16, 0x800, 4);
	le(p + 0x148 + 20, 0xc00, 4);
	le(p + 0x170 + 16, 0x800, 4);
	le(p + 0x170 + 20, 0x400, 4);
	memcpy(p + 0x202, "HdrS", 4);
	le(p + 0x206, 0x20f, 2);
	p[0x211] = 1;
	le(p + 0x22c, 0x7fffffff, 4);
	le(p + 0x236, 0x3f, 2);
}

static int pe_digest(uint8_t *d, const uint8_t *p, size_t n, struct err *e)
{
	const struct slice s = slice_of(p, n);
	const struct source src = source_of(&s);

	return authenticode(d, HASH_SHA384, &src, (struct slice){ 0 }, e);
}

/* By hand: all but checksum, directory entry and certificates; the sections stand in the file in order. */
TEST(authenticode_covers_all_but_its_own)
{
	uint8_t p[PE_SIZE], d[TDX_DIGEST], other[TDX_DIGEST];
	AUTO_HASHER h = { 0 };

	make_pe(p);
	WORKS(pe_digest(d, p, sizeof p, &e));
	WORKS(hasher_init(&h, HASH_SHA384, &e));
	WORKS(hasher_add(&h, slice_of(p, 0x58 + 64), &e));
	WORKS(hasher_add(&h, slice_of(p + 0x58 + 68, PE_DIRECTORY - 0x58 - 68), &e));
	WORKS(hasher_add(&h, slice_of(p + PE_DIRECTORY + 8, PE_SIZE - 48 - PE_DIRECTORY - 8), &e));
	WORKS(hasher_end(&h, other, &e));
	MEM(d, other, sizeof d);
	for (size_t i = 0; i < PE_SIZE; i++) {
		struct err e = { 0 };
		const bool outside = (i >= 0x58 + 64 && i < 0x58 + 68) || (i >= PE_DIRECTORY && i < PE_DIRECTORY + 4) || i >= PE_SIZE - 48;

		p[i] ^= 0x41;
		if (pe_digest(other, p, sizeof p, &e))
			OK(!outside && e.code == EC_FORMAT);
		else if (outside != !memcmp(d, other, sizeof d))
			test_fail(__FILE__, __LINE__, "byte %zu", i);
		p[i] ^= 0x41;
	}
}

TEST(authenticode_broken_images_are_refused)
{
	static const struct {
		size_t at, n;
		uint64_t v;
	} rows[] = {
		{ 0, 1, 0 }, { 60, 4, 0xfffffff0 }, { 60, 4, PE_SIZE - 10 }, { 0x40, 1, 0 }, { 0x46, 2, 97 }, { 0x46, 2, 90 }, { 0x54, 2, 95 },
		{ 0x54, 2, 0xffff }, { 0x54, 2, 151 }, { 0x58, 2, 0x107 }, { 0x58 + 60, 4, 0x100 }, { 0x58 + 60, 4, PE_SIZE + 1 }, { 0x58 + 60, 4, 0x197 },
		{ 0x148 + 16, 4, 0x1000 }, { 0x148 + 20, 4, 0xffffffff }, { 0x148 + 16, 4, 0xffffffff }, { PE_DIRECTORY + 4, 4, 0xffffffff },
	};
	uint8_t p[PE_SIZE], d[TDX_DIGEST];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err e = { 0 };

		make_pe(p);
		le(p + rows[i].at, rows[i].v, rows[i].n);
		if (!pe_digest(d, p, sizeof p, &e) || e.code != EC_FORMAT)
			test_fail(__FILE__, __LINE__, "row %zu is not refused", i);
	}
	make_pe(p);
	for (size_t n = 0; n < PE_SIZE - 1024; n += n < 0x400 ? 1 : 101)
		FAILS(pe_digest(d, p, n, &e), EC_FORMAT);
}

TEST(measure_patched_header_is_qemus)
{
	uint8_t p[PE_SIZE] = { 0 };
	const struct slice s = slice_of(p, sizeof p);
	const struct source src = source_of(&s);
	static const struct {
		uint64_t memory, initrd;
		uint32_t where;
	} rows[] = {
		{ (uint64_t)4 << 30, 5000, 0x7ffd6000 }, { 0xb0000000, 5000, 0x7ffd6000 }, { 0x80000000, 5000, 0x7ffd6000 },
		{ 0xaffff000, 5000, 0xaffd5000 }, { (uint64_t)512 << 20, 1, 0x1ffd7000 },
	};

	make_pe(p);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF h = { 0 };

		WORKS(tdx_patched_header(&h, &src, rows[i].memory, rows[i].initrd, "quiet", &e));
		EQ(h.n, 0x268);
		EQ(h.p[0x210], 0xb0);
		EQ(h.p[0x211], 0x81);
		EQ(get_le16(h.p + 0x224), 0xfe00);
		EQ(get_le32(h.p + 0x228), 0x20000);
		EQ(get_le32(h.p + 0x218), rows[i].where);
		EQ(get_le32(h.p + 0x21c), rows[i].initrd);
		MEM(h.p, p, 0x210);
		MEM(h.p + 0x22c, p + 0x22c, h.n - 0x22c);
	}
}

TEST(measure_patched_header_refuses_what_is_not_known)
{
	uint8_t p[PE_SIZE] = { 0 }, plain[TDX_DIGEST], d[TDX_DIGEST];
	const struct slice s = slice_of(p, sizeof p);
	struct source src = source_of(&s);
	AUTO_BUF h = { 0 };

	make_pe(p);
	FAILS(tdx_patched_header(&h, &src, 0, 5000, "", &e), EC_USAGE);
	FAILS(tdx_patched_header(&h, &src, 0x30000, 0x9000, "", &e), EC_USAGE);
	FAILS(tdx_patched_header(&h, &src, (uint64_t)4 << 30, 0x80000000, "", &e), EC_USAGE);
	FAILS(tdx_patched_header(&h, &src, (uint64_t)4 << 30, 0, "vga=normal", &e), EC_USAGE);
	le(p + 0x206, 0x205, 2);
	FAILS(tdx_patched_header(&h, &src, 0, 0, "", &e), EC_FORMAT);
	make_pe(p);
	p[0x202] = 'h';
	FAILS(tdx_patched_header(&h, &src, 0, 0, "", &e), EC_FORMAT);
	make_pe(p);
	src.size = 0x267;
	FAILS(tdx_patched_header(&h, &src, 0, 0, "", &e), EC_FORMAT);
	src.size = sizeof p;
	EQ(h.n, 0);
	WORKS(tdx_patched_header(&h, &src, 0, 0, "", &e));	/* nothing in it depends on the memory */
	WORKS(authenticode(plain, HASH_SHA384, &src, (struct slice){ 0 }, &e));
	WORKS(authenticode(d, HASH_SHA384, &src, slice_of(p, 0x268), &e));
	MEM(d, plain, sizeof d);
	WORKS(authenticode(d, HASH_SHA384, &src, buf_view(&h), &e));
	OK(memcmp(d, plain, sizeof d));
	memcpy(p, h.p, h.n);
	WORKS(authenticode(plain, HASH_SHA384, &src, (struct slice){ 0 }, &e));
	MEM(d, plain, sizeof d);	/* the same as of a file with that header */
}
