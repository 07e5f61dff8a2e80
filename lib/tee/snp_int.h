/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SNP_INT_H
#define CVMBOX_TEE_SNP_INT_H

/* Between the snp_*.c files that appraise a report. */

#include "tee/snp_roots.h"
#include "tee/snp_vek.h"
#include "tee/snp_verify.h"

#define SNP_LISTS_MAX 8

struct snp_subject {
	struct snp_report r;
	struct cert_list certs;		/* from the evidence: VCEK, VLEK, ASK; the ARK in there is never looked at */
	struct buf cert_trouble;	/* why one of them could not be read */
	struct crl lists[SNP_LISTS_MAX];	/* revocation lists of the host's table */
	size_t n_lists;
	bool has_extra;			/* Google's platform information: what the host says of its CPU */
	uint32_t extra_cpuid;

	const struct cert *vek;		/* set by snp.vek */
	bool vek_signs;			/* the report's signature holds by its key */
	struct snp_vek v;
	struct cert_list root;		/* set by snp.chain: ARK, intermediate, as built in */
	const struct cert *mid;		/* the intermediate that the chain goes through */
};
int snp_subject_new(struct snp_subject **ret, struct err *e);
/* Certificates or a revocation list that came along; trouble is kept, not returned. */
void snp_subject_take(struct snp_subject *s, const char *what, struct slice pem_or_der);

#define SNP_CHECK(name) enum outcome snp_check_##name(void *p, const struct expect *x, struct finding *f)
bool snp_tcb_at_least(const struct snp_tcb *a, const int floor[static TCB_PARTS]);

SNP_CHECK(crl);			/* snp_crl.c */

/* What the policy wants of a report (snp_policy.c). */
SNP_CHECK(tcb_min);
SNP_CHECK(tcb_min_committed);
SNP_CHECK(tcb_min_launch);
SNP_CHECK(tcb_min_current);
SNP_CHECK(debug);
SNP_CHECK(migrate);
SNP_CHECK(consistent);
SNP_CHECK(guest_policy);
SNP_CHECK(abi);
SNP_CHECK(platform);
SNP_CHECK(mitigations);
SNP_CHECK(vmpl);
SNP_CHECK(guest_svn);
SNP_CHECK(report_data);
SNP_CHECK(measurement);
SNP_CHECK(host_data);
SNP_CHECK(init_data);
SNP_CHECK(family_id);
SNP_CHECK(image_id);
SNP_CHECK(id_key);
SNP_CHECK(author_key);
SNP_CHECK(chip_allowed);

/* What is known of such platforms (snp_advisory.c). */
SNP_CHECK(milan_seed);
SNP_CHECK(sb_3019);
SNP_CHECK(alias_check);
SNP_CHECK(ciphertext_hiding);
SNP_CHECK(smt);

#endif
