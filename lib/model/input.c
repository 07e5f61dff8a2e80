/* SPDX-License-Identifier: Apache-2.0 */
/* See input.h. */

#include "model/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"

#define CHUNK ((size_t)64 << 10)
#define AHEAD_MAX ((size_t)512 << 20)	/* looking ahead takes a segment at most */

static int file_size(struct input *in, struct err *e)
{
	const off_t at = lseek(in->fd, 0, SEEK_CUR), end = lseek(in->fd, 0, SEEK_END);

	if (at < 0 || end < 0 || lseek(in->fd, at, SEEK_SET) < 0)
		return err_sys(e, EC_IO, "cannot seek in '%s'", in->name);
	in->base = (uint64_t)at;
	in->size = end > at ? (uint64_t)(end - at) : 0;
	in->sized = in->seekable = true;
	posix_fadvise(in->fd, at, 0, POSIX_FADV_SEQUENTIAL);	/* advice: may fail */
	return 0;
}

int input_fd(struct input *in, int fd, const char *name, struct err *e)
{
	struct stat st;

	*in = (struct input){ .name = name, .fd = fd, .ahead.max = AHEAD_MAX };
	if (fstat(fd, &st))
		return err_sys(e, EC_IO, "cannot look at '%s'", name);
	if (S_ISDIR(st.st_mode))
		return err_set(e, EC_USAGE, "'%s' is a folder, wanted a file", name);
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return file_size(in, e);
	if (S_ISFIFO(st.st_mode))
		fcntl(fd, F_SETPIPE_SZ, 1 << 20);	/* fewer turns; as it is where the limit is lower */
	return 0;
}

void input_mem(struct input *in, struct slice data, bool sized, const char *name)
{
	*in = (struct input){ .name = name, .fd = -1, .mem = data, .is_mem = true, .sized = sized };
	in->ahead.max = AHEAD_MAX;
	in->size = sized ? data.n : 0;
}

void input_free(struct input *in)
{
	buf_free(&in->ahead);
}

/* A stream that says nothing must not hold the call for ever. */
static int wait_for(const struct input *in, struct err *e)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	for (;;) {
		const int64_t left = in->deadline_ms - host_mono_ms();
		const int rc = poll(&p, 1, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);

		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return err_sys(e, EC_IO, "cannot wait for '%s'", in->name);
		if (left <= 0)
			return err_set(e, EC_IO, "the time limit is over: '%s' gave nothing more after byte %llu",
				       in->name, (unsigned long long)in->at);
	}
}

/* Up to n raw bytes at a place of the file (sized), or the next ones (stream); 0 at the end. */
static int raw_some(void *p, size_t n, uint64_t at, size_t *got, const struct input *in, struct err *e)
{
	ssize_t k;

	if (in->is_mem) {
		const size_t from = at < in->mem.n ? (size_t)at : in->mem.n;

		*got = n < in->mem.n - from ? n : in->mem.n - from;
		if (*got)
			memcpy(p, in->mem.p + from, *got);
		return 0;
	}
	if (!in->seekable && in->deadline_ms && wait_for(in, e))
		return -1;
	do
		k = in->seekable ? pread(in->fd, p, n, (off_t)(in->base + at)) : read(in->fd, p, n);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		return err_sys(e, EC_IO, "cannot read '%s' at byte %llu", in->name, (unsigned long long)at);
	*got = (size_t)k;
	return 0;
}

int input_at(void *p, size_t n, uint64_t at, const struct input *in, struct err *e)
{
	uint8_t *to = p;

	while (n) {
		size_t got;

		if (raw_some(to, n, at, &got, in, e))
			return -1;
		if (!got)
			return err_set(e, EC_IO, "'%s' became shorter while it was read: it ends at byte %llu of %llu",
				       in->name, (unsigned long long)at, (unsigned long long)in->size);
		to += got, n -= got, at += got;
	}
	return 0;
}

int input_whole(const struct input *in, struct err *e)
{
	uint8_t more;
	size_t got = 0;

	if (!in->sized || in->is_mem)
		return 0;
	if (raw_some(&more, 1, in->size, &got, in, e))
		return -1;
	return got ? err_set(e, EC_IO, "'%s' became longer while it was read: it goes on behind byte %llu", in->name,
			     (unsigned long long)in->size) : 0;
}

static int b64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The four characters of a quartet, of which the last ones may be '=' (RFC 4648 section 4); unused bits have to be
 * zero. */
static int b64_quartet(struct input *in, struct err *e)
{
	const uint8_t *q = in->quartet;
	const unsigned fill = (q[3] == '=') + (q[2] == '=' && q[3] == '=');
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++) {
		const int x = i >= 4 - fill ? 0 : b64_value(q[i]);

		if (x < 0)
			return err_set(e, EC_FORMAT, "'%s' is not base64: '=' inside", in->name);
		v = v << 6 | (uint32_t)x;
	}
	if (v & ((1u << 8 * fill) - 1))
		return err_set(e, EC_FORMAT, "'%s' is not base64: unused bits are set", in->name);
	for (unsigned i = 0; i < 3 - fill; i++)
		buf_byte(&in->ahead, (uint8_t)(v >> (16 - 8 * i)));
	in->quartet_n = 0;
	in->b64_ended = fill > 0;
	return 0;
}

static int b64_add(struct input *in, const uint8_t *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (in->b64_ended)
			return err_set(e, EC_FORMAT, "'%s': bytes behind the end of the base64 text", in->name);
		if (b64_value(c) < 0 && c != '=')
			return err_set(e, EC_FORMAT, "'%s' is not base64: byte 0x%02x", in->name, c);
		in->quartet[in->quartet_n++] = c;
		if (in->quartet_n == 4 && b64_quartet(in, e))
			return -1;
	}
	return 0;
}

static int check_end(const struct input *in, struct err *e)
{
	if (in->eof && in->base64 && in->quartet_n)
		return err_set(e, EC_FORMAT, "'%s' is cut: the base64 text ends inside a group of four", in->name);
	return 0;
}

/* Drops what was taken, and reads a chunk (at least) behind it. */
static int fill(struct input *in, size_t want, struct err *e)
{
	uint8_t chunk[16384];
	size_t got;

	if (in->ahead_at) {
		memmove(in->ahead.p, in->ahead.p + in->ahead_at, in->ahead.n - in->ahead_at);
		in->ahead.n -= in->ahead_at;
		in->ahead_at = 0;
	}
	while (!in->eof && in->ahead.n < want) {
		if (raw_some(chunk, sizeof chunk, in->at, &got, in, e))
			return -1;
		in->at += got;
		in->eof = !got;
		if (!in->base64)
			buf_put(&in->ahead, chunk, got);
		else if (b64_add(in, chunk, got, e))
			return -1;
		if (buf_check(&in->ahead, e))
			return -1;
	}
	return check_end(in, e);
}

static size_t ahead_left(const struct input *in)
{
	return in->ahead.n - in->ahead_at;
}

int input_peek(struct slice *ret, struct input *in, size_t n, struct err *e)
{
	if (ahead_left(in) < n && fill(in, n, e))
		return -1;
	*ret = slice_of(in->ahead.p ? in->ahead.p + in->ahead_at : NULL, ahead_left(in) < n ? ahead_left(in) : n);
	return 0;
}

static void take_ahead(uint8_t *to, size_t n, size_t *got, struct input *in)
{
	*got = ahead_left(in) < n ? ahead_left(in) : n;
	if (*got)
		memcpy(to, in->ahead.p + in->ahead_at, *got);
	in->ahead_at += *got;
}

int input_read(void *p, size_t n, size_t *got, struct input *in, struct err *e)
{
	uint8_t *to = p;
	size_t done, k;

	take_ahead(to, n, &done, in);
	while (done < n && !in->eof) {
		if (in->base64) {		/* through the buffer */
			if (fill(in, n - done < CHUNK ? n - done : CHUNK, e))
				return -1;
			take_ahead(to + done, n - done, &k, in);
		} else {			/* straight */
			if (raw_some(to + done, n - done, in->at, &k, in, e))
				return -1;
			in->at += k;
			in->eof = !k;
		}
		done += k;
	}
	*got = done;
	return 0;
}

int input_decode_base64(struct input *in, struct err *e)
{
	AUTO_BUF text = in->ahead;
	const size_t from = in->ahead_at;

	in->ahead = (struct buf){ .max = AHEAD_MAX };
	in->ahead_at = 0;
	in->base64 = true;
	in->sized = false;
	in->size = 0;
	if (from < text.n && b64_add(in, text.p + from, text.n - from, e))
		return -1;
	return buf_check(&in->ahead, e) || check_end(in, e) ? -1 : 0;	/* looking ahead may have read all of it */
}
