/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SNP_VEK_H
#define CVMBOX_TEE_SNP_VEK_H

/* What a VCEK or VLEK certificate says about the chip and firmware it stands for (cpu-tee.md 3.7). */

#include "crypto/x509.h"
#include "tee/snp.h"

struct snp_vek {
	bool vlek;
	enum snp_product product;	/* by productName */
	enum snp_product issuer;	/* by the issuer's name */
	bool issuer_vlek;		/* the issuer's name is an ASVK's */
	int spl[TCB_PARTS];		/* -1: absent */
	bool spare_set;			/* one of spl4..spl7 is not zero */
	char missing[4];		/* "3.5": the first of the spares that has to be there and is not; "": none */
	struct slice hwid;		/* 64 bytes, 8 on Turin; n 0: absent; into the certificate */
	struct slice csp;		/* VLEK only; text */
};
/* Is this the certificate of a report key at all (subject CN)? */
bool snp_vek_recognise(const struct cert *c, bool *vlek);
int snp_vek_parse(struct snp_vek *ret, const struct cert *c, struct err *e);
/* Common name of a DER Name; empty if there is none. */
struct slice x509_common_name(struct slice name);

#endif
