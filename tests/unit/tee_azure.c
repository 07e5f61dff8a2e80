/* SPDX-License-Identifier: Apache-2.0 */
/* Azure's evidence from machines of our own: each check refuses for its reason, no changed byte and no exchanged part is accepted, and
 * what is collected from a paravisor of our own is what it had. */

#include "attest/appraise.h"
#include "attest/kinds.h"
#include "attest/policy.h"
#include "azure_maker.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/hash.h"
#include "snp_maker.h"
#include "tdx_maker.h"
#include "test.h"

#define NONCE SLICE("a nonce of the verifier")

struct way {			/* how it is appraised */
	struct slice nonce;		/* n 0: NONCE */
	const char *policy, *kind;
	bool waived;			/* no nonce, by --insecure-no-nonce */
	struct slice log;
	bool with_vcek;			/* given from outside */
};

static const struct collateral *intel(void)
{
	static struct collateral c;

	if (!c.n)
		tdx_docs_make(&c, &(const struct tdx_docs){ 0 });
	return &c;
}

static int judge_text(struct verdict *v, struct slice text, const struct way *w, const struct collateral *given, struct err *e)
{
	AUTO_POLICY *p = NULL;

	if (w->policy)
		WORKS(policy_parse(&p, slice_str(w->policy), "p", &e));
	return appraise(v, &(const struct appraise_in){ .evidence = text, .kind = w->kind ? w->kind : "auto", .now = AZURE_NOW, .policy = p,
							.has_nonce = !w->waived, .nonce = w->nonce.n ? w->nonce : NONCE,
							.insecure_no_nonce = w->waived, .snp_roots = maker_roots(),
							.intel_root = tdx_maker_root(), .given = given, .logs[LOG_TCG] = w->log }, e);
}

static int judge_with(struct verdict *v, const struct azure_parts *p, const struct way *w, struct err *e)
{
	AUTO_BUF text = { 0 };

	azure_text(&text, p);
	return judge_text(v, buf_view(&text), w, intel(), e);
}

static bool judged(const struct azure_parts *p)		/* accepted? */
{
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	return !judge_with(&v, p, &(const struct way){ 0 }, &e) && v.accepted;
}

static void wanted(const struct azure_parts *p, const struct way *w, const char *why, const char *what)
{
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	if (judge_with(&v, p, w, &e)) {
		test_fail(__FILE__, __LINE__, "%s: %s", what, e.msg);
		return;
	}
	if (!why ? !v.accepted : v.accepted || strncmp(buf_cstr(&v.reason), why, strlen(why)) || buf_cstr(&v.reason)[strlen(why)] != ':')
		test_fail(__FILE__, __LINE__, "%s: %s, wanted %s", what, v.accepted ? "accepted" : buf_cstr(&v.reason), why ? why : "accepted");
}

static const uint8_t ud_good[64] = "a nonce of the verifier", ud_old[64] = "a nonce of yesterday";
#define SECURE_BOOT "{\"schema\":\"cvmbox.policy/1\",\"secure_boot\":true}"
#define Z32 "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY_OF(kid, n) "{\"kid\":\"" kid "\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" n "\"}"
#define N1024 "5ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ub26ubw"

TEST(azure_machines_are_judged_for_their_reason)
{
	static const struct { const char *what; struct azure_make m; struct way w; const char *why; } t[] = {
		{ "good" },
		{ "good tdx", .m = { .tdx = true } },
		{ "user data", .m = { .user_data = ud_good, .version = 2 } },
		{ "user data tdx", .m = { .user_data = ud_good, .tdx = true } },
		{ "key behind another", .m = { .ak_last = true } },
		{ "unknown members", .m = { .more = "\"x\":[{\"kid\":\"HCLAkPub\"}],\"new\":null," } },
		{ "old paravisor", .m = { .no_user_data = true, .nv_size = 2048 } },
		{ "newer header", .m = { .hcl_version = 7 } },
		{ "capabilities", .m = { .data_version = 2, .between = 4 } },
		{ "SHA-384", .m = { .hash_type = 2 } },
		{ "SHA-512", .m = { .hash_type = 3 } },
		{ "no nonce, waived", .w = { .waived = true } },

		{ "unbound", .m = { .unbound = true }, .why = "azure.binding" },
		{ "unbound tdx", .m = { .unbound = true, .tdx = true }, .why = "azure.binding" },
		{ "unbound, waived", .m = { .unbound = true }, .w = { .waived = true }, .why = "azure.binding" },
		{ "no key", .m = { .keys = "[]" }, .why = "azure.ak" },
		{ "key of another name", .m = { .kid = "HCLAkPubx" }, .why = "azure.ak" },
		{ "two keys", .m = { .keys = "[" KEY_OF("HCLAkPub", N1024) "," KEY_OF("HCLAkPub", N1024) "]" }, .why = "azure.ak" },
		{ "small key", .m = { .keys = "[" KEY_OF("HCLAkPub", N1024) "]" }, .why = "azure.ak" },
		{ "exponent 3", .m = { .exponent = "Aw" }, .why = "azure.ak" },
		{ "exponent of nine bytes", .m = { .exponent = "AQAAAAAAAQAB" }, .why = "azure.ak" },
		{ "not RSA", .m = { .keys = "[{\"kid\":\"HCLAkPub\",\"kty\":\"EC\"}]" }, .why = "azure.ak" },
		{ "no modulus", .m = { .keys = "[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\"}]" }, .why = "azure.ak" },
		{ "vmpl 1", .m = { .vmpl = 1 }, .why = "azure.vmpl" },
		{ "vmpl 1, allowed", .m = { .vmpl = 1 }, .w = { .policy = "{\"schema\":\"cvmbox.policy/1\",\"vmpl_max\":3}" }, .why = "azure.vmpl" },
		{ "vmpl of the host", .m = { .vmpl = SNP_VMPL_HOST }, .why = "azure.vmpl" },
		{ "debug", .m = { .debug = true }, .why = "snp.policy.debug" },
		{ "user data of yesterday", .m = { .user_data = ud_old }, .why = "azure.user_data" },
		{ "user data of yesterday, ignored", .m = { .user_data = ud_old }, 
		  .w = { .policy = "{\"schema\":\"cvmbox.policy/1\",\"checks\":{\"azure.user_data\":\"ignore\"}}" } },
		{ "version 2 without user data", .m = { .no_user_data = true, .version = 2 }, .why = "azure.user_data" },
		{ "version 2, not set", .m = { .version = 2 }, .why = "azure.user_data" },
		{ "secure boot", .w = { .policy = SECURE_BOOT }, .why = "eventlog.secure_boot" },
		{ "no secure boot", .m = { .vm = "{\"secure-boot\":false}" }, .w = { .policy = SECURE_BOOT }, .why = "azure.vm_config" },
		{ "secure boot not said", .m = { .vm = "{}" }, .w = { .policy = SECURE_BOOT }, .why = "azure.vm_config" },
		{ "old nonce", .w = { .nonce = SLICE("another") }, .why = "tpm.nonce" },
		{ "no magic", .m = { .quote = { .magic = 0x12345678 } }, .why = "tpm.magic" },
		{ "no quote", .m = { .quote = { .type = 0x8017 } }, .why = "tpm." },
		{ "no PCR", .m = { .quote = { .no_pcrs = true } }, .why = "tpm.pcrs" },
		{ "initdata", .w = { .policy = "{\"schema\":\"cvmbox.policy/1\",\"init_data\":[\"" Z32 "\"]}" }, .why = "eventlog.init_data" },
		{ "garbage for a log", .w = { .log = SLICE("this is no log at all, only words") }, .why = "eventlog.parse" },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_AZURE_PARTS p = { 0 };
		struct azure_make m = t[i].m;

		m.nonce = NONCE;
		azure_make(&p, &m);
		if (t[i].why && t[i].why[strlen(t[i].why) - 1] == '.')
			OK(!judged(&p));
		else
			wanted(&p, &t[i].w, t[i].why, t[i].what);
	}
}

/* Without a nonce, and without a waiver, nothing is fresh. */
TEST(azure_freshness_is_never_assumed)
{
	for (int tdx = 0; tdx < 2; tdx++) {
		AUTO_AZURE_PARTS p = { 0 };
		AUTO_VERDICT v = { 0 };
		AUTO_BUF text = { 0 };

		azure_make(&p, &(const struct azure_make){ .tdx = tdx, .nonce = NONCE, .user_data = ud_good });
		azure_text(&text, &p);
		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&text), .kind = "auto", .now = AZURE_NOW, .given = intel(),
								.snp_roots = maker_roots(), .intel_root = tdx_maker_root() }, &e));
		OK(!v.accepted);
		HAS(buf_cstr(&v.reason), "tpm.nonce");
	}
}

TEST(azure_quote_nobody_signed_is_refused)
{
	AUTO_AZURE_PARTS p = { 0 };

	azure_make(&p, &(const struct azure_make){ .nonce = NONCE });
	azure_sign(&p, 1);
	wanted(&p, &(const struct way){ 0 }, "tpm.signature", "another machine's key");
	buf_free(&p.signature);
	wanted(&p, &(const struct way){ 0 }, "tpm.signature", "no signature");
	buf_free(&p.message);
	wanted(&p, &(const struct way){ 0 }, "azure.parts", "no quote");
	wanted(&p, &(const struct way){ .waived = true }, "azure.parts", "no quote, nonce waived");
}

TEST(azure_report_alone_is_recognised_and_refused)
{
	for (int tdx = 0; tdx < 2; tdx++) {
		AUTO_AZURE_PARTS p = { 0 };
		AUTO_VERDICT v = { 0 };
		AUTO_JSON *j = json_object();
		void *parsed = NULL;
		const struct evidence_kind *k;

		azure_make(&p, &(const struct azure_make){ .tdx = tdx, .nonce = NONCE });
		k = kind_recognise(buf_view(&p.hcl));
		OK(k == (tdx ? &evidence_az_tdx : &evidence_az_snp));
		WORKS(judge_text(&v, buf_view(&p.hcl), &(const struct way){ .waived = true }, intel(), &e));
		OK(!v.accepted);
		HAS(buf_cstr(&v.reason), "azure.parts");
		WORKS(k->parse(&parsed, buf_view(&p.hcl), (struct slice){ 0 }, &e));
		WORKS(k->details(j, parsed, &e));
		STR(json_string(json_path(j, "/hcl_report/report_type")), tdx ? "TDX" : "SNP");
		OK(json_path(j, "/hcl_report/claims/vm-configuration") != NULL);
		k->drop(parsed);
	}
}

TEST(azure_kind_that_was_not_asked_for_is_refused)
{
	for (int tdx = 0; tdx < 2; tdx++) {
		AUTO_AZURE_PARTS p = { 0 };
		AUTO_VERDICT v = { 0 };

		azure_make(&p, &(const struct azure_make){ .tdx = tdx, .nonce = NONCE });
		FAILS(judge_with(&v, &p, &(const struct way){ .kind = tdx ? "az-snp-vtpm" : "az-tdx-vtpm" }, &e), EC_REFUSED);
	}
}

/* The report inside is genuine, and it is bound to claims: no nonce of a verifier is in it. */
TEST(azure_inner_report_is_not_taken_for_snp)
{
	AUTO_AZURE_PARTS p = { 0 };
	AUTO_COLLATERAL given = { 0 };
	AUTO_VERDICT v = { 0 }, w = { 0 };
	struct hcl_report h;

	azure_make(&p, &(const struct azure_make){ .nonce = NONCE });
	WORKS(hcl_parse(&h, buf_view(&p.hcl), &e));
	WORKS(collateral_add(&given, buf_view(&p.vcek), "vcek", "", &e));
	WORKS(judge_text(&v, h.hardware, &(const struct way){ .kind = "snp" }, &given, &e));
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "snp.report_data");
	WORKS(judge_text(&w, h.hardware, &(const struct way){ .kind = "snp", .nonce = hcl_report_data(&h) }, &given, &e));
	OK(w.accepted);		/* the same bytes, for what they do say */
}

/* --- changed bytes --------------------------------------------------------------------------------------------------- */

static void flip(struct azure_parts *p, uint8_t *bytes, size_t n, size_t step, const char *what)
{
	for (size_t i = 0; i < n; i += step) {
		bytes[i] ^= 1 << i % 8;
		if (judged(p))
			test_fail(__FILE__, __LINE__, "%s: byte %zu changed, and accepted", what, i);
		bytes[i] ^= 1 << i % 8;
	}
}

TEST(azure_changed_bytes_are_refused)
{
	for (int tdx = 0; tdx < 2; tdx++) {
		AUTO_AZURE_PARTS p = { 0 };
		struct hcl_report h;
		uint8_t *hardware;

		azure_make(&p, &(const struct azure_make){ .tdx = tdx, .nonce = NONCE, .user_data = ud_good });
		WORKS(hcl_parse(&h, buf_view(&p.hcl), &e));
		hardware = p.hcl.p + 32;
		OK(judged(&p));
		flip(&p, p.message.p, p.message.n, 3, "message");
		flip(&p, p.signature.p, p.signature.n, 37, "signature");
		flip(&p, p.pcrs[0], sizeof p.pcrs[0] * p.n_pcrs, 61, "PCRs");
		flip(&p, p.hcl.p + (h.claims.p - h.raw.p), h.claims.n, 43, "claims");
		flip(&p, p.hcl.p + (h.claims.p - h.raw.p) + h.claims.n, h.fill.n, 211, "fill");
		flip(&p, p.hcl.p + 8, 4, 1, "report_size");
		flip(&p, p.hcl.p + 16, 4, 1, "status");
		if (tdx) {
			flip(&p, hardware, 16, 3, "type and reserved");
			flip(&p, hardware + 32, 192, 17, "hashes and report data");
			flip(&p, hardware + 256, 768, 31, "TD");
			flip(&p, p.td_quote.p, 48 + 584, 47, "TD quote");
			flip(&p, hardware + 1024, 160, 53, "behind the TDREPORT");
		} else {
			flip(&p, hardware, 0x330, 29, "report and its signature");
		}
		OK(judged(&p));
	}
}

/* Every byte of the claims changes what the hardware report would have to hold; every byte of a TDREPORT but its MAC and CPUSVN, which
 * only the machine can check, is compared. */
TEST(azure_every_byte_is_bound)
{
	AUTO_AZURE_PARTS p = { 0 };
	struct hcl_report h;
	struct tdx_quote q;
	uint8_t want[64], is[64];
	size_t at;

	azure_make(&p, &(const struct azure_make){ .tdx = true, .nonce = NONCE });
	WORKS(hcl_parse(&h, buf_view(&p.hcl), &e));
	WORKS(hcl_binding(want, &h, &e));
	WORKS(tdx_quote_parse(&q, buf_view(&p.td_quote), &e));
	WORKS(tdreport_matches(h.hardware, q.body, &e));
	at = (size_t)(h.claims.p - h.raw.p);
	for (size_t i = 0; i < h.claims.n; i++) {
		p.hcl.p[at + i] ^= 0x20;
		WORKS(hcl_binding(is, &h, &e));
		OK(memcmp(is, want, 32) != 0);
		p.hcl.p[at + i] ^= 0x20;
	}
	for (size_t i = 0; i < TDREPORT_SIZE; i++) {
		struct err e = { 0 };
		const bool own = i == 2 || (i >= 16 && i < 32) || (i >= 224 && i < 256);	/* version, CPUSVN, MAC */

		p.hcl.p[32 + i] ^= 0x10;
		if (own != !tdreport_matches(h.hardware, q.body, &e))
			test_fail(__FILE__, __LINE__, "byte %zu of the TDREPORT: %s", i, own ? e.msg : "not compared");
		p.hcl.p[32 + i] ^= 0x10;
	}
}

TEST(azure_tdreport_of_a_15_body_is_compared_too)
{
	AUTO_BUF quote = { 0 };
	struct tdx_quote q;
	uint8_t r[TDREPORT_SIZE];

	tdx_quote_make(&quote, &(const struct tdx_make){ .version = 5, .body_type = 3, .report_data = "x", .n = 1 });
	WORKS(tdx_quote_parse(&q, buf_view(&quote), &e));
	azure_tdreport(r, q.body);
	WORKS(tdreport_matches(slice_of(r, sizeof r), q.body, &e));
	r[384] ^= 1;
	FAILS(tdreport_matches(slice_of(r, sizeof r), q.body, &e), EC_REFUSED);
	r[384] ^= 1;
	r[912] ^= 1;
	FAILS(tdreport_matches(slice_of(r, sizeof r), q.body, &e), EC_REFUSED);
	r[912] ^= 1;
	FAILS(tdreport_matches(slice_of(r, sizeof r - 1), q.body, &e), EC_FORMAT);
	FAILS(tdreport_matches(slice_of(r, sizeof r), slice_of(q.body.p, 583), &e), EC_FORMAT);
}

/* --- lengths ------------------------------------------------------------------------------------------------------------ */

TEST(azure_cut_reports_are_malformed)
{
	AUTO_AZURE_PARTS p = { 0 };
	struct hcl_report h;
	size_t end;

	azure_make(&p, &(const struct azure_make){ .nonce = NONCE });
	WORKS(hcl_parse(&h, buf_view(&p.hcl), &e));
	end = (size_t)(h.claims.p - h.raw.p) + h.claims.n;
	for (size_t n = 0; n < end; n++) {
		AUTO_BUF exact = { 0 };		/* so that a byte behind it is noticed */

		buf_put(&exact, p.hcl.p, n);
		FAILS(hcl_parse(&h, buf_view(&exact), &e), EC_FORMAT);
	}
	WORKS(hcl_parse(&h, slice_of(p.hcl.p, end), &e));
	EQ(h.fill.n, 0);
}

static void put32(struct azure_parts *p, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		p->hcl.p[at + i] = (uint8_t)(v >> (8 * i));
}

/* Sizes at 8 (the whole), 1216 (runtime data) and 1232 (claims); 1220 is the version. */
TEST(azure_sizes_are_never_believed)
{
	static const uint32_t values[] = { 0, 1, 4, 19, 20, 21, 24, 1363, 2599, 2600, 65535, 0x7fffffff, 0x80000000, 0xffffffec, 0xfffffffe, 0xffffffff };
	static const size_t at[] = { 8, 1216, 1232, 1216, 1232 };

	for (size_t k = 0; k < sizeof at / sizeof at[0]; k++)
		for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
			AUTO_AZURE_PARTS p = { 0 };
			AUTO_VERDICT v = { 0 };
			struct err e = { 0 };

			azure_make(&p, &(const struct azure_make){ .nonce = NONCE, .data_version = k < 3 ? 1 : 2 });
			put32(&p, at[k], values[i]);
			if (!judge_with(&v, &p, &(const struct way){ 0 }, &e))
				OK(!v.accepted);
			else
				EQ(e.code, EC_FORMAT);
		}
}

TEST(azure_header_has_to_make_sense)
{
	static const struct { size_t at; uint32_t v; enum ec code; } t[] = {
		{ 0, 0x424c4348, EC_FORMAT }, { 4, 0, EC_FORMAT }, { 1220, 0, EC_FORMAT }, { 1224, HCL_VBS, EC_ABSENT }, { 1224, HCL_TVM, EC_ABSENT },
		{ 1224, 99, EC_ABSENT }, { 1224, 0, EC_ABSENT },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_AZURE_PARTS p = { 0 };
		struct hcl_report h;

		azure_make(&p, &(const struct azure_make){ .nonce = NONCE });
		put32(&p, t[i].at, t[i].v);
		FAILS(hcl_parse(&h, buf_view(&p.hcl), &e), t[i].code);
	}
}

TEST(azure_header_that_contradicts_its_parts_is_refused)
{
	static const struct { size_t at; uint32_t v; const char *why; } t[] = {
		{ 8, 100, "azure.hcl" }, { 16, 1, "azure.hcl" }, { 1228, 0, "azure.binding" }, { 1228, 4, "azure.binding" },
		{ 1228, 2, "azure.binding" },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_AZURE_PARTS p = { 0 };

		azure_make(&p, &(const struct azure_make){ .nonce = NONCE });
		put32(&p, t[i].at, t[i].v);
		wanted(&p, &(const struct way){ 0 }, t[i].why, t[i].why);
	}
}

/* --- claims -------------------------------------------------------------------------------------------------------------- */

TEST(azure_claims_that_are_none_are_malformed)
{
	static const char *const bad[] = { "{", "[]", "1", "{}", "{\"keys\":{}}", "{\"keys\":[],\"vm-configuration\":[]}", "{\"keys\":[],\"user-data\":1}",
					   "{\"keys\":[],\"user-data\":\"00\"}", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]} x", "{\"keys\":[]}\0",
					   "{\"keys\":[],\"user-data\":\"zz\"}" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct hcl_claims c = { 0 };

		FAILS(hcl_claims_parse(&c, i == 10 ? slice_of(bad[i], 12) : slice_str(bad[i]), &e), EC_FORMAT);
	}
}

TEST(azure_user_data_in_either_case)
{
	AUTO_AZURE_PARTS p = { 0 };
	char upper[129];

	for (size_t i = 0; i < 64; i++)
		snprintf(upper + 2 * i, 3, "%02X", ud_good[i]);
	azure_make(&p, &(const struct azure_make){ .nonce = NONCE, .user_data_text = upper, .version = 2 });
	wanted(&p, &(const struct way){ 0 }, NULL, "upper case");
}

/* --- PCRs -------------------------------------------------------------------------------------------------------------- */

TEST(azure_pcrs_belong_to_the_selection)
{
	AUTO_AZURE_PARTS p = { 0 };
	AUTO_VERDICT v = { 0 };
	struct tpm_pcrs all;

	maker_pcrs(&all, TPM_SHA256, TPM_ALL_PCRS);
	azure_make(&p, &(const struct azure_make){ .nonce = NONCE, .quote.mask = 1 << 0 | 1 << 2 | 1 << 11 });
	EQ(p.n_pcrs, 3);
	WORKS(judge_with(&v, &p, &(const struct way){ 0 }, &e));
	OK(v.accepted);
	OK(json_path(v.claims, "/az-snp-vtpm/tpm/pcr11") && !json_path(v.claims, "/az-snp-vtpm/tpm/pcr01"));
	HAS(json_string(json_path(v.claims, "/az-snp-vtpm/tpm/pcr11")), "0b0c0d0e");
	for (unsigned i = 0; i < TPM_PCRS; i++)		/* more values than were quoted */
		memcpy(p.pcrs[i], all.v[i], 32);
	p.n_pcrs = TPM_PCRS;
	wanted(&p, &(const struct way){ 0 }, "tpm.pcrs", "24 values, three quoted");
}

TEST(azure_shuffled_pcrs_are_refused)
{
	AUTO_AZURE_PARTS p = { 0 };
	uint8_t one[32];

	azure_make(&p, &(const struct azure_make){ .nonce = NONCE });
	memcpy(one, p.pcrs[4], 32);
	memcpy(p.pcrs[4], p.pcrs[9], 32);
	memcpy(p.pcrs[9], one, 32);
	wanted(&p, &(const struct way){ 0 }, "tpm.pcrs", "two exchanged");
	memcpy(p.pcrs[9], p.pcrs[4], 32);
	memcpy(p.pcrs[4], one, 32);
	wanted(&p, &(const struct way){ 0 }, NULL, "and back");
	p.n_pcrs--;
	wanted(&p, &(const struct way){ 0 }, "tpm.pcrs", "one is missing");
}

/* Init data is in PCR 8: a digest that is not in the SNP report's host data is no reason to refuse. */
TEST(azure_init_data_is_looked_for_in_pcr_8)
{
	AUTO_AZURE_PARTS p = { 0 };
	AUTO_BUF policy = { 0 };
	struct tpm_pcrs pcrs;
	uint8_t in[64] = { 0 };

	memset(in + 32, 0x77, 32);
	maker_pcrs(&pcrs, TPM_SHA256, TPM_ALL_PCRS);
	WORKS(hash_of(pcrs.v[8], HASH_SHA256, slice_of(in, sizeof in), &e));
	azure_make(&p, &(const struct azure_make){ .nonce = NONCE, .quote.pcrs = &pcrs });
	buf_puts(&policy, "{\"schema\":\"cvmbox.policy/1\",\"init_data\":[\"");
	buf_hex(&policy, slice_of(in + 32, 32));
	buf_puts(&policy, "\"]}");
	wanted(&p, &(const struct way){ .policy = buf_cstr(&policy) }, NULL, "init data");
	policy.p[policy.n - 5] ^= 1;
	wanted(&p, &(const struct way){ .policy = buf_cstr(&policy) }, "eventlog.init_data", "other init data");
}

/* --- exchanged parts ------------------------------------------------------------------------------------------------------- */

TEST(azure_parts_of_two_machines_do_not_go_together)
{
	for (int tdx = 0; tdx < 2; tdx++)
		for (int what = 0; what < 4; what++) {
			AUTO_AZURE_PARTS p = { 0 }, q = { 0 };

			azure_make(&p, &(const struct azure_make){ .tdx = tdx, .nonce = NONCE });
			azure_make(&q, &(const struct azure_make){ .tdx = tdx, .nonce = NONCE, .machine = 1, .quote.bank = TPM_SHA256 });
			OK(judged(&p) && judged(&q));
			switch (what) {
			case 0:		/* its report, with the other's quote */
				buf_move(&p.hcl, &q.hcl);
				wanted(&p, &(const struct way){ 0 }, tdx ? "azure.tdreport" : "tpm.signature", "report");
				break;
			case 1:
				buf_move(&p.message, &q.message);
				buf_move(&p.signature, &q.signature);
				wanted(&p, &(const struct way){ 0 }, "tpm.signature", "quote");
				break;
			case 2:		/* claims and runtime data of the one, hardware report of the other */
				memcpy(p.hcl.p + 32, q.hcl.p + 32, 1184);
				wanted(&p, &(const struct way){ 0 }, "azure.binding", "hardware report");
				break;
			case 3:
				if (!tdx)
					continue;
				buf_move(&p.td_quote, &q.td_quote);
				wanted(&p, &(const struct way){ 0 }, "azure.tdreport", "TD quote");
				break;
			}
			OK(!judged(&p));
		}
}

/* --- forms ----------------------------------------------------------------------------------------------------------------- */

static void bytes_of(struct json *to, const char *name, const struct buf *b)
{
	json_add_bytes(to, name, buf_view(b));
}

TEST(azure_version_0_is_read)
{
	for (int tdx = 0; tdx < 2; tdx++) {
		AUTO_AZURE_PARTS p = { 0 };
		AUTO_VERDICT v = { 0 };
		AUTO_BUF text = { 0 }, pem = { 0 };
		AUTO_JSON *j = json_object();
		struct json *q, *list;

		azure_make(&p, &(const struct azure_make){ .tdx = tdx, .nonce = NONCE });
		q = json_add_object(j, "quote");
		bytes_of(q, "signature", &p.signature);
		bytes_of(q, "message", &p.message);
		list = json_add_array(q, "pcrs");
		for (size_t i = 0; i < p.n_pcrs; i++)
			json_add_bytes(list, NULL, slice_of(p.pcrs[i], 32));
		bytes_of(j, tdx ? "hcl_report" : "report", &p.hcl);
		if (tdx)
			bytes_of(j, "td_quote", &p.td_quote);
		buf_puts(&pem, "-----BEGIN CERTIFICATE-----\n");
		b64_encode(&pem, buf_view(&p.vcek));
		buf_puts(&pem, "\n-----END CERTIFICATE-----\n");
		if (!tdx)
			json_add_str(j, "vcek", buf_cstr(&pem));
		WORKS(json_write(&text, j, false, &e));
		WORKS(judge_text(&v, buf_view(&text), &(const struct way){ 0 }, intel(), &e));
		OK(v.accepted);
		STR(v.tee, tdx ? "az-tdx-vtpm" : "az-snp-vtpm");
	}
}

TEST(azure_forms_that_are_none_are_malformed)
{
	static const char *const bad[] = {
		"{\"version\":3,\"hcl_report\":\"\"}", "{\"version\":0,\"hcl_report\":\"\"}", "{\"version\":\"1\",\"hcl_report\":\"\"}",
		"{\"version\":1,\"hcl_report\":1}", "{\"version\":1,\"hcl_report\":\"!\"}", "{\"version\":1,\"hcl_report\":\"\",\"tpm_quote\":[]}",
		"{\"version\":1,\"hcl_report\":\"\",\"tpm_quote\":{\"signature\":\"0\",\"message\":\"\",\"pcrs\":[]}}",
		"{\"version\":1,\"hcl_report\":\"\",\"tpm_quote\":{\"signature\":\"\",\"message\":\"\",\"pcrs\":[\"00\"]}}",
		"{\"version\":1,\"hcl_report\":\"\",\"tpm_quote\":{\"signature\":\"\",\"message\":\"\",\"pcrs\":[1]}}",
		"{\"quote\":{\"signature\":[256],\"message\":[],\"pcrs\":[]},\"report\":[],\"vcek\":\"\"}",
		"{\"quote\":{\"signature\":[-1],\"message\":[],\"pcrs\":[]},\"report\":[],\"vcek\":\"\"}",
		"{\"quote\":{\"signature\":[],\"message\":[],\"pcrs\":[]},\"report\":\"\",\"vcek\":\"\"}", "{}", "null",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_VERDICT v = { 0 };

		FAILS(judge_text(&v, slice_str(bad[i]), &(const struct way){ .kind = "az-snp-vtpm" }, NULL, &e), EC_FORMAT);
	}
}

TEST(azure_more_than_24_pcrs_are_malformed)
{
	AUTO_BUF b = { 0 };
	struct azure_parts p;

	buf_puts(&b, "{\"version\":1,\"hcl_report\":\"\",\"tpm_quote\":{\"signature\":\"\",\"message\":\"\",\"pcrs\":[");
	for (int i = 0; i < 25; i++)
		buf_printf(&b, "%s\"%064d\"", i ? "," : "", i);
	buf_puts(&b, "]}}");
	FAILS(azure_parts_read(&p, buf_view(&b), &e), EC_FORMAT);
}

TEST(azure_vcek_may_come_later)
{
	AUTO_AZURE_PARTS p = { 0 };
	AUTO_COLLATERAL given = { 0 };
	AUTO_VERDICT v = { 0 };
	AUTO_BUF text = { 0 };

	azure_make(&p, &(const struct azure_make){ .nonce = NONCE });
	WORKS(collateral_add(&given, buf_view(&p.vcek), "vcek", "", &e));
	buf_free(&p.vcek);
	wanted(&p, &(const struct way){ 0 }, "snp.vek", "no VCEK");
	azure_text(&text, &p);
	WORKS(judge_text(&v, buf_view(&text), &(const struct way){ 0 }, &given, &e));
	OK(v.accepted);
}

/* --- collecting ---------------------------------------------------------------------------------------------------------- */

static int collect(struct evidence *ret, struct paravisor *p, bool tdx, int64_t ms, struct err *e)
{
	struct host h;
	struct tpm t;
	int rc;

	host_init(&h);
	host_set_sysroot(&h, tmpdir(), NULL);
	h.offline = true;
	h.deadline_ms = ms ? host_mono_ms() + ms : 0;
	paravisor_attach(&t, p, &h);
	rc = azure_collect_with(ret, &t, &h, tdx, NONCE, e);
	host_close(&h);
	return rc;
}

/* Offline there is no VCEK in it; with one from elsewhere the evidence holds. */
static void collected_is_accepted(struct paravisor *p, uint64_t version)
{
	AUTO_EVIDENCE ev = { 0 };
	AUTO_AZURE_PARTS parts = { 0 }, like = { 0 };

	WORKS(collect(&ev, p, false, 5000, &e));
	WORKS(azure_parts_read(&parts, buf_view(&ev.raw), &e));
	EQ(parts.version, version);
	EQ(parts.n_pcrs, 24);
	azure_make(&like, &p->machine);
	buf_move(&parts.vcek, &like.vcek);
	wanted(&parts, &(const struct way){ 0 }, NULL, "collected");
}

TEST(azure_collects_what_the_paravisor_has)
{
	struct paravisor p;

	paravisor_init(&p, &(const struct azure_make){ 0 });
	collected_is_accepted(&p, 2);
	EQ(p.defined, 1);
	EQ(p.written, 1);
	MEM(p.user_data, ud_good, 64);
	collected_is_accepted(&p, 2);		/* the index is there now */
	EQ(p.defined, 1);
	paravisor_free(&p);
}

TEST(azure_collects_from_a_late_and_from_a_torn_report)
{
	struct paravisor p;

	paravisor_init(&p, &(const struct azure_make){ 0 });
	p.late = 4;
	collected_is_accepted(&p, 2);
	memset(p.user_data, 1, 64);
	p.machine.version = 0;
	paravisor_free(&p);
	paravisor_init(&p, &(const struct azure_make){ .more = "\"a\":\"1\"," });
	p.torn = true;
	collected_is_accepted(&p, 2);
	paravisor_free(&p);
}

TEST(azure_collects_from_an_old_paravisor)
{
	struct paravisor p;

	paravisor_init(&p, &(const struct azure_make){ .no_user_data = true, .nv_size = 2048 });
	collected_is_accepted(&p, 1);
	EQ(p.written, 0);
	paravisor_free(&p);
	paravisor_init(&p, &(const struct azure_make){ 0 });
	p.no_write = true;		/* it has user-data, and the TPM does not let us */
	collected_is_accepted(&p, 1);
	paravisor_free(&p);
}

TEST(azure_collecting_fails_where_it_has_to)
{
	AUTO_EVIDENCE ev = { 0 };
	struct paravisor p;

	paravisor_init(&p, &(const struct azure_make){ 0 });
	FAILS(collect(&ev, &p, true, 5000, &e), EC_ABSENT);	/* SNP, and not TDX */
	p.deaf = true;
	FAILS(collect(&ev, &p, false, 700, &e), EC_IO);
	paravisor_free(&p);

	paravisor_init(&p, &(const struct azure_make){ .machine = 1 });
	FAILS(collect(&ev, &p, false, 5000, &e), EC_IO);	/* the TPM's key is not the claims' */
	p.sim.persistent = 0x81000004;
	FAILS(collect(&ev, &p, false, 5000, &e), EC_ABSENT);
	paravisor_free(&p);

	paravisor_init(&p, &(const struct azure_make){ .tdx = true });
	FAILS(collect(&ev, &p, true, 5000, &e), EC_ABSENT);	/* offline there is no TD quote */
	p.sim.n_nv = 0;
	FAILS(collect(&ev, &p, false, 5000, &e), EC_ABSENT);
	paravisor_free(&p);

	paravisor_init(&p, &(const struct azure_make){ 0 });
	p.sim.n_nv = 2;
	p.sim.nv[1].index = 0x01400002;
	buf_fill(&p.sim.nv[1].data, 0, 32);		/* somebody else's: user-data was never set, so the quote's nonce serves */
	collected_is_accepted(&p, 1);
	paravisor_free(&p);
	OK(ev.raw.n == 0);
}

TEST(azure_stale_user_data_is_not_handed_out)
{
	AUTO_EVIDENCE ev = { 0 };
	struct paravisor p;

	paravisor_init(&p, &(const struct azure_make){ 0 });
	collected_is_accepted(&p, 2);
	p.user_data[0] ^= 1;			/* of another nonce */
	p.no_write = true;
	{
		AUTO_AZURE_PARTS parts = { 0 };
		struct azure_make m = p.machine;

		m.user_data = p.user_data;
		azure_make(&parts, &m);
		buf_move(&p.sim.nv[0].data, &parts.hcl);
	}
	FAILS(collect(&ev, &p, false, 5000, &e), EC_IO);
	paravisor_free(&p);
}
