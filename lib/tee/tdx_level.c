/* SPDX-License-Identifier: Apache-2.0 */
/* What Intel's documents make of a machine (cpu-tee.md 4.6, 8 to 13): see tdx_tcb.h. */

#include <stdio.h>

#include "tee/tdx_tcb.h"

enum { SVN_MODULE = 0, SVN_MAJOR = 1 };		/* in tee_tcb_svn */

const struct tdx_module *tdx_module_of(const struct tdx_tcb_info *t, const uint8_t svn[static 16])
{
	char id[8];

	if (svn[SVN_MAJOR] == 0)
		return &t->module;
	snprintf(id, sizeof id, "TDX_%02X", svn[SVN_MAJOR]);
	for (size_t i = 0; i < t->n_modules; i++)
		if (!strcmp(t->modules[i].id, id))
			return &t->modules[i];
	return NULL;
}

const struct svn_level *svn_level_of(const struct svn_levels *l, uint32_t svn)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].isvsvn <= svn)
			return &l->v[i];
	return NULL;
}

/* A module of major version 1 or more has levels of its own, so the first two SVNs are compared there. */
static bool matches(const struct tcb_level *l, const struct tdx_pck *pck, const uint8_t svn[static 16])
{
	const bool own_levels = svn[SVN_MAJOR] > 0;

	for (size_t i = 0; i < 16; i++)
		if (pck->component[i] < l->sgx[i])
			return false;
	if (pck->pcesvn < l->pcesvn)
		return false;
	if (!own_levels && l->tdx[SVN_MAJOR] != svn[SVN_MAJOR])
		return false;
	for (size_t i = own_levels ? 2 : 0; i < 16; i++)
		if (svn[i] < l->tdx[i])
			return false;
	return true;
}

static const struct tcb_level *platform_level(const struct tdx_tcb_info *t, const struct tdx_pck *pck, const uint8_t svn[static 16])
{
	for (size_t i = 0; i < t->n_levels; i++)
		if (matches(&t->levels[i], pck, svn))
			return &t->levels[i];
	return NULL;
}

enum tcb_status tcb_converge(enum tcb_status with, enum tcb_status other)
{
	if (with == TCB_NOT_SUPPORTED || other == TCB_NOT_SUPPORTED)
		return TCB_NOT_SUPPORTED;
	if (with == TCB_REVOKED || other == TCB_REVOKED)
		return TCB_REVOKED;
	if (other != TCB_OUT_OF_DATE && other != TCB_OUT_OF_DATE_CONFIGURATION)
		return with;
	if (with == TCB_UP_TO_DATE || with == TCB_SW_HARDENING)
		return other;
	if (with == TCB_CONFIGURATION || with == TCB_CONFIGURATION_SW)
		return TCB_OUT_OF_DATE_CONFIGURATION;
	return with;
}

static void take_advisory(struct tcb_verdict *v, const char *id)
{
	for (size_t i = 0; i < v->n_advisories; i++)
		if (!strcmp(v->advisories[i], id))
			return;
	if (v->n_advisories < sizeof v->advisories / sizeof v->advisories[0])
		v->advisories[v->n_advisories++] = id;
}

static void take_state(struct tcb_verdict *v, const struct tcb_state *s)
{
	if (v->date == 0 || s->date < v->date)
		v->date = s->date;
	for (const struct json *a = json_first(s->advisories); a; a = json_next(a))
		take_advisory(v, json_string(a));
}

struct side {			/* one set of TDX SVNs */
	const struct tcb_level *platform;
	const struct svn_level *module;
	enum tcb_status status;
};

static struct side judge(struct tcb_verdict *v, const struct tdx_tcb_info *t, const struct tdx_pck *pck, const uint8_t svn[static 16])
{
	const struct tdx_module *m = tdx_module_of(t, svn);
	struct side s = { .platform = platform_level(t, pck, svn) };

	s.status = s.platform && m ? s.platform->state.status : TCB_NOT_SUPPORTED;
	if (s.platform)
		take_state(v, &s.platform->state);
	if (!m || svn[SVN_MAJOR] == 0)
		return s;
	s.module = svn_level_of(&m->levels, svn[SVN_MODULE]);
	if (s.module)
		take_state(v, &s.module->state);
	s.status = tcb_converge(s.status, s.module ? s.module->state.status : TCB_NOT_SUPPORTED);
	return s;
}

static bool is_outdated(enum tcb_status s)
{
	return s == TCB_OUT_OF_DATE || s == TCB_OUT_OF_DATE_CONFIGURATION;
}

static bool wants_configuration(enum tcb_status s)
{
	return s == TCB_CONFIGURATION || s == TCB_CONFIGURATION_SW || s == TCB_OUT_OF_DATE_CONFIGURATION;
}

/* The module was updated under a running TD: what is out of date at launch and good now asks for a new launch.  The other way
 * round the worse of the two counts. */
static enum tcb_status relaunch(enum tcb_status launch, enum tcb_status now)
{
	if (launch == TCB_NOT_SUPPORTED || launch == TCB_REVOKED || now == TCB_NOT_SUPPORTED || now == TCB_REVOKED)
		return tcb_converge(launch, now);
	if (is_outdated(launch) && !is_outdated(now))
		return wants_configuration(launch) || wants_configuration(now) ? TCB_RELAUNCH_CONFIGURATION : TCB_RELAUNCH;
	if (launch == TCB_UP_TO_DATE || now == TCB_UP_TO_DATE)
		return launch == TCB_UP_TO_DATE ? now : launch;
	if (!is_outdated(launch) && !is_outdated(now) && launch != now)
		return TCB_CONFIGURATION_SW;
	return tcb_converge(launch, now);
}

void tdx_tcb_appraise(struct tcb_verdict *ret, const struct tdx_tcb_info *t, const struct tdx_qe_identity *id, const struct tdx_pck *pck,
		      const uint8_t launch[static 16], const uint8_t *now, uint16_t qe_isvsvn)
{
	struct tcb_verdict v = { 0 };
	const struct side first = judge(&v, t, pck, launch);
	enum tcb_status qe = TCB_UP_TO_DATE;

	if (id) {
		v.qe = svn_level_of(&id->levels, qe_isvsvn);
		qe = v.qe ? v.qe->state.status : TCB_NOT_SUPPORTED;
		if (v.qe)
			take_state(&v, &v.qe->state);
	}
	v.platform = first.platform;
	v.module = first.module;
	v.launch = v.status = tcb_converge(first.status, qe);
	if (now) {
		const struct side second = judge(&v, t, pck, now);

		v.platform_now = second.platform;
		v.module_now = second.module;
		v.current = tcb_converge(second.status, qe);
		v.status = relaunch(v.launch, v.current);
	}
	*ret = v;
}
