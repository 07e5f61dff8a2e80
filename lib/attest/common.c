/* SPDX-License-Identifier: Apache-2.0 */
/* Checks common to all kinds: see common.h. */

#include "attest/common.h"
#include "attest/kinds.h"

/* --- whom a policy speaks of ------------------------------------------------------------------------------------ */

static bool any_of(const struct texts *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (l[i].n)
			return true;
	return false;
}

/* Makers whose values the policy lists.  What all kinds have (measurements, init data) and what is a floor tells nothing. */
static unsigned spoken_of(const struct limits *l)
{
	unsigned of = 0;

	if (l->chip_ids.n || l->host_data.n || l->family_ids.n || l->image_ids.n || l->id_keys.n || l->author_keys.n)
		of |= OF_SNP;
	if (l->mr_seam.n || l->mr_config_id.n || l->mr_owner.n || l->mr_owner_config.n || l->fmspc.n || l->ppid.n || l->xfam.n || any_of(l->rtmr, 4))
		of |= OF_TDX;
	if (any_of(l->pcr, LIMIT_PCRS) || l->ak_keys.n)
		of |= OF_TPM;
	if (l->implementation_ids.n || l->instance_ids.n || l->realm_pvs.n || any_of(l->rem, 4))
		of |= OF_CCA;
	return of;
}

static bool speaks_of_gpus(const struct limits *l)
{
	return l->gpu_count || l->gpu_modes.n || l->gpu_drivers.n || l->gpu_vbios.n || l->min_gpu_driver[0] || l->min_gpu_vbios[0] || l->gpu_claims ||
	       any_of(l->gpu_measurements, LIMIT_GPU_INDEXES);
}

static bool speaks_of_switches(const struct limits *l)
{
	return l->switch_bios.n || l->switch_claims;
}

static enum outcome check_alone(const struct common_subject *s, struct finding *f)
{
	buf_puts(&f->hint, "devices alone prove nothing about the machine that they are in");
	if (s->alone)
		buf_puts(&f->hint, ": name their kind in the policy's kinds where that is enough");
	return s->alone ? FAILED : s->bundled ? WARNED : PASSED;	/* a bundle is about a machine: its evidence may have been taken out */
}

/* Who lists a TEE wants a machine: devices listed beside it do not take its place. */
static bool names_devices_alone(const struct texts *kinds_listed)
{
	for (size_t i = 0; i < kinds_listed->n; i++) {
		const struct evidence_kind *k = kind_by_name(kinds_listed->v[i]);

		if (!k || k->values != OF_NV)
			return false;
	}
	return true;
}

static enum outcome check_kind(void *p, const struct expect *x, struct finding *f)
{
	const struct common_subject *s = p;
	const struct texts *list = &x->limits->kinds;

	f->source = x->limits->source;
	buf_puts(&f->actual, s->kind);
	if (list->n == 0) {	/* sample has a check of its own */
		const unsigned of = spoken_of(x->limits), has = s->values ? s->values : ~0u;

		/* a guest on another maker's machine, or one without the TPM that is spoken of, would be asked nothing */
		if ((of && !(of & has)) || (of & OF_TPM & ~has)) {
			buf_puts(&f->expected, "a TEE whose values the policy lists");
			buf_puts(&f->hint, "the policy lists values that this kind of evidence does not have: if it may come all the same, name it in kinds");
			return FAILED;
		}
		buf_puts(&f->expected, "any TEE");
		if (s->values == OF_NV)
			return check_alone(s, f);
		if (strcmp(s->kind, "tpm"))
			return PASSED;
		buf_puts(&f->hint, "a TPM alone proves what was booted, not that the memory is closed to the host");
		if (!x->allow_tpm)
			buf_puts(&f->hint, ": name \"tpm\" in the policy's kinds, or give --allow-tpm, where that is enough");
		return x->allow_tpm ? WARNED : FAILED;
	}
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&f->expected, "%s%s", i ? " or " : "", list->v[i]);
	if (s->values == OF_NV && !names_devices_alone(list)) {
		buf_puts(&f->hint, "the policy names a TEE: devices come beside it, not in its place");
		return FAILED;
	}
	return texts_have(list, s->kind) ? PASSED : FAILED;
}

/* What a policy speaks of, and this evidence has none of: nothing would be asked.  NULL: all of it is there.  Switches come with GPUs in
 * protected PCIe mode only, so what is said of them beside GPUs is for where there are some. */
static const char *nothing_of(const struct common_subject *s, const struct limits *l)
{
	if (speaks_of_gpus(l))
		return s->shown ? NULL : "evidence of GPUs, because the policy speaks of them";
	if (speaks_of_switches(l))
		return s->switches ? NULL : "evidence of NVSwitches, because the policy speaks of them";
	return l->gpu_ueids.n && !s->devices ? "evidence of GPUs, because the policy lists them" : NULL;
}

static enum outcome check_devices(void *p, const struct expect *x, struct finding *f)
{
	const struct common_subject *s = p;
	const char *missing = nothing_of(s, x->limits);

	if (!s->devices && !s->listed && !missing)
		return NOT_ASKED;
	buf_printf(&f->actual, "%zu GPU%s", s->shown, s->shown == 1 ? "" : "s");
	if (s->switches)
		buf_printf(&f->actual, ", %zu NVSwitch%s", s->switches, s->switches == 1 ? "" : "es");
	if (missing) {
		f->source = x->limits->source;
		return found(f, false, missing, NULL);
	}
	if (s->listed > s->shown) {
		buf_printf(&f->expected, "the %zu GPUs that the machine had when this was collected", s->listed);
		buf_puts(&f->hint, "the others gave no evidence: was it collected with --gpus?");
		return WARNED;
	}
	return PASSED;
}

/* What only an event log shows, asked of a kind that has none: silence would look like consent. */
static enum outcome check_log(void *p, const struct expect *x, struct finding *f)
{
	const struct common_subject *s = p;
	const struct limits *l = x->limits;

	if (s->has_log)
		return NOT_ASKED;
	if (!l->kernel_cmdlines.n && !l->boot_images.n && !l->want_secure_boot && !s->log_check) {
		for (size_t i = 0; i < N_LOGS && !f->hint.n; i++)
			if (x->logs[i].n)
				buf_printf(&f->hint, "the event log was not looked at: %s evidence has no registers to hold it against", s->kind);
		return NOT_ASKED;
	}
	f->source = l->source;
	if (s->log_check)
		buf_printf(&f->hint, "the policy requires %s by name; ", s->log_check);
	buf_puts(&f->hint, "kernel_cmdlines, boot_images and secure_boot can be judged for tdx, az-snp-vtpm, az-tdx-vtpm and tpm");
	buf_printf(&f->actual, "%s evidence has no registers to hold a log against", s->kind);
	return found(f, false, "an event log, because the policy speaks of what was booted", NULL);
}

/* The nonce inside a bundle is what its maker says; the one that counts is the caller's. */
static enum outcome check_nonce(void *p, const struct expect *x, struct finding *f)
{
	const struct common_subject *s = p;

	if (!s->bundled)
		return NOT_ASKED;
	buf_hex(&f->actual, s->bundle_nonce);
	if (s->wanted_nonce.n == 0) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "without one the bundle may be an old one: give --nonce, or --insecure-no-nonce");
		return x->no_freshness ? WARNED : FAILED;
	}
	buf_hex(&f->expected, s->wanted_nonce);
	if (!slice_eq(s->bundle_nonce, s->wanted_nonce))
		buf_puts(&f->hint, "the bundle was collected for another nonce: is it an old one?");
	return slice_eq(s->bundle_nonce, s->wanted_nonce) ? PASSED : FAILED;
}

static enum outcome check_machine(void *p, const struct expect *x, struct finding *f)
{
	const struct common_subject *s = p;

	(void)x;
	if (!s->bundled)
		return NOT_ASKED;
	if (s->simulated)
		buf_puts(&f->hint, "the bundle was collected below a --sysroot, not on the machine itself");
	return found(f, !s->simulated, "collected on the machine itself", s->simulated ? "simulated" : "yes") == PASSED ? PASSED : WARNED;
}

const struct check common_checks[] = {
	{ "evidence.kind", 0, CHECK_BASE, check_kind },
	{ "evidence.log", 0, CHECK_WHERE_ASKED, check_log },
	{ "evidence.devices", 0, CHECK_WHERE_ASKED, check_devices },
	{ "bundle.nonce", 0, CHECK_WHERE_ASKED, check_nonce },
	{ "bundle.machine", 0, CHECK_WHERE_ASKED, check_machine },
};
const size_t n_common_checks = sizeof common_checks / sizeof common_checks[0], n_common_raw_checks = 3;
