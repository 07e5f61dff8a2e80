/* SPDX-License-Identifier: Apache-2.0 */
/* Judging TPM quotes: a good one, and its twins that differ in one thing each. */

#include "base/host.h"
#include "codec/der.h"
#include "codec/hex64.h"
#include "test.h"
#include "tpm_maker.h"

#define DAY INT64_C(86400)

static const uint8_t nonce[32] = "0123456789abcdef0123456789abcde";

static enum rule by_default(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

struct run {			/* zeros: a good quote by an ECC key that is a trusted key */
	enum maker_key key;
	struct attest_make attest;
	uint16_t alg;
	enum hash hash;
	uint32_t attributes;
	bool no_area, no_spki, other_spki, other_signer;
	bool no_nonce, waive, untrusted, vouched, child;
	struct slice wanted;		/* n 0: the nonce */
	const struct cert_list *anchors, *given;
	struct collateral_item *lists;	/* revocation lists of the caller */
	size_t n_lists;
	struct slice cert;
	const struct limits *limits;
	void (*spoil)(struct tpm_subject *s);
	long flip;			/* byte of the attest, from 1; after signing */
};

struct parts {			/* of one evidence */
	struct buf attest, signature, area, spki;
};

static void parts_free(struct parts *p)
{
	buf_free(&p->attest);
	buf_free(&p->signature);
	buf_free(&p->area);
	buf_free(&p->spki);
}

static void make_parts(struct parts *p, const struct run *r)
{
	struct attest_make a = r->attest;
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF signer = { 0 };

	maker_public(&pub, r->other_spki ? MAKER_OTHER : r->key);
	WORKS(pubkey_der(&p->spki, &pub, &e));
	area_make(&p->area, r->key, r->attributes);
	area_signer(&signer, buf_view(&p->area), TPM_RH_ENDORSEMENT);
	if (!r->child)
		a.signer = buf_view(&signer);
	if (!a.nonce.n && !a.nonce.p)
		a.nonce = slice_of(nonce, sizeof nonce);
	if (!a.digest)
		a.digest = r->hash;
	attest_make(&p->attest, &a);
	quote_sign(&p->signature, buf_view(&p->attest), r->other_signer ? MAKER_OTHER : r->key, r->alg, r->hash);
	if (r->flip)
		p->attest.p[r->flip - 1] ^= 1;
}

struct result {
	bool held, warned, parsed;
	struct json *list;
	struct buf reason;
};
#define AUTO_RESULT __attribute__((cleanup(result_free))) struct result

static void result_free(struct result *r)
{
	json_free(r->list);
	buf_free(&r->reason);
}

static void run_it(struct result *ret, const struct run *r)
{
	__attribute__((cleanup(parts_free))) struct parts p = { 0 };
	AUTO_PUBKEY trusted = { 0 };
	struct collateral anchors = { 0 }, given = { 0 };
	struct tpm_subject s = { 0 };
	struct tally t = { 0 };
	struct err e = { 0 };
	struct expect x = { .limits = r->limits ? r->limits : &limits_strict, .now = TPM_MAKER_NOW, .no_freshness = r->waive, .anchors = &anchors,
			    .given = &given };

	make_parts(&p, r);
	maker_public(&trusted, r->key);
	if (!r->untrusted)
		anchors.keys = (struct pubkey_list){ &trusted, 1 };
	if (r->anchors)
		anchors.certs = *r->anchors;
	if (r->given)
		given.certs = *r->given;
	given.v = r->lists;
	given.n = r->n_lists;
	if (!r->no_nonce)
		x.report_data = r->wanted.n ? r->wanted : slice_of(nonce, sizeof nonce);
	s.attest = buf_view(&p.attest);
	s.signature = buf_view(&p.signature);
	if (!r->no_area)
		s.ak_area = buf_view(&p.area);
	if (!r->no_spki)
		s.ak_key = buf_view(&p.spki);
	s.ak_cert = r->cert;
	s.vouched = r->vouched ? "a test" : NULL;
	s.has_pcrs = true;
	if (r->attest.pcrs)
		s.pcrs = *r->attest.pcrs;
	else
		maker_pcrs(&s.pcrs, r->attest.bank ? r->attest.bank : TPM_SHA256, r->attest.mask ? r->attest.mask : TPM_ALL_PCRS);
	if (r->spoil)
		r->spoil(&s);
	ret->list = t.list = json_array();
	ret->parsed = !tpm_subject_ready(&s, &e);
	if (ret->parsed)
		ret->held = checks_run(&t, tpm_checks, n_tpm_checks, &s, &x, by_default, NULL);
	ret->warned = t.warned;
	ret->reason = t.reason;
	tpm_subject_free(&s);
}

static const char *result_of(const struct result *r, const char *id)
{
	for (const struct json *c = json_first(r->list); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return json_string(json_get(c, "result"));
	return "absent";
}

static void good(int line, const struct run *r, bool warned)
{
	AUTO_RESULT v = { 0 };

	run_it(&v, r);
	if (!v.held)
		test_fail(__FILE__, line, "refused: %s", buf_cstr(&v.reason));
	if (v.warned != warned)
		test_fail(__FILE__, line, "warned %d", v.warned);
}

/* Refused, by this check first. */
static void bad(int line, const struct run *r, const char *id)
{
	AUTO_RESULT v = { 0 };

	run_it(&v, r);
	if (!v.parsed)
		test_fail(__FILE__, line, "not even parsed");
	else if (v.held || v.reason.n < strlen(id) || strncmp(buf_cstr(&v.reason), id, strlen(id)) || buf_cstr(&v.reason)[strlen(id)] != ':')
		test_fail(__FILE__, line, "%s '%s', wanted %s", v.held ? "accepted" : "refused", buf_cstr(&v.reason), id);
}
#define GOOD(...) good(__LINE__, &(const struct run){ __VA_ARGS__ }, false)
#define WARNS(...) good(__LINE__, &(const struct run){ __VA_ARGS__ }, true)
#define BAD(id, ...) bad(__LINE__, &(const struct run){ __VA_ARGS__ }, id)

TEST(tpm_quotes_by_trusted_keys_hold)
{
	GOOD(.key = MAKER_ECC);
	GOOD(.key = MAKER_RSA);
	GOOD(.key = MAKER_RSA, .alg = TPM_RSAPSS);
	GOOD(.key = MAKER_RSA, .alg = TPM_RSAPSS, .hash = HASH_SHA384);
	GOOD(.hash = HASH_SHA384);
	GOOD(.hash = HASH_SHA512, .attest.bank = TPM_SHA384);
	GOOD(.attest.mask = 1 << 23);
	GOOD(.no_area = true);
	GOOD(.no_spki = true);
	GOOD(.child = true);
}

TEST(tpm_quotes_of_keys_that_nobody_vouches_for_are_refused)
{
	struct limits l = limits_strict;
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF der = { 0 }, hex = { 0 };
	uint8_t sha[32];
	char *pin[1];

	BAD("tpm.ak", .untrusted = true);
	GOOD(.untrusted = true, .vouched = true);
	maker_public(&pub, MAKER_ECC);
	WORKS(pubkey_der(&der, &pub, &e));
	WORKS(hash_of(sha, HASH_SHA256, buf_view(&der), &e));
	hex_encode(&hex, slice_of(sha, 32));
	pin[0] = (char *)hex.p;
	l.ak_keys = (struct texts){ pin, 1 };
	GOOD(.untrusted = true, .limits = &l);
	hex.p[0] = hex.p[0] == '0' ? '1' : '0';
	BAD("tpm.ak", .untrusted = true, .limits = &l);
	BAD("tpm.ak", .limits = &l);			/* a policy that names keys means them */
	BAD("tpm.ak", .vouched = true, .limits = &l);
	BAD("tpm.ak", .other_spki = true);		/* the key of the evidence is not that of its public area */
	BAD("tpm.signature", .other_signer = true);
	/* evidence without its key */
	GOOD(.no_area = true, .no_spki = true);
	BAD("tpm.signature", .no_area = true, .no_spki = true, .other_signer = true);
	BAD("tpm.ak", .no_area = true, .no_spki = true, .untrusted = true);
}

/* A CA, and a certificate of the attestation key by it. */
struct ca {
	struct buf ca_der, leaf_der;
	struct cert_list ca, leaf;
};

static void ca_free(struct ca *c)
{
	buf_free(&c->ca_der);
	buf_free(&c->leaf_der);
	certs_free(&c->ca);
	certs_free(&c->leaf);
}

static void usage_ext(struct buf *ret, const char *oid)
{
	AUTO_BUF body = { 0 };

	der_put_oid(&body, oid);
	der_put(ret, DER_SEQUENCE, buf_view(&body));
}

static void make_ca(struct ca *c, enum maker_key leaf, int64_t until, const char *usage)
{
	AUTO_BUF ext = { 0 };
	struct cert_make m = { .subject = "CN=AK", .key = maker_key(leaf), .issuer_key = maker_key(MAKER_CA), .not_before = TPM_MAKER_NOW - 900 * DAY,
			       .not_after = until };
	struct cert_make_ext one;

	WORKS(cert_make(&c->ca_der, &(const struct cert_make){ .subject = "CN=TPM CA", .key = maker_key(MAKER_CA), .ca = true,
			.issuer_key = maker_key(MAKER_CA), .not_before = TPM_MAKER_NOW - 1000 * DAY, .not_after = TPM_MAKER_NOW + 1000 * DAY }, &e));
	WORKS(certs_parse(&c->ca, buf_view(&c->ca_der), &e));
	m.issuer = &c->ca.v[0];
	if (usage) {
		usage_ext(&ext, usage);
		one = (struct cert_make_ext){ .oid = "2.5.29.37", .value = buf_view(&ext) };
		m.exts = &one;
		m.n_exts = 1;
	}
	WORKS(cert_make(&c->leaf_der, &m, &e));
	WORKS(certs_parse(&c->leaf, buf_view(&c->leaf_der), &e));
}

TEST(tpm_keys_count_by_their_certificate)
{
	__attribute__((cleanup(ca_free))) struct ca c = { 0 }, other = { 0 }, expired = { 0 }, tls = { 0 }, aik = { 0 };

	make_ca(&c, MAKER_ECC, TPM_MAKER_NOW + 900 * DAY, NULL);
	make_ca(&other, MAKER_OTHER, TPM_MAKER_NOW + 900 * DAY, NULL);
	make_ca(&expired, MAKER_ECC, TPM_MAKER_NOW - DAY, NULL);
	make_ca(&tls, MAKER_ECC, TPM_MAKER_NOW + 900 * DAY, "1.3.6.1.5.5.7.3.1");
	make_ca(&aik, MAKER_ECC, TPM_MAKER_NOW + 900 * DAY, "2.23.133.8.3");
	GOOD(.untrusted = true, .anchors = &c.ca, .cert = buf_view(&c.leaf_der));
	GOOD(.untrusted = true, .anchors = &c.ca, .given = &c.leaf);
	GOOD(.untrusted = true, .anchors = &c.leaf);		/* the certificate itself is trusted */
	GOOD(.untrusted = true, .anchors = &c.leaf, .no_area = true, .no_spki = true);
	GOOD(.untrusted = true, .anchors = &c.ca, .given = &c.leaf, .no_area = true, .no_spki = true);
	GOOD(.untrusted = true, .anchors = &aik.ca, .cert = buf_view(&aik.leaf_der));
	GOOD(.untrusted = true, .anchors = &tls.leaf);		/* the caller's own choice */
	BAD("tpm.ak", .untrusted = true, .anchors = &c.ca);
	BAD("tpm.ak", .untrusted = true, .cert = buf_view(&c.leaf_der));
	BAD("tpm.ak", .untrusted = true, .anchors = &c.ca, .given = &other.leaf);
	BAD("tpm.ak", .untrusted = true, .anchors = &other.leaf, .cert = buf_view(&c.leaf_der));
	BAD("tpm.ak", .untrusted = true, .anchors = &c.ca, .cert = buf_view(&other.leaf_der));	/* of another key */
	BAD("tpm.ak", .untrusted = true, .anchors = &expired.ca, .cert = buf_view(&expired.leaf_der));
	BAD("tpm.ak", .untrusted = true, .anchors = &tls.ca, .cert = buf_view(&tls.leaf_der));
	{
		AUTO_RESULT v = { 0 };

		run_it(&v, &(const struct run){ .untrusted = true, .anchors = &expired.ca, .cert = buf_view(&expired.leaf_der) });
		HAS(buf_cstr(&v.reason), "expired");
	}
}

static void make_list(struct collateral_item *ret, const struct ca *c, enum maker_key by, int64_t until, const struct slice *serial)
{
	AUTO_BUF der = { 0 };

	*ret = (struct collateral_item){ .type = COLLATERAL_CRL };
	WORKS(crl_make(&der, &(const struct crl_make){ .issuer = &c->ca.v[0], .issuer_key = maker_key(by), .this_update = TPM_MAKER_NOW - 10 * DAY,
						       .next_update = until, .serials = serial, .n_serials = serial ? 1 : 0 }, &e));
	WORKS(crl_parse(&ret->crl, buf_view(&der), &e));
}

static void crl_verdict(int line, const struct ca *c, enum maker_key by, int64_t until, const struct slice *serial, const char *want)
{
	struct collateral_item it;
	AUTO_RESULT v = { 0 };

	make_list(&it, c, by, until, serial);
	run_it(&v, &(const struct run){ .untrusted = true, .anchors = &c->ca, .cert = buf_view(&c->leaf_der), .lists = &it, .n_lists = 1 });
	if (strcmp(result_of(&v, "tpm.ak.crl"), want) || v.held != !strcmp(want, "pass"))
		test_fail(__FILE__, line, "%s, wanted %s: %s", result_of(&v, "tpm.ak.crl"), want, buf_cstr(&v.reason));
	crl_free(&it.crl);
}

TEST(tpm_keys_whose_certificate_was_revoked_are_refused)
{
	__attribute__((cleanup(ca_free))) struct ca c = { 0 };
	const struct slice other = SLICE("\x12\x34");
	AUTO_RESULT none = { 0 }, bare = { 0 };

	make_ca(&c, MAKER_ECC, TPM_MAKER_NOW + 900 * DAY, NULL);
	crl_verdict(__LINE__, &c, MAKER_CA, TPM_MAKER_NOW + DAY, NULL, "pass");
	crl_verdict(__LINE__, &c, MAKER_CA, TPM_MAKER_NOW + DAY, &other, "pass");
	crl_verdict(__LINE__, &c, MAKER_CA, TPM_MAKER_NOW + DAY, &c.leaf.v[0].serial, "fail");
	crl_verdict(__LINE__, &c, MAKER_CA, TPM_MAKER_NOW - DAY, NULL, "fail");		/* too old */
	crl_verdict(__LINE__, &c, MAKER_OTHER, TPM_MAKER_NOW + DAY, NULL, "fail");	/* signed by another */
	run_it(&none, &(const struct run){ .untrusted = true, .anchors = &c.ca, .cert = buf_view(&c.leaf_der) });
	STR(result_of(&none, "tpm.ak.crl"), "skip");
	OK(none.held);
	run_it(&bare, &(const struct run){ .key = MAKER_ECC });
	STR(result_of(&bare, "tpm.ak.crl"), "skip");
}

TEST(tpm_keys_that_sign_anything_are_no_attestation_keys)
{
	BAD("tpm.ak.attributes", .attributes = 0x00040472);	/* not restricted */
	BAD("tpm.ak.attributes", .attributes = 0x00050470);	/* not fixedTPM */
	BAD("tpm.ak.attributes", .attributes = 0x00050462);	/* not fixedParent */
	BAD("tpm.ak.attributes", .attributes = 0x00050452);	/* made outside */
	BAD("tpm.ak.attributes", .attributes = 0x00010472);	/* does not sign */
	BAD("tpm.ak.attributes", .attributes = 0x00070472);	/* decrypts as well */
}

TEST(tpm_signatures_by_weak_or_foreign_schemes_are_refused)
{
	BAD("tpm.magic", .attest.magic = 0x12345678);
	BAD("tpm.type", .attest.type = 0x8017);
}

TEST(tpm_every_covered_byte_counts)
{
	AUTO_BUF b = { 0 };

	attest_make(&b, &(const struct attest_make){ .nonce = slice_of(nonce, sizeof nonce), .signer = slice_of(nonce, 32) });
	for (long i = 1; i <= (long)b.n + 2; i++) {	/* the signer is two bytes longer there */
		AUTO_RESULT v = { 0 };

		run_it(&v, &(const struct run){ .flip = i });
		if (v.held || (v.parsed && strcmp(result_of(&v, "tpm.signature"), "fail")))
			test_fail(__FILE__, __LINE__, "byte %ld of the quote flipped: %s", i - 1, v.held ? "accepted" : buf_cstr(&v.reason));
	}
}

static struct slice spoiled;
static void take_spoiled(struct tpm_subject *s)
{
	s->signature = spoiled;
}

TEST(tpm_every_byte_of_the_signature_counts)
{
	for (enum maker_key k = MAKER_ECC; k <= MAKER_RSA; k++) {
		__attribute__((cleanup(parts_free))) struct parts p = { 0 };
		const struct run r = { .key = k };

		make_parts(&p, &r);	/* another signature of the same bytes */
		spoiled = buf_view(&p.signature);
		good(__LINE__, &(const struct run){ .key = k, .spoil = take_spoiled }, false);
		for (size_t i = 0; i < p.signature.n; i += k == MAKER_RSA && i > 16 ? 37 : 1) {
			AUTO_RESULT v = { 0 };

			p.signature.p[i] ^= 1;
			run_it(&v, &(const struct run){ .key = k, .spoil = take_spoiled });
			OK(!v.held);
			p.signature.p[i] ^= 1;
		}
	}
}

TEST(tpm_nonces_are_compared)
{
	uint8_t longer[64] = { 0 }, hashed[32], padded[64] = { 0 };

	BAD("tpm.nonce", .no_nonce = true);
	WARNS(.no_nonce = true, .waive = true);
	BAD("tpm.nonce", .wanted = SLICE("another"));
	BAD("tpm.nonce", .wanted = SLICE("another"), .waive = true);
	BAD("tpm.nonce", .wanted = slice_of(nonce, 31), .attest.nonce = slice_of(nonce, 30));	/* shorter, and not by zeros */
	BAD("tpm.nonce", .attest.nonce = { nonce, 0 });		/* empty */
	BAD("tpm.nonce", .attest.nonce = { nonce, 0 }, .wanted = SLICE("\0\0\0\0\0\0\0\0"));
	/* zero padded on the right, either way */
	memcpy(longer, nonce, sizeof nonce);
	GOOD(.wanted = slice_of(longer, 64));
	GOOD(.attest.nonce = slice_of(longer, 64));
	longer[63] = 1;
	BAD("tpm.nonce", .wanted = slice_of(longer, 64));
	/* SHA-256 of what is longer than every TPM takes */
	WORKS(hash_of(hashed, HASH_SHA256, slice_of(longer, 64), &e));
	GOOD(.attest.nonce = slice_of(hashed, 32), .wanted = slice_of(longer, 64));
	BAD("tpm.nonce", .attest.nonce = slice_of(hashed, 31), .wanted = slice_of(longer, 64));
	WORKS(hash_of(hashed, HASH_SHA256, slice_of(longer, 48), &e));
	GOOD(.attest.nonce = slice_of(hashed, 32), .wanted = slice_of(longer, 48));
	memcpy(padded, longer, 48);
	WORKS(hash_of(hashed, HASH_SHA256, slice_of(padded, 64), &e));
	GOOD(.attest.nonce = slice_of(hashed, 32), .wanted = slice_of(longer, 48));
	WORKS(hash_of(hashed, HASH_SHA256, slice_of(nonce, 32), &e));
	BAD("tpm.nonce", .attest.nonce = slice_of(hashed, 32));	/* short ones go in as they are */
}

/* --- PCRs ------------------------------------------------------------------------------------------------------ */

static void offer_one_more(struct tpm_subject *s)
{
	s->pcrs.mask |= 1 << 9;
}

static void offer_one_less(struct tpm_subject *s)
{
	s->pcrs.mask &= ~(uint32_t)(1 << 3);
}

static void offer_none(struct tpm_subject *s)
{
	s->pcrs.mask = 0;
	s->has_pcrs = false;
}

static void change_one(struct tpm_subject *s)
{
	s->pcrs.v[4][31] ^= 1;
}

/* The same values in other places: their concatenation is the one that was signed. */
static void shift_places(struct tpm_subject *s)
{
	memcpy(s->pcrs.v[4], s->pcrs.v[3], sizeof s->pcrs.v[3]);
	s->pcrs.mask = (s->pcrs.mask & ~(uint32_t)(1 << 3)) | 1 << 4;
}

static void swap_two(struct tpm_subject *s)
{
	uint8_t v[HASH_MAX];

	memcpy(v, s->pcrs.v[1], sizeof v);
	memcpy(s->pcrs.v[1], s->pcrs.v[2], sizeof v);
	memcpy(s->pcrs.v[2], v, sizeof v);
}

static void other_bank(struct tpm_subject *s)
{
	s->pcrs.bank = TPM_SHA384;
}

TEST(tpm_pcr_values_are_those_that_were_signed)
{
	GOOD(.attest.mask = 0x8f);
	BAD("tpm.pcrs", .attest.mask = 0x8f, .spoil = offer_one_more);
	BAD("tpm.pcrs", .attest.mask = 0x8f, .spoil = offer_one_less);
	BAD("tpm.pcrs", .attest.mask = 0x8f, .spoil = shift_places);
	BAD("tpm.pcrs", .attest.mask = 0x8f, .spoil = swap_two);
	BAD("tpm.pcrs", .spoil = offer_none);
	BAD("tpm.pcrs", .spoil = change_one);
	BAD("tpm.pcrs", .spoil = other_bank);
	BAD("tpm.pcrs", .attest.no_pcrs = true);		/* a quote that covers nothing */
	BAD("tpm.pcrs", .attest.second_bank = true);
	BAD("tpm.pcrs", .attest.bank = TPM_SHA1);
	BAD("tpm.pcrs", .hash = HASH_SHA384, .attest.digest = HASH_SHA256);	/* digest by another hash than the scheme's */
}

TEST(tpm_policies_name_pcr_values)
{
	struct limits l = limits_strict;
	AUTO_BUF hex = { 0 };
	struct tpm_pcrs pcrs;
	char wrong[] = "00", *v[2] = { wrong, NULL };

	maker_pcrs(&pcrs, TPM_SHA256, TPM_ALL_PCRS);
	hex_encode(&hex, tpm_pcr(&pcrs, 7));
	l.pcr[7] = (struct texts){ v, 1 };
	BAD("tpm.pcr_values", .limits = &l);
	v[1] = (char *)hex.p;
	l.pcr[7].n = 2;
	GOOD(.limits = &l);
	BAD("tpm.pcr_values", .limits = &l, .attest.mask = 0x7f);	/* not in the quote */
	l.pcr[8] = l.pcr[7];
	BAD("tpm.pcr_values", .limits = &l);
}

TEST(tpm_clock_that_may_repeat_warns)
{
	WARNS(.attest.unsafe = true);
}

TEST(tpm_registers_are_those_of_the_quote)
{
	__attribute__((cleanup(parts_free))) struct parts p = { 0 };
	struct tpm_subject s = { .has_pcrs = true };
	struct registers regs;

	make_parts(&p, &(const struct run){ .attest.mask = 0x11 });
	s.attest = buf_view(&p.attest);
	s.signature = buf_view(&p.signature);
	maker_pcrs(&s.pcrs, TPM_SHA256, TPM_ALL_PCRS);
	WORKS(tpm_subject_ready(&s, &e));
	tpm_registers(&regs, &s);
	OK(!regs.cc && regs.alg == HASH_SHA256);
	OK(regs.v[0].known && regs.v[4].known && !regs.v[1].known && !regs.v[23].known);
	EQ(regs.v[4].n, 32);
	MEM(regs.v[4].v, s.pcrs.v[4], 32);
	tpm_subject_free(&s);
}

/* --- as evidence ----------------------------------------------------------------------------------------------- */


static void evidence_json(struct buf *ret, const struct run *r, void (*change)(struct json *))
{
	__attribute__((cleanup(parts_free))) struct parts p = { 0 };
	AUTO_JSON *j = json_object();
	struct json *quote, *list;
	struct tpm_pcrs pcrs;

	make_parts(&p, r);
	maker_pcrs(&pcrs, r->attest.bank ? r->attest.bank : TPM_SHA256, r->attest.mask ? r->attest.mask : TPM_ALL_PCRS);
	quote = json_add_object(j, "tpm_quote");
	json_add_b64(quote, "signature", buf_view(&p.signature));
	json_add_b64(quote, "message", buf_view(&p.attest));
	list = json_add_array(quote, "pcrs");
	for (unsigned n = 0; n < TPM_PCRS; n++) {
		if (pcrs.mask >> n & 1)
			json_add_hex(list, NULL, tpm_pcr(&pcrs, n));
		else
			json_add_null(list, NULL);
	}
	json_add_b64(j, "ak_public", buf_view(&p.spki));
	json_add_b64(j, "ak_area", buf_view(&p.area));
	if (change)
		change(j);
	WORKS(json_write(ret, j, false, &e));
}

static bool judge(struct slice raw)
{
	AUTO_PUBKEY trusted = { 0 };
	struct collateral anchors = { 0 };
	struct stages st = { 0 };
	struct expect x = { .limits = &limits_strict, .now = TPM_MAKER_NOW, .anchors = &anchors, .report_data = slice_of(nonce, sizeof nonce) };
	struct tally t = { .list = json_array() };
	bool all = true;
	void *parsed;

	WORKS(evidence_tpm.parse(&parsed, raw, (struct slice){ 0 }, &e));
	maker_public(&trusted, MAKER_ECC);
	anchors.keys = (struct pubkey_list){ &trusted, 1 };
	WORKS(evidence_tpm.stages(&st, parsed, &x, &e));
	for (size_t i = 0; i < st.n; i++)
		all &= checks_run(&t, st.v[i].checks, st.v[i].n_checks, st.v[i].subject, &st.v[i].x, by_default, NULL);
	evidence_tpm.drop(parsed);
	json_free(t.list);
	buf_free(&t.reason);
	return all;
}

static void one_pcr_less(struct json *j)
{
	struct json *quote = (struct json *)(uintptr_t)json_get(j, "tpm_quote");

	json_remove(quote, "pcrs");
	json_add_null(json_add_array(quote, "pcrs"), NULL);
}

static void odd_pcr(struct json *j)
{
	struct json *quote = (struct json *)(uintptr_t)json_get(j, "tpm_quote"), *list;

	json_remove(quote, "pcrs");
	list = json_add_array(quote, "pcrs");
	for (int i = 0; i < 24; i++)
		json_add_str(list, NULL, i == 5 ? "abc" : "0000000000000000000000000000000000000000000000000000000000000000");
}

static void no_message(struct json *j)
{
	json_remove((struct json *)(uintptr_t)json_get(j, "tpm_quote"), "message");
}

TEST(tpm_evidence_in_trustees_form)
{
	static void (*const odd[])(struct json *) = { one_pcr_less, odd_pcr, no_message };
	AUTO_BUF whole = { 0 }, part = { 0 };
	AUTO_JSON *claims = json_object(), *details = json_object();
	void *parsed = NULL;

	evidence_json(&whole, &(const struct run){ 0 }, NULL);
	OK(judge(buf_view(&whole)));
	evidence_json(&part, &(const struct run){ .attest.mask = 0x8ff }, NULL);
	OK(judge(buf_view(&part)));
	WORKS(evidence_tpm.parse(&parsed, buf_view(&part), (struct slice){ 0 }, &e));
	WORKS(evidence_tpm.claims(claims, parsed, &e));
	WORKS(evidence_tpm.details(details, parsed, &e));
	OK(json_get(claims, "pcr11") && !json_get(claims, "pcr09") && json_get(claims, "report_data") && json_get(claims, "ak_public"));
	STR(json_string(json_path(details, "/attest/selection/sha256")), "0-7,11");
	STR(json_string(json_path(details, "/ak/hierarchy")), "endorsement");
	evidence_tpm.drop(parsed);
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		AUTO_BUF b = { 0 };

		evidence_json(&b, &(const struct run){ 0 }, odd[i]);
		FAILS(evidence_tpm.parse(&parsed, buf_view(&b), (struct slice){ 0 }, &e), EC_FORMAT);
	}
	for (size_t n = 0; n < whole.n; n += 13)
		FAILS(evidence_tpm.parse(&parsed, slice_of(whole.p, n), (struct slice){ 0 }, &e), EC_FORMAT);
}

TEST(tpm_evidence_in_kinvolks_form_at_its_limits)
{
	struct slice signature, attest;
	struct tpm_pcrs pcrs;
	AUTO_BUF b = { 0 };

	buf_le64(&b, 3);
	buf_puts(&b, "sig");
	buf_le64(&b, 6);
	buf_puts(&b, "attest");
	buf_le64(&b, 24);
	buf_fill(&b, 7, 24 * 32);
	WORKS(tpm_bincode_parse(&signature, &attest, &pcrs, buf_view(&b), &e));
	OK(slice_eqs(signature, "sig") && slice_eqs(attest, "attest") && pcrs.mask == TPM_ALL_PCRS);
	for (size_t n = 0; n < b.n; n++)
		FAILS(tpm_bincode_parse(&signature, &attest, &pcrs, slice_of(b.p, n), &e), EC_FORMAT);
	buf_byte(&b, 0);
	FAILS(tpm_bincode_parse(&signature, &attest, &pcrs, buf_view(&b), &e), EC_FORMAT);
	b.n--;
	memset(b.p, 0xff, 8);		/* a length that wraps */
	FAILS(tpm_bincode_parse(&signature, &attest, &pcrs, buf_view(&b), &e), EC_FORMAT);
	memset(b.p, 0, 8);
	b.p[0] = 3;
	b.p[25] = 25;
	FAILS(tpm_bincode_parse(&signature, &attest, &pcrs, buf_view(&b), &e), EC_FORMAT);
	OK(!evidence_tpm.recognise(buf_view(&b)));
}
