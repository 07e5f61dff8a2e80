/* SPDX-License-Identifier: Apache-2.0 */
/* Where a CCEL data area ends (cpu-tee.md 5.2): firmware reserves far more than it writes. */

#include "base/cursor.h"
#include "tee/tdx.h"

#define EV_NO_ACTION 3
#define ALGS_MAX 16

struct algs {
	struct { uint16_t id, size; } v[ALGS_MAX];
	size_t n;
};

/* The first event stands in the old form and lists the digest sizes of those behind it. */
static int spec_id(struct algs *ret, struct rd *r, struct err *e)
{
	static const char sig[16] = "Spec ID Event03";
	struct rd d;
	uint32_t n;

	rd_skip(r, 4);
	if (rd_le32(r) != EV_NO_ACTION)
		r->bad = true;
	rd_skip(r, 20);
	d = rd_of(rd_take(r, rd_le32(r)));
	if (r->bad || !slice_eq(rd_take(&d, sizeof sig), slice_of(sig, sizeof sig)))
		return err_set(e, EC_FORMAT, "event log does not begin with a 'Spec ID Event03'");
	rd_skip(&d, 8);
	n = rd_le32(&d);
	if (d.bad || n == 0 || n > ALGS_MAX)
		return err_set(e, EC_FORMAT, "event log lists %u digest algorithms, wanted 1 to %d", n, ALGS_MAX);
	for (ret->n = 0; ret->n < n; ret->n++) {
		ret->v[ret->n].id = rd_le16(&d);
		ret->v[ret->n].size = rd_le16(&d);
	}
	return d.bad ? err_set(e, EC_FORMAT, "event log ends inside its list of algorithms") : 0;
}

static void digest(struct rd *r, const struct algs *a)
{
	const uint16_t id = rd_le16(r);

	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].id == id) {
			rd_skip(r, a->v[i].size);
			return;
		}
	r->bad = true;
}

static bool at_end(struct rd r)
{
	const struct slice rest = rd_rest(&r);
	uint8_t any = 0;

	if (rest.n == 0)
		return true;
	if (rest.n >= 4 && get_le32(rest.p) == UINT32_C(0xffffffff))
		return true;
	for (size_t i = 0; i < rest.n; i++)
		any |= rest.p[i];
	return any == 0;
}

int ccel_trim(struct slice *ret, struct slice area, struct err *e)
{
	struct rd r = rd_of(area);
	struct algs a = { 0 };

	if (spec_id(&a, &r, e))
		return -1;
	while (!at_end(r)) {
		uint32_t count;

		rd_skip(&r, 8);		/* register, type */
		count = rd_le32(&r);
		if (count > a.n)
			r.bad = true;
		for (uint32_t i = 0; i < count && !r.bad; i++)
			digest(&r, &a);
		rd_skip(&r, rd_le32(&r));
		if (r.bad)
			return err_set(e, EC_FORMAT, "event log is cut or corrupt behind byte %zu", area.n - rd_left(&r));
	}
	*ret = slice_of(area.p, area.n - rd_left(&r));
	return 0;
}
