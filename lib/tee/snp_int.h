/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SNP_INT_H
#define CVMBOX_TEE_SNP_INT_H

/* Between the snp_*.c files that appraise a report. */

#include "tee/snp_roots.h"
#include "tee/snp_vek.h"
#include "tee/snp_verify.h"

struct snp_subject {
	struct snp_report r;
	struct cert_list certs;		/* from the evidence: VCEK, VLEK, ASK; the ARK in there is never looked at */
	struct buf cert_trouble;	/* why one of them could not be read */
	const struct cert *vek;		/* set by snp.vek */
	bool vek_signs;			/* the report's signature holds by its key */
	struct snp_vek v;
};
int snp_subject_new(struct snp_subject **ret, struct err *e);
void snp_subject_cert(struct snp_subject *s, const char *what, struct slice pem_or_der);	/* trouble is kept, not returned */

#define SNP_CHECK(name) enum outcome snp_check_##name(void *p, const struct expect *x, struct finding *f)
bool snp_tcb_at_least(const struct snp_tcb *a, const int floor[static TCB_PARTS]);

/* What the policy wants of a report (snp_policy.c). */
SNP_CHECK(tcb_min);
SNP_CHECK(debug);
SNP_CHECK(migrate);
SNP_CHECK(consistent);
SNP_CHECK(vmpl);
SNP_CHECK(report_data);
SNP_CHECK(measurement);
SNP_CHECK(host_data);
SNP_CHECK(chip_allowed);

#endif
