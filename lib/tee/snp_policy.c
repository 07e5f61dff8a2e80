/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy wants of an SNP report, once it is known to be genuine. */

#include "codec/hex64.h"
#include "tee/snp_int.h"

SNP_CHECK(tcb_min)
{
	const struct snp_subject *s = p;
	const struct snp_tcb r = snp_tcb_at(&s->r, SNP_TCB_REPORTED);
	const int *floor = x->limits->min_tcb[TCB_REPORTED][TCB_ANY];
	struct snp_tcb want;
	bool any = false;

	for (size_t i = 0; i < TCB_PARTS; i++) {
		want.v[i] = floor[i];
		any |= floor[i] >= 0;
	}
	if (!any) {
		buf_puts(&f->hint, "the policy names no minimum");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_puts(&f->expected, "at least ");
	snp_tcb_text(&f->expected, &want);
	snp_tcb_text(&f->actual, &r);
	if (!snp_tcb_at_least(&r, floor))
		buf_puts(&f->hint, "the machine's firmware or microcode is older than the policy allows, or not committed yet");
	return snp_tcb_at_least(&r, floor) ? PASSED : FAILED;
}

SNP_CHECK(debug)
{
	const struct snp_subject *s = p;
	const bool on = s->r.policy & SNP_POLICY_DEBUG;

	f->source = x->limits->source;
	if (on && x->limits->allow_debug) {
		buf_puts(&f->hint, "the host can read this guest's memory; the policy allows it");
		found(f, true, "off", "on");
		return WARNED;
	}
	if (on)
		buf_puts(&f->hint, "the host can read this guest's memory: start it without the debug policy bit");
	return found(f, !on, "off", on ? "on" : "off");
}

SNP_CHECK(migrate)
{
	const struct snp_subject *s = p;
	const bool on = s->r.policy & SNP_POLICY_MIGRATE;

	f->source = x->limits->source;
	if (on && x->limits->allow_migrate) {
		found(f, true, "off", "on");
		return WARNED;
	}
	return found(f, !on, "off", on ? "on: a migration agent may move this guest" : "off");
}

/* Bit 17 is always one; and what the guest demanded of the platform has to be there. */
SNP_CHECK(consistent)
{
	const struct snp_subject *s = p;
	const uint64_t want = s->r.policy, have = s->r.platform;

	(void)x;
	buf_puts(&f->expected, "bit 17 set, and the platform as the guest's policy demands");
	buf_printf(&f->actual, "guest policy 0x%llx, platform 0x%llx", (unsigned long long)want, (unsigned long long)have);
	if (!(want & SNP_POLICY_RESERVED_ONE))
		return FAILED;
	if (want & SNP_POLICY_RAPL_DIS && !(have & SNP_PLATFORM_RAPL_DIS))
		return FAILED;
	if (want & SNP_POLICY_CIPHERTEXT_HIDING && !(have & SNP_PLATFORM_CIPHERTEXT_HIDING))
		return FAILED;
	return PASSED;
}

SNP_CHECK(vmpl)
{
	const struct snp_subject *s = p;

	f->source = x->limits->source;
	buf_printf(&f->expected, "at most %u", x->limits->vmpl_max);
	if (s->r.vmpl == SNP_VMPL_HOST)
		return found(f, false, NULL, "requested by the host, not by the guest");
	return found_u64(f, s->r.vmpl <= x->limits->vmpl_max, NULL, s->r.vmpl);
}

SNP_CHECK(report_data)
{
	const struct snp_subject *s = p;
	uint8_t want[64] = { 0 };

	buf_hex(&f->actual, snp_report_data(&s->r));
	if (x->report_data.n == 0 || x->report_data.n > sizeof want) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "without one the report may be an old one: give --nonce, or --insecure-no-nonce");
		return x->no_freshness && x->report_data.n == 0 ? WARNED : FAILED;
	}
	memcpy(want, x->report_data.p, x->report_data.n);
	buf_hex(&f->expected, slice_of(want, sizeof want));
	if (!slice_eq(snp_report_data(&s->r), slice_of(want, sizeof want))) {
		buf_puts(&f->hint, "the report was made for another nonce: is it an old one?");
		return FAILED;
	}
	return x->no_freshness ? WARNED : PASSED;
}

SNP_CHECK(measurement)
{
	const struct snp_subject *s = p;
	const enum outcome o = found_listed(f, &x->limits->measurements, snp_measurement(&s->r), x->limits->source);

	if (o == FAILED) {	/* people paste the wrong one of two encodings */
		buf_puts(&f->hint, "measurement in base64: ");
		b64_encode(&f->hint, snp_measurement(&s->r));
	}
	return o;
}

SNP_CHECK(host_data)
{
	const struct snp_subject *s = p;

	return found_listed(f, &x->limits->host_data, snp_host_data(&s->r), x->limits->source);
}

/* A masked chip id is no chip's, whatever the list says. */
SNP_CHECK(chip_allowed)
{
	const struct snp_subject *s = p;
	const enum outcome o = found_listed(f, &x->limits->chip_ids, snp_chip_id(&s->r), x->limits->source);

	if (o == PASSED && snp_chip_id_masked(&s->r))
		return FAILED;
	return o;
}
