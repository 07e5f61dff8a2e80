/* SPDX-License-Identifier: Apache-2.0 */
/* Civil time without time zones: see host.h.  Days are counted in 400-year eras that start on 1 March, so that the leap day is the last of its year. */

#include "base/cursor.h"
#include "base/host.h"

static int64_t days_from_civil(int64_t y, int m, int d)
{
	const int64_t yy = m <= 2 ? y - 1 : y;
	const int64_t era = (yy >= 0 ? yy : yy - 399) / 400;
	const int64_t yoe = yy - era * 400;
	const int64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t time_from_civil(int year, int month, int day, int hour, int min, int sec)
{
	return days_from_civil(year, month, day) * 86400 + hour * 3600 + min * 60 + sec;
}

void time_format(char ret[static 32], int64_t t)
{
	t = t < -62167219200 ? -62167219200 : t > 253402300799 ? 253402300799 : t;	/* years 0 to 9999 */
	const int64_t days = (t >= 0 ? t : t - 86399) / 86400;
	const int sod = (int)(t - days * 86400);
	const int64_t z = days + 719468;
	const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	const int doe = (int)(z - era * 146097);
	const int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int mp = (5 * doy + 2) / 153;
	const int m = mp < 10 ? mp + 3 : mp - 9;
	const int64_t y = yoe + era * 400 + (m <= 2);

	const int d = doy - (153 * mp + 2) / 5 + 1;
	const int part[] = { (int)(y / 100), (int)(y % 100), m, d,
			     sod / 3600, sod / 60 % 60, sod % 60 };
	static const char between[] = { 0, '-', '-', 'T', ':', ':', 'Z' };
	size_t at = 0;

	for (size_t i = 0; i < 7; i++) {
		ret[at++] = (char)('0' + part[i] / 10 % 10);
		ret[at++] = (char)('0' + part[i] % 10);
		if (between[i])
			ret[at++] = between[i];
	}
	ret[at] = 0;
}

static int digits(struct rd *r, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		const uint8_t c = rd_u8(r);

		if (c < '0' || c > '9')
			r->bad = true;
		v = v * 10 + (c - '0');
	}
	return r->bad ? 0 : v;
}

static void want(struct rd *r, uint8_t c)
{
	if (rd_u8(r) != c)
		r->bad = true;
}

static int days_in(int y, int m)
{
	static const uint8_t n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && y % 4 == 0 && (y % 100 || y % 400 == 0) ? 29 : n[m - 1];
}

/* "Z", "+hh:mm" or "-hh:mm": seconds to subtract. */
static int zone(struct rd *r)
{
	const uint8_t c = rd_u8(r);
	int h, m;

	if (c == 'Z' || c == 'z')
		return 0;
	if (c != '+' && c != '-')
		r->bad = true;
	h = digits(r, 2);
	want(r, ':');
	m = digits(r, 2);
	if (h > 23 || m > 59)
		r->bad = true;
	return (c == '-' ? -1 : 1) * (h * 3600 + m * 60);
}

int time_parse(int64_t *ret, const char *s, struct err *e)
{
	struct rd r = rd_of(slice_str(s));
	int y, mo, d, h = 0, mi = 0, sec = 0, off = 0;

	y = digits(&r, 4);
	want(&r, '-');
	mo = digits(&r, 2);
	want(&r, '-');
	d = digits(&r, 2);
	if (!r.bad && rd_left(&r)) {
		const uint8_t t = rd_u8(&r);

		if (t != 'T' && t != 't' && t != ' ')
			r.bad = true;
		h = digits(&r, 2);
		want(&r, ':');
		mi = digits(&r, 2);
		want(&r, ':');
		sec = digits(&r, 2);
		if (rd_left(&r) && *r.p == '.') {	/* fractions are cut */
			rd_u8(&r);
			digits(&r, 1);
			while (rd_left(&r) && *r.p >= '0' && *r.p <= '9')
				rd_u8(&r);
		}
		off = zone(&r);
	}
	if (r.bad || rd_left(&r) || mo < 1 || mo > 12 || d < 1 || d > days_in(y, mo) || h > 23 || mi > 59 || sec > 60)
		return err_set(e, EC_USAGE, "'%.40s' is not a time, wanted like 2026-11-23T17:00:00Z", s);
	*ret = time_from_civil(y, mo, d, h, mi, sec) - off;
	return 0;
}
