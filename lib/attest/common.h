/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_COMMON_H
#define CVMBOX_ATTEST_COMMON_H

/* Checks that stand in front of every kind's own: whether the policy takes this kind at all, and whether a bundle is
 * the one that was asked for. */

#include "evidence/kind.h"

struct common_subject {
	const char *kind;		/* of the evidence */
	unsigned values;		/* whose values a policy may list for it (evidence/kind.h) */
	bool has_log;			/* that kind speaks of event logs */
	const char *log_check;		/* one of theirs that the policy requires by name; NULL: none */
	bool alone;			/* it is devices without a machine, and the caller did not say that they will do */
	bool devices;			/* GPUs or switches are there */
	size_t listed;			/* GPUs that the bundle's machine listed when it was collected */
	size_t shown, switches;		/* GPUs and switches that gave evidence */
	bool bundled;
	struct slice bundle_nonce, wanted_nonce;
	bool simulated;			/* the bundle says it was collected below another --sysroot */
};
extern const struct check common_checks[];
extern const size_t n_common_checks, n_common_raw_checks;	/* the first ones of them do without a bundle */

#endif
