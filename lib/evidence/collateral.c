/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of collateral and what they are: see collateral.h. */

#include <dirent.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/host.h"
#include "codec/hex64.h"
#include "codec/pem.h"
#include "crypto/jose.h"
#include "evidence/collateral.h"

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
	}
	for (size_t i = 0; i < c->keys.n; i++)
		pubkey_free(&c->keys.v[i]);
	free(c->v);
	free(c->keys.v);
	certs_free(&c->certs);
	*c = (struct collateral){ 0 };
}

/* --- adding ------------------------------------------------------------------------------------------------ */

static struct collateral_item *item_add(struct collateral *to, enum collateral_type t, struct slice data, const char *source,
					const char *fetched, struct err *e)
{
	struct collateral_item *it;

	if (to->n == COLLATERAL_ITEMS) {
		err_set(e, EC_FORMAT, "more than %d pieces of collateral", COLLATERAL_ITEMS);
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
	if (buf_check(&it->data, e))
		return NULL;
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
	if (json_get(j, "kty"))
		return jwk_parse(&k, j, e) || add_key(to, &k, e) ? -1 : 0;
	return err_set(e, EC_FORMAT, "JSON that is neither TCB info, QE identity nor a key");
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
	if (has_list(data))
		return add_pem(to, data, source, fetched, e);
	if (!add_list(to, data, source, fetched, &no))
		return 0;
	if (!add_certs(to, data, source, fetched, &no))
		return 0;
	if (!pubkey_parse(&k, data, &no))
		return add_key(to, &k, e);
	return err_set(e, EC_FORMAT, "%zu bytes are neither certificates, a revocation list, a public key nor TCB info", data.n);
}

/* --- files ------------------------------------------------------------------------------------------------- */

static int load_file(struct collateral *to, const char *path, struct err *e)
{
	AUTO_BUF b = { .max = PIECE_MAX };

	if (file_read(&b, path, PIECE_MAX, e) || collateral_add(to, buf_view(&b), path, "", e))
		return err_ctx(e, "cannot use '%s'", path);
	return 0;
}

/* Of a folder what is not recognised is left out, but not a revocation list that is broken, nor what would no longer fit: a revoked
 * certificate would look good. */
static int load_entry(struct collateral *to, const char *path, struct err *e)
{
	AUTO_BUF b = { .max = PIECE_MAX };
	const size_t n = strnlen(path, 4096);
	const bool crl = n > 4 && !strcasecmp(path + n - 4, ".crl");
	struct err why = { 0 };

	if (!file_read(&b, path, PIECE_MAX, &why) && !collateral_add(to, buf_view(&b), path, "", &why))
		return 0;
	if (!crl && !has_list(buf_view(&b)) && to->n < COLLATERAL_ITEMS && to->keys.n < COLLATERAL_ITEMS && to->certs.n < CERTS_MAX)
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
		return err_set(e, EC_FORMAT, "nothing of folder '%s' is a certificate, a list or TCB info", dir);
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

static struct window window_certs(struct slice data)	/* in which all of them hold */
{
	AUTO_CERTS l = { 0 };
	struct window w = { 0 };
	struct err no = { 0 };

	if (certs_parse(&l, data, &no))
		return w;
	for (size_t i = 0; i < l.n; i++) {
		w.from = i == 0 || l.v[i].not_before > w.from ? l.v[i].not_before : w.from;
		w.until = i == 0 || l.v[i].not_after < w.until ? l.v[i].not_after : w.until;
	}
	return w;
}

static struct window window_of(const struct collateral_item *it)
{
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
	case COLLATERAL_OCSP:
	case N_COLLATERAL_TYPES:
		break;
	}
	return (struct window){ 0 };
}

int collateral_describe(struct json *to_array, const struct collateral *c, int64_t now, struct err *e)
{
	if (!to_array)
		return err_oom(e);
	for (size_t i = 0; i < c->n; i++) {
		const struct window w = window_of(&c->v[i]);
		struct json *o = json_add_object(to_array, NULL);

		json_add_str(o, "type", collateral_name(c->v[i].type));
		if (c->v[i].source[0])
			json_add_str(o, "source", c->v[i].source);
		if (c->v[i].fetched[0])
			json_add_str(o, "fetched", c->v[i].fetched);
		if (w.from)
			json_add_time(o, "valid_from", w.from);
		if (w.until)
			json_add_time(o, "valid_until", w.until);
		if (w.from)
			json_add_i64(o, "age_s", now - w.from);
		if (w.from || w.until)
			json_add_str(o, "state", w.from && now < w.from ? "not yet valid" : w.until && now > w.until ? "expired" : "current");
	}
	return 0;
}
