/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file: every member, every mistake, and who gets which resource. */

#include "attest/policy_int.h"
#include "test.h"

#define HEX16 "00112233445566778899aabbccddeeff"
#define HEX32 HEX16 HEX16
#define P(members) "{\"schema\":\"cvmbox.policy/1\"" members "}"

static int parse(struct policy **p, const char *text, struct err *e)
{
	return policy_parse(p, slice_str(text), "p.json", e);
}

TEST(policy_default_prints_and_parses_to_itself)
{
	AUTO_BUF text = { 0 };
	AUTO_POLICY *p = NULL;
	const struct limits *a = policy_limits(NULL), *b;

	WORKS(policy_default_text(&text, &e));
	WORKS(policy_parse(&p, buf_view(&text), "default", &e));
	b = policy_limits(p);
	EQ(a->vmpl_max, b->vmpl_max);
	EQ(a->min_report_version, b->min_report_version);
	EQ(a->allow_debug, b->allow_debug);
	EQ(a->allow_migrate, b->allow_migrate);
	EQ(b->kinds.n + b->measurements.n + b->chip_ids.n + b->host_data.n, 0);
	MEM(a->min_tcb, b->min_tcb, sizeof a->min_tcb);
	EQ(policy_rule(p, "snp.policy.debug"), RULE_REQUIRE);
	HAS(buf_cstr(&text), "\"snp.signature\": \"require\"");
	HAS(buf_cstr(&text), "\"nvgpu.rim.driver\": \"require\"");
	EQ(policy_rule(p, "nvgpu.svn"), RULE_DEFAULT);	/* of most manifests, good ones, it asks nothing */
}

TEST(policy_members_are_read)
{
	AUTO_POLICY *p = NULL;
	const struct limits *l;

	WORKS(parse(&p, P(",\"kinds\":[\"snp\",\"sample\"],\"measurements\":[\"ABCD\",\"abcde\"],\"min_tcb\":{\"fmc\":1,\"snp\":255},"
			  "\"vmpl_max\":3,\"min_report_version\":5,\"allow_debug\":true,\"allow_migrate\":false,"
			  "\"checks\":{\"snp.tcb.order\":\"warn\",\"snp.vmpl\":\"ignore\",\"snp.signature\":\"require\"}"), &e));
	l = policy_limits(p);
	EQ(l->kinds.n, 2);
	STR(l->measurements.v[0], "abcd");	/* hex in lower case */
	STR(l->measurements.v[1], "abcde");
	EQ(l->min_tcb[TCB_REPORTED][TCB_ANY][TCB_FMC], 1);
	EQ(l->min_tcb[TCB_REPORTED][TCB_ANY][TCB_BOOTLOADER], -1);
	EQ(l->min_tcb[TCB_REPORTED][TCB_ANY][TCB_SNP], 255);
	EQ(l->vmpl_max, 3);
	OK(l->allow_debug && !l->allow_migrate);
	STR(l->source, "p.json");
	EQ(policy_rule(p, "snp.tcb.order"), RULE_WARN);
	EQ(policy_rule(p, "snp.vmpl"), RULE_IGNORE);
	EQ(policy_rule(p, "snp.policy.debug"), RULE_DEFAULT);
	EQ(policy_rule(p, "snp.signature"), RULE_REQUIRE);
}

TEST(policy_members_of_every_form_are_read)
{
	AUTO_POLICY *p = NULL;
	const struct limits *l;

	WORKS(parse(&p, P(",\"min_tcb\":{\"snp\":8,\"Turin\":{\"fmc\":1}},\"min_launch_tcb\":{\"Milan\":{\"microcode\":9}},\"min_abi\":\"1.55\","
			  "\"platform\":{\"smt\":false,\"alias_check\":true},\"guest_policy\":{\"single_socket\":true},\"mitigations\":\"0x0103\","
			  "\"tcb_status\":[\"UpToDate\",\"SWHardeningNeeded\"],\"advisories\":[\"INTEL-SA-00615\"],\"min_tcb_evaluation\":17,"
			  "\"fmspc\":[\"90C06F000000\"],\"td_attributes\":{\"sept_ve_disable\":true,\"perfmon\":false},\"secure_boot\":true,"
			  "\"kernel_cmdlines\":[\"ABCD\"],\"pcrs\":{\"23\":[\"" HEX32 "\"]},\"max_collateral_age\":86400"), &e));
	l = policy_limits(p);
	EQ(l->min_tcb[TCB_REPORTED][TCB_ANY][TCB_SNP], 8);
	EQ(l->min_tcb[TCB_REPORTED][TCB_TURIN][TCB_FMC], 1);
	EQ(l->min_tcb[TCB_REPORTED][TCB_TURIN][TCB_SNP], -1);
	EQ(l->min_tcb[TCB_LAUNCH][TCB_MILAN][TCB_MICROCODE], 9);
	EQ(l->min_tcb[TCB_LAUNCH][TCB_ANY][TCB_MICROCODE], -1);
	EQ(l->min_abi, 0x137);
	EQ(l->platform.set, 1 << 5);
	EQ(l->platform.clear, 1);
	EQ(l->guest_policy.set, 1 << 20);
	EQ(l->mitigations, 0x103);
	EQ(l->tcb_status.n, 2);
	OK(l->has_advisories);
	EQ(l->min_evaluation, 17);
	STR(l->fmspc.v[0], "90c06f000000");
	EQ(l->td_attributes.set, 1 << 28);
	EQ(l->td_attributes.clear >> 63, 1);
	OK(l->want_secure_boot);
	STR(l->kernel_cmdlines.v[0], "ABCD");	/* text, not hex */
	EQ(l->pcr[23].n, 1);
	EQ(l->max_collateral_age, 86400);
}

TEST(policy_mistakes_are_errors)
{
	static const char *const texts[] = {
		"", "[]", "{}", "{\"schema\":\"cvmbox.policy/2\"}", P(",\"allow_debgu\":true"), P(",\"allow_debug\":1"),
		P(",\"allow_debug\":\"true\""), P(",\"measurements\":[]"), P(",\"measurements\":\"abcde\""), P(",\"measurements\":[1]"),
		P(",\"measurements\":[\"\"]"), P(",\"kinds\":[\"sgx\"]"), P(",\"kinds\":[]"), P(",\"host_data\":[\"00\"]"),
		P(",\"chip_ids\":[\"zz\"]"), P(",\"min_tcb\":[]"), P(",\"min_tcb\":{\"snpp\":1}"), P(",\"min_tcb\":{\"snp\":256}"),
		P(",\"min_tcb\":{\"snp\":-1}"), P(",\"vmpl_max\":4"), P(",\"vmpl_max\":null"), P(",\"min_report_version\":1"),
		P(",\"checks\":[]"), P(",\"checks\":{\"snp.sginature\":\"require\"}"), P(",\"checks\":{\"snp.vmpl\":\"off\"}"),
		P(",\"checks\":{\"snp.vmpl\":true}"),
		/* what everything stands on */
		P(",\"checks\":{\"snp.signature\":\"ignore\"}"), P(",\"checks\":{\"snp.chain\":\"warn\"}"), P(",\"checks\":{\"snp.vek\":\"ignore\"}"),
		P(",\"checks\":{\"snp.report_data\":\"ignore\"}"), P(",\"checks\":{\"snp.tcb.certificate\":\"warn\"}"),
		P(",\"checks\":{\"sample.report_data\":\"warn\"}"), P(",\"checks\":{\"sample.allowed\":\"ignore\"}"),
		P(",\"checks\":{\"evidence.kind\":\"ignore\"}"),
		P(",\"min_tcb\":{\"Rome\":{\"snp\":1}}"), P(",\"min_tcb\":{\"Milan\":8}"), P(",\"min_tcb\":{\"Milan\":{\"Milan\":{}}}"),
		P(",\"min_abi\":\"1\""), P(",\"min_abi\":1.55"), P(",\"min_abi\":\"1.256\""), P(",\"platform\":{\"smtt\":true}"),
		P(",\"platform\":{\"smt\":1}"), P(",\"platform\":[]"), P(",\"mitigations\":\"3\""), P(",\"mitigations\":\"0x3\""),
		P(",\"mitigations\":\"0x112233445566778899\""), P(",\"mitigations\":-1"), P(",\"tcb_status\":[\"Revoked\"]"),
		P(",\"tcb_status\":[\"uptodate\"]"), P(",\"tcb_status\":[]"), P(",\"rtmrs\":{\"4\":[\"" HEX32 HEX16 "\"]}"),
		P(",\"rtmrs\":{\"0\":[\"" HEX32 "\"]}"), P(",\"rtmrs\":[\"" HEX32 HEX16 "\"]"), P(",\"pcrs\":{\"24\":[\"" HEX32 "\"]}"),
		P(",\"pcrs\":{\"x\":[\"" HEX32 "\"]}"), P(",\"pcrs\":{\"1\":[\"" HEX32 "\"],\"01\":[\"" HEX32 "\"]}"), P(",\"fmspc\":[\"00\"]"),
		P(",\"max_collateral_age\":0"), P(",\"secure_boot\":\"yes\""), P(",\"min_guest_svn\":4294967296"),
		P(",\"resources\":{}"), P(",\"resources\":[1]"), P(",\"resources\":[{}]"), P(",\"resources\":[{\"path\":\"/a/b/c\"}]"),
		P(",\"resources\":[{\"path\":\"a/*/c\"}]"), P(",\"resources\":[{\"path\":\"a/b/c\",\"measurement\":[\"x\"]}]"),
		P(",\"resources\":[{\"path\":\"a/b/c\",\"measurements\":[]}]"), P(",\"resources\":[{\"path\":\"\"}]"), P("") "x",
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		AUTO_POLICY *p = NULL;
		struct err e = { 0 };

		if (parse(&p, texts[i], &e) != -1 || e.code != EC_FORMAT)
			test_fail(__FILE__, __LINE__, "'%s' gives %d", texts[i], e.code);
		OK(p == NULL);
	}
}

TEST(policy_base64_measurement_is_named_with_its_hex)
{
	AUTO_POLICY *p = NULL;
	struct err e = { 0 };

	EQ(parse(&p, P(",\"measurements\":[\"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur\"]"), &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.hint, "abababab");
}

static int may(const char *policy, const char *path, const char *kind, const char *claims, struct err *e)
{
	AUTO_POLICY *p = NULL;
	AUTO_JSON *c = NULL;

	if (policy)
		WORKS(parse(&p, policy, &e));
	WORKS(json_parse(&c, slice_str(claims), 4096, &e));
	return policy_resource(p, path, kind, c, e);
}

TEST(policy_resources_go_to_whom_a_rule_names)
{
	static const char rules[] = P(",\"resources\":[{\"path\":\"default/key/*\",\"measurements\":[\"abcd\",\"abcde\"]},"
				      "{\"path\":\"open/x/y\"},{\"path\":\"snp/x/y\",\"kinds\":[\"snp\"]}]");

	WORKS(may(NULL, "a/b/c", "snp", "{}", &e));
	WORKS(may(P(""), "a/b/c", "snp", "{}", &e));
	WORKS(may(rules, "default/key/1", "snp", "{\"measurement\":\"abcd\"}", &e));
	WORKS(may(rules, "default/key/1", "sample", "{\"launch_digest\":\"abcde\"}", &e));
	FAILS(may(rules, "default/key/1", "snp", "{\"measurement\":\"00\"}", &e), EC_DENIED);
	FAILS(may(rules, "default/key/1", "snp", "{\"measurement\":1}", &e), EC_DENIED);
	FAILS(may(rules, "default/key/1", "snp", "{}", &e), EC_DENIED);
	FAILS(may(rules, "default/keys/1", "snp", "{\"measurement\":\"abcd\"}", &e), EC_DENIED);
	WORKS(may(rules, "open/x/y", "snp", "{}", &e));
	FAILS(may(rules, "open/x/yz", "snp", "{}", &e), EC_DENIED);
	WORKS(may(rules, "snp/x/y", "snp", "{}", &e));
	FAILS(may(rules, "snp/x/y", "sample", "{}", &e), EC_DENIED);
	FAILS(may(rules, "snp/x/y", NULL, "{}", &e), EC_DENIED);
	FAILS(may(P(",\"resources\":[]"), "open/x/y", "snp", "{}", &e), EC_DENIED);
}

TEST(policy_members_for_gpus)
{
	AUTO_POLICY *p = NULL;
	const struct limits *l;

	WORKS(parse(&p, P(",\"gpu_count\":8,\"gpu_modes\":[\"spt\",\"ppcie\"],\"gpu_ueids\":[\"490457405999\"],\"gpu_drivers\":[\"550.90.07\"],"
			  "\"min_gpu_driver\":\"550.90\",\"min_gpu_vbios\":\"96.00.cf.00.01\",\"gpu_accepted_mismatches\":[9,36,63],"
			  "\"gpu_measurements\":{\"9\":[\"" HEX16 HEX32 "\"]},\"gpu_tolerate\":[\"driver-rim.expired\"],\"gpu_ocsp\":\"live\","
			  "\"gpu_claims\":{\"measres\":\"success\"},\"nras_claims\":{\"overall\":{\"x\":1}}"), &e));
	l = policy_limits(p);
	EQ(l->gpu_count, 8);
	STR(l->gpu_modes.v[1], "ppcie");
	STR(l->gpu_ueids.v[0], "490457405999");
	STR(l->min_gpu_driver, "550.90");
	STR(l->min_gpu_vbios, "96.00.cf.00.01");
	EQ(l->gpu_mismatch, UINT64_C(1) << 9 | UINT64_C(1) << 36 | UINT64_C(1) << 63);
	EQ(l->gpu_measurements[9].n, 1);
	EQ(l->gpu_ocsp, OCSP_LIVE);
	STR(json_string(json_get(l->gpu_claims, "measres")), "success");
	OK(json_path(l->nras_claims, "/overall/x") && !l->switch_claims);
	EQ(policy_limits(NULL)->gpu_ocsp, OCSP_CACHED);
}

TEST(policy_mistakes_about_gpus_are_errors)
{
	static const struct { const char *text, *says; } bad[] = {
		{ P(",\"gpu_count\":0"), "from 1 to" },
		{ P(",\"gpu_modes\":[\"on\"]"), "'on' is not one of spt, mpt, ppcie" },
		{ P(",\"gpu_modes\":[]"), "gpu_modes" },
		{ P(",\"gpu_ueids\":[\"0xab\"]"), "decimal" },
		{ P(",\"min_gpu_driver\":\"550.\""), "wanted a version" },
		{ P(",\"min_gpu_driver\":\"550..1\""), "wanted a version" },
		{ P(",\"min_gpu_driver\":\"R550\""), "wanted a version" },
		{ P(",\"min_gpu_driver\":\"\""), "wanted a version" },
		{ P(",\"min_gpu_vbios\":\"96.00.XY\""), "wanted a version" },
		{ P(",\"gpu_accepted_mismatches\":[64]"), "from 0 to 63" },
		{ P(",\"gpu_accepted_mismatches\":[]"), "list of indexes" },
		{ P(",\"gpu_measurements\":{\"64\":[\"" HEX16 HEX32 "\"]}"), "index" },
		{ P(",\"gpu_measurements\":{\"1\":[\"" HEX32 "\"]}"), "48 bytes" },
		{ P(",\"gpu_tolerate\":[\"device.revoked\"]"), "not one of" },
		{ P(",\"gpu_ocsp\":\"off\""), "not one of none, cached, live" },
		{ P(",\"gpu_claims\":{}"), "empty" },
		{ P(",\"gpu_claims\":[1]"), "object" },
		{ "{\"version\":\"4.0\",\"authorization-rules\":{\"type\":\"JWT\"}}", "detached" },
		{ "{\"version\":\"4.0\",\"authorization-rules\":{\"type\":\"EAT\",\"detached-claims\":{\"a\":1}}}", "JWT" },
		{ "{\"version\":\"4.0\",\"authorization-rules\":{\"type\":\"JWT\",\"detached-claims\":{\"a\":1},\"x\":1}}", "unknown member" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_POLICY *p = NULL;
		struct err e = { 0 };

		EQ(parse(&p, bad[i].text, &e), -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, bad[i].says);
	}
}

TEST(policy_of_the_makers_sdk_is_read)
{
	AUTO_POLICY *p = NULL, *s = NULL;

	WORKS(parse(&p, "{\"version\":\"4.0\",\"authorization-rules\":{\"type\":\"JWT\",\"overall-claims\":{\"x-nvidia-ver\":\"3.0\"},"
		        "\"detached-claims\":{\"measres\":\"success\",\"x-nvidia-gpu-arch-check\":true}}}", &e));
	OK(json_true(json_get(policy_limits(p)->gpu_claims, "x-nvidia-gpu-arch-check")) && !policy_limits(p)->switch_claims);
	STR(json_string(json_path(policy_limits(p)->nras_claims, "/overall/x-nvidia-ver")), "3.0");
	WORKS(parse(&s, "{\"version\":\"4.0\",\"authorization-rules\":{\"type\":\"JWT\",\"detached-claims\":{\"x-nvidia-switch-arch-check\":true}}}", &e));
	OK(policy_limits(s)->switch_claims && !policy_limits(s)->gpu_claims);
}
