/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_RM_INT_H
#define CVMBOX_GPU_RM_INT_H

/* What the parts of a session share: calls and their status (rm_call.c), queries (rm_query.c), the session (rm.c), evidence (rm_evidence.c).
 * Layouts of spec 1.2: the same on x86-64 and aarch64, and byte-identical from driver 535 to 595. */

#include "base/cursor.h"
#include "gpu/rm.h"

enum { RM_CLASS_ROOT = 0x41, RM_CLASS_DEVICE = 0x80, RM_CLASS_SUBDEVICE = 0x2080, RM_CLASS_CC = 0xcb33 };
enum {
	ST_OK = 0, ST_BUSY_RETRY = 0x03, ST_INVALID_ARGUMENT = 0x1f, ST_INVALID_CLASS = 0x22, ST_NOT_SUPPORTED = 0x56,
	ST_OBJECT_NOT_FOUND = 0x57, ST_KEY_ROTATION = 0x7d
};
#define RM_ATTACHED_MAX 64

struct rm {
	struct rm_port port;
	const struct host *h;
	int ctl;
	uint32_t root, cc;		/* cc: the confidential-compute object, 0: none in this driver */
	bool cc_asked;
	struct rm_cc state;		/* as last read in this session; known: it was */
	char version[64];
	struct rm_card card[RM_CARDS_MAX];
	size_t n_cards;
	int node[RM_ATTACHED_MAX];
	size_t n_nodes;
};

void rm_put32(uint8_t *p, uint32_t v);	/* little-endian */

/* One ioctl on the control node.  what: for the error's text. */
int rm_call(struct rm *rm, struct rm_msg *m, const char *what, struct err *e);
/* A new object; its status says why there is none. */
int rm_alloc(uint32_t *ret, struct rm *rm, uint32_t root, uint32_t parent, uint32_t class, uint8_t *params, size_t n, uint32_t *status,
	     const char *what, struct err *e);
/* One control command, sent once: p (n bytes) is changed in place.  0 with any status of the driver; -1: the ioctl itself failed.
 * once: not even an interrupted system call is repeated. */
int rm_control(uint32_t *status, struct rm *rm, uint32_t object, uint32_t cmd, uint8_t *p, size_t n, bool once, const char *name, struct err *e);
/* EC_IO with the status in words and what to do; always -1. */
int rm_status_err(uint32_t status, const char *what, struct err *e);

/* The queries that attaching needs.  ret: device and subdevice instance. */
int rm_ask_instance(uint8_t device[static 4], uint8_t subdevice[static 4], struct rm *rm, uint32_t gpu_id, struct err *e);
/* vendor | device << 16 as the GPU's own driver object says; false: it does not say. */
bool rm_ask_pci(uint32_t *ret, struct rm *rm, uint32_t subdevice);
/* The confidential-compute object hangs under the root and serves every GPU; rm->cc stays 0 where the class is unknown. */
int rm_open_cc(struct rm *rm, struct err *e);

#endif
