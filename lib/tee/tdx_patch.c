/* SPDX-License-Identifier: Apache-2.0 */
/* What Intel's documents make of the machine that a quote comes from: its quoting enclave, its TDX module, its patch level
 * (cpu-tee.md 4.6, 8 to 14). */

#include "base/cursor.h"
#include "base/host.h"
#include "codec/hex64.h"
#include "tee/tdx_int.h"

#define QE_DEBUG 0x02			/* in byte 0 of the attributes */

static uint16_t qe_svn(const struct tdx_quote *q)
{
	return get_le16(q->qe_report.p + QE_ISVSVN);
}

/* --- the quoting enclave -------------------------------------------------------------------------------------- */

static bool masked_eq(const uint8_t *have, const uint8_t *mask, const uint8_t *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((have[i] & mask[i]) != want[i])
			return false;
	return true;
}

static const char *qe_differs(const struct tdx_quote *q, const struct tdx_qe_identity *id)
{
	const uint8_t *r = q->qe_report.p;

	if (!masked_eq(r + QE_MISCSELECT, id->miscselect_mask, id->miscselect, sizeof id->miscselect))
		return "MISCSELECT differs";
	if (!masked_eq(r + QE_ATTRIBUTES, id->attributes_mask, id->attributes, sizeof id->attributes))
		return "attributes differ";
	if (memcmp(r + QE_MRSIGNER, id->mrsigner, sizeof id->mrsigner))
		return "MRSIGNER differs";
	return get_le16(r + QE_ISVPRODID) != id->isvprodid ? "ISVPRODID differs" : NULL;
}

/* Whoever Intel's PCE certified is not yet Intel's quoting enclave.  Where its identity document was waived, its known signer and
 * product are at least compared. */
enum outcome tdx_check_qe_identity(void *p, const struct expect *x, struct finding *f)
{
	static const uint8_t signer[32] = {
		0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
		0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5
	};
	const struct tdx_subject *s = p;
	const uint8_t *r = s->q.qe_report.p;
	const char *wrong;

	(void)x;
	buf_puts(&f->expected, "Intel's TD quoting enclave, not in debug mode");
	if (r[QE_ATTRIBUTES] & QE_DEBUG)
		return found(f, false, NULL, "in debug mode: its keys are open to the host");
	if (s->has_id)
		wrong = qe_differs(&s->q, &s->id);
	else
		wrong = memcmp(r + QE_MRSIGNER, signer, sizeof signer) ? "MRSIGNER differs" :
			get_le16(r + QE_ISVPRODID) != 2 ? "ISVPRODID differs" : NULL;
	if (wrong)
		return found(f, false, NULL, wrong);
	buf_printf(&f->actual, "it is, SVN %u", qe_svn(&s->q));
	if (!s->has_id)
		buf_puts(&f->hint, "compared with what is built in, not with Intel's current identity document");
	return s->has_id ? PASSED : WARNED;
}

/* --- the TDX module ---------------------------------------------------------------------------------------------- */

static bool all_zero(struct slice b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i])
			return false;
	return true;
}

enum outcome tdx_check_seam(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const struct slice signer = tdx_part(&s->q, TDX_MRSIGNER_SEAM, 48), attributes = tdx_part(&s->q, TDX_SEAM_ATTRIBUTES, 8);

	(void)x;
	buf_puts(&f->expected, "a TDX module of Intel's: signer and SEAM attributes zero");
	if (!all_zero(signer)) {
		buf_puts(&f->actual, "signer ");
		buf_hex(&f->actual, signer);
		return FAILED;
	}
	if (!all_zero(attributes)) {
		buf_puts(&f->actual, "SEAM attributes ");
		buf_hex(&f->actual, attributes);
		return FAILED;
	}
	return found(f, true, NULL, "zero");
}

static enum outcome module_fits(const struct tdx_subject *s, struct slice svn, const char *when, struct finding *f)
{
	const struct tdx_module *m = tdx_module_of(&s->tcb, svn.p);

	if (!m) {
		buf_printf(&f->actual, "not supported: the module %s is of major version %u, which the TCB info does not know", when, svn.p[1]);
		buf_puts(&f->hint, "the TCB info is older than the module, or Intel withdrew the module");
		return FAILED;
	}
	if (!slice_eq(tdx_part(&s->q, TDX_MRSIGNER_SEAM, 48), slice_of(m->mrsigner, sizeof m->mrsigner)))
		return found(f, false, NULL, "its signer is another");
	if (!masked_eq(tdx_part(&s->q, TDX_SEAM_ATTRIBUTES, 8).p, m->mask, m->attributes, sizeof m->mask))
		return found(f, false, NULL, "its attributes are others");
	return PASSED;
}

enum outcome tdx_check_module(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	const struct slice launch = tdx_part(&s->q, TDX_TEE_TCB_SVN, 16), now = tdx_part(&s->q, TDX_TEE_TCB_SVN2, 16);

	buf_puts(&f->expected, "a TDX module that the TCB info identifies");
	if (!s->has_tcb)
		return tdx_missing(x, f, NULL, "no TCB info");
	if (module_fits(s, launch, now.n ? "at launch" : "at work", f) == FAILED || (now.n && module_fits(s, now, "at work", f) == FAILED))
		return FAILED;
	buf_printf(&f->actual, "major version %u, SVN %u", launch.p[1], launch.p[0]);
	if (now.n)
		buf_printf(&f->actual, "; now %u, SVN %u", now.p[1], now.p[0]);
	return PASSED;
}

/* --- patch level --------------------------------------------------------------------------------------------------- */

static bool appraise(struct tdx_subject *s)
{
	const struct slice now = tdx_part(&s->q, TDX_TEE_TCB_SVN2, 16);

	if (!s->has_tcb)
		return false;
	if (!s->has_verdict)
		tdx_tcb_appraise(&s->v, &s->tcb, s->has_id ? &s->id : NULL, &s->pck, tdx_part(&s->q, TDX_TEE_TCB_SVN, 16).p, now.p,
				 qe_svn(&s->q));
	s->has_verdict = true;
	return true;
}

static const char *meaning(enum tcb_status s)
{
	switch (s) {
	case TCB_UP_TO_DATE:
		return "up to date";
	case TCB_SW_HARDENING:
		return "patched, software has to defend itself";
	case TCB_CONFIGURATION:
		return "patched, the platform's configuration has to change";
	case TCB_CONFIGURATION_SW:
		return "patched, configuration and software have to change";
	case TCB_OUT_OF_DATE:
		return "out of date";
	case TCB_OUT_OF_DATE_CONFIGURATION:
		return "out of date, and its configuration has to change";
	case TCB_REVOKED:
		return "revoked by Intel";
	case TCB_NOT_SUPPORTED:
		return "not supported: lower than anything that Intel lists";
	case TCB_RELAUNCH:
		return "the TDX module was updated, the TD was launched under the old one";
	case TCB_RELAUNCH_CONFIGURATION:
		return "as TDRelaunchAdvised, and the configuration has to change";
	default:
		return "unknown";
	}
}

static const char *advice(enum tcb_status s)
{
	switch (s) {
	case TCB_OUT_OF_DATE:
	case TCB_OUT_OF_DATE_CONFIGURATION:
		return "the collateral is genuine; the host needs newer firmware, microcode or TDX module";
	case TCB_REVOKED:
		return "Intel no longer vouches for this level at all: the host needs an update before anything else";
	case TCB_NOT_SUPPORTED:
		return "the collateral is genuine and has no level this low: pre-production hardware, or very old firmware";
	case TCB_RELAUNCH:
	case TCB_RELAUNCH_CONFIGURATION:
		return "start the TD again on the same host";
	case TCB_SW_HARDENING:
	case TCB_CONFIGURATION:
	case TCB_CONFIGURATION_SW:
		return "read the advisories; member 'tcb_status' of the policy lists what is accepted";
	default:
		return NULL;
	}
}

static void add_date(struct buf *to, int64_t t)	/* a tcbDate is a day */
{
	char text[32];

	time_format(text, t);
	buf_printf(to, "%.10s", text);
}

static void say_behind(struct buf *to, int64_t have, int64_t newest)
{
	buf_puts(to, " of ");
	add_date(to, have);
	if (newest <= have)
		return;
	buf_puts(to, ", the newest is of ");
	add_date(to, newest);
	buf_printf(to, " (%lld days behind)", (long long)((newest - have) / 86400));
}

/* Where a machine is below a level: by name, at most four of them. */
static void say_lags(struct buf *to, const struct tcb_level *want, const struct tdx_subject *s, const char *than)
{
	const struct slice svn = tdx_part(&s->q, TDX_TEE_TCB_SVN, 16);
	unsigned n = 0;

	for (size_t i = 0; i < 16; i++)
		if (s->pck.component[i] < want->sgx[i] && n++ < 4)
			buf_printf(to, "%s component %zu is %u, %s has %u", n > 1 ? "," : ";", i + 1, s->pck.component[i], than, want->sgx[i]);
	if (s->pck.pcesvn < want->pcesvn && n++ < 4)
		buf_printf(to, "%s PCESVN is %u, %s has %u", n > 1 ? "," : ";", s->pck.pcesvn, than, want->pcesvn);
	for (size_t i = svn.p[1] ? 2 : 0; i < 16; i++)
		if (svn.p[i] < want->tdx[i] && n++ < 4)
			buf_printf(to, "%s TDX component %zu is %u, %s has %u", n > 1 ? "," : ";", i, svn.p[i], than, want->tdx[i]);
	if (n > 4)
		buf_printf(to, ", and %u more", n - 4);
}

static void say_module(struct buf *to, const struct tdx_subject *s, enum tdx_at at, const struct svn_level *l, const char *name)
{
	const struct slice svn = tdx_part(&s->q, at, 16);
	const struct tdx_module *m = svn.n ? tdx_module_of(&s->tcb, svn.p) : NULL;

	if (!svn.n || svn.p[1] == 0)
		return;
	if (!m)
		buf_printf(to, "; %s of major version %u is not known", name, svn.p[1]);
	else if (!l)
		buf_printf(to, "; %s has SVN %u, the lowest level wants %u", name, svn.p[0], m->levels.v[m->levels.n - 1].isvsvn);
	else {
		buf_printf(to, "; %s %s", name, tcb_status_name(l->state.status));
		say_behind(to, l->state.date, m->levels.v[0].state.date);
	}
}

static void say_all(struct buf *to, const struct tdx_subject *s)
{
	const struct tcb_verdict *v = &s->v;
	const struct tdx_tcb_info *t = &s->tcb;

	buf_printf(to, "%s (%s)", tcb_status_name(v->status), meaning(v->status));
	if (v->platform) {
		buf_printf(to, "; platform %s", tcb_status_name(v->platform->state.status));
		say_behind(to, v->platform->state.date, t->levels[0].state.date);
		if (v->platform != &t->levels[0])
			say_lags(to, &t->levels[0], s, "the newest level");
	} else {
		buf_puts(to, "; platform below every level");
		say_lags(to, &t->levels[t->n_levels - 1], s, "the lowest level");
	}
	say_module(to, s, TDX_TEE_TCB_SVN, v->module, tdx_part(&s->q, TDX_TEE_TCB_SVN2, 16).n ? "TDX module at launch" : "TDX module");
	say_module(to, s, TDX_TEE_TCB_SVN2, v->module_now, "TDX module now");
	if (v->qe) {
		buf_printf(to, "; quoting enclave %s", tcb_status_name(v->qe->state.status));
		say_behind(to, v->qe->state.date, s->id.levels.v[0].state.date);
	} else if (s->has_id) {
		buf_printf(to, "; quoting enclave has SVN %u, below every level", qe_svn(&s->q));
	}
	for (size_t i = 0; i < v->n_advisories; i++)
		buf_printf(to, "%s%s", i ? ", " : "; advisories ", v->advisories[i]);
}

/* Not supported and revoked are never on a list of what is accepted. */
static bool accepted(const struct limits *l, enum tcb_status s)
{
	if (s == TCB_NOT_SUPPORTED || s == TCB_REVOKED)
		return false;
	return l->tcb_status.n ? texts_have(&l->tcb_status, tcb_status_name(s)) : s == TCB_UP_TO_DATE;
}

enum outcome tdx_check_status(void *p, const struct expect *x, struct finding *f)
{
	struct tdx_subject *s = p;

	f->source = x->limits->source;
	if (x->limits->tcb_status.n == 0)
		buf_puts(&f->expected, "UpToDate");
	for (size_t i = 0; i < x->limits->tcb_status.n; i++)
		buf_printf(&f->expected, "%s%s", i ? " or " : "", x->limits->tcb_status.v[i]);
	if (!appraise(s))
		return tdx_missing(x, f, NULL, "not known: no TCB info");
	say_all(&f->actual, s);
	if (advice(s->v.status))
		buf_puts(&f->hint, advice(s->v.status));
	f->final = s->v.status == TCB_REVOKED || s->v.status == TCB_NOT_SUPPORTED;
	if (!accepted(x->limits, s->v.status))
		return FAILED;
	if (!s->has_id) {
		buf_puts(&f->actual, "; quoting enclave's level not known");
		return x->no_collateral ? WARNED : FAILED;
	}
	return PASSED;
}

enum outcome tdx_check_advisories(void *p, const struct expect *x, struct finding *f)
{
	struct tdx_subject *s = p;
	size_t open = 0;

	if (!x->limits->has_advisories) {
		buf_puts(&f->hint, "the policy names none");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_puts(&f->expected, "no advisory beyond those that the policy tolerates");
	if (!appraise(s))
		return tdx_missing(x, f, NULL, "not known: no TCB info");
	for (size_t i = 0; i < s->v.n_advisories; i++)
		if (!texts_have(&x->limits->advisories, s->v.advisories[i]))
			buf_printf(&f->actual, "%s%s", open++ ? ", " : "", s->v.advisories[i]);
	if (open == 0)
		buf_puts(&f->actual, "none");
	return open ? FAILED : PASSED;
}

enum outcome tdx_check_evaluation(void *p, const struct expect *x, struct finding *f)
{
	const struct tdx_subject *s = p;
	uint64_t have;

	if (x->limits->min_evaluation == 0) {
		buf_puts(&f->hint, "the policy names no minimum");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_printf(&f->expected, "at least %llu", (unsigned long long)x->limits->min_evaluation);
	if (!s->has_tcb || !s->has_id)
		return tdx_missing(x, f, NULL, "not known: no TCB info or QE identity");
	have = s->tcb.doc.evaluation < s->id.doc.evaluation ? s->tcb.doc.evaluation : s->id.doc.evaluation;
	return found_u64(f, have >= x->limits->min_evaluation, NULL, have);
}
