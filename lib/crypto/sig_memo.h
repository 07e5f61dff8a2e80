/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_SIG_MEMO_H
#define CVMBOX_CRYPTO_SIG_MEMO_H

/* EC signatures that were found to hold, remembered for this process: evidence of eight GPUs verifies the same upper certificates and the same
 * manifests eight times.  Only good ones are remembered, under a digest of everything that went into the verification. */

#include "crypto/sig.h"

#define SIG_MEMO_ID 32
int sig_memo_id(uint8_t ret[static SIG_MEMO_ID], const struct pubkey *k, enum sig_form form, enum hash h, struct slice digest, struct slice sig,
		struct err *e);
bool sig_memo_has(const uint8_t id[static SIG_MEMO_ID]);	/* any thread, as the next one */
void sig_memo_add(const uint8_t id[static SIG_MEMO_ID]);	/* forgets the oldest when full */

#endif
