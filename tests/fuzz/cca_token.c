/* SPDX-License-Identifier: Apache-2.0 */
/* CCA tokens: as they are, nothing is accepted; signed again by keys of our own, what is accepted is what was asked for. */
#include "attest/appraise.h"
#include "tee/cca.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct privkey cpak, rak;
static struct collateral anchors;
static uint8_t point[97] = { 4 };

static void once(void)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_BUF pem = { 0 };

	if (cpak.ctx)
		return;
	if (privkey_generate(&cpak, KEY_EC_P384, 0, NULL) || privkey_generate(&rak, KEY_EC_P384, 0, NULL) ||
	    privkey_public(&k, &rak, NULL) || pubkey_ec_xy(point + 1, point + 49, &k, NULL))
		abort();
	pubkey_free(&k);
	if (privkey_public(&k, &cpak, NULL) || pubkey_pem(&pem, &k, NULL) || collateral_add(&anchors, buf_view(&pem), "own", NULL, NULL))
		abort();
}

/* The payload with its claims at `at` exchanged, signed. */
static void sign(struct buf *ret, const struct privkey *k, struct slice payload, struct slice at, const uint8_t *value, size_t n)
{
	AUTO_BUF b = { 0 };

	buf_slice(&b, payload);
	if (at.n == n)
		memcpy(b.p + (at.p - payload.p), value, n);
	if (cose_sign1_make(ret, k, buf_view(&b), NULL))
		abort();
}

static void part(struct buf *to, int64_t label, struct slice bytes)
{
	cbor_put_int(to, label);
	cbor_put_bytes(to, bytes);
}

static void sign_again(const struct cca_token *t)
{
	AUTO_BUF b = { 0 }, platform = { 0 }, realm = { 0 };
	AUTO_VERDICT v = { 0 };
	struct cca_token again;
	uint8_t d[32];
	struct err e = { 0 };

	if (hash_of(d, HASH_SHA256, slice_of(point, sizeof point), &e))
		abort();
	sign(&platform, &cpak, t->platform.payload, t->nonce, d, sizeof d);
	sign(&realm, &rak, t->realm.payload, t->realm_key, point, sizeof point);
	cbor_put_head(&b, CBOR_TAG, 399);
	cbor_put_head(&b, CBOR_MAP, 2);
	part(&b, 44234, buf_view(&platform));
	part(&b, 44241, buf_view(&realm));
	if (cca_token_parse(&again, buf_view(&b), &e))
		return;
	if (appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .kind = "cca", .now = 1750000000, .anchors = &anchors,
						      .has_nonce = true, .nonce = again.challenge }, &e))
		return;
	if (v.accepted && (cca_state_of(again.lifecycle) != CCA_SECURED || again.nonce.n != sizeof d || memcmp(again.nonce.p, d, sizeof d)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO_JSON *details = json_object(), *claims = json_object();
	AUTO_VERDICT v = { 0 };
	struct cca_token t;
	struct err e = { 0 };
	void *parsed = NULL;

	once();
	if (!evidence_cca.parse(&parsed, slice_of(p, n), (struct slice){ 0 }, &e)) {
		evidence_cca.details(details, parsed, &e);
		evidence_cca.claims(claims, parsed, &e);
		evidence_cca.drop(parsed);
	}
	if (!appraise(&v, &(const struct appraise_in){ .evidence = slice_of(p, n), .kind = "cca", .now = 1750000000, .anchors = &anchors,
						       .insecure_no_nonce = true }, &e) && v.accepted)
		abort();
	if (!cca_token_parse(&t, slice_of(p, n), &e))
		sign_again(&t);
	return 0;
}
