/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_DIGEST_H
#define CVMBOX_IMAGE_DIGEST_H

/* Content digests as OCI writes them: "sha256:<64 hex>", "sha384:...", "sha512:...", lower case only.  A text that is not exactly that never
 * becomes part of a path. */

#include "base/buf.h"
#include "crypto/hash.h"

struct digest {
	enum hash h;		/* HASH_NONE: unset; equal to nothing */
	uint8_t v[HASH_MAX];
	char hex[2 * HASH_MAX + 1];
	char text[2 * HASH_MAX + 16];	/* "sha256:<hex>" */
};

int digest_parse(struct digest *ret, const char *text, struct err *e);	/* EC_FORMAT */
int digest_of(struct digest *ret, enum hash h, struct slice data, struct err *e);
void digest_set(struct digest *ret, enum hash h, const uint8_t *v);	/* hash_size(h) bytes */
bool digest_eq(const struct digest *a, const struct digest *b);
const char *digest_alg(const struct digest *d);		/* "sha256" */

#endif
