/* SPDX-License-Identifier: Apache-2.0 */
/* Reference manifests made here: what they demand, who may say so, and everything that makes one unusable. */

#include <stdlib.h>

#include "evidence/rim_answer.h"
#include "gpu/nv_roots.h"
#include "gpu/nvchain.h"
#include "rim_maker.h"
#include "test.h"

static void open_rim(struct rim *r, const struct rim_make *m)
{
	AUTO_BUF b = { 0 };

	rim_make(&b, m);
	WORKS(rim_parse(r, buf_view(&b), &e));
}

TEST(rim_says_what_it_demands)
{
	static const uint8_t three[3][48] = { { 1 }, { 2 }, { 3 } };
	static const struct rim_make_golden golden[] = { { .index = 0 }, { .index = 35, .hash = three, .n = 3 }, { .index = 63, .n = 64 },
							 { .index = 9, .n = 2, .inactive = true } };
	static const struct rim_make_svn svn[] = { { .opaque_type = 38, .min = 7, .name = "fmc", .publish = true }, { .opaque_type = 39, .min = 0 },
						   { .opaque_type = 40, .min = 9, .inactive = true } };
	AUTO_RIM r = { 0 };
	int64_t from, until;

	open_rim(&r, &(const struct rim_make){ .version = "580.95.05", .tag_id = "abc", .golden = golden, .n_golden = 4, .svn = svn, .n_svn = 3 });
	STR(r.name, "GH100");
	STR(r.product, "GH100");
	STR(r.edition, "GPU");
	STR(r.version, "580.95.05");
	STR(r.tag_id, "abc");
	STR(r.oemid, "5703");
	EQ(r.n_active, 3);
	OK(!r.newer);
	for (size_t i = 0; i < RIM_INDEXES; i++)
		OK(r.golden[i].there);
	OK(r.golden[0].active && r.golden[0].n == 1 && r.golden[0].hash[0][0] == 0xee);
	OK(r.golden[35].active && r.golden[35].n == 3 && !memcmp(r.golden[35].hash, three, sizeof three));
	OK(r.golden[63].n == 64 && r.golden[63].hash[63][47] == (0xee + 63) % 256);
	OK(!r.golden[9].active && r.golden[9].n == 2);
	OK(!r.golden[1].active);
	STR(r.golden[35].name, "Measurement_35");
	EQ(r.n_svn, 2);
	OK(r.svn[0].active && r.svn[0].publish && r.svn[0].opaque_type == 38 && r.svn[0].min == 7);
	STR(r.svn[0].name, "fmc");
	OK(r.svn[1].opaque_type == 39 && !r.svn[1].publish && r.svn[1].min == 0);
	WORKS(rim_chain(&r, rim_maker_root(), &e));
	WORKS(rim_dates(&r, RIM_MAKER_NOW, &e));
	WORKS(rim_signed(&r, &e));
	rim_window(&from, &until, &r);
	EQ(from, RIM_MAKER_NOW - 30 * RIM_MAKER_DAY);
	EQ(until, RIM_MAKER_NOW + 30 * RIM_MAKER_DAY);
}

/* --- who says so ------------------------------------------------------------------------------------------------ */

TEST(rim_faults_are_found_where_they_are)
{
	/* NULL: holds */
	static const struct { enum rim_fault fault; const char *chain, *dates, *is_signed; } faults[] = {
		{ RIM_GOOD, NULL, NULL, NULL },
		{ RIM_WRONG_DIGEST, NULL, NULL, "digest" },
		{ RIM_WRONG_SIGNATURE, NULL, NULL, "signature" },
		{ RIM_OTHER_ROOT, "does not lead to the pinned root", NULL, NULL },
		{ RIM_GAP, "names the issuer", NULL, NULL },
		{ RIM_REVERSED, "does not lead to the pinned root", NULL, "signature" },
		{ RIM_MID_NO_CA, "is not a CA", NULL, NULL },
		{ RIM_PATH_LEN, "allows 0 CAs below it, there are 1", NULL, NULL },
		{ RIM_SIGNER_EXPIRED, NULL, "L4 Signer, O=Test, C=US' has expired", NULL },
		{ RIM_SIGNER_FUTURE, NULL, "is not yet valid", NULL },
		{ RIM_MID_EXPIRED, NULL, "Value L3, O=Test, C=US' has expired", NULL },
		{ RIM_SIGNER_FOR_OCSP, "may not sign manifests", NULL, NULL },
		{ RIM_NO_ROOT, "does not lead to the pinned root", NULL, NULL },	/* only NVIDIA's is known by heart */
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		const char *const want[] = { faults[i].chain, faults[i].dates, faults[i].is_signed };
		struct err e[3] = { 0 };
		AUTO_RIM r = { 0 };
		int rc[3];

		open_rim(&r, &(const struct rim_make){ .fault = faults[i].fault });
		rc[0] = rim_chain(&r, rim_maker_root(), &e[0]);
		rc[1] = rim_dates(&r, RIM_MAKER_NOW, &e[1]);
		rc[2] = rim_signed(&r, &e[2]);
		for (int k = 0; k < 3; k++)
			if (rc[k] != (want[k] ? -1 : 0) || (want[k] && (e[k].code != EC_REFUSED || !strstr(e[k].msg, want[k]))))
				test_fail(__FILE__, __LINE__, "fault %d, %d: %d '%s', wanted '%s'", faults[i].fault, k, rc[k], e[k].msg,
					  want[k] ? want[k] : "(holds)");
	}
}

TEST(rim_of_ours_is_none_of_nvidias)
{
	AUTO_RIM r = { 0 }, rootless = { 0 };

	open_rim(&r, &(const struct rim_make){ 0 });
	FAILS(rim_chain(&r, NULL, &e), EC_REFUSED);
	FAILS(rim_chain(&r, nv_rim_root, &e), EC_REFUSED);
	open_rim(&rootless, &(const struct rim_make){ .fault = RIM_NO_ROOT });
	FAILS(rim_chain(&rootless, NULL, &e), EC_REFUSED);
}

TEST(rim_root_in_the_source_is_the_pinned_one)
{
	AUTO_CERTS c = { 0 };
	uint8_t sha[32];

	WORKS(certs_parse(&c, slice_str(nv_rim_root_pem), &e));
	EQ(c.n, 1);
	WORKS(hash_of(sha, HASH_SHA256, c.v[0].der, &e));
	MEM(sha, nv_rim_root, 32);
	OK(slice_eq(c.v[0].issuer, c.v[0].subject) && c.v[0].is_ca);
}

TEST(rim_dates_and_window)
{
	AUTO_RIM r = { 0 }, none = { 0 };
	int64_t from, until;
	struct err seen = { 0 };

	open_rim(&r, &(const struct rim_make){ .from = -10, .until = 20 });
	rim_window(&from, &until, &r);
	EQ(from, RIM_MAKER_NOW - 10);
	EQ(until, RIM_MAKER_NOW + 20);
	WORKS(rim_dates(&r, from, &e));
	WORKS(rim_dates(&r, until, &e));
	EQ(rim_dates(&r, from - 1, &seen), -1);
	HAS(seen.msg, "is not yet valid");
	EQ(rim_dates(&r, until + 1, &seen), -1);
	HAS(seen.msg, "has expired");
	rim_window(&from, &until, &none);
	OK(from > until);
	FAILS(rim_dates(&none, 0, &e), EC_REFUSED);
	FAILS(rim_chain(&none, NULL, &e), EC_REFUSED);
	FAILS(rim_signed(&none, &e), EC_REFUSED);
}

/* --- what cannot be used ------------------------------------------------------------------------------------------- */

static void replaced(struct buf *ret, const char *text, const char *what, const char *by)
{
	const char *at = strstr(text, what);

	if (!at)
		test_fail(__FILE__, __LINE__, "'%s' is not in the text", what);
	buf_put(ret, text, at ? (size_t)(at - text) : strlen(text));
	if (at) {
		buf_puts(ret, by);
		buf_puts(ret, at + strlen(what));
	}
}

static int changed(struct rim *r, const struct rim_make *m, const char *what, const char *by, struct err *e)
{
	AUTO_BUF text = { 0 }, b = { 0 }, all = { 0 };

	rim_make_text(&text, m);
	replaced(&b, buf_cstr(&text), what, by);
	if (!rim_sign(&all, buf_view(&b), m))
		return rim_parse(r, buf_view(&b), e);
	return rim_parse(r, buf_view(&all), e);
}

#define INDEX7 "index=\"7\" active=\"True\" alternatives=\"1\""
#define EE "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

TEST(rim_malformed_is_refused_and_said_why)
{
	static const struct { const char *what, *by, *why; } bad[] = {
		/* the document */
		{ "<SoftwareIdentity xmlns=\"http:", "<SoftwareIdentity xmlns=\"https:", "root element" },
		{ "edition=\"GPU\"", "", "'edition' is missing" }, { "edition=\"GPU\"", "edition=\"\"", "'edition' has 0" },
		{ "edition=\"GPU\"", "edition=\"12345678901234567\"", "'edition' has 17" },
		{ "product=\"GH100\"", "", "'product' is missing" },
		{ "colloquialVersion=\"550.54.14\"", "", "'colloquialVersion' is missing" },
		{ "colloquialVersion=\"550", "colloquialVersion=\"\xc3\xa4", "printable" },
		{ "colloquialVersion=\"550", "colloquialVersion=\"&#10;", "printable" },
		{ "corpus=\"false\" name=\"GH100\"", "corpus=\"false\"", "'name' is missing" },
		{ "<ns0:Meta ", "<ns0:Meto ", "'Meta' has to stand" }, { "<ns0:Entity ", "<ns0:Meta ", "'Meta' has to stand" },
		{ "<ns0:Payload ", "<ns0:Payload/><ns0:Payload ", "'Payload' has to stand" },
		{ "    </ns0:Payload>", "<ns0:Payload/></ns0:Payload>", "'Payload' has to stand" },
		{ "    </ns0:Payload>", "<ns0:Meta/></ns0:Payload>", "'Meta' has to stand" },
		{ "    </ns0:Payload>", "</ns0:Payload><x><Payload/></x>", "'Payload' has to stand" },
		{ "<SoftwareIdentity", "<!DOCTYPE x><SoftwareIdentity", "document type" },
		/* goldens */
		{ INDEX7, "index=\"8\" active=\"True\" alternatives=\"1\"", "index 8: the index stands there twice" },
		{ INDEX7, "index=\"7\" alternatives=\"1\"", "index 7: 'active' is missing" },
		{ INDEX7, "index=\"7\" active=\"true\" alternatives=\"1\"", "'active' is 'true'" },
		{ INDEX7, "index=\"7\" active=\"\" alternatives=\"1\"", "'active' is ''" },
		{ INDEX7, "index=\"7\" active=\"True\"", "'alternatives' is missing" },
		{ INDEX7, "index=\"7\" active=\"True\" alternatives=\"0\"", "accepts no value" },
		{ INDEX7, "index=\"7\" active=\"True\" alternatives=\"2\"", "there are 1 hashes" },
		{ INDEX7, "index=\"7\" active=\"True\" alternatives=\"65\"", "a number up to 64" },
		{ INDEX7, "index=\"7\" active=\"True\" alternatives=\"-1\"", "'alternatives' is '-1'" },
		{ INDEX7, "index=\"7\" active=\"True\" alternatives=\"1.0\"", "'alternatives' is '1.0'" },
		{ INDEX7 " ns2:Hash0=", INDEX7 " ns2:Hash1=", "'Hash0' is missing" },
		{ INDEX7 " ns2:Hash0=", INDEX7 " Hash0=", "there are 0 hashes" },
		{ INDEX7, INDEX7 " ns2:Hash1=\"" EE "\"", "there are 2 hashes" }, { INDEX7, INDEX7 " ns2:hash=\"\"", "there are 2 hashes" },
		{ EE, "ee", "'Hash0' is not 96" }, { EE, EE "ee", "'Hash0' is not 96" }, { "\"" EE, "\"g" "eeeeeeee", "'Hash0' is not 96" },
		{ INDEX7, "index=\"\" active=\"True\" alternatives=\"1\"", "'index' is ''" },
		{ INDEX7, "index=\"07\" active=\"True\"", "'index' is '07'" },
		{ INDEX7, "index=\"+7\" active=\"True\"", "'index' is '+7'" },
		{ INDEX7, "index=\"0x7\" active=\"True\"", "'index' is '0x7'" },
		{ INDEX7, "index=\"4294967296\" active=\"True\"", "'index' is '4294967296'" },
		{ INDEX7, "active=\"True\" alternatives=\"1\"", "'index' is missing" },
		{ "name=\"Measurement_7\" size=\"48\"", "name=\"Measurement_7\" size=\"32\"", "'size' is 32" },
		{ "name=\"Measurement_7\" size=\"48\"", "size=\"48\"", "'name' is missing" },
		{ "name=\"Measurement_7\" size=\"48\"", "name=\"x\"", "'size' is missing" },
		{ INDEX7, "index=\"7\" active=\"False\" alternatives=\"1\"", "demands nothing" },
		/* security versions */
		{ "ns3:minSvn=\"3\"", "", "'minSvn' is missing" }, { "ns3:minSvn=\"3\"", "minSvn=\"3\"", "'minSvn' is missing" },
		{ "ns3:minSvn=\"3\"", "ns3:minSvn=\"x\"", "'minSvn' is 'x'" },
		{ "ns3:minSvn=\"3\"", "ns3:minSvn=\"4294967296\"", "'minSvn' is '4294967296'" },
		{ "ns3:minSvn=\"3\"", "ns3:minSvn=\"3\" ns2:Hash0=\"" EE "\"", "index 4101: it has hashes" },
		{ "ns3:minSvn=\"3\"", "ns3:minSvn=\"3\" ns3:includeInResult=\"yes\"", "'includeInResult' is 'yes'" },
		{ "ns3:minSvn=\"3\" name=\"svn_5\"", "ns3:minSvn=\"3\"", "'name' is missing" },
		{ "name=\"svn_5\"", "name=\"svn_6\"", "'svn_6' stands there twice" },
		{ "index=\"4101\"", "index=\"4102\"", "stands there twice" },
		{ "index=\"4101\" active=\"True\"", "index=\"4101\"", "'active' is missing" },
	};
	static const struct rim_make_svn svn[] = { { .opaque_type = 5, .min = 3 }, { .opaque_type = 6, .min = 3 } };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const bool nothing = strstr(bad[i].why, "nothing");
		AUTO_RIM r = { 0 };
		struct err e = { 0 };

		if (!changed(&r, &(const struct rim_make){ .svn = svn, .n_svn = nothing ? 0 : 2 }, bad[i].what, bad[i].by, &e) || e.code != EC_FORMAT ||
		    !strstr(e.msg, bad[i].why))
			test_fail(__FILE__, __LINE__, "'%s' for '%s': %d '%s', wanted '%s'", bad[i].by, bad[i].what, e.code, e.msg, bad[i].why);
		OK(!r.ctx);
	}
}

TEST(rim_what_is_not_known_is_marked_as_newer)
{
	static const struct { const char *what, *by; bool newer; } texts[] = {
		{ "tagVersion=\"0\"", "tagVersion=\"0\" lang=\"en\"", false },
		{ "    </ns0:Payload>", "<ns0:Resource type=\"Other\" index=\"7\"/></ns0:Payload>", true },
		{ "    </ns0:Payload>", "<ns0:Resource index=\"7\"/></ns0:Payload>", true },
		{ "    </ns0:Payload>", "<ns0:File name=\"x\"/></ns0:Payload>", true },
		{ "    </ns0:Payload>", "<x:Resource xmlns:x=\"urn:x\" type=\"Measurement\" index=\"7\"/></ns0:Payload>", true },
		{ "    </ns0:Payload>", "<ns0:Resource type=\"Measurement\" index=\"64\"/></ns0:Payload>", true },
		{ "    </ns0:Payload>", "<ns0:Resource type=\"Measurement\" index=\"4095\"/></ns0:Payload>", true },
		{ "    </ns0:Payload>", "<ns0:Resource type=\"Measurement\" index=\"69632\"/></ns0:Payload>", true },
		{ "    </ns0:Payload>", "<ns0:Resource type=\"Measurement\" index=\"69631\" active=\"False\"/></ns0:Payload>", false },
		{ INDEX7, INDEX7 " unless=\"9\"", true }, { INDEX7, INDEX7 " ns0:index=\"9\"", true },
		{ INDEX7, "index=\"7\" active=\"True\" alternatives=\"1\" xmlns:n=\"https://docs.nvidia.com/attestation/specs/latest/opaque-data.html\" n:minSvn=\"1\"",
		  true },
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		AUTO_RIM r = { 0 };

		WORKS(changed(&r, &(const struct rim_make){ 0 }, texts[i].what, texts[i].by, &e));
		if (r.newer != texts[i].newer)
			test_fail(__FILE__, __LINE__, "'%s': newer is %d", texts[i].by, r.newer);
		EQ(r.n_active, 1);
		EQ(r.n_svn, 0);
		WORKS(rim_signed(&r, &e));
	}
}

TEST(rim_only_security_versions_are_enough)
{
	static const struct rim_make_svn svn[] = { { .opaque_type = 5, .min = 3 } };
	static const struct rim_make_golden none[] = { { .index = 3, .inactive = true } };
	AUTO_RIM r = { 0 }, bare = { 0 };

	open_rim(&r, &(const struct rim_make){ .golden = none, .n_golden = 1, .svn = svn, .n_svn = 1 });
	EQ(r.n_active, 0);
	EQ(r.n_svn, 1);
	open_rim(&bare, &(const struct rim_make){ .golden = none, .sparse = true, .svn = svn, .n_svn = 1 });	/* not one hash in it */
	EQ(bare.n_svn, 1);
	OK(!bare.golden[0].there && !bare.golden[0].hash);
}

TEST(rim_too_many_security_versions)
{
	struct rim_make_svn svn[RIM_SVNS + 1] = { 0 };
	AUTO_RIM r = { 0 };
	AUTO_BUF b = { 0 };

	for (unsigned i = 0; i <= RIM_SVNS; i++)
		svn[i].opaque_type = i;
	open_rim(&r, &(const struct rim_make){ .svn = svn, .n_svn = RIM_SVNS });
	EQ(r.n_svn, RIM_SVNS);
	rim_free(&r);
	rim_make(&b, &(const struct rim_make){ .svn = svn, .n_svn = RIM_SVNS + 1 });
	FAILS(rim_parse(&r, buf_view(&b), &e), EC_FORMAT);
}

/* Wrapping: what was signed is moved aside, something else takes its place. */
TEST(rim_wrapping_is_refused)
{
	AUTO_BUF good = { 0 }, wrapped = { 0 };
	AUTO_RIM r = { 0 };
	struct err seen = { 0 };
	const char *sig;

	rim_make(&good, &(const struct rim_make){ 0 });
	sig = strstr((char *)good.p, "<ds:Signature");
	/* the signed document inside another one, under the same names */
	buf_puts(&wrapped, "<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" name=\"GH100\">"
			   "<Meta colloquialVersion=\"1\" edition=\"GPU\" product=\"GH100\"/><Payload/>");
	buf_slice(&wrapped, buf_view(&good));
	buf_puts(&wrapped, "</SoftwareIdentity>");
	EQ(rim_parse(&r, buf_view(&wrapped), &seen), -1);
	EQ(seen.code, EC_FORMAT);
	/* and with the signature taken out to where it is looked for */
	buf_reset(&wrapped);
	buf_puts(&wrapped, "<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" name=\"GH100\">"
			   "<Meta colloquialVersion=\"1\" edition=\"GPU\" product=\"GH100\"/><Payload><Resource type=\"Measurement\" index=\"0\""
			   " active=\"False\" alternatives=\"0\" name=\"x\" size=\"48\"/></Payload>");
	buf_put(&wrapped, sig, good.n - (size_t)(sig - (char *)good.p));
	EQ(rim_parse(&r, buf_view(&wrapped), &seen), -1);
	EQ(seen.code, EC_FORMAT);
}

/* --- bytes ------------------------------------------------------------------------------------------------------ */

/* Each byte of what the signature covers, and of the signature. */
TEST(rim_changed_bytes_are_refused)
{
	AUTO_BUF b = { 0 };
	size_t keys;

	rim_make(&b, &(const struct rim_make){ .sparse = true });
	keys = (size_t)(strstr((char *)b.p, "<ds:KeyInfo>") - (char *)b.p);
	for (size_t at = 0; at < keys; at++) {
		AUTO_RIM r = { 0 };
		struct err e = { 0 };

		b.p[at] ^= (uint8_t)(1 << at % 7);
		if (rim_parse(&r, buf_view(&b), &e))
			EQ(e.code, EC_FORMAT);
		else if (rim_signed(&r, &e))
			EQ(e.code, EC_REFUSED);
		else
			test_fail(__FILE__, __LINE__, "accepted with another byte at %zu", at);
		b.p[at] ^= (uint8_t)(1 << at % 7);
	}
}

/* And each byte of the certificates: refused by chain or signature. */
TEST(rim_changed_certificates_are_refused)
{
	AUTO_BUF b = { 0 };
	size_t from, until;

	rim_make(&b, &(const struct rim_make){ .sparse = true });
	from = (size_t)(strstr((char *)b.p, "<ds:KeyInfo>") - (char *)b.p);
	until = (size_t)(strstr((char *)b.p, "</ds:KeyInfo>") - (char *)b.p);
	for (size_t at = from; at < until; at += 13) {
		const uint8_t was = b.p[at];
		AUTO_RIM r = { 0 };
		struct err e = { 0 };

		b.p[at] = was == 'A' ? 'B' : 'A';
		if (!rim_parse(&r, buf_view(&b), &e) && !rim_chain(&r, rim_maker_root(), &e) && !rim_signed(&r, &e) && was != '\n')
			test_fail(__FILE__, __LINE__, "accepted with another byte at %zu", at);
		OK(e.code == EC_FORMAT || e.code == EC_REFUSED || was == '\n');
		b.p[at] = was;
	}
}

TEST(rim_cut_anywhere_is_refused)
{
	AUTO_BUF b = { 0 };

	rim_make(&b, &(const struct rim_make){ .sparse = true });
	for (size_t n = 0; n < b.n - 1; n++) {	/* the last byte is the newline behind the root */
		AUTO_RIM r = { 0 };

		FAILS(rim_parse(&r, slice_of(b.p, n), &e), EC_FORMAT);
	}
	buf_fill(&b, ' ', RIM_MAX - b.n);
	AUTO_RIM r = { 0 }, over = { 0 };

	WORKS(rim_parse(&r, buf_view(&b), &e));
	buf_byte(&b, ' ');
	FAILS(rim_parse(&over, buf_view(&b), &e), EC_FORMAT);
}

TEST(rim_is_recognised)
{
	static const struct { const char *text; bool is; } texts[] = {
		{ "<SoftwareIdentity>", true }, { "<SoftwareIdentity xmlns=''", true }, { "<SoftwareIdentity/>", true },
		{ "<ns0:SoftwareIdentity\n", true },
		{ "<?xml version='1.0'?>\n<!-- <x> -->\n<SoftwareIdentity>", true }, { "\xef\xbb\xbf <SoftwareIdentity>", true },
		{ "<SoftwareIdentityX>", false }, { "<SoftwareIdentit>", false }, { "<x><SoftwareIdentity>", false },
		{ "SoftwareIdentity", false },
		{ "", false }, { "{\"rim\":\"<SoftwareIdentity>\"}", false }, { "<!-- <SoftwareIdentity>", false },
		{ "<?<SoftwareIdentity>", false },
		{ "<!DOCTYPE x><SoftwareIdentity>", false }, { "<", false }, { "<a:b:SoftwareIdentity>", false }, { "<!-- -->", false },
		{ "<!--><SoftwareIdentity>-->", false },
	};
	AUTO_BUF b = { 0 };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (rim_recognise(slice_str(texts[i].text)) != texts[i].is)
			test_fail(__FILE__, __LINE__, "'%s': not %d", texts[i].text, texts[i].is);
	OK(!rim_recognise((struct slice){ 0 }));
	OK(!rim_recognise(SLICE("<SoftwareIdentity\0>")));
	rim_make(&b, &(const struct rim_make){ 0 });
	OK(rim_recognise(buf_view(&b)));
	buf_reset(&b);
	buf_fill(&b, ' ', 8192);
	buf_puts(&b, "<SoftwareIdentity>");
	OK(!rim_recognise(buf_view(&b)));
}

TEST(rim_answer_of_the_service_holds_a_manifest)
{
	AUTO_BUF rim = { 0 }, answer = { 0 }, out = { 0 }, big = { 0 };
	AUTO_RIM r = { 0 };

	rim_make(&rim, &(const struct rim_make){ 0 });
	rim_service_make(&answer, "NV_GPU_DRIVER_GH100_550.54.14", buf_view(&rim));
	WORKS(rim_unpack(&out, buf_view(&answer), "NV_GPU_DRIVER_GH100_550.54.14", &e));
	OK(slice_eq(buf_view(&out), buf_view(&rim)));
	WORKS(rim_parse(&r, buf_view(&out), &e));
	buf_fill(&rim, ' ', RIM_MAX);
	rim_service_make(&big, "X", buf_view(&rim));
	FAILS(rim_unpack(&out, buf_view(&big), "X", &e), EC_FORMAT);
}
