/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_INPUT_H
#define CVMBOX_MODEL_INPUT_H

/* Bytes to read: a file (sized, readable at any place), a stream, or memory (tests).  A stream can look ahead, and
 * can be read through base64. */

#include "base/buf.h"

struct input {
	const char *name;	/* for error texts; borrowed */
	bool sized;		/* size is known, and input_at works, from any thread */
	uint64_t size;
	int64_t deadline_ms;	/* monotonic, for reading from streams; 0: none */
	int fd;			/* private from here on; borrowed, never closed */
	uint64_t base;		/* position of the descriptor at the start */
	struct slice mem;
	bool is_mem, seekable;
	uint64_t at;		/* next byte for input_read */
	struct buf ahead;	/* streams: read, not yet taken, from ahead_at */
	size_t ahead_at;
	bool eof;
	bool base64, b64_ended;	/* decode; the padded quartet was seen */
	uint8_t quartet[4];
	unsigned quartet_n;
};
#define AUTO_INPUT __attribute__((cleanup(input_free))) struct input

/* Regular files and block devices are sized, counted from the present position; folders are refused (EC_USAGE). */
int input_fd(struct input *in, int fd, const char *name, struct err *e);
void input_mem(struct input *in, struct slice data, bool sized, const char *name);
void input_free(struct input *in);

/* Up to n next bytes without taking them (fewer only at the end).  Valid until the next call. */
int input_peek(struct slice *ret, struct input *in, size_t n, struct err *e);
/* Takes up to n bytes; *got is smaller only at the end. */
int input_read(void *p, size_t n, size_t *got, struct input *in, struct err *e);
/* Exactly n bytes at a place; sized inputs only.  A file that became shorter is EC_IO. */
int input_at(void *p, size_t n, uint64_t at, const struct input *in, struct err *e);
/* From here on the bytes are the decoded base64 of what comes (white space skipped), and the input is a stream. */
/* Nothing stands behind the size that was seen at the start (a file that grew, or one of /proc whose size says 0). */
int input_whole(const struct input *in, struct err *e);
int input_decode_base64(struct input *in, struct err *e);

#endif
