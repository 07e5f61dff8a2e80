/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_SECRET_H
#define CVMBOX_BASE_SECRET_H

/* Secrets have a type.  The bytes live on pages of their own: locked where the limit allows it, out of
 * core dumps, not inherited by children (MADV_WIPEONFORK), between guard pages, wiped on release.  No
 * function turns a secret into a string, so no log line can. */

#include "base/buf.h"

struct secret {
	uint8_t *p;
	size_t n;
	void *map;		/* private: the mapping and its size */
	size_t map_n;
};
#define AUTO_SECRET __attribute__((cleanup(secret_wipe))) struct secret

#define SECRET_MAX ((size_t)16 << 20)

void secret_wipe(struct secret *s);				/* may run twice */
int secret_alloc(struct secret *ret, size_t n, struct err *e);	/* n zero bytes; frees what ret held */
int secret_from(struct secret *ret, struct slice s, struct err *e);	/* copies; the caller wipes s */
void secret_shrink(struct secret *s, size_t n);			/* n <= s->n; the rest is wiped */
void secret_give(struct secret *to, struct secret *from);	/* moves: 'from' is empty afterwards */
bool secret_eq(const struct secret *a, struct slice b);		/* constant time; lengths are public */
struct slice secret_view(const struct secret *s);
/* Reads to the end of fd; more than max bytes is an error (EC_FORMAT). */
int secret_read_fd(struct secret *ret, int fd, size_t max, struct err *e);
int secret_write_fd(const struct secret *s, int fd, struct err *e);

/* What the process does once, before any secret exists: no core dumps, not dumpable (ptrace and /proc/PID/mem
 * closed to others). */
void secret_harden_process(void);

/* Makes the error texts and wiping of plain stack arrays readable: AUTO_WIPE uint8_t k[32] needs a size, so
 * call mem_wipe(k, sizeof k) before each return instead. */
#endif
