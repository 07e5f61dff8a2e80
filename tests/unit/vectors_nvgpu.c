/* SPDX-License-Identifier: Apache-2.0 */
/* Real evidence of NVIDIA devices (vectors/nvidia, trustee/nvidia): each file gets the verdict and the reason of its README, inside validity and outside. */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "gpu/nvgpu.h"
#include "test.h"

#define INSIDE INT64_C(1780272000)	/* 2026-06-01: every device chain, the switch's manifest */
#define IN_2024 INT64_C(1717200000)	/* 2024-06-01: manifests of 2023 */
#define LATE INT64_C(1843344000)	/* 2028-05-31: no manifest */
#define EARLY INT64_C(1577836800)	/* 2020-01-01: no device chain */

struct seen {
	struct json *list, *claims;
	bool accepted;
};
#define AUTO_SEEN __attribute__((cleanup(seen_free))) struct seen

static void seen_free(struct seen *s)
{
	json_free(s->list);
	json_free(s->claims);
}

static enum rule default_rule(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

static void judge(struct seen *ret, const struct evidence_kind *k, struct slice raw, int64_t now, const struct collateral *given)
{
	const struct expect x = { .limits = &limits_strict, .now = now, .given = given, .no_collateral = true, .no_freshness = true };
	struct tally t = { .list = json_array() };
	struct stages st = { 0 };
	void *parsed = NULL;

	*ret = (struct seen){ .list = t.list, .claims = json_object(), .accepted = true };
	WORKS(k->parse(&parsed, raw, (struct slice){ 0 }, &e));
	if (!parsed)
		return;
	WORKS(k->stages(&st, parsed, &x, &e));
	for (size_t i = 0; i < st.n; i++) {
		t.object = st.v[i].object;
		ret->accepted &= checks_run(&t, st.v[i].checks, st.v[i].n_checks, st.v[i].subject, &st.v[i].x, default_rule, NULL);
	}
	buf_free(&t.reason);
	WORKS(k->claims(ret->claims, parsed, &e));
	k->drop(parsed);
}

static const char *said(const struct seen *s, const char *id, const char *member)
{
	for (const struct json *c = json_first(s->list); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return json_string(json_get(c, member)) ? json_string(json_get(c, member)) : "";
	return "(no such check)";
}

static void is(const struct seen *s, const char *id, const char *result, const char *says)
{
	STR(said(s, id, "result"), result);
	HAS(said(s, id, "actual"), says);
}

/* A report in hex and a chain, as one raw form. */
static void load_both(struct buf *ret, const char *report, const char *chain)
{
	AUTO_BUF pem = { 0 };
	char name[128];

	snprintf(name, sizeof name, "nvidia/reports/%s", report);
	load_vec(ret, name);
	snprintf(name, sizeof name, "nvidia/reports/%s", chain);
	load_vec(&pem, name);
	buf_puts(ret, "\n");
	buf_slice(ret, buf_view(&pem));
}

static void add_rim(struct collateral *to, const char *file)
{
	AUTO_BUF xml = { 0 };
	char name[160];

	snprintf(name, sizeof name, "nvidia/rims/%s", file);
	load_vec(&xml, name);
	WORKS(collateral_add(to, buf_view(&xml), file, "", &e));
}

static const struct {
	const char *name, *driver, *vbios, *driver_rim, *vbios_rim, *fwid;
	enum nv_arch arch;
} reports[] = {
	{ "hopper-550.90.07", "550.90.07", "96.00.9F.00.01", "NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_VBIOS_1010_0200_882_96009F0001", "pass", NV_HOPPER },
	{ "hopper-580.159.03", "580.159.03", "96.00.74.00.20", "NV_GPU_DRIVER_GH100_580.159.03", "NV_GPU_VBIOS_1010_0205_862_9600740020", "pass", NV_HOPPER },
	{ "hopper-535.86.09", "535.86.09", "96.00.5E.00.01", "NV_GPU_DRIVER_GH100_535.86.09", "NV_GPU_VBIOS_1010_0200_882_96005E0001", "skip", NV_HOPPER },
	{ "hopper-570.124.03", "570.124.03", "96.00.5E.00.04", "NV_GPU_DRIVER_GH100_570.124.03", "NV_GPU_VBIOS_1010_0205_862_96005E0004", "pass", NV_HOPPER },
	{ "blackwell-575.32", "575.32", "97.00.88.00.0F", "NV_GPU_CC_DRIVER_GB100_575.32", "NV_GPU_VBIOS_G525_0220_886_970088000F", "pass", NV_BLACKWELL },
	{ "ls10-96.10.55.00.01", "", "96.10.55.00.01", "", "NV_SWITCH_BIOS_5612_0002_890_9610550001", "skip", NV_LS10 },
};
#define N_REPORTS (sizeof reports / sizeof reports[0])

TEST(nv_vectors_reports)
{
	NEED_VECTORS;
	for (size_t i = 0; i < N_REPORTS; i++) {
		const bool sw = reports[i].arch == NV_LS10;
		const struct evidence_kind *k = sw ? &evidence_nvswitch : &evidence_nvgpu;
		char report[64], chain[64];
		struct nv_set set = { 0 };
		AUTO_BUF raw = { 0 };
		AUTO_SEEN now, early;

		snprintf(report, sizeof report, "%s.report.hex", reports[i].name);
		snprintf(chain, sizeof chain, "%s.chain.pem", reports[i].name);
		load_both(&raw, report, chain);
		WORKS(nv_set_parse(&set, buf_view(&raw), &e));
		if (set.n) {
			EQ(set.v[0].arch, reports[i].arch);
			STR(set.v[0].driver, reports[i].driver);
			STR(set.v[0].vbios, reports[i].vbios);
			STR(set.v[0].driver_rim, reports[i].driver_rim);
			STR(set.v[0].vbios_rim, reports[i].vbios_rim);
		}
		nv_set_free(&set);
		judge(&now, k, buf_view(&raw), INSIDE, NULL);
		is(&now, sw ? "nvswitch.chain" : "nvgpu.chain", "pass", "");
		is(&now, sw ? "nvswitch.arch" : "nvgpu.arch", "pass", "");
		is(&now, sw ? "nvswitch.signature" : "nvgpu.signature", "pass", "");
		is(&now, sw ? "nvswitch.fwid" : "nvgpu.fwid", reports[i].fwid, "");
		judge(&early, k, buf_view(&raw), EARLY, NULL);
		is(&early, sw ? "nvswitch.chain" : "nvgpu.chain", "fail", "not yet valid");
		OK(!early.accepted);
	}
}

/* NVIDIA's service names this very device: the serial number of its certificate. */
TEST(nv_vectors_ueid_is_that_of_nras)
{
	AUTO_BUF raw = { 0 }, text = { 0 };
	AUTO_JSON *nras = NULL;
	AUTO_SEEN s;
	static const char *const same[] = { "ueid", "hwmodel", "eat_nonce", "x-nvidia-gpu-driver-version", "x-nvidia-gpu-vbios-version",
					    "x-nvidia-gpu-arch-check", "x-nvidia-gpu-attestation-report-signature-verified",
					    "x-nvidia-gpu-attestation-report-cert-chain-fwid-match", "x-nvidia-gpu-attestation-report-parsed" };

	NEED_VECTORS;
	load_both(&raw, "hopper-550.90.07.report.hex", "hopper-550.90.07.chain.pem");
	load_vec(&text, "nvidia/nras/hopper_v3_decoded.json");
	WORKS(json_parse(&nras, buf_view(&text), 1 << 20, &e));
	judge(&s, &evidence_nvgpu, buf_view(&raw), INSIDE, NULL);
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		const struct json *theirs = json_get(json_get(nras, "GPU-0"), same[i]), *ours = json_get(json_get(s.claims, "GPU-0"), same[i]);

		if (!json_holds(theirs, ours))
			test_fail(__FILE__, __LINE__, "claim '%s' differs from NVIDIA's", same[i]);
	}
}

TEST(nv_vectors_bad_signature)
{
	NEED_VECTORS;
	for (size_t i = 0; i < N_REPORTS; i++) {
		char chain[64];
		AUTO_BUF raw = { 0 };
		AUTO_SEEN s;

		snprintf(chain, sizeof chain, "%s.chain.pem", reports[i].name);
		load_both(&raw, "hopper-560.00-badsig.report.hex", chain);
		judge(&s, &evidence_nvgpu, buf_view(&raw), INSIDE, NULL);
		is(&s, "nvgpu.signature", "fail", "");
		OK(!s.accepted);
	}
}

TEST(nv_vectors_chain_of_the_root_alone)
{
	AUTO_BUF raw = { 0 }, old = { 0 }, pem = { 0 };
	struct nv_set set = { 0 };
	struct err e = { 0 };

	NEED_VECTORS;
	load_both(&raw, "hopper-550.90.07.report.hex", "hopper-550.90.07.chain-rootonly.bad.pem");
	EQ(nv_set_parse(&set, buf_view(&raw), &e), -1);
	HAS(e.msg, "holds 1 certificates, wanted 5");
	load_vec(&old, "trustee/nvidia/hopperAttestationReport.txt");
	load_vec(&pem, "trustee/nvidia/hopper_cert_chain_case2.txt");
	buf_puts(&old, "\n");
	buf_slice(&old, buf_view(&pem));
	FAILS(nv_set_parse(&set, buf_view(&old), &e), EC_FORMAT);
}

TEST(nv_vectors_of_trustee)
{
	AUTO_BUF raw = { 0 }, pem = { 0 };
	AUTO_SEEN s;

	NEED_VECTORS;
	load_vec(&raw, "trustee/nvidia/hopperAttestationReport.txt");
	load_vec(&pem, "trustee/nvidia/hopper_cert_chain_case1.txt");
	buf_puts(&raw, "\n");
	buf_slice(&raw, buf_view(&pem));
	judge(&s, &evidence_nvgpu, buf_view(&raw), INSIDE, NULL);
	is(&s, "nvgpu.signature", "pass", "");
	is(&s, "nvgpu.fwid", "pass", "");
}

TEST(nv_vectors_evidence_files)
{
	AUTO_BUF gpus = { 0 }, sw = { 0 };
	AUTO_SEEN a, b, alone;
	struct nv_set set = { 0 };
	size_t held = 0;

	NEED_VECTORS;
	load_vec(&gpus, "nvidia/evidence/multi_gpu_hopper.json");
	load_vec(&sw, "nvidia/evidence/switch_evidence_ls10.json");
	WORKS(nv_set_parse(&set, buf_view(&gpus), &e));
	EQ(set.n, 4);
	nv_set_free(&set);
	judge(&a, &evidence_nvgpu, buf_view(&gpus), INSIDE, NULL);
	for (const struct json *c = json_first(a.list); c; c = json_next(c))
		held += !strcmp(json_string(json_get(c, "id")), "nvgpu.signature") && !strcmp(json_string(json_get(c, "result")), "pass");
	EQ(held, 4);
	is(&a, "nvset.unique", "pass", "4 devices");
	is(&a, "nvset.nonce", "pass", "");
	is(&a, "nvset.mode", "pass", "ppcie");
	is(&a, "nvset.topology", "fail", "4 GPUs and 0 switches");
	OK(!a.accepted);
	judge(&b, &evidence_nvswitch, buf_view(&sw), INSIDE, NULL);
	is(&b, "nvswitch.signature", "pass", "");
	judge(&alone, &evidence_nvswitch, buf_view(&sw), INSIDE, NULL);
	is(&alone, "nvset.topology", "warn", "none is here");
}

/* --- manifests ------------------------------------------------------------------------------------------------------------ */

/* The only triple in which everything is there: the switch. */
TEST(nv_vectors_switch_matches_its_manifest)
{
	AUTO_COLLATERAL given = { 0 };
	AUTO_BUF raw = { 0 };
	AUTO_SEEN now, late;

	NEED_VECTORS;
	load_both(&raw, "ls10-96.10.55.00.01.report.hex", "ls10-96.10.55.00.01.chain.pem");
	add_rim(&given, "NV_SWITCH_BIOS_5612_0002_890_9610550001.xml");
	judge(&now, &evidence_nvswitch, buf_view(&raw), INSIDE, &given);
	is(&now, "nvswitch.rim.bios", "pass", "31 reference values of LS10 96.10.55.00.01");
	is(&now, "nvswitch.rim.bios.dates", "pass", "");
	is(&now, "nvswitch.measurements", "pass", "31 of 31 are");
	STR(json_string(json_path(now.claims, "/SWITCH-0/measres")), "success");
	OK(now.accepted);
	judge(&late, &evidence_nvswitch, buf_view(&raw), LATE, &given);
	is(&late, "nvswitch.rim.bios", "pass", "");
	is(&late, "nvswitch.rim.bios.dates", "fail", "has expired");
	OK(!late.accepted);
}

static void vbios_of_535(struct seen *ret, const char *rim, const char *another)
{
	AUTO_COLLATERAL given = { 0 };
	AUTO_BUF raw = { 0 };

	load_both(&raw, "hopper-535.86.09.report.hex", "hopper-535.86.09.chain.pem");
	add_rim(&given, rim);
	if (another)
		add_rim(&given, another);
	judge(ret, &evidence_nvgpu, buf_view(&raw), IN_2024, &given);
	is(ret, "nvgpu.rim.vbios", "pass", "reference values of GH100 96.00.5E.00.01");
	is(ret, "nvgpu.rim.driver", "warn", "no RIM for this driver at hand");
}

static void mismatches(const struct seen *s, const char *wanted)
{
	const struct json *list = json_path(s->claims, "/GPU-0/x-nvidia-mismatch-measurement-records");
	AUTO_BUF got = { 0 };

	for (const struct json *m = json_first(list); m; m = json_next(m)) {
		uint64_t i = 0;

		OK(json_u64(json_get(m, "index"), &i));
		buf_printf(&got, "%s%d", got.n ? " " : "", (int)i);
	}
	STR(buf_cstr(&got), wanted);
}

TEST(nv_vectors_vbios_of_the_first_driver)
{
	static const char prod[] = "1010_0200_882_96005E0001_PROD.swidtag", bad[] = "NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml";
	AUTO_SEEN good, nine, four, both;

	NEED_VECTORS;
	vbios_of_535(&good, prod, NULL);
	is(&good, "nvgpu.measurements", "warn", "12 compared and as they should be; driver without reference values");
	mismatches(&good, "");
	vbios_of_535(&nine, bad, NULL);
	is(&nine, "nvgpu.measurements", "fail", "index 9: ");
	HAS(said(&nine, "nvgpu.measurements", "expected"), bad);
	mismatches(&nine, "9");
	vbios_of_535(&four, "1010_0200_882_96005E0001_test_no_gpu.swidtag", NULL);
	mismatches(&four, "1 2 3 9");
	vbios_of_535(&both, bad, prod);
	is(&both, "nvgpu.measurements", "warn", "12 compared");
}

TEST(nv_vectors_driver_manifest_that_is_bad_twice)
{
	AUTO_COLLATERAL given = { 0 };
	AUTO_BUF raw = { 0 };
	AUTO_SEEN s;

	NEED_VECTORS;
	load_both(&raw, "hopper-570.124.03.report.hex", "hopper-570.124.03.chain.pem");
	add_rim(&given, "NV_GPU_DRIVER_GH100_570.124.03_expired.bad.xml");
	judge(&s, &evidence_nvgpu, buf_view(&raw), INSIDE, &given);
	is(&s, "nvgpu.chain", "pass", "");
	is(&s, "nvgpu.signature", "pass", "");
	is(&s, "nvgpu.rim.driver", "fail", "digest");
	OK(!s.accepted);
}

/* --- what peers read in the same bytes --------------------------------------------------------------------------------------- */

static void load_hex(struct buf *ret, const char *name)
{
	AUTO_BUF text = { 0 };

	load_vec(&text, name);
	WORKS(hex_decode(ret, slice_trim(buf_view(&text)), &e));
}

static void same_hex(const char *theirs, struct slice ours)
{
	AUTO_BUF hex = { 0 };

	buf_puts(&hex, "0x");
	buf_hex(&hex, ours);
	STR(theirs, buf_cstr(&hex));
}

static void as_the_sdk(const char *report, const char *parsed, size_t blocks)
{
	AUTO_BUF raw = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL;
	struct spdm_report r = { 0 };

	load_hex(&raw, report);
	load_vec(&text, parsed);
	WORKS(json_parse(&j, buf_view(&text), 4 << 20, &e));
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	EQ(r.n_blocks, blocks);
	same_hex(json_string(json_get(j, "Nonce")), r.responder_nonce);
	same_hex(json_string(json_get(j, "Signature")), r.signature);
	for (size_t i = 0; i < blocks; i++) {
		char at[96];

		snprintf(at, sizeof at, "/MeasurementRecord/MeasurementBlocks/%zu/DMTFSpecMeasurementValue", i + 1);
		same_hex(json_string(json_path(j, at)), r.block[i].value);
	}
}

TEST(nv_vectors_reports_as_the_sdk_reads_them)
{
	AUTO_BUF raw = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL;
	struct spdm_report r = { 0 };

	NEED_VECTORS;
	as_the_sdk("nvidia/reports/hopper-580.159.03.report.hex", "nvidia/reports/sdk-parsed-gpu-response.json", 64);
	as_the_sdk("nvidia/reports/ls10-96.10.55.00.01.report.hex", "nvidia/reports/sdk-parsed-switch-response.json", 31);
	load_hex(&raw, "nvidia/reports/hopper-580.159.03.report.hex");
	load_vec(&text, "nvidia/reports/sdk-parsed-gpu-request.json");
	WORKS(json_parse(&j, buf_view(&text), 1 << 20, &e));
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	same_hex(json_string(json_get(j, "Nonce")), r.nonce);
}

/* Eight identities, then ports: as the SDK cuts it. */
TEST(nv_vectors_switch_neighbours_as_the_sdk_reads_them)
{
	AUTO_BUF raw = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL;
	struct spdm_report r = { 0 };
	struct opaque o = { 0 };
	const struct opaque_entry *x;
	const struct json *pdis;

	NEED_VECTORS;
	load_hex(&raw, "nvidia/reports/ls10-96.10.55.00.01.report.hex");
	load_vec(&text, "nvidia/reports/sdk-parsed-switch-response.json");
	WORKS(json_parse(&j, buf_view(&text), 4 << 20, &e));
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	WORKS(opaque_parse(&o, r.opaque, &e));
	pdis = json_path(j, "/OpaqueData/OpaqueDataField/OPAQUE_FIELD_ID_SWITCH_GPU_PDIS");
	EQ(json_count(pdis), 8);
	x = opaque_find(&o, OPAQUE_SWITCH_GPU_PDIS);
	OK(x && x->data.n == 128);
	for (size_t i = 0; x && i < 8; i++)
		same_hex(json_string(json_at(pdis, i)), slice_of(x->data.p + 8 * i, 8));
}

TEST(nv_vectors_measurements_as_trustee_reads_them)
{
	AUTO_BUF raw = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL;
	struct spdm_report r = { 0 };

	NEED_VECTORS;
	load_hex(&raw, "nvidia/reports/hopper-550.90.07.report.hex");
	load_vec(&text, "nvidia/reports/hopper-550.90.07.trustee-claims.json");
	WORKS(json_parse(&j, buf_view(&text), 1 << 20, &e));
	WORKS(spdm_parse(&r, buf_view(&raw), &e));
	EQ(json_count(json_get(j, "measurements")), 64);
	for (const struct json *m = json_first(json_get(j, "measurements")); m; m = json_next(m)) {
		uint64_t i = 0;
		AUTO_BUF hex = { 0 };

		WORKS(parse_u64(&i, json_name(m), 64, &e));
		buf_hex(&hex, i ? r.block[i - 1].value : (struct slice){ 0 });
		STR(json_string(m), buf_cstr(&hex));
	}
	STR(json_string(json_path(j, "/config/driver_version")), "550.90.07");
}

TEST(nv_vectors_versioned_opaque_data)
{
	AUTO_BUF raw = { 0 };
	struct opaque o = { 0 };

	NEED_VECTORS;
	load_vec(&raw, "nvidia/opaque/gpu-620.12-nvdaod-2.0.bin");
	WORKS(opaque_parse(&o, buf_view(&raw), &e));
	EQ(o.n, 17);
	OK(o.versioned && o.major == 2);
	OK(slice_eq(opaque_find(&o, OPAQUE_DRIVER)->data, SLICE("620.12\0")));
	EQ(opaque_find(&o, OPAQUE_NVDEC0)->data.p[0], 0xaa);
	EQ(opaque_find(&o, OPAQUE_FSP_SVN)->value_type, 0x87);
}
