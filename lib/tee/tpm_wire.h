/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TPM_WIRE_H
#define CVMBOX_TEE_TPM_WIRE_H

/* Structures of TPM 2.0 as bytes (Part 2; cpu-tee.md 2.8 and 2.9): read into views of the input, never written back.  All
 * integers are big endian. */

#include "crypto/hash.h"
#include "crypto/sig.h"

enum {	/* TPM_ALG_ID */
	TPM_RSA = 0x0001, TPM_SHA1 = 0x0004, TPM_AES = 0x0006, TPM_SHA256 = 0x000b, TPM_SHA384 = 0x000c, TPM_SHA512 = 0x000d,
	TPM_NULL = 0x0010, TPM_SM3 = 0x0012, TPM_RSASSA = 0x0014, TPM_RSAPSS = 0x0016, TPM_ECDSA = 0x0018, TPM_ECC = 0x0023
};
enum hash tpm_hash(uint16_t alg);		/* HASH_NONE: none that this program knows */
uint16_t tpm_hash_alg(enum hash h);		/* 0: the TPM has none such */
const char *tpm_alg_name(uint16_t alg);	/* "sha256", "ecdsa"; "unknown" */

#define TPM_PCRS 24			/* of a PC client; more are never selected */
#define TPM_ALL_PCRS UINT32_C(0xffffff)

/* Values of PCRs of one bank. */
struct tpm_pcrs {
	uint16_t bank;			/* TPM_SHA256, .. */
	uint32_t mask;			/* bit n: v[n] is there */
	uint8_t v[TPM_PCRS][HASH_MAX];	/* hash_size(tpm_hash(bank)) bytes each */
};
struct slice tpm_pcr(const struct tpm_pcrs *p, unsigned n);	/* empty: not there */
/* What a quote's pcrDigest has to be: H over the values in ascending order.  h: hash of the signing scheme.  ret: hash_size(h). */
int tpm_pcr_digest(uint8_t *ret, enum hash h, const struct tpm_pcrs *p, struct err *e);
/* "sha256:0-7,11" (also "sha256:all").  EC_USAGE. */
int tpm_pcr_selection(uint16_t *bank, uint32_t *mask, const char *text, struct err *e);
void tpm_pcr_list(struct buf *ret, uint32_t mask);		/* "0-7,11" */

/* TPMS_ATTEST.  A quote only where type says so: of other types selection and digest stay empty. */
#define TPM_MAGIC UINT32_C(0xff544347)
#define TPM_ST_QUOTE 0x8018
#define TPM_SELECTIONS 8
struct tpm_attest {		/* slices point into the input */
	uint32_t magic;
	uint16_t type;
	struct slice signer;		/* qualified name of the key */
	struct slice extra;		/* the nonce */
	uint64_t clock, firmware;
	uint32_t resets, restarts;
	uint8_t safe;
	size_t n_selections;
	struct {
		uint16_t bank;
		uint32_t mask;
	} selection[TPM_SELECTIONS];
	struct slice digest;		/* pcrDigest */
};
/* EC_FORMAT: cut, trailing bytes, a bitmap over PCR 23, a bank twice, more than TPM_SELECTIONS banks.  Wrong magic and other types
 * are for the checks to say. */
int tpm_attest_parse(struct tpm_attest *ret, struct slice raw, struct err *e);

/* TPMT_PUBLIC of an asymmetric key. */
enum {	/* TPMA_OBJECT */
	TPMA_FIXED_TPM = 1 << 1, TPMA_ST_CLEAR = 1 << 2, TPMA_FIXED_PARENT = 1 << 4, TPMA_SENSITIVE_ORIGIN = 1 << 5,
	TPMA_USER_WITH_AUTH = 1 << 6, TPMA_RESTRICTED = 1 << 16, TPMA_DECRYPT = 1 << 17, TPMA_SIGN = 1 << 18
};
struct tpm_public {		/* slices point into the input */
	struct slice raw;
	uint16_t type, name_alg;
	uint32_t attributes;
	struct slice policy;
	uint16_t scheme, scheme_hash;	/* TPM_NULL, 0: the caller of a command chooses */
	uint16_t curve, bits;		/* ECC: curve; RSA: bits */
	uint32_t exponent;
	struct slice x, y;		/* RSA: x is the modulus */
};
int tpm_public_parse(struct tpm_public *ret, struct slice raw, struct err *e);	/* EC_FORMAT; trailing bytes too */
int tpm_public_key(struct pubkey *ret, const struct tpm_public *p, struct err *e);
/* nameAlg || H(area): 2 + hash_size bytes, appended. */
int tpm_public_name(struct buf *ret, const struct tpm_public *p, struct err *e);
/* The restricted signing key that an attestation key has to be: 0, or EC_REFUSED with the attribute that is wrong. */
int tpm_public_attests(const struct tpm_public *p, struct err *e);

/* TPMT_SIGNATURE: RSASSA, RSAPSS, ECDSA. */
struct tpm_signature {		/* slices point into the input */
	uint16_t alg, hash;
	struct slice r, s;		/* RSA: r is the signature */
};
int tpm_signature_parse(struct tpm_signature *ret, struct slice raw, struct err *e);
/* Over the message as received.  EC_REFUSED: does not hold, SHA-1, or no scheme for this key. */
int tpm_signature_verify(const struct tpm_signature *s, const struct pubkey *k, struct slice message, struct err *e);

#endif
