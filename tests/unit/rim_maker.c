/* SPDX-License-Identifier: Apache-2.0 */
/* See rim_maker.h. */

#include <stdio.h>

#include "rim_maker.h"
#include "codec/hex64.h"
#include "codec/json.h"
#include "test.h"

#define DAY RIM_MAKER_DAY
#define SWID "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define DS "http://www.w3.org/2000/09/xmldsig#"

enum { ROOT, L2, L3, CAS };

static struct {
	bool ready;
	struct privkey ca, signer, other;	/* one key for all CAs keeps this fast */
	struct buf der[CAS], no_ca, between, expired, other_root;
	struct cert_list cert[CAS], between_cert;
	uint8_t root[32];
} m;

static const char *const ca_names[CAS] = {
	"CN=Test CoRIM signing Root CA,O=Test,C=US", "CN=Test Reference Value CA,O=Test,C=US", "CN=Test Reference Value L3,O=Test,C=US"
};

static void make_cert(struct buf *der, const char *name, const struct privkey *key, const struct cert *issuer, const struct privkey *by,
		      int64_t from, int64_t until, bool ca)
{
	static const struct cert_make_ext ocsp = { "2.5.29.37", false, { (const uint8_t *)"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09", 12 } };

	WORKS(cert_make(der, &(const struct cert_make){ .subject = name, .key = key, .issuer = issuer, .issuer_key = by,
							.not_before = RIM_MAKER_NOW + from, .not_after = RIM_MAKER_NOW + until, .ca = ca,
							.leaves_only = strstr(name, "L3") != NULL, .exts = &ocsp,
							.n_exts = strstr(name, "OCSP") != NULL }, &e));
}

static void ready(void)
{
	if (m.ready)
		return;
	m.ready = true;
	WORKS(privkey_generate(&m.ca, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&m.signer, KEY_EC_P384, 0, &e));
	WORKS(privkey_generate(&m.other, KEY_EC_P384, 0, &e));
	for (int i = 0; i < CAS; i++) {
		make_cert(&m.der[i], ca_names[i], &m.ca, i ? &m.cert[i - 1].v[0] : NULL, &m.ca, -1000 * DAY, 1000 * DAY, true);
		WORKS(certs_parse(&m.cert[i], buf_view(&m.der[i]), &e));
	}
	make_cert(&m.no_ca, ca_names[L3], &m.ca, &m.cert[L2].v[0], &m.ca, -1000 * DAY, 1000 * DAY, false);
	make_cert(&m.expired, ca_names[L3], &m.ca, &m.cert[L2].v[0], &m.ca, -1000 * DAY, -DAY, true);
	make_cert(&m.between, "CN=Test Reference Value L3b,O=Test,C=US", &m.ca, &m.cert[L3].v[0], &m.ca, -1000 * DAY, 1000 * DAY, true);
	WORKS(certs_parse(&m.between_cert, buf_view(&m.between), &e));
	make_cert(&m.other_root, ca_names[ROOT], &m.other, NULL, &m.other, -1000 * DAY, 1000 * DAY, true);
	WORKS(hash_of(m.root, HASH_SHA256, buf_view(&m.der[ROOT]), &e));
}

const uint8_t *rim_maker_root(void)
{
	ready();
	return m.root;
}

const struct privkey *rim_maker_ca_key(void)
{
	ready();
	return &m.ca;
}

/* --- text ------------------------------------------------------------------------------------------------------- */

static const char *or(const char *s, const char *otherwise)
{
	return s ? s : otherwise;
}

static void put_golden(struct buf *b, unsigned index, const struct rim_make_golden *g)
{
	const size_t n = g && g->n ? g->n : 1;
	uint8_t hash[48];

	buf_printf(b, "        <ns0:Resource type=\"Measurement\" index=\"%u\" active=\"%s\" alternatives=\"%zu\"", index,
		   g && !g->inactive ? "True" : "False", n);
	for (size_t i = 0; i < n; i++) {
		memset(hash, g ? 0xee + (int)i : 0, sizeof hash);
		buf_printf(b, " ns2:Hash%zu=\"", i);
		buf_hex(b, slice_of(g && g->hash ? g->hash[i] : hash, sizeof hash));
		buf_puts(b, "\"");
	}
	buf_printf(b, " name=\"Measurement_%u\" size=\"48\"/>\n", index);
}

static void put_svn(struct buf *b, const struct rim_make_svn *s)
{
	buf_printf(b, "        <ns0:Resource type=\"Measurement\" index=\"%u\" active=\"%s\" ns3:minSvn=\"%u\"", RIM_SVN_BASE + s->opaque_type,
		   s->inactive ? "False" : "True", s->min);
	if (s->publish)
		buf_puts(b, " ns3:includeInResult=\"True\"");
	if (s->name)
		buf_printf(b, " name=\"%s\"/>\n", s->name);
	else
		buf_printf(b, " name=\"svn_%u\"/>\n", s->opaque_type);
}

void rim_make_text(struct buf *b, const struct rim_make *k)
{
	static const struct rim_make_golden seven = { .index = 7 };
	const struct rim_make_golden *v = k->golden ? k->golden : &seven;
	const size_t n = k->golden ? k->n_golden : 1;
	const char *name = or(k->name, "GH100");

	buf_printf(b, "<SoftwareIdentity xmlns=\"" SWID "\" xmlns:ns0=\"" SWID "\" xmlns:ns2=\"http://www.w3.org/2001/04/xmlenc#sha384\""
		   " corpus=\"false\" name=\"%s\" patch=\"false\" supplemental=\"false\" tagId=\"%s\" version=\"1.0\" tagVersion=\"0\">\n",
		   name, or(k->tag_id, "test"));
	buf_puts(b, "    <ns0:Entity name=\"Test\" role=\"softwareCreator tagCreator\"/>\n");
	buf_printf(b, "    <ns0:Meta xmlns:ns1=\"https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/\""
		   " colloquialVersion=\"%s\" edition=\"%s\" product=\"%s\" revision=\"r1\" PayloadType=\"direct\" ns1:BindingSpec=\"RIMIM\""
		   " ns1:FirmwareManufacturerId=\"%s\"/>\n",
		   or(k->version, "550.54.14"), or(k->edition, "GPU"), or(k->product, "GH100"), or(k->oemid, "5703"));
	buf_puts(b, "    <ns0:Payload xmlns:SHA384=\"http://www.w3.org/2001/04/xmlenc#sha384\"");
	buf_puts(b, k->n_svn ? " xmlns:ns3=\"https://docs.nvidia.com/attestation/specs/latest/opaque-data.html\">\n" : ">\n");
	for (unsigned i = 0; i < RIM_INDEXES; i++) {
		const struct rim_make_golden *g = NULL;

		for (size_t j = 0; j < n; j++)
			if (v[j].index == i)
				g = &v[j];
		if (g || !k->sparse)
			put_golden(b, i, g);
	}
	for (size_t i = 0; i < k->n_svn; i++)
		put_svn(b, &k->svn[i]);
	buf_printf(b, "%s    </ns0:Payload>\n%s</SoftwareIdentity>\n", or(k->payload_extra, ""), or(k->root_extra, ""));
}

/* --- signature ------------------------------------------------------------------------------------------------ */

static void put_cert(struct buf *b, struct slice der)
{
	AUTO_BUF text = { 0 };

	b64_encode(&text, der);
	buf_puts(b, "<ds:X509Certificate>");
	for (size_t i = 0; i < text.n; i += 64) {
		buf_put(b, text.p + i, text.n - i < 64 ? text.n - i : 64);
		buf_byte(b, '\n');
	}
	buf_puts(b, "</ds:X509Certificate>");
}

static void put_chain(struct buf *b, const struct rim_make *k)
{
	const enum rim_fault f = k->fault;
	const struct buf *l3 = f == RIM_MID_NO_CA ? &m.no_ca : f == RIM_MID_EXPIRED ? &m.expired : &m.der[L3];
	int64_t from = k->from || k->until ? k->from : -30 * DAY, until = k->from || k->until ? k->until : 30 * DAY;
	AUTO_BUF leaf = { 0 };

	if (f == RIM_SIGNER_EXPIRED)
		until = -DAY;
	if (f == RIM_SIGNER_FUTURE)
		from = DAY;
	make_cert(&leaf, f == RIM_SIGNER_FOR_OCSP ? "CN=Test OCSP" : "CN=Test RIM L4 Signer,O=Test,C=US", &m.signer,
		  f == RIM_PATH_LEN ? &m.between_cert.v[0] : &m.cert[L3].v[0], &m.ca, from, until, false);
	if (f == RIM_REVERSED) {
		put_cert(b, buf_view(&m.der[ROOT]));
		put_cert(b, buf_view(&m.der[L2]));
		put_cert(b, buf_view(l3));
		put_cert(b, buf_view(&leaf));
		return;
	}
	put_cert(b, buf_view(&leaf));
	if (f == RIM_PATH_LEN)
		put_cert(b, buf_view(&m.between));
	if (f != RIM_GAP)
		put_cert(b, buf_view(l3));
	put_cert(b, buf_view(&m.der[L2]));
	if (f != RIM_NO_ROOT)
		put_cert(b, buf_view(f == RIM_OTHER_ROOT ? &m.other_root : &m.der[ROOT]));
}

static void put_signature(struct buf *b, const char *digest, const char *value, const struct rim_make *k)
{
	buf_printf(b, "<ds:Signature xmlns:ds=\"" DS "\"><ds:SignedInfo>"
		   "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>"
		   "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384\"/><ds:Reference URI=\"\"><ds:Transforms>"
		   "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>"
		   "<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/></ds:Transforms>"
		   "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"/><ds:DigestValue>%s</ds:DigestValue>"
		   "</ds:Reference></ds:SignedInfo><ds:SignatureValue>%s</ds:SignatureValue><ds:KeyInfo><ds:X509Data>", digest, value);
	put_chain(b, k);
	buf_puts(b, "</ds:X509Data></ds:KeyInfo></ds:Signature>");
}

/* From..until of the Signature in the text; where there is none, the place before the last tag. */
static bool place(size_t *from, size_t *until, struct slice text)
{
	static const char begin[] = "<ds:Signature", end[] = "</ds:Signature>";
	const uint8_t *a = memmem(text.p, text.n, begin, sizeof begin - 1), *z = memmem(text.p, text.n, end, sizeof end - 1);
	const uint8_t *last = memrchr(text.p, '<', text.n);

	if (!last)
		return false;
	*from = *until = (size_t)(last - text.p);
	if (a && z && z > a) {
		*from = (size_t)(a - text.p);
		*until = (size_t)(z - text.p) + sizeof end - 1;
	}
	return true;
}

static void with_signature(struct buf *ret, struct slice text, const char *digest, const char *value, const struct rim_make *k)
{
	size_t from = 0, until = 0;

	if (!place(&from, &until, text))
		return;
	buf_put(ret, text.p, from);
	put_signature(ret, digest, value, k);
	buf_put(ret, text.p + until, text.n - until);
}

static void encoded(struct buf *ret, const void *p, size_t n)
{
	buf_reset(ret);
	b64_encode(ret, slice_of(p, n));
}

/* Twice over the same text: first to learn the digest, then what SignedInfo is with it. */
bool rim_sign(struct buf *ret, struct slice text, const struct rim_make *k)
{
	uint8_t zeros[96] = { 0 };
	AUTO_BUF digest = { 0 }, value = { 0 }, raw = { 0 }, sig = { 0 };
	struct xmldsig open = { 0 };

	ready();
	if (text.n == 0)
		return false;
	encoded(&value, zeros, 96);
	encoded(&digest, zeros, 48);
	for (int pass = 0; pass < 2; pass++) {
		AUTO_XML *doc = NULL;

		buf_reset(&raw);
		with_signature(&raw, text, buf_cstr(&digest), buf_cstr(&value), k);
		xmldsig_free(&open);
		if (xml_parse(&doc, buf_view(&raw), RIM_MAX, NULL) || xmldsig_open(&open, doc, NULL))
			return false;
		encoded(&digest, open.digest, 48);
	}
	WORKS(sig_sign(&sig, k->fault == RIM_WRONG_SIGNATURE ? &m.other : &m.signer, SIG_ECDSA_RAW, HASH_SHA384, buf_view(&open.signed_info), &e));
	encoded(&value, sig.p, sig.n);
	xmldsig_free(&open);
	with_signature(ret, text, buf_cstr(&digest), buf_cstr(&value), k);
	return true;
}

void rim_make(struct buf *ret, const struct rim_make *k)
{
	AUTO_BUF text = { 0 };
	const size_t start = ret->n;
	char *at;

	rim_make_text(&text, k);
	OK(rim_sign(ret, buf_view(&text), k));
	if (k->fault != RIM_WRONG_DIGEST)
		return;
	at = strstr((char *)ret->p + start, "tagVersion=\"0\"");
	OK(at);
	if (at)
		at[12] = '1';
}

void rim_service_make(struct buf *ret, const char *id, struct slice rim)
{
	AUTO_JSON *j = json_object();
	uint8_t sha[32];

	WORKS(hash_of(sha, HASH_SHA256, rim, &e));
	json_add_str(j, "id", id);
	json_add_str(j, "last_updated", "2025-06-15T00:00:00Z");
	json_add_b64(j, "rim", rim);
	json_add_str(j, "rim_format", "TCG");
	json_add_str(j, "request_id", "test");
	json_add_hex(j, "sha256", slice_of(sha, sizeof sha));
	WORKS(json_write(ret, j, false, &e));
}
