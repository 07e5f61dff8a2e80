/* SPDX-License-Identifier: Apache-2.0 */
/* Sources and sinks of secrets. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/outfile.h"
#include "broker/key.h"
#include "test.h"

static const struct key_env nobody;

static int get(struct secret *ret, const char *src, size_t max, struct err *e)
{
	struct host h;
	int rc;

	host_init(&h);
	rc = key_get(ret, &h, &nobody, src, max, e);
	host_close(&h);
	return rc;
}

static int put(const char *text, const char *dst, bool overwrite, struct err *e)
{
	AUTO_SECRET s = { 0 };
	struct host h;
	int rc;

	host_init(&h);
	rc = secret_from(&s, slice_str(text), e) ? -1 : key_put(&s, &h, dst, overwrite, e);
	host_close(&h);
	return rc;
}

static const char *in_tmp(const char *name)
{
	static char p[4][256];
	static unsigned at;
	char *ret = p[at++ % 4];

	snprintf(ret, sizeof p[0], "%s/%s", tmpdir(), name);
	return ret;
}

TEST(key_file_goes_out_and_comes_back_unchanged)
{
	const char *path = in_tmp("key");
	AUTO_SECRET s = { 0 };
	struct stat st;

	WORKS(put(" secret\n", path, false, &e));
	OK(!stat(path, &st));
	EQ(st.st_mode & 07777, 0600);
	WORKS(get(&s, path, 100, &e));
	OK(secret_eq(&s, SLICE(" secret\n")));
	FAILS(put("other", path, false, &e), EC_USAGE);
	WORKS(get(&s, path, 100, &e));
	OK(secret_eq(&s, SLICE(" secret\n")));
	WORKS(put("other", path, true, &e));
	FAILS(get(&s, path, 4, &e), EC_FORMAT);
	FAILS(get(&s, in_tmp("none"), 100, &e), EC_IO);
	FAILS(get(&s, tmpdir(), 100, &e), EC_USAGE);
}

TEST(key_descriptors)
{
	AUTO_SECRET s = { 0 };
	char name[32];
	int p[2];

	OK(!pipe(p));
	snprintf(name, sizeof name, "fd:%d", p[1]);
	WORKS(put("through a pipe", name, false, &e));
	close(p[1]);
	snprintf(name, sizeof name, "fd:%d", p[0]);
	WORKS(get(&s, name, 100, &e));
	OK(secret_eq(&s, SLICE("through a pipe")));
	close(p[0]);
	FAILS(get(&s, name, 100, &e), EC_USAGE);
	FAILS(get(&s, "fd:", 100, &e), EC_USAGE);
	FAILS(get(&s, "fd:-1", 100, &e), EC_USAGE);
	FAILS(get(&s, "fd:0x1", 100, &e), EC_USAGE);
	FAILS(get(&s, "fd:99999999999", 100, &e), EC_USAGE);
}

TEST(key_is_not_written_to_a_terminal)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY);
	char name[32];
	int slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		SKIP("no pseudo terminals");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0)
		SKIP("no pseudo terminals");
	snprintf(name, sizeof name, "fd:%d", slave);
	FAILS(put("x", name, false, &e), EC_USAGE);
	close(slave);
	close(master);
}

TEST(key_credentials)
{
	AUTO_SECRET s = { 0 };

	unsetenv("CREDENTIALS_DIRECTORY");
	FAILS(get(&s, "cred:name", 100, &e), EC_ABSENT);
	setenv("CREDENTIALS_DIRECTORY", tmpdir(), 1);
	WORKS(put("hidden", in_tmp("name"), false, &e));
	OK(!symlink("name", in_tmp("link")));
	WORKS(get(&s, "cred:name", 100, &e));
	OK(secret_eq(&s, SLICE("hidden")));
	FAILS(get(&s, "cred:../name", 100, &e), EC_USAGE);
	FAILS(get(&s, "cred:", 100, &e), EC_USAGE);
	FAILS(get(&s, "cred:link", 100, &e), EC_IO);
	FAILS(put("x", "cred:new", false, &e), EC_USAGE);
	unsetenv("CREDENTIALS_DIRECTORY");
}

TEST(key_keyring)
{
	char name[64];
	AUTO_SECRET s = { 0 };
	struct err e0 = { 0 };

	snprintf(name, sizeof name, "keyring:@s:cvmbox-test-%d", (int)getpid());
	if (syscall(SYS_keyctl, 1, 0L, 0L, 0L, 0L) < 0)		/* join a session keyring of our own */
		SKIP("no kernel keyrings here");
	if (put("in the kernel", name, false, &e0))
		SKIP("no kernel keyrings here");
	WORKS(get(&s, name, 100, &e));
	OK(secret_eq(&s, SLICE("in the kernel")));
	FAILS(put("again", name, false, &e), EC_USAGE);
	WORKS(put("again", name, true, &e));
	WORKS(get(&s, name, 100, &e));
	OK(secret_eq(&s, SLICE("again")));
	FAILS(get(&s, name, 3, &e), EC_FORMAT);
	FAILS(get(&s, "keyring:@s:cvmbox-no-such-key", 100, &e), EC_ABSENT);
	FAILS(put("", "keyring:@s:cvmbox-empty", false, &e), EC_USAGE);
}

TEST(key_forms_that_are_not_here_are_not_file_names)
{
	AUTO_SECRET s = { 0 };

	FAILS(get(&s, "s3://bucket/key", 100, &e), EC_ABSENT);
	FAILS(get(&s, "sealed.fakejwsheader.abc.fakesignature", 100, &e), EC_ABSENT);
	WORKS(put("sealed.a.b.c", in_tmp("sealed-file"), false, &e));
	FAILS(get(&s, in_tmp("sealed-file"), 100, &e), EC_ABSENT);
	FAILS(get(&s, "keyring:", 100, &e), EC_USAGE);
	FAILS(put("x", "kbs:///a/b/c", false, &e), EC_USAGE);
	FAILS(put("x", "https://example.org/", false, &e), EC_USAGE);
	FAILS(put("x", "s3://bucket/key", false, &e), EC_USAGE);
}

TEST(key_broker_url_comes_from_option_environment_or_kernel)
{
	AUTO_BUF url = { 0 };
	struct key_env env = { 0 };
	struct host h;

	host_init(&h);
	OK(!mkdir(in_tmp("proc"), 0700));
	WORKS(host_set_sysroot(&h, tmpdir(), &e));
	unsetenv("AA_KBC_PARAMS");
	unsetenv("CVMBOX_KBS");
	FAILS(key_env_url(&url, &h, &env, &e), EC_USAGE);
	WORKS(outfile_write(in_tmp("proc/cmdline"), SLICE("quiet xagent.aa_kbc_params=cc_kbc::http://no "
							  "agent.aa_kbc_params=cc_kbc::https://kernel:1/ ro\n"), 0600, false, &e));
	WORKS(key_env_url(&url, &h, &env, &e));
	STR(buf_cstr(&url), "https://kernel:1");
	buf_reset(&url);
	setenv("AA_KBC_PARAMS", "cc_kbc::https://environment/prefix//", 1);
	WORKS(key_env_url(&url, &h, &env, &e));
	STR(buf_cstr(&url), "https://environment/prefix");
	setenv("AA_KBC_PARAMS", "offline_fs_kbc::null", 1);
	FAILS(key_env_url(&url, &h, &env, &e), EC_USAGE);
	buf_reset(&url);
	setenv("CVMBOX_KBS", "https://variable", 1);
	WORKS(key_env_url(&url, &h, &env, &e));
	STR(buf_cstr(&url), "https://variable");
	buf_reset(&url);
	env.url = "https://option";
	WORKS(key_env_url(&url, &h, &env, &e));
	STR(buf_cstr(&url), "https://option");
	env.url = "https://me:pw@option";
	FAILS(key_env_url(&url, &h, &env, &e), EC_USAGE);
	env.url = "https://option/?q";
	FAILS(key_env_url(&url, &h, &env, &e), EC_USAGE);
	env.url = "ftp://option";
	FAILS(key_env_url(&url, &h, &env, &e), EC_USAGE);
	unsetenv("AA_KBC_PARAMS");
	unsetenv("CVMBOX_KBS");
	host_close(&h);
}
