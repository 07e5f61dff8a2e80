/* SPDX-License-Identifier: Apache-2.0 */
/* See container.h. */

#include "model/container.h"

static const struct container_format *const formats[] = {
	&format_openssl, &format_openssl_base64, &format_tink, &format_gcm,
};
#define N_FORMATS (sizeof formats / sizeof formats[0])

/* Formats that are known by their first bytes and cannot be opened here: better named than called unknown. */
static const struct known {
	const char *magic, *name;
} known[] = {
	{ "age-encryption.org/v1", "an age file" },
	{ "-----BEGIN AGE ENCRYPTED FILE-----", "an armored age file" },
	{ "LUKS\xba\xbe", "a LUKS volume" },
	{ "eyJ", "a JWE or another JOSE text" },
	{ "GGUF", "a plain GGUF model, not encrypted" },
	{ "verity\0\0", "a dm-verity superblock" },
};

uint64_t layout_start(const struct layout *l, uint64_t i)
{
	return i ? l->head + l->first + (i - 1) * l->seg : l->head;
}

uint64_t layout_count(const struct layout *l, uint64_t size)
{
	const uint64_t frame = l->head + l->trail, body = size > frame ? size - frame : 0;

	return body <= l->first ? 1 : 1 + (body - l->first + l->seg - 1) / l->seg;
}

static bool begins(struct slice head, const char *magic)
{
	const size_t n = strlen(magic);

	return head.n >= n && !memcmp(head.p, magic, n);
}

static int unknown(const struct input *in, struct slice head, struct err *e)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (begins(head, known[i].magic)) {
			err_set(e, EC_ABSENT, "'%s' is %s: this format cannot be opened", in->name, known[i].name);
			return err_hint(e, "formats: tink, openssl-enc, gcm");
		}
	err_set(e, EC_FORMAT, "cannot tell the format of '%s' from its %zu first bytes and the key", in->name,
		head.n);
	return err_hint(e, "was the right key given (a Tink file needs its keyset)?  name the format with --format");
}

/* Several rows may share a name (openssl-enc as bytes and as base64 text): the one whose magic fits wins, else the
 * first. */
static int choose(const struct container_format **ret, const struct input *in, struct slice head,
		  const struct secret *key, const char *name, struct err *e)
{
	const bool any = !name || !strcmp(name, "auto");
	const struct container_format *first = NULL;

	for (size_t i = 0; i < N_FORMATS; i++) {
		if (!any && strcmp(formats[i]->name, name))
			continue;
		if (!first)
			first = formats[i];
		if (formats[i]->detect(head, key)) {
			*ret = formats[i];
			return 0;
		}
	}
	if (any)
		return unknown(in, head, e);
	if (!first) {
		err_set(e, EC_USAGE, "no format is called '%s'", name);
		return err_hint(e, "formats: auto, tink, openssl-enc, gcm");
	}
	*ret = first;
	return 0;
}

int container_open(struct container *ret, struct input *in, const struct secret *key, const struct model_opts *o,
		   struct err *e)
{
	AUTO_CONTAINER c = { 0 };
	const struct container_format *f = NULL;
	struct slice head;

	if (input_peek(&head, in, 64, e) || choose(&f, in, head, key, o->format, e))
		return -1;
	if (f->base64 && input_decode_base64(in, e))
		return -1;
	c.format = f;
	if (f->open(&c, in, key, o, e))
		return -1;
	*ret = c;
	c = (struct container){ 0 };
	return 0;
}

void container_free(struct container *c)
{
	if (c->state_free)
		c->state_free(c->state);
	*c = (struct container){ 0 };
}
