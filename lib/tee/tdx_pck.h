/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_PCK_H
#define CVMBOX_TEE_TDX_PCK_H

/* What Intel writes into a PCK certificate about a platform: extension 1.2.840.113741.1.13.1 (cpu-tee.md 4.4). */

#include "crypto/x509.h"

struct tdx_pck {
	uint8_t ppid[16];
	uint8_t component[16];		/* SVN by component: these count, not the CPUSVN's bytes */
	uint16_t pcesvn;
	uint8_t cpusvn[16];		/* zero if absent */
	uint8_t pceid[2], fmspc[6];
	uint8_t sgx_type;		/* 0 standard, 1 scalable, 2 scalable with integrity */
	bool has_instance;		/* issued by the Platform CA */
	uint8_t instance[16];
	bool has_configuration;
	bool dynamic_platform, cached_keys, smt_enabled;
};
#define OID_SGX_EXTENSION "1.2.840.113741.1.13.1"

/* Members in any order, each once; those not known are skipped.  EC_FORMAT: malformed, or PPID, TCB, PCE-ID, FMSPC or SGX type
 * are missing. */
int tdx_pck_read(struct tdx_pck *ret, struct slice extension, struct err *e);
int tdx_pck_parse(struct tdx_pck *ret, const struct cert *c, struct err *e);
bool tdx_pck_recognise(const struct cert *c);	/* a leaf named "Intel SGX PCK Certificate" */

#endif
