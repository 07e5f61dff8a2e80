/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_SNP_RUN_H
#define CVMBOX_SNP_RUN_H

/* One appraisal of a made report, differing from a good one in what a test says. */

#include "attest/appraise.h"
#include "snp_maker.h"

#define RUN_NONCE 32
extern const uint8_t run_nonce[RUN_NONCE];
#define POLICY(members) "{\"schema\":\"cvmbox.policy/1\"," members "}"

struct snp_run {			/* zeros are a good one */
	struct report_make report;
	struct vek_make vek;
	const char *policy;
	bool no_vek, no_nonce, waive, other_nonce, short_nonce;
	int64_t now;
	void (*change)(uint8_t *raw);	/* before signing */
	void (*spoil)(uint8_t *raw);	/* after */
	const struct list_make *list, *list2, *sent;	/* revocation lists: given by the caller; by the host's table */
	bool mid_given, mid_sent;	/* the intermediate, given or in the table */
};
void snp_run(struct verdict *v, const struct snp_run *r);
const char *snp_result(const struct verdict *v, const char *id);		/* "pass", "absent", .. */
const char *snp_member(const struct verdict *v, const char *id, const char *member);	/* "actual", ..; "" if it has none */
/* Accepted; warned: by another check than an advisory. */
void snp_accepted(const struct snp_run *r, bool warned);
/* Refused, by this check first. */
void snp_refused(const struct snp_run *r, const char *id);
/* This check came to that, and its text holds so much; why may be NULL. */
void snp_came_to(const struct snp_run *r, const char *id, const char *result, const char *member, const char *why);

#endif
