/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BROKER_SERVER_H
#define CVMBOX_BROKER_SERVER_H

/* A small key broker that speaks the Trustee protocol 0.4.0 (key-broker.md 1): challenge, appraisal, token, resources as JWE.
 *
 * A resource is given to who attested with evidence that the policy accepts, and only encrypted to the key that this evidence is
 * bound to.  Stricter than the peer: evidence that is not acceptable gets no token at all (with the cause in `detail`), and a nonce
 * serves one attempt.  Evidence of additional NVIDIA devices is appraised with the CPU's; that of others and init-data are refused, not ignored.  There are no admin calls: the store is a
 * local folder. */

#include "attest/policy.h"
#include "base/host.h"
#include "broker/store.h"
#include "evidence/collateral.h"
#include "net/httpd.h"

#define KBS_SESSION_SECONDS 300
#define KBS_BODY_MAX ((size_t)2 << 20)

struct snp_roots;			/* tee/snp_roots.h */

struct kbs_opts {
	const struct host *host;	/* clock, log */
	struct kbs_store *store;	/* stays the caller's, as all below */
	const struct policy *policy;
	const struct collateral *given;	/* endorsements for evidence that brings none (VCEK, TCB info, CRLs); NULL: none */
	const struct snp_roots *snp_roots;	/* NULL: AMD's; tests bring their own CA here, nothing else can */
	const uint8_t *nv_device_root, *nv_rim_root;	/* likewise NVIDIA's */
	bool allow_sample;		/* evidence of the sample TEE, which proves nothing */
	unsigned max_sessions;		/* 0: 4096 */
	int64_t (*mono_ms)(void);	/* clock of the sessions; NULL: host_mono_ms */
};
struct kbs;
int kbs_new(struct kbs **ret, const struct kbs_opts *o, struct err *e);
void kbs_free(struct kbs *k);
/* One request; any thread.  arg is the struct kbs. */
void kbs_handle(void *arg, const struct httpd_request *q, struct httpd_reply *r);
/* Appends the public JWK set that tokens can be verified with (pretty JSON). */
int kbs_token_keys(struct buf *ret, struct kbs_store *store, struct err *e);

struct kbs_listen {
	const char *address;		/* as httpd.listen */
	struct slice tls_cert, tls_key;	/* PEM; n 0: plain HTTP, then loopback only */
	int stop_fd;
	void (*ready)(void *arg, const char *url);
	void *arg;
};
int kbs_serve(struct kbs *k, const struct kbs_listen *l, const struct host *h, struct err *e);

#endif
