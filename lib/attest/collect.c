/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of this machine: see collect.h. */

#include "attest/collect.h"
#include "attest/collect_gpu.h"
#include "attest/kinds.h"
#include "attest/machine.h"
#include "crypto/hash.h"
#include "evidence/bundle.h"
#include "gpu/nvgpu.h"
#include "tee/detect.h"
#include "tee/eventlog.h"

#define REPORT_DATA_LIMIT 64

static int name_missing(const struct json *machine, struct err *e)
{
	const struct json *m = json_first(json_get(machine, "missing"));
	const char *what = json_string(json_get(m, "what")), *hint = json_string(json_get(m, "hint"));

	err_set(e, EC_ABSENT, "no TEE found here: looked for configfs-tsm, /dev/sev-guest, /dev/tdx_guest, CPUID and ACPI CCEL");
	if (what && hint)
		return err_hint(e, "%s: %s", what, hint);
	return err_hint(e, "'attest detect' lists every signal");
}

static int no_such(const char *tee, struct err *e)
{
	AUTO_BUF names = { 0 };

	for (size_t i = 0; i < n_kinds; i++)
		if (kinds[i]->collect && !kinds[i]->join)
			buf_printf(&names, "%s%s", names.n ? ", " : "", kinds[i]->name);
	err_set(e, EC_ABSENT, "evidence of '%s' cannot be collected", tee);
	return err_hint(e, "this version collects %s", buf_cstr(&names));
}

int collect_pick(const char **ret, const struct host *h, const char *tee, struct err *e)
{
	AUTO_DETECTED d = { 0 };
	const struct evidence_kind *k;

	if (!tee || !strcmp(tee, "auto")) {
		if (detect(&d, h, e))
			return -1;
		if (!d.tee)
			return name_missing(d.machine, e);
		tee = d.tee;
	}
	k = kind_by_name(tee);
	if (k && k->join) {
		err_set(e, EC_USAGE, "'%s' is no TEE but devices in a machine", tee);
		return err_hint(e, "--tee none collects the evidence of GPUs alone");
	}
	if (!k || !k->collect)
		return no_such(tee, e);
	*ret = k->name;
	return 0;
}

/* The one report of this run, and the logs that explain its registers: read behind it, so that they hold what it holds. */
static int take(struct evidence *ret, const struct evidence_kind **kind, const struct host *h, const char *tee,
		const struct collect_how *how, struct slice report_data, struct err *e)
{
	const char *name;

	if (collect_pick(&name, h, tee, e))
		return -1;
	*kind = kind_by_name(name);
	if (report_data.n > REPORT_DATA_LIMIT)
		return err_set(e, EC_USAGE, "report data is %zu bytes, at most %d are possible", report_data.n, REPORT_DATA_LIMIT);
	if (how && (how->has_vmpl || how->svsm) && strcmp(name, "snp"))
		return err_set(e, EC_USAGE, "privilege levels and SVSM services are SEV-SNP's, and this is %s", name);
	host_log(h, LOG_INFO, "collecting %s evidence", (*kind)->title);
	ret->how = how;
	if ((*kind)->collect(ret, h, report_data, e))
		return err_ctx(e, "cannot collect %s evidence", name);
	/* a missing log is no failure: some firmware writes none */
	return strcmp(name, "sample") ? eventlog_collect(ret->logs, h, e) : 0;
}

int collect_evidence(struct json **ret, const struct host *h, const char *tee, struct slice report_data, struct err *e)
{
	AUTO_EVIDENCE ev = { 0 };
	const struct evidence_kind *k;

	if (take(&ev, &k, h, tee, NULL, report_data, e))
		return -1;
	return k->to_trustee(ret, &ev, e);
}

/* --- a bundle ------------------------------------------------------------------------------------------------- */

static int fill(struct bundle *b, const struct evidence *ev, struct err *e)
{
	b->evidence.v[0].data.n = 0;
	buf_slice(&b->evidence.v[0].data, buf_view(&ev->raw));
	if (buf_check(&b->evidence.v[0].data, e))
		return -1;
	if (ev->certs.n && bundle_add(&b->collateral, "snp.certtable", "host, with the report", b->created,
				      buf_view(&ev->certs), e))
		return -1;
	if (ev->manifest.n && bundle_add(&b->collateral, "snp.manifest", "SVSM, with the report (configfs manifestblob)", b->created,
					 buf_view(&ev->manifest), e))
		return -1;
	for (size_t i = 0; i < N_LOGS; i++)
		if (ev->logs[i].n && bundle_add(&b->event_logs, log_form_names[i], "", b->created, buf_view(&ev->logs[i]), e))
			return -1;
	return 0;
}

/* GPUs and NVSwitches, all for one nonce that derives from the bundle's: in front of everything, because their hashes enter the CPU's report data. */
static int add_devices(struct bundle *b, struct nv_party **keep, const struct host *h, const struct collect_opts *o, struct err *e)
{
	AUTO_BUF gpus = { .max = EVIDENCE_MAX };
	uint8_t nonce[32];

	if (bundle_nonce_for(nonce, "nvgpu", o->nonce, o->runtime_data, e) ||
	    (o->nvswitch.n && switches_check(o->nvswitch, nonce, e)) ||
	    gpus_collect(&gpus, keep, h, o->gpus, o->nvswitch.n > 0, slice_of(nonce, sizeof nonce), o->facts, e))
		return -1;
	if (!gpus.n && b->evidence.n == 0)
		return err_set(e, EC_ABSENT, "no NVIDIA GPU here, and --tee none leaves nothing else to ask");
	if (gpus.n && bundle_add(&b->evidence, "nvgpu", "", "", buf_view(&gpus), e))
		return -1;
	if (o->nvswitch.n && bundle_add(&b->evidence, "nvswitch", "", "", o->nvswitch, e))
		return -1;
	if (o->facts && (gpus.n || o->nvswitch.n))
		json_add_hex(o->facts, "gpu_nonce", slice_of(nonce, sizeof nonce));
	return 0;
}

static int add_cpu(struct bundle *b, const struct host *h, const struct collect_opts *o, const char *name, struct err *e)
{
	AUTO_EVIDENCE ev = { 0 };
	const struct evidence_kind *k;
	uint8_t rd[64];

	return bundle_report_data(rd, b, o->nonce, e) || take(&ev, &k, h, name, &o->how, slice_of(rd, sizeof rd), e) || fill(b, &ev, e) ? -1 : 0;
}

static bool devices_alone(const struct collect_opts *o)
{
	return o->tee && !strcmp(o->tee, "none");
}

static int check_opts(const struct collect_opts *o, struct err *e)
{
	if (o->nonce.n < BUNDLE_NONCE_MIN || o->nonce.n > BUNDLE_NONCE_MAX)
		return err_set(e, EC_USAGE, "nonce is %zu bytes, wanted %d to %d", o->nonce.n, BUNDLE_NONCE_MIN, BUNDLE_NONCE_MAX);
	if (o->runtime_data.n > BUNDLE_RUNTIME_MAX)
		return err_set(e, EC_USAGE, "runtime data is %zu bytes, at most %zu are bound", o->runtime_data.n, BUNDLE_RUNTIME_MAX);
	if (devices_alone(o) && gpus_none(o->gpus))
		return err_set(e, EC_USAGE, "--tee none and --gpus none leave nothing to collect");
	return 0;
}

int collect_bundle(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e)
{
	AUTO_BUNDLE b = { .nonce.max = BUNDLE_NONCE_MAX, .runtime_data.max = BUNDLE_RUNTIME_MAX };
	AUTO_NV_PARTY *keep = NULL;	/* until the machine is described, which asks the GPUs again */
	const char *name = NULL;

	if (check_opts(o, e))
		return -1;
	buf_slice(&b.nonce, o->nonce);
	buf_slice(&b.runtime_data, o->runtime_data);
	time_format(b.created, host_now(h));
	b.simulated = h->simulated;
	if (buf_check(&b.nonce, e) || buf_check(&b.runtime_data, e))
		return -1;
	if (!devices_alone(o) && (collect_pick(&name, h, o->tee, e) || bundle_add(&b.evidence, name, "", "", (struct slice){ 0 }, e)))
		return -1;
	if (add_devices(&b, &keep, h, o, e) || (name && add_cpu(&b, h, o, name, e)))
		return -1;
	b.machine = json_object();
	if (machine_describe(b.machine, "machine", NULL, h, e))
		return -1;
	return bundle_write(ret, &b, e);
}

/* --- the forms of others ---------------------------------------------------------------------------------------- */

/* The devices' report data, or, with the text of their evidence, the CPU's: see collect.h. */
static int pair_digest(uint8_t ret[static 48], struct slice nonce, const char *additional, struct err *e)
{
	AUTO_JSON *o = json_object();
	AUTO_BUF text = { 0 };

	if (additional)
		json_add_str(o, "additional-evidence", additional);
	json_add_hex(o, "nonce", nonce);
	return json_canonical(&text, o, e) || hash_of(ret, HASH_SHA384, buf_view(&text), e) ? -1 : 0;
}

/* GPUs and switches as one piece in nvattest's form; nothing where there are none. */
static int joined_devices(struct buf *ret, const struct host *h, const char *gpus, const struct slice *nvswitch, struct slice report_data,
			  struct json *facts, struct err *e)
{
	const struct slice switches = nvswitch ? *nvswitch : (struct slice){ 0 };
	AUTO_BUF raw = { .max = EVIDENCE_MAX };
	AUTO_NV_PARTY *keep = NULL;
	uint8_t nonce[32];

	nv_nonce_of(nonce, report_data);
	if ((switches.n && switches_check(switches, nonce, e)) || gpus_collect(&raw, &keep, h, gpus, switches.n || !nvswitch, report_data, facts, e))
		return -1;
	if (switches.n && raw.n)
		return nv_join(ret, (const struct slice[]){ buf_view(&raw), switches }, 2, e);
	buf_slice(ret, raw.n ? buf_view(&raw) : switches);
	return buf_check(ret, e);
}

int collect_additional(struct buf *ret, const struct host *h, const char *gpus, const struct slice *nvswitch, struct slice report_data,
		       struct json *facts, struct err *e)
{
	AUTO_BUF raw = { .max = EVIDENCE_MAX };
	AUTO_JSON *map = json_object(), *devices = NULL;

	if (joined_devices(&raw, h, gpus, nvswitch, report_data, facts, e))
		return -1;
	if (!raw.n)
		return 0;
	if (nv_to_trustee(&devices, buf_view(&raw), e))
		return -1;
	json_add_copy(map, "nvidia", devices);
	return json_write(ret, map, false, e);
}

int collect_trustee(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e)
{
	AUTO_JSON *cpu = NULL, *pair = json_object();
	AUTO_BUF additional = { .max = EVIDENCE_MAX };
	uint8_t devices[48], bound[48];
	const char *name;

	if (devices_alone(o))
		return err_set(e, EC_USAGE, "--format trustee holds the evidence of a TEE: leave --tee none out, or take --format nvattest");
	if (collect_pick(&name, h, o->tee, e) || pair_digest(devices, o->nonce, NULL, e) ||
	    collect_additional(&additional, h, o->gpus, &o->nvswitch, slice_of(devices, sizeof devices), o->facts, e))
		return -1;
	if (!additional.n)
		return collect_evidence(&cpu, h, name, o->nonce, e) || json_write(ret, cpu, false, e) ? -1 : 0;
	if (pair_digest(bound, o->nonce, buf_cstr(&additional), e) || collect_evidence(&cpu, h, name, slice_of(bound, sizeof bound), e))
		return -1;
	json_add_copy(pair, "primary_evidence", cpu);
	json_add_str(pair, "additional_evidence", buf_cstr(&additional));
	return json_write(ret, pair, false, e);
}

int collect_nvattest(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e)
{
	const char *gpus = o->gpus && strcmp(o->gpus, "auto") ? o->gpus : "all";

	if (o->nonce.n != 32)
		return err_set(e, EC_USAGE, "nonce is %zu bytes, wanted the 32 of a GPU report", o->nonce.n);
	if (gpus_none(gpus) && !o->nvswitch.n)
		return err_set(e, EC_USAGE, "--format nvattest holds the evidence of GPUs: leave --gpus none out");
	return joined_devices(ret, h, gpus, &o->nvswitch, o->nonce, o->facts, e);
}
