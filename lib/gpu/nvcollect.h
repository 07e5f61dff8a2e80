/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_NVCOLLECT_H
#define CVMBOX_GPU_NVCOLLECT_H

/* Evidence of the NVIDIA GPUs of this machine: collect of evidence_nvgpu.
 *
 * All or nothing: every GPU that sysfs or the driver shows, or every one that ret->how->gpus names, gives a report and a chain, or the call fails and
 * names the GPU.  First all of them are attached and asked for their state; only when all are in a confidential mode is anything asked that could harm
 * one that is not.  GPUs are asked in parallel, each in a session of its own. */

#include "evidence/kind.h"
#include "gpu/rm.h"

/* ret->raw gets nvattest's form, for the nonce nv_nonce_of(rd).  EC_ABSENT: there is no such GPU, no driver for one, or the confidential mode is off. */
int nv_collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e);

/* The same, and the GPUs stay attached until the party is freed: the last user's leave makes the driver stop a GPU, and the next one waits seconds for it
 * to start again.  *keep is set only on success. */
struct nv_party;
int nv_collect_keep(struct nv_party **keep, struct evidence *ret, const struct host *h, struct slice rd, struct err *e);
void nv_party_free(struct nv_party *p);		/* NULL allowed */
void nv_party_cleanup(struct nv_party **p);
#define AUTO_NV_PARTY __attribute__((cleanup(nv_party_cleanup))) struct nv_party

/* The same as nv_collect for devices that somebody listed, over sessions that open gives: called once for each GPU, from several threads. */
struct nv_sessions {
	int (*open)(struct rm **ret, void *arg, struct err *e);
	void *arg;
};
int nv_collect_over(struct evidence *ret, const struct host *h, const struct gpu_list *l, const struct nv_sessions *s, struct slice rd,
		    struct err *e);

#endif
