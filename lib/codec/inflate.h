/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_INFLATE_H
#define CVMBOX_CODEC_INFLATE_H

/* gzip (RFC 1952), pushed through in pieces: what goes in comes out of a sink, in bounded memory.  Members that follow each other are one
 * stream, zero bytes behind the last one are padding, anything else there is an error; CRC and length of each member are
 * checked.  Output over the limits (a gzip bomb) is EC_REFUSED, at the first byte too many. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct inflate_limits {
	uint64_t max_out;	/* bytes in all; 0: none may come out */
	uint64_t max_ratio;	/* out may be at most this many times in ... */
	uint64_t free_out;	/* ... plus this many bytes */
};

struct inflate {
	void *z;		/* private, as the rest */
	struct inflate_limits limits;
	int (*sink)(void *arg, struct slice out, struct err *e);
	void *arg;
	uint64_t in, out;
	size_t matched;		/* bytes of the magic that were seen between members */
	bool inside, any, padding, failed;
};
#define AUTO_INFLATE __attribute__((cleanup(inflate_free))) struct inflate

int inflate_init(struct inflate *ret, const struct inflate_limits *limits, int (*sink)(void *arg, struct slice out, struct err *e),
		 void *arg, struct err *e);
int inflate_add(struct inflate *f, struct slice in, struct err *e);
int inflate_end(struct inflate *f, struct err *e);	/* the stream has to be complete here */
void inflate_free(struct inflate *f);			/* may run twice */

#endif
