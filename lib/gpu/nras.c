/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of NVIDIA's remote attestation service: reading, and the checks in the order of nvidia-gpu.md 4.2. */

#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/jose.h"
#include "crypto/x509.h"
#include "gpu/nras.h"

#define SKEW 60			/* seconds */
#define WANTED_ALG "ES384"

/* --- reading (4.2) ----------------------------------------------------------------------------------------- */

void nras_free(struct nras *t)
{
	for (size_t i = 0; i < t->n; i++) {
		json_free(t->v[i].header);
		json_free(t->v[i].claims);
	}
	json_free(t->header);
	json_free(t->claims);
	json_free(t->doc);
	*t = (struct nras){ 0 };
}

bool nras_recognise(const struct json *j)
{
	const struct json *pair = json_at(j, 0);
	const char *word = json_string(json_at(pair, 0));

	return json_is_array(j) && json_count(j) == 2 && json_count(pair) == 2 && word && !strcmp(word, "JWT") &&
	       json_is_string(json_at(pair, 1)) && json_is_object(json_at(j, 1));
}

static int take_token(struct slice *text, struct json **header, struct json **claims, const struct json *j, const char *name, struct err *e)
{
	AUTO_JWS w = { 0 };

	if (!json_is_string(j))
		return err_set(e, EC_FORMAT, "token of '%s' is no text", name);
	if (jws_parse(&w, slice_str(json_string(j)), e))
		return err_ctx(e, "token of '%s'", name);
	if (!w.payload)
		return err_set(e, EC_FORMAT, "token of '%s' has no JSON object as claims", name);
	*text = slice_str(json_string(j));
	*header = w.header;
	*claims = w.payload;
	w.header = w.payload = NULL;
	return 0;
}

/* Names stand in texts and as members of our own output. */
static bool name_is_fit(const char *name)
{
	const size_t n = strlen(name);

	return n > 0 && n < sizeof ((struct nras_submod *)0)->name && strcmp(name, "overall") &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static int take_submods(struct nras *t, const struct json *set, struct err *e)
{
	for (const struct json *m = json_first(set); m; m = json_next(m)) {
		struct nras_submod *s = &t->v[t->n];

		if (t->n == NRAS_SUBMODS_MAX)
			return err_set(e, EC_FORMAT, "more than %d device tokens", NRAS_SUBMODS_MAX);
		if (!name_is_fit(json_name(m)))
			return err_set(e, EC_FORMAT, "a device token has the name '%.64s', wanted 1 to %zu of letters, digits, '.', '_' and '-'",
				       json_name(m), sizeof s->name - 1);
		if (take_token(&s->text, &s->header, &s->claims, m, json_name(m), e))
			return -1;
		snprintf(s->name, sizeof s->name, "%s", json_name(m));
		t->n++;
	}
	return t->n ? 0 : err_set(e, EC_FORMAT, "no device token");
}

int nras_parse(struct nras *ret, struct slice text, struct err *e)
{
	AUTO_NRAS t = { 0 };

	if (json_parse(&t.doc, slice_trim(text), NRAS_MAX, e))
		return err_ctx(e, "attestation token of NVIDIA's service");
	if (!nras_recognise(t.doc))
		return err_set(e, EC_FORMAT, "wanted [[\"JWT\", TOKEN], {NAME: TOKEN, ..}], as NVIDIA's service answers");
	if (take_token(&t.overall, &t.header, &t.claims, json_at(json_at(t.doc, 0), 1), "overall", e) ||
	    take_submods(&t, json_at(t.doc, 1), e))
		return -1;
	*ret = t;
	t = (struct nras){ 0 };
	return 0;
}

/* --- over all tokens ------------------------------------------------------------------------------------------ */

struct token {
	const char *name;
	struct slice text;
	const struct json *header, *claims;
};

static struct token token_at(const struct nras *t, size_t i)	/* 0: the overall one */
{
	if (i == 0)
		return (struct token){ "overall", t->overall, t->header, t->claims };
	return (struct token){ t->v[i - 1].name, t->v[i - 1].text, t->v[i - 1].header, t->v[i - 1].claims };
}

/* Says in why what is wrong with one token; false then. */
typedef bool each_holds(const struct nras *t, const struct token *k, const struct expect *x, struct buf *why);

/* The first token that does not hold is named. */
static enum outcome each(const struct nras *t, const struct expect *x, struct finding *f, each_holds *holds)
{
	for (size_t i = 0; i <= t->n; i++) {
		const struct token k = token_at(t, i);
		AUTO_BUF why = { 0 };

		if (holds(t, &k, x, &why))
			continue;
		buf_printf(&f->actual, "%s: %s", k.name, buf_cstr(&why));
		return FAILED;
	}
	return PASSED;
}

/* --- who signed it --------------------------------------------------------------------------------------------- */

static bool alg_holds(const struct nras *t, const struct token *k, const struct expect *x, struct buf *why)
{
	const char *alg = json_string(json_get(k->header, "alg"));

	(void)t;
	(void)x;
	buf_printf(why, "%.64s", alg ? alg : "(none)");
	return alg && !strcmp(alg, WANTED_ALG);
}

static enum outcome check_alg(void *p, const struct expect *x, struct finding *f)
{
	buf_puts(&f->expected, WANTED_ALG);
	return each(p, x, f, alg_holds);
}

static bool same_key(const struct pubkey *a, const struct pubkey *b, struct err *e)
{
	AUTO_BUF x = { 0 }, y = { 0 };

	return !pubkey_der(&x, a, e) && !pubkey_der(&y, b, e) && slice_eq(buf_view(&x), buf_view(&y));
}

static int key_of_x5c(struct pubkey *ret, const struct json *list, struct err *e)
{
	const char *text = json_string(json_at(list, 0));
	AUTO_BUF der = { .max = (size_t)64 << 10 };
	AUTO_CERTS c = { 0 };

	if (!text)
		return err_set(e, EC_FORMAT, "x5c holds no certificate");
	if (b64_decode(&der, slice_str(text), e) || certs_parse(&c, buf_view(&der), e) || cert_public(ret, c.v, e))
		return err_ctx(e, "x5c");
	return 0;
}

/* A key that says two things about itself is none. */
static int key_of_entry(struct pubkey *ret, const struct json *entry, struct err *e)
{
	const struct json *x5c = json_get(entry, "x5c");
	AUTO_PUBKEY bare = { 0 }, certified = { 0 };

	if (x5c && key_of_x5c(&certified, x5c, e))
		return -1;
	if ((!x5c || json_get(entry, "kty")) && jwk_parse(&bare, entry, e))
		return -1;
	if (bare.ctx && certified.ctx && !same_key(&bare, &certified, e))
		return err_set(e, EC_FORMAT, "members of the key and its certificate (x5c) are two keys");
	*ret = bare.ctx ? bare : certified;
	if (bare.ctx)
		bare = (struct pubkey){ 0 };
	else
		certified = (struct pubkey){ 0 };
	return 0;
}

static int key_of(struct pubkey *ret, const struct nras *t, const struct token *k, struct err *e)
{
	const char *kid = json_string(json_get(k->header, "kid"));
	const struct json *found_ = NULL;

	if (!kid || !*kid)
		return err_set(e, EC_REFUSED, "names no key (kid)");
	for (const struct json *j = json_first(json_get(t->keys, "keys")); j; j = json_next(j)) {
		const char *id = json_string(json_get(j, "kid"));

		if (!id || strcmp(id, kid))
			continue;
		if (found_)
			return err_set(e, EC_REFUSED, "the set has two keys '%.128s'", kid);
		found_ = j;
	}
	if (!found_)
		return err_set(e, EC_REFUSED, "the set has no key '%.128s'", kid);
	if (key_of_entry(ret, found_, e))
		return err_ctx(e, "key '%.128s' cannot be used", kid);
	return 0;
}

static bool key_holds(const struct nras *t, const struct token *k, const struct expect *x, struct buf *why)
{
	AUTO_PUBKEY key = { 0 };
	struct err e = { 0 };

	(void)x;
	if (key_of(&key, t, k, &e))
		buf_puts(why, e.msg);
	else if (key.type != KEY_EC_P384)
		buf_printf(why, "the key is %s", key_type_name(key.type));
	return why->n == 0;
}

static enum outcome check_key(void *p, const struct expect *x, struct finding *f)
{
	const struct nras *t = p;

	buf_puts(&f->expected, "an EC P-384 key of the given set, for each token");
	if (json_is_array(json_get(t->keys, "keys")))
		return each(t, x, f, key_holds);
	buf_puts(&f->actual, "no JWK set ('keys')");
	return FAILED;
}

static bool signature_holds(const struct nras *t, const struct token *k, const struct expect *x, struct buf *why)
{
	AUTO_PUBKEY key = { 0 };
	AUTO_JWS w = { 0 };
	struct err e = { 0 };

	(void)x;
	if (key_of(&key, t, k, &e) == 0 && jws_parse(&w, k->text, &e) == 0 && strcmp(w.alg, WANTED_ALG) == 0 && jws_verify(&w, &key, &e) == 0)
		return true;
	buf_puts(why, e.code ? e.msg : "algorithm");
	return false;
}

static enum outcome check_signature(void *p, const struct expect *x, struct finding *f)
{
	buf_puts(&f->expected, "made by the key that each token names");
	return each(p, x, f, signature_holds);
}

/* --- what they say of themselves ------------------------------------------------------------------------------- */

static bool issuer_holds(const struct nras *t, const struct token *k, const struct expect *x, struct buf *why)
{
	const char *iss = json_string(json_get(k->claims, "iss"));

	(void)x;
	buf_printf(why, "%.128s", iss ? iss : "(none)");
	return iss && !strcmp(iss, t->issuer ? t->issuer : NRAS_ISSUER);
}

static enum outcome check_issuer(void *p, const struct expect *x, struct finding *f)
{
	const struct nras *t = p;

	buf_puts(&f->expected, t->issuer ? t->issuer : NRAS_ISSUER);
	return each(t, x, f, issuer_holds);
}

static bool window_holds(int64_t from, int64_t to, int64_t now, struct buf *why)
{
	char a[32], b[32], at[32];
	const char *word = now < from - SKEW ? "not yet valid: from" : "expired: valid from";

	if (now >= from - SKEW && now < to + SKEW)
		return true;
	time_format(a, from);
	time_format(b, to);
	time_format(at, now);
	buf_printf(why, "%s %s to %s, the time used is %s", word, a, b, at);
	return false;
}

/* A time as tokens have it, far from where sums overflow. */
static bool time_claim(int64_t *ret, const struct json *claims, const char *name, struct buf *why)
{
	if (json_i64(json_get(claims, name), ret) && *ret >= 0 && *ret < INT64_C(253402300800))
		return true;
	buf_printf(why, "claim '%s' is %s", name, json_get(claims, name) ? "no time" : "missing");
	return false;
}

static bool time_holds(const struct nras *t, const struct token *k, const struct expect *x, struct buf *why)
{
	int64_t exp, nbf, iat;

	(void)t;
	if (!time_claim(&exp, k->claims, "exp", why) || !time_claim(&nbf, k->claims, "nbf", why))
		return false;
	iat = nbf;
	if (json_get(k->claims, "iat") && !time_claim(&iat, k->claims, "iat", why))
		return false;
	return window_holds(iat > nbf ? iat : nbf, exp, x->now, why);
}

static enum outcome check_time(void *p, const struct expect *x, struct finding *f)
{
	buf_printf(&f->expected, "in time, give or take %d s", SKEW);
	return each(p, x, f, time_holds);
}

/* As hex, which is how it was asked for (4.1). */
static bool nonce_holds(const struct nras *t, const struct token *k, const struct expect *x, struct buf *why)
{
	const char *text = json_string(json_get(k->claims, "eat_nonce"));
	AUTO_BUF bytes = { 0 };
	struct err e = { 0 };

	(void)x;
	buf_printf(why, "%.128s", text ? text : "(none)");
	return text && !hex_decode(&bytes, slice_str(text), &e) && bytes.n == t->nonce.n && mem_eq_ct(bytes.p, t->nonce.p, bytes.n);
}

static enum outcome check_nonce(void *p, const struct expect *x, struct finding *f)
{
	const struct nras *t = p;

	if (t->nonce.n) {
		buf_hex(&f->expected, t->nonce);
		return each(t, x, f, nonce_holds);
	}
	buf_puts(&f->expected, "the nonce of the challenge");
	buf_puts(&f->actual, "not compared: no nonce was given");
	buf_puts(&f->hint, "the tokens may be old ones, of another moment");
	return x->no_freshness ? WARNED : FAILED;
}

/* --- how they hang together -------------------------------------------------------------------------------------- */

/* ["DIGEST", ["SHA-256", HEX]]; the SDK's own tokens write "SHA256". */
static bool digest_is(const struct json *j, struct slice text, struct buf *why)
{
	const char *word = json_string(json_at(j, 0)), *alg = json_string(json_at(json_at(j, 1), 0));
	const char *hex = json_string(json_at(json_at(j, 1), 1));
	uint8_t seen[32], wanted[32];

	if (json_count(j) != 2 || json_count(json_at(j, 1)) != 2 || !word || strcmp(word, "DIGEST") || !alg || !hex) {
		buf_puts(why, "the overall token names it in another form than [\"DIGEST\", [\"SHA-256\", HEX]]");
		return false;
	}
	if (hash_by_name(alg) != HASH_SHA256) {
		buf_printf(why, "the overall token names it by %.32s", alg);
		return false;
	}
	if (hash_of(seen, HASH_SHA256, text, NULL))
		return false;
	if (!hex_decode_n(wanted, sizeof wanted, hex, NULL) && !memcmp(seen, wanted, sizeof seen))
		return true;
	buf_hex(why, slice_of(seen, sizeof seen));
	return false;
}

/* Of those that both sides name; that these are all is the next check's question. */
static enum outcome check_digests(void *p, const struct expect *x, struct finding *f)
{
	const struct nras *t = p;
	const struct json *submods = json_get(t->claims, "submods");
	size_t compared = 0;

	(void)x;
	buf_puts(&f->expected, "the SHA-256 of each device token that the overall one states");
	for (size_t i = 0; i < t->n; i++) {
		const struct json *j = json_get(submods, t->v[i].name);
		AUTO_BUF why = { 0 };

		if (!j)
			continue;
		compared++;
		if (digest_is(j, t->v[i].text, &why))
			continue;
		buf_printf(&f->actual, "%s: %s", t->v[i].name, buf_cstr(&why));
		return FAILED;
	}
	if (compared)
		return PASSED;
	buf_puts(&f->actual, "none of them is stated there");
	return FAILED;
}

static const struct nras_submod *submod_of(const struct nras *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].name, name))
			return &t->v[i];
	return NULL;
}

static enum outcome check_names(void *p, const struct expect *x, struct finding *f)
{
	const struct nras *t = p;
	const struct json *submods = json_get(t->claims, "submods");

	(void)x;
	buf_puts(&f->expected, "the device tokens that the overall one names, and no others");
	if (!json_is_object(submods)) {
		buf_puts(&f->actual, "it names none (submods)");
		return FAILED;
	}
	for (const struct json *m = json_first(submods); m; m = json_next(m))
		if (!submod_of(t, json_name(m))) {
			buf_printf(&f->actual, "%.64s is missing", json_name(m));
			return FAILED;
		}
	for (size_t i = 0; i < t->n; i++)
		if (!json_get(submods, t->v[i].name)) {
			buf_printf(&f->actual, "%s is one too many", t->v[i].name);
			return FAILED;
		}
	for (size_t i = 0; i < t->n; i++)
		buf_printf(&f->actual, "%s%s", i ? ", " : "", t->v[i].name);
	return PASSED;
}

/* --- the verdict -------------------------------------------------------------------------------------------------- */

static enum outcome check_overall(void *p, const struct expect *x, struct finding *f)
{
	const struct nras *t = p;
	const struct json *j = json_get(t->claims, "x-nvidia-overall-att-result");

	(void)x;
	return found(f, json_true(j), "true", json_true(j) ? "true" : json_is_bool(j) ? "false" : j ? "no boolean" : "missing");
}

/* The first wanted member that is not so. */
static bool claims_hold(const struct json *wanted, const struct json *seen, const char *name, struct finding *f)
{
	if (wanted && !json_is_object(wanted)) {
		buf_printf(&f->actual, "%s: the policy's claims are no object", name);
		return false;
	}
	for (const struct json *m = json_first(wanted); m; m = json_next(m))
		if (!json_holds(m, json_get(seen, json_name(m)))) {
			buf_printf(&f->actual, "%s: claim '%.128s' is %s", name, json_name(m), json_get(seen, json_name(m)) ? "another" : "missing");
			return false;
		}
	return true;
}

static enum outcome check_claims(void *p, const struct expect *x, struct finding *f)
{
	static const char *const known[] = { "overall", "detached", NULL };
	const struct json *wanted = x->limits->nras_claims;
	const struct nras *t = p;
	struct err e = { 0 };

	if (!wanted) {
		buf_puts(&f->hint, "the policy names none");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_puts(&f->expected, "the claims that the policy names");
	if (json_only(wanted, known, "nras_claims", &e)) {
		buf_puts(&f->actual, e.msg);
		return FAILED;
	}
	if (!claims_hold(json_get(wanted, "overall"), t->claims, "overall", f))
		return FAILED;
	for (size_t i = 0; i < t->n; i++)
		if (!claims_hold(json_get(wanted, "detached"), t->v[i].claims, t->v[i].name, f))
			return FAILED;
	buf_puts(&f->actual, "so");
	return PASSED;
}

enum { C_ALG, C_KEY, C_SIGNATURE, C_ISSUER, C_TIME, C_NONCE, C_DIGESTS, C_NAMES, C_OVERALL, C_CLAIMS, N_CHECKS };
#define SIGNED (NEEDS(C_ALG) | NEEDS(C_KEY) | NEEDS(C_SIGNATURE))

const struct check nras_checks[] = {
	[C_ALG] = { "nras.alg", 0, CHECK_BASE, check_alg },
	[C_KEY] = { "nras.key", NEEDS(C_ALG), CHECK_BASE, check_key },
	[C_SIGNATURE] = { "nras.signature", NEEDS(C_ALG) | NEEDS(C_KEY), CHECK_BASE, check_signature },
	[C_ISSUER] = { "nras.issuer", SIGNED, CHECK_BASE, check_issuer },
	[C_TIME] = { "nras.time", SIGNED, CHECK_BASE, check_time },
	[C_NONCE] = { "nras.nonce", SIGNED, CHECK_BASE, check_nonce },
	[C_DIGESTS] = { "nras.digests", SIGNED, CHECK_BASE, check_digests },
	[C_NAMES] = { "nras.names", SIGNED, CHECK_BASE, check_names },
	[C_OVERALL] = { "nras.overall", SIGNED, CHECK_BASE, check_overall },
	[C_CLAIMS] = { "nras.claims", SIGNED | NEEDS(C_DIGESTS) | NEEDS(C_NAMES), CHECK_WHERE_ASKED, check_claims },
};
const size_t n_nras_checks = N_CHECKS;

/* --- telling -------------------------------------------------------------------------------------------------------- */

int nras_claims(struct json *to, const struct nras *t, struct err *e)
{
	(void)e;
	for (size_t i = 0; i <= t->n; i++) {
		const struct token k = token_at(t, i);

		json_add_copy(to, k.name, k.claims);
	}
	return 0;
}

int nras_details(struct json *to, const struct nras *t, struct err *e)
{
	(void)e;
	for (size_t i = 0; i <= t->n; i++) {
		const struct token k = token_at(t, i);
		struct json *one = json_add_object(to, k.name);

		json_add_copy(one, "header", k.header);
		json_add_copy(one, "claims", k.claims);
	}
	return 0;
}
