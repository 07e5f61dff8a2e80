/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and certificate status as pieces of collateral; what a RIM service answers. */

#include <sys/stat.h>
#include <unistd.h>

#include "base/outfile.h"
#include "codec/hex64.h"
#include "crypto/hash.h"
#include "evidence/collateral.h"
#include "evidence/rim_answer.h"
#include "test.h"

#define NOW INT64_C(1790000000)
#define DAY 86400
#define DOCUMENT \
	"<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" name=\"GH100\" tagId=\"t\" version=\"1.0\">" \
	"<Meta colloquialVersion=\"550.1\" product=\"GH100\"/></SoftwareIdentity>"

/* {"id","rim","sha256",..}; digest NULL: the right one. */
static void answer_make(struct buf *ret, const char *id, struct slice document, const char *digest, const char *format)
{
	uint8_t hash[32];

	WORKS(hash_of(hash, HASH_SHA256, document, &e));
	buf_printf(ret, "{\"id\":\"%s\",\"rim\":\"", id);
	b64_encode(ret, document);
	buf_puts(ret, "\",\"sha256\":\"");
	if (digest)
		buf_puts(ret, digest);
	else
		buf_hex(ret, slice_of(hash, sizeof hash));
	buf_printf(ret, "\",\"rim_format\":\"%s\",\"last_updated\":\"2026-01-01T00:00:00Z\",\"request_id\":\"r\"}", format);
}

TEST(rim_answer_is_opened_and_its_digest_checked)
{
	static const struct { const char *id, *digest, *format; enum ec code; const char *why; } rows[] = {
		{ "NV_A", NULL, "TCG", EC_OK, "" }, { "NV_A", NULL, "tcg", EC_OK, "" },
		{ "NV_B", NULL, "TCG", EC_FORMAT, "is about 'NV_B', asked was 'NV_A'" },
		{ "NV_A", "00000000000000000000000000000000000000000000000000000000000000ff", "TCG", EC_FORMAT, "stated is 00000000" },
		{ "NV_A", "12", "TCG", EC_FORMAT, "member 'sha256'" }, { "NV_A", NULL, "CORIM", EC_ABSENT, "CORIM" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF text = { 0 }, out = { 0 };
		struct err e = { 0 };

		answer_make(&text, rows[i].id, SLICE(DOCUMENT), rows[i].digest, rows[i].format);
		EQ(rim_unpack(&out, buf_view(&text), "NV_A", &e), rows[i].code ? -1 : 0);
		EQ(e.code, rows[i].code);
		HAS(e.msg, rows[i].why);
		if (rows[i].code)
			EQ(out.n, 0);
		else
			OK(slice_eqs(buf_view(&out), DOCUMENT));
	}
}

TEST(rim_answer_that_is_none_is_refused)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "", "answer" }, { "<html>", "answer" }, { "{}", "'id'" }, { "{\"id\":\"NV_A\"}", "'rim'" },
		{ "{\"id\":\"NV_A\",\"rim\":5,\"sha256\":\"\"}", "'rim'" }, { "{\"id\":\"NV_A\",\"rim\":\"\",\"sha256\":\"\"}", "empty" },
		{ "{\"id\":\"NV_A\",\"rim\":\"!!!!\",\"sha256\":\"\"}", "'rim'" }, { "{\"id\":\"NV_A\",\"rim\":\"PHg+\"}", "'sha256'" },
		{ "{\"id\":\"NV_A\",\"rim\":\"PHg+\",\"sha256\":\"\",\"rim_format\":1}", "'rim_format'" }, { "[]", "wanted an object" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF out = { 0 };
		struct err e = { 0 };

		EQ(rim_unpack(&out, slice_str(rows[i].text), "NV_A", &e), -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, rows[i].why);
		EQ(out.n, 0);
	}
	{
		AUTO_BUF big = { 0 }, text = { 0 }, out = { 0 };

		buf_fill(&big, ' ', RIM_DOCUMENT_MAX + 1);
		answer_make(&text, "NV_A", buf_view(&big), NULL, "TCG");
		FAILS(rim_unpack(&out, buf_view(&text), NULL, &e), EC_FORMAT);
	}
}

/* --- pieces -------------------------------------------------------------------------------------------------------- */

struct ca {				/* a root, and one certificate that it issued */
	struct privkey key, leaf_key;
	struct cert_list certs;		/* root, leaf */
};

static void ca_make(struct ca *c)
{
	AUTO_BUF root = { 0 }, leaf = { 0 };

	*c = (struct ca){ 0 };
	WORKS(privkey_generate(&c->key, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&c->leaf_key, KEY_EC_P384, 0, &e));
	WORKS(cert_make(&root, &(const struct cert_make){ .subject = "CN=Status Root", .key = &c->key, .issuer_key = &c->key, .not_before = NOW - DAY,
							   .not_after = NOW + DAY, .ca = true }, &e));
	WORKS(certs_parse(&c->certs, buf_view(&root), &e));
	WORKS(cert_make(&leaf, &(const struct cert_make){ .subject = "CN=Asked For", .key = &c->leaf_key, .issuer = &c->certs.v[0],
							   .issuer_key = &c->key, .not_before = NOW - DAY, .not_after = NOW + DAY }, &e));
	WORKS(certs_parse(&c->certs, buf_view(&leaf), &e));
}

static void ca_free(struct ca *c)
{
	privkey_free(&c->key);
	privkey_free(&c->leaf_key);
	certs_free(&c->certs);
}

static void status_make(struct buf *ret, const struct ca *c, int64_t from, int64_t until)
{
	const struct ocsp_make_entry one = { .cert = &c->certs.v[1], .issuer = &c->certs.v[0], .status = OCSP_GOOD, .reason = -1,
					     .this_update = from, .next_update = until };

	WORKS(ocsp_make(ret, &(const struct ocsp_make){ .v = &one, .n = 1, .signer = &c->certs.v[0], .signer_key = &c->key,
							 .produced_at = from, .nonce = SLICE("0123456789abcdef") }, &e));
}

static const char *member(const struct json *list, size_t i, const char *name)
{
	const char *s = json_string(json_get(json_at(list, i), name));

	return s ? s : "";
}

TEST(collateral_knows_certificate_status_by_content)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF good = { 0 }, old = { 0 }, open_end = { 0 }, early = { 0 };
	AUTO_JSON *list = json_array();
	struct ca ca;

	ca_make(&ca);
	status_make(&good, &ca, NOW - 60, NOW + DAY);
	status_make(&old, &ca, NOW - DAY, NOW - 60);
	status_make(&open_end, &ca, NOW - 120, 0);
	status_make(&early, &ca, NOW + DAY, NOW + 2 * DAY);
	WORKS(collateral_add(&c, buf_view(&good), "a.bin", "", &e));
	WORKS(collateral_add(&c, buf_view(&old), "b", "2026-01-01T00:00:00Z", &e));
	WORKS(collateral_add(&c, buf_view(&open_end), "c", "", &e));
	WORKS(collateral_add(&c, buf_view(&early), "d", "", &e));
	EQ(c.n, 4);
	EQ(c.v[0].type, COLLATERAL_OCSP);
	EQ(c.v[0].ocsp.entries, 1);
	OK(slice_eqs(c.v[0].ocsp.nonce, "0123456789abcdef"));
	WORKS(collateral_describe(list, &c, NOW, &e));
	STR(member(list, 0, "type"), "ocsp");
	STR(member(list, 0, "state"), "current");
	STR(member(list, 1, "state"), "expired");
	STR(member(list, 2, "state"), "current");	/* an hour, where it does not say */
	STR(member(list, 3, "state"), "not yet valid");
	{
		int64_t age = 0;

		OK(json_i64(json_get(json_at(list, 0), "age_s"), &age));
		EQ(age, 60);
	}
	ca_free(&ca);
}

/* Every cut, and what is no answer though it is one by form. */
TEST(collateral_takes_no_status_that_says_nothing)
{
	static const uint8_t try_later[] = { 0x30, 0x03, 0x0a, 0x01, 0x03 };
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF good = { 0 };
	struct err e = { 0 };
	struct ca ca;

	ca_make(&ca);
	status_make(&good, &ca, NOW - 60, NOW + DAY);
	EQ(collateral_add(&c, slice_of(try_later, sizeof try_later), "x", "", &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "tryLater");
	for (size_t n = 0; n < good.n; n++)
		EQ(collateral_add(&c, slice_of(good.p, n), "x", "", &e), -1);
	buf_byte(&good, 0);
	EQ(collateral_add(&c, buf_view(&good), "x", "", &e), -1);
	HAS(e.msg, "OCSP answer");
	EQ(c.n, 0);
	ca_free(&ca);
}

TEST(collateral_knows_manifests_by_content)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF answer = { 0 }, bad = { 0 };
	AUTO_JSON *list = json_array();
	struct err e = { 0 };

	answer_make(&answer, "NV_A", SLICE(DOCUMENT), NULL, "TCG");
	answer_make(&bad, "NV_A", SLICE(DOCUMENT), "0000000000000000000000000000000000000000000000000000000000000000", "TCG");
	WORKS(collateral_add(&c, SLICE("\n" DOCUMENT "\n"), "NV_A.xml", "", &e));
	WORKS(collateral_add(&c, buf_view(&answer), "answer.json", "", &e));
	EQ(c.n, 2);
	for (size_t i = 0; i < c.n; i++) {
		EQ(c.v[i].type, COLLATERAL_RIM);
		OK(slice_eqs(buf_view(&c.v[i].data), i ? DOCUMENT : "\n" DOCUMENT "\n"));	/* as received */
	}
	WORKS(collateral_describe(list, &c, NOW, &e));
	STR(member(list, 0, "type"), "nvidia.rim");
	STR(member(list, 0, "product"), "GH100");
	STR(member(list, 0, "version"), "550.1");
	STR(member(list, 0, "state"), "");		/* it is not signed: nothing is known of its time */
	EQ(collateral_add(&c, buf_view(&bad), "", "", &e), -1);
	HAS(e.msg, "SHA-256");
	EQ(collateral_add(&c, SLICE("<html><body>no</body></html>"), "", "", &e), -1);
	HAS(e.msg, "no reference integrity manifest");
	EQ(collateral_add(&c, SLICE("<SoftwareIdentity/>"), "", "", &e), -1);
	EQ(collateral_add(&c, SLICE("<SoftwareIdentity xmlns="), "", "", &e), -1);
	HAS(e.msg, "XML document");
	EQ(c.n, 2);
}

static void put(const char *dir, const char *name, struct slice data)
{
	AUTO_STR *path = str_printf(NULL, "%s/%s", dir, name);

	WORKS(outfile_write(path, data, 0644, true, &e));
}

/* What cannot be read is left out only where nobody is worse off for it. */
TEST(collateral_folder_takes_a_broken_manifest_and_no_broken_status)
{
	AUTO_COLLATERAL c = { 0 }, d = { 0 };
	AUTO_BUF good = { 0 };
	struct err e = { 0 };
	struct ca ca;
	const char *dir = tmpdir();

	ca_make(&ca);
	status_make(&good, &ca, NOW - 60, NOW + DAY);
	put(dir, "NV_A.xml", SLICE(DOCUMENT));
	put(dir, "NV_B.swidtag", SLICE("<SoftwareIdentity"));
	put(dir, "a.ocsp", buf_view(&good));
	put(dir, "readme.txt", SLICE("hello"));
	WORKS(collateral_load(&c, dir, &e));
	EQ(c.n, 2);
	put(dir, "b.ocsp", SLICE("hello"));
	EQ(collateral_load(&d, dir, &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "b.ocsp");
	put(dir, "b.ocsp", buf_view(&good));
	good.n /= 2;
	put(dir, "c", buf_view(&good));		/* by its content */
	EQ(collateral_load(&d, dir, &e), -1);
	HAS(e.msg, "/c'");
	ca_free(&ca);
}

TEST(collateral_has_an_end)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF text = { .max = (size_t)4 << 20 };
	struct err e = { 0 };
	size_t n = 0;

	buf_puts(&text, "{\"tcbInfo\":{},\"signature\":\"\"}");
	buf_fill(&text, ' ', ((size_t)4 << 20) - text.n);	/* white space behind is not kept */
	WORKS(collateral_add(&c, buf_view(&text), "", "", &e));
	EQ(c.v[0].data.n, 29);
	buf_reset(&text);
	buf_puts(&text, "{\"tcbInfo\":{},\"x\":\"");
	buf_fill(&text, 'x', ((size_t)4 << 20) - text.n - 2);
	buf_puts(&text, "\"}");
	while (n < COLLATERAL_ITEMS && !collateral_add(&c, buf_view(&text), "", "", &e))
		n++;
	EQ(n, 15);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "bytes of collateral");
}

/* --- NVIDIA's own ---------------------------------------------------------------------------------------------------- */

TEST(collateral_knows_real_manifests)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF xml = { 0 }, answer = { 0 };
	AUTO_JSON *list = json_array();

	NEED_VECTORS;
	load_vec(&xml, "nvidia/rims/NV_GPU_DRIVER_GH100_550.144.03.xml");
	answer_make(&answer, "NV_GPU_DRIVER_GH100_550.144.03", buf_view(&xml), NULL, "TCG");
	WORKS(collateral_add(&c, buf_view(&answer), "https://x/v1/rim/NV_GPU_DRIVER_GH100_550.144.03", "", &e));
	WORKS(collateral_describe(list, &c, INT64_C(1767225600), &e));
	STR(member(list, 0, "product"), "GH100");
	STR(member(list, 0, "version"), "550.144.03");
	STR(member(list, 0, "state"), "current");		/* 2026-01-01; the signer's ends on 2026-12-30 */
	HAS(member(list, 0, "valid_from"), "2024-12-30");
	HAS(member(list, 0, "valid_until"), "2026-12-30");
}
