/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEST_GPU_SIM_H
#define CVMBOX_TEST_GPU_SIM_H

/* A simulated NVIDIA driver behind struct rm_port: as strict about sizes, handles and parents as the
 * real one, with faults to choose.  It logs what it was sent and counts what was opened and closed. */

#include "gpu/rm.h"

#define SIM_GPUS 4
#define SIM_LOG 256

struct sim_gpu {
	struct pci_addr addr;
	uint16_t vendor, device;
	uint32_t id, minor;
	const char *name, *uuid;
	int open_error;		/* errno of opening its node */
	bool no_node;
	bool hidden;		/* the driver does not list it */
};

struct sim_fault {	/* the next 'times' calls of cmd answer so; cmd may be a class for allocations */
	uint32_t cmd;
	uint32_t status;
	int error;
	unsigned times;
};

struct sim {
	const char *version;
	size_t version_bytes;	/* 0: text and NULs; else this many bytes are copied */
	uint32_t version_reply;
	struct sim_gpu gpu[SIM_GPUS];
	size_t n_gpus;
	uint8_t caps[6], ready;
	size_t caps_size, name_size;
	bool no_cc_class, no_ctl, zero_handle;
	bool flapping;		/* the ready state changes after each answer */
	struct sim_fault fault[4];
	uint32_t garbage;	/* not 0: seed; every answer's bytes are noise, */
	size_t garbage_after;	/* but for this many calls at the start */
	/* what happened */
	uint32_t log[SIM_LOG];
	size_t n_log;
	int opened, closed, released, freed;
};

struct sim sim_h100(void);		/* one H100, driver 580.159.04, CC off */
struct rm_port sim_port(struct sim *s);
bool sim_was_sent(const struct sim *s, uint32_t cmd);
/* Writes a file below dir, with the folders above it. */
void put_file(const char *dir, const char *path, const char *text);
void put_link(const char *dir, const char *path, const char *to);
/* A PCI function in a fake sysfs; driver NULL: none bound. */
void put_pci(const char *dir, const char *bdf, const char *vendor, const char *device, const char *class_code,
	     const char *driver);

#endif
