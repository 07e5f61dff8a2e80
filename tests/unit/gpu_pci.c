/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/pci.h"

#include <sys/stat.h>
#include <unistd.h>

#include "gpu_sim.h"
#include "test.h"

static void at(struct host *h, const char *dir)
{
	host_init(h);
	WORKS(host_set_sysroot(h, dir, &e));
}

TEST(pci_addr_reads_every_form_people_paste)
{
	static const struct {
		const char *text;
		struct pci_addr want;
	} good[] = {
		{ "0000:41:00.0", { 0, 0x41, 0, 0 } },
		{ "41:00.0", { 0, 0x41, 0, 0 } },
		{ "00000000:41:00.0", { 0, 0x41, 0, 0 } },
		{ "0001:AF:1f.7", { 1, 0xaf, 0x1f, 7 } },
		{ "10000:e1:00.0", { 0x10000, 0xe1, 0, 0 } },
	};
	static const char *const bad[] = {
		"", "41", "41:00", "41:00.", "41:00.8", "41:20.0", "4:00.0", "041:00.0", "000:41:00.0", "0000:41:00.0 ", " 41:00.0",
		"0000:41:00.00", "0000:41:0.0", "000000000:41:00.0", "0000:g1:00.0", "0000:41:00:0", ":41:00.0", "0000::00.0",
		"0000:41:00.0/..", "all",
	};
	struct pci_addr a;
	char text[20];

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		WORKS(pci_addr_parse(&a, good[i].text, &e));
		OK(pci_addr_eq(&a, &good[i].want));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(pci_addr_parse(&a, bad[i], &e), EC_USAGE);
	pci_addr_format(text, &(struct pci_addr){ 0x10000, 0xe1, 0x1f, 7 });
	STR(text, "10000:e1:1f.7");
}

TEST(gpu_list_finds_gpus_and_switches_and_nothing_else)
{
	AUTO_GPU_LIST l = { 0 };
	const char *d = tmpdir();
	struct host h;

	put_pci(d, "0000:c1:00.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_pci(d, "0000:41:00.0", "0x10de\n", "0x2901\n", "0x030000\n", NULL);
	put_pci(d, "0000:41:00.1", "0x10de\n", "0x22ba\n", "0x040300\n", "snd_hda_intel");	/* its audio function */
	put_pci(d, "0000:00:02.0", "0x1234\n", "0x1111\n", "0x030000\n", "bochs-drm");
	put_pci(d, "0000:07:00.0", "0x10de\n", "0x22a3\n", "0x068000\n", "nvidia-nvswitch");
	put_pci(d, "10000:01:00.0", "0x10de\n", "0xffff\n", "0x030200\n", "vfio-pci");
	at(&h, d);
	WORKS(gpu_list(&l, &h, &e));
	EQ(l.n, 4);
	if (l.n != 4)
		return;
	STR(l.v[0].bdf, "0000:07:00.0");
	OK(l.v[0].is_switch);
	STR(gpu_family(&l.v[0]), "NVSwitch");
	STR(l.v[1].bdf, "0000:41:00.0");
	STR(l.v[1].driver, "");
	STR(gpu_family(&l.v[1]), "Blackwell GB100");
	STR(l.v[2].bdf, "0000:c1:00.0");
	STR(l.v[2].driver, "nvidia");
	EQ(l.v[2].vendor, 0x10de);
	EQ(l.v[2].device, 0x2330);
	EQ(l.v[2].class_code, 0x030200);
	OK(!l.v[2].is_switch);
	STR(gpu_family(&l.v[2]), "Hopper GH100");
	STR(l.v[3].bdf, "10000:01:00.0");
	STR(l.v[3].driver, "vfio-pci");
	STR(gpu_family(&l.v[3]), "NVIDIA");
	host_close(&h);
}

TEST(gpu_list_is_empty_without_gpus_and_says_when_it_could_not_look)
{
	AUTO_GPU_LIST l = { 0 };
	char empty[512];
	const char *d = tmpdir();
	struct host h;

	snprintf(empty, sizeof empty, "%s/a", d);
	mkdir(empty, 0755);
	at(&h, empty);
	WORKS(gpu_list(&l, &h, &e));
	EQ(l.n, 0);
	OK(l.no_pci);
	put_pci(empty, "0000:00:02.0", "0x1234\n", "0x1111\n", "0x030000\n", NULL);
	WORKS(gpu_list(&l, &h, &e));
	EQ(l.n, 0);
	OK(!l.no_pci);
	host_close(&h);
}

/* Each tree has a good GPU and one thing wrong beside it: the list fails rather than losing a GPU. */
static void refused(int number, const char *vendor, const char *device, const char *class_code, const char *driver,
		    enum ec want)
{
	AUTO_GPU_LIST l = { 0 };
	char dir[512];
	struct host h;

	snprintf(dir, sizeof dir, "%s/%d", tmpdir(), number);
	mkdir(dir, 0755);
	put_pci(dir, "0000:06:00.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_pci(dir, "0000:41:00.0", vendor, device, class_code, driver);
	at(&h, dir);
	FAILS(gpu_list(&l, &h, &e), want);
	EQ(l.n, 0);
	host_close(&h);
}

TEST(gpu_list_refuses_ids_it_cannot_read)
{
	refused(0, "10de\n", "0x2330\n", "0x030200\n", NULL, EC_FORMAT);
	refused(1, "0x10de0\n", "0x2330\n", "0x030200\n", NULL, EC_FORMAT);
	refused(2, "", "0x2330\n", "0x030200\n", NULL, EC_FORMAT);
	refused(3, "0x10de\n", "0x2330x\n", "0x030200\n", NULL, EC_FORMAT);
	refused(4, "0x10de\n", "0x2330\n", "0x0302\n", NULL, EC_FORMAT);
	refused(5, "0x10de\n", "0x2330\n", "0x030200\n", "x\x1b[31m", EC_FORMAT);
	refused(6, "0x10de\n", "0x2330\n", "0x030200\n", "a-name-that-is-far-too-long-for-any-driver-of-linux", EC_FORMAT);
	refused(7, "0x10de\n", "0x2330\n", "0x030200\n", "nvidia/", EC_FORMAT);
}

TEST(gpu_list_refuses_a_function_without_ids)
{
	AUTO_GPU_LIST l = { 0 };
	char path[1024];
	const char *d = tmpdir();
	struct host h;

	put_pci(d, "0000:41:00.0", "0x10de\n", "0x2330\n", "0x030200\n", NULL);
	snprintf(path, sizeof path, "%s/sys/devices/pci0000:00/0000:41:00.0/class", d);
	unlink(path);
	at(&h, d);
	FAILS(gpu_list(&l, &h, &e), EC_IO);
	host_close(&h);
}

TEST(gpu_list_leaves_out_a_function_that_went_away)
{
	AUTO_GPU_LIST l = { 0 };
	const char *d = tmpdir();
	struct host h;

	put_pci(d, "0000:06:00.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_link(d, "/sys/bus/pci/devices/0000:41:00.0", "../../../devices/gone");
	at(&h, d);
	WORKS(gpu_list(&l, &h, &e));
	EQ(l.n, 1);
	host_close(&h);
}

TEST(gpu_list_refuses_names_that_are_no_pci_address)
{
	AUTO_GPU_LIST l = { 0 };
	const char *d = tmpdir();
	struct host h;

	put_pci(d, "0000:06:00.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_link(d, "/sys/bus/pci/devices/0000:41:00.9", "../../../devices/pci0000:00/0000:06:00.0");
	at(&h, d);
	FAILS(gpu_list(&l, &h, &e), EC_FORMAT);
	host_close(&h);
}
