/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs as JSON: claims of what was proved, Trustee's form, and everything for `attest show`. */

#include <string.h>

#include "tee/eventlog_int.h"

/* UTF-8 up to a NUL; what is no UTF-8 is replaced by json_add_str. */
static void add_text(struct json *to, const char *name, struct slice s)
{
	AUTO_BUF b = { 0 };

	buf_slice(&b, s);
	json_add_str(to, name, buf_cstr(&b));
}

static void add_wide(struct json *to, const char *name, struct slice utf16)
{
	AUTO_BUF b = { 0 };

	utf16_to_utf8(&b, utf16);
	json_add_str(to, name, buf_cstr(&b));
}

static void add_string(struct json *to, const char *name, struct slice s, bool utf16)
{
	if (utf16)
		add_wide(to, name, s);
	else
		add_text(to, name, s);
}

/* "domain operation content": content is JSON where it can be read as that. */
static void add_aael(struct json *to, struct slice text)
{
	const uint8_t *a = memchr(text.p, ' ', text.n), *b = a ? memchr(a + 1, ' ', (size_t)(text.p + text.n - a - 1)) : NULL;
	struct json *content = NULL;
	struct slice rest;

	if (!b)
		return;
	rest = slice_of(b + 1, (size_t)(text.p + text.n - b - 1));
	if (!json_parse(&content, rest, 1 << 16, NULL))
		json_add_take(to, "content", content);
	else
		add_text(to, "content", rest);
	add_text(to, "domain", slice_of(text.p, (size_t)(a - text.p)));
	add_text(to, "operation", slice_of(a + 1, (size_t)(b - a - 1)));
}

/* ---- Trustee's form -------------------------------------------------- */

static void variable_details(struct json *to, struct slice data)
{
	AUTO_BUF guid = { 0 };
	struct variable v;

	if (!variable_read(&v, data))
		return;
	add_wide(to, "unicode_name", v.name);
	json_add_int(to, "unicode_name_length", v.name.n / 2);
	json_add_b64(to, "variable_data", v.value);
	json_add_int(to, "variable_data_length", v.value.n);
	for (size_t i = 0; i < 16; i++)		/* byte by byte, as the peer writes it */
		buf_printf(&guid, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", v.guid.p[i]);
	json_add_str(to, "variable_name", buf_cstr(&guid));
}

static void image_details(struct json *to, struct slice data)
{
	struct rd r = rd_of(data);
	uint64_t n;
	struct slice path;

	rd_skip(&r, 24);
	n = rd_le64(&r);
	path = rd_take(&r, n > data.n ? SIZE_MAX : (size_t)n);
	if (!r.bad && n >= 4)
		device_paths(json_add_array(to, "device_paths"), slice_of(path.p, path.n - 4));
}

static void tag_details(struct json *to, struct slice data)
{
	AUTO_BUF plain = { 0 };
	struct rd r = rd_of(data);
	const uint32_t id = rd_le32(&r);
	const struct slice text = rd_take(&r, rd_le32(&r));

	if (r.bad)
		return;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i])
			buf_byte(&plain, text.p[i]);
	json_add_str(to, "string", buf_cstr(&plain));
	if (id == UINT32_C(0x4141454c)) {
		add_aael(json_add_object(to, "data"), text);
		json_add_str(to, "unicode_name", "AAEL");
	}
}

static void ipl_details(struct json *to, struct slice data)
{
	if (data.n >= 4 && data.p[0] == '.' && data.p[1] == 0)	/* a section's name, without its point, as the peer cuts it */
		add_wide(to, "string", slice_of(data.p + 2, data.n - 4));
	else
		add_text(to, "string", data);
}

static void flags_details(struct json *to, struct slice data)
{
	AUTO_BUF clean = { 0 };

	for (size_t i = 0; i < data.n; i++)
		if (data.p[i] == 0x10 || (data.p[i] >= 0x20 && data.p[i] != 0x7f))
			buf_byte(&clean, data.p[i] == 0x10 ? ' ' : data.p[i]);
	json_add_str(to, "string", buf_cstr(&clean));
}

static void details_of(struct json *to, const struct log_event *ev)
{
	switch (ev->type) {
	case EV_POST_CODE:
	case EV_ACTION:
	case EV_COMPACT_HASH:
	case EV_OMIT_BOOT_DEVICE_EVENTS:
	case EV_EFI_ACTION:
		add_text(to, "string", ev->data);
		break;
	case EV_EVENT_TAG:
		tag_details(to, ev->data);
		break;
	case EV_PLATFORM_CONFIG_FLAGS:
		flags_details(to, ev->data);
		break;
	case EV_IPL:
		ipl_details(to, ev->data);
		break;
	case EV_EFI_VARIABLE_DRIVER_CONFIG:
	case EV_EFI_VARIABLE_BOOT:
	case EV_EFI_VARIABLE_BOOT2:
	case EV_EFI_VARIABLE_AUTHORITY:
		variable_details(to, ev->data);
		break;
	case EV_EFI_BOOT_SERVICES_APPLICATION:
		image_details(to, ev->data);
		break;
	case EV_EFI_PLATFORM_FIRMWARE_BLOB2:
	case EV_EFI_HANDOFF_TABLES2:
		if (ev->data.n && ev->data.p[0] && ev->data.p[0] <= ev->data.n)	/* the peer leaves the last byte out: a NUL */
			add_text(to, "string", slice_of(ev->data.p + 1, ev->data.p[0] - 1u));
	}
}

static const struct { enum hash h; const char *name; } algs[] = {
	{ HASH_SHA1, "SHA-1" }, { HASH_SHA256, "SHA-256" }, { HASH_SHA384, "SHA-384" }, { HASH_SHA512, "SHA-512" }
};
#define N_ALGS (sizeof algs / sizeof algs[0])

static int all_cover(bool *ret, const struct log_event *ev, struct err *e)
{
	*ret = ev->sm3 == NULL;
	for (size_t i = 0; i < N_ALGS; i++) {
		uint8_t d[HASH_MAX];

		if (!ev->digest[algs[i].h])
			continue;
		if (hash_of(d, algs[i].h, ev->data, e))
			return -1;
		*ret = *ret && !memcmp(d, ev->digest[algs[i].h], hash_size(algs[i].h));
	}
	return 0;
}

int event_trustee(struct json *to_array, const struct log_event *ev, struct err *e)
{
	struct json *j = json_add_object(to_array, NULL), *digests;
	const char *name = event_type_name(ev->type);
	bool covers;

	details_of(json_add_object(j, "details"), ev);
	if (all_cover(&covers, ev, e))
		return -1;
	json_add_bool(j, "digest_matches_event", covers);
	digests = json_add_array(j, "digests");
	for (size_t i = 0; i < N_ALGS; i++)
		if (ev->digest[algs[i].h]) {
			struct json *d = json_add_object(digests, NULL);

			json_add_str(d, "alg", algs[i].name);
			json_add_hex(d, "digest", slice_of(ev->digest[algs[i].h], hash_size(algs[i].h)));
		}
	json_add_b64(j, "event", ev->data);
	json_add_int(j, "index", ev->reg);
	if (name)
		json_add_str(j, "type_name", name);
	else
		json_add_fmt(j, "type_name", "0x%08x", ev->type);
	return 0;
}

/* ---- claims ---------------------------------------------------------- */

static struct json *list(struct json **have, struct json *to, const char *name)
{
	if (!*have)
		*have = json_add_array(to, name);
	return *have;
}

static void claim_image(struct json *to, const struct log_event *ev, enum hash alg)
{
	struct json *j = json_add_object(to, NULL);

	json_add_hex(j, "digest", slice_of(ev->digest[alg], hash_size(alg)));
	image_details(j, ev->data);
}

static void claim_section(struct json *to, const struct log_event *ev, enum hash alg)
{
	struct json *j = json_add_object(to, NULL);

	add_string(j, "name", ev->text, ev->utf16);
	json_add_hex(j, "digest", slice_of(ev->digest[alg], hash_size(alg)));
}

int eventlog_claims(struct json *to, const struct eventlog_subject *s, struct err *e)
{
	struct json *cmdlines = NULL, *images = NULL, *parts = NULL, *aael = NULL, *all = NULL;
	const struct log_event *where;
	int on;

	if (!s || !s->any || s->parse.code)
		return 0;
	for (size_t i = 0; i < s->l.n; i++) {
		const struct log_event *ev = &s->l.v[i];

		if (s->regs.cc && ev->from != LOG_IMA && (ev->vouched || !event_extends(ev)) &&
		    event_trustee(list(&all, to, "uefi_event_logs"), ev, e))
			return -1;
		if (!ev->vouched)
			continue;
		if (ev->meaning == MEANS_CMDLINE && ev->proof == PROVED)
			add_string(list(&cmdlines, to, "kernel_cmdline"), NULL, ev->text, ev->utf16);
		else if (event_is_image(ev))
			claim_image(list(&images, to, "boot_images"), ev, s->regs.alg);
		else if (ev->meaning == MEANS_SECTION || (ev->meaning == MEANS_CMDLINE_DIGEST && ev->text.n))
			claim_section(list(&parts, to, "uki_sections"), ev, s->regs.alg);
		else if (ev->meaning == MEANS_AAEL && ev->proof == PROVED)
			add_aael(json_add_object(list(&aael, to, "aael"), NULL), ev->text);
	}
	on = eventlog_secure_boot(s, &where);
	if (on)
		json_add_bool(to, "secure_boot", on > 0);
	if (s->initdata[0] && !json_get(to, "init_data"))
		json_add_str(to, "init_data", s->initdata);
	return 0;
}

/* ---- attest show ----------------------------------------------------- */

static bool is_table(struct slice s)
{
	return s.n == 56 && !memcmp(s.p, "CCEL", 4) && get_le32(s.p + 4) == 56;
}

bool eventlog_looks_like(struct slice log)
{
	return is_table(log) || log_is_crypto_agile(log) || log_is_entries(log) || log_is_ima(log) || log_is_legacy(log);
}

int eventlog_place(struct slice logs[static N_LOGS], struct slice log, struct err *e)
{
	if (log_is_crypto_agile(log) || log_is_legacy(log))
		logs[LOG_CCEL] = logs[LOG_TCG] = log;
	else if (log_is_entries(log))
		logs[LOG_AAEL] = log;
	else if (log_is_ima(log))
		logs[LOG_IMA] = log;
	else if (is_table(log))
		return err_hint((err_set(e, EC_FORMAT, "an ACPI CCEL table, not the log"), e), "the log is /sys/firmware/acpi/tables/data/CCEL");
	else
		return err_set(e, EC_FORMAT, "%zu bytes are no event log (CCEL, TCG, AAEL or IMA)", log.n);
	return 0;
}

static void describe_table(struct json *to, struct slice t)
{
	json_add_str(to, "format", "ACPI CCEL table");
	json_add_str(to, "tee", t.p[36] == 1 ? "SEV" : t.p[36] == 2 ? "TDX" : "unknown");
	json_add_u64(to, "subtype", t.p[37]);
	json_add_u64(to, "area_bytes", get_le64(t.p + 40));
	json_add_fmt(to, "area_address", "0x%llx", (unsigned long long)get_le64(t.p + 48));
}

static const char *proof_word(enum proof p)
{
	return p == PROVED ? "yes" : p == CONTRADICTED ? "no" : "not in the log";
}

static void describe_event(struct json *to_array, const struct log_event *ev, bool cc)
{
	struct json *j = json_add_object(to_array, NULL), *d;
	AUTO_BUF reg = { 0 };

	json_add_u64(j, "number", ev->number);
	if (ev->from != LOG_IMA && !event_extends(ev))
		buf_puts(&reg, "none");
	else
		reg_name(&reg, ev->reg, cc);
	json_add_str(j, "register", buf_cstr(&reg));
	if (ev->from != LOG_IMA) {
		if (event_type_name(ev->type))
			json_add_str(j, "type", event_type_name(ev->type));
		else
			json_add_fmt(j, "type", "0x%08x", ev->type);
	}
	d = json_add_object(j, "digests");
	for (size_t i = 0; i < N_ALGS; i++)
		if (ev->digest[algs[i].h])
			json_add_hex(d, hash_name(algs[i].h), slice_of(ev->digest[algs[i].h], hash_size(algs[i].h)));
	if (event_extends(ev))
		json_add_str(j, "digest_is_of_data", proof_word(ev->proof));
	if (ev->violation)
		json_add_bool(j, "violation", true);
	if (ev->text.n)
		add_string(j, "text", ev->text, ev->utf16);
	else if (ev->from != LOG_IMA)
		details_of(json_add_object(j, "details"), ev);
	json_add_u64(j, "data_bytes", ev->data.n);
	if (ev->from == LOG_IMA || (ev->text.n == 0 && ev->data.n <= 64))
		json_add_hex(j, "data", ev->data);
}

static enum hash best(const struct log_events *l)
{
	static const enum hash order[] = { HASH_SHA384, HASH_SHA256, HASH_SHA512, HASH_SHA1 };

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (l->algs[order[i]])
			return order[i];
	return HASH_SHA1;
}

static int describe_replay(struct json *to, struct log_events *l, bool cc, struct err *e)
{
	const bool ima = l->n && l->v[0].from == LOG_IMA;

	for (size_t i = 0; i < N_ALGS; i++) {
		struct reg_state st[LOG_REGS];
		char unused[2 * HASH_MAX + 1];
		struct json *j;

		if (l->algs[algs[i].h] == 0 && !ima)
			continue;
		if (events_replay(st, l, NULL, algs[i].h, cc, NULL, unused, e))
			return -1;
		j = json_add_object(to, hash_name(algs[i].h));
		for (uint32_t r = 0; r < LOG_REGS; r++) {
			AUTO_BUF name = { 0 };

			if (st[r].events == 0 || st[r].missing)
				continue;
			reg_name(&name, r, cc);
			json_add_hex(j, buf_cstr(&name), slice_of(st[r].v, hash_size(algs[i].h)));
		}
	}
	return 0;
}

/* A CCEL has SHA-384 alone and no register above 4; its header names register 1. */
static bool is_cc(struct slice log, const struct log_events *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].from == LOG_IMA || (l->v[i].reg > 4 && l->v[i].reg != REG_NONE))
			return false;
	return log.n >= 4 && (get_le32(log.p) == 1 || (l->algs[HASH_SHA1] == 0 && l->algs[HASH_SHA256] == 0));
}

static enum log_form form_of(struct slice log)
{
	if (log_is_crypto_agile(log))
		return LOG_TCG;
	if (log_is_entries(log))
		return LOG_AAEL;
	return log_is_ima(log) ? LOG_IMA : LOG_TCG;
}

static int describe_log(struct json *to, struct log_events *l, struct slice log, struct err *e)
{
	const enum log_form form = form_of(log);
	size_t used = 0;
	struct json *events;
	bool cc;

	if (events_parse(l, log, form, &used, e))
		return -1;
	cc = is_cc(log, l);
	if (events_judge(l, best(l), cc, e))
		return -1;
	json_add_str(to, "format", form == LOG_IMA ? "IMA measurement log" : form == LOG_AAEL ? "guest event log (AAEL)" :
		     cc ? "CC event log (CCEL)" : log_is_crypto_agile(log) ? "TCG event log, crypto agile" : "TCG event log, SHA-1 only");
	json_add_u64(to, "bytes", used);
	json_add_str(to, "note", "what is written in the log; it counts only where it replays to registers that the hardware signed");
	events = json_add_array(to, "events");
	for (size_t i = 0; i < l->n; i++)
		describe_event(events, &l->v[i], cc);
	return describe_replay(json_add_object(to, "replay"), l, cc, e);
}

int eventlog_describe(struct json *to, struct slice log, struct err *e)
{
	struct log_events l = { 0 };
	int rc;

	if (is_table(log)) {
		describe_table(to, log);
		return 0;
	}
	rc = describe_log(to, &l, log, e);
	events_free(&l);
	return rc;
}
