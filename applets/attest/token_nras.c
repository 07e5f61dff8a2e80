/* SPDX-License-Identifier: Apache-2.0 */
/* attest token verify, for what NVIDIA's remote attestation service answers */

#include "attest/policy_int.h"
#include "base/early.h"
#include "codec/out.h"
#include "gpu/nras.h"
#include "token.h"
#include "verbs.h"

static int load_set(struct json **ret, struct slice keys, struct err *e)
{
	const struct slice text = slice_trim(keys);

	if (text.n && text.p[0] == '{')
		return json_parse(ret, text, NRAS_MAX, e) ? err_ctx(e, "the keys") : 0;
	err_set(e, EC_USAGE, "tokens of NVIDIA's service name their keys: --keys wants a JWK set");
	return err_hint(e, "the service publishes it as /.well-known/jwks.json");
}

/* What is in tokens is told once their signatures hold, also where they are refused for what they say. */
static bool is_signed(const struct json *checks)
{
	for (const struct json *c = json_first(checks); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), "nras.signature"))
			return !strcmp(json_string(json_get(c, "result")), "pass");
	return false;
}

static int judge(const struct ctx *cx, struct nras *t, const struct expect *x, const struct policy *policy, const char *file, struct err *e)
{
	AUTO_JSON *list = json_array();
	AUTO_BUF reason = { 0 };
	struct tally tally = { .list = list };
	const bool holds = checks_run(&tally, nras_checks, n_nras_checks, t, x, policy_rule, policy);

	buf_move(&reason, &tally.reason);
	out_checks(cx->out, list);
	if (is_signed(list) && nras_claims(json_add_object(cx->out->claims, "nras"), t, e))
		return -1;
	if (!holds) {
		out_verdict(cx->out, "refused");
		return err_set(e, EC_REFUSED, "token '%s' is refused: %s", file, buf_cstr(&reason));
	}
	out_verdict(cx->out, tally.warned ? "accepted, with warnings" : "accepted");
	return 0;
}

int token_verify_nras(const struct ctx *cx, const char *file, struct slice text, struct slice keys, const struct token_expect *a,
		      struct err *e)
{
	AUTO_BUF nonce = { 0 };
	AUTO_JSON *set = NULL;
	AUTO_POLICY *policy = NULL;
	AUTO_NRAS t = { 0 };
	struct expect x;

	if (nonce_get(&nonce, a->nonce, a->nonce_file, e) || load_set(&set, keys, e) || (a->policy && policy_read(&policy, a->policy, e)))
		return -1;
	if (nras_parse(&t, text, e))
		return err_ctx(e, "cannot read token '%s'", file);
	t.keys = set;
	t.issuer = a->issuer;
	t.nonce = buf_view(&nonce);
	x = (struct expect){ .limits = policy_limits(policy), .now = host_now_bounded(cx->host), .no_freshness = a->no_nonce };
	return judge(cx, &t, &x, policy, file, e);
}
