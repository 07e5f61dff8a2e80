/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_CCMODE_H
#define CVMBOX_GPU_CCMODE_H

/* Switching the confidential mode of GPUs and NVSwitches, all or none (nvidia-gpu.md 5.4, 5.5): check all, stage all, reset all, verify all.
 * A journal on disk, written and synced before the first change, holds the old knobs of every device and how far the switch came, so that one that was
 * interrupted at any step can be finished or undone.  Knobs live in the device and outlast a reboot of the host: so does the journal. */

#include "gpu/fsp.h"

enum ccmode { CCMODE_OFF, CCMODE_ON, CCMODE_DEVTOOLS, CCMODE_PPCIE, N_CCMODES };
const char *ccmode_word(enum ccmode m);

#define CCMODE_JOURNAL_DIR "/var/lib/cvmbox/ccmode"
#define CCMODE_DEVICES_MAX 64
#define CCMODE_WRITES_MAX 8
#define PPCIE_GPUS 8
#define PPCIE_SWITCHES 4

struct ccmode_write {		/* a knob that the mode wants at 'to' */
	enum knob knob;
	uint16_t from, to;	/* from: before the switch (also before one that was interrupted) */
	bool written;		/* by this call */
};
struct ccmode_device {
	struct gpu_pci pci;	/* as it was listed: .driver is what was bound then */
	struct mmio m;		/* closed: m.close is NULL */
	const struct gpu_regs *r;
	struct fsp fsp;
	bool has_was, has_now;
	struct hw_state was, now;	/* active mode before the switch, and last seen */
	struct ccmode_write w[CCMODE_WRITES_MAX];	/* in the order of writing */
	size_t n_w;
	bool needs_reset, reset;	/* reset: done by this call */
	char driver[32];		/* to bind again afterwards; "" none */
	int lock;			/* private: while it is held nobody else switches this device */
};
struct ccmode_set {
	struct ccmode_device *v;
	size_t n;
};
#define AUTO_CCMODE_SET __attribute__((cleanup(ccmode_set_free))) struct ccmode_set
void ccmode_set_free(struct ccmode_set *s);
/* "off", "on", "devtools", "ppcie", or "invalid": what the device runs in. */
const char *ccmode_active_word(const struct hw_state *st);

struct ccmode_opts {
	enum ccmode to;
	bool dry_run, no_reset, unbind;
	bool partial;			/* protected PCIe for other than 8 GPUs and 4 switches, or leaving it one by one */
	const char *journal;		/* folder named by the user; NULL: CCMODE_JOURNAL_DIR below the host's root */
	/* Tests: another way to the registers (NULL: mmio_open), and a place to die at (NULL). */
	int (*open)(struct mmio *ret, const struct host *h, const struct gpu_pci *g, bool writable, struct err *e);
	void (*step)(void *arg, const char *where, const char *bdf);
	void *arg;
};

/* All return what they know about each device in ret also on failure; ret starts zeroed, ccmode_set_free releases it.
 *
 * EC_REFUSED: a driver is bound and !unbind, a device is in use, a switch is pending, the set is not one that can be switched together, the mode did
 * not change; EC_ABSENT: a device has no such mode, or no way to reset it; EC_DENIED: firmware or platform owner refuses; EC_IO: a device does
 * not answer, another switch is running.  Until the first reset every failure puts back what was changed, and the text says so; after
 * it the text tells the mode of each device, and the journal stays. */
int ccmode_set(struct ccmode_set *ret, const struct host *h, const struct gpu_pci *v, size_t n, const struct ccmode_opts *o, struct err *e);
/* Finishes or undoes what the journal holds (o->to, dry_run, no_reset do not count); EC_ABSENT: there is none. *to (may be NULL) gets its target. */
int ccmode_resume(struct ccmode_set *ret, enum ccmode *to, const struct host *h, const struct ccmode_opts *o, struct err *e);
int ccmode_rollback(struct ccmode_set *ret, enum ccmode *to, const struct host *h, const struct ccmode_opts *o, struct err *e);
bool ccmode_driver_is_idle(const char *name);	/* "", vfio-pci and the like: it does not run the device itself */
bool ccmode_pending(const struct host *h, const char *journal);	/* a journal is there, readable or not */

/* For query --settings: what the device would run in after its next reset.  It takes messages to the firmware, and so a device without driver. */
struct ccmode_knob {
	enum knob id;
	bool ppcie;		/* of the PPCIe settings, else of the CC settings */
	bool known;
	uint16_t value;
};
#define CCMODE_KNOBS_MAX 8
int ccmode_settings(struct ccmode_knob ret[static CCMODE_KNOBS_MAX], size_t *n, struct fsp *f, struct err *e);
/* The same for a listed device, with the checks that it takes: EC_REFUSED where a driver is bound or the device is in use. */
int ccmode_settings_of(struct ccmode_knob ret[static CCMODE_KNOBS_MAX], size_t *n, struct hw_state *st, const struct host *h, const struct gpu_pci *g,
		       const struct ccmode_opts *o, struct err *e);

#endif
