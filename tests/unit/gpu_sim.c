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
	struct sim s = {
		.version = "580.159.04", .version_reply = 1, .n_gpus = 1, .caps = { 0, 2, 0, 0, 0, 0 }, .caps_size = 6,
		.name_size = 132, .sku_size = 48, .has_keys = true,
		.gpu[0] = { .addr = { 0, 0, 6, 0 }, .vendor = 0x10de, .device = 0x2330, .id = 6, .minor = 0,
			    .name = "NVIDIA H100 80GB HBM3", .uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef" },
		.gpu[1] = { .uuid = "GPU-11234567-89ab-cdef-0123-456789abcdef" }, .gpu[2] = { .uuid = "GPU-21234567-89ab-cdef-0123-456789abcdef" },
		.gpu[3] = { .uuid = "GPU-31234567-89ab-cdef-0123-456789abcdef" }, .gpu[4] = { .uuid = "GPU-41234567-89ab-cdef-0123-456789abcdef" },
		.gpu[5] = { .uuid = "GPU-51234567-89ab-cdef-0123-456789abcdef" }, .gpu[6] = { .uuid = "GPU-61234567-89ab-cdef-0123-456789abcdef" },
		.gpu[7] = { .uuid = "GPU-71234567-89ab-cdef-0123-456789abcdef" }, .gpu[8] = { .uuid = "GPU-81234567-89ab-cdef-0123-456789abcdef" },
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};

	for (size_t i = 1; i < SIM_GPUS; i++) {
		struct sim_gpu *g = &s.gpu[i];

		g->addr = (struct pci_addr){ 0, (uint8_t)(0x40 + i), 0, 0 };
		g->vendor = 0x10de;
		g->device = 0x2330;
		g->id = 0x4000 + (uint32_t)i * 0x100;
		g->minor = (uint32_t)i;
		g->name = "NVIDIA H100 80GB HBM3";
	}
	return s;
}

void sim_branch(struct sim *s, const char *version)
{
	const bool v535 = !strncmp(version, "535", 3), v595 = !strncmp(version, "595", 3);

	s->version = version;
	s->caps_size = v535 ? 5 : 6;
	s->name_size = v595 ? 68 : 132;
	s->sku_size = v535 ? 32 : 48;
	s->has_keys = !v535;
}

void sim_confidential(struct sim *s, size_t n_gpus)
{
	s->n_gpus = n_gpus;
	s->caps[0] = 3;
	s->caps[2] = s->caps[3] = 2;
	s->caps[5] = 0;
}

struct gpu_pci sim_pci(const struct sim *s, size_t gpu)
{
	const struct sim_gpu *g = &s->gpu[gpu];
	struct gpu_pci p = { .addr = g->addr, .vendor = g->vendor, .device = g->device, .class_code = 0x030200, .driver = "nvidia" };

	pci_addr_format(p.bdf, &g->addr);
	return p;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static int open_node(void *arg, unsigned minor, struct err *e)
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

static int sim_open(void *arg, unsigned minor, struct err *e)
{
	struct sim *s = arg;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = open_node(arg, minor, e);
	pthread_mutex_unlock(&s->lock);
	return rc;
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

static uint32_t sku(uint8_t *p, size_t n)
{
	put32(p, 0x437);
	text_at(p + 4, n == 32 ? 4 : 9, "885");
	text_at(p + (n == 32 ? 10 : 24), 5, "G520");
	return text_at(p + (n == 32 ? 15 : 29), 5, "0200");
}

static void plain_chain(struct buf *ret)
{
	for (int i = 0; i < 5; i++)
		buf_puts(ret, "-----BEGIN CERTIFICATE-----\nMAAwADAAMAA=\n-----END CERTIFICATE-----\n");
}

static void plain_report(struct buf *ret, const uint8_t *nonce)
{
	const uint8_t head[4] = { 0x11, 0xe0, 1, 0xff };

	buf_put(ret, head, sizeof head);
	buf_put(ret, nonce, 32);
	buf_fill(ret, 0, 1);
	buf_fill(ret, 0x5a, 4000);
}

static uint32_t chain(struct sim *s, uint8_t *p, size_t gpu)
{
	AUTO_BUF b = { 0 };

	s->gpu[gpu].n_chain++;
	if (s->chain_text)
		buf_puts(&b, s->chain_text);
	else if (s->chain)
		s->chain(s->maker, &b, gpu);
	else
		plain_chain(&b);
	put32(p + 4100, 4096);		/* as real drivers do */
	memcpy(p + 4104, b.p, b.n < 5120 ? b.n : 5120);
	put32(p + 9224, s->chain_size ? s->chain_size : (uint32_t)b.n);
	return 0;
}

static uint32_t report(struct sim *s, uint8_t *p, size_t gpu)
{
	AUTO_BUF b = { 0 };
	uint8_t nonce[32];

	s->gpu[gpu].n_report++;
	memcpy(nonce, p + 4, sizeof nonce);
	nonce[31] ^= s->other_nonce;
	if (s->report)
		s->report(s->maker, &b, gpu, nonce);
	else
		plain_report(&b, nonce);
	memcpy(p + 36, b.p, b.n < 8192 ? b.n : 8192);
	put32(p + 8228, s->report_size ? s->report_size : (uint32_t)b.n);
	return 0;
}

/* What each command has: its object, and its size in this driver; 0: the driver does not know it. */
static size_t size_of(const struct sim *s, uint32_t cmd)
{
	switch (cmd) {
	case 0x205: return 32;
	case 0x275: return 268;
	case 0x20800110: return s->name_size;
	case 0x20800808: return s->sku_size;
	case 0x20800810: return 124;
	case 0x2080013f: return 136;
	case 0x20801701: return 16;
	case 0x20801801: return 16;
	case 0xcb330101: return s->caps_size;
	case 0xcb330104: return 1;
	case 0xcb330105: return 1;
	case 0xcb330106: return 24;
	case 0xcb330109: return 9228;
	case 0xcb33010a: return 12336;
	case 0xcb33010b: return 12;
	case 0xcb33010c: return s->has_keys ? 8 : 0;
	default: return 0;
	}
}

/* The commands of the confidential-compute object that are about one GPU, named by its subdevice. */
static uint32_t cc_gpu(struct sim *s, uint32_t cmd, uint8_t *p)
{
	const size_t gpu = get_le32(p) - SUBDEVICE;

	if (gpu >= s->n_gpus)
		return 0x57;
	switch (cmd) {
	case 0xcb330109:
	case 0xcb33010a:
		if (!s->caps[3] && !(s->caps_size > 5 && s->caps[5]))
			return 0x57;
		return cmd == 0xcb330109 ? chain(s, p, gpu) : report(s, p, gpu);
	case 0xcb33010b:
		put32(p + 4, 6);
		put32(p + 8, 40);
		return 0;
	case 0xcb33010c:
		put32(p + 4, 3);
		return 0;
	default:
		put32(p + 16, 0x04f2dc00);
		return 0;
	}
}

/* One control command. */
static uint32_t sim_control(struct sim *s, uint32_t object, uint32_t cmd, uint8_t *p, size_t n)
{
	const uint32_t sub = object - SUBDEVICE;
	const size_t want = size_of(s, cmd);
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
	case 0x20800808:
		return sku(p, n);
	case 0x20800810:
		return bios(p);
	case 0x2080013f:
		text_at(p + 4, 24, "PG520 SKU 200");
		return text_at(p + 28, 16, "1650323000123");
	case 0x20801701:
		put32(p, 0x180);
		return 0;
	case 0x20801801:
		put32(p, (uint32_t)(s->gpu[sub].says_device ? s->gpu[sub].says_device : s->gpu[sub].device) << 16 | s->gpu[sub].vendor);
		return 0;
	case 0xcb330101:
		memcpy(p, s->caps, n);
		return 0;
	case 0xcb330104:
		p[0] = s->ready;
		s->ready ^= s->flapping;
		return 0;
	case 0xcb330105:
		if (s->not_root)
			return 0x1b;
		if (s->ready_lost || p[0] > 1)
			return 0x1f;
		s->ready_lost = s->ready && !p[0];	/* spec 1.5: no way back before the module is loaded afresh */
		if (!s->ready_stuck)
			s->ready = p[0];
		return 0;
	default:
		return cc_gpu(s, cmd, p);
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

static int one_call(void *arg, int node, struct rm_msg *m)
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

static void put_stripped(struct buf *to, const char *name, const uint8_t *p, size_t n)
{
	while (n && !p[n - 1])
		n--;
	buf_printf(to, ",\"%s\":\"", name);
	buf_hex(to, slice_of(p, n));
	buf_puts(to, "\"");
}

/* One call as replay.c reads it.  before: the struct and its parameters as they were sent. */
static void put_call(struct sim *s, const struct rm_msg *m, const uint8_t *s_before, const uint8_t *p_before, int error)
{
	const bool control = m->nr == RM_NR_CONTROL, alloc = m->nr == RM_NR_ALLOC;
	struct buf *r = &s->recording;

	buf_printf(r, "%s\n{\"nr\":%u,\"errno\":%d", r->n ? "," : "", m->nr, error);
	if (control)
		buf_printf(r, ",\"cmd\":%u,\"object\":%u,\"size\":%zu,\"status\":%u", (unsigned)get_le32(s_before + 8),
			   (unsigned)get_le32(s_before + 4), m->params_size, (unsigned)get_le32(m->s + 28));
	else if (alloc)
		buf_printf(r, ",\"cls\":%u,\"parent\":%u,\"status\":%u,\"handle\":%u", (unsigned)get_le32(s_before + 12),
			   (unsigned)get_le32(s_before + 4), (unsigned)get_le32(m->s + 40), (unsigned)get_le32(m->s + 8));
	else
		buf_printf(r, ",\"size\":%zu", m->n);
	if (control || alloc) {
		put_stripped(r, control ? "in" : "params", p_before, m->params_size);
		if (control)
			put_stripped(r, "out", m->params, m->params_size);
	} else {
		put_stripped(r, "in", s_before, m->n);
		put_stripped(r, "out", m->s, m->n);
	}
	buf_puts(r, "}");
}

static int sim_call(void *arg, int node, struct rm_msg *m)
{
	struct sim *s = arg;
	uint8_t s_before[2304] = { 0 }, p_before[16384] = { 0 };
	int rc;

	memcpy(s_before, m->s, m->n < sizeof s_before ? m->n : sizeof s_before);
	if (m->params)
		memcpy(p_before, m->params, m->params_size < sizeof p_before ? m->params_size : sizeof p_before);
	if (s->report_ms && m->nr == RM_NR_CONTROL && get_le32(m->s + 8) == 0xcb33010a)
		usleep(s->report_ms * 1000);
	pthread_mutex_lock(&s->lock);
	rc = one_call(arg, node, m);
	if (s->record && m->nr != RM_NR_FREE)
		put_call(s, m, s_before, p_before, rc);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void sim_recording(struct buf *ret, struct sim *s)
{
	buf_puts(ret, "{\"calls\":[");
	buf_slice(ret, buf_view(&s->recording));
	buf_puts(ret, "\n]}\n");
	buf_free(&s->recording);
}

static void sim_close(void *arg, int node)
{
	struct sim *s = arg;

	(void)node;
	pthread_mutex_lock(&s->lock);
	s->closed++;
	pthread_mutex_unlock(&s->lock);
}

static void sim_release(void *arg)
{
	struct sim *s = arg;

	pthread_mutex_lock(&s->lock);
	s->released++;
	pthread_mutex_unlock(&s->lock);
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
