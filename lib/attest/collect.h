/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_COLLECT_H
#define CVMBOX_ATTEST_COLLECT_H

/* Evidence of this machine.  The collector never judges. */

#include "base/host.h"
#include "codec/json.h"
#include "evidence/kind.h"

/* The TEE to use: "auto" or NULL asks detect (never answers sample).  ret: static name ("snp", "tdx", "sample"). 
 * EC_ABSENT lists what was looked for. */
int collect_pick(const char **ret, const struct host *h, const char *tee, struct err *e);
/* One hardware report (or sample evidence) whose report data is the given 0..64 bytes, zero padded on the right, in
 * Trustee's evidence JSON (key-broker.md 2): for RCAR. */
int collect_evidence(struct json **ret, const struct host *h, const char *tee, struct slice report_data, struct err *e);
/* A whole bundle (interface.md 5), pretty JSON, appended. nonce 8..64 bytes; runtime_data may be empty. */
struct collect_opts {
	const char *tee;
	struct slice nonce, runtime_data;
	struct collect_how how;		/* all zero: the defaults */
};
int collect_bundle(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e);

#endif
