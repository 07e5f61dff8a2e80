/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_SPDM_H
#define CVMBOX_GPU_SPDM_H

/* The attestation report of NVIDIA GPUs and NVSwitches: an SPDM 1.1 GET_MEASUREMENTS request (37 bytes) and its MEASUREMENTS response
 * with signature (DSP0274; nvidia-gpu.md 2.1), little-endian, and the opaque data in it (2.2, 2.3). */

#include "base/buf.h"
#include "base/err.h"

#define SPDM_REPORT_MAX ((size_t)16 << 10)
#define SPDM_BLOCKS_MAX 64
#define SPDM_NONCE 32
#define SPDM_SIGNATURE 96

struct spdm_block {
	bool present;
	uint8_t value_type;		/* DSP0274 table: bit 7 raw; low bits what it measures */
	struct slice value;		/* 48 bytes for digests */
};
struct spdm_report {			/* slices point into the report */
	struct slice signed_part;	/* everything before the signature, from the first byte */
	struct slice signature;		/* r || s, 48 bytes each, big endian */
	struct slice nonce;		/* of the request, 32 bytes */
	struct slice responder_nonce;
	struct slice opaque;
	uint8_t slot;
	size_t n_blocks;		/* as the response says: GPU 64, LS10 31 */
	struct spdm_block block[SPDM_BLOCKS_MAX];	/* by RIM index = block index - 1 */
};
/* EC_FORMAT: cut, inconsistent lengths, a block index twice or out of range, trailing bytes that are not zero; SPDM versions other than 1.1
 * and a VCA prefix (named so in the text) are EC_FORMAT, too. */
int spdm_parse(struct spdm_report *ret, struct slice raw, struct err *e);
bool spdm_recognise(struct slice raw);		/* looks like such a report, whole or cut */

enum opaque_type {		/* nvidia-gpu.md 2.2; those that are read here */
	OPAQUE_DRIVER = 3, OPAQUE_GPU_INFO = 4, OPAQUE_SKU = 5, OPAQUE_VBIOS = 6, OPAQUE_NVDEC0 = 11, OPAQUE_COUNTERS = 12, OPAQUE_CPR = 13,
	OPAQUE_BOARD_ID = 14, OPAQUE_CHIP_SKU = 15, OPAQUE_CHIP_SKU_MOD = 16, OPAQUE_PROJECT = 17, OPAQUE_PROJECT_SKU = 18,
	OPAQUE_PROJECT_SKU_MOD = 19, OPAQUE_FWID = 20, OPAQUE_PPCIE = 21, OPAQUE_PDIS = 22, OPAQUE_SWITCH_GPU_PDIS = 26,
	OPAQUE_VERSION = 34, OPAQUE_CHIP_INFO = 35, OPAQUE_FEATURE = 36, OPAQUE_FSP_SVN = 37, OPAQUE_NVLE = 38, OPAQUE_INVALID = 255
};
#define OPAQUE_ENTRIES_MAX 128
struct opaque_entry {
	uint16_t type;
	uint16_t value_type;		/* versioned layout; legacy: 0 */
	struct slice data;
};
struct opaque {
	bool versioned;			/* "NVDAOD" */
	uint8_t major, minor, patch;
	size_t n;
	struct opaque_entry v[OPAQUE_ENTRIES_MAX];
};
/* Both layouts.  EC_FORMAT: overrun, a rest, a type that is used here twice; EC_FORMAT with "newer than this version" in the text for
 * major over 2 or another profile. */
int opaque_parse(struct opaque *ret, struct slice raw, struct err *e);
const struct opaque_entry *opaque_find(const struct opaque *o, enum opaque_type t);	/* NULL: not there */
const char *opaque_name(uint16_t type);		/* "driver version"; NULL: no name here */

#endif
