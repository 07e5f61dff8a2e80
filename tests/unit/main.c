/* SPDX-License-Identifier: Apache-2.0 */
/* Runs every registered test whose "file:name" contains one of the arguments (all without arguments). */

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"
#include "base/secret.h"
#include "test.h"

static struct test *tests;
static bool failed, skipped;
static char dir[64];

void test_register(struct test *t)
{
	struct test **at = &tests;

	while (*at && (strcmp((*at)->file, t->file) < 0 ||
		       (!strcmp((*at)->file, t->file) && strcmp((*at)->name, t->name) < 0)))
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	failed = true;
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void test_skip(const char *why)
{
	skipped = true;
	printf("skip (%s) ", why);
}

bool test_failed(void)
{
	return failed;
}

const char *vec(const char *name)
{
	static char ring[8][512];
	static unsigned at;
	const char *base = getenv("CVMBOX_VECTORS");
	char *ret = ring[at++ % 8];
	struct stat st;

	if (!base || !*base)
		base = "../shared/vectors";
	if (stat(base, &st) || !S_ISDIR(st.st_mode))
		return NULL;
	snprintf(ret, sizeof ring[0], "%s/%s", base, name ? name : "");
	return ret;
}

void load(struct buf *ret, const char *path)
{
	struct err e = { 0 };

	if (!path || file_read(ret, path, (size_t)256 << 20, &e))
		test_fail(__FILE__, __LINE__, "%s", path ? e.msg : "no path");
}

void load_vec(struct buf *ret, const char *name)
{
	load(ret, vec(name));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

const char *tmpdir(void)
{
	if (!dir[0]) {
		snprintf(dir, sizeof dir, "/tmp/cvmbox-unit.XXXXXX");
		if (!mkdtemp(dir))
			abort();
	}
	return dir;
}

static bool wanted(const struct test *t, int argc, char **argv)
{
	char id[512];

	if (argc < 2)
		return true;
	snprintf(id, sizeof id, "%s:%s", t->file, t->name);
	for (int i = 1; i < argc; i++)
		if (strstr(id, argv[i]))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned n_pass = 0, n_fail = 0, n_skip = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct test *t = tests; t; t = t->next) {
		if (!wanted(t, argc, argv))
			continue;
		failed = skipped = false;
		t->run();
		if (dir[0]) {
			nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
			dir[0] = 0;
		}
		printf("%s %s\n", failed ? "FAIL" : skipped ? "skip" : "ok", t->name);
		*(failed ? &n_fail : skipped ? &n_skip : &n_pass) += 1;
	}
	printf("%u passed, %u failed, %u skipped\n", n_pass, n_fail, n_skip);
	return n_fail ? 1 : 0;
}
