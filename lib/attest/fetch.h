/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_FETCH_H
#define CVMBOX_ATTEST_FETCH_H

/* Gets what verification of evidence needs and the evidence does not bring: from AMD's key distribution service (cpu-tee.md
 * 3.6), from Intel's provisioning certification service or a PCCS (4.5).  It judges nothing: what comes is kept when it is what was
 * asked for and can be read; a VCEK also has to be the one whose key signed the report. */

#include "base/host.h"
#include "evidence/bundle.h"
#include "evidence/collateral.h"

#define FETCH_KDS "https://kdsintf.amd.com"
#define FETCH_PCS "https://api.trustedservices.intel.com"
#define FETCH_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

struct fetch_from {
	const char *kds, *pcs, *root_crl;	/* NULL: those above */
	const char *pccs;			/* not NULL: takes the place of pcs and root_crl */
	const char *product;			/* of SNP reports that do not say (version 2): "Milan", "Genoa"; NULL: found by trying */
	const char *cache_dir;			/* NULL: none */
	bool refresh;				/* ask the services even for what is at hand */
	unsigned retry_ms;			/* first pause after "too many requests"; 0: 4 s */
};

struct fetched_piece {
	enum collateral_type type;
	const char *file;			/* its name in a folder; static */
	char source[256], fetched[32];		/* as in a bundle */
	struct buf data;
	bool cached;				/* out of the cache */
};
#define FETCHED_MAX 16
struct fetched {
	struct fetched_piece v[FETCHED_MAX];
	size_t n;
	struct buf missing;			/* lines: what is not needed, was asked for, and did not come */
};
#define AUTO_FETCHED __attribute__((cleanup(fetched_free))) struct fetched
void fetched_free(struct fetched *f);

/* kind: as in kinds.h.  certs: certificate table that came with the evidence, or empty.  have: what is at hand already; may be
 * NULL.  Kinds that need nothing give nothing.
 *
 * Answers of 429 and 503 are asked again within bounds and the host's deadline, after what Retry-After says, or a random time
 * that doubles.  --offline leaves the cache.  EC_ABSENT: there is no such thing (masked chip id, unknown chip or platform,
 * --offline); EC_DENIED, EC_IO, EC_FORMAT: what the service did. */
int fetch_collateral(struct fetched *ret, const struct host *h, const struct fetch_from *from, const char *kind, struct slice raw,
		     struct slice certs, const struct collateral *have, struct err *e);
/* Adds what was fetched; lists and TCB documents that it replaces go. */
int fetch_into_bundle(struct bundle *b, const struct fetched *f, struct err *e);

#endif
