/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's signed documents and the PCK extension: what is read is what is signed, and nothing malformed passes. */

#include "codec/der.h"
#include "codec/hex64.h"
#include "tdx_maker.h"
#include "test.h"
#include "tee/tdx_pck.h"
#include "tee/tdx_tcb.h"

static void signer_of(struct collateral *to)
{
	tdx_docs_make(to, &(const struct tdx_docs){ .no_tcb = true, .no_id = true, .no_root_crl = true, .no_pck_crl = true });
}

/* Parsed and signed by the test's signer. */
static bool tcb_holds(struct slice text, const struct cert *signer)
{
	struct tdx_tcb_info t = { 0 };
	struct err e = { 0 };
	const bool ret = !tdx_tcb_info_parse(&t, text, &e) && !tcb_signed_by(&t.doc, signer, &e);

	tdx_tcb_info_free(&t);
	return ret;
}

static bool id_holds(struct slice text, const struct cert *signer)
{
	struct tdx_qe_identity q = { 0 };
	struct err e = { 0 };
	const bool ret = !tdx_qe_identity_parse(&q, text, &e) && !tcb_signed_by(&q.doc, signer, &e);

	tdx_qe_identity_free(&q);
	return ret;
}

TEST(tdx_every_flipped_byte_of_a_document_is_refused)
{
	static bool (*const holds[])(struct slice, const struct cert *) = { tcb_holds, id_holds };
	AUTO_COLLATERAL c = { 0 };
	struct buf docs[2] = { 0 };

	signer_of(&c);
	tdx_tcb_info_make(&docs[0], &(const struct tdx_docs){ 0 });
	tdx_qe_identity_make(&docs[1], &(const struct tdx_docs){ 0 });
	for (size_t d = 0; d < 2; d++) {
		struct buf *b = &docs[d];

		OK(holds[d](buf_view(b), &c.certs.v[0]));
		for (size_t i = 0; i < b->n; i++) {
			const uint8_t old = b->p[i];

			b->p[i] ^= 1;
			/* outside the object: white space may change */
			if (holds[d](buf_view(b), &c.certs.v[0]) && old != ' ' && old != '\n')
				test_fail(__FILE__, __LINE__, "document %zu, byte %zu ('%c')", d, i, old);
			b->p[i] = old;
		}
		for (size_t n = 0; n < b->n; n += 7)
			OK(!holds[d](slice_of(b->p, n), &c.certs.v[0]));
	}
	buf_free(&docs[0]);
	buf_free(&docs[1]);
}

/* The same value written otherwise is another document. */
TEST(tdx_documents_are_verified_as_they_were_received)
{
	AUTO_COLLATERAL c = { 0 };
	AUTO_BUF good = { 0 }, spaced = { 0 };
	struct tdx_tcb_info t = { 0 };
	size_t at;

	signer_of(&c);
	tdx_tcb_info_make(&good, &(const struct tdx_docs){ .extra = "\"later\" : {\"a\":[\"}\\\"{\", 1 ]}, " });
	WORKS(tdx_tcb_info_parse(&t, buf_view(&good), &e));
	WORKS(tcb_signed_by(&t.doc, &c.certs.v[0], &e));
	EQ(t.n_levels, 2);
	EQ(t.n_modules, 2);
	STR(t.modules[0].id, "TDX_01");
	EQ(t.doc.body.p[0], '{');
	EQ(t.doc.body.p[t.doc.body.n - 1], '}');
	at = (size_t)(t.doc.body.p - t.doc.text.p) + 1;
	buf_put(&spaced, good.p, at);
	buf_puts(&spaced, " ");
	buf_put(&spaced, good.p + at, good.n - at);
	tdx_tcb_info_free(&t);
	WORKS(tdx_tcb_info_parse(&t, buf_view(&spaced), &e));
	FAILS(tcb_signed_by(&t.doc, &c.certs.v[0], &e), EC_REFUSED);
	tdx_tcb_info_free(&t);
}

TEST(tdx_documents_with_members_twice_are_malformed)
{
	static const struct tdx_docs docs[] = {
		{ .outer = "\"tcbInfo\":{\"id\":\"TDX\"}, " }, { .outer = "\"signature\":\"00\", " }, { .outer = "\"tcb\\u0049nfo\":{}, " },
		{ .extra = "\"fmspc\":\"000000000000\"," }, { .extra = "\"tcbLevels\":[]," }
	};
	struct tdx_tcb_info t = { 0 };

	for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
		AUTO_BUF b = { 0 };

		tdx_tcb_info_make(&b, &docs[i]);
		FAILS(tdx_tcb_info_parse(&t, buf_view(&b), &e), EC_FORMAT);
	}
	/* a name that only looks like it, inside another value, is not it */
	{
		AUTO_BUF b = { 0 };

		tdx_tcb_info_make(&b, &(const struct tdx_docs){ .outer = "\"x\":{\"tcbInfo\":{\"id\":\"SGX\"}}, \"y\":\"\\\"tcbInfo\\\":{\", \"z\":-1.5e3 , " });
		WORKS(tdx_tcb_info_parse(&t, buf_view(&b), &e));
		tdx_tcb_info_free(&t);
	}
}

/* One member of a good document replaced by something else. */
TEST(tdx_documents_with_odd_members_are_malformed)
{
	static const struct { const char *from, *to; } changes[] = {
		{ "\"tcbType\":0", "\"tcbType\":1" }, { "\"tcbType\":0", "\"x\":0" }, { "\"fmspc\":\"0", "\"fmspc\":\"" },
		{ "\"pceId\":\"0000\"", "\"pceId\":0" }, { "\"svn\":5", "\"svn\":256" }, { "\"svn\":5", "\"svn\":-1" }, { "\"svn\":5", "\"svn\":\"5\"" },
		{ "{\"svn\":0},", "" }, { "\"pcesvn\":13", "\"pcesvn\":65536" }, { "\"pcesvn\":13", "\"pcesvn\":1.0" },
		{ "2024-11-13T00:00:00Z", "2024-13-13T00:00:00Z" }, { "2024-11-13T00:00:00Z", "2024-11-13T00:00:00+00:00" },
		{ "2024-11-13T00:00:00Z", "2024-11-13" }, { "\"isvsvn\":6", "\"isvsvn\":65536" }, { "\"tdx_01\"", "\"TDX_03\"" },
		{ "\"tdx_01\"", "\"TDX_0001\"" }, { "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"Fine\"" }, { "\"advisoryIDs\":[", "\"advisoryIDs\":[1," },
		{ "\"advisoryIDs\":[", "\"advisoryIDs\":[\"\"," }, { "FFFFFFFFFFFFFFFF", "FFFFFFFFFFFFFF" }, { "\"tcbEvaluationDataNumber\":17,", "" },
		{ "\"sgxtcbcomponents\"", "\"sgxtcbcomponent\"" }, { "\"tdxtcbcomponents\"", "\"x\"" }, { "\"tcbLevels\":[{\"tcb\":{\"sgx", "\"tcbLevels\":[],\"x\":[{\"tcb\":{\"sgx" },
		{ "\"tdxModule\"", "\"tdxmodule\"" }, { "\"signature\":\"", "\"signature\":\"00" }, { "\"signature\"", "\"sig\"" },
	};
	AUTO_BUF good = { 0 };

	tdx_tcb_info_make(&good, &(const struct tdx_docs){ 0 });
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		const char *at = strstr(buf_cstr(&good), changes[i].from);
		AUTO_BUF b = { 0 };
		struct tdx_tcb_info t = { 0 };
		struct err e = { 0 };

		if (!at) {
			test_fail(__FILE__, __LINE__, "no '%s' in the document", changes[i].from);
			continue;
		}
		buf_put(&b, good.p, (size_t)(at - buf_cstr(&good)));
		buf_puts(&b, changes[i].to);
		buf_puts(&b, at + strlen(changes[i].from));
		if (!tdx_tcb_info_parse(&t, buf_view(&b), &e) || e.code != EC_FORMAT)
			test_fail(__FILE__, __LINE__, "'%s' for '%s' passes", changes[i].to, changes[i].from);
		tdx_tcb_info_free(&t);
	}
}

TEST(tdx_documents_of_any_size_are_bounded)
{
	AUTO_BUF b = { 0 }, extra = { 0 };
	struct tdx_tcb_info t = { 0 };

	buf_puts(&extra, "\"x\":\"");
	buf_fill(&extra, 'a', TCB_DOCUMENT_MAX);
	buf_puts(&extra, "\",");
	tdx_tcb_info_make(&b, &(const struct tdx_docs){ .extra = buf_cstr(&extra) });
	FAILS(tdx_tcb_info_parse(&t, buf_view(&b), &e), EC_FORMAT);
	FAILS(tdx_tcb_info_parse(&t, SLICE(""), &e), EC_FORMAT);
	FAILS(tdx_tcb_info_parse(&t, SLICE("[]"), &e), EC_FORMAT);
	FAILS(tdx_tcb_info_parse(&t, SLICE("{}"), &e), EC_FORMAT);
}

TEST(tdx_advisories_of_a_level_are_bounded)
{
	for (int n = TCB_ADVISORIES_MAX; n <= TCB_ADVISORIES_MAX + 1; n++) {
		AUTO_BUF b = { 0 }, status = { 0 };
		struct tdx_tcb_info t = { 0 };
		struct err e = { 0 };

		for (int i = 0; i < n; i++)
			buf_printf(&status, "%s\"INTEL-SA-%05d\"", i ? "," : "UpToDate\",\"advisoryIDs\":[", i);
		buf_puts(&status, "],\"x\":\"");
		tdx_tcb_info_make(&b, &(const struct tdx_docs){ .module = buf_cstr(&status) });
		EQ(tdx_tcb_info_parse(&t, buf_view(&b), &e), n > TCB_ADVISORIES_MAX ? -1 : 0);
		tdx_tcb_info_free(&t);
	}
}

/* --- PCK extension --------------------------------------------------------------------------------------------------- */

static void put_tlv(struct buf *ret, struct der d)
{
	buf_slice(ret, d.all);
}

TEST(tdx_pck_extension_is_read_in_any_order)
{
	AUTO_BUF x = { 0 }, body = { 0 }, turned = { 0 };
	struct tdx_pck a, b;
	struct der members[16];
	struct rd r, seq;
	size_t n = 0;

	tdx_pck_ext_make(&x, &(const struct tdx_make){ .lag = 1 });
	WORKS(tdx_pck_read(&a, buf_view(&x), &e));
	EQ(a.component[0], 4);
	EQ(a.component[7], 5);
	EQ(a.pcesvn, 13);
	MEM(a.fmspc, "\x00\x80\x6f\x05\x00\x00", 6);
	OK(a.has_instance && a.has_configuration && a.dynamic_platform && !a.smt_enabled);
	EQ(a.sgx_type, 1);
	r = rd_of(buf_view(&x));
	seq = der_open(&r, DER_SEQUENCE);
	while (n < 16 && der_next(&seq, &members[n]))
		n++;
	EQ(n, 7);
	for (size_t i = n; i; i--)
		put_tlv(&body, members[i - 1]);
	der_put(&turned, DER_SEQUENCE, buf_view(&body));
	memset(&b, 0, sizeof b);
	WORKS(tdx_pck_read(&b, buf_view(&turned), &e));
	MEM(a.component, b.component, 16);
	MEM(a.ppid, b.ppid, 16);
	/* each member once; those that are needed have to be there */
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF twice = { 0 }, without = { 0 }, out = { 0 };

		buf_slice(&twice, buf_view(&body));
		put_tlv(&twice, members[i]);
		der_put(&out, DER_SEQUENCE, buf_view(&twice));
		FAILS(tdx_pck_read(&b, buf_view(&out), &e), EC_FORMAT);
		for (size_t k = 0; k < n; k++)
			if (k != i)
				put_tlv(&without, members[k]);
		buf_reset(&out);
		der_put(&out, DER_SEQUENCE, buf_view(&without));
		EQ(tdx_pck_read(&b, buf_view(&out), NULL), i < 5 ? -1 : 0);	/* instance id and configuration are optional */
	}
}

TEST(tdx_pck_extension_cut_or_changed_never_crashes)
{
	AUTO_BUF x = { 0 };
	struct tdx_pck p;

	tdx_pck_ext_make(&x, &(const struct tdx_make){ 0 });
	for (size_t n = 0; n < x.n; n++)
		FAILS(tdx_pck_read(&p, slice_of(x.p, n), &e), EC_FORMAT);
	for (size_t i = 0; i < x.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct err e = { 0 };

			x.p[i] ^= (uint8_t)(1u << bit);
			if (tdx_pck_read(&p, buf_view(&x), &e))
				EQ(e.code, EC_FORMAT);
			x.p[i] ^= (uint8_t)(1u << bit);
		}
	buf_byte(&x, 0);
	FAILS(tdx_pck_read(&p, buf_view(&x), &e), EC_FORMAT);
}

/* --- TDREPORT ---------------------------------------------------------------------------------------------------------- */

static void report_of(uint8_t r[static TDX_REPORT_SIZE], const struct tdx_quote *q)
{
	memset(r, 0, TDX_REPORT_SIZE);
	r[0] = 0x81;
	memcpy(r + 128, tdx_report_data(q).p, 64);
	memcpy(r + 264, q->body.p, 16);
	memcpy(r + 280, q->body.p + TDX_MR_SEAM, 104);
	memcpy(r + 512, q->body.p + TDX_TD_ATTRIBUTES, 400);
	if (q->body.n >= 648) {
		memcpy(r + 384, q->body.p + TDX_TEE_TCB_SVN2, 16);
		memcpy(r + 912, q->body.p + TDX_MR_SERVICETD, 48);
	}
	WORKS(hash_of(r + 32, HASH_SHA384, slice_of(r + 256, 239), &e));
	WORKS(hash_of(r + 80, HASH_SHA384, slice_of(r + 512, 512), &e));
}

TEST(tdx_report_is_known_by_its_digests)
{
	static const uint16_t at[] = { 0, 3, 32, 79, 80, 127, 256, 494, 512, 1023 };
	AUTO_BUF b = { 0 };
	AUTO_JSON *j = json_object();
	struct tdx_quote q;
	uint8_t r[TDX_REPORT_SIZE];

	tdx_quote_make(&b, &(const struct tdx_make){ .version = 5, .body_type = 3 });
	WORKS(tdx_quote_parse(&q, buf_view(&b), &e));
	report_of(r, &q);
	OK(tdx_report_looks_like(slice_of(r, sizeof r)));
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		r[at[i]] ^= 1;
		OK(!tdx_report_looks_like(slice_of(r, sizeof r)));
		r[at[i]] ^= 1;
	}
	OK(!tdx_report_looks_like(slice_of(r, sizeof r - 1)));
	WORKS(tdx_report_describe(j, slice_of(r, sizeof r), &e));
	OK(json_true(json_get(j, "tee_info_hash_matches")) && json_true(json_get(j, "tee_tcb_info_hash_matches")));
	FAILS(tdx_report_describe(j, slice_of(r, 1023), &e), EC_FORMAT);
}

TEST(vectors_tdx_reports_are_recognised)
{
	AUTO_BUF whole = { 0 }, cut = { 0 };
	AUTO_JSON *j = json_object();

	NEED_VECTORS;
	load_vec(&whole, "trustee/tdx/tdx_report_1.bin");
	load_vec(&cut, "cpu-tee/tdx/tdreport.bin");
	OK(tdx_report_looks_like(buf_view(&whole)));
	OK(!tdx_report_looks_like(buf_view(&cut)));	/* its first 48 bytes are missing: it begins inside the MAC structure */
	WORKS(tdx_report_describe(j, buf_view(&whole), &e));
	OK(json_true(json_get(j, "tee_info_hash_matches")));
}
