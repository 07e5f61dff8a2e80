/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Intel's signed documents: see tdx_tcb.h.  The signed object is cut out of the received bytes and only then parsed, by itself,
 * so that what is read is what was signed. */

#include <ctype.h>

#include "base/cursor.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "tee/tdx_tcb.h"

static const char *const status_names[N_TCB_STATUS] = {
	[TCB_STATUS_NONE] = "none", [TCB_UP_TO_DATE] = "UpToDate", [TCB_SW_HARDENING] = "SWHardeningNeeded",
	[TCB_CONFIGURATION] = "ConfigurationNeeded", [TCB_CONFIGURATION_SW] = "ConfigurationAndSWHardeningNeeded",
	[TCB_OUT_OF_DATE] = "OutOfDate", [TCB_OUT_OF_DATE_CONFIGURATION] = "OutOfDateConfigurationNeeded", [TCB_REVOKED] = "Revoked",
	[TCB_NOT_SUPPORTED] = "NotSupported", [TCB_RELAUNCH] = "TDRelaunchAdvised",
	[TCB_RELAUNCH_CONFIGURATION] = "TDRelaunchAdvisedConfigurationNeeded"
};

const char *tcb_status_name(enum tcb_status s)
{
	return status_names[s];
}

static void signed_free(struct tcb_signed *d)
{
	json_free(d->json);
	buf_free(&d->text);
	*d = (struct tcb_signed){ 0 };
}

void tdx_tcb_info_free(struct tdx_tcb_info *t)
{
	for (size_t i = 0; i < t->n_modules; i++)
		free(t->modules[i].levels.v);
	free(t->levels);
	signed_free(&t->doc);
	*t = (struct tdx_tcb_info){ 0 };
}

void tdx_qe_identity_free(struct tdx_qe_identity *q)
{
	free(q->levels.v);
	signed_free(&q->doc);
	*q = (struct tdx_qe_identity){ 0 };
}

/* --- cutting ------------------------------------------------------------------------------------------- */

static void skip_space(struct rd *r)
{
	while (rd_left(r) && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

/* A string of JSON as it stands there, without its quotes. */
static struct slice take_string(struct rd *r)
{
	const uint8_t *from;

	if (rd_u8(r) != '"')
		r->bad = true;
	from = r->p;
	for (;;) {
		const uint8_t c = rd_u8(r);

		if (r->bad)
			return (struct slice){ NULL, 0 };
		if (c == '"')
			return slice_of(from, (size_t)(r->p - from) - 1);
		if (c == '\\')
			rd_u8(r);
	}
}

/* Any value: brackets are counted outside strings. */
static struct slice take_value(struct rd *r)
{
	const uint8_t *const from = r->p;
	size_t depth = 0;

	do {
		const uint8_t c = rd_left(r) ? *r->p : 0;

		if (c == '"') {
			take_string(r);
			continue;
		}
		if (depth == 0 && (c == ',' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r'))
			break;		/* behind a number or a word */
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		rd_skip(r, 1);
		if (depth == 0 && (c == '}' || c == ']'))
			break;
	} while (!r->bad && (depth || rd_left(r)));
	return r->bad ? (struct slice){ NULL, 0 } : slice_of(from, (size_t)(r->p - from));
}

/* The value of this member of the outermost object.  text has passed the JSON parser, so the grammar holds and no name is there
 * twice. */
static struct slice cut(struct slice text, const char *name)
{
	struct rd r = rd_of(text);

	skip_space(&r);
	rd_skip(&r, 1);
	while (!r.bad && rd_left(&r)) {
		struct slice key, value;

		skip_space(&r);
		key = take_string(&r);
		skip_space(&r);
		rd_skip(&r, 1);		/* : */
		skip_space(&r);
		value = take_value(&r);
		skip_space(&r);
		rd_skip(&r, 1);		/* , or } */
		if (!r.bad && slice_eqs(key, name))
			return value;
	}
	return (struct slice){ NULL, 0 };
}

static int read_time(int64_t *ret, const struct json *o, const char *name, const char *what, struct err *e)
{
	const char *s;

	if (json_need_str(&s, o, name, what, e))
		return -1;
	return strlen(s) == 20 && s[19] == 'Z' && !time_parse(ret, s, NULL) ? 0 :
	       err_set(e, EC_FORMAT, "member '%s' of %s: '%.40s' is no time in UTC", name, what, s);
}

static int read_hex(uint8_t *ret, size_t n, const struct json *o, const char *name, const char *what, struct err *e)
{
	const char *s;

	if (json_need_str(&s, o, name, what, e))
		return -1;
	return hex_decode_n(ret, n, s, e) ? err_ctx(e, "member '%s' of %s", name, what) : 0;
}

static int read_u16(uint16_t *ret, const struct json *o, const char *name, uint64_t max, const char *what, struct err *e)
{
	uint64_t v;

	if (json_need_u64(&v, o, name, max, what, e))
		return -1;
	*ret = (uint16_t)v;
	return 0;
}

static int read_kind(const struct json *o, const char *id, uint64_t version, const char *what, struct err *e)
{
	const char *s;
	uint64_t v;

	if (json_need_str(&s, o, "id", what, e) || json_need_u64(&v, o, "version", UINT32_MAX, what, e))
		return -1;
	if (strcmp(s, id))
		return err_set(e, EC_FORMAT, "%s has the id '%.32s', wanted '%s'", what, s, id);
	if (v != version)
		return err_set(e, EC_FORMAT, "%s is of version %llu, wanted %llu", what, (unsigned long long)v, (unsigned long long)version);
	return 0;
}

struct document {
	const char *member, *what, *id;
	uint64_t version;
};

static int read_signed(struct tcb_signed *d, struct slice text, const struct document *m, struct err *e)
{
	AUTO_JSON *outer = NULL;

	if (text.n > TCB_DOCUMENT_MAX)
		return err_set(e, EC_FORMAT, "%s is %zu bytes, at most %zu are read", m->what, text.n, TCB_DOCUMENT_MAX);
	buf_slice(&d->text, text);
	if (buf_check(&d->text, e) || json_parse(&outer, text, TCB_DOCUMENT_MAX, e) ||
	    read_hex(d->signature, sizeof d->signature, outer, "signature", m->what, e))
		return -1;
	d->body = cut(buf_view(&d->text), m->member);
	if (d->body.n == 0 || d->body.p[0] != '{')
		return err_set(e, EC_FORMAT, "no object '%s' in it", m->member);
	if (json_parse(&d->json, d->body, TCB_DOCUMENT_MAX, e) || read_kind(d->json, m->id, m->version, m->what, e) ||
	    read_time(&d->issued, d->json, "issueDate", m->what, e) || read_time(&d->next_update, d->json, "nextUpdate", m->what, e))
		return -1;
	return json_need_u64(&d->evaluation, d->json, "tcbEvaluationDataNumber", UINT32_MAX, m->what, e);
}

int tcb_signed_by(const struct tcb_signed *d, const struct cert *signer, struct err *e)
{
	AUTO_PUBKEY k = { 0 };

	if (cert_public(&k, signer, e))
		return -1;
	if (k.type != KEY_EC_P256)
		return err_set(e, EC_REFUSED, "signing key is %s, wanted EC P-256", key_type_name(k.type));
	return sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA256, d->body, slice_of(d->signature, sizeof d->signature), e);
}

int tcb_signed_dates(const struct tcb_signed *d, const char *what, int64_t now, struct err *e)
{
	char from[32], to[32], at[32];

	if (now >= d->issued && now <= d->next_update)
		return 0;
	time_format(from, d->issued);
	time_format(to, d->next_update);
	time_format(at, now);
	return err_set(e, EC_REFUSED, "%s %s: issued %s, next update %s, the time used is %s", what,
		       now < d->issued ? "is not yet valid" : "has expired", from, to, at);
}

/* --- levels ---------------------------------------------------------------------------------------------- */

static int read_status(enum tcb_status *ret, const char *s, struct err *e)
{
	for (enum tcb_status i = TCB_UP_TO_DATE; i <= TCB_REVOKED; i++)
		if (!strcmp(status_names[i], s)) {
			*ret = i;
			return 0;
		}
	return err_set(e, EC_FORMAT, "TCB level has the unknown status '%.64s'", s);
}

static int read_state(struct tcb_state *ret, const struct json *level, struct err *e)
{
	const char *s;

	if (read_time(&ret->date, level, "tcbDate", "a TCB level", e) || json_need_str(&s, level, "tcbStatus", "a TCB level", e) ||
	    read_status(&ret->status, s, e))
		return -1;
	ret->advisories = json_get(level, "advisoryIDs");
	if (ret->advisories && (!json_is_array(ret->advisories) || json_count(ret->advisories) > TCB_ADVISORIES_MAX))
		return err_set(e, EC_FORMAT, "member 'advisoryIDs' of a TCB level: wanted a list of at most %d", TCB_ADVISORIES_MAX);
	for (const struct json *a = json_first(ret->advisories); a; a = json_next(a)) {
		const char *id = json_string(a);

		if (!id || !id[0] || strnlen(id, 65) > 64)
			return err_set(e, EC_FORMAT, "member 'advisoryIDs' of a TCB level: wanted words of 1 to 64 characters");
	}
	return 0;
}

static int read_svn_level(struct svn_level *ret, const struct json *level, struct err *e)
{
	const struct json *tcb;

	return json_need_obj(&tcb, level, "tcb", "a TCB level", e) || read_u16(&ret->isvsvn, tcb, "isvsvn", 65535, "a TCB level", e) ?
	       -1 : read_state(&ret->state, level, e);
}

/* Inserted before the first that is lower: stable, highest first. */
static int read_svn_levels(struct svn_levels *ret, const struct json *o, const char *what, struct err *e)
{
	const struct json *arr;

	if (json_need_arr(&arr, o, "tcbLevels", what, e))
		return -1;
	if (json_count(arr) == 0 || json_count(arr) > SVN_LEVELS_MAX)
		return err_set(e, EC_FORMAT, "%s has %zu TCB levels, wanted 1 to %d", what, json_count(arr), SVN_LEVELS_MAX);
	ret->v = calloc(json_count(arr), sizeof *ret->v);
	if (!ret->v)
		return err_oom(e);
	for (const struct json *l = json_first(arr); l; l = json_next(l)) {
		struct svn_level one = { 0 };
		size_t at = ret->n;

		if (read_svn_level(&one, l, e))
			return err_ctx(e, "%s", what);
		for (; at && ret->v[at - 1].isvsvn < one.isvsvn; at--)
			ret->v[at] = ret->v[at - 1];
		ret->v[at] = one;
		ret->n++;
	}
	return 0;
}

static int read_components(uint8_t ret[static 16], const struct json *tcb, const char *name, struct err *e)
{
	const struct json *arr;
	size_t i = 0;

	if (json_need_arr(&arr, tcb, name, "a TCB level", e))
		return -1;
	if (json_count(arr) != 16)
		return err_set(e, EC_FORMAT, "member '%s' of a TCB level has %zu entries, wanted 16", name, json_count(arr));
	for (const struct json *c = json_first(arr); c; c = json_next(c)) {
		uint16_t v;

		if (read_u16(&v, c, "svn", 255, name, e))
			return -1;
		ret[i++] = (uint8_t)v;
	}
	return 0;
}

/* Above zero: a is the higher one. */
static int compare(const struct tcb_level *a, const struct tcb_level *b)
{
	const int sgx = memcmp(a->sgx, b->sgx, sizeof a->sgx);

	if (sgx)
		return sgx;
	return a->pcesvn != b->pcesvn ? (int)a->pcesvn - (int)b->pcesvn : memcmp(a->tdx, b->tdx, sizeof a->tdx);
}

static int read_levels(struct tdx_tcb_info *t, struct err *e)
{
	const struct json *arr, *tcb;

	if (json_need_arr(&arr, t->doc.json, "tcbLevels", "TCB info", e))
		return -1;
	if (json_count(arr) == 0 || json_count(arr) > TCB_LEVELS_MAX)
		return err_set(e, EC_FORMAT, "TCB info has %zu TCB levels, wanted 1 to %d", json_count(arr), TCB_LEVELS_MAX);
	t->levels = calloc(json_count(arr), sizeof *t->levels);
	if (!t->levels)
		return err_oom(e);
	for (const struct json *l = json_first(arr); l; l = json_next(l)) {
		struct tcb_level one = { 0 };
		size_t at = t->n_levels;

		if (json_need_obj(&tcb, l, "tcb", "a TCB level", e) || read_components(one.sgx, tcb, "sgxtcbcomponents", e) ||
		    read_components(one.tdx, tcb, "tdxtcbcomponents", e) ||
		    read_u16(&one.pcesvn, tcb, "pcesvn", 65535, "a TCB level", e) || read_state(&one.state, l, e))
			return -1;
		for (; at && compare(&t->levels[at - 1], &one) < 0; at--)
			t->levels[at] = t->levels[at - 1];
		t->levels[at] = one;
		t->n_levels++;
	}
	return 0;
}

/* --- module identities ------------------------------------------------------------------------------------- */

static int read_module(struct tdx_module *m, const struct json *o, const char *what, struct err *e)
{
	return read_hex(m->mrsigner, sizeof m->mrsigner, o, "mrsigner", what, e) ||
	       read_hex(m->attributes, sizeof m->attributes, o, "attributes", what, e) ||
	       read_hex(m->mask, sizeof m->mask, o, "attributesMask", what, e) ? -1 : 0;
}

static int read_identity(struct tdx_tcb_info *t, const struct json *o, struct err *e)
{
	struct tdx_module *m = &t->modules[t->n_modules];
	const char *id;

	if (json_need_str(&id, o, "id", "a TDX module identity", e))
		return -1;
	if (strnlen(id, 16) >= sizeof m->id)
		return err_set(e, EC_FORMAT, "TDX module identity has the id '%.32s', wanted TDX_ and two hex digits", id);
	for (size_t i = 0; id[i]; i++)
		m->id[i] = (char)toupper((unsigned char)id[i]);
	for (size_t i = 0; i < t->n_modules; i++)
		if (!strcmp(t->modules[i].id, m->id))
			return err_set(e, EC_FORMAT, "TDX module identity '%s' stands there twice", m->id);
	t->n_modules++;
	return read_module(m, o, "a TDX module identity", e) || read_svn_levels(&m->levels, o, m->id, e) ? -1 : 0;
}

static int read_modules(struct tdx_tcb_info *t, struct err *e)
{
	const struct json *o, *arr = json_get(t->doc.json, "tdxModuleIdentities");

	if (json_need_obj(&o, t->doc.json, "tdxModule", "TCB info", e) || read_module(&t->module, o, "tdxModule", e))
		return -1;
	if (!arr)	/* documents of 2023 */
		return 0;
	if (!json_is_array(arr) || json_count(arr) > TDX_MODULES_MAX)
		return err_set(e, EC_FORMAT, "member 'tdxModuleIdentities' of TCB info: wanted a list of at most %d", TDX_MODULES_MAX);
	for (const struct json *m = json_first(arr); m; m = json_next(m))
		if (read_identity(t, m, e))
			return -1;
	return 0;
}

/* --- the two documents ----------------------------------------------------------------------------------------- */

static int read_tcb_info(struct tdx_tcb_info *t, struct slice text, struct err *e)
{
	static const struct document doc = { "tcbInfo", "TCB info", "TDX", 3 };
	uint64_t type;

	if (read_signed(&t->doc, text, &doc, e) || json_need_u64(&type, t->doc.json, "tcbType", UINT32_MAX, "TCB info", e))
		return -1;
	if (type != 0)
		return err_set(e, EC_FORMAT, "TCB info is of TCB type %llu, wanted 0", (unsigned long long)type);
	if (read_hex(t->fmspc, sizeof t->fmspc, t->doc.json, "fmspc", "TCB info", e) ||
	    read_hex(t->pceid, sizeof t->pceid, t->doc.json, "pceId", "TCB info", e))
		return -1;
	return read_modules(t, e) || read_levels(t, e) ? -1 : 0;
}

int tdx_tcb_info_parse(struct tdx_tcb_info *ret, struct slice text, struct err *e)
{
	struct tdx_tcb_info t = { 0 };

	if (read_tcb_info(&t, text, e)) {
		tdx_tcb_info_free(&t);
		return err_ctx(e, "cannot read TCB info");
	}
	*ret = t;
	return 0;
}

static int read_qe_identity(struct tdx_qe_identity *q, struct slice text, struct err *e)
{
	static const struct document doc = { "enclaveIdentity", "QE identity", "TD_QE", 2 };

	if (read_signed(&q->doc, text, &doc, e) ||
	    read_hex(q->miscselect, 4, q->doc.json, "miscselect", doc.what, e) ||
	    read_hex(q->miscselect_mask, 4, q->doc.json, "miscselectMask", doc.what, e) ||
	    read_hex(q->attributes, 16, q->doc.json, "attributes", doc.what, e) ||
	    read_hex(q->attributes_mask, 16, q->doc.json, "attributesMask", doc.what, e) ||
	    read_hex(q->mrsigner, 32, q->doc.json, "mrsigner", doc.what, e) ||
	    read_u16(&q->isvprodid, q->doc.json, "isvprodid", 65535, doc.what, e))
		return -1;
	return read_svn_levels(&q->levels, q->doc.json, doc.what, e);
}

int tdx_qe_identity_parse(struct tdx_qe_identity *ret, struct slice text, struct err *e)
{
	struct tdx_qe_identity q = { 0 };

	if (read_qe_identity(&q, text, e)) {
		tdx_qe_identity_free(&q);
		return err_ctx(e, "cannot read QE identity");
	}
	*ret = q;
	return 0;
}
