/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_MEASURE_TDX_H
#define CVMBOX_TEE_MEASURE_TDX_H

/* MRTD, and the RTMRs of a kernel that QEMU hands to the firmware (cpu-tee.md 6.2, 6.3).  Pure: bytes in, digests out.
 *
 * MRTD follows from the firmware image alone.  RTMR0..2 follow the firmware's and the kernel's own events; what is written here was
 * checked against logs of real guests of EDK2 up to 2025.02.  What depends on facts that are not known is refused (EC_USAGE). */

#include "tee/measure.h"
#include "tee/ovmf.h"

#define TDX_DIGEST 48

enum tdx_order {
	TDX_BY_PAGE,		/* each page is added, then measured: KVM since 6.16, GCE, QEMU 9 and later */
	TDX_BY_SECTION,		/* all pages of a section are added, then measured: QEMU 8 with its TDX patches */
	TDX_ORDERS
};
int tdx_mrtd(uint8_t ret[static TDX_DIGEST], const struct ovmf_tdx *t, enum tdx_order order, struct err *e);

/* SHA-384 of the TD HOB that QEMU (q35) writes for a guest with that much memory, in bytes: ranges that the image has added and the
 * rest, split at 2 GiB where there are 2816 MiB or more. */
int tdx_hob_digest(uint8_t ret[static TDX_DIGEST], const struct ovmf_tdx *t, uint64_t memory, struct err *e);
/* SHA-384 of the configuration volume.  Refused when variables (keys of secure boot) are enrolled in it, since they change further
 * events in ways that are not computed here. */
int tdx_cfv_digest(uint8_t ret[static TDX_DIGEST], const struct ovmf_tdx *t, struct err *e);

struct tdx_boot {		/* what RTMR0 is made of; SHA-384 each */
	uint8_t hob[TDX_DIGEST], cfv[TDX_DIGEST];
	uint8_t acpi_loader[TDX_DIGEST], acpi_rsdp[TDX_DIGEST], acpi_tables[TDX_DIGEST];	/* QEMU's etc/table-loader, etc/acpi/rsdp, etc/acpi/tables */
};
enum tdx_separator {		/* where the separator stands that ends the firmware's own events */
	TDX_SEPARATOR_RTMR1,	/* EDK2 since 2024 */
	TDX_SEPARATOR_RTMR0,	/* before */
};
int tdx_rtmr0(uint8_t ret[static TDX_DIGEST], const struct tdx_boot *b, enum tdx_separator s, struct err *e);
/* kernel: its Authenticode SHA-384 */
int tdx_rtmr1(uint8_t ret[static TDX_DIGEST], const uint8_t kernel[static TDX_DIGEST], enum tdx_separator s, struct err *e);
/* options: the load options as the kernel gets them (the command line, with what the firmware adds for the initrd); initrd: its
 * SHA-384, NULL when there is none. */
int tdx_rtmr2(uint8_t ret[static TDX_DIGEST], const char *options, const uint8_t *initrd, struct err *e);

/* The kernel's first bytes as QEMU before 10.1 changes them; they replace as many at the beginning of the file.  initrd: its size,
 * 0: none.  cmdline: of the kernel, only looked at.  memory 0: unknown, refused where the result depends on it. */
int tdx_patched_header(struct buf *ret, const struct source *kernel, uint64_t memory, uint64_t initrd, const char *cmdline, struct err *e);

#endif
