/* SPDX-License-Identifier: Apache-2.0 */
/* See info.h. */

#include "model/info.h"

#include "model/progress.h"

void model_info_claims(struct json *claims, const struct model_info *i)
{
	if (!i->format)
		return;
	json_add_str(claims, "format", i->format);
	json_add_str(claims, "cipher", i->cipher);
	json_add_bool(claims, "authenticated", i->authenticated);
	if (i->has_key_id)
		json_add_u64(claims, "key_id", i->key_id);
	if (i->files)
		json_add_u64(claims, "files", i->files);
	json_add_u64(claims, "bytes_in", i->bytes_in);
	json_add_u64(claims, "bytes_out", i->bytes_out);
	if (i->sha256[0])
		json_add_str(claims, "sha256", i->sha256);
}

void model_info_text(struct buf *ret, const struct model_info *i)
{
	char size[32];

	if (i->files)
		buf_printf(ret, "%zu file%s, ", i->files, i->files == 1 ? "" : "s");
	buf_printf(ret, "%s, %s (%s)", size_text(size, sizeof size, i->bytes_out), i->format ? i->format : "?",
		   i->cipher);
	if (i->has_key_id)
		buf_printf(ret, ", key %u", i->key_id);
}

void model_info_warnings(const struct model_info *i, void (*f)(void *arg, const char *line), void *arg)
{
	char line[256];

	if (i->format && !i->authenticated && !i->sha256[0])
		f(arg, "nothing authenticates this format: whoever held the file could have changed the plaintext");
	if (i->key_cut) {
		snprintf(line, sizeof line,
			 "the key file has %zu bytes, the passphrase rules of openssl enc use the first %zu of "
			 "them%s",
			 i->key_given, i->key_used, i->key_used < 16 ? ": that is weak" : "");
		f(arg, line);
	}
	if (i->odd_content)
		f(arg, "the plaintext begins like no known kind of model file: was it the right key, cipher and "
		       "digest?");
}
