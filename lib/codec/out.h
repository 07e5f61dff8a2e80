/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_OUT_H
#define CVMBOX_CODEC_OUT_H

/* The result of one call, held once, printed once: as text, or with --json as the one object of interface.md section 3.  Applets fill it,
 * cmd/ prints it (also after a failure). */

#include "base/buf.h"
#include "base/opt.h"
#include "codec/json.h"

enum check_result { CHECK_SKIP, CHECK_FAIL, CHECK_WARN, CHECK_PASS };	/* zero is never a pass */
const char *check_word(enum check_result r);

struct out {
	struct json *claims;	/* what was found; each member prints as "name: value", objects indented, arrays of objects as a table */
	struct json *brief;	/* not NULL: the text form prints this in the place of the claims */
	struct json *checks;	/* filled by out_check */
	struct json *insecure;	/* filled by out_insecure, beside the switches that were given */
	struct buf text;	/* if not empty: the text form, instead of the claims (lines for people) */
	struct buf verdict;	/* last line of the text form, e.g. "accepted" */
	struct buf data;	/* raw result bytes (a token, a key bundle): printed alone, with --json not at all unless claims hold it */
	bool warned;		/* a check or the applet warned */
	bool on_stderr;		/* the verb wrote its result to stdout itself: the text form is for people, on stderr */
};

int out_init(struct out *o, struct err *e);
void out_free(struct out *o);
void out_check(struct out *o, const char *id, enum check_result r, const char *expected, const char *actual,
	       const char *source, const char *hint);	/* NULL strings are left out */
void out_checks(struct out *o, const struct json *list);	/* copies of such, as a verdict holds them */
void out_insecure(struct out *o, const char *what);	/* a weakening that came another way than by a switch, e.g. from a policy file */
void out_text(struct out *o, const char *fmt, ...) PRINTF(2, 3);		/* one line, newline added */
void out_verdict(struct out *o, const char *fmt, ...) PRINTF(2, 3);

/* Appends the finished text.  schema: "cvmbox.attest.verify/1".  rc is what the verb returned, e its error. */
struct out_head {
	const char *schema, *tool_version;
	int64_t now;
	bool now_given, simulated;
	const struct opt_list *insecure;
	int exit_code;
};
int out_json(struct buf *ret, const struct out *o, const struct out_head *head, const struct err *failure, struct err *e);
int out_human(struct buf *ret, const struct out *o, const struct out_head *head, struct err *e);

#endif
