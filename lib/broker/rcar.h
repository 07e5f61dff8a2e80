/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BROKER_RCAR_H
#define CVMBOX_BROKER_RCAR_H

/* Client of the Trustee KBS attestation protocol 0.4.0 (key-broker.md 1). */

#include "base/host.h"
#include "base/secret.h"
#include "broker/key.h"
#include "crypto/sig.h"

struct rcar;			/* one attested session: key pair, cookie, token */
int rcar_attest(struct rcar **ret, const struct host *h, const struct key_env *env, struct err *e);
/* The same with another way to speak HTTP: a seam for fuzzing. */
struct http_request;
struct http_response;
typedef int rcar_http(struct http_response *ret, const struct host *h, const struct http_request *q, struct err *e);
int rcar_attest_via(struct rcar **ret, const struct host *h, const struct key_env *env, rcar_http *http, struct err *e);
/* From a token file {"token","tee_keypair"}: passport mode, no attestation. */
int rcar_from_token(struct rcar **ret, const struct host *h, const struct key_env *env, struct slice text, struct err *e);
void rcar_free(struct rcar *r);
int rcar_get(struct secret *ret, struct rcar *r, const char *uri, size_t max, struct err *e);	/* kbs:///a/b/c */
int rcar_token(struct buf *ret, const struct rcar *r, struct err *e);		/* the JWT */
int rcar_token_file(struct secret *ret, const struct rcar *r, struct err *e);	/* {"token","tee_keypair"} */

#endif
