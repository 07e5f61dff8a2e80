/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BROKER_PROTOCOL_H
#define CVMBOX_BROKER_PROTOCOL_H

/* What client and server of the Trustee key broker protocol share (key-broker.md 1): names and the bytes that evidence is bound to. */

#include "codec/json.h"
#include "crypto/hash.h"

#define KBS_VERSION "0.4.0"
#define KBS_COOKIE "kbs-session-id"
#define KBS_NONCE_MAX 8192		/* the peer's may be a JSON text */
#define KBS_ERRORS "https://github.com/confidential-containers/kbs/errors/"

/* REPOSITORY, TYPE and TAG: [A-Za-z0-9_-][A-Za-z0-9_.-]* each (key-broker.md 1.11), here of at most 128 bytes. */
#define RESOURCE_SEGMENT_MAX 128
struct resource_name {
	char part[3][RESOURCE_SEGMENT_MAX + 1];
};
bool resource_segment_ok(struct slice s);
int resource_name_parse(struct resource_name *ret, struct slice text, struct err *e);	/* "repo/type/tag"; EC_USAGE */
/* kbs://[HOST]/REPO/TYPE/TAG, also kbs+resource://; a host is allowed and has no meaning; EC_USAGE. */
int resource_uri_parse(struct resource_name *ret, const char *uri, struct err *e);
bool is_resource_uri(const char *s);

/* The canonical runtime data of protocol 0.4.0 (key-broker.md 1.7) and its digest, which goes into the report data of the CPU TEE.
 * additional: the text of `additional_evidence`, "" for none; NULL: the runtime data of the additional devices themselves, whose digest is their
 * report data.  ret: hash_size(h) bytes. */
int kbs_runtime_data(struct buf *ret, const char *nonce, const struct json *tee_pubkey, const char *additional, struct err *e);
int kbs_runtime_digest(uint8_t *ret, enum hash h, const char *nonce, const struct json *tee_pubkey, const char *additional,
		       struct err *e);

#endif
