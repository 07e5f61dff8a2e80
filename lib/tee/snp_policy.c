/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy wants of an SNP report, once it is known to be genuine. */

#include "codec/hex64.h"
#include "tee/snp_int.h"

/* --- firmware ---------------------------------------------------------------------------------------------- */

_Static_assert(TCB_MILAN == (int)SNP_MILAN && TCB_GENOA == (int)SNP_GENOA && TCB_TURIN == (int)SNP_TURIN, "one index for both");

/* The floor for any product and that for this one both count. */
static bool floor_of(struct snp_tcb *ret, const int floors[static TCB_PRODUCTS][TCB_PARTS], enum snp_product product)
{
	bool any = false;

	for (size_t i = 0; i < TCB_PARTS; i++) {
		ret->v[i] = floors[TCB_ANY][i] > floors[product][i] ? floors[TCB_ANY][i] : floors[product][i];
		any |= ret->v[i] >= 0;
	}
	return any;
}

static enum outcome not_asked(struct finding *f)
{
	buf_puts(&f->hint, "the policy names none");	/* the words of found_listed(): they are shown together */
	return NOT_ASKED;
}

static enum outcome tcb_floor(const struct snp_subject *s, const struct expect *x, struct finding *f, int which, unsigned at, const char *hint)
{
	const struct snp_tcb t = snp_tcb_at(&s->r, at);
	struct snp_tcb want;

	if (!floor_of(&want, x->limits->min_tcb[which], s->r.product))
		return not_asked(f);
	f->source = x->limits->source;
	buf_puts(&f->expected, "at least ");
	snp_tcb_text(&f->expected, &want);
	snp_tcb_text(&f->actual, &t);
	if (snp_tcb_at_least(&t, want.v))
		return PASSED;
	buf_puts(&f->hint, hint);
	return FAILED;
}

SNP_CHECK(tcb_min)
{
	return tcb_floor(p, x, f, TCB_REPORTED, SNP_TCB_REPORTED,
			 "the machine's firmware or microcode is older than the policy allows, or not committed yet");
}

SNP_CHECK(tcb_min_committed)
{
	return tcb_floor(p, x, f, TCB_COMMITTED, SNP_TCB_COMMITTED, "the host could go back to firmware that the policy does not allow");
}

SNP_CHECK(tcb_min_launch)
{
	return tcb_floor(p, x, f, TCB_LAUNCH, SNP_TCB_LAUNCH, "the guest was started on older firmware than the policy allows: start it again");
}

SNP_CHECK(tcb_min_current)
{
	return tcb_floor(p, x, f, TCB_CURRENT, SNP_TCB_CURRENT, "the firmware or microcode that runs is older than the policy allows");
}

/* Version 5 says which flaws the firmware has closed, when the guest was started and now. */
SNP_CHECK(mitigations)
{
	const struct snp_subject *s = p;
	const uint64_t want = x->limits->mitigations, launch = snp_launch_mitigations(&s->r), now = snp_current_mitigations(&s->r);

	if (!want)
		return not_asked(f);
	f->source = x->limits->source;
	buf_printf(&f->expected, "0x%llx at launch and now", (unsigned long long)want);
	if (s->r.version < 5) {
		buf_printf(&f->actual, "not said by a report of version %u", s->r.version);
		return FAILED;
	}
	buf_printf(&f->actual, "0x%llx at launch, 0x%llx now", (unsigned long long)launch, (unsigned long long)now);
	if ((launch & now & want) == want)
		return PASSED;
	if ((now & want) == want)
		buf_puts(&f->hint, "the firmware was mended after this guest had started: start it again");
	return FAILED;
}

/* --- settings ---------------------------------------------------------------------------------------------- */

static void put_bits(struct buf *ret, void (*text)(struct buf *, uint64_t), const char *word, uint64_t bits)
{
	if (!bits)
		return;
	buf_printf(ret, "%s%s: ", ret->n ? "; " : "", word);
	text(ret, bits);
}

static enum outcome bits_as_asked(struct finding *f, const struct bits *want, uint64_t have, void (*text)(struct buf *, uint64_t),
				  const struct expect *x)
{
	const uint64_t asked = want->set | want->clear;

	if (!asked)
		return not_asked(f);
	f->source = x->limits->source;
	put_bits(&f->expected, text, "on", want->set);
	put_bits(&f->expected, text, "off", want->clear);
	put_bits(&f->actual, text, "on", have & asked);
	put_bits(&f->actual, text, "off", ~have & asked);
	return (have & want->set) == want->set && !(have & want->clear) ? PASSED : FAILED;
}

SNP_CHECK(platform)
{
	const struct snp_subject *s = p;

	return bits_as_asked(f, &x->limits->platform, s->r.platform, snp_platform_text, x);
}

SNP_CHECK(guest_policy)
{
	const struct snp_subject *s = p;

	return bits_as_asked(f, &x->limits->guest_policy, s->r.policy, snp_policy_text, x);
}

SNP_CHECK(abi)
{
	const struct snp_subject *s = p;
	const uint32_t want = x->limits->min_abi, have = (uint32_t)(s->r.policy & 0xffff);

	if (!want)
		return not_asked(f);
	f->source = x->limits->source;
	buf_printf(&f->expected, "guest policy demands %u.%u or later", want >> 8, want & 0xff);
	buf_printf(&f->actual, "%u.%u", have >> 8, have & 0xff);
	return have >= want ? PASSED : FAILED;
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

/* --- whose report it is, and what runs ----------------------------------------------------------------------- */

SNP_CHECK(vmpl)
{
	const struct snp_subject *s = p;

	f->source = x->limits->source;
	buf_printf(&f->expected, "at most %u", x->limits->vmpl_max);
	if (s->r.vmpl == SNP_VMPL_HOST)
		return found(f, false, NULL, "requested by the host, not by the guest");
	return found_u64(f, s->r.vmpl <= x->limits->vmpl_max, NULL, s->r.vmpl);
}

SNP_CHECK(guest_svn)
{
	const struct snp_subject *s = p;

	if (!x->limits->min_guest_svn)
		return not_asked(f);
	f->source = x->limits->source;
	buf_printf(&f->expected, "at least %u", x->limits->min_guest_svn);
	return found_u64(f, s->r.guest_svn >= x->limits->min_guest_svn, NULL, s->r.guest_svn);
}

SNP_CHECK(report_data)
{
	const struct snp_subject *s = p;
	uint8_t want[64] = { 0 };

	if (s->r.vmpl == SNP_VMPL_HOST) {	/* whatever a policy makes of snp.vmpl: no guest has said this */
		buf_puts(&f->expected, "report data given by the guest");
		return found(f, false, NULL, "requested by the host");
	}
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

/* Init data that a guest is given has its digest here (32 bytes). */
SNP_CHECK(init_data)
{
	const struct snp_subject *s = p;

	return found_listed(f, &x->limits->init_data, snp_host_data(&s->r), x->limits->source);
}

SNP_CHECK(family_id)
{
	const struct snp_subject *s = p;

	return found_listed(f, &x->limits->family_ids, snp_family_id(&s->r), x->limits->source);
}

SNP_CHECK(image_id)
{
	const struct snp_subject *s = p;

	return found_listed(f, &x->limits->image_ids, snp_image_id(&s->r), x->limits->source);
}

SNP_CHECK(id_key)
{
	const struct snp_subject *s = p;
	const enum outcome o = found_listed(f, &x->limits->id_keys, snp_id_key_digest(&s->r), x->limits->source);

	if (o == FAILED && snp_all_zero(snp_id_key_digest(&s->r)))
		buf_puts(&f->hint, "the guest was started without an identity block");
	return o;
}

/* The digest counts only if the firmware says that an author key signed the identity key. */
SNP_CHECK(author_key)
{
	const struct snp_subject *s = p;
	const enum outcome o = found_listed(f, &x->limits->author_keys, snp_author_key_digest(&s->r), x->limits->source);

	if (o == NOT_ASKED || s->r.flags & SNP_FLAG_AUTHOR_KEY)
		return o;
	buf_puts(&f->actual, " (the report says that no author key was used)");
	return FAILED;
}

/* On Turin a chip's number has 8 bytes; a list may have it as it stands in the claims, with zeros behind.  A masked number is
 * no chip's, whatever the list says. */
SNP_CHECK(chip_allowed)
{
	const struct snp_subject *s = p;
	const struct slice id = snp_chip_id(&s->r);
	AUTO_BUF whole = { 0 };
	enum outcome o;

	buf_hex(&whole, snp_chip_id_field(&s->r));
	o = texts_have(&x->limits->chip_ids, buf_cstr(&whole)) ? found_listed(f, &x->limits->chip_ids, snp_chip_id_field(&s->r), x->limits->source)
							       : found_listed(f, &x->limits->chip_ids, id, x->limits->source);
	if (o != NOT_ASKED && snp_chip_id_masked(&s->r)) {
		buf_puts(&f->actual, " (masked by the host)");
		return FAILED;
	}
	return o;
}
