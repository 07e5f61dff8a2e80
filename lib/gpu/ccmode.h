/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_CCMODE_H
#define CVMBOX_GPU_CCMODE_H

/* Switching the confidential mode of GPUs and NVSwitches, all or none (nvidia-gpu.md 5.4, 5.5): check all, stage all, reset all, verify all.
 * A journal on disk, written and synced before the first change, holds the old knobs of every device and how far the switch came, so that one that was
 * interrupted at any step can be finished or undone. */

#include "gpu/fsp.h"

enum ccmode { CCMODE_OFF, CCMODE_ON, CCMODE_DEVTOOLS, CCMODE_PPCIE, N_CCMODES };
const char *ccmode_word(enum ccmode m);

struct ccmode_device {
	struct gpu_pci pci;
	struct mmio m;
	const struct gpu_regs *r;
	struct hw_state state;
	char rebind[32];		/* driver to bind again afterwards; "" none */
};
struct ccmode_set {
	struct ccmode_device *v;
	size_t n;
};
void ccmode_set_free(struct ccmode_set *s);

enum ccmode_event_type { CCMODE_STEP, CCMODE_WRITE, CCMODE_DONE };
struct ccmode_event {			/* for progress and --dry-run */
	enum ccmode_event_type type;
	const char *bdf, *step;		/* "stage", "reset", "verify", "unbind", "rebind" */
	enum knob knob;			/* CCMODE_WRITE */
	uint16_t from, to;
};
struct ccmode_opts {
	enum ccmode to;
	bool dry_run, no_reset, unbind;
	const char *journal;		/* folder; NULL: /run/cvmbox/ccmode */
	void (*tell)(void *arg, const struct ccmode_event *ev);
	void *arg;
	void (*step)(void *arg, const char *where);	/* tests stop here; NULL */
};
/* Opens these devices.  EC_ABSENT: one has no confidential mode; EC_REFUSED: the nvidia driver is bound and !unbind. */
int ccmode_open(struct ccmode_set *ret, const struct host *h, const struct gpu_pci *v, size_t n, const struct ccmode_opts *o, struct err *e);
int ccmode_set(struct ccmode_set *s, const struct host *h, const struct ccmode_opts *o, struct err *e);
/* Finishes or undoes what the journal holds; EC_ABSENT: there is none. */
int ccmode_resume(const struct host *h, const struct ccmode_opts *o, struct err *e);
int ccmode_rollback(const struct host *h, const struct ccmode_opts *o, struct err *e);
bool ccmode_pending(const struct host *h, const struct ccmode_opts *o);	/* a journal is there */

struct ccmode_knob {			/* for query --settings */
	enum knob id;
	bool known;
	uint16_t value;
};
#define CCMODE_KNOBS_MAX 16
int ccmode_settings(struct ccmode_knob *ret, size_t *n, struct fsp *f, struct err *e);

#endif
