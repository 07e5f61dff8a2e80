/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_MANIFEST_H
#define CVMBOX_MODEL_MANIFEST_H

/* The list of files of an encrypted model folder, as JSON:
 *   {"schema":"cvmbox.model-manifest/1","files":[{"name":"config.json","size":651,"header":"<hex>"}, ...]}
 * Names are relative paths, strictly rising in byte order.  size is that of the plaintext.  header is what stands
 * in front of the first segment of the encrypted file: it holds a fresh random salt, so that it names one
 * encryption, not any other one made with the same key under the same name. */

#include "base/buf.h"

#define MANIFEST_MAX ((size_t)32 << 20)
#define MANIFEST_FILES 100000
#define MANIFEST_DEPTH 32
#define MANIFEST_SUFFIX ".tink"			/* of each encrypted file */
#define MANIFEST_NAME "cvmbox-manifest" MANIFEST_SUFFIX
#define MANIFEST_AAD "/cvmbox.model-manifest/1"	/* no relative path begins so */

struct manifest_file {
	char *name;
	uint64_t size;
	uint8_t header[64];
	size_t header_n;
};
struct manifest {
	struct manifest_file *file;
	size_t n, cap;
};
#define AUTO_MANIFEST __attribute__((cleanup(manifest_free))) struct manifest

void manifest_free(struct manifest *m);
/* EC_REFUSED: not a name that may be created below a folder: absolute, "..", empty parts, control bytes, too long
 * or deep. */
int manifest_check_name(const char *name, struct err *e);
int manifest_add(struct manifest *m, const char *name, struct err *e);	/* checked; other members are zero */
void manifest_sort(struct manifest *m);
const struct manifest_file *manifest_find(const struct manifest *m, const char *name);	/* sorted ones only */
/* Fails for names that JSON cannot hold (not UTF-8). */
int manifest_write(struct buf *ret, const struct manifest *m, struct err *e);
int manifest_parse(struct manifest *ret, struct slice text, struct err *e);

#endif
