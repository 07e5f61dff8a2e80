/* SPDX-License-Identifier: Apache-2.0 */
/* Input that the verbs of `attest` share: see verbs.h. */

#include "codec/hex64.h"
#include "verbs.h"

/* FILE or "-" */
int read_input(struct buf *ret, const char *name, size_t max, struct err *e)
{
	if (strcmp(name, "-"))
		return file_read(ret, name, max, e);
	return fd_read_all(ret, 0, max, e) ? err_ctx(e, "standard input") : 0;
}

static int nonce_hex(struct buf *ret, const char *text, struct err *e)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	return hex_decode(ret, slice_str(text), e) ? err_ctx(e, "the nonce") : 0;
}

/* A nonce file holds hex text, or else the bytes themselves. */
static int nonce_file(struct buf *ret, const char *name, struct err *e)
{
	AUTO_BUF raw = { 0 };
	struct slice text;
	struct err no = { 0 };

	if (read_input(&raw, name, 4096, e))
		return err_ctx(e, "cannot read the nonce");
	text = slice_trim(buf_view(&raw));
	if (text.n && !hex_decode(ret, text, &no))
		return 0;
	buf_slice(ret, buf_view(&raw));
	return buf_check(ret, e);
}

int nonce_get(struct buf *ret, const char *hex, const char *file, struct err *e)
{
	if (hex && file)
		return err_set(e, EC_USAGE, "--nonce and --nonce-file are two nonces: give one");
	if (hex ? nonce_hex(ret, hex, e) : file ? nonce_file(ret, file, e) : 0) {
		if (e->code == EC_FORMAT)
			e->code = EC_USAGE;
		return -1;
	}
	if ((hex || file) && (ret->n == 0 || ret->n > BUNDLE_NONCE_MAX))
		return err_set(e, EC_USAGE, "the nonce has %zu bytes, wanted 1 to %d", ret->n, BUNDLE_NONCE_MAX);
	return 0;
}
