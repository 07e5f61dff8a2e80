/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to a TPM: what goes over the wire, what comes back, and what is said when it fails. */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "test.h"
#include "tpm_maker.h"

static void put_file(const char *dir, const char *name, struct slice data)
{
	AUTO_STR *path = str_printf(NULL, "%s/%s", dir, name);
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	OK(fd >= 0);
	WORKS(fd_write_all(fd, data.p, data.n, &e));
}

static void sysroot(struct host *h, const char *dir)
{
	AUTO_STR *dev = str_printf(NULL, "%s/dev", dir);

	mkdir(dev, 0700);
	host_init(h);
	WORKS(host_set_sysroot(h, dir, &e));
}

/* The transcript of a real software TPM, as a device that answers its requests and no others: so each command is byte for byte as
 * recorded. */
static void open_transcript(struct tpm *t, struct host *h)
{
	const char *dir = tmpdir();
	AUTO_BUF text = { 0 };

	load_vec(&text, "cpu-tee/tpm/transcript.txt");
	sysroot(h, dir);
	put_file(dir, "dev/tpmrm0", buf_view(&text));
	WORKS(tpm_open(t, h, &e));
}

static void seek(struct tpm *t, const char *title)
{
	const char *text = buf_cstr(&t->recording), *at = strstr(text, title);

	OK(at != NULL);
	t->at = at ? (size_t)(at - text) : 0;
}

TEST(tpm_transcript_capabilities_and_nv)
{
	struct host h;
	AUTO_TPM t = TPM_INIT;
	AUTO_BUF data = { 0 };
	struct tpm_bank banks[8];
	struct tpm_nv nv;
	uint8_t bytes[64];
	uint32_t max = 0;
	size_t n = 0;
	uint16_t bank = 0;

	NEED_VECTORS;
	open_transcript(&t, &h);
	WORKS(tpm_banks(banks, 8, &n, &t, &e));
	EQ(n, 4);
	EQ(banks[1].bank, TPM_SHA256);
	EQ(banks[1].mask, TPM_ALL_PCRS);
	WORKS(tpm_pick_bank(&bank, &max, &t, &e));
	EQ(bank, TPM_SHA256);
	WORKS(tpm_property(&max, &t, TPM_PT_NV_BUFFER_MAX, &e));
	EQ(max, 1024);
	FAILS(tpm_nv_read_public(&nv, &t, 0x01400001, &e), EC_ABSENT);
	EQ(t.rc, TPM_RC_HANDLE_1);
	WORKS(tpm_nv_define(&t, 0x01400002, TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD, 64, &e));
	FAILS(tpm_nv_define(&t, 0x01400002, TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD, 64, &e), EC_IO);
	EQ(t.rc, TPM_RC_NV_DEFINED);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	WORKS(tpm_nv_write(&t, 0x01400002, slice_of(bytes, sizeof bytes), &e));
	WORKS(tpm_nv_read_public(&nv, &t, 0x01400002, &e));
	EQ(nv.size, 64);
	EQ(nv.attributes, TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_WRITTEN);
	seek(&t, "nv-read-public\n");
	WORKS(tpm_nv_read(&data, &t, 0x01400002, &e));
	EQ(data.n, 64);
	MEM(data.p, bytes, 64);
	WORKS(tpm_nv_undefine(&t, 0x01400002, &e));
	tpm_close(&t);
	host_close(&h);
}

static void transcript_key(struct tpm *t, struct slice template, const char *title, uint16_t alg)
{
	AUTO_TPM_QUOTED q = { 0 };
	AUTO_BUF area = { 0 }, name = { 0 };
	AUTO_PUBKEY key = { 0 };
	struct tpm_signature s;
	struct tpm_attest a;
	struct tpm_public p;
	uint8_t nonce[67], digest[32];
	uint32_t handle = 0;

	memset(nonce, 0xab, sizeof nonce);
	seek(t, title);
	WORKS(tpm_create_primary(&handle, &q.ak, t, TPM_RH_NULL, template, &e));
	EQ(handle, 0x80000000);
	WORKS(tpm_read_public(&area, t, handle, &e));
	OK(slice_eq(buf_view(&area), buf_view(&q.ak)));
	WORKS(tpm_public_parse(&p, buf_view(&area), &e));
	WORKS(tpm_public_attests(&p, &e));
	WORKS(tpm_public_name(&name, &p, &e));
	WORKS(tpm_public_key(&key, &p, &e));
	if (alg == TPM_RSASSA) {	/* the command for the other key is the same: take the one behind the title */
		WORKS(tpm_pcr_read(&q.pcrs, t, TPM_SHA256, 0x810003, &e));
		seek(t, title);
		WORKS(tpm_quote(&q.attest, &q.signature, t, handle, TPM_NULL, slice_of(nonce, 32), TPM_SHA256, 0x810003, &e));
	} else {
		WORKS(tpm_quote_all(&q, t, handle, slice_of(nonce, 32), TPM_SHA256, 0x810003, &e));
	}
	WORKS(tpm_attest_parse(&a, buf_view(&q.attest), &e));
	WORKS(tpm_signature_parse(&s, buf_view(&q.signature), &e));
	EQ(a.type, TPM_ST_QUOTE);
	EQ(a.n_selections, 1);
	EQ(a.selection[0].mask, 0x810003);
	EQ(s.alg, alg);
	WORKS(tpm_signature_verify(&s, &key, buf_view(&q.attest), &e));
	WORKS(tpm_pcr_digest(digest, HASH_SHA256, &q.pcrs, &e));
	MEM(a.digest.p, digest, 32);
	EQ(q.pcrs.v[16][0], 0xee);
	/* the qualified name in the quote is that of this key, below the null hierarchy */
	buf_reset(&name);
	area_signer(&name, buf_view(&q.ak), TPM_RH_NULL);
	OK(slice_eq(a.signer, buf_view(&name)));
	FAILS(tpm_quote(&q.attest, &q.signature, t, handle, TPM_NULL, slice_of(nonce, 67), TPM_SHA256, 0x810003, &e), EC_IO);
	EQ(t->rc, 0x1d5);
	WORKS(tpm_flush(t, handle, &e));
}

TEST(tpm_transcript_keys_and_quotes)
{
	struct host h;
	AUTO_TPM t = TPM_INIT;

	NEED_VECTORS;
	open_transcript(&t, &h);
	transcript_key(&t, tpm_template_ecc, "create-primary ecc", TPM_ECDSA);
	transcript_key(&t, tpm_template_rsa, "create-primary rsa", TPM_RSASSA);
	host_close(&h);
}

TEST(tpm_transcript_pcrs)
{
	uint8_t twos[32];
	struct host h;
	AUTO_TPM t = TPM_INIT;
	struct tpm_pcrs p;

	NEED_VECTORS;
	open_transcript(&t, &h);
	memset(twos, 0x22, sizeof twos);
	WORKS(tpm_pcr_extend(&t, 16, TPM_SHA256, slice_of(twos, sizeof twos), &e));
	WORKS(tpm_pcr_read(&p, &t, TPM_SHA256, 0x810003, &e));
	EQ(p.mask, 0x810003);
	EQ(p.v[16][0], 0xee);
	EQ(tpm_pcr(&p, 2).n, 0);
	/* all 24: the first eight were recorded, and the next request is for the rest */
	{
		struct err e = { 0 };

		EQ(tpm_pcr_read(&p, &t, TPM_SHA256, TPM_ALL_PCRS, &e), -1);
		EQ(e.code, EC_ABSENT);
		HAS(e.msg, "0300ffff");
	}
	host_close(&h);
}

/* --- with a TPM that can be told to misbehave ---------------------------------------------------------------- */

struct with {
	struct host h;
	struct tpm_sim sim;
	struct tpm t;
};

static void with(struct with *w)
{
	host_init(&w->h);
	tpm_sim_init(&w->sim);
	tpm_sim_attach(&w->t, &w->sim, &w->h);
}

TEST(tpm_busy_is_asked_again)
{
	struct with w;
	uint32_t v = 0;

	with(&w);
	w.sim.busy = 3;
	WORKS(tpm_property(&v, &w.t, TPM_PT_MANUFACTURER, &e));
	EQ(v, 0x494d4c4b);
	EQ(w.sim.busy, 0);
	/* and not for ever: the deadline ends it */
	w.sim.busy = 1000;
	w.h.deadline_ms = host_mono_ms() + 60;
	FAILS(tpm_property(&v, &w.t, TPM_PT_MANUFACTURER, &e), EC_IO);
	EQ(w.t.rc, 0x922);
	OK(w.sim.busy > 980);
}

TEST(tpm_pcrs_come_in_parts_that_belong_together)
{
	struct with w;
	struct tpm_pcrs p, want;

	with(&w);
	maker_pcrs(&want, TPM_SHA256, TPM_ALL_PCRS);
	w.sim.counter_changes = 2;
	WORKS(tpm_pcr_read(&p, &w.t, TPM_SHA256, TPM_ALL_PCRS, &e));
	MEM(p.v, want.v, sizeof p.v);
	w.sim.counter_changes = 1000;
	FAILS(tpm_pcr_read(&p, &w.t, TPM_SHA256, TPM_ALL_PCRS, &e), EC_IO);
	FAILS(tpm_pcr_read(&p, &w.t, TPM_SHA256, 0, &e), EC_USAGE);
	FAILS(tpm_pcr_read(&p, &w.t, TPM_SM3, 1, &e), EC_USAGE);
}

TEST(tpm_pcrs_that_change_before_the_quote_are_read_again)
{
	struct with w;
	AUTO_TPM_QUOTED q = { 0 }, never = { 0 };
	struct tpm_attest a;
	uint8_t digest[32];

	with(&w);
	area_make(&q.ak, MAKER_ECC, 0);
	area_make(&never.ak, MAKER_ECC, 0);
	w.sim.changes = 4;
	WORKS(tpm_quote_all(&q, &w.t, 0x80000000, SLICE("nonce"), TPM_SHA256, TPM_ALL_PCRS, &e));
	WORKS(tpm_attest_parse(&a, buf_view(&q.attest), &e));
	WORKS(tpm_pcr_digest(digest, HASH_SHA256, &q.pcrs, &e));
	MEM(a.digest.p, digest, 32);
	EQ(q.pcrs.v[10][0], 14);
	w.sim.changes = 5;
	FAILS(tpm_quote_all(&never, &w.t, 0x80000000, SLICE("nonce"), TPM_SHA256, TPM_ALL_PCRS, &e), EC_IO);
	EQ(never.attest.n, 0);
}

TEST(tpm_long_nonces_go_in_hashed_where_the_tpm_is_short)
{
	uint8_t nonce[64] = "a nonce of sixty-four bytes", hash[32];
	struct with w;
	AUTO_TPM_QUOTED q = { 0 }, p = { 0 };
	struct tpm_attest a;

	with(&w);
	area_make(&q.ak, MAKER_ECC, 0);
	area_make(&p.ak, MAKER_ECC, 0);
	WORKS(tpm_quote_all(&q, &w.t, 0x80000000, slice_of(nonce, 64), TPM_SHA256, 0xff, &e));
	WORKS(tpm_attest_parse(&a, buf_view(&q.attest), &e));
	OK(slice_eq(a.extra, slice_of(nonce, 64)));
	w.sim.nonce_max = 50;
	WORKS(tpm_quote_all(&p, &w.t, 0x80000000, slice_of(nonce, 64), TPM_SHA256, 0xff, &e));
	WORKS(tpm_attest_parse(&a, buf_view(&p.attest), &e));
	WORKS(hash_of(hash, HASH_SHA256, slice_of(nonce, 64), &e));
	OK(slice_eq(a.extra, slice_of(hash, 32)));
}

TEST(tpm_nv_is_read_in_pieces_that_the_tpm_takes)
{
	struct with w;
	AUTO_BUF got = { 0 }, small = { 0 };

	with(&w);
	w.sim.n_nv = 1;
	w.sim.nv[0].index = 0x01400001;
	w.sim.nv[0].attributes = TPMA_NV_OWNERREAD | TPMA_NV_WRITTEN;
	for (int i = 0; i < 2600; i++)
		buf_byte(&w.sim.nv[0].data, (uint8_t)(i % 251));
	WORKS(tpm_nv_read(&got, &w.t, 0x01400001, &e));
	OK(slice_eq(buf_view(&got), buf_view(&w.sim.nv[0].data)));
	w.sim.chunk = 768;		/* less than it announces */
	w.t.chunk = 0;
	WORKS(tpm_nv_read(&small, &w.t, 0x01400001, &e));
	OK(slice_eq(buf_view(&small), buf_view(&w.sim.nv[0].data)));
	FAILS(tpm_nv_read(&small, &w.t, 0x01400003, &e), EC_ABSENT);
	tpm_sim_free(&w.sim);
}

TEST(tpm_certificates_in_nv_are_cut_to_their_length)
{
	struct with w;
	AUTO_BUF got = { 0 };

	with(&w);
	w.sim.n_nv = 2;
	w.sim.nv[0].index = 0x01c101d0;
	w.sim.nv[0].attributes = TPMA_NV_AUTHREAD;
	buf_slice(&w.sim.nv[0].data, SLICE("\x30\x03\x02\x01\x05\xff\xff\xff\xff"));
	w.sim.nv[1].index = 0x01c101d2;
	buf_slice(&w.sim.nv[1].data, SLICE("\x30\x10\x02\x01\x05\xff\xff\xff\xff"));
	WORKS(tpm_nv_cert(&got, &w.t, 0x01c101d0, &e));
	EQ(got.n, 5);
	FAILS(tpm_nv_cert(&got, &w.t, 0x01c101d2, &e), EC_FORMAT);
	tpm_sim_free(&w.sim);
}

/* --- answers that are none ------------------------------------------------------------------------------------ */

static struct slice canned;

static int answer_canned(struct tpm *t, struct buf *ret, struct slice command, struct err *e)
{
	(void)t;
	(void)command;
	buf_slice(ret, canned);
	return buf_check(ret, e);
}

static int property(struct err *e)
{
	struct host h;
	struct tpm t = { .h = &h, .transmit = answer_canned, .where = "canned", .fd = -1 };
	uint32_t v;

	host_init(&h);
	return tpm_property(&v, &t, TPM_PT_MANUFACTURER, e);
}

TEST(tpm_malformed_answers_are_errors)
{
	static const char good[] = "\x80\x01\0\0\0\x1b\0\0\0\0\0\0\0\0\x06\0\0\0\x01\0\0\x01\x05IBM ";

	canned = slice_of(good, 27);
	WORKS(property(&e));
	for (size_t n = 0; n < 27; n++) {	/* cut: the announced size is not the one that came */
		canned = slice_of(good, n);
		FAILS(property(&e), EC_FORMAT);
	}
	for (size_t n = 10; n < 27; n++) {	/* cut, and announced so */
		char cut[27];

		memcpy(cut, good, 27);
		cut[5] = (char)n;
		canned = slice_of(cut, n);
		{
			struct err e = { 0 };

			EQ(property(&e), -1);
			OK(e.code == EC_FORMAT || e.code == EC_ABSENT);
		}
	}
	canned = slice_of("\x80\x02\0\0\0\x1b\0\0\0\0\0\0\0\0\x06\0\0\0\x01\0\0\x01\x05IBM ", 27);	/* sessions in the answer */
	FAILS(property(&e), EC_FORMAT);
	canned = slice_of("\x80\x01\0\0\0\x1b\0\0\0\0\0\0\0\0\x06\0\0\0\x01\0\0\x01\x06IBM ", 27);	/* another property */
	FAILS(property(&e), EC_ABSENT);
	canned = slice_of("\x80\x01\0\0\0\x13\0\0\0\0\0\0\0\0\x06\0\0\0\0", 19);			/* none */
	FAILS(property(&e), EC_ABSENT);
}

TEST(tpm_response_codes_are_said_in_words)
{
	static const struct {
		uint32_t rc;
		enum ec ec;
		const char *text, *hint;
	} rows[] = {
		{ 0x18b, EC_ABSENT, "handle 1 does not exist", NULL },
		{ 0x1d5, EC_IO, "parameter 1 has a wrong size", NULL },
		{ 0x98e, EC_IO, "session 1 has another password", "empty passwords" },
		{ 0x9a2, EC_IO, "session 1 has another password", "empty passwords" },
		{ 0x14a, EC_ABSENT, "never written", NULL },
		{ 0x149, EC_IO, "does not allow this access", NULL },
		{ 0x14c, EC_IO, "already", NULL },
		{ 0x921, EC_IO, "lockout", "reset the lockout" },
		{ 0x902, EC_IO, "no room for another object", "tpmrm0" },
		{ 0x100, EC_IO, "not started", "TPM2_Startup" },
		{ 0x143, EC_ABSENT, "does not know this command", NULL },
		{ 0x2a6, EC_ABSENT, NULL, NULL },
		{ 0x1e, EC_ABSENT, "TPM 1.2", "TPM 2.0" },
		{ 0xb0143, EC_ABSENT, "resource manager", NULL },
		{ 0x97f, EC_IO, "0x97f", NULL },
		{ 0xffffffff, EC_ABSENT, "0xffffffff", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t raw[10] = { 0x80, 1, 0, 0, 0, 10 };
		struct err e = { 0 };

		put_be32(raw + 6, rows[i].rc);
		canned = slice_of(raw, sizeof raw);
		EQ(property(&e), -1);
		EQ(e.code, rows[i].ec);
		if (rows[i].text)
			HAS(e.msg, rows[i].text);
		if (rows[i].hint)
			HAS(e.hint, rows[i].hint);
		HAS(e.msg, "TPM2_GetCapability");
	}
}

/* --- where the device is -------------------------------------------------------------------------------------- */

TEST(tpm_absent_and_odd_nodes_are_said)
{
	const char *dir = tmpdir();
	struct host h;
	AUTO_TPM t = TPM_INIT;

	sysroot(&h, dir);
	OK(!tpm_there(&h));
	FAILS(tpm_open(&t, &h, &e), EC_ABSENT);
	{
		AUTO_STR *path = str_printf(NULL, "%s/dev/tpm0", dir);
		struct sockaddr_un a = { .sun_family = AF_UNIX };
		AUTO_FD s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
		OK(!bind(s, (struct sockaddr *)&a, sizeof a));	/* and nobody listens */
		OK(tpm_there(&h));
		FAILS(tpm_open(&t, &h, &e), EC_IO);
		unlink(path);
		OK(!mkdir(path, 0700));
		FAILS(tpm_open(&t, &h, &e), EC_IO);
		rmdir(path);
	}
	put_file(dir, "dev/tpm0", SLICE("> 80\n"));	/* a recording that holds nothing */
	WORKS(tpm_open(&t, &h, &e));
	STR(t.where, "/dev/tpm0");
	{
		uint32_t v;

		FAILS(tpm_property(&v, &t, TPM_PT_MANUFACTURER, &e), EC_ABSENT);
	}
	host_close(&h);
}

/* The sim behind a socket, as swtpm is; one byte at a time when slow. */
static pid_t serve(const char *path, bool hang)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct tpm_sim sim;
	uint8_t in[4096];
	pid_t child;
	ssize_t n;
	int c;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	OK(!bind(s, (struct sockaddr *)&a, sizeof a) && !listen(s, 1));
	maker_key(MAKER_ECC);		/* the same key on both sides */
	child = fork();
	if (child) {
		close(s);
		return child;
	}
	tpm_sim_init(&sim);
	c = accept(s, NULL, NULL);
	while ((n = read(c, in, sizeof in)) > 0) {
		struct buf out = { 0 };

		tpm_sim_answer(&sim, &out, slice_of(in, (size_t)n));
		for (size_t i = 0; i < out.n && !hang; i += 7)
			if (write(c, out.p + i, out.n - i < 7 ? out.n - i : 7) < 0)
				_exit(1);
		buf_free(&out);
	}
	_exit(0);
}

TEST(tpm_behind_a_socket_is_spoken_to)
{
	const char *dir = tmpdir();
	AUTO_STR *path = str_printf(NULL, "%s/dev/tpmrm0", dir);
	AUTO_EVIDENCE ev = { 0 };
	struct host h;
	void *parsed = NULL;
	pid_t child;

	sysroot(&h, dir);
	child = serve(path, false);
	WORKS(evidence_tpm.collect(&ev, &h, SLICE("a nonce"), &e));
	WORKS(evidence_tpm.parse(&parsed, buf_view(&ev.raw), (struct slice){ 0 }, &e));
	evidence_tpm.drop(parsed);
	waitpid(child, NULL, 0);
	unlink(path);
	host_close(&h);
}

TEST(tpm_that_never_answers_ends_with_the_deadline)
{
	const char *dir = tmpdir();
	AUTO_STR *path = str_printf(NULL, "%s/dev/tpmrm0", dir);
	const int64_t start = host_mono_ms();
	AUTO_TPM t = TPM_INIT;
	struct host h;
	uint32_t v;
	pid_t child;

	sysroot(&h, dir);
	child = serve(path, true);
	h.deadline_ms = start + 200;
	WORKS(tpm_open(&t, &h, &e));
	FAILS(tpm_property(&v, &t, TPM_PT_MANUFACTURER, &e), EC_IO);
	OK(host_mono_ms() - start < 3000);
	tpm_close(&t);
	waitpid(child, NULL, 0);
	unlink(path);
	host_close(&h);
}

/* --- structures ----------------------------------------------------------------------------------------------- */

TEST(tpm_selections_are_read_as_typed)
{
	static const char *const bad[] = { "", "sha256", "sha256:", ":0", "md5:0", "sha1:0", "sha256:24", "sha256:1,", "sha256:,1", "sha256:3-1", "sha256:1-",
					   "sha256:0 ", "sha256:-1", "sha256:0x1", "sha256:99999999999", "sha256:allx", "verylongnameofabank:1" };
	AUTO_BUF text = { 0 };
	uint32_t mask = 0;
	uint16_t bank = 0;

	WORKS(tpm_pcr_selection(&bank, &mask, "sha256:0-7,11", &e));
	EQ(bank, TPM_SHA256);
	EQ(mask, 0x8ff);
	tpm_pcr_list(&text, mask);
	STR(buf_cstr(&text), "0-7,11");
	buf_reset(&text);
	tpm_pcr_list(&text, 0x800007);
	STR(buf_cstr(&text), "0-2,23");
	WORKS(tpm_pcr_selection(&bank, &mask, "sha384:all", &e));
	EQ(bank, TPM_SHA384);
	EQ(mask, TPM_ALL_PCRS);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(tpm_pcr_selection(&bank, &mask, bad[i], &e), EC_USAGE);
}

TEST(tpm_attest_cut_or_long_is_malformed)
{
	AUTO_BUF b = { 0 };
	struct tpm_attest a;

	attest_make(&b, &(const struct attest_make){ .nonce = SLICE("nonce") });
	WORKS(tpm_attest_parse(&a, buf_view(&b), &e));
	OK(slice_eqs(a.extra, "nonce"));
	EQ(a.clock, 123456);
	EQ(a.resets, 7);
	EQ(a.restarts, 2);
	EQ(a.safe, 1);
	for (size_t n = 0; n < b.n; n++)
		FAILS(tpm_attest_parse(&a, slice_of(b.p, n), &e), EC_FORMAT);
	buf_byte(&b, 0);
	FAILS(tpm_attest_parse(&a, buf_view(&b), &e), EC_FORMAT);
}

TEST(tpm_attest_selections_at_their_limits)
{
	AUTO_BUF b = { 0 };
	struct tpm_attest a;
	const size_t at = 4 + 2 + 2 + 34 + 2 + 8 + 9 + 8;	/* the count of selections */

	attest_make(&b, &(const struct attest_make){ .mask = 1 });
	b.p[at + 3] = 9;		/* nine banks */
	FAILS(tpm_attest_parse(&a, buf_view(&b), &e), EC_FORMAT);
	put_be32(b.p + at, 0xffffffff);
	FAILS(tpm_attest_parse(&a, buf_view(&b), &e), EC_FORMAT);
	put_be32(b.p + at, 1);
	b.p[at + 6] = 255;		/* a bitmap that is longer than the rest */
	FAILS(tpm_attest_parse(&a, buf_view(&b), &e), EC_FORMAT);
	b.n = at;			/* the same bank twice */
	buf_put(&b, "\0\0\0\x02\0\x0b\x03\1\0\0\0\x0b\x03\2\0\0\0\0", 18);
	FAILS(tpm_attest_parse(&a, buf_view(&b), &e), EC_FORMAT);
	b.n = at;			/* PCR 24 */
	buf_put(&b, "\0\0\0\x01\0\x0b\x04\1\0\0\1\0\0", 13);
	FAILS(tpm_attest_parse(&a, buf_view(&b), &e), EC_FORMAT);
	b.n = at;			/* a longer bitmap that says no more */
	buf_put(&b, "\0\0\0\x01\0\x0b\x04\1\0\0\0\0\0", 13);
	WORKS(tpm_attest_parse(&a, buf_view(&b), &e));
	EQ(a.selection[0].mask, 1);
}

TEST(tpm_public_areas_cut_long_or_odd_are_malformed)
{
	for (enum maker_key k = MAKER_ECC; k <= MAKER_RSA; k++) {
		AUTO_BUF b = { 0 };
		AUTO_PUBKEY key = { 0 }, want = { 0 };
		AUTO_BUF x = { 0 }, y = { 0 };
		struct tpm_public p;

		area_make(&b, k, 0);
		WORKS(tpm_public_parse(&p, buf_view(&b), &e));
		WORKS(tpm_public_key(&key, &p, &e));
		maker_public(&want, k);
		WORKS(pubkey_der(&x, &key, &e));
		WORKS(pubkey_der(&y, &want, &e));
		OK(slice_eq(buf_view(&x), buf_view(&y)));
		for (size_t n = 0; n < b.n; n++)
			FAILS(tpm_public_parse(&p, slice_of(b.p, n), &e), EC_FORMAT);
		buf_byte(&b, 0);
		FAILS(tpm_public_parse(&p, buf_view(&b), &e), EC_FORMAT);
		b.n--;
		b.p[1] = 0x08;		/* a keyed hash */
		FAILS(tpm_public_parse(&p, buf_view(&b), &e), EC_FORMAT);
	}
}

TEST(tpm_public_points_off_the_curve_are_no_keys)
{
	AUTO_BUF b = { 0 };
	AUTO_PUBKEY key = { 0 };
	struct tpm_public p;

	area_make(&b, MAKER_ECC, 0);
	b.p[b.n - 1] ^= 1;
	WORKS(tpm_public_parse(&p, buf_view(&b), &e));
	OK(tpm_public_key(&key, &p, &(struct err){ 0 }) == -1);
	b.p[b.n - 1] ^= 1;
	b.p[17] = 0x10;			/* an unknown curve */
	WORKS(tpm_public_parse(&p, buf_view(&b), &e));
	FAILS(tpm_public_key(&key, &p, &e), EC_FORMAT);
}

TEST(tpm_signatures_cut_long_or_odd_are_malformed)
{
	for (enum maker_key k = MAKER_ECC; k <= MAKER_RSA; k++) {
		AUTO_BUF b = { 0 };
		AUTO_PUBKEY key = { 0 };
		struct tpm_signature s;

		maker_public(&key, k);
		quote_sign(&b, SLICE("message"), k, 0, HASH_NONE);
		WORKS(tpm_signature_parse(&s, buf_view(&b), &e));
		WORKS(tpm_signature_verify(&s, &key, SLICE("message"), &e));
		FAILS(tpm_signature_verify(&s, &key, SLICE("massage"), &e), EC_REFUSED);
		for (size_t n = 0; n < b.n; n++)
			FAILS(tpm_signature_parse(&s, slice_of(b.p, n), &e), EC_FORMAT);
		buf_byte(&b, 0);
		FAILS(tpm_signature_parse(&s, buf_view(&b), &e), EC_FORMAT);
		b.n--;
		b.p[1] = 0x1a;		/* ECDAA */
		FAILS(tpm_signature_parse(&s, buf_view(&b), &e), EC_FORMAT);
		b.p[1] = k == MAKER_ECC ? 0x18 : 0x14;
		b.p[3] = TPM_SHA1;
		WORKS(tpm_signature_parse(&s, buf_view(&b), &e));
		FAILS(tpm_signature_verify(&s, &key, SLICE("message"), &e), EC_REFUSED);
	}
}

/* --- a real TPM ------------------------------------------------------------------------------------------------- */

static void real_key(struct tpm *t, uint32_t hierarchy, struct slice template)
{
	AUTO_TPM_QUOTED q = { 0 }, bad = { 0 };
	AUTO_PUBKEY key = { 0 };
	AUTO_BUF signer = { 0 };
	struct tpm_signature s;
	struct tpm_public p;
	struct tpm_attest a;
	uint8_t nonce[64];
	uint32_t handle = 0;

	memset(nonce, 0x5a, sizeof nonce);
	WORKS(tpm_create_primary(&handle, &q.ak, t, hierarchy, template, &e));
	WORKS(tpm_quote_all(&q, t, handle, slice_of(nonce, sizeof nonce), TPM_SHA256, 0x810003, &e));
	WORKS(tpm_public_parse(&p, buf_view(&q.ak), &e));
	WORKS(tpm_public_key(&key, &p, &e));
	WORKS(tpm_attest_parse(&a, buf_view(&q.attest), &e));
	WORKS(tpm_signature_parse(&s, buf_view(&q.signature), &e));
	WORKS(tpm_signature_verify(&s, &key, buf_view(&q.attest), &e));
	OK(slice_eq(a.extra, slice_of(nonce, sizeof nonce)));
	area_signer(&signer, buf_view(&q.ak), hierarchy);
	OK(slice_eq(a.signer, buf_view(&signer)));
	FAILS(tpm_quote(&bad.attest, &bad.signature, t, handle + 1, TPM_NULL, SLICE("n"), TPM_SHA256, 1, &e), EC_ABSENT);
	WORKS(tpm_flush(t, handle, &e));
	FAILS(tpm_flush(t, handle, &e), EC_ABSENT);
}

static void real_nv(struct tpm *t, uint32_t index, uint16_t size)
{
	AUTO_BUF data = { 0 }, back = { 0 };
	uint32_t handles[64];
	bool seen = false;
	struct tpm_nv nv;
	size_t n = 0;

	for (unsigned i = 0; i < size; i++)
		buf_byte(&data, (uint8_t)(i * 7 + i / 256));
	FAILS(tpm_nv_read_public(&nv, t, index, &e), EC_ABSENT);
	WORKS(tpm_nv_define(t, index, TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD, size, &e));
	FAILS(tpm_nv_define(t, index, TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD, size, &e), EC_IO);
	EQ(t->rc, TPM_RC_NV_DEFINED);
	FAILS(tpm_nv_read(&back, t, index, &e), EC_ABSENT);	/* never written */
	EQ(t->rc, TPM_RC_NV_UNINITIALIZED);
	WORKS(tpm_nv_write(t, index, buf_view(&data), &e));
	WORKS(tpm_nv_read(&back, t, index, &e));
	OK(slice_eq(buf_view(&back), buf_view(&data)));
	WORKS(tpm_handles(handles, 64, &n, t, 0x01000000, &e));
	for (size_t i = 0; i < n; i++)
		seen |= handles[i] == index;
	OK(seen);
	WORKS(tpm_nv_undefine(t, index, &e));
	FAILS(tpm_nv_read(&back, t, index, &e), EC_ABSENT);
}

/* Every command, on the TPM below CVMBOX_TPM_ROOT (scripts/check-tpm puts a software TPM there): it changes PCR 16 and two NV
 * indices. */
TEST(tpm_real_one_obeys)
{
	const char *root = getenv("CVMBOX_TPM_ROOT");
	struct tpm_pcrs before, after;
	uint8_t digest[32] = { 1, 2, 3 }, want[32], in[64];
	AUTO_TPM t = TPM_INIT;
	struct host h;
	uint32_t mask = 0;
	uint16_t bank = 0;

	if (!root)
		SKIP("no CVMBOX_TPM_ROOT");
	host_init(&h);
	WORKS(host_set_sysroot(&h, root, &e));
	WORKS(tpm_open(&t, &h, &e));
	WORKS(tpm_pick_bank(&bank, &mask, &t, &e));
	EQ(bank, TPM_SHA256);
	WORKS(tpm_pcr_read(&before, &t, TPM_SHA256, TPM_ALL_PCRS, &e));
	WORKS(tpm_pcr_extend(&t, 16, TPM_SHA256, slice_of(digest, 32), &e));
	WORKS(tpm_pcr_read(&after, &t, TPM_SHA256, TPM_ALL_PCRS, &e));
	memcpy(in, before.v[16], 32);
	memcpy(in + 32, digest, 32);
	WORKS(hash_of(want, HASH_SHA256, slice_of(in, 64), &e));
	MEM(after.v[16], want, 32);
	FAILS(tpm_pcr_read(&after, &t, TPM_SHA512 + 5, 1, &e), EC_USAGE);
	real_nv(&t, 0x01400002, 64);
	real_nv(&t, 0x0140000f, 2048);	/* in pieces */
	real_key(&t, TPM_RH_ENDORSEMENT, tpm_template_ecc);
	real_key(&t, TPM_RH_OWNER, tpm_template_rsa);
	real_key(&t, TPM_RH_NULL, tpm_template_ecc);
	host_close(&h);
}
