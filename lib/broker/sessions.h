/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BROKER_SESSIONS_H
#define CVMBOX_BROKER_SESSIONS_H

/* The sessions of a key broker: a bounded table, any thread.  A session lives KBS_SESSION_SECONDS from its start and is not prolonged by use
 * (key-broker.md 1.4).  A flood of new sessions pushes out others that did not attest, never one that did. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define SESSION_ID 32		/* hex digits */
#define SESSION_NONCE 44	/* base64 of 32 bytes */
#define SESSION_TEE 32

struct session {		/* a copy */
	char id[SESSION_ID + 1], nonce[SESSION_NONCE + 1], tee[SESSION_TEE + 1];
};

struct sessions;
int sessions_new(struct sessions **ret, unsigned max, int64_t lifetime_ms, int64_t (*mono_ms)(void), struct err *e);
void sessions_free(struct sessions *t);

/* Fills ret with a fresh id and nonce.  EC_IO if every place is held by an attested session. */
int sessions_start(struct session *ret, struct sessions *t, const char *tee, struct err *e);
/* Takes the one attempt to attest that a session has.  EC_REFUSED: unknown, expired, or used already. */
int sessions_take(struct session *ret, struct sessions *t, struct slice id, struct err *e);
/* Keeps the token of a session that was taken. */
int sessions_attested(struct sessions *t, const struct session *s, struct slice token, struct err *e);
/* Appends the token; false: no such session, or it has not attested. */
bool sessions_token(struct buf *ret, struct sessions *t, struct slice id);

#endif
