/* SPDX-License-Identifier: Apache-2.0 */
/* gpu-ccmode set - switch the mode of devices, all or none */

#include "codec/out.h"
#include "gpu/ccmode.h"
#include "verbs.h"

struct set_args {
	struct opt_list device;
	bool all, no_reset, unbind, dry_run, resume, rollback, partial;
	const char *journal;
};
#define args set_args
static const struct opt opts[] = {
	OPT_LIST('d', "device", device, "BDF", "switch this PCI device"),
	OPT_FLAG('a', "all", all, "switch every NVIDIA GPU and NVSwitch of this machine"),
	OPT_FLAG(0, "no-reset", no_reset, "only store the settings: the mode becomes active with the next reset of the device"),
	OPT_FLAG(0, "unbind", unbind, "take a bound driver off first, and bind it again afterwards"),
	OPT_FLAG('n', "dry-run", dry_run, "read the settings and print what would be written; change nothing"),
	OPT_FLAG(0, "resume", resume, "finish a switch that was interrupted"),
	OPT_FLAG(0, "rollback", rollback, "undo a switch that was interrupted"),
	OPT_STR(0, "journal", journal, "DIR", "folder of the journal (default: " CCMODE_JOURNAL_DIR "); it has to outlast a reboot"),
	OPT_FLAG(0, "allow-partial", partial, "protected PCIe on other than 8 GPUs and 4 NVSwitches, or off on some of them"),
	OPT_END
};
#undef args

/* --- which devices ------------------------------------------------------------------------------------------------- */

static int mode_word(enum ccmode *ret, const char *word, struct err *e)
{
	for (enum ccmode m = 0; m < N_CCMODES; m++)
		if (!strcmp(word, ccmode_word(m))) {
			*ret = m;
			return 0;
		}
	return err_set(e, EC_USAGE, "'%.40s' is no mode, wanted on, off, devtools or ppcie", word);
}

static const struct gpu_pci *find(const struct gpu_list *l, const struct pci_addr *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (pci_addr_eq(&l->v[i].addr, a))
			return &l->v[i];
	return NULL;
}

static int choose(struct gpu_pci *ret, size_t *n, const struct gpu_list *l, const struct set_args *a, struct err *e)
{
	*n = 0;
	for (size_t i = 0; a->all && i < l->n; i++) {
		if (*n == CCMODE_DEVICES_MAX)
			return err_set(e, EC_USAGE, "more than %d devices here: name them by --device", CCMODE_DEVICES_MAX);
		ret[(*n)++] = l->v[i];
	}
	for (size_t i = 0; i < a->device.n; i++) {
		const struct gpu_pci *g;
		struct pci_addr addr;

		if (pci_addr_parse(&addr, a->device.v[i], e))
			return -1;
		g = find(l, &addr);
		if (!g) {
			err_set(e, EC_ABSENT, "no NVIDIA GPU or NVSwitch at '%s'", a->device.v[i]);
			return err_hint(e, "'cvmbox gpu-ccmode query' lists those of this machine");
		}
		ret[(*n)++] = *g;
	}
	if (*n)
		return 0;
	err_set(e, EC_ABSENT, l->no_pci ? "no NVIDIA GPU seen: '/sys/bus/pci' is not there" : "no NVIDIA GPU or NVSwitch on the PCI bus");
	return err_hint(e, l->no_pci ? "is sysfs mounted at /sys?" : "in a VM: was the GPU passed through?");
}

static int usage(const struct ctx *cx, struct err *e)
{
	const struct set_args *a = cx->args;
	const bool again = a->resume || a->rollback;

	if (a->resume && a->rollback)
		return err_set(e, EC_USAGE, "--resume and --rollback contradict each other");
	if (again && (cx->argc || a->all || a->device.n || a->no_reset || a->dry_run))
		return err_set(e, EC_USAGE, "%s takes mode and devices from the journal: leave them out", a->resume ? "--resume" : "--rollback");
	if (again)
		return 0;
	if (!cx->argc)
		return err_set(e, EC_USAGE, "which mode? on, off, devtools or ppcie");
	if (!a->all == !a->device.n) {
		err_set(e, EC_USAGE, a->all ? "--all and --device contradict each other" : "which devices? --device BDF, or --all");
		return err_hint(e, "'cvmbox gpu-ccmode query' lists those of this machine");
	}
	return 0;
}

/* --- what became of them --------------------------------------------------------------------------------------------- */

static bool changes(const struct ccmode_device *d)
{
	for (size_t i = 0; i < d->n_w; i++)
		if (d->w[i].from != d->w[i].to)
			return true;
	return false;
}

static void add_device(struct json *list, const struct ccmode_device *d)
{
	struct json *o = json_add_object(list, NULL), *w;

	json_add_str(o, "bdf", d->pci.bdf);
	json_add_str(o, "kind", d->pci.is_switch ? "nvswitch" : "gpu");
	json_add_fmt(o, "pci_id", "%04x:%04x", (unsigned)d->pci.vendor, (unsigned)d->pci.device);
	json_add_str(o, "chip", d->r ? gpu_chip_word(d->r->chip) : NULL);
	json_add_str(o, "mode_before", d->has_was ? ccmode_active_word(&d->was) : NULL);
	json_add_str(o, "mode", d->has_now ? ccmode_active_word(&d->now) : NULL);
	json_add_bool(o, "reset", d->reset);
	json_add_str(o, "driver", d->driver[0] ? d->driver : d->pci.driver[0] ? d->pci.driver : NULL);
	w = json_add_array(o, "settings");
	for (size_t i = 0; i < d->n_w; i++) {
		struct json *k = json_add_object(w, NULL);

		json_add_str(k, "name", knob_name(d->w[i].knob));
		json_add_u64(k, "knob", (uint64_t)d->w[i].knob);
		json_add_u64(k, "from", d->w[i].from);
		json_add_u64(k, "to", d->w[i].to);
		json_add_bool(k, "written", d->w[i].written);
	}
}

static void put_device(struct out *out, const struct ccmode_device *d, bool dry_run)
{
	const char *was = d->has_was ? ccmode_active_word(&d->was) : "unknown", *now = d->has_now ? ccmode_active_word(&d->now) : "unknown";
	const bool moved = strcmp(was, now) != 0;
	bool first = true;

	buf_printf(&out->text, "%s  %s  %s%s%s", d->pci.bdf, d->r ? gpu_chip_word(d->r->chip) : gpu_family(&d->pci), was, moved ? " -> " : "",
		   moved ? now : "");
	for (size_t i = 0; i < d->n_w; i++) {
		const struct ccmode_write *w = &d->w[i];

		if (dry_run ? w->from == w->to : !w->written)
			continue;
		buf_printf(&out->text, "%s%s (knob %d) %u -> %u", first ? dry_run ? "  would write " : "  wrote " : ", ", knob_name(w->knob), (int)w->knob,
			   (unsigned)w->from, (unsigned)w->to);
		first = false;
	}
	if (dry_run && d->needs_reset)
		buf_puts(&out->text, first ? "  would be reset" : ", would be reset");
	else if (first && !d->reset)
		buf_puts(&out->text, "  nothing to change");
	if (d->reset)
		buf_puts(&out->text, first ? "  was reset" : ", was reset");
	buf_byte(&out->text, '\n');
}

static void report(const struct ctx *cx, const struct ccmode_set *s, enum ccmode to)
{
	const struct set_args *a = cx->args;
	struct json *claims = cx->out->claims, *list;
	bool seen = cx->json;

	for (size_t i = 0; i < s->n; i++)
		seen |= s->v[i].has_was || s->v[i].has_now;
	if (!s->n || !seen)
		return;
	json_add_str(claims, "target", ccmode_word(to));
	json_add_str(claims, "action", a->resume ? "resume" : a->rollback ? "rollback" : a->dry_run ? "dry-run" : a->no_reset ? "stage" : "set");
	list = json_add_array(claims, "devices");
	for (size_t i = 0; i < s->n; i++)
		add_device(list, &s->v[i]);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].has_was || s->v[i].has_now)
			put_device(cx->out, &s->v[i], a->dry_run);
}

static void conclude(const struct ctx *cx, const struct ccmode_set *s, enum ccmode to)
{
	const struct set_args *a = cx->args;
	const char *plural = s->n == 1 ? "" : "s";
	bool any = false, active = true;

	for (size_t i = 0; i < s->n; i++) {
		any |= s->v[i].reset || changes(&s->v[i]);
		active &= !s->v[i].needs_reset || s->v[i].reset;
	}
	if (a->dry_run)
		out_verdict(cx->out, "dry run: nothing was changed");
	else if (a->rollback)
		out_verdict(cx->out, "the switch to '%s' was undone (%zu device%s)", ccmode_word(to), s->n, plural);
	else if (!active)
		out_verdict(cx->out, "confidential mode set to %s (%zu device%s). It will be active after GPU reset.", ccmode_word(to), s->n, plural);
	else
		out_verdict(cx->out, "confidential mode: %s (%zu device%s%s)", ccmode_word(to), s->n, plural, any || a->resume ? "" : ", as before");
}

static int act(struct ccmode_set *s, enum ccmode *to, const struct ctx *cx, struct err *e)
{
	const struct set_args *a = cx->args;
	const struct ccmode_opts o = { .to = *to, .dry_run = a->dry_run, .no_reset = a->no_reset, .unbind = a->unbind, .partial = a->partial,
				       .journal = a->journal };
	struct gpu_pci v[CCMODE_DEVICES_MAX + sizeof a->device.v / sizeof a->device.v[0]];
	AUTO_GPU_LIST l = { 0 };
	size_t n;

	if (a->resume)
		return ccmode_resume(s, to, cx->host, &o, e);
	if (a->rollback)
		return ccmode_rollback(s, to, cx->host, &o, e);
	if (gpu_list(&l, cx->host, e) || choose(v, &n, &l, a, e))
		return -1;
	return ccmode_set(s, cx->host, v, n, &o, e);
}

static int run_set(const struct ctx *cx, struct err *e)
{
	AUTO_CCMODE_SET s = { 0 };
	enum ccmode to = CCMODE_OFF;
	int rc;

	if (usage(cx, e) || (cx->argc && mode_word(&to, cx->argv[0], e)))
		return -1;
	rc = act(&s, &to, cx, e);
	report(cx, &s, to);
	if (!rc)
		conclude(cx, &s, to);
	return rc;
}

const struct verb verb_ccmode_set = {
	.name = "set", .summary = "switch the mode of devices, all or none", .operands = "[on|off|devtools|ppcie]", .opts = opts,
	.args_size = sizeof(struct set_args), .max_operands = 1, .run = run_set,
};
