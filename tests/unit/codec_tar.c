/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives: made here byte by byte, and those of the image vectors. */

#include "base/cursor.h"
#include "codec/tar.h"
#include "test.h"

struct mem {
	struct slice s;
	size_t at;
};

static int mem_read(void *arg, uint8_t *p, size_t n, size_t *got, struct err *e)
{
	struct mem *m = arg;

	(void)e;
	*got = n < m->s.n - m->at ? n : m->s.n - m->at;
	if (*got)
		memcpy(p, m->s.p + m->at, *got);
	m->at += *got;
	return 0;
}

struct head {
	const char *name, *link;
	char type;
	const char *size;		/* octal digits */
	const char *magic;		/* NULL: POSIX */
	const char *prefix;
};

static void put_header(struct buf *b, const struct head *h)
{
	uint8_t *p = buf_grow(b, 512);
	unsigned sum = 0;

	memcpy(p, h->name, strlen(h->name) < 100 ? strlen(h->name) : 100);
	memcpy(p + 100, "0000644", 8);
	memcpy(p + 108, "0000000", 8);
	memcpy(p + 116, "0000000", 8);
	memcpy(p + 124, "00000000000", 12);
	if (h->size)
		memcpy(p + 124, h->size, strlen(h->size));
	memcpy(p + 136, "00000000000", 12);
	p[156] = (uint8_t)h->type;
	if (h->link)
		memcpy(p + 157, h->link, strlen(h->link));
	memcpy(p + 257, h->magic ? h->magic : "ustar\00000", 8);
	if (h->prefix)
		memcpy(p + 345, h->prefix, strlen(h->prefix));
	for (int i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	snprintf((char *)p + 148, 8, "%06o", sum);
	p[155] = ' ';
}

static void put_data(struct buf *b, const char *text)
{
	buf_puts(b, text);
	buf_fill(b, 0, (512 - strlen(text) % 512) % 512);
}

static void put_file(struct buf *b, const char *name, const char *text)
{
	char size[12];

	snprintf(size, sizeof size, "%011o", (unsigned)strlen(text));
	put_header(b, &(struct head){ .name = name, .type = '0', .size = size });
	put_data(b, text);
}

static void put_ext(struct buf *b, char type, const char *text)
{
	char size[12];

	snprintf(size, sizeof size, "%011o", (unsigned)strlen(text));
	put_header(b, &(struct head){ .name = "ext", .type = type, .size = size });
	put_data(b, text);
}

static void put_end(struct buf *b)
{
	buf_fill(b, 0, 1024);
}

/* "type name[>link] size;" for each entry. */
static int listing(struct buf *ret, struct slice tar, struct err *e)
{
	struct mem m = { tar, 0 };
	struct tar t;

	tar_init(&t, &(struct tar_src){ mem_read, NULL, &m });
	for (;;) {
		AUTO_TAR_ENTRY x = { 0 };
		bool end = false;

		if (tar_next(&x, &t, &end, e))
			return -1;
		if (end)
			return 0;
		buf_printf(ret, "%c %s%s%s %llu;", x.type, buf_cstr(&x.name), x.link.n ? ">" : "", buf_cstr(&x.link),
			   (unsigned long long)x.size);
	}
}

static void wants(const struct buf *tar, const char *text)
{
	AUTO_BUF got = { 0 };

	WORKS(listing(&got, buf_view(tar), &e));
	STR(buf_cstr(&got), text);
}

static void refuses(const struct buf *tar, const char *why)
{
	AUTO_BUF got = { 0 };
	struct err e = { 0 };

	EQ(listing(&got, buf_view(tar), &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, why);
}

TEST(tar_lists_files_folders_and_links)
{
	AUTO_BUF b = { 0 };

	put_header(&b, &(struct head){ .name = "d/", .type = '5' });
	put_file(&b, "d/f", "hello");
	put_header(&b, &(struct head){ .name = "s", .type = '2', .link = "d/f" });
	put_header(&b, &(struct head){ .name = "tail", .type = '0', .prefix = "a/b" });
	put_header(&b, &(struct head){ .name = "gnu", .type = '0', .magic = "ustar  \0", .prefix = "12345" });
	put_end(&b);
	wants(&b, "5 d/ 0;0 d/f 5;2 s>d/f 0;0 a/b/tail 0;0 gnu 0;");
}

TEST(tar_reads_data_in_pieces_and_skips_the_rest)
{
	AUTO_BUF b = { 0 };
	AUTO_TAR_ENTRY x = { 0 };
	struct mem m;
	struct tar t;
	uint8_t p[4];
	size_t got;
	bool end;

	put_file(&b, "a", "abcdefgh");
	put_file(&b, "b", "second");
	put_end(&b);
	m = (struct mem){ buf_view(&b), 0 };
	tar_init(&t, &(struct tar_src){ mem_read, NULL, &m });
	WORKS(tar_next(&x, &t, &end, &e));
	EQ(x.at, 512);
	WORKS(tar_read(&t, p, 4, &got, &e));
	EQ(got, 4);
	MEM(p, "abcd", 4);
	WORKS(tar_next(&x, &t, &end, &e));
	STR(buf_cstr(&x.name), "b");
	WORKS(tar_read(&t, p, 4, &got, &e));
	MEM(p, "seco", 4);
	WORKS(tar_read(&t, p, 4, &got, &e));
	EQ(got, 2);
	WORKS(tar_read(&t, p, 4, &got, &e));
	EQ(got, 0);
}

TEST(tar_long_names_come_from_pax_and_gnu)
{
	AUTO_BUF b = { 0 };

	put_ext(&b, 'x', "18 path=long/name\n");
	put_file(&b, "short", "x");
	put_ext(&b, 'L', "gnu/long/name");
	put_ext(&b, 'K', "target");
	put_header(&b, &(struct head){ .name = "short", .type = '2', .link = "t" });
	put_end(&b);
	wants(&b, "0 long/name 1;2 gnu/long/name>target 0;");
}

TEST(tar_refuses_malformed_pax)
{
	static const char *const bad[] = { "17 path=long/name\n", "18 path=long/name", "99 path=x\n", " 9 path=x\n", "0 \n", "x path=y\n",
					   "8 path\nx\n", "09 path=x\n", "5 =x\n\n" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_BUF b = { 0 };

		put_ext(&b, 'x', bad[i]);
		put_file(&b, "a", "x");
		put_end(&b);
		refuses(&b, "PAX");
	}
}

TEST(tar_refuses_what_readers_see_differently)
{
	AUTO_BUF twice = { 0 }, size = { 0 }, zero = { 0 }, both = { 0 }, data = { 0 }, global = { 0 }, huge = { 0 }, again = { 0 };

	put_ext(&twice, 'x', "9 path=a\n9 path=b\n");
	put_file(&twice, "x", "");
	refuses(&twice, "twice");
	put_ext(&size, 'x', "9 size=7\n");	/* CVE-2026-33055: header 5, PAX 7 */
	put_file(&size, "x", "hello");
	refuses(&size, "PAX");
	put_ext(&zero, 'x', "12 size=512\n");	/* CVE-2025-62518: header 0, PAX 512 */
	put_file(&zero, "x", "");
	refuses(&zero, "PAX");
	put_ext(&both, 'x', "9 path=a\n");
	put_ext(&both, 'L', "b");
	put_file(&both, "x", "");
	refuses(&both, "GNU long name");
	put_header(&data, &(struct head){ .name = "l", .type = '2', .link = "x", .size = "00000001000" });
	refuses(&data, "not a file");
	put_ext(&global, 'g', "9 path=a\n");
	refuses(&global, "every entry");
	put_ext(&again, 'x', "9 path=a\n");
	put_ext(&again, 'x', "9 path=a\n");
	refuses(&again, "two PAX");
	put_ext(&huge, 'x', "29 size=99999999999999999999\n");
	refuses(&huge, "not a size");
}

TEST(tar_takes_a_pax_size_that_agrees)
{
	AUTO_BUF b = { 0 };

	put_ext(&b, 'x', "9 size=5\n");
	put_file(&b, "x", "hello");
	put_end(&b);
	wants(&b, "0 x 5;");
}

TEST(tar_refuses_sparse_volumes_and_unknown_types)
{
	static const char types[] = "SVMDNX";

	for (const char *p = types; *p; p++) {
		AUTO_BUF b = { 0 };

		put_header(&b, &(struct head){ .name = "x", .type = *p });
		put_end(&b);
		refuses(&b, *p == 'S' ? "sparse" : "type");
	}
}

TEST(tar_refuses_a_wrong_checksum_and_bad_numbers)
{
	AUTO_BUF sum = { 0 }, neg = { 0 }, big = { 0 }, text = { 0 };

	put_file(&sum, "x", "");
	sum.p[0] ^= 1;
	refuses(&sum, "checksum");
	put_header(&neg, &(struct head){ .name = "x", .type = '0', .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" });
	refuses(&neg, "negative");
	put_header(&big, &(struct head){ .name = "x", .type = '0', .size = "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" });
	refuses(&big, "too large");
	put_header(&text, &(struct head){ .name = "x", .type = '0', .size = "12x" });
	refuses(&text, "not a number");
}

TEST(tar_refuses_to_end_early)
{
	AUTO_BUF cut = { 0 }, lone = { 0 }, ext = { 0 };

	put_file(&cut, "x", "hello");
	refuses(&cut, "end marker");
	cut.n -= 600;
	refuses(&cut, "ends inside");
	put_file(&lone, "x", "hello");
	buf_fill(&lone, 0, 512);
	refuses(&lone, "end marker");
	put_file(&lone, "y", "hello");
	refuses(&lone, "single zero block");
	put_ext(&ext, 'L', "name");
	put_end(&ext);
	refuses(&ext, "behind an extension");
}

TEST(tar_every_cut_of_an_archive_is_refused)
{
	AUTO_BUF b = { 0 };

	put_ext(&b, 'x', "9 path=a\n");
	put_file(&b, "x", "hello");
	put_end(&b);
	wants(&b, "0 a 5;");
	for (size_t n = 0; n < b.n; n += 37) {
		AUTO_BUF got = { 0 };

		FAILS(listing(&got, slice_of(b.p, n), &e), EC_FORMAT);
	}
}

TEST(tar_path_clean_refuses_what_leaves_the_root)
{
	static const struct {
		const char *in, *out;
	} ok[] = { { "./a//b/", "a/b" }, { "a/./b", "a/b" }, { ".", "" }, { "..hidden", "..hidden" }, { "a..b/...", "a..b/..." } };
	static const char *const bad[] = { "..", "../a", "a/../b", "a/..", "/a", "/" };
	AUTO_BUF deep = { 0 }, wide = { 0 };

	for (size_t i = 0; i < sizeof ok / sizeof ok[0]; i++) {
		AUTO_BUF got = { 0 };

		WORKS(tar_path_clean(&got, slice_str(ok[i].in), &e));
		STR(buf_cstr(&got), ok[i].out);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_BUF got = { 0 };

		FAILS(tar_path_clean(&got, slice_str(bad[i]), &e), EC_REFUSED);
		EQ(got.n, 0);
	}
	for (int i = 0; i < 300; i++)
		buf_puts(&deep, "a/");
	buf_fill(&wide, 'a', 256);
	FAILS(tar_path_clean(&wide, buf_view(&deep), &e), EC_REFUSED);
	FAILS(tar_path_clean(&deep, buf_view(&wide), &e), EC_REFUSED);
	FAILS(tar_path_clean(&deep, SLICE("a\0b"), &e), EC_REFUSED);
}

/* ---- vectors ----------------------------------------------------------------------------------------------- */

/* Parses the archive and cleans every path, as a reader of archives does. */
static int accept_vector(const char *name, struct err *e)
{
	AUTO_BUF b = { 0 };
	struct mem m;
	struct tar t;

	load_vec(&b, name);
	m = (struct mem){ buf_view(&b), 0 };
	tar_init(&t, &(struct tar_src){ mem_read, NULL, &m });
	for (;;) {
		AUTO_TAR_ENTRY x = { 0 };
		AUTO_BUF clean = { 0 };
		bool end = false;

		if (tar_next(&x, &t, &end, e))
			return -1;
		if (end)
			return 0;
		if (tar_path_clean(&clean, buf_view(&x.name), e))
			return -1;
	}
}

TEST(tar_vectors_that_are_good_parse)
{
	static const char *const names[] = { "ok-basic", "ok-pax-longname", "ok-gnu-longname", "ok-pax-xattr", "ok-big-uid", "ok-no-parents",
					     "ok-dotted-names", "ok-trailing-data", "wh-lower", "wh-upper-explicit" };

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[128];

		snprintf(path, sizeof path, "images/layers/%s.tar", names[i]);
		WORKS(accept_vector(path, &e));
	}
}

TEST(tar_vectors_that_are_hostile_are_refused)
{
	static const struct {
		const char *name;
		int code;
	} bad[] = { { "bad-dotdot", EC_REFUSED }, { "bad-dotdot-mid", EC_REFUSED }, { "bad-absolute", EC_REFUSED },
		    { "bad-nul-in-pax-path", EC_FORMAT }, { "bad-checksum", EC_FORMAT }, { "bad-negative-size", EC_FORMAT },
		    { "bad-huge-size", EC_FORMAT }, { "bad-truncated", EC_FORMAT }, { "bad-pax-size-header-zero", EC_FORMAT },
		    { "bad-pax-size-header-nonzero", EC_FORMAT }, { "bad-pax-size-before-longlink", EC_FORMAT } };

	NEED_VECTORS;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char path[128];
		struct err e = { 0 };

		snprintf(path, sizeof path, "images/layers/%s.tar", bad[i].name);
		if (accept_vector(path, &e) != -1 || (int)e.code != bad[i].code)
			test_fail(__FILE__, __LINE__, "%s: code %d '%s'", path, e.code, e.msg);
	}
}
