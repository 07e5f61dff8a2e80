/* SPDX-License-Identifier: Apache-2.0 */
/* What a responder says about certificates: asking, reading the answer, and who may have signed it. */

#include "base/host.h"
#include "crypto/ocsp_int.h"

#define RESPONDERS_MAX 4	/* certificates of one answer that may be its signer's: each costs a verification */

struct ocsp_parts {		/* behind ocsp.ctx; the slices point into der[] */
	struct slice tbs, sig_alg, sig, certs;	/* certs: body */
	struct der responder;		/* [1]: Name; [2]: hash of the key */
	struct slice responses;		/* body */
	struct slice strange;		/* OID of a critical extension that is not understood */
	size_t n;
	uint8_t der[];
};

static const struct ocsp_parts *inside(const struct ocsp *o)
{
	return o->ctx;
}

void ocsp_free(struct ocsp *o)
{
	free(o->ctx);
	certs_free(&o->certs);
	*o = (struct ocsp){ 0 };
}

/* --- words ------------------------------------------------------------------------------------------------- */

const char *ocsp_status_word(enum ocsp_status s)
{
	return s == OCSP_GOOD ? "good" : s == OCSP_REVOKED ? "revoked" : "unknown";
}

static const char *word(const char *const *table, size_t n, unsigned i)
{
	return i < n && table[i] ? table[i] : "unnamed";
}

const char *ocsp_reason_word(unsigned reason)
{
	static const char *const words[] = { "unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
					     "cessationOfOperation", "certificateHold", NULL, "removeFromCRL", "privilegeWithdrawn",
					     "aACompromise" };

	return word(words, sizeof words / sizeof words[0], reason);
}

const char *ocsp_response_status_word(unsigned s)
{
	static const char *const words[] = { "successful", "malformedRequest", "internalError", "tryLater", NULL, "sigRequired",
					     "unauthorized" };

	return word(words, sizeof words / sizeof words[0], s);
}

/* --- the name of a certificate (RFC 6960 4.1.1) --------------------------------------------------------------- */

static bool put_hash(struct buf *ret, enum hash h, struct slice of, struct err *e)
{
	uint8_t digest[HASH_MAX];

	if (hash_of(digest, h, of, e))
		return false;
	der_put(ret, DER_OCTET_STRING, slice_of(digest, hash_size(h)));
	return true;
}

int ocsp_put_id(struct buf *ret, const struct cert *c, const struct cert *issuer, enum hash h, struct err *e)
{
	const struct slice key = cert_key_bits(issuer);
	AUTO_BUF id = { 0 };

	if (h != HASH_SHA1 && h != HASH_SHA256 && h != HASH_SHA384)
		return err_set(e, EC_BUG, "OCSP request by another hash than SHA-1, SHA-256 or SHA-384");
	if (!key.n)
		return err_set(e, EC_FORMAT, "key of certificate '%s' is malformed", x509_label(issuer->subject).text);
	x509_hash_put(&id, h);
	if (!put_hash(&id, h, issuer->subject, e) || !put_hash(&id, h, key, e))
		return -1;
	der_put(&id, DER_INTEGER, c->serial);
	x509_wrap(ret, DER_SEQUENCE, &id);
	return buf_check(ret, e);
}

/* The number without the bytes that say nothing: some makers write one zero too many into their certificates. */
static struct slice number(struct slice n)
{
	while (n.n > 1 && n.p[0] == 0 && n.p[1] < 0x80)
		n = slice_of(n.p + 1, n.n - 1);
	return n;
}

static bool hash_is(struct slice seen, enum hash h, struct slice of)
{
	uint8_t digest[HASH_MAX];

	return !hash_of(digest, h, of, NULL) && slice_eq(seen, slice_of(digest, hash_size(h)));
}

/* The cheap question first: an answer may hold many entries. */
static bool names(struct rd id, const struct cert *c, const struct cert *issuer)
{
	const enum hash h = x509_hash_read(&id);
	const struct slice name = der_take(&id, DER_OCTET_STRING).body, key = der_take(&id, DER_OCTET_STRING).body;
	const struct slice serial = der_take(&id, DER_INTEGER).body;
	struct slice bits;

	if (!der_done(&id) || (h != HASH_SHA1 && h != HASH_SHA256 && h != HASH_SHA384) || !slice_eq(number(serial), number(c->serial)))
		return false;
	bits = cert_key_bits(issuer);
	return bits.n && hash_is(name, h, issuer->subject) && hash_is(key, h, bits);
}

/* --- asking (4.1) ------------------------------------------------------------------------------------------ */

static void put_nonce(struct buf *ret, struct slice nonce)
{
	AUTO_BUF value = { 0 }, one = { 0 }, list = { 0 };

	der_put(&value, DER_OCTET_STRING, nonce);
	x509_ext_put(&one, OID_OCSP_NONCE, false, buf_view(&value));
	x509_wrap(&list, DER_SEQUENCE, &one);
	x509_wrap(ret, DER_EXPLICIT + 2, &list);
}

int ocsp_request(struct buf *ret, const struct cert *c, const struct cert *issuer, enum hash h, struct slice nonce, struct err *e)
{
	AUTO_BUF id = { 0 }, one = { 0 }, list = { 0 }, tbs = { 0 }, all = { 0 };

	if (!slice_eq(c->issuer, issuer->subject))
		return err_set(e, EC_USAGE, "cannot ask about certificate '%s': '%s' is not its issuer", x509_label(c->subject).text,
			       x509_label(issuer->subject).text);
	if (nonce.n > OCSP_NONCE_MAX)
		return err_set(e, EC_USAGE, "OCSP nonce is %zu bytes, at most %d", nonce.n, OCSP_NONCE_MAX);
	if (ocsp_put_id(&id, c, issuer, h, e))
		return -1;
	x509_wrap(&one, DER_SEQUENCE, &id);
	x509_wrap(&list, DER_SEQUENCE, &one);
	buf_slice(&tbs, buf_view(&list));
	if (nonce.n)
		put_nonce(&tbs, nonce);
	x509_wrap(&all, DER_SEQUENCE, &tbs);
	if (buf_check(&list, e) || buf_check(&all, e))
		return -1;
	x509_wrap(ret, DER_SEQUENCE, &all);
	return buf_check(ret, e);
}

/* --- one entry (4.2.1) ----------------------------------------------------------------------------------------- */

/* What only describes: archive cutoff, CRL references; the reason and so on of a list's entry may stand here too. */
static const char *const known_of_entry[] = { "1.3.6.1.5.5.7.48.1.6", "1.3.6.1.5.5.7.48.1.3", "2.5.29.21", "2.5.29.24", NULL };
/* The nonce, and "extended revoke" (4.4.8), which only says what an unissued certificate's status is. */
static const char *const known_of_answer[] = { OID_OCSP_NONCE, "1.3.6.1.5.5.7.48.1.9", NULL };

static int64_t general_time(struct rd *r)
{
	if (!der_peek(r, DER_GENERAL_TIME))
		r->bad = true;
	return der_time(r);
}

static unsigned enumerated(struct rd *r)
{
	const struct slice b = der_take(r, DER_ENUMERATED).body;

	if (r->bad || b.n != 1 || b.p[0] >= 0x80) {
		r->bad = true;
		return 0;
	}
	return b.p[0];
}

static void take_revocation(struct ocsp_entry *ret, struct rd *r)
{
	struct rd in = der_open(r, DER_EXPLICIT + 1), reason;

	ret->status = OCSP_REVOKED;
	ret->revoked_at = general_time(&in);
	if (der_peek(&in, DER_EXPLICIT + 0)) {
		reason = der_open(&in, DER_EXPLICIT + 0);
		ret->has_reason = true;
		ret->reason = enumerated(&reason);
		r->bad |= !der_done(&reason);
	}
	r->bad |= !der_done(&in);
}

static void take_status(struct ocsp_entry *ret, struct rd *r)
{
	if (der_peek(r, DER_EXPLICIT + 1)) {
		take_revocation(ret, r);
		return;
	}
	ret->status = der_peek(r, DER_CONTEXT + 0) ? OCSP_GOOD : OCSP_UNKNOWN;
	if (der_take(r, DER_CONTEXT + (ret->status == OCSP_GOOD ? 0 : 2)).body.n)
		r->bad = true;
}

/* id: behind the call a cursor over the body of CertID. */
static bool take_entry(struct ocsp_entry *ret, struct rd *id, struct slice *strange, struct rd *r)
{
	struct ocsp_entry s = { 0 };
	struct rd one = der_open(r, DER_SEQUENCE), in;

	*id = der_open(&one, DER_SEQUENCE);
	take_status(&s, &one);
	s.this_update = general_time(&one);
	if (der_peek(&one, DER_EXPLICIT + 0)) {
		in = der_open(&one, DER_EXPLICIT + 0);
		s.next_update = general_time(&in);
		if (!der_done(&in) || s.next_update < s.this_update)
			one.bad = true;
	}
	if (der_peek(&one, DER_EXPLICIT + 1)) {
		in = der_open(&one, DER_EXPLICIT + 1);
		if (!x509_extensions(der_take(&in, DER_SEQUENCE).body, known_of_entry, strange) || !der_done(&in))
			one.bad = true;
	}
	if (!der_done(&one))
		return false;
	*ret = s;
	return true;
}

/* A hash that is not known here only makes the entry speak of nothing that is asked for. */
static bool is_id(struct rd id)
{
	x509_hash_read(&id);
	der_take(&id, DER_OCTET_STRING);
	der_take(&id, DER_OCTET_STRING);
	return der_take(&id, DER_INTEGER).body.n > 0 && der_done(&id);
}

/* --- the answer (4.2.1) ----------------------------------------------------------------------------------------- */

/* RFC 8954 puts an OCTET STRING into the extension's own; older software writes the bare bytes. */
static bool take_nonce(struct ocsp *o, struct slice exts)
{
	const struct slice value = x509_extension(exts, OID_OCSP_NONCE);
	struct rd r = rd_of(value);

	if (!value.p)
		return true;
	o->nonce = value;
	if (der_is_one(value) && der_peek(&r, DER_OCTET_STRING))
		o->nonce = der_take(&r, DER_OCTET_STRING).body;
	return o->nonce.n > 0;
}

static bool take_responder(struct ocsp_parts *p, struct rd *r)
{
	struct rd in;

	if (!der_next(r, &p->responder))
		return false;
	in = rd_of(p->responder.body);
	if (p->responder.tag == DER_EXPLICIT + 1)
		der_take(&in, DER_SEQUENCE);
	else if (p->responder.tag != DER_EXPLICIT + 2 || der_take(&in, DER_OCTET_STRING).body.n != hash_size(HASH_SHA1))
		return false;
	return der_done(&in);
}

static const char *take_entries(struct ocsp *o, struct ocsp_parts *p)
{
	struct rd r = rd_of(p->responses), id;
	struct ocsp_entry s;

	while (rd_left(&r)) {
		if (!take_entry(&s, &id, &p->strange, &r) || !is_id(id))
			return "entry";
		o->entries++;
	}
	return NULL;
}

static const char *walk_tbs(struct ocsp *o, struct ocsp_parts *p)
{
	struct rd outer = rd_of(p->tbs), r = der_open(&outer, DER_SEQUENCE), in;
	uint32_t version;
	const char *bad;

	if (der_peek(&r, DER_EXPLICIT + 0)) {
		in = der_open(&r, DER_EXPLICIT + 0);
		if (!der_small(&in, &version) || !der_done(&in) || version != 0)
			return "version";
	}
	if (!take_responder(p, &r))
		return "responder's name";
	o->produced_at = general_time(&r);
	p->responses = der_take(&r, DER_SEQUENCE).body;
	bad = take_entries(o, p);
	if (bad)
		return bad;
	if (der_peek(&r, DER_EXPLICIT + 1)) {
		struct slice exts;

		in = der_open(&r, DER_EXPLICIT + 1);
		exts = der_take(&in, DER_SEQUENCE).body;
		if (!der_done(&in) || !x509_extensions(exts, known_of_answer, &p->strange))
			return "extensions";
		if (!take_nonce(o, exts))
			return "nonce";
	}
	return der_done(&r) && der_done(&outer) ? NULL : "body";
}

static const char *walk_basic(struct ocsp *o, struct ocsp_parts *p, struct slice basic)
{
	struct rd outer = rd_of(basic), r = der_open(&outer, DER_SEQUENCE), in;

	p->tbs = der_take(&r, DER_SEQUENCE).all;
	p->sig_alg = der_take(&r, DER_SEQUENCE).all;
	p->sig = der_bits(&r);
	if (der_peek(&r, DER_EXPLICIT + 0)) {
		in = der_open(&r, DER_EXPLICIT + 0);
		p->certs = der_take(&in, DER_SEQUENCE).body;
		r.bad |= !der_done(&in);
	}
	if (!der_done(&r) || !der_done(&outer))
		return "basic response";
	return walk_tbs(o, p);
}

static const char *walk(struct ocsp *o, struct ocsp_parts *p)
{
	struct rd outer = rd_of(slice_of(p->der, p->n)), r = der_open(&outer, DER_SEQUENCE), in, bytes;
	struct slice type, basic;

	o->response_status = enumerated(&r);
	if (o->response_status)		/* an error comes alone (4.2.1) */
		return der_done(&r) && der_done(&outer) ? NULL : "outer structure";
	in = der_open(&r, DER_EXPLICIT + 0);
	bytes = der_open(&in, DER_SEQUENCE);
	type = der_take(&bytes, DER_OID).body;
	basic = der_take(&bytes, DER_OCTET_STRING).body;
	if (!der_done(&bytes) || !der_done(&in) || !der_done(&r) || !der_done(&outer))
		return "outer structure";
	return der_oid_is(type, OID_OCSP_BASIC) ? walk_basic(o, p, basic) : "response type: wanted a basic one";
}

static int take_certs(struct ocsp *o, struct err *e)
{
	struct rd r = rd_of(inside(o)->certs);

	while (rd_left(&r)) {
		const struct slice one = der_take(&r, DER_SEQUENCE).all;

		if (r.bad)
			return err_set(e, EC_FORMAT, "OCSP answer is malformed (certificates)");
		if (certs_parse(&o->certs, one, e))
			return err_ctx(e, "OCSP answer");
	}
	return 0;
}

/* Nobody can say what a critical extension would have changed. */
static int check_strange(const struct ocsp *o, struct err *e)
{
	AUTO_BUF oid = { 0 };

	if (!inside(o)->strange.n)
		return 0;
	der_oid_text(&oid, inside(o)->strange);
	return err_set(e, EC_FORMAT, "OCSP answer has an unknown critical extension (%s)", buf_cstr(&oid));
}

int ocsp_parse(struct ocsp *ret, struct slice der, struct err *e)
{
	struct ocsp_parts *p;
	AUTO_OCSP o = { 0 };
	const char *bad;

	if (der.n == 0 || der.n > OCSP_MAX)
		return err_set(e, EC_FORMAT, "OCSP answer is %zu bytes, wanted 1 to %zu", der.n, OCSP_MAX);
	p = calloc(1, sizeof *p + der.n);
	if (!p)
		return err_oom(e);
	p->n = der.n;
	memcpy(p->der, der.p, der.n);
	o.ctx = p;
	o.der = slice_of(p->der, p->n);
	bad = walk(&o, p);
	if (bad)
		return err_set(e, EC_FORMAT, "OCSP answer is malformed (%s)", bad);
	if (check_strange(&o, e) || take_certs(&o, e))
		return -1;
	*ret = o;
	o = (struct ocsp){ 0 };
	return 0;
}

/* --- judging ----------------------------------------------------------------------------------------------- */

bool ocsp_entry_at(struct ocsp_entry *ret, struct slice *serial, const struct ocsp *o, size_t i)
{
	struct slice strange = { NULL, 0 };
	struct rd r, id;

	if (!o->ctx || o->response_status)
		return false;
	r = rd_of(inside(o)->responses);
	do {
		if (!rd_left(&r) || !take_entry(ret, &id, &strange, &r))
			return false;
	} while (i--);
	x509_hash_read(&id);
	der_take(&id, DER_OCTET_STRING);
	der_take(&id, DER_OCTET_STRING);
	*serial = der_take(&id, DER_INTEGER).body;
	return true;
}

/* A hold may be tolerated by whoever asks, so it must not hide another revocation. */
static int badness(const struct ocsp_entry *s)
{
	if (s->status == OCSP_REVOKED)
		return s->has_reason && s->reason == OCSP_REASON_HOLD ? 2 : 3;
	return s->status == OCSP_UNKNOWN;
}

bool ocsp_about(struct ocsp_entry *ret, const struct ocsp *o, const struct cert *c, const struct cert *issuer)
{
	struct slice strange = { NULL, 0 };
	struct ocsp_entry s;
	struct rd r, id;
	bool found = false;

	if (!o->ctx || o->response_status || !slice_eq(c->issuer, issuer->subject))
		return false;
	r = rd_of(inside(o)->responses);
	while (rd_left(&r) && take_entry(&s, &id, &strange, &r)) {
		if (!names(id, c, issuer) || (found && badness(&s) <= badness(ret)))
			continue;
		*ret = s;
		found = true;
	}
	return found;
}

static bool is_responder(const struct ocsp *o, const struct cert *c)
{
	const struct der *d = &inside(o)->responder;
	struct rd r = rd_of(d->body);

	if (d->tag == DER_EXPLICIT + 1)
		return slice_eq(d->body, c->subject);
	return hash_is(der_take(&r, DER_OCTET_STRING).body, HASH_SHA1, cert_key_bits(c));
}

static int check_signature(const struct ocsp *o, const struct cert *by, struct err *e)
{
	const struct ocsp_parts *p = inside(o);
	AUTO_PUBKEY key = { 0 };

	if (cert_public(&key, by, e))
		return err_ctx(e, "key of certificate '%s'", x509_label(by->subject).text);
	if (x509_signed(p->tbs, p->sig_alg, p->sig, &key, "OCSP answer", e))
		return err_ctx(e, "OCSP answer of '%s'", x509_label(by->subject).text);
	return 0;
}

/* A delegated responder (4.2.2.2), and the one liberty that is taken: a CA above the issuer may have appointed it. */
static int check_delegation(const struct cert *c, const struct cert *issuer, const struct cert_list *above, int64_t now, struct err *e)
{
	const struct x509_label who = x509_label(c->subject);

	if (!cert_lists_purpose(c, OID_OCSP_SIGNING))
		return err_set(e, EC_REFUSED, "certificate '%s' may not sign OCSP answers (extended key usage)", who.text);
	if (parts(c)->has_key_usage && !parts(c)->sign)
		return err_set(e, EC_REFUSED, "certificate '%s' may not sign OCSP answers (key usage)", who.text);
	if (slice_eq(c->issuer, issuer->subject))
		return cert_issued(c, issuer, now, e);
	for (size_t i = 0; above && i < above->n; i++)
		if (slice_eq(c->issuer, above->v[i].subject))
			return cert_issued(c, &above->v[i], now, e);
	return err_set(e, EC_REFUSED, "OCSP responder '%s' was issued by '%s', neither '%s' nor a CA above it", who.text,
		       x509_label(c->issuer).text, x509_label(issuer->subject).text);
}

static int check_signer(const struct ocsp *o, const struct cert *c, const struct cert *issuer, const struct cert_list *above, int64_t now,
			struct err *e)
{
	if (check_signature(o, c, e))
		return -1;
	return slice_eq(c->der, issuer->der) ? 0 : check_delegation(c, issuer, above, now, e);
}

static int no_responder(const struct ocsp *o, struct err *e)
{
	const struct der *d = &inside(o)->responder;
	AUTO_BUF hex = { 0 };

	if (d->tag == DER_EXPLICIT + 1)
		return err_set(e, EC_REFUSED, "OCSP answer is of '%s', whose certificate did not come along", x509_label(d->body).text);
	buf_hex(&hex, slice_of(d->body.p + 2, d->body.n - 2));
	return err_set(e, EC_REFUSED, "OCSP answer is of the key with hash %s, whose certificate did not come along", buf_cstr(&hex));
}

/* Who asks chooses the nonce, so a responder that signs SHA-1 could be led into signing half of a collision. */
static int check_algorithm(const struct ocsp *o, struct err *e)
{
	struct x509_alg a;

	if (x509_alg_read(&a, inside(o)->sig_alg, "OCSP answer", e))
		return -1;
	return a.hash != HASH_SHA1 ? 0 : err_set(e, EC_REFUSED, "OCSP answer is signed with SHA-1, wanted SHA-256 or better");
}

/* An algorithm or a key that cannot be read signs nothing. */
static int refused(struct err *e)
{
	if (e && e->code == EC_FORMAT)
		e->code = EC_REFUSED;
	return -1;
}

int ocsp_signed(const struct ocsp *o, const struct cert *issuer, const struct cert_list *above, int64_t now, struct err *e)
{
	size_t tried = 0;

	if (!o->ctx || o->response_status)
		return err_set(e, EC_REFUSED, "OCSP answer is an error (%s), nobody signed it", ocsp_response_status_word(o->response_status));
	if (check_algorithm(o, e))
		return refused(e);
	if (is_responder(o, issuer)) {
		tried++;
		if (check_signer(o, issuer, issuer, above, now, e) == 0)
			return 0;
	}
	for (size_t i = 0; i < o->certs.n && tried < RESPONDERS_MAX; i++) {
		if (!is_responder(o, &o->certs.v[i]) || slice_eq(o->certs.v[i].der, issuer->der))
			continue;
		tried++;
		if (check_signer(o, &o->certs.v[i], issuer, above, now, e) == 0)
			return 0;
	}
	return tried ? refused(e) : no_responder(o, e);
}

int ocsp_current(const struct ocsp *o, const struct ocsp_entry *s, int64_t now, struct err *e)
{
	const int64_t end = s->next_update ? s->next_update + OCSP_SKEW : s->this_update + OCSP_NO_NEXT_UPDATE;
	char from[32], to[32], at[32];

	time_format(from, s->this_update);
	time_format(to, s->next_update ? s->next_update : end);
	time_format(at, now);
	if (now < s->this_update - OCSP_SKEW)
		return err_set(e, EC_REFUSED, "OCSP answer is not yet valid: from %s to %s, the time used is %s", from, to, at);
	if (now > end)
		return err_set(e, EC_REFUSED, "OCSP answer has expired: valid from %s to %s%s, the time used is %s", from, to,
			       s->next_update ? "" : " (one hour: it names no next update)", at);
	if (now < o->produced_at - OCSP_SKEW) {
		time_format(from, o->produced_at);
		return err_set(e, EC_REFUSED, "OCSP answer was produced at %s, later than the time used, %s", from, at);
	}
	return 0;
}

void ocsp_window(int64_t *from, int64_t *until, const struct ocsp *o)
{
	struct slice strange = { NULL, 0 };
	struct ocsp_entry s;
	struct rd r, id;

	*from = *until = 0;
	if (!o->ctx || o->response_status)
		return;
	r = rd_of(inside(o)->responses);
	for (bool first = true; rd_left(&r) && take_entry(&s, &id, &strange, &r); first = false) {
		const int64_t end = s.next_update ? s.next_update : s.this_update + OCSP_NO_NEXT_UPDATE;

		*from = first || s.this_update > *from ? s.this_update : *from;
		*until = first || end < *until ? end : *until;
	}
}
