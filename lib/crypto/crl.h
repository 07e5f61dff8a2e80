/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_CRL_H
#define CVMBOX_CRYPTO_CRL_H

/* Certificate revocation lists (RFC 5280 section 5), full ones. */

#include "crypto/x509.h"

#define CRL_MAX ((size_t)4 << 20)

struct crl {			/* owns its DER */
	void *ctx;
	struct slice der, issuer;	/* whole list; raw Name.  Into ctx, as all slices below */
	struct slice number;		/* cRLNumber, contents of the INTEGER; n 0: none */
	int64_t this_update, next_update;	/* seconds UTC; next_update 0: none given */
	size_t entries;
};
void crl_free(struct crl *c);		/* may run twice */

/* One list: DER, PEM ("X509 CRL"), or either of these as hex text (PCCS answers so).  EC_FORMAT: anything else, trailing
 * bytes, delta lists. */
int crl_parse(struct crl *ret, struct slice in, struct err *e);
/* Made by issuer (name; cRLSign where key usage says anything; signature), and current: this_update <= now <= next_update,
 * a missing next_update is refused.  A critical extension that is not understood (also of an entry) is refused.  EC_REFUSED;
 * too old and too new have distinct texts with the window and the time used. */
int crl_check(const struct crl *c, const struct cert *issuer, int64_t now, struct err *e);
/* Is this certificate on it?  serial: as in struct cert.  Compared as numbers. */
bool crl_lists(const struct crl *c, struct slice serial);

/* For tests: a list with these serial numbers (big endian).  pss as in struct cert_make. */
struct crl_make {
	const struct cert *issuer;
	const struct privkey *issuer_key;
	int64_t this_update, next_update;
	const struct slice *serials;
	size_t n_serials;
	bool pss;
};
int crl_make(struct buf *ret_der, const struct crl_make *m, struct err *e);

#endif
