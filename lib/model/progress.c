/* SPDX-License-Identifier: Apache-2.0 */
/* See progress.h. */

#include "model/progress.h"

#define OFTEN 200	/* ms */
#define SELDOM 10000

const char *size_text(char *ret, size_t n, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes / 1024;
	unsigned u = 0;

	if (bytes < 1024) {
		snprintf(ret, n, "%llu byte%s", (unsigned long long)bytes, bytes == 1 ? "" : "s");
		return ret;
	}
	for (; v >= 1023.95 && u < 3; u++)
		v /= 1024;
	snprintf(ret, n, "%.1f %s", v, units[u]);
	return ret;
}

static void time_left(char *ret, size_t n, double seconds)
{
	const uint64_t s = seconds < 0 ? 0 : seconds > 359999 ? 359999 : (uint64_t)(seconds + 0.5);

	if (s >= 3600)
		snprintf(ret, n, "%llu:%02llu:%02llu left", (unsigned long long)(s / 3600),
			 (unsigned long long)(s / 60 % 60), (unsigned long long)(s % 60));
	else
		snprintf(ret, n, "%llu:%02llu left", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
}

bool progress_due(struct progress *p, char *line, size_t n, uint64_t done, uint64_t total, int64_t now_ms)
{
	char at[32], all[32], rate[32], left[32];
	double seconds, speed;
	int k;

	if (!p->started) {
		p->started = p->last = now_ms;
		return false;
	}
	if (now_ms - p->last < (p->terminal ? OFTEN : SELDOM))
		return false;
	p->last = now_ms;
	seconds = (double)(now_ms - p->started) / 1000;
	speed = seconds > 0 ? (double)done / seconds : 0;
	size_text(at, sizeof at, done);
	size_text(rate, sizeof rate, (uint64_t)speed);
	if (total && done <= total && speed > 0) {
		size_text(all, sizeof all, total);
		time_left(left, sizeof left, (double)(total - done) / speed);
		k = snprintf(line, n, "%3u %%  %s of %s, %s/s, %s", (unsigned)((double)done * 100 / (double)total),
			     at, all, rate, left);
	} else {
		k = snprintf(line, n, "%s, %s/s", at, rate);
	}
	if (k < 0 || (size_t)k >= n)
		return false;
	if (p->terminal) {		/* spaces over what the last line leaves */
		const size_t now = (size_t)k;

		for (; (size_t)k < p->width && (size_t)k + 1 < n; k++)
			line[k] = ' ';
		line[k] = 0;
		p->width = now;
	}
	return true;
}
