/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_HEX64_H
#define CVMBOX_CODEC_HEX64_H

/* Hex (either case when reading, lower when writing), base64 and base64url (RFC 4648 sections 4
 * and 5).  All run in time that depends on the length only, so they may carry secrets.  Decoders
 * are strict: wanted alphabet, padding as the form says, unused bits zero, no white space; they
 * append to ret and leave it untouched on failure (EC_FORMAT). */

#include "base/buf.h"
#include "base/secret.h"

int hex_decode(struct buf *ret, struct slice text, struct err *e);
int hex_decode_n(uint8_t *ret, size_t n, const char *text, struct err *e);	/* exactly n bytes */
bool hex_is(struct slice text);		/* nothing but digits, at least one; an odd number, too */
void hex_encode(struct buf *ret, struct slice bytes);

int b64_decode(struct buf *ret, struct slice text, struct err *e);		/* standard, padded */
int b64url_decode(struct buf *ret, struct slice text, struct err *e);		/* URL-safe, no padding */
int b64_decode_lax(struct buf *ret, struct slice text, struct err *e);	/* either alphabet, padding optional, white space skipped */
void b64_encode(struct buf *ret, struct slice bytes);
void b64url_encode(struct buf *ret, struct slice bytes);

int b64_decode_secret(struct secret *ret, struct slice text, struct err *e);	/* standard, padded; frees what ret held */

#endif
