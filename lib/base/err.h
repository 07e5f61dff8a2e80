/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_ERR_H
#define CVMBOX_BASE_ERR_H

/* A failure is described once, where it is known, and printed once, in cmd/.
 *
 * Library functions return 0 or -1, leave results (`ret`, first parameter) untouched on failure and
 * never print.  Text: lower case, no full stop, the failing act first, names in single quotes, the
 * seen and the wanted value.  Secrets, tokens and rejected keys never appear in it, not even cut. */

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

enum ec {	/* these are the exit statuses of cvmbox(1) */
	EC_OK = 0,
	EC_REFUSED = 1,	/* it was checked, and it is not acceptable */
	EC_USAGE = 2,
	EC_ABSENT = 3,	/* no such TEE, GPU, device, kernel feature or model feature here */
	EC_IO = 4,	/* I/O, network, time limit: try again */
	EC_FORMAT = 5,	/* malformed input: cut, corrupt, unsupported version */
	EC_DENIED = 6,	/* the remote side (broker, registry) said no */
	EC_BUG = 70
};

struct err {
	enum ec code;
	char msg[768];
	char hint[384];
};

/* All return -1, so that `return err_set(...)` is the idiom.  Control bytes and invalid UTF-8 in the
 * finished text are escaped as \xNN, so bytes from outside may be formatted with %s.  err_set clears
 * an earlier message and hint.  A NULL e is allowed (the caller does not care for the text). */
int err_set(struct err *e, enum ec code, const char *fmt, ...) PRINTF(3, 4);
int err_sys(struct err *e, enum ec code, const char *fmt, ...) PRINTF(3, 4);	/* appends ": <strerror(errno)>" */
int err_ctx(struct err *e, const char *fmt, ...) PRINTF(2, 3);	/* puts "fmt: " in front of msg */
int err_hint(struct err *e, const char *fmt, ...) PRINTF(2, 3);	/* sets the hint (the first one wins) */
int err_oom(struct err *e);					/* "out of memory", EC_IO */

#endif
