/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware images: what they say to their VMM, and every measurement that follows from it.  The input is padded to whole pages, its
 * end (where the table stands) kept.  A PE image is tried as well. */
#include "tee/measure_snp.h"
#include "tee/measure_tdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool small(const struct ovmf_tdx *t)	/* hashing gigabytes finds nothing */
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->n; i++)
		sum += t->v[i].size;
	return sum < 1 << 22;
}

static void image(struct slice b)
{
	static const uint8_t hash[32] = { 1 };
	struct snp_kernel k = { .kernel = { 1 } };
	struct err e = { 0 };
	uint8_t d[SNP_DIGEST], cmp[SNP_DIGEST];
	struct ovmf_sev s = { .n = 0 };
	struct ovmf_tdx t = { .n = 0 };
	struct ovmf o;
	uint64_t sum = 0;

	memcpy(k.initrd, hash, sizeof hash);
	if (ovmf_parse(&o, b, &e))
		return;
	if (!ovmf_sev(&s, &o, &e))
		for (size_t i = 0; i < s.n; i++)
			sum += s.v[i].size;
	if (sum < 1 << 22) {
		for (enum snp_vmm v = SNP_VMM_QEMU; v <= SNP_VMM_GCE; v++)
			for (int kernel = 0; kernel < 2; kernel++)
				snp_launch_digest(d, &(const struct snp_launch){ .firmware = b, .vmm = v, .vcpus = 3, .features = 1,
										 .kernel = kernel ? &k : NULL }, &e);
		snp_launch_digest(d, &(const struct snp_launch){ .firmware = b, .svsm = b, .vcpus = 3, .features = 1, .vars_size = 4096 }, &e);
	}
	if (ovmf_tdx(&t, &o, &e) || !small(&t))
		return;
	for (size_t i = 0; i < t.n; i++)
		if (t.v[i].data.n && (t.v[i].data.p < b.p || t.v[i].data.p + t.v[i].data.n > b.p + b.n))
			abort();
	if (!tdx_mrtd(d, &t, TDX_BY_PAGE, &e) && (tdx_mrtd(cmp, &t, TDX_BY_PAGE, &e) || memcmp(d, cmp, sizeof d)))
		abort();
	tdx_hob_digest(d, &t, (uint64_t)4 << 30, &e);
	tdx_cfv_digest(d, &t, &e);
}

static void kernel(const struct slice *b)
{
	const struct source s = source_of(b);
	uint8_t d[TDX_DIGEST];
	struct err e = { 0 };
	AUTO_BUF head = { .max = 4096 };

	authenticode(d, HASH_SHA384, &s, (struct slice){ 0 }, &e);
	if (!tdx_patched_header(&head, &s, (uint64_t)2 << 30, b->n, "quiet", &e))
		authenticode(d, HASH_SHA384, &s, buf_view(&head), &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const size_t whole = (n + OVMF_PAGE - 1) / OVMF_PAGE * OVMF_PAGE;
	AUTO_BUF b = { 0 };
	struct slice s = slice_of(p, n);

	if (n > 65536)
		return 0;
	buf_fill(&b, 0, whole - n);
	buf_put(&b, p, n);
	if (!buf_check(&b, NULL))
		image(buf_view(&b));
	kernel(&s);
	return 0;
}
