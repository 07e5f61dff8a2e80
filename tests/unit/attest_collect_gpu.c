/* SPDX-License-Identifier: Apache-2.0 */
/* From the driver to the verdict: a machine of files whose recorded driver answers for GPUs of a test CA, collected and appraised. */
#include "attest/appraise.h"
#include "attest/collect.h"
#include "attest/collect_gpu.h"
#include "evidence/bundle.h"
#include "gpu/nvcollect.h"
#include "gpu_sim.h"
#include "nv_maker.h"
#include "test.h"

static const uint8_t nonce[16] = "the right nonce", other_nonce[16] = "another capture";

static void make_chain(void *arg, struct buf *ret, size_t gpu)
{
	(void)arg;
	nv_make_chain(ret, &(const struct nv_make){ .device = (unsigned)gpu });
}

static void make_report(void *arg, struct buf *ret, size_t gpu, const uint8_t n[static 32])
{
	(void)arg;
	nv_make_report(ret, &(const struct nv_make){ .device = (unsigned)gpu, .nonce = n });
}

static int open_sim(struct rm **ret, void *arg, struct err *e)
{
	const struct rm_port p = sim_port(arg);

	return rm_open_port(ret, &p, NULL, e);
}

/* What the driver of two GPUs answers when it is asked with this nonce. */
static void record(struct buf *ret, const uint8_t n[static 32])
{
	struct sim s = sim_h100();
	struct gpu_pci v[2];
	const struct nv_sessions sessions = { open_sim, &s };
	AUTO_EVIDENCE ev = { 0 };
	struct host h;

	host_init(&h);
	sim_confidential(&s, 2);
	s.chain = make_chain;
	s.report = make_report;
	s.record = true;
	v[0] = sim_pci(&s, 0);
	v[1] = sim_pci(&s, 1);
	WORKS(nv_collect_over(&ev, &h, &(const struct gpu_list){ .v = v, .n = 2 }, &sessions, slice_of(n, 32), &e));
	sim_recording(ret, &s);
}

/* A machine with these GPUs, whose driver answers for a bundle with this nonce and runtime data. */
static void machine(struct host *h, const char *d, struct slice wanted, struct slice runtime)
{
	AUTO_BUF text = { 0 };
	uint8_t gpu_nonce[32];

	WORKS(bundle_nonce_for(gpu_nonce, "nvgpu", wanted, runtime, &e));
	record(&text, gpu_nonce);
	put_file(d, "/dev/nvidiactl", buf_cstr(&text));
	host_init(h);
	WORKS(host_set_sysroot(h, d, &e));
}

static void hardware(const char *d)
{
	put_pci(d, "0000:00:06.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_pci(d, "0000:41:00.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_file(d, "/dev/nvidia0", "");
	put_file(d, "/dev/nvidia1", "");
}

static void collected(struct buf *ret, const char *d, const char *tee, const uint8_t n[static 16], struct json *facts)
{
	const struct slice wanted = slice_of(n, 16), runtime = SLICE("a public key");
	struct host h;

	machine(&h, d, wanted, runtime);
	ret->max = BUNDLE_MAX;
	WORKS(collect_bundle(ret, &h, &(const struct collect_opts){ .tee = tee, .nonce = wanted, .runtime_data = runtime, .facts = facts }, &e));
	host_close(&h);
}

static void judge(struct verdict *ret, struct slice evidence, const uint8_t n[static 16])
{
	WORKS(appraise(ret, &(const struct appraise_in){ .evidence = evidence, .kind = "auto", .now = NV_MAKER_NOW, .has_nonce = true,
		.nonce = slice_of(n, 16), .insecure_no_collateral = true, .allow_sample = true, .allow_devices = true,
		.nv_device_root = nv_make_root() }, &e));
}

TEST(collected_gpus_are_accepted_beside_their_tee_and_alone)
{
	static const char *const tees[] = { "sample", "none" };
	const char *d = tmpdir();

	hardware(d);
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF b = { 0 };
		AUTO_VERDICT v = { 0 };
		AUTO_JSON *facts = json_object();

		collected(&b, d, tees[i], nonce, facts);
		judge(&v, buf_view(&b), nonce);
		STR(buf_cstr(&v.reason), "");
		OK(v.accepted);
		STR(v.tee, i ? "nvgpu" : "sample");
		EQ(json_count(json_get(facts, "gpus")), 2);
		STR(json_string(json_path(facts, "/gpus/1/bdf")), "0000:41:00.0");
		STR(json_string(json_path(facts, "/gpus/0/architecture")), "HOPPER");
		EQ(strlen(json_string(json_get(facts, "gpu_nonce"))), 64);
	}
}

TEST(collected_gpus_are_refused_for_another_nonce)
{
	AUTO_BUF b = { 0 };
	AUTO_VERDICT v = { 0 };
	const char *d = tmpdir();

	hardware(d);
	collected(&b, d, "none", nonce, NULL);
	judge(&v, buf_view(&b), other_nonce);
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "nonce");
}

/* The GPUs of one capture in the bundle of another: same machine, same keys, each signature right. */
TEST(collected_gpus_cannot_be_swapped_between_captures)
{
	AUTO_BUF one = { 0 }, two = { 0 }, mixed = { .max = BUNDLE_MAX };
	AUTO_BUNDLE a = { 0 }, b = { 0 };
	AUTO_VERDICT v = { 0 };
	const char *d = tmpdir();

	hardware(d);
	collected(&one, d, "sample", nonce, NULL);
	collected(&two, d, "sample", other_nonce, NULL);
	WORKS(bundle_parse(&a, buf_view(&one), &e));
	WORKS(bundle_parse(&b, buf_view(&two), &e));
	EQ(a.evidence.n, 2);
	buf_move(&a.evidence.v[1].data, &b.evidence.v[1].data);
	WORKS(bundle_write(&mixed, &a, &e));
	judge(&v, buf_view(&mixed), nonce);
	OK(!v.accepted);
	/* and a GPU left out changes what the CPU has signed */
	AUTO_BUF less = { .max = BUNDLE_MAX };
	AUTO_VERDICT w = { 0 };

	buf_free(&a.evidence.v[1].data);
	a.evidence.n = 1;
	WORKS(bundle_write(&less, &a, &e));
	judge(&w, buf_view(&less), nonce);
	OK(!w.accepted);
}

TEST(collect_takes_evidence_of_switches_for_this_capture_only)
{
	const struct slice wanted = slice_of(nonce, 16);
	const char *d = tmpdir();
	AUTO_BUF good = { 0 }, stale = { 0 }, b = { .max = BUNDLE_MAX }, none = { .max = BUNDLE_MAX };
	AUTO_BUNDLE parsed = { 0 };
	uint8_t gpu_nonce[32];
	struct host h;

	hardware(d);
	machine(&h, d, wanted, (struct slice){ 0 });
	WORKS(bundle_nonce_for(gpu_nonce, "nvgpu", wanted, (struct slice){ 0 }, &e));
	nv_make_evidence(&good, &(const struct nv_make){ .arch = NV_LS10, .nonce = gpu_nonce }, 1);
	nv_make_evidence(&stale, &(const struct nv_make){ .arch = NV_LS10 }, 1);
	WORKS(collect_bundle(&b, &h, &(const struct collect_opts){ .tee = "sample", .nonce = wanted, .nvswitch = buf_view(&good) }, &e));
	WORKS(bundle_parse(&parsed, buf_view(&b), &e));
	EQ(parsed.evidence.n, 3);
	STR(parsed.evidence.v[1].kind, "nvgpu");
	STR(parsed.evidence.v[2].kind, "nvswitch");
	OK(slice_eq(buf_view(&parsed.evidence.v[2].data), buf_view(&good)));	/* as it came */
	FAILS(collect_bundle(&none, &h, &(const struct collect_opts){ .tee = "sample", .nonce = wanted, .nvswitch = buf_view(&stale) }, &e), EC_REFUSED);
	FAILS(switches_check(buf_view(&good), (const uint8_t[32]){ 1 }, &e), EC_REFUSED);
	host_close(&h);
}
