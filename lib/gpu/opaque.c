/* SPDX-License-Identifier: Apache-2.0 */
/* Opaque data of reports: see spdm.h. */

#include "base/cursor.h"
#include "gpu/spdm.h"

#define NEWEST_MAJOR 2

static const struct {
	uint16_t type;
	bool used;		/* by checks or claims: may not be there twice */
	const char *name;
} names[] = {
	{ 1, false, "certificate issuer" },
	{ 2, false, "authority key id" },
	{ OPAQUE_DRIVER, true, "driver version" },
	{ OPAQUE_GPU_INFO, true, "GPU info" },
	{ OPAQUE_SKU, true, "SKU" },
	{ OPAQUE_VBIOS, true, "VBIOS version" },
	{ 7, false, "manufacturer id" },
	{ 8, false, "tamper detection" },
	{ 9, false, "SMC" },
	{ 10, false, "VPR" },
	{ OPAQUE_NVDEC0, true, "NVDEC0 status" },
	{ OPAQUE_COUNTERS, true, "measurement counters" },
	{ OPAQUE_CPR, true, "CPR info" },
	{ OPAQUE_BOARD_ID, true, "board id" },
	{ OPAQUE_CHIP_SKU, true, "chip SKU" },
	{ OPAQUE_CHIP_SKU_MOD, true, "chip SKU modifier" },
	{ OPAQUE_PROJECT, true, "project" },
	{ OPAQUE_PROJECT_SKU, true, "project SKU" },
	{ OPAQUE_PROJECT_SKU_MOD, true, "project SKU modifier" },
	{ OPAQUE_FWID, true, "FWID" },
	{ OPAQUE_PPCIE, true, "protected PCIe status" },
	{ OPAQUE_PDIS, true, "device identities (PDI)" },
	{ 23, false, "disabled ports" },
	{ 24, false, "switch position" },
	{ 25, false, "switch lock status" },
	{ OPAQUE_SWITCH_GPU_PDIS, true, "GPU identities (PDI) and ports" },
	{ 27, false, "switch ports" },
	{ 32, false, "GPU link connections" },
	{ 33, false, "system enable status" },
	{ OPAQUE_VERSION, true, "opaque data version" },
	{ OPAQUE_CHIP_INFO, true, "chip info" },
	{ OPAQUE_FEATURE, true, "feature flag" },
	{ OPAQUE_FSP_SVN, true, "FSP microcode SVN" },
	{ OPAQUE_NVLE, true, "NVLE status" },
	{ OPAQUE_INVALID, false, "invalid" },
};

static int find_name(uint16_t type)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].type == type)
			return (int)i;
	return -1;
}

const char *opaque_name(uint16_t type)
{
	const int i = find_name(type);

	return i < 0 ? NULL : names[i].name;
}

const struct opaque_entry *opaque_find(const struct opaque *o, enum opaque_type t)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].type == t)
			return &o->v[i];
	return NULL;
}

static int add(struct opaque *o, struct opaque_entry x, struct err *e)
{
	const int i = find_name(x.type);

	if (o->n == OPAQUE_ENTRIES_MAX)
		return err_set(e, EC_FORMAT, "opaque data has more than %d entries", OPAQUE_ENTRIES_MAX);
	if (i >= 0 && names[i].used && opaque_find(o, (enum opaque_type)x.type))
		return err_set(e, EC_FORMAT, "opaque data has type %u (%s) twice", x.type, names[i].name);
	o->v[o->n++] = x;
	return 0;
}

/* "NVDAOD", profile, major, minor, patch, padding */
static int read_version(struct opaque *o, struct rd *r, struct err *e)
{
	uint16_t profile;

	rd_skip(r, 6);
	profile = rd_le16(r);
	o->versioned = true;
	o->major = rd_u8(r);
	o->minor = rd_u8(r);
	o->patch = rd_u8(r);
	rd_skip(r, 1);
	if (r->bad)
		return err_set(e, EC_FORMAT, "opaque data ends inside its 12-byte head");
	if (profile != 0)
		return err_set(e, EC_FORMAT, "opaque data has profile %u, newer than this version: it reads profile 0", profile);
	if (o->major > NEWEST_MAJOR)
		return err_set(e, EC_FORMAT, "opaque data is of version %u.%u.%u, newer than this version: it reads up to %d", o->major, o->minor,
			       o->patch, NEWEST_MAJOR);
	return 0;
}

static bool is_versioned(struct slice raw)
{
	return raw.n >= 6 && !memcmp(raw.p, "NVDAOD", 6);
}

int opaque_parse(struct opaque *ret, struct slice raw, struct err *e)
{
	struct rd r = rd_of(raw);
	struct opaque o = { 0 };

	if (is_versioned(raw) && read_version(&o, &r, e))
		return -1;
	while (rd_left(&r)) {
		struct opaque_entry x = { .type = rd_le16(&r), .value_type = o.versioned ? rd_le16(&r) : 0 };

		x.data = rd_take(&r, rd_le16(&r));
		if (r.bad)
			return err_set(e, EC_FORMAT, "opaque data ends inside entry %zu", o.n);
		if (add(&o, x, e))
			return -1;
	}
	*ret = o;
	return 0;
}
