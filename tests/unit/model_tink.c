/* SPDX-License-Identifier: Apache-2.0 */
/* Tink streams of our own making: every size round segment borders, and every way to damage one.  Segments of 64 bytes keep
 * the files small enough to try each byte. */

#include "model.h"

#define SEG 64
#define HEAD 40
#define FIRST (SEG - HEAD - 16)		/* plaintext of segment 0 */
#define FULL (SEG - 16)

static const struct model_opts small = { .aad = { (const uint8_t *)"model.gguf", 10 }, .threads = 3, .task_bytes = 1 };

static void seal(struct buf *ret, size_t n, const struct secret *key)
{
	AUTO_BUF plain = { 0 };

	fill_pattern(&plain, n);
	WORKS(crypt_mem(ret, true, 0, buf_view(&plain), key, &small, &e));
}

static void opens_to_pattern(struct slice file, size_t n, unsigned how, const struct secret *key, const struct model_opts *o)
{
	AUTO_BUF plain = { 0 }, want = { 0 };

	fill_pattern(&want, n);
	WORKS(crypt_mem(&plain, false, how, file, key, o, &e));
	EQ(plain.n, n);
	OK(slice_eq(buf_view(&plain), buf_view(&want)));
}

static void is_refused(struct slice file, const struct secret *key, const struct model_opts *o)
{
	AUTO_BUF plain = { 0 };
	struct err e = { 0 };

	OK(crypt_mem(&plain, false, 0, file, key, o, &e) == -1);
	OK(e.code == EC_REFUSED || e.code == EC_FORMAT);
	OK(crypt_mem(&plain, false, IN_STREAM, file, key, o, &e) == -1);
	OK(e.code == EC_REFUSED || e.code == EC_FORMAT);
}

TEST(tink_every_size_round_segment_borders_comes_back)
{
	AUTO_SECRET key = { 0 };

	one_key(&key, SEG, 1, 0);
	for (size_t n = 0; n <= FIRST + 4 * FULL + 2 && !test_failed(); n++) {
		AUTO_BUF file = { 0 };
		const size_t segments = n <= FIRST ? 1 : 1 + (n - FIRST + FULL - 1) / FULL;

		seal(&file, n, &key);
		EQ(file.n, HEAD + n + 16 * segments);
		for (unsigned how = 0; how < 4; how++)
			opens_to_pattern(buf_view(&file), n, how, &key, &small);
	}
}

TEST(tink_task_size_and_threads_do_not_change_the_result)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 };
	struct model_opts o = small;

	one_key(&key, SEG, 1, 0);
	seal(&file, 5000, &key);
	for (o.threads = 0; o.threads < 5; o.threads += 2)
		for (o.task_bytes = 1; o.task_bytes < 9000; o.task_bytes = o.task_bytes * 3 + 1)
			for (unsigned how = 0; how < 4; how++)
				opens_to_pattern(buf_view(&file), 5000, how, &key, &o);
}

TEST(tink_encrypting_a_stream_gives_the_same_form)
{
	AUTO_SECRET key = { 0 };
	struct model_opts o = small;

	one_key(&key, SEG, 1, 0);
	for (unsigned how = 0; how < 4; how++)
		for (o.task_bytes = 1; o.task_bytes <= 1000; o.task_bytes += 333) {
			AUTO_BUF plain = { 0 }, file = { 0 };

			fill_pattern(&plain, FIRST + 7 * FULL);
			WORKS(crypt_mem(&file, true, how, buf_view(&plain), &key, &o, &e));
			opens_to_pattern(buf_view(&file), plain.n, 0, &key, &o);
		}
}

TEST(tink_two_encryptions_differ)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF a = { 0 }, b = { 0 };

	one_key(&key, SEG, 1, 0);
	seal(&a, 100, &key);
	seal(&b, 100, &key);
	EQ(a.n, b.n);
	OK(memcmp(a.p + 1, b.p + 1, 32));
	OK(memcmp(a.p + HEAD, b.p + HEAD, 16));
}

TEST(tink_every_flipped_byte_is_refused)
{
	for (unsigned mac = 0; mac < 2; mac++) {
		AUTO_SECRET key = { 0 };
		AUTO_BUF file = { 0 };

		one_key(&key, SEG, 1, 0);
		seal(&file, FIRST + FULL + 5, &key);
		for (size_t i = 0; i < file.n && !test_failed(); i++) {
			file.p[i] ^= mac ? 0x80 : 0x01;
			is_refused(buf_view(&file), &key, &small);
			file.p[i] ^= mac ? 0x80 : 0x01;
		}
		opens_to_pattern(buf_view(&file), FIRST + FULL + 5, 0, &key, &small);
	}
}

TEST(tink_every_truncation_is_refused)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 };

	one_key(&key, SEG, 1, 0);
	seal(&file, FIRST + 2 * FULL, &key);	/* ends on a segment border */
	for (size_t n = 0; n < file.n && !test_failed(); n++)
		is_refused(slice_of(file.p, n), &key, &small);
	opens_to_pattern(buf_view(&file), FIRST + 2 * FULL, 0, &key, &small);
}

TEST(tink_anything_behind_the_end_is_refused)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 };

	one_key(&key, SEG, 1, 0);
	seal(&file, FIRST + FULL, &key);
	for (size_t n = 1; n < 2 * SEG && !test_failed(); n++) {
		buf_byte(&file, 0);
		is_refused(buf_view(&file), &key, &small);
	}
}

static void put_segments(struct buf *ret, struct slice file, const char *order)
{
	buf_reset(ret);
	buf_put(ret, file.p, HEAD);
	for (; *order; order++) {
		const size_t i = (size_t)(*order - '0'), from = i ? i * SEG : HEAD;

		buf_put(ret, file.p + from, (i + 1) * SEG - from);
	}
}

TEST(tink_segments_swapped_dropped_or_doubled_are_refused)
{
	static const char *const orders[] = { "0213", "1023", "0132", "013", "023", "123", "012", "00123", "01123", "01233", "0", "3" };
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 }, other = { 0 };

	one_key(&key, SEG, 1, 0);
	seal(&file, FIRST + 3 * FULL, &key);
	put_segments(&other, buf_view(&file), "0123");
	opens_to_pattern(buf_view(&other), FIRST + 3 * FULL, 0, &key, &small);
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		put_segments(&other, buf_view(&file), orders[i]);
		is_refused(buf_view(&other), &key, &small);
	}
}

TEST(tink_segments_of_another_stream_are_refused)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF a = { 0 }, b = { 0 };

	one_key(&key, SEG, 1, 0);
	seal(&a, FIRST + 3 * FULL, &key);
	seal(&b, FIRST + 3 * FULL, &key);
	memcpy(a.p + SEG, b.p + SEG, SEG);
	is_refused(buf_view(&a), &key, &small);
}

TEST(tink_wrong_key_or_associated_data_is_refused)
{
	AUTO_SECRET key = { 0 }, other = { 0 };
	AUTO_BUF file = { 0 };
	struct model_opts o = small;

	one_key(&key, SEG, 1, 0);
	one_key(&other, SEG, 2, 0);
	seal(&file, 200, &key);
	is_refused(buf_view(&file), &other, &small);
	o.aad = SLICE("model.ggug");
	is_refused(buf_view(&file), &key, &o);
	o.aad = slice_of(NULL, 0);
	is_refused(buf_view(&file), &key, &o);
	opens_to_pattern(buf_view(&file), 200, 0, &key, &small);
}

TEST(tink_stream_output_holds_only_what_stood_before_the_bad_segment)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 }, got = { 0 }, want = { 0 };
	struct err e = { 0 };

	one_key(&key, SEG, 1, 0);
	seal(&file, FIRST + 40 * FULL, &key);
	fill_pattern(&want, FIRST + 40 * FULL);
	for (size_t bad = 0; bad < 41 && !test_failed(); bad += 5) {
		file.p[bad * SEG + HEAD] ^= 4;
		for (unsigned how = OUT_STREAM; how < 4; how++) {
			EQ(crypt_mem(&got, false, how, buf_view(&file), &key, &small, &e), -1);
			EQ(e.code, EC_REFUSED);
			EQ(got.n, bad ? FIRST + (bad - 1) * FULL : 0);
			OK(got.n == 0 || !memcmp(got.p, want.p, got.n));
			HAS(e.msg, "bytes were written");
		}
		file.p[bad * SEG + HEAD] ^= 4;
	}
}

TEST(tink_ctr_hmac_damage_is_refused)
{
	/* Tink's own CTR-HMAC vectors are opened in model_vectors.c; writing is refused by name. */
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 };

	one_key(&key, 128, 1, 3);
	FAILS(crypt_mem(&file, true, 0, SLICE("x"), &key, &small, &e), EC_ABSENT);
}

TEST(tink_default_key_writes_one_megabyte_segments)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF plain = { .max = (size_t)8 << 20 }, file = { 0 }, back = { 0 };
	struct model_info info = { 0 };
	struct model_opts o = { .info = &info };
	const size_t n = (3u << 20) + 12345;

	WORKS(model_new_key(&key, &e));
	fill_pattern(&plain, n);
	WORKS(crypt_mem(&file, true, 0, buf_view(&plain), &key, &o, &e));
	EQ(file.n, 40 + n + 4 * 16);
	STR(info.cipher, "aes256-gcm-hkdf-sha256, 1048576-byte segments");
	OK(info.has_key_id && info.key_id);
	WORKS(crypt_mem(&back, false, 0, buf_view(&file), &key, &o, &e));
	OK(slice_eq(buf_view(&back), buf_view(&plain)));
	OK(info.authenticated);
	STR(info.format, "tink");
	file.p[file.n - 1] ^= 1;
	FAILS(crypt_mem(&back, false, 0, buf_view(&file), &key, &o, &e), EC_REFUSED);
}

TEST(tink_expected_digest_is_compared)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 }, got = { 0 };
	struct model_info info = { 0 };
	struct model_opts o = small;

	one_key(&key, SEG, 1, 0);
	WORKS(crypt_mem(&file, true, 0, SLICE("abc"), &key, &small, &e));
	o.info = &info;
	o.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	for (unsigned how = 0; how < 4; how++)
		WORKS(crypt_mem(&got, false, how, buf_view(&file), &key, &o, &e));
	STR(info.sha256, o.sha256);
	o.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ae";
	for (unsigned how = 0; how < 4; how++) {
		FAILS(crypt_mem(&got, false, how, buf_view(&file), &key, &o, &e), EC_REFUSED);
		EQ(how & OUT_STREAM ? got.n : 0, 0);
	}
	o.sha256 = "abc";
	FAILS(crypt_mem(&got, false, 0, buf_view(&file), &key, &o, &e), EC_FORMAT);
}

TEST(unknown_files_are_named_where_they_are_known)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF got = { 0 };
	struct err e = { 0 };

	one_key(&key, SEG, 1, 0);
	EQ(crypt_mem(&got, false, 0, SLICE("age-encryption.org/v1\n-> X25519 "), &key, &small, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "an age file");
	FAILS(crypt_mem(&got, false, 0, SLICE("something else"), &key, &small, &e), EC_FORMAT);
	FAILS(crypt_mem(&got, false, 0, SLICE(""), &key, &small, &e), EC_FORMAT);
	FAILS(crypt_mem(&got, false, 0, SLICE("x"), &key, &(const struct model_opts){ .format = "zip" }, &e), EC_USAGE);
}
