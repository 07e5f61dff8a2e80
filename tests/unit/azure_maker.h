/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_AZURE_MAKER_H
#define CVMBOX_AZURE_MAKER_H

/* Machines of an Azure of our own: a paravisor's HCL report over an SNP report (snp_maker) or a TD quote (tdx_maker), a TPM quote, and
 * the paravisor itself for collecting. */

#include "tee/azure.h"
#include "tpm_maker.h"

#define AZURE_NOW INT64_C(1750000000)

struct azure_make {			/* zeros: a good SNP machine, evidence of version 1, user-data all zero */
	bool tdx;
	int machine;			/* 0 or 1: whose attestation key */
	uint64_t version;		/* of the JSON; 0: 1 */
	struct slice nonce;		/* in the quote */
	const uint8_t *user_data;	/* 64 bytes */
	bool no_user_data;
	const char *user_data_text;	/* instead */
	const char *keys, *vm, *more;	/* JSON of `keys` and `vm-configuration`; further members, each with a comma behind */
	const char *kid;		/* of the attestation key; NULL: HCLAkPub */
	const char *exponent;		/* base64url; NULL: 65537 */
	bool ak_last;			/* behind the other key */
	struct slice claims;		/* n > 0: instead of all that */
	uint32_t vmpl;
	bool debug;
	uint32_t hcl_version, data_version, hash_type;	/* 0: 1 */
	size_t between;			/* bytes between the five fields and the claims */
	size_t nv_size;			/* 0: 2600 */
	bool unbound;			/* report data is something else */
	struct attest_make quote;	/* but for its nonce */
};
void azure_claims_make(struct buf *ret, const struct azure_make *m);
void azure_make(struct azure_parts *ret, const struct azure_make *m);
void azure_sign(struct azure_parts *p, int machine);		/* the quote's message again */
void azure_text(struct buf *ret, const struct azure_parts *p);	/* as JSON */
void azure_tdreport(uint8_t ret[static TDREPORT_SIZE], struct slice body);	/* the one that such a TD body comes from */
const struct privkey *azure_key(int machine);

/* A paravisor with its TPM. */
struct paravisor {
	struct azure_make machine;
	struct tpm_sim sim;
	int late;			/* that many readings still give the old report */
	bool deaf;			/* it never makes a new one */
	bool no_write;			/* NV cannot be written */
	bool torn;			/* one reading gives half of each */
	unsigned defined, written;
	uint8_t user_data[64];
};
void paravisor_init(struct paravisor *p, const struct azure_make *m);
void paravisor_free(struct paravisor *p);
void paravisor_attach(struct tpm *t, struct paravisor *p, const struct host *h);

#endif
