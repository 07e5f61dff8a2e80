/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing that was changed, cut or exchanged is accepted. */

#include "snp_run.h"
#include "test.h"
#include "tee/snp_verify.h"

#ifdef __SANITIZE_ADDRESS__
#define STEP 5			/* each one costs P-384 verifications */
#else
#define STEP 1
#endif

struct good {			/* a report and its certificate, accepted as they are */
	uint8_t raw[SNP_REPORT_SIZE];
	struct buf vek;
};
#define AUTO_GOOD __attribute__((cleanup(good_free))) struct good

static void good_free(struct good *g)
{
	buf_free(&g->vek);
}

static void good_make(struct good *g, const struct report_make *m, const struct vek_make *v)
{
	report_make(g->raw, m);
	vek_make(&g->vek, g->raw, v);
}

/* "": accepted.  Else the reason, or the error of what is no evidence at all. */
static void verdict_of(struct buf *ret, struct slice evidence, struct slice vek)
{
	AUTO_COLLATERAL given = { 0 };
	AUTO_VERDICT v = { 0 };
	struct err e = { 0 };

	if (vek.n && collateral_add(&given, vek, "test", "", &e)) {
		EQ(e.code, EC_FORMAT);
		buf_puts(ret, "malformed certificate");
		return;
	}
	if (appraise(&v, &(const struct appraise_in){ .evidence = evidence, .kind = "snp", .given = &given, .now = MAKER_NOW,
						      .insecure_no_nonce = true, .snp_roots = maker_roots() }, &e)) {
		EQ(e.code, EC_FORMAT);
		buf_puts(ret, "malformed evidence");
		return;
	}
	if (v.accepted != (v.reason.n == 0))
		test_fail(__FILE__, __LINE__, "accepted %d, reason '%s'", v.accepted, buf_cstr(&v.reason));
	buf_slice(ret, buf_view(&v.reason));
}

TEST(snp_sound_every_flipped_byte_of_a_report_is_refused)
{
	static const struct report_make kinds[] = { { 0 }, { .vlek = true }, { .version = 5, .product = SNP_TURIN } };

	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		AUTO_GOOD g = { 0 };
		AUTO_BUF as_is = { 0 };

		good_make(&g, &kinds[k], &(const struct vek_make){ .vlek = kinds[k].vlek });
		verdict_of(&as_is, slice_of(g.raw, sizeof g.raw), buf_view(&g.vek));
		STR(buf_cstr(&as_is), "");
		for (size_t i = 0; i < 0x330; i += k ? 11 * STEP : STEP) {
			AUTO_BUF why = { 0 };

			g.raw[i] ^= (uint8_t)(1u << i % 8);
			verdict_of(&why, slice_of(g.raw, sizeof g.raw), buf_view(&g.vek));
			if (why.n == 0)
				test_fail(__FILE__, __LINE__, "kind %zu, byte 0x%zx flipped, and accepted", k, i);
			/* where the fields are that choose the key and its product, those checks come first */
			if (i >= 0x50 && (i < 0x188 || i > 0x189) && !strstr(buf_cstr(&why), "snp.signature"))
				test_fail(__FILE__, __LINE__, "kind %zu, byte 0x%zx: '%s'", k, i, buf_cstr(&why));
			g.raw[i] ^= (uint8_t)(1u << i % 8);
		}
	}
}

TEST(snp_sound_every_flipped_byte_of_a_certificate_is_refused)
{
	static const struct vek_make kinds[] = { { 0 }, { .vlek = true } };

	for (size_t k = 0; k < 2; k++) {
		AUTO_GOOD g = { 0 };

		good_make(&g, &(const struct report_make){ .vlek = kinds[k].vlek }, &kinds[k]);
		for (size_t i = 0; i < g.vek.n; i += k ? 11 * STEP : STEP) {
			AUTO_BUF why = { 0 };

			g.vek.p[i] ^= (uint8_t)(1u << i % 8);
			verdict_of(&why, slice_of(g.raw, sizeof g.raw), buf_view(&g.vek));
			if (why.n == 0)
				test_fail(__FILE__, __LINE__, "kind %zu, byte 0x%zx of the certificate flipped, and accepted", k, i);
			g.vek.p[i] ^= (uint8_t)(1u << i % 8);
		}
	}
}

TEST(snp_sound_every_cut_is_refused)
{
	AUTO_GOOD g = { 0 };
	AUTO_BUF all = { 0 }, whole = { 0 };

	good_make(&g, &(const struct report_make){ 0 }, &(const struct vek_make){ 0 });
	buf_put(&all, g.raw, sizeof g.raw);
	table_make(&all, buf_view(&g.vek));
	verdict_of(&whole, buf_view(&all), (struct slice){ 0 });
	STR(buf_cstr(&whole), "");
	for (size_t n = 0; n < all.n; n++) {
		AUTO_BUF why = { 0 };

		verdict_of(&why, slice_of(all.p, n), (struct slice){ 0 });
		if (n == SNP_REPORT_SIZE)
			HAS(buf_cstr(&why), "snp.vek");		/* a whole report, and no certificate */
		else
			STR(buf_cstr(&why), "malformed evidence");
	}
	for (size_t n = 0; n < g.vek.n; n++) {
		AUTO_BUF why = { 0 };

		verdict_of(&why, slice_of(g.raw, sizeof g.raw), slice_of(g.vek.p, n));
		OK(why.n > 0);
	}
}

TEST(snp_sound_length_fields_of_the_table)
{
	AUTO_GOOD g = { 0 };
	AUTO_BUF all = { 0 };
	uint32_t values[16];
	size_t n = 0;

	good_make(&g, &(const struct report_make){ 0 }, &(const struct vek_make){ 0 });
	buf_put(&all, g.raw, sizeof g.raw);
	table_make(&all, buf_view(&g.vek));
	const uint32_t table = (uint32_t)(all.n - SNP_REPORT_SIZE), size = (uint32_t)g.vek.n;
	const uint32_t extremes[] = { 0, 1, 23, 24, 47, 48, 49, size - 1, size, size + 1, table - 1, table, table + 1, 0x7fffffff, 0x80000000, 0xffffffff };

	memcpy(values, extremes, sizeof values);
	for (n = 0; n < 256; n++) {
		const uint32_t at = values[n / 16], len = values[n % 16];
		const bool as_made = at == 48 && len == size, out = at > table || len > table - at;
		AUTO_BUF why = { 0 };

		for (unsigned b = 0; b < 4; b++) {
			all.p[SNP_REPORT_SIZE + 16 + b] = (uint8_t)(at >> 8 * b);
			all.p[SNP_REPORT_SIZE + 20 + b] = (uint8_t)(len >> 8 * b);
		}
		verdict_of(&why, buf_view(&all), (struct slice){ 0 });
		if (as_made)
			STR(buf_cstr(&why), "");
		else if (out)
			STR(buf_cstr(&why), "malformed evidence");
		else
			HAS(buf_cstr(&why), "snp.vek");
	}
}

static void pair(const struct good *report, struct slice cert, const char *id)
{
	AUTO_BUF why = { 0 };

	verdict_of(&why, slice_of(report->raw, sizeof report->raw), cert);
	if (strncmp(buf_cstr(&why), id, strlen(id)))
		test_fail(__FILE__, __LINE__, "'%s', wanted %s", buf_cstr(&why), id);
}

/* All VEKs here have one key, so the signature holds, and something else has to notice. */
TEST(snp_sound_exchanged_certificates_are_refused)
{
	AUTO_GOOD milan = { 0 }, genoa = { 0 }, turin = { 0 }, vlek = { 0 }, chip = { 0 }, firmware = { 0 };

	good_make(&milan, &(const struct report_make){ 0 }, &(const struct vek_make){ 0 });
	good_make(&genoa, &(const struct report_make){ .product = SNP_GENOA }, &(const struct vek_make){ 0 });
	good_make(&turin, &(const struct report_make){ .product = SNP_TURIN, .version = 5 }, &(const struct vek_make){ 0 });
	good_make(&vlek, &(const struct report_make){ .vlek = true }, &(const struct vek_make){ .vlek = true });
	good_make(&chip, &(const struct report_make){ 0 }, &(const struct vek_make){ .other_hwid = true });
	good_make(&firmware, &(const struct report_make){ 0 }, &(const struct vek_make){ .tcb_delta = 1 });
	pair(&milan, buf_view(&milan.vek), "");
	pair(&milan, buf_view(&genoa.vek), "snp.product");
	pair(&milan, buf_view(&turin.vek), "snp.product");
	pair(&milan, buf_view(&vlek.vek), "snp.vek");
	pair(&milan, buf_view(&chip.vek), "snp.chip_id.certificate");
	pair(&milan, buf_view(&firmware.vek), "snp.tcb.certificate");
	pair(&genoa, buf_view(&milan.vek), "snp.product");
	pair(&turin, buf_view(&genoa.vek), "snp.product");
	pair(&vlek, buf_view(&milan.vek), "snp.vek");
	pair(&milan, maker_ca_der(SNP_MILAN, MAKER_ASK), "snp.vek");
	pair(&milan, maker_ca_der(SNP_MILAN, MAKER_ARK), "snp.vek");
}

/* By a key of their own, and with a key that is no P-384 one. */
TEST(snp_sound_certificates_that_anybody_can_make_are_refused)
{
	static const enum key_type types[] = { KEY_EC_P384, KEY_EC_P256, KEY_RSA };
	AUTO_GOOD g = { 0 };

	good_make(&g, &(const struct report_make){ 0 }, &(const struct vek_make){ 0 });
	for (size_t i = 0; i < 3; i++) {
		AUTO_PRIVKEY k = { 0 };
		AUTO_BUF der = { 0 };

		WORKS(privkey_generate(&k, types[i], 2048, &e));
		WORKS(cert_make(&der, &(const struct cert_make){ .subject = "CN=SEV-VCEK", .key = &k, .not_before = MAKER_NOW - 1,
								 .not_after = MAKER_NOW + 1, .pss = true }, &e));
		pair(&g, buf_view(&der), "snp.product");
	}
	/* the key that signed the report, in a certificate of one's own */
	AUTO_BUF own = { 0 };

	WORKS(cert_make(&own, &(const struct cert_make){ .subject = "CN=SEV-VCEK", .key = maker_vek_key(), .not_before = MAKER_NOW - 1,
							 .not_after = MAKER_NOW + 1 }, &e));
	pair(&g, buf_view(&own), "snp.product");
}

/* A table that is full of certificates which fit nothing does not hide the one that the caller gave. */
TEST(snp_sound_hosts_cannot_crowd_out_a_certificate)
{
	AUTO_GOOD g = { 0 };
	AUTO_BUF bad = { 0 }, all = { 0 }, why = { 0 };
	struct table_entry v[SNP_CERTS_MAX];

	good_make(&g, &(const struct report_make){ 0 }, &(const struct vek_make){ 0 });
	vek_make(&bad, g.raw, &(const struct vek_make){ .by_other_ca = true });
	for (size_t i = 0; i < SNP_CERTS_MAX; i++)
		v[i] = (struct table_entry){ GUID_VCEK, buf_view(&bad) };
	buf_put(&all, g.raw, sizeof g.raw);
	entries_make(&all, v, SNP_CERTS_MAX);
	verdict_of(&why, buf_view(&all), buf_view(&g.vek));
	STR(buf_cstr(&why), "");
}

TEST(snp_sound_empty_nonces_are_no_nonces)
{
	AUTO_GOOD g = { 0 };
	AUTO_COLLATERAL given = { 0 };
	AUTO_VERDICT v = { 0 };
	struct appraise_in in = { .kind = "snp", .given = &given, .now = MAKER_NOW, .has_nonce = true, .snp_roots = maker_roots() };

	good_make(&g, &(const struct report_make){ 0 }, &(const struct vek_make){ 0 });	/* its report data is zero: what an empty nonce would pad to */
	in.evidence = slice_of(g.raw, sizeof g.raw);
	WORKS(collateral_add(&given, buf_view(&g.vek), "test", "", &e));
	FAILS(appraise(&v, &in, &e), EC_USAGE);
	in.insecure_no_nonce = true;
	FAILS(appraise(&v, &in, &e), EC_USAGE);
	in.has_nonce = in.insecure_no_nonce = false;
	WORKS(appraise(&v, &in, &e));
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "snp.report_data");
}

/* --- what others use: a report inside other evidence --------------------------------------------------------------- */

static enum rule no_rule(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

static bool subject_holds(struct slice raw, struct slice certs, const struct expect *x)
{
	struct tally t = { .list = json_array() };
	struct snp_subject *s = NULL;
	bool ret;

	WORKS(snp_subject_parse(&s, raw, certs, &e));
	ret = s && checks_run(&t, snp_checks, N_SNP_CHECKS, s, x, no_rule, NULL);
	snp_subject_drop(s);
	json_free(t.list);
	buf_free(&t.reason);
	return ret;
}

TEST(snp_sound_subjects_of_other_evidence)
{
	AUTO_GOOD g = { 0 };
	struct expect x = { .limits = &limits_strict, .now = MAKER_NOW, .snp_roots = maker_roots(), .report_data = SLICE("inner") };
	struct snp_subject *s = NULL;

	good_make(&g, &(const struct report_make){ .report_data = "inner", .n = 5 }, &(const struct vek_make){ 0 });
	const struct slice raw = slice_of(g.raw, sizeof g.raw);

	OK(subject_holds(raw, buf_view(&g.vek), &x));
	OK(!subject_holds(raw, (struct slice){ 0 }, &x));
	OK(!subject_holds(raw, SLICE("no certificate"), &x));
	struct collateral carried = { 0 };	/* what came in a bundle */

	WORKS(collateral_add(&carried, buf_view(&g.vek), "", "", &e));
	x.carried = &carried;
	OK(subject_holds(raw, (struct slice){ 0 }, &x));
	x.carried = NULL;
	collateral_free(&carried);
	x.report_data = SLICE("outer");
	OK(!subject_holds(raw, buf_view(&g.vek), &x));
	FAILS(snp_subject_parse(&s, slice_of(g.raw, sizeof g.raw - 1), buf_view(&g.vek), &e), EC_FORMAT);
	OK(s == NULL);
	snp_subject_drop(NULL);
}
