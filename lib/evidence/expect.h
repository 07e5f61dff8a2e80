/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVIDENCE_EXPECT_H
#define CVMBOX_EVIDENCE_EXPECT_H

/* What a verifier expects: the values a policy sets (limits) and those of one call.  Evidence kinds read these in
 * their checks; they never see the
 * policy file. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/json.h"
#include "evidence/collateral.h"

struct snp_roots;			/* tee/snp_roots.h */

struct texts {				/* a list from a policy; n 0: nothing was asked */
	char **v;
	size_t n;
};
bool texts_have(const struct texts *t, const char *s);
void texts_free(struct texts *t);

enum { TCB_FMC, TCB_BOOTLOADER, TCB_TEE, TCB_SNP, TCB_MICROCODE, TCB_PARTS };
extern const char *const tcb_part_names[TCB_PARTS];	/* as in policies and claims */

/* TCB floors of SNP: by part, for any product or for one. */
enum { TCB_REPORTED, TCB_COMMITTED, TCB_LAUNCH, TCB_CURRENT, TCB_WHICH };
enum { TCB_ANY, TCB_MILAN, TCB_GENOA, TCB_TURIN, TCB_PRODUCTS };
extern const char *const tcb_product_names[TCB_PRODUCTS];	/* "", "Milan", .. */
struct bits {				/* named bits of a word: these set, those clear */
	uint64_t set, clear;
};
#define LIMIT_PCRS 24
#define LIMIT_GPU_INDEXES 64
enum ocsp_class { OCSP_NONE, OCSP_CACHED, OCSP_LIVE };	/* how fresh certificate status is; "none", "cached", "live" */
extern const char *const ocsp_class_names[];	/* NULL ends */

struct limits {				/* starts strict: limits_init */
	const char *source;		/* "policy.json", or "built-in policy" */
	struct texts kinds;		/* accepted TEE kinds; n 0: all but sample and tpm */
	struct texts measurements;	/* lower-case hex: SNP measurement, TDX MRTD, CCA initial measurement; for sample the launch digest as it is */
	struct texts init_data;		/* initdata digests, hex: 32 bytes (SNP host_data), 48 (TDX mrconfigid), PCR 8 */
	bool allow_debug, allow_migrate;

	/* SNP */
	struct texts chip_ids, host_data, family_ids, image_ids, id_keys, author_keys;	/* lower-case hex; keys: the digest */
	int min_tcb[TCB_WHICH][TCB_PRODUCTS][TCB_PARTS];		/* -1: no floor */
	uint32_t min_report_version, vmpl_max, min_guest_svn;
	uint32_t min_abi;		/* major << 8 | minor, of the guest policy; 0: none */
	struct bits platform, guest_policy;	/* platform_info and policy bits */
	uint64_t mitigations;		/* bits that launch and current mitigation vectors must have */

	/* TDX */
	struct texts tcb_status;	/* accepted; n 0: UpToDate */
	struct texts advisories;	/* tolerated advisory ids; asked only when has_advisories */
	bool has_advisories, allow_service_td;
	uint64_t min_evaluation;	/* tcbEvaluationDataNumber; 0: none */
	struct texts mr_seam, mr_config_id, mr_owner, mr_owner_config, fmspc, ppid, xfam;
	struct texts rtmr[4];
	struct bits td_attributes;

	/* TPM and event logs */
	struct texts pcr[LIMIT_PCRS];	/* hex, of the bank that was quoted */
	struct texts ak_keys;		/* SHA-256 of the SubjectPublicKeyInfo of accepted attestation keys */
	struct texts kernel_cmdlines;	/* whole command lines; text */
	struct texts boot_images;	/* Authenticode digests that may be started (PE images in the log), hex */
	bool want_secure_boot;

	/* CCA */
	struct texts implementation_ids, instance_ids, realm_pvs;	/* hex */
	struct texts rem[4];		/* extensible measurements */

	/* NVIDIA GPUs and NVSwitches */
	uint32_t gpu_count;		/* exactly so many GPUs; 0: any */
	struct texts gpu_modes;		/* accepted: "spt", "mpt", "ppcie"; n 0: any */
	struct texts gpu_ueids;		/* accepted devices (GPUs and switches): serial of the leaf certificate, decimal */
	struct texts gpu_drivers, gpu_vbios, switch_bios;	/* accepted versions */
	char min_gpu_driver[32], min_gpu_vbios[32];		/* "": no floor; compared part by part (driver decimal, VBIOS hex) */
	uint64_t gpu_mismatch;		/* bit i: measurement i may differ from the reference value */
	struct texts gpu_measurements[LIMIT_GPU_INDEXES];	/* accepted values by index, hex; beside those of a RIM, or where there is none */
	struct texts gpu_tolerate;	/* CHAIN.WHAT: of gpu_tolerable */
	enum ocsp_class gpu_ocsp;	/* at least so fresh; the strict one is OCSP_CACHED */
	struct json *gpu_claims, *switch_claims, *nras_claims;	/* members that claims must equal, objects recursively; NULL: none */

	int64_t max_collateral_age;	/* seconds since it was issued; 0: its own validity alone counts */
};
extern const char *const gpu_tolerable[];	/* NULL ends: "driver-rim.expired", .. */
extern const struct limits limits_strict;	/* the built-in policy */
void limits_init(struct limits *l);
void limits_free(struct limits *l);

/* Event logs: the raw bytes, as collected. */
enum log_form { LOG_CCEL, LOG_TCG, LOG_AAEL, LOG_IMA, N_LOGS };
extern const char *const log_form_names[N_LOGS];	/* as in a bundle: "ccel", "tcg", "aael", "ima" */

struct expect {
	const struct limits *limits;
	int64_t now;
	const struct collateral *given;	/* endorsements from the caller (--certs, --collateral); may be NULL */
	const struct collateral *carried;	/* those that came in the bundle; may be NULL */
	const struct collateral *anchors;	/* keys and CA certificates that the caller trusts (--trust-anchor), for TPM and CCA; may be NULL */
	bool no_collateral;		/* the caller waived what collateral would show (--insecure-no-collateral): those checks warn */
	struct slice logs[N_LOGS];	/* event logs, by enum log_form; n 0: none */
	const struct snp_roots *snp_roots;	/* NULL: the built-in ones */
	const uint8_t *intel_root;	/* SHA-256 of the root's SubjectPublicKeyInfo; NULL: Intel's */
	const uint8_t *nv_device_root, *nv_rim_root;	/* SHA-256 of a certificate's DER; NULL: NVIDIA's */
	struct slice ocsp_nonce;	/* that certificate status asked for after the challenge carries; n 0: not known */
	struct slice report_data;	/* expected in the evidence, zero padded on the right; n 0: none was given */
	bool no_freshness;		/* the caller waived freshness (--insecure-no-nonce); report_data is still compared when given */
	bool allow_sample, allow_tpm;
};

/* The i-th piece of that type, those of the caller first; NULL: no more. */
const struct collateral_item *expect_collateral(const struct expect *x, enum collateral_type t, size_t i);

#endif
