/* SPDX-License-Identifier: Apache-2.0 */
/* SNP reports: fields, forms, and each check with its twin that fails. */

#include "attest/appraise.h"
#include "attest/policy.h"
#include "base/cursor.h"
#include "codec/hex64.h"
#include "snp_run.h"
#include "test.h"
#include "tee/snp_vek.h"

TEST(snp_good_reports_of_every_product_are_accepted)
{
	snp_accepted(&(const struct snp_run){ 0 }, false);
	snp_accepted(&(const struct snp_run){ .report.product = SNP_GENOA }, false);
	snp_accepted(&(const struct snp_run){ .report.product = SNP_TURIN, .report.version = 5 }, false);
	snp_accepted(&(const struct snp_run){ .report.version = 2 }, false);
	snp_accepted(&(const struct snp_run){ .report.version = 6 }, true);
	snp_accepted(&(const struct snp_run){ .vek.wrapped_hwid = true }, false);
	snp_accepted(&(const struct snp_run){ .vek.vlek = true }, false);
	snp_accepted(&(const struct snp_run){ .report.masked = true, .vek.no_hwid = true }, true);
}

TEST(snp_certificates_that_do_not_fit_are_refused)
{
	snp_refused(&(const struct snp_run){ .no_vek = true }, "snp.vek");
	snp_refused(&(const struct snp_run){ .vek.by_other_ca = true }, "snp.chain");
	snp_refused(&(const struct snp_run){ .vek.expired = true }, "snp.chain");
	snp_refused(&(const struct snp_run){ .now = MAKER_NOW + 101 * 86400 }, "snp.chain");
	snp_refused(&(const struct snp_run){ .now = MAKER_NOW - 101 * 86400 }, "snp.chain");
	snp_refused(&(const struct snp_run){ .vek.ca = true }, "snp.chain");
	snp_refused(&(const struct snp_run){ .vek.issuer = SNP_GENOA }, "snp.product");
	snp_refused(&(const struct snp_run){ .vek.product_name = "Genoa" }, "snp.product");
	snp_refused(&(const struct snp_run){ .vek.wrong_issuer_kind = true }, "snp.product");
	snp_refused(&(const struct snp_run){ .vek.vlek = true, .vek.wrong_issuer_kind = true }, "snp.product");
	snp_refused(&(const struct snp_run){ .vek.tcb_delta = 1 }, "snp.tcb.certificate");
	snp_refused(&(const struct snp_run){ .vek.tcb_delta = -1 }, "snp.tcb.certificate");
	snp_refused(&(const struct snp_run){ .vek.no_snp_spl = true }, "snp.tcb.certificate");
	snp_refused(&(const struct snp_run){ .vek.other_hwid = true }, "snp.chip_id.certificate");
	snp_refused(&(const struct snp_run){ .vek.no_hwid = true }, "snp.chip_id.certificate");
}

TEST(snp_vcek_does_not_stand_in_for_vlek)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF der = { 0 };
	AUTO_CERTS certs = { 0 };
	AUTO_VERDICT v = { 0 };

	report_make(raw, &(const struct report_make){ .vlek = true });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	WORKS(certs_parse(&certs, buf_view(&der), &e));
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = slice_of(raw, sizeof raw), .given = &(const struct collateral){ .certs = certs }, .now = MAKER_NOW,
							.insecure_no_nonce = true, .snp_roots = maker_roots() }, &e));
	OK(!v.accepted);
	STR(snp_result(&v, "snp.vek"), "fail");
	STR(snp_result(&v, "snp.chain"), "skip");
}

TEST(snp_test_ca_is_refused_by_the_built_in_roots)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF der = { 0 };
	AUTO_CERTS certs = { 0 };
	AUTO_VERDICT v = { 0 };

	report_make(raw, &(const struct report_make){ 0 });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	/* even with the whole test chain given */
	WORKS(certs_parse(&certs, slice_str(maker_roots()->v[0].ark), &e));
	WORKS(certs_parse(&certs, slice_str(maker_roots()->v[0].ask), &e));
	WORKS(certs_parse(&certs, buf_view(&der), &e));
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = slice_of(raw, sizeof raw), .given = &(const struct collateral){ .certs = certs }, .now = MAKER_NOW,
							.insecure_no_nonce = true }, &e));
	OK(!v.accepted);
	STR(snp_result(&v, "snp.chain"), "fail");
}

static void set_bit17_off(uint8_t *raw) { raw[0x0a] &= (uint8_t)~2; }
static void want_rapl_dis(uint8_t *raw) { raw[0x0a] |= 0x80; }
static void with_rapl_dis(uint8_t *raw) { raw[0x0a] |= 0x80; raw[0x40] |= 8; }
static void reserved_set(uint8_t *raw) { raw[0x4d] = 1; }
static void committed_low(uint8_t *raw) { raw[0x1e0 + 6] = 7; }
static void current_high(uint8_t *raw) { raw[0x38 + 7] = 0xce; }
static void no_signature(uint8_t *raw) { raw[0x48] = 7 << 2; }
static void key_of_future(uint8_t *raw) { raw[0x48] = 3 << 2; }
static void algo_two(uint8_t *raw) { raw[0x34] = 2; }
static void unknown_cpu(uint8_t *raw) { raw[0x189] = 0x30; }

TEST(snp_report_contents_that_policy_refuses)
{
	snp_refused(&(const struct snp_run){ .report.debug = true }, "snp.policy.debug");
	snp_accepted(&(const struct snp_run){ .report.debug = true, .policy = "{\"schema\":\"cvmbox.policy/1\",\"allow_debug\":true}" }, true);
	snp_refused(&(const struct snp_run){ .report.migrate = true }, "snp.policy.migrate");
	snp_accepted(&(const struct snp_run){ .report.migrate = true, .policy = "{\"schema\":\"cvmbox.policy/1\",\"allow_migrate\":true}" }, true);
	snp_refused(&(const struct snp_run){ .report.vmpl = 1 }, "snp.vmpl");
	snp_accepted(&(const struct snp_run){ .report.vmpl = 1, .policy = "{\"schema\":\"cvmbox.policy/1\",\"vmpl_max\":1}" }, false);
	snp_refused(&(const struct snp_run){ .report.vmpl = SNP_VMPL_HOST, .policy = "{\"schema\":\"cvmbox.policy/1\",\"vmpl_max\":3}" }, "snp.vmpl");
	snp_refused(&(const struct snp_run){ .report.vmpl = SNP_VMPL_HOST, .policy = POLICY("\"checks\":{\"snp.vmpl\":\"ignore\"}") }, "snp.report_data");
	snp_refused(&(const struct snp_run){ .report.vmpl = SNP_VMPL_HOST, .no_nonce = true, .waive = true,
					     .policy = POLICY("\"checks\":{\"snp.vmpl\":\"warn\"}") }, "snp.report_data");
	snp_refused(&(const struct snp_run){ .change = set_bit17_off }, "snp.policy.consistent");
	snp_refused(&(const struct snp_run){ .change = want_rapl_dis }, "snp.policy.consistent");
	snp_accepted(&(const struct snp_run){ .change = with_rapl_dis }, false);
	snp_accepted(&(const struct snp_run){ .change = reserved_set }, true);
	snp_refused(&(const struct snp_run){ .change = committed_low }, "snp.tcb.order");
	snp_accepted(&(const struct snp_run){ .change = current_high }, false);
	snp_refused(&(const struct snp_run){ .change = no_signature }, "snp.vek");
	snp_refused(&(const struct snp_run){ .change = key_of_future }, "snp.vek");
	snp_refused(&(const struct snp_run){ .change = algo_two }, "snp.signature");
	snp_refused(&(const struct snp_run){ .change = unknown_cpu }, "snp.product");
	snp_refused(&(const struct snp_run){ .report.version = 2, .policy = "{\"schema\":\"cvmbox.policy/1\",\"min_report_version\":3}" }, "snp.version");
}

#define AB48 "abababababababababababababababababababababababababababababababababababababababababababababababab"
TEST(snp_lists_of_the_policy)
{
	snp_accepted(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"measurements\":[\"" AB48 "\"]}" }, false);
	snp_accepted(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"measurements\":[\"00\",\"ABABABABABABABABABABABABABABABABABABABABABABABAB"
					    "ABABABABABABABABABABABABABABABABABABABABABABABAB\"]}" }, false);
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"measurements\":[\"" AB48 "ab\"]}" }, "snp.measurement");
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"host_data\":["
					   "\"0000000000000000000000000000000000000000000000000000000000000000\"]}" }, "snp.host_data");
	snp_accepted(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"host_data\":["
					    "\"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\"]}" }, false);
	snp_refused(&(const struct snp_run){ .report.product = SNP_TURIN, .report.version = 5,
				 .policy = "{\"schema\":\"cvmbox.policy/1\",\"chip_ids\":[\"0000000000000000\"]}" }, "snp.chip_id.allowed");
	snp_accepted(&(const struct snp_run){ .report.product = SNP_TURIN, .report.version = 5,
				  .policy = "{\"schema\":\"cvmbox.policy/1\",\"chip_ids\":[\"0203040506070809\"]}" }, false);
	snp_accepted(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"min_tcb\":{\"snp\":8,\"microcode\":115}}" }, false);
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"min_tcb\":{\"snp\":9}}" }, "snp.tcb.min");
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"min_tcb\":{\"fmc\":0}}" }, "snp.tcb.min");
	snp_accepted(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"min_tcb\":{\"snp\":9},\"checks\":{\"snp.tcb.min\":\"warn\"}}" }, true);
	snp_accepted(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"min_tcb\":{\"snp\":9},\"checks\":{\"snp.tcb.min\":\"ignore\"}}" }, false);
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"snp.measurement\":\"require\"}}" }, "snp.measurement");
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"snp.crl\":\"require\"}}" }, "snp.crl");
	snp_refused(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"tdx\"]}" }, "evidence.kind");
	snp_accepted(&(const struct snp_run){ .policy = "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"snp\"]}" }, false);
}

TEST(snp_freshness)
{
	snp_refused(&(const struct snp_run){ .no_nonce = true }, "snp.report_data");
	snp_refused(&(const struct snp_run){ .other_nonce = true }, "snp.report_data");
	snp_refused(&(const struct snp_run){ .other_nonce = true, .waive = true }, "snp.report_data");	/* a nonce that is given counts */
	snp_accepted(&(const struct snp_run){ .no_nonce = true, .waive = true }, true);
}

TEST(snp_wrong_sizes_are_malformed)
{
	uint8_t raw[SNP_REPORT_SIZE + 8];
	AUTO_VERDICT v = { 0 };
	struct snp_report r;

	report_make(raw, &(const struct report_make){ 0 });
	memset(raw + SNP_REPORT_SIZE, 1, 8);
	for (size_t n = 0; n <= sizeof raw; n++)
		if (n != SNP_REPORT_SIZE)
			FAILS(appraise(&v, &(const struct appraise_in){ .evidence = slice_of(raw, n), .kind = "snp", .insecure_no_nonce = true }, &e), EC_FORMAT);
	raw[0] = 1;
	FAILS(snp_report_parse(&r, slice_of(raw, SNP_REPORT_SIZE), &e), EC_FORMAT);
}

TEST(snp_json_gives_the_very_bytes_back)
{
	static const struct report_make cases[] = { { 0 }, { .version = 2 }, { .version = 5, .product = SNP_TURIN }, { .vlek = true } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t raw[SNP_REPORT_SIZE];
		AUTO_BUF der = { 0 }, table = { 0 }, text = { 0 };
		AUTO_JSON *j = NULL;
		AUTO_JSON *back = NULL;
		struct snp_report r, got = { 0 };
		struct snp_certs certs = { 0 };

		report_make(raw, &cases[i]);
		vek_make(&der, raw, &(const struct vek_make){ 0 });
		table_make(&table, buf_view(&der));
		WORKS(snp_report_parse(&r, slice_of(raw, sizeof raw), &e));
		WORKS(snp_json_write(&j, &r, buf_view(&table), &e));
		WORKS(json_write(&text, j, false, &e));
		WORKS(json_parse(&back, buf_view(&text), 1 << 20, &e));
		WORKS(snp_json_read(&got, &certs, back, &e));
		MEM(got.raw, raw, sizeof raw);
		EQ(certs.n, 1);
		EQ(certs.v[0].type, SNP_CERT_VCEK);
		OK(slice_eq(certs.v[0].data, buf_view(&der)));
		snp_certs_free(&certs);
	}
}

static int read_changed(const char *json_patch_name, const char *value, struct err *e)
{
	uint8_t raw[SNP_REPORT_SIZE];
	struct snp_report r, got;
	struct snp_certs c = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_JSON *v = NULL;
	struct json *o;
	AUTO_JSON *again = NULL;
	int rc;

	report_make(raw, &(const struct report_make){ 0 });
	WORKS(snp_report_parse(&r, slice_of(raw, sizeof raw), &e));
	WORKS(snp_json_write(&j, &r, (struct slice){ 0 }, &e));
	o = json_object();
	for (const struct json *m = json_first(json_get(j, "attestation_report")); m; m = json_next(m))
		if (strcmp(json_name(m), json_patch_name))
			json_add_copy(o, json_name(m), m);
	if (value) {
		WORKS(json_parse(&v, slice_str(value), 4096, &e));
		json_add_copy(o, json_patch_name, v);
	}
	again = json_object();
	json_add_take(again, "attestation_report", o);
	rc = snp_json_read(&got, &c, again, e);
	snp_certs_free(&c);
	return rc;
}

TEST(snp_json_that_is_not_a_report_is_malformed)
{
	WORKS(read_changed("launch_mit_vector", NULL, &e));
	WORKS(read_changed("launch_mit_vector", "null", &e));
	FAILS(read_changed("version", NULL, &e), EC_FORMAT);
	FAILS(read_changed("version", "\"3\"", &e), EC_FORMAT);
	FAILS(read_changed("version", "4294967296", &e), EC_FORMAT);
	FAILS(read_changed("version", "-1", &e), EC_FORMAT);
	FAILS(read_changed("version", "1", &e), EC_FORMAT);
	FAILS(read_changed("policy", "1.5", &e), EC_FORMAT);
	FAILS(read_changed("family_id", "[1,2]", &e), EC_FORMAT);
	FAILS(read_changed("family_id", "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,256]", &e), EC_FORMAT);
	FAILS(read_changed("current_tcb", "{}", &e), EC_FORMAT);
	FAILS(read_changed("signature", "{\"r\":[],\"s\":[]}", &e), EC_FORMAT);
	FAILS(read_changed("measurement", "\"00\"", &e), EC_FORMAT);
}

TEST(snp_extended_reports_carry_their_certificate)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF der = { 0 }, all = { 0 }, hex = { 0 };
	AUTO_VERDICT v = { 0 }, w = { 0 };
	struct appraise_in in = { .now = MAKER_NOW, .has_nonce = true, .nonce = slice_of(run_nonce, RUN_NONCE), .snp_roots = maker_roots() };

	report_make(raw, &(const struct report_make){ .report_data = run_nonce, .n = RUN_NONCE });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	buf_put(&all, raw, sizeof raw);
	table_make(&all, buf_view(&der));
	in.evidence = buf_view(&all);
	WORKS(appraise(&v, &in, &e));
	OK(v.accepted);
	buf_hex(&hex, buf_view(&all));
	buf_puts(&hex, "\n");
	in.evidence = buf_view(&hex);
	WORKS(appraise(&w, &in, &e));
	OK(w.accepted);
}

TEST(snp_certificate_tables)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF der = { 0 }, t = { 0 }, mixed = { 0 };
	struct snp_certs c = { 0 };

	report_make(raw, &(const struct report_make){ 0 });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	table_make(&t, buf_view(&der));
	WORKS(snp_table_parse(&c, buf_view(&t), &e));
	EQ(c.n, 1);
	for (size_t n = 1; n < 48; n++)
		FAILS(snp_table_parse(&c, slice_of(t.p, n), &e), EC_FORMAT);
	FAILS(snp_table_parse(&c, slice_of(t.p, t.n - 1), &e), EC_FORMAT);	/* the entry reaches one byte too far */
	WORKS(snp_table_parse(&c, (struct slice){ 0 }, &e));
	EQ(c.n, 0);
	buf_slice(&mixed, buf_view(&t));	/* first three groups little endian */
	memcpy(mixed.p, "\x8d\x75\xda\x63\x64\xe6\x64\x45", 8);
	WORKS(snp_table_parse(&c, buf_view(&mixed), &e));
	EQ(c.v[0].type, SNP_CERT_VCEK);
	mixed.p[16] = mixed.p[17] = mixed.p[18] = mixed.p[19] = 0xff;	/* offset */
	FAILS(snp_table_parse(&c, buf_view(&mixed), &e), EC_FORMAT);
}

/* A new ASK that AMD issued under the same ARK, while the built-in one has another key. */
TEST(snp_intermediates_that_come_along_are_as_good_as_the_built_in_one)
{
	struct snp_root root = maker_roots()->v[0];
	const struct snp_roots roots = { &root, 1 };
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF vek = { 0 }, ask = { 0 }, all = { 0 }, list = { 0 };
	AUTO_COLLATERAL given = { 0 };
	AUTO_VERDICT alone = { 0 }, sent = { 0 }, with = { 0 }, revoked = { 0 };
	struct appraise_in in = { .kind = "snp", .given = &given, .now = MAKER_NOW, .insecure_no_nonce = true, .snp_roots = &roots };

	maker_other_ask(&ask, SNP_MILAN);
	root.ask = buf_cstr(&ask);
	report_make(raw, &(const struct report_make){ 0 });
	vek_make(&vek, raw, &(const struct vek_make){ 0 });
	WORKS(collateral_add(&given, buf_view(&vek), "", "", &e));
	in.evidence = slice_of(raw, sizeof raw);
	WORKS(appraise(&alone, &in, &e));
	OK(!alone.accepted);
	STR(snp_result(&alone, "snp.chain"), "fail");
	buf_put(&all, raw, sizeof raw);
	entries_make(&all, &(const struct table_entry){ GUID_ASK, maker_ca_der(SNP_MILAN, MAKER_ASK) }, 1);
	in.evidence = buf_view(&all);
	WORKS(appraise(&sent, &in, &e));
	OK(sent.accepted);
	in.evidence = slice_of(raw, sizeof raw);
	WORKS(collateral_add(&given, maker_ca_der(SNP_MILAN, MAKER_ASVK), "", "", &e));	/* is none */
	WORKS(collateral_add(&given, maker_ca_der(SNP_MILAN, MAKER_ASK), "", "", &e));
	WORKS(appraise(&with, &in, &e));
	OK(with.accepted);
	list_make(&list, &(const struct list_make){ .names_ask = true });	/* its number, not that of the built-in one */
	WORKS(collateral_add(&given, buf_view(&list), "", "", &e));
	WORKS(appraise(&revoked, &in, &e));
	OK(!revoked.accepted);
	HAS(buf_cstr(&revoked.reason), "snp.crl");
}

TEST(snp_tables_as_hosts_have_them)
{
	static const uint8_t extra[8] = { 8, 0, 0, 0, 0x11, 0x0f, 0xa0, 0x00 };	/* family 19h model 01h stepping 1 */
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF vek = { 0 }, pem = { 0 }, all = { 0 }, list = { 0 }, text = { 0 };
	AUTO_JSON *shown = json_object();
	AUTO_VERDICT v = { 0 };
	void *parsed = NULL;

	report_make(raw, &(const struct report_make){ 0 });
	vek_make(&vek, raw, &(const struct vek_make){ 0 });
	to_pem(&pem, buf_view(&vek));
	list_make(&list, &(const struct list_make){ 0 });
	buf_put(&all, raw, sizeof raw);
	entries_make(&all, (const struct table_entry[]){ { "00112233445566778899aabbccddeeff", SLICE("unknown") },
							 { GUID_ARK, maker_ca_der(SNP_MILAN, MAKER_ARK) },
							 { GUID_EXTRA, { extra, sizeof extra } },
							 { GUID_CRL, buf_view(&list) },
							 { GUID_ASK, SLICE("") },
							 { GUID_VCEK, buf_view(&pem) } }, 6);
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&all), .now = MAKER_NOW, .insecure_no_nonce = true,
							.snp_roots = maker_roots() }, &e));
	OK(v.accepted);
	STR(snp_result(&v, "snp.crl"), "pass");
	WORKS(evidence_snp.parse(&parsed, buf_view(&all), (struct slice){ 0 }, &e));
	WORKS(evidence_snp.details(shown, parsed, &e));
	evidence_snp.drop(parsed);
	WORKS(json_write(&text, shown, false, &e));
	STR(json_string(json_get(shown, "host_says_cpu")), "Milan, family 19h model 01h stepping 1 (not signed)");
	STR(json_string(json_get(shown, "cpu")), "Milan, family 19h model 01h stepping 0");
	HAS(buf_cstr(&text), "\"revocation_lists\":[{\"issuer\":\"CN=ARK-Milan\",\"from\":\"2025-06-14T15:06:40Z\"");
	HAS(buf_cstr(&text), "\"certificates\":[\"CN=SEV-VCEK\"]");
	HAS(buf_cstr(&text), "\"platform_bits\":[\"smt\",\"ecc\",\"alias_check\"]");
}

TEST(snp_certificates_that_cannot_be_read_are_named)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF all = { 0 };
	AUTO_VERDICT v = { 0 };

	report_make(raw, &(const struct report_make){ 0 });
	buf_put(&all, raw, sizeof raw);
	entries_make(&all, &(const struct table_entry){ GUID_VCEK, SLICE("no certificate") }, 1);
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&all), .now = MAKER_NOW, .insecure_no_nonce = true,
							.snp_roots = maker_roots() }, &e));
	STR(snp_result(&v, "snp.vek"), "fail");
	HAS(snp_member(&v, "snp.vek", "actual"), "VCEK cannot be read");
	HAS(snp_member(&v, "snp.vek", "hint"), "https://kdsintf.amd.com/vcek/v1/Milan/0203");
}

/* {"OTHER": uuid}, also with the GUID of a certificate. */
TEST(snp_json_names_table_entries_by_word_or_guid)
{
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF vek = { 0 }, table = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL, *back = NULL;
	struct snp_report r, got;
	struct snp_certs c = { 0 };
	char *at;

	report_make(raw, &(const struct report_make){ 0 });
	vek_make(&vek, raw, &(const struct vek_make){ 0 });
	entries_make(&table, (const struct table_entry[]){ { "00112233445566778899aabbccddeeff", SLICE("x") }, { GUID_EXTRA, SLICE("y") },
							   { GUID_VLEK, SLICE("z") } }, 3);
	WORKS(snp_report_parse(&r, slice_of(raw, sizeof raw), &e));
	WORKS(snp_json_write(&j, &r, buf_view(&table), &e));
	WORKS(json_write(&text, j, false, &e));
	HAS(buf_cstr(&text), "{\"cert_type\":{\"OTHER\":\"ecae0c0f-9502-43b1-afa2-0ae2e0d565b6\"},\"data\":[121]}");
	at = strstr((char *)text.p, "00112233-4455-6677-8899-aabbccddeeff");
	OK(at);
	if (at)
		memcpy(at, "63da758d-e664-4564-adc5-f4b93be8accd", 36);
	WORKS(json_parse(&back, buf_view(&text), 1 << 20, &e));
	WORKS(snp_json_read(&got, &c, back, &e));
	EQ(c.n, 3);
	EQ(c.v[0].type, SNP_CERT_VCEK);
	EQ(c.v[1].type, SNP_CERT_EXTRA);
	EQ(c.v[2].type, SNP_CERT_VLEK);
	snp_certs_free(&c);
}

TEST(snp_claims_have_the_names_and_types_of_trustee)
{
	AUTO_VERDICT v = { 0 };
	const struct json *c;
	uint64_t n;

	snp_run(&v, &(const struct snp_run){ 0 });
	STR(v.tee, "snp");
	c = json_get(v.claims, "snp");
	OK(json_u64(json_get(c, "reported_tcb_snp"), &n) && n == 8);
	OK(json_is_bool(json_get(c, "policy_debug_allowed")));
	STR(json_string(json_get(c, "measurement")), AB48);
	EQ(strlen(json_string(json_get(c, "report_data"))), 128);
	EQ(strlen(json_string(json_get(c, "chip_id"))), 128);
	EQ(strlen(json_string(json_get(c, "init_data"))), 64);
}
