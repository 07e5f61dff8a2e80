/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SNP_VERIFY_H
#define CVMBOX_TEE_SNP_VERIFY_H

/* Appraising an SNP report (cpu-tee.md 3.9), also one that stands inside other evidence: Azure's is a stage with these
 * checks, this subject, and report_data as it has to be there. */

#include "evidence/checks.h"
#include "tee/snp.h"

enum { N_SNP_CHECKS = 37 };
extern const struct check snp_checks[N_SNP_CHECKS];

struct snp_subject;		/* what the checks run on; they keep there what they found, so one subject is for one run */

/* raw: the report alone, SNP_REPORT_SIZE bytes.  certs: what came along with it and vouches for it (VCEK or VLEK, ASK, in
 * PEM or one in DER), or a revocation list; n 0: none.  Nothing in there is believed before the checks have followed it to AMD's root; what
 * cannot be read is left out, and snp.vek says so.  EC_FORMAT. */
int snp_subject_parse(struct snp_subject **ret, struct slice raw, struct slice certs, struct err *e);
void snp_subject_drop(struct snp_subject *s);		/* NULL is allowed */
const struct snp_report *snp_subject_report(const struct snp_subject *s);	/* for snp_claims() and the fields */
const struct cert_list *snp_subject_certs(const struct snp_subject *s);	/* that came along; unproved */
int snp_subject_details(struct json *to, const struct snp_subject *s, struct err *e);	/* snp_details(), and what came along */

#endif
