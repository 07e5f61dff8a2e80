/* SPDX-License-Identifier: Apache-2.0 */
/* See mmio.h: the access layer.  What is common to both ends (power, decoding, the reset file) is read from sysfs, also below a sysroot. */
#include "gpu/mmio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "gpu/mmio_wire.h"

#define BAR_MAX ((size_t)256 << 20)
#define REQUEST_MS 5000		/* for one request to a simulated device */
#define CONFIG_SIZE 4096
#define COMMAND_AT 4		/* in configuration space; bit 1: memory decoding */
#define COMMAND_MEMORY 2

struct dev {
	const struct host *h;
	struct gpu_pci g;
	bool writable, was_auto;
	volatile uint32_t *map;		/* sysfs; NULL: simulated, by fd */
	size_t size;
	int fd, config;
};

static void attr_path(char ret[static 96], const struct dev *d, const char *attr)
{
	snprintf(ret, 96, "/sys/bus/pci/devices/%s/%s", d->g.bdf, attr);
}

/* --- time -------------------------------------------------------------------------------------------------- */

int64_t mmio_now_ms(const struct mmio *m)
{
	return m->now_ms ? m->now_ms(m->arg) : host_mono_ms();
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

int64_t mmio_until(const struct mmio *m, const struct host *h, int64_t ms)
{
	return mmio_now_ms(m) + (h ? host_left_ms(h, ms) : ms);
}

bool mmio_wait(const struct mmio *m, const struct host *h, int64_t until, unsigned step_ms)
{
	if (mmio_now_ms(m) >= until || (h && host_left_ms(h, 1) == 0))
		return false;
	if (m->sleep_ms)
		m->sleep_ms(m->arg, step_ms);
	else
		sleep_ms(step_ms);
	return true;
}

const char *mmio_no_value(uint32_t word)
{
	if (word == UINT32_MAX)
		return "all ones: the device is lost, asleep or switched off";
	if (word >> 16 == 0xbadf || word == 0xbad00200)
		return "an error pattern: access is blocked";
	return NULL;
}

/* --- checks that hold for both ends ------------------------------------------------------------------------ */

static int check_offset(const struct dev *d, uint32_t offset, struct err *e)
{
	if (offset % 4 || d->size < 4 || offset > d->size - 4)
		return err_set(e, EC_BUG, "register 0x%x is not inside BAR0 of '%s' (0x%zx bytes)", (unsigned)offset, d->g.bdf, d->size);
	return 0;
}

static int check_writable(const struct dev *d, const char *what, struct err *e)
{
	return d->writable ? 0 : err_set(e, EC_BUG, "%s '%s', which was opened for a query", what, d->g.bdf);
}

static int reset_path(char ret[static 96], const struct dev *d, struct err *e)
{
	if (check_writable(d, "reset of", e))
		return -1;
	attr_path(ret, d, "reset");
	if (host_exists(d->h, ret))
		return 0;
	err_set(e, EC_ABSENT, "cannot reset '%s': the kernel knows no way to ('%s' is missing)", d->g.bdf, ret);
	return err_hint(e, "in a VM the bridge above it is hidden: reset it from the host, or restart the VM");
}

/* --- sysfs ------------------------------------------------------------------------------------------------- */

static int sysfs_read32(void *arg, uint32_t offset, uint32_t *ret, struct err *e)
{
	const struct dev *d = arg;
	uint32_t word;

	if (check_offset(d, offset, e))
		return -1;
	word = d->map[offset / 4];
	*ret = get_le32(&word);
	return 0;
}

static int sysfs_write32(void *arg, uint32_t offset, uint32_t value, struct err *e)
{
	const struct dev *d = arg;
	const uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24) };
	uint32_t word;

	if (check_writable(d, "register write to", e) || check_offset(d, offset, e))
		return -1;
	memcpy(&word, bytes, sizeof word);
	d->map[offset / 4] = word;
	return 0;
}

static int config_get(const struct dev *d, uint32_t offset, void *ret, size_t n, struct err *e)
{
	const ssize_t got = pread(d->config, ret, n, offset);

	if (got < 0)
		return err_sys(e, EC_IO, "cannot read the configuration space of '%s' at 0x%x", d->g.bdf, (unsigned)offset);
	if ((size_t)got != n)
		return err_set(e, EC_ABSENT, "configuration space of '%s' ends before 0x%zx", d->g.bdf, offset + n);
	return 0;
}

static int sysfs_config32(void *arg, uint32_t offset, uint32_t *ret, struct err *e)
{
	uint8_t raw[4];

	if (offset % 4 || offset >= CONFIG_SIZE)
		return err_set(e, EC_BUG, "0x%x is no word of the configuration space", (unsigned)offset);
	if (config_get(arg, offset, raw, sizeof raw, e))
		return -1;
	*ret = get_le32(raw);
	return 0;
}

static int sysfs_reset(void *arg, struct err *e)
{
	const struct dev *d = arg;
	char path[96];

	if (reset_path(path, d, e))
		return -1;
	if (host_write(d->h, path, SLICE("1"), e))
		return err_ctx(e, "cannot reset '%s'", d->g.bdf);
	return 0;
}

static int sysfs_map(struct dev *d, const char *path, struct err *e)
{
	AUTO_FD fd = host_open(d->h, path, (d->writable ? O_RDWR : O_RDONLY) | O_SYNC, e);
	struct stat st;
	void *p;

	if (fd < 0)
		return err_hint(e, "registers are root's: run it as root, outside of an unprivileged container");
	if (fstat(fd, &st))
		return err_sys(e, EC_IO, "'%s'", path);
	if (st.st_size < 4096 || (uint64_t)st.st_size > BAR_MAX || st.st_size % 4096)
		return err_set(e, EC_FORMAT, "'%s' is %jd bytes, which is no BAR0", path, (intmax_t)st.st_size);
	p = mmap(NULL, (size_t)st.st_size, d->writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_sys(e, EC_IO, "cannot map '%s'", path);
		return err_hint(e, "kernel lockdown (Secure Boot), or a driver that claims the registers for itself, forbids it");
	}
	d->map = p;
	d->size = (size_t)st.st_size;
	return 0;
}

/* --- simulated --------------------------------------------------------------------------------------------- */

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* After a failure the two ends may disagree about whose turn it is: nothing is sent any more. */
static int hang_up(struct dev *d, struct err *e, const char *what)
{
	fd_close(&d->fd);
	return err_set(e, EC_IO, "simulated device '%s' %s", d->g.bdf, what);
}

static int transfer(struct dev *d, uint8_t *p, size_t n, bool out, int64_t until, struct err *e)
{
	while (n) {
		const ssize_t done = out ? send(d->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) : recv(d->fd, p, n, MSG_DONTWAIT);
		const int64_t left = until - host_mono_ms();
		struct pollfd f = { .fd = d->fd, .events = out ? POLLOUT : POLLIN };

		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (done == 0 || (errno != EAGAIN && errno != EINTR)) {
			return hang_up(d, e, "has gone away");
		} else if (left <= 0) {
			return hang_up(d, e, "does not answer in time");
		} else if (poll(&f, 1, (int)left) < 0 && errno != EINTR) {
			return hang_up(d, e, "cannot be waited for");
		}
	}
	return 0;
}

static int ask(struct dev *d, enum mmio_op op, uint32_t offset, uint32_t value, uint32_t *ret, struct err *e)
{
	const int64_t until = host_mono_ms() + host_left_ms(d->h, REQUEST_MS);
	uint8_t request[MMIO_REQUEST], answer[MMIO_ANSWER];

	if (d->fd < 0)
		return err_set(e, EC_IO, "simulated device '%s' was given up after an error", d->g.bdf);
	put_le32(request, op);
	put_le32(request + 4, offset);
	put_le32(request + 8, value);
	if (transfer(d, request, sizeof request, true, until, e) || transfer(d, answer, sizeof answer, false, until, e))
		return -1;
	switch (get_le32(answer)) {
	case MMIO_DONE:
		*ret = get_le32(answer + 4);
		return 0;
	case MMIO_ABSENT:
		return err_set(e, EC_ABSENT, "simulated device '%s' does not have that", d->g.bdf);
	case MMIO_FAILED:
		return err_set(e, EC_IO, "simulated device '%s': input/output error", d->g.bdf);
	}
	return hang_up(d, e, "answers out of form");
}

static int sim_read32(void *arg, uint32_t offset, uint32_t *ret, struct err *e)
{
	return check_offset(arg, offset, e) ? -1 : ask(arg, MMIO_READ, offset, 0, ret, e);
}

static int sim_write32(void *arg, uint32_t offset, uint32_t value, struct err *e)
{
	uint32_t none;

	return check_writable(arg, "register write to", e) || check_offset(arg, offset, e) ? -1 : ask(arg, MMIO_WRITE, offset, value, &none, e);
}

static int sim_config32(void *arg, uint32_t offset, uint32_t *ret, struct err *e)
{
	if (offset % 4 || offset >= CONFIG_SIZE)
		return err_set(e, EC_BUG, "0x%x is no word of the configuration space", (unsigned)offset);
	return ask(arg, MMIO_CONFIG, offset, 0, ret, e);
}

static int sim_reset(void *arg, struct err *e)
{
	struct dev *d = arg;
	char path[96];
	uint32_t none;

	if (reset_path(path, d, e))
		return -1;
	if (ask(d, MMIO_RESET, 0, 0, &none, e))
		return err_ctx(e, "cannot reset '%s'", d->g.bdf);
	return 0;
}

static int sim_connect(struct dev *d, int node, const char *path, struct err *e)
{
	const int64_t until = host_mono_ms() + host_left_ms(d->h, REQUEST_MS);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	uint32_t size;

	if (d->h->offline)
		return err_set(e, EC_USAGE, "a simulated device is asked through a socket, which --offline forbids");
	/* by its descriptor, so that no link leads out of the sysroot */
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d", node);
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0)
		return err_sys(e, EC_IO, "cannot open a socket");
	while (connect(d->fd, (const struct sockaddr *)(const void *)&a, sizeof a)) {
		if ((errno != EAGAIN && errno != EINTR) || host_mono_ms() >= until) {
			err_sys(e, EC_IO, "cannot connect to the simulated device at '%s%s'", d->h->sysroot, path);
			return err_hint(e, "is the program that simulates it running?");
		}
		sleep_ms(5);
	}
	if (ask(d, MMIO_HELLO, 0, 0, &size, e))
		return -1;
	if (size < 4096 || size > BAR_MAX || size % 4096)
		return err_set(e, EC_FORMAT, "simulated device '%s' has a BAR0 of %u bytes", d->g.bdf, (unsigned)size);
	d->size = size;
	return 0;
}

static void quit(struct dev *d)
{
	uint8_t request[MMIO_REQUEST] = { 0 };
	struct err e;

	put_le32(request, MMIO_QUIT);
	if (d->fd >= 0)
		transfer(d, request, sizeof request, true, 0, &e);
}

/* --- opening ----------------------------------------------------------------------------------------------- */

static void dev_close(void *arg)
{
	struct dev *d = arg;
	char path[96];

	quit(d);
	if (d->map)
		munmap((void *)(uintptr_t)d->map, d->size);
	fd_close(&d->fd);
	fd_close(&d->config);
	attr_path(path, d, "power/control");
	if (d->was_auto && host_write(d->h, path, SLICE("auto"), NULL))
		host_log(d->h, LOG_WARN, "'%s' could not be set back to 'auto'", path);
	free(d);
}

/* Line of an attribute; "" where this kernel has none. */
static int attr_line(struct buf *ret, const struct dev *d, const char *attr, struct err *e)
{
	struct err own = { 0 };
	char path[96];

	attr_path(path, d, attr);
	buf_reset(ret);
	if (!host_read_line(ret, d->h, path, &own) || own.code == EC_ABSENT)
		return 0;
	return err_set(e, own.code, "cannot read '%s': %s", path, own.msg);
}

static int stay_awake(struct dev *d, struct err *e)
{
	AUTO_BUF line = { .max = 64 };
	char path[96];

	if (attr_line(&line, d, "power/control", e))
		return -1;
	if (!slice_eqs(buf_view(&line), "auto"))
		return 0;
	attr_path(path, d, "power/control");
	if (host_write(d->h, path, SLICE("on"), e))
		return err_ctx(e, "cannot keep '%s' awake", d->g.bdf);
	d->was_auto = true;
	return 0;
}

static int must_be_awake(const struct dev *d, struct err *e)
{
	AUTO_BUF line = { .max = 64 };

	if (attr_line(&line, d, "power/runtime_status", e))
		return -1;
	if (!line.n || slice_eqs(buf_view(&line), "active") || slice_eqs(buf_view(&line), "unsupported"))
		return 0;
	err_set(e, EC_ABSENT, "'%s' is asleep (runtime status '%s'), and a query does not wake it", d->g.bdf, buf_cstr(&line));
	return err_hint(e, "'echo on >/sys/bus/pci/devices/%s/power/control' wakes it, 'echo auto' lets it sleep again", d->g.bdf);
}

static int memory_decoding(struct dev *d, struct err *e)
{
	uint8_t command[2];
	char path[96];

	attr_path(path, d, "config");
	d->config = host_open(d->h, path, d->writable ? O_RDWR : O_RDONLY, e);
	if (d->config < 0 || config_get(d, COMMAND_AT, command, sizeof command, e))
		return -1;
	if (command[0] & COMMAND_MEMORY)
		return 0;
	if (!d->writable) {
		err_set(e, EC_ABSENT, "memory decoding of '%s' is off, and a query does not turn it on", d->g.bdf);
		return err_hint(e, "bind a driver, e.g. vfio-pci, which enables the device");
	}
	command[0] |= COMMAND_MEMORY;
	if (pwrite(d->config, command, sizeof command, COMMAND_AT) != sizeof command)
		return err_sys(e, EC_IO, "cannot enable memory decoding of '%s'", d->g.bdf);
	return 0;
}

static int open_bar(struct mmio *ret, struct dev *d, struct err *e)
{
	char path[96];
	struct stat st;

	attr_path(path, d, "resource0");
	AUTO_FD node = host_open(d->h, path, O_PATH, e);

	if (node < 0)
		return err_ctx(e, "'%s' has no registers to read", d->g.bdf);
	if (fstat(node, &st))
		return err_sys(e, EC_IO, "'%s'", path);
	if (d->h->simulated && S_ISSOCK(st.st_mode)) {
		*ret = (struct mmio){ sim_read32, sim_write32, sim_config32, sim_reset, dev_close, NULL, NULL, d, 0 };
		return sim_connect(d, node, path, e);
	}
	*ret = (struct mmio){ sysfs_read32, sysfs_write32, sysfs_config32, sysfs_reset, dev_close, NULL, NULL, d, 0 };
	return sysfs_map(d, path, e);
}

int mmio_open(struct mmio *ret, const struct host *h, const struct gpu_pci *g, bool writable, struct err *e)
{
	struct dev *d = calloc(1, sizeof *d);
	struct mmio m;

	if (!d)
		return err_oom(e);
	*d = (struct dev){ .h = h, .g = *g, .writable = writable, .fd = -1, .config = -1 };
	if ((writable ? stay_awake(d, e) : must_be_awake(d, e)) || memory_decoding(d, e) || open_bar(&m, d, e)) {
		dev_close(d);
		return err_ctx(e, "cannot open the registers of '%s'", g->bdf);
	}
	m.size = d->size;
	*ret = m;
	return 0;
}

void mmio_close(struct mmio *m)
{
	if (m->close)
		m->close(m->arg);
	*m = (struct mmio){ 0 };
}
