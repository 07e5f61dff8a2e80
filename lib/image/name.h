/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_NAME_H
#define CVMBOX_IMAGE_NAME_H

/* Names of images, "host[:port]/path[:tag][@digest]", as registries and policies use them (containers-policy.json(5), the distribution reference
 * grammar), and the rules by which the name inside a signature has to fit the name that was asked for. */

#include <stdbool.h>

#include "base/buf.h"

enum { NAME_MAX_BYTES = 255 };

struct name {			/* owns its strings; all NULL: none */
	char *repo;		/* "docker.io/library/alpine": domain and path */
	char *tag;		/* or NULL */
	char *digest;		/* "sha256:..." or NULL */
};
#define AUTO_NAME __attribute__((cleanup(name_free))) struct name
void name_free(struct name *n);

/* normalise: "alpine" becomes "docker.io/library/alpine" (no tag is added); without it a domain has to be there. */
int name_parse(struct name *ret, const char *text, bool normalise, struct err *e);
void name_text(struct buf *ret, const struct name *n);
bool name_is_domain(const char *text);

enum identity_kind {
	MATCH_REPO_DIGEST_OR_EXACT,	/* the default of a policy */
	MATCH_EXACT, MATCH_REPOSITORY, EXACT_REFERENCE, EXACT_REPOSITORY, REMAP_IDENTITY
};
struct identity {		/* a policy's signedIdentity */
	enum identity_kind kind;
	char *a, *b;		/* dockerReference; dockerRepository; prefix, signedPrefix */
};
void identity_free(struct identity *i);
const char *identity_word(enum identity_kind k);	/* "matchExact" */
int identity_by_word(enum identity_kind *ret, const char *word, struct err *e);

/* Does the name that was signed satisfy the rule?  intended: what the user asked for, NULL for images without a name (a
 * layout on disk), which only the exact* rules accept.  EC_REFUSED says rule, wanted and seen. */
int identity_check(const struct identity *i, const struct name *intended, const char *signed_name, struct err *e);

#endif
