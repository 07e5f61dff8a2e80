/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle file: see bundle.h. */

#include "codec/hex64.h"
#include "crypto/hash.h"
#include "evidence/bundle.h"
#include "evidence/kind.h"

#define DERIVATION "sha512-jcs"

static void items_free(struct bundle_items *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->v[i].data);
	free(l->v);
	*l = (struct bundle_items){ 0 };
}

void bundle_free(struct bundle *b)
{
	buf_free(&b->nonce);
	buf_free(&b->runtime_data);
	items_free(&b->evidence);
	items_free(&b->event_logs);
	items_free(&b->collateral);
	json_free(b->machine);
	b->machine = NULL;
}

static void put_text(char *to, size_t size, const char *s)
{
	snprintf(to, size, "%s", s ? s : "");
}

int bundle_add(struct bundle_items *to, const char *kind, const char *source, const char *fetched, struct slice data,
	       struct err *e)
{
	struct bundle_item *it;

	if (to->n == BUNDLE_ITEMS)
		return err_set(e, EC_FORMAT, "bundle lists more than %d items", BUNDLE_ITEMS);
	it = realloc(to->v, (to->n + 1) * sizeof *it);
	if (!it)
		return err_oom(e);
	to->v = it;
	it += to->n;
	*it = (struct bundle_item){ .data.max = EVIDENCE_MAX };
	put_text(it->kind, sizeof it->kind, kind);
	put_text(it->source, sizeof it->source, source);
	put_text(it->fetched, sizeof it->fetched, fetched);
	buf_slice(&it->data, data);
	to->n++;
	return buf_check(&it->data, e);
}

const struct bundle_item *bundle_find(const struct bundle_items *in, const char *kind)
{
	for (size_t i = 0; i < in->n; i++)
		if (!strcmp(in->v[i].kind, kind))
			return &in->v[i];
	return NULL;
}

static bool bundle_schema_is_ours(const char *s)
{
	return s && !strncmp(s, "cvmbox.bundle/", sizeof "cvmbox.bundle/" - 1);
}

bool bundle_recognise(const struct json *j)
{
	return bundle_schema_is_ours(json_string(json_get(j, "schema")));
}

static int parse_items(struct bundle_items *ret, const struct json *arr, const char *what, struct err *e)
{
	for (const struct json *it = json_first(arr); it; it = json_next(it)) {
		const char *kind;
		AUTO_BUF data = { .max = EVIDENCE_MAX };

		if (json_need_str(&kind, it, "kind", what, e) || json_need_b64(&data, it, "data", what, e))
			return -1;
		if (kind[0] == '\0' || strnlen(kind, sizeof ret->v[0].kind) == sizeof ret->v[0].kind)
			return err_set(e, EC_FORMAT, "%s: kind has %zu characters, wanted 1 to %zu", what,
				       strnlen(kind, 4096), sizeof ret->v[0].kind - 1);
		if (bundle_add(ret, kind, json_string(json_get(it, "source")), json_string(json_get(it, "fetched")),
			       buf_view(&data), e))
			return -1;
	}
	return 0;
}

/* Optional list: absent is the same as empty, anything but a list is an error. */
static int parse_list(struct bundle_items *ret, const struct json *j, const char *name, const char *what, struct err *e)
{
	const struct json *arr = json_get(j, name);

	if (arr && !json_is_array(arr))
		return err_set(e, EC_FORMAT, "member '%s' of the bundle is not a list", name);
	return parse_items(ret, arr, what, e);
}

static int parse_derivation(const struct json *j, struct err *e)
{
	const char *how = json_string(json_path(j, "/derivation/report_data/method"));

	if (!how)
		return err_set(e, EC_FORMAT, "bundle does not say how its report data is derived");
	if (strcmp(how, DERIVATION))
		return err_set(e, EC_FORMAT, "bundle derives its report data by '%s', this version knows '%s'", how,
			       DERIVATION);
	return 0;
}

static int parse_parts(struct bundle *b, const struct json *j, struct err *e)
{
	const char *nonce;

	if (json_need_str(&nonce, j, "nonce", "the bundle", e))
		return -1;
	if (strnlen(nonce, 2 * BUNDLE_NONCE_MAX + 1) > 2 * BUNDLE_NONCE_MAX)
		return err_set(e, EC_FORMAT, "nonce of the bundle has more than %d bytes", BUNDLE_NONCE_MAX);
	if (hex_decode(&b->nonce, slice_str(nonce), e))
		return err_ctx(e, "member 'nonce' of the bundle");
	if (b->nonce.n < BUNDLE_NONCE_MIN || b->nonce.n > BUNDLE_NONCE_MAX)
		return err_set(e, EC_FORMAT, "nonce of the bundle has %zu bytes, wanted %d to %d", b->nonce.n,
			       BUNDLE_NONCE_MIN, BUNDLE_NONCE_MAX);
	if (json_need_b64(&b->runtime_data, j, "runtime_data", "the bundle", e) || parse_derivation(j, e) ||
	    parse_list(&b->evidence, j, "evidence", "evidence of the bundle", e) ||
	    parse_list(&b->event_logs, j, "event_logs", "event log of the bundle", e) ||
	    parse_list(&b->collateral, j, "collateral", "collateral of the bundle", e))
		return -1;
	if (b->evidence.n == 0)
		return err_set(e, EC_FORMAT, "bundle holds no evidence");
	put_text(b->created, sizeof b->created, json_string(json_get(j, "created")));
	b->simulated = json_true(json_get(j, "simulated"));
	if (json_is_object(json_get(j, "machine"))) {
		b->machine = json_object();
		json_add_copy(b->machine, "machine", json_get(j, "machine"));
	}
	return 0;
}

int bundle_parse(struct bundle *ret, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	const char *schema;
	struct bundle b = { .nonce.max = 4096, .runtime_data.max = BUNDLE_RUNTIME_MAX };

	if (json_parse(&j, text, BUNDLE_MAX, e))
		return err_ctx(e, "cannot read the bundle");
	if (json_need_str(&schema, j, "schema", "the bundle", e))
		return -1;
	if (strcmp(schema, BUNDLE_SCHEMA))
		return err_set(e, EC_FORMAT, "schema is '%s', wanted '%s'", schema, BUNDLE_SCHEMA);
	if (parse_parts(&b, j, e)) {
		bundle_free(&b);
		return -1;
	}
	*ret = b;
	return 0;
}

static void write_items(struct json *to, const char *name, const struct bundle_items *l)
{
	struct json *arr = json_add_array(to, name);

	for (size_t i = 0; i < l->n; i++) {
		struct json *it = json_add_object(arr, NULL);

		json_add_str(it, "kind", l->v[i].kind);
		if (l->v[i].source[0])
			json_add_str(it, "source", l->v[i].source);
		if (l->v[i].fetched[0])
			json_add_str(it, "fetched", l->v[i].fetched);
		json_add_b64(it, "data", buf_view(&l->v[i].data));
	}
}

int bundle_write(struct buf *ret, const struct bundle *b, struct err *e)
{
	AUTO_JSON *j = json_object();
	struct json *derivation, *how;

	json_add_str(j, "schema", BUNDLE_SCHEMA);
	if (b->created[0])
		json_add_str(j, "created", b->created);
	if (b->simulated)
		json_add_bool(j, "simulated", true);
	json_add_hex(j, "nonce", buf_view(&b->nonce));
	json_add_b64(j, "runtime_data", buf_view(&b->runtime_data));
	derivation = json_add_object(j, "derivation");
	how = json_add_object(derivation, "report_data");
	json_add_str(how, "method", DERIVATION);
	json_add_str(how, "input", "RFC 8785 form of {nonce (hex), others [{kind, sha384 of evidence[1..]}], "
				   "runtime_data (base64), schema}");
	how = json_add_object(derivation, "other_nonces");
	json_add_str(how, "method", "sha256-jcs");
	json_add_str(how, "input", "RFC 8785 form of {nonce (hex), runtime_data (base64), schema, use (nvgpu, ocsp)}");
	write_items(j, "evidence", &b->evidence);
	write_items(j, "event_logs", &b->event_logs);
	write_items(j, "collateral", &b->collateral);
	if (json_get(b->machine, "machine"))
		json_add_copy(j, "machine", json_get(b->machine, "machine"));
	if (json_write(ret, j, true, e))
		return -1;
	buf_byte(ret, '\n');
	return buf_check(ret, e);
}

static int add_others(struct json *to, const struct bundle *b, struct err *e)
{
	struct json *arr = json_add_array(to, "others");

	for (size_t i = 1; i < b->evidence.n; i++) {
		uint8_t d[48];
		struct json *it = json_add_object(arr, NULL);

		if (hash_of(d, HASH_SHA384, buf_view(&b->evidence.v[i].data), e))
			return -1;
		json_add_str(it, "kind", b->evidence.v[i].kind);
		json_add_hex(it, "sha384", slice_of(d, sizeof d));
	}
	return 0;
}

int bundle_nonce_for(uint8_t ret[static 32], const char *use, struct slice nonce, struct slice runtime_data, struct err *e)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF text = { 0 };

	json_add_hex(j, "nonce", nonce);
	json_add_b64(j, "runtime_data", runtime_data);
	json_add_str(j, "schema", BUNDLE_SCHEMA);
	json_add_str(j, "use", use);
	if (json_canonical(&text, j, e))
		return -1;
	return hash_of(ret, HASH_SHA256, buf_view(&text), e);
}

int bundle_report_data(uint8_t ret[static 64], const struct bundle *b, struct slice nonce, struct err *e)
{
	AUTO_JSON *j = json_object();
	AUTO_BUF text = { 0 };

	json_add_hex(j, "nonce", nonce);
	if (add_others(j, b, e))
		return -1;
	json_add_b64(j, "runtime_data", buf_view(&b->runtime_data));
	json_add_str(j, "schema", BUNDLE_SCHEMA);
	if (json_canonical(&text, j, e))
		return -1;
	return hash_of(ret, HASH_SHA512, buf_view(&text), e);
}
