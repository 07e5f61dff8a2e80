/* SPDX-License-Identifier: Apache-2.0 */
/* attest token - trade evidence for a token at a broker, or check a token */

#include "base/early.h"
#include "attest/ear.h"
#include "broker/rcar.h"
#include "codec/out.h"
#include "crypto/jose.h"
#include "token.h"
#include "verbs.h"

#define TOKEN_MAX ((size_t)1 << 20)

struct token_args {
	struct key_env kbs;
	const char *output, *keys;
	struct token_expect nras;
	bool force, allow_warning;
};
#define args token_args
static const struct opt token_opts[] = {
	KEY_OPTS(kbs),
	OPT_STR('o', "output", output, "DST", "token file for --token of other commands: the token and its key pair, mode 0600"),
	OPT_FLAG('f', "force", force, "overwrite an existing token file"),
	OPT_STR(0, "keys", keys, "FILE", "token verify: keys that may have signed it, a JWK set or PEM"),
	OPT_STR('n', "nonce", nras.nonce, "HEX", "token verify, of NVIDIA's service: the nonce that it has to answer"),
	OPT_STR(0, "nonce-file", nras.nonce_file, "FILE", "file with the nonce, hex text or bytes"),
	OPT_STR(0, "issuer", nras.issuer, "URL", "token verify, of NVIDIA's service: who has to have issued it (default: https://nras.attestation.nvidia.com)"),
	OPT_STR('p', "policy", nras.policy, "FILE", "token verify, of NVIDIA's service: claims that are wanted, ours or the SDK's form (default: its own overall result)"),
	OPT_INSECURE("insecure-no-nonce", nras.no_nonce, "token verify, of NVIDIA's service: go without a nonce: the token may be an old one"),
	OPT_INSECURE("allow-warning", allow_warning, "token verify: take submods with status 'warning' too (sample evidence has it)"),
	OPT_END
};
#undef args

static int get_token(const struct ctx *cx, struct err *e)
{
	const struct token_args *a = cx->args;
	struct rcar *r = NULL;
	AUTO_SECRET file = { 0 };
	int rc;

	if (cx->json && !a->output)
		return err_set(e, EC_USAGE, "with --json the token needs a file: -o DST");
	if (rcar_attest(&r, cx->host, &a->kbs, e))
		return -1;
	if (a->output)
		rc = rcar_token_file(&file, r, e) || key_put(&file, cx->host, a->output, a->force, e) ? -1 : 0;
	else
		rc = rcar_token(&cx->out->data, r, e);
	rcar_free(r);
	if (rc || !a->output) {
		buf_byte(&cx->out->data, '\n');
		return rc;
	}
	json_add_str(cx->out->claims, "output", a->output);
	out_verdict(cx->out, "attested");
	return 0;
}

/* One key after another: a JWK set names several.  A kid in the token picks among those that have one. */
static int verify_by_set(const struct jws *j, const struct json *set, struct err *e)
{
	const struct json *keys = json_get(set, "keys") ? json_get(set, "keys") : NULL;
	const char *kid = json_string(json_get(j->header, "kid"));
	const struct json *k = keys ? json_first(keys) : set;

	err_set(e, EC_REFUSED, "no key of the set fits the token");
	for (; k; k = keys ? json_next(k) : NULL) {
		AUTO_PUBKEY pk = { 0 };
		const char *id = json_string(json_get(k, "kid"));

		if (kid && id && strcmp(kid, id))
			continue;
		if (!jwk_parse(&pk, k, e) && !jws_verify(j, &pk, e))
			return 0;
	}
	e->code = EC_REFUSED;
	return -1;
}

static int verify_by_pem(const struct jws *j, struct slice pem, struct err *e)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_CERTS certs = { 0 };
	struct err no = { 0 };

	if (!certs_parse(&certs, pem, &no)) {
		if (cert_public(&k, &certs.v[0], e))
			return -1;
	} else if (pubkey_parse(&k, pem, e)) {
		return -1;
	}
	return jws_verify(j, &k, e);
}

static int load_keys(struct buf *ret, const char *file, struct err *e)
{
	if (!file) {
		err_set(e, EC_USAGE, "--keys FILE is missing: a token's own header is no reason to trust it");
		return err_hint(e, "'cvmbox kbs token-key' prints the keys of a broker");
	}
	return file_read(ret, file, (size_t)1 << 20, e) ? err_ctx(e, "cannot read the keys") : 0;
}

static int verify_signature(const struct jws *j, const struct buf *keys, struct err *e)
{
	const struct slice text = slice_trim(buf_view(keys));
	AUTO_JSON *set = NULL;

	if (text.n == 0 || text.p[0] != '{')
		return verify_by_pem(j, buf_view(keys), e);
	return json_parse(&set, text, (size_t)1 << 20, e) ? err_ctx(e, "the keys") : verify_by_set(j, set, e);
}

/* A bare JWT, or a file {"token",..} as `attest token -o` and the broker write it. */
static int token_text(struct buf *ret, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;

	if (text.n && text.p[0] == '{') {
		const char *t;

		if (json_parse(&j, text, TOKEN_MAX, e) || json_need_str(&t, j, "token", "the token file", e))
			return -1;
		text = slice_str(t);
	}
	buf_slice(ret, text);
	return buf_check(ret, e);
}

static int verify_ear(const struct ctx *cx, const char *file, struct slice raw, const struct buf *keys, struct err *e)
{
	const struct token_args *a = cx->args;
	AUTO_BUF text = { 0 };
	AUTO_JWS j = { 0 };

	if (a->nras.nonce || a->nras.nonce_file || a->nras.issuer || a->nras.policy || a->nras.no_nonce)
		return err_set(e, EC_USAGE, "--nonce, --issuer and --policy are for tokens of NVIDIA's service, and '%s' is none", file);
	if (token_text(&text, raw, e) || jws_parse(&j, buf_view(&text), e))
		return err_ctx(e, "cannot read token '%s'", file);
	if (verify_signature(&j, keys, e)) {
		out_check(cx->out, "token.signature", CHECK_FAIL, "made by one of the given keys", e->msg, a->keys, NULL);
		out_verdict(cx->out, "refused");
		return err_ctx(e, "token '%s'", file);
	}
	out_check(cx->out, "token.signature", CHECK_PASS, "made by one of the given keys", j.alg, a->keys, NULL);
	if (j.payload)
		json_add_copy(cx->out->claims, "payload", j.payload);
	if (ear_check(j.payload, host_now_bounded(cx->host), a->allow_warning, e)) {
		out_check(cx->out, "token.claims", CHECK_FAIL, "in time, every submod affirming", e->msg, NULL, NULL);
		out_verdict(cx->out, "refused");
		return err_ctx(e, "token '%s'", file);
	}
	out_check(cx->out, "token.claims", CHECK_PASS, "in time, every submod affirming", "holds", NULL, NULL);
	out_verdict(cx->out, "accepted");
	return 0;
}

/* Told by its first byte: a JSON array is a bundle of NVIDIA's service, all else a token of a broker. */
static int verify_token(const struct ctx *cx, const char *file, struct err *e)
{
	const struct token_args *a = cx->args;
	AUTO_BUF raw = { 0 }, keys = { 0 };
	struct slice text;
	int rc;

	if (load_keys(&keys, a->keys, e) || read_input(&raw, file, TOKEN_MAX, e))
		return -1;
	text = slice_trim(buf_view(&raw));
	if (text.n == 0 || text.p[0] != '[')
		rc = verify_ear(cx, file, text, &keys, e);
	else if (a->allow_warning)
		rc = err_set(e, EC_USAGE, "--allow-warning is for tokens of a broker, and '%s' is one of NVIDIA's service", file);
	else
		rc = token_verify_nras(cx, file, text, buf_view(&keys), &a->nras, e);
	mem_wipe(raw.p, raw.n);	/* a token file has a private key beside the token */
	return rc;
}

static int run_token(const struct ctx *cx, struct err *e)
{
	if (cx->argc == 0)
		return get_token(cx, e);
	if (cx->argc != 2 || strcmp(cx->argv[0], "verify")) {
		err_set(e, EC_USAGE, "wanted: token [verify FILE]");
		return err_hint(e, "see cvmbox attest token --help");
	}
	return verify_token(cx, cx->argv[1], e);
}

const struct verb verb_token = {
	.name = "token", .summary = "attest to a key broker and keep its token; check a token",
	.operands = "[--kbs URL] [-o DST] | verify FILE --keys KEYS [--nonce HEX]", .opts = token_opts,
	.args_size = sizeof(struct token_args), .max_operands = 2, .releases_secrets = true, .run = run_token,
};
