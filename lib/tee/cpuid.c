/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID: see cpuid.h. */

#include <string.h>

#include "tee/cpuid.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

static enum hv_isolation hyperv_isolation(unsigned max)
{
	unsigned a, b, c, d;

	if (max < 0x4000000c || max > 0x4000ffff)
		return HV_NONE;
	__cpuid(0x40000003, a, b, c, d);
	if (!(b >> 22 & 1) || b >> 12 & 1)	/* isolation set, CPU management clear */
		return HV_NONE;
	__cpuid(0x4000000c, a, b, c, d);
	switch (b & 15) {
	case 0:
		return HV_NONE;
	case 1:
		return HV_VBS;
	case 2:
		return HV_SNP;
	case 3:
		return HV_TDX;
	}
	return HV_OTHER;
}

void cpuid_read(struct cpuid_facts *ret)
{
	unsigned a, b, c, d;

	*ret = (struct cpuid_facts){ .known = true };
	if (__get_cpuid(1, &a, &b, &c, &d))
		ret->hypervisor = c >> 31;
	if (__get_cpuid_count(0x21, 0, &a, &b, &c, &d)) {
		unsigned text[3];

		text[0] = b;
		text[1] = d;
		text[2] = c;
		ret->intel_tdx = !memcmp(text, "IntelTDX    ", 12);
	}
	if (__get_cpuid(0x8000001f, &a, &b, &c, &d)) {
		ret->amd_sev = a >> 1 & 1;
		ret->amd_es = a >> 3 & 1;
		ret->amd_snp = a >> 4 & 1;
	}
	if (!ret->hypervisor)
		return;
	__cpuid(0x40000000, a, b, c, d);
	memcpy(ret->hypervisor_name, &b, 4);
	memcpy(ret->hypervisor_name + 4, &c, 4);
	memcpy(ret->hypervisor_name + 8, &d, 4);
	if (!strcmp(ret->hypervisor_name, "Microsoft Hv"))
		ret->isolation = hyperv_isolation(a);
}
#else
void cpuid_read(struct cpuid_facts *ret)
{
	memset(ret, 0, sizeof *ret);
}
#endif
