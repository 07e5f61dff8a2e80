/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: written, read back, bound to their nonce; and checks_run, that never takes nothing for a pass. */

#include "crypto/hash.h"
#include "evidence/bundle.h"
#include "evidence/checks.h"
#include "test.h"

static const uint8_t nonce[8] = "nonce-01";

static void fill(struct bundle *b)
{
	buf_put(&b->nonce, nonce, sizeof nonce);
	buf_puts(&b->runtime_data, "{\"k\":1}");
	WORKS(bundle_add(&b->evidence, "sample", "", "", SLICE("{}"), &e));
}

TEST(bundle_comes_back_as_it_was_written)
{
	AUTO_BUNDLE b = { 0 }, r = { 0 };
	AUTO_BUF text = { 0 };

	fill(&b);
	WORKS(bundle_add(&b.evidence, "nvgpu", "", "", SLICE("\0\1\2"), &e));
	WORKS(bundle_add(&b.collateral, "snp.certtable", "host", "2026-01-01T00:00:00Z", SLICE("t"), &e));
	b.simulated = true;
	WORKS(bundle_write(&text, &b, &e));
	WORKS(bundle_parse(&r, buf_view(&text), &e));
	OK(slice_eq(buf_view(&r.nonce), buf_view(&b.nonce)));
	OK(slice_eq(buf_view(&r.runtime_data), buf_view(&b.runtime_data)));
	EQ(r.evidence.n, 2);
	STR(r.evidence.v[1].kind, "nvgpu");
	OK(slice_eqs(buf_view(&r.evidence.v[0].data), "{}"));
	STR(bundle_find(&r.collateral, "snp.certtable")->fetched, "2026-01-01T00:00:00Z");
	OK(bundle_find(&r.collateral, "other") == NULL);
	OK(r.simulated);
}

/* The derivation is part of the format: this value must never change for schema 1. */
TEST(bundle_report_data_is_the_documented_hash)
{
	AUTO_BUNDLE b = { 0 };
	uint8_t rd[64], want[64];

	fill(&b);
	WORKS(bundle_report_data(rd, &b, slice_of(nonce, 8), &e));
	WORKS(hash_of(want, HASH_SHA512, SLICE("{\"nonce\":\"6e6f6e63652d3031\",\"others\":[],\"runtime_data\":\"eyJrIjoxfQ==\","
					       "\"schema\":\"cvmbox.bundle/1\"}"), &e));
	MEM(rd, want, 64);
}

TEST(bundle_report_data_moves_with_every_part)
{
	AUTO_BUNDLE b = { 0 };
	uint8_t rd[4][64];

	fill(&b);
	WORKS(bundle_report_data(rd[0], &b, slice_of(nonce, 8), &e));
	WORKS(bundle_report_data(rd[1], &b, SLICE("nonce-02"), &e));
	WORKS(bundle_add(&b.evidence, "nvgpu", "", "", SLICE("gpu"), &e));
	WORKS(bundle_report_data(rd[2], &b, slice_of(nonce, 8), &e));
	buf_puts(&b.runtime_data, " ");
	WORKS(bundle_report_data(rd[3], &b, slice_of(nonce, 8), &e));
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < i; k++)
			OK(memcmp(rd[i], rd[k], 64));
	b.evidence.v[0].data.p[0] ^= 1;		/* the CPU's own evidence cannot hash itself */
	WORKS(bundle_report_data(rd[2], &b, slice_of(nonce, 8), &e));
	MEM(rd[2], rd[3], 64);
}

#define B(nonce, deriv, ev) "{\"schema\":\"cvmbox.bundle/1\",\"nonce\":\"" nonce "\",\"runtime_data\":\"\"," \
	"\"derivation\":{\"report_data\":{\"method\":\"" deriv "\"}},\"evidence\":" ev "}"

TEST(bundle_malformed)
{
	static const char *const texts[] = {
		"", "{}", "[]", "{\"schema\":\"cvmbox.bundle/2\"}", "{\"schema\":\"cvmbox.bundle/1\"}",
		B("0011", "sha512-jcs", "[{\"kind\":\"sample\",\"data\":\"\"}]"),
		B("zz11223344556677", "sha512-jcs", "[{\"kind\":\"sample\",\"data\":\"\"}]"),
		B("0011223344556677", "md5", "[{\"kind\":\"sample\",\"data\":\"\"}]"),
		B("0011223344556677", "sha512-jcs", "[]"),
		B("0011223344556677", "sha512-jcs", "{}"),
		B("0011223344556677", "sha512-jcs", "[{\"kind\":\"\",\"data\":\"\"}]"),
		B("0011223344556677", "sha512-jcs", "[{\"kind\":\"sample\",\"data\":\"!\"}]"),
		B("0011223344556677", "sha512-jcs", "[{\"kind\":\"0123456789012345678901234567890123\",\"data\":\"\"}]"),
		B("0011223344556677", "sha512-jcs", "[{\"data\":\"\"}]"),
		B("0011223344556677", "sha512-jcs", "[{\"kind\":\"sample\",\"data\":\"\"}]") "x",
	};
	AUTO_BUNDLE b = { 0 };

	WORKS(bundle_parse(&b, slice_str(B("0011223344556677", "sha512-jcs", "[{\"kind\":\"sample\",\"data\":\"\"}]")), &e));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		AUTO_BUNDLE r = { 0 };

		FAILS(bundle_parse(&r, slice_str(texts[i]), &e), EC_FORMAT);
	}
}

TEST(bundle_lists_are_bounded)
{
	AUTO_BUNDLE b = { 0 };

	for (size_t i = 0; i < BUNDLE_ITEMS; i++)
		WORKS(bundle_add(&b.event_logs, "x", "", "", SLICE("x"), &e));
	FAILS(bundle_add(&b.event_logs, "x", "", "", SLICE("x"), &e), EC_FORMAT);
}

/* --- checks ----------------------------------------------------------------------------------------------- */

static enum outcome say(void *p, const struct expect *x, struct finding *f)
{
	enum outcome **next = p;

	(void)x;
	(void)f;
	return *(*next)++;
}

static const struct check three[] = {
	{ "a", 0, CHECK_BASE, say }, { "b", NEEDS(0), CHECK_PLAIN, say }, { "c", NEEDS(1), CHECK_PLAIN, say }
};

static enum rule ask_rule(const void *arg, const char *id)
{
	const char *const *named = arg;		/* "!x" requires x, "x" ignores it */

	if (!named || strcmp(*named + (**named == '!'), id))
		return RULE_DEFAULT;
	return **named == '!' ? RULE_REQUIRE : RULE_IGNORE;
}

static bool run3(struct tally *t, enum outcome a, enum outcome b, enum outcome c, const char *ignored)
{
	enum outcome o[] = { a, b, c }, *next = o;
	struct limits l;
	struct expect x = { .limits = &l };
	bool ok;

	limits_init(&l);
	*t = (struct tally){ .list = json_array() };
	ok = checks_run(t, three, 3, &next, &x, ask_rule, ignored ? &ignored : NULL);
	json_free(t->list);
	buf_free(&t->reason);
	return ok;
}

TEST(checks_pass_only_when_all_of_them_do)
{
	struct tally t;

	OK(run3(&t, PASSED, PASSED, PASSED, NULL));
	OK(!t.warned);
	OK(run3(&t, PASSED, WARNED, PASSED, NULL));
	OK(t.warned);
	OK(run3(&t, PASSED, PASSED, NOT_ASKED, NULL));
	OK(!run3(&t, FAILED, PASSED, PASSED, NULL));
	OK(!run3(&t, PASSED, FAILED, PASSED, NULL));
	OK(!run3(&t, PASSED, PASSED, FAILED, NULL));
	OK(!run3(&t, PASSED, PASSED, NOT_RUN, NULL));
	OK(!run3(&t, NOT_ASKED, PASSED, PASSED, NULL));		/* a base check has to be answered */
	OK(!run3(&t, PASSED, NOT_ASKED, PASSED, NULL));		/* c stands on b */
	OK(!run3(&t, FAILED, PASSED, PASSED, "a"));			/* base: cannot be ignored */
	OK(run3(&t, PASSED, PASSED, FAILED, "c"));
	OK(!run3(&t, PASSED, PASSED, NOT_ASKED, "!c"));		/* required by name: it has to apply */
	OK(run3(&t, PASSED, PASSED, PASSED, "!c"));
	OK(!run3(&t, PASSED, FAILED, PASSED, "b"));			/* ignored, but c stands on it */
}

static bool run_light(enum outcome o, int weight, const char *required)
{
	enum outcome *next = &o;
	struct limits l;
	struct expect x = { .limits = &l };
	struct tally t = { .list = json_array() };
	const struct check c = { "a", 0, weight, say };
	bool ok;

	limits_init(&l);
	ok = checks_run(&t, &c, 1, &next, &x, ask_rule, required ? &required : NULL);
	json_free(t.list);
	buf_free(&t.reason);
	return ok;
}

TEST(checks_that_only_warn_fail_where_a_policy_requires_them)
{
	OK(run_light(WARNED, CHECK_ADVISORY, NULL));
	OK(!run_light(WARNED, CHECK_ADVISORY, "!a"));
	OK(run_light(WARNED, CHECK_WHERE_ASKED, NULL));
	OK(!run_light(WARNED, CHECK_WHERE_ASKED, "!a"));
	OK(run_light(WARNED, CHECK_PLAIN, "!a"));	/* as the built-in policy, written down, has it */
	OK(run_light(WARNED, CHECK_BASE, "!a"));
	OK(run_light(WARNED, CHECK_WHERE_THERE, "!a"));
	OK(run_light(NOT_ASKED, CHECK_WHERE_THERE, NULL));
	OK(!run_light(NOT_ASKED, CHECK_WHERE_THERE, "!a"));
	OK(!run_light(FAILED, CHECK_WHERE_THERE, NULL));
}

TEST(checks_none_is_no_pass)
{
	struct limits l;
	struct expect x = { .limits = &l };
	struct tally t = { .list = json_array() };

	limits_init(&l);
	OK(!checks_run(&t, three, 0, NULL, &x, ask_rule, NULL));
	json_free(t.list);
}
