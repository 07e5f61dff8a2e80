/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_OPT_H
#define CVMBOX_BASE_OPT_H

/* One option table per verb is the only source: parsing, --help, the OPTIONS block of the man page, completions and the
 * machine-readable list are all made from it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_FLAG,		/* bool */
	OPT_KIND_COUNT,		/* int, +1 each time */
	OPT_KIND_STR,		/* const char * (points into argv) */
	OPT_KIND_LIST,		/* struct opt_list: may be given several times */
	OPT_KIND_ENUM,		/* int: index into names */
	OPT_KIND_UINT,		/* uint64_t, decimal */
	OPT_KIND_SIZE,		/* uint64_t, with K/M/G suffix */
	OPT_KIND_REAL		/* double */
};
enum {
	OPT_F_INSECURE = 1,	/* weakens a check: shows in `insecure[]`, never read from the environment */
	OPT_F_NOENV = 2		/* not read from the environment */
};

struct opt_list {
	const char *v[64];
	size_t n;
};

struct opt {
	enum opt_kind kind;
	char letter;		/* 0: none */
	const char *name;	/* long name, without dashes */
	size_t at;		/* offsetof in the args struct */
	const char *arg;	/* placeholder, e.g. "FILE"; NULL for flags */
	const char *help;	/* one line, lower case, no full stop */
	const char *const *names;	/* ENUM: NULL ended */
	unsigned flags;
};

/* Used inside a file that defines `struct args`. */
#define OPT_FLAG(l, name, field, help) { OPT_KIND_FLAG, l, name, offsetof(struct args, field), 0, help, 0, 0 }
#define OPT_INSECURE(name, field, help) \
	{ OPT_KIND_FLAG, 0, name, offsetof(struct args, field), 0, help, 0, OPT_F_INSECURE | OPT_F_NOENV }
#define OPT_STR(l, name, field, arg, help) { OPT_KIND_STR, l, name, offsetof(struct args, field), arg, help, 0, 0 }
#define OPT_LIST(l, name, field, arg, help) { OPT_KIND_LIST, l, name, offsetof(struct args, field), arg, help, 0, 0 }
#define OPT_ENUM(l, name, field, names, help) \
	{ OPT_KIND_ENUM, l, name, offsetof(struct args, field), "WORD", help, names, 0 }
#define OPT_UINT(l, name, field, arg, help) { OPT_KIND_UINT, l, name, offsetof(struct args, field), arg, help, 0, 0 }
#define OPT_SIZE(l, name, field, arg, help) { OPT_KIND_SIZE, l, name, offsetof(struct args, field), arg, help, 0, 0 }
#define OPT_REAL(l, name, field, arg, help) { OPT_KIND_REAL, l, name, offsetof(struct args, field), arg, help, 0, 0 }
#define OPT_END { OPT_KIND_END, 0, 0, 0, 0, 0, 0, 0 }

/* Parses argv[0..argc) into args by the tables (NULL ended list of {table, struct} pairs, first match wins).  Options may
 * stand before or after operands; "--" ends them; "-" is an operand.  Operands are moved, in order, to the front of argv;
 * *n_operands counts them, *rest is the index of the first one that stood behind "--" (== *n_operands if none did).
 * insecure collects the names ("--insecure-x") of OPT_F_INSECURE options that were given. */
struct opt_set {
	const struct opt *opts;
	void *args;
};
int opt_parse(const struct opt_set *sets, int argc, char **argv, int *n_operands, int *rest,
	      struct opt_list *insecure, struct err *e);
/* Fills what the environment gives: CVMBOX_<NAME>, upper case, '-' as '_'.  Call before opt_parse. */
int opt_environ(const struct opt_set *set, struct err *e);

#endif
