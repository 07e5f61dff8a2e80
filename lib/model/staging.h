/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_STAGING_H
#define CVMBOX_MODEL_STAGING_H

/* A folder that appears whole or not at all: filled under a hidden temporary name beside its place, renamed on
 * commit, deleted otherwise.  Its files have no name before the commit, where the file system allows that
 * (O_TMPFILE), so that kill -9 leaves no more than a hidden tree of empty folders. */

#include "base/buf.h"

struct staging {
	int dir;		/* the folder that is being filled */
	int parent;		/* private from here on */
	char *name, *tmp;
	unsigned mode;
	bool overwrite;
	struct staged {		/* files that wait for their name */
		int fd;
		char *rel;
	} *file;
	size_t n_files, max_files;
};
#define STAGING_INIT { .dir = -1, .parent = -1 }
#define AUTO_STAGING __attribute__((cleanup(staging_drop))) struct staging

/* mode: of the folder and of those inside.  An existing target is refused (EC_USAGE); with overwrite an empty
 * folder may stand there.  Full ones are never replaced: -f on a wrong name would delete what somebody else put
 * there. */
int staging_open(struct staging *s, const char *path, unsigned mode, bool overwrite, struct err *e);
/* Creates a file below it, and the folders on the way.  rel: checked by manifest_check_name.  A descriptor that the
 * caller closes, or -1. */
int staging_file(struct staging *s, const char *rel, unsigned mode, struct err *e);
int staging_commit(struct staging *s, struct err *e);
void staging_drop(struct staging *s);	/* may run twice */

/* Opens a file below dir for reading; no part of rel may be a symbolic link.  Descriptor or -1; a link is
 * EC_REFUSED. */
int open_beneath(int dir, const char *rel, struct err *e);

#endif
