/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs in every form.  The registers are what the log itself replays to, as an attacker's own machine would sign them, so that
 * everything behind the replay is reached; then one register is changed, and nothing may be accepted any more. */
#include <stdlib.h>
#include <string.h>

#include "evidence/checks.h"
#include "tee/eventlog_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static enum rule no_rule(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

static bool judged(const struct registers *regs, const struct expect *x)
{
	struct eventlog_subject *own = NULL;
	AUTO_JSON *list = json_array();
	AUTO_JSON *claims = json_object();
	struct tally t = { .list = list };
	struct stage st;
	bool holds;

	if (eventlog_stage(&st, &own, regs, x, NULL))
		return false;
	holds = checks_run(&t, st.checks, st.n_checks, st.subject, &st.x, no_rule, NULL);
	if (eventlog_claims(claims, own, NULL))
		abort();
	buf_free(&t.reason);
	eventlog_free(own);
	return holds;
}

static void own_registers(struct registers *regs, struct slice log, enum log_form form)
{
	struct log_events l = { 0 };
	struct reg_state st[LOG_REGS];
	char unused[2 * HASH_MAX + 1];

	if (!events_parse(&l, log, form, NULL, NULL) && !events_replay(st, &l, NULL, regs->alg, regs->cc, NULL, unused, NULL))
		for (size_t i = 0; i < LOG_REGS; i++) {
			regs->v[i].known = true;
			regs->v[i].n = hash_size(regs->alg);
			memcpy(regs->v[i].v, st[i].v, regs->v[i].n);
		}
	events_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char line[] = "root=/dev/vda1", digest[] = "00";
	static char *lines[] = { line }, *digests[] = { digest };
	const struct limits limits = { .kernel_cmdlines = { lines, 1 }, .boot_images = { digests, 1 }, .want_secure_boot = true, .init_data = { digests, 1 } };
	const struct limits none = { 0 };
	const struct slice log = slice_of(p, n);
	AUTO_JSON *j = json_object();
	struct slice used;

	if (eventlog_looks_like(log))
		eventlog_describe(j, log, NULL);
	if (!ccel_trim(&used, log, NULL) && used.n > n)
		abort();
	for (enum log_form form = 0; form < N_LOGS; form++) {
		struct registers regs = { .cc = form == LOG_CCEL, .alg = form == LOG_CCEL ? HASH_SHA384 : HASH_SHA256 };
		struct expect x = { .limits = &limits };

		own_registers(&regs, log, form);
		x.logs[form] = log;
		judged(&regs, &x);
		x.limits = &none;
		judged(&regs, &x);
		regs.v[regs.cc ? 2 : 3].v[0] ^= 1;
		regs.v[regs.cc ? 2 : 3].known = true;
		regs.v[regs.cc ? 2 : 3].n = hash_size(regs.alg);
		if (n && judged(&regs, &x))
			abort();
	}
	return 0;
}
