/* SPDX-License-Identifier: Apache-2.0 */
/* See digest.h. */

#include "image/digest.h"

static const enum hash known[] = { HASH_SHA256, HASH_SHA384, HASH_SHA512 };

/* Not hash_name: these words are file names and wire text, whatever hash.h calls them. */
static const char *alg_name(enum hash h)
{
	return h == HASH_SHA256 ? "sha256" : h == HASH_SHA384 ? "sha384" : h == HASH_SHA512 ? "sha512" : "none";
}

const char *digest_alg(const struct digest *d)
{
	return alg_name(d->h);
}

void digest_set(struct digest *ret, enum hash h, const uint8_t *v)
{
	static const char digits[] = "0123456789abcdef";
	struct digest d = { .h = h };

	for (size_t i = 0; i < hash_size(h); i++) {
		d.v[i] = v[i];
		d.hex[2 * i] = digits[v[i] >> 4];
		d.hex[2 * i + 1] = digits[v[i] & 15];
	}
	snprintf(d.text, sizeof d.text, "%s:%s", alg_name(h), d.hex);
	*ret = d;
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int digest_parse(struct digest *ret, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	uint8_t v[HASH_MAX];

	for (size_t k = 0; colon && k < sizeof known / sizeof known[0]; k++) {
		const char *name = alg_name(known[k]), *hex = colon + 1;
		const size_t n = hash_size(known[k]);

		if ((size_t)(colon - text) != strlen(name) || memcmp(text, name, strlen(name)))
			continue;
		for (size_t i = 0; i < n; i++) {
			const int hi = nibble(hex[2 * i]), lo = hi < 0 ? -1 : nibble(hex[2 * i + 1]);

			if (lo < 0)
				return err_set(e, EC_FORMAT, "digest '%.160s' has to have %zu lower-case hex digits", text, 2 * n);
			v[i] = (uint8_t)(hi << 4 | lo);
		}
		if (hex[2 * n])
			return err_set(e, EC_FORMAT, "digest '%.160s' is longer than %zu hex digits", text, 2 * n);
		digest_set(ret, known[k], v);
		return 0;
	}
	return err_set(e, EC_FORMAT, "digest '%.160s' is not of sha256, sha384 or sha512", text);
}

int digest_of(struct digest *ret, enum hash h, struct slice data, struct err *e)
{
	uint8_t v[HASH_MAX];

	if (hash_of(v, h, data, e))
		return -1;
	digest_set(ret, h, v);
	return 0;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
	return a->h != HASH_NONE && a->h == b->h && !memcmp(a->v, b->v, hash_size(a->h));
}
