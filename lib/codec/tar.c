/* SPDX-License-Identifier: Apache-2.0 */
/* See tar.h.  Header layout: POSIX.1-2008 pax(1) "ustar Interchange Format"; GNU long names: tar(5). */

#include "codec/tar.h"

#include "base/cursor.h"

enum { BLOCK = 512 };
#define USTAR_SIZE_MAX UINT64_C(077777777777)	/* what eleven octal digits hold; above it a PAX size is needed */
#define SIZE_LIMIT (UINT64_C(1) << 62)

/* What x, L and K headers say about the entry behind them. */
struct overrides {
	bool any_pax, has_path, has_link, has_size;
	struct buf path, link, long_name, long_link;
	uint64_t size;
};
#define AUTO_OVERRIDES __attribute__((cleanup(overrides_free))) struct overrides

static void overrides_free(struct overrides *o)
{
	buf_free(&o->path);
	buf_free(&o->link);
	buf_free(&o->long_name);
	buf_free(&o->long_link);
}

void tar_entry_free(struct tar_entry *t)
{
	buf_free(&t->name);
	buf_free(&t->link);
}

void tar_init(struct tar *t, const struct tar_src *src)
{
	*t = (struct tar){ .src = *src };
}

static int take(struct tar *t, uint8_t *p, size_t n, size_t *got, struct err *e)
{
	*got = 0;
	if (t->src.read(t->src.arg, p, n, got, e))
		return -1;
	t->at += *got;
	return 0;
}

static int take_all(struct tar *t, uint8_t *p, size_t n, const char *what, struct err *e)
{
	size_t got;

	if (take(t, p, n, &got, e))
		return -1;
	return got == n ? 0 : err_set(e, EC_FORMAT, "tar archive ends inside %s, at byte %llu", what, (unsigned long long)t->at);
}

static int drop(struct tar *t, uint64_t n, struct err *e)
{
	uint8_t junk[4096];

	if (n && t->src.skip) {
		if (t->src.skip(t->src.arg, n, e))
			return -1;
		t->at += n;
		return 0;
	}
	while (n) {
		const size_t k = n < sizeof junk ? (size_t)n : sizeof junk;

		if (take_all(t, junk, k, "the data of an entry", e))
			return -1;
		n -= k;
	}
	return 0;
}

/* Octal with blanks around it, or base-256 when the top bit is set (GNU).  Negative and too large are refused: readers
 * that wrap such sizes see other entries than those that do not. */
static int number(uint64_t *ret, const uint8_t *p, size_t n, const char *what, struct err *e)
{
	uint64_t v = 0;
	size_t i = 0;

	if (p[0] & 0x80) {
		if (p[0] & 0x40)
			return err_set(e, EC_FORMAT, "tar header: %s is negative", what);
		for (v = p[0] & 0x3f, i = 1; i < n; i++) {
			if (v >> 54)
				return err_set(e, EC_FORMAT, "tar header: %s is too large", what);
			v = v << 8 | p[i];
		}
		*ret = v;
		return 0;
	}
	while (i < n && (p[i] == ' ' || !p[i]))
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');	/* at most 12 digits: 36 bits */
	for (; i < n; i++)
		if (p[i] && p[i] != ' ')
			return err_set(e, EC_FORMAT, "tar header: %s is not a number", what);
	*ret = v;
	return 0;
}

/* Old tars summed signed characters; both are in use. */
static bool checksum_holds(const uint8_t h[static BLOCK])
{
	uint64_t want;
	int64_t plain = 0, with_sign = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		const uint8_t c = i >= 148 && i < 156 ? ' ' : h[i];

		plain += c;
		with_sign += (int8_t)c;
	}
	return !number(&want, h + 148, 8, "checksum", NULL) && ((int64_t)want == plain || (int64_t)want == with_sign);
}

static struct slice text(const uint8_t *p, size_t n)
{
	const uint8_t *nul = memchr(p, 0, n);

	return slice_of(p, nul ? (size_t)(nul - p) : n);
}

static bool is_zero(const uint8_t h[static BLOCK])
{
	for (size_t i = 0; i < BLOCK; i++)
		if (h[i])
			return false;
	return true;
}

/* The data of an x, g, L or K header, with its padding. */
static int meta(struct buf *ret, struct tar *t, uint64_t size, struct err *e)
{
	const size_t padded = (size_t)((size + BLOCK - 1) / BLOCK * BLOCK);
	uint8_t *p;

	if (size > TAR_PAX_MAX)
		return err_set(e, EC_FORMAT, "tar extension header has %llu bytes, at most %d are read", (unsigned long long)size,
			       TAR_PAX_MAX);
	ret->max = TAR_PAX_MAX + BLOCK;
	buf_reset(ret);
	p = buf_grow(ret, padded);
	if (buf_check(ret, e))
		return -1;
	if (padded && take_all(t, p, padded, "an extension header", e))
		return -1;
	ret->n = (size_t)size;
	return 0;
}

static int long_text(struct buf *ret, struct tar *t, uint64_t size, struct err *e)
{
	if (ret->n)
		return err_set(e, EC_FORMAT, "tar archive has two GNU long names for one entry");
	if (meta(ret, t, size, e))
		return -1;
	while (ret->n && !ret->p[ret->n - 1])
		ret->n--;
	if (!ret->n || memchr(ret->p, 0, ret->n))
		return err_set(e, EC_FORMAT, "GNU long name in the tar archive is empty or has a NUL byte inside");
	return 0;
}

static int pax_value(struct buf *ret, bool *has, struct slice key, struct slice value, struct err *e)
{
	if (*has)
		return err_set(e, EC_FORMAT, "PAX header has '%.*s' twice", (int)key.n, (const char *)key.p);
	if (value.n && memchr(value.p, 0, value.n))
		return err_set(e, EC_FORMAT, "PAX '%.*s' has a NUL byte inside", (int)key.n, (const char *)key.p);
	if (!value.n)
		return 0;	/* an empty value deletes the override */
	*has = true;
	buf_slice(ret, value);
	return buf_check(ret, e);
}

static int pax_size(struct overrides *o, struct slice value, struct err *e)
{
	uint64_t v = 0;

	if (o->has_size)
		return err_set(e, EC_FORMAT, "PAX header has 'size' twice");
	if (!value.n)
		return 0;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9' || v > SIZE_LIMIT / 10)
			return err_set(e, EC_FORMAT, "PAX 'size' is not a size");
		v = v * 10 + (uint64_t)(value.p[i] - '0');
	}
	o->has_size = true;
	o->size = v;
	return 0;
}

static bool starts(struct slice s, const char *prefix)
{
	const struct slice p = slice_str(prefix);

	return s.n >= p.n && !memcmp(s.p, p.p, p.n);
}

static int pax_record(struct overrides *o, bool global, struct slice key, struct slice value, struct err *e)
{
	const bool path = slice_eqs(key, "path"), link = slice_eqs(key, "linkpath"), size = slice_eqs(key, "size");

	if (starts(key, "GNU.sparse."))
		return err_set(e, EC_FORMAT, "tar archive has a sparse file, which is not supported");
	if (global && (path || link || size))
		return err_set(e, EC_FORMAT, "global PAX header sets '%.*s' for every entry", (int)key.n, (const char *)key.p);
	if (path)
		return pax_value(&o->path, &o->has_path, key, value, e);
	if (link)
		return pax_value(&o->link, &o->has_link, key, value, e);
	return size ? pax_size(o, value, e) : 0;
}

/* "<len> <key>=<value>\n", the length counting itself. */
static int pax(struct overrides *o, bool global, struct slice data, struct err *e)
{
	while (data.n) {
		size_t len = 0, i = 0;
		const uint8_t *eq;
		struct slice rec;

		for (; i < data.n && i < 8 && data.p[i] >= '0' && data.p[i] <= '9'; i++)
			len = len * 10 + (size_t)(data.p[i] - '0');
		if (!i || data.p[0] == '0' || i >= data.n || data.p[i] != ' ' || len > data.n || len < i + 4 || data.p[len - 1] != '\n')
			return err_set(e, EC_FORMAT, "PAX header has a malformed record");
		rec = slice_of(data.p + i + 1, len - i - 2);
		eq = memchr(rec.p, '=', rec.n);
		if (!eq || eq == rec.p)
			return err_set(e, EC_FORMAT, "PAX record has no key");
		if (pax_record(o, global, slice_of(rec.p, (size_t)(eq - rec.p)),
			       slice_of(eq + 1, rec.n - (size_t)(eq - rec.p) - 1), e))
			return -1;
		data = slice_of(data.p + len, data.n - len);
	}
	return 0;
}

/* One of x, g, L, K: read into o.  False with *rc untouched when h is an entry of its own. */
static bool extension(int *rc, struct overrides *o, struct tar *t, const uint8_t h[static BLOCK], uint64_t size,
		      struct err *e)
{
	AUTO_BUF data = { 0 };

	switch (h[156]) {
	case 'L':
		*rc = long_text(&o->long_name, t, size, e);
		return true;
	case 'K':
		*rc = long_text(&o->long_link, t, size, e);
		return true;
	case 'x':
		*rc = o->any_pax ? err_set(e, EC_FORMAT, "tar archive has two PAX headers for one entry") : meta(&data, t, size, e);
		o->any_pax = true;
		break;
	case 'g':
		*rc = meta(&data, t, size, e);
		break;
	default:
		return false;
	}
	if (!*rc)
		*rc = pax(o, h[156] == 'g', buf_view(&data), e);
	return true;
}

/* The effective size is what PAX says, if it says so.  Writers need that only above 8 GiB; below, a difference
 * between the two makes readers see different entries (CVE-2025-62518, CVE-2026-33055). */
static int effective_size(uint64_t *size, const struct overrides *o, struct err *e)
{
	if (!o->has_size)
		return 0;
	if (o->size != *size && (o->size <= USTAR_SIZE_MAX || (*size && *size != USTAR_SIZE_MAX)))
		return err_set(e, EC_FORMAT, "tar entry has size %llu in its header and %llu in PAX", (unsigned long long)*size,
			       (unsigned long long)o->size);
	*size = o->size;
	return 0;
}

/* Either the PAX text, or the GNU one, or the header's; two different ones are an attack on readers that prefer the other. */
static int pick(struct buf *ret, bool has, const struct buf *pax_text, const struct buf *gnu, struct slice head, struct err *e)
{
	if (has && gnu->n && !slice_eq(buf_view(pax_text), buf_view(gnu)))
		return err_set(e, EC_FORMAT, "tar entry has one name in PAX and another in a GNU long name");
	buf_slice(ret, has ? buf_view(pax_text) : gnu->n ? buf_view(gnu) : head);
	return buf_check(ret, e);
}

static int header_name(struct buf *ret, const uint8_t h[static BLOCK], struct err *e)
{
	const bool posix = !memcmp(h + 257, "ustar", 6);	/* GNU's "ustar  " has times where the prefix is */
	const struct slice prefix = text(h + 345, posix ? 155 : 0);

	buf_slice(ret, prefix);
	if (prefix.n)
		buf_byte(ret, '/');
	buf_slice(ret, text(h, 100));
	return buf_check(ret, e);
}

static int entry_type(int *ret, uint8_t flag, struct slice name, struct err *e)
{
	switch (flag) {
	case 0: case '0':
		*ret = name.n && name.p[name.n - 1] == '/' ? TAR_DIR : TAR_FILE;	/* v7 has no type for folders */
		return 0;
	case '7':
		*ret = TAR_FILE;
		return 0;
	case '1': case '2': case '3': case '4': case '5': case '6':
		*ret = flag;
		return 0;
	case 'S':
		return err_set(e, EC_FORMAT, "tar archive has a sparse file, which is not supported");
	default:
		return err_set(e, EC_FORMAT, "tar archive has an entry of unknown type 0x%02x", flag);
	}
}

static int entry(struct tar_entry *ret, const struct overrides *o, const uint8_t h[static BLOCK], uint64_t size, struct err *e)
{
	AUTO_BUF head = { 0 };
	uint64_t mode, id;

	if (header_name(&head, h, e) || pick(&ret->name, o->has_path, &o->path, &o->long_name, buf_view(&head), e) ||
	    entry_type(&ret->type, h[156], buf_view(&ret->name), e) || effective_size(&size, o, e) ||
	    number(&mode, h + 100, 8, "mode", e) || number(&id, h + 108, 8, "user", e) || number(&id, h + 116, 8, "group", e))
		return -1;
	if ((ret->type == TAR_HARDLINK || ret->type == TAR_SYMLINK) &&
	    pick(&ret->link, o->has_link, &o->link, &o->long_link, text(h + 157, 100), e))
		return -1;
	if (!ret->name.n)
		return err_set(e, EC_FORMAT, "tar entry has no name");
	if (size > SIZE_LIMIT)
		return err_set(e, EC_FORMAT, "tar entry '%s' has an impossible size", buf_cstr(&ret->name));
	if (size && ret->type != TAR_FILE)
		return err_set(e, EC_FORMAT, "tar entry '%s' is not a file and has %llu bytes of data", buf_cstr(&ret->name),
			       (unsigned long long)size);
	ret->size = size;
	ret->mode = (uint32_t)(mode & 07777);
	return 0;
}

static int end_marker(struct tar *t, struct err *e)
{
	uint8_t h[BLOCK];

	if (take_all(t, h, BLOCK, "its end marker", e))
		return -1;
	if (!is_zero(h))
		return err_set(e, EC_FORMAT, "tar archive has a single zero block at byte %llu, then goes on",
			       (unsigned long long)t->at - 2 * BLOCK);
	t->ended = true;
	return 0;
}

int tar_next(struct tar_entry *ret, struct tar *t, bool *end, struct err *e)
{
	AUTO_OVERRIDES o = { 0 };
	AUTO_TAR_ENTRY found = { 0 };
	uint8_t h[BLOCK];
	uint64_t size;
	int rc = 0;

	if (t->ended) {
		*end = true;
		return 0;
	}
	if (drop(t, t->data + t->pad, e))
		return -1;
	t->data = t->pad = 0;
	do {
		if (take_all(t, h, BLOCK, "a header, without an end marker", e))
			return -1;
		if (is_zero(h)) {
			if (o.any_pax || o.long_name.n || o.long_link.n)
				return err_set(e, EC_FORMAT, "tar archive ends behind an extension header");
			*end = true;
			return end_marker(t, e);
		}
		if (!checksum_holds(h))
			return err_set(e, EC_FORMAT, "tar header at byte %llu has a wrong checksum", (unsigned long long)t->at - BLOCK);
		if (++t->count > TAR_ENTRIES_MAX)
			return err_set(e, EC_FORMAT, "tar archive has more than %d entries", TAR_ENTRIES_MAX);
		if (number(&size, h + 124, 12, "size", e))
			return -1;
	} while (extension(&rc, &o, t, h, size, e) && !rc);
	if (rc || entry(&found, &o, h, size, e))
		return -1;
	found.at = t->at;
	t->data = found.size;
	t->pad = (BLOCK - found.size % BLOCK) % BLOCK;
	*end = false;
	tar_entry_free(ret);
	*ret = found;
	found = (struct tar_entry){ 0 };
	return 0;
}

int tar_read(struct tar *t, uint8_t *p, size_t n, size_t *got, struct err *e)
{
	const size_t want = t->data < n ? (size_t)t->data : n;

	*got = 0;
	if (want && take_all(t, p, want, "the data of an entry", e))
		return -1;
	t->data -= want;
	*got = want;
	return 0;
}

int tar_path_clean(struct buf *ret, struct slice name, struct err *e)
{
	AUTO_BUF clean = { 0 };
	size_t depth = 0;

	if (name.n > TAR_PATH_MAX)
		return err_set(e, EC_REFUSED, "path has %zu bytes, at most %d are allowed", name.n, TAR_PATH_MAX);
	if (name.n && name.p[0] == '/')
		return err_set(e, EC_REFUSED, "path '%.*s' is absolute", (int)name.n, (const char *)name.p);
	while (name.n) {
		const uint8_t *slash = memchr(name.p, '/', name.n);
		const struct slice part = slice_of(name.p, slash ? (size_t)(slash - name.p) : name.n);
		const size_t used = part.n + (slash ? 1 : 0);

		if (slice_eqs(part, ".."))
			return err_set(e, EC_REFUSED, "path has a '..' in it");
		if (part.n > TAR_NAME_MAX || ++depth > TAR_DEPTH_MAX || (part.n && memchr(part.p, 0, part.n)))
			return err_set(e, EC_REFUSED, "path is deeper than %d, has a name longer than %d bytes, or a NUL byte",
				       TAR_DEPTH_MAX, TAR_NAME_MAX);
		if (part.n && !slice_eqs(part, ".")) {
			if (clean.n)
				buf_byte(&clean, '/');
			buf_slice(&clean, part);
		}
		name = slice_of(name.p + used, name.n - used);
	}
	if (buf_check(&clean, e))
		return -1;
	buf_slice(ret, buf_view(&clean));
	return buf_check(ret, e);
}
