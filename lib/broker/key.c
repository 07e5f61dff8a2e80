/* SPDX-License-Identifier: Apache-2.0 */
/* Sources and sinks of secrets, see key.h */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/outfile.h"
#include "broker/key.h"
#include "broker/protocol.h"
#include "broker/rcar.h"
#include "net/http.h"

const char *const key_type_words[] = { "ec", "rsa", NULL };

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* --- the broker's address ---------------------------------------------------------------------------------- */

/* "cc_kbc::URL": other key broker clients of the guest components have no URL to speak RCAR to. */
static int from_kbc_params(struct buf *ret, struct slice v, const char *where, struct err *e)
{
	const struct slice prefix = SLICE("cc_kbc::");

	if (v.n <= prefix.n || memcmp(v.p, prefix.p, prefix.n)) {
		err_set(e, EC_USAGE, "cannot use %s: wanted cc_kbc::URL", where);
		return err_hint(e, "--kbs URL says which key broker to ask, whatever stands there");
	}
	buf_put(ret, v.p + prefix.n, v.n - prefix.n);
	return 0;
}

static int from_cmdline(struct buf *ret, const struct host *h, struct err *e)
{
	const struct slice name = SLICE("agent.aa_kbc_params=");
	AUTO_BUF line = { 0 };
	size_t i = 0;

	if (host_read_line(&line, h, "/proc/cmdline", NULL))
		return 0;
	while (i < line.n) {
		struct slice word = { line.p + i, 0 };

		while (i < line.n && line.p[i] != ' ') {
			word.n++;
			i++;
		}
		i++;
		if (word.n > name.n && !memcmp(word.p, name.p, name.n))
			return from_kbc_params(ret, (struct slice){ word.p + name.n, word.n - name.n },
					       "agent.aa_kbc_params of the kernel command line", e);
	}
	return 0;
}

int key_env_url(struct buf *ret, const struct host *h, const struct key_env *env, struct err *e)
{
	const char *params = getenv("AA_KBC_PARAMS"), *named = env->url ? env->url : getenv("CVMBOX_KBS");
	AUTO_BUF url = { 0 };

	if (named && *named)
		buf_puts(&url, named);
	else if (params && *params ? from_kbc_params(&url, slice_str(params), "$AA_KBC_PARAMS", e) : from_cmdline(&url, h, e))
		return -1;
	if (buf_check(&url, e))
		return -1;
	if (!url.n) {
		err_set(e, EC_USAGE, "no key broker is named");
		return err_hint(e, "give --kbs URL (or set CVMBOX_KBS, or AA_KBC_PARAMS=cc_kbc::URL)");
	}
	while (url.n && url.p[url.n - 1] == '/')
		url.p[--url.n] = 0;
	if (strcspn(buf_cstr(&url), "?#") != url.n)
		return err_set(e, EC_USAGE, "cannot use key broker URL: it has a query or a fragment");
	if (http_url_check(buf_cstr(&url), e))
		return -1;
	buf_slice(ret, buf_view(&url));
	return buf_check(ret, e);
}

/* --- descriptors and files ------------------------------------------------------------------------------------ */

static int fd_of(int *ret, const char *s, struct err *e)
{
	uint64_t n;

	if (parse_u64(&n, s + 3, 1 << 20, NULL))
		return err_set(e, EC_USAGE, "'%s' is not a descriptor: wanted fd:NUMBER", s);
	if (fcntl((int)n, F_GETFD) < 0)
		return err_set(e, EC_USAGE, "'%s' is not an open descriptor", s);
	*ret = (int)n;
	return 0;
}

static int read_fd(struct secret *ret, int fd, const char *what, size_t max, struct err *e)
{
	if (secret_read_fd(ret, fd, max, e))
		return err_ctx(e, "cannot read '%s'", what);
	return 0;
}

static int read_file(struct secret *ret, const char *path, int flags, size_t max, struct err *e)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_sys(e, EC_IO, "cannot read '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, EC_USAGE, "cannot read '%s': it is a folder", path);
	return read_fd(ret, fd, path, max, e);
}

static int sealed_not_yet(const char *what, struct err *e)
{
	return err_set(e, EC_ABSENT, "cannot open %s: sealed secrets are not in this version", what);
}

static int get_path(struct secret *ret, const char *path, size_t max, struct err *e)
{
	const struct slice mark = SLICE("sealed.");
	AUTO_SECRET s = { 0 };

	if (read_file(&s, path, 0, max, e))
		return -1;
	if (s.n > mark.n && mem_eq_ct(s.p, mark.p, mark.n))
		return sealed_not_yet("the sealed secret in the file", e);
	secret_give(ret, &s);
	return 0;
}

/* systemd.exec(5): credentials are files of this folder, readable by the service only. */
static int get_cred(struct secret *ret, const char *src, size_t max, struct err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY"), *name = src + 5;
	AUTO_STR *path = NULL;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_set(e, EC_USAGE, "'%s' does not name a credential", src);
	if (!dir || *dir != '/') {
		err_set(e, EC_ABSENT, "cannot read '%s': CREDENTIALS_DIRECTORY is not set", src);
		return err_hint(e, "a systemd unit gets it with LoadCredential= or ImportCredential=");
	}
	path = str_printf(e, "%s/%s", dir, name);
	return path ? read_file(ret, path, O_NOFOLLOW, max, e) : -1;
}

/* --- the kernel's keyrings (keyctl(2); numbers of include/uapi/linux/keyctl.h) ----------------------------------- */

enum { RING_SESSION = -3, RING_USER = -4, CMD_SEARCH = 10, CMD_READ = 11 };
#define KEY_TYPE "user"
#define KEY_PAYLOAD_MAX 32767

static int ring_of(long *ring, const char **name, const char *s, struct err *e)
{
	*name = s + 8;
	*ring = RING_SESSION;
	if (starts(*name, "@u:") || starts(*name, "@s:")) {
		*ring = (*name)[1] == 'u' ? RING_USER : RING_SESSION;
		*name += 3;
	}
	if (!**name || **name == '.' || strlen(*name) > 4000)
		return err_set(e, EC_USAGE, "'%s' does not name a key: wanted keyring:NAME, keyring:@u:NAME or keyring:@s:NAME",
			       s);
	return 0;
}

static int ring_error(const char *act, const char *s, struct err *e)
{
	const bool none = errno == ENOSYS || errno == ENOKEY || errno == EPERM;

	err_sys(e, none ? EC_ABSENT : EC_IO, "cannot %s '%s'", act, s);
	if (errno == EPERM || errno == ENOSYS)
		return err_hint(e, "containers often have no access to the kernel's keyrings");
	return -1;
}

static int get_keyring(struct secret *ret, const char *src, size_t max, struct err *e)
{
	AUTO_SECRET s = { 0 };
	const char *name;
	long ring, key, n;

	if (ring_of(&ring, &name, src, e))
		return -1;
	key = syscall(SYS_keyctl, CMD_SEARCH, ring, KEY_TYPE, name, 0L);
	if (key < 0)
		return ring_error("find key", src, e);
	if (secret_alloc(&s, KEY_PAYLOAD_MAX, e))
		return -1;
	n = syscall(SYS_keyctl, CMD_READ, key, s.p, s.n, 0L);
	if (n < 0)
		return ring_error("read key", src, e);
	if ((size_t)n > s.n || (size_t)n > max)
		return err_set(e, EC_FORMAT, "cannot read key '%s': it has %ld bytes, at most %zu are taken", src, n, max);
	secret_shrink(&s, (size_t)n);
	secret_give(ret, &s);
	return 0;
}

static int put_keyring(const struct secret *s, const char *dst, bool overwrite, struct err *e)
{
	const char *name;
	long ring;

	if (ring_of(&ring, &name, dst, e))
		return -1;
	if (!s->n || s->n > KEY_PAYLOAD_MAX)
		return err_set(e, EC_USAGE, "cannot add key '%s': it has %zu bytes, a keyring takes 1 to %d", dst, s->n,
			       KEY_PAYLOAD_MAX);
	if (!overwrite && syscall(SYS_keyctl, CMD_SEARCH, ring, KEY_TYPE, name, 0L) >= 0) {
		err_set(e, EC_USAGE, "key '%s' exists already", dst);
		return err_hint(e, "remove it (keyctl unlink), or overwrite it with -f where the command has that option");
	}
	if (syscall(SYS_add_key, KEY_TYPE, name, s->p, s->n, ring) < 0)
		return ring_error("add key", dst, e);
	return 0;
}

/* --- the network -------------------------------------------------------------------------------------------------- */

static int get_url(struct secret *ret, const struct host *h, const char *url, size_t max, struct err *e)
{
	AUTO_HTTP res = { 0 };
	AUTO_BUF shown = { 0 };

	if (http_do(&res, h, &(const struct http_request){ .method = "GET", .url = url, .max_body = max }, e))
		return -1;
	http_url_public(&shown, url);
	if (res.status != 200)
		return err_set(e, res.status >= 500 || res.status == 429 ? EC_IO : EC_DENIED,
			       "cannot read '%s': the server answered %ld", buf_cstr(&shown), res.status);
	return secret_from(ret, buf_view(&res.body), e);
}

static int open_broker(struct rcar **ret, const struct host *h, const struct key_env *env, struct err *e)
{
	AUTO_SECRET token = { 0 };

	if (!env->token)
		return rcar_attest(ret, h, env, e);
	if (read_file(&token, env->token, 0, (size_t)1 << 20, e))
		return -1;
	return rcar_from_token(ret, h, env, secret_view(&token), e);
}

int key_get_many(struct secret *ret, size_t n, const struct host *h, const struct key_env *env, const char *const *uri,
		 struct err *e)
{
	struct rcar *r = NULL;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {	/* before anybody is asked for anything */
		struct resource_name name;

		if (resource_uri_parse(&name, uri[i], e))
			return -1;
	}
	if (open_broker(&r, h, env, e))
		return -1;
	for (size_t i = 0; i < n && !rc; i++)
		rc = rcar_get(&ret[i], r, uri[i], SECRET_MAX, e);
	rcar_free(r);
	for (size_t i = 0; i < n && rc; i++)
		secret_wipe(&ret[i]);
	return rc;
}

static int get_broker(struct secret *ret, const struct host *h, const struct key_env *env, const char *uri, size_t max,
		      struct err *e)
{
	struct resource_name name;
	struct rcar *r = NULL;
	int rc;

	if (resource_uri_parse(&name, uri, e) || open_broker(&r, h, env, e))
		return -1;
	rc = rcar_get(ret, r, uri, max, e);
	rcar_free(r);
	return rc;
}

/* --- one door -------------------------------------------------------------------------------------------------------- */

int key_get(struct secret *ret, const struct host *h, const struct key_env *env, const char *src, size_t max, struct err *e)
{
	static const struct key_env nobody = { 0 };
	int fd;

	if (!strcmp(src, "-"))
		return read_fd(ret, 0, "standard input", max, e);
	if (starts(src, "fd:"))
		return fd_of(&fd, src, e) ? -1 : read_fd(ret, fd, src, max, e);
	if (starts(src, "keyring:"))
		return get_keyring(ret, src, max, e);
	if (starts(src, "cred:"))
		return get_cred(ret, src, max, e);
	if (is_resource_uri(src))
		return get_broker(ret, h, env ? env : &nobody, src, max, e);
	if (starts(src, "https://") || starts(src, "http://"))
		return get_url(ret, h, src, max, e);
	if (starts(src, "s3://"))
		return err_set(e, EC_ABSENT, "cannot read '%s': s3:// is not in this version", src);
	if (starts(src, "sealed."))
		return sealed_not_yet("the sealed secret", e);
	return get_path(ret, src, max, e);
}

static int put_fd(const struct secret *s, int fd, const char *what, struct err *e)
{
	if (isatty(fd)) {
		err_set(e, EC_USAGE, "cannot write a secret to %s: it is a terminal", what);
		return err_hint(e, "name a file with -o, or send it into a pipe");
	}
	if (secret_write_fd(s, fd, e))
		return err_ctx(e, "cannot write to %s", what);
	return 0;
}

static int put_path(const struct secret *s, const char *path, bool overwrite, struct err *e)
{
	AUTO_OUTFILE out = OUTFILE_INIT;

	if (outfile_open(&out, path, 0600, overwrite, e))
		return -1;
	if (secret_write_fd(s, out.fd, e))
		return err_ctx(e, "cannot write '%s'", path);
	return outfile_commit(&out, e);
}

int key_put(const struct secret *s, const struct host *h, const char *dst, bool overwrite, struct err *e)
{
	static const char *const sources[] = { "cred:", "kbs:", "kbs+", "http:", "https:", "s3:", "sealed." };
	int fd;

	(void)h;
	if (!strcmp(dst, "-"))
		return put_fd(s, 1, "standard output", e);
	if (starts(dst, "fd:"))
		return fd_of(&fd, dst, e) ? -1 : put_fd(s, fd, dst, e);
	if (starts(dst, "keyring:"))
		return put_keyring(s, dst, overwrite, e);
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (starts(dst, sources[i])) {
			err_set(e, EC_USAGE, "cannot write a secret to '%s': it can only be read from there", dst);
			return starts(dst, "kbs") ? err_hint(e, "'cvmbox kbs put' adds to the store of a broker") : -1;
		}
	return put_path(s, dst, overwrite, e);
}
