/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate status with a CA of our own: root, a CA below it, one below that, leaves, and responders of every kind. */

#include "codec/der.h"
#include "crypto/ocsp.h"
#include "test.h"

#define NOW INT64_C(1770000000)		/* 2026-02-02T02:40:00Z */
#define DAY INT64_C(86400)
#define HOUR INT64_C(3600)
#define OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define ANY_PURPOSE "2.5.29.37.0"
#define NONCE "0123456789abcdef0123456789abcdef"

struct node {
	struct privkey key;
	struct cert_list cert;
};

static void node_free(struct node *n)
{
	privkey_free(&n->key);
	certs_free(&n->cert);
}
#define AUTO_NODE __attribute__((cleanup(node_free))) struct node

struct how {		/* zero: a leaf on P-256, valid now, without extended key usage */
	enum key_type type;
	bool ca;
	const char *purpose, *purpose2;
	int64_t from, to;
	const char *serial;
};

static void node_make(struct node *n, const char *name, const struct node *issuer, struct how h)
{
	AUTO_BUF der = { 0 }, purposes = { 0 }, eku = { 0 };
	struct cert_make_ext x = { .oid = "2.5.29.37" };

	if (h.purpose)
		der_put_oid(&purposes, h.purpose);
	if (h.purpose2)
		der_put_oid(&purposes, h.purpose2);
	der_put(&eku, DER_SEQUENCE, buf_view(&purposes));
	x.value = buf_view(&eku);
	if (!n->key.ctx)
		WORKS(privkey_generate(&n->key, h.type ? h.type : KEY_EC_P256, 2048, &e));
	WORKS(cert_make(&der, &(const struct cert_make){ .subject = name, .key = &n->key, .issuer = issuer ? issuer->cert.v : NULL,
							 .issuer_key = issuer ? &issuer->key : NULL, .not_before = h.from ? h.from : NOW - 9 * DAY,
							 .not_after = h.to ? h.to : NOW + 9 * DAY, .ca = h.ca, .exts = &x, .n_exts = h.purpose ? 1 : 0,
							 .serial = (const uint8_t *)h.serial, .serial_n = h.serial ? strlen(h.serial) : 0 }, &e));
	WORKS(certs_parse(&n->cert, buf_view(&der), &e));
}

struct pki {
	struct node root, ca, leaf, other, responder;
};

static void pki_free(struct pki *p)
{
	node_free(&p->root);
	node_free(&p->ca);
	node_free(&p->leaf);
	node_free(&p->other);
	node_free(&p->responder);
}
#define AUTO_PKI __attribute__((cleanup(pki_free))) struct pki

static void pki_make(struct pki *p)
{
	node_make(&p->root, "CN=Root,O=Test", NULL, (struct how){ .ca = true });
	node_make(&p->ca, "CN=Devices,O=Test", &p->root, (struct how){ .ca = true });
	node_make(&p->leaf, "CN=device 1", &p->ca, (struct how){ .serial = "\x81\x02" });
	node_make(&p->other, "CN=device 2", &p->ca, (struct how){ .serial = "\x81\x03" });
	node_make(&p->responder, "CN=Responder,O=Test", &p->ca, (struct how){ .purpose = OCSP_SIGNING });
}

static struct ocsp_make_entry good(const struct node *leaf, const struct node *ca)
{
	return (struct ocsp_make_entry){ .cert = leaf->cert.v, .issuer = ca->cert.v, .status = OCSP_GOOD, .reason = -1,
					 .this_update = NOW - HOUR, .next_update = NOW + DAY };
}

/* Makes and reads an answer.  m: what differs from one entry, signed by its issuer. */
static void answer(struct ocsp *ret, struct ocsp_make m, const struct node *signer)
{
	AUTO_BUF der = { 0 };

	m.signer = signer->cert.v;
	m.signer_key = &signer->key;
	m.produced_at = m.produced_at ? m.produced_at : NOW - HOUR;
	WORKS(ocsp_make(&der, &m, &e));
	WORKS(ocsp_parse(ret, buf_view(&der), &e));
	OK(slice_eq(ret->der, buf_view(&der)));
}

static const struct cert_list *list(const struct node *n)
{
	return &n->cert;
}

/* --- asking ------------------------------------------------------------------------------------------------ */

TEST(ocsp_request_names_the_certificate_and_carries_the_nonce)
{
	static const struct { enum hash h; const char *oid; } hashes[] = { { HASH_SHA1, "1.3.14.3.2.26" }, { HASH_SHA256, "2.16.840.1.101.3.4.2.1" },
									   { HASH_SHA384, "2.16.840.1.101.3.4.2.2" } };
	AUTO_PKI p = { 0 };

	pki_make(&p);
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
		AUTO_BUF der = { 0 };
		uint8_t digest[HASH_MAX];
		struct rd outer, tbs, list_, one, id, alg, exts, x;
		struct slice value;

		WORKS(ocsp_request(&der, p.leaf.cert.v, p.ca.cert.v, hashes[i].h, SLICE(NONCE), &e));
		outer = rd_of(buf_view(&der));
		one = der_open(&outer, DER_SEQUENCE);
		OK(der_done(&outer));
		tbs = der_open(&one, DER_SEQUENCE);
		OK(der_done(&one));		/* no signature */
		list_ = der_open(&tbs, DER_SEQUENCE);
		one = der_open(&list_, DER_SEQUENCE);
		OK(der_done(&list_));
		id = der_open(&one, DER_SEQUENCE);
		OK(der_done(&one));
		alg = der_open(&id, DER_SEQUENCE);
		OK(der_oid_is(der_take(&alg, DER_OID).body, hashes[i].oid));
		der_take(&alg, DER_NULL);
		OK(der_done(&alg));
		WORKS(hash_of(digest, hashes[i].h, p.ca.cert.v[0].subject, &e));
		OK(slice_eq(der_take(&id, DER_OCTET_STRING).body, slice_of(digest, hash_size(hashes[i].h))));
		EQ(der_take(&id, DER_OCTET_STRING).body.n, hash_size(hashes[i].h));
		OK(slice_eq(der_take(&id, DER_INTEGER).body, p.leaf.cert.v[0].serial));
		OK(der_done(&id));
		exts = der_open(&tbs, DER_EXPLICIT + 2);
		OK(der_done(&tbs));
		one = der_open(&exts, DER_SEQUENCE);
		x = der_open(&one, DER_SEQUENCE);
		OK(der_oid_is(der_take(&x, DER_OID).body, "1.3.6.1.5.5.7.48.1.2"));
		value = der_take(&x, DER_OCTET_STRING).body;
		OK(der_done(&x) && der_done(&one) && der_done(&exts));
		x = rd_of(value);
		OK(slice_eq(der_take(&x, DER_OCTET_STRING).body, SLICE(NONCE)));
		OK(der_done(&x));
	}
}

TEST(ocsp_request_without_a_nonce_has_no_extensions)
{
	AUTO_PKI p = { 0 };
	AUTO_BUF der = { 0 }, none = { 0 };
	struct rd outer, tbs, one;

	pki_make(&p);
	WORKS(ocsp_request(&der, p.leaf.cert.v, p.ca.cert.v, HASH_SHA384, SLICE(""), &e));
	outer = rd_of(buf_view(&der));
	one = der_open(&outer, DER_SEQUENCE);
	tbs = der_open(&one, DER_SEQUENCE);
	der_take(&tbs, DER_SEQUENCE);
	OK(der_done(&tbs));
	FAILS(ocsp_request(&none, p.leaf.cert.v, p.root.cert.v, HASH_SHA1, SLICE(""), &e), EC_USAGE);	/* not its issuer */
	FAILS(ocsp_request(&none, p.leaf.cert.v, p.ca.cert.v, HASH_SHA1, SLICE(NONCE "x"), &e), EC_USAGE);
	FAILS(ocsp_request(&none, p.leaf.cert.v, p.ca.cert.v, HASH_MD5, SLICE(""), &e), EC_BUG);
	EQ(none.n, 0);
}

/* --- what an answer says ------------------------------------------------------------------------------------- */

TEST(ocsp_says_good_revoked_and_unknown)
{
	AUTO_PKI p = { 0 };

	pki_make(&p);
	for (int i = 0; i < 3; i++) {
		AUTO_OCSP o = { 0 };
		struct ocsp_make_entry s = good(&p.leaf, &p.ca);
		struct ocsp_entry seen = { 0 };

		s.status = (enum ocsp_status)i;
		s.reason = OCSP_REASON_HOLD;
		s.revoked_at = NOW - DAY;
		answer(&o, (struct ocsp_make){ .v = &s, .n = 1, .nonce = SLICE(NONCE) }, &p.ca);
		EQ(o.response_status, 0);
		EQ(o.entries, 1);
		EQ(o.certs.n, 0);
		EQ(o.produced_at, NOW - HOUR);
		OK(slice_eq(o.nonce, SLICE(NONCE)));
		OK(ocsp_about(&seen, &o, p.leaf.cert.v, p.ca.cert.v));
		EQ(seen.status, i);
		EQ(seen.has_reason, i == OCSP_REVOKED);
		EQ(seen.reason, i == OCSP_REVOKED ? OCSP_REASON_HOLD : 0);
		EQ(seen.revoked_at, i == OCSP_REVOKED ? NOW - DAY : 0);
		EQ(seen.this_update, NOW - HOUR);
		EQ(seen.next_update, NOW + DAY);
		WORKS(ocsp_signed(&o, p.ca.cert.v, NULL, NOW, &e));
		WORKS(ocsp_current(&o, &seen, NOW, &e));
	}
	STR(ocsp_status_word(OCSP_GOOD), "good");
	STR(ocsp_status_word(OCSP_REVOKED), "revoked");
	STR(ocsp_status_word(OCSP_UNKNOWN), "unknown");
	STR(ocsp_reason_word(OCSP_REASON_HOLD), "certificateHold");
	STR(ocsp_reason_word(7), "unnamed");
	STR(ocsp_reason_word(99), "unnamed");
}

TEST(ocsp_revocation_without_a_reason)
{
	AUTO_PKI p = { 0 };
	AUTO_OCSP o = { 0 };
	struct ocsp_make_entry s;
	struct ocsp_entry seen = { 0 };

	pki_make(&p);
	s = good(&p.leaf, &p.ca);
	s.status = OCSP_REVOKED;
	s.revoked_at = NOW - DAY;
	answer(&o, (struct ocsp_make){ .v = &s, .n = 1 }, &p.ca);
	EQ(o.nonce.n, 0);
	OK(ocsp_about(&seen, &o, p.leaf.cert.v, p.ca.cert.v));
	EQ(seen.status, OCSP_REVOKED);
	EQ(seen.has_reason, false);
}

TEST(ocsp_speaks_only_of_the_certificate_that_it_names)
{
	static const enum hash hashes[] = { HASH_SHA1, HASH_SHA256, HASH_SHA384 };
	AUTO_PKI p = { 0 };
	AUTO_NODE same_name = { 0 }, its_leaf = { 0 };

	pki_make(&p);
	node_make(&same_name, "CN=Devices,O=Test", &p.root, (struct how){ .ca = true });	/* another key */
	node_make(&its_leaf, "CN=device 1", &same_name, (struct how){ .serial = "\x81\x02" });
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
		const struct ocsp_make_entry s = good(&p.leaf, &p.ca);
		AUTO_OCSP o = { 0 };
		struct ocsp_entry seen;

		answer(&o, (struct ocsp_make){ .v = &s, .n = 1, .id_hash = hashes[i] }, &p.ca);
		OK(ocsp_about(&seen, &o, p.leaf.cert.v, p.ca.cert.v));
		OK(!ocsp_about(&seen, &o, p.other.cert.v, p.ca.cert.v));		/* serial number */
		OK(!ocsp_about(&seen, &o, its_leaf.cert.v, same_name.cert.v));		/* key of the issuer */
		OK(!ocsp_about(&seen, &o, p.ca.cert.v, p.root.cert.v));			/* name of the issuer */
		OK(!ocsp_about(&seen, &o, p.leaf.cert.v, p.root.cert.v));		/* not its issuer */
	}
}

TEST(ocsp_of_several_entries_the_worst_counts)
{
	static const enum ocsp_status order[][3] = { { OCSP_GOOD, OCSP_UNKNOWN, OCSP_REVOKED }, { OCSP_REVOKED, OCSP_GOOD, OCSP_UNKNOWN },
						     { OCSP_GOOD, OCSP_UNKNOWN, OCSP_GOOD }, { OCSP_UNKNOWN, OCSP_GOOD, OCSP_GOOD },
						     { OCSP_GOOD, OCSP_GOOD, OCSP_GOOD } };
	static const enum ocsp_status worst[] = { OCSP_REVOKED, OCSP_REVOKED, OCSP_UNKNOWN, OCSP_UNKNOWN, OCSP_GOOD };
	AUTO_PKI p = { 0 };

	pki_make(&p);
	for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++) {
		struct ocsp_make_entry v[4];
		struct ocsp_entry seen = { 0 };
		AUTO_OCSP o = { 0 };

		for (size_t k = 0; k < 3; k++) {
			v[k] = good(&p.leaf, &p.ca);
			v[k].status = order[i][k];
			v[k].revoked_at = NOW - DAY;
		}
		v[3] = good(&p.other, &p.ca);
		answer(&o, (struct ocsp_make){ .v = v, .n = 4 }, &p.ca);
		EQ(o.entries, 4);
		for (size_t k = 0; k < 4; k++) {
			struct slice serial = { NULL, 0 };

			OK(ocsp_entry_at(&seen, &serial, &o, k));
			EQ(seen.status, v[k].status);
			OK(slice_eq(serial, v[k].cert->serial));
		}
		OK(!ocsp_entry_at(&seen, &(struct slice){ NULL, 0 }, &o, 4));
		OK(ocsp_about(&seen, &o, p.leaf.cert.v, p.ca.cert.v));
		EQ(seen.status, worst[i]);
		OK(ocsp_about(&seen, &o, p.other.cert.v, p.ca.cert.v));
		EQ(seen.status, OCSP_GOOD);
	}
}

TEST(ocsp_hold_does_not_hide_another_revocation)
{
	AUTO_PKI p = { 0 };

	pki_make(&p);
	for (int hold_first = 0; hold_first < 2; hold_first++) {
		struct ocsp_make_entry v[2] = { good(&p.leaf, &p.ca), good(&p.leaf, &p.ca) };
		struct ocsp_entry seen = { 0 };
		AUTO_OCSP o = { 0 };

		v[0].status = v[1].status = OCSP_REVOKED;
		v[0].revoked_at = v[1].revoked_at = NOW - DAY;
		v[!hold_first].reason = OCSP_REASON_HOLD;
		v[hold_first].reason = 1;
		answer(&o, (struct ocsp_make){ .v = v, .n = 2 }, &p.ca);
		OK(ocsp_about(&seen, &o, p.leaf.cert.v, p.ca.cert.v));
		EQ(seen.reason, 1);
	}
}

TEST(ocsp_nonce_with_and_without_the_inner_octet_string)
{
	AUTO_PKI p = { 0 };
	struct ocsp_make_entry s;

	pki_make(&p);
	s = good(&p.leaf, &p.ca);
	for (int bare = 0; bare < 2; bare++) {
		AUTO_OCSP o = { 0 };

		answer(&o, (struct ocsp_make){ .v = &s, .n = 1, .nonce = SLICE(NONCE), .bare_nonce = bare }, &p.ca);
		OK(slice_eq(o.nonce, SLICE(NONCE)));
		OK(!slice_eq(o.nonce, SLICE("another")));
	}
}

/* --- who signed it ------------------------------------------------------------------------------------------- */

TEST(ocsp_signatures_of_each_kind_of_key)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_RSA };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		AUTO_NODE ca = { 0 }, leaf = { 0 }, responder = { 0 };
		struct ocsp_make_entry s;

		node_make(&ca, "CN=CA", NULL, (struct how){ .ca = true, .type = types[i] });
		node_make(&leaf, "CN=leaf", &ca, (struct how){ 0 });
		node_make(&responder, "CN=resp", &ca, (struct how){ .type = types[i], .purpose = OCSP_SIGNING });
		s = good(&leaf, &ca);
		for (int by_key = 0; by_key < 2; by_key++) {
			AUTO_OCSP direct = { 0 }, delegated = { 0 };

			answer(&direct, (struct ocsp_make){ .v = &s, .n = 1, .by_key = by_key }, &ca);
			WORKS(ocsp_signed(&direct, ca.cert.v, NULL, NOW, &e));
			answer(&delegated, (struct ocsp_make){ .v = &s, .n = 1, .by_key = by_key, .with_cert = true }, &responder);
			EQ(delegated.certs.n, 1);
			WORKS(ocsp_signed(&delegated, ca.cert.v, NULL, NOW, &e));
		}
	}
}

static void refused(const struct ocsp *o, const struct cert *issuer, const struct cert_list *above, const char *part, int line)
{
	struct err e = { 0 };
	const int rc = ocsp_signed(o, issuer, above, NOW, &e);

	if (rc != -1 || e.code != EC_REFUSED || !strstr(e.msg, part))
		test_fail(__FILE__, line, "rc %d code %d '%s', wanted '%s'", rc, e.code, e.msg, part);
}
#define REFUSED(o, issuer, above, part) refused(o, issuer, above, part, __LINE__)

TEST(ocsp_of_the_wrong_signer_is_refused)
{
	AUTO_PKI p = { 0 };
	AUTO_NODE impostor = { 0 }, stranger = { 0 }, strange_responder = { 0 };
	AUTO_OCSP by_impostor = { 0 }, by_name = { 0 }, by_key = { 0 }, foreign = { 0 };
	struct ocsp_make_entry s;

	pki_make(&p);
	node_make(&impostor, "CN=Devices,O=Test", NULL, (struct how){ .ca = true });	/* the issuer's name, its own key */
	node_make(&stranger, "CN=Stranger", NULL, (struct how){ .ca = true });
	node_make(&strange_responder, "CN=Responder,O=Test", &stranger, (struct how){ .purpose = OCSP_SIGNING });
	s = good(&p.leaf, &p.ca);
	answer(&by_impostor, (struct ocsp_make){ .v = &s, .n = 1 }, &impostor);
	REFUSED(&by_impostor, p.ca.cert.v, list(&p.root), "OCSP answer of 'CN=Devices, O=Test': ");
	answer(&by_name, (struct ocsp_make){ .v = &s, .n = 1 }, &p.responder);		/* its certificate is missing */
	REFUSED(&by_name, p.ca.cert.v, list(&p.root), "OCSP answer is of 'CN=Responder, O=Test', whose certificate did not come along");
	answer(&by_key, (struct ocsp_make){ .v = &s, .n = 1, .by_key = true }, &p.responder);
	REFUSED(&by_key, p.ca.cert.v, list(&p.root), "OCSP answer is of the key with hash ");
	answer(&foreign, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &strange_responder);
	REFUSED(&foreign, p.ca.cert.v, list(&p.root),
		"OCSP responder 'CN=Responder, O=Test' was issued by 'CN=Stranger', neither 'CN=Devices, O=Test' nor a CA above it");
}

/* The impostor brings its own certificate with the issuer's name. */
TEST(ocsp_that_brings_another_ca_of_the_same_name_is_refused)
{
	AUTO_PKI p = { 0 };
	AUTO_NODE impostor = { 0 }, its_responder = { 0 };
	AUTO_OCSP o = { 0 }, d = { 0 };
	struct ocsp_make_entry s;

	pki_make(&p);
	node_make(&impostor, "CN=Devices,O=Test", NULL, (struct how){ .ca = true, .purpose = OCSP_SIGNING });
	node_make(&its_responder, "CN=Responder,O=Test", &impostor, (struct how){ .purpose = OCSP_SIGNING });
	s = good(&p.leaf, &p.ca);
	answer(&o, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &impostor);
	REFUSED(&o, p.ca.cert.v, list(&p.root), "certificate 'CN=Devices, O=Test' may not sign OCSP answers (key usage)");
	answer(&d, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &its_responder);
	REFUSED(&d, p.ca.cert.v, list(&p.root), "certificate 'CN=Responder, O=Test'");
}

TEST(ocsp_responder_needs_its_purpose_by_name)
{
	static const struct { const char *one, *two; bool may; } t[] = {
		{ NULL, NULL, false }, { ANY_PURPOSE, NULL, false }, { "1.3.6.1.5.5.7.3.1", NULL, false }, { OCSP_SIGNING, NULL, true },
		{ "1.3.6.1.5.5.7.3.1", OCSP_SIGNING, true },
	};
	AUTO_PKI p = { 0 };
	struct ocsp_make_entry s;

	pki_make(&p);
	s = good(&p.leaf, &p.ca);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_NODE r = { 0 };
		AUTO_OCSP o = { 0 };

		node_make(&r, "CN=r", &p.ca, (struct how){ .purpose = t[i].one, .purpose2 = t[i].two });
		answer(&o, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &r);
		if (t[i].may)
			WORKS(ocsp_signed(&o, p.ca.cert.v, NULL, NOW, &e));
		else
			REFUSED(&o, p.ca.cert.v, NULL, "certificate 'CN=r' may not sign OCSP answers (extended key usage)");
	}
}

TEST(ocsp_responder_is_valid_now)
{
	AUTO_PKI p = { 0 };
	AUTO_NODE old = { 0 }, new = { 0 };
	AUTO_OCSP o = { 0 }, n = { 0 };
	struct ocsp_make_entry s;

	pki_make(&p);
	node_make(&old, "CN=old", &p.ca, (struct how){ .purpose = OCSP_SIGNING, .to = NOW - 1 });
	node_make(&new, "CN=new", &p.ca, (struct how){ .purpose = OCSP_SIGNING, .from = NOW + 1 });
	s = good(&p.leaf, &p.ca);
	answer(&o, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &old);
	REFUSED(&o, p.ca.cert.v, NULL, "certificate 'CN=old' has expired: valid from ");
	WORKS(ocsp_signed(&o, p.ca.cert.v, NULL, NOW - 1, &e));
	answer(&n, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &new);
	REFUSED(&n, p.ca.cert.v, NULL, "certificate 'CN=new' is not yet valid: from ");
	WORKS(ocsp_signed(&n, p.ca.cert.v, NULL, NOW + 1, &e));
}

TEST(ocsp_responder_of_a_ca_above_counts_and_of_one_below_does_not)
{
	AUTO_PKI p = { 0 };
	AUTO_NODE above = { 0 }, below_ca = { 0 }, below = { 0 }, by_leaf = { 0 };
	AUTO_OCSP a = { 0 }, b = { 0 }, l = { 0 };
	struct ocsp_make_entry s;

	pki_make(&p);
	node_make(&above, "CN=above", &p.root, (struct how){ .purpose = OCSP_SIGNING });
	node_make(&below_ca, "CN=Below", &p.ca, (struct how){ .ca = true });
	node_make(&below, "CN=below", &below_ca, (struct how){ .purpose = OCSP_SIGNING });
	node_make(&by_leaf, "CN=by leaf", &p.leaf, (struct how){ .purpose = OCSP_SIGNING });
	s = good(&p.leaf, &p.ca);
	answer(&a, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &above);
	WORKS(ocsp_signed(&a, p.ca.cert.v, list(&p.root), NOW, &e));
	REFUSED(&a, p.ca.cert.v, NULL, "OCSP responder 'CN=above' was issued by 'CN=Root, O=Test', neither 'CN=Devices, O=Test' nor a CA above it");
	answer(&b, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &below);
	REFUSED(&b, p.ca.cert.v, list(&p.root), "OCSP responder 'CN=below' was issued by 'CN=Below'");
	answer(&l, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &by_leaf);
	REFUSED(&l, p.ca.cert.v, list(&p.root), "OCSP responder 'CN=by leaf' was issued by 'CN=device 1'");
	s = good(&p.ca, &p.root);		/* of the CA itself: its own responder stands below */
	{
		AUTO_OCSP own = { 0 };
		struct ocsp_entry seen;

		answer(&own, (struct ocsp_make){ .v = &s, .n = 1, .with_cert = true }, &p.responder);
		OK(ocsp_about(&seen, &own, p.ca.cert.v, p.root.cert.v));
		REFUSED(&own, p.root.cert.v, NULL, "OCSP responder 'CN=Responder, O=Test' was issued by 'CN=Devices, O=Test', neither 'CN=Root, O=Test'");
	}
}

/* --- when it counts ------------------------------------------------------------------------------------------- */

TEST(ocsp_window_to_the_second)
{
	static const struct { int64_t this_, next, produced, now; const char *why; } t[] = {
		{ NOW, NOW + DAY, NOW, NOW, NULL },
		{ NOW, NOW + DAY, NOW, NOW - 300, NULL },
		{ NOW, NOW + DAY, NOW, NOW - 301, "OCSP answer is not yet valid: from 2026-02-02T02:40:00Z to 2026-02-03T02:40:00Z, the time used is "
						  "2026-02-02T02:34:59Z" },
		{ NOW, NOW + DAY, NOW, NOW + DAY + 300, NULL },
		{ NOW, NOW + DAY, NOW, NOW + DAY + 301, "OCSP answer has expired: valid from 2026-02-02T02:40:00Z to 2026-02-03T02:40:00Z, the time "
							"used is 2026-02-03T02:45:01Z" },
		{ NOW, 0, NOW, NOW + 3600, NULL },
		{ NOW, 0, NOW, NOW + 3601, "OCSP answer has expired: valid from 2026-02-02T02:40:00Z to 2026-02-02T03:40:00Z (one hour: it names no "
					   "next update), the time used is 2026-02-02T03:40:01Z" },
		{ NOW, 0, NOW, NOW - 300, NULL },
		{ NOW, 0, NOW, NOW - 301, "not yet valid" },
		{ NOW, NOW, NOW, NOW, NULL },
		{ NOW - DAY, NOW + DAY, NOW + 300, NOW, NULL },
		{ NOW - DAY, NOW + DAY, NOW + 301, NOW, "OCSP answer was produced at 2026-02-02T02:45:01Z, later than the time used, 2026-02-02T02:40:00Z" },
	};
	AUTO_PKI p = { 0 };

	pki_make(&p);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct ocsp_make_entry s = good(&p.leaf, &p.ca);
		struct ocsp_entry seen = { 0 };
		AUTO_OCSP o = { 0 };

		s.this_update = t[i].this_;
		s.next_update = t[i].next;
		answer(&o, (struct ocsp_make){ .v = &s, .n = 1, .produced_at = t[i].produced }, &p.ca);
		OK(ocsp_about(&seen, &o, p.leaf.cert.v, p.ca.cert.v));
		if (t[i].why) {
			struct err e = { 0 };

			EQ(ocsp_current(&o, &seen, t[i].now, &e), -1);
			EQ(e.code, EC_REFUSED);
			HAS(e.msg, t[i].why);
		} else {
			WORKS(ocsp_current(&o, &seen, t[i].now, &e));
		}
	}
}

/* --- form ----------------------------------------------------------------------------------------------------- */

TEST(ocsp_error_answers_say_which)
{
	static const struct { const char *der; size_t n; unsigned status; const char *word; } t[] = {
		{ "\x30\x03\x0a\x01\x01", 5, 1, "malformedRequest" }, { "\x30\x03\x0a\x01\x02", 5, 2, "internalError" },
		{ "\x30\x03\x0a\x01\x03", 5, 3, "tryLater" }, { "\x30\x03\x0a\x01\x04", 5, 4, "unnamed" }, { "\x30\x03\x0a\x01\x05", 5, 5, "sigRequired" },
		{ "\x30\x03\x0a\x01\x06", 5, 6, "unauthorized" }, { "\x30\x03\x0a\x01\x7f", 5, 127, "unnamed" },
	};
	AUTO_PKI p = { 0 };

	pki_make(&p);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		AUTO_OCSP o = { 0 };
		struct ocsp_entry seen;

		WORKS(ocsp_parse(&o, slice_of(t[i].der, t[i].n), &e));
		EQ(o.response_status, t[i].status);
		STR(ocsp_response_status_word(o.response_status), t[i].word);
		EQ(o.entries, 0);
		OK(!ocsp_about(&seen, &o, p.leaf.cert.v, p.ca.cert.v));
		REFUSED(&o, p.ca.cert.v, NULL, "OCSP answer is an error (");
	}
	{
		AUTO_OCSP o = { 0 };

		FAILS(ocsp_parse(&o, SLICE("\x30\x03\x0a\x01\x00"), &e), EC_FORMAT);			/* successful, and nothing in it */
		FAILS(ocsp_parse(&o, SLICE("\x30\x03\x0a\x01\x80"), &e), EC_FORMAT);			/* negative */
		FAILS(ocsp_parse(&o, SLICE("\x30\x04\x0a\x02\x00\x01"), &e), EC_FORMAT);
		FAILS(ocsp_parse(&o, SLICE("\x30\x07\x0a\x01\x03\xa0\x02\x30\x00"), &e), EC_FORMAT);	/* an error that says more */
		FAILS(ocsp_parse(&o, SLICE(""), &e), EC_FORMAT);
		OK(!o.ctx);
	}
}

TEST(ocsp_extensions_twice_or_critical_are_refused)
{
	static const struct cert_make_ext unknown = { "1.2.3.4", true, { (const uint8_t *)"\x05\x00", 2 } };
	static const struct cert_make_ext harmless = { "1.2.3.4", false, { (const uint8_t *)"\x05\x00", 2 } };
	static const struct cert_make_ext nonce = { "1.3.6.1.5.5.7.48.1.2", false, { (const uint8_t *)"\x04\x01x", 3 } };
	static const struct cert_make_ext empty = { "1.3.6.1.5.5.7.48.1.2", false, { (const uint8_t *)"\x04\x00", 2 } };
	const struct cert_make_ext twice[] = { harmless, harmless }, cutoff[] = { { "1.3.6.1.5.5.7.48.1.6", true, SLICE("x") } };
	AUTO_PKI p = { 0 };
	struct ocsp_make_entry s;
	const struct { struct ocsp_make m; const char *why; } t[] = {
		{ { .exts = &harmless, .n_exts = 1, .entry_exts = &harmless, .n_entry_exts = 1 }, NULL },
		{ { .entry_exts = cutoff, .n_entry_exts = 1 }, NULL },
		{ { .exts = &nonce, .n_exts = 1 }, NULL },
		{ { .exts = &unknown, .n_exts = 1 }, "OCSP answer has an unknown critical extension (1.2.3.4)" },
		{ { .entry_exts = &unknown, .n_entry_exts = 1 }, "OCSP answer has an unknown critical extension (1.2.3.4)" },
		{ { .exts = cutoff, .n_exts = 1 }, "OCSP answer has an unknown critical extension (1.3.6.1.5.5.7.48.1.6)" },	/* has no place there */
		{ { .exts = twice, .n_exts = 2 }, "OCSP answer is malformed (extensions)" },
		{ { .entry_exts = twice, .n_entry_exts = 2 }, "OCSP answer is malformed (entry)" },
		{ { .exts = &nonce, .n_exts = 1, .nonce = SLICE(NONCE) }, "OCSP answer is malformed (extensions)" },
		{ { .exts = &empty, .n_exts = 1 }, "OCSP answer is malformed (nonce)" },
	};

	pki_make(&p);
	s = good(&p.leaf, &p.ca);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct ocsp_make m = t[i].m;
		struct err e = { 0 };
		AUTO_BUF der = { 0 };
		AUTO_OCSP o = { 0 };
		int rc;

		m.v = &s;
		m.n = 1;
		m.signer = p.ca.cert.v;
		m.signer_key = &p.ca.key;
		m.produced_at = NOW;
		EQ(ocsp_make(&der, &m, &e), 0);
		rc = ocsp_parse(&o, buf_view(&der), &e);
		EQ(rc, t[i].why ? -1 : 0);
		if (!t[i].why)
			continue;
		EQ(e.code, EC_FORMAT);
		STR(e.msg, t[i].why);
	}
}

TEST(ocsp_next_update_before_this_update_is_malformed)
{
	AUTO_PKI p = { 0 };
	AUTO_BUF der = { 0 };
	AUTO_OCSP o = { 0 };
	struct ocsp_make_entry s;

	pki_make(&p);
	s = good(&p.leaf, &p.ca);
	s.next_update = s.this_update - 1;
	WORKS(ocsp_make(&der, &(const struct ocsp_make){ .v = &s, .n = 1, .signer = p.ca.cert.v, .signer_key = &p.ca.key, .produced_at = NOW }, &e));
	FAILS(ocsp_parse(&o, buf_view(&der), &e), EC_FORMAT);
}

static void delegated(struct buf *ret, const struct pki *p)
{
	struct ocsp_make_entry s = good(&p->leaf, &p->ca);

	s.status = OCSP_REVOKED;
	s.reason = 1;
	s.revoked_at = NOW - DAY;
	WORKS(ocsp_make(ret, &(const struct ocsp_make){ .v = &s, .n = 1, .signer = p->responder.cert.v, .signer_key = &p->responder.key,
							 .with_cert = true, .produced_at = NOW - HOUR, .nonce = SLICE(NONCE) }, &e));
}

TEST(ocsp_cut_anywhere_is_malformed)
{
	AUTO_PKI p = { 0 };
	AUTO_BUF der = { 0 };

	pki_make(&p);
	delegated(&der, &p);
	for (size_t n = 0; n < der.n; n++) {
		AUTO_OCSP o = { 0 };

		FAILS(ocsp_parse(&o, slice_of(der.p, n), &e), EC_FORMAT);
		OK(!o.ctx);
	}
	buf_byte(&der, 0);
	{
		AUTO_OCSP o = { 0 };

		FAILS(ocsp_parse(&o, buf_view(&der), &e), EC_FORMAT);
	}
}

/* The body of BasicOCSPResponse: tbsResponseData, algorithm, signature, certificates. */
static struct rd basic(const struct buf *der)
{
	struct rd r = rd_of(buf_view(der)), outer = der_open(&r, DER_SEQUENCE), bytes, in;

	der_next(&outer, &(struct der){ 0 });
	bytes = der_open(&outer, DER_EXPLICIT + 0);
	in = der_open(&bytes, DER_SEQUENCE);
	der_take(&in, DER_OID);
	in = rd_of(der_take(&in, DER_OCTET_STRING).body);
	return der_open(&in, DER_SEQUENCE);
}

TEST(ocsp_with_any_bit_changed_is_refused)
{
	AUTO_PKI p = { 0 };
	AUTO_BUF der = { 0 };
	struct rd in;
	struct slice tbs, alg, sig;
	int malformed = 0, unsigned_ = 0;

	pki_make(&p);
	delegated(&der, &p);
	in = basic(&der);
	tbs = der_take(&in, DER_SEQUENCE).all;
	alg = der_take(&in, DER_SEQUENCE).all;
	sig = der_take(&in, DER_BIT_STRING).all;
	OK(!in.bad && tbs.n > 100 && sig.n > 60);
	for (size_t bit = 0; bit < (tbs.n + alg.n + sig.n) * 8; bit++) {
		uint8_t *at = der.p + (tbs.p - der.p) + bit / 8;
		struct err e = { 0 };
		AUTO_OCSP o = { 0 };

		*at ^= (uint8_t)(1 << bit % 8);
		if (ocsp_parse(&o, buf_view(&der), &e)) {
			EQ(e.code, EC_FORMAT);
			malformed++;
		} else {
			EQ(ocsp_signed(&o, p.ca.cert.v, list(&p.root), NOW, &e), -1);
			EQ(e.code, EC_REFUSED);
			unsigned_++;
		}
		*at ^= (uint8_t)(1 << bit % 8);
		if (test_failed())
			return;
	}
	OK(malformed > 100 && unsigned_ > 500);
	{
		AUTO_OCSP o = { 0 };

		WORKS(ocsp_parse(&o, buf_view(&der), &e));
		WORKS(ocsp_signed(&o, p.ca.cert.v, list(&p.root), NOW, &e));
	}
}

/* Its certificate is not covered by the answer's signature, but by its issuer's. */
TEST(ocsp_with_a_changed_responder_certificate_is_refused)
{
	AUTO_PKI p = { 0 };
	AUTO_BUF der = { 0 };
	const uint8_t *at;

	pki_make(&p);
	delegated(&der, &p);
	at = memmem(der.p, der.n, p.responder.cert.v[0].der.p, p.responder.cert.v[0].der.n);
	OK(at != NULL);
	for (size_t i = 0; at && i < p.responder.cert.v[0].der.n; i++) {
		uint8_t *byte = der.p + (at - der.p) + i;
		struct err e = { 0 };
		AUTO_OCSP o = { 0 };

		*byte ^= 1;
		if (ocsp_parse(&o, buf_view(&der), &e) == 0)
			EQ(ocsp_signed(&o, p.ca.cert.v, list(&p.root), NOW, &e), -1);
		*byte ^= 1;
		if (test_failed())
			return;
	}
}
