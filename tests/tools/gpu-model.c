/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated GPUs and NVSwitches for the real binary: makes a sysfs tree below ROOT, answers on a socket in place of each resource0, and goes on in the
 * background, so that the devices outlive a cvmbox that is killed.
 *
 *	gpu-model ROOT [--log FILE] [--registers] [--lifetime SECONDS] DEVICE...
 *	DEVICE: CHIP[*COUNT][@BDF][,KEY=VALUE]...	CHIP: hopper gb10x gb20x ls10; without BDF: 0000:41:00.0, 0000:42:00.0, ..
 *	KEY: fault=NAME+NAME (gpu_model.c; none)  fault-after=N  knob=ID:VALUE (pending)  active=ID:VALUE  set=ID:VALUE (both)  refuse=ID  invalid=ID
 *	     boot-reads=N  id=0xNNNN (PCI)  driver=NAME  bind=off (binding and unbinding do nothing)  asleep=1 (runtime suspended)
 *	     decoding=off  stall=N (no answers at all after N requests on the socket)  lost=0|1  power-cycle=1  count=N (of accesses until the
 *	     device goes 'lost')  kill=N, kill-request=N (of all devices together: the process that asks is killed with SIGKILL at its N-th line
 *	     g s R of the log, right after that took effect; at its N-th request, before that is looked at; 0: not)
 *
 * Prints its process id once everything stands, and writes it to ROOT/gpu-model.pid.  Lines "BDF KEY=VALUE,.." (or "all KEY=..") written to ROOT/control
 * take effect before the next request.  The log has one line for each access: BDF, r w c R g s (gpu_model.h), offset or knob, value. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "gpu/mmio_wire.h"
#include "gpu_model.h"

#define DEVICES_MAX 24
#define CLIENTS_MAX 64

struct device {
	struct model m;
	char driver[32], first_driver[32];
	bool bind_off, asleep, decoding_off, stalls;
	unsigned stall_after, count_down;
	bool counts;
	int listener, group;
};

struct client {
	int fd, device;
	uint8_t in[MMIO_REQUEST];
	size_t n;
};

static struct device devices[DEVICES_MAX];
static int n_devices;
static struct client clients[CLIENTS_MAX];
static int log_fd = -1, watcher = -1;
static bool log_all;
static unsigned kill_step, kill_request;
static const struct client *asking;
static char root[PATH_MAX];

static _Noreturn void die(const char *what, const char *on)
{
	fprintf(stderr, "gpu-model: %s '%s': %s\n", what, on, errno ? strerror(errno) : "not understood");
	exit(1);
}

/* --- the tree ------------------------------------------------------------------------------------------------ */

static const char *in_root(const char *fmt, const char *a, const char *b)
{
	static char ring[4][PATH_MAX];
	static unsigned at;
	char *ret = ring[at++ % 4], tail[512];

	snprintf(tail, sizeof tail, fmt, a, b);
	if ((size_t)snprintf(ret, PATH_MAX, "%.3000s%s", root, tail) >= PATH_MAX)
		die("path is too long", tail);
	return ret;
}

static void folder(const char *path)
{
	char part[PATH_MAX];

	for (size_t i = 1; path[i]; i++)
		if (path[i] == '/') {
			snprintf(part, sizeof part, "%.*s", (int)i, path);
			if (mkdir(part, 0755) && errno != EEXIST)
				die("cannot make folder", part);
		}
	if (mkdir(path, 0755) && errno != EEXIST)
		die("cannot make folder", path);
}

static void put_bytes(const char *path, const void *p, size_t n)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd))
		die("cannot write", path);
}

static void put_text(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static const char *of(const struct device *d, const char *attr)
{
	return in_root("/sys/devices/pci0000:00/%s/%s", d->m.pci.bdf, attr);
}

static void link_driver(struct device *d, const char *name)
{
	char to[128];

	unlink(of(d, "driver"));
	if (name != d->driver)
		snprintf(d->driver, sizeof d->driver, "%s", name);
	snprintf(to, sizeof to, "../../../bus/pci/drivers/%s", name);
	if (name[0] && symlink(to, of(d, "driver")))
		die("cannot link", of(d, "driver"));
}

static void driver_folder(const char *name)
{
	const char *path = in_root("/sys/bus/pci/drivers/%s%s", name, "");
	struct stat st;

	if (!name[0] || !stat(path, &st))
		return;
	folder(path);
	put_text(in_root("/sys/bus/pci/drivers/%s/%s", name, "bind"), "");
	put_text(in_root("/sys/bus/pci/drivers/%s/%s", name, "unbind"), "");
}

static void config_file(const struct device *d)
{
	uint8_t c[4096] = { 0 };
	uint32_t w;

	for (uint32_t at = 0; at < sizeof c; at += 4) {
		struct model copy = d->m;

		copy.on_access = NULL;
		copy.log_registers = false;
		w = 0;
		model_config32(&copy, at, &w, NULL);
		for (int i = 0; i < 4; i++)
			c[at + (uint32_t)i] = (uint8_t)(w >> 8 * i);
	}
	if (d->decoding_off)
		c[4] &= (uint8_t)~2;
	put_bytes(of(d, "config"), c, sizeof c);
}

static void power_files(const struct device *d)
{
	put_text(of(d, "power/control"), d->asleep ? "auto\n" : "on\n");
	put_text(of(d, "power/runtime_status"), d->asleep ? "suspended\n" : "active\n");
}

static void listen_at(struct device *d)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *dir = of(d, "");
	const int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die("cannot open", dir);
	unlink(of(d, "resource0"));
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/resource0", fd);
	d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->listener < 0 || bind(d->listener, (const struct sockaddr *)(const void *)&a, sizeof a) || listen(d->listener, 64))
		die("cannot listen at", of(d, "resource0"));
	close(fd);
}

static void reset_file(const struct device *d)
{
	if (d->m.faults & MODEL_RESET_NONE)
		unlink(of(d, "reset"));
	else
		put_text(of(d, "reset"), "");
}

static void make_tree(struct device *d)
{
	char text[64];

	folder(of(d, "power"));
	folder(in_root("/sys/bus/pci/devices%s%s", "", ""));
	snprintf(text, sizeof text, "0x%04x\n", d->m.pci.vendor);
	put_text(of(d, "vendor"), text);
	snprintf(text, sizeof text, "0x%04x\n", d->m.pci.device);
	put_text(of(d, "device"), text);
	snprintf(text, sizeof text, "0x%06x\n", (unsigned)d->m.pci.class_code);
	put_text(of(d, "class"), text);
	put_text(of(d, "driver_override"), "(null)\n");
	reset_file(d);
	config_file(d);
	power_files(d);
	driver_folder(d->driver);
	link_driver(d, d->driver);
	snprintf(d->first_driver, sizeof d->first_driver, "%s", d->driver);
	snprintf(text, sizeof text, "../../../kernel/iommu_groups/%d", d->group);
	unlink(of(d, "iommu_group"));
	if (symlink(text, of(d, "iommu_group")))
		die("cannot link", of(d, "iommu_group"));
	snprintf(text, sizeof text, "%d", d->group);
	folder(in_root("/sys/kernel/iommu_groups/%s/devices%s", text, ""));
	snprintf(text, sizeof text, "../../../devices/pci0000:00/%s", d->m.pci.bdf);
	unlink(in_root("/sys/bus/pci/devices/%s%s", d->m.pci.bdf, ""));
	if (symlink(text, in_root("/sys/bus/pci/devices/%s%s", d->m.pci.bdf, "")))
		die("cannot link", text);
	listen_at(d);
}

/* --- what is asked for --------------------------------------------------------------------------------------- */

static unsigned number(const char *s, unsigned max)
{
	char *end;
	const unsigned long v = strtoul(s, &end, 0);

	errno = 0;
	if (!*s || *end || v > max)
		die("number", s);
	return (unsigned)v;
}

static void set_faults(struct device *d, char *names)
{
	d->m.faults = 0;
	for (char *save, *n = strtok_r(names, "+", &save); n; n = strtok_r(NULL, "+", &save)) {
		uint32_t bit = 0;

		errno = 0;
		if (strcmp(n, "none") && !model_fault_of(&bit, n))
			die("fault", n);
		d->m.faults |= bit;
	}
}

static void set_knob(struct device *d, const char *key, char *v)
{
	char *colon = strchr(v, ':');

	errno = 0;
	if (!colon)
		die("knob", v);
	*colon = '\0';
	const unsigned id = number(v, MODEL_KNOBS - 1), value = number(colon + 1, 0xffff);

	if (strcmp(key, "active"))
		d->m.pending[id] = (uint16_t)value;
	if (strcmp(key, "knob"))
		d->m.active[id] = (uint16_t)value;
}

static void apply(struct device *d, char *key_value)
{
	char *v = strchr(key_value, '=');

	errno = 0;
	if (!v)
		die("setting", key_value);
	*v++ = '\0';
	if (!strcmp(key_value, "fault"))
		set_faults(d, v);
	else if (!strcmp(key_value, "fault-after"))
		d->m.fault_after = d->m.requests + number(v, 1 << 30);
	else if (!strcmp(key_value, "knob") || !strcmp(key_value, "active") || !strcmp(key_value, "set"))
		set_knob(d, key_value, v);
	else if (!strcmp(key_value, "refuse"))
		d->m.refused[number(v, MODEL_KNOBS - 1)] = true;
	else if (!strcmp(key_value, "invalid"))
		d->m.invalid[number(v, MODEL_KNOBS - 1)] = true;
	else if (!strcmp(key_value, "boot-reads"))
		d->m.boot_reads = number(v, 1 << 20);
	else if (!strcmp(key_value, "id"))
		d->m.pci.device = (uint16_t)number(v, 0xffff);
	else if (!strcmp(key_value, "driver"))
		snprintf(d->driver, sizeof d->driver, "%s", v);
	else if (!strcmp(key_value, "bind"))
		d->bind_off = !strcmp(v, "off");
	else if (!strcmp(key_value, "asleep"))
		d->asleep = number(v, 1);
	else if (!strcmp(key_value, "decoding"))
		d->decoding_off = !strcmp(v, "off");
	else if (!strcmp(key_value, "lost"))
		d->m.lost = number(v, 1);
	else if (!strcmp(key_value, "count"))
		d->counts = (d->count_down = number(v, 1 << 30)) > 0;
	else if (!strcmp(key_value, "kill"))
		kill_step = number(v, 1 << 30);
	else if (!strcmp(key_value, "kill-request"))
		kill_request = number(v, 1 << 30);
	else if (!strcmp(key_value, "stall"))
		d->stalls = true, d->stall_after = number(v, 1 << 30);
	else if (!strcmp(key_value, "power-cycle") && number(v, 1)) {
		d->m.lost = d->stalls = d->counts = false;
		d->m.faults = 0;
		model_reset(&d->m, NULL);
	} else
		die("setting", key_value);
}

static void kill_asking(void)
{
	struct ucred who;
	socklen_t n = sizeof who;

	if (asking && !getsockopt(asking->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) && who.pid > 1)
		kill(who.pid, SIGKILL);
}

static void note_access(void *arg, const struct model_access *a)
{
	const struct device *d = arg;
	char line[80];

	if (strchr("gsR", a->what) && kill_step && --kill_step == 0)
		kill_asking();
	if (log_fd < 0 || (!log_all && !strchr("gsR", a->what)))
		return;
	const int n = snprintf(line, sizeof line, a->what == 'g' || a->what == 's' ? "%s %c %u %u\n" : "%s %c 0x%08x 0x%08x\n", d->m.pci.bdf, a->what,
			       (unsigned)a->offset, (unsigned)a->value);

	if (write(log_fd, line, (size_t)n) != n)
		_exit(1);
}

static void add_devices(char *text)
{
	char *save, *head = strtok_r(text, ",", &save), *rest = strtok_r(NULL, "", &save), *at = strchr(head, '@'), *star;
	enum gpu_chip chip;
	unsigned n = 1;

	if (at)
		*at++ = '\0';
	star = strchr(head, '*');
	if (star) {
		*star = '\0';
		n = number(star + 1, DEVICES_MAX);
	}
	errno = 0;
	if (!model_chip_of(&chip, head) || (at && n > 1))
		die("chip", head);
	for (unsigned i = 0; i < n; i++) {
		struct device *d = &devices[n_devices];
		char bdf[20], settings[1024];

		if (n_devices == DEVICES_MAX)
			die("too many devices", head);
		snprintf(bdf, sizeof bdf, "0000:%02x:00.0", 0x41 + n_devices);
		model_init(&d->m, chip, at ? at : bdf);
		d->group = 10 + n_devices;
		snprintf(settings, sizeof settings, "%s", rest ? rest : "");
		for (char *s2, *kv = strtok_r(settings, ",", &s2); kv; kv = strtok_r(NULL, ",", &s2))
			apply(d, kv);
		n_devices++;
	}
}

/* --- files that are written to ------------------------------------------------------------------------------- */

static struct device *device_of(const char *bdf)
{
	for (int i = 0; i < n_devices; i++)
		if (!strcmp(devices[i].m.pci.bdf, bdf))
			return &devices[i];
	return NULL;
}

/* First line; the file is empty afterwards, so that each write is seen once. */
static bool take_line(char *ret, size_t size, const char *path, bool keep)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);	/* not for writing: closing it would be one more event */
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n > 0 && !keep && truncate(path, 0))
		n = -1;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return ret[0];
}

static void on_control(void)
{
	static char text[8192];
	const char *path = in_root("/control%s%s", "", "");
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n > 0 && truncate(path, 0))
		_exit(1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *s1, *line = strtok_r(text, "\n", &s1); line; line = strtok_r(NULL, "\n", &s1)) {
		char *space = strchr(line, ' '), copy[1024];

		errno = 0;
		if (!space)
			die("control line", line);
		*space = '\0';
		for (int i = 0; i < n_devices; i++) {
			struct device *d = &devices[i];
			char before[32];
			const bool asleep = d->asleep, decoding_off = d->decoding_off;

			if (strcmp(line, "all") && strcmp(line, d->m.pci.bdf))
				continue;
			snprintf(before, sizeof before, "%s", d->driver);
			snprintf(copy, sizeof copy, "%s", space + 1);
			for (char *s2, *kv = strtok_r(copy, ",", &s2); kv; kv = strtok_r(NULL, ",", &s2))
				apply(d, kv);
			reset_file(d);
			if (asleep != d->asleep)
				power_files(d);
			if (decoding_off != d->decoding_off)
				config_file(d);
			if (strcmp(before, d->driver)) {
				driver_folder(d->driver);
				link_driver(d, d->driver);
			}
		}
	}
}

struct watch {
	int wd;
	enum { W_CONTROL, W_UNBIND, W_BIND, W_PROBE, W_POWER } what;
	char name[64];		/* of the driver, or BDF */
	char path[PATH_MAX];
};
static struct watch watches[128];
static size_t n_watches;

static void on_write(const struct watch *w)
{
	char line[64], override[64];
	struct device *d;

	if (w->what == W_CONTROL) {
		on_control();
		return;
	}
	if (!take_line(line, sizeof line, w->path, w->what == W_POWER))
		return;
	d = device_of(w->what == W_POWER ? w->name : line);
	if (!d || (w->what != W_POWER && d->bind_off))
		return;
	if (w->what == W_POWER) {
		const bool on = !strncmp(line, "on", 2);	/* "on" over "auto" gives "onto" in a plain file */

		d->asleep = !on && d->asleep;
		if (on && strcmp(line, "on"))
			put_text(w->path, "on\n");
		put_text(of(d, "power/runtime_status"), d->asleep ? "suspended\n" : "active\n");
	} else if (w->what == W_UNBIND) {
		if (!strcmp(d->driver, w->name))
			link_driver(d, "");
	} else if (w->what == W_BIND) {
		if (!d->driver[0])
			link_driver(d, w->name);
	} else if (!d->driver[0]) {
		const bool is_set = take_line(override, sizeof override, of(d, "driver_override"), true) && strcmp(override, "(null)");

		link_driver(d, is_set ? override : d->first_driver);
	}
}

static void watch(int what, const char *name, const char *path)
{
	struct watch *w = &watches[n_watches];

	if (n_watches == sizeof watches / sizeof watches[0])
		die("too many files to watch", path);
	w->wd = inotify_add_watch(watcher, path, IN_CLOSE_WRITE);
	w->what = what;
	snprintf(w->name, sizeof w->name, "%s", name);
	snprintf(w->path, sizeof w->path, "%s", path);
	if (w->wd < 0)
		die("cannot watch", path);
	n_watches++;
}

static void watch_driver(const char *name)
{
	for (size_t i = 0; i < n_watches; i++)
		if (!name[0] || (watches[i].what == W_BIND && !strcmp(watches[i].name, name)))
			return;
	driver_folder(name);
	watch(W_BIND, name, in_root("/sys/bus/pci/drivers/%s/%s", name, "bind"));
	watch(W_UNBIND, name, in_root("/sys/bus/pci/drivers/%s/%s", name, "unbind"));
}

static void watch_all(void)
{
	watcher = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	put_text(in_root("/control%s%s", "", ""), "");
	put_text(in_root("/sys/bus/pci/drivers_probe%s%s", "", ""), "");
	watch(W_CONTROL, "", in_root("/control%s%s", "", ""));
	watch(W_PROBE, "", in_root("/sys/bus/pci/drivers_probe%s%s", "", ""));
	watch_driver("nvidia");
	watch_driver("vfio-pci");
	for (int i = 0; i < n_devices; i++) {
		watch_driver(devices[i].driver);
		watch(W_POWER, devices[i].m.pci.bdf, of(&devices[i], "power/control"));
	}
}

static void look_at_files(void)
{
	char events[8192] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = read(watcher, events, sizeof events)) > 0)
		for (ssize_t at = 0; at < n;) {
			struct inotify_event ev;

			memcpy(&ev, events + at, sizeof ev);
			at += (ssize_t)(sizeof ev + ev.len);
			for (size_t i = 0; i < n_watches; i++)
				if (watches[i].wd == ev.wd)
					on_write(&watches[i]);
		}
}

/* --- serving ------------------------------------------------------------------------------------------------- */

static void hang_up(struct client *c)
{
	close(c->fd);
	c->fd = -1;
}

static bool decodes(struct device *d)
{
	const int fd = open(of(d, "config"), O_RDONLY | O_CLOEXEC);
	uint8_t c[8] = { 0 };
	const bool ret = fd >= 0 && read(fd, c, sizeof c) == (ssize_t)sizeof c && c[4] & 2;

	if (fd >= 0)
		close(fd);
	return ret;
}

static int do_request(struct device *d, uint32_t op, uint32_t offset, uint32_t value, uint32_t *ret, struct err *e)
{
	switch (op) {
	case MMIO_HELLO:
		*ret = (uint32_t)model_bar_size(&d->m);
		d->decoding_off = !decodes(d);
		return 0;
	case MMIO_READ:
		if (d->decoding_off || d->asleep) {
			*ret = UINT32_MAX;
			return 0;
		}
		return model_read32(&d->m, offset, ret, e);
	case MMIO_WRITE:
		return d->decoding_off || d->asleep ? 0 : model_write32(&d->m, offset, value, e);
	case MMIO_CONFIG:
		return model_config32(&d->m, offset, ret, e);
	case MMIO_RESET:
		return model_reset(&d->m, e);
	}
	return err_set(e, EC_FORMAT, "operation 0x%x", (unsigned)op);
}

static void serve(struct client *c)
{
	struct device *d = &devices[c->device];
	const uint32_t op = get_le32(c->in);
	uint8_t out[MMIO_ANSWER];
	struct err e = { 0 };
	uint32_t words[2] = { MMIO_DONE, 0 };

	if (op == MMIO_QUIT) {
		hang_up(c);
		return;
	}
	asking = c;
	if (kill_request && --kill_request == 0) {
		kill_asking();
		hang_up(c);
		return;
	}
	if (d->counts && d->count_down-- == 0)
		d->m.lost = true, d->counts = false;
	if (d->stalls && d->stall_after == 0)
		return;
	d->stall_after -= d->stalls;
	if (do_request(d, op, get_le32(c->in + 4), get_le32(c->in + 8), &words[1], &e))
		words[0] = e.code == EC_ABSENT ? MMIO_ABSENT : MMIO_FAILED;
	for (int i = 0; i < MMIO_ANSWER; i++)
		out[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
	if (send(c->fd, out, sizeof out, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof out)
		hang_up(c);
}

static void hear(struct client *c)
{
	const ssize_t n = recv(c->fd, c->in + c->n, sizeof c->in - c->n, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		hang_up(c);
		return;
	}
	c->n += n > 0 ? (size_t)n : 0;
	if (c->n == sizeof c->in) {
		c->n = 0;
		look_at_files();	/* what was written before this request counts */
		serve(c);
	}
}

static void welcome(int device)
{
	const int fd = accept4(devices[device].listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (size_t i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
		if (clients[i].fd < 0) {
			clients[i] = (struct client){ .fd = fd, .device = device };
			return;
		}
	if (fd >= 0)
		close(fd);
}

static void run(unsigned lifetime)
{
	const int64_t until = host_mono_ms() + (int64_t)lifetime * 1000;
	struct pollfd p[1 + DEVICES_MAX + CLIENTS_MAX];

	while (host_mono_ms() < until) {
		p[0] = (struct pollfd){ .fd = watcher, .events = POLLIN };
		for (int i = 0; i < n_devices; i++)
			p[1 + i] = (struct pollfd){ .fd = devices[i].listener, .events = POLLIN };
		for (int i = 0; i < CLIENTS_MAX; i++)
			p[1 + n_devices + i] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
		if (poll(p, (nfds_t)(1 + n_devices + CLIENTS_MAX), 1000) <= 0)
			continue;
		look_at_files();
		for (int i = 0; i < CLIENTS_MAX; i++)
			if (clients[i].fd >= 0 && p[1 + n_devices + i].revents)
				hear(&clients[i]);
		for (int i = 0; i < n_devices; i++)
			if (p[1 + i].revents)
				welcome(i);
	}
}

static void to_background(void)
{
	char text[32];
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const pid_t child = fork();

	if (child < 0)
		die("cannot fork", root);
	if (child) {
		snprintf(text, sizeof text, "%d\n", (int)child);
		put_text(in_root("/gpu-model.pid%s%s", "", ""), text);
		fputs(text, stdout);
		exit(fflush(stdout) ? 1 : 0);
	}
	setsid();
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
}

int main(int argc, char **argv)
{
	unsigned lifetime = 300;
	int at = 2;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 3) {
		fputs("usage: gpu-model ROOT [--log FILE] [--registers] [--lifetime SECONDS] DEVICE...\n", stderr);
		return 2;
	}
	folder(argv[1]);
	if (!realpath(argv[1], root))
		die("cannot open", argv[1]);
	for (int i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = -1;
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (!strcmp(argv[at], "--registers"))
			log_all = true;
		else if (!strcmp(argv[at], "--lifetime") && at + 1 < argc)
			lifetime = number(argv[++at], 86400);
		else if (!strcmp(argv[at], "--log") && at + 1 < argc && (log_fd = open(argv[at + 1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) >= 0)
			at++;
		else
			die("option", argv[at]);
	}
	for (; at < argc; at++)
		add_devices(argv[at]);
	for (int i = 0; i < n_devices; i++) {
		devices[i].m.on_access = note_access;
		devices[i].m.arg = &devices[i];
		make_tree(&devices[i]);
	}
	watch_all();
	to_background();
	run(lifetime);
	return 0;
}
