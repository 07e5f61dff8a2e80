/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_VERIFIED_H
#define CVMBOX_IMAGE_VERIFIED_H

/* A verified image: the only value that later steps (unpacking, decryption, starting) take.  image_verify is the only place that makes one, and
 * it does so on one line, after the reference, the policy or key, and every digest down to the layers held. */

#include "base/host.h"
#include "codec/out.h"
#include "image/oci.h"

/* Bytes behind a name in a policy or option (a path, kbs:///...): the caller knows how to get them.  Appends. */
struct key_getter {
	int (*get)(void *arg, struct buf *ret, const char *src, size_t max, struct err *e);
	void *arg;
};

struct image_verify_in {
	const struct host *host;
	struct image_ref ref;			/* borrowed */
	bool has_policy;
	struct slice policy;			/* text of the policy file, if has_policy */
	const char *const *keys;		/* any one of these may have signed; checked besides the policy */
	size_t n_keys;
	struct key_getter getter;
	bool ignore_tlog;			/* sigstore bundles count although their log entries are not checked */
	struct platform platform;
	bool platform_asked;
	uint64_t max_size, max_ratio;		/* 0: the defaults of image/content.h */
};

struct verified_image;				/* owns the open layout; immutable */
#define AUTO_VERIFIED_IMAGE __attribute__((cleanup(verified_image_cleanup))) struct verified_image
/* Adds checks to out in any case.  EC_REFUSED: not acceptable; EC_USAGE: neither policy nor key, so nothing could say yes. */
int image_verify(struct verified_image **ret, const struct image_verify_in *in, struct out *out, struct err *e);
void verified_image_free(struct verified_image *v);
void verified_image_cleanup(struct verified_image **v);

const struct digest *verified_image_named(const struct verified_image *v);	/* what the reference names: an index or the manifest */
const struct digest *verified_image_manifest(const struct verified_image *v);	/* the manifest that is used */
struct slice verified_image_manifest_bytes(const struct verified_image *v);	/* the very bytes that were checked */
const struct store *verified_image_store(const struct verified_image *v);	/* where its blobs are; re-check what you read */
const char *verified_image_platform(const struct verified_image *v);		/* "linux/amd64", "" if nothing was chosen */

struct signer {
	const char *kind;		/* "cosign" */
	char key_sha256[65];
	const char *key_source;		/* as given: a path, a URI */
	struct digest signed_digest;
	const char *name;		/* image name inside the signature, or NULL */
};
size_t verified_image_signers(const struct signer **ret, const struct verified_image *v);	/* none: accepted without a signature */
bool verified_image_unsigned(const struct verified_image *v);

#endif
