/* SPDX-License-Identifier: Apache-2.0 */
/* The session with the driver, against a simulated driver with faults. */
#include "gpu/rm.h"

#include <errno.h>

#include "gpu_sim.h"
#include "test.h"

static int open_sim(struct rm **ret, struct sim *s, const struct host *h, struct err *e)
{
	const struct rm_port p = sim_port(s);

	return rm_open_port(ret, &p, h, e);
}

/* Session, first GPU, its values, the system's state: what gpu-ccmode does. */
static int read_all(struct rm_gpu_info *i, struct rm_cc *c, struct sim *s, struct err *e)
{
	AUTO_RM *rm = NULL;
	struct rm_gpu g;

	if (open_sim(&rm, s, NULL, e))
		return -1;
	if (!rm_card_count(rm))
		return err_set(e, EC_ABSENT, "no card");
	return rm_attach(&g, rm, rm_card_at(rm, 0), e) || rm_gpu_info(i, rm, &g, e) || rm_cc(c, rm, e) ? -1 : 0;
}

static void all_closed(const struct sim *s)
{
	EQ(s->opened, s->closed);
	EQ(s->released, 1);
}

TEST(rm_reads_a_gpu_of_the_current_branch)
{
	struct sim s = sim_h100();
	struct rm_gpu_info i = { 0 };
	struct rm_cc c = { 0 };

	WORKS(read_all(&i, &c, &s, &e));
	STR(i.name, "NVIDIA H100 80GB HBM3");
	STR(i.uuid, "GPU-01234567-89ab-cdef-0123-456789abcdef");
	STR(i.vbios, "96.00.DA.00.0C");
	EQ(i.architecture, 0x180);
	OK(i.has_memory);
	EQ(i.protected_kb, 0);
	EQ(i.unprotected_kb, 0x04f2dc00);
	STR(i.project, "G520");
	STR(i.project_sku, "0200");
	STR(i.chip_sku, "885");
	EQ(i.board_id, 0x437);
	STR(i.board, "PG520 SKU 200");
	STR(i.serial, "1650323000123");
	OK(i.has_channels && i.has_key_rotation);
	EQ(i.sec2_channels, 6);
	EQ(i.ce_channels, 40);
	EQ(i.key_rotation, 3);
	OK(c.known);
	EQ(c.gpu, RM_CC_GPU_HCC);
	EQ(c.feature, RM_CC_FEATURE_OFF);
	OK(!c.ready);
	EQ(s.opened, 2);
	EQ(s.freed, 1);
	all_closed(&s);
}

/* Every branch gives the same identity, and so the same manifest to ask for. */
TEST(rm_reads_the_structs_of_every_branch)
{
	static const char *const branches[] = { "535.104.05", "535.288.01", "550.54.14", "570.211.01", "580.142", "590.48.01", "595.45.04" };

	for (size_t k = 0; k < sizeof branches / sizeof branches[0]; k++) {
		struct sim s = sim_h100();
		struct rm_gpu_info i = { 0 };
		struct rm_cc c = { 0 };
		char rim[96];

		sim_branch(&s, branches[k]);
		sim_confidential(&s, 1);
		WORKS(read_all(&i, &c, &s, &e));
		STR(i.name, "NVIDIA H100 80GB HBM3");
		OK(rm_vbios_rim(rim, &i));
		STR(rim, "NV_GPU_VBIOS_G520_0200_885_9600DA000C");
		EQ(i.has_key_rotation, k > 1);
		EQ(c.feature, RM_CC_FEATURE_HCC);
		EQ(s.gpu[0].n_chain + s.gpu[0].n_report, 0);
	}
}

TEST(rm_goes_on_without_what_is_only_good_to_know)
{
	static const uint32_t extra[] = { 0x20800808, 0x2080013f, 0x20801801, 0xcb33010b, 0xcb33010c };

	for (size_t k = 0; k < sizeof extra / sizeof extra[0]; k++) {
		struct sim s = sim_h100();
		struct rm_gpu_info i = { 0 };
		struct rm_cc c = { 0 };
		char rim[96];

		s.fault[0] = (struct sim_fault){ .cmd = extra[k], .status = k & 1 ? 0x40 : 0x57, .times = 1 };
		WORKS(read_all(&i, &c, &s, &e));
		EQ(s.fault[0].times, 0);
		EQ(i.project[0] != 0, k != 0);
		EQ(rm_vbios_rim(rim, &i), k != 0);
		EQ(i.board[0] != 0, k != 1);
		EQ(i.has_channels, k != 3);
		EQ(i.has_key_rotation, k != 4);
	}
}

TEST(rm_refuses_a_gpu_whose_own_id_differs_from_the_list)
{
	struct sim s = sim_h100();
	struct rm_gpu_info i;
	struct rm_cc c;
	struct err e = { 0 };

	s.gpu[0].says_device = 0x2331;
	EQ(read_all(&i, &c, &s, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "10de:2331");
	all_closed(&s);
}

TEST(rm_lists_cards_with_address_and_version)
{
	struct sim s = sim_h100();
	AUTO_RM *rm = NULL;

	s.n_gpus = 2;
	WORKS(open_sim(&rm, &s, NULL, &e));
	STR(rm_driver_version(rm), "580.159.04");
	EQ(rm_card_count(rm), 2);
	OK(!rm_card_at(rm, 2));
	OK(rm_card_find(rm, &(struct pci_addr){ 0, 0x41, 0, 0 }) == rm_card_at(rm, 1));
	OK(!rm_card_find(rm, &(struct pci_addr){ 0, 0x41, 0, 1 }));
	EQ(rm_card_at(rm, 1)->minor, 1);
	EQ(rm_card_at(rm, 1)->device, 0x2330);
}

TEST(rm_falls_back_to_the_structs_of_older_branches)
{
	struct sim s = sim_h100();
	struct rm_gpu_info i = { 0 };
	struct rm_cc c = { 0 };

	s.version = "535.104.05";
	s.caps_size = 5;
	s.caps[2] = 2;
	s.caps[3] = 2;
	s.caps[5] = 9;		/* not part of this branch's struct: must not be seen */
	WORKS(read_all(&i, &c, &s, &e));
	STR(i.name, "NVIDIA H100 80GB HBM3");
	EQ(c.feature, RM_CC_FEATURE_HCC);
	EQ(c.multi_gpu, RM_CC_MULTI_NONE);
	s = sim_h100();
	s.version = "595.45.04";
	s.name_size = 68;
	WORKS(read_all(&i, &c, &s, &e));
	STR(i.name, "NVIDIA H100 80GB HBM3");
	s.caps_size = 7;	/* a branch that nobody knows yet */
	FAILS(read_all(&i, &c, &s, &e), EC_IO);
}

TEST(rm_refuses_a_driver_that_tells_no_version)
{
	struct rm *rm = NULL;
	struct sim s = sim_h100();

	s.version = "";
	FAILS(open_sim(&rm, &s, NULL, &e), EC_IO);
	s.version = "580\n159";
	FAILS(open_sim(&rm, &s, NULL, &e), EC_IO);
	s.version = "unknown";
	FAILS(open_sim(&rm, &s, NULL, &e), EC_IO);
	s.version = "1234567890123456789012345678901234567890123456789012345678901234";
	s.version_bytes = 64;	/* no NUL */
	FAILS(open_sim(&rm, &s, NULL, &e), EC_IO);
	s.version = "580.159.04";
	s.version_bytes = 0;
	s.version_reply = 0;
	FAILS(open_sim(&rm, &s, NULL, &e), EC_IO);
	OK(!rm);
	EQ(s.opened, s.closed);
	EQ(s.released, 5);
}

TEST(rm_reports_errno_of_every_step)
{
	static const uint32_t steps[] = { RM_NR_VERSION, RM_NR_CARD_INFO, 0x41, 0x205, 0x80, 0x2080, 0x275, 0x20800110, 0x20800810,
					  0x20801701, 0xcb33, 0xcb330106, 0xcb330101, 0xcb330104 };
	struct rm_gpu_info i;
	struct rm_cc c;

	for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
		struct sim s = sim_h100();
		struct err e = { 0 };

		s.fault[0] = (struct sim_fault){ .cmd = steps[k], .error = EIO, .times = 1 };
		EQ(read_all(&i, &c, &s, &e), -1);
		EQ(e.code, EC_IO);
		HAS(e.msg, strerror(EIO));
		EQ(s.fault[0].times, 0);
		all_closed(&s);
	}
}

TEST(rm_reports_status_of_every_step)
{
	static const uint32_t steps[] = { 0x41, 0x205, 0x80, 0x2080, 0x275, 0x20800110, 0x20800810, 0x20801701, 0xcb33, 0xcb330106,
					  0xcb330101, 0xcb330104 };
	struct rm_gpu_info i;
	struct rm_cc c;

	for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
		struct sim s = sim_h100();
		struct err e = { 0 };

		s.fault[0] = (struct sim_fault){ .cmd = steps[k], .status = 0x0f, .times = 1 };
		EQ(read_all(&i, &c, &s, &e), -1);
		EQ(e.code, EC_IO);
		HAS(e.msg, "the GPU is lost (status 0x0f)");
		HAS(e.hint, "reset from the host");
		all_closed(&s);
	}
}

TEST(rm_lacks_what_the_branch_does_not_know_but_never_the_state)
{
	static const uint32_t optional[] = { 0x275, 0x20800110, 0x20800810 };
	struct rm_gpu_info i;
	struct rm_cc c;

	for (size_t k = 0; k < 3; k++) {
		struct sim s = sim_h100();

		s.fault[0] = (struct sim_fault){ .cmd = optional[k], .status = 0x56, .times = 9 };
		WORKS(read_all(&i, &c, &s, &e));
		EQ(i.uuid[0] == 0, k == 0);
		EQ(i.name[0] == 0, k == 1);
		EQ(i.vbios[0] == 0, k == 2);
	}
	for (size_t k = 0; k < 2; k++) {
		struct sim s = sim_h100();

		s.fault[0] = (struct sim_fault){ .cmd = k ? 0xcb330101 : 0xcb330104, .status = 0x56, .times = 9 };
		FAILS(read_all(&i, &c, &s, &e), EC_IO);
	}
}

TEST(rm_takes_a_driver_without_the_confidential_class)
{
	struct sim s = sim_h100();
	struct rm_gpu_info i;
	struct rm_cc c = { .known = true, .feature = 2 };

	s.no_cc_class = true;
	WORKS(read_all(&i, &c, &s, &e));
	OK(!c.known);
	EQ(c.feature, 0);
	OK(!i.has_memory);
	OK(!sim_was_sent(&s, 0xcb330101));
}

TEST(rm_waits_while_busy_and_gives_up)
{
	struct sim s = sim_h100();
	struct rm_gpu_info i;
	struct rm_cc c;
	struct host h;
	struct rm *rm = NULL;
	int64_t start;

	s.fault[0] = (struct sim_fault){ .cmd = 0xcb330101, .status = 0x03, .times = 2 };
	s.fault[1] = (struct sim_fault){ .cmd = 0xcb330104, .status = 0x7d, .times = 1 };
	WORKS(read_all(&i, &c, &s, &e));
	EQ(s.fault[0].times + s.fault[1].times, 0);

	s = sim_h100();
	s.fault[0] = (struct sim_fault){ .cmd = 0x205, .status = 0x03, .times = 1000 };
	host_init(&h);
	start = host_mono_ms();
	h.deadline_ms = start + 40;
	WORKS(open_sim(&rm, &s, &h, &e));
	FAILS(rm_attach(&(struct rm_gpu){ 0 }, rm, rm_card_at(rm, 0), &e), EC_IO);
	OK(host_mono_ms() - start < 1000);
	rm_close(rm);
	all_closed(&s);
}

TEST(rm_refuses_cards_that_cannot_be)
{
	struct rm *rm = NULL;
	struct sim s = sim_h100();

	s.n_gpus = 2;
	s.gpu[1].addr = s.gpu[0].addr;
	FAILS(open_sim(&rm, &s, NULL, &e), EC_FORMAT);
	s = sim_h100();
	s.gpu[0].minor = 255;	/* that is the control node */
	FAILS(open_sim(&rm, &s, NULL, &e), EC_FORMAT);
	s.gpu[0].minor = 0;
	s.gpu[0].addr.slot = 32;
	FAILS(open_sim(&rm, &s, NULL, &e), EC_FORMAT);
	s.gpu[0].addr.slot = 31;
	WORKS(open_sim(&rm, &s, NULL, &e));
	rm_close(rm);
}

TEST(rm_refuses_texts_and_values_out_of_form)
{
	struct sim s = sim_h100();
	struct rm_gpu_info i;
	struct rm_cc c;

	s.gpu[0].uuid = "GPU-01234567-89ab-cdef-0123-456789abcde";
	FAILS(read_all(&i, &c, &s, &e), EC_FORMAT);
	s.gpu[0].uuid = "GPU-01234567-89ab-cdef-0123-456789ABCDEF";
	FAILS(read_all(&i, &c, &s, &e), EC_FORMAT);
	s.gpu[0].uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef0";
	FAILS(read_all(&i, &c, &s, &e), EC_FORMAT);
	s = sim_h100();
	s.gpu[0].name = "NVIDIA\x1b[2J";
	FAILS(read_all(&i, &c, &s, &e), EC_FORMAT);
	s.gpu[0].name = "";
	FAILS(read_all(&i, &c, &s, &e), EC_FORMAT);
	s = sim_h100();
	s.ready = 2;
	FAILS(read_all(&i, &c, &s, &e), EC_FORMAT);
	s = sim_h100();
	s.zero_handle = true;
	FAILS(read_all(&i, &c, &s, &e), EC_IO);
}

TEST(rm_survives_noise_from_any_call_on)
{
	unsigned refused[16] = { 0 };

	for (uint32_t seed = 0; seed < 4000; seed++) {
		struct sim s = sim_h100();
		struct rm_gpu_info i;
		struct rm_cc c;
		struct err e = { 0 };

		s.garbage = (seed + 1) * 2654435761u | 1;
		s.garbage_after = seed % 16;
		if (read_all(&i, &c, &s, &e)) {
			refused[seed % 16]++;
			OK(e.code == EC_IO || e.code == EC_FORMAT || e.code == EC_ABSENT);
		}
		EQ(s.opened, s.closed);
		EQ(s.released, 1);
	}
	for (size_t k = 0; k < 12; k++)		/* the last calls have answers that cannot be told from noise */
		OK(refused[k] > 100);
}

TEST(rm_sends_queries_only)
{
	static const uint32_t allowed[] = { RM_NR_VERSION, RM_NR_CARD_INFO, RM_NR_FREE, 0x41, 0x80, 0x2080, 0xcb33, 0x205, 0x275,
					    0x20800110, 0x20800810, 0x20800808, 0x2080013f, 0x20801701, 0x20801801, 0xcb330101, 0xcb330104, 0xcb330106,
					    0xcb33010b, 0xcb33010c };
	struct sim s = sim_h100();
	struct rm_gpu_info i;
	struct rm_cc c;

	s.caps[2] = s.caps[3] = 2;
	s.ready = 1;
	WORKS(read_all(&i, &c, &s, &e));
	OK(c.ready);
	OK(s.n_log > 10);
	for (size_t k = 0; k < s.n_log; k++) {
		bool found = false;

		for (size_t j = 0; j < sizeof allowed / sizeof allowed[0]; j++)
			found |= s.log[k] == allowed[j];
		OK(found);
	}
	OK(!sim_was_sent(&s, 0xcb330105));	/* set the ready state */
	OK(!sim_was_sent(&s, 0xcb330109));	/* certificate */
	OK(!sim_was_sent(&s, 0xcb33010a));	/* report */
}

TEST(rm_names_every_status_and_no_unknown_one)
{
	STR(rm_status_text(0), "ok");
	STR(rm_status_text(0x57), "object not found");
	STR(rm_status_text(0x12345), "unnamed status");
}
