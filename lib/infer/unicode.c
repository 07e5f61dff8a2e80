/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/unicode.h"

static bool in_table(const struct unicode_range *t, size_t n, uint32_t cp)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (cp > t[mid].last)
			lo = mid + 1;
		else if (cp < t[mid].first)
			hi = mid;
		else
			return true;
	}
	return false;
}

unsigned unicode_class(uint32_t cp)
{
	if (cp < 0x80) {	/* most text */
		if ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z')
			return UNI_LETTER;
		if (cp >= '0' && cp <= '9')
			return UNI_NUMBER;
		return cp == ' ' || (cp >= 9 && cp <= 13) ? UNI_SPACE : 0;
	}
	if (in_table(unicode_letter, unicode_letter_n, cp))
		return UNI_LETTER;
	if (in_table(unicode_number, unicode_number_n, cp))
		return UNI_NUMBER;
	return in_table(unicode_space, unicode_space_n, cp) ? UNI_SPACE : 0;
}

static size_t lead_length(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

size_t utf8_next(uint32_t *ret, struct slice s)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };	/* RFC 3629: no overlong forms */
	const size_t n = lead_length(s.p[0]);
	uint32_t cp = n <= 1 ? s.p[0] : s.p[0] & (0x7fu >> n);

	*ret = 0xfffd;
	if (n == 0 || n > s.n)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 1;
		cp = cp << 6 | (s.p[i] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 1;
	*ret = cp;
	return n;
}

void utf8_put(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_byte(b, (uint8_t)cp);
		return;
	}
	if (cp < 0x800) {
		buf_byte(b, (uint8_t)(0xc0 | cp >> 6));
	} else if (cp < 0x10000) {
		buf_byte(b, (uint8_t)(0xe0 | cp >> 12));
		buf_byte(b, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
	} else {
		buf_byte(b, (uint8_t)(0xf0 | cp >> 18));
		buf_byte(b, (uint8_t)(0x80 | (cp >> 12 & 0x3f)));
		buf_byte(b, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
	}
	buf_byte(b, (uint8_t)(0x80 | (cp & 0x3f)));
}

size_t utf8_whole(struct slice s)
{
	for (size_t back = 1; back <= 3 && back <= s.n; back++) {
		const uint8_t c = s.p[s.n - back];

		if ((c & 0xc0) == 0x80)
			continue;		/* a continuation byte: the lead is further left */
		return lead_length(c) > back ? s.n - back : s.n;
	}
	return s.n;
}
