/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_NVCHAIN_H
#define CVMBOX_GPU_NVCHAIN_H

/* The certificate chain of an NVIDIA device (nvidia-gpu.md 2.4), and NVIDIA's pinned roots. */

#include "crypto/x509.h"

#define NVCHAIN_CERTS 5			/* leaf, device, provisioner, identity, root */
extern const uint8_t nv_device_root[32];	/* SHA-256 of the DER of "NVIDIA Device Identity CA" */
extern const uint8_t nv_rim_root[32];		/* of "NVIDIA CoRIM signing Root CA" */

/* PEM or DER, leaf first.  EC_FORMAT: not exactly five. */
int nvchain_parse(struct cert_list *ret, struct slice text, struct err *e);
/* Exactly in this order, P-384, each step with the rules for CAs, to the root with this SHA-256 (NULL: NVIDIA's).  EC_REFUSED with the
 * reason; dates have texts of their own. */
int nvchain_verify(const struct cert_list *l, const uint8_t *root, int64_t now, struct err *e);
int nvchain_issued(const struct cert_list *l, const uint8_t *root, struct err *e);	/* the same, but for dates */
int nvchain_dates(const struct cert_list *l, int64_t now, struct err *e);		/* of each in it */
/* SHA-384 that the leaf vouches for; both DICE forms.  EC_FORMAT: there is none. */
int nvchain_fwid(uint8_t ret[static 48], const struct cert *leaf, struct err *e);
/* Serial number of the leaf, decimal: NVIDIA's ueid. */
int nvchain_ueid(struct buf *ret, const struct cert *leaf, struct err *e);
/* Device PDI, 8 bytes in certificate order, from the serialNumber attribute of certificate 1; and its CN: hwmodel ("GH100 A01 GSP BROM"). */
int nvchain_pdi(uint8_t ret[static 8], const struct cert *device, struct err *e);
int nvchain_hwmodel(struct buf *ret, const struct cert *device, struct err *e);

#endif
