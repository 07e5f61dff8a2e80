/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TDX_TCB_H
#define CVMBOX_TEE_TDX_TCB_H

/* Intel's documents about patch levels, TCB info v3 and QE identity v2 (cpu-tee.md 4.5), and what they make of a machine
 * (4.6, 8 to 13). */

#include "codec/json.h"
#include "tee/tdx_pck.h"

#define TCB_DOCUMENT_MAX ((size_t)256 << 10)	/* real ones are 6 KiB */

enum tcb_status {		/* order of no meaning */
	TCB_STATUS_NONE,
	TCB_UP_TO_DATE, TCB_SW_HARDENING, TCB_CONFIGURATION, TCB_CONFIGURATION_SW, TCB_OUT_OF_DATE, TCB_OUT_OF_DATE_CONFIGURATION,
	TCB_REVOKED,
	TCB_NOT_SUPPORTED, TCB_RELAUNCH, TCB_RELAUNCH_CONFIGURATION,	/* computed, never in a document */
	N_TCB_STATUS
};
const char *tcb_status_name(enum tcb_status s);		/* "UpToDate", as Intel writes it */

#define TCB_ADVISORIES_MAX 200
struct tcb_state {		/* what a level says */
	enum tcb_status status;
	int64_t date;		/* tcbDate */
	const struct json *advisories;	/* array of at most that many strings, or NULL; points into the document */
};
struct tcb_level {		/* of a platform */
	uint8_t sgx[16], tdx[16];
	uint16_t pcesvn;
	struct tcb_state state;
};
struct svn_level {		/* of the TDX module and the quoting enclave */
	uint16_t isvsvn;
	struct tcb_state state;
};
#define SVN_LEVELS_MAX 64
struct svn_levels {		/* highest first */
	struct svn_level *v;
	size_t n;
};
struct tdx_module {
	char id[8];		/* "TDX_01", upper case; "" for tdxModule, which has no levels */
	uint8_t mrsigner[48], attributes[8], mask[8];
	struct svn_levels levels;
};

struct tcb_signed {		/* a signed document, cut but not verified; owns its bytes */
	struct buf text;	/* as received */
	struct slice body;	/* exactly the bytes that are signed; into text */
	uint8_t signature[64];	/* r||s */
	struct json *json;	/* of the body alone */
	int64_t issued, next_update;
	uint64_t evaluation;	/* tcbEvaluationDataNumber */
};
#define TCB_LEVELS_MAX 256
#define TDX_MODULES_MAX 16
struct tdx_tcb_info {
	struct tcb_signed doc;
	uint8_t fmspc[6], pceid[2];
	struct tdx_module module;		/* for modules of major version 0 */
	struct tdx_module modules[TDX_MODULES_MAX];
	size_t n_modules;
	struct tcb_level *levels;		/* best first */
	size_t n_levels;
};
struct tdx_qe_identity {
	struct tcb_signed doc;
	uint8_t miscselect[4], miscselect_mask[4], attributes[16], attributes_mask[16], mrsigner[32];
	uint16_t isvprodid;
	struct svn_levels levels;
};
void tdx_tcb_info_free(struct tdx_tcb_info *t);		/* may run twice */
void tdx_qe_identity_free(struct tdx_qe_identity *q);

/* Both as received: {"tcbInfo":{..},"signature":"128 hex digits"}.  Read from the very bytes that are signed.  EC_FORMAT: also another id
 * ("SGX", "QE"), another version, a status that Intel has not defined, a member given twice. */
int tdx_tcb_info_parse(struct tdx_tcb_info *ret, struct slice text, struct err *e);
int tdx_qe_identity_parse(struct tdx_qe_identity *ret, struct slice text, struct err *e);
int tcb_signed_by(const struct tcb_signed *d, const struct cert *signer, struct err *e);	/* EC_REFUSED */
/* issued <= now <= next_update; too early and too late have distinct texts.  what: "TCB info".  EC_REFUSED. */
int tcb_signed_dates(const struct tcb_signed *d, const char *what, int64_t now, struct err *e);

/* --- what they say about a machine ----------------------------------------------------------------------- */

/* The identity of the module that runs with these SVNs; NULL: the document knows none of that major version. */
const struct tdx_module *tdx_module_of(const struct tdx_tcb_info *t, const uint8_t svn[static 16]);
const struct svn_level *svn_level_of(const struct svn_levels *l, uint32_t svn);	/* NULL: below the lowest */

struct tcb_verdict {
	enum tcb_status status;			/* everything together */
	int64_t date;				/* the oldest of the parts that have a level */
	const char *advisories[5 * TCB_ADVISORIES_MAX];	/* union, in order of appearance; into the documents */
	size_t n_advisories;
	const struct tcb_level *platform, *platform_now;	/* matched; NULL: none.  now: with the module that runs now */
	const struct svn_level *module, *module_now, *qe;	/* NULL also where there is nothing to match */
	enum tcb_status launch, current;	/* of either; current is TCB_STATUS_NONE unless there are two sets of SVNs */
};
/* now: tee_tcb_svn2 of TDX 1.5 bodies, or NULL.  id may be NULL: then the quoting enclave does not count. */
void tdx_tcb_appraise(struct tcb_verdict *ret, const struct tdx_tcb_info *t, const struct tdx_qe_identity *id, const struct tdx_pck *pck,
		      const uint8_t launch[static 16], const uint8_t *now, uint16_t qe_isvsvn);
/* One status folded into another (4.6, step 12). */
enum tcb_status tcb_converge(enum tcb_status with, enum tcb_status other);

#endif
