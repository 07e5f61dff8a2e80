/* SPDX-License-Identifier: Apache-2.0 */
/* See signature.h.  Places: images.md 3.1 (tags, cosign save) and 3.4 (referrers). */

#include "image/signature.h"

#include "codec/hex64.h"

enum { SCAN_BLOB_MAX = 256 << 10, SCAN_BYTES_MAX = 256 << 20, SIG_BYTES_MAX = 64 << 20, PROBLEMS_MAX = 16 << 10 };

static const struct sig_kind *const kinds[] = { &sig_kind_cosign, &sig_kind_bundle };

/* ---- keys ------------------------------------------------------------------------------------------------------ */

void trust_keys_free(struct trust_keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		pubkey_free(&k->v[i].key);
		free(k->v[i].source);
	}
	free(k->v);
	*k = (struct trust_keys){ 0 };
}

static int usable(const struct pubkey *k, struct err *e)
{
	if (k->type == KEY_RSA && k->bits != 2048 && k->bits != 3072 && k->bits != 4096)
		return err_set(e, EC_FORMAT, "RSA key has %u bits; 2048, 3072 and 4096 are accepted", k->bits);
	return k->type == KEY_NONE ? err_set(e, EC_ABSENT, "this kind of key is not supported") : 0;
}

int trust_keys_add(struct trust_keys *k, struct slice pem_or_der, const char *source, struct err *e)
{
	AUTO_PUBKEY key = { 0 };
	AUTO_BUF der = { 0 };
	struct trust_key *v;
	struct digest id;

	if (pubkey_parse(&key, pem_or_der, e) || usable(&key, e) || pubkey_der(&der, &key, e) ||
	    digest_of(&id, HASH_SHA256, buf_view(&der), e)) {
		err_ctx(e, "public key '%s'", source);
		return err_hint(e, "wanted a public key in PEM, as 'cosign generate-key-pair' writes to cosign.pub");
	}
	v = realloc(k->v, (k->n + 1) * sizeof *v);
	if (!v)
		return err_oom(e);
	k->v = v;
	v[k->n] = (struct trust_key){ .source = str_dup(source, e) };
	if (!v[k->n].source)
		return -1;
	memcpy(v[k->n].sha256, id.hex, sizeof v[k->n].sha256);
	v[k->n].key = key;
	key = (struct pubkey){ 0 };
	k->n++;
	return 0;
}

void claim_free(struct claim *c)
{
	free(c->name);
	c->name = NULL;
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

static void signature_free(struct signature *s)
{
	buf_free(&s->body);
	buf_free(&s->sig);
}

void signatures_free(struct signatures *s)
{
	for (size_t i = 0; i < s->n; i++)
		signature_free(&s->v[i]);
	free(s->v);
	buf_free(&s->problems);
	*s = (struct signatures){ 0 };
}

static void note(struct signatures *all, const char *where, const struct err *why)
{
	if (all->problems.n < PROBLEMS_MAX)
		buf_printf(&all->problems, "%s%s: %s", all->problems.n ? "\n" : "", where, why->msg);
}

/* Takes s over.  The same signature may be reachable on two ways (a tag and a referrer): it counts once. */
static int keep(struct signatures *all, struct signature *s, struct err *e)
{
	struct signature *v;

	for (size_t i = 0; i < all->n; i++)
		if (digest_eq(&all->v[i].blob, &s->blob) && slice_eq(buf_view(&all->v[i].sig), buf_view(&s->sig))) {
			signature_free(s);
			return 0;
		}
	v = all->n < SIGNATURES_MAX ? realloc(all->v, (all->n + 1) * sizeof *v) : NULL;
	if (!v) {
		signature_free(s);
		return all->n < SIGNATURES_MAX ? err_oom(e)
			: err_set(e, EC_REFUSED, "the layout has more than %d signatures of this image", SIGNATURES_MAX);
	}
	all->v = v;
	v[all->n++] = *s;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		all->n_kind[i] += s->kind == kinds[i];
	return 0;
}

/* Some writers left line ends in the base64. */
static int decode_annotation(struct buf *ret, const char *text, struct err *e)
{
	AUTO_BUF clean = { .max = 64 << 10 };

	for (; *text; text++)
		if (*text != '\r' && *text != '\n')
			buf_byte(&clean, (uint8_t)*text);
	if (buf_check(&clean, e))
		return -1;
	return b64_decode(ret, buf_view(&clean), e);
}

/* One layer of a signature manifest; *skip: it is something else. */
static int read_layer(struct signature *ret, bool *skip, const struct store *s, const struct json *j, struct err *e)
{
	struct descriptor d;
	const char *text;

	*skip = true;
	if (descriptor_parse(&d, j, "signature", e))
		return -1;
	if (!strcmp(d.media_type, MT_SIMPLE_SIGNING)) {
		text = descriptor_annotation(&d, "dev.cosignproject.cosign/signature");
		if (!text)
			return err_set(e, EC_FORMAT, "signature '%s' has no annotation with its bytes", d.digest.text);
		if (decode_annotation(&ret->sig, text, e))
			return err_ctx(e, "signature '%s'", d.digest.text);
		ret->kind = &sig_kind_cosign;
	} else if (!strcmp(d.media_type, MT_BUNDLE_V03)) {
		ret->kind = &sig_kind_bundle;
	} else {
		return 0;
	}
	*skip = false;
	ret->blob = d.digest;
	return blob_load(&ret->body, s, &d, SIG_PAYLOAD_MAX, "signature", e);
}

static int read_signatures(struct signatures *all, const struct doc *doc, const struct store *s, struct err *e)
{
	const struct json *layers;
	struct err why;
	size_t i = 0;

	if (json_need_arr(&layers, doc->json, "layers", "signature manifest", &why)) {
		note(all, doc->digest.text, &why);
		return 0;
	}
	for (const struct json *j = json_first(layers); j && i < LAYERS_MAX; j = json_next(j), i++) {
		struct signature sig = { .body = { .max = SIG_PAYLOAD_MAX + 1 } };
		bool skip;

		if (read_layer(&sig, &skip, s, j, &why)) {
			note(all, doc->digest.text, &why);
			signature_free(&sig);
			continue;
		}
		all->bytes += sig.body.n;
		if (all->bytes > SIG_BYTES_MAX) {
			signature_free(&sig);
			return err_set(e, EC_REFUSED, "the signatures in the layout fill more than %d bytes", SIG_BYTES_MAX);
		}
		if (!skip && keep(all, &sig, e))
			return -1;
	}
	return 0;
}

/* cosign save marks signature manifests; skopeo and crane keep the registry's tag, "sha256-<hex>.sig", perhaps behind a name. */
static bool is_signature_of(const struct descriptor *d, const struct chain *c)
{
	const char *kind = descriptor_annotation(d, "kind"), *name = descriptor_annotation(d, ANN_REF_NAME);

	if (kind && !strcmp(kind, "dev.cosignproject.cosign/sigs"))
		return true;
	for (size_t i = 0; name && i < c->n; i++) {
		char tag[sizeof c->v[i].digest.text + 8];
		const size_t n = (size_t)snprintf(tag, sizeof tag, "%s-%s.sig", digest_alg(&c->v[i].digest), c->v[i].digest.hex);
		const size_t m = strlen(name);

		if (m >= n && !strcmp(name + m - n, tag) && (m == n || name[m - n - 1] == ':'))
			return true;
	}
	return false;
}

static int find_tagged(struct signatures *all, const struct chain *c, const struct store *s, struct err *e)
{
	size_t n = 0;

	for (const struct json *j = json_first(json_get(c->index, "manifests")); j; j = json_next(j)) {
		AUTO_DOC doc = { 0 };
		struct descriptor d;
		struct err why;

		if (descriptor_parse(&d, j, "entry", NULL) || !is_signature_of(&d, c))
			continue;
		if (++n > SIGNATURES_MAX)
			return err_set(e, EC_REFUSED, "index.json has more than %d signature manifests", SIGNATURES_MAX);
		if (doc_read(&doc, s, &d, &why))
			note(all, "signature manifest", &why);
		else if (read_signatures(all, &doc, s, e))
			return -1;
	}
	return 0;
}

struct scan {
	struct signatures *all;
	const struct chain *c;
	const struct store *s;
	size_t bytes;			/* read so far */
};

/* Referrers are listed nowhere in a layout (cosign save): a manifest whose subject is the image is one. */
static int scan_blob(void *arg, const struct digest *digest, uint64_t size, struct err *e)
{
	struct scan *scan = arg;
	AUTO_BUF raw = { .max = SCAN_BLOB_MAX + 1 };
	AUTO_DOC doc = { 0 };
	const struct descriptor d = { .digest = *digest, .size = size };
	const char *subject;
	struct digest of;
	struct err why;

	if (size > SCAN_BLOB_MAX || scan->bytes == SCAN_BYTES_MAX)
		return 0;
	if (size > SCAN_BYTES_MAX - scan->bytes) {
		err_set(&why, EC_FORMAT, "not all of its small blobs were searched, there are too many");
		note(scan->all, "layout", &why);
		scan->bytes = SCAN_BYTES_MAX;
		return 0;
	}
	scan->bytes += size;
	if (blob_load(&raw, scan->s, &d, SCAN_BLOB_MAX, "blob", NULL) || !raw.n || raw.p[0] != '{' ||
	    !memmem(raw.p, raw.n, "\"subject\"", 9) || doc_parse(&doc, &raw, NULL, digest, NULL) || doc.is_index)
		return 0;
	subject = json_string(json_path(doc.json, "/subject/digest"));
	if (!subject || digest_parse(&of, subject, NULL) || !chain_has(scan->c, &of))
		return 0;
	return read_signatures(scan->all, &doc, scan->s, e);
}

int signatures_find(struct signatures *ret, const struct chain *c, const struct store *s, struct err *e)
{
	AUTO_SIGNATURES all = { 0 };
	struct scan scan = { .all = &all, .c = c, .s = s };

	if (find_tagged(&all, c, s, e) || store_each_blob(s, scan_blob, &scan, e))
		return -1;
	signatures_free(ret);
	*ret = all;
	all = (struct signatures){ 0 };
	return 0;
}
