/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BROKER_KEY_H
#define CVMBOX_BROKER_KEY_H

/* "Give me the secret behind this SRC", "put this secret into that DST": every form of interface.md section 1.  No other room knows where a key came from. */

#include <stdbool.h>

#include "base/host.h"
#include "base/opt.h"
#include "base/secret.h"

struct key_env {		/* how to reach the broker, embedded as `kbs` in an applet's struct args */
	const char *url;	/* --kbs; also AA_KBC_PARAMS=cc_kbc::URL */
	const char *ca;		/* --kbs-ca */
	const char *tee;	/* --tee; NULL: auto.  `sample` only when said */
	const char *token;	/* --token FILE: passport mode, a token file written by `attest token` */
	const char *gpus;	/* --gpus: see attest/collect_gpu.h; auto also leaves out those that are in no state to give evidence */
	bool plain;		/* --insecure-http: http:// beyond loopback; whoever sits between can put another resource in place */
	int key_type;		/* --key-type: index into key_type_words; the ephemeral key that resources are encrypted to */
};
extern const char *const key_type_words[];	/* "ec" (P-256, the default), "rsa" (2048 bits, RSA-OAEP-256) */
#define KEY_OPTS(field) \
	OPT_STR(0, "kbs", field.url, "URL", "key broker (Trustee KBS) for kbs:/// sources"), \
	OPT_STR(0, "kbs-ca", field.ca, "FILE", "trust only these CA certificates (PEM) for the key broker"), \
	OPT_STR(0, "tee", field.tee, "KIND", "TEE to attest with (default: the one detected; sample only when named)"), \
	OPT_STR(0, "gpus", field.gpus, "WHICH", "GPUs to attest with: auto (those in confidential mode), all, none, or PCI addresses (default: auto)"), \
	OPT_STR(0, "token", field.token, "FILE", "use this attestation token (see 'attest token') instead of attesting"), \
	OPT_INSECURE("insecure-http", field.plain, "take answers of a key broker at http:// beyond loopback: they can be forged")

/* URL of the key broker without a slash at its end: env->url, else $CVMBOX_KBS, else $AA_KBC_PARAMS, else agent.aa_kbc_params= on the kernel
 * command line (key-broker.md 4.8); EC_USAGE if nobody says.  Appends. */
int key_env_url(struct buf *ret, const struct host *h, const struct key_env *env, struct err *e);

/* src: PATH, '-' (stdin), fd:N, keyring:NAME (session keyring; @u:NAME and @s:NAME say which), cred:NAME,
 * kbs:///REPO/TYPE/TAG, https://...; max: bytes.  The bytes are never trimmed or decoded.  s3:// and sealed secrets are EC_ABSENT in this
 * version, never taken for a file name. */
int key_get(struct secret *ret, const struct host *h, const struct key_env *env, const char *src, size_t max, struct err *e);
/* dst: PATH (0600, exclusive unless overwrite, renamed into place), '-' and fd:N (refused on a terminal), keyring:NAME. */
int key_put(const struct secret *s, const struct host *h, const char *dst, bool overwrite, struct err *e);
/* Several kbs:/// resources under one attestation: ret[i] for uri[i]. */
int key_get_many(struct secret *ret, size_t n, const struct host *h, const struct key_env *env, const char *const *uri, struct err *e);

#endif
