/* SPDX-License-Identifier: Apache-2.0 */
/* PID 1 of scripts/check-boot's second boot: mounts what a real initramfs has mounted by then, runs cvmbox a few times, prints what
 * came out between marks, and switches the machine off.  argv[1]: the nonce. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void mark(const char *what)
{
	printf("\n=== %s\n", what);
	fflush(stdout);
}

static void run(const char *name, char *const argv[])
{
	char *const env[] = { NULL };
	int status = 0;
	pid_t pid;

	mark(name);
	pid = fork();
	if (pid == 0) {
		execve("/cvmbox", argv, env);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	printf("\n=== status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fflush(stdout);
}

static void show(const char *name, const char *path)
{
	char part[4096];
	const int fd = open(path, O_RDONLY);
	ssize_t n;

	mark(name);
	while (fd >= 0 && (n = read(fd, part, sizeof part)) > 0)
		fwrite(part, 1, (size_t)n, stdout);
	mark("end");
	if (fd >= 0)
		close(fd);
}

#define RUN(name, ...) run(name, (char *const[]){ (char *)"cvmbox", __VA_ARGS__, NULL })

int main(int argc, char **argv)
{
	static char nonce[129];
	static const struct { const char *type, *at; } mounts[] = {
		{ "devtmpfs", "/dev" }, { "proc", "/proc" }, { "sysfs", "/sys" }, { "securityfs", "/sys/kernel/security" }
	};
	struct stat st;

	snprintf(nonce, sizeof nonce, "%s", argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
		mkdir(mounts[i].at, 0755);
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL))
			printf("cannot mount %s\n", mounts[i].at);
	}
	RUN("detect", (char *)"attest", (char *)"detect", (char *)"--json");
	if (stat("/dev/tpm0", &st) == 0) {
		RUN("collect", (char *)"attest", (char *)"collect", (char *)"--tee", (char *)"tpm", (char *)"--nonce", nonce, (char *)"-o",
		    (char *)"/bundle.json");
		show("bundle", "/bundle.json");
	}
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
