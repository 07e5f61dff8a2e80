/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about each GPU: no GPU drops out, and no mode is claimed that the driver did not give. */
#include "gpu/state.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gpu_sim.h"
#include "test.h"

/* cpu, gpu, environment, feature, devtools, multi-GPU */
static enum gpu_mode mode(uint8_t env, uint8_t feature, uint8_t devtools, uint8_t multi)
{
	const struct rm_cc c = { .known = true, .gpu = 2, .environment = env, .feature = feature, .devtools = devtools,
				 .multi_gpu = multi };
	const char *why = "unset";
	const enum gpu_mode m = gpu_mode_of(&c, &why);

	EQ(m == GPU_MODE_UNKNOWN, why != NULL);
	EQ(gpu_mode_of(&c, NULL), m);
	return m;
}

TEST(gpu_mode_has_a_name_for_what_the_driver_can_mean)
{
	EQ(mode(0, 0, 0, 0), GPU_MODE_OFF);
	EQ(mode(2, 2, 0, 0), GPU_MODE_ON);
	EQ(mode(2, 2, 0, 2), GPU_MODE_ON);		/* with encrypted NVLink */
	EQ(mode(1, 2, 1, 0), GPU_MODE_DEVTOOLS);
	EQ(mode(1, 0, 1, 1), GPU_MODE_DEVTOOLS);
	EQ(mode(2, 0, 0, 1), GPU_MODE_PPCIE);		/* feature 0 on purpose */
	EQ(mode(0, 0, 0, 1), GPU_MODE_PPCIE);
	EQ(mode(2, 1, 0, 0), GPU_MODE_APM);
	EQ(gpu_mode_of(&(struct rm_cc){ 0 }, NULL), GPU_MODE_OFF);
	STR(gpu_mode_word(GPU_MODE_PPCIE), "ppcie");
	STR(gpu_mode_word((enum gpu_mode)77), "unknown");
}

TEST(gpu_mode_is_unknown_when_the_values_contradict)
{
	EQ(mode(1, 2, 0, 0), GPU_MODE_UNKNOWN);		/* "on" in a simulation */
	EQ(mode(0, 2, 0, 0), GPU_MODE_UNKNOWN);
	EQ(mode(1, 0, 0, 1), GPU_MODE_UNKNOWN);
	EQ(mode(1, 0, 1, 0), GPU_MODE_UNKNOWN);		/* devtools alone */
	EQ(mode(0, 0, 0, 2), GPU_MODE_UNKNOWN);
	EQ(mode(3, 2, 0, 0), GPU_MODE_UNKNOWN);
	EQ(mode(2, 3, 0, 0), GPU_MODE_UNKNOWN);
	EQ(mode(2, 2, 2, 0), GPU_MODE_UNKNOWN);
	EQ(mode(2, 2, 0, 3), GPU_MODE_UNKNOWN);
}

TEST(gpu_mode_is_on_for_two_combinations_of_all)
{
	unsigned on = 0;

	for (unsigned i = 0; i < 256; i++)
		on += mode(i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6 & 3) == GPU_MODE_ON;
	EQ(on, 2);
}

static struct gpu_pci pci(uint8_t bus, uint8_t slot, const char *driver)
{
	struct gpu_pci g = { .addr = { 0, bus, slot, 0 }, .vendor = 0x10de, .device = 0x2330, .class_code = 0x030200 };

	pci_addr_format(g.bdf, &g.addr);
	snprintf(g.driver, sizeof g.driver, "%s", driver);
	return g;
}

static void ask(struct gpu_states *ret, struct sim *s, struct gpu_pci *v, size_t n, const struct pci_addr *only)
{
	const struct gpu_list l = { .v = v, .n = n };
	const struct rm_port p = sim_port(s);
	struct rm *rm = NULL;
	struct err why = { 0 };

	rm_open_port(&rm, &p, NULL, &why);
	WORKS(gpu_states_ask(ret, &l, only, rm, &why, &e));
	rm_close(rm);
	EQ(s->opened, s->closed);
}

TEST(gpu_states_tell_the_mode_of_all_gpus)
{
	AUTO_GPU_STATES st = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia"), pci(0x41, 0, "nvidia") };
	struct sim s = sim_h100();

	s.n_gpus = 2;
	s.caps[2] = s.caps[3] = 2;
	s.ready = 1;
	ask(&st, &s, v, 2, NULL);
	EQ(st.n, 2);
	for (size_t i = 0; i < st.n; i++) {
		EQ(st.v[i].answer, GPU_ANSWERED);
		EQ(st.v[i].mode, GPU_MODE_ON);
	}
	STR(st.v[1].info.uuid, s.gpu[1].uuid);
	OK(st.has_cc && st.cc.ready);
	STR(st.driver_version, "580.159.04");
}

TEST(gpu_states_keep_the_dead_gpu_beside_the_living)
{
	AUTO_GPU_STATES st = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia"), pci(0x41, 0, "nvidia") };
	struct sim s = sim_h100();

	s.n_gpus = 2;
	s.gpu[0].open_error = EIO;
	ask(&st, &s, v, 2, NULL);
	EQ(st.n, 2);
	EQ(st.v[0].answer, GPU_FAILED);
	EQ(st.v[0].mode, GPU_MODE_UNKNOWN);
	HAS(st.v[0].why.msg, strerror(EIO));
	EQ(st.v[1].answer, GPU_ANSWERED);
	EQ(st.v[1].mode, GPU_MODE_OFF);
}

TEST(gpu_states_fail_a_bound_gpu_that_the_driver_does_not_list)
{
	AUTO_GPU_STATES st = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia"), pci(0x41, 0, "nvidia") };
	struct sim s = sim_h100();

	ask(&st, &s, v, 2, NULL);
	EQ(st.v[0].answer, GPU_ANSWERED);
	EQ(st.v[1].answer, GPU_FAILED);
	HAS(st.v[1].why.msg, "does not list");
}

TEST(gpu_states_fail_a_gpu_whose_ids_differ_from_sysfs)
{
	AUTO_GPU_STATES st = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia") };
	struct sim s = sim_h100();

	s.gpu[0].device = 0x2331;
	ask(&st, &s, v, 1, NULL);
	EQ(st.v[0].answer, GPU_FAILED);
	HAS(st.v[0].why.msg, "10de:2331");
}

TEST(gpu_states_do_not_ask_where_nobody_can_answer)
{
	AUTO_GPU_STATES st = { 0 };
	struct gpu_pci v[] = { pci(1, 0, ""), pci(2, 0, "vfio-pci"), pci(3, 0, "nvidia-nvswitch"), pci(0x41, 0, "nvidia") };
	struct sim s = sim_h100();

	v[2].is_switch = true;
	s.n_gpus = 2;
	s.gpu[0].hidden = true;
	s.gpu[1].no_node = true;
	ask(&st, &s, v, 4, NULL);
	EQ(st.n, 4);
	for (size_t i = 0; i < st.n; i++) {
		EQ(st.v[i].answer, GPU_NOT_ASKED);
		EQ(st.v[i].mode, GPU_MODE_UNKNOWN);
	}
	HAS(st.v[0].why.msg, "no driver is bound");
	HAS(st.v[1].why.msg, "vfio-pci");
	HAS(st.v[2].why.msg, "NVSwitch");
	HAS(st.v[3].why.msg, "/dev/nvidia1");
	OK(!st.has_cc);
}

TEST(gpu_states_without_control_node_warn_and_with_a_broken_one_fail)
{
	AUTO_GPU_STATES st = { 0 }, st2 = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia") };
	struct sim s = sim_h100();

	s.no_ctl = true;
	ask(&st, &s, v, 1, NULL);
	EQ(st.v[0].answer, GPU_NOT_ASKED);
	HAS(st.v[0].why.msg, "/dev/nvidiactl");
	s = sim_h100();
	s.fault[0] = (struct sim_fault){ .cmd = RM_NR_VERSION, .error = EINVAL, .times = 1 };
	ask(&st2, &s, v, 1, NULL);
	EQ(st2.v[0].answer, GPU_FAILED);
	HAS(st2.v[0].why.msg, strerror(EINVAL));
}

TEST(gpu_states_show_a_gpu_that_only_the_driver_lists)
{
	AUTO_GPU_STATES st = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia") };
	struct sim s = sim_h100();

	s.n_gpus = 2;
	ask(&st, &s, v, 1, NULL);
	EQ(st.n, 2);
	OK(st.v[0].in_sysfs && !st.v[1].in_sysfs);
	STR(st.v[1].pci.bdf, "0000:41:00.0");
	EQ(st.v[1].answer, GPU_ANSWERED);
}

TEST(gpu_states_of_one_device_leave_the_others_alone)
{
	AUTO_GPU_STATES st = { 0 }, none = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia"), pci(0x41, 0, "nvidia") };
	struct sim s = sim_h100();

	s.n_gpus = 2;
	s.gpu[0].open_error = EIO;
	ask(&st, &s, v, 2, &v[1].addr);
	EQ(st.n, 1);
	STR(st.v[0].pci.bdf, "0000:41:00.0");
	EQ(st.v[0].answer, GPU_ANSWERED);
	ask(&none, &s, v, 2, &(struct pci_addr){ 9, 9, 9, 0 });
	EQ(none.n, 0);
}

TEST(gpu_states_notice_a_state_that_changes_meanwhile)
{
	AUTO_GPU_STATES st = { 0 };
	struct gpu_pci v[] = { pci(0, 6, "nvidia"), pci(0x41, 0, "nvidia") };
	struct sim s = sim_h100();

	s.n_gpus = 2;
	s.flapping = true;
	ask(&st, &s, v, 2, NULL);
	EQ(st.v[0].answer, GPU_ANSWERED);
	EQ(st.v[1].answer, GPU_FAILED);
	HAS(st.v[1].why.msg, "changed while it was read");
}

/* --- through the files of a fake machine -------------------------------------------------------------------------- */

static void machine(struct host *h, const char *dir)
{
	put_pci(dir, "0000:00:06.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_file(dir, "/sys/module/nvidia/version", "580.159.04\n");
	host_init(h);
	WORKS(host_set_sysroot(h, dir, &e));
}

TEST(gpu_states_without_nodes_take_the_version_from_sysfs)
{
	AUTO_GPU_STATES st = { 0 };
	struct host h;

	machine(&h, tmpdir());
	WORKS(gpu_states(&st, &h, NULL, &e));
	EQ(st.n, 1);
	EQ(st.v[0].answer, GPU_NOT_ASKED);
	STR(st.driver_version, "580.159.04");
	host_close(&h);
}

TEST(gpu_states_refuse_a_recording_on_a_real_machine)
{
	AUTO_GPU_STATES st = { 0 };
	const char *d = tmpdir();
	struct host h;

	machine(&h, d);
	put_file(d, "/dev/nvidiactl", "{\"calls\":[]}");
	h.simulated = false;
	WORKS(gpu_states(&st, &h, NULL, &e));
	EQ(st.v[0].answer, GPU_FAILED);
	HAS(st.v[0].why.msg, "is a regular file, wanted character device 195:255");
	host_close(&h);
}

TEST(gpu_states_refuse_a_link_and_another_device_as_node)
{
	AUTO_GPU_STATES st = { 0 };
	char path[512];
	const char *d = tmpdir();
	struct host h;

	machine(&h, d);
	put_link(d, "/dev/nvidiactl", "null");
	WORKS(gpu_states(&st, &h, NULL, &e));
	EQ(st.v[0].answer, GPU_FAILED);
	HAS(st.v[0].why.msg, "symbolic link");
	snprintf(path, sizeof path, "%s/dev/nvidiactl", d);
	unlink(path);
	if (mknod(path, S_IFCHR | 0666, makedev(1, 3)))
		SKIP("needs the right to make device nodes");
	gpu_states_free(&st);
	WORKS(gpu_states(&st, &h, NULL, &e));
	EQ(st.v[0].answer, GPU_FAILED);
	HAS(st.v[0].why.msg, "is character device 1:3, wanted 195:255");
	host_close(&h);
}
