/* SPDX-License-Identifier: Apache-2.0 */
/* See mbed.h. */

#include "crypto/mbed.h"

#include <stdarg.h>

#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>

#include "base/host.h"

int mbed_rng(void *unused, unsigned char *ret, size_t n)
{
	(void)unused;
	return host_random(ret, n, NULL) ? MBEDTLS_ERR_ENTROPY_SOURCE_FAILED : 0;
}

static bool out_of_memory(int rc)
{
	/* Codes are a high-level part plus a low-level one; the low-level part says "allocation" here. */
	const int low = -(-rc & 0x7f);

	return low == MBEDTLS_ERR_MPI_ALLOC_FAILED || low == MBEDTLS_ERR_ASN1_ALLOC_FAILED;
}

int mbed_fail(struct err *e, enum ec code, int rc, const char *fmt, ...)
{
	char act[256], reason[160];
	va_list ap;

	if (out_of_memory(rc))
		return err_oom(e);
	va_start(ap, fmt);
	vsnprintf(act, sizeof act, fmt, ap);
	va_end(ap);
	mbedtls_strerror(rc, reason, sizeof reason);
	return err_set(e, code, "%s: %s", act, reason);
}

mbedtls_md_type_t mbed_md(enum hash h)
{
	static const mbedtls_md_type_t md[] = {
		[HASH_NONE] = MBEDTLS_MD_NONE, [HASH_MD5] = MBEDTLS_MD_MD5, [HASH_SHA1] = MBEDTLS_MD_SHA1,
		[HASH_SHA224] = MBEDTLS_MD_SHA224, [HASH_SHA256] = MBEDTLS_MD_SHA256,
		[HASH_SHA384] = MBEDTLS_MD_SHA384, [HASH_SHA512] = MBEDTLS_MD_SHA512
	};

	return (unsigned)h < sizeof md / sizeof md[0] ? md[h] : MBEDTLS_MD_NONE;
}
