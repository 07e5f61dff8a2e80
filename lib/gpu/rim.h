/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_RIM_H
#define CVMBOX_GPU_RIM_H

/* NVIDIA's reference integrity manifests: TCG SWID tags in XML with an enveloped signature (nvidia-gpu.md 3). */

#include "crypto/xmldsig.h"

#define RIM_MAX ((size_t)1 << 20)
#define RIM_INDEXES 64
#define RIM_ALTERNATIVES 64
#define RIM_SVNS 32
#define RIM_SVN_BASE 0x1000

struct rim_golden {			/* of one measurement index */
	bool there, active;
	size_t n;			/* accepted values */
	const uint8_t (*hash)[48];	/* into the rim's store */
	char name[64];
};
struct rim_svn {			/* minimum security version (3.5) */
	bool active, publish;		/* publish: includeInResult */
	uint16_t opaque_type;		/* index - 0x1000 */
	uint32_t min;
	char name[64];
};
struct rim {
	void *ctx;
	char name[32], product[32], edition[16];	/* "GH100", "GH100", "GPU" or "SWITCH" */
	char version[64];				/* colloquialVersion */
	char tag_id[128], oemid[16];
	struct rim_golden golden[RIM_INDEXES];
	struct rim_svn svn[RIM_SVNS];
	size_t n_svn, n_active;
	bool newer;			/* holds resources, or attributes of them, that this version does not know: what they demand is not read */
	struct xmldsig sig;
};
#define AUTO_RIM __attribute__((cleanup(rim_free))) struct rim
void rim_free(struct rim *r);		/* may run twice */

bool rim_recognise(struct slice text);		/* looks like one: XML whose root is SoftwareIdentity */
/* EC_FORMAT: not one, or one that cannot be used (missing members, hashes of another length, an index twice, no active resource).  Says
 * nothing about who made it. */
int rim_parse(struct rim *ret, struct slice xml, struct err *e);
/* The chain in it leads, in the order in which it stands there, from its first certificate to the root with this SHA-256 (NULL: NVIDIA's), but
 * for dates, and its key is not kept for something else (extended key usage).  NVIDIA's root itself may be left out: it is known. */
int rim_chain(const struct rim *r, const uint8_t *root, struct err *e);			/* EC_REFUSED */
int rim_dates(const struct rim *r, int64_t now, struct err *e);				/* EC_REFUSED: expired, not yet valid: distinct texts */
/* Digest of the document, and signature by the key of its first certificate; proves something only where rim_chain holds. */
int rim_signed(const struct rim *r, struct err *e);					/* EC_REFUSED: "digest .." or "signature .." */
/* Earliest end and latest begin of its chain's validity. */
void rim_window(int64_t *from, int64_t *until, const struct rim *r);

#endif
