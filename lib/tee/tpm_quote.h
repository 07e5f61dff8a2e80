/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TPM_QUOTE_H
#define CVMBOX_TEE_TPM_QUOTE_H

/* Is a TPM quote genuine, fresh, and does it cover the PCR values that were offered?  One stage of checks, for kind "tpm" and for the
 * composite kinds (Azure). */

#include "crypto/x509.h"
#include "evidence/kind.h"
#include "tee/eventlog.h"
#include "tee/tpm_wire.h"

struct tpm_subject {
	/* --- filled by the caller, before tpm_subject_ready; slices have to outlive the subject */
	struct slice attest;		/* TPMS_ATTEST, as received */
	struct slice signature;		/* TPMT_SIGNATURE */
	bool bare;			/* signature is the bare RSASSA-SHA256 value instead (Azure) */
	struct slice ak_area;		/* TPMT_PUBLIC of the attestation key; n 0: not in the evidence */
	struct slice ak_key;		/* its SubjectPublicKeyInfo, DER; n 0: not in the evidence */
	struct slice ak_cert;		/* its certificate, DER (or several, PEM); n 0: none */
	const char *vouched;		/* what proved the key before this stage ("the claims of the hardware report"); NULL: nothing did */
	bool has_pcrs;
	struct tpm_pcrs pcrs;		/* as offered */

	/* --- set by tpm_subject_ready */
	struct tpm_attest a;
	struct tpm_signature sig;
	struct tpm_public area;		/* raw.n 0: none */
	struct pubkey ak;		/* KEY_NONE: not in the evidence; the check tpm.ak then takes a trusted one */
	struct cert_list certs;
	uint8_t ak_sha256[32];		/* of its SubjectPublicKeyInfo */
	bool differs;			/* area, key or certificate hold different keys */
	/* --- set by the checks */
	struct cert leaf;		/* der.n > 0: by this certificate the key counts; owned by one of the lists */
	bool pcrs_hold;			/* tpm.pcrs passed: the values are what that key signed */
};
/* Reads all parts.  EC_FORMAT: one of them is not what it should be.  On failure the subject is still freed by the caller. */
int tpm_subject_ready(struct tpm_subject *s, struct err *e);
void tpm_subject_free(struct tpm_subject *s);	/* what ready made; may run twice */

#define TPM_CHECKS 10
extern const struct check tpm_checks[TPM_CHECKS];
extern const size_t n_tpm_checks;

/* For the event log stage: what the quote covers.  Stages run in order, but the log stage's registers are made before the checks ran:
 * they are the offered values of the selected PCRs, and tpm.pcrs in the same verdict is what vouches for them. */
void tpm_registers(struct registers *ret, const struct tpm_subject *s);
/* "pcr00": hex, .. (Trustee's claim names), of those PCRs that the quote selects. */
void tpm_pcr_claims(struct json *to, const struct tpm_subject *s);
/* Everything, for `attest show`: attest, signature, key, PCRs. */
int tpm_quote_details(struct json *to, const struct tpm_subject *s, struct err *e);

/* Kinvolk's bundle of a quote: u64 LE length and signature (bare), u64 LE length and TPMS_ATTEST, u64 LE count and SHA-256 PCR values.
 * Points into raw. */
int tpm_bincode_parse(struct slice *signature, struct slice *attest, struct tpm_pcrs *pcrs, struct slice raw, struct err *e);

extern const struct evidence_kind evidence_tpm;

#endif
