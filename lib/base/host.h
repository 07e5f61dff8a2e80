/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_HOST_H
#define CVMBOX_BASE_HOST_H

/* The only door to the outside: root folder, clock, random bytes, network settings.  Tests come in here
 * (--sysroot, --now, --resolve); a static binary cannot be steered by LD_PRELOAD. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum log_level { LOG_WARN = 0, LOG_INFO = 1, LOG_DEBUG = 2 };

struct host {
	int root;		/* directory descriptor of the system root; -1: the real one */
	const char *sysroot;	/* as given, NULL: the real one */
	bool simulated;		/* sysroot given: results must say so */

	bool has_now;
	int64_t now_fixed;	/* seconds since 1970 UTC, from --now */
	int64_t deadline_ms;	/* monotonic; 0: none.  From --timeout, for the whole call */

	bool offline;		/* no socket may be opened at all */
	const char *ca_file, *proxy;
	const char *const *resolve;	/* HOST:PORT:ADDR, NULL ended; may be NULL */

	int verbosity;		/* -1 quiet, 0, 1 (-v), 2 (-vv) */
	void (*log)(void *arg, enum log_level lvl, const char *line);	/* may be NULL */
	void *log_arg;
};

void host_init(struct host *h);		/* the real machine, nothing overridden */
int host_set_sysroot(struct host *h, const char *dir, struct err *e);
void host_close(struct host *h);

/* Paths are absolute ("/sys/..."), resolved below the root; symlinks of a copied /sys stay inside
 * (openat2 RESOLVE_IN_ROOT, with a component-wise fallback where the kernel lacks it).  ENOENT, ENODEV, ENXIO and
 * ENOTDIR are EC_ABSENT, all else EC_IO. */
int host_open(const struct host *h, const char *path, int flags, struct err *e);	/* fd or -1 */
int host_openm(const struct host *h, const char *path, int flags, unsigned mode, struct err *e);
bool host_exists(const struct host *h, const char *path);
int host_mkdir(const struct host *h, const char *path, unsigned mode, struct err *e);
int host_rmdir(const struct host *h, const char *path, struct err *e);
/* Whole file, at most max bytes (more is EC_FORMAT).  Appends to ret. */
int host_read(struct buf *ret, const struct host *h, const char *path, size_t max, struct err *e);
/* First line, without trailing white space. */
int host_read_line(struct buf *ret, const struct host *h, const char *path, struct err *e);
int host_write(const struct host *h, const char *path, struct slice data, struct err *e);	/* one write() */
/* Text of a symlink, e.g. /sys/.../driver. */
int host_readlink(struct buf *ret, const struct host *h, const char *path, struct err *e);
/* Calls f for each name but . and .., sorted by strcmp; f returning non-zero stops and is returned. */
int host_list(const struct host *h, const char *path, int (*f)(void *arg, const char *name), void *arg,
	      struct err *e);

int64_t host_now(const struct host *h);			/* seconds, UTC; --now wins */
int64_t host_mono_ms(void);
int64_t host_left_ms(const struct host *h, int64_t step_ms);	/* what remains of the deadline, at most step_ms; >= 0 */
int host_random(void *ret, size_t n, struct err *e);	/* getrandom(2), blocking; never anything weaker */
void host_log(const struct host *h, enum log_level lvl, const char *fmt, ...) PRINTF(3, 4);

/* RFC 3339.  ret holds at least 21 bytes: "2026-11-23T17:00:00Z". */
void time_format(char ret[static 32], int64_t t);
int time_parse(int64_t *ret, const char *s, struct err *e);	/* Z or +hh:mm; also YYYY-MM-DD alone (midnight UTC) */
int64_t time_from_civil(int year, int month, int day, int hour, int min, int sec);	/* UTC, proleptic Gregorian */

/* Plain files named by the user (not below the sysroot).  "-" is not special here. */
int file_read(struct buf *ret, const char *path, size_t max, struct err *e);
int fd_read_all(struct buf *ret, int fd, size_t max, struct err *e);
int fd_write_all(int fd, const void *p, size_t n, struct err *e);
#define AUTO_FD __attribute__((cleanup(fd_close))) int
void fd_close(int *fd);					/* closes if >= 0, sets -1 */

#endif
