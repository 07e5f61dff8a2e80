/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_RIM_MAKER_H
#define CVMBOX_RIM_MAKER_H

/* A PKI like that of NVIDIA's reference manifests, with test keys (root, L2, L3, signer L4), and manifests that it signs. */

#include "gpu/rim.h"

#define RIM_MAKER_NOW INT64_C(1750000000)	/* inside the validity of everything made here but what says otherwise */
#define RIM_MAKER_DAY INT64_C(86400)

const uint8_t *rim_maker_root(void);		/* SHA-256 of the root's DER: struct expect's nv_rim_root */
const struct privkey *rim_maker_ca_key(void);	/* of all its CAs: signs certificates and their status */

struct rim_make_golden {
	unsigned index;
	const uint8_t (*hash)[48];		/* n of them; NULL: 48 bytes of 0xee, i-th alternative 0xee + i */
	size_t n;				/* 0: 1 */
	bool inactive;
};
struct rim_make_svn {
	unsigned opaque_type;
	uint32_t min;
	const char *name;			/* NULL: "svn_TYPE" */
	bool publish, inactive;
};
enum rim_fault {
	RIM_GOOD,
	RIM_WRONG_DIGEST,			/* the text was changed after signing: tagVersion */
	RIM_WRONG_SIGNATURE,			/* another key of the same type signed */
	RIM_OTHER_ROOT,				/* the chain leads to another root of the same name */
	RIM_GAP,				/* L3 is left out */
	RIM_REVERSED,				/* the chain stands root first */
	RIM_MID_NO_CA,				/* L3 is no CA */
	RIM_PATH_LEN,				/* another CA between L3 (path length 0) and the signer */
	RIM_SIGNER_EXPIRED, RIM_SIGNER_FUTURE,	/* yesterday, tomorrow */
	RIM_MID_EXPIRED,			/* L3 */
	RIM_SIGNER_FOR_OCSP,			/* its extended key usage */
	RIM_NO_ROOT				/* the root does not come along */
};
struct rim_make {				/* zeros: a driver manifest of GH100 550.54.14 that demands index 7: 48 bytes of 0xee */
	const char *name, *product, *edition;	/* "GH100", "GH100", "GPU" */
	const char *version, *tag_id, *oemid;	/* "550.54.14", "test", "5703" */
	const struct rim_make_golden *golden;	/* other indexes are there and inactive */
	size_t n_golden;
	bool sparse;				/* other indexes are not there: small */
	const struct rim_make_svn *svn;
	size_t n_svn;
	enum rim_fault fault;
	int64_t from, until;			/* validity of the signer relative to RIM_MAKER_NOW; both 0: 30 days each way */
	const char *payload_extra;		/* XML at the end of Payload */
	const char *root_extra;			/* XML behind Payload */
};
/* The document; appended. */
void rim_make(struct buf *ret, const struct rim_make *m);
/* The same without a signature: for texts that are changed before rim_sign. */
void rim_make_text(struct buf *ret, const struct rim_make *m);
/* Signs a document: whatever stands in its only dsig Signature is replaced, or one is put before the end tag of the root.  False: it is no
 * XML that can be signed.  Fails no test then. */
bool rim_sign(struct buf *ret, struct slice text, const struct rim_make *m);
/* What the RIM service would answer; appended. */
void rim_service_make(struct buf *ret, const char *id, struct slice rim);

#endif
