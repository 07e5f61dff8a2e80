/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_CONTENT_H
#define CVMBOX_IMAGE_CONTENT_H

/* Everything below a manifest: the configuration, and each layer read once, its size and digest compared with the manifest and what is inside its
 * compression compared with the configuration's diff_ids. */

#include "base/host.h"
#include "codec/out.h"
#include "image/oci.h"

#define CONTENT_MAX_SIZE ((uint64_t)256 << 30)	/* all layers of an image together, uncompressed */
#define CONTENT_MAX_RATIO 200			/* of a gzip layer, beyond its first CONTENT_FREE_OUT bytes */
#define CONTENT_FREE_OUT ((uint64_t)16 << 20)

struct content_opts {
	const struct host *host;	/* deadline */
	uint64_t max_size, max_ratio;	/* 0: the defaults */
	struct platform want;
	bool platform_asked;		/* the user named it: another one is refused, else it is a warning */
};
/* Adds its checks to out.  0: all of it fits. */
int content_check(const struct chain *c, const struct store *s, const struct content_opts *o, struct out *out, struct err *e);

#endif
