/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding for people: see show.h. */

#include "attest/ear.h"
#include "attest/kinds.h"
#include "attest/show.h"
#include "attest/show_nv.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/jose.h"
#include "crypto/x509.h"
#include "evidence/bundle.h"
#include "gpu/nras.h"
#include "gpu/rim.h"
#include "tee/eventlog.h"
#include "tee/measure_initdata.h"
#include "tee/snp_vek.h"
#include "tee/tdx.h"

static int show_evidence(struct json *to, const struct evidence_kind *k, struct slice raw, struct slice certs, struct err *e)
{
	void *p = NULL;
	int rc;

	if (k->parse(&p, raw, certs, e))
		return -1;
	json_add_fmt(to, "format", "%s evidence", k->title);
	rc = k->details(to, p, e);
	k->drop(p);
	return rc;
}

/* --- bundles ------------------------------------------------------------------------------------------------ */

static int show_items(struct json *to, const char *name, const struct bundle_items *l)
{
	struct json *arr = json_add_array(to, name);

	for (size_t i = 0; i < l->n; i++) {
		struct json *o = json_add_object(arr, NULL);

		json_add_str(o, "kind", l->v[i].kind);
		json_add_u64(o, "bytes", l->v[i].data.n);
		if (l->v[i].source[0])
			json_add_str(o, "source", l->v[i].source);
		if (l->v[i].fetched[0])
			json_add_str(o, "fetched", l->v[i].fetched);
	}
	return 0;
}

static int show_bundle(struct json *to, struct slice text, struct err *e)
{
	AUTO_BUNDLE b = { 0 };
	const struct bundle_item *table;
	struct json *arr;
	uint8_t rd[64];

	if (bundle_parse(&b, text, e) || bundle_report_data(rd, &b, buf_view(&b.nonce), e))
		return -1;
	json_add_str(to, "format", "evidence bundle");
	if (b.created[0])
		json_add_str(to, "created", b.created);
	if (b.simulated)
		json_add_bool(to, "simulated", true);
	json_add_hex(to, "nonce", buf_view(&b.nonce));
	json_add_b64(to, "runtime_data", buf_view(&b.runtime_data));
	json_add_hex(to, "derived_report_data", slice_of(rd, sizeof rd));
	table = bundle_find(&b.collateral, "snp.certtable");
	arr = json_add_array(to, "evidence");
	for (size_t i = 0; i < b.evidence.n; i++) {
		const struct evidence_kind *k = kind_by_name(b.evidence.v[i].kind);
		struct json *o = json_add_object(arr, NULL);

		json_add_str(o, "kind", b.evidence.v[i].kind);
		if (k && show_evidence(o, k, buf_view(&b.evidence.v[i].data),
				       table && i == 0 ? buf_view(&table->data) : (struct slice){ 0 }, e))
			return err_ctx(e, "evidence %zu of the bundle", i);
		if (!k)
			json_add_u64(o, "bytes", b.evidence.v[i].data.n);
	}
	show_items(to, "event_logs", &b.event_logs);
	show_items(to, "collateral", &b.collateral);
	if (json_get(b.machine, "machine"))
		json_add_copy(to, "machine", json_get(b.machine, "machine"));
	return 0;
}

/* --- certificates --------------------------------------------------------------------------------------------- */

static int add_key(struct json *o, const struct cert *c, struct err *e)
{
	AUTO_PUBKEY k = { 0 };
	uint8_t d[32];

	if (cert_public(&k, c, e)) {	/* a key of a kind that is not built in (Ed25519): still worth showing the rest */
		json_add_str(o, "key", "not supported");
		return 0;
	}
	json_add_fmt(o, "key", "%s, %u bits", key_type_name(k.type), k.bits);
	if (cert_key_sha256(d, c, e))
		return -1;
	json_add_hex(o, "key_sha256", slice_of(d, sizeof d));
	return 0;
}

static void add_vek(struct json *o, const struct cert *c)
{
	struct snp_vek v;
	struct err e = { 0 };
	struct json *t;
	bool vlek;

	if (!snp_vek_recognise(c, &vlek) || snp_vek_parse(&v, c, &e))
		return;
	json_add_str(o, "product", snp_product_name(v.product));
	t = json_add_object(o, "tcb");
	for (size_t i = 0; i < TCB_PARTS; i++)
		if (v.spl[i] >= 0)
			json_add_u64(t, tcb_part_names[i], (uint64_t)v.spl[i]);
	if (v.hwid.n)
		json_add_hex(o, "hardware_id", v.hwid);
	if (v.csp.n) {
		AUTO_BUF text = { 0 };

		buf_slice(&text, v.csp);
		json_add_str(o, "provider", buf_cstr(&text));
	}
}

static int show_cert(struct json *o, const struct cert *c, struct err *e)
{
	AUTO_BUF subject = { 0 }, issuer = { 0 }, alg = { 0 };
	uint8_t d[32];

	if (cert_name(&subject, c->subject, e) || cert_name(&issuer, c->issuer, e) || cert_describe_alg(&alg, c, e) ||
	    hash_of(d, HASH_SHA256, c->der, e))
		return -1;
	json_add_str(o, "subject", buf_cstr(&subject));
	json_add_str(o, "issuer", buf_cstr(&issuer));
	json_add_hex(o, "serial", c->serial);
	json_add_time(o, "not_before", c->not_before);
	json_add_time(o, "not_after", c->not_after);
	json_add_bool(o, "ca", c->is_ca);
	json_add_str(o, "signature_algorithm", buf_cstr(&alg));
	if (add_key(o, c, e))
		return -1;
	json_add_hex(o, "sha256", slice_of(d, sizeof d));
	add_vek(o, c);
	return 0;
}

static int show_certs(struct json *to, const struct cert_list *l, struct err *e)
{
	struct json *arr;

	json_add_str(to, "format", l->n == 1 ? "X.509 certificate" : "X.509 certificates");
	if (l->n == 1)
		return show_cert(to, &l->v[0], e);
	arr = json_add_array(to, "certificates");
	for (size_t i = 0; i < l->n; i++)
		if (show_cert(json_add_object(arr, NULL), &l->v[i], e))
			return -1;
	return 0;
}

/* --- revocation lists, TCB info, QE identity -------------------------------------------------------------------- */

static int show_crl(struct json *to, const struct crl *c, struct err *e)
{
	AUTO_BUF issuer = { 0 };

	if (cert_name(&issuer, c->issuer, e))
		return -1;
	json_add_str(to, "format", "X.509 certificate revocation list");
	json_add_str(to, "issuer", buf_cstr(&issuer));
	json_add_time(to, "this_update", c->this_update);
	if (c->next_update)
		json_add_time(to, "next_update", c->next_update);
	if (c->number.n)
		json_add_hex(to, "number", c->number);
	json_add_u64(to, "revoked_certificates", c->entries);
	return 0;
}

/* Documents of Intel's service, alone or all in one. */
static int show_documents(struct json *to, const struct collateral *c, struct err *e)
{
	struct json *arr = c->n > 1 ? json_add_array(to, "documents") : NULL;

	json_add_str(to, "format", c->n > 1 ? "DCAP collateral" : c->v[0].type == COLLATERAL_TCB_INFO ? "TDX TCB info" : "QE identity");
	json_add_bool(to, "signature_checked", false);
	for (size_t i = 0; i < c->n; i++) {
		struct json *o = arr ? json_add_object(arr, NULL) : to;
		AUTO_JSON *j = NULL;

		json_add_str(o, "type", collateral_name(c->v[i].type));
		if (c->v[i].type == COLLATERAL_CRL && show_crl(o, &c->v[i].crl, e))
			return -1;
		if (c->v[i].type != COLLATERAL_TCB_INFO && c->v[i].type != COLLATERAL_QE_IDENTITY)
			continue;
		if (json_parse(&j, buf_view(&c->v[i].data), SHOW_MAX, e))
			return -1;
		json_add_copy(o, "document", j);
	}
	return 0;
}

/* --- tokens --------------------------------------------------------------------------------------------------- */

static void add_time(struct json *to, const char *name, const struct json *payload, const char *claim)
{
	int64_t v;

	if (!json_i64(json_get(payload, claim), &v) || v < 0 || v > INT64_C(253402300799))
		return;
	json_add_time(to, name, v);
}

static int show_token(struct json *to, struct slice text, struct err *e)
{
	AUTO_JWS j = { 0 };

	if (jws_parse(&j, text, e))
		return err_ctx(e, "token");
	json_add_str(to, "format", json_get(j.payload, "submods") ? "attestation token (EAR)" : "JSON web token");
	json_add_bool(to, "signature_checked", false);
	add_time(to, "issued", j.payload, "iat");
	add_time(to, "expires", j.payload, "exp");
	if (json_get(j.payload, "submods"))
		ear_explain(json_add_object(to, "trustworthiness"), j.payload);
	json_add_copy(to, "header", j.header);
	if (j.payload)
		json_add_copy(to, "payload", j.payload);
	else
		json_add_b64(to, "payload", buf_view(&j.payload_raw));
	return 0;
}

static bool token_like(struct slice t)
{
	size_t dots = 0;

	if (t.n < 5 || t.p[0] != 'e' || t.p[1] != 'y')	/* '{"' in base64 */
		return false;
	for (size_t i = 0; i < t.n; i++)
		dots += t.p[i] == '.';
	return dots == 2;
}

/* {"token":..} and the token file of `attest token`; the key pair in there stays unseen. */
static int show_token_file(struct json *to, const struct json *j, struct err *e)
{
	return show_token(to, slice_str(json_string(json_get(j, "token"))), e);
}

/* --- init data --------------------------------------------------------------------------------------------------- */

static int show_initdata(struct json *to, struct slice data, struct err *e)
{
	AUTO_INITDATA d = { .version = "" };
	AUTO_BUF text = { 0 };

	if (initdata_read(&d, data, e))
		return -1;
	json_add_str(to, "format", "init data (Confidential Containers)");
	if (initdata_json(to, &d, e))
		return -1;
	buf_slice(&text, buf_view(&d.toml));
	json_add_str(to, "toml", buf_cstr(&text));
	return buf_check(&text, e);
}

static int show_nras(struct json *to, struct slice text, struct err *e)
{
	AUTO_NRAS t = { 0 };

	if (nras_parse(&t, text, e))
		return -1;
	json_add_str(to, "format", "tokens of NVIDIA's attestation service (detached EAT)");
	json_add_bool(to, "signature_checked", false);
	return nras_details(to, &t, e);
}

/* --- what is it? ------------------------------------------------------------------------------------------------- */

static int show_json(struct json *to, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	const struct evidence_kind *k;
	AUTO_COLLATERAL c = { 0 };
	struct err no = { 0 };

	if (json_parse(&j, text, SHOW_MAX, e))
		return -1;
	if (bundle_recognise(j))
		return show_bundle(to, text, e);
	if (json_string(json_get(j, "token")))
		return show_token_file(to, j, e);
	if (nras_recognise(j))
		return show_nras(to, text, e);
	k = kind_recognise(text);
	if (k)
		return show_evidence(to, k, text, (struct slice){ 0 }, e);
	if (!collateral_add(&c, text, "", "", &no) && c.n && c.v[0].type == COLLATERAL_RIM)	/* a service's answer */
		return show_rim(to, buf_view(&c.v[0].data), e);
	if (c.n)
		return show_documents(to, &c, e);
	if (kind_foreign(j)) {
		err_set(e, EC_ABSENT, "this is evidence of kind '%s', which this version cannot read", kind_foreign(j));
		return err_hint(e, "'cvmbox attest verify --help' lists the kinds that it knows");
	}
	err_set(e, EC_FORMAT, "JSON, but of no form that this version knows");
	return err_hint(e, "it knows bundles, Trustee's and nvattest's evidence JSON, TCB info, QE identities, answers of the RIM service, token files "
			 "and answers of NVIDIA's attestation service");
}

int show(struct json *to, struct slice data, struct err *e)
{
	const struct slice text = slice_trim(data);
	const struct evidence_kind *k;
	AUTO_CERTS certs = { 0 };
	AUTO_OCSP ocsp = { 0 };
	struct crl crl = { 0 };
	struct err no = { 0 };

	if (text.n && (text.p[0] == '{' || text.p[0] == '['))
		return show_json(to, text, e);
	if (token_like(text))
		return show_token(to, text, e);
	k = kind_recognise(data);
	if (k)
		return show_evidence(to, k, data, (struct slice){ 0 }, e);
	if (!certs_parse(&certs, data, &no))
		return show_certs(to, &certs, e);
	if (!crl_parse(&crl, data, &no)) {
		const int rc = show_crl(to, &crl, e);

		crl_free(&crl);
		return rc;
	}
	if (rim_recognise(data))
		return show_rim(to, data, e);
	if (!ocsp_parse(&ocsp, data, &no))
		return show_ocsp(to, &ocsp, e);
	if (initdata_looks_like(data))
		return show_initdata(to, data, e);
	if (tdx_report_looks_like(data))
		return tdx_report_describe(to, data, e);
	if (eventlog_looks_like(data))
		return eventlog_describe(to, data, e);
	err_set(e, EC_FORMAT, "%zu bytes of no format that this version knows", data.n);
	return err_hint(e, "it knows reports and quotes of every kind, event logs, Trustee's and nvattest's evidence JSON, bundles, certificates, revocation lists, "
			   "TCB info, reference manifests, OCSP answers and tokens");
}
