/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of platforms like this one, and no signature shows.  A weakness that the evidence proves warns; a setting
 * that many machines have on purpose is told, and counts only where a policy requires it. */

#include "tee/snp_int.h"

SNP_CHECK(milan_seed)
{
	const struct snp_subject *s = p;

	(void)x;
	if (s->r.product != SNP_MILAN)
		return found(f, true, "another product than Milan", snp_product_name(s->r.product));
	buf_puts(&f->hint, "signing keys of EPYC Milan chips were extracted by software alone in 2026: whoever holds such a key can sign "
			   "any report for that chip, and nothing in the report tells; accept only chips you trust (chip_ids), or other products");
	found(f, true, "another product", "Milan");
	return WARNED;
}

/* AMD-SB-3019 (CVE-2024-56161), with the versions that AMD names there. */
SNP_CHECK(sb_3019)
{
	static const int fixed[] = { [SNP_MILAN] = 0x18, [SNP_GENOA] = 0x17, [SNP_TURIN] = -1 };
	const struct snp_subject *s = p;
	const int svn = snp_tcb_at(&s->r, SNP_TCB_REPORTED).v[TCB_SNP], want = fixed[s->r.product];

	(void)x;
	if (want < 0) {
		buf_puts(&f->hint, "the bulletin names no version of the SNP firmware for this product");
		return NOT_ASKED;
	}
	buf_printf(&f->expected, "reported SNP firmware %d or later", want);
	buf_printf(&f->actual, "%d", svn);
	if (svn >= want)
		return PASSED;
	buf_puts(&f->hint, "AMD-SB-3019: on older firmware a host could load microcode that AMD never signed, and so break into the guest; "
			   "the operator has to update the firmware and commit it");
	return WARNED;
}

SNP_CHECK(alias_check)
{
	const struct snp_subject *s = p;

	(void)x;
	buf_puts(&f->expected, "done");
	if (s->r.platform & SNP_PLATFORM_ALIAS_CHECK)
		return found(f, true, NULL, "done");
	if (s->r.version < 3) {
		buf_puts(&f->actual, "not said");
		buf_puts(&f->hint, "reports of version 2 do not tell whether the firmware looked for aliased memory");
		return NOT_ASKED;
	}
	buf_puts(&f->actual, "not done");
	buf_puts(&f->hint, "the firmware did not look for memory modules that lie about their size (BadRAM): with one of them the host can "
			   "read and replay the guest's memory");
	return WARNED;
}

/* On is shown as passed; off is told. */
static enum outcome told(struct finding *f, bool good, const char *expected, const char *actual, const char *hint)
{
	if (!good)
		buf_puts(&f->hint, hint);
	return found(f, good, expected, actual) == PASSED ? PASSED : NOT_ASKED;
}

SNP_CHECK(ciphertext_hiding)
{
	const struct snp_subject *s = p;
	const bool on = s->r.platform & SNP_PLATFORM_CIPHERTEXT_HIDING;

	(void)x;
	return told(f, on, "on", on ? "on" : "off", "the host sees the guest's memory in its encrypted form, and can watch it change: programs "
						    "that are not written for that can leak keys");
}

SNP_CHECK(smt)
{
	const struct snp_subject *s = p;
	const bool on = s->r.platform & SNP_PLATFORM_SMT;

	(void)x;
	return told(f, !on, "off", on ? "on" : "off", "two threads share a core and its caches: side channels between them are easier; the "
						      "guest's policy can forbid it");
}
