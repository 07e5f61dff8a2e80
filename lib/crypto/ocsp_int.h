/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_OCSP_INT_H
#define CVMBOX_CRYPTO_OCSP_INT_H

/* Between ocsp.c and ocsp_make.c only. */

#include "crypto/ocsp.h"
#include "crypto/x509_int.h"

#define OID_OCSP_BASIC "1.3.6.1.5.5.7.48.1.1"
#define OID_OCSP_NONCE "1.3.6.1.5.5.7.48.1.2"
#define OID_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"

#define DER_ENUMERATED 0x0a

/* CertID (RFC 6960 4.1.1): by hashes of the issuer's name and key, and the serial number as it stands in the certificate. */
int ocsp_put_id(struct buf *ret, const struct cert *c, const struct cert *issuer, enum hash h, struct err *e);

#endif
