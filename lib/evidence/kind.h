/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_EVIDENCE_KIND_H
#define CVMBOX_EVIDENCE_KIND_H

/* One kind of evidence is one const struct, listed in attest/kinds.c.  The upper half reads devices and never
 * judges; the lower half judges bytes
 * and never touches a device. */

#include "base/host.h"
#include "codec/json.h"
#include "evidence/checks.h"

#define EVIDENCE_MAX ((size_t)4 << 20)	/* one piece of evidence, raw */

/* How to ask, where the default will not do.  All zero: the defaults. */
struct collect_how {
	bool has_vmpl;
	unsigned vmpl;			/* SNP: the privilege level that the report is for */
	bool svsm;			/* SNP: with the manifest of SVSM services */
	const char *svsm_service;	/* GUID of one; NULL: all */
	bool has_manifest_version;
	uint64_t manifest_version;
	uint32_t pcrs;			/* TPM: bit n selects PCR n; 0: the kind's own choice */
	const char *pcr_bank;		/* TPM: "sha256", ..; NULL: the kind's own choice */
	const char *gpus;		/* nvgpu: BDFs with commas; NULL: every GPU of this machine */
	bool has_switches;		/* nvgpu: evidence of this machine's NVSwitches comes from elsewhere */
};

struct evidence {		/* as the hardware gave it */
	const struct collect_how *how;	/* set by the caller before collect; NULL: the defaults */
	struct buf raw;		/* report, quote, token; for composite kinds (Azure, TPM) Trustee's evidence JSON */
	struct buf certs;	/* certificate table that came along (SNP auxblob); may be empty */
	struct buf manifest;	/* SVSM service manifest; may be empty */
	struct buf logs[N_LOGS];	/* by enum log_form; may be empty */
};
#define AUTO_EVIDENCE __attribute__((cleanup(evidence_free))) struct evidence
void evidence_free(struct evidence *ev);

struct stage {
	const struct check *checks;
	size_t n_checks;
	void *subject;
	struct expect x;
	bool held, warned;		/* after the appraisal */
	const char *object;		/* whose checks these are, where several have the same: "GPU-0"; NULL.  Belongs to the subject */
};
#define STAGES_MAX 40
struct stages {
	struct stage v[STAGES_MAX];
	size_t n;
};

/* Values that a policy lists are one maker's; evidence that has none of them would be asked nothing. */
enum policy_values { OF_SNP = 1, OF_TDX = 2, OF_TPM = 4, OF_CCA = 8, OF_NV = 16 };

struct evidence_kind {
	const char *name;	/* as typed by users and written in JSON: "snp" */
	const char *title;	/* for people: "AMD SEV-SNP" */

	/* Evidence whose report data is rd (at most 64 bytes, zero padded on the right). */
	int (*collect)(struct evidence *ret, const struct host *h, struct slice rd, struct err *e);
	/* The same as Trustee's evidence JSON (key-broker.md 2). */
	int (*to_trustee)(struct json **ret, const struct evidence *ev, struct err *e);

	bool (*recognise)(struct slice raw);		/* content looks like this kind, whole or cut; NULL: it comes as JSON only */
	bool (*recognise_json)(const struct json *j);	/* likewise, of JSON: members that no other kind has (key-broker.md 2) */
	int (*parse)(void **ret, struct slice raw, struct slice certs, struct err *e);	/* raw: any raw form, Trustee's JSON too */
	void (*drop)(void *parsed);
	int (*claims)(struct json *to, const void *parsed, struct err *e);	/* Trustee's claim names */
	int (*details)(struct json *to, const void *parsed, struct err *e);	/* everything, for `attest show` */
	const char *measured;	/* where its claims hold the launch measurement (hex), as a JSON pointer; NULL: nowhere */
	unsigned values;	/* whose values a policy may list for it: of enum policy_values; 0: a check of its own guards it */
	bool has_log;		/* one of its stages holds event logs against registers that the evidence vouches for */
	/* Not a confidential machine of its own but devices in one: comes beside a TEE's evidence.  Several pieces become one. */
	int (*join)(struct buf *ret, const struct slice *raw, size_t n, struct err *e);
	const struct check *checks;
	size_t n_checks;
	/* Kinds made of others (Azure: an SNP report, a TPM quote, an event log): the lists of checks to run, one after the
	 * other, each on its own subject with its own expectations.  All have to hold.  NULL: `checks` on `parsed` is the
	 * only stage.  Subjects belong to parsed.  -1: out of memory and the like. */
	int (*stages)(struct stages *ret, void *parsed, const struct expect *x, struct err *e);
};

#endif
