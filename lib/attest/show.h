/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_SHOW_H
#define CVMBOX_ATTEST_SHOW_H

/* Decodes what a person may find in a file: SNP reports, TDX quotes, sample evidence, bundles, certificates, tokens.
 *  It judges nothing. */

#include "codec/json.h"

#define SHOW_MAX ((size_t)16 << 20)

/* Adds to `to`: "format" (what it is) and its members.  EC_FORMAT if it is nothing known. */
int show(struct json *to, struct slice data, struct err *e);

#endif
