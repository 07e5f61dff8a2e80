/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of checks of several devices: what they have in common is said once. */

#include "codec/out.h"
#include "test.h"

static void human(struct buf *ret, const char *checks)
{
	AUTO_JSON *list = NULL;
	struct out o = { 0 };

	WORKS(out_init(&o, &e));
	WORKS(json_parse(&list, slice_str(checks), 10000, &e));
	out_checks(&o, list);
	WORKS(out_human(ret, &o, &(const struct out_head){ .schema = "s/1", .tool_version = "0", .exit_code = EC_REFUSED }, &e));
	out_free(&o);
}

#define DEVICE(name, result, actual) "{\"id\":\"x.y\",\"object\":\"" name "\",\"result\":\"" result "\",\"expected\":\"good\"," \
	"\"actual\":\"" actual "\",\"hint\":\"try again\"}"

TEST(out_checks_of_devices_that_found_the_same_share_a_line)
{
	AUTO_BUF fail = { 0 }, warn = { 0 }, pass = { 0 };

	human(&fail, "[" DEVICE("A", "fail", "bad") "," DEVICE("B", "fail", "bad") "]");
	STR(buf_cstr(&fail), "fail  x.y of A, B  bad  (wanted good)\n        try again\n");
	human(&warn, "[" DEVICE("A", "warn", "bad") "," DEVICE("B", "warn", "bad") "]");
	STR(buf_cstr(&warn), "warn  x.y of A, B  bad  (wanted good)\n        try again\n");
	human(&pass, "[" DEVICE("A", "pass", "1") "," DEVICE("B", "pass", "2") "]");
	STR(buf_cstr(&pass), "pass  x.y of A, B\n");
}

TEST(out_checks_of_devices_that_found_something_else_stand_alone)
{
	AUTO_BUF b = { 0 };

	human(&b, "[" DEVICE("A", "fail", "bad") "," DEVICE("B", "fail", "worse") "," DEVICE("C", "warn", "bad") "," DEVICE("D", "fail", "bad") "]");
	STR(buf_cstr(&b), "fail  x.y of A, D  bad  (wanted good)\n        try again\nfail  x.y of B  worse  (wanted good)\n        try again\n"
	    "warn  x.y of C  bad  (wanted good)\n        try again\n");
}
