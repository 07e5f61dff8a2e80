/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/state.h"

#include <errno.h>

#include "gpu_sim.h"
#include "test.h"

static int open_text(struct rm **ret, const char *text, struct err *e)
{
	struct rm_port p;

	return rm_replay_open(&p, NULL, slice_str(text), e) ? -1 : rm_open_port(ret, &p, NULL, e);
}

/* The recorded H100 gives the values that its README and spec 1.5 name. */
TEST(replay_of_the_recorded_h100_gives_its_values)
{
	AUTO_GPU_STATES st = { 0 };
	AUTO_BUF text = { 0 };
	const char *d = tmpdir();
	struct host h;

	NEED_VECTORS;
	load_vec(&text, "nvidia/ioctl/h100-580.159.04-cc-off.json");
	put_pci(d, "0000:00:06.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_file(d, "/dev/nvidiactl", buf_cstr(&text));
	put_file(d, "/dev/nvidia0", "");
	host_init(&h);
	WORKS(host_set_sysroot(&h, d, &e));
	WORKS(gpu_states(&st, &h, NULL, &e));
	EQ(st.n, 1);
	if (st.n != 1)
		return;
	EQ(st.v[0].answer, GPU_ANSWERED);
	STR(st.v[0].why.msg, "");
	STR(st.driver_version, "580.159.04");
	STR(st.v[0].info.name, "NVIDIA H100 80GB HBM3");
	STR(st.v[0].info.uuid, "GPU-00000000-0000-0000-0000-000000000000");
	STR(st.v[0].info.vbios, "96.00.CF.00.01");
	EQ(st.v[0].info.architecture, 0x180);
	EQ(st.v[0].info.protected_kb, 0);
	EQ(st.v[0].info.unprotected_kb, 0x04f2dc00);
	EQ(st.v[0].mode, GPU_MODE_OFF);
	OK(st.has_cc && st.cc.known);
	EQ(st.cc.cpu, 0);
	EQ(st.cc.gpu, RM_CC_GPU_HCC);
	EQ(st.cc.environment, RM_CC_ENV_UNAVAILABLE);
	EQ(st.cc.feature, RM_CC_FEATURE_OFF);
	EQ(st.cc.devtools, 0);
	EQ(st.cc.multi_gpu, RM_CC_MULTI_NONE);
	OK(!st.cc.ready);
	host_close(&h);
}

TEST(replay_without_the_gpu_node_says_so)
{
	AUTO_GPU_STATES st = { 0 };
	AUTO_BUF text = { 0 };
	const char *d = tmpdir();
	struct host h;

	NEED_VECTORS;
	load_vec(&text, "nvidia/ioctl/h100-580.159.04-cc-off.json");
	put_pci(d, "0000:00:06.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_file(d, "/dev/nvidiactl", buf_cstr(&text));
	host_init(&h);
	WORKS(host_set_sysroot(&h, d, &e));
	WORKS(gpu_states(&st, &h, NULL, &e));
	EQ(st.v[0].answer, GPU_NOT_ASKED);
	HAS(st.v[0].why.msg, "'/dev/nvidia0'");
	host_close(&h);
}

#define VERSION "{\"nr\":210,\"size\":72,\"in\":\"32\",\"out\":\"3200000001000000312e32\"},"
#define CARDS "{\"nr\":\"0xc8\",\"size\":2304,\"in\":\"\",\"out\":\"010000000000000000060000de10302306000000\"},"
#define ROOT "{\"nr\":43,\"cls\":\"0x41\",\"status\":\"0x0\",\"params\":\"\",\"handle\":\"0x77\"}"

TEST(replay_answers_only_what_was_recorded)
{
	AUTO_RM *rm = NULL, *other = NULL;
	struct rm_gpu g;
	struct err why = { 0 };

	WORKS(open_text(&rm, "{\"calls\":[" VERSION CARDS ROOT "]}", &e));
	STR(rm_driver_version(rm), "1.2");
	EQ(rm_card_count(rm), 1);
	EQ(rm_attach(&g, rm, rm_card_at(rm, 0), &why), -1);
	EQ(why.code, EC_IO);
	HAS(why.msg, strerror(ENOSYS));
	FAILS(open_text(&other, "{\"calls\":[" VERSION ROOT "]}", &e), EC_IO);
	FAILS(open_text(&other, "{\"calls\":[" VERSION CARDS "{\"open\":255,\"errno\":5}," ROOT "]}", &e), EC_IO);
}

/* The same command in another size gets the driver's own answer, then the recorded size is found. */
TEST(replay_repeats_the_size_rule_of_the_driver)
{
	AUTO_RM *rm = NULL;
	struct rm_cc c;

	WORKS(open_text(&rm, "{\"calls\":[" VERSION CARDS ROOT ",{\"nr\":43,\"cls\":52019,\"params\":\"77\",\"handle\":9},"
			"{\"nr\":42,\"cmd\":\"0xcb330101\",\"object\":9,\"size\":5,\"in\":\"\",\"out\":\"0002020200\"},"
			"{\"nr\":42,\"cmd\":\"0xcb330104\",\"object\":8,\"size\":1,\"in\":\"\",\"out\":\"00\"},"
			"{\"nr\":42,\"cmd\":\"0xcb330104\",\"object\":9,\"size\":1,\"in\":\"\",\"status\":3},"
			"{\"nr\":42,\"cmd\":\"0xcb330104\",\"object\":9,\"size\":1,\"in\":\"\",\"out\":\"01\"}]}", &e));
	WORKS(rm_cc(&c, rm, &e));
	EQ(c.feature, RM_CC_FEATURE_HCC);
	EQ(c.environment, RM_CC_ENV_PRODUCTION);
	OK(c.ready);		/* of object 9, after it was busy once */
}

TEST(replay_refuses_recordings_out_of_form)
{
	static const char *const bad[] = {
		"", "{", "[]", "{}", "{\"calls\":{}}", "{\"calls\":[1]}", "{\"calls\":[{}]}", "{\"calls\":[{\"nr\":256}]}",
		"{\"calls\":[{\"nr\":\"0x2g\"}]}", "{\"calls\":[{\"nr\":\"43\"}]}", "{\"calls\":[{\"nr\":\"0x\"}]}",
		"{\"calls\":[{\"nr\":-1}]}", "{\"calls\":[{\"nr\":1.5}]}", "{\"calls\":[{\"nr\":42}]}", "{\"calls\":[{\"nr\":43}]}",
		"{\"calls\":[{\"nr\":42,\"cmd\":4294967296}]}", "{\"calls\":[{\"nr\":200,\"in\":\"0\"}]}",
		"{\"calls\":[{\"nr\":200,\"in\":\"zz\"}]}", "{\"calls\":[{\"nr\":200,\"in\":7}]}",
		"{\"calls\":[{\"nr\":200,\"size\":1,\"out\":\"0101\"}]}", "{\"calls\":[{\"nr\":200,\"size\":16385}]}",
		"{\"calls\":[{\"nr\":\"0x123456789\"}]}",
	};
	struct rm *rm = NULL;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(open_text(&rm, bad[i], &e), EC_FORMAT);
	OK(!rm);
}
