/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_RECORDING_H
#define CVMBOX_CODEC_RECORDING_H

/* A recorded exchange with a kernel driver, as JSON text: {"calls":[{..},..]}.  Numbers are JSON numbers or "0x..." text,
 * bytes are hex with trailing zeros left out.  What the members of a call mean is its driver's affair. */

#include "codec/json.h"

#define RECORDING_TEXT_MAX ((size_t)16 << 20)
#define RECORDING_CALLS_MAX 4096

/* Parses the text; *calls points into *ret and has at most RECORDING_CALLS_MAX entries. */
int recording_parse(struct json **ret, const struct json **calls, struct slice text, struct err *e);
/* A 32-bit number; *given says whether the member is there (*ret stays as it is when not). */
int recording_number(uint32_t *ret, bool *given, const struct json *call, const char *name, struct err *e);
/* Bytes, at most max, without trailing zeros; a member that is not there gives none. */
int recording_bytes(struct buf *ret, const struct json *call, const char *name, size_t max, struct err *e);
/* Do they agree but for trailing zeros? */
bool recording_same(const struct buf *recorded, const void *p, size_t n);
/* The recorded bytes, filled up with zeros or cut to n. */
void recording_fill(void *ret, size_t n, const struct buf *recorded);

/* The plain form, for drivers whose calls are a request number and memory:
 *   {"request":"0xc0205300","in":HEX,"out":HEX,"errno":5}
 * A call is found by its request number and the bytes before it; of several that fit the first unused one answers, then the
 * last again.  What was not recorded fails with ENOSYS. */
struct recording;
int recording_open(struct recording **ret, struct slice text, struct err *e);
void recording_close(struct recording *r);		/* NULL allowed */
int recording_call(struct recording *r, uint32_t request, void *p, size_t n);	/* changed in place; 0 or an errno value */

#endif
