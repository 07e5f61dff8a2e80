/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_STORE_H
#define CVMBOX_IMAGE_STORE_H

/* Where the blobs of an OCI image layout lie: a folder, or a tar archive of one that is read in place.  The place is opened once; everything is
 * then opened beneath that descriptor, symlinks that lead out of it do not resolve.  Nothing here is checked against a
 * digest: that is done by whoever reads (image/oci.h), on the bytes that were read. */

#include <stdbool.h>

#include "image/digest.h"

struct store;
#define AUTO_STORE __attribute__((cleanup(store_cleanup))) struct store

int store_open_dir(struct store **ret, const char *path, struct err *e);
int store_open_archive(struct store **ret, const char *path, struct err *e);	/* uncompressed tar */
void store_free(struct store *s);
void store_cleanup(struct store **s);
const char *store_path(const struct store *s);	/* absolute, without symlinks: what a policy's scope names */

/* A whole small file, at most max bytes (more is EC_FORMAT).  Appends. */
int store_read(struct buf *ret, const struct store *s, const char *name, size_t max, struct err *e);

struct blob {
	int fd;
	bool owned;
	uint64_t at, size;	/* where it starts in fd, how long it is there */
	uint64_t done;
};
#define AUTO_BLOB __attribute__((cleanup(blob_close))) struct blob
#define BLOB_INIT { .fd = -1 }
int blob_open(struct blob *ret, const struct store *s, const struct digest *d, struct err *e);	/* absent: EC_FORMAT */
int blob_read(struct blob *b, uint8_t *p, size_t n, size_t *got, struct err *e);		/* *got 0: at the end */
void blob_close(struct blob *b);

/* Calls f for every file blobs/<alg>/<hex> with a proper name; f non-zero stops and is returned. */
int store_each_blob(const struct store *s, int (*f)(void *arg, const struct digest *d, uint64_t size, struct err *e), void *arg,
		    struct err *e);

#endif
