/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of this machine: see collect.h. */

#include "attest/collect.h"
#include "attest/kinds.h"
#include "attest/machine.h"
#include "evidence/bundle.h"
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

int collect_pick(const char **ret, const struct host *h, const char *tee, struct err *e)
{
	AUTO_DETECTED d = { 0 };
	const struct evidence_kind *k;
	AUTO_BUF names = { 0 };

	if (!tee || !strcmp(tee, "auto")) {
		if (detect(&d, h, e))
			return -1;
		if (!d.tee)
			return name_missing(d.machine, e);
		tee = d.tee;
	}
	k = kind_by_name(tee);
	if (!k || !k->collect) {
		kind_names(&names);
		err_set(e, EC_ABSENT, "evidence of '%s' cannot be collected", tee);
		return err_hint(e, "this version collects %s", buf_cstr(&names));
	}
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

static int fill(struct bundle *b, const struct host *h, const struct evidence *ev, struct err *e)
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
	b->machine = json_object();
	return machine_describe(b->machine, "machine", NULL, h, e);
}

int collect_bundle(struct buf *ret, const struct host *h, const struct collect_opts *o, struct err *e)
{
	AUTO_BUNDLE b = { .nonce.max = BUNDLE_NONCE_MAX, .runtime_data.max = BUNDLE_RUNTIME_MAX };
	AUTO_EVIDENCE ev = { 0 };
	const struct evidence_kind *k;
	const char *name;
	uint8_t rd[64];

	if (o->nonce.n < BUNDLE_NONCE_MIN || o->nonce.n > BUNDLE_NONCE_MAX)
		return err_set(e, EC_USAGE, "nonce is %zu bytes, wanted %d to %d", o->nonce.n, BUNDLE_NONCE_MIN, BUNDLE_NONCE_MAX);
	if (o->runtime_data.n > BUNDLE_RUNTIME_MAX)
		return err_set(e, EC_USAGE, "runtime data is %zu bytes, at most %zu are bound", o->runtime_data.n, BUNDLE_RUNTIME_MAX);
	buf_slice(&b.nonce, o->nonce);
	buf_slice(&b.runtime_data, o->runtime_data);
	time_format(b.created, host_now(h));
	b.simulated = h->simulated;
	/* All other evidence comes first: its hash goes into the CPU's report data. */
	if (buf_check(&b.nonce, e) || buf_check(&b.runtime_data, e) || collect_pick(&name, h, o->tee, e) ||
	    bundle_add(&b.evidence, name, "", "", (struct slice){ 0 }, e) || bundle_report_data(rd, &b, o->nonce, e) ||
	    take(&ev, &k, h, name, &o->how, slice_of(rd, sizeof rd), e) || fill(&b, h, &ev, e))
		return -1;
	return bundle_write(ret, &b, e);
}
