/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a device: kernel drivers, which are taken off and put back, and programs, which are only named. */
#include "gpu/ccmode_int.h"

#include <time.h>

#include "base/cursor.h"

#define DEVICES "/sys/bus/pci/devices"
#define DRIVERS "/sys/bus/pci/drivers"
#define UNBIND_MS 30000		/* the NVIDIA driver takes a while to let a confidential GPU go */
#define POLL_MS 10

/* --- users --------------------------------------------------------------------------------------------------------- */

/* These hold a device for somebody else, and do not touch its registers themselves. */
bool ccmode_driver_is_idle(const char *name)
{
	static const char *const idle[] = { "", "vfio-pci", "nvgrace-gpu-vfio-pci", "nvgrace_gpu_vfio_pci", "pci-stub" };

	for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++)
		if (!strcmp(name, idle[i]))
			return true;
	return false;
}

#define NODES_MAX 4
struct search {
	const struct host *h;
	char node[NODES_MAX][64];	/* device nodes looked for; one that ends in '#' stands for any digits there */
	size_t n;
	char pid[24];
	char found[64], name[64];	/* node, program */
};

static bool node_is(const char *wanted, const char *path)
{
	const size_t n = strlen(wanted);

	if (!n || wanted[n - 1] != '#')
		return !strcmp(wanted, path);
	return !strncmp(wanted, path, n - 1) && path[n - 1] && path[n - 1 + strspn(path + n - 1, "0123456789")] == '\0';
}

static int look_at_fd(void *arg, const char *fd)
{
	AUTO_BUF link = { .max = 4096 };
	struct search *s = arg;
	char path[320];

	snprintf(path, sizeof path, "/proc/%s/fd/%.255s", s->pid, fd);
	if (host_readlink(&link, s->h, path, NULL))
		return 0;	/* closed meanwhile */
	for (size_t i = 0; i < s->n; i++)
		if (node_is(s->node[i], buf_cstr(&link))) {
			snprintf(s->found, sizeof s->found, "%.63s", buf_cstr(&link));
			return 1;
		}
	return 0;
}

static int look_at_process(void *arg, const char *name)
{
	struct search *s = arg;
	AUTO_BUF line = { .max = 4096 };
	char path[64];

	if (strnlen(name, sizeof s->pid) >= sizeof s->pid || name[strspn(name, "0123456789")])
		return 0;
	snprintf(s->pid, sizeof s->pid, "%s", name);
	snprintf(path, sizeof path, "/proc/%s/fd", name);
	if (host_list(s->h, path, look_at_fd, s, NULL) != 1)
		return 0;	/* gone, or not ours to look at */
	snprintf(path, sizeof path, "/proc/%s/comm", name);
	if (host_read_line(&line, s->h, path, NULL) == 0)
		snprintf(s->name, sizeof s->name, "%.63s", buf_cstr(&line));
	return 1;
}

static void add_node(struct search *s, const char *fmt, const char *part)
{
	if (s->n < NODES_MAX && (size_t)snprintf(s->node[s->n], sizeof s->node[0], fmt, part) < sizeof s->node[0])
		s->n++;
}

static int add_vfio_device(void *arg, const char *name)
{
	add_node(arg, "/dev/vfio/devices/%s", name);
	return 0;
}

/* A virtual machine holds the group of the device open, or its own node (iommufd). */
static void vfio_nodes(struct search *s, const struct gpu_pci *g)
{
	AUTO_BUF link = { .max = 4096 };
	const char *group;
	char path[96];

	snprintf(path, sizeof path, DEVICES "/%s/iommu_group", g->bdf);
	if (host_readlink(&link, s->h, path, NULL) == 0 && (group = strrchr(buf_cstr(&link), '/')) != NULL) {
		add_node(s, "/dev/vfio/%s", group + 1);
		add_node(s, "/dev/vfio/noiommu-%s", group + 1);
	}
	snprintf(path, sizeof path, DEVICES "/%s/vfio-dev", g->bdf);
	host_list(s->h, path, add_vfio_device, s, NULL);
}

int ccmode_check_users(const struct host *h, const struct gpu_pci *g, struct err *e)
{
	struct search s = { .h = h };

	if (!g->driver[0])
		return 0;
	if (ccmode_driver_is_idle(g->driver)) {
		vfio_nodes(&s, g);
	} else {
		add_node(&s, "/dev/nvidia%s", "#");
		add_node(&s, "/dev/nvidia-nvswitch%s", "#");
	}
	if (!s.n || host_list(h, "/proc", look_at_process, &s, NULL) != 1)
		return 0;
	err_set(e, EC_REFUSED, "%s is in use: process %s%s%s%s holds '%s' open", g->bdf, s.pid, s.name[0] ? " (" : "", s.name, s.name[0] ? ")" : "",
		s.found);
	if (ccmode_driver_is_idle(g->driver))
		return err_hint(e, "shut down the virtual machine that the device is given to");
	return err_hint(e, "stop what uses the GPUs first (workloads, nvidia-persistenced, fabric manager): the driver cannot let go before");
}

/* --- drivers --------------------------------------------------------------------------------------------------------- */

static bool is_bound(const struct host *h, const char *bdf)
{
	AUTO_BUF link = { .max = 4096 };
	char path[96];

	snprintf(path, sizeof path, DEVICES "/%s/driver", bdf);
	return host_readlink(&link, h, path, NULL) == 0;
}

static bool wait_bound(const struct host *h, const char *bdf, bool wanted)
{
	const int64_t end = host_mono_ms() + host_left_ms(h, UNBIND_MS);
	const struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };

	for (;;) {
		if (is_bound(h, bdf) == wanted)
			return true;
		if (host_mono_ms() >= end)
			return false;
		nanosleep(&nap, NULL);
	}
}

int ccmode_unbind(const struct host *h, const char *bdf, const struct ccmode_opts *o, struct err *e)
{
	char path[96];

	if (!is_bound(h, bdf))
		return 0;
	host_log(h, LOG_INFO, "%s: unbinding the driver", bdf);
	snprintf(path, sizeof path, DEVICES "/%s/driver/unbind", bdf);
	if (host_write(h, path, slice_str(bdf), e)) {
		if (e && e->code == EC_ABSENT)
			e->code = EC_IO;
		return err_ctx(e, "%s: cannot unbind the driver", bdf);
	}
	CCSTEP_AT(o, "unbind", bdf);
	if (!wait_bound(h, bdf, false)) {
		err_set(e, EC_IO, "%s: the driver does not let go of the device", bdf);
		return err_hint(e, "see 'dmesg'; is anything still using the GPUs?");
	}
	return 0;
}

int ccmode_bind(const struct host *h, const char *bdf, const char *driver, const struct ccmode_opts *o, struct err *e)
{
	char path[128];

	if (is_bound(h, bdf))
		return 0;
	snprintf(path, sizeof path, DRIVERS "/%s", driver);
	if (!host_exists(h, path)) {
		host_log(h, LOG_WARN, "%s: driver '%s' is not loaded any more, so it cannot be bound again", bdf, driver);
		return 0;
	}
	host_log(h, LOG_INFO, "%s: binding driver '%s'", bdf, driver);
	snprintf(path, sizeof path, DRIVERS "/%s/bind", driver);
	if (host_write(h, path, slice_str(bdf), e)) {
		if (e && e->code == EC_ABSENT)
			e->code = EC_IO;
		return err_ctx(e, "%s: cannot bind driver '%s' again", bdf, driver);
	}
	CCSTEP_AT(o, "bind", bdf);
	if (!wait_bound(h, bdf, true))
		return err_set(e, EC_IO, "%s: driver '%s' did not take the device", bdf, driver);
	return 0;
}
