/* SPDX-License-Identifier: Apache-2.0 */
/* Detection: see detect.h.  Signals are written down as they are read, the conclusion is drawn at the end, in the
 * order of cpu-tee.md 1.2. */

#include <fcntl.h>
#include <unistd.h>

#include "base/cursor.h"
#include "tee/cpuid.h"
#include "tee/detect.h"
#include "tee/fdt.h"
#include "tee/azure.h"
#include "tee/qgs.h"
#include "tee/tpm.h"
#include "tee/tsm.h"

#define MSR_SEV_STATUS 0xc0010131
#define NV_HCL_REPORT 0x01400001
#define TPM_LOOK_MS 5000	/* a TPM that hangs does not hang detect */
#define AZURE_ASSET_TAG "7783-7084-3265-9085-8269-3286-77"

struct look {			/* what the conclusion is drawn from */
	const struct host *h;
	struct json *signals, *missing, *tree;
	struct cpuid_facts cpu;
	struct tsm_facts tsm;
	enum hcl_type hcl;	/* of the paravisor's report in the TPM; HCL_INVALID: there is none */
	bool sev_guest, tdx_guest, tdx_flag, cca_device, azure, tpm;
	int64_t sev_status;	/* -1: could not be read */
	uint8_t ccel_type;	/* 0: no CCEL table */
};

void detected_free(struct detected *d)
{
	json_free(d->machine);
	d->machine = NULL;
}

static void signal_add(struct look *l, const char *name, const char *value, const char *meaning)
{
	struct json *o = json_add_object(l->signals, NULL);

	json_add_str(o, "signal", name);
	json_add_str(o, "value", value);
	json_add_str(o, "meaning", meaning);
}

static void missing_add(struct look *l, const char *what, const char *hint)
{
	struct json *o = json_add_object(l->missing, NULL);

	json_add_str(o, "what", what);
	json_add_str(o, "hint", hint);
}

static bool look_path(struct look *l, const char *path, const char *meaning)
{
	const bool there = host_exists(l->h, path);

	signal_add(l, path, there ? "present" : "absent", meaning);
	return there;
}

static void look_provider(struct look *l)
{
	struct err e = { 0 };
	char text[32];

	if (!tsm_look(&l->tsm, l->h, &e)) {
		signal_add(l, "configfs-tsm provider", buf_cstr(&l->tsm.provider), "confirmed by the guest driver");
		snprintf(text, sizeof text, "%llu", (unsigned long long)l->tsm.floor);
		if (l->tsm.has_floor)
			signal_add(l, "configfs-tsm privlevel_floor", text, "reports of this VMPL and those above it can be had (--vmpl)");
		if (l->tsm.has_floor || l->tsm.svsm)
			signal_add(l, "configfs-tsm service_provider", l->tsm.svsm ? "present" : "absent",
				   "an SVSM serves this guest, a vTPM perhaps (--svsm)");
		return;
	}
	signal_add(l, "configfs-tsm provider", "none", e.msg);
	if (e.hint[0])
		missing_add(l, "configfs-tsm", e.hint);
}

static const char *const sev_status_bits[] = {
	"SEV", "SEV-ES", "SNP", "vTOM", "ReflectVC", "RestrictedInjection", "AlternateInjection", "DebugSwap", "PreventHostIBS",
	"BTBIsolation", "VmplSSS", "SecureTSC", "VmgexitParameter", NULL, "IbsVirtualization", NULL, "VmsaRegProt", "SmtProtection"
};

/* MSR C001_0131, the guest's own view of the mode; needs root and the msr module. */
static void look_sev_status(struct look *l)
{
	struct err e = { 0 };
	AUTO_BUF names = { 0 };
	uint8_t v[8];
	char text[32];
	AUTO_FD fd = host_open(l->h, "/dev/cpu/0/msr", O_RDONLY, &e);

	l->sev_status = -1;
	if (fd < 0 || pread(fd, v, sizeof v, MSR_SEV_STATUS) != (ssize_t)sizeof v) {
		signal_add(l, "MSR SEV_STATUS", "not readable", "needs root and the module msr, on AMD");
		return;
	}
	l->sev_status = (int64_t)get_le64(v);
	snprintf(text, sizeof text, "0x%llx", (unsigned long long)l->sev_status);
	for (unsigned i = 0; i < 64; i++)
		if ((uint64_t)l->sev_status >> i & 1) {
			if (i < sizeof sev_status_bits / sizeof sev_status_bits[0] && sev_status_bits[i])
				buf_printf(&names, "%s%s", names.n ? ", " : "", sev_status_bits[i]);
			else
				buf_printf(&names, "%sbit %u", names.n ? ", " : "", i);
		}
	signal_add(l, "MSR SEV_STATUS", text, names.n ? buf_cstr(&names) : "no memory encryption is active");
}

static bool word_in(struct slice line, const char *word)
{
	const size_t n = strlen(word);

	for (size_t i = 0; i + n <= line.n; i++)
		if (!memcmp(line.p + i, word, n) && (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t') &&
		    (i + n == line.n || line.p[i + n] == ' '))
			return true;
	return false;
}

static void look_cpuinfo(struct look *l)
{
	AUTO_BUF b = { 0 };
	struct err e = { 0 };
	struct rd r;
	struct slice line;

	if (host_read(&b, l->h, "/proc/cpuinfo", (size_t)8 << 20, &e)) {
		signal_add(l, "/proc/cpuinfo", "not readable", e.msg);
		return;
	}
	r = rd_of(buf_view(&b));
	while (rd_line(&r, &line))
		if (line.n > 5 && !memcmp(line.p, "flags", 5)) {
			l->tdx_flag = word_in(line, "tdx_guest");
			break;
		}
	signal_add(l, "/proc/cpuinfo tdx_guest", l->tdx_flag ? "present" : "absent", "set by the kernel in TDX guests");
}

static void look_cpuid(struct look *l)
{
	static const char *const isolation[] = { "none", "VBS", "SNP", "TDX", "unknown" };

	if (l->h->simulated)	/* CPUID is this machine's, not the captured one's */
		return;
	cpuid_read(&l->cpu);
	if (!l->cpu.known)
		return;
	signal_add(l, "CPUID hypervisor", l->cpu.hypervisor ? l->cpu.hypervisor_name : "none", "who runs this machine");
	signal_add(l, "CPUID 0x21", l->cpu.intel_tdx ? "IntelTDX" : "absent", "TDX guest");
	signal_add(l, "CPUID 0x8000001f", l->cpu.amd_snp ? "SEV-SNP" : l->cpu.amd_es ? "SEV-ES" : l->cpu.amd_sev ? "SEV" : "absent",
		   "capability as the hypervisor shows it: no proof");
	signal_add(l, "Hyper-V isolation", isolation[l->cpu.isolation], "paravisor guest (Azure)");
}

/* What matters about a cloud when its evidence looks odd. */
static const char *quirk(const char *value)
{
	if (!strcmp(value, "Google") || !strcmp(value, "Google Compute Engine"))
		return "Google pads TDX quotes with zeros; certificates of its vTPM keys are in NV 0x01c10000 and 0x01c10002";
	if (!strcmp(value, "Amazon EC2"))
		return "EC2 signs SNP reports with a VLEK, whose certificate comes with the report alone";
	return "hint only";
}

/* The paravisor's report in the TPM: what makes a machine of Azure a confidential one. */
static void look_hcl(struct look *l)
{
	const int64_t end = host_mono_ms() + TPM_LOOK_MS;
	struct host h = *l->h;
	AUTO_BUF b = { .max = HCL_MAX };
	AUTO_TPM t = TPM_INIT;
	struct hcl_report r;
	struct err e = { 0 };

	if (!h.deadline_ms || h.deadline_ms > end)
		h.deadline_ms = end;
	if (!l->tpm)
		return;
	if (tpm_open(&t, &h, &e) || tpm_nv_read(&b, &t, NV_HCL_REPORT, &e)) {
		const bool answered = e.code == EC_ABSENT && t.rc;

		signal_add(l, "TPM NV 0x01400001", answered ? "absent" : "not readable", answered ? "no paravisor of Azure" : e.msg);
	} else if (hcl_parse(&r, buf_view(&b), &e)) {
		signal_add(l, "TPM NV 0x01400001", "no HCL report", e.msg);
	} else {
		l->hcl = r.type;
		signal_add(l, "TPM NV 0x01400001", hcl_type_name(r.type), "HCL report of Azure's paravisor");
	}
}

static void look_dmi(struct look *l)
{
	static const struct { const char *path, *name; } ids[] = {
		{ "/sys/class/dmi/id/sys_vendor", "DMI vendor" }, { "/sys/class/dmi/id/product_name", "DMI product" },
		{ "/sys/class/dmi/id/chassis_asset_tag", "DMI asset tag" }
	};

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		AUTO_BUF b = { 0 };
		struct err e = { 0 };

		if (host_read_line(&b, l->h, ids[i].path, &e))
			continue;
		l->azure |= i == 2 && !strcmp(buf_cstr(&b), AZURE_ASSET_TAG);
		signal_add(l, ids[i].name, buf_cstr(&b), l->azure && i == 2 ? "an Azure machine, confidential or not"
									       : quirk(buf_cstr(&b)));
	}
}

/* ACPI table CCEL: byte 36 tells the kind of confidential guest. */
static void look_ccel(struct look *l)
{
	AUTO_BUF b = { 0 };
	struct err e = { 0 };

	if (host_read(&b, l->h, "/sys/firmware/acpi/tables/CCEL", 4096, &e)) {
		signal_add(l, "ACPI CCEL", "absent", "no CC event log");
		return;
	}
	if (b.n > 36 && !memcmp(b.p, "CCEL", 4))
		l->ccel_type = b.p[36];
	signal_add(l, "ACPI CCEL", l->ccel_type == 1 ? "SEV" : l->ccel_type == 2 ? "TDX" : "unknown", "firmware wrote a CC event log");
}

static void look_fdt(struct look *l)
{
	AUTO_BUF b = { .max = FDT_MAX };
	struct err e = { 0 };
	struct json *o = json_object();

	if (!host_read(&b, l->h, "/sys/firmware/fdt", FDT_MAX, &e) && !fdt_describe(o, buf_view(&b), &e)) {
		signal_add(l, "/sys/firmware/fdt", "present", "device tree");
		l->tree = o;
		return;
	}
	json_free(o);
	signal_add(l, "/sys/firmware/fdt", e.code == EC_ABSENT ? "absent" : "not readable", e.code == EC_ABSENT ? "device tree" : e.msg);
}

static void look_logs(struct look *l, struct json *machine)
{
	static const char *const paths[] = {
		"/sys/firmware/acpi/tables/data/CCEL", "/sys/kernel/security/tpm0/binary_bios_measurements",
		"/sys/kernel/security/ima/binary_runtime_measurements", "/run/attestation-agent/eventlog"
	};
	struct json *arr = json_add_array(machine, "event_logs");

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		if (host_exists(l->h, paths[i]))
			json_add_str(arr, NULL, paths[i]);
}

/* --- conclusion
 * ---------------------------------------------------------------------------------------------------- */

static bool provider_is(const struct look *l, const char *name)
{
	return !strcmp(buf_cstr(&l->tsm.provider), name);
}

/* All that this machine is, the best evidence first (cpu-tee.md 1.2): behind a paravisor the guest's own devices, where there are
 * any, speak for the paravisor alone. */
static size_t conclude(const char *ret[static 4], const struct look *l)
{
	const bool paravisor = l->azure || l->cpu.isolation != HV_NONE;
	size_t n = 0;

	if (l->cpu.isolation == HV_SNP || (paravisor && l->hcl == HCL_SNP))
		ret[n++] = "az-snp-vtpm";
	else if (l->cpu.isolation == HV_TDX || (paravisor && l->hcl == HCL_TDX))
		ret[n++] = "az-tdx-vtpm";
	if (provider_is(l, "sev_guest") || l->sev_guest)
		ret[n++] = "snp";
	if (provider_is(l, "tdx_guest") || l->tdx_guest)
		ret[n++] = "tdx";
	if (provider_is(l, "arm_cca_guest") || l->cca_device)
		ret[n++] = "cca";
	return n;
}

static bool begins(const char *tee, const char *prefix)
{
	return tee && !strncmp(tee, prefix, strlen(prefix));
}

/* What is there, and would not give evidence. */
static void look_unready(struct look *l, const char *tee)
{
	struct err e = { 0 };
	uint32_t port;

	if (begins(tee, "tdx") && !provider_is(l, "tdx_guest") && qgs_port(&port, l->h, &e))
		missing_add(l, "quote service", "without configfs-tsm (Linux 6.7) a quote needs the host's service: name its vsock port in "
						"/etc/tdx-attest.conf (port = 4050)");
	if (begins(tee, "az-") && !l->tpm)
		missing_add(l, "/dev/tpmrm0", "evidence of this machine is a vTPM's: load tpm_crb or tpm_tis");
	if (begins(tee, "az-") && l->tpm && l->hcl == HCL_INVALID)
		missing_add(l, "HCL report", "the TPM gives no report of the paravisor: see the signal 'TPM NV 0x01400001'");
}

/* A machine that looks confidential but offers no interface: say what to load. */
static void look_missing(struct look *l, const char *tee)
{
	if (tee)
		return;
	if (l->sev_status > 0 && l->sev_status & 4)
		missing_add(l, "/dev/sev-guest", "SNP is active: load the module sev-guest");
	if (l->tdx_flag || l->cpu.intel_tdx || l->ccel_type == 2)
		missing_add(l, "/dev/tdx_guest", "this is a TDX guest: load the module tdx_guest");
	if (!l->tdx_flag && !l->cpu.intel_tdx && !(l->sev_status > 0 && l->sev_status & 4))
		missing_add(l, "confidential guest", l->tpm ? "a TPM alone is not a CPU TEE: this machine's memory is open to its host"
							     : "no signal of SEV-SNP, TDX or CCA: start the guest as a confidential one");
	if (l->azure)
		missing_add(l, "Azure paravisor", "an Azure machine without isolation is not a confidential VM: choose a DCas/ECas or DCes/ECes size");
}

static void look_everywhere(struct look *l)
{
	look_cpuid(l);
	look_sev_status(l);
	look_cpuinfo(l);
	look_provider(l);
	l->sev_guest = look_path(l, "/dev/sev-guest", "SNP guest with a channel to the firmware");
	l->tdx_guest = look_path(l, "/dev/tdx_guest", "TDX guest driver loaded");
	l->cca_device = look_path(l, "/sys/devices/platform/arm-cca-dev", "Arm CCA realm");
	l->tpm = look_path(l, "/dev/tpmrm0", "TPM 2.0 (by itself not a confidential VM)");
	l->tpm |= look_path(l, "/dev/tpm0", "TPM");
	look_hcl(l);
	look_dmi(l);
	look_ccel(l);
	look_fdt(l);
}

int detect(struct detected *ret, const struct host *h, struct err *e)
{
	AUTO_BUF kernel = { 0 };
	struct look l = { .h = h, .signals = json_array(), .missing = json_array() };
	struct json *m = json_object();
	struct err ignored = { 0 };
	const char *tees[4];
	struct json *list;
	size_t n;

	if (!m || !l.signals || !l.missing) {
		json_free(m);
		json_free(l.signals);
		json_free(l.missing);
		return err_oom(e);
	}
	look_everywhere(&l);
	n = conclude(tees, &l);
	ret->tee = n ? tees[0] : NULL;
	look_missing(&l, ret->tee);
	look_unready(&l, ret->tee);
	json_add_str(m, "tee", ret->tee);
	list = json_add_array(m, "tees");
	for (size_t i = 0; i < n; i++)
		json_add_str(list, NULL, tees[i]);
	if (l.tsm.svsm)
		json_add_str(m, "vtpm_by", "svsm");
	else if (l.hcl != HCL_INVALID && n && !strncmp(tees[0], "az-", 3))
		json_add_str(m, "vtpm_by", "paravisor");
	if (!host_read_line(&kernel, h, "/proc/sys/kernel/osrelease", &ignored))
		json_add_str(m, "kernel", buf_cstr(&kernel));
	json_add_bool(m, "vtpm", l.tpm);
	json_add_take(m, "signals", l.signals);
	look_logs(&l, m);
	if (l.tree)
		json_add_take(m, "device_tree", l.tree);
	json_add_take(m, "missing", l.missing);
	tsm_facts_free(&l.tsm);
	ret->machine = m;
	return 0;
}
