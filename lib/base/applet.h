/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_APPLET_H
#define CVMBOX_BASE_APPLET_H

/* What one file in applets/ declares: `const struct applet applet_<name>` with one or more verbs.  An applet without verbs has
 * one entry whose name is NULL.  Everything users read about it is printed from here. */

#include "base/host.h"
#include "base/opt.h"

struct out;		/* codec/out.h */

struct ctx {
	const struct host *host;
	struct out *out;	/* the result: filled here, printed in cmd/ */
	const void *args;	/* the verb's own struct, defaults + environment + options */
	char **argv;		/* operands */
	int argc;
	int rest;		/* index of the first operand behind "--" */
	const struct opt_list *insecure;	/* given --insecure-... and --allow-... switches */
	bool json;
	/* May be NULL (-q, --json); cmd/ decides when and how a line of it is shown.  total 0: unknown. */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
	/* Set by a verb that hands over to another program: the process ends with this status. */
	int *exit_status;
};

struct verb {
	const char *name;	/* NULL for the only verb of an applet without verbs */
	const char *summary;	/* one line, lower case, no full stop */
	const char *operands;	/* synopsis of operands, e.g. "FILE", "IN -o OUT"; may be "" */
	const struct opt *opts;
	const void *defaults;	/* NULL: zeros */
	size_t args_size;
	int min_operands, max_operands;	/* max -1: any number */
	bool releases_secrets;	/* a --sysroot other than / is refused (not in test builds) */
	bool is_default;	/* runs when the applet is called without a verb, e.g. gpu-ccmode query */
	int (*run)(const struct ctx *cx, struct err *e);
};

struct applet {
	const char *name;	/* as typed: "fetch-key" */
	const char *summary;
	const char *notes;	/* paragraph(s) shown under --help: what is proved and what is not; may be NULL */
	const struct verb *const *verbs;	/* verbs of a large applet stand in applets/NAME/VERB.c */
	size_t n_verbs;
};
#define VERBS(a) .verbs = (a), .n_verbs = sizeof(a) / sizeof((a)[0])

#endif
