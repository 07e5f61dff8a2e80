/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_SIGNATURE_H
#define CVMBOX_IMAGE_SIGNATURE_H

/* Signatures that lie beside an image: finding them, and checking one against one key.  A kind of signature is a row of a table (signature.c). */

#include "crypto/sig.h"
#include "image/oci.h"

enum { SIGNATURES_MAX = 128, SIG_PAYLOAD_MAX = 4 << 20 };

struct trust_key {
	struct pubkey key;
	char sha256[65];		/* hex, of its SubjectPublicKeyInfo: how people name it */
	char *source;			/* where it came from */
};
struct trust_keys {
	struct trust_key *v;
	size_t n;
};
#define AUTO_TRUST_KEYS __attribute__((cleanup(trust_keys_free))) struct trust_keys
void trust_keys_free(struct trust_keys *k);
/* Appends; a key that cannot be used is an error even if others could (EC_FORMAT, EC_ABSENT). */
int trust_keys_add(struct trust_keys *k, struct slice pem_or_der, const char *source, struct err *e);

struct claim {			/* what a signature says, known to be said by the key */
	struct digest image;
	char *name;			/* the image's name in it; NULL: this kind carries none */
};
void claim_free(struct claim *c);
#define AUTO_CLAIM __attribute__((cleanup(claim_free))) struct claim

struct signature {
	const struct sig_kind *kind;
	struct buf body;		/* the signed payload, or the bundle */
	struct buf sig;			/* raw signature; empty where the body holds it */
	struct digest blob;		/* of the body */
};
struct signatures {
	struct signature *v;
	size_t n;
	size_t n_kind[2];		/* how many of each row of the table */
	struct buf problems;		/* one line for each candidate that could not be read */
	size_t bytes;			/* private: read so far */
};
#define AUTO_SIGNATURES __attribute__((cleanup(signatures_free))) struct signatures
void signatures_free(struct signatures *s);

struct sig_kind {
	const char *name, *describe;
	bool names_image;		/* its claims carry a name, so a policy's signedIdentity can be checked */
	/* Signature first, content after it.  EC_REFUSED: this key did not sign this image so. */
	int (*check)(struct claim *ret, const struct signature *s, const struct pubkey *key, const struct chain *c, struct err *e);
};
extern const struct sig_kind sig_kind_cosign, sig_kind_bundle;

/* Everything in the layout that may be a signature of an image in the chain.  What cannot be read is only noted: others may lie beside it. */
int signatures_find(struct signatures *ret, const struct chain *c, const struct store *s, struct err *e);

/* Parsers behind the signature, for tests. */
int cosign_payload_parse(struct claim *ret, struct slice payload, struct err *e);
int bundle_statement_parse(struct claim *ret, struct slice payload, const struct chain *c, struct err *e);

#define MT_SIMPLE_SIGNING "application/vnd.dev.cosign.simplesigning.v1+json"
#define MT_BUNDLE_V03 "application/vnd.dev.sigstore.bundle.v0.3+json"

#endif
