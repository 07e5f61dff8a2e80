/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/fsp.h"

#include "gpu_model.h"
#include "test.h"

struct bench {
	struct model m;
	struct mmio io;
	struct host h;
	struct fsp f;
};
#define AUTO_BENCH __attribute__((cleanup(take_down))) struct bench

static void set_up(struct bench *b, enum gpu_chip chip, uint32_t faults)
{
	const struct gpu_regs *r = NULL;

	model_init(&b->m, chip, "0000:41:00.0");
	b->io = model_mmio(&b->m, true);
	host_init(&b->h);
	WORKS(gpu_regs_of(&r, &b->io, &b->m.pci, &e));
	b->m.faults = faults;
	b->m.log_registers = true;
	b->f = (struct fsp){ .m = &b->io, .r = r, .h = &b->h };
}

static void take_down(struct bench *b)
{
	mmio_close(&b->io);
	model_free(&b->m);
}

static const enum gpu_chip chips[] = { CHIP_HOPPER, CHIP_BLACKWELL_GB10X, CHIP_BLACKWELL_GB20X, CHIP_LS10 };
#define EACH_CHIP(c) (size_t c = 0; c < sizeof chips / sizeof chips[0]; c++)

TEST(fsp_reads_and_writes_knobs_on_every_chip)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		uint16_t v = 7;
		bool known = false;

		set_up(&b, chips[c], 0);
		b.m.pending[KNOB_CCM] = 3;
		WORKS(fsp_read_knob(&v, &known, &b.f, KNOB_CCM, &e));
		EQ(v, 3);		/* although the upper half of the word is garbage */
		OK(known);
		WORKS(fsp_write_knob(&b.f, KNOB_CCM, 1, &e));
		EQ(b.m.pending[KNOB_CCM], 1);
		EQ(b.m.active[KNOB_CCM], 0);
		WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e));
		EQ(v, 1);
		for (int k = 1; k < 48; k++) {
			WORKS(fsp_read_knob(&v, &known, &b.f, (enum knob)k, &e));
			EQ(v, b.m.pending[k]);
		}
		EQ(b.m.requests, 50);
	}
}

/* Both knob calls under this fault: the words of the error, and nothing is written to ret. */
static void refuses(enum gpu_chip chip, uint32_t faults, enum ec code, const char *words)
{
	AUTO_BENCH b;
	uint16_t v = 0x1234;
	bool known = true;

	set_up(&b, chip, faults);
	for (int write = 0; write < 2; write++) {
		struct err e = { 0 };
		const int rc = write ? fsp_write_knob(&b.f, KNOB_CCM, 1, &e) : fsp_read_knob(&v, &known, &b.f, KNOB_CCM, &e);

		EQ(rc, -1);
		EQ(e.code, code);
		HAS(e.msg, words);
		HAS(e.msg, write ? "cannot write 1 to knob 'enable' (8)" : "cannot read knob 'enable' (8)");
	}
	EQ(v, 0x1234);
	OK(b.m.now_us < 40 * 1000000);	/* no wait is without end */
}

TEST(fsp_names_each_fault_of_emem)
{
	static const struct {
		uint32_t fault;
		const char *words;
	} faults[] = {
		{ MODEL_STUCK, "command queue does not get empty (head 0x" },
		{ MODEL_SILENT, "no answer from the security processor" },
		{ MODEL_WRONG_NVDM, "message 0x1610de7e is not an answer, wanted type 0x15 of vendor 0x10de" },
		{ MODEL_WRONG_ECHO, "answer to a request of type 0x14, sent was 0x13" },
		{ MODEL_SHORT, "answer of 4 words is too short, wanted 5" },
		{ MODEL_LONG, "words, wanted " },
		{ MODEL_SPLIT_BAD, "answer in several packets is out of order: head 0x70000000 where number 1 goes on" },
		{ MODEL_POINTERS, "message queue is out of form: head 0x800, tail 0xc00, its channel is 0x800 to 0xc00" },
		{ MODEL_DIES, "all ones: the device is lost" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		refuses(CHIP_HOPPER, faults[i].fault, EC_IO, faults[i].words);
		refuses(CHIP_LS10, faults[i].fault, EC_IO, faults[i].words);
	}
}

TEST(fsp_names_each_fault_of_mnoc)
{
	static const struct {
		uint32_t fault;
		const char *words;
	} faults[] = {
		{ MODEL_STUCK, "mailbox to the security processor does not get ready" },
		{ MODEL_NO_CREDIT, "mailbox to the security processor gives no credit" },
		{ MODEL_MBOX_ERROR, "mailbox to the security processor reports an error (0x" },
		{ MODEL_SILENT, "no answer from the security processor" },
		{ MODEL_WRONG_NVDM, "message 0x1610de7e is not an answer" },
		{ MODEL_WRONG_ECHO, "answer to a request of type 0x14, sent was 0x13" },
		{ MODEL_SHORT, "answer of 4 words is too short, wanted 5" },
		{ MODEL_LONG, "words, wanted " },
		{ MODEL_SPLIT_BAD, "answer in several packets is out of order: head 0x70000000 where number 1 goes on" },
		{ MODEL_DIES, "all ones: the device is lost" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		refuses(CHIP_BLACKWELL_GB10X, faults[i].fault, EC_IO, faults[i].words);
		refuses(CHIP_BLACKWELL_GB20X, faults[i].fault, EC_IO, faults[i].words);
	}
}

/* The mailbox that announces too much is not emptied word by word, also not at the next use. */
TEST(fsp_refuses_a_mailbox_that_announces_too_much)
{
	AUTO_BENCH b;
	struct err e = { 0 };
	uint16_t v;

	set_up(&b, CHIP_BLACKWELL_GB10X, MODEL_POINTERS);
	EQ(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e), -1);
	HAS(e.msg, "answer of 1048572 bytes, wanted whole words and at most 64 of them");
	EQ(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.msg, "mailbox from the security processor cannot be emptied");
	OK(b.m.n_log < 200);
}

TEST(fsp_takes_an_answer_in_two_packets)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		uint16_t v = 0;

		set_up(&b, chips[c], MODEL_SPLIT);
		b.m.pending[KNOB_CCD] = 0x55;
		WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCD, &e));
		EQ(v, 0x55);
		WORKS(fsp_write_knob(&b.f, KNOB_CCD, 0, &e));
		WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCD, &e));
		EQ(v, 0);
	}
}

TEST(fsp_drops_what_an_earlier_user_left)
{
	for EACH_CHIP(c)
		for (int i = 0; i < 3; i++) {
			static const uint32_t faults[] = { MODEL_STALE, MODEL_LEFTOVER, MODEL_LATE };
			AUTO_BENCH b;
			uint16_t v = 0;

			set_up(&b, chips[c], faults[i]);
			b.m.pending[KNOB_CCM] = 1;
			WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e));
			EQ(v, 1);		/* the message that lay there said 0x5a5a */
		}
}

TEST(fsp_puts_queues_in_order_before_the_first_request)
{
	AUTO_BENCH b;
	uint16_t v;

	set_up(&b, CHIP_HOPPER, MODEL_STALE);
	WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e));
	/* command and message queue of channel 2: tail, head */
	const int at[] = { model_find(&b.m, 'w', 0x8f2c14, 0), model_find(&b.m, 'w', 0x8f2c10, 0), model_find(&b.m, 'w', 0x8f2c94, 0),
			   model_find(&b.m, 'w', 0x8f2c90, 0), model_find(&b.m, 'w', 0x8f2ad0, 0) };

	for (int i = 0; i < 5; i++) {
		OK(at[i] >= 0);
		OK(i == 0 || at[i] > at[i - 1]);
		OK(i == 4 || b.m.log[at[i]].value == 0x800);
	}
}

TEST(fsp_leaves_empty_queues_alone)
{
	AUTO_BENCH b;
	uint16_t v;

	set_up(&b, CHIP_HOPPER, 0);
	WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e));
	EQ(model_find(&b.m, 'w', 0x8f2c90, 0), -1);	/* message head is the processor's */
	/* one request: three words through the port, then tail, then head; then the answer, and its tail */
	const int port = model_find(&b.m, 'w', 0x8f2ad0, 0), tail = model_find(&b.m, 'w', 0x8f2c14, 0), head = model_find(&b.m, 'w', 0x8f2c10, 0);

	EQ(b.m.log[port].value, 0x800 | 1 << 24);
	EQ(b.m.log[port + 1].offset, 0x8f2ad4);
	EQ(b.m.log[port + 1].value, 0xc0000000);
	EQ(b.m.log[port + 2].value, 0x1310de7e);
	EQ(b.m.log[port + 3].value, 0x0008020c);
	EQ(tail, port + 4);
	EQ(b.m.log[tail].value, 0x808);
	EQ(model_find(&b.m, 'g', 8, 0), head + 1);	/* the processor reacts on the head */
	EQ(head, tail + 1);
	EQ(b.m.log[head].value, 0x800);
	EQ(b.m.log[model_find(&b.m, 'w', 0x8f2ad0, 1)].value, 0x800 | 1 << 25);
	EQ(b.m.log[model_find(&b.m, 'w', 0x8f2c94, 0)].value, 0x800);
}

TEST(fsp_sends_over_mnoc_as_written)
{
	AUTO_BENCH b;

	set_up(&b, CHIP_BLACKWELL_GB20X, 0);
	WORKS(fsp_write_knob(&b.f, KNOB_CCM, 1, &e));
	const int size = model_find(&b.m, 'w', 0x8f1f84, 0), first = model_find(&b.m, 'w', 0x8f1f88, 0);

	EQ(b.m.log[size].value, 16 | 1 << 20);
	OK(first > size + 1);				/* credit was asked for in between */
	EQ(b.m.log[first].value, 0xc0000000);
	EQ(b.m.log[first + 1].value, 0x1310de7e);
	EQ(b.m.log[first + 2].value, 0x0008020d);
	EQ(b.m.log[first + 3].value, 1);
}

TEST(fsp_says_when_the_firmware_refuses)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		struct err e = { 0 };
		uint16_t v = 0x1234;
		bool known = true;

		set_up(&b, chips[c], MODEL_OLD);
		b.m.refused[KNOB_BAR0] = true;
		b.m.pending[KNOB_CCM_ALLOW] = 0;
		WORKS(fsp_read_knob(&v, &known, &b.f, KNOB_PPCIE, &e));
		OK(!known);
		EQ(v, 0x1234);
		EQ(fsp_read_knob(&v, NULL, &b.f, KNOB_PPCIE, &e), -1);
		EQ(e.code, EC_DENIED);
		STR(e.msg, "the firmware does not know knob 'ppcie-enable' (45): code 0x1e3");
		HAS(e.hint, "update the VBIOS");
		EQ(fsp_write_knob(&b.f, KNOB_PPCIE, 1, &e), -1);
		EQ(e.code, EC_DENIED);
		HAS(e.msg, "does not know knob 'ppcie-enable' (45)");
		for (int i = 0; i < 2; i++) {
			EQ(fsp_write_knob(&b.f, i ? KNOB_BAR0 : KNOB_CCM, 1, &e), -1);
			EQ(e.code, EC_DENIED);
			HAS(e.msg, i ? "the firmware refused to write knob 'enable-bar0-filter' (10): refused with code 0x1c" :
				       "the firmware refused to write knob 'enable' (8): refused with code 0x1c");
			HAS(e.hint, "in-band");
		}
		EQ(b.m.pending[KNOB_CCM], 0);
		WORKS(fsp_write_knob(&b.f, KNOB_CCD, 1, &e));	/* a refusal leaves the queues in order */
	}
}

TEST(fsp_goes_on_after_a_failure)
{
	for EACH_CHIP(c)
		for (uint32_t f = MODEL_SILENT; f <= MODEL_SPLIT_BAD; f <<= 1) {
			AUTO_BENCH b;
			uint16_t v = 0;

			if (f == MODEL_SPLIT)
				continue;
			set_up(&b, chips[c], f);
			b.m.fault_after = 1;
			WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e));
			b.m.pending[KNOB_CCM] = 1;
			FAILS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCD, &e), EC_IO);
			b.m.faults = 0;
			WORKS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e));
			EQ(v, 1);
		}
}

TEST(fsp_keeps_to_the_deadline)
{
	for EACH_CHIP(c) {
		AUTO_BENCH b;
		uint16_t v;

		set_up(&b, chips[c], MODEL_SILENT);
		b.h.deadline_ms = host_mono_ms() + 300;
		FAILS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e), EC_IO);
		OK(b.m.now_us < 2 * 1000000);
		b.h.deadline_ms = 1;
		b.f.ready = true;
		FAILS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e), EC_IO);
		OK(b.m.now_us < 2 * 1000000);
	}
}

TEST(fsp_needs_a_device_opened_for_writing)
{
	AUTO_BENCH b;
	uint16_t v;

	set_up(&b, CHIP_HOPPER, 0);
	mmio_close(&b.io);
	b.io = model_mmio(&b.m, false);
	FAILS(fsp_read_knob(&v, NULL, &b.f, KNOB_CCM, &e), EC_BUG);
	EQ(model_find(&b.m, 'w', 0x8f2ad0, 0), -1);
}

TEST(knob_names_are_those_people_know)
{
	STR(knob_name(KNOB_CCM), "enable");
	STR(knob_name(KNOB_CCD), "enable-devtools");
	STR(knob_name(KNOB_BAR0_ALLOW), "enable-bar0-filter-allow-inband-control");
	STR(knob_name(KNOB_PPCIE), "ppcie-enable");
	STR(knob_name((enum knob)47), "knob");
}
