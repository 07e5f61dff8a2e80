/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_OUTFILE_H
#define CVMBOX_BASE_OUTFILE_H

/* A file that appears whole or not at all: written under a temporary name beside the target (O_TMPFILE where the
 * file system has it, so that even kill -9 leaves nothing), flushed and renamed on commit, dropped otherwise. */

#include <stdbool.h>

#include "base/buf.h"

struct outfile {
	int fd;			/* write here; -1 when closed */
	int dir;		/* private */
	char *name, *tmp;	/* private: final and temporary name inside dir */
	bool unnamed;		/* private: O_TMPFILE */
	bool overwrite;
};
#define OUTFILE_INIT { .fd = -1, .dir = -1 }
#define AUTO_OUTFILE __attribute__((cleanup(outfile_drop))) struct outfile

/* mode: permission bits, umask not applied.  Without overwrite an existing target is refused at open (EC_USAGE,
 * hint -f) and again at commit, atomically.  A target that is a symlink or not a regular file is refused.  The
 * descriptor is readable as well as writable. */
int outfile_open(struct outfile *o, const char *path, unsigned mode, bool overwrite, struct err *e);
int outfile_commit(struct outfile *o, struct err *e);	/* fsync, link or rename, fsync the directory */
void outfile_drop(struct outfile *o);			/* may run twice; after commit it only frees */

/* Do both paths name one file?  Also of files that are not there yet, by folder and name. */
bool outfile_same(const char *a, const char *b);

/* Convenience: all of data as one file. */
int outfile_write(const char *path, struct slice data, unsigned mode, bool overwrite, struct err *e);

#endif
