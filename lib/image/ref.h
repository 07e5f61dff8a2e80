/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_REF_H
#define CVMBOX_IMAGE_REF_H

/* What the user typed: oci:DIR[:REF|:@N][@DIGEST], oci-archive:FILE[:REF|:@N][@DIGEST] (containers-transports(5)).  The path ends at the first
 * ':'; a digest at the end pins the image: nothing else is accepted. */

#include <stdbool.h>

#include "image/digest.h"

enum transport { TRANSPORT_OCI, TRANSPORT_OCI_ARCHIVE };
const char *transport_word(enum transport t);		/* "oci", "oci-archive": names in a policy */

struct image_ref {
	enum transport transport;
	char *path;
	char *tag;		/* org.opencontainers.image.ref.name, or NULL */
	bool has_index;
	uint64_t index;		/* ":@N" */
	struct digest pin;	/* h == HASH_NONE: none */
};
#define AUTO_IMAGE_REF __attribute__((cleanup(image_ref_free))) struct image_ref
void image_ref_free(struct image_ref *r);
/* Known transports that this version does not read are EC_ABSENT, everything else EC_USAGE. */
int image_ref_parse(struct image_ref *ret, const char *text, struct err *e);

#endif
