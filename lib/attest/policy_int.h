/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_POLICY_INT_H
#define CVMBOX_ATTEST_POLICY_INT_H

/* What policy.c hands to appraise.c. */

#include "attest/policy.h"
#include "evidence/checks.h"

const struct limits *policy_limits(const struct policy *p);	/* NULL p: the built-in strict ones */
enum rule policy_rule(const void *policy, const char *id);	/* a rule_of */

#endif
