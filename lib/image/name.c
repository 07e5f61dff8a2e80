/* SPDX-License-Identifier: Apache-2.0 */
/* See name.h.  Grammar: images.md 1.3, after the distribution project's reference grammar. */

#include "image/name.h"

#include "image/digest.h"

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alnum(char c)
{
	return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* Labels joined by '.', then an optional ':' and port. */
static bool is_domain(struct slice s)
{
	const char *p = (const char *)s.p;
	size_t i = 0;

	do {
		const size_t start = i;

		while (i < s.n && (alnum(p[i]) || p[i] == '-'))
			i++;
		if (i == start || p[start] == '-' || p[i - 1] == '-')
			return false;
	} while (i < s.n && p[i] == '.' && ++i);
	if (i == s.n)
		return true;
	if (p[i++] != ':' || i == s.n)
		return false;
	for (; i < s.n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

bool name_is_domain(const char *text)
{
	return is_domain(slice_str(text));
}

/* [a-z0-9]+ joined by '.', '_', '__' or a run of '-'. */
static bool is_component(struct slice s)
{
	const char *p = (const char *)s.p;
	size_t i = 0;

	for (;;) {
		const size_t start = i;

		while (i < s.n && lower_or_digit(p[i]))
			i++;
		if (i == start)
			return false;
		if (i == s.n)
			return true;
		if (p[i] == '-') {
			while (i < s.n && p[i] == '-')
				i++;
		} else if (p[i] == '.') {
			i++;
		} else if (p[i] == '_') {
			i += i + 1 < s.n && p[i + 1] == '_' ? 2 : 1;
		} else {
			return false;
		}
	}
}

static bool is_path(struct slice s)
{
	for (;;) {
		const uint8_t *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
		const size_t n = slash ? (size_t)(slash - s.p) : s.n;

		if (!is_component(slice_of(s.p, n)))
			return false;
		if (!slash)
			return true;
		s = slice_of(slash + 1, s.n - n - 1);
	}
}

static bool is_tag(struct slice s)
{
	if (!s.n || s.n > 128 || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!alnum((char)s.p[i]) && s.p[i] != '_' && s.p[i] != '.' && s.p[i] != '-')
			return false;
	return true;
}

void name_free(struct name *n)
{
	free(n->repo);
	free(n->tag);
	free(n->digest);
	*n = (struct name){ 0 };
}

static bool bare_hex(struct slice s)
{
	if (s.n != 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.p[i]) || !s.p[i])
			return false;
	return true;
}

/* Splits off what stands before the first '/' if it is a host: it has a '.' or ':' or is "localhost". */
static bool split_domain(struct slice *domain, struct slice *path, struct slice repo)
{
	const uint8_t *slash = repo.n ? memchr(repo.p, '/', repo.n) : NULL;
	const struct slice first = slice_of(repo.p, slash ? (size_t)(slash - repo.p) : 0);

	if (!slash || (!memchr(first.p, '.', first.n) && !memchr(first.p, ':', first.n) && !slice_eqs(first, "localhost")))
		return false;
	*domain = first;
	*path = slice_of(slash + 1, repo.n - first.n - 1);
	return true;
}

static int parse_repo(char **ret, struct slice repo, bool normalise, const char *text, struct err *e)
{
	AUTO_BUF full = { .max = 1024 };
	struct slice domain = { 0 }, path = repo;

	if (split_domain(&domain, &path, repo)) {
		if (slice_eqs(domain, "index.docker.io"))
			domain = SLICE("docker.io");
	} else if (normalise) {
		domain = SLICE("docker.io");
	} else {
		return err_set(e, EC_FORMAT, "image name '%s' has no host in front", text);
	}
	if (bare_hex(repo) || !is_domain(domain) || !is_path(path))
		return err_set(e, EC_FORMAT, "'%s' is not an image name (host/path in lower case, then :tag or @digest)", text);
	buf_slice(&full, domain);
	buf_byte(&full, '/');
	if (slice_eqs(domain, "docker.io") && !memchr(path.p, '/', path.n))
		buf_puts(&full, "library/");
	buf_slice(&full, path);
	if (full.n > NAME_MAX_BYTES)
		return err_set(e, EC_FORMAT, "image name is longer than %d bytes", NAME_MAX_BYTES);
	*ret = buf_check(&full, e) ? NULL : str_ndup(full.p, full.n, e);
	return *ret ? 0 : -1;
}

int name_parse(struct name *ret, const char *text, bool normalise, struct err *e)
{
	AUTO_NAME n = { 0 };
	struct slice rest = slice_str(text);
	const uint8_t *at = rest.n ? memchr(rest.p, '@', rest.n) : NULL;
	struct digest d;
	size_t colon;

	if (rest.n > 1024)
		return err_set(e, EC_FORMAT, "image name is too long");
	if (at) {
		if (digest_parse(&d, (const char *)at + 1, e))
			return err_ctx(e, "image name '%s'", text);
		if (!(n.digest = str_dup(d.text, e)))
			return -1;
		rest.n = (size_t)(at - rest.p);
	}
	for (colon = rest.n; colon && rest.p[colon - 1] != ':' && rest.p[colon - 1] != '/'; colon--)
		;
	if (colon && rest.p[colon - 1] == ':') {
		const struct slice tag = slice_of(rest.p + colon, rest.n - colon);

		if (!is_tag(tag))
			return err_set(e, EC_FORMAT, "image name '%s' has no proper tag", text);
		if (!(n.tag = str_ndup(tag.p, tag.n, e)))
			return -1;
		rest.n = colon - 1;
	}
	if (parse_repo(&n.repo, rest, normalise, text, e))
		return -1;
	name_free(ret);
	*ret = n;
	n = (struct name){ 0 };
	return 0;
}

void name_text(struct buf *ret, const struct name *n)
{
	buf_puts(ret, n->repo);
	if (n->tag)
		buf_printf(ret, ":%s", n->tag);
	if (n->digest)
		buf_printf(ret, "@%s", n->digest);
}

/* ---- signedIdentity (images.md 1.5) -------------------------------------------------------------------------- */

static const char *const words[] = {
	[MATCH_REPO_DIGEST_OR_EXACT] = "matchRepoDigestOrExact", [MATCH_EXACT] = "matchExact",
	[MATCH_REPOSITORY] = "matchRepository", [EXACT_REFERENCE] = "exactReference",
	[EXACT_REPOSITORY] = "exactRepository", [REMAP_IDENTITY] = "remapIdentity"
};

void identity_free(struct identity *i)
{
	free(i->a);
	free(i->b);
	*i = (struct identity){ 0 };
}

const char *identity_word(enum identity_kind k)
{
	return words[k];
}

int identity_by_word(enum identity_kind *ret, const char *word, struct err *e)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (!strcmp(word, words[i])) {
			*ret = (enum identity_kind)i;
			return 0;
		}
	return err_set(e, EC_FORMAT, "signedIdentity type '%s' is not known", word);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_exactly(const struct name *a, const struct name *b)
{
	return (a->tag || a->digest) && same(a->repo, b->repo) && same(a->tag, b->tag) && same(a->digest, b->digest);
}

static bool repo_digest_or_exact(const struct name *intended, const struct name *got)
{
	if (!got->tag && !got->digest)
		return false;
	return intended->tag ? same_exactly(intended, got) : intended->digest && same(intended->repo, got->repo);
}

static int remap(struct name *ret, const struct identity *i, const struct name *intended, struct err *e)
{
	const size_t n = strlen(i->a);
	AUTO_BUF full = { .max = 2048 }, mapped = { .max = 2048 };

	name_text(&full, intended);
	if (strncmp(intended->repo, i->a, n) || (intended->repo[n] && intended->repo[n] != '/'))
		return name_parse(ret, buf_cstr(&full), false, e);
	buf_puts(&mapped, i->b);
	buf_slice(&mapped, slice_of(full.p + n, full.n - n));
	return buf_check(&mapped, e) ? -1 : name_parse(ret, buf_cstr(&mapped), false, e);
}

static int fits(bool *ret, const struct identity *i, const struct name *intended, const struct name *got, struct err *e)
{
	AUTO_NAME want = { 0 };

	switch (i->kind) {
	case EXACT_REFERENCE:
		if (name_parse(&want, i->a, true, e))
			return -1;
		*ret = same_exactly(&want, got);
		return 0;
	case EXACT_REPOSITORY:
		if (name_parse(&want, i->a, true, e))
			return -1;
		*ret = same(want.repo, got->repo);
		return 0;
	case MATCH_REPO_DIGEST_OR_EXACT:
		*ret = repo_digest_or_exact(intended, got);
		return 0;
	case MATCH_EXACT:
		*ret = same_exactly(intended, got);
		return 0;
	case MATCH_REPOSITORY:
		*ret = same(intended->repo, got->repo);
		return 0;
	case REMAP_IDENTITY:
		if (remap(&want, i, intended, e))
			return -1;
		*ret = repo_digest_or_exact(&want, got);
		return 0;
	}
	return err_set(e, EC_BUG, "signedIdentity %d", (int)i->kind);
}

static int mismatch(const struct identity *i, const struct name *intended, const char *signed_name, bool bare, struct err *e)
{
	AUTO_BUF want = { .max = 2048 };

	if (i->a)
		buf_puts(&want, i->a);
	else
		name_text(&want, intended);
	err_set(e, EC_REFUSED, "signed for '%s', but %s wants '%s'", signed_name, words[i->kind], buf_cstr(&want));
	if (bare && i->kind != MATCH_REPOSITORY && i->kind != EXACT_REPOSITORY)
		err_hint(e, "cosign signs a repository without tag or digest: use signedIdentity matchRepository or exactRepository");
	return -1;
}

int identity_check(const struct identity *i, const struct name *intended, const char *signed_name, struct err *e)
{
	const bool needs_name = i->kind != EXACT_REFERENCE && i->kind != EXACT_REPOSITORY;
	AUTO_NAME got = { 0 };
	bool ok = false;

	if (needs_name && !intended) {
		err_set(e, EC_REFUSED, "signed for '%s', but signedIdentity %s compares with a name, and an image on disk has none",
			signed_name, words[i->kind]);
		return err_hint(e, "use signedIdentity exactRepository with dockerRepository '%s', if that is what you trust",
				signed_name);
	}
	if (name_parse(&got, signed_name, true, e)) {
		if (e)
			e->code = EC_REFUSED;
		return err_ctx(e, "name inside the signature");
	}
	if (fits(&ok, i, intended, &got, e))
		return -1;
	return ok ? 0 : mismatch(i, intended, signed_name, !got.tag && !got.digest, e);
}
