/* SPDX-License-Identifier: Apache-2.0 */
/* Content, registers and PE images: see measure.h. */

#include "base/cursor.h"
#include "tee/measure.h"

#define CHUNK ((size_t)256 << 10)
#define PE_SECTIONS 96			/* the PE specification's limit for loaders */
#define PE_OPTIONAL 240			/* what is looked at of the optional header */

static int slice_read(const void *arg, uint64_t at, void *p, size_t n, struct err *e)
{
	const struct slice *s = arg;

	if (at > s->n || n > s->n - at)
		return err_set(e, EC_BUG, "%zu bytes at %llu of %zu", n, (unsigned long long)at, s->n);
	memcpy(p, s->p + at, n);
	return 0;
}

struct source source_of(const struct slice *s)
{
	return (struct source){ .read = slice_read, .arg = s, .size = s->n };
}

int source_add(struct hasher *h, const struct source *s, uint64_t at, uint64_t n, struct err *e)
{
	AUTO_BUF b = { .max = CHUNK };
	uint8_t *p;

	if (at > s->size || n > s->size - at)
		return err_set(e, EC_FORMAT, "%llu bytes at %llu lie outside a file of %llu", (unsigned long long)n, (unsigned long long)at,
			       (unsigned long long)s->size);
	p = n ? buf_grow(&b, n < CHUNK ? (size_t)n : CHUNK) : NULL;
	if (n && !p)
		return buf_check(&b, e);
	while (n) {
		const size_t now = n < b.n ? (size_t)n : b.n;

		if (s->read(s->arg, at, p, now, e) || hasher_add(h, slice_of(p, now), e))
			return -1;
		at += now;
		n -= now;
	}
	return 0;
}

int source_hash(uint8_t *ret, enum hash h, const struct source *s, struct err *e)
{
	AUTO_HASHER x = { 0 };

	return hasher_init(&x, h, e) || source_add(&x, s, 0, s->size, e) || hasher_end(&x, ret, e) ? -1 : 0;
}

int register_extend(uint8_t *ret, enum hash h, const uint8_t *digest, struct err *e)
{
	const size_t n = hash_size(h);
	uint8_t both[2 * HASH_MAX];

	memcpy(both, ret, n);
	memcpy(both + n, digest, n);
	return hash_of(ret, h, slice_of(both, 2 * n), e);
}

/* --- Authenticode --------------------------------------------------------------------------------------------------- */

struct pe {
	const struct source *s;
	struct slice head;
	uint64_t checksum, directory, headers;	/* offsets: checksum, certificate directory (0: none), end of the headers */
	uint32_t certificates;		/* bytes of the certificate table */
	struct pe_section {
		uint32_t at, n;
	} v[PE_SECTIONS];
	size_t n;
};

static int pe_read(const struct pe *x, uint64_t at, void *p, size_t n, struct err *e)
{
	if (at > x->s->size || n > x->s->size - at)
		return err_set(e, EC_FORMAT, "the PE image's headers go beyond its end");
	if (x->s->read(x->s->arg, at, p, n, e))
		return -1;
	if (at < x->head.n)
		memcpy(p, x->head.p + at, n < x->head.n - at ? n : x->head.n - (size_t)at);
	return 0;
}

static int pe_add(struct hasher *h, const struct pe *x, uint64_t from, uint64_t to, struct err *e)
{
	if (from < x->head.n) {
		const uint64_t end = to < x->head.n ? to : x->head.n;

		if (hasher_add(h, slice_of(x->head.p + from, (size_t)(end - from)), e))
			return -1;
		from = end;
	}
	return source_add(h, x->s, from, to - from, e);
}

static int pe_optional(struct pe *x, uint64_t at, size_t size, struct err *e)
{
	uint8_t o[PE_OPTIONAL] = { 0 };
	size_t directories;

	if (size < 96)
		return err_set(e, EC_FORMAT, "the PE image's optional header has %zu bytes", size);
	if (pe_read(x, at, o, size < sizeof o ? size : sizeof o, e))
		return -1;
	switch (get_le16(o)) {
	case 0x10b:
		directories = 96;
		break;
	case 0x20b:
		directories = 112;
		break;
	default:
		return err_set(e, EC_FORMAT, "the PE image's optional header is of the unknown kind 0x%x", get_le16(o));
	}
	x->checksum = at + 64;
	x->headers = get_le32(o + 60);
	if (get_le32(o + directories - 4) > 4) {	/* the fifth directory is that of certificates */
		if (size < directories + 5 * 8)
			return err_set(e, EC_FORMAT, "the PE image's directories go beyond its optional header");
		x->directory = at + directories + 4 * 8;
		x->certificates = get_le32(o + directories + 4 * 8 + 4);
	}
	if (x->headers > x->s->size || x->headers < (x->directory ? x->directory + 8 : x->checksum + 4))
		return err_set(e, EC_FORMAT, "the PE image's headers end at %llu, in a file of %llu bytes", (unsigned long long)x->headers,
			       (unsigned long long)x->s->size);
	return 0;
}

static int pe_sections(struct pe *x, uint64_t at, size_t n, struct err *e)
{
	uint64_t sum = x->headers;
	uint8_t s[40];

	if (n > PE_SECTIONS)
		return err_set(e, EC_FORMAT, "the PE image has %zu sections, the most is %d", n, PE_SECTIONS);
	if (at + 40 * n > x->headers)
		return err_set(e, EC_FORMAT, "the PE image's section table goes beyond its headers");
	for (size_t i = 0; i < n; i++) {
		struct pe_section new;
		size_t k;

		if (pe_read(x, at + 40 * i, s, sizeof s, e))
			return -1;
		new = (struct pe_section){ .at = get_le32(s + 20), .n = get_le32(s + 16) };
		if (new.n == 0)
			continue;
		if (new.at > x->s->size || new.n > x->s->size - new.at)
			return err_set(e, EC_FORMAT, "section %zu of the PE image goes beyond its end", i);
		sum += new.n;
		for (k = x->n++; k && x->v[k - 1].at > new.at; k--)
			x->v[k] = x->v[k - 1];
		x->v[k] = new;
	}
	if (sum > x->s->size)
		return err_set(e, EC_FORMAT, "the PE image's sections overlap");
	return 0;
}

static int pe_parse(struct pe *x, struct err *e)
{
	uint8_t mz[64], coff[24];
	uint64_t at;
	size_t optional;

	if (x->s->size < sizeof mz)
		return err_set(e, EC_FORMAT, "%llu bytes are no PE image", (unsigned long long)x->s->size);
	if (x->head.n > x->s->size)
		return err_set(e, EC_BUG, "a header of %zu bytes for a file of %llu", x->head.n, (unsigned long long)x->s->size);
	if (pe_read(x, 0, mz, sizeof mz, e))
		return -1;
	at = get_le32(mz + 60);
	if (mz[0] != 'M' || mz[1] != 'Z')
		return err_set(e, EC_FORMAT, "not a PE image: it does not begin with 'MZ'");
	if (pe_read(x, at, coff, sizeof coff, e))
		return -1;
	if (memcmp(coff, "PE\0", 4))
		return err_set(e, EC_FORMAT, "not a PE image: no 'PE' at %llu", (unsigned long long)at);
	optional = get_le16(coff + 20);
	return pe_optional(x, at + 24, optional, e) || pe_sections(x, at + 24 + optional, get_le16(coff + 6), e) ? -1 : 0;
}

int authenticode(uint8_t *ret, enum hash hash, const struct source *image, struct slice head, struct err *e)
{
	struct pe x = { .s = image, .head = head };
	AUTO_HASHER h = { 0 };
	uint64_t sum, from;

	if (pe_parse(&x, e) || hasher_init(&h, hash, e) || pe_add(&h, &x, 0, x.checksum, e))
		return -1;
	from = x.checksum + 4;
	if (x.directory) {
		if (pe_add(&h, &x, from, x.directory, e))
			return -1;
		from = x.directory + 8;
	}
	if (pe_add(&h, &x, from, x.headers, e))
		return -1;
	sum = x.headers;
	for (size_t i = 0; i < x.n; i++) {
		if (pe_add(&h, &x, x.v[i].at, (uint64_t)x.v[i].at + x.v[i].n, e))
			return -1;
		sum += x.v[i].n;
	}
	if (image->size < sum + x.certificates && image->size > sum)
		return err_set(e, EC_FORMAT, "the PE image's certificates go beyond its end");
	if (image->size > sum + x.certificates && pe_add(&h, &x, sum, image->size - x.certificates, e))
		return -1;
	return hasher_end(&h, ret, e);
}
