/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that allocates or looks up is done before the fork; the child makes system calls only. */
#include "infer/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "infer/uapi.h"

#define DEFAULT_GRACE_MS 30000
#define STATUS_FD 4		/* close-on-exec: tells the parent why there was no exec */
#define MAX_GROUPS 64

/* --- before the fork --------------------------------------------------------------------------------------- */

struct child {
	char **argv, **envp;
	size_t n_argv, n_envp;
	bool change_user;
	uid_t uid;
	gid_t gid, groups[MAX_GROUPS];
	int n_groups;
	int model_fd;
	pid_t parent;
	sigset_t mask;
};

static void child_free(struct child *c)
{
	for (size_t i = 0; i < c->n_argv; i++)
		free(c->argv[i]);
	for (size_t i = 0; i < c->n_envp; i++)
		free(c->envp[i]);
	free(c->argv);
	free(c->envp);
	fd_close(&c->model_fd);
}

static int make_argv(struct child *c, const struct launch *l, struct err *e)
{
	static const char mark[] = "{model}";
	const char *path = l->model_path ? l->model_path : LAUNCH_MODEL_PATH;
	size_t n = 0;

	while (l->argv[n])
		n++;
	if (n == 0)
		return err_set(e, EC_USAGE, "no command behind '--'");
	c->argv = calloc(n + 1, sizeof *c->argv);
	if (!c->argv)
		return err_oom(e);
	for (; c->n_argv < n; c->n_argv++) {
		AUTO_BUF b = { 0 };
		const char *s = l->argv[c->n_argv], *hit;

		for (; (hit = strstr(s, mark)); s = hit + sizeof mark - 1) {
			buf_put(&b, s, (size_t)(hit - s));
			buf_puts(&b, path);
		}
		buf_puts(&b, s);
		if (buf_check(&b, e))
			return -1;
		c->argv[c->n_argv] = str_dup(buf_cstr(&b), e);
		if (!c->argv[c->n_argv])
			return -1;
	}
	return 0;
}

static int add_env(struct child *c, const char *name, size_t name_n, const char *value, struct err *e)
{
	char *s, **v;

	for (size_t i = 0; i < c->n_envp; i++)		/* the first one wins */
		if (strncmp(c->envp[i], name, name_n) == 0 && c->envp[i][name_n] == '=')
			return 0;
	v = realloc(c->envp, (c->n_envp + 2) * sizeof *v);
	if (!v)
		return err_oom(e);
	c->envp = v;
	s = str_printf(e, "%.*s=%s", (int)name_n, name, value);
	if (!s)
		return -1;
	v[c->n_envp++] = s;
	v[c->n_envp] = NULL;
	return 0;
}

static bool allowed(const char *name, size_t n)
{
	static const char *const names[] = { "PATH", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR", "HOME", "USER", "LOGNAME", NULL };
	static const char *const prefixes[] = { "LC_", "CUDA_", "NVIDIA_", NULL };

	for (size_t i = 0; names[i]; i++)
		if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
			return true;
	for (size_t i = 0; prefixes[i]; i++)
		if (n > strlen(prefixes[i]) && memcmp(prefixes[i], name, strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* What the caller names; who the engine runs as; switches that keep engines from calling home; then our own, as far as allowed. */
static int make_env(struct child *c, const struct launch *l, const struct passwd *pw, struct err *e)
{
	static const char *const quiet[] = { "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "VLLM_NO_USAGE_STATS", "DO_NOT_TRACK", NULL };

	for (size_t i = 0; l->env && i < l->env->n; i++) {
		const char *s = l->env->v[i], *eq = strchr(s, '=');
		const size_t n = eq ? (size_t)(eq - s) : strlen(s);
		const char *value = eq ? eq + 1 : getenv(s);

		if (n == 0)
			return err_set(e, EC_USAGE, "--env wants NAME or NAME=VALUE, is '%s'", s);
		if (value && add_env(c, s, n, value, e))
			return -1;
	}
	if (pw && (add_env(c, "HOME", 4, pw->pw_dir, e) || add_env(c, "USER", 4, pw->pw_name, e) ||
		   add_env(c, "LOGNAME", 7, pw->pw_name, e)))
		return -1;
	for (size_t i = 0; quiet[i]; i++)
		if (add_env(c, quiet[i], strlen(quiet[i]), "1", e))
			return -1;
	for (char **v = environ; v && *v; v++) {
		const char *eq = strchr(*v, '=');

		if (eq && allowed(*v, (size_t)(eq - *v)) && add_env(c, *v, (size_t)(eq - *v), eq + 1, e))
			return -1;
	}
	return 0;
}

/* NAME, UID or UID:GID; the groups are those of the name if there is one (access to /dev/nvidia* often comes by group). */
static int find_user(struct child *c, const struct passwd **pw, const char *user, struct err *e)
{
	const char *colon = strchr(user, ':');
	AUTO_STR *uid_text = str_ndup(user, colon ? (size_t)(colon - user) : strlen(user), e);
	uint64_t uid = 0, gid = 0;
	const bool numeric = uid_text && parse_u64(&uid, uid_text, UINT32_MAX - 1, NULL) == 0;

	if (!uid_text)
		return -1;
	errno = 0;
	*pw = numeric ? getpwuid((uid_t)uid) : colon ? NULL : getpwnam(user);
	if (colon && (!numeric || parse_u64(&gid, colon + 1, UINT32_MAX - 1, NULL)))
		return err_set(e, EC_USAGE, "--user wants NAME, UID or UID:GID, is '%s'", user);
	if (!*pw && !colon)
		return err_set(e, EC_ABSENT, "there is no user '%s' here%s", user, numeric ? "; for a number without a name write UID:GID" : "");
	c->change_user = true;
	c->uid = numeric ? (uid_t)uid : (*pw)->pw_uid;
	c->gid = colon ? (gid_t)gid : (*pw)->pw_gid;
	c->n_groups = MAX_GROUPS;
	if (!*pw) {
		c->groups[0] = c->gid;
		c->n_groups = 1;
	} else if (getgrouplist((*pw)->pw_name, c->gid, c->groups, &c->n_groups) < 0) {
		return err_set(e, EC_ABSENT, "user '%s' is in more than %d groups", user, MAX_GROUPS);
	}
	if (c->uid != geteuid() && geteuid() != 0)
		return err_set(e, EC_USAGE, "only root can run the engine as another user ('%s')", user);
	return 0;
}

/* The engine opens the memory file by name again, as the user it then is, and for reading only. */
static int hand_over_model(struct child *c, int fd, struct err *e)
{
	char name[64];

	if (fd < 0)
		return 0;
	if (fchmod(fd, 0400) || (c->change_user && fchown(fd, c->uid, c->gid)))
		return err_sys(e, EC_IO, "cannot hand the model over to user %u", (unsigned)c->uid);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	c->model_fd = open(name, O_RDONLY | O_CLOEXEC);
	if (c->model_fd < 0) {
		err_sys(e, EC_IO, "cannot open the model again for reading");
		return err_hint(e, "is /proc mounted?");
	}
	return 0;
}

/* --- the child -------------------------------------------------------------------------------------------------- */

enum step { STEP_SETUP, STEP_DESCRIPTORS, STEP_CAPABILITIES, STEP_USER, STEP_PRIVILEGES, STEP_EXEC };
struct report {
	int32_t step, error;
};

static int close_from(unsigned first)
{
	struct rlimit r;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return 0;
#endif
	if (getrlimit(RLIMIT_NOFILE, &r))
		return -1;
	for (unsigned fd = first; fd < r.rlim_cur && fd < (1u << 20); fd++)
		close((int)fd);
	return 0;
}

/* status and model go to their fixed places without stepping on each other. */
static int place_descriptors(int status, int model)
{
	const int s = fcntl(status, F_DUPFD_CLOEXEC, STATUS_FD + 1), m = model >= 0 ? fcntl(model, F_DUPFD_CLOEXEC, STATUS_FD + 1) : -1;

	if (s < 0 || (model >= 0 && m < 0))
		return -1;
	if (m >= 0 ? dup2(m, LAUNCH_MODEL_FD) < 0 : (close(LAUNCH_MODEL_FD), 0))
		return -1;
	if (dup3(s, STATUS_FD, O_CLOEXEC) < 0)
		return -1;
	return close_from(STATUS_FD + 1);
}

/* While there still are capabilities: so that uid 0 does not gain them back by exec.  Without CAP_SETPCAP (EPERM) it would have to stay as
 * it is: then no_new_privs alone keeps exec from adding to the empty set. */
static int forbid_regain(void)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno != EINVAL && errno != EPERM)
			return -1;
		break;		/* EINVAL: that was the last capability there is */
	}
	return prctl(PR_SET_SECUREBITS, (unsigned long)SECUREBITS_NO_ROOT_LOCKED, 0, 0, 0) && errno != EPERM ? -1 : 0;
}

static int drop_capabilities(void)
{
	const struct cap_header head = { CAP_VERSION_3, 0 };
	const struct cap_data none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);	/* EINVAL before Linux 4.3: then there is none */
	return syscall(SYS_capset, &head, none) ? -1 : 0;
}

static enum step become_engine(const struct child *c, int *status)
{
	const struct rlimit no_core = { 0, 0 };

	umask(077);
	if (setsid() < 0 || setrlimit(RLIMIT_CORE, &no_core))
		return STEP_SETUP;
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	if (place_descriptors(*status, c->model_fd))
		return STEP_DESCRIPTORS;
	*status = STATUS_FD;
	if (forbid_regain())
		return STEP_CAPABILITIES;
	if (c->change_user && ((geteuid() == 0 && setgroups((size_t)c->n_groups, c->groups)) || setresgid(c->gid, c->gid, c->gid) ||
			       setresuid(c->uid, c->uid, c->uid)))
		return STEP_USER;
	if (drop_capabilities())
		return STEP_CAPABILITIES;
	/* After the change of user, which clears the death signal; then the parent may be gone already. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != c->parent)
		return STEP_PRIVILEGES;
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
	execvpe(c->argv[0], c->argv, c->envp);
	return STEP_EXEC;
}

static _Noreturn void child_main(const struct child *c, int status)
{
	struct report r = { 0 };

	r.step = (int32_t)become_engine(c, &status);
	r.error = errno;
	_exit(write(status, &r, sizeof r) == (ssize_t)sizeof r ? 127 : 126);
}

/* --- the parent -------------------------------------------------------------------------------------------------- */

static int explain(const struct report *r, const char *program, struct err *e)
{
	static const char *const what[] = { "set up a session", "arrange descriptors", "drop capabilities", "change the user",
					    "give up privileges", "run" };
	const size_t step = r->step >= 0 && r->step <= STEP_EXEC ? (size_t)r->step : STEP_EXEC;

	errno = r->error;
	if (step == STEP_EXEC)
		return err_sys(e, r->error == ENOENT ? EC_ABSENT : EC_IO, "cannot run '%s'", program);
	return err_sys(e, EC_IO, "cannot start '%s': cannot %s", program, what[step]);
}

static int exit_code(int wstatus)
{
	return WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
}

static void forwarded(sigset_t *s)
{
	sigemptyset(s);
	sigaddset(s, SIGTERM);
	sigaddset(s, SIGINT);
	sigaddset(s, SIGQUIT);
	sigaddset(s, SIGHUP);
	sigaddset(s, SIGCHLD);
}

/* Kills and collects whatever the engine started and left behind, also in sessions of its own: they would keep the decrypted model.  As a subreaper this
 * process inherits them all.  Without /proc, or after five seconds, what is left is left. */
static void end_descendants(void)
{
	const int64_t until = host_mono_ms() + 5000;
	const struct timespec nap = { 0, 2000000 };

	while (host_mono_ms() < until) {
		const pid_t got = waitpid(-1, NULL, WNOHANG);
		int pid;
		FILE *f;

		if (got > 0)
			continue;
		if (got < 0)
			return;
		f = fopen("/proc/thread-self/children", "re");
		if (!f)
			return;
		while (fscanf(f, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		fclose(f);
		nanosleep(&nap, NULL);
	}
}

/* Signals are blocked and taken one by one, so none is lost between a check and a wait. */
static int stay(int *status, pid_t pid, const struct host *h, int64_t grace_ms, struct err *e)
{
	int64_t kill_at = -1;
	sigset_t set;

	forwarded(&set);
	for (;;) {
		const int64_t left = kill_at < 0 ? 3600000 : kill_at - host_mono_ms();
		const struct timespec wait = { left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000000 : 0 };
		int wstatus, sig;
		pid_t got = waitpid(pid, &wstatus, WNOHANG);

		if (got == pid) {
			kill(-pid, SIGKILL);	/* what it left behind in its group */
			end_descendants();
			*status = exit_code(wstatus);
			return 0;
		}
		if (got < 0)
			return err_sys(e, EC_IO, "cannot wait for the engine");
		sig = sigtimedwait(&set, NULL, &wait);
		if (sig > 0 && sig != SIGCHLD) {
			host_log(h, LOG_INFO, "passing signal %d on to the engine", sig);
			kill(-pid, sig);
			if (sig != SIGHUP && kill_at < 0)
				kill_at = host_mono_ms() + grace_ms;
		}
		if (kill_at >= 0 && host_mono_ms() >= kill_at) {
			host_log(h, LOG_WARN, "the engine did not end in time: killed");
			kill(-pid, SIGKILL);
			kill_at = INT64_MAX / 2;
		}
	}
}

static int start_and_stay(int *status, struct child *c, const struct host *h, int64_t grace_ms, struct err *e)
{
	struct report r;
	int pipe_fd[2];
	ssize_t got;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return err_sys(e, EC_IO, "cannot make a pipe");
	c->parent = getpid();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid = fork();
	if (pid == 0)
		child_main(c, pipe_fd[1]);
	close(pipe_fd[1]);
	if (pid < 0) {
		close(pipe_fd[0]);
		return err_sys(e, EC_IO, "cannot fork");
	}
	do
		got = read(pipe_fd[0], &r, sizeof r);
	while (got < 0 && errno == EINTR);
	close(pipe_fd[0]);
	if (got == (ssize_t)sizeof r) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return explain(&r, c->argv[0], e);
	}
	return stay(status, pid, h, grace_ms, e);
}

int launch_run(int *status, const struct host *h, const struct launch *l, struct err *e)
{
	struct child c = { .model_fd = -1 };
	const struct passwd *pw = NULL;
	sigset_t set;
	int rc;

	rc = make_argv(&c, l, e) || (l->user && find_user(&c, &pw, l->user, e)) || make_env(&c, l, pw, e) ||
	     hand_over_model(&c, l->model_fd, e) ? -1 : 0;
	if (!rc) {
		if (geteuid() == 0 && !l->user)
			host_log(h, LOG_WARN, "the engine runs as root, without capabilities; --user runs it as somebody else");
		forwarded(&set);
		signal(SIGCHLD, SIG_DFL);	/* ignored ones would be reaped by nobody's name */
		sigprocmask(SIG_BLOCK, &set, &c.mask);
		rc = start_and_stay(status, &c, h, l->grace_ms ? l->grace_ms : DEFAULT_GRACE_MS, e);
		sigprocmask(SIG_SETMASK, &c.mask, NULL);
	}
	child_free(&c);
	return rc;
}
