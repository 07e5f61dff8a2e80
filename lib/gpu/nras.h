/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_NRAS_H
#define CVMBOX_GPU_NRAS_H

/* What NVIDIA's remote attestation service answers: a detached EAT bundle (nvidia-gpu.md 4.2), v3 and v4:
 * [ ["JWT", OVERALL], {"GPU-0": JWT, ..} ].  Its checks run in the order of 4.2, as named checks. */

#include "codec/json.h"
#include "evidence/checks.h"

#define NRAS_ISSUER "https://nras.attestation.nvidia.com"
#define NRAS_SUBMODS_MAX 64
#define NRAS_MAX ((size_t)1 << 20)

struct nras_submod {
	char name[64];
	struct slice text;		/* the JWT, as it stands there: its SHA-256 is what the overall token names */
	struct json *header, *claims;	/* not believed before the checks */
};
struct nras {
	struct json *doc;		/* owns the texts */
	struct slice overall;
	struct json *header, *claims;
	struct nras_submod v[NRAS_SUBMODS_MAX];
	size_t n;
	/* what is expected of it; set by the caller before the checks */
	const struct json *keys;	/* JWK set, believed as it is (dates and issuers in it are not judged); keys are taken from kty members, or
					 * from x5c[0]; where both are there they have to be the same */
	const char *issuer;		/* NULL: NRAS_ISSUER */
	struct slice nonce;		/* n 0: none was given */
};
#define AUTO_NRAS __attribute__((cleanup(nras_free))) struct nras
void nras_free(struct nras *t);

bool nras_recognise(const struct json *j);
/* EC_FORMAT: another form, no device or more than NRAS_SUBMODS_MAX, a name that is not 1 to 63 of A-Z a-z 0-9 . _ -, a part that is no JWT
 * with JSON claims, a header with critical extensions. */
int nras_parse(struct nras *ret, struct slice text, struct err *e);
/* In the order of the list each stands on the one before it up to the signature; all others stand on the signature.
 * nras.alg, nras.key, nras.signature, nras.issuer, nras.time, nras.nonce, nras.digests, nras.names, nras.overall, nras.claims (policy): subject is a
 * struct nras; x->now, x->limits, x->no_freshness count. */
extern const struct check nras_checks[];
extern const size_t n_nras_checks;
int nras_claims(struct json *to, const struct nras *t, struct err *e);	/* {"overall":{..},"GPU-0":{..}} */
int nras_details(struct json *to, const struct nras *t, struct err *e);	/* for `attest show`: headers too */

#endif
