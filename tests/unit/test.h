/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEST_H
#define CVMBOX_TEST_H

/* Unit tests: TEST(what_it_proves) { ... } in any file of tests/unit; they register themselves.
 *   OK(cond)  EQ(int, int)  STR(const char *, const char *)  MEM(p, q, n)  FAILS(call, code)  HAS(text, part)  SKIP("why")
 * A test that needs real data asks vec("cpu-tee/snp/x.bin") for a path below CVMBOX_VECTORS and is counted as skipped when the folder is absent: NEED_VECTORS. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

struct test {
	const char *name, *file;
	void (*run)(void);
	struct test *next;
};
void test_register(struct test *t);
void test_fail(const char *file, int line, const char *fmt, ...) PRINTF(3, 4);
void test_skip(const char *why);
bool test_failed(void);			/* the running test has failed already */

#define TEST(id) \
	static void test_##id(void); \
	static struct test test_row_##id = { #id, __FILE__, test_##id, NULL }; \
	__attribute__((constructor)) static void test_add_##id(void) { test_register(&test_row_##id); } \
	static void test_##id(void)
#define OK(cond) do { if (!(cond)) test_fail(__FILE__, __LINE__, "not true: %s", #cond); } while (0)
#define EQ(a, b) do { long long a_ = (long long)(a), b_ = (long long)(b); \
	if (a_ != b_) test_fail(__FILE__, __LINE__, "%s is %lld, wanted %lld", #a, a_, b_); } while (0)
#define STR(a, b) do { const char *a_ = (a), *b_ = (b); \
	if (!a_ || !b_ || strcmp(a_, b_)) test_fail(__FILE__, __LINE__, "%s is '%s', wanted '%s'", #a, a_ ? a_ : "(null)", b_ ? b_ : "(null)"); } while (0)
#define MEM(a, b, n) do { if (memcmp((a), (b), (n))) test_fail(__FILE__, __LINE__, "%s and %s differ in %zu bytes", #a, #b, (size_t)(n)); } while (0)
#define HAS(text, part) do { const char *t_ = (text); \
	if (!t_ || !strstr(t_, (part))) test_fail(__FILE__, __LINE__, "'%s' does not contain '%s'", t_ ? t_ : "(null)", (part)); } while (0)
/* call uses `&e`; wants -1 and this code. */
#define FAILS(call, want) do { struct err e = { 0 }; int rc_ = (call); \
	if (rc_ != -1 || e.code != (want)) test_fail(__FILE__, __LINE__, "%s: rc %d code %d '%s', wanted code %d", #call, rc_, e.code, e.msg, (want)); } while (0)
#define WORKS(call) do { struct err e = { 0 }; int rc_ = (call); \
	if (rc_) test_fail(__FILE__, __LINE__, "%s: rc %d code %d '%s'", #call, rc_, e.code, e.msg); } while (0)
#define SKIP(why) do { test_skip(why); return; } while (0)
#define NEED_VECTORS do { if (!vec(NULL)) SKIP("no CVMBOX_VECTORS"); } while (0)

/* Path of a vector file (static ring of buffers), or NULL if the vectors folder is absent; vec(NULL) only asks. */
const char *vec(const char *name);
/* Whole file; on failure the test fails and the buffer stays empty. */
void load(struct buf *ret, const char *path);
void load_vec(struct buf *ret, const char *name);
/* A fresh private folder for this test, removed at its end. */
const char *tmpdir(void);

#endif
