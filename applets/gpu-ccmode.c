/* SPDX-License-Identifier: Apache-2.0 */
/* gpu-ccmode - the confidential-compute mode of NVIDIA GPUs: tell it, switch it, and let them take work */

#include "gpu-ccmode/verbs.h"

static const struct verb *const verbs[] = {
	&verb_ccmode_query,
	&verb_ccmode_set,
	&verb_ccmode_ready,
};

const struct applet applet_gpu_ccmode = {
	.name = "gpu-ccmode",
	.summary = "tell and switch the confidential-compute mode of NVIDIA GPUs",
	.notes = "What is shown is the word of sysfs, of the loaded kernel driver (asked by ioctl, without any shared library) and of the device's "
		 "registers. It proves nothing to others: that takes evidence signed by the GPU (cvmbox attest).\n\n"
		 "'query' changes nothing. 'set' is for the host that owns the devices: it takes all named devices to the new mode or, up to the "
		 "first reset, none; from then on a journal tells how to go on ('set --resume') or back ('set --rollback'). 'ready' is for "
		 "the confidential guest, after verification.",
	VERBS(verbs),
};
