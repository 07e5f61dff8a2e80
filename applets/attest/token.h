/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_APPLETS_ATTEST_TOKEN_H
#define CVMBOX_APPLETS_ATTEST_TOKEN_H

/* Tokens of NVIDIA's remote attestation service, as `attest token verify` takes them. */

#include "base/applet.h"
#include "base/buf.h"

struct token_expect {
	const char *nonce, *nonce_file, *issuer, *policy;
	bool no_nonce;
};
/* text: a detached EAT bundle; keys: a JWK set.  Checks, claims and verdict go to cx->out; EC_REFUSED where it does not hold. */
int token_verify_nras(const struct ctx *cx, const char *file, struct slice text, struct slice keys, const struct token_expect *x,
		      struct err *e);

#endif
