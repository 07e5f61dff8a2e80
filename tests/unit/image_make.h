/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEST_IMAGE_MAKE_H
#define CVMBOX_TEST_IMAGE_MAKE_H

/* Makes OCI layouts with images and cosign signatures, for tests; no peer's tool is needed. */

#include "crypto/sig.h"
#include "image/digest.h"
#include "image/verified.h"

struct made {
	char dir[512];
	struct buf entries;		/* of index.json, joined by commas */
	struct digest manifest, config, layer[2];	/* layer 0 is gzip, 1 is plain */
	size_t manifest_size;
};
#define AUTO_MADE __attribute__((cleanup(made_free))) struct made
void made_free(struct made *m);

void make_layout(struct made *m);				/* an empty one, in a fresh folder */
void make_blob(struct digest *ret, const struct made *m, struct slice data);
void make_entry(struct made *m, const char *type, const struct digest *d, size_t size, const char *more);	/* more: ",\"annotations\":{...}" */
void make_index(const struct made *m);			/* writes index.json */
void make_image(struct made *m, const char *tag);		/* two layers, a configuration, a manifest, an entry */
void make_gzip(struct buf *ret, struct slice data);
void make_payload(struct buf *ret, const char *digest, const char *name);
/* A .sig manifest over payload, tagged for d. */
void make_signature(struct made *m, const struct digest *d, struct slice payload, const struct privkey *key, enum sig_form form);
/* What cosign 3 attaches: a bundle about an image (predicate NULL: an image signature), and a referrer to d that holds one. */
void make_bundle_text(struct buf *ret, const struct digest *about, const struct privkey *key, enum hash h, const char *predicate);
void make_referrer(struct made *m, const struct digest *d, struct slice bundle);

void make_public(struct buf *ret, const struct made *m, const struct privkey *key, const char *name);	/* appends the path of a PEM file */

/* Runs image_verify; key: path of a public key or NULL; policy: text or NULL.  ref: what follows "oci:DIR". */
struct trial_run {
	const char *ref, *key, *policy, *platform;
	bool ignore_tlog, archive;
	uint64_t max_size, max_ratio;
	struct out out;			/* freed by the next run or made_verify_done */
	struct verified_image *v;
};
int made_verify(struct trial_run *r, const struct made *m, struct err *e);
void made_verify_done(struct trial_run *r);
#define AUTO_RUN __attribute__((cleanup(made_verify_done))) struct trial_run

void make_tar(struct buf *ret, const struct made *m);		/* the whole layout as an archive */

#endif
