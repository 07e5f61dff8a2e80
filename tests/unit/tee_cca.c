/* SPDX-License-Identifier: Apache-2.0 */
/* CCA tokens: every check can fail and fails for its own reason; no covered byte can change. */

#include <sys/stat.h>

#include "attest/appraise.h"
#include "attest/policy.h"
#include "base/host.h"
#include "base/outfile.h"
#include "cca_maker.h"
#include "codec/der.h"
#include "codec/hex64.h"
#include "test.h"

static void trust(struct collateral *to, enum key_type t, int which)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_BUF pem = { 0 };

	cca_public(&k, t, which);
	WORKS(pubkey_pem(&pem, &k, &e));
	WORKS(collateral_add(to, buf_view(&pem), "test", NULL, &e));
}

struct ask {
	const char *policy;
	struct slice nonce;
	const struct collateral *anchors, *given;
	bool no_nonce;
};

static int judge(struct verdict *v, struct slice token, const struct ask *a, struct err *e)
{
	AUTO_POLICY *p = NULL;

	if (a->policy)
		WORKS(policy_parse(&p, slice_str(a->policy), "test policy", &e));
	return appraise(v, &(const struct appraise_in){ .evidence = token, .kind = "auto", .now = 1750000000, .policy = p, .anchors = a->anchors,
							.given = a->given, .has_nonce = !a->no_nonce,
							.nonce = a->nonce.n ? a->nonce : SLICE("\0"), .insecure_no_nonce = a->no_nonce }, e);
}

/* why NULL: accepted; else the id of the first check that fails. */
static void wants(struct slice token, const struct ask *a, const char *why)
{
	AUTO_VERDICT v = { 0 };

	WORKS(judge(&v, token, a, &e));
	if (why && (v.accepted || strncmp(buf_cstr(&v.reason), why, strlen(why)) || buf_cstr(&v.reason)[strlen(why)] != ':'))
		test_fail(__FILE__, __LINE__, "accepted %d, reason '%s', wanted '%s'", v.accepted, buf_cstr(&v.reason), why);
	if (!why && !v.accepted)
		test_fail(__FILE__, __LINE__, "refused: %s", buf_cstr(&v.reason));
}

#define POLICY(rest) "{\"schema\":\"cvmbox.policy/1\"," rest "}"

TEST(cca_tokens_of_both_forms_and_all_keys_are_accepted)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };

	for (size_t i = 0; i < 6; i++) {
		AUTO_BUF b = { 0 };
		AUTO_COLLATERAL anchors = { 0 };
		AUTO_VERDICT v = { 0 };

		trust(&anchors, types[i / 2], 2);
		trust(&anchors, types[i / 2], 0);
		cca_make(&b, &(struct cca_make){ .wrapped = i & 1, .key = types[i / 2], .challenge = "nonce", .challenge_n = 5 });
		wants(buf_view(&b), &(struct ask){ .anchors = &anchors, .nonce = SLICE("nonce") }, NULL);
		WORKS(judge(&v, buf_view(&b), &(struct ask){ .anchors = &anchors, .no_nonce = true }, &e));
		OK(v.accepted && v.warned);
		STR(v.tee, "cca");
	}
}

TEST(cca_each_fault_is_refused_by_its_own_check)
{
	static const struct { struct cca_make m; const char *policy, *why; } rows[] = {
		{ { .platform_by_other = true }, NULL, "cca.platform.signature" },
		{ { .other_binding = true }, NULL, "cca.binding" },
		{ { .key_hash = "md5" }, NULL, "cca.binding" },
		{ { .key_hash = "sha-1" }, NULL, "cca.binding" },
		{ { .key_hash = "sha-512" }, NULL, "cca.binding" },
		{ { .realm_by_other = true }, NULL, "cca.realm.signature" },
		{ { .profile = "tag:example.com,2030:x" }, NULL, "cca.profile" },
		{ { .profile = "tag:example.com,2030:x" }, POLICY("\"checks\":{\"cca.profile\":\"warn\"}"), NULL },
		{ { .challenge = "x", .challenge_n = 1 }, NULL, "cca.challenge" },
		{ { .lifecycle = 0x2000 }, NULL, "cca.lifecycle" }, { { .lifecycle = 0x6000 }, NULL, "cca.lifecycle" },
		{ { .lifecycle = 0x1000 }, NULL, "cca.lifecycle" }, { { .lifecycle = 0x0001 }, NULL, "cca.lifecycle" },
		{ { .lifecycle = 0x3100 }, NULL, "cca.lifecycle" }, { { .lifecycle = 0x2fff }, NULL, "cca.lifecycle" },
		{ { .lifecycle = 0x30ff }, NULL, NULL }, { { .lifecycle = 0x3000 }, NULL, NULL },
		{ { .lifecycle = 0x4000 }, NULL, "cca.lifecycle" }, { { .lifecycle = 0x5000 }, NULL, "cca.lifecycle" },
		{ { .lifecycle = 0x4000 }, POLICY("\"allow_debug\":true"), NULL }, { { .lifecycle = 0x50ff }, POLICY("\"allow_debug\":true"), NULL },
		{ { .lifecycle = 0x6000 }, POLICY("\"allow_debug\":true"), "cca.lifecycle" },
		{ { .lifecycle = 0x2000 }, POLICY("\"allow_debug\":true"), "cca.lifecycle" },
		{ { 0 }, POLICY("\"measurements\":[\"2222222222222222222222222222222222222222222222222222222222222222\"]"), NULL },
		{ { 0 }, POLICY("\"measurements\":[\"3322222222222222222222222222222222222222222222222222222222222222\"]"), "cca.measurement" },
	};

	AUTO_COLLATERAL anchors = { 0 };

	trust(&anchors, KEY_EC_P384, 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int wrapped = 0; wrapped < 2; wrapped++) {
			struct cca_make m = rows[i].m;
			AUTO_BUF b = { 0 };

			m.wrapped = wrapped;
			cca_make(&b, &m);
			wants(buf_view(&b), &(struct ask){ .anchors = &anchors, .policy = rows[i].policy }, rows[i].why);
		}
}

/* The policy's own words are another file's business: here the values are set as it would. */
TEST(cca_lists_are_compared)
{
	static char zeros[65], ones[129], seven[65], instance[67];
	static const struct { size_t list; char *entry; const char *id; bool holds; } rows[] = {
		{ offsetof(struct limits, rem[0]), zeros, "cca.rem0", true }, { offsetof(struct limits, rem[3]), zeros, "cca.rem3", true },
		{ offsetof(struct limits, rem[1]), ones, "cca.rem1", false }, { offsetof(struct limits, rem[2]), ones, "cca.rem2", false },
		{ offsetof(struct limits, realm_pvs), ones, "cca.realm_pv", true }, { offsetof(struct limits, realm_pvs), zeros, "cca.realm_pv", false },
		{ offsetof(struct limits, init_data), ones, "cca.init_data", true }, { offsetof(struct limits, init_data), seven, "cca.init_data", false },
		{ offsetof(struct limits, implementation_ids), seven, "cca.implementation_id", true },
		{ offsetof(struct limits, implementation_ids), zeros, "cca.implementation_id", false },
		{ offsetof(struct limits, instance_ids), instance, "cca.instance_id", true },
		{ offsetof(struct limits, instance_ids), zeros, "cca.instance_id", false },
	};
	AUTO_BUF b = { 0 };
	AUTO_COLLATERAL anchors = { 0 };
	void *parsed = NULL;

	memset(zeros, '0', 64);
	memset(ones, '1', 128);
	for (size_t i = 0; i < 32; i++)
		memcpy(seven + 2 * i, "7f", 2);
	memset(instance, '0', 66);
	instance[1] = '1';
	trust(&anchors, KEY_EC_P384, 0);
	cca_make(&b, &(struct cca_make){ 0 });
	WORKS(evidence_cca.parse(&parsed, buf_view(&b), (struct slice){ 0 }, &e));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct limits l = limits_strict;
		char *entry = rows[i].entry;
		const struct expect x = { .limits = &l, .now = 1750000000, .anchors = &anchors };
		struct texts *t = (struct texts *)(void *)((char *)&l + rows[i].list);

		*t = (struct texts){ .v = &entry, .n = 1 };
		for (size_t k = 0; k < evidence_cca.n_checks; k++) {
			struct finding f = { 0 };

			if (!strcmp(evidence_cca.checks[k].id, rows[i].id))
				EQ(evidence_cca.checks[k].run(parsed, &x, &f), rows[i].holds ? PASSED : FAILED);
			buf_free(&f.expected);
			buf_free(&f.actual);
			buf_free(&f.hint);
		}
	}
	evidence_cca.drop(parsed);
}

TEST(cca_personalization_may_be_listed_without_its_padding)
{
	static const struct { const char *entry; bool holds; } rows[] = {
		{ "1111111111111111111111111111111111111111111111111111111111111111", false },	/* what follows is not zero */
		{ "11", false }, { "", false },
	};
	AUTO_BUF b = { 0 };
	void *parsed = NULL;

	cca_make(&b, &(struct cca_make){ 0 });
	WORKS(evidence_cca.parse(&parsed, buf_view(&b), (struct slice){ 0 }, &e));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char entry[129] = { 0 }, *p = entry;
		struct limits l = limits_strict;
		const struct expect x = { .limits = &l };

		snprintf(entry, sizeof entry, "%s", rows[i].entry);
		l.realm_pvs = (struct texts){ .v = &p, .n = 1 };
		for (size_t k = 0; k < evidence_cca.n_checks; k++) {
			struct finding f = { 0 };

			if (!strcmp(evidence_cca.checks[k].id, "cca.realm_pv"))
				EQ(evidence_cca.checks[k].run(parsed, &x, &f), rows[i].holds ? PASSED : FAILED);
			buf_free(&f.expected);
			buf_free(&f.actual);
			buf_free(&f.hint);
		}
	}
	evidence_cca.drop(parsed);
}

TEST(cca_without_an_anchor_nothing_vouches)
{
	AUTO_BUF b = { 0 };
	AUTO_COLLATERAL none = { 0 }, given = { 0 }, wrong = { 0 };
	AUTO_VERDICT v = { 0 };

	cca_make(&b, &(struct cca_make){ 0 });
	wants(buf_view(&b), &(struct ask){ 0 }, "cca.platform.signature");
	wants(buf_view(&b), &(struct ask){ .anchors = &none }, "cca.platform.signature");
	trust(&given, KEY_EC_P384, 0);	/* a key that came along is no anchor */
	wants(buf_view(&b), &(struct ask){ .given = &given }, "cca.platform.signature");
	trust(&wrong, KEY_EC_P384, 2);
	trust(&wrong, KEY_EC_P256, 0);
	wants(buf_view(&b), &(struct ask){ .anchors = &wrong, .given = &given }, "cca.platform.signature");
	WORKS(judge(&v, buf_view(&b), &(struct ask){ 0 }, &e));
	HAS(buf_cstr(&v.reason), "no trusted key was given");
}

static void certify(struct buf *der, const struct privkey *key, const char *name, const struct cert *issuer, const struct privkey *by,
		    int64_t until)
{
	WORKS(cert_make(der, &(const struct cert_make){ .subject = name, .key = key, .issuer = issuer, .issuer_key = by,
							.not_before = 1700000000, .not_after = until, .ca = !issuer }, &e));
}

TEST(cca_endorsement_leads_to_a_trusted_ca)
{
	const struct privkey *ca = cca_key(KEY_EC_P256, 2), *cpak = cca_key(KEY_EC_P384, 0);
	AUTO_BUF token = { 0 }, root = { 0 }, leaf = { 0 }, old = { 0 };
	AUTO_COLLATERAL anchors = { 0 }, given = { 0 }, late = { 0 };
	AUTO_CERTS l = { 0 };
	AUTO_VERDICT v = { 0 };

	certify(&root, ca, "CN=maker", NULL, ca, 1900000000);
	WORKS(certs_parse(&l, buf_view(&root), &e));
	certify(&leaf, cpak, "CN=platform", &l.v[0], ca, 1900000000);
	certify(&old, cpak, "CN=platform", &l.v[0], ca, 1700000001);
	WORKS(collateral_add(&anchors, buf_view(&root), "test", NULL, &e));
	WORKS(collateral_add(&given, buf_view(&leaf), "test", NULL, &e));
	WORKS(collateral_add(&late, buf_view(&old), "test", NULL, &e));
	cca_make(&token, &(struct cca_make){ 0 });
	wants(buf_view(&token), &(struct ask){ .anchors = &anchors, .given = &given }, NULL);
	wants(buf_view(&token), &(struct ask){ .anchors = &anchors }, "cca.platform.signature");
	wants(buf_view(&token), &(struct ask){ .given = &given }, "cca.platform.signature");
	WORKS(judge(&v, buf_view(&token), &(struct ask){ .anchors = &anchors, .given = &late }, &e));
	OK(!v.accepted);
	HAS(buf_cstr(&v.reason), "expired");
	/* the platform's certificate itself may be the anchor */
	wants(buf_view(&token), &(struct ask){ .anchors = &given }, NULL);
}

/* The same CA certifies web servers and keys of TPMs: these are no platforms. */
TEST(cca_endorsement_of_a_key_for_other_uses)
{
	static const struct { const char *usage; bool good; } rows[] = {
		{ "1.3.6.1.5.5.7.3.1", false }, { "2.23.133.8.3", false }, { "2.5.29.37.0", true }, { NULL, true }
	};
	const struct privkey *ca = cca_key(KEY_EC_P256, 2), *cpak = cca_key(KEY_EC_P384, 0);
	AUTO_BUF token = { 0 }, root = { 0 };
	AUTO_COLLATERAL anchors = { 0 };
	AUTO_CERTS l = { 0 };

	certify(&root, ca, "CN=maker", NULL, ca, 1900000000);
	WORKS(certs_parse(&l, buf_view(&root), &e));
	WORKS(collateral_add(&anchors, buf_view(&root), "test", NULL, &e));
	cca_make(&token, &(struct cca_make){ 0 });
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF leaf = { 0 }, oid = { 0 }, ext = { 0 };
		AUTO_COLLATERAL given = { 0 };
		struct cert_make_ext one = { .oid = "2.5.29.37" };
		struct cert_make m = { .subject = "CN=platform", .key = cpak, .issuer = &l.v[0], .issuer_key = ca, .not_before = 1700000000,
				       .not_after = 1900000000 };

		if (rows[i].usage) {
			der_put_oid(&oid, rows[i].usage);
			der_put(&ext, DER_SEQUENCE, buf_view(&oid));
			one.value = buf_view(&ext);
			m.exts = &one;
			m.n_exts = 1;
		}
		WORKS(cert_make(&leaf, &m, &e));
		WORKS(collateral_add(&given, buf_view(&leaf), "test", NULL, &e));
		wants(buf_view(&token), &(struct ask){ .anchors = &anchors, .given = &given }, rows[i].good ? NULL : "cca.platform.signature");
		/* a certificate that the caller names is trusted as it is */
		wants(buf_view(&token), &(struct ask){ .anchors = &given }, NULL);
	}
}

TEST(cca_parts_of_two_platforms_do_not_mix)
{
	AUTO_BUF a = { 0 }, b = { 0 }, mixed = { 0 };
	AUTO_COLLATERAL anchors = { 0 };
	struct cca_token ta, tb;
	AUTO_BUF pa = { 0 }, rb = { 0 };

	trust(&anchors, KEY_EC_P384, 0);
	trust(&anchors, KEY_EC_P256, 0);
	cca_make(&a, &(struct cca_make){ 0 });
	cca_make(&b, &(struct cca_make){ .key = KEY_EC_P256 });
	WORKS(cca_token_parse(&ta, buf_view(&a), &e));
	WORKS(cca_token_parse(&tb, buf_view(&b), &e));
	/* the inner bytes stand before the payload in the outer strings: find them by their place */
	{
		struct cbor c, p, r;

		WORKS(cbor_parse(&c, buf_view(&a), &e));
		OK(cbor_untag(&c, 399) && cbor_find(&c, 44234, &p));
		buf_slice(&pa, p.body);
		WORKS(cbor_parse(&c, buf_view(&b), &e));
		OK(cbor_untag(&c, 399) && cbor_find(&c, 44241, &r));
		buf_slice(&rb, r.body);
	}
	cca_join(&mixed, false, buf_view(&pa), buf_view(&rb));
	wants(buf_view(&mixed), &(struct ask){ .anchors = &anchors }, "cca.binding");
	buf_reset(&mixed);
	cca_join(&mixed, false, buf_view(&pa), buf_view(&pa));	/* a platform token in the realm's place */
	{
		AUTO_VERDICT v = { 0 };

		FAILS(judge(&v, buf_view(&mixed), &(struct ask){ .anchors = &anchors }, &e), EC_FORMAT);
	}
}

TEST(cca_no_covered_byte_can_change)
{
	AUTO_COLLATERAL anchors = { 0 };

	trust(&anchors, KEY_EC_P384, 0);
	for (int wrapped = 0; wrapped < 2; wrapped++) {
		AUTO_BUF b = { 0 };

		cca_make(&b, &(struct cca_make){ .wrapped = wrapped });
		for (size_t i = 0; i < b.n; i++) {
			AUTO_VERDICT v = { 0 };
			struct err e = { 0 };
			const uint8_t bit = (uint8_t)(1 << i % 8);

			b.p[i] ^= bit;
			if (!judge(&v, buf_view(&b), &(struct ask){ .anchors = &anchors }, &e) && v.accepted)
				test_fail(__FILE__, __LINE__, "byte %zu of %zu (form %d) can change", i, b.n, wrapped);
			b.p[i] ^= bit;
		}
		wants(buf_view(&b), &(struct ask){ .anchors = &anchors }, NULL);
	}
}

TEST(cca_cut_and_stretched_tokens_are_malformed)
{
	AUTO_BUF b = { 0 };
	struct cca_token t;

	cca_make(&b, &(struct cca_make){ .wrapped = true });
	for (size_t n = 0; n < b.n; n++)
		FAILS(cca_token_parse(&t, slice_of(b.p, n), &e), EC_FORMAT);
	for (size_t i = 0; i < b.n; i++) {	/* every length and number to its extremes */
		const uint8_t was = b.p[i];
		static const uint8_t ends[] = { 0x1b, 0x3b, 0x5b, 0x7b, 0x9b, 0xbb, 0x5f, 0x9f, 0xbf, 0xff, 0x00 };

		for (size_t k = 0; k < sizeof ends; k++) {
			AUTO_VERDICT v = { 0 };
			struct err e = { 0 };

			b.p[i] = ends[k];
			if (was != ends[k] && !judge(&v, buf_view(&b), &(struct ask){ 0 }, &e))
				OK(!v.accepted);
		}
		b.p[i] = was;
	}
	buf_byte(&b, 0);
	FAILS(cca_token_parse(&t, buf_view(&b), &e), EC_FORMAT);
}

TEST(cca_missing_claims_are_malformed)
{
	for (int i = -8; i <= 9; i++) {
		AUTO_BUF b = { 0 };
		struct cca_token t;
		struct err e = { 0 };
		const bool optional = i == 0 || i == 9 || i == -8;	/* verification service, realm profile */

		cca_make(&b, &(struct cca_make){ .wrapped = true, .skip = i });
		EQ(cca_token_parse(&t, buf_view(&b), &e), optional ? 0 : -1);
		if (!optional)
			EQ(e.code, EC_FORMAT);
	}
	{
		AUTO_BUF b = { 0 };
		struct cca_token t;

		cca_make(&b, &(struct cca_make){ .components = CCA_COMPONENTS });
		WORKS(cca_token_parse(&t, buf_view(&b), &e));
		EQ(t.n_components, CCA_COMPONENTS);
		buf_reset(&b);
		cca_make(&b, &(struct cca_make){ .components = CCA_COMPONENTS + 1 });
		FAILS(cca_token_parse(&t, buf_view(&b), &e), EC_FORMAT);
	}
}

TEST(cca_comes_as_trustee_json_too)
{
	AUTO_BUF b = { 0 }, text = { 0 };
	AUTO_JSON *j = NULL, *claims = json_object();
	AUTO_COLLATERAL anchors = { 0 };
	AUTO_EVIDENCE ev = { 0 };
	AUTO_VERDICT v = { 0 };

	trust(&anchors, KEY_EC_P384, 0);
	cca_make(&b, &(struct cca_make){ 0 });
	buf_slice(&ev.raw, buf_view(&b));
	WORKS(evidence_cca.to_trustee(&j, &ev, &e));
	WORKS(json_write(&text, j, false, &e));
	wants(buf_view(&text), &(struct ask){ .anchors = &anchors }, NULL);
	WORKS(judge(&v, buf_view(&text), &(struct ask){ .anchors = &anchors }, &e));
	STR(json_string(json_path(v.claims, "/cca/realm/cca-realm-hash-algo-id")), "sha-256");
	STR(json_string(json_path(v.claims, "/cca/platform/cca-platform-implementation-id")), "f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f38=");
	FAILS(judge(&v, SLICE("{\"token\":[256]}"), &(struct ask){ .anchors = &anchors }, &e), EC_FORMAT);
	FAILS(judge(&v, SLICE("{\"token\":[]}"), &(struct ask){ .anchors = &anchors }, &e), EC_FORMAT);
	json_free(claims);
	claims = NULL;
}

static void put_file(const char *dir, const char *name, struct slice data)
{
	AUTO_BUF path = { 0 };

	buf_printf(&path, "%s/%s", dir, name);
	WORKS(outfile_write(buf_cstr(&path), data, 0644, true, &e));
}

/* From the driver to the verdict, on a captured machine. */
TEST(cca_is_collected_by_configfs)
{
	static const char *const parts[] = { "/sys", "/kernel", "/config", "/tsm", "/report", "/recorded" };
	AUTO_BUF b = { 0 }, dir = { 0 }, cut = { 0 };
	AUTO_EVIDENCE ev = { 0 };
	AUTO_COLLATERAL anchors = { 0 };
	struct host h;

	trust(&anchors, KEY_EC_P384, 0);
	cca_make(&b, &(struct cca_make){ .wrapped = true, .challenge = "nonce", .challenge_n = 5 });
	buf_puts(&dir, tmpdir());
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		buf_puts(&dir, parts[i]);
		OK(!mkdir(buf_cstr(&dir), 0755));
	}
	put_file(buf_cstr(&dir), "provider", SLICE("arm_cca_guest\n"));
	put_file(buf_cstr(&dir), "inblob", (struct slice){ 0 });
	put_file(buf_cstr(&dir), "outblob", buf_view(&b));
	host_init(&h);
	WORKS(host_set_sysroot(&h, tmpdir(), &e));
	WORKS(evidence_cca.collect(&ev, &h, SLICE("nonce"), &e));
	OK(slice_eq(buf_view(&ev.raw), buf_view(&b)));
	wants(buf_view(&ev.raw), &(struct ask){ .anchors = &anchors, .nonce = SLICE("nonce") }, NULL);
	FAILS(evidence_cca.collect(&ev, &h, SLICE("another"), &e), EC_IO);	/* the token of somebody else's question */
	buf_put(&cut, b.p, b.n - 1);
	put_file(buf_cstr(&dir), "outblob", buf_view(&cut));
	FAILS(evidence_cca.collect(&ev, &h, SLICE("nonce"), &e), EC_FORMAT);
	put_file(buf_cstr(&dir), "provider", SLICE("sev_guest\n"));
	FAILS(evidence_cca.collect(&ev, &h, SLICE("nonce"), &e), EC_ABSENT);
	host_close(&h);
}

TEST(cose_headers_that_are_not_understood_are_refused)
{
	/* [h'PROTECTED', UNPROTECTED, h'', h''] */
	static const struct { const char *hex, *why; } bad[] = {
		{ "8440a04040", "protected header" }, { "8441a0a04040", "names no algorithm" }, { "8443a10100a04040", "algorithm is 0" },
		{ "8443a10126a101264040", "outside its protected header" }, { "8443a10126a102814040", "not CBOR" },
		{ "8446a2012602810aa04040", "critical" }, { "8443a10126a102804040", "critical" },
		{ "8343a10126a040", "array of four" }, { "8443a10126a0f640", "not made of" }, { "d18443a10126a04040", "tag is 17" },
		{ "8444a1013827a04040", "algorithm is -40" }, { "8443a10126804040", "not made of" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_BUF b = { 0 };
		struct cose_sign1 s;
		struct err e = { 0 };

		WORKS(hex_decode(&b, slice_str(bad[i].hex), &e));
		EQ(cose_sign1_parse(&s, buf_view(&b), &e), -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, bad[i].why);
	}
}

TEST(cose_keys_are_read_back)
{
	AUTO_BUF b = { 0 }, other = { 0 };
	AUTO_PUBKEY k = { 0 }, again = { 0 };
	AUTO_BUF d1 = { 0 }, d2 = { 0 };

	cca_public(&k, KEY_EC_P384, 1);
	WORKS(cose_key_write(&b, &k, &e));
	WORKS(cose_key_parse(&again, buf_view(&b), &e));
	WORKS(pubkey_der(&d1, &k, &e));
	WORKS(pubkey_der(&d2, &again, &e));
	OK(slice_eq(buf_view(&d1), buf_view(&d2)));
	buf_slice(&other, buf_view(&b));
	other.p[2] = 1;				/* kty */
	FAILS(cose_key_parse(&k, buf_view(&other), &e), EC_FORMAT);
	other.p[2] = 2;
	other.p[4] = 1;				/* P-256, coordinates of P-384 */
	FAILS(cose_key_parse(&k, buf_view(&other), &e), EC_FORMAT);
	other.p[4] = 2;
	other.p[other.n - 1] ^= 1;		/* off the curve */
	FAILS(cose_key_parse(&k, buf_view(&other), &e), EC_FORMAT);
}

/* --- real tokens ------------------------------------------------------------------------------------------------ */

static void load_anchor(struct collateral *to, const char *name)
{
	AUTO_BUF b = { 0 };

	load_vec(&b, name);
	WORKS(collateral_add(to, buf_view(&b), name, NULL, &e));
}

TEST(cca_vectors_are_as_their_readme_says)
{
	static const struct { const char *token, *key; } rows[] = {
		{ "cpu-tee/cca/cca_token.cbor", "cpu-tee/cca/cca_platform.pub.pem" },
		{ "trustee/cca/cca-example-token.cbor", "trustee/cca/cpak-pub.json" },
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF b = { 0 };
		AUTO_COLLATERAL anchors = { 0 }, wrong = { 0 };
		struct cca_token t;
		struct ask a = { .anchors = &anchors };

		load_anchor(&anchors, rows[i].key);
		load_vec(&b, rows[i].token);
		WORKS(cca_token_parse(&t, buf_view(&b), &e));
		a.nonce = t.challenge;
		wants(buf_view(&b), &a, NULL);
		a.nonce = SLICE("another");
		wants(buf_view(&b), &a, "cca.challenge");
		trust(&wrong, KEY_EC_P384, 0);
		a = (struct ask){ .anchors = &wrong, .nonce = t.challenge };
		wants(buf_view(&b), &a, "cca.platform.signature");
		a.anchors = NULL;
		wants(buf_view(&b), &a, "cca.platform.signature");
	}
}

TEST(cca_real_token_no_covered_byte_can_change)
{
	AUTO_BUF b = { 0 };
	AUTO_COLLATERAL anchors = { 0 };
	uint8_t challenge[64];
	struct cca_token t;

	NEED_VECTORS;
	load_anchor(&anchors, "trustee/cca/cpak-pub.json");
	load_vec(&b, "trustee/cca/cca-example-token.cbor");
	WORKS(cca_token_parse(&t, buf_view(&b), &e));
	memcpy(challenge, t.challenge.p, 64);
	for (size_t i = 0; i < b.n; i++) {
		AUTO_VERDICT v = { 0 };
		struct err e = { 0 };

		b.p[i] ^= 0x01;
		if (!judge(&v, buf_view(&b), &(struct ask){ .anchors = &anchors, .nonce = slice_of(challenge, 64) }, &e) && v.accepted)
			test_fail(__FILE__, __LINE__, "byte %zu of %zu can change", i, b.n);
		b.p[i] ^= 0x01;
	}
}

TEST(cca_reference_values_of_the_peer_fit)
{
	AUTO_BUF b = { 0 }, text = { 0 }, policy = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_COLLATERAL anchors = { 0 };
	struct cca_token t;

	NEED_VECTORS;
	load_anchor(&anchors, "trustee/cca/cpak-pub.json");
	load_vec(&b, "trustee/cca/cca-example-token.cbor");
	load_vec(&text, "trustee/cca/rvstore.json");
	WORKS(json_parse(&j, buf_view(&text), 1 << 20, &e));
	WORKS(cca_token_parse(&t, buf_view(&b), &e));
	EQ(t.n_components, json_count(json_path(j, "/platform/0/sw-components")));
	buf_printf(&policy, POLICY("\"measurements\":[\"%s\"]"), json_string(json_path(j, "/realm/0/initial-measurement")));
	wants(buf_view(&b), &(struct ask){ .anchors = &anchors, .nonce = t.challenge, .policy = buf_cstr(&policy) }, NULL);
}
