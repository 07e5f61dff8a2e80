/* SPDX-License-Identifier: Apache-2.0 */
/* Key transport: ECDH and RSA-OAEP. */

#include "crypto/key_int.h"

#include <mbedtls/ecdh.h>

int ecdh(uint8_t *z, const struct privkey *mine, const struct pubkey *theirs, struct err *e)
{
	mbedtls_ecp_keypair *ec;
	mbedtls_mpi shared;
	int rc;

	if (!key_is_ec(mine->type))
		return err_set(e, EC_BUG, "%s key cannot agree on a secret", key_type_name(mine->type));
	if (mine->type != theirs->type)
		return err_set(e, EC_REFUSED, "keys are on different curves: ours %s, theirs %s", key_type_name(mine->type),
			       key_type_name(theirs->type));
	ec = priv_ec(mine);
	mbedtls_mpi_init(&shared);
	rc = mbedtls_ecdh_compute_shared(&ec->grp, &shared, &pub_ec(theirs)->Q, &ec->d, mbed_rng, NULL);
	if (rc == 0)
		rc = mbedtls_mpi_write_binary(&shared, z, key_type_coord(mine->type));
	mbedtls_mpi_free(&shared);
	return rc ? mbed_fail(e, EC_REFUSED, rc, "cannot agree on a secret with the other key") : 0;
}

int rsa_oaep_decrypt(struct secret *ret, const struct privkey *k, enum hash h, struct slice in, struct err *e)
{
	AUTO_SECRET out = { 0 };
	mbedtls_rsa_context rsa;
	size_t n = 0;
	int rc;

	if (k->type != KEY_RSA)
		return err_set(e, EC_REFUSED, "wanted an RSA key, is %s", key_type_name(k->type));
	if (in.n != mbedtls_rsa_get_len(priv_rsa(k)))
		return err_set(e, EC_REFUSED, "RSA-OAEP text is %zu bytes, wanted %zu", in.n, mbedtls_rsa_get_len(priv_rsa(k)));
	if (secret_alloc(&out, in.n, e) || rsa_for(&rsa, priv_rsa(k), MBEDTLS_RSA_PKCS_V21, h, e))
		return -1;
	rc = mbedtls_rsa_rsaes_oaep_decrypt(&rsa, mbed_rng, NULL, NULL, 0, &n, in.p, out.p, out.n);
	mbedtls_rsa_free(&rsa);
	if (rc)		/* one text for all reasons: no padding oracle */
		return err_set(e, EC_REFUSED, "RSA-OAEP text does not open with this key");
	secret_shrink(&out, n);
	secret_give(ret, &out);
	return 0;
}

int rsa_oaep_encrypt(struct buf *ret, const struct pubkey *k, enum hash h, struct slice in, struct err *e)
{
	uint8_t out[RSA_MAX_BITS / 8];
	mbedtls_rsa_context rsa;
	int rc;

	if (k->type != KEY_RSA)
		return err_set(e, EC_REFUSED, "wanted an RSA key, is %s", key_type_name(k->type));
	if (rsa_for(&rsa, pub_rsa(k), MBEDTLS_RSA_PKCS_V21, h, e))
		return -1;
	rc = mbedtls_rsa_rsaes_oaep_encrypt(&rsa, mbed_rng, NULL, NULL, 0, in.n, in.p, out);
	if (rc == 0)
		buf_put(ret, out, mbedtls_rsa_get_len(&rsa));
	mbedtls_rsa_free(&rsa);
	return rc ? mbed_fail(e, EC_BUG, rc, "cannot encrypt %zu bytes with RSA-OAEP", in.n) : buf_check(ret, e);
}
