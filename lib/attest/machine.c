/* SPDX-License-Identifier: Apache-2.0 */
/* CPU and GPUs of this machine: see machine.h. */

#include "attest/machine.h"
#include "gpu/state.h"
#include "tee/detect.h"

static void add_gpu(struct json *to, const struct gpu_state *g)
{
	struct json *o = json_add_object(to, NULL);
	char rim[96];

	json_add_str(o, "device", g->pci.bdf);
	json_add_str(o, "name", g->info.name[0] ? g->info.name : gpu_family(&g->pci));
	json_add_fmt(o, "pci_id", "%04x:%04x", g->pci.vendor, g->pci.device);
	json_add_str(o, "driver", g->pci.driver[0] ? g->pci.driver : "none");
	json_add_str(o, "cc_mode", gpu_mode_word(g->mode));
	if (g->pci.is_switch)
		json_add_bool(o, "switch", true);
	if (g->info.uuid[0])
		json_add_str(o, "uuid", g->info.uuid);
	if (g->info.vbios[0])
		json_add_str(o, "vbios", g->info.vbios);
	if (rm_vbios_rim(rim, &g->info))
		json_add_str(o, "vbios_rim", rim);
	if (g->answer != GPU_ANSWERED && g->why.msg[0])
		json_add_str(o, "why_unknown", g->why.msg);
}

int machine_describe(struct json *to, const char *name, const char **tee, const struct host *h, struct err *e)
{
	AUTO_DETECTED d = { 0 };
	AUTO_GPU_STATES gpus = { 0 };
	struct err why = { 0 };
	struct json *list;

	if (detect(&d, h, e))
		return -1;
	list = json_add_array(d.machine, "gpus");
	if (gpu_states(&gpus, h, NULL, &why)) {	/* a GPU never goes missing silently */
		json_add_str(d.machine, "gpus_unknown", why.msg);
		host_log(h, LOG_WARN, "cannot list GPUs: %s", why.msg);
	}
	for (size_t i = 0; i < gpus.n; i++)
		add_gpu(list, &gpus.v[i]);
	json_add_take(to, name, d.machine);
	d.machine = NULL;
	if (tee)
		*tee = d.tee;
	return 0;
}
