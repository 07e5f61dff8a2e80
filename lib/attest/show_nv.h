/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_SHOW_NV_H
#define CVMBOX_ATTEST_SHOW_NV_H

/* Decoding of what goes with evidence of GPUs, for show.c. */

#include "codec/json.h"
#include "crypto/ocsp.h"

int show_rim(struct json *to, struct slice xml, struct err *e);		/* a reference integrity manifest */
int show_ocsp(struct json *to, const struct ocsp *o, struct err *e);

#endif
