/* SPDX-License-Identifier: Apache-2.0 */
/* See oci.h. */

#include "image/oci.h"

int descriptor_parse(struct descriptor *ret, const struct json *j, const char *what, struct err *e)
{
	struct descriptor d = { .json = j };
	const char *text;

	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "%s is not an object", what);
	if (json_need_str(&d.media_type, j, "mediaType", what, e) || json_need_str(&text, j, "digest", what, e) ||
	    json_need_u64(&d.size, j, "size", INT64_MAX, what, e))
		return -1;
	if (digest_parse(&d.digest, text, e))
		return err_ctx(e, "%s", what);
	*ret = d;
	return 0;
}

const char *descriptor_annotation(const struct descriptor *d, const char *key)
{
	return json_string(json_get(json_get(d->json, "annotations"), key));
}

int blob_load(struct buf *ret, const struct store *s, const struct descriptor *d, size_t max, const char *what, struct err *e)
{
	AUTO_BLOB b = BLOB_INIT;
	AUTO_BUF data = { .max = max + 1 };
	struct digest seen;
	uint8_t *p;
	size_t got;

	if (d->size > max)
		return err_set(e, EC_FORMAT, "%s '%s' has %llu bytes, at most %zu are read", what, d->digest.text,
			       (unsigned long long)d->size, max);
	if (blob_open(&b, s, &d->digest, e))
		return err_ctx(e, "%s", what);
	if (b.size != d->size)
		return err_set(e, EC_REFUSED, "%s '%s' has %llu bytes, its descriptor says %llu", what, d->digest.text,
			       (unsigned long long)b.size, (unsigned long long)d->size);
	p = d->size ? buf_grow(&data, (size_t)d->size) : NULL;
	if (buf_check(&data, e) || (p && blob_read(&b, p, data.n, &got, e)))
		return err_ctx(e, "%s '%s'", what, d->digest.text);
	if (digest_of(&seen, d->digest.h, buf_view(&data), e))
		return -1;
	if (!digest_eq(&seen, &d->digest))
		return err_set(e, EC_REFUSED, "%s '%s' has the content of '%s'", what, d->digest.text, seen.text);
	buf_slice(ret, buf_view(&data));
	return buf_check(ret, e);
}

/* ---- manifests and indexes ------------------------------------------------------------------------------------ */

void doc_free(struct doc *d)
{
	buf_free(&d->raw);
	json_free(d->json);
	*d = (struct doc){ 0 };
}

static bool is_index_type(const char *t)
{
	return !strcmp(t, MT_OCI_INDEX) || !strcmp(t, MT_DOCKER_LIST);
}

static bool is_manifest_type(const char *t)
{
	return !strcmp(t, MT_OCI_MANIFEST) || !strcmp(t, MT_DOCKER_MANIFEST);
}

/* Both shapes in one body would let one tool see an image and another an index. */
static int shape(bool *is_index, const struct json *j, const char *what, struct err *e)
{
	const bool index = json_get(j, "manifests"), image = json_get(j, "layers") || json_get(j, "config");
	uint64_t version;

	if (!json_is_object(j))
		return err_set(e, EC_FORMAT, "%s is not a JSON object", what);
	if (json_need_u64(&version, j, "schemaVersion", INT64_MAX, what, e))
		return -1;
	if (version != 2)
		return err_set(e, EC_FORMAT, "%s has schemaVersion %llu, wanted 2", what, (unsigned long long)version);
	if (index && image)
		return err_set(e, EC_REFUSED, "%s is both an index and a manifest", what);
	if (!index && !image)
		return err_set(e, EC_FORMAT, "%s has neither 'manifests' nor 'config' and 'layers'", what);
	*is_index = index;
	return 0;
}

int doc_parse(struct doc *ret, struct buf *raw, const char *media_type, const struct digest *digest, struct err *e)
{
	AUTO_DOC d = { .digest = *digest };
	const struct json *mt;
	const char *body_type;

	if (json_parse(&d.json, buf_view(raw), DOC_MAX, e) || shape(&d.is_index, d.json, "it", e))
		return err_ctx(e, "manifest '%s'", digest->text);
	mt = json_get(d.json, "mediaType");
	body_type = json_string(mt);
	if (mt && !body_type)
		return err_set(e, EC_FORMAT, "manifest '%s': mediaType is not a string", digest->text);
	if (body_type && media_type && strcmp(body_type, media_type))
		return err_set(e, EC_REFUSED, "manifest '%s' calls itself '%s', its descriptor says '%s'", digest->text, body_type,
			       media_type);
	d.media_type = body_type ? body_type : d.is_index ? MT_OCI_INDEX : MT_OCI_MANIFEST;
	if (!body_type && media_type && strcmp(media_type, d.media_type))
		return err_set(e, EC_REFUSED, "manifest '%s' has no mediaType and is not the '%s' that its descriptor says",
			       digest->text, media_type);
	if (d.is_index ? !is_index_type(d.media_type) : !is_manifest_type(d.media_type))
		return err_set(e, EC_FORMAT, "manifest '%s' has media type '%s', which is not that of %s", digest->text,
			       d.media_type, d.is_index ? "an index" : "an image manifest");
	buf_move(&d.raw, raw);
	doc_free(ret);
	*ret = d;
	d = (struct doc){ 0 };
	return 0;
}

int doc_read(struct doc *ret, const struct store *s, const struct descriptor *d, struct err *e)
{
	AUTO_BUF raw = { .max = DOC_MAX + 1 };

	if (blob_load(&raw, s, d, DOC_MAX, "manifest", e))
		return -1;
	return doc_parse(ret, &raw, d->media_type, &d->digest, e);
}

/* ---- platforms -------------------------------------------------------------------------------------------------- */

void platform_here(struct platform *ret)
{
	*ret = (struct platform){ .os = "linux" };
#if defined(__x86_64__)
	memcpy(ret->arch, "amd64", 6);
#elif defined(__aarch64__)
	memcpy(ret->arch, "arm64", 6);
#elif defined(__powerpc64__)
	memcpy(ret->arch, "ppc64le", 8);
#elif defined(__s390x__)
	memcpy(ret->arch, "s390x", 6);
#elif defined(__riscv)
	memcpy(ret->arch, "riscv64", 8);
#else
	memcpy(ret->arch, "unknown", 8);
#endif
}

static bool copy_word(char *ret, size_t size, struct slice s)
{
	if (!s.n || s.n >= size)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '/')
			return false;
	memcpy(ret, s.p, s.n);
	ret[s.n] = 0;
	return true;
}

int platform_parse(struct platform *ret, const char *text, struct err *e)
{
	struct platform p = { .os = "" };
	const char *arch = strchr(text, '/'), *variant = arch ? strchr(arch + 1, '/') : NULL;

	if (!arch || !copy_word(p.os, sizeof p.os, slice_of(text, (size_t)(arch - text))) ||
	    !copy_word(p.arch, sizeof p.arch,
		       variant ? slice_of(arch + 1, (size_t)(variant - arch - 1)) : slice_str(arch + 1)) ||
	    (variant && !copy_word(p.variant, sizeof p.variant, slice_str(variant + 1))))
		return err_set(e, EC_USAGE, "'%s' is not a platform: wanted OS/ARCH[/VARIANT], as in linux/amd64", text);
	*ret = p;
	return 0;
}

void platform_text(char ret[static 96], const struct platform *p)
{
	snprintf(ret, 96, "%s/%s%s%s", p->os, p->arch, p->variant[0] ? "/" : "", p->variant);
}

/* "v8" is 8; 0 for none; -1 for what is not a level. */
static int level(const char *variant)
{
	if (!*variant)
		return 0;
	return variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' && !variant[2] ? variant[1] - '0' : -1;
}

static int default_level(const char *arch)
{
	return !strcmp(arch, "arm") ? 7 : !strcmp(arch, "arm64") ? 8 : 1;
}

/* How well an offer fits, 0: not at all.  A machine runs what its own level or a lower one was built for. */
static int fitness(const struct platform *want, const struct platform *offer)
{
	const int w = *want->variant ? level(want->variant) : default_level(want->arch), o = level(offer->variant);

	if (strcmp(want->os, offer->os) || strcmp(want->arch, offer->arch))
		return 0;
	if (*want->variant && !strcmp(want->variant, offer->variant))
		return 100;
	if (o < 0 || w < 0)
		return 0;
	return o <= w ? 1 + o : 0;
}

static bool read_platform(struct platform *ret, const struct json *j)
{
	const char *os = json_string(json_get(j, "os")), *arch = json_string(json_get(j, "architecture"));
	const char *variant = json_string(json_get(j, "variant"));

	*ret = (struct platform){ .os = "" };
	return os && arch && copy_word(ret->os, sizeof ret->os, slice_str(os)) &&
	       copy_word(ret->arch, sizeof ret->arch, slice_str(arch)) &&
	       (!variant || !*variant || copy_word(ret->variant, sizeof ret->variant, slice_str(variant)));
}

/* ---- choosing --------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

bool is_signature_artifact(const struct descriptor *d)
{
	const char *kind = descriptor_annotation(d, "kind"), *name = descriptor_annotation(d, ANN_REF_NAME);
	const char *artifact = json_string(json_get(d->json, "artifactType"));

	if (kind && !strncmp(kind, "dev.cosignproject.cosign/", 25))
		return !strcmp(kind + 25, "sigs") || !strcmp(kind + 25, "atts");
	if (artifact && (!strncmp(artifact, "application/vnd.dev.sigstore.bundle", 35) ||
			 !strncmp(artifact, "application/vnd.dev.cosign.", 27)))
		return true;
	if (!name || !strstr(name, "sha256-"))
		return false;
	name = strstr(name, "sha256-");
	return strspn(name + 7, "0123456789abcdef") == 64 &&
	       (!name[71] || ends_with(name, ".sig") || ends_with(name, ".att") || ends_with(name, ".sbom"));
}

static int entries(const struct json **ret, const struct json *doc, const char *what, struct err *e)
{
	const struct json *list;

	if (json_need_arr(&list, doc, "manifests", what, e))
		return -1;
	if (json_count(list) > INDEX_ENTRIES_MAX)
		return err_set(e, EC_FORMAT, "%s has more than %d entries", what, INDEX_ENTRIES_MAX);
	*ret = list;
	return 0;
}

static void list_names(struct buf *ret, const struct json *list)
{
	size_t i = 0;

	for (const struct json *j = json_first(list); j && ret->n < 200; j = json_next(j), i++) {
		struct descriptor d;

		if (descriptor_parse(&d, j, "entry", NULL) || is_signature_artifact(&d))
			continue;
		if (descriptor_annotation(&d, ANN_REF_NAME))
			buf_printf(ret, "%s:%s", ret->n ? ", " : "", descriptor_annotation(&d, ANN_REF_NAME));
		else
			buf_printf(ret, "%s:@%zu (%.19s...)", ret->n ? ", " : "", i, d.digest.text);
	}
}

static bool entry_fits(const struct descriptor *d, size_t i, const struct image_ref *ref)
{
	const char *name = descriptor_annotation(d, ANN_REF_NAME);

	if (ref->has_index)
		return i == ref->index;
	if (ref->tag)
		return name && !strcmp(name, ref->tag);
	if (ref->pin.h != HASH_NONE)
		return digest_eq(&d->digest, &ref->pin);
	return !is_signature_artifact(d);
}

/* The entry of index.json that the reference names.  *found false: there is none. */
static int pick_entry(struct descriptor *ret, bool *found, const struct json *list, const struct image_ref *ref, struct err *e)
{
	AUTO_BUF names = { .max = 4096 };
	size_t i = 0;

	*found = false;
	for (const struct json *j = json_first(list); j; j = json_next(j), i++) {
		struct descriptor d;
		char what[48];

		snprintf(what, sizeof what, "entry %zu of index.json", i);
		if (descriptor_parse(&d, j, what, e))
			return -1;
		if (!entry_fits(&d, i, ref))
			continue;
		if (*found && !digest_eq(&ret->digest, &d.digest)) {
			list_names(&names, list);
			err_set(e, ref->tag ? EC_REFUSED : EC_USAGE, ref->tag ? "index.json has two images tagged '%s'"
				: "the layout has several images%s", ref->tag ? ref->tag : "");
			return err_hint(e, "name one: %s", buf_cstr(&names));
		}
		*ret = d;
		*found = true;
	}
	return 0;
}

static int no_such_image(const struct json *list, const struct image_ref *ref, struct err *e)
{
	AUTO_BUF names = { .max = 4096 };

	list_names(&names, list);
	if (ref->tag)
		err_set(e, EC_REFUSED, "the layout has no image tagged '%s'", ref->tag);
	else if (ref->has_index)
		err_set(e, EC_REFUSED, "the layout has no image at index %llu", (unsigned long long)ref->index);
	else
		err_set(e, EC_REFUSED, "the layout has no image");
	return names.n ? err_hint(e, "it has %s", buf_cstr(&names)) : -1;
}

/* A digest that the user typed names its blob even if index.json does not list it; its type is in its body. */
static int read_pinned(struct doc *ret, const struct store *s, const struct digest *pin, struct err *e)
{
	AUTO_BLOB b = BLOB_INIT;
	struct descriptor d = { .digest = *pin };

	if (blob_open(&b, s, pin, e)) {
		if (e && e->code == EC_FORMAT)
			e->code = EC_REFUSED;
		return err_ctx(e, "the layout has no image '%s'", pin->text);
	}
	d.size = b.size;
	return doc_read(ret, s, &d, e);
}

static int read_top(struct chain *c, const struct store *s, const struct image_ref *ref, struct err *e)
{
	const struct json *list;
	struct descriptor d;
	bool found, index;

	if (shape(&index, c->index, "index.json", e))
		return -1;
	if (!index)
		return err_set(e, EC_FORMAT, "index.json is not an index");
	if (entries(&list, c->index, "index.json", e) || pick_entry(&d, &found, list, ref, e))
		return -1;
	if (!found && !ref->tag && !ref->has_index && ref->pin.h != HASH_NONE)
		return read_pinned(&c->v[0], s, &ref->pin, e);
	if (!found)
		return no_such_image(list, ref, e);
	if (ref->pin.h != HASH_NONE && !digest_eq(&d.digest, &ref->pin))
		return err_set(e, EC_REFUSED, "'%s' is '%s', but the reference pins '%s'", ref->tag ? ref->tag : "the image",
			       d.digest.text, ref->pin.text);
	return doc_read(&c->v[0], s, &d, e);
}

static int nothing_fits(const struct json *list, const struct platform *want, struct err *e)
{
	AUTO_BUF have = { .max = 4096 };
	char text[96];

	for (const struct json *j = json_first(list); j && have.n < 200; j = json_next(j)) {
		struct platform p;

		if (!read_platform(&p, json_get(j, "platform")))
			continue;
		platform_text(text, &p);
		buf_printf(&have, "%s%s", have.n ? ", " : "", text);
	}
	platform_text(text, want);
	err_set(e, EC_ABSENT, "the image has nothing for %s", text);
	return err_hint(e, "it has %s; --platform chooses", have.n ? buf_cstr(&have) : "no entry with a platform");
}

static int pick_platform(struct descriptor *ret, struct chain *c, const struct json *list, const struct platform *want,
			 struct err *e)
{
	int best = 0;

	if (json_count(list) == 1 && !json_get(json_first(list), "platform"))
		return descriptor_parse(ret, json_first(list), "entry of the index", e);
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		struct descriptor d;
		struct platform p;
		int fit;

		if (descriptor_parse(&d, j, "entry of the index", e))
			return -1;
		fit = read_platform(&p, json_get(j, "platform")) ? fitness(want, &p) : 0;
		if (fit <= best)
			continue;
		best = fit;
		*ret = d;
		c->chosen = true;
		c->platform = p;
	}
	return best ? 0 : nothing_fits(list, want, e);
}

void chain_free(struct chain *c)
{
	for (size_t i = 0; i < sizeof c->v / sizeof c->v[0]; i++)
		doc_free(&c->v[i]);
	json_free(c->index);
	c->index = NULL;
	c->n = 0;
}

static int walk(struct chain *c, const struct store *s, const struct platform *want, struct err *e)
{
	for (c->n = 1; c->v[c->n - 1].is_index; c->n++) {
		const struct json *list;
		struct descriptor d;

		if (c->n == sizeof c->v / sizeof c->v[0])
			return err_set(e, EC_REFUSED, "indexes are nested deeper than %d", INDEX_DEPTH_MAX);
		if (entries(&list, c->v[c->n - 1].json, "the index", e) || pick_platform(&d, c, list, want, e) ||
		    doc_read(&c->v[c->n], s, &d, e))
			return -1;
	}
	return 0;
}

static int check_layout_file(const struct store *s, struct err *e)
{
	AUTO_BUF text = { 0 };
	AUTO_JSON *j = NULL;
	const char *version;

	if (store_read(&text, s, "oci-layout", 64 << 10, e))
		return err_hint(e, "is this an OCI image layout (a folder with oci-layout, index.json and blobs/)?");
	if (json_parse(&j, buf_view(&text), 64 << 10, e) || json_need_str(&version, j, "imageLayoutVersion", "it", e))
		return err_ctx(e, "'oci-layout'");
	if (strcmp(version, "1.0.0"))
		return err_set(e, EC_FORMAT, "'oci-layout' has imageLayoutVersion '%s', wanted '1.0.0'", version);
	return 0;
}

int chain_resolve(struct chain *ret, const struct store *s, const struct image_ref *ref, const struct platform *want,
		  struct err *e)
{
	AUTO_CHAIN c = { .n = 0 };
	AUTO_BUF text = { .max = DOC_MAX + 1 };

	if (check_layout_file(s, e) || store_read(&text, s, "index.json", DOC_MAX, e))
		return -1;
	if (json_parse(&c.index, buf_view(&text), DOC_MAX, e))
		return err_ctx(e, "'index.json'");
	if (read_top(&c, s, ref, e) || walk(&c, s, want, e))
		return -1;
	chain_free(ret);
	*ret = c;
	c = (struct chain){ 0 };
	return 0;
}

bool chain_has(const struct chain *c, const struct digest *d)
{
	for (size_t i = 0; i < c->n; i++)
		if (digest_eq(&c->v[i].digest, d))
			return true;
	return false;
}
