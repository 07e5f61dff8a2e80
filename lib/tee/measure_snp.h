/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_MEASURE_SNP_H
#define CVMBOX_TEE_MEASURE_SNP_H

/* The launch digest of an SEV-SNP guest, computed from what the VMM loads (cpu-tee.md 6.1, SNP ABI 8.17.2).  Pure: bytes in, digest out. */

#include "tee/ovmf.h"

#define SNP_DIGEST 48
#define SNP_VCPUS_MAX 4096

enum snp_vmm { SNP_VMM_QEMU, SNP_VMM_EC2, SNP_VMM_GCE };

/* Of the hash table that the VMM puts into guest memory when it loads a kernel itself: SHA-256 of the kernel file, of the initrd (of
 * nothing when there is none), of the command line with its NUL. */
struct snp_kernel {
	uint8_t kernel[32], initrd[32], cmdline[32];
};

struct snp_launch {
	struct slice firmware;		/* the image, whole */
	const uint8_t *firmware_digest;	/* SNP_DIGEST bytes that stand for the measured firmware pages; NULL: compute them */
	struct slice svsm;		/* n 0: none.  Only with QEMU, without a kernel and without firmware_digest */
	uint64_t vars_size;		/* of the variable store between SVSM and firmware, bytes */
	enum snp_vmm vmm;
	unsigned vcpus;			/* 1 to SNP_VCPUS_MAX */
	uint32_t vcpu_signature;	/* CPUID signature; QEMU alone puts it into the digest */
	uint64_t features;		/* SEV features of the guest; with an SVSM: 1 */
	const struct snp_kernel *kernel;	/* NULL: none is loaded */
};
/* EC_FORMAT: the image is broken.  EC_USAGE: it cannot do what is asked (a kernel without a place for its hashes, ..). */
int snp_launch_digest(uint8_t ret[static SNP_DIGEST], const struct snp_launch *l, struct err *e);
/* Of the firmware pages alone: the seed that firmware_digest takes. */
int snp_firmware_digest(uint8_t ret[static SNP_DIGEST], struct slice firmware, struct err *e);

/* The first state of one vCPU, as encrypted and measured: one page. */
void snp_vmsa(uint8_t ret[static OVMF_PAGE], enum snp_vmm vmm, uint32_t eip, uint32_t vcpu_signature, uint64_t features);

/* CPUID signature of a vCPU model as QEMU names it ("EPYC-Milan", "EPYC-v4"); case is ignored.  -1: unknown, EC_USAGE with the names. */
int snp_vcpu_signature(uint32_t *ret, const char *model, struct err *e);
uint32_t snp_vcpu_signature_of(unsigned family, unsigned model, unsigned stepping);

#endif
