/* SPDX-License-Identifier: Apache-2.0 */
/* What a TD says of itself against what is wanted. */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "tee/tdx_int.h"

enum outcome tdx_check_debug(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const uint64_t on = tdx_td_attributes(&s->q) & TDX_TD_DEBUG;

	f->source = x->limits->source;
	buf_puts(&f->expected, "off");
	if (!on)
		return found(f, true, NULL, "off");
	buf_printf(&f->actual, "on (attributes 0x%02llx)", (unsigned long long)on);
	buf_puts(&f->hint, x->limits->allow_debug ? "the host can read this TD's memory; the policy allows it" :
						    "the host can read this TD's memory: start it without the debug attribute");
	return x->limits->allow_debug ? WARNED : FAILED;
}

enum outcome tdx_check_migratable(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const bool on = tdx_td_attributes(&s->q) & TDX_TD_MIGRATABLE;

	f->source = x->limits->source;
	found(f, true, "off", on ? "on: a migration TD may move this guest" : "off");
	return !on ? PASSED : x->limits->allow_migrate ? WARNED : FAILED;
}

enum outcome tdx_check_attributes(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const struct bits *b = &x->limits->td_attributes;
	const uint64_t have = tdx_td_attributes(&s->q);

	buf_printf(&f->actual, "0x%016llx", (unsigned long long)have);
	if (!b->set && !b->clear) {
		buf_puts(&f->hint, "the policy names none");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_printf(&f->expected, "bits 0x%llx set, bits 0x%llx clear", (unsigned long long)b->set, (unsigned long long)b->clear);
	return (have & b->set) == b->set && !(have & b->clear) ? PASSED : FAILED;
}

/* x87 and SSE state cannot be off. */
enum outcome tdx_check_xfam(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const struct slice v = tdx_part(&s->q, TDX_XFAM, 8);

	if ((v.p[0] & 3) != 3) {
		buf_puts(&f->expected, "bits 0 and 1 set");
		buf_hex(&f->actual, v);
		return FAILED;
	}
	if (x->limits->xfam.n)
		return found_listed(f, &x->limits->xfam, v, x->limits->source);
	buf_hex(&f->actual, v);
	return PASSED;
}

enum outcome tdx_check_service_td(void *p, const struct expect *x, struct finding *f)
{
	static const enum tdx_at at[] = { TDX_MR_SERVICETD, TDX_SERVTD_INITIAL, TDX_SERVTD_CURRENT };
	const struct tdx_subject *s = p;

	f->source = x->limits->source;
	if (!tdx_part(&s->q, TDX_MR_SERVICETD, 48).n) {
		buf_puts(&f->hint, "a TDX 1.0 body has none");
		return NOT_ASKED;
	}
	buf_puts(&f->expected, "no service TD bound");
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		const struct slice v = tdx_part(&s->q, at[i], 48);

		for (size_t k = 0; k < v.n; k++) {
			if (!v.p[k])
				continue;
			buf_hex(&f->actual, v);
			buf_puts(&f->hint, "another TD has a say in this one (migration)");
			return x->limits->allow_service_td ? WARNED : FAILED;
		}
	}
	return found(f, true, NULL, "none");
}

enum outcome tdx_check_report_data(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	uint8_t want[64] = { 0 };

	buf_hex(&f->actual, tdx_report_data(&s->q));
	if (x->report_data.n == 0 || x->report_data.n > sizeof want) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "without one the quote may be an old one: give --nonce, or --insecure-no-nonce");
		return x->no_freshness && x->report_data.n == 0 ? WARNED : FAILED;
	}
	memcpy(want, x->report_data.p, x->report_data.n);
	buf_hex(&f->expected, slice_of(want, sizeof want));
	if (!slice_eq(tdx_report_data(&s->q), slice_of(want, sizeof want))) {
		buf_puts(&f->hint, "the quote was made for another nonce: is it an old one?");
		return FAILED;
	}
	return x->no_freshness ? WARNED : PASSED;
}

/* --- lists ----------------------------------------------------------------------------------------------------- */

static enum outcome listed(const struct tdx_subject *s, const struct expect *x, struct finding *f, const struct texts *list, enum tdx_at at)
{
	return found_listed(f, list, tdx_part(&s->q, at, 48), x->limits->source);
}

enum outcome tdx_check_measurement(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const enum outcome o = listed(s, x, f, &x->limits->measurements, TDX_MR_TD);

	if (o == FAILED) {	/* people paste the wrong one of two encodings */
		buf_puts(&f->hint, "MRTD in base64: ");
		b64_encode(&f->hint, tdx_part(&s->q, TDX_MR_TD, 48));
	}
	return o;
}

enum outcome tdx_check_config_id(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->mr_config_id, TDX_MR_CONFIG_ID);
}

/* A digest of another length is cut or zero padded to the 48 bytes of MRCONFIGID, as the runtimes do. */
enum outcome tdx_check_init_data(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const struct texts *l = &x->limits->init_data;
	const struct slice v = tdx_part(&s->q, TDX_MR_CONFIG_ID, 48);
	AUTO_BUF hex = { 0 };

	if (l->n == 0)
		return listed(s, x, f, l, TDX_MR_CONFIG_ID);
	f->source = x->limits->source;
	buf_hex(&hex, v);
	buf_slice(&f->actual, buf_view(&hex));
	if (l->n == 1)
		buf_puts(&f->expected, l->v[0]);
	else
		buf_printf(&f->expected, "one of %zu values", l->n);
	for (size_t i = 0; i < l->n && hex.n == 96; i++) {
		char want[97];
		const size_t n = strnlen(l->v[i], 96);

		memset(want, '0', 96);
		memcpy(want, l->v[i], n);
		want[96] = '\0';
		if (!strcmp(want, buf_cstr(&hex)))
			return PASSED;
	}
	return FAILED;
}

enum outcome tdx_check_owner(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->mr_owner, TDX_MR_OWNER);
}

enum outcome tdx_check_owner_config(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->mr_owner_config, TDX_MR_OWNER_CONFIG);
}

enum outcome tdx_check_mr_seam(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->mr_seam, TDX_MR_SEAM);
}

enum outcome tdx_check_rtmr0(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->rtmr[0], TDX_RTMR0);
}

enum outcome tdx_check_rtmr1(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->rtmr[1], TDX_RTMR0 + 48);
}

enum outcome tdx_check_rtmr2(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->rtmr[2], TDX_RTMR0 + 96);
}

enum outcome tdx_check_rtmr3(void *p, const struct expect *x, struct finding *f)
{
	return listed(p, x, f, &x->limits->rtmr[3], TDX_RTMR0 + 144);
}

enum outcome tdx_check_fmspc(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;

	return found_listed(f, &x->limits->fmspc, slice_of(s->pck.fmspc, sizeof s->pck.fmspc), x->limits->source);
}

enum outcome tdx_check_ppid(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;

	return found_listed(f, &x->limits->ppid, slice_of(s->pck.ppid, sizeof s->pck.ppid), x->limits->source);
}
