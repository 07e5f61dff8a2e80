/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_POLICY_INT_H
#define CVMBOX_ATTEST_POLICY_INT_H

/* What policy.c hands to appraise.c, and policy_members.c to policy.c. */

#include "attest/policy.h"
#include "evidence/checks.h"

const struct limits *policy_limits(const struct policy *p);	/* NULL p: the built-in strict ones */
enum rule policy_rule(const void *policy, const char *id);	/* a rule_of */

/* All members but `others` (NULL ends), which are known and read elsewhere; one that is neither is EC_FORMAT. */
int policy_limits_read(struct limits *l, const struct json *policy, const char *const *others, struct err *e);
int policy_texts(struct texts *t, const struct json *o, const char *name, struct err *e);	/* a list of words; absent: none */
int policy_kinds_known(const struct texts *t, struct err *e);
int policy_measurements_make_sense(const struct texts *t, struct err *e);

#endif
