/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures.  Every verification starts refused; the one `return 0` of each form stands behind the library's own
 * zero.  Hashes below SHA-256 are never accepted: collisions (MD5, SHA-1) make a signature say nothing. */

#include "codec/der.h"
#include "crypto/key_int.h"
#include "crypto/sig_memo.h"

#include <mbedtls/ecdsa.h>

static int refused(struct err *e, const struct pubkey *k)
{
	return err_set(e, EC_REFUSED, "signature does not hold with this %s key", key_type_name(k->type));
}

static bool out_of_memory(int rc)
{
	return rc == MBEDTLS_ERR_MPI_ALLOC_FAILED;
}

static int check_digest(enum hash h, struct slice digest, struct err *e)
{
	if (h != HASH_SHA256 && h != HASH_SHA384 && h != HASH_SHA512)
		return err_set(e, EC_REFUSED, "signature over a %s digest is not accepted, wanted sha256, sha384 or sha512",
			       hash_name(h));
	if (digest.n != hash_size(h))
		return err_set(e, EC_BUG, "digest is %zu bytes, wanted %zu for %s", digest.n, hash_size(h), hash_name(h));
	return 0;
}

/* --- ECDSA --------------------------------------------------------------------------------------------- */

struct rs {
	mbedtls_mpi r, s;
};

static void rs_free(struct rs *v)
{
	mbedtls_mpi_free(&v->r);
	mbedtls_mpi_free(&v->s);
}
#define AUTO_RS __attribute__((cleanup(rs_free))) struct rs

static int verify_rs(const struct pubkey *k, struct slice digest, struct slice r, struct slice s, struct err *e)
{
	mbedtls_ecp_keypair *ec = pub_ec(k);
	AUTO_RS v;
	int rc;

	mbedtls_mpi_init(&v.r);
	mbedtls_mpi_init(&v.s);
	rc = mbedtls_mpi_read_binary(&v.r, r.p, r.n);
	if (rc == 0)
		rc = mbedtls_mpi_read_binary(&v.s, s.p, s.n);
	if (rc == 0)	/* checks 1 <= r, s < n */
		rc = mbedtls_ecdsa_verify(&ec->grp, digest.p, digest.n, &ec->Q, &v.r, &v.s);
	if (rc == 0)
		return 0;
	return out_of_memory(rc) ? err_oom(e) : refused(e, k);
}

static int verify_ecdsa_raw(const struct pubkey *k, struct slice digest, struct slice sig, struct err *e)
{
	const size_t n = key_type_coord(k->type);

	if (sig.n != 2 * n)
		return err_set(e, EC_REFUSED, "ECDSA signature is %zu bytes, wanted %zu (r || s) for %s", sig.n, 2 * n,
			       key_type_name(k->type));
	return verify_rs(k, digest, slice_of(sig.p, n), slice_of(sig.p + n, n), e);
}

static int verify_ecdsa_der(const struct pubkey *k, struct slice digest, struct slice sig, struct err *e)
{
	struct rd rd = rd_of(sig), seq = der_open(&rd, DER_SEQUENCE);
	const struct slice r = der_uint(&seq), s = der_uint(&seq);

	if (!der_done(&seq) || !der_done(&rd) || r.n > key_type_coord(k->type) || s.n > key_type_coord(k->type))
		return err_set(e, EC_REFUSED, "ECDSA signature is not DER of two numbers that fit %s", key_type_name(k->type));
	return verify_rs(k, digest, r, s, e);
}

static int sign_ecdsa(uint8_t *raw, const struct privkey *k, enum hash h, struct slice digest, struct err *e)
{
	mbedtls_ecp_keypair *ec = priv_ec(k);
	const size_t n = key_type_coord(k->type);
	AUTO_RS v;
	int rc;

	mbedtls_mpi_init(&v.r);
	mbedtls_mpi_init(&v.s);
	/* RFC 6979: a weak random number can not give the key away; random bytes blind the computation only. */
	rc = mbedtls_ecdsa_sign_det_ext(&ec->grp, &v.r, &v.s, &ec->d, digest.p, digest.n, mbed_md(h), mbed_rng, NULL);
	if (rc == 0)
		rc = mbedtls_mpi_write_binary(&v.r, raw, n);
	if (rc == 0)
		rc = mbedtls_mpi_write_binary(&v.s, raw + n, n);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot sign with an %s key", key_type_name(k->type)) : 0;
}

static void put_ecdsa_der(struct buf *ret, const uint8_t *raw, size_t n)
{
	AUTO_BUF body = { 0 };

	der_put_uint(&body, slice_of(raw, n));
	der_put_uint(&body, slice_of(raw + n, n));
	ret->bad |= body.bad;
	der_put(ret, DER_SEQUENCE, buf_view(&body));
}

/* --- RSA ----------------------------------------------------------------------------------------------- */

int rsa_for(mbedtls_rsa_context *ret, const mbedtls_rsa_context *key, int padding, enum hash h, struct err *e)
{
	int rc;

	mbedtls_rsa_init(ret);
	rc = mbedtls_rsa_copy(ret, key);
	if (rc == 0)
		rc = mbedtls_rsa_set_padding(ret, padding, mbed_md(h));
	if (rc == 0)
		return 0;
	mbedtls_rsa_free(ret);
	return mbed_fail(e, EC_BUG, rc, "cannot prepare an RSA key");
}

static int check_rsa_length(const struct pubkey *k, struct slice sig, struct err *e)
{
	const size_t n = mbedtls_rsa_get_len(pub_rsa(k));

	if (sig.n != n)
		return err_set(e, EC_REFUSED, "RSA signature is %zu bytes, wanted %zu", sig.n, n);
	return 0;
}

static int verify_pkcs1(const struct pubkey *k, enum hash h, struct slice digest, struct slice sig, struct err *e)
{
	int rc;

	if (check_rsa_length(k, sig, e))
		return -1;
	rc = mbedtls_rsa_rsassa_pkcs1_v15_verify(pub_rsa(k), mbed_md(h), (unsigned)digest.n, digest.p, sig.p);
	if (rc == 0)
		return 0;
	return out_of_memory(rc) ? err_oom(e) : refused(e, k);
}

int pss_verify(const struct pubkey *k, enum hash h, size_t salt, struct slice digest, struct slice sig, struct err *e)
{
	int rc;

	if (check_digest(h, digest, e))
		return -1;
	if (k->type != KEY_RSA)
		return err_set(e, EC_REFUSED, "RSA-PSS signature, but the key is %s", key_type_name(k->type));
	if (check_rsa_length(k, sig, e))
		return -1;
	if (salt > 512)
		return err_set(e, EC_REFUSED, "RSA-PSS salt of %zu bytes is not accepted", salt);
	rc = mbedtls_rsa_rsassa_pss_verify_ext(pub_rsa(k), mbed_md(h), (unsigned)digest.n, digest.p, mbed_md(h), (int)salt,
					       sig.p);
	if (rc == 0)
		return 0;
	return out_of_memory(rc) ? err_oom(e) : refused(e, k);
}

static int sign_rsa(struct buf *ret, const struct privkey *k, enum sig_form form, enum hash h, struct slice digest,
		    struct err *e)
{
	const bool pss = form == SIG_RSA_PSS;
	mbedtls_rsa_context rsa;
	uint8_t sig[RSA_MAX_BITS / 8];
	int rc;

	if (rsa_for(&rsa, priv_rsa(k), pss ? MBEDTLS_RSA_PKCS_V21 : MBEDTLS_RSA_PKCS_V15, pss ? h : HASH_NONE, e))
		return -1;
	if (pss)
		rc = mbedtls_rsa_rsassa_pss_sign_ext(&rsa, mbed_rng, NULL, mbed_md(h), (unsigned)digest.n, digest.p,
						     (int)digest.n, sig);
	else
		rc = mbedtls_rsa_rsassa_pkcs1_v15_sign(&rsa, mbed_rng, NULL, mbed_md(h), (unsigned)digest.n, digest.p, sig);
	if (rc == 0)
		buf_put(ret, sig, mbedtls_rsa_get_len(&rsa));
	mbedtls_rsa_free(&rsa);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot sign with an RSA key") : buf_check(ret, e);
}

/* --- the forms ----------------------------------------------------------------------------------------- */

static bool form_fits(enum sig_form form, enum key_type t)
{
	switch (form) {
	case SIG_ECDSA_DER:
	case SIG_ECDSA_RAW:
		return key_is_ec(t);
	case SIG_RSA_PKCS1:
	case SIG_RSA_PSS:
		return t == KEY_RSA;
	}
	return false;
}

static int verify_ecdsa(const struct pubkey *k, enum sig_form form, enum hash h, struct slice digest, struct slice sig, struct err *e)
{
	uint8_t id[SIG_MEMO_ID];
	struct err no = { 0 };
	const bool kept = !sig_memo_id(id, k, form, h, digest, sig, &no);

	if (kept && sig_memo_has(id))
		return 0;
	if (form == SIG_ECDSA_DER ? verify_ecdsa_der(k, digest, sig, e) : verify_ecdsa_raw(k, digest, sig, e))
		return -1;
	if (kept)
		sig_memo_add(id);
	return 0;
}

int sig_verify(const struct pubkey *k, enum sig_form form, enum hash h, struct slice digest, struct slice sig,
	       struct err *e)
{
	if (check_digest(h, digest, e))
		return -1;
	if (!form_fits(form, k->type))
		return err_set(e, EC_REFUSED, "signature is of a kind that a key of type %s cannot make", key_type_name(k->type));
	switch (form) {
	case SIG_ECDSA_DER:
	case SIG_ECDSA_RAW:
		return verify_ecdsa(k, form, h, digest, sig, e);
	case SIG_RSA_PKCS1:
		return verify_pkcs1(k, h, digest, sig, e);
	case SIG_RSA_PSS:
		return pss_verify(k, h, digest.n, digest, sig, e);
	}
	return refused(e, k);
}

int sig_verify_msg(const struct pubkey *k, enum sig_form form, enum hash h, struct slice message, struct slice sig,
		   struct err *e)
{
	uint8_t digest[HASH_MAX];

	if (hash_of(digest, h, message, e))
		return -1;
	return sig_verify(k, form, h, slice_of(digest, hash_size(h)), sig, e);
}

int sig_sign(struct buf *ret, const struct privkey *k, enum sig_form form, enum hash h, struct slice message, struct err *e)
{
	uint8_t digest[HASH_MAX], raw[2 * COORD_MAX];
	const size_t n = key_type_coord(k->type);
	const struct slice d = slice_of(digest, hash_size(h));

	if (hash_of(digest, h, message, e) || check_digest(h, d, e))
		return -1;
	if (!form_fits(form, k->type))
		return err_set(e, EC_BUG, "a key of type %s cannot make this kind of signature", key_type_name(k->type));
	if (k->type == KEY_RSA)
		return sign_rsa(ret, k, form, h, d, e);
	if (sign_ecdsa(raw, k, h, d, e))
		return -1;
	if (form == SIG_ECDSA_RAW)
		buf_put(ret, raw, 2 * n);
	else
		put_ecdsa_der(ret, raw, n);
	return buf_check(ret, e);
}
