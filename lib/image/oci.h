/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_IMAGE_OCI_H
#define CVMBOX_IMAGE_OCI_H

/* From a reference to one image manifest: index.json, then indexes and manifests, each read once into memory, its size and digest compared with
 * the descriptor that named it, and only then parsed (OCI image-spec: image-layout, image-index, manifest, descriptor). */

#include <stdbool.h>

#include "codec/json.h"
#include "image/digest.h"
#include "image/ref.h"
#include "image/store.h"

enum { DOC_MAX = 4 << 20, LAYERS_MAX = 128, INDEX_ENTRIES_MAX = 4096, INDEX_DEPTH_MAX = 3 };

struct descriptor {		/* points into the JSON it was read from */
	const char *media_type;
	struct digest digest;
	uint64_t size;
	const struct json *json;
};
int descriptor_parse(struct descriptor *ret, const struct json *j, const char *what, struct err *e);
const char *descriptor_annotation(const struct descriptor *d, const char *key);	/* NULL: absent */

/* A whole blob, at most max bytes, whose size and digest are those of d.  Appends.  A difference is EC_REFUSED. */
int blob_load(struct buf *ret, const struct store *s, const struct descriptor *d, size_t max, const char *what, struct err *e);

struct doc {			/* a manifest or an index whose digest was checked */
	bool is_index;
	struct digest digest;
	const char *media_type;	/* points into json, or static */
	struct buf raw;
	struct json *json;
};
void doc_free(struct doc *d);
#define AUTO_DOC __attribute__((cleanup(doc_free))) struct doc
int doc_read(struct doc *ret, const struct store *s, const struct descriptor *d, struct err *e);
/* The body of a manifest or index: schemaVersion, one of the two shapes (never both, CVE-2021-41190), mediaType.  Takes raw over. */
int doc_parse(struct doc *ret, struct buf *raw, const char *media_type, const struct digest *digest, struct err *e);

struct platform {
	char os[32], arch[32], variant[16];
};
void platform_here(struct platform *ret);		/* linux and what this program was compiled for, Go's names */
int platform_parse(struct platform *ret, const char *text, struct err *e);	/* OS/ARCH[/VARIANT] */
void platform_text(char ret[static 96], const struct platform *p);

/* The way from what the user named to the manifest that is used: v[0] is what the reference names, each next one is listed in the one before, v[n - 1]
 * is the image manifest. */
struct chain {
	struct doc v[INDEX_DEPTH_MAX + 1];
	size_t n;
	struct json *index;		/* index.json; not covered by any digest */
	bool chosen;			/* an index offered several platforms, one was taken */
	struct platform platform;	/* of the choice */
};
#define AUTO_CHAIN __attribute__((cleanup(chain_free))) struct chain
void chain_free(struct chain *c);
int chain_resolve(struct chain *ret, const struct store *s, const struct image_ref *ref, const struct platform *want,
		  struct err *e);
static inline const struct doc *chain_manifest(const struct chain *c)
{
	return &c->v[c->n - 1];
}
bool chain_has(const struct chain *c, const struct digest *d);

/* What cosign stores beside images: signatures, attestations, SBOMs, bundles.  Never chosen as an image unless asked for. */
bool is_signature_artifact(const struct descriptor *d);

#define MT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MT_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MT_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define ANN_REF_NAME "org.opencontainers.image.ref.name"

#endif
