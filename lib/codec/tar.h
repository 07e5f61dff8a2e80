/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_TAR_H
#define CVMBOX_CODEC_TAR_H

/* Reading tar: v7, ustar, GNU and PAX (POSIX.1-2008), one entry after the other, for hostile input.
 *
 * Where readers are known to disagree the archive is refused (EC_FORMAT), because what one tool checked must be what
 * the next one unpacks: a PAX size that contradicts the header, sizes on entries without data, sparse files, volume
 * headers, a lone zero block, an archive without its end marker.  Names come as they stand in the archive;
 * tar_path_clean decides whether one is safe. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	TAR_FILE = '0', TAR_HARDLINK = '1', TAR_SYMLINK = '2', TAR_CHAR = '3', TAR_BLOCK = '4', TAR_DIR = '5', TAR_FIFO = '6'
};
enum {
	TAR_ENTRIES_MAX = 1000000, TAR_PAX_MAX = 1 << 20, TAR_PATH_MAX = 4096, TAR_NAME_MAX = 255, TAR_DEPTH_MAX = 256
};

struct tar_src {
	/* Up to n bytes into p; *got < n only at the end of the input. */
	int (*read)(void *arg, uint8_t *p, size_t n, size_t *got, struct err *e);
	int (*skip)(void *arg, uint64_t n, struct err *e);	/* NULL: read and dropped */
	void *arg;
};

struct tar_entry {
	int type;			/* TAR_... */
	struct buf name, link;		/* without NUL bytes; link is empty for types without one */
	uint64_t size;			/* bytes of data; 0 unless TAR_FILE */
	uint64_t at;			/* where the data starts in the input */
	uint32_t mode;
};
#define AUTO_TAR_ENTRY __attribute__((cleanup(tar_entry_free))) struct tar_entry
void tar_entry_free(struct tar_entry *t);

struct tar {				/* private */
	struct tar_src src;
	uint64_t at;			/* bytes taken from the input */
	uint64_t data, pad;		/* what is left of the entry before its next header */
	size_t count;
	bool ended;
};
void tar_init(struct tar *t, const struct tar_src *src);
/* The next entry.  *end: the end marker was read, ret is untouched.  What was not read of the entry before is skipped. */
int tar_next(struct tar_entry *ret, struct tar *t, bool *end, struct err *e);
/* Data of the current entry, in order; *got is 0 at its end. */
int tar_read(struct tar *t, uint8_t *p, size_t n, size_t *got, struct err *e);

/* "./a//b/" becomes "a/b" (appended to ret; nothing for the root).  Absolute names, "..", and what is longer or deeper than
 * the limits are EC_REFUSED. */
int tar_path_clean(struct buf *ret, struct slice name, struct err *e);

#endif
