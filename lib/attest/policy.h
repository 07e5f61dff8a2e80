/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_POLICY_H
#define CVMBOX_ATTEST_POLICY_H

/* The declarative policy file (JSON, no code) of `attest verify --policy` and `kbs serve --policy`.  Unknown members
 * are errors.
 *
 *   schema               "cvmbox.policy/1"
 *   kinds                TEE kinds that are accepted; left out: all but sample
 *   measurements         accepted launch measurements (hex, 48 bytes for SNP); left out: any
 *   host_data, chip_ids  accepted values (hex); left out: any
 *   min_tcb              {"fmc","bootloader","tee","snp","microcode"}: reported TCB, each part at least this
 *   min_report_version   2 to 5
 *   vmpl_max             0 to 3
 *   allow_debug, allow_migrate   booleans
 *   checks               {CHECK-ID: "require"|"warn"|"ignore"}; those that everything stands on (signature, chain,
 *                        report data, ...) only "require".
 *                        "require" by name also wants that the check applies: a check that has nothing to compare
 *                        with fails then
 *   resources            [{"path":"repo/type/tag","kinds":[..],"measurements":[..]}]: what a key broker may hand to
 *                        whom.  '*' at the end of a path stands for
 *                        any rest.  When the list is there, a resource that no rule names is denied; a rule without
 *                        measurements takes any accepted evidence. */

#include "base/buf.h"
#include "codec/json.h"

struct policy;
#define AUTO_POLICY __attribute__((cleanup(policy_cleanup))) struct policy
int policy_parse(struct policy **ret, struct slice text, const char *name, struct err *e);	/* name: for check sources, "file.json" */
int policy_read(struct policy **ret, const char *file, struct err *e);	/* a file named by the user, at most 1 MiB */
void policy_free(struct policy *p);
void policy_cleanup(struct policy **p);
int policy_default_text(struct buf *ret, struct err *e);	/* what --print-policy prints; parses back to the default */

/* May a guest that was accepted with these claims (of its TEE, as in verdict.claims.KIND) have the resource
 * "repo/type/tag"?  0, or EC_DENIED with the reason. */
int policy_resource(const struct policy *p, const char *path, const char *kind, const struct json *claims, struct err *e);

#endif
