/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Signatures, compact form.  The header's word about the algorithm is only ever compared with what the key
 * can do: a key has one type, and an algorithm of another type is refused before any arithmetic (RFC 8725 3.1). */

#include "codec/hex64.h"
#include "crypto/jose.h"

#define JWS_MAX ((size_t)4 << 20)

static const struct alg {
	const char *name;
	enum key_type type;
	enum sig_form form;
	enum hash hash;
} algs[] = {		/* the first row of a key type is what jws_sign takes */
	{ "ES256", KEY_EC_P256, SIG_ECDSA_RAW, HASH_SHA256 },
	{ "ES384", KEY_EC_P384, SIG_ECDSA_RAW, HASH_SHA384 },
	{ "PS256", KEY_RSA, SIG_RSA_PSS, HASH_SHA256 },
	{ "RS256", KEY_RSA, SIG_RSA_PKCS1, HASH_SHA256 },
};
#define N_ALGS (sizeof algs / sizeof algs[0])

void jws_free(struct jws *j)
{
	json_free(j->header);
	json_free(j->payload);
	buf_free(&j->payload_raw);
	buf_free(&j->sig);
	*j = (struct jws){ 0 };
}

static bool cut(struct slice *head, struct slice *tail, struct slice s)
{
	const uint8_t *dot = s.n ? memchr(s.p, '.', s.n) : NULL;

	if (!dot)
		return false;
	*head = slice_of(s.p, (size_t)(dot - s.p));
	*tail = slice_of(dot + 1, s.n - head->n - 1);
	return true;
}

static int parse_header(struct jws *j, struct slice text, struct err *e)
{
	AUTO_BUF raw = { 0 };

	if (b64url_decode(&raw, text, e) || json_parse(&j->header, buf_view(&raw), JWS_MAX, e) ||
	    json_need_str(&j->alg, j->header, "alg", "JWS header", e))
		return -1;
	/* RFC 7515 4.1.11: a recipient that does not know the extension must refuse.  We know none. */
	if (json_get(j->header, "crit"))
		return err_set(e, EC_FORMAT, "JWS header has critical extensions (crit), and none is supported");
	return 0;
}

int jws_parse(struct jws *ret, struct slice text, struct err *e)
{
	struct slice header, rest, payload, sig;
	AUTO_JWS j = { 0 };

	if (text.n > JWS_MAX)
		return err_set(e, EC_FORMAT, "token is %zu bytes, more than %zu", text.n, JWS_MAX);
	if (!cut(&header, &rest, text) || !cut(&payload, &sig, rest) || (sig.n && memchr(sig.p, '.', sig.n)))
		return err_set(e, EC_FORMAT, "token has not the form header.payload.signature");
	if (parse_header(&j, header, e))
		return err_ctx(e, "cannot read token header");
	if (b64url_decode(&j.payload_raw, payload, e))
		return err_ctx(e, "cannot read token payload");
	if (b64url_decode(&j.sig, sig, e))
		return err_ctx(e, "cannot read token signature");
	j.signed_part = slice_of(text.p, header.n + 1 + payload.n);
	if (json_parse(&j.payload, buf_view(&j.payload_raw), JWS_MAX, NULL) == 0 && !json_is_object(j.payload)) {
		json_free(j.payload);
		j.payload = NULL;
	}
	jws_free(ret);
	*ret = j;
	j = (struct jws){ 0 };
	return 0;
}

int jws_verify(const struct jws *j, const struct pubkey *k, struct err *e)
{
	const struct alg *a = NULL;

	for (size_t i = 0; j->alg && i < N_ALGS; i++)
		if (!strcmp(j->alg, algs[i].name))
			a = &algs[i];
	if (!a)
		return err_set(e, EC_REFUSED, "token is signed with algorithm '%.32s', wanted ES256, ES384, PS256 or RS256",
			       j->alg ? j->alg : "");
	if (a->type != k->type)
		return err_set(e, EC_REFUSED, "token says %s, but the key is %s", a->name, key_type_name(k->type));
	if (sig_verify_msg(k, a->form, a->hash, j->signed_part, buf_view(&j->sig), e))
		return err_ctx(e, "token (%s)", a->name);
	return 0;
}

static int header_text(struct buf *ret, const char *alg, const struct json *extra, struct err *e)
{
	AUTO_JSON *h = json_object();

	json_add_str(h, "alg", alg);
	for (const struct json *m = json_first(extra); m; m = json_next(m)) {
		if (!strcmp(json_name(m), "alg"))
			return err_set(e, EC_BUG, "JWS header would have 'alg' twice");
		json_add_copy(h, json_name(m), m);
	}
	return json_write(ret, h, false, e);
}

int jws_sign(struct buf *ret, const struct privkey *k, const struct json *extra, struct slice payload, struct err *e)
{
	AUTO_BUF header = { 0 }, token = { 0 }, sig = { 0 };
	size_t i = 0;

	while (i < N_ALGS && algs[i].type != k->type)
		i++;
	if (i == N_ALGS)
		return err_set(e, EC_USAGE, "a key of type %s cannot sign tokens, wanted EC P-256, EC P-384 or RSA",
			       key_type_name(k->type));
	if (extra && !json_is_object(extra))
		return err_set(e, EC_BUG, "extra header of a JWS is not an object");
	if (header_text(&header, algs[i].name, extra, e))
		return -1;
	b64url_encode(&token, buf_view(&header));
	buf_byte(&token, '.');
	b64url_encode(&token, payload);
	if (buf_check(&token, e) || sig_sign(&sig, k, algs[i].form, algs[i].hash, buf_view(&token), e))
		return -1;
	buf_byte(&token, '.');
	b64url_encode(&token, buf_view(&sig));
	if (buf_check(&token, e))
		return -1;
	buf_slice(ret, buf_view(&token));
	return buf_check(ret, e);
}
