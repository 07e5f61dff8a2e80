/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_RM_H
#define CVMBOX_GPU_RM_H

/* A session with the resource manager of the NVIDIA kernel driver, by ioctl, without NVML or any
 * shared library.
 *
 * Nothing here changes a GPU: the table in rm_query.c holds get-type commands, and beside that table there are the two calls
 * of rm_evidence alone.  What comes back is bounded and checked like any outside bytes.
 * A session is one thread's. */

#include "gpu/pci.h"
#include "gpu/port.h"

#define RM_CARDS_MAX 32

struct rm;
#define AUTO_RM __attribute__((cleanup(rm_cleanup))) struct rm

struct rm_card {	/* a GPU as the driver lists it */
	struct pci_addr addr;
	uint16_t vendor, device;
	uint32_t gpu_id;	/* opaque */
	uint32_t minor;		/* /dev/nvidia<minor> */
};

/* EC_ABSENT: no /dev/nvidiactl.  The session holds the control node, a root client and the list of
 * cards. */
int rm_open(struct rm **ret, const struct host *h, struct err *e);
/* The same; device nodes that are missing, as in an initramfs, are made (see port.h). */
int rm_open_making(struct rm **ret, const struct host *h, struct err *e);
/* The same over a given port, which is released with the session, and also when this fails. */
int rm_open_port(struct rm **ret, const struct rm_port *port, const struct host *h, struct err *e);
void rm_close(struct rm *rm);		/* NULL allowed */
void rm_cleanup(struct rm **rm);
const char *rm_driver_version(const struct rm *rm);	/* "580.159.04" */
size_t rm_card_count(const struct rm *rm);
const struct rm_card *rm_card_at(const struct rm *rm, size_t i);
const struct rm_card *rm_card_find(const struct rm *rm, const struct pci_addr *a);	/* NULL: not listed */

/* Opens /dev/nvidia<minor>, which initialises the GPU if nobody uses it (seconds on a CC GPU), and
 * keeps it open until the session ends.  EC_ABSENT: the node does not exist; everything else is EC_IO
 * or EC_FORMAT. */
struct rm_gpu {
	uint32_t gpu_id, device, subdevice;	/* handles of this session */
};
int rm_attach(struct rm_gpu *ret, struct rm *rm, const struct rm_card *c, struct err *e);

struct rm_gpu_info {	/* "" and 0: this driver branch does not tell */
	char name[128];			/* "NVIDIA H100 80GB HBM3" */
	char uuid[48];			/* "GPU-" and a lower-case UUID */
	char vbios[24];			/* "96.00.CF.00.01" */
	uint32_t architecture;		/* 0x180 Hopper, 0x1a0 Blackwell */
	char project[8], project_sku[8], chip_sku[12];	/* "G520", "0200", "885" */
	uint32_t board_id;
	char board[32], serial[20];	/* maker's name and serial number of the board */
	bool has_channels;		/* secure channels, largest numbers */
	uint32_t sec2_channels, ce_channels;
	bool has_key_rotation;
	uint32_t key_rotation;		/* 0 off, 1 kernel, 2 user, 3 both */
	bool has_memory;
	uint64_t protected_kb, unprotected_kb;
};
int rm_gpu_info(struct rm_gpu_info *ret, struct rm *rm, const struct rm_gpu *g, struct err *e);
/* The id of the manifest that NVIDIA publishes for its VBIOS, "NV_GPU_VBIOS_G520_0200_885_9600DA000C"; false: the driver did not tell all of it. */
bool rm_vbios_rim(char ret[static 96], const struct rm_gpu_info *i);

enum { RM_CC_GPU_NONE, RM_CC_GPU_APM, RM_CC_GPU_HCC };
enum { RM_CC_ENV_UNAVAILABLE, RM_CC_ENV_SIMULATION, RM_CC_ENV_PRODUCTION };
enum { RM_CC_FEATURE_OFF, RM_CC_FEATURE_APM, RM_CC_FEATURE_HCC };
enum { RM_CC_MULTI_NONE, RM_CC_MULTI_PPCIE, RM_CC_MULTI_NVLE };
struct rm_cc {		/* one state for the whole system, as the driver wrote it: a value may be one that has no name here */
	bool known;		/* false: this driver has no confidential-compute interface at all; the rest is 0 */
	uint8_t cpu, gpu, environment, feature, devtools, multi_gpu;
	bool ready;		/* work is accepted */
};
/* Only while a GPU is attached: otherwise the driver has nobody to ask. */
int rm_cc(struct rm_cc *ret, struct rm *rm, struct err *e);

/* The attestation certificate chain (PEM, leaf first) and report of one GPU, for a 32-byte nonce (nvidia-gpu.md 1.5).  The driver is asked only where
 * cc, read in this session, says that a confidential mode is on: anywhere else EC_ABSENT ("confidential mode is off"), without a call.  Each of the
 * two calls is made once and never again, because an error in them takes a confidential GPU down; EC_IO then. */
struct rm_evidence {
	struct buf chain, report;
};
void rm_evidence_free(struct rm_evidence *ev);
int rm_evidence(struct rm_evidence *ret, struct rm *rm, const struct rm_gpu *g, const struct rm_cc *cc, const uint8_t nonce[static 32], struct err *e);

const char *rm_status_text(uint32_t status);	/* "invalid argument"; "unnamed status" */

#endif
