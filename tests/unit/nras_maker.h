/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_NRAS_MAKER_H
#define CVMBOX_NRAS_MAKER_H

/* Tokens as NVIDIA's service makes them, signed with a key of our own. */

#include "codec/json.h"
#include "crypto/sig.h"

#define NRAS_NOW INT64_C(1770000000)	/* 2026-02-02T02:40:00Z */
#define NRAS_NONCE "\x93\x1d\x8d\xd0\xad\xd2\x03\xac\x3d\x8b\x4f\xbd\xe7\x5e\x11\x52\x78\xee\xfc\xdc\xea\xc5\xb8\x76\x71\xa7\x48\xf3\x23\x64\xdf\xcb"
#define NRAS_KID "nv-eat-kid-test"

struct nras_make {		/* zero: two GPUs, all well */
	const struct privkey *key;
	const char *kid;		/* NULL: NRAS_KID */
	const char *issuer;		/* NULL: NRAS_ISSUER */
	struct slice nonce;		/* n 0: NRAS_NONCE */
	int64_t from, to;		/* 0: NRAS_NOW, an hour later */
	const char *hash;		/* NULL: "SHA-256" */
	const char *const *names;	/* NULL ended; NULL: GPU-0, GPU-1 */
	const struct json *overall, *detached;	/* members that replace ours, or are removed where they are null */
};
/* [["JWT", OVERALL], {NAME: TOKEN, ..}] */
void nras_make(struct buf *ret, const struct nras_make *m);
/* The same in parts, for tests that mix them. */
void nras_make_device(struct buf *ret_jwt, const struct nras_make *m, const char *name);
void nras_make_overall(struct buf *ret_jwt, const struct nras_make *m, const char *const *names, const struct buf *jwts, size_t n);
void nras_make_bundle(struct buf *ret, const struct buf *overall, const char *const *names, const struct buf *jwts, size_t n);
struct json *nras_make_keys(const struct privkey *key, const char *kid);	/* JWK set of kty members */

#endif
