/* SPDX-License-Identifier: Apache-2.0 */
/* Reference manifests made here: what they demand, who may say so, and everything that makes one unusable. */

#include <stdlib.h>

#include "codec/hex64.h"
#include "codec/json.h"
#include "gpu/nv_roots.h"
#include "gpu/nvchain.h"
#include "rim_maker.h"
#include "test.h"

static void open_rim(struct rim *r, const struct rim_make *m)
{
	AUTO_BUF b = { 0 };

	rim_make(&b, m);
	WORKS(rim_parse(r, buf_view(&b), &e));
}

TEST(rim_says_what_it_demands)
{
	static const uint8_t three[3][48] = { { 1 }, { 2 }, { 3 } };
	static const struct rim_make_golden golden[] = { { .index = 0 }, { .index = 35, .hash = three, .n = 3 }, { .index = 63, .n = 64 },
							 { .index = 9, .n = 2, .inactive = true } };
	static const struct rim_make_svn svn[] = { { .opaque_type = 38, .min = 7, .name = "fmc", .publish = true }, { .opaque_type = 39, .min = 0 },
						   { .opaque_type = 40, .min = 9, .inactive = true } };
	AUTO_RIM r = { 0 };
	int64_t from, until;

	open_rim(&r, &(const struct rim_make){ .version = "580.95.05", .tag_id = "abc", .golden = golden, .n_golden = 4, .svn = svn, .n_svn = 3 });
	STR(r.name, "GH100");
	STR(r.product, "GH100");
	STR(r.edition, "GPU");
	STR(r.version, "580.95.05");
	STR(r.tag_id, "abc");
	STR(r.oemid, "5703");
	EQ(r.n_active, 3);
	OK(!r.newer);
	for (size_t i = 0; i < RIM_INDEXES; i++)
		OK(r.golden[i].there);
	OK(r.golden[0].active && r.golden[0].n == 1 && r.golden[0].hash[0][0] == 0xee);
	OK(r.golden[35].active && r.golden[35].n == 3 && !memcmp(r.golden[35].hash, three, sizeof three));
	OK(r.golden[63].n == 64 && r.golden[63].hash[63][47] == (0xee + 63) % 256);
	OK(!r.golden[9].active && r.golden[9].n == 2);
	OK(!r.golden[1].active);
	STR(r.golden[35].name, "Measurement_35");
	EQ(r.n_svn, 2);
	OK(r.svn[0].active && r.svn[0].publish && r.svn[0].opaque_type == 38 && r.svn[0].min == 7);
	STR(r.svn[0].name, "fmc");
	OK(r.svn[1].opaque_type == 39 && !r.svn[1].publish && r.svn[1].min == 0);
	WORKS(rim_chain(&r, rim_maker_root(), &e));
	WORKS(rim_dates(&r, RIM_MAKER_NOW, &e));
	WORKS(rim_signed(&r, &e));
	rim_window(&from, &until, &r);
	EQ(from, RIM_MAKER_NOW - 30 * RIM_MAKER_DAY);
	EQ(until, RIM_MAKER_NOW + 30 * RIM_MAKER_DAY);
}
