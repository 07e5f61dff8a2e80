/* SPDX-License-Identifier: Apache-2.0 */
/* Reports by configfs, with a thread that plays the kernel: it fills each directory that is made, answers each inblob. */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/appraise.h"
#include "attest/collect.h"
#include "base/host.h"
#include "evidence/bundle.h"
#include "snp_maker.h"
#include "tee/tsm.h"
#include "test.h"

enum manner { ANSWERS, DISTURBED_ONCE, DISTURBED, SILENT, OTHER_DATA, TDX };
struct kernel {
	char root[256], base[400];
	enum manner manner;
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

static void answer(struct kernel *k, const char *dir)
{
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
	if (k->manner == TDX) {
		quote_make(&quote, 4, 2, 584, in);
		put(k, dir, "generation", "1\n", 2);
		put(k, dir, "outblob", quote.p, quote.n);
		return;
	}
	report_make(raw, &(const struct report_make){ .report_data = in, .n = sizeof in });
	vek_make(&der, raw, &(const struct vek_make){ 0 });
	table_make(&table, buf_view(&der));
	put(k, dir, "auxblob", table.p, table.n);
	put(k, dir, "generation", disturbed ? "2\n" : "1\n", 2);
	put(k, dir, "outblob", raw, k->manner == SILENT ? 0 : sizeof raw);
}

static void appear(struct kernel *k, const char *dir)
{
	char path[900];

	k->made++;
	snprintf(path, sizeof path, "%s/%s", k->base, dir);
	inotify_add_watch(k->watch, path, IN_CLOSE_WRITE);
	put(k, dir, "inblob", "", 0);
	put(k, dir, "generation", "0\n", 2);
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

TEST(tdx_bundle_is_collected_and_not_judged)
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
	FAILS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&b), .has_nonce = true,
							.nonce = slice_of(nonce, sizeof nonce) }, &e), EC_ABSENT);
}
