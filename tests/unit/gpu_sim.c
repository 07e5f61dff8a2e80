/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu_sim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "test.h"

enum { ROOT = 0x5a0000, DEVICE = 0x100, SUBDEVICE = 0x200, CC = 0x300, CTL_NODE = 1000, GPU_NODE = 2000 };

struct sim sim_h100(void)
{
	return (struct sim){
		.version = "580.159.04", .version_reply = 1, .n_gpus = 1, .caps = { 0, 2, 0, 0, 0, 0 }, .caps_size = 6,
		.name_size = 132,
		.gpu[0] = { .addr = { 0, 0, 6, 0 }, .vendor = 0x10de, .device = 0x2330, .id = 6, .minor = 0,
			    .name = "NVIDIA H100 80GB HBM3", .uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef" },
		.gpu[1] = { .addr = { 0, 0x41, 0, 0 }, .vendor = 0x10de, .device = 0x2330, .id = 0x4100, .minor = 1,
			    .name = "NVIDIA H100 80GB HBM3", .uuid = "GPU-11234567-89ab-cdef-0123-456789abcdef" },
	};
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static int sim_open(void *arg, unsigned minor, struct err *e)
{
	struct sim *s = arg;

	if (minor == RM_CTL_MINOR) {
		if (s->no_ctl)
			return err_set(e, EC_ABSENT, "'/dev/nvidiactl' is not there");
		s->opened++;
		return CTL_NODE;
	}
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (s->gpu[i].minor != minor)
			continue;
		if (s->gpu[i].no_node)
			return err_set(e, EC_ABSENT, "'/dev/nvidia%u' is not there", minor);
		if (s->gpu[i].open_error)
			return err_set(e, EC_IO, "'/dev/nvidia%u': %s", minor, strerror(s->gpu[i].open_error));
		s->opened++;
		return GPU_NODE + (int)minor;
	}
	return err_set(e, EC_ABSENT, "'/dev/nvidia%u' is not there", minor);
}

static struct sim_fault *fault_of(struct sim *s, uint32_t cmd)
{
	for (size_t i = 0; i < 4; i++)
		if (s->fault[i].cmd == cmd && s->fault[i].times) {
			s->fault[i].times--;
			return &s->fault[i];
		}
	return NULL;
}

static struct sim_gpu *by_id(struct sim *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_gpus; i++)
		if (s->gpu[i].id == id)
			return &s->gpu[i];
	return NULL;
}

static uint32_t id_info(struct sim *s, uint8_t *p)
{
	const struct sim_gpu *g = by_id(s, get_le32(p));

	if (!g)
		return 0x1f;
	put32(p + 8, (uint32_t)(g - s->gpu));	/* device instance */
	return 0;
}

static uint32_t text_at(uint8_t *p, size_t max, const char *text)
{
	const size_t n = strlen(text);

	memcpy(p, text, n < max ? n : max);
	return 0;
}

static uint32_t bios(uint8_t *p)
{
	if (get_le32(p) != 2 || get_le32(p + 4) != 0 || get_le32(p + 12) != 1)
		return 0x1f;
	put32(p + 8, 0x9600da00);
	put32(p + 16, 0x0c);
	return 0;
}

/* One control command: its size in this driver, and its answer. */
static uint32_t sim_control(struct sim *s, uint32_t object, uint32_t cmd, uint8_t *p, size_t n)
{
	const uint32_t sub = object - SUBDEVICE;
	const size_t want = cmd == 0x205 ? 32 : cmd == 0x275 ? 268 : cmd == 0x20800110 ? s->name_size : cmd == 0x20800810 ? 124
			  : cmd == 0x20801701 ? 16 : cmd == 0xcb330101 ? s->caps_size : cmd == 0xcb330104 ? 1
			  : cmd == 0xcb330106 ? 24 : 0;
	const bool on_root = cmd < 0x10000, on_cc = cmd >> 16 == 0xcb33;

	if (!want)
		return 0x56;
	if (n != want)
		return 0x1f;
	if (on_root ? object != ROOT : on_cc ? object != CC : sub >= s->n_gpus)
		return 0x33;
	switch (cmd) {
	case 0x205:
		return id_info(s, p);
	case 0x275:
		return by_id(s, get_le32(p)) ? text_at(p + 8, 256, by_id(s, get_le32(p))->uuid) : 0x1f;
	case 0x20800110:
		return text_at(p + 4, n - 4, s->gpu[sub].name);
	case 0x20800810:
		return bios(p);
	case 0x20801701:
		put32(p, 0x180);
		return 0;
	case 0xcb330101:
		memcpy(p, s->caps, n);
		return 0;
	case 0xcb330104:
		p[0] = s->ready;
		s->ready ^= s->flapping;
		return 0;
	default:
		if (get_le32(p) - SUBDEVICE >= s->n_gpus)
			return 0x57;
		put32(p + 16, 0x04f2dc00);
		return 0;
	}
}

static uint32_t sim_alloc(struct sim *s, uint8_t *m, const uint8_t *params, size_t n)
{
	const uint32_t root = get_le32(m), parent = get_le32(m + 4), class = get_le32(m + 12);
	uint32_t handle;

	switch (class) {
	case 0x41:
		if (root || parent)
			return 0x23;
		handle = ROOT;
		break;
	case 0x80:
		if (root != ROOT || parent != ROOT || n != 56 || get_le32(params) >= s->n_gpus)
			return 0x1f;
		handle = DEVICE + get_le32(params);
		break;
	case 0x2080:
		if (root != ROOT || parent - DEVICE >= s->n_gpus || n != 4 || get_le32(params))
			return 0x1f;
		handle = SUBDEVICE + (parent - DEVICE);
		break;
	case 0xcb33:
		if (s->no_cc_class)
			return 0x22;
		if (root != ROOT || parent != ROOT)
			return 0x23;
		handle = CC;
		break;
	default:
		return 0x22;
	}
	put32(m + 8, s->zero_handle ? 0 : handle);
	return 0;
}

static void sim_version(const struct sim *s, uint8_t *p)
{
	put32(p + 4, s->version_reply);
	memset(p + 8, 0, 64);
	memcpy(p + 8, s->version, s->version_bytes ? s->version_bytes : strlen(s->version));
}

static void sim_cards(const struct sim *s, uint8_t *p)
{
	size_t at = 0;

	for (size_t i = 0; i < s->n_gpus; i++) {
		const struct sim_gpu *g = &s->gpu[i];
		uint8_t *c = p + 72 * at;

		if (g->hidden)
			continue;
		at++;
		c[0] = 1;
		put32(c + 4, g->addr.domain);
		c[8] = g->addr.bus;
		c[9] = g->addr.slot;
		c[10] = g->addr.fn;
		c[12] = (uint8_t)g->vendor;
		c[13] = (uint8_t)(g->vendor >> 8);
		c[14] = (uint8_t)g->device;
		c[15] = (uint8_t)(g->device >> 8);
		put32(c + 16, g->id);
		put32(c + 56, g->minor);
	}
}

static void noise(struct sim *s, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->garbage = s->garbage * 1664525u + 1013904223u;
		p[i] = s->garbage & 0x1000 ? (uint8_t)(s->garbage >> 24) : (uint8_t)(s->garbage >> 30);
	}
}

static int sim_call(void *arg, int node, struct rm_msg *m)
{
	struct sim *s = arg;
	const bool control = m->nr == RM_NR_CONTROL, alloc = m->nr == RM_NR_ALLOC;
	const uint32_t key = control ? get_le32(m->s + 8) : alloc ? get_le32(m->s + 12) : m->nr;
	const size_t status_at = control ? 28 : 40;
	const struct sim_fault *f = fault_of(s, key);
	uint32_t status;

	if (node != CTL_NODE)
		return EBADF;
	if (s->n_log < SIM_LOG)
		s->log[s->n_log++] = key;
	if (m->n != (m->nr == RM_NR_VERSION ? 72 : m->nr == RM_NR_CARD_INFO ? 2304 : m->nr == RM_NR_FREE ? 16 : control ? 32
		    : alloc ? 48 : 0))
		return EINVAL;
	if (f && f->error)
		return f->error;
	if ((control || alloc) && m->params_size && !m->params)
		return EFAULT;
	if (s->garbage && s->n_log > s->garbage_after) {
		noise(s, m->s, m->n);
		if (m->params)
			noise(s, m->params, m->params_size);
		if ((control || alloc) && s->garbage & 0x300)
			put32(m->s + status_at, 0);	/* mostly: so that what follows is reached too */
		return s->garbage & 0xf000 ? 0 : EIO;
	}
	if (m->nr == RM_NR_VERSION)
		sim_version(s, m->s);
	else if (m->nr == RM_NR_CARD_INFO)
		sim_cards(s, m->s);
	else if (m->nr == RM_NR_FREE)
		s->freed++;
	if (!control && !alloc)
		return 0;
	if (f)
		status = f->status;
	else if (control)
		status = get_le32(m->s) == ROOT ? sim_control(s, get_le32(m->s + 4), key, m->params, m->params_size) : 0x23;
	else
		status = sim_alloc(s, m->s, m->params, m->params_size);
	put32(m->s + status_at, status);
	return 0;
}

static void sim_close(void *arg, int node)
{
	(void)node;
	((struct sim *)arg)->closed++;
}

static void sim_release(void *arg)
{
	((struct sim *)arg)->released++;
}

struct rm_port sim_port(struct sim *s)
{
	return (struct rm_port){ sim_open, sim_call, sim_close, sim_release, s };
}

bool sim_was_sent(const struct sim *s, uint32_t cmd)
{
	for (size_t i = 0; i < s->n_log; i++)
		if (s->log[i] == cmd)
			return true;
	return false;
}

/* --- fake sysfs ---------------------------------------------------------------------------------------------- */

static void parents(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
}

void put_file(const char *dir, const char *path, const char *text)
{
	char full[1024];
	FILE *f;

	snprintf(full, sizeof full, "%s%s", dir, path);
	parents(full);
	f = fopen(full, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		test_fail(__FILE__, __LINE__, "cannot write %s", full);
}

void put_link(const char *dir, const char *path, const char *to)
{
	char full[1024];

	snprintf(full, sizeof full, "%s%s", dir, path);
	parents(full);
	if (symlink(to, full))
		test_fail(__FILE__, __LINE__, "cannot link %s", full);
}

void put_pci(const char *dir, const char *bdf, const char *vendor, const char *device, const char *class_code,
	     const char *driver)
{
	char path[256], text[256];

	snprintf(path, sizeof path, "/sys/devices/pci0000:00/%s/vendor", bdf);
	put_file(dir, path, vendor);
	snprintf(path, sizeof path, "/sys/devices/pci0000:00/%s/device", bdf);
	put_file(dir, path, device);
	snprintf(path, sizeof path, "/sys/devices/pci0000:00/%s/class", bdf);
	put_file(dir, path, class_code);
	if (driver) {
		snprintf(path, sizeof path, "/sys/devices/pci0000:00/%s/driver", bdf);
		snprintf(text, sizeof text, "../../../bus/pci/drivers/%s", driver);
		put_link(dir, path, text);
	}
	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s", bdf);
	snprintf(text, sizeof text, "../../../devices/pci0000:00/%s", bdf);
	put_link(dir, path, text);
}
