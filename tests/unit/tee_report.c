/* SPDX-License-Identifier: Apache-2.0 */
/* Reports without configfs: recorded ioctl exchanges, a quote service behind a socket, registers in sysfs. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "codec/recording.h"
#include "snp_maker.h"
#include "tee/device.h"
#include "tee/report.h"
#include "tee/sev_guest.h"
#include "tee/tdx.h"
#include "tee/tdx_guest.h"
#include "tee/uapi.h"
#include "test.h"

static const uint8_t ask[64] = "the 64 bytes that the report has to hold";

static void put_at(const char *root, const char *path, struct slice data)
{
	char all[600];
	int fd;

	snprintf(all, sizeof all, "%s%s", root, path);
	for (char *c = all + strlen(root) + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			mkdir(all, 0700);
			*c = '/';
		}
	fd = open(all, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data.p, data.n) != (ssize_t)data.n)
		test_fail(__FILE__, __LINE__, "cannot write %s", all);
	close(fd);
}

/* --- /dev/sev-guest ------------------------------------------------------------------------------------------- */

struct sev_call {
	bool plain;			/* GET_REPORT */
	uint32_t room;			/* certs_len asked */
	int error;
	uint32_t fw, vmm, need;		/* of the answer */
	uint32_t status, vmpl;
	bool with_report, other_data, with_table;
};

static struct slice one_table(void)
{
	static struct buf table;
	AUTO_BUF der = { 0 };
	uint8_t raw[SNP_REPORT_SIZE];

	if (table.n == 0) {
		maker_roots();
		report_make(raw, &(const struct report_make){ .report_data = ask, .n = 64 });
		vek_make(&der, raw, &(const struct vek_make){ 0 });
		table_make(&table, buf_view(&der));
	}
	return buf_view(&table);
}

static void put_call(struct buf *to, const struct sev_call *c, bool first)
{
	struct sev_request_ioctl io = { .msg_version = 1 };
	struct sev_ext_report_request q = { .certs_len = c->room };
	const size_t ask_n = c->plain ? sizeof q.report : sizeof q;
	uint8_t answer[SEV_RESPONSE_SIZE] = { 0 }, data[64];
	AUTO_BUF in = { 0 }, out = { 0 };

	memcpy(q.report.user_data, ask, 64);
	q.report.vmpl = c->vmpl;
	buf_put(&in, &io, sizeof io);
	buf_put(&in, &q, ask_n);
	io.fw_error = c->fw;
	io.vmm_error = c->vmm;
	if (c->need)
		q.certs_len = c->need;
	buf_put(&out, &io, sizeof io);
	buf_put(&out, &q, ask_n);
	memcpy(data, ask, 64);
	data[0] ^= c->other_data;
	if (c->with_report) {
		const uint32_t size = SNP_REPORT_SIZE;

		memcpy(answer + 4, &size, 4);
		report_make(answer + 32, &(const struct report_make){ .report_data = data, .n = 64, .vmpl = c->vmpl });
	}
	memcpy(answer, &c->status, 4);
	buf_put(&out, answer, sizeof answer);
	if (c->with_table)
		buf_slice(&out, one_table());
	buf_printf(to, "%s{\"request\":\"0x%x\",\"errno\":%d,\"in\":\"", first ? "" : ",\n", c->plain ? SEV_GET_REPORT : SEV_GET_EXT_REPORT,
		   c->error);
	buf_hex(to, buf_view(&in));
	buf_puts(to, "\",\"out\":\"");
	buf_hex(to, buf_view(&out));
	buf_puts(to, "\"}");
}

static int sev(struct evidence *ev, const struct sev_call *c, size_t n, struct err *e)
{
	const char *root = tmpdir();
	AUTO_BUF text = { 0 };
	struct host h;
	int rc;

	buf_puts(&text, "{\"calls\":[");
	for (size_t i = 0; i < n; i++)
		put_call(&text, &c[i], i == 0);
	buf_puts(&text, "]}");
	put_at(root, "/dev/sev-guest", buf_view(&text));
	host_init(&h);
	WORKS(host_set_sysroot(&h, root, &e));
	rc = evidence_snp.collect(ev, &h, slice_of(ask, 64), e);
	host_close(&h);
	return rc;
}

TEST(sev_ioctl_gives_report_and_certificates_in_one_request)
{
	AUTO_EVIDENCE ev = { 0 };
	struct err e = { 0 };
	struct snp_report r;
	struct snp_certs certs = { 0 };

	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .with_report = true, .with_table = true } }, 1, &e), 0);
	STR(e.msg, "");
	WORKS(snp_report_parse(&r, buf_view(&ev.raw), &e));
	MEM(snp_report_data(&r).p, ask, 64);
	EQ(ev.certs.n, 4096);		/* whole pages, without the empty ones */
	WORKS(snp_table_parse(&certs, buf_view(&ev.certs), &e));
	EQ(certs.n, 1);
	snp_certs_free(&certs);
}

TEST(sev_ioctl_without_certificates_of_the_host)
{
	AUTO_EVIDENCE ev = { 0 };
	struct err e = { 0 };

	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .with_report = true } }, 1, &e), 0);
	EQ(ev.certs.n, 0);
}

TEST(sev_ioctl_asks_again_with_the_room_that_the_host_names)
{
	AUTO_EVIDENCE ev = { 0 }, plain = { 0 };
	struct err e = { 0 };

	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .error = EIO, .vmm = 1, .need = 0x2000 },
						{ .room = 0x2000, .with_report = true, .with_table = true } }, 2, &e), 0);
	EQ(ev.certs.n, 4096);
	/* more than the kernel takes: the report alone */
	EQ(sev(&plain, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .error = EIO, .vmm = 1, .need = 0x9000 },
						   { .plain = true, .with_report = true } }, 2, &e), 0);
	EQ(plain.certs.n, 0);
	EQ(plain.raw.n, SNP_REPORT_SIZE);
}

TEST(sev_ioctl_waits_for_a_busy_host_within_bounds)
{
	AUTO_EVIDENCE ev = { 0 };
	struct err e = { 0 };
	const struct sev_call busy = { .room = SEV_CERTS_MAX, .error = EIO, .vmm = 2, .fw = 0xffffffff };

	EQ(sev(&ev, (const struct sev_call[]){ busy, busy, { .room = SEV_CERTS_MAX, .with_report = true } }, 3, &e), 0);
	EQ(sev(&ev, &busy, 1, &e), -1);		/* the last recorded answer again and again */
	EQ(e.code, EC_IO);
	HAS(e.hint, "throttles");
}

/* After a failed transport the recording would answer; nobody may ask. */
TEST(sev_ioctl_never_asks_again_after_a_failed_transport)
{
	AUTO_EVIDENCE ev = { 0 };
	struct err e = { 0 };
	const struct sev_call good = { .room = SEV_CERTS_MAX, .with_report = true };

	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .error = EIO, .fw = 0xffffffff }, good }, 2, &e), -1);
	HAS(e.hint, "until the guest reboots");
	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .error = EBADMSG }, good }, 2, &e), -1);
	HAS(e.hint, "only a reboot");
	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .error = ENOTTY, .vmm = 2 }, good }, 2, &e), -1);
	HAS(e.hint, "only a reboot brings reports back");
	EQ(ev.raw.n, 0);
}

TEST(sev_ioctl_names_what_the_firmware_refuses)
{
	AUTO_EVIDENCE ev = { 0 };
	struct err e = { 0 };

	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .status = SEV_STATUS_INVALID_PARAM } }, 1, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "VMPL 0");
	HAS(e.hint, "--vmpl 1");
	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .with_report = true, .status = SEV_STATUS_INVALID_KEY } }, 1, &e), -1);
	HAS(e.msg, "status 0x27");
	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX } }, 1, &e), -1);
	EQ(e.code, EC_FORMAT);
	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .with_report = true, .other_data = true } }, 1, &e), -1);
	HAS(e.msg, "other report data");
	ev.how = &(const struct collect_how){ .has_vmpl = true, .vmpl = 2 };
	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .with_report = true, .vmpl = 2 } }, 1, &e), 0);
	ev.how = &(const struct collect_how){ .svsm = true };
	EQ(sev(&ev, (const struct sev_call[]){ { .room = SEV_CERTS_MAX, .with_report = true } }, 1, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.hint, "6.10");
}

TEST(recording_answers_in_order_and_only_what_it_holds)
{
	struct recording *r = NULL;
	uint8_t p[4] = { 1 };

	WORKS(recording_open(&r, SLICE("{\"calls\":[{\"request\":7,\"in\":\"01\",\"out\":\"02\"},{\"request\":7,\"in\":\"0100\",\"out\":\"03\",\"errno\":5}]}"), &e));
	EQ(recording_call(r, 7, p, sizeof p), 0);
	EQ(p[0], 2);
	EQ(recording_call(r, 7, p, sizeof p), ENOSYS);
	p[0] = 1;
	EQ(recording_call(r, 8, p, sizeof p), ENOSYS);
	EQ(recording_call(r, 7, p, sizeof p), 5);
	EQ(p[0], 3);
	recording_close(r);
	FAILS(recording_open(&r, SLICE("{\"calls\":[{\"in\":\"01\"}]}"), &e), EC_FORMAT);
	FAILS(recording_open(&r, SLICE("{\"calls\":[{\"request\":\"7\"}]}"), &e), EC_FORMAT);
	FAILS(recording_open(&r, SLICE("{\"calls\":[{\"request\":1,\"in\":\"0\"}]}"), &e), EC_FORMAT);
	FAILS(recording_open(&r, SLICE(""), &e), EC_FORMAT);
}

TEST(device_node_has_to_be_a_device)
{
	const char *root = tmpdir();
	struct host h;
	AUTO_DEVICE d = DEVICE_NONE;
	struct err e = { 0 };

	host_init(&h);
	FAILS(device_open(&d, &h, "/dev/absent-device", &e), EC_ABSENT);
	FAILS(device_open(&d, &h, "/proc/self", &e), EC_IO);
	FAILS(device_open(&d, &h, "/etc/hostname", &e), EC_IO);		/* on the real machine a file is no recording */
	WORKS(host_set_sysroot(&h, root, &e));
	put_at(root, "/dev/sev-guest", SLICE(""));
	EQ(device_open(&d, &h, "/dev/sev-guest", &e), -1);
	HAS(e.msg, "cannot replay");
	host_close(&h);
}

/* --- /dev/tdx_guest and the quote service --------------------------------------------------------------------- */

enum qgs_manner { QUOTES, ERRS, HANGS_UP, OTHER_RTMR, LONG, SILENT_QGS };
struct qgs {
	char root[256];
	enum qgs_manner manner;
	int listener, quit[2];
	pthread_t thread;
	uint8_t tdreport[TDREPORT_SIZE];	/* as received */
	unsigned asked;
};

/* A body of zeros but for what quote_make sets, and the TDREPORT that has the same values. */
static void tdreport_make(uint8_t r[static TDREPORT_SIZE], const struct tdx_quote *q)
{
	static const struct { uint16_t report, body, n; } same[] = {
		{ 264, 0, 16 }, { 280, 16, 48 }, { 328, 64, 48 }, { 376, 112, 8 }, { 512, 120, 8 }, { 520, 128, 8 }, { 528, 136, 48 },
		{ 576, 184, 48 }, { 624, 232, 48 }, { 672, 280, 48 }, { 720, 328, 192 }, { 128, 520, 64 }
	};
	uint8_t d[64];

	memset(r, 0, TDREPORT_SIZE);
	r[0] = 0x81;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		memcpy(r + same[i].report, q->body.p + same[i].body, same[i].n);
	WORKS(hash_of(d, HASH_SHA384, slice_of(r + 256, 239), &e));
	memcpy(r + 32, d, 48);
	WORKS(hash_of(d, HASH_SHA384, slice_of(r + 512, 512), &e));
	memcpy(r + 80, d, 48);
}

static void answer_quote(struct buf *b, const struct qgs *q)
{
	AUTO_BUF quote = { 0 };

	quote_make(&quote, 4, 2, 584, ask);
	if (q->manner == OTHER_RTMR)
		quote.p[48 + 328] ^= 1;
	buf_le16(b, 1);
	buf_le16(b, 1);
	buf_le32(b, 1);
	buf_le32(b, (uint32_t)(24 + 3 + quote.n));
	buf_le32(b, q->manner == ERRS ? 0x12001 : 0);
	buf_le32(b, 3);
	buf_le32(b, (uint32_t)quote.n + (q->manner == LONG));
	buf_puts(b, "id!");
	buf_slice(b, buf_view(&quote));
}

static bool read_whole(int fd, void *p, size_t n)
{
	return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

static void *qgs_thread(void *arg)
{
	struct qgs *q = arg;

	for (;;) {
		struct pollfd p[2] = { { q->listener, POLLIN, 0 }, { q->quit[0], POLLIN, 0 } };
		uint8_t head[4 + 24], size[4];
		AUTO_BUF b = { 0 };
		int fd;

		poll(p, 2, -1);
		if (p[1].revents)
			return NULL;
		fd = accept(q->listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		q->asked++;
		/* 4-byte big-endian length, header, report size, no ids */
		if (read_whole(fd, head, sizeof head) && get_be32(head) == 1048 && get_le32(head + 4) == 0x10001 &&
		    get_le32(head + 12) == 1048 && get_le32(head + 20) == 1024 && get_le32(head + 24) == 0 &&
		    read_whole(fd, q->tdreport, sizeof q->tdreport)) {
			answer_quote(&b, q);
			put_be32(size, (uint32_t)b.n);
			if (q->manner == SILENT_QGS)
				poll(p + 1, 1, 3000);
			else if (send(fd, size, 4, MSG_NOSIGNAL) != 4 || send(fd, b.p, q->manner == HANGS_UP ? 100 : b.n, MSG_NOSIGNAL) <= 0)
				test_fail(__FILE__, __LINE__, "cannot answer");
		} else {
			test_fail(__FILE__, __LINE__, "the request is not as the protocol says");
		}
		close(fd);
	}
}

static void qgs_start(struct qgs *q, enum qgs_manner m)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	*q = (struct qgs){ .manner = m };
	snprintf(q->root, sizeof q->root, "%s", tmpdir());
	put_at(q->root, "/etc/tdx-attest.conf", SLICE("# host\nport=1\n  port = 4050 # the customary one\n"));
	put_at(q->root, "/run/qgs/x", SLICE(""));
	snprintf(un.sun_path, sizeof un.sun_path, "%.80s/run/qgs/4050", q->root);
	unlink(un.sun_path);
	q->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	OK(bind(q->listener, (struct sockaddr *)&un, sizeof un) == 0 && listen(q->listener, 4) == 0);
	OK(pipe(q->quit) == 0 && pthread_create(&q->thread, NULL, qgs_thread, q) == 0);
}

static void qgs_stop(struct qgs *q)
{
	OK(write(q->quit[1], "x", 1) == 1);
	pthread_join(q->thread, NULL);
	close(q->listener);
	close(q->quit[0]);
	close(q->quit[1]);
}

/* The recorded TDREPORT of the guest whose quote the service makes. */
static void put_tdx_guest(const char *root, uint8_t tdreport[static TDREPORT_SIZE])
{
	AUTO_BUF text = { 0 }, quote = { 0 };
	struct tdx_quote q;

	quote_make(&quote, 4, 2, 584, ask);
	WORKS(tdx_quote_parse(&q, buf_view(&quote), &e));
	tdreport_make(tdreport, &q);
	buf_printf(&text, "{\"calls\":[{\"request\":\"0x%x\",\"in\":\"", TDX_GET_REPORT0);
	buf_hex(&text, slice_of(ask, 64));
	buf_puts(&text, "\",\"out\":\"");
	buf_hex(&text, slice_of(ask, 64));
	buf_hex(&text, slice_of(tdreport, TDREPORT_SIZE));
	buf_puts(&text, "\"}]}");
	put_at(root, "/dev/tdx_guest", buf_view(&text));
}

static int by_qgs(struct qgs *q, enum qgs_manner m, int64_t time_ms, struct evidence *ev, struct err *e)
{
	uint8_t tdreport[TDREPORT_SIZE];
	struct host h;
	int rc;

	qgs_start(q, m);
	put_tdx_guest(q->root, tdreport);
	host_init(&h);
	WORKS(host_set_sysroot(&h, q->root, &e));
	h.deadline_ms = host_mono_ms() + time_ms;
	rc = evidence_tdx.collect(ev, &h, slice_of(ask, 64), e);
	qgs_stop(q);
	if (q->asked)
		MEM(q->tdreport, tdreport, TDREPORT_SIZE);
	host_close(&h);
	return rc;
}

TEST(tdx_quote_comes_from_the_service_on_the_host)
{
	AUTO_EVIDENCE ev = { 0 };
	struct tdx_quote t;
	struct err e = { 0 };
	struct qgs q;

	EQ(by_qgs(&q, QUOTES, 10000, &ev, &e), 0);
	STR(e.msg, "");
	EQ(q.asked, 1);
	WORKS(tdx_quote_parse(&t, buf_view(&ev.raw), &e));
	MEM(tdx_report_data(&t).p, ask, 64);
}

TEST(tdx_quote_service_that_fails_is_named)
{
	AUTO_EVIDENCE ev = { 0 };
	struct err e = { 0 };
	struct qgs q;

	EQ(by_qgs(&q, ERRS, 10000, &ev, &e), -1);
	HAS(e.msg, "error 0x12001");
	EQ(by_qgs(&q, HANGS_UP, 10000, &ev, &e), -1);
	HAS(e.msg, "hung up");
	HAS(e.hint, "host's configuration");
	EQ(by_qgs(&q, LONG, 10000, &ev, &e), -1);
	EQ(e.code, EC_FORMAT);
	HAS(e.msg, "announces");
	EQ(by_qgs(&q, OTHER_RTMR, 10000, &ev, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "rtmr_0");
	EQ(by_qgs(&q, SILENT_QGS, 300, &ev, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "does not answer");
	EQ(ev.raw.n, 0);
}

TEST(tdx_without_a_quote_service_says_how)
{
	const char *root = tmpdir();
	AUTO_EVIDENCE ev = { 0 };
	uint8_t tdreport[TDREPORT_SIZE];
	struct err e = { 0 };
	struct host h;

	put_tdx_guest(root, tdreport);
	host_init(&h);
	WORKS(host_set_sysroot(&h, root, &e));
	EQ(evidence_tdx.collect(&ev, &h, slice_of(ask, 64), &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.hint, "port = 4050");
	put_at(root, "/etc/tdx-attest.conf", SLICE("port = 4050\n"));
	EQ(evidence_tdx.collect(&ev, &h, slice_of(ask, 64), &e), -1);
	HAS(e.msg, "quote service");
	h.offline = true;
	EQ(evidence_tdx.collect(&ev, &h, slice_of(ask, 64), &e), -1);
	EQ(e.code, EC_USAGE);
	HAS(e.msg, "--offline");
	host_close(&h);
}

TEST(qgs_port_is_what_the_file_says)
{
	static const struct { const char *text; int64_t port; } files[] = {
		{ "port = 4050\n", 4050 }, { "port=1", 1 }, { "\tport\t=\t77\r\n", 77 }, { "#port = 1\n", -1 }, { "port = x\n", -1 },
		{ "ports = 5\n", -1 }, { "port = 4294967295\n", -1 }, { "port = -1\n", -1 }, { "", -1 }, { "port = 0\n", -1 },
		{ "port = 1\nport = 2\n", 2 }, { "port = 99999999999999999999\n", -1 },
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		const char *root = tmpdir();
		struct err e = { 0 };
		uint32_t port = 0;
		struct host h;
		int rc;

		put_at(root, "/etc/tdx-attest.conf", slice_str(files[i].text));
		host_init(&h);
		WORKS(host_set_sysroot(&h, root, &e));
		rc = qgs_port(&port, &h, &e);
		if (files[i].port < 0 ? rc == 0 || e.code != EC_ABSENT : rc != 0 || port != files[i].port)
			test_fail(__FILE__, __LINE__, "'%s' gives %d, %u", files[i].text, rc, port);
		host_close(&h);
	}
}

TEST(tdx_registers_are_those_of_the_quote)
{
	const char *root = tmpdir();
	AUTO_BUF quote = { 0 };
	struct tdx_registers before, after;
	struct tdx_quote q;
	struct host h;
	uint8_t v[48];

	quote_make(&quote, 4, 2, 584, ask);
	for (int i = 0; i < 48 * 4; i++)
		quote.p[48 + 328 + i] = (uint8_t)i;
	WORKS(tdx_quote_parse(&q, buf_view(&quote), &e));
	host_init(&h);
	WORKS(host_set_sysroot(&h, root, &e));
	tdx_registers_read(&before, &h);
	EQ(before.mrtd.n, 0);
	WORKS(tdx_registers_agree(&before, &before, q.body, &e));	/* older kernels show none */
	put_at(root, "/sys/class/misc/tdx_guest/measurements/mrtd:sha384", slice_of(q.body.p + 136, 48));
	put_at(root, "/sys/class/misc/tdx_guest/measurements/rtmr0:sha384", slice_of(q.body.p + 328, 48));
	put_at(root, "/sys/class/misc/tdx_guest/measurements/rtmr3:sha384", slice_of(q.body.p + 472, 48));
	tdx_registers_read(&before, &h);
	EQ(before.rtmr[3].n, 48);
	WORKS(tdx_registers_agree(&before, &before, q.body, &e));
	memset(v, 7, sizeof v);
	put_at(root, "/sys/class/misc/tdx_guest/measurements/rtmr3:sha384", slice_of(v, sizeof v));
	tdx_registers_read(&after, &h);
	WORKS(tdx_registers_agree(&before, &after, q.body, &e));	/* extended behind the quote */
	WORKS(tdx_registers_agree(&after, &before, q.body, &e));	/* in between */
	FAILS(tdx_registers_agree(&after, &after, q.body, &e), EC_IO);
	put_at(root, "/sys/class/misc/tdx_guest/measurements/mrtd:sha384", slice_of(v, sizeof v));
	tdx_registers_read(&after, &h);
	FAILS(tdx_registers_agree(&before, &after, q.body, &e), EC_IO);
	host_close(&h);
}
