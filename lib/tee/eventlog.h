/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_EVENTLOG_H
#define CVMBOX_TEE_EVENTLOG_H

/* Event logs (cpu-tee.md 5): TCG (TPM, old and crypto agile form), CCEL (TDX), the guest's own AAEL, IMA.  A log is a claim: it
 * counts only where replaying it gives the registers that the hardware signed, and of an event only what its digest covers. */

#include "base/host.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/kind.h"

#define EVENTLOG_MAX ((size_t)4 << 20)	/* one log, raw; larger ones are refused */

/* What the hardware vouches for.  known false: it does not (a PCR that was not selected in the quote); a log that extends such a
 * register proves nothing about it, and the checks say so. */
struct registers {
	bool cc;		/* false: v[PCR]; true: v[0] = MRTD, v[1..4] = RTMR0..3, as CCEL counts */
	enum hash alg;		/* of the bank; TDX: SHA-384 */
	struct {
		bool known;
		size_t n;	/* bytes; has to be hash_size(alg) where known */
		uint8_t v[64];
	} v[24];
};

struct eventlog_subject;	/* what was parsed out of the logs, and the registers; opaque */

/* The stage for the event logs in x->logs (TPM: LOG_TCG, LOG_IMA, and LOG_AAEL; CC: LOG_CCEL and LOG_AAEL).  Always gives a stage:
 * without any log its checks are NOT_ASKED, or FAILED where the policy asks for what only a log shows; a log that cannot be
 * parsed makes eventlog.parse fail.  *own (NULL or a subject of an earlier call, which is freed) owns the subject and borrows x->logs;
 * *regs is copied.  -1: out of memory. */
int eventlog_stage(struct stage *ret, struct eventlog_subject **own, const struct registers *regs, const struct expect *x,
		   struct err *e);
void eventlog_free(struct eventlog_subject *s);		/* NULL allowed */

/* Adds kernel_cmdline, secure_boot, boot_images, uki_sections, aael, init_data, and Trustee's uefi_event_logs to the claims of a
 * kind; nothing at all where there is no log, and nothing that was not replayed (s NULL allowed). */
int eventlog_claims(struct json *to, const struct eventlog_subject *s, struct err *e);

extern const struct check eventlog_checks[];	/* for lists of check ids */
extern const size_t n_eventlog_checks;

/* For `attest show`: any of the four logs, or an ACPI CCEL table, recognised by content.  Shows what is written; proves nothing. */
bool eventlog_looks_like(struct slice log);
/* A log given without a name, put where its content belongs; CCEL and TCG look alike, and the evidence decides which of them it reads.
 * EC_FORMAT: it is none of the four. */
int eventlog_place(struct slice logs[static N_LOGS], struct slice log, struct err *e);
int eventlog_describe(struct json *to, struct slice log, struct err *e);

/* The logs of this machine, by enum log_form; what is missing stays empty.  CCEL comes without its padding. */
int eventlog_collect(struct buf logs[static N_LOGS], const struct host *h, struct err *e);

/* The used part of a CCEL data area (cpu-tee.md 5.2): up to the end of the last event.  EC_FORMAT if it is no event log. */
int ccel_trim(struct slice *ret, struct slice area, struct err *e);

#endif
