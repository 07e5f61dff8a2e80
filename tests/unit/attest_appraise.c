/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting and appraising whole bundles and sample evidence; tokens made of the verdicts. */

#include "attest/appraise.h"
#include "attest/collect.h"
#include "attest/ear.h"
#include "attest/policy.h"
#include "attest/show.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/jose.h"
#include "evidence/bundle.h"
#include "nv_maker.h"
#include "snp_maker.h"
#include "test.h"

static const uint8_t nonce[16] = "a fresh nonce 01";

static void sample_bundle(struct buf *ret, const char *runtime)
{
	struct host h;

	host_init(&h);
	WORKS(host_set_sysroot(&h, tmpdir(), &e));
	h.simulated = false;	/* as the real machine would write it */
	WORKS(collect_bundle(ret, &h, &(const struct collect_opts){ .tee = "sample", .nonce = slice_of(nonce, sizeof nonce),
								     .runtime_data = slice_str(runtime) }, &e));
	host_close(&h);
}

static struct appraise_in in_for(const struct buf *b)
{
	return (struct appraise_in){ .evidence = buf_view(b), .kind = "auto", .now = MAKER_NOW, .has_nonce = true,
				     .nonce = slice_of(nonce, sizeof nonce), .allow_sample = true };
}

static void expect_refused(const struct appraise_in *in, const char *id)
{
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	if (appraise(&v, in, &e))
		test_fail(__FILE__, __LINE__, "%s", e.msg);
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), id);
}

TEST(sample_bundle_is_accepted_only_when_allowed)
{
	AUTO_BUF b = { 0 };
	AUTO_VERDICT v = { 0 };
	struct appraise_in in;

	sample_bundle(&b, "runtime");
	in = in_for(&b);
	WORKS(appraise(&v, &in, &e));
	OK(v.accepted && v.warned);
	STR(v.tee, "sample");
	STR(json_string(json_path(v.claims, "/sample/launch_digest")), "abcde");
	in.allow_sample = false;
	expect_refused(&in, "sample.allowed");
}

TEST(bundle_of_another_nonce_is_refused)
{
	AUTO_BUF b = { 0 };
	struct appraise_in in;

	sample_bundle(&b, "");
	in = in_for(&b);
	in.nonce = SLICE("a fresh nonce 02");
	expect_refused(&in, "bundle.nonce");
	in.has_nonce = false;
	expect_refused(&in, "bundle.nonce");
	in.insecure_no_nonce = true;
	{
		AUTO_VERDICT v = { 0 };

		WORKS(appraise(&v, &in, &e));
		OK(v.accepted && v.warned);
	}
	in = in_for(&b);
	in.insecure_no_nonce = true;		/* a nonce that is given counts all the same */
	in.nonce = SLICE("a fresh nonce 02");
	expect_refused(&in, "bundle.nonce");
}

/* Replays the evidence under a new nonce written into the bundle: the report data gives it away. */
TEST(bundle_with_a_forged_nonce_is_refused)
{
	AUTO_BUF b = { 0 }, forged = { 0 };
	AUTO_BUNDLE p = { 0 };
	struct appraise_in in;

	sample_bundle(&b, "");
	WORKS(bundle_parse(&p, buf_view(&b), &e));
	buf_reset(&p.nonce);
	buf_puts(&p.nonce, "a fresh nonce 02");
	WORKS(bundle_write(&forged, &p, &e));
	in = in_for(&forged);
	in.nonce = SLICE("a fresh nonce 02");
	expect_refused(&in, "sample.report_data");
	in.has_nonce = false;
	in.insecure_no_nonce = true;		/* even without a nonce the parts have to fit each other */
	expect_refused(&in, "sample.report_data");
}

TEST(bundle_with_changed_runtime_data_is_refused)
{
	AUTO_BUF b = { 0 }, forged = { 0 };
	AUTO_BUNDLE p = { 0 };
	struct appraise_in in;

	sample_bundle(&b, "key A");
	WORKS(bundle_parse(&p, buf_view(&b), &e));
	p.runtime_data.p[4] = 'B';
	WORKS(bundle_write(&forged, &p, &e));
	in = in_for(&forged);
	expect_refused(&in, "sample.report_data");
}

TEST(bundle_with_evidence_that_nobody_looks_at_is_not_accepted)
{
	AUTO_BUF b = { 0 }, more = { 0 }, other = { 0 };
	AUTO_BUNDLE p = { 0 };
	AUTO_VERDICT v = { 0 };
	struct appraise_in in;

	sample_bundle(&b, "");
	WORKS(bundle_parse(&p, buf_view(&b), &e));
	snprintf(p.evidence.v[0].kind, sizeof p.evidence.v[0].kind, "csv");
	WORKS(bundle_write(&other, &p, &e));
	in = in_for(&other);
	FAILS(appraise(&v, &in, &e), EC_ABSENT);
	snprintf(p.evidence.v[0].kind, sizeof p.evidence.v[0].kind, "sample");
	WORKS(bundle_add(&p.evidence, "nvgpu", "", "", SLICE("gpu"), &e));
	WORKS(bundle_write(&more, &p, &e));
	in = in_for(&more);
	FAILS(appraise(&v, &in, &e), EC_FORMAT);
	in = in_for(&b);
	in.kind = "snp";
	FAILS(appraise(&v, &in, &e), EC_REFUSED);
	in.kind = "csv";
	in.evidence = SLICE("x");
	FAILS(appraise(&v, &in, &e), EC_ABSENT);
	OK(!v.accepted);
}

TEST(policy_that_wants_another_measurement_refuses_sample)
{
	AUTO_BUF b = { 0 };
	AUTO_POLICY *p = NULL;
	AUTO_POLICY *q = NULL;
	AUTO_VERDICT v = { 0 };
	struct appraise_in in;

	sample_bundle(&b, "");
	WORKS(policy_parse(&p, SLICE("{\"schema\":\"cvmbox.policy/1\",\"measurements\":[\"other\"]}"), "p", &e));
	WORKS(policy_parse(&q, SLICE("{\"schema\":\"cvmbox.policy/1\",\"measurements\":[\"other\",\"abcde\"]}"), "q", &e));
	in = in_for(&b);
	in.policy = p;
	expect_refused(&in, "sample.measurement: wanted other, is abcde");
	in.policy = q;
	WORKS(appraise(&v, &in, &e));
	OK(v.accepted);
}

/* A kind without registers has no log at all: a check of logs that is required by name does not hold there. */
TEST(policy_that_requires_a_log_refuses_kinds_without)
{
	AUTO_BUF b = { 0 };
	AUTO_POLICY *p = NULL;
	AUTO_POLICY *q = NULL;
	AUTO_VERDICT v = { 0 };
	struct appraise_in in;

	sample_bundle(&b, "");
	WORKS(policy_parse(&p, SLICE("{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"eventlog.replay\":\"require\"}}"), "p", &e));
	WORKS(policy_parse(&q, SLICE("{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"eventlog.order\":\"warn\"}}"), "q", &e));
	in = in_for(&b);
	in.policy = p;
	expect_refused(&in, "evidence.log: wanted an event log");
	in.policy = q;
	WORKS(appraise(&v, &in, &e));
	OK(v.accepted);
}

/* As the broker asks: Trustee's JSON against the digest of the runtime data. */
TEST(rcar_evidence_is_bound_to_the_digest)
{
	uint8_t digest[48];
	AUTO_JSON *j = NULL;
	AUTO_BUF text = { 0 };
	AUTO_VERDICT v = { 0 };
	struct host h;
	struct appraise_in in;

	memset(digest, 7, sizeof digest);
	host_init(&h);
	WORKS(collect_evidence(&j, &h, "sample", slice_of(digest, sizeof digest), &e));
	WORKS(json_write(&text, j, false, &e));
	in = (struct appraise_in){ .evidence = buf_view(&text), .kind = "sample", .report_data = slice_of(digest, 48), .allow_sample = true };
	WORKS(appraise(&v, &in, &e));
	OK(v.accepted);
	digest[47] ^= 1;
	expect_refused(&in, "sample.report_data");
	digest[47] ^= 1;
	in.report_data.n = 47;			/* sample is compared as it is, without padding */
	expect_refused(&in, "sample.report_data");
	in.report_data = (struct slice){ 0 };
	expect_refused(&in, "sample.report_data");
	in.has_nonce = true;
	in.nonce = in.report_data = slice_of(digest, 48);
	FAILS(appraise(&v, &in, &e), EC_USAGE);
}

TEST(snp_rcar_evidence_with_its_certificate)
{
	uint8_t raw[SNP_REPORT_SIZE], digest[48];
	AUTO_EVIDENCE ev = { 0 };
	AUTO_BUF der = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_VERDICT v = { 0 };
	struct appraise_in in;

	memset(digest, 9, sizeof digest);
	report_make(raw, &(const struct report_make){ .report_data = digest, .n = sizeof digest });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	buf_put(&ev.raw, raw, sizeof raw);
	table_make(&ev.certs, buf_view(&der));
	WORKS(evidence_snp.to_trustee(&j, &ev, &e));
	WORKS(json_write(&text, j, false, &e));
	in = (struct appraise_in){ .evidence = buf_view(&text), .kind = "snp", .report_data = slice_of(digest, 48), .now = MAKER_NOW,
				   .snp_roots = maker_roots() };
	WORKS(appraise(&v, &in, &e));
	OK(v.accepted);
	digest[0] ^= 1;
	expect_refused(&in, "snp.report_data");
}

TEST(collect_never_picks_sample_by_itself)
{
	struct host h;
	const char *tee = NULL;
	AUTO_JSON *j = NULL;

	host_init(&h);
	WORKS(host_set_sysroot(&h, tmpdir(), &e));
	FAILS(collect_pick(&tee, &h, NULL, &e), EC_ABSENT);
	FAILS(collect_pick(&tee, &h, "auto", &e), EC_ABSENT);
	FAILS(collect_evidence(&j, &h, "auto", SLICE("x"), &e), EC_ABSENT);
	FAILS(collect_pick(&tee, &h, "nvswitch", &e), EC_USAGE);
	OK(tee == NULL);
	WORKS(collect_pick(&tee, &h, "sample", &e));
	STR(tee, "sample");
	host_close(&h);
}

TEST(evidence_of_nothing_known_is_malformed)
{
	AUTO_VERDICT v = { 0 };

	FAILS(appraise(&v, &(const struct appraise_in){ .evidence = SLICE("") }, &e), EC_FORMAT);
	FAILS(appraise(&v, &(const struct appraise_in){ .evidence = SLICE("{}") }, &e), EC_FORMAT);
	FAILS(appraise(&v, &(const struct appraise_in){ .evidence = SLICE("hello") }, &e), EC_FORMAT);
	FAILS(appraise(&v, &(const struct appraise_in){ .evidence = SLICE("{\"svn\":\"1\",\"report_data\":\"!\"}"), .kind = "sample" }, &e), EC_FORMAT);
	FAILS(appraise(&v, &(const struct appraise_in){ .evidence = SLICE("{\"svn\":\"1\",\"report_data\":\"\",\"x\":1}"), .kind = "sample" }, &e), EC_FORMAT);
	FAILS(appraise(&v, &(const struct appraise_in){ .evidence = SLICE("{\"schema\":\"cvmbox.bundle/1\"}") }, &e), EC_FORMAT);
}

/* --- tokens ---------------------------------------------------------------------------------------------------- */

static void token_for(struct buf *ret, const struct verdict *v, const struct privkey *k)
{
	AUTO_JSON *rt = json_object();

	json_add_str(rt, "nonce", "n");
	WORKS(ear_token(ret, v, &(const struct ear_opts){ .signer = k, .now = MAKER_NOW, .runtime_data_claims = rt,
							   .report_data = SLICE("\1\2") }, &e));
}

static void check_token(const struct buf *t, const struct privkey *k, const char *alg, const char *status)
{
	AUTO_JWS j = { 0 };
	AUTO_PUBKEY pub = { 0 }, in_header = { 0 };
	const char *const evidence = "/submods/cpu0/ear.veraison.annotated-evidence";
	char path[128];

	WORKS(privkey_public(&pub, k, &e));
	WORKS(jws_parse(&j, buf_view(t), &e));
	WORKS(jws_verify(&j, &pub, &e));
	STR(j.alg, alg);
	STR(json_string(json_get(j.header, "typ")), "JWT");
	WORKS(jwk_parse(&in_header, json_get(j.header, "jwk"), &e));
	WORKS(jws_verify(&j, &in_header, &e));
	STR(json_string(json_path(j.payload, "/submods/cpu0/ear.status")), status);
	STR(json_string(json_get(j.payload, "iss")), EAR_ISSUER);
	snprintf(path, sizeof path, "%s/runtime_data_claims/nonce", evidence);
	STR(json_string(json_path(j.payload, path)), "n");
	snprintf(path, sizeof path, "%s/report_data", evidence);
	STR(json_string(json_path(j.payload, path)), "0102");
}

static void devices_asked(const char *policy, enum nv_arch arch, const char *wanted)
{
	const struct nv_make m = { .arch = arch };
	AUTO_POLICY *p = NULL;
	AUTO_VERDICT v = { 0 };
	AUTO_BUF raw = { 0 };
	const char *seen = NULL;

	nv_make_evidence(&raw, &m, 1);
	WORKS(policy_parse(&p, slice_str(policy), "p", &e));
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&raw), .policy = p, .now = NV_MAKER_NOW, .allow_devices = true,
							 .nv_device_root = nv_make_root() }, &e));
	for (const struct json *c = json_first(v.checks); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), "evidence.devices"))
			seen = json_string(json_get(c, "result"));
	STR(seen, wanted);
	OK(!v.accepted);
}

/* A policy about GPUs asks a switch nothing, and the other way round. */
TEST(devices_that_a_policy_speaks_of_have_to_be_there)
{
#define P(members) "{\"schema\":\"cvmbox.policy/1\"," members "}"
	devices_asked(P("\"min_gpu_driver\":\"999\""), NV_LS10, "fail");
	devices_asked(P("\"gpu_modes\":[\"ppcie\"]"), NV_LS10, "fail");
	devices_asked(P("\"gpu_claims\":{\"measres\":\"success\"}"), NV_LS10, "fail");
	devices_asked(P("\"gpu_drivers\":[\"1\"],\"switch_bios\":[\"1\"]"), NV_LS10, "fail");
	devices_asked(P("\"switch_bios\":[\"1\"]"), NV_HOPPER, "fail");
	devices_asked(P("\"gpu_drivers\":[\"1\"],\"switch_bios\":[\"1\"]"), NV_HOPPER, "pass");
	devices_asked(P("\"switch_bios\":[\"1\"]"), NV_LS10, "pass");
	devices_asked(P("\"gpu_ueids\":[\"1\"]"), NV_LS10, "pass");
#undef P
}

/* What warns about all devices together is no better for each. */
TEST(ear_of_devices_heeds_what_is_said_of_all)
{
	AUTO_PRIVKEY k = { 0 };
	AUTO_JWS t = { 0 };
	AUTO_BUF text = { 0 };
	struct verdict v = { .accepted = true, .warned = true, .tee = "nvgpu" };

	WORKS(json_parse(&v.claims, SLICE("{\"nvgpu\":{\"GPU-0\":{\"ueid\":\"1\"}}}"), 4096, &e));
	WORKS(json_parse(&v.checks, SLICE("[{\"id\":\"nvgpu.measurements\",\"object\":\"GPU-0\",\"result\":\"pass\"},"
					  "{\"id\":\"nvset.topology\",\"result\":\"warn\"}]"), 4096, &e));
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	WORKS(ear_token(&text, &v, &(const struct ear_opts){ .signer = &k, .now = 1 }, &e));
	WORKS(jws_parse(&t, buf_view(&text), &e));
	STR(json_string(json_path(t.payload, "/submods/gpu0/ear.status")), "warning");
	verdict_free(&v);
}

TEST(ear_says_what_the_verdict_says)
{
	AUTO_BUF b = { 0 }, t = { 0 }, t384 = { 0 }, tbad = { 0 };
	AUTO_VERDICT v = { 0 }, bad = { 0 };
	AUTO_PRIVKEY p256 = { 0 }, p384 = { 0 }, p521 = { 0 };
	struct appraise_in in;

	WORKS(privkey_generate(&p256, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&p384, KEY_EC_P384, 0, &e));
	sample_bundle(&b, "");
	in = in_for(&b);
	WORKS(appraise(&v, &in, &e));
	token_for(&t, &v, &p256);
	check_token(&t, &p256, "ES256", "warning");		/* sample: hardware is unsafe */
	token_for(&t384, &v, &p384);
	check_token(&t384, &p384, "ES384", "warning");
	in.allow_sample = false;
	WORKS(appraise(&bad, &in, &e));
	token_for(&tbad, &bad, &p256);
	check_token(&tbad, &p256, "ES256", "contraindicated");
	WORKS(privkey_generate(&p521, KEY_EC_P521, 0, &e));
	FAILS(ear_token(&t, &v, &(const struct ear_opts){ .signer = &p521, .now = 1 }, &e), EC_USAGE);
}

/* The maker's reports are those of Milan, whose keys were extracted: affirming only where the policy knows that. */
TEST(ear_of_an_accepted_snp_report_is_affirming)
{
	static const char text[] = "{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"advisory.milan-vcek-seed\":\"ignore\",\"advisory.sb-3019\":\"ignore\","
				   "\"advisory.alias-check-missing\":\"ignore\"}}";
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF der = { 0 }, t = { 0 };
	AUTO_CERTS certs = { 0 };
	AUTO_VERDICT v = { 0 };
	AUTO_PRIVKEY k = { 0 };
	AUTO_JWS j = { 0 };
	AUTO_POLICY *p = NULL;
	AUTO_VERDICT warned = { 0 };
	AUTO_BUF tw = { 0 };

	report_make(raw, &(const struct report_make){ .report_data = nonce, .n = sizeof nonce });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	WORKS(certs_parse(&certs, buf_view(&der), &e));
	WORKS(policy_parse(&p, slice_str(text), "test", &e));
	WORKS(appraise(&warned, &(const struct appraise_in){ .evidence = slice_of(raw, sizeof raw), .given = &(const struct collateral){ .certs = certs },
							     .now = MAKER_NOW, .has_nonce = true, .nonce = slice_of(nonce, sizeof nonce),
							     .snp_roots = maker_roots() }, &e));
	WORKS(appraise(&v, &(const struct appraise_in){ .policy = p, .evidence = slice_of(raw, sizeof raw), .given = &(const struct collateral){ .certs = certs }, .now = MAKER_NOW,
							.has_nonce = true, .nonce = slice_of(nonce, sizeof nonce),
							.snp_roots = maker_roots() }, &e));
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	token_for(&tw, &warned, &k);
	check_token(&tw, &k, "ES256", "warning");
	token_for(&t, &v, &k);
	check_token(&t, &k, "ES256", "affirming");
	WORKS(jws_parse(&j, buf_view(&t), &e));
	WORKS(ear_check(j.payload, MAKER_NOW, false, &e));
	WORKS(ear_check(j.payload, MAKER_NOW + EAR_DURATION + 60, false, &e));
	FAILS(ear_check(j.payload, MAKER_NOW + EAR_DURATION + 61, false, &e), EC_REFUSED);
	FAILS(ear_check(j.payload, MAKER_NOW - 61, false, &e), EC_REFUSED);
}

/* A debug guest is nobody's secret keeper, whatever the policy looks away from. */
TEST(ear_of_a_report_with_a_check_ignored_is_no_more_than_a_warning)
{
	static const char text[] = "{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"snp.policy.debug\":\"ignore\"}}";
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF der = { 0 }, t = { 0 };
	AUTO_CERTS certs = { 0 };
	AUTO_VERDICT v = { 0 };
	AUTO_PRIVKEY k = { 0 };
	AUTO_POLICY *p = NULL;

	report_make(raw, &(const struct report_make){ .report_data = nonce, .n = sizeof nonce, .debug = true });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	WORKS(certs_parse(&certs, buf_view(&der), &e));
	WORKS(policy_parse(&p, slice_str(text), "p.json", &e));
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = slice_of(raw, sizeof raw), .given = &(const struct collateral){ .certs = certs }, .now = MAKER_NOW,
							.has_nonce = true, .nonce = slice_of(nonce, sizeof nonce), .policy = p,
							.snp_roots = maker_roots() }, &e));
	OK(v.accepted && v.warned);
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	token_for(&t, &v, &k);
	check_token(&t, &k, "ES256", "warning");
}

static int check_text(const char *text, bool allow_warning, struct err *e)
{
	AUTO_JSON *j = NULL;

	WORKS(json_parse(&j, slice_str(text), 4096, &e));
	return ear_check(j, 1000, allow_warning, e);
}
#define EAR(exp, status, hw) "{\"exp\":" exp ",\"submods\":{\"cpu0\":{\"ear.status\":\"" status "\",\"ear.trustworthiness-vector\":{\"hardware\":" hw "}}}}"

TEST(ear_check_believes_no_status_better_than_its_vector)
{
	WORKS(check_text(EAR("1000", "affirming", "2"), false, &e));
	WORKS(check_text(EAR("1000", "affirming", "31"), false, &e));
	WORKS(check_text(EAR("1000", "warning", "2"), true, &e));
	FAILS(check_text(EAR("1000", "warning", "2"), false, &e), EC_REFUSED);
	FAILS(check_text(EAR("1000", "affirming", "32"), true, &e), EC_REFUSED);
	FAILS(check_text(EAR("1000", "affirming", "97"), true, &e), EC_REFUSED);
	FAILS(check_text(EAR("1000", "affirming", "-97"), true, &e), EC_REFUSED);
	FAILS(check_text(EAR("1000", "warning", "96"), true, &e), EC_REFUSED);
	FAILS(check_text(EAR("1000", "contraindicated", "97"), true, &e), EC_REFUSED);
	FAILS(check_text(EAR("1000", "none", "0"), true, &e), EC_REFUSED);
	FAILS(check_text(EAR("1000", "fine", "0"), true, &e), EC_FORMAT);
	FAILS(check_text(EAR("1000", "affirming", "\"2\""), true, &e), EC_FORMAT);
	FAILS(check_text(EAR("1000", "affirming", "1000"), true, &e), EC_FORMAT);
	FAILS(check_text(EAR("939", "affirming", "2"), true, &e), EC_REFUSED);
	FAILS(check_text("{\"submods\":{\"cpu0\":{\"ear.status\":\"affirming\",\"ear.trustworthiness-vector\":{\"hardware\":2}}}}", true, &e), EC_REFUSED);
	FAILS(check_text("{\"exp\":2000,\"submods\":{}}", true, &e), EC_REFUSED);
	FAILS(check_text("{\"exp\":2000}", true, &e), EC_REFUSED);
	FAILS(check_text("[]", true, &e), EC_FORMAT);
	FAILS(check_text("{\"exp\":2000,\"nbf\":1061,\"submods\":{\"c\":{\"ear.status\":\"affirming\",\"ear.trustworthiness-vector\":{}}}}", true, &e), EC_REFUSED);
}

TEST(vectors_ear_tokens)
{
	static const struct { const char *name; bool ok; } want[] = {
		{ "good", true }, { "contraindicated", false }, { "cpu-affirming-gpu-contraindicated", false }
	};
	AUTO_BUF b = { 0 };
	AUTO_JSON *all = NULL;
	AUTO_PUBKEY k = { 0 };
	size_t seen = 0;

	NEED_VECTORS;
	load_vec(&b, "trustee/constructed/ear-tokens.json");
	WORKS(json_parse(&all, buf_view(&b), 1 << 20, &e));
	WORKS(jwk_parse(&k, json_get(all, "signer_public_jwk"), &e));
	for (const struct json *c = json_first(json_get(all, "cases")); c; c = json_next(c)) {
		const char *name = json_string(json_get(c, "name"));
		bool ok = false;
		AUTO_JWS j = { 0 };
		struct err e = { 0 };

		if (!jws_parse(&j, slice_str(json_string(json_get(c, "token"))), &e) && !jws_verify(&j, &k, &e))
			ok = !ear_check(j.payload, 1795000000, false, &e);
		for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
			if (!strcmp(name, want[i].name)) {
				EQ(ok, want[i].ok);
				seen++;
			}
		if (strcmp(name, "good") && ok)
			test_fail(__FILE__, __LINE__, "token '%s' was taken", name);
	}
	EQ(seen, 3);
}

/* --- show ----------------------------------------------------------------------------------------------------------- */

TEST(show_decodes_what_it_knows)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF der = { 0 }, b = { 0 };
	AUTO_JSON *report = json_object();
	AUTO_JSON *cert = json_object();
	AUTO_JSON *bundle = json_object();
	AUTO_JSON *none = json_object();

	report_make(raw, &(const struct report_make){ .product = SNP_TURIN, .version = 5 });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	WORKS(show(report, slice_of(raw, sizeof raw), &e));
	STR(json_string(json_get(report, "product")), "Turin");
	STR(json_string(json_get(report, "chip_id")), "0203040506070809");
	WORKS(show(cert, buf_view(&der), &e));
	STR(json_string(json_get(cert, "hardware_id")), "0203040506070809");
	sample_bundle(&b, "");
	WORKS(show(bundle, buf_view(&b), &e));
	STR(json_string(json_path(bundle, "/evidence/0/kind")), "sample");
	FAILS(show(none, SLICE("what is this"), &e), EC_FORMAT);
	FAILS(show(none, SLICE("{\"a\":1}"), &e), EC_FORMAT);
	FAILS(show(none, (struct slice){ 0 }, &e), EC_FORMAT);
}

TEST(ear_numbers_are_said_in_words)
{
	AUTO_JSON *j = NULL, *to = json_object();
	const struct json *cpu;

	WORKS(json_parse(&j, SLICE("{\"submods\":{\"cpu0\":{\"ear.trustworthiness-vector\":{\"hardware\":97,\"executables\":3,\"file-system\":0,"
				   "\"configuration\":77,\"sourced-data\":\"x\"}}}}"), 4096, &e));
	ear_explain(to, j);
	cpu = json_get(to, "cpu0");
	STR(json_string(json_get(cpu, "hardware")), "97, contraindicated: not recognised");
	STR(json_string(json_get(cpu, "executables")), "3, affirming: approved at boot");
	STR(json_string(json_get(cpu, "file-system")), "0, none: no claim is made");
	STR(json_string(json_get(cpu, "configuration")), "77, warning: a value of the verifier's own");
	OK(!json_get(cpu, "sourced-data"));
}
