/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TPM_H
#define CVMBOX_TEE_TPM_H

/* Talking to a TPM 2.0: raw commands over /dev/tpmrm0 (/dev/tpm0 where there is no resource manager), empty passwords
 * (cpu-tee.md 2.7 and 2.8).  Nothing here judges.
 *
 * Below a --sysroot the node may be a socket on which the same bytes go (`swtpm socket --server type=unixio,path=..`), or a file: a
 * recorded exchange, lines "> HEX" (command) and "< HEX" (response), other lines ignored; what was not recorded fails.
 *
 * Calls are bounded by the host's deadline, and by TPM_COMMAND_MS each.  RETRY, YIELDED and TESTING are asked again.  A response
 * code is EC_ABSENT where a thing (index, handle, bank) does not exist, EC_IO otherwise; tpm->rc keeps it. */

#include "base/host.h"
#include "tee/tpm_wire.h"

#define TPM_COMMAND_MS 120000		/* making an RSA key takes a hardware TPM that long */
#define TPM_BUFFER 4096			/* largest command or response */

enum {
	TPM_RH_OWNER = 0x40000001, TPM_RH_NULL = 0x40000007, TPM_RH_ENDORSEMENT = 0x4000000b, TPM_RH_PLATFORM = 0x4000000c
};
enum { TPM_RC_NV_DEFINED = 0x14c, TPM_RC_NV_UNINITIALIZED = 0x14a, TPM_RC_NV_AUTH = 0x149, TPM_RC_NV_RANGE = 0x146, TPM_RC_HANDLE_1 = 0x18b };

struct tpm {
	const struct host *h;
	/* One whole command, one whole response (appended to an empty ret); tests put their own here. */
	int (*transmit)(struct tpm *t, struct buf *ret, struct slice command, struct err *e);
	void *arg;
	uint32_t rc;			/* of the last command; 0: success */
	char where[64];			/* "/dev/tpmrm0" */
	int fd;
	struct buf recording;
	size_t at;			/* in the recording */
	uint32_t chunk;			/* NV bytes at once; 0: not asked yet */
};
#define TPM_INIT { .fd = -1 }
#define AUTO_TPM __attribute__((cleanup(tpm_close))) struct tpm
void tpm_close(struct tpm *t);		/* may run twice */
/* EC_ABSENT: no node; EC_IO: busy, or no right to open it; the hint says what to do. */
int tpm_open(struct tpm *ret, const struct host *h, struct err *e);
bool tpm_there(const struct host *h);	/* a node is there; it is not opened */

/* TPM2_GetCapability. */
enum { TPM_PT_MANUFACTURER = 0x105, TPM_PT_VENDOR_1 = 0x106, TPM_PT_FIRMWARE_1 = 0x10b, TPM_PT_NV_BUFFER_MAX = 0x12c };
int tpm_property(uint32_t *ret, struct tpm *t, uint32_t property, struct err *e);	/* EC_ABSENT: it has none such */
struct tpm_bank {
	uint16_t bank;
	uint32_t mask;			/* its PCRs; 0: not allocated */
};
int tpm_banks(struct tpm_bank *ret, size_t max, size_t *n, struct tpm *t, struct err *e);
/* Handles from first on, of its type (0x01000000 NV, 0x81000000 persistent, 0x80000000 transient). */
int tpm_handles(uint32_t *ret, size_t max, size_t *n, struct tpm *t, uint32_t first, struct err *e);

/* NV.  Reading takes owner or index authorisation, as the index' attributes allow. */
enum { TPMA_NV_OWNERWRITE = 1 << 1, TPMA_NV_AUTHWRITE = 1 << 2, TPMA_NV_OWNERREAD = 1 << 17, TPMA_NV_AUTHREAD = 1 << 18,
       TPMA_NV_NO_DA = 1 << 25, TPMA_NV_WRITTEN = 1 << 29 };
struct tpm_nv {
	uint32_t index, attributes;
	uint16_t name_alg, size;
};
int tpm_nv_read_public(struct tpm_nv *ret, struct tpm *t, uint32_t index, struct err *e);	/* EC_ABSENT: not defined */
int tpm_nv_read(struct buf *ret, struct tpm *t, uint32_t index, struct err *e);		/* all of it, appended; EC_ABSENT: not defined or never written */
int tpm_nv_write(struct tpm *t, uint32_t index, struct slice data, struct err *e);		/* from offset 0 */
int tpm_nv_define(struct tpm *t, uint32_t index, uint32_t attributes, uint16_t size, struct err *e);	/* by the owner, nameAlg SHA-256, no password */
int tpm_nv_undefine(struct tpm *t, uint32_t index, struct err *e);

/* Keys.  Areas are TPMT_PUBLIC bytes. */
extern const struct slice tpm_template_ecc, tpm_template_rsa;	/* restricted signing keys: ECDSA P-256, RSASSA 2048, SHA-256 */
int tpm_read_public(struct buf *ret_area, struct tpm *t, uint32_t handle, struct err *e);	/* EC_ABSENT: no such key */
int tpm_create_primary(uint32_t *ret, struct buf *ret_area, struct tpm *t, uint32_t hierarchy, struct slice template, struct err *e);	/* flush it */
int tpm_flush(struct tpm *t, uint32_t handle, struct err *e);

/* PCRs.  EC_ABSENT: the bank is not allocated, or has not all of mask. */
int tpm_pcr_read(struct tpm_pcrs *ret, struct tpm *t, uint16_t bank, uint32_t mask, struct err *e);
int tpm_pcr_extend(struct tpm *t, unsigned pcr, uint16_t bank, struct slice digest, struct err *e);
/* TPM2_Quote by the key's own scheme (scheme TPM_NULL), or by scheme and its hash.  Appends TPMS_ATTEST and TPMT_SIGNATURE. */
int tpm_quote(struct buf *ret_attest, struct buf *ret_signature, struct tpm *t, uint32_t key, uint16_t scheme, struct slice nonce,
	      uint16_t bank, uint32_t mask, struct err *e);

/* An attestation key, and PCR values with a quote that matches them. */
struct tpm_quoted {
	struct buf attest;		/* TPMS_ATTEST */
	struct buf signature;		/* TPMT_SIGNATURE */
	struct buf ak;			/* TPMT_PUBLIC of the key; filled by the caller or by tpm_quote_all when empty */
	struct buf ak_cert;		/* DER; empty: none */
	struct tpm_pcrs pcrs;
};
#define AUTO_TPM_QUOTED __attribute__((cleanup(tpm_quoted_free))) struct tpm_quoted
void tpm_quoted_free(struct tpm_quoted *q);
/* The bank to quote: SHA-256, or else SHA-384, where it has PCRs; EC_ABSENT: neither. */
int tpm_pick_bank(uint16_t *ret, uint32_t *mask, struct tpm *t, struct err *e);
/* Reads the PCRs, quotes, and compares; PCRs that change in between are read again, up to 5 times.  nonce: report data; what the TPM
 * does not take at this length goes in as its SHA-256 (cpu-tee.md 2.8). */
int tpm_quote_all(struct tpm_quoted *ret, struct tpm *t, uint32_t key, struct slice nonce, uint16_t bank, uint32_t mask, struct err *e);
/* A certificate out of an NV index, cut to its DER length.  EC_ABSENT: not there; EC_FORMAT: something else is. */
int tpm_nv_cert(struct buf *ret, struct tpm *t, uint32_t index, struct err *e);

#endif
