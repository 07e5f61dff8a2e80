/* SPDX-License-Identifier: Apache-2.0 */
/* gzip: members, padding, garbage, bombs. */

#include <zlib.h>

#include "codec/inflate.h"
#include "test.h"

static const struct inflate_limits roomy = { 1 << 30, 200, 1 << 20 };

static int collect(void *arg, struct slice out, struct err *e)
{
	buf_slice(arg, out);
	return buf_check(arg, e);
}

static void gzip(struct buf *ret, struct slice data)
{
	z_stream z = { 0 };
	uint8_t out[65536];
	int rc;

	deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY);
	z.next_in = (z_const Bytef *)(uintptr_t)data.p;
	z.avail_in = (uInt)data.n;
	do {
		z.next_out = out;
		z.avail_out = sizeof out;
		rc = deflate(&z, Z_FINISH);
		buf_put(ret, out, sizeof out - z.avail_out);
	} while (rc == Z_OK);
	deflateEnd(&z);
}

static int run(struct buf *ret, struct slice in, size_t piece, const struct inflate_limits *lim, struct err *e)
{
	AUTO_INFLATE f = { 0 };

	if (inflate_init(&f, lim, collect, ret, e))
		return -1;
	while (in.n) {
		const size_t n = piece < in.n ? piece : in.n;

		if (inflate_add(&f, slice_of(in.p, n), e))
			return -1;
		in = slice_of(in.p + n, in.n - n);
	}
	return inflate_end(&f, e);
}

TEST(inflate_joins_members_in_any_pieces)
{
	AUTO_BUF in = { 0 };

	gzip(&in, SLICE("hello "));
	gzip(&in, SLICE(""));
	gzip(&in, SLICE("world"));
	buf_fill(&in, 0, 700);
	for (size_t piece = 1; piece < in.n + 100; piece += piece < 5 ? 1 : 97) {
		AUTO_BUF out = { 0 };

		WORKS(run(&out, buf_view(&in), piece, &roomy, &e));
		STR(buf_cstr(&out), "hello world");
	}
}

TEST(inflate_refuses_every_cut)
{
	AUTO_BUF in = { 0 };

	gzip(&in, SLICE("hello world"));
	for (size_t n = 0; n < in.n; n++) {
		AUTO_BUF out = { 0 };

		FAILS(run(&out, slice_of(in.p, n), 7, &roomy, &e), EC_FORMAT);
	}
}

TEST(inflate_refuses_every_flipped_byte_or_gives_the_same)
{
	AUTO_BUF in = { 0 };

	gzip(&in, SLICE("hello world, hello world"));
	for (size_t i = 0; i < in.n; i++) {
		AUTO_BUF out = { 0 };

		in.p[i] ^= 0x10;
		if (!run(&out, buf_view(&in), 4096, &roomy, NULL))	/* time, OS and extra flags of the header carry nothing */
			STR(buf_cstr(&out), "hello world, hello world");
		else
			OK(i < 4 || i > 9 || i == 8);
		in.p[i] ^= 0x10;
	}
	in.p[in.n - 6] ^= 1;	/* the CRC */
	{
		AUTO_BUF out = { 0 };

		FAILS(run(&out, buf_view(&in), 4096, &roomy, &e), EC_FORMAT);
	}
}

TEST(inflate_refuses_garbage_behind_the_stream)
{
	static const char *const tails[] = { "x", "\x1f", "\x1f\x8c", "\x1fx" };

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		AUTO_BUF in = { 0 }, out = { 0 }, padded = { 0 };

		gzip(&in, SLICE("data"));
		buf_slice(&padded, buf_view(&in));
		buf_fill(&padded, 0, 3);
		buf_puts(&in, tails[i]);
		buf_puts(&padded, tails[i]);
		FAILS(run(&out, buf_view(&in), 4096, &roomy, &e), EC_FORMAT);
		FAILS(run(&out, buf_view(&padded), 1, &roomy, &e), EC_FORMAT);
	}
}

TEST(inflate_refuses_a_member_behind_padding)
{
	AUTO_BUF in = { 0 }, out = { 0 };

	gzip(&in, SLICE("data"));
	buf_fill(&in, 0, 3);
	gzip(&in, SLICE("more"));
	FAILS(run(&out, buf_view(&in), 4096, &roomy, &e), EC_FORMAT);
}

TEST(inflate_stops_at_a_bomb)
{
	AUTO_BUF in = { 0 }, zeros = { 0 }, out = { 0 }, out2 = { 0 }, out3 = { 0 };

	buf_fill(&zeros, 0, 8 << 20);
	gzip(&in, buf_view(&zeros));
	FAILS(run(&out, buf_view(&in), 65536, &roomy, &e), EC_REFUSED);
	OK(out.n <= (4u << 20));
	FAILS(run(&out2, buf_view(&in), 65536, &(struct inflate_limits){ 1000, 100000, 1 << 30 }, &e), EC_REFUSED);
	EQ(out2.n, 0);
	WORKS(run(&out3, buf_view(&in), 65536, &(struct inflate_limits){ 8 << 20, 2000, 0 }, &e));
	EQ(out3.n, 8 << 20);
}

TEST(inflate_is_over_after_a_failure)
{
	AUTO_INFLATE f = { 0 };
	AUTO_BUF out = { 0 };

	WORKS(inflate_init(&f, &roomy, collect, &out, &e));
	FAILS(inflate_add(&f, SLICE("not gzip"), &e), EC_FORMAT);
	FAILS(inflate_add(&f, SLICE("\x1f\x8b"), &e), EC_BUG);
	FAILS(inflate_end(&f, &e), EC_FORMAT);
}

static void vector(const char *name, int code)
{
	AUTO_BUF in = { 0 }, out = { 0 };
	struct err e = { 0 };
	char path[128];
	const struct inflate_limits lim = { 1 << 30, 200, 16 << 20 };
	int rc;

	snprintf(path, sizeof path, "images/layers/%s", name);
	load_vec(&in, path);
	rc = run(&out, buf_view(&in), 65536, &lim, &e);
	if (code ? rc != -1 || (int)e.code != code : rc)
		test_fail(__FILE__, __LINE__, "%s: rc %d code %d '%s'", name, rc, e.code, e.msg);
}

TEST(inflate_vectors)
{
	NEED_VECTORS;
	vector("ok-basic.tar.gz", EC_OK);
	vector("ok-multi-member.tar.gz", EC_OK);
	vector("ok-trailing-zeros.tar.gz", EC_OK);
	vector("bad-gzip-crc.tar.gz", EC_FORMAT);
	vector("bad-trailing-garbage.tar.gz", EC_FORMAT);
	vector("bomb-64MiB.tar.gz", EC_REFUSED);
}
