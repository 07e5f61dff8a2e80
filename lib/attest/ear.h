/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_EAR_H
#define CVMBOX_ATTEST_EAR_H

/* A verdict as an attestation token: EAR (draft-ietf-rats-ear) in a JWT, in the shape that the Trustee attestation
 * service gives it
 * (key-broker.md 3.1), so that its clients and resource brokers can read it. */

#include "attest/appraise.h"
#include "codec/json.h"
#include "crypto/sig.h"

#define EAR_ISSUER "CoCo-Attestation-Service"		/* the default */
#define EAR_DURATION (5 * 60)

struct ear_opts {
	const struct privkey *signer;			/* EC P-256 (ES256) or P-384 (ES384); others are EC_USAGE */
	const char *issuer;				/* NULL: EAR_ISSUER */
	int64_t now, duration;				/* seconds; duration 0: EAR_DURATION */
	const struct json *runtime_data_claims;		/* e.g. {"nonce","tee-pubkey"}: what the resource side reads the client's key from; NULL: {} */
	const struct json *init_data_claims;		/* NULL: null */
	struct slice report_data;			/* the expected digest, for annotated evidence (hex); n 0: "" */
	struct slice init_data;				/* digest, likewise */
};
/* Appends the compact JWT.  Works for refused verdicts too: such a token says contraindicated and opens nothing. */
int ear_token(struct buf *ret, const struct verdict *v, const struct ear_opts *o, struct err *e);

/* Reads the claims of a token whose signature the caller has checked with jws_verify: dates (60 s leeway), at least
 * one submod, each status no better
 * than its vector, and every submod `affirming`, or also `warning` where allow_warning.  EC_REFUSED with the reason;
 * EC_FORMAT if it is no EAR. */
int ear_check(const struct json *payload, int64_t now, bool allow_warning, struct err *e);

/* Adds for each submod what the numbers of its trustworthiness vector mean, in words. */
void ear_explain(struct json *to, const struct json *payload);

#endif
