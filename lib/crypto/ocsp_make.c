/* SPDX-License-Identifier: Apache-2.0 */
/* Making OCSP answers: tests are their own responder. */

#include "crypto/ocsp_int.h"

static void put_general(struct buf *ret, unsigned wrap, int64_t t)	/* UTCTime is not allowed here */
{
	AUTO_BUF time = { 0 }, general = { 0 };

	der_put_time(&time, t);
	if (time.n > 2 && time.p[0] == DER_UTC_TIME) {
		AUTO_BUF body = { 0 };

		buf_puts(&body, time.p[2] >= '5' ? "19" : "20");
		buf_slice(&body, slice_of(time.p + 2, time.n - 2));
		x509_wrap(&general, DER_GENERAL_TIME, &body);
	} else {
		buf_slice(&general, buf_view(&time));
	}
	ret->bad |= time.bad;
	if (wrap)
		x509_wrap(ret, wrap, &general);
	else
		buf_slice(ret, buf_view(&general));
}

static void put_exts(struct buf *ret, const struct cert_make_ext *x, size_t n, struct slice nonce, bool bare)
{
	AUTO_BUF all = { 0 }, list = { 0 }, value = { 0 };

	if (bare)
		buf_slice(&value, nonce);
	else
		der_put(&value, DER_OCTET_STRING, nonce);
	if (nonce.n)
		x509_ext_put(&all, OID_OCSP_NONCE, false, buf_view(&value));
	for (size_t i = 0; i < n; i++)
		x509_ext_put(&all, x[i].oid, x[i].critical, x[i].value);
	x509_wrap(&list, DER_SEQUENCE, &all);
	if (all.n)
		x509_wrap(ret, DER_EXPLICIT + 1, &list);
}

static void put_revocation(struct buf *ret, const struct ocsp_make_entry *s)
{
	const uint8_t reason[] = { DER_ENUMERATED, 1, (uint8_t)s->reason };
	AUTO_BUF in = { 0 };

	put_general(&in, 0, s->revoked_at);
	if (s->reason >= 0)
		der_put(&in, DER_EXPLICIT + 0, slice_of(reason, sizeof reason));
	x509_wrap(ret, DER_EXPLICIT + 1, &in);
}

static int put_entry(struct buf *ret, const struct ocsp_make *m, const struct ocsp_make_entry *s, struct err *e)
{
	AUTO_BUF one = { 0 };

	if (ocsp_put_id(&one, s->cert, s->issuer, m->id_hash ? m->id_hash : HASH_SHA1, e))
		return -1;
	if (s->status == OCSP_REVOKED)
		put_revocation(&one, s);
	else
		der_put(&one, DER_CONTEXT + (s->status == OCSP_GOOD ? 0 : 2), SLICE(""));
	put_general(&one, 0, s->this_update);
	if (s->next_update)
		put_general(&one, DER_EXPLICIT + 0, s->next_update);
	put_exts(&one, m->entry_exts, m->n_entry_exts, SLICE(""), false);
	x509_wrap(ret, DER_SEQUENCE, &one);
	return buf_check(ret, e);
}

static int put_responder(struct buf *ret, const struct ocsp_make *m, struct err *e)
{
	uint8_t digest[HASH_MAX];
	AUTO_BUF id = { 0 };

	if (!m->by_key) {
		der_put(ret, DER_EXPLICIT + 1, m->signer->subject);
		return 0;
	}
	if (hash_of(digest, HASH_SHA1, cert_key_bits(m->signer), e))
		return -1;
	der_put(&id, DER_OCTET_STRING, slice_of(digest, hash_size(HASH_SHA1)));
	x509_wrap(ret, DER_EXPLICIT + 2, &id);
	return 0;
}

static int put_data(struct buf *ret, const struct ocsp_make *m, struct err *e)
{
	AUTO_BUF data = { 0 }, entries = { 0 };

	if (put_responder(&data, m, e))
		return -1;
	put_general(&data, 0, m->produced_at);
	for (size_t i = 0; i < m->n; i++)
		if (put_entry(&entries, m, &m->v[i], e))
			return -1;
	x509_wrap(&data, DER_SEQUENCE, &entries);
	put_exts(&data, m->exts, m->n_exts, m->nonce, m->bare_nonce);
	x509_wrap(ret, DER_SEQUENCE, &data);
	return buf_check(ret, e);
}

int ocsp_make(struct buf *ret_der, const struct ocsp_make *m, struct err *e)
{
	const struct x509_maker how = x509_maker_for(m->signer_key, false);
	AUTO_BUF basic = { 0 }, sig = { 0 }, certs = { 0 }, whole = { 0 }, bytes = { 0 }, typed = { 0 }, answer = { 0 };

	if (put_data(&basic, m, e) || sig_sign(&sig, m->signer_key, how.form, how.hash, buf_view(&basic), e))
		return -1;
	x509_alg_put(&basic, &how);
	der_put_bits(&basic, buf_view(&sig));
	der_put(&certs, DER_SEQUENCE, m->signer->der);
	if (m->with_cert)
		x509_wrap(&basic, DER_EXPLICIT + 0, &certs);
	x509_wrap(&whole, DER_SEQUENCE, &basic);
	der_put_oid(&bytes, OID_OCSP_BASIC);
	x509_wrap(&bytes, DER_OCTET_STRING, &whole);
	x509_wrap(&typed, DER_SEQUENCE, &bytes);
	der_put(&answer, DER_ENUMERATED, slice_of("", 1));
	x509_wrap(&answer, DER_EXPLICIT + 0, &typed);
	x509_wrap(ret_der, DER_SEQUENCE, &answer);
	return buf_check(ret_der, e);
}
