/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: what cosign writes, with every kind of key, and what must not pass for one. */

#include <unistd.h>

#include "base/outfile.h"
#include "codec/hex64.h"
#include "image/name.h"
#include "image/signature.h"
#include "image_make.h"
#include "test.h"

#define NAME "registry.example.com/ns/app"
#define EXACT "\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"" NAME "\"}"

static void wants(const struct made *m, struct trial_run *r, int code, const char *text)
{
	struct err e = { 0 };
	const int rc = made_verify(r, m, &e);

	if (code ? rc != -1 || (int)e.code != code : rc)
		test_fail(__FILE__, __LINE__, "rc %d code %d '%s', wanted %d", rc, e.code, e.msg, code);
	else if (code)
		HAS(e.msg, text);
}

/* An image signed by key under NAME, ready to verify with *path. */
static void signed_image(struct made *m, struct buf *path, const struct privkey *key, enum sig_form form)
{
	AUTO_BUF payload = { 0 };

	make_layout(m);
	make_image(m, "v1");
	make_payload(&payload, m->manifest.text, NAME);
	make_signature(m, &m->manifest, buf_view(&payload), key, form);
	make_index(m);
	make_public(path, m, key, "key.pub");
}

static void accepted_by(enum key_type type, unsigned bits, enum sig_form form)
{
	AUTO_PRIVKEY key = { 0 }, other = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 }, wrong = { 0 };
	AUTO_RUN r = { .ref = ":v1" };
	const struct signer *s;

	WORKS(privkey_generate(&key, type, bits, &e));
	WORKS(privkey_generate(&other, KEY_EC_P256, 0, &e));
	signed_image(&m, &path, &key, form);
	make_public(&wrong, &m, &other, "other.pub");
	r.key = buf_cstr(&path);
	wants(&m, &r, 0, NULL);
	EQ(verified_image_signers(&s, r.v), 1);
	STR(s->kind, "cosign");
	STR(s->name, NAME);
	STR(s->signed_digest.text, m.manifest.text);
	STR(s->key_source, buf_cstr(&path));
	EQ(strlen(s->key_sha256), 64);
	r.key = buf_cstr(&wrong);
	wants(&m, &r, EC_REFUSED, "none of 1 signature");
}

TEST(cosign_accepts_the_right_key_only)
{
	accepted_by(KEY_EC_P256, 0, SIG_ECDSA_DER);
	accepted_by(KEY_EC_P384, 0, SIG_ECDSA_DER);
	accepted_by(KEY_EC_P521, 0, SIG_ECDSA_DER);
	accepted_by(KEY_RSA, 2048, SIG_RSA_PKCS1);
}

TEST(cosign_refuses_other_signature_forms)
{
	AUTO_PRIVKEY rsa = { 0 }, ec = { 0 };
	AUTO_MADE m, n;
	AUTO_BUF path = { 0 }, path2 = { 0 };
	AUTO_RUN r = { .ref = ":v1" };

	WORKS(privkey_generate(&rsa, KEY_RSA, 2048, &e));
	WORKS(privkey_generate(&ec, KEY_EC_P256, 0, &e));
	signed_image(&m, &path, &rsa, SIG_RSA_PSS);
	r.key = buf_cstr(&path);
	wants(&m, &r, EC_REFUSED, "none of 1");
	signed_image(&n, &path2, &ec, SIG_ECDSA_RAW);
	r.key = buf_cstr(&path2);
	wants(&n, &r, EC_REFUSED, "none of 1");
}

TEST(cosign_nothing_is_accepted_without_policy_and_key)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 };
	AUTO_RUN r = { .ref = ":v1" };
	char ref[256];

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	signed_image(&m, &path, &key, SIG_ECDSA_DER);
	wants(&m, &r, EC_USAGE, "--key or --policy");
	snprintf(ref, sizeof ref, "@%s", m.manifest.text);
	r.ref = ref;
	wants(&m, &r, EC_USAGE, "a digest pins the bytes");
}

TEST(cosign_a_good_signature_does_not_save_a_bad_layer)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 };
	AUTO_RUN r = { .ref = ":v1" };
	char name[1024];

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	signed_image(&m, &path, &key, SIG_ECDSA_DER);
	snprintf(name, sizeof name, "%s/blobs/sha256/%s", m.dir, m.layer[1].hex);
	WORKS(outfile_write(name, SLICE("SECOND LAYER, not compressed"), 0644, true, &e));
	r.key = buf_cstr(&path);
	wants(&m, &r, EC_REFUSED, "layer 1");
}

/* The signature of one image, moved beside another one. */
TEST(cosign_refuses_a_signature_of_another_image)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 }, payload = { 0 };
	AUTO_RUN r = { .ref = ":v1" };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_payload(&payload, m.config.text, NAME);
	make_signature(&m, &m.manifest, buf_view(&payload), &key, SIG_ECDSA_DER);
	make_index(&m);
	make_public(&path, &m, &key, "key.pub");
	r.key = buf_cstr(&path);
	wants(&m, &r, EC_REFUSED, "another image");
}

TEST(cosign_refuses_a_payload_that_was_changed_after_signing)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF good = { 0 };
	struct claim c = { .name = NULL };
	struct signature s = { .kind = &sig_kind_cosign };
	AUTO_PUBKEY pub = { 0 };
	struct chain chain = { .n = 1 };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	WORKS(privkey_public(&pub, &key, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_payload(&good, m.manifest.text, NAME);
	WORKS(sig_sign(&s.sig, &key, SIG_ECDSA_DER, HASH_SHA256, buf_view(&good), &e));
	chain.v[0].digest = m.manifest;
	buf_slice(&s.body, buf_view(&good));
	WORKS(s.kind->check(&c, &s, &pub, &chain, &e));
	claim_free(&c);
	for (size_t i = 0; i < s.body.n; i += 5) {
		s.body.p[i] ^= 1;
		FAILS(s.kind->check(&c, &s, &pub, &chain, &e), EC_REFUSED);
		s.body.p[i] ^= 1;
	}
	for (size_t i = 0; i < s.sig.n; i++) {
		s.sig.p[i] ^= 1;
		FAILS(s.kind->check(&c, &s, &pub, &chain, &e), EC_REFUSED);
		s.sig.p[i] ^= 1;
	}
	WORKS(s.kind->check(&c, &s, &pub, &chain, &e));
	claim_free(&c);
	buf_free(&s.body);
	buf_free(&s.sig);
}

TEST(cosign_one_good_signature_among_foreign_and_broken_ones_is_enough)
{
	AUTO_PRIVKEY key = { 0 }, foreign = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 }, payload = { 0 };
	AUTO_RUN r = { .ref = ":v1" };
	char more[256];

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&foreign, KEY_EC_P256, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_payload(&payload, m.manifest.text, NAME);
	snprintf(more, sizeof more, ",\"annotations\":{\"" ANN_REF_NAME "\":\"sha256-%s.sig\"}", m.manifest.hex);
	make_entry(&m, MT_OCI_MANIFEST, &m.layer[1], 28, more);		/* not a manifest at all */
	make_signature(&m, &m.manifest, buf_view(&payload), &foreign, SIG_ECDSA_DER);
	make_signature(&m, &m.manifest, buf_view(&payload), &key, SIG_ECDSA_DER);
	make_index(&m);
	make_public(&path, &m, &key, "key.pub");
	r.key = buf_cstr(&path);
	wants(&m, &r, 0, NULL);
	for (const struct json *c = json_first(r.out.checks); c; c = json_next(c))
		OK(strcmp(json_string(json_get(c, "result")), "fail"));
}

TEST(cosign_more_signatures_than_anybody_makes_are_refused)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 }, payload = { 0 };
	AUTO_RUN r = { .ref = ":v1" };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_payload(&payload, m.manifest.text, NAME);
	for (int i = 0; i < 129; i++) {
		if (i == 128) {
			make_index(&m);
			make_public(&path, &m, &key, "key.pub");
			r.key = buf_cstr(&path);
			wants(&m, &r, 0, NULL);
		}
		make_signature(&m, &m.manifest, buf_view(&payload), &key, SIG_ECDSA_DER);
	}
	make_index(&m);
	wants(&m, &r, EC_REFUSED, "more than 128");
}

TEST(cosign_an_unsigned_image_is_refused_and_says_where_it_looked)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 };
	AUTO_RUN r = { .ref = ":v1" };
	struct err e = { 0 };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_index(&m);
	make_public(&path, &m, &key, "key.pub");
	r.key = buf_cstr(&path);
	EQ(made_verify(&r, &m, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "not signed");
	HAS(e.hint, ".sig");
}

TEST(cosign_signature_on_the_index_or_on_the_instance_counts)
{
	for (int which = 0; which < 2; which++) {
		AUTO_PRIVKEY key = { 0 };
		AUTO_MADE m;
		AUTO_BUF path = { 0 }, payload = { 0 }, b = { 0 }, ref = { 0 };
		AUTO_RUN r = { .ref = "" };
		const struct signer *s;
		struct digest index;

		WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
		make_layout(&m);
		make_image(&m, NULL);
		buf_printf(&b, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}", MT_OCI_INDEX, buf_cstr(&m.entries));
		make_blob(&index, &m, buf_view(&b));
		buf_reset(&m.entries);
		make_entry(&m, MT_OCI_INDEX, &index, b.n, NULL);
		make_payload(&payload, which ? index.text : m.manifest.text, NAME);
		make_signature(&m, which ? &index : &m.manifest, buf_view(&payload), &key, SIG_ECDSA_DER);
		make_index(&m);
		make_public(&path, &m, &key, "key.pub");
		r.key = buf_cstr(&path);
		buf_printf(&ref, "@%s", index.text);
		wants(&m, &r, 0, NULL);
		EQ(verified_image_signers(&s, r.v), 1);
		STR(s->signed_digest.text, which ? index.text : m.manifest.text);
		STR(verified_image_named(r.v)->text, index.text);
	}
}

TEST(cosign_payloads_are_read_strictly)
{
#define D "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define GOOD_ID "\"identity\":{\"docker-reference\":\"a.io/b\"}"
#define GOOD_IMG "\"image\":{\"docker-manifest-digest\":\"" D "\"}"
#define GOOD_TYPE "\"type\":\"cosign container image signature\""
	static const char *const good[] = {
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "},\"optional\":null}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "}}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "},\"optional\":{\"creator\":\"x\",\"timestamp\":7,\"k\":\"v\"}}" };
	static const char *const bad[] = {
		"", "[]", "{}", "null", "{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "},\"optional\":null} x",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "},\"optional\":7}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "},\"optional\":null,\"more\":1}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE ",\"more\":1},\"optional\":null}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "},\"optional\":null}",
		"{\"critical\":{" GOOD_ID "," GOOD_TYPE "},\"optional\":null}",
		"{\"critical\":{" GOOD_IMG "," GOOD_TYPE "},\"optional\":null}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_IMG "," GOOD_TYPE "}}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG ",\"type\":\"atomic container signature\"}}",
		"{\"critical\":{" GOOD_ID ",\"image\":{\"docker-manifest-digest\":\"sha256:00\"}," GOOD_TYPE "}}",
		"{\"critical\":{" GOOD_ID ",\"image\":{\"docker-manifest-digest\":7}," GOOD_TYPE "}}",
		"{\"critical\":{" GOOD_ID ",\"image\":{\"docker-manifest-digest\":\"" D "\",\"x\":1}," GOOD_TYPE "}}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "},\"optional\":{\"creator\":7}}",
		"{\"critical\":{" GOOD_ID "," GOOD_IMG "," GOOD_TYPE "},\"optional\":{\"timestamp\":1.5}}" };
	struct claim c = { .name = NULL };

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		WORKS(cosign_payload_parse(&c, slice_str(good[i]), &e));
		STR(c.image.text, D);
		STR(c.name, "a.io/b");
		claim_free(&c);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };

		if (cosign_payload_parse(&c, slice_str(bad[i]), &e) != -1 || e.code != EC_FORMAT)
			test_fail(__FILE__, __LINE__, "%s: code %d '%s'", bad[i], e.code, e.msg);
	}
}

TEST(cosign_keys_that_cannot_be_used_are_errors)
{
	AUTO_TRUST_KEYS keys = { 0 };
	AUTO_PRIVKEY small = { 0 };
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF pem = { 0 };

	FAILS(trust_keys_add(&keys, SLICE("nonsense"), "k", &e), EC_FORMAT);
	FAILS(trust_keys_add(&keys, SLICE(""), "k", &e), EC_FORMAT);
	WORKS(privkey_generate(&small, KEY_RSA, 2560, &e));
	WORKS(privkey_public(&pub, &small, &e));
	WORKS(pubkey_pem(&pem, &pub, &e));
	FAILS(trust_keys_add(&keys, buf_view(&pem), "k", &e), EC_FORMAT);
	EQ(keys.n, 0);
}

/* ---- bundles (cosign 3) ------------------------------------------------------------------------------------------- */

static void make_bundle(struct made *m, const struct digest *d, const struct digest *about, const struct privkey *key, enum hash h,
			const char *predicate)
{
	AUTO_BUF text = { 0 };

	make_bundle_text(&text, about, key, h, predicate);
	make_referrer(m, d, buf_view(&text));
}

static void bundled(enum key_type type, enum hash h, bool good)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 };
	AUTO_RUN r = { .ref = ":v1", .ignore_tlog = true };
	const struct signer *s;

	WORKS(privkey_generate(&key, type, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_bundle(&m, &m.manifest, &m.manifest, &key, h, NULL);
	make_index(&m);
	make_public(&path, &m, &key, "key.pub");
	r.key = buf_cstr(&path);
	if (!good) {
		wants(&m, &r, EC_REFUSED, "none of 1");
		return;
	}
	wants(&m, &r, 0, NULL);
	EQ(verified_image_signers(&s, r.v), 1);
	STR(s->kind, "sigstore-bundle");
	OK(!s->name);
	r.ignore_tlog = false;
	wants(&m, &r, EC_REFUSED, "transparency log");
}

TEST(bundle_is_found_as_a_referrer_and_needs_the_log_to_be_waived)
{
	bundled(KEY_EC_P256, HASH_SHA256, true);
	bundled(KEY_EC_P384, HASH_SHA384, true);
	bundled(KEY_EC_P384, HASH_SHA256, true);
	bundled(KEY_EC_P384, HASH_SHA512, false);
	bundled(KEY_EC_P256, HASH_SHA384, false);
}

TEST(bundle_of_another_kind_image_or_key_is_refused)
{
	AUTO_PRIVKEY key = { 0 }, other = { 0 };
	AUTO_MADE m, n, o;
	AUTO_BUF path = { 0 }, path2 = { 0 }, path3 = { 0 };
	AUTO_RUN r = { .ref = ":v1", .ignore_tlog = true };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&other, KEY_EC_P256, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_bundle(&m, &m.manifest, &m.manifest, &key, HASH_SHA256, "https://slsa.dev/provenance/v1");
	make_index(&m);
	make_public(&path, &m, &key, "key.pub");
	r.key = buf_cstr(&path);
	wants(&m, &r, EC_REFUSED, "not a signature of an image");
	make_layout(&n);
	make_image(&n, "v1");
	make_bundle(&n, &n.config, &n.config, &key, HASH_SHA256, NULL);	/* of another image: not even a candidate */
	make_index(&n);
	make_public(&path2, &n, &key, "key.pub");
	r.key = buf_cstr(&path2);
	wants(&n, &r, EC_REFUSED, "not signed");
	make_layout(&o);
	make_image(&o, "v1");
	make_bundle(&o, &o.manifest, &o.manifest, &other, HASH_SHA256, NULL);
	make_index(&o);
	make_public(&path3, &o, &key, "key.pub");
	r.key = buf_cstr(&path3);
	wants(&o, &r, EC_REFUSED, "none of 1");
}

TEST(bundle_about_another_image_is_refused_though_it_refers_to_this_one)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 };
	AUTO_RUN r = { .ref = ":v1", .ignore_tlog = true };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_bundle(&m, &m.manifest, &m.config, &key, HASH_SHA256, NULL);
	make_index(&m);
	make_public(&path, &m, &key, "key.pub");
	r.key = buf_cstr(&path);
	wants(&m, &r, EC_REFUSED, "another image");
}

TEST(bundle_is_read_strictly)
{
	static const struct {
		const char *find, *put;
		int code;
		const char *text;
	} cases[] = {
		{ "x", "x", EC_OK, NULL },
		{ "\"keyid", "\"keyid", EC_OK, NULL },
		{ "[{\"sig\"", "[{\"keyid\":\"\",\"sig\"", EC_OK, NULL },
		{ "\"publicKey\"", "\"tlogEntries\":[],\"publicKey\"", EC_OK, NULL },
		{ "v0.3+json\"", "v0.4+json\"", EC_FORMAT, "version 0.3" },
		{ "[{\"sig\"", "[{\"sig\":\"AAAA\"},{\"sig\"", EC_REFUSED, "2 signatures" },
		{ "\"publicKey\"", "\"certificate\":{},\"publicKey\"", EC_REFUSED, "certificate" },
		{ "\"publicKey\"", "\"x509CertificateChain\":{},\"publicKey\"", EC_REFUSED, "certificate" },
		{ "\"publicKey\"", "\"other\"", EC_FORMAT, "other" },
		{ "\"dsseEnvelope\"", "\"messageSignature\":{},\"dsseEnvelope\"", EC_REFUSED, "a file" },
		{ "\"dsseEnvelope\"", "\"more\":{},\"dsseEnvelope\"", EC_FORMAT, "more" },
		{ "\"dsseEnvelope\"", "\"dsseEnvelope\":{},\"dsseEnvelope\"", EC_FORMAT, "dsseEnvelope" },
		{ "\"payloadType\":\"application/vnd.in-toto", "\"payloadType\":\"application/vnd.in-tot0", EC_REFUSED, "envelope holds" },
		{ "\"payload\":\"", "\"payload\":\"!", EC_FORMAT, "payload" },
		{ "\"payload\":\"e", "\"payload\":\"f", EC_REFUSED, "not by this key" },
		{ "[{\"sig\":\"MEU", "[{\"sig\":\"MEV", EC_REFUSED, "not by this key" },
	};
	AUTO_PRIVKEY key = { 0 };
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF text = { 0 };
	struct chain chain = { .n = 1 };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	WORKS(privkey_public(&pub, &key, &e));
	WORKS(digest_of(&chain.v[0].digest, HASH_SHA256, SLICE("image"), &e));
	make_bundle_text(&text, &chain.v[0].digest, &key, HASH_SHA256, NULL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *at = strstr(buf_cstr(&text), cases[i].find);
		struct signature s = { .kind = &sig_kind_bundle };
		struct claim c = { .name = NULL };
		struct err e = { 0 };
		int rc;

		if (!at)
			continue;	/* the length byte of an ECDSA signature varies */
		buf_slice(&s.body, slice_of(text.p, (size_t)(at - buf_cstr(&text))));
		buf_puts(&s.body, cases[i].put);
		buf_puts(&s.body, at + strlen(cases[i].find));
		rc = s.kind->check(&c, &s, &pub, &chain, &e);
		if (cases[i].code ? rc != -1 || (int)e.code != cases[i].code || !strstr(e.msg, cases[i].text) : rc)
			test_fail(__FILE__, __LINE__, "case %zu: rc %d code %d '%s'", i, rc, e.code, e.msg);
		buf_free(&s.body);
	}
}

TEST(bundle_does_not_satisfy_a_policy_with_an_identity)
{
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 }, policy = { 0 };
	AUTO_RUN r = { .ref = ":v1", .ignore_tlog = true };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	make_layout(&m);
	make_image(&m, "v1");
	make_bundle(&m, &m.manifest, &m.manifest, &key, HASH_SHA256, NULL);
	make_index(&m);
	make_public(&path, &m, &key, "key.pub");
	buf_printf(&policy, "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"," EXACT "}]}", buf_cstr(&path));
	r.policy = buf_cstr(&policy);
	wants(&m, &r, EC_REFUSED, "carries no image name");
}

/* ---- policies over signatures ---------------------------------------------------------------------------------------- */

TEST(policy_decides_over_signed_images)
{
	static const struct {
		const char *text;	/* %s: path of the key */
		int code;
		const char *why;
	} cases[] = {
		{ "{\"default\":[{\"type\":\"reject\"}]}", EC_REFUSED, "rejects" },
		{ "{\"default\":[]}", EC_REFUSED, "empty list" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"," EXACT "}]}", 0, NULL },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"%s\"]," EXACT "}]}", 0, NULL },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"file://%s\"," EXACT "}]}", 0, NULL },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"}]}", EC_REFUSED, "an image on disk has none" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\",\"signedIdentity\":{\"type\":\"matchRepository\"}}]}", EC_REFUSED, "has none" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\",\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"a.io/b\"}}]}", EC_REFUSED, "wants 'a.io/b'" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\",\"signedIdentity\":{\"type\":\"exactReference\",\"dockerReference\":\"" NAME ":v1\"}}]}", EC_REFUSED, "exactReference" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"," EXACT "},{\"type\":\"reject\"}]}", EC_REFUSED, "rejects" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/nowhere\"," EXACT "}]}", EC_IO, "/nowhere" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"%s\",\"/nowhere\"]," EXACT "}]}", EC_IO, "/nowhere" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"key.pub\"," EXACT "}]}", EC_FORMAT, "absolute" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"-\"," EXACT "}]}", EC_FORMAT, "absolute" },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\",\"rekorPublicKeyPath\":\"/r\"," EXACT "}]}", EC_ABSENT, "rekorPublicKeyPath" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"%s\"}]}", EC_ABSENT, "signedBy" },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci\":{\"\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"," EXACT "}]}}}", 0, NULL },
		{ "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci-archive\":{\"\":[{\"type\":\"insecureAcceptAnything\"}]}}}", EC_REFUSED, "rejects" },
		{ "{\"default\":[{\"type\":\"insecureAcceptAnything\"}],\"transports\":{\"oci\":{\"\":[{\"type\":\"reject\"}]}}}", EC_REFUSED, "rejects" },
	};
	AUTO_PRIVKEY key = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	signed_image(&m, &path, &key, SIG_ECDSA_DER);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_BUF text = { 0 };
		AUTO_RUN r = { .ref = ":v1" };

		buf_printf(&text, cases[i].text, buf_cstr(&path));
		r.policy = buf_cstr(&text);
		wants(&m, &r, cases[i].code, cases[i].why);
		if (!cases[i].code)
			OK(!verified_image_unsigned(r.v));
	}
}

TEST(policy_key_data_is_base64_of_a_pem_file)
{
	static const char form[] = "{\"default\":[{\"type\":\"sigstoreSigned\",\"%s\":%s%s%s," EXACT "}]}";
	AUTO_PRIVKEY key = { 0 }, other = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 }, wrong = { 0 }, pem = { 0 }, b64 = { 0 }, b64_other = { 0 }, text = { 0 }, escaped = { 0 };
	AUTO_RUN r = { .ref = ":v1" };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&other, KEY_EC_P256, 0, &e));
	signed_image(&m, &path, &key, SIG_ECDSA_DER);
	make_public(&wrong, &m, &other, "other.pub");
	load(&pem, buf_cstr(&path));
	b64_encode(&b64, buf_view(&pem));
	for (size_t i = 0; i < pem.n; i++)
		buf_printf(&escaped, pem.p[i] == '\n' ? "\\n" : "%c", pem.p[i]);
	buf_reset(&pem);
	load(&pem, buf_cstr(&wrong));
	b64_encode(&b64_other, buf_view(&pem));
	buf_printf(&text, form, "keyData", "\"", buf_cstr(&b64), "\"");
	r.policy = buf_cstr(&text);
	wants(&m, &r, 0, NULL);
	OK(!r.out.warned);
	buf_reset(&text);
	buf_printf(&text, form, "keyData", "\"", buf_cstr(&b64_other), "\"");
	r.policy = buf_cstr(&text);
	wants(&m, &r, EC_REFUSED, "not by this key");
	buf_reset(&text);
	buf_printf(&text, "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyDatas\":[\"%s\",\"%s\"]," EXACT "}]}", buf_cstr(&b64_other),
		   buf_cstr(&b64));
	r.policy = buf_cstr(&text);
	wants(&m, &r, 0, NULL);
	buf_reset(&text);
	buf_printf(&text, form, "keyData", "\"", buf_cstr(&escaped), "\"");
	r.policy = buf_cstr(&text);
	wants(&m, &r, 0, NULL);
	OK(r.out.warned);		/* image-rs's form */
	buf_reset(&text);
	buf_printf(&text, form, "keyData", "\"", "bm9uc2Vuc2U=", "\"");
	r.policy = buf_cstr(&text);
	wants(&m, &r, EC_FORMAT, "public key 'keyData'");
	buf_reset(&text);
	buf_printf(&text, form, "keyData", "\"", "not base64", "\"");
	r.policy = buf_cstr(&text);
	wants(&m, &r, EC_FORMAT, "keyData");
}

TEST(policy_scopes_are_paths_without_symlinks)
{
	AUTO_MADE m, link;
	AUTO_RUN r = { .ref = ":v1" };
	AUTO_BUF text = { 0 };
	char real[4096];

	make_layout(&m);
	make_image(&m, "v1");
	make_index(&m);
	link = (struct made){ .manifest_size = 0 };
	snprintf(link.dir, sizeof link.dir, "%.500s.link", m.dir);
	OK(!symlink(m.dir, link.dir));
	OK(realpath(m.dir, real));
	buf_printf(&text, "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci\":{\"%s\":[{\"type\":"
		   "\"insecureAcceptAnything\"}]}}}", real);
	r.policy = buf_cstr(&text);
	wants(&m, &r, 0, NULL);
	r.policy = buf_cstr(&text);
	wants(&link, &r, 0, NULL);
	buf_reset(&text);
	buf_printf(&text, "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci\":{\"%s\":[{\"type\":"
		   "\"insecureAcceptAnything\"}]}}}", link.dir);
	r.policy = buf_cstr(&text);
	wants(&link, &r, EC_REFUSED, "rejects");
}

TEST(policy_and_key_both_have_to_hold)
{
	AUTO_PRIVKEY key = { 0 }, other = { 0 };
	AUTO_MADE m;
	AUTO_BUF path = { 0 }, wrong = { 0 };
	AUTO_RUN r = { .ref = ":v1", .policy = "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}" };

	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&other, KEY_EC_P256, 0, &e));
	signed_image(&m, &path, &key, SIG_ECDSA_DER);
	make_public(&wrong, &m, &other, "other.pub");
	r.key = buf_cstr(&wrong);
	wants(&m, &r, EC_REFUSED, "none of 1");
	r.key = buf_cstr(&path);
	wants(&m, &r, 0, NULL);
	r.policy = "{\"default\":[{\"type\":\"reject\"}]}";
	wants(&m, &r, EC_REFUSED, "rejects");
	r.policy = "{\"default\":[{\"type\":\"insecureAcceptAnything\"}],\"x\":1}";
	wants(&m, &r, EC_FORMAT, "policy is not valid");
}

/* ---- vectors: what cosign wrote ---------------------------------------------------------------------------------------- */

/* containers/image's dir: form of one signature: NUL, "sigstore-json", newline, JSON. */
static int check_vector(const char *dir, const char *file, const char *key_file, const char *repository, struct err *e)
{
	AUTO_BUF raw = { 0 }, pem = { 0 }, manifest = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_PUBKEY key = { 0 };
	AUTO_CLAIM c = { .name = NULL };
	struct chain chain = { .n = 1 };
	struct signature s = { .kind = &sig_kind_cosign };
	char path[256], rule[128];
	const struct identity id = { EXACT_REPOSITORY, rule, NULL };
	int rc;

	snprintf(rule, sizeof rule, "%s", repository);
	snprintf(path, sizeof path, "images/cosign/%s/%s", dir, file);
	load_vec(&raw, path);
	snprintf(path, sizeof path, "images/cosign/%s/manifest.json", dir);
	load_vec(&manifest, path);
	snprintf(path, sizeof path, "images/cosign/%s", key_file);
	load_vec(&pem, path);
	OK(raw.n > 15);
	WORKS(json_parse(&j, slice_of(raw.p + 15, raw.n - 15), 1 << 20, &e));
	WORKS(json_need_b64(&s.body, j, "payload", "it", &e));
	WORKS(json_need_b64(&s.sig, json_get(j, "annotations"), "dev.cosignproject.cosign/signature", "it", &e));
	WORKS(pubkey_parse(&key, buf_view(&pem), &e));
	WORKS(digest_of(&chain.v[0].digest, HASH_SHA256, buf_view(&manifest), &e));
	rc = s.kind->check(&c, &s, &key, &chain, e);
	if (!rc)
		rc = identity_check(&id, NULL, c.name, e);
	buf_free(&s.body);
	buf_free(&s.sig);
	return rc;
}

TEST(cosign_vectors)
{
	static const char repo[] = "192.168.64.2:5000/cosign-signed-single-sample";

	NEED_VECTORS;
	WORKS(check_vector("dir-img-cosign-valid", "signature-1", "cosign.pub", repo, &e));
	FAILS(check_vector("dir-img-cosign-valid", "signature-1", "cosign2.pub", repo, &e), EC_REFUSED);
	FAILS(check_vector("dir-img-cosign-valid", "signature-1", "cosign.pub", "192.168.64.2:5000/other", &e), EC_REFUSED);
	FAILS(check_vector("dir-img-cosign-modified-manifest", "signature-1", "cosign.pub", repo, &e), EC_REFUSED);
	FAILS(check_vector("dir-img-cosign-mixed", "signature-1", "cosign.pub", repo, &e), EC_REFUSED);
	WORKS(check_vector("dir-img-cosign-mixed", "signature-2", "cosign.pub", repo, &e));
}
