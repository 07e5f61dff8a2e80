/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_MEASURE_PCR_H
#define CVMBOX_TEE_MEASURE_PCR_H

/* What a TPM (or RTMR2, with SHA-384) will be told about a unified kernel image, a kernel, its command line and its initrd, computed
 * beforehand (cpu-tee.md 5.4).  Digests of single events hold wherever the event occurs; the value of a whole PCR only where
 * everything that is extended into it is known, which is PCR 11 of systemd-stub. */

#include "codec/json.h"
#include "tee/measure.h"

#define PCR_PLAN_MAX 64

struct pcr_event {
	uint32_t pcr;
	char what[96];			/* for people: "section .linux, its content" */
	const char *form;		/* "image", "uki", "cmdline", "initrd": for choosing; static */
	uint8_t digest[HASH_MAX];	/* hash_size(alg) bytes */
};
struct pcr_plan {
	enum hash alg;
	struct pcr_event v[PCR_PLAN_MAX];	/* per PCR in the order in which they are extended */
	size_t n;
	bool uki;			/* PCR 11 is complete */
	struct buf cmdline;		/* text of .cmdline without the line feed and the NUL at its end; empty: none */
};
void pcr_plan_free(struct pcr_plan *p);
#define AUTO_PCR_PLAN __attribute__((cleanup(pcr_plan_free))) struct pcr_plan

/* All of these append to a plan whose alg is set.  EC_FORMAT: no PE image, or a broken one. */
int measure_uki(struct pcr_plan *p, const struct source *image, struct err *e);	/* PCR 4: the image and its kernel; PCR 11: sections */
bool is_uki(const struct source *image);					/* a PE with a .linux section */
int measure_kernel(struct pcr_plan *p, const struct source *image, struct err *e);	/* PCR 4 */
int measure_cmdline(struct pcr_plan *p, struct slice text, struct err *e);	/* PCR 8, 9 and 12, one event for each producer */
int measure_initrd(struct pcr_plan *p, const struct source *initrd, struct err *e);	/* PCR 9 */

/* PCR 11 from zero, after the sections and these boot phases of systemd-pcrphase, joined by ':' ("" is before all of them;
 * "enter-initrd:leave-initrd"). */
int pcr11_value(uint8_t *ret, const struct pcr_plan *p, const char *phases, struct err *e);

/* {"hash","events":[{"pcr","form","what","digest"}],"pcr11":{"phases":hex,..}} */
int pcr_plan_json(struct json *to, const struct pcr_plan *p, struct err *e);
/* The members of a policy that the plan gives: boot_images, kernel_cmdlines (where .cmdline is in the image), and pcr 11 after all phases. */
int pcr_plan_policy(struct json *to, const struct pcr_plan *p, struct err *e);

#endif
