/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVENTLOG_MAKER_H
#define CVMBOX_EVENTLOG_MAKER_H

/* Event logs of our own, and how they are judged. */

#include "codec/json.h"
#include "evidence/checks.h"
#include "tee/eventlog_int.h"

void log_head(struct buf *b, const char *signature, const uint16_t *algs, size_t n);	/* Spec ID event */
/* One event of the second form with these algorithms, digest over `hashed`. */
void log_event(struct buf *b, uint32_t reg, uint32_t type, const uint16_t *algs, size_t n, struct slice data, struct slice hashed);
void log_variable(struct buf *ret, const uint8_t *guid, const char *name, struct slice value);
extern const uint8_t log_global_guid[16];

/* Registers as the log itself replays: what a machine with this log would sign. */
void registers_of(struct registers *ret, struct slice log, enum log_form form, enum hash alg, bool cc);

struct log_verdict {
	bool holds, warned;
	struct json *list;		/* of findings */
	char reason[512];
	struct eventlog_subject *s;
};
void log_judge(struct log_verdict *ret, const struct registers *regs, const struct slice logs[static N_LOGS], const struct limits *limits);
void log_verdict_free(struct log_verdict *v);
#define AUTO_LOG_VERDICT __attribute__((cleanup(log_verdict_free))) struct log_verdict
const char *log_result(const struct log_verdict *v, const char *id);	/* "pass", "fail", ...; NULL: no such check */

#endif
