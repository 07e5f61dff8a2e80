/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVIDENCE_BUNDLE_H
#define CVMBOX_EVIDENCE_BUNDLE_H

/* The bundle (interface.md 5): everything that one capture gave, in one JSON file.
 *
 * How the CPU's report data is bound: SHA-512 over the RFC 8785 form of
 *   {"nonce":HEX,"others":[{"kind":K,"sha384":HEX},...],"runtime_data":BASE64,"schema":"cvmbox.bundle/1"}
 * where `others` lists all evidence behind the first entry (GPUs), in the bundle's order; so nothing can be
 * exchanged between two captures.
 * The nonces of other signers (GPU reports, answers about certificate status) derive from the same nonce: see bundle_nonce_for.
 * The bundle names this derivation, and a verifier computes it again from the nonce that it expects: what the bundle
 * says of itself proves nothing. */

#include "codec/json.h"

#define BUNDLE_SCHEMA "cvmbox.bundle/1"
#define BUNDLE_MAX ((size_t)16 << 20)
#define BUNDLE_ITEMS 256
#define BUNDLE_NONCE_MIN 8
#define BUNDLE_NONCE_MAX 64
#define BUNDLE_RUNTIME_MAX ((size_t)64 << 10)

struct bundle_item {
	char kind[32];
	char source[256];	/* where it came from, for collateral: URL or words; "" if not known */
	char fetched[32];	/* RFC 3339, or "" */
	struct buf data;
};
struct bundle_items {
	struct bundle_item *v;	/* at most BUNDLE_ITEMS */
	size_t n;
};
struct bundle {
	struct buf nonce, runtime_data;
	struct bundle_items evidence;	/* the first one is the CPU's, or GPUs alone */
	struct bundle_items event_logs, collateral;
	struct json *machine;		/* what `attest detect` said; may be NULL */
	char created[32];
	bool simulated;			/* collected below another --sysroot */
};
#define AUTO_BUNDLE __attribute__((cleanup(bundle_free))) struct bundle
void bundle_free(struct bundle *b);

/* Adds a copy of data; strings that are too long are cut. EC_FORMAT when the list is full. */
int bundle_add(struct bundle_items *to, const char *kind, const char *source, const char *fetched, struct slice data,
	       struct err *e);
/* First item of that kind, or NULL. */
const struct bundle_item *bundle_find(const struct bundle_items *in, const char *kind);

bool bundle_recognise(const struct json *j);	/* an object whose schema is a bundle of any version */
int bundle_parse(struct bundle *ret, struct slice text, struct err *e);
int bundle_write(struct buf *ret, const struct bundle *b, struct err *e);	/* pretty JSON, newline at the end */
/* A nonce for others, 32 bytes: SHA-256 over the RFC 8785 form of {"nonce":HEX,"runtime_data":BASE64,"schema":"cvmbox.bundle/1","use":USE}.
 * use: "nvgpu" (reports of GPUs), "ocsp" (status of certificates: an answer that carries it was made after the nonce was chosen). */
int bundle_nonce_for(uint8_t ret[static 32], const char *use, struct slice nonce, struct slice runtime_data, struct err *e);
/* The CPU's report data, by the derivation above, for this nonce. */
int bundle_report_data(uint8_t ret[static 64], const struct bundle *b, struct slice nonce, struct err *e);

#endif
