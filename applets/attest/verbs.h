/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_APPLETS_ATTEST_VERBS_H
#define CVMBOX_APPLETS_ATTEST_VERBS_H

/* Verbs of `attest`, one file each, and the input that they share. */

#include "base/applet.h"
#include "evidence/bundle.h"

#define INPUT_MAX BUNDLE_MAX

extern const struct verb verb_collect, verb_verify, verb_token, verb_measure, verb_collateral;

/* FILE or "-". */
int read_input(struct buf *ret, const char *name, size_t max, struct err *e);
/* Of --nonce HEX or --nonce-file FILE (hex text or bytes): 1 to BUNDLE_NONCE_MAX bytes; neither: ret stays empty. */
int nonce_get(struct buf *ret, const char *hex, const char *file, struct err *e);

#endif
