/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_CACHE_H
#define CVMBOX_ATTEST_CACHE_H

/* A folder of fetched collateral, one file a piece, named by what it is about (product, chip, TCB), never by a hash of
 * itself: services issue the same thing anew.  What comes out is as little believed as what comes from the network. */

#include "base/buf.h"

/* key: letters, digits, '.', '_' and '-'.  written: when it was put there, seconds UTC.  False: not there, or not readable. */
bool cache_get(struct buf *ret, int64_t *written, const char *dir, const char *key, size_t max);
/* Makes the folder (mode 0700) if need be; the file appears whole or not at all. */
int cache_put(const char *dir, const char *key, struct slice data, struct err *e);

#endif
