/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TDX_MAKER_H
#define CVMBOX_TDX_MAKER_H

/* A PKI like Intel's, with test keys: root, PCK CA, PCK certificates with their extension, a TCB signer, documents, lists, and the quotes
 * of machines under it.  Zeros give what is good and up to date. */

#include "evidence/collateral.h"
#include "tee/tdx.h"

#define TDX_NOW INT64_C(1750000000)		/* inside the validity of everything made here */
#define TDX_DAY INT64_C(86400)

const uint8_t *tdx_maker_root(void);		/* SHA-256 of the root's key: struct appraise_in's intel_root */

struct tdx_make {			/* a machine and its quote */
	uint16_t version, body_type;		/* 0: 4, 2 */
	uint16_t key_type, cert_type;		/* 0: 2, 5 */
	bool plain_module;			/* major version 0; else 1 */
	uint8_t module_svn, module_now;		/* 0: 6; now: body types 3 and 4 */
	uint8_t module_major;			/* 0: as above */
	int lag;				/* component 1 of the PCK is that much below the newest level */
	int microcode_lag;			/* the same for TDX component 2 */
	uint16_t pcesvn;			/* 0: 13 */
	uint64_t attributes;			/* or'ed into SEPT_VE_DISABLE */
	bool seam_signer, seam_attributes, bad_xfam, service_td, reserved, other_vendor;
	const void *report_data;
	size_t n;
	uint16_t qe_isvsvn, qe_prodid;		/* 0: 4, 2 */
	bool qe_debug, qe_other_signer, qe_misc, no_auth, odd_binding;
	bool other_machine;			/* another PCK key: its certificate and its signature */
	bool other_key_signs_qe, other_key_signs_quote, binding_of_other_key;
	/* certificates */
	bool other_root;			/* of the same name, with another key */
	bool leaf_expired, leaf_future, leaf_ca, mid_no_ca, processor_ca, no_root, no_mid, no_leaf, by_other_ca;
	const char *leaf_cn, *mid_cn;
	const char *fmspc;			/* hex; NULL: "00806f050000" */
	bool no_extension, pem_nul;
	struct slice extension;			/* n > 0: instead of the one that fits */
	size_t trailing;
	uint8_t trailing_byte;
};
void tdx_quote_make(struct buf *ret, const struct tdx_make *m);
void tdx_chain_make(struct buf *ret_pem, const struct tdx_make *m);	/* leaf, CA and root of that machine */
void tdx_pck_ext_make(struct buf *ret, const struct tdx_make *m);	/* the extension's value */
/* Header, body, QE report and authentication data of another quote, under the keys and the chain of ours. */
void tdx_quote_resign(struct buf *ret, const struct tdx_quote *q);

struct tdx_docs {			/* what Intel says about it */
	bool no_tcb, no_id, no_root_crl, no_pck_crl, no_signer;
	const char *fmspc, *pceid, *tcb_id, *qe_id;	/* NULL: what fits */
	unsigned tcb_version, qe_version;	/* 0: 3, 2 */
	const char *level, *module, *qe;	/* status of the newest levels; NULL: "UpToDate" */
	const char *old_level, *old_module;	/* of the ones below; NULL: "OutOfDate" */
	const char *extra;			/* text of a further member of the signed TCB info, with its comma */
	bool no_modules, reversed;
	const char *module_signer;		/* 96 hex digits */
	uint64_t evaluation;			/* 0: 17 */
	int64_t tcb_issued, tcb_next, id_issued, id_next, crl_issued, crl_next;	/* 0: a week ago, in three weeks */
	bool signer_expired, signer_future, signer_other_cn, signer_by_other_root, signer_ca, tcb_signed_by_other, id_signed_by_other;
	bool root_lists_mid, root_lists_signer, pck_lists_leaf, crl_by_other;
	bool processor_ca;
	const char *outer;			/* text of a further member of the unsigned outer object, with its comma */
};
void tdx_tcb_info_make(struct buf *ret, const struct tdx_docs *d);
void tdx_qe_identity_make(struct buf *ret, const struct tdx_docs *d);
/* All of it, added to a collateral. */
void tdx_docs_make(struct collateral *to, const struct tdx_docs *d);

#endif
