/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_ROOTS_H
#define CVMBOX_TEE_TDX_ROOTS_H

/* Intel's root of trust for quotes.  It counts by its key: another root of the same name exists (pre-production machines).
 * The certificate itself comes with the quote or the collateral. */

#include "crypto/x509.h"

extern const uint8_t intel_root_key[32];	/* SHA-256 of the SubjectPublicKeyInfo of "Intel SGX Root CA" */

/* Is this the root with that key (NULL: Intel's), signed by itself?  Its dates are for the caller to judge. */
bool intel_root_is(const struct cert *c, const uint8_t *key);

#endif
