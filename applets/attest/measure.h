/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_APPLETS_ATTEST_MEASURE_H
#define CVMBOX_APPLETS_ATTEST_MEASURE_H

/* What the targets of `attest measure` share: options, files that are hashed and not loaded, and the list of computed values. */

#include "base/applet.h"
#include "codec/json.h"
#include "tee/measure.h"

struct measure_args {
	const char *ovmf, *kernel, *initrd, *append, *fragment;
	struct opt_list features;
	uint64_t vcpus, family, model, stepping, vars_size, memory;
	const char *vcpu_type, *vcpu_sig, *ovmf_hash, *svsm, *vars_file;
	const char *acpi_loader, *acpi_rsdp, *acpi_tables;
	const char *uki, *initdata;
	int hash;
	int vmm, page_order, kernel_header, initrd_word, separator, format;
	bool force;
};

struct input {			/* a regular file, open; fd -1: none */
	int fd;
	const char *name;
	struct source src;
};
#define INPUT_NONE { .fd = -1 }
#define AUTO_INPUT __attribute__((cleanup(input_close))) struct input
/* name NULL: stays closed.  The input must not move while its source is used. */
int input_open(struct input *ret, const char *name, struct err *e);
void input_close(struct input *i);

/* Values, each of one register: "measurement" (SNP), "mrtd", "rtmr0".., "pcr0".., "init_data".  A register may have several: any of
 * them is acceptable, and 'when' says when it comes out. */
#define VALUES_MAX 256
struct values {
	struct value {
		char reg[16], when[160];
		uint8_t v[HASH_MAX];
		size_t n;
	} v[VALUES_MAX];
	size_t n;
	struct json *missing;	/* array of {register, why} */
	struct json *lines;	/* for people only: array of {name, value, what} */
	struct json *policy;	/* NULL: it is made of v */
	struct json *notes;	/* array of texts */
};
/* A value that stands there already (the forms do not differ here) is not added again. */
int values_add(struct values *to, const char *reg, const uint8_t *v, size_t n, struct err *e, const char *when, ...) PRINTF(6, 7);
void values_missing(struct values *to, const char *reg, const char *why);
void values_event(struct values *to, uint32_t pcr, const uint8_t *digest, size_t n, const char *what);	/* one that is not all of a PCR */
void values_line(struct values *to, const char *name, const char *value, const char *what);
void values_note(struct values *to, const char *note);

/* The targets.  inputs: what was put in, for the result. */
typedef int measure_target(struct values *ret, struct json *inputs, const struct measure_args *a, struct err *e);
measure_target measure_snp, measure_snp_firmware, measure_tdx, measure_pcr, measure_initdata;

#endif
