/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CMD_H
#define CVMBOX_CMD_H

#include "base/applet.h"
#include "base/buf.h"

/* Options that every applet takes (interface.md: common options). */
struct common {
	bool json, quiet, help, offline;
	int verbose;
	uint64_t timeout;
	const char *now, *ca_file, *proxy, *sysroot;
	struct opt_list resolve;
};
extern const struct opt common_opts[];
extern const struct applet *const applets[];	/* NULL ended, sorted by name */

const struct applet *applet_find(const char *name, size_t n);

/* help.c: all that is printed from the option tables. */
enum help_form { HELP_TEXT, HELP_JSON, HELP_MDOC, HELP_BASH, HELP_ZSH, HELP_FISH };
void help_usage(struct buf *ret);						/* cvmbox without arguments, cvmbox help */
void help_applet(struct buf *ret, const struct applet *a, const struct verb *only);	/* only: one verb, or NULL */
int help_machine(struct buf *ret, enum help_form form, const struct applet *a, struct err *e);	/* a NULL: all */

#endif
