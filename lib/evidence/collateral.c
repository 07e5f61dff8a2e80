/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of collateral and what they are: see collateral.h. */

#include <dirent.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/host.h"
#include "codec/der.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "crypto/jose.h"
#include "crypto/xmldsig.h"
#include "evidence/collateral.h"
#include "evidence/rim_answer.h"

#define PIECE_MAX ((size_t)4 << 20)

static const char *const names[N_COLLATERAL_TYPES] = {
	[COLLATERAL_CERTS] = "x509.certs", [COLLATERAL_CRL] = "x509.crl", [COLLATERAL_TCB_INFO] = "tdx.tcbinfo",
	[COLLATERAL_QE_IDENTITY] = "tdx.qeidentity", [COLLATERAL_RIM] = "nvidia.rim", [COLLATERAL_OCSP] = "ocsp"
};

const char *collateral_name(enum collateral_type t)
{
	return names[t];
}

bool collateral_known(const char *name)
{
	for (size_t i = 0; i < N_COLLATERAL_TYPES; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

void collateral_free(struct collateral *c)
{
	for (size_t i = 0; i < c->n; i++) {
		buf_free(&c->v[i].data);
		crl_free(&c->v[i].crl);
		ocsp_free(&c->v[i].ocsp);
	}
	for (size_t i = 0; i < c->keys.n; i++)
		pubkey_free(&c->keys.v[i]);
	free(c->v);
	free(c->keys.v);
	certs_free(&c->certs);
	*c = (struct collateral){ 0 };
}

/* --- adding ------------------------------------------------------------------------------------------------ */

static bool fits(const struct collateral *c, size_t more)
{
	size_t all = 0;

	for (size_t i = 0; i < c->n; i++)
		all += c->v[i].data.n;
	return more <= COLLATERAL_BYTES && all <= COLLATERAL_BYTES - more;
}

static struct collateral_item *item_add(struct collateral *to, enum collateral_type t, struct slice data, const char *source,
					const char *fetched, struct err *e)
{
	struct collateral_item *it;

	if (to->n == COLLATERAL_ITEMS) {
		err_set(e, EC_FORMAT, "more than %d pieces of collateral", COLLATERAL_ITEMS);
		return NULL;
	}
	if (!fits(to, data.n)) {
		err_set(e, EC_FORMAT, "more than %zu bytes of collateral", COLLATERAL_BYTES);
		return NULL;
	}
	it = realloc(to->v, (to->n + 1) * sizeof *it);
	if (!it) {
		err_oom(e);
		return NULL;
	}
	to->v = it;
	it += to->n;
	*it = (struct collateral_item){ .type = t, .data.max = PIECE_MAX };
	snprintf(it->source, sizeof it->source, "%s", source ? source : "");
	snprintf(it->fetched, sizeof it->fetched, "%s", fetched ? fetched : "");
	buf_slice(&it->data, data);
	if (buf_check(&it->data, e)) {
		buf_free(&it->data);
		return NULL;
	}
	to->n++;
	return it;
}

static int add_crl(struct collateral *to, struct crl *c, const char *source, const char *fetched, struct err *e)
{
	struct collateral_item *it = item_add(to, COLLATERAL_CRL, c->der, source, fetched, e);

	if (!it)
		return -1;
	it->crl = *c;
	*c = (struct crl){ 0 };
	return 0;
}

static int add_key(struct collateral *to, struct pubkey *k, struct err *e)
{
	struct pubkey *v;

	if (to->keys.n == COLLATERAL_ITEMS)
		return err_set(e, EC_FORMAT, "more than %d public keys", COLLATERAL_ITEMS);
	v = realloc(to->keys.v, (to->keys.n + 1) * sizeof *v);
	if (!v)
		return err_oom(e);
	to->keys.v = v;
	v[to->keys.n++] = *k;
	*k = (struct pubkey){ 0 };
	return 0;
}

/* The object of DCAP libraries: documents are strings with the exact bytes, their signatures and the lists are hex. */
static int add_signed(struct collateral *to, enum collateral_type t, const struct json *j, const char *doc, const char *sig,
		      const char *member, const char *source, const char *fetched, struct err *e)
{
	const char *text = json_string(json_get(j, doc)), *hex = json_string(json_get(j, sig));
	AUTO_BUF b = { .max = PIECE_MAX };

	if (!text || !hex)
		return err_set(e, EC_FORMAT, "members '%s' and '%s' do not go together", doc, sig);
	buf_printf(&b, "{\"%s\":", member);
	buf_puts(&b, text);
	buf_puts(&b, ",\"signature\":\"");
	buf_puts(&b, hex);
	buf_puts(&b, "\"}");
	if (buf_check(&b, e) || collateral_add(to, buf_view(&b), source, fetched, e))
		return err_ctx(e, "member '%s'", doc);
	return to->v[to->n - 1].type == t ? 0 : err_set(e, EC_FORMAT, "member '%s' holds something else than one object '%s'", doc, member);
}

static int add_dcap(struct collateral *to, const struct json *j, const char *source, const char *fetched, struct err *e)
{
	static const char *const plain[] = { "pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info_issuer_chain",
					     "qe_identity_issuer_chain", "pck_certificate_chain" };

	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		const char *s = json_string(json_get(j, plain[i]));

		if (s && s[0] && collateral_add(to, slice_str(s), source, fetched, e))
			return err_ctx(e, "member '%s'", plain[i]);
	}
	return add_signed(to, COLLATERAL_TCB_INFO, j, "tcb_info", "tcb_info_signature", "tcbInfo", source, fetched, e) ||
	       add_signed(to, COLLATERAL_QE_IDENTITY, j, "qe_identity", "qe_identity_signature", "enclaveIdentity", source, fetched, e)
		       ? -1 : 0;
}

/* --- reference integrity manifests (nvidia-gpu.md 3) --- */

#define SWID "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"

/* What is looked at is the root's name; what stands inside is for those who check it. */
static int add_rim(struct collateral *to, struct slice text, const char *source, const char *fetched, struct err *e)
{
	AUTO_XML *x = NULL;

	if (xml_parse(&x, text, RIM_DOCUMENT_MAX, e))
		return err_ctx(e, "XML document");
	if (!xml_is(xml_root(x), SWID, "SoftwareIdentity"))
		return err_set(e, EC_FORMAT, "XML document that is no reference integrity manifest (SoftwareIdentity)");
	return item_add(to, COLLATERAL_RIM, text, source, fetched, e) ? 0 : -1;
}

static int add_answer(struct collateral *to, const struct json *j, const char *source, const char *fetched, struct err *e)
{
	AUTO_BUF document = { .max = RIM_DOCUMENT_MAX };

	return rim_answer_open(&document, j, NULL, e) || add_rim(to, buf_view(&document), source, fetched, e) ? -1 : 0;
}

static int add_json(struct collateral *to, struct slice text, const char *source, const char *fetched, struct err *e)
{
	AUTO_JSON *j = NULL;
	AUTO_PUBKEY k = { 0 };

	if (json_parse(&j, text, PIECE_MAX, e))
		return -1;
	if (json_get(j, "tcb_info") && json_get(j, "qe_identity"))
		return add_dcap(to, j, source, fetched, e);
	if (json_get(j, "tcbInfo"))
		return item_add(to, COLLATERAL_TCB_INFO, text, source, fetched, e) ? 0 : -1;
	if (json_get(j, "enclaveIdentity"))
		return item_add(to, COLLATERAL_QE_IDENTITY, text, source, fetched, e) ? 0 : -1;
	if (rim_answer_recognise(j))
		return add_answer(to, j, source, fetched, e);
	if (json_get(j, "kty"))
		return jwk_parse(&k, j, e) || add_key(to, &k, e) ? -1 : 0;
	return err_set(e, EC_FORMAT, "JSON that is neither TCB info, QE identity, a RIM service's answer nor a key");
}

static int add_certs(struct collateral *to, struct slice data, const char *source, const char *fetched, struct err *e)
{
	if (certs_parse(&to->certs, data, e))
		return -1;
	return item_add(to, COLLATERAL_CERTS, data, source, fetched, e) ? 0 : -1;
}

static int add_list(struct collateral *to, struct slice data, const char *source, const char *fetched, struct err *e)
{
	struct crl list = { 0 };
	const int rc = crl_parse(&list, data, e) || add_crl(to, &list, source, fetched, e) ? -1 : 0;

	crl_free(&list);
	return rc;
}

/* OCSPResponse begins with an ENUMERATED, which neither certificates nor lists nor keys do (RFC 6960 4.2.1).  Also one that was cut. */
static bool is_status(struct slice data)
{
	const uint8_t enumerated = 0x0a;
	size_t at;

	if (data.n < 3 || data.p[0] != DER_SEQUENCE)
		return false;
	at = data.p[1] < 0x80 ? 2 : 2 + (size_t)(data.p[1] & 0x7f);
	return at < data.n && data.p[at] == enumerated;
}

static int add_status(struct collateral *to, struct slice data, const char *source, const char *fetched, struct err *e)
{
	AUTO_OCSP o = { 0 };
	struct collateral_item *it;

	if (ocsp_parse(&o, data, e))
		return err_ctx(e, "OCSP answer");
	if (o.response_status != 0)
		return err_set(e, EC_FORMAT, "OCSP answer says nothing of any certificate: %s", ocsp_response_status_word(o.response_status));
	it = item_add(to, COLLATERAL_OCSP, data, source, fetched, e);
	if (!it)
		return -1;
	it->ocsp = o;
	o = (struct ocsp){ 0 };
	return 0;
}

/* Revocation lists among certificates: each is a piece, and one that cannot be read is an error, for without it a revoked
 * certificate would look good. */
static int add_pem(struct collateral *to, struct slice pem, const char *source, const char *fetched, struct err *e)
{
	struct rd r = rd_of(pem);
	struct slice label, body;
	bool certs = false;

	while (pem_next(&r, &label, &body)) {
		AUTO_BUF der = { .max = PIECE_MAX };

		certs |= slice_eqs(label, "CERTIFICATE");
		if (slice_eqs(label, "X509 CRL") && (pem_decode(&der, body, e) || add_list(to, buf_view(&der), source, fetched, e)))
			return -1;
	}
	if (r.bad)
		return err_set(e, EC_FORMAT, "PEM block has a BEGIN line and no END line");
	return certs ? add_certs(to, pem, source, fetched, e) : 0;
}

static bool has_list(struct slice data)
{
	const struct slice begin = SLICE("-----BEGIN X509 CRL-----");

	return data.n && memmem(data.p, data.n, begin.p, begin.n);
}

int collateral_add(struct collateral *to, struct slice data, const char *source, const char *fetched, struct err *e)
{
	const struct slice text = slice_trim(data);
	AUTO_PUBKEY k = { 0 };
	struct err no = { 0 };

	if (data.n > PIECE_MAX)
		return err_set(e, EC_FORMAT, "collateral of %zu bytes, at most %zu are read", data.n, PIECE_MAX);
	if (text.n && text.p[0] == '{')
		return add_json(to, text, source, fetched, e);
	if (text.n && text.p[0] == '<')
		return add_rim(to, data, source, fetched, e);
	if (has_list(data))
		return add_pem(to, data, source, fetched, e);
	if (is_status(data))
		return add_status(to, data, source, fetched, e);
	if (!add_list(to, data, source, fetched, &no))
		return 0;
	if (!add_certs(to, data, source, fetched, &no))
		return 0;
	if (!pubkey_parse(&k, data, &no))
		return add_key(to, &k, e);
	return err_set(e, EC_FORMAT, "%zu bytes are neither certificates, a revocation list, a public key, TCB info, a reference integrity manifest nor an OCSP answer",
		       data.n);
}

/* --- files ------------------------------------------------------------------------------------------------- */

static int load_file(struct collateral *to, const char *path, struct err *e)
{
	AUTO_BUF b = { .max = PIECE_MAX };

	if (file_read(&b, path, PIECE_MAX, e) || collateral_add(to, buf_view(&b), path, "", e))
		return err_ctx(e, "cannot use '%s'", path);
	return 0;
}

static bool ends(const char *path, const char *with)
{
	const size_t n = strnlen(path, 4096), m = strlen(with);

	return n > m && !strcasecmp(path + n - m, with);
}

static bool full(const struct collateral *c)
{
	return c->n == COLLATERAL_ITEMS || c->keys.n == COLLATERAL_ITEMS || c->certs.n >= CERTS_MAX || !fits(c, PIECE_MAX);
}

/* Of a folder what is not recognised is left out, but neither a revocation list nor a certificate status that is broken, nor what would no
 * longer fit: a revoked certificate would look good.  A broken manifest is left out: without it measurements have nothing to agree
 * with. */
static int load_entry(struct collateral *to, const char *path, struct err *e)
{
	AUTO_BUF b = { .max = PIECE_MAX };
	const bool revokes = ends(path, ".crl") || ends(path, ".ocsp");
	struct err why = { 0 };

	if (!file_read(&b, path, PIECE_MAX, &why) && !collateral_add(to, buf_view(&b), path, "", &why))
		return 0;
	if (!revokes && !has_list(buf_view(&b)) && !is_status(buf_view(&b)) && !full(to))
		return 0;
	*e = why;
	return err_ctx(e, "cannot use '%s'", path);
}

static int load_folder(struct collateral *to, const char *dir, struct err *e)
{
	struct dirent **list = NULL;
	const int n = scandir(dir, &list, NULL, alphasort);
	const size_t before = to->n + to->keys.n;
	int rc = n < 0 ? err_sys(e, EC_IO, "cannot list '%s'", dir) : 0;

	for (int i = 0; i < n; i++) {
		AUTO_STR *path = str_printf(e, "%s/%s", dir, list[i]->d_name);
		struct stat st;

		if (!path || (rc == 0 && !stat(path, &st) && S_ISREG(st.st_mode) && load_entry(to, path, e)))
			rc = -1;
		free(list[i]);
	}
	free(list);
	if (rc == 0 && to->n + to->keys.n == before)
		return err_set(e, EC_FORMAT, "nothing of folder '%s' is a certificate, a list, TCB info, a manifest or an OCSP answer", dir);
	return rc;
}

int collateral_load(struct collateral *to, const char *path, struct err *e)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode) ? load_folder(to, path, e) : load_file(to, path, e);
}

/* --- what there is, and how old ------------------------------------------------------------------------------ */

struct window {			/* valid from .. until; 0: does not say */
	int64_t from, until;
};

static struct window window_json(struct slice text, const char *member)
{
	AUTO_JSON *j = NULL;
	struct window w = { 0 };
	struct err no = { 0 };
	const struct json *o;
	const char *s;

	if (json_parse(&j, text, PIECE_MAX, &no))
		return w;
	o = json_get(j, member);
	if ((s = json_string(json_get(o, "issueDate"))))
		time_parse(&w.from, s, &no);
	if ((s = json_string(json_get(o, "nextUpdate"))))
		time_parse(&w.until, s, &no);
	return w;
}

static struct window window_list(const struct cert_list *l)	/* in which all of them hold */
{
	struct window w = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		w.from = i == 0 || l->v[i].not_before > w.from ? l->v[i].not_before : w.from;
		w.until = i == 0 || l->v[i].not_after < w.until ? l->v[i].not_after : w.until;
	}
	return w;
}

static struct window window_certs(struct slice data)
{
	AUTO_CERTS l = { 0 };
	struct err no = { 0 };

	return certs_parse(&l, data, &no) ? (struct window){ 0 } : window_list(&l);
}

static struct window window_rim(const struct xml *x)
{
	struct xmldsig sig = { 0 };
	struct window w = { 0 };
	struct err no = { 0 };

	if (!xmldsig_open(&sig, x, &no))
		w = window_list(&sig.certs);
	xmldsig_free(&sig);
	return w;
}

static void add_attr(struct json *o, const char *name, const struct xml_node *n, const char *attr)
{
	AUTO_BUF text = { .max = 256 };
	struct slice v;

	if (!xml_attr(&v, n, "", attr) || v.n == 0)
		return;
	buf_slice(&text, v);
	if (!text.bad)
		json_add_str(o, name, buf_cstr(&text));
}

static struct window describe_rim(struct json *o, struct slice text)
{
	AUTO_XML *x = NULL;
	const struct xml_node *meta;
	struct err no = { 0 };

	if (xml_parse(&x, text, RIM_DOCUMENT_MAX, &no))
		return (struct window){ 0 };
	meta = xml_child(xml_root(x), SWID, "Meta");
	add_attr(o, "product", meta, "product");
	add_attr(o, "version", meta, "colloquialVersion");
	return window_rim(x);
}

static struct window window_of(struct json *o, const struct collateral_item *it)
{
	struct window w = { 0 };

	switch (it->type) {
	case COLLATERAL_CERTS:
		return window_certs(buf_view(&it->data));
	case COLLATERAL_CRL:
		return (struct window){ it->crl.this_update, it->crl.next_update };
	case COLLATERAL_TCB_INFO:
		return window_json(buf_view(&it->data), "tcbInfo");
	case COLLATERAL_QE_IDENTITY:
		return window_json(buf_view(&it->data), "enclaveIdentity");
	case COLLATERAL_RIM:
		return describe_rim(o, buf_view(&it->data));
	case COLLATERAL_OCSP:
		ocsp_window(&w.from, &w.until, &it->ocsp);
		break;
	case N_COLLATERAL_TYPES:
		break;
	}
	return w;
}

static void describe_one(struct json *o, const struct collateral_item *it, int64_t now)
{
	struct window w;

	json_add_str(o, "type", collateral_name(it->type));
	if (it->source[0])
		json_add_str(o, "source", it->source);
	if (it->fetched[0])
		json_add_str(o, "fetched", it->fetched);
	w = window_of(o, it);
	if (w.from)
		json_add_time(o, "valid_from", w.from);
	if (w.until)
		json_add_time(o, "valid_until", w.until);
	if (w.from)
		json_add_i64(o, "age_s", now - w.from);
	if (w.from || w.until)
		json_add_str(o, "state", w.from && now < w.from ? "not yet valid" : w.until && now > w.until ? "expired" : "current");
}

int collateral_describe(struct json *to_array, const struct collateral *c, int64_t now, struct err *e)
{
	if (!to_array)
		return err_oom(e);
	for (size_t i = 0; i < c->n; i++)
		describe_one(json_add_object(to_array, NULL), &c->v[i], now);
	return 0;
}
