/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_FETCH_H
#define CVMBOX_ATTEST_FETCH_H

/* Gets what verification of evidence needs and the evidence does not bring: from AMD's key distribution service (cpu-tee.md
 * 3.6), from Intel's provisioning certification service or a PCCS (4.5), from NVIDIA's services of reference integrity manifests and of
 * certificate status (nvidia-gpu.md 3.1, 2.5).  It judges nothing: what comes is kept when it is what was asked for and can be read; a
 * VCEK also has to be the one whose key signed the report, an answer about certificate status current and signed. */

#include "base/host.h"
#include "base/secret.h"
#include "evidence/bundle.h"
#include "evidence/collateral.h"

#define FETCH_KDS "https://kdsintf.amd.com"
#define FETCH_PCS "https://api.trustedservices.intel.com"
#define FETCH_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define FETCH_RIM "https://rim.attestation.nvidia.com"
#define FETCH_OCSP "https://ocsp.ndis.nvidia.com"

struct fetch_from {
	const char *kds, *pcs, *root_crl;	/* NULL: those above */
	const char *pccs;			/* not NULL: takes the place of pcs and root_crl */
	const char *rim, *ocsp;			/* NULL: those above; http:// beyond loopback is taken, because what comes is signed */
	const struct secret *service_key;	/* NULL: none; goes to the RIM service alone, as a bearer token, never over plain http:// beyond loopback */
	struct slice ocsp_nonce;		/* what OCSP answers shall carry, at most 32 bytes; n 0: derived from the nonce in the reports (bundle_nonce_for "ocsp") */
	bool no_ocsp;				/* manifests only */
	const char *product;			/* of SNP reports that do not say (version 2): "Milan", "Genoa"; NULL: found by trying */
	const char *cache_dir;			/* NULL: none */
	bool refresh;				/* ask the services even for what is at hand */
	unsigned retry_ms;			/* first pause after "too many requests"; 0: 4 s, NVIDIA 0.5 s */
};

struct fetched_piece {
	enum collateral_type type;
	char file[160];				/* its name in a folder: letters, digits, '.', '_', '-'; no two are the same */
	char source[256], fetched[32];		/* as in a bundle */
	struct buf data;
	bool cached;				/* out of the cache */
	struct buf cert, issuer;		/* COLLATERAL_OCSP: what it was asked about, DER */
};
struct fetched {
	struct fetched_piece *v;		/* at most COLLATERAL_ITEMS */
	size_t n;
	struct buf missing;			/* lines: what was asked for and did not come, and is not needed by every policy */
};
#define AUTO_FETCHED __attribute__((cleanup(fetched_free))) struct fetched
void fetched_free(struct fetched *f);

/* kind: as in kinds.h.  certs: certificate table that came with the evidence, or empty.  have: what is at hand already; may be
 * NULL.  Kinds that need nothing give nothing.
 *
 * Answers of 408, 429 and 5xx are asked again within bounds and the host's deadline, after what Retry-After says, or a random time
 * that doubles.  --offline leaves the cache.  A manifest that the service does not have (404) is a line in `missing`.  An OCSP answer
 * comes out of the cache only where the service cannot be asked.  EC_ABSENT: there is no such thing (masked chip id, unknown chip or
 * platform, --offline); EC_DENIED, EC_IO, EC_FORMAT, EC_REFUSED: what the service did. */
int fetch_collateral(struct fetched *ret, const struct host *h, const struct fetch_from *from, const char *kind, struct slice raw,
		     struct slice certs, const struct collateral *have, struct err *e);
/* For all pieces of evidence in a bundle, its NVIDIA devices together.  The nonce of OCSP requests is the bundle's (bundle_nonce_for
 * "ocsp"), so that a verifier who chose the nonce sees that the answers came after it. */
int fetch_bundle(struct fetched *ret, const struct host *h, const struct fetch_from *from, const struct bundle *b, const struct collateral *have,
		 struct err *e);
/* Adds what was fetched; what it replaces goes: lists of the same issuer, TCB documents, manifests of the same id, answers about the same
 * certificate. */
int fetch_into_bundle(struct bundle *b, const struct fetched *f, struct err *e);

#endif
