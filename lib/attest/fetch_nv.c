/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral of NVIDIA's devices: the manifests of what runs on them (nvidia-gpu.md 3.1), and whose status has to be known. */

#include "attest/fetch_int.h"
#include "crypto/xmldsig.h"
#include "evidence/rim_answer.h"
#include "gpu/nv_roots.h"
#include "gpu/nvgpu.h"

#define FIRST_PAUSE_MS 500

struct nv {
	struct fetch *f;
	uint8_t nonce[32];
	struct status status;
	struct xmldsig *rim;			/* what its certificates may point into */
	size_t n_rims;
};

/* --- manifests ------------------------------------------------------------------------------------------------------------- */

struct rim_want {
	const char *id, *of;			/* of: "driver 550.144.03" */
};

static int open_rim(const void *arg, struct buf *ret, struct slice body, struct err *e)
{
	const struct rim_want *r = arg;

	return rim_unpack(ret, slice_trim(body), r->id, e);
}

static int rim_certs(struct xmldsig *ret, struct slice document, struct err *e)
{
	AUTO_XML *x = NULL;

	return xml_parse(&x, document, RIM_DOCUMENT_MAX, e) || xmldsig_open(ret, x, e) ? -1 : 0;
}

/* Those of the manifest, and NVIDIA's root, which some come without. */
static int rim_chain_certs(struct xmldsig *ret, struct slice document, struct err *e)
{
	return rim_certs(ret, document, e) || certs_parse(&ret->certs, slice_str(nv_rim_root_pem), e) ? -1 : 0;
}

static int fits_rim(const void *arg, const struct collateral *c, struct err *e)
{
	struct xmldsig sig = { 0 };
	const int rc = rim_certs(&sig, buf_view(&c->v[0].data), e);

	(void)arg;
	xmldsig_free(&sig);
	return rc;
}

static int no_rim(const void *arg, long status, struct err *e)
{
	const struct rim_want *r = arg;

	if (status != 404)
		return err_set(e, EC_IO, "the RIM service answered %ld for '%s'", status, r->id);
	return err_set(e, EC_ABSENT, "no RIM is published for this %s: %s", r->of, r->id);
}

/* What it is, a file and a bundle say by its name; whether it is true, verification finds out. */
static bool is_rim(const void *arg, const struct collateral_item *it)
{
	const struct rim_want *r = arg;
	const char *slash = strrchr(it->source, '/'), *name = slash ? slash + 1 : it->source;
	const size_t n = strlen(r->id);

	return !strncmp(name, r->id, n) && (!name[n] || !strcmp(name + n, ".xml"));
}

static bool id_is_good(const char *id)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return id[0] != '.' && !id[strspn(id, ok)];
}

/* "Authorization: Bearer KEY", with the NUL. */
static int bearer(struct secret *ret, const struct secret *key, struct err *e)
{
	static const char start[] = "Authorization: Bearer ";
	const struct slice k = slice_trim(secret_view(key));

	for (size_t i = 0; i < k.n; i++)
		if (k.p[i] <= 0x20 || k.p[i] >= 0x7f)
			return err_set(e, EC_USAGE, "the service key holds bytes that no header can");
	if (k.n == 0 || k.n > 8192)
		return err_set(e, EC_USAGE, "the service key has %zu characters, wanted 1 to 8192", k.n);
	if (secret_alloc(ret, sizeof start + k.n, e))
		return -1;
	memcpy(ret->p, start, sizeof start - 1);
	memcpy(ret->p + sizeof start - 1, k.p, k.n);
	return 0;
}

static int fetch_rim(struct nv *w, const struct rim_want *r, struct err *e)
{
	const struct fetch_from *from = w->f->from;
	const char *base = from->rim ? from->rim : FETCH_RIM;
	const char *send[] = { "Accept: application/json", NULL, NULL };
	struct ask a = { .type = COLLATERAL_RIM, .what = "the reference integrity manifest", .send = send, .retry_ms = FIRST_PAUSE_MS,
			 .max = RIM_ANSWER_MAX, .open = open_rim, .fits = fits_rim, .none = no_rim, .arg = r };
	AUTO_SECRET header = { 0 };
	char file[160];

	if (from->service_key) {
		if (bearer(&header, from->service_key, e))
			return -1;
		send[1] = (const char *)header.p;
	} else {
		a.plain = fetch_plain(base);
	}
	snprintf(file, sizeof file, "%s.xml", r->id);
	a.file = file;
	snprintf(a.key, sizeof a.key, "nv-rim-%s.xml", r->id);
	w->f->status = 0;
	if (fetch_url(a.url, sizeof a.url, e, base, "/v1/rim/%s", r->id))
		return -1;
	if (!fetch_get(w->f, &a, e))
		return 0;
	if (e && e->code == EC_DENIED)
		err_hint(e, from->service_key ? "the service key was sent" : "a service key may be needed: --service-key SRC");
	return -1;
}

/* One that is at hand or was fetched now; NULL: there is none. */
static const struct buf *find_rim(const struct nv *w, const struct rim_want *r)
{
	const struct collateral *have = w->f->have;
	char file[160];

	snprintf(file, sizeof file, "%s.xml", r->id);
	for (size_t i = 0; i < w->f->out.n; i++)
		if (w->f->out.v[i].type == COLLATERAL_RIM && !strcmp(w->f->out.v[i].file, file))
			return &w->f->out.v[i].data;
	for (size_t i = 0; have && i < have->n; i++)
		if (have->v[i].type == COLLATERAL_RIM && is_rim(r, &have->v[i]))
			return &have->v[i].data;
	return NULL;
}

/* Its certificates stay until their status is known. */
static int add_rim_chain(struct nv *w, struct xmldsig *sig, const char *id, struct err *e)
{
	struct xmldsig *v = realloc(w->rim, (w->n_rims + 1) * sizeof *v);

	if (!v)
		return err_oom(e);
	w->rim = v;
	v[w->n_rims] = *sig;
	*sig = (struct xmldsig){ 0 };
	return status_add(&w->status, &v[w->n_rims++].certs, 0, 3, id, e);
}

static int ask_rim(struct nv *w, const char *id, const char *of, struct err *e)
{
	const struct rim_want r = { id, of };
	struct xmldsig sig = { 0 };
	const struct buf *document;
	struct err why = { 0 };
	int rc = 0;

	if (!fetch_at_hand(w->f, COLLATERAL_RIM, is_rim, &r) && fetch_rim(w, &r, &why)) {
		if (w->f->status == 404) {
			no_rim(&r, 404, &why);
			fetch_note(w->f, why.msg);
			return 0;
		}
		if (e)
			*e = why;
		return err_ctx(e, "'%s'", id);
	}
	document = find_rim(w, &r);
	if (!document)			/* the same document under two ids: its certificates were seen */
		return 0;
	if (rim_chain_certs(&sig, buf_view(document), &why)) {
		AUTO_BUF text = { 0 };

		buf_printf(&text, "%s: its certificates cannot be read: %s", id, why.msg);
		fetch_note(w->f, buf_cstr(&text));
	} else {
		rc = add_rim_chain(w, &sig, id, e);
	}
	xmldsig_free(&sig);
	return rc;
}

/* --- the devices --------------------------------------------------------------------------------------------------------- */

static bool seen_before(const struct nv_set *s, size_t i, const char *id)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(s->v[k].driver_rim, id) || !strcmp(s->v[k].vbios_rim, id))
			return true;
	return false;
}

static int ask_device_rim(struct nv *w, const struct nv_set *s, size_t i, const char *id, const char *what, const char *version, struct err *e)
{
	AUTO_BUF of = { 0 }, text = { 0 };

	if (!id[0] || seen_before(s, i, id))
		return 0;
	buf_printf(&of, "%s %s", what, version);
	if (id_is_good(id) && !buf_check(&of, e))
		return ask_rim(w, id, buf_cstr(&of), e);
	buf_printf(&text, "%s: no RIM can be asked for: '%s' is no id of one", s->v[i].label, id);
	fetch_note(w->f, buf_cstr(&text));
	return 0;
}

static int ask_device(struct nv *w, const struct nv_set *s, size_t i, struct err *e)
{
	const struct nv_device *d = &s->v[i];

	return ask_device_rim(w, s, i, d->driver_rim, "driver", d->driver, e) ||
	       ask_device_rim(w, s, i, d->vbios_rim, "VBIOS", d->vbios, e) || status_add(&w->status, &d->chain, 1, 4, d->label, e) ? -1 : 0;
}

static int nonce_of(struct nv *w, const struct nv_set *s, struct err *e)
{
	w->status.nonce = w->f->from->ocsp_nonce;
	if (w->status.nonce.n)
		return w->status.nonce.n <= OCSP_NONCE_MAX ? 0 : err_set(e, EC_BUG, "nonce of %zu bytes for OCSP", w->status.nonce.n);
	w->status.nonce = slice_of(w->nonce, sizeof w->nonce);
	return bundle_nonce_for(w->nonce, "ocsp", s->v[0].report.nonce, (struct slice){ 0 }, e);
}

static void nv_free(struct nv *w)
{
	status_free(&w->status);
	for (size_t i = 0; i < w->n_rims; i++)
		xmldsig_free(&w->rim[i]);
	free(w->rim);
}

int fetch_nv(struct fetch *f, struct slice raw, struct err *e)
{
	struct nv w = { .f = f, .status.f = f };
	struct nv_set s = { 0 };
	int rc = nv_set_parse(&s, raw, e) || nonce_of(&w, &s, e) ? -1 : 0;

	if (!rc && f->from->no_ocsp)
		fetch_note(f, "certificate status: left out, as asked for");
	for (size_t i = 0; !rc && i < s.n; i++)
		rc = ask_device(&w, &s, i, e);
	rc = rc || status_get(&w.status, e) ? -1 : 0;
	nv_free(&w);
	nv_set_free(&s);
	return rc;
}
