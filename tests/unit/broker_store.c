/* SPDX-License-Identifier: Apache-2.0 */
/* The store of the key broker: names, modes, replacing, what must never be followed. */

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/host.h"
#include "broker/store.h"
#include "test.h"

static char *path(const char *rest)
{
	static char p[4][512];
	static unsigned at;
	char *ret = p[at++ % 4];

	snprintf(ret, sizeof p[0], "%s/store%s", tmpdir(), rest);
	return ret;
}

static struct resource_name name(const char *s)
{
	struct resource_name n = { 0 };

	WORKS(resource_name_parse(&n, slice_str(s), &e));
	return n;
}

static int put(struct kbs_store *st, const char *as, const char *text, bool replace, struct err *e)
{
	const struct resource_name n = name(as);
	AUTO_SECRET s = { 0 };

	return secret_from(&s, slice_str(text), e) ? -1 : kbs_store_put(st, &n, &s, replace, e);
}

static int get(struct secret *ret, struct kbs_store *st, const char *as, struct err *e)
{
	const struct resource_name n = name(as);

	return kbs_store_get(ret, st, &n, e);
}

static unsigned mode_of(const char *p)
{
	struct stat st = { 0 };

	OK(!lstat(p, &st));
	return st.st_mode & 07777;
}

TEST(resource_names_follow_the_grammar)
{
	struct resource_name n;

	WORKS(resource_name_parse(&n, SLICE("default/key/1"), &e));
	STR(n.part[0], "default");
	STR(n.part[2], "1");
	WORKS(resource_name_parse(&n, SLICE("-a/_b/c.d-e_f."), &e));
	FAILS(resource_name_parse(&n, SLICE(""), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/b"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/b/c/d"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/b/c/"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("/a/b/c"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a//c"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/../c"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/.b/c"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/b/c\0d"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/b/c%2e"), &e), EC_USAGE);
	FAILS(resource_name_parse(&n, SLICE("a/b/\xc3\xa4"), &e), EC_USAGE);
}

TEST(resource_name_parts_are_bounded)
{
	struct resource_name n;
	AUTO_BUF b = { 0 };

	buf_puts(&b, "a/b/");
	buf_fill(&b, 'x', RESOURCE_SEGMENT_MAX);
	WORKS(resource_name_parse(&n, buf_view(&b), &e));
	EQ(strlen(n.part[2]), RESOURCE_SEGMENT_MAX);
	buf_byte(&b, 'x');
	FAILS(resource_name_parse(&n, buf_view(&b), &e), EC_USAGE);
}

TEST(resource_uris_are_read)
{
	struct resource_name n;

	WORKS(resource_uri_parse(&n, "kbs:///a/b/c", &e));
	STR(n.part[1], "b");
	WORKS(resource_uri_parse(&n, "kbs+resource:///a/b/c", &e));
	WORKS(resource_uri_parse(&n, "kbs://host:80/a/b/c", &e));
	FAILS(resource_uri_parse(&n, "kbs+pkcs11:///a/b/c", &e), EC_USAGE);
	FAILS(resource_uri_parse(&n, "kbs:///a/b/c?x", &e), EC_USAGE);
	FAILS(resource_uri_parse(&n, "kbs://a", &e), EC_USAGE);
	FAILS(resource_uri_parse(&n, "https://a/b/c/d", &e), EC_USAGE);
}

TEST(store_keeps_replaces_and_removes)
{
	AUTO_KBS_STORE *st = NULL;
	AUTO_SECRET s = { 0 };
	const struct resource_name gone = name("a/b/gone");

	FAILS(kbs_store_open(&st, path(""), false, &e), EC_ABSENT);
	WORKS(kbs_store_open(&st, path(""), true, &e));
	FAILS(get(&s, st, "a/b/c", &e), EC_ABSENT);
	WORKS(put(st, "a/b/c", "one", false, &e));
	WORKS(get(&s, st, "a/b/c", &e));
	OK(secret_eq(&s, SLICE("one")));
	FAILS(put(st, "a/b/c", "two", false, &e), EC_USAGE);
	WORKS(get(&s, st, "a/b/c", &e));
	OK(secret_eq(&s, SLICE("one")));
	WORKS(put(st, "a/b/c", "two", true, &e));
	WORKS(get(&s, st, "a/b/c", &e));
	OK(secret_eq(&s, SLICE("two")));
	WORKS(put(st, "a/b/empty", "", false, &e));
	WORKS(get(&s, st, "a/b/empty", &e));
	EQ(s.n, 0);
	FAILS(kbs_store_remove(st, &gone, &e), EC_ABSENT);
	WORKS(put(st, "a/b/gone", "x", false, &e));
	WORKS(kbs_store_remove(st, &gone, &e));
	FAILS(get(&s, st, "a/b/gone", &e), EC_ABSENT);
}

TEST(store_is_for_its_owner_only)
{
	AUTO_KBS_STORE *st = NULL;
	struct kbs_store *other = NULL;
	const mode_t old = umask(0);

	WORKS(kbs_store_open(&st, path(""), true, &e));
	WORKS(put(st, "a/b/c", "one", false, &e));
	umask(old);
	EQ(mode_of(path("")), 0700);
	EQ(mode_of(path("/resource")), 0700);
	EQ(mode_of(path("/resource/a/b")), 0700);
	EQ(mode_of(path("/resource/a/b/c")), 0600);
	OK(!chmod(path(""), 0750));
	FAILS(kbs_store_open(&other, path(""), false, &e), EC_REFUSED);
	OK(!chmod(path(""), 0700));
}

TEST(store_follows_no_symlink)
{
	AUTO_KBS_STORE *st = NULL;
	AUTO_SECRET s = { 0 };
	const struct resource_name n = name("a/b/link");

	WORKS(kbs_store_open(&st, path(""), true, &e));
	WORKS(put(st, "a/b/c", "one", false, &e));
	OK(!symlink("/etc/passwd", path("/resource/a/b/link")));
	FAILS(get(&s, st, "a/b/link", &e), EC_IO);
	FAILS(put(st, "a/b/link", "x", true, &e), EC_USAGE);
	OK(!symlink("b", path("/resource/a/d")));
	FAILS(get(&s, st, "a/d/c", &e), EC_IO);
	FAILS(put(st, "a/d/new", "x", false, &e), EC_IO);
	OK(!mkdir(path("/resource/a/b/folder"), 0700));
	FAILS(get(&s, st, "a/b/folder", &e), EC_IO);
	OK(!mkfifo(path("/resource/a/b/fifo"), 0600));
	FAILS(get(&s, st, "a/b/fifo", &e), EC_IO);	/* and does not hang */
	WORKS(kbs_store_remove(st, &n, &e));		/* the link goes, not what it points to */
	OK(!access("/etc/passwd", R_OK));
}

static int collect(void *arg, const char *as, uint64_t size)
{
	buf_printf(arg, "%s=%llu ", as, (unsigned long long)size);
	return 0;
}

TEST(store_lists_resources_and_nothing_else)
{
	AUTO_KBS_STORE *st = NULL;
	AUTO_BUF b = { 0 };
	int fd;

	WORKS(kbs_store_open(&st, path(""), true, &e));
	WORKS(kbs_store_list(st, collect, &b, &e));
	EQ(b.n, 0);
	WORKS(put(st, "b/t/2", "22", false, &e));
	WORKS(put(st, "a/t/1", "1", false, &e));
	WORKS(put(st, "b/t/10", "", false, &e));
	fd = open(path("/resource/b/t/.2.tmp"), O_CREAT | O_WRONLY, 0600);	/* left by a writer that was killed */
	OK(fd >= 0);
	close(fd);
	OK(!symlink("2", path("/resource/b/t/link")));
	WORKS(kbs_store_list(st, collect, &b, &e));
	STR(buf_cstr(&b), "a/t/1=1 b/t/10=0 b/t/2=2 ");
}

TEST(store_refuses_what_is_too_large)
{
	AUTO_KBS_STORE *st = NULL;
	AUTO_SECRET s = { 0 };
	const struct resource_name n = name("a/b/c");

	WORKS(kbs_store_open(&st, path(""), true, &e));
	WORKS(secret_alloc(&s, STORE_RESOURCE_MAX + 1, &e));
	FAILS(kbs_store_put(st, &n, &s, false, &e), EC_USAGE);
	secret_shrink(&s, STORE_RESOURCE_MAX);
	WORKS(kbs_store_put(st, &n, &s, false, &e));
	OK(!truncate(path("/resource/a/b/c"), STORE_RESOURCE_MAX + 1));
	FAILS(kbs_store_get(&s, st, &n, &e), EC_FORMAT);
}

/* Stands for a full disk: the file may not grow beyond 8 bytes. */
TEST(store_keeps_the_old_bytes_when_the_disk_is_full)
{
	AUTO_KBS_STORE *st = NULL;
	AUTO_SECRET s = { 0 };
	AUTO_BUF b = { 0 };
	int status = -1;
	pid_t child;

	WORKS(kbs_store_open(&st, path(""), true, &e));
	WORKS(put(st, "a/b/c", "old", false, &e));
	child = fork();
	if (!child) {
		const struct rlimit limit = { 8, 8 };
		struct err e = { 0 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(put(st, "a/b/c", "new and much longer than eight bytes", true, &e) == -1 && e.code == EC_IO ? 7 : 0);
	}
	OK(waitpid(child, &status, 0) == child);
	OK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	WORKS(get(&s, st, "a/b/c", &e));
	OK(secret_eq(&s, SLICE("old")));
	WORKS(kbs_store_list(st, collect, &b, &e));
	STR(buf_cstr(&b), "a/b/c=3 ");
}

/* A writer is killed again and again in mid-work: a reader sees one whole version each time. */
TEST(store_survives_kill_9)
{
	AUTO_KBS_STORE *st = NULL;
	char one[3000], two[3000];

	memset(one, '1', sizeof one);
	memset(two, '2', sizeof two);
	one[sizeof one - 1] = two[sizeof two - 1] = 0;
	WORKS(kbs_store_open(&st, path(""), true, &e));
	WORKS(put(st, "a/b/c", one, false, &e));
	for (int round = 0; round < 20; round++) {
		const pid_t child = fork();
		AUTO_SECRET s = { 0 };

		if (!child) {
			for (unsigned i = 0;; i++)
				put(st, "a/b/c", i % 2 ? one : two, true, NULL);
		}
		usleep((useconds_t)(500 + 400 * round));
		WORKS(get(&s, st, "a/b/c", &e));
		OK(secret_eq(&s, slice_str(one)) || secret_eq(&s, slice_str(two)));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		WORKS(get(&s, st, "a/b/c", &e));
		OK(secret_eq(&s, slice_str(one)) || secret_eq(&s, slice_str(two)));
	}
}

TEST(store_token_key_is_made_once)
{
	AUTO_KBS_STORE *st = NULL;
	AUTO_PRIVKEY a = { 0 }, b = { 0 };
	AUTO_SECRET pa = { 0 }, pb = { 0 };

	WORKS(kbs_store_open(&st, path(""), true, &e));
	WORKS(kbs_store_token_key(&a, st, &e));
	EQ(mode_of(path("/token-key.pem")), 0600);
	WORKS(kbs_store_token_key(&b, st, &e));
	WORKS(privkey_pem(&pa, &a, &e));
	WORKS(privkey_pem(&pb, &b, &e));
	OK(secret_eq(&pa, secret_view(&pb)));
	EQ(a.type, KEY_EC_P256);
	OK(!truncate(path("/token-key.pem"), 40));
	privkey_free(&b);
	FAILS(kbs_store_token_key(&b, st, &e), EC_FORMAT);	/* not replaced in silence */
}
