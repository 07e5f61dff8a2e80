/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_MEASURE_INITDATA_H
#define CVMBOX_TEE_MEASURE_INITDATA_H

/* Init data of Confidential Containers (key-broker.md 4.7): a TOML file whose digest the host puts into a field of the report. */

#include "codec/json.h"
#include "crypto/hash.h"

#define INITDATA_MAX ((size_t)4 << 20)	/* the TOML text */

struct initdata {
	struct buf toml;		/* the raw bytes that are hashed */
	char version[32];
	enum hash alg;			/* as the file says: SHA-256, 384 or 512 */
	uint8_t digest[HASH_MAX];	/* hash_size(alg) bytes */
};
void initdata_free(struct initdata *d);
#define AUTO_INITDATA __attribute__((cleanup(initdata_free))) struct initdata

/* The TOML file itself, the annotation (base64 of gzip), gzip alone, or the guest's block device ("initdata", length, gzip). */
int initdata_read(struct initdata *ret, struct slice file, struct err *e);
bool initdata_looks_like(struct slice file);

/* The digest as a field of n bytes: cut, or padded with zeros on the right.  SNP host_data: 32, TDX mrconfigid: 48, CCA RPV: 64. */
void initdata_field(uint8_t *ret, size_t n, const struct initdata *d);
/* PCR 8 of the SHA-256 bank where nothing else extends it.  false: the file does not say sha256, and cannot be measured there. */
bool initdata_pcr8(uint8_t ret[static 32], const struct initdata *d);

/* {"algorithm","digest","snp_host_data","tdx_mr_config_id","cca_rpv","tpm_pcr8"} */
int initdata_json(struct json *to, const struct initdata *d, struct err *e);

#endif
