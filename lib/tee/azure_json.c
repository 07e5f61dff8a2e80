/* SPDX-License-Identifier: Apache-2.0 */
/* The forms that Azure evidence travels in: see azure.h.  Only carried from one form to the other, nothing is judged. */

#include "codec/hex64.h"
#include "tee/azure.h"

#define WHAT "Azure evidence"

void azure_parts_free(struct azure_parts *p)
{
	buf_free(&p->hcl);
	buf_free(&p->signature);
	buf_free(&p->message);
	buf_free(&p->vcek);
	buf_free(&p->td_quote);
	*p = (struct azure_parts){ 0 };
}

/* --- members ------------------------------------------------------------------------------------------------- */

static int need_text(struct slice *ret, const struct json *j, const char *name, struct err *e)
{
	const char *text;

	if (json_need_str(&text, j, name, WHAT, e))
		return -1;
	*ret = slice_str(text);
	return 0;
}

static int take_base64(struct buf *ret, const struct json *j, const char *name, struct err *e)
{
	struct slice text;

	ret->max = EVIDENCE_MAX;
	if (need_text(&text, j, name, e))
		return -1;
	return b64_decode_lax(ret, text, e) ? err_ctx(e, "member '%s' of " WHAT, name) : 0;
}

static int take_hex(struct buf *ret, const struct json *j, const char *name, struct err *e)
{
	struct slice text;

	ret->max = EVIDENCE_MAX;
	if (need_text(&text, j, name, e))
		return -1;
	return hex_decode(ret, text, e) ? err_ctx(e, "member '%s' of " WHAT, name) : 0;
}

/* Version 0 writes bytes as numbers. */
static int take_numbers(struct buf *ret, const struct json *list, const char *name, struct err *e)
{
	ret->max = EVIDENCE_MAX;
	if (!json_is_array(list))
		return err_set(e, EC_FORMAT, "member '%s' of " WHAT ": wanted an array of bytes", name);
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		uint64_t v;

		if (!json_u64(j, &v) || v > 255)
			return err_set(e, EC_FORMAT, "member '%s' of " WHAT ": byte %zu is none", name, ret->n);
		buf_byte(ret, (uint8_t)v);
	}
	return buf_check(ret, e);
}

static int take_pcr(struct azure_parts *p, const struct json *j, struct err *e)
{
	AUTO_BUF b = { .max = 256 };
	const char *text = json_string(j);

	if (p->n_pcrs == sizeof p->pcrs / sizeof p->pcrs[0])
		return err_set(e, EC_FORMAT, WHAT " has more than %zu PCRs", p->n_pcrs);
	if (text ? hex_decode(&b, slice_str(text), e) : take_numbers(&b, j, "pcrs", e))
		return err_ctx(e, "PCR value %zu", p->n_pcrs);
	if (b.n != sizeof p->pcrs[0])
		return err_set(e, EC_FORMAT, "PCR value %zu has %zu bytes, wanted 32 (SHA-256)", p->n_pcrs, b.n);
	memcpy(p->pcrs[p->n_pcrs++], b.p, sizeof p->pcrs[0]);
	return 0;
}

static int take_pcrs(struct azure_parts *p, const struct json *quote, struct err *e)
{
	const struct json *list;

	if (json_need_arr(&list, quote, "pcrs", WHAT, e))
		return -1;
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (take_pcr(p, j, e))
			return -1;
	return 0;
}

/* --- versions ------------------------------------------------------------------------------------------------ */

static int read_old(struct azure_parts *p, const struct json *j, struct err *e)
{
	const struct json *quote, *hcl = json_get(j, "hcl_report") ? json_get(j, "hcl_report") : json_get(j, "report");
	struct slice pem;

	if (json_need_obj(&quote, j, "quote", WHAT, e) || take_numbers(&p->hcl, hcl, "report", e) ||
	    take_numbers(&p->signature, json_get(quote, "signature"), "signature", e) ||
	    take_numbers(&p->message, json_get(quote, "message"), "message", e) || take_pcrs(p, quote, e))
		return -1;
	if (json_get(j, "td_quote") && take_numbers(&p->td_quote, json_get(j, "td_quote"), "td_quote", e))
		return -1;
	if (!json_get(j, "vcek"))
		return 0;
	if (need_text(&pem, j, "vcek", e))
		return -1;
	buf_slice(&p->vcek, pem);
	return buf_check(&p->vcek, e);
}

static int read_new(struct azure_parts *p, const struct json *j, struct err *e)
{
	const struct json *quote;

	if (take_base64(&p->hcl, j, "hcl_report", e))
		return -1;
	if (json_get(j, "tpm_quote") &&
	    (json_need_obj(&quote, j, "tpm_quote", WHAT, e) || take_hex(&p->signature, quote, "signature", e) ||
	     take_hex(&p->message, quote, "message", e) || take_pcrs(p, quote, e)))
		return -1;
	if (json_get(j, "vcek") && take_base64(&p->vcek, j, "vcek", e))
		return -1;
	return json_get(j, "td_quote") && take_base64(&p->td_quote, j, "td_quote", e) ? -1 : 0;
}

static int read_json(struct azure_parts *p, const struct json *j, struct err *e)
{
	const struct json *inner = json_get(j, "evidence");

	if (json_is_object(inner))
		j = inner;
	if (!json_get(j, "version"))
		return json_get(j, "quote") ? read_old(p, j, e) : read_new(p, j, e);
	if (json_need_u64(&p->version, j, "version", UINT64_MAX, WHAT, e))
		return -1;
	if (p->version < 1 || p->version > 2)
		return err_set(e, EC_FORMAT, WHAT " has version %llu, wanted 1 or 2 (or none)", (unsigned long long)p->version);
	return read_new(p, j, e);
}

int azure_parts_read(struct azure_parts *ret, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);
	struct azure_parts p = { 0 };
	AUTO_JSON *j = NULL;
	int rc;

	if (text.n && text.p[0] == '{') {
		rc = json_parse(&j, text, EVIDENCE_MAX, e) || read_json(&p, j, e) ? -1 : 0;
	} else if (raw.n > HCL_MAX) {
		rc = err_set(e, EC_FORMAT, "HCL report of %zu bytes, at most %zu are possible", raw.n, HCL_MAX);
	} else {
		buf_slice(&p.hcl, raw);
		rc = buf_check(&p.hcl, e);
	}
	if (rc) {
		azure_parts_free(&p);
		return -1;
	}
	*ret = p;
	return 0;
}

/* Trustee wants the padding. */
static void add_base64(struct json *to, const char *name, const struct buf *b)
{
	AUTO_BUF text = { 0 };

	b64url_encode(&text, buf_view(b));
	while (text.n % 4)
		buf_byte(&text, '=');
	json_add_str(to, name, text.bad ? NULL : buf_cstr(&text));
}

int azure_parts_write(struct json **ret, const struct azure_parts *p, struct err *e)
{
	struct json *j = json_object(), *quote, *pcrs;

	if (!j)
		return err_oom(e);
	json_add_u64(j, "version", p->version);
	if (p->message.n) {
		quote = json_add_object(j, "tpm_quote");
		json_add_hex(quote, "signature", buf_view(&p->signature));
		json_add_hex(quote, "message", buf_view(&p->message));
		pcrs = json_add_array(quote, "pcrs");
		for (size_t i = 0; i < p->n_pcrs; i++)
			json_add_hex(pcrs, NULL, slice_of(p->pcrs[i], sizeof p->pcrs[i]));
	}
	add_base64(j, "hcl_report", &p->hcl);
	if (p->vcek.n)
		add_base64(j, "vcek", &p->vcek);
	if (p->td_quote.n)
		add_base64(j, "td_quote", &p->td_quote);
	*ret = j;
	return 0;
}
