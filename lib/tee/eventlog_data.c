/* SPDX-License-Identifier: Apache-2.0 */
/* What an event's digest says about its data (cpu-tee.md 5.3 and 5.4).  Replay proves digests only; labels and texts count
 * where the digest covers them. */

#include <string.h>

#include "tee/eventlog_int.h"

struct judge {
	enum hash alg;
	bool cc;
	struct err *e;
	bool broken;			/* a digest could not be computed */
	struct slice section;		/* data of the event before, if that was the name of a section */
};

static bool covers(struct judge *j, const struct log_event *ev, struct slice data)
{
	uint8_t d[HASH_MAX];

	if (!ev->digest[j->alg])
		return false;
	if (hash_of(d, j->alg, data, j->e)) {
		j->broken = true;
		return false;
	}
	return !memcmp(d, ev->digest[j->alg], hash_size(j->alg));
}

/* The data and up to two zero bytes more. */
static bool covers_padded(struct judge *j, const struct log_event *ev, size_t zeros)
{
	AUTO_BUF b = { 0 };

	buf_slice(&b, ev->data);
	buf_fill(&b, 0, zeros);
	if (buf_check(&b, j->e)) {
		j->broken = true;
		return false;
	}
	return covers(j, ev, buf_view(&b));
}

static void must(struct log_event *ev, bool holds)
{
	ev->proof = holds ? PROVED : CONTRADICTED;
}

bool variable_read(struct variable *ret, struct slice data)
{
	struct rd r = rd_of(data);
	struct variable v;
	uint64_t name, value;

	v.guid = rd_take(&r, 16);
	name = rd_le64(&r);
	value = rd_le64(&r);
	if (r.bad || name > rd_left(&r) / 2)
		return false;
	v.name = rd_take(&r, (size_t)name * 2);
	if (value > rd_left(&r))
		return false;
	v.value = rd_take(&r, (size_t)value);
	*ret = v;
	return !r.bad;
}

bool utf16_eq(struct slice utf16, const char *ascii)
{
	if (utf16.n != 2 * strlen(ascii))
		return false;
	for (size_t i = 0; i < utf16.n; i += 2)
		if (utf16.p[i] != (uint8_t)ascii[i / 2] || utf16.p[i + 1])
			return false;
	return true;
}

static uint32_t utf16_next(struct slice s, size_t *i)
{
	const uint32_t u = get_le16(s.p + *i);
	uint32_t low;

	*i += 2;
	if (u < 0xd800 || u > 0xdfff)
		return u;
	if (u > 0xdbff || *i + 2 > s.n)
		return 0xfffd;
	low = get_le16(s.p + *i);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*i += 2;
	return 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
}

void utf16_to_utf8(struct buf *to, struct slice s)
{
	for (size_t i = 0; i + 2 <= s.n;) {
		const uint32_t c = utf16_next(s, &i);

		if (c < 0x80) {
			buf_byte(to, (uint8_t)c);
		} else if (c < 0x800) {
			buf_byte(to, (uint8_t)(0xc0 | c >> 6));
			buf_byte(to, (uint8_t)(0x80 | (c & 0x3f)));
		} else if (c < 0x10000) {
			buf_byte(to, (uint8_t)(0xe0 | c >> 12));
			buf_byte(to, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
			buf_byte(to, (uint8_t)(0x80 | (c & 0x3f)));
		} else {
			buf_byte(to, (uint8_t)(0xf0 | c >> 18));
			buf_byte(to, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
			buf_byte(to, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
			buf_byte(to, (uint8_t)(0x80 | (c & 0x3f)));
		}
	}
}

static uint32_t utf8_next(struct slice s, size_t *i)
{
	const uint8_t b = s.p[(*i)++];
	const size_t more = b < 0x80 ? 0 : (b & 0xe0) == 0xc0 ? 1 : (b & 0xf0) == 0xe0 ? 2 : (b & 0xf8) == 0xf0 ? 3 : 4;
	uint32_t c = more == 0 ? b : more == 1 ? b & 0x1f : more == 2 ? b & 0x0f : b & 0x07;

	if (more == 4 || more > s.n - *i)
		return 0xfffd;
	for (size_t k = 0; k < more; k++)
		if ((s.p[*i + k] & 0xc0) != 0x80)
			return 0xfffd;
	for (size_t k = 0; k < more; k++)
		c = c << 6 | (s.p[(*i)++] & 0x3f);
	return c > 0x10ffff ? 0xfffd : c;
}

void utf8_to_utf16(struct buf *to, struct slice s)
{
	for (size_t i = 0; i < s.n;) {
		const uint32_t c = utf8_next(s, &i);

		if (c < 0x10000) {
			buf_le16(to, (uint16_t)c);
		} else {
			buf_le16(to, (uint16_t)(0xd800 | (c - 0x10000) >> 10));
			buf_le16(to, (uint16_t)(0xdc00 | ((c - 0x10000) & 0x3ff)));
		}
	}
}

/* Boot variables: EDK2 hashes the value alone, others the whole structure. */
static void judge_variable(struct judge *j, struct log_event *ev, bool value_alone)
{
	struct variable v;

	ev->meaning = MEANS_VARIABLE;
	must(ev, covers(j, ev, ev->data) || (value_alone && variable_read(&v, ev->data) && covers(j, ev, v.value)));
}

static bool starts(struct slice s, const char *text)
{
	return s.n >= strlen(text) && !memcmp(s.p, text, strlen(text));
}

/* GRUB: text behind a prefix, up to a NUL.  Old Red Hat builds count that NUL in for commands, and log one byte too many. */
static bool judge_grub(struct judge *j, struct log_event *ev)
{
	static const struct { const char *prefix; bool with_nul; enum meaning meaning; } forms[] = {
		{ "grub_cmd: ", false, MEANS_GRUB_COMMAND }, { "kernel_cmdline: ", false, MEANS_CMDLINE },
		{ "module_cmdline: ", false, MEANS_GRUB_COMMAND }, { "grub_cmd ", true, MEANS_GRUB_COMMAND },
		{ "grub_kernel_cmdline ", false, MEANS_CMDLINE }
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		const size_t at = strlen(forms[i].prefix);
		size_t n;

		if (!starts(ev->data, forms[i].prefix))
			continue;
		for (n = at; n < ev->data.n && ev->data.p[n]; n++)
			;
		ev->meaning = forms[i].meaning;
		ev->text = slice_of(ev->data.p + at, n - at);
		must(ev, n < ev->data.n && ev->data.n - n <= 2 && covers(j, ev, slice_of(ev->text.p, ev->text.n + forms[i].with_nul)));
		return true;
	}
	return false;
}

/* More than half of the upper bytes are zero: text in UTF-16LE, of the languages that command lines are in. */
static bool is_utf16(struct slice s)
{
	size_t zero = 0;

	for (size_t i = 1; i < s.n; i += 2)
		zero += s.p[i] == 0;
	return s.n >= 4 && zero > s.n / 4;
}

/* The name of a section in UTF-16 with its NUL, as ASCII with NUL in ret; its length counts the NUL. */
static size_t section_name(char ret[static 16], struct slice data)
{
	const size_t n = data.n / 2;

	if (n < 2 || n > 16 || data.n % 2 || get_le16(data.p + data.n - 2))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (data.p[2 * i + 1])
			return 0;
		ret[i] = (char)data.p[2 * i];
	}
	return n;
}

/* systemd-stub: two events a section, both with its name in UTF-16 as data; the first is over the name in ASCII with NUL, the second
 * over the content. */
static bool judge_section(struct judge *j, struct log_event *ev)
{
	const bool own = !j->cc && ev->reg == 11;	/* a register for these alone */
	const struct slice before = j->section;
	char name[16];
	const size_t n = section_name(name, ev->data);

	if (n == 0 || (name[0] != '.' && !own))
		return false;
	j->section = (struct slice){ 0 };
	ev->text = slice_of(ev->data.p, ev->data.n - 2);
	ev->utf16 = true;
	if (covers(j, ev, slice_of(name, n))) {
		ev->meaning = MEANS_SECTION_NAME;
		ev->proof = PROVED;
		j->section = ev->data;
		return true;
	}
	ev->meaning = strcmp(name, ".cmdline") ? MEANS_SECTION : MEANS_CMDLINE_DIGEST;
	if (!before.n || !slice_eq(before, ev->data))
		ev->proof = CONTRADICTED;
	return true;
}

/* systemd-boot, systemd-stub: the command line in UTF-16 with its NUL; the logged data may lack one byte of it, or two. */
static void judge_utf16(struct judge *j, struct log_event *ev)
{
	size_t n = ev->data.n - ev->data.n % 2;

	ev->meaning = MEANS_CMDLINE;
	ev->utf16 = true;
	must(ev, covers(j, ev, ev->data) || covers_padded(j, ev, 1) || covers_padded(j, ev, 2));
	while (n >= 2 && get_le16(ev->data.p + n - 2) == 0)
		n -= 2;
	ev->text = slice_of(ev->data.p, n);
}

static void judge_ipl(struct judge *j, struct log_event *ev)
{
	const uint32_t cmdline = j->cc ? 3 : 8;

	if (judge_grub(j, ev) || judge_section(j, ev))
		return;
	if ((ev->reg == cmdline || (!j->cc && ev->reg == 12)) && is_utf16(ev->data)) {
		judge_utf16(j, ev);
		/* systemd-stub also measures credentials and extensions there, with their description as data */
		if (ev->proof == CONTRADICTED && (j->cc || ev->reg == 12)) {
			ev->proof = UNCHECKED;
			ev->meaning = MEANS_NOTHING;
		}
		return;
	}
	ev->meaning = MEANS_FILE;
	if (covers(j, ev, ev->data))
		ev->proof = PROVED;
	else if (!j->cc && (ev->reg == 8 || ev->reg == 11))	/* only texts and sections go there: files go to PCR 9, MOK lists to 14 */
		ev->proof = CONTRADICTED;
}

#define TAG_AAEL UINT32_C(0x4141454c)
#define TAG_LOAD_OPTIONS UINT32_C(0x8f3b22ed)
#define LOAD_OPTIONS "LOADED_IMAGE::LoadOptions"

static void judge_tag(struct judge *j, struct log_event *ev)
{
	struct rd r = rd_of(ev->data);
	const uint32_t id = rd_le32(&r);
	const struct slice text = rd_take(&r, rd_le32(&r));

	if (id == TAG_AAEL && !r.bad && rd_left(&r) == 0) {
		ev->meaning = MEANS_AAEL;
		ev->text = text;
		must(ev, covers(j, ev, ev->data));
	} else if (ev->from == LOG_AAEL || (j->cc ? ev->reg == 4 : ev->reg >= 16)) {	/* where agents measure what they log */
		must(ev, covers(j, ev, ev->data));
	} else if ((id == TAG_LOAD_OPTIONS && starts(text, LOAD_OPTIONS)) || starts(ev->data, LOAD_OPTIONS)) {
		ev->meaning = MEANS_CMDLINE_DIGEST;
	} else if (covers(j, ev, ev->data)) {
		ev->proof = PROVED;
	}
}

static void judge_ima(struct judge *j, struct log_event *ev)
{
	uint8_t old[20 + 256] = { 0 };
	struct judge sha1 = *j;

	if (ev->violation)
		return;
	sha1.alg = HASH_SHA1;
	if (ev->old_ima) {
		memcpy(old, ev->data.p, 20);
		memcpy(old + 20, ev->data.p + 24, ev->data.n - 24);
		must(ev, covers(&sha1, ev, slice_of(old, sizeof old)));
	} else {
		must(ev, covers(&sha1, ev, ev->data));
	}
	j->broken |= sha1.broken;
}

static void judge_one(struct judge *j, struct log_event *ev)
{
	switch (ev->type) {
	case EV_NO_ACTION:
		break;
	case EV_SEPARATOR:
	case EV_ACTION:
	case EV_NONHOST_INFO:
	case EV_EFI_GPT_EVENT:
	case EV_EFI_ACTION:
	case EV_EFI_SPDM_FIRMWARE_BLOB:
	case EV_EFI_SPDM_FIRMWARE_CONFIG:
		must(ev, covers(j, ev, ev->data));
		break;
	case EV_EFI_VARIABLE_DRIVER_CONFIG:
	case EV_EFI_VARIABLE_BOOT2:
		judge_variable(j, ev, false);
		break;
	case EV_EFI_VARIABLE_BOOT:
	case EV_EFI_VARIABLE_AUTHORITY:		/* old shims hash the value alone */
		judge_variable(j, ev, true);
		break;
	case EV_EFI_HCRTM_EVENT:
		must(ev, covers(j, ev, SLICE("HCRTM")));
		break;
	case EV_IPL:
		judge_ipl(j, ev);
		break;
	case EV_EVENT_TAG:
		judge_tag(j, ev);
		break;
	default:
		if (event_is_image(ev))
			ev->meaning = MEANS_IMAGE;
		else if (covers(j, ev, ev->data))
			ev->proof = PROVED;
	}
}

int events_judge(struct log_events *l, enum hash alg, bool cc, struct err *e)
{
	struct judge j = { .alg = alg, .cc = cc, .e = e };

	for (size_t i = 0; i < l->n && !j.broken; i++) {
		struct log_event *ev = &l->v[i];

		ev->proof = UNCHECKED;
		ev->meaning = MEANS_NOTHING;
		if (ev->from == LOG_IMA)
			judge_ima(&j, ev);
		else if (ev->digest[alg])
			judge_one(&j, ev);
	}
	return j.broken ? -1 : 0;
}
