/* SPDX-License-Identifier: Apache-2.0 */
/* Mode switches on simulated devices: every transition, every failure before and after the reset, death at every step. */
#include "gpu/ccmode_int.h"

#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu_model.h"
#include "gpu_sim.h"
#include "test.h"

#define RIG_MAX 12

/* One machine with simulated devices.  Their state is shared with children, which may die. */
static struct rig {
	struct model *m;
	size_t n;
	char dir[64], driver_is[128];	/* what a 'driver' link holds */
	struct host h;
	unsigned left;		/* steps until the process dies; 0: it does not */
	bool broke;		/* a state that must never be, was */
} rig;

static int rig_open(struct mmio *ret, const struct host *h, const struct gpu_pci *g, bool writable, struct err *e)
{
	(void)h;
	for (size_t i = 0; i < rig.n; i++)
		if (!strcmp(rig.m[i].pci.bdf, g->bdf)) {
			*ret = model_mmio(&rig.m[i], writable);
			return 0;
		}
	return err_set(e, EC_ABSENT, "no such device");
}

static void pass_by(void)
{
	if (rig.left && --rig.left == 0)
		kill(getpid(), SIGKILL);
}

static const char *driver_link(const char *bdf)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/sys/bus/pci/devices/%s/driver", rig.dir, bdf);
	return path;
}

/* The kernel's part of unbinding and binding; and the place to die at. */
static void rig_step(void *arg, const char *where, const char *bdf)
{
	(void)arg;
	if (!strcmp(where, "unbind"))
		unlink(driver_link(bdf));
	if (!strcmp(where, "bind") && symlink(rig.driver_is, driver_link(bdf)))
		test_fail(__FILE__, __LINE__, "cannot bind %s", bdf);
	pass_by();
}

static void rig_access(void *arg, const struct model_access *a)
{
	const struct model *m = arg;

	if (a->what == 's' && m->pending[KNOB_CCD] && !m->pending[KNOB_CCM])
		rig.broke = true;	/* the invalid mode 2 */
	if (a->what != 'r' && a->what != 'w' && a->what != 'c')
		pass_by();
}

static void rig_add(enum gpu_chip chip, const char *driver)
{
	const size_t i = rig.n++;
	char bdf[20], path[128], device[16], class_code[16];

	snprintf(bdf, sizeof bdf, "0000:%02x:00.0", (unsigned)(0x10 + i));
	model_init(&rig.m[i], chip, bdf);
	rig.m[i].on_access = rig_access;
	rig.m[i].arg = &rig.m[i];
	snprintf(device, sizeof device, "0x%04x\n", (unsigned)rig.m[i].pci.device);
	snprintf(class_code, sizeof class_code, "0x%06x\n", (unsigned)rig.m[i].pci.class_code);
	put_pci(rig.dir, bdf, "0x10de\n", device, class_code, driver);
	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/reset", bdf);
	put_file(rig.dir, path, "");
	snprintf(rig.m[i].pci.driver, sizeof rig.m[i].pci.driver, "%s", driver ? driver : "");
	memset(rig.driver_is, 0, sizeof rig.driver_is);
	OK(!driver || readlink(driver_link(bdf), rig.driver_is, sizeof rig.driver_is - 1) > 0);
}

/* In memory where that can be: there are hundreds of machines, and each journal is synced. */
static void new_dir(void)
{
	static unsigned machines;

	snprintf(rig.dir, sizeof rig.dir, "/dev/shm/cvmbox-unit.XXXXXX");
	if (mkdtemp(rig.dir))
		return;
	snprintf(rig.dir, sizeof rig.dir, "%s/%u", tmpdir(), ++machines);
	EQ(mkdir(rig.dir, 0700), 0);
}

static int drop_entry(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static void rig_up(size_t hoppers, enum gpu_chip chip, size_t switches, const char *driver)
{
	if (!rig.m)
		rig.m = mmap(NULL, RIG_MAX * sizeof *rig.m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	rig.left = 0;
	rig.broke = false;
	new_dir();
	host_init(&rig.h);
	WORKS(host_set_sysroot(&rig.h, rig.dir, &e));
	put_file(rig.dir, "/sys/bus/pci/drivers/nvidia/bind", "");
	put_file(rig.dir, "/sys/bus/pci/drivers/nvidia/unbind", "");
	for (size_t i = 0; i < hoppers; i++)
		rig_add(chip, driver);
	for (size_t i = 0; i < switches; i++)
		rig_add(CHIP_LS10, driver);
}

static void rig_down(void)
{
	for (size_t i = 0; i < rig.n; i++)
		model_free(&rig.m[i]);
	rig.n = 0;
	host_close(&rig.h);
	nftw(rig.dir, drop_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static struct ccmode_opts how(enum ccmode to)
{
	return (struct ccmode_opts){ .to = to, .open = rig_open, .step = rig_step, .partial = true };
}

/* As the applet does it: what is bound now comes from sysfs. */
static int rig_set(const struct ccmode_opts *o, struct ccmode_set *ret, struct err *e)
{
	AUTO_GPU_LIST l = { 0 };

	return gpu_list(&l, &rig.h, e) ? -1 : ccmode_set(ret, &rig.h, l.v, l.n, o, e);
}

static int set_to(enum ccmode to, struct err *e)
{
	const struct ccmode_opts o = how(to);
	AUTO_CCMODE_SET s = { 0 };

	return rig_set(&o, &s, e);
}

static int resume(struct err *e)
{
	const struct ccmode_opts o = how(CCMODE_OFF);
	AUTO_CCMODE_SET s = { 0 };

	return ccmode_resume(&s, NULL, &rig.h, &o, e);
}

static int rollback(struct err *e)
{
	const struct ccmode_opts o = how(CCMODE_OFF);
	AUTO_CCMODE_SET s = { 0 };

	return ccmode_rollback(&s, NULL, &rig.h, &o, e);
}

/* Every device runs in this mode, has it pending too, and no journal is left. */
static bool all_in(enum ccmode to)
{
	bool ok = true;

	for (size_t i = 0; i < rig.n; i++) {
		const struct model *m = &rig.m[i];
		const bool ppcie = to == CCMODE_PPCIE, sw = m->pci.is_switch;
		const uint16_t ccm = !sw && (to == CCMODE_ON || to == CCMODE_DEVTOOLS), ccd = !sw && to == CCMODE_DEVTOOLS;

		ok &= m->active[KNOB_CCM] == ccm && m->active[KNOB_CCD] == ccd && m->active[KNOB_PPCIE] == ppcie && m->pending[KNOB_CCM] == ccm &&
		      m->pending[KNOB_CCD] == ccd && m->pending[KNOB_PPCIE] == ppcie;
	}
	return ok && !ccmode_pending(&rig.h, NULL);
}

static bool was_sent(const struct model *m, char what)
{
	for (size_t i = 0; i < m->n_log; i++)
		if (m->log[i].what == what)
			return true;
	return false;
}

static bool dies_at(unsigned n, int (*f)(struct err *), struct err *e);
static int set_in_child(struct err *e);
static void start(enum gpu_chip chip, size_t switches, enum ccmode from);
static enum ccmode kill_to;
static bool kill_unbind;

/* --- the way it should go ----------------------------------------------------------------------------------------------- */

static void transitions(enum gpu_chip chip, size_t gpus, size_t switches, enum ccmode last)
{
	rig_up(gpus, chip, switches, NULL);
	for (enum ccmode from = CCMODE_OFF; from <= last; from++)
		for (enum ccmode to = CCMODE_OFF; to <= last; to++) {
			WORKS(set_to(from, &e));
			OK(all_in(from));
			WORKS(set_to(to, &e));
			OK(all_in(to));
		}
	OK(!rig.broke);
	rig_down();
}

TEST(ccmode_every_transition_on_hopper) { transitions(CHIP_HOPPER, 2, 0, CCMODE_PPCIE); }
TEST(ccmode_every_transition_on_blackwell_gb10x) { transitions(CHIP_BLACKWELL_GB10X, 2, 0, CCMODE_DEVTOOLS); }
TEST(ccmode_every_transition_on_blackwell_gb20x) { transitions(CHIP_BLACKWELL_GB20X, 2, 0, CCMODE_DEVTOOLS); }
TEST(ccmode_every_transition_with_switches) { transitions(CHIP_HOPPER, 2, 2, CCMODE_PPCIE); }

TEST(ccmode_writes_in_the_order_that_avoids_the_invalid_mode)
{
	const struct model *m;

	rig_up(1, CHIP_HOPPER, 0, NULL);
	m = &rig.m[0];
	WORKS(set_to(CCMODE_DEVTOOLS, &e));
	OK(model_find(m, 's', KNOB_CCM, 0) >= 0);
	OK(model_find(m, 's', KNOB_CCM, 0) < model_find(m, 's', KNOB_CCD, 0));
	OK(model_find(m, 's', KNOB_CCD, 0) < model_find(m, 'R', 0, 0));
	EQ(model_find(m, 's', KNOB_PPCIE, 0), -1);	/* was 0 already: not written */
	WORKS(set_to(CCMODE_OFF, &e));
	OK(model_find(m, 's', KNOB_CCD, 1) < model_find(m, 's', KNOB_CCM, 1));
	rig_down();
}

TEST(ccmode_stages_all_before_it_resets_any)
{
	struct err e = { 0 };

	rig_up(3, CHIP_HOPPER, 0, NULL);
	rig.m[2].refused[KNOB_CCM] = true;
	EQ(set_to(CCMODE_ON, &e), -1);
	EQ(e.code, EC_DENIED);
	HAS(e.msg, "0000:12:00.0");
	HAS(e.msg, "no device was switched, and what was staged has been put back");
	for (size_t i = 0; i < 3; i++)
		OK(!was_sent(&rig.m[i], 'R'));
	OK(was_sent(&rig.m[0], 's'));
	EQ(rig.m[0].pending[KNOB_BAR0], 0);
	OK(all_in(CCMODE_OFF));
	rig_down();
}

TEST(ccmode_that_is_already_so_writes_and_resets_nothing)
{
	rig_up(2, CHIP_HOPPER, 0, NULL);
	WORKS(set_to(CCMODE_OFF, &e));
	OK(!was_sent(&rig.m[0], 's') && !was_sent(&rig.m[0], 'R'));
	OK(!ccmode_pending(&rig.h, NULL));
	rig_down();
}

TEST(ccmode_dry_run_tells_and_writes_nothing)
{
	struct ccmode_opts o = how(CCMODE_ON);
	AUTO_CCMODE_SET s = { 0 };
	char path[256];

	rig_up(1, CHIP_HOPPER, 0, NULL);
	o.dry_run = true;
	WORKS(rig_set(&o, &s, &e));
	OK(was_sent(&rig.m[0], 'g') && !was_sent(&rig.m[0], 's') && !was_sent(&rig.m[0], 'R'));
	EQ(s.n, 1);
	EQ(s.v[0].n_w, 7);
	EQ(s.v[0].w[4].knob, KNOB_BAR0);
	EQ(s.v[0].w[4].from, 0);
	EQ(s.v[0].w[4].to, 2);
	EQ(s.v[0].w[5].knob, KNOB_CCM);
	EQ(s.v[0].w[5].to, 1);
	OK(s.v[0].needs_reset && !s.v[0].reset);
	snprintf(path, sizeof path, "%s/var", rig.dir);
	EQ(access(path, F_OK), -1);
	rig_down();
}

TEST(ccmode_no_reset_only_stages)
{
	struct ccmode_opts o = how(CCMODE_ON);
	AUTO_CCMODE_SET s = { 0 };

	rig_up(1, CHIP_HOPPER, 0, NULL);
	o.no_reset = true;
	WORKS(rig_set(&o, &s, &e));
	OK(!was_sent(&rig.m[0], 'R'));
	EQ(rig.m[0].pending[KNOB_CCM], 1);
	EQ(model_mode(&rig.m[0]), HW_OFF);
	OK(!ccmode_pending(&rig.h, NULL));
	WORKS(set_to(CCMODE_ON, &e));		/* staged, not active: only the reset is missing */
	OK(all_in(CCMODE_ON));
	rig_down();
}

TEST(ccmode_repairs_the_invalid_mode)
{
	for (enum ccmode to = CCMODE_OFF; to <= CCMODE_PPCIE; to++) {
		rig_up(1, CHIP_HOPPER, 0, NULL);
		rig.m[0].pending[KNOB_CCD] = rig.m[0].active[KNOB_CCD] = 1;
		EQ(model_mode(&rig.m[0]), HW_INVALID);
		WORKS(set_to(to, &e));
		OK(all_in(to));
		rig_down();
	}
}

TEST(ccmode_old_firmware_has_no_ppcie_and_that_is_fine_for_the_rest)
{
	struct err e = { 0 };

	rig_up(1, CHIP_HOPPER, 0, NULL);
	rig.m[0].faults = MODEL_OLD;
	WORKS(set_to(CCMODE_ON, &e));
	EQ(model_mode(&rig.m[0]), HW_ON);
	EQ(set_to(CCMODE_PPCIE, &e), -1);
	EQ(e.code, EC_DENIED);
	HAS(e.msg, "firmware does not know 'ppcie-enable' (knob 45)");
	EQ(model_mode(&rig.m[0]), HW_ON);
	rig_down();
}

/* --- sets ------------------------------------------------------------------------------------------------------------------- */

TEST(ccmode_ppcie_takes_eight_and_four)
{
	struct ccmode_opts o = how(CCMODE_PPCIE);
	struct err e = { 0 };
	AUTO_CCMODE_SET s = { 0 }, t = { 0 };

	rig_up(8, CHIP_HOPPER, 4, NULL);
	o.partial = false;
	EQ(ccmode_set(&s, &rig.h, &rig.m[0].pci, 1, &o, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "8 GPUs and 4 NVSwitches together, here are 1 and 0");
	WORKS(rig_set(&o, &t, &e));
	OK(all_in(CCMODE_PPCIE));
	rig_down();
}

TEST(ccmode_leaving_ppcie_leaves_nobody_behind)
{
	struct ccmode_opts o = how(CCMODE_OFF);
	struct err e = { 0 };
	AUTO_CCMODE_SET s = { 0 }, t = { 0 };

	rig_up(2, CHIP_HOPPER, 1, NULL);
	WORKS(set_to(CCMODE_PPCIE, &e));
	o.partial = false;
	EQ(ccmode_set(&s, &rig.h, &rig.m[0].pci, 1, &o, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "0000:11:00.0 is in the protected PCIe group too, and would stay behind");
	OK(all_in(CCMODE_PPCIE));
	WORKS(rig_set(&o, &t, &e));
	OK(all_in(CCMODE_OFF));
	rig_down();
}

TEST(ccmode_mixed_capability_switches_none)
{
	struct err e = { 0 };

	rig_up(1, CHIP_HOPPER, 0, NULL);
	rig_add(CHIP_BLACKWELL_GB10X, NULL);
	EQ(set_to(CCMODE_PPCIE, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "0000:11:00.0: Blackwell GB10x has no mode 'ppcie'");
	HAS(e.msg, "nothing was changed");
	OK(all_in(CCMODE_OFF));
	WORKS(set_to(CCMODE_ON, &e));
	OK(all_in(CCMODE_ON));
	rig.m[1].boot0 = 0x17000000;	/* an older chip */
	EQ(set_to(CCMODE_OFF, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "no confidential mode");
	OK(all_in(CCMODE_ON));
	rig_down();
}

/* --- drivers and users --------------------------------------------------------------------------------------------------------- */

static bool is_bound(size_t i)
{
	struct stat st;

	return lstat(driver_link(rig.m[i].pci.bdf), &st) == 0;
}

TEST(ccmode_bound_driver_is_refused_or_taken_off_and_put_back)
{
	struct ccmode_opts o = how(CCMODE_ON);
	struct err e = { 0 };
	AUTO_CCMODE_SET s = { 0 }, t = { 0 };

	rig_up(2, CHIP_HOPPER, 0, "nvidia");
	EQ(set_to(CCMODE_ON, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "driver 'nvidia' is bound");
	HAS(e.hint, "--unbind");
	EQ(rig.m[0].n_log, 0);
	o.unbind = o.dry_run = true;
	EQ(rig_set(&o, &t, &e), -1);
	HAS(e.msg, "settings cannot be read");
	o.dry_run = false;
	WORKS(rig_set(&o, &s, &e));
	OK(all_in(CCMODE_ON));
	OK(is_bound(0) && is_bound(1));
	rig_down();
}

TEST(ccmode_failure_before_the_reset_binds_the_driver_again)
{
	struct ccmode_opts o = how(CCMODE_ON);
	struct err e = { 0 };
	AUTO_CCMODE_SET s = { 0 };

	rig_up(2, CHIP_HOPPER, 0, "nvidia");
	o.unbind = true;
	rig.m[1].pending[KNOB_CCM_ALLOW] = 0;
	EQ(rig_set(&o, &s, &e), -1);
	EQ(e.code, EC_DENIED);
	HAS(e.msg, "in-band control of 'enable' (knob 8) is disabled by the platform owner (knob 7 is 0)");
	HAS(e.msg, "nothing was changed");
	OK(is_bound(0) && is_bound(1));
	OK(all_in(CCMODE_OFF));
	rig_down();
}

static void hold(const char *node, const char *pid, const char *name)
{
	char path[96];

	snprintf(path, sizeof path, "/proc/%s/fd/7", pid);
	put_link(rig.dir, path, node);
	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	put_file(rig.dir, path, name);
}

TEST(ccmode_device_in_use_is_refused_by_the_name_of_its_user)
{
	struct ccmode_opts o = how(CCMODE_ON);
	struct err e = { 0 };
	AUTO_CCMODE_SET s = { 0 };

	rig_up(1, CHIP_HOPPER, 0, "vfio-pci");
	put_link(rig.dir, "/sys/bus/pci/devices/0000:10:00.0/iommu_group", "../../../../kernel/iommu_groups/42");
	hold("/dev/vfio/43", "811", "other\n");
	WORKS(set_to(CCMODE_ON, &e));
	hold("/dev/vfio/42", "812", "qemu-system-x86\n");
	EQ(set_to(CCMODE_OFF, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "process 812 (qemu-system-x86) holds '/dev/vfio/42' open");
	OK(all_in(CCMODE_ON));
	rig_down();

	rig_up(1, CHIP_HOPPER, 0, "nvidia");
	hold("/dev/nvidia0", "77", "nvidia-persiste\n");
	o.unbind = true;
	EQ(rig_set(&o, &s, &e), -1);
	HAS(e.msg, "process 77 (nvidia-persiste) holds '/dev/nvidia0' open");
	OK(is_bound(0));
	rig_down();
}

TEST(ccmode_two_switches_at_once_are_kept_apart)
{
	AUTO_CCJOURNAL_DIR d = CCJOURNAL_DIR_INIT;
	struct err e = { 0 };

	rig_up(1, CHIP_HOPPER, 0, NULL);
	WORKS(ccjournal_open(&d, &rig.h, NULL, true, &e));
	EQ(set_to(CCMODE_ON, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "another mode switch is running");
	OK(all_in(CCMODE_OFF));
	rig_down();
}

/* --- failures of the device ------------------------------------------------------------------------------------------------------ */

/* Before the first reset: everything is as it was, or the text says how to go on. */
TEST(ccmode_faults_before_the_reset_leave_all_devices_as_they_were)
{
	static const struct {
		enum gpu_chip chip;
		uint32_t fault;
		enum ec code;
		const char *text;
	} cases[] = {
		{ CHIP_HOPPER, MODEL_STUCK, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_SILENT, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_WRONG_NVDM, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_WRONG_ECHO, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_SHORT, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_SPLIT_BAD, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_POINTERS, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_LONG, EC_IO, "" },
		{ CHIP_BLACKWELL_GB10X, MODEL_STUCK, EC_IO, "" },
		{ CHIP_BLACKWELL_GB10X, MODEL_SILENT, EC_IO, "" },
		{ CHIP_BLACKWELL_GB10X, MODEL_MBOX_ERROR, EC_IO, "" },
		{ CHIP_BLACKWELL_GB10X, MODEL_NO_CREDIT, EC_IO, "" },
		{ CHIP_BLACKWELL_GB10X, MODEL_POINTERS, EC_IO, "" },
		{ CHIP_HOPPER, MODEL_GONE, EC_IO, "all ones" },
		{ CHIP_HOPPER, MODEL_BLOCKED, EC_IO, "0xbadf1100" },
		{ CHIP_HOPPER, MODEL_SEC_FAULT, EC_IO, "security fault 0x2a" },
		{ CHIP_HOPPER, MODEL_RECOVERY, EC_IO, "in recovery" },
		{ CHIP_BLACKWELL_GB20X, MODEL_GONE, EC_IO, "all ones" },
		{ CHIP_BLACKWELL_GB20X, MODEL_RECOVERY, EC_IO, "in recovery" },
		{ CHIP_HOPPER, MODEL_NO_INBAND, EC_DENIED, "refused" },
		{ CHIP_HOPPER, MODEL_WRITE_LOST, EC_DENIED, "still says 0" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };

		rig_up(2, cases[i].chip, 0, NULL);
		rig.m[1].faults = cases[i].fault;
		EQ(set_to(CCMODE_ON, &e), -1);
		EQ(e.code, cases[i].code);
		HAS(e.msg, cases[i].text);
		HAS(e.msg, "0000:11:00.0");
		OK(!was_sent(&rig.m[0], 'R') && !was_sent(&rig.m[1], 'R'));
		OK(all_in(CCMODE_OFF));
		if (test_failed()) {
			test_fail(__FILE__, __LINE__, "case %zu: %s", i, e.msg);
			rig_down();
			return;
		}
		rig_down();
	}
}

/* A device whose processor stops in the middle of staging: what can be put back is, and the journal waits for the rest. */
TEST(ccmode_processor_that_stops_while_staging_keeps_the_journal)
{
	bool stayed = false, put_back = false;

	for (unsigned after = 0; after < 60; after++) {
		struct err e = { 0 };

		rig_up(2, CHIP_HOPPER, 0, NULL);
		rig.m[1].faults = MODEL_SILENT;
		rig.m[1].fault_after = after;
		if (set_to(CCMODE_ON, &e) == 0) {
			OK(all_in(CCMODE_ON));
			rig_down();
			continue;
		}
		OK(!was_sent(&rig.m[0], 'R'));
		rig.m[1].faults = 0;
		if (ccmode_pending(&rig.h, NULL)) {
			stayed = true;
			HAS(e.hint, "--rollback");
			EQ(rollback(&e), 0);
		} else {
			put_back = true;
		}
		OK(all_in(CCMODE_OFF));
		rig_down();
	}
	OK(stayed && put_back);
}

/* A resumed switch that cannot even open a device must not forget what lies staged in it. */
TEST(ccmode_resume_that_fails_keeps_what_it_cannot_put_back)
{
	struct err e = { 0 };

	rig_up(2, CHIP_HOPPER, 0, NULL);
	rig.m[1].faults = MODEL_SILENT;
	rig.m[1].fault_after = 18;		/* in the middle of staging */
	EQ(set_to(CCMODE_ON, &e), -1);
	OK(ccmode_pending(&rig.h, NULL));
	rig.m[1].faults = MODEL_GONE;
	EQ(resume(&e), -1);
	EQ(e.code, EC_IO);
	OK(ccmode_pending(&rig.h, NULL));
	HAS(e.hint, "--rollback");
	EQ(rollback(&e), -1);
	OK(ccmode_pending(&rig.h, NULL));
	EQ(rig.m[0].pending[KNOB_CCM], 0);	/* the other one was put back */
	rig.m[1].faults = 0;
	WORKS(resume(&e));
	OK(all_in(CCMODE_ON));
	rig_down();
}

/* From the first reset on nothing is put back by itself: the journal says that there was one. */
TEST(ccmode_resume_that_fails_after_a_reset_puts_nothing_back)
{
	unsigned after_a_reset = 0;

	kill_to = CCMODE_ON;
	kill_unbind = false;
	for (unsigned n = 1; n < 200; n++) {
		struct err e = { 0 };

		start(CHIP_HOPPER, 0, CCMODE_OFF);
		if (!dies_at(n, set_in_child, &e)) {
			rig_down();
			break;
		}
		if (model_mode(&rig.m[0]) == HW_ON && model_mode(&rig.m[1]) == HW_OFF) {
			after_a_reset++;
			rig.m[1].faults = MODEL_GONE;
			EQ(resume(&e), -1);
			HAS(e.msg, "now 0000:10:00.0 on, 0000:11:00.0 does not answer");
			EQ(rig.m[0].pending[KNOB_CCM], 1);
			OK(ccmode_pending(&rig.h, NULL));
			rig.m[1].faults = 0;
			WORKS(resume(&e));
			OK(all_in(CCMODE_ON));
		}
		rig_down();
	}
	OK(after_a_reset);
}

/* The filter alone is no change of the mode register, and takes a reset all the same: also of one that was interrupted. */
TEST(ccmode_resumed_change_of_the_filter_alone_is_reset_too)
{
	unsigned staged = 0;

	kill_to = CCMODE_ON;
	kill_unbind = false;
	for (unsigned n = 1; n < 200; n++) {
		struct err e = { 0 };

		start(CHIP_HOPPER, 0, CCMODE_ON);
		for (size_t i = 0; i < rig.n; i++)
			rig.m[i].pending[KNOB_BAR0] = rig.m[i].active[KNOB_BAR0] = 0;
		if (!dies_at(n, set_in_child, &e)) {
			rig_down();
			break;
		}
		if (ccmode_pending(&rig.h, NULL)) {
			staged++;
			WORKS(resume(&e));
			EQ(rig.m[0].active[KNOB_BAR0], 2);
			EQ(rig.m[1].active[KNOB_BAR0], 2);
		}
		rig_down();
	}
	OK(staged);
}

TEST(ccmode_old_journal_with_the_driver_bound_again_is_resumed_and_bound)
{
	struct err e = { 0 };

	kill_to = CCMODE_ON;
	kill_unbind = true;
	for (unsigned n = 3; n < 60; n += 7) {
		start(CHIP_HOPPER, 0, CCMODE_OFF);
		if (dies_at(n, set_in_child, &e) && ccmode_pending(&rig.h, NULL)) {
			for (size_t i = 0; i < rig.n; i++)	/* the host was rebooted, and loaded the driver */
				if (!is_bound(i))
					EQ(symlink(rig.driver_is, driver_link(rig.m[i].pci.bdf)), 0);
			WORKS(n % 2 ? resume(&e) : rollback(&e));
			OK(all_in(n % 2 ? CCMODE_ON : CCMODE_OFF));
			OK(is_bound(0) && is_bound(1));
		}
		rig_down();
	}
	kill_unbind = false;
}

/* After the first reset: the text names modes and the way on; both ways lead there once the device is well again. */
TEST(ccmode_faults_at_the_reset_keep_the_journal)
{
	static const struct {
		enum gpu_chip chip;
		uint32_t fault;
		enum ec code;
		const char *text;
	} cases[] = {
		{ CHIP_HOPPER, MODEL_RESET_ERROR, EC_IO, "0000:11:00.0" },
		{ CHIP_HOPPER, MODEL_RESET_LOST, EC_IO, "0000:11:00.0 does not answer" },
		{ CHIP_HOPPER, MODEL_RESET_IGNORED, EC_REFUSED, "runs in mode 'off', wanted 'on'" },
		{ CHIP_HOPPER, MODEL_BOOT_ONES, EC_IO, "boot not complete" },
		{ CHIP_BLACKWELL_GB10X, MODEL_RESET_ERROR, EC_IO, "0000:11:00.0" },
		{ CHIP_BLACKWELL_GB10X, MODEL_RESET_LOST, EC_IO, "0000:11:00.0" },
		{ CHIP_BLACKWELL_GB10X, MODEL_RESET_IGNORED, EC_REFUSED, "runs in mode 'off', wanted 'on'" },
		{ CHIP_BLACKWELL_GB20X, MODEL_FIREWALL, EC_IO, "firewall" },
		{ CHIP_BLACKWELL_GB20X, MODEL_BOOT_ONES, EC_IO, "boot not complete" },
	};

	for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
		const bool on = i % 2;
		struct err e = { 0 };

		rig_up(2, cases[i / 2].chip, 0, NULL);
		rig.m[1].faults = cases[i / 2].fault;
		EQ(set_to(CCMODE_ON, &e), -1);
		EQ(e.code, cases[i / 2].code);
		HAS(e.msg, cases[i / 2].text);
		HAS(e.msg, "; now 0000:10:00.0 ");
		HAS(e.hint, "'gpu-ccmode set --resume'");
		OK(ccmode_pending(&rig.h, NULL));
		EQ(set_to(CCMODE_OFF, &e), -1);
		EQ(e.code, EC_REFUSED);
		HAS(e.msg, "an earlier mode switch did not end");
		rig.m[1].faults = 0;
		rig.m[1].lost = false;
		if (on)
			WORKS(resume(&e));
		else
			WORKS(rollback(&e));
		OK(all_in(on ? CCMODE_ON : CCMODE_OFF));
		if (test_failed()) {
			test_fail(__FILE__, __LINE__, "case %zu: %s", i / 2, e.msg);
			rig_down();
			return;
		}
		rig_down();
	}
}

TEST(ccmode_no_way_to_reset_is_said_before_anything_changes)
{
	struct err e = { 0 };
	char path[256];

	rig_up(1, CHIP_HOPPER, 0, NULL);
	snprintf(path, sizeof path, "%s/sys/bus/pci/devices/0000:10:00.0/reset", rig.dir);
	unlink(path);
	EQ(set_to(CCMODE_ON, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "the kernel knows no way to reset it");
	EQ(rig.m[0].n_log, 0);
	rig_down();
}

/* --- kill -9 ------------------------------------------------------------------------------------------------------------------- */

/* The switch in a child that dies at its n-th step; false: it ended before. */
static bool dies_at(unsigned n, int (*f)(struct err *), struct err *e)
{
	int status;
	pid_t child;

	for (size_t i = 0; i < rig.n; i++) {	/* the log is memory of one process */
		model_free(&rig.m[i]);
		rig.m[i].log = NULL;
		rig.m[i].n_log = rig.m[i].cap_log = 0;
	}
	child = fork();
	if (child == 0) {
		rig.left = n;
		_exit(f(e) == 0 && !rig.broke ? 0 : 1);
	}
	waitpid(child, &status, 0);
	for (size_t i = 0; i < rig.n; i++) {
		rig.m[i].log = NULL;
		rig.m[i].n_log = rig.m[i].cap_log = 0;
	}
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL;
	EQ(WEXITSTATUS(status), 0);
	return false;
}

static int set_in_child(struct err *e)
{
	struct ccmode_opts o = how(kill_to);
	AUTO_CCMODE_SET s = { 0 };

	o.unbind = kill_unbind;
	return rig_set(&o, &s, e);
}

static void start(enum gpu_chip chip, size_t switches, enum ccmode from)
{
	const struct ccmode_opts o = { .to = from, .open = rig_open, .step = rig_step, .partial = true, .unbind = kill_unbind };
	AUTO_CCMODE_SET s = { 0 };

	rig_up(2, chip, switches, kill_unbind ? "nvidia" : NULL);
	WORKS(rig_set(&o, &s, &e));
	OK(all_in(from));
}

/* Dies at each step of a switch; then, dying at each `again`-th step of that too, is taken the one way or the other. */
static void kill_everywhere(enum gpu_chip chip, size_t switches, enum ccmode from, enum ccmode to, unsigned again)
{
	unsigned n = 0;

	for (bool died = true; died && !test_failed(); ) {
		n++;
		for (int forward = 0; forward < 2 && !test_failed(); forward++) {
			struct err e = { 0 };

			kill_to = to;
			start(chip, switches, from);
			died = dies_at(n, set_in_child, &e);
			for (unsigned k = 1 + n % 5; again && k < 400 && ccmode_pending(&rig.h, NULL); k += again)
				if (!dies_at(k, (k / again) % 2 == (unsigned)forward ? rollback : resume, &e))
					break;
			if (ccmode_pending(&rig.h, NULL)) {
				if (forward ? resume(&e) : rollback(&e))
					test_fail(__FILE__, __LINE__, "step %u: %s", n, e.msg);
				OK(all_in(forward ? to : from));
			} else {
				OK(all_in(from) || all_in(to));
			}
			for (size_t i = 0; i < rig.n && kill_unbind; i++)
				OK(is_bound(i) || !died);
			OK(!rig.broke);
			rig_down();
		}
	}
	OK(n > 20);
	if (test_failed())
		test_fail(__FILE__, __LINE__, "%s -> %s, dead at step %u", ccmode_word(from), ccmode_word(to), n);
}

TEST(ccmode_killed_at_every_step_resumes_and_rolls_back_on_hopper)
{
	kill_unbind = false;
	kill_everywhere(CHIP_HOPPER, 0, CCMODE_OFF, CCMODE_ON, 0);
	kill_everywhere(CHIP_HOPPER, 0, CCMODE_ON, CCMODE_DEVTOOLS, 0);
	kill_everywhere(CHIP_HOPPER, 0, CCMODE_DEVTOOLS, CCMODE_PPCIE, 0);
}

TEST(ccmode_killed_at_every_step_resumes_and_rolls_back_on_blackwell)
{
	kill_unbind = false;
	kill_everywhere(CHIP_BLACKWELL_GB10X, 0, CCMODE_OFF, CCMODE_DEVTOOLS, 0);
	kill_everywhere(CHIP_BLACKWELL_GB20X, 0, CCMODE_ON, CCMODE_OFF, 0);
}

TEST(ccmode_killed_at_every_step_with_switches_and_a_driver_to_bind_again)
{
	kill_unbind = true;
	kill_everywhere(CHIP_HOPPER, 1, CCMODE_OFF, CCMODE_PPCIE, 0);
	kill_everywhere(CHIP_HOPPER, 1, CCMODE_PPCIE, CCMODE_ON, 0);
	kill_unbind = false;
}

TEST(ccmode_killed_again_and_again_still_gets_there)
{
	kill_unbind = false;
	kill_everywhere(CHIP_HOPPER, 0, CCMODE_OFF, CCMODE_DEVTOOLS, 17);
	kill_everywhere(CHIP_HOPPER, 1, CCMODE_ON, CCMODE_PPCIE, 43);
}

/* What was only unbound: a way back that dies too leaves the way forward open, and does not pass for the end of it. */
TEST(ccmode_killed_while_undoing_an_unbind_still_goes_forward)
{
	unsigned both = 0;

	kill_unbind = true;
	kill_to = CCMODE_ON;
	for (unsigned n = 1; n <= 4; n++)
		for (unsigned k = 1; k <= 8 && !test_failed(); k++) {
			struct err e = { 0 };

			start(CHIP_HOPPER, 0, CCMODE_OFF);
			OK(dies_at(n, set_in_child, &e));
			if (dies_at(k, rollback, &e) && ccmode_pending(&rig.h, NULL)) {
				both++;
				WORKS(resume(&e));
				OK(all_in(CCMODE_ON));
			} else {
				OK(all_in(CCMODE_OFF));
			}
			OK(is_bound(0) && is_bound(1));
			rig_down();
		}
	OK(both > 3);
	kill_unbind = false;
}

TEST(ccmode_killed_where_nothing_was_to_do_goes_either_way)
{
	unsigned pending = 0;

	kill_unbind = true;
	kill_to = CCMODE_ON;
	for (unsigned n = 1; n <= 200; n++)
		for (int forward = 0; forward < 2 && !test_failed(); forward++) {
			struct err e = { 0 };

			start(CHIP_HOPPER, 0, CCMODE_ON);
			dies_at(n, set_in_child, &e);
			if (ccmode_pending(&rig.h, NULL)) {
				pending++;
				if (forward ? resume(&e) : rollback(&e))
					test_fail(__FILE__, __LINE__, "step %u: %s", n, e.msg);
			}
			OK(all_in(CCMODE_ON));
			OK(!was_sent(&rig.m[0], 'R') && !was_sent(&rig.m[1], 'R'));
			OK(is_bound(0) && is_bound(1));
			rig_down();
		}
	OK(pending > 5);
	kill_unbind = false;
}

/* --- the journal ------------------------------------------------------------------------------------------------------------------ */

static const char journal[] =
	"{\"schema\":\"cvmbox.gpu-ccmode.journal/1\",\"time\":\"2026-11-24T00:00:00Z\",\"target\":\"on\",\"step\":\"stage\",\"rollback\":false,"
	"\"resets\":false,\"no_reset\":false,\"partial\":false,\"devices\":[{\"bdf\":\"0000:10:00.0\",\"vendor\":4318,\"device\":8976,\"driver\":null,"
	"\"was\":{\"mode\":\"off\",\"ppcie\":false},\"reset\":false,\"knobs\":[{\"id\":8,\"old\":0},{\"id\":6,\"old\":0}]}]}";

/* The journal above with one part exchanged. */
static void with(struct buf *ret, const char *part, const char *other)
{
	const char *at = strstr(journal, part);

	OK(at);
	buf_reset(ret);
	buf_put(ret, journal, (size_t)(at - journal));
	buf_puts(ret, other);
	buf_puts(ret, at + strlen(part));
}

TEST(ccmode_journal_reads_what_it_wrote)
{
	struct ccjournal j, k;
	AUTO_BUF text = { 0 }, again = { 0 };

	WORKS(ccjournal_parse(&j, slice_str(journal), &e));
	EQ(j.to, CCMODE_ON);
	EQ(j.step, CCSTEP_STAGE);
	EQ(j.n, 1);
	STR(j.v[0].bdf, "0000:10:00.0");
	EQ(j.v[0].n_knobs, 2);
	EQ(j.v[0].knob[0].id, 8);
	j.v[0].knob[1].old = 1;
	snprintf(j.v[0].driver, sizeof j.v[0].driver, "nvidia");
	WORKS(ccjournal_write(&text, &j, 0, &e));
	WORKS(ccjournal_parse(&k, buf_view(&text), &e));
	WORKS(ccjournal_write(&again, &k, 0, &e));
	STR(buf_cstr(&again), buf_cstr(&text));
	EQ(k.v[0].knob[1].old, 1);
	STR(k.v[0].driver, "nvidia");
}

TEST(ccmode_journal_that_is_not_ours_is_refused)
{
	static const char *const cases[][3] = {
		{ "journal/1", "journal/2", "its schema is" },
		{ "\"on\"", "\"sideways\"", "no such word" },
		{ "\"stage\"", "\"lunch\"", "no such word" },
		{ "0000:10:00.0", "../../../etc", "not a PCI address" },
		{ "0000:10:00.0", "10:00.0", "wanted '0000:10:00.0'" },
		{ "\"driver\":null", "\"driver\":\"../evil\"", "not the name of a driver" },
		{ "\"driver\":null", "\"driver\":\"\"", "not the name of a driver" },
		{ "\"driver\":null", "\"driver\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "not the name of a driver" },
		{ "\"id\":8", "\"id\":7", "holds knob 7, which no switch changes" },
		{ "\"id\":8", "\"id\":6", "holds knob 6 twice" },
		{ "\"old\":0", "\"old\":65536", "member 'old'" },
		{ "\"reset\":false,\"knobs\"", "\"reset\":0,\"knobs\"", "wanted true or false" },
		{ "\"no_reset\":false", "\"no_reset\":false,\"extra\":1", "unknown member 'extra'" },
		{ "\"mode\":\"off\"", "\"mode\":\"ppcie\"", "no such word" },
		{ "4318", "65536", "member 'vendor'" },
		{ "\"devices\":[{", "\"devices\":[7,{", "devices[0] is not an object" },
	};
	AUTO_BUF text = { 0 };
	struct ccjournal j;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };

		with(&text, cases[i][0], cases[i][1]);
		EQ(ccjournal_parse(&j, buf_view(&text), &e), -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, cases[i][2]);
	}
	for (size_t n = 0; n < strlen(journal); n++)
		FAILS(ccjournal_parse(&j, slice_of(journal, n), &e), EC_FORMAT);
	with(&text, "\"devices\":[{", "\"devices\":[],\"x\":[{");
	FAILS(ccjournal_parse(&j, buf_view(&text), &e), EC_FORMAT);
}

TEST(ccmode_journal_of_others_is_not_obeyed)
{
	struct err e = { 0 };
	char path[256];

	rig_up(1, CHIP_HOPPER, 0, NULL);
	put_file(rig.dir, CCMODE_JOURNAL_DIR "/switch.json", journal);
	snprintf(path, sizeof path, "%s" CCMODE_JOURNAL_DIR, rig.dir);
	chmod(path, 0777);
	EQ(resume(&e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "others could write it");
	chmod(path, 0700);
	snprintf(path, sizeof path, "%s" CCMODE_JOURNAL_DIR "/switch.json", rig.dir);
	chmod(path, 0666);
	EQ(resume(&e), -1);
	EQ(e.code, EC_REFUSED);
	chmod(path, 0600);
	EQ(resume(&e), -1);		/* 4318:8976 is 10de:2310, the model is another */
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "the journal '" CCMODE_JOURNAL_DIR "/switch.json' is about 10de:2310");
	EQ(rig.m[0].n_log, 0);
	unlink(path);
	EQ(symlink("/dev/null", path), 0);
	EQ(rollback(&e), -1);
	EQ(e.code, EC_IO);
	unlink(path);
	EQ(rollback(&e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "no mode switch is pending");
	rig_down();
}

TEST(ccmode_journal_of_a_device_that_is_gone_says_so)
{
	struct err e = { 0 };
	AUTO_BUF text = { 0 };

	rig_up(1, CHIP_HOPPER, 0, NULL);
	with(&text, "0000:10:00.0", "0000:99:00.0");
	put_file(rig.dir, CCMODE_JOURNAL_DIR "/switch.json", buf_cstr(&text));
	chmod(rig.dir, 0700);
	EQ(resume(&e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "0000:99:00.0 of the journal");
	rig_down();
}

/* --- settings -------------------------------------------------------------------------------------------------------------------- */

TEST(ccmode_settings_are_the_pending_ones)
{
	const struct ccmode_opts o = how(CCMODE_OFF);
	struct ccmode_knob k[CCMODE_KNOBS_MAX];
	struct hw_state st;
	struct err e = { 0 };
	size_t n;

	rig_up(1, CHIP_HOPPER, 1, NULL);
	rig.m[0].pending[KNOB_CCM] = 1;
	WORKS(ccmode_settings_of(k, &n, &st, &rig.h, &rig.m[0].pci, &o, &e));
	EQ(n, 8);
	EQ(st.mode, HW_OFF);
	EQ(k[0].id, KNOB_CCM);
	EQ(k[0].value, 1);
	OK(k[0].known && !k[0].ppcie && k[7].ppcie);
	WORKS(ccmode_settings_of(k, &n, &st, &rig.h, &rig.m[1].pci, &o, &e));
	EQ(n, 2);
	EQ(k[0].id, KNOB_PPCIE);
	OK(!was_sent(&rig.m[0], 's') && !was_sent(&rig.m[0], 'R'));
	snprintf(rig.m[0].pci.driver, sizeof rig.m[0].pci.driver, "nvidia");
	EQ(ccmode_settings_of(k, &n, &st, &rig.h, &rig.m[0].pci, &o, &e), -1);
	EQ(e.code, EC_REFUSED);
	rig_down();
}
