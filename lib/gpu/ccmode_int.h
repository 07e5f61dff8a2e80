/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_CCMODE_INT_H
#define CVMBOX_GPU_CCMODE_INT_H

/* Parts of a mode switch: the journal (ccmode_journal.c), drivers and users of a device (ccmode_bind.c), knobs (ccmode_knobs.c). */

#include "gpu/ccmode.h"

/* --- the journal ------------------------------------------------------------------------------------------------ */

enum ccstep {		/* what may have begun; in this order */
	CCSTEP_UNBIND,		/* drivers were taken off, nothing else */
	CCSTEP_STAGE,		/* knobs were written */
	CCSTEP_RESET,		/* devices were reset */
	CCSTEP_REBIND,		/* all is done but binding the drivers again */
	N_CCSTEPS
};
struct ccjournal_device {
	char bdf[20];
	uint16_t vendor, device;
	char driver[32];
	bool has_was;
	struct hw_state was;	/* mode, ppcie only */
	bool reset;		/* was reset after everything was staged */
	size_t n_knobs;
	struct {
		uint16_t id, old;
	} knob[CCMODE_WRITES_MAX];
};
struct ccjournal {
	enum ccmode to;
	enum ccstep step;
	bool rollback;		/* an undoing was begun */
	bool resets;		/* the step "reset" was reached at some time */
	bool no_reset, partial;	/* as it was called */
	size_t n;
	struct ccjournal_device v[CCMODE_DEVICES_MAX];
};
/* Text to struct; EC_FORMAT.  Nothing in it is believed but what is in range: names are checked before they become paths. */
int ccjournal_parse(struct ccjournal *ret, struct slice text, struct err *e);
int ccjournal_write(struct buf *ret, const struct ccjournal *j, int64_t now, struct err *e);

#define CCJOURNAL_MAX ((size_t)256 << 10)
struct ccjournal_dir {
	int dir, lock;
	char path[512];		/* of the journal, for people */
};
#define CCJOURNAL_DIR_INIT { .dir = -1, .lock = -1 }
#define AUTO_CCJOURNAL_DIR __attribute__((cleanup(ccjournal_close))) struct ccjournal_dir
/* Opens the folder; make: creates it and takes the lock (EC_IO: another switch holds it).  A folder or journal that others could write is
 * refused.  EC_ABSENT: not there, and !make. */
int ccjournal_open(struct ccjournal_dir *ret, const struct host *h, const char *folder, bool make, struct err *e);
void ccjournal_close(struct ccjournal_dir *d);
int ccjournal_load(struct ccjournal *ret, const struct ccjournal_dir *d, struct err *e);	/* EC_ABSENT: no switch is pending */
bool ccjournal_there(const struct ccjournal_dir *d);
int ccjournal_save(const struct ccjournal_dir *d, const struct ccjournal *j, const struct host *h, struct err *e);	/* whole, on disk */
int ccjournal_remove(const struct ccjournal_dir *d, struct err *e);

/* --- drivers ----------------------------------------------------------------------------------------------------- */

/* EC_REFUSED: somebody holds the device open: a virtual machine by VFIO, or a program through the driver that is to be taken off. */
int ccmode_check_users(const struct host *h, const struct gpu_pci *g, struct err *e);
int ccmode_unbind(const struct host *h, const char *bdf, const struct ccmode_opts *o, struct err *e);
/* Nothing where a driver is bound already; a driver that is not loaded any more is a warning (host_log). */
int ccmode_bind(const struct host *h, const char *bdf, const char *driver, const struct ccmode_opts *o, struct err *e);

/* --- knobs ------------------------------------------------------------------------------------------------------- */

/* Fills d->w with what the mode wants of this device, reading each knob, and whether it may be changed.  Changes nothing. */
int ccmode_plan(struct ccmode_device *d, enum ccmode to, struct err *e);
/* The same with the old values of an interrupted switch as the aim. */
int ccmode_plan_back(struct ccmode_device *d, const struct ccjournal_device *old, struct err *e);
/* Did the switch to this mode change any knob of it? */
bool ccmode_differs(const struct ccjournal_device *old, enum ccmode to);
/* Writes what differs, in order. */
int ccmode_stage(struct ccmode_device *d, const struct ccmode_opts *o, struct err *e);
/* Does the active mode agree with the aim? */
bool ccmode_state_is(const struct ccmode_device *d, enum ccmode to);

#define CCSTEP_AT(o, where, bdf) do { if ((o)->step) (o)->step((o)->arg, where, bdf); } while (0)

#endif
