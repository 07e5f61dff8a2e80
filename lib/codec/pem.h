/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_PEM_H
#define CVMBOX_CODEC_PEM_H

/* PEM blocks (RFC 7468), with any text between them. */

#include "base/cursor.h"

/* The next block: its label ("CERTIFICATE") and the base64 text between the lines.  false when
 * there is none; then bad is set if a block has begun and does not end. */
bool pem_next(struct rd *r, struct slice *label, struct slice *body);
bool pem_looks_like(struct slice text);			/* has a BEGIN line */
int pem_decode(struct buf *ret, struct slice body, struct err *e);	/* EC_FORMAT; encapsulated headers (encryption) are refused */
void pem_put(struct buf *ret, const char *label, struct slice der);

#endif
