/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_H
#define CVMBOX_TEE_TDX_H

/* Intel TDX quotes, versions 4 and 5 (cpu-tee.md 4), and the TDREPORT that a quote is made of (2.5).  Reading and showing;
 * judging is tee/tdx_verify.h. */

#include "codec/json.h"
#include "evidence/kind.h"

#define TDX_TEE_TYPE 0x81
#define TDX_QUOTE_MAX ((size_t)256 << 10)

struct tdx_quote {		/* slices point into the input */
	uint16_t version, key_type;
	uint32_t tee_type;
	struct slice header;		/* 48 bytes */
	uint16_t body_type;		/* 2: TDX 1.0 (also version 4), 3: TDX 1.5, 4: TDX 1.5 extended */
	struct slice body;		/* 584, 648 or 885 bytes */
	struct slice signed_part;	/* header and body */
	/* signature section */
	struct slice signature, key;	/* r||s and x||y, big endian */
	struct slice qe_report, qe_signature, qe_auth;
	uint16_t cert_type;		/* of the inner certification data: 5 is a PEM chain */
	struct slice cert_data;
	size_t trailing;		/* bytes behind the quote: clouds pad it, nothing signs them */
};
/* EC_FORMAT; EC_ABSENT: a quote of another TEE (SGX), which the text names. */
int tdx_quote_parse(struct tdx_quote *ret, struct slice raw, struct err *e);
bool tdx_quote_looks_like(struct slice raw);	/* TDX, or SGX: so that it can be named */
struct slice tdx_vendor_intel(void);		/* QE vendor id, 16 */

enum tdx_at {			/* members of the TD report body, bytes */
	TDX_TEE_TCB_SVN = 0, TDX_MR_SEAM = 16, TDX_MRSIGNER_SEAM = 64, TDX_SEAM_ATTRIBUTES = 112, TDX_TD_ATTRIBUTES = 120, TDX_XFAM = 128,
	TDX_MR_TD = 136, TDX_MR_CONFIG_ID = 184, TDX_MR_OWNER = 232, TDX_MR_OWNER_CONFIG = 280, TDX_RTMR0 = 328, TDX_REPORT_DATA = 520,
	TDX_TEE_TCB_SVN2 = 584, TDX_MR_SERVICETD = 600,		/* body types 3 and 4 */
	TDX_SERVTD_INITIAL = 729, TDX_SERVTD_CURRENT = 829	/* type 4 */
};
struct slice tdx_part(const struct tdx_quote *q, enum tdx_at at, size_t n);	/* n 0 if the body ends before */
uint64_t tdx_td_attributes(const struct tdx_quote *q);
#define TDX_TD_DEBUG UINT64_C(0xff)		/* the whole "under debug" group */
#define TDX_TD_MIGRATABLE (UINT64_C(1) << 29)

enum { QE_CPUSVN = 0, QE_MISCSELECT = 16, QE_ATTRIBUTES = 48, QE_MRSIGNER = 128, QE_ISVPRODID = 256, QE_ISVSVN = 258, QE_REPORT_DATA = 320 };
struct slice tdx_report_data(const struct tdx_quote *q);	/* 64 */
int tdx_claims(struct json *to, const struct tdx_quote *q, struct err *e);
int tdx_details(struct json *to, const struct tdx_quote *q, struct err *e);

/* TDREPORT, 1024 bytes: recognised by its type and by its two digests, which have to be right. */
#define TDX_REPORT_SIZE 1024
bool tdx_report_looks_like(struct slice raw);
int tdx_report_describe(struct json *to, struct slice raw, struct err *e);	/* for `attest show`.  Its MAC is for the machine alone: proves nothing */

extern const struct evidence_kind evidence_tdx;

#endif
