/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy can want of an SNP report, revocation, and advisories: each with its twin that fails. */

#include "base/cursor.h"
#include "base/host.h"
#include "codec/pem.h"
#include "snp_run.h"
#include "test.h"
#include "tee/snp_vek.h"

#define DAY INT64_C(86400)
#define GOOD(...) snp_accepted(&(const struct snp_run){ __VA_ARGS__ }, false)
#define BAD(id, ...) snp_refused(&(const struct snp_run){ __VA_ARGS__ }, id)
#define CAME(id, result, member, why, ...) snp_came_to(&(const struct snp_run){ __VA_ARGS__ }, id, result, member, why)

/* --- revocation -------------------------------------------------------------------------------------------- */

static const struct list_make fresh = { 0 }, naming = { .names_ask = true }, naming_asvk = { .names_asvk = true },
			      forged = { .by_other_key = true }, of_genoa = { .product = SNP_GENOA, .names_ask = true },
			      old = { .from = -9 * DAY, .until = -DAY }, old_naming = { .from = -9 * DAY, .until = -DAY, .names_ask = true },
			      future = { .from = DAY, .until = 9 * DAY }, week = { .from = -7 * DAY, .until = 9 * DAY };

TEST(snp_revocation_lists_that_are_given)
{
	CAME("snp.crl", "skip", "hint", "no revocation list was given", .list = NULL);
	CAME("snp.crl", "pass", "actual", "not on the list of 2025-06-14T15:06:40Z", .list = &fresh);
	CAME("snp.crl", "pass", "source", "test list", .list = &fresh);
	CAME("snp.crl", "fail", "actual", "revoked", .list = &naming);
	CAME("snp.crl", "pass", "actual", "not on the list", .list = &naming_asvk);
	CAME("snp.crl", "fail", "actual", "revoked", .list = &naming_asvk, .vek.vlek = true);
	CAME("snp.crl", "pass", "actual", "not on the list", .list = &naming, .vek.vlek = true);
	CAME("snp.crl", "fail", "actual", "has expired: valid from", .list = &old);
	CAME("snp.crl", "fail", "actual", "not yet valid", .list = &future);
	CAME("snp.crl", "fail", "actual", "signature", .list = &forged);
	CAME("snp.crl", "skip", "hint", "no revocation list was given", .list = &of_genoa);	/* not this ARK's */
	CAME("snp.crl", "fail", "actual", "revoked", .list = &of_genoa, .report.product = SNP_GENOA);
	BAD("snp.crl", .list = &naming);
	BAD("snp.crl", .list = &old);
}

TEST(snp_revocation_lists_beside_each_other)
{
	CAME("snp.crl", "pass", "actual", "not on the list of 2025-06-14", .list = &old, .list2 = &fresh);	/* a newer one is there */
	CAME("snp.crl", "pass", "actual", "not on the list of 2025-06-14", .list = &fresh, .list2 = &week);	/* the newest counts */
	CAME("snp.crl", "pass", "actual", "not on the list of 2025-06-14", .list = &week, .list2 = &fresh);
	CAME("snp.crl", "fail", "actual", "revoked", .list = &old_naming, .list2 = &fresh);	/* once revoked */
	CAME("snp.crl", "fail", "actual", "revoked", .list = &old_naming);
	CAME("snp.crl", "fail", "actual", "revoked", .list = &fresh, .list2 = &naming);
	CAME("snp.crl", "pass", "actual", "not on the list", .list = &fresh, .list2 = &forged);
}

TEST(snp_revocation_lists_of_the_host)
{
	CAME("snp.crl", "pass", "source", "certificate table of the host", .sent = &fresh);
	CAME("snp.crl", "fail", "actual", "revoked", .sent = &naming);
	CAME("snp.crl", "fail", "actual", "revoked", .sent = &naming, .list = &fresh);
	CAME("snp.crl", "fail", "source", "certificate table of the host", .sent = &naming, .list = &fresh);
	CAME("snp.crl", "skip", "actual", "has expired", .sent = &old);		/* as good as none */
	CAME("snp.crl", "skip", "actual", "signature", .sent = &forged);
	CAME("snp.crl", "pass", "source", "test list", .sent = &old, .list = &fresh);
	CAME("snp.crl", "fail", "actual", "has expired", .sent = &old, .policy = POLICY("\"checks\":{\"snp.crl\":\"require\"}"));
	BAD("snp.crl", .policy = POLICY("\"checks\":{\"snp.crl\":\"require\"}"));
	GOOD(.list = &fresh, .policy = POLICY("\"checks\":{\"snp.crl\":\"require\"}"));
	CAME("snp.crl", "warn", "actual", "has expired", .list = &old, .policy = POLICY("\"checks\":{\"snp.crl\":\"warn\"}"));
}

/* As people keep them: chain and list in one file. */
TEST(snp_revocation_lists_among_certificates_are_not_lost)
{
	AUTO_COLLATERAL c = { 0 }, cut = { 0 };
	AUTO_BUF list = { 0 }, pem = { 0 };

	list_make(&list, &fresh);
	pem_put(&pem, "CERTIFICATE", maker_ca_der(SNP_MILAN, MAKER_ASK));
	pem_put(&pem, "X509 CRL", buf_view(&list));
	pem_put(&pem, "CERTIFICATE", maker_ca_der(SNP_MILAN, MAKER_ARK));
	pem_put(&pem, "X509 CRL", buf_view(&list));
	WORKS(collateral_add(&c, buf_view(&pem), "file", "", &e));
	EQ(c.certs.n, 2);
	EQ(c.n, 3);
	EQ(c.v[0].type, COLLATERAL_CRL);
	EQ(c.v[1].type, COLLATERAL_CRL);
	EQ(c.v[2].type, COLLATERAL_CERTS);
	pem_put(&pem, "X509 CRL", slice_of(list.p, list.n - 1));
	FAILS(collateral_add(&cut, buf_view(&pem), "file", "", &e), EC_FORMAT);
}

TEST(snp_revocation_lists_may_be_too_old_for_the_policy)
{
	GOOD(.list = &week, .policy = POLICY("\"max_collateral_age\":604800"));
	CAME("snp.crl", "fail", "actual", "older than the policy allows", .list = &week, .policy = POLICY("\"max_collateral_age\":604799"));
	GOOD(.list = &week, .list2 = &fresh, .policy = POLICY("\"max_collateral_age\":604799"));
}

/* --- firmware ---------------------------------------------------------------------------------------------- */

static void committed_low(uint8_t *raw) { raw[0x180 + 6] = 7; raw[0x1e0 + 6] = 7; }	/* reported goes along: order holds */
static void launch_low(uint8_t *raw) { raw[0x1f0 + 7] = 1; }
static void current_high(uint8_t *raw) { raw[0x38 + 6] = 9; }
static void turin_fmc_low(uint8_t *raw) { raw[0x180] = 0; }

TEST(snp_floors_hold_for_each_tcb)
{
	GOOD(.policy = POLICY("\"min_tcb\":{\"bootloader\":3,\"tee\":0,\"snp\":8,\"microcode\":115}"));
	BAD("snp.tcb.min", .policy = POLICY("\"min_tcb\":{\"microcode\":116}"));
	GOOD(.policy = POLICY("\"min_committed_tcb\":{\"snp\":8}"));
	BAD("snp.tcb.min.committed", .change = committed_low, .policy = POLICY("\"min_committed_tcb\":{\"snp\":8}"));
	GOOD(.policy = POLICY("\"min_launch_tcb\":{\"microcode\":115}"));
	BAD("snp.tcb.min.launch", .change = launch_low, .policy = POLICY("\"min_launch_tcb\":{\"microcode\":115}"));
	GOOD(.change = launch_low);
	BAD("snp.tcb.min.current", .policy = POLICY("\"min_current_tcb\":{\"snp\":9}"));
	GOOD(.change = current_high, .policy = POLICY("\"min_current_tcb\":{\"snp\":9}"));
}

TEST(snp_floors_of_a_product_add_to_those_of_any)
{
#define TURIN .report.product = SNP_TURIN, .report.version = 5
	static const char turin_only[] = POLICY("\"min_tcb\":{\"Turin\":{\"fmc\":1,\"bootloader\":1,\"tee\":1,\"snp\":4,\"microcode\":81}}"),
			  both[] = POLICY("\"min_tcb\":{\"snp\":4,\"Milan\":{\"snp\":9}}"),
			  lower[] = POLICY("\"min_tcb\":{\"snp\":9,\"Milan\":{\"snp\":1}}");

	GOOD(TURIN, .policy = turin_only);
	CAME("snp.tcb.min", "fail", "expected", "fmc 1", TURIN, .change = turin_fmc_low, .policy = turin_only);
	CAME("snp.tcb.min", "skip", "hint", "the policy names none", .policy = turin_only);	/* Milan: no word of it */
	BAD("snp.tcb.min", .policy = both);
	GOOD(TURIN, .policy = both);
	BAD("snp.tcb.min", .policy = lower);
	BAD("snp.tcb.min", .policy = POLICY("\"min_tcb\":{\"fmc\":0}"));		/* Milan has no such part */
}

static void mitigated(uint8_t *raw) { raw[0x1f8] = 0x63; raw[0x200] = 0x63; }
static void mended_later(uint8_t *raw) { raw[0x1f8] = 0x23; raw[0x200] = 0x63; }
static void only_at_launch(uint8_t *raw) { raw[0x1f8] = 0x63; }

TEST(snp_mitigations_hold_at_launch_and_now)
{
	static const char want[] = POLICY("\"mitigations\":\"0x40\"");

	GOOD(TURIN, .change = mitigated, .policy = want);
	GOOD(TURIN, .change = mitigated, .policy = POLICY("\"mitigations\":99"));
	BAD("snp.mitigations", TURIN, .change = mitigated, .policy = POLICY("\"mitigations\":100"));
	CAME("snp.mitigations", "fail", "hint", "start it again", TURIN, .change = mended_later, .policy = want);
	BAD("snp.mitigations", TURIN, .change = only_at_launch, .policy = want);
	CAME("snp.mitigations", "fail", "actual", "not said by a report of version 3", .policy = want);
	GOOD(TURIN, .change = mitigated);
}

/* --- settings ---------------------------------------------------------------------------------------------- */

static void single_socket(uint8_t *raw) { raw[0x0a] |= 0x10; }
static void abi_1_55(uint8_t *raw) { raw[0x08] = 55; raw[0x09] = 1; }
static void bit6(uint8_t *raw) { raw[0x40] |= 0x40; }

TEST(snp_bits_of_the_platform_and_of_the_guests_policy)
{
	GOOD(.policy = POLICY("\"platform\":{\"smt\":true,\"tsme\":false,\"ecc\":true,\"alias_check\":true,\"sev_tio\":false}"));
	CAME("snp.platform", "fail", "actual", "on: smt", .policy = POLICY("\"platform\":{\"smt\":false}"));
	CAME("snp.platform", "fail", "actual", "off: ciphertext_hiding", .policy = POLICY("\"platform\":{\"ciphertext_hiding\":true}"));
	GOOD(.policy = POLICY("\"guest_policy\":{\"smt\":true,\"single_socket\":false}"));
	GOOD(.change = single_socket, .policy = POLICY("\"guest_policy\":{\"single_socket\":true}"));
	BAD("snp.policy.bits", .policy = POLICY("\"guest_policy\":{\"single_socket\":true}"));
	BAD("snp.policy.bits", .policy = POLICY("\"guest_policy\":{\"smt\":false}"));
	GOOD(.change = abi_1_55, .policy = POLICY("\"min_abi\":\"1.55\""));
	GOOD(.change = abi_1_55, .policy = POLICY("\"min_abi\":\"0.99\""));
	BAD("snp.policy.abi", .change = abi_1_55, .policy = POLICY("\"min_abi\":\"1.56\""));
	BAD("snp.policy.abi", .change = abi_1_55, .policy = POLICY("\"min_abi\":\"2.0\""));
	GOOD(.change = bit6);		/* real Turin machines have it */
}

/* --- whose, and what ------------------------------------------------------------------------------------------- */

static void svn_7(uint8_t *raw) { raw[4] = 7; }
static void ids(uint8_t *raw) { memset(raw + 0x10, 0x11, 16); memset(raw + 0x20, 0x22, 16); }
static void keys_no_author(uint8_t *raw) { memset(raw + 0xe0, 0x33, 48); memset(raw + 0x110, 0x44, 48); }
static void keys(uint8_t *raw) { keys_no_author(raw); raw[0x48] |= 1; }
#define B16(d) d d d d d d d d d d d d d d d d

TEST(snp_identities_that_a_policy_names)
{
	GOOD(.change = svn_7, .policy = POLICY("\"min_guest_svn\":7"));
	BAD("snp.guest_svn", .change = svn_7, .policy = POLICY("\"min_guest_svn\":8"));
	GOOD(.change = ids, .policy = POLICY("\"family_ids\":[\"" B16("11") "\"],\"image_ids\":[\"" B16("22") "\"]"));
	BAD("snp.family_id", .change = ids, .policy = POLICY("\"family_ids\":[\"" B16("22") "\"]"));
	BAD("snp.image_id", .change = ids, .policy = POLICY("\"image_ids\":[\"" B16("11") "\"]"));
	GOOD(.change = keys, .policy = POLICY("\"id_key_digests\":[\"" B16("33") B16("33") B16("33") "\"]"));
	BAD("snp.id_key", .change = keys, .policy = POLICY("\"id_key_digests\":[\"" B16("44") B16("44") B16("44") "\"]"));
	CAME("snp.id_key", "fail", "hint", "without an identity block", .policy = POLICY("\"id_key_digests\":[\"" B16("44") B16("44") B16("44") "\"]"));
	GOOD(.change = keys, .policy = POLICY("\"author_key_digests\":[\"" B16("44") B16("44") B16("44") "\"]"));
	BAD("snp.author_key", .change = keys, .policy = POLICY("\"author_key_digests\":[\"" B16("33") B16("33") B16("33") "\"]"));
	CAME("snp.author_key", "fail", "actual", "no author key was used", .change = keys_no_author,
	     .policy = POLICY("\"author_key_digests\":[\"" B16("44") B16("44") B16("44") "\"]"));
	GOOD(.policy = POLICY("\"init_data\":[\"" B16("cd") B16("cd") "\"]"));
	BAD("snp.init_data", .policy = POLICY("\"init_data\":[\"" B16("cd") B16("ce") "\"]"));
	BAD("snp.init_data", .policy = POLICY("\"init_data\":[\"" B16("cd") B16("cd") B16("cd") "\"]"));	/* another TEE's */
}

TEST(snp_chips_that_a_policy_names)
{
	GOOD(TURIN, .policy = POLICY("\"chip_ids\":[\"0203040506070809\"]"));
	GOOD(TURIN, .policy = POLICY("\"chip_ids\":[\"0203040506070809" B16("00") B16("00") B16("00") "0000000000000000\"]"));
	BAD("snp.chip_id.allowed", TURIN, .policy = POLICY("\"chip_ids\":[\"020304050607080a\"]"));
	CAME("snp.chip_id.allowed", "fail", "actual", "masked", .report.masked = true, .vek.no_hwid = true,
	     .policy = POLICY("\"chip_ids\":[\"" B16("00") B16("00") B16("00") B16("00") "\"]"));
}

/* --- products -------------------------------------------------------------------------------------------------- */

static void milan_last(uint8_t *raw) { raw[0x189] = 0x0f; }
static void genoa_last(uint8_t *raw) { raw[0x189] = 0x1f; }
static void bergamo(uint8_t *raw) { raw[0x189] = 0xa0; }
static void siena_last(uint8_t *raw) { raw[0x189] = 0xaf; }
static void behind_siena(uint8_t *raw) { raw[0x189] = 0xb0; }
static void before_bergamo(uint8_t *raw) { raw[0x189] = 0x9f; }
static void turin_last(uint8_t *raw) { raw[0x189] = 0x11; }
static void behind_turin(uint8_t *raw) { raw[0x189] = 0x12; }
static void venice(uint8_t *raw) { raw[0x189] = 0x50; }
static void rome(uint8_t *raw) { raw[0x188] = 0x17; raw[0x189] = 0x31; }

TEST(snp_processors_by_family_and_model)
{
	static const struct { uint8_t family, model; const char *name; } cpus[] = {
		{ 0x19, 0x00, "Milan" }, { 0x19, 0x0f, "Milan" }, { 0x19, 0x10, "Genoa" }, { 0x19, 0x1f, "Genoa" }, { 0x19, 0x20, NULL },
		{ 0x19, 0x9f, NULL }, { 0x19, 0xa0, "Bergamo or Siena" }, { 0x19, 0xaf, "Bergamo or Siena" }, { 0x19, 0xb0, NULL },
		{ 0x1a, 0x00, "Turin" }, { 0x1a, 0x11, "Turin" }, { 0x1a, 0x12, NULL }, { 0x1a, 0x4f, NULL }, { 0x1a, 0x50, "Venice" },
		{ 0x1a, 0x57, "Venice" }, { 0x1a, 0x58, NULL }, { 0x1a, 0x90, "Venice" }, { 0x1a, 0xa0, "Venice" }, { 0x1a, 0xaf, "Venice" },
		{ 0x1a, 0xc7, "Venice" }, { 0x1a, 0xc8, NULL }, { 0x17, 0x31, NULL }, { 0x18, 0x00, NULL },
	};

	for (size_t i = 0; i < sizeof cpus / sizeof cpus[0]; i++) {
		const char *name = snp_cpu_name(cpus[i].family, cpus[i].model);

		if ((name == NULL) != (cpus[i].name == NULL) || (name && strcmp(name, cpus[i].name)))
			test_fail(__FILE__, __LINE__, "%02x/%02x is %s, wanted %s", cpus[i].family, cpus[i].model, name ? name : "not known",
				  cpus[i].name ? cpus[i].name : "not known");
	}
	GOOD(.change = milan_last);
	GOOD(.report.product = SNP_GENOA, .change = genoa_last);
	GOOD(.report.product = SNP_GENOA, .change = bergamo);
	GOOD(.report.product = SNP_GENOA, .change = siena_last);
	GOOD(TURIN, .change = turin_last);
	BAD("snp.product", .change = bergamo, .vek.issuer = SNP_MILAN, .vek.product_name = "Milan-B0");	/* signed as Milan */
	CAME("snp.product", "fail", "actual", "product not known", .change = behind_siena, .vek.issuer = SNP_GENOA, .vek.product_name = "Genoa");
	CAME("snp.product", "fail", "actual", "product not known", .change = before_bergamo, .vek.issuer = SNP_GENOA, .vek.product_name = "Genoa");
	CAME("snp.product", "fail", "actual", "product not known", TURIN, .change = behind_turin, .vek.issuer = SNP_TURIN, .vek.product_name = "Turin");
	CAME("snp.product", "fail", "actual", "Venice, CPU family 1ah model 50h: product not known", TURIN, .change = venice, .vek.issuer = SNP_TURIN,
	     .vek.product_name = "Turin");
	CAME("snp.product", "fail", "actual", "product not known", .change = rome, .vek.issuer = SNP_MILAN, .vek.product_name = "Milan");
}

TEST(snp_product_names_of_certificates)
{
	GOOD(.vek.product_name = "Milan");
	GOOD(.vek.product_name = "Milan-B1");
	BAD("snp.product", .vek.product_name = "milan");
	BAD("snp.product", .vek.product_name = "MilanB0");
	BAD("snp.product", .vek.product_name = "Mila");
	BAD("snp.product", .vek.product_name = "");
	BAD("snp.product", .vek.product_name = "Turin");
	GOOD(.report.version = 2);
	GOOD(.report.version = 2, .report.product = SNP_TURIN, .vek.issuer = SNP_TURIN, .vek.product_name = "Turin");
	GOOD(.report.version = 2, .report.product = SNP_GENOA, .vek.issuer = SNP_GENOA, .vek.product_name = "Genoa");
	BAD("snp.product", .report.version = 2, .vek.issuer = SNP_GENOA, .vek.product_name = "Milan-B0");
}

/* --- extensions of the certificate ------------------------------------------------------------------------------- */

TEST(snp_parts_of_the_tcb_that_a_certificate_lacks)
{
	static const uint8_t milan[] = { 1, 2, 8 }, spare[] = { 4, 5, 6, 7 }, turin[] = { 5, 6, 7 };

	for (size_t i = 0; i < sizeof milan; i++) {
		BAD("snp.tcb.certificate", .vek.without = milan[i]);
		BAD("snp.tcb.certificate", TURIN, .vek.without = milan[i]);
	}
	for (size_t i = 0; i < sizeof spare; i++)
		CAME("snp.tcb.certificate", "fail", "actual", "is missing", .vek.without = spare[i]);
	for (size_t i = 0; i < sizeof turin; i++)
		CAME("snp.tcb.certificate", "fail", "actual", "is missing", TURIN, .vek.without = turin[i]);
	BAD("snp.tcb.certificate", TURIN, .vek.without = 9);
	CAME("snp.tcb.certificate", "fail", "actual", "spare part that is not zero", .vek.spare = 1);
}

/* --- advisories ------------------------------------------------------------------------------------------------- */

static void new_firmware(uint8_t *raw)
{
	static const uint16_t at[] = { SNP_TCB_CURRENT, SNP_TCB_REPORTED, SNP_TCB_COMMITTED, SNP_TCB_LAUNCH };

	for (size_t i = 0; i < 4; i++)
		raw[at[i] + 6] = 0x18;
}
static void genoa_17(uint8_t *raw) { new_firmware(raw); raw[0x180 + 6] = 0x17; }
static void no_alias_check(uint8_t *raw) { raw[0x40] &= (uint8_t)~0x20; }
static void hiding(uint8_t *raw) { raw[0x40] |= 0x10; }
static void smt_off(uint8_t *raw) { raw[0x40] &= (uint8_t)~1; }

TEST(snp_advisories_warn_of_what_the_evidence_proves)
{
	CAME("advisory.milan-vcek-seed", "warn", "hint", "extracted", .vek = { 0 });
	CAME("advisory.milan-vcek-seed", "warn", NULL, NULL, .vek.vlek = true);
	CAME("advisory.milan-vcek-seed", "pass", NULL, NULL, .report.product = SNP_GENOA);
	CAME("advisory.milan-vcek-seed", "pass", NULL, NULL, TURIN);
	CAME("advisory.milan-vcek-seed", "fail", NULL, NULL, .policy = POLICY("\"checks\":{\"advisory.milan-vcek-seed\":\"require\"}"));
	CAME("advisory.milan-vcek-seed", "skip", "hint", "ignored", .policy = POLICY("\"checks\":{\"advisory.milan-vcek-seed\":\"ignore\"}"));
	CAME("advisory.sb-3019", "warn", "expected", "24 or later", .vek = { 0 });
	CAME("advisory.sb-3019", "pass", NULL, NULL, .change = new_firmware);
	CAME("advisory.sb-3019", "warn", "expected", "23 or later", .report.product = SNP_GENOA);
	CAME("advisory.sb-3019", "pass", NULL, NULL, .report.product = SNP_GENOA, .change = genoa_17);
	CAME("advisory.sb-3019", "skip", NULL, NULL, TURIN);
	CAME("advisory.alias-check-missing", "pass", NULL, NULL, .vek = { 0 });
	CAME("advisory.alias-check-missing", "warn", "hint", "BadRAM", .change = no_alias_check);
	CAME("advisory.alias-check-missing", "skip", "hint", "version 2", .report.version = 2, .change = no_alias_check);
}

TEST(snp_advisories_tell_of_settings_and_count_where_required)
{
	CAME("advisory.ciphertext-hiding-off", "skip", "actual", "off", .vek = { 0 });
	CAME("advisory.ciphertext-hiding-off", "pass", "actual", "on", .change = hiding);
	CAME("advisory.ciphertext-hiding-off", "fail", "actual", "off", .policy = POLICY("\"checks\":{\"advisory.ciphertext-hiding-off\":\"require\"}"));
	CAME("advisory.smt-on", "skip", "actual", "on", .vek = { 0 });
	CAME("advisory.smt-on", "pass", "actual", "off", .change = smt_off);
	CAME("advisory.smt-on", "fail", "actual", "on", .policy = POLICY("\"checks\":{\"advisory.smt-on\":\"require\"}"));
	GOOD(.change = smt_off, .policy = POLICY("\"checks\":{\"advisory.smt-on\":\"require\"}"));
}

/* --- what nobody signed ------------------------------------------------------------------------------------------- */

static void behind_signature(uint8_t *raw) { raw[0x330] = 1; raw[0x49f] = 1; }
static void gap_in_middle(uint8_t *raw) { raw[0x1eb] = 5; }
static void policy_high(uint8_t *raw) { raw[0x0f] = 0x80; }
static void flags_high(uint8_t *raw) { raw[0x49] = 1; }
static void in_v2(uint8_t *raw) { raw[0x189] = 1; }
static void mitigation_in_v3(uint8_t *raw) { raw[0x1f8] = 1; }

TEST(snp_bytes_that_have_to_be_zero_are_named)
{
	CAME("snp.reserved", "warn", "actual", "bytes 0x330 to 0x49f are set (behind the signature", .spoil = behind_signature);
	CAME("snp.reserved", "warn", "actual", "byte 0x1eb is 0x05", .change = gap_in_middle);
	CAME("snp.reserved", "warn", "actual", "guest policy is 0x80", .change = policy_high);
	CAME("snp.reserved", "warn", "actual", "flags are 0x100", .change = flags_high);
	CAME("snp.reserved", "warn", "actual", "byte 0x189", .report.version = 2, .change = in_v2);
	CAME("snp.reserved", "warn", "actual", "byte 0x1f8", .change = mitigation_in_v3);
	CAME("snp.reserved", "pass", NULL, NULL, TURIN, .change = mitigated);
}
