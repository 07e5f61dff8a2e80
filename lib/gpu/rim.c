/* SPDX-License-Identifier: Apache-2.0 */
/* Reference integrity manifests: what they demand, and who says so. */

#include <stdlib.h>
#include <string.h>

#include "codec/hex64.h"
#include "gpu/nv_roots.h"
#include "gpu/nvchain.h"
#include "gpu/rim.h"

#define SWID "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define TCG_RIM "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/"
#define SHA384 "http://www.w3.org/2001/04/xmlenc#sha384"
#define OPAQUE "https://docs.nvidia.com/attestation/specs/latest/opaque-data.html"
#define LOOK 4096			/* bytes in which a root element has to begin to be recognised */

struct reading {		/* one call of rim_parse */
	struct rim r;
	struct buf store;
	size_t first[RIM_INDEXES];	/* place of its first value in the store */
	struct err *e;
};

void rim_free(struct rim *r)
{
	free(r->ctx);
	xmldsig_free(&r->sig);
	memset(r, 0, sizeof *r);
}

/* --- attributes ---------------------------------------------------------------------------------------------- */

/* Printable ASCII that fits; so it can be shown and compared. */
static int copy_text(char *ret, size_t size, struct slice s, const char *name, struct err *e)
{
	if (s.n == 0 || s.n >= size)
		return err_set(e, EC_FORMAT, "manifest: '%s' has %zu characters, wanted 1 to %zu", name, s.n, size - 1);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return err_set(e, EC_FORMAT, "manifest: '%s' has characters that are not printable ASCII", name);
	memcpy(ret, s.p, s.n);
	ret[s.n] = 0;
	return 0;
}

static int need_text(char *ret, size_t size, const struct xml_node *n, const char *name, struct err *e)
{
	struct slice s;

	if (!xml_attr(&s, n, "", name))
		return err_set(e, EC_FORMAT, "manifest: '%s' is missing", name);
	return copy_text(ret, size, s, name, e);
}

static int maybe_text(char *ret, size_t size, const struct xml_node *n, const char *uri, const char *name, struct err *e)
{
	struct slice s;

	return xml_attr(&s, n, uri, name) ? copy_text(ret, size, s, name, e) : 0;
}

/* A decimal number as it is written without need for more: digits, no leading zeros. */
static bool decimal(uint32_t *ret, struct slice s)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 10 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	if (v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static int need_number(uint32_t *ret, const struct xml_node *n, const char *uri, const char *name, uint32_t max, struct err *e)
{
	struct slice s;

	if (!xml_attr(&s, n, uri, name))
		return err_set(e, EC_FORMAT, "'%s' is missing", name);
	if (!decimal(ret, s) || *ret > max)
		return err_set(e, EC_FORMAT, "'%s' is '%.*s', wanted a number up to %u", name, (int)(s.n < 32 ? s.n : 32), (const char *)s.p, max);
	return 0;
}

static int need_bool(bool *ret, const struct xml_node *n, const char *uri, const char *name, struct err *e)
{
	struct slice s;

	if (!xml_attr(&s, n, uri, name))
		return err_set(e, EC_FORMAT, "'%s' is missing", name);
	if (!slice_eqs(s, "True") && !slice_eqs(s, "False"))
		return err_set(e, EC_FORMAT, "'%s' is '%.*s', wanted True or False", name, (int)(s.n < 32 ? s.n : 32), (const char *)s.p);
	*ret = slice_eqs(s, "True");
	return 0;
}

/* Attributes of a resource: how many hashes, and whether there are any that are not known here. */
static size_t hashes_of(const struct xml_node *n, bool svn, bool *unknown)
{
	static const char *const known[] = { "type", "index", "active", "alternatives", "name", "size" };
	const char *uri, *local;
	struct slice v;
	size_t ret = 0;

	for (size_t i = 0; xml_attr_at(&uri, &local, &v, n, i); i++) {
		bool ok = svn && !strcmp(uri, OPAQUE) && (!strcmp(local, "minSvn") || !strcmp(local, "includeInResult"));

		for (size_t k = 0; !uri[0] && k < sizeof known / sizeof known[0]; k++)
			ok |= !strcmp(local, known[k]);
		if (!strcmp(uri, SHA384))
			ret++;
		else if (!ok)
			*unknown = true;
	}
	return ret;
}

/* --- resources ------------------------------------------------------------------------------------------------ */

static int read_hashes(struct reading *in, const struct xml_node *n, uint32_t count)
{
	for (uint32_t k = 0; k < count; k++) {
		char name[16];
		struct slice s;
		uint8_t *to;

		snprintf(name, sizeof name, "Hash%u", k);
		if (!xml_attr(&s, n, SHA384, name))
			return err_set(in->e, EC_FORMAT, "'%s' is missing", name);
		if (s.n != 96 || !hex_is(s))
			return err_set(in->e, EC_FORMAT, "'%s' is not 96 hex digits", name);
		to = buf_grow(&in->store, 48);
		if (!to)
			return buf_check(&in->store, in->e);
		if (hex_decode_n(to, 48, (const char *)s.p, in->e))
			return -1;
	}
	return 0;
}

static int read_golden(struct reading *in, const struct xml_node *n, uint32_t index)
{
	struct rim_golden *g = &in->r.golden[index];
	uint32_t count, size;
	size_t hashes;

	if (g->there)
		return err_set(in->e, EC_FORMAT, "the index stands there twice");
	if (need_bool(&g->active, n, "", "active", in->e) || need_number(&count, n, "", "alternatives", RIM_ALTERNATIVES, in->e) ||
	    need_number(&size, n, "", "size", UINT32_MAX, in->e) || need_text(g->name, sizeof g->name, n, "name", in->e))
		return -1;
	if (size != 48)
		return err_set(in->e, EC_FORMAT, "'size' is %u, wanted 48", size);
	if (g->active && count == 0)
		return err_set(in->e, EC_FORMAT, "it is active and accepts no value");
	hashes = hashes_of(n, false, &in->r.newer);
	if (hashes != count)
		return err_set(in->e, EC_FORMAT, "'alternatives' is %u, but there are %zu hashes", count, hashes);
	in->first[index] = in->store.n / 48;
	if (read_hashes(in, n, count))
		return -1;
	g->there = true;
	g->n = count;
	in->r.n_active += g->active;
	return 0;
}

static int read_svn(struct reading *in, const struct xml_node *n, uint32_t index)
{
	struct rim_svn s = { .opaque_type = (uint16_t)(index - RIM_SVN_BASE) };
	struct slice v;

	if (hashes_of(n, true, &in->r.newer))
		return err_set(in->e, EC_FORMAT, "it has hashes, but is about a security version");
	if (need_bool(&s.active, n, "", "active", in->e))
		return -1;
	if (!s.active)
		return 0;
	if (need_number(&s.min, n, OPAQUE, "minSvn", UINT32_MAX, in->e) || need_text(s.name, sizeof s.name, n, "name", in->e) ||
	    (xml_attr(&v, n, OPAQUE, "includeInResult") && need_bool(&s.publish, n, OPAQUE, "includeInResult", in->e)))
		return -1;
	if (in->r.n_svn == RIM_SVNS)
		return err_set(in->e, EC_FORMAT, "there are more than %d security versions", RIM_SVNS);
	for (size_t i = 0; i < in->r.n_svn; i++)
		if (in->r.svn[i].opaque_type == s.opaque_type || !strcmp(in->r.svn[i].name, s.name))
			return err_set(in->e, EC_FORMAT, "the index or the name '%s' stands there twice", s.name);
	in->r.svn[in->r.n_svn++] = s;
	return 0;
}

static int read_resource(struct reading *in, const struct xml_node *n)
{
	struct slice type = { 0 };
	uint32_t index;
	int rc = 0;

	if (!xml_attr(&type, n, "", "type") || !slice_eqs(type, "Measurement")) {
		in->r.newer = true;
		return 0;
	}
	if (need_number(&index, n, "", "index", UINT32_MAX, in->e))
		return err_ctx(in->e, "manifest: resource");
	if (index < RIM_INDEXES)
		rc = read_golden(in, n, index);
	else if (index >= RIM_SVN_BASE && index <= RIM_SVN_BASE + UINT16_MAX)
		rc = read_svn(in, n, index);
	else
		in->r.newer = true;
	return rc ? err_ctx(in->e, "manifest: resource of index %u", index) : 0;
}

static int read_payload(struct reading *in, const struct xml_node *payload)
{
	for (const struct xml_node *n = xml_first(payload); n; n = xml_next(n)) {
		if (!xml_is(n, SWID, "Resource") || xml_first(n))
			in->r.newer = true;
		else if (read_resource(in, n))
			return -1;
	}
	for (size_t i = 0; i < in->r.n_svn; i++)
		if (in->r.svn[i].active)
			return 0;
	return in->r.n_active ? 0 : err_set(in->e, EC_FORMAT, "manifest: it demands nothing: no resource is active");
}

/* --- the document ------------------------------------------------------------------------------------------------ */

/* The only element of that name, directly in the root. */
static const struct xml_node *only(const struct xml_node *root, const char *name, struct err *e)
{
	const struct xml_node *n = xml_child(root, SWID, name);

	if (n && xml_count(root, SWID, name) == 1)
		return n;
	err_set(e, EC_FORMAT, "manifest: '%s' has to stand there once, directly in the root", name);
	return NULL;
}

static int read_document(struct reading *in, const struct xml *doc)
{
	const struct xml_node *root = xml_root(doc), *meta, *payload;
	struct rim *r = &in->r;

	if (!xml_is(root, SWID, "SoftwareIdentity"))
		return err_set(in->e, EC_FORMAT, "manifest: the root element is not SoftwareIdentity of ISO 19770-2:2015");
	meta = only(root, "Meta", in->e);
	payload = meta ? only(root, "Payload", in->e) : NULL;
	if (!payload)
		return -1;
	if (need_text(r->name, sizeof r->name, root, "name", in->e) || maybe_text(r->tag_id, sizeof r->tag_id, root, "", "tagId", in->e) ||
	    need_text(r->version, sizeof r->version, meta, "colloquialVersion", in->e) ||
	    need_text(r->edition, sizeof r->edition, meta, "edition", in->e) ||
	    need_text(r->product, sizeof r->product, meta, "product", in->e) ||
	    maybe_text(r->oemid, sizeof r->oemid, meta, TCG_RIM, "FirmwareManufacturerId", in->e))
		return -1;
	if (xmldsig_open(&r->sig, doc, in->e))
		return err_ctx(in->e, "manifest");
	return read_payload(in, payload);
}

int rim_parse(struct rim *ret, struct slice xml, struct err *e)
{
	struct reading *in = calloc(1, sizeof *in);
	AUTO_XML *doc = NULL;
	int rc;

	if (!in)
		return err_oom(e);
	in->e = e;
	rc = xml_parse(&doc, xml, RIM_MAX, e) ? err_ctx(e, "manifest") : read_document(in, doc);
	if (rc) {
		rim_free(&in->r);
		buf_free(&in->store);
		free(in);
		return -1;
	}
	for (size_t i = 0; i < RIM_INDEXES; i++)
		if (in->r.golden[i].n) {
			const void *at = in->store.p + 48 * in->first[i];

			in->r.golden[i].hash = at;
		}
	in->r.ctx = in->store.p;	/* moves over */
	*ret = in->r;
	free(in);
	return 0;
}

static const char *behind(const char *s, const char *end)
{
	const char *at = strstr(s, end);

	return at ? at + strlen(end) : "";
}

bool rim_recognise(struct slice text)
{
	AUTO_STR *s = text.n ? str_ndup(text.p, text.n < LOOK ? text.n : LOOK, NULL) : NULL;
	const char *p = s ? s : "", *colon;
	size_t n;

	if (!strncmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	for (;;) {
		p += strspn(p, " \t\r\n");
		if (!strncmp(p, "<!--", 4))
			p = behind(p + 4, "-->");
		else if (!strncmp(p, "<?", 2))
			p = behind(p + 2, "?>");
		else
			break;
	}
	if (*p++ != '<')
		return false;
	n = strcspn(p, " \t\r\n/>");
	colon = memchr(p, ':', n);
	return slice_eqs(colon ? slice_of(colon + 1, n - (size_t)(colon + 1 - p)) : slice_of(p, n), "SoftwareIdentity");
}

/* --- who says so ---------------------------------------------------------------------------------------------- */

/* Its chain with NVIDIA's root where that has been left out.  Room for what xmldsig takes, and one more. */
struct line {
	struct cert v[16];
	struct cert_list l, root;	/* l borrows */
};

static void line_free(struct line *l)
{
	certs_free(&l->root);
}

static int line_open(struct line *ret, const struct rim *r, struct err *e)
{
	const struct cert_list *c = &r->sig.certs;

	if (c->n == 0 || c->n >= sizeof ret->v / sizeof ret->v[0])
		return err_set(e, EC_REFUSED, "manifest has %zu certificates", c->n);
	memcpy(ret->v, c->v, c->n * sizeof *c->v);
	ret->l = (struct cert_list){ ret->v, c->n };
	if (slice_eq(c->v[c->n - 1].issuer, c->v[c->n - 1].subject))
		return 0;
	if (certs_parse(&ret->root, slice_str(nv_rim_root_pem), e))
		return -1;
	ret->v[ret->l.n++] = ret->root.v[0];
	return 0;
}

#define AUTO_LINE __attribute__((cleanup(line_free))) struct line

int rim_chain(const struct rim *r, const uint8_t *root, struct err *e)
{
	AUTO_LINE line = { 0 };
	uint8_t sha[32];

	if (line_open(&line, r, e))
		return -1;
	if (cert_line(&line.l, e))
		return err_ctx(e, "chain of the manifest does not lead to the pinned root");
	if (!cert_allows(&line.v[0], NULL))	/* a responder for certificate status under the same root, say */
		return err_set(e, EC_REFUSED, "the manifest's signer may not sign manifests (extended key usage of its certificate)");
	if (hash_of(sha, HASH_SHA256, line.v[line.l.n - 1].der, e))
		return -1;
	if (memcmp(sha, root ? root : nv_rim_root, sizeof sha)) {
		AUTO_BUF name = { 0 };

		cert_name(&name, line.v[line.l.n - 1].subject, NULL);
		return err_set(e, EC_REFUSED, "chain of the manifest does not lead to the pinned root: it ends at '%.128s', another certificate",
			       buf_cstr(&name));
	}
	return 0;
}

int rim_dates(const struct rim *r, int64_t now, struct err *e)
{
	AUTO_LINE line = { 0 };

	if (line_open(&line, r, e))
		return -1;
	for (size_t i = 0; i < line.l.n; i++)
		if (cert_dates(&line.v[i], now, e))
			return err_ctx(e, "chain of the manifest");
	return 0;
}

void rim_window(int64_t *from, int64_t *until, const struct rim *r)
{
	AUTO_LINE line = { 0 };

	*from = INT64_MIN;
	*until = INT64_MAX;
	if (line_open(&line, r, NULL)) {	/* then it is never valid */
		*from = INT64_MAX;
		*until = INT64_MIN;
	}
	for (size_t i = 0; i < line.l.n; i++) {
		if (line.v[i].not_before > *from)
			*from = line.v[i].not_before;
		if (line.v[i].not_after < *until)
			*until = line.v[i].not_after;
	}
}

int rim_signed(const struct rim *r, struct err *e)
{
	AUTO_PUBKEY key = { 0 };
	AUTO_BUF text = { 0 };

	if (!r->sig.digest_holds) {
		buf_hex(&text, slice_of(r->sig.digest, sizeof r->sig.digest));
		return err_set(e, EC_REFUSED, "digest of the manifest is %.16s.., not the one that is signed: the text was changed", buf_cstr(&text));
	}
	if (r->sig.certs.n == 0)
		return err_set(e, EC_REFUSED, "signature of the manifest: there is no certificate");
	if (cert_public(&key, &r->sig.certs.v[0], e))
		return err_ctx(e, "signature of the manifest");
	if (xmldsig_verify(&r->sig, &key, e)) {
		cert_name(&text, r->sig.certs.v[0].subject, NULL);
		return err_ctx(e, "signature of the manifest, by '%.128s'", buf_cstr(&text));
	}
	return 0;
}
