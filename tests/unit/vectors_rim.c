/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA's published manifests, and the broken ones beside them: each gets its verdict for its reason. */

#include <stdlib.h>

#include "base/host.h"
#include "codec/hex64.h"
#include "gpu/nv_roots.h"
#include "gpu/nvchain.h"
#include "rim_maker.h"
#include "test.h"

static const struct row {
	const char *file, *name, *edition, *version;
	size_t certs, active, alternatives;
	const char *from, *until;	/* of the whole chain */
	const char *chain, *wrong;	/* NULL: holds; else in the text of rim_chain, rim_signed */
} rows[] = {
	{ "1010_0200_882_96005E0001_PROD.swidtag", "GH100", "GPU", "96.00.5E.00.01", 4, 12, 4, "2023-06-23T09:30:33Z", "2025-06-22T09:30:33Z" },
	{ "1010_0200_882_96005E0001_test_no_gpu.swidtag", "GH100", "GPU", "96.00.5E.00.01", 4, 12, 4, "2023-06-23T09:38:54Z", "2025-06-22T09:38:54Z" },
	{ "1010_0200_882_960074001A_PROD.swidtag", "GH100", "GPU", "96.00.74.00.1A", 4, 12, 4, "2023-09-06T08:35:22Z", "2025-09-05T08:35:22Z" },
	{ "1010_0205_862_96005E0002_PROD.swidtag", "GH100", "GPU", "96.00.5E.00.02", 4, 12, 4, "2023-06-28T11:26:51Z", "2025-06-27T11:26:51Z" },
	{ "1010_0205_862_960074001F_PROD.swidtag", "GH100", "GPU", "96.00.74.00.1F", 4, 12, 4, "2023-09-06T08:45:21Z", "2025-09-05T08:45:21Z" },
	{ "1010_0210_886_9600740011_PROD.swidtag", "GH100", "GPU", "96.00.74.00.11", 4, 12, 4, "2023-09-06T08:48:06Z", "2025-09-05T08:48:06Z" },
	{ "Driver_RIM_test_no_gpu.swidtag", "GH100", "GPU", "545.00", 4, 21, 2, "2023-06-27T06:10:12Z", "2025-06-26T06:10:12Z" },
	{ "NV_GPU_DRIVER_GH100_550.144.03.xml", "GH100", "GPU", "550.144.03", 4, 21, 4, "2024-12-30T16:56:50Z", "2026-12-30T16:56:50Z" },
	{ "NV_GPU_DRIVER_GH100_570.124.03_expired.bad.xml", "GH100", "GPU", "570.124.03", 4, 21, 2, "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z",
	  NULL, "digest" },
	{ "NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml", "GH100", "GPU", "96.00.5E.00.01", 4, 12, 4, "2023-12-13T23:58:03Z",
	  "2025-12-12T23:58:03Z" },
	{ "NV_SWITCH_BIOS_5612_0002_890_9610550001.xml", "LS10", "SWITCH", "96.10.55.00.01", 4, 31, 4, "2026-05-20T22:02:51Z", "2027-11-02T23:59:59Z" },
	{ "g520_0200_885_9600740001_PROD.swidtag", "GH100", "GPU", "96.00.74.00.01", 4, 12, 4, "2023-08-25T09:52:07Z", "2025-08-24T09:52:07Z" },
	{ "g520_0202_885_96006D0008_PROD.swidtag", "GH100", "GPU", "96.00.6D.00.08", 4, 12, 4, "2023-08-25T09:56:56Z", "2025-08-24T09:56:56Z" },
	{ "g520_0202_885_9600740014_PROD.swidtag", "GH100", "GPU", "96.00.74.00.14", 4, 12, 4, "2023-08-25T10:01:06Z", "2025-08-24T10:01:06Z" },
	{ "g520_0205_865_9600740006_PROD.swidtag", "GH100", "GPU", "96.00.74.00.06", 4, 12, 4, "2023-08-25T10:05:03Z", "2025-08-24T10:05:03Z" },
	{ "g520_0207_865_9600740015_PROD.swidtag", "GH100", "GPU", "96.00.74.00.15", 4, 12, 4, "2023-08-25T10:07:08Z", "2025-08-24T10:07:08Z" },
	{ "g520_0213_881_96006D0007_PROD.swidtag", "GH100", "GPU", "96.00.6D.00.07", 4, 12, 4, "2023-08-25T10:09:47Z", "2025-08-24T10:09:47Z" },
	{ "g520_0228_889_96006D000A_PROD.swidtag", "GH100", "GPU", "96.00.6D.00.0A", 4, 12, 4, "2023-08-25T10:13:05Z", "2025-08-24T10:13:05Z" },
	{ "incorrect_cert_chain_driver_rim.bad.xml", "GB100", "GPU", "97.00.83.00.09", 2, 20, 2, "2025-02-01T04:53:44Z", "2027-02-01T04:53:44Z",
	  "does not lead to the pinned root", NULL },
	{ "incorrect_signature_driver_rim.bad.xml", "GH100", "GPU", "550.144.03", 4, 21, 4, "2024-12-30T16:56:50Z", "2026-12-30T16:56:50Z",
	  NULL, "signature" },
};
#define ROWS (sizeof rows / sizeof rows[0])

static void load_rim(struct buf *ret, const char *file)
{
	AUTO_STR *name = str_printf(NULL, "nvidia/rims/%s", file);

	load_vec(ret, name);
}

static int64_t time_of(const char *when)
{
	int64_t t = 0;

	WORKS(time_parse(&t, when, &e));
	return t;
}

/* why NULL: it holds */
static void judged(const struct row *r, const char *what, int rc, const struct err *e, const char *why)
{
	if (rc != (why ? -1 : 0) || (why && (e->code != EC_REFUSED || !strstr(e->msg, why))))
		test_fail(__FILE__, __LINE__, "%s: %s: %d '%s', wanted '%s'", r->file, what, rc, e->msg, why ? why : "(holds)");
}

TEST(vectors_rim_each_gets_its_verdict)
{
	NEED_VECTORS;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		const int64_t from = time_of(r->from), until = time_of(r->until);
		struct err e = { 0 };
		AUTO_BUF b = { 0 };
		AUTO_RIM rim = { 0 };
		int64_t seen_from, seen_until;

		load_rim(&b, r->file);
		OK(rim_recognise(buf_view(&b)));
		WORKS(rim_parse(&rim, buf_view(&b), &e));
		judged(r, "chain", rim_chain(&rim, NULL, &e), &e, r->chain);
		judged(r, "signed", rim_signed(&rim, &e), &e, r->wrong);
		judged(r, "dates at the begin", rim_dates(&rim, from, &e), &e, NULL);
		judged(r, "dates at the end", rim_dates(&rim, until, &e), &e, NULL);
		judged(r, "dates before", rim_dates(&rim, from - 1, &e), &e, "is not yet valid");
		judged(r, "dates behind", rim_dates(&rim, until + 1, &e), &e, "has expired");
		rim_window(&seen_from, &seen_until, &rim);
		EQ(seen_from, from);
		EQ(seen_until, until);
	}
}

TEST(vectors_rim_each_is_read_whole)
{
	NEED_VECTORS;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		AUTO_BUF b = { 0 };
		AUTO_RIM rim = { 0 };
		size_t most = 0;

		load_rim(&b, r->file);
		WORKS(rim_parse(&rim, buf_view(&b), &e));
		STR(rim.name, r->name);
		STR(rim.product, r->name);
		STR(rim.edition, r->edition);
		STR(rim.version, r->version);
		STR(rim.oemid, "5703");
		EQ(strlen(rim.tag_id), 96);
		EQ(rim.n_active, r->active);
		EQ(rim.sig.certs.n, r->certs);
		EQ(rim.n_svn, 0);
		OK(!rim.newer);
		for (size_t k = 0; k < RIM_INDEXES; k++) {
			OK(rim.golden[k].there && rim.golden[k].n);
			if (rim.golden[k].n > most)
				most = rim.golden[k].n;
		}
		EQ(most, r->alternatives);
	}
}

TEST(vectors_rim_goldens_are_the_first_and_the_last)
{
	AUTO_BUF b = { 0 };
	AUTO_RIM rim = { 0 };
	uint8_t want[48];

	NEED_VECTORS;
	load_rim(&b, "NV_GPU_DRIVER_GH100_550.144.03.xml");
	WORKS(rim_parse(&rim, buf_view(&b), &e));
	WORKS(hex_decode_n(want, 48, "4a5e4b3d501fe31f91bd8b6f2921b58437704a504dbedba971440e840c938c805612689ae3ac04b1009515a179063d49", &e));
	OK(rim.golden[7].active && rim.golden[7].n == 1);
	MEM(rim.golden[7].hash[0], want, 48);
	OK(!rim.golden[6].active);
	STR(rim.golden[7].name, "Measurement_7");
}

/* nvidia-gpu.md 3.3: values of other implementations. */
TEST(vectors_rim_canonical_forms)
{
	static const struct { const char *file; size_t all, canonical, info; const char *digest, *info_digest; } forms[] = {
		{ "NV_SWITCH_BIOS_5612_0002_890_9610550001.xml", 25698, 22059, 896,
		  "93323154376a9332dc20ed9b20c160dc6a6a61a6b6426c32c262286f72879c5e7b6d05dcae7fb0d26f7f79284dcd6fce",
		  "6b340a674d018c14a1b4b2191f61a976f0373367876c2ae5e1dfeee8c26a7cd990fa98c547717a0303ac928eb9fe00ed" },
		{ "NV_GPU_DRIVER_GH100_550.144.03.xml", 21290, 17667, 896,
		  "06a3687f23c4c91e4141cc75a6701352959bc9e1f671d8de4afdca3f5df31280e2493d97138635d23d0ab5d2a1d92631",
		  "51789d2556af1aae0de3100544e2372854bef8f102ebca04696199e8b7eea359d5b71a2e670b9400c8015137b3ed2e60" },
		{ "g520_0200_885_9600740001_PROD.swidtag", 20462, 16856, 896,
		  "be5d8d189fbeca264a70f37c8257671e360277a06703bae078fbf07b119b80798903b87956b1aa502ba73c8a8d9e56a8",
		  "085ce5fbe4c03bdd2e503b4a01a6ec820bc6b2b203c5e3c60bd38bf6b46fa5385e55ae152a8d356c6452ce0e95023c70" },
	};

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		AUTO_BUF b = { 0 }, canonical = { 0 }, hex = { 0 }, info_hex = { 0 };
		AUTO_XML *doc = NULL;
		struct xmldsig s = { 0 };
		uint8_t digest[48];

		load_rim(&b, forms[i].file);
		EQ(b.n, forms[i].all);
		WORKS(xml_parse(&doc, buf_view(&b), RIM_MAX, &e));
		WORKS(xml_c14n(&canonical, xml_root(doc), xml_child(xml_root(doc), "http://www.w3.org/2000/09/xmldsig#", "Signature"), &e));
		EQ(canonical.n, forms[i].canonical);
		WORKS(xmldsig_open(&s, doc, &e));
		OK(s.digest_holds);
		buf_hex(&hex, slice_of(s.digest, 48));
		STR(buf_cstr(&hex), forms[i].digest);
		EQ(s.signed_info.n, forms[i].info);
		WORKS(hash_of(digest, HASH_SHA384, buf_view(&s.signed_info), &e));
		buf_hex(&info_hex, slice_of(digest, 48));
		STR(buf_cstr(&info_hex), forms[i].info_digest);
		xmldsig_free(&s);
	}
}

/* Takes the n-th X509Certificate out (from 0). */
static void drop_cert(struct buf *b, size_t n)
{
	static const char end[] = "</ds:X509Certificate>";
	char *at = strstr((char *)b->p, "<ds:X509Certificate>"), *until;

	for (; n && at; n--)
		at = strstr(at + 1, "<ds:X509Certificate>");
	OK(at);
	until = at ? strstr(at, end) : NULL;
	if (!until)
		return;
	until += sizeof end - 1;
	memmove(at, until, (size_t)((char *)b->p + b->n - until) + 1);
	b->n -= (size_t)(until - at);
}

/* The certificates are not part of what is signed: which ones stand there decides about the chain alone. */
TEST(vectors_rim_certificates_left_out)
{
	static const struct { size_t from, n; bool holds; } left_out[] = { { 1, 1, false }, { 2, 1, false }, { 2, 2, false }, { 3, 1, true } };

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
		struct err seen = { 0 };
		AUTO_BUF b = { 0 };
		AUTO_RIM rim = { 0 };

		load_rim(&b, "NV_SWITCH_BIOS_5612_0002_890_9610550001.xml");
		for (size_t k = 0; k < left_out[i].n; k++)
			drop_cert(&b, left_out[i].from);
		WORKS(rim_parse(&rim, buf_view(&b), &e));
		WORKS(rim_signed(&rim, &e));
		WORKS(rim_dates(&rim, time_of("2026-11-01T00:00:00Z"), &e));
		EQ(rim_chain(&rim, NULL, &seen), left_out[i].holds ? 0 : -1);
		if (left_out[i].holds)
			continue;
		HAS(seen.msg, "names the issuer");
		HAS(seen.msg, "does not lead to the pinned root");
	}
}

/* With the signer's own certificate gone, the key is that of the CA above: it did not sign this. */
TEST(vectors_rim_key_of_another_certificate)
{
	AUTO_BUF b = { 0 };
	AUTO_RIM rim = { 0 };
	struct err seen = { 0 };

	NEED_VECTORS;
	load_rim(&b, "NV_SWITCH_BIOS_5612_0002_890_9610550001.xml");
	drop_cert(&b, 0);
	WORKS(rim_parse(&rim, buf_view(&b), &e));
	WORKS(rim_chain(&rim, NULL, &e));
	EQ(rim_signed(&rim, &seen), -1);
	EQ(seen.code, EC_REFUSED);
	HAS(seen.msg, "signature of the manifest");
}

static void root_file(struct cert_list *ret, const char *name)
{
	AUTO_STR *path = str_printf(NULL, "nvidia/roots/%s", name);
	AUTO_BUF b = { 0 };

	load_vec(&b, path);
	WORKS(certs_parse(ret, buf_view(&b), &e));
}

TEST(vectors_rim_roots)
{
	static const char *const names[] = { "rim_root.pem", "nvtrust_verifier_RIM_root.pem" };
	AUTO_CERTS built_in = { 0 }, wrong = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_RIM rim = { 0 };
	uint8_t sha[32];

	NEED_VECTORS;
	WORKS(certs_parse(&built_in, slice_str(nv_rim_root_pem), &e));
	for (size_t i = 0; i < 2; i++) {
		AUTO_CERTS root = { 0 };

		root_file(&root, names[i]);
		EQ(root.n, 1);
		OK(slice_eq(root.v[0].der, built_in.v[0].der));
		WORKS(hash_of(sha, HASH_SHA256, root.v[0].der, &e));
		MEM(sha, nv_rim_root, 32);
	}
	/* under a signer offered as root nothing holds */
	root_file(&wrong, "incorrect_rim_root.bad.crt");
	WORKS(hash_of(sha, HASH_SHA256, wrong.v[0].der, &e));
	load_rim(&b, "NV_GPU_DRIVER_GH100_550.144.03.xml");
	WORKS(rim_parse(&rim, buf_view(&b), &e));
	WORKS(rim_chain(&rim, nv_rim_root, &e));
	FAILS(rim_chain(&rim, sha, &e), EC_REFUSED);
	FAILS(rim_chain(&rim, nv_device_root, &e), EC_REFUSED);
}

/* Any bit of what is signed: no longer a manifest, or refused by digest or signature. */
TEST(vectors_rim_changed_bytes)
{
	AUTO_BUF b = { 0 };
	size_t body;

	NEED_VECTORS;
	load_rim(&b, "g520_0200_885_9600740001_PROD.swidtag");
	body = (size_t)(strstr((char *)b.p, "<ds:KeyInfo>") - (char *)b.p);
	for (size_t at = 0; at < body; at += 7) {
		AUTO_RIM rim = { 0 };
		struct err e = { 0 };

		b.p[at] ^= (uint8_t)(1 << at % 8);
		if (!rim_parse(&rim, buf_view(&b), &e)) {
			if (!rim_signed(&rim, &e))
				test_fail(__FILE__, __LINE__, "accepted with a changed byte at %zu", at);
			EQ(e.code, EC_REFUSED);
		} else {
			EQ(e.code, EC_FORMAT);
		}
		b.p[at] ^= (uint8_t)(1 << at % 8);
	}
}

/* What the fuzz target does with its seeds: the same content under another signer. */
TEST(vectors_rim_signed_anew)
{
	NEED_VECTORS;
	for (size_t i = 0; i < ROWS; i++) {
		AUTO_BUF b = { 0 }, again = { 0 };
		AUTO_RIM rim = { 0 };

		load_rim(&b, rows[i].file);
		OK(rim_sign(&again, buf_view(&b), &(const struct rim_make){ 0 }));
		WORKS(rim_parse(&rim, buf_view(&again), &e));
		WORKS(rim_chain(&rim, rim_maker_root(), &e));
		WORKS(rim_dates(&rim, RIM_MAKER_NOW, &e));
		WORKS(rim_signed(&rim, &e));
		FAILS(rim_chain(&rim, NULL, &e), EC_REFUSED);
		EQ(rim.n_active, rows[i].active);
	}
}
