/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a switch, forward and back.  Everything before the first reset can be put back, and is; from then on the journal says what to do. */
#include "gpu/ccmode_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

struct job {
	const struct host *h;
	const struct ccmode_opts *o;
	struct ccmode_set *s;
	struct ccjournal_dir *dir;
	struct ccjournal *j;
	bool kept;		/* the journal holds knobs of a call before this one */
};

static void let_go(const struct ccmode_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		mmio_close(&s->v[i].m);
		fd_close(&s->v[i].lock);
	}
}

void ccmode_set_free(struct ccmode_set *s)
{
	let_go(s);
	free(s->v);
	*s = (struct ccmode_set){ 0 };
}

bool ccmode_pending(const struct host *h, const char *journal)
{
	AUTO_CCJOURNAL_DIR d = CCJOURNAL_DIR_INIT;

	return ccjournal_open(&d, h, journal, false, NULL) == 0 && ccjournal_there(&d);
}

/* --- before anything changes ----------------------------------------------------------------------------------------- */

static int take(struct ccmode_set *s, const struct gpu_pci *v, size_t n, struct err *e)
{
	if (!n || n > CCMODE_DEVICES_MAX)
		return err_set(e, EC_USAGE, "%zu devices to switch, wanted 1 to %d", n, CCMODE_DEVICES_MAX);
	s->v = calloc(n, sizeof *s->v);
	if (!s->v)
		return err_oom(e);
	for (size_t i = 0; i < n; i++) {
		struct ccmode_device *d = &s->v[i];

		for (size_t k = 0; k < i; k++)
			if (pci_addr_eq(&v[k].addr, &v[i].addr))
				return err_set(e, EC_USAGE, "device %s is named twice", v[i].bdf);
		d->pci = v[i];
		d->lock = -1;
		s->n = i + 1;
	}
	return 0;
}

/* A lock that does not depend on where the journal is: on a file that every PCI function has. */
static int lock_device(struct ccmode_device *d, const struct host *h, struct err *e)
{
	char path[96];

	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/vendor", d->pci.bdf);
	d->lock = host_open(h, path, O_RDONLY, e);
	if (d->lock < 0)
		return -1;
	if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_sys(e, EC_IO, "cannot lock '%s'", path);
	err_set(e, EC_IO, "%s: another mode switch is working on it", d->pci.bdf);
	return err_hint(e, "wait until it has ended");
}

/* Taken off without --unbind is only what an interrupted switch took off, and will put back. */
static bool may_unbind(const struct job *b, size_t i)
{
	return b->o->unbind || (b->j && i < b->j->n && b->j->v[i].driver[0]);
}

static int check_driver(const struct job *b, size_t i, struct err *e)
{
	const struct gpu_pci *g = &b->s->v[i].pci;

	if (ccmode_driver_is_idle(g->driver))
		return 0;
	if (b->o->dry_run) {
		err_set(e, EC_REFUSED, "%s: driver '%s' is bound, so its settings cannot be read", g->bdf, g->driver);
		return err_hint(e, "a dry run changes nothing: unbind the driver yourself, or leave out --dry-run");
	}
	if (!may_unbind(b, i)) {
		err_set(e, EC_REFUSED, "%s: driver '%s' is bound, which loses the GPU when its mode is switched", g->bdf, g->driver);
		return err_hint(e, "stop what uses the GPUs, then --unbind takes the driver off and binds it again");
	}
	return 0;
}

static int check_reset(const struct job *b, const struct gpu_pci *g, struct err *e)
{
	char path[96];

	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/reset", g->bdf);
	if (b->o->no_reset || host_exists(b->h, path))
		return 0;
	err_set(e, EC_ABSENT, "%s: the kernel knows no way to reset it ('%s' is missing)", g->bdf, path);
	return err_hint(e, "in a VM the host has to do this; else --no-reset stages the mode, and a power cycle applies it");
}

static int check_ppcie_set(const struct job *b, enum ccmode to, struct err *e)
{
	size_t gpus = 0, switches = 0;

	if (to != CCMODE_PPCIE || b->o->partial || b->j->partial)
		return 0;
	for (size_t i = 0; i < b->s->n; i++)
		*(b->s->v[i].pci.is_switch ? &switches : &gpus) += 1;
	if (gpus == PPCIE_GPUS && switches == PPCIE_SWITCHES)
		return 0;
	err_set(e, EC_REFUSED, "protected PCIe takes %d GPUs and %d NVSwitches together, here are %zu and %zu", PPCIE_GPUS, PPCIE_SWITCHES, gpus, switches);
	return err_hint(e, "--all takes every device of this machine; --allow-partial switches fewer, which attestation will not accept as a group");
}

static int check_all(const struct job *b, enum ccmode to, struct err *e)
{
	for (size_t i = 0; i < b->s->n; i++)
		if (lock_device(&b->s->v[i], b->h, e) || check_driver(b, i, e) || check_reset(b, &b->s->v[i].pci, e))
			return -1;
	if (!b->kept && check_ppcie_set(b, to, e))
		return -1;
	for (size_t i = 0; i < b->s->n; i++)
		if (ccmode_check_users(b->h, &b->s->v[i].pci, e))
			return -1;
	return 0;
}

/* --- opening --------------------------------------------------------------------------------------------------------- */

static int open_regs(struct mmio *m, const struct gpu_regs **r, const struct job *b, const struct gpu_pci *g, bool writable, struct err *e)
{
	return (b->o->open ? b->o->open : mmio_open)(m, b->h, g, writable, e) || gpu_regs_of(r, m, g, e) ? -1 : 0;
}

static int open_device(const struct job *b, size_t i, struct err *e)
{
	struct ccmode_device *d = &b->s->v[i];
	struct err late = { 0 };

	if (open_regs(&d->m, &d->r, b, &d->pci, true, e))
		return -1;
	d->fsp = (struct fsp){ .m = &d->m, .r = d->r, .h = b->h };
	if (gpu_wait_boot(&d->m, d->r, b->h, &late))
		host_log(b->h, LOG_WARN, "%s: %s; going on", d->pci.bdf, late.msg);
	if (gpu_hw_state(&d->now, &d->m, d->r, e))
		return err_ctx(e, "%s", d->pci.bdf);
	d->has_now = true;
	if (!d->has_was)
		d->was = d->now;
	d->has_was = true;
	return 0;
}

static bool has_mode(const struct ccmode_device *d, enum ccmode to, struct err *e)
{
	if (to == CCMODE_PPCIE ? d->r->has_ppcie : d->pci.is_switch || d->r->chip != CHIP_LS10)
		return true;
	err_set(e, EC_ABSENT, "%s: %s has no mode '%s'", d->pci.bdf, gpu_chip_word(d->r->chip), ccmode_word(to));
	err_hint(e, "no device was switched; --device names those that can be");
	return false;
}

static bool in_set(const struct ccmode_set *s, const struct gpu_pci *g)
{
	for (size_t i = 0; i < s->n; i++)
		if (pci_addr_eq(&s->v[i].pci.addr, &g->addr))
			return true;
	return false;
}

/* Leaving protected PCIe with a part of the group would break the rest.  Looks at the others, reading only. */
static int check_others(const struct job *b, enum ccmode to, struct err *e)
{
	AUTO_GPU_LIST list = { 0 };
	bool leaving = false;

	for (size_t i = 0; i < b->s->n; i++)
		leaving |= b->s->v[i].now.ppcie;
	if (!leaving || to == CCMODE_PPCIE || b->o->partial || b->j->partial || b->kept)
		return 0;
	if (gpu_list(&list, b->h, e))
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		AUTO_MMIO m = { 0 };
		const struct gpu_regs *r;
		struct hw_state st;
		struct err why = { 0 };

		if (in_set(b->s, &list.v[i]) || (!list.v[i].is_switch && strncmp(gpu_family(&list.v[i]), "Hopper", 6)))
			continue;
		if (open_regs(&m, &r, b, &list.v[i], false, &why) == 0 && gpu_hw_state(&st, &m, r, &why) == 0 && !st.ppcie)
			continue;
		err_set(e, EC_REFUSED, "%s %s", list.v[i].bdf, why.code ? "may be in the protected PCIe group too, and cannot be asked" :
			"is in the protected PCIe group too, and would stay behind");
		return err_hint(e, "--all takes every device out of the group; --allow-partial does it one by one");
	}
	return 0;
}

/* What stands in the journal was there before the switch; what the knobs say now may be half of it. */
static void take_old(struct ccmode_device *d, const struct ccjournal_device *old)
{
	for (size_t i = 0; i < d->n_w; i++)
		for (size_t k = 0; k < old->n_knobs; k++)
			if (old->knob[k].id == d->w[i].knob)
				d->w[i].from = old->knob[k].old;
}

static void settle_resets(const struct job *b, enum ccmode to)
{
	bool any = false, group = to == CCMODE_PPCIE;

	for (size_t i = 0; i < b->s->n; i++) {
		struct ccmode_device *d = &b->s->v[i];
		const bool was_reset = b->kept && b->j->v[i].reset;

		d->needs_reset = !ccmode_state_is(d, to);
		for (size_t k = 0; k < d->n_w; k++)
			d->needs_reset |= d->w[k].from != d->w[k].to && !was_reset;
		any |= d->needs_reset;
		group |= d->was.ppcie;
	}
	for (size_t i = 0; any && group && i < b->s->n; i++)
		b->s->v[i].needs_reset = true;
}

static int open_all(const struct job *b, enum ccmode to, struct err *e)
{
	for (size_t i = 0; i < b->s->n; i++)
		if (open_device(b, i, e) || !has_mode(&b->s->v[i], to, e))
			return -1;
	if (check_others(b, to, e))
		return -1;
	for (size_t i = 0; i < b->s->n; i++) {
		if (ccmode_plan(&b->s->v[i], to, e))
			return -1;
		if (b->kept)
			take_old(&b->s->v[i], &b->j->v[i]);
	}
	settle_resets(b, to);
	return 0;
}

/* --- the journal ------------------------------------------------------------------------------------------------------ */

static int mark(const struct job *b, enum ccstep step, struct err *e)
{
	b->j->step = step;
	b->j->resets |= step == CCSTEP_RESET;
	if (ccjournal_save(b->dir, b->j, b->h, e))
		return -1;
	CCSTEP_AT(b->o, "journal", "");
	return 0;
}

static void describe(struct ccjournal_device *j, const struct ccmode_device *d)
{
	snprintf(j->bdf, sizeof j->bdf, "%s", d->pci.bdf);
	j->vendor = d->pci.vendor;
	j->device = d->pci.device;
	snprintf(j->driver, sizeof j->driver, "%s", d->driver);
	j->has_was = d->has_was;
	j->was = d->was;
	j->n_knobs = d->n_w;
	for (size_t i = 0; i < d->n_w; i++) {
		j->knob[i].id = (uint16_t)d->w[i].knob;
		j->knob[i].old = d->w[i].from;
	}
}

static void describe_all(const struct job *b)
{
	b->j->n = b->s->n;
	for (size_t i = 0; i < b->s->n; i++)
		describe(&b->j->v[i], &b->s->v[i]);
}

/* --- drivers ---------------------------------------------------------------------------------------------------------- */

static bool any_driver(const struct job *b)
{
	for (size_t i = 0; i < b->s->n; i++)
		if (b->s->v[i].driver[0])
			return true;
	return false;
}

/* Devices are let go first: a driver finds power control as it was. */
static int bind_all(const struct job *b, struct err *e)
{
	struct err first = { 0 };

	for (size_t i = 0; i < b->s->n; i++)
		mmio_close(&b->s->v[i].m);
	for (size_t i = 0; i < b->s->n; i++)
		if (b->s->v[i].driver[0] && ccmode_bind(b->h, b->s->v[i].pci.bdf, b->s->v[i].driver, b->o, first.code ? NULL : &first) &&
		    !first.code)
			first.code = EC_IO;
	if (!first.code)
		return 0;
	if (e)
		*e = first;
	return -1;
}

static int unbind_all(const struct job *b, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < b->s->n; i++) {
		struct ccmode_device *d = &b->s->v[i];

		if (!ccmode_driver_is_idle(d->pci.driver))
			snprintf(d->driver, sizeof d->driver, "%s", d->pci.driver);
		else if (b->j->n == b->s->n && !d->pci.driver[0])
			snprintf(d->driver, sizeof d->driver, "%s", b->j->v[i].driver);	/* taken off by the call before */
		any |= !ccmode_driver_is_idle(d->pci.driver);
	}
	if (!any)
		return 0;
	if (!b->kept)
		describe_all(b);
	for (size_t i = 0; i < b->s->n; i++)
		snprintf(b->j->v[i].driver, sizeof b->j->v[i].driver, "%s", b->s->v[i].driver);
	if (mark(b, b->kept ? b->j->step : CCSTEP_UNBIND, e))
		return -1;
	for (size_t i = 0; i < b->s->n; i++)
		if (!ccmode_driver_is_idle(b->s->v[i].pci.driver) && ccmode_unbind(b->h, b->s->v[i].pci.bdf, b->o, e))
			return -1;
	return 0;
}

/* --- saying how it ended ------------------------------------------------------------------------------------------------ */

/* Its registers are mapped, and it said which chip it is. */
static bool is_open(const struct ccmode_device *d)
{
	return d->m.read32 && d->r;
}

static void put_states(struct buf *text, const struct ccmode_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct ccmode_device *d = &s->v[i];

		if (is_open(d))
			d->has_now = gpu_hw_state(&d->now, &d->m, d->r, NULL) == 0;
		buf_printf(text, "%s%s %s", i ? ", " : "", d->pci.bdf, d->has_now ? ccmode_active_word(&d->now) : d->m.read32 ? "does not answer" : "unknown");
	}
}

/* The failure, what runs in which mode now, and that the journal waits. */
static int stays(const struct job *b, struct err *e)
{
	struct err was = { .code = EC_IO };
	AUTO_BUF now = { .max = 4096 };

	if (!e)
		return -1;
	if (e->code)
		was = *e;
	put_states(&now, b->s);
	err_set(e, was.code, "%s; now %s", was.msg, buf_cstr(&now));
	return err_hint(e, "%s%s'gpu-ccmode set --resume' goes on, 'set --rollback' puts the old mode back; %sjournal '%s' stays until then", was.hint,
			was.hint[0] ? "; then " : "", any_driver(b) ? "drivers stay off and " : "", b->dir->path);
}

/* Before the first reset: puts back what was staged and bound.  The error is told, with what became of it. */
static int put_back(const struct job *b, struct err *e)
{
	struct err own = { 0 }, why = e && e->code ? *e : (struct err){ .code = EC_IO };
	bool staged = false;
	int rc = 0;

	for (size_t i = 0; i < b->s->n && !rc; i++) {
		struct ccmode_device *d = &b->s->v[i];
		bool touched = b->kept;

		for (size_t k = 0; k < d->n_w; k++)
			touched |= d->w[k].written;
		if (!touched || !b->j->v[i].n_knobs)
			continue;
		staged = true;
		if (!is_open(d))
			rc = err_set(&own, EC_IO, "%s cannot be asked", d->pci.bdf);
		if (rc)
			break;
		rc = ccmode_plan_back(d, &b->j->v[i], &own) || ccmode_stage(d, b->o, &own);
	}
	if (!rc)
		rc = bind_all(b, &own);
	if (!rc && b->dir->dir >= 0)
		rc = ccjournal_remove(b->dir, &own);
	if (!e)
		return -1;
	if (rc) {
		err_set(e, why.code, "%s; and it could not be put back: %s", why.msg, own.msg);
		return err_hint(e, "'gpu-ccmode set --rollback' tries again; the journal '%s' stays until then", b->dir->path);
	}
	err_set(e, why.code, "%s; %s", why.msg, staged ? "no device was switched, and what was staged has been put back" : "nothing was changed");
	return why.hint[0] ? err_hint(e, "%s", why.hint) : -1;
}

/* --- reset and verify ---------------------------------------------------------------------------------------------------- */

static int reset_devices(const struct job *b, struct err *e)
{
	for (size_t i = 0; i < b->s->n; i++) {
		struct ccmode_device *d = &b->s->v[i];

		if (!d->needs_reset)
			continue;
		host_log(b->h, LOG_INFO, "%s: resetting", d->pci.bdf);
		CCSTEP_AT(b->o, "reset", d->pci.bdf);
		if (d->m.reset(d->m.arg, e))
			return err_ctx(e, "%s", d->pci.bdf);
		d->reset = true;
		d->fsp.ready = false;
		CCSTEP_AT(b->o, "was reset", d->pci.bdf);
	}
	for (size_t i = 0; i < b->s->n; i++) {
		struct ccmode_device *d = &b->s->v[i];

		if (d->reset && gpu_wait_boot(&d->m, d->r, b->h, e))
			return err_ctx(e, "%s", d->pci.bdf);
		if (gpu_hw_state(&d->now, &d->m, d->r, e))
			return err_ctx(e, "%s", d->pci.bdf);
		b->j->v[i].reset |= d->reset;
	}
	return 0;
}

/* The mode that these old knobs mean; a rolled back device has to run in it. */
static bool is_old_mode(const struct ccmode_device *d, const struct ccjournal_device *old)
{
	unsigned mode = 0;
	bool ppcie = false;

	if (!d->reset)
		return d->now.mode == old->was.mode && d->now.ppcie == old->was.ppcie;
	for (size_t i = 0; i < old->n_knobs; i++) {
		mode |= (unsigned)(old->knob[i].id == KNOB_CCM && old->knob[i].old) | (unsigned)(old->knob[i].id == KNOB_CCD && old->knob[i].old) << 1;
		ppcie |= old->knob[i].id == KNOB_PPCIE && old->knob[i].old;
	}
	return d->now.ppcie == ppcie && (d->pci.is_switch || (unsigned)d->now.mode == mode);
}

static int verify(const struct job *b, struct err *e)
{
	for (size_t i = 0; i < b->s->n; i++) {
		const struct ccmode_device *d = &b->s->v[i];

		if (b->j->rollback ? is_old_mode(d, &b->j->v[i]) : ccmode_state_is(d, b->j->to))
			continue;
		err_set(e, EC_REFUSED, "%s: after its reset it runs in mode '%s', wanted %s%s%s", d->pci.bdf, ccmode_active_word(&d->now),
			b->j->rollback ? "the one before" : "'", b->j->rollback ? "" : ccmode_word(b->j->to), b->j->rollback ? "" : "'");
		return err_hint(e, "the platform owner may have disabled in-band control: see 'gpu-ccmode query --settings'");
	}
	return 0;
}

static int finish(const struct job *b, struct err *e)
{
	if (any_driver(b) && mark(b, CCSTEP_REBIND, e))
		return stays(b, e);
	if (bind_all(b, e))
		return stays(b, e);
	if (ccjournal_remove(b->dir, e))
		return stays(b, e);
	CCSTEP_AT(b->o, "done", "");
	return 0;
}

/* No knob was touched, only drivers were taken off: the journal stays at that step, from where either way is open to the next call. */
static int leave_as_it_was(const struct job *b, struct err *e)
{
	if (bind_all(b, e) || ccjournal_remove(b->dir, e))
		return stays(b, e);
	CCSTEP_AT(b->o, "done", "");
	return 0;
}

static int apply(const struct job *b, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < b->s->n; i++)
		any |= b->s->v[i].needs_reset;
	if (b->j->no_reset && !b->j->rollback)
		return finish(b, e);
	if (any && (mark(b, CCSTEP_RESET, e) || reset_devices(b, e)))
		return stays(b, e);
	return verify(b, e) ? stays(b, e) : finish(b, e);
}

/* --- forward ------------------------------------------------------------------------------------------------------------ */

static bool anything_to_do(const struct job *b)
{
	for (size_t i = 0; i < b->s->n; i++) {
		const struct ccmode_device *d = &b->s->v[i];

		if (d->needs_reset && !b->j->no_reset)
			return true;
		for (size_t k = 0; k < d->n_w; k++)
			if (d->w[k].from != d->w[k].to)
				return true;
	}
	return b->kept;
}

static int forward(const struct job *b, struct err *e)
{
	const bool late = b->kept && b->j->resets;	/* devices may run in either mode: nothing is put back by itself any more */

	if (unbind_all(b, e) || open_all(b, b->j->to, e))
		return late ? stays(b, e) : put_back(b, e);
	if (!anything_to_do(b))
		return leave_as_it_was(b, e);
	if (!b->kept)
		describe_all(b);
	b->j->rollback = false;
	if (mark(b, late ? CCSTEP_RESET : CCSTEP_STAGE, e))
		return late ? stays(b, e) : put_back(b, e);
	for (size_t i = 0; i < b->s->n; i++)
		if (ccmode_stage(&b->s->v[i], b->o, e))
			return late ? stays(b, e) : put_back(b, e);
	return apply(b, e);
}

static int pending(const struct ccjournal_dir *d, struct err *e)
{
	err_set(e, EC_REFUSED, "an earlier mode switch did not end: '%s' is its journal", d->path);
	return err_hint(e, "'gpu-ccmode set --resume' finishes it, 'gpu-ccmode set --rollback' undoes it");
}

int ccmode_set(struct ccmode_set *ret, const struct host *h, const struct gpu_pci *v, size_t n, const struct ccmode_opts *o, struct err *e)
{
	AUTO_CCJOURNAL_DIR dir = CCJOURNAL_DIR_INIT;
	struct ccjournal j = { .to = o->to, .no_reset = o->no_reset, .partial = o->partial };
	struct job b = { .h = h, .o = o, .s = ret, .dir = &dir, .j = &j };
	struct err le = { 0 };
	int rc;

	if (take(ret, v, n, e))
		return -1;
	if (ccjournal_open(&dir, h, o->journal, !o->dry_run, &le) && !(o->dry_run && le.code == EC_ABSENT)) {
		if (e)
			*e = le;
		return -1;
	}
	if (dir.dir >= 0 && ccjournal_there(&dir))
		return pending(&dir, e);
	rc = check_all(&b, o->to, e) || (o->dry_run ? open_all(&b, o->to, e) : forward(&b, e)) ? -1 : 0;
	let_go(ret);
	return rc;
}

/* --- after an interruption ----------------------------------------------------------------------------------------------- */

static const struct gpu_pci *find(const struct gpu_list *l, const char *bdf)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].bdf, bdf))
			return &l->v[i];
	return NULL;
}

static int take_journal(struct ccmode_set *ret, const struct host *h, const struct ccjournal_dir *d, const struct ccjournal *j, struct err *e)
{
	struct gpu_pci v[CCMODE_DEVICES_MAX];
	AUTO_GPU_LIST list = { 0 };

	if (gpu_list(&list, h, e))
		return -1;
	for (size_t i = 0; i < j->n; i++) {
		const struct gpu_pci *g = find(&list, j->v[i].bdf);

		if (!g) {
			err_set(e, EC_ABSENT, "%s of the journal '%s' is not on the PCI bus", j->v[i].bdf, d->path);
			return err_hint(e, "echo 1 >/sys/bus/pci/rescan may bring it back; if it is gone for good, delete the journal");
		}
		if (g->vendor != j->v[i].vendor || g->device != j->v[i].device) {
			err_set(e, EC_REFUSED, "%s is %04x:%04x, the journal '%s' is about %04x:%04x", g->bdf, (unsigned)g->vendor, (unsigned)g->device,
				d->path, (unsigned)j->v[i].vendor, (unsigned)j->v[i].device);
			return err_hint(e, "the machine was changed: look at 'gpu-ccmode query', then delete the journal");
		}
		v[i] = *g;
	}
	if (take(ret, v, j->n, e))
		return -1;
	for (size_t i = 0; i < j->n; i++) {
		ret->v[i].has_was = j->v[i].has_was;
		ret->v[i].was = j->v[i].was;
		snprintf(ret->v[i].driver, sizeof ret->v[i].driver, "%s", j->v[i].driver);
	}
	return 0;
}

static int open_journal(struct job *b, struct err *e)
{
	AUTO_CCJOURNAL_DIR look = CCJOURNAL_DIR_INIT;
	struct err le = { 0 };

	if (ccjournal_open(&look, b->h, b->o->journal, false, &le)) {
		if (le.code == EC_ABSENT)
			return err_set(e, EC_ABSENT, "no mode switch is pending: there is no journal");
		if (e)
			*e = le;
		return -1;
	}
	if (!ccjournal_there(&look))
		return err_set(e, EC_ABSENT, "no mode switch is pending: there is no '%s'", look.path);
	if (ccjournal_open(b->dir, b->h, b->o->journal, true, e) || ccjournal_load(b->j, b->dir, e) ||
	    take_journal(b->s, b->h, b->dir, b->j, e))
		return -1;
	b->kept = b->j->step > CCSTEP_UNBIND;
	return 0;
}

static bool only_binding_left(const struct job *b, bool rollback)
{
	return b->j->step == CCSTEP_REBIND && b->j->rollback == rollback;
}

int ccmode_resume(struct ccmode_set *ret, enum ccmode *to, const struct host *h, const struct ccmode_opts *o, struct err *e)
{
	AUTO_CCJOURNAL_DIR dir = CCJOURNAL_DIR_INIT;
	struct ccjournal j = { 0 };
	struct job b = { .h = h, .o = o, .s = ret, .dir = &dir, .j = &j };
	int rc;

	if (open_journal(&b, e))
		return -1;
	if (to)
		*to = j.to;
	if (only_binding_left(&b, false))
		rc = finish(&b, e);
	else
		rc = check_all(&b, j.to, e) || forward(&b, e) ? -1 : 0;
	let_go(ret);
	return rc;
}

/* Devices that do not answer do not keep the others from being put back. */
static int restore_all(const struct job *b, struct err *e)
{
	struct err first = { 0 }, own;

	for (size_t i = 0; i < b->s->n; i++) {
		struct ccmode_device *d = &b->s->v[i];
		const struct ccjournal_device *old = &b->j->v[i];

		own = (struct err){ 0 };
		if (open_device(b, i, &own) || ccmode_plan_back(d, old, &own) || ccmode_stage(d, b->o, &own)) {
			first = first.code ? first : own;
			continue;
		}
		d->needs_reset = d->now.mode != old->was.mode || d->now.ppcie != old->was.ppcie || (b->j->resets && ccmode_differs(old, b->j->to));
	}
	if (!first.code)
		return 0;
	if (e)
		*e = first;
	return -1;
}

static int back(const struct job *b, struct err *e)
{
	bool any = false, group = b->j->to == CCMODE_PPCIE;

	if (unbind_all(b, e))
		return stays(b, e);
	b->j->rollback = true;
	for (size_t i = 0; i < b->j->n; i++)
		b->j->v[i].reset = false;
	if (mark(b, b->j->resets ? CCSTEP_RESET : CCSTEP_STAGE, e) || restore_all(b, e))
		return stays(b, e);
	for (size_t i = 0; i < b->s->n; i++) {
		any |= b->s->v[i].needs_reset;
		group |= b->s->v[i].was.ppcie;
	}
	for (size_t i = 0; any && group && i < b->s->n; i++)
		b->s->v[i].needs_reset = true;
	return apply(b, e);
}

int ccmode_rollback(struct ccmode_set *ret, enum ccmode *to, const struct host *h, const struct ccmode_opts *o, struct err *e)
{
	AUTO_CCJOURNAL_DIR dir = CCJOURNAL_DIR_INIT;
	struct ccjournal j = { 0 };
	struct job b = { .h = h, .o = o, .s = ret, .dir = &dir, .j = &j };
	int rc;

	if (open_journal(&b, e))
		return -1;
	if (to)
		*to = j.to;
	if (!b.kept)
		rc = leave_as_it_was(&b, e);
	else if (only_binding_left(&b, true))
		rc = finish(&b, e);
	else
		rc = check_all(&b, j.to, e) || back(&b, e) ? -1 : 0;
	let_go(ret);
	return rc;
}

/* --- settings ---------------------------------------------------------------------------------------------------------- */

int ccmode_settings_of(struct ccmode_knob ret[static CCMODE_KNOBS_MAX], size_t *n, struct hw_state *st, const struct host *h, const struct gpu_pci *g,
		       const struct ccmode_opts *o, struct err *e)
{
	AUTO_CCMODE_SET s = { 0 };
	struct job b = { .h = h, .o = o, .s = &s };

	if (take(&s, g, 1, e) || lock_device(&s.v[0], h, e))
		return -1;
	if (!ccmode_driver_is_idle(g->driver)) {
		err_set(e, EC_REFUSED, "%s: driver '%s' is bound, and talks to the firmware itself", g->bdf, g->driver);
		return err_hint(e, "settings are read while no driver is bound");
	}
	if (ccmode_check_users(h, g, e) || open_device(&b, 0, e))
		return -1;
	if (ccmode_settings(ret, n, &s.v[0].fsp, e))
		return err_ctx(e, "%s", g->bdf);
	*st = s.v[0].now;
	return 0;
}
