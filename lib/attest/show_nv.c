/* SPDX-License-Identifier: Apache-2.0 */
/* Reference manifests and answers about certificate status, for people: see show_nv.h. */

#include "attest/show_nv.h"
#include "gpu/rim.h"

static void add_golden(struct json *to, const struct rim *r)
{
	struct json *arr = json_add_array(to, "measurements");

	for (size_t i = 0; i < RIM_INDEXES; i++) {
		const struct rim_golden *g = &r->golden[i];
		struct json *o, *values;

		if (!g->active)
			continue;
		o = json_add_object(arr, NULL);
		json_add_u64(o, "index", i);
		json_add_str(o, "name", g->name);
		values = json_add_array(o, "accepted");
		for (size_t k = 0; k < g->n; k++)
			json_add_hex(values, NULL, slice_of(g->hash[k], sizeof g->hash[k]));
	}
}

static void add_svns(struct json *to, const struct rim *r)
{
	struct json *arr = r->n_svn ? json_add_array(to, "security_versions") : NULL;

	for (size_t i = 0; i < r->n_svn; i++) {
		struct json *o = json_add_object(arr, NULL);

		json_add_str(o, "name", r->svn[i].name);
		json_add_u64(o, "opaque_type", r->svn[i].opaque_type);
		json_add_u64(o, "least", r->svn[i].min);
		json_add_bool(o, "active", r->svn[i].active);
	}
}

static int add_signers(struct json *to, const struct rim *r, struct err *e)
{
	struct json *arr = json_add_array(to, "signers");

	for (size_t i = 0; i < r->sig.certs.n; i++) {
		AUTO_BUF name = { 0 };

		if (cert_name(&name, r->sig.certs.v[i].subject, e))
			return -1;
		json_add_str(arr, NULL, buf_cstr(&name));
	}
	return 0;
}

/* What needs no policy: who signed it, and whether that is NVIDIA. */
static void add_trust(struct json *to, const struct rim *r)
{
	struct err e = { 0 };
	AUTO_PUBKEY k = { 0 };

	json_add_bool(to, "signature_holds", r->sig.certs.n && !cert_public(&k, &r->sig.certs.v[0], &e) && !xmldsig_verify(&r->sig, &k, &e));
	e = (struct err){ 0 };
	json_add_str(to, "chain", rim_chain(r, NULL, &e) ? e.msg : "leads to NVIDIA's root");
}

int show_rim(struct json *to, struct slice xml, struct err *e)
{
	AUTO_RIM r = { 0 };
	int64_t from, until;

	if (rim_parse(&r, xml, e))
		return -1;
	json_add_str(to, "format", "reference integrity manifest (NVIDIA)");
	json_add_str(to, "name", r.name);
	json_add_str(to, "product", r.product);
	json_add_str(to, "edition", r.edition);
	json_add_str(to, "version", r.version);
	json_add_str(to, "tag_id", r.tag_id);
	rim_window(&from, &until, &r);
	json_add_time(to, "valid_from", from);
	json_add_time(to, "valid_until", until);
	json_add_bool(to, "digest_holds", r.sig.digest_holds);
	add_trust(to, &r);
	if (add_signers(to, &r, e))
		return -1;
	add_golden(to, &r);
	add_svns(to, &r);
	return 0;
}

int show_ocsp(struct json *to, const struct ocsp *o, struct err *e)
{
	struct ocsp_entry s;
	struct slice serial;
	struct json *arr;

	(void)e;
	json_add_str(to, "format", "answer about certificate status (OCSP)");
	json_add_str(to, "response_status", ocsp_response_status_word(o->response_status));
	if (o->response_status)
		return 0;
	json_add_time(to, "produced", o->produced_at);
	if (o->nonce.n)
		json_add_hex(to, "nonce", o->nonce);
	json_add_bool(to, "signature_checked", false);
	arr = json_add_array(to, "certificates");
	for (size_t i = 0; ocsp_entry_at(&s, &serial, o, i); i++) {
		struct json *c = json_add_object(arr, NULL);

		json_add_hex(c, "serial", serial);
		json_add_str(c, "status", ocsp_status_word(s.status));
		if (s.status == OCSP_REVOKED)
			json_add_time(c, "revoked", s.revoked_at);
		if (s.has_reason)
			json_add_str(c, "reason", ocsp_reason_word(s.reason));
		json_add_time(c, "this_update", s.this_update);
		if (s.next_update)
			json_add_time(c, "next_update", s.next_update);
	}
	return 0;
}
