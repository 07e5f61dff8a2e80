/* SPDX-License-Identifier: Apache-2.0 */
/* gpu-ccmode query - in which confidential-compute mode the NVIDIA GPUs of this machine run, and (--settings) will run after a reset */

#include "codec/out.h"
#include "gpu/ccmode.h"
#include "verbs.h"

struct query_args {
	const char *device;
	bool settings;
};
#define args query_args
static const struct opt opts[] = {
	OPT_STR('d', "device", device, "BDF", "look at this PCI device only (default: every NVIDIA GPU and NVSwitch)"),
	OPT_FLAG(0, "settings", settings, "ask the firmware for the settings that the next reset applies (devices without driver only)"),
	OPT_END
};
#undef args

/* What a device's registers say where no driver could be asked. */
struct seen {
	bool read;
	struct hw_state st;
};
struct view {
	struct gpu_states s;
	struct seen *regs;	/* as many as s.n */
};

static const char *mode_of(const struct view *w, size_t i)
{
	return w->regs[i].read ? ccmode_active_word(&w->regs[i].st) : gpu_mode_word(w->s.v[i].mode);
}

static bool told(const struct view *w, size_t i)
{
	return w->regs[i].read || w->s.v[i].answer == GPU_ANSWERED;
}

/* --- words ------------------------------------------------------------------------------------------------- */

#define WORD(list, value) word((const char *const[]){ list, NULL }, value)
#define CPU_WORDS "none", "sev", "tdx", "sev-snp", "sev-snp-vtom"
#define GPU_WORDS "none", "apm", "hcc"
#define ENVIRONMENT_WORDS "unavailable", "simulation", "production"
#define FEATURE_WORDS "off", "apm", "hcc"
#define ROTATION_WORDS "off", "kernel", "user", "both"
#define MULTI_WORDS "none", "ppcie", "nvle"

static const char *word(const char *const *list, unsigned value)
{
	for (unsigned i = 0; list[i]; i++)
		if (i == value)
			return list[i];
	return "unnamed";
}

static const char *capability(const struct view *w, size_t i)
{
	if (w->regs[i].read)
		return WORD(GPU_WORDS, RM_CC_GPU_HCC);	/* only chips that have the mode have the register */
	return w->s.v[i].answer == GPU_ANSWERED ? WORD(GPU_WORDS, w->s.cc.gpu) : "unknown";
}

static const char *architecture(uint32_t a)	/* spec 1.5, MC_GET_ARCH_INFO */
{
	return a == 0x180 ? "hopper" : a == 0x1a0 ? "blackwell" : NULL;
}

static const char *null_if_empty(const char *s)
{
	return s[0] ? s : NULL;
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

static void add_cc(struct json *claims, const struct gpu_states *s)
{
	const struct rm_cc *c = &s->cc;
	struct json *o;

	if (!s->has_cc) {
		json_add_null(claims, "confidential_compute");
		return;
	}
	o = json_add_object(claims, "confidential_compute");
	json_add_bool(o, "interface", c->known);
	json_add_str(o, "cpu_capability", WORD(CPU_WORDS, c->cpu));
	json_add_str(o, "gpu_capability", WORD(GPU_WORDS, c->gpu));
	json_add_str(o, "environment", WORD(ENVIRONMENT_WORDS, c->environment));
	json_add_str(o, "feature", WORD(FEATURE_WORDS, c->feature));
	json_add_bool(o, "devtools", c->devtools != 0);
	json_add_str(o, "multi_gpu", WORD(MULTI_WORDS, c->multi_gpu));
	json_add_bool(o, "ready", c->ready);
	json_add_hex(o, "raw", slice_of((const uint8_t[]){ c->cpu, c->gpu, c->environment, c->feature, c->devtools,
							   c->multi_gpu }, 6));
}

/* What its VBIOS's manifest is named by, and what the confidential mode gives it; null: this driver does not tell. */
static void add_board(struct json *o, const struct rm_gpu_info *i)
{
	char rim[96];

	json_add_str(o, "board", null_if_empty(i->board));
	json_add_str(o, "serial", null_if_empty(i->serial));
	json_add_str(o, "project", null_if_empty(i->project));
	json_add_str(o, "project_sku", null_if_empty(i->project_sku));
	json_add_str(o, "chip_sku", null_if_empty(i->chip_sku));
	json_add_str(o, "vbios_rim", rm_vbios_rim(rim, i) ? rim : NULL);
	if (i->has_channels) {
		json_add_u64(o, "sec2_channels", i->sec2_channels);
		json_add_u64(o, "ce_channels", i->ce_channels);
	} else {
		json_add_null(o, "sec2_channels");
		json_add_null(o, "ce_channels");
	}
	if (i->has_key_rotation)
		json_add_str(o, "key_rotation", WORD(ROTATION_WORDS, i->key_rotation));
	else
		json_add_null(o, "key_rotation");
}

static void add_gpu(struct json *gpus, const struct view *w, size_t i)
{
	const struct gpu_states *s = &w->s;
	const struct gpu_state *g = &s->v[i];
	struct json *o = json_add_object(gpus, NULL);

	json_add_str(o, "bdf", g->pci.bdf);
	json_add_str(o, "kind", g->pci.is_switch ? "nvswitch" : "gpu");
	json_add_str(o, "name", null_if_empty(g->info.name));
	json_add_str(o, "family", gpu_family(&g->pci));
	json_add_fmt(o, "pci_id", "%04x:%04x", (unsigned)g->pci.vendor, (unsigned)g->pci.device);
	json_add_bool(o, "in_sysfs", g->in_sysfs);
	json_add_str(o, "driver", null_if_empty(g->pci.driver));
	json_add_bool(o, "answered", g->answer == GPU_ANSWERED);
	json_add_str(o, "cc_capability", capability(w, i));
	json_add_str(o, "mode", mode_of(w, i));
	json_add_str(o, "mode_source", w->regs[i].read ? "registers" : g->answer == GPU_ANSWERED ? "driver" : NULL);
	if (g->answer == GPU_ANSWERED)
		json_add_bool(o, "ready", s->cc.ready);
	else
		json_add_null(o, "ready");
	json_add_str(o, "uuid", null_if_empty(g->info.uuid));
	json_add_str(o, "vbios", null_if_empty(g->info.vbios));
	if (g->info.architecture && !architecture(g->info.architecture))
		json_add_fmt(o, "architecture", "0x%x", (unsigned)g->info.architecture);
	else
		json_add_str(o, "architecture", architecture(g->info.architecture));
	if (g->info.has_memory) {
		json_add_u64(o, "protected_kib", g->info.protected_kb);
		json_add_u64(o, "unprotected_kib", g->info.unprotected_kb);
	} else {
		json_add_null(o, "protected_kib");
		json_add_null(o, "unprotected_kib");
	}
	add_board(o, &g->info);
}

static void add_claims(struct json *claims, const struct view *w)
{
	const struct gpu_states *s = &w->s;
	struct json *gpus;

	json_add_str(claims, "driver_version", null_if_empty(s->driver_version));
	add_cc(claims, s);
	gpus = json_add_array(claims, "gpus");
	for (size_t i = 0; i < s->n; i++)
		add_gpu(gpus, w, i);
}

/* --- text ------------------------------------------------------------------------------------------------------ */

enum { COLUMNS = 6 };
struct row {
	char cell[COLUMNS][160];
};

static const char *capable(const struct view *w, size_t i)
{
	const char *word = capability(w, i);

	return !told(w, i) ? "?" : !strcmp(word, "hcc") ? "yes" : !strcmp(word, "none") ? "no" : word;
}

static void fill(struct row *r, const struct view *w, size_t at)
{
	const struct gpu_states *s = &w->s;
	const struct gpu_state *g = &s->v[at];
	const bool answered = g->answer == GPU_ANSWERED;
	const char *const cells[COLUMNS - 2] = {
		capable(w, at), mode_of(w, at), answered ? s->cc.ready ? "yes" : "no" : "?", g->pci.driver[0] ? g->pci.driver : "none"
	};
	const bool nvidia = !g->pci.is_switch && strcmp(g->pci.driver, "nvidia") == 0 && s->driver_version[0];

	snprintf(r->cell[0], sizeof r->cell[0], "%s", g->pci.bdf);
	if (g->info.name[0])
		snprintf(r->cell[1], sizeof r->cell[1], "%s", g->info.name);
	else
		snprintf(r->cell[1], sizeof r->cell[1], "%s [%04x:%04x]", gpu_family(&g->pci), (unsigned)g->pci.vendor,
			 (unsigned)g->pci.device);
	for (size_t i = 0; i < COLUMNS - 2; i++)
		snprintf(r->cell[i + 2], sizeof r->cell[0], "%s%s%s", cells[i], nvidia && i == COLUMNS - 3 ? " " : "",
			 nvidia && i == COLUMNS - 3 ? s->driver_version : "");
}

static void put_row(struct buf *text, const struct row *r, const size_t *w)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		const bool last = i == COLUMNS - 1;

		buf_printf(text, "%-*s%s", last ? 0 : (int)w[i], r->cell[i], last ? "\n" : "  ");
	}
}

static void put_details(struct buf *text, const struct gpu_state *g)
{
	const struct rm_gpu_info *i = &g->info;
	char rim[96];

	if (g->answer != GPU_ANSWERED)
		return;
	buf_printf(text, "%*s%s, VBIOS %s", (int)strlen(g->pci.bdf) + 2, "", i->uuid[0] ? i->uuid : "no UUID",
		   i->vbios[0] ? i->vbios : "unknown");
	if (i->has_memory)
		buf_printf(text, ", memory %llu MiB protected and %llu MiB not", (unsigned long long)(i->protected_kb >> 10),
			   (unsigned long long)(i->unprotected_kb >> 10));
	buf_byte(text, '\n');
	if (rm_vbios_rim(rim, i))
		buf_printf(text, "%*smanifest %s\n", (int)strlen(g->pci.bdf) + 2, "", rim);
}

static int put_table(struct buf *text, const struct view *v, bool details, struct err *e)
{
	const struct gpu_states *s = &v->s;
	static const struct row head = { { "BDF", "NAME", "CC-CAPABLE", "MODE", "READY", "DRIVER" } };
	struct row *rows = calloc(s->n + 1, sizeof *rows);
	size_t w[COLUMNS] = { 0 };

	if (!rows)
		return err_oom(e);
	rows[0] = head;
	for (size_t i = 0; i < s->n; i++)
		fill(&rows[i + 1], v, i);
	for (size_t i = 0; i <= s->n; i++)
		for (size_t k = 0; k < COLUMNS; k++)
			if (strlen(rows[i].cell[k]) > w[k])
				w[k] = strlen(rows[i].cell[k]);
	for (size_t i = 0; i <= s->n; i++) {
		put_row(text, &rows[i], w);
		if (i && details)
			put_details(text, &s->v[i - 1]);
	}
	free(rows);
	return buf_check(text, e);
}

/* --- findings -------------------------------------------------------------------------------------------------- */

static void finding(struct out *out, const char *id, enum check_result r, const struct gpu_state *g, const char *text,
		    const char *hint)
{
	char line[1024];

	snprintf(line, sizeof line, "%s: %s", g->pci.bdf, text);
	out_check(out, id, r, NULL, line, g->pci.bdf, hint);
}

#define DEVTOOLS_TEXT "devtools mode: data on this GPU can be read by debuggers"
#define DEVTOOLS_HINT "for development only; appraisal refuses it unless a policy says otherwise"

/* What people have to know about one GPU; nothing when it answered and there is nothing to say. */
static void judge(struct out *out, const struct view *w, size_t i)
{
	const struct gpu_state *g = &w->s.v[i];
	const char *hint = null_if_empty(g->why.hint);

	if (!g->in_sysfs)
		finding(out, "gpu.sysfs", CHECK_WARN, g, "the driver lists this GPU, sysfs does not show it", NULL);
	if (w->regs[i].read && !strcmp(mode_of(w, i), "invalid"))
		finding(out, "gpu.mode", CHECK_WARN, g, "its mode register says 'invalid': a switch of its mode was interrupted",
			"'gpu-ccmode set off' (or on, devtools) repairs it");
	else if (w->regs[i].read && w->regs[i].st.mode == HW_DEVTOOLS)
		finding(out, "gpu.mode", CHECK_WARN, g, DEVTOOLS_TEXT, DEVTOOLS_HINT);
	else if (w->regs[i].read)
		return;
	else if (g->pci.is_switch)
		finding(out, "gpu.mode", CHECK_SKIP, g, g->why.msg, NULL);
	else if (g->answer == GPU_NOT_ASKED)
		finding(out, "gpu.driver", CHECK_WARN, g, g->why.msg, hint);
	else if (g->answer == GPU_FAILED)
		finding(out, "gpu.answer", CHECK_FAIL, g, g->why.msg, hint);
	else if (g->mode == GPU_MODE_UNKNOWN)
		finding(out, "gpu.mode", CHECK_WARN, g, g->mode_why ? g->mode_why : "mode unknown", NULL);
	else if (g->mode == GPU_MODE_DEVTOOLS)
		finding(out, "gpu.mode", CHECK_WARN, g, DEVTOOLS_TEXT, DEVTOOLS_HINT);
}

/* One word for all, when they agree. */
static void conclude(struct out *out, const struct view *w)
{
	size_t gpus = 0, unknown = 0, answered = 0;
	const char *mode = NULL;
	bool differ = false;
	char text[64];

	for (size_t i = 0; i < w->s.n; i++) {
		const char *m = mode_of(w, i);

		if (w->s.v[i].pci.is_switch)
			continue;
		gpus++;
		answered += told(w, i);
		if (!strcmp(m, gpu_mode_word(GPU_MODE_UNKNOWN))) {
			unknown++;
			continue;
		}
		differ |= mode && strcmp(mode, m);
		mode = m;
	}
	if (!gpus)
		return;
	if (answered == gpus) {
		snprintf(text, sizeof text, "%zu of %zu GPU%s answered", answered, gpus, gpus == 1 ? "" : "s");
		out_check(out, "gpu.answer", CHECK_PASS, NULL, text, NULL, NULL);
	}
	if (unknown || differ)
		out_verdict(out, "confidential mode: %s (%zu of %zu GPUs)", unknown ? "unknown" : "mixed",
			    unknown ? unknown : gpus, gpus);
	else
		out_verdict(out, "confidential mode: %s (%zu GPU%s)", mode, gpus, gpus == 1 ? "" : "s");
}

/* A bound GPU that does not answer fails the call: a script must not take the others for all there is. */
static int any_failed(const struct gpu_states *s, struct err *e)
{
	const struct gpu_state *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].answer != GPU_FAILED)
			continue;
		first = first ? first : &s->v[i];
		n++;
	}
	if (!first)
		return 0;
	if (n == 1)
		err_set(e, EC_IO, "GPU %s does not answer: %s", first->pci.bdf, first->why.msg);
	else
		err_set(e, EC_IO, "%zu GPUs do not answer, the first is %s: %s", n, first->pci.bdf, first->why.msg);
	if (first->why.hint[0])
		err_hint(e, "%s", first->why.hint);
	return -1;
}

static int nothing_found(const struct gpu_states *s, const char *device, struct err *e)
{
	if (device) {
		err_set(e, EC_ABSENT, "no NVIDIA GPU or NVSwitch at '%s'", device);
		return err_hint(e, "'cvmbox gpu-ccmode query' lists those of this machine");
	}
	if (s->no_pci) {
		err_set(e, EC_ABSENT, "no NVIDIA GPU seen: '/sys/bus/pci' is not there");
		return err_hint(e, "is sysfs mounted at /sys?");
	}
	if (s->n)
		return err_set(e, EC_ABSENT, "no NVIDIA GPU, only %zu NVSwitch device%s", s->n, s->n == 1 ? "" : "s");
	err_set(e, EC_ABSENT, "no NVIDIA GPU on the PCI bus (vendor 0x10de, class 0x0300 or 0x0302)");
	return err_hint(e, "in a VM: was the GPU passed through?");
}

/* --- registers --------------------------------------------------------------------------------------------------- */

/* Only where no driver runs the device, and only what can be read without waking it. */
static int look(struct view *w, const struct host *h, struct err *e)
{
	w->regs = calloc(w->s.n + 1, sizeof *w->regs);
	if (!w->regs)
		return err_oom(e);
	for (size_t i = 0; i < w->s.n; i++) {
		const struct gpu_state *g = &w->s.v[i];
		const struct gpu_regs *r;
		AUTO_MMIO m = { 0 };
		struct err why = { 0 };

		if (!g->in_sysfs || g->answer != GPU_NOT_ASKED || !ccmode_driver_is_idle(g->pci.driver))
			continue;
		if (mmio_open(&m, h, &g->pci, false, &why) || gpu_regs_of(&r, &m, &g->pci, &why) || gpu_hw_state(&w->regs[i].st, &m, r, &why))
			host_log(h, LOG_INFO, "registers: %s", why.msg);
		else
			w->regs[i].read = true;
	}
	return 0;
}

static void view_free(struct view *w)
{
	gpu_states_free(&w->s);
	free(w->regs);
}

/* --- settings ---------------------------------------------------------------------------------------------------- */

static void put_settings(const struct ctx *cx, struct json *list, const struct gpu_pci *g, const struct hw_state *st, const struct ccmode_knob *k, size_t n)
{
	static const char prefix[] = "ppcie-";
	struct json *o = json_add_object(list, NULL), *part[2] = { NULL, NULL };

	json_add_str(o, "bdf", g->bdf);
	json_add_str(o, "mode", ccmode_active_word(st));
	out_text(cx->out, "%s %s: mode is %s", g->bdf, gpu_family(g), ccmode_active_word(st));
	for (size_t i = 0; i < n; i++) {
		const char *name = knob_name(k[i].id);

		if (!part[k[i].ppcie]) {
			part[k[i].ppcie] = json_add_object(o, k[i].ppcie ? "ppcie_settings" : "cc_settings");
			out_text(cx->out, "%s %s settings:", g->bdf, k[i].ppcie ? "PPCIe" : "CC");
		}
		if (k[i].ppcie && !strncmp(name, prefix, sizeof prefix - 1))
			name += sizeof prefix - 1;
		if (k[i].known) {
			json_add_u64(part[k[i].ppcie], name, k[i].value);
			out_text(cx->out, "  %s = %u", name, (unsigned)k[i].value);
		} else {
			json_add_null(part[k[i].ppcie], name);
			out_text(cx->out, "  %s: not known to this firmware", name);
		}
	}
}

#define SETTINGS "settings"

static int settings(const struct ctx *cx, const struct pci_addr *only, struct err *e)
{
	const struct ccmode_opts o = { 0 };
	AUTO_GPU_LIST l = { 0 };
	struct err first = { 0 };
	struct json *list;
	size_t seen = 0;

	if (gpu_list(&l, cx->host, e))
		return -1;
	list = json_add_array(cx->out->claims, SETTINGS);
	for (size_t i = 0; i < l.n; i++) {
		struct ccmode_knob k[CCMODE_KNOBS_MAX];
		struct hw_state st;
		struct err why = { 0 };
		size_t n;

		if (only && !pci_addr_eq(only, &l.v[i].addr))
			continue;
		seen++;
		if (ccmode_settings_of(k, &n, &st, cx->host, &l.v[i], &o, &why) == 0) {
			put_settings(cx, list, &l.v[i], &st, k, n);
			continue;
		}
		out_check(cx->out, "gpu.settings", CHECK_FAIL, NULL, why.msg, l.v[i].bdf, null_if_empty(why.hint));
		if (!first.code)
			first = why;
	}
	if (!json_count(list) && !cx->json)
		json_remove(cx->out->claims, SETTINGS);
	if (!seen)
		return nothing_found(&(const struct gpu_states){ .no_pci = l.no_pci }, only ? ((const struct query_args *)cx->args)->device : NULL, e);
	if (!first.code)
		return 0;
	*e = first;
	return -1;
}

/* --- the verb ------------------------------------------------------------------------------------------------------ */

static void pending(const struct ctx *cx)
{
	if (ccmode_pending(cx->host, NULL))
		out_check(cx->out, "gpu.switch", CHECK_WARN, NULL, "an earlier switch of the mode did not end", CCMODE_JOURNAL_DIR,
			  "'gpu-ccmode set --resume' finishes it, 'gpu-ccmode set --rollback' undoes it");
}

static int run_query(const struct ctx *cx, struct err *e)
{
	const struct query_args *a = cx->args;
	__attribute__((cleanup(view_free))) struct view w = { 0 };
	struct gpu_states *s = &w.s;
	struct pci_addr only;
	bool any_gpu = false;

	if (a->device && pci_addr_parse(&only, a->device, e))
		return -1;
	if (a->settings)
		return settings(cx, a->device ? &only : NULL, e);
	if (gpu_states(s, cx->host, a->device ? &only : NULL, e) || look(&w, cx->host, e))
		return -1;
	if (s->n || cx->json)	/* people read the error instead of an empty list */
		add_claims(cx->out->claims, &w);
	for (size_t i = 0; i < s->n; i++) {
		judge(cx->out, &w, i);
		any_gpu |= !s->v[i].pci.is_switch;
	}
	pending(cx);
	if (s->n && put_table(&cx->out->text, &w, cx->host->verbosity > 0, e))
		return -1;
	conclude(cx->out, &w);
	if (!s->n || (!any_gpu && !a->device))
		return nothing_found(s, a->device, e);
	return any_failed(s, e);
}

const struct verb verb_ccmode_query = {
	.name = "query", .summary = "list the GPUs and the mode each one runs in", .operands = "", .opts = opts,
	.args_size = sizeof(struct query_args), .is_default = true, .run = run_query,
};
