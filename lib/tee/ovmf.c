/* SPDX-License-Identifier: Apache-2.0 */
/* Footer table and metadata of firmware images: see ovmf.h. */

#include "base/cursor.h"
#include "tee/ovmf.h"

#define BEHIND_TABLE 32			/* the reset vector's bytes */
#define ENTRY_HEAD (2 + 16)		/* size and GUID, which stand behind the entry's data */
#define GIB ((uint64_t)1 << 30)

static const char guid_footer[] = "96b582de-1fb2-45f7-baea-a366c55a082d";
static const char guid_tdvf[] = "e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae";	/* in front of the TDX descriptor */

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

void guid_efi(uint8_t ret[static 16], const char *text)
{
	static const uint8_t at[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };	/* the first three fields are integers */

	for (size_t i = 0; i < 16; i++, text += 2) {
		if (*text == '-')
			text++;
		ret[at[i]] = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
	}
}

static bool is_guid(const uint8_t *p, const char *text)
{
	uint8_t g[16];

	guid_efi(g, text);
	return !memcmp(p, g, sizeof g);
}

/* One u32 of an entry that may stand there once. */
static int take_word(uint32_t *ret, bool *has, struct slice data, const char *what, struct err *e)
{
	if (*has)
		return err_set(e, EC_FORMAT, "the firmware's table names %s twice", what);
	if (data.n < 4)
		return err_set(e, EC_FORMAT, "the firmware's entry for %s has %zu bytes, wanted at least 4", what, data.n);
	*has = true;
	*ret = get_le32(data.p);
	return 0;
}

static int take_entry(struct ovmf *o, const uint8_t *guid, struct slice data, struct err *e)
{
	if (is_guid(guid, "7255371f-3a3b-4b04-927b-1da6efa8d454"))
		return take_word(&o->hash_table_gpa, &o->has_hash_table, data, "the hash table", e);
	if (is_guid(guid, "00f771de-1a7e-4fcb-890e-68c77e2fb44e"))
		return take_word(&o->reset_eip, &o->has_reset, data, "the reset block", e);
	if (is_guid(guid, "dc886566-984a-4798-a75e-5585a7bf67cc"))
		return take_word(&o->sev_from_end, &o->has_sev, data, "the SEV metadata", e);
	if (is_guid(guid, "e47a6535-984a-4798-865e-4685a7bf8ec2"))
		return take_word(&o->tdx_from_end, &o->has_tdx, data, "the TDX metadata", e);
	if (is_guid(guid, "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd"))
		return take_word(&o->svsm_entry, &o->has_svsm, data, "the SVSM's entry point", e);
	return 0;	/* others are for other readers */
}

/* Backwards: the footer entry covers the whole table, and each entry tells its size at its end. */
static int walk_table(struct ovmf *o, struct err *e)
{
	const uint8_t *end = o->image.p + o->image.n - BEHIND_TABLE;
	size_t left, size;

	if (o->image.n < BEHIND_TABLE + ENTRY_HEAD || !is_guid(end - 16, guid_footer))
		return 0;
	left = get_le16(end - ENTRY_HEAD);
	if (left < ENTRY_HEAD || left > o->image.n - BEHIND_TABLE)
		return err_set(e, EC_FORMAT, "the firmware's table says it has %zu bytes, in an image of %zu", left, o->image.n);
	end -= ENTRY_HEAD;
	left -= ENTRY_HEAD;
	while (left >= ENTRY_HEAD) {
		size = get_le16(end - ENTRY_HEAD);
		if (size < ENTRY_HEAD || size > left)
			return err_set(e, EC_FORMAT, "an entry of the firmware's table says %zu bytes, where %zu are left", size, left);
		if (take_entry(o, end - 16, slice_of(end - size, size - ENTRY_HEAD), e))
			return -1;
		end -= size;
		left -= size;
	}
	return 0;
}

int ovmf_parse(struct ovmf *ret, struct slice image, struct err *e)
{
	struct ovmf o = { .image = image };

	if (image.n == 0 || image.n % OVMF_PAGE || image.n > OVMF_MAX)
		return err_set(e, EC_FORMAT, "firmware image has %zu bytes, wanted a multiple of %d up to %zu MiB", image.n, OVMF_PAGE,
			       OVMF_MAX >> 20);
	if (walk_table(&o, e))
		return -1;
	*ret = o;
	return 0;
}

uint64_t ovmf_base(const struct ovmf *o)
{
	return 4 * GIB - o->image.n;
}

/* A cursor on the metadata that stands from_end bytes before the end of the image. */
static int metadata_at(struct rd *ret, const struct ovmf *o, uint32_t from_end, const char *what, struct err *e)
{
	if (from_end == 0 || from_end > o->image.n)
		return err_set(e, EC_FORMAT, "%s metadata stands %u bytes before the end of an image of %zu", what, from_end, o->image.n);
	*ret = rd_of(slice_of(o->image.p + o->image.n - from_end, from_end));
	return 0;
}

/* Magic, length, version 1, count: 16 bytes in both forms.  The items have to fit into the stated length. */
static int metadata_head(size_t *n, struct rd *r, const char *magic, size_t item, const char *what, struct err *e)
{
	const struct slice m = rd_take(r, 4);
	const uint32_t length = rd_le32(r), version = rd_le32(r), count = rd_le32(r);

	if (r->bad || memcmp(m.p, magic, 4))
		return err_set(e, EC_FORMAT, "%s metadata does not begin with '%s'", what, magic);
	if (version != 1)
		return err_set(e, EC_FORMAT, "%s metadata is of version %u, wanted 1", what, version);
	if (count > OVMF_SECTIONS)
		return err_set(e, EC_FORMAT, "%s metadata has %u sections, the most is %d", what, count, OVMF_SECTIONS);
	if (length < 16 || (length - 16) / item < count || rd_left(r) / item < count)
		return err_set(e, EC_FORMAT, "%s metadata of %u bytes cannot hold %u sections", what, length, count);
	*n = count;
	return 0;
}

static bool sev_type_known(uint32_t t)
{
	return (t >= OVMF_SEV_MEM && t <= OVMF_SEV_SVSM_CAA) || t == OVMF_SEV_KERNEL_HASHES;
}

int ovmf_sev(struct ovmf_sev *ret, const struct ovmf *o, struct err *e)
{
	struct ovmf_sev s = { .n = 0 };
	uint64_t all = 0;
	struct rd r;
	size_t n = 0;

	if (o->has_sev && (metadata_at(&r, o, o->sev_from_end, "SEV", e) || metadata_head(&n, &r, "ASEV", 12, "SEV", e)))
		return -1;
	for (; s.n < n; s.n++) {
		struct ovmf_sev_item *i = &s.v[s.n];

		i->gpa = rd_le32(&r);
		i->size = rd_le32(&r);
		i->type = rd_le32(&r);
		if (!sev_type_known(i->type))
			return err_set(e, EC_FORMAT, "SEV metadata section %zu is of the unknown type 0x%x", s.n, i->type);
		if (i->gpa % OVMF_PAGE || i->size % OVMF_PAGE)
			return err_set(e, EC_FORMAT, "SEV metadata section %zu (0x%x, 0x%x bytes) is not page aligned", s.n, i->gpa, i->size);
		all += i->size;
	}
	if (all > GIB)
		return err_set(e, EC_FORMAT, "SEV metadata sections have %llu MiB in all, the most is 1024", (unsigned long long)(all >> 20));
	*ret = s;
	return 0;
}

static int tdx_section(struct ovmf_tdx_section *s, const struct ovmf *o, struct rd *r, size_t i, struct err *e)
{
	const uint32_t offset = rd_le32(r), raw = rd_le32(r);

	s->gpa = rd_le64(r);
	s->size = rd_le64(r);
	s->type = rd_le32(r);
	s->attributes = rd_le32(r);
	if (s->type > OVMF_TDX_PAYLOAD_PARAM || s->attributes & ~(OVMF_TDX_EXTEND | OVMF_TDX_AUG))
		return err_set(e, EC_FORMAT, "TDX metadata section %zu is of the unknown type %u, attributes 0x%x", i, s->type, s->attributes);
	if (s->gpa % OVMF_PAGE || s->size % OVMF_PAGE || s->size > UINT64_MAX - s->gpa)
		return err_set(e, EC_FORMAT, "TDX metadata section %zu (0x%llx, 0x%llx bytes) is not page aligned", i,
			       (unsigned long long)s->gpa, (unsigned long long)s->size);
	if (raw > s->size)
		return err_set(e, EC_FORMAT, "TDX metadata section %zu has %u bytes of content for %llu of memory", i, raw,
			       (unsigned long long)s->size);
	if (raw && (offset > o->image.n || raw > o->image.n - offset)) {
		err_set(e, EC_FORMAT, "TDX metadata section %zu (%u bytes at %u) lies outside the image of %zu bytes", i, raw, offset,
			o->image.n);
		return err_hint(e, "take the whole image (OVMF.fd), not its code part (OVMF_CODE.fd)");
	}
	if (s->attributes & OVMF_TDX_EXTEND && s->attributes & OVMF_TDX_AUG)
		return err_set(e, EC_FORMAT, "TDX metadata section %zu is to be measured, and not part of the launch", i);
	s->data = raw ? slice_of(o->image.p + offset, raw) : (struct slice){ 0 };
	return 0;
}

int ovmf_tdx(struct ovmf_tdx *ret, const struct ovmf *o, struct err *e)
{
	struct ovmf_tdx t = { .n = 0 };
	uint64_t all = 0;
	struct rd r;
	size_t n;

	if (!o->has_tdx) {
		err_set(e, EC_FORMAT, "the firmware image has no TDX metadata");
		return err_hint(e, "is it built for TDX (OvmfPkg/IntelTdx, or OvmfPkgX64 since 2022)?");
	}
	if (metadata_at(&r, o, o->tdx_from_end, "TDX", e))
		return -1;
	if (o->tdx_from_end > o->image.n - 16 || !is_guid(r.p - 16, guid_tdvf))
		return err_set(e, EC_FORMAT, "TDX metadata is not preceded by its GUID");
	if (metadata_head(&n, &r, "TDVF", 32, "TDX", e))
		return -1;
	for (; t.n < n; t.n++) {
		if (tdx_section(&t.v[t.n], o, &r, t.n, e))
			return -1;
		if (t.v[t.n].attributes & OVMF_TDX_AUG)
			continue;
		if (t.v[t.n].size > 4 * GIB - all)
			return err_set(e, EC_FORMAT, "TDX metadata sections have over 4 GiB in all");
		all += t.v[t.n].size;
	}
	*ret = t;
	return 0;
}
