/* SPDX-License-Identifier: Apache-2.0 */
/* The event logs of the machine that this runs on (cpu-tee.md 5.1). */

#include <stdlib.h>

#include "tee/eventlog_int.h"

/* A CoCo agent may be told to write elsewhere. */
static const char *aael_path(void)
{
	const char *p = getenv("AAEL_PATH");

	return p && p[0] == '/' ? p : "/run/attestation-agent/eventlog";
}

static void take(struct buf *ret, const struct host *h, const char *const *paths, size_t n, enum log_form form)
{
	for (size_t i = 0; i < n && ret->n == 0; i++) {
		AUTO_BUF b = { .max = EVENTLOG_MAX + 1 };
		struct err e = { 0 };
		struct slice used;

		if (host_read(&b, h, paths[i], EVENTLOG_MAX, &e)) {
			host_log(h, LOG_INFO, "no %s event log: %s", log_form_names[form], e.msg);
			continue;
		}
		used = buf_view(&b);
		if (form == LOG_CCEL && b.n && ccel_trim(&used, used, &e)) {
			host_log(h, LOG_WARN, "event log '%s' is left out: %s", paths[i], e.msg);
			continue;
		}
		buf_slice(ret, used);
	}
}

int eventlog_collect(struct buf logs[static N_LOGS], const struct host *h, struct err *e)
{
	static const char *const ccel[] = { "/sys/firmware/acpi/tables/data/CCEL" };
	static const char *const tcg[] = { "/sys/kernel/security/tpm0/binary_bios_measurements" };
	static const char *const ima[] = { "/sys/kernel/security/ima/binary_runtime_measurements",
					   "/sys/kernel/security/integrity/ima/binary_runtime_measurements" };
	const char *const aael[] = { aael_path() };

	take(&logs[LOG_CCEL], h, ccel, 1, LOG_CCEL);
	take(&logs[LOG_TCG], h, tcg, 1, LOG_TCG);
	take(&logs[LOG_AAEL], h, aael, 1, LOG_AAEL);
	take(&logs[LOG_IMA], h, ima, 2, LOG_IMA);
	for (size_t i = 0; i < N_LOGS; i++)
		if (buf_check(&logs[i], e))
			return -1;
	return 0;
}
