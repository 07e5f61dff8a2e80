/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_OVMF_H
#define CVMBOX_TEE_OVMF_H

/* What a firmware image (OVMF, TDVF, an SVSM) says of itself to the VMM that launches it: the table of GUIDs that ends 32 bytes before
 * the end of the file, and the metadata it points to (cpu-tee.md 6.1, 6.2).  All integers are little endian, GUIDs in their EFI form.
 * Hostile input: the image decides what is measured, nothing else. */

#include "base/buf.h"

#define OVMF_MAX ((size_t)64 << 20)	/* largest image that is taken */
#define OVMF_PAGE 4096
#define OVMF_SECTIONS 64		/* of either metadata */

struct ovmf {
	struct slice image;		/* borrowed */
	bool has_hash_table, has_reset, has_sev, has_tdx, has_svsm;
	uint32_t hash_table_gpa;	/* where the hashes of kernel, initrd and command line go; 0: nowhere */
	uint32_t reset_eip;		/* where secondary vCPUs start */
	uint32_t sev_from_end, tdx_from_end;	/* where the metadata stands, counted back from the end of the file */
	uint32_t svsm_entry;		/* offset of the entry point in the image */
};
/* An image without the table is no error: nothing is there then.  EC_FORMAT: size no multiple of 4096 or over OVMF_MAX, a table that
 * does not fit, an entry that is too short for its meaning, or one that stands there twice. */
int ovmf_parse(struct ovmf *ret, struct slice image, struct err *e);
uint64_t ovmf_base(const struct ovmf *o);	/* guest address: the image ends at 4 GiB */

enum ovmf_sev_type {
	OVMF_SEV_MEM = 1, OVMF_SEV_SECRETS = 2, OVMF_SEV_CPUID = 3, OVMF_SEV_SVSM_CAA = 4, OVMF_SEV_KERNEL_HASHES = 0x10,
};
struct ovmf_sev_item {
	uint32_t gpa, size, type;	/* page aligned, type one of the above */
};
struct ovmf_sev {
	struct ovmf_sev_item v[OVMF_SECTIONS];
	size_t n;
};
/* Empty when the image has no SEV metadata.  EC_FORMAT: broken, an unknown type, or over 1 GiB in all. */
int ovmf_sev(struct ovmf_sev *ret, const struct ovmf *o, struct err *e);

enum ovmf_tdx_type {
	OVMF_TDX_BFV, OVMF_TDX_CFV, OVMF_TDX_HOB, OVMF_TDX_TEMP_MEM, OVMF_TDX_PERM_MEM, OVMF_TDX_PAYLOAD, OVMF_TDX_PAYLOAD_PARAM,
};
#define OVMF_TDX_EXTEND 1u		/* the content is measured */
#define OVMF_TDX_AUG 2u			/* added while the guest runs: not part of the launch */
struct ovmf_tdx_section {
	struct slice data;		/* in the image; shorter than 'size' means zeros behind it */
	uint64_t gpa, size;		/* page aligned */
	uint32_t type, attributes;
};
struct ovmf_tdx {
	struct ovmf_tdx_section v[OVMF_SECTIONS];
	size_t n;
};
/* EC_FORMAT also when there is none, and when the sections that are added at launch have over 4 GiB. */
int ovmf_tdx(struct ovmf_tdx *ret, const struct ovmf *o, struct err *e);

/* The EFI form of "8be4df61-93ca-11d2-aa0d-00e098032b8c", which has to be of that shape. */
void guid_efi(uint8_t ret[static 16], const char *text);

#endif
