/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_PIPELINE_H
#define CVMBOX_MODEL_PIPELINE_H

/* Moves an input through a container into a sink: in parallel, in bounded memory, whatever the size.  Knows nothing
 * of formats.  Where input and sink both take any place, each thread reads, works and writes on its own; else
 * segments are worked on in batches, and handed over in order. */

#include "crypto/hash.h"
#include "model/container.h"

struct sink {
	int fd;
	bool in_place;		/* pwrite works: a regular file or memfd, written from its start */
	struct hasher *hash;	/* NULL, or takes the bytes in order */
	uint64_t written;	/* result: bytes written (in order) or the final size (in place) */
	uint8_t first[512];	/* result: the first bytes */
	size_t first_n;
};

struct pipeline;		/* threads and buffers, for any number of runs, one at a time */
int pipeline_new(struct pipeline **ret, const struct model_opts *o, struct err *e);
void pipeline_free(struct pipeline *p);
void pipeline_cleanup(struct pipeline **p);
#define AUTO_PIPELINE __attribute__((cleanup(pipeline_cleanup))) struct pipeline
/* Where progress stands and ends when several files are one job; total 0: unknown. */
void pipeline_progress(struct pipeline *p, uint64_t done, uint64_t total);

/* On failure a sink that is not in place holds only what stood before the segment that failed. */
int pipeline_run(struct pipeline *p, const struct container *c, struct input *in, struct sink *out, struct err *e);

#endif
