/* SPDX-License-Identifier: Apache-2.0 */
/* How one call is made and what its outcome is called. */
#include "gpu/rm_int.h"

#include <errno.h>

enum { CONTROL_SIZE = 32, ALLOC_SIZE = 48 };

/* --- status codes (spec 1.7) ---------------------------------------------------------------------------- */

static const struct {
	uint32_t status;
	const char *text, *hint;
} statuses[] = {
	{ 0x00, "ok", NULL },
	{ 0x02, "buffer too small", "this driver branch uses another size; report its version" },
	{ 0x03, "busy", "try again in a moment" },
	{ 0x0f, "the GPU is lost", "it fell off the bus or hit a secure fault: it has to be reset from the host" },
	{ 0x1b, "insufficient permissions", "run as root" },
	{ 0x1f, "invalid argument", "this driver branch uses another size; report its version" },
	{ 0x22, "no such class", "this driver has no confidential-compute support" },
	{ 0x23, "no such client", NULL },
	{ 0x33, "no such object handle", NULL },
	{ 0x40, "invalid state", NULL },
	{ 0x51, "out of memory", NULL },
	{ 0x55, "not ready", "the GPU has no SPDM session: it is not fully initialised; see 'dmesg | grep NVRM'" },
	{ 0x56, "not supported", "this driver branch does not know the command" },
	{ 0x57, "object not found", NULL },
	{ 0x62, "reset required", "reset the GPU from the host" },
	{ 0x65, "timed out", "see 'dmesg | grep NVRM'" },
	{ 0x7d, "key rotation in progress", "try again in a moment" },
	{ 0xffff, "generic failure", "see 'dmesg | grep NVRM'" },
};

static const char *status_hint(uint32_t status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i].status == status)
			return statuses[i].hint;
	return NULL;
}

const char *rm_status_text(uint32_t status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "unnamed status";
}

int rm_status_err(uint32_t status, const char *what, struct err *e)
{
	err_set(e, EC_IO, "%s: %s (status 0x%02x)", what, rm_status_text(status), (unsigned)status);
	if (status_hint(status))
		err_hint(e, "%s", status_hint(status));
	return -1;
}

/* --- calls ------------------------------------------------------------------------------------------------- */

void rm_put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

int rm_call(struct rm *rm, struct rm_msg *m, const char *what, struct err *e)
{
	int error;

	if (rm->h && rm->h->deadline_ms && host_left_ms(rm->h, 1) <= 0)
		return err_set(e, EC_IO, "%s: no time left of --timeout", what);
	error = rm->port.call(rm->port.arg, rm->ctl, m);
	if (rm->h && (error || m->nr != RM_NR_CONTROL))
		host_log(rm->h, LOG_DEBUG, "nvidia ioctl 0x%02x of %zu bytes: %s", m->nr, m->n, error ? strerror(error) : "done");
	if (!error)
		return 0;
	err_set(e, EC_IO, "%s: %s (ioctl 0x%02x of %zu bytes)", what, strerror(error), m->nr, m->n);
	if (error == EINVAL)
		return err_hint(e, "this driver branch uses another layout; report its version");
	if (error == EPERM || error == EACCES)
		return err_hint(e, "run as root, or check the container's device rules");
	return -1;
}

int rm_alloc(uint32_t *ret, struct rm *rm, uint32_t root, uint32_t parent, uint32_t class, uint8_t *params, size_t n, uint32_t *status,
	     const char *what, struct err *e)
{
	uint8_t s[ALLOC_SIZE] = { 0 };
	struct rm_msg m = { .nr = RM_NR_ALLOC, .s = s, .n = sizeof s, .pointer_at = 16, .params = params, .params_size = n };

	rm_put32(s, root);
	rm_put32(s + 4, parent);
	rm_put32(s + 12, class);
	rm_put32(s + 32, (uint32_t)n);
	if (rm_call(rm, &m, what, e))
		return -1;
	*status = get_le32(s + 40);
	if (*status)
		return rm_status_err(*status, what, e);
	if (!get_le32(s + 8))
		return err_set(e, EC_IO, "%s: the driver gave no handle", what);
	*ret = get_le32(s + 8);
	return 0;
}


int rm_control(uint32_t *status, struct rm *rm, uint32_t object, uint32_t cmd, uint8_t *p, size_t n, bool once, const char *name, struct err *e)
{
	uint8_t s[CONTROL_SIZE] = { 0 };
	struct rm_msg m = { .nr = RM_NR_CONTROL, .s = s, .n = sizeof s, .pointer_at = 16, .params = p, .params_size = n, .once = once };

	rm_put32(s, rm->root);
	rm_put32(s + 4, object);
	rm_put32(s + 8, cmd);
	rm_put32(s + 24, (uint32_t)n);
	if (rm_call(rm, &m, name, e))
		return -1;
	*status = get_le32(s + 28);
	if (rm->h)
		host_log(rm->h, LOG_DEBUG, "nvidia command 0x%08x of %zu bytes, %s: %s", (unsigned)cmd, n, name, rm_status_text(*status));
	return 0;
}
