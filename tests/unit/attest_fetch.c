/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral from services that play along, and from services that do not. */

#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "attest/appraise.h"
#include "attest/cache.h"
#include "attest/fetch.h"
#include "codec/hex64.h"
#include "snp_maker.h"
#include "stand_in.h"
#include "tdx_maker.h"
#include "test.h"

static void pem(struct buf *to, struct slice der)
{
	buf_puts(to, "-----BEGIN CERTIFICATE-----\n");
	b64_encode(to, der);
	buf_puts(to, "\n-----END CERTIFICATE-----\n");
}

/* AMD's service, for this report: VCEK 0, list 1, chain 2. */
static void amd(struct service *s, const uint8_t *raw, enum snp_product p, const char *vcek_path)
{
	const char *name = snp_product_name(p);
	char path[64];

	vek_make(&service_route(s, vcek_path)->body, raw, &(const struct vek_make){ .issuer = p });
	snprintf(path, sizeof path, "/vcek/v1/%s/crl", name);
	list_make(&service_route(s, path)->body, &(const struct list_make){ .product = p });
	snprintf(path, sizeof path, "/vcek/v1/%s/cert_chain", name);
	pem(&service_route(s, path)->body, maker_ca_der(p, MAKER_ASK));
	pem(&s->v[s->n - 1].body, maker_ca_der(p, MAKER_ARK));
}

static int get(struct fetched *f, const struct service *s, const struct fetch_from *more, const uint8_t *raw, struct err *e)
{
	struct fetch_from from = more ? *more : (struct fetch_from){ 0 };

	from.kds = s->url;
	from.retry_ms = from.retry_ms ? from.retry_ms : 1;
	return fetch_collateral(f, &s->h, &from, "snp", slice_of(raw, SNP_REPORT_SIZE), (struct slice){ 0 }, NULL, e);
}

#define MILAN_CHIP \
	"02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4041"
#define MILAN_VCEK "/vcek/v1/Milan/" MILAN_CHIP "?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115"

TEST(fetch_snp_gets_what_verification_needs)
{
	static const struct { enum snp_product p; const char *vcek; } rows[] = {
		{ SNP_MILAN, MILAN_VCEK },
		{ SNP_GENOA, "/vcek/v1/Genoa/" MILAN_CHIP "?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115" },
		{ SNP_TURIN, "/vcek/v1/Turin/0203040506070809?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct service s;
		uint8_t raw[SNP_REPORT_SIZE];
		AUTO_FETCHED f = { 0 };
		AUTO_COLLATERAL given = { 0 };
		AUTO_VERDICT v = { 0 };

		s = (struct service){ 0 };
		report_make(raw, &(const struct report_make){ .product = rows[i].p });
		service_start(&s, MAKER_NOW);
		amd(&s, raw, rows[i].p, rows[i].vcek);
		WORKS(get(&f, &s, NULL, raw, &e));
		EQ(f.n, 3);
		EQ(f.missing.n, 0);
		EQ(s.v[0].asked, 1);
		for (size_t k = 0; k < f.n; k++) {
			OK(!f.v[k].cached);
			HAS(f.v[k].source, s.url);
			STR(f.v[k].fetched, "2025-06-15T15:06:40Z");
			WORKS(collateral_add(&given, buf_view(&f.v[k].data), f.v[k].source, f.v[k].fetched, &e));
		}
		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = slice_of(raw, sizeof raw), .given = &given, .now = MAKER_NOW,
								.insecure_no_nonce = true, .snp_roots = maker_roots() }, &e));
		OK(v.accepted);
		service_stop(&s);
	}
}

TEST(fetch_snp_of_a_report_that_does_not_say_tries_and_says_so)
{
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_FETCHED f = { 0 }, g = { 0 }, none = { 0 };
	struct err e = { 0 };

	s = (struct service){ 0 };
	report_make(raw, &(const struct report_make){ .version = 2 });
	service_start(&s, MAKER_NOW);
	FAILS(get(&none, &s, NULL, raw, &e), EC_ABSENT);
	EQ(get(&none, &s, NULL, raw, &e), -1);
	HAS(e.msg, "AMD knows no VCEK");
	HAS(e.hint, "--product");
	EQ(s.requests, 4);
	amd(&s, raw, SNP_GENOA, "/vcek/v1/Genoa/" MILAN_CHIP "?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115");
	WORKS(get(&f, &s, NULL, raw, &e));
	EQ(f.n, 3);
	s.requests = 0;
	WORKS(get(&g, &s, &(struct fetch_from){ .product = "Genoa" }, raw, &e));
	EQ(s.requests, 3);
	service_stop(&s);
}

TEST(fetch_snp_names_what_nobody_can_get)
{
	static const struct { struct report_make m; enum ec code; const char *why; } rows[] = {
		{ { .masked = true }, EC_ABSENT, "masks the chip id" }, { { .vlek = true }, EC_ABSENT, "VLEK" },
	};
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE];

	s = (struct service){ 0 };
	service_start(&s, MAKER_NOW);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };

		report_make(raw, &rows[i].m);
		EQ(get(&f, &s, NULL, raw, &e), -1);
		EQ(e.code, rows[i].code);
		HAS(e.msg, rows[i].why);
	}
	{
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };

		report_make(raw, &(const struct report_make){ 0 });
		raw[0x48] = 7 << 2;		/* signed by nobody */
		EQ(get(&f, &s, NULL, raw, &e), -1);
		EQ(e.code, EC_REFUSED);
		HAS(e.msg, "not signed");
	}
	EQ(s.requests, 0);
	service_stop(&s);
}

/* Every way in which an answer is not the thing. */
TEST(fetch_takes_nothing_for_a_certificate_that_is_none)
{
	enum { HTML, GARBAGE, EMPTY, JSON, LIST, OTHER_CHIP, TWO, BIG, REDIRECT, DENIED, GONE, N };
	static const struct { enum ec code; const char *why; } want[N] = {
		[HTML] = { EC_FORMAT, "web page" }, [GARBAGE] = { EC_FORMAT, "not the VCEK" }, [EMPTY] = { EC_FORMAT, "not the VCEK" },
		[JSON] = { EC_FORMAT, "not the VCEK" }, [LIST] = { EC_FORMAT, "not the VCEK" },
		[OTHER_CHIP] = { EC_REFUSED, "not of the key that signed" }, [TWO] = { EC_FORMAT, "no VCEK" }, [BIG] = { EC_FORMAT, "more than" },
		[REDIRECT] = { EC_IO, "redirects are not followed" }, [DENIED] = { EC_DENIED, "403" }, [GONE] = { EC_ABSENT, "knows no VCEK" },
	};
	uint8_t raw[SNP_REPORT_SIZE], changed[SNP_REPORT_SIZE];

	report_make(raw, &(const struct report_make){ 0 });
	for (int i = 0; i < N; i++) {
		static struct service s;
		AUTO_FETCHED f = { 0 };
		AUTO_BUF dir = { 0 };
		struct err e = { 0 };
		struct route *r;

		s = (struct service){ 0 };
		service_start(&s, MAKER_NOW);
		r = service_route(&s, "/vcek/v1/Milan/0203");
		memcpy(changed, raw, sizeof raw);
		switch (i) {
		case HTML:
			r->type = "text/html; charset=utf-8";
			vek_make(&r->body, raw, &(const struct vek_make){ 0 });
			break;
		case GARBAGE:
			buf_puts(&r->body, "\x30\x82garbage");
			break;
		case JSON:
			buf_puts(&r->body, "{\"error\":\"x\"}");
			break;
		case LIST:
			list_make(&r->body, &(const struct list_make){ 0 });
			break;
		case OTHER_CHIP:
			vek_make(&r->body, raw, &(const struct vek_make){ 0 });
			changed[0x90] ^= 1;	/* what the key signed is something else */
			break;
		case TWO:
			pem(&r->body, maker_ca_der(SNP_MILAN, MAKER_ASK));
			pem(&r->body, maker_ca_der(SNP_MILAN, MAKER_ARK));
			break;
		case BIG:
			buf_fill(&r->body, 0, (16 << 10) + 1);
			break;
		case REDIRECT:
			r->status = 302;
			break;
		case DENIED:
			r->status = 403;
			break;
		case GONE:
			r->status = 404;
			break;
		}
		buf_printf(&dir, "%s/c%d", tmpdir(), i);
		EQ(get(&f, &s, &(struct fetch_from){ .cache_dir = buf_cstr(&dir) }, changed, &e), -1);
		EQ(e.code, want[i].code);
		HAS(e.msg, want[i].why);
		OK(access(buf_cstr(&dir), F_OK));	/* nothing of it is kept */
		service_stop(&s);
	}
}

TEST(fetch_waits_when_it_is_asked_to)
{
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_FETCHED f = { 0 }, g = { 0 }, h = { 0 };
	int64_t from;
	struct err e = { 0 };

	report_make(raw, &(const struct report_make){ 0 });
	s = (struct service){ 0 };
	service_start(&s, MAKER_NOW);
	amd(&s, raw, SNP_MILAN, MILAN_VCEK);
	s.v[0].busy = 1;
	s.v[0].headers = "Retry-After: 1\r\n";
	s.v[1].busy = 4;
	s.v[1].busy_status = 503;
	from = host_mono_ms();
	WORKS(get(&f, &s, NULL, raw, &e));
	OK(host_mono_ms() - from >= 1000);
	EQ(s.v[0].asked, 2);
	EQ(s.v[1].asked, 5);
	/* tries are counted */
	s.v[1].asked = 0;
	s.v[1].busy = 100;
	EQ(get(&g, &s, NULL, raw, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "answered 503 5 times");
	EQ(s.v[1].asked, 5);
	/* the deadline is not slept through */
	s.v[1].busy = 100;
	s.v[1].headers = "Retry-After: 60\r\n";
	s.h.deadline_ms = host_mono_ms() + 20000;
	from = host_mono_ms();
	EQ(get(&h, &s, NULL, raw, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "time limit ends before");
	OK(host_mono_ms() - from < 5000);
	s.v[1].headers = "Retry-After: 86400\r\n";
	EQ(get(&h, &s, NULL, raw, &e), -1);
	HAS(e.msg, "left alone for 86400 s");
	service_stop(&s);
}

TEST(fetch_slow_service_ends_with_the_deadline)
{
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_FETCHED f = { 0 };
	const int64_t from = host_mono_ms();
	struct err e = { 0 };

	report_make(raw, &(const struct report_make){ 0 });
	s = (struct service){ .slow_ms = 1500 };
	service_start(&s, MAKER_NOW);
	amd(&s, raw, SNP_MILAN, MILAN_VCEK);
	s.h.deadline_ms = from + 300;
	EQ(get(&f, &s, NULL, raw, &e), -1);
	EQ(e.code, EC_IO);
	OK(host_mono_ms() - from < 1400);
	service_stop(&s);
}

TEST(fetch_without_the_chain_goes_on_and_says_so)
{
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_FETCHED f = { 0 };

	report_make(raw, &(const struct report_make){ 0 });
	s = (struct service){ 0 };
	service_start(&s, MAKER_NOW);
	amd(&s, raw, SNP_MILAN, MILAN_VCEK);
	s.v[2].status = 404;
	WORKS(get(&f, &s, NULL, raw, &e));
	EQ(f.n, 2);
	HAS(buf_cstr(&f.missing), "certificate chain");
	service_stop(&s);
}

static void age(const char *dir, const char *name, int64_t seconds)
{
	AUTO_BUF path = { 0 };
	const time_t t = (time_t)(MAKER_NOW - seconds);

	buf_printf(&path, "%s/%s", dir, name);
	OK(!utime(buf_cstr(&path), &(struct utimbuf){ t, t }));
}

TEST(fetch_cache_serves_when_nobody_is_there)
{
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE], other[SNP_REPORT_SIZE];
	char dir[256];
	struct fetch_from from = { .cache_dir = dir };
	AUTO_FETCHED f = { 0 }, again = { 0 }, fresh = { 0 }, none = { 0 }, old = { 0 }, cut = { 0 };
	static const char *const names[] = { "snp-vcek-Milan-" MILAN_CHIP "-0.3.0.8.115.der", "snp-vcek-Milan.crl", "snp-vcek-Milan-chain.pem" };

	snprintf(dir, sizeof dir, "%s/cache", tmpdir());
	report_make(raw, &(const struct report_make){ 0 });
	s = (struct service){ 0 };
	service_start(&s, MAKER_NOW);
	amd(&s, raw, SNP_MILAN, MILAN_VCEK);
	WORKS(get(&f, &s, &from, raw, &e));
	for (size_t i = 0; i < 3; i++)
		age(dir, names[i], 600);
	s.requests = 0;
	s.h.offline = true;		/* no socket at all */
	WORKS(get(&again, &s, &from, raw, &e));
	EQ(again.n, 3);
	EQ(s.requests, 0);
	for (size_t i = 0; i < again.n && i < f.n; i++) {
		OK(again.v[i].cached);
		OK(slice_eq(buf_view(&again.v[i].data), buf_view(&f.v[i].data)));
		STR(again.v[i].fetched, "2025-06-15T14:56:40Z");	/* when it was fetched, not when it was read */
	}
	FAILS(fetch_collateral(&none, &s.h, &(struct fetch_from){ .kds = s.url }, "snp", slice_of(raw, sizeof raw), (struct slice){ 0 }, NULL, &e),
	      EC_ABSENT);		/* no cache, no network */
	/* another TCB is another certificate */
	memcpy(other, raw, sizeof raw);
	other[SNP_TCB_REPORTED] = 2;
	report_sign(other);
	FAILS(get(&none, &s, &from, other, &e), EC_ABSENT);
	s.h.offline = false;
	/* --refresh asks for all */
	from.refresh = true;
	WORKS(get(&fresh, &s, &from, raw, &e));
	EQ(s.requests, 3);
	from.refresh = false;
	/* lists of yesterday are asked for again, certificates are not */
	for (size_t i = 0; i < 3; i++)
		age(dir, names[i], 86400 + 60);
	s.requests = 0;
	WORKS(get(&old, &s, &from, raw, &e));
	EQ(s.requests, 1);
	EQ(old.n, 3);
	/* what was cut or changed in the cache is no answer */
	{
		AUTO_BUF path = { 0 };

		buf_printf(&path, "%s/%s", dir, names[0]);
		OK(!truncate(buf_cstr(&path), 100));
		age(dir, names[1], 60);
	}
	s.requests = 0;
	WORKS(get(&cut, &s, &from, raw, &e));
	EQ(s.requests, 1);
	service_stop(&s);
}

TEST(cache_names_stay_in_their_folder)
{
	AUTO_BUF b = { 0 };
	int64_t t;

	FAILS(cache_put(tmpdir(), "../x", SLICE("x"), &e), EC_BUG);
	FAILS(cache_put(tmpdir(), "a/b", SLICE("x"), &e), EC_BUG);
	FAILS(cache_put(tmpdir(), ".x", SLICE("x"), &e), EC_BUG);
	FAILS(cache_put(tmpdir(), "", SLICE("x"), &e), EC_BUG);
	OK(!cache_get(&b, &t, tmpdir(), "nothing", 10));
	WORKS(cache_put(tmpdir(), "some-thing.der", SLICE("12345"), &e));
	OK(!cache_get(&b, &t, tmpdir(), "some-thing.der", 4));
	buf_reset(&b);
	OK(cache_get(&b, &t, tmpdir(), "some-thing.der", 5));
	OK(slice_eqs(buf_view(&b), "12345"));
}

/* What came with the evidence, or is in the bundle and holds, is not asked for. */
TEST(fetch_asks_only_for_what_is_not_at_hand)
{
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE];
	AUTO_BUF vcek = { 0 }, table = { 0 }, list = { 0 }, late = { 0 };
	AUTO_FETCHED f = { 0 }, g = { 0 }, h = { 0 };
	AUTO_COLLATERAL have = { 0 }, expired = { 0 };
	struct fetch_from from = { .retry_ms = 1 };

	report_make(raw, &(const struct report_make){ 0 });
	s = (struct service){ 0 };
	service_start(&s, MAKER_NOW);
	from.kds = s.url;
	amd(&s, raw, SNP_MILAN, MILAN_VCEK);
	vek_make(&vcek, raw, &(const struct vek_make){ 0 });
	table_make(&table, buf_view(&vcek));
	WORKS(fetch_collateral(&f, &s.h, &from, "snp", slice_of(raw, sizeof raw), buf_view(&table), NULL, &e));
	EQ(s.v[0].asked, 0);
	EQ(f.n, 2);
	list_make(&list, &(const struct list_make){ 0 });
	WORKS(collateral_add(&have, buf_view(&vcek), "", "", &e));
	WORKS(collateral_add(&have, buf_view(&list), "", "", &e));
	WORKS(collateral_add(&have, maker_ca_der(SNP_MILAN, MAKER_ASK), "", "", &e));
	s.requests = 0;
	WORKS(fetch_collateral(&g, &s.h, &from, "snp", slice_of(raw, sizeof raw), (struct slice){ 0 }, &have, &e));
	EQ(s.requests, 0);
	EQ(g.n, 0);
	/* an expired one is not at hand */
	vcek.n = 0;
	vek_make(&vcek, raw, &(const struct vek_make){ .expired = true });
	list_make(&late, &(const struct list_make){ .from = -200, .until = -100 });
	WORKS(collateral_add(&expired, buf_view(&vcek), "", "", &e));
	WORKS(collateral_add(&expired, buf_view(&late), "", "", &e));
	WORKS(fetch_collateral(&h, &s.h, &from, "snp", slice_of(raw, sizeof raw), (struct slice){ 0 }, &expired, &e));
	EQ(s.v[0].asked, 1);
	EQ(h.n, 3);
	service_stop(&s);
}

TEST(fetch_into_a_bundle_replaces_lists_and_keeps_the_rest)
{
	AUTO_BUNDLE b = { 0 };
	AUTO_BUF old = { 0 }, new = { 0 }, genoa = { 0 };
	struct fetched_piece one = { .type = COLLATERAL_CRL, .file = "x", .source = "https://x", .fetched = "2026-01-01T00:00:00Z" };
	const struct fetched f = { .v = &one, .n = 1 };

	list_make(&old, &(const struct list_make){ .from = -200, .until = -100 });
	list_make(&new, &(const struct list_make){ 0 });
	list_make(&genoa, &(const struct list_make){ .product = SNP_GENOA });
	WORKS(bundle_add(&b.collateral, "x509.crl", "", "", buf_view(&old), &e));
	WORKS(bundle_add(&b.collateral, "x509.crl", "", "", buf_view(&genoa), &e));
	WORKS(bundle_add(&b.collateral, "snp.certtable", "", "", SLICE("t"), &e));
	buf_slice(&one.data, buf_view(&new));
	WORKS(fetch_into_bundle(&b, &f, &e));
	WORKS(fetch_into_bundle(&b, &f, &e));	/* twice is once */
	EQ(b.collateral.n, 3);
	if (b.collateral.n == 3) {
		OK(slice_eq(buf_view(&b.collateral.v[0].data), buf_view(&genoa)));
		STR(b.collateral.v[1].kind, "snp.certtable");
		OK(slice_eq(buf_view(&b.collateral.v[2].data), buf_view(&new)));
		STR(b.collateral.v[2].source, "https://x");
	}
	buf_free(&one.data);
}

/* One machine collects, a second one has the network, a third one verifies without. */
TEST(fetch_bundle_goes_round)
{
	static struct service s;
	uint8_t raw[SNP_REPORT_SIZE], rd[64];
	AUTO_BUNDLE b = { 0 }, second = { 0 };
	AUTO_BUF text = { 0 }, third = { 0 };
	AUTO_FETCHED f = { 0 };
	AUTO_VERDICT v = { 0 }, before = { 0 };
	struct appraise_in in = { .kind = "auto", .now = MAKER_NOW, .has_nonce = true, .nonce = SLICE("0123456789"), .snp_roots = maker_roots() };

	buf_puts(&b.nonce, "0123456789");
	WORKS(bundle_add(&b.evidence, "snp", "", "", SLICE("to come"), &e));
	WORKS(bundle_report_data(rd, &b, buf_view(&b.nonce), &e));
	report_make(raw, &(const struct report_make){ .report_data = rd, .n = sizeof rd });
	buf_reset(&b.evidence.v[0].data);
	buf_put(&b.evidence.v[0].data, raw, sizeof raw);
	WORKS(bundle_write(&text, &b, &e));
	in.evidence = buf_view(&text);
	WORKS(appraise(&before, &in, &e));
	OK(!before.accepted);
	HAS(buf_cstr(&before.reason), "snp.vek");
	s = (struct service){ 0 };
	service_start(&s, MAKER_NOW);
	amd(&s, raw, SNP_MILAN, MILAN_VCEK);
	WORKS(bundle_parse(&second, buf_view(&text), &e));
	WORKS(fetch_collateral(&f, &s.h, &(struct fetch_from){ .kds = s.url }, "snp", buf_view(&second.evidence.v[0].data), (struct slice){ 0 },
			       NULL, &e));
	service_stop(&s);
	WORKS(fetch_into_bundle(&second, &f, &e));
	WORKS(bundle_write(&third, &second, &e));
	in.evidence = buf_view(&third);
	WORKS(appraise(&v, &in, &e));
	OK(v.accepted);
	EQ(json_count(v.collateral), 3);
	STR(json_string(json_path(v.collateral, "/0/state")), "current");
	STR(json_string(json_path(v.collateral, "/0/fetched")), "2025-06-15T15:06:40Z");
}

/* --- Intel's, with real documents ---------------------------------------------------------------------------------- */

#define P "cpu-tee/tdx/"
#define REAL_NOW INT64_C(1773964800)		/* 2026-03-20 */

static void url_encode(struct buf *to, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
			buf_byte(to, c);
		else
			buf_printf(to, "%%%02X", c);
	}
}

static void chain_header(struct buf *to, const char *name, const char *vector)
{
	AUTO_BUF text = { 0 };

	load_vec(&text, vector);
	buf_printf(to, "%s: ", name);
	url_encode(to, buf_view(&text));
	buf_puts(to, "\r\n");
}

/* The same on documents of our own, for both of Intel's CAs; what verifies is what was fetched. */
static void serve_piece(struct service *s, const char *path, const struct collateral *c, enum collateral_type t, const char *issuer)
{
	struct route *r = service_route(s, path);

	for (size_t i = 0; i < c->n; i++) {
		AUTO_BUF name = { 0 };

		if (c->v[i].type != t)
			continue;
		if (t == COLLATERAL_CRL)
			WORKS(cert_name(&name, c->v[i].crl.issuer, &e));
		if (issuer && !strstr(buf_cstr(&name), issuer))
			continue;
		buf_reset(&r->body);
		buf_slice(&r->body, buf_view(&c->v[i].data));
	}
	OK(r->body.n > 0);
}

TEST(fetch_tdx_of_both_issuers)
{
	static struct service s;

	for (int processor = 0; processor < 2; processor++) {
		AUTO_BUF quote = { 0 };
		struct buf header[2] = { { 0 }, { 0 } };
		AUTO_COLLATERAL docs = { 0 }, given = { 0 };
		AUTO_FETCHED f = { 0 };
		AUTO_VERDICT v = { 0 };
		char root[256];

		s = (struct service){ 0 };
		service_start(&s, MAKER_NOW);
		s.h.now_fixed = TDX_NOW;
		tdx_quote_make(&quote, &(const struct tdx_make){ .processor_ca = processor });
		tdx_docs_make(&docs, &(const struct tdx_docs){ .processor_ca = processor });
		serve_piece(&s, "/tdx/certification/v4/tcb?fmspc=00806f050000", &docs, COLLATERAL_TCB_INFO, NULL);
		serve_piece(&s, "/tdx/certification/v4/qe/identity", &docs, COLLATERAL_QE_IDENTITY, NULL);
		serve_piece(&s, processor ? "/sgx/certification/v4/pckcrl?ca=processor&encoding=der" : "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
			    &docs, COLLATERAL_CRL, "PCK");
		serve_piece(&s, "/root.crl", &docs, COLLATERAL_CRL, "Root");
		for (size_t i = 0; i < 2; i++) {
			AUTO_BUF text = { 0 };

			for (size_t k = 0; k < docs.certs.n; k++)
				pem(&text, docs.certs.v[k].der);
			buf_puts(&header[i], i ? "sgx-enclave-identity-issuer-chain: " : "SGX-TCB-Info-Issuer-Chain: ");	/* older name */
			url_encode(&header[i], buf_view(&text));
			buf_puts(&header[i], "\r\n");
			s.v[i].headers = buf_cstr(&header[i]);
		}
		snprintf(root, sizeof root, "%s/root.crl", s.url);
		WORKS(fetch_collateral(&f, &s.h, &(struct fetch_from){ .pcs = s.url, .root_crl = root }, "tdx", buf_view(&quote), (struct slice){ 0 },
				       NULL, &e));
		for (size_t k = 0; k < f.n; k++)
			WORKS(collateral_add(&given, buf_view(&f.v[k].data), "", "", &e));
		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&quote), .given = &given, .now = TDX_NOW,
								.insecure_no_nonce = true, .intel_root = tdx_maker_root() }, &e));
		if (!v.accepted)
			test_fail(__FILE__, __LINE__, "refused: %s", buf_cstr(&v.reason));
		service_stop(&s);
		buf_free(&header[0]);
		buf_free(&header[1]);
	}
}

TEST(fetch_tdx_of_a_quote_that_cannot_be_asked_for)
{
	static const struct { struct tdx_make m; enum ec code; const char *why; } rows[] = {
		{ { .cert_type = 3 }, EC_ABSENT, "no PCK certificate chain" }, { { .no_extension = true }, EC_FORMAT, "PCK certificate of the quote" },
		{ { .mid_cn = "Some CA" }, EC_FORMAT, "platform or processor CA" },
	};
	struct host h;

	host_init(&h);
	h.offline = true;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF quote = { 0 };
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };

		tdx_quote_make(&quote, &rows[i].m);
		EQ(fetch_collateral(&f, &h, &(struct fetch_from){ 0 }, "tdx", buf_view(&quote), (struct slice){ 0 }, NULL, &e), -1);
		EQ(e.code, rows[i].code);
		HAS(e.msg, rows[i].why);
	}
	host_close(&h);
}

struct intel {
	struct service s;
	struct buf tcb_header, qe_header;
};

static void intel_start(struct intel *i, bool pccs)
{
	struct route *r;

	*i = (struct intel){ 0 };
	service_start(&i->s, MAKER_NOW);
	i->s.h.now_fixed = REAL_NOW;
	chain_header(&i->tcb_header, "tcb-info-issuer-chain", P "coll2026-tcb_signing_chain.pem");
	chain_header(&i->qe_header, "SGX-Enclave-Identity-Issuer-Chain", P "coll2026-qe_identity_signing_chain.pem");
	r = service_route(&i->s, "/tdx/certification/v4/tcb?fmspc=90c06f000000");
	r->type = "application/json";
	r->headers = buf_cstr(&i->tcb_header);
	load_vec(&r->body, P "coll2026-tcb_info_90c06f000000.json");
	r = service_route(&i->s, "/tdx/certification/v4/qe/identity");
	r->headers = buf_cstr(&i->qe_header);
	load_vec(&r->body, P "coll2026-td_qe_identity.json");
	r = service_route(&i->s, "/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
	load_vec(&r->body, P "coll2026-pck_crl_platform.der");
	r = service_route(&i->s, pccs ? "/sgx/certification/v4/rootcacrl" : "/IntelSGXRootCA.der");
	load_vec(&r->body, P "coll2026-root_ca_crl.der");
	if (pccs)	/* PCCS gives lists as hex text */
		for (size_t k = 2; k < 4; k++) {
			AUTO_BUF hex = { 0 };

			buf_hex(&hex, buf_view(&i->s.v[k].body));
			buf_move(&i->s.v[k].body, &hex);
		}
}

static void intel_stop(struct intel *i)
{
	service_stop(&i->s);
	buf_free(&i->tcb_header);
	buf_free(&i->qe_header);
}

static int intel_get(struct fetched *f, struct intel *i, bool pccs, struct slice quote, const char *cache, struct err *e)
{
	char root[256], base[256];
	struct fetch_from from = { .retry_ms = 1, .cache_dir = cache };

	snprintf(root, sizeof root, "%s/IntelSGXRootCA.der", i->s.url);
	snprintf(base, sizeof base, pccs ? "%s/sgx/certification/v4/" : "%s/", i->s.url);
	if (pccs) {
		from.pccs = base;
	} else {
		from.pcs = base;
		from.root_crl = root;
	}
	return fetch_collateral(f, &i->s.h, &from, "tdx", quote, (struct slice){ 0 }, NULL, e);
}

TEST(fetch_tdx_gets_what_verification_needs)
{
	static struct intel in;
	AUTO_BUF quote = { 0 };

	NEED_VECTORS;
	load_vec(&quote, P "gotdx-v5.quote.bin");
	for (int pccs = 0; pccs < 2; pccs++) {
		AUTO_FETCHED f = { 0 }, again = { 0 };
		AUTO_COLLATERAL given = { 0 };
		AUTO_VERDICT v = { 0 };
		char dir[256];

		snprintf(dir, sizeof dir, "%s/tdx%d", tmpdir(), pccs);
		intel_start(&in, pccs);
		WORKS(intel_get(&f, &in, pccs, buf_view(&quote), dir, &e));
		EQ(in.s.requests, 4);
		EQ(f.missing.n, 0);
		for (size_t k = 0; k < f.n; k++) {
			WORKS(collateral_add(&given, buf_view(&f.v[k].data), f.v[k].source, f.v[k].fetched, &e));
			if (f.v[k].type == COLLATERAL_CRL)
				EQ(f.v[k].data.p[0], 0x30);
		}
		WORKS(appraise(&v, &(const struct appraise_in){ .evidence = buf_view(&quote), .given = &given, .now = REAL_NOW,
								.insecure_no_nonce = true }, &e));
		if (!v.accepted)
			test_fail(__FILE__, __LINE__, "refused: %s", buf_cstr(&v.reason));
		in.s.h.offline = true;
		WORKS(intel_get(&again, &in, pccs, buf_view(&quote), dir, &e));
		EQ(again.n, f.n);
		EQ(in.s.requests, 4);
		intel_stop(&in);
	}
}

TEST(fetch_tdx_says_what_is_wrong)
{
	static const struct { int route, status; const char *headers, *body; enum ec code; const char *why; } rows[] = {
		{ 0, 404, "", NULL, EC_ABSENT, "FMSPC 90c06f000000" }, { 0, 410, "", NULL, EC_ABSENT, "retired" },
		{ 0, 401, "", NULL, EC_DENIED, "401" }, { 0, 0, "", NULL, EC_FORMAT, "without the certificates of its issuer" },
		{ 0, 0, "TCB-Info-Issuer-Chain: %2\r\n", NULL, EC_FORMAT, "ends inside" },
		{ 0, 0, "TCB-Info-Issuer-Chain: %zz\r\n", NULL, EC_FORMAT, "cannot use what" },
		{ 0, 0, "TCB-Info-Issuer-Chain: none\r\n", NULL, EC_FORMAT, "certificates of the issuer" },
		{ 0, 0, NULL, "{\"tcbInfo\":{\"id\":\"TDX\",\"fmspc\":\"000000000000\"},\"signature\":\"00\"}", EC_FORMAT, "something else" },
		{ 0, 0, NULL, "{\"tcbInfo\":{\"id\":\"SGX\",\"fmspc\":\"90c06f000000\"},\"signature\":\"00\"}", EC_FORMAT, "something else" },
		{ 0, 0, NULL, "{\"enclaveIdentity\":{\"id\":\"TD_QE\"},\"signature\":\"00\"}", EC_FORMAT, "not TCB info" },
		{ 1, 404, "", NULL, EC_ABSENT, "identity of the TD quoting enclave" },
		{ 1, 0, NULL, "{\"enclaveIdentity\":{\"id\":\"QE\"},\"signature\":\"00\"}", EC_FORMAT, "something else" },
		{ 2, 500, "", NULL, EC_IO, "answered 500 5 times" }, { 2, 0, "", "zz", EC_FORMAT, "not the PCK revocation list" },
		{ 3, 0, "", "3000", EC_FORMAT, "not the root's revocation list" },
	};
	static struct intel in;
	AUTO_BUF quote = { 0 };

	NEED_VECTORS;
	load_vec(&quote, P "gotdx-v5.quote.bin");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };
		struct route *r;

		intel_start(&in, false);
		r = &in.s.v[rows[i].route];
		r->status = rows[i].status;
		r->headers = rows[i].headers ? rows[i].headers : r->headers;
		if (rows[i].body) {
			buf_reset(&r->body);
			buf_puts(&r->body, rows[i].body);
		}
		EQ(intel_get(&f, &in, false, buf_view(&quote), NULL, &e), -1);
		EQ(e.code, rows[i].code);
		HAS(e.msg, rows[i].why);
		intel_stop(&in);
	}
	/* the list of another issuer */
	{
		AUTO_FETCHED f = { 0 };
		struct err e = { 0 };

		intel_start(&in, false);
		buf_reset(&in.s.v[2].body);
		load_vec(&in.s.v[2].body, P "coll2026-root_ca_crl.der");
		EQ(intel_get(&f, &in, false, buf_view(&quote), NULL, &e), -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, "not that of 'Intel SGX PCK Platform CA'");
		intel_stop(&in);
	}
}

TEST(fetch_azure_looks_inside)
{
	static struct intel in;
	static struct service s;
	AUTO_BUF tdx = { 0 }, snp = { 0 };
	AUTO_FETCHED f = { 0 }, g = { 0 };

	NEED_VECTORS;
	load_vec(&tdx, "cpu-tee/azure/az-tdx-live.json");
	load_vec(&snp, "cpu-tee/azure/az-snp-live.json");
	intel_start(&in, false);
	{
		char root[256];

		snprintf(root, sizeof root, "%s/IntelSGXRootCA.der", in.s.url);
		WORKS(fetch_collateral(&f, &in.s.h, &(struct fetch_from){ .pcs = in.s.url, .root_crl = root }, "az-tdx-vtpm", buf_view(&tdx),
				       (struct slice){ 0 }, NULL, &e));
	}
	OK(f.n >= 5);
	intel_stop(&in);
	s = (struct service){ 0 };
	service_start(&s, MAKER_NOW);
	s.h.now_fixed = REAL_NOW;	/* its VCEK is inside: only the list and the chain are asked for */
	list_make(&service_route(&s, "/vcek/v1/Milan/crl")->body, &(const struct list_make){ 0 });
	WORKS(fetch_collateral(&g, &s.h, &(struct fetch_from){ .kds = s.url, .retry_ms = 1 }, "az-snp-vtpm", buf_view(&snp), (struct slice){ 0 },
			       NULL, &e));
	EQ(g.n, 1);
	EQ(s.requests, 2);
	service_stop(&s);
}

TEST(fetch_other_kinds_need_nothing)
{
	AUTO_FETCHED f = { 0 };
	struct host h;

	host_init(&h);
	h.offline = true;
	WORKS(fetch_collateral(&f, &h, &(struct fetch_from){ 0 }, "cca", SLICE("x"), (struct slice){ 0 }, NULL, &e));
	WORKS(fetch_collateral(&f, &h, &(struct fetch_from){ 0 }, "sample", SLICE("x"), (struct slice){ 0 }, NULL, &e));
	EQ(f.n, 0);
	host_close(&h);
}
