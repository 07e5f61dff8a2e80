/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists: our own, changed in every way, and those of Intel. */

#include "codec/der.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "crypto/crl.h"
#include "test.h"

#define NOW INT64_C(1770000000)		/* 2026-02-02T02:40:00Z */
#define DAY INT64_C(86400)
#define AUTO_CRL __attribute__((cleanup(crl_free))) struct crl

struct ca {
	struct privkey key;
	struct cert_list cert;
};

static void ca_make(struct ca *a, enum key_type t, const char *name, bool ca)
{
	AUTO_BUF der = { 0 };

	WORKS(privkey_generate(&a->key, t, 2048, &e));
	WORKS(cert_make(&der, &(const struct cert_make){ .subject = name, .key = &a->key, .not_before = NOW - 9 * DAY,
							 .not_after = NOW + 9 * DAY, .ca = ca }, &e));
	WORKS(certs_parse(&a->cert, buf_view(&der), &e));
}

static void ca_free(struct ca *a)
{
	privkey_free(&a->key);
	certs_free(&a->cert);
}
#define AUTO_CA __attribute__((cleanup(ca_free))) struct ca

static const struct slice serials[] = { { (const uint8_t *)"\x01\x00\x01", 3 }, { (const uint8_t *)"\x80", 1 }, { (const uint8_t *)"\x07", 1 } };

static void list_make(struct buf *ret, const struct ca *a, bool pss)
{
	WORKS(crl_make(ret, &(const struct crl_make){ .issuer = &a->cert.v[0], .issuer_key = &a->key, .this_update = NOW - DAY,
						      .next_update = NOW + DAY, .serials = serials, .n_serials = 3, .pss = pss }, &e));
}

TEST(crl_holds_with_each_kind_of_key)
{
	static const struct { enum key_type t; bool pss; } kinds[] = { { KEY_EC_P256, false }, { KEY_EC_P384, false }, { KEY_EC_P521, false },
								       { KEY_RSA, false }, { KEY_RSA, true } };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		AUTO_CA a = { 0 };
		AUTO_BUF der = { 0 };
		AUTO_CRL c = { 0 };

		ca_make(&a, kinds[i].t, "CN=Lists,O=Test", true);
		list_make(&der, &a, kinds[i].pss);
		WORKS(crl_parse(&c, buf_view(&der), &e));
		EQ(c.entries, 3);
		EQ(c.this_update, NOW - DAY);
		EQ(c.next_update, NOW + DAY);
		OK(slice_eq(c.number, SLICE("\x01")));
		OK(slice_eq(c.der, buf_view(&der)));
		OK(slice_eq(c.issuer, a.cert.v[0].subject));
		WORKS(crl_check(&c, &a.cert.v[0], NOW, &e));
	}
}

TEST(crl_compares_serial_numbers_as_numbers)
{
	AUTO_CA a = { 0 };
	AUTO_BUF der = { 0 }, none = { 0 };
	AUTO_CRL c = { 0 }, empty = { 0 };

	ca_make(&a, KEY_EC_P256, "CN=Lists", true);
	list_make(&der, &a, false);
	WORKS(crl_parse(&c, buf_view(&der), &e));
	OK(crl_lists(&c, SLICE("\x01\x00\x01")));
	OK(crl_lists(&c, SLICE("\x00\x01\x00\x01")));
	OK(crl_lists(&c, SLICE("\x00\x80")));		/* as it stands in a certificate */
	OK(crl_lists(&c, SLICE("\x07")));
	OK(!crl_lists(&c, SLICE("\x00")));
	OK(!crl_lists(&c, SLICE("")));
	OK(!crl_lists(&c, SLICE("\x01\x00\x02")));
	OK(!crl_lists(&c, SLICE("\x01\x00")));
	OK(!crl_lists(&c, SLICE("\x07\x00")));
	WORKS(crl_make(&none, &(const struct crl_make){ .issuer = &a.cert.v[0], .issuer_key = &a.key, .this_update = NOW, .next_update = NOW }, &e));
	WORKS(crl_parse(&empty, buf_view(&none), &e));
	EQ(empty.entries, 0);
	OK(!crl_lists(&empty, SLICE("\x07")));
	WORKS(crl_check(&empty, &a.cert.v[0], NOW, &e));
}

TEST(crl_of_another_maker_is_refused)
{
	AUTO_CA a = { 0 }, other_name = { 0 }, other_key = { 0 }, leaf = { 0 };
	AUTO_BUF der = { 0 }, by_leaf = { 0 };
	AUTO_CRL c = { 0 }, l = { 0 };
	struct err seen = { 0 };

	ca_make(&a, KEY_EC_P256, "CN=Lists", true);
	ca_make(&other_name, KEY_EC_P256, "CN=Others", true);
	ca_make(&other_key, KEY_EC_P256, "CN=Lists", true);
	ca_make(&leaf, KEY_EC_P256, "CN=leaf", false);	/* key usage: digitalSignature alone */
	list_make(&der, &a, false);
	WORKS(crl_parse(&c, buf_view(&der), &e));
	EQ(crl_check(&c, &other_name.cert.v[0], NOW, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	STR(seen.msg, "revocation list is of 'CN=Lists', not of 'CN=Others'");
	EQ(crl_check(&c, &other_key.cert.v[0], NOW, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	HAS(seen.msg, "revocation list of 'CN=Lists'");
	OK(!strstr(seen.msg, "expired"));
	list_make(&by_leaf, &leaf, false);
	WORKS(crl_parse(&l, buf_view(&by_leaf), &e));
	EQ(crl_check(&l, &leaf.cert.v[0], NOW, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	HAS(seen.msg, "may not sign revocation lists");
}

TEST(crl_dates_have_distinct_texts)
{
	AUTO_CA a = { 0 };
	AUTO_BUF der = { 0 }, open = { 0 };
	AUTO_CRL c = { 0 }, o = { 0 };
	struct err seen = { 0 };

	ca_make(&a, KEY_EC_P256, "CN=Lists", true);
	list_make(&der, &a, false);
	WORKS(crl_parse(&c, buf_view(&der), &e));
	WORKS(crl_check(&c, &a.cert.v[0], NOW - DAY, &e));
	WORKS(crl_check(&c, &a.cert.v[0], NOW + DAY, &e));
	EQ(crl_check(&c, &a.cert.v[0], NOW + DAY + 1, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	STR(seen.msg, "revocation list of 'CN=Lists' has expired: valid from 2026-02-01T02:40:00Z to 2026-02-03T02:40:00Z, the time used is "
		      "2026-02-03T02:40:01Z");
	EQ(crl_check(&c, &a.cert.v[0], NOW - DAY - 1, &seen), -1);
	STR(seen.msg, "revocation list of 'CN=Lists' is not yet valid: from 2026-02-01T02:40:00Z to 2026-02-03T02:40:00Z, the time used is "
		      "2026-02-01T02:39:59Z");
	WORKS(crl_make(&open, &(const struct crl_make){ .issuer = &a.cert.v[0], .issuer_key = &a.key, .this_update = NOW - DAY }, &e));
	WORKS(crl_parse(&o, buf_view(&open), &e));
	EQ(o.next_update, 0);
	EQ(crl_check(&o, &a.cert.v[0], NOW, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	HAS(seen.msg, "does not say until when");
}

TEST(crl_forms)
{
	AUTO_CA a = { 0 };
	AUTO_BUF der = { 0 }, pem = { 0 }, hex = { 0 }, hex_of_pem = { 0 }, two = { 0 }, behind = { 0 };
	AUTO_CRL c = { 0 }, d = { 0 }, h = { 0 }, no = { 0 };

	ca_make(&a, KEY_EC_P256, "CN=Lists", true);
	list_make(&der, &a, false);
	pem_put(&pem, "X509 CRL", buf_view(&der));
	buf_hex(&hex, buf_view(&der));
	buf_puts(&hex, "\n");
	buf_hex(&hex_of_pem, buf_view(&pem));
	WORKS(crl_parse(&c, buf_view(&pem), &e));
	WORKS(crl_parse(&d, buf_view(&hex), &e));
	WORKS(crl_parse(&h, buf_view(&hex_of_pem), &e));
	OK(slice_eq(c.der, buf_view(&der)) && slice_eq(d.der, buf_view(&der)) && slice_eq(h.der, buf_view(&der)));
	buf_slice(&two, buf_view(&pem));
	buf_slice(&two, buf_view(&pem));
	FAILS(crl_parse(&no, buf_view(&two), &e), EC_FORMAT);
	buf_slice(&behind, buf_view(&der));
	buf_byte(&behind, 0);
	FAILS(crl_parse(&no, buf_view(&behind), &e), EC_FORMAT);
	FAILS(crl_parse(&no, a.cert.v[0].der, &e), EC_FORMAT);
	FAILS(crl_parse(&no, SLICE(""), &e), EC_FORMAT);
	FAILS(crl_parse(&no, SLICE("30"), &e), EC_FORMAT);
	FAILS(crl_parse(&no, SLICE("303"), &e), EC_FORMAT);
	FAILS(crl_parse(&no, SLICE("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), &e), EC_FORMAT);
	FAILS(crl_parse(&no, SLICE("-----BEGIN X509 CRL-----\nMAA=\n"), &e), EC_FORMAT);
	FAILS(crl_parse(&no, SLICE("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"), &e), EC_FORMAT);
	OK(no.ctx == NULL);
}

TEST(crl_every_changed_byte_and_every_cut_is_noticed)
{
	AUTO_CA a = { 0 };
	AUTO_BUF der = { 0 };
	unsigned refused = 0, malformed = 0;

	ca_make(&a, KEY_EC_P256, "CN=Lists", true);
	list_make(&der, &a, false);
	for (size_t at = 0; at < der.n; at++) {
		AUTO_CRL c = { 0 };
		struct err seen = { 0 };

		der.p[at] ^= 0x01;
		if (crl_parse(&c, buf_view(&der), &seen)) {
			EQ(seen.code, EC_FORMAT);
			malformed++;
		} else {
			EQ(crl_check(&c, &a.cert.v[0], NOW, &seen), -1);
			OK(seen.code == EC_REFUSED || seen.code == EC_FORMAT);
			refused++;
		}
		der.p[at] ^= 0x01;
	}
	OK(refused > 100 && malformed > 20);
	for (size_t n = 0; n < der.n; n++) {
		AUTO_CRL c = { 0 };

		FAILS(crl_parse(&c, slice_of(der.p, n), &e), EC_FORMAT);
	}
}

/* --- lists put together by hand ---------------------------------------------------------------------------- */

struct parts {			/* DER; NULL: as a good list has it */
	const char *version, *revoked, *exts;
	size_t version_n, revoked_n, exts_n;
	bool other_alg, tail;
};
#define V(lit) .version = lit, .version_n = sizeof(lit) - 1
#define R(lit) .revoked = lit, .revoked_n = sizeof(lit) - 1
#define X(lit) .exts = lit, .exts_n = sizeof(lit) - 1

static void by_hand(struct buf *ret, const struct ca *a, const struct parts *p)
{
	static const char alg[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", alg384[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
	AUTO_BUF body = { 0 }, all = { 0 }, sig = { 0 };

	buf_slice(&body, p->version ? slice_of(p->version, p->version_n) : SLICE("\x02\x01\x01"));
	buf_put(&body, p->other_alg ? alg384 : alg, 12);
	buf_slice(&body, a->cert.v[0].subject);
	der_put_time(&body, NOW - DAY);
	der_put_time(&body, NOW + DAY);
	buf_slice(&body, slice_of(p->revoked, p->revoked_n));
	buf_slice(&body, slice_of(p->exts, p->exts_n));
	if (p->tail)
		buf_puts(&body, "\x05");
	der_put(&all, DER_SEQUENCE, buf_view(&body));
	WORKS(sig_sign(&sig, &a->key, SIG_ECDSA_DER, HASH_SHA256, buf_view(&all), &e));
	buf_put(&all, alg, 12);
	der_put_bits(&all, buf_view(&sig));
	der_put(ret, DER_SEQUENCE, buf_view(&all));
}

#define TIME "\x17\x0d" "260101000000Z"		/* 15 bytes */
/* 2.5.29.N, critical or not, with the value given as a whole OCTET STRING of n bytes */
#define PLAIN(n, N, value) "\x30" n "\x06\x03\x55\x1d" N value
#define CRITICAL(n, N, value) "\x30" n "\x06\x03\x55\x1d" N "\x01\x01\xff" value

TEST(crl_oddities_are_judged_for_what_they_are)
{
	static const struct {
		struct parts p;
		enum ec code;		/* EC_OK: accepted */
		const char *why;
	} rows[] = {
		{ { 0 }, EC_OK, NULL },
		{ { V("") }, EC_OK, NULL },					/* version 1 */
		{ { R("\x30\x14\x30\x12\x02\x01\x05" TIME) }, EC_OK, NULL },
		{ { V(""), R("\x30\x14\x30\x12\x02\x01\x05" TIME) }, EC_OK, NULL },
		{ { R("\x30\x00") }, EC_OK, NULL },
		/* reason, not critical */
		{ { R("\x30\x22\x30\x20\x02\x01\x05" TIME "\x30\x0c" PLAIN("\x0a", "\x15", "\x04\x03\x0a\x01\x01")) }, EC_OK, NULL },
		/* certificate issuer, critical: an indirect list */
		{ { R("\x30\x24\x30\x22\x02\x01\x05" TIME "\x30\x0e" CRITICAL("\x0c", "\x1d", "\x04\x02\x30\x00")) }, EC_REFUSED, "critical extension (2.5.29.29)" },
		/* the same in the second entry */
		{ { R("\x30\x36\x30\x10\x02\x01\x05" TIME "\x30\x22\x02\x01\x06" TIME "\x30\x0e" CRITICAL("\x0c", "\x1d", "\x04\x02\x30\x00")) }, EC_FORMAT, "entr" },
		{ { R("\x30\x38\x30\x12\x02\x01\x05" TIME "\x30\x22\x02\x01\x06" TIME "\x30\x0e" CRITICAL("\x0c", "\x1d", "\x04\x02\x30\x00")) }, EC_REFUSED, "critical extension (2.5.29.29)" },
		/* issuing distribution point: a partial list */
		{ { X("\xa0\x10\x30\x0e" CRITICAL("\x0c", "\x1c", "\x04\x02\x30\x00")) }, EC_REFUSED, "critical extension (2.5.29.28)" },
		{ { X("\xa0\x0d\x30\x0b" PLAIN("\x09", "\x1c", "\x04\x02\x30\x00")) }, EC_OK, NULL },
		/* number, and number twice */
		{ { X("\xa0\x0e\x30\x0c" PLAIN("\x0a", "\x14", "\x04\x03\x02\x01\x05")) }, EC_OK, NULL },
		{ { X("\xa0\x1a\x30\x18" PLAIN("\x0a", "\x14", "\x04\x03\x02\x01\x05") PLAIN("\x0a", "\x14", "\x04\x03\x02\x01\x06")) }, EC_FORMAT, "extensions" },
		{ { X("\xa0\x0e\x30\x0c" PLAIN("\x0a", "\x14", "\x04\x03\x04\x01\x05")) }, EC_FORMAT, "number" },
		{ { X("\xa0\x11\x30\x0f" CRITICAL("\x0d", "\x1b", "\x04\x03\x02\x01\x05")) }, EC_FORMAT, "delta list" },
		{ { X("\xa0\x0e\x30\x0c" PLAIN("\x0a", "\x1b", "\x04\x03\x02\x01\x05")) }, EC_FORMAT, "delta list" },
		{ { X("\xa0\x02\x30\x00") }, EC_FORMAT, "extensions" },
		{ { V(""), X("\xa0\x0e\x30\x0c" PLAIN("\x0a", "\x14", "\x04\x03\x02\x01\x05")) }, EC_FORMAT, "body" },	/* version 1 has none */
		{ { V("\x02\x01\x00") }, EC_FORMAT, "version" },
		{ { V("\x02\x01\x02") }, EC_FORMAT, "version" },
		{ { .other_alg = true }, EC_FORMAT, "signature algorithm" },
		{ { .tail = true }, EC_FORMAT, "body" },
		{ { R("\x30\x14\x30\x12\x04\x01\x05" TIME) }, EC_FORMAT, "serial number" },
		{ { R("\x30\x05\x30\x03\x02\x01\x05") }, EC_FORMAT, "entry" },
		{ { R("\x30\x16\x30\x14\x02\x01\x05" TIME "\x05\x00") }, EC_FORMAT, "entry" },
	};
	AUTO_CA a = { 0 };

	ca_make(&a, KEY_EC_P256, "CN=Lists", true);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF der = { 0 };
		AUTO_CRL c = { 0 };
		struct err seen = { 0 };

		by_hand(&der, &a, &rows[i].p);
		if (!crl_parse(&c, buf_view(&der), &seen))
			crl_check(&c, &a.cert.v[0], NOW, &seen);
		if (seen.code != rows[i].code || (rows[i].why && !strstr(seen.msg, rows[i].why)))
			test_fail(__FILE__, __LINE__, "row %zu: code %d '%s', wanted %d '%s'", i, (int)seen.code, seen.msg, (int)rows[i].code,
				  rows[i].why ? rows[i].why : "");
	}
}

/* Made by OpenSSL 3: RSA-PSS with its parameters spelt out, a reason in one entry. */
static const char openssl_ca[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIDfjCCAjKgAwIBAgIUU0knxZ0DmOSyr+nhEfm13zsz82kwQQYJKoZIhvcNAQEK\n"
	"MDSgDzANBglghkgBZQMEAgIFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgIF\n"
	"AKIDAgEwMCIxEDAOBgNVBAoMB09wZW5TU0wxDjAMBgNVBAMMBUxpc3RzMCAXDTI2\n"
	"MTEyMzIxNDI1NFoYDzIxMjYxMDMwMjE0MjU0WjAiMRAwDgYDVQQKDAdPcGVuU1NM\n"
	"MQ4wDAYDVQQDDAVMaXN0czCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEB\n"
	"ANzkxgA4UZc7o25QTn36zEo3/YnuIVnwhfcX7d0a9KhaeSpafvHYxk6gHZPgHUIq\n"
	"Jhu14Y3uvRZRcIyzOgl9y9cftHkJmsUB3jocBKxx7QUHXzYqtVyeLnWWl/510/X2\n"
	"elAU/JdZcbDnfYYjGYHt0Qq4CM+xs+4lZHijpZVRDwBQFwMOXfAtZ80dWXmzwEje\n"
	"qLCUx0M4DAY7v3W2fLlXGy+REwSC4/wc6vETiQLJrXGKEH44BRC2zdm/4UDcN8It\n"
	"LdMwM4CqG1T84L2PGQf7P1cm2VGdKLk9dNI2Fpqs16XQ5hcsZExPuJ1XRkv8UHRf\n"
	"PS254+OEvJa6mTzfrhLx6acCAwEAAaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNV\n"
	"HQ8BAf8EBAMCAQYwHQYDVR0OBBYEFC1A8GeJocMKNXQQAYFCYCFWx3t7MEEGCSqG\n"
	"SIb3DQEBCjA0oA8wDQYJYIZIAWUDBAICBQChHDAaBgkqhkiG9w0BAQgwDQYJYIZI\n"
	"AWUDBAICBQCiAwIBMAOCAQEAmB4SqtbKyGv63F82bKSMA31mh5FU+tSqwGRJUJtB\n"
	"TddteLAK8kIw5AE1ACXnoS0iyWZMSktYpaOwK9uz2iQR7wYDvjQVLv9DCjwFafrR\n"
	"YDkLmrNZeoaE43/5Ji5V34I6DS25Vw31jALHPB2wWA4DMuxdLRQk/vVOf6ZWRfsb\n"
	"FUkJhDLTde0s0wsmO6AC8TBRc+qo+shRpWEDEIkzBBJKUaQ+Z/e05WKkBNDs0Ayf\n"
	"MHTc3U0FxZ7/X4LzXKdK+rphGVp4QltNMNacY2No6fkltx/bynX4Jge9918EL8Bk\n"
	"6roRmrxNljR+H6VZbH1WGmeicLUuykfNO77Dp+Lq0nScew==\n"
	"-----END CERTIFICATE-----\n";
static const char openssl_list[] =
	"-----BEGIN X509 CRL-----\n"
	"MIICQzCB+AIBATBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAgUAoRwwGgYJ\n"
	"KoZIhvcNAQEIMA0GCWCGSAFlAwQCAgUAogMCATAwIjEQMA4GA1UECgwHT3BlblNT\n"
	"TDEOMAwGA1UEAwwFTGlzdHMXDTI2MDEwMTAwMDAwMFoYDzIxMjYxMDMwMjE0MjU1\n"
	"WjA7MCICAwEAARcNMjAwMTAxMDAwMDAwWjAMMAoGA1UdFQQDCgEBMBUCBADA/+4X\n"
	"DTIwMDEwMTAwMDAwMFqgLzAtMB8GA1UdIwQYMBaAFC1A8GeJocMKNXQQAYFCYCFW\n"
	"x3t7MAoGA1UdFAQDAgEfMEEGCSqGSIb3DQEBCjA0oA8wDQYJYIZIAWUDBAICBQCh\n"
	"HDAaBgkqhkiG9w0BAQgwDQYJYIZIAWUDBAICBQCiAwIBMAOCAQEAOwpL3uoLcSyZ\n"
	"j0AK9gcfcbdcEN2R5+41AU8cfyQCwFt14R7DF0xs2cdu6MJGDQXSVGBOt7wcVqbY\n"
	"j64OatP5V9+iXWjEputkZ3cHZdp/hEZlmB8tBHOegaITY5qyOz+AyoYc3XV2CSqV\n"
	"FOsEmIYaVsBs6Ers5VSMpbK9/OXsvQY3JDsM9dDUFYtVkG43D+M3rcXPLeMpd5RW\n"
	"P6frJe8hky2Ie90hRtzuh5pZ95z0lKG6V2rlrBbkV3WIhg4swlAlUrB6M5z8i2K5\n"
	"TmGV+hsRoZwhY7l8dqUFdF2P63CkH6ebZ0NZBc3qhOu+SXyEdq753LCjlBDPjLqb\n"
	"WmgT0rI0fw==\n"
	"-----END X509 CRL-----\n";

TEST(crl_of_openssl_holds)
{
	AUTO_CERTS ca = { 0 };
	AUTO_CRL c = { 0 };
	struct err seen = { 0 };

	WORKS(certs_parse(&ca, slice_str(openssl_ca), &e));
	WORKS(crl_parse(&c, slice_str(openssl_list), &e));
	if (!ca.n || !c.ctx)
		return;
	WORKS(crl_check(&c, &ca.v[0], NOW, &e));
	EQ(c.entries, 2);
	OK(slice_eq(c.number, SLICE("\x1f")));
	OK(crl_lists(&c, SLICE("\x01\x00\x01")));
	OK(crl_lists(&c, SLICE("\x00\xc0\xff\xee")));
	OK(!crl_lists(&c, SLICE("\x01\x00\x02")));
	EQ(crl_check(&c, &ca.v[0], INT64_C(1767225599), &seen), -1);	/* a second before */
	HAS(seen.msg, "not yet valid: from 2026-01-01T00:00:00Z");
}

TEST(intel_lists_hold_in_their_window)
{
	NEED_VECTORS;
	static const struct { const char *list, *issuer; size_t entries; int64_t from, to; } rows[] = {
		{ "coll2026-root_ca_crl.der", "intel-sgx-root-ca.pem", 0, 1772111040, 1803647040 },
		{ "spr-e4.rootcrl.der", "intel-sgx-root-ca.pem", 0, 1680517371, 1712053371 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF file = { 0 }, ca = { 0 };
		AUTO_CERTS issuer = { 0 };
		AUTO_CRL c = { 0 };
		struct err seen = { 0 };
		char path[128];

		snprintf(path, sizeof path, "cpu-tee/tdx/%s", rows[i].list);
		load_vec(&file, path);
		load_vec(&ca, "cpu-tee/roots/intel-sgx-root-ca.pem");
		WORKS(certs_parse(&issuer, buf_view(&ca), &e));
		WORKS(crl_parse(&c, buf_view(&file), &e));
		if (!c.ctx || !issuer.n)
			return;
		EQ(c.entries, rows[i].entries);
		EQ(c.this_update, rows[i].from);
		EQ(c.next_update, rows[i].to);
		WORKS(crl_check(&c, &issuer.v[0], rows[i].from, &e));
		WORKS(crl_check(&c, &issuer.v[0], rows[i].to, &e));
		EQ(crl_check(&c, &issuer.v[0], rows[i].to + 1, &seen), -1);
		HAS(seen.msg, "has expired");
		EQ(crl_check(&c, &issuer.v[0], rows[i].from - 1, &seen), -1);
		HAS(seen.msg, "not yet valid");
	}
}

/* The CA that signs these stands in the quotes; its chain is among the tests of TDX. */
TEST(intel_lists_of_processors_are_read_whole)
{
	NEED_VECTORS;
	static const struct { const char *list; size_t entries; const char *last; } rows[] = {
		{ "cpu-tee/tdx/coll2026-pck_crl_platform.der", 57, "6c2b81d7ea2e436720ce29f1d0b1ccb7a218600f" },
		{ "cpu-tee/tdx/spr-e4.pckcrl.der", 44, "00a17c51722ec1e0c3278fe8bdf052059cbec4e648" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF file = { 0 }, last = { 0 };
		AUTO_CRL c = { 0 };

		load_vec(&file, rows[i].list);
		WORKS(hex_decode(&last, slice_str(rows[i].last), &e));
		WORKS(crl_parse(&c, buf_view(&file), &e));
		if (!c.ctx)
			return;
		EQ(c.entries, rows[i].entries);
		OK(crl_lists(&c, buf_view(&last)));
		last.p[last.n - 1] ^= 1;
		OK(!crl_lists(&c, buf_view(&last)));
	}
}
