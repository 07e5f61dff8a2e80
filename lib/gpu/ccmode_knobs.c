/* SPDX-License-Identifier: Apache-2.0 */
/* What a mode means in knobs, and writing them.  The order is that of nvidia-gpu.md 5.4: devtools (6) never stands without confidential mode (8),
 * which would be the invalid mode 2. */
#include "gpu/ccmode_int.h"

const char *ccmode_word(enum ccmode m)
{
	static const char *const words[N_CCMODES] = {
		[CCMODE_OFF] = "off", [CCMODE_ON] = "on", [CCMODE_DEVTOOLS] = "devtools", [CCMODE_PPCIE] = "ppcie",
	};

	return (size_t)m < N_CCMODES ? words[m] : "unknown";
}

const char *ccmode_active_word(const struct hw_state *st)
{
	if (st->mode == HW_INVALID)
		return "invalid";
	if (st->ppcie && st->mode == HW_OFF)
		return "ppcie";
	return st->ppcie ? "invalid" : st->mode == HW_OFF ? "off" : st->mode == HW_ON ? "on" : "devtools";
}

enum {	/* which devices a line is for */
	ON_GPU = 1, ON_SWITCH = 2,
	IF_BAR0 = 4,		/* has the BAR0 knob */
	IF_PPCIE = 8		/* has the PPCIE knob */
};
struct line {
	enum knob knob;
	uint16_t to;
	unsigned where;
};
static const struct line lines[N_CCMODES][CCMODE_WRITES_MAX] = {
	[CCMODE_ON] = {
		{ KNOB_2, 0, ON_GPU }, { KNOB_4, 0, ON_GPU }, { KNOB_34, 0, ON_GPU }, { KNOB_PPCIE, 0, ON_GPU | ON_SWITCH | IF_PPCIE },
		{ KNOB_BAR0, 2, ON_GPU | IF_BAR0 }, { KNOB_CCM, 1, ON_GPU }, { KNOB_CCD, 0, ON_GPU },
	},
	[CCMODE_DEVTOOLS] = {
		{ KNOB_2, 0, ON_GPU }, { KNOB_4, 0, ON_GPU }, { KNOB_34, 0, ON_GPU }, { KNOB_PPCIE, 0, ON_GPU | ON_SWITCH | IF_PPCIE },
		{ KNOB_BAR0, 0, ON_GPU | IF_BAR0 }, { KNOB_CCM, 1, ON_GPU }, { KNOB_CCD, 1, ON_GPU },
	},
	/* "off" leaves no confidential mode on: PPCIE goes too. */
	[CCMODE_OFF] = {
		{ KNOB_BAR0, 0, ON_GPU | IF_BAR0 }, { KNOB_CCD, 0, ON_GPU }, { KNOB_CCM, 0, ON_GPU },
		{ KNOB_PPCIE, 0, ON_GPU | ON_SWITCH | IF_PPCIE },
	},
	[CCMODE_PPCIE] = {
		{ KNOB_2, 0, ON_GPU | ON_SWITCH }, { KNOB_4, 0, ON_GPU | ON_SWITCH }, { KNOB_34, 0, ON_GPU | ON_SWITCH },
		{ KNOB_CCD, 0, ON_GPU | ON_SWITCH }, { KNOB_CCM, 0, ON_GPU | ON_SWITCH }, { KNOB_BAR0, 2, ON_GPU | IF_BAR0 },
		{ KNOB_PPCIE, 1, ON_GPU | ON_SWITCH | IF_PPCIE },
	},
};

static bool applies(const struct ccmode_device *d, const struct line *l)
{
	return l->where & (d->pci.is_switch ? ON_SWITCH : ON_GPU) && (!(l->where & IF_BAR0) || d->r->has_bar0_knob) &&
	       (!(l->where & IF_PPCIE) || d->r->has_ppcie);
}

static int too_old(const struct ccmode_device *d, const struct line *l, struct err *e)
{
	err_set(e, EC_DENIED, "%s: its firmware does not know '%s' (knob %d)", d->pci.bdf, knob_name(l->knob), (int)l->knob);
	return err_hint(e, "the firmware is too old for this mode: update the VBIOS");
}

/* The knob before each of ours says whether software in the running system may change it. */
static int check_allowed(struct ccmode_device *d, enum knob k, struct err *e)
{
	const enum knob allow = (enum knob)(k - 1);
	uint16_t may;
	bool known;

	if (fsp_read_knob(&may, &known, &d->fsp, allow, e))
		return -1;
	if (!known || may)
		return 0;
	err_set(e, EC_DENIED, "%s: in-band control of '%s' (knob %d) is disabled by the platform owner (knob %d is 0)", d->pci.bdf, knob_name(k), (int)k,
		(int)allow);
	return err_hint(e, "it has to be allowed, or the mode set, from outside of this system (BMC)");
}

static int plan_one(struct ccmode_device *d, const struct line *l, struct err *e)
{
	uint16_t now;
	bool known;

	if (fsp_read_knob(&now, &known, &d->fsp, l->knob, e))
		return -1;
	if (!known)
		return l->to == 0 ? 0 : too_old(d, l, e);	/* what firmware does not know is not on */
	if (now != l->to && check_allowed(d, l->knob, e))
		return -1;
	d->w[d->n_w++] = (struct ccmode_write){ .knob = l->knob, .from = now, .to = l->to };
	return 0;
}

int ccmode_plan(struct ccmode_device *d, enum ccmode to, struct err *e)
{
	d->n_w = 0;
	for (size_t i = 0; i < CCMODE_WRITES_MAX && lines[to][i].knob; i++)
		if (applies(d, &lines[to][i]) && plan_one(d, &lines[to][i], e))
			return err_ctx(e, "cannot prepare %s", d->pci.bdf);
	return 0;
}

static const uint16_t *old_of(const struct ccjournal_device *old, enum knob k)
{
	for (size_t i = 0; i < old->n_knobs; i++)
		if (old->knob[i].id == k)
			return &old->knob[i].old;
	return NULL;
}

bool ccmode_differs(const struct ccjournal_device *old, enum ccmode to)
{
	for (size_t i = 0; i < CCMODE_WRITES_MAX && lines[to][i].knob; i++) {
		const uint16_t *v = old_of(old, lines[to][i].knob);

		if (v && *v != lines[to][i].to)
			return true;
	}
	return false;
}

/* What goes away first, what comes back last; with devtools inside confidential mode. */
int ccmode_plan_back(struct ccmode_device *d, const struct ccjournal_device *old, struct err *e)
{
	static const enum knob on[] = { KNOB_PPCIE, KNOB_BAR0, KNOB_CCM, KNOB_CCD, KNOB_34, KNOB_4, KNOB_2 };
	static const enum knob off[] = { KNOB_CCD, KNOB_CCM, KNOB_BAR0, KNOB_PPCIE, KNOB_34, KNOB_4, KNOB_2 };
	const uint16_t *ccm = old_of(old, KNOB_CCM);
	const enum knob *order = ccm && *ccm ? on : off;

	d->n_w = 0;
	for (size_t i = 0; i < sizeof on / sizeof on[0]; i++) {
		const uint16_t *to = old_of(old, order[i]);
		uint16_t now;

		if (!to)
			continue;
		if (fsp_read_knob(&now, NULL, &d->fsp, order[i], e))
			return err_ctx(e, "cannot prepare %s", d->pci.bdf);
		d->w[d->n_w++] = (struct ccmode_write){ .knob = order[i], .from = now, .to = *to };
	}
	return 0;
}

static int write_one(struct ccmode_device *d, struct ccmode_write *w, const struct ccmode_opts *o, struct err *e)
{
	uint16_t now;

	if (fsp_read_knob(&now, NULL, &d->fsp, w->knob, e))
		return -1;
	if (now == w->to)
		return 0;
	CCSTEP_AT(o, "write", d->pci.bdf);
	if (fsp_write_knob(&d->fsp, w->knob, w->to, e))
		return -1;
	w->written = true;
	CCSTEP_AT(o, "written", d->pci.bdf);
	if (fsp_read_knob(&now, NULL, &d->fsp, w->knob, e))
		return -1;
	if (now == w->to)
		return 0;
	err_set(e, EC_DENIED, "the firmware took %u for '%s' (knob %d) and still says %u", (unsigned)w->to, knob_name(w->knob), (int)w->knob, (unsigned)now);
	return err_hint(e, "in-band control may be disabled by the platform owner: see 'gpu-ccmode query --settings'");
}

int ccmode_stage(struct ccmode_device *d, const struct ccmode_opts *o, struct err *e)
{
	for (size_t i = 0; i < d->n_w; i++)
		if (write_one(d, &d->w[i], o, e))
			return err_ctx(e, "%s", d->pci.bdf);
	return 0;
}

bool ccmode_state_is(const struct ccmode_device *d, enum ccmode to)
{
	static const enum hw_mode modes[N_CCMODES] = {
		[CCMODE_OFF] = HW_OFF, [CCMODE_ON] = HW_ON, [CCMODE_DEVTOOLS] = HW_DEVTOOLS, [CCMODE_PPCIE] = HW_OFF,
	};

	if (d->now.ppcie != (to == CCMODE_PPCIE))
		return false;
	return d->pci.is_switch || d->now.mode == modes[to];
}

/* --- settings ------------------------------------------------------------------------------------------------------ */

int ccmode_settings(struct ccmode_knob ret[static CCMODE_KNOBS_MAX], size_t *n, struct fsp *f, struct err *e)
{
	static const struct {
		enum knob id;
		enum { ALWAYS, BAR0, PPCIE } needs;
	} list[CCMODE_KNOBS_MAX] = {	/* in the order of nvidia_gpu_tools */
		{ KNOB_CCM, ALWAYS }, { KNOB_CCM_ALLOW, ALWAYS }, { KNOB_CCD, ALWAYS }, { KNOB_CCD_ALLOW, ALWAYS }, { KNOB_BAR0, BAR0 },
		{ KNOB_BAR0_ALLOW, BAR0 }, { KNOB_PPCIE, PPCIE }, { KNOB_PPCIE_ALLOW, PPCIE },
	};
	struct ccmode_knob v[CCMODE_KNOBS_MAX];
	size_t k = 0;

	for (size_t i = 0; i < CCMODE_KNOBS_MAX; i++) {
		const bool ppcie = list[i].needs == PPCIE;

		if ((ppcie && !f->r->has_ppcie) || (list[i].needs == BAR0 && !f->r->has_bar0_knob) || (!ppcie && f->r->chip == CHIP_LS10))
			continue;
		v[k] = (struct ccmode_knob){ .id = list[i].id, .ppcie = ppcie };
		if (fsp_read_knob(&v[k].value, &v[k].known, f, list[i].id, e))
			return -1;
		k++;
	}
	memcpy(ret, v, k * sizeof v[0]);
	*n = k;
	return 0;
}
