/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files by descriptor and path, the sealed memory file, inputs, and lines of progress. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "base/outfile.h"
#include "model.h"
#include "model/ends.h"
#include "model/progress.h"

static const char *at(const char *rel)
{
	static char ring[4][512];
	static unsigned i;
	char *ret = ring[i++ % 4];

	snprintf(ret, sizeof ring[0], "%s/%s", tmpdir(), rel);
	return ret;
}

/* A file m.tink of 200 pattern bytes. */
static void make(struct secret *key)
{
	AUTO_BUF plain = { 0 }, file = { 0 };
	const struct model_opts o = { 0 };

	one_key(key, 64, 1, 0);
	fill_pattern(&plain, 200);
	WORKS(crypt_mem(&file, true, 0, buf_view(&plain), key, &o, &e));
	WORKS(outfile_write(at("m.tink"), buf_view(&file), 0600, true, &e));
}

TEST(memfd_is_sealed_and_starts_at_its_beginning)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF got = { 0 }, want = { 0 };
	AUTO_FD fd = -1;
	const struct model_opts o = { 0 };
	uint64_t size = 0;
	int n = -1;

	make(&key);
	fill_pattern(&want, 200);
	WORKS(model_decrypt_memfd(&n, &size, at("m.tink"), &key, &o, &e));
	fd = n;
	EQ(size, 200);
	WORKS(fd_read_all(&got, fd, 1000, &e));
	OK(slice_eq(buf_view(&got), buf_view(&want)));
	EQ(pwrite(fd, "x", 1, 0), -1);
	EQ(errno, EPERM);
	EQ(ftruncate(fd, 10), -1);
	EQ(ftruncate(fd, 1000), -1);
	EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

TEST(memfd_of_a_changed_file_is_not_given)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 };
	const struct model_opts o = { 0 };
	uint64_t size = 77;
	int fd = -77;

	make(&key);
	load(&file, at("m.tink"));
	file.p[100] ^= 1;
	WORKS(outfile_write(at("m.tink"), buf_view(&file), 0600, true, &e));
	FAILS(model_decrypt_memfd(&fd, &size, at("m.tink"), &key, &o, &e), EC_REFUSED);
	EQ(fd, -77);
	EQ(size, 77);
	FAILS(model_decrypt_memfd(&fd, &size, at("none"), &key, &o, &e), EC_IO);
	FAILS(model_decrypt_memfd(&fd, &size, at(""), &key, &o, &e), EC_USAGE);
}

TEST(file_is_read_from_where_its_descriptor_stands)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 }, shifted = { 0 };
	AUTO_FD in = -1, out = memfd_create("out", MFD_CLOEXEC);
	const struct model_opts o = { 0 };
	uint64_t size = 0;

	make(&key);
	load(&file, at("m.tink"));
	buf_puts(&shifted, "something before");
	buf_slice(&shifted, buf_view(&file));
	WORKS(outfile_write(at("s"), buf_view(&shifted), 0600, true, &e));
	in = open(at("s"), O_RDONLY | O_CLOEXEC);
	EQ(lseek(in, 16, SEEK_SET), 16);
	WORKS(model_decrypt_fd(&size, out, false, in, "s", &key, &o, &e));
	EQ(size, 200);
}

/* --- pipes ---------------------------------------------------------------------------------------------------------- */

struct feed {
	int fd;
	struct slice data;
	size_t step;
};

static void *feeder(void *arg)
{
	struct feed *f = arg;

	for (size_t from = 0; from < f->data.n; from += f->step)
		if (fd_write_all(f->fd, f->data.p + from, f->data.n - from < f->step ? f->data.n - from : f->step, NULL))
			break;
	close(f->fd);
	return NULL;
}

TEST(pipes_that_give_little_at_a_time_are_read_whole)
{
	static const size_t steps[] = { 1, 7, 4096 };
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 };

	make(&key);
	load(&file, at("m.tink"));
	for (size_t i = 0; i < 3; i++) {
		AUTO_FD out = memfd_create("out", MFD_CLOEXEC), in = -1;
		const struct model_opts o = { .task_bytes = 1 };
		struct feed f = { .data = buf_view(&file), .step = steps[i] };
		uint64_t size = 0;
		pthread_t t;
		int fd[2];

		OK(!pipe(fd));
		f.fd = fd[1];
		in = fd[0];
		OK(!pthread_create(&t, NULL, feeder, &f));
		WORKS(model_decrypt_fd(&size, out, true, in, "pipe", &key, &o, &e));
		pthread_join(t, NULL);
		EQ(size, 200);
	}
}

TEST(pipes_that_give_nothing_end_with_the_deadline)
{
	AUTO_SECRET key = { 0 };
	AUTO_FD out = memfd_create("out", MFD_CLOEXEC), in = -1, quiet = -1;
	const struct model_opts o = { .deadline_ms = host_mono_ms() + 50 };
	const struct model_opts over = { .deadline_ms = host_mono_ms() - 1 };
	uint64_t size = 0;
	int fd[2];

	make(&key);
	OK(!pipe(fd));
	in = fd[0];
	quiet = fd[1];
	FAILS(model_decrypt_fd(&size, out, true, in, "pipe", &key, &o, &e), EC_IO);
	OK(host_mono_ms() < o.deadline_ms + 5000);
	fd_close(&in);
	in = open(at("m.tink"), O_RDONLY | O_CLOEXEC);
	FAILS(model_decrypt_fd(&size, out, false, in, "file", &key, &over, &e), EC_IO);
	OK(quiet >= 0);
}

/* --- inputs --------------------------------------------------------------------------------------------------------- */

TEST(input_peek_takes_nothing)
{
	for (int sized = 0; sized < 2; sized++) {
		AUTO_INPUT in = { 0 };
		struct slice s;
		char b[8];
		size_t n;

		input_mem(&in, SLICE("0123456789"), sized, "x");
		WORKS(input_peek(&s, &in, 4, &e));
		OK(slice_eqs(s, "0123"));
		WORKS(input_peek(&s, &in, 2, &e));
		OK(slice_eqs(s, "01"));
		WORKS(input_read(b, 3, &n, &in, &e));
		EQ(n, 3);
		WORKS(input_peek(&s, &in, 100, &e));
		OK(slice_eqs(s, "3456789"));
		WORKS(input_read(b, 8, &n, &in, &e));
		EQ(n, 7);
		WORKS(input_read(b, 8, &n, &in, &e));
		EQ(n, 0);
		WORKS(input_peek(&s, &in, 1, &e));
		EQ(s.n, 0);
	}
}

TEST(input_that_became_shorter_is_an_io_error)
{
	AUTO_INPUT in = { 0 };
	char b[8];

	input_mem(&in, SLICE("0123456789"), true, "x");
	WORKS(input_at(b, 4, 6, &in, &e));
	MEM(b, "6789", 4);
	FAILS(input_at(b, 5, 6, &in, &e), EC_IO);
}

static int decode(const char *text, const char *want, struct err *e)
{
	AUTO_INPUT in = { 0 };
	struct slice s;
	char b[100];
	size_t n;

	input_mem(&in, slice_str(text), true, "x");
	if (input_peek(&s, &in, 5, e) || input_decode_base64(&in, e) || input_read(b, sizeof b, &n, &in, e))
		return -1;
	OK(slice_eqs(slice_of(b, n), want));
	return 0;
}

TEST(input_base64_is_strict_but_for_white_space)
{
	WORKS(decode("", "", &e));
	WORKS(decode("\n \n", "", &e));
	WORKS(decode("YQ==", "a", &e));
	WORKS(decode("Y\nW\r\nI=", "ab", &e));
	WORKS(decode("YWJj YWJj", "abcabc", &e));
	FAILS(decode("YR==", "a", &e), EC_FORMAT);	/* unused bits */
	FAILS(decode("YWJ=", "ab", &e), EC_FORMAT);
	FAILS(decode("YQ=", "", &e), EC_FORMAT);
	FAILS(decode("YWJj=", "", &e), EC_FORMAT);
	FAILS(decode("Y===", "", &e), EC_FORMAT);
	FAILS(decode("====", "", &e), EC_FORMAT);
	FAILS(decode("YQ=a", "", &e), EC_FORMAT);
	FAILS(decode("YQ==YQ==", "", &e), EC_FORMAT);
	FAILS(decode("YW-_", "", &e), EC_FORMAT);
}

/* --- ends -------------------------------------------------------------------------------------------------------------- */

TEST(output_by_name_appears_only_when_committed)
{
	AUTO_MODEL_OUT out = MODEL_OUT_INIT;

	WORKS(model_out_open(&out, at("new"), 0600, false, &e));
	OK(!out.stream);
	EQ(access(at("new"), F_OK), -1);
	model_out_drop(&out);
	EQ(access(at("new"), F_OK), -1);
	WORKS(model_out_open(&out, at("new"), 0600, false, &e));
	WORKS(model_out_commit(&out, &e));
	EQ(access(at("new"), F_OK), 0);
	FAILS(model_out_open(&out, at("new"), 0600, false, &e), EC_USAGE);
}

TEST(ends_by_descriptor)
{
	AUTO_MODEL_OUT out = MODEL_OUT_INIT;
	AUTO_FD fd = memfd_create("x", MFD_CLOEXEC), in = -1;
	char name[32];

	snprintf(name, sizeof name, "fd:%d", fd);
	WORKS(model_out_open(&out, name, 0600, false, &e));
	OK(out.stream && out.fd != fd);
	in = model_in_open(name, NULL);
	OK(in >= 0 && in != fd);
	FAILS(model_in_open("fd:", &e), EC_USAGE);
	FAILS(model_in_open("fd:1000000", &e), EC_USAGE);
	FAILS(model_in_open("fd:-1", &e), EC_USAGE);
	FAILS(model_in_open("s3://bucket/key", &e), EC_ABSENT);
}

/* --- progress --------------------------------------------------------------------------------------------------------- */

TEST(progress_on_a_terminal_and_in_a_log)
{
	struct progress p = { .terminal = true }, q = { .terminal = false };
	char line[160];

	OK(!progress_due(&p, line, sizeof line, 0, 1000 << 20, 5000));
	OK(!progress_due(&p, line, sizeof line, 1, 1000 << 20, 5100));
	OK(progress_due(&p, line, sizeof line, 100 << 20, 1000 << 20, 6000));
	STR(line, " 10 %  100.0 MiB of 1000.0 MiB, 100.0 MiB/s, 0:09 left");
	OK(progress_due(&p, line, sizeof line, 1000 << 20, 0, 7000));	/* shorter: padded over the old one */
	STR(line, "1000.0 MiB, 500.0 MiB/s                               ");
	OK(!progress_due(&q, line, sizeof line, 1, 10, 1));
	OK(!progress_due(&q, line, sizeof line, 1, 10, 9000));
	OK(progress_due(&q, line, sizeof line, 1, 10, 10001));
	STR(line, " 10 %  1 byte of 10 bytes, 0 bytes/s, 1:30 left");
}

TEST(progress_sizes_read_well)
{
	char t[32];

	STR(size_text(t, sizeof t, 0), "0 bytes");
	STR(size_text(t, sizeof t, 1), "1 byte");
	STR(size_text(t, sizeof t, 1023), "1023 bytes");
	STR(size_text(t, sizeof t, 1024), "1.0 KiB");
	STR(size_text(t, sizeof t, (1 << 20) - 1), "1.0 MiB");
	STR(size_text(t, sizeof t, UINT64_C(5) << 40), "5.0 TiB");
}
