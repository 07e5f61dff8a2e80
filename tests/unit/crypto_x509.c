/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host.h"
#include "codec/der.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "crypto/jose.h"
#include "crypto/x509.h"
#include "test.h"

#define NOW INT64_C(1770000000)		/* 2026-02-02 */
#define DAY INT64_C(86400)

/* --- a CA of our own ----------------------------------------------------------------------------------- */

struct ca {
	struct privkey root_key, ca_key, leaf_key;
	struct cert_list root, ca, leaf;
};

static void issue(struct cert_list *ret, const struct cert_make *m)
{
	AUTO_BUF der = { 0 };

	WORKS(cert_make(&der, m, &e));
	WORKS(certs_parse(ret, buf_view(&der), &e));
}

static void ca_init(struct ca *a, enum key_type t, bool pss)
{
	WORKS(privkey_generate(&a->root_key, t, 2048, &e));
	WORKS(privkey_generate(&a->ca_key, t, 2048, &e));
	WORKS(privkey_generate(&a->leaf_key, KEY_EC_P384, 0, &e));
	issue(&a->root, &(struct cert_make){ .subject = "CN=Test Root,O=Test\\, Inc.,C=DE", .key = &a->root_key,
					     .not_before = NOW - DAY, .not_after = NOW + 9 * DAY, .ca = true, .pss = pss });
	issue(&a->ca, &(struct cert_make){ .subject = "CN=Test CA", .key = &a->ca_key, .issuer = &a->root.v[0],
					   .issuer_key = &a->root_key, .not_before = NOW - DAY, .not_after = NOW + 5 * DAY,
					   .ca = true, .pss = pss });
	issue(&a->leaf, &(struct cert_make){ .subject = "CN=leaf", .key = &a->leaf_key, .issuer = &a->ca.v[0],
					     .issuer_key = &a->ca_key, .not_before = NOW - DAY, .not_after = NOW + DAY,
					     .dns = "localhost", .ip = "127.0.0.1", .serial = (const uint8_t *)"",
					     .serial_n = 0, .pss = pss });
}

static void ca_free(struct ca *a)
{
	privkey_free(&a->root_key), privkey_free(&a->ca_key), privkey_free(&a->leaf_key);
	certs_free(&a->root), certs_free(&a->ca), certs_free(&a->leaf);
}
#define AUTO_CA __attribute__((cleanup(ca_free))) struct ca

TEST(own_chains_verify_with_each_kind_of_key)
{
	static const struct {
		enum key_type t;
		bool pss;
		const char *alg;
	} kinds[] = { { KEY_EC_P256, false, "ECDSA SHA-256" }, { KEY_EC_P384, false, "ECDSA SHA-384" },
		      { KEY_EC_P521, false, "ECDSA SHA-512" }, { KEY_RSA, false, "RSA SHA-256" },
		      { KEY_RSA, true, "RSA-PSS SHA-384" } };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		AUTO_CA a = { 0 };
		AUTO_BUF alg = { 0 };

		ca_init(&a, kinds[i].t, kinds[i].pss);
		WORKS(cert_issued(&a.root.v[0], &a.root.v[0], NOW, &e));
		WORKS(cert_issued(&a.ca.v[0], &a.root.v[0], NOW, &e));
		WORKS(cert_issued(&a.leaf.v[0], &a.ca.v[0], NOW, &e));
		WORKS(cert_chain(&a.leaf.v[0], &a.ca, &a.root, NOW, &e));
		WORKS(cert_describe_alg(&alg, &a.leaf.v[0], &e));
		STR(buf_cstr(&alg), kinds[i].alg);
		EQ(a.leaf.v[0].serial.n, 1);	/* number 0, as AMD has it */
		EQ(a.leaf.v[0].serial.p[0], 0);
		OK(a.ca.v[0].is_ca && !a.leaf.v[0].is_ca && a.leaf.v[0].has_basic_constraints);
	}
}

TEST(chain_without_its_parts_is_refused)
{
	AUTO_CA a = { 0 }, b = { 0 };
	struct cert_list none = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	ca_init(&b, KEY_EC_P256, false);	/* the same names, other keys */
	FAILS(cert_chain(&a.leaf.v[0], &none, &a.root, NOW, &e), EC_REFUSED);
	FAILS(cert_chain(&a.leaf.v[0], NULL, &a.root, NOW, &e), EC_REFUSED);
	FAILS(cert_chain(&a.leaf.v[0], &a.ca, &none, NOW, &e), EC_REFUSED);
	FAILS(cert_chain(&a.leaf.v[0], &a.ca, &b.root, NOW, &e), EC_REFUSED);
	FAILS(cert_chain(&a.leaf.v[0], &b.ca, &a.root, NOW, &e), EC_REFUSED);
	FAILS(cert_chain(&a.root.v[0], &none, &b.root, NOW, &e), EC_REFUSED);
	WORKS(cert_chain(&a.leaf.v[0], NULL, &a.ca, NOW, &e));		/* a trusted intermediate is an anchor */
	WORKS(cert_chain(&a.leaf.v[0], NULL, &a.leaf, NOW, &e));	/* so is a trusted leaf */
	FAILS(cert_chain(&a.leaf.v[0], NULL, &a.leaf, NOW + 2 * DAY, &e), EC_REFUSED);
	/* a leaf cannot issue, whatever its signature */
	AUTO_CERTS fake = { 0 };
	AUTO_PRIVKEY k = { 0 };

	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	issue(&fake, &(struct cert_make){ .subject = "CN=fake", .key = &k, .issuer = &a.leaf.v[0], .issuer_key = &a.leaf_key,
					  .not_before = NOW - DAY, .not_after = NOW + DAY });
	struct err seen = { 0 };

	EQ(cert_issued(&fake.v[0], &a.leaf.v[0], NOW, &seen), -1);
	HAS(seen.msg, "not a CA");
}

TEST(dates_have_distinct_texts_with_the_window)
{
	AUTO_CA a = { 0 };
	struct err seen = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	WORKS(cert_dates(&a.leaf.v[0], a.leaf.v[0].not_after, &e));
	WORKS(cert_dates(&a.leaf.v[0], a.leaf.v[0].not_before, &e));
	EQ(cert_issued(&a.leaf.v[0], &a.ca.v[0], NOW + DAY + 1, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	STR(seen.msg, "certificate 'CN=leaf' has expired: valid from 2026-02-01T02:40:00Z to 2026-02-03T02:40:00Z, "
		      "the time used is 2026-02-03T02:40:01Z");
	EQ(cert_issued(&a.leaf.v[0], &a.ca.v[0], NOW - DAY - 1, &seen), -1);
	STR(seen.msg, "certificate 'CN=leaf' is not yet valid: from 2026-02-01T02:40:00Z to 2026-02-03T02:40:00Z, "
		      "the time used is 2026-02-01T02:39:59Z");
	EQ(cert_issued(&a.ca.v[0], &a.root.v[0], NOW + 7 * DAY, &seen), -1);
	HAS(seen.msg, "'CN=Test CA' has expired");
	/* the issuer's own dates count too */
	AUTO_CERTS late = { 0 };
	AUTO_PRIVKEY k = { 0 };

	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	issue(&late, &(struct cert_make){ .subject = "CN=late", .key = &k, .issuer = &a.ca.v[0], .issuer_key = &a.ca_key,
					  .not_before = NOW - DAY, .not_after = NOW + 30 * DAY });
	EQ(cert_issued(&late.v[0], &a.ca.v[0], NOW + 7 * DAY, &seen), -1);
	HAS(seen.msg, "'CN=Test CA' has expired");
	EQ(cert_chain(&late.v[0], &a.ca, &a.root, NOW + 7 * DAY, &seen), -1);
	HAS(seen.msg, "'CN=Test CA' has expired");
	EQ(seen.code, EC_REFUSED);
}

TEST(every_changed_byte_of_a_certificate_is_noticed)
{
	AUTO_CA a = { 0 };
	unsigned refused = 0, malformed = 0;

	ca_init(&a, KEY_EC_P256, false);
	for (size_t at = 0; at < a.leaf.v[0].der.n; at++) {
		AUTO_BUF der = { 0 };
		AUTO_CERTS c = { 0 };
		struct err seen = { 0 };

		buf_slice(&der, a.leaf.v[0].der);
		der.p[at] ^= 0x01;
		if (certs_parse(&c, buf_view(&der), &seen)) {
			EQ(seen.code, EC_FORMAT);
			malformed++;
			continue;
		}
		EQ(cert_issued(&c.v[0], &a.ca.v[0], NOW, &seen), -1);
		OK(seen.code == EC_REFUSED || seen.code == EC_FORMAT);
		refused++;
	}
	OK(refused > 100 && malformed > 20);
	for (size_t n = 0; n < a.leaf.v[0].der.n; n += 3) {
		AUTO_CERTS c = { 0 };

		FAILS(certs_parse(&c, slice_of(a.leaf.v[0].der.p, n), &e), EC_FORMAT);
		EQ(c.n, 0);
	}
}

TEST(names_are_written_for_people)
{
	AUTO_CA a = { 0 };
	AUTO_BUF n = { 0 }, der = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	WORKS(cert_name(&n, a.root.v[0].subject, &e));
	STR(buf_cstr(&n), "CN=Test Root, O=Test\\, Inc., C=DE");
	FAILS(cert_name(&n, SLICE("\x30\x02\x31\x00"), &e), EC_FORMAT);
	FAILS(cert_name(&n, SLICE("\x31\x00"), &e), EC_FORMAT);
	FAILS(cert_name(&n, SLICE(""), &e), EC_FORMAT);
	buf_reset(&n);
	WORKS(cert_name(&n, SLICE("\x30\x00"), &e));
	STR(buf_cstr(&n), "");
	FAILS(cert_make(&der, &(struct cert_make){ .subject = "XX=a", .key = &a.leaf_key, .not_after = NOW }, &e), EC_USAGE);
	FAILS(cert_make(&der, &(struct cert_make){ .subject = "CN=", .key = &a.leaf_key, .not_after = NOW }, &e), EC_USAGE);
	FAILS(cert_make(&der, &(struct cert_make){ .subject = "CN=a", .key = &a.leaf_key, .not_after = NOW, .ip = "1.2.3" }, &e),
	      EC_USAGE);
	FAILS(cert_make(&der, &(struct cert_make){ .subject = "CN=a", .key = &a.leaf_key, .issuer = &a.ca.v[0],
						   .issuer_key = &a.root_key, .not_after = NOW }, &e), EC_USAGE);
	EQ(der.n, 0);
}

TEST(extensions_and_keys_are_found)
{
	AUTO_CA a = { 0 };
	AUTO_PUBKEY k = { 0 }, want = { 0 };
	AUTO_BUF d1 = { 0 }, d2 = { 0 };
	uint8_t h1[32], h2[32];

	ca_init(&a, KEY_EC_P256, false);
	OK(slice_eq(cert_ext(&a.leaf.v[0], "2.5.29.17"), SLICE("\x30\x11\x82\x09localhost\x87\x04\x7f\x00\x00\x01")));
	EQ(cert_ext(&a.leaf.v[0], "1.2.3").n, 0);
	WORKS(cert_public(&k, &a.leaf.v[0], &e));
	WORKS(privkey_public(&want, &a.leaf_key, &e));
	WORKS(pubkey_der(&d1, &k, &e));
	WORKS(pubkey_der(&d2, &want, &e));
	OK(slice_eq(buf_view(&d1), buf_view(&d2)));
	WORKS(cert_key_sha256(h1, &a.leaf.v[0], &e));
	WORKS(hash_of(h2, HASH_SHA256, buf_view(&d2), &e));
	MEM(h1, h2, 32);
}

TEST(certificate_lists_come_from_pem_with_text_around)
{
	AUTO_CA a = { 0 };
	AUTO_BUF pem = { 0 };
	AUTO_CERTS l = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	buf_puts(&pem, "subject=x\n");
	pem_put(&pem, "CERTIFICATE", a.leaf.v[0].der);
	buf_puts(&pem, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\nissuer=y\r\n");
	pem_put(&pem, "CERTIFICATE", a.ca.v[0].der);
	buf_byte(&pem, 0);	/* TDX quotes end their chain like this */
	WORKS(certs_parse(&l, buf_view(&pem), &e));
	EQ(l.n, 2);
	OK(slice_eq(l.v[1].der, a.ca.v[0].der));
	FAILS(certs_parse(&l, SLICE("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), &e), EC_FORMAT);
	FAILS(certs_parse(&l, SLICE(""), &e), EC_FORMAT);
	FAILS(certs_parse(&l, SLICE("hello"), &e), EC_FORMAT);
	/* a bad one among good ones: nothing is taken */
	buf_puts(&pem, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
	FAILS(certs_parse(&l, buf_view(&pem), &e), EC_FORMAT);
	EQ(l.n, 2);
	for (int i = 0; i < 62; i++)
		WORKS(certs_parse(&l, a.ca.v[0].der, &e));
	FAILS(certs_parse(&l, a.ca.v[0].der, &e), EC_FORMAT);
	EQ(l.n, 64);
}

/* The certificate's own bytes with one element put at the end of its extensions, signed anew. */
static void with_extension(struct cert_list *ret, const struct cert *c, const struct privkey *k, struct slice ext)
{
	struct rd outer = rd_of(c->der), r = der_open(&outer, DER_SEQUENCE), tbs = der_open(&r, DER_SEQUENCE), x, seq;
	AUTO_BUF body = { 0 }, exts = { 0 }, exts_seq = { 0 }, all = { 0 }, sig = { 0 }, der = { 0 };
	const struct slice alg = der_take(&r, DER_SEQUENCE).all;
	struct der d;

	while (der_next(&tbs, &d)) {
		if (d.tag != DER_EXPLICIT + 3) {
			buf_slice(&body, d.all);
			continue;
		}
		x = rd_of(d.body);
		seq = der_open(&x, DER_SEQUENCE);
		buf_slice(&exts, rd_rest(&seq));
		buf_slice(&exts, ext);
		der_put(&exts_seq, DER_SEQUENCE, buf_view(&exts));
		der_put(&body, DER_EXPLICIT + 3, buf_view(&exts_seq));
	}
	der_put(&all, DER_SEQUENCE, buf_view(&body));
	WORKS(sig_sign(&sig, k, SIG_ECDSA_DER, HASH_SHA256, buf_view(&all), &e));
	buf_slice(&all, alg);
	der_put_bits(&all, buf_view(&sig));
	der_put(&der, DER_SEQUENCE, buf_view(&all));
	WORKS(certs_parse(ret, buf_view(&der), &e));
}

TEST(unknown_critical_extension_is_refused_and_an_uncritical_one_is_not)
{
	AUTO_CA a = { 0 };
	AUTO_CERTS plain = { 0 }, critical = { 0 };
	struct err seen = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	/* 1.2.3, with the value 04 00 */
	with_extension(&plain, &a.leaf.v[0], &a.ca_key, SLICE("\x30\x08\x06\x02\x2a\x03\x04\x02\x04\x00"));
	with_extension(&critical, &a.leaf.v[0], &a.ca_key, SLICE("\x30\x0b\x06\x02\x2a\x03\x01\x01\xff\x04\x02\x04\x00"));
	WORKS(cert_issued(&plain.v[0], &a.ca.v[0], NOW, &e));
	OK(slice_eq(cert_ext(&plain.v[0], "1.2.3"), SLICE("\x04\x00")));
	EQ(cert_issued(&critical.v[0], &a.ca.v[0], NOW, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	HAS(seen.msg, "unknown critical extension (1.2.3)");
}

TEST(extension_given_twice_makes_the_certificate_malformed)
{
	AUTO_CA a = { 0 };
	AUTO_CERTS once = { 0 };
	AUTO_BUF der = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	with_extension(&once, &a.leaf.v[0], &a.ca_key,
		       SLICE("\x30\x08\x06\x02\x2a\x03\x04\x02\x04\x00\x30\x08\x06\x02\x2a\x04\x04\x02\x04\x00"));
	buf_slice(&der, once.v[0].der);
	uint8_t *second = memmem(der.p, der.n, "\x06\x02\x2a\x04\x04\x02\x04\x00", 8);

	OK(second);
	if (second)
		second[3] = 0x03;
	FAILS(certs_parse(&once, buf_view(&der), &e), EC_FORMAT);
}

/* A chain in order: the same rules, but for dates and for who the last one is. */
TEST(line_of_certificates)
{
	AUTO_CA a = { 0 };
	AUTO_CERTS line = { 0 }, tight = { 0 };
	AUTO_PRIVKEY k = { 0 };
	struct err seen = { 0 };
	const struct cert_list none = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	issue(&tight, &(struct cert_make){ .subject = "CN=Sub CA", .key = &k, .issuer = &a.ca.v[0], .issuer_key = &a.ca_key,
					   .not_before = NOW - 9 * DAY, .not_after = NOW - 8 * DAY, .ca = true, .leaves_only = true });
	issue(&line, &(struct cert_make){ .subject = "CN=leaf", .key = &a.leaf_key, .issuer = &tight.v[0], .issuer_key = &k,
					  .not_before = NOW + DAY, .not_after = NOW + 2 * DAY });
	WORKS(certs_parse(&line, tight.v[0].der, &e));
	WORKS(certs_parse(&line, a.ca.v[0].der, &e));
	WORKS(cert_line(&line, &e));
	WORKS(cert_line(&(struct cert_list){ line.v, 1 }, &e));
	WORKS(cert_line(&(struct cert_list){ line.v + 1, 2 }, &e));
	FAILS(cert_line(&none, &e), EC_REFUSED);
	EQ(cert_line(&(struct cert_list){ (struct cert[]){ line.v[1], line.v[0] }, 2 }, &seen), -1);
	HAS(seen.msg, "names the issuer");
	EQ(cert_line(&(struct cert_list){ (struct cert[]){ line.v[0], line.v[2] }, 2 }, &seen), -1);
	HAS(seen.msg, "names the issuer");
	/* the CA for leaves only, as its own issuer's issuer */
	AUTO_CERTS below = { 0 }, deep = { 0 };

	issue(&below, &(struct cert_make){ .subject = "CN=Sub Sub CA", .key = &k, .issuer = &tight.v[0], .issuer_key = &k,
					   .not_before = NOW, .not_after = NOW + DAY, .ca = true });
	issue(&deep, &(struct cert_make){ .subject = "CN=deep", .key = &a.leaf_key, .issuer = &below.v[0], .issuer_key = &k,
					  .not_before = NOW, .not_after = NOW + DAY });
	EQ(cert_line(&(struct cert_list){ (struct cert[]){ deep.v[0], below.v[0], tight.v[0] }, 3 }, &seen), -1);
	HAS(seen.msg, "allows 0 CAs below it, there are 1");
}

TEST(path_length_is_honoured)
{
	AUTO_CA a = { 0 };
	AUTO_CERTS sub = { 0 }, leaf = { 0 }, between = { 0 };
	AUTO_PRIVKEY k = { 0 };
	struct err seen = { 0 };

	ca_init(&a, KEY_EC_P256, false);
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	issue(&sub, &(struct cert_make){ .subject = "CN=Sub CA", .key = &k, .issuer = &a.ca.v[0], .issuer_key = &a.ca_key,
					 .not_before = NOW - DAY, .not_after = NOW + DAY, .ca = true });
	issue(&leaf, &(struct cert_make){ .subject = "CN=deep", .key = &a.leaf_key, .issuer = &sub.v[0], .issuer_key = &k,
					  .not_before = NOW - DAY, .not_after = NOW + DAY });
	WORKS(certs_parse(&between, a.ca.v[0].der, &e));
	WORKS(certs_parse(&between, sub.v[0].der, &e));
	WORKS(cert_chain(&leaf.v[0], &between, &a.root, NOW, &e));
	/* the same CA, with pathLenConstraint 0: may issue leaves only */
	AUTO_BUF tight = { 0 };
	AUTO_CERTS short_ca = { 0 };

	buf_slice(&tight, a.ca.v[0].der);
	uint8_t *bc = memmem(tight.p, tight.n, "\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff", 17);

	OK(bc);
	if (!bc)
		return;
	/* trade "critical" (3 bytes) for pathLen 0 (3 bytes): the lengths outside stay the same */
	memcpy(bc, "\x30\x0f\x06\x03\x55\x1d\x13\x04\x08\x30\x06\x01\x01\xff\x02\x01\x00", 17);
	struct rd outer = rd_of(buf_view(&tight)), r = der_open(&outer, DER_SEQUENCE);
	const struct slice tbs = der_take(&r, DER_SEQUENCE).all, alg = der_take(&r, DER_SEQUENCE).all;
	AUTO_BUF sig = { 0 }, all = { 0 }, der = { 0 };

	WORKS(sig_sign(&sig, &a.root_key, SIG_ECDSA_DER, HASH_SHA256, tbs, &e));
	buf_slice(&all, tbs);
	buf_slice(&all, alg);
	der_put_bits(&all, buf_view(&sig));
	der_put(&der, DER_SEQUENCE, buf_view(&all));
	WORKS(certs_parse(&short_ca, buf_view(&der), &e));
	WORKS(cert_chain(&a.leaf.v[0], &short_ca, &a.root, NOW, &e));
	WORKS(certs_parse(&short_ca, sub.v[0].der, &e));
	EQ(cert_chain(&leaf.v[0], &short_ca, &a.root, NOW, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	HAS(seen.msg, "allows 0 CAs below it");
}

/* --- what hardware makers issue -------------------------------------------------------------------------- */

static void certs_of(struct cert_list *l, const char *name)
{
	AUTO_BUF file = { 0 };

	load_vec(&file, name);
	WORKS(certs_parse(l, buf_view(&file), &e));
}

TEST(amd_chains_verify_to_their_roots)
{
	NEED_VECTORS;
	static const struct {
		const char *leaf, *between, *root;
		int64_t now;
	} chains[] = {
		{ "milan-v2.vcek.der", "amd-milan-ask.der", "amd-milan-ark.der", NOW },
		{ "milan-v2-debug.vcek.der", "amd-milan-ask.der", "amd-milan-ark.der", NOW },
		{ "milan-v3.vcek-a.pem", "amd-milan-ask.der", "amd-milan-ark.der", NOW },
		{ "milan-v3.vcek-b.pem", "amd-milan-ask.der", "amd-milan-ark.der", NOW + 10 * DAY },
		{ "milan-v3-vlek.vlek.der", "amd-milan-asvk.der", "amd-milan-ark.der", NOW - 100 * DAY },
		{ "turin-v5.vcek.pem", "amd-turin-ask.der", "amd-turin-ark.der", NOW + 10 * DAY },
		{ "turin-other.vcek.der", "amd-turin-ask.der", "amd-turin-ark.der", NOW },
		{ "ars-test.vcek.der", "amd-milan-ask.der", "amd-milan-ark.der", NOW },
	};

	for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
		AUTO_CERTS leaf = { 0 }, between = { 0 }, root = { 0 }, other = { 0 };
		AUTO_BUF alg = { 0 };
		char path[128];

		snprintf(path, sizeof path, "cpu-tee/snp/%s", chains[i].leaf);
		certs_of(&leaf, path);
		snprintf(path, sizeof path, "cpu-tee/roots/%s", chains[i].between);
		certs_of(&between, path);
		snprintf(path, sizeof path, "cpu-tee/roots/%s", chains[i].root);
		certs_of(&root, path);
		certs_of(&other, "cpu-tee/roots/amd-genoa-ark.der");
		if (leaf.n != 1 || between.n != 1 || root.n != 1)
			return;
		WORKS(cert_chain(&leaf.v[0], &between, &root, chains[i].now, &e));
		WORKS(cert_issued(&root.v[0], &root.v[0], chains[i].now, &e));
		FAILS(cert_chain(&leaf.v[0], &between, &other, chains[i].now, &e), EC_REFUSED);
		FAILS(cert_issued(&leaf.v[0], &root.v[0], chains[i].now, &e), EC_REFUSED);
		FAILS(cert_chain(&leaf.v[0], &between, &root, leaf.v[0].not_before - 1, &e), EC_REFUSED);
		FAILS(cert_chain(&leaf.v[0], &between, &root, leaf.v[0].not_after + 1, &e), EC_REFUSED);
		WORKS(cert_describe_alg(&alg, &leaf.v[0], &e));
		STR(buf_cstr(&alg), "RSA-PSS SHA-384");
		OK(cert_ext(&leaf.v[0], "1.3.6.1.4.1.3704.1.2").n > 0);	/* product name */
	}
}

TEST(amd_leaves_of_another_issuer_are_refused)
{
	NEED_VECTORS;
	static const char *const leaves[] = { "bad-vcek-new.der", "bad-vcek-legacy.der", "milan-v3-vlek.vlek.der",
					      "turin-other.vcek.der" };
	AUTO_CERTS ask = { 0 }, root = { 0 };

	certs_of(&ask, "cpu-tee/roots/amd-milan-ask.der");
	certs_of(&root, "cpu-tee/roots/amd-milan-ark.der");
	for (size_t i = 0; i < 4; i++) {
		AUTO_CERTS leaf = { 0 };
		char path[128];

		snprintf(path, sizeof path, "cpu-tee/snp/%s", leaves[i]);
		certs_of(&leaf, path);
		EQ(leaf.n, 1);
		if (leaf.n == 1)
			FAILS(cert_chain(&leaf.v[0], &ask, &root, leaf.v[0].not_before + 1, &e), EC_REFUSED);
	}
}

TEST(amd_certificate_with_a_changed_bit_is_refused)
{
	NEED_VECTORS;
	AUTO_CERTS ask = { 0 };
	AUTO_BUF file = { 0 };
	unsigned n = 0;

	certs_of(&ask, "cpu-tee/roots/amd-milan-ask.der");
	load_vec(&file, "cpu-tee/snp/milan-v2.vcek.der");
	if (ask.n != 1)
		return;
	for (size_t at = 8; at < file.n; at += 41) {
		AUTO_CERTS c = { 0 };

		file.p[at] ^= 0x02;
		if (certs_parse(&c, buf_view(&file), NULL) == 0) {
			OK(cert_issued(&c.v[0], &ask.v[0], NOW, NULL) == -1);
			n++;
		}
		file.p[at] ^= 0x02;
	}
	OK(n > 10);
}

TEST(nvidia_chain_verifies_to_the_device_root)
{
	NEED_VECTORS;
	AUTO_CERTS chain = { 0 }, root = { 0 }, rim = { 0 };
	struct cert_list between;

	certs_of(&chain, "trustee/nvidia/hopper_cert_chain_case1.txt");
	certs_of(&root, "nvidia/roots/device_root.pem");
	certs_of(&rim, "nvidia/roots/rim_root.pem");
	EQ(chain.n, 5);
	if (chain.n != 5)
		return;
	between = (struct cert_list){ chain.v + 1, 3 };
	WORKS(cert_chain(&chain.v[0], &between, &root, NOW, &e));
	FAILS(cert_chain(&chain.v[0], &between, &rim, NOW, &e), EC_REFUSED);
	between.n = 2;
	FAILS(cert_chain(&chain.v[0], &between, &root, NOW, &e), EC_REFUSED);
}

TEST(intel_tcb_signer_verifies_to_the_sgx_root)
{
	NEED_VECTORS;
	AUTO_CERTS chain = { 0 }, root = { 0 };

	certs_of(&chain, "cpu-tee/tdx/coll2026-tcb_signing_chain.pem");
	certs_of(&root, "cpu-tee/roots/intel-sgx-root-ca.pem");
	if (chain.n != 2 || root.n != 1)
		return;
	WORKS(cert_chain(&chain.v[0], &chain, &root, NOW, &e));
	FAILS(cert_chain(&chain.v[0], &chain, &root, NOW - 20 * 365 * DAY, &e), EC_REFUSED);
}

/* key-broker.md 3.3: the key of the token header, proved by its certificate chain. */
static int trust_jwk(const char *jwk_file, const char *trust_file, int64_t now, struct err *e)
{
	AUTO_BUF text = { 0 };
	AUTO_JSON *jwk = NULL;
	AUTO_CERTS roots = { 0 }, sent = { 0 };
	AUTO_PUBKEY a = { 0 }, b = { 0 };
	AUTO_BUF da = { 0 }, db = { 0 };
	const struct json *x5c;

	load_vec(&text, jwk_file);
	certs_of(&roots, trust_file);
	if (json_parse(&jwk, buf_view(&text), 1 << 16, e) || jwk_parse(&a, jwk, e) || json_need_arr(&x5c, jwk, "x5c", "JWK", e))
		return -1;
	for (const struct json *c = json_first(x5c); c; c = json_next(c)) {
		AUTO_BUF der = { 0 };

		if (b64_decode(&der, slice_str(json_string(c)), e) || certs_parse(&sent, buf_view(&der), e))
			return -1;
	}
	if (!sent.n || cert_public(&b, &sent.v[0], e) || pubkey_der(&da, &a, e) || pubkey_der(&db, &b, e))
		return -1;
	if (!slice_eq(buf_view(&da), buf_view(&db)))
		return err_set(e, EC_REFUSED, "key is not that of its certificate");
	return cert_chain(&sent.v[0], &sent, &roots, now, e);
}

TEST(token_keys_of_the_vectors_are_trusted_or_refused)
{
	NEED_VECTORS;
	const int64_t now = time_from_civil(2026, 6, 1, 0, 0, 0);

	WORKS(trust_jwk("trustee/token-jwk/scenario01-jwk.json", "trustee/token-jwk/scenario01-trust.pem", now, &e));
	WORKS(trust_jwk("trustee/token-jwk/scenario05-jwk.json", "trustee/token-jwk/scenario05-trust.pem", now, &e));
	FAILS(trust_jwk("trustee/token-jwk/scenario02-jwk.json", "trustee/token-jwk/scenario02-trust.pem", now, &e), EC_REFUSED);
	FAILS(trust_jwk("trustee/token-jwk/scenario03-jwk.json", "trustee/token-jwk/scenario03-trust.pem", now, &e), EC_FORMAT);
	FAILS(trust_jwk("trustee/token-jwk/scenario01-jwk.json", "trustee/token-jwk/scenario05-trust.pem", now, &e), EC_REFUSED);
	FAILS(trust_jwk("trustee/token-jwk/scenario01-jwk.json", "trustee/token-jwk/scenario01-trust.pem", NOW, &e), EC_REFUSED);
}

TEST(published_token_key_matches_its_certificate)
{
	NEED_VECTORS;
	AUTO_BUF text = { 0 }, pem = { 0 }, thumb = { 0 }, thumb2 = { 0 };
	AUTO_JSON *set = NULL;
	AUTO_PUBKEY a = { 0 }, b = { 0 };
	AUTO_PRIVKEY k = { 0 };

	load_vec(&text, "trustee/ear/expected-jwks.json");
	load_vec(&pem, "trustee/ear/signing-key.pem");
	WORKS(json_parse(&set, buf_view(&text), 1 << 16, &e));
	WORKS(jwk_parse(&a, json_path(set, "/keys/0"), &e));
	WORKS(privkey_parse(&k, buf_view(&pem), &e));
	WORKS(privkey_public(&b, &k, &e));
	WORKS(jwk_thumbprint(&thumb, &a, &e));
	WORKS(jwk_thumbprint(&thumb2, &b, &e));
	STR(buf_cstr(&thumb), buf_cstr(&thumb2));
}
