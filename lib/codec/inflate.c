/* SPDX-License-Identifier: Apache-2.0 */
/* See inflate.h.  zlib does the inner work; this file decides where a stream begins, ends and has to stop. */

#include "codec/inflate.h"

#define ZLIB_CONST	/* its input pointers are const */
#include <zlib.h>

#define GZIP_ONLY (MAX_WBITS + 16)

int inflate_init(struct inflate *ret, const struct inflate_limits *limits, int (*sink)(void *arg, struct slice out, struct err *e),
		 void *arg, struct err *e)
{
	z_stream *z = calloc(1, sizeof *z);

	if (!z)
		return err_oom(e);
	if (inflateInit2(z, GZIP_ONLY) != Z_OK) {
		free(z);
		return err_oom(e);
	}
	*ret = (struct inflate){ .z = z, .limits = *limits, .sink = sink, .arg = arg };
	return 0;
}

void inflate_free(struct inflate *f)
{
	if (f->z)
		inflateEnd(f->z);
	free(f->z);
	f->z = NULL;
}

static int deliver(struct inflate *f, struct slice out, struct err *e)
{
	const struct inflate_limits *l = &f->limits;

	f->out += out.n;
	if (f->out > l->max_out)
		return err_set(e, EC_REFUSED, "gzip data expands to more than %llu bytes, which is the limit",
			       (unsigned long long)l->max_out);
	if (f->out > l->free_out && (f->out - l->free_out) / (l->max_ratio ? l->max_ratio : 1) > f->in)
		return err_set(e, EC_REFUSED, "gzip data expands more than %llu times (%llu bytes in, over %llu out)",
			       (unsigned long long)l->max_ratio, (unsigned long long)f->in, (unsigned long long)f->out);
	return out.n ? f->sink(f->arg, out, e) : 0;
}

/* Between members: zero bytes to the end, or the magic of the next member (the first two bytes decide). */
static int between(struct inflate *f, uint8_t c, struct err *e)
{
	static const uint8_t magic[2] = { 0x1f, 0x8b };
	z_stream *z = f->z;
	uint8_t unused;

	if (f->any && !f->matched && !c) {
		f->padding = true;
		return 0;
	}
	if (f->padding || c != magic[f->matched])
		return f->any ? err_set(e, EC_FORMAT, "there is other data behind the gzip stream")
			      : err_set(e, EC_FORMAT, "this is not gzip data");
	if (++f->matched < sizeof magic)
		return 0;
	if (inflateReset2(z, GZIP_ONLY) != Z_OK)
		return err_set(e, EC_BUG, "zlib: reset failed");
	f->matched = 0;
	f->inside = f->any = true;
	z->next_in = magic;
	z->avail_in = sizeof magic;
	z->next_out = &unused;		/* nothing comes out this early, but zlib wants a place */
	z->avail_out = 1;
	if (inflate(z, Z_NO_FLUSH) != Z_OK || z->avail_in || !z->avail_out)
		return err_set(e, EC_FORMAT, "this is not gzip data");
	return 0;
}

static int pump(struct inflate *f, struct slice *in, struct err *e)
{
	const uInt n = in->n < 4096 ? (uInt)in->n : 4096;	/* the ratio is taken against what was really read */
	uint8_t chunk[32768];
	z_stream *z = f->z;
	int rc;

	z->next_in = in->p;
	z->avail_in = n;
	f->in += n;
	do {
		z->next_out = chunk;
		z->avail_out = sizeof chunk;
		rc = inflate(z, Z_NO_FLUSH);
		if ((rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) || (rc == Z_BUF_ERROR && z->avail_in))
			return err_set(e, rc == Z_MEM_ERROR ? EC_IO : EC_FORMAT, "gzip data is corrupt: %s", z->msg ? z->msg : "cut");
		if (deliver(f, slice_of(chunk, sizeof chunk - z->avail_out), e))
			return -1;
	} while (rc == Z_OK && (z->avail_in || !z->avail_out));
	f->inside = rc != Z_STREAM_END;
	f->in -= z->avail_in;
	*in = slice_of(in->p + (n - z->avail_in), in->n - (n - z->avail_in));
	return 0;
}

int inflate_add(struct inflate *f, struct slice in, struct err *e)
{
	if (f->failed)
		return err_set(e, EC_BUG, "gzip stream is used after it failed");
	f->failed = true;	/* until proved otherwise, below */
	while (in.n) {
		if (f->inside) {
			if (pump(f, &in, e))
				return -1;
			continue;
		}
		if (between(f, in.p[0], e))
			return -1;
		f->in++;
		in = slice_of(in.p + 1, in.n - 1);
	}
	f->failed = false;
	return 0;
}

int inflate_end(struct inflate *f, struct err *e)
{
	if (f->failed || f->inside || f->matched || !f->any)
		return err_set(e, EC_FORMAT, "gzip stream is cut");
	return 0;
}
