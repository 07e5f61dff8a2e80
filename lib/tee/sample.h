/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SAMPLE_H
#define CVMBOX_TEE_SAMPLE_H

/* The TEE that is none (key-broker.md 2.2): for trying things out.  It proves nothing, anybody can write it; it is
 * never picked by itself
 * and never accepted unless the caller says so. */

#include "evidence/kind.h"

#define SAMPLE_LAUNCH_DIGEST "abcde"		/* what Trustee claims for every sample guest */

extern const struct evidence_kind evidence_sample;

#endif
