/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_TPM_INT_H
#define CVMBOX_TEE_TPM_INT_H

/* One command and its response, between the files that talk to a TPM. */

#include "base/cursor.h"
#include "tee/tpm.h"

struct tpm_call {
	const char *name;		/* "TPM2_Quote" */
	bool sessions;
	struct buf out, in;		/* whole command, whole response */
	struct rd r;			/* response, behind its header */
};
#define AUTO_CALL __attribute__((cleanup(tpm_call_free))) struct tpm_call
void tpm_call_free(struct tpm_call *c);
void tpm_call_begin(struct tpm_call *c, const char *name, uint32_t code, bool sessions);
void tpm_call_password(struct tpm_call *c);	/* the authorisation area of an empty password, behind the handles */
void tpm_call_sized(struct tpm_call *c, struct slice bytes);	/* u16 length and bytes */
/* Sends it; 0: the TPM said success, and c->r stands at the response's handles (parameters where there are none). */
int tpm_call_run(struct tpm_call *c, struct tpm *t, struct err *e);
/* Behind the handles: the parameters of a response to a command with sessions; the session area is left out. */
struct rd tpm_call_params(struct tpm_call *c);
int tpm_call_short(const struct tpm_call *c, struct err *e);	/* -1: the response ends too early, or is not as it should be */

int tpm_rc_set(struct err *e, const char *command, uint32_t rc);	/* always -1: what the TPM said, in words, with a hint */
bool tpm_rc_retry(uint32_t rc);

#endif
