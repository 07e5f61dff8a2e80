/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_MEASURE_H
#define CVMBOX_TEE_MEASURE_H

/* What all computed measurements share: content that may be larger than memory, and the Authenticode digest of a PE image. */

#include "crypto/hash.h"

/* Content that is read where and when it is asked for: kernels and initrds are hashed, never loaded. */
struct source {
	/* Exactly n bytes from there, which lie inside 'size'; fewer is an error. */
	int (*read)(const void *arg, uint64_t at, void *p, size_t n, struct err *e);
	const void *arg;
	uint64_t size;
};
struct source source_of(const struct slice *s);	/* borrows the slice itself too */

int source_add(struct hasher *h, const struct source *s, uint64_t at, uint64_t n, struct err *e);
int source_hash(uint8_t *ret, enum hash h, const struct source *s, struct err *e);	/* of all of it */

/* The digest that firmware measures when it starts a PE image (Windows Authenticode as EDK2 computes it: headers without the
 * checksum and the certificate directory, sections in file order, trailing data without the certificate table; no padding).
 * head: bytes that stand for the first head.n ones of the image (a header that a VMM changes); may be empty.
 * EC_FORMAT: no PE image, or one that EDK2 would not load. */
int authenticode(uint8_t *ret, enum hash h, const struct source *pe, struct slice head, struct err *e);

/* ret = H(ret || digest), both of hash_size(h) bytes: what extending a register does. */
int register_extend(uint8_t *ret, enum hash h, const uint8_t *digest, struct err *e);

#endif
