/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_KINDS_H
#define CVMBOX_ATTEST_KINDS_H

/* The table of evidence kinds.  A new kind is one file that ends in a const struct, and one line in kinds.c. */

#include "evidence/kind.h"

extern const struct evidence_kind *const kinds[];
extern const size_t n_kinds;

const struct evidence_kind *kind_by_name(const char *name);	/* NULL: unknown */
/* By content: hardware formats, or the members of Trustee's JSON.  NULL: none fits. */
const struct evidence_kind *kind_recognise(struct slice raw);
/* Evidence that others know and this version does not: its name, by the members of the JSON; NULL: none. */
const char *kind_foreign(const struct json *j);
/* Every check there is (kinds that share one name it again); NULL: no more.  sometimes: what it speaks of need not be there. */
const struct check *check_at(size_t i, bool *sometimes);
const struct check *check_by_id(const char *id);		/* NULL: there is none */
/* "snp, tdx, cca, tpm, sample": for error texts. */
void kind_names(struct buf *ret);

#endif
