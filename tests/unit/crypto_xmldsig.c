/* SPDX-License-Identifier: Apache-2.0 */
/* XML signatures: the one form that is taken, in any dress, and what is refused beside it. */

#include <stdlib.h>

#include "codec/hex64.h"
#include "crypto/xmldsig.h"
#include "test.h"

#define NOW INT64_C(1750000000)
#define MAX ((size_t)1 << 20)

static struct {
	struct privkey key, other, small;
	struct pubkey public, other_public, small_public;
	struct buf cert, cert_text;
} k;

static void ready(void)
{
	if (k.cert.n)
		return;
	WORKS(privkey_generate(&k.key, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&k.other, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&k.small, KEY_EC_P256, 0, &e));
	WORKS(privkey_public(&k.public, &k.key, &e));
	WORKS(privkey_public(&k.other_public, &k.other, &e));
	WORKS(privkey_public(&k.small_public, &k.small, &e));
	WORKS(cert_make(&k.cert, &(const struct cert_make){ .subject = "CN=signer", .key = &k.key, .issuer_key = &k.key, .not_before = NOW,
							    .not_after = NOW + 1000 }, &e));
	b64_encode(&k.cert_text, buf_view(&k.cert));
}

#define INFO(p) \
	"<" p "SignedInfo><" p "CanonicalizationMethod Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>" \
	"<" p "SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384\"/><" p "Reference URI=\"\"><" p "Transforms>" \
	"<" p "Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>" \
	"<" p "Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/></" p "Transforms>" \
	"<" p "DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"/><" p "DigestValue>@D@</" p "DigestValue>" \
	"</" p "Reference></" p "SignedInfo>"
#define REST(p) \
	"<" p "SignatureValue>@S@</" p "SignatureValue><" p "KeyInfo><" p "X509Data><" p "X509Certificate>@C@</" p "X509Certificate>" \
	"</" p "X509Data></" p "KeyInfo>"
#define DS "http://www.w3.org/2000/09/xmldsig#"
#define PLAIN "<d:Signature xmlns:d=\"" DS "\">" INFO("d:") REST("d:") "</d:Signature>"
#define DOC "<r xmlns=\"urn:r\" xmlns:z=\"urn:z\" a=\"1\">text <b/>" PLAIN "</r>"

static void replaced(struct buf *ret, const char *text, const char *what, const char *by)
{
	for (const char *at = strstr(text, what); at; at = strstr(text, what)) {
		buf_put(ret, text, (size_t)(at - text));
		buf_puts(ret, by);
		text = at + strlen(what);
	}
	buf_puts(ret, text);
}

static void filled(struct buf *ret, const char *text, const char *digest, const char *sig)
{
	AUTO_BUF a = { 0 }, b = { 0 };

	replaced(&a, text, "@C@", buf_cstr(&k.cert_text));
	replaced(&b, buf_cstr(&a), "@D@", digest);
	buf_reset(ret);
	replaced(ret, buf_cstr(&b), "@S@", sig);
}

static int open_text(struct xmldsig *s, struct slice text, struct err *e)
{
	AUTO_XML *doc = NULL;

	return xml_parse(&doc, text, MAX, e) || xmldsig_open(s, doc, e) ? -1 : 0;
}

static void b64_of(struct buf *ret, const void *p, size_t n)
{
	buf_reset(ret);
	b64_encode(ret, slice_of(p, n));
}

/* Puts digest, signature and certificate in. */
static void sign(struct buf *ret, const char *text)
{
	const uint8_t zeros[96] = { 0 };
	AUTO_BUF digest = { 0 }, value = { 0 }, sig = { 0 };
	struct xmldsig s = { 0 };

	ready();
	b64_of(&digest, zeros, 48);
	b64_of(&value, zeros, 96);
	for (int pass = 0; pass < 2; pass++) {
		xmldsig_free(&s);
		filled(ret, text, buf_cstr(&digest), buf_cstr(&value));
		WORKS(open_text(&s, buf_view(ret), &e));
		b64_of(&digest, s.digest, 48);
	}
	WORKS(sig_sign(&sig, &k.key, SIG_ECDSA_RAW, HASH_SHA384, buf_view(&s.signed_info), &e));
	b64_of(&value, sig.p, sig.n);
	filled(ret, text, buf_cstr(&digest), buf_cstr(&value));
	xmldsig_free(&s);
}

TEST(xmldsig_holds_in_any_dress)
{
	static const char *const good[] = {
		DOC,
		"<r><Signature xmlns=\"" DS "\">" INFO("") REST("") "</Signature></r>",
		"<r xmlns:x=\"" DS "\">\n  <x:Signature>\n" INFO("x:") "\n\t" REST("x:") "\r\n</x:Signature>  <b/></r>\n",
		"<r xml:lang=\"en\" xml:space=\"preserve\">" PLAIN "</r>",
		"<d:Signature xmlns:d=\"urn:no\"><s:Signature xmlns:s=\"" DS "\">" INFO("s:") REST("s:") "</s:Signature></d:Signature>",
		"<r><d:Signature xmlns:d=\"" DS "\"><!-- c -->" INFO("d:") "<!-- c -->" REST("d:") "</d:Signature></r>",
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_BUF b = { 0 };
		struct xmldsig s = { 0 };

		sign(&b, good[i]);
		WORKS(open_text(&s, buf_view(&b), &e));
		OK(s.digest_holds);
		EQ(s.certs.n, 1);
		OK(s.certs.n && slice_eq(s.certs.v[0].der, buf_view(&k.cert)));
		EQ(s.signature.n, 96);
		WORKS(xmldsig_verify(&s, &k.public, &e));
		FAILS(xmldsig_verify(&s, &k.other_public, &e), EC_REFUSED);
		FAILS(xmldsig_verify(&s, &k.small_public, &e), EC_REFUSED);
		xmldsig_free(&s);
	}
}

TEST(xmldsig_base64_may_have_line_breaks)
{
	AUTO_BUF b = { 0 }, c = { 0 };
	struct xmldsig s = { 0 };
	char *at;

	sign(&b, DOC);
	at = strstr((char *)b.p, "<d:SignatureValue>") + 18 + 64;
	buf_put(&c, b.p, (size_t)((uint8_t *)at - b.p));
	buf_puts(&c, "\n \t\r\n");
	buf_puts(&c, at);
	WORKS(open_text(&s, buf_view(&c), &e));
	OK(s.digest_holds);
	WORKS(xmldsig_verify(&s, &k.public, &e));
	xmldsig_free(&s);
}

/* A wrong digest and a wrong signature are told apart. */
TEST(xmldsig_changes_are_found_where_they_are)
{
	static const struct { const char *what, *by; bool digest, signature; } changes[] = {
		{ "a=\"1\"", "a=\"2\"", false, true }, { "text ", "text", false, true }, { "<b/>", "<c/>", false, true },
		{ "<b/>", "<b></b>", true, true }, { "xmlns:z=\"urn:z\"", "xmlns:z=\"urn:y\"", false, false },
		{ "a=\"1\"", "a = '1'", true, true }, { "<b/>", "<b/><!-- a comment is not signed -->", true, true },
		{ "<b/>", "<b xmlns=\"urn:r\"/>", true, true }, { "</r>", "</r>\n", true, true },
		{ "</d:Signature>", "</d:Signature> ", false, true },
		{ "xmlns:z=", "xmlns:zz='urn:z' xmlns:z=", false, false },
	};
	AUTO_BUF b = { 0 };

	sign(&b, DOC);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		AUTO_BUF c = { 0 };
		struct xmldsig s = { 0 };

		replaced(&c, buf_cstr(&b), changes[i].what, changes[i].by);
		WORKS(open_text(&s, buf_view(&c), &e));
		if (s.digest_holds != changes[i].digest || (xmldsig_verify(&s, &k.public, NULL) == 0) != changes[i].signature)
			test_fail(__FILE__, __LINE__, "%s: digest %d, signature %d", changes[i].by, s.digest_holds, !changes[i].signature);
		xmldsig_free(&s);
	}
}

#define TR "<d:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>"
#define C14 "<d:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>"
#define A64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"	/* 48 bytes */

TEST(xmldsig_other_forms_are_refused)
{
	static const struct { const char *what, *by, *why; } bad[] = {
		/* how many, and where */
		{ PLAIN, "", "0 signatures" }, { PLAIN, PLAIN PLAIN, "2 signatures" }, { "<b/>", "<b>" PLAIN "</b>", "2 signatures" },
		{ PLAIN, "<c>" PLAIN "</c>", "directly in the root" },
		{ "<d:KeyInfo>", "<d:KeyInfo><d:Signature/>", "2 signatures" },
		{ DS, "http://www.w3.org/2000/09/xmldsig", "0 signatures" },
		/* algorithms */
		{ "xml-c14n11\"/><d:SignatureMethod", "xml-c14n\"/><d:SignatureMethod", "algorithm of 'CanonicalizationMethod'" },
		{ "xml-c14n11\"/><d:SignatureMethod", "xml-c14n11#WithComments\"/><d:SignatureMethod", "algorithm of 'CanonicalizationMethod'" },
		{ "#ecdsa-sha384", "#ecdsa-sha256", "algorithm of 'SignatureMethod'" },
		{ "#ecdsa-sha384", "#hmac-sha384", "algorithm of 'SignatureMethod'" },
		{ "#sha384\"", "#sha256\"", "algorithm of 'DigestMethod'" },
		{ "xmldsig-more#sha384\"", "xmldsig#sha1\"", "algorithm of 'DigestMethod'" },
		{ "ecdsa-sha384\"/>", "ecdsa-sha384\"><d:HMACOutputLength>0</d:HMACOutputLength></d:SignatureMethod>", "has parameters" },
		{ "ecdsa-sha384\"/>", "ecdsa-sha384\">x</d:SignatureMethod>", "has parameters" },
		{ "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"", "", "'DigestMethod' has 0 attributes" },
		{ "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"", "algorithm=\"\"", "names no algorithm" },
		/* the reference */
		{ "URI=\"\"", "URI=\"#x\"", "whole document" }, { "URI=\"\"", "URI=\"#xpointer(/)\"", "whole document" },
		{ "URI=\"\"", "", "'Reference' has 0" },
		{ "URI=\"\"", "Id=\"\"", "whole document" }, { "URI=\"\"", "URI=\"\" Id=\"x\"", "'Reference' has 2" },
		{ "</d:Reference>", "</d:Reference><d:Reference URI=\"\"/>", "more in 'SignedInfo'" },
		{ "<d:Transforms>" TR C14 "</d:Transforms>", "", "'Transforms' is not where" },
		{ TR C14, C14 TR, "algorithm of 'Transform'" },
		{ TR C14, TR, "'Transform' is not where" }, { TR C14, C14, "algorithm of 'Transform'" },
		{ TR C14, TR TR C14, "algorithm of 'Transform'" },
		{ TR C14, TR C14 C14, "more in 'Transforms'" },
		{ TR, "<d:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><d:XPath>b</d:XPath></d:Transform>", "algorithm of 'Transform'" },
		{ "enveloped-signature\"/>", "enveloped-signature\"><d:XPath>b</d:XPath></d:Transform>", "has parameters" },
		{ "@D@", "", "'DigestValue' is empty" }, { "@D@", "AAAA", "3 bytes, wanted 48" },
		{ "@D@", A64 "AAAA", "51 bytes, wanted 48" },
		{ "@D@", "*" A64, "'DigestValue'" }, { "@D@", A64 "=", "'DigestValue'" }, { "@D@", "<d:b/>", "holds elements" },
		{ "<d:DigestValue>@D@</d:DigestValue>", "", "'DigestValue' is not where" },
		{ "<d:DigestValue>@D@</d:DigestValue>", "<d:DigestValue>@D@</d:DigestValue><d:DigestValue>@D@</d:DigestValue>", "more in 'Reference'" },
		/* the signature's value */
		{ "@S@", "", "'SignatureValue' is empty" }, { "@S@", A64, "48 bytes, wanted 96" },
		{ "@S@", A64 A64 "AAAA", "99 bytes, wanted 96" },
		{ "@S@", A64 A64 "A", "'SignatureValue'" }, { "@S@", "-_" A64, "'SignatureValue'" },
		/* keys */
		{ "<d:X509Data>", "<d:KeyValue/><d:X509Data>", "'X509Data' is not where" },
		{ "</d:X509Data>", "</d:X509Data><d:KeyValue/>", "more in 'KeyInfo'" },
		{ "</d:X509Data>", "</d:X509Data><d:X509Data><d:X509Certificate>@C@</d:X509Certificate></d:X509Data>", "more in 'KeyInfo'" },
		{ "</d:X509Data>", "</d:X509Data><d:RetrievalMethod URI=\"http://x/\"/>", "more in 'KeyInfo'" },
		{ "<d:X509Certificate>", "<d:X509SubjectName>x</d:X509SubjectName><d:X509Certificate>", "'X509Certificate' is not where" },
		{ "</d:X509Certificate>", "</d:X509Certificate><d:X509CRL>AAAA</d:X509CRL>", "'X509Certificate' is not where" },
		{ "<d:X509Certificate>@C@</d:X509Certificate>", "", "holds no certificate" },
		{ "<d:X509Data><d:X509Certificate>@C@</d:X509Certificate></d:X509Data>", "", "'X509Data' is not where" },
		{ "<d:KeyInfo>", "<d:Object/><d:KeyInfo>", "'KeyInfo' is not where" },
		{ "</d:KeyInfo>", "</d:KeyInfo><d:Object/>", "more in 'Signature'" },
		{ "</d:KeyInfo>", "</d:KeyInfo><d:Object><d:Manifest><d:Reference URI=\"\"/></d:Manifest></d:Object>", "more in 'Signature'" },
		{ "@C@", "AAAA", "not one certificate" }, { "@C@", "LS0tLS1CRUdJTg==", "not one certificate" },
		{ "@C@", "MAA=", "certificate 0" },
		{ "@C@", "", "'X509Certificate' is empty" }, { "@C@", "@C@@C@", "'X509Certificate'" },
		/* what else may stand there in general */
		{ "<d:Signature xmlns", "<d:Signature Id=\"x\" xmlns", "'Signature' has 1 attributes" },
		{ "<d:SignedInfo>", "<d:SignedInfo Id=\"x\">", "'SignedInfo' has 1" },
		{ "<d:KeyInfo>", "<d:KeyInfo Id=\"x\">", "'KeyInfo' has 1" },
		{ "<d:SignedInfo>", "x<d:SignedInfo>", "text in 'Signature'" },
		{ "<d:Reference ", "x<d:Reference ", "text in 'SignedInfo'" },
		{ "<d:Transforms>", "x<d:Transforms>", "text in 'Reference'" }, { TR, "x" TR, "text in 'Transforms'" },
		{ "<d:X509Data>", "x<d:X509Data>", "text in 'KeyInfo'" },
		{ "<d:X509Certificate>", "x<d:X509Certificate>", "text in 'X509Data'" },
		{ "<d:SignatureValue>@S@</d:SignatureValue>", "", "'SignatureValue' is not where" },
		{ INFO("d:"), "", "'SignedInfo' is not where" },
		{ INFO("d:"), INFO("d:") INFO("d:"), "'SignatureValue' is not where" },
		{ "a=\"1\"", "xml:base=\"http://x/\"", "'xml:base' above" },
	};
	const uint8_t zeros[96] = { 0 };
	AUTO_BUF digest = { 0 }, value = { 0 };

	ready();
	b64_of(&digest, zeros, 48);
	b64_of(&value, zeros, 96);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_BUF t = { 0 }, b = { 0 };
		struct xmldsig s = { 0 };
		struct err e = { 0 };

		replaced(&t, DOC, bad[i].what, bad[i].by);
		filled(&b, buf_cstr(&t), buf_cstr(&digest), buf_cstr(&value));
		if (!open_text(&s, buf_view(&b), &e) || e.code != EC_FORMAT || !strstr(e.msg, bad[i].why))
			test_fail(__FILE__, __LINE__, "'%s' for '%s': %d '%s', wanted '%s'", bad[i].by, bad[i].what, e.code, e.msg, bad[i].why);
		xmldsig_free(&s);
	}
}

TEST(xmldsig_at_most_eight_certificates)
{
	AUTO_BUF many = { 0 }, t = { 0 }, b = { 0 };
	struct err seen = { 0 };

	for (int i = 0; i < 9; i++) {
		struct xmldsig s = { 0 };

		ready();
		buf_puts(&many, "<d:X509Certificate>@C@</d:X509Certificate>");
		buf_reset(&t);
		replaced(&t, DOC, "<d:X509Certificate>@C@</d:X509Certificate>", buf_cstr(&many));
		filled(&b, buf_cstr(&t), A64, A64 A64);
		EQ(open_text(&s, buf_view(&b), &seen), i < 8 ? 0 : -1);
		if (i < 8)
			EQ(s.certs.n, i + 1);
		xmldsig_free(&s);
	}
	HAS(seen.msg, "more than 8");
}

TEST(xmldsig_without_a_document)
{
	struct xmldsig s = { 0 };

	FAILS(xmldsig_open(&s, NULL, &e), EC_FORMAT);
}
