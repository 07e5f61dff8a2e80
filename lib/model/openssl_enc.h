/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_OPENSSL_ENC_H
#define CVMBOX_MODEL_OPENSSL_ENC_H

/* What `openssl enc` takes as the passphrase out of a key file (model-formats.md 1.4).  Exported for the tests. */

#include "base/buf.h"

/* -kfile F.  *ret points into file.  EC_REFUSED where openssl refuses ("zero length password"). */
int openssl_pass_kfile(struct slice *ret, struct slice file, struct err *e);
/* -pass file:F */
int openssl_pass_file(struct slice *ret, struct slice file, struct err *e);

#endif
