/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of a whole machine's GPUs: all of them or none, and every refusal names the GPU. */
#include "gpu/nvcollect.h"

#include <errno.h>

#include "gpu/nvgpu.h"
#include "gpu_sim.h"
#include "nv_maker.h"
#include "test.h"

static const uint8_t bound[32] = "what the verifier wants bound..";

static int open_sim(struct rm **ret, void *arg, struct err *e)
{
	const struct rm_port p = sim_port(arg);

	return rm_open_port(ret, &p, NULL, e);
}

/* Real layout, signed by a test CA. */
static void make_chain(void *arg, struct buf *ret, size_t gpu)
{
	(void)arg;
	nv_make_chain(ret, &(const struct nv_make){ .device = (unsigned)gpu });
}

static void make_report(void *arg, struct buf *ret, size_t gpu, const uint8_t nonce[static 32])
{
	(void)arg;
	nv_make_report(ret, &(const struct nv_make){ .device = (unsigned)gpu, .nonce = nonce });
}

static struct sim machine(size_t n)
{
	struct sim s = sim_h100();

	sim_confidential(&s, n);
	s.chain = make_chain;
	s.report = make_report;
	return s;
}

static int collect(struct buf *ret, struct sim *s, const struct gpu_pci *v, size_t n, const struct collect_how *how, struct err *e)
{
	const struct nv_sessions sessions = { open_sim, s };
	const struct gpu_list l = { .v = (struct gpu_pci *)(uintptr_t)v, .n = n };
	AUTO_EVIDENCE ev = { .how = how };
	struct host h;
	int rc;

	host_init(&h);
	rc = nv_collect_over(&ev, &h, &l, &sessions, slice_of(bound, sizeof bound), e);
	if (!rc)
		buf_move(ret, &ev.raw);
	else
		OK(!ev.raw.p);
	EQ(s->opened, s->closed);
	return rc;
}

static void list(struct gpu_pci *v, const struct sim *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = sim_pci(s, i);
}

static unsigned asked(const struct sim *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < SIM_GPUS; i++)
		n += s->gpu[i].n_chain + s->gpu[i].n_report;
	return n;
}

/* Fails with this code, these words and this hint, and nobody was asked for a chain or a report. */
static void refuses(struct sim *s, const struct gpu_pci *v, size_t n, const struct collect_how *how, enum ec code, const char *words,
		    const char *hint)
{
	AUTO_BUF raw = { 0 };
	struct err e = { 0 };

	EQ(collect(&raw, s, v, n, how, &e), -1);
	EQ(e.code, code);
	HAS(e.msg, words);
	if (hint)
		HAS(e.hint, hint);
	EQ(asked(s), 0);
}

TEST(nv_collect_takes_all_gpus_in_their_order)
{
	for (size_t n = 1; n <= 8; n += 7) {
		struct sim s = machine(n);
		AUTO_BUF raw = { 0 };
		struct nv_set set = { 0 };
		struct gpu_pci v[8];

		list(v, &s, n);
		WORKS(collect(&raw, &s, v, n, NULL, &e));
		WORKS(nv_set_parse(&set, buf_view(&raw), &e));
		EQ(set.n, n);
		for (size_t i = 0; i < n && i < set.n; i++) {
			STR(set.v[i].bdf, v[i].bdf);
			STR(set.v[i].uuid, s.gpu[i].uuid);
			EQ(set.v[i].arch, NV_HOPPER);
			EQ(set.v[i].stated, NV_HOPPER);
			EQ(set.v[i].chain.n, NVCHAIN_CERTS);
			MEM(set.v[i].report.nonce.p, bound, 32);
			WORKS(nvchain_verify(&set.v[i].chain, nv_make_root(), NV_MAKER_NOW, &e));
			EQ(s.gpu[i].n_chain, 1);
			EQ(s.gpu[i].n_report, 1);
		}
		EQ(s.released, n);	/* a session for each */
		nv_set_free(&set);
	}
}

/* What takes long is asked of all at once, whatever the number of processors. */
TEST(nv_collect_waits_for_all_gpus_together)
{
	struct sim s = machine(8);
	AUTO_BUF raw = { 0 };
	struct gpu_pci v[8];
	int64_t start;

	s.chain = NULL;
	s.report = NULL;	/* signing by test keys takes its own time */
	s.report_ms = 200;
	list(v, &s, 8);
	start = host_mono_ms();
	WORKS(collect(&raw, &s, v, 8, NULL, &e));
	OK(host_mono_ms() - start >= 200);
	OK(host_mono_ms() - start < 8 * 200);
}

static int open_late(struct rm **ret, void *arg, struct err *e)
{
	static struct host h;
	const struct rm_port p = sim_port(arg);

	host_init(&h);
	h.deadline_ms = host_mono_ms() - 1;
	return rm_open_port(ret, &p, &h, e);
}

TEST(nv_collect_ends_with_its_time_limit)
{
	struct sim s = machine(1);
	struct gpu_pci v[1];
	const struct nv_sessions sessions = { open_late, &s };
	AUTO_EVIDENCE ev = { 0 };
	struct host h;
	struct err e = { 0 };

	host_init(&h);
	list(v, &s, 1);
	EQ(nv_collect_over(&ev, &h, &(const struct gpu_list){ .v = v, .n = 1 }, &sessions, slice_of(bound, sizeof bound), &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "no time left of --timeout");
	EQ(s.n_log, 0);
}

TEST(nv_collect_takes_the_named_gpus_alone)
{
	struct sim s = machine(3);
	AUTO_BUF raw = { 0 };
	struct nv_set set = { 0 };
	struct gpu_pci v[4];

	list(v, &s, 3);
	s.gpu[0].open_error = EIO;	/* one that is left out may be dead */
	v[3] = (struct gpu_pci){ .bdf = "0000:90:00.0", .addr = { 0, 0x90, 0, 0 }, .vendor = 0x10de, .driver = "vfio-pci" };
	WORKS(collect(&raw, &s, v, 4, &(const struct collect_how){ .gpus = "0000:42:00.0,41:00.0,0000:42:00.0" }, &e));
	WORKS(nv_set_parse(&set, buf_view(&raw), &e));
	EQ(set.n, 2);
	STR(set.v[0].bdf, "0000:41:00.0");
	STR(set.v[1].bdf, "0000:42:00.0");
	EQ(s.gpu[0].n_chain, 0);
	nv_set_free(&set);
	refuses(&(struct sim){ .lock = PTHREAD_MUTEX_INITIALIZER }, NULL, 0, NULL, EC_ABSENT, "no NVIDIA GPU", NULL);
	s = machine(3);
	refuses(&s, v, 4, &(const struct collect_how){ .gpus = "0000:41:00.0,77:00.0" }, EC_ABSENT, "no NVIDIA GPU at '77:00.0'", "gpu-ccmode query");
	refuses(&s, v, 4, &(const struct collect_how){ .gpus = "0000:41:00.0,," }, EC_USAGE, "'' is not a PCI address", NULL);
	refuses(&s, v, 4, &(const struct collect_how){ .gpus = "GPU-0" }, EC_USAGE, "'GPU-0' is not a PCI address", NULL);
	refuses(&s, v, 4, &(const struct collect_how){ .gpus = "90:00.0" }, EC_ABSENT, "GPU 0000:90:00.0 gives no evidence: driver 'vfio-pci'", NULL);
}

TEST(nv_collect_leaves_no_visible_gpu_out)
{
	struct sim s = machine(2);
	struct gpu_pci v[3];

	list(v, &s, 2);
	v[2] = (struct gpu_pci){ .bdf = "0000:90:00.0", .addr = { 0, 0x90, 0, 0 }, .vendor = 0x10de };
	refuses(&s, v, 3, NULL, EC_ABSENT, "GPU 0000:90:00.0 gives no evidence: no driver is bound", "--gpus");
	snprintf(v[2].driver, sizeof v[2].driver, "vfio-pci");
	refuses(&s, v, 3, NULL, EC_ABSENT, "GPU 0000:90:00.0 gives no evidence: driver 'vfio-pci' is bound", "--gpus");
	snprintf(v[2].driver, sizeof v[2].driver, "nvidia");
	refuses(&s, v, 3, NULL, EC_IO, "GPU 0000:90:00.0 gives no evidence: driver 'nvidia' is bound, but does not list", "dmesg");
	s = machine(2);
	s.gpu[1].open_error = EIO;
	refuses(&s, v, 2, NULL, EC_IO, "GPU 0000:41:00.0 gives no evidence", NULL);
	s = machine(2);
	s.gpu[1].no_node = true;
	refuses(&s, v, 2, NULL, EC_ABSENT, "GPU 0000:41:00.0 gives no evidence: device node missing", NULL);
	s = machine(2);
	v[1].device = 0x2331;
	refuses(&s, v, 2, NULL, EC_IO, "GPU 0000:41:00.0 gives no evidence: the driver says PCI id 10de:2330, sysfs says 10de:2331", NULL);
}

TEST(nv_collect_takes_a_gpu_that_only_the_driver_lists)
{
	struct sim s = machine(2);
	AUTO_BUF raw = { 0 };
	struct nv_set set = { 0 };
	struct gpu_pci v[1];

	list(v, &s, 1);
	WORKS(collect(&raw, &s, v, 1, NULL, &e));
	WORKS(nv_set_parse(&set, buf_view(&raw), &e));
	EQ(set.n, 2);
	nv_set_free(&set);
}

TEST(nv_collect_stops_before_the_first_call_where_the_mode_is_off)
{
	struct sim s = machine(3);
	struct gpu_pci v[3];

	list(v, &s, 3);
	s.caps[2] = s.caps[3] = 0;
	refuses(&s, v, 1, &(const struct collect_how){ .gpus = "0000:00:06.0" }, EC_ABSENT, "confidential mode is off on GPU 0000:00:06.0",
		"gpu-ccmode set on");
	refuses(&s, v, 3, NULL, EC_ABSENT, "confidential mode is off on GPU 0000:00:06.0, and on the 2 others", "--gpus none");
	s.caps[1] = 0;
	refuses(&s, v, 3, NULL, EC_ABSENT, "confidential mode is off", "no such mode");
	s.no_cc_class = true;
	refuses(&s, v, 3, NULL, EC_ABSENT, "confidential mode is off", "no such mode");
}

TEST(nv_collect_stops_where_the_mode_is_unclear)
{
	struct sim s = machine(1);
	struct gpu_pci v[1];

	list(v, &s, 1);
	s.caps[2] = 0;
	refuses(&s, v, 1, NULL, EC_IO, "its mode is unclear: the driver reports confidential mode, but no production environment", NULL);
	s.caps[2] = 2;
	s.caps[3] = 9;
	refuses(&s, v, 1, NULL, EC_IO, "no name in this version", NULL);
	s.caps[3] = 1;
	refuses(&s, v, 1, NULL, EC_ABSENT, "APM mode", NULL);
	s = machine(2);
	s.flapping = true;
	struct gpu_pci two[2];

	list(two, &s, 2);
	refuses(&s, two, 2, NULL, EC_IO, "changed while it was read", NULL);
}

TEST(nv_collect_takes_devtools_and_leaves_it_to_verifiers)
{
	struct sim s = machine(1);
	AUTO_BUF raw = { 0 };
	struct gpu_pci v[1];

	list(v, &s, 1);
	s.caps[2] = s.caps[4] = 1;
	WORKS(collect(&raw, &s, v, 1, NULL, &e));
	EQ(asked(&s), 2);
}

TEST(nv_collect_wants_the_switches_of_a_protected_pcie_machine)
{
	struct sim s = machine(2);
	AUTO_BUF raw = { 0 }, alone = { 0 };
	struct gpu_pci v[3];
	char hex[65] = "";

	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", bound[i]);
	list(v, &s, 2);
	v[2] = (struct gpu_pci){ .bdf = "0000:07:00.0", .addr = { 0, 7, 0, 0 }, .vendor = 0x10de, .device = 0x22a3, .is_switch = true };
	s.caps[3] = 0;
	s.caps[5] = 1;
	refuses(&s, v, 3, NULL, EC_USAGE, "protected PCIe mode: evidence of its 1 NVSwitch is wanted", hex);
	WORKS(collect(&raw, &s, v, 3, &(const struct collect_how){ .has_switches = true }, &e));
	WORKS(collect(&alone, &s, v, 2, NULL, &e));	/* none in sight: only said */
	s = machine(2);
	WORKS(collect(&raw, &s, v, 3, NULL, &e));	/* switches of a machine in another mode have nothing to say */
}

TEST(nv_collect_fails_by_name_and_asks_no_gpu_twice)
{
	static const struct {
		uint32_t cmd, status;
		const char *words;
	} v[] = {
		{ 0xcb330109, 0x0f, "the GPU is lost" }, { 0xcb330109, 0x55, "not ready" }, { 0xcb33010a, 0x65, "timed out" },
		{ 0xcb33010a, 0x03, "busy" }, { 0xcb33010a, 0x7d, "key rotation" },
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct sim s = machine(4);
		AUTO_BUF raw = { 0 };
		struct gpu_pci pci[4];
		struct err e = { 0 };

		list(pci, &s, 4);
		s.fault[0] = (struct sim_fault){ .cmd = v[i].cmd, .status = v[i].status, .times = 1 };
		EQ(collect(&raw, &s, pci, 4, NULL, &e), -1);
		EQ(e.code, EC_IO);
		HAS(e.msg, "GPU 0000:");
		HAS(e.msg, v[i].words);
		for (size_t g = 0; g < 4; g++)
			OK(s.gpu[g].n_chain <= 1 && s.gpu[g].n_report <= 1);
		for (unsigned k = 0; k < 2; k++) {	/* the one with the fault never got to count itself */
			unsigned sent = 0;

			for (size_t n = 0; n < s.n_log; n++)
				sent += s.log[n] == 0xcb330109u + k;
			OK(sent <= 4);
		}
	}
}

TEST(nv_collect_refuses_reports_of_no_report_size_and_another_nonce)
{
	struct sim s = machine(2);
	AUTO_BUF raw = { 0 };
	struct gpu_pci v[2];

	list(v, &s, 2);
	s.report_size = 8193;
	FAILS(collect(&raw, &s, v, 2, NULL, &e), EC_FORMAT);
	s = machine(2);
	s.other_nonce = true;
	FAILS(collect(&raw, &s, v, 2, NULL, &e), EC_FORMAT);
	s = machine(2);
	s.chain_size = 7;
	FAILS(collect(&raw, &s, v, 2, NULL, &e), EC_FORMAT);
}

TEST(nv_collect_works_on_every_driver_branch)
{
	static const char *const branches[] = { "535.104.05", "550.54.14", "570.211.01", "580.142", "590.48.01", "595.45.04" };

	for (size_t i = 0; i < sizeof branches / sizeof branches[0]; i++) {
		struct sim s = machine(1);
		AUTO_BUF raw = { 0 };
		struct gpu_pci v[1];

		sim_branch(&s, branches[i]);
		list(v, &s, 1);
		WORKS(collect(&raw, &s, v, 1, NULL, &e));
		HAS(buf_cstr(&raw), branches[i]);
	}
}

/* The whole way through files: a recording that the simulated driver made, with the nonce that it was made for. */
TEST(nv_collect_replays_a_recording_of_a_confidential_gpu)
{
	AUTO_BUF first = { 0 }, text = { 0 };
	AUTO_EVIDENCE ev = { 0 }, other = { 0 };
	struct sim s = machine(2);
	const char *d = tmpdir();
	struct gpu_pci v[2];
	struct host h;

	list(v, &s, 2);
	s.record = true;
	WORKS(collect(&first, &s, v, 2, NULL, &e));
	sim_recording(&text, &s);
	put_pci(d, "0000:00:06.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_pci(d, "0000:41:00.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_file(d, "/dev/nvidiactl", buf_cstr(&text));
	put_file(d, "/dev/nvidia0", "");
	put_file(d, "/dev/nvidia1", "");
	host_init(&h);
	WORKS(host_set_sysroot(&h, d, &e));
	WORKS(nv_collect(&ev, &h, slice_of(bound, sizeof bound), &e));
	STR(buf_cstr(&ev.raw), buf_cstr(&first));
	/* another nonce was never answered */
	FAILS(nv_collect(&other, &h, SLICE("12345678901234567890123456789012"), &e), EC_IO);
	host_close(&h);
}
