/* SPDX-License-Identifier: Apache-2.0 */
/* cosign's first signature format (cosign specs/SIGNATURE_SPEC.md, images.md 3.1 and 3.2): a small JSON payload that names an image and its
 * manifest digest, and a signature over its bytes. */

#include "image/signature.h"

/* Exactly the given members, no others, none missing. */
static int exactly(const struct json *obj, const char *const *names, const char *what, struct err *e)
{
	if (!json_is_object(obj))
		return err_set(e, EC_FORMAT, "%s of the signed payload is not an object", what);
	if (json_only(obj, names, what, e))
		return -1;
	for (; *names; names++)
		if (!json_get(obj, *names))
			return err_set(e, EC_FORMAT, "%s of the signed payload has no '%s'", what, *names);
	return 0;
}

static int check_optional(const struct json *optional, struct err *e)
{
	const struct json *creator = json_get(optional, "creator"), *time = json_get(optional, "timestamp");
	int64_t t;

	if (optional && !json_is_null(optional) && !json_is_object(optional))
		return err_set(e, EC_FORMAT, "'optional' of the signed payload is neither an object nor null");
	if ((creator && !json_is_string(creator)) || (time && !json_i64(time, &t)))
		return err_set(e, EC_FORMAT, "'creator' or 'timestamp' of the signed payload has a wrong type");
	return 0;
}

int cosign_payload_parse(struct claim *ret, struct slice payload, struct err *e)
{
	static const char *const top[] = { "critical", "optional", NULL }, *const critical[] = { "type", "image", "identity", NULL };
	static const char *const image[] = { "docker-manifest-digest", NULL }, *const identity[] = { "docker-reference", NULL };
	AUTO_JSON *j = NULL;
	AUTO_CLAIM c = { .name = NULL };
	const struct json *crit;
	const char *type, *digest, *name;

	if (json_parse(&j, payload, SIG_PAYLOAD_MAX, e))
		return err_ctx(e, "signed payload");
	crit = json_get(j, "critical");
	if (!json_is_object(j) || json_only(j, top, "the signed payload", e))
		return json_is_object(j) ? -1 : err_set(e, EC_FORMAT, "the signed payload is not an object");
	if (exactly(crit, critical, "'critical'", e) || exactly(json_get(crit, "image"), image, "'image'", e) ||
	    exactly(json_get(crit, "identity"), identity, "'identity'", e) || check_optional(json_get(j, "optional"), e) ||
	    json_need_str(&type, crit, "type", "the signed payload", e) ||
	    json_need_str(&digest, json_get(crit, "image"), image[0], "the signed payload", e) ||
	    json_need_str(&name, json_get(crit, "identity"), identity[0], "the signed payload", e))
		return -1;
	if (strcmp(type, "cosign container image signature"))
		return err_set(e, EC_FORMAT, "the signed payload is a '%s', not a 'cosign container image signature'", type);
	if (digest_parse(&c.image, digest, e))
		return err_ctx(e, "signed payload");
	if (!(c.name = str_dup(name, e)))
		return -1;
	claim_free(ret);
	*ret = c;
	c.name = NULL;
	return 0;
}

/* ECDSA with SHA-256 on every curve and RSA PKCS#1 v1.5 with SHA-256: what cosign wrote and containers/image reads. */
static int check(struct claim *ret, const struct signature *s, const struct pubkey *key, const struct chain *c, struct err *e)
{
	const enum sig_form form = key->type == KEY_RSA ? SIG_RSA_PKCS1 : SIG_ECDSA_DER;
	AUTO_CLAIM said = { .name = NULL };

	if (sig_verify_msg(key, form, HASH_SHA256, buf_view(&s->body), buf_view(&s->sig), e))
		return err_ctx(e, "it is not by this key");
	if (cosign_payload_parse(&said, buf_view(&s->body), e))
		return -1;
	if (!chain_has(c, &said.image))
		return err_set(e, EC_REFUSED, "it is a good signature of another image, '%s'", said.image.text);
	claim_free(ret);
	*ret = said;
	said.name = NULL;
	return 0;
}

const struct sig_kind sig_kind_cosign = {
	.name = "cosign", .describe = "cosign signature", .names_image = true, .check = check
};
