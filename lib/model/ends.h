/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_ENDS_H
#define CVMBOX_MODEL_ENDS_H

/* The two ends of a model's way as users name them: PATH, '-', fd:N. */

#include "base/outfile.h"

/* A descriptor of our own (also for '-' and fd:N), or -1. */
int model_in_open(const char *src, struct err *e);

struct model_out {
	int fd;
	bool stream; /* a pipe, or whatever stands behind '-' and fd:N: written in order, as it becomes good */
	struct outfile file;	/* else: unnamed until the commit */
};
#define MODEL_OUT_INIT { .fd = -1, .file = OUTFILE_INIT }
#define AUTO_MODEL_OUT __attribute__((cleanup(model_out_drop))) struct model_out
/* Terminals are refused. */
int model_out_open(struct model_out *o, const char *dst, unsigned mode, bool overwrite, struct err *e);
int model_out_commit(struct model_out *o, struct err *e);
void model_out_drop(struct model_out *o);

#endif
