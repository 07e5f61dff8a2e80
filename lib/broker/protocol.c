/* SPDX-License-Identifier: Apache-2.0 */
/* See protocol.h */

#include "broker/protocol.h"

bool resource_segment_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' ||
		      (c == '.' && i > 0)))
			return false;
	}
	return s.n > 0 && s.n <= RESOURCE_SEGMENT_MAX;
}

int resource_name_parse(struct resource_name *ret, struct slice text, struct err *e)
{
	struct resource_name n = { 0 };
	size_t at = 0;

	for (int i = 0; i < 3; i++) {
		struct slice part = { text.p + at, 0 };

		while (at < text.n && text.p[at] != '/') {
			at++;
			part.n++;
		}
		if (!resource_segment_ok(part) || (i < 2) != (at < text.n))
			goto bad;
		memcpy(n.part[i], part.p, part.n);
		at++;		/* behind the slash; after the last part nothing is read any more */
	}
	*ret = n;
	return 0;
bad:
	err_set(e, EC_USAGE, "'%.*s' is not a resource name: wanted REPOSITORY/TYPE/TAG", (int)(text.n < 400 ? text.n : 400),
		(const char *)text.p);
	return err_hint(e, "each part has letters, digits, '_', '-' and (not first) '.', at most %d", RESOURCE_SEGMENT_MAX);
}

bool is_resource_uri(const char *s)
{
	return !strncmp(s, "kbs://", 6) || !strncmp(s, "kbs+", 4);
}

int resource_uri_parse(struct resource_name *ret, const char *uri, struct err *e)
{
	const char *path = strstr(uri, "://");

	if (strncmp(uri, "kbs://", 6) && strncmp(uri, "kbs+resource://", 15)) {
		err_set(e, EC_USAGE, "'%s' is not a resource of a key broker: wanted kbs:///REPOSITORY/TYPE/TAG", uri);
		return strncmp(uri, "kbs+", 4) ? -1 : err_hint(e, "plugins other than 'resource' are not spoken here");
	}
	path = strchr(path + 3, '/');
	if (!path)
		return err_set(e, EC_USAGE, "'%s' names no resource: wanted kbs:///REPOSITORY/TYPE/TAG", uri);
	return resource_name_parse(ret, slice_str(path + 1), e);
}

int kbs_runtime_data(struct buf *ret, const char *nonce, const struct json *tee_pubkey, const char *additional, struct err *e)
{
	AUTO_JSON *o = json_object();

	if (additional)
		json_add_str(o, "additional-evidence", additional);
	json_add_str(o, "nonce", nonce);
	json_add_copy(o, "tee-pubkey", tee_pubkey);
	return json_canonical(ret, o, e);
}

int kbs_runtime_digest(uint8_t *ret, enum hash h, const char *nonce, const struct json *tee_pubkey, const char *additional,
		       struct err *e)
{
	AUTO_BUF text = { 0 };

	if (kbs_runtime_data(&text, nonce, tee_pubkey, additional, e))
		return -1;
	return hash_of(ret, h, buf_view(&text), e);
}
