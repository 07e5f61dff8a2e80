/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/launch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* Runs a shell script as the engine; {out} in it is a file whose content comes back. */
struct ran {
	int status;
	struct buf out;
};
static int launch_script(struct ran *r, const struct launch *base, const char *script, struct err *e)
{
	AUTO_STR *path = str_printf(e, "%s/out", tmpdir()), *full = NULL;
	struct host h;
	struct launch l = *base;
	char sh[] = "/bin/sh", c[] = "-c";
	char *argv[4] = { sh, c, NULL, NULL };
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int rc;

	host_init(&h);
	fchmod(fd, 0666);
	close(fd);
	chmod(tmpdir(), 0755);
	full = str_printf(e, "exec >%s 2>&1; %s", path, script);
	argv[2] = full;
	l.argv = argv;
	rc = launch_run(&r->status, &h, &l, e);
	file_read(&r->out, path, 1 << 16, NULL);
	return rc;
}

static int secret_fd(const char *text)
{
	const int fd = memfd_create("model", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	OK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
	return fd;
}

#define NO_MODEL { .model_fd = -1 }

TEST(launch_passes_the_exit_status_on)
{
	static const struct { const char *script; int status; } c[] = { { "exit 0", 0 }, { "exit 7", 7 }, { "kill -9 $$", 137 }, { "kill -TERM $$", 143 } };
	const struct launch l = NO_MODEL;

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		struct ran r = { .status = -1 };

		WORKS(launch_script(&r, &l, c[i].script, &e));
		EQ(r.status, c[i].status);
		buf_free(&r.out);
	}
}

TEST(launch_says_why_a_program_cannot_run)
{
	char name[] = "/no/such/program";
	char *argv[] = { name, NULL };
	const struct launch l = { .argv = argv, .model_fd = -1 };
	struct host h;
	int status = -5;
	struct err e = { 0 };

	host_init(&h);
	EQ(launch_run(&status, &h, &l, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "/no/such/program");
	EQ(status, -5);
}

TEST(launch_gives_the_model_and_nothing_else)
{
	const int fd = secret_fd("the weights"), leak = open("/dev/null", O_RDONLY);	/* not close-on-exec: a careless library */
	const struct launch l = { .model_fd = fd };
	struct ran r = { 0 };

	WORKS(launch_script(&r, &l, "cat {model}; echo; echo x{model}y; ls /proc/$$/fd | tr '\\n' ' '; cat {model} >/dev/null && (echo z >{model}) 2>/dev/null || echo readonly", &e));
	EQ(r.status, 0);
	HAS(buf_cstr(&r.out), "the weights\nx/proc/self/fd/3y\n");
	HAS(buf_cstr(&r.out), "0 1 2 3 ");
	OK(strstr(buf_cstr(&r.out), " 4 ") == NULL && strstr(buf_cstr(&r.out), "10 11") == NULL);
	HAS(buf_cstr(&r.out), "readonly");
	close(leak);
	close(fd);
	buf_free(&r.out);
}

TEST(launch_environment_is_an_allow_list)
{
	const struct opt_list env = { .v = { "CVMBOX_T_PASS", "CVMBOX_T_SET=2", "CVMBOX_T_UNSET" }, .n = 3 };
	const struct launch l = { .model_fd = -1, .env = &env };
	struct ran r = { 0 };

	setenv("CVMBOX_T_SECRET", "1", 1);
	setenv("CVMBOX_T_PASS", "3", 1);
	setenv("LD_PRELOAD_X", "1", 1);
	setenv("CUDA_VISIBLE_DEVICES", "0", 1);
	WORKS(launch_script(&r, &l, "env", &e));
	OK(strstr(buf_cstr(&r.out), "SECRET") == NULL && strstr(buf_cstr(&r.out), "LD_PRELOAD_X") == NULL);
	OK(strstr(buf_cstr(&r.out), "UNSET") == NULL);
	HAS(buf_cstr(&r.out), "CVMBOX_T_PASS=3\n");
	HAS(buf_cstr(&r.out), "CVMBOX_T_SET=2\n");
	HAS(buf_cstr(&r.out), "CUDA_VISIBLE_DEVICES=0\n");
	HAS(buf_cstr(&r.out), "HF_HUB_OFFLINE=1\n");
	HAS(buf_cstr(&r.out), "PATH=");
	unsetenv("CVMBOX_T_SECRET");
	unsetenv("CVMBOX_T_PASS");
	unsetenv("LD_PRELOAD_X");
	unsetenv("CUDA_VISIBLE_DEVICES");
	buf_free(&r.out);
}

TEST(launch_takes_privileges_away)
{
	const struct launch l = NO_MODEL;
	struct ran r = { 0 };

	WORKS(launch_script(&r, &l, "grep -E 'Cap|NoNewPrivs' /proc/self/status; umask; ulimit -c; cat /proc/self/stat | cut -d' ' -f6; echo $$", &e));
	HAS(buf_cstr(&r.out), "CapInh:\t0000000000000000");
	HAS(buf_cstr(&r.out), "CapPrm:\t0000000000000000");
	HAS(buf_cstr(&r.out), "CapEff:\t0000000000000000");
	HAS(buf_cstr(&r.out), "CapAmb:\t0000000000000000");
	HAS(buf_cstr(&r.out), "NoNewPrivs:\t1");
	HAS(buf_cstr(&r.out), "077\n0\n");
	if (geteuid() == 0)
		HAS(buf_cstr(&r.out), "CapBnd:\t0000000000000000");
	buf_free(&r.out);
}

TEST(launch_as_somebody_else_can_still_open_the_model)
{
	const int fd = secret_fd("for nobody");
	const struct launch l = { .model_fd = fd, .user = "65534:65533" };
	struct ran r = { 0 };

	if (geteuid() != 0) {
		close(fd);
		SKIP("needs root");
	}
	WORKS(launch_script(&r, &l, "id -u; id -g; id -G; cat {model}", &e));
	STR(buf_cstr(&r.out), "65534\n65533\n65533\nfor nobody");
	buf_free(&r.out);
	close(fd);
}

TEST(launch_refuses_users_that_are_none)
{
	static const struct { const char *user; enum ec code; } c[] = {
		{ "no-such-user-here", EC_ABSENT }, { "4000000000", EC_ABSENT }, { "root:0", EC_USAGE }, { "1:x", EC_USAGE }, { "", EC_ABSENT },
	};

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		const struct launch l = { .model_fd = -1, .user = c[i].user };
		struct ran r = { 0 };

		FAILS(launch_script(&r, &l, "echo ran", &e), c[i].code);
		EQ(r.out.n, 0);
		buf_free(&r.out);
	}
}

static void *signal_soon(void *arg)
{
	const int64_t until = host_mono_ms() + 10000;
	char started[4200];

	snprintf(started, sizeof started, "%s/out", tmpdir());
	while (host_mono_ms() < until) {	/* until the script says it is ready */
		AUTO_BUF b = { 0 };

		if (!file_read(&b, started, 1 << 16, NULL) && b.n && strstr(buf_cstr(&b), "ready"))
			break;
		usleep(10000);
	}
	kill(getpid(), *(int *)arg);
	return NULL;
}

static void check_signal(int sig, const char *script, int64_t grace_ms, int status)
{
	const struct launch l = { .model_fd = -1, .grace_ms = grace_ms };
	struct ran r = { 0 };
	pthread_t t;
	sigset_t set, old;

	/* The thread must not take the signal itself. */
	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	OK(pthread_create(&t, NULL, signal_soon, &sig) == 0);
	WORKS(launch_script(&r, &l, script, &e));
	EQ(r.status, status);
	pthread_join(t, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	buf_free(&r.out);
}

TEST(launch_forwards_signals)
{
	check_signal(SIGTERM, "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done", 0, 9);
	check_signal(SIGHUP, "trap 'exit 8' HUP; echo ready; while :; do sleep 0.05; done", 0, 8);
}

TEST(launch_kills_an_engine_that_does_not_end)
{
	const int64_t start = host_mono_ms();

	check_signal(SIGTERM, "trap '' TERM; echo ready; while :; do sleep 0.05; done", 300, 137);
	OK(host_mono_ms() - start < 9000);
}
