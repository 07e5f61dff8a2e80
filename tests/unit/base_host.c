/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/early.h"
#include "base/host.h"
#include "base/opt.h"
#include "base/outfile.h"
#include "base/pool.h"
#include "base/secret.h"
#include "test.h"

static const char *in_tmp(const char *name)
{
	static char ring[8][256];
	static unsigned at;
	char *ret = ring[at++ % 8];

	snprintf(ret, sizeof ring[0], "%s/%s", tmpdir(), name);
	return ret;
}

TEST(time_roundtrip_and_limits)
{
	char text[32];
	int64_t t = 0;

	WORKS(time_parse(&t, "2026-11-23T17:00:00Z", &e));
	EQ(t, 1795453200);
	time_format(text, t);
	STR(text, "2026-11-23T17:00:00Z");
	WORKS(time_parse(&t, "2000-02-29T23:59:60+01:00", &e));
	time_format(text, t);
	STR(text, "2000-02-29T23:00:00Z");
	WORKS(time_parse(&t, "1969-12-31", &e));
	EQ(t, -86400);
	time_format(text, t);
	STR(text, "1969-12-31T00:00:00Z");
	FAILS(time_parse(&t, "2026-02-29", &e), EC_USAGE);
	FAILS(time_parse(&t, "2026-13-01", &e), EC_USAGE);
	FAILS(time_parse(&t, "2026-11-23T17:00:00", &e), EC_USAGE);
	FAILS(time_parse(&t, "2026-11-23T17:00:00Zx", &e), EC_USAGE);
	FAILS(time_parse(&t, "", &e), EC_USAGE);
	for (int64_t day = -200000; day < 200000; day += 37) {
		time_format(text, day * 86400 + 3661);
		if (day * 86400 < -62135596800)
			continue;
		WORKS(time_parse(&t, text, &e));
		EQ(t, day * 86400 + 3661);
	}
}

TEST(sysroot_keeps_paths_and_links_inside)
{
	struct host h;
	AUTO_BUF b = { 0 };
	struct err e = { 0 };

	mkdir(in_tmp("sys"), 0700);
	outfile_write(in_tmp("sys/value"), SLICE("42 \nmore\n"), 0600, false, &e);
	OK(symlink("/sys/value", in_tmp("abs")) == 0);
	OK(symlink("../../../../../etc/passwd", in_tmp("sys/out")) == 0);
	host_init(&h);
	WORKS(host_set_sysroot(&h, tmpdir(), &e));
	OK(h.simulated);
	WORKS(host_read_line(&b, &h, "/abs", &e));
	STR(buf_cstr(&b), "42");
	buf_reset(&b);
	FAILS(host_read(&b, &h, "/sys/out", 100000, &e), EC_ABSENT);
	FAILS(host_read(&b, &h, "/nothing", 10, &e), EC_ABSENT);
	FAILS(host_read(&b, &h, "/sys/value", 3, &e), EC_FORMAT);
	WORKS(host_readlink(&b, &h, "/abs", &e));
	HAS(buf_cstr(&b), "/sys/value");
	WORKS(host_mkdir(&h, "/sys/new", 0700, &e));
	OK(host_exists(&h, "/sys/new"));
	WORKS(host_rmdir(&h, "/sys/new", &e));
	OK(!host_exists(&h, "/sys/new"));
	host_close(&h);
}

TEST(outfile_shows_all_or_nothing)
{
	AUTO_OUTFILE o = OUTFILE_INIT;
	AUTO_BUF b = { 0 };
	struct stat st;

	WORKS(outfile_open(&o, in_tmp("f"), 0600, false, &e));
	WORKS(fd_write_all(o.fd, "half", 4, &e));
	OK(stat(in_tmp("f"), &st) && errno == ENOENT);
	outfile_drop(&o);
	OK(stat(in_tmp("f"), &st) && errno == ENOENT);
	WORKS(outfile_write(in_tmp("f"), SLICE("whole"), 0640, false, &e));
	OK(!stat(in_tmp("f"), &st));
	EQ(st.st_mode & 07777, 0640);
	FAILS(outfile_write(in_tmp("f"), SLICE("again"), 0600, false, &e), EC_USAGE);
	WORKS(outfile_write(in_tmp("f"), SLICE("again"), 0600, true, &e));
	load(&b, in_tmp("f"));
	STR(buf_cstr(&b), "again");
}

TEST(outfile_refuses_links_and_appearing_names)
{
	AUTO_OUTFILE o = OUTFILE_INIT;
	AUTO_BUF b = { 0 };

	OK(symlink("/etc/passwd", in_tmp("l")) == 0);
	FAILS(outfile_write(in_tmp("l"), SLICE("x"), 0600, true, &e), EC_USAGE);
	FAILS(outfile_write(tmpdir(), SLICE("x"), 0600, true, &e), EC_USAGE);
	FAILS(outfile_write(in_tmp("no/such/x"), SLICE("x"), 0600, true, &e), EC_IO);
	FAILS(outfile_write("", SLICE("x"), 0600, true, &e), EC_USAGE);
	WORKS(outfile_open(&o, in_tmp("late"), 0600, false, &e));
	WORKS(outfile_write(in_tmp("late"), SLICE("first"), 0600, false, &e));
	FAILS(outfile_commit(&o, &e), EC_USAGE);
	load(&b, in_tmp("late"));
	STR(buf_cstr(&b), "first");
}

TEST(secret_from_a_pipe_has_a_maximum)
{
	AUTO_SECRET s = { 0 };
	int p[2];
	char big[5000] = { 1 };

	OK(!pipe(p));
	OK(write(p[1], big, sizeof big) == sizeof big);
	close(p[1]);
	WORKS(secret_read_fd(&s, p[0], 5000, &e));
	EQ(s.n, 5000);
	close(p[0]);
	OK(!pipe(p));
	OK(write(p[1], big, sizeof big) == sizeof big);
	close(p[1]);
	FAILS(secret_read_fd(&s, p[0], 4999, &e), EC_FORMAT);
	close(p[0]);
	EQ(s.n, 5000);		/* untouched on failure */
}

static int square(void *arg, size_t i, unsigned worker, struct err *e)
{
	(void)worker;
	if (i == 700 || i == 300)
		return err_set(e, EC_REFUSED, "item %zu", i);
	((int *)arg)[i] = (int)(i * i);
	return 0;
}

TEST(pool_runs_all_and_tells_the_first_failure)
{
	struct pool *p = NULL;
	int v[1000] = { 0 };
	struct err e = { 0 };

	for (unsigned n = 1; n <= 4; n++) {
		WORKS(pool_new(&p, n, &e));
		for (int round = 0; round < 200; round++) {
			memset(v, 0, sizeof v);
			EQ(pool_run(p, 300, square, v, &e), 0);
			EQ(v[299], 299 * 299);
			EQ(v[1], 1);
		}
		EQ(pool_run(p, 1000, square, v, &e), -1);
		EQ(e.code, EC_REFUSED);
		STR(e.msg, "item 300");
		EQ(pool_run(p, 0, square, v, &e), 0);
		pool_free(p);
	}
}

struct args {
	bool flag;
	int count, word;
	const char *str;
	uint64_t n;
	struct opt_list list;
	bool insecure;
};
static const char *const words[] = { "on", "off", NULL };
static const struct opt opts[] = {
	OPT_FLAG('f', "flag", flag, "a flag"),
	{ OPT_KIND_COUNT, 'v', "verbose", offsetof(struct args, count), 0, "count", 0, 0 },
	OPT_ENUM(0, "word", word, words, "a word"),
	OPT_STR('s', "str", str, "TEXT", "a text"),
	OPT_SIZE(0, "size", n, "SIZE", "a size"),
	OPT_LIST('l', "list", list, "X", "many"),
	OPT_INSECURE("insecure-x", insecure, "weak"),
	OPT_END
};

static int parse(struct args *a, struct opt_list *ins, int *n, int *rest, char **argv, struct err *e)
{
	const struct opt_set sets[] = { { opts, a }, { NULL, NULL } };
	int argc = 0;

	while (argv[argc])
		argc++;
	return opt_parse(sets, argc, argv, n, rest, ins, e);
}
#define ARGV(...) (char *[]){ __VA_ARGS__, NULL }

TEST(options_stand_anywhere_and_end_at_two_dashes)
{
	struct args a = { 0 };
	struct opt_list ins = { 0 };
	int n = 0, rest = 0;
	char **v = ARGV((char *)"one", (char *)"-fvvs", (char *)"text", (char *)"--size=4K", (char *)"-", (char *)"-lx", (char *)"--list",
			(char *)"y", (char *)"--insecure-x", (char *)"--", (char *)"--word", (char *)"on");

	WORKS(parse(&a, &ins, &n, &rest, v, &e));
	OK(a.flag);
	EQ(a.count, 2);
	STR(a.str, "text");
	EQ(a.n, 4096);
	EQ(a.list.n, 2);
	STR(a.list.v[1], "y");
	EQ(ins.n, 1);
	STR(ins.v[0], "insecure-x");
	EQ(n, 4);
	EQ(rest, 2);
	STR(v[1], "-");
	STR(v[2], "--word");
}

TEST(options_that_do_not_fit_are_refused)
{
	struct args a = { 0 };
	int n = 0, rest = 0;

	FAILS(parse(&a, NULL, &n, &rest, ARGV((char *)"--nope=secret"), &e), EC_USAGE);
	FAILS(parse(&a, NULL, &n, &rest, ARGV((char *)"--flag=1"), &e), EC_USAGE);
	FAILS(parse(&a, NULL, &n, &rest, ARGV((char *)"--str"), &e), EC_USAGE);
	FAILS(parse(&a, NULL, &n, &rest, ARGV((char *)"--word", (char *)"maybe"), &e), EC_USAGE);
	FAILS(parse(&a, NULL, &n, &rest, ARGV((char *)"--st", (char *)"x"), &e), EC_USAGE);
	FAILS(parse(&a, NULL, &n, &rest, ARGV((char *)"-fz"), &e), EC_USAGE);
}

TEST(unknown_option_does_not_echo_its_value)
{
	struct args a = { 0 };
	struct err e = { 0 };
	int n = 0, rest = 0;

	EQ(parse(&a, NULL, &n, &rest, ARGV((char *)"--password=hunter2"), &e), -1);
	OK(!strstr(e.msg, "hunter2"));
	HAS(e.msg, "--password");
}

TEST(clock_before_the_bound_counts_as_the_bound)
{
	const struct timespec times[2] = { { .tv_sec = 4102444800 }, { .tv_sec = 4102444800 } };	/* 2100-01-01 */
	const char *root = tmpdir();
	char path[400];
	struct host h;
	int64_t built;

	host_init(&h);
	WORKS(host_set_sysroot(&h, root, &e));
	built = host_time_floor(&h);
	OK(built >= time_from_civil(2026, 11, 23, 0, 0, 0));
	snprintf(path, sizeof path, "%s/usr", root);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/usr/lib", root);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/usr/lib/clock-epoch", root);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	OK(utimensat(AT_FDCWD, path, times, 0) == 0);
	EQ(host_time_floor(&h), 4102444800);
	EQ(host_now_bounded(&h), 4102444800);
	h.has_now = true;			/* the user's word, as it stands */
	h.now_fixed = 5;
	EQ(host_now_bounded(&h), 5);
	host_close(&h);
}

/* The kernel gives up with EAGAIN when something is renamed while it follows a ".." below a root; that is no reason to fail. */
TEST(host_open_below_a_root_bears_renames_elsewhere)
{
	const char *d = tmpdir();
	struct host h;
	struct err e = { 0 };
	char path[256], a[256], b[256];
	unsigned failed = 0;
	pid_t child;

	snprintf(path, sizeof path, "%s/one", d);
	EQ(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/two", d);
	EQ(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/one/up", d);
	EQ(symlink("../two/../one/../two", path), 0);
	snprintf(a, sizeof a, "%s/a", d);
	snprintf(b, sizeof b, "%s/b", d);
	EQ(mkdir(a, 0700), 0);
	child = fork();
	if (child == 0)
		for (;;)
			if (rename(a, b) || rename(b, a))
				_exit(1);
	host_init(&h);
	WORKS(host_set_sysroot(&h, d, &e));
	for (unsigned i = 0; i < 20000; i++) {
		const int fd = host_open(&h, "/one/up", O_PATH, &e);

		failed += fd < 0;
		if (fd >= 0)
			close(fd);
	}
	EQ(failed, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	host_close(&h);
}
