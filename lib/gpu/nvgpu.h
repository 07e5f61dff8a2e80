/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_NVGPU_H
#define CVMBOX_GPU_NVGPU_H

/* Evidence of NVIDIA devices: kinds nvgpu and nvswitch.  One piece of evidence holds all devices of one capture, because some of what has to
 * hold is about all of them (nvidia-gpu.md 2.8).  Raw forms: nvattest's [{arch,nonce,evidence,certificate}], Trustee's
 * {"device_evidence_list":[..]}, one report (bytes or hex) followed by its PEM chain or with the chain among the caller's certificates.
 * Both kinds read all of them; which one it is, is decided by the first device. */

#include "evidence/kind.h"
#include "gpu/nvchain.h"
#include "gpu/spdm.h"

extern const struct evidence_kind evidence_nvgpu, evidence_nvswitch;
extern const struct check nvset_checks[];	/* about all devices together */
extern const size_t n_nvset_checks;

#define NV_DEVICES_MAX 32

enum nv_arch { NV_UNKNOWN, NV_HOPPER, NV_BLACKWELL, NV_LS10 };
const char *nv_arch_word(enum nv_arch a);	/* "HOPPER", "BLACKWELL", "LS10", "unknown" */

struct nv_device {
	enum nv_arch stated;		/* what the evidence file says; UNKNOWN: nothing */
	enum nv_arch arch;		/* what the report is: by block count and opaque data */
	char label[24];			/* "GPU-0", "SWITCH-1": NVIDIA's names, by order */
	char uuid[48], bdf[24];		/* as the file says, unsigned; "" */
	struct buf raw, chain_text;	/* the report, the chain */
	struct spdm_report report;	/* into raw */
	struct opaque opaque;
	struct cert_list chain;		/* 5; n 0: none came along */
	char driver[32], vbios[32];	/* from opaque data; "" */
	char driver_rim[96], vbios_rim[96];	/* ids to ask the RIM service for; "" where there is none (switch: driver) */
};
struct nv_set {
	struct nv_device *v;
	size_t n;			/* 1 .. NV_DEVICES_MAX */
};
/* EC_FORMAT: no such form, none or too many devices, a report or chain that cannot be read (said with the device's label). */
int nv_set_parse(struct nv_set *ret, struct slice raw, struct err *e);
void nv_set_free(struct nv_set *s);
/* Several pieces of raw evidence as one: nvattest's form, appended. */
int nv_join(struct buf *ret, const struct slice *raw, size_t n, struct err *e);

struct nv_piece {			/* one device for nv_write */
	enum nv_arch arch;
	const char *uuid, *bdf, *driver, *vbios;	/* NULL: left out */
	struct slice nonce, report, chain_pem;
};
/* nvattest's form, appended; Trustee's likewise from nvattest's. */
int nv_write(struct buf *ret, const struct nv_piece *v, size_t n, struct err *e);
int nv_to_trustee(struct json **ret, struct slice raw, struct err *e);

/* The nonce of GPU reports: 32 bytes, nv_nonce_of of what the caller expects or wants bound (at most 64 bytes): its first 32, zero padded on
 * the right (Trustee's rule, nvidia-gpu.md 7). */
void nv_nonce_of(uint8_t ret[static 32], struct slice wanted);

#endif
