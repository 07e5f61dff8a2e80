/* SPDX-License-Identifier: Apache-2.0 */
/* The access layer on both of its ends: a sysfs tree of plain files, and a simulated device in a process of its own. */
#include "gpu/mmio.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "gpu/mmio_wire.h"
#include "gpu_model.h"
#include "gpu_sim.h"
#include "test.h"

#define BDF "0000:41:00.0"
#define BAR ((size_t)16 << 20)

static const struct gpu_pci gpu = { .bdf = BDF, .addr = { 0, 0x41, 0, 0 }, .vendor = 0x10de, .device = 0x2330, .class_code = 0x030200 };

static const char *at(const char *name)
{
	static char ring[8][256];
	static unsigned turn;
	char *ret = ring[turn++ % 8];

	snprintf(ret, sizeof ring[0], "%s/sys/bus/pci/devices/" BDF "/%s", tmpdir(), name);
	return ret;
}

/* A file of this size, with these bytes at the start. */
static void file(const char *name, const void *p, size_t n, size_t size)
{
	const int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	OK(fd >= 0 && ftruncate(fd, (off_t)size) == 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static void text(const char *name, const char *line)
{
	file(name, line, strlen(line), strlen(line));
}

static void is(const char *name, const char *want)
{
	AUTO_BUF b = { 0 };

	load(&b, at(name));
	STR(buf_cstr(&b), want);
}

static bool decodes(void)
{
	AUTO_BUF b = { 0 };

	load(&b, at("config"));
	return b.n > 4 && b.p[4] & 2;
}

/* A device that sleeps when nobody needs it and does not decode yet. */
static void tree(struct host *h, const char *control, const char *status, bool decoding)
{
	static const uint8_t boot0[] = { 0xa1, 0, 0, 0x18 };
	const uint8_t config[] = { 0xde, 0x10, 0x30, 0x23, decoding ? 2 : 0, 4, 0x10, 0 };

	put_pci(tmpdir(), BDF, "0x10de\n", "0x2330\n", "0x030200\n", NULL);
	mkdir(at("power"), 0755);
	if (control)
		text("power/control", control);
	if (status)
		text("power/runtime_status", status);
	file("config", config, sizeof config, 256);
	file("resource0", boot0, sizeof boot0, BAR);
	text("reset", "");
	host_init(h);
	WORKS(host_set_sysroot(h, tmpdir(), &e));
}

TEST(mmio_query_reads_and_changes_nothing)
{
	AUTO_MMIO m = { 0 };
	struct host h;
	uint32_t v = 0;

	tree(&h, "auto\n", "active\n", true);
	WORKS(mmio_open(&m, &h, &gpu, false, &e));
	EQ(m.size, BAR);
	WORKS(m.read32(m.arg, 0, &v, &e));
	EQ(v, 0x180000a1);
	WORKS(m.config32(m.arg, 0, &v, &e));
	EQ(v, 0x233010de);
	FAILS(m.write32(m.arg, 0, 1, &e), EC_BUG);
	FAILS(m.reset(m.arg, &e), EC_BUG);
	is("power/control", "auto\n");
	is("reset", "");
	mmio_close(&m);
	is("power/control", "auto\n");
	mmio_close(&m);
	host_close(&h);
}

TEST(mmio_query_does_not_wake_a_device)
{
	AUTO_MMIO m = { 0 };
	struct err e = { 0 };
	struct host h;

	tree(&h, "auto\n", "suspended\n", true);
	EQ(mmio_open(&m, &h, &gpu, false, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "'" BDF "' is asleep (runtime status 'suspended'), and a query does not wake it");
	HAS(e.hint, "/sys/bus/pci/devices/" BDF "/power/control");
	is("power/control", "auto\n");
	text("power/runtime_status", "unsupported\n");
	WORKS(mmio_open(&m, &h, &gpu, false, &e));
	mmio_close(&m);
	unlink(at("power/runtime_status"));
	WORKS(mmio_open(&m, &h, &gpu, false, &e));
	host_close(&h);
}

TEST(mmio_query_does_not_enable_decoding)
{
	AUTO_MMIO m = { 0 };
	struct err e = { 0 };
	struct host h;

	tree(&h, "on\n", "active\n", false);
	EQ(mmio_open(&m, &h, &gpu, false, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "memory decoding of '" BDF "' is off, and a query does not turn it on");
	OK(!decodes());
	host_close(&h);
}

TEST(mmio_for_writing_wakes_enables_and_puts_power_back)
{
	AUTO_MMIO m = { 0 };
	AUTO_BUF b = { 0 };
	struct host h;
	uint32_t v = 0;

	tree(&h, "auto", "suspended\n", false);
	WORKS(mmio_open(&m, &h, &gpu, true, &e));
	is("power/control", "onto");	/* a plain file is not cut by a shorter write; sysfs takes "on" */
	text("power/control", "on\n");
	OK(decodes());
	WORKS(m.write32(m.arg, 0x1182cc, 0x11223344, &e));
	WORKS(m.read32(m.arg, 0x1182cc, &v, &e));
	EQ(v, 0x11223344);
	WORKS(m.reset(m.arg, &e));
	is("reset", "1");
	mmio_close(&m);
	is("power/control", "auto");
	OK(decodes());			/* a driver may rely on it by now */
	load(&b, at("resource0"));
	EQ(get_le32(b.p + 0x1182cc), 0x11223344);
	host_close(&h);
}

TEST(mmio_leaves_power_that_was_on)
{
	AUTO_MMIO m = { 0 };
	struct host h;

	tree(&h, "on\n", NULL, true);
	WORKS(mmio_open(&m, &h, &gpu, true, &e));
	mmio_close(&m);
	is("power/control", "on\n");
	unlink(at("power/control"));	/* a kernel without power management */
	WORKS(mmio_open(&m, &h, &gpu, true, &e));
	mmio_close(&m);
	OK(access(at("power/control"), F_OK));
	host_close(&h);
}

TEST(mmio_puts_power_back_when_opening_fails)
{
	AUTO_MMIO m = { 0 };
	struct err e = { 0 };
	struct host h;

	tree(&h, "auto", "suspended\n", false);
	unlink(at("resource0"));
	EQ(mmio_open(&m, &h, &gpu, true, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "cannot open the registers of '" BDF "'");
	HAS(e.msg, "has no registers to read");
	is("power/control", "auto");
	unlink(at("config"));
	EQ(mmio_open(&m, &h, &gpu, true, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "/config'");
	is("power/control", "auto");
	host_close(&h);
}

TEST(mmio_stays_inside_the_bar)
{
	static const uint32_t outside[] = { BAR, BAR - 3, BAR - 2, 1, 2, 3, 0xfffffffc, 0xffffffff, BAR + 4096 };
	AUTO_MMIO m = { 0 };
	struct host h;
	uint32_t v = 7;

	tree(&h, "on\n", "active\n", true);
	WORKS(mmio_open(&m, &h, &gpu, true, &e));
	WORKS(m.read32(m.arg, BAR - 4, &v, &e));
	EQ(v, 0);
	v = 7;
	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
		FAILS(m.read32(m.arg, outside[i], &v, &e), EC_BUG);
		FAILS(m.write32(m.arg, outside[i], 1, &e), EC_BUG);
	}
	EQ(v, 7);
	FAILS(m.config32(m.arg, 2, &v, &e), EC_BUG);
	FAILS(m.config32(m.arg, 4096, &v, &e), EC_BUG);
	FAILS(m.config32(m.arg, 256, &v, &e), EC_ABSENT);	/* the kernel shows 256 bytes of it */
	WORKS(m.config32(m.arg, 252, &v, &e));
	host_close(&h);
}

TEST(mmio_refuses_a_bar_that_is_none)
{
	static const size_t sizes[] = { 0, 4, 4095, 4097, ((size_t)256 << 20) + 4096 };
	AUTO_MMIO m = { 0 };
	struct host h;

	tree(&h, "on\n", "active\n", true);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		file("resource0", "", 0, sizes[i]);
		FAILS(mmio_open(&m, &h, &gpu, false, &e), EC_FORMAT);
	}
	unlink(at("resource0"));
	mkdir(at("resource0"), 0755);
	OK(mmio_open(&m, &h, &gpu, false, NULL) == -1);
	host_close(&h);
}

TEST(mmio_says_when_there_is_no_way_to_reset)
{
	AUTO_MMIO m = { 0 };
	struct err e = { 0 };
	struct host h;

	tree(&h, "on\n", "active\n", true);
	unlink(at("reset"));
	WORKS(mmio_open(&m, &h, &gpu, true, &e));
	EQ(m.reset(m.arg, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "cannot reset '" BDF "': the kernel knows no way to");
	HAS(e.hint, "from the host");
	host_close(&h);
}

/* --- simulated ----------------------------------------------------------------------------------------------- */

enum manner { POLITE, MUTE, HALF, HASTY, NONSENSE, TINY };

struct peer {
	pid_t pid;
	struct host h;
};
#define AUTO_PEER __attribute__((cleanup(peer_stop))) struct peer

static void reply(int fd, uint32_t status, uint32_t value, size_t n)
{
	const uint32_t words[] = { status, value };
	uint8_t out[MMIO_ANSWER];

	for (int i = 0; i < MMIO_ANSWER; i++)
		out[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
	if (send(fd, out, n, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void one_request(int fd, struct model *m, const uint8_t *q, enum manner how)
{
	const uint32_t op = get_le32(q), offset = get_le32(q + 4);
	struct err e = { 0 };
	uint32_t v = 0;
	int rc = 0;

	if (op == MMIO_HELLO) {
		reply(fd, MMIO_DONE, how == TINY ? 16 : (uint32_t)BAR, MMIO_ANSWER);
		return;
	}
	if (how == HASTY)
		_exit(0);
	if (how == HALF || how == NONSENSE) {
		reply(fd, how == HALF ? 0 : 77, 0, how == HALF ? 5 : MMIO_ANSWER);
		return;
	}
	if (how == MUTE)
		return;
	if (op == MMIO_READ)
		rc = model_read32(m, offset, &v, &e);
	else if (op == MMIO_WRITE)
		rc = model_write32(m, offset, get_le32(q + 8), &e);
	else if (op == MMIO_CONFIG)
		rc = model_config32(m, offset, &v, &e);
	else
		rc = model_reset(m, &e);
	reply(fd, rc ? (e.code == EC_ABSENT ? MMIO_ABSENT : MMIO_FAILED) : MMIO_DONE, v, MMIO_ANSWER);
}

static void serve(int listener, enum manner how, uint32_t faults)
{
	struct model m;
	uint8_t q[MMIO_REQUEST];

	model_init(&m, CHIP_HOPPER, BDF);
	m.faults = faults;
	alarm(60);
	for (;;) {
		const int fd = accept(listener, NULL, NULL);

		while (recv(fd, q, sizeof q, MSG_WAITALL) == sizeof q && get_le32(q) != MMIO_QUIT)
			one_request(fd, &m, q, how);
		close(fd);
	}
}

static void peer_start(struct peer *p, enum manner how, uint32_t faults)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, dir;

	if (access(at("resource0"), F_OK))
		tree(&p->h, "auto", "active\n", true);
	else
		host_init(&p->h), host_set_sysroot(&p->h, tmpdir(), NULL);
	unlink(at("resource0"));
	dir = open(at(""), O_PATH | O_DIRECTORY);
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/resource0", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	OK(fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof a) && !listen(fd, 8));
	close(dir);
	p->pid = fork();
	if (p->pid == 0)
		serve(fd, how, faults);
	close(fd);
}

static void peer_stop(struct peer *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	host_close(&p->h);
}

TEST(mmio_talks_to_a_simulated_device)
{
	AUTO_PEER p;
	AUTO_MMIO m = { 0 };
	const struct gpu_regs *r = NULL;
	struct hw_state s;
	uint32_t v = 0;

	peer_start(&p, POLITE, 0);
	WORKS(mmio_open(&m, &p.h, &gpu, true, &e));
	EQ(m.size, BAR);
	WORKS(gpu_regs_of(&r, &m, &gpu, &e));
	EQ(r->chip, CHIP_HOPPER);
	WORKS(m.config32(m.arg, 0, &v, &e));
	EQ(v, 0x233010de);
	struct fsp f = { .m = &m, .r = r, .h = &p.h };

	WORKS(fsp_write_knob(&f, KNOB_CCM, 1, &e));
	mmio_close(&m);
	is("power/control", "auto");
	WORKS(mmio_open(&m, &p.h, &gpu, true, &e));	/* the device goes on without us */
	WORKS(m.reset(m.arg, &e));
	WORKS(gpu_wait_boot(&m, r, &p.h, &e));
	WORKS(gpu_hw_state(&s, &m, r, &e));
	EQ(s.mode, HW_ON);
	FAILS(m.read32(m.arg, BAR, &v, &e), EC_BUG);
	mmio_close(&m);
	WORKS(mmio_open(&m, &p.h, &gpu, false, &e));
	FAILS(m.write32(m.arg, 0, 0, &e), EC_BUG);
	FAILS(m.reset(m.arg, &e), EC_BUG);
}

TEST(mmio_passes_on_what_a_reset_ends_in)
{
	AUTO_PEER p;
	AUTO_MMIO m = { 0 };
	struct err e = { 0 };

	peer_start(&p, POLITE, MODEL_RESET_ERROR);
	WORKS(mmio_open(&m, &p.h, &gpu, true, &e));
	EQ(m.reset(m.arg, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "cannot reset '" BDF "': ");
	HAS(e.msg, "input/output error");
	unlink(at("reset"));
	FAILS(m.reset(m.arg, &e), EC_ABSENT);
}

/* No manner of the other end makes us wait without end, or go on with a conversation that is out of step. */
TEST(mmio_bounds_every_request_to_a_simulated_device)
{
	static const struct {
		enum manner how;
		const char *words;
	} manners[] = {
		{ MUTE, "does not answer in time" }, { HALF, "does not answer in time" }, { HASTY, "has gone away" },
		{ NONSENSE, "answers out of form" },
	};

	for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
		AUTO_PEER p;
		AUTO_MMIO m = { 0 };
		struct err e = { 0 };
		uint32_t v = 7;

		peer_start(&p, manners[i].how, 0);
		WORKS(mmio_open(&m, &p.h, &gpu, false, &e));
		p.h.deadline_ms = host_mono_ms() + 150;
		EQ(m.read32(m.arg, 0, &v, &e), -1);
		EQ(e.code, EC_IO);
		HAS(e.msg, manners[i].words);
		OK(host_mono_ms() < p.h.deadline_ms + 1000);
		EQ(m.read32(m.arg, 0, &v, &e), -1);
		HAS(e.msg, "was given up after an error");
		EQ(v, 7);
	}
}

TEST(mmio_needs_somebody_at_the_socket)
{
	AUTO_PEER p;
	AUTO_MMIO m = { 0 };
	struct err e = { 0 };

	peer_start(&p, TINY, 0);
	p.h.offline = true;
	FAILS(mmio_open(&m, &p.h, &gpu, true, &e), EC_USAGE);
	p.h.offline = false;
	EQ(mmio_open(&m, &p.h, &gpu, true, &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "has a BAR0 of 16 bytes");
	kill(p.pid, SIGKILL);
	waitpid(p.pid, NULL, 0);
	EQ(mmio_open(&m, &p.h, &gpu, true, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "cannot connect to the simulated device");
	is("power/control", "auto");
	p.pid = fork();
	if (p.pid == 0)
		_exit(0);
}
