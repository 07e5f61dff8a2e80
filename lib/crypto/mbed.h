/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CRYPTO_MBED_H
#define CVMBOX_CRYPTO_MBED_H

/* Inside lib/crypto only: what every file needs to speak to mbedtls. */

#include <mbedtls/md.h>

#include "base/err.h"
#include "crypto/hash.h"

/* Random bytes for mbedtls: getrandom(2) each time, so there is no generator state to share, fork
 * or seed. */
int mbed_rng(void *unused, unsigned char *ret, size_t n);

/* "fmt: <text of mbedtls for rc>"; lack of memory becomes err_oom. */
int mbed_fail(struct err *e, enum ec code, int rc, const char *fmt, ...) PRINTF(4, 5);

mbedtls_md_type_t mbed_md(enum hash h);		/* MBEDTLS_MD_NONE if unknown */

#endif
