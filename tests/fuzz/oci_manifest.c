/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest or index as it may stand behind a digest: never both shapes, every descriptor well-formed or refused. */
#include "image/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void each(const struct json *list)
{
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		struct descriptor d;

		if (descriptor_parse(&d, j, "x", NULL))
			continue;
		if (strlen(d.digest.hex) != 2 * hash_size(d.digest.h) || strspn(d.digest.hex, "0123456789abcdef") != strlen(d.digest.hex))
			__builtin_trap();
		is_signature_artifact(&d);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const types[] = { NULL, MT_OCI_MANIFEST, MT_OCI_INDEX, MT_DOCKER_LIST };
	const struct digest digest = { .h = HASH_SHA256 };
	AUTO_BUF raw = { 0 };
	AUTO_DOC d = { 0 };
	struct image_ref ref = { 0 };
	char text[256] = { 0 };

	memcpy(text, p, n < sizeof text ? n : sizeof text - 1);
	if (!image_ref_parse(&ref, text, NULL) && (!ref.path || !*ref.path))
		__builtin_trap();
	image_ref_free(&ref);
	buf_slice(&raw, slice_of(p, n));
	if (!n || doc_parse(&d, &raw, types[*p % 4], &digest, NULL))
		return 0;
	if (json_get(d.json, "manifests") && (json_get(d.json, "layers") || json_get(d.json, "config")))
		__builtin_trap();
	each(json_get(d.json, d.is_index ? "manifests" : "layers"));
	return 0;
}
