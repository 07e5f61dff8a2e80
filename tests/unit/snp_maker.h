/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_SNP_MAKER_H
#define CVMBOX_SNP_MAKER_H

/* A CA like AMD's, with test keys: roots per product, VCEKs and VLEKs with AMD's extensions, and reports that they sign. */

#include "crypto/x509.h"
#include "tee/snp.h"
#include "tee/snp_roots.h"

#define MAKER_NOW INT64_C(1750000000)		/* inside the validity of everything made here */

const struct snp_roots *maker_roots(void);	/* Milan, Genoa and Turin; made once */

struct vek_make {			/* zeros: a good VCEK for the report of report_make */
	bool vlek, wrapped_hwid, by_other_ca, ca, expired;
	enum snp_product issuer;	/* SNP_UNKNOWN: as the report */
	const char *product_name;	/* NULL: the report's */
	int tcb_delta;			/* added to snpSPL */
	bool no_snp_spl, other_hwid, no_hwid, wrong_issuer_kind;
};
/* DER of a certificate for the test VEK key, fitting this report but for what m says.  Appends. */
void vek_make(struct buf *ret_der, const uint8_t raw[static SNP_REPORT_SIZE], const struct vek_make *m);

struct report_make {			/* zeros: version 3, Milan, VMPL 0, policy 0x30000 */
	uint32_t version;
	enum snp_product product;
	bool vlek, debug, migrate, masked;
	uint32_t vmpl;
	const void *report_data;	/* n bytes */
	size_t n;
};
void report_make(uint8_t raw[static SNP_REPORT_SIZE], const struct report_make *m);
void report_sign(uint8_t raw[static SNP_REPORT_SIZE]);	/* again, after changes */
/* report, its VCEK, and the table of auxblob holding it */
void table_make(struct buf *ret, struct slice vcek_der);

/* A TDX quote that is whole, and signed by nobody; report_data: 64 bytes or NULL. */
void quote_make(struct buf *b, uint16_t version, uint16_t body_type, size_t body, const uint8_t *report_data);

#endif
