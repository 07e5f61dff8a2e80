/* SPDX-License-Identifier: Apache-2.0 */
/* Reports by configfs, with a thread that plays the kernel: it fills each directory that is made, answers each inblob. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attest/appraise.h"
#include "attest/collect.h"
#include "base/host.h"
#include "evidence/bundle.h"
#include "snp_maker.h"
#include "tee/tsm.h"
#include "test.h"

enum manner { ANSWERS, DISTURBED_ONCE, DISTURBED, SILENT, OTHER_DATA, TDX,
	      LATE,		/* outblob comes after a while */
	      NEVER,		/* and not at all */
	      BUSY_ONCE, BUSY, CHANGED, TIMED_OUT, WIPED, REFUSES_LEVEL,
	      IGNORES_INBLOB,	/* the provider did not take it: nothing counts, the kernel says EINVAL */
	      NOT_COUNTED,	/* a report, though the request was not counted */
	      SVSM };
struct kernel {
	char root[256], base[400];
	enum manner manner;
	char privlevel[32], service[32], guid[64], version[32];	/* what was written there */
	int watch, quit[2];
	unsigned made;
	pthread_t thread;
};

static void put(const struct kernel *k, const char *dir, const char *name, const void *p, size_t n)
{
	char tmp[900], path[900];
	int fd;

	snprintf(tmp, sizeof tmp, "%s/tmp", k->root);
	snprintf(path, sizeof path, "%s/%s/%s", k->base, dir, name);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		test_fail(__FILE__, __LINE__, "cannot write %s", tmp);
	close(fd);
	rename(tmp, path);	/* whole at once */
}

static void get_text(const struct kernel *k, const char *dir, const char *name, char *ret, size_t size)
{
	char path[900];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof path, "%s/%s/%s", k->base, dir, name);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		n = read(fd, ret, size - 1);
		close(fd);
	}
	ret[n > 0 ? n : 0] = '\0';
}

static void take_away(const struct kernel *k, const char *dir, const char *name)
{
	char path[900];

	snprintf(path, sizeof path, "%s/%s/%s", k->base, dir, name);
	unlink(path);
}

/* Number of an errno(3), for a file NAME.errno. */
static void put_errno(const struct kernel *k, const char *dir, const char *name, int v)
{
	char text[16];

	put(k, dir, name, text, (size_t)snprintf(text, sizeof text, "%d\n", v));
}

static const struct { enum manner manner; int v; } errors[] = {
	{ BUSY_ONCE, EBUSY }, { BUSY, EBUSY }, { CHANGED, EWOULDBLOCK }, { TIMED_OUT, ETIMEDOUT }, { WIPED, ENOTTY },
	{ IGNORES_INBLOB, EINVAL },
};

/* True where outblob fails: then the request is counted, but for one that was not taken. */
static bool answer_error(struct kernel *k, const char *dir)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].manner == k->manner) {
			put(k, dir, "generation", k->manner == IGNORES_INBLOB ? "0\n" : "1\n", 2);
			put_errno(k, dir, "outblob.errno", errors[i].v);
			return true;
		}
	return k->manner == NEVER;
}

static const uint8_t manifest[] = "what the SVSM serves";

static void answer(struct kernel *k, const char *dir)
{
	int writes = 1;
	char count[16];
	char path[900];
	uint8_t in[64] = { 0 }, raw[SNP_REPORT_SIZE];
	AUTO_BUF quote = { 0 }, der = { 0 }, table = { 0 };
	const bool disturbed = k->manner == DISTURBED || (k->manner == DISTURBED_ONCE && k->made == 1);
	int fd;

	snprintf(path, sizeof path, "%s/%s/inblob", k->base, dir);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, in, sizeof in) != (ssize_t)sizeof in)
		test_fail(__FILE__, __LINE__, "inblob is not 64 bytes");
	close(fd);
	if (k->manner == OTHER_DATA)
		in[0] ^= 1;
	get_text(k, dir, "privlevel", k->privlevel, sizeof k->privlevel);
	get_text(k, dir, "service_provider", k->service, sizeof k->service);
	get_text(k, dir, "service_guid", k->guid, sizeof k->guid);
	get_text(k, dir, "service_manifest_version", k->version, sizeof k->version);
	writes += (k->privlevel[0] != 0) + (k->service[0] != 0) + (k->guid[0] != 0) + (k->version[0] != 0) + disturbed -
		  (k->manner == NOT_COUNTED);
	snprintf(count, sizeof count, "%d\n", writes);
	if (answer_error(k, dir)) {
		if (k->manner != BUSY_ONCE)
			return;
		poll(NULL, 0, 80);
	}
	if (k->manner == LATE)
		poll(NULL, 0, 300);
	if (k->manner == TDX) {
		quote_make(&quote, 4, 2, 584, in);
		put(k, dir, "generation", "1\n", 2);
		put(k, dir, "outblob", quote.p, quote.n);
		return;
	}
	report_make(raw, &(const struct report_make){ .report_data = in, .n = sizeof in, .vmpl = k->privlevel[0] ? (uint32_t)(k->privlevel[0] - '0') : 0 });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	table_make(&table, buf_view(&der));
	put(k, dir, "auxblob", table.p, table.n);
	if (k->service[0])
		put(k, dir, "manifestblob", manifest, sizeof manifest);
	put(k, dir, "generation", count, strlen(count));
	put(k, dir, "outblob", raw, k->manner == SILENT ? 0 : sizeof raw);
	take_away(k, dir, "outblob.errno");
}

static void appear(struct kernel *k, const char *dir)
{
	char path[900];

	k->made++;
	snprintf(path, sizeof path, "%s/%s", k->base, dir);
	inotify_add_watch(k->watch, path, IN_CLOSE_WRITE);
	put(k, dir, "inblob", "", 0);
	put(k, dir, "generation", "0\n", 2);
	if (k->manner != TDX) {
		put(k, dir, "privlevel", "", 0);
		put(k, dir, "privlevel_floor", "2\n", 2);
	}
	if (k->manner == REFUSES_LEVEL)
		put_errno(k, dir, "privlevel.errno", EINVAL);
	if (k->manner == SVSM) {
		put(k, dir, "service_provider", "", 0);
		put(k, dir, "service_guid", "", 0);
		put(k, dir, "service_manifest_version", "", 0);
	}
	put(k, dir, "provider", k->manner == TDX ? "tdx_guest\n" : "sev_guest\n", 10);
}

static void *kernel_thread(void *arg)
{
	struct kernel *k = arg;
	_Alignas(struct inotify_event) char buf[4096];
	char current[300] = "";

	for (;;) {
		struct pollfd p[2] = { { k->watch, POLLIN, 0 }, { k->quit[0], POLLIN, 0 } };
		ssize_t n;

		poll(p, 2, -1);
		if (p[1].revents)
			return NULL;
		n = read(k->watch, buf, sizeof buf);
		for (char *at = buf; n > 0 && at < buf + n; at += sizeof(struct inotify_event) + ((struct inotify_event *)(void *)at)->len) {
			const struct inotify_event *ev = (void *)at;

			if (ev->mask & IN_CREATE && ev->len) {
				snprintf(current, sizeof current, "%.255s", ev->name);
				appear(k, current);
			} else if (ev->mask & IN_CLOSE_WRITE && ev->len && !strcmp(ev->name, "inblob")) {
				answer(k, current);
			}
		}
	}
}

static void make_dirs(const char *root, const char *path)
{
	char all[600];

	snprintf(all, sizeof all, "%s%s", root, path);
	for (char *c = all + strlen(root) + 1; ; c++)
		if (*c == '/' || *c == '\0') {
			const char was = *c;

			*c = '\0';
			mkdir(all, 0700);
			*c = was;
			if (!was)
				return;
		}
}

static void kernel_start(struct kernel *k, struct host *h, enum manner m)
{
	*k = (struct kernel){ .manner = m };
	maker_roots();		/* keys are made before the clock runs */
	snprintf(k->root, sizeof k->root, "%s", tmpdir());
	make_dirs(k->root, TSM_DIR);
	snprintf(k->base, sizeof k->base, "%s" TSM_DIR, k->root);
	k->watch = inotify_init1(IN_CLOEXEC);
	inotify_add_watch(k->watch, k->base, IN_CREATE);
	OK(pipe(k->quit) == 0);
	host_init(h);
	WORKS(host_set_sysroot(h, k->root, &e));
	OK(pthread_create(&k->thread, NULL, kernel_thread, k) == 0);
}

static void kernel_stop(struct kernel *k, struct host *h)
{
	OK(write(k->quit[1], "x", 1) == 1);
	pthread_join(k->thread, NULL);
	close(k->watch);
	close(k->quit[0]);
	close(k->quit[1]);
	host_close(h);
}

static const uint8_t ask[64] = "the 64 bytes that the report has to hold";

TEST(tsm_gets_a_report_for_the_bytes_asked)
{
	struct kernel k;
	struct host h;
	AUTO_TSM t = { 0 };
	struct snp_report r;

	kernel_start(&k, &h, ANSWERS);
	WORKS(tsm_get(&t, &h, "sev_guest", ask, &e));
	WORKS(snp_report_parse(&r, buf_view(&t.out), &e));
	MEM(snp_report_data(&r).p, ask, 64);
	EQ(k.made, 1);
	kernel_stop(&k, &h);
}

TEST(tsm_tries_again_when_disturbed_and_gives_up_in_the_end)
{
	struct kernel k;
	struct host h;
	AUTO_TSM t = { 0 };

	kernel_start(&k, &h, DISTURBED_ONCE);
	WORKS(tsm_get(&t, &h, "sev_guest", ask, &e));
	EQ(k.made, 2);
	kernel_stop(&k, &h);
	kernel_start(&k, &h, DISTURBED);
	FAILS(tsm_get(&t, &h, "sev_guest", ask, &e), EC_IO);
	EQ(k.made, 3);
	kernel_stop(&k, &h);
}

TEST(tsm_says_what_is_wrong)
{
	struct kernel k;
	struct host h;
	AUTO_TSM t = { 0 };
	AUTO_EVIDENCE ev = { 0 };
	struct err e = { 0 };

	kernel_start(&k, &h, SILENT);
	EQ(tsm_get(&t, &h, "sev_guest", ask, &e), -1);
	HAS(e.msg, "empty");
	HAS(e.hint, "the host's side");
	kernel_stop(&k, &h);
	kernel_start(&k, &h, TDX);
	EQ(tsm_get(&t, &h, "sev_guest", ask, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "tdx_guest");
	kernel_stop(&k, &h);
	kernel_start(&k, &h, OTHER_DATA);
	EQ(evidence_snp.collect(&ev, &h, slice_of(ask, 64), &e), -1);
	HAS(e.msg, "other report data");
	kernel_stop(&k, &h);
}

static size_t left_over(const struct kernel *k)
{
	DIR *d = opendir(k->base);
	const struct dirent *de;
	size_t n = 0;

	while (d && (de = readdir(d)))
		n += de->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* Outcome of one request to a kernel of that manner; nothing may stay behind. */
static int once(struct err *e, enum manner m, const struct collect_how *how, struct kernel *k)
{
	struct host h;
	AUTO_TSM t = { 0 };
	int rc;

	kernel_start(k, &h, m);
	*e = (struct err){ 0 };
	rc = tsm_ask(&t, &h, m == TDX ? "tdx_guest" : "sev_guest", ask, how, e);
	EQ(left_over(k), 0);
	if (!rc && how && how->svsm)
		OK(slice_eq(buf_view(&t.manifest), slice_of(manifest, sizeof manifest)));
	kernel_stop(k, &h);
	return rc;
}

TEST(tsm_waits_for_a_late_report_and_a_busy_device)
{
	struct kernel k;
	struct err e;

	EQ(once(&e, LATE, NULL, &k), 0);
	EQ(k.made, 1);
	EQ(once(&e, BUSY_ONCE, NULL, &k), 0);
	EQ(k.made, 1);
	EQ(once(&e, BUSY, NULL, &k), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "busy 6 times");
	HAS(e.hint, "still in flight");
	EQ(once(&e, CHANGED, NULL, &k), -1);
	HAS(e.hint, "does another program write there");
}

TEST(tsm_names_each_failure_of_the_provider)
{
	struct kernel k;
	struct err e;

	EQ(once(&e, TIMED_OUT, NULL, &k), -1);
	HAS(e.hint, "throttles");
	EQ(once(&e, WIPED, NULL, &k), -1);
	HAS(e.hint, "only a reboot");
	EQ(k.made, 1);
	EQ(once(&e, IGNORES_INBLOB, NULL, &k), -1);
	HAS(e.hint, "refused the request");
	EQ(once(&e, NOT_COUNTED, NULL, &k), -1);
	HAS(e.msg, "did not take the request");
	EQ(k.made, 1);
}

TEST(tsm_privilege_level_goes_in_as_text_and_respects_the_floor)
{
	struct kernel k;
	struct err e;

	EQ(once(&e, ANSWERS, &(const struct collect_how){ .has_vmpl = true, .vmpl = 3 }, &k), 0);
	STR(k.privlevel, "3");
	EQ(once(&e, ANSWERS, &(const struct collect_how){ .has_vmpl = true, .vmpl = 1 }, &k), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "under this guest's floor of 2");
	HAS(e.hint, "2 to 3");
	STR(k.privlevel, "");
	EQ(once(&e, REFUSES_LEVEL, &(const struct collect_how){ .has_vmpl = true, .vmpl = 3 }, &k), -1);
	HAS(e.msg, "privlevel");
	EQ(once(&e, TDX, &(const struct collect_how){ .has_vmpl = true, .vmpl = 3 }, &k), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "no privilege levels");
}

TEST(tsm_asks_an_svsm_for_its_services)
{
	struct kernel k;
	struct err e;
	const struct collect_how how = { .svsm = true, .svsm_service = "c476f1eb-0123-45a5-9641-b4e7dde5bfe3",
					 .has_manifest_version = true, .manifest_version = 1 };

	EQ(once(&e, SVSM, &how, &k), 0);
	STR(k.service, "svsm");
	STR(k.guid, how.svsm_service);
	STR(k.version, "1");
	EQ(once(&e, SVSM, &(const struct collect_how){ .svsm = true }, &k), 0);
	STR(k.guid, "");
	EQ(once(&e, ANSWERS, &how, &k), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "no service of an SVSM");
}

/* Whoever is ended while it waits takes its directory along; whoever is killed leaves it to the next. */
static void end_by(int sig, int want_left)
{
	struct kernel k;
	struct host h;
	AUTO_TSM t = { 0 };
	int status = 0;
	pid_t pid;

	kernel_start(&k, &h, NEVER);
	pid = fork();
	if (pid == 0) {
		struct err e = { 0 };

		signal(sig, SIG_DFL);	/* whoever runs the tests may have it ignored (nohup), and that would be respected */
		tsm_get(&t, &h, "sev_guest", ask, &e);
		_exit(99);
	}
	for (int i = 0; i < 200 && left_over(&k) == 0; i++)
		poll(NULL, 0, 10);
	EQ(left_over(&k), 1);
	poll(NULL, 0, 100);		/* now it waits for outblob */
	kill(pid, sig);
	waitpid(pid, &status, 0);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == sig);
	EQ(left_over(&k), want_left);
	kernel_stop(&k, &h);
}

TEST(tsm_leaves_nothing_behind_when_a_signal_ends_it)
{
	end_by(SIGINT, 0);
	end_by(SIGTERM, 0);
	end_by(SIGHUP, 0);
	end_by(SIGKILL, 1);
}

TEST(tsm_removes_what_a_killed_program_left_and_nothing_else)
{
	struct kernel k;
	struct host h;
	AUTO_TSM t = { 0 };
	char path[800], alive[800];
	struct stat st;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	OK(stat("/proc/self/ns/pid", &st) == 0);
	kernel_start(&k, &h, ANSWERS);
	snprintf(path, sizeof path, "%s/cvmbox-%d-%llu-0123456789abcdef", k.base, (int)pid, (unsigned long long)st.st_ino);
	snprintf(alive, sizeof alive, "%s/cvmbox-%d-%llu-0123456789abcdef", k.base, (int)getpid(), (unsigned long long)st.st_ino);
	OK(mkdir(alive, 0700) == 0);
	poll(NULL, 0, 50);
	k.made = 0;
	OK(mkdir(path, 0700) == 0);
	for (int i = 0; i < 100 && k.made == 0; i++)
		poll(NULL, 0, 10);
	poll(NULL, 0, 50);
	/* a kernel's directory is removed with its attributes; this one has files */
	for (const char *const *n = (const char *const[]){ "inblob", "generation", "privlevel", "privlevel_floor", "provider", NULL }; *n; n++) {
		char file[900];

		snprintf(file, sizeof file, "%s/%s", path, *n);
		unlink(file);
	}
	WORKS(tsm_get(&t, &h, "sev_guest", ask, &e));
	OK(stat(path, &st) != 0 && errno == ENOENT);
	OK(stat(alive, &st) == 0);
	kernel_stop(&k, &h);
}

TEST(tsm_absent_is_absent)
{
	struct host h;
	AUTO_TSM t = { 0 };
	struct err e = { 0 };

	host_init(&h);
	WORKS(host_set_sysroot(&h, tmpdir(), &e));
	EQ(tsm_get(&t, &h, "sev_guest", ask, &e), -1);
	EQ(e.code, EC_ABSENT);
	OK(e.hint[0] != '\0');
	host_close(&h);
}

TEST(tsm_recorded_machine_answers_from_plain_files)
{
	struct kernel k = { 0 };
	struct host h;
	AUTO_EVIDENCE ev = { 0 };
	AUTO_BUF der = { 0 }, table = { 0 }, provider = { 0 };
	uint8_t raw[SNP_REPORT_SIZE];

	snprintf(k.root, sizeof k.root, "%s", tmpdir());
	make_dirs(k.root, TSM_DIR "/recorded");
	snprintf(k.base, sizeof k.base, "%s" TSM_DIR, k.root);
	report_make(raw, &(const struct report_make){ .report_data = ask, .n = 64 });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	table_make(&table, buf_view(&der));
	put(&k, "recorded", "provider", "sev_guest\n", 10);
	put(&k, "recorded", "inblob", "", 0);
	put(&k, "recorded", "outblob", raw, sizeof raw);
	put(&k, "recorded", "auxblob", table.p, table.n);
	host_init(&h);
	WORKS(host_set_sysroot(&h, k.root, &e));
	WORKS(tsm_provider(&provider, &h, &e));
	STR(buf_cstr(&provider), "sev_guest");
	WORKS(evidence_snp.collect(&ev, &h, slice_of(ask, 64), &e));
	EQ(ev.raw.n, SNP_REPORT_SIZE);
	EQ(ev.certs.n, table.n);
	FAILS(evidence_snp.collect(&ev, &h, slice_of(ask, 63), &e) || evidence_snp.collect(&ev, &h, SLICE("another"), &e) ? -1 : 0, EC_IO);
	host_close(&h);
}

static const uint8_t nonce[20] = "nonce of a verifier";

/* From the device to the verdict: report data derived, certificate out of the host's table. */
TEST(snp_bundle_from_collection_to_verdict)
{
	struct kernel k;
	struct host h;
	AUTO_BUF b = { 0 }, forged = { 0 };
	AUTO_BUNDLE p = { 0 };
	AUTO_VERDICT v = { 0 }, w = { 0 }, no_table = { 0 };
	struct appraise_in in;

	kernel_start(&k, &h, ANSWERS);
	WORKS(collect_bundle(&b, &h, &(const struct collect_opts){ .tee = "snp", .nonce = slice_of(nonce, sizeof nonce),
								    .runtime_data = SLICE("public key") }, &e));
	kernel_stop(&k, &h);
	in = (struct appraise_in){ .evidence = buf_view(&b), .now = MAKER_NOW, .has_nonce = true, .nonce = slice_of(nonce, sizeof nonce),
				   .snp_roots = maker_roots() };
	WORKS(appraise(&v, &in, &e));
	if (!v.accepted)
		test_fail(__FILE__, __LINE__, "%s", buf_cstr(&v.reason));
	OK(v.warned);		/* simulated */
	WORKS(bundle_parse(&p, buf_view(&b), &e));
	EQ(p.collateral.n, 1);
	p.runtime_data.p[0] = 'P';
	WORKS(bundle_write(&forged, &p, &e));
	in.evidence = buf_view(&forged);
	WORKS(appraise(&w, &in, &e));
	OK(!w.accepted);
	HAS(buf_cstr(&w.reason), "snp.report_data");
	p.runtime_data.p[0] = 'p';
	p.collateral.v[0].kind[0] = 'x';
	buf_reset(&forged);
	WORKS(bundle_write(&forged, &p, &e));
	in.evidence = buf_view(&forged);
	WORKS(appraise(&no_table, &in, &e));
	OK(!no_table.accepted);
	HAS(buf_cstr(&no_table.reason), "snp.vek");
}

TEST(tdx_bundle_is_collected_and_an_unsigned_quote_is_refused)
{
	struct kernel k;
	struct host h;
	AUTO_BUF b = { 0 };
	AUTO_BUNDLE p = { 0 };
	AUTO_JSON *j = NULL;
	AUTO_VERDICT v = { 0 };

	kernel_start(&k, &h, TDX);
	WORKS(collect_bundle(&b, &h, &(const struct collect_opts){ .tee = "tdx", .nonce = slice_of(nonce, sizeof nonce) }, &e));
	WORKS(collect_evidence(&j, &h, "tdx", SLICE("digest"), &e));
	kernel_stop(&k, &h);
	WORKS(bundle_parse(&p, buf_view(&b), &e));
	STR(p.evidence.v[0].kind, "tdx");
	OK(json_string(json_get(j, "quote")) != NULL);
	OK(json_is_null(json_get(j, "cc_eventlog")));
	WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .has_nonce = true,
							.nonce = slice_of(nonce, sizeof nonce) }, &e));
	OK(!v.accepted);
}
