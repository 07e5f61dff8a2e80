/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVIDENCE_EXPECT_H
#define CVMBOX_EVIDENCE_EXPECT_H

/* What a verifier expects: the values a policy sets (limits) and those of one call.  Evidence kinds read these in
 * their checks; they never see the
 * policy file. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/x509.h"

struct snp_roots;			/* tee/snp_roots.h */

struct texts {				/* a list from a policy; n 0: nothing was asked */
	char **v;
	size_t n;
};
bool texts_have(const struct texts *t, const char *s);
void texts_free(struct texts *t);

enum { TCB_FMC, TCB_BOOTLOADER, TCB_TEE, TCB_SNP, TCB_MICROCODE, TCB_PARTS };
extern const char *const tcb_part_names[TCB_PARTS];	/* as in policies and claims */

struct limits {				/* starts strict: limits_init */
	const char *source;		/* "policy.json", or "built-in policy" */
	struct texts kinds;		/* accepted TEE kinds; n 0: all but sample */
	struct texts measurements;	/* lower-case hex; for sample the launch digest as it is */
	struct texts chip_ids, host_data;	/* lower-case hex */
	int min_tcb[TCB_PARTS];		/* -1: no floor */
	uint32_t min_report_version, vmpl_max;
	bool allow_debug, allow_migrate;
};
void limits_init(struct limits *l);
void limits_free(struct limits *l);

struct expect {
	const struct limits *limits;
	int64_t now;
	const struct cert_list *certs;	/* endorsements from outside; may be NULL */
	const struct snp_roots *snp_roots;	/* NULL: the built-in ones */
	struct slice report_data;	/* expected in the evidence, zero padded on the right; n 0: none was given */
	bool no_freshness;		/* the caller waived freshness (--insecure-no-nonce); report_data is still compared when given */
	bool allow_sample;
};

#endif
