/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/state.h"

#define DRIVER "nvidia"		/* the kernel driver that answers on /dev/nvidia*; others (vfio-pci, nouveau) do not */

const char *gpu_mode_word(enum gpu_mode m)
{
	static const char *const words[] = {
		[GPU_MODE_UNKNOWN] = "unknown", [GPU_MODE_OFF] = "off", [GPU_MODE_ON] = "on",
		[GPU_MODE_DEVTOOLS] = "devtools", [GPU_MODE_PPCIE] = "ppcie", [GPU_MODE_APM] = "apm",
	};

	return (size_t)m < sizeof words / sizeof words[0] ? words[m] : words[GPU_MODE_UNKNOWN];
}

/* Spec 1.5: protected PCIe reports feature 0 on purpose, so confidential means "feature or multi-GPU
 * mode". */
enum gpu_mode gpu_mode_of(const struct rm_cc *c, const char **why)
{
	const char *none = NULL, **reason = why ? why : &none;
	const bool confidential = c->feature != RM_CC_FEATURE_OFF || c->multi_gpu != RM_CC_MULTI_NONE;

	*reason = NULL;
	if (!c->known)
		return GPU_MODE_OFF;	/* a driver without the interface cannot run a GPU in any such mode */
	*reason = "the driver reports a value that has no name in this version of cvmbox";
	if (c->feature > RM_CC_FEATURE_HCC || c->multi_gpu > RM_CC_MULTI_NVLE || c->devtools > 1 ||
	    c->environment > RM_CC_ENV_PRODUCTION)
		return GPU_MODE_UNKNOWN;
	*reason = "the driver reports devtools mode without confidential mode";
	if (!confidential && c->devtools)
		return GPU_MODE_UNKNOWN;
	*reason = "the driver reports confidential mode, but no production environment";
	if (c->feature != RM_CC_FEATURE_OFF && !c->devtools && c->environment != RM_CC_ENV_PRODUCTION)
		return GPU_MODE_UNKNOWN;
	if (confidential && !c->devtools && c->environment == RM_CC_ENV_SIMULATION)
		return GPU_MODE_UNKNOWN;
	*reason = "the driver reports a multi-GPU mode without the confidential feature";
	if (c->multi_gpu == RM_CC_MULTI_NVLE && c->feature == RM_CC_FEATURE_OFF)
		return GPU_MODE_UNKNOWN;
	*reason = NULL;
	if (!confidential)
		return GPU_MODE_OFF;
	if (c->devtools)
		return GPU_MODE_DEVTOOLS;
	if (c->multi_gpu == RM_CC_MULTI_PPCIE)
		return GPU_MODE_PPCIE;
	return c->feature == RM_CC_FEATURE_APM ? GPU_MODE_APM : GPU_MODE_ON;
}

void gpu_states_free(struct gpu_states *s)
{
	free(s->v);
	*s = (struct gpu_states){ 0 };
}

static int add(struct gpu_states *s, const struct gpu_pci *pci, bool in_sysfs, struct err *e)
{
	struct gpu_state *v = realloc(s->v, (s->n + 1) * sizeof *v);

	if (!v)
		return err_oom(e);
	s->v = v;
	v[s->n] = (struct gpu_state){ .pci = *pci, .in_sysfs = in_sysfs, .answer = GPU_FAILED };
	s->n++;
	return 0;
}

static struct gpu_state *find(const struct gpu_states *s, const struct pci_addr *a)
{
	for (size_t i = 0; i < s->n; i++)
		if (pci_addr_eq(&s->v[i].pci.addr, a))
			return &s->v[i];
	return NULL;
}

/* GPUs that the driver has and sysfs does not show (a sandbox hides /sys) are GPUs all the same. */
static int add_cards(struct gpu_states *s, const struct pci_addr *only, const struct rm *rm, struct err *e)
{
	for (size_t i = 0; i < rm_card_count(rm); i++) {
		const struct rm_card *c = rm_card_at(rm, i);
		struct gpu_pci pci = { .addr = c->addr, .vendor = c->vendor, .device = c->device, .driver = DRIVER };

		if (find(s, &c->addr) || (only && !pci_addr_eq(only, &c->addr)))
			continue;
		pci_addr_format(pci.bdf, &c->addr);
		if (add(s, &pci, false, e))
			return -1;
	}
	return 0;
}

bool gpu_is_bound(const struct gpu_pci *g)
{
	return !g->is_switch && strcmp(g->driver, DRIVER) == 0;
}

void gpu_state_unbound(struct gpu_state *g)
{
	g->answer = GPU_NOT_ASKED;
	if (g->pci.is_switch) {
		err_set(&g->why, EC_ABSENT, "an NVSwitch keeps its mode in its registers, which are not read");
	} else if (!g->pci.driver[0]) {
		err_set(&g->why, EC_ABSENT, "no driver is bound");
		err_hint(&g->why, "load the nvidia module and bind it, then ask again");
	} else {
		err_set(&g->why, EC_ABSENT, "driver '%s' is bound, which does not tell the mode", g->pci.driver);
		err_hint(&g->why, "ask inside the VM that the GPU is given to, or bind the nvidia driver");
	}
}

static void node_missing(struct gpu_state *g, const struct err *why)
{
	g->answer = GPU_NOT_ASKED;
	err_set(&g->why, EC_ABSENT, "device node missing: %s", why->msg);
	err_hint(&g->why, "'nvidia-modprobe -c 0' makes the nodes; a container has to be given them");
}

void gpu_state_ask(struct gpu_state *g, struct rm_gpu *gpu, struct rm_cc *cc, struct rm *rm)
{
	const struct rm_card *c = rm_card_find(rm, &g->pci.addr);
	struct rm_gpu at;
	struct rm_cc now;

	if (!c) {
		err_set(&g->why, EC_IO, "driver '%s' is bound, but does not list this GPU", DRIVER);
		err_hint(&g->why, "it failed to start: see 'dmesg | grep NVRM'");
		return;
	}
	if (c->vendor != g->pci.vendor || c->device != g->pci.device) {
		err_set(&g->why, EC_IO, "the driver says PCI id %04x:%04x, sysfs says %04x:%04x", (unsigned)c->vendor,
			(unsigned)c->device, (unsigned)g->pci.vendor, (unsigned)g->pci.device);
		return;
	}
	if (rm_attach(&at, rm, c, &g->why)) {
		if (g->why.code == EC_ABSENT) {
			const struct err why = g->why;

			node_missing(g, &why);
		}
		return;
	}
	if (rm_gpu_info(&g->info, rm, &at, &g->why) || rm_cc(&now, rm, &g->why))
		return;
	g->mode = gpu_mode_of(&now, &g->mode_why);
	g->answer = GPU_ANSWERED;
	*gpu = at;
	*cc = now;
}

/* The state is the whole system's; it is asked while this GPU is attached, and must be the same each time. */
static void ask_one(struct gpu_state *g, struct rm *rm, struct gpu_states *all)
{
	struct rm_gpu gpu;
	struct rm_cc now;

	gpu_state_ask(g, &gpu, &now, rm);
	if (g->answer != GPU_ANSWERED)
		return;
	if (all->has_cc && memcmp(&now, &all->cc, sizeof now) != 0) {
		g->answer = GPU_FAILED;
		g->mode = GPU_MODE_UNKNOWN;
		g->mode_why = NULL;
		err_set(&g->why, EC_IO, "the driver's confidential-compute state changed while it was read");
		err_hint(&g->why, "ask again");
		return;
	}
	all->cc = now;
	all->has_cc = true;
}

int gpu_states_ask(struct gpu_states *ret, const struct gpu_list *list, const struct pci_addr *only, struct rm *rm,
		   const struct err *rm_why, struct err *e)
{
	AUTO_GPU_STATES s = { .no_pci = list->no_pci };

	for (size_t i = 0; i < list->n; i++)
		if (!only || pci_addr_eq(only, &list->v[i].addr))
			if (add(&s, &list->v[i], true, e))
				return -1;
	if (rm && add_cards(&s, only, rm, e))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		struct gpu_state *g = &s.v[i];

		if (!gpu_is_bound(&g->pci))
			gpu_state_unbound(g);
		else if (rm)
			ask_one(g, rm, &s);
		else if (rm_why->code == EC_ABSENT)
			node_missing(g, rm_why);
		else
			g->why = *rm_why;
	}
	if (rm)
		snprintf(s.driver_version, sizeof s.driver_version, "%s", rm_driver_version(rm));
	*ret = s;
	s = (struct gpu_states){ 0 };
	return 0;
}

/* Opening a node of a driver that is not loaded makes the kernel load it, so it is opened only where
 * there is somebody to ask: a GPU bound to the driver, or a driver whose GPUs sysfs hides. */
static bool worth_asking(const struct gpu_list *l, const struct pci_addr *only, const struct host *h)
{
	char path[32];

	for (size_t i = 0; i < l->n; i++)
		if (gpu_is_bound(&l->v[i]) && (!only || pci_addr_eq(only, &l->v[i].addr)))
			return true;
	rm_node_path(path, RM_CTL_MINOR);
	return l->no_pci && host_exists(h, path);
}

/* Without the control node the loaded module still tells its version. */
static void version_from_sysfs(struct gpu_states *s, const struct host *h)
{
	AUTO_BUF line = { .max = sizeof s->driver_version };

	if (host_read_line(&line, h, "/sys/module/" DRIVER "/version", NULL))
		return;
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] <= ' ' || line.p[i] > '~')
			return;
	if (line.n < sizeof s->driver_version)
		snprintf(s->driver_version, sizeof s->driver_version, "%s", buf_cstr(&line));
}

int gpu_states(struct gpu_states *ret, const struct host *h, const struct pci_addr *only, struct err *e)
{
	AUTO_GPU_LIST list = { 0 };
	AUTO_RM *rm = NULL;
	struct err why = { 0 };

	if (gpu_list(&list, h, e))
		return -1;
	if (worth_asking(&list, only, h)) {
		if (rm_open(&rm, h, &why) && list.no_pci)
			return err_set(e, EC_IO, "%s", why.msg);	/* nobody else could say which GPUs there are */
	}
	if (gpu_states_ask(ret, &list, only, rm, &why, e))
		return -1;
	if (!rm)
		version_from_sysfs(ret, h);
	return 0;
}
