/* SPDX-License-Identifier: Apache-2.0 */
/* A TD's own view of itself: see tdx_guest.h. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cursor.h"
#include "tee/device.h"
#include "tee/tdx_guest.h"
#include "tee/uapi.h"

#define MEASUREMENTS "/sys/class/misc/tdx_guest/measurements/"

int tdx_guest_report(uint8_t ret[static TDREPORT_SIZE], const struct host *h, const uint8_t data[static 64], struct err *e)
{
	AUTO_DEVICE d = DEVICE_NONE;
	struct tdx_report_request q = { 0 };
	const struct device_part part = { &q, sizeof q, 0, 0 };
	int why;

	if (device_open(&d, h, TDX_GUEST_NODE, e))
		return -1;
	memcpy(q.report_data, data, sizeof q.report_data);
	why = device_call(&d, TDX_GET_REPORT0, &part, 1);
	if (why == ENOSYS && d.recorded)
		return err_set(e, EC_IO, "'" TDX_GUEST_NODE "': the recording does not hold this request");
	errno = why;
	if (why)
		return err_sys(e, EC_IO, "'" TDX_GUEST_NODE "': the TDX module gave no TDREPORT");
	if (memcmp(q.report + 128, data, 64))
		return err_set(e, EC_IO, "'" TDX_GUEST_NODE "': the TDREPORT holds other report data than was asked for");
	memcpy(ret, q.report, sizeof q.report);
	return 0;
}

static void read_register(size_t *n, uint8_t v[static 48], const struct host *h, const char *name)
{
	AUTO_BUF b = { 0 };
	struct err e = { 0 };
	char path[96];

	*n = 0;
	snprintf(path, sizeof path, MEASUREMENTS "%s:sha384", name);
	if (host_read(&b, h, path, 4096, &e)) {
		if (e.code != EC_ABSENT)
			host_log(h, LOG_WARN, "cannot read %s: %s", name, e.msg);
		return;
	}
	if (b.n != 48) {
		host_log(h, LOG_WARN, "'%s' has %zu bytes, wanted 48", path, b.n);
		return;
	}
	memcpy(v, b.p, 48);
	*n = 48;
}

void tdx_registers_read(struct tdx_registers *ret, const struct host *h)
{
	memset(ret, 0, sizeof *ret);
	read_register(&ret->mrtd.n, ret->mrtd.v, h, "mrtd");
	for (int i = 0; i < 4; i++) {
		const char name[] = { 'r', 't', 'm', 'r', (char)('0' + i), 0 };

		read_register(&ret->rtmr[i].n, ret->rtmr[i].v, h, name);
	}
}

static bool differs(size_t n, const uint8_t *v, struct slice body, size_t at)
{
	return n == 0 || memcmp(v, body.p + at, 48);
}

int tdx_registers_agree(const struct tdx_registers *before, const struct tdx_registers *after, struct slice body, struct err *e)
{
	if (body.n < 520)
		return err_set(e, EC_FORMAT, "quote body of %zu bytes, wanted at least 584", body.n);
	if (after->mrtd.n && differs(after->mrtd.n, after->mrtd.v, body, 136))
		return err_set(e, EC_IO, "MRTD of the quote is not the one that the kernel shows in sysfs");
	for (size_t i = 0; i < 4; i++)
		if (after->rtmr[i].n && differs(after->rtmr[i].n, after->rtmr[i].v, body, 328 + 48 * i) &&
		    differs(before->rtmr[i].n, before->rtmr[i].v, body, 328 + 48 * i)) {
			err_set(e, EC_IO, "RTMR%zu of the quote is not the one that the kernel shows in sysfs", i);
			return err_hint(e, "the quote is of another guest, or something extended the register twice meanwhile: collect again");
		}
	return 0;
}
