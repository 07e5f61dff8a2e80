/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_APPRAISE_H
#define CVMBOX_ATTEST_APPRAISE_H

/* The one place where "accepted" is decided: for `attest verify`, for `kbs`, for the gate of `run-infer`.  Pure:
 * bytes, time and policy in, verdict out; no device, no socket,
 * no file. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/out.h"
#include "evidence/expect.h"

#define REPORT_DATA_MAX 64

struct policy;			/* attest/policy.h */

struct appraise_in {
	struct slice evidence;		/* a bundle, or a raw form that `attest verify` takes, or (kind given) Trustee evidence JSON */
	struct slice devices;		/* raw evidence of GPUs and switches beside raw evidence; n 0: none (a bundle brings its own) */
	struct slice devices_data;	/* what their nonce derives from (nv_nonce_of): as report_data for the CPU */
	const char *kind;		/* "auto", "snp", "tdx", "sample", ... */
	const struct collateral *given;	/* endorsements from outside (VCEK, chain, CRLs, TCB info); may be NULL */
	const struct collateral *anchors;	/* what the caller trusts for TPM attestation keys and CCA platforms; may be NULL */
	struct slice logs[N_LOGS];	/* event logs from outside, by enum log_form; they win over those of a bundle */
	int64_t now;
	const struct policy *policy;	/* NULL: the strict default */
	bool has_nonce;			/* the caller expects freshness by ... */
	struct slice nonce;		/* ... this nonce (bundle: its nonce; raw report: report data, zero padded to 64 on the right) */
	struct slice report_data;	/* n > 0: the exact digest expected in the report data (kbs: SHA-384 of runtime data), zero padded on the right */
	bool insecure_no_nonce;		/* waives freshness when neither nonce nor report_data is given; the verdict then warns */
	bool insecure_no_collateral;	/* waives what collateral would show (TCB status, revocation); the verdict then warns */
	bool allow_devices;		/* GPUs alone will do; otherwise only where the policy's kinds name them: they are no confidential machine */
	bool allow_sample, allow_tpm;	/* a plain TPM is no confidential machine: taken only where the policy's kinds name it, or so */
	const struct snp_roots *snp_roots;	/* NULL: the built-in ones of AMD.  Tests bring their own CA here, nothing else can */
	const uint8_t *intel_root;	/* likewise: SHA-256 of a root's SubjectPublicKeyInfo */
	const uint8_t *nv_device_root, *nv_rim_root;	/* likewise: SHA-256 of a root certificate */
};
struct verdict {			/* starts as refused */
	bool accepted;			/* set on exactly one line of appraise.c */
	bool warned;
	char tee[16];			/* kind that was appraised */
	struct json *claims;		/* claims object: per evidence kind one member (Trustee's claim names, key-broker.md 2) */
	struct json *collateral;	/* array of collateral_describe(), what was at hand and how old it is */
	struct json *checks;		/* array of {"id","result","expected","actual","source","hint"} */
	struct buf reason;		/* id and text of the first check that failed; empty if accepted */
};
#define AUTO_VERDICT __attribute__((cleanup(verdict_free))) struct verdict
void verdict_free(struct verdict *v);
/* 0: a verdict was reached (look at ret->accepted); -1: the evidence cannot be parsed (EC_FORMAT), is of a kind that
 * cannot be appraised yet
 * (EC_ABSENT), is not of the kind that was asked for (EC_REFUSED), or the call is wrong (EC_USAGE). */
int appraise(struct verdict *ret, const struct appraise_in *in, struct err *e);

#endif
