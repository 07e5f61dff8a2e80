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
/* Evidence of devices as Trustee's `additional_evidence`, appended: the text of {"nvidia":{"device_evidence_list":[..]}}, or nothing where there is
 * none.  gpus: see collect_gpu.h; nvswitch: as below, NULL where nobody can have made any. */
int collect_additional(struct buf *ret, const struct host *h, const char *gpus, const struct slice *nvswitch, struct slice report_data,
		       struct json *facts, struct err *e);

struct collect_opts {
	const char *tee;		/* "none": devices alone */
	const char *gpus;		/* see collect_gpu.h */
	struct slice nvswitch;		/* evidence of NVSwitches, made for the nonce that the GPUs' reports have here; empty: none */
	struct slice nonce, runtime_data;
	struct collect_how how;		/* all zero: the defaults */
	struct json *facts;		/* what was collected, for --json; may be NULL */
};
/* A whole bundle (interface.md 5), pretty JSON, appended. nonce 8..64 bytes; runtime_data may be empty. */
int collect_bundle(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e);
/* Trustee's form, one line.  Without devices the CPU's evidence, whose report data is the nonce itself.  With them
 * {"primary_evidence":..,"additional_evidence":TEXT}, bound as in its key broker protocol but for the key: with H = SHA-384 over the RFC 8785 form,
 * the devices' report data is H({"nonce":HEX}), the CPU's is H({"additional-evidence":TEXT,"nonce":HEX}). */
int collect_trustee(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e);
/* nvattest's evidence file: devices alone; the nonce is theirs, 32 bytes. */
int collect_nvattest(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e);

#endif
