/* SPDX-License-Identifier: Apache-2.0 */
/* See model.h. */

#include "model/model.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codec/hex64.h"
#include "model/ends.h"
#include "model/file.h"
#include "model/tink_keyset.h"

/* --- what the plaintext looks like ------------------------------------------------------------------------------ */

/* Beginnings of what people encrypt with openssl enc (model-formats.md 1.5). */
static bool known_content(const uint8_t *p, size_t n)
{
	static const struct {
		size_t at, n;
		const char *magic;
	} known[] = {
		{ 0, 4, "GGUF" },		{ 8, 1, "{" },			/* safetensors */
		{ 0, 2, "\x1f\x8b" },		{ 0, 4, "\x28\xb5\x2f\xfd" },	/* gzip, zstd */
		{ 0, 4, "PK\3\4" },		{ 257, 5, "ustar" },		/* zip (PyTorch, Keras), tar */
		{ 0, 8, "\x89HDF\r\n\x1a\n" },	{ 4, 4, "TFL3" },
	};
	bool text = n > 0;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (n >= known[i].at + known[i].n && !memcmp(p + known[i].at, known[i].magic, known[i].n))
			return true;
	if (n >= 2 && p[0] == 0x08 && p[1] <= 12)	/* ONNX: ir_version */
		return true;
	for (size_t i = 0; i < n; i++)			/* text: data sets, JSON, templates */
		text = text && (p[i] >= 0x20 || p[i] == '\n' || p[i] == '\r' || p[i] == '\t') && p[i] != 0x7f;
	return text || !n;
}

static void describe(struct model_info *info, const struct container *c)
{
	if (!info)
		return;
	info->format = c->format->name;
	info->authenticated = c->format->authenticated;
	snprintf(info->cipher, sizeof info->cipher, "%s", c->cipher);
	info->has_key_id = c->has_key_id;
	info->key_id = c->key_id;
	info->key_cut = c->key_cut;
	info->key_used = c->key_used;
	info->key_given = c->key_given;
}

/* --- the expected digest ---------------------------------------------------------------------------------------- */

static int wanted_digest(uint8_t ret[static 32], const struct model_opts *o, struct err *e)
{
	if (o->sha256 && hex_decode_n(ret, 32, o->sha256, e))
		return err_ctx(e, "expected SHA-256");
	return 0;
}

static int compare_digest(struct hasher *h, const uint8_t want[static 32], const struct model_opts *o, struct err *e)
{
	AUTO_BUF hex = { 0 };
	uint8_t got[HASH_MAX];

	if (hasher_end(h, got, e))
		return -1;
	buf_hex(&hex, slice_of(got, 32));
	if (buf_check(&hex, e))
		return -1;
	if (!mem_eq_ct(got, want, 32))
		return err_set(e, EC_REFUSED, "the plaintext has SHA-256 %s, wanted %s", buf_cstr(&hex), o->sha256);
	if (o->info)
		snprintf(o->info->sha256, sizeof o->info->sha256, "%s", buf_cstr(&hex));
	return 0;
}

/* --- held back until the end -------------------------------------------------------------------------------------- */

static int hold_back(struct err *e)
{
	const int fd = memfd_create("cvmbox", MFD_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, EC_IO, "cannot create a file in memory");
}

static int release(uint64_t *written, int from, int to, uint64_t size, struct err *e)
{
	uint8_t chunk[65536];
	uint64_t at = 0;

	while (at < size) {
		const ssize_t n = pread(from, chunk, sizeof chunk, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, EC_IO, "cannot read back from memory");
		if (fd_write_all(to, chunk, (size_t)n, e))
			return -1;
		at += (uint64_t)n;
		*written = at;
	}
	mem_wipe(chunk, sizeof chunk);
	return 0;
}

/* --- decryption --------------------------------------------------------------------------------------------------- */

static int gate(const struct container *c, const struct model_opts *o, struct err *e)
{
	if (c->format->authenticated || o->insecure_unauthenticated || o->sha256)
		return 0;
	err_set(e, EC_REFUSED, "format '%s' authenticates nothing: whoever held the file could have changed it",
		c->format->name);
	return err_hint(e, "give the SHA-256 of the plaintext with --sha256, or take the risk with "
			   "--insecure-unauthenticated");
}

static int decrypt_run(struct pipeline *p, struct sink *out, const struct container *c, struct input *in,
		       const struct model_opts *o, struct err *e)
{
	AUTO_HASHER h = { 0 };
	uint8_t want[32];

	if (wanted_digest(want, o, e) || (o->sha256 && hasher_init(&h, HASH_SHA256, e)))
		return -1;
	out->hash = o->sha256 ? &h : NULL;
	if (pipeline_run(p, c, in, out, e) || (o->sha256 && compare_digest(&h, want, o, e)))
		return -1;
	if (o->info)
		o->info->odd_content = !c->format->authenticated && !o->sha256 &&
				       !known_content(out->first, out->first_n);
	return 0;
}

int model_decrypt_input(uint64_t *size, struct pipeline *p, int out_fd, bool stream, struct input *in,
			const struct secret *key, const struct model_opts *o, struct err *e)
{
	AUTO_CONTAINER c = { 0 };
	AUTO_FD held = -1;
	struct sink out = { .fd = out_fd, .in_place = !stream };
	uint64_t written = 0;
	int rc;

	if (container_open(&c, in, key, o, e))
		return -1;
	describe(o->info, &c);
	if (gate(&c, o, e))
		return -1;
	if (stream && (c.whole || o->sha256)) {
		held = hold_back(e);
		if (held < 0)
			return -1;
		out = (struct sink){ .fd = held, .in_place = true };
	}
	rc = decrypt_run(p, &out, &c, in, o, e);
	if (held >= 0)
		rc = rc ? rc : release(&written, held, out_fd, out.written, e);
	else
		written = out.written;
	if (rc)
		return stream ? err_ctx(e, "after %llu bytes were written", (unsigned long long)written) : -1;
	if (o->info) {
		o->info->bytes_in += in->sized ? in->size : in->at;
		o->info->bytes_out += written;
	}
	*size = written;
	return 0;
}

int model_decrypt_fd(uint64_t *size, int out_fd, bool stream, int in_fd, const char *in_name,
		     const struct secret *key, const struct model_opts *o, struct err *e)
{
	AUTO_PIPELINE *p = NULL;
	AUTO_INPUT in = { 0 };

	if (input_fd(&in, in_fd, in_name, e) || pipeline_new(&p, o, e))
		return -1;
	in.deadline_ms = o->deadline_ms;
	return model_decrypt_input(size, p, out_fd, stream, &in, key, o, e);
}

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int model_decrypt_memfd(int *ret, uint64_t *size, const char *path, const struct secret *key,
			const struct model_opts *o, struct err *e)
{
	AUTO_FD in = model_in_open(path, e), out = -1;
	uint64_t n;

	if (in < 0)
		return -1;
	out = memfd_create("model", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (out < 0)
		return err_sys(e, errno == ENOSYS ? EC_ABSENT : EC_IO, "cannot create a file in memory");
	if (model_decrypt_fd(&n, out, false, in, path, key, o, e))
		return -1;
	if (fcntl(out, F_ADD_SEALS, SEALS) || lseek(out, 0, SEEK_SET))
		return err_sys(e, EC_IO, "cannot seal the file in memory");
	*ret = out;
	*size = n;
	out = -1;
	return 0;
}

/* --- encryption ----------------------------------------------------------------------------------------------------- */

int model_encrypt_input(uint64_t *size, uint8_t *header, struct pipeline *p, int out_fd, bool stream,
			struct input *in, const struct secret *keyset, const struct model_opts *o, struct err *e)
{
	AUTO_CONTAINER c = { 0 };
	struct sink out = { .fd = out_fd, .in_place = !stream };

	if (tink_create(&c, keyset, o, e))
		return -1;
	describe(o->info, &c);
	if (pipeline_run(p, &c, in, &out, e) || input_whole(in, e))
		return -1;
	if (header)
		memcpy(header, c.header, c.header_n);
	if (o->info) {
		o->info->bytes_in += in->sized ? in->size : in->at;
		o->info->bytes_out += out.written;
	}
	*size = out.written;
	return 0;
}

int model_encrypt_fd(uint64_t *size, int out_fd, bool stream, int in_fd, const char *in_name,
		     const struct secret *keyset, const struct model_opts *o, struct err *e)
{
	AUTO_PIPELINE *p = NULL;
	AUTO_INPUT in = { 0 };

	if (input_fd(&in, in_fd, in_name, e) || pipeline_new(&p, o, e))
		return -1;
	in.deadline_ms = o->deadline_ms;
	return model_encrypt_input(size, NULL, p, out_fd, stream, &in, keyset, o, e);
}

int model_new_key(struct secret *ret, struct err *e)
{
	return tink_keyset_new(ret, e);
}
