/* SPDX-License-Identifier: Apache-2.0 */
/* See ref.h. */

#include "image/ref.h"

#include "base/cursor.h"

const char *transport_word(enum transport t)
{
	return t == TRANSPORT_OCI ? "oci" : "oci-archive";
}

void image_ref_free(struct image_ref *r)
{
	free(r->path);
	free(r->tag);
	*r = (struct image_ref){ 0 };
}

static bool cut_prefix(const char **text, const char *prefix)
{
	const size_t n = strlen(prefix);

	if (strncmp(*text, prefix, n))
		return false;
	*text += n;
	return true;
}

static int other_transport(const char *text, struct err *e)
{
	static const struct {
		const char *prefix, *hint;
	} later[] = {
		{ "docker://", "copy it to disk first: skopeo copy docker://NAME oci:DIR:TAG, or cosign save --dir DIR NAME (with signatures)" },
		{ "docker-archive:", "it has no manifest that could be signed: skopeo copy docker-archive:FILE oci:DIR:TAG, then sign that" },
		{ "fit:", NULL }, { "dir:", NULL }, { "docker-daemon:", NULL }, { "containers-storage:", NULL }
	};

	for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
		if (strncmp(text, later[i].prefix, strlen(later[i].prefix)))
			continue;
		err_set(e, EC_ABSENT, "'%s': this version does not read %s images", text, later[i].prefix);
		return later[i].hint ? err_hint(e, "%s", later[i].hint) : -1;
	}
	return err_set(e, EC_USAGE, "'%s' is not an image: wanted oci:DIR[:TAG][@DIGEST] or oci-archive:FILE[:TAG][@DIGEST]", text);
}

static int parse_selector(struct image_ref *r, const char *text, struct err *e)
{
	if (!*text)
		return err_set(e, EC_USAGE, "nothing stands behind the ':' of the image");
	if (*text != '@')
		return (r->tag = str_dup(text, e)) ? 0 : -1;
	if (parse_u64(&r->index, text + 1, 1 << 20, NULL))
		return err_set(e, EC_USAGE, "'%s' is not an index (@0, @1, ...) or a digest (@sha256:...)", text);
	r->has_index = true;
	return 0;
}

int image_ref_parse(struct image_ref *ret, const char *text, struct err *e)
{
	AUTO_IMAGE_REF r = { 0 };
	const char *rest = text, *pin = NULL, *colon;
	AUTO_STR *body = NULL;

	if (cut_prefix(&rest, "oci-archive:"))
		r.transport = TRANSPORT_OCI_ARCHIVE;
	else if (cut_prefix(&rest, "oci:"))
		r.transport = TRANSPORT_OCI;
	else
		return other_transport(text, e);
	for (const char *p = rest; *p; p++)
		if (!strncmp(p, "@sha256:", 8) || !strncmp(p, "@sha384:", 8) || !strncmp(p, "@sha512:", 8))
			pin = p;
	if (pin && digest_parse(&r.pin, pin + 1, e)) {
		if (e)
			e->code = EC_USAGE;
		return -1;
	}
	body = str_ndup(rest, pin ? (size_t)(pin - rest) : strlen(rest), e);
	if (!body)
		return -1;
	colon = strchr(body, ':');
	if (colon && parse_selector(&r, colon + 1, e))
		return err_ctx(e, "'%s'", text);
	if (!*body || colon == body)
		return err_set(e, EC_USAGE, "'%s' names no path", text);
	if (!(r.path = str_ndup(body, colon ? (size_t)(colon - body) : strlen(body), e)))
		return -1;
	image_ref_free(ret);
	*ret = r;
	r = (struct image_ref){ 0 };
	return 0;
}
