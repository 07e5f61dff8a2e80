/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVIDENCE_COLLATERAL_H
#define CVMBOX_EVIDENCE_COLLATERAL_H

/* Endorsements (RFC 9334): what others say about the hardware.  Each piece is recognised by its content, never by its name,
 * and kept as received, because what is signed is what is hashed.  Nothing in here is believed before a check has followed
 * it to a pinned root. */

#include "codec/json.h"
#include "crypto/crl.h"
#include "crypto/ocsp.h"
#include "crypto/x509.h"

enum collateral_type {
	COLLATERAL_CERTS,	/* PEM or DER certificates; also read into struct collateral's certs */
	COLLATERAL_CRL,
	COLLATERAL_TCB_INFO,	/* Intel PCS v3/v4 answer {"tcbInfo":..,"signature":..}, as received */
	COLLATERAL_QE_IDENTITY,	/* {"enclaveIdentity":..,"signature":..}, as received */
	COLLATERAL_RIM,		/* NVIDIA's reference integrity manifest: the XML document (a RIM service's JSON answer is opened, its SHA-256 checked) */
	COLLATERAL_OCSP,	/* an OCSP response, DER */
	N_COLLATERAL_TYPES
};
const char *collateral_name(enum collateral_type t);	/* as in a bundle: "x509.certs", "x509.crl", "tdx.tcbinfo", "tdx.qeidentity", "nvidia.rim", "ocsp" */
bool collateral_known(const char *name);

struct collateral_item {
	enum collateral_type type;
	char source[256];	/* file name, URL or words */
	char fetched[32];	/* RFC 3339, or "" */
	struct buf data;	/* CRL: DER; else as received */
	struct crl crl;		/* COLLATERAL_CRL */
	struct ocsp ocsp;	/* COLLATERAL_OCSP */
};
#define COLLATERAL_ITEMS 256
#define COLLATERAL_BYTES ((size_t)64 << 20)	/* of all pieces together; more is EC_FORMAT */
struct collateral {
	struct collateral_item *v;	/* at most COLLATERAL_ITEMS */
	size_t n;
	struct cert_list certs;		/* of all pieces */
	struct pubkey_list {		/* bare public keys ("PUBLIC KEY" PEM, JWK): only trust anchors count */
		struct pubkey *v;
		size_t n;
	} keys;
};
#define AUTO_COLLATERAL __attribute__((cleanup(collateral_free))) struct collateral
void collateral_free(struct collateral *c);

/* Adds one piece.  Taken apart: an object that holds several (members pck_crl_issuer_chain, tcb_info_issuer_chain, tcb_info,
 * tcb_info_signature, qe_identity, qe_identity_signature, qe_identity_issuer_chain, root_ca_crl, pck_crl, as DCAP libraries write
 * it); the answer of a RIM service.  EC_FORMAT: not recognised; an OCSP answer that says nothing of any certificate ("tryLater"). */
int collateral_add(struct collateral *to, struct slice data, const char *source, const char *fetched, struct err *e);
/* A file, or a folder: of a folder all that is recognised counts.  Errors: none at all, a revocation list (*.crl, PEM) or a certificate
 * status (*.ocsp) that cannot be read, more than fits. */
int collateral_load(struct collateral *to, const char *path, struct err *e);
/* For the result: [{"type","source","fetched","age_s","valid_from","valid_until","state": "current|expired|not yet valid"}]; RIMs also
 * say "product" and "version".  Their window is that in which all certificates inside hold; that of OCSP answers where all that they say
 * does. */
int collateral_describe(struct json *to_array, const struct collateral *c, int64_t now, struct err *e);

#endif
