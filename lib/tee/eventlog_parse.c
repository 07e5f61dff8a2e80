/* SPDX-License-Identifier: Apache-2.0 */
/* Events out of the bytes of a log: TCG (old and crypto agile), CCEL, AAEL, IMA (cpu-tee.md 5.2, 5.5). */

#include <stdlib.h>
#include <string.h>

#include "tee/eventlog_int.h"

#define ALG_SM3 0x12

struct alg_list {
	struct { uint16_t id, size; } v[LOG_ALGS_MAX];
	size_t n;
	bool legacy;		/* every event has one SHA-1 digest and no list */
};

static const struct { uint16_t id; enum hash h; uint16_t size; } known[] = {
	{ 4, HASH_SHA1, 20 }, { 0xb, HASH_SHA256, 32 }, { 0xc, HASH_SHA384, 48 }, { 0xd, HASH_SHA512, 64 }, { ALG_SM3, HASH_NONE, 32 }
};
#define N_KNOWN (sizeof known / sizeof known[0])

static size_t known_of(uint16_t id)
{
	size_t i;

	for (i = 0; i < N_KNOWN && known[i].id != id; i++)
		;
	return i;
}

void events_free(struct log_events *l)
{
	free(l->v);
	*l = (struct log_events){ 0 };
}

static struct log_event *add(struct log_events *l, struct err *e)
{
	if (l->n == LOG_EVENTS_MAX) {
		err_set(e, EC_FORMAT, "event log holds more than %u events", LOG_EVENTS_MAX);
		return NULL;
	}
	if (l->n == l->cap) {
		const size_t cap = l->cap ? l->cap * 2 : 64;
		struct log_event *v = realloc(l->v, cap * sizeof *v);

		if (!v) {
			err_oom(e);
			return NULL;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = (struct log_event){ 0 };
	return &l->v[l->n++];
}

static bool all(struct slice s, uint8_t v)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != v)
			return false;
	return true;
}

/* Nothing more; the fill of an unused area; or the eight bytes that CoCo puts behind its entries. */
static bool at_end(struct rd r)
{
	const struct slice rest = rd_rest(&r);

	if (rest.n >= 4 && get_le32(rest.p) == REG_NONE)
		return true;
	return all(rest, 0);
}

static bool is_spec_id(struct slice data)
{
	return data.n >= 16 && (!memcmp(data.p, "Spec ID Event03", 16) || (data.n >= 28 && all(slice_of(data.p, 16), 0)));
}

/* The first event is always in the old form. */
static struct slice first_event(struct rd *r, uint32_t *type)
{
	rd_skip(r, 4);
	*type = rd_le32(r);
	rd_skip(r, 20);
	return rd_take(r, rd_le32(r));
}

bool log_is_crypto_agile(struct slice log)
{
	struct rd r = rd_of(log);
	uint32_t type;
	const struct slice data = first_event(&r, &type);

	return !r.bad && type == EV_NO_ACTION && is_spec_id(data);
}

static void add_all_known(struct alg_list *a)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		size_t k;

		for (k = 0; k < a->n && a->v[k].id != known[i].id; k++)
			;
		if (k == a->n && a->n < LOG_ALGS_MAX) {
			a->v[k].id = known[i].id;
			a->v[k].size = known[i].size;
			a->n++;
		}
	}
}

static int spec_id(struct alg_list *ret, struct slice data, struct err *e)
{
	struct rd d = rd_of(data);
	const bool pseudo = all(rd_take(&d, 16), 0);
	uint32_t n;

	rd_skip(&d, 8);		/* platform class, versions, uintn size */
	n = rd_le32(&d);
	if (d.bad || n == 0 || n > LOG_ALGS_MAX)
		return err_set(e, EC_FORMAT, "event log lists %u digest algorithms, wanted 1 to %u", n, LOG_ALGS_MAX);
	for (ret->n = 0; ret->n < n; ret->n++) {
		const uint16_t id = rd_le16(&d), size = rd_le16(&d);
		const size_t k = known_of(id);

		for (size_t i = 0; i < ret->n; i++)
			if (ret->v[i].id == id)
				return err_set(e, EC_FORMAT, "event log lists digest algorithm 0x%x twice", id);
		if (!d.bad && k < N_KNOWN && known[k].size != size)
			return err_set(e, EC_FORMAT, "event log says that digests of algorithm 0x%x have %u bytes, they have %u", id, size, known[k].size);
		ret->v[ret->n].id = id;
		ret->v[ret->n].size = size;
	}
	rd_skip(&d, rd_u8(&d));
	if (d.bad || rd_left(&d))
		return err_set(e, EC_FORMAT, "event log's Spec ID event has %s", d.bad ? "no end of its list" : "bytes behind its end");
	if (pseudo)	/* CoCo lists SHA-384 and SM3 there, and measures with what the platform has */
		add_all_known(ret);
	return 0;
}

static int digests(struct log_event *ev, struct rd *r, const struct alg_list *a, struct err *e)
{
	const uint32_t count = a->legacy ? 1 : rd_le32(r);

	if (count > a->n)
		return err_set(e, EC_FORMAT, "it counts %u digests, the log has %zu algorithms", count, a->n);
	for (uint32_t i = 0; i < count; i++) {
		const uint16_t id = a->legacy ? 4 : rd_le16(r);
		const size_t k = known_of(id);
		struct slice d;
		size_t j;

		for (j = 0; j < a->n && a->v[j].id != id; j++)
			;
		if (r->bad || j == a->n)
			return err_set(e, EC_FORMAT, r->bad ? "it is cut" : "digest algorithm 0x%x is not one of the log's", id);
		d = rd_take(r, a->v[j].size);
		if (r->bad || k == N_KNOWN)
			continue;
		if (known[k].h ? ev->digest[known[k].h] != NULL : ev->sm3 != NULL)
			return err_set(e, EC_FORMAT, "it has two digests of algorithm 0x%x", id);
		if (known[k].h)
			ev->digest[known[k].h] = d.p;
		else
			ev->sm3 = d.p;
	}
	return 0;
}

static int one_event(struct log_events *l, struct rd *r, const struct alg_list *a, enum log_form form, uint32_t number, struct err *e)
{
	struct log_event *ev = add(l, e);

	if (!ev)
		return -1;
	ev->from = form;
	ev->number = number;
	ev->reg = rd_le32(r);
	ev->type = rd_le32(r);
	if (digests(ev, r, a, e))
		return -1;
	ev->data = rd_take(r, rd_le32(r));
	if (r->bad)
		return err_set(e, EC_FORMAT, "it is cut");
	if (ev->reg >= LOG_REGS && ev->reg != REG_NONE)
		return err_set(e, EC_FORMAT, "it names register %u", ev->reg);
	for (size_t h = 0; h <= HASH_SHA512; h++)
		l->algs[h] += ev->digest[h] != NULL;
	return 0;
}

static int tcg(struct log_events *l, struct slice log, enum log_form form, size_t *used, struct err *e)
{
	struct alg_list a = { 0 };
	struct rd r = rd_of(log);
	uint32_t number = 0, type;

	if (log_is_crypto_agile(log)) {
		if (spec_id(&a, first_event(&r, &type), e))
			return -1;
		number = 1;
	} else if (form == LOG_AAEL) {
		add_all_known(&a);
	} else if (form == LOG_TCG) {
		a = (struct alg_list){ .v = { { 4, 20 } }, .n = 1, .legacy = true };
	} else {
		return err_set(e, EC_FORMAT, "event log does not begin with a 'Spec ID Event03'");
	}
	for (; !at_end(r); number++) {
		const size_t at = log.n - rd_left(&r);

		if (one_event(l, &r, &a, form, number, e)) {
			if (!e || e->code != EC_FORMAT)
				return -1;
			return err_ctx(e, "event log is cut or corrupt, event %u at byte %zu", number, at);
		}
	}
	if (used)
		*used = log.n - rd_left(&r);
	return 0;
}

static int ima(struct log_events *l, struct slice log, size_t *used, struct err *e)
{
	struct rd r = rd_of(log);

	for (uint32_t number = 0; rd_left(&r); number++) {
		const size_t at = log.n - rd_left(&r);
		struct log_event *ev = add(l, e);
		struct slice digest, name;

		if (!ev)
			return -1;
		ev->from = LOG_IMA;
		ev->number = number;
		ev->reg = rd_le32(&r);
		digest = rd_take(&r, 20);
		name = rd_take(&r, rd_le32(&r));
		ev->old_ima = slice_eqs(name, "ima");
		if (ev->old_ima) {
			struct rd look = r;
			uint32_t n;

			rd_skip(&look, 20);
			n = rd_le32(&look);
			if (n > 255)
				r.bad = true;
			ev->data = rd_take(&r, (size_t)24 + n);
		} else {
			ev->data = rd_take(&r, rd_le32(&r));
		}
		if (r.bad || name.n > 64 || ev->reg >= LOG_REGS)
			return err_set(e, EC_FORMAT, "IMA log is cut or corrupt in entry %u at byte %zu", number, at);
		ev->digest[HASH_SHA1] = digest.p;
		ev->violation = all(digest, 0);
	}
	if (used)
		*used = log.n;
	return 0;
}

int events_parse(struct log_events *to, struct slice log, enum log_form form, size_t *used, struct err *e)
{
	if (log.n > EVENTLOG_MAX)
		return err_set(e, EC_FORMAT, "event log is %zu bytes, at most %zu are read", log.n, EVENTLOG_MAX);
	return form == LOG_IMA ? ima(to, log, used, e) : tcg(to, log, form, used, e);
}

int ccel_trim(struct slice *ret, struct slice area, struct err *e)
{
	struct log_events l = { 0 };
	size_t used = 0;
	const int rc = area.n > EVENTLOG_MAX ? err_set(e, EC_FORMAT, "event log area is %zu bytes, at most %zu are read", area.n, EVENTLOG_MAX)
					     : tcg(&l, area, LOG_CCEL, &used, e);

	events_free(&l);
	if (rc)
		return -1;
	*ret = slice_of(area.p, used);
	return 0;
}

/* An entry as CoCo writes it: EV_EVENT_TAG, one digest, the tag's id. */
bool log_is_entries(struct slice log)
{
	struct rd r = rd_of(log);
	uint32_t reg = rd_le32(&r), type = rd_le32(&r), count = rd_le32(&r);
	const size_t k = known_of(rd_le16(&r));

	if (r.bad || reg >= LOG_REGS || type != EV_EVENT_TAG || count != 1 || k == N_KNOWN)
		return false;
	rd_skip(&r, known[k].size);
	rd_skip(&r, 4);
	return slice_eqs(rd_take(&r, 4), "LEAA");
}

bool log_is_legacy(struct slice log)
{
	struct rd r = rd_of(log);
	const uint32_t reg = rd_le32(&r), type = rd_le32(&r);
	uint32_t n;

	rd_skip(&r, 20);
	n = rd_le32(&r);
	return !r.bad && reg < LOG_REGS && event_type_name(type) && type != 0 && n > 0 && n <= rd_left(&r);
}

bool log_is_ima(struct slice log)
{
	struct rd r = rd_of(log);
	const uint32_t reg = rd_le32(&r);
	struct slice name;

	rd_skip(&r, 20);
	name = rd_take(&r, rd_le32(&r));
	return !r.bad && reg < LOG_REGS && name.n >= 3 && name.n <= 64 && !memcmp(name.p, "ima", 3);
}

bool event_extends(const struct log_event *ev)
{
	return ev->from == LOG_IMA || (ev->type != EV_NO_ACTION && ev->reg != REG_NONE);
}

bool event_is_image(const struct log_event *ev)
{
	return ev->from != LOG_IMA && ev->type >= EV_EFI_BOOT_SERVICES_APPLICATION && ev->type <= EV_EFI_RUNTIME_SERVICES_DRIVER;
}

const char *event_type_name(uint32_t type)
{
	static const char *const low[] = {
		"EV_PREBOOT_CERT", "EV_POST_CODE", "EV_UNUSED", "EV_NO_ACTION", "EV_SEPARATOR", "EV_ACTION", "EV_EVENT_TAG",
		"EV_S_CRTM_CONTENTS", "EV_S_CRTM_VERSION", "EV_CPU_MICROCODE", "EV_PLATFORM_CONFIG_FLAGS", "EV_TABLE_OF_DEVICES",
		"EV_COMPACT_HASH", "EV_IPL", "EV_IPL_PARTITION_DATA", "EV_NONHOST_CODE", "EV_NONHOST_CONFIG", "EV_NONHOST_INFO",
		"EV_OMIT_BOOT_DEVICE_EVENTS"
	};
	static const char *const efi[] = {
		"EV_EFI_EVENT_BASE", "EV_EFI_VARIABLE_DRIVER_CONFIG", "EV_EFI_VARIABLE_BOOT", "EV_EFI_BOOT_SERVICES_APPLICATION",
		"EV_EFI_BOOT_SERVICES_DRIVER", "EV_EFI_RUNTIME_SERVICES_DRIVER", "EV_EFI_GPT_EVENT", "EV_EFI_ACTION",
		"EV_EFI_PLATFORM_FIRMWARE_BLOB", "EV_EFI_HANDOFF_TABLES", "EV_EFI_PLATFORM_FIRMWARE_BLOB2", "EV_EFI_HANDOFF_TABLES2",
		"EV_EFI_VARIABLE_BOOT2"
	};

	if (type < sizeof low / sizeof low[0])
		return low[type];
	if (type >= EV_EFI(0) && type - EV_EFI(0) < sizeof efi / sizeof efi[0])
		return efi[type - EV_EFI(0)];
	switch (type) {
	case EV_EFI_HCRTM_EVENT:
		return "EV_EFI_HCRTM_EVENT";
	case EV_EFI_VARIABLE_AUTHORITY:
		return "EV_EFI_VARIABLE_AUTHORITY";
	case EV_EFI_SPDM_FIRMWARE_BLOB:
		return "EV_EFI_SPDM_FIRMWARE_BLOB";
	case EV_EFI_SPDM_FIRMWARE_CONFIG:
		return "EV_EFI_SPDM_FIRMWARE_CONFIG";
	}
	return NULL;
}

void reg_name(struct buf *to, uint32_t reg, bool cc)
{
	if (!cc)
		buf_printf(to, "PCR %u", reg);
	else if (reg == 0)
		buf_puts(to, "MRTD");
	else
		buf_printf(to, "RTMR%u", reg - 1);
}

void event_name(struct buf *to, const struct log_event *ev, bool cc)
{
	const char *t = ev->from == LOG_IMA ? "IMA" : event_type_name(ev->type);

	buf_printf(to, "%s %u (", ev->from == LOG_AAEL ? "AAEL entry" : ev->from == LOG_IMA ? "IMA entry" : "event", ev->number);
	if (t)
		buf_printf(to, "%s, ", t);
	else
		buf_printf(to, "type 0x%x, ", ev->type);
	reg_name(to, ev->reg, cc);
	buf_puts(to, ")");
}
