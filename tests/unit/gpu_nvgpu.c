/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds nvgpu and nvswitch as a whole: devices, manifests and certificate status of our own CAs, appraised as `attest verify` does it, and every way
 * in which they are wrong, by the check that says so. */

#include "codec/hex64.h"
#include "nv_maker.h"
#include "rim_maker.h"
#include "test.h"

#define NOW NV_MAKER_NOW
#define HOUR INT64_C(3600)

static const uint8_t nonce[32] = { 0xc0, 0xff, 0xee };
static const uint8_t live_nonce[32] = { 0x0c, 0x59 };

/* --- collateral ------------------------------------------------------------------------------------------------------- */

struct status_make {
	enum ocsp_status status;	/* OCSP_UNKNOWN (0) is asked for by .unknown */
	bool unknown, other_signer;
	int reason;			/* 0: none */
	int64_t age;			/* seconds since thisUpdate; 0: an hour */
	int64_t life;			/* 0: a day */
	bool live;
};

static void add_status(struct collateral *to, const struct cert *c, const struct cert *issuer, const struct privkey *key, const struct status_make *m)
{
	const int64_t at = NOW - (m->age ? m->age : HOUR);
	const struct ocsp_make_entry entry = {
		.cert = c, .issuer = issuer, .status = m->unknown ? OCSP_UNKNOWN : m->status ? m->status : OCSP_GOOD,
		.reason = m->reason ? m->reason : -1, .revoked_at = at, .this_update = at, .next_update = at + (m->life ? m->life : 24 * HOUR)
	};
	AUTO_BUF der = { 0 };

	WORKS(ocsp_make(&der, &(const struct ocsp_make){ .v = &entry, .n = 1, .signer = m->other_signer ? c : issuer, .signer_key = key,
							 .with_cert = m->other_signer, .produced_at = at,
							 .nonce = m->live ? slice_of(live_nonce, 32) : (struct slice){ 0 } }, &e));
	WORKS(collateral_add(to, buf_view(&der), "status", "", &e));
}

/* About certificate 1..3 of this device; which -1: all. */
static void device_status(struct collateral *to, const struct nv_make *d, int which, const struct status_make *m)
{
	AUTO_BUF pem = { 0 };
	AUTO_CERTS l = { 0 };

	nv_make_chain(&pem, d);
	WORKS(nvchain_parse(&l, buf_view(&pem), &e));
	for (int i = 1; i <= 3 && l.n == 5; i++)
		if (which < 0 || which == i)
			add_status(to, &l.v[i], &l.v[i + 1], nv_make_key(d, (size_t)i + (m->other_signer ? 0 : 1)), m);
}

/* m is about the signer, its CAs are good. */
static void rim_status(struct collateral *to, struct slice xml, const struct status_make *m)
{
	const struct status_make good = { .live = m->live };
	AUTO_RIM r = { 0 };

	WORKS(rim_parse(&r, xml, &e));
	for (size_t i = 0; i < 3 && i + 1 < r.sig.certs.n; i++)
		add_status(to, &r.sig.certs.v[i], &r.sig.certs.v[i + 1], rim_maker_ca_key(), i ? &good : m);
}

enum { DRIVER_RIM, VBIOS_RIM };
struct manifest_make {
	int wrong;			/* this index + 1 wants another value; 0: none */
	int second;			/* this index + 1 has the right value as its second one */
	int also;			/* this index + 1 is demanded, too */
	int without;
	enum rim_fault fault;
	const char *version;
	const struct rim_make_svn *svn;
	size_t n_svn;
	bool no_status;
	struct status_make status;
};

static bool in_set(enum nv_arch a, int which, size_t i)
{
	if (a == NV_LS10)
		return i <= 30;
	if (which == DRIVER_RIM)
		return i == 7 || (i >= 21 && i <= 40);
	return i <= 6 || (i >= 8 && i <= 12);
}

static size_t fill_golden(struct rim_make_golden *v, uint8_t (*hash)[2][48], const struct nv_make *d, int which, const struct manifest_make *m)
{
	const enum nv_arch a = d->arch ? d->arch : NV_HOPPER;
	size_t n = 0;

	for (size_t i = 0; i < 64; i++) {
		const bool second = m->second == (int)i + 1;

		if ((!in_set(a, which, i) && m->also != (int)i + 1) || m->without == (int)i + 1)
			continue;
		nv_make_measurement(hash[i][second], a, i);
		if (second)
			memset(hash[i][0], 0x77, 48);
		if (m->wrong == (int)i + 1)
			hash[i][0][5] ^= 1;
		v[n++] = (struct rim_make_golden){ .index = (unsigned)i, .hash = (const uint8_t (*)[48])hash[i], .n = second ? 2 : 1 };
	}
	return n;
}

static void add_manifest(struct collateral *to, const struct nv_make *d, int which, const struct manifest_make *m)
{
	static const char *const products[] = { "GH100", "GH100", "GB100", "LS10" };
	const char *product = products[d->arch];
	struct rim_make_golden v[64];
	uint8_t hash[64][2][48];
	AUTO_BUF xml = { 0 };

	rim_make(&xml, &(const struct rim_make){
		.name = product, .product = product, .edition = d->arch == NV_LS10 ? "SWITCH" : "GPU",
		.version = m->version ? m->version : which == DRIVER_RIM ? nv_make_driver(d) : nv_make_vbios(d),
		.golden = v, .n_golden = fill_golden(v, hash, d, which, m), .svn = m->svn, .n_svn = m->n_svn, .fault = m->fault });
	WORKS(collateral_add(to, buf_view(&xml), which == DRIVER_RIM ? "driver.xml" : "bios.xml", "", &e));
	if (!m->no_status)
		rim_status(to, buf_view(&xml), &m->status);
}

/* --- one appraisal ------------------------------------------------------------------------------------------------------- */

struct run {
	struct collateral given;
	struct limits limits;
	struct expect x;
	const char *ignored, *warned;	/* checks */
	struct json *list, *claims;
	bool accepted, malformed;
	struct err e;
	struct buf reason;
};
#define AUTO_RUN __attribute__((cleanup(run_free))) struct run

static void run_free(struct run *r)
{
	collateral_free(&r->given);
	limits_free(&r->limits);
	json_free(r->list);
	json_free(r->claims);
	buf_free(&r->reason);
}

static void run_init(struct run *r)
{
	*r = (struct run){ 0 };
	limits_init(&r->limits);
	r->x = (struct expect){ .now = NOW, .report_data = slice_of(nonce, sizeof nonce), .nv_device_root = nv_make_root(), .nv_rim_root = rim_maker_root() };
}

/* All that a device needs. */
static void run_with(struct run *r, const struct nv_make *d, const struct manifest_make *driver, const struct manifest_make *vbios)
{
	static const struct manifest_make good;

	device_status(&r->given, d, -1, &(const struct status_make){ 0 });
	if (d->arch != NV_LS10)
		add_manifest(&r->given, d, DRIVER_RIM, driver ? driver : &good);
	add_manifest(&r->given, d, VBIOS_RIM, vbios ? vbios : &good);
}

static enum rule rule_for(const void *arg, const char *id)
{
	const struct run *r = arg;

	return r->ignored && !strcmp(r->ignored, id) ? RULE_IGNORE : r->warned && !strcmp(r->warned, id) ? RULE_WARN : RULE_DEFAULT;
}

static void appraise_as(struct run *r, const struct evidence_kind *k, struct slice raw)
{
	struct stages st = { 0 };
	struct tally t = { 0 };
	void *parsed = NULL;
	bool all = true;

	json_free(r->list);
	json_free(r->claims);
	buf_free(&r->reason);
	t.list = r->list = json_array();
	r->claims = json_object();
	r->accepted = false;
	r->e = (struct err){ 0 };
	r->x.limits = &r->limits;
	r->x.given = &r->given;
	r->malformed = k->parse(&parsed, raw, (struct slice){ 0 }, &r->e) != 0;
	if (r->malformed)
		return;
	WORKS(k->stages(&st, parsed, &r->x, &e));
	for (size_t i = 0; i < st.n; i++) {
		t.object = st.v[i].object;
		all &= checks_run(&t, st.v[i].checks, st.v[i].n_checks, st.v[i].subject, &st.v[i].x, rule_for, r);
	}
	r->accepted = all && st.n;
	r->reason = t.reason;
	WORKS(k->claims(r->claims, parsed, &e));
	k->drop(parsed);
}

static void judge(struct run *r, const struct nv_make *v, size_t n)
{
	AUTO_BUF raw = { 0 };

	nv_make_evidence(&raw, v, n);
	appraise_as(r, v[0].arch == NV_LS10 ? &evidence_nvswitch : &evidence_nvgpu, buf_view(&raw));
}

static const struct json *finding(const struct run *r, const char *object, const char *id)
{
	for (const struct json *c = json_first(r->list); c; c = json_next(c)) {
		const char *o = json_string(json_get(c, "object"));

		if (!strcmp(json_string(json_get(c, "id")), id) && (!object || (o && !strcmp(o, object))))
			return c;
	}
	return NULL;
}

static const char *member(const struct run *r, const char *object, const char *id, const char *name)
{
	const char *s = json_string(json_get(finding(r, object, id), name));

	return s ? s : "";
}

static const char *result(const struct run *r, const char *id)
{
	return member(r, NULL, id, "result");
}

static const struct json *claim(const struct run *r, const char *object, const char *name)
{
	return json_get(json_get(r->claims, object), name);
}

static bool overall(const struct run *r)
{
	return json_true(json_get(r->claims, "x-nvidia-overall-att-result"));
}

/* Refused, first of all by this check, whose text (actual) has this in it. */
static void refused(const struct run *r, const char *id, const char *says)
{
	const char *object = NULL;

	for (const struct json *c = json_first(r->list); c && !object; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id) && !strcmp(json_string(json_get(c, "result")), "fail"))
			object = json_string(json_get(c, "object")) ? json_string(json_get(c, "object")) : "";
	OK(!r->accepted && !r->malformed);
	OK(!overall(r));
	HAS(buf_cstr(&r->reason), id);
	if (!object)
		test_fail(__FILE__, __LINE__, "%s did not fail: %s", id, buf_cstr(&r->reason));
	HAS(member(r, object && *object ? object : NULL, id, "actual"), says);
}

static void accepted(const struct run *r)
{
	if (!r->accepted)
		test_fail(__FILE__, __LINE__, "refused: %s %s", r->e.msg, buf_cstr(&r->reason));
}

/* --- accepted ---------------------------------------------------------------------------------------------------------------- */

static void whole(const struct nv_make *d, const char *label)
{
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, d, NULL, NULL);
	judge(&r, d, 1);
	accepted(&r);
	OK(overall(&r));
	STR(json_string(claim(&r, label, "measres")), "success");
	OK(json_true(claim(&r, label, "secboot")));
	STR(json_string(json_get(json_get(r.claims, "ocsp"), "class")), "cached");
}

TEST(nvgpu_hopper_is_accepted)
{
	whole(&(const struct nv_make){ .nonce = nonce }, "GPU-0");
	whole(&(const struct nv_make){ .nonce = nonce, .trailing = 3, .has_feature = true }, "GPU-0");
	whole(&(const struct nv_make){ .nonce = nonce, .nvdec0 = 0xaa }, "GPU-0");
}

TEST(nvgpu_blackwell_is_accepted)
{
	whole(&(const struct nv_make){ .nonce = nonce, .arch = NV_BLACKWELL }, "GPU-0");
	whole(&(const struct nv_make){ .nonce = nonce, .arch = NV_BLACKWELL, .versioned = true, .has_feature = true, .mode = NV_MPT, .chip_info = "GB100" },
	      "GPU-0");
}

TEST(nvswitch_alone_is_accepted)
{
	whole(&(const struct nv_make){ .nonce = nonce, .arch = NV_LS10 }, "SWITCH-0");
}

/* 8 GPUs and 4 switches in protected PCIe mode. */
static void machine(struct nv_make v[static 12])
{
	for (unsigned i = 0; i < 12; i++)
		v[i] = (struct nv_make){ .nonce = nonce, .arch = i < 8 ? NV_HOPPER : NV_LS10, .device = i < 8 ? i : i - 8, .mode = NV_PPCIE };
}

static void machine_with(struct run *r, const struct nv_make v[static 12])
{
	run_init(r);
	for (size_t i = 0; i < 12; i++)
		device_status(&r->given, &v[i], 1, &(const struct status_make){ 0 });
	device_status(&r->given, &v[0], 2, &(const struct status_make){ 0 });
	device_status(&r->given, &v[0], 3, &(const struct status_make){ 0 });
	device_status(&r->given, &v[8], 2, &(const struct status_make){ 0 });
	device_status(&r->given, &v[8], 3, &(const struct status_make){ 0 });
	add_manifest(&r->given, &v[0], DRIVER_RIM, &(const struct manifest_make){ 0 });
	add_manifest(&r->given, &v[0], VBIOS_RIM, &(const struct manifest_make){ 0 });
	add_manifest(&r->given, &v[8], VBIOS_RIM, &(const struct manifest_make){ 0 });
}

TEST(nvgpu_whole_machine_in_protected_pcie_mode)
{
	struct nv_make v[12];
	AUTO_RUN r;

	machine(v);
	machine_with(&r, v);
	r.limits.gpu_count = 8;
	judge(&r, v, 12);
	accepted(&r);
	OK(overall(&r));
	STR(result(&r, "nvset.topology"), "pass");
	STR(json_string(claim(&r, "GPU-7", "measres")), "success");
	STR(json_string(claim(&r, "SWITCH-3", "measres")), "success");
	EQ(json_count(claim(&r, "GPU-0", "x-nvidia-gpu-switch-pdis")), 4);
	EQ(json_count(claim(&r, "SWITCH-0", "x-nvidia-switch-gpu-pdis")), 8);
}

/* --- the set ------------------------------------------------------------------------------------------------------------------ */

TEST(nvset_topology_faults)
{
	static const unsigned wrong_switches[] = { 0, 1, 2, 5 }, three[] = { 0, 1, 2 }, wrong_gpus[] = { 0, 1, 2, 3, 4, 5, 6, 9 }, seven[] = { 0, 1, 2, 3, 4, 5, 6 };
	struct nv_make v[12];
	AUTO_RUN r;

	machine(v);
	machine_with(&r, v);
	judge(&r, v, 11);
	refused(&r, "nvset.topology", "8 GPUs and 3 switches");
	judge(&r, v, 8);
	refused(&r, "nvset.topology", "8 GPUs and 0 switches");
	judge(&r, v, 1);
	refused(&r, "nvset.topology", "1 GPUs and 0 switches");
	judge(&r, v + 1, 11);
	refused(&r, "nvset.topology", "7 GPUs and 4 switches");
	v[3].peers = wrong_switches;
	v[3].n_peers = 4;
	judge(&r, v, 12);
	refused(&r, "nvset.topology", "GPU-3 lists other switches");
	v[3].peers = three;
	v[3].n_peers = 3;
	judge(&r, v, 12);
	refused(&r, "nvset.topology", "GPU-3 does not list 4 switches");
	machine(v);
	v[10].peers = wrong_gpus;
	v[10].n_peers = 8;
	judge(&r, v, 12);
	refused(&r, "nvset.topology", "SWITCH-2 lists other GPUs");
	v[10].peers = seven;
	v[10].n_peers = 7;
	judge(&r, v, 12);
	refused(&r, "nvset.topology", "SWITCH-2 does not list 8 GPUs");
}

TEST(nvset_modes_are_not_mixed)
{
	struct nv_make v[12];
	AUTO_RUN r;

	machine(v);
	machine_with(&r, v);
	v[5].mode = NV_SPT;
	judge(&r, v, 12);
	refused(&r, "nvset.mode", "GPU-0 is in mode 'ppcie', GPU-5 in 'spt'");
	for (size_t i = 0; i < 8; i++)
		v[i].mode = NV_SPT;
	judge(&r, v, 12);
	refused(&r, "nvset.topology", "none is in protected PCIe mode");
}

TEST(nvset_devices_count_once)
{
	const struct nv_make v[2] = { { .nonce = nonce }, { .nonce = nonce, .trailing = 1 } };
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, v, NULL, NULL);
	judge(&r, v, 2);
	refused(&r, "nvset.unique", "GPU-0 and GPU-1 have the same serial number");
}

TEST(nvset_captures_are_not_mixed)
{
	const uint8_t another[32] = { 1 };
	const struct nv_make v[2] = { { .nonce = nonce }, { .nonce = another, .device = 1 } };
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, v, NULL, NULL);
	device_status(&r.given, &v[1], -1, &(const struct status_make){ 0 });
	judge(&r, v, 2);
	refused(&r, "nvgpu.nonce", "0100");
	STR(result(&r, "nvset.nonce"), "fail");
	HAS(member(&r, NULL, "nvset.nonce", "actual"), "GPU-1 has another nonce than GPU-0");
}

TEST(nvset_counts)
{
	const struct nv_make v[2] = { { .nonce = nonce }, { .nonce = nonce, .device = 1 } };
	struct nv_make many[9];
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, v, NULL, NULL);
	device_status(&r.given, &v[1], -1, &(const struct status_make){ 0 });
	r.limits.gpu_count = 2;
	judge(&r, v, 2);
	accepted(&r);
	judge(&r, v, 1);
	refused(&r, "nvset.count", "1");
	for (unsigned i = 0; i < 9; i++) {
		many[i] = (struct nv_make){ .nonce = nonce, .device = i, .mode = NV_PPCIE };
		if (i > 1)
			device_status(&r.given, &many[i], 1, &(const struct status_make){ 0 });
	}
	r.limits.gpu_count = 0;
	judge(&r, many, 9);
	refused(&r, "nvset.topology", "9 GPUs");
}

/* --- base checks -------------------------------------------------------------------------------------------------------------------- */

static void one_fault(const struct nv_make *d, const char *id, const char *says)
{
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, d, NULL, NULL);
	judge(&r, d, 1);
	refused(&r, id, says);
	r.ignored = id;		/* no policy helps against a base check; others are the policy's own choice */
	judge(&r, d, 1);
	if (strcmp(id, "nvgpu.fwid") && strcmp(id, "nvgpu.mode"))
		OK(!r.accepted);
}

TEST(nvgpu_base_checks)
{
	const uint8_t other[32] = { 9 };

	one_fault(&(const struct nv_make){ .nonce = nonce, .other_root = true }, "nvgpu.chain", "not in NVIDIA's device root");
	one_fault(&(const struct nv_make){ .nonce = nonce, .expired = true }, "nvgpu.chain", "has expired");
	one_fault(&(const struct nv_make){ .nonce = nonce, .early = true }, "nvgpu.chain", "not yet valid");
	one_fault(&(const struct nv_make){ .nonce = nonce, .device_no_ca = true }, "nvgpu.chain", "is not a CA");
	one_fault(&(const struct nv_make){ .nonce = nonce, .hwmodel = "GB100 A01 GSP BROM" }, "nvgpu.arch", "certificate of 'GB100");
	one_fault(&(const struct nv_make){ .nonce = nonce, .arch_word = 0x1a0 }, "nvgpu.arch", "report is of BLACKWELL");
	one_fault(&(const struct nv_make){ .nonce = nonce, .arch_word = 0x190 }, "nvgpu.arch", "report is of unknown");
	one_fault(&(const struct nv_make){ .nonce = nonce, .blocks = 63 }, "nvgpu.arch", "63 measurements");
	one_fault(&(const struct nv_make){ .nonce = nonce, .other_key = true }, "nvgpu.signature", "");
	one_fault(&(const struct nv_make){ .nonce = other }, "nvgpu.nonce", "0900");
	one_fault(&(const struct nv_make){ .nonce = nonce, .other_fwid = true }, "nvgpu.fwid", "");
	one_fault(&(const struct nv_make){ .nonce = nonce, .no_fwid = true }, "nvgpu.fwid", "no firmware digest");
	one_fault(&(const struct nv_make){ .nonce = nonce, .arch = NV_BLACKWELL, .fwid_last = true }, "nvgpu.fwid", "");
	one_fault(&(const struct nv_make){ .nonce = nonce, .zero_fwid = true }, "nvgpu.fwid", "all zero");
	one_fault(&(const struct nv_make){ .nonce = nonce, .mode = NV_PPCIE, .feature = 1 }, "nvgpu.mode", "status says on");
	one_fault(&(const struct nv_make){ .nonce = nonce, .ppcie = 0x12 }, "nvgpu.mode", "status is 18");
	one_fault(&(const struct nv_make){ .nonce = nonce, .has_feature = true, .feature = 3 }, "nvgpu.mode", "flag is 3");
}

/* Drivers before 550 give no FWID: that is said, and no fault. */
TEST(nvgpu_old_driver_has_no_fwid)
{
	const struct nv_make d = { .nonce = nonce, .driver = "535.86.09", .no_fwid = true };
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &d, NULL, NULL);
	judge(&r, &d, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.fwid"), "skip");
	OK(!claim(&r, "GPU-0", "x-nvidia-gpu-attestation-report-cert-chain-fwid-match"));
}

TEST(nvgpu_nonce_is_wanted)
{
	const struct nv_make d = { .nonce = nonce };
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &d, NULL, NULL);
	r.x.report_data = (struct slice){ 0 };
	judge(&r, &d, 1);
	refused(&r, "nvgpu.nonce", "c0ffee");
	r.x.no_freshness = true;
	judge(&r, &d, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.nonce"), "warn");
	OK(!overall(&r) && !json_true(claim(&r, "GPU-0", "x-nvidia-gpu-attestation-report-nonce-match")));
	r.x.report_data = slice_of(nonce, 2);		/* zero padded on the right */
	judge(&r, &d, 1);
	OK(!r.accepted);
}

TEST(nvgpu_nonce_rule)
{
	const uint8_t long_one[64] = { [0] = 1, [31] = 2, [32] = 3 };
	uint8_t got[32];

	nv_nonce_of(got, slice_of(long_one, 64));
	MEM(got, long_one, 32);
	nv_nonce_of(got, slice_of("\x07", 1));
	OK(got[0] == 7 && got[1] == 0 && got[31] == 0);
	nv_nonce_of(got, (struct slice){ 0 });
	EQ(got[0], 0);
}

/* --- manifests ---------------------------------------------------------------------------------------------------------------------------- */

static const struct nv_make hopper = { .nonce = nonce };

static void with_driver(struct run *r, const struct manifest_make *m)
{
	run_init(r);
	run_with(r, &hopper, m, NULL);
	judge(r, &hopper, 1);
}

static void driver_fault(const struct manifest_make *m, const char *id, const char *says)
{
	AUTO_RUN r;

	with_driver(&r, m);
	refused(&r, id, says);
}

TEST(nvgpu_manifest_faults)
{
	driver_fault(&(const struct manifest_make){ .fault = RIM_WRONG_DIGEST }, "nvgpu.rim.driver", "digest");
	driver_fault(&(const struct manifest_make){ .fault = RIM_WRONG_SIGNATURE }, "nvgpu.rim.driver", "signature");
	driver_fault(&(const struct manifest_make){ .fault = RIM_OTHER_ROOT, .no_status = true }, "nvgpu.rim.driver", "pinned root");
	driver_fault(&(const struct manifest_make){ .fault = RIM_SIGNER_EXPIRED }, "nvgpu.rim.driver.dates", "has expired");
	driver_fault(&(const struct manifest_make){ .fault = RIM_SIGNER_FUTURE }, "nvgpu.rim.driver.dates", "not yet valid");
	driver_fault(&(const struct manifest_make){ .version = "999.1" }, "nvgpu.rim.driver", "no RIM for this driver at hand: id NV_GPU_DRIVER_GH100_580.95.05");
	driver_fault(&(const struct manifest_make){ .wrong = 22 }, "nvgpu.measurements", "index 21");
	driver_fault(&(const struct manifest_make){ .also = 10 }, "nvgpu.conflict", "index 9");
}

TEST(nvgpu_bad_manifest_beside_a_good_one_does_no_harm)
{
	static const enum rim_fault faults[] = { RIM_WRONG_DIGEST, RIM_WRONG_SIGNATURE, RIM_OTHER_ROOT, RIM_SIGNER_EXPIRED };

	for (size_t i = 0; i < 4; i++)
		for (int first = 0; first < 2; first++) {
			const struct manifest_make bad = { .fault = faults[i], .no_status = true };
			AUTO_RUN r;

			run_init(&r);
			if (first)
				add_manifest(&r.given, &hopper, DRIVER_RIM, &bad);
			run_with(&r, &hopper, NULL, NULL);
			if (!first)
				add_manifest(&r.given, &hopper, DRIVER_RIM, &bad);
			judge(&r, &hopper, 1);
			accepted(&r);
		}
}

TEST(nvgpu_expired_manifest_is_tolerated_by_name_only)
{
	const struct manifest_make m = { .fault = RIM_SIGNER_EXPIRED };
	AUTO_RUN r;
	AUTO_STR *name = str_dup("driver-rim.expired", NULL), *other = str_dup("vbios-rim.expired", NULL);

	with_driver(&r, &m);
	refused(&r, "nvgpu.rim.driver.dates", "has expired");
	r.limits.gpu_tolerate = (struct texts){ &other, 1 };
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.rim.driver.dates", "has expired");
	r.limits.gpu_tolerate = (struct texts){ &name, 1 };
	judge(&r, &hopper, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.rim.driver.dates"), "warn");
	STR(json_string(json_get(claim(&r, "GPU-0", "x-nvidia-gpu-driver-rim-cert-chain"), "x-nvidia-cert-status")), "expired");
	r.limits.gpu_tolerate = (struct texts){ 0 };
}

TEST(nvgpu_missing_manifest_is_no_signature_failure)
{
	AUTO_RUN r;

	run_init(&r);
	device_status(&r.given, &hopper, -1, &(const struct status_make){ 0 });
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.rim.driver", "no RIM for this driver at hand");
	HAS(member(&r, NULL, "nvgpu.rim.vbios", "actual"), "id NV_GPU_VBIOS_G520_0200_882_96009F0001");
	HAS(member(&r, NULL, "nvgpu.rim.driver", "hint"), "attest collateral");
	STR(result(&r, "nvgpu.measurements"), "fail");
	STR(json_string(claim(&r, "GPU-0", "measres")), "not-run");
	r.x.no_collateral = true;
	judge(&r, &hopper, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.measurements"), "warn");
	STR(json_string(claim(&r, "GPU-0", "measres")), "not-run");
	OK(!overall(&r) && !claim(&r, "GPU-0", "dbgstat"));
}

/* The waiver is for what is not there, not for what is bad. */
TEST(nvgpu_waiver_does_not_cover_bad_manifests)
{
	AUTO_RUN r;

	run_init(&r);
	r.x.no_collateral = true;
	add_manifest(&r.given, &hopper, DRIVER_RIM, &(const struct manifest_make){ .fault = RIM_WRONG_SIGNATURE, .no_status = true });
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.rim.driver", "signature");
}

/* --- measurements ---------------------------------------------------------------------------------------------------------------------------- */

TEST(nvgpu_alternatives_are_accepted)
{
	AUTO_RUN r;

	with_driver(&r, &(const struct manifest_make){ .second = 30 });
	accepted(&r);
}

TEST(nvgpu_nvdec0_off_skips_index_35)
{
	struct nv_make on = hopper, odd = hopper;
	AUTO_RUN r;

	with_driver(&r, &(const struct manifest_make){ .wrong = 36 });
	accepted(&r);
	on.nvdec0 = 0xaa;
	judge(&r, &on, 1);
	refused(&r, "nvgpu.measurements", "index 35");
	odd.nvdec0 = 0x01;
	judge(&r, &odd, 1);
	refused(&r, "nvgpu.measurements", "another value");
}

TEST(nvgpu_mismatch_says_what_to_do)
{
	const struct nv_make d = { .nonce = nonce, .changed = 10 };
	AUTO_RUN r;
	const struct json *record;

	run_init(&r);
	run_with(&r, &d, NULL, NULL);
	judge(&r, &d, 1);
	refused(&r, "nvgpu.measurements", "index 9: ");
	HAS(member(&r, NULL, "nvgpu.measurements", "expected"), "(VBIOS manifest bios.xml)");
	HAS(member(&r, NULL, "nvgpu.measurements", "hint"), "devtools");
	STR(json_string(claim(&r, "GPU-0", "measres")), "fail");
	OK(!json_true(claim(&r, "GPU-0", "secboot")));
	record = json_at(claim(&r, "GPU-0", "x-nvidia-mismatch-measurement-records"), 0);
	STR(json_string(json_get(record, "measurementSource")), "vbios");
	OK(strcmp(json_string(json_get(record, "goldenValue")), json_string(json_get(record, "runtimeValue"))));
	r.limits.gpu_mismatch = UINT64_C(1) << 36;
	judge(&r, &d, 1);
	refused(&r, "nvgpu.measurements", "index 9: ");
	r.limits.gpu_mismatch = UINT64_C(1) << 9;
	judge(&r, &d, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.measurements"), "warn");
	STR(json_string(claim(&r, "GPU-0", "measres")), "fail");
}

static void pin(struct limits *l, size_t i, const uint8_t value[static 48])
{
	AUTO_BUF hex = { 0 };

	buf_hex(&hex, slice_of(value, 48));
	l->gpu_measurements[i].v = calloc(1, sizeof(char *));
	l->gpu_measurements[i].v[0] = str_dup(buf_cstr(&hex), NULL);
	l->gpu_measurements[i].n = 1;
}

TEST(nvgpu_pinned_value_beside_a_manifest)
{
	const struct nv_make d = { .nonce = nonce, .changed = 10 };
	uint8_t value[48];
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &d, NULL, NULL);
	nv_make_measurement(value, NV_HOPPER, 9);
	value[0] ^= 1;
	pin(&r.limits, 9, value);
	judge(&r, &d, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.pinned"), "pass");
	judge(&r, &hopper, 1);		/* the manifest's value is as good */
	accepted(&r);
	pin(&r.limits, 60, value);	/* no manifest speaks of this one */
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.pinned", "index 60");
}

TEST(nvgpu_pinned_values_instead_of_manifests)
{
	uint8_t value[48];
	AUTO_RUN r;

	run_init(&r);
	device_status(&r.given, &hopper, -1, &(const struct status_make){ 0 });
	for (size_t i = 0; i < 64; i++) {
		nv_make_measurement(value, NV_HOPPER, i);
		if (i == 50) {		/* one is not pinned: then nothing vouches for it */
			judge(&r, &hopper, 1);
			refused(&r, "nvgpu.rim.driver", "no RIM");
		}
		pin(&r.limits, i, value);
	}
	judge(&r, &hopper, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.rim.driver"), "warn");
	STR(json_string(claim(&r, "GPU-0", "measres")), "not-run");
	r.limits.gpu_measurements[20].v[0][0] ^= 1;
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.pinned", "index 20");
}

TEST(nvgpu_security_versions)
{
	static const struct rim_make_svn svn = { .opaque_type = 37, .min = 5, .name = "FSP", .publish = true };
	const struct manifest_make with = { .svn = &svn, .n_svn = 1 };
	struct nv_make d = { .nonce = nonce, .versioned = true, .has_svn = true, .svn = 5 };
	AUTO_RUN r;
	uint64_t v = 0;

	run_init(&r);
	run_with(&r, &d, NULL, &with);
	judge(&r, &d, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.svn"), "pass");
	OK(json_u64(json_get(claim(&r, "GPU-0", "x-nvidia-attester-claims"), "FSP"), &v) && v == 5);
	d.svn = 4;
	judge(&r, &d, 1);
	refused(&r, "nvgpu.svn", "FSP 4");
	STR(json_string(claim(&r, "GPU-0", "measres")), "fail");
	OK(json_count(claim(&r, "GPU-0", "x-nvidia-mismatch-opaque-data-records")) == 1);
	d.has_svn = false;
	judge(&r, &d, 1);
	refused(&r, "nvgpu.svn", "FSP is not in the report");
}

TEST(nvgpu_security_version_in_both_manifests)
{
	static const struct rim_make_svn svn = { .opaque_type = 37, .min = 5, .name = "FSP" };
	const struct manifest_make with = { .svn = &svn, .n_svn = 1 };
	const struct nv_make d = { .nonce = nonce, .versioned = true, .has_svn = true, .svn = 5 };
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &d, &with, &with);
	judge(&r, &d, 1);
	refused(&r, "nvgpu.conflict", "security version 'FSP'");
}

/* --- certificate status ------------------------------------------------------------------------------------------------------------------------- */

/* The device's with this about certificate 2, manifests good. */
static void with_status(struct run *r, const struct status_make *m)
{
	run_init(r);
	add_manifest(&r->given, &hopper, DRIVER_RIM, &(const struct manifest_make){ 0 });
	add_manifest(&r->given, &hopper, VBIOS_RIM, &(const struct manifest_make){ 0 });
	device_status(&r->given, &hopper, 1, &(const struct status_make){ 0 });
	device_status(&r->given, &hopper, 3, &(const struct status_make){ 0 });
	if (m)
		device_status(&r->given, &hopper, 2, m);
	judge(r, &hopper, 1);
}

static void status_fault(const struct status_make *m, const char *says, bool waivable)
{
	AUTO_RUN r;

	with_status(&r, m);
	refused(&r, "nvgpu.ocsp", says);
	r.x.no_collateral = true;
	judge(&r, &hopper, 1);
	EQ(r.accepted, waivable);
	OK(!overall(&r));
}

TEST(nvgpu_certificate_status)
{
	status_fault(NULL, "no answer at hand about 1 of 3", true);
	status_fault(&(const struct status_make){ .age = 90000, .life = 600 }, "does not count now", true);
	status_fault(&(const struct status_make){ .age = -7200 }, "does not count now", true);
	status_fault(&(const struct status_make){ .other_signer = true }, "not signed as it should be", true);
	status_fault(&(const struct status_make){ .unknown = true }, "does not know", false);
	status_fault(&(const struct status_make){ .status = OCSP_REVOKED, .reason = 1 }, "revoked (keyCompromise)", false);
	status_fault(&(const struct status_make){ .status = OCSP_REVOKED }, "is revoked", false);
	status_fault(&(const struct status_make){ .status = OCSP_REVOKED, .reason = 6 }, "revoked (certificateHold)", false);
	status_fault(&(const struct status_make){ .status = OCSP_REVOKED, .reason = 1, .age = 90000, .life = 600 }, "revoked (keyCompromise)", false);
}

TEST(nvgpu_worst_status_wins)
{
	AUTO_RUN r;

	with_status(&r, &(const struct status_make){ 0 });
	accepted(&r);
	device_status(&r.given, &hopper, 2, &(const struct status_make){ .status = OCSP_REVOKED, .reason = 1, .age = 7200 });
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.ocsp", "revoked");
	STR(json_string(json_get(claim(&r, "GPU-0", "x-nvidia-gpu-attestation-report-cert-chain"), "x-nvidia-cert-status")), "revoked");
	r.warned = "nvgpu.ocsp";	/* final: no policy softens it */
	judge(&r, &hopper, 1);
	OK(!r.accepted);
}

TEST(nvgpu_hold_and_unknown_are_tolerated_by_name)
{
	AUTO_STR *hold = str_dup("device.hold", NULL), *unknown = str_dup("device.unknown", NULL);
	AUTO_RUN a, b;

	with_status(&a, &(const struct status_make){ .status = OCSP_REVOKED, .reason = 6 });
	a.limits.gpu_tolerate = (struct texts){ &hold, 1 };
	judge(&a, &hopper, 1);
	accepted(&a);
	STR(result(&a, "nvgpu.ocsp"), "warn");
	a.limits.gpu_tolerate = (struct texts){ 0 };
	with_status(&b, &(const struct status_make){ .unknown = true });
	b.limits.gpu_tolerate = (struct texts){ &unknown, 1 };
	judge(&b, &hopper, 1);
	accepted(&b);
	b.limits.gpu_tolerate = (struct texts){ 0 };
}

/* What is tolerated of one certificate excuses neither that nothing is known of another one, nor that it is bad in another way, nor age. */
TEST(nvgpu_tolerance_covers_what_it_names_alone)
{
	AUTO_STR *hold = str_dup("device.hold", NULL);
	AUTO_RUN r, u;

	run_init(&r);
	r.limits.gpu_tolerate = (struct texts){ &hold, 1 };
	add_manifest(&r.given, &hopper, DRIVER_RIM, &(const struct manifest_make){ 0 });
	add_manifest(&r.given, &hopper, VBIOS_RIM, &(const struct manifest_make){ 0 });
	device_status(&r.given, &hopper, 2, &(const struct status_make){ .status = OCSP_REVOKED, .reason = 6 });
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.ocsp", "no answer at hand about 2 of 3");
	device_status(&r.given, &hopper, 1, &(const struct status_make){ 0 });
	device_status(&r.given, &hopper, 3, &(const struct status_make){ 0 });
	judge(&r, &hopper, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.ocsp"), "warn");
	r.limits.gpu_ocsp = OCSP_LIVE;
	r.x.ocsp_nonce = slice_of(live_nonce, 32);
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.ocsp", "cached");
	r.limits.gpu_tolerate = (struct texts){ 0 };

	run_init(&u);
	u.limits.gpu_tolerate = (struct texts){ &hold, 1 };
	add_manifest(&u.given, &hopper, DRIVER_RIM, &(const struct manifest_make){ 0 });
	add_manifest(&u.given, &hopper, VBIOS_RIM, &(const struct manifest_make){ 0 });
	device_status(&u.given, &hopper, 1, &(const struct status_make){ 0 });
	device_status(&u.given, &hopper, 2, &(const struct status_make){ .status = OCSP_REVOKED, .reason = 6 });
	device_status(&u.given, &hopper, 3, &(const struct status_make){ .unknown = true });
	judge(&u, &hopper, 1);
	refused(&u, "nvgpu.ocsp", "does not know");
	u.limits.gpu_tolerate = (struct texts){ 0 };
}

TEST(nvgpu_freshness_classes)
{
	const struct manifest_make live = { .status = { .live = true } };
	AUTO_RUN r, l;

	with_status(&r, &(const struct status_make){ .live = true });
	accepted(&r);
	r.limits.gpu_ocsp = OCSP_LIVE;
	r.x.ocsp_nonce = slice_of(live_nonce, 32);
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.ocsp", "good, cached: 3600 s old");
	run_init(&l);
	l.limits.gpu_ocsp = OCSP_LIVE;
	l.x.ocsp_nonce = slice_of(live_nonce, 32);
	device_status(&l.given, &hopper, -1, &(const struct status_make){ .live = true });
	add_manifest(&l.given, &hopper, DRIVER_RIM, &live);
	add_manifest(&l.given, &hopper, VBIOS_RIM, &live);
	judge(&l, &hopper, 1);
	accepted(&l);
	STR(json_string(json_get(json_get(l.claims, "ocsp"), "class")), "live");
	l.x.ocsp_nonce = slice_of(nonce, 32);
	judge(&l, &hopper, 1);
	refused(&l, "nvgpu.ocsp", "cached");
	l.limits.gpu_ocsp = OCSP_CACHED;
	l.limits.max_collateral_age = 60;
	judge(&l, &hopper, 1);
	refused(&l, "nvgpu.ocsp", "the policy allows 60 s");
}

TEST(nvgpu_policy_may_do_without_status)
{
	AUTO_RUN r;

	run_init(&r);
	r.limits.gpu_ocsp = OCSP_NONE;
	add_manifest(&r.given, &hopper, DRIVER_RIM, &(const struct manifest_make){ .no_status = true });
	add_manifest(&r.given, &hopper, VBIOS_RIM, &(const struct manifest_make){ .no_status = true });
	judge(&r, &hopper, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.ocsp"), "skip");
	OK(!json_get(claim(&r, "GPU-0", "x-nvidia-gpu-attestation-report-cert-chain"), "x-nvidia-cert-ocsp-status"));
	device_status(&r.given, &hopper, 2, &(const struct status_make){ .status = OCSP_REVOKED, .reason = 1 });
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.ocsp", "revoked");
}

TEST(nvgpu_manifest_signer_on_hold)
{
	const struct manifest_make m = { .status = { .status = OCSP_REVOKED, .reason = 6 } };
	AUTO_STR *hold = str_dup("driver-rim.hold", NULL);
	AUTO_RUN r;

	with_driver(&r, &m);
	refused(&r, "nvgpu.rim.driver.ocsp", "certificateHold");
	r.limits.gpu_tolerate = (struct texts){ &hold, 1 };
	judge(&r, &hopper, 1);
	accepted(&r);
	r.limits.gpu_tolerate = (struct texts){ 0 };
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.rim.driver.ocsp", "certificateHold");
	add_manifest(&r.given, &hopper, DRIVER_RIM, &(const struct manifest_make){ 0 });	/* another one, whose signer is good */
	judge(&r, &hopper, 1);
	accepted(&r);
}

/* --- a policy's own wishes ---------------------------------------------------------------------------------------------------------------------- */

static void listed(struct texts *t, char **word, struct run *r, const char *id, const char *good, const char *bad)
{
	*t = (struct texts){ word, 1 };
	*word = str_dup(good, NULL);
	judge(r, &hopper, 1);
	accepted(r);
	STR(result(r, id), "pass");
	free(*word);
	*word = str_dup(bad, NULL);
	judge(r, &hopper, 1);
	refused(r, id, "");
	free(*word);
	*t = (struct texts){ 0 };
}

TEST(nvgpu_policy_lists)
{
	char *word;
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &hopper, NULL, NULL);
	listed(&r.limits.gpu_drivers, &word, &r, "nvgpu.versions", "580.95.05", "580.95.5");
	listed(&r.limits.gpu_vbios, &word, &r, "nvgpu.versions", "96.00.9f.00.01", "96.00.9F.00.02");
	listed(&r.limits.gpu_modes, &word, &r, "nvgpu.mode", "spt", "ppcie");
	judge(&r, &hopper, 1);
	listed(&r.limits.gpu_ueids, &word, &r, "nvgpu.id", json_string(claim(&r, "GPU-0", "ueid")), "1");
	snprintf(r.limits.min_gpu_driver, sizeof r.limits.min_gpu_driver, "580.95.5");
	judge(&r, &hopper, 1);
	accepted(&r);
	snprintf(r.limits.min_gpu_driver, sizeof r.limits.min_gpu_driver, "580.100");
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.versions", "driver 580.95.05");
	r.limits.min_gpu_driver[0] = 0;
	snprintf(r.limits.min_gpu_vbios, sizeof r.limits.min_gpu_vbios, "96.00.A0");
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.versions", "VBIOS 96.00.9F.00.01");
}

TEST(nvgpu_claims_of_a_policy)
{
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &hopper, NULL, NULL);
	WORKS(json_parse(&r.limits.gpu_claims, SLICE("{\"measres\":\"success\",\"x-nvidia-gpu-driver-rim-cert-chain\":{\"x-nvidia-cert-status\":\"valid\","
						     "\"x-nvidia-cert-ocsp-status\":\"good\"}}"), 4096, &e));
	judge(&r, &hopper, 1);
	accepted(&r);
	STR(result(&r, "nvgpu.claims"), "pass");
	json_add_bool(r.limits.gpu_claims, "secboot", false);
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.claims", "true");
	HAS(member(&r, NULL, "nvgpu.claims", "expected"), "'secboot' to be false");
	r.x.no_collateral = true;		/* what was waived is not claimed */
	collateral_free(&r.given);
	json_remove(r.limits.gpu_claims, "secboot");
	judge(&r, &hopper, 1);
	refused(&r, "nvgpu.claims", "not-run");
}

/* --- forms ------------------------------------------------------------------------------------------------------------------------------------ */

static void malformed(struct slice raw, const char *says)
{
	struct nv_set s = { 0 };
	struct err e = { 0 };

	EQ(nv_set_parse(&s, raw, &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, says);
	nv_set_free(&s);
}

TEST(nvgpu_forms)
{
	AUTO_BUF report = { 0 }, chain = { 0 }, bare = { 0 }, hex = { 0 }, json = { 0 };
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &hopper, NULL, NULL);
	nv_make_report(&report, &hopper);
	nv_make_chain(&chain, &hopper);
	buf_slice(&bare, buf_view(&report));
	buf_slice(&bare, buf_view(&chain));
	buf_hex(&hex, buf_view(&report));
	buf_puts(&hex, "\n");
	buf_slice(&hex, buf_view(&chain));
	nv_make_evidence(&json, &hopper, 1);
	OK(evidence_nvgpu.recognise(buf_view(&bare)) && evidence_nvgpu.recognise(buf_view(&hex)) && evidence_nvgpu.recognise(buf_view(&report)));
	OK(!evidence_nvswitch.recognise(buf_view(&bare)));
	appraise_as(&r, &evidence_nvgpu, buf_view(&bare));
	accepted(&r);
	appraise_as(&r, &evidence_nvgpu, buf_view(&hex));
	accepted(&r);
	appraise_as(&r, &evidence_nvgpu, buf_view(&report));
	refused(&r, "nvgpu.chain", "none came along");
	WORKS(collateral_add(&r.given, buf_view(&chain), "chain.pem", "", &e));
	appraise_as(&r, &evidence_nvgpu, buf_view(&report));
	accepted(&r);
	appraise_as(&r, &evidence_nvswitch, buf_view(&json));
	OK(r.malformed && r.e.code == EC_REFUSED);
}

TEST(nvgpu_trustee_form)
{
	AUTO_BUF json = { 0 }, trustee = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &hopper, NULL, NULL);
	nv_make_evidence(&json, &hopper, 1);
	WORKS(nv_to_trustee(&j, buf_view(&json), &e));
	OK(evidence_nvgpu.recognise_json(j) && !evidence_nvswitch.recognise_json(j));
	WORKS(json_write(&trustee, j, false, &e));
	appraise_as(&r, &evidence_nvgpu, buf_view(&trustee));
	accepted(&r);
}

TEST(nvgpu_pieces_are_joined)
{
	struct nv_make v[12];
	struct slice pieces[12];
	struct buf raw[12] = { 0 };
	AUTO_BUF joined = { 0 };
	AUTO_RUN r;

	machine(v);
	machine_with(&r, v);
	for (size_t i = 0; i < 12; i++) {
		nv_make_evidence(&raw[i], &v[i], 1);
		pieces[i] = buf_view(&raw[i]);
	}
	WORKS(nv_join(&joined, pieces, 12, &e));
	appraise_as(&r, &evidence_nvgpu, buf_view(&joined));
	accepted(&r);
	for (size_t i = 0; i < 12; i++)
		buf_free(&raw[i]);
}

TEST(nvgpu_malformed_lists)
{
	AUTO_BUF many = { 0 }, cut = { 0 };

	malformed(SLICE("[]"), "0 devices");
	malformed(SLICE("{\"device_evidence_list\":[]}"), "0 devices");
	malformed(SLICE("{\"a\":1}"), "no evidence of NVIDIA devices");
	malformed(SLICE("{\"__cmwc_t\":\"tag:nvidia.com,2026:x\"}"), "CMW");
	malformed(SLICE("[{\"arch\":\"RUBIN\",\"evidence\":\"\"}]"), "architecture is 'RUBIN'");
	malformed(SLICE("[{\"arch\":\"LS10\"}]"), "SWITCH-0: member 'evidence'");
	malformed(SLICE("[{\"arch\":\"HOPPER\",\"evidence\":\"EeAB\"}]"), "GPU-0: report ends");
	malformed(SLICE("[{\"arch\":\"HOPPER\",\"evidence\":\"!\"}]"), "member 'evidence'");
	malformed((struct slice){ 0 }, "ends inside its 37-byte request");
	buf_puts(&many, "[");
	for (size_t i = 0; i < 33; i++)
		buf_printf(&many, "%s{}", i ? "," : "");
	buf_puts(&many, "]");
	malformed(buf_view(&many), "33 devices");
	nv_make_evidence(&cut, &hopper, 1);
	cut.n -= 5;
	malformed(buf_view(&cut), "");
}

/* --- soundness --------------------------------------------------------------------------------------------------------------------------------- */

static bool signature_held(const struct run *r)
{
	return !strcmp(result(r, "nvgpu.signature"), "pass");
}

TEST(nvgpu_every_byte_of_a_report_counts)
{
	AUTO_BUF report = { 0 }, chain = { 0 };
	AUTO_RUN r;

	run_init(&r);
	nv_make_report(&report, &hopper);
	nv_make_chain(&chain, &hopper);
	WORKS(collateral_add(&r.given, buf_view(&chain), "chain.pem", "", &e));
	for (size_t at = 0; at < report.n; at += at < 200 || at > report.n - 600 ? 1 : 7) {
		AUTO_BUF bad = { 0 };

		buf_slice(&bad, buf_view(&report));
		buf_slice(&bad, buf_view(&chain));
		bad.p[at] ^= 1 << at % 8;
		appraise_as(&r, &evidence_nvgpu, buf_view(&bad));
		if (r.accepted || (!r.malformed && signature_held(&r)))
			test_fail(__FILE__, __LINE__, "byte %zu may be changed", at);
	}
}

TEST(nvgpu_chain_of_another_gpu)
{
	AUTO_BUF raw = { 0 };
	AUTO_RUN r;

	run_init(&r);
	run_with(&r, &hopper, NULL, NULL);
	nv_make_report(&raw, &hopper);
	nv_make_chain(&raw, &(const struct nv_make){ .device = 1 });
	appraise_as(&r, &evidence_nvgpu, buf_view(&raw));
	refused(&r, "nvgpu.signature", "");
}

TEST(nvgpu_claims_without_checks_claim_nothing)
{
	AUTO_BUF raw = { 0 };
	AUTO_JSON *claims = json_object(), *details = json_object();
	void *parsed = NULL;

	nv_make_evidence(&raw, &hopper, 1);
	WORKS(evidence_nvgpu.parse(&parsed, buf_view(&raw), (struct slice){ 0 }, &e));
	WORKS(evidence_nvgpu.claims(claims, parsed, &e));
	OK(!json_true(json_get(claims, "x-nvidia-overall-att-result")));
	OK(!json_get(json_get(claims, "GPU-0"), "ueid"));
	STR(json_string(json_path(claims, "/GPU-0/measres")), "not-run");
	WORKS(evidence_nvgpu.details(details, parsed, &e));
	STR(json_string(json_path(details, "/GPU-0/driver_rim")), "NV_GPU_DRIVER_GH100_580.95.05");
	STR(json_string(json_path(details, "/GPU-0/mode")), "spt");
	evidence_nvgpu.drop(parsed);
}
