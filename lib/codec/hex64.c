/* SPDX-License-Identifier: Apache-2.0 */
/* Constant time: no table is indexed by, and no branch taken on, what the text says; errors are added up and asked
 * for at the end.  So a key may pass here without showing in the cache. */

#include <ctype.h>

#include "codec/hex64.h"

enum alphabet { STANDARD = 1, URL_SAFE = 2 };	/* bits */

/* All ones if lo <= c <= hi, else zero; all below 256. */
static unsigned in_range(unsigned c, unsigned lo, unsigned hi)
{
	return (((c - lo) | (hi - c)) >> 31) - 1;
}

static unsigned equal(unsigned a, unsigned b)
{
	return in_range(a, b, b);
}

/* --- hex ----------------------------------------------------------------------------------------------- */

/* Value + 1, or 0 if c is no hex digit. */
static unsigned nibble(unsigned c)
{
	return (in_range(c, '0', '9') & (c - '0' + 1)) | (in_range(c, 'a', 'f') & (c - 'a' + 11)) |
	       (in_range(c, 'A', 'F') & (c - 'A' + 11));
}

static bool hex_into(uint8_t *out, struct slice text)	/* text.n is even */
{
	unsigned bad = 0;

	for (size_t i = 0; i < text.n; i += 2) {
		const unsigned hi = nibble(text.p[i]), lo = nibble(text.p[i + 1]);

		bad |= equal(hi, 0) | equal(lo, 0);
		out[i / 2] = (uint8_t)(((hi - 1) << 4 | (lo - 1)) & 0xff);
	}
	return !bad;
}

/* Drops what was appended, and its bytes. */
static int take_back(struct buf *b, size_t n)
{
	mem_wipe(b->p + b->n - n, n);
	b->n -= n;
	return -1;
}

int hex_decode(struct buf *ret, struct slice text, struct err *e)
{
	uint8_t *out;

	if (text.n % 2)
		return err_set(e, EC_FORMAT, "hex text has an odd number of digits (%zu)", text.n);
	out = buf_grow(ret, text.n / 2);
	if (!out)
		return buf_check(ret, e);
	if (hex_into(out, text))
		return 0;
	take_back(ret, text.n / 2);
	return err_set(e, EC_FORMAT, "text is not hex: a character other than 0-9, a-f, A-F");
}

int hex_decode_n(uint8_t *ret, size_t n, const char *text, struct err *e)
{
	const struct slice s = slice_str(text);
	AUTO_BUF bytes = { 0 };

	if (s.n != 2 * n)
		return err_set(e, EC_FORMAT, "hex text is %zu characters, wanted %zu (%zu bytes)", s.n, 2 * n, n);
	if (hex_decode(&bytes, s, e))
		return -1;
	if (n)
		memcpy(ret, bytes.p, n);
	mem_wipe(bytes.p, n);
	return 0;
}

bool hex_is(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!isxdigit(text.p[i]))
			return false;
	return text.n > 0;
}

void hex_encode(struct buf *ret, struct slice bytes)
{
	uint8_t *out = bytes.n > SIZE_MAX / 2 ? NULL : buf_grow(ret, 2 * bytes.n);

	if (!out) {
		ret->bad = true;
		return;
	}
	for (size_t i = 0; i < 2 * bytes.n; i++) {
		const unsigned v = (bytes.p[i / 2] >> (i % 2 ? 0 : 4)) & 15u;

		out[i] = (uint8_t)('0' + v + (in_range(v, 10, 15) & (unsigned)('a' - '0' - 10)));
	}
}

/* --- base64 -------------------------------------------------------------------------------------------- */

/* Value + 1, or 0 if c is not in the alphabet. */
static unsigned sextet(unsigned c, unsigned alphabet)
{
	const unsigned std = 0u - (alphabet & STANDARD), url = 0u - ((alphabet & URL_SAFE) / URL_SAFE);

	return (in_range(c, 'A', 'Z') & (c - 'A' + 1)) | (in_range(c, 'a', 'z') & (c - 'a' + 27)) |
	       (in_range(c, '0', '9') & (c - '0' + 53)) | (equal(c, '+') & std & 63) | (equal(c, '/') & std & 64) |
	       (equal(c, '-') & url & 63) | (equal(c, '_') & url & 64);
}

static size_t decoded_size(size_t digits)
{
	return digits / 4 * 3 + digits % 4 * 3 / 4;
}

/* text is without padding; out takes decoded_size(text.n) bytes.  RFC 4648 section 3.5: unused bits must be zero. */
static bool b64_into(uint8_t *out, struct slice text, unsigned alphabet)
{
	unsigned bad = 0, acc = 0, bits = 0;

	for (size_t i = 0; i < text.n; i++) {
		const unsigned v = sextet(text.p[i], alphabet);

		bad |= equal(v, 0);
		acc = (acc << 6 | ((v - 1) & 63)) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (uint8_t)(acc >> bits);
		}
	}
	bad |= acc & ((1u << bits) - 1);
	return !bad && text.n % 4 != 1;
}

static int not_b64(struct err *e, const char *name)
{
	return err_set(e, EC_FORMAT, "text is not %s (alphabet, padding or unused bits)", name);
}

static int decode(struct buf *ret, struct slice text, unsigned alphabet, const char *name, struct err *e)
{
	const size_t n = decoded_size(text.n);
	uint8_t *out = buf_grow(ret, n);

	if (!out)
		return buf_check(ret, e);
	if (b64_into(out, text, alphabet))
		return 0;
	take_back(ret, n);
	return not_b64(e, name);
}

/* Takes one or two '=' from the end; false if the length does not fit a padded text. */
static bool unpad(struct slice *text)
{
	if (text->n % 4)
		return false;
	for (int i = 0; i < 2 && text->n && text->p[text->n - 1] == '='; i++)
		text->n--;
	return true;
}

int b64_decode(struct buf *ret, struct slice text, struct err *e)
{
	if (!unpad(&text))
		return not_b64(e, "padded base64");
	return decode(ret, text, STANDARD, "padded base64", e);
}

int b64url_decode(struct buf *ret, struct slice text, struct err *e)
{
	return decode(ret, text, URL_SAFE, "base64url without padding", e);
}

int b64_decode_lax(struct buf *ret, struct slice text, struct err *e)
{
	AUTO_BUF packed = { .max = text.n };
	struct slice s;
	int rc;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && (text.p[i] < '\t' || text.p[i] > '\r'))
			buf_byte(&packed, text.p[i]);
	if (buf_check(&packed, e))
		return -1;
	s = buf_view(&packed);
	if (s.n && s.p[s.n - 1] == '=' && !unpad(&s))
		rc = not_b64(e, "base64");
	else
		rc = decode(ret, s, STANDARD | URL_SAFE, "base64", e);
	mem_wipe(packed.p, packed.n);
	return rc;
}

int b64_decode_secret(struct secret *ret, struct slice text, struct err *e)
{
	AUTO_SECRET s = { 0 };

	if (!unpad(&text))
		return not_b64(e, "padded base64");
	if (secret_alloc(&s, decoded_size(text.n), e))
		return -1;
	if (!b64_into(s.p, text, STANDARD))
		return not_b64(e, "padded base64");
	secret_give(ret, &s);
	return 0;
}

static uint8_t digit(unsigned v, unsigned alphabet)
{
	const unsigned c62 = alphabet == STANDARD ? '+' : '-', c63 = alphabet == STANDARD ? '/' : '_';

	return (uint8_t)((in_range(v, 0, 25) & (v + 'A')) | (in_range(v, 26, 51) & (v - 26 + 'a')) |
			 (in_range(v, 52, 61) & (v - 52 + '0')) | (equal(v, 62) & c62) | (equal(v, 63) & c63));
}

static void encode(struct buf *ret, struct slice in, unsigned alphabet)
{
	const size_t digits = in.n / 3 * 4 + (in.n % 3 * 8 + 5) / 6, pad = alphabet == STANDARD ? (4 - digits % 4) % 4 : 0;
	uint8_t *out = in.n > SIZE_MAX / 2 ? NULL : buf_grow(ret, digits + pad);

	if (!out) {
		ret->bad = true;
		return;
	}
	for (size_t i = 0; i < digits; i++) {
		const size_t at = i * 6 / 8, shift = i * 6 % 8;
		const unsigned pair = (unsigned)in.p[at] << 8 | (at + 1 < in.n ? in.p[at + 1] : 0);

		out[i] = digit(pair >> (10 - shift) & 63, alphabet);
	}
	memset(out + digits, '=', pad);
}

void b64_encode(struct buf *ret, struct slice bytes)
{
	encode(ret, bytes, STANDARD);
}

void b64url_encode(struct buf *ret, struct slice bytes)
{
	encode(ret, bytes, URL_SAFE);
}
