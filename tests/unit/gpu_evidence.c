/* SPDX-License-Identifier: Apache-2.0 */
/* The two calls that can harm a confidential GPU: made once each, only in a confidential mode, and nothing that comes back is believed. */
#include "gpu/rm.h"

#include <errno.h>

#include "gpu_sim.h"
#include "test.h"

enum { CERTIFICATE = 0xcb330109, REPORT = 0xcb33010a };
static const uint8_t nonce[32] = { 0xaa, 1, 2, 3, [31] = 0x55 };

static int take(struct rm_evidence *ret, struct sim *s, const struct rm_cc *claim, struct err *e)
{
	const struct rm_port p = sim_port(s);
	AUTO_RM *rm = NULL;
	struct rm_gpu g;
	struct rm_cc c;

	if (rm_open_port(&rm, &p, NULL, e) || rm_attach(&g, rm, rm_card_at(rm, 0), e) || rm_cc(&c, rm, e))
		return -1;
	return rm_evidence(ret, rm, &g, claim ? claim : &c, nonce, e);
}

/* Fails with this code and these words, after this many calls of each kind. */
static void refuses(struct sim *s, enum ec code, const char *words, const char *hint, unsigned chains, unsigned reports)
{
	struct rm_evidence ev = { 0 };
	struct err e = { 0 };
	unsigned sent[2] = { 0 };

	EQ(take(&ev, s, NULL, &e), -1);
	EQ(e.code, code);
	HAS(e.msg, words);
	if (hint)
		HAS(e.hint, hint);
	for (size_t i = 0; i < s->n_log; i++) {
		sent[0] += s->log[i] == CERTIFICATE;
		sent[1] += s->log[i] == REPORT;
	}
	EQ(sent[0], chains);
	EQ(sent[1], reports);
	OK(!ev.chain.p && !ev.report.p);
	EQ(s->opened, s->closed);
}

TEST(rm_evidence_is_one_chain_and_one_report_on_every_branch)
{
	static const char *const branches[] = { "535.104.05", "550.163.01", "570.211.01", "580.159.04", "590.48.01", "595.45.04" };

	for (size_t k = 0; k < sizeof branches / sizeof branches[0]; k++) {
		struct sim s = sim_h100();
		struct rm_evidence ev = { 0 };

		sim_branch(&s, branches[k]);
		sim_confidential(&s, 1);
		WORKS(take(&ev, &s, NULL, &e));
		EQ(s.gpu[0].n_chain, 1);
		EQ(s.gpu[0].n_report, 1);
		EQ(ev.report.n, 4037);
		MEM(ev.report.p + 4, nonce, 32);
		OK(ev.chain.n > 100 && !memcmp(ev.chain.p, "-----BEGIN CERTIFICATE-----", 27));
		rm_evidence_free(&ev);
		rm_evidence_free(&ev);
	}
}

TEST(rm_evidence_is_given_in_each_confidential_mode)
{
	for (unsigned k = 0; k < 3; k++) {
		struct sim s = sim_h100();
		struct rm_evidence ev = { 0 };

		sim_confidential(&s, 1);
		if (k == 1)		/* devtools */
			s.caps[2] = s.caps[4] = 1;
		if (k == 2) {		/* protected PCIe says feature 0 */
			s.caps[3] = 0;
			s.caps[5] = 1;
		}
		WORKS(take(&ev, &s, NULL, &e));
		rm_evidence_free(&ev);
	}
}

TEST(rm_evidence_is_never_asked_where_the_mode_is_off)
{
	const struct rm_cc lie = { .known = true, .feature = RM_CC_FEATURE_HCC };
	struct sim s = sim_h100();
	struct rm_evidence ev = { 0 };
	struct err e = { 0 };

	refuses(&s, EC_ABSENT, "confidential mode is off", "gpu-ccmode query", 0, 0);
	s = sim_h100();
	s.caps[5] = 1;		/* is not part of this branch's struct */
	sim_branch(&s, "535.104.05");
	refuses(&s, EC_ABSENT, "confidential mode is off", NULL, 0, 0);
	s = sim_h100();
	s.no_cc_class = true;
	refuses(&s, EC_ABSENT, "confidential mode is off", NULL, 0, 0);
	s = sim_h100();		/* nor on the caller's word alone */
	EQ(take(&ev, &s, &lie, &e), -1);
	EQ(e.code, EC_ABSENT);
	OK(!sim_was_sent(&s, CERTIFICATE) && !sim_was_sent(&s, REPORT));
}

TEST(rm_evidence_asks_once_whatever_the_status)
{
	static const struct {
		uint32_t status;
		const char *words, *hint;
	} v[] = {
		{ 0x02, "buffer too small", "not asked again" }, { 0x03, "busy", "try again in a moment" },
		{ 0x0f, "the GPU is lost", "reset from the host" }, { 0x1f, "invalid argument", "not asked again" },
		{ 0x40, "invalid state", "load the nvidia module afresh" }, { 0x51, "out of memory", "not asked again" },
		{ 0x55, "not ready", "no SPDM session" }, { 0x56, "not supported", "not asked again" },
		{ 0x57, "object not found", "not asked again" }, { 0x62, "reset required", "not asked again" },
		{ 0x65, "timed out", "not asked again" }, { 0x7d, "key rotation", "try again in a moment" },
		{ 0xffff, "generic failure", "not asked again" },
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct sim s = sim_h100();

		sim_confidential(&s, 1);
		s.fault[0] = (struct sim_fault){ .cmd = CERTIFICATE, .status = v[i].status, .times = 9 };
		refuses(&s, EC_IO, v[i].words, v[i].hint, 1, 0);
		s = sim_h100();
		sim_confidential(&s, 1);
		s.fault[0] = (struct sim_fault){ .cmd = REPORT, .status = v[i].status, .times = 9 };
		refuses(&s, EC_IO, v[i].words, v[i].hint, 1, 1);
	}
}

TEST(rm_evidence_asks_once_whatever_the_errno)
{
	static const int errors[] = { EINTR, EAGAIN, EIO, EINVAL, ENOMEM, EPERM };

	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		struct sim s = sim_h100();

		sim_confidential(&s, 1);
		s.fault[0] = (struct sim_fault){ .cmd = CERTIFICATE, .error = errors[i], .times = 9 };
		refuses(&s, EC_IO, strerror(errors[i]), NULL, 1, 0);
		s.fault[0] = (struct sim_fault){ .cmd = REPORT, .error = errors[i], .times = 9 };
		s.n_log = 0;
		refuses(&s, EC_IO, strerror(errors[i]), NULL, 1, 1);
	}
}

TEST(rm_evidence_does_not_believe_the_sizes)
{
	static const uint32_t chains[] = { 5121, 0x7fffffff, 0xffffffff };
	static const uint32_t reports[] = { 8193, 36, 1, 0x80000000, 0xffffffff };

	for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
		struct sim s = sim_h100();

		sim_confidential(&s, 1);
		s.chain_size = chains[i];
		refuses(&s, EC_FORMAT, "certificate chain of", NULL, 1, 0);
	}
	for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
		struct sim s = sim_h100();

		sim_confidential(&s, 1);
		s.report_size = reports[i];
		refuses(&s, EC_FORMAT, "report of", NULL, 1, 1);
	}
}

TEST(rm_evidence_wants_a_chain_that_is_text)
{
	static const struct {
		const char *text, *words;
	} v[] = {
		{ "", "chain of 0 bytes" }, { "no certificates", "has 0 whole certificates" }, { "\x7f" "ELF", "is no text" },
		{ "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMAA", "one that is cut off" },
		{ "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "no certificate" },
		{ "-----BEGIN CERTIFICATE-----\n\x1b[2J\n-----END CERTIFICATE-----\n", "byte 0x1b" },
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct sim s = sim_h100();

		sim_confidential(&s, 1);
		s.chain_text = v[i].text;
		refuses(&s, EC_FORMAT, v[i].words, NULL, 1, 0);
	}
}

TEST(rm_evidence_takes_a_chain_with_nuls_behind_it)
{
	struct sim s = sim_h100();
	struct rm_evidence ev = { 0 };

	sim_confidential(&s, 1);
	s.chain_size = 5120;
	WORKS(take(&ev, &s, NULL, &e));
	OK(ev.chain.n < 1000 && ev.chain.p[ev.chain.n - 1] == '\n');
	rm_evidence_free(&ev);
}

TEST(rm_evidence_refuses_a_report_for_another_nonce)
{
	struct sim s = sim_h100();

	sim_confidential(&s, 1);
	s.other_nonce = true;
	refuses(&s, EC_FORMAT, "another nonce", NULL, 1, 1);
}

TEST(rm_evidence_survives_noise)
{
	unsigned refused = 0;

	for (uint32_t seed = 0; seed < 1000; seed++) {
		struct sim s = sim_h100();
		struct rm_evidence ev = { 0 };
		struct err e = { 0 };

		sim_confidential(&s, 1);
		s.garbage = (seed + 1) * 2654435761u | 1;
		s.garbage_after = 10 + seed % 2;	/* from the chain on, or the report */
		if (take(&ev, &s, NULL, &e)) {
			refused++;
			OK(e.code == EC_IO || e.code == EC_FORMAT);
		}
		rm_evidence_free(&ev);
		EQ(s.opened, s.closed);
	}
	OK(refused > 600);
}
