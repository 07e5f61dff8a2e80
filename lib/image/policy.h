/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_POLICY_H
#define CVMBOX_IMAGE_POLICY_H

/* containers-policy.json(5): which images are accepted, and what for.  The whole file is read and checked before any of it is used; an unknown or
 * repeated member, a wrong type or anything behind the object refuses all of it (EC_FORMAT). */

#include <stdbool.h>

#include "codec/json.h"
#include "image/name.h"

enum requirement_kind { REQ_REJECT, REQ_ACCEPT_ANYTHING, REQ_SIGNED_BY, REQ_SIGNED_BASE_LAYER, REQ_SIGSTORE };

struct requirement {
	enum requirement_kind kind;
	const char *word;		/* as in the file */
	/* REQ_SIGSTORE: keys from exactly one of these two lists (point into the policy's JSON), or another source of trust: */
	const struct json *key_paths, *key_datas;	/* a string or an array of strings */
	const char *beyond;		/* a member that asks for what this version does not check ("fulcio"); NULL: none */
	struct identity identity;
};

struct requirements {			/* all of them have to hold */
	char *transport, *scope;	/* NULL, NULL: the default */
	struct requirement *v;
	size_t n;
};

struct image_policy;
#define AUTO_IMAGE_POLICY __attribute__((cleanup(image_policy_cleanup))) struct image_policy
int image_policy_parse(struct image_policy **ret, struct slice text, struct err *e);
void image_policy_free(struct image_policy *p);
void image_policy_cleanup(struct image_policy **p);

/* The one array that decides, the most specific one; it never inherits from another.  transport: "oci", "oci-archive" or "dir" with an absolute
 * path without symlinks as identity; "docker" with "host/path:tag" or "host/path@digest".  Never NULL. */
const struct requirements *image_policy_select(const struct image_policy *p, const char *transport, const char *identity);

#endif
