/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_SNP_H
#define CVMBOX_TEE_SNP_H

/* AMD SEV-SNP attestation reports (cpu-tee.md 3; AMD 56860).  The report is kept as received: what is signed is what
 * is hashed. */

#include "codec/json.h"
#include "evidence/kind.h"

#define SNP_REPORT_SIZE 1184
#define SNP_SIGNED_SIZE 0x2a0
#define SNP_VMPL_HOST UINT32_C(0xffffffff)	/* the host asked for this report */

enum snp_product { SNP_UNKNOWN, SNP_MILAN, SNP_GENOA, SNP_TURIN };
const char *snp_product_name(enum snp_product p);		/* "Milan"; NULL for SNP_UNKNOWN */
enum snp_product snp_product_by_name(struct slice name);	/* "Milan-B0", "Milan": up to '-', case matters */
/* "Milan", "Bergamo or Siena" (they are signed as Genoa), "Venice" (which has no root here); NULL: not known.  By family and
 * model, as they stand in reports from version 3 on. */
const char *snp_cpu_name(uint8_t family, uint8_t model);

enum snp_key { SNP_KEY_VCEK = 0, SNP_KEY_VLEK = 1, SNP_KEY_NONE = 7 };

struct snp_tcb {	/* by tcb_part_names; -1: this product has no such part */
	int v[TCB_PARTS];
};

struct snp_report {
	uint8_t raw[SNP_REPORT_SIZE];
	uint32_t version, guest_svn, vmpl, sig_algo, flags;
	uint64_t policy, platform;
	uint8_t family, model, stepping;	/* version 3 and later */
	enum snp_product product;		/* version 2 does not say: SNP_UNKNOWN until a certificate does */
};

#define SNP_POLICY_SMT (UINT64_C(1) << 16)
#define SNP_POLICY_RESERVED_ONE (UINT64_C(1) << 17)
#define SNP_POLICY_MIGRATE (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG (UINT64_C(1) << 19)
#define SNP_POLICY_SINGLE_SOCKET (UINT64_C(1) << 20)
#define SNP_POLICY_RAPL_DIS (UINT64_C(1) << 23)
#define SNP_POLICY_CIPHERTEXT_HIDING (UINT64_C(1) << 24)
#define SNP_PLATFORM_SMT (UINT64_C(1) << 0)
#define SNP_PLATFORM_TSME (UINT64_C(1) << 1)
#define SNP_PLATFORM_RAPL_DIS (UINT64_C(1) << 3)
#define SNP_PLATFORM_CIPHERTEXT_HIDING (UINT64_C(1) << 4)
#define SNP_PLATFORM_ALIAS_CHECK (UINT64_C(1) << 5)
#define SNP_FLAG_AUTHOR_KEY 1u
#define SNP_FLAG_MASK_CHIP_KEY 2u

/* raw: exactly SNP_REPORT_SIZE bytes.  Versions 2 and later; later than 5 keep the known prefix. */
int snp_report_parse(struct snp_report *ret, struct slice raw, struct err *e);
/* Does it begin like a report (possibly cut)? */
bool snp_report_looks_like(struct slice raw);

struct slice snp_report_data(const struct snp_report *r);	/* 64 */
struct slice snp_measurement(const struct snp_report *r);	/* 48 */
struct slice snp_host_data(const struct snp_report *r);		/* 32 */
struct slice snp_family_id(const struct snp_report *r);		/* 16 */
struct slice snp_image_id(const struct snp_report *r);		/* 16 */
struct slice snp_id_key_digest(const struct snp_report *r);	/* 48 */
struct slice snp_author_key_digest(const struct snp_report *r);	/* 48 */
uint64_t snp_launch_mitigations(const struct snp_report *r);	/* version 5; 0 before */
uint64_t snp_current_mitigations(const struct snp_report *r);
bool snp_all_zero(struct slice s);
struct slice snp_chip_id(const struct snp_report *r);		/* 64, or 8 on Turin */
struct slice snp_chip_id_field(const struct snp_report *r);	/* always 64 */
bool snp_chip_id_masked(const struct snp_report *r);		/* all zero */
bool snp_is_turin(const struct snp_report *r);			/* decides how TCBs are laid out */
enum snp_key snp_signing_key(const struct snp_report *r);
enum { SNP_TCB_CURRENT = 0x38, SNP_TCB_REPORTED = 0x180, SNP_TCB_COMMITTED = 0x1e0, SNP_TCB_LAUNCH = 0x1f0 };	/* offsets */
struct snp_tcb snp_tcb_at(const struct snp_report *r, unsigned offset);
void snp_tcb_text(struct buf *ret, const struct snp_tcb *t);
/* Signature as r||s, big endian, 96 bytes.  False if the padding behind either number is not zero. */
bool snp_signature(uint8_t ret[static 96], const struct snp_report *r);
/* Is anything set that has to be zero in this version?  Then the ranges are named in ret.  Bits of the platform do not count:
 * new ones come with new firmware. */
bool snp_reserved_set(struct buf *ret, const struct snp_report *r);
/* Names of the bits that are set, "smt, debug"; those without a name as "bit 6". */
void snp_policy_text(struct buf *ret, uint64_t bits);
void snp_platform_text(struct buf *ret, uint64_t bits);

/* Trustee's claims, and everything for people. */
int snp_claims(struct json *to, const struct snp_report *r, struct err *e);
int snp_details(struct json *to, const struct snp_report *r, struct err *e);

/* Trustee's evidence JSON (key-broker.md 2.3). */
int snp_json_write(struct json **ret, const struct snp_report *r, struct slice table, struct err *e);
/* Rebuilds the raw report; certificates of cert_chain are appended to certs as DER (each with what it is called). */
struct snp_certs;
int snp_json_read(struct snp_report *ret, struct snp_certs *certs, const struct json *j, struct err *e);

/* Certificate table of the host (cpu-tee.md 3.5). */
enum snp_cert_type { SNP_CERT_OTHER, SNP_CERT_VCEK, SNP_CERT_VLEK, SNP_CERT_ASK, SNP_CERT_ARK, SNP_CERT_CRL,
		     SNP_CERT_EXTRA	/* Google's platform information */ };
const char *snp_cert_type_name(enum snp_cert_type t);
/* What a GUID stands for, as text has it or with its first three groups little endian; textual: the former. */
enum snp_cert_type snp_cert_type_of(uint8_t textual[static 16], const uint8_t guid[static 16]);
#define SNP_CERTS_MAX 32
struct snp_certs {
	struct snp_cert_entry {
		enum snp_cert_type type;
		uint8_t guid[16];	/* textual order */
		struct slice data;	/* into the table, or into `own` */
	} v[SNP_CERTS_MAX];
	size_t n;
	struct buf own[SNP_CERTS_MAX];	/* bytes of entries that came as JSON */
	size_t n_own;
};
void snp_certs_free(struct snp_certs *c);
int snp_table_parse(struct snp_certs *ret, struct slice table, struct err *e);

extern const struct evidence_kind evidence_snp;

#endif
