/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_PORT_H
#define CVMBOX_GPU_PORT_H

/* How bytes get to the NVIDIA kernel driver and back: the real device nodes, or a recorded exchange. */

#include "base/host.h"

enum {	/* ioctl numbers (spec 1.2); the kernel looks at the number and the size only */
	RM_NR_FREE = 0x29,
	RM_NR_CONTROL = 0x2a,
	RM_NR_ALLOC = 0x2b,
	RM_NR_CARD_INFO = 200,
	RM_NR_VERSION = 210
};
#define RM_CTL_MINOR 255
#define RM_MAJOR 195

struct rm_msg {
	unsigned nr;
	uint8_t *s;		/* the struct of the ioctl, changed in place */
	size_t n;
	size_t pointer_at;	/* 0: none; else where in s the 8-byte address of params belongs */
	uint8_t *params;	/* NULL when there are none */
	size_t params_size;
	bool once;		/* not repeated when a signal interrupts it */
};

struct rm_port {
	/* Opens /dev/nvidiactl (minor 255) or /dev/nvidia<minor>: a node number >= 0, or -1.  EC_ABSENT only when the
	 * node does not exist. */
	int (*open)(void *arg, unsigned minor, struct err *e);
	int (*call)(void *arg, int node, struct rm_msg *m);	/* 0, or an errno value */
	void (*close)(void *arg, int node);
	void (*release)(void *arg);
	void *arg;
};

void rm_node_path(char ret[static 32], unsigned minor);

/* The port of this host: EC_ABSENT when /dev/nvidiactl does not exist.  Below a --sysroot a regular
 * file in its place is a recorded exchange; on the real machine it is refused. */
int rm_port_open(struct rm_port *ret, const struct host *h, struct err *e);
/* The same, and a node that is not there is made when it is opened, by rm_node_make. */
int rm_port_open_making(struct rm_port *ret, const struct host *h, struct err *e);

/* Makes the character device of this minor, mode 0600, where the driver is loaded and nothing at all lies at its path; never below a --sysroot.
 * 0 also where something lies there: whether that is the driver's node is seen when it is opened.  EC_ABSENT: the driver is not loaded. */
int rm_node_make(const struct host *h, unsigned minor, struct err *e);

/* The recorded exchange of JSON text:
 * {"calls":[{"nr","size","errno","status","cmd"|"cls","in"|"params","out","handle"}]}, numbers as JSON
 * numbers or "0x..." text, bytes in hex with trailing zeros left out.  A call is found by number,
 * command or class, size and parameter bytes, and where the recording names them by "object" or
 * "parent"; of several that fit the first unused one answers, then the last again.  A command known in
 * another size only gets status 0x1f, as the driver does.  {"open":N,"errno":E} makes opening
 * /dev/nvidiaN fail; h (may be NULL) says which nodes exist. */
int rm_replay_open(struct rm_port *ret, const struct host *h, struct slice json, struct err *e);

#endif
