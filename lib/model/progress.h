/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_PROGRESS_H
#define CVMBOX_MODEL_PROGRESS_H

/* When a line of progress is due, and its text.  Printing it is the caller's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool terminal;		/* one line that is written over: often, padded; else plain lines, each 10 s */
	int64_t started, last;	/* monotonic, ms; started is set at the first call */
	size_t width;		/* of the last line on a terminal */
};

/* Fills line when one is due at this time.  total 0: unknown. */
bool progress_due(struct progress *p, char *line, size_t n, uint64_t done, uint64_t total, int64_t now_ms);
/* "98.1 MiB", "512 bytes" */
const char *size_text(char *ret, size_t n, uint64_t bytes);

#endif
