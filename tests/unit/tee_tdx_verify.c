/* SPDX-License-Identifier: Apache-2.0 */
/* Judging TDX quotes under a CA of our own: what is good is accepted, and every check refuses for its own reason. */

#include <sys/stat.h>

#include "attest/appraise.h"
#include "attest/policy.h"
#include "base/cursor.h"
#include "base/outfile.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "evidence/bundle.h"
#include "tdx_maker.h"
#include "test.h"
#include "tee/tdx_int.h"

struct run {
	struct tdx_make quote;
	struct tdx_docs docs;
	bool no_docs, waive, want_nonce;
	const char *policy;		/* members of the policy, JSON text without braces */
	int64_t now;
};

static const uint8_t nonce[] = { 1, 2, 3, 4 };

static void judge(struct verdict *v, const struct run *r, struct slice quote, const struct collateral *given)
{
	AUTO_POLICY *p = NULL;
	AUTO_BUF text = { 0 };

	if (r->policy) {
		buf_printf(&text, "{\"schema\":\"cvmbox.policy/1\",%s}", r->policy);
		WORKS(policy_parse(&p, buf_view(&text), "test", &e));
	}
	WORKS(appraise(v, &(const struct appraise_in){ .evidence = quote, .given = given, .now = r->now ? r->now : TDX_NOW, .policy = p,
						       .insecure_no_nonce = !r->want_nonce, .has_nonce = r->want_nonce, .nonce = slice_of(nonce, 4),
						       .insecure_no_collateral = r->waive, .intel_root = tdx_maker_root() }, &e));
}

static void run_it(struct verdict *v, const struct run *r)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF quote = { 0 };

	tdx_quote_make(&quote, &r->quote);
	if (!r->no_docs)
		tdx_docs_make(&c, &r->docs);
	judge(v, r, buf_view(&quote), &c);
}

static const struct json *check_of(const struct verdict *v, const char *id)
{
	for (const struct json *c = json_first(v->checks); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return c;
	return NULL;
}

static const char *result_of(const struct verdict *v, const char *id)
{
	const char *s = json_string(json_get(check_of(v, id), "result"));

	return s ? s : "absent";
}

static void expect_good(int line, const struct run *r)
{
	AUTO_VERDICT v = { 0 };

	run_it(&v, r);
	if (!v.accepted)
		test_fail(__FILE__, line, "refused: %s", buf_cstr(&v.reason));
}

/* Refused, by this check first, with this in its text. */
static void expect_bad(int line, const struct run *r, const char *id, const char *word)
{
	AUTO_VERDICT v = { 0 };
	const size_t n = strlen(id);

	run_it(&v, r);
	if (v.accepted || strncmp(buf_cstr(&v.reason), id, n) || buf_cstr(&v.reason)[n] != ':' || !strstr(buf_cstr(&v.reason), word))
		test_fail(__FILE__, line, "%s: '%s', wanted %s with '%s'", v.accepted ? "accepted" : "refused", buf_cstr(&v.reason), id, word);
	if (strcmp(result_of(&v, id), "fail"))
		test_fail(__FILE__, line, "%s is '%s'", id, result_of(&v, id));
}
/* Accepted, and this check warns. */
static void expect_warned(int line, const struct run *r, const char *id)
{
	AUTO_VERDICT v = { 0 };

	run_it(&v, r);
	if (!v.accepted || strcmp(result_of(&v, id), "warn"))
		test_fail(__FILE__, line, "%s: %s is '%s', '%s'", v.accepted ? "accepted" : "refused", id, result_of(&v, id), buf_cstr(&v.reason));
}
#define GOOD(...) expect_good(__LINE__, &(const struct run){ __VA_ARGS__ })
#define BAD(id, word, ...) expect_bad(__LINE__, &(const struct run){ __VA_ARGS__ }, id, word)
#define WARN(id, ...) expect_warned(__LINE__, &(const struct run){ __VA_ARGS__ }, id)

/* --- what is good ---------------------------------------------------------------------------------------------- */

TEST(tdx_good_quotes_of_every_body_are_accepted)
{
	GOOD(.want_nonce = false);
	GOOD(.quote.version = 5);
	GOOD(.quote = { .version = 5, .body_type = 3 });
	GOOD(.quote = { .version = 5, .body_type = 4 });
	GOOD(.quote.plain_module = true);
	GOOD(.quote.no_auth = true);
	GOOD(.quote.pem_nul = true);
	GOOD(.quote.trailing = 300);
	GOOD(.quote.processor_ca = true, .docs.processor_ca = true);
	GOOD(.docs.reversed = true);
	GOOD(.docs = { .no_modules = true }, .quote.plain_module = true);
	GOOD(.quote = { .report_data = nonce, .n = 4 }, .want_nonce = true);
	GOOD(.docs.fmspc = "00806f050000");
	WARN("tdx.trailing", .quote = { .trailing = 39, .trailing_byte = 'x' });
	WARN("tdx.reserved", .quote.reserved = true);
}

TEST(tdx_every_form_of_a_quote_gives_the_same_verdict)
{
	const struct run r = { 0 };
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF raw = { 0 }, hex = { 0 }, json = { 0 }, b64 = { 0 };
	const struct buf *forms[] = { &raw, &hex, &json };

	tdx_quote_make(&raw, &(const struct tdx_make){ .version = 5, .body_type = 3, .trailing = 7 });
	tdx_docs_make(&c, &r.docs);
	buf_hex(&hex, buf_view(&raw));
	buf_puts(&hex, "\n");
	b64_encode(&b64, buf_view(&raw));
	buf_printf(&json, "{\"cc_eventlog\":null,\"quote\":\"%s\"}", buf_cstr(&b64));
	for (size_t i = 0; i < 3; i++) {
		AUTO_VERDICT v = { 0 };

		judge(&v, &r, buf_view(forms[i]), &c);
		OK(v.accepted);
		STR(v.tee, "tdx");
	}
}

TEST(tdx_claims_tell_status_dates_and_platform)
{
	AUTO_VERDICT v = { 0 };
	const struct json *t;

	run_it(&v, &(const struct run){ .quote = { .version = 5, .body_type = 3, .module_svn = 4 }, .docs.evaluation = 18,
					.policy = "\"tcb_status\":[\"TDRelaunchAdvised\"]" });
	OK(v.accepted);
	t = json_get(v.claims, "tdx");
	STR(json_string(json_get(t, "tcb_status")), "TDRelaunchAdvised");
	STR(json_string(json_get(t, "tcb_date")), "2024-03-13T00:00:00Z");
	EQ(json_count(json_get(t, "advisory_ids")), 2);
	STR(json_string(json_at(json_get(t, "advisory_ids"), 0)), "INTEL-SA-00003");
	STR(json_string(json_get(t, "fmspc")), "00806f050000");
	STR(json_string(json_get(t, "platform_instance_id")), "66656463626139383736353433323130");
	STR(json_string(json_get(t, "sgx_type")), "Scalable");
	STR(json_string(json_path(t, "/quote/type")), "0300");
	STR(json_string(json_path(t, "/quote/size")), "88020000");
	STR(json_string(json_get(t, "collateral_expiration_status")), "0");
	STR(json_string(json_get(t, "earliest_expiration_date")), "2025-07-06T15:06:40Z");
	OK(json_true(json_get(t, "is_dynamic_platform")) && !json_true(json_get(t, "is_smt_enabled")));
	STR(json_string(json_path(t, "/tcb_levels/module_now/status")), "UpToDate");
}

/* --- certificates ---------------------------------------------------------------------------------------------- */

TEST(tdx_certificates_that_do_not_fit_are_refused)
{
	BAD("tdx.chain", "a root of that name with another key", .quote.other_root = true);
	BAD("tdx.chain", "expired", .quote.leaf_expired = true);
	BAD("tdx.chain", "not yet valid", .quote.leaf_future = true);
	BAD("tdx.chain", "expired", .now = TDX_NOW + 101 * TDX_DAY);
	BAD("tdx.chain", "not yet valid", .now = TDX_NOW - 101 * TDX_DAY);
	BAD("tdx.chain", "PCK CA", .quote.mid_no_ca = true);
	BAD("tdx.chain", "PCK CA", .quote.mid_cn = "Intel SGX Other CA");
	BAD("tdx.chain", "no certificate of the PCK CA", .quote.no_mid = true);
	BAD("tdx.chain", "no certificate of the root", .quote.no_root = true, .no_docs = true);
	BAD("tdx.chain", "chain", .quote.by_other_ca = true);
	BAD("tdx.pck", "the PCK certificate chain", .quote.no_leaf = true);
	BAD("tdx.pck", "the PCK certificate chain", .quote.leaf_ca = true);
	BAD("tdx.pck", "the PCK certificate chain", .quote.leaf_cn = "Intel SGX TCB Signing");
	BAD("tdx.pck", "no PCK extension", .quote.no_extension = true);
	BAD("tdx.pck", "malformed", .quote.extension = SLICE("\x30\x02\x30\x00"));
}

/* A certificate around the pinned key that the key did not sign is no root. */
TEST(tdx_root_counts_only_with_its_own_signature)
{
	const struct run r = { .waive = true };
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF quote = { 0 }, chain = { 0 }, root = { 0 };
	AUTO_CERTS l = { 0 };
	AUTO_VERDICT good = { 0 }, v = { 0 };

	tdx_quote_make(&quote, &(const struct tdx_make){ .no_root = true });
	tdx_chain_make(&chain, &(const struct tdx_make){ 0 });
	WORKS(certs_parse(&l, buf_view(&chain), &e));
	buf_slice(&root, l.v[2].der);
	WORKS(collateral_add(&c, buf_view(&root), "root", "", &e));
	judge(&good, &r, buf_view(&quote), &c);
	OK(good.accepted);
	collateral_free(&c);
	root.p[root.n - 1] ^= 1;
	WORKS(collateral_add(&c, buf_view(&root), "root", "", &e));
	judge(&v, &r, buf_view(&quote), &c);
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "tdx.chain");
}

TEST(tdx_certification_data_without_a_certificate_is_named)
{
	BAD("tdx.pck", "type 1: the plain PPID", .quote.cert_type = 1);
	BAD("tdx.pck", "type 2: the PPID encrypted with RSA-2048", .quote.cert_type = 2);
	BAD("tdx.pck", "type 3: the PPID encrypted with RSA-3072", .quote.cert_type = 3);
	BAD("tdx.pck", "type 7: the platform manifest", .quote.cert_type = 7);
	BAD("tdx.pck", "type 9: unknown", .quote.cert_type = 9);
}

/* The PCK may come beside the quote; another machine's does not help. */
TEST(tdx_pck_given_beside_the_quote_is_used_if_it_signs)
{
	for (uint16_t type = 1; type <= 4; type++)
		for (int other = 0; other < 2; other++) {
			const struct run r = { 0 };
			AUTO_COLLATERAL c = { 0 };
			AUTO_BUF quote = { 0 }, chain = { 0 };
			AUTO_VERDICT v = { 0 };

			tdx_quote_make(&quote, &(const struct tdx_make){ .cert_type = type, .no_mid = true, .no_root = true });
			tdx_chain_make(&chain, &(const struct tdx_make){ .other_machine = other });
			tdx_docs_make(&c, &r.docs);
			WORKS(collateral_add(&c, buf_view(&chain), "chain", "", &e));
			judge(&v, &r, buf_view(&quote), &c);
			EQ(v.accepted, !other || type == 4);
			if (!v.accepted)
				HAS(buf_cstr(&v.reason), "tdx.pck");
		}
}

TEST(tdx_certificates_of_another_machine_are_refused)
{
	const struct run r = { .waive = true };
	AUTO_BUF a = { 0 }, b = { 0 }, mixed = { 0 };
	struct tdx_quote qa, qb;
	AUTO_VERDICT v = { 0 };

	GOOD(.quote.other_machine = true);
	tdx_quote_make(&a, &(const struct tdx_make){ 0 });
	tdx_quote_make(&b, &(const struct tdx_make){ .other_machine = true });
	WORKS(tdx_quote_parse(&qa, buf_view(&a), &e));
	WORKS(tdx_quote_parse(&qb, buf_view(&b), &e));
	buf_put(&mixed, a.p, (size_t)(qa.cert_data.p - a.p));	/* lengths may differ by a few bytes of DER */
	buf_slice(&mixed, qb.cert_data);
	for (int k = 0; k < 3; k++) {
		const size_t at = k == 0 ? 632 : k == 1 ? 632 + 4 + 130 : (size_t)(qa.cert_data.p - a.p) - 4;
		const uint32_t n = get_le32(mixed.p + at) + (uint32_t)qb.cert_data.n - (uint32_t)qa.cert_data.n;

		for (int i = 0; i < 4; i++)
			mixed.p[at + (size_t)i] = (uint8_t)(n >> 8 * i);
	}
	judge(&v, &r, buf_view(&mixed), NULL);
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "tdx.qe.signature");
}

/* --- signatures ------------------------------------------------------------------------------------------------- */

TEST(tdx_signatures_of_other_keys_are_refused)
{
	BAD("tdx.qe.signature", "does not hold", .quote.other_key_signs_qe = true);
	BAD("tdx.qe.binding", "does not hold", .quote.binding_of_other_key = true);
	BAD("tdx.qe.binding", "does not hold", .quote.odd_binding = true);
	BAD("tdx.signature", "does not hold", .quote.other_key_signs_quote = true);
	BAD("tdx.header", "vendor 0707", .quote.other_vendor = true);
}

/* Does the quote still prove anything?  Parsing, and the three checks that cover all of its bytes. */
static bool genuine(struct slice raw, const struct expect *x)
{
	static tdx_check *const checks[] = { tdx_check_header, tdx_check_qe_binding, tdx_check_signature, tdx_check_pck, tdx_check_qe_signature,
					     tdx_check_chain };
	void *p = NULL;
	struct err e = { 0 };
	bool holds = true;

	if (tdx_subject_parse(&p, raw, &e))
		return false;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0] && holds; i++) {
		struct finding f = { 0 };

		holds = checks[i](p, x, &f) == PASSED;
		buf_free(&f.expected);
		buf_free(&f.actual);
		buf_free(&f.hint);
	}
	tdx_subject_drop(p);
	return holds;
}

TEST(tdx_every_flipped_byte_that_is_covered_is_refused)
{
	const struct expect x = { .limits = &limits_strict, .now = TDX_NOW, .intel_root = tdx_maker_root() };
	AUTO_BUF b = { 0 };
	struct tdx_quote q;
	size_t end;

	tdx_quote_make(&b, &(const struct tdx_make){ .version = 5, .body_type = 3 });
	WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
	end = (size_t)(q.cert_data.p - b.p);	/* header, body, lengths, signature, key, QE report, its signature, auth data */
	OK(genuine(buf_view(&b), &x));
	for (size_t i = 0; i < end; i++) {
		if (i == end - 6)	/* the type of the certification data: nothing signs it, and the chain counts by its content */
			continue;
		b.p[i] ^= 1;
		if (genuine(buf_view(&b), &x))
			test_fail(__FILE__, __LINE__, "byte %zu", i);
		b.p[i] ^= 1;
	}
	OK(genuine(buf_view(&b), &x));
}

TEST(tdx_every_truncation_is_refused)
{
	const struct expect x = { .limits = &limits_strict, .now = TDX_NOW, .intel_root = tdx_maker_root() };
	AUTO_BUF b = { 0 };

	tdx_quote_make(&b, &(const struct tdx_make){ .version = 5, .body_type = 4 });
	for (size_t n = 0; n < b.n; n++) {
		void *p = NULL;

		FAILS(tdx_subject_parse(&p, slice_of(b.p, n), &e), EC_FORMAT);
	}
	OK(genuine(buf_view(&b), &x));
}

TEST(tdx_length_fields_at_their_extremes_are_refused)
{
	static const uint32_t values[] = { 0, 1, 63, 0x7fffffff, 0x80000000, 0xffffffff };
	const struct expect x = { .limits = &limits_strict, .now = TDX_NOW, .intel_root = tdx_maker_root() };
	AUTO_BUF b = { 0 };
	struct tdx_quote q;

	tdx_quote_make(&b, &(const struct tdx_make){ .version = 5, .body_type = 3 });
	WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
	{
		const struct { size_t at, n; } fields[] = {
			{ 50, 4 }, { 54 + 648, 4 }, { 54 + 648 + 4 + 130, 4 }, { (size_t)(q.qe_auth.p - b.p) - 2, 2 }, { (size_t)(q.cert_data.p - b.p) - 4, 4 }
		};

		for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
			for (size_t k = 0; k < sizeof values / sizeof values[0] + 2; k++) {
				AUTO_BUF c = { 0 };
				uint32_t old = 0, v;

				buf_slice(&c, buf_view(&b));
				memcpy(&old, c.p + fields[i].at, fields[i].n);
				v = k < 6 ? values[k] : k == 6 ? old + 1 : old - 1;
				memcpy(c.p + fields[i].at, &v, fields[i].n);
				if (genuine(buf_view(&c), &x))
					test_fail(__FILE__, __LINE__, "field at %zu, value 0x%x", fields[i].at, v);
			}
	}
}

TEST(tdx_sgx_quotes_are_refused_by_name)
{
	for (uint8_t version = 3; version <= 4; version++) {
		AUTO_BUF b = { 0 };
		void *p = NULL;
		struct err e = { 0 };

		tdx_quote_make(&b, &(const struct tdx_make){ 0 });
		b.p[0] = version;
		b.p[4] = 0;
		OK(evidence_tdx.recognise(buf_view(&b)));
		EQ(tdx_subject_parse(&p, buf_view(&b), &e), -1);
		EQ(e.code, EC_ABSENT);
		HAS(e.msg, "SGX");
	}
}

/* Read, and refused: nobody has made one, so its layout is not proved. */
TEST(tdx_p384_attestation_keys_are_refused)
{
	const struct run r = { .waive = true };
	AUTO_BUF a = { 0 }, b = { 0 };
	AUTO_VERDICT v = { 0 };
	struct tdx_quote q;

	tdx_quote_make(&a, &(const struct tdx_make){ .key_type = 3 });
	buf_put(&b, a.p, 632);
	buf_le32(&b, get_le32(a.p + 632) + 64);
	buf_fill(&b, 1, 192);
	buf_put(&b, a.p + 636 + 128, a.n - 636 - 128);
	WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
	EQ(q.key.n, 96);
	judge(&v, &r, buf_view(&b), NULL);
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "tdx.header: wanted version 4 or 5, an ECDSA P-256 key");
}

/* --- collateral --------------------------------------------------------------------------------------------------- */

TEST(tdx_missing_collateral_is_refused_unless_waived)
{
	BAD("tdx.tcbinfo", "none", .no_docs = true);
	BAD("tdx.tcbinfo", "none", .docs.no_tcb = true);
	BAD("tdx.qeidentity", "none", .docs.no_id = true);
	BAD("tdx.crl.root", "no list", .docs.no_root_crl = true);
	BAD("tdx.crl.pck", "no list", .docs.no_pck_crl = true);
	WARN("tdx.tcb.status", .no_docs = true, .waive = true);
	WARN("tdx.crl.root", .docs.no_root_crl = true, .waive = true);
	WARN("tdx.crl.pck", .docs.no_pck_crl = true, .waive = true);
	WARN("tdx.qe.identity", .docs.no_id = true, .waive = true);
	WARN("tdx.tcb.status", .docs.no_id = true, .waive = true);
	/* what is there is still judged */
	BAD("tdx.tcb.status", "revoked", .docs = { .no_id = true, .level = "Revoked" }, .waive = true);
	BAD("tdx.qe.identity", "MRSIGNER", .quote.qe_other_signer = true, .no_docs = true, .waive = true);
	BAD("tdx.qe.identity", "ISVPRODID", .quote.qe_prodid = 1, .no_docs = true, .waive = true);
	BAD("tdx.qe.identity", "debug", .quote.qe_debug = true, .no_docs = true, .waive = true);
	BAD("tdx.tcbinfo", "signature", .docs.tcb_signed_by_other = true, .waive = true);
}

#define IGNORE(id) "\"" id "\":\"ignore\""
#define IGNORE_LEVEL IGNORE("tdx.tcb.status") "," IGNORE("tdx.tcb.advisories") "," IGNORE("tdx.tcb.evaluation") "," IGNORE("tdx.collateral.age")

TEST(tdx_what_a_policy_ignores_is_warned_of)
{
	AUTO_VERDICT v = { 0 };

	WARN("tdx.td.debug", .quote.attributes = 1, .policy = "\"checks\":{" IGNORE("tdx.td.debug") "}");
	WARN("tdx.tcb.status", .docs.no_tcb = true, .policy = "\"checks\":{" IGNORE("tdx.tcbinfo") "," IGNORE("tdx.module") "," IGNORE_LEVEL "}");
	/* what stands on it is not taken for granted */
	run_it(&v, &(const struct run){ .docs.no_tcb = true, .policy = "\"checks\":{" IGNORE("tdx.tcbinfo") "}" });
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "tdx.module: not run");
	BAD("tdx.module", "no TCB info", .docs.no_tcb = true, .policy = "\"checks\":{\"tdx.tcbinfo\":\"warn\"}");
	BAD("tdx.module", "no TCB info", .docs.tcb_signed_by_other = true, .policy = "\"checks\":{\"tdx.tcbinfo\":\"warn\"}");
}

/* Whoever pins what an SNP guest has does not mean that a TD may be anything. */
TEST(tdx_quote_is_refused_where_a_policy_lists_other_makers_values)
{
#define CHIP "\"chip_ids\":[\"0011223344556677\"]"
	BAD("evidence.kind", "a TEE whose values the policy lists", .policy = CHIP);
	BAD("evidence.kind", "a TEE whose values the policy lists", .policy = "\"ak_keys\":[\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"]");
	GOOD(.policy = CHIP ",\"kinds\":[\"snp\",\"tdx\"]");
	GOOD(.policy = CHIP ",\"fmspc\":[\"00806f050000\"]");
	BAD("evidence.kind", "a TEE whose values the policy lists",
	    .policy = "\"fmspc\":[\"00806f050000\"],\"pcrs\":{\"4\":[\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"]}");
	GOOD(.policy = "\"min_tcb\":{\"snp\":8}");
}

static enum tcb_status level_of(const struct tdx_tcb_info *t, uint8_t launch, uint8_t now)
{
	struct tdx_pck pck = { .pcesvn = 99 };
	uint8_t a[16] = { 6, 1, launch }, b[16] = { 6, 1, now };
	struct tcb_verdict v;

	memset(pck.component, 255, sizeof pck.component);
	tdx_tcb_appraise(&v, t, NULL, &pck, a, b, 0);
	return v.status;
}

/* Of what held at launch and what holds now, the worse counts. */
TEST(tdx_level_at_work_counts_as_well_as_that_at_launch)
{
	static const struct { const char *newest, *older; enum tcb_status both; } cases[] = {
		{ "UpToDate", "SWHardeningNeeded", TCB_SW_HARDENING },
		{ "UpToDate", "ConfigurationNeeded", TCB_CONFIGURATION },
		{ "SWHardeningNeeded", "ConfigurationNeeded", TCB_CONFIGURATION_SW },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_BUF text = { 0 };
		struct tdx_tcb_info t = { 0 };

		tdx_tcb_info_make(&text, &(const struct tdx_docs){ .level = cases[i].newest, .old_level = cases[i].older });
		WORKS(tdx_tcb_info_parse(&t, buf_view(&text), &e));
		EQ(level_of(&t, 5, 4), cases[i].both);
		EQ(level_of(&t, 4, 5), cases[i].both);
		tdx_tcb_info_free(&t);
	}
}

/* The PCE certifies any enclave of its host: without the identity of Intel's a host writes its own quotes. */
TEST(tdx_quoting_enclave_of_the_host_is_refused_whatever_the_policy)
{
	AUTO_POLICY *p = NULL;

	FAILS(policy_parse(&p, SLICE("{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"tdx.qe.identity\":\"warn\"}}"), "test", &e), EC_FORMAT);
	BAD("tdx.qe.identity", "MRSIGNER", .quote.qe_other_signer = true, .policy = "\"checks\":{" IGNORE("tdx.qeidentity") "," IGNORE_LEVEL "}");
	BAD("tdx.qe.identity", "debug", .quote.qe_debug = true, .docs.no_id = true, .policy = "\"checks\":{\"tdx.qeidentity\":\"warn\"}");
	WARN("tdx.qe.identity", .policy = "\"checks\":{" IGNORE("tdx.qeidentity") "," IGNORE_LEVEL "}");
}

static void write_in(const char *dir, const char *name, struct slice data)
{
	AUTO_STR *path = str_printf(NULL, "%s/%s", dir, name);

	WORKS(outfile_write(path, data, 0600, false, &e));
}

TEST(tdx_collateral_that_breaks_says_where)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_STR *dir = NULL;
	AUTO_BUF chain = { 0 };
	struct err e = { 0 };

	EQ(collateral_add(&c, SLICE("{\"tcb_info\":\"{}\",\"tcb_info_signature\":\"\",\"qe_identity\":\"{},\\\"tcbInfo\\\":{}\","
				    "\"qe_identity_signature\":\"\"}"), "", "", &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "member 'qe_identity' holds something else");
	e = (struct err){ 0 };
	/* of a folder, a list that is cut is no list that was never given */
	dir = str_printf(&e, "%s/given", tmpdir());
	OK(dir && !mkdir(dir, 0700));
	tdx_chain_make(&chain, &(const struct tdx_make){ 0 });
	write_in(dir, "a.pem", buf_view(&chain));
	write_in(dir, "notes", SLICE("no certificate"));
	WORKS(collateral_load(&c, dir, &e));
	write_in(dir, "b.crl", SLICE("\x30\x82\x01"));
	EQ(collateral_load(&c, dir, &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "b.crl");
}

TEST(tdx_documents_that_do_not_hold_are_refused)
{
	BAD("tdx.tcbinfo", "no certificate 'Intel SGX TCB Signing'", .docs.no_signer = true);
	BAD("tdx.tcbinfo", "no certificate 'Intel SGX TCB Signing'", .docs.signer_other_cn = true);
	BAD("tdx.tcbinfo", "no certificate 'Intel SGX TCB Signing'", .docs.signer_ca = true);
	BAD("tdx.tcbinfo", "expired", .docs.signer_expired = true);
	BAD("tdx.tcbinfo", "not yet valid", .docs.signer_future = true);
	BAD("tdx.tcbinfo", "", .docs.signer_by_other_root = true);
	BAD("tdx.tcbinfo", "signature does not hold", .docs.tcb_signed_by_other = true);
	BAD("tdx.qeidentity", "signature does not hold", .docs.id_signed_by_other = true);
	BAD("tdx.tcbinfo", "TCB info has expired", .docs.tcb_next = TDX_NOW - 1);
	BAD("tdx.tcbinfo", "TCB info is not yet valid", .docs.tcb_issued = TDX_NOW + 1);
	BAD("tdx.qeidentity", "QE identity has expired", .docs.id_next = TDX_NOW - 1);
	BAD("tdx.qeidentity", "QE identity is not yet valid", .docs.id_issued = TDX_NOW + 1);
	GOOD(.docs = { .tcb_issued = TDX_NOW, .id_issued = TDX_NOW });
	GOOD(.docs = { .tcb_next = TDX_NOW, .id_next = TDX_NOW });
	BAD("tdx.tcbinfo", "FMSPC 00806f050001", .docs.fmspc = "00806F050001");
	BAD("tdx.tcbinfo", "PCE-ID 0100", .docs.pceid = "0100");
	BAD("tdx.tcbinfo", "id 'SGX'", .docs.tcb_id = "SGX");
	BAD("tdx.tcbinfo", "version 2", .docs.tcb_version = 2);
	BAD("tdx.qeidentity", "id 'QE'", .docs.qe_id = "QE");
	BAD("tdx.qeidentity", "version 3", .docs.qe_version = 3);
	BAD("tdx.tcbinfo", "unknown status 'Splendid'", .docs.level = "Splendid");
	BAD("tdx.tcbinfo", "unknown status 'NotSupported'", .docs.module = "NotSupported");
	BAD("tdx.qeidentity", "unknown status", .docs.qe = "uptodate");
}

TEST(tdx_what_is_revoked_is_refused_even_where_a_policy_only_warns)
{
	BAD("tdx.tcb.status", "NotSupported", .quote.lag = 2, .policy = "\"checks\":{\"tdx.tcb.status\":\"warn\"}");
	BAD("tdx.tcb.status", "Revoked", .docs.level = "Revoked", .policy = "\"checks\":{\"tdx.tcb.status\":\"warn\"}");
	BAD("tdx.crl.pck", "revoked", .docs.pck_lists_leaf = true, .policy = "\"checks\":{\"tdx.crl.pck\":\"warn\"}");
	WARN("tdx.tcb.status", .docs.level = "OutOfDate", .policy = "\"checks\":{\"tdx.tcb.status\":\"warn\"}");
}

TEST(tdx_revoked_certificates_are_refused)
{
	BAD("tdx.crl.root", "revoked: CN=Intel SGX PCK Platform CA", .docs.root_lists_mid = true);
	BAD("tdx.crl.root", "revoked: CN=Intel SGX TCB Signing", .docs.root_lists_signer = true);
	BAD("tdx.crl.pck", "revoked: CN=Intel SGX PCK Certificate", .docs.pck_lists_leaf = true);
	BAD("tdx.crl.root", "", .docs.crl_by_other = true);
	BAD("tdx.crl.root", "expired", .docs.crl_next = TDX_NOW - 1);
	BAD("tdx.crl.root", "not yet valid", .docs.crl_issued = TDX_NOW + 1);
	BAD("tdx.crl.pck", "no list", .quote.processor_ca = true);
}

/* Two lists that both hold now: the one without the entry does not hide the one with it. */
TEST(tdx_one_of_two_lists_is_enough_to_revoke)
{
	for (int order = 0; order < 2; order++) {
		const struct run r = { 0 };
		AUTO_COLLATERAL c = { 0 };
		AUTO_BUF quote = { 0 };
		AUTO_VERDICT v = { 0 };

		tdx_quote_make(&quote, &r.quote);
		tdx_docs_make(&c, &(const struct tdx_docs){ .pck_lists_leaf = order == 0 });
		tdx_docs_make(&c, &(const struct tdx_docs){ .pck_lists_leaf = order == 1 });
		judge(&v, &r, buf_view(&quote), &c);
		OK(!v.accepted);
		HAS(buf_cstr(&v.reason), "tdx.crl.pck");
	}
}

/* Of several documents the one for this platform that is valid now counts, wherever it stands; of two such the later evaluation. */
TEST(tdx_the_document_that_fits_is_found)
{
	const struct run r = { 0 };
	const struct tdx_docs wrong[] = { { .fmspc = "111111111111" }, { .tcb_next = TDX_NOW - 1, .id_next = TDX_NOW - 1 }, { .tcb_signed_by_other = true },
					  { .signer_expired = true }, { .evaluation = 16, .level = "OutOfDate" } };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		for (int order = 0; order < 2; order++) {
			AUTO_COLLATERAL c = { 0 };
			AUTO_BUF quote = { 0 };
			AUTO_VERDICT v = { 0 };

			tdx_quote_make(&quote, &r.quote);
			tdx_docs_make(&c, order ? &wrong[i] : &r.docs);
			tdx_docs_make(&c, order ? &r.docs : &wrong[i]);
			judge(&v, &r, buf_view(&quote), &c);
			if (!v.accepted)
				test_fail(__FILE__, __LINE__, "case %zu order %d: %s", i, order, buf_cstr(&v.reason));
		}
}

/* --- patch levels --------------------------------------------------------------------------------------------------- */

TEST(tdx_statuses_are_told_apart)
{
	static const char *const statuses[] = { "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
						"OutOfDateConfigurationNeeded" };

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		AUTO_BUF policy = { 0 }, word = { 0 };

		buf_printf(&word, "wanted UpToDate, is %s (", statuses[i]);
		buf_printf(&policy, "\"tcb_status\":[\"UpToDate\",\"%s\"]", statuses[i]);
		BAD("tdx.tcb.status", buf_cstr(&word), .docs.level = statuses[i]);
		GOOD(.docs.level = statuses[i], .policy = buf_cstr(&policy));
	}
	BAD("tdx.tcb.status", "Revoked (revoked by Intel)", .docs.level = "Revoked");
	BAD("tdx.tcb.status", "advisories INTEL-SA-00001", .docs.level = "OutOfDate");
	BAD("tdx.tcb.status", "OutOfDate (out of date); platform OutOfDate of 2023-08-09, the newest is of 2024-11-13 (462 days behind)",
	    .quote.lag = 1);
	BAD("tdx.tcb.status", "component 1 is 4, the newest level has 5", .quote.lag = 1);
	BAD("tdx.tcb.status", "PCESVN is 11, the newest level has 13", .quote.pcesvn = 11);
	BAD("tdx.tcb.status", "TDX component 2 is 4, the newest level has 5", .quote.microcode_lag = 1);
	BAD("tdx.tcb.status", "NotSupported (not supported", .quote.lag = 2);
	BAD("tdx.tcb.status", "NotSupported", .quote.pcesvn = 10);
	BAD("tdx.tcb.status", "component 1 is 3, the lowest level has 4", .quote.lag = 2, .docs.reversed = true);
	/* neither is ever on a list, and the policy's reader says so already */
	BAD("tdx.tcb.status", "NotSupported", .quote.lag = 2, .policy = "\"tcb_status\":[\"OutOfDate\"]");
}

TEST(tdx_module_levels_count_from_major_version_1)
{
	BAD("tdx.tcb.status", "TDX module OutOfDate of 2024-03-13", .quote.module_svn = 4);
	BAD("tdx.tcb.status", "TDX module OutOfDate", .quote.module_svn = 5);
	BAD("tdx.tcb.status", "SVN 3, the lowest level wants 4", .quote.module_svn = 3);
	GOOD(.quote.module_svn = 200);
	BAD("tdx.tcb.status", "Revoked", .quote.module_svn = 4, .docs.old_module = "Revoked");
	BAD("tdx.tcb.status", "Revoked", .docs.module = "Revoked");
	BAD("tdx.module", "major version 2, which the TCB info does not know", .quote.module_major = 2);
	BAD("tdx.module", "major version 1, which the TCB info does not know", .docs.no_modules = true);
	/* major version 0: the platform's levels hold the module's SVN */
	BAD("tdx.tcb.status", "NotSupported", .quote = { .plain_module = true, .module_svn = 2 });
	GOOD(.quote = { .plain_module = true, .module_svn = 3 });
	BAD("tdx.module", "signer", .docs.module_signer = "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111");
	BAD("tdx.seam", "signer 3232", .quote.seam_signer = true);
	BAD("tdx.seam", "SEAM attributes 01", .quote.seam_attributes = true);
}

TEST(tdx_quoting_enclave_has_to_be_intels)
{
	BAD("tdx.qe.identity", "MRSIGNER", .quote.qe_other_signer = true);
	BAD("tdx.qe.identity", "ISVPRODID", .quote.qe_prodid = 1);
	BAD("tdx.qe.identity", "MISCSELECT", .quote.qe_misc = true);
	BAD("tdx.qe.identity", "debug", .quote.qe_debug = true);
	BAD("tdx.tcb.status", "quoting enclave OutOfDate", .quote.qe_isvsvn = 3);
	BAD("tdx.tcb.status", "NotSupported", .quote.qe_isvsvn = 1);
	BAD("tdx.tcb.status", "Revoked", .docs.qe = "Revoked");
}

TEST(tdx_relaunch_is_advised_where_the_module_was_updated)
{
#define V5 .version = 5, .body_type = 3
	BAD("tdx.tcb.status", "TDRelaunchAdvised (", .quote = { V5, .module_svn = 4 });
	BAD("tdx.tcb.status", "TDX module at launch OutOfDate", .quote = { V5, .module_svn = 4 });
	BAD("tdx.tcb.status", "TDRelaunchAdvised (", .quote = { .version = 5, .body_type = 4, .module_svn = 4 });
	GOOD(.quote = { V5, .module_svn = 4 }, .policy = "\"tcb_status\":[\"TDRelaunchAdvised\"]");
	BAD("tdx.tcb.status", "TDRelaunchAdvisedConfigurationNeeded", .quote = { V5, .module_svn = 4 }, .docs.level = "ConfigurationNeeded");
	BAD("tdx.tcb.status", "OutOfDate (", .quote = { V5, .module_svn = 4, .module_now = 4 });
	BAD("tdx.tcb.status", "OutOfDate (", .quote = { V5, .module_now = 4 });		/* now older than at launch */
	BAD("tdx.tcb.status", "Revoked", .quote = { V5, .module_now = 4 }, .docs.old_module = "Revoked");
	BAD("tdx.tcb.status", "Revoked", .quote = { V5, .module_svn = 4 }, .docs.old_module = "Revoked");
	BAD("tdx.tcb.status", "NotSupported", .quote = { V5, .module_now = 3 });
	BAD("tdx.tcb.status", "OutOfDate (", .quote = { V5, .module_svn = 4, .lag = 1 });	/* a new launch alone helps nothing */
#undef V5
}

TEST(tdx_statuses_converge_as_intel_defines)
{
	static const struct { enum tcb_status with, other, want; } rows[] = {
		{ TCB_UP_TO_DATE, TCB_UP_TO_DATE, TCB_UP_TO_DATE }, { TCB_UP_TO_DATE, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE },
		{ TCB_SW_HARDENING, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE }, { TCB_CONFIGURATION, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE_CONFIGURATION },
		{ TCB_CONFIGURATION_SW, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE_CONFIGURATION }, { TCB_OUT_OF_DATE, TCB_UP_TO_DATE, TCB_OUT_OF_DATE },
		{ TCB_OUT_OF_DATE_CONFIGURATION, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE_CONFIGURATION }, { TCB_SW_HARDENING, TCB_UP_TO_DATE, TCB_SW_HARDENING },
		{ TCB_UP_TO_DATE, TCB_REVOKED, TCB_REVOKED }, { TCB_REVOKED, TCB_UP_TO_DATE, TCB_REVOKED },
		{ TCB_OUT_OF_DATE, TCB_NOT_SUPPORTED, TCB_NOT_SUPPORTED }, { TCB_REVOKED, TCB_NOT_SUPPORTED, TCB_NOT_SUPPORTED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		STR(tcb_status_name(tcb_converge(rows[i].with, rows[i].other)), tcb_status_name(rows[i].want));
}

/* --- values of the TD, and the policy ------------------------------------------------------------------------------- */

#define H48(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

TEST(tdx_values_are_compared_with_the_policy)
{
	BAD("tdx.td.debug", "on", .quote.attributes = 1);
	BAD("tdx.td.debug", "on", .quote.attributes = 0x80);
	WARN("tdx.td.debug", .quote.attributes = 1, .policy = "\"allow_debug\":true");
	BAD("tdx.td.migratable", "on", .quote.attributes = 0x20000000);
	WARN("tdx.td.migratable", .quote.attributes = 0x20000000, .policy = "\"allow_migrate\":true");
	BAD("tdx.xfam", "e6", .quote.bad_xfam = true);
	BAD("tdx.xfam", "e7", .policy = "\"xfam\":[\"e702060000000000\"]");
	GOOD(.policy = "\"xfam\":[\"e700000000000000\"]");
	BAD("tdx.service_td", "3737", .quote = { .version = 5, .body_type = 3, .service_td = true });
	BAD("tdx.service_td", "01", .quote = { .version = 5, .body_type = 4, .service_td = true });
	WARN("tdx.service_td", .quote = { .version = 5, .body_type = 3, .service_td = true }, .policy = "\"allow_service_td\":true");
	BAD("tdx.report_data", "0102", .want_nonce = true);
	BAD("tdx.report_data", "01020304", .want_nonce = true, .quote = { .report_data = "\1\2\3\4\5", .n = 5 });

	GOOD(.policy = "\"measurements\":[\"" H48("33") "\"]");
	BAD("tdx.measurement", "3333", .policy = "\"measurements\":[\"" H48("34") "\"]");
	GOOD(.policy = "\"mr_config_id\":[\"" H48("34") "\"]");
	BAD("tdx.mr_config_id", "3434", .policy = "\"mr_config_id\":[\"" H48("33") "\"]");
	GOOD(.policy = "\"init_data\":[\"" H48("34") "\"]");
	BAD("tdx.init_data", "3434", .policy = "\"init_data\":[\"" H48("35") "\"]");
	GOOD(.policy = "\"mr_owner\":[\"" H48("35") "\"]");
	BAD("tdx.mr_owner", "3535", .policy = "\"mr_owner\":[\"" H48("33") "\"]");
	GOOD(.policy = "\"mr_owner_config\":[\"" H48("36") "\"]");
	BAD("tdx.mr_owner_config", "3636", .policy = "\"mr_owner_config\":[\"" H48("33") "\"]");
	GOOD(.policy = "\"mr_seam\":[\"" H48("31") "\"]");
	BAD("tdx.mr_seam", "3131", .policy = "\"mr_seam\":[\"" H48("33") "\"]");
	GOOD(.policy = "\"fmspc\":[\"00806F050000\"]");
	BAD("tdx.fmspc", "00806f050000", .policy = "\"fmspc\":[\"00806f050001\"]");
	GOOD(.policy = "\"ppid\":[\"aa000000000000000000000000000000\"]");
	BAD("tdx.ppid", "aa01", .quote.other_machine = true, .policy = "\"ppid\":[\"aa000000000000000000000000000000\"]");
	GOOD(.policy = "\"td_attributes\":{\"sept_ve_disable\":true}");
	BAD("tdx.td.attributes", "0x0000000010000000", .policy = "\"td_attributes\":{\"sept_ve_disable\":false}");
}

TEST(tdx_rtmrs_are_compared_one_by_one)
{
	static const char *const ids[] = { "tdx.rtmr0", "tdx.rtmr1", "tdx.rtmr2", "tdx.rtmr3" };

	for (int i = 0; i < 4; i++) {
		AUTO_BUF good = { 0 }, bad = { 0 };

		buf_printf(&good, "\"rtmrs\":{\"%d\":[\"", i);
		buf_printf(&bad, "\"rtmrs\":{\"%d\":[\"", i);
		for (int k = 0; k < 48; k++) {
			buf_printf(&good, "%02x", 0x40 + i);
			buf_printf(&bad, "%02x", 0x41 + i);
		}
		buf_puts(&good, "\"]}");
		buf_puts(&bad, "\"]}");
		GOOD(.policy = buf_cstr(&good));
		BAD(ids[i], "is 4", .policy = buf_cstr(&bad));
	}
}

TEST(tdx_policy_on_collateral_is_kept)
{
	GOOD(.policy = "\"min_tcb_evaluation\":17");
	BAD("tdx.tcb.evaluation", "17", .policy = "\"min_tcb_evaluation\":18");
	GOOD(.docs.level = "SWHardeningNeeded", .policy = "\"tcb_status\":[\"SWHardeningNeeded\"],\"advisories\":[\"INTEL-SA-00001\"]");
	BAD("tdx.tcb.advisories", "INTEL-SA-00001", .docs.level = "SWHardeningNeeded",
	    .policy = "\"tcb_status\":[\"SWHardeningNeeded\"],\"advisories\":[\"INTEL-SA-00002\"]");
	WARN("tdx.tcb.status", .quote.lag = 1, .policy = "\"checks\":{\"tdx.tcb.status\":\"warn\"}");
	WARN("tdx.tcbinfo", .docs.tcb_next = TDX_NOW - 1, .policy = "\"checks\":{\"tdx.tcbinfo\":\"warn\"}");
	BAD("tdx.tcb.status", "OutOfDate", .quote.lag = 1, .docs.tcb_next = TDX_NOW - 1, .policy = "\"checks\":{\"tdx.tcbinfo\":\"warn\"}");
	BAD("tdx.tcb.status", "not known", .docs.tcb_signed_by_other = true, .policy = "\"checks\":{\"tdx.tcbinfo\":\"warn\",\"tdx.module\":\"warn\"}");
}

static enum outcome age(int64_t max, struct buf *actual)
{
	struct limits l = limits_strict;
	const struct expect x = { .limits = &l, .now = TDX_NOW };
	struct tdx_subject s = { .has_tcb = true, .has_id = true };
	struct finding f = { 0 };
	enum outcome o;

	l.max_collateral_age = max;
	s.tcb.doc.issued = TDX_NOW - 100;
	s.id.doc.issued = TDX_NOW - 200;
	s.root_crl = (struct tdx_list_use){ .used = true, .issued = TDX_NOW - 300 };
	o = tdx_check_age(&s, &x, &f);
	buf_slice(actual, buf_view(&f.actual));
	buf_free(&f.expected);
	buf_free(&f.actual);
	buf_free(&f.hint);
	return o;
}

TEST(tdx_collateral_may_not_be_older_than_asked)
{
	AUTO_BUF text = { 0 };

	EQ(age(0, &text), NOT_ASKED);
	EQ(age(300, &text), PASSED);
	buf_reset(&text);
	EQ(age(299, &text), FAILED);
	STR(buf_cstr(&text), "the root's revocation list is 300 s old");
}

/* --- whose collateral ---------------------------------------------------------------------------------------------- */

/* What the caller gives wins over what came with the evidence, as long as it is current. */
TEST(tdx_collateral_of_the_caller_comes_first)
{
	static tdx_check *const steps[] = { tdx_check_pck, tdx_check_chain, tdx_check_tcbinfo, tdx_check_qeidentity, tdx_check_status };
	static const struct { struct tdx_docs given, carried; enum outcome want; } rows[] = {
		{ { .level = "OutOfDate", .evaluation = 16 }, { .evaluation = 17 }, FAILED },
		{ { .evaluation = 16 }, { .level = "OutOfDate", .evaluation = 17 }, PASSED },
		{ { .level = "OutOfDate", .tcb_next = TDX_NOW - 1, .evaluation = 18 }, { .evaluation = 17 }, PASSED },
		{ { .no_tcb = true }, { .level = "OutOfDate" }, FAILED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_COLLATERAL given = { 0 };
		AUTO_COLLATERAL carried = { 0 };
		AUTO_BUF quote = { 0 };
		const struct expect x = { .limits = &limits_strict, .now = TDX_NOW, .intel_root = tdx_maker_root(), .given = &given, .carried = &carried };
		enum outcome o = NOT_RUN;
		void *p = NULL;

		tdx_quote_make(&quote, &(const struct tdx_make){ 0 });
		tdx_docs_make(&given, &rows[i].given);
		tdx_docs_make(&carried, &rows[i].carried);
		WORKS(tdx_subject_parse(&p, buf_view(&quote), &e));
		for (size_t k = 0; p && k < sizeof steps / sizeof steps[0]; k++) {
			struct finding f = { 0 };

			o = steps[k](p, &x, &f);
			buf_free(&f.expected);
			buf_free(&f.actual);
			buf_free(&f.hint);
		}
		EQ(o, rows[i].want);
		tdx_subject_drop(p);
	}
}

/* The log that Trustee's JSON carries is replayed against the registers of the quote. */
TEST(tdx_event_log_in_trustees_json_is_held_against_the_quote)
{
	static const char *const logs[] = { "null", "\"\"", "\"AAAA\"" };
	static const bool good[] = { true, true, false };

	for (size_t i = 0; i < 3; i++) {
		const struct run r = { 0 };
		AUTO_COLLATERAL c = { 0 };
		AUTO_BUF raw = { 0 }, json = { 0 }, b64 = { 0 };
		AUTO_VERDICT v = { 0 };

		tdx_quote_make(&raw, &r.quote);
		tdx_docs_make(&c, &r.docs);
		b64_encode(&b64, buf_view(&raw));
		buf_printf(&json, "{\"cc_eventlog\":%s,\"quote\":\"%s\"}", logs[i], buf_cstr(&b64));
		judge(&v, &r, buf_view(&json), &c);
		EQ(v.accepted, good[i]);
		if (!good[i])
			HAS(buf_cstr(&v.reason), "eventlog.parse");
	}
}
