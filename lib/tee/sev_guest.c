/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/sev-guest: see sev_guest.h.
 *
 * The first request asks for the certificates with the most room that the kernel allows, so that the usual case is one request:
 * a probe of the size would be a second one, and hosts throttle. */

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "base/cursor.h"
#include "tee/device.h"
#include "tee/sev_guest.h"
#include "tee/snp.h"
#include "tee/uapi.h"

#define BUSY_TRIES 8
#define GAP_MS 2000		/* the least gap between requests that hosts do not throttle */

struct call {
	struct sev_request_ioctl io;
	struct sev_ext_report_request ask;
	uint8_t answer[SEV_RESPONSE_SIZE];
	uint8_t certs[SEV_CERTS_MAX];
};

static int issue(struct call *c, struct device *d, const uint8_t data[static 64], unsigned vmpl, bool with_certs, size_t room)
{
	const struct device_part parts[] = {
		{ &c->io, sizeof c->io, 0, 0 },
		{ &c->ask, with_certs ? sizeof c->ask : sizeof c->ask.report, 0, offsetof(struct sev_request_ioctl, request) },
		{ c->answer, sizeof c->answer, 0, offsetof(struct sev_request_ioctl, response) },
		{ c->certs, room, 1, offsetof(struct sev_ext_report_request, certs) },
	};

	memset(c, 0, sizeof *c);
	c->io.msg_version = 1;
	memcpy(c->ask.report.user_data, data, 64);
	c->ask.report.vmpl = vmpl;
	c->ask.certs_len = (uint32_t)room;
	return device_call(d, with_certs ? SEV_GET_EXT_REPORT : SEV_GET_REPORT, parts, with_certs ? 4 : 3);
}

static int fail(int why, const struct call *c, struct err *e)
{
	errno = why;
	if (why == ENOSYS)
		return err_set(e, EC_IO, "'" SEV_GUEST_NODE "': the recording does not hold this request");
	err_sys(e, EC_IO, "'" SEV_GUEST_NODE "': no report (firmware error 0x%x, host error 0x%x)", c->io.fw_error, c->io.vmm_error);
	if (why == ENOTTY)
		return err_hint(e, "the kernel has wiped this guest's message key (VMPCK) after a failed request: only a reboot "
				   "brings reports back");
	if (c->io.vmm_error == SEV_VMM_BUSY)
		return err_hint(e, "the host throttles report requests: try again later");
	if (why == EBADMSG)
		return err_hint(e, "the firmware's answer was changed on its way, or made with another key: the kernel has wiped its "
				   "message key (VMPCK) now, and only a reboot brings reports back");
	return err_hint(e, "the request failed on its way through the host: the kernel has wiped its message key (VMPCK), further "
			   "requests give ENOTTY until the guest reboots");
}

static int wait_gap(const struct host *h, struct err *e)
{
	const int64_t wait = h->simulated ? 10 : GAP_MS;
	struct timespec t = { .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000 };

	if (host_left_ms(h, wait) < wait)
		return err_set(e, EC_IO, "'" SEV_GUEST_NODE "': the host is busy, and no time is left to ask again");
	while (nanosleep(&t, &t) && errno == EINTR)
		;
	return 0;
}

/* Asks until there is an answer that asking again would not change.  On return 0 the answer is in c, certificates in the first
 * *room bytes. */
static int ask(struct call *c, size_t *room, struct device *d, const struct host *h, const uint8_t data[static 64], unsigned vmpl,
	       struct err *e)
{
	bool with_certs = true;
	unsigned busy = 0;

	*room = SEV_CERTS_MAX;
	for (unsigned resized = 0;;) {
		const int why = issue(c, d, data, vmpl, with_certs, *room);

		if (!why)
			return 0;
		if (with_certs && why == EIO && c->io.vmm_error == SEV_VMM_INVALID_LENGTH && resized++ < 2) {
			const uint32_t need = c->ask.certs_len;

			with_certs = need > 0 && need <= SEV_CERTS_MAX && need % 4096 == 0 && need != *room;
			*room = with_certs ? need : 0;
			if (!with_certs)
				host_log(h, LOG_WARN, "no certificate table: the host wants room for %u bytes, the kernel gives %u", need,
					 (unsigned)SEV_CERTS_MAX);
		} else if (why != ENOTTY && c->io.vmm_error == SEV_VMM_BUSY && ++busy < BUSY_TRIES) {
			host_log(h, LOG_INFO, "the host is busy, waiting");
		} else {
			return fail(why, c, e);
		}
		if (wait_gap(h, e))
			return -1;
	}
}

/* The firmware's own answer: status u32, size u32, 24 reserved, the report. */
static int take_report(struct buf *ret, const struct call *c, unsigned vmpl, struct err *e)
{
	struct rd r = rd_of(slice_of(c->answer, sizeof c->answer));
	const uint32_t status = rd_le32(&r), size = rd_le32(&r);
	struct slice report;

	rd_skip(&r, 24);
	report = rd_take(&r, size);
	if (status == SEV_STATUS_INVALID_PARAM) {
		err_set(e, EC_ABSENT, "the firmware refuses a report for VMPL %u (invalid parameter)", vmpl);
		return err_hint(e, "a guest can ask for reports of its own level and those below: try --vmpl %u", vmpl + 1);
	}
	if (status != SEV_STATUS_OK)
		return err_set(e, EC_IO, "the firmware answered status 0x%x%s", status,
			       status == SEV_STATUS_INVALID_KEY ? " (invalid key selection)" : "");
	if (r.bad || size < SNP_REPORT_SIZE)
		return err_set(e, EC_FORMAT, "the firmware's report has %u bytes, wanted %d", size, SNP_REPORT_SIZE);
	buf_slice(ret, slice_of(report.p, SNP_REPORT_SIZE));
	return buf_check(ret, e);
}

/* Whole pages come back; those behind the table are zero, and a host without certificates gives zeros only. */
static int take_certs(struct buf *ret, const struct call *c, size_t room, struct err *e)
{
	static const uint8_t zeros[4096];

	while (room >= sizeof zeros && !memcmp(c->certs + room - sizeof zeros, zeros, sizeof zeros))
		room -= sizeof zeros;
	buf_put(ret, c->certs, room);
	return buf_check(ret, e);
}

int sev_guest_report(struct buf *report, struct buf *certs, const struct host *h, const uint8_t data[static 64], unsigned vmpl,
		     struct err *e)
{
	AUTO_BUF mem = { 0 }, table = { 0 };
	AUTO_DEVICE d = DEVICE_NONE;
	struct call *c = (struct call *)(void *)buf_grow(&mem, sizeof *c);
	size_t room;

	if (!c)
		return buf_check(&mem, e);
	if (device_open(&d, h, SEV_GUEST_NODE, e) || ask(c, &room, &d, h, data, vmpl, e) || take_certs(&table, c, room, e) ||
	    take_report(report, c, vmpl, e))
		return -1;
	buf_move(certs, &table);
	return 0;
}
