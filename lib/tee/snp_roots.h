/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SNP_ROOTS_H
#define CVMBOX_TEE_SNP_ROOTS_H

/* AMD's roots for SEV-SNP, per product.  They are facts: the ARK counts by its key, and everything below it by its
 * signature. */

#include <stdint.h>

#include "tee/snp.h"

struct snp_root {
	enum snp_product product;
	uint8_t ark_key[32];			/* SHA-256 of the ARK's SubjectPublicKeyInfo */
	const char *ark, *ask, *asvk;		/* PEM */
};
struct snp_roots {
	const struct snp_root *v;
	size_t n;
};
extern const struct snp_roots snp_roots_amd;

const struct snp_root *snp_root_of(const struct snp_roots *roots, enum snp_product p);	/* NULL: none */

#endif
