/* SPDX-License-Identifier: Apache-2.0 */
/* The one command that sets something in the driver: sent once where it is wanted, and nowhere else. */
#include "gpu/rm_ready.h"

#include "gpu_sim.h"
#include "test.h"

#define SET_STATE 0xcb330105

static unsigned times_sent(const struct sim *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_log; i++)
		n += s->log[i] == SET_STATE;
	return n;
}

static int set(struct sim *s, bool *changed, bool ready, struct err *e)
{
	const struct rm_port p = sim_port(s);
	AUTO_RM *rm = NULL;
	struct rm_gpu g;

	return rm_open_port(&rm, &p, NULL, e) || rm_attach(&g, rm, rm_card_at(rm, 0), e) ? -1 : rm_set_ready(changed, rm, ready, e);
}

TEST(ready_is_set_once_and_read_back)
{
	struct sim s = sim_h100();
	bool changed = false;

	sim_confidential(&s, 1);
	s.ready = 0;
	WORKS(set(&s, &changed, true, &e));
	OK(changed);
	EQ(s.ready, 1);
	EQ(times_sent(&s), 1);
	WORKS(set(&s, &changed, true, &e));
	OK(!changed);
	EQ(times_sent(&s), 1);
}

TEST(ready_is_not_sent_where_confidential_mode_is_off)
{
	struct sim s = sim_h100();
	struct err e = { 0 };
	bool changed;

	EQ(set(&s, &changed, true, &e), -1);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "confidential mode is off");
	s.no_cc_class = true;
	FAILS(set(&s, &changed, true, &e), EC_ABSENT);
	EQ(times_sent(&s), 0);
}

TEST(ready_taken_back_never_comes_again)
{
	struct sim s = sim_h100();
	struct err e = { 0 };
	bool changed;

	sim_confidential(&s, 1);
	s.ready = 1;
	WORKS(set(&s, &changed, false, &e));
	OK(changed);
	EQ(s.ready, 0);
	EQ(set(&s, &changed, true, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "does not change its ready state any more");
	HAS(e.hint, "load the nvidia module afresh");
	EQ(times_sent(&s), 2);
}

TEST(ready_failures_are_said_and_not_repeated)
{
	struct sim s = sim_h100();
	struct err e = { 0 };
	bool changed;

	sim_confidential(&s, 1);
	s.ready = 0;
	s.not_root = true;
	EQ(set(&s, &changed, true, &e), -1);
	EQ(e.code, EC_IO);
	HAS(e.hint, "run as root");
	s.not_root = false;
	s.ready_stuck = true;
	EQ(set(&s, &changed, true, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "took the ready state 'ready' and still says 'not ready'");
	EQ(times_sent(&s), 2);
	s.fault[0] = (struct sim_fault){ .cmd = SET_STATE, .status = 0x03, .times = 9 };
	EQ(set(&s, &changed, true, &e), -1);
	HAS(e.msg, "busy");
	EQ(times_sent(&s), 3);
	s.fault[0] = (struct sim_fault){ .cmd = SET_STATE, .error = 5, .times = 9 };
	FAILS(set(&s, &changed, true, &e), EC_IO);
	EQ(times_sent(&s), 4);
	EQ(s.ready, 0);
}
