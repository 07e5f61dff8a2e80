/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVIDENCE_CHECKS_H
#define CVMBOX_EVIDENCE_CHECKS_H

/* Named checks, run in order, each on what the ones before it proved. */

#include "codec/json.h"
#include "evidence/expect.h"

enum outcome {
	NOT_RUN,	/* zero is never a pass: something it needs did not hold */
	FAILED,
	WARNED,		/* acceptable, and the reader has to know */
	PASSED,
	NOT_ASKED	/* nothing to compare with (no such list in the policy), or it does not apply to this evidence */
};

struct finding {	/* what one check says besides its outcome */
	struct buf expected, actual, hint;
	bool final;		/* of a failure: no "warn" of a policy softens it (revoked, not supported) */
	const char *source;	/* static or outliving the finding; NULL: built in */
};

struct check {
	const char *id;		/* stable: scripts and policies name it */
	uint64_t needs;		/* bit i: checks[i] must have passed (or warned) before this one runs */
	enum { CHECK_PLAIN,
	       CHECK_BASE,		/* without it nothing is proved: must pass, no policy can turn it off */
	       CHECK_WHERE_THERE,	/* plain, but good evidence may lack what it looks at: no printed policy requires it by name */
	       CHECK_WHERE_ASKED,	/* often there is nothing to compare with */
	       CHECK_ADVISORY		/* something known about this platform: warns, and fails only where a policy requires it */
	} weight;
	enum outcome (*run)(void *parsed, const struct expect *x, struct finding *f);
};
#define NEEDS(i) (UINT64_C(1) << (i))
#define CHECKS_MAX 63

/* Without a rule a check has to hold where it applies.  Required by name it also has to apply: a list that is
 * missing, a revocation list that was not read, are failures then; and where a check often has nothing to compare with, a warning
 * (it could not be settled) is one, too.  A rule speaks of the kinds that have the check. */
enum rule { RULE_DEFAULT, RULE_REQUIRE, RULE_WARN, RULE_IGNORE };
typedef enum rule rule_of(const void *arg, const char *id);

struct tally {
	const char *object;		/* whose checks run: written beside each; NULL: there is one only */
	struct json *list;	/* the array of interface.md section 3; findings are appended */
	struct buf reason;	/* "ID: wanted .., is .." of the first one that failed */
	bool warned;
};
/* True only if there is at least one check, every base check passed (or warned by its own judgement) and no other
 * failed or could not run. */
bool checks_run(struct tally *t, const struct check *c, size_t n, void *parsed, const struct expect *x, rule_of *rule,
		const void *rule_arg);

/* Idioms for checks: set the texts and return the outcome. */
enum outcome found(struct finding *f, bool holds, const char *expected, const char *actual);
enum outcome found_u64(struct finding *f, bool holds, const char *expected, uint64_t actual);
/* Hex value against a policy's list; an empty list is NOT_ASKED. */
enum outcome found_listed(struct finding *f, const struct texts *list, struct slice value, const char *source);

#endif
