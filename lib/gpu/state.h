/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_STATE_H
#define CVMBOX_GPU_STATE_H

/* What can be said about the confidential mode of every NVIDIA GPU of this machine: sysfs says which
 * ones there are, the driver says in which mode they run.  A GPU never drops out of the list: one that
 * was not or could not be asked stays, with the reason. */

#include "gpu/rm.h"

enum gpu_mode {	/* zero says nothing */
	GPU_MODE_UNKNOWN,
	GPU_MODE_OFF,
	GPU_MODE_ON,
	GPU_MODE_DEVTOOLS,
	GPU_MODE_PPCIE,
	GPU_MODE_APM
};
const char *gpu_mode_word(enum gpu_mode m);	/* "unknown", "off", "on", "devtools", "ppcie", "apm" */

/* The mode that the driver's values mean.  UNKNOWN for values that contradict each other or have no
 * name here: "on" needs the feature, a production environment and devtools off.  why (may be NULL)
 * gets the reason. */
enum gpu_mode gpu_mode_of(const struct rm_cc *c, const char **why);

enum gpu_answer {
	GPU_FAILED,	/* the NVIDIA driver is bound, and no usable answer came */
	GPU_NOT_ASKED,	/* nobody there to ask: see why */
	GPU_ANSWERED
};

struct gpu_state {
	struct gpu_pci pci;
	bool in_sysfs;		/* false: only the driver lists it */
	enum gpu_answer answer;
	struct err why;		/* unless it answered: reason and hint */
	enum gpu_mode mode;	/* UNKNOWN unless it answered */
	const char *mode_why;	/* of an UNKNOWN mode of a GPU that answered; or NULL */
	struct rm_gpu_info info;
};

struct gpu_states {
	struct gpu_state *v;
	size_t n;
	bool no_pci;			/* sysfs could not be looked at */
	char driver_version[64];	/* of the NVIDIA driver; "" unknown */
	bool has_cc;			/* cc was read; it holds for every GPU that answered */
	struct rm_cc cc;
};
#define AUTO_GPU_STATES __attribute__((cleanup(gpu_states_free))) struct gpu_states

/* Looks at every GPU, or only at the one at this address (which need not exist: n is 0 then).  Returns
 * -1 only when sysfs cannot be read; what single GPUs failed at is in their state.  Queries only. */
int gpu_states(struct gpu_states *ret, const struct host *h, const struct pci_addr *only, struct err *e);
void gpu_states_free(struct gpu_states *s);

/* Asks an open session about one GPU to which the NVIDIA driver is bound, and leaves it attached: fills answer, why, mode and info.
 * Only where it answered: gpu, for further calls in this session, and cc. */
void gpu_state_ask(struct gpu_state *g, struct rm_gpu *gpu, struct rm_cc *cc, struct rm *rm);
bool gpu_is_bound(const struct gpu_pci *g);	/* a GPU that the NVIDIA driver has */
/* The reason why nobody can be asked about a GPU that is not bound, into why and answer. */
void gpu_state_unbound(struct gpu_state *g);

/* The second half: asks an open session (NULL: it could not be opened, rm_why says why) about listed
 * devices. */
int gpu_states_ask(struct gpu_states *ret, const struct gpu_list *list, const struct pci_addr *only, struct rm *rm,
		   const struct err *rm_why, struct err *e);

#endif
