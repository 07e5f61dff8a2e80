/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_AZURE_H
#define CVMBOX_TEE_AZURE_H

/* Azure's confidential VMs (cpu-tee.md 2.6): a paravisor holds the hardware report and gives the guest a virtual TPM.  The hardware
 * report binds the claims, the claims hold the TPM's attestation key, the key signs the quote, and the quote carries the nonce and
 * the PCRs: freshness is in the quote alone, and what the guest booted is in the PCRs alone. */

#include "crypto/sig.h"
#include "evidence/kind.h"

struct tpm;				/* tee/tpm.h */

#define HCL_MAX ((size_t)64 << 10)	/* an NV index is never larger */
#define HCL_HARDWARE_SIZE 1184		/* room of the hardware report; a TDREPORT is 1024 bytes, and zeros behind it */
#define TDREPORT_SIZE 1024
#define AZURE_USER_DATA 64

enum hcl_type { HCL_INVALID, HCL_VBS, HCL_SNP, HCL_TVM, HCL_TDX, HCL_CCA };
const char *hcl_type_name(uint32_t type);	/* "SNP", "unknown" */

/* The HCL report, "HCLA".  Slices point into the input. */
struct hcl_report {
	struct slice raw;
	uint32_t version;		/* 1 and 2 are known; later ones are read alike */
	uint32_t report_size;		/* what the header says; never used as a length */
	uint32_t request, status;
	struct slice hardware;		/* the SNP report (1184 bytes), or the TDREPORT (1024) */
	uint32_t data_size, data_version, type, hash_type;
	struct slice claims;		/* JSON, exactly the bytes that are hashed */
	struct slice fill;		/* behind the claims, up to the end of the NV index */
};
/* All lengths are held against the blob.  EC_FORMAT; EC_ABSENT: it holds neither an SNP nor a TDX report. */
int hcl_parse(struct hcl_report *ret, struct slice raw, struct err *e);
bool hcl_looks_like(struct slice raw);
/* What the hardware report has to carry as its report data: the claims' hash, zero padded.  EC_FORMAT: an unknown hash type. */
int hcl_binding(uint8_t ret[static 64], const struct hcl_report *r, struct err *e);
struct slice hcl_report_data(const struct hcl_report *r);	/* 64; what the hardware report does carry */

/* The claims of the paravisor.  Members that are not known are ignored. */
struct hcl_claims {
	struct json *json;		/* as received */
	size_t n_ak;			/* keys with kid HCLAkPub; exactly one is wanted */
	struct pubkey ak;		/* KEY_NONE: not readable, ak_trouble says why */
	struct err ak_trouble;
	uint64_t ak_exponent;		/* 0: over 64 bits */
	const struct json *vm;		/* vm-configuration, in json; NULL: absent */
	bool has_user_data;		/* old paravisors have none */
	uint8_t user_data[AZURE_USER_DATA];
};
int hcl_claims_parse(struct hcl_claims *ret, struct slice claims, struct err *e);
void hcl_claims_free(struct hcl_claims *c);	/* may run twice */
bool hcl_user_data_set(const struct hcl_claims *c);	/* there, and not all zero */

int hcl_details(struct json *to, const struct hcl_report *r, const struct hcl_claims *c, struct err *e);

/* A TDREPORT is sealed with a MAC that only its own machine can check: it counts as far as it says what the quote says.  EC_REFUSED
 * names the first field that differs; EC_FORMAT: not a TDREPORT.  body: TD report body of a quote (584 bytes, 648 with its second
 * part, or longer). */
int tdreport_matches(struct slice tdreport, struct slice body, struct err *e);

/* The parts of one capture, in any of the forms that it travels in: Trustee's evidence JSON (key-broker.md 2.5) of versions 0, 1 and
 * 2, the same as member `evidence` of an object, or an HCL report alone (then nothing else is there). */
struct azure_parts {
	uint64_t version;		/* of the JSON form; 2: user-data carries the report data */
	struct buf hcl;
	struct buf signature, message;	/* of the TPM quote: the bare RSASSA signature, TPMS_ATTEST; empty: none */
	size_t n_pcrs;
	uint8_t pcrs[24][32];		/* in the order in which they came */
	struct buf vcek;		/* DER or PEM; SNP only; may be empty */
	struct buf td_quote;		/* TDX only; may be empty */
};
#define AUTO_AZURE_PARTS __attribute__((cleanup(azure_parts_free))) struct azure_parts
void azure_parts_free(struct azure_parts *p);
int azure_parts_read(struct azure_parts *ret, struct slice raw, struct err *e);		/* EC_FORMAT */
int azure_parts_write(struct json **ret, const struct azure_parts *p, struct err *e);	/* version 1 or 2 */

/* Both collect as Trustee's evidence JSON. */
int azure_collect(struct evidence *ret, const struct host *h, bool tdx, struct slice rd, struct err *e);
int azure_collect_with(struct evidence *ret, struct tpm *t, const struct host *h, bool tdx, struct slice rd, struct err *e);
extern const struct evidence_kind evidence_az_snp, evidence_az_tdx;

#endif
