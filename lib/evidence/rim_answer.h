/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVIDENCE_RIM_ANSWER_H
#define CVMBOX_EVIDENCE_RIM_ANSWER_H

/* What a RIM service answers (nvidia-gpu.md 3.1): {"id","rim" (base64),"sha256","rim_format",..}. */

#include "codec/json.h"

#define RIM_DOCUMENT_MAX ((size_t)1 << 20)	/* of the document inside */
#define RIM_ANSWER_MAX ((size_t)2 << 20)	/* of the JSON around it */

bool rim_answer_recognise(const struct json *j);	/* members "rim" and "sha256" */
/* The document, appended; its SHA-256 is the one stated; id (NULL: any) has to be the one asked for.  EC_FORMAT; EC_ABSENT: a
 * format that is not spoken here (CORIM). */
int rim_answer_open(struct buf *ret, const struct json *j, const char *id, struct err *e);
int rim_unpack(struct buf *ret, struct slice json, const char *id, struct err *e);	/* the same from text */

#endif
