/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_INT_H
#define CVMBOX_TEE_TDX_INT_H

/* Between the tdx_*.c files only: the subject of the checks, and the checks by file. */

#include "tee/tdx_tcb.h"
#include "tee/tdx_verify.h"

struct tdx_list_use {		/* a revocation list that counted */
	bool used;
	int64_t issued, next_update;
	uint8_t number[24];	/* cRLNumber */
	size_t number_n;
};

/* All certificates at hand, without repetitions: those of the quote, the caller's, the bundle's. */
#define POOL_MAX 192
struct pool {
	const struct cert *v[POOL_MAX];
	size_t n;
	struct cert root[8];	/* pinned ones; borrowed, not owned */
	struct cert_list roots;
};

struct tdx_subject {
	struct buf raw, log;	/* the quote, and the event log of Trustee's JSON */
	struct tdx_quote q;
	struct cert_list certs;	/* of the quote's certification data */
	struct buf cert_trouble;	/* why these cannot be read */
	struct tdx_pck pck;	/* of the leaf in the quote, later of the one that counts */
	bool has_pck;

	/* what the checks found; certificates are those of the quote or of the collateral */
	const struct cert *leaf, *mid;
	bool leaf_signs;	/* the QE report's signature holds by its key */
	const struct cert *tcb_signer, *qe_signer;
	struct tdx_tcb_info tcb;
	struct tdx_qe_identity id;
	bool has_tcb, has_id;	/* genuine; dates are judged by tdx.tcbinfo and tdx.qeidentity */
	struct tdx_list_use root_crl, pck_crl;
	struct tcb_verdict v;
	bool has_verdict;
	struct pool pool;	/* made by tdx.pck, which everything else about certificates stands on */
	int64_t now;
};

/* Outcome of a check whose collateral is not there. */
enum outcome tdx_missing(const struct expect *x, struct finding *f, const char *expected, const char *actual);
void tdx_time(struct buf *to, int64_t t);		/* "2026-03-16T22:06:09Z" */

typedef enum outcome tdx_check(void *p, const struct expect *x, struct finding *f);
/* tdx_verify.c: the quote itself */
tdx_check tdx_check_header, tdx_check_reserved, tdx_check_trailing, tdx_check_pck, tdx_check_chain, tdx_check_qe_signature,
	tdx_check_qe_binding, tdx_check_signature;
/* tdx_collateral.c: documents and lists */
tdx_check tdx_check_tcbinfo, tdx_check_qeidentity, tdx_check_crl_root, tdx_check_crl_pck, tdx_check_age;
/* tdx_patch.c: what the documents make of the machine */
tdx_check tdx_check_qe_identity, tdx_check_seam, tdx_check_module, tdx_check_status, tdx_check_advisories, tdx_check_evaluation;
/* tdx_policy.c: values of the TD against what is wanted */
tdx_check tdx_check_debug, tdx_check_migratable, tdx_check_attributes, tdx_check_xfam, tdx_check_report_data, tdx_check_measurement,
	tdx_check_config_id, tdx_check_init_data, tdx_check_owner, tdx_check_owner_config, tdx_check_mr_seam, tdx_check_rtmr0, tdx_check_rtmr1,
	tdx_check_rtmr2, tdx_check_rtmr3, tdx_check_service_td, tdx_check_fmspc, tdx_check_ppid;

#endif
