/* SPDX-License-Identifier: Apache-2.0 */
/* See content.h.  Media types: image-spec media-types.md and Docker's schema 2. */

#include "image/content.h"

#include "codec/inflate.h"

enum { CONFIG_MAX = 4 << 20, CHUNK = 64 << 10 };

enum layer_codec { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD, LAYER_ENCRYPTED };

static const struct {
	const char *type;
	enum layer_codec codec;
} layer_types[] = {
	{ "application/vnd.oci.image.layer.v1.tar", LAYER_PLAIN },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", LAYER_GZIP },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", LAYER_ZSTD },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", LAYER_PLAIN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LAYER_GZIP },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LAYER_ZSTD },
	{ "application/vnd.docker.image.rootfs.diff.tar", LAYER_PLAIN },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER_GZIP },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", LAYER_ZSTD },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", LAYER_PLAIN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LAYER_GZIP }
};

struct config {
	bool is_image;			/* has diff_ids; else an artifact: a model, a chart */
	const struct json *diff_ids;
	struct json *json;
	struct buf raw;
};
#define AUTO_CONFIG __attribute__((cleanup(config_free))) struct config

static void config_free(struct config *c)
{
	json_free(c->json);
	buf_free(&c->raw);
}

static bool is_image_config(const char *type)
{
	return !strcmp(type, "application/vnd.oci.image.config.v1+json") ||
	       !strcmp(type, "application/vnd.docker.container.image.v1+json");
}

static int config_platform(const struct json *j, const struct chain *c, const struct content_opts *o, struct out *out,
			   struct err *e)
{
	const struct platform *want = c->chosen ? &c->platform : &o->want;
	const char *os = json_string(json_get(j, "os")), *arch = json_string(json_get(j, "architecture"));
	char wanted[96], seen[96];

	platform_text(wanted, want);
	snprintf(seen, sizeof seen, "%.32s/%.32s", os ? os : "?", arch ? arch : "?");
	if (os && arch && !strcmp(os, want->os) && !strcmp(arch, want->arch)) {
		out_check(out, "image.platform", CHECK_PASS, wanted, seen, NULL, NULL);
		return 0;
	}
	if (c->chosen || o->platform_asked) {
		out_check(out, "image.platform", CHECK_FAIL, wanted, seen, NULL, NULL);
		return err_set(e, EC_REFUSED, "the image configuration is for %s, wanted %s", seen, wanted);
	}
	out_check(out, "image.platform", CHECK_WARN, wanted, seen, NULL, "the image is for another kind of machine than this one");
	return 0;
}

static int read_diff_ids(struct config *cfg, size_t n_layers, struct err *e)
{
	const struct json *rootfs;
	const char *type;

	if (json_need_obj(&rootfs, cfg->json, "rootfs", "the image configuration", e) ||
	    json_need_str(&type, rootfs, "type", "rootfs", e) || json_need_arr(&cfg->diff_ids, rootfs, "diff_ids", "rootfs", e))
		return -1;
	if (strcmp(type, "layers"))
		return err_set(e, EC_FORMAT, "rootfs of the image configuration has type '%s', wanted 'layers'", type);
	if (json_count(cfg->diff_ids) != n_layers)
		return err_set(e, EC_REFUSED, "the image configuration has %zu diff_ids, the manifest has %zu layers",
			       json_count(cfg->diff_ids), n_layers);
	return 0;
}

static int read_config(struct config *cfg, const struct chain *c, const struct store *s, const struct json *layers,
		       const struct content_opts *o, struct out *out, struct err *e)
{
	const struct json *j;
	struct descriptor d;

	cfg->raw.max = CONFIG_MAX + 1;
	if (json_need_obj(&j, chain_manifest(c)->json, "config", "the manifest", e) || descriptor_parse(&d, j, "config", e))
		return -1;
	if (blob_load(&cfg->raw, s, &d, CONFIG_MAX, "configuration", e)) {
		out_check(out, "image.config", CHECK_FAIL, d.digest.text, e ? e->msg : NULL, d.media_type, NULL);
		return -1;
	}
	out_check(out, "image.config", CHECK_PASS, d.digest.text, d.digest.text, d.media_type, NULL);
	cfg->is_image = is_image_config(d.media_type);
	if (!cfg->is_image)
		return 0;
	if (json_parse(&cfg->json, buf_view(&cfg->raw), CONFIG_MAX, e))
		return err_ctx(e, "image configuration");
	return config_platform(cfg->json, c, o, out, e) ? -1 : read_diff_ids(cfg, json_count(layers), e);
}

/* ---- one layer --------------------------------------------------------------------------------------------------- */

struct layer {
	struct descriptor d;
	enum layer_codec codec, typed;	/* by its first bytes; by its media type */
	struct hasher blob, diff;
	struct inflate gz;
	enum hash diff_hash;		/* HASH_NONE: not computed */
	uint64_t *budget;		/* uncompressed bytes that are still allowed */
	struct err inner;		/* why the content could not be read, once its digest is known to be right */
	bool inner_failed, reported;
};
#define AUTO_LAYER __attribute__((cleanup(layer_free))) struct layer

static void layer_free(struct layer *l)
{
	hasher_free(&l->blob);
	hasher_free(&l->diff);
	inflate_free(&l->gz);
}

static int uncompressed(void *arg, struct slice data, struct err *e)
{
	struct layer *l = arg;

	if (data.n > *l->budget)
		return err_set(e, EC_REFUSED, "the layers expand to more than the limit of uncompressed bytes (--max-size)");
	*l->budget -= data.n;
	return l->diff_hash == HASH_NONE ? 0 : hasher_add(&l->diff, data, e);
}

/* Writers have mislabelled layers; what the bytes are decides, and a difference is reported. */
static int detect_codec(struct layer *l, const uint8_t *p, size_t n, const struct content_opts *o, struct err *e)
{
	const struct inflate_limits lim = { *l->budget, o->max_ratio ? o->max_ratio : CONTENT_MAX_RATIO, CONTENT_FREE_OUT };

	if (l->typed == LAYER_ENCRYPTED)
		l->codec = LAYER_ENCRYPTED;
	else if (n >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		l->codec = LAYER_GZIP;
	else if (n >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4))
		l->codec = LAYER_ZSTD;
	else
		l->codec = LAYER_PLAIN;
	return l->codec == LAYER_GZIP && l->diff_hash != HASH_NONE ? inflate_init(&l->gz, &lim, uncompressed, l, e) : 0;
}

/* What is inside may be nonsense because the blob is not the right one; so the blob is hashed to its end first. */
static int feed(struct layer *l, struct slice data, struct err *e)
{
	int rc = 0;

	if (hasher_add(&l->blob, data, e))
		return -1;
	if (l->inner_failed)
		return 0;
	if (l->gz.z)
		rc = inflate_add(&l->gz, data, &l->inner);
	else if (l->codec == LAYER_PLAIN)
		rc = uncompressed(l, data, &l->inner);
	l->inner_failed = rc;
	return 0;
}

static int in_time(const struct host *h, struct err *e)
{
	if (h && h->deadline_ms && !host_left_ms(h, 1))
		return err_set(e, EC_IO, "the time limit is over (--timeout)");
	return 0;
}

static int stream(struct layer *l, const struct store *s, const struct content_opts *o, struct err *e)
{
	AUTO_BLOB b = BLOB_INIT;
	uint8_t *chunk;
	size_t got = 0;
	int rc;

	if (blob_open(&b, s, &l->d.digest, e))
		return -1;
	if (b.size != l->d.size)
		return err_set(e, EC_REFUSED, "it has %llu bytes, its descriptor says %llu", (unsigned long long)b.size,
			       (unsigned long long)l->d.size);
	if (!(chunk = malloc(CHUNK)))
		return err_oom(e);
	rc = blob_read(&b, chunk, CHUNK, &got, e);
	if (!rc)
		rc = detect_codec(l, chunk, got, o, e);
	while (!rc && got) {
		rc = in_time(o->host, e);
		if (!rc)
			rc = feed(l, slice_of(chunk, got), e);
		if (!rc)
			rc = blob_read(&b, chunk, CHUNK, &got, e);
	}
	free(chunk);
	return rc;
}

static int end_of(struct digest *ret, struct hasher *h, enum hash alg, struct err *e)
{
	uint8_t v[HASH_MAX];

	if (hasher_end(h, v, e))
		return -1;
	digest_set(ret, alg, v);
	return 0;
}

static int report_diff(struct layer *l, const struct digest *want, struct out *out, struct err *e)
{
	struct digest seen;

	if (l->codec == LAYER_ZSTD || l->codec == LAYER_ENCRYPTED) {
		out_check(out, "image.diff_id", CHECK_SKIP, want->text, NULL, l->d.digest.text,
			  l->codec == LAYER_ZSTD ? "zstd is not decompressed by this version; the blob's digest was checked"
						 : "the layer is encrypted; the blob's digest was checked");
		return 0;
	}
	if (end_of(&seen, &l->diff, want->h, e))
		return -1;
	if (!digest_eq(&seen, want)) {
		out_check(out, "image.diff_id", CHECK_FAIL, want->text, seen.text, l->d.digest.text, NULL);
		return err_set(e, EC_REFUSED, "its content is '%s', the configuration says '%s'", seen.text, want->text);
	}
	out_check(out, "image.diff_id", CHECK_PASS, want->text, seen.text, l->d.digest.text, NULL);
	return 0;
}

static int check_bytes(struct layer *l, const struct store *s, const struct digest *diff, const struct content_opts *o,
		       struct out *out, struct err *e)
{
	struct digest seen;

	l->diff_hash = diff->h;
	if (hasher_init(&l->blob, l->d.digest.h, e) || (diff->h != HASH_NONE && hasher_init(&l->diff, diff->h, e)))
		return -1;
	if (stream(l, s, o, e) || end_of(&seen, &l->blob, l->d.digest.h, e))
		return -1;
	if (!digest_eq(&seen, &l->d.digest))
		return err_set(e, EC_REFUSED, "it has the content of '%s'", seen.text);
	out_check(out, "image.layer", CHECK_PASS, l->d.digest.text, l->d.digest.text, l->d.media_type, NULL);
	l->reported = true;
	if (diff->h == HASH_NONE)
		return 0;
	if (!l->inner_failed && l->gz.z)
		l->inner_failed = inflate_end(&l->gz, &l->inner);
	if (l->inner_failed) {
		out_check(out, "image.diff_id", CHECK_FAIL, diff->text, l->inner.msg, l->d.digest.text, NULL);
		return err_set(e, l->inner.code, "%s", l->inner.msg);
	}
	if (l->codec != l->typed)
		out_check(out, "image.layer_type", CHECK_WARN, l->d.media_type, "compressed in another way", l->d.digest.text, NULL);
	return report_diff(l, diff, out, e);
}

static int layer_type(struct layer *l, struct err *e)
{
	AUTO_STR *base = str_dup(l->d.media_type, e);
	const size_t n = base ? strlen(base) : 0;

	if (!base)
		return -1;
	if (n > 10 && !strcmp(base + n - 10, "+encrypted")) {
		l->typed = LAYER_ENCRYPTED;
		return 0;
	}
	for (size_t i = 0; i < sizeof layer_types / sizeof layer_types[0]; i++)
		if (!strcmp(base, layer_types[i].type)) {
			l->typed = layer_types[i].codec;
			return 0;
		}
	return err_set(e, EC_FORMAT, "media type '%s' is not that of an image layer", base);
}

static int check_layer(const struct json *j, const struct json *diff_id, size_t i, uint64_t *budget, const struct store *s,
		       const struct content_opts *o, struct out *out, struct err *e)
{
	AUTO_LAYER l = { .budget = budget };
	struct digest diff = { .h = HASH_NONE };
	char what[32];

	snprintf(what, sizeof what, "layer %zu", i);
	if (descriptor_parse(&l.d, j, what, e))
		return -1;
	if (diff_id && (layer_type(&l, e) || !json_string(diff_id) || digest_parse(&diff, json_string(diff_id), e)))
		return json_string(diff_id) ? err_ctx(e, "%s", what) : err_set(e, EC_FORMAT, "a diff_id is not a string");
	if (check_bytes(&l, s, &diff, o, out, e)) {
		if (!l.reported)
			out_check(out, "image.layer", CHECK_FAIL, l.d.digest.text, e ? e->msg : NULL, l.d.media_type, NULL);
		return err_ctx(e, "%s '%s'", what, l.d.digest.text);
	}
	return 0;
}

int content_check(const struct chain *c, const struct store *s, const struct content_opts *o, struct out *out, struct err *e)
{
	AUTO_CONFIG cfg = { 0 };
	uint64_t budget = o->max_size ? o->max_size : CONTENT_MAX_SIZE;
	const struct json *layers, *j, *diff;
	size_t i = 0;

	if (json_need_arr(&layers, chain_manifest(c)->json, "layers", "the manifest", e))
		return -1;
	if (json_count(layers) > LAYERS_MAX)
		return err_set(e, EC_REFUSED, "the manifest has %zu layers, at most %d are accepted", json_count(layers), LAYERS_MAX);
	if (read_config(&cfg, c, s, layers, o, out, e))
		return -1;
	diff = json_first(cfg.diff_ids);
	for (j = json_first(layers); j; j = json_next(j), i++) {
		if (check_layer(j, cfg.is_image ? diff : NULL, i, &budget, s, o, out, e))
			return -1;
		diff = diff ? json_next(diff) : NULL;
	}
	if (!cfg.is_image && i)
		out_check(out, "image.diff_id", CHECK_SKIP, NULL, NULL, NULL, "not a container image: its configuration has no diff_ids");
	return 0;
}
