/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TPM_MAKER_H
#define CVMBOX_TPM_MAKER_H

/* Quotes by test keys, and as much of a TPM as collecting needs. */

#include "crypto/x509.h"
#include "tee/tpm.h"
#include "tee/tpm_quote.h"

#define TPM_MAKER_NOW INT64_C(1750000000)

enum maker_key { MAKER_ECC, MAKER_RSA, MAKER_OTHER, MAKER_CA, N_MAKER_KEYS };	/* OTHER: another ECC key */
const struct privkey *maker_key(enum maker_key k);
void maker_public(struct pubkey *ret, enum maker_key k);

struct attest_make {			/* zeros: all PCRs of sha256, nonce as given, endorsement hierarchy */
	uint32_t magic;
	uint16_t type, bank;
	uint32_t mask;
	bool no_pcrs, unsafe, second_bank;
	enum hash digest;		/* hash of pcrDigest; HASH_NONE: SHA-256 */
	const struct tpm_pcrs *pcrs;	/* NULL: those of maker_pcrs */
	struct slice signer;		/* n 0: 34 bytes of filler */
	struct slice nonce;
};
void maker_pcrs(struct tpm_pcrs *ret, uint16_t bank, uint32_t mask);	/* PCR n: n, n + 1, .. */
void attest_make(struct buf *ret, const struct attest_make *m);
/* TPMT_SIGNATURE.  alg 0: ECDSA or RSASSA. */
void quote_sign(struct buf *ret, struct slice attest, enum maker_key k, uint16_t alg, enum hash h);
void area_make(struct buf *ret, enum maker_key k, uint32_t attributes);	/* TPMT_PUBLIC; attributes 0: an attestation key's */
void area_signer(struct buf *ret, struct slice area, uint32_t hierarchy);	/* its qualified name as a primary key */

/* A TPM: PCRs of sha256, one attestation key, some NV. */
struct tpm_sim {
	struct tpm_pcrs pcrs;
	uint32_t counter;
	int busy;			/* that many answers are RETRY */
	int changes;			/* that many times a PCR changes between being read and being quoted */
	int counter_changes;		/* .. and between two parts of a reading */
	size_t nonce_max;		/* 0: 66 */
	uint32_t persistent;		/* handle of the key; 0: it is made by CreatePrimary */
	bool no_endorsement, only_rsa;
	unsigned loaded;		/* transient keys that were not flushed */
	struct { uint32_t index, attributes; struct buf data; } nv[4];
	size_t n_nv, chunk;		/* chunk: NV bytes at once, 0: 1024 */
};
void tpm_sim_init(struct tpm_sim *s);
void tpm_sim_free(struct tpm_sim *s);
void tpm_sim_answer(struct tpm_sim *s, struct buf *ret, struct slice command);
void tpm_sim_attach(struct tpm *t, struct tpm_sim *s, const struct host *h);

#endif
