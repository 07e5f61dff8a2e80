/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_H
#define CVMBOX_TEE_TDX_H

/* Intel TDX quotes, versions 4 and 5 (cpu-tee.md 4).  Read and shown; judging them needs the PCK chain and
 * collateral, which is not here yet. */

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
int tdx_quote_parse(struct tdx_quote *ret, struct slice raw, struct err *e);
bool tdx_quote_looks_like(struct slice raw);
struct slice tdx_report_data(const struct tdx_quote *q);	/* 64 */
int tdx_claims(struct json *to, const struct tdx_quote *q, struct err *e);
int tdx_details(struct json *to, const struct tdx_quote *q, struct err *e);

/* The used part of a CCEL data area (cpu-tee.md 5.2): up to the end of the last event.  EC_FORMAT if it is no event
 * log. */
int ccel_trim(struct slice *ret, struct slice area, struct err *e);

extern const struct evidence_kind evidence_tdx;

#endif
