/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BROKER_STORE_H
#define CVMBOX_BROKER_STORE_H

/* The resources of a small key broker, as files:
 *
 *   DIR/                            0700
 *   DIR/resource/REPO/TYPE/TAG      0600, the raw bytes; folders 0700
 *   DIR/token-key.pem               0600, the key that signs tokens
 *
 * A resource appears, is replaced and goes away in one step (outfile.h), so a reader sees the old bytes or the new ones, and kill -9 or a
 * full disk leave the store as it was; `kbs put` may run while `kbs serve` does.  Symlinks are never followed below DIR.  A DIR that
 * others can enter is refused. */

#include "base/outfile.h"
#include "base/secret.h"
#include "broker/protocol.h"
#include "crypto/sig.h"

#define STORE_RESOURCE_MAX ((size_t)4 << 20)

struct kbs_store;
#define AUTO_KBS_STORE __attribute__((cleanup(kbs_store_cleanup))) struct kbs_store

/* create: make DIR if it is absent (not its parents).  Otherwise an absent DIR is EC_ABSENT. */
int kbs_store_open(struct kbs_store **ret, const char *dir, bool create, struct err *e);
void kbs_store_close(struct kbs_store *s);
void kbs_store_cleanup(struct kbs_store **s);

/* Without replace an existing resource is EC_USAGE. */
int kbs_store_put(struct kbs_store *s, const struct resource_name *n, const struct secret *v, bool replace, struct err *e);
int kbs_store_get(struct secret *ret, const struct kbs_store *s, const struct resource_name *n, struct err *e);	/* missing: EC_ABSENT */
int kbs_store_remove(struct kbs_store *s, const struct resource_name *n, struct err *e);				/* missing: EC_ABSENT */
/* In order of names; f returning non-zero stops and is returned. */
int kbs_store_list(const struct kbs_store *s, int (*f)(void *arg, const char *name, uint64_t size), void *arg, struct err *e);

/* The signer key; made (EC P-256) at the first call, also when several processes make that call at once. */
int kbs_store_token_key(struct privkey *ret, struct kbs_store *s, struct err *e);

#endif
