/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEST_GPU_SIM_H
#define CVMBOX_TEST_GPU_SIM_H

/* A simulated NVIDIA driver behind struct rm_port: as strict about sizes, handles and parents as the
 * real one, with faults to choose.  It logs what it was sent and counts what was opened and closed. */

#include <pthread.h>

#include "gpu/rm.h"

#define SIM_GPUS 9
#define SIM_LOG 4096

struct sim_gpu {
	struct pci_addr addr;
	uint16_t vendor, device;
	uint32_t id, minor;
	const char *name, *uuid;
	int open_error;		/* errno of opening its node */
	bool no_node;
	bool hidden;		/* the driver does not list it */
	uint16_t says_device;	/* not 0: the device id that its own object tells */
	unsigned n_chain, n_report;	/* how often it was asked */
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
	size_t caps_size, name_size, sku_size;
	bool has_keys;		/* knows the key rotation state */
	bool no_cc_class, no_ctl, zero_handle;
	bool flapping;		/* the ready state changes after each answer */
	bool ready_stuck;	/* taken and not set */
	bool ready_lost;	/* it was taken back once */
	bool not_root;
	struct sim_fault fault[4];
	/* Certificate chain and report of one GPU, appended; NULL: text and bytes that only look so. */
	void (*chain)(void *arg, struct buf *ret, size_t gpu);
	void (*report)(void *arg, struct buf *ret, size_t gpu, const uint8_t nonce[static 32]);
	void *maker;
	uint32_t chain_size, report_size;	/* not 0: what the driver says instead of the truth */
	const char *chain_text;			/* not NULL: instead of a chain */
	bool other_nonce;			/* the report answers another one */
	unsigned report_ms;			/* how long a report takes */
	pthread_mutex_t lock;
	bool record;		/* into `recording`: the calls array of a recording, as replay reads it */
	struct buf recording;
	uint32_t garbage;	/* not 0: seed; every answer's bytes are noise, */
	size_t garbage_after;	/* but for this many calls at the start */
	/* what happened */
	uint32_t log[SIM_LOG];
	size_t n_log;
	int opened, closed, released, freed;
};

struct sim sim_h100(void);		/* one H100, driver 580.159.04, CC off */
void sim_branch(struct sim *s, const char *version);	/* the struct sizes of that driver branch: "535.104.05" .. "595.45.04" */
void sim_confidential(struct sim *s, size_t n_gpus);	/* confidential mode on, this many GPUs */
struct gpu_pci sim_pci(const struct sim *s, size_t gpu);	/* as sysfs would list it */
void sim_recording(struct buf *ret, struct sim *s);	/* what was recorded, as a file */
struct rm_port sim_port(struct sim *s);
bool sim_was_sent(const struct sim *s, uint32_t cmd);
/* Writes a file below dir, with the folders above it. */
void put_file(const char *dir, const char *path, const char *text);
void put_link(const char *dir, const char *path, const char *to);
/* A PCI function in a fake sysfs; driver NULL: none bound. */
void put_pci(const char *dir, const char *bdf, const char *vendor, const char *device, const char *class_code,
	     const char *driver);

#endif
