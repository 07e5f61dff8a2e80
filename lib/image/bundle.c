/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore bundles v0.3 with a plain public key (images.md 3.4): what cosign 3 attaches to images.  The signature is a DSSE envelope around an
 * in-toto statement about the manifest digest.  It names no repository, and log entries and time stamps in it are not looked at:
 * nothing is concluded from them. */

#include "codec/hex64.h"
#include "image/signature.h"

enum { SUBJECTS_MAX = 1024 };
#define PAYLOAD_TYPE "application/vnd.in-toto+json"
#define PREDICATE "https://sigstore.dev/cosign/sign/v1"

/* Image signatures are statements of exactly this kind; a provenance or an SBOM about the image says nothing about its acceptance. */
static int check_kind(const struct json *j, struct err *e)
{
	const char *type, *predicate;

	if (json_need_str(&type, j, "_type", "the statement", e) || json_need_str(&predicate, j, "predicateType", "the statement", e))
		return -1;
	if (strcmp(type, "https://in-toto.io/Statement/v1") && strcmp(type, "https://in-toto.io/Statement/v0.1"))
		return err_set(e, EC_FORMAT, "statement has type '%s'", type);
	if (strcmp(predicate, PREDICATE))
		return err_set(e, EC_REFUSED, "statement is a '%s', not a signature of an image ('%s')", predicate, PREDICATE);
	return 0;
}

int bundle_statement_parse(struct claim *ret, struct slice payload, const struct chain *c, struct err *e)
{
	AUTO_JSON *j = NULL;
	const struct json *subjects;
	size_t n;

	if (json_parse(&j, payload, SIG_PAYLOAD_MAX, e))
		return err_ctx(e, "statement");
	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "the statement is not an object");
	if (check_kind(j, e) || json_need_arr(&subjects, j, "subject", "the statement", e))
		return -1;
	n = json_count(subjects);
	if (!n || n > SUBJECTS_MAX)
		return err_set(e, EC_FORMAT, "statement has %zu subjects", n);
	for (const struct json *s = json_first(subjects); s; s = json_next(s)) {
		const char *hex = json_string(json_path(s, "/digest/sha256"));
		char text[80];
		struct digest d;

		snprintf(text, sizeof text, "sha256:%.70s", hex ? hex : "");
		if (digest_parse(&d, text, NULL) || !chain_has(c, &d))
			continue;
		claim_free(ret);
		*ret = (struct claim){ .image = d };
		return 0;
	}
	return err_set(e, EC_REFUSED, "it is a good signature of another image");
}

/* DSSE v1 pre-authentication encoding. */
static void pae(struct buf *ret, const char *type, struct slice payload)
{
	buf_printf(ret, "DSSEv1 %zu %s %zu ", strlen(type), type, payload.n);
	buf_slice(ret, payload);
}

struct envelope {
	struct buf payload, sig, signed_bytes;
};
#define AUTO_ENVELOPE __attribute__((cleanup(envelope_free))) struct envelope

static void envelope_free(struct envelope *v)
{
	buf_free(&v->payload);
	buf_free(&v->sig);
	buf_free(&v->signed_bytes);
}

/* protobuf's JSON mapping: bytes in either base64. */
static int need_bytes(struct buf *ret, const struct json *obj, const char *name, const char *what, struct err *e)
{
	const char *text;

	if (json_need_str(&text, obj, name, what, e))
		return -1;
	if (b64_decode_lax(ret, slice_str(text), e))
		return err_ctx(e, "member '%s' of %s", name, what);
	return ret->n ? 0 : err_set(e, EC_FORMAT, "member '%s' of %s is empty", name, what);
}

static int check_material(const struct json *j, struct err *e)
{
	static const char *const names[] = { "publicKey", "tlogEntries", "timestampVerificationData", NULL };

	if (json_get(j, "certificate") || json_get(j, "x509CertificateChain"))
		return err_set(e, EC_REFUSED, "the bundle was signed with a certificate, not with a plain key");
	if (json_only(j, names, "verificationMaterial", e))
		return -1;
	return json_is_object(json_get(j, "publicKey")) ? 0 : err_set(e, EC_FORMAT, "the bundle has no publicKey");
}

static int parse_envelope(struct envelope *ret, const struct json *j, struct err *e)
{
	static const char *const names[] = { "payload", "payloadType", "signatures", NULL }, *const sig_names[] = { "sig", "keyid", NULL };
	const struct json *sigs;
	const char *type;

	if (json_only(j, names, "dsseEnvelope", e) || json_need_str(&type, j, "payloadType", "dsseEnvelope", e) ||
	    need_bytes(&ret->payload, j, "payload", "dsseEnvelope", e) || json_need_arr(&sigs, j, "signatures", "dsseEnvelope", e))
		return -1;
	if (strcmp(type, PAYLOAD_TYPE))
		return err_set(e, EC_REFUSED, "envelope holds '%s', wanted '%s'", type, PAYLOAD_TYPE);
	if (json_count(sigs) != 1)
		return err_set(e, EC_REFUSED, "envelope has %zu signatures, wanted exactly one", json_count(sigs));
	if (json_only(json_first(sigs), sig_names, "a signature", e) || need_bytes(&ret->sig, json_first(sigs), "sig", "a signature", e))
		return -1;
	pae(&ret->signed_bytes, type, buf_view(&ret->payload));
	return buf_check(&ret->signed_bytes, e);
}

static int parse_bundle(struct envelope *ret, struct slice text, struct err *e)
{
	static const char *const names[] = { "mediaType", "verificationMaterial", "dsseEnvelope", NULL };
	AUTO_JSON *j = NULL;
	const struct json *material, *envelope;
	const char *type;

	if (json_parse(&j, text, SIG_PAYLOAD_MAX, e))
		return err_ctx(e, "bundle");
	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "the bundle is not an object");
	if (json_get(j, "messageSignature"))
		return err_set(e, EC_REFUSED, "the bundle signs a file, not an image");
	if (json_only(j, names, "the bundle", e) || json_need_str(&type, j, "mediaType", "the bundle", e))
		return -1;
	if (strcmp(type, MT_BUNDLE_V03) && strcmp(type, "application/vnd.dev.sigstore.bundle+json;version=0.3"))
		return err_set(e, EC_FORMAT, "bundle has media type '%s', wanted version 0.3", type);
	if (json_need_obj(&material, j, "verificationMaterial", "the bundle", e) || check_material(material, e) ||
	    json_need_obj(&envelope, j, "dsseEnvelope", "the bundle", e))
		return -1;
	return parse_envelope(ret, envelope, e);
}

/* The hash belongs to the curve; writers before that rule used SHA-256 throughout (images.md 3.2). */
static int verify(const struct pubkey *key, const struct envelope *v, struct err *e)
{
	const enum hash own = key->type == KEY_EC_P384 ? HASH_SHA384 : key->type == KEY_EC_P521 ? HASH_SHA512 : HASH_SHA256;
	const enum sig_form form = key->type == KEY_RSA ? SIG_RSA_PKCS1 : SIG_ECDSA_DER;
	const struct slice text = buf_view(&v->signed_bytes), sig = buf_view(&v->sig);

	if (own != HASH_SHA256 && !sig_verify_msg(key, form, own, text, sig, NULL))
		return 0;
	return sig_verify_msg(key, form, HASH_SHA256, text, sig, e) ? err_ctx(e, "it is not by this key") : 0;
}

static int check(struct claim *ret, const struct signature *s, const struct pubkey *key, const struct chain *c, struct err *e)
{
	AUTO_ENVELOPE v = { 0 };

	if (parse_bundle(&v, buf_view(&s->body), e) || verify(key, &v, e))
		return -1;
	return bundle_statement_parse(ret, buf_view(&v.payload), c, e);
}

const struct sig_kind sig_kind_bundle = {
	.name = "sigstore-bundle", .describe = "sigstore bundle", .names_image = false, .check = check
};
