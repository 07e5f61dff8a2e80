/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_POLICY_H
#define CVMBOX_ATTEST_POLICY_H

/* The declarative policy file (JSON, no code) of `attest verify --policy` and `kbs serve --policy`.  Unknown members are errors. */

#include "base/buf.h"

struct policy;
#define AUTO_POLICY __attribute__((cleanup(policy_cleanup))) struct policy
int policy_parse(struct policy **ret, struct slice text, const char *name, struct err *e);	/* name: for check sources, "file.json" */
void policy_free(struct policy *p);
void policy_cleanup(struct policy **p);
int policy_default_text(struct buf *ret, struct err *e);	/* what --print-policy prints; parses back to the default */

#endif
