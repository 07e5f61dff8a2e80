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
	bool from_afar;			/* valid from tomorrow */
	uint8_t without;		/* this part of extension 3 is left out; 9 and 4 follow the product */
	uint8_t spare;			/* value of spl7 */
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
/* The table of auxblob: these entries; with one DER: a VCEK. */
struct table_entry {
	const char *guid;		/* 32 hex digits */
	struct slice data;
};
#define GUID_VCEK "63da758de6644564adc5f4b93be8accd"
#define GUID_VLEK "a8074bc2a25a483eaae639c045a0b8a1"
#define GUID_ASK "4ab7b379bbac4fe4a02f05aef327c782"
#define GUID_ARK "c0b406a4a80349529743" "3fb6014cd0ae"
#define GUID_CRL "92f81bc358114d3d97ffd19f88dc67ea"
#define GUID_EXTRA "ecae0c0f950243b1afa20ae2e0d565b6"
void entries_make(struct buf *ret, const struct table_entry *v, size_t n);
void table_make(struct buf *ret, struct slice vcek_der);

/* The ARK's revocation list, DER.  Zeros: an empty one of Milan, from yesterday to tomorrow. */
struct list_make {
	enum snp_product product;
	int64_t from, until;		/* relative to MAKER_NOW; both 0: as above */
	bool by_other_key, names_ask, names_asvk;
};
void list_make(struct buf *ret, const struct list_make *l);
/* The certificates of a product's CA, DER. */
enum maker_ca { MAKER_ARK, MAKER_ASK, MAKER_ASVK };
struct slice maker_ca_der(enum snp_product p, enum maker_ca which);
/* An ASK of that name under the ARK, with another key than the one that signs VEKs here; PEM. */
void maker_other_ask(struct buf *ret, enum snp_product p);
const struct privkey *maker_vek_key(void);
void to_pem(struct buf *ret, struct slice der);

/* A TDX quote that is whole, and signed by nobody; report_data: 64 bytes or NULL. */
void quote_make(struct buf *b, uint16_t version, uint16_t body_type, size_t body, const uint8_t *report_data);

#endif
