/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: reading, writing, making.  A key that gets a type here has passed all checks, so the rest of the room need not
 * ask again: known curve, point on the curve, RSA of 2048 to 8192 bits, private part fitting the public one. */

#include "codec/der.h"
#include "codec/pem.h"
#include "crypto/key_int.h"

static const struct {
	const char *name;
	mbedtls_ecp_group_id id;
	unsigned bits;
	size_t coord;
} kinds[] = {
	[KEY_NONE] = { "no key", MBEDTLS_ECP_DP_NONE, 0, 0 },
	[KEY_EC_P256] = { "EC P-256", MBEDTLS_ECP_DP_SECP256R1, 256, 32 },
	[KEY_EC_P384] = { "EC P-384", MBEDTLS_ECP_DP_SECP384R1, 384, 48 },
	[KEY_EC_P521] = { "EC P-521", MBEDTLS_ECP_DP_SECP521R1, 521, 66 },
	[KEY_RSA] = { "RSA", MBEDTLS_ECP_DP_NONE, 0, 0 },
};

const char *key_type_name(enum key_type t)
{
	return kinds[(unsigned)t <= KEY_RSA ? t : KEY_NONE].name;
}

size_t key_type_coord(enum key_type t)
{
	return kinds[(unsigned)t <= KEY_RSA ? t : KEY_NONE].coord;
}

/* --- contexts ------------------------------------------------------------------------------------------ */

static void pk_drop(mbedtls_pk_context **pk)
{
	if (*pk) {
		mbedtls_pk_free(*pk);	/* wipes all numbers */
		free(*pk);
	}
	*pk = NULL;
}
#define AUTO_PK __attribute__((cleanup(pk_drop))) mbedtls_pk_context

static mbedtls_pk_context *pk_new(mbedtls_pk_type_t type, struct err *e)
{
	mbedtls_pk_context *pk = calloc(1, sizeof *pk);

	if (!pk) {
		err_oom(e);
		return NULL;
	}
	mbedtls_pk_init(pk);
	if (type != MBEDTLS_PK_NONE && mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(type))) {
		pk_drop(&pk);
		err_oom(e);
	}
	return pk;
}

static int check_rsa(mbedtls_pk_context *pk, unsigned *bits, struct err *e)
{
	const mbedtls_rsa_context *rsa = mbedtls_pk_rsa(*pk);
	const size_t n = mbedtls_mpi_bitlen(&rsa->N);

	if (n < RSA_MIN_BITS || n > RSA_MAX_BITS)
		return err_set(e, EC_FORMAT, "RSA key has %zu bits, wanted %d to %d", n, RSA_MIN_BITS, RSA_MAX_BITS);
	/* A huge exponent makes a verification cost as much as a signature. */
	if (mbedtls_mpi_bitlen(&rsa->E) > 64 || mbedtls_rsa_check_pubkey(rsa))
		return err_set(e, EC_FORMAT, "RSA key is not valid (modulus or exponent)");
	*bits = (unsigned)n;
	return 0;
}

static int check_ec(mbedtls_pk_context *pk, enum key_type *type, unsigned *bits, struct err *e)
{
	const mbedtls_ecp_keypair *ec = mbedtls_pk_ec(*pk);

	for (int t = KEY_EC_P256; t <= KEY_EC_P521; t++) {
		if (kinds[t].id != ec->grp.id)
			continue;
		if (mbedtls_ecp_check_pubkey(&ec->grp, &ec->Q))
			return err_set(e, EC_FORMAT, "public point is not on curve %s", kinds[t].name);
		*type = (enum key_type)t;
		*bits = kinds[t].bits;
		return 0;
	}
	return err_set(e, EC_FORMAT, "key is on a curve other than P-256, P-384 and P-521");
}

static int check_key(mbedtls_pk_context *pk, enum key_type *type, unsigned *bits, struct err *e)
{
	switch (mbedtls_pk_get_type(pk)) {
	case MBEDTLS_PK_RSA:
		*type = KEY_RSA;
		return check_rsa(pk, bits, e);
	case MBEDTLS_PK_ECKEY:
		return check_ec(pk, type, bits, e);
	default:
		return err_set(e, EC_FORMAT, "key is neither RSA nor EC on P-256, P-384, P-521");
	}
}

static int finish_public(struct pubkey *ret, mbedtls_pk_context **pk, struct err *e)
{
	struct pubkey k = { 0 };

	if (check_key(*pk, &k.type, &k.bits, e))
		return -1;
	k.ctx = *pk;
	*pk = NULL;
	pubkey_free(ret);
	*ret = k;
	return 0;
}

void pubkey_free(struct pubkey *k)
{
	mbedtls_pk_context *pk = k->ctx;

	pk_drop(&pk);
	*k = (struct pubkey){ 0 };
}

void privkey_free(struct privkey *k)
{
	mbedtls_pk_context *pk = k->ctx;

	pk_drop(&pk);
	*k = (struct privkey){ 0 };
}

/* --- public keys --------------------------------------------------------------------------------------- */

static int parse_spki(struct pubkey *ret, struct slice der, struct err *e)
{
	AUTO_BUF copy = { 0 };		/* mbedtls wants bytes it could write to */
	AUTO_PK *pk = NULL;
	unsigned char *p;
	int rc;

	if (!der_is_one(der))
		return err_set(e, EC_FORMAT, "public key is not DER (SubjectPublicKeyInfo)");
	buf_slice(&copy, der);
	if (buf_check(&copy, e))
		return -1;
	pk = pk_new(MBEDTLS_PK_NONE, e);
	if (!pk)
		return -1;
	p = copy.p;
	rc = mbedtls_pk_parse_subpubkey(&p, copy.p + copy.n, pk);
	if (rc)
		return mbed_fail(e, EC_FORMAT, rc, "cannot read public key");
	return finish_public(ret, &pk, e);
}

static int parse_pkcs1(struct pubkey *ret, struct slice der, struct err *e)	/* RFC 8017 A.1.1 */
{
	struct rd r = rd_of(der), seq = der_open(&r, DER_SEQUENCE);
	const struct slice n = der_uint(&seq), ex = der_uint(&seq);

	if (!der_done(&seq) || !der_done(&r))
		return err_set(e, EC_FORMAT, "RSA public key is not DER (RSAPublicKey)");
	return pubkey_from_rsa(ret, n, ex, e);
}

static int parse_pem_public(struct pubkey *ret, struct slice pem, struct err *e)
{
	struct rd r = rd_of(pem);
	struct slice label, body;

	while (pem_next(&r, &label, &body)) {
		const bool pkcs1 = slice_eqs(label, "RSA PUBLIC KEY");
		AUTO_BUF der = { 0 };

		if (!pkcs1 && !slice_eqs(label, "PUBLIC KEY"))
			continue;
		if (pem_decode(&der, body, e))
			return -1;
		return pkcs1 ? parse_pkcs1(ret, buf_view(&der), e) : parse_spki(ret, buf_view(&der), e);
	}
	return err_set(e, EC_FORMAT, "no public key in PEM text (wanted 'BEGIN PUBLIC KEY')");
}

int pubkey_parse(struct pubkey *ret, struct slice pem_or_der, struct err *e)
{
	return pem_looks_like(pem_or_der) ? parse_pem_public(ret, pem_or_der, e) : parse_spki(ret, pem_or_der, e);
}

int pubkey_from_ec(struct pubkey *ret, enum key_type t, struct slice x, struct slice y, struct err *e)
{
	const size_t n = key_type_coord(t);
	uint8_t point[1 + 2 * COORD_MAX] = { 0x04 };	/* uncompressed, SEC1 2.3.3 */
	AUTO_PK *pk = NULL;
	mbedtls_ecp_keypair *ec;
	int rc;

	if (!key_is_ec(t))
		return err_set(e, EC_BUG, "%s has no coordinates", key_type_name(t));
	if (x.n != n || y.n != n)
		return err_set(e, EC_FORMAT, "coordinates of an %s key are %zu and %zu bytes, wanted %zu", key_type_name(t), x.n,
			       y.n, n);
	memcpy(point + 1, x.p, n);
	memcpy(point + 1 + n, y.p, n);
	pk = pk_new(MBEDTLS_PK_ECKEY, e);
	if (!pk)
		return -1;
	ec = mbedtls_pk_ec(*pk);
	rc = mbedtls_ecp_group_load(&ec->grp, kinds[t].id);
	if (rc == 0)
		rc = mbedtls_ecp_point_read_binary(&ec->grp, &ec->Q, point, 1 + 2 * n);
	if (rc)
		return mbed_fail(e, EC_FORMAT, rc, "cannot take %s key", key_type_name(t));
	return finish_public(ret, &pk, e);
}

int pubkey_from_rsa(struct pubkey *ret, struct slice n, struct slice ex, struct err *e)
{
	AUTO_PK *pk = NULL;
	mbedtls_rsa_context *rsa;
	int rc;

	if (n.n == 0 || ex.n == 0 || n.n > RSA_MAX_BITS / 8 + 1 || ex.n > RSA_MAX_BITS / 8 + 1)
		return err_set(e, EC_FORMAT, "RSA modulus is %zu bytes and exponent %zu, wanted at most %d", n.n, ex.n,
			       RSA_MAX_BITS / 8);
	pk = pk_new(MBEDTLS_PK_RSA, e);
	if (!pk)
		return -1;
	rsa = mbedtls_pk_rsa(*pk);
	rc = mbedtls_rsa_import_raw(rsa, n.p, n.n, NULL, 0, NULL, 0, NULL, 0, ex.p, ex.n);
	if (rc == 0)
		rc = mbedtls_rsa_complete(rsa);
	if (rc)
		return mbed_fail(e, EC_FORMAT, rc, "cannot take RSA key");
	return finish_public(ret, &pk, e);
}

int pubkey_ec_xy(uint8_t *x, uint8_t *y, const struct pubkey *k, struct err *e)
{
	const size_t n = key_type_coord(k->type);
	uint8_t point[1 + 2 * COORD_MAX];
	size_t len;
	int rc;

	if (!key_is_ec(k->type))
		return err_set(e, EC_FORMAT, "%s has no coordinates", key_type_name(k->type));
	rc = mbedtls_ecp_point_write_binary(&pub_ec(k)->grp, &pub_ec(k)->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, point,
					    sizeof point);
	if (rc || len != 1 + 2 * n)
		return mbed_fail(e, EC_BUG, rc, "cannot write the coordinates of an %s key", key_type_name(k->type));
	memcpy(x, point + 1, n);
	memcpy(y, point + 1 + n, n);
	return 0;
}

int pubkey_rsa_ne(struct buf *n, struct buf *ex, const struct pubkey *k, struct err *e)
{
	const mbedtls_rsa_context *rsa;
	size_t n_size, e_size;
	uint8_t *np, *ep;
	int rc;

	if (k->type != KEY_RSA)
		return err_set(e, EC_FORMAT, "wanted an RSA key, is %s", key_type_name(k->type));
	rsa = pub_rsa(k);
	n_size = mbedtls_mpi_size(&rsa->N);
	e_size = mbedtls_mpi_size(&rsa->E);
	np = buf_grow(n, n_size);
	ep = buf_grow(ex, e_size);
	if (!np || !ep)
		return err_oom(e);
	rc = mbedtls_mpi_write_binary(&rsa->N, np, n_size);
	if (rc == 0)
		rc = mbedtls_mpi_write_binary(&rsa->E, ep, e_size);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot write the numbers of an RSA key") : 0;
}

static int public_der(struct buf *ret, const mbedtls_pk_context *pk, struct err *e)
{
	uint8_t der[RSA_MAX_BITS / 8 + 256];
	const int n = mbedtls_pk_write_pubkey_der(pk, der, sizeof der);

	if (n <= 0)
		return mbed_fail(e, EC_BUG, n, "cannot write a public key");
	buf_put(ret, der + sizeof der - n, (size_t)n);	/* mbedtls fills from the end */
	return buf_check(ret, e);
}

int pubkey_der(struct buf *ret, const struct pubkey *k, struct err *e)
{
	if (!k->ctx)
		return err_set(e, EC_BUG, "there is no public key to write");
	return public_der(ret, k->ctx, e);
}

int pubkey_pem(struct buf *ret, const struct pubkey *k, struct err *e)
{
	AUTO_BUF der = { 0 };

	if (pubkey_der(&der, k, e))
		return -1;
	pem_put(ret, "PUBLIC KEY", buf_view(&der));
	return buf_check(ret, e);
}

/* --- private keys -------------------------------------------------------------------------------------- */

static int finish_private(struct privkey *ret, mbedtls_pk_context **pk, struct err *e)
{
	struct privkey k = { 0 };

	if (check_key(*pk, &k.type, &k.bits, e))
		return -1;
	if (mbedtls_pk_check_pair(*pk, *pk, mbed_rng, NULL))
		return err_set(e, EC_FORMAT, "private and public part of the %s key do not belong together",
			       key_type_name(k.type));
	k.ctx = *pk;
	*pk = NULL;
	privkey_free(ret);
	*ret = k;
	return 0;
}

static int parse_private_der(struct privkey *ret, struct slice der, struct err *e)
{
	AUTO_PK *pk = NULL;
	int rc;

	if (!der_is_one(der))
		return err_set(e, EC_FORMAT, "private key is neither PEM nor DER");
	pk = pk_new(MBEDTLS_PK_NONE, e);
	if (!pk)
		return -1;
	rc = mbedtls_pk_parse_key(pk, der.p, der.n, NULL, 0, mbed_rng, NULL);
	if (rc)
		return mbed_fail(e, EC_FORMAT, rc, "cannot read private key");
	return finish_private(ret, &pk, e);
}

static bool is_private_label(struct slice label)
{
	return slice_eqs(label, "PRIVATE KEY") || slice_eqs(label, "EC PRIVATE KEY") ||
	       slice_eqs(label, "RSA PRIVATE KEY");
}

int privkey_parse(struct privkey *ret, struct slice pem_or_der, struct err *e)
{
	struct rd r = rd_of(pem_or_der);
	struct slice label, body;

	if (!pem_looks_like(pem_or_der))
		return parse_private_der(ret, pem_or_der, e);
	while (pem_next(&r, &label, &body)) {
		AUTO_BUF der = { 0 };
		int rc;

		if (slice_eqs(label, "ENCRYPTED PRIVATE KEY")) {
			err_set(e, EC_FORMAT, "private key is encrypted with a passphrase");
			return err_hint(e, "take the passphrase off first: openssl pkey -in KEY -out PLAIN");
		}
		if (!is_private_label(label))
			continue;
		rc = pem_decode(&der, body, e);
		if (rc == 0)
			rc = parse_private_der(ret, buf_view(&der), e);
		mem_wipe(der.p, der.n);
		return rc;
	}
	return err_set(e, EC_FORMAT, "no private key in PEM text (wanted 'BEGIN PRIVATE KEY')");
}

int privkey_generate(struct privkey *ret, enum key_type t, unsigned rsa_bits, struct err *e)
{
	AUTO_PK *pk = NULL;
	int rc;

	if (!key_is_ec(t) && t != KEY_RSA)
		return err_set(e, EC_BUG, "cannot make a key of type %d", (int)t);
	if (t == KEY_RSA && (rsa_bits < RSA_MIN_BITS || rsa_bits > RSA_MAX_BITS))
		return err_set(e, EC_USAGE, "RSA key of %u bits, wanted %d to %d", rsa_bits, RSA_MIN_BITS, RSA_MAX_BITS);
	pk = pk_new(t == KEY_RSA ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY, e);
	if (!pk)
		return -1;
	if (t == KEY_RSA)
		rc = mbedtls_rsa_gen_key(mbedtls_pk_rsa(*pk), mbed_rng, NULL, rsa_bits, 65537);
	else
		rc = mbedtls_ecp_gen_key(kinds[t].id, mbedtls_pk_ec(*pk), mbed_rng, NULL);
	if (rc)
		return mbed_fail(e, EC_IO, rc, "cannot make an %s key", key_type_name(t));
	return finish_private(ret, &pk, e);
}

int privkey_pem(struct secret *ret, const struct privkey *k, struct err *e)
{
	AUTO_SECRET pem = { 0 };
	int rc;

	if (!k->ctx)
		return err_set(e, EC_BUG, "there is no private key to write");
	if (secret_alloc(&pem, 16384, e))	/* RSA 8192 takes 6.4 KB */
		return -1;
	rc = mbedtls_pk_write_key_pem(k->ctx, pem.p, pem.n);
	if (rc)
		return mbed_fail(e, EC_BUG, rc, "cannot write a private key");
	secret_shrink(&pem, strnlen((const char *)pem.p, pem.n));
	secret_give(ret, &pem);
	return 0;
}

int privkey_public(struct pubkey *ret, const struct privkey *k, struct err *e)
{
	AUTO_BUF der = { 0 };

	if (!k->ctx)
		return err_set(e, EC_BUG, "there is no private key");
	if (public_der(&der, k->ctx, e))
		return -1;
	return parse_spki(ret, buf_view(&der), e);
}
