/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_CPUID_H
#define CVMBOX_TEE_CPUID_H

/* What CPUID says about isolation (cpu-tee.md 1.1).  The hypervisor answers CPUID in most guests: these are hints,
 * never proof. */

#include <stdbool.h>

enum hv_isolation { HV_NONE, HV_VBS, HV_SNP, HV_TDX, HV_OTHER };
struct cpuid_facts {
	bool known;			/* false on other architectures */
	bool hypervisor;
	bool amd_sev, amd_es, amd_snp;	/* capability shown, not mode */
	bool intel_tdx;			/* leaf 0x21 says IntelTDX */
	char hypervisor_name[13];
	enum hv_isolation isolation;	/* Hyper-V only */
};
void cpuid_read(struct cpuid_facts *ret);

#endif
