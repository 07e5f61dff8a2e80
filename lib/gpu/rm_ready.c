/* SPDX-License-Identifier: Apache-2.0 */
/* See rm_ready.h.  Taking "ready" back is a fatal failure for the driver, after which it never becomes ready again until its module is loaded afresh:
 * so nothing here is retried, and nothing sent that is not needed. */
#include "gpu/rm_ready.h"

#include "gpu/rm_int.h"

#define CMD_SET_GPUS_STATE 0xcb330105
#define NAME "CONF_COMPUTE_SYSTEM_SET_GPUS_STATE"
enum { ST_INSUFFICIENT_PERMISSIONS = 0x1b };

static int refused(uint32_t status, struct err *e)
{
	if (status == ST_INVALID_ARGUMENT) {
		err_set(e, EC_REFUSED, NAME ": the driver does not change its ready state any more (status 0x%02x)", (unsigned)status);
		return err_hint(e, "it was taken back before, or failed: load the nvidia module afresh, then attest again");
	}
	rm_status_err(status, NAME, e);
	return status == ST_INSUFFICIENT_PERMISSIONS ? -1 : err_hint(e, "see 'dmesg | grep NVRM'; it was sent once and is not sent again");
}

int rm_set_ready(bool *changed, struct rm *rm, bool ready, struct err *e)
{
	uint8_t p[1] = { ready };
	struct rm_cc cc;
	uint32_t status;

	if (rm_cc(&cc, rm, e))
		return -1;
	if (!cc.known || (cc.feature == RM_CC_FEATURE_OFF && cc.multi_gpu == RM_CC_MULTI_NONE)) {
		err_set(e, EC_ABSENT, "confidential mode is off: there is no ready state to set");
		return err_hint(e, "without confidential mode a GPU accepts work anyway");
	}
	if (cc.ready == ready) {
		*changed = false;
		return 0;
	}
	if (rm_control(&status, rm, rm->cc, CMD_SET_GPUS_STATE, p, sizeof p, true, NAME, e))
		return -1;
	if (status != ST_OK)
		return refused(status, e);
	if (rm_cc(&cc, rm, e))
		return err_ctx(e, "the ready state was set, but cannot be read back");
	if (cc.ready != ready)
		return err_set(e, EC_REFUSED, "the driver took the ready state '%s' and still says '%s'", ready ? "ready" : "not ready",
			       cc.ready ? "ready" : "not ready");
	*changed = true;
	return 0;
}
