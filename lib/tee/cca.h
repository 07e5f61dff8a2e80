/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_CCA_H
#define CVMBOX_TEE_CCA_H

/* Arm CCA attestation tokens (cpu-tee.md 2.10; RMM specification A7.2): a platform token signed by the platform's key
 * (CPAK), which vouches for the key that signs the realm token.  There are no certificates and no dates inside: who may
 * sign is the verifier's to know, and only the challenge shows that a token is fresh. */

#include "crypto/cose.h"
#include "evidence/kind.h"

#define CCA_COMPONENTS 64

enum cca_state {		/* what the life cycle says of the platform */
	CCA_UNKNOWN, CCA_ASSEMBLY, CCA_PROVISIONING, CCA_SECURED, CCA_DEBUG, CCA_RECOVERABLE_DEBUG, CCA_DECOMMISSIONED
};
const char *cca_state_name(enum cca_state s);	/* "secured" */

struct cca_token {			/* all slices point into the raw token */
	bool wrapped;			/* outer form: tag 907 (conceptual message wrapper) instead of 399 */
	struct cose_sign1 platform, realm;

	struct slice profile, nonce, implementation, instance, config, service, hash_name;	/* n 0: absent */
	uint16_t lifecycle;
	struct cca_component {
		struct slice type, measurement, version, signer, hash_name;
	} components[CCA_COMPONENTS];
	size_t n_components;

	struct slice realm_profile, challenge, personalization, realm_hash_name;
	struct slice realm_key;		/* as carried: this is what the platform's nonce is the hash of */
	struct slice realm_key_hash_name, initial, extensible[4];
};

bool cca_token_looks_like(struct slice raw);
int cca_token_parse(struct cca_token *ret, struct slice raw, struct err *e);	/* proves nothing; EC_FORMAT */
enum cca_state cca_state_of(uint16_t lifecycle);
/* The realm's key: a COSE_Key, or in older tokens the uncompressed point. */
int cca_realm_key(struct pubkey *ret, const struct cca_token *t, struct err *e);

extern const struct evidence_kind evidence_cca;

#endif
