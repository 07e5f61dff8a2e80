/* SPDX-License-Identifier: Apache-2.0 */
/* TDREPORT (cpu-tee.md 2.5): see tdx.h. */

#include "base/cursor.h"
#include "crypto/hash.h"
#include "tee/tdx.h"

static const struct { const char *name; uint16_t at, n; } parts[] = {
	{ "report_type", 0, 4 }, { "cpusvn", 16, 16 }, { "tee_tcb_info_hash", 32, 48 }, { "tee_info_hash", 80, 48 }, { "report_data", 128, 64 },
	{ "mac", 224, 32 }, { "valid", 256, 8 }, { "tcb_svn", 264, 16 }, { "mr_seam", 280, 48 }, { "mrsigner_seam", 328, 48 },
	{ "seam_attributes", 376, 8 }, { "tee_tcb_svn2", 384, 16 }, { "td_attributes", 512, 8 }, { "xfam", 520, 8 }, { "mr_td", 528, 48 },
	{ "mr_config_id", 576, 48 }, { "mr_owner", 624, 48 }, { "mr_owner_config", 672, 48 }, { "rtmr_0", 720, 48 }, { "rtmr_1", 768, 48 },
	{ "rtmr_2", 816, 48 }, { "rtmr_3", 864, 48 }, { "mr_servicetd", 912, 48 },
};

static bool digest_is(struct slice raw, size_t at, size_t from, size_t n)
{
	uint8_t d[48];
	struct err e = { 0 };

	return !hash_of(d, HASH_SHA384, slice_of(raw.p + from, n), &e) && !memcmp(d, raw.p + at, sizeof d);
}

bool tdx_report_looks_like(struct slice raw)
{
	return raw.n == TDX_REPORT_SIZE && raw.p[0] == TDX_TEE_TYPE && raw.p[1] == 0 && raw.p[2] <= 1 && raw.p[3] == 0 &&
	       digest_is(raw, 32, 256, 239) && digest_is(raw, 80, 512, 512);
}

int tdx_report_describe(struct json *to, struct slice raw, struct err *e)
{
	if (raw.n != TDX_REPORT_SIZE)
		return err_set(e, EC_FORMAT, "TDREPORT is %zu bytes, wanted %d", raw.n, TDX_REPORT_SIZE);
	json_add_str(to, "format", "TDX TDREPORT (for the machine itself: its MAC proves nothing elsewhere)");
	json_add_u64(to, "version", raw.p[2]);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		json_add_hex(to, parts[i].name, slice_of(raw.p + parts[i].at, parts[i].n));
	json_add_bool(to, "debug", get_le64(raw.p + 512) & TDX_TD_DEBUG);
	json_add_bool(to, "tee_tcb_info_hash_matches", digest_is(raw, 32, 256, 239));
	json_add_bool(to, "tee_info_hash_matches", digest_is(raw, 80, 512, 512));
	return 0;
}
