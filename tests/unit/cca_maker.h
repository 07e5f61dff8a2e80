/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CCA_MAKER_H
#define CVMBOX_CCA_MAKER_H

/* CCA tokens with test keys, and with whatever is wrong that a test asks for. */

#include "crypto/cose.h"
#include "tee/cca.h"

struct cca_make {			/* zeros: a good legacy token by P-384 keys, challenge all zero */
	bool wrapped;			/* tag 907, COSE_Key, new profiles */
	enum key_type key;		/* KEY_NONE: P-384 */
	const void *challenge;
	size_t challenge_n;
	uint16_t lifecycle;		/* 0: 0x3003 */
	const char *profile, *key_hash;	/* NULL: as it should be */
	bool other_binding;		/* the platform vouches for another key */
	bool realm_by_other, platform_by_other;	/* signed by another key than the one named */
	int skip;			/* 1..: leave out the n-th claim of the platform token; -1..: of the realm token */
	uint8_t instance;		/* second byte of the instance id */
	size_t components;		/* 0: 2 */
};
void cca_make(struct buf *ret, const struct cca_make *m);
const struct privkey *cca_key(enum key_type t, int which);	/* which: 0 platform, 1 realm, 2 another; made once */
void cca_public(struct pubkey *ret, enum key_type t, int which);
/* The same parts in a new outer form, for tests that change them: COSE_Sign1 bytes as they are. */
void cca_join(struct buf *ret, bool wrapped, struct slice platform, struct slice realm);

#endif
