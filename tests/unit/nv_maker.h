/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_NV_MAKER_H
#define CVMBOX_NV_MAKER_H

/* A device CA like NVIDIA's, with test keys, and reports of GPUs and switches that it vouches for. */

#include "gpu/nvgpu.h"

#define NV_MAKER_NOW INT64_C(1750000000)	/* inside the validity of everything made here */
#define NV_MAKER_DEVICES 16			/* of each architecture */

enum nv_mode { NV_SPT, NV_MPT, NV_PPCIE };

struct nv_make {			/* zeros: a Hopper GPU, number 0, in single mode, nonce zero */
	enum nv_arch arch;		/* NV_UNKNOWN: Hopper */
	unsigned device;		/* 0 .. NV_MAKER_DEVICES - 1; each has keys, serial numbers and a PDI of its own */
	const uint8_t *nonce;		/* 32 bytes; NULL: zeros */
	const char *driver, *vbios;	/* NULL: nv_make_driver, nv_make_vbios */
	const char *chip_info;		/* type 35; NULL: none */
	bool versioned;			/* opaque data as NVDAOD 2.0.0 */
	enum nv_mode mode;
	bool has_feature;		/* feature flag (type 36) besides the protected PCIe status; on by default in PPCIE */
	int feature;			/* -1 .. : its value; 0: as mode */
	uint8_t ppcie, nvdec0;		/* 0: as mode; 0x55 */
	size_t trailing;		/* zeros behind the signature */
	const unsigned *peers;		/* PPCIE: numbers of the switches (GPU) or GPUs (switch); NULL: 0..3, 0..7 */
	size_t n_peers;
	int changed;			/* measurement with this index + 1 differs from nv_make_measurement; 0: none */
	bool has_svn;
	uint16_t svn;			/* type 37, versioned only */
	uint32_t arch_word;		/* 0: as arch */
	const char *hwmodel;		/* NULL: as arch */
	size_t blocks;			/* 0: as arch */
	struct slice extra;		/* opaque entries that follow, as they are */
	/* faults */
	bool no_fwid, other_fwid;	/* in the report */
	bool zero_fwid, fwid_last;	/* in the certificate: all zero; Blackwell: the first one is another, the second one this */
	bool other_root;		/* a CA of that name with other keys */
	bool expired, early;		/* the device's certificate */
	bool device_no_ca;
	bool other_key;			/* the report is signed by another device's key */
};
const char *nv_make_driver(const struct nv_make *m);
const char *nv_make_vbios(const struct nv_make *m);		/* as it reads: "96.00.9F.00.01" */
void nv_make_measurement(uint8_t ret[static 48], enum nv_arch a, size_t index);
void nv_make_pdi(uint8_t ret[static 8], const struct nv_make *m);	/* certificate order */

const uint8_t *nv_make_root(void);				/* SHA-256 of the root, for struct expect */
/* PEM, leaf first; and the same as certificates with their keys, i: 0 leaf .. 4 root.  Kept until the end where m has no certificate faults. */
void nv_make_chain(struct buf *ret_pem, const struct nv_make *m);
const struct privkey *nv_make_key(const struct nv_make *m, size_t i);

void nv_make_report(struct buf *ret, const struct nv_make *m);
void nv_make_sign(struct buf *report, const struct nv_make *m);	/* again, after changes; the last 96 bytes are the signature */
/* nvattest's form of all of them. */
void nv_make_evidence(struct buf *ret, const struct nv_make *v, size_t n);

#endif
