/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_VERIFY_H
#define CVMBOX_TEE_TDX_VERIFY_H

/* Is a TDX quote genuine, is its platform patched, and does it say what was expected (cpu-tee.md 4.6)?  The list of checks
 * and their subject, for the kind "tdx" and for kinds that carry a quote inside: such a kind gives a stage with tdx_checks,
 * a subject from tdx_subject_parse, and its own expectations (report_data is then what it binds the quote to). */

#include "tee/tdx.h"

#define N_TDX_CHECKS 37
extern const struct check tdx_checks[N_TDX_CHECKS];

/* The subject: parsed evidence, and what the checks find out about it.  raw: a quote, its hex text, or Trustee's evidence
 * JSON.  EC_FORMAT; EC_ABSENT for an SGX quote.  It has to stay where collateral of the expectations lives: results point
 * into both. */
int tdx_subject_parse(void **ret, struct slice raw, struct err *e);
void tdx_subject_drop(void *subject);			/* NULL allowed */
const struct tdx_quote *tdx_subject_quote(const void *subject);
/* Event log that came in Trustee's JSON (cc_eventlog); n 0: none. */
struct slice tdx_subject_log(const void *subject);

/* Trustee's claim names (key-broker.md 2.4) with, once the checks ran, the TCB's: tcb_status, tcb_date, advisory_ids, .. */
int tdx_subject_claims(struct json *to, const void *subject, struct err *e);
int tdx_subject_details(struct json *to, const void *subject, struct err *e);

#endif
